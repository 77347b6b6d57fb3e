"""Comparison: what lies between two contents, record by record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qjmap.contents import Content
from qjmap.records import id_column


@dataclass(frozen=True)
class Change:
    """One cell that two versions have differently; None is blank."""

    id: str
    column: str
    old: str | None
    new: str | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """What lies between two contents: rows only in the new, rows only in the old, cells of rows in both."""

    added: pd.DataFrame
    removed: pd.DataFrame
    changed: tuple[Change, ...]

    @property
    def same(self) -> bool:
        """Whether they say the same, in whatever order."""
        return self.added.empty and self.removed.empty and not self.changed


def compare(old: Content, new: Content) -> Comparison:
    """Compare two contents by their records' ids; the order of rows and columns means nothing.

    Raises
    ------
    DataError
        One of them cannot be read.
    """
    return compare_tables(old.table().frame, new.table().frame)


def compare_tables(old: pd.DataFrame, new: pd.DataFrame) -> Comparison:
    """Compare two registers of text cells, as `compare` does; column by column, for they may be large."""
    before, after = _indexed(old), _indexed(new)
    both = after.index[after.index.isin(before.index)]
    columns = list(dict.fromkeys((*after.columns, *before.columns)))
    found: list[tuple[int, int, Change]] = []
    for place, column in enumerate(columns if len(both) else ()):
        left, right = (
            one[column].reindex(both).astype(object) if column in one else pd.Series(None, both, dtype=object)
            for one in (before, after)
        )
        differ = (left.ne(right) & ~(left.isna() & right.isna())).to_numpy()
        found += [
            (row, place, Change(str(both[row][0]), column, _cell(left.iat[row]), _cell(right.iat[row])))
            for row in np.flatnonzero(differ).tolist()
        ]
    return Comparison(
        after[~after.index.isin(before.index)].reset_index(drop=True),
        before[~before.index.isin(after.index)].reset_index(drop=True),
        tuple(change for _, _, change in sorted(found, key=lambda one: one[:2])),
    )


def _cell(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _indexed(frame: pd.DataFrame) -> pd.DataFrame:
    """Index by id and, for an id that comes again, by which time."""
    keys = frame[id_column(frame)].fillna("")
    return frame.set_index(pd.MultiIndex.from_arrays([keys, keys.groupby(keys).cumcount()]))
