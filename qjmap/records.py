"""Records: one among the text cells of a register, found by its id; read, changed, added, left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qjmap.errors import UnknownKeyError
from qjmap.ingest import RawTable


def id_column(frame: pd.DataFrame) -> str:
    """Find the column that names records: a register of things has `id`, townships `code`, boundaries `name`."""
    return next((one for one in ("id", "code", "name") if one in frame), str(frame.columns[0]))


def cell(table: RawTable, key: str, column: str) -> str | None:
    """Give one cell of a record; None when it is blank, or when there is no such record or column."""
    found = table.frame.loc[table.frame[id_column(table.frame)] == key]
    value: Any = found[column].iat[0] if len(found) and column in found else None
    return None if value is None or pd.isna(value) else str(value)


def changed(table: RawTable, key: str, changes: Mapping[str, str | None]) -> dict[str, str | None]:
    """Give those of the changes that would really change the record; None is blank."""
    wanted = {column: (value or "").strip() or None for column, value in changes.items()}
    return {column: value for column, value in wanted.items() if cell(table, key, column) != value}


def with_change(table: RawTable, key: str, changes: Mapping[str, str | None]) -> RawTable:
    """Change some cells of a record; None or blank empties a cell.

    Raises
    ------
    UnknownKeyError
        There is no record of that id, or no such column.
    """
    place = _place(table, key)
    frame = table.frame.copy()
    for column, value in changes.items():
        if column not in frame:
            raise UnknownKeyError(f"{table.file}没有“{column}”列")
        frame.loc[place, column] = (value or "").strip() or np.nan
    return RawTable(table.file, frame, table.rows)


def with_record(table: RawTable, record: Mapping[str, str | None]) -> RawTable:
    """Add a record at the end; a column that is not given stays blank.

    Raises
    ------
    UnknownKeyError
        There is no such column.
    """
    if unknown := [column for column in record if column not in table.frame]:
        raise UnknownKeyError(f"{table.file}没有“{unknown[0]}”列")
    cells = {column: [(record.get(column) or "").strip() or None] for column in table.frame.columns}
    frame = pd.concat([table.frame, pd.DataFrame(cells).astype("str")], ignore_index=True)
    return RawTable(table.file, frame.astype("str"), (*table.rows, max(table.rows, default=1) + 1))


def without_record(table: RawTable, key: str) -> RawTable:
    """Leave a record out; raises UnknownKeyError when there is none of that id."""
    place = _place(table, key)
    rows = tuple(row for number, row in enumerate(table.rows) if number != place)
    return RawTable(table.file, table.frame.drop(index=place).reset_index(drop=True), rows)


def _place(table: RawTable, key: str) -> int:
    column = id_column(table.frame)
    found = np.flatnonzero((table.frame[column] == key).fillna(False).to_numpy(dtype=bool))
    if len(found) != 1:
        raise UnknownKeyError(f"{table.file}{'没有' if not len(found) else '不止一条'}编号为“{key}”的记录")
    return int(found[0])
