"""Vector files of every kind, with Chinese names and properties in the encodings of offices."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile

import geopandas as gpd
import pytest
import shapely

from qjmap import ingest
from qjmap.errors import DataError

FRAME = gpd.GeoDataFrame(
    {"名称": ["甲", "乙"], "数": [1.0, 2.5]},
    geometry=[shapely.Point(106.6, 28.8), shapely.Point(106.7, 28.9)],
    crs=4490,
)
KML = """<?xml version="1.0" encoding="{encoding}"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<NetworkLink><Link><href>http://example.invalid/x.kml</href></Link></NetworkLink>
<Placemark><name>甲</name><ExtendedData><Data name="类别"><value>水库</value></Data></ExtendedData>
<Point><coordinates>106.6,28.8,0</coordinates></Point></Placemark>
<Folder><Placemark><name>乙</name><Polygon><outerBoundaryIs><LinearRing><coordinates>
106,28 107,28 107,29 106,28</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Folder>
</Document></kml>"""


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def shapefile(folder, encoding: str, *, cpg: bool, stem: str = "资料/消火栓", crs=4490) -> bytes:
    FRAME.to_crs(crs).to_file(folder / "x.shp", encoding=encoding)
    files = {path.suffix: path.read_bytes() for path in folder.glob("x.*")}
    if not cpg:
        files.pop(".cpg", None)
    return zipped({stem + suffix: data for suffix, data in files.items()})


def refused(name: str, content: bytes) -> str:
    with pytest.raises(DataError) as caught:
        ingest.read(name, content)
    return str(caught.value)


def check(source: ingest.Source) -> None:
    assert source.table.frame["名称"].tolist() == ["甲", "乙"]
    assert source.table.frame["数"].tolist() == ["1", "2.5"]
    assert source.table.rows == (1, 2)
    assert [point.x for point in source.geometry] == pytest.approx([106.6, 106.7])


def test_geojson():
    (source,) = ingest.read("a.geojson", FRAME.to_json(to_wgs84=True).encode())
    check(source)
    assert source.crs == "EPSG:4326"


@pytest.mark.parametrize(
    ("encoding", "cpg"), [("UTF-8", True), ("GBK", True), ("GBK", False), ("UTF-8", False)]
)
def test_shapefiles_with_and_without_a_cpg(tmp_path, encoding, cpg):
    (source,) = ingest.read("a.zip", shapefile(tmp_path, encoding, cpg=cpg))
    check(source)
    assert source.name == "消火栓"
    assert "4490" in source.crs or "China Geodetic" in source.crs


def test_a_projected_shapefile_says_so(tmp_path):
    (source,) = ingest.read("a.zip", shapefile(tmp_path, "UTF-8", cpg=True, crs=4544))
    assert source.geometry[0].x > 100_000
    assert source.crs


@pytest.mark.parametrize("cpg", [True, False])
def test_names_and_texts_that_are_cut_within_a_character_are_read(tmp_path, cpg):
    """QGIS and ArcGIS Pro write UTF-8; ten bytes of a name are three characters and a third of the fourth."""
    names = {"AAAAAAAAAA": "使用状态", "BBBBBBBBBB": "消火栓编号", "CCCCCCCCCC": "消火栓名称"}
    frame = FRAME[["geometry"]].assign(
        AAAAAAAAAA=["甲", "乙"], BBBBBBBBBB="b", CCCCCCCCCC="c", LONG="x" * 254
    )
    frame.to_file(tmp_path / "x.shp", encoding="UTF-8")
    files = {one.name: one.read_bytes() for one in tmp_path.iterdir() if cpg or one.suffix != ".cpg"}
    for latin, own in names.items():
        files["x.dbf"] = files["x.dbf"].replace(latin.encode(), own.encode()[:10])
    files["x.dbf"] = files["x.dbf"].replace(b"x" * 254, ("长" * 85).encode()[:254])
    content = zipped(files)
    (source,) = ingest.read("a.zip", content)
    columns = source.table.frame
    assert "使用状" in columns
    assert columns["使用状"].tolist() == ["甲", "乙"]
    assert columns["消火栓"].tolist() + columns["消火_2"].tolist() == [
        "b",
        "b",
        "c",
        "c",
    ]  # the same after the cut
    assert columns["LONG"].tolist() == ["长" * 84] * 2
    assert any("10 个字节" in note and "使用状" in note for note in source.notes)


def test_a_table_of_properties_that_lies_about_itself_is_no_trap():
    for table in (b"", b"\x03" * 40, bytes(8) + b"\xff\xff\xff\xff" + bytes(40) + b"\r" * 9):
        assert "无法解析" in refused(
            "a.zip", zipped({"a.shp": b"\x00\x00\x27\x0a" + b"\x00" * 96, "a.dbf": table})
        )


def test_names_in_a_zip_written_as_gbk(tmp_path):
    content = shapefile(tmp_path, "UTF-8", cpg=True, stem="AB")
    name = "栓".encode("gbk")
    content = content.replace(b"AB.", name + b".")
    (source,) = ingest.read("a.zip", content)
    assert source.name == "栓"


def test_geopackage(tmp_path):
    FRAME.to_file(tmp_path / "x.gpkg", layer="消火栓")
    FRAME.to_file(tmp_path / "x.gpkg", layer="水池")
    sources = ingest.read("x.gpkg", (tmp_path / "x.gpkg").read_bytes())
    assert [one.name for one in sources] == ["消火栓", "水池"]
    check(sources[0])


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_kml_and_kmz(encoding):
    content = KML.format(encoding=encoding).encode(encoding)
    for name, data in {"a.kml": content, "a.kmz": zipped({"doc.kml": content})}.items():
        (source,) = ingest.read(name, data)
        assert source.table.frame["name"].tolist() == ["甲", "乙"]
        assert source.table.frame["类别"].tolist()[0] == "水库"
        assert [one.geom_type for one in source.geometry] == ["Point", "Polygon"]
        assert any("网络链接未读" in note for note in source.notes)


# ---- what is refused -------------------------------------------------------------------------------


def point(lon: str = "106.6", properties: str = "{}") -> bytes:
    geometry = f'{{"type":"Point","coordinates":[{lon},28.8]}}'
    feature = f'{{"type":"Feature","properties":{properties},"geometry":{geometry}}}'
    return f'{{"type":"FeatureCollection","features":[{feature}]}}'.encode()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b'{"a":' * 100 + b"1" + b"}" * 100, "嵌套超过 64 层"),
        (b"[" * 200_000, "嵌套超过 64 层"),
        (b'{"features": 3}', "FeatureCollection"),
        (b'{"type"', "无法解析"),
        (point("NaN"), "NaN"),
        (point("1e999"), "无穷"),
        (point('"x"'), "图形无法识别"),
        (point(properties='{"a":"' + "x" * 40_000 + '"}'), "32,767"),
    ],
)
def test_hostile_geojson(content, word):
    assert word in refused("a.geojson", content)


def test_more_corners_than_allowed(monkeypatch):
    monkeypatch.setattr("qjmap._limits.VERTICES", 100)
    ring = [[106 + n / 1000, 28] for n in range(200)] + [[106, 29], [106, 28]]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    content = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    assert "顶点" in refused("a.geojson", content)


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE kml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><kml><Placemark><name>&b;</name></Placemark></kml>',
        '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]><kml><Placemark><name>&x;</name></Placemark></kml>',
        '<!DOCTYPE kml SYSTEM "http://example.invalid/x.dtd"><kml/>',
    ],
)
def test_entities_in_kml(body):
    assert "DTD" in refused("a.kml", body.encode())


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("<kml>" + "<Folder>" * 100, "嵌套"),
        ("<kml><Placemark>", "无法解析"),
        ("<kml><Placemark><Point><coordinates>nan,1</coordinates></Point></Placemark></kml>", "NaN"),
        ("<kml><Placemark><Point><coordinates>a,1</coordinates></Point></Placemark></kml>", "坐标"),
        (
            "<kml><Placemark><LineString><coordinates>1,1</coordinates></LineString></Placemark></kml>",
            "顶点不足",
        ),
    ],
)
def test_broken_kml(body, word):
    assert word in refused("a.kml", body.encode())


def test_a_zip_without_a_table_or_with_another_content(tmp_path):
    assert "缺少 a.dbf" in refused("a.zip", zipped({"a.shp": b"\x00\x00\x27\x0a" + b"\x00" * 96}))
    vrt = b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/vsicurl/http://127.0.0.1:1/x</SrcDataSource>'
    assert "不是 Shapefile" in refused("a.zip", zipped({"a.shp": vrt, "a.dbf": b""}))
    broken = zipped({"a.shp": b"\x00\x00\x27\x0a" + b"\xff" * 96, "a.dbf": b"\xff" * 40})
    assert "无法解析" in refused("a.zip", broken)


def test_paths_out_of_a_zip_lead_nowhere(tmp_path):
    content = shapefile(tmp_path, "UTF-8", cpg=True, stem="../../../../tmp/out")
    (source,) = ingest.read("a.zip", content)
    check(source)
    assert source.name == "out"


def test_a_database_that_would_open_something_else(tmp_path):
    FRAME.to_file(tmp_path / "x.gpkg", layer="a")
    base = sqlite3.connect(tmp_path / "x.gpkg")
    base.execute("CREATE VIEW v AS SELECT * FROM a")
    base.commit()
    base.close()
    assert "视图或虚拟表" in refused("x.gpkg", (tmp_path / "x.gpkg").read_bytes())
    base = sqlite3.connect(tmp_path / "y.db")
    base.execute("CREATE TABLE a (b)")
    base.commit()
    base.close()
    assert "不是 GeoPackage" in refused("y.gpkg", (tmp_path / "y.db").read_bytes())
    assert "无法解析" in refused("z.gpkg", b"SQLite format 3\x00" + b"\xff" * 500)
