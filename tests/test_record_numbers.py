"""Numbers of records: as the sheet shows them, whole, in one writing; two that are nearly the same are told."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from openpyxl import Workbook

from qjmap import _excel, draft, ingest, matching

SAID = {"kind": "市政消火栓", "status": "现状", "name": draft.BY_NUMBER}


def sheet(*ids, code="General") -> bytes:
    book = Workbook()
    book.active.append(["编号", "街镇", "流量"])
    for number, one in enumerate(ids, 2):
        book.active.append([one, "戊镇", 15])
        book.active.cell(number, 1).number_format = code
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def made(district, content, name="a.xlsx", existing=None, **said):
    spec = district.registry.spec("hydrants")
    (source,) = ingest.read(name, content)
    matches = matching.match(source, spec, tuple(district.towns.index))
    return draft.prepare(
        source, spec, matches, None, draft.surroundings(district, existing), fills=SAID, **said
    )


def kept(*ids) -> pd.DataFrame:
    blank = [float("nan")] * len(ids)
    return pd.DataFrame({"id": ids, "kind": ["市政消火栓"] * len(ids), "lon": blank, "lat": blank})


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("000", 1, "001"),
        ("000", 12345, "12345"),
        ('"QJ-"0000', 12, "QJ-0012"),
        (r"000\-0000", 1234567, "123-4567"),
        ("[$-804]000", 7, "007"),
        ("0000;-0000", 7, "0007"),
        ("000_ ", 7, "007"),
        ("000", 1.5, "1.5"),
        ("000", -1, "-1"),
        ("0", 5, "5"),
        ("0.00", 5, "5"),
        ("#,##0", 1234, "1234"),
        ("General", 5, "5"),
    ],
)
def test_leading_zeros_that_a_sheet_shows_are_read(grid_district, code, number, shown):
    assert made(grid_district, sheet(number, code=code)).frame["id"].tolist() == [shown]
    letters = _excel.zeros(code)
    assert (_excel.with_zeros(str(number), letters) if letters else str(number)) == shown


def test_a_number_of_things_is_the_same_with_zeros(grid_district):
    book = Workbook()
    book.active.append(["编号", "街镇", "流量", "经度", "年份"])
    book.active.append(["A1", "戊镇", 15, None, 2020])
    for column in (3, 5):
        book.active.cell(2, column).number_format = "0000"
    out = io.BytesIO()
    book.save(out)
    frame = made(grid_district, out.getvalue()).frame
    assert frame["flow_l_s"].tolist() == [15]


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv"])
def test_an_id_that_lost_its_digits_is_a_fault(grid_district, name):
    content = sheet(500110000000000123, 500110000000000124, "E5", "1E5")
    if name == "a.csv":
        content = "编号,街镇,流量\n5.0011E+17,戊镇,15\n1.5E+11,戊镇,15\nE5,戊镇,15\n1E5,戊镇,15\n".encode()
    found = made(grid_district, content, name)
    assert found.frame["id"].tolist() == ["E5", "1E5"]
    assert {one.row for one in found.problems if "末几位已经丢失" in one.advice} == {2, 3}


def test_ids_are_written_in_one_way_and_each_can_be_refused(grid_district):
    found = made(
        grid_district,
        '编号,街镇,流量\nＴ1,戊镇,15\nT 2,戊镇,15\n\'T3,戊镇,15\n"=""T4""",戊镇,15\n东溪-5,戊镇,15\n'.encode(),
        "a.csv",
    )
    assert found.frame["id"].tolist() == ["T1", "T2", "T3", "T4", "东溪-5"]
    told = [(one.row, one.old, one.new) for one in found.repairs if one.id.startswith("id-writing:id")]
    assert told == [(2, "Ｔ1", "T1"), (3, "T 2", "T2"), (4, "'T3", "T3"), (5, '="T4"', "T4")]
    found = made(
        grid_district, "编号,街镇,流量\nT 2,戊镇,15\n".encode(), "a.csv", refused_repairs=["id-writing"]
    )
    assert found.frame["id"].tolist() == ["T 2"]
    # one and the same under two writings is told as any other that is there twice
    found = made(grid_district, "编号,街镇,流量\nT1,戊镇,15\nＴ１,戊镇,15\n".encode(), "a.csv")
    assert [(one.row, one.value) for one in found.problems] == [(3, "T1")]


def test_an_id_that_is_kept_as_it_is_stays(grid_district):
    content = "编号,街镇,流量\nT 1,戊镇,15\nT 2,戊镇,15\n".encode()
    assert made(grid_district, content, "a.csv", kept("T 1")).frame["id"].tolist() == ["T 1", "T2"]
    assert made(grid_district, content, "a.csv", known=["T 2"]).frame["id"].tolist() == ["T1", "T 2"]


def test_ids_that_differ_by_case_or_zeros_are_told(grid_district):
    content = "编号,街镇,流量\nT1,戊镇,15\nt1,戊镇,15\nQ-007,戊镇,15\nQ-7,戊镇,15\nQ-70,戊镇,15\nx9,戊镇,15\n".encode()
    found = made(grid_district, content, "a.csv", kept("X09", "T1"))
    told = [
        (one.row, one.value, one.advice.partition(",")[0])
        for one in found.warnings
        if "写法一致" in one.expected
    ]
    assert sorted(told) == [
        (3, "t1", "库中有“T1”"),
        (3, "t1", "第 2 行有“T1”"),
        (5, "Q-7", "第 4 行有“Q-007”"),
        (7, "x9", "库中有“X09”"),
    ]
    assert found.problems == ()
