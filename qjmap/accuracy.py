"""How well a place is known of which nobody says it: as well as the digits of its coordinates can tell, at best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_DEGREE_M = 6_371_008.8 * np.pi / 180
_DECIMAL = tuple(10.0**-n for n in range(9))
_SEXAGESIMAL = tuple(sorted((1.0, *(10.0**-n / part for part in (60, 3600) for n in range(5))), reverse=True))
_METRES = (1.0, 0.1, 0.01)
"""Units of a last digit, coarse to fine; finer ones say nothing."""

_ENDLESS = 1e9  # no coordinate of any kind


def of_degrees(lon: Floats, lat: Floats) -> Floats:
    """Tell how far off a place may be that is written in decimal degrees.

    Parameters
    ----------
    lon, lat
        Degrees as they were written, (n,): before any conversion; NaN where there is none.

    Returns
    -------
    numpy.ndarray
        Metres, (n,): from the middle to the corner of what the last digit leaves open. Of the two coordinates the one
        with more digits counts, for spreadsheets drop a last zero.
    """
    return _corner(_grain(lon, lat, _DECIMAL), lat)


def of_minutes(lon: Floats, lat: Floats) -> Floats:
    """Tell the same of a place written in degrees and minutes, or degrees, minutes and seconds."""
    return _corner(_grain(lon, lat, _SEXAGESIMAL), lat)


def of_metres(x: Floats, y: Floats) -> Floats:
    """Tell the same of a place written in metres of a projection."""
    grain = _grain(x, y, _METRES)
    return np.hypot(grain, grain) / 2


def _corner(grain: Floats, lat: Floats) -> Floats:
    return np.hypot(grain, grain * np.cos(np.radians(lat))) * _DEGREE_M / 2


def _grain(one: Floats, other: Floats, units: Sequence[float]) -> Floats:
    """Give the unit of the last digit: the coarsest of which both numbers are multiples; NaN where one is missing."""
    one, other = (np.where(np.abs(each) < _ENDLESS, each, np.nan) for each in (one, other))
    found, dust = np.full(one.shape, units[-1]), units[-1] / 1000
    for unit in reversed(units):
        whole = [np.abs(each - np.round(each / unit) * unit) < dust for each in (one, other)]
        found = np.where(whole[0] & whole[1], unit, found)
    return np.where(np.isfinite(one) & np.isfinite(other), found, np.nan)
