"""The registry: what every layer and table is, read from `data/layers.toml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

from qjmap._entries import number, read_toml
from qjmap.errors import Problem, RegistryError, UnknownKeyError

TYPES = (
    "text",
    "integer",
    "number",
    "year",
    "date",
    "boolean",
    "category",
    "town",
    "longitude",
    "latitude",
    "document",
)
"""What a column may hold."""

GEOMETRIES = ("point", "line", "polygon")
"""What a layer may be made of."""

SHAPE = "shape"
"""The type of the column that a layer of lines or areas has by itself, as its last: WKT in degrees."""

_SHAPE_COLUMNS = (
    "geometry",
    "shape",
    "length_m",
    "area_m2",
    "in_towns",
    "x",
    "y",
)  # a shape layer's frame has these by itself

_NEEDED = {
    "id": "text",
    "name": "text",
    "town": "town",
    "village": "text",
    "kind": "category",
    "status": "category",
    "lon": "longitude",
    "lat": "latitude",
    "position": "category",
    "error_m": "number",
    "source": "category",
    "document": "document",
}
"""Common columns that the program itself speaks of, with their types …"""

_WORDS = {
    "position": ("实测", "表载坐标", "驻地近似", "镇域近似", "未定位"),
    "source": ("文件", "导入", "演示"),
}
"""… and those of their values that it speaks of."""

_UNSAID = ("实测", "表载坐标")
"""Ways of placing a record whose error need not be said."""

_KEY = re.compile(r"[a-z][a-z0-9_]*")
_PATH = re.compile(r"[MmLlHhVvCcSsQqTtAaZz0-9 .,+-]+")  # nothing that could leave an SVG attribute
_FILE = re.compile(r"[A-Za-z0-9_-]+\.csv")  # a bare name: a register cannot point outside its folder


@dataclass(frozen=True)
class Column:
    """One column of a register: its key in the file, its label on the screen, and what it may hold.

    `synonyms` are other names by which people's own files call it, `words` pairs of a word in their cells and the value
    that it means. What lies outside `usual` (lowest, highest)
    is possible but worth a second look: often a slip of the unit. `not_over` is a column's key that it cannot exceed.
    """

    key: str
    label: str
    type: str
    unit: str = ""
    required: bool = False
    unique: bool = False
    values: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None
    note: str = ""
    sensitive: bool = False
    synonyms: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    usual: tuple[float, float] | None = None
    not_over: str = ""


def _shape_column(geometry: str) -> Column:
    named = {"line": "线", "polygon": "面"}[geometry]
    return Column(
        "geometry",
        "图形",
        SHAPE,
        required=True,
        note=f"{named}图形:上传 GeoJSON、Shapefile、GeoPackage、KML 时取自文件;表格中写 WKT,经度在前",
        synonyms=("wkt", "geom", "the_geom", "shape", "几何", "图形wkt", "空间数据"),
    )


@dataclass(frozen=True)
class ByKind:
    """Between which numbers, both included, a column's number lies for each kind, and which document says so.

    `document` is a key of `documents.csv`; `said` is how people read it.
    """

    ranges: Mapping[str, tuple[float, float]]
    document: str
    clause: str
    said: str


@dataclass(frozen=True)
class LayerSpec:
    """What a layer (things with a place) or a table (things without one, `geometry == "none"`) is.

    `counter` is the word that counts them (家, 座, 栋 …). `columns` holds the common columns first; the column `kind`
    has the layer's `kinds` as its values. A layer of lines or areas has no `lon` and `lat`, but a last column
    `geometry`. `by_kind` holds what documents say of a column's numbers for each kind.
    """

    key: str
    label: str
    file: str
    geometry: str
    symbol: str
    department: str
    kinds: tuple[str, ...]
    columns: Mapping[str, Column]
    counter: str = "条"
    by_kind: Mapping[str, ByKind] = field(default_factory=dict)

    @property
    def placed(self) -> bool:
        """Whether the records have a place."""
        return self.geometry != "none"

    @property
    def shaped(self) -> bool:
        """Whether the records are lines or areas."""
        return self.geometry in ("line", "polygon")


@dataclass(frozen=True)
class Assumed:
    """How well a place is known of which nobody says it: an assumption.

    `error_m` are metres; `basis` says why, in Chinese; `said` stands beside the word on screen, blank for nothing.
    """

    error_m: float
    basis: str
    said: str = ""


@dataclass(frozen=True)
class Registry:
    """All layers, tables and symbols.

    `positions` are the ways of placing a record whose error need not be said, each with the least that is assumed then;
    `shifts` are the errors that a conversion from another datum (`gcj02`, `bd09`) brings with it; `lines` says how far
    lines of a kind (`schematic`) may be off.
    """

    layers: Mapping[str, LayerSpec]
    tables: Mapping[str, LayerSpec]
    symbols: Mapping[str, str]
    positions: Mapping[str, Assumed] = field(default_factory=dict)
    shifts: Mapping[str, Assumed] = field(default_factory=dict)
    lines: Mapping[str, Assumed] = field(default_factory=dict)

    @property
    def points(self) -> Mapping[str, LayerSpec]:
        """The layers of points: what standards speak of, and what circles are drawn round."""
        return {key: spec for key, spec in self.layers.items() if not spec.shaped}

    @property
    def shaped(self) -> Mapping[str, LayerSpec]:
        """The layers of lines and areas."""
        return {key: spec for key, spec in self.layers.items() if spec.shaped}

    def spec(self, key: str) -> LayerSpec:
        """Give the layer or table of that key.

        Raises
        ------
        UnknownKeyError
            There is neither a layer nor a table of that key.
        """
        found = self.layers.get(key) or self.tables.get(key)
        if found is None:
            raise UnknownKeyError(f"没有名为“{key}”的图层或表;现有:{'、'.join([*self.layers, *self.tables])}")
        return found


@dataclass
class _Reader:
    """Reads entries of the file and collects what is wrong with them."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def fault(self, entry: str, value: object, expected: str) -> None:
        self.problems.append(Problem(self.file, None, entry, None if value is None else str(value), expected))

    def table(self, holder: Mapping[str, Any], name: str, entry: str) -> dict[str, Any]:
        value = holder.get(name, {})
        if isinstance(value, dict):
            return value
        self.fault(entry, value, "一个表")
        return {}

    def text(
        self, holder: Mapping[str, Any], name: str, entry: str, pattern: re.Pattern[str] | None = None
    ) -> str:
        value = holder.get(name)
        if not isinstance(value, str) or not value.strip():
            self.fault(f"{entry}.{name}", value, "一段文字")
            return ""
        if pattern is not None and not pattern.fullmatch(value):
            self.fault(f"{entry}.{name}", value, f"符合 {pattern.pattern} 的文字")
        return value

    def texts(self, value: object, entry: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            self.fault(entry, value, "一列文字")
            return ()
        if len(set(value)) < len(value):
            self.fault(entry, value, "互不相同的文字")
        return tuple(value)

    def keys(self, holder: Mapping[str, Any], known: Iterable[str], entry: str) -> None:
        known = tuple(known)
        for key in holder:
            if key not in known:
                self.fault(f"{entry}.{key}", None, f"下列项目之一:{'、'.join(known)}")


_OPTIONS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "unit": (str, "一段文字"),
    "note": (str, "一段文字"),
    "required": (bool, "true 或 false"),
    "unique": (bool, "true 或 false"),
    "sensitive": (bool, "true 或 false"),
    "not_over": (str, "另一数值列的列名"),
    "min": ((int, float), "一个数"),
    "max": ((int, float), "一个数"),
}


def _column(read: _Reader, key: str, raw: object, entry: str) -> Column | None:
    """Read one column; `kind` gets its values later, from the layer."""
    if not _KEY.fullmatch(key):
        read.fault(entry, key, "小写字母、数字和下划线组成的列名")
    if not isinstance(raw, dict):
        read.fault(entry, raw, "一个表,如 { label = …, type = … }")
        return None
    read.keys(raw, ("label", "type", "values", "words", "synonyms", "usual", *_OPTIONS), entry)
    label, kind = read.text(raw, "label", entry), raw.get("type")
    if kind not in TYPES:
        read.fault(f"{entry}.type", kind, f"下列类型之一:{'、'.join(TYPES)}")
    options: dict[str, Any] = {}
    for name, (allowed, expected) in _OPTIONS.items():
        if name in raw:
            value = raw[name]
            # bool is an int in Python, but `min = true` is a slip
            if isinstance(value, allowed) and (allowed is bool or not isinstance(value, bool)):
                options[name] = value
            else:
                read.fault(f"{entry}.{name}", value, expected)
    if options.get("min") is not None and options.get("max") is not None and options["min"] > options["max"]:
        read.fault(f"{entry}.min", options["min"], f"不大于 max({options['max']})")
    if "synonyms" in raw:
        options["synonyms"] = read.texts(raw["synonyms"], f"{entry}.synonyms")
    if "usual" in raw:
        usual = raw["usual"]
        if _two_numbers(usual):
            options["usual"] = (float(usual[0]), float(usual[1]))
        else:
            read.fault(f"{entry}.usual", usual, "两个数:[常见最小值, 常见最大值]")
    if "values" in raw:
        options["values"] = read.texts(raw["values"], f"{entry}.values")
        if kind != "category":
            read.fault(f"{entry}.values", raw["values"], "只在 type = category 时填写")
    elif kind == "category" and key != "kind":
        read.fault(f"{entry}.values", None, "category 列的全部允许值")
    options["words"] = _words(read, raw, options.get("values", ()), f"{entry}.words")
    return Column(key, label, str(kind), **options)


def _words(
    read: _Reader, raw: Mapping[str, Any], values: Sequence[str], entry: str
) -> tuple[tuple[str, str], ...]:
    """Read which words mean which value; one word means one value."""
    meant: dict[str, str] = {}
    for value, words in read.table(raw, "words", entry).items():
        if value not in values:
            read.fault(entry, value, f"下列允许值之一:{'、'.join(values)}")
            continue
        for word in read.texts(words, f"{entry}.{value}"):
            if word in values or meant.setdefault(word, value) != value:
                read.fault(f"{entry}.{value}", word, "不是允许值、也不作别的值讲的词")
    return tuple(meant.items())


def _columns(read: _Reader, raw: Mapping[str, Any], entry: str) -> dict[str, Column]:
    found = {key: _column(read, key, one, f"{entry}.{key}") for key, one in raw.items()}
    return {key: one for key, one in found.items() if one is not None}


def _called(
    read: _Reader, common: Mapping[str, Column], raw: Mapping[str, Any], entry: str
) -> dict[str, Column]:
    """Give the common columns by what a layer's own files call them, these names first."""
    columns = dict(common)
    for key, words in raw.items():
        if key not in common:
            read.fault(
                f"{entry}.synonyms.{key}", None, "[common.columns] 中的列名(图层自己的列在列上写 synonyms)"
            )
            continue
        own = read.texts(words, f"{entry}.synonyms.{key}")
        again = [one for one in own if one in common[key].synonyms]
        if again:
            read.fault(f"{entry}.synonyms.{key}", "、".join(again), "[common.columns] 中还没有的同义词")
        columns[key] = replace(common[key], synonyms=(*own, *common[key].synonyms))
    return columns


_PARTS = ("synonyms", "by_kind", "columns")


def _layer(
    read: _Reader, key: str, raw: object, *, common: Mapping[str, Column], symbols: Mapping[str, str]
) -> LayerSpec | None:
    entry = f"layers.{key}"
    if not isinstance(raw, dict):
        read.fault(entry, raw, "一个表")
        return None
    if not _KEY.fullmatch(key):
        read.fault(entry, key, "小写字母、数字和下划线组成的图层名")
    read.keys(
        raw,
        ("label", "file", "geometry", "symbol", "department", "kinds", "counter", *_PARTS),
        entry,
    )
    geometry, symbol = raw.get("geometry"), raw.get("symbol")
    if geometry not in GEOMETRIES:
        read.fault(f"{entry}.geometry", geometry, f"下列之一:{'、'.join(GEOMETRIES)}")
    if not isinstance(symbol, str) or symbol not in symbols:
        read.fault(f"{entry}.symbol", symbol, f"[symbols] 中已有的符号:{'、'.join(symbols)}")
    kinds = read.texts(raw.get("kinds"), f"{entry}.kinds")
    own = _columns(read, read.table(raw, "columns", f"{entry}.columns"), f"{entry}.columns")
    for name in own.keys() & common.keys():
        read.fault(f"{entry}.columns.{name}", None, "不与 [common.columns] 重名的列名")
    columns = {**_called(read, common, read.table(raw, "synonyms", f"{entry}.synonyms"), entry), **own}
    if geometry in ("line", "polygon"):
        for name in own.keys() & set(_SHAPE_COLUMNS):
            read.fault(f"{entry}.columns.{name}", None, "不与线、面图层自带的列重名的列名")
        columns = {name: one for name, one in columns.items() if name not in ("lon", "lat")}
        columns["geometry"] = _shape_column(str(geometry))
    if "kind" in common:
        columns["kind"] = replace(columns["kind"], values=kinds)
    return LayerSpec(
        key,
        read.text(raw, "label", entry),
        read.text(raw, "file", entry, _FILE),
        str(geometry),
        str(symbol),
        read.text(raw, "department", entry),
        kinds,
        columns,
        read.text(raw, "counter", entry) if "counter" in raw else "条",
        _by_kind(read, columns, kinds, read.table(raw, "by_kind", f"{entry}.by_kind"), f"{entry}.by_kind"),
    )


def _by_kind(
    read: _Reader, columns: Mapping[str, Column], kinds: Sequence[str], raw: Mapping[str, Any], entry: str
) -> dict[str, ByKind]:
    """Read what documents say of a column's numbers for each kind; and hold `not_over` against the columns."""
    numbers = [key for key, column in columns.items() if column.type in ("integer", "number")]
    for column in columns.values():
        if column.not_over and (column.key not in numbers or column.not_over not in numbers):
            read.fault(f"{column.key}.not_over", column.not_over, f"下列数值列之一:{'、'.join(numbers)}")
    found: dict[str, ByKind] = {}
    for key, one in raw.items():
        name = f"{entry}.{key}"
        if key not in numbers or not isinstance(one, dict):
            read.fault(name, None, f"下列数值列之一的一个表:{'、'.join(numbers)}")
            continue
        read.keys(one, ("document", "clause", "said", "ranges"), name)
        ranges: dict[str, tuple[float, float]] = {}
        for kind, both in read.table(one, "ranges", f"{name}.ranges").items():
            if kind in kinds and _two_numbers(both):
                ranges[kind] = float(both[0]), float(both[1])
            else:
                read.fault(f"{name}.ranges.{kind}", both, "本图层的一个类别 = [最小值, 最大值]")
        said = (read.text(one, part, name) for part in ("document", "clause", "said"))
        found[key] = ByKind(ranges, *said)
    return found


def _two_numbers(raw: object) -> TypeGuard[list[float]]:
    """Say whether an entry is a pair of numbers, the smaller first."""
    return (
        isinstance(raw, list)
        and len(raw) == 2
        and all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in raw)
        and raw[0] <= raw[1]
    )


def _table(read: _Reader, key: str, raw: object) -> LayerSpec | None:
    entry = f"tables.{key}"
    if not isinstance(raw, dict):
        read.fault(entry, raw, "一个表")
        return None
    read.keys(raw, ("label", "file", "columns"), entry)
    columns = _columns(read, read.table(raw, "columns", f"{entry}.columns"), f"{entry}.columns")
    if not columns:
        read.fault(f"{entry}.columns", None, "至少一列")
    return LayerSpec(
        key, read.text(raw, "label", entry), read.text(raw, "file", entry, _FILE), "none", "", "", (), columns
    )


def _assumed(read: _Reader, raw: object, entry: str, figure: str) -> Assumed:
    """Read an assumption of how well a place is known; its number stands under the name `figure`."""
    if not isinstance(raw, dict):
        read.fault(entry, raw, "一个表")
        raw = {}
    read.keys(raw, (figure, "basis", "said"), entry)
    metres = number(raw.get(figure))
    if metres is None or metres < 0:
        read.fault(f"{entry}.{figure}", raw.get(figure), "不小于 0 的数(米)")
    said = read.text(raw, "said", entry) if "said" in raw else ""
    return Assumed(metres or 0.0, read.text(raw, "basis", entry), said)


def _check_needed(read: _Reader, common: Mapping[str, Column]) -> None:
    for key, kind in _NEEDED.items():
        found, entry = common.get(key), f"common.columns.{key}"
        if found is None or found.type != kind:
            read.fault(entry, found and found.type, f"类型为 {kind} 的列(程序要用)")
        elif lost := [word for word in _WORDS.get(key, ()) if word not in found.values]:
            read.fault(f"{entry}.values", "、".join(found.values), f"含有{'、'.join(lost)}(程序要用)")


def load_registry(path: Path) -> Registry:
    """Read the registry of layers and tables.

    Parameters
    ----------
    path
        The file `data/layers.toml`.

    Returns
    -------
    Registry
        Layers, tables and symbols in the order of the file.

    Raises
    ------
    RegistryError
        The file cannot be read, or an entry is wrong; every fault is told with its entry.
    """
    read = _Reader(path.name)
    raw = read_toml(path, RegistryError)
    for key in raw.keys() - {"common", "positions", "shifts", "lines", "symbols", "layers", "tables"}:
        read.fault(key, None, "common、positions、shifts、lines、symbols、layers、tables 之一")
    holder = read.table(raw, "symbols", "symbols")
    symbols = {key: read.text(holder, key, "symbols", _PATH) for key in holder}
    common = _columns(
        read, read.table(read.table(raw, "common", "common"), "columns", "common.columns"), "common.columns"
    )
    layer = partial(_layer, read, common=common, symbols=symbols)
    layers = {key: layer(key, one) for key, one in read.table(raw, "layers", "layers").items()}
    tables = {key: _table(read, key, one) for key, one in read.table(raw, "tables", "tables").items()}
    positions, shifts, lines = (
        {
            key: _assumed(read, one, f"{part}.{key}", figure)
            for key, one in read.table(raw, part, part).items()
        }
        for part, figure in (("positions", "least_m"), ("shifts", "error_m"), ("lines", "error_m"))
    )
    if layers:
        _check_needed(read, common)
        for key in _UNSAID:
            if key not in positions:
                read.fault(f"positions.{key}", None, "没有写明误差时怎样计(程序要用)")
        for key in positions.keys() - set(_UNSAID):
            read.fault(f"positions.{key}", None, f"下列之一:{'、'.join(_UNSAID)}")
    for key in layers.keys() & tables.keys():
        read.fault(f"tables.{key}", None, "不与图层重名的表名")
    seen: dict[str, str] = {}
    for one in (*layers.values(), *tables.values()):
        if one is not None and seen.setdefault(one.file, one.key) != one.key:
            read.fault(f"{one.key}.file", one.file, f"与“{seen[one.file]}”不同的文件")
    if read.problems:
        raise RegistryError(read.problems)
    return Registry(
        {key: one for key, one in layers.items() if one is not None},
        {key: one for key, one in tables.items() if one is not None},
        symbols,
        positions,
        shifts,
        lines,
    )
