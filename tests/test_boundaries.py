"""Township polygons: the schematic ones that ship, how they are built, and what is refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from qjmap import boundaries
from qjmap.cli import build_geo
from qjmap.crs import Projection
from qjmap.district import ROOT, load_district
from qjmap.errors import DataError
from tests.conftest import GRID_CENTRE, GRID_KEY, town_name

SHIPPED = ROOT / "geo" / "qijiang" / "townships.geojson"
GRID = Projection(*GRID_CENTRE)
BOX = (106.0, 28.5, 107.0, 29.5)
NAMES = [town_name(k) for k in range(9)]


# ---- the file that ships --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    return json.loads(SHIPPED.read_text("utf-8"))


@pytest.fixture(scope="module")
def degrees(shipped) -> np.ndarray:
    return np.asarray([shapely.geometry.shape(one["geometry"]) for one in shipped["features"]], dtype=object)


def test_the_shipped_file_is_what_the_sample_points_give(folder):
    assert build_geo("qijiang", folder).read_bytes() == SHIPPED.read_bytes(), (
        "运行 python -m qjmap.cli build-geo"
    )


def test_it_has_the_21_towns_and_the_background(shipped, qijiang):
    names = [one["properties"]["name"] for one in shipped["features"]]
    assert names == [*qijiang.towns.index, "万盛经开区"]
    assert len(names) == 22
    assert list(qijiang.boundaries.index) == names[:21]
    assert list(qijiang.background.index) == ["万盛经开区"]
    assert qijiang.boundary_problems == ()
    assert qijiang.boundaries["code"].tolist() == qijiang.towns["code"].tolist()


def test_it_says_what_it_is(shipped):
    assert "非法定界线" in shipped["metadata"]["notice"]
    assert "anchors.csv" in shipped["metadata"]["method"]
    estimated = {
        one["properties"]["name"]
        for one in shipped["features"]
        if one["properties"]["certainty"] == "estimate"
    }
    assert estimated == {"文龙街道", "通惠街道"}


def test_neighbours_share_their_lines_and_nothing_overlaps(degrees, qijiang):
    assert shapely.is_valid(degrees).all()
    assert shapely.coverage_is_valid(degrees)
    assert {one.geom_type for one in degrees} == {"Polygon"}
    metres = np.asarray([*qijiang.boundaries.geometry, *qijiang.background.geometry], dtype=object)
    assert shapely.coverage_is_valid(metres)
    overlap = metres[:, None].repeat(22, 1)
    areas = shapely.area(shapely.intersection(overlap, overlap.T))
    assert areas[~np.eye(22, dtype=bool)].max() < 1e-3
    # no gaps: the whole has no hole that is not in a part
    assert shapely.area(shapely.union_all(metres)) == pytest.approx(shapely.area(metres).sum(), rel=1e-9)


def test_rings_follow_the_right_hand_rule(degrees):
    for polygon in degrees:
        assert polygon.exterior.is_ccw
        assert not any(ring.is_ccw for ring in polygon.interiors)


def test_no_coordinate_has_more_than_seven_decimals(shipped):
    text = SHIPPED.read_text("utf-8")
    numbers = [one.strip("[] ") for one in text.replace("]", ",").replace("[", ",").split(",")]
    decimals = [
        len(one.partition(".")[2]) for one in numbers if one.replace(".", "", 1).isdecimal() and "." in one
    ]
    assert len(decimals) > 1000
    assert max(decimals) <= 7


def test_areas_are_within_a_tenth_of_those_quoted(qijiang):
    # The sample points alone make 新盛街道 66.5 km² (76 quoted) and 永城镇 59.0 km² (53 quoted): their lines are moved.
    towns = qijiang.towns.dropna(subset="area_km2_quoted")
    assert len(towns) == 9
    off = towns["area_km2"] / towns["area_km2_quoted"] - 1
    assert off.abs().max() <= 0.1


def grid_units():
    """Nine squares of 1 km in a row and column; the middle one is 戊."""
    squares = [shapely.box(x, y, x + 1000, y + 1000) for y in (0, 1000, 2000) for x in (0, 1000, 2000)]
    return gpd.GeoDataFrame(
        {"certainty": "read"}, geometry=squares, index=list("甲乙丙丁戊己庚辛壬"), crs=32648
    )


@pytest.mark.parametrize("wanted", [1.3e6, 0.7e6])
def test_a_unit_takes_its_published_area_and_the_whole_stays_whole(wanted):
    units = grid_units()
    moved = boundaries.calibrate(units, {"戊": wanted})
    assert moved.geometry["戊"].area == pytest.approx(wanted * (0.91 if wanted > 1e6 else 1.09), rel=1e-6)
    assert shapely.coverage_is_valid(list(moved.geometry))
    assert moved.geometry.area.sum() == pytest.approx(9e6)
    assert moved.index.equals(units.index)
    # by the same distance to all sides, so its four neighbours share what is taken or given
    shares = [moved.geometry[one].area - 1e6 for one in "乙丁己辛"]
    assert shares == pytest.approx([shares[0]] * 4, rel=0.2)
    assert units.geometry["戊"].area == 1e6


def test_a_unit_within_the_allowed_miss_stays_as_drawn():
    units = grid_units()
    assert boundaries.calibrate(units, {"戊": 1.09e6}).geometry.geom_equals(units.geometry).all()


def test_a_unit_at_the_edge_moves_its_inner_lines_only():
    moved = boundaries.calibrate(grid_units(), {"甲": 0.8e6})
    assert shapely.union_all(list(moved.geometry)).equals(shapely.box(0, 0, 3000, 3000))
    assert moved.geometry["甲"].bounds[:2] == (0, 0)


def test_seats_lie_in_their_town_within_their_error(qijiang):
    towns = qijiang.towns.dropna(subset="seat_x")
    assert len(towns) == 19
    away = shapely.distance(
        qijiang.boundaries.geometry[towns.index].to_numpy(), shapely.points(towns["seat_x"], towns["seat_y"])
    )
    assert (away <= towns["seat_error_m"].to_numpy()).all()
    # by 117 m of the 2,500 m, and by 20 m of the 300 m, that their places may be wrong
    assert set(towns.index[away > 0]) == {"安稳镇", "横山镇"}


def test_labels_lie_deep_inside(qijiang):
    shapes = qijiang.boundaries
    points = shapely.points(shapes["label_x"], shapes["label_y"])
    assert shapely.contains(shapes.geometry.to_numpy(), points).all()
    assert shapely.distance(shapely.boundary(shapes.geometry.to_numpy()), points).min() > 1000


# ---- building -------------------------------------------------------------------------------------


def anchors(*rows: tuple[float, float, str | None]) -> pd.DataFrame:
    """Sample points given in metres round the grid's centre."""
    lon, lat = GRID.to_degrees([one[0] for one in rows], [one[1] for one in rows])
    return pd.DataFrame({"lon": lon, "lat": lat, "unit": [one[2] for one in rows], "certainty": "read"})


def test_a_point_stands_for_what_is_nearest_to_it(grid_root):
    frame = boundaries.read_anchors(grid_root / "geo" / GRID_KEY / "anchors.csv", grid_root)
    units = boundaries.build(frame, GRID, tolerance_m=10)
    for k, name in enumerate(NAMES):
        west, south = (k % 3) * 10_000 - 15_000, (k // 3) * 10_000 - 15_000
        square = shapely.box(west, south, west + 10_000, south + 10_000)
        # the files' decimals leave centimetres
        assert shapely.hausdorff_distance(units.geometry[name], square) < 0.1
    assert set(units.index) == {*NAMES, "邻区"}


def test_the_order_of_the_points_does_not_matter(grid_root):
    frame = boundaries.read_anchors(grid_root / "geo" / GRID_KEY / "anchors.csv", grid_root)
    one = boundaries.build(frame, GRID).sort_index()
    other = boundaries.build(frame.sample(frac=1, random_state=3), GRID).sort_index()
    assert list(one.index) == list(other.index)
    assert one.geometry.symmetric_difference(other.geometry).area.max() < 1


def test_one_estimated_point_makes_the_unit_an_estimate():
    frame = anchors((0, 0, "a"), (1000, 0, "b"), (0, 1000, "a"), (1000, 1000, "b"), (500, 3000, None))
    frame.loc[2, "certainty"] = "estimate"
    units = boundaries.build(frame, GRID, 1)
    assert units["certainty"].to_dict() == {"a": "estimate", "b": "read"}


@pytest.mark.parametrize(
    "rows",
    [
        [(0, 0, "a"), (0, 0, "b"), (1000, 0, "a"), (0, 1000, "b")],
        [(0, 0, "a")],
    ],
)
def test_points_that_make_no_areas_are_refused(rows):
    with pytest.raises(ValueError, match="样点"):
        boundaries.build(anchors(*rows), GRID)


def test_all_faults_of_the_sample_points_are_told(tmp_path):
    path = tmp_path / "anchors.csv"
    path.write_text("lon,lat,unit,certainty\n106.5,x,甲,read\n106.5,,甲,guess\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        boundaries.read_anchors(path, tmp_path)
    assert {(one.row, one.column) for one in caught.value.problems} == {
        (2, "lat"),
        (3, "lat"),
        (3, "certainty"),
    }


# ---- reading --------------------------------------------------------------------------------------


@pytest.fixture
def grid_file(grid_root) -> Path:
    return grid_root / "geo" / GRID_KEY / "townships.geojson"


def read(path: Path):
    return boundaries.read(path, path.parent, NAMES, GRID, BOX, ["邻区"])


def told(path: Path, content: object) -> list[str]:
    """Write the file and give what is told of it."""
    path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), "utf-8")
    with pytest.raises(DataError) as caught:
        read(path)
    assert all(one.file == path.name for one in caught.value.problems)
    return [str(one) for one in caught.value.problems]


def ring(x: float, y: float, side: float = 10_000, flip: bool = False) -> list[list[list[float]]]:
    """A square's ring in degrees; flipped it is a bow-tie."""
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    if flip:
        corners[1], corners[2] = corners[2], corners[1]
    pairs = [GRID.to_degrees(x + a * side, y + b * side) for a, b in corners]
    return [[[float(lon), float(lat)] for lon, lat in pairs]]


def test_a_good_file_is_read_in_the_districts_order(grid_file):
    content = json.loads(grid_file.read_text("utf-8"))
    content["features"].reverse()
    grid_file.write_text(json.dumps(content), encoding="utf-8-sig")
    frame = read(grid_file)
    assert list(frame.index) == [*NAMES, "邻区"]
    assert frame.geometry.area.to_numpy() == pytest.approx(1e8, rel=1e-6)
    assert frame.crs == GRID.crs
    assert frame["label_x"].iloc[4] == pytest.approx(0, abs=1.5)


def test_the_background_may_be_missing(grid_file):
    content = json.loads(grid_file.read_text("utf-8"))
    content["features"].pop()
    grid_file.write_text(json.dumps(content), encoding="utf-8")
    assert list(read(grid_file).index) == NAMES


def test_multipolygons_heights_and_holes_are_read(grid_file):
    content = json.loads(grid_file.read_text("utf-8"))
    first = content["features"][0]["geometry"]
    first["type"], first["coordinates"] = "MultiPolygon", [
        [[[*pair, 300.0] for pair in first["coordinates"][0]], ring(-12_000, -12_000, 1000)[0][::-1]]
    ]  # fmt: skip
    grid_file.write_text(json.dumps(content), encoding="utf-8")
    frame = read(grid_file)
    assert frame.geometry.iloc[0].area == pytest.approx(99e6, rel=1e-6)
    assert not frame.geometry.has_z.any()


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4490"])
def test_degrees_by_their_old_name_are_accepted(grid_file, name):
    content = json.loads(grid_file.read_text("utf-8"))
    content["crs"] = {"type": "name", "properties": {"name": name}}
    grid_file.write_text(json.dumps(content), encoding="utf-8")
    assert len(read(grid_file)) == 10


def broken(content: dict[str, Any], how: str) -> None:
    """Break the grid's file in one way; the middle town is 戊镇, the fifth feature."""
    features, middle = content["features"], content["features"][4]
    match how:
        case "missing":
            del features[4]
        case "unknown":
            middle["properties"]["name"] = "戊乡"
        case "nameless":
            del middle["properties"]["name"]
        case "twice":
            features.append(copy.deepcopy(middle))
        case "bow-tie":
            middle["geometry"]["coordinates"] = ring(-5000, -5000, flip=True)
        case "overlap":
            middle["geometry"]["coordinates"] = ring(-5100, -5000)
        case "crs":
            content["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4545"}}
        case "mercator":
            content["crs"] = {"type": "name", "properties": {"name": "EPSG:3857"}}
        case "mercator in full":
            content["crs"] = {"type": "name", "properties": {"name": "PROJCRS[…EPSG:3857, base EPSG:4326]"}}
        case "metres":
            middle["geometry"]["coordinates"] = [[[-5e3, -5e3], [5e3, -5e3], [5e3, 5e3], [-5e3, -5e3]]]
        case "outside":
            middle["geometry"]["coordinates"] = ring(-5000 + 200_000, -5000)
        case "turned":
            middle["geometry"]["coordinates"] = [
                [pair[::-1] for pair in middle["geometry"]["coordinates"][0]]
            ]
        case "point":
            middle["geometry"] = {"type": "Point", "coordinates": [106.5, 29.0]}
        case "empty":
            middle["geometry"] = {"type": "Polygon", "coordinates": []}
        case "none":
            middle["geometry"] = None
        case "lost":
            del middle["geometry"]
        case "text":
            middle["geometry"]["coordinates"] = "106.5, 29.0"
        case "no features":
            del content["features"]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("missing", [["“戊镇”", "缺少该街镇"]]),
        ("unknown", [["第 5 个要素(戊乡)", "本区街镇名"], ["“戊镇”", "缺少该街镇"]]),
        ("nameless", [["第 5 个要素(无名)", "本区街镇名"], ["“戊镇”", "缺少该街镇"]]),
        ("twice", [["第 5 个要素(戊镇)", "有 2 个"], ["第 11 个要素(戊镇)", "有 2 个"]]),
        ("bow-tie", [["第 5 个要素(戊镇)", "图形在 106.5", "无效", "不自相交"]]),
        ("overlap", [["丁镇 与 戊镇 重叠 1.0000 平方千米", "互不重叠"]]),
        ("crs", [["“crs”列", "4545", "经纬度", "转换坐标系"]]),
        ("mercator", [["“crs”列", "3857", "经纬度", "转换坐标系"]]),
        ("mercator in full", [["“crs”列", "3857", "经纬度"]]),
        ("metres", [["第 5 个要素(戊镇)", "本区范围内", "坐标系"]]),
        ("outside", [["第 5 个要素(戊镇)", "本区范围内", "经度 106~107,纬度 28.5~29.5"]]),
        ("turned", [["第 5 个要素(戊镇)", "写反"]]),
        ("point", [["第 5 个要素(戊镇)", "Point", "Polygon 或 MultiPolygon"]]),
        ("empty", [["第 5 个要素(戊镇)", "空", "Polygon 或 MultiPolygon"]]),
        ("none", [["第 5 个要素(戊镇)", "没有可用的图形"]]),
        ("lost", [["第 5 个要素(戊镇)", "没有可用的图形"]]),
        ("text", [["第 5 个要素(戊镇)", "没有可用的图形"]]),
        ("no features", [["FeatureCollection"]]),
    ],
)
def test_a_bad_file_is_refused_with_the_feature(grid_file, how, words):
    content = json.loads(grid_file.read_text("utf-8"))
    broken(content, how)
    found = told(grid_file, content)
    assert len(found) == len(words), found
    for line, expected in zip(found, words, strict=True):
        assert line.startswith("文件 townships.geojson")
        assert all(word in line for word in expected), line


def test_all_faults_are_told_at_once(grid_file):
    content = json.loads(grid_file.read_text("utf-8"))
    features = content["features"]
    features[0]["properties"]["name"] = "甲乡"
    features[2]["geometry"]["coordinates"] = ring(5000, -15_000, flip=True)
    features[8]["geometry"]["coordinates"] = ring(4000, 5000)
    found = "\n".join(told(grid_file, content))
    for words in ("甲乡", "“甲街道”", "丙镇", "辛镇 与 壬镇 重叠"):
        assert words in found


def test_slivers_of_drawing_are_borne(grid_file):
    content = json.loads(grid_file.read_text("utf-8"))
    content["features"][4]["geometry"]["coordinates"] = ring(-5000.005, -5000)
    grid_file.write_text(json.dumps(content), encoding="utf-8")
    assert len(read(grid_file)) == 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "JSON 语法"),
        ('{"type": "FeatureCollection",\n"features": [}', "第 2 行"),
        ("[" * 100_000, "JSON 语法"),
        ("[]", "FeatureCollection"),
        ("3", "FeatureCollection"),
        ('{"features": {}}', "FeatureCollection"),
        ('{"features": []}', "缺少该街镇"),
        ('{"features": [3, null, []]}', "第 3 个要素(无名)"),
    ],
)
def test_what_is_no_geojson_is_refused(tmp_path, text, words):
    assert words in "\n".join(told(tmp_path / "townships.geojson", text))


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(DataError, match=r"文件 no\.geojson.*没有这个文件"):
        read(tmp_path / "no.geojson")
    path = tmp_path / "gbk.geojson"
    path.write_bytes('{"name": "綦江"}'.encode("gb18030"))
    with pytest.raises(DataError, match="UTF-8"):
        read(path)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=True)
    | st.integers(-(10**20), 10**20)
    | st.sampled_from(NAMES),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "coordinates", "name", "geometries", "x"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)
NUMBER = st.floats(106.2, 106.8) | st.floats() | st.integers(28, 29)
GEOMETRY = JSON | st.fixed_dictionaries(
    {
        "type": st.sampled_from(["Polygon", "MultiPolygon", "Point", "GeometryCollection", "polygon"]),
        "coordinates": JSON | st.lists(st.lists(st.tuples(NUMBER, NUMBER), max_size=6), max_size=2),
    }
)
FEATURE = JSON | st.fixed_dictionaries(
    {"properties": JSON | st.fixed_dictionaries({"name": st.sampled_from(NAMES)}), "geometry": GEOMETRY}
)


@given(JSON | st.fixed_dictionaries({"features": st.lists(FEATURE, max_size=4)}))
@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(
    {
        "features": [
            {
                "properties": {"name": NAMES[0]},
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[106.5, 106.5], [3.4e243, 106.5], [106.5, 106.5], [106.5, 5.3e64]]],
                },
            }
        ]
    }
)
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")  # GEOS met a NaN
def test_whatever_stands_in_the_file_is_refused_and_nothing_else(tmp_path, content):
    path = tmp_path / "townships.geojson"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read(path)
    assert caught.value.problems


# ---- another district -----------------------------------------------------------------------------


def test_a_second_folder_is_a_second_district(grid_root):
    outline = [GRID.to_degrees(x, y) for x in (26_000, 28_000) for y in range(-25_000, 26_000, 2000)]
    with (grid_root / "geo" / GRID_KEY / "anchors.csv").open("a", encoding="utf-8") as out:
        out.writelines(f"{lon:.9f},{lat:.9f},,read\n" for lon, lat in outline)
    path = build_geo(GRID_KEY, grid_root)
    district = load_district(GRID_KEY, grid_root)
    assert path == grid_root / "geo" / GRID_KEY / "townships.geojson"
    assert district.boundary_problems == ()
    assert district.towns["area_km2"].to_numpy() == pytest.approx(100, rel=1e-4)
    assert shapely.coverage_is_valid(district.boundaries.geometry.to_numpy())
    raw = json.loads(path.read_text("utf-8"))
    assert raw["features"][0]["properties"]["kind"] == "街道"
    assert raw["features"][9]["properties"] | {"label_lon": 0, "label_lat": 0} == {
        "code": "",
        "name": "邻区",
        "kind": "背景",
        "certainty": "read",
        "label_lon": 0,
        "label_lat": 0,
    }
