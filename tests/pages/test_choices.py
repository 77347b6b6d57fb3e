"""Choices change what is shown, and the figures are those that anybody gets from the files."""

import csv
import io
import json
import re

import numpy as np
import openpyxl
import pytest
import shapely
import streamlit as st
from visit import Page

from qjmap.district import ROOT
from qjmap.registers import load_layer
from qjmap.ui import downloads


def register(name):
    with (ROOT / "data" / "qijiang" / name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


HEALTH = register("health.csv")
IN_2020 = [row for row in HEALTH if row["status"] == "现状" or int(row["year"] or 9999) <= 2020]


def beds(rows, year):
    return sum(int(row[f"beds_{year}"] or 0) for row in rows)


# ---- figures, counted without the product -------------------------------------------------------


def test_beds_of_2020_are_the_sum_of_the_register():
    seen = Page("health")
    assert seen.figure("医疗卫生机构") == len(IN_2020)
    assert seen.figure("编制床位(2020年)") == beds(IN_2020, 2020)
    assert f"每千人 {beds(IN_2020, 2020) / 775.509:.2f} 张" in seen.figures["编制床位(2020年)"][1]
    known = sum(row["beds_2020"] != "" for row in IN_2020)
    assert f"{known} 家有数、{len(IN_2020) - known} 家未列" in seen.figures["编制床位(2020年)"][1]


def test_beds_of_2025_count_what_is_planned_by_then_and_the_people_of_then(qijiang):
    seen = Page("health", year="2025 规划")
    there = [row for row in HEALTH if row["status"] == "现状" or int(row["year"] or 9999) <= 2025]
    assert seen.figure("医疗卫生机构") == len(there)
    assert seen.figure("编制床位(2025年)") == beds(there, 2025)
    assert f"每千人 {beds(there, 2025) / qijiang.total(2025).total * 1000:.2f} 张" in seen.html
    assert "人口:2025年 825,000 人" in seen.text


def test_beds_of_a_town_stand_in_its_row_and_unknown_is_not_zero():
    rows = Page("health").rows("towns")
    for town, row in rows.items():
        known = [one["beds_2020"] for one in IN_2020 if one["town"] == town and one["beds_2020"] != ""]
        assert row["beds"] == (sum(map(int, known)) if known else None)
    assert len(rows) == 21


def test_coverage_is_what_shapely_gets_from_circles(qijiang):
    """The rule's 3.5 and 10 km less the error of each place, as unions of 256-sided circles."""
    seen = Page("health")
    frame = load_layer(qijiang, "health").frame
    frame = frame[frame["x"].notna() & ((frame["status"] == "现状") | (frame["year"] <= 2020))]
    shapes = qijiang.boundaries.geometry
    people = qijiang.towns["population_2020"]
    inside = outside = 0.0
    for town, shape in shapes.items():
        radius = 3500 if qijiang.towns.at[town, "setting"] == "城区" else 10_000
        for sign in (-1, 1):
            reach = np.maximum(radius + sign * frame["error_m"].to_numpy(float), 0)
            union = shapely.union_all(
                shapely.buffer(shapely.points(frame["x"], frame["y"]), reach, quad_segs=64)
            )
            share = shapely.area(shapely.intersection(union, shape)) / shape.area
            if sign < 0:
                inside += share * people[town]
            else:
                outside += (1 - share) * people[town]
    assert seen.figure("未覆盖人口") == pytest.approx(outside, abs=600)
    assert seen.figure("覆盖人口") == pytest.approx(inside / people.sum() * 100, abs=0.06)
    rows = seen.rows("towns").values()
    assert sum(row["people_uncovered"] for row in rows) == pytest.approx(outside, rel=1e-3)
    # the parts are the whole
    parts = (
        seen.figure("未覆盖人口") + seen.figure("可能覆盖人口") + seen.figure("覆盖人口") / 100 * people.sum()
    )
    assert parts == pytest.approx(people.sum(), abs=1500)


def test_known_capacity_of_reservoirs():
    rows = register("reservoirs.csv")
    seen = Page("reservoirs")
    assert seen.figure("水库") == len(rows)
    known = [float(row["capacity_wan_m3"]) for row in rows if row["capacity_wan_m3"]]
    assert seen.figure("已知总库容") == pytest.approx(sum(known), abs=0.5)
    assert f"{len(rows) - len(known)} 座资料未载" in seen.figures["已知总库容"][1]
    assert seen.figure("规划、在建") == sum(row["status"] in ("规划", "在建") for row in rows)


def test_buildings_within_reach_of_a_hydrant_in_use(qijiang):
    seen = Page("highrise")
    buildings = load_layer(qijiang, "highrises").frame
    hydrants = load_layer(qijiang, "hydrants").frame
    hydrants = hydrants[hydrants["service"].isin(["在用", "未知"]) | hydrants["service"].isna()]
    between = np.hypot(
        buildings["x"].to_numpy()[:, None] - hydrants["x"].to_numpy(),
        buildings["y"].to_numpy()[:, None] - hydrants["y"].to_numpy(),
    )
    slack = buildings["error_m"].to_numpy()[:, None] + hydrants["error_m"].to_numpy()
    assert seen.figure("在范围内") == (between + slack <= 150).any(axis=1).sum()
    assert seen.figure("不在范围内") == (between - slack > 150).all(axis=1).sum()
    assert seen.figure("未整改隐患") == buildings["hazards_open"].sum()


def test_the_overview_has_the_districts_own_totals(qijiang):
    seen = Page("overview")
    assert seen.figure("街镇") == 21
    assert seen.figure("常住人口(2020)") == pytest.approx(775_509, abs=500)
    assert seen.figures["每千人口医疗卫生机构编制床位数"][0] == "6.39 张"
    rows = seen.rows("towns")
    assert sum(row["people"] for row in rows.values()) == 775_509
    assert sum(row["n_emergency_teams"] for row in rows.values()) == 21
    # least first, unknown last
    rates = [row["rate_2020"] for row in rows.values()]
    known = [rate for rate in rates if rate is not None]
    assert rates == sorted(known) + [None] * (len(rates) - len(known))


# ---- choices ------------------------------------------------------------------------------------


def test_a_kind_changes_the_count_and_the_marks():
    seen = Page("health")
    seen.at.multiselect(key="health-kind").select("中心卫生院")
    seen.run()
    rows = [row for row in IN_2020 if row["kind"] == "中心卫生院"]
    assert seen.figure("医疗卫生机构") == len(rows)
    assert seen.figure("编制床位(2020年)") == beds(rows, 2020)
    assert len(seen.scene["layers"][0]["names"]) == len([row for row in rows if row["town"]])
    seen.at.multiselect(key="health-kind").unselect("中心卫生院")
    assert seen.run().figure("医疗卫生机构") == len(IN_2020)


def test_towns_bound_the_tables_and_not_whom_a_facility_serves():
    whole = Page("health").rows("towns")
    seen = Page("health", **{"health-towns": ["石角镇", "东溪镇"]})
    rows = seen.rows("towns")
    assert set(rows) == {"石角镇", "东溪镇"}
    assert seen.figure("医疗卫生机构") == sum(row["town"] in rows for row in IN_2020)
    # circles from beyond the line still serve the town
    assert {town: row["people_uncovered"] for town, row in rows.items()} == {
        town: whole[town]["people_uncovered"] for town in rows
    }
    assert {town for zone in seen.scene["coverage"]["zones"] for town in zone["towns"]} == set(rows)


def test_a_name_in_the_address_is_sought():
    seen = Page("health", **{"health-q": "中医"})
    assert seen.figure("医疗卫生机构") == sum("中医" in row["name"] for row in IN_2020)
    assert Page("health", **{"health-q": "c22"}).figure("医疗卫生机构") == 1


def test_a_range_leaves_out_what_has_no_number_and_says_so():
    seen = Page("health")
    seen.at.selectbox(key="health-by").set_value("beds_2020")
    seen.run()
    known = [row for row in IN_2020 if row["beds_2020"] != ""]
    assert seen.figure("医疗卫生机构") == len(known)
    missing = sum(row["beds_2020"] == "" for row in HEALTH)
    assert f"{missing} 条记录没有此项数值" in seen.at.sidebar.caption[0].value
    seen.at.slider(key="health-beds_2020").set_range(20, 100)
    seen.run()
    assert seen.figure("医疗卫生机构") == sum(20 <= int(row["beds_2020"]) <= 100 for row in known)


def test_nothing_left_says_why_and_what_to_do():
    seen = Page("health", **{"health-q": "没有这样的名称<b>"})
    assert seen.figure("医疗卫生机构") == 0
    assert "没有符合筛选条件的记录" in seen.text
    assert "名称含“没有这样的名称<b>”" in seen.text  # as text, not as a tag
    assert "请放宽左侧条件" in seen.text
    assert "未覆盖人口" not in seen.figures  # nothing chosen is not nothing there


def test_what_is_not_wanted_is_not_drawn():
    seen = Page("health", **{"health-show": ["覆盖"]})
    assert seen.scene["coverage"]["show"] == {"covered": True, "possible": False, "gap": False}
    assert not seen.scene["layers"][0]["visible"]
    assert [entry["label"] for entry in seen.scene["legend"]] == ["覆盖"]


def test_the_choice_of_layers_on_the_overview_is_what_is_drawn():
    seen = Page("overview", layers=["水库", "街镇应急救援队伍"])
    assert {one["key"] for one in seen.scene["layers"]} == {"reservoirs", "emergency_teams"}


def test_what_towns_are_shaded_by_orders_the_table():
    seen = Page("overview", shade="人口(2020)")
    assert len(seen.scene["shades"]) == 21
    assert seen.scene["legend"][-1]["fill"] in seen.scene["shades"].values()
    people = [row["people"] for row in seen.rows("towns").values()]
    assert people == sorted(people)
    assert Page("overview", shade="不着色").scene["shades"] == {}


# ---- a person's own figure ----------------------------------------------------------------------


def test_a_changed_radius_says_so_until_it_is_set_back():
    seen = Page("health")
    before = seen.figures
    assert "自定值" not in seen.html
    assert not seen.at.sidebar.button
    seen.at.number_input(key="health-ems-radius-rural").set_value(5000)
    seen.run()
    assert '<span class="qj-custom">自定值</span>' in seen.html
    assert "农村 5,000 米" in seen.text
    assert seen.figure("未覆盖人口") > 1e4
    assert [zone["radius"] for zone in seen.scene["coverage"]["zones"]] == [3500, 5000]
    (reset,) = seen.at.sidebar.button
    assert reset.label == "恢复文件数值"
    reset.click()
    seen.run()
    assert seen.figures == before
    assert "自定值" not in seen.html
    assert seen.at.number_input(key="health-ems-radius-rural").value == 10_000
    assert not seen.at.sidebar.button


def test_a_changed_radius_in_the_address_says_so_too_on_every_page_of_the_rule():
    seen = Page("health", figures="ems-radius:2000/8000")
    assert '<span class="qj-custom">自定值</span>' in seen.html
    assert [zone["radius"] for zone in seen.scene["coverage"]["zones"]] == [2000, 8000]
    assert seen.at.number_input(key="health-ems-radius-urban").value == 2000


@pytest.mark.parametrize(
    "text", ["", "ems-radius", "ems-radius:", "ems-radius:很远", "a:1,b:2", "ems-radius:-5/nan", ","]
)
def test_figures_in_an_address_that_cannot_be_read_are_left_aside(text):
    seen = Page("health", figures=text)
    assert "自定值" not in seen.html
    assert [zone["radius"] for zone in seen.scene["coverage"]["zones"]] == [3500, 10_000]


def test_a_radius_without_a_rule_is_a_persons_own():
    seen = Page("fire_water", **{"hydrants-layer": "消防水池与取水点"})
    assert "未覆盖人口" not in seen.figures
    assert "文件没有给这个图层规定半径" in seen.text
    seen.at.selectbox(key="fire_ponds-rule").set_value("自定半径")
    seen.run()
    assert "没有文件依据" in seen.text
    assert '<span class="qj-custom">自定值</span>' in seen.html
    assert "未覆盖人口" in seen.figures


def test_a_layer_that_nobody_is_served_by_has_no_radius():
    seen = Page("health", **{"health-layer": "卫生重大工程项目"})
    assert "不按半径计算覆盖" in seen.text
    assert seen.scene["coverage"] is None


def test_a_layer_without_a_documents_radius_has_none_until_a_person_sets_it():
    seen = Page("reservoirs")
    assert "文件没有给这个图层规定半径" in seen.text
    assert seen.scene["coverage"] is None
    seen = Page("reservoirs", **{"reservoirs-rule": "自定半径", "reservoirs-own": "2000"})
    assert "服务半径 2,000 米" in seen.text
    assert "没有文件依据" in seen.text
    assert {zone["radius"] for zone in seen.scene["coverage"]["zones"]} == {2000}
    assert 'qj-short"' not in seen.html  # no rule: nothing is called short


def test_the_overview_filters_and_draws_one_layer_as_its_own_page_does():
    plain = Page("overview")
    assert plain.scene["coverage"] is None
    assert plain.scene["shades"]
    seen = Page("overview", focus="医疗卫生机构", **{"health-towns": ["东溪镇"]})
    assert "院前急救服务半径" in seen.text
    assert seen.scene["shades"] == {}  # a colour means one thing
    assert [zone["towns"] for zone in seen.scene["coverage"]["zones"] if zone["towns"]] == [["东溪镇"]]
    own = Page("health", **{"health-towns": ["东溪镇"]})
    assert seen.figure("未覆盖人口") == own.figure("未覆盖人口")


# ---- files to take away -------------------------------------------------------------------------


@pytest.fixture
def files(monkeypatch):
    """Make the files of a page: label → (name, bytes)."""
    offered = {}

    def download_button(label, data, *, file_name, **_):
        offered[label] = (file_name, data)

    monkeypatch.setattr(downloads.st, "download_button", download_button)

    def make(page, **query):
        offered.clear()
        Page(page, **query)
        return {label: (name, data()) for label, (name, data) in offered.items()}

    return make


def test_files_hold_what_was_chosen_and_say_so(files):
    made = files("health", **{"health-towns": ["石角镇"]}, figures="ems-radius:3500/5000")
    name, data = made["设施(GeoJSON)"]
    facilities = json.loads(data)
    wanted = [row["name"] for row in IN_2020 if row["town"] == "石角镇"]
    assert [one["properties"]["名称"] for one in facilities["features"]] == wanted
    assert name.startswith("綦江区_医疗卫生机构_设施_")
    about = facilities["metadata"]
    assert "石角镇" in about["filter"]
    assert "自定值" in about["standard"]
    assert "农村 5000 米" in about["standard"]
    assert about["demo"] is False
    gap = json.loads(made["未覆盖范围(GeoJSON)"][1])
    (feature,) = gap["features"]
    assert feature["properties"]["名称"] == "石角镇"
    assert feature["properties"]["服务半径(米)"] == 5000
    parts = [
        json.loads(made[f"{what}范围(GeoJSON)"][1])["features"][0]["properties"]
        for what in ("覆盖", "可能覆盖", "未覆盖")
    ]
    for share in ("占本街镇面积", "占本街镇人口"):
        assert sum(part[share] for part in parts) == pytest.approx(1, abs=2e-4)


def test_the_workbook_is_the_table_on_the_page_and_the_records(files):
    seen = Page("health")
    _, data = files("health")["表格(Excel)"]
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.sheetnames == ["说明", "分街镇", "医疗卫生机构"]
    towns = [row[0] for row in book["分街镇"].iter_rows(min_row=2, values_only=True)]
    assert towns == list(seen.rows("towns"))
    assert book["医疗卫生机构"].max_row == len(IN_2020) + 1


def test_invented_records_are_marked_in_files(files):
    made = files(
        "fire_stations", **{"fire_stations-layer": "微型消防站"}, **{"micro_stations-rule": "自定半径"}
    )
    for label, (_, data) in made.items():
        if "GeoJSON" in label:
            about = json.loads(data)["metadata"]
            assert about["demo"] is True, label
            assert any("演示" in notice for notice in about["notice"])
    book = openpyxl.load_workbook(io.BytesIO(made["表格(Excel)"][1]))
    assert "演示" in str(list(book["说明"].iter_rows(values_only=True)))
    assert all(row[0].startswith("D-") for row in book["微型消防站"].iter_rows(min_row=2, values_only=True))


def test_every_list_of_the_sources_can_be_taken_away(monkeypatch):
    offered = []
    monkeypatch.setattr(
        st, "download_button", lambda label, data, **rest: offered.append((rest["file_name"], data))
    )
    Page("sources")
    assert len(offered) >= 5
    for name, data in offered:
        assert name.endswith(".xlsx")
        assert len(openpyxl.load_workbook(io.BytesIO(data())).sheetnames) == 2


# ---- from page to page --------------------------------------------------------------------------


def go(seen, page):
    """Follow the navigation: the session goes along, the page's own choices stay behind."""
    seen.at.switch_page(f"pages/{page}.py")
    return seen.run()


def test_a_persons_figure_goes_along_and_is_put_back_everywhere():
    seen = Page("health")
    seen.at.number_input(key="health-ems-radius-rural").set_value(5000)
    seen.run()
    go(seen, "reservoirs")
    assert '<span class="qj-custom">' not in seen.html  # no rule of reservoirs was changed
    go(seen, "health")
    assert seen.at.number_input(key="health-ems-radius-rural").value == 5000
    assert '<span class="qj-custom">自定值</span>' in seen.html
    seen.at.sidebar.button[0].click()
    seen.run()
    go(seen, "overview")
    assert '<span class="qj-custom">' not in go(seen, "health").html


@pytest.mark.parametrize("page", ["overview", "health", "highrise", "reservoirs"])
def test_every_figure_says_what_it_rests_on(page):
    helps = re.findall(r'<div class="qj-figure[^"]*" title="([^"]*)"', Page(page).html)
    assert helps
    if page != "overview":  # its first two are the district's size, not a rate
        assert all(helps)
    told = [one for one in helps if "标准 " in one]
    assert told or page == "reservoirs"
    assert all("《" in one and "分母" in one for one in told)
