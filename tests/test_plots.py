"""Charts: their frames on a tiny district with known answers, their specifications, and the files made of them."""

import io
import json
import math
import re

import altair as alt
import numpy as np
import pandas as pd
import pytest

from qjmap import fonts, plotfiles, shortlist, summary
from qjmap.assess import MET, NOT_APPLICABLE, SHORT, UNKNOWN, WHOLE, Finding, assess
from qjmap.district import load_district
from qjmap.errors import FontError
from qjmap.plotfiles import Words
from qjmap.plots import bars, dots, shares, tiles
from qjmap.registers import load_layer
from qjmap.shortlist import Line
from qjmap.standards import Figure, Rule, Standards
from qjmap.webmap import PALETTE
from tests.conftest import write_layer

XSS = "</script><img src=x onerror=alert(1)>"
TOWNS = ("甲街道", "乙街道", "丙镇", "丁镇")


def rule(kind="per_capita", **more):
    given = {"figure": Figure(2, 2), "unit": "张", "per": 1000, "of": "population"} | more
    return Rule(
        id="r", title="每千人床位", kind=kind, layers=("health",), binding="约束性", wording="应",
        document="plan", clause="表1", department="甲局", source_status="读过原文", **given,
    )  # fmt: skip


def line_of(asked, *found):
    """Give a line of findings (status, have, need) for the towns in order."""
    findings = {}
    for town, (status, have, need) in zip(TOWNS, found, strict=False):
        gap = max(need - have, 0.0) if status == SHORT else 0.0
        findings[town] = Finding(
            town, asked, status, have=have, need=need, shortfall=gap, shortfall_most=gap, unit="张",
            value=have / need * 2 if asked.kind == "per_capita" else math.nan, reason="1家未填报" * (status == UNKNOWN),
        )  # fmt: skip
    findings[WHOLE] = Finding(WHOLE, asked, SHORT)
    return Line(asked, findings)


@pytest.fixture
def mixed():
    """甲 has 3 of 4, 乙 is unknown with 1 seen, 丙 has 1 of 4, 丁 has 6 of 4."""
    return line_of(rule(), (SHORT, 3, 4), (UNKNOWN, 1, 4), (SHORT, 1, 4), (MET, 6, 4))


@pytest.fixture
def two_years():
    return pd.DataFrame(
        {
            "name": ["床位", "住院日", "床位比", "寿命", "健康寿命"],
            "group": "医疗",
            "unit": ["张", "天", "", "岁", "岁"],
            "value_2020": [4.0, 10.0, 1.0, np.nan, np.nan],
            "text_2020": ["4", "10", "1", "—", "—"],
            "value_2025": [8.0, 8.0, 1.0, 79.3, np.nan],
            "text_2025": ["8", "≤8", "1", "79.3", "同比例提高"],
            "clause": [f"专栏1第{n}项" for n in range(5)],
            "note": "",
        }
    )


@pytest.fixture
def covered():
    table = pd.DataFrame(
        {
            "certain": [1.0, 0.25, 0.997, np.nan],
            "possible": [0.0, 0.25, 0.0, np.nan],
            "uncovered": [0.0, 0.5, 0.003, np.nan],
        },
        index=list(TOWNS),
    )
    for part in ("certain", "possible", "uncovered"):
        table[f"people_{part}"] = table[part] * 1000
    return table


def beds(folder):
    """Judge the grid district's beds per 1,000: 甲 has enough, 乙 too few, 丙 one that says nothing."""
    write_layer(
        folder,
        "health",
        [
            {"town": "甲街道", "beds_2020": 100, "name": XSS},
            {"town": "乙街道", "beds_2020": 1},
            {"town": "丙镇"},
        ],
    )
    district = load_district("fangge", folder)
    asked = rule(value={2020: "beds_2020"})
    found = assess(district, {"health": load_layer(district, "health")}, Standards([asked]), 2020)
    return district, shortlist.lines(found)[0]


# ---- frames ----------------------------------------------------------------------------------------


def test_bars_are_sorted_and_the_unknown_comes_last_and_is_never_none(mixed):
    frame = bars.frame(mixed)
    assert frame["town"].tolist() == ["丙镇", "甲街道", "丁镇", "乙街道"]
    assert frame["value"].tolist()[:3] == [0.5, 1.5, 3.0]
    assert set(frame["target"]) == {2.0}
    unknown = frame.iloc[3]
    assert math.isnan(unknown["value"])
    assert math.isnan(unknown["have"])
    assert unknown["label"] == "? 数据不足"
    assert frame["label"].iloc[0] == "× 0.5(1/4张)"
    assert bars.finding(frame, mixed.rule) == (
        "4 个街镇中 2 个低于每1000人2张,1 个达到,1 个数据不足(不算短缺),最少的是丙镇。"
    )


def test_a_rule_on_amounts_stands_in_per_cent_of_what_is_asked_for():
    line = line_of(rule("presence", figure=Figure(1, 1), per_unit="village"), (SHORT, 1, 4), (MET, 5, 4))
    frame = bars.frame(line)
    assert frame["value"].tolist() == [25.0, 125.0]
    assert set(frame["target"]) == {100.0}
    assert frame["label"].tolist() == ["× 1/4张", "✓ 5/4张"]


def test_what_does_not_apply_is_left_out_and_nothing_known_is_no_shortage():
    line = line_of(rule(), (NOT_APPLICABLE, 0, 0.1), (UNKNOWN, 1, 4), (UNKNOWN, 1, 4))
    frame = bars.frame(line)
    assert frame["town"].tolist() == ["乙街道", "丙镇"]
    assert frame["value"].isna().all()
    assert bars.finding(frame, line.rule) == "2 个街镇都是数据不足,不能判断是否短缺:1家未填报。"
    assert bars.fitting([line]) == []


def test_an_assessment_of_a_district_becomes_bars(grid_root):
    _, line = beds(grid_root)
    frame = bars.frame(line).set_index("town")
    assert frame.at["甲街道", "status"] == MET
    assert frame.at["乙街道", "status"] == SHORT
    assert frame.at["丙镇", "status"] == UNKNOWN
    assert math.isnan(frame.at["丙镇", "value"])
    # registered and none: a true nought
    assert frame.at["丁镇", "value"] == 0


def test_indicators_stand_against_their_own_targets(two_years):
    sets = dots.sets(two_years, (2020, 2025))
    assert {name: len(rows) for name, rows in sets.items()} == {"专栏1 医疗": 5}
    frame = dots.of_indicators(sets["专栏1 医疗"], (2020, 2025))
    assert frame["x_first"].tolist()[:3] == [50.0, 125.0, 100.0]
    assert frame["direction"].tolist() == ["上升", "下降", "持平", "缺一年的数", "缺一年的数"]
    assert frame["label"].tolist() == [
        "↑ 4 → 8张",
        "↓ 10 → ≤8天",
        "= 1 → 1",
        "? — → 79.3岁",
        "? — → 同比例提高",
    ]
    assert math.isnan(frame["x_first"].iloc[3])
    assert dots.finding(frame, "项指标") == "5 项指标:1 上升、1 下降、1 持平、2 缺一年的数。"


def test_a_towns_beds_are_unknown_when_one_institution_says_nothing():
    own = pd.DataFrame(
        {
            "town": ["甲街道", "甲街道", "乙街道", "乙街道", None],
            "first": [1, 2, 5, np.nan, 99],
            "last": [4, 5, 6, 7, 99],
        }
    )
    frame = dots.of_towns(own, TOWNS[:3]).set_index("name")
    assert frame.loc["甲街道", ["first", "last"]].tolist() == [3, 9]
    assert math.isnan(frame.at["乙街道", "first"])
    assert frame.at["乙街道", "last"] == 13
    assert frame.at["丙镇", "note"] == "名册中没有机构"
    assert math.isnan(frame.at["丙镇", "last"])


def test_shares_stack_to_all_and_the_least_covered_come_first(covered):
    frame = shares.frame(covered)
    assert list(dict.fromkeys(frame["town"])) == ["乙街道", "丙镇", "甲街道", "丁镇"]
    assert frame["end"].iloc[:3].tolist() == [0.25, 0.5, 1.0]
    assert frame["start"].iloc[:3].tolist() == [0.0, 0.25, 0.5]
    # what is not quite all is not called all
    labels = frame[frame["part"] == "覆盖"].set_index("town")["label"]
    assert labels.to_dict() == {"乙街道": "25%", "丙镇": ">99%", "甲街道": "100%", "丁镇": ""}
    said = shares.finding(frame)
    assert said.startswith("全区人口中覆盖 74.9 %(约 2,247人)、可能覆盖 8.3 %(约 250人)、未覆盖 16.8 %")
    assert "比例最低的是乙街道(25%)" in said
    assert said.endswith("1 个街镇数据不足。")


def test_where_nothing_may_be_called_short_the_words_say_so(covered):
    frame = shares.frame(covered)
    spec = json.dumps(shares.chart(frame, judged=False).to_dict(), ensure_ascii=False)
    assert "圈外" in shares.finding(frame, judged=False)
    assert "未覆盖" not in shares.finding(frame, judged=False)
    assert "× " not in spec
    assert "✓" not in spec


def test_small_maps_take_what_tells_towns_apart_first():
    same = line_of(rule(), (SHORT, 1, 4), (SHORT, 1, 4))
    apart = line_of(rule(), (SHORT, 1, 4), (MET, 5, 4))
    fine = line_of(rule(), (MET, 4, 4), (UNKNOWN, 5, 4))
    assert tiles.fitting([same, apart, fine]) == [apart, same]
    frame = tiles.frame([apart])
    assert frame["counts"].iloc[0] == "×短缺 1  ✓达标 1"
    assert frame["sign"].tolist() == ["×", ""]
    assert tiles.finding([same, apart], 1).endswith("短缺最多的是甲街道(2 条)。")
    assert tiles.finding([], 0) == "没有一条分街镇判定的标准有确定的短缺。"


def test_outlines_are_thin_and_all_there(qijiang):
    thin = tiles.outlines(qijiang.boundaries)
    assert list(thin.index) == [str(town) for town in qijiang.boundaries.index]
    assert all(one["coordinates"] for one in thin["geometry"])
    assert len(json.dumps(thin["geometry"].tolist())) < 60_000


# ---- specifications --------------------------------------------------------------------------------


@pytest.fixture
def four(grid_root, mixed, two_years, covered):
    district, line = beds(grid_root)
    return {
        "bars": bars.chart(bars.frame(mixed)),
        "dots": dots.chart(
            dots.of_indicators(two_years, (2020, 2025)), (2020, 2025), axis="目标为100", target=True
        ),
        "coverage": shares.chart(shares.frame(covered), demo=True),
        "tiles": tiles.chart(tiles.frame([line]), tiles.outlines(district.boundaries)),
    }


def test_specifications_are_valid_ask_nobody_and_say_what_they_are(four):
    for name, chart in four.items():
        spec = chart.to_dict(validate=True)
        text = json.dumps(spec, ensure_ascii=False, allow_nan=False)
        assert not re.search(r'"url"', text), name
        assert re.findall(r"https?://[^\"]*", text) == [spec["$schema"]], name
        assert spec["description"]
        assert spec["usermeta"]["embedOptions"] == {"renderer": "svg", "actions": False}


def marks(spec, kind):
    return [one for one in spec["layer"] if one["mark"]["type"] == kind]


def rows(spec, layer):
    return (
        spec["datasets"][layer["data"]["name"]] if "data" in layer else spec["datasets"][spec["data"]["name"]]
    )


def test_the_target_line_stands_at_the_target_and_the_unknown_is_hollow(four):
    spec = four["bars"].to_dict()
    (line,) = marks(spec, "rule")
    assert [one["target"] for one in rows(spec, line)] == [2.0]
    hollow = marks(spec, "bar")[0]
    assert hollow["mark"]["fill"] is None
    assert hollow["transform"] == [{"filter": "datum.value === null && datum.status !== '达标'"}]
    assert {one["town"]: one["value"] for one in rows(spec, hollow)}["乙街道"] is None


def test_invented_data_are_named_on_the_chart_itself(four):
    assert four["coverage"].to_dict()["title"]["text"] == "含演示数据,非真实记录"
    assert "title" not in four["bars"].to_dict()


def test_one_town_with_far_too_much_does_not_hide_the_others():
    line = line_of(rule("presence", figure=Figure(1, 1)), (MET, 900, 1), (SHORT, 0, 1))
    spec = bars.chart(bars.frame(line)).to_dict()
    domains = [
        one["encoding"]["x"]["scale"]["domain"]
        for one in spec["layer"]
        if "scale" in one["encoding"].get("x", {})
    ]
    assert domains
    assert max(domain[1] for domain in domains) <= 500


def test_text_can_be_read(four):
    def luminance(colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    text = json.dumps([chart.to_dict() for chart in four.values()])
    used = set(re.findall(r'"(?:labelColor|titleColor|subtitleColor|color)": "(#[0-9a-f]{6})"', text))
    assert PALETTE["ink"] in used
    for colour in used:
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5, colour


def test_hostile_names_are_text(grid_root):
    line = line_of(rule(), (SHORT, 3, 4))
    findings = {XSS: line.findings["甲街道"], WHOLE: line.whole}
    frame = bars.frame(Line(line.rule, findings)).assign(town=XSS, reason="datum.x + {{1}} \"'")
    spec = plotfiles.on_paper(bars.chart(frame), Words(XSS, XSS, (XSS,)))
    drawn = plotfiles.to_svg(spec).decode()
    assert "<img" not in drawn
    assert "</script>" not in drawn
    assert "&lt;/script&gt;" in drawn


# ---- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bars", "dots", "coverage", "tiles"])
def test_files_are_pictures_with_chinese_on_them(four, name):
    from PIL import Image

    words = Words("各街镇与标准对照", "四个街镇中两个不足。", ("依据:方格区规划",), demo=True)
    spec = plotfiles.on_paper(four[name], words)
    drawn = plotfiles.to_svg(spec).decode("utf-8")
    for said in (words.title, words.finding, *words.basis, "含演示数据"):
        assert said in drawn
    assert "甲街道" in drawn or name in ("dots", "tiles")
    assert "href=" not in drawn
    png = plotfiles.to_png(spec)
    assert png.startswith(b"\x89PNG")
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    wide = float(re.search(r'width="([\d.]+)"', drawn).group(1))
    assert picture.width == pytest.approx(wide * plotfiles.PPI / 72, abs=3)
    pixels = np.asarray(picture)
    ink = (pixels < 200).any(axis=2).mean()
    assert 0.01 < ink < 0.6
    assert len(np.unique(pixels.reshape(-1, 3)[::7], axis=0)) > 20


def test_characters_are_drawn_as_themselves_and_not_as_boxes():
    def drawn(text):
        spec = plotfiles.on_paper(bars.chart(bars.frame(line_of(rule(), (SHORT, 3, 4)))), Words(text, ""))
        return plotfiles.to_png(spec)

    missing = drawn("\U0010fffe")
    pictures = [drawn(one) for one in "綦渝街×✓→↑»"]
    assert missing not in pictures
    assert len(set(pictures)) == len(pictures)


def test_without_a_font_it_is_said_clearly(monkeypatch, four):
    def none():
        raise FontError("没有找到中文字体")

    monkeypatch.setattr(fonts, "chinese", none)
    spec = plotfiles.on_paper(four["bars"], Words("标题", "结论"))
    for make in (plotfiles.to_png, plotfiles.to_svg):
        with pytest.raises(FontError, match="没有找到中文字体"):
            make(spec)


def test_words_on_paper_are_not_cut_off(four):
    from PIL import Image

    for name in ("bars", "coverage", "tiles"):
        spec = plotfiles.on_paper(four[name], Words("标" * 40, "结" * 120, ("依" * 90,)))
        pixels = np.asarray(Image.open(io.BytesIO(plotfiles.to_png(spec))).convert("L"))
        assert pixels[:, -20:].min() > 250, name
        assert pixels[:, :20].min() > 250, name


def test_long_words_are_broken_into_lines_with_figures_whole():
    assert plotfiles.wrapped("每1000人8张床位", 4) == ["每1000人", "8张床位"]
    assert plotfiles.wrapped("一二三四,五", 4) == ["一二三四,", "五"]
    assert plotfiles.wrapped("一二三四五六七八九", 4, most=2) == ["一二三四", "五六七…"]
    assert plotfiles.wrapped("一", 4, least=2) == ["一", ""]


def test_the_real_coverage_can_be_drawn(qijiang):
    places = load_layer(qijiang, "health", demo=False).frame
    found = summary.cover(qijiang, places, summary.radii(qijiang, 3500, 10000))
    frame = shares.frame(summary.coverage_by_town(qijiang, found, "population_2020"))
    assert frame.groupby("town")["share"].sum().to_numpy() == pytest.approx(1)
    assert isinstance(shares.chart(frame), alt.LayerChart)
