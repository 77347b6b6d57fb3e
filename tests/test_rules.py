"""Every rule that ships, on an invented district with known answers: one town has enough, the next has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import pytest

from qjmap.assess import MET, SHORT, UNKNOWN, Assessment, assess
from qjmap.district import ROOT, District, load_district
from qjmap.registers import load_layer
from qjmap.rulebook import load_standards
from qjmap.standards import Rule, Standards
from tests.conftest import town_name, write_layer

FIRST, SECOND = town_name(0), town_name(1)
CENTRE = {"kind": "卫生院"}
HYDRANT = {"kind": "市政消火栓"}
POND = {"kind": "消防水池"}
INTAKE = {"kind": "天然取水点"}
HOUSE = {"kind": "高层住宅建筑", "height_m": 60, "floors": 20}
PUBLIC = {"kind": "高层公共建筑", "height_m": 60, "floors": 20}

Rows = Sequence[Mapping[str, object]]

#: Rule → layer, record that is enough, record that is not, what is then short (None: not held here).
IN_TOWNS: dict[str, tuple[str, dict[str, object], dict[str, object], float | None]] = {
    "beds-planned": (
        "health",
        CENTRE | {"beds_2020": 50, "beds_2025": 50},
        CENTRE | {"beds_2020": 40, "beds_2025": 50},
        10,
    ),
    "beds-open": (
        "health",
        CENTRE | {"beds_open": 50, "beds_2025": 50},
        CENTRE | {"beds_open": 41, "beds_2025": 71},
        30,
    ),
    "public-health-physician": (
        "health",
        CENTRE | {"public_health_physicians": 1},
        CENTRE | {"public_health_physicians": 0},
        1,
    ),
    "child-gp": ("health", CENTRE | {"child_gp_count": 1}, CENTRE | {"child_gp_count": 0}, 1),
    "child-health-doctors": (
        "health",
        CENTRE | {"child_health_doctors": 2},
        CENTRE | {"child_health_doctors": 1},
        1,
    ),
    "summer-tide": ("health", CENTRE | {"tcm_hall": "有"}, CENTRE | {"tcm_hall": "无"}, 1),
    "fever-clinics": ("health", CENTRE | {"fever_clinic": "有"}, CENTRE | {"fever_clinic": "无"}, None),
    "tcm-halls": ("health", CENTRE | {"tcm_hall": "有"}, CENTRE | {"tcm_hall": "无"}, None),
    "micro-members": (
        "micro_stations",
        {"kind": "村(社区)", "staff": 6},
        {"kind": "村(社区)", "staff": 4},
        2,
    ),
    "hydrant-service": ("hydrants", HYDRANT | {"service": "在用"}, HYDRANT | {"service": "停用"}, None),
    "hydrant-flow": ("hydrants", HYDRANT | {"flow_l_s": 15}, HYDRANT | {"flow_l_s": 14.9}, 1),
    "hydrant-pressure": ("hydrants", HYDRANT | {"pressure_mpa": 0.14}, HYDRANT | {"pressure_mpa": 0.13}, 1),
    "pond-lift": ("fire_ponds", POND | {"lift_m": 6}, POND | {"lift_m": 6.1}, None),
    "intake-lift": ("fire_ponds", INTAKE | {"lift_m": 6}, INTAKE | {"lift_m": 6.1}, None),
    "intake-access": ("fire_ponds", INTAKE | {"access": "有"}, INTAKE | {"access": "无"}, None),
    "ancient-pond": ("fire_ponds", POND | {"volume_m3": 500}, POND | {"volume_m3": 499}, 1),
    "ancient-mains": ("fire_ponds", POND | {"pipe_mm": 100}, POND | {"pipe_mm": 99}, None),
    "highrise-public": ("highrises", PUBLIC | {"height_m": 24.1}, PUBLIC | {"height_m": 24}, None),
    "highrise-housing": ("highrises", HOUSE | {"height_m": 27.1}, HOUSE | {"height_m": 27}, None),
    "highrise-list": (
        "highrises",
        HOUSE | {"hazards_found": 1, "plan": "有"},
        HOUSE | {"hazards_found": 1, "plan": "无"},
        None,
    ),
    "highrise-code": ("highrises", HOUSE | {"safety_code": "有"}, HOUSE | {"safety_code": "无"}, None),
    "highrise-hazards": ("highrises", HOUSE | {"hazards_open": 0}, HOUSE | {"hazards_open": 2}, 1),
    "highrise-water": ("highrises", HOUSE | {"water_fault": "无"}, HOUSE | {"water_fault": "有"}, 1),
    # 2,000 and 4,000 people: 3.8 and 7.6 beds
    "beds-primary-town": ("health", CENTRE | {"beds_2020": 4}, CENTRE | {"beds_2020": 4}, 3.6),
}
DEADLINES = {"highrise-hazards": 2023, "highrise-water": 2023}


@pytest.fixture(scope="module")
def shipped() -> Standards:
    district = load_district()
    return load_standards(ROOT / "data" / "standards.toml", district.registry, district.documents.index)


def judge(
    district: District, rule: Rule, rows: Mapping[str, Rows], year: int = 2020, **options: object
) -> Assessment:
    """Apply one rule, to the first two towns where it names towns of 綦江, to registers of the given rows."""
    for key, lines in rows.items():
        write_layer(district.root, key, lines)
    layers = {key: load_layer(district, key) for key in rows}
    here = replace(rule, towns=(FIRST, SECOND) if rule.towns else (), except_towns=(), town_kind="")
    return assess(district, layers, Standards([here]), year, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule_id", list(IN_TOWNS))
def test_a_rule_tells_enough_from_short(rule_id: str, grid_district: District, shipped: Standards) -> None:
    layer, enough, less, missing = IN_TOWNS[rule_id]
    rows = {layer: [enough | {"town": FIRST}, less | {"town": SECOND}]}
    found = judge(grid_district, shipped[rule_id], rows, DEADLINES.get(rule_id, 2020))
    if shipped[rule_id].scope == "town":
        assert found.row(rule_id, FIRST).status == MET
        assert found.row(rule_id, SECOND).status == SHORT
        if missing is not None:
            assert found.row(rule_id, SECOND).shortfall == pytest.approx(missing)
    assert found.row(rule_id).status in (SHORT, UNKNOWN)


def test_water_in_every_town(grid_district: District, shipped: Standards) -> None:
    rows = {"hydrants": [HYDRANT | {"town": FIRST}], "fire_ponds": []}
    found = judge(grid_district, shipped["town-water"], rows)
    assert found.row("town-water", FIRST).status == MET
    assert found.row("town-water", SECOND).status in (
        SHORT,
        UNKNOWN,
    )  # an empty register of ponds proves nothing
    rows["fire_ponds"] = [POND | {"town": FIRST}]
    found = judge(grid_district, shipped["town-water"], rows)
    assert (found.row("town-water", SECOND).status, found.row("town-water", SECOND).shortfall) == (SHORT, 1)


def test_a_micro_station_in_every_village(grid_district: District, shipped: Standards) -> None:
    villages = grid_district.towns["villages_2023"]
    many = [{"kind": "村(社区)", "town": FIRST}] * int(villages[FIRST])
    found = judge(
        grid_district,
        shipped["micro-villages"],
        {"micro_stations": [*many, {"kind": "村(社区)", "town": SECOND}]},
    )
    assert found.row("micro-villages", FIRST).status == MET
    short = found.row("micro-villages", SECOND)
    assert short.status == (SHORT if villages[SECOND] > 1 else MET)
    if villages[SECOND] > 1:
        assert short.shortfall == villages[SECOND] - 1


@pytest.mark.parametrize(
    ("rule_id", "share"), [("highrise-spot-public", 0.10), ("highrise-spot-housing", 0.05)]
)
def test_spot_checks_of_the_whole_district(
    rule_id: str, share: float, grid_district: District, shipped: Standards
) -> None:
    kind = PUBLIC if rule_id.endswith("public") else HOUSE
    for checked, status in ((round(share * 20), MET), (0, SHORT)):
        rows = [kind | {"town": FIRST, "spot_checked": "是" if i < checked else "否"} for i in range(20)]
        assert judge(grid_district, shipped[rule_id], {"highrises": rows}).row(rule_id).status == status


def test_general_practitioners_of_the_whole_district(grid_district: District, shipped: Standards) -> None:
    # by the register alone, and as if it were whole: as it is, hospitals' own doctors are not in it
    rule = replace(shipped["general-practitioners"], indicator="", partial="")
    for count, status in ((36, MET), (30, SHORT)):  # 90,000 people, 4 for every 10,000
        rows = {"health": [CENTRE | {"town": FIRST, "gp_count": count}]}
        found = judge(grid_district, rule, rows).row(rule.id)
        assert found.status == status
        assert found.need == pytest.approx(36)


def places(district: District, town: str, metres: Sequence[float]) -> list[dict[str, object]]:
    """Give coordinates east of a town's middle, with no error."""
    x, y = district.towns.loc[town, ["point_x", "point_y"]]
    found = []
    for one in metres:
        lon, lat = district.projection.to_degrees(x + one, y)
        found.append(
            {
                "town": town,
                "lon": f"{float(lon):.9f}",
                "lat": f"{float(lat):.9f}",
                "position": "实测",
                "error_m": 0,
            }
        )
    return found


def test_hydrants_stand_close_enough(grid_district: District, shipped: Standards) -> None:
    rows = [
        HYDRANT | one
        for one in places(grid_district, FIRST, (0, 119)) + places(grid_district, SECOND, (0, 121))
    ]
    found = judge(grid_district, shipped["hydrant-spacing"], {"hydrants": rows})
    assert found.row("hydrant-spacing", FIRST).status == MET
    assert (found.row("hydrant-spacing", SECOND).status, found.row("hydrant-spacing", SECOND).shortfall) == (
        SHORT,
        2,
    )


def test_a_high_rise_has_a_hydrant_in_use_within_reach(grid_district: District, shipped: Standards) -> None:
    hydrants = [
        HYDRANT | {"service": "在用"} | places(grid_district, town, (0,))[0] for town in (FIRST, SECOND)
    ]
    houses = [
        HOUSE | places(grid_district, FIRST, (149,))[0],
        HOUSE | places(grid_district, SECOND, (151,))[0],
    ]
    found = judge(grid_district, shipped["highrise-hydrant"], {"highrises": houses, "hydrants": hydrants})
    assert found.row("highrise-hydrant", FIRST).status == MET
    assert (
        found.row("highrise-hydrant", SECOND).status,
        found.row("highrise-hydrant", SECOND).shortfall,
    ) == (SHORT, 1)


def test_what_the_plan_says_of_the_district_is_held_against_its_target(
    grid_district: District, shipped: Standards
) -> None:
    indicators = pd.read_csv(ROOT / "data" / "qijiang" / "indicators.csv")
    rules = [rule for rule in shipped.enabled() if rule.indicator and not rule.layers and not rule.needs]
    assert len(rules) >= 8
    for rule in rules:
        for part, status in ((1.0, MET), (0.5, SHORT)):
            said = indicators.copy()
            said.loc[said["id"] == rule.indicator, "value_2020"] = rule.figure.urban * part
            if getattr(rule, "indicator_total", ""):
                total = rule.figure.urban * part * 90_000 / rule.per
                said.loc[said["id"] == rule.indicator_total, "value_2020"] = total
            found = judge(grid_district, rule, {}, indicators=said).row(rule.id)
            assert found.status == status, rule.id
            assert rule.figure.text(rule.unit) in rule.target


def test_a_rule_whose_data_nobody_keeps_is_neither_met_nor_short(
    grid_district: District, shipped: Standards
) -> None:
    waiting = [rule for rule in shipped.enabled() if rule.needs]
    assert len(waiting) > 20
    for rule in waiting:
        found = judge(grid_district, rule, {})
        assert {one.status for one in found} <= {UNKNOWN, "不适用"}, rule.id
        assert any(one.status == UNKNOWN for one in found), rule.id


def test_land_that_is_not_registered_decides_nothing(grid_district: District, shipped: Standards) -> None:
    rows = {"fire_stations": [{"kind": "政府专职消防队", "town": FIRST}]}
    for rule_id in ("station-area", "station-area-edge"):
        found = judge(grid_district, shipped[rule_id], rows)
        assert {one.status for one in found} <= {UNKNOWN, "不适用"}
