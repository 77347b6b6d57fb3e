"""One register of a district: read, typed, checked and placed, or refused with every fault told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qjmap import _shapes, accuracy
from qjmap.checks import CONCERNS, LISTED, UNPLACED, Context, check, columns_named
from qjmap.errors import DataError, Problem, UnknownKeyError
from qjmap.ingest import RawTable, read_csv
from qjmap.layers import LayerSpec, Registry

if TYPE_CHECKING:
    from qjmap.district import District

AT_SEAT = "驻地近似"
IN_TOWN = "镇域近似"
DEMO = "演示"
_LEAST = {"line": 100.0, "polygon": 10_000.0}
"""Metres or square metres of a shape that count in a town, however small a part of the shape they are …"""
_SHARE = 0.05
"""… and the part of it that counts, however small the shape."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A register that can be used.

    Parameters
    ----------
    spec
        What the layer is.
    frame
        The spec's columns, typed (see `qjmap.checks.check`), with `position` and `error_m` filled in; and
        `x`, `y` (metres in the working projection, NaN when 未定位), `row` (line in its file) and `file`. Of a layer of
        lines or areas also `shape` (in metres), `length_m` or `area_m2` (measured) and `in_towns` (see `place_shapes`).
    problems
        Always empty: a layer with faults is not made. Kept so that pages treat a layer like a district.
    """

    spec: LayerSpec
    frame: pd.DataFrame
    problems: tuple[Problem, ...] = ()


def read_register(path: Path, spec: LayerSpec, context: Context, root: Path) -> pd.DataFrame:
    """Read and check one CSV file.

    Returns
    -------
    pandas.DataFrame
        The typed columns of the spec, `row` and `file`; index 0, 1, 2 …

    Raises
    ------
    DataError
        With every fault of the file.
    """
    return read_checked(read_csv(path, root), spec, context)


def load_table(district: District, key: str) -> pd.DataFrame:
    """Read a register without a place: `townships`, `villages`, `indicators`, `errata` …

    Raises
    ------
    DataError
        With every fault of the file.
    UnknownKeyError
        There is no table of that key.
    """
    spec = _spec(district, key, placed=False)
    raw = _kept(district, key) or read_csv(district.data / spec.file, district.root)
    return read_checked(raw, spec, district.context())


def concerned(table: pd.DataFrame, registry: Registry) -> list[tuple[LayerSpec, ...]]:
    """Give for each row of a table the layers of whose sensitive columns it speaks: none for what anybody may see.

    Parameters
    ----------
    table
        As `load_table` gives it; what it speaks of stands in its column `concerns`, where it has one.
    registry
        Says which columns are sensitive.
    """
    if CONCERNS not in table:
        return [()] * len(table)
    secret = {
        f"{key}.{name}": spec
        for key, spec in registry.layers.items()
        for name, column in spec.columns.items()
        if column.sensitive
    }
    return [tuple(secret[name] for name in columns_named(one) if name in secret) for one in table[CONCERNS]]


def public(table: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """Leave out the rows of a table that speak of a sensitive column: for what goes to anybody."""
    return table[[not specs for specs in concerned(table, registry)]]


def load_layer(district: District, key: str, *, demo: bool = True) -> Layer:
    """Read a layer: the documents' rows and, if wanted, the invented ones; checked and placed.

    What people changed (`District.kept`) takes the place of the documents' rows. Invented rows stand in for a register
    that nobody has: beside a single real one they would make sums of what is and what is not.

    Parameters
    ----------
    district
        The district.
    key
        The layer's key in `data/layers.toml`.
    demo
        Whether the rows of `demo/`, all `source = 演示`, are wanted while there are no others.

    Returns
    -------
    Layer
        Without rows when the district has no such register yet.

    Raises
    ------
    DataError
        With every fault of its files: one broken row stops the layer, no other.
    UnknownKeyError
        There is no layer of that key.
    """
    spec = _spec(district, key, placed=True)
    real, invented = district.data / spec.file, district.data / "demo" / spec.file
    raw = _kept(district, key)
    if raw is None and real.exists():
        raw = read_csv(real, district.root)
    is_demo = demo and (raw is None or raw.frame.empty) and invented.exists()
    if is_demo:
        raw = read_csv(invented, district.root)
    if raw is None:
        raw = RawTable(spec.file, pd.DataFrame(columns=list(spec.columns), dtype="str"), ())
    frame = read_checked(raw, spec, district.context(demo=is_demo))
    return Layer(
        spec, place_shapes(frame, district, spec.geometry) if spec.shaped else place(frame, district)
    )


def has_register(district: District, key: str, *, demo: bool = True) -> bool:
    """Tell whether a district has any file of a layer, without reading it: what nobody keeps need not be offered."""
    spec = district.registry.spec(key)
    files = [district.data / spec.file, *([district.data / "demo" / spec.file] if demo else [])]
    return key in district.kept or any(file.exists() for file in files)


def present(district: District, *, demo: bool = True) -> dict[str, LayerSpec]:
    """Give the layers that pages speak of: all of points, for a lack of them says something; of shapes those kept."""
    return {
        key: spec
        for key, spec in district.registry.layers.items()
        if not spec.shaped or has_register(district, key, demo=demo)
    }


def place(frame: pd.DataFrame, district: District) -> pd.DataFrame:
    """Give every record its place on the plane and say how far it is to be trusted.

    A record with coordinates keeps them; unless it says otherwise its position is 表载坐标, for nobody knows how they
    were obtained. Its error, if not said, is what the digits of its coordinates leave open, and no less than the
    registry assumes (`Registry.positions`). One without coordinates is put at its town's seat (驻地近似, error: the
    seat's own), or at the town's representative point (镇域近似, error: distance to the farthest corner of the town)
    if it says so, if the town has no known seat, or if it names a village, which may be anywhere in the town. One
    without a town is 未定位. Errors that are not said are whole metres.

    Parameters
    ----------
    frame
        Common columns, typed.
    district
        For towns and projection.

    Returns
    -------
    pandas.DataFrame
        A new frame with `position` and `error_m` filled, and `x`, `y` in metres (NaN when 未定位).
    """
    categories = frame["position"].cat.categories
    said = frame["position"].astype("str").to_numpy(dtype=object, na_value="")
    given = frame["lon"].notna().to_numpy() & frame["lat"].notna().to_numpy()
    # `place_of` is -1, the last row of the NaNs appended here, for a record without a town
    place_of = district.towns.index.get_indexer(pd.Index(frame["town"]))

    def of_town(column: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.append(district.towns[column].to_numpy(dtype=float), np.nan)[place_of]

    seat_x, seat_y, point_x, point_y = map(of_town, ("seat_x", "seat_y", "point_x", "point_y"))
    named_village = frame["village"].notna().to_numpy()
    free = ~given & (said != UNPLACED)
    at_seat = free & np.isfinite(seat_x) & (said != IN_TOWN) & (~named_village | (said == AT_SEAT))
    in_town = free & ~at_seat & np.isfinite(point_x)

    x, y = district.projection.to_metres(frame["lon"], frame["lat"])
    position = np.select(
        [given & (said == ""), given, at_seat, in_town], [LISTED, said, AT_SEAT, IN_TOWN], UNPLACED
    )
    own_error = frame["error_m"].to_numpy()
    unsaid = given & np.isnan(own_error)
    default = np.select(
        [unsaid, at_seat, in_town],
        [_unsaid_error(frame, position, unsaid, district), of_town("seat_error_m"), of_town("point_error_m")],
        np.nan,
    ).round()  # no place is known to the millimetre
    return frame.assign(
        position=pd.Categorical(position, categories=categories),
        error_m=np.where(np.isnan(own_error) | (position == UNPLACED), default, own_error),
        x=np.select([given, at_seat, in_town], [x, seat_x, point_x], np.nan),
        y=np.select([given, at_seat, in_town], [y, seat_y, point_y], np.nan),
    )


def _unsaid_error(
    frame: pd.DataFrame, position: npt.NDArray[np.object_], unsaid: npt.NDArray[np.bool_], district: District
) -> npt.NDArray[np.float64]:
    """Give the error of records that have coordinates and do not say it, (n,): metres, NaN of all others."""
    found = np.full(len(frame), np.nan)
    if unsaid.any():
        lon, lat = (frame.loc[unsaid, key].to_numpy(dtype=np.float64) for key in ("lon", "lat"))
        least = {way: one.error_m for way, one in district.registry.positions.items()}
        assumed = np.array([least.get(str(way), np.nan) for way in position[unsaid]])
        found[unsaid] = np.ceil(np.maximum(accuracy.of_degrees(lon, lat), assumed))
    return found


def place_shapes(frame: pd.DataFrame, district: District, geometry: str) -> pd.DataFrame:
    """Bring lines or areas to the plane and measure them.

    Parameters
    ----------
    frame
        Common columns and `geometry` (shapely, degrees), typed.
    district
        For the projection and the towns' boundaries.
    geometry
        ``line`` or ``polygon``.

    Returns
    -------
    pandas.DataFrame
        A new frame with `position` filled (表载坐标 unless it says otherwise); `error_m` stays unknown where it is not
        said, for nothing counts with it; `shape` in metres, `x`, `y` of a point in it, and `length_m` or `area_m2`,
        measured in the equal-area projection; `in_towns`, how many metres or square metres lie in which town, most
        first, without what is but the width of a line.
    """
    shapes = np.empty(len(frame), dtype=object)
    shapes[:] = district.projection.geometry_to_metres(frame["geometry"].to_numpy(dtype=object))
    inside = shapely.point_on_surface(shapes)
    size = _shapes.measure(shapes, geometry)
    said = frame["position"].astype("str").to_numpy(dtype=object, na_value=LISTED)
    return frame.assign(
        position=pd.Categorical(said, categories=frame["position"].cat.categories),
        x=shapely.get_x(inside),
        y=shapely.get_y(inside),
        shape=pd.Series(shapes, index=frame.index, dtype=object),
        in_towns=pd.Series(_in_towns(shapes, size, geometry, district), index=frame.index, dtype=object),
        **{"length_m" if geometry == "line" else "area_m2": size.round(1)},
    )


def _in_towns(
    shapes: npt.NDArray[np.object_], size: npt.NDArray[np.float64], geometry: str, district: District
) -> list[dict[str, float]]:
    land = district.boundaries
    parts = _shapes.by_town(shapes, size, land.geometry.to_numpy(dtype=object), geometry)
    names = [str(name) for name in land.index]
    parts[(parts < _LEAST[geometry]) & (parts < _SHARE * size[:, None])] = 0.0
    found = []
    for row in parts:
        there = np.flatnonzero(row)
        found.append(
            {names[n]: float(row[n]) for n in there[np.argsort(-row[there], kind="stable")].tolist()}
        )
    return found


def lies_in(frame: pd.DataFrame, towns: Collection[str]) -> npt.NDArray[np.bool_]:
    """Tell which records are in some towns: those that say so, and lines and areas that lie in them in part.

    Returns
    -------
    numpy.ndarray
        (n,) bool.
    """
    wanted = set(towns)
    found: npt.NDArray[np.bool_] = frame["town"].isin(wanted).to_numpy(dtype=bool)
    if "in_towns" in frame:
        found = found | np.array([not wanted.isdisjoint(one) for one in frame["in_towns"]], dtype=bool)
    return found


def nowhere(frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell which records are in no town that anybody could name: (n,) bool."""
    blank: npt.NDArray[np.bool_] = frame["town"].isna().to_numpy(dtype=bool)
    return (
        blank & np.array([not one for one in frame["in_towns"]], dtype=bool) if "in_towns" in frame else blank
    )


def has_demo(frame: pd.DataFrame) -> bool:
    """Tell whether a layer's frame holds an invented record (source 演示)."""
    return "source" in frame and bool((frame["source"] == DEMO).fillna(False).any())


def _spec(district: District, key: str, *, placed: bool) -> LayerSpec:
    spec = district.registry.spec(key)
    if spec.placed is not placed:
        raise UnknownKeyError(f"“{key}”是{'图层' if spec.placed else '表'},不是{'图层' if placed else '表'}")
    return spec


def _kept(district: District, key: str) -> RawTable | None:
    """Give what people changed in place of the shipped file, or None."""
    kept = district.kept.get(key)
    return None if kept is None else completed(kept.table(), district.registry.spec(key))


def completed(raw: RawTable, spec: LayerSpec) -> RawTable:
    """Give an old version the columns that the registry got since it was kept, blank; required ones it must have."""
    new = [key for key, one in spec.columns.items() if key not in raw.frame and not one.required]
    if not new:
        return raw
    blank = {key: pd.Series(np.nan, index=raw.frame.index, dtype="str") for key in new}
    return replace(raw, frame=raw.frame.assign(**blank))


def read_checked(raw: RawTable, spec: LayerSpec, context: Context) -> pd.DataFrame:
    """Check what is read already; otherwise as `read_register`."""
    checked = check(raw, spec, context)
    if checked.problems:
        raise DataError(checked.problems)
    file = pd.Series(raw.file, index=checked.frame.index, dtype="str")
    return checked.frame.assign(row=np.asarray(raw.rows, dtype=np.int64), file=file)
