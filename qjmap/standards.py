"""The standards: what the documents demand, as rules in memory; `rulebook` reads them from their file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from qjmap.conditions import Condition
from qjmap.errors import UnknownKeyError

METRES = "米"
CUSTOM = "自定值"

TOWN_QUANTITIES = {
    "population": ("人口", "人"),
    "area_km2": ("面积", "平方千米"),
    "built_up_km2": ("建成区面积", "平方千米"),
    "reach_km": ("驻地到辖区最远处", "千米"),
}
"""What a rule may ask of a township itself: key, then label and unit."""


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
    def reads(self) -> frozenset[str]:
        """The columns of the layers that the rule looks into."""
        tests = (*self.where, *self.to_where, *self.having, *self.when, *self.open)
        said = (*self.value.values(), *self.column.values(), self.figure_column)
        return frozenset((*said, *(one.column for one in tests))) - {""}

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
        if key not in self._rules:
            raise UnknownKeyError(f"没有编号为“{key}”的标准")
        return self._rules[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

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
