"""What the digits of a coordinate leave open."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qjmap import accuracy

HALF_DEGREE_M = 111_195 / 2
"""Half a degree of latitude on a sphere of the earth's size."""


def one(way, x: float, y: float) -> float:
    return float(way(np.array([x]), np.array([y]))[0])


@given(st.integers(1, 8), st.integers(0, 10**8 - 1), st.integers(0, 10**8 - 1))
def test_a_decimal_more_is_ten_times_better(decimals, x, y):
    # a last digit of 1: nothing is a multiple of a coarser unit by chance
    lon, lat = (
        base + (number % 10 ** (decimals - 1) * 10 + 1) / 10**decimals for base, number in ((106, x), (28, y))
    )
    found = one(accuracy.of_degrees, lon, lat)
    unit = 10.0**-decimals
    assert HALF_DEGREE_M * unit <= found <= HALF_DEGREE_M * unit * np.sqrt(2)


def test_the_longer_of_the_two_counts():
    assert one(accuracy.of_degrees, 106.651, 28.9) == pytest.approx(
        one(accuracy.of_degrees, 106.651, 28.999), rel=1e-2
    )


def test_minutes_seconds_and_their_decimals():
    minutes = one(accuracy.of_minutes, 106 + 39 / 60, 28 + 52 / 60)
    seconds = one(accuracy.of_minutes, 106 + 39 / 60 + 7 / 3600, 28 + 52 / 60)
    tenths = one(accuracy.of_minutes, 106 + 39 / 60 + 7.3 / 3600, 28 + 52 / 60)
    assert minutes == pytest.approx(60 * seconds, rel=1e-3) == pytest.approx(600 * tenths, rel=1e-3)
    assert 900 < minutes < 1400


def test_metres_of_a_projection():
    assert one(accuracy.of_metres, 500_123, 3_200_001) == pytest.approx(np.sqrt(0.5))
    assert one(accuracy.of_metres, 500_120, 3_200_000) == pytest.approx(np.sqrt(0.5)), (
        "a nought is a digit too"
    )
    assert one(accuracy.of_metres, 500_123.4, 3_200_001) == pytest.approx(np.sqrt(0.5) / 10)


def test_what_is_missing_stays_so():
    assert np.isnan(one(accuracy.of_degrees, np.nan, 28.9))
    assert np.isnan(one(accuracy.of_degrees, 106.5, np.nan))
    assert np.isnan(one(accuracy.of_degrees, 1e308, -1e308))
