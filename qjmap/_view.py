"""What a map on paper shows: a frame in metres of the working projection at a round scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from qjmap._furniture import round_scale
from qjmap.district import District
from qjmap.webmap import MarkLayer, Scene

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """What the frame shows: west, south, east, north in metres, at 1:`denominator`."""

    west: float
    south: float
    east: float
    north: float
    denominator: int

    @property
    def box(self) -> shapely.Polygon:
        """The frame as a polygon in metres."""
        polygon: shapely.Polygon = shapely.box(self.west, self.south, self.east, self.north)
        return polygon

    def mm(self, xy: Floats) -> Floats:
        """Bring metres (n, 2) to millimetres from the frame's south-western corner."""
        moved: Floats = (xy - [self.west, self.south]) * (1000 / self.denominator)
        return moved

    def metres(self, xy: Floats) -> Floats:
        """Bring millimetres (n, 2) in the frame back to metres."""
        moved: Floats = xy * (self.denominator / 1000) + [self.west, self.south]
        return moved

    def holds(self, xy: Floats) -> NDArray[np.bool_]:
        """Tell which points (n, 2) lie in the frame."""
        x, y = xy[:, 0], xy[:, 1]
        inside: NDArray[np.bool_] = (
            (x >= self.west) & (x <= self.east) & (y >= self.south) & (y <= self.north)
        )
        return inside


def view_of(district: District, scene: Scene, width_mm: float, height_mm: float) -> View:
    """Choose the frame: the town in focus or the whole district with a margin, at a round scale."""
    west, south, east, north = _extent(district, scene)
    margin = 1.12 if focused(district, scene) else 1.05
    wide, high = max(east - west, 100.0) * margin, max(north - south, 100.0) * margin
    denominator = round_scale(max(wide / width_mm, high / height_mm) * 1000)
    half_w, half_h = width_mm * denominator / 2000, height_mm * denominator / 2000
    x, y = (west + east) / 2, (south + north) / 2
    return View(x - half_w, y - half_h, x + half_w, y + half_h, denominator)


def focused(district: District, scene: Scene) -> str | None:
    """Give the town that the scene zooms to, if it is one."""
    name = None if scene.focus is None else scene.focus[0]
    return name if name in district.boundaries.index else None


def _extent(district: District, scene: Scene) -> tuple[float, float, float, float]:
    town = focused(district, scene)
    if town is not None:
        bounds: tuple[float, float, float, float] = district.boundaries.geometry[town].bounds
        return bounds
    if scene.focus is not None:
        return _box_in_metres(district, scene.focus[1])
    shapes = [*district.boundaries.geometry, *district.background.geometry]
    if shapes:
        return tuple(float(v) for v in shapely.total_bounds(shapes))  # type: ignore[return-value]
    points = [places_of(district, layer) for layer in scene.layers if layer.visible and len(layer.lon)]
    points += [
        shapely.get_coordinates(district.projection.geometry_to_metres(layer.shapes))
        for layer in scene.shapes
        if len(layer.shapes)
    ]
    if points:
        every = np.concatenate(points)
        (west, south), (east, north) = every.min(axis=0) - 1000, every.max(axis=0) + 1000
        return float(west), float(south), float(east), float(north)
    return _box_in_metres(district, district.settings.box)


def _box_in_metres(
    district: District, box: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    west, south, east, north = box
    x, y = district.projection.to_metres([west, east, west, east], [south, south, north, north])
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def places_of(district: District, layer: MarkLayer) -> Floats:
    """Give a layer's marks in metres, (n, 2)."""
    return np.column_stack(district.projection.to_metres(layer.lon, layer.lat)).reshape(-1, 2)
