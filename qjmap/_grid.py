"""Rows of text cells, gathered column by column in Arrow: a table of 100,000 rows without its cells as objects."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

import numpy as np
import pandas as pd
import pyarrow as pa

from qjmap import _limits
from qjmap._units import known, measures
from qjmap.errors import DataError, Problem

Row = tuple[int, Mapping[int, str]]
"""A row's number in its file, and its cells by place (from 0); blank cells may be left out."""

Span = tuple[int, int, int, int]
"""Merged cells: first and last row (as in the file), first and last place (from 0)."""

Spans = Callable[[int], Sequence[Span]]
"""Gives the merged cells that begin no lower than a row."""


def no_spans(_: int) -> Sequence[Span]:
    """Give none: a file that has no merged cells."""
    return ()


_LOOK_AT = 30
_TALLEST = 4  # lines of a head
_NUMBER = re.compile(r"[-+]?[0-9.,%]+")
_GENERAL = re.compile(
    r"(?!.*(?:19|20)\d\d).*(?:信息|情况|概况|参数|指标|特性|属性|数据|内容|坐标|位置|经纬度)"
)
"""Words over several columns that add nothing to their names; 裙房 over 高度, or 2015年 over 床位, does."""


@dataclass(frozen=True)
class Grid:
    """A table: its text, the rows' numbers, where the header stood, which column is whose.

    `names` are those of the frame's columns, and `places` gives each its place (from 0); `problems` are rows wider than
    the header; `above` is the text that stands above the columns' names, which take `header_rows` rows.
    """

    names: tuple[str, ...]
    rows: Sequence[int]
    header_row: int
    header_rows: int
    places: tuple[int, ...]
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]
    above: tuple[str, ...]
    _columns: _Columns = field(repr=False)
    _start: int

    @property
    def frame(self) -> pd.DataFrame:
        """Give the text: to be asked for when all sheets are gathered, for those of the same columns share it."""
        return self._columns.frame(self._start, self._start + len(self.rows))


class _Column:
    """One column's text in one piece, as Arrow has it: bytes, and where each cell ends."""

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.ends = array("q", [0])

    def array(self) -> pa.Array:
        """Give the cells; blank ones are missing."""
        ends = np.frombuffer(self.ends, dtype=np.int64)
        known = np.packbits(np.diff(ends) > 0, bitorder="little")
        # copied: what grows cell by cell has taken an eighth more than it holds
        buffers = [pa.py_buffer(known), pa.py_buffer(self.ends[:]), pa.py_buffer(bytes(self.bytes))]
        return pa.Array.from_buffers(pa.large_string(), len(ends) - 1, buffers)


class _Columns:
    """Cells as they come: a hundred thousand rows of Python objects would take ten times the room.

    Sheets of the same columns are gathered in one: a workbook of 250 sheets of 14 columns would be 3,500 pieces else,
    each of which takes some thousand bytes beside its text.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names, self.rows, self.size = tuple(names), 0, 0
        self.columns = [_Column() for _ in names]
        self._whole: pd.DataFrame | None = None

    @property
    def open(self) -> bool:
        """Say whether there may be added to it."""
        return self._whole is None

    def add(self, cells: Mapping[int, str], places: Sequence[int]) -> None:
        """Add a row, whose cells stand in these places."""
        self.rows += 1
        for place, column in zip(places, self.columns, strict=True):
            text = cells.get(place)
            if text is not None:
                data = text.strip().encode("utf-8", "replace")
                column.bytes += data
                self.size += len(data)
            column.ends.append(len(column.bytes))

    def frame(self, start: int, stop: int) -> pd.DataFrame:
        """Give some of the rows; nothing is added any more."""
        if self._whole is None:
            self.columns.reverse()  # given up one by one: two of each would be twice the room
            arrays = [self.columns.pop().array() for _ in self.names]
            whole: pd.DataFrame = pa.table(arrays, names=list(self.names)).to_pandas()
            self._whole = whole.astype("str")
        if (start, stop) == (0, len(self._whole)):
            return self._whole
        return self._whole.iloc[start:stop].reset_index(drop=True)


@dataclass
class Spent:
    """What the sheets of a workbook that are read already hold: the limits are for all of them together."""

    rows: int = 0
    cells: int = 0
    text: int = 0
    columns: dict[tuple[str, ...], _Columns] = field(default_factory=dict, repr=False)

    def columns_of(self, names: tuple[str, ...]) -> _Columns:
        """Give where the rows of such columns are gathered."""
        found = self.columns.get(names)
        if found is None or not found.open:
            found = self.columns[names] = _Columns(names)
        return found


def gather(
    rows: Iterable[Row],
    file: str,
    header_row: int | None = None,
    *,
    strict: bool = False,
    spent: Spent | None = None,
    spans: Spans = no_spans,
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
    spans
        The file's merged cells, by which the lines of a header are held together.

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
    at, lines, merged = _lines(head, header_row, spans)
    names, places, skipped, notes = _names(head, at, lines, merged)
    named = frozenset(places)
    strays: dict[int, int] = {}
    problems: list[Problem] = []
    spent = Spent() if spent is None else spent
    columns, numbers = spent.columns_of(names), array("q")  # as objects they would take five times the room
    begun, before, cells = columns.rows, columns.size, spent.cells
    for count, row in enumerate(chain(head[at + lines + skipped :], filled), spent.rows + 1):
        cells += len(row[1])
        if count > _limits.ROWS or cells > _limits.CELLS or spent.text + columns.size - before > _limits.TEXT:
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
        numbers.append(row[0])
        columns.add(row[1], places)
    spent.rows, spent.cells = spent.rows + len(numbers), cells
    spent.text += columns.size - before
    if not strict:
        notes += tuple(
            f"第 {place + 1} 列没有列名,其中 {strays[place]} 行的内容未读" for place in sorted(strays)
        )
    over = head[: at + lines - 1]  # of two rows of names the first may have been left out
    above = tuple(dict.fromkeys(text for _, cells in over for one in cells.values() if (text := one.strip())))
    tall = head[at + lines - 1][0] - head[at][0] + 1
    return Grid(names, numbers[:], head[at][0], tall, places, notes, tuple(problems), above, columns, begun)


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
            return n - 1 if n and widths[n - 1] > 1 and _second(head, n - 1) else n
    return 0


def _told(row: Row) -> dict[int, str]:
    return {place: " ".join(cell.split()) for place, cell in row[1].items() if cell.strip()}


def _lines(head: Sequence[Row], said: int | None, spans: Spans) -> tuple[int, int, Sequence[Span]]:
    """Give the place of the header's first row, how many rows it has, and the merged cells that hold these together."""
    at = _header(head, said)
    merged = spans(head[-1][0]) if _may_span(head, at) else ()
    written = dict(head)
    tall = sorted(
        (top, bottom)
        for top, bottom, place, _ in merged
        if top < bottom < top + _TALLEST and written.get(top, {}).get(place, "").strip()
    )
    first = last = head[at][0]
    if (
        said is None
    ):  # names that are merged downwards are a header, though its rows be thinner than those below
        thin = len(_told(head[at])) < 2
        groups = [one for one, times in Counter(tall).items() if times > 1]
        near = (one for one in groups if thin or one[0] <= first <= one[1] + 1)
        first, last = next(near, (first, last))
    for top, bottom in tall:
        if top <= last and bottom >= first:
            first, last = min(first, top), max(last, bottom)
    at = next(n for n, (number, _) in enumerate(head) if number >= first)
    lines = sum(first <= number <= last for number, _ in head)
    if lines == 1 and _second(head, at):
        lines = 2
    own = [one for one in merged if head[at][0] <= one[0] and one[1] <= head[at + lines - 1][0]]
    return at, lines, own


def _may_span(head: Sequence[Row], at: int) -> bool:
    """Say whether cells round the header are blank as merged ones are; only then is it worth to look for them."""
    row = _told(head[at]).keys()
    above = _told(head[at - 1]).keys() if at else row
    below = _told(head[at + 1]).keys() if at + 1 < len(head) else row
    return len(row) < 2 or bool(row - below or (len(above) > 1 and above - row) or below - row)


def _joined(head: Sequence[Row], merged: Sequence[Span]) -> dict[int, str]:
    """Name the columns by the rows of a header from top to bottom, each cell once; a blank one is that to its left."""
    rows = [_told(row) for row in head]
    owners = {
        (number, place): (top, left)
        for top, bottom, left, right in merged
        for number in range(top, bottom + 1)
        for place in range(left, right + 1)
    }
    tall = {(top, left) for top, bottom, left, _ in merged if bottom > top}
    lowest = Counter(rows[-1].values())
    names: dict[int, str] = {}
    before: list[tuple[tuple[int, int], str] | None] = [None] * len(
        rows
    )  # what the place to the left is called by
    for place in sorted({place for row in rows for place in row}):
        called: list[tuple[tuple[int, int], str] | None] = []
        for n, (number, _) in enumerate(head):
            key = owners.get((number, place), (number, place))
            text = next(
                (row.get(key[1], "") for row, (one, _) in zip(rows, head, strict=True) if one == key[0]), ""
            )
            below = any(place in row for row in rows[n + 1 :])
            left = before[n]
            alone = left is None or owners.get((number, place)) or left[0] in tall
            called.append((key, text) if text else None if alone or not below else left)
        before = called
        parts = [text for _, text in dict.fromkeys(one for one in called if one is not None)]
        own = rows[-1].get(place)
        if own is not None and lowest[own] == 1:
            parts = [one for one in parts[:-1] if not _GENERAL.fullmatch(one)] + parts[-1:]
        names[place] = " ".join(parts)
    return names


def _names(
    head: Sequence[Row], at: int, lines: int, merged: Sequence[Span]
) -> tuple[tuple[str, ...], tuple[int, ...], int, tuple[str, ...]]:
    """Name the columns; further rows of the header lend their names where the first is blank or spans several.

    Gives the names, their places, whether a row of units stands below (1 or 0), and what to tell.
    """
    notes: list[str] = []
    numbers = [number for number, _ in head[at : at + lines]]
    if at:
        notes.append(f"第 {numbers[0]} 行作为列名,其上 {at} 行(标题、填报单位等)未读")
    if lines > 1:
        count = "两三四"[lines - 2]
        notes.append(f"列名占{count}行(第 {'、'.join(map(str, numbers))} 行),已合并")
    names = _joined(head[at : at + lines], merged) if lines > 1 else _told(head[at])
    # Columns without a name but with content below keep their place in the problems, not in the frame.
    names = {place: names[place] for place in sorted(names) if names[place]}
    below = at + lines
    units = _units_below(head[below][1]) if below < len(head) else {}
    if units:
        notes.append(f"第 {head[below][0]} 行作为各列的单位")
        names = {
            place: f"{name}({units[place]})" if place in units else name for place, name in names.items()
        }
    taken: Counter[str] = Counter()
    for place, name in list(names.items()):
        taken[name] += 1
        if taken[name] > 1:
            fresh = f"{name}({taken[name]})"
            while fresh in names.values():
                fresh += "'"
            names[place] = fresh
            notes.append(f"列名“{name}”出现多次,第 {place + 1} 列记作“{fresh}”")
    return tuple(names.values()), tuple(names), int(bool(units)), tuple(notes)


def _units_below(below: Mapping[int, str]) -> dict[int, str]:
    """Give the units that stand in a row of their own under the names; nothing when it holds anything else."""
    cells = {place: re.sub(r"[()()\s]", "", cell) for place, cell in below.items() if cell.strip()}
    units = {place: cell for place, cell in cells.items() if cell not in ("单位", "计量单位")}
    headed = len(units) < len(cells)
    enough = headed or len(units) > 1 or all(map(measures, units.values()))
    return units if units and enough and all(map(known, units.values())) else {}


def _second(head: Sequence[Row], at: int) -> bool:
    """Say whether the row below a header's first belongs to it, and is no data.

    It must name what the first leaves blank.
    A name under a name must stand beside such a one, or above nothing but numbers: 急救 over 救护车 over 1.
    """
    if at + 1 >= len(head):
        return False
    first, cells = _told(head[at]), _told(head[at + 1])
    fresh = [place for place in cells if place not in first]
    if not fresh or len(cells) == len(first.keys() | cells.keys()):
        return False
    if any(_NUMBER.fullmatch(cell) for cell in cells.values()) or min(cells) <= min(first):
        return False
    return all(
        place in fresh or place + 1 in fresh or _over_numbers(head[at + 2 :], place) for place in cells
    )


def _over_numbers(rows: Sequence[Row], place: int) -> bool:
    """Say whether nothing but numbers stands in a column."""
    cells = [cell for _, row in rows if (cell := row.get(place, "").strip())]
    return bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)
