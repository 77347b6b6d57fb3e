"""Sheets of a workbook that are one list, as one for each town: which go together, and read as one table.

Columns are joined by their names, never by their places. Nothing is joined unless a person wants it so.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from qjmap.ingest import SHEET_ROWS, RawTable, Source, sheet_file
from qjmap.matching import units_said

_NAMED = 10  # rows, columns and sheets told by their names
_COUNTED = 30  # sheets whose rows are told: more than a district has towns
_AGAIN = re.compile(r"(.+)\((\d+)\)'*")


def misfit(first: Source, other: Source) -> str:
    """Say why a sheet cannot be read together with another; blank when it can.

    Parameters
    ----------
    first
        The sheet that was chosen.
    other
        Another one: it must have all its columns, in whatever order, and may have more.
    """
    if not {first.format, other.format} <= {"xlsx", "xls"}:
        return "不是工作表"
    names, own = list(first.table.frame.columns), list(other.table.frame.columns)
    lost = [name for name in names if name not in own]
    if len(lost) == len(names):
        return "列名都不同"
    if lost:
        return f"没有{_listed(lost, 4)}列"
    if units_said(first.above) != units_said(other.above):
        return "表头上方写的单位不同"
    if own[: len(names)] != names and any(_numbered(name, own) for name in own):
        return "有同名的列,而列的次序不同"
    return ""


def _numbered(name: str, names: Collection[str]) -> bool:
    """Tell whether a name is one that the reader numbered, for it stands there more than once."""
    found = _AGAIN.fullmatch(name)
    return found is not None and found[1] in names


def fitting(sources: Sequence[Source], number: int) -> tuple[int, ...]:
    """Give the places of the other sheets that can be read together with one of them; of one name only the first."""
    found, names = [], {sources[number].name}
    for place, other in enumerate(sources):
        if place != number and other.name not in names and not misfit(sources[number], other):
            found.append(place)
            names.add(other.name)
    return tuple(found)


def misfits(sources: Sequence[Source], number: int) -> list[str]:
    """Say of sheets that look like one of them, and cannot be read together with it, why not."""
    names = set(sources[number].table.frame.columns)
    return [
        f"工作表{_listed([other.name], 1)}不能一起读:{why}"
        for place, other in enumerate(sources)
        if place != number
        and 2 * len(names & set(other.table.frame.columns)) >= len(names)
        and (why := misfit(sources[number], other))
    ][:_NAMED]


def chosen(
    sources: Sequence[Source], number: int, others: Collection[int] = (), *, veiled: bool = True
) -> Source:
    """Give what a person wants read of a file.

    Parameters
    ----------
    sources
        All that the file holds.
    number
        The place of the sheet that was chosen.
    others
        Places of those that are read with it, in one table; those that do not fit are not.
    veiled
        Whether rows that Excel hides are read, too.

    Returns
    -------
    Source
        With what a person should know of it among its notes.
    """
    fit = fitting(sources, number)
    places = [place for place in range(len(sources)) if place == number or (place in others and place in fit)]
    parts = [_rows_read(sources[place], veiled=veiled) for place in places]
    left = [sources[place] for place in fit if place not in places]
    found = parts[0] if len(parts) == 1 else joined(parts)
    if not left:
        return found
    rows = sum(len(one.table.rows) for one in left)
    said = (
        f"另有 {len(left)} 张列名相同的工作表(共 {rows:,} 行)没有读:{_listed([one.name for one in left], 6)}"
    )
    return replace(found, notes=(*found.notes, f"{said};要一起读,请在“文件”一步选"))


def _rows_read(source: Source, *, veiled: bool) -> Source:
    """Tell of rows that Excel hides, or leave them out."""
    if not source.veiled:
        return source
    named = "、".join(map(str, source.veiled[:_NAMED])) + ("等" if len(source.veiled) > _NAMED else "")
    said = f"有 {len(source.veiled):,} 行在 Excel 中是隐藏的(筛选掉的或手工隐藏的)"
    if veiled:
        note = f"{said},也一并读入:第 {named} 行;不要的请在“文件”一步选“不读隐藏的行”"
        return replace(source, notes=(*source.notes, note))
    note = f"{said},按所选没有读:第 {named} 行"
    seen = ~np.isin(np.asarray(source.table.rows, dtype=np.int64), source.veiled)
    rows = tuple(row for row, kept in zip(source.table.rows, seen.tolist(), strict=True) if kept)
    frame, merged, moved = _unmerged(source, rows)
    table = replace(source.table, frame=frame[seen].reset_index(drop=True), rows=rows)
    return replace(source, table=table, merged=merged, notes=(*source.notes, note, *moved))


def _unmerged(
    source: Source, rows: Sequence[int]
) -> tuple[pd.DataFrame, tuple[tuple[str, int, int], ...], list[str]]:
    """Let blocks of merged cells whose first row is left out begin with their next one, which shows the same value."""
    frame, kept = source.table.frame, set(rows)
    merged: list[tuple[str, int, int]] = []
    moved: list[str] = []
    place = {row: n for n, row in enumerate(source.table.rows)}
    for name, top, bottom in source.merged:
        first = next((row for row in range(top, bottom + 1) if row in kept), None)
        if first is None:
            continue
        if first != top and top in place:
            value = frame[name].iat[place[top]]
            if isinstance(value, str):
                frame = frame.assign(**{name: frame[name].where(frame.index != place[first], value)})
            moved.append(
                f"“{name}”列第 {top}~{bottom} 行是合并单元格,值写在隐藏的第 {top} 行,算到第 {first} 行"
            )
        if bottom > first:
            merged.append((name, first, bottom))
    return frame, tuple(merged), moved


def joined(parts: Sequence[Source]) -> Source:
    """Put sheets that fit the first into one table, column by column by name; a column that one has not is blank there.

    The text is not copied. A row's number is the sheet's place times `qjmap.ingest.SHEET_ROWS`, and its own.
    """
    first, names = parts[0], [one.name for one in parts]
    book = first.table.file.removesuffix(sheet_file("", first.name))
    frame = pd.concat([one.table.frame for one in parts], ignore_index=True)
    # as objects the numbers would take five times the room
    rows = array("q", (SHEET_ROWS * n + row for n, one in enumerate(parts) for row in one.table.rows))
    sheets = tuple((one.name, one.table.file) for one in parts)
    merged = (
        (name, SHEET_ROWS * n + top, SHEET_ROWS * n + bottom)
        for n, one in enumerate(parts)
        for name, top, bottom in one.merged
    )
    unsaved: Counter[str] = Counter()
    for one in parts:
        unsaved.update(dict(one.unsaved))
    counts = "、".join(f"“{one.name}”{len(one.table.rows):,} 行" for one in parts[:_COUNTED])
    more = "等" if len(parts) > _COUNTED else ""
    said = f"{len(parts)} 张工作表一起读,共 {len(rows):,} 行:{counts}{more}"
    return Source(
        "、".join(names),
        RawTable(f"{book} 工作表{_listed(names, 6)}", frame, rows, sheets),
        first.format,
        notes=(said, *_more_columns(parts), *_gathered(parts)),
        header_row=first.header_row,
        header_rows=first.header_rows,
        merged=tuple(merged),
        above=tuple(dict.fromkeys(text for one in parts for text in one.above)),
        parts=tuple(parts),
        unsaved=tuple(unsaved.items()),
    )


def _more_columns(parts: Sequence[Source]) -> list[str]:
    """Say of columns that not every sheet has in which they stand."""
    own = [dict.fromkeys(map(str, one.table.frame.columns)) for one in parts]
    some = [
        name
        for name in dict.fromkeys(name for one in own for name in one)
        if not all(name in one for one in own)
    ]
    return [
        f"“{name}”列只在{_listed([one.name for one, names in zip(parts, own, strict=True) if name in names], 6)}里有,"
        "其余的表按空白"
        for name in some
    ]


def _gathered(parts: Sequence[Source]) -> list[str]:
    """Put what is noted of the sheets together: what holds for all is said once."""
    where: dict[str, list[str]] = {}
    for one in parts:
        for note in one.notes:
            where.setdefault(note, []).append(one.name)
    return [
        f"各表:{note}" if len(names) == len(parts) else f"{_listed(names, 6)}:{note}"
        for note, names in where.items()
    ]


def _listed(names: Sequence[str], most: int) -> str:
    """Name some of them in quotes, and how many there are."""
    shown = "".join(f"“{' '.join(str(name).split())[:30]}”" for name in names[:most])
    return shown if len(names) <= most else f"{shown}等 {len(names)} 个"
