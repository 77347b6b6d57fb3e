"""The map beside the wizard: what is kept, how coordinates may be read, where the good rows will lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
import streamlit as st

from qjmap import marks, summary
from qjmap.checks import UNPLACED
from qjmap.datum import Reading
from qjmap.district import District
from qjmap.draft import Draft
from qjmap.errors import DataError
from qjmap.layers import LayerSpec
from qjmap.merging import PLACE
from qjmap.office import Office
from qjmap.registers import place
from qjmap.ui import intake_work, source
from qjmap.ui.intake_hand import CHECK, PLACES, Work
from qjmap.webmap import PALETTE, MarkLayer, MarkStyle, Scene, ShapeLayer, ShapeStyle

MOST_READ = 300
"""Rows whose readings are shown together."""
MOST_SHOWN = 5000
"""Good rows that are shown."""

LOOK_AT = "intake-look-at"
"""The row that the map goes to, in the session; None for all."""

#: Told apart by colour-blind eyes (Okabe–Ito) and by form.
_SIGNS = (("#0072b2", "square"), ("#d55e00", "diamond"), ("#009e73", "cross"), ("#cc79a7", "drop"))
_AROUND = 0.012  # degrees round a row that is looked at: a good kilometre
_TOWN = 0.09  # degrees: about as wide as a town


def scene(one: Work, office: Office, spec: LayerSpec | None) -> Scene:
    """Make what the map shows at the step in hand."""
    district = office.district
    said = marks.notices(district, demo=False)
    try:
        if spec is not None and one.step == PLACES:
            return _readings(one, district, spec, said)
        if spec is not None and one.step == CHECK:
            return _good_rows(one, office, spec, said)
        if spec is not None and spec.placed:
            return _kept(district, spec, said)
    except DataError:  # told beside the map
        pass
    return Scene(notices=said)


Notices = Sequence[tuple[str, bool]]


def _kept(district: District, spec: LayerSpec, said: Notices) -> Scene:
    layer = source.layer(spec.key, demo=False)
    there = summary.placed(layer.frame)
    if there.empty:
        return Scene(notices=said)
    if spec.shaped:
        return Scene(shapes=[source.shapes(layer)], notices=said)
    return Scene(layers=[marks.marks(district, spec, there)], notices=said)


def sampled(count: int, most: int) -> npt.NDArray[np.int64]:
    """Give at most so many places, evenly strewn over the rows."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64)) if count else np.arange(0)


def readable(found: Sequence[Reading]) -> npt.NDArray[np.int64]:
    """Give the rows that are shown at the step of coordinates: those that have any, sampled."""
    known = np.zeros(len(found[0].lon), dtype=bool) if found else np.zeros(0, dtype=bool)
    for each in found:
        known |= np.isfinite(each.lon)
    rows = np.flatnonzero(known)
    return rows[sampled(len(rows), MOST_READ)]


def _readings(one: Work, district: District, spec: LayerSpec, said: Notices) -> Scene:
    towns = tuple(district.towns.index)
    matches = intake_work.matched(one, spec, towns)
    if not intake_work.has_coordinates(one, spec, matches):
        return Scene(notices=said)
    found = intake_work.offered(one, spec, district, matches)
    rows = readable(found)
    names = intake_work.row_names(one, matches, rows)
    layers = []
    for n, each in enumerate(found[: len(_SIGNS)]):
        colour, symbol = _SIGNS[n]
        good = np.isfinite(each.lon[rows])
        layers.append(
            MarkLayer(
                f"reading-{n}",
                each.lon[rows][good],
                each.lat[rows][good],
                district.registry.symbols[symbol],
                [MarkStyle(each.label, colour, hollow=each.key != one.reading)],
                np.zeros(int(good.sum()), dtype=np.uint8),
                [f"{name}:{each.label}" for name, ok in zip(names, good, strict=True) if ok],
            )
        )
    return Scene(
        layers=layers, focus=_focus(one, district, found), chosen=_looked_at(one, found), notices=said
    )


def _looked_at(one: Work, found: Sequence[Reading]) -> tuple[float, float, float] | None:
    """Give where the row that is looked at lies by the chosen reading, for the ring round it."""
    row = st.session_state.get(LOOK_AT)
    for each in found:
        if each.key == one.reading and isinstance(row, int) and row < len(each.lon):
            lon, lat = float(each.lon[row]), float(each.lat[row])
            return (lon, lat, 0.0) if np.isfinite(lon) and abs(lat) < 85 else None
    return None


def _focus(
    one: Work, district: District, found: Sequence[Reading]
) -> tuple[str, tuple[float, float, float, float]] | None:
    """Give the box round the readings of the row that is looked at."""
    row = st.session_state.get(LOOK_AT)
    if not isinstance(row, int) or not found or row >= len(found[0].lon):
        lon, lat = (np.concatenate([getattr(each, name) for each in found]) for name in ("lon", "lat"))
        return _where_they_are(district, f"readings-{one.digest[:8]}", lon, lat)
    lon = np.array([each.lon[row] for each in found])
    lat = np.array([each.lat[row] for each in found])
    good = np.isfinite(lon) & (np.abs(lat) < 85)
    if not good.any():
        return _whole(district)
    west, east, south, north = lon[good].min(), lon[good].max(), lat[good].min(), lat[good].max()
    box = (float(west) - _AROUND, float(south) - _AROUND, float(east) + _AROUND, float(north) + _AROUND)
    return f"row-{one.digest[:8]}-{row}", box


def _whole(district: District) -> tuple[str, tuple[float, float, float, float]] | None:
    box = marks.district_bounds(district)
    return None if box is None else ("district", box)


def _where_they_are(
    district: District, key: str, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]
) -> tuple[str, tuple[float, float, float, float]] | None:
    """Give the box round what lies in the district, so that one town's rows are not a blot on the whole map."""
    whole = _whole(district)
    if whole is None:
        return None
    west, south, east, north = whole[1]
    with np.errstate(invalid="ignore"):
        inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    if not inside.any():
        return whole
    x, y = lon[inside], lat[inside]
    # one row alone would be a mark between lines of which nobody knows where they are
    wide, high = (max(_AROUND, (_TOWN - float(np.ptp(one))) / 2) for one in (x, y))
    box = (
        max(west, float(x.min()) - wide),
        max(south, float(y.min()) - high),
        min(east, float(x.max()) + wide),
        min(north, float(y.max()) + high),
    )
    return key, box


def _good_rows(one: Work, office: Office, spec: LayerSpec, said: Notices) -> Scene:
    matches = intake_work.matched(one, spec, tuple(office.district.towns.index))
    made = intake_work.checked(one, office, spec, matches)
    return one.once("scene", (id(made), spec.key), lambda: _drawn(made, office.district, spec, said))


def _drawn(made: Draft, district: District, spec: LayerSpec, said: Notices) -> Scene:
    if not spec.placed or made.frame.empty:
        return Scene(notices=said)
    picked = sampled(len(made.frame), MOST_SHOWN)
    wanted = ["name", "geometry"] if spec.geometry != "point" else ["name", "town", "village", *PLACE]
    rows = made.frame[wanted].iloc[picked].reset_index(drop=True)
    if len(picked) < len(made.frame):
        said = [(f"图上只画 {len(picked):,} 条,均匀抽取", True), *said]
    if spec.geometry != "point":
        return _shapes(rows["geometry"].to_numpy(dtype=object), spec, rows["name"].tolist(), said)
    placed = place(rows, district)
    placed = placed[placed["x"].notna() & (placed["position"] != UNPLACED)]
    lon, lat = district.projection.to_degrees(placed["x"], placed["y"])
    own = placed["lon"].notna().to_numpy()
    styles = [
        MarkStyle(f"将导入的{spec.label}", PALETTE["facility"]),
        MarkStyle(f"{spec.label}(无坐标,按街镇近似)", PALETTE["facility"], hollow=True),
    ]
    layer = MarkLayer(
        spec.key,
        np.asarray(lon),
        np.asarray(lat),
        district.registry.symbols[spec.symbol],
        styles,
        (~own).astype(np.uint8),
        placed["name"].tolist() if len(placed) <= marks.NAMED else None,
    )
    focus = _where_they_are(district, f"rows-{len(made.frame)}-{spec.key}", layer.lon, layer.lat)
    return Scene(layers=[layer] if len(placed) else [], focus=focus, notices=said)


def _shapes(shapes: npt.NDArray[np.object_], spec: LayerSpec, names: Sequence[str], said: Notices) -> Scene:
    if shapes.size and isinstance(shapes[0], str):
        shapes = shapely.from_wkt(shapes)
    style = ShapeStyle(f"将导入的{spec.label}", PALETTE["accent"], fill=spec.geometry == "polygon")
    layer = ShapeLayer(spec.key, shapes, [style], np.zeros(len(shapes), dtype=np.uint8), names)
    return Scene(shapes=[layer], notices=said)
