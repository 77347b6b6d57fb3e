"""Rows of text cells, gathered column by column in Arrow: a table of 100,000 rows without its cells as objects."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import pandas as pd
import pyarrow as pa

from qjmap import _limits
from qjmap._units import known, measures
from qjmap.errors import DataError, Problem

Row = tuple[int, Mapping[int, str]]
"""A row's number in its file, and its cells by place (from 0); blank cells may be left out."""

_LOOK_AT = 30
_NUMBER = re.compile(r"[-+]?[0-9.,%]+")
_GENERAL = re.compile(
    r"(?!.*(?:19|20)\d\d).*(?:信息|情况|概况|参数|指标|特性|属性|数据|内容|坐标|位置|经纬度)"
)
"""Words over several columns that add nothing to their names; 裙房 over 高度, or 2015年 over 床位, does."""


@dataclass(frozen=True)
class Grid:
    """A table: its text, the rows' numbers, where the header stood, which column is whose.

    `places` gives each of the frame's columns its place (from 0); `problems` are rows wider than the header; `above` is
    the text that stands above the columns' names.
    """

    frame: pd.DataFrame
    rows: tuple[int, ...]
    header_row: int
    places: tuple[int, ...]
    notes: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    above: tuple[str, ...] = ()


@dataclass
class Spent:
    """What the sheets of a workbook that are read already hold: the limits are for all of them together."""

    rows: int = 0
    cells: int = 0
    text: int = 0


class _Column:
    """One column's text in one piece, as Arrow has it: bytes, and where each cell ends."""

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.ends = array("q", [0])

    def array(self) -> pa.Array:
        """Give the cells; blank ones are missing."""
        ends = np.frombuffer(self.ends, dtype=np.int64)
        known = np.packbits(np.diff(ends) > 0, bitorder="little")
        buffers = [pa.py_buffer(known), pa.py_buffer(self.ends), pa.py_buffer(self.bytes)]
        return pa.Array.from_buffers(pa.large_string(), len(ends) - 1, buffers)


class _Columns:
    """Cells as they come: a hundred thousand rows of Python objects would take ten times the room."""

    def __init__(self, places: Sequence[int]) -> None:
        self.places = places
        self.columns = [_Column() for _ in places]
        self.numbers: list[int] = []
        self.size = 0

    def add(self, row: Row) -> None:
        number, cells = row
        self.numbers.append(number)
        for place, column in zip(self.places, self.columns, strict=True):
            text = cells.get(place)
            if text is not None:
                data = text.strip().encode("utf-8", "replace")
                column.bytes += data
                self.size += len(data)
            column.ends.append(len(column.bytes))

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        arrays = [one.array() for one in self.columns]
        frame: pd.DataFrame = pa.table(arrays, names=list(names)).to_pandas()
        return frame.astype("str")


def gather(
    rows: Iterable[Row],
    file: str,
    header_row: int | None = None,
    *,
    strict: bool = False,
    spent: Spent | None = None,
) -> Grid | None:
    """Make rows into a table.

    Parameters
    ----------
    rows
        In the order of the file; rows that are wholly blank are left out.
    file
        The name to tell faults by.
    header_row
        The number of the header's row, when a person has said it; else it is looked for.
    strict
        Whether content beside the named columns is a fault (in CSV it is the trace of a comma without quotes);
        else it is left out, and a note says so.
    spent
        What the limits have been used for by other sheets of the same file; told what this one adds.

    Returns
    -------
    Grid or None
        None when there is nothing in it.

    Raises
    ------
    DataError
        Too many rows, columns or cells, or too much text in them.
    """
    filled = iter(_filled(rows))
    head = list(islice(filled, max(_LOOK_AT, header_row or 0)))
    if not head:
        return None
    at = _header(head, header_row)
    names, places, under, skipped, notes = _names(head, at)
    columns = _Columns(places)
    named = frozenset(places)
    strays: dict[int, int] = {}
    problems: list[Problem] = []
    spent = Spent() if spent is None else spent
    cells = spent.cells
    for count, row in enumerate(chain(head[at + 1 + skipped :], filled), spent.rows + 1):
        cells += len(row[1])
        if count > _limits.ROWS or cells > _limits.CELLS or spent.text + columns.size > _limits.TEXT:
            raise _too_much(file, count, cells)
        for place in row[1].keys() - named:
            if row[1][place].strip():
                strays[place] = strays.get(place, 0) + 1
                if strict:
                    advice = "单元格内有逗号时须加英文双引号;该列有用时请加上列名"
                    value = row[1][place]
                    problems.append(
                        Problem(file, row[0], f"第 {place + 1} 列", value, "不超出列名的内容", advice)
                    )
        columns.add(row)
    spent.rows, spent.cells = spent.rows + len(columns.numbers), cells
    spent.text += columns.size
    if not strict:
        notes += tuple(
            f"第 {place + 1} 列没有列名,其中 {strays[place]} 行的内容未读" for place in sorted(strays)
        )
    numbers = tuple(columns.numbers)
    frame = columns.frame(names)
    over = head[: at + 1] if under else head[:at]  # of two rows of names the first may have been left out
    above = tuple(dict.fromkeys(text for _, cells in over for one in cells.values() if (text := one.strip())))
    return Grid(frame, numbers, head[at][0], places, notes, tuple(problems), above)


def _too_much(file: str, rows: int, cells: int) -> DataError:
    """Refuse a table, or a workbook's sheets together, for the first of the limits that it breaks."""
    if rows > _limits.ROWS:
        most, more = f"{_limits.ROWS:,} 行", ""
    elif cells > _limits.CELLS:
        most, more = f"{_limits.CELLS:,} 个单元格", ",或删去不用的列"
    else:
        most, more = f"{_limits.TEXT // 1_000_000:,} MB 文字", ",或把长文另存"
    expected = f"不多于 {most}的文件(各表合计)"
    return _limits.refusal(file, f"超过 {most}", expected, f"请按街镇分成几个文件{more}")


def _filled(rows: Iterable[Row]) -> Iterable[Row]:
    for number, cells in rows:
        if any(cell and not cell.isspace() for cell in cells.values()):
            yield number, cells


def _header(head: Sequence[Row], said: int | None) -> int:
    """Find the header: the first row about as wide as the table that is not mostly numbers."""
    if said is not None and said <= head[-1][0]:  # a row that the file has not is none that was meant
        return next(n for n, (number, _) in enumerate(head) if number >= said)
    widths = [len([one for one in cells.values() if one.strip()]) for _, cells in head]
    for n, (_, cells) in enumerate(head):
        words = [one for one in cells.values() if one.strip() and not _NUMBER.fullmatch(one.strip())]
        if widths[n] >= 0.6 * max(widths) and len(words) * 2 > widths[n]:
            # names that span several columns may fill fewer cells than those below them
            return n - 1 if n and widths[n - 1] > 1 and _second(_told(head[n - 1]), head[n][1]) else n
    return 0


def _told(row: Row) -> dict[int, str]:
    return {place: " ".join(cell.split()) for place, cell in row[1].items() if cell.strip()}


def _names(
    head: Sequence[Row], at: int
) -> tuple[tuple[str, ...], tuple[int, ...], bool, int, tuple[str, ...]]:
    """Name the columns; a second row of the header lends its names where the first is blank or spans several.

    Gives the names, their places, whether there is such a row, how many rows below the first belong to the header, and
    what to tell. A row of units is one of them.
    """
    notes: list[str] = []
    if at:
        notes.append(f"第 {head[at][0]} 行作为列名,其上 {at} 行(标题、填报单位等)未读")
    first = _told(head[at])
    under = _second(first, head[at + 1][1]) if at + 1 < len(head) else {}
    if under:
        notes.append(f"列名占两行(第 {head[at][0]}、{head[at + 1][0]} 行),已合并")
    names: dict[int, str] = {}
    group = ""
    counts = Counter(under.values())
    for place in sorted(first.keys() | under.keys()):
        group = first.get(place, group)
        own = under.get(place)
        alone = own is not None and counts[own] == 1 and (not group or _GENERAL.fullmatch(group))
        names[place] = first.get(place, "") if own is None else own if alone else f"{group} {own}".strip()
    # Columns without a name but with content below keep their place in the problems, not in the frame.
    names = {place: name for place, name in names.items() if name}
    skipped = 1 if under else 0
    units = _units_below(head[at + 1 + skipped][1]) if at + 1 + skipped < len(head) else {}
    if units:
        notes.append(f"第 {head[at + 1 + skipped][0]} 行作为各列的单位")
        names = {
            place: f"{name}({units[place]})" if place in units else name for place, name in names.items()
        }
        skipped += 1
    taken: Counter[str] = Counter()
    for place, name in list(names.items()):
        taken[name] += 1
        if taken[name] > 1:
            fresh = f"{name}({taken[name]})"
            while fresh in names.values():
                fresh += "'"
            names[place] = fresh
            notes.append(f"列名“{name}”出现多次,第 {place + 1} 列记作“{fresh}”")
    return tuple(names.values()), tuple(names), bool(under), skipped, tuple(notes)


def _units_below(below: Mapping[int, str]) -> dict[int, str]:
    """Give the units that stand in a row of their own under the names; nothing when it holds anything else."""
    cells = {place: re.sub(r"[()()\s]", "", cell) for place, cell in below.items() if cell.strip()}
    units = {place: cell for place, cell in cells.items() if cell not in ("单位", "计量单位")}
    headed = len(units) < len(cells)
    enough = headed or len(units) > 1 or all(map(measures, units.values()))
    return units if units and enough and all(map(known, units.values())) else {}


def _second(first: Mapping[int, str], below: Mapping[int, str]) -> dict[int, str]:
    """Give the second row of a header; nothing when the row below is data: it must name what the first leaves blank."""
    cells = {place: " ".join(cell.split()) for place, cell in below.items() if cell.strip()}
    fresh = [place for place in cells if place not in first]
    if not fresh or len(cells) == len(first.keys() | cells.keys()):
        return {}
    if any(_NUMBER.fullmatch(cell) for cell in cells.values()) or min(cells) <= min(first):
        return {}
    return cells if all(place in fresh or place + 1 in fresh for place in cells) else {}
