"""Conditions: one test on one column, written in a settings file and held against the columns of a layer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from qjmap._entries import Entry, number
from qjmap.layers import LayerSpec

_BOUNDS = ("min", "max", "over", "under")


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


def read_conditions(entry: Entry, name: str, specs: Iterable[LayerSpec] = ()) -> tuple[Condition, ...]:
    """Read the tests of one field: `{ 列 = 值 }`, `{ 列 = [值, …] }`, `{ 列 = { min, max, over, under, not } }`.

    Parameters
    ----------
    entry
        Where the field stands; what is wrong is told to it.
    name
        The field; left out, it has no tests.
    specs
        The layers on which the tests are made: each must have the column, and it must fit.
    """
    holder = entry.raw.get(name, {})
    if not isinstance(holder, dict) or (name in entry.raw and not holder):
        entry.fault(name, holder, '一张表,如 { kind = "卫生院" }')
        return ()
    specs, found = tuple(specs), []
    for column, value in holder.items():
        place = f"{name}.{column}"
        one = _condition(entry, place, column, value)
        check_column(entry, place, column, specs, one)
        if one is not None:
            found.append(one)
    return tuple(found)


def check_column(
    entry: Entry, name: str, column: str, specs: Iterable[LayerSpec], test: Condition | None
) -> None:
    """Tell the field of that name what keeps a column of these layers from being tested so."""
    for spec in specs:
        known = spec.columns.get(column)
        if known is None:
            entry.fault(name, column, f"“{spec.label}”的列:{'、'.join(spec.columns)}")
            continue
        if test is None:
            continue
        for value in (*test.values, *test.excluded):
            if known.values and value not in known.values:
                entry.fault(name, value, f"“{known.label}”允许的值:{'、'.join(known.values)}")
        if test.numeric and known.type not in ("integer", "number", "year"):
            entry.fault(name, column, f"数字列才能比较大小;“{known.label}”不是数字")


def _condition(entry: Entry, name: str, column: str, value: object) -> Condition | None:
    if isinstance(value, dict) and set(value) != {"not"}:
        bounds = {key: number(one) for key, one in value.items()}
        if not bounds or set(bounds) - set(_BOUNDS) or None in bounds.values():
            entry.fault(name, value, "{ min、max、over、under = 数 } 或 { not = 值 }")
            return None
        low, high = -math.inf, math.inf
        return Condition(
            column,
            minimum=value.get("min", low),
            maximum=value.get("max", high),
            over=value.get("over", low),
            under=value.get("under", high),
        )
    listed = value["not"] if isinstance(value, dict) else value
    values = tuple(listed) if isinstance(listed, list) else (listed,)
    if not values or not all(isinstance(one, str) or number(one) is not None for one in values):
        entry.fault(name, value, "一个值、一列值,或 { min、max、over、under = 数 }、{ not = 值 }")
        return None
    return Condition(column, excluded=values) if isinstance(value, dict) else Condition(column, values)
