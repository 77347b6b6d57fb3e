"""Letters that nobody sees are taken away in every kind of column, listed, and may be kept by who wants them."""

from __future__ import annotations

import pytest

from qjmap import datum, draft, ingest, matching

HEAD = "编号,名称,街镇,类别,状态,流量,口径,年份,日期,经度,纬度"
GOOD = ["A1", "甲", "戊镇", "市政消火栓", "现状", "15", "100", "2020", "", "106.501234", "29.001234"]
SEEN_NOT = ("\u200b", "\xad", "\ufeff", "\u200f", "\u2066", "\ufe0f")


def made(district, *rows: list[str], refused=(), meanings=None, head: str = HEAD) -> draft.Draft:
    spec = district.registry.spec("hydrants")
    (source,) = ingest.read("a.csv", "\n".join((head, *(",".join(row) for row in rows))).encode())
    matches = matching.match(source, spec, tuple(district.towns.index))
    columns = draft.coordinates(source, matches)
    readings = datum.readings(*columns, district) if columns else []
    reading = next((one for one in readings if one.key == "wgs84"), None)
    around = draft.surroundings(district)
    return draft.prepare(
        source, spec, matches, reading, around, refused_repairs=refused, meanings=meanings or {}
    )


@pytest.mark.parametrize("unseen", SEEN_NOT)
def test_what_is_unseen_stops_no_row(grid_district, unseen):
    names = HEAD.split(",")
    columns = ["街镇", "类别", "状态", "流量", "口径", "年份", "经度", "纬度"]
    row = [
        f"{cell[:2]}{unseen}{cell[2:]}{unseen}" if name in columns else cell
        for name, cell in zip(names, GOOD, strict=True)
    ]
    kept = made(grid_district, row)
    assert not kept.problems
    plain = made(grid_district, GOOD)
    assert draft.to_register(kept.frame, kept.spec) == draft.to_register(plain.frame, kept.spec)
    found = [(one.column, one.old, one.new) for one in kept.repairs if one.id.startswith("control:")]
    wanted = [one for one in zip(names, row, GOOD, strict=True) if one[0] in columns]
    assert sorted(found) == sorted(wanted)
    lost = made(grid_district, row, refused=["control"])
    assert {one.column for one in lost.problems} >= {*columns} - {"经度", "纬度"}
    assert not len(lost.frame)


def test_coordinates_with_letters_that_shall_stay_are_none(grid_district):
    row = [*GOOD[:-2], GOOD[-2] + "\u200b", GOOD[-1]]
    lost = made(grid_district, row, refused=["control:lon:2"])
    assert "看不见" in next(one.advice for one in lost.problems if one.column == "经度")
    assert not len(lost.frame)


def test_what_is_seen_besides_is_repaired_as_ever(grid_district):
    at = HEAD.split(",").index("街镇")
    row = [*GOOD[:at], "戊\u200b", *GOOD[at + 1 :]]
    kept = made(grid_district, row)
    assert kept.frame["town"].tolist() == ["戊镇"]
    assert [one.id.partition(":")[0] for one in kept.repairs if one.row] == ["control", "town"]


def test_a_cell_of_nothing_else_is_blank(grid_district):
    at = HEAD.split(",").index("流量")
    kept = made(grid_district, [*GOOD[:at], "\u200b", *GOOD[at + 1 :]])
    assert not kept.problems
    assert kept.frame["flow_l_s"].isna().all()


def test_a_word_that_a_person_explains_may_hold_some(grid_district):
    at = HEAD.split(",").index("类别")
    row = [*GOOD[:at], "水\u200b鹤", *GOOD[at + 1 :]]
    said = {"kind": {"水\u200b鹤": "消防水鹤"}}
    kind = made(grid_district, GOOD).spec.columns["kind"].values[-1]
    said["kind"]["水\u200b鹤"] = kind
    assert made(grid_district, row, meanings=said).frame["kind"].tolist() == [kind]


def test_both_coordinates_in_one_cell_may_hold_some(grid_district):
    head = HEAD.replace(",经度,纬度", ",坐标")
    row = [*GOOD[:-2], '"106.501234\u200b,\ufeff29.001234"']
    kept = made(grid_district, row, head=head)
    assert not kept.problems
    assert kept.frame[["lon", "lat"]].values.tolist() == [[106.501234, 29.001234]]
