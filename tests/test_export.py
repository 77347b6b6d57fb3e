import io
import json
from datetime import date, datetime

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qjmap import export
from qjmap.crs import Projection
from qjmap.layers import Column, LayerSpec
from qjmap.registers import has_demo, load_layer

XSS = '<img src=x onerror="alert(1)">'
WHEN = date(2026, 11, 22)
META = export.Metadata(
    "綦江区消火栓",
    WHEN,
    filter="街镇:石角镇",
    standard="服务半径 150 米(自定值)",
    sources=("綦江府办发〔2022〕71号 二(二)",),
    notices=("示意界线,非法定界线",),
)


def spec() -> LayerSpec:
    columns = [
        Column("id", "编号", "text"),
        Column("name", "名称", "text"),
        Column("year", "年份", "year"),
        Column("lon", "经度", "longitude"),
        Column("lat", "纬度", "latitude"),
        Column("source", "来源", "category"),
        Column("flow", "流量", "number", unit="升/秒"),
        Column("pressure", "压力", "number", unit="兆帕", sensitive=True),
        Column("checked", "检查日期", "date"),
        Column("works", "完好", "boolean"),
    ]
    return LayerSpec(
        "hydrants", "消火栓", "hydrants.csv", "point", "drop", "", (), {one.key: one for one in columns}
    )


def frame(names=("甲", "乙", "丙"), source="文件") -> pd.DataFrame:
    n = len(names)
    return pd.DataFrame(
        {
            "id": [f"h{i}" for i in range(n)],
            "name": list(names),
            "year": np.where(np.arange(n) == 1, np.nan, 2025.0),
            "lon": np.where(np.arange(n) == 2, np.nan, 106.651234567 + np.arange(n) / 1000),
            "lat": 29.0281,
            "source": source,
            "flow": np.where(np.arange(n) == 0, np.nan, 15.5),
            "pressure": 0.35,
            "checked": pd.Series([pd.Timestamp("2026-03-01")] * n),
            "works": pd.array([True, False, pd.NA][:n] + [True] * (n - 3), dtype="boolean"),
            "x": 0.0,
            "y": 0.0,
            "row": range(2, n + 2),
            "file": "hydrants.csv",
        }
    )


def read(data: bytes) -> dict:
    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    return json.loads(data.decode("utf-8"), parse_constant=refuse)


def gdal(data: bytes) -> gpd.GeoDataFrame:
    return pyogrio.read_dataframe(io.BytesIO(data))


# ---- points -------------------------------------------------------------------------------------


def test_points_carry_numbers_as_numbers_and_what_is_missing_as_null():
    first, second, third = read(export.to_geojson(frame(), spec(), metadata=META))["features"]
    assert first["geometry"] == {"type": "Point", "coordinates": [106.6512346, 29.0281]}
    assert first["properties"] == {
        "编号": "h0",
        "名称": "甲",
        "年份": 2025,
        "来源": "文件",
        "流量": None,
        "检查日期": "2026-03-01",
        "完好": True,
    }
    assert isinstance(first["properties"]["年份"], int)
    assert second["properties"]["年份"] is None
    assert second["properties"]["流量"] == 15.5
    assert third["geometry"] is None
    assert third["properties"]["完好"] is None


def test_the_file_says_what_it_is():
    about = read(export.to_geojson(frame(), spec(), metadata=META))["metadata"]
    assert about["title"] == "綦江区消火栓"
    assert about["filter"] == "街镇:石角镇"
    assert about["standard"] == "服务半径 150 米(自定值)"
    assert about["date"] == "2026-11-22"
    assert about["sources"] == ["綦江府办发〔2022〕71号 二(二)"]
    assert about["notice"] == ["示意界线,非法定界线"]
    assert about["generator"].startswith("qjmap ")
    assert (about["records"], about["without_geometry"]) == (3, 1)
    assert about["fields"]["流量"] == {"column": "flow", "unit": "升/秒"}


def test_one_demo_record_is_enough_for_the_notice():
    mixed = frame()
    mixed.loc[1, "source"] = "演示"
    assert export.DEMO_NOTICE in read(export.to_geojson(mixed, spec(), metadata=META))["metadata"]["notice"]
    assert export.DEMO_NOTICE in META.info(demo=has_demo(mixed))["注意"]
    assert not has_demo(frame())


def test_sensitive_columns_stay_in_the_house_unless_asked_for():
    plain = read(export.to_geojson(frame(), spec(), metadata=META))
    asked = read(export.to_geojson(frame(), spec(), metadata=META, include_sensitive=True))
    assert "压力" not in plain["features"][0]["properties"]
    assert "压力" not in plain["metadata"]["fields"]
    assert asked["features"][0]["properties"]["压力"] == 0.35
    assert not [name for name in export.to_table(frame(), spec()) if name.startswith("压力")]


def test_a_record_placed_by_the_house_stands_where_the_map_shows_it():
    projection = Projection(106.65, 29.03)
    some = frame().assign(lon=np.nan, lat=np.nan)
    some.loc[1, ["x", "y"]] = np.nan
    features = read(export.to_geojson(some, spec(), metadata=META, projection=projection))["features"]
    assert features[0]["geometry"]["coordinates"] == [106.65, 29.03]
    assert features[1]["geometry"] is None
    table = export.to_table(some, spec(), projection=projection)
    assert table["经度"].tolist() == [106.65, None, 106.65]


def test_gdal_reads_points_with_types():
    back = gdal(export.to_geojson(frame(), spec(), metadata=META))
    assert back.crs.to_epsg() == 4326
    assert back["名称"].tolist() == ["甲", "乙", "丙"]
    assert back["流量"].dtype == np.float64
    assert back["流量"].isna().tolist() == [True, False, False]
    assert back.geometry.isna().tolist() == [False, False, True]
    assert back.geometry[0].x == pytest.approx(106.6512346, abs=1e-9)


def test_gdal_takes_the_title_for_the_layers_name():
    assert (
        pyogrio.list_layers(io.BytesIO(export.to_geojson(frame(), spec(), metadata=META)))[0][0] == META.title
    )


def test_an_empty_layer_is_a_collection_without_features():
    data = read(export.to_geojson(frame().iloc[:0], spec(), metadata=META))
    assert data["features"] == []
    assert data["metadata"]["records"] == 0


def test_two_columns_of_one_label_both_go_out():
    twice = spec()
    twice.columns["other"] = Column("other", "名称", "text")
    properties = read(export.to_geojson(frame().assign(other="丁"), twice, metadata=META))["features"][0][
        "properties"
    ]
    assert (properties["名称"], properties["名称(other)"]) == ("甲", "丁")


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1) | st.sampled_from(
    [XSS, '"引号"', "换\n行", "🚒消防", "a\\b", "</script>", "\u2028"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(NAMES, min_size=3, max_size=6))
def test_any_name_comes_back_the_same_through_json_and_gdal(names):
    data = export.to_geojson(frame(names), spec(), metadata=META)
    assert [one["properties"]["名称"] for one in read(data)["features"]] == names
    assert gdal(data)["名称"].tolist() == names


def test_what_is_no_character_does_not_stop_an_export():
    odd = ["\ud800", "\x00", "\x1b[31m"]
    table = frame().assign(name=pd.Series(odd, dtype=object))
    assert len(read(export.to_geojson(table, spec(), metadata=META))["features"]) == 3
    assert export.to_excel({"甲": table}, {})
    assert b"\x1b" not in export.to_csv(table)


def test_a_document_goes_out_under_its_name():
    of_plan = spec()
    of_plan.columns["document"] = Column("document", "文件", "document")
    some = frame().assign(document=["plan", "other", None])
    names = {"plan": "某规划(某府发〔2022〕1号)"}
    features = read(export.to_geojson(some, of_plan, metadata=META, documents=names))["features"]
    assert [one["properties"]["文件"] for one in features] == ["某规划(某府发〔2022〕1号)", "other", None]
    assert export.to_table(some, of_plan, documents=names)["文件"].tolist()[0] == "某规划(某府发〔2022〕1号)"


def test_every_layer_of_the_district_goes_out(qijiang):
    for key in qijiang.registry.layers:
        layer = load_layer(qijiang, key)
        data = export.to_geojson(layer.frame, layer.spec, metadata=META, projection=qijiang.projection)
        about = read(data)["metadata"]
        assert about["records"] == len(layer.frame)
        assert about["without_geometry"] == (layer.frame["position"] == "未定位").sum()
        assert about["demo"] == (layer.frame["source"] == "演示").any()
        if len(layer.frame):
            back = gdal(data)
            bounds = back.geometry.dropna().total_bounds
            assert np.isnan(bounds).all() or shapely.box(106.3, 28.4, 107.2, 29.3).contains(
                shapely.box(*bounds)
            )


# ---- areas --------------------------------------------------------------------------------------

TOWN = shapely.box(106.6, 29.0, 106.7, 29.1)


def areas(*shapes) -> dict:
    return read(export.geometries_to_geojson([f"镇{i}" for i in range(len(shapes))], shapes, {}, META))


def decimals(coordinates) -> int:
    if isinstance(coordinates, float):
        text = repr(coordinates)
        assert "e" not in text
        return len(text.partition(".")[2])
    return max(map(decimals, coordinates))


def test_rings_follow_the_right_hand_rule():
    holed = TOWN.reverse().difference(shapely.Point(106.65, 29.05).buffer(0.01))
    back = shapely.geometry.shape(areas(holed)["features"][0]["geometry"])
    assert back.exterior.is_ccw
    assert len(back.interiors) == 1
    assert not back.interiors[0].is_ccw


def test_an_empty_or_missing_area_is_null():
    features = areas(shapely.Polygon(), None, TOWN)["features"]
    assert [one["geometry"] is None for one in features] == [True, True, False]


def test_only_polygons_of_a_mixed_geometry_are_kept():
    mixed = shapely.GeometryCollection(
        [TOWN, shapely.LineString([(106, 29), (107, 29)]), shapely.box(106.8, 29, 106.9, 29.1)]
    )
    geometry = areas(mixed)["features"][0]["geometry"]
    assert geometry["type"] == "MultiPolygon"
    assert len(geometry["coordinates"]) == 2


def test_properties_stand_beside_the_name_and_gdal_reads_them():
    table = pd.DataFrame({"未覆盖面积(平方千米)": [1.5, np.nan], "人口": [1200, 300]})
    data = export.geometries_to_geojson(["甲", XSS], [TOWN, TOWN], table, META, demo=True)
    back = gdal(data)
    assert back["名称"].tolist() == ["甲", XSS]
    assert back["人口"].tolist() == [1200, 300]
    assert np.isnan(back["未覆盖面积(平方千米)"][1])
    assert back.geometry.is_valid.all()
    assert export.DEMO_NOTICE in read(data)["metadata"]["notice"]


def test_a_geometry_in_metres_is_refused():
    with pytest.raises(ValueError, match="经纬度"):
        areas(shapely.box(0, 0, 5000, 5000))


def test_names_and_areas_of_different_number_are_refused():
    with pytest.raises(ValueError, match="应当相等"):
        export.geometries_to_geojson(["甲"], [TOWN, TOWN], {}, META)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(106.6, 106.7), st.floats(29.0, 29.1), st.floats(1e-5, 0.02)),
        min_size=1,
        max_size=25,
    )
)
def test_gaps_come_out_valid_with_seven_decimals_and_their_area(discs):
    x, y, radius = np.array(discs).T
    gap = TOWN.difference(shapely.union_all(shapely.buffer(shapely.points(x, y), radius)))
    geometry = areas(gap)["features"][0]["geometry"]
    if geometry is None:
        assert gap.area < 1e-6
        return
    assert decimals(geometry["coordinates"]) <= 7
    back = shapely.geometry.shape(geometry)
    assert back.is_valid
    assert back.area == pytest.approx(gap.area, abs=1e-7 * (gap.length + 1))
    assert all(ring.exterior.is_ccw for ring in shapely.get_parts(back))


# ---- Excel and CSV ------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1+1", '=HYPERLINK("x")']


def workbook(table: pd.DataFrame, name: str = "消火栓"):
    return openpyxl.load_workbook(io.BytesIO(export.to_excel({name: table}, META.info())))


def test_a_workbook_says_what_it_is_on_its_first_sheet():
    book = workbook(export.to_table(frame(), spec()))
    assert book.sheetnames == ["说明", "消火栓"]
    said = {row[0].value: row[1].value for row in book["说明"].iter_rows(min_row=2)}
    assert said["筛选条件"] == "街镇:石角镇"
    assert said["标准"] == "服务半径 150 米(自定值)"
    assert said["制作日期"] == "2026-11-22"
    assert "71号" in said["来源"]
    assert said["注意"] == "示意界线,非法定界线"


def test_a_sheet_has_types_a_frozen_header_filters_and_room_for_chinese():
    sheet = workbook(export.to_table(frame(["甲" * 12, "乙", "丙"]), spec()))["消火栓"]
    assert [one.value for one in sheet[1]] == [
        "编号", "名称", "年份", "经度", "纬度", "来源", "流量(升/秒)", "检查日期", "完好",
    ]  # fmt: skip
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:I4"
    assert sheet["C2"].value == 2025
    assert sheet["C2"].data_type == "n"
    assert sheet["C3"].value is None
    assert sheet["D2"].value == pytest.approx(106.6512346, abs=1e-9)
    assert sheet["G3"].value == 15.5
    assert sheet["H2"].value == datetime(2026, 3, 1)
    assert sheet["H2"].is_date
    assert sheet["I2"].value is True
    assert sheet["A1"].font.bold
    assert sheet.column_dimensions["B"].width >= 24


@pytest.mark.parametrize("text", FORMULAS)
def test_what_looks_like_a_formula_is_text_in_excel(text):
    sheet = workbook(pd.DataFrame({text: [text]}))["消火栓"]
    for cell in (sheet["A1"], sheet["A2"]):
        assert cell.data_type == "s"
        assert cell.quotePrefix
        assert cell.value == text.replace("\r", "\n")


@pytest.mark.parametrize("text", FORMULAS)
def test_what_looks_like_a_formula_is_text_in_csv(text):
    data = export.to_csv(pd.DataFrame({text: [text, "甲"], "数": [-1.5, 2.0]}))
    assert data.startswith(b"\xef\xbb\xbf")
    back = pd.read_csv(io.BytesIO(data))
    clean = "'" + text.replace("\r", "\n")
    assert back.columns[0] == clean
    assert back[clean].tolist() == [clean, "甲"]
    assert back["数"].tolist() == [-1.5, 2.0]


def test_names_like_markup_or_errors_stay_plain_text_in_excel():
    names = [XSS, "#N/A", "#1楼", "🚒", "甲\x07乙", "第一行\r\n第二行", "长" * 40_000]
    sheet = workbook(pd.DataFrame({"名称": names}))["消火栓"]
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert {one.data_type for one in cells} == {"s"}
    assert [one.value for one in cells] == [*names[:4], "甲乙", "第一行\n第二行", "长" * 32_767]


def test_numbers_that_are_none_leave_their_cells_empty():
    table = pd.DataFrame({"a": [np.nan, np.inf, -np.inf, 0.0], "b": pd.array([1, None, 3, 4], dtype="Int64")})
    rows = list(workbook(table)["消火栓"].iter_rows(min_row=2, values_only=True))
    assert rows == [(None, 1), (None, None), (None, 3), (0, 4)]
    assert export.to_csv(table).decode("utf-8-sig").splitlines()[1:] == [",1", ",", ",3", "0.0,4"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
@example(["0" * 27 + "𐀀"] * 2)
def test_any_sheet_name_becomes_one_that_excel_accepts(names):
    sheets = {f"{name}{' ' * i}": pd.DataFrame({"a": [1]}) for i, name in enumerate(names)}
    found = openpyxl.load_workbook(io.BytesIO(export.to_excel(sheets, {"内容": "甲"}))).sheetnames
    assert len(found) == len(sheets) + 1
    assert len({name.casefold() for name in found}) == len(found)
    for name in found:
        assert 0 < len(name.encode("utf-16-le")) // 2 <= 31
        assert not set(name) & set(r"[]:*?/\\")


# ---- names --------------------------------------------------------------------------------------


def test_a_file_name_says_what_and_when():
    name = export.file_name("綦江区", "医疗卫生", "未覆盖", when=WHEN, suffix="geojson")
    assert name == "綦江区_医疗卫生_未覆盖_20261122.geojson"
    assert export.file_name("", when=WHEN, suffix=".xlsx") == "导出_20261122.xlsx"
    assert export.file_name("CON.甲", when=WHEN, suffix="csv") == "_CON.甲_20261122.csv"
    assert (
        export.file_name("半径3.5 km: 城区/农村", when=WHEN, suffix="csv")
        == "半径3.5-km-城区-农村_20261122.csv"
    )


@given(st.lists(st.text(), max_size=5))
def test_any_file_name_is_safe(parts):
    name = export.file_name(*parts, when=WHEN, suffix="csv")
    assert len(name.encode()) <= 255
    assert name.endswith("_20261122.csv")
    assert not set(name) & set('<>:"/\\|?*\n\t\0')
    assert not name.startswith((".", "-", " "))
    assert name.isprintable()
