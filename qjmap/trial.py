"""The trial of a change: what is to be kept is read first as the pages will read it, and refused with every fault."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from qjmap import boundaries
from qjmap.checks import check
from qjmap.contents import BOUNDARIES, Content
from qjmap.district import District, load_district
from qjmap.errors import DataError, Problem
from qjmap.ingest import RawTable
from qjmap.layers import LayerSpec
from qjmap.oddities import Oddities, look
from qjmap.registers import load_layer, load_table


def try_out(place: District, key: str, content: Content, raw: RawTable | None = None) -> None:
    """Read a content in place of what is kept, as the pages will.

    Parameters
    ----------
    place
        The district as it is shown now.
    key
        Layer, table or boundaries.
    content
        What is to be kept.
    raw
        The same, read already, with the row numbers of the file that the person has before him.

    Raises
    ------
    DataError
        With every fault.
    """
    shown = content if raw is None else _Numbered(content.file, content.data, content.name, raw=raw)
    kept = {**place.kept, key: shown}
    if key == BOUNDARIES:
        names, wide = list(place.towns.index), place.settings.context_units
        boundaries.parse(content.data, content.file, names, place.projection, place.settings.box, wide)
    elif key == "townships":
        _check_towns(load_district(place.key, place.root, kept=kept), place)
    elif place.registry.spec(key).placed:
        load_layer(replace(place, kept=kept), key)
    else:
        load_table(replace(place, kept=kept), key)


def _check_towns(new: District, old: District) -> None:
    """Refuse towns by which boundaries or registers would fall out of use; raises DataError."""
    problems = [] if old.boundary_problems else [*new.boundary_problems]
    for key in new.registry.layers:
        try:
            load_layer(old, key)
        except DataError:
            continue  # broken before
        try:
            load_layer(new, key)
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(problems)


@dataclass(frozen=True)
class _Numbered(Content):
    """A content that is read already, with the row numbers of the file that the person has before him."""

    raw: RawTable | None = None

    def table(self) -> RawTable:
        return self.raw if self.raw is not None else super().table()


def refuse_lost_columns(spec: LayerSpec, raw: RawTable) -> None:
    """Refuse a register that lost a column: only versions from before a column was registered go without.

    Raises
    ------
    DataError
        With every lost column.
    """
    lost = [key for key in spec.columns if key not in raw.frame]
    if lost:
        advice = "可以留空,但不可缺少"
        raise DataError([Problem(raw.file, 1, key, "没有这一列", "有这一列", advice) for key in lost])


def look_at(
    place: District, key: str, record: Mapping[str, str | None], known: pd.DataFrame | None = None
) -> Oddities:
    """Look at a record as at a row of a file that is imported: what stops it, and what is possible but odd.

    Parameters
    ----------
    place, key
        The district, and the layer or table.
    record
        All its cells as text.
    known
        The layer's records, typed, for doubles; the record itself among them is passed over.

    Returns
    -------
    Oddities
        Nothing while the record has faults: saving tells these.
    """
    spec = place.registry.spec(key)
    cells = {one: record.get(one) for one in spec.columns}
    named = cells.get("name") or cells.get("id") or "新记录"
    raw = RawTable(f"“{spec.label}”{named}", pd.DataFrame([cells], dtype="str"), (1,))
    checked = check(raw, spec, place.context())
    if not spec.placed or checked.problems:
        return Oddities((), ())
    others = None if known is None else known[known["id"] != cells.get("id")]
    found = look(raw, spec, checked.frame, place.ground(), others)
    return Oddities(
        *(tuple(replace(one, row=None) for one in part) for part in (found.problems, found.warnings))
    )


def look_again(
    place: District, key: str, table: RawTable, records: Collection[str]
) -> dict[str, list[Problem]]:
    """Look at records of a register as they would be: what a file left out is the kept record's, and may not agree.

    Parameters
    ----------
    place, key
        The district, and the layer.
    table
        The register as it would be kept.
    records
        Ids of the records that change.

    Returns
    -------
    dict
        Id → what is possible but odd of it, without rows; columns by their keys.
    """
    spec = place.registry.spec(key)
    rows = table.frame[table.frame["id"].isin(list(records))].reset_index(drop=True)
    if not spec.placed or rows.empty:
        return {}
    raw = RawTable(f"“{spec.label}”", rows, tuple(range(len(rows))))
    odd = look(raw, spec, check(raw, spec, place.context()).frame, place.ground())
    found: dict[str, list[Problem]] = {}
    for one in odd.warnings:
        if one.row is not None:
            found.setdefault(str(rows["id"].iloc[one.row]), []).append(replace(one, row=None))
    return found


def refuse_odd(place: District, key: str, table: RawTable, record: str) -> None:
    """Refuse a record that an import would refuse though its cells are sound: one far outside the district.

    Raises
    ------
    DataError
        With what is wrong.
    """
    found = table.frame.loc[table.frame["id"] == record].iloc[0]
    cells = {str(one): None if pd.isna(value) else str(value) for one, value in found.items()}
    problems = look_at(place, key, cells).problems
    if problems:
        raise DataError(problems)
