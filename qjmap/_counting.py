"""Rules that count: so many for each place, for so many people, with such a property, by such a day."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import shapely

from qjmap._case import (
    NAN,
    NOT_APPLICABLE,
    Case,
    Finding,
    Floats,
    Members,
    Place,
    Prepared,
    bounded,
    column_for,
    compare,
    finding,
    judge,
    members,
    missing,
    no_register,
    short,
    why,
)
from qjmap.standards import TOWN_QUANTITIES, Rule


def presence(rule: Rule, case: Case) -> Prepared:
    """At least so many in each place, or in each village."""
    found, figure = members(case, rule.layers, rule.where), single(rule)
    values, planned = _values(rule, case, found)

    def at(place: Place) -> Finding:
        have, high = _sums(values, found, place)
        units = {"town": 1.0 if place is not None else len(case.towns), "district": 1.0}.get(rule.per_unit)
        need = figure * (case.villages(place) if units is None else units)
        if math.isnan(need):
            return missing(rule, case, place, "村(社区)数未知")
        return bounded(
            rule,
            case,
            place,
            have=have,
            high=high,
            need=need,
            complete=not found.empty and not rule.partial,
            reason=why(found, rule),
            value=have,
            value_unit=rule.unit,
            demo=found.demo,
            planned=planned or bool((found.planned & found.here(place)).any()),
            base=need / figure if figure else NAN,
            base_text=rule.target,
        )

    return Prepared(at)


def per_capita(rule: Rule, case: Case) -> Prepared:
    """So many for so many people, or for so much land."""
    found, figure = members(case, rule.layers, rule.where), single(rule)
    values, planned = _values(rule, case, found)
    label, _ = TOWN_QUANTITIES[rule.of]

    def at(place: Place) -> Finding:
        base = case.quantity(rule.of, place)
        have, high = _sums(values, found, place)
        if math.isnan(base):
            return missing(rule, case, place, f"{label}未知", have=have, demo=found.demo)
        return bounded(
            rule,
            case,
            place,
            have=have,
            high=high,
            need=figure * base / rule.per,
            complete=not found.empty and not rule.partial,
            reason=why(found, rule) or ("名册有未填的数" if high > have else ""),
            value=NAN if found.empty or not base else have / base * rule.per,
            value_unit=f"{rule.unit}/每{rule.per:g}{TOWN_QUANTITIES[rule.of][1]}",
            demo=found.demo,
            planned=planned or bool((found.planned & found.here(place)).any()),
            base=base,
            base_text=case.base_text(rule.of, place),
        )

    return Prepared(at)


def single(rule: Rule) -> float:
    """Give the figure of a rule that has but one."""
    if rule.figure is None or not rule.figure.uniform:
        raise ValueError(f"{rule.id}:此类标准应只有一个数")
    return rule.figure.urban


def _values(rule: Rule, case: Case, found: Members) -> tuple[Floats, bool]:
    """Give what each record counts for (1, or its number), and whether those numbers are only planned."""
    if not rule.value:
        return np.ones(len(found.frame)), False
    year, column = column_for(rule.value, case.year)
    later = bool(year and rule.baseline_year and year > rule.baseline_year)
    return (found.numbers(column) if len(found.frame) else np.zeros(0)), later


def _sums(values: Floats, found: Members, place: Place) -> tuple[float, float]:
    """Give the least and the most there can be: a number left blank may be anything."""
    here = found.here(place)
    sure = here & found.sure
    have = float(np.nansum(values[sure]))
    if np.isnan(values[here]).any():
        return have, math.inf
    return have, float(values[here].sum())


def attribute_share(rule: Rule, case: Case) -> Prepared:
    """A share of the records, towns or villages must have a property."""
    found, figure = members(case, rule.layers, rule.where), single(rule)
    if rule.of != "records":
        return _share_of_places(rule, case, found, figure)
    good, maybe = judge(found.frame, rule.having) if len(found.frame) else (found.sure, found.sure)

    def at(place: Place) -> Finding:
        here = found.here(place)
        count = int((here & found.sure).sum())
        have = int((here & found.sure & good).sum())
        high = have + int((here & found.sure & maybe).sum())
        stray = bool((here & ~found.sure & ~good).any())  # perhaps among them, and perhaps failing
        if not count and not stray:
            return nothing_here(rule, case, place, found)
        return bounded(
            rule,
            case,
            place,
            have=have,
            high=high,
            need=_whole(figure, count),
            complete=not found.empty and not rule.partial and not stray,
            reason=why(found, rule) or _unfilled(high - have, rule.counter),
            value=have / count * 100 if count and high == have else NAN,
            value_unit="%",
            unit=rule.counter,
            demo=found.demo,
            planned=bool((found.planned & here).any()),
            base=count,
            base_text=f"名册{count:,}{rule.counter}",
        )

    return Prepared(at)


def _share_of_places(rule: Rule, case: Case, found: Members, figure: float) -> Prepared:
    """Judge the share of townships or villages that have at least one record."""

    def at(place: Place) -> Finding:
        here, by_village = found.here(place), rule.of == "villages"
        if by_village:
            names = found.frame["village"] if len(found.frame) else pd.Series(dtype="str")
            keys = found.frame["town"].astype(object).astype("str") + "/" + names.astype(object).astype("str")
            count = case.villages(place)
        else:
            keys, count = found.frame["town"], len(case.towns) if place is None else 1
        if not keys.empty:
            have, high = (keys[here & one].nunique() for one in (found.sure, np.ones_like(found.sure)))
        else:
            have = high = 0
        if math.isnan(count):
            return missing(rule, case, place, "村(社区)数未知")
        return bounded(
            rule,
            case,
            place,
            have=have,
            high=high,
            need=_whole(figure, count),
            complete=not found.empty and not rule.partial,
            reason=why(found, rule),
            value=have / count * 100 if count else NAN,
            value_unit="%",
            unit="个村(社区)" if by_village else "个街镇",
            demo=found.demo,
            base=count,
            base_text=f"{count:,.0f}个{'村(社区)' if by_village else '街镇'}",
        )

    return Prepared(at)


def _whole(percent: float, count: float) -> int:
    """Give how many of a number make a percentage at least; the nudge undoes rounding of floats."""
    return math.ceil(percent * count / 100 - 1e-9)


def _unfilled(count: float, counter: str) -> str:
    return f"{count:g}{counter}未填报" if count else ""


def nothing_here(rule: Rule, case: Case, place: Place, found: Members) -> Finding:
    """Answer where there is no record to be judged: nothing to do, or nobody has listed them."""
    if found.empty:
        return missing(rule, case, place, no_register(found), demo=found.demo)
    return finding(rule, case, place, NOT_APPLICABLE, reason="没有此类对象", demo=found.demo)


def attribute_minimum(rule: Rule, case: Case) -> Prepared:
    """Each record must have at least so much of something."""
    found = members(case, rule.layers, rule.where)
    planned = False
    if len(found.frame):
        year, column = column_for(rule.column, case.year)
        planned = bool(year and rule.baseline_year and year > rule.baseline_year)
        values = found.numbers(column)
        target = (
            found.numbers(rule.figure_column) if rule.figure_column else np.full(len(values), single(rule))
        )
    else:
        values = target = np.zeros(0)

    def at(place: Place) -> Finding:
        here = found.here(place)
        if not here.any():
            return nothing_here(rule, case, place, found)
        known = here & found.sure & np.isfinite(values) & np.isfinite(target)
        lacking = np.maximum(target - values, 0)
        unsure = int((here & ~known).sum())
        if rule.count == "records":
            counts = {"have": float((known & (lacking == 0)).sum()), "need": float(here.sum())}
            least, extra, unit = float((known & (lacking > 0)).sum()), float(unsure), rule.counter
        else:
            counts = {"have": float(values[known].sum()), "need": float(target[known].sum())}
            least, unit = float(lacking[known].sum()), rule.unit
            extra = (
                float(np.nansum(target[here & ~known]))
                if np.isfinite(target[here & ~known]).all()
                else math.inf
            )
        return short(
            rule,
            case,
            place,
            least,
            least + extra,
            not found.empty and not rule.partial,
            _unfilled(unsure, rule.counter),
            unit=unit,
            value=NAN,
            demo=found.demo,
            planned=planned or bool((found.planned & here).any()),
            base=float(here.sum()),
            base_text=f"名册{int(here.sum()):,}{rule.counter}",
            **counts,
        )

    return Prepared(at)


def trigger(rule: Rule, case: Case) -> Prepared:
    """A town that is large or far enough must have so many."""
    found, figure = members(case, rule.layers, rule.where), single(rule)

    def at(place: Place) -> Finding:
        if place is None:
            return finding(rule, case, None, NOT_APPLICABLE)
        said, unknown = _triggered(rule, case, place)
        have, high = _sums(np.ones(len(found.frame)), found, place)
        more = {"base": case.quantity("population", place), "base_text": case.base_text("population", place)}
        if not said and not unknown:
            return finding(rule, case, place, NOT_APPLICABLE, reason="未达触发条件", **more)
        if rule.needs:
            state = f"触发:{said}" if said else f"待定:{unknown}"
            return missing(rule, case, place, f"{state};缺:{rule.needs}", need=figure, **more)
        if not said and have < figure:
            return missing(rule, case, place, f"待定:{unknown}", have=have, demo=found.demo, **more)
        return bounded(
            rule,
            case,
            place,
            have=have,
            high=high,
            need=figure,
            complete=not found.empty and not rule.partial,
            reason=why(found, rule) or f"触发:{said}",
            value=have,
            value_unit=rule.unit,
            demo=found.demo,
            **more,
        )

    return Prepared(at)


def _triggered(rule: Rule, case: Case, place: int) -> tuple[str, str]:
    """Say which tests of a trigger hold, and which cannot be told; a lower bound cannot refute one."""
    said, unknown = [], []
    for one in rule.when:
        label, unit = TOWN_QUANTITIES[one.column]
        value = case.quantity(one.column, place)
        passed = bool(compare(np.array([value]), one)[0][0])
        text = f"{label}{value:,.1f}{unit}" if not math.isnan(value) else f"{label}未知"
        if passed:
            said.append(text)
        elif math.isnan(value) or one.column == "reach_km":
            unknown.append(text)
    return "、".join(said), "、".join(unknown)


def deadline(rule: Rule, case: Case) -> Prepared:
    """By a day nothing may be left open."""
    found, allowed = members(case, rule.layers, rule.where), single(rule)
    still, maybe = judge(found.frame, rule.open) if len(found.frame) else (found.sure, found.sure)

    def at(place: Place) -> Finding:
        here = found.here(place)
        if not here.any():
            return nothing_here(rule, case, place, found)
        left, count = int((here & found.sure & still).sum()), int(here.sum())
        perhaps = int((here & (still | maybe)).sum())
        more: dict[str, Any] = {"have": float(left), "need": allowed, "demo": found.demo}
        more |= {"base": float(count), "base_text": f"名册{count:,}{rule.unit}"}
        if rule.date is None or case.day < rule.date:
            return finding(
                rule,
                case,
                place,
                NOT_APPLICABLE,
                reason=f"期限{rule.date}未到,未了结{left}{rule.unit}",
                **more,
            )
        least, most = max(0.0, left - allowed), max(0.0, perhaps - allowed)
        return short(
            rule, case, place, least, most, not found.empty, _unfilled(perhaps - left, rule.unit), **more
        )

    def gap(town: int) -> shapely.Geometry | None:
        left = found.here(town) & found.sure & still
        points = (
            np.column_stack([found.numbers(one)[left] for one in ("x", "y")])
            if left.any()
            else np.zeros((0, 2))
        )
        points = points[np.isfinite(points).all(axis=1)]
        return shapely.multipoints(points) if len(points) else None

    return Prepared(at, gap)
