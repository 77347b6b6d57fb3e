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
