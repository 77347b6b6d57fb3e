"""Vector files in: GeoJSON and KML read by our own hands, Shapefile and GeoPackage by GDAL in a process of its own.

GDAL opens whatever a file asks for, addresses on the network too, and a broken file can take the process down. So it
sees only files whose first bytes are those of a Shapefile or a GeoPackage, under names of ours, in a bounded process.
"""

from __future__ import annotations

import io
import json
import math
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import shapely
from defusedxml.common import DefusedXmlException

from qjmap import _dbf, _limits
from qjmap.errors import DataError
from qjmap.ingest import RawTable, Source

_SECONDS = 60
_MEMORY = 4_000_000_000
_LAYERS = 50
_LUMP = 1 << 21
_ELEMENTS = 10_000_000  # of a KML
_SQL = 5_000_000  # characters of all that a database says of its tables
_DEGREES = "EPSG:4326"
_NUMBERED = "行号为要素的序号"
_FOLDERS = ("Folder", "Document")


def read_vector(name: str, content: bytes, kind: str, archive: _limits.Archive | None) -> tuple[Source, ...]:
    """Read a vector file.

    Parameters
    ----------
    name, content
        The file.
    kind
        ``geojson``, ``kml``, ``shp`` or ``gpkg``.
    archive
        The content as an archive, when it is one.

    Returns
    -------
    tuple of Source
        One per layer.

    Raises
    ------
    DataError
        Broken, hostile, or larger than the limits.
    """
    if kind == "geojson":
        return _geojson(name, content)
    if kind == "kml":
        members = [one for one in archive.names if one.lower().endswith(".kml")] if archive else []
        return _kml(name, archive.read(members[0]) if archive else content)
    if kind == "gpkg":
        _check_gpkg(name, content)
        return _by_gdal(name, {"layer.gpkg": content}, "gpkg", "")
    assert archive is not None
    return _shapefiles(name, archive)


def _source(
    file: str,
    layer: str,
    kind: str,
    columns: Mapping[str, Sequence[object]],
    shapes: Any,
    crs: str | None,
    notes: tuple[str, ...] = (),
) -> Source | None:
    """Make a layer; its properties become text."""
    shapes = np.asarray(shapes, dtype=object)
    if not len(shapes):
        return None
    count = int(shapely.get_num_coordinates(shapes).sum())
    if count > _limits.VERTICES:
        raise _limits.refusal(
            file, f"{count:,} 个顶点", f"不多于 {_limits.VERTICES:,} 个顶点", "请在 QGIS 中简化图形后再上传"
        )
    if len(shapes) > _limits.ROWS:
        raise _limits.refusal(file, f"{len(shapes):,} 个要素", f"不多于 {_limits.ROWS:,} 个要素")
    if len(columns) > _limits.COLUMNS:
        raise _limits.refusal(file, f"{len(columns)} 个属性", f"不多于 {_limits.COLUMNS} 个属性")
    shapes = shapely.force_2d(shapes)
    endless = (
        ~np.isfinite(shapely.bounds(shapes)).all(axis=1)
        & ~shapely.is_empty(shapes)
        & ~shapely.is_missing(shapes)
    )
    if endless.any():
        row = int(np.flatnonzero(endless)[0]) + 1
        raise _limits.refusal(file, "坐标为无穷或非数(NaN)", "有限的坐标", "请改正或删去该要素", row)
    frame = pd.DataFrame(
        {
            name: pd.array([_told(one, file) for one in values], dtype="str")
            for name, values in columns.items()
        },
        index=pd.RangeIndex(len(shapes)),
    )
    table = RawTable(file, frame.astype("str"), tuple(range(1, len(shapes) + 1)))
    return Source(layer, table, kind, gpd.GeoSeries(shapes), crs, (_NUMBERED, *notes), header_row=0)


def _told(value: object, file: str) -> str | None:
    """Write a property as text; blank is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    elif isinstance(value, (dict, list)):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = str(value).strip()
    if len(text) > _limits.CELL:
        raise _limits.refusal(file, f"有属性长 {len(text):,} 个字符", f"不多于 {_limits.CELL:,} 个字符的属性")
    return _whole(text) or None


def _whole(text: str) -> str:
    """Put a question mark for half a character, which JSON may name and no file can hold."""
    return text.encode("utf-8", "replace").decode()


# ---- GeoJSON ---------------------------------------------------------------------------------------

# Possessive, and to the end where a string has none: whatever stands there, each byte is looked at once.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z|\\\Z)', re.DOTALL)
_OPEN, _SHUT = (b"[", b"{"), (b"]", b"}")


def _geojson(name: str, content: bytes) -> tuple[Source, ...]:
    _check_nesting(name, content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise _limits.refusal(
                name, f"第 {error.start + 1} 个字节不是 UTF-8", "UTF-8 编码的 GeoJSON"
            ) from error

    def endless(word: str) -> float:
        raise _limits.refusal(name, f"坐标或属性中有 {word}", "有限的数", "GeoJSON 不允许 NaN 和 Infinity")

    try:
        raw = json.loads(text, parse_constant=endless)
    except json.JSONDecodeError as error:
        raise _limits.refusal(
            name, f"第 {error.colno} 个字符处无法解析", "合乎 JSON 语法的 GeoJSON", row=error.lineno
        ) from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise _limits.refusal(name, "无法解析", "合乎 JSON 语法的 GeoJSON") from error
    if isinstance(raw, dict) and raw.get("type") == "Feature":
        raw = {"type": "FeatureCollection", "features": [raw]}
    features = raw.get("features") if isinstance(raw, dict) else None
    if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
        raise _limits.refusal(name, None, "GeoJSON 的 FeatureCollection")
    properties = [
        one.get("properties") if isinstance(one.get("properties"), dict) else {} for one in features
    ]
    keys = dict.fromkeys(str(key) for one in properties for key in one)
    columns = {_whole(key): [one.get(key) for one in properties] for key in _keys(keys, name)}
    shapes = [_shape(one.get("geometry"), name, number) for number, one in enumerate(features, 1)]
    found = _source(name, Path(name).stem, "geojson", columns, shapes, _old_crs(raw))
    return () if found is None else (found,)


def _keys(keys: Iterable[str], name: str) -> list[str]:
    """Give the keys, unless there are too many."""
    found = list(keys)
    if len(found) > _limits.COLUMNS:
        raise _limits.refusal(name, f"{len(found)} 个属性", f"不多于 {_limits.COLUMNS} 个属性")
    return found


def _check_nesting(name: str, content: bytes) -> None:
    """Refuse what is nested too deep, or has too many brackets to be two million corners, before it is parsed."""
    bare = np.frombuffer(_STRINGS.sub(b"", content), dtype=np.uint8)
    step = np.zeros(256, dtype=np.int8)
    for opening, shut in zip(_OPEN, _SHUT, strict=True):
        step[opening[0]], step[shut[0]] = 1, -1
    if np.count_nonzero(bare == ord(",")) > _limits.VALUES:
        raise _limits.refusal(
            name, "内容过多", f"不多于 {_limits.VALUES:,} 个数值的 GeoJSON", "请分成几个文件"
        )
    depth, opened = 0, 0
    for start in range(0, len(bare), 1 << 20):
        steps = step[bare[start : start + (1 << 20)]]
        opened += int((steps > 0).sum())
        depths = depth + np.cumsum(steps, dtype=np.int32)
        if int(depths.max(initial=0)) > _limits.NESTING:
            raise _limits.refusal(
                name, f"嵌套超过 {_limits.NESTING} 层", "正常的 GeoJSON", "文件可能是恶意构造的"
            )
        depth = int(depths[-1])
        if opened > _limits.VERTICES + 10 * _limits.ROWS:
            raise _limits.refusal(
                name, "图形过于复杂", f"不多于 {_limits.VERTICES:,} 个顶点", "请在 QGIS 中简化后再上传"
            )


def _shape(geometry: object, name: str, number: int) -> Any:
    if geometry is None:
        return None
    try:
        return shapely.geometry.shape(geometry)
    except Exception as error:  # whatever stands in a foreign file, shapely has an exception for it
        raise _limits.refusal(
            name, "图形无法识别", "合乎 GeoJSON 的图形", "请改正或删去该要素", number
        ) from error


def _old_crs(raw: Mapping[str, Any]) -> str | None:
    crs = raw.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    said = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(said, str) or "CRS84" in said.upper():
        return _DEGREES
    found = re.search(r"EPSG:+(\d{4,5})$", said.upper())
    return f"EPSG:{found[1]}" if found else said[:500]


# ---- KML -------------------------------------------------------------------------------------------

_DECLARED = re.compile(rb"^(\s*<\?xml[^>]*encoding=[\"'])(gbk|gb2312|gb18030)([\"'])", re.IGNORECASE)


def _kml(name: str, content: bytes) -> tuple[Source, ...]:
    if _DECLARED.match(content):  # expat knows no encodings of several bytes but UTF
        try:
            content = _DECLARED.sub(rb"\1utf-8\3", content, count=1).decode("gb18030").encode("utf-8")
        except UnicodeDecodeError as error:
            raise _limits.refusal(name, f"第 {error.start + 1} 个字节不是 GBK", "编码正确的 KML") from error
    rows: list[dict[str, object]] = []
    shapes: list[Any] = []
    folders: list[str] = []
    links = corners = 0
    try:
        for mark, folder in _placemarks(name, content):
            if _tag(mark) == "NetworkLink":
                links += 1
                continue
            shape, count = _kml_shape(mark, name, len(rows) + 1)
            corners += count
            if corners > _limits.VERTICES:
                raise _limits.refusal(
                    name, "顶点过多", f"不多于 {_limits.VERTICES:,} 个顶点", "请简化后再上传"
                )
            rows.append(_kml_properties(mark))
            shapes.append(shape)
            folders.append(folder)
    except DefusedXmlException as error:
        raise _limits.refusal(
            name, "XML 中有文件类型声明(DTD、实体)", "不含 DTD 的 KML", "文件可能是恶意构造的"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        if isinstance(error, DataError):
            raise
        raise _limits.refusal(name, "无法解析", "合乎 XML 语法的 KML", "请重新导出后再上传") from error
    keys = _keys(dict.fromkeys(key for one in rows for key in one), name)
    columns: dict[str, Sequence[object]] = {key: [one.get(key) for one in rows] for key in keys}
    notes: tuple[str, ...] = (f"{links} 个网络链接未读:只读文件本身的内容",) if links else ()
    own = ""
    if count := len(set(folders) - {""}):
        own = "文件夹"
        while own in columns:
            own = f"所在{own}"
        columns[own] = folders
        notes += (f"要素分在 {count} 个文件夹里,文件夹的名称记在“{own}”列",)
    found = _source(name, Path(name).stem, "kml", columns, shapes, _DEGREES, notes)
    return () if found is None else (replace(found, folders=own),)


class _InLumps(io.BytesIO):
    """Gives much at a time: expat looks at a tag that is not whole again with every bit that it gets."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(None if size is None or size < 0 else max(size, _LUMP))


def _placemarks(name: str, content: bytes) -> Iterator[tuple[Element, str]]:
    """Yield placemarks and network links one by one, each with the folders that it stands in, and forget it."""
    clock = _limits.Clock(name)
    above: list[Element] = []  # the elements that are open
    path: list[str] = []  # the names of the folders that are open
    marks = inside = 0  # placemarks that are open; elements in the outermost of them
    for n, (event, element) in enumerate(
        defusedxml.ElementTree.iterparse(_InLumps(content), events=("start", "end"), forbid_dtd=True)
    ):
        if n % 10_000 == 0:
            clock.check()
            if n > 2 * _ELEMENTS:  # each begins and ends
                raise _limits.refusal(name, "元素过多", "正常大小的 KML", "请分成几个文件")
        mark = _tag(element) in ("Placemark", "NetworkLink")
        if event == "start":
            above.append(element)
            if len(above) > _limits.NESTING:
                raise _limits.refusal(
                    name, f"嵌套超过 {_limits.NESTING} 层", "正常的 KML", "文件可能是恶意构造的"
                )
            if not marks and _tag(element) in _FOLDERS:
                path.append("")
            marks += mark
            inside += bool(marks)
            if inside > _limits.VERTICES:
                raise _limits.refusal(name, "图形过于复杂", "正常的 KML", "请简化后再上传")
            continue
        above.pop()
        if mark:
            marks -= 1
            inside = inside if marks else 0
            yield element, "/".join(filter(None, path))
            element.clear()
        elif not marks and _tag(element) in _FOLDERS:
            path.pop()
        elif not marks and _tag(element) == "name" and above and _names_folder(above):
            path[-1] = " ".join((element.text or "").split())[:200]
        if above and not marks:  # what is done with is let go, or a hundred million blank elements would stay
            above[-1].remove(element)


def _names_folder(above: Sequence[Element]) -> bool:
    """Say whether a name among these open elements is a folder's; that of the whole document is the file's."""
    tag = _tag(above[-1])
    return tag == "Folder" or (tag == "Document" and any(_tag(one) in _FOLDERS for one in above[:-1]))


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _kml_properties(mark: Element) -> dict[str, object]:
    found: dict[str, object] = {}
    for element in mark.iter():
        tag = _tag(element)
        if tag in ("name", "address") and tag not in found:
            found[tag] = (element.text or "").strip()
        elif tag == "description":
            found[tag] = re.sub(r"<[^<>]*>", " ", element.text or "").strip()[: _limits.CELL]
        elif tag == "SimpleData":
            found[element.get("name", "")[:200] or "SimpleData"] = element.text
        elif tag == "Data":
            value = next((one.text for one in element if _tag(one) == "value"), None)
            found[element.get("name", "")[:200] or "Data"] = value
    return found


def _kml_shape(mark: Element, name: str, number: int) -> tuple[Any, int]:
    parts: list[Any] = []
    count = 0
    for element in _outermost(mark):
        tag = _tag(element)
        rings = [
            _corners(one.text or "", name, number) for one in element.iter() if _tag(one) == "coordinates"
        ]
        count += sum(map(len, rings))
        try:
            if tag == "Point" and rings and len(rings[0]):
                parts.append(shapely.Point(rings[0][0]))
            elif tag == "LineString" and rings:
                parts.append(shapely.LineString(rings[0]))
            elif tag == "Polygon" and rings:
                parts.append(shapely.Polygon(rings[0], rings[1:]))
        except (ValueError, shapely.errors.GEOSException) as error:
            raise _limits.refusal(
                name, f"{tag} 的顶点不足", "完整的图形", "请改正或删去该要素", number
            ) from error
    if not parts:
        return None, count
    if len(parts) == 1:
        return parts[0], count
    kinds = {one.geom_type for one in parts}
    if len(kinds) > 1:
        return shapely.GeometryCollection(parts), count
    many = {
        "Point": shapely.MultiPoint,
        "LineString": shapely.MultiLineString,
        "Polygon": shapely.MultiPolygon,
    }
    return many[kinds.pop()](parts), count


def _outermost(element: Element) -> Iterator[Element]:
    """Yield the points, lines and areas of a placemark; what stands within one is part of it."""
    for one in element:
        if _tag(one) in ("Point", "LineString", "Polygon"):
            yield one
        else:
            yield from _outermost(one)


def _corners(text: str, name: str, number: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    pairs: list[tuple[float, float]] = []
    try:
        for one in re.finditer(r"\S+", text):
            x, y = one[0].split(",")[:2]
            pairs.append((float(x), float(y)))
            if len(pairs) > _limits.VERTICES:
                raise _limits.refusal(
                    name, "顶点过多", f"不多于 {_limits.VERTICES:,} 个顶点", "请简化后再上传", number
                )
        found = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise _limits.refusal(
            name, f"坐标“{text.strip()[:40]}”", "经度,纬度", "请改正该要素", number
        ) from error
    if not np.isfinite(found).all():
        raise _limits.refusal(name, "坐标为无穷或非数(NaN)", "有限的坐标", "请改正或删去该要素", number)
    return found


# ---- Shapefile and GeoPackage ----------------------------------------------------------------------


def _shapefiles(name: str, archive: _limits.Archive) -> tuple[Source, ...]:
    """Read every Shapefile of an archive under names of ours, so that its own can lead nowhere."""
    lower = {one.lower(): one for one in archive.names}
    stems = [one[:-4] for one in lower if one.endswith(".shp")]
    if len(stems) > _LAYERS:
        raise _limits.refusal(name, f"{len(stems)} 个 Shapefile", f"不多于 {_LAYERS} 个")
    found: list[Source] = []
    for stem in stems:
        parts = {
            suffix: archive.read(lower[stem + suffix])
            for suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg")
            if stem + suffix in lower
        }
        title = PurePosixPath(lower[stem + ".shp"].replace("\\", "/")).stem
        if parts[".shp"][:4] != b"\x00\x00\x27\x0a":
            raise _limits.refusal(name, f"{title}.shp 的内容不是 Shapefile", "完好的 Shapefile")
        if ".dbf" not in parts:
            raise _limits.refusal(
                name, f"缺少 {title}.dbf", "带属性表的 Shapefile", "请把 .shp、.shx、.dbf 等一起压缩"
            )
        encoding = _dbf.encoding_of(parts.pop(".cpg", b""), parts[".dbf"])
        parts[".dbf"], cut = _dbf.whole_letters(parts[".dbf"], encoding)
        files = {f"layer{suffix}": data for suffix, data in parts.items()}
        layers = _by_gdal(name, files, "shp", encoding, title)
        found += [replace(one, notes=(*one.notes, *cut)) for one in layers]
    return tuple(found)


def _check_gpkg(name: str, content: bytes) -> None:
    """Refuse a database that could make its reader open something else: virtual tables other than the spatial index."""
    refused = _limits.refusal(name, "无法解析的 GeoPackage", "完好的 .gpkg 文件", "请在 QGIS 中重新导出")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.gpkg"
        path.write_bytes(content)
        try:
            base = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
            try:
                base.set_progress_handler(lambda: 1, 50_000_000)
                made = _made(base)
                tables = {str(row[1]).lower() for row in made or ()}
            finally:
                base.close()
        except sqlite3.Error as error:
            raise refused from error
    if made is None:
        raise refused
    if "gpkg_contents" not in tables:
        raise _limits.refusal(name, "SQLite 数据库,不是 GeoPackage", "GeoPackage(.gpkg)")
    for kind, _, sql in made:
        text = " ".join(str(sql or "").lower().split())
        if kind == "view" or ("virtual table" in text and "using rtree" not in text):
            raise _limits.refusal(
                name,
                "GeoPackage 中有视图或虚拟表",
                "只含普通图层的 GeoPackage",
                "请在 QGIS 中把图层另存为新的 .gpkg",
            )


def _made(base: sqlite3.Connection) -> list[tuple[Any, ...]] | None:
    """List what a database consists of; None when that is too much: pages may be said to hold the same text again."""
    found, size = [], 0
    for row in base.execute("SELECT type, name, sql FROM sqlite_master"):
        size += sum(len(str(one)) for one in row)
        found.append(row)
        if size > _SQL or len(found) > _limits.MEMBERS:
            return None
    return found


def _by_gdal(
    name: str, files: Mapping[str, bytes], kind: str, encoding: str, title: str = ""
) -> tuple[Source, ...]:
    """Have a child process read files of ours, and take back what it found."""
    with tempfile.TemporaryDirectory(prefix="qjmap-") as folder:
        for file, data in files.items():
            (Path(folder) / file).write_bytes(data)
        main = next(file for file in files if file.endswith((".shp", ".gpkg")))
        command = [sys.executable, "-m", "qjmap._gdal", folder, main, encoding, str(_MEMORY)]
        try:
            done = subprocess.run(  # noqa: S603
                command, capture_output=True, timeout=_SECONDS, check=False, cwd=Path(__file__).parents[1]
            )
        except subprocess.TimeoutExpired as error:
            raise _limits.refusal(
                name, f"{_SECONDS} 秒内读不完", "正常大小的文件", "请分成几个文件"
            ) from error
        if done.returncode:
            raise _limits.refusal(
                name, "无法解析", "完好的 Shapefile 或 GeoPackage", "请在 QGIS 中重新导出后再上传"
            )
        layers = json.loads((Path(folder) / "layers.json").read_text(encoding="utf-8"))
        found = [_layer(name, kind, Path(folder), n, one, title) for n, one in enumerate(layers)]
    return tuple(one for one in found if one is not None)


def _layer(
    name: str, kind: str, folder: Path, n: int, layer: Mapping[str, str | None], title: str
) -> Source | None:
    path = folder / f"{n}.arrow"
    if path.stat().st_size > _limits.UNPACKED_BYTES:
        raise _limits.refusal(
            name, "内容过多", f"不大于 {_limits.UNPACKED_BYTES / 1e6:.0f} MB 的内容", "请分成几个文件"
        )
    with pa.OSFile(str(path)) as stream, pyarrow.ipc.open_file(stream) as reader:
        table = reader.read_all()
    shapes = shapely.from_wkb(table.column("wkb").to_pylist(), on_invalid="ignore")
    columns = {one: table.column(one).to_pylist() for one in table.column_names if one != "wkb"}
    encoding = layer.get("encoding")
    notes = (f"属性文字编码:{encoding}",) if encoding else ()
    return _source(name, title or str(layer["name"]), kind, columns, shapes, layer.get("crs"), notes)
