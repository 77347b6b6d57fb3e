"""The assessment: every rule applied to every township of a district."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import shapely

from qjmap._case import (
    CERTAIN,
    INDICATOR,
    MET,
    NOT_APPLICABLE,
    NOWHERE,
    POSSIBLE,
    REGISTER,
    SHORT,
    STATUSES,
    UNKNOWN,
    WHOLE,
    Case,
    Finding,
    column_for,
    judge,
    members,
)
from qjmap._distances import FORBIDDEN, FREE, TO_CHECK, site_status
from qjmap._rules import findings, indicator_value, prepare
from qjmap.assumptions import Assumption
from qjmap.district import District
from qjmap.errors import UnknownKeyError
from qjmap.registers import Layer
from qjmap.rulebook import with_figure
from qjmap.standards import Rule, Standards

__all__ = [
    "CERTAIN",
    "FORBIDDEN",
    "FREE",
    "INDICATOR",
    "MET",
    "NOT_APPLICABLE",
    "NOWHERE",
    "POSSIBLE",
    "REGISTER",
    "SHORT",
    "STATUSES",
    "TO_CHECK",
    "UNKNOWN",
    "WHOLE",
    "Assessment",
    "Finding",
    "assess",
    "reproduce",
    "site_status",
    "weight",
]

_RULE_COLUMNS = ("title", "kind", "target", "binding", "wording", "document", "clause", "department")
_STRICT = ("禁止", "不应", "应", "须")


@dataclass(frozen=True, eq=False)
class Assessment:
    """What came out: one finding per township and rule, and one per rule for the whole district.

    Parameters
    ----------
    findings
        By rule in the order of the standards, the townships in the district's order, 街镇未详 (records whose
        township no document names) where there are any, then 全区, which sums them up.
    year
        The year judged.
    assumptions
        The assumptions switched on.
    """

    findings: tuple[Finding, ...]
    year: int
    assumptions: tuple[Assumption, ...]
    _case: Case

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    @cached_property
    def _index(self) -> Mapping[tuple[str, str], Finding]:
        return {(one.rule.id, one.town): one for one in self.findings}

    def row(self, rule_id: str, town: str = WHOLE) -> Finding:
        """Give one finding.

        Raises
        ------
        UnknownKeyError
            The rule was not judged, or there is no such township.
        """
        found = self._index.get((rule_id, town))
        if found is None:
            raise UnknownKeyError(f"没有标准“{rule_id}”对“{town}”的结果")
        return found

    def of_rule(self, rule_id: str) -> tuple[Finding, ...]:
        """Give a rule's findings: townships first, the whole district last."""
        return tuple(one for one in self.findings if one.rule.id == rule_id)

    def of_town(self, town: str) -> tuple[Finding, ...]:
        """Give a township's findings (or those of 全区), in the order of the standards."""
        return tuple(one for one in self.findings if one.town == town)

    def shortages(self) -> tuple[Finding, ...]:
        """Give what is short in the townships, weightiest first: binding rules, strict words, most people."""
        short = (one for one in self.findings if one.status == SHORT and one.town != WHOLE)
        return tuple(sorted(short, key=weight))

    def counted(self, rule_id: str) -> pd.DataFrame:
        """Give the records that a rule counts for certain (a `radius` rule's facilities), assumptions filled in.

        Columns as in a layer's frame; no row for a rule that reads no register.
        """
        rule = self.row(rule_id).rule
        found = members(self._case, rule.layers, rule.where)
        return found.frame[found.sure]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The findings as a table.

        Columns: those of `Finding` with `rule` as its id, and the rule's `title`, `kind`, `target`, `binding`,
        `wording`, `document`, `clause`, `department`, `custom`; `assumptions` joined by “、”.
        """
        rows = [
            {field.name: getattr(one, field.name) for field in fields(Finding)}
            | {name: getattr(one.rule, name) for name in (*_RULE_COLUMNS, "custom")}
            | {"rule": one.rule.id, "assumptions": "、".join(one.assumptions)}
            for one in self.findings
        ]
        names = [field.name for field in fields(Finding)]
        return pd.DataFrame(rows, columns=[*names, *_RULE_COLUMNS, "custom"])

    def gap(self, rule_id: str, town: str) -> shapely.Geometry | None:
        """Give what a shortage looks like on the map, in metres of the working projection.

        Uncovered land of a `radius` rule, buildings of a `nearest` or `deadline` rule; worked out when asked
        for. None where nothing is short or the shortage has no shape of its own.
        """
        found = self.row(rule_id, town)
        if found.status != SHORT or town not in self._case.towns:
            return None
        return prepare(found.rule, self._case).gap(self._case.towns.index(town))

    def gaps(self) -> Iterator[tuple[Finding, shapely.Geometry]]:
        """Give every shortage that has a shape, with it."""
        for one in self.findings:
            shape = self.gap(one.rule.id, one.town)
            if shape is not None and not shape.is_empty:
                yield one, shape


def weight(one: Finding) -> tuple[bool, bool, float]:
    """Give what shortages are ordered by, weightiest first: binding rules, strict words, most people."""
    people = 0.0 if math.isnan(one.people) else one.people
    return one.rule.binding != "约束性", one.rule.wording not in _STRICT, -people


def assess(
    district: District,
    layers: Mapping[str, Layer],
    standards: Standards,
    year: int,
    *,
    assumptions: Iterable[Assumption] = (),
    custom: Mapping[str, float | Mapping[str, float]] | None = None,
    indicators: pd.DataFrame | None = None,
    zones: Mapping[str, shapely.Geometry] | None = None,
    day: date | None = None,
    rules: Iterable[str] | None = None,
) -> Assessment:
    """Apply the rules to a district.

    Parameters
    ----------
    district
        Townships, their people and boundaries.
    layers
        Registers by key. A missing or empty one is no proof of absence: its rules answer 数据不足.
    standards
        The rules.
    year
        The year whose registers (columns by year, 规划 records from their year on) and people hold. The demand
        is always the rule's own figure.
    assumptions
        What a person takes for granted; each fills what is unknown, and every finding that may rest on it
        says so.
    custom
        A person's own figures by rule id; those findings have `rule.custom`.
    indicators
        The table `indicators` (`registers.load_table`): the document's district figures, used for 全区 where
        the registers cannot answer.
    zones
        Geometry in metres of zones by id, and of `built_up` land, where it is known.
    day
        The day on which deadlines are looked at; by default the last of the year.
    rules
        Ids of the rules to apply, switched on or not; by default all that are switched on.

    Returns
    -------
    Assessment
        One finding per township and rule, and one for the whole district.

    Raises
    ------
    UnknownKeyError
        `rules` or `custom` names a rule that does not exist.
    StandardError
        A custom figure is not a number of 0 or more.
    """
    chosen = standards.enabled() if rules is None else tuple(standards[one] for one in rules)
    own = {key: with_figure(standards[key], figure) for key, figure in (custom or {}).items()}
    taken = tuple(assumptions)
    filled, used = _assume(layers, taken)
    chosen = tuple(own.get(rule.id, rule) for rule in chosen)
    case = Case(
        district,
        filled,
        standards,
        year,
        day or date(year, 12, 31),
        zones or {},
        indicators,
        {rule.id: tuple(one for one in used if _rests_on(rule, one)) for rule in chosen},
    )
    return Assessment(tuple(one for rule in chosen for one in findings(rule, case)), year, taken, case)


def _assume(
    layers: Mapping[str, Layer], assumptions: Iterable[Assumption]
) -> tuple[dict[str, Layer], list[Assumption]]:
    """Fill what is unknown; give the filled layers and the assumptions that filled anything."""
    filled, used = dict(layers), []
    for one in assumptions:
        layer = filled.get(one.layer)
        if layer is None or layer.frame.empty:
            continue
        frame = layer.frame
        column = frame[one.column]
        missing = column.isna().to_numpy() | (column.astype(object) == "未知").to_numpy(dtype=bool)
        inside = missing & judge(frame, one.where)[0]
        rest = missing & ~inside if one.otherwise is not None else np.zeros(len(frame), dtype=bool)
        if not (inside | rest).any():
            continue
        column = column.mask(inside, one.value)
        if one.otherwise is not None:
            column = column.mask(rest, one.otherwise)
        filled[one.layer] = replace(layer, frame=frame.assign(**{one.column: column}))
        used.append(one)
    return filled, used


def _rests_on(rule: Rule, assumption: Assumption) -> bool:
    own = {one.column for one in (*rule.where, *rule.having, *rule.open)}
    own |= {*rule.value.values(), *rule.column.values(), rule.figure_column}
    served = {one.column for one in rule.to_where}
    return (assumption.layer in rule.layers and assumption.column in own) or (
        assumption.layer in rule.to and assumption.column in served
    )


def reproduce(
    district: District, layers: Mapping[str, Layer], standards: Standards, indicators: pd.DataFrame
) -> pd.DataFrame:
    """Work the documents' own district figures out again, and say where the difference lies.

    Parameters
    ----------
    district, layers, standards
        As for `assess`.
    indicators
        The table `indicators`.

    Returns
    -------
    pandas.DataFrame
        One row per rule that names an indicator and year that has a printed figure. Columns: `rule`, `title`,
        `indicator`, `year`, `unit`, `printed`; `from_total` (the document's own total over the people) and
        `from_register` (the registers' sum over the people, or share), NaN where they do not allow it;
        `register_total`, `printed_total`; `difference` (register − printed), `agrees` (to the printed
        decimals), `explanation`, `document`, `clause`.
    """
    rows = []
    for rule in standards.values():
        for _, indicator in indicators[indicators["id"] == rule.indicator].iterrows():
            for name in (str(one) for one in indicators.columns if str(one).startswith("value_")):
                year, printed = int(name.removeprefix("value_")), float(indicator[name])
                if not math.isnan(printed):
                    case = Case(district, layers, standards, year, date(year, 12, 31), {}, indicators, {})
                    rows.append(_reproduced(rule, case, printed, indicator))
    return pd.DataFrame(rows)


def _reproduced(rule: Rule, case: Case, printed: float, indicator: pd.Series[Any]) -> dict[str, object]:
    total = indicator_value(case.indicators, rule.indicator_total, case.year)
    printed_total = total[1] if total and total[0] == case.year else math.nan
    people = case.quantity("population", None)
    share, by_people = rule.kind == "attribute_share", not rule.needs and case.total.year == case.year
    own, value = _from_register(rule, case)
    decimals = _decimals(printed)
    agrees = math.isfinite(value) and abs(round(value, decimals) - printed) < 10**-decimals / 2
    return {
        "rule": rule.id,
        "title": rule.title,
        "indicator": rule.indicator,
        "year": case.year,
        "unit": "%" if share else f"{rule.unit}/每{rule.per:g}",
        "printed": printed,
        "from_total": printed_total / people * rule.per if by_people and not share else math.nan,
        "from_register": value,
        "register_total": own,
        "printed_total": printed_total,
        "difference": value - printed,
        "agrees": agrees,
        "explanation": _explain(rule, own, printed_total, agrees, value),
        "document": str(indicator["document"]),
        "clause": str(indicator["clause"]),
    }


def _from_register(rule: Rule, case: Case) -> tuple[float, float]:
    """Give the register's own sum (known numbers only) and the rate or share that follows from it."""
    if rule.needs or not rule.layers:
        return math.nan, math.nan
    if rule.kind == "attribute_share":
        own = prepare(rule, case).at(None)
        return own.have, own.value
    if rule.value and 0 not in rule.value and column_for(rule.value, case.year)[0] != case.year:
        return math.nan, math.nan
    found = members(case, rule.layers, rule.where)
    if found.frame.empty:
        return math.nan, math.nan
    values = found.numbers(column_for(rule.value, case.year)[1]) if rule.value else np.ones(len(found.frame))
    if np.isnan(values).all():
        return math.nan, math.nan
    own_total = float(np.nansum(values[found.sure]))
    same = case.total.year == case.year
    return own_total, own_total / case.quantity("population", None) * rule.per if same else math.nan


def _decimals(printed: float) -> int:
    """Give how many decimals a printed figure has, at most two as the plan prints them, at least one."""
    return 1 if abs(printed * 10 - round(printed * 10)) < 1e-9 else 2


def _explain(rule: Rule, own: float, printed_total: float, agrees: bool, value: float) -> str:
    if agrees:
        return "名册算得的数与文件一致(四舍五入后)"
    if rule.needs:
        return f"缺:{rule.needs}"
    if not rule.layers:
        return "名册没有此项,只有文件所载全区数"
    if math.isnan(value):
        return "名册中此项未填报(未知),不能复算"
    gap = f"名册合计{own:,.0f},文件合计{printed_total:,.0f},差{printed_total - own:,.0f}"
    gap = gap if math.isfinite(printed_total) else f"名册算得{value:.2f}"
    return f"{gap}:{rule.partial}" if rule.partial else gap
