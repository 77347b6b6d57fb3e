"""A record that has a place and names no town lies in one all the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qjmap import draft
from qjmap._repairs import town
from tests.test_draft import HEAD, prepared, table

NO_TOWN = HEAD.replace(",街镇", "")


@pytest.fixture
def land(grid_district):
    return draft.surroundings(grid_district)


def at(district, x: float, y: float) -> dict[str, str]:
    """A place in metres from the middle of the grid, as the cells of a row."""
    lon, lat = district.projection.to_degrees(np.array([x]), np.array([y]))
    return {"经度": f"{lon[0]:.6f}", "纬度": f"{lat[0]:.6f}"}


def test_it_gets_the_town_in_which_it_lies_and_that_is_told_and_can_be_refused(grid_district, land):
    rows = [at(grid_district, 7, 3), at(grid_district, -10_000, -10_000), at(grid_district, 10_000, -10_000)]
    content = table(*rows, head=NO_TOWN)
    made = prepared(content, grid_district, land)
    assert made.frame["town"].tolist() == ["戊镇", "甲街道", "丙镇"]
    told = [one for one in made.repairs if one.id.startswith("town-by-place")]
    assert [(one.id, one.old, one.new) for one in told] == [
        ("town-by-place:town:2", None, "戊镇"),
        ("town-by-place:town:3", None, "甲街道"),
        ("town-by-place:town:4", None, "丙镇"),
    ]
    assert told[0].why == "没有写街镇;坐标按示意界线落在戊镇"
    assert made.warnings == ()
    refused = prepared(content, grid_district, land, refused=["town-by-place:town:3"])
    assert refused.frame["town"].fillna("").tolist() == ["戊镇", "", "丙镇"]
    refused = prepared(content, grid_district, land, refused=["town-by-place"])
    assert refused.frame["town"].isna().all()


def test_what_a_row_says_stands_and_what_lies_in_no_town_gets_none(grid_district, land):
    rows = [{"街镇": "甲街道"}, {"街镇": "", **at(grid_district, 0, -15_100)}, {"街镇": ""}]
    made = prepared(table(*rows), grid_district, land)
    assert made.frame["town"].fillna("").tolist() == ["甲街道", "", "戊镇"]
    assert [one.row for one in made.repairs] == [4]


def test_near_a_line_it_is_said_that_it_may_as_well_be_the_next_town(grid_district, land):
    rows = [at(grid_district, 4_800, 4_700), at(grid_district, 4_400, 0)]
    (told,) = prepared(table(*rows, head=NO_TOWN), grid_district, land).warnings
    assert (told.row, told.column, told.value) == (2, "街镇", "戊镇")
    assert told.advice == "离己镇只有 200 米;示意界线可能差几百米;请核对街镇"
    # official lines are right: then only the error of the place counts
    official = replace(land, ground=replace(land.ground, official=True))
    content = table(*({**row, "定位误差": "300"} for row in rows), head=f"{NO_TOWN},定位误差")
    (told,) = prepared(content, grid_district, official).warnings
    assert (told.row, told.advice) == (2, "离己镇只有 200 米;请核对街镇")
    why = prepared(content, grid_district, official).repairs[0].why
    assert why == "没有写街镇;坐标按界线落在戊镇,离己镇只有 200 米"
    assert prepared(table(*rows, head=NO_TOWN), grid_district, official).warnings == ()


def test_many_near_schematic_lines_are_told_at_once_and_each_where_it_got_its_town(grid_district, land):
    rows = [at(grid_district, 4_800, 4_700), at(grid_district, 4_400, 0), at(grid_district, -4_700, 0)]
    made = prepared(table(*rows, head=NO_TOWN), grid_district, land)
    (told,) = made.warnings
    assert (told.row, told.column, told.value) == (None, "街镇", "2 行")
    assert told.advice.startswith("离邻镇至多 300 米,示意界线本身可能差 ")
    assert [one.why.removeprefix("没有写街镇;坐标按示意界线落在") for one in made.repairs] == [
        "戊镇,离己镇只有 200 米",
        "戊镇",
        "戊镇,离丁镇只有 300 米",
    ]
    # the one that is refused is not told of
    (told,) = prepared(
        table(*rows, head=NO_TOWN), grid_district, land, refused=["town-by-place:town:2"]
    ).warnings
    assert (told.row, told.value) == (4, "戊镇")


def test_without_boundaries_nothing_is_said_of_towns(grid_district, land):
    bare = replace(land, ground=replace(land.ground, towns=(), polygons=land.ground.polygons[:0]))
    made = prepared(table({}, head=NO_TOWN), grid_district, bare)
    assert made.frame["town"].isna().all()
    assert made.repairs == ()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("文龙街道办", "文龙街道"),
        ("古南街办", "古南街道"),
        ("古南街道办事处", "古南街道"),
        ("綦江县东溪镇", "东溪镇"),
        ("重庆市綦江县古南街道", "古南街道"),
        ("东溪镇人民政府", "东溪镇"),
        ("綦江县", None),
        ("街道办", None),
        ("巴南区东溪镇", None),
    ],
)
def test_everyday_forms_of_a_town_are_read(qijiang, written, meant):
    names = draft.surroundings(qijiang).names
    found = town(written, tuple(qijiang.towns.index), names)
    assert (found and found[0]) == meant


def test_an_address_by_the_districts_former_name_is_not_elsewhere(qijiang):
    found = draft.surroundings(qijiang).gazetteer.find("重庆市綦江县东溪镇某街")
    assert (found.town, found.elsewhere) == ("东溪镇", "")
