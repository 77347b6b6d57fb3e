"""A file joins a register: nothing vanishes unsaid, nothing is invented."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qjmap.comparison import compare_tables
from qjmap.district import ROOT
from qjmap.ingest import RawTable
from qjmap.layers import load_registry
from qjmap.merging import Joining, collisions, join, key_of, lookalikes, namesakes

REGISTRY = load_registry(ROOT / "data" / "layers.toml")
PONDS = REGISTRY.layers["fire_ponds"]
COLUMNS = list(PONDS.columns)
FILE = {"id", "name", "volume_m3"}  # what the person's file brought


def table(*rows, columns=COLUMNS):
    frame = pd.DataFrame([{"source": "导入", **row} for row in rows], columns=columns).astype("str")
    return RawTable("表.xlsx", frame, tuple(range(5, 5 + len(rows))))


def cells(joined, *columns):
    frame = joined.frame[list(columns)].astype(object)
    return frame.where(frame.notna(), None).to_numpy().tolist()


KEPT = table(
    {"id": "A", "name": "甲池", "volume_m3": "50.0", "status": "现状", "source": "文件", "document": "d"},
    {"id": "B", "name": "乙池", "lon": "106.65", "lat": "28.9", "position": "实测", "error_m": "5"},
)


def test_replacing_leaves_what_the_file_says():
    new = table({"id": "B", "name": "乙池"}, {"id": "C", "name": "丙池"})
    joined = join(KEPT, new, Joining.REPLACE, PONDS, FILE)
    assert cells(joined, "id", "name") == [["B", "乙池"], ["C", "丙池"]]
    assert joined.rows == new.rows  # faults are told by the file's own rows
    found = compare_tables(KEPT.frame, joined.frame)
    assert found.removed["id"].tolist() == ["A"]
    assert found.added["id"].tolist() == ["C"]


def test_adding_changes_nothing_that_is_there():
    new = table({"id": "B", "name": "别的"}, {"id": "C", "name": "丙池"})
    assert collisions(KEPT, new, "id").tolist() == [True, False]
    joined = join(KEPT, new, Joining.ADD, PONDS, FILE)
    assert cells(joined, "id", "name") == [["A", "甲池"], ["B", "乙池"], ["C", "丙池"]]
    assert joined.rows == (2, 3, 4)


def test_updating_changes_what_the_file_brings_and_nothing_else():
    new = table(
        {"id": "A", "name": "甲水池", "status": "未知"},  # the file has no status, and no volume in this row
        {"id": "C", "name": "丙池", "volume_m3": "9"},
    )
    joined = join(KEPT, new, Joining.UPDATE, PONDS, FILE)
    assert cells(joined, "id", "name", "volume_m3", "status", "source", "document") == [
        ["A", "甲水池", "50.0", "现状", "导入", "d"],  # no longer what the document says
        ["B", "乙池", None, None, "导入", None],
        ["C", "丙池", "9", None, "导入", None],
    ]


def test_a_source_left_blank_is_not_said():
    new = table({"id": "A", "volume_m3": "60", "source": None}, {"id": "B", "source": None})
    joined = join(KEPT, new, Joining.UPDATE, PONDS, {"id", "volume_m3", "source"})
    assert cells(joined, "source", "document") == [["导入", "d"], ["导入", None]]
    same = table({"id": "A", "volume_m3": "50", "source": None})
    assert join(KEPT, same, Joining.UPDATE, PONDS, {"id", "volume_m3", "source"}).frame["source"][0] == "文件"


def test_what_is_said_again_changes_nothing():
    new = table(
        {"id": "A", "name": "甲池", "volume_m3": "50"},
        {"id": "B", "name": "乙池", "lon": "106.650", "lat": "28.90"},
    )
    for how in (Joining.UPDATE, Joining.ADD):
        assert compare_tables(KEPT.frame, join(KEPT, new, how, PONDS, FILE | {"lon", "lat"}).frame).same
    replaced = compare_tables(KEPT.frame, join(KEPT, new, Joining.REPLACE, PONDS, FILE).frame)
    assert not {("A", "volume_m3"), ("B", "lon")} & {(one.id, one.column) for one in replaced.changed}


@pytest.mark.parametrize(
    ("new", "said", "place"),
    [
        # measured anew
        ({"lon": "106.7", "lat": "28.8"}, {"lon", "lat"}, ["106.7", "28.8", None, None]),
        # another list, which does not say how it came by it: another place all the same
        (
            {"lon": "106.7", "lat": "28.8", "position": "表载坐标", "error_m": "74"},
            {"lon", "lat"},
            ["106.7", "28.8", "表载坐标", "74"],
        ),
        # the same place again, less well known: what was measured stays measured
        (
            {"lon": "106.650", "lat": "28.9", "position": "表载坐标", "error_m": "30"},
            {"lon", "lat", "position"},
            ["106.65", "28.9", "实测", "5"],
        ),
        # derived from an address: what was measured is better
        (
            {"lon": "106.7", "lat": "28.8", "position": "村社近似", "error_m": "900"},
            {"lon", "lat"},
            ["106.65", "28.9", "实测", "5"],
        ),
        # the file itself says so
        (
            {"lon": "106.7", "lat": "28.8", "position": "村社近似"},
            {"lon", "lat", "position"},
            ["106.7", "28.8", "村社近似", None],
        ),
        # no coordinates in the file: what is known stays
        ({"position": "未定位"}, set(), ["106.65", "28.9", "实测", "5"]),
    ],
)
def test_a_place_is_taken_whole_or_not_at_all(new, said, place):
    joined = join(KEPT, table({"id": "B", "name": "乙池", **new}), Joining.UPDATE, PONDS, FILE | said)
    assert cells(joined, "lon", "lat", "position", "error_m")[1] == place


def test_a_cell_that_is_said_to_be_emptied_is_and_a_blank_one_is_not():
    new = table({"id": "A"}, {"id": "B"}, {"id": "C"})
    kept = table(
        {"id": "A", "name": "甲池", "volume_m3": "50", "note": "旧", "source": "文件", "document": "d"},
        {"id": "B", "name": "乙池", "volume_m3": "60", "note": "旧", "source": "文件", "document": "d"},
    )
    said = {"id", "volume_m3", "note"}
    cleared = {"volume_m3": np.array([True, False, True]), "note": np.array([False, True, False])}
    joined = join(kept, new, Joining.UPDATE, PONDS, said, cleared)
    assert cells(joined, "id", "name", "volume_m3", "note", "source") == [
        ["A", "甲池", None, "旧", "导入"],
        ["B", "乙池", "60", None, "文件"],  # a note is nobody's content
        ["C", None, None, None, "导入"],
    ]
    found = compare_tables(kept.frame, joined.frame)
    told = [(one.id, one.column, one.old, one.new) for one in found.changed]
    assert ("A", "volume_m3", "50", None) in told
    assert ("B", "note", "旧", None) in told
    # without the word a blank takes nothing away, and in an addition nothing does
    assert cells(join(kept, new, Joining.UPDATE, PONDS, said), "volume_m3") == [["50"], ["60"], [None]]
    added = join(kept, new, Joining.ADD, PONDS, said, cleared)
    assert cells(added, "volume_m3") == [["50"], ["60"], [None]]


def test_a_coordinate_that_goes_takes_the_whole_place_with_it():
    new = table({"id": "B", "name": "乙池"})
    joined = join(KEPT, new, Joining.UPDATE, PONDS, FILE | {"lon"}, {"lon": np.array([True])})
    assert cells(joined, "lon", "lat", "position", "error_m")[1] == [None] * 4
    joined = join(KEPT, new, Joining.UPDATE, PONDS, FILE | {"error_m"}, {"error_m": np.array([True])})
    assert cells(joined, "lon", "lat", "position", "error_m")[1] == ["106.65", "28.9", "实测", None]


def test_a_record_without_a_place_gets_the_one_that_is_known():
    new = table(
        {"id": "A", "name": "甲池", "lon": "106.7", "lat": "28.8", "position": "村社近似", "error_m": "9"}
    )
    joined = join(KEPT, new, Joining.UPDATE, PONDS, FILE)
    assert cells(joined, "lon", "position", "source")[0] == ["106.7", "村社近似", "文件"]


def test_that_no_place_was_found_takes_none_away():
    new = table({"id": "A", "name": "甲池", "position": "未定位"})
    assert compare_tables(KEPT.frame, join(KEPT, new, Joining.UPDATE, PONDS, FILE).frame).same


def test_a_row_of_a_kept_record_s_name_is_probably_it():
    kept = table(
        {"id": "A", "name": "甲池", "town": "东溪镇"},
        {"id": "B", "name": "乙池"},
        {"id": "C", "name": "丙池", "town": "东溪镇"},
        {"id": "D", "name": "丁池", "town": "东溪镇"},
        {"id": "E", "name": "丁池", "town": "东溪镇"},
        {"id": "F", "name": "己池", "town": "东溪镇"},
    ).frame
    new = table(
        {"id": "1", "name": "甲 池", "town": "东溪镇"},
        {"id": "2", "name": "乙池", "town": "东溪镇"},  # kept without a town
        {"id": "3", "name": "丙池", "town": "永城镇"},  # elsewhere
        {"id": "4", "name": "丁池", "town": "东溪镇"},  # which?
        {"id": "F", "name": "己池", "town": "东溪镇"},  # known by its id
        {"id": "6", "name": None},
    ).frame
    assert namesakes(kept, new, PONDS) == {0: "A", 1: "B"}
    assert namesakes(kept, kept, PONDS) == {}
    assert namesakes(kept.head(0), new, PONDS) == {}


def test_every_layer_has_a_key():
    assert {key_of(one) for one in REGISTRY.layers.values()} == {"id"}
    assert {key_of(one) for one in REGISTRY.tables.values()} <= {"id", "code"}


IDS = st.lists(st.sampled_from("ABCDEFG"), unique=True)
TEXT = st.one_of(st.none(), st.sampled_from(["甲", "12", "12.0", ""]))


@settings(deadline=None, max_examples=40)
@given(IDS, IDS, st.data())
def test_no_record_is_lost_but_by_replacing_and_none_comes_twice(old, new, data):
    def made(ids):
        return table(*({"id": one, "name": data.draw(TEXT), "volume_m3": data.draw(TEXT)} for one in ids))

    kept, fresh = made(old), made(new)
    for how in Joining:
        joined = join(kept, fresh, how, PONDS, FILE)
        ids = joined.frame["id"].tolist()
        assert len(ids) == len(set(ids)) == len(joined.rows)
        assert set(ids) == (set(new) if how == Joining.REPLACE else {*old, *new})
        again = join(joined, fresh, how, PONDS, FILE)
        assert compare_tables(joined.frame, again.frame).same  # a second time changes nothing
        if how == Joining.ADD:
            assert not compare_tables(kept.frame, joined.frame).changed


OWN = ("重庆市綦江区", "綦江区", "綦江")


def test_a_name_is_the_same_with_the_district_or_its_town_before_it():
    kept = table(
        {"id": "A", "name": "綦江区丁山镇卫生院", "town": "丁山镇"},
        {"id": "B", "name": "綦江区人民医院"},
        {"id": "C", "name": "綦江区永新镇卫生院", "town": "永新镇"},
    ).frame
    new = table(
        {"id": "1", "name": "重庆市綦江区丁山镇卫生院", "town": "丁山镇"},
        {"id": "2", "name": "綦江人民医院", "town": "古南街道"},
        {"id": "3", "name": "永新卫生院", "town": "永新镇"},
        {"id": "4", "name": "卫生院", "town": "东溪镇"},
    ).frame
    assert namesakes(kept, new, PONDS, OWN) == {0: "A", 1: "B", 2: "C"}
    short = new.assign(name=["丁山镇卫生院", "人民医院", "卫生院", "綦江"])
    assert namesakes(kept, short, PONDS, OWN) == {0: "A", 1: "B", 2: "C"}
    # two rows that would be one record are nobody's
    twice = table(
        {"id": "1", "name": "丁山卫生院", "town": "丁山镇"}, {"id": "2", "name": "卫生院", "town": "丁山镇"}
    ).frame
    assert namesakes(kept, twice, PONDS, OWN) == {}


def test_a_name_with_some_words_more_or_less_may_be_a_record_of_its_town():
    kept = table(
        {"id": "A", "name": "綦江区石角镇中心卫生院", "town": "石角镇"},
        {"id": "B", "name": "綦江区石角镇蒲河卫生院", "town": "石角镇"},
        {"id": "C", "name": "东溪镇中心卫生院", "town": "东溪镇"},
        {"id": "D", "name": "1号消火栓", "town": "东溪镇"},
        {"id": "E", "name": "己池", "town": "东溪镇"},
    ).frame
    new = table(
        {"id": "1", "name": "石角镇卫生院", "town": "石角镇"},
        {"id": "2", "name": "东溪卫生院", "town": "东溪镇"},
        {"id": "3", "name": "11号消火栓", "town": "东溪镇"},
        {"id": "4", "name": "东溪镇己池", "town": "东溪镇"},  # the same, so not one that is like it
        {"id": "5", "name": "中心卫生院", "town": "永新镇"},
        {"id": "6", "name": "卫生院分院", "town": "石角镇"},
    ).frame
    assert lookalikes(kept, new, PONDS, OWN) == {0: ("A", "B"), 1: ("C",)}
    assert lookalikes(kept, kept, PONDS, OWN) == {}
