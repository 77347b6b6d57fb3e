"""The end of the bench: what every record says is filled in, all is checked, good rows part from bad."""

from __future__ import annotations

from array import array
from dataclasses import replace

import numpy as np
import pandas as pd

from qjmap._advice import advise, left_blank
from qjmap._bench import BY_NUMBER, Bools, Draft, Repair, Work
from qjmap._limits import give_back
from qjmap.checks import UNPLACED, check
from qjmap.errors import Problem
from qjmap.ingest import SHEET_ROWS, RawTable
from qjmap.merging import IMPORTED
from qjmap.oddities import look


def fill_defaults(work: Work) -> None:
    """Fill what a register wants of every record and a file need not say."""
    columns = work.spec.columns
    if "id" in columns and "id" not in work.matches and columns["id"].required:
        why = "文件没有编号列,按导入批次和行号编号"
        begin = f"{work.spec.key}-{work.around.batch}"
        if work.for_column("number", "id", None, f"{begin}-行号", why):
            work.cells["id"] = pd.Series([f"{begin}-{row}" for row in _row_numbers(work)], dtype="str")
    said = {*work.matches, *work.fills}
    if work.fills.get("name") == BY_NUMBER and "name" in columns and "name" not in work.matches:
        _name_by_number(work)
    if "kind" in columns.keys() - said and len(columns["kind"].values) == 1:
        work.fill("kind", columns["kind"].values[0], "本图层只有一个类别")
    if "status" in columns.keys() - said and "未知" in columns["status"].values:
        work.fill("status", "未知", "文件没有状态列")
    if "source" in columns and work.spec.placed:
        _sources(work)


def _name_by_number(work: Work) -> None:
    """Name what has only a number, as hydrants mostly do: 消火栓 and its number, or else its row."""
    own = "id" in work.matches
    numbers = work.cells["id"].fillna("").tolist() if own else _row_numbers(work)
    names = [f"{work.spec.label}{number}" for number in numbers]
    why = f"按所选,用图层名和{'编号' if own else '行号'}起名"
    if names and work.for_column("fill", "name", None, f"{names[0]} …", why):
        work.cells["name"] = pd.Series(names, index=work.cells["id"].index, dtype="str")


def _row_numbers(work: Work) -> list[str]:
    """Give the rows' numbers, after that of their sheet where several are read together."""
    if not work.source.parts:
        return list(map(str, work.rows.tolist()))
    sheets, rows = np.divmod(work.rows, SHEET_ROWS)
    return [f"{sheet + 1}-{row}" for sheet, row in zip(sheets.tolist(), rows.tolist(), strict=True)]


def _sources(work: Work) -> None:
    """Say of every record that it was brought by somebody, unless it names a document."""
    cells = work.cells["source"]
    values = work.spec.columns["source"].values
    strange = (cells.notna() & ~cells.isin(values)).to_numpy()
    places = np.flatnonzero(strange).tolist()
    why = "来源只分文件、导入;原文请写入备注"
    work.for_cells("source", places, [IMPORTED] * len(places), "source", [why] * len(places))
    filled = work.cells["source"].fillna(IMPORTED)
    kept = work.again() if "source" in work.matches else None
    work.cells["source"] = filled if kept is None else filled.where(~kept, work.cells["source"])


def finish(work: Work) -> Draft:
    """Type and check what stands now, and part good rows from bad."""
    keep = ~work.left
    # filtering copies all the text of the file: it is done only when something was left out
    columns = {key: work.cells[key] if keep.all() else work.cells[key][keep] for key in work.spec.columns}
    frame = pd.DataFrame(columns, copy=False).reset_index(drop=True)
    again = frozenset(work.rows[work.again()].tolist())
    work.cells = {}
    give_back()
    table = work.source.table
    rows = table.rows if keep.all() else array("q", work.rows[keep].tobytes())
    raw = RawTable(work.file, frame, rows, table.sheets)
    checked = check(raw, work.spec, work.around.context)
    give_back()
    said = frozenset(one.id for one in work.repairs if one.id.startswith("unit:"))
    odd = look(raw, work.spec, checked.frame, work.around.ground, work.around.existing, said)
    del raw, frame, columns  # what was repaired in it is in the checked frame by now
    give_back()
    told = {_cell(one) for one in work.problems}
    wrong_cells = (
        one
        for one in checked.problems
        if not (one.row in again and left_blank(one)) and _cell(_named(work, one)) not in told
    )
    found = [
        *work.problems,
        *work.source.problems,
        *(_advised(work, one) for one in (*wrong_cells, *odd.problems)),
    ]
    problems = tuple(sorted(dict.fromkeys(found), key=lambda one: one.row or 0))
    warnings = tuple(
        sorted((*work.warnings, *(_named(work, one) for one in odd.warnings)), key=lambda one: one.row or 0)
    )
    wrong = {one.row for one in problems}
    bad = np.isin(work.rows, [row for row in wrong if row is not None]) & keep
    good = keep & ~bad & (None not in wrong)
    whole = bool(good[keep].all())
    kept = checked.frame if whole else _only(checked.frame, good[keep])
    unplaced = np.zeros(len(kept), dtype=bool)
    if work.spec.placed:
        unplaced = (kept["position"] == UNPLACED).to_numpy(dtype=bool)
    return Draft(
        work.spec,
        kept,
        array("q", work.rows[good].tobytes()),
        good,
        keep & ~good,
        tuple(map(table.told, problems)),
        tuple(map(table.told, warnings)),
        tuple(_told(table, one) for one in work.repairs),
        (*work.source.notes, *work.notes),
        unplaced,
        work.file,
        {key: mask[good] for key, mask in work.cleared.items()},
        table.sheets,
    )


def _told(table: RawTable, repair: Repair) -> Repair:
    """Tell a repair by the sheet of its row, and the number that the row has there."""
    if not table.sheets or repair.row is None:
        return repair
    sheet, row = table.place(repair.row)
    return replace(repair, row=row, sheet=sheet)


def _cell(problem: Problem) -> tuple[int | None, str | None, str | None]:
    """Give by what a cell is known that was told already."""
    return problem.row, problem.column, problem.value


def _advised(work: Work, problem: Problem) -> Problem:
    """Tell a problem by the file's own column name, and what to do about it."""
    column = work.spec.columns.get(problem.column or "")
    if column is None:
        return problem
    choices = work.around.gazetteer.towns if column.type == "town" else column.values
    advice = work.advice.get((problem.row or 0, column.key)) or advise(
        problem, column, choices, there=column.key in work.matches
    )
    return replace(problem, column=work.told(column.key), advice=advice)


def _named(work: Work, problem: Problem) -> Problem:
    """Tell a problem by the file's own column name."""
    if problem.column is None or problem.column not in work.spec.columns:
        return problem
    return replace(problem, column=work.told(problem.column))


def _only(frame: pd.DataFrame, mask: Bools) -> pd.DataFrame:
    """Give the rows of a mask; empties the frame meanwhile, for two of them would be twice the memory."""
    blank = pd.Series(np.nan, index=range(int(mask.sum())), dtype="str")  # one for all that nobody filled in
    kept: dict[str, pd.Series] = {}
    for name in frame.columns.tolist():
        cells = frame.pop(name)
        empty = isinstance(cells.dtype, pd.StringDtype) and not cells.notna().any()
        kept[name] = blank if empty else cells[mask].reset_index(drop=True)
    return pd.DataFrame(kept, copy=False)
