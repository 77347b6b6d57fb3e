"""The rulebook: `data/standards.toml`, read and held against the registry, every fault with its rule and field."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from qjmap._entries import Entry, number, read_toml
from qjmap.conditions import Condition, check_column, read_conditions
from qjmap.errors import StandardError
from qjmap.layers import LayerSpec, Registry
from qjmap.standards import TOWN_QUANTITIES, Figure, Rule, Standards, Zone

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

_COMMON = frozenset(
    (
        *("title", "kind", "layers", "unit", "binding", "wording", "document", "clause", "department"),
        *("source_status", "where", "towns", "except_towns", "town_kind", "scope", "baseline_year"),
        *("target_year", "needs", "partial", "indicator", "indicator_total", "enabled", "note", "counter"),
    )
)
_BINDINGS = ("约束性", "预期性", "未写明")
_WORDINGS = ("应", "不应", "宜", "不宜", "须", "可", "禁止", "目标")
_STATUSES = ("读过原文", "二手", "待核")
_TO_CHECK = "待核"
_OF = {
    "per_capita": ("population", "area_km2", "built_up_km2"),
    "attribute_share": ("records", "towns", "villages"),
}
"""What a kind may be counted by; the first unless the rule says."""

_BY_PLACE = ("radius", "nearest", "exclusion")
_BY_TOWN = ("radius", "trigger", "exclusion")
_BY_SETTING = ("radius", "nearest")
_FIGURE = "一个数,或 { urban = 数, rural = 数 }"


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
    file = Entry(path.name, "", read_toml(path, StandardError), [])
    file.known(["rules", "zones"], "rules、zones 之一")
    zones = [_zone(key, one, documents) for key, one in file.tables("zones").items()]
    known = [zone.id for zone in zones]
    rules = [_rule(key, one, registry, documents, known) for key, one in file.tables("rules").items()]
    if file.problems:
        raise StandardError(file.problems)
    return Standards(rules, zones)


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
    entry = Entry("自定值", f"rules.{rule.id}", {"figure": figure}, [])
    if rule.figure is None:
        entry.fault("figure", figure, "不填(此标准的目标值在名册里逐条给出)")
    found = _figure(entry, rule.kind)
    if found is None or entry.problems:
        raise StandardError(entry.problems)
    return rule if found == rule.figure else replace(rule, figure=found, custom=True)


def _rule(
    key: str, entry: Entry, registry: Registry, documents: Collection[str], zones: Collection[str]
) -> Rule:
    kind = _kind(entry)
    layers, to = _layers(entry, "layers", registry, kind), _layers(entry, "to", registry, kind)
    _check_together(entry, kind, zones)
    if "figure_column" in entry.raw:
        check_column(entry, "figure_column", entry.text("figure_column"), layers, Condition(""))
    when = read_conditions(entry, "when")
    for one in when:
        if one.column not in TOWN_QUANTITIES or not one.numeric:
            entry.fault(f"when.{one.column}", one.column, f"数量之一:{'、'.join(TOWN_QUANTITIES)}")
    per = number(entry.raw.get("per", 1))
    if per is None or per <= 0:
        entry.fault("per", entry.raw.get("per"), "大于 0 的数")
    return Rule(
        id=key,
        title=entry.text("title"),
        kind=kind,
        layers=tuple(spec.key for spec in layers),
        figure=_figure(entry, kind) if "figure" in entry.raw else None,
        unit=entry.text("unit"),
        binding=entry.choice("binding", _BINDINGS),
        wording=entry.choice("wording", _WORDINGS),
        document=entry.document(documents),
        clause=entry.text("clause"),
        department=entry.text("department"),
        source_status=entry.choice("source_status", _STATUSES, _TO_CHECK),
        enabled=entry.raw.get("enabled", True) is True,
        note=entry.text("note", required=False),
        baseline_year=entry.year("baseline_year"),
        target_year=entry.year("target_year"),
        where=read_conditions(entry, "where", layers),
        towns=entry.texts("towns"),
        except_towns=entry.texts("except_towns"),
        town_kind=entry.choice("town_kind", ("街道", "镇"), ""),
        scope=entry.choice("scope", ("town", "district"), "town"),
        needs=entry.text("needs", required=False),
        partial=entry.text("partial", required=False),
        indicator=entry.text("indicator", required=False),
        indicator_total=entry.text("indicator_total", required=False),
        within=entry.text("within", required=False),
        to=tuple(spec.key for spec in to),
        to_where=read_conditions(entry, "to_where", to),
        value=_by_year(entry, "value", layers),
        per=per or 1.0,
        of=entry.choice("of", _OF[kind], _OF[kind][0]) if kind in _OF else "",
        per_unit=entry.choice("per_unit", ("town", "village", "district"), "town"),
        having=read_conditions(entry, "having", layers),
        column=_by_year(entry, "column", layers),
        figure_column=entry.text("figure_column", required=False),
        count=entry.choice("count", ("amount", "records"), "amount"),
        counter=entry.text("counter", required=False) or "个",
        when=when,
        zone=entry.text("zone", required=False),
        start=entry.day("from"),
        open=read_conditions(entry, "open", layers),
        date=entry.day("date"),
    )


def _kind(entry: Entry) -> str:
    """Check that the kind is known and that its fields, and no others, are there; give the kind."""
    raw, kind = entry.raw, entry.choice("kind", KINDS)
    if not kind:
        return ""
    _, must, may = KINDS[kind]
    entry.known(_COMMON | must | may, f"类型 {kind} 的栏目", "这一栏不属于此类型,或拼写有误")
    for name in sorted(must - raw.keys()):
        entry.fault(name, None, _FIGURE if name == "figure" else f"类型 {kind} 必须有的栏目")
    if kind in _BY_TOWN and raw.get("scope") == "district":
        entry.fault("scope", "district", f"town(类型 {kind} 逐街镇判定)")
    if raw.get("per_unit") == "district" and raw.get("scope") != "district":
        entry.fault("scope", raw.get("scope"), "district(per_unit 为 district 时)")
    if kind == "attribute_minimum" and ("figure" in raw) == ("figure_column" in raw):
        entry.fault("figure", raw.get("figure"), "figure 和 figure_column 二者有且只有一个")
    return kind


def _check_together(entry: Entry, kind: str, zones: Collection[str]) -> None:
    """Check what hangs together: switches, zones, and where the answer can come from."""
    raw = entry.raw
    enabled, layers = raw.get("enabled", True), raw.get("layers")
    if not isinstance(enabled, bool):
        entry.fault("enabled", enabled, "true 或 false")
    if raw.get("source_status", _TO_CHECK) == _TO_CHECK and enabled is True:
        entry.fault("enabled", "true", "false", "待核的标准不得启用")
    if "zone" in raw and raw["zone"] not in zones:
        entry.fault("zone", raw["zone"], f"[zones] 中已有的范围:{'、'.join(zones)}")
    if layers is None:
        entry.fault("layers", None, "图层的一列,没有图层时写 []")
    elif kind and not any((layers, raw.get("needs"), raw.get("indicator"))):
        entry.fault("layers", "[]", "至少一个图层", "没有图层时写明 needs(所缺资料)或 indicator(全区指标)")
    if kind == "attribute_share" and layers and "having" not in raw and raw.get("of", "records") == "records":
        entry.fault("having", None, '达到的条件,如 { fever_clinic = "有" }')


def _layers(entry: Entry, name: str, registry: Registry, kind: str) -> tuple[LayerSpec, ...]:
    """Give the layers of a field; a rule of distance or place speaks of points, for a line is nowhere in particular."""
    keys, of_points = entry.texts(name), kind in _BY_PLACE
    known = registry.points if of_points else registry.layers
    for key in keys:
        if key not in known:
            entry.fault(name, key, f"layers.toml 中已有的{'点' if of_points else ''}图层:{'、'.join(known)}")
    return tuple(known[key] for key in keys if key in known)


def _figure(entry: Entry, kind: str) -> Figure | None:
    value = entry.raw["figure"]
    pair = (value.get("urban"), value.get("rural")) if isinstance(value, Mapping) else (value, value)
    extra = isinstance(value, Mapping) and set(value) != {"urban", "rural"}
    urban, rural = number(pair[0]), number(pair[1])
    if urban is None or rural is None or extra or min(urban, rural) < 0:
        entry.fault("figure", value, f"{_FIGURE},不小于 0", "" if value is not None else "请写明标准的数值")
        return None
    if urban != rural and kind not in _BY_SETTING:
        entry.fault("figure", value, f"一个数(类型 {kind} 不分城乡)")
    return Figure(urban, rural)


def _by_year(entry: Entry, name: str, specs: Iterable[LayerSpec]) -> dict[int, str]:
    """Read a column of numbers, or one column per year; year 0 stands for every year."""
    value = entry.raw.get(name)
    if value is None:
        return {}
    found: dict[int, str] = {}
    for year, column in (value if isinstance(value, dict) else {"0": value}).items():
        place = f"{name}.{year}" if isinstance(value, dict) else name
        if not year.isdecimal() or not isinstance(column, str):
            entry.fault(place, column, "列名,或 { 2020 = 列名, 2025 = 列名 }")
            continue
        check_column(entry, place, column, specs, Condition(column))
        found[int(year)] = column
    return found


def _zone(key: str, entry: Entry, documents: Collection[str]) -> Zone:
    entry.known(("title", "towns", "villages", "document", "clause", "note"), "范围的栏目")
    if not entry.raw.get("towns"):
        entry.fault("towns", None, "至少一个街镇")
    return Zone(
        key,
        entry.text("title"),
        entry.texts("towns"),
        entry.texts("villages"),
        entry.document(documents),
        entry.text("clause"),
        entry.text("note", required=False),
    )
