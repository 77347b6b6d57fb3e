"""The rules: what the documents demand, read from `data/standards.toml` and held against the registry."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from qjmap.errors import Problem, StandardError, UnknownKeyError
from qjmap.layers import LayerSpec, Registry

METRES = "米"
CUSTOM = "自定值"

BINDINGS = ("约束性", "预期性", "未写明")
WORDINGS = ("应", "不应", "宜", "不宜", "须", "可", "禁止", "目标")
STATUSES = ("读过原文", "二手", "待核")
SCOPES = ("town", "district")
TOWN_QUANTITIES = {
    "population": ("人口", "人"),
    "area_km2": ("面积", "平方千米"),
    "built_up_km2": ("建成区面积", "平方千米"),
    "reach_km": ("驻地到辖区最远处", "千米"),
}
"""What a rule may ask of a township itself: key, then label and unit."""

KINDS: Mapping[str, tuple[str, frozenset[str], frozenset[str]]] = {
    # kind: (label, fields it must have, fields it may have), both beside the common ones
    "radius": ("服务半径", frozenset({"figure"}), frozenset({"within"})),
    "nearest": ("最近距离", frozenset({"figure", "to"}), frozenset({"to_where"})),
    "per_capita": ("配置标准", frozenset({"figure", "per"}), frozenset({"value", "of"})),
    "presence": ("应有数量", frozenset({"figure", "per_unit"}), frozenset({"value"})),
    "attribute_share": ("达到条件的比例", frozenset({"figure"}), frozenset({"having", "of"})),
    "attribute_minimum": ("数值下限", frozenset({"column"}), frozenset({"figure", "figure_column", "count"})),
    "trigger": ("触发条件", frozenset({"figure", "when"}), frozenset()),
    "exclusion": ("禁止范围", frozenset({"figure", "zone"}), frozenset({"from"})),
    "deadline": ("到期清零", frozenset({"figure", "open", "date"}), frozenset()),
}
"""Every kind of rule: its label, and the fields it must and may have."""

_REQUIRED = ("title", "kind", "layers", "unit", "binding", "wording", "document", "clause", "department")
_COMMON = (
    frozenset(_REQUIRED)
    | frozenset(
        (
            "source_status",
            "where",
            "towns",
            "except_towns",
            "town_kind",
            "scope",
            "baseline_year",
            "target_year",
        )
    )
    | frozenset(("needs", "partial", "indicator", "indicator_total", "enabled", "note", "counter"))
)
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "binding": BINDINGS,
    "wording": WORDINGS,
    "source_status": STATUSES,
    "scope": SCOPES,
    "town_kind": ("街道", "镇"),
    "per_unit": ("town", "village", "district"),
    "count": ("amount", "records"),
}
_OF = {
    "per_capita": ("population", "area_km2", "built_up_km2"),
    "attribute_share": ("records", "towns", "villages"),
}
_BOUNDS = ("min", "max", "over", "under")
_BY_TOWN = ("radius", "trigger", "exclusion")
_BY_SETTING = ("radius", "nearest")
_FIGURE = "一个数,或 { urban = 数, rural = 数 }"


@dataclass(frozen=True)
class Figure:
    """A rule's number; where town and country differ, one for each."""

    urban: float
    rural: float

    @property
    def uniform(self) -> bool:
        """Whether one number holds everywhere."""
        return self.urban == self.rural

    def of(self, setting: str) -> float:
        """Give the number for a township that is 城区 or 农村."""
        return self.urban if setting == "城区" else self.rural

    def text(self, unit: str) -> str:
        """Write the number with its unit, as on the screen."""
        if self.uniform:
            return f"{self.urban:g}{unit}"
        return f"城区{self.urban:g}{unit}、农村{self.rural:g}{unit}"


@dataclass(frozen=True)
class Condition:
    """One test on one column (or one quantity of a township).

    `values` holds the values that pass, `excluded` those that do not; the four bounds are for numbers,
    `minimum` and `maximum` with the bound itself, `over` and `under` without it.
    """

    column: str
    values: tuple[str | float, ...] = ()
    excluded: tuple[str | float, ...] = ()
    minimum: float = -math.inf
    maximum: float = math.inf
    over: float = -math.inf
    under: float = math.inf

    @property
    def numeric(self) -> bool:
        """Whether the test compares numbers."""
        return not self.values and not self.excluded

    def text(self, label: str = "") -> str:
        """Say the test in words."""
        name = label or self.column
        if self.values:
            return f"{name}为{'、'.join(str(one) for one in self.values)}"
        if self.excluded:
            return f"{name}不为{'、'.join(str(one) for one in self.excluded)}"
        signs = (("≥", self.minimum), ("≤", self.maximum), (">", self.over), ("<", self.under))
        return name + "且".join(f"{sign}{bound:g}" for sign, bound in signs if math.isfinite(bound))


@dataclass(frozen=True)
class Rule:
    """One demand of one document: see the head of `data/standards.toml` for every field.

    `value` and `column` map a year to the column that speaks for it (year 0: for every year). `custom` is
    true once a person has changed the figure; screen and export then say 自定值.
    """

    id: str
    title: str
    kind: str
    layers: tuple[str, ...]
    figure: Figure | None
    unit: str
    binding: str
    wording: str
    document: str
    clause: str
    department: str
    source_status: str
    enabled: bool = True
    note: str = ""
    baseline_year: int | None = None
    target_year: int | None = None
    where: tuple[Condition, ...] = ()
    towns: tuple[str, ...] = ()
    except_towns: tuple[str, ...] = ()
    town_kind: str = ""
    scope: str = "town"
    needs: str = ""
    partial: str = ""
    indicator: str = ""
    indicator_total: str = ""
    within: str = ""
    to: tuple[str, ...] = ()
    to_where: tuple[Condition, ...] = ()
    value: Mapping[int, str] = field(default_factory=dict)
    per: float = 1.0
    of: str = ""
    per_unit: str = "town"
    having: tuple[Condition, ...] = ()
    column: Mapping[int, str] = field(default_factory=dict)
    figure_column: str = ""
    count: str = "amount"
    counter: str = "个"
    when: tuple[Condition, ...] = ()
    zone: str = ""
    start: date | None = None
    open: tuple[Condition, ...] = ()
    date: date | None = None
    custom: bool = False

    @property
    def target(self) -> str:
        """The demand in words, e.g. “城区3500米、农村10000米” or “每1000人8张”."""
        if self.figure is None:
            return "名册中每条记录自己的目标数"
        text = self.figure.text(self.unit)
        if self.kind == "per_capita":
            _, unit = TOWN_QUANTITIES[self.of or "population"]
            return f"每{self.per:g}{unit}{text}"
        if self.kind == "presence":
            return f"{ {'town': '每街镇', 'village': '每村(社区)', 'district': '全区'}[self.per_unit] }{text}"
        return text

    @property
    def metric(self) -> bool:
        """Whether the figure is a distance in metres, fit to draw a circle with."""
        return self.kind in ("radius", "nearest") and self.unit == METRES

    def applies_to(self, town: str, town_kind: str) -> bool:
        """Tell whether the rule speaks of that township (its name; 街道 or 镇)."""
        if town in self.except_towns or (self.towns and town not in self.towns):
            return False
        return not self.town_kind or self.town_kind == town_kind


@dataclass(frozen=True)
class Zone:
    """Land where something is forbidden, as far as words can tell it; its geometry comes from outside."""

    id: str
    title: str
    towns: tuple[str, ...]
    villages: tuple[str, ...]
    document: str
    clause: str
    note: str


class Standards(Mapping[str, Rule]):
    """All rules in the order of the file; a mapping from rule id to `Rule`."""

    def __init__(self, rules: Iterable[Rule], zones: Iterable[Zone] = ()) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self.zones: Mapping[str, Zone] = {zone.id: zone for zone in zones}

    def __getitem__(self, key: str) -> Rule:
        return self.rule(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def __contains__(self, key: object) -> bool:
        return key in self._rules

    def rule(self, rule_id: str) -> Rule:
        """Give one rule.

        Raises
        ------
        UnknownKeyError
            There is no such rule.
        """
        if rule_id not in self._rules:
            raise UnknownKeyError(f"没有编号为“{rule_id}”的标准")
        return self._rules[rule_id]

    def for_layer(self, layer: str, *, enabled: bool = True) -> tuple[Rule, ...]:
        """Give the rules that read a layer, as the things judged or as the facilities that serve them.

        Parameters
        ----------
        layer
            Key of the layer.
        enabled
            Whether to leave out rules that are switched off.
        """
        return tuple(
            rule
            for rule in self._rules.values()
            if (layer in rule.layers or layer in rule.to) and (rule.enabled or not enabled)
        )

    def enabled(self) -> tuple[Rule, ...]:
        """Give the rules that are switched on."""
        return tuple(rule for rule in self._rules.values() if rule.enabled)

    def radius_for(self, layer: str) -> Rule | None:
        """Give the rule whose distance in metres a page draws by default round a layer's facilities.

        A `radius` rule comes before a `nearest` one that has the layer on the serving side, and a rule that
        is switched on before one that is off (a page shows that one as 待核). None when no document gives
        this layer a distance: then a page may ask the person for one (自定值).
        """
        rules = [rule for rule in self.for_layer(layer, enabled=False) if rule.metric]
        fit = [rule for rule in rules if rule.kind == "radius" or layer in rule.to]
        return min(fit, key=lambda rule: (not rule.enabled, rule.kind != "radius"), default=None)


@dataclass(frozen=True)
class Assumption:
    """Something that a person may take for granted where a register says 未知 (or nothing).

    `value` goes into `column` of the records that pass `where`; into the unknown rest goes `otherwise`, if it
    is given. Records that say something themselves are never touched.
    """

    id: str
    title: str
    layer: str
    column: str
    value: str | float
    where: tuple[Condition, ...] = ()
    otherwise: str | float | None = None
    note: str = ""


def with_figure(rule: Rule, figure: float | Mapping[str, float]) -> Rule:
    """Give the rule with a person's own figure, marked 自定值.

    Parameters
    ----------
    rule
        The rule as its document has it.
    figure
        The new number in the rule's unit, or `{"urban": …, "rural": …}`.

    Raises
    ------
    StandardError
        The figure is not a finite number of 0 or more, or the rule has none of its own to change.
    """
    read = _Reader("自定值")
    if rule.figure is None:
        read.fault(f"rules.{rule.id}.figure", figure, "不填(此标准的目标值在名册里逐条给出)")
    found = _figure(read, figure, f"rules.{rule.id}.figure", rule.kind)
    if found is None or read.problems:
        raise StandardError(read.problems)
    return rule if found == rule.figure else replace(rule, figure=found, custom=True)


def titles(documents: pd.DataFrame) -> dict[str, str]:
    """Give each document's title, with its official number in brackets where it has one.

    Parameters
    ----------
    documents
        Index: document id. Columns `title` and `number` (as `District.documents`).
    """
    numbers = documents["number"].fillna("").astype("str")
    return {
        str(key): f"{title}({number})" if number else str(title)
        for key, title, number in zip(documents.index, documents["title"], numbers, strict=True)
    }


def load_standards(path: Path, registry: Registry, documents: Collection[str]) -> Standards:
    """Read the rules.

    Parameters
    ----------
    path
        The file `data/standards.toml`.
    registry
        The layers and tables that rules may read.
    documents
        The ids of the known documents (`District.documents.index`, or a mapping from id to title).

    Returns
    -------
    Standards
        Every rule, switched on or off, in the order of the file.

    Raises
    ------
    StandardError
        The file cannot be read or a rule is wrong; every fault is told with its rule and field.
    """
    read = _Reader(path.name)
    raw = _toml(path, {"rules", "zones"}, read)
    zones = [_zone(read, key, one, documents) for key, one in _entries(read, raw, "zones")]
    known = {zone.id for zone in zones}
    rules = [_rule(read, key, one, registry, documents, known) for key, one in _entries(read, raw, "rules")]
    if read.problems:
        raise StandardError(read.problems)
    return Standards(rules, zones)


def load_assumptions(path: Path, registry: Registry) -> dict[str, Assumption]:
    """Read the assumptions that a person may switch on; each is off until then.

    Parameters
    ----------
    path
        The file `data/assumptions.toml`.
    registry
        The layers they speak of.

    Returns
    -------
    dict
        Assumption id to assumption, in the order of the file.

    Raises
    ------
    StandardError
        The file cannot be read or an assumption is wrong; every fault is told.
    """
    read = _Reader(path.name)
    raw = _toml(path, {"assumptions"}, read)
    found = [_assumption(read, key, one, registry) for key, one in _entries(read, raw, "assumptions")]
    if read.problems:
        raise StandardError(read.problems)
    return {one.id: one for one in found}


def _toml(path: Path, tables: set[str], read: _Reader) -> dict[str, Any]:
    """Read a file that may hold these tables only."""
    try:
        raw = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise StandardError([Problem(path.name, None, None, None, "可以读取的文件", str(error))]) from error
    except UnicodeDecodeError as error:
        raise StandardError([Problem(path.name, None, None, None, "UTF-8 编码的文件")]) from error
    except tomllib.TOMLDecodeError as error:
        raise StandardError([Problem(path.name, None, None, str(error), "合乎 TOML 语法的文件")]) from error
    for key in sorted(raw.keys() - tables):
        read.fault(key, None, f"{'、'.join(sorted(tables))} 之一")
    return raw


@dataclass
class _Reader:
    """Collects what is wrong, with the rule and the field."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def fault(self, entry: str, value: object, expected: str, advice: str = "") -> None:
        shown = None if value is None else str(value)
        self.problems.append(Problem(self.file, None, entry, shown, expected, advice))

    def text(self, raw: Mapping[str, Any], name: str, entry: str, *, required: bool = True) -> str:
        value = raw.get(name, "" if not required else None)
        if isinstance(value, str) and (value.strip() or (not required and name not in raw)):
            return value
        self.fault(f"{entry}.{name}", value, "一段文字")
        return ""

    def texts(self, raw: Mapping[str, Any], name: str, entry: str) -> tuple[str, ...]:
        value = raw.get(name, [])
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        self.fault(f"{entry}.{name}", value, '一列文字,如 ["health"]')
        return ()

    def choice(self, raw: Mapping[str, Any], name: str, entry: str, default: str) -> str:
        value = raw.get(name, default)
        if value not in _CHOICES[name] and not (name not in raw and default == ""):
            self.fault(f"{entry}.{name}", value, f"下列之一:{'、'.join(_CHOICES[name])}")
        return str(value)

    def year(self, raw: Mapping[str, Any], name: str, entry: str) -> int | None:
        value = raw.get(name)
        if value is None or (isinstance(value, int) and 1949 <= value <= 2100):
            return value
        self.fault(f"{entry}.{name}", value, "四位数的年份")
        return None

    def day(self, raw: Mapping[str, Any], name: str, entry: str) -> date | None:
        value = raw.get(name)
        if value is None or isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            self.fault(f"{entry}.{name}", value, "日期,如 2023-11-30")
            return None

    def document(self, raw: Mapping[str, Any], entry: str, documents: Collection[str]) -> str:
        value = self.text(raw, "document", entry)
        if value and value not in documents:
            self.fault(
                f"{entry}.document", value, "documents.csv 中已有的文件编号", "先在 documents.csv 登记文件"
            )
        return value


def _entries(read: _Reader, raw: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Give the tables of `[rules]` or `[zones]`, telling what is not a table."""
    holder = raw.get(name, {})
    if not isinstance(holder, dict):
        read.fault(name, holder, "一组表")
        return []
    for key, one in holder.items():
        if not isinstance(one, dict):
            read.fault(f"{name}.{key}", one, "一张表")
    return [(key, one) for key, one in holder.items() if isinstance(one, dict)]


def _number(value: object) -> float | None:
    """Give the number, or None for what is none (true is an int in Python, but a slip here)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _figure(read: _Reader, value: object, entry: str, kind: str) -> Figure | None:
    pair = (value.get("urban"), value.get("rural")) if isinstance(value, Mapping) else (value, value)
    extra = isinstance(value, Mapping) and set(value) != {"urban", "rural"}
    urban, rural = _number(pair[0]), _number(pair[1])
    if urban is None or rural is None or extra or min(urban, rural) < 0:
        read.fault(entry, value, f"{_FIGURE},不小于 0", "" if value is not None else "请写明标准的数值")
        return None
    if urban != rural and kind not in _BY_SETTING:
        read.fault(entry, value, f"一个数(类型 {kind} 不分城乡)")
    return Figure(urban, rural)


def _condition(read: _Reader, column: str, value: object, entry: str) -> Condition | None:
    """Read `{ 列 = 值 }`, `{ 列 = [值, …] }` or `{ 列 = { min, max, over, under, not } }`."""
    if isinstance(value, dict):
        if set(value) == {"not"}:
            excluded: list[Any] = value["not"] if isinstance(value["not"], list) else [value["not"]]
            return Condition(column, excluded=tuple(excluded))
        if not value or set(value) - set(_BOUNDS) or None in map(_number, value.values()):
            read.fault(entry, value, "{ min、max、over、under = 数 } 或 { not = 值 }")
            return None
        low, high = -math.inf, math.inf
        return Condition(
            column,
            minimum=value.get("min", low),
            maximum=value.get("max", high),
            over=value.get("over", low),
            under=value.get("under", high),
        )
    values: list[Any] = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str) or _number(one) is not None for one in values):
        read.fault(entry, value, "一个值、一列值,或 { min、max、over、under = 数 }")
        return None
    return Condition(column, tuple(values))


def _conditions(
    read: _Reader, raw: Mapping[str, Any], name: str, entry: str, specs: Iterable[LayerSpec]
) -> tuple[Condition, ...]:
    """Read the tests of one field and hold them against the columns of the layers they are made on."""
    holder = raw.get(name, {})
    if not isinstance(holder, dict) or (name in raw and not holder):
        read.fault(f"{entry}.{name}", holder, '一张表,如 { kind = "卫生院" }')
        return ()
    specs = tuple(specs)
    found = []
    for column, value in holder.items():
        place = f"{entry}.{name}.{column}"
        one = _condition(read, column, value, place)
        for spec in specs:
            _check_column(read, spec, column, place, one)
        if one is not None:
            found.append(one)
    return tuple(found)


def _check_column(
    read: _Reader, spec: LayerSpec, column: str, place: str, condition: Condition | None = None
) -> None:
    known = spec.columns.get(column)
    if known is None:
        read.fault(place, column, f"“{spec.label}”的列:{'、'.join(spec.columns)}")
        return
    if condition is None:
        return
    if known.values:
        for value in (*condition.values, *condition.excluded):
            if value not in known.values:
                read.fault(place, value, f"“{known.label}”允许的值:{'、'.join(known.values)}")
    if condition.numeric and known.type not in ("integer", "number", "year"):
        read.fault(place, column, f"数字列才能比较大小;“{known.label}”不是数字")


def _by_year(
    read: _Reader, raw: Mapping[str, Any], name: str, entry: str, specs: Iterable[LayerSpec]
) -> dict[int, str]:
    """Read a column, or one column per year; year 0 stands for every year."""
    value = raw.get(name)
    if value is None:
        return {}
    holder = value if isinstance(value, dict) else {"0": value}
    found: dict[int, str] = {}
    for year, column in holder.items():
        place = f"{entry}.{name}" + (f".{year}" if isinstance(value, dict) else "")
        if not str(year).isdigit() or not isinstance(column, str):
            read.fault(place, column, "列名,或 { 2020 = 列名, 2025 = 列名 }")
            continue
        for spec in specs:
            _check_column(read, spec, column, place, Condition(column))
        found[int(year)] = column
    return found


def _layers(
    read: _Reader, raw: Mapping[str, Any], name: str, entry: str, registry: Registry
) -> tuple[str, ...]:
    keys = read.texts(raw, name, entry)
    for key in keys:
        if key not in registry.layers:
            read.fault(f"{entry}.{name}", key, f"layers.toml 中已有的图层:{'、'.join(registry.layers)}")
    return keys


def _check_fields(read: _Reader, raw: Mapping[str, Any], entry: str) -> str:
    """Check that the kind is known and that its fields, and no others, are there; give the kind."""
    kind = str(raw.get("kind"))
    if kind not in KINDS:
        read.fault(f"{entry}.kind", raw.get("kind"), f"下列类型之一:{'、'.join(KINDS)}")
        return ""
    _, must, may = KINDS[kind]
    for name in sorted(raw.keys() - _COMMON - must - may):
        read.fault(f"{entry}.{name}", raw[name], f"类型 {kind} 的栏目", "这一栏不属于此类型,或拼写有误")
    for name in sorted(must - raw.keys()):
        read.fault(f"{entry}.{name}", None, _FIGURE if name == "figure" else f"类型 {kind} 必须有的栏目")
    if kind in _BY_TOWN and raw.get("scope") == "district":
        read.fault(f"{entry}.scope", "district", f"town(类型 {kind} 逐街镇判定)")
    if raw.get("per_unit") == "district" and raw.get("scope") != "district":
        read.fault(f"{entry}.scope", raw.get("scope"), "district(per_unit 为 district 时)")
    if kind == "attribute_minimum" and ("figure" in raw) == ("figure_column" in raw):
        read.fault(f"{entry}.figure", raw.get("figure"), "figure 和 figure_column 二者有且只有一个")
    return kind


def _rule(
    read: _Reader,
    key: str,
    raw: Mapping[str, Any],
    registry: Registry,
    documents: Collection[str],
    zones: Collection[str],
) -> Rule:
    entry = f"rules.{key}"
    kind = _check_fields(read, raw, entry)
    if "layers" not in raw:
        read.fault(f"{entry}.layers", None, "图层的一列,没有图层时写 []")
    layers, to = _layers(read, raw, "layers", entry, registry), _layers(read, raw, "to", entry, registry)
    specs = [registry.layers[one] for one in layers if one in registry.layers]
    served = [registry.layers[one] for one in to if one in registry.layers]
    _check_rest(read, raw, entry, layers, zones)
    if raw.get("figure_column") is not None:
        for spec in specs:
            _check_column(read, spec, str(raw["figure_column"]), f"{entry}.figure_column", Condition(""))
    when = _conditions(read, raw, "when", entry, ())
    for one in when:
        if one.column not in TOWN_QUANTITIES or not one.numeric:
            read.fault(f"{entry}.when.{one.column}", one.column, f"数量之一:{'、'.join(TOWN_QUANTITIES)}")
    per = _number(raw.get("per", 1))
    if per is None or per <= 0:
        read.fault(f"{entry}.per", raw.get("per"), "大于 0 的数")
    choice, text = read.choice, read.text
    return Rule(
        id=key,
        title=text(raw, "title", entry),
        kind=kind,
        layers=layers,
        figure=_figure(read, raw["figure"], f"{entry}.figure", kind) if "figure" in raw else None,
        unit=text(raw, "unit", entry),
        binding=choice(raw, "binding", entry, ""),
        wording=choice(raw, "wording", entry, ""),
        document=read.document(raw, entry, documents),
        clause=text(raw, "clause", entry),
        department=text(raw, "department", entry),
        source_status=choice(raw, "source_status", entry, "待核"),
        enabled=raw.get("enabled", True) is True,
        note=text(raw, "note", entry, required=False),
        baseline_year=read.year(raw, "baseline_year", entry),
        target_year=read.year(raw, "target_year", entry),
        where=_conditions(read, raw, "where", entry, specs),
        towns=read.texts(raw, "towns", entry),
        except_towns=read.texts(raw, "except_towns", entry),
        town_kind=choice(raw, "town_kind", entry, ""),
        scope=choice(raw, "scope", entry, "town"),
        needs=text(raw, "needs", entry, required=False),
        partial=text(raw, "partial", entry, required=False),
        indicator=text(raw, "indicator", entry, required=False),
        indicator_total=text(raw, "indicator_total", entry, required=False),
        within=text(raw, "within", entry, required=False),
        to=to,
        to_where=_conditions(read, raw, "to_where", entry, served),
        value=_by_year(read, raw, "value", entry, specs),
        per=per or 1.0,
        of=text(raw, "of", entry, required=False) or _OF.get(kind, ("",))[0],
        per_unit=choice(raw, "per_unit", entry, "town"),
        having=_conditions(read, raw, "having", entry, specs),
        column=_by_year(read, raw, "column", entry, specs),
        figure_column=text(raw, "figure_column", entry, required=False),
        count=choice(raw, "count", entry, "amount"),
        counter=text(raw, "counter", entry, required=False) or "个",
        when=when,
        zone=text(raw, "zone", entry, required=False),
        start=read.day(raw, "from", entry),
        open=_conditions(read, raw, "open", entry, specs),
        date=read.day(raw, "date", entry),
    )


def _check_rest(
    read: _Reader, raw: Mapping[str, Any], entry: str, layers: tuple[str, ...], zones: Collection[str]
) -> None:
    """Check what hangs together: switches, sources, zones, and where the answer can come from."""
    for name in ("binding", "wording"):
        if name not in raw:
            read.fault(f"{entry}.{name}", None, f"下列之一:{'、'.join(_CHOICES[name])}")
    enabled, kind = raw.get("enabled", True), raw.get("kind")
    if not isinstance(enabled, bool):
        read.fault(f"{entry}.enabled", enabled, "true 或 false")
    if raw.get("source_status", "待核") == "待核" and enabled is True:
        read.fault(f"{entry}.enabled", "true", "false", "待核的标准不得启用")
    if "zone" in raw and raw["zone"] not in zones:
        read.fault(f"{entry}.zone", raw["zone"], f"[zones] 中已有的范围:{'、'.join(zones)}")
    if "of" in raw and kind in _OF and raw["of"] not in _OF[kind]:
        read.fault(f"{entry}.of", raw["of"], f"下列之一:{'、'.join(_OF[kind])}")
    sources = (layers, raw.get("needs"), raw.get("indicator"))
    if not any(sources) and kind in KINDS:
        read.fault(
            f"{entry}.layers", "[]", "至少一个图层", "没有图层时写明 needs(所缺资料)或 indicator(全区指标)"
        )
    if kind == "attribute_share" and layers and "having" not in raw and raw.get("of", "records") == "records":
        read.fault(f"{entry}.having", None, '达到的条件,如 { fever_clinic = "有" }')


def _zone(read: _Reader, key: str, raw: Mapping[str, Any], documents: Collection[str]) -> Zone:
    entry = f"zones.{key}"
    for name in raw.keys() - {"title", "towns", "villages", "document", "clause", "note"}:
        read.fault(f"{entry}.{name}", raw[name], "范围的栏目")
    if not raw.get("towns"):
        read.fault(f"{entry}.towns", None, "至少一个街镇")
    return Zone(
        key,
        read.text(raw, "title", entry),
        read.texts(raw, "towns", entry),
        read.texts(raw, "villages", entry),
        read.document(raw, entry, documents),
        read.text(raw, "clause", entry),
        read.text(raw, "note", entry, required=False),
    )


def _assumption(read: _Reader, key: str, raw: Mapping[str, Any], registry: Registry) -> Assumption:
    entry = f"assumptions.{key}"
    for name in sorted(raw.keys() - {"title", "layer", "column", "value", "where", "otherwise", "note"}):
        read.fault(f"{entry}.{name}", raw[name], "假设的栏目")
    layer, column = read.text(raw, "layer", entry), read.text(raw, "column", entry)
    specs = [registry.layers[layer]] if layer in registry.layers else []
    if layer and not specs:
        read.fault(f"{entry}.layer", layer, f"layers.toml 中已有的图层:{'、'.join(registry.layers)}")
    for name in ("value", "otherwise") if "otherwise" in raw else ("value",):
        one = _condition(read, column, raw.get(name, []), f"{entry}.{name}")
        for spec in specs:
            _check_column(read, spec, column, f"{entry}.{name}", one)
    return Assumption(
        key,
        read.text(raw, "title", entry),
        layer,
        column,
        raw.get("value", ""),
        _conditions(read, raw, "where", entry, specs),
        raw.get("otherwise"),
        read.text(raw, "note", entry, required=False),
    )


def render_markdown(standards: Standards, documents: Mapping[str, str]) -> str:
    """Write the rules clause by clause, as `docs/standards.md` has them.

    Parameters
    ----------
    standards
        The rules.
    documents
        Document id to title, as `titles` gives them.

    Returns
    -------
    str
        Markdown, one section per document, one table row per rule.
    """
    lines = [
        "# 标准逐条",
        "",
        "本文件由 `data/standards.toml` 生成(`python -m qjmap.cli build-docs`),不要手改。",
        "",
        f"共 {len(standards)} 条,启用 {len(standards.enabled())} 条。待核的一律停用;“缺”表示判定所缺的资料,"
        "在资料补报之前一律答“数据不足”。",
        "",
    ]
    for document in dict.fromkeys(rule.document for rule in standards.values()):
        lines += [f"## {documents.get(document, document)}", "", f"文件编号 `{document}`", ""]
        lines += [
            "| 编号 | 标准 | 条款 | 数值 | 性质 | 用词 | 年份 | 部门 | 资料来源 | 说明 |",
            "|" + "---|" * 10,
        ]
        lines += [_markdown_row(rule) for rule in standards.values() if rule.document == document]
        lines.append("")
    if standards.zones:
        lines += ["## 范围", "", "| 编号 | 范围 | 街镇 | 村(社区) | 条款 | 说明 |", "|" + "---|" * 6]
        for zone in standards.zones.values():
            clause = f"{documents.get(zone.document, zone.document)} {zone.clause}"
            lines.append(
                _cells(
                    f"`{zone.id}`",
                    zone.title,
                    "、".join(zone.towns),
                    "、".join(zone.villages),
                    clause,
                    zone.note,
                )
            )
        lines.append("")
    return "\n".join(lines)


def _markdown_row(rule: Rule) -> str:
    years = "→".join(str(year) for year in (rule.baseline_year, rule.target_year) if year)
    source = rule.source_status + ("" if rule.enabled else "(停用)")
    note = rule.note + (f" 缺:{rule.needs}。" if rule.needs else "")
    note += f" 名册不全:{rule.partial}。" if rule.partial else ""
    kind = KINDS[rule.kind][0]
    demand = f"{kind}:{rule.target}"
    return _cells(
        f"`{rule.id}`",
        rule.title,
        rule.clause,
        demand,
        rule.binding,
        rule.wording,
        years,
        rule.department,
        source,
        note,
    )


def _cells(*cells: str) -> str:
    """Make one table row; a bar inside a cell would open a new one."""
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
