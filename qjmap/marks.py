"""Marks: records on a map — filled for what is there, hollow for what is planned, grey for what is invented.

Kept apart from `qjmap.scenes`, whose judgements take longer to import than the first page may take.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qjmap.district import District
from qjmap.layers import LayerSpec
from qjmap.registers import DEMO
from qjmap.webmap import PALETTE, MarkLayer, MarkStyle

PLANNED = ("规划", "在建")

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


def notices(district: District, *, demo: bool) -> list[tuple[str, bool]]:
    """Give what must stand on every map: whose line it is, and whether anything on it is invented."""
    said = [(district.boundary_notice, False)]
    if demo:
        said.insert(0, ("含演示数据,非真实记录", True))
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
