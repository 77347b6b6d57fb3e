"""Files made to do harm: each refused or made harmless with words, within bounds; and whatever bytes come."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
import struct
import tracemalloc
import zipfile

import geopandas as gpd
import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from qjmap import _excel, _limits, _lonlat, _vector, datum, draft, ingest, matching, outlines, workbooks
from qjmap.checks import check
from qjmap.district import load_district
from qjmap.errors import DataError

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def workbook(*rows) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


PLAIN = workbook(["编号", "名称", "经度", "纬度"], ["1", "甲", 106.65, 28.88], ["2", "乙", 106.66, 28.89])


def changed(changes: dict[str, bytes | None], base: bytes = PLAIN) -> bytes:
    """The workbook with some of its parts replaced, added, or (None) left out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(base)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, data in changes.items():
            if data is not None:
                new.writestr(name, data)
    return out.getvalue()


def sheet(rows: str) -> bytes:
    return changed(
        {"xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode()}
    )


def spent() -> float:
    """Give the seconds of work of this process and of those it has started; what else the machine does costs none."""
    return sum(os.times()[:4])


def refused(name: str, content: bytes, seconds: float = 20) -> str:
    started = spent()
    with pytest.raises(DataError) as caught:
        ingest.read(name, content)
    assert spent() - started < seconds
    assert all(one.file.startswith(name.split(".")[0]) for one in caught.value.problems)
    return str(caught.value)


# ---- size ------------------------------------------------------------------------------------------


def test_a_large_file_is_refused_before_it_is_looked_at():
    assert "不大于 100 MB" in refused("a.csv", b"a" * 100_000_001, 2)


def test_a_zip_bomb_is_stopped_while_it_comes_out():
    bomb = changed({"xl/worksheets/sheet1.xml": b"<worksheet>" + b" " * 300_000_000})
    assert len(bomb) < 1_000_000
    tracemalloc.start()
    try:
        assert "解压后超过" in refused("a.xlsx", bomb)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


def test_sizes_that_a_zip_claims_are_not_believed():
    for at in (20, 24):  # packed and unpacked size in the directory: 3 GB, it says
        content = bytearray(PLAIN)
        struct.pack_into("<I", content, content.rindex(b"PK\x01\x02") + at, 3_000_000_000)
        refused_any("a.xlsx", bytes(content))


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_ways_of_packing_that_no_workbook_has(packing):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as packed:
        packed.writestr("xl/workbook.xml", b"<a/>")
    assert "压缩方式" in refused("a.xlsx", out.getvalue())


def test_more_members_than_any_workbook_has():
    assert "个文件" in refused("a.zip", b"PK\x03\x04" + b"PK\x01\x02" * 20_000, 2)


def test_too_many_rows_columns_and_characters(monkeypatch):
    monkeypatch.setattr(_limits, "ROWS", 10)
    assert "超过 10 行" in refused("a.csv", b"a,b\n" + b"1,2\n" * 11)
    assert "超过 10 行" in refused("a.xlsx", workbook(["a", "b"], *[["1", "2"]] * 11))
    assert "301 列" in refused("a.csv", ",".join(f"c{n}" for n in range(301)).encode())
    assert "第 400 列" in refused(
        "a.xlsx", sheet('<row r="1"><c r="OJ1" t="inlineStr"><is><t>x</t></is></c></row>')
    )
    huge = "x" * 32_768
    cell = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{huge}</t></is></c></row>'
    assert "32,768 个字符" in refused("a.xlsx", sheet(cell))
    assert "32,767" in refused("a.csv", f"a\n{'x' * 140_000}\n".encode())


def many_sheets(count: int, *rows) -> bytes:
    book = Workbook()
    for _ in range(count):
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(("limit", "word"), [("ROWS", "超过 10 行"), ("CELLS", "超过 10 个单元格")])
def test_the_limits_hold_for_the_sum_of_the_sheets(monkeypatch, limit, word):
    monkeypatch.setattr(_limits, limit, 10)
    content = many_sheets(3, ["a"], *[["1"]] * 4)
    words = refused("a.xlsx", content)
    assert word in words
    assert "各表合计" in words
    monkeypatch.setattr(_limits, limit, 12)
    assert len(ingest.read("a.xlsx", content)) == 3


def test_one_long_text_in_every_cell_is_stopped_before_it_fills_the_memory():
    """A few thousand bytes: one shared string of the greatest length, named in 200,000 cells of two sheets."""
    strings = f"<sst><si><t>a</t></si><si><t>{'x' * 32_000}</t></si></sst>"
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>1</v></c></row>' for n in range(2, 100_000))
    head = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    body = f"<worksheet><sheetData>{head}{rows}</sheetData></worksheet>".encode()
    content = changed(
        {
            "xl/sharedStrings.xml": strings.encode(),
            "xl/worksheets/sheet1.xml": body,
            "xl/worksheets/sheet2.xml": body,
        },
        many_sheets(1, ["a"]),
    )
    tracemalloc.start()
    try:
        assert "MB 文字" in refused("a.xlsx", content)
        assert tracemalloc.get_traced_memory()[1] < 3 * _limits.TEXT
    finally:
        tracemalloc.stop()


def test_blank_cells_without_end_cost_nothing():
    blank = '<row r="9"><c r="XFD9" s="1"/></row>' * 1000
    head = '<row r="1"><c t="inlineStr"><is><t>a</t></is></c></row>'
    (source,) = ingest.read("a.xlsx", sheet(head + blank))
    assert tuple(source.table.rows) == ()


def test_a_row_without_end_is_not_taken_apart(monkeypatch):
    monkeypatch.setattr(_limits, "RECORD", 10_000)
    for content in (b"a,b\n" + b"," * 20_000, b"," * 20_000, b"a,b\n" + b'"\n",' * 3000):
        assert "一行过长" in refused("a.csv", content)
    assert len(ingest.read("a.csv", b"a,b\n" + b"1,2\n" * 6000)[0].table.rows) == 6000


def test_blank_rows_without_end_are_given_up(monkeypatch):
    monkeypatch.setattr(_limits, "LINES", 4000)
    assert "含空行" in refused("a.csv", b"a,b\n" + b"\n" * 6000)
    assert "含空行" in refused("a.xlsx", sheet("<row/>" * 6000))


def test_what_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(_limits, "SECONDS", 0.0)
    for name, content in {
        "a.xlsx": PLAIN,
        "a.csv": b"a,b\n" + b"1,2\n" * 6000,
        "a.kml": b"<kml><Placemark/></kml>",
    }.items():
        assert "秒内读不完" in refused(name, content)


@pytest.mark.parametrize(
    ("limit", "value", "changes", "word"),
    [
        (
            "SHEETS",
            2,
            {"xl/workbook.xml": b'<w xmlns:r="r">' + b'<sheet name="a" r:id="rId1"/>' * 3 + b"</w>"},
            "3 张",
        ),
        ("STYLES", 9, {"xl/styles.xml": b"<s><cellXfs>" + b"<xf/>" * 20 + b"</cellXfs></s>"}, "样式过多"),
        ("CELLS", 9, {"xl/sharedStrings.xml": b"<sst>" + b"<si/>" * 20 + b"</sst>"}, "共享字符串过多"),
        (
            "TEXT",
            900,
            {"xl/sharedStrings.xml": b"<sst>" + "<si><t>消火栓</t></si>".encode() * 120 + b"</sst>"},
            "共享字符串过长",
        ),
        (
            "MEMBERS",
            12,
            {
                "xl/_rels/workbook.xml.rels": b"<R>"
                + b"".join(b'<Relationship Id="r%d" Target="x"/>' % n for n in range(20))
                + b"</R>"
            },
            "部件过多",
        ),
    ],
)
def test_more_parts_than_any_workbook_has(monkeypatch, limit, value, changes, word):
    content = changed(changes)
    monkeypatch.setattr(_limits, limit, value)
    assert word in refused("a.xlsx", content)


def test_a_cell_of_many_pieces_is_stopped_while_it_comes(monkeypatch):
    monkeypatch.setattr(_excel, "_LONGEST", 10)
    pieces = "<r><t>x</t></r>" * 20
    assert "单元格过长" in refused(
        "a.xlsx", sheet(f'<row r="1"><c t="inlineStr"><is>{pieces}</is></c></row>')
    )
    strings = f"<sst><si>{pieces}</si></sst>".encode()
    assert "单元格过长" in refused("a.xlsx", changed({"xl/sharedStrings.xml": strings}))
    monkeypatch.setattr(_excel, "_OTHERS", 10)
    assert "不像工作表" in refused("a.xlsx", sheet("<a/>" * 20))


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"])
def test_elements_within_elements_without_end(part):
    assert "嵌套" in refused("a.xlsx", changed({part: b"<a>" * 100_000}))


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":"' + b'\\"' * 400_000,
        b'{"a":"' + b'"' * 400_001,
        b'"' + b"\\" * 400_001,
        b'{"a":"' + b"x" * 10**6,
    ],
)
def test_quotes_that_do_not_close_are_looked_at_once(text):
    refused("a.geojson", text, 5)


def test_more_values_than_memory_holds(monkeypatch):
    monkeypatch.setattr(_limits, "VALUES", 100)
    assert "内容过多" in refused("a.geojson", b'{"type":"FeatureCollection","x":[' + b"1," * 200 + b"1]}")


def kml(body: str) -> bytes:
    return f"<kml><Document>{body}</Document></kml>".encode()


def test_one_endless_tag_is_not_looked_at_again_and_again():
    tag = b"<kml " + b" ".join(b'a%d="1"' % n for n in range(400_000)) + b"/>"
    assert "没有内容" in refused("a.kml", tag, 10)
    assert "单元格过长" in refused("a.xlsx", sheet(f'<row r="1"><c><v>{"1" * 3_000_000}</v></c></row>'))


def test_kml_made_to_take_long_or_much(monkeypatch):
    marked = kml(f"<Placemark><description><![CDATA[{'<' * 500_000}]]></description></Placemark>")
    started = spent()
    ingest.read("a.kml", marked)
    assert spent() - started < 5
    monkeypatch.setattr(_vector, "_LUMP", 1 << 14)  # no more than a lump of it is held at a time
    tracemalloc.start()
    try:
        assert "没有内容" in refused("a.kml", kml("<a/>" * 200_000))
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    # areas within areas are one shape, not as many times its corners
    ring = "<coordinates>106,28 107,28 107,29 106,28</coordinates>"
    (source,) = ingest.read(
        "a.kml", kml(f"<Placemark>{'<Polygon>' * 20}{ring}{'</Polygon>' * 20}</Placemark>")
    )
    assert source.geometry[0].geom_type == "Polygon"
    monkeypatch.setattr(_limits, "VERTICES", 100)
    many = f"<Placemark><Point><coordinates>{'1,2 ' * 200}</coordinates></Point></Placemark>"
    assert "顶点过多" in refused("a.kml", kml(many))
    assert "过于复杂" in refused("a.kml", kml(f"<Placemark>{'<a/>' * 200}</Placemark>"))
    small = "<Placemark><name>a</name><Point><coordinates>106,28</coordinates></Point></Placemark>"
    assert (
        len(ingest.read("a.kml", kml(small * 100))[0].table.rows) == 100
    )  # what is bounded is each, not all
    monkeypatch.setattr(_vector, "_ELEMENTS", 1000)
    assert "元素过多" in refused("a.kml", kml("<a/>" * 12_000))


def database(tmp_path) -> bytes:
    frame = gpd.GeoDataFrame({"name": ["甲"]}, geometry=[shapely.Point(106.6, 28.8)], crs=4490)
    frame.to_file(tmp_path / "x.gpkg", layer="a")
    return (tmp_path / "x.gpkg").read_bytes()


def test_a_database_that_says_too_much(tmp_path, monkeypatch):
    content = database(tmp_path)
    (source,) = ingest.read("x.gpkg", content)
    assert source.table.frame["name"].tolist() == ["甲"]
    with monkeypatch.context() as change:
        change.setattr(_vector, "_SQL", 100)
        assert "完好的 .gpkg" in refused("x.gpkg", content)
    with monkeypatch.context() as change:
        change.setattr(_limits, "UNPACKED_BYTES", 100)
        assert "内容过多" in refused("x.gpkg", content)


def test_a_column_that_makes_its_own_content_is_stopped_in_the_child(tmp_path, monkeypatch):
    database(tmp_path)
    base = sqlite3.connect(tmp_path / "x.gpkg")
    base.execute("ALTER TABLE a ADD COLUMN z TEXT GENERATED ALWAYS AS (hex(zeroblob(499999999))) VIRTUAL")
    base.commit()
    base.close()
    monkeypatch.setattr(_vector, "_MEMORY", 1_200_000_000)
    assert "无法解析" in refused("x.gpkg", (tmp_path / "x.gpkg").read_bytes(), 70)


def shapefile(tmp_path, **edit) -> bytes:
    frame = gpd.GeoDataFrame({"name": ["甲", "乙"]}, geometry=[shapely.Point(106.6, 28.8)] * 2, crs=4490)
    frame.to_file(tmp_path / "x.shp", encoding="UTF-8")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for suffix in ("shp", "shx", "dbf", "cpg"):
            data = bytearray((tmp_path / f"x.{suffix}").read_bytes())
            for at, form, *values in edit.get(suffix, ()):
                struct.pack_into(form, data, at, *values)
            packed.writestr(f"x.{suffix}", bytes(data[: edit.get("cut", {}).get(suffix)]))
    return out.getvalue()


@pytest.mark.parametrize(
    "edit",
    [
        {"dbf": [(4, "<I", 0x7FFFFFFF)]},
        {"dbf": [(4, "<IHH", 0x7FFFFFFF, 65, 0xFFFF)]},
        {"dbf": [(8, "<HH", 0, 0)]},
        {"shp": [(24, ">i", 0x7FFFFFFF)], "shx": [(24, ">i", 0x7FFFFFFF)]},
        {"shx": [(100, ">ii", 0x7FFFFFF0, 0x7FFFFFF0)]},
        {"cut": {"dbf": 20}},
        {"cut": {"shp": 110, "shx": 104}},
    ],
)
def test_a_shapefile_that_lies_about_its_size(tmp_path, edit):
    refused_any("x.zip", shapefile(tmp_path, **edit))


def test_files_cut_short(tmp_path):
    whole = {"a.xlsx": PLAIN, "a.geojson": geojson(), "a.kml": kml("<Placemark><name>a</name></Placemark>")}
    for name, content in whole.items():
        for length in range(1, len(content), max(1, len(content) // 25)):
            refused_any(name, content[:length])
    for name, content in {"x.gpkg": database(tmp_path), "x.zip": shapefile(tmp_path)}.items():
        for length in (100, len(content) // 2, len(content) - 30):
            refused_any(name, content[:length])


def geojson(*shapes, properties: str = '{"n": 1}') -> bytes:
    features = [
        f'{{"type":"Feature","properties":{properties},"geometry":{shapely.to_geojson(one)}}}'
        for one in shapes or (shapely.Point(106.6, 28.8),)
    ]
    return f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}'.encode()


def test_shapes_without_a_single_property_go_the_whole_way(qijiang):
    """Found by fuzzing: there was no first column to look for sums in."""
    for key in ("reservoirs", "reservoir_zones"):
        shape = shapely.Point(106.6, 28.8) if key == "reservoirs" else shapely.box(106.6, 28.8, 106.61, 28.81)
        (source,) = ingest.read("a.geojson", geojson(shape, properties="{}"))
        spec = qijiang.registry.spec(key)
        made = draft.prepare(source, spec, matching.match(source, spec), None, draft.surroundings(qijiang))
        assert made.bad.all()


def test_archives_within_archives_and_of_two_faces():
    inner = changed({})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("a.xlsx", inner)
    assert "没有可读的内容" in refused("a.zip", out.getvalue())
    # two entries of one place, as bombs that overlap have; and two of one name
    content = bytearray(PLAIN)
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    refused_any("a.xlsx", bytes(content))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "a") as packed:
        packed.writestr("a.xlsx", inner)
    assert "同名文件" in refused("a.zip", out.getvalue())


# ---- what is inside --------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["xl/vbaProject.bin", "xl/macrosheets/sheet1.xml", "XL/VBAPROJECT.BIN"])
def test_macros_are_refused_with_advice(part):
    words = refused("a.xlsx", changed({part: b"x"}))
    assert "宏" in words
    assert "另存为" in words


def test_macros_of_an_old_workbook():
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600 + "_VBA_PROJECT_CUR".encode("utf-16-le")
    assert "宏" in refused("a.xls", content)


def test_a_password_is_told():
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le")
    assert "密码" in refused("a.xlsx", content)


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"])
def test_entities_in_a_workbook(part):
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    assert "DTD" in refused("a.xlsx", changed({part: laughs}))


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml", "xl/styles.xml"]
)
def test_broken_parts_are_told(part):
    assert "无法解析" in refused("a.xlsx", changed({part: b"<a><b>"}))


def test_a_target_outside_the_archive_is_nothing():
    rels = b'<R><Relationship Id="rId1" Target="../../../../etc/passwd"/><Relationship Id="rId2" TargetMode="External" Target="http://127.0.0.1:1/"/></R>'
    assert "没有内容" in refused("a.xlsx", changed({"xl/_rels/workbook.xml.rels": rels}))


@pytest.mark.parametrize(
    "cells",
    [
        '<c r="A1" t="s"><v>99</v></c>',
        '<c r="A1" t="s"><v>-1</v></c>',
        '<c r="A1" t="s"><v>99999999999999999999</v></c>',
    ],
)
def test_strings_that_are_not_there(cells):
    assert "共享字符串" in refused("a.xlsx", sheet(f'<row r="1">{cells}</row>'))


def test_odd_numbers_and_places_are_text_or_nothing():
    row = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'
        '<row r="99999999999"><c r="A2"><v>NaN</v></c><c r="??" s="zz"><v>1e999</v></c></row>'
        '<row><c r="A3" s="99999999"><v>1</v></c></row>'
    )
    (source,) = ingest.read("a.xlsx", sheet(row))
    assert source.table.frame["a"].tolist() == ["NaN", "1"]


def test_half_a_character_breaks_nothing(qijiang):
    """Found by fuzzing: a column's name of which no text can be made."""
    halves = ["_xD800_", "_xD83D__xDE00_", "a_xDFFF_"]
    cells = "".join(f'<c t="inlineStr"><is><t>{one}</t></is></c>' for one in halves)
    (source,) = ingest.read("a.xlsx", sheet(f'<row r="1">{cells}</row><row r="2">{cells}</row>'))
    assert list(source.table.frame.columns) == ["\ufffd", "\U0001f600", "a\ufffd"]
    (source,) = ingest.read("a.geojson", geojson(properties='{"\\ud800": "\\udfff", "n": 1}'))
    assert source.table.frame.to_dict("list") == {"?": ["?"], "n": ["1"]}
    spec = qijiang.registry.spec("hydrants")
    draft.prepare(source, spec, matching.match(source, spec), None, draft.surroundings(qijiang))


def test_formulas_give_their_value_and_never_run(qijiang):
    row = (
        '<row r="1"><c t="inlineStr"><is><t>编号</t></is></c><c t="inlineStr"><is><t>名称</t></is></c></row>'
        '<row r="2"><c r="A2"><f>cmd|"/c calc"!A0</f><v>7</v></c>'
        '<c r="B2" t="str"><f>HYPERLINK("http://x")</f><v>=1+1</v></c></row>'
    )
    content = sheet(row)
    (source,) = ingest.read("a.xlsx", content)
    assert source.table.frame.iloc[0].tolist() == ["7", "=1+1"]
    spec = qijiang.registry.spec("hydrants")
    made = draft.prepare(source, spec, matching.match(source, spec), None, draft.surroundings(qijiang))
    back = load_workbook(
        io.BytesIO(workbooks._afresh([(source, workbooks._by_row(made)[source.table.file])]))
    ).worksheets[0]
    assert back["B2"].data_type == "s"


def test_markup_in_names_is_told_and_kept_as_text(qijiang):
    content = "编号,名称,街镇,类别,状态\n1,<script>alert(1)</script>,东溪镇,市政消火栓,现状\n".encode()
    (source,) = ingest.read("a.csv", content)
    spec = qijiang.registry.spec("hydrants")
    made = draft.prepare(source, spec, matching.match(source, spec), None, draft.surroundings(qijiang))
    assert made.frame["name"].tolist() == ["<script>alert(1)</script>"]
    assert any("不会执行" in one.advice for one in made.warnings)


def test_characters_that_cannot_be_seen_are_taken_out_or_told(qijiang):
    content = (
        "编号,名称,街镇,类别,状态\n1,东溪\u202e镇,,市政消火栓,现状\n2,\u0007栓,,市政消火栓,现状\n".encode()
    )
    (source,) = ingest.read("a.csv", content)
    spec, around = qijiang.registry.spec("hydrants"), draft.surroundings(qijiang)
    matches = matching.match(source, spec)
    made = draft.prepare(source, spec, matches, None, around)
    assert [(one.row, one.new) for one in made.repairs] == [(2, "东溪镇"), (3, "栓")]
    kept = draft.prepare(source, spec, matches, None, around, refused_repairs={"control"})
    assert [one.row for one in kept.warnings if "看不见的控制字符" in one.advice] == [2, 3]


def test_names_of_files_lose_their_folders():
    words = refused("../../<b>x</b>\u202e.exe", b"MZ").split(":")[0]
    assert ".." not in words
    assert "\u202e" not in words


def refused_any(name: str, content: bytes) -> None:
    """Whatever comes, an answer: sources or a DataError with a problem in it."""
    try:
        sources = ingest.read(name, content)
    except DataError as error:
        said = str(error)
    else:
        said = "read"
        _whole(sources)
    assert said


def _whole(sources) -> None:
    for one in sources:
        assert len(one.table.rows) == len(one.table.frame)
        assert len(set(one.table.frame.columns)) == len(one.table.frame.columns)


# ---- whatever comes --------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["a.xlsx", "a.xls", "a.csv", "a.geojson", "a.kml", "a.kmz", "a.zip", "a.gpkg", "a", "\x00.csv"]
)
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
STARTS = st.sampled_from([b"", b"PK\x03\x04", OLE2, b"{", b"<kml>", b"<?xml ", b"\xff\xfe", b"\xef\xbb\xbf"])


@given(NAMES, STARTS, st.binary(max_size=400))
@QUICK
def test_arbitrary_bytes_under_any_name(name, start, rest):
    refused_any(name, start + rest)


NAMELESS = PLAIN.rindex(b"PK\x01\x02") + 28


@given(st.integers(0, len(PLAIN) - 1), st.binary(min_size=1, max_size=8))
@example(NAMELESS, b"\x00")  # a member without a name
@QUICK
def test_a_workbook_with_some_bytes_changed(at, junk):
    refused_any("a.xlsx", PLAIN[:at] + junk + PLAIN[at + len(junk) :])


XML = st.text(alphabet='<>/="rctsvf A1B2:0 9.&;é綦is', max_size=120)


@given(
    st.sampled_from(["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml"]),
    XML,
)
@QUICK
def test_a_workbook_with_a_part_of_junk(part, text):
    refused_any("a.xlsx", changed({part: text.encode()}))


ODD = [
    "=1+1",
    "#N/A",
    "1e999",
    "nan",
    "-0",
    "\uff11\uff12",
    "1,000",
    "106°39′",
    "合计",
    "示例-1",
    "\x1c",
    "\u3000",
]
CELL = st.one_of(
    st.none(), st.text(max_size=12), st.sampled_from(ODD), st.integers(-(10**20), 10**20), st.floats()
)
LAYERS = st.sampled_from(["hydrants", "highrises", "villages"])
DISTRICT = load_district()
AROUND = draft.surroundings(DISTRICT)


@given(st.lists(st.lists(CELL, min_size=1, max_size=6), min_size=1, max_size=8), LAYERS)
@example([["编号", "编号"], ["1"]], "hydrants")
@settings(QUICK, max_examples=80)
def test_whatever_stands_in_a_table_the_whole_way_is_walked(rows, key):
    """Read, match, place, repair, check, keep and give back: nothing but DataError on the way, and rows add up."""
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    content = out.getvalue().encode("utf-8", "replace")
    try:
        (source,) = ingest.read("a.csv", content)
    except DataError:
        return
    spec = DISTRICT.registry.spec(key)
    # Whatever the columns are called, the hardest are made of them.
    hardest = dict(zip(["lon", "lat", "town", "id", "population"], source.table.frame.columns, strict=False))
    wanted = {one: name for one, name in hardest.items() if one in spec.columns}
    matches = matching.chosen(matching.match(source, spec, tuple(DISTRICT.towns.index)), wanted)
    columns = draft.coordinates(source, matches)
    readings = datum.readings(*columns, DISTRICT) if columns else []
    made = draft.prepare(source, spec, matches, readings[0] if readings else None, AROUND)
    assert not (made.good & made.bad).any()
    assert len(made.frame) == made.good.sum() == len(made.rows)
    assert set(made.rows).isdisjoint({one.row for one in made.problems})
    kept = ingest.parse_csv(draft.to_register(made.frame, spec), "x")
    assert check(kept, spec, AROUND.context).problems == ()
    workbooks.returned("a.csv", content, made)


TEXT = st.one_of(st.none(), CELL.map(str))


@given(st.lists(TEXT, max_size=8), st.lists(TEXT, max_size=8))
@settings(QUICK, max_examples=100)
def test_whatever_stands_in_columns_of_coordinates(left, right):
    for cells in (left, right):
        numbers, marked = _lonlat.parse(cells)
        assert len(numbers) == len(marked) == len(cells)
    size = min(len(left), len(right))
    for one in datum.readings(left[:size], right[:size], DISTRICT):
        assert 0 <= one.share_inside <= 1
        assert len(one.lon) == len(one.lat) == size


@given(
    st.lists(st.text(max_size=20), min_size=1, max_size=12, unique=True), st.lists(CELL, max_size=5), LAYERS
)
@settings(QUICK, max_examples=60)
def test_whatever_columns_are_called(names, cells, key):
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([names, *[[one] * len(names) for one in cells]])
    try:
        (source,) = ingest.read("a.csv", out.getvalue().encode("utf-8", "replace"))
    except DataError:
        return
    spec = DISTRICT.registry.spec(key)
    found = matching.match(source, spec, tuple(DISTRICT.towns.index))
    assert {one.column for one in found.values()} <= set(source.table.frame.columns)
    # an address may place a record without being kept
    assert found.keys() <= {*spec.columns, matching.ADDRESS}


NUMBER = st.one_of(st.floats(106, 107), st.floats(28, 29), st.floats(allow_nan=False), st.integers(-200, 200))
RINGS = st.lists(st.tuples(NUMBER, NUMBER), min_size=3, max_size=8)


@given(
    st.lists(st.tuples(st.sampled_from([*DISTRICT.towns.index, "", "甲镇"]), RINGS), min_size=1, max_size=4)
)
@settings(QUICK, max_examples=40)
def test_whatever_lines_are_given_as_boundaries(areas):
    features = [
        {
            "type": "Feature",
            "properties": {"名称": name},
            "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        }
        for name, ring in areas
    ]
    try:
        (source,) = ingest.read(
            "a.geojson", json.dumps({"type": "FeatureCollection", "features": features}).encode()
        )
        found = outlines.official(source, DISTRICT, "名称", repair=True)
    except DataError:
        return
    assert found.problems  # four areas are never the whole district


WORDS = ["type", "coordinates", "geometry", "properties", "features", "geometries"]
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.floats(),
        st.text(max_size=6),
        st.sampled_from(["Point", "Polygon", "Feature"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON, JSON, JSON)
@QUICK
def test_whatever_stands_in_geojson(geometry, properties, crs):
    feature = {"type": "Feature", "geometry": geometry, "properties": properties}
    refused_any(
        "a.geojson", json.dumps({"type": "FeatureCollection", "features": [feature], "crs": crs}).encode()
    )


def test_a_polygon_of_a_million_corners_is_read_and_checked_in_time():
    import numpy as np

    angle = np.linspace(0, 2 * np.pi, 1_000_000)
    ring = np.column_stack([106.6 + np.cos(angle) / 10, 28.8 + np.sin(angle) / 10]).tolist()
    ring[-1] = ring[0]
    feature = {
        "type": "Feature",
        "properties": {"名称": "圆"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    content = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    started = spent()
    (source,) = ingest.read("a.geojson", content)
    assert spent() - started < 60
    assert source.geometry.is_valid.all()
