"""Lists that say a town once for the rows below it: as a heading of its own, or in the first row of each group.

A heading is left out, and the rows below get its town: listed, and to be refused. Whether a blank below a town means
the same town nobody can know but a person, who is asked (`Work.below`) and says so by `ABOVE`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from qjmap._bench import Bools, Work
from qjmap._repairs import stem
from qjmap._repairs import town as meant_by
from qjmap._sums import lone

ABOVE = "与上面一行相同"
"""Said of a blank town (`prepare`'s meanings: town, the empty word): it is that of the row above."""

_ORDINAL = re.compile(
    r"^(?:第?[一二三四五六七八九十\d]{1,3}[、.,:)]|[(][一二三四五六七八九十\d]{1,3}[)][、.]?)"
)
_COUNTED = re.compile(r"(.+?)(?:[(][^()]*[)])?(?::?共?计?\d+[个处座具只支台家所栋口点眼条]?)?:?")
_LONGEST = 30  # characters of a heading

Places = npt.NDArray[np.int64]


def heading(text: str, towns: tuple[str, ...], names: Sequence[str] = ()) -> str:
    """Give the town that a row of one cell is the heading of: 东溪镇(3个), 一、东溪镇; blank when it is none."""
    tight = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    if len(tight) > _LONGEST or not _stems(towns).search(tight):
        return ""
    for begun in dict.fromkeys((tight, _ORDINAL.sub("", tight, count=1))):
        bare = found[1] if (found := _COUNTED.fullmatch(begun)) else ""
        if bare in towns:
            return bare
        if meant := meant_by(bare, towns, names):
            return meant[0] or ""
    return ""


@lru_cache(maxsize=4)
def _stems(towns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(stem(one)) for one in towns) or r"(?!)")


def by_heading(work: Work) -> None:
    """Give the rows below a town's heading, up to the next heading, sum or note, that town where they say none."""
    if not work.headings or "town" not in work.spec.columns:
        return
    bare = work.cells["town"].isna().to_numpy() & ~work.left & ~work.again()
    ends = np.flatnonzero(breaks(work))
    new = work.cells["town"].astype(object).to_numpy(copy=True)
    for one in work.headings:
        after = ends[np.searchsorted(ends, one.place, side="right") :]
        rows = one.place + 1 + np.flatnonzero(bare[one.place + 1 : int(after[0]) if after.size else None])
        if rows.size and _may(
            work, "heading", rows, one.town, f"{told_rows(work, one.place)}“{one.text}”是标题"
        ):
            new[rows] = one.town
    work.cells["town"] = pd.Series(new, index=work.cells["town"].index).astype("str")


def by_group(work: Work) -> None:
    """See whether the town stands in the first row of each group only; fill it down where a person said so."""
    if "town" not in work.matches:
        return
    blank = work.source.table.frame[work.matches["town"].column].isna().to_numpy()
    open_ = blank & work.cells["town"].isna().to_numpy() & ~work.left
    if not open_.any() or open_.all():
        return
    towns = work.cells["town"].isin(work.around.gazetteer.towns).to_numpy(dtype=bool)
    ends = breaks(work) | (~blank & ~towns)
    at = np.arange(len(towns))
    last = np.maximum.accumulate(np.where(towns | ends, at, -1))
    under = open_ & (last >= 0) & towns[last]
    at = np.flatnonzero(towns & ~blank & ~work.left)
    sheets = np.searchsorted(_sheets(work), at, side="right").tolist()
    heads = list(zip(sheets, work.cells["town"].iloc[at].tolist(), strict=True))
    if (under != open_).any() or not _is_grouped(heads, int(open_.sum())):
        return
    fill = under & ~work.again()
    work.below = int(fill.sum())
    if work.meanings.get("town", {}).get("") == ABOVE:
        _fill_down(work, np.flatnonzero(fill), last)


def _is_grouped(heads: Sequence[tuple[int, str]], blanks: int) -> bool:
    """Say whether towns (with their sheets, in order) plainly head groups, by how many blanks there are below them."""
    if len(heads) < 2 or blanks * 2 < len(heads) or any(one == other for one, other in pairwise(heads)):
        return False
    return len({*heads}) == len(heads) or blanks >= len(heads)


def _fill_down(work: Work, rows: Places, last: Places) -> None:
    """Fill blanks with the town above them, group by group."""
    new = work.cells["town"].astype(object).to_numpy(copy=True)
    for group in np.split(rows, np.flatnonzero(np.diff(last[rows])) + 1) if rows.size else ():
        head = int(last[group[0]])
        town = str(new[head])
        if _may(work, "above", group, town, f"按所选,与{told_rows(work, head)}同"):
            new[group] = town
    work.cells["town"] = pd.Series(new, index=work.cells["town"].index).astype("str")


def breaks(work: Work) -> Bools:
    """Mark the rows at which a group ends: what is left out but for a header that is repeated, and unknown headings."""
    ends = np.zeros(len(work.rows), dtype=bool)
    ends[work.ends] = True
    frame = work.source.table.frame
    texts = lone(frame, list(frame.columns))
    other = [place for place, text in texts.items() if _names_a_part(text)]
    if len(other) * 2 <= len(frame):  # else it is a list of names
        ends[other] = True
    ends[_sheets(work)] = True
    return ends


def _sheets(work: Work) -> Places:
    """Give the places at which the sheets begin that are read together."""
    counts = [len(one.table.rows) for one in work.source.parts]
    starts = np.cumsum([0, *counts], dtype=np.int64)[:-1]
    return starts[starts < len(work.rows)]


def _names_a_part(text: str) -> bool:
    """Tell a heading that is no town's from a record of which only the number is written."""
    tight = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    return re.search(r"\d", re.sub(r"[(].*[)]$", "", _ORDINAL.sub("", tight, count=1))) is None


def _may(work: Work, kind: str, rows: Places, town: str, why: str) -> bool:
    """List once what is filled in several rows, by the first of them; say whether it may be."""
    which = told_rows(work, int(rows[0]), int(rows[-1]))
    return work.for_row(
        kind,
        "town",
        int(work.rows[rows[0]]),
        None,
        town,
        f"{why};{which}没有写街镇的 {rows.size:,} 行记{town}",
    )


def told_rows(work: Work, *places: int) -> str:
    """Say which rows of the file these are."""
    rows = dict.fromkeys(work.source.table.place(int(work.rows[one]))[1] for one in places)
    return f"第 {'~'.join(map(str, rows))} 行"
