"""图表: four charts, each with its finding, clause, figures and files; choices are in the address."""

import csv
import io
import json

import pytest
import streamlit as st
from visit import Page

KEYS = ("bars", "tiles", "coverage", "dots")


def charts(seen):
    """Give the specifications of the page's charts, in order."""
    return [json.loads(node.proto.spec) for node in seen.nodes("vega_lite_chart")]


def findings(seen):
    return [
        str(one.proto.body)
        for one in seen.at.html
        if "qj-finding" in str(one.proto.body) and "<style" not in str(one.proto.body)
    ]


@pytest.fixture
def files(monkeypatch):
    made = {}
    monkeypatch.setattr(
        st, "download_button", lambda _, data, **more: made.update({more["key"]: (more["file_name"], data)})
    )
    return made


def test_four_charts_with_findings_clauses_and_figures():
    seen = Page("charts")
    assert len(charts(seen)) == 4
    assert [key.removeprefix("figures-") for key in seen.tables if key.startswith("figures-")] == list(KEYS)
    bars, tiles, coverage, dots = findings(seen)
    assert "21 个街镇中 15 个低于每1000人1.9张,6 个达到" in bars
    assert "分街镇判定且有短缺的标准" in tiles
    assert "全区人口中" in coverage
    assert "项指标" in dots
    assert "(綦江府发〔2022〕32号)专栏2、专栏4" in seen.text
    assert "分母:2020年常住人口775,509人" in seen.text
    assert "直线半径,不是行车时间" in seen.text
    for spec in charts(seen):
        assert spec["usermeta"]["embedOptions"]["renderer"] == "svg"
        assert "21 个街镇" in spec["description"] or "。" in spec["description"]


def test_the_table_says_what_the_bars_say():
    shown = Page("charts").rows("figures-bars").values()
    assert len(shown) == 21
    states = [row["1"] for row in shown]
    assert (states.count("短缺"), states.count("达标")) == (15, 6)


def test_the_rule_is_chosen_in_the_address_and_the_unknown_is_not_none():
    seen = Page("charts", **{"chart-rule": "社区卫生服务中心和乡镇卫生院设置发热门诊(诊室)"})
    assert "21 个街镇都是数据不足,不能判断是否短缺" in findings(seen)[0]
    rows = seen.rows("figures-bars").values()
    assert {row["1"] for row in rows} == {"数据不足"}
    assert all(row["2"] is None for row in rows)  # 现有


def test_what_is_compared_is_chosen_in_the_address():
    seen = Page("charts", **{"chart-from-to": "各街镇床位(有名册的机构)"})
    assert "21 个街镇:" in findings(seen)[3]
    assert "家机构文件未写明街镇" in seen.text
    assert len(seen.rows("figures-dots")) == 21


def test_circles_of_unknown_stations_call_nothing_short():
    seen = Page("charts")
    assert "圈外" in findings(seen)[2]
    assert "未覆盖" not in findings(seen)[2]
    assert "不作短缺判断" in seen.text


def test_invented_data_are_marked_and_taken_off_by_one_click():
    with_demo, without = Page("charts"), Page("charts", demo="false")
    assert "含演示数据" in json.dumps([one.get("title") for one in charts(with_demo)], ensure_ascii=False)
    assert "演示" not in json.dumps(charts(without), ensure_ascii=False)
    assert "程序编造" in with_demo.text
    assert "程序编造" not in without.text


def test_planned_figures_are_said_to_be_planned():
    assert "现有数取自规划,不是实际" in Page("charts", **{"judged-year": "2025"}).text
    assert "现有数取自规划,不是实际" not in Page("charts").text


def test_every_chart_can_be_taken_away(files):
    Page("charts")
    assert set(files) == {f"take-{key}-{kind}" for key in KEYS for kind in ("png", "svg", "csv")}
    name, table = files["take-bars-csv"]
    assert name.startswith("綦江区_各街镇与标准对照")
    raw = table()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert len(rows) == 21
    assert "专栏2、专栏4" in rows[0]["说明与依据"]
    drawn = files["take-tiles-svg"][1]().decode("utf-8")
    assert "界线:示意界线,非法定界线" in drawn
    assert "含演示数据,非真实记录" in drawn
    assert files["take-coverage-png"][1]().startswith(b"\x89PNG")


def test_without_registers_it_is_said_and_nothing_is_drawn_as_none(folder):
    for path in (folder / "data" / "qijiang" / "health.csv", folder / "data" / "qijiang" / "indicators.csv"):
        path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    (folder / "data" / "qijiang" / "project_rules.csv").unlink()
    seen = Page("charts", demo="false")
    assert "这是数据不足,不等于没有设施" in findings(seen)[2]
    assert "没有可对照的指标或床位" in findings(seen)[3]
