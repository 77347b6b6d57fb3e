"""What a file says of its coordinates is heard; what it does not say is asked; nothing is moved in silence."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod, Transformer

from qjmap import coordinates, datum, draft, ingest, matching, spoken
from qjmap.district import ROOT
from qjmap.layers import load_registry

HYDRANTS = load_registry(ROOT / "data" / "layers.toml").spec("hydrants")
GEOD = Geod(ellps="WGS84")
TRUE = np.array(
    [(106.651234, 28.751234), (106.661235, 28.761235), (106.671236, 28.771236), (106.681237, 28.781237)]
)
LON, LAT = TRUE.T
GCJ, BD = (np.column_stack(way(LON, LAT)) for way in (datum.wgs_to_gcj, datum.wgs_to_bd))


def projected(epsg: int):
    return np.column_stack(Transformer.from_crs(4490, epsg, always_xy=True).transform(LON, LAT))


def read(columns: dict, name="台账.csv", title: str = "") -> ingest.Source:
    base = {"编号": [f"T{n}" for n in range(4)], "名称": ["甲", "乙", "丙", "丁"]}
    frame = pd.DataFrame(base | {"街镇": "东溪镇", "类别": "市政消火栓", "状态": "现状"} | columns)
    text = frame.to_csv(index=False, float_format="%.7f")
    if title:
        text = f"{title}{',' * (len(frame.columns) - 1)}\n{text}"
    return ingest.read(name, text.encode())[0]


def pairs(xy, lon: str, lat: str) -> dict:
    return {lon: xy[:, 0], lat: xy[:, 1]}


def seen(district, source, name="台账.csv"):
    matches = matching.match(source, HYDRANTS, tuple(district.towns.index))
    found = coordinates.readings(source, matches, district)
    return (
        matches,
        found,
        coordinates.choose(source, matches, found, coordinates.heard(source, matches, name)),
    )


def off(district, source, key: str | None = None) -> float:
    """Keep a file as it is chosen by itself (or as a person says), and give how far the worst row lies off."""
    matches, found, choice = seen(district, source)
    (reading,) = [one for one in found if one.key == (key or choice.key)]
    made = draft.prepare(source, HYDRANTS, matches, reading, draft.surroundings(district))
    assert made.good.all()
    return float(np.max(GEOD.inv(made.frame["lon"], made.frame["lat"], LON, LAT)[2]))


# ---- what is said is heard --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("xy", "lon", "lat", "key", "said"),
    [
        (GCJ, "高德经度", "高德纬度", "gcj02", "列名“高德经度”“高德纬度”写着“高德”"),
        (GCJ, "经度(GCJ-02)", "纬度(GCJ-02)", "gcj02", "GCJ-02"),
        (GCJ, "gcj_lng", "gcj_lat", "gcj02", "gcj"),
        (BD, "百度经度", "百度纬度", "bd09", "百度"),
        (BD, "lng_bd09", "lat_bd09", "bd09", "bd09"),
        (TRUE, "经度(WGS84)", "纬度(WGS84)", "wgs84", "WGS84"),
        (TRUE, "2000坐标经度", "2000坐标纬度", "wgs84", "2000坐标"),
        (projected(4545), "X坐标(CGCS2000)", "Y坐标(CGCS2000)", "gk3-108", "CGCS2000"),
        (projected(4544), "X(2000国家大地坐标系)", "Y(2000国家大地坐标系)", "gk3-105", "2000国家"),
        (projected(32648), "UTM_X", "UTM_Y", "utm48", "UTM"),
        (projected(32648), "E(UTM)", "N(UTM)", "utm48", "UTM"),
        (GCJ, "高德X", "高德Y", "gcj02", "高德"),
    ],
)
def test_what_the_names_of_columns_say_is_heard(qijiang, xy, lon, lat, key, said):
    source = read(pairs(xy, lon, lat))
    _, _, choice = seen(qijiang, source)
    assert choice.key == key
    assert said in choice.why
    assert not choice.doubts
    assert off(qijiang, source) < 0.2


@pytest.mark.parametrize(
    ("title", "name", "xy", "key"),
    [
        ("坐标系:高德GCJ-02", "台账.csv", GCJ, "gcj02"),
        ("綦江区消火栓台账(百度地图标注)", "台账.csv", BD, "bd09"),
        ("綦江区消火栓台账", "消火栓_高德坐标.csv", GCJ, "gcj02"),
        ("坐标系统:国家2000,3度带,中央子午线108°", "台账.csv", projected(4545), "gk3-108"),
        ("WGS84 UTM 48N", "台账.csv", projected(32648), "utm48"),
        ("EPSG:4544", "台账.csv", projected(4544), "gk3-105"),
    ],
)
def test_what_stands_above_the_table_or_in_the_files_name_is_heard(qijiang, title, name, xy, key):
    x, y = ("X", "Y") if xy[0, 0] > 180 else ("经度", "纬度")
    _, _, choice = seen(qijiang, read(pairs(xy, x, y), name, title), name)
    assert choice.key == key
    assert "写着" in choice.why


def test_a_note_under_the_table_and_a_sheet_of_notes_are_heard(qijiang):
    frame = read(pairs(GCJ, "经度", "纬度"))
    table = frame.table.frame.reindex(range(5))
    table.iloc[4, 0] = "注:坐标取自高德地图"
    from dataclasses import replace

    below = replace(frame, table=replace(frame.table, frame=table, rows=(*frame.table.rows, 6)))
    assert seen(qijiang, below)[2].key == "gcj02"
    matches, found, _ = seen(qijiang, frame)
    (notes,) = ingest.read("填表说明.csv", "项目,说明\n坐标,百度地图拾取\n".encode())
    said = coordinates.heard(frame, matches, "a.csv", [notes])
    assert coordinates.choose(frame, matches, found, said).key == "bd09"


@pytest.mark.parametrize(
    ("columns", "title", "doubt"),
    [
        (pairs(GCJ, "经度", "纬度"), "", ""),
        (pairs(GCJ, "经度", "纬度"), "坐标由高德转换为WGS84", "看不出"),
        (pairs(GCJ, "经度", "纬度"), "不是百度坐标", "看不出"),
        (pairs(GCJ, "高德经度", "高德纬度"), "坐标系:WGS84", "对不上"),
        (pairs(GCJ, "经度", "纬度"), "坐标系:西安80", "没有公开的换算参数"),
        (pairs(TRUE, "经度(北京54)", "纬度(北京54)"), "", "没有公开的换算参数"),
        (pairs(projected(4545), "X", "Y"), "重庆市独立坐标系", "没有公开的换算参数"),
        (pairs(projected(4545), "X", "Y"), "坐标:高德", "平面坐标"),
        (pairs(projected(4545), "X", "Y"), "中央子午线105°", "不在区内"),
    ],
)
def test_where_nothing_plain_is_said_nothing_is_chosen(qijiang, columns, title, doubt):
    _, _, choice = seen(qijiang, read(columns, title=title))
    assert choice.key is None
    assert doubt in "".join(choice.doubts)
    assert bool(choice.doubts) == bool(doubt)


def test_what_stands_at_the_numbers_is_heard_before_an_unclear_title(qijiang):
    source = read(pairs(TRUE, "经度(WGS84)", "纬度(WGS84)"), title="坐标由高德转换")
    assert seen(qijiang, source)[2].key == "wgs84"


# ---- metres -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("turned", [False, True])
def test_metres_without_a_zone_may_be_utm_or_gauss_and_are_asked(qijiang, turned):
    """They lie 1.3 km apart, and both in the district."""
    for epsg, key in ((32648, "utm48"), (4544, "gk3-105")):
        xy = projected(epsg)[:, ::-1] if turned else projected(epsg)
        source = read(pairs(xy, "X", "Y"))
        _, found, choice = seen(qijiang, source)
        assert {one.key for one in found if one.share_inside > 0.5} == {"utm48", "gk3-105"}
        assert choice.key is None
        assert off(qijiang, source, key) < 0.01
        other = "gk3-105" if key == "utm48" else "utm48"
        assert 1200 < off(qijiang, source, other) < 1400


def test_degrees_whose_decimals_are_minutes_and_seconds_are_known_by_where_they_lie(qijiang):
    packed = np.array([[d + m / 100 + s / 10000 for d, m, s in map(parted, one)] for one in TRUE])
    source = read(
        {"经度": [f"{one:.6f}" for one in packed[:, 0]], "纬度": [f"{one:.6f}" for one in packed[:, 1]]}
    )
    _, _, choice = seen(qijiang, source)
    assert choice.key == "packed"
    assert off(qijiang, source) < 0.5
    assert "packed" not in {one.key for one in seen(qijiang, read(pairs(TRUE, "经度", "纬度")))[1]}


@pytest.mark.parametrize(("epsg", "key"), [(4545, "gk3-108"), (4523, "gk3-105-zone"), (4524, "gk3-108-zone")])
def test_metres_that_fit_in_one_way_only_are_taken_so(qijiang, epsg, key):
    source = read(pairs(projected(epsg), "X", "Y"))
    _, _, choice = seen(qijiang, source)
    assert choice.key == key
    assert "只有这一种" in choice.why
    assert off(qijiang, source) < 0.01


# ---- pairs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "lon", "lat"),
    [
        (
            pairs(GCJ, "经度", "纬度") | pairs(TRUE, "经度(WGS84)", "纬度(WGS84)"),
            "经度(WGS84)",
            "纬度(WGS84)",
        ),
        (pairs(BD, "百度经度", "百度纬度") | {"经度": LON}, "百度经度", "百度纬度"),
        ({"纬度": LAT} | pairs(BD, "百度经度", "百度纬度"), "百度经度", "百度纬度"),
        (pairs(projected(4545), "X", "Y") | pairs(TRUE, "lng", "lat"), "lng", "lat"),
        (pairs(TRUE, "lng", "lat") | pairs(projected(4545), "POINT_X", "POINT_Y"), "lng", "lat"),
        (pairs(TRUE, "起点经度", "起点纬度") | pairs(TRUE, "经度", "纬度"), "经度", "纬度"),
        (pairs(GCJ, "高德经度", "高德纬度") | pairs(BD, "百度经度", "百度纬度"), "高德经度", "高德纬度"),
        (pairs(GCJ, "gcjLng", "gcjLat") | pairs(TRUE, "wgsLng", "wgsLat"), "wgsLng", "wgsLat"),
        (pairs(projected(4545)[:, ::-1], "x坐标(北)", "y坐标(东)"), "y坐标(东)", "x坐标(北)"),
    ],
)
def test_longitude_and_latitude_are_taken_as_a_pair(qijiang, columns, lon, lat):
    matches, _, _ = seen(qijiang, read(columns))
    assert (matches["lon"].column, matches["lat"].column) == (lon, lat)


def test_a_longitude_and_a_latitude_of_two_maps_are_no_pair(qijiang):
    for columns in (
        {"高德经度": GCJ[:, 0], "百度纬度": BD[:, 1]},
        {"经度": LON, "高德经度": GCJ[:, 0], "百度纬度": BD[:, 1]},
    ):
        matches, _, _ = seen(qijiang, read(columns))
        assert not {"lon", "lat"} & matches.keys()


def test_a_datum_that_only_one_of_the_two_headers_names_is_asked(qijiang):
    matches, _, choice = seen(qijiang, read({"经度(高德)": GCJ[:, 0], "纬度": GCJ[:, 1]}))
    assert {"lon", "lat"} <= matches.keys()
    assert choice.key is None
    assert "列名“经度(高德)”说到高德" in choice.doubts[0]


# ---- ways to write ----------------------------------------------------------------------------------


def parted(value: float) -> tuple[int, int, float]:
    return int(value), int(value * 60) % 60, round(value * 3600 % 60, 4)


@pytest.mark.parametrize(
    "names",
    [
        ("经度 度", "经度 分", "经度 秒", "纬度 度", "纬度 分", "纬度 秒"),
        ("东经(度)", "东经(分)", "东经(秒)", "北纬(度)", "北纬(分)", "北纬(秒)"),
        ("经度度", "经度分", "经度秒", "纬度度", "纬度分", "纬度秒"),
        ("经度", "经度分", "经度秒", "纬度", "纬度分", "纬度秒"),
        ("lon_d", "lon_m", "lon_s", "lat_d", "lat_m", "lat_s"),
    ],
)
def test_degrees_minutes_and_seconds_in_columns_of_their_own(qijiang, names):
    cells = [list(map(str, column)) for axis in (LON, LAT) for column in zip(*map(parted, axis), strict=True)]
    source = read(dict(zip(names, cells, strict=True)))
    matches, found, choice = seen(qijiang, source)
    assert set(names) <= coordinates.used(source, matches)
    assert {one.key for one in found} == {"dms", "gcj02", "bd09"}
    assert choice.key is None
    assert off(qijiang, source, "dms") < 0.2


@pytest.mark.parametrize(
    "cell",
    [
        "E{0:.7f} N{1:.7f}",
        "N{1:.7f} E{0:.7f}",
        "{0:.7f}E {1:.7f}N",
        "{1:.7f}°N, {0:.7f}°E",
        "经度:{0:.7f} 纬度:{1:.7f}",
        "lat={1:.7f};lng={0:.7f}",
        '{{"lng":{0:.7f},"lat":{1:.7f}}}',
        "POINT ({0:.7f} {1:.7f})",
        "东经{0:.7f}度北纬{1:.7f}度",
    ],
)
@pytest.mark.parametrize("header", ["地理坐标", "丙"])
def test_both_in_one_cell_as_people_write_them(qijiang, cell, header):
    source = read({header: [cell.format(*one) for one in TRUE]})
    matches, _, _ = seen(qijiang, source)
    assert matches["lon"].column == matches["lat"].column == header
    assert off(qijiang, source, "wgs84") < 0.1


@pytest.mark.parametrize("cell", ["{0:.0f} {1:.0f}", "48R 0{0:.0f} {1:.0f}", "X:{0:.2f},Y:{1:.2f}"])
def test_metres_in_one_cell(qijiang, cell):
    source = read({"坐标": [cell.format(*one) for one in projected(32648)]})
    assert off(qijiang, source, "utm48") < 1


# ---- several datums in one file -----------------------------------------------------------------------

MIXED = np.vstack([TRUE[0], GCJ[1], BD[2], TRUE[3]])
WORDS = ["WGS84", "高德", "BD-09", "CGCS2000"]


@pytest.mark.parametrize("header", ["坐标系", "坐标来源", "丙"])
def test_a_column_that_says_row_by_row_what_they_are_is_followed(qijiang, header):
    source = read(pairs(MIXED, "经度", "纬度") | {header: WORDS})
    _, found, choice = seen(qijiang, source)
    assert choice.key == found[0].key == "rows"
    assert f"“{header}”列逐行写明坐标系" in choice.why
    assert off(qijiang, source) < 0.2


def test_swapped_columns_and_single_swapped_rows_are_turned_row_by_row(qijiang):
    source = read(pairs(MIXED[:, ::-1], "经度", "纬度") | {"坐标系": WORDS})
    assert off(qijiang, source) < 0.2
    turned = MIXED.copy()
    turned[2] = turned[2, ::-1]
    assert off(qijiang, read(pairs(turned, "经度", "纬度") | {"坐标系": WORDS})) < 0.2


def test_rows_of_which_the_column_says_nothing_known_are_asked_and_given_back(qijiang):
    source = read(pairs(MIXED, "经度", "纬度") | {"坐标系": ["WGS84", "高德", "奥维", None]})
    matches, found, choice = seen(qijiang, source)
    assert choice.key is None
    assert "2 行空白或写的不是认识的坐标系" in choice.doubts[0]
    made = draft.prepare(source, HYDRANTS, matches, found[0], draft.surroundings(qijiang))
    assert made.good.tolist() == [True, True, False, False]
    assert [(one.row, one.column, one.value) for one in made.problems] == [
        (4, "坐标系", "奥维"),
        (5, "坐标系", None),
    ]
    assert "GCJ-02" in made.problems[0].expected


def test_conversion_adds_to_the_error_of_the_rows_that_it_moved(qijiang):
    source = read(pairs(MIXED, "经度", "纬度") | {"坐标系": WORDS})
    matches, found, _ = seen(qijiang, source)
    made = draft.prepare(source, HYDRANTS, matches, found[0], draft.surroundings(qijiang))
    errors = made.frame["error_m"].tolist()
    assert errors[0] == errors[3] < errors[1] < errors[2]


def test_one_word_in_all_rows_is_a_word_for_the_file(qijiang):
    _, found, choice = seen(qijiang, read(pairs(GCJ, "经度", "纬度") | {"坐标系": "GCJ02"}))
    assert choice.key == "gcj02"
    assert "“坐标系”列写着“GCJ02”" in choice.why
    assert "rows" not in {one.key for one in found}


def test_headers_and_column_that_contradict_each_other_are_asked(qijiang):
    _, _, choice = seen(qijiang, read(pairs(MIXED, "高德经度", "高德纬度") | {"坐标系": WORDS}))
    assert choice.key is None
    assert "逐行另有说法" in choice.doubts[0]


# ---- vector files -------------------------------------------------------------------------------------


def geojson(xy=TRUE, name="点.geojson", **columns) -> ingest.Source:
    shapes = gpd.GeoSeries.from_xy(xy[:, 0], xy[:, 1], crs=4326)
    frame = gpd.GeoDataFrame({"名称": list("甲乙丙丁")} | columns, geometry=shapes)
    return ingest.read(name, frame.to_json(drop_id=True).encode())[0]


def test_a_vector_files_own_word_is_followed_where_nothing_speaks_against_it(qijiang):
    for columns in (
        {},
        pairs(TRUE, "经度", "纬度"),
        pairs(GCJ, "经度", "纬度"),
        {"经度": "不详", "纬度": None},
    ):
        _, _, choice = seen(qijiang, geojson(**columns), "点.geojson")
        assert (choice.key, choice.doubts) == ("wgs84", ())


def test_a_vector_file_that_contradicts_itself_is_asked(qijiang):
    _, _, choice = seen(qijiang, geojson(**pairs(np.add(TRUE, (0.01, 0)), "经度", "纬度")))
    assert choice.key is None
    assert "图形与属性里的“经度”、“纬度”相差 97" in choice.doubts[0]
    _, _, choice = seen(qijiang, geojson(GCJ, **pairs(TRUE, "经度", "纬度")))
    assert choice.key is None
    assert "图形像是 GCJ-02" in choice.doubts[0]
    _, _, choice = seen(qijiang, geojson(GCJ, "高德POI.geojson"), "高德POI.geojson")
    assert choice.key is None
    assert "文件名“高德POI.geojson”写着“高德”,与文件声明的坐标系不合" in choice.doubts[0]


def test_metres_that_are_declared_as_degrees_are_told(qijiang):
    source = geojson(projected(4545))
    _, _, choice = seen(qijiang, source)
    assert choice.key == "gk3-108"
    assert "文件声明的是 EPSG:4326(WGS-84 经纬度),坐标却是以米计的数" in choice.doubts[0]


def test_a_declared_datum_that_nobody_can_convert_is_told(qijiang, tmp_path):
    frame = gpd.GeoDataFrame({"名称": list("甲乙丙丁")}, geometry=gpd.points_from_xy(LON, LAT), crs=4610)
    frame.to_file(tmp_path / "x.gpkg")
    (source,) = ingest.read("x.gpkg", (tmp_path / "x.gpkg").read_bytes())
    _, _, choice = seen(qijiang, source, "x.gpkg")
    assert "文件声明的是西安80" in choice.doubts[0]


def test_an_empty_point_has_no_place_and_stops_nothing(qijiang, tmp_path):
    points = [shapely.Point(*TRUE[0]), shapely.Point(), None, shapely.Point(*TRUE[3])]
    columns = {"名称": list("甲乙丙丁"), "街镇": "东溪镇", "类别": "市政消火栓", "状态": "现状"}
    gpd.GeoDataFrame(columns, geometry=points, crs=4490).to_file(tmp_path / "x.gpkg")
    (source,) = ingest.read("x.gpkg", (tmp_path / "x.gpkg").read_bytes())
    matches, found, choice = seen(qijiang, source)
    assert choice.key == "wgs84"
    made = draft.prepare(source, HYDRANTS, matches, found[0], draft.surroundings(qijiang))
    assert made.good.all()
    assert made.frame["lon"].isna().tolist() == [False, True, True, False]


def test_of_what_is_one_point_no_other_is_taken(qijiang, tmp_path):
    points = [
        shapely.MultiPoint([TRUE[0]]),
        shapely.MultiPoint(TRUE[:2]),
        shapely.MultiPoint([TRUE[2]]),
        None,
    ]
    columns = {"名称": list("甲乙丙丁"), "街镇": "东溪镇", "类别": "市政消火栓", "状态": "现状"}
    gpd.GeoDataFrame(columns, geometry=points, crs=4490).to_file(tmp_path / "x.gpkg")
    (source,) = ingest.read("x.gpkg", (tmp_path / "x.gpkg").read_bytes())
    matches, found, _ = seen(qijiang, source)
    made = draft.prepare(source, HYDRANTS, matches, found[0], draft.surroundings(qijiang))
    assert [one.row for one in made.warnings if "代表" in one.advice] == [2]


# ---- what is known already ----------------------------------------------------------------------------


def test_rows_that_are_kept_already_tell_the_datum(qijiang):
    for xy, key in ((TRUE, "wgs84"), (GCJ, "gcj02"), (projected(32648), "utm48")):
        source = read(pairs(xy, "经度", "纬度"))
        matches, found, _ = seen(qijiang, source)
        lon, lat = (np.where([True, True, True, False], one, np.nan) for one in (LON, LAT))
        said = coordinates.agreement(found, lon, lat, "与库中 {} 条位置一致")
        choice = coordinates.choose(source, matches, found, said)
        assert choice.key == key
        assert choice.why.startswith("与库中 3 条位置一致:已选上")
    assert coordinates.agreement(found, lon + 0.02, lat, "{}") == []
    assert coordinates.agreement(found, lon * np.nan, lat, "{}") == []


# ---- words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("GCJ-02", "gcj02"),
        ("火星坐标", "gcj02"),
        ("腾讯地图", "gcj02"),
        ("Baidu", "bd09"),
        ("WGS1984", "wgs84"),
        ("国家2000", "wgs84"),
        ("CGCS 2000", "wgs84"),
        ("EPSG:4490", "wgs84"),
        ("RTK", "wgs84"),
        ("天地图", "wgs84"),
        ("1980西安坐标系", "xian80"),
        ("Beijing_1954", "bj54"),
        ("奥维", None),
        ("高德花园小区", None),
        ("百度网盘", None),
        ("高德", "gcj02"),
        ("消火栓_百度.xlsx", "bd09"),
        ("GPS", None),
        ("2000年", None),
        ("wgs84/gcj02", None),
        ("", None),
    ],
)
def test_words_for_datums(text, key):
    assert spoken.datum_of(text) == key


@pytest.mark.parametrize("crs", [4490, 4524])
def test_a_point_that_stands_for_an_area_is_no_surer_than_the_area_is_wide(qijiang, tmp_path, crs):
    squares = gpd.GeoSeries([shapely.Point(TRUE[0]), shapely.Point(TRUE[1])], crs=4490).to_crs(4524)
    shapes = [squares[0].buffer(500, cap_style="square"), squares[1]]
    columns = {"名称": list("甲乙"), "街镇": "东溪镇", "类别": "市政消火栓", "状态": "现状"}
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=4524).to_crs(crs)
    frame.to_file(tmp_path / "x.gpkg")
    (source,) = ingest.read("x.gpkg", (tmp_path / "x.gpkg").read_bytes())
    matches, found, _ = seen(qijiang, source)
    made = draft.prepare(source, HYDRANTS, matches, found[0], draft.surroundings(qijiang))
    wide, point = made.frame["error_m"].tolist()
    assert 700 <= wide <= 820  # from the middle to a corner
    assert point < 100
    (told,) = [one for one in made.warnings if "代表" in one.advice]
    assert "离图形最远处" in told.advice
