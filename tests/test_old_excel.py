"""A true .xls: BIFF8 as old Excel and WPS write it.

`data/register.xls` was made with xlwt 1.3.0 for this test; everything in it is invented.
"""

from __future__ import annotations

import struct
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qjmap import draft, ingest, matching, sheets
from qjmap.errors import DataError

CONTENT = Path(__file__).with_name("data").joinpath("register.xls").read_bytes()


def test_cells_of_every_kind_come_as_a_person_sees_them():
    register, about, hidden = ingest.read("台账.xls", CONTENT)
    assert (register.format, register.header_row, tuple(register.table.rows)) == ("xls", 2, (3, 4, 5, 6))
    frame = register.table.frame.astype(object).where(register.table.frame.notna(), None)
    assert frame.iloc[0].tolist() == [
        *("X001", "东溪镇广场栓", "东溪镇", "市政消火栓"),
        *("106.6612", "28.7693", "0.25", "2026-03-01", "是", None),
    ]
    assert frame["检查日期"].tolist() == ["2026-03-01", "2026-03-02 08:30:00", None, "1999-12-31"]
    assert frame["压力(MPa)"].tolist() == ["0.25", "0.3", None, "-1234567.5"]
    assert frame["名称"].tolist()[2:] == ["𠀀字路栓", "=1+1"]
    assert frame["编号"].iloc[3] == "0004"
    assert about.table.frame.to_dict("list") == {"项目": ["填报单位"], "内容": ["演示"]}
    assert (hidden.hidden, register.hidden) == (True, False)


def test_rows_that_excel_hides_are_known():
    """The fifth row with the mark of a hidden one (BIFF8: ROW, fDyZero)."""
    content, at = bytearray(CONTENT), CONTENT.index(struct.pack("<HHH", 0x0208, 16, 4))
    content[at + 4 + 12] |= 0x20
    register, *others = ingest.read("台账.xls", bytes(content))
    assert (register.veiled, [one.veiled for one in others]) == ((5,), [(), ()])
    less = sheets.chosen((register,), 0, veiled=False)
    assert tuple(less.table.rows) == (3, 4, 6)
    assert less.table.frame["编号"].tolist() == [
        each for row, each in zip(register.table.rows, register.table.frame["编号"], strict=True) if row != 5
    ]


def test_merged_cells_are_remembered_and_filled_as_in_a_new_workbook(qijiang):
    register = ingest.read("台账.xls", CONTENT)[0]
    assert register.merged == (("街镇", 3, 4),)
    assert pd.isna(register.table.frame["街镇"].iloc[1])
    spec = qijiang.registry.spec("hydrants")
    made = draft.prepare(register, spec, matching.match(register, spec), None, draft.surroundings(qijiang))
    assert any((one.row, one.column) == (4, "街镇") for one in made.repairs)


def test_a_workbook_whose_formats_are_broken_still_gives_its_cells():
    """A FORMAT record that says it holds more text than it does."""
    at = CONTENT.index(struct.pack("<H", 0x041E))
    broken = CONTENT[: at + 6] + b"\xff\xff" + CONTENT[at + 8 :]
    assert ingest.read("台账.xls", broken)[0].table.frame["编号"].iloc[0] == "X001"


@pytest.mark.parametrize("length", [8, 512, 1000, 2048, 4000, len(CONTENT) - 1])
def test_a_workbook_cut_short_is_refused_or_read(length):
    try:
        sources = ingest.read("台账.xls", CONTENT[:length])
    except DataError:
        return
    whole = {one.name: one.table.frame for one in ingest.read("台账.xls", CONTENT)}
    assert all(one.table.frame.equals(whole[one.name].iloc[: len(one.table.frame)]) for one in sources)


@given(st.lists(st.tuples(st.integers(0, len(CONTENT) - 1), st.integers(0, 255)), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_workbook_with_some_bytes_changed_is_refused_or_read(changes):
    content = bytearray(CONTENT)
    for at, value in changes:
        content[at] = value
    try:
        sources = ingest.read("台账.xls", bytes(content))
    except DataError:
        return
    assert all(len(one.table.rows) == len(one.table.frame) for one in sources)
