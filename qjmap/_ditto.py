"""Cells that say 同上 or 〃: the value of the row above, where a kind or a word is said; in a number or a name a fault.

Each is listed, and can be refused. Nothing is taken across a heading, a sum or the begin of a sheet, nor from a row of
which nobody knows the value.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from qjmap._bench import Bools, Work, like
from qjmap._grouped import breaks, told_rows
from qjmap.errors import Problem
from qjmap.ingest import SHEET_ROWS
from qjmap.layers import Column
from qjmap.matching import ADDRESS
from qjmap.merging import key_of

DITTO = r"""[((]?\s*同\s*上\s*(?:一?行)?\s*[))]?|[〃″＂"“”〞]{1,2}|['′’‘]{2}"""
"""How lists say “as above”; a dash is none, and 同左 is another cell's."""

_OWN = ("id", "code", "name")
_TAKEN = ("category", "town", "text", "boolean")


def refuse_dittos(work: Work) -> None:
    """Tell of dittos where each record has its own: in an id, a name, a place, a number, a date."""
    advice = "编号、名称、坐标、数值、日期不能写“同上”:每行各写各的"
    for key, said in _dittos(work, taken=False):
        _refuse(work, key, {int(place): advice for place in np.flatnonzero(said)})


def by_ditto(work: Work) -> None:
    """Read the dittos of kinds, towns and words; what cannot be read so is told with what to do."""
    found = list(_dittos(work, taken=True))
    ends = _ends(work) if found else work.left
    for key, said in found:
        _take(work, key, said, ends)


def _dittos(work: Work, *, taken: bool) -> Iterator[tuple[str, Bools]]:
    """Give the columns that have dittos, where these may be taken from above or where not, and mark them."""
    for key in work.matches:
        column = work.spec.columns.get(key)
        if (column is None and key != ADDRESS) or _may_be_taken(work, key, column) != taken:
            continue
        said = like(work.cells[key], DITTO) & ~work.left
        if said.any():
            yield key, said


def _may_be_taken(work: Work, key: str, column: Column | None) -> bool:
    """Say whether two records may have this of one another."""
    kind = "text" if column is None else column.type
    return kind in _TAKEN and key not in _OWN and key != key_of(work.spec)


def _take(work: Work, key: str, said: Bools, ends: Bools) -> None:
    """Give the dittos of a column what the nearest row above says, where that is a value."""
    at, cells = np.arange(len(said)), work.cells[key]
    through = said | (work.left & ~ends)  # a header that is repeated stands between no two rows
    last = np.maximum.accumulate(np.where(through & ~ends, -1, at))
    good = _good(work, key, cells) & ~said & ~work.left
    places = np.flatnonzero(said)
    above = last[places]
    known = (above >= 0) & good[above]
    values = list(map(str, cells.iloc[above[known]].tolist()))
    whys = [
        f"“{word}”即{told_rows(work, int(one))}的值"
        for word, one in zip(cells.iloc[places[known]].tolist(), above[known], strict=True)
    ]
    work.for_cells(key, places[known].tolist(), values, "ditto", whys)
    left = like(work.cells[key], DITTO) & said
    _refuse(
        work,
        key,
        {int(place): _why_not(work, int(last[place]), good, ends) for place in np.flatnonzero(left)},
    )


def _why_not(work: Work, above: int, good: Bools, ends: Bools) -> str:
    """Say why a ditto was not read."""
    if above >= 0 and good[above]:
        return "按所选没有照上一行读:请写明"
    if above < 0 or ends[above]:
        return "它上面没有可以照抄的一行(表头、标题、合计之下的第一行须写明):请写明"
    return f"它上面的{told_rows(work, above)}空白或有错,不能照抄:请写明"


def _good(work: Work, key: str, cells: pd.Series) -> Bools:
    """Mark the cells that hold a value of which nothing wrong is known."""
    column = work.spec.columns.get(key)
    kind = column.type if column is not None else "text"
    if kind == "town":
        good = cells.isin(work.around.gazetteer.towns)
    elif kind in ("category", "boolean"):
        good = cells.isin(column.values if column is not None and kind == "category" else ("是", "否"))
    else:
        good = cells.notna()
    found: Bools = good.to_numpy(dtype=bool, copy=True)
    wrong = [one.row for one in work.problems if one.column == _named(work, key) and one.row is not None]
    return found & ~np.isin(work.rows, wrong) if wrong else found


def _named(work: Work, key: str) -> str:
    return work.matches[key].column


def _refuse(work: Work, key: str, why: dict[int, str]) -> None:
    """Stop the rows; where the checks will find the word wrong anyhow, only say what to do about it."""
    column = work.spec.columns.get(key)
    for place, advice in why.items():
        row, word = int(work.rows[place]), str(work.cells[key].iat[place])
        if column is None or column.type == "text":
            work.problems.append(Problem(work.file, row, _named(work, key), word, "写明的值", advice))
        else:
            work.advice[row, key] = advice


def _ends(work: Work) -> Bools:
    """Mark where nothing is taken from above: at headings, sums and the begin of a sheet, and below rows not read."""
    ends = breaks(work)
    hidden = _unread(work)
    if hidden.size:
        after = np.searchsorted(work.rows, hidden)
        ends[after[after < len(ends)]] = True
    return ends


def _unread(work: Work) -> npt.NDArray[np.int64]:
    """Give the numbers of rows that Excel hides and that were left out."""
    parts = work.source.parts or (work.source,)
    rows = [SHEET_ROWS * n + row for n, one in enumerate(parts) for row in one.veiled]
    return np.setdiff1d(np.asarray(rows, dtype=np.int64), work.rows)
