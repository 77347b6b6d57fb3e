"""Files to take away: GeoJSON (RFC 7946), Excel and CSV, which say what they hold and by which standard.

Everything here is a pure function from tables and geometries to bytes.
"""

from __future__ import annotations

import io
import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from qjmap import __version__, _shapes
from qjmap.crs import Projection
from qjmap.layers import SHAPE, Column, LayerSpec
from qjmap.registers import has_demo

DEMO_NOTICE = "含演示数据:来源为“演示”的记录系虚构,不得作为依据"
"""Stands wherever a record with source 演示 leaves the house."""

MEASURED = {
    "length_m": Column("length_m", "图形长度", "number", unit="米", note="按图形量算"),
    "area_m2": Column("area_m2", "图形面积", "number", unit="平方米", note="按图形量算"),
}
"""What the program adds of its own to lines and areas."""

DECIMALS = 7
"""Decimals of a degree in GeoJSON: about a centimetre; RFC 7946 (11.2) advises against more."""

_INFO_SHEET = "说明"
_SHEET_NAME_LENGTH = 31  # Excel's own limits
_CELL_LENGTH = 32_767
_STEM_BYTES = 180  # leaves room for date and suffix within the 255 bytes of ext4; NTFS allows more
_WIDEST = 48.0
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in "123456789¹²³")}

# What XML 1.0 forbids, and control characters that only ever hide something. Tab and line break stay.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# A spreadsheet takes text that begins so for a formula; the full-width forms too, in East Asian settings.
# A plain negative number is none: a register kept as text goes out with its numbers.
_FORMULA = re.compile(r"[\t\r]|\s*(?!-[0-9]*\.?[0-9]+\Z)[=+\-@＝＋－＠]")
_NOT_IN_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")
_NOT_IN_FILE_NAME = re.compile(r'[<>:"/\\|?*\s]+')


@dataclass(frozen=True)
class Metadata:
    """What a file must say about itself.

    Parameters
    ----------
    title
        What the file holds.
    when
        The day it was made.
    filter
        What was chosen, in words.
    standard
        The rule applied, with its figure, document and clause; 自定值 if a person changed the figure.
    sources
        The documents, with number and clause.
    notices
        What a reader must know: wherever the township boundaries, or anything cut by them, leave the house, whose
        they are (`District.boundary_notice`). `DEMO_NOTICE` is added by itself where it is due.
    """

    title: str
    when: date
    filter: str = "全部"
    standard: str = "未用标准"
    sources: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def info(self, *, demo: bool = False) -> dict[str, str]:
        """Give the same as rows for the sheet 说明; `demo` adds `DEMO_NOTICE`."""
        return {
            "内容": self.title,
            "筛选条件": self.filter,
            "标准": self.standard,
            "制作日期": self.when.isoformat(),
            "来源": "\n".join(self.sources) or "未注明",
            "注意": "\n".join(_notices(self, demo=demo)) or "无",
            "制作软件": _generator(),
        }


def to_geojson(
    frame: pd.DataFrame,
    spec: LayerSpec,
    *,
    metadata: Metadata,
    projection: Projection | None = None,
    documents: Mapping[str, str] | None = None,
    include_sensitive: bool = False,
) -> bytes:
    """Write a layer as GeoJSON (RFC 7946): points, lines or areas.

    Parameters
    ----------
    frame
        The layer's records, one row each, columns by key. A record stands at `lon`, `lat` (degrees, WGS 84);
        where these are missing and `projection` is given, at `x`, `y` (metres). A record without a place
        becomes a feature whose geometry is null. A line or an area goes out as it is kept (`geometry`, degrees), the
        outer rings counter-clockwise, with its measured length or area.
    spec
        The layer; its columns' labels become the properties' names, explained in `metadata.fields`.
    metadata
        What the file says about itself, in its member `metadata`.
    projection
        The district's working projection.
    documents
        What to write for a document's id, such as its title and number; an id that is not in it stays.
    include_sensitive
        Whether columns marked sensitive go out too.

    Returns
    -------
    bytes
        UTF-8 text, one feature a line. A missing value is null; numbers stay numbers.
    """
    fields = {
        name: column
        for name, column in _fields(frame, spec, include_sensitive=include_sensitive).items()
        if column.type not in ("longitude", "latitude", SHAPE)  # the geometry says it
    }
    properties = _records(
        {name: _values(frame[column.key], column, documents) for name, column in fields.items()}, len(frame)
    )
    geometries = _shapes_of(frame) if spec.shaped else _points_of(frame, projection)
    return _collection(
        geometries,
        properties,
        metadata,
        demo=has_demo(frame),
        fields={
            name: {"column": column.key} | ({"unit": column.unit} if column.unit else {})
            for name, column in fields.items()
        },
    )


def _points_of(frame: pd.DataFrame, projection: Projection | None) -> list[Any]:
    lon, lat = _places(frame, projection)
    return [
        None if math.isnan(x) or math.isnan(y) else {"type": "Point", "coordinates": [x, y]}
        for x, y in zip(lon.tolist(), lat.tolist(), strict=True)
    ]


def _shapes_of(frame: pd.DataFrame) -> list[Any]:
    tidy = _tidy(frame["geometry"].to_numpy(dtype=object))
    return [None if text is None else json.loads(text) for text in shapely.to_geojson(tidy)]


def geometries_to_geojson(
    names: Sequence[str],
    geometries: Any,
    properties: pd.DataFrame | Mapping[str, Sequence[object]],
    metadata: Metadata,
    *,
    demo: bool = False,
) -> bytes:
    """Write areas (what is covered, gaps, townships) as GeoJSON (RFC 7946).

    Parameters
    ----------
    names
        The name of each area; property 名称.
    geometries
        One shapely geometry in degrees (WGS 84) for each name. Of a geometry with area only the polygons are
        kept; they come out valid at 7 decimals, the outer ring counter-clockwise. An empty one becomes null.
    properties
        Further columns, by the name that the property shall have.
    metadata
        What the file says about itself.
    demo
        Whether demo records had a part in it.

    Returns
    -------
    bytes
        UTF-8 text, one feature a line.

    Raises
    ------
    ValueError
        A geometry is not in degrees, or the lengths differ.
    """
    shapes = np.asarray(geometries, dtype=object).reshape(-1)
    table = pd.DataFrame(
        {"名称": list(names)} | {str(name): list(values) for name, values in properties.items()}
    )
    if len(shapes) != len(table):
        raise ValueError(f"名称 {len(table)} 个,图形 {len(shapes)} 个,应当相等")
    bounds = shapely.total_bounds(shapes) if len(shapes) else np.zeros(4)
    if np.any(np.abs(bounds) > [180, 90, 180, 90]):
        raise ValueError(f"图形应以经纬度(度)给出,现坐标范围为 {bounds.round(1).tolist()}")
    tidy = _tidy(shapes)
    written = [None if text is None else json.loads(text) for text in shapely.to_geojson(tidy)]
    columns = {str(name): _plain(table[name]) for name in table}
    return _collection(written, _records(columns, len(table)), metadata, demo=demo, fields={})


def to_table(
    frame: pd.DataFrame,
    spec: LayerSpec,
    *,
    projection: Projection | None = None,
    documents: Mapping[str, str] | None = None,
    include_sensitive: bool = False,
) -> pd.DataFrame:
    """Make a layer's frame into the table that people read: labels with units, places filled in, types kept.

    Parameters
    ----------
    frame, spec, projection, documents, include_sensitive
        As for `to_geojson`.

    Returns
    -------
    pandas.DataFrame
        One row per record, columns named 标签 or 标签(单位), for `to_excel` and `to_csv`. Lines and areas stand there
        as WKT; one of more than 32,767 characters, which no cell of Excel holds, is left out, and the cell says so.
    """
    fields = _fields(frame, spec, include_sensitive=include_sensitive)
    lon, lat = _places(frame, projection)
    places = {"longitude": lon, "latitude": lat}
    columns: dict[str, list[Any]] = {}
    for name, column in fields.items():
        values: Any = pd.Series(places[column.type]) if column.type in places else frame[column.key]
        if column.type == SHAPE:
            columns["图形(WKT)"] = [_wkt(text) for text in _shapes.write(values.to_numpy(dtype=object))]
            continue
        columns[f"{name}({column.unit})" if column.unit else name] = _values(values, column, documents)
    return pd.DataFrame(columns, dtype=object)


def _wkt(text: str | None) -> str | None:
    too_long = text is not None and len(text) > _CELL_LENGTH
    return "(图形过长,Excel 放不下;请用 GeoJSON)" if too_long else text


def to_excel(sheets: Mapping[str, pd.DataFrame], info: Mapping[str, str]) -> bytes:
    """Write tables as an Excel workbook whose first sheet, 说明, says what they are.

    Parameters
    ----------
    sheets
        Tables by sheet name; a name that Excel refuses is mended, a name given twice is numbered. The index
        is not written.
    info
        Rows of the sheet 说明, usually `Metadata.info()`: what, filter, standard, date, sources.

    Returns
    -------
    bytes
        The .xlsx file: header frozen, filters on, numbers as numbers, dates as dates. Text that a spreadsheet
        would take for a formula is stored as text, as if typed after an apostrophe.
    """
    book = Workbook(write_only=True)
    taken: set[str] = set()
    about = pd.DataFrame({"项目": list(info.keys()), "内容": list(info.values())})
    _write_sheet(book, _sheet_name(_INFO_SHEET, taken), about, wrap=True)
    for name, table in sheets.items():
        _write_sheet(book, _sheet_name(name, taken), table)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def to_csv(table: pd.DataFrame) -> bytes:
    """Write a table as CSV that Excel opens rightly: UTF-8 with its mark, no index.

    Control characters are dropped; text that a spreadsheet would take for a formula gets an apostrophe.
    """
    safe = pd.DataFrame(
        {_guarded(str(name)): [_guarded(one) for one in _plain(table[name])] for name in table}, dtype=object
    )
    return safe.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def file_name(*parts: str, when: date, suffix: str) -> str:
    """Name a file by what it holds and when it was made, fit for Windows and Linux.

    Parameters
    ----------
    parts
        District, layer, what of it; empty ones are left out.
    when
        The day.
    suffix
        With or without its dot.

    Returns
    -------
    str
        Such as ``綦江区_医疗卫生_未覆盖_20261122.geojson``.
    """
    clean = (_file_part(part) for part in parts)
    stem = "_".join(part for part in clean if part) or "导出"
    # Whole characters only: cutting bytes may split one.
    stem = stem.encode()[:_STEM_BYTES].decode(errors="ignore")
    if stem.split(".")[0].upper() in _RESERVED:
        stem = f"_{stem}"
    return f"{stem}_{when:%Y%m%d}.{suffix.lstrip('.')}"


# ---- tables and values --------------------------------------------------------------------------


def _fields(frame: pd.DataFrame, spec: LayerSpec, *, include_sensitive: bool) -> dict[str, Column]:
    """Name the columns that go out; two of one label are told apart by their key."""
    fields: dict[str, Column] = {}
    columns = {**spec.columns, **MEASURED} if spec.shaped else spec.columns
    for key, column in columns.items():
        if key in frame and (include_sensitive or not column.sensitive):
            fields[f"{column.label}({key})" if column.label in fields else column.label] = column
    return fields


def _places(
    frame: pd.DataFrame, projection: Projection | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Find each record's degrees, rounded; NaN in both where there is no place."""
    lon, lat = (_floats(frame, key) for key in ("lon", "lat"))
    if projection is not None:
        missing = ~(np.isfinite(lon) & np.isfinite(lat))
        placed_lon, placed_lat = projection.to_degrees(_floats(frame, "x"), _floats(frame, "y"))
        lon, lat = np.where(missing, placed_lon, lon), np.where(missing, placed_lat, lat)
    known = np.isfinite(lon) & np.isfinite(lat)
    return np.where(known, lon, np.nan).round(DECIMALS), np.where(known, lat, np.nan).round(DECIMALS)


def _floats(frame: pd.DataFrame, key: str) -> npt.NDArray[np.float64]:
    if key not in frame:
        return np.full(len(frame), np.nan)
    return pd.to_numeric(frame[key]).to_numpy(dtype=np.float64, na_value=np.nan)


def _values(values: pd.Series[Any], column: Column, documents: Mapping[str, str] | None) -> list[Any]:
    plain = _plain(values, column.type)
    if column.type == "document" and documents:
        return [documents.get(one, one) for one in plain]
    return plain


def _plain(values: pd.Series[Any], kind: str = "") -> list[Any]:
    """Turn a column into Python's own values: None for what is missing or not a number.

    A column of kind integer or year that pandas holds as floats (some are missing) comes out as integers.
    """
    whole = kind in ("integer", "year")
    return [_plain_value(one, whole=whole) for one in values.tolist()]


def _plain_value(value: Any, *, whole: bool) -> Any:
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if whole and value.is_integer() else value
    if isinstance(value, datetime):
        # Excel knows no time zones; a day is written as a day.
        value = value.replace(tzinfo=None)
        return value.date() if value == datetime(value.year, value.month, value.day) else value
    return value if isinstance(value, bool | int | date) else str(value)


def _records(columns: Mapping[str, list[Any]], length: int) -> list[dict[str, Any]]:
    if not columns:
        return [{} for _ in range(length)]
    names = tuple(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


# ---- GeoJSON ------------------------------------------------------------------------------------


def _notices(metadata: Metadata, *, demo: bool) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*metadata.notices, *((DEMO_NOTICE,) if demo else ()))))


def _generator() -> str:
    return f"qjmap {__version__}"


def _collection(
    geometries: Sequence[Any],
    properties: Sequence[dict[str, Any]],
    metadata: Metadata,
    *,
    demo: bool,
    fields: Mapping[str, Any],
) -> bytes:
    """Put features together, one a line, so that two versions of a file can be compared."""
    about = {
        "title": metadata.title,
        "filter": metadata.filter,
        "standard": metadata.standard,
        "date": metadata.when.isoformat(),
        "sources": list(metadata.sources),
        "notice": list(_notices(metadata, demo=demo)),
        "demo": demo,
        "records": len(geometries),
        "without_geometry": sum(one is None for one in geometries),
        "coordinates": "WGS 84 经度、纬度(度),与 CGCS2000 相差不足 1 米",
        "generator": _generator(),
        "fields": dict(fields),
    }
    lines = ",\n".join(
        _json({"type": "Feature", "geometry": geometry, "properties": values})
        for geometry, values in zip(geometries, properties, strict=True)
    )
    head = (
        f'{{"type":"FeatureCollection","name":{_json(metadata.title)},"metadata":{_json(about)},"features":['
    )
    # A lone surrogate is no character and has no UTF-8 form.
    return f"{head}\n{lines}\n]}}\n".encode(errors="replace")


# Made once: json.dumps with these settings makes a new encoder for every call.
_json = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=lambda value: value.isoformat()
).encode


def _tidy(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Make geometries fit for GeoJSON: `DECIMALS`, valid, rings by the right-hand rule, empty ones None."""
    tidy = _on_grid(shapes, DECIMALS)
    # Snapped to whole numbers of the grid they are valid; written as fractions a hair's breadth can undo it.
    broken = ~shapely.is_valid(tidy) & ~shapely.is_missing(tidy)
    tidy[broken] = _on_grid(tidy[broken], DECIMALS - 1)
    tidy = np.asarray(shapely.orient_polygons(tidy), dtype=object)
    tidy[shapely.is_empty(tidy)] = None
    return tidy


def _on_grid(shapes: npt.NDArray[np.object_], decimals: int) -> npt.NDArray[np.object_]:
    valid = shapely.force_2d(shapely.make_valid(shapes))
    snapped = shapely.set_precision(valid, 10.0**-decimals)
    areas = [_areas_only(shape) for shape in snapped]
    # Rounded once more, for n × 1e-7 has more decimals than n ÷ 1e7; off the grid, which would snap it back.
    free = shapely.set_precision(np.array(areas, dtype=object), 0)
    return np.asarray(shapely.transform(free, lambda xy: np.round(xy, decimals)), dtype=object)


def _areas_only(shape: Any) -> Any:
    """Drop the lines and points that an overlay leaves beside its polygons."""
    if shape is None or shapely.get_dimensions(shape) != 2 or shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


# ---- spreadsheets -------------------------------------------------------------------------------

_HEADER = {"font": Font(bold=True), "fill": PatternFill("solid", start_color="FFE3E9F0")}


def _text(value: str) -> str:
    """Drop control characters; any line break becomes the one a spreadsheet knows."""
    return _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))


def _guarded(value: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would take for a formula."""
    if not isinstance(value, str):
        return value
    return f"'{_text(value)}" if _FORMULA.match(value) else _text(value)


def _sheet_name(name: str, taken: set[str]) -> str:
    """Make a name that Excel accepts and that is not taken, and take it."""
    clean = _NOT_IN_SHEET_NAME.sub(" ", _text(name)).replace("\n", " ").strip("' \t") or "表"
    number, found = 1, _cut(clean, _SHEET_NAME_LENGTH).strip("' ")
    while found.casefold() in taken or found.casefold() == "history":
        number += 1
        tail = f"({number})"
        found = _cut(clean, _SHEET_NAME_LENGTH - len(tail)) + tail
    taken.add(found.casefold())
    return found


def _cut(text: str, length: int) -> str:
    """Cut a text to a length as Excel counts it: in units of UTF-16, of which a rare character takes two."""
    return text.encode("utf-16-le")[: 2 * length].decode("utf-16-le", errors="ignore")


def _write_sheet(book: Any, name: str, table: pd.DataFrame, *, wrap: bool = False) -> None:
    """Write one table; a write-only sheet wants widths, panes and filter before its rows."""
    sheet = book.create_sheet(name)
    header = [str(column) for column in table.columns]
    columns = [_plain(table[column]) for column in table.columns]
    for number, (title, values) in enumerate(zip(header, columns, strict=True), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = _width(title, values)
    sheet.freeze_panes = "A2"
    if header:
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(header))}{len(table) + 1}"
    sheet.append([_cell(sheet, title, **_HEADER) for title in header])
    style = {"alignment": Alignment(wrap_text=True, vertical="top")} if wrap else {}
    for row in zip(*columns, strict=True):
        sheet.append([_cell(sheet, value, **style) for value in row])


def _cell(sheet: Any, value: Any, **style: Any) -> Any:
    """Make a cell; a plain value where no style is needed, which is several times as fast."""
    if isinstance(value, str):
        formula = _FORMULA.match(value) is not None
        value = _text(value)[:_CELL_LENGTH]
        # openpyxl takes "#N/A" and its like for errors
        if not style and not formula and not value.startswith("#"):
            return value
        cell = WriteOnlyCell(sheet, value=value)
        cell.data_type = "s"
        cell.quotePrefix = formula
    elif style:
        cell = WriteOnlyCell(sheet, value=value)
    else:
        return value
    for key, one in style.items():
        setattr(cell, key, one)
    return cell


def _width(title: str, values: Iterable[Any]) -> float:
    """Estimate a column's width in digits (a Chinese character takes two) from its first rows."""
    longest = max((_digits(line) for line in _lines(title, islice(values, 300))), default=0)
    return float(min(_WIDEST, max(8, longest + 3)))  # 3: the filter's button


def _lines(title: str, values: Iterable[Any]) -> Iterator[str]:
    yield title
    for value in values:
        if value is not None:
            yield from str(value).splitlines()


def _digits(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WFA" else 1 for one in text)


# ---- names --------------------------------------------------------------------------------------


def _file_part(part: str) -> str:
    """Drop what a file system refuses and what is invisible (such as marks that turn the text round)."""
    shown = "".join(one if one.isspace() or unicodedata.category(one)[0] != "C" else "" for one in part)
    return _NOT_IN_FILE_NAME.sub("-", shown.strip()).strip("-._ ")
