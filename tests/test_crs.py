"""The working projection against the ellipsoid itself."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from qjmap.crs import Projection, working_crs

HOME = Projection(106.65, 28.88)
GEOD = Geod(ellps="WGS84")
RADIUS_M = 10_000.0
BACK = 2e-8
"""Degrees. PROJ 9.5 finds the latitude of an equal-area projection by a short series, right to 1.4 mm only; files keep
six decimals, which is 0.1 m."""


def disc(n: int = 720, lon: float = HOME.lon, lat: float = HOME.lat) -> np.ndarray:
    """Degrees of n points that lie 10 km from a place along geodesics."""
    bearings = np.linspace(0, 360, n, endpoint=False)
    lon, lat, _ = GEOD.fwd(np.full(n, lon), np.full(n, lat), bearings, np.full(n, RADIUS_M))
    return np.column_stack([lon, lat])


def test_the_centre_is_the_origin_and_east_is_x():
    x, y = HOME.to_metres([HOME.lon, HOME.lon + 0.1, HOME.lon], [HOME.lat, HOME.lat, HOME.lat + 0.1])
    assert (x[0], y[0]) == pytest.approx((0, 0), abs=1e-6)
    assert x[1] > 9000
    assert abs(y[1]) < 10
    assert y[2] > 9000
    assert abs(x[2]) < 1e-6


def test_a_place_10_km_away_is_10_km_away():
    x, y = HOME.to_metres(*disc().T)
    assert np.abs(np.hypot(x, y) - RADIUS_M).max() < 0.5


@pytest.mark.parametrize("place", [(106.65, 28.88), (107.11, 29.24), (106.33, 28.40)])
def test_a_disc_of_10_km_has_the_area_it_has_on_the_ellipsoid(place):
    ring = disc(720, *place)
    on_earth, _ = GEOD.polygon_area_perimeter(*ring.T)
    on_plane = shapely.area(HOME.geometry_to_metres(shapely.Polygon(ring)))
    assert on_plane == pytest.approx(abs(on_earth), rel=1e-6)


def test_circles_on_the_plane_have_their_radius_anywhere_in_the_district():
    for east, north in [(-25_000, -45_000), (38_000, 33_000), (0, 0)]:
        bearings = np.linspace(0, 2 * np.pi, 64)
        x, y = east + RADIUS_M * np.cos(bearings), north + RADIUS_M * np.sin(bearings)
        lon, lat = HOME.to_degrees(x, y)
        lon0, lat0 = HOME.to_degrees(east, north)
        _, _, away = GEOD.inv(np.full(64, lon0), np.full(64, lat0), lon, lat)
        assert np.abs(np.asarray(away) - RADIUS_M).max() < 0.5


@given(lon=st.floats(105.5, 107.8), lat=st.floats(28.0, 29.8))
@settings(max_examples=100, deadline=None)
def test_there_and_back(lon, lat):
    back = HOME.to_degrees(*HOME.to_metres(lon, lat))
    assert back == (pytest.approx(lon, abs=1e-9), pytest.approx(lat, abs=BACK))


def test_unknown_stays_unknown_and_spoils_nothing_else():
    x, y = HOME.to_metres([106.7, np.nan, 106.7, np.inf, 106.7], [28.9, 28.9, np.nan, 28.9, 200.0])
    assert np.isnan(x).tolist() == np.isnan(y).tolist() == [False, True, True, True, True]
    assert (x[0], y[0]) == tuple(float(one) for one in HOME.to_metres(106.7, 28.9))
    lon, lat = HOME.to_degrees([0, np.nan, 1e300], [0, 0, 0])
    assert np.isnan(lon).tolist() == np.isnan(lat).tolist() == [False, True, True]


def test_shapes_of_arrays_are_kept():
    x, y = HOME.to_metres(np.full((2, 3), 106.7), 28.9)
    assert x.shape == y.shape == (2, 3)
    assert [one.size for one in HOME.to_degrees([], [])] == [0, 0]
    assert [one.shape for one in HOME.to_metres(106.7, 28.9)] == [(), ()]


def test_geometries_move_like_their_coordinates():
    ring = disc(16)
    x, y = HOME.to_metres(*ring.T)
    polygon, line = shapely.Polygon(ring), shapely.LineString(ring)
    moved = HOME.geometry_to_metres(np.asarray([polygon, line], dtype=object))
    assert np.array_equal(shapely.get_coordinates(moved[1]), np.column_stack([x, y]))
    assert moved[0].equals(HOME.geometry_to_metres(polygon))
    assert shapely.get_coordinates(HOME.geometry_to_degrees(moved[0]))[:-1] == pytest.approx(ring, abs=BACK)


@pytest.mark.parametrize("centre", [(181.0, 0.0), (0.0, 91.0), (float("nan"), 0.0)])
def test_a_centre_off_the_globe_is_refused(centre):
    with pytest.raises(ValueError, match="投影中心"):
        working_crs(*centre)
    with pytest.raises(ValueError, match="投影中心"):
        Projection(*centre).to_metres(0, 0)
