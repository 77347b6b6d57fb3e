"""Rules applied: every kind on a tiny invented district with a known answer, then 綦江's own registers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qjmap.assess import (
    CERTAIN,
    FORBIDDEN,
    FREE,
    INDICATOR,
    MET,
    NOT_APPLICABLE,
    NOWHERE,
    POSSIBLE,
    SHORT,
    TO_CHECK,
    UNKNOWN,
    WHOLE,
    Assessment,
    assess,
    reproduce,
    site_status,
)
from qjmap.assumptions import load_assumptions
from qjmap.district import ROOT, District, load_district
from qjmap.errors import UnknownKeyError
from qjmap.registers import Layer, load_layer, load_table
from qjmap.rulebook import load_standards
from qjmap.standards import Standards
from tests.conftest import GRID_KEY, town_name, write_grid, write_layer

Rows = Iterable[Mapping[str, object]]
FIRST, SECOND, THIRD, MIDDLE, LAST = (town_name(k) for k in (0, 1, 2, 4, 8))


def rules_of(district: District, text: str) -> Standards:
    """Read rules; each gets what every rule must say."""
    common = 'unit = "个"\nbinding = "预期性"\nwording = "应"\ndocument = "plan"\nclause = "一"\n'
    common += 'department = "区某委"\nsource_status = "读过原文"\ntitle = "样例"\n'
    given = [line.split(" = ")[0] for line in text.split("[zones.")[0].splitlines()]
    kept = [line for line in common.splitlines() if line.split(" = ")[0] not in given]
    path = district.root / "standards.toml"
    path.write_text(text.replace("[rules.r]\n", "[rules.r]\n" + "\n".join(kept) + "\n"), encoding="utf-8")
    return load_standards(path, district.registry, district.documents.index)


def judged(
    district: District,
    text: str,
    registers: Mapping[str, Rows],
    year: int = 2020,
    *,
    demo: Mapping[str, Rows] | None = None,
    **options: object,
) -> Assessment:
    """Judge one rule, r, on the given registers."""
    for key, rows in registers.items():
        write_layer(district.root, key, rows)
    for key, rows in (demo or {}).items():
        write_layer(district.root, key, rows, demo=True)
    keys = {*registers, *(demo or {})}
    layers = {key: load_layer(district, key) for key in keys}
    standards = rules_of(district, "[rules.r]\n" + text.strip() + "\n")
    return assess(district, layers, standards, year, **options)  # type: ignore[arg-type]


def at(district: District, x: float, y: float) -> dict[str, object]:
    """Give the coordinates of a place in metres, for a row."""
    lon, lat = district.projection.to_degrees(x, y)
    return {"lon": f"{float(lon):.9f}", "lat": f"{float(lat):.9f}"}


# ---- presence --------------------------------------------------------------------------------------

ONE_EACH = """
kind = "presence"
layers = ["health"]
where = { kind = "卫生院" }
per_unit = "town"
figure = 1
"""


def test_presence_met_short_and_the_sum(grid_district: District) -> None:
    rows = [
        {"town": FIRST, "kind": "卫生院"},
        {"town": FIRST, "kind": "卫生院"},
        {"town": SECOND, "kind": "区级医院"},
    ]
    found = judged(grid_district, ONE_EACH, {"health": rows})
    assert found.row("r", FIRST).status == MET
    second = found.row("r", SECOND)
    assert (second.status, second.shortfall, second.people, second.certainty) == (SHORT, 1, 4000, CERTAIN)
    whole = found.row("r")
    assert (whole.status, whole.have, whole.need, whole.shortfall) == (SHORT, 2, 9, 8)
    assert whole.people == 90_000 - 2_000


def test_an_empty_register_proves_nothing(grid_district: District) -> None:
    found = judged(grid_district, ONE_EACH, {"health": []})
    assert {one.status for one in found} == {UNKNOWN}
    assert "医疗卫生机构" in found.row("r", FIRST).reason


def test_a_record_of_unknown_kind_is_neither_met_nor_short(grid_district: District) -> None:
    text = ONE_EACH.replace('kind = "卫生院"', 'ems_station = "是"')
    rows = [{"town": FIRST, "ems_station": "是"}, {"town": SECOND, "ems_station": "未知"}]
    rows += [{"town": THIRD, "ems_station": "否"}, {"town": MIDDLE}]
    found = judged(grid_district, text, {"health": rows})
    status = {town: found.row("r", town).status for town in (FIRST, SECOND, THIRD, MIDDLE)}
    assert status == {FIRST: MET, SECOND: UNKNOWN, THIRD: SHORT, MIDDLE: UNKNOWN}
    assert found.row("r", SECOND).certainty == POSSIBLE
    assert found.row("r", SECOND).shortfall_most == 1


def test_presence_per_village_and_for_some_towns_only(grid_district: District) -> None:
    text = ONE_EACH.replace('"town"', '"village"') + f'towns = ["{THIRD}", "{MIDDLE}"]\n'
    rows = [{"town": THIRD, "kind": "卫生院"} for _ in range(3)] + [{"town": MIDDLE, "kind": "卫生院"}]
    found = judged(grid_district, text, {"health": rows})
    assert found.row("r", THIRD).status == MET  # 3 villages, 3 clinics
    assert found.row("r", MIDDLE).shortfall == 4  # 5 villages, 1 clinic
    assert found.row("r", FIRST).status == NOT_APPLICABLE
    assert (found.row("r").need, found.row("r").shortfall) == (8, 4)


def test_planned_records_count_from_their_year_and_say_so(grid_district: District) -> None:
    rows = [{"town": FIRST, "kind": "卫生院", "status": "规划", "year": 2025}]
    rows += [
        {"town": SECOND, "kind": "卫生院", "status": "规划"},
        {"town": THIRD, "kind": "卫生院", "status": "未知"},
    ]
    before = judged(grid_district, ONE_EACH, {"health": rows}, 2020)
    assert [before.row("r", one).status for one in (FIRST, SECOND, THIRD)] == [SHORT, UNKNOWN, UNKNOWN]
    after = judged(grid_district, ONE_EACH, {"health": rows}, 2025)
    assert after.row("r", FIRST).status == MET
    assert after.row("r", FIRST).planned
    assert not after.row("r", MIDDLE).planned


def test_demo_records_never_pass_for_real(grid_district: District) -> None:
    text = ONE_EACH.replace("health", "fire_stations").replace("卫生院", "志愿消防队")
    rows = [{"town": FIRST, "kind": "志愿消防队"}]
    found = judged(grid_district, text, {}, demo={"fire_stations": rows})
    assert found.row("r", FIRST).status == MET
    assert all(one.demo for one in found)
    real = assess(
        grid_district,
        {"fire_stations": load_layer(grid_district, "fire_stations", demo=False)},
        rules_of(grid_district, "[rules.r]\n" + text),
        2020,
    )
    assert {one.status for one in real} == {UNKNOWN}
    assert not any(one.demo for one in real)


# ---- per head --------------------------------------------------------------------------------------

BEDS = """
kind = "per_capita"
layers = ["health"]
value = { 2020 = "beds_2020", 2025 = "beds_2025" }
figure = 2
per = 1000
baseline_year = 2020
unit = "张"
"""


def test_beds_per_thousand(grid_district: District) -> None:
    rows = [{"town": town_name(k), "beds_2020": 4 * (k + 1), "beds_2025": 0} for k in range(8)]
    rows += [{"town": LAST, "beds_2020": 30}]  # 18,000 people want 36
    found = judged(grid_district, BEDS, {"health": rows})
    assert [found.row("r", town_name(k)).status for k in range(8)] == [MET] * 8
    last = found.row("r", LAST)
    assert (last.status, last.need, last.shortfall, last.people) == (SHORT, 36, 6, 18_000)
    assert last.value == pytest.approx(30 / 18)
    assert "2020年常住人口18,000人" in last.base_text
    assert "估算" in last.base_text
    whole = found.row("r")
    assert (whole.have, whole.need, whole.shortfall, whole.base) == (174, 180, 6, 90_000)
    assert whole.value == pytest.approx(174 / 90)


def test_the_year_chooses_the_column_and_the_people(grid_district: District) -> None:
    rows = [{"town": town_name(k), "beds_2020": 100, "beds_2025": 1} for k in range(9)]
    assert judged(grid_district, BEDS, {"health": rows}, 2024).row("r").status == MET
    later = judged(grid_district, BEDS, {"health": rows}, 2030)
    assert later.row("r").have == 9
    assert later.row("r").planned
    assert not judged(grid_district, BEDS, {"health": rows}, 2020).row("r").planned
    assert judged(grid_district, BEDS, {"health": rows}, 2015).row("r").base == 45_000  # the census of 2010


def test_blank_numbers_are_not_nought(grid_district: District) -> None:
    rows = [
        {"town": FIRST, "beds_2020": 1},
        {"town": FIRST},
        {"town": SECOND, "beds_2020": 8},
        {"town": SECOND},
    ]
    found = judged(grid_district, BEDS, {"health": rows})
    assert found.row("r", FIRST).status == UNKNOWN
    assert (found.row("r", FIRST).have, found.row("r", FIRST).shortfall_most) == (1, 3)
    assert found.row("r", SECOND).status == MET  # 4,000 people want 8: the blank can only add


def test_a_district_figure_does_not_judge_towns_and_offsets_them(grid_district: District) -> None:
    rows = [{"town": FIRST, "beds_2020": 170}, {"beds_2020": 10}]  # one bed-house without a town
    found = judged(grid_district, BEDS + 'scope = "district"\n', {"health": rows})
    assert {one.status for one in found.of_rule("r")[:-1]} == {NOT_APPLICABLE}
    assert found.row("r", FIRST).have == 170
    assert (found.row("r").status, found.row("r").have) == (MET, 180)


def test_a_register_known_to_be_partial_cannot_prove_a_shortage(grid_district: District) -> None:
    text = BEDS + 'scope = "district"\npartial = "不含民营"\n'
    assert judged(grid_district, text, {"health": [{"beds_2020": 5}]}).row("r").status == UNKNOWN
    assert judged(grid_district, text, {"health": [{"beds_2020": 500}]}).row("r").status == MET


def test_documents_own_figure_answers_for_the_district(grid_district: District) -> None:
    text = (
        BEDS
        + 'scope = "district"\npartial = "不含民营"\nindicator = "I1"\nindicator_total = "I2"\ntarget_year = 2025\n'
    )
    indicators = pd.DataFrame(
        {"id": ["I1", "I2"], "value_2020": [1.5, 135.0], "value_2025": [2.0, math.nan]},
    )
    rows = {"health": [{"beds_2020": 5}]}
    whole = judged(grid_district, text, rows, indicators=indicators).row("r")
    assert (whole.status, whole.source, whole.value, whole.have, whole.shortfall) == (
        SHORT,
        INDICATOR,
        1.5,
        135,
        45,
    )
    # a target for 2025 without a planned total is no evidence that it will be met
    assert judged(grid_district, text, rows, 2025, indicators=indicators).row("r").status == UNKNOWN
    indicators.loc[1, "value_2025"] = 180.0
    later = judged(grid_district, text, rows, 2025, indicators=indicators).row("r")
    assert (later.status, later.planned) == (MET, True)


def test_stations_per_built_up_area_need_the_built_up_area(grid_district: District) -> None:
    text = """
kind = "per_capita"
layers = ["fire_stations"]
of = "built_up_km2"
figure = 1
per = 7
"""
    rows = {"fire_stations": [{"town": FIRST}]}
    assert judged(grid_district, text, rows).row("r", FIRST).status == UNKNOWN
    zone = shapely.box(-15_000, -15_000, -15_000 + 7_000, -15_000 + 2_000)  # 14 km² of the first town
    known = judged(grid_district, text, rows, zones={"built_up": zone})
    assert known.row("r", FIRST).need == pytest.approx(2, rel=1e-6)
    assert known.row("r", FIRST).shortfall == pytest.approx(1, rel=1e-5)
    assert known.row("r", SECOND).status == MET  # nothing is built up there


# ---- attributes ------------------------------------------------------------------------------------

FEVER = """
kind = "attribute_share"
layers = ["health"]
where = { kind = "卫生院" }
having = { fever_clinic = "有" }
figure = 100
unit = "%"
counter = "家"
"""


def clinics(town: str | None, *states: str, column: str = "fever_clinic") -> list[dict[str, object]]:
    return [{"town": town or "", "kind": "卫生院", column: one} for one in states]


def test_share_of_records(grid_district: District) -> None:
    rows = clinics(FIRST, "有", "有") + clinics(SECOND, "有", "无", "未知") + clinics(THIRD, "有", "未知")
    found = judged(grid_district, FEVER, {"health": rows})
    assert (found.row("r", FIRST).status, found.row("r", FIRST).value) == (MET, 100)
    second = found.row("r", SECOND)
    assert (second.status, second.shortfall, second.shortfall_most, second.unit) == (SHORT, 1, 2, "家")
    assert found.row("r", THIRD).status == UNKNOWN
    assert found.row("r", MIDDLE).status == NOT_APPLICABLE
    whole = found.row("r")
    assert (whole.have, whole.need, whole.base, whole.shortfall) == (4, 7, 7, 1)


def test_half_is_enough_when_half_is_asked(grid_district: District) -> None:
    text = FEVER.replace("100", "50") + 'scope = "district"\n'
    rows = clinics(FIRST, "有", "有") + clinics(SECOND, "无", "未知")
    assert judged(grid_district, text, {"health": rows}).row("r").status == MET
    rows = clinics(FIRST, "有") + clinics(SECOND, "无", "无")
    assert judged(grid_district, text, {"health": rows}).row("r").shortfall == 1  # two of three


def test_records_without_a_town_count_for_the_district(grid_district: District) -> None:
    found = judged(grid_district, FEVER, {"health": clinics(FIRST, "有") + clinics(None, "无")})
    assert found.row("r", NOWHERE).shortfall == 1
    assert (found.row("r").status, found.row("r").base, found.row("r").shortfall) == (SHORT, 2, 1)


def test_share_of_towns_and_of_villages(grid_district: District) -> None:
    of_towns = (
        'kind = "attribute_share"\nlayers = ["health"]\nof = "towns"\nfigure = 50\nscope = "district"\n'
    )
    rows = [{"town": town_name(k)} for k in (0, 0, 1, 2, 3)]
    found = judged(grid_district, of_towns, {"health": rows}).row("r")
    assert (found.status, found.have, found.need, found.shortfall) == (SHORT, 4, 5, 1)
    of_villages = of_towns.replace("towns", "villages").replace("50", "10")
    rows = [{"town": THIRD, "village": one} for one in ("一村", "一村", "二村")]
    found = judged(grid_district, of_villages, {"health": rows}).row("r")
    assert (found.have, found.need) == (2, 5)  # 10 % of 45 villages, rounded up


STAFF = """
kind = "attribute_minimum"
layers = ["health"]
column = "child_health_doctors"
figure = 2
unit = "人"
"""


def test_minimum_of_every_record(grid_district: District) -> None:
    column = "child_health_doctors"
    rows = [
        {"town": FIRST, column: 2},
        {"town": FIRST, column: 5},
        {"town": SECOND, column: 0},
        {"town": SECOND},
    ]
    rows += [{"town": THIRD}]
    found = judged(grid_district, STAFF, {"health": rows})
    assert found.row("r", FIRST).status == MET
    second = found.row("r", SECOND)
    # one lacks two; the other may lack two more; a surplus elsewhere helps nobody
    assert (second.status, second.shortfall, second.shortfall_most) == (SHORT, 2, 4)
    assert found.row("r", THIRD).status == UNKNOWN
    assert (found.row("r").shortfall, found.row("r").status) == (2, SHORT)
    counted = judged(grid_district, STAFF + 'count = "records"\n', {"health": rows}).row("r", SECOND)
    assert (counted.shortfall, counted.shortfall_most, counted.unit) == (1, 2, "个")


def test_one_column_against_another(grid_district: District) -> None:
    text = STAFF.replace(
        'column = "child_health_doctors"\nfigure = 2', 'column = "beds_2020"\nfigure_column = "beds_2025"'
    )
    rows = [
        {"town": FIRST, "beds_2020": 10, "beds_2025": 15},
        {"town": FIRST, "beds_2020": 9, "beds_2025": 3},
    ]
    rows += [{"town": SECOND, "beds_2020": 9}]
    found = judged(grid_district, text, {"health": rows})
    assert (found.row("r", FIRST).shortfall, found.row("r", FIRST).have, found.row("r", FIRST).need) == (
        5,
        19,
        18,
    )
    assert found.row("r", SECOND).status == UNKNOWN


# ---- distance --------------------------------------------------------------------------------------

RADIUS = """
kind = "radius"
layers = ["health"]
figure = { urban = 1000, rural = 2000 }
unit = "米"
"""


def test_radius_area_people_and_gap(grid_district: District) -> None:
    rows = [{"town": FIRST}, {"town": MIDDLE}]  # at the seats, known to 100 m
    found = judged(grid_district, RADIUS, {"health": rows})
    first, middle, empty = (found.row("r", one) for one in (FIRST, MIDDLE, THIRD))
    assert middle.have == pytest.approx(math.pi * 1.9**2, rel=1e-4)
    assert middle.shortfall == pytest.approx(100 - math.pi * 2.1**2, rel=1e-4)
    assert middle.shortfall_most == pytest.approx(100 - math.pi * 1.9**2, rel=1e-4)
    assert middle.people == pytest.approx(10_000 * (1 - math.pi * 2.1**2 / 100), rel=1e-4)
    assert first.have == pytest.approx(math.pi * 0.9**2, rel=1e-4)  # a street: the urban radius
    assert (empty.shortfall, empty.people) == (pytest.approx(100, rel=1e-6), pytest.approx(6000, rel=1e-6))
    gap = found.gap("r", MIDDLE)
    assert gap is not None
    assert gap.area / 1e6 == pytest.approx(middle.shortfall, rel=1e-3)
    whole = found.row("r")
    towns = [one for one in found if one.town != WHOLE]
    assert whole.shortfall == pytest.approx(math.fsum(one.shortfall for one in towns))
    assert whole.people == pytest.approx(math.fsum(one.people for one in towns))
    assert sum(1 for _ in found.gaps()) == 9


def test_radius_that_hinges_on_the_errors_of_position_is_unknown(grid_district: District) -> None:
    half_diagonal = 5000 * math.sqrt(2)
    text = RADIUS.replace("1000", f"{half_diagonal:.0f}").replace("2000", f"{half_diagonal:.0f}")
    middle = judged(grid_district, text, {"health": [{"town": MIDDLE}]}).row("r", MIDDLE)
    assert (middle.status, middle.certainty, middle.shortfall) == (UNKNOWN, POSSIBLE, 0)
    assert middle.shortfall_most > 0
    wide = RADIUS.replace("2000", "7400")
    assert judged(grid_district, wide, {"health": [{"town": MIDDLE}]}).row("r", MIDDLE).status == MET


def test_a_facility_without_a_position_may_fill_a_gap_of_its_own_size(grid_district: District) -> None:
    rows = [{"town": MIDDLE}, {}]
    found = judged(grid_district, RADIUS.replace("2000", "5900"), {"health": rows})
    assert found.row("r", MIDDLE).status == UNKNOWN  # what is bare there is less than a disc
    assert found.row("r", THIRD).status == UNKNOWN
    small = judged(grid_district, RADIUS, {"health": rows})
    assert small.row("r", THIRD).status == SHORT  # 100 km² are more than one disc of 2 km
    assert small.row("r", THIRD).shortfall == pytest.approx(100 - math.pi * 4, rel=1e-6)


def test_facilities_that_may_not_be_any_leave_the_radius_unknown(grid_district: District) -> None:
    text = RADIUS + 'where = { ems_station = "是" }\n'
    rows = [{"town": MIDDLE, "ems_station": "是"}, {"town": FIRST, "ems_station": "未知"}]
    found = judged(grid_district, text, {"health": rows})
    assert {one.status for one in found} == {UNKNOWN}
    assert math.isnan(found.row("r", MIDDLE).shortfall)


def test_minutes_are_no_circle_and_built_up_land_must_be_known(grid_district: District) -> None:
    rows = {"health": [{"town": MIDDLE}]}
    assert "直线圆" in judged(grid_district, RADIUS.replace("米", "分钟"), rows).row("r", MIDDLE).reason
    text = RADIUS + 'within = "built_up"\n'
    assert "建成区" in judged(grid_district, text, rows).row("r", MIDDLE).reason
    zone = shapely.box(-500, -500, 500, 500)
    found = judged(grid_district, text, rows, zones={"built_up": zone})
    assert found.row("r", MIDDLE).status == MET
    assert found.row("r", FIRST).status == NOT_APPLICABLE


NEAREST = """
kind = "nearest"
layers = ["highrises"]
to = ["hydrants"]
to_where = { service = "在用" }
figure = 150
unit = "米"
counter = "栋"
"""


def test_nearest_with_errors_of_both(grid_district: District) -> None:
    hydrants = [
        {"town": MIDDLE, "service": "在用", "error_m": 10, **at(grid_district, 0, 0)},
        {"town": MIDDLE, "service": "报修", **at(grid_district, 3000, 0)},
    ]
    houses = [
        {"town": MIDDLE, "error_m": 5, **at(grid_district, 100, 0)},  # at most 115 m
        {"town": MIDDLE, "error_m": 5, **at(grid_district, 145, 0)},  # 130 … 160 m
        {"town": MIDDLE, "error_m": 5, **at(grid_district, 0, 500)},
        {"town": MIDDLE, **at(grid_district, 3000, 0)},  # beside one that is out of order
    ]
    found = judged(grid_district, NEAREST, {"highrises": houses, "hydrants": hydrants})
    middle = found.row("r", MIDDLE)
    assert (middle.status, middle.have, middle.need) == (SHORT, 1, 4)
    assert (middle.shortfall, middle.shortfall_most, middle.unit) == (2, 3, "栋")
    gap = found.gap("r", MIDDLE)
    assert gap is not None
    assert np.allclose(shapely.get_coordinates(gap), [[0, 500], [3000, 0]], atol=0.1)
    assert found.row("r", FIRST).status == NOT_APPLICABLE


def test_nearest_without_a_register_or_with_unknown_service(grid_district: District) -> None:
    houses = [{"town": MIDDLE, **at(grid_district, 0, 0)}]
    assert (
        judged(grid_district, NEAREST, {"highrises": houses, "hydrants": []}).row("r", MIDDLE).status
        == UNKNOWN
    )
    hydrants = [{"town": FIRST, "service": "未知", **at(grid_district, -9000, -9000)}]
    found = judged(grid_district, NEAREST, {"highrises": houses, "hydrants": hydrants})
    assert found.row("r", MIDDLE).status == UNKNOWN


def test_spacing_looks_at_the_next_hydrant_not_at_itself(grid_district: District) -> None:
    text = 'kind = "nearest"\nlayers = ["hydrants"]\nto = ["hydrants"]\nfigure = 120\nunit = "米"\n'
    rows = [{"town": MIDDLE, "error_m": 0, **at(grid_district, x, 5)} for x in (5, 105, 405)]
    middle = judged(grid_district, text, {"hydrants": rows}).row("r", MIDDLE)
    assert (middle.have, middle.shortfall) == (2, 1)
    # of places of which nobody says how well they are known, nothing is certain within what is assumed
    unsaid = [{**row, "error_m": ""} for row in rows]
    middle = judged(grid_district, text, {"hydrants": unsaid}).row("r", MIDDLE)
    assert (middle.have, middle.shortfall, middle.shortfall_most) == (0, 1, 3)


def test_a_badly_known_place_leaves_the_spacing_of_others_as_it_is(grid_district: District) -> None:
    text = 'kind = "nearest"\nlayers = ["hydrants"]\nto = ["hydrants"]\nfigure = 120\nunit = "米"\n'
    rows = [{"town": MIDDLE, "error_m": 0, **at(grid_district, x, 5)} for x in (5, 105, 405)]
    far = {"town": MIDDLE, "error_m": 900, **at(grid_district, 4000, 4000)}
    middle = judged(grid_district, text, {"hydrants": [*rows, far]}).row("r", MIDDLE)
    assert (middle.have, middle.shortfall, middle.shortfall_most) == (2, 2, 2)
    # beside a well known one, it is the other that counts
    near = {"town": MIDDLE, "error_m": 900, **at(grid_district, 6, 5)}
    middle = judged(grid_district, text, {"hydrants": [*rows, near]}).row("r", MIDDLE)
    assert (middle.have, middle.shortfall, middle.shortfall_most) == (2, 0, 2)
    # one of which nobody knows whether it serves is itself served by the one beside it, which is not itself
    doubtful = [{**one, "service": "未知" if n == 1 else "在用"} for n, one in enumerate(rows)]
    middle = judged(grid_district, text + 'to_where = { service = "在用" }\n', {"hydrants": doubtful}).row(
        "r", MIDDLE
    )
    assert (middle.status, middle.have) == (UNKNOWN, 1)


# ---- triggers, zones, deadlines --------------------------------------------------------------------


def test_trigger(grid_district: District) -> None:
    text = """
kind = "trigger"
layers = ["fire_stations"]
when = { population = { min = 10000 } }
figure = 1
"""
    rows = {"fire_stations": [{"town": MIDDLE}]}
    found = judged(grid_district, text, rows)
    assert found.row("r", FIRST).status == NOT_APPLICABLE  # 2,000 people
    assert found.row("r", MIDDLE).status == MET  # 10,000 people, one brigade
    assert found.row("r", LAST).status == SHORT  # 18,000 people
    assert found.row("r").shortfall == 4


def test_a_straight_line_can_prove_a_long_way_but_not_a_short_one(grid_district: District) -> None:
    text = 'kind = "trigger"\nlayers = []\nneeds = "分点名单"\nwhen = {{ reach_km = {{ over = {} }} }}\nfigure = 1\n'
    reach = math.sqrt(50) - 0.1  # from the middle to a corner, less the seat's error
    proven = judged(grid_district, text.format(f"{reach - 0.01:.3f}"), {}).row("r", MIDDLE)
    assert (proven.status, proven.reason[:3]) == (UNKNOWN, "触发:")
    open_ = judged(grid_district, text.format(f"{reach + 0.01:.3f}"), {}).row("r", MIDDLE)
    assert (open_.status, open_.reason[:3]) == (UNKNOWN, "待定:")


EXCLUSION = """
kind = "exclusion"
layers = ["projects"]
zone = "lake"
from = "2023-03-23"
figure = 0
unit = "项"
"""
ZONE = f"""
[zones.lake]
title = "水库"
towns = ["{MIDDLE}"]
villages = ["德胜村"]
document = "plan"
clause = "二"
"""


def test_exclusion_by_words(grid_district: District) -> None:
    rows = [
        {"town": MIDDLE, "village": "德胜村", "status": "规划", "start_year": 2024},
        {"town": MIDDLE, "village": "别村", "status": "规划", "start_year": 2024},
        {"town": MIDDLE, "village": "德胜村", "start_year": 2021},  # before the notice
        {"town": FIRST, "village": "德胜村", "start_year": 2024},  # another village of that name
    ]
    middle = judged(grid_district, EXCLUSION + ZONE, {"projects": rows}).row("r", MIDDLE)
    assert (middle.status, middle.shortfall_most) == (UNKNOWN, 1)
    assert "核对" in middle.reason
    free = judged(grid_district, EXCLUSION + ZONE, {"projects": rows[1:]})
    assert free.row("r", MIDDLE).status == MET
    assert free.row("r", FIRST).status == NOT_APPLICABLE


def test_exclusion_by_its_line_refuses_a_project_inside(grid_district: District) -> None:
    line = {"lake": shapely.box(-1000, -1000, 1000, 1000)}
    rows = [
        {"town": MIDDLE, "start_year": 2024, "error_m": 0, **at(grid_district, 0, 0)},
        {
            "town": MIDDLE,
            "start_year": 2023,
            "error_m": 0,
            **at(grid_district, 0, 0),
        },  # before or after the day?
        {"town": MIDDLE, "start_year": 2024, "error_m": 0, **at(grid_district, 4000, 0)},
    ]
    found = judged(grid_district, EXCLUSION + ZONE, {"projects": rows}, zones=line)
    middle = found.row("r", MIDDLE)
    assert (middle.status, middle.shortfall, middle.shortfall_most) == (SHORT, 1, 2)
    gap = found.gap("r", MIDDLE)
    assert gap is not None
    assert gap.area == pytest.approx(4e6, rel=1e-6)


def test_a_site_in_the_zone_is_refused(grid_district: District) -> None:
    zone = rules_of(grid_district, "[rules.r]\n" + EXCLUSION + ZONE).zones["lake"]
    line = shapely.box(0, 0, 1000, 1000)
    assert site_status(zone, MIDDLE, "德胜村四组") == TO_CHECK
    assert site_status(zone, MIDDLE, "别村") == FREE
    assert site_status(zone, FIRST, "德胜村") == FREE
    assert site_status(zone, None) == TO_CHECK
    assert site_status(zone, MIDDLE, point=(500, 500), geometry=line) == FORBIDDEN
    assert site_status(zone, MIDDLE, point=(500, 500), error_m=600, geometry=line) == TO_CHECK
    assert site_status(zone, MIDDLE, point=(1500, 500), error_m=400, geometry=line) == FREE


DEADLINE = """
kind = "deadline"
layers = ["highrises"]
open = { hazards_open = { over = 0 } }
date = "2023-11-30"
figure = 0
unit = "栋"
"""


def test_deadline(grid_district: District) -> None:
    rows = [
        {"town": FIRST, "hazards_open": 2},
        {"town": FIRST},
        {"town": SECOND, "hazards_open": 0},
        {"town": THIRD},
    ]
    before = judged(grid_district, DEADLINE, {"highrises": rows}, 2023, day=date(2023, 11, 29))
    assert before.row("r", FIRST).status == NOT_APPLICABLE
    assert "未到" in before.row("r", FIRST).reason
    after = judged(grid_district, DEADLINE, {"highrises": rows}, 2023)
    first = after.row("r", FIRST)
    assert (first.status, first.shortfall, first.shortfall_most) == (SHORT, 1, 2)
    assert [after.row("r", one).status for one in (SECOND, THIRD, MIDDLE)] == [MET, UNKNOWN, NOT_APPLICABLE]


# ---- what a person adds ----------------------------------------------------------------------------


def test_own_figure_and_chosen_rules(grid_district: District) -> None:
    rows = {"health": [{"town": town_name(k), "kind": "卫生院"} for k in range(9)]}
    own = judged(grid_district, ONE_EACH, rows, custom={"r": 2})
    assert {one.status for one in own} == {SHORT}
    assert all(one.rule.custom for one in own)
    assert bool(own.frame["custom"].all())
    off = judged(grid_district, ONE_EACH + "enabled = false\n", rows)
    assert len(off) == 0
    assert list(off.frame.columns)[:3] == ["town", "rule", "status"]
    assert len(judged(grid_district, ONE_EACH + "enabled = false\n", rows, rules=["r"])) == 10
    with pytest.raises(UnknownKeyError, match="nothing"):
        judged(grid_district, ONE_EACH, rows, rules=["nothing"])


def test_assumptions_fill_the_unknown_and_are_named(grid_district: District) -> None:
    path = grid_district.root / "assumptions.toml"
    path.write_text(
        '[assumptions.all]\ntitle = "都有"\nlayer = "health"\ncolumn = "fever_clinic"\n'
        'where = { kind = "卫生院" }\nvalue = "有"\notherwise = "无"\n',
        encoding="utf-8",
    )
    every = load_assumptions(path, grid_district.registry).values()
    text = FEVER.replace('where = { kind = "卫生院" }\n', "")
    rows = [*clinics(FIRST, "未知"), *clinics(SECOND, "无"), {"town": THIRD, "kind": "区级医院"}]
    before = judged(grid_district, text, {"health": rows})
    assert before.row("r", FIRST).status == UNKNOWN
    after = judged(grid_district, text, {"health": rows}, assumptions=every)
    assert [after.row("r", one).status for one in (FIRST, SECOND, THIRD)] == [MET, SHORT, SHORT]
    assert after.row("r", FIRST).assumptions == ("all",)
    assert set(after.frame["assumptions"]) == {"all"}
    other = judged(grid_district, ONE_EACH, {"health": rows}, assumptions=every)
    assert {one.assumptions for one in other} == {()}  # that rule does not look at the column


def test_weightiest_first(grid_district: District) -> None:
    rows = {"health": [{"town": THIRD, "kind": "卫生院"}]}
    short = judged(grid_district, ONE_EACH, rows).shortages()
    assert [one.people for one in short] == sorted((one.people for one in short), reverse=True)
    assert short[0].town == LAST


# ---- what is not known -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def four_clinics(tmp_path_factory: pytest.TempPathFactory) -> tuple[District, Layer, list[Standards]]:
    root = write_grid(tmp_path_factory.mktemp("grid"))
    write_layer(root, "health", [{"town": town_name(k // 2), "kind": "卫生院"} for k in range(4)])
    district = load_district(GRID_KEY, root)
    texts = (PER_TOWN, FEVER, FEVER.replace("100", "50"), STAFF, BEDS)
    standards = [rules_of(district, "[rules.r]\n" + text.strip() + "\n") for text in texts]
    return district, load_layer(district, "health"), standards


STATES = st.lists(st.sampled_from(["有", "无", "未知"]), min_size=4, max_size=4)
NUMBERS = st.lists(st.sampled_from([0, 1, 2, 3, None]), min_size=4, max_size=4)
PER_TOWN = ONE_EACH.replace('kind = "卫生院" }', 'fever_clinic = "有" }')


@settings(max_examples=30, deadline=None)
@given(states=STATES, numbers=NUMBERS, filled=st.lists(st.sampled_from(["有", "无"]), min_size=4, max_size=4))
def test_learning_what_was_unknown_never_overturns_an_answer(
    four_clinics: tuple[District, Layer, list[Standards]],
    states: list[str],
    numbers: list[int | None],
    filled: list[str],
) -> None:
    """Met or short with gaps in the register stays so however the gaps are filled."""
    district, layer, rules = four_clinics
    known = [new if old == "未知" else old for old, new in zip(states, filled, strict=True)]
    counts = [
        (2 if new == "有" else 0) if old is None else old for old, new in zip(numbers, filled, strict=True)
    ]
    for standards in rules:
        before, after = (
            assess(
                district,
                {"health": replace(layer, frame=_told(layer.frame, words, amounts))},
                standards,
                2020,
            )
            for words, amounts in ((states, numbers), (known, counts))
        )
        for town in (FIRST, SECOND, WHOLE):
            old, new = before.row("r", town), after.row("r", town)
            assert old.status in (UNKNOWN, new.status), old.rule.kind
            if not math.isnan(old.shortfall):
                assert old.shortfall - 1e-9 <= new.shortfall <= old.shortfall_most + 1e-9 or town == WHOLE
            assert new.status != UNKNOWN


def _told(frame: pd.DataFrame, words: list[str], amounts: Sequence[int | None]) -> pd.DataFrame:
    numbers = pd.array(amounts, dtype="Int64")
    return frame.assign(
        fever_clinic=pd.Categorical(words, categories=frame["fever_clinic"].cat.categories),
        child_health_doctors=numbers,
        beds_2020=numbers,
    )


# ---- 綦江 ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def standards(qijiang: District) -> Standards:
    return load_standards(ROOT / "data" / "standards.toml", qijiang.registry, qijiang.documents.index)


@pytest.fixture(scope="module")
def registers(qijiang: District) -> dict[str, Layer]:
    return {key: load_layer(qijiang, key, demo=False) for key in qijiang.registry.layers}


@pytest.fixture(scope="module")
def indicators(qijiang: District) -> pd.DataFrame:
    return load_table(qijiang, "indicators")


@pytest.fixture(scope="module")
def in_2020(
    qijiang: District, registers: dict[str, Layer], standards: Standards, indicators: pd.DataFrame
) -> Assessment:
    return assess(qijiang, registers, standards, 2020, indicators=indicators)


def test_every_rule_answers_every_town(in_2020: Assessment, qijiang: District, standards: Standards) -> None:
    frame = in_2020.frame
    own = frame[~frame["town"].isin([WHOLE, NOWHERE])]
    assert len(own) == len(standards.enabled()) * 21
    assert set(frame["status"]) == {MET, SHORT, UNKNOWN, NOT_APPLICABLE}
    assert not frame["demo"].any()
    # unknown is not short, and what is met lacks nothing
    assert own.loc[own["status"] == MET, "shortfall"].eq(0).all()
    assert (own.loc[own["status"] == SHORT, "shortfall"] > 0).all()
    assert own.loc[own["status"] == UNKNOWN, "reason"].str.len().gt(0).all()


def test_the_district_is_the_sum_of_its_towns(in_2020: Assessment, standards: Standards) -> None:
    added = set()
    for rule in standards.enabled():
        *parts, whole = in_2020.of_rule(rule.id)
        short = [one for one in parts if one.status == SHORT]
        if rule.scope == "town" and short and whole.source != INDICATOR:
            added.add(rule.id)
            assert whole.shortfall == pytest.approx(math.fsum(one.shortfall for one in short)), rule.id
            people = [one.people for one in short if not math.isnan(one.people)]
            assert people, rule.id
            assert whole.people == pytest.approx(math.fsum(people)), rule.id
    assert added == {"beds-primary-town", "beds-planned", "beds-open"}


def test_known_answers_of_2020(in_2020: Assessment) -> None:
    primary = in_2020.row("beds-primary")
    assert (primary.have, primary.base, round(primary.value, 2)) == (1364, 775_509, 1.76)
    assert primary.shortfall == pytest.approx(775.509 * 1.9 - 1364)
    everything, public = in_2020.row("beds-all"), in_2020.row("beds-public")
    assert (everything.value, everything.have, everything.source) == (6.39, 4959, INDICATOR)
    assert everything.shortfall == pytest.approx(775.509 * 8 - 4959)
    assert (public.value, public.have) == (2.85, 2212)
    ambulances = in_2020.row("ambulances")
    assert (ambulances.status, round(ambulances.shortfall)) == (SHORT, 31)
    doctors = in_2020.row("doctors")
    assert (doctors.have, round(doctors.shortfall)) == (2241, 551)
    fever = in_2020.row("fever-clinics")
    assert (fever.status, fever.value, fever.source) == (SHORT, 24.8, INDICATOR)
    assert in_2020.row("fever-clinics", "石角镇").status == UNKNOWN


def test_every_street_and_town_has_its_centre(in_2020: Assessment, qijiang: District) -> None:
    met = {
        one.town
        for rule in ("centre-street", "centre-town")
        for one in in_2020.of_rule(rule)
        if one.status == MET and one.town != WHOLE
    }
    assert met == set(qijiang.towns.index)
    assert in_2020.row("tb-town").status == MET
    assert in_2020.row("tcm-halls").have == 23


def test_planned_beds_still_to_come(in_2020: Assessment) -> None:
    whole = in_2020.row("beds-planned")
    assert (whole.have, whole.need, whole.shortfall) == (1364 + 1805, 1568 + 2410, 204 + 605)
    assert in_2020.row("beds-planned", "新盛街道").shortfall == 63
    assert in_2020.row("beds-planned", "打通镇").status == MET
    assert in_2020.row("beds-planned", NOWHERE).shortfall == 605  # 500→800, 195→300, 110→310


def test_duties_without_a_list_are_unknown(in_2020: Assessment, standards: Standards) -> None:
    for rule_id in ("ems-radius", "village-clinics", "fire-committee", "hydrant-radius", "fire-brigade"):
        towns = in_2020.of_rule(rule_id)[:-1]
        assert {one.status for one in towns} == {UNKNOWN}, rule_id
    for rule in standards.enabled():
        if rule.needs and rule.kind != "trigger" and not rule.indicator:
            assert in_2020.row(rule.id).status == UNKNOWN, rule.id


def test_known_answers_of_2025(
    qijiang: District, registers: dict[str, Layer], standards: Standards, indicators: pd.DataFrame
) -> None:
    found = assess(qijiang, registers, standards, 2025, indicators=indicators)
    primary = found.row("beds-primary")
    assert (primary.status, primary.have, primary.base, round(primary.value, 2)) == (MET, 1568, 825_000, 1.9)
    assert primary.planned
    assert (found.row("beds-all").status, found.row("beds-all").have) == (MET, 6600)
    assert (found.row("beds-public").value, found.row("beds-public").planned) == (4.6, True)
    # the target of 1 ambulance per 10,000 is no evidence of one ambulance
    assert found.row("ambulances").status == UNKNOWN
    lake = found.row("xinsheng-lake", "新盛街道")
    assert (lake.status, lake.shortfall_most) == (UNKNOWN, 1)  # project 20 is to be held against the line
    assert found.row("xinsheng-lake", "古南街道").status == NOT_APPLICABLE
    assert found.row("vaccination-branch", "赶水镇").reason.startswith("触发:人口")


def test_assumed_stations_give_the_circles(
    qijiang: District, registers: dict[str, Layer], standards: Standards
) -> None:
    assumed = load_assumptions(ROOT / "data" / "assumptions.toml", qijiang.registry)["ems-every-centre"]
    found = assess(
        qijiang, registers, standards, 2020, assumptions=[assumed], rules=["ems-radius", "centre-town"]
    )
    rows = found.of_rule("ems-radius")
    assert {one.assumptions for one in rows} == {("ems-every-centre",)}
    assert {one.assumptions for one in found.of_rule("centre-town")} == {()}
    assert any(one.status == SHORT for one in rows)
    whole = rows[-1]
    assert whole.have <= whole.need
    assert whole.need == pytest.approx(float(qijiang.towns["area_km2"].sum()), rel=1e-6)


def test_the_documents_figures_come_out_again(
    qijiang: District, registers: dict[str, Layer], standards: Standards, indicators: pd.DataFrame
) -> None:
    table = reproduce(qijiang, registers, standards, indicators).set_index(["rule", "year"])
    exact = [
        ("beds-all", 2020),
        ("beds-all", 2025),
        ("beds-public", 2020),
        ("beds-public", 2025),
        ("doctors", 2020),
    ]
    for key in [*exact, ("beds-tcm", 2020), ("nurses", 2025), ("beds-primary", 2020), ("beds-primary", 2025)]:
        assert round(table.loc[key, "from_total"], 2) == table.loc[key, "printed"], key
    assert bool(table.loc[("beds-primary", 2020), "agrees"])
    assert bool(table.loc[("beds-primary", 2025), "agrees"])
    assert bool(table.loc[("tcm-halls", 2020), "agrees"])
    public = table.loc[("beds-public", 2020)]
    assert (public["register_total"], public["printed_total"]) == (1610, 2212)
    assert "602" in public["explanation"]
    assert not table["agrees"][table["from_register"].isna()].any()
    assert table["explanation"].str.len().gt(0).all()
    fever = table.loc[("fever-clinics", 2020)]
    assert (fever["printed"], math.isnan(fever["from_register"])) == (24.8, True)


def test_demo_registers_are_marked(
    qijiang: District, standards: Standards, registers: dict[str, Layer]
) -> None:
    if not (qijiang.data / "demo" / "fire_stations.csv").exists():
        pytest.skip("no demo registers have been built")
    layers = {**registers, "fire_stations": load_layer(qijiang, "fire_stations")}
    found = assess(qijiang, layers, standards, 2025, rules=["fire-brigade", "centre-town"])
    assert all(one.demo for one in found.of_rule("fire-brigade"))
    assert not any(one.demo for one in found.of_rule("centre-town"))


def test_a_second_run_gives_the_same(
    in_2020: Assessment,
    qijiang: District,
    registers: dict[str, Layer],
    standards: Standards,
    indicators: pd.DataFrame,
) -> None:
    again = assess(qijiang, registers, standards, 2020, indicators=indicators)
    pd.testing.assert_frame_equal(in_2020.frame, again.frame)
