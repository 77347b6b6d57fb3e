"""Cells on the bench: what is no record is left out, what is merged or missing is filled, what is odd is repaired."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from qjmap._bench import BY_NUMBER, Bools, Repair, Work, like
from qjmap._grouped import heading
from qjmap._ids import like_ids, strange_ids
from qjmap._repairs import UNSEEN, fixer, identifier, seen, stem, written
from qjmap._sums import HEADER, NOTE, SUM, Aside, asides
from qjmap._units import factor
from qjmap.errors import Problem
from qjmap.layers import SHAPE, Column
from qjmap.matching import unit_of
from qjmap.merging import CLEAR, key_of

EXAMPLE = "示例"
"""An id that begins so marks an example row of a template; it is never kept."""

_PLACED = ("position", "error_m")
_LABELS = ("id", "code", "name", "town", "village", "kind")
"""Columns in which the word of a sum may stand."""
_ERRORS = re.compile(r"#(?:N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|GETTING_DATA)")
_LOST = r"[0-9](?:\.[0-9]+)?[eE]\+[0-9]+"  # as spreadsheets write numbers that are too long for them


def in_unit(column: Column) -> str:
    """Say what is expected of a number whose header says a unit that nobody knows."""
    return f"以“{column.unit}”计的数"


def leave_out(work: Work) -> None:
    """Leave out the examples of a template and rows of sums, and say so."""
    example = np.zeros(len(work.rows), dtype=bool)
    if "id" in work.matches:
        example = like(work.cells["id"], rf"{EXAMPLE}.*")
    if example.any():
        work.notes.append(f"{example.sum()} 行模板示例(编号以“{EXAMPLE}”开头)未导入")
    _aside(work, ~example)
    work.left |= example


def _aside(work: Work, rows: Bools) -> None:
    """Leave out sums, notes, signatures and headings; of what only may be one a person is told."""
    if work.source.geometry is not None:  # what has a shape is no sum
        return
    placed = (
        (work.cells["lon"].notna() & work.cells["lat"].notna()).to_numpy() if "lon" in work.cells else ~rows
    )
    frame, by_column = work.source.table.frame, {one.column: key for key, one in work.matches.items()}
    columns = list(frame.columns)
    labels = [name for name in columns if by_column.get(name) in _LABELS]
    labels += [name for name in columns[:4] if name not in by_column]
    numbers = [
        one.column
        for key, one in work.matches.items()
        if key != "error_m"
        and key in work.spec.columns
        and work.spec.columns[key].type in ("integer", "number")
    ]
    names = [work.matches[key].column for key in ("name", "id") if key in work.matches]
    towns = {*work.around.names, *work.around.gazetteer.towns, *map(stem, work.around.gazetteer.towns)}
    ids = [work.matches[key].column for key in ("id", "code") if key in work.matches]
    has_towns = "town" in work.spec.columns
    head = partial(heading, towns=work.around.gazetteer.towns, names=work.around.names)
    more = (head,) if has_towns else ()
    for one in _of_sheets(work, lambda sheet: asides(sheet, labels, names, numbers, towns, ids, *more)):
        row = int(work.rows[one.place])
        if not rows[one.place] or (placed[one.place] and one.why not in (SUM, NOTE, HEADER)):
            continue
        if not one.sure:
            work.warnings.append(Problem(work.file, row, None, one.text, "一条记录", one.why))
        elif work.allows("sum", "row", row):
            work.repairs.append(Repair(f"sum:row:{row}", row, "整行", one.text, None, one.why))
            work.left[one.place] = True
            if one.why != HEADER:  # which stands at the head of every page
                work.ends.append(one.place)
            if one.town:
                work.headings.append(one)


def _of_sheets(work: Work, look: Callable[[pd.DataFrame], list[Aside]]) -> Iterator[Aside]:
    """Look for sums and notes sheet by sheet: each has its own."""
    frame, start = work.source.table.frame, 0
    if not work.source.parts:
        yield from look(frame)
    for part in work.source.parts:
        stop = start + len(part.table.rows)
        for one in look(frame.iloc[start:stop].reset_index(drop=True)):
            yield replace(one, place=start + one.place)
        start = stop


def fill_merged(work: Work) -> None:
    """Give every row of a block of merged cells the value of its first."""
    by_column = {one.column: key for key, one in work.matches.items()}
    place_of = {int(row): place for place, row in enumerate(work.rows.tolist())} if work.source.merged else {}
    blanks: dict[str, Bools] = {}
    filled: dict[str, list[tuple[int, str, str]]] = {}
    for name, top, bottom in work.source.merged:
        key, first = by_column.get(name), place_of.get(top)
        if key is None or first is None:
            continue
        if key not in blanks:
            blanks[key] = work.cells[key].isna().to_numpy(copy=True)
        blank, value = blanks[key], work.cells[key].iat[first]
        if not isinstance(value, str):
            continue
        span = range(first + 1, int(np.searchsorted(work.rows, bottom, side="right")))
        places = [place for place in span if blank[place]]
        first_row, last_row = (work.source.table.place(row)[1] for row in (top, bottom))
        why = f"合并单元格(第 {first_row}~{last_row} 行)按首格补齐"
        blank[places] = False
        filled.setdefault(key, []).extend((place, value, why) for place in places)
    for key, found in filled.items():  # in one step: each would copy the column
        at, values, whys = zip(*found, strict=True) if found else ((), (), ())
        work.for_cells(key, at, values, "merged", whys)


def clear_cells(work: Work) -> None:
    """Take the word for an emptied cell as a blank, and remember where a known record loses what it has."""
    key_column = key_of(work.spec)
    for key in work.matches:
        column = work.spec.columns.get(key)
        if column is None or column.type == SHAPE:
            continue
        said = like(work.cells[key], rf"\s*{CLEAR}\s*") & ~work.left
        if not said.any():
            continue
        if column.required or key == key_column:
            advice = "必填的列不能清空;要删去整条记录,请到“数据管理”"
            work.problems += [
                Problem(work.file, int(work.rows[place]), work.told(key), CLEAR, "一个值", advice)
                for place in np.flatnonzero(said).tolist()
            ]
            continue
        places, again = np.flatnonzero(said).tolist(), work.again()
        whys = ["库中原值删去" if again[place] else "新的一行,按空白" for place in places]
        work.for_cells(key, places, [None] * len(places), "clear", whys)
        gone = said & work.cells[key].isna().to_numpy() & again
        work.cells[key] = work.cells[key].mask(said)  # who refuses keeps what is kept, not the word
        if gone.any():
            work.cleared[key] = gone
    count = sum(int(mask.sum()) for mask in work.cleared.values())
    if count:
        work.notes.append(f"{count} 处写了“{CLEAR}”:更新时删去库中原值;不想删的,在上面的修正里不采用")


def fill_columns(work: Work) -> None:
    """Fill whole columns that the file has not, as the person said; how places are known waits for the places."""
    for key, value in work.fills.items():
        if key in _PLACED and not work.spec.shaped:
            continue
        if key in work.spec.columns and key not in work.matches and (key, value) != ("name", BY_NUMBER):
            work.fill(key, value, "文件没有这一列,按所选整列填写", "fill")


def repair_cells(work: Work) -> None:
    """Repair cells column by column; what needs none is not touched."""
    _warn_of_formulas(work)
    for key, column in work.spec.columns.items():
        if key not in work.matches or column.type == SHAPE:
            continue
        _refuse_error_values(work, key)
        _refuse_lost_digits(work, key, column)
        if key == key_of(work.spec):
            _write_ids(work, key)
        _read_as_said(work, key)
        _take_unseen(work, key, column)
        times, scaled = _scale(work, key, column)
        fix = fixer(column, work.around.gazetteer.towns, work.around.names, times)
        if fix is None:
            continue
        cells = work.cells[key]
        suspects = cells[_suspect(work, cells, column) & ~scaled]
        tried = {str(text): fix(str(text)) for text in suspects.unique()}
        fixes = {text: found for text, found in tried.items() if found is not None}
        if not fixes:
            continue
        hit = np.flatnonzero(suspects.isin(list(fixes)).reindex(cells.index, fill_value=False).to_numpy())
        kinds: dict[str, list[int]] = {}
        values = cells.iloc[hit].tolist()
        for place, text in zip(hit.tolist(), values, strict=True):
            kinds.setdefault(fixes[text][1], []).append(place)
        for kind, places in kinds.items():
            new = [fixes[str(text)] for text in cells.iloc[places].tolist()]
            work.for_cells(key, places, [one[0] for one in new], kind, [one[2] for one in new])


def _warn_of_formulas(work: Work) -> None:
    """Tell of columns whose formulas have no result: what they would say is missing."""
    read = {one.column for one in work.matches.values()}
    advice = "这些格按空白读入;请用 Excel 打开文件、保存一次,再重新导入"
    for name, count in work.source.unsaved:
        if name in read:
            value = f"{count:,} 个公式没有保存结果"
            work.warnings.append(Problem(work.file, None, name, value, "算好的值", advice))


def _read_as_said(work: Work, key: str) -> None:
    """Read words of the file as the person said that they are meant."""
    for word, value in work.meanings.get(key, {}).items():
        places = np.flatnonzero((work.cells[key] == word).fillna(value=False).to_numpy(dtype=bool)).tolist()
        why = f"按所选,“{word}”即“{value}”"
        work.for_cells(key, places, [value] * len(places), "said", [why] * len(places))


def _take_unseen(work: Work, key: str, column: Column) -> None:
    """Take away letters that nobody sees; of text `plain` does it, of coordinates `qjmap._placing`."""
    if column.type in ("text", "longitude", "latitude"):
        return
    cells = work.cells[key]
    suspects = cells[cells.notna() if column.type == "document" else _suspect(work, cells, column)]
    clean = {
        text: left for text in map(str, suspects.unique()) if (left := seen(text).strip()) != text.strip()
    }
    places = np.flatnonzero(cells.isin(list(clean)).to_numpy()).tolist() if clean else []
    new = [clean[str(text)] or None for text in cells.iloc[places].tolist()]
    work.for_cells(key, places, new, "control", ["去掉看不见的字符"] * len(places))


def _suspect(work: Work, cells: pd.Series, column: Column) -> pd.Series:
    """Mark cells that are not already as a register wants them."""
    if column.type == "category":
        return cells.notna() & ~cells.isin(column.values)
    if column.type == "town":
        return cells.notna() & ~cells.isin(work.around.gazetteer.towns)
    shape = {
        "integer": r"[+-]?[0-9]{1,15}",
        "number": r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)",
        "year": r"[0-9]{4}",
        "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "boolean": "是|否",
        "text": rf"(?:[^'{UNSEEN}][^{UNSEEN}]*)?",
    }[column.type]
    return cells.notna() & ~like(cells, shape)


def _refuse_error_values(work: Work, key: str) -> None:
    """A formula's #N/A is no value, in no column."""
    wrong = like(work.cells[key], _ERRORS.pattern)
    advice = "这是 Excel 公式的错误值;请改正公式,或填写数值"
    for place in np.flatnonzero(wrong & ~work.left).tolist():
        value = str(work.cells[key].iat[place])
        work.problems.append(Problem(work.file, int(work.rows[place]), work.told(key), value, "值", advice))


def _refuse_lost_digits(work: Work, key: str, column: Column) -> None:
    """A number of eighteen digits that became 5.0011E+17 is nobody's."""
    if column.type != "text":
        return
    advice = "表格软件把它存成了数字,末几位已经丢失:请把这一列设为“文本”格式,重新填写"
    for place in np.flatnonzero(like(work.cells[key], _LOST) & ~work.left).tolist():
        row, value = int(work.rows[place]), str(work.cells[key].iat[place])
        work.problems.append(Problem(work.file, row, work.told(key), value, "完整的编号", advice))


def _kept_ids(work: Work, key: str) -> frozenset[str]:
    existing = work.around.existing
    own = existing[key].dropna() if existing is not None and key in existing else ()
    return frozenset(map(str, own)) | frozenset(work.known)


def _write_ids(work: Work, key: str) -> None:
    """Write ids in one way, but for those that are kept as they are; tell of two that are nearly the same."""
    kept, cells = _kept_ids(work, key), work.cells[key]
    places = [place for place in np.flatnonzero(strange_ids(cells)).tolist() if cells.iat[place] not in kept]
    fixes = [(place, fix) for place in places if (fix := identifier(str(cells.iat[place]))) is not None]
    if fixes:
        work.for_cells(
            key,
            [one for one, _ in fixes],
            [fix[0] for _, fix in fixes],
            "id-writing",
            [fix[2] for _, fix in fixes],
        )
    for place, other, where in like_ids(work.cells[key], kept):
        row, value = int(work.rows[place]), str(work.cells[key].iat[place])
        known = work.source.table.where(int(work.rows[where])) if where >= 0 else "库中"
        advice = f"{known}有“{other}”,只差大小写或前面的零:是同一条的请改成一样,否则会记成两条"
        work.warnings.append(Problem(work.file, row, work.told(key), value, "写法一致的编号", advice))


def _scale(work: Work, key: str, column: Column) -> tuple[float, Bools]:
    """Bring numbers under a header that says another unit to the column's own.

    Gives what they are multiplied by, and marks those that were: what is not plainly a number is read later.
    """
    cells = work.cells[key]
    scaled = np.zeros(len(cells), dtype=bool)
    unit = work.matches[key].unit if column.type in ("integer", "number") and column.unit else ""
    if not unit:
        return 1.0, scaled
    meant = work.meanings.get(key, {}).get(unit, unit)
    times = factor(meant, column.unit)
    if times is None:
        _ask_unit(work, key, column, unit)
    if times is None or times == 1 or not cells.notna().any():
        return 1.0, scaled
    where = _where(work, key, unit)
    said = f"{where}写明单位“{unit}”" if meant == unit else f"按所选,{where}的“{unit}”即“{meant}”"
    why = f"{said},全列换算为“{column.unit}”(×{times:g})"
    if not work.for_column("header-unit", key, unit, column.unit, why):
        return 1.0, scaled
    numbers = pd.to_numeric(cells.where(like(cells, r"[+-]?[0-9]+(?:\.[0-9]*)?")), errors="coerce")
    scaled = numbers.notna().to_numpy()
    values = cells.astype(object).to_numpy(copy=True)
    values[scaled] = [written(round(one * times, 9)) for one in numbers[scaled].tolist()]
    work.cells[key] = pd.Series(values, index=cells.index).astype("str")
    return times, scaled


def _where(work: Work, key: str, unit: str) -> str:
    """Say where a unit stands."""
    return "列名" if unit_of(work.matches[key].column) == unit else "表头上方"


def _ask_unit(work: Work, key: str, column: Column, unit: str) -> None:
    """Stop numbers under a unit that nobody knows; a cell that says its own unit has no need of the header's."""
    bare = like(work.cells[key], ".*[0-9\uff10-\uff19.]")
    where = _where(work, key, unit)
    advice = f"{where}写的单位是“{unit}”,程序不知怎样换算:请在导入页说明它是什么单位,或改正列名"
    for place in np.flatnonzero(bare & ~work.left).tolist():
        row, value = int(work.rows[place]), str(work.cells[key].iat[place])
        work.problems.append(Problem(work.file, row, work.told(key), value, in_unit(column), advice))
    work.cells[key] = work.cells[key].mask(bare)  # whether it is too large cannot be said, either
