"""Data for the pages: loaded once for each content of the files, and shared by everybody who looks."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
import streamlit as st

from qjmap.district import ROOT, District, districts, load_district
from qjmap.errors import DataError, QjmapError, UnknownKeyError
from qjmap.marks import shape_layer
from qjmap.merging import IMPORTED
from qjmap.registers import Layer, load_layer, load_table
from qjmap.rulebook import load_standards
from qjmap.standards import Rule, Standards
from qjmap.webmap import ShapeLayer, base_map
from qjmap.workspace import Workspace, home

_CORNERS = 30_000  # of the base map: some 600 kB

# A run of a page has a thread, and so a context, of its own.
_seen: ContextVar[str | None] = ContextVar("seen", default=None)


def root() -> Path:
    """Give the folder whose `data/` and `geo/` are shown: the project's own, or `QJMAP_ROOT`."""
    return Path(os.environ.get("QJMAP_ROOT", ROOT)).resolve()


def district_key() -> str:
    """Give the district shown: `QJMAP_DISTRICT`, or the first there is.

    Raises
    ------
    UnknownKeyError
        There is none.
    """
    key = os.environ.get("QJMAP_DISTRICT") or next(iter(districts(root())), None)
    if key is None:
        raise UnknownKeyError(f"{root() / 'data'} 内没有区县(应有含 district.toml 的文件夹)")
    return key


def look() -> None:
    """Look at the files once for this run of a page; until the next run, `fingerprint` says what was seen."""
    _seen.set(None)
    _seen.set(fingerprint())


def fingerprint() -> str:
    """Say in one text what the files are, so that a changed file is read again and an unchanged one never."""
    seen = _seen.get()
    if seen is not None:
        return seen
    folders = (root() / "data", root() / "geo")
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    return "|".join([*(f"{path}:{_stamp(path)}" for path in files), _kept_stamp()])


def workspace() -> Workspace:
    """Give the versions of what people changed in the district shown.

    Raises
    ------
    WorkspaceError
        The folder that is set for them cannot be used.
    """
    return Workspace(home(), district_key())


def _kept_stamp() -> str:
    """Say which versions there are; nothing when there can be none, which the page of versions tells."""
    try:
        return workspace().stamp()
    except QjmapError:
        return ""


def _stamp(path: Path) -> str:
    try:
        stat = path.stat()
    except FileNotFoundError:  # gone since the folder was listed
        return "-"
    return f"{stat.st_mtime_ns}:{stat.st_size}"


def district() -> District:
    """Load the district.

    Raises
    ------
    DataError
        The registry, the settings or the list of towns is wrong: nothing can be shown without them.
    """
    return _district(fingerprint(), district_key())


def layer(key: str, *, demo: bool) -> Layer:
    """Load a layer.

    Raises
    ------
    DataError
        With every fault of its files.
    """
    found = _layer(fingerprint(), district_key(), key, demo)
    if isinstance(found, DataError):
        raise found
    return found


def shapes(layer: Layer, chosen: str | None = None) -> ShapeLayer:
    """Give the drawing of a layer of lines or areas, made ready for the screen once; `chosen` is the id in focus."""
    drawn = _shapes(fingerprint(), district_key(), layer.spec.key, len(layer.frame), layer)
    places = np.flatnonzero((layer.frame["id"] == chosen).to_numpy(dtype=bool)).tolist()
    return drawn.choosing(places[0]) if places else drawn


def imported(keys: Iterable[str]) -> list[str]:
    """Say of the registers that people put in, as they are in use now, how many of their records came so, and when."""
    place, found = district(), []
    for key in dict.fromkeys(keys):
        if key not in place.kept or key not in place.registry.layers:
            continue
        try:
            there = layer(key, demo=False)
        except DataError:
            continue
        count = int((there.frame["source"] == IMPORTED).sum())
        if count:
            which = place.kept[key].version
            found.append(f"导入的“{there.spec.label}”名册 {count:,} {there.spec.counter}({which})")
    return found


def imported_for(rules: Iterable[Rule]) -> list[str]:
    """Do as `imported`, of the registers that some rules look at."""
    return imported(key for rule in rules for key in (*rule.layers, *rule.to))


def has_table(key: str) -> bool:
    """Tell whether the district keeps a table; not every district keeps every one."""
    place = district()
    if key in place.kept:
        return True
    return (place.data / place.registry.spec(key).file).exists()


def table(key: str) -> pd.DataFrame:
    """Load a table without a place; raises as `layer`."""
    found = _table(fingerprint(), district_key(), key)
    if isinstance(found, DataError):
        raise found
    return found


def standards() -> Standards:
    """Load the standards; raises `StandardError` naming rule and field."""
    return _standards(fingerprint(), district_key())


def rules() -> tuple[Rule, ...]:
    """Give the rules there are; none while their file is wrong, which other parts of the page tell."""
    try:
        return tuple(standards().values())
    except QjmapError:
        return ()


def ground() -> str:
    """Give the constant base map's JSON."""
    return _ground(fingerprint(), district_key())


@st.cache_resource(show_spinner=False, max_entries=16)
def _shapes(content: str, key: str, layer_key: str, rows: int, _layer: Layer) -> ShapeLayer:
    drawn = shape_layer(_district(content, key), _layer.spec, _layer.frame)
    assert drawn.on_screen is not None  # made here, not for each visitor
    return drawn


# The first argument is the content; Streamlit hashes it and nothing else changes the result.


@st.cache_resource(show_spinner=False, max_entries=4)
def _district(content: str, key: str) -> District:
    try:
        kept = Workspace(home(), key).current()
    except QjmapError:
        kept = {}
    return load_district(key, root(), kept=kept)


@st.cache_resource(show_spinner=False, max_entries=64)
def _layer(content: str, key: str, layer_key: str, demo: bool) -> Layer | DataError:
    try:
        return load_layer(_district(content, key), layer_key, demo=demo)
    except DataError as error:
        return error


@st.cache_resource(show_spinner=False, max_entries=32)
def _table(content: str, key: str, table_key: str) -> pd.DataFrame | DataError:
    try:
        return load_table(_district(content, key), table_key)
    except DataError as error:
        return error


@st.cache_resource(show_spinner=False, max_entries=4)
def _standards(content: str, key: str) -> Standards:
    place = _district(content, key)
    return load_standards(root() / "data" / "standards.toml", place.registry, list(place.documents.index))


def _thinned(shapes: list[Any]) -> list[Any]:
    """Leave out corners of surveyed lines (degrees) until the base map is light; the screen's lines only, no figure."""
    drawn, tolerance = shapes, 1e-5
    while shapely.get_num_coordinates(drawn).sum() > _CORNERS and tolerance < 0.01:
        drawn, tolerance = list(shapely.simplify(shapes, tolerance)), 2 * tolerance
    return drawn


@st.cache_resource(show_spinner=False, max_entries=4)
def _ground(content: str, key: str) -> str:
    place = _district(content, key)
    projection = place.projection
    frames = []
    for frame in (place.boundaries, place.background):
        lon, lat = projection.to_degrees(frame["label_x"], frame["label_y"])
        frames.append(
            frame.set_geometry(_thinned([projection.geometry_to_degrees(g) for g in frame.geometry])).assign(
                label_lon=lon, label_lat=lat
            )
        )
    seats = place.towns[["seat_lon", "seat_lat"]].dropna()
    return base_map(
        place.settings.short_name,
        frames[0],
        frames[1],
        {str(t): (r.seat_lon, r.seat_lat) for t, r in seats.iterrows()},
    )
