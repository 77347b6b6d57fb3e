"""From text to typed columns, with every fault of the file told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from qjmap import _shapes
from qjmap._likeness import nearest, same_but_signs
from qjmap._repairs import one_number, seen
from qjmap.errors import Problem
from qjmap.ingest import RawTable
from qjmap.layers import SHAPE, Column, LayerSpec

DEMO = "演示"
MEASURED = "实测"
LISTED = "表载坐标"
"""Coordinates as a list gives them: how they were obtained is not said."""
UNPLACED = "未定位"
CONCERNS = "concerns"
"""The column of a table that names the columns of layers of which a row speaks."""
BY_TOWN = ("驻地近似", "镇域近似", UNPLACED)
"""Ways of placing a record that need no coordinates of its own."""

Bools = npt.NDArray[np.bool_]

_SHAPES: dict[str, tuple[str, str]] = {
    "integer": (r"[+-]?[0-9]{1,15}", "整数(半角数字,不用千分位)"),
    "number": (r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", "数(半角数字,不用千分位)"),
    "year": (r"[0-9]{4}", "四位数的年份,如 2020"),
    "date": (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "日期,如 2023-03-20"),
    "boolean": (r"是|否", "“是”或“否”"),
}
_SHAPES["longitude"] = _SHAPES["latitude"] = (_SHAPES["number"][0], "十进制度数,如 106.6511")
_YEARS = (1900, 2100)


@dataclass(frozen=True)
class Context:
    """What a register is held against.

    Parameters
    ----------
    towns
        The names a `town` may have; None when nothing is known, and then any name passes.
    documents
        The keys a `document` may have; None as above.
    box
        West, south, east, north in degrees: where every position must lie; None for the whole globe.
    demo
        Whether the file is one of the invented registers, where every row is 演示 (elsewhere none may be).
    columns
        The columns of layers of which a table may speak, as ``layer.column``; None as above.
    """

    towns: tuple[str, ...] | None = None
    documents: tuple[str, ...] | None = None
    box: tuple[float, float, float, float] | None = None
    demo: bool = False
    columns: frozenset[str] | None = None


@dataclass(frozen=True)
class Checked:
    """A typed frame (the spec's columns in its order; what could not be read is missing) and the faults."""

    frame: pd.DataFrame
    problems: tuple[Problem, ...]


def check(raw: RawTable, spec: LayerSpec, context: Context) -> Checked:
    """Type a raw table by its spec and find every fault.

    Parameters
    ----------
    raw
        The file's text.
    spec
        The layer or table it should be.
    context
        Towns, documents and box of the district.

    Returns
    -------
    Checked
        Types: text, town and document `str`; category `category` with the spec's values; integer and year
        `Int64`; number and coordinates `float64`; date `datetime64`; boolean `boolean`; shape `object` (shapely, in
        degrees, None where it cannot be used). Problems are in the
        order of the file's rows, those of the whole file first. Nothing is repaired: a number with full-width
        digits or thousands separators is a fault.
    """
    sheet = Sheet(raw)
    _check_columns(sheet, spec)
    frame = pd.DataFrame(index=raw.frame.index)
    for column in spec.columns.values():
        cells = sheet.cells(column.key)
        if column.required and column.key in raw.frame:
            sheet.fault(column.key, cells.isna().to_numpy(), "填写(必填)")
        if column.type == SHAPE:
            frame[column.key] = _shapes.typed(sheet, column.key, spec.geometry, context.box)
        else:
            frame[column.key] = _typed(sheet, column, cells, context)
    _check_positions(sheet, spec, frame, context)
    if CONCERNS in spec.columns and context.columns is not None:
        _check_concerns(sheet, context.columns)
    if spec.placed:
        _check_sources(sheet, frame, context)
        _check_placing(sheet, frame, shaped=spec.shaped)
    return Checked(frame, sheet.told())


class Sheet:
    """A raw table and the faults found in it so far."""

    def __init__(self, raw: RawTable) -> None:
        self.raw = raw
        self.rows = np.asarray(raw.rows, dtype=np.int64)
        self.problems: list[Problem] = []

    def cells(self, key: str) -> pd.Series[str]:
        """Give a column's text, all missing when the file does not have it."""
        if key in self.raw.frame:
            return self.raw.frame[key]
        return pd.Series(np.nan, index=self.raw.frame.index, dtype="str")

    def fault(
        self,
        key: str,
        bad: Bools,
        expected: str,
        advise: Callable[[int, str], str] | str = "",
        shown: Callable[[int], str] | None = None,
    ) -> None:
        """Tell a fault for each row where `bad`; `advise` may look at (place in the frame, text).

        `shown` gives what stands there in short, where the cell itself is too long to be said.
        """
        places = np.flatnonzero(bad)
        if not places.size:
            return
        cells = self.cells(key).fillna("空白").tolist() if shown is None else []
        for place in places.tolist():
            value = cells[place] if shown is None else shown(place)
            advice = advise if isinstance(advise, str) else advise(place, value)
            self.problems.append(Problem(self.raw.file, int(self.rows[place]), key, value, expected, advice))

    def where(self, place: int) -> str:
        """Say in which row of the file something stands."""
        return self.raw.where(int(self.rows[place]))

    def told(self) -> tuple[Problem, ...]:
        """Give the faults by row; two about one cell keep the order in which they were found."""
        return tuple(sorted(self.problems, key=lambda problem: problem.row or 0))


def _check_columns(sheet: Sheet, spec: LayerSpec) -> None:
    present = list(sheet.raw.frame.columns)
    missing = [key for key in spec.columns if key not in present]
    unknown = [key for key in present if key not in spec.columns]
    for key in missing:
        # Even an optional column must be there: a column lost on the way would pass for a column of unknowns.
        advice = f"“{spec.columns[key].label}”列可以留空,但不可缺少"
        sheet.problems.append(Problem(sheet.raw.file, 1, key, "没有这一列", "有这一列", advice))
    for key in unknown:
        advice = _closest(key, missing) or "可删去此列,或先在 data/layers.toml 中登记"
        expected = f"“{spec.label}”已登记的列名"
        sheet.problems.append(Problem(sheet.raw.file, 1, key, key, expected, advice))


_OTHER_KIND = "写法不同的,请改成允许值;本来就是别的设施的,请不要归入相近的类别"


def _closest(value: str, choices: Sequence[str]) -> str:
    found = nearest(value, choices)
    return f"是否应为“{found}”" if found else ""


def _kind_advice(value: str, kinds: Sequence[str]) -> str:
    """Give a kind only where signs alone differ: 村卫生室 is no 卫生院, however alike, and would be counted as one."""
    same = same_but_signs(value, kinds)
    return f"是否应为“{same}”" if same else _OTHER_KIND


# ---- one column --------------------------------------------------------------------------------


def _typed(sheet: Sheet, column: Column, cells: pd.Series[str], context: Context) -> pd.Series:
    if column.unique:
        _check_unique(sheet, column, cells)
    if column.type in _SHAPES:
        return _parsed(sheet, column, cells)
    if column.type == "category":
        _check_values(sheet, column.key, cells, column.values, "")
        known = cells.where(cells.isin(column.values))  # pandas warns of others, and will refuse them
        return pd.Series(pd.Categorical(known, categories=list(column.values)), index=cells.index)
    if column.type == "town" and context.towns is not None:
        _check_values(sheet, column.key, cells, context.towns, "街镇名")
    if column.type == "document" and context.documents is not None:
        _check_values(sheet, column.key, cells, context.documents, "documents.csv 中的文件编号")
    return cells


def _check_unique(sheet: Sheet, column: Column, cells: pd.Series[str]) -> None:
    # Nearly always all are different: their hashes say so in a fifth of the room that asking which would take.
    if len(set(map(hash, cells))) == len(cells):
        return
    again = (cells.duplicated() & cells.notna()).to_numpy()
    if again.any():
        first = dict(zip(cells[::-1], sheet.rows[::-1], strict=True))
        sheet.fault(
            column.key, again, "不重复的值", lambda _, value: f"与{sheet.raw.where(first[value])}重复"
        )


def _check_values(sheet: Sheet, key: str, cells: pd.Series[str], values: tuple[str, ...], what: str) -> None:
    bad = (cells.notna() & ~cells.isin(values)).to_numpy()
    shown = "、".join(values) if len(values) <= 12 else f"{'、'.join(values[:3])}……(共 {len(values)} 个)"
    advice = _kind_advice if key == "kind" else _closest
    told: dict[str, str] = {}  # the same few words stand in many rows

    def advise(_: int, value: str) -> str:
        if value not in told:
            told[value] = advice(value, values)
        return told[value]

    sheet.fault(key, bad, f"{what or '下列之一'}:{shown}", advise)


def _parsed(sheet: Sheet, column: Column, cells: pd.Series[str]) -> pd.Series:
    shape, expected = _SHAPES[column.type]
    present = cells.notna()
    good = cells.str.fullmatch(shape).fillna(value=False).astype(bool)
    clean = cells.where(good)
    if column.type == "date":
        dates = pd.to_datetime(clean, format="%Y-%m-%d", errors="coerce")
        sheet.fault(column.key, (present & dates.isna()).to_numpy(), expected)
        return dates
    sheet.fault(column.key, (present & ~good).to_numpy(), expected, _number_advice)
    if column.type == "boolean":
        return clean.map({"是": True, "否": False}).astype("boolean")
    numbers = _numbers(clean)
    endless = np.isinf(numbers.to_numpy())
    sheet.fault(column.key, endless, "有限的数")
    numbers = numbers.mask(endless)
    _check_range(sheet, column, numbers)
    return numbers.astype("Int64") if column.type in ("integer", "year") else numbers


def _numbers(cells: pd.Series[str]) -> pd.Series[float]:
    """Make text that has the shape of numbers into numbers; Arrow does it without a Python object for each."""
    try:
        found = pa.array(cells, type=pa.large_string(), from_pandas=True).cast(pa.float64())
    except pa.ArrowInvalid:  # a leading plus sign or point
        return pd.to_numeric(cells).astype("float64")
    return pd.Series(found.to_numpy(zero_copy_only=False).copy(), index=cells.index, dtype="float64")


def _number_advice(_: int, value: str) -> str:
    if seen(value) != value:
        return "其中有看不见的字符:请删去后重新输入"
    bare = one_number(value)
    if bare is None:
        return "一格里有两个数,程序不合并:请只填一个"
    if _DECIMAL_COMMA.fullmatch(bare):
        return f"是否应为“{bare.replace(',', '.')}”(小数点写成了逗号)"
    plain = bare.replace(".", "", 1).lstrip("+-").isdecimal()
    return f"是否应为“{bare}”" if plain and bare != value else ""


_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d+,(?:\d{1,2}|\d{4,})|0+,\d+)")  # three digits behind it are thousands


def _check_range(sheet: Sheet, column: Column, numbers: pd.Series[float]) -> None:
    low, high = column.min, column.max
    if column.type == "year":
        low, high = (_YEARS[0] if low is None else low), (_YEARS[1] if high is None else high)
    if low is None and high is None:
        return
    found = numbers.to_numpy()
    bad = np.zeros(found.shape, dtype=bool)
    words = []
    if low is not None:
        bad |= found < low
        words.append(f"不小于 {low:g}")
    if high is not None:
        bad |= found > high
        words.append(f"不大于 {high:g}")
    sheet.fault(column.key, bad, f"{'且'.join(words)}{f'({column.unit})' if column.unit else ''}的数")


# ---- columns held against each other ------------------------------------------------------------


def _pairs(spec: LayerSpec) -> Iterator[tuple[str, str]]:
    """Yield the pairs of coordinate columns: `lon` with `lat`, `seat_lon` with `seat_lat`."""
    for key, column in spec.columns.items():
        partner = spec.columns.get(key.replace("lon", "lat"))
        if column.type == "longitude" and partner is not None and partner.type == "latitude":
            yield key, partner.key


def _check_positions(sheet: Sheet, spec: LayerSpec, frame: pd.DataFrame, context: Context) -> None:
    west, south, east, north = context.box or (-180.0, -90.0, 180.0, 90.0)
    where = f"本区范围内:经度 {west:g}~{east:g},纬度 {south:g}~{north:g}"
    for lon_key, lat_key in _pairs(spec):
        lon, lat = frame[lon_key].to_numpy(), frame[lat_key].to_numpy()
        no_lon, no_lat = sheet.cells(lon_key).isna().to_numpy(), sheet.cells(lat_key).isna().to_numpy()
        sheet.fault(lon_key, no_lon & ~no_lat, "经度、纬度同时填写或同时留空")
        sheet.fault(lat_key, no_lat & ~no_lon, "经度、纬度同时填写或同时留空")
        # comparisons with NaN are False: what could not be read was told already
        lon_out, lat_out = (lon < west) | (lon > east), (lat < south) | (lat > north)
        swapped = lon_out & lat_out & (lat >= west) & (lat <= east) & (lon >= south) & (lon <= north)
        sheet.fault(lon_key, swapped, where, "经度与纬度似乎写反了,请对调")
        sheet.fault(lon_key, lon_out & ~swapped, where, "请核对坐标及其坐标系")
        sheet.fault(lat_key, lat_out & ~swapped, where, "请核对坐标及其坐标系")


def columns_named(text: object) -> tuple[str, ...]:
    """Read what a row of a table speaks of: ``reservoirs.capacity_wan_m3、…``; nothing from a blank."""
    return tuple(one.strip() for one in text.split("、")) if isinstance(text, str) else ()


def _check_concerns(sheet: Sheet, known: frozenset[str]) -> None:
    """A slip in what a row speaks of would show what must not be seen."""
    wrong = [not known.issuperset(columns_named(one)) for one in sheet.cells(CONCERNS)]
    expected = "“图层编号.列编号”,如 reservoirs.capacity_wan_m3,多列以顿号分开"
    sheet.fault(CONCERNS, np.array(wrong, dtype=bool), expected)


def _check_sources(sheet: Sheet, frame: pd.DataFrame, context: Context) -> None:
    source = frame["source"]
    if context.demo:
        sheet.fault(
            "source", (source.notna() & (source != DEMO)).to_numpy(), "演示", "demo 文件夹内只放演示数据"
        )
    else:
        sheet.fault("source", (source == DEMO).to_numpy(), "文件或导入", "演示数据只放在 demo 文件夹内")
    from_document = (source == "文件").to_numpy()
    # a newspaper has no clauses, so only the document is asked for
    sheet.fault("document", from_document & frame["document"].isna().to_numpy(), "填写(来源为“文件”时必填)")


def _check_placing(sheet: Sheet, frame: pd.DataFrame, *, shaped: bool) -> None:
    """Hold `position` and `error_m` against the coordinates, or the shape."""
    position = frame["position"]
    if shaped:
        placed = sheet.cells("geometry").notna().to_numpy()
        by_town = placed & position.isin(BY_TOWN).to_numpy()
        sheet.fault("position", by_town, "实测、表载坐标、地址匹配、村社近似或空白", "已有图形")
        unsaid = placed & sheet.cells("error_m").isna().to_numpy()
        rough = (position.notna() & ~position.isin([MEASURED, LISTED, *BY_TOWN])).to_numpy()
        sheet.fault("error_m", unsaid & rough, "填写(图形并非实测时必填)")
        return
    placed = sheet.cells("lon").notna().to_numpy() & sheet.cells("lat").notna().to_numpy()
    own = (position.notna() & ~position.isin(BY_TOWN)).to_numpy()
    blank = (sheet.cells("lon").isna() & sheet.cells("lat").isna()).to_numpy()
    sheet.fault("position", own & blank, "驻地近似、镇域近似、未定位或空白", "该定位方式须同时填写经度、纬度")
    sheet.fault("position", placed & (position == UNPLACED).to_numpy(), "其他定位方式", "已填写经度、纬度")
    unsaid = placed & sheet.cells("error_m").isna().to_numpy()
    approximate = (position.notna() & ~position.isin([MEASURED, LISTED, UNPLACED])).to_numpy()
    sheet.fault("error_m", unsaid & approximate, "填写(坐标并非实测时必填)")
