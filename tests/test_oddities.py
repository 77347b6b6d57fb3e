"""What is possible but odd in a list is told where it helps, and once: a clerk who sees thirty warnings reads none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qjmap import draft
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
    low = {**row, "建筑高度": "12", "层数": "4"}
    many = {**row, "未整改隐患": "5"}
    public = {**low, "类别": "高层公共建筑", "建筑高度": "24"}
    made = listed(grid_district, land, "highrises", row, low, many, public, {**row, "查出隐患": ""})
    height, hazards = made.warnings
    assert (height.row, height.column, height.value) == (3, "建筑高度", "12")
    assert "高层住宅建筑的建筑高度为不小于 27 米" in height.expected
    assert (hazards.row, hazards.column, hazards.expected) == (4, "未整改隐患", "不大于查出隐患")
    assert hazards.advice == "查出隐患只有 2 处;请核对两列"


def test_what_the_registry_says_of_kinds_names_a_document_that_is_listed(qijiang):
    limits = [one for spec in qijiang.registry.layers.values() for one in spec.by_kind.values()]
    assert limits
    assert {one.document for one in limits} <= set(qijiang.documents.index)
