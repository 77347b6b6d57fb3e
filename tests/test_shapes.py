"""Lines and areas: from somebody's file to a register, checked, placed, measured, and out again."""

import json
from dataclasses import replace
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from qjmap import (
    _shapes,
    checks,
    datum,
    draft,
    export,
    ingest,
    marks,
    matching,
    places,
    portrait,
    registers,
    scenes,
    summary,
)
from qjmap.cards import of_record
from qjmap.checks import Context
from qjmap.errors import DataError, RegistryError
from qjmap.filters import Filter
from qjmap.layers import load_registry
from qjmap.oddities import Ground, look
from qjmap.registers import load_layer
from qjmap.webmap import PALETTE
from tests.conftest import GRID_CENTRE, town_name, write_csv, write_layer
from tests.test_layers import registry_with

LON, LAT = GRID_CENTRE
"""The middle of the grid, in 戊镇, which reaches 5 km from it to each side."""

MIDDLE = town_name(4)


def square(district, x=0.0, y=0.0, side=1000.0):
    """A square on the ground, in degrees: its south-west corner x, y metres from the middle of the grid."""
    return district.projection.geometry_to_degrees(shapely.box(x, y, x + side, y + side))


def wkt(shape):
    return _shapes.write(np.array([shape], dtype=object))[0]


def geojson(rows, crs=4326):
    frame = gpd.GeoDataFrame(
        [{key: value for key, value in row.items() if key != "shape"} for row in rows],
        geometry=[row["shape"] for row in rows],
        crs=crs,
    )
    return frame.to_json().encode()


def prepared(content, district, key, name="a.geojson", choose="wgs84", around=None):
    spec = district.registry.spec(key)
    source = ingest.read(name, content)[0]
    matches = matching.match(source, spec, tuple(district.towns.index))
    found = draft.coordinates(source, matches)
    assert found is not None
    readings = datum.readings(*found, district)
    reading = next((one for one in readings if one.key == choose), readings[0])
    return draft.prepare(source, spec, matches, reading, around or draft.surroundings(district))


def kept(district, key, made):
    """What a draft becomes once it is kept."""
    path = district.data / district.registry.spec(key).file
    path.write_bytes(draft.to_register(made.frame, made.spec))
    return load_layer(district, key)


# ---- the registry -------------------------------------------------------------------------------------

LAYER = """
[layers.walls]
label = "围墙"
counter = "段"
file = "walls.csv"
geometry = "line"
symbol = "square"
department = "某局"
kinds = ["砖"]
[layers.walls.columns]
"""


def test_a_layer_of_lines_has_a_shape_and_no_longitude(tmp_path):
    registry = load_registry(registry_with(tmp_path, LAYER))
    spec = registry.spec("walls")
    assert spec.shaped
    assert list(spec.columns)[-1] == "geometry"
    assert spec.columns["geometry"].type == "shape"
    assert spec.columns["geometry"].required
    assert not {"lon", "lat"} & spec.columns.keys()
    assert "walls" in registry.shaped
    assert "walls" not in registry.points


@pytest.mark.parametrize("name", ["geometry", "shape", "length_m", "area_m2"])
def test_the_names_of_what_is_measured_are_taken(tmp_path, name):
    own = LAYER + f'{name} = {{ label = "甲", type = "number" }}\n'
    with pytest.raises(RegistryError, match="重名"):
        load_registry(registry_with(tmp_path, own))


def test_no_column_of_the_file_may_be_called_a_shape(tmp_path):
    with pytest.raises(RegistryError, match="类型"):
        load_registry(registry_with(tmp_path, LAYER + 'form = { label = "形", type = "shape" }\n'))


def test_a_layer_of_shapes_without_a_file_is_empty(grid_district):
    for key in grid_district.registry.shaped:
        frame = load_layer(grid_district, key).frame
        assert frame.empty
        assert {"x", "y", "shape", "position", "error_m"} <= set(frame.columns)
        assert ("length_m" in frame) is (key == "roads")
        assert ("area_m2" in frame) is (key != "roads")


# ---- placing and measuring ----------------------------------------------------------------------------


def test_areas_and_lengths_are_those_of_the_ground(grid_root, grid_district):
    line = grid_district.projection.geometry_to_degrees(shapely.LineString([(0, 0), (3000, 4000)]))
    write_layer(grid_root, "roads", [{"geometry": wkt(line)}])
    hole = square(grid_district, 0, 0, 2000).difference(square(grid_district, 500, 500, 1000))
    write_layer(grid_root, "reservoir_zones", [{"geometry": wkt(hole), "town": MIDDLE}])
    road = load_layer(grid_district, "roads").frame.iloc[0]
    assert road["length_m"] == pytest.approx(5000, abs=0.1)
    zone = load_layer(grid_district, "reservoir_zones").frame.iloc[0]
    assert zone["area_m2"] == pytest.approx(3e6, rel=1e-5)
    assert zone["position"] == "表载坐标"
    assert np.isnan(zone["error_m"])
    assert zone["shape"].contains(shapely.Point(zone["x"], zone["y"]))
    assert shapely.distance(road["shape"], shapely.Point(road["x"], road["y"])) < 0.01


def test_a_shape_that_says_how_well_it_is_known_keeps_that(grid_root, grid_district):
    row = {"geometry": wkt(square(grid_district)), "position": "村社近似", "error_m": 300}
    write_layer(grid_root, "reservoir_zones", [row])
    zone = load_layer(grid_district, "reservoir_zones").frame.iloc[0]
    assert (zone["position"], zone["error_m"]) == ("村社近似", 300)


# ---- what stops a row ---------------------------------------------------------------------------------

RING = "106.5 29, 106.51 29, 106.51 29.01, 106.5 29"


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("", "空白", "必填"),
        ("见图", "见图", "经度在前"),
        ("POLYGON ((106.5 29, 106.51", "POLYGON ((106.5 29, 106.51", "WKT"),
        ("GEOMETRYCOLLECTION (" * 1500, "GEOMETRYCOLLECTION (GEOMETRYCOLLECTION (…", "WKT"),
        (f"LINESTRING ({RING})", "线", "面图形"),
        ("POINT (106.5 29)", "点", "面图形"),
        ("POLYGON EMPTY", "空图形", "补画"),
        ("POLYGON ((106.5 29, 1e400 29, 106.51 29.01, 106.5 29))", "坐标为无穷或非数", "有限"),
        ("POLYGON ((106.5 29, 106.51 29.01, 106.51 29, 106.5 29.01, 106.5 29))", "自相交", "有效"),
        ("POLYGON ((29 106.5, 29.01 106.5, 29.01 106.51, 29 106.5))", "29.0000", "对调"),
        ("POLYGON ((120 30, 121 30, 121 31, 120 30))", "120.0000", "坐标系"),
        ("POLYGON ((106.5 29, 120 29, 106.51 29.01, 106.5 29))", "120.0000", "裁剪"),
    ],
)
def test_a_shape_that_cannot_be_is_told(grid_root, grid_district, text, value, said):
    write_layer(grid_root, "reservoir_zones", [{"geometry": f"POLYGON (({RING}))"}, {"geometry": text}])
    with pytest.raises(DataError) as caught:
        load_layer(grid_district, "reservoir_zones")
    (problem,) = caught.value.problems
    assert (problem.row, problem.column) == (3, "geometry")
    assert value in problem.value
    assert len(problem.value) < 80
    assert said in f"{problem.expected}{problem.advice}"


def test_too_many_corners_are_told(grid_root, grid_district, monkeypatch):
    monkeypatch.setattr(_shapes, "MOST_CORNERS", 10)
    many = wkt(shapely.Point(LON, LAT).buffer(0.01))
    write_layer(grid_root, "reservoir_zones", [{"geometry": many}])
    with pytest.raises(DataError, match="简化"):
        load_layer(grid_district, "reservoir_zones")


def test_a_shape_has_no_place_by_town(grid_root, grid_district):
    row = {"geometry": wkt(square(grid_district))}
    write_layer(
        grid_root, "reservoir_zones", [row | {"position": "镇域近似"}, row | {"position": "村社近似"}]
    )
    with pytest.raises(DataError) as caught:
        load_layer(grid_district, "reservoir_zones")
    assert [(one.row, one.column) for one in caught.value.problems] == [(2, "position"), (3, "error_m")]


def test_an_outline_longer_than_the_readers_own_limit_comes_back(grid_root, grid_district):
    many = wkt(shapely.Point(LON, LAT).buffer(0.02, quad_segs=2500))
    assert len(many) > 200_000
    write_layer(grid_root, "reservoir_zones", [{"geometry": many}])
    assert load_layer(grid_district, "reservoir_zones").frame["area_m2"].iat[0] > 1e6


# ---- what is odd --------------------------------------------------------------------------------------


def looked(district, key, rows, existing=None):
    """The warnings and the faults of `oddities.look` for rows with shapes."""
    spec = district.registry.spec(key)
    filled = [
        {"id": f"A{n}", "name": "甲", "kind": spec.kinds[0], "status": "现状", "source": "导入"}
        | {column: str(value) for column, value in row.items()}
        | {"geometry": wkt(row["geometry"])}
        for n, row in enumerate(rows, 1)
    ]
    frame = pd.DataFrame(filled, columns=list(spec.columns)).astype("str")
    raw = ingest.RawTable("a.geojson", frame, tuple(range(1, len(rows) + 1)))
    checked = checks.check(raw, spec, Context())
    assert checked.problems == ()
    own = district.boundaries
    ground = Ground(district.projection, tuple(own.index), np.asarray(own.geometry, dtype=object))
    return look(raw, spec, checked.frame, ground, existing)


def told(problems):
    return [(one.row, one.column, one.value, f"{one.expected}。{one.advice}") for one in problems]


def test_an_honest_area_is_not_warned_of(grid_district):
    found = looked(grid_district, "reservoir_zones", [{"geometry": square(grid_district), "town": MIDDLE}])
    assert (found.problems, found.warnings) == ((), ())


def test_outside_wholly_or_partly_is_told_by_its_share(grid_district):
    rows = [
        {"geometry": square(grid_district, -15_500, 0, 1000)},  # half of it west of the grid
        {"geometry": square(grid_district, -16_500, 0, 1000)},  # half a kilometre from it
        {"geometry": square(grid_district, -19_000, 0, 1000)},  # three kilometres from it
    ]
    found = looked(grid_district, "reservoir_zones", rows)
    (partly, near) = told(found.warnings)
    assert partly[:3] == (1, "geometry", "50% 在区外")
    assert near[:3] == (2, "geometry", "全部在区外")
    assert "500 米" in near[3]
    (far,) = told(found.problems)
    assert far[:2] == (3, "geometry")
    assert "3000 米" in far[3]


def test_an_area_mostly_in_another_town_is_told(grid_district):
    # the town east of the middle begins at x = 5000
    rows = [
        {"geometry": square(grid_district, 4800, 0, 1000), "town": MIDDLE},
        {"geometry": square(grid_district, 4200, 0, 1000), "town": MIDDLE},
    ]
    (warning,) = told(looked(grid_district, "reservoir_zones", rows).warnings)
    assert warning[:3] == (1, "town", MIDDLE)
    assert f"80% 在{town_name(5)}" in warning[3]
    assert "20%" in warning[3]


def test_a_road_may_leave_its_town_but_must_touch_it(grid_district):
    through = grid_district.projection.geometry_to_degrees(shapely.LineString([(0, 0), (14_000, 0)]))
    beside = grid_district.projection.geometry_to_degrees(shapely.LineString([(6000, 0), (14_000, 0)]))
    rows = [{"geometry": through, "town": MIDDLE}, {"geometry": beside, "town": MIDDLE}]
    (warning,) = told(looked(grid_district, "roads", rows).warnings)
    assert warning[:2] == (2, "town")


def test_sizes_that_cannot_be_true_are_told(grid_district):
    rows = [
        {"geometry": square(grid_district, 0, 0, 5)},
        {"geometry": square(grid_district, 2000, 0, 1000), "area_km2": 1.05},
        {"geometry": square(grid_district, 4000, 2000, 1000), "area_km2": 15},
    ]
    small, stated = told(looked(grid_district, "reservoir_zones", rows).warnings)
    assert small[:3] == (1, "geometry", "25.0 平方米")
    assert stated[:3] == (3, "area_km2", "15")
    assert "1.000 平方千米" in stated[3]


def test_the_same_shape_again_is_told_in_the_file_and_among_what_is_kept(grid_district):
    first, moved = square(grid_district, 0, 0), square(grid_district, 5, 5)
    rows = [
        {"geometry": first},
        {"geometry": moved},
        {"geometry": first, "kind": "保护范围"},
        {"geometry": square(grid_district, 3000, 0)},
        {"geometry": first},
    ]
    warned = told(looked(grid_district, "reservoir_zones", rows).warnings)
    assert [one[:2] for one in warned] == [(2, "geometry"), (5, "geometry")]
    assert all("第 1 行" in one[3] for one in warned)
    for geometry in (wkt(first), first):
        old = pd.DataFrame(
            {"id": ["Z9"], "kind": ["淹没区"], "geometry": pd.Series([geometry], dtype=object)}
        )
        (again,) = told(looked(grid_district, "reservoir_zones", rows[:1], old).warnings)
        assert "Z9" in again[3]


# ---- a file on its way in -----------------------------------------------------------------------------


def test_a_vector_file_becomes_a_register(grid_district):
    rows = [
        {
            "shape": square(grid_district),
            "名称": "一号",
            "类别": "管理范围",
            "水库名称": "甲水库",
            "街镇": MIDDLE,
        },
        {"shape": square(grid_district, 2000), "名称": "二号", "类别": "淹没区", "水库名称": "甲水库"},
    ]
    made = prepared(geojson(rows), grid_district, "reservoir_zones")
    assert made.problems == ()
    frame = kept(grid_district, "reservoir_zones", made).frame
    assert frame["name"].tolist() == ["一号", "二号"]
    assert frame["reservoir"].tolist() == ["甲水库"] * 2
    assert frame["area_m2"].to_numpy() == pytest.approx([1e6, 1e6], rel=1e-4)


@pytest.mark.parametrize("header", ["WKT", "geom", "geometry", "the_geom", "图形", "别的名字"])
def test_a_table_with_a_column_of_wkt_is_taken_too(grid_district, header):
    frame = pd.DataFrame(
        {
            "名称": ["一号", "二号"],
            "类别": ["国道", "村道"],
            header: [
                "LINESTRING (106.5 29, 106.51 29.01)",
                "SRID=4490;LINESTRING Z (106.5 29 300, 106.52 29 310)",
            ],
        }
    )
    made = prepared(frame.to_csv(index=False).encode(), grid_district, "roads", name="a.csv")
    assert made.problems == ()
    assert shapely.get_num_coordinates(made.frame["geometry"].to_numpy()).tolist() == [2, 2]
    assert not shapely.has_z(made.frame["geometry"].to_numpy()).any()


def test_shapes_of_another_datum_are_moved_and_told(grid_district):
    there = square(grid_district)

    def shifted(xy):
        lon, lat = datum.wgs_to_gcj(xy[:, 0], xy[:, 1])
        return np.column_stack([lon, lat])

    rows = [{"shape": shapely.transform(there, shifted), "名称": "一号", "类别": "管理范围"}]
    made = prepared(geojson(rows), grid_district, "reservoir_zones", choose="gcj02")
    assert any(one.id.startswith("datum:geometry") for one in made.repairs)
    assert shapely.hausdorff_distance(made.frame["geometry"].iat[0], there) < 2e-6


def test_projected_shapes_come_by_what_their_file_says(grid_district, tmp_path):
    rows = [{"shape": square(grid_district), "名称": "一号", "类别": "管理范围"}]
    path = tmp_path / "a.gpkg"
    gpd.read_file(geojson(rows).decode()).to_crs(4544).to_file(path, engine="pyogrio")
    made = prepared(path.read_bytes(), grid_district, "reservoir_zones", name="a.gpkg")
    assert made.problems == ()
    assert shapely.hausdorff_distance(made.frame["geometry"].iat[0], square(grid_district)) < 2e-6


def test_doubles_of_what_is_kept_are_told_before_saving(grid_district):
    rows = [{"shape": square(grid_district), "编号": "B1", "名称": "一号", "类别": "管理范围"}]
    layer = kept(grid_district, "reservoir_zones", prepared(geojson(rows), grid_district, "reservoir_zones"))
    around = draft.surroundings(grid_district, existing=layer.frame)
    again = [rows[0] | {"编号": "B2"}]
    made = prepared(geojson(again), grid_district, "reservoir_zones", around=around)
    assert any("B1" in one.advice for one in made.warnings)


# ---- any shape comes back -----------------------------------------------------------------------------

spots = st.tuples(st.floats(-0.12, 0.12), st.floats(-0.12, 0.12)).map(
    lambda one: (LON + one[0], LAT + one[1])
)
lines = st.lists(spots, min_size=2, max_size=12, unique=True).map(shapely.LineString)
discs = st.tuples(spots, st.floats(1e-5, 0.03), st.integers(1, 6)).map(
    lambda one: shapely.Point(one[0]).buffer(one[1], quad_segs=one[2])
)
rings = st.tuples(discs, st.floats(0.1, 0.9)).map(
    lambda one: one[0].difference(shapely.affinity.scale(one[0], one[1], one[1]))
)
areas = st.one_of(discs, rings, st.lists(discs, min_size=1, max_size=3).map(shapely.union_all))


@given(
    shapes=st.lists(
        st.one_of(lines.map(lambda one: ("roads", one)), areas.map(lambda one: ("reservoir_zones", one)))
    )
)
@settings(max_examples=60, deadline=None)
def test_any_shape_comes_back_within_a_centimetre(grid_district_once, shapes):
    district = grid_district_once
    for key in ("roads", "reservoir_zones"):
        own = [shape for one, shape in shapes if one == key and shape.length > 1e-6]
        if not own:
            continue
        kind = district.registry.spec(key).kinds[0]
        rows = [{"shape": one, "名称": f"第{n}", "类别": kind} for n, one in enumerate(own)]
        made = prepared(geojson(rows), district, key)
        assert made.problems == ()
        frame = kept(district, key, made).frame
        (district.data / district.registry.spec(key).file).unlink()
        back = frame["geometry"].to_numpy(dtype=object)
        assert shapely.is_valid(back).all()
        assert (shapely.hausdorff_distance(back, np.array(own, dtype=object)) < 2e-7).all()


@pytest.fixture(scope="module")
def grid_district_once(tmp_path_factory):
    from qjmap.district import load_district
    from tests.conftest import GRID_KEY, write_grid

    root = write_grid(tmp_path_factory.mktemp("grid"))
    return load_district(GRID_KEY, root)


# ---- what is shown of it ------------------------------------------------------------------------------


def layers_with(grid_root, grid_district):
    """Two zones, one of them planned, and a road."""
    write_layer(
        grid_root,
        "reservoir_zones",
        [
            {
                "geometry": wkt(square(grid_district)),
                "town": MIDDLE,
                "kind": "管理范围",
                "reservoir": "甲水库",
            },
            {
                "geometry": wkt(square(grid_district, 1500)),
                "town": MIDDLE,
                "status": "规划",
                "kind": "管理范围",
            },
        ],
    )
    line = grid_district.projection.geometry_to_degrees(shapely.LineString([(0, 0), (3000, 4000)]))
    write_layer(grid_root, "roads", [{"geometry": wkt(line), "number": "X1"}])
    return {key: load_layer(grid_district, key) for key in ("reservoir_zones", "roads")}


def test_a_drawing_tells_kinds_by_colour_and_plans_by_dashes(grid_root, grid_district):
    layers = layers_with(grid_root, grid_district)
    zones = marks.shape_layer(grid_district, layers["reservoir_zones"].spec, layers["reservoir_zones"].frame)
    assert [(one.label, one.dashed, one.fill) for one in zones.styles] == [
        ("水库范围:管理范围", False, True),
        ("水库范围:管理范围(规划、在建)", True, True),
    ]
    assert zones.classes.tolist() == [0, 1]
    assert zones.names == ["设施1", "设施2"]
    roads = marks.shape_layer(grid_district, layers["roads"].spec, layers["roads"].frame)
    assert not roads.styles[0].fill
    chosen = zones.choosing(1)
    assert (chosen.chosen, zones.chosen) == (1, None)
    assert chosen.on_screen is zones.on_screen


def test_areas_that_cover_their_towns_are_drawn_as_lines(grid_root, grid_district):
    whole = square(grid_district, -5000, -5000, 9000)
    write_layer(grid_root, "village_areas", [{"geometry": wkt(whole), "town": MIDDLE}])
    layer = load_layer(grid_district, "village_areas")
    assert not marks.shape_layer(grid_district, layer.spec, layer.frame).styles[0].fill


def test_what_is_invented_is_grey(grid_root, grid_district):
    write_layer(grid_root, "reservoir_zones", [{"geometry": wkt(square(grid_district))}], demo=True)
    layer = load_layer(grid_district, "reservoir_zones")
    (style,) = marks.shape_layer(grid_district, layer.spec, layer.frame).styles
    assert "演示" in style.label
    assert style.colour == PALETTE["muted_facility"]


def test_a_card_says_how_large_it_is_and_no_coordinates(grid_root, grid_district):
    layers = layers_with(grid_root, grid_district)
    zone = dict(of_record(grid_district, *_first(layers["reservoir_zones"])).pairs)
    assert zone["图形面积"] == "1.000 平方千米(100.00 公顷,量算)"
    assert zone["水库"] == "甲水库"
    assert "图形" not in zone
    assert "定位误差" not in zone
    road = dict(of_record(grid_district, *_first(layers["roads"])).pairs)
    assert road["图形长度"] == "5.00 千米(量算)"


def _first(layer):
    return layer.spec, layer.frame.iloc[0]


def test_geojson_has_the_shape_and_excel_its_text(grid_root, grid_district):
    layers = layers_with(grid_root, grid_district)
    frame, spec = layers["reservoir_zones"].frame, layers["reservoir_zones"].spec
    about = export.Metadata("水库范围", when=date(2026, 1, 1))
    found = json.loads(export.to_geojson(frame, spec, metadata=about))
    feature = found["features"][0]
    shape = shapely.geometry.shape(feature["geometry"])
    assert feature["geometry"]["type"] == "Polygon"
    assert shape.exterior.is_ccw
    assert shapely.hausdorff_distance(shape, square(grid_district)) < 2e-7
    assert feature["properties"]["图形面积"] == pytest.approx(1e6, rel=1e-5)
    assert not {"图形", "经度", "纬度"} & feature["properties"].keys()
    assert found["metadata"]["fields"]["图形面积"] == {"column": "area_m2", "unit": "平方米"}
    table = export.to_table(frame, spec, projection=grid_district.projection)
    assert shapely.from_wkt(table["图形(WKT)"].iat[0]).equals(frame["geometry"].iat[0])
    road = json.loads(export.to_geojson(layers["roads"].frame, layers["roads"].spec, metadata=about))
    assert road["features"][0]["geometry"]["type"] == "LineString"
    assert road["features"][0]["properties"]["图形长度"] == pytest.approx(5000, abs=0.2)


def test_an_outline_too_long_for_a_cell_is_left_out_and_that_is_said(grid_root, grid_district):
    many = wkt(shapely.Point(LON, LAT).buffer(0.02, quad_segs=2500))
    write_layer(grid_root, "reservoir_zones", [{"geometry": many}])
    layer = load_layer(grid_district, "reservoir_zones")
    table = export.to_table(layer.frame, layer.spec)
    assert "GeoJSON" in table["图形(WKT)"].iat[0]
    assert len(export.to_excel({"范围": table}, {})) < 50_000


def test_nothing_is_said_of_shapes_that_nobody_keeps(grid_root, grid_district):
    assert not set(grid_district.registry.shaped) & registers.present(grid_district).keys()
    layers = {key: load_layer(grid_district, key) for key in grid_district.registry.layers}
    held = {one.spec.key for one in portrait.holdings(layers, MIDDLE)}
    assert held == set(grid_district.registry.points)
    layers_with(grid_root, grid_district)
    assert {"reservoir_zones", "roads"} <= registers.present(grid_district).keys()
    assert "village_areas" not in registers.present(grid_district)


def test_a_towns_map_has_its_shapes(grid_root, grid_district):
    layers = layers_with(grid_root, grid_district)
    scene, ids, _ = scenes.town_scene(grid_district, layers, MIDDLE, most=100)
    # the road says no town, but it lies here
    assert [one.key for one in scene.shapes] == ["reservoir_zones", "roads"]
    assert ids == {"reservoir_zones": ["F1", "F2"], "roads": ["F1"]}
    assert not scene.layers


def test_lines_and_areas_are_in_the_towns_that_they_lie_in(grid_root, grid_district):
    def road(*ends):
        line = grid_district.projection.geometry_to_degrees(shapely.LineString(ends))
        return {"geometry": wkt(line)}

    write_layer(
        grid_root,
        "roads",
        [
            {
                **road((0, 0), (8000, 0)),
                "name": "东路",
                "kind": "县道",
            },  # 5 km in the middle, 3 km east of it
            {**road((0, 0), (5050, 0)), "name": "近路", "kind": "村道"},  # beyond the line for its width only
            {**road((6000, 0), (7000, 0)), "town": MIDDLE, "name": "他路"},  # says the middle, lies east
        ],
    )
    layer = load_layer(grid_district, "roads")
    here, there = (portrait.holdings({"roads": layer}, town)[0] for town in (MIDDLE, town_name(5)))
    assert (here.count, here.what) == (3, "东路 5.0 千米、近路 5.0 千米、他路")
    assert (there.count, there.what, there.unsaid) == (2, "东路 3.0 千米、他路 1.0 千米", 0)
    counts = summary.counts(grid_district, layer.frame)
    assert (counts[MIDDLE], counts[town_name(5)], counts.sum()) == (3, 2, 5)
    assert Filter(towns=(town_name(5),)).mask(layer.frame).tolist() == [True, False, True]
    zones = load_layer(grid_district, "village_areas")
    assert summary.counts(grid_district, zones.frame).sum() == 0


def test_many_lines_are_told_by_kind_with_what_of_them_lies_in_the_town(grid_root, grid_district):
    line = grid_district.projection.geometry_to_degrees(shapely.LineString([(0, 0), (1000, 0)]))
    write_layer(grid_root, "roads", [{"geometry": wkt(line), "kind": "县道"}] * 9)
    (held,) = portrait.holdings({"roads": load_layer(grid_district, "roads")}, MIDDLE)
    assert held.what == "县道 9(共 9.0 千米)"


def test_without_boundaries_shapes_are_where_they_say_and_the_others_nowhere(grid_root, grid_district):
    bare = replace(grid_district, boundaries=grid_district.boundaries.iloc[:0])
    line = {"geometry": wkt(shapely.LineString([(LON, LAT), (LON + 0.01, LAT)]))}
    write_layer(grid_root, "roads", [line, {**line, "town": MIDDLE}])
    (held,) = portrait.holdings({"roads": load_layer(bare, "roads")}, MIDDLE)
    assert (held.count, held.what, held.unsaid) == (1, "设施2", 1)


words = st.lists(
    st.sampled_from(
        [
            "POLYGON",
            "LINESTRING",
            "MULTI",
            "POINT",
            "EMPTY",
            "Z",
            "M",
            "(",
            ")",
            ",",
            " ",
            "1",
            "-2.5",
            "1e9",
            "nan",
            "甲",
        ]
    ),
    max_size=40,
).map("".join)


@given(st.lists(st.one_of(st.none(), words, st.text(max_size=30))))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_plain_shape_or_none(texts):
    found = _shapes.parse(texts)
    assert len(found) == len(texts)
    kinds = {one.geom_type for one in found if one is not None}
    assert kinds <= {"Point", "MultiPoint", *_shapes.WANTED["line"], *_shapes.WANTED["polygon"]}
    assert not shapely.has_z(found).any()


# ---- addresses in villages whose area is known ---------------------------------------------------------


def test_an_address_lies_in_its_villages_area_with_the_distance_to_its_farthest_corner(
    grid_root, grid_district
):
    known = [
        {"code": "1", "name": "大坪村村民委员会", "town_code": "9", "town": MIDDLE},
        {"code": "2", "name": "小坪村村民委员会", "town_code": "9", "town": MIDDLE},
    ]
    spec = grid_district.registry.tables["villages"]
    write_csv(grid_district.data / spec.file, spec.columns, known)
    write_layer(
        grid_root,
        "village_areas",
        [
            {
                "name": "大坪村",
                "town": MIDDLE,
                "kind": "村",
                "geometry": wkt(square(grid_district, 0, 0, 2000)),
            },
            {
                "name": "新村",
                "town": MIDDLE,
                "kind": "村",
                "geometry": wkt(square(grid_district, 3000, 0, 500)),
            },
        ],
    )
    found = draft.surroundings(grid_district).gazetteer
    place = found.find(f"{MIDDLE}大坪村3组")
    assert (place.town, place.village) == (MIDDLE, "大坪村")
    x, y = grid_district.projection.to_metres(place.lon, place.lat)
    corner = np.hypot(np.array([0, 0, 2000, 2000]) - x, np.array([0, 2000, 0, 2000]) - y).max()
    assert place.error_m == pytest.approx(corner, abs=1.5)
    assert place.error_m >= corner - 0.01
    # a village without an area has no place of its own; one that only the areas know has
    assert np.isnan(found.find("小坪村").lon)
    assert found.find(f"{MIDDLE}新村").error_m < 400


def test_villages_of_one_name_are_told_apart_by_the_town_of_the_area():
    villages = pd.DataFrame({"name": ["大坪村村民委员会"] * 2, "town": ["丙镇", "丁镇"]})
    box = shapely.box(0, 0, 100, 100)
    areas = pd.DataFrame({"name": ["大坪村"], "town": ["丁镇"]}).assign(geometry=[box], shape=[box])
    found = places.with_areas(villages, areas)
    assert found["lon"].notna().tolist() == [False, True]
    assert found["error_m"].iat[1] == 71
    unsaid = places.with_areas(villages, areas.assign(town=None))
    assert unsaid["lon"].notna().tolist() == [False, False]
    assert len(unsaid) == 2
