"""Datums there and back to less than a decimetre; ways to write a coordinate; which reading lies in the district."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from qjmap import _lonlat, datum

LON = st.floats(73.7, 134.9)
LAT = st.floats(3.9, 53.4)
GEOD = Geod(ellps="WGS84")


def metres(lon, lat, lon2, lat2) -> float:
    return float(np.max(GEOD.inv(lon, lat, lon2, lat2)[2]))


@given(LON, LAT)
@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize(
    ("there", "back"),
    [
        (datum.wgs_to_gcj, datum.gcj_to_wgs),
        (datum.gcj_to_bd, datum.bd_to_gcj),
        (datum.wgs_to_bd, datum.bd_to_wgs),
    ],
)
def test_there_and_back_is_right_to_less_than_a_decimetre(there, back, lon, lat):
    assert metres(lon, lat, *back(*there(lon, lat))) < 0.01


def test_the_shift_is_the_one_in_common_use():
    # 39.90734, 116.39089 → the pair that public converters give
    lon, lat = datum.wgs_to_gcj(116.39089, 39.90734)
    assert (round(float(lon), 5), round(float(lat), 5)) == (116.39713, 39.90874)
    assert 300 < metres(106.65, 28.88, *datum.wgs_to_gcj(106.65, 28.88)) < 700


def test_nan_stays_and_nothing_is_shifted_abroad():
    assert np.isnan(datum.gcj_to_wgs(np.nan, 28.0)[0])
    assert datum.wgs_to_gcj(2.35, 48.86) == (2.35, 48.86)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("106.65", 106.65),
        ("+106.65", 106.65),
        ("１０６．６５", 106.65),
        ("106,6512", 106.6512),
        ("106°39′04″", 106 + 39 / 60 + 4 / 3600),
        ("106°39'04.5\"E", 106 + 39 / 60 + 4.5 / 3600),
        ("东经106度39分4秒", 106 + 39 / 60 + 4 / 3600),
        ("E106°39′", 106.65),
        ("106 39 04", 106 + 39 / 60 + 4 / 3600),
        ("106:39:04", 106 + 39 / 60 + 4 / 3600),
        ("28°52.8′N", 28.88),
        ("S28.88°", -28.88),
        ("106.65°E", 106.65),
        ("35512345.67", 35512345.67),
    ],
)
def test_ways_to_write_a_coordinate(text, value):
    assert _lonlat.parse([text])[0][0] == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "-Infinity", "1e999", "不详", "106°75′00″", "1.2.3", None, "1,2,3"]
)
def test_what_is_no_coordinate_is_missing(text):
    assert np.isnan(_lonlat.parse([text])[0][0])


@pytest.mark.parametrize(
    "cell", ["106.65,28.88", "(106.65, 28.88)", "106.65\uff0c28.88", "106.65 28.88", "106.65;28.88"]
)
def test_a_cell_with_both(cell):
    first, second = _lonlat.split(pd.Series([cell, None], dtype="str"))
    assert (first[0], second[0]) == ("106.65", "28.88")
    assert first.isna()[1]


# ---- readings --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def points(qijiang):
    rng = np.random.default_rng(4)
    xy = [(point.x, point.y) for point in qijiang.boundaries.geometry.representative_point()]
    x, y = np.array(xy).T
    return qijiang.projection.to_degrees(x + rng.uniform(-300, 300, len(x)), y)


def text(values) -> list[str]:
    return [f"{value:.9f}" for value in values]


def by_key(found) -> dict[str, datum.Reading]:
    return {one.key: one for one in found}


@pytest.mark.parametrize(
    ("key", "there"), [("wgs84", lambda *at: at), ("gcj02", datum.wgs_to_gcj), ("bd09", datum.wgs_to_bd)]
)
@pytest.mark.parametrize("swapped", [False, True])
def test_degrees_have_three_readings_and_the_right_one_is_among_them(qijiang, points, key, there, swapped):
    columns = [text(one) for one in there(*points)]
    found = by_key(datum.readings(*(columns[::-1] if swapped else columns), qijiang))
    assert set(found) == {"wgs84", "gcj02", "bd09"}
    assert found[key].swapped is swapped
    assert metres(*points, found[key].lon, found[key].lat) < 0.1
    assert found[key].share_inside == 1


@pytest.mark.parametrize(
    ("epsg", "key", "label"),
    [
        (4544, "gk3-105", "3度带,中央经线 105°"),
        (4545, "gk3-108", "3度带,中央经线 108°"),
        (4523, "gk3-105-zone", "带号 35"),
        (4524, "gk3-108-zone", "带号 36"),
        (4496, "gk6-105-zone", "带号 18"),
    ],
)
@pytest.mark.parametrize("north_first", [False, True])
def test_projected_zones_are_found(qijiang, points, epsg, key, label, north_first):
    east, north = Transformer.from_crs(4490, epsg, always_xy=True).transform(*points)
    columns = [text(north), text(east)] if north_first else [text(east), text(north)]
    best = datum.readings(*columns, qijiang)[0]
    assert (best.key, best.swapped, best.share_inside) == (key, north_first, 1)
    assert label in best.label
    assert metres(*points, best.lon, best.lat) < 0.1
    lon, lat = datum.converter(best)(*(np.array(one, dtype=float) for one in columns))
    assert metres(lon, lat, best.lon, best.lat) < 0.001


def test_degrees_minutes_seconds_are_a_reading_of_their_own(qijiang):
    best = by_key(datum.readings(["106°39′04″"], ["28°52′48″"], qijiang))
    assert "度分秒" in best["dms"].label
    assert best["dms"].lat[0] == pytest.approx(28.88)


def test_cells_that_cannot_be_read_stay_missing_and_count(qijiang, points):
    lon, lat = (text(one) for one in points)
    found = by_key(datum.readings([*lon, "不详", None], [*lat, "28.8", "28.8"], qijiang))
    assert found["wgs84"].count == len(lon)
    assert np.isnan(found["wgs84"].lon[-2:]).all()


def test_nothing_readable_is_no_reading(qijiang):
    assert datum.readings(["a", None], ["b", "1"], qijiang) == []


def test_places_far_away_are_read_and_said_to_be_outside(qijiang):
    found = by_key(datum.readings(["116.4"], ["39.9"], qijiang))
    assert found["wgs84"].share_inside == 0
    assert not found["wgs84"].swapped
    assert by_key(datum.readings(["39.9"], ["116.4"], qijiang))["wgs84"].swapped


def test_a_district_without_boundaries_is_its_box(grid_district):
    from dataclasses import replace

    bare = replace(
        grid_district,
        boundaries=grid_district.boundaries.iloc[:0],
        background=grid_district.background.iloc[:0],
    )
    assert datum.readings(["106.5"], ["29.0"], bare)[0].share_inside == 1


def test_shapes_come_to_degrees_by_what_their_file_says(qijiang):
    x, y = Transformer.from_crs(4490, 4544, always_xy=True).transform(106.65, 28.88)
    (moved,) = datum.from_crs(np.array([shapely.Point(x, y)]), "EPSG:4544")
    assert metres(106.65, 28.88, moved.x, moved.y) < 0.01
    same = np.array([shapely.Point(106, 28)])
    assert datum.from_crs(same, "EPSG:4490") is same
    assert datum.from_crs(same, None) is same
    with pytest.raises(ValueError, match="无法识别"):
        datum.from_crs(same, "EPSG:123456")


@pytest.mark.parametrize(
    ("crs", "name", "projected"),
    [
        ("EPSG:4545", "EPSG:4545(CGCS2000 / 3度带 108°)", True),
        ("EPSG:4523", "EPSG:4523(CGCS2000 / 3度带 105°,带号 35)", True),
        ("EPSG:4490", "EPSG:4490(CGCS2000 经纬度)", False),
        ("EPSG:4326", "EPSG:4326(WGS-84 经纬度)", False),
        ("EPSG:2359", "EPSG:2359(西安80 / 3度带 105°,带号 35)", True),
        ("甲乙丙", "甲乙丙", False),
    ],
)
def test_what_a_file_says_of_its_coordinates_has_a_name(crs, name, projected):
    assert (datum.crs_name(crs), datum.is_projected(crs)) == (name, projected)


def test_what_is_no_degree_is_not_shifted():
    lon, lat = datum.wgs_to_gcj([0.0, np.nan, -1e300], [1e214, 1.0, 1e300])
    assert lon.tolist()[::2] == [0.0, -1e300]
    assert lat.tolist() == [1e214, 1.0, 1e300]
