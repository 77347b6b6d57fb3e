"""Cells as people write them: what is read as a number is one number that stands there, and what is done is named."""

from __future__ import annotations

import re
import time
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qjmap import _advice, _cells, _repairs, draft, ingest, matching
from qjmap._bench import Work
from qjmap.errors import Problem
from qjmap.layers import Column

HEAD = "编号,名称,街镇,类别,状态,流量,口径"


def made(district, *cells: str, name: str = "流量", refused=()) -> draft.Draft:
    """Hydrants, each with one cell as given and all else in order."""
    spec = district.registry.spec("hydrants")
    good = {"街镇": "戊镇", "类别": "市政消火栓", "状态": "现状", "流量": "15", "口径": "100"}
    rows = [{**good, "编号": f"A{n}", "名称": f"点{n}", name: cell} for n, cell in enumerate(cells, 1)]
    lines = [",".join(f'"{row[one]}"' for one in HEAD.split(",")) for row in rows]
    (source,) = ingest.read("a.csv", "\n".join((HEAD, *lines)).encode())
    matches = matching.match(source, spec, tuple(district.towns.index))
    around = draft.surroundings(district)
    return draft.prepare(source, spec, matches, None, around, refused_repairs=refused)


@pytest.mark.parametrize("blank", [" ", "\u3000", "\xa0", "\u2009", "\u202f"])
def test_a_space_parts_thousands_only_before_three_digits(grid_district, blank):
    kept = made(grid_district, f"1{blank}050", f"{blank}12{blank}000.5{blank}")
    assert kept.frame["flow_l_s"].tolist() == [1050, 12000.5]
    assert "去掉千分位空格" in kept.repairs[0].why


@pytest.mark.parametrize(
    "cell",
    ["10 20", "15\u300020", "1 2", "1 0500", "1050 050", "0 050", "1  050", "1, 050", "1 .5", "1\t050", "12 000 5",
     "10 20升/秒", "10升/秒 20", "1\n2", "1\n050", "10\n20升/秒", "15 000\n200", "120\u2462", "12\u2075", "3\xbd"],
)  # fmt: skip
def test_two_numbers_in_a_cell_are_not_made_one(grid_district, cell):
    lost = made(grid_district, cell)
    (fault,) = lost.problems
    assert "一格里有两个数" in fault.advice
    assert not len(lost.frame)
    assert not lost.repairs


def test_what_stands_apart_without_being_two_numbers_is_read(grid_district):
    cells = ("15 升/秒", " 15\n", "约 15升/秒", "54 m³ / h", "1 050 升/秒", "+ 15")
    assert made(grid_district, *cells).frame["flow_l_s"].tolist() == [15, 15, 15, 15, 1050, 15]
    assert made(grid_district, "DN 100", name="口径").frame["diameter_mm"].tolist() == [100]
    assert not len(made(grid_district, "DN100 65", name="口径").frame)


def test_a_decimal_comma_behind_nought_parts_no_thousands(grid_district):
    (fault,) = made(grid_district, "0,500").problems
    assert "0.500" in fault.advice


@pytest.mark.parametrize(
    ("cell", "done"),
    [
        ("1,050", "去掉千分位逗号"),
        ("1 050", "去掉千分位空格"),
        (" 15 ", "去掉空格"),
        ("１５", "全角改半角"),
        ("1 050升/秒", "去掉千分位空格、去掉单位"),
        ("１，０５０ ", "全角改半角、去掉千分位逗号、去掉空格"),
    ],
)
def test_a_repair_says_what_was_done(cell, done):
    found = _repairs.number(cell, "升/秒", whole=False)
    assert found is not None
    assert found[2] == done


@given(st.text(alphabet="0125.,+- \n\t\u3000\xa0１２③⁵升秒/万mL约", max_size=14), st.booleans())
def test_a_repaired_number_has_the_digits_of_one_number_as_written(cell, whole):
    found = _repairs.number(cell, "升/秒", whole=whole)
    if found is None or found[0] is None or "×" in found[2]:
        return
    written = unicodedata.normalize("NFKC", cell.replace("m³", "m"))
    number = r"\d[\d.,]*(?:[ ]\d{3}(?!\d))*[\d.,]*|\.\d+"
    whole_numbers = [float(re.sub("[ ,]", "", one)) for one in re.findall(number, written) if one != "."]
    assert abs(float(found[0])) in whole_numbers
    assert len(whole_numbers) == 1


@pytest.mark.parametrize(
    "cell", ["1" * 32_000 + "x", "1 " * 16_000, "1 050" * 6_000, "1." * 16_000, "1," * 16_000]
)
def test_a_cell_of_digits_without_end_takes_no_time(grid_district, cell):
    start = time.process_time()
    lost = made(grid_district, *[cell] * 3, "100")
    lost = made(grid_district, *[cell] * 3, "100", name="口径")
    column = Column("lon", "经度", "longitude")
    assert _advice.advise(Problem("", 2, "lon", cell, "度数"), column, (), there=True)
    assert time.process_time() - start < 3
    assert len(lost.problems) >= 3
    assert len(lost.frame) == 1


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("1905-07-07", "2015"),
        ("1905-07-07 00:00:00", "2015"),
        ("1905/5/3", "1950"),
        ("1905-05-02", "1905"),
        ("1906-07-07", "1906"),
        ("1905-07", "1905"),
        ("2015-07-07", "2015"),
    ],
)
def test_a_year_in_a_cell_of_dates_is_that_year(cell, read):
    found = _repairs.year(cell)
    assert found is not None
    assert found[0] == read
    assert ("日期格式" in found[2]) == (found[1] == "year-format") == (read[:4] != cell[:4])


def test_ten_thousand_merged_pairs_are_filled_in_a_moment(grid_district):
    rows = "".join(f"A{n},点{n},{'戊镇' if n % 2 else ''},市政消火栓,现状,15,100\n" for n in range(1, 20_001))
    (source,) = ingest.read("a.csv", f"{HEAD}\n{rows}".encode())
    source = replace(source, merged=tuple(("街镇", top, top + 1) for top in range(2, 20_002, 2)))
    spec = grid_district.registry.spec("hydrants")
    matches = matching.match(source, spec)
    work = Work(source, spec, matches, draft.surroundings(grid_district), frozenset(), {}, {})
    start = time.process_time()
    _cells.fill_merged(work)
    assert time.process_time() - start < 3
    assert len(work.repairs) == 10_000
    assert set(work.cells["town"]) == {"戊镇"}


def test_merged_cells_that_overlap_are_filled_once(grid_district):
    rows = "".join(f"A{n},点{n},{'戊镇' if n == 1 else ''},市政消火栓,现状,15,100\n" for n in range(1, 6))
    (source,) = ingest.read("a.csv", f"{HEAD}\n{rows}".encode())
    source = replace(source, merged=(("街镇", 2, 4), ("街镇", 2, 5), ("街镇", 3, 6)))
    spec = grid_district.registry.spec("hydrants")
    around = draft.surroundings(grid_district)
    kept = draft.prepare(source, spec, matching.match(source, spec), None, around)
    assert [one.row for one in kept.repairs if one.id.startswith("merged")] == [3, 4, 5]
    assert [one.row for one in kept.problems] == []
