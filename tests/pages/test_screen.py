"""会议大屏: a programme is put together, and each of its scenes says what it rests on."""

import re

import pytest
from visit import Page

REAL = {"demo": "false"}


def big(seen):
    """Key figures of the show: label → (value, unit, base)."""
    found = re.findall(r"<dt>([^<]*)</dt><dd><b>([^<]*)</b><i>([^<]*)</i><small>([^<]*)</small>", seen.html)
    return {label: rest for label, *rest in found}


def worst(seen):
    return re.findall(r'"qj-who">([^<]*)</span><span class="qj-what">([^<]*)<', seen.html)


def programme(seen):
    return [(row["theme"], row["rule"], row["area"]) for row in seen.rows("scenes").values()]


def press(seen, label):
    next(one for one in seen.at.button if one.label == label).click()
    seen.run()


def test_a_programme_is_suggested_real_shortages_first():
    seen = Page("screen", **REAL)
    scenes = programme(seen)
    assert scenes[0] == ("短板", "全部标准", "全区")
    assert len(scenes) > 4
    assert any(area.endswith(("镇", "街道")) for _, _, area in scenes)
    with_demo = programme(Page("screen"))
    assert with_demo[1] == scenes[1]  # what is invented does not push what is real aside


def test_a_scene_is_added_and_all_are_kept_in_the_address():
    seen = Page("screen", show="all,health:beds-planned", **REAL)
    choose = {one.label: one for one in seen.at.selectbox}
    choose["专题"].set_value("health")
    seen.run()
    choose = {one.label: one for one in seen.at.selectbox}
    choose["标准"].set_value("beds-planned")
    choose["范围"].set_value("赶水镇")
    press(seen, "加到末尾")
    assert seen.at.query_params["show"] == "all,health:beds-planned,health:beds-planned:赶水镇"
    assert programme(seen)[-1][2] == "赶水镇"
    press(seen, "开始放映")
    assert seen.at.query_params["play"] == "1"
    assert seen.at.query_params["every"] == "15"
    assert "qj-title" in seen.html


def test_what_a_link_says_wrongly_is_told_and_the_rest_is_kept():
    seen = Page("screen", show="all,health:nothing,<b>x</b>", **REAL)
    assert programme(seen) == [("短板", "全部标准", "全区")]
    assert "2 个场景看不懂" in seen.text
    assert "<b>x" not in seen.html


@pytest.mark.parametrize("play", ["0", "99", "abc", "-1", "²", "9" * 50, ""])
def test_a_broken_place_shows_some_scene(play):
    seen = Page("screen", show="all,health:beds-planned", play=play, every="soon", **REAL)
    assert "qj-title" in seen.html
    assert seen.tables["screen-keys"]["seconds"] == 15


def test_every_figure_has_its_denominator_and_agrees_with_the_list(qijiang):
    seen = Page("screen", show="all", play="1", **REAL)
    listed = Page("shortages", **REAL)
    figures = big(seen)
    assert figures["有短缺"][0] == listed.figures["有短缺"][0].split(" ")[0]
    assert all(base for _, _, base in figures.values())
    assert 3 <= len(figures) <= 5
    counts = [int(text.split(" ")[0]) for _, text in worst(seen)]
    assert counts == sorted(counts, reverse=True)
    assert seen.scene["focus"]["id"] == "全区"
    assert seen.scene["shades"].keys() == set(qijiang.towns.index)


def test_a_rule_is_shown_with_its_clause_and_the_towns_that_lack_most():
    seen = Page("screen", show="health:beds-planned,health:beds-planned:赶水镇", play="1", **REAL)
    assert "专栏" in seen.text
    assert big(seen)["结论"][0] == "短缺"
    assert worst(seen)
    assert all(text.startswith("差 ") for _, text in worst(seen))
    second = Page("screen", show="health:beds-planned,health:beds-planned:赶水镇", play="2", **REAL)
    assert "<h1>赶水镇:" in second.html
    assert second.scene["town"] == "赶水镇"
    assert second.tables["screen-keys"]["place"] == 1


def test_a_rule_that_cannot_be_answered_says_what_is_missing_and_is_not_short():
    seen = Page("screen", show="health:ems-time", play="1", **REAL)
    figures = big(seen)
    assert figures["结论"][0] == "数据不足"
    assert figures["短缺街镇"][0] == "0"
    assert figures["数据不足"] == ["21", "个街镇", "不算短缺,也不算达标"]
    assert "道路和车速资料" in seen.text


def test_invented_records_are_said_to_be_invented():
    shown = {"show": "hydrants"}
    assert "含演示数据" in Page("screen", play="1", **shown).text
    assert "含演示数据" not in Page("screen", play="1", **shown, **REAL).text


def test_every_theme_can_be_shown(qijiang):
    show = ",".join(["all", *qijiang.registry.points])
    for number in range(len(qijiang.registry.points) + 1):
        seen = Page("screen", show=show, play=str(number + 1))
        assert 3 <= len(big(seen)) <= 5
