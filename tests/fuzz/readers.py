"""Fuzz what reads strangers' files with atheris: `python tests/fuzz/readers.py TARGET [libFuzzer's options] [CORPUS]`.

Whatever bytes come, a reader gives sources or a DataError, in bounded time and memory, runs no program and opens no
connection. Seeds are small sound files, made here. `make fuzz SECONDS=60` runs every target for so long.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import atheris

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

with atheris.instrument_imports(include=["qjmap", "xlrd", "defusedxml", "docxtpl", "jinja2"]):
    from qjmap import _gdal, _vector, bulletin, datum, draft, ingest, matching, report
    from qjmap.district import load_district
    from qjmap.errors import DataError

DISTRICT = load_district("qijiang", ROOT)
AROUND = draft.surroundings(DISTRICT)
HEADER, FIRST = "编号,名称,街镇,类别,经度,纬度,压力", "X1,广场栓,东溪镇,市政消火栓,106.66,28.77,0.25"


def walk(name: str, content: bytes) -> None:
    """Read a file and go the whole way that the page of imports goes."""
    try:
        sources = ingest.read(name, content)
    except DataError:
        return
    assert sources
    for source in sources[:2]:
        table = source.table
        assert len(table.rows) == len(table.frame)
        assert len(set(table.frame.columns)) == len(table.frame.columns)
        if zlib.crc32(content) % 4:  # the rest of the way takes twenty times as long
            continue
        spec = DISTRICT.registry.spec("hydrants" if source.geometry is None else "reservoirs")
        try:
            matches = matching.match(source, spec, tuple(DISTRICT.towns.index))
            columns = draft.coordinates(source, matches)
            readings = datum.readings(*columns, DISTRICT) if columns else []
            made = draft.prepare(source, spec, matches, readings[0] if readings else None, AROUND)
        except DataError:
            continue
        assert not (made.good & made.bad).any()
        assert set(made.rows).isdisjoint({one.row for one in made.problems})


# ---- targets ---------------------------------------------------------------------------------------


def archive(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in parts.items():
            packed.writestr(name, data)
    return out.getvalue()


def sheet_xml() -> bytes:
    rows = [line.split(",") for line in (HEADER, FIRST)]
    cells = (
        "".join(f'<c t="inlineStr"><is><t>{escape(one)}</t></is></c>' for one in row)
        + "<c><v>46000.5</v></c>"
        for row in rows
    )
    body = "".join(f'<row r="{n}">{row}</row>' for n, row in enumerate(cells, 1))
    merged = '<mergeCells><mergeCell ref="C2:C3"/></mergeCells>'
    return f"<worksheet><sheetData>{body}</sheetData>{merged}</worksheet>".encode()


WORKBOOK = {
    "xl/workbook.xml": b'<workbook xmlns:r="r"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": b'<R><Relationship Id="r1" Target="worksheets/sheet1.xml"/></R>',
    "xl/styles.xml": b'<s><numFmts><numFmt numFmtId="164" formatCode="yyyy"/></numFmts><cellXfs>'
    b'<xf numFmtId="164"/><xf numFmtId="14"/></cellXfs></s>',
    "xl/sharedStrings.xml": b"<sst><si><t>a</t></si><si><r><t>b</t></r><rPh><t>c</t></rPh></si></sst>",
    "xl/worksheets/sheet1.xml": sheet_xml(),
}


def xlsx(data: bytes) -> None:
    """The first byte says which part of a workbook the rest is; the highest values: the whole file."""
    if not data:
        return
    if data[0] > 250:
        walk("a.xlsx", data[1:])
        return
    part = list(WORKBOOK)[data[0] % len(WORKBOOK)]
    walk("a.xlsx", archive({**WORKBOOK, part: data[1:]}))


NAMES = (
    "row",
    "c",
    "v",
    "f",
    "is",
    "t",
    "r",
    "rPh",
    "mergeCell",
    "sheetData",
    "x:c",
    "si",
    "xf",
    "numFmt",
    "sheet",
)
VALUES = (
    *(
        "A1",
        "C3",
        "XFD1048576",
        "",
        "-1",
        "0",
        "1",
        "7",
        "99999999999",
        "s",
        "n",
        "b",
        "e",
        "str",
        "inlineStr",
        "d",
    ),
    *(
        "A1:B2",
        "B2:A1",
        "14",
        "164",
        "yyyy",
        "1e308",
        "1E999",
        "nan",
        "60",
        "2958465.9",
        "-0.5",
        "_x0041_",
        "_xD800_",
    ),
    *("东溪镇", "106.66", "28.77", "106°39′", "合计", "=1+1", "X1", "市政消火栓", "hidden", "1904"),
)


def cells(data: bytes) -> None:
    """A part of a workbook of well-formed elements: bytes choose names, attributes and texts."""
    given = atheris.FuzzedDataProvider(data)
    part = given.PickValueInList(["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"])
    body, open_ = ["<a><cellXfs>" if "styles" in part else "<a>"], ["a"]
    while given.remaining_bytes() and len(body) < 2000:
        match given.ConsumeIntInRange(0, 3):
            case 0 | 1 if len(open_) < 12:
                name = given.PickValueInList(list(NAMES))
                keys = [
                    one for one in ("r", "t", "s", "ref", "numFmtId", "formatCode") if given.ConsumeBool()
                ]
                said = "".join(f' {one}="{escape(given.PickValueInList(list(VALUES)))}"' for one in keys)
                body.append(f"<{name}{said}>")
                open_.append(name)
            case 2:
                body.append(escape(given.PickValueInList(list(VALUES))))
            case _ if len(open_) > 1:
                body.append(f"</{open_.pop()}>")
    end = "</cellXfs>" if "styles" in part else ""
    body += [f"</{one}>" for one in reversed(open_[1:])] + [end, "</a>"]
    walk("a.xlsx", archive({**WORKBOOK, part: "".join(body).encode()}))


def by_name(name: str) -> Callable[[bytes], None]:
    return lambda data: walk(name, data)


def shapefile() -> dict[str, bytes]:
    """Two points with a table of two fields."""

    def head(size: int) -> bytes:
        start = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, size // 2) + struct.pack("<2i", 1000, 1)
        return start + struct.pack("<8d", 106, 28, 107, 29, 0, 0, 0, 0)

    points = [(106.66, 28.77), (106.67, 28.78)]
    shapes = b"".join(
        struct.pack(">2i", n, 10) + struct.pack("<i2d", 1, *point) for n, point in enumerate(points, 1)
    )
    index = b"".join(struct.pack(">2i", (100 + 28 * n) // 2, 10) for n in range(2))
    fields = [("NAME", "C", 12, 0), ("P", "N", 8, 3)]
    described = b"".join(
        struct.pack("<11sc4xBB14x", key.encode(), kind.encode(), size, digits)
        for key, kind, size, digits in fields
    )
    rows = b"".join(b" " + "东溪镇".encode("gbk").ljust(12) + b"   0.250" for _ in points)
    length = 32 + len(described) + 1
    table = struct.pack("<4BIHH20x", 3, 120, 1, 1, 2, length, 21) + described + b"\r" + rows + b"\x1a"
    return {
        "a.shp": head(100 + len(shapes)) + shapes,
        "a.shx": head(100 + len(index)) + index,
        "a.dbf": table,
    }


POINTS = shapefile()


def in_this_process(
    name: str, files: Mapping[str, bytes], kind: str, encoding: str, title: str = ""
) -> tuple[ingest.Source, ...]:
    """Read as the child process does, without starting one: a process a file would leave a few files a second."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        try:
            _gdal.main(folder, "layer.shp", encoding, 0)
        except Exception as error:  # of the child process, which only it can take down
            raise DataError([]) from error
        layers = json.loads((folder / "layers.json").read_text("utf-8"))
        found = [_vector._layer(name, kind, folder, n, one, title) for n, one in enumerate(layers)]
    return tuple(one for one in found if one is not None)


def dbf(data: bytes) -> None:
    """The first byte says which part of a Shapefile the rest is."""
    if not data:
        return
    _vector._by_gdal, _gdal._bound = in_this_process, lambda _: None
    part = ("a.dbf", "a.dbf", "a.shp", "a.shx", "a.cpg", "a.prj")[data[0] % 6]
    walk("a.zip", archive({**POINTS, part: data[1:]}))


def template(data: bytes) -> None:
    """A Word template of one paragraph."""
    text = escape(data.decode("utf-8", "replace")).translate(dict.fromkeys(range(32)))
    paragraph = f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
    with zipfile.ZipFile(io.BytesIO(BLANK)) as blank:
        parts = {name: blank.read(name) for name in blank.namelist()}
    body = parts["word/document.xml"].decode()
    at = body.index("<w:sectPr")
    parts["word/document.xml"] = (body[:at] + paragraph + body[at:]).encode("utf-8", "replace")
    with contextlib.suppress(DataError):
        report.to_docx(SAID, PICTURE, archive(parts))


def blank_document() -> bytes:
    import docx

    out = io.BytesIO()
    docx.Document().save(out)
    return out.getvalue()


def picture() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (16, 20)).save(out, "PNG")
    return out.getvalue()


BLANK = blank_document()
SAID = bulletin.Bulletin(
    *("方格区通报", "按2020年", "", date(2026, 1, 1), "", "", "方格区", ""),
    paragraphs=("现通报如下。",),
    findings=(bulletin.Section("一、情况", ("短缺2条。",)),),
    map_title="短缺图",
    map_notes=("示意",),
    rows=(),
    sources=("《规划》",),
    errata=(),
    notes=("无",),
)
PICTURE = picture()

TEMPLATES = (
    "{{ title }}",
    "{% for one in findings %}{{ one }}{% endfor %}",
    "{{ ''.__class__.__mro__ }}",
    "{{ map.tpl }}",
    "{% set a = title|upper %}{{ a[0:2] }}",
    "{{ cycler.__init__.__globals__.os.system('x') }}",
    "{% if title is string %}{{ title|replace('a', 'b') }}{% endif %}",
)
GEOJSON = {
    "type": "FeatureCollection",
    "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}},
    "features": [
        {"type": "Feature", "properties": {"名称": "甲", "n": 1.5}, "geometry": one}
        for one in (
            {"type": "Point", "coordinates": [106.66, 28.77]},
            {"type": "Polygon", "coordinates": [[[106, 28], [107, 28], [107, 29], [106, 28]]]},
            None,
        )
    ],
}
KML = (
    "<kml><Document><Folder><Placemark><name>甲</name><description>&lt;b&gt;</description><ExtendedData>"
    '<Data name="街镇"><value>东溪镇</value></Data></ExtendedData><MultiGeometry><Point><coordinates>106.66,28.77'
    "</coordinates></Point><Polygon><outerBoundaryIs><LinearRing><coordinates>106,28 107,28 107,29 106,28"
    "</coordinates></LinearRing></outerBoundaryIs></Polygon></MultiGeometry></Placemark></Folder></Document></kml>"
)
XLS = (ROOT / "tests" / "data" / "register.xls").read_bytes()

#: Target → what reads, seeds.
TARGETS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "xlsx": (
        xlsx,
        [*(bytes([n]) + part for n, part in enumerate(WORKBOOK.values())), b"\xff" + archive(WORKBOOK)],
    ),
    "cells": (cells, [bytes(range(n, 250)) for n in (0, 40, 120)]),
    "zip": (by_name("a.xlsx"), [archive(WORKBOOK)]),
    "xls": (by_name("a.xls"), [XLS]),
    "csv": (
        by_name("a.csv"),
        [
            f"{HEADER}\n{FIRST}\n".encode(),
            f'\ufeff标题\n{HEADER}\n"X2","a""b",东溪镇,市政消火栓,"106°39′",28.7,"0,2"\n'.encode(),
            f"{HEADER}\n{FIRST}\n".encode("gb18030"),
            f"{HEADER}\n{FIRST}\n".replace(",", "\t").encode("utf-16"),
        ],
    ),
    "geojson": (by_name("a.geojson"), [json.dumps(GEOJSON, ensure_ascii=False).encode()]),
    "kml": (by_name("a.kml"), [KML.encode(), b'<?xml version="1.0" encoding="gbk"?>' + KML.encode("gbk")]),
    "dbf": (dbf, [bytes([0]) + POINTS["a.dbf"], bytes([2]) + POINTS["a.shp"], bytes([3]) + POINTS["a.shx"]]),
    "template": (template, [one.encode() for one in TEMPLATES]),
}

WORDS = re.compile(rb"<[^<>]{1,30}>|[A-Za-z_][A-Za-z0-9_.:]{1,20}|[{}\\[\\]%|\"',:]{2,4}")
FORBIDDEN = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "socket.connect",
    "socket.getaddrinfo",
)


def forbid(event: str, arguments: tuple[object, ...]) -> None:
    """Nothing that is read may run a program or ask the network."""
    if event in FORBIDDEN:
        raise SystemError(f"{event} {arguments}")


def main() -> None:
    name, *options = sys.argv[1:]
    target, seeds = TARGETS[name]
    found = [one for one in options if Path(one).is_file()]
    for one in found:  # what an earlier run found, once more
        target(Path(one).read_bytes())
    if found:
        return
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(seeds):
            target(seed)
            (corpus / f"seed{number}").write_bytes(seed)
        words = sorted({word for seed in seeds for word in WORDS.findall(seed)})
        known = Path(place) / "words"
        known.write_text("\n".join('"' + "".join(f"\\x{c:02x}" for c in word) + '"' for word in words))
        sys.addaudithook(forbid)
        bounds = ["-max_len=16384", "-len_control=0", "-timeout=30", "-rss_limit_mb=4000", f"-dict={known}"]
        atheris.Setup([sys.argv[0], *bounds, *options, str(corpus)], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
