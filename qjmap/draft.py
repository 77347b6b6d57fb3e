"""A file on its way into a layer: matched, read, repaired, checked; good rows to keep, bad ones to give back.

Nothing is repaired in silence: each repair is in the list, and can be refused alone or with its kind.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from qjmap import _shapes, datum
from qjmap._bench import BY_NUMBER, Draft, Repair, Surroundings, Work, like
from qjmap._cells import EXAMPLE, clear_cells, fill_columns, fill_merged, in_unit, leave_out, repair_cells
from qjmap._ditto import DITTO, by_ditto, refuse_dittos
from qjmap._finishing import fill_defaults, finish
from qjmap._grouped import ABOVE, by_group, by_heading
from qjmap._limits import give_back
from qjmap._placing import place
from qjmap._towns import by_sheet, towns_of_sheets
from qjmap._units import other_units
from qjmap._villages import know_villages
from qjmap._villages import tells as told_by_register
from qjmap.coordinates import columns as coordinates
from qjmap.district import District
from qjmap.errors import DataError
from qjmap.ingest import RawTable, Source
from qjmap.layers import SHAPE, Column, LayerSpec
from qjmap.matching import Match
from qjmap.places import VILLAGE_AREAS, Gazetteer, with_areas
from qjmap.registers import load_layer, load_table

__all__ = [
    "ABOVE",
    "BY_NUMBER",
    "EXAMPLE",
    "Draft",
    "Repair",
    "Surroundings",
    "coordinates",
    "meanings_for",
    "prepare",
    "sheets_of_towns",
    "surroundings",
    "to_register",
    "to_table",
    "told_by_register",
    "unknown_words",
]

_BLOCK = 8192  # rows written at once
_MANY = 10_000  # rows whose memory is worth the milliseconds that giving it back takes


def _silent(_: float) -> None:
    """Hear how far it is, and do nothing."""


def surroundings(district: District, existing: pd.DataFrame | None = None, batch: int = 1) -> Surroundings:
    """Gather what files for a district are held against.

    Parameters
    ----------
    district
        The district.
    existing
        The layer's rows that are kept already, for doubles.
    batch
        The number of the version that will be made, for the ids of rows that have none.
    """
    towns = tuple(district.towns.index)
    try:
        villages = load_table(district, "villages")
    except DataError:  # without the list of villages an address still finds its town
        villages = pd.DataFrame({"name": pd.Series(dtype="str"), "town": pd.Series(dtype="str")})
    with contextlib.suppress(DataError):  # its own page tells
        if VILLAGE_AREAS in district.registry.shaped:
            drawn = load_layer(district, VILLAGE_AREAS, demo=False).frame
            villages = with_areas(villages, drawn) if len(drawn) else villages
    areas = {str(name): float(area) for name, area in district.towns["area_km2"].items()}
    settings = district.settings
    codes = {str(name): str(code) for name, code in district.towns["code"].items()}
    return Surroundings(
        district.context(),
        district.ground(),
        Gazetteer(towns, villages, areas, (settings.name, settings.short_name)),
        own_names(district),
        existing,
        batch,
        codes,
        district.registry.positions,
        district.registry.shifts,
    )


def own_names(district: District) -> tuple[str, ...]:
    """Give the district's own names, now and formerly, as they may stand before a town's."""
    name, short = district.settings.name, district.settings.short_name
    former = district.settings.former_names
    above = name.removesuffix(short)  # the city's
    return name, short, short.removesuffix("区").removesuffix("县"), *former, *(above + one for one in former)


def sheets_of_towns(source: Source, district: District) -> dict[str, str]:
    """Give of the sheets that are read those that are called as a town, and that town."""
    return towns_of_sheets(source, tuple(district.towns.index), own_names(district))


def prepare(
    source: Source,
    spec: LayerSpec,
    matches: Mapping[str, Match],
    reading: datum.Reading | None,
    around: Surroundings,
    *,
    refused_repairs: Collection[str] = (),
    fills: Mapping[str, str] = MappingProxyType({}),
    meanings: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    known: Collection[str] = (),
    progress: Callable[[float], None] = _silent,
) -> Draft:
    """Make a file's table into rows of a layer.

    Parameters
    ----------
    source
        The sheet or layer.
    spec
        The layer.
    matches
        From `qjmap.matching.match`, as the person corrected it.
    reading
        How its coordinates are read (one of `qjmap.coordinates.readings`); None when there are none.
    around
        From `surroundings`.
    refused_repairs
        Ids of repairs, or their beginnings (``kind:column``, ``kind``), that shall not be made.
    fills
        What a person says of all rows, for columns that the file has not: register's key → value.
    meanings
        What a person says that words of the file mean: register's key → the file's word → the register's; of a blank
        town (the empty word) that it is `ABOVE`.
    known
        Keys (`qjmap.merging.key_of`) that the register has already, where the file updates it: a row of such a key
        needs no other cell, for `qjmap.merging.join` leaves what it does not say as it is kept.
    progress
        Told how far the work is, from 0 to 1.

    Returns
    -------
    Draft
        Rows with an error are not in its frame.
    """
    work = Work(source, spec, matches, around, frozenset(refused_repairs), fills, meanings, known)
    steps: tuple[tuple[float, Callable[[Work], None]], ...] = (
        (0.05, leave_out),
        (0.1, fill_merged),
        (0.11, clear_cells),
        (0.12, fill_columns),
        (0.125, by_heading),
        (0.13, by_sheet),
        (0.14, refuse_dittos),
        (0.4, repair_cells),
        (0.405, by_ditto),
        (0.41, by_group),
        (0.45, know_villages),
        (0.6, partial(place, reading=reading)),
        (0.65, fill_defaults),
    )
    for done, step in steps:
        step(work)
        if (
            len(work.rows) > _MANY
        ):  # what one step took for a moment is not kept beside what the next one takes
            give_back()
        progress(done)
    made = replace(finish(work), below=work.below)
    progress(1.0)
    return made


def unknown_words(made: Draft, source: Source, matches: Mapping[str, Match]) -> dict[str, dict[str, int]]:
    """Find the words of a file that a column does not know, for a person to say what they mean (`meanings_for`).

    Of a column with fixed values these are values; of a number the unit that its header says.

    Parameters
    ----------
    made
        What became of the file.
    source, matches
        What it was made from.

    Returns
    -------
    dict
        Register's key → the file's word → in how many rows it stops the row; most rows first.
    """
    frame, rows = source.table.frame, np.asarray(source.table.rows, dtype=np.int64)
    found: dict[str, dict[str, int]] = {}
    for key, column in made.spec.columns.items():
        if key in matches and matches[key].unit and column.type in ("integer", "number"):
            told = matches[key].column, in_unit(column)
            if stopped_rows := sum((one.column, one.expected) == told for one in made.problems):
                found[key] = {matches[key].unit: stopped_rows}
        if key not in matches or column.type not in ("category", "town"):
            continue
        name = matches[key].column
        stopped = np.isin(
            rows,
            [row for one in made.problems if one.column == name and (row := source.table.row_of(one))],
        )
        words = frame[name][stopped].dropna()
        words = words[~like(words, DITTO)]  # what it means is another thing in each row
        if len(words):
            found[key] = {str(word): int(count) for word, count in words.value_counts().items()}
    return found


def meanings_for(column: Column, towns: Collection[str] = ()) -> tuple[str, ...]:
    """Give what an unknown word of a column may mean: one of its values, a town, a unit."""
    if column.type in ("integer", "number"):
        return (column.unit, *(name for name, _ in other_units(column.unit)))
    return tuple(one for one in (towns if column.type == "town" else column.values) if one)


def to_register(frame: pd.DataFrame, spec: LayerSpec) -> bytes:
    """Write typed rows as the CSV text of a register, as `qjmap.ingest.parse_csv` and `qjmap.checks.check` read it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(spec.columns)
    columns = [_texts(frame[key], column) for key, column in spec.columns.items()]
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue().encode("utf-8")


def to_table(draft: Draft) -> RawTable:
    """Give the good rows of a draft as the text of a register, with their numbers in the file: as `to_register`."""
    columns = {key: _text_array(draft.frame[key], column) for key, column in draft.spec.columns.items()}
    frame: pd.DataFrame = pa.table(columns).to_pandas()
    return RawTable(draft.file, frame.astype("str"), draft.rows, draft.sheets)


def _text_array(values: pd.Series, column: Column) -> pa.ChunkedArray:
    """Write a column block by block: a hundred thousand texts as objects would be ten times the file."""
    kind = pa.large_string()
    if column.type not in ("integer", "year") and isinstance(values.dtype, pd.StringDtype):
        texts = pa.array(values, type=kind, from_pandas=True)
        return texts if isinstance(texts, pa.ChunkedArray) else pa.chunked_array([texts])
    blocks = []
    for start in range(0, len(values), _BLOCK):
        texts = pa.array(_texts(values.iloc[start : start + _BLOCK], column), type=kind)
        blocks.append(pc.if_else(pc.equal(texts, ""), pa.scalar(None, type=kind), texts))
    return pa.chunked_array(blocks, type=kind)


def _texts(values: pd.Series, column: Column) -> list[str]:
    known = values.notna().tolist()
    if column.type == "date":
        return [f"{one:%Y-%m-%d}" if there else "" for one, there in zip(values, known, strict=True)]
    if column.type == SHAPE:
        return [one or "" for one in _shapes.write(values.to_numpy(dtype=object))]
    if column.type == "boolean":
        return [("是" if one else "否") if there else "" for one, there in zip(values, known, strict=True)]
    if column.type in ("number", "longitude", "latitude"):
        return [_shortest(one) if there else "" for one, there in zip(values.tolist(), known, strict=True)]
    return [str(one) if there else "" for one, there in zip(values.tolist(), known, strict=True)]


def _shortest(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
