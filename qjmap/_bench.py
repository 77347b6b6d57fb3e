"""A file on the bench: its cells by a register's columns, what is proposed to change in them, what is said of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from qjmap._sums import Aside
from qjmap.checks import Context
from qjmap.coordinates import used
from qjmap.errors import Problem
from qjmap.ingest import Source
from qjmap.layers import Assumed, LayerSpec
from qjmap.matching import ADDRESS, Match, unsure
from qjmap.merging import key_of
from qjmap.oddities import Ground
from qjmap.places import Gazetteer

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

BY_NUMBER = "按编号起名"
"""Said for all rows of the column of names: the layer's name and the number of each."""


@dataclass(frozen=True)
class Repair:
    """One cell that was read otherwise than it was written.

    Parameters
    ----------
    id
        ``kind:column:row``; refusing ``kind:column`` or ``kind`` refuses all of them.
    row
        The row in the file; None for the whole column.
    column
        The column as the file calls it.
    old, new
        Before and after; None is blank.
    why
        In Chinese.
    sheet
        The sheet, where several are read together; or that alone, for all its rows.
    """

    id: str
    row: int | None
    column: str
    old: str | None
    new: str | None
    why: str
    sheet: str = ""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a file is held against: the district, its land, its names, and what is kept already.

    `batch` stands in the ids of rows that bring none: a number that no earlier import had. `town_codes` are the codes
    of the towns by their names. `positions` and `shifts` are the registry's: what is assumed of places of which nobody
    says how well they are known.
    """

    context: Context
    ground: Ground
    gazetteer: Gazetteer
    names: tuple[str, ...] = ()
    existing: pd.DataFrame | None = None
    batch: int = 1
    town_codes: Mapping[str, str] = field(default_factory=dict)
    positions: Mapping[str, Assumed] = field(default_factory=dict)
    shifts: Mapping[str, Assumed] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Draft:
    """What became of a file.

    Parameters
    ----------
    spec
        The layer.
    frame
        The good rows, typed as by `qjmap.checks.check`; index 0, 1, 2 …
    rows
        Their numbers in the file, as the file's table numbers them (`qjmap.ingest.RawTable.rows`).
    good, bad
        Masks over the rows of the file's table; a row that is neither was left out (an example, a sum).
    problems
        What stops rows, with the file's own column names; all of a row at once.
    warnings
        What stops nothing.
    repairs
        All that were proposed and not refused.
    notes
        What a person should know besides.
    unplaced
        Mask over `frame`: kept, but 未定位.
    file
        The name by which faults are told.
    cleared
        Masks over `frame` by column: cells of known records that say `qjmap.merging.CLEAR`.
    sheets
        Those that were read together, as `qjmap.ingest.RawTable.sheets`.
    below
        How many rows have a blank below a town that may mean the same one: to be asked (`qjmap.draft.ABOVE`).
    """

    spec: LayerSpec
    frame: pd.DataFrame
    rows: Sequence[int]
    good: Bools
    bad: Bools
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    repairs: tuple[Repair, ...]
    notes: tuple[str, ...]
    unplaced: Bools
    file: str
    cleared: Mapping[str, Bools] = field(default_factory=dict)
    sheets: tuple[tuple[str, str], ...] = ()
    below: int = 0


@dataclass
class Work:
    """A file on the bench: its cells by the register's columns, and what was done to them so far.

    `left` marks rows that are left out, `turned` those whose coordinates were swapped, `cleared` by column the cells
    of known records that are emptied. `headings` are the rows that name the town of those below them, `ends` the
    places of rows at which a group ends, `below` is as in `Draft`. `advice` says of faulty cells, by row and column,
    what to do where that is better known than the checks can know it. `digits` and `shift` say in metres how far off a
    place may be by its digits and by its conversion.
    """

    source: Source
    spec: LayerSpec
    matches: Mapping[str, Match]
    around: Surroundings
    refused: frozenset[str]
    fills: Mapping[str, str]
    meanings: Mapping[str, Mapping[str, str]]
    known: Collection[str] = ()
    repairs: list[Repair] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    headings: list[Aside] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    below: int = 0
    advice: dict[tuple[int, str], str] = field(default_factory=dict)
    turned: Bools = field(init=False)
    digits: Floats = field(init=False)
    cleared: dict[str, Bools] = field(init=False)
    shift: float | Floats = field(init=False)

    def __post_init__(self) -> None:
        table = self.source.table
        self.file, self.rows = table.file, np.asarray(table.rows, dtype=np.int64)
        self.left = np.zeros(len(self.rows), dtype=bool)  # rows that are left out
        self.cleared = {}
        self.digits, self.shift = np.full(len(self.rows), np.nan), 0.0
        blank = pd.Series(np.nan, index=table.frame.index, dtype="str")
        self.cells = {
            key: table.frame[self.matches[key].column] if key in self.matches else blank
            for key in (*self.spec.columns, ADDRESS)
        }
        known = {*used(self.source, self.matches), self.source.folders}  # of these a note tells
        unused = [name for name in table.frame.columns if name not in known]
        if unused:
            shown = "、".join(unused[:12]) + ("等" if len(unused) > 12 else "")
            self.notes.append(f"未用的列({len(unused)} 列):{shown}")
            self.notes += [
                f"“{name}”没有用:可能是{'、'.join(f'“{one}”' for one in labels)},程序不替你选,请在“列”一步选定"
                for name in unused
                if (labels := unsure(name, self.spec, self.matches))
            ]

    def again(self) -> Bools:
        """Mark the rows that change a record: what they leave blank stays as it is kept."""
        key = key_of(self.spec)
        if key is None or not self.known:
            return np.zeros(len(self.rows), dtype=bool)
        return self.cells[key].isin(list(self.known)).to_numpy(dtype=bool)

    def told(self, key: str) -> str:
        """Give the name of a column as the file has it."""
        return self.matches[key].column if key in self.matches else self.spec.columns[key].label

    def allows(self, kind: str, key: str, row: int | None = None) -> bool:
        """Say whether a repair may be made."""
        if not self.refused:
            return True
        names = {kind, f"{kind}:{key}"} | ({f"{kind}:{key}:{row}"} if row is not None else set())
        return not names & self.refused

    def for_column(self, kind: str, key: str, old: str | None, new: str | None, why: str) -> bool:
        """Note a repair of a whole column; say whether it may be made."""
        if not self.allows(kind, key):
            return False
        self.repairs.append(Repair(f"{kind}:{key}", None, self.told(key), old, new, why))
        return True

    def for_row(self, kind: str, key: str, row: int, old: str | None, new: str | None, why: str) -> bool:
        """Note a repair of one row; say whether it may be made."""
        if not self.allows(kind, key, row):
            return False
        self.repairs.append(Repair(f"{kind}:{key}:{row}", row, self.told(key), old, new, why))
        return True

    def for_cells(
        self, key: str, places: Sequence[int], new: Sequence[str | None], kind: str, whys: Sequence[str]
    ) -> None:
        """Change cells of a column, those whose repair is not refused."""
        cells = self.cells[key]
        before = cells.iloc[list(places)].astype(object).where(lambda one: one.notna(), None).tolist()
        changed: dict[int, str | None] = {}
        for place, old, value, why in zip(places, before, new, whys, strict=True):
            row = int(self.rows[place])
            if self.for_row(kind, key, row, old, value, why):
                changed[place] = value
        if changed:
            values = cells.astype(object).to_numpy(copy=True)
            for place, value in changed.items():
                values[place] = value
            self.cells[key] = pd.Series(values, index=cells.index).astype("str")

    def fill(self, key: str, value: str, why: str, kind: str = "default") -> None:
        """Fill the blanks of a column; by default not of rows that change a record: these keep what they have."""
        kept = self.again() if kind == "default" else np.zeros(len(self.rows), dtype=bool)
        if not (len(kept) and kept.all()) and self.for_column(kind, key, None, value, why):
            filled = self.cells[key].fillna(value)
            self.cells[key] = filled.where(~kept, self.cells[key]) if kept.any() else filled


def like(cells: pd.Series, pattern: str) -> Bools:
    """Mark the cells that are wholly of a pattern; a blank is not."""
    found: Bools = cells.astype("str").str.fullmatch(pattern).fillna(value=False).to_numpy(dtype=bool)
    return found


def as_list(cells: pd.Series) -> list[str]:
    """Give cells as text, blanks as empty."""
    return cells.fillna("").tolist()
