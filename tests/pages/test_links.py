"""An address that says something amiss: told, and no harm done."""

import re

import pytest
from visit import PAGES, Page

#: Parameter → a value that no page can make anything of.
BROKEN = {
    "town": "不存在镇",
    "record": "不存在",
    "rule": "不存在",
    "want": "不存在",
    "figures": "health-ems-radius:很远,::,-1",
    "view": "north,of,nowhere",
    "demo": "也许",
    "year": "abc",
    "judged-year": "abc",
    "by-year": "abc",
    "assume": "不存在",
    "layers": "不存在",
    "shade": "不存在",
    "focus": "不存在",
    "department": "不存在",
    "answer": "不存在",
    "on": "不存在",
    "find": "%00<script>alert(1)</script>",
    "all-towns": "不存在镇",
    "all-status": "不存在",
    "all-position": "不存在",
} | {
    f"{layer}-{part}": "不存在"
    for layer in ("health", "projects", "hydrants", "ponds", "reservoirs", "fire_stations", "highrises")
    for part in ("towns", "kind", "status", "position", "by", "show", "rule", "own", "layer")
}


def said(page):
    return re.findall(r"链接里.*?。(?=链接里|$)", page.text, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_said_of_an_address_without_fault(page):
    assert said(Page(page)) == []
    assert said(Page(page, town="石角镇", demo="false", embed="true", view="28.90000,106.70000,11.5")) == (
        []
        if "demo" in Page(page).at.session_state
        else ["链接里的“显示演示数据”(demo=false)本页没有,已忽略。"]
    )


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("start", range(4))
def test_no_broken_value_breaks_a_page(page, start):
    asked = dict(list(BROKEN.items())[start::4])
    seen = Page(page, **asked)
    assert seen.problems == ""
    assert "<h1>" in seen.html
    assert "<script>" not in seen.html
    assert 1 <= len(said(seen)) <= 6


@pytest.mark.parametrize("page", [page for page in PAGES if page != "screen"])
def test_every_broken_value_of_a_page_is_named(page):
    for key, value in BROKEN.items():
        if key in ("rule", "want", "find"):  # told where they stand; a text to look for is never broken
            continue
        if key in ("town", "view", "figures"):
            (line,) = said(Page(page, **{key: value}))
            assert f"({key}=" in line


@pytest.mark.parametrize(
    ("page", "key", "value", "line"),
    [
        ("town", "layer", "health", "链接里的“图层”(layer=health)本页没有,已忽略。"),
        ("sources", "hydrants-diameter_mm", "1", "链接里的“口径”(hydrants-diameter_mm=1)本页没有,已忽略。"),
        ("health", "foo", "1", "链接里的“foo”本页不认识,已忽略。"),
        ("health", "year", "abc", "链接里的“年份”(year=abc)看不懂,已按默认显示。"),
        ("health", "demo", "也许", "链接里的“显示演示数据”(demo=也许)看不懂,已按默认显示。"),
        ("health", "town", "不存在镇", "链接里的“街镇”(town=不存在镇)看不懂或查不到,已忽略。"),
        ("health", "record", "X", "链接里的“记录”(record=X)看不懂或查不到,已忽略。"),
        ("health", "figures", "很远", "链接里的“自定数字”(figures=很远)看不懂或查不到,已忽略。"),
        ("health", "view", "0,0,3", "链接里的“地图位置”(view=0,0,3)看不懂或查不到,已忽略。"),
        ("health", "view", "28.9,106.7,99", "链接里的“地图位置”(view=28.9,106.7,99)看不懂或查不到,已忽略。"),
        ("health", "view", "28.9,106.7", "链接里的“地图位置”(view=28.9,106.7)看不懂或查不到,已忽略。"),
        ("health", "view", "NaN,NaN,NaN", "链接里的“地图位置”(view=NaN,NaN,NaN)看不懂或查不到,已忽略。"),
        ("health", "rule", "x", "链接里的“标准”(rule=x)本页没有,已忽略。"),
        ("overview", "layers", "不存在", "链接里的“图层”(layers=不存在)看不懂,已按默认显示。"),
        ("overview", "shade", "不存在", "链接里的“街镇着色”(shade=不存在)看不懂,已按默认显示。"),
        ("progress", "by-year", "1066", None),
    ],
)
def test_what_is_amiss_is_said(page, key, value, line):
    (found,) = said(Page(page, **{key: value}))
    assert found == line or (line is None and f"{key}={value}" in found)


def test_a_value_that_is_the_default_is_not_called_broken():
    for page, asked in {
        "health": {"demo": "TRUE", "year": "2020 现状", "health-layer": "医疗卫生机构"},
        "shortages": {"judged-year": "2020", "answer": ""},
        "overview": {"shade": "街镇机构每千人床位(2020)"},
    }.items():
        assert said(Page(page, **asked)) == []


def test_what_is_partly_understood_is_said_with_what_is_shown():
    (line,) = said(Page("health", **{"health-towns": ["石角镇", "不存在镇"]}))
    assert line == "链接里的“街镇”(health-towns=石角镇、不存在镇)不全看得懂,或超出范围,已按“石角镇”显示。"
    (line,) = said(Page("health", **{"health-rule": "自定半径", "health-own": "5"}))
    assert "health-own=5" in line


def test_long_and_hostile_names_are_text_and_short():
    seen = Page("health", **{"<b>" + "长" * 500: "\x00\n<script>"}, **{f"x{n}": "1" for n in range(30)})
    lines = said(seen)
    assert len(lines) == 6
    assert lines[-1] == "链接里另有 26 处看不懂或不认识,已忽略。"
    assert "<b>长" not in seen.html
    assert all(len(line) < 90 for line in lines)


def test_every_page_offers_its_link():
    for page in PAGES:
        if page != "screen":
            assert any(node.key == "copy-link" for node in Page(page).nodes("bidi_component"))
