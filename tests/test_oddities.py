"""What is possible but odd in a list is told where it helps, and once: a clerk who sees thirty warnings reads none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from qjmap import _advice, draft
from qjmap.errors import Problem
from tests.test_draft import HEAD, prepared, table
from tests.test_towns_by_place import at


@pytest.fixture
def land(grid_district):
    return draft.surroundings(grid_district)


def told(made: draft.Draft, expected: str) -> list[tuple]:
    """Where and what of the warnings that expect something."""
    return [(one.row, one.value, one.advice) for one in made.warnings if expected in one.expected]


# ---- places near schematic lines -------------------------------------------------------------------


def beyond(district, *metres: float) -> list[dict[str, str]]:
    """Rows that say 戊镇 (whose east line is at 5 km) and lie that far beyond it, a kilometre apart."""
    return [{"街镇": "戊镇", **at(district, 5000 + m, -4000 + 1000 * n)} for n, m in enumerate(metres)]


def test_what_a_rough_line_may_be_off_is_told_once_for_all_and_what_is_more_in_its_row(grid_district, land):
    made = prepared(table(*beyond(grid_district, 60, 150, 400, 6000)), grid_district, land)
    near, far = told(made, "坐标所在的街镇")
    assert near[:2] == (None, "3 行")
    assert "不到 401 米,界线本身可能差 500 米以上" in near[2]
    assert far == (5, "戊镇", "坐标在己镇(示意界线),距所写街镇 6,000 米;请核对坐标或街镇")


def test_the_places_own_error_counts_too(grid_district, land):
    rows = [{**row, "定位误差": "300"} for row in beyond(grid_district, 700, 750, 900)]
    made = prepared(table(*rows, head=f"{HEAD},定位误差"), grid_district, land)
    assert [one[:2] for one in told(made, "坐标所在的街镇")] == [(None, "2 行"), (4, "戊镇")]


def test_one_alone_is_told_in_its_row_and_official_lines_are_right(grid_district, land):
    made = prepared(table(*beyond(grid_district, 60)), grid_district, land)
    assert [one[:2] for one in told(made, "坐标所在的街镇")] == [(2, "戊镇")]
    official = replace(land, ground=replace(land.ground, official=True))
    made = prepared(table(*beyond(grid_district, 60, 150)), grid_district, official)
    assert [one[0] for one in told(made, "坐标所在的街镇")] == [2, 3]


def test_just_outside_the_district_is_told_once_too(grid_district, land):
    rows = [at(grid_district, -15_000 - m, 0) for m in (50, 90, 900)]
    made = prepared(table(*rows, head=HEAD.replace(",街镇", "")), grid_district, land)
    assert [one[:2] for one in told(made, "本区范围内")] == [(None, "2 行"), (4, made.warnings[-1].value)]


# ---- what documents say of kinds -------------------------------------------------------------------


def listed(district, land, key: str, *rows: dict[str, str]) -> draft.Draft:
    """Rows of a layer without places."""
    head = ["编号", "名称", "街镇", "状态", *rows[0]]
    filled = [{"街镇": "戊镇", **row} for row in rows]
    return prepared(table(*filled, head=",".join(head)), district, land, key)


@pytest.mark.parametrize(
    ("kind", "volume", "said"),
    [
        ("小(一)型", "1.5", "请核对类别、数值与单位"),
        ("中型", "150", "按此数应属小(一)型"),
        ("小(二)型", "150", "按此数应属小(一)型"),
        ("大型", "15", "按此数应属小(二)型"),
        ("大型", "2.01", "若是 2.01 亿立方米,应写 20,100 万立方米"),
        ("小(一)型", "1000000", None),  # no volume of any reservoir here: told as unusual, once
    ],
)
def test_a_reservoir_whose_volume_is_not_of_its_size_is_warned_of(grid_district, land, kind, volume, said):
    made = listed(grid_district, land, "reservoirs", {"类别": kind, "总库容": volume})
    (warning,) = made.warnings
    assert len(made.frame) == 1, "it may be kept"
    assert (warning.row, warning.column) == (2, "总库容")
    if said is None:
        assert warning.expected.startswith("通常在")
    else:
        assert f"{kind}的总库容为" in warning.expected
        assert "SL 252" in warning.expected
        assert said in warning.advice


def test_volumes_at_the_limits_and_sizes_that_nobody_knows_pass(grid_district, land):
    pairs = [
        ("大型", "10000"),
        ("中型", "1000"),
        ("小(一)型", "1000"),
        ("小(二)型", "10"),
        ("小型", "999"),
        ("未知", "3"),
    ]
    rows = [{"类别": kind, "总库容": volume} for kind, volume in [*pairs, ("中型", "")]]
    assert listed(grid_district, land, "reservoirs", *rows).warnings == ()


def test_high_rises_are_as_high_as_their_kind_and_no_more_is_open_than_was_found(grid_district, land):
    row = {"类别": "高层住宅建筑", "建筑高度": "54", "层数": "18", "查出隐患": "2", "未整改隐患": "2"}
    low = {**row, "建筑高度": "25", "层数": "8"}
    many = {**row, "未整改隐患": "5"}
    public = {**low, "类别": "高层公共建筑", "建筑高度": "24"}
    made = listed(grid_district, land, "highrises", row, low, many, public, {**row, "查出隐患": ""})
    height, hazards = made.warnings
    assert (height.row, height.column, height.value) == (3, "建筑高度", "25")
    assert "高层住宅建筑的建筑高度为不小于 27 米" in height.expected
    assert height.advice == "请核对类别、数值与单位"
    assert (hazards.row, hazards.column, hazards.expected) == (4, "未整改隐患", "不大于查出隐患")
    assert hazards.advice == "查出隐患只有 2 处;请核对两列"


def test_what_the_registry_says_of_kinds_names_a_document_that_is_listed(qijiang):
    limits = [one for spec in qijiang.registry.layers.values() for one in spec.by_kind.values()]
    assert limits
    assert {one.document for one in limits} <= set(qijiang.documents.index)


# ---- units ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "column", "value", "said"),
    [
        ("reservoirs", "坝高", "2500", "若是 2,500 厘米,应写 25 米"),
        ("fire_ponds", "吸水高度", "300", "若是 300 厘米,应写 3 米"),
        ("fire_ponds", "吸水高度", "5000", "若是 5,000 毫米,应写 5 米"),
        ("reservoirs", "总库容", "1500000", "若是 1,500,000 立方米,应写 150 万立方米"),
    ],
)
def test_the_unit_that_is_named_is_the_one_by_which_a_number_is_most_usual(
    grid_district, land, key, column, value, said
):
    kind = grid_district.registry.spec(key).kinds[-1]
    (warning,) = listed(grid_district, land, key, {"类别": kind, column: value}).warnings
    assert said in warning.advice


@pytest.mark.parametrize(
    ("stated", "said"),
    [("108", "若是 108 公顷,应写 1.08 平方千米"), ("1620", "若是 1,620 亩,应写 1.08 平方千米")],
)
def test_the_unit_that_agrees_with_what_is_measured_goes_first(grid_district, land, stated, said):
    lon, lat = grid_district.projection.to_degrees(
        np.array([0.0, 1200, 1200, 0]), np.array([0.0, 0, 902, 902])
    )
    ring = ", ".join(f"{a:.7f} {b:.7f}" for a, b in [*zip(lon, lat, strict=True), (lon[0], lat[0])])
    row = {"类别": "淹没区", "面积": stated, "图形": f"POLYGON (({ring}))"}
    made = listed(grid_district, land, "reservoir_zones", row)
    assert said in told(made, "通常在")[0][2]


# ---- people of villages ----------------------------------------------------------------------------


def people(district, land, *numbers: str) -> draft.Draft:
    """A list of a town's villages; 戊镇 has 5,000 people in 5 villages."""
    rows = [f"{900 + n},村{n},1,戊镇,{one}" for n, one in enumerate(numbers)]
    return prepared("\n".join(["编码,村名,乡镇代码,街镇,人口", *rows]).encode(), district, land, "villages")


def test_villages_that_have_many_times_the_people_of_their_town_are_told_in_one_line(grid_district, land):
    (warning,) = people(grid_district, land, "20000", "21000", "22000").warnings
    assert (warning.row, warning.column, warning.value) == (None, "人口", "戊镇 3 行合计 63,000 人")
    assert "5,000 人的 0.5~2 倍" in warning.expected
    assert "12.6 倍" in warning.advice
    assert people(grid_district, land, *["1900"] * 5).warnings == ()
    assert people(grid_district, land, "200").warnings == (), "of one village nobody knows"
    (warning,) = people(grid_district, land, *["200"] * 5).warnings
    assert "0.2 倍" in warning.advice


def test_broken_numbers_of_people_are_probably_tens_of_thousands(grid_district, land):
    advice = [one.advice for one in people(grid_district, land, "0.2", "1.25", "0.20005").problems]
    assert advice[:2] == [
        "单位是否写错:若是 0.2 万人,应写 2,000 人",
        "单位是否写错:若是 1.25 万人,应写 12,500 人",
    ]
    assert advice[2] == "请只填数字;不知道的留空"


# ---- years and days ---------------------------------------------------------------------------------


def test_what_stands_was_not_built_in_a_year_to_come(grid_district, land):
    coming = str(date.today().year + 3)
    rows = [{"年份": coming}, {"年份": coming, "状态": "规划"}, {"年份": f"{coming}年"}, {"年份": "2020"}]
    made = prepared(table(*rows), grid_district, land)
    assert [(row, value) for row, value, _ in told(made, "不晚于")] == [(2, coming), (4, coming)]


def test_no_approval_is_of_a_day_to_come(grid_district, land):
    rows = [{"类别": "淹没区", "批准日期": day} for day in ("2119-06-05", "2019-06-05", "")]
    made = prepared(
        table(*rows, head="编号,名称,街镇,状态,类别,批准日期"), grid_district, land, "reservoir_zones"
    )
    assert [one.row for one in made.warnings if one.column == "批准日期"] == [2]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("2019-06-31", "只取年份;没有6月31日,请核对"),
        ("2019年2月29日", "只取年份;没有2月29日,请核对"),
        ("2019.13", "只取年份;没有13月,请核对"),
        ("2019-06-30 00:00", "只取年份"),
        ("2019年底", "只取年份"),
        ("20190605", "只取年份"),
    ],
)
def test_a_year_is_taken_out_of_a_day_and_a_day_that_is_none_is_told(grid_district, land, written, why):
    made = prepared(table({"年份": written}), grid_district, land)
    (repair,) = [one for one in made.repairs if one.column == "年份"]
    assert (repair.new, repair.why) == ("2019", why)


@pytest.mark.parametrize(
    ("written", "said"), [("43831", "Excel 的日期序号(2020-01-01);若是,应写 2020"), ("20191332", "请改写")]
)
def test_numbers_of_days_of_excel_are_said_to_be_so(grid_district, land, written, said):
    (fault,) = prepared(table({"年份": written}), grid_district, land).problems
    assert said in fault.advice


# ---- what a cell should not hold --------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        "业主代表13912345678",
        "139-1234-5678",
        "找他 139 1234 5678",
        "身份证510222197001011234",
        "51022219700101123X",
    ],
)
def test_numbers_of_people_in_a_column_that_everybody_sees_are_told(grid_district, land, said):
    made = prepared(table({"备注": said}, {"备注": "2019年建"}), grid_district, land)
    ((row, value, advice),) = told(made, "不含手机号码")
    assert (row, value) == (2, said)
    assert "“浏览”也看得到" in advice


@pytest.mark.parametrize(
    "said",
    [
        "023-48612345",
        "500110001001",
        "113912345678901",
        "91500110MA5U000000",
        "2019060512",
        "12345678901234567890",
    ],
)
def test_other_numbers_are_nobodys(grid_district, land, said):
    assert told(prepared(table({"备注": said}), grid_district, land), "不含手机号码") == []


def test_many_such_rows_are_told_together_and_sensitive_columns_may_hold_them(grid_district, land):
    rows = [{"备注": "13912345678", "联系电话": "13912345678"}] * 5
    made = prepared(table(*rows, head=f"{HEAD},联系电话"), grid_district, land)
    assert [one[:2] for one in told(made, "不含手机号码")] == [(None, "5 行,如第 2 行、第 3 行、第 4 行")]


# ---- coordinates ------------------------------------------------------------------------------------


def test_a_nought_that_excel_drops_is_no_lack_of_digits(grid_district, land):
    rows = [{"经度": "106.51"}, {"经度": "106.51", "纬度": "29.01"}]
    assert [one[0] for one in told(prepared(table(*rows), grid_district, land), "至少四位小数")] == [3, 3]


@pytest.mark.parametrize(
    ("cell", "advice"),
    [
        ("(106.5012,29.0012)(106.5013,29.0013)", "这一格像有不止一个点:请只留一个"),
        ("106.5012,29.0012;106.5013,29.0013", "这一格像有不止一个点:请只留一个"),
        ("https://uri.amap.com/marker?position=106.5012,29.0012", "这是网址:请只填经度、纬度两个数"),
    ],
)
def test_a_cell_that_holds_no_one_point_is_quoted_whole_once_and_said_what_it_is(
    grid_district, land, cell, advice
):
    rows = [{"经纬度": f"106.5{n:02d}012,29.001234"} for n in range(4)]
    head = HEAD.replace(",经度,纬度", ",经纬度")
    made = prepared(table(*rows, {"经纬度": cell}, head=head), grid_district, land)
    (fault,) = made.problems
    assert (fault.row, fault.column, fault.value, fault.advice) == (6, "经纬度", cell, advice)
    assert len(made.frame) == 4


def test_what_is_said_of_errors_counts_the_rows_that_are_kept(grid_district, land):
    rows = [{}, {"经度": "6", "纬度": "9"}]
    made = prepared(table(*rows), grid_district, land)
    (note,) = [one for one in made.notes if "没有写误差" in one]
    assert note.startswith("1 行“表载坐标”没有写误差")
    assert note.endswith("最大 30 米")


@pytest.mark.parametrize(("said", "number"), [("200L", "0.2"), ("2万方", "20000")])
def test_a_cell_that_says_its_unit_is_not_told_another(grid_district, land, said, number):
    made = listed(
        grid_district,
        land,
        "fire_ponds",
        {"类别": "消防水池", "容量": said},
        {"类别": "消防水池", "容量": number},
    )
    (own, bare) = [one for one in made.warnings if one.column == "容量"]
    assert (own.value, own.advice) == (number, "请核对")
    assert "单位是否写错" in bare.advice


def test_a_feature_without_a_shape_is_told_so(qijiang):
    column = qijiang.registry.layers["reservoir_zones"].columns["geometry"]
    missing = Problem("a.geojson", 3, "geometry", "空白", "填写图形(必填)")
    assert _advice.advise(missing, column, (), there=False).startswith("没有图形:个别要素缺的,请补画或删去")
