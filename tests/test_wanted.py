"""What is missing: every grey answer a request, and a form that comes back filled in."""

from __future__ import annotations

import io
from datetime import date

import pandas as pd
import pytest
from openpyxl import load_workbook

from qjmap import wanted, wanted_files
from qjmap.assess import NOWHERE, WHOLE, assess
from qjmap.assumptions import load_assumptions
from qjmap.export import Metadata
from qjmap.registers import load_layer, load_table
from qjmap.rulebook import load_standards
from tests.conftest import town_name, write_layer

FIRST, SECOND, THIRD = (town_name(k) for k in range(3))
COMMON = """
unit = "个"
binding = "预期性"
wording = "应"
document = "plan"
department = "区某委"
source_status = "读过原文"
"""
EVERY = """
layers = ["health"]
kind = "attribute_share"
having = { fever_clinic = "有" }
figure = 100
"""
LIST = """
layers = []
kind = "presence"
per_unit = "district"
scope = "district"
figure = 1
needs = "某名单"
"""
HYDRANTS = """
layers = ["hydrants"]
kind = "presence"
per_unit = "town"
figure = 1
"""


def rule(key, body, clause="一"):
    return f'[rules.{key}]\ntitle = "标准{key}"\nclause = "{clause}"\n{COMMON}{body}\n'


def asked(district, rules, registers=(), estimates=None, year=2020):
    """Judge rules on registers of the grid, and list what is missing."""
    for key, rows in dict(registers).items():
        write_layer(district.root, key, rows)
    keys = {"hydrants", "health", *dict(registers)}
    layers = {key: load_layer(district, key) for key in keys}
    path = district.root / "standards.toml"
    path.write_text(rules, encoding="utf-8")
    standards = load_standards(path, district.registry, district.documents.index)
    found = assess(district, layers, standards, year)
    return found, wanted.requests(found, district, layers, standards, estimates)


def by_id(requests):
    return {one.id: one for one in requests}


def covered(found, requests):
    """Hold that every grey answer is on the list."""
    cells = set().union(*(one.cells for one in requests)) if requests else set()
    return cells == {(one.rule.id, one.town) for one in wanted.grey(found)}


# ---- from grey answers to requests ----------------------------------------------------------------


def test_a_blank_column_is_asked_for_record_by_record(grid_district):
    rows = [
        {"town": FIRST, "fever_clinic": "有"},
        {"town": SECOND, "fever_clinic": "未知"},
        {"town": SECOND},
        {"town": THIRD, "fever_clinic": "无"},
    ]
    found, requests = asked(grid_district, rule("r", EVERY), {"health": rows})
    (one,) = [request for request in requests if request.rules]
    assert (one.id, one.kind, one.layer) == ("health.fever_clinic", wanted.COLUMN, "health")
    assert one.department == "区卫生健康委"  # whose register it is, not whose rule
    assert [(blank.id, blank.town) for blank in one.blanks] == [("F2", SECOND), ("F3", SECOND)]
    assert one.towns == (SECOND,)
    assert one.cells == {("r", SECOND)}
    assert covered(found, requests)


def test_what_a_rule_does_not_count_is_not_asked_about(grid_district):
    text = EVERY + 'where = { kind = "卫生院" }\n'
    rows = [{"town": FIRST, "kind": "卫生院"}, {"town": FIRST, "kind": "区级医院"}]
    _, requests = asked(grid_district, rule("r", text), {"health": rows})
    assert [blank.id for blank in by_id(requests)["health.fever_clinic"].blanks] == ["F1"]


def test_what_is_only_planned_for_later_is_not_asked_about(grid_district):
    later = {"town": FIRST, "status": "规划", "year": 2025}
    rows = [{"town": FIRST}, later]
    for year, ids in ((2020, ["F1"]), (2025, ["F1", "F2"])):
        _, requests = asked(grid_district, rule("r", EVERY), {"health": rows}, year=year)
        assert [blank.id for blank in by_id(requests)["health.fever_clinic"].blanks] == ids


def test_a_facility_of_another_town_may_be_the_one_that_is_not_known(grid_district):
    text = 'kind = "radius"\nlayers = ["health"]\nwhere = { ems_station = "是" }\nfigure = 10\n'
    text = rule("r", text).replace('unit = "个"', 'unit = "米"')
    found, requests = asked(grid_district, text, {"health": [{"town": FIRST, "ems_station": "未知"}]})
    one = by_id(requests)["health.ems_station"]
    assert len(one.cells) == 9
    assert [blank.town for blank in one.blanks] == [FIRST]
    assert one.towns == (FIRST,)  # asked where the record is, not everywhere
    assert covered(found, requests)


def test_a_missing_register_and_a_missing_list(grid_district):
    rules = rule("a", HYDRANTS) + rule("b", HYDRANTS, "二") + rule("c", LIST)
    found, requests = asked(grid_district, rules, {"hydrants": []})
    register = by_id(requests)["register.hydrants"]
    assert (register.kind, register.department) == (wanted.REGISTER, "区消防救援支队")
    assert [one.id for one in register.rules] == ["a", "b"]
    assert len(register.cells) == 18  # nine towns, two rules; 全区 only sums them up
    assert len(register.towns) == 9
    listed = by_id(requests)["list.区某委.某名单"]
    assert (listed.what, listed.cells, listed.towns) == ("某名单", {("c", WHOLE)}, (WHOLE,))
    assert covered(found, requests)


def test_one_thing_that_several_rules_want_is_asked_once_and_first(grid_district):
    rules = rule("a", LIST) + rule("b", LIST.replace("某名单", "另一名单")) + rule("c", LIST)
    _, requests = asked(grid_district, rules)
    own = [one for one in requests if one.department == "区某委"]
    assert [(one.what, len(one.rules)) for one in own] == [("某名单", 2), ("另一名单", 1)]


def test_an_incomplete_register_is_asked_for_what_it_leaves_out(grid_district):
    text = rule("r", HYDRANTS + 'partial = "不含小区的"\n')
    found, requests = asked(grid_district, text, {"hydrants": [{"town": FIRST}]})
    assert by_id(requests)["list.partial.r"].what == "补全名册:不含小区的"
    assert covered(found, requests)


def test_records_without_a_place_are_asked_about_though_no_rule_waits_for_them(grid_district):
    _, requests = asked(grid_district, rule("c", LIST), {"health": [{"town": FIRST}, {}]})
    place = by_id(requests)["place.health"]
    assert (place.kind, place.rules, place.towns) == (wanted.PLACE, (), (NOWHERE,))
    assert [(blank.id, blank.column) for blank in place.blanks] == [("F2", "town")]


def test_who_gave_coordinates_is_asked_how_good_they_are(grid_district):
    text = rule("r", 'kind = "nearest"\nlayers = ["hydrants"]\nto = ["hydrants"]\nfigure = 120\n')
    rows = [
        {"town": FIRST, "lon": f"106.4{n}1234", "lat": "28.911234", **row}
        for n, row in enumerate([{}, {"position": "地址匹配", "error_m": 90_000}])
    ]
    _, requests = asked(grid_district, text.replace('unit = "个"', 'unit = "米"'), {"hydrants": rows})
    found = by_id(requests)
    assert [(one.id, one.column) for one in found["exact.hydrants"].blanks] == [("F2", "lon")]
    assert [(one.id, one.column) for one in found["known.hydrants"].blanks] == [("F1", "error_m")]
    (entry,) = wanted_files.entries(found["known.hydrants"], grid_district)
    assert (entry.item, entry.unit, entry.number, entry.least) == ("定位误差", "米", True, 0)


def test_what_is_only_estimated_is_asked_about(grid_district):
    estimates = pd.DataFrame(
        [
            {"id": "E1", "subject": "人口", "now": "估算", "needed": "分街镇人口", "department": "区统计局"}
            | {"per_town": "是", "unit": "人", "layer": None, "document": None, "clause": None},
            {"id": "E2", "subject": "界线", "now": "示意", "needed": "法定界线", "department": "区民政局"}
            | {"per_town": "否", "unit": None, "layer": None, "document": "plan", "clause": "一"},
        ]
    )
    _, requests = asked(grid_district, rule("c", LIST), estimates=estimates)
    people, line = by_id(requests)["review.E1"], by_id(requests)["review.E2"]
    assert (people.kind, len(people.towns), people.note) == (wanted.REVIEW, 9, "估算")
    assert (line.towns, line.document) == ((WHOLE,), "plan")


def test_nothing_grey_nothing_asked(grid_district):
    rows = [{"town": town_name(k), "fever_clinic": "有"} for k in range(9)]
    found, requests = asked(grid_district, rule("r", EVERY), {"health": rows})
    assert wanted.grey(found) == []
    assert requests == ()


# ---- choosing -------------------------------------------------------------------------------------


def test_a_choice_of_towns_cuts_requests_down(grid_district):
    rows = [{"town": FIRST}, {"town": SECOND}]
    found, requests = asked(grid_district, rule("r", EVERY) + rule("c", LIST), {"health": rows})
    cut = by_id(wanted.chosen(requests, wanted.Choice(towns=(SECOND,))))
    column = cut["health.fever_clinic"]
    assert column.towns == (SECOND,)
    assert [blank.id for blank in column.blanks] == ["F2"]
    assert column.cells == {("r", SECOND)}
    assert "list.区某委.某名单" in cut  # asked of the whole district, so of every town
    assert wanted.judged(found, (SECOND,)) == 2  # r in that town, and c for the district
    other = by_id(wanted.chosen(requests, wanted.Choice(towns=(THIRD,))))
    assert "health.fever_clinic" not in other


def test_a_choice_of_departments_and_layers(grid_district):
    rules = rule("r", EVERY) + rule("c", LIST)
    _, requests = asked(grid_district, rules, {"health": [{"town": FIRST}]})
    assert [one.id for one in wanted.chosen(requests, wanted.Choice(layers=("health",)))] == [
        "health.fever_clinic"
    ]
    chosen = wanted.chosen(requests, wanted.Choice(departments=("区某委",)))
    assert [one.id for one in chosen] == ["list.区某委.某名单"]
    words = wanted.Choice(("区某委",), (FIRST,), ("health",)).words({"health": "医疗"})
    assert words == f"部门:区某委;街镇:{FIRST};图层:医疗"
    assert wanted.Choice().words({}) == "全部"


# ---- the form -------------------------------------------------------------------------------------

ABOUT = Metadata(title="清单", when=date(2025, 1, 2))


def opened(requests, district):
    return load_workbook(io.BytesIO(wanted_files.workbook(requests, district, ABOUT)))


def offers(sheet, cell):
    """Give what a cell offers: type and formula."""
    return [
        (one.type, one.formula1, one.formula2)
        for one in sheet.data_validations.dataValidation
        if cell in one.sqref
    ]


def heads(sheet):
    return {cell.value: cell.column_letter for cell in sheet[1]}


def test_the_form_has_a_sheet_for_each_department_and_blanks_with_their_choices(grid_district):
    number = (
        'kind = "attribute_minimum"\nlayers = ["health"]\ncolumn = "public_health_physicians"\nfigure = 1\n'
    )
    rules = rule("r", EVERY) + rule("n", number) + rule("c", LIST)
    _, requests = asked(grid_district, rules, {"health": [{"town": FIRST, "name": "=1+1"}]})
    book = opened(requests, grid_district)
    assert book.sheetnames == ["说明", "区卫生健康委", "区某委"]
    assert "空白一律按“未知”处理" in book["说明"]["B2"].value
    sheet, at = book["区卫生健康委"], heads(book["区卫生健康委"])
    assert tuple(at) == wanted_files.COLUMNS
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref.startswith("A1:")
    rows = {sheet[f"{at['填报项目']}{row}"].value: row for row in (2, 3)}
    fever, staff = rows["发热门诊(诊室)"], rows["公共卫生医师"]
    assert offers(sheet, f"{at['填报内容']}{fever}") == [("list", '"有,无"', None)]  # 未知 is no answer
    assert offers(sheet, f"{at['填报内容']}{staff}") == [("whole", "0", "1000000000")]
    assert offers(sheet, f"{at['办理情况']}{staff}") == [
        ("list", '"已填报,已附资料,没有此类对象,正在收集"', None)
    ]
    for name in wanted_files.TO_FILL:
        cell = sheet[f"{at[name]}{fever}"]
        assert cell.value is None
        assert cell.fill.start_color.rgb == "FFFFF6D5"
    assert sheet[f"{at['涉及标准']}{fever}"].value == "标准r"
    assert sheet[f"{at['条款']}{fever}"].value == "方格区规划 一"
    name = sheet[f"{at['名称']}{fever}"]
    assert (name.value, name.data_type, name.quotePrefix) == ("=1+1", "s", True)


def test_every_township_answers_for_itself_only_where_it_is_asked(grid_district):
    own = LIST.replace('per_unit = "district"\nscope = "district"', 'per_unit = "town"')
    text = rule("a", own).replace("区某委", "各街镇") + rule("b", own.replace("某名单", "另一名单"))
    _, requests = asked(grid_district, text)
    book = opened(requests, grid_district)
    towns = book["各街镇"][heads(book["各街镇"])["街镇"]][1:]
    assert [cell.value for cell in towns] == [town_name(k) for k in range(9)]
    whole = book["区某委"][heads(book["区某委"])["街镇"]][1:]
    assert [cell.value for cell in whole] == [WHOLE]


def test_a_missing_register_comes_as_an_empty_one_to_fill_in(grid_district):
    _, requests = asked(grid_district, rule("a", HYDRANTS), {"hydrants": []})
    book = opened(requests, grid_district)
    sheet = book["名册 消火栓"]
    at = heads(sheet)
    assert sheet.max_row == 1
    assert not {"来源", "文件", "定位方式"} & set(at)
    assert offers(sheet, f"{at['街镇']}2")[0][1] == f'"{",".join(grid_district.towns.index)}"'
    assert offers(sheet, f"{at['使用状态']}301") == [("list", '"在用,报修,停用"', None)]
    assert offers(sheet, f"{at['使用状态']}302") == []
    assert offers(sheet, f"{at['口径(毫米)']}2") == [("whole", "50", "300")]
    kind, west, east = offers(sheet, f"{at['经度']}2")[0]
    assert (kind, float(west), float(east)) == (
        "decimal",
        pytest.approx(grid_district.settings.box[0]),
        pytest.approx(grid_district.settings.box[2]),
    )


def test_a_record_without_a_township_is_asked_for_one(grid_district):
    _, requests = asked(grid_district, rule("c", LIST), {"health": [{}]})
    sheet = opened(requests, grid_district)["区卫生健康委"]
    at = heads(sheet)
    assert sheet[f"{at['街镇']}2"].value in (None, "")
    assert offers(sheet, f"{at['填报内容']}2")[0][1].startswith(f'"{FIRST},')


# ---- 綦江 -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(qijiang):
    layers = {key: load_layer(qijiang, key, demo=False) for key in qijiang.registry.layers}
    path = qijiang.root / "data" / "standards.toml"
    standards = load_standards(path, qijiang.registry, list(qijiang.documents.index))
    known = load_assumptions(qijiang.root / "data" / "assumptions.toml", qijiang.registry)
    indicators, estimates = load_table(qijiang, "indicators"), load_table(qijiang, "estimates")

    def make(year, *assumed):
        taken = [known[one] for one in assumed]
        found = assess(qijiang, layers, standards, year, assumptions=taken, indicators=indicators)
        return found, wanted.requests(found, qijiang, layers, standards, estimates)

    return make


@pytest.mark.parametrize("year", [2020, 2025])
def test_no_grey_answer_is_left_without_a_request(real, year):
    found, requests = real(year)
    assert covered(found, requests)
    assert len({one.id for one in requests}) == len(requests)
    # nothing falls through to the last resort: every reason is one that can be asked for
    assert wanted.OTHER not in {one.kind for one in requests}
    assert wanted.judged(found) >= len(wanted.grey(found))
    assert all(one.department and one.what and one.towns for one in requests)


def test_the_departments_with_most_rules_waiting_come_first(real):
    _, requests = real(2020)
    departments = list(dict.fromkeys(one.department for one in requests))
    waiting = [
        len({rule.id for one in requests if one.department == name for rule in one.rules})
        for name in departments
    ]
    assert waiting == sorted(waiting, reverse=True)
    for name in departments:
        own = [len(one.rules) for one in requests if one.department == name]
        assert own == sorted(own, reverse=True)


def test_what_the_real_registers_lack(real):
    _, requests = real(2020)
    every = by_id(requests)
    fever = every["health.fever_clinic"]
    assert (len(fever.blanks), len(fever.cells)) == (23, 21)
    assert {"register.hydrants", "register.highrises", "register.micro_stations"} <= set(every)
    assert len(every["place.reservoirs"].blanks) == 5
    assert every["review.E01"].department == "区统计局"


def test_an_assumption_answers_the_rule_and_so_takes_the_request_off(real):
    found, requests = real(2020, "ems-every-centre")
    assert covered(found, requests)
    assert "health.ems_station" not in by_id(requests)
    assert "health.fever_clinic" in by_id(requests)


def test_every_row_of_the_real_form_can_be_filled_in(real, qijiang):
    _, requests = real(2025)
    book = opened(requests, qijiang)
    for request in requests:
        rows = wanted_files.entries(request, qijiang)
        assert rows
        assert all(row.item for row in rows)
    departments = list(dict.fromkeys(one.department for one in requests))
    assert book.sheetnames[1 : 1 + len(departments)] == departments
    for sheet in book.worksheets[1:]:
        for rule_ in sheet.data_validations.dataValidation:
            assert len(rule_.formula1) <= 257  # Excel refuses the file otherwise
    columns = heads(book["区卫生健康委"])
    assert all(cell.value for cell in book["区卫生健康委"][columns["需要什么"]])
