"""The list of what is short: order, choice, sums and files, on a tiny district with known answers."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from datetime import date

import openpyxl
import pandas as pd
import pytest
import shapely

from qjmap import export, portrait, shortlist, shortlist_files
from qjmap.assess import MET, NOT_APPLICABLE, NOWHERE, SHORT, UNKNOWN, WHOLE, Assessment, assess
from qjmap.assumptions import Assumption
from qjmap.district import District
from qjmap.registers import load_layer
from qjmap.rulebook import load_standards
from tests.conftest import town_name, write_layer

FIRST, SECOND, THIRD, LAST = (town_name(k) for k in (0, 1, 2, 8))
TOWNS = [town_name(k) for k in range(9)]
ABOUT = export.Metadata("方格区短板清单", date(2026, 11, 22))

RULES = """
[rules.met]
title = "每街镇一所医院"
kind = "presence"
layers = ["health"]
where = { kind = "区级医院" }
per_unit = "town"
figure = 1
unit = "所"
binding = "约束性"
wording = "应"
document = "plan"
clause = "一"
department = "区卫生健康委"
source_status = "读过原文"

[rules.unknown]
title = "每街镇一个急救网点"
kind = "presence"
layers = ["health"]
where = { ems_station = "是" }
per_unit = "town"
figure = 1
unit = "个"
binding = "约束性"
wording = "应"
document = "plan"
clause = "二"
department = "区卫生健康委"
source_status = "读过原文"

[rules.wanted]
title = "每街镇一支消防队"
kind = "presence"
layers = ["fire_stations"]
per_unit = "town"
figure = 1
unit = "支"
binding = "预期性"
wording = "应"
document = "plan"
clause = "=三"
department = "区消防救援支队"
source_status = "读过原文"

[rules.binding]
title = "每街镇一家卫生院"
kind = "presence"
layers = ["health"]
where = { kind = "卫生院" }
per_unit = "town"
except_towns = ["丙镇"]
figure = 1
unit = "家"
binding = "约束性"
wording = "应"
document = "plan"
clause = "四"
department = "区卫生健康委"
source_status = "读过原文"
note = "村卫生室不算"

[rules.district]
title = "全区十所医院"
kind = "presence"
layers = ["health"]
where = { kind = "区级医院" }
per_unit = "district"
scope = "district"
figure = 10
unit = "所"
binding = "预期性"
wording = "宜"
document = "plan"
clause = "五"
department = "区卫生健康委"
source_status = "读过原文"

[rules.near]
title = "高层150米内有消火栓"
kind = "nearest"
layers = ["highrises"]
to = ["hydrants"]
figure = 150
unit = "米"
counter = "栋"
binding = "预期性"
wording = "应"
document = "plan"
clause = "六"
department = "区消防救援支队"
source_status = "读过原文"
"""


def place(district: District, x: float, y: float) -> dict[str, object]:
    lon, lat = district.projection.to_degrees(x, y)
    known = {"position": "实测", "error_m": 0}
    return {"lon": f"{float(lon):.9f}", "lat": f"{float(lat):.9f}", **known}


@pytest.fixture
def found(grid_district: District) -> Assessment:
    """9 hospitals, clinics in the first two towns, brigades in the first only, one high-rise far from water."""
    root = grid_district.root
    health = [{"town": town, "kind": "区级医院", "ems_station": "未知"} for town in TOWNS]
    health += [{"town": town, "kind": "卫生院", "ems_station": "否"} for town in (FIRST, SECOND)]
    write_layer(root, "health", health)
    write_layer(root, "fire_stations", [{"town": FIRST}], demo=True)
    # in the middle of the first town; the hydrant 1 km east of it
    write_layer(root, "highrises", [{"town": FIRST, **place(grid_district, -10_000, -10_000)}])
    write_layer(root, "hydrants", [{"town": FIRST, **place(grid_district, -9_000, -10_000)}])
    return judge(grid_district)


def judge(district: District, **options: object) -> Assessment:
    path = district.root / "standards.toml"
    path.write_text(RULES, encoding="utf-8")
    standards = load_standards(path, district.registry, district.documents.index)
    keys = ("health", "fire_stations", "highrises", "hydrants")
    layers = {key: load_layer(district, key) for key in keys}
    return assess(district, layers, standards, 2020, **options)  # type: ignore[arg-type]


# ---- order and choice ------------------------------------------------------------------------------


def test_what_is_short_comes_first_and_among_it_what_binds(found: Assessment) -> None:
    lines = shortlist.lines(found)
    # binding; then 应 before 宜, and among 应 the more people; unknown; met
    assert [line.rule.id for line in lines] == ["binding", "wanted", "near", "district", "unknown", "met"]
    status = {line.rule.id: line.status for line in lines}
    assert status == {
        **dict.fromkeys(("binding", "wanted", "near", "district"), SHORT),
        "unknown": UNKNOWN,
        "met": MET,
    }
    by_id = {line.rule.id: line for line in lines}
    assert by_id["binding"].short_towns() == 6  # nine but the first two and the one excepted
    assert by_id["district"].short_towns() == 0
    assert by_id["district"].district_only
    assert [one.status for one in by_id["district"].towns] == [NOT_APPLICABLE] * 9
    assert by_id["near"].layers == ("highrises", "hydrants")


def test_towns_worst_first(found: Assessment) -> None:
    order = shortlist.worst_first(shortlist.lines(found), TOWNS)
    # two shortages: the six towns without clinic and brigade, most people first
    assert order[:6] == [town_name(k) for k in (8, 7, 6, 5, 4, 3)]
    # one shortage each: by people (the first town is short by its high-rise, of nobody knows how many)
    assert order[6:] == [THIRD, SECOND, FIRST]
    counts = shortlist.shortages_by_town(shortlist.lines(found), [*TOWNS, NOWHERE])
    assert (counts[LAST], counts[SECOND], counts[THIRD], counts[FIRST], counts[NOWHERE]) == (2, 1, 1, 1, 0)


def test_a_choice_leaves_rules_out_and_says_so(found: Assessment, grid_district: District) -> None:
    lines = shortlist.lines(found)

    def kept(**choice: object) -> list[str]:
        return [line.rule.id for line in lines if shortlist.Choice(**choice).keeps(line)]  # type: ignore[arg-type]

    assert len(kept()) == 6
    assert kept(departments=("区消防救援支队",)) == ["wanted", "near"]
    assert kept(statuses=(MET, UNKNOWN)) == ["unknown", "met"]
    assert kept(layers=("hydrants",)) == ["near"]
    assert kept(text=" 村卫生室 ") == ["binding"]  # the note
    assert kept(text="NEAR") == ["near"]
    assert kept(text="不存在") == []
    choice = shortlist.Choice(("区卫生健康委",), (SHORT,), ("health",), "床")
    said = choice.words(grid_district.registry)
    assert said == "部门:区卫生健康委;结论:短缺;图层:医疗卫生机构;标准含“床”"
    assert shortlist.Choice().words(grid_district.registry) == "全部"


# ---- sums ------------------------------------------------------------------------------------------


def test_sums_count_nobody_twice(found: Assessment) -> None:
    sums = shortlist.totals(shortlist.lines(found))
    assert sums.number == 6
    assert (sums.rules[SHORT], sums.rules[UNKNOWN], sums.rules[MET]) == (4, 1, 1)
    assert (sums.binding[SHORT], sums.binding[UNKNOWN], sums.binding[MET]) == (1, 1, 1)
    # towns 4 to 9 have 8,000 to 18,000 people
    assert sums.people_binding == sum(range(8_000, 19_000, 2_000)) == 78_000
    # the district's own shortage touches all 90,000, the towns' together but 88,000
    assert sums.people == 90_000


def test_nobody_short_is_nobody_and_unknown_people_are_unknown(found: Assessment) -> None:
    lines = {line.rule.id: line for line in shortlist.lines(found)}
    assert shortlist.people_affected([]) == 0
    assert shortlist.people_affected([lines["met"], lines["unknown"]]) == 0
    assert math.isnan(shortlist.people_affected([lines["near"]]))
    # a known number is not lost beside an unknown one
    assert shortlist.people_affected([lines["near"], lines["binding"]]) == 78_000


def test_records_without_a_town_have_their_own_answer(grid_district: District, found: Assessment) -> None:
    highrises = [{"town": FIRST, **place(grid_district, -9_000, -10_000)}, {}]
    write_layer(grid_district.root, "highrises", highrises)
    line = next(one for one in shortlist.lines(judge(grid_district)) if one.rule.id == "near")
    assert line.findings[NOWHERE].status == UNKNOWN
    assert len(line.towns) == 9


# ---- files -----------------------------------------------------------------------------------------


def test_the_table_holds_real_numbers_and_who_says_so(found: Assessment, grid_district: District) -> None:
    answers = shortlist_files.answers(shortlist.lines(found))
    table = shortlist_files.table(answers, found, grid_district)
    assert NOT_APPLICABLE not in set(table["结论"])
    assert list(table["结论"].drop_duplicates()) == [SHORT, UNKNOWN, MET]
    row = table[(table["标准编号"] == "binding") & (table["街镇"] == LAST)].iloc[0]
    assert (row["现有"], row["应有"], row["缺口(至少)"], row["单位"]) == (0, 1, 1, "家")
    assert row["影响人口(人)"] == 18_000
    assert (row["文件"], row["条款"], row["条文核对"]) == ("方格区规划", "四", "读过原文")
    assert (row["约束性"], row["演示数据"], row["采用的假定"]) == ("约束性", "否", "无")
    assert set(table[table["标准编号"] == "wanted"]["演示数据"]) == {"含演示"}
    # what has no bound is blank, not a word
    assert not table.map(lambda value: isinstance(value, float) and not math.isfinite(value)).any().any()
    only = shortlist_files.answers(shortlist.lines(found), (UNKNOWN,))
    assert {one.rule.id for one in only} == {"unknown"}


def test_the_workbook_has_a_sheet_per_department(found: Assessment, grid_district: District) -> None:
    rows = shortlist_files.table(shortlist_files.answers(shortlist.lines(found)), found, grid_district)
    about = shortlist_files.describe(found, ABOUT)
    book = openpyxl.load_workbook(io.BytesIO(shortlist_files.workbook(rows, about, demo=True)))
    assert book.sheetnames == ["说明", "区卫生健康委", "区消防救援支队"]
    for name in book.sheetnames[1:]:
        sheet = book[name]
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref.startswith("A1:")
        head = [cell.value for cell in sheet[1]]
        assert {cell.value for cell in sheet["A"][1:]} == {name}
        assert {"文件", "条款", "依据"} <= set(head)
        gap = head.index("缺口(至少)")
        assert all(isinstance(row[gap].value, int | float | None) for row in sheet.iter_rows(min_row=2))
    assert sum(book[name].max_row - 1 for name in book.sheetnames[1:]) == len(rows)
    # a clause that looks like a formula is text
    clause = [cell.value for cell in book["区消防救援支队"][1]].index("条款")
    cell = book["区消防救援支队"].cell(2, clause + 1)
    assert (cell.value, cell.data_type) == ("=三", "s")
    said = "\n".join(str(row[1]) for row in book["说明"].iter_rows(values_only=True))
    assert "6条标准,2020年" in said
    assert "演示" in said
    csv = pd.read_csv(io.BytesIO(export.to_csv(rows)), encoding="utf-8-sig", dtype=str)
    assert "'=三" in set(csv["条款"])


def test_a_list_without_rows_is_still_a_file(found: Assessment, grid_district: District) -> None:
    rows = shortlist_files.table([], found, grid_district)
    book = openpyxl.load_workbook(io.BytesIO(shortlist_files.workbook(rows, ABOUT, demo=False)))
    assert book.sheetnames == ["说明", "短板清单"]
    assert json.loads(shortlist_files.geojson([], found, grid_district, ABOUT))["features"] == []


def test_gaps_go_out_as_geometry_and_say_what_they_rest_on(
    found: Assessment, grid_district: District
) -> None:
    answers = shortlist_files.answers(shortlist.lines(found))
    about = shortlist_files.describe(found, ABOUT)
    data = json.loads(shortlist_files.geojson(answers, found, grid_district, about))
    features = {(f["properties"]["标准编号"], f["properties"]["街镇"]): f for f in data["features"]}
    assert {one["properties"]["结论"] for one in data["features"]} == {SHORT}
    # every town's shortage, and the district's own, but no sums of towns
    assert len(features) == 6 + 8 + 1 + 1
    assert ("district", WHOLE) in features
    assert ("binding", WHOLE) not in features
    gap = shapely.from_geojson(json.dumps(features["near", FIRST]["geometry"]))
    x, y = grid_district.projection.to_metres(gap.geoms[0].x, gap.geoms[0].y)
    assert (float(x), float(y)) == pytest.approx((-10_000, -10_000), abs=0.1)
    assert features["binding", LAST]["geometry"] is None
    about_file = data["metadata"]
    assert about_file["demo"] is True
    assert about_file["without_geometry"] == len(features) - 1
    assert "未采用任何假定" in about_file["notice"]
    assert "均为文件数值" in about_file["standard"]


def test_assumptions_and_own_figures_go_into_files(grid_district: District, found: Assessment) -> None:
    taken = Assumption("all-ems", "区级医院都是急救网点", "health", "ems_station", "是")
    changed = judge(grid_district, assumptions=[taken], custom={"binding": 2})
    lines = shortlist.lines(changed)
    table = shortlist_files.table(shortlist_files.answers(lines), changed, grid_district)
    assert set(table[table["标准编号"] == "unknown"]["采用的假定"]) == {"区级医院都是急救网点"}
    assert set(table[table["标准编号"] == "binding"]["数值来源"]) == {"自定值"}
    assert set(table[table["标准编号"] == "met"]["数值来源"]) == {"文件数值"}
    own = [line.rule for line in lines if line.rule.custom]
    about = shortlist_files.describe(changed, ABOUT, own)
    assert "自定值:每街镇一家卫生院[binding]:每街镇2家" in about.standard
    assert "采用的假定:区级医院都是急救网点[all-ems]" in about.notices


# ---- one town --------------------------------------------------------------------------------------


def test_a_towns_sheet_tells_what_it_has_lacks_and_waits_for(
    found: Assessment, grid_district: District
) -> None:
    lines = shortlist.lines(found)
    assert [one.rule.id for one in portrait.short(lines, LAST)] == ["binding", "wanted"]
    (waiting,) = portrait.unknown(lines, LAST).items()
    assert [rule.id for rule in waiting[1]] == ["unknown"]
    assert [one.rule.id for one in portrait.answered(lines, LAST, MET)] == ["met"]
    layers = {key: load_layer(grid_district, key) for key in ("health", "fire_stations", "reservoirs")}
    health, brigades, lakes = portrait.holdings(layers, FIRST)
    assert (health.count, health.demo, health.what) == (2, 0, "设施1、设施10")
    # invented names are not worth a line
    assert (brigades.count, brigades.demo, brigades.what) == (1, 1, "国家综合性消防救援站 1")
    assert lakes.empty


def test_many_records_are_counted_by_kind(grid_district: District) -> None:
    rows = [{"town": FIRST, "kind": "市政消火栓"}] * 7 + [{"town": FIRST, "kind": "小区消火栓"}] * 3
    write_layer(grid_district.root, "hydrants", rows)
    (one,) = portrait.holdings({"hydrants": load_layer(grid_district, "hydrants")}, FIRST)
    assert (one.count, one.what) == (10, "市政消火栓 7、小区消火栓 3")


def test_what_names_no_town_may_be_in_any(grid_district: District) -> None:
    write_layer(grid_district.root, "hydrants", [{"town": FIRST}, {"lon": "106.5", "lat": "29.0"}, {}])
    layers = {"hydrants": load_layer(grid_district, "hydrants")}
    ((here,), (there,)) = (portrait.holdings(layers, town) for town in (FIRST, LAST))
    assert (here.count, here.unsaid, there.count, there.unsaid) == (1, 2, 0, 2)


def test_neighbours_share_a_border(grid_district: District) -> None:
    # towns that touch at a corner count too; the one in the middle touches all
    assert portrait.neighbours(grid_district, FIRST) == [town_name(k) for k in (1, 3, 4)]
    assert len(portrait.neighbours(grid_district, town_name(4))) == 8
    bare = replace(grid_district, boundaries=grid_district.boundaries.iloc[:0])
    assert portrait.neighbours(bare, FIRST) == []
