"""Marks: records on a map — filled for what is there, hollow for what is planned, grey for what is invented.

Kept apart from `qjmap.scenes`, whose judgements take longer to import than the first page may take.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from qjmap.district import District
from qjmap.layers import LayerSpec
from qjmap.registers import DEMO
from qjmap.webmap import PALETTE, MarkLayer, MarkStyle, ShapeLayer, ShapeStyle

PLANNED = ("规划", "在建")

DEMO_NOTICE = ("含演示数据,非真实记录", True)

#: Above this many marks their names are not sent with them: a click still tells.
NAMED = 400


def marks(
    district: District,
    spec: LayerSpec,
    records: pd.DataFrame,
    *,
    visible: bool = True,
    styled: tuple[Sequence[MarkStyle], NDArray[np.uint8]] | None = None,
) -> MarkLayer:
    """Make the marks of placed records.

    Parameters
    ----------
    records
        n placed records of the layer.
    visible
        False for a layer that only feeds the coverage.
    styled
        Styles and an (n,) index into them, where the marks say something else than what is there.
    """
    lon, lat = district.projection.to_degrees(records["x"], records["y"])
    styles, classes = styled or by_status(spec, records)
    return MarkLayer(
        key=spec.key,
        lon=np.asarray(lon),
        lat=np.asarray(lat),
        symbol=district.registry.symbols[spec.symbol],
        styles=styles,
        classes=classes,
        names=records["name"].tolist() if visible and len(records) <= NAMED else None,
        visible=visible,
    )


def by_status(spec: LayerSpec, records: pd.DataFrame) -> tuple[Sequence[MarkStyle], NDArray[np.uint8]]:
    """Sort records by what is there, planned or being built, and invented."""
    planned = records["status"].isin(PLANNED).to_numpy(dtype=bool)
    invented = (records["source"] == DEMO).to_numpy(dtype=bool)
    styles = [
        MarkStyle(spec.label),
        MarkStyle(f"{spec.label}(规划、在建)", hollow=True),
        MarkStyle(f"{spec.label}(演示)", colour=PALETTE["muted_facility"]),
        MarkStyle(f"{spec.label}(规划、在建,演示)", colour=PALETTE["muted_facility"], hollow=True),
    ]
    return styles, (planned + 2 * invented).astype(np.uint8)


#: One for each kind of lines or areas, in the registry's order; apart for colour-blind eyes, and by their names.
_HUES = (
    *("#0072b2", "#b5520b", "#6a3d9a", "#0b7a66", "#9b1c4d", "#7a6400", "#2f7d1f", "#8c4a2f"),
    "#4a5560",
)

#: Of areas that are drawn as lines only, such as villages: not to be taken for a road.
_BOUNDS = ("#8a6d3b", "#7a4f7d")

_MOST_FILLED = 0.3
"""Areas that cover more of their towns than this are drawn as lines only, so that what lies below stays legible."""


def shape_layer(district: District, spec: LayerSpec, records: pd.DataFrame) -> ShapeLayer:
    """Make the drawing of lines or areas: a colour for each kind, broken where planned, grey where invented.

    Parameters
    ----------
    records
        n records of a layer of lines or areas.
    """
    planned = records["status"].isin(PLANNED).to_numpy(dtype=bool)
    invented = (records["source"] == DEMO).to_numpy(dtype=bool)
    kinds = records["kind"].cat.codes.to_numpy()
    fill = spec.geometry == "polygon" and records["area_m2"].sum() <= _MOST_FILLED * _land(district, records)
    styles: list[ShapeStyle] = []
    classes = np.zeros(len(records), dtype=np.uint8)
    for kind, waits, made_up in sorted(
        set(zip(kinds.tolist(), planned.tolist(), invented.tolist(), strict=True))
    ):
        said = "、".join(word for word, so in (("规划、在建", waits), ("演示", made_up)) if so)
        hues = _HUES if fill or spec.geometry == "line" else _BOUNDS
        colour = PALETTE["muted_facility"] if made_up else hues[kind % len(hues)]
        classes[(kinds == kind) & (planned == waits) & (invented == made_up)] = len(styles)
        label = f"{spec.label}:{spec.kinds[kind]}{f'({said})' if said else ''}"
        styles.append(ShapeStyle(label, colour, fill=fill, dashed=waits))
    return ShapeLayer(
        key=spec.key,
        shapes=records["geometry"].to_numpy(dtype=object),
        styles=styles,
        classes=classes,
        names=records["name"].tolist(),
    )


def _land(district: District, records: pd.DataFrame) -> float:
    """Give the area (square metres) of the towns that records name, or of the district where some name none."""
    shapes = district.boundaries.geometry
    named = records["town"].dropna().unique()
    own = shapes[shapes.index.isin(named)] if len(named) and records["town"].notna().all() else shapes
    return float(own.area.sum())


def stacked(layers: Iterable[ShapeLayer]) -> list[ShapeLayer]:
    """Put drawings over one another so that each is seen: areas without a tint first, then tinted ones, then lines."""
    return sorted(layers, key=lambda one: (_lines(one), any(style.fill for style in one.styles)))


def _lines(layer: ShapeLayer) -> bool:
    return not np.any(shapely.get_dimensions(layer.shapes) == 2)


def notices(district: District, *, demo: bool) -> list[tuple[str, bool]]:
    """Give what must stand on every map: whose line it is, and whether anything on it is invented."""
    said = [(district.boundary_notice, False)]
    if demo:
        said.insert(0, DEMO_NOTICE)
    return said


def town_bounds(district: District, town: str | None) -> tuple[float, float, float, float] | None:
    """Give a town's box in degrees (west, south, east, north); None without a town or its boundary."""
    if town is None or town not in district.boundaries.index:
        return None
    west, south, east, north = district.boundaries.geometry[town].bounds
    lon, lat = district.projection.to_degrees([west, east], [south, north])
    return float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])


def district_bounds(district: District) -> tuple[float, float, float, float] | None:
    """Give the district's box in degrees (west, south, east, north); None without boundaries."""
    if district.boundaries.empty:
        return None
    west, south, east, north = district.boundaries.total_bounds
    lon, lat = district.projection.to_degrees([west, east], [south, north])
    return float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])
