"""短板清单: the list, what is opened from it, and the files made of it."""

import csv
import io
import json

import openpyxl
import pytest
import streamlit as st
from visit import Page

from qjmap.district import ROOT
from qjmap.ui import judging, shortages

REAL = {"demo": "false"}


def lacking_beds():
    """Planned beds of 2025 that 2020 does not have, by town, counted without the product."""
    with (ROOT / "data" / "qijiang" / "health.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    found: dict[str, int] = {}
    for row in rows:
        if row["status"] == "现状" and row["beds_2020"] and row["beds_2025"]:
            lack = max(0, int(row["beds_2025"]) - int(row["beds_2020"]))
            found[row["town"]] = found.get(row["town"], 0) + lack
    return found


def matrix(seen):
    return seen.tables["shortages"]


def rows(seen):
    return {row["key"]: row for group in matrix(seen)["groups"] for row in group["rows"]}


def cell(seen, rule, place):
    places = [one["key"] for one in matrix(seen)["columns"]]
    return rows(seen)[rule]["cells"][places.index(place)]


# ---- the list --------------------------------------------------------------------------------------


def test_the_list_says_what_the_registers_say(qijiang):
    seen = Page("shortages", **REAL)
    for town, lack in lacking_beds().items():
        sign, text, *_ = cell(seen, "beds-planned", town or "街镇未详")
        assert (sign, text) == (("short", f"差 {lack} 张") if lack else ("met", ""))
    places = [one["key"] for one in matrix(seen)["columns"]]
    assert places[0] == "全区"
    assert places[-1] == "街镇未详"
    assert sorted(places[1:-1]) == sorted(qijiang.towns.index)
    # towns worst first; the district's column and the records without a town stand apart
    counts = [int(one["count"]) for one in matrix(seen)["columns"][1:-1]]
    assert counts == sorted(counts, reverse=True)
    assert [one["key"] for one in matrix(seen)["columns"] if one["apart"]] == [places[1], "街镇未详"]


def test_every_rule_is_on_the_list_once_and_names_its_clause():
    seen = Page("shortages", **REAL)
    listed = [row["key"] for group in matrix(seen)["groups"] for row in group["rows"]]
    enabled = {one.id: one for one in judging.source.standards().enabled()}
    assert sorted(listed) == sorted(enabled)
    for key, row in rows(seen).items():
        assert f"编号 {key}" in row["help"]
        assert enabled[key].clause in row["help"]
        assert "分母" in row["help"]
    shown = sum(seen.figure(one) for one in ("有短缺", "数据不足", "达标", "不适用"))
    assert shown == len(enabled)


def test_what_weighs_most_comes_first():
    seen = Page("shortages", **REAL)
    titles = [group["title"] for group in matrix(seen)["groups"]]
    assert titles[0].startswith("有短缺的标准")
    assert titles[1].startswith("数据不足")
    for group in matrix(seen)["groups"]:
        tags = [row["tag"] == "约束" for row in group["rows"]]
        assert tags == sorted(tags, reverse=True)


def test_a_rule_for_the_district_alone_says_so_in_words():
    seen = Page("shortages", **REAL)
    row = rows(seen)["beds-all"]
    assert len(row["cells"]) == 1
    assert row["span"].startswith("现有 4,959、应有 6,204 张")
    assert "只对全区判定" in row["sub"]
    assert len(rows(seen)["beds-planned"]["cells"]) == len(matrix(seen)["columns"])


def test_choices_leave_rules_out_and_an_empty_choice_says_so():
    seen = Page("shortages", department=["区水利局", "区林业局"], **REAL)
    assert {row["sub"].split(";")[0] for row in rows(seen).values()} == {"区水利局", "区林业局"}
    assert set(rows(Page("shortages", find="中医馆", **REAL))) >= {"tcm-halls"}
    assert {
        row["cells"][0][0].removesuffix("-possible")
        for row in rows(Page("shortages", answer="短缺", **REAL)).values()
    } == {"short"}
    hydrants = set(rows(Page("shortages", on="消火栓", **REAL)))
    assert "hydrant-radius" in hydrants
    assert "beds-all" not in hydrants
    empty = Page("shortages", find="没有这样的标准", **REAL)
    assert "请放宽左侧的部门、结论、图层或查找文字" in empty.text
    assert "shortages" not in empty.tables


def test_invented_answers_are_marked_and_gone_without_demo_data():
    marked = matrix(Page("shortages", demo="true"))
    assert marked["corners"] == {"demo": "依据演示数据"}
    real = Page("shortages", **REAL)
    assert matrix(real)["corners"] == {}
    assert cell(real, "fire-brigade", "石角镇")[0] == "unknown"


def test_the_year_decides():
    early, late = (Page("shortages", **REAL, **{"judged-year": year}) for year in ("2020", "2025"))
    assert rows(early)["doctors"]["cells"][0][0] == "short"
    assert rows(late)["doctors"]["cells"][0][0] == "met"
    assert early.figure("约束性短缺影响") == pytest.approx(775_509, abs=500)
    assert late.figure("约束性短缺影响") == 0


# ---- what is opened --------------------------------------------------------------------------------


def test_a_rule_in_a_town_is_opened_with_its_numbers_and_its_clause():
    seen = Page("shortages", town="赶水镇", rule="beds-planned", **REAL)
    lack = lacking_beds()["赶水镇"]
    assert seen.card["名称"] == "规划床位落实(2020年编制床位对2025年规划床位)"
    assert seen.card["街镇"] == "赶水镇"
    assert seen.card["缺口"] == f"{lack} 张"
    assert "专栏" in seen.card["文件条款"]
    assert "綦江府发〔2022〕32号" in seen.card["文件条款"]
    assert seen.card["标准编号"].startswith("beds-planned(预期性;")
    assert seen.card["分母"]
    assert "把握:确定" in seen.html
    assert matrix(seen)["selected"] == {"row": "beds-planned", "column": "赶水镇"}
    assert seen.scene["town"] == "赶水镇"
    assert list(seen.scene["shades"]) == ["赶水镇"]
    # the town's other shortages are one click away
    assert seen.tables["town-shortages"]["selected"] == "beds-planned"
    assert "beds-planned" in seen.rows("town-shortages")


def test_a_rule_alone_shows_the_district_and_its_towns():
    seen = Page("shortages", rule="beds-planned", **REAL)
    assert seen.card["街镇"] == "全区"
    short = {town for town, lack in lacking_beds().items() if lack and town}
    assert set(seen.rows("rule-towns")) == short
    assert len(seen.scene["shades"]) == 21


def test_unknown_is_said_to_be_unknown():
    seen = Page("shortages", town="石角镇", rule="ems-radius", **REAL)
    assert ">数据不足<" in seen.html
    assert "缺口" not in seen.card
    assert "现值" not in seen.card  # nobody knows the stations: 0 % would be a lie
    assert "未知" in seen.card["说明"]


def test_an_assumption_is_said_wherever_an_answer_rests_on_it():
    title = judging.assumptions()["ems-every-centre"].title
    seen = Page("shortages", town="石角镇", rule="ems-radius", assume=title, **REAL)
    assert seen.card["依据假定"] == title
    assert f"采用的假定:{title}" in seen.text
    assert matrix(seen)["corners"] == {"assumed": "依据假定"}
    # its circles are on the map
    assert seen.scene["coverage"]["zones"] == [{"radius": 10_000, "towns": ["石角镇"]}]


def test_a_figure_of_ones_own_is_marked_and_put_back():
    seen = Page("shortages", figures="doctors:0", **REAL, **{"judged-year": "2020"})
    assert rows(seen)["doctors"]["cells"][0][0] == "met"
    assert rows(seen)["doctors"]["sub"].startswith("自定值")
    assert "自定值的标准:每千人口执业(助理)医师" in seen.text
    seen.at.button(key="reset-figures").click()
    seen.run()
    assert rows(seen)["doctors"]["cells"][0][0] == "short"
    assert "自定值" not in seen.text


def test_a_gap_of_points_is_drawn_apart():
    seen = Page("shortages", town="石角镇", rule="highrise-hazards", demo="true", **{"judged-year": "2025"})
    assert seen.card["缺口"]
    assert any(one["label"].endswith(":短缺") for one in seen.scene["legend"])


def test_what_a_click_means(monkeypatch):
    picks = []
    monkeypatch.setattr(
        shortages, "show_matrix", lambda *_, on_pick, **__: on_pick(*picks) if picks else None
    )
    seen = Page("shortages", **REAL)

    def click(*what):
        picks[:] = what
        seen.run()
        picks.clear()
        seen.run()
        return {key: value for key, value in seen.at.query_params.items() if key in ("rule", "town")}

    assert click("beds-planned", "赶水镇") == {"rule": "beds-planned", "town": "赶水镇"}
    assert click(None, "石角镇") == {"town": "石角镇"}
    assert click("beds-planned", "全区") == {"rule": "beds-planned"}
    assert click("beds-planned", "街镇未详") == {}  # what is open already is closed


# ---- files -----------------------------------------------------------------------------------------


@pytest.fixture
def files(monkeypatch):
    def of(**query):
        offered = {}
        monkeypatch.setattr(
            st, "download_button", lambda label, data, **rest: offered.update({rest["file_name"]: data})
        )
        Page("shortages", **query)
        return {name.rsplit(".", 1)[1]: (name, make()) for name, make in offered.items()}

    return of


def test_the_list_is_taken_away_as_it_stands_on_the_page(files):
    made = files(department=["区卫生健康委", "区水利局"], answer="短缺", **REAL, **{"judged-year": "2025"})
    assert set(made) == {"xlsx", "csv", "geojson", "html"}
    assert made["xlsx"][0].startswith("綦江区_短板清单_2025年_")
    book = openpyxl.load_workbook(io.BytesIO(made["xlsx"][1]))
    assert book.sheetnames == ["说明", "区卫生健康委"]  # the other has no shortage
    sheet = book["区卫生健康委"]
    head = [one.value for one in sheet[1]]
    listed = {
        (row[head.index("标准编号")], row[head.index("街镇")]): row[head.index("缺口(至少)")]
        for row in sheet.iter_rows(min_row=2, values_only=True)
    }
    for town, lack in lacking_beds().items():
        assert listed.get(("beds-planned", town or "街镇未详"), 0) == lack
    about = json.loads(made["geojson"][1])["metadata"]
    assert about["filter"] == "部门:区卫生健康委、区水利局;结论:短缺"
    assert about["demo"] is False
    assert "未采用任何假定" in about["notice"]
    assert made["csv"][1].startswith(b"\xef\xbb\xbf")


def test_invented_answers_are_marked_in_files(files):
    made = files(demo="true")
    about = json.loads(made["geojson"][1])["metadata"]
    assert about["demo"] is True
    assert any("演示" in one for one in about["notice"])
    book = openpyxl.load_workbook(io.BytesIO(made["xlsx"][1]))
    assert "演示" in str(list(book["说明"].iter_rows(values_only=True)))
