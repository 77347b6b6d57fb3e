"""A rule applied: for any place, and for the whole district."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from qjmap import _counting as counting
from qjmap import _distances as distances
from qjmap._case import (
    CERTAIN,
    ELSEWHERE,
    INDICATOR,
    MET,
    NAN,
    NOT_APPLICABLE,
    NOWHERE,
    POSSIBLE,
    SHORT,
    STATUSES,
    UNKNOWN,
    Case,
    Finding,
    Prepared,
    finding,
    missing,
)
from qjmap.standards import Rule

_KINDS: Mapping[str, Callable[[Rule, Case], Prepared]] = {
    "radius": distances.radius,
    "nearest": distances.nearest,
    "per_capita": counting.per_capita,
    "presence": counting.presence,
    "attribute_share": counting.attribute_share,
    "attribute_minimum": counting.attribute_minimum,
    "trigger": counting.trigger,
    "exclusion": distances.exclusion,
    "deadline": counting.deadline,
}


def prepare(rule: Rule, case: Case) -> Prepared:
    """Make a rule ready to answer for any place."""
    if rule.needs and rule.kind != "trigger":
        return Prepared(lambda place: missing(rule, case, place, f"缺:{rule.needs}"))
    if not rule.layers and rule.kind != "trigger":
        return Prepared(lambda place: missing(rule, case, place, "没有分街镇、分机构的名册"))
    return _KINDS[rule.kind](rule, case)


# ---- the whole district ----------------------------------------------------------------------------


def findings(rule: Rule, case: Case) -> list[Finding]:
    """Answer a rule for every township, for records without one (if there are any), and for the district."""
    ready = prepare(rule, case)
    if rule.scope == "district":
        towns = [_only_district(rule, case, town, ready) for town in range(len(case.towns))]
        whole = ready.at(None)
    else:
        kinds = case.district.towns["kind"].astype(object)
        towns = [
            ready.at(town)
            if rule.applies_to(name, str(kinds[name]))
            else finding(rule, case, town, NOT_APPLICABLE, reason="此标准不涉及该街镇")
            for town, name in enumerate(case.towns)
        ]
        if rule.kind in _BY_RECORD and rule.layers and not rule.needs:
            elsewhere = ready.at(ELSEWHERE)
            towns += [elsewhere] if elsewhere.base > 0 else []
        whole = _sum(rule, case, towns)
    if whole.status == UNKNOWN:
        whole = _by_indicator(rule, case, whole) or whole
    return [*towns, whole]


_BY_RECORD = ("attribute_share", "attribute_minimum", "nearest", "deadline", "exclusion")
"""Kinds that judge records one by one, so that one without a township counts for the district."""


def _only_district(rule: Rule, case: Case, town: int, ready: Prepared) -> Finding:
    """Give a township's share of a district's figure, without judging the township."""
    reason = "只对全区判定"
    if not rule.layers or rule.needs:
        return finding(rule, case, town, NOT_APPLICABLE, reason=reason)
    own = ready.at(town)
    keep = {"status": NOT_APPLICABLE, "reason": reason, "certainty": "", "people": NAN}
    return Finding(**{**vars(own), **keep, "shortfall": NAN, "shortfall_most": NAN})


def _sum(rule: Rule, case: Case, towns: Sequence[Finding]) -> Finding:
    """Add the townships up: short if one is, unknown if one may be, met only if all are."""
    judged = [one for one in towns if one.status != NOT_APPLICABLE]
    counts = {status: sum(one.status == status for one in towns) for status in STATUSES}
    named = {
        status: sum(one.status == status and one.town != NOWHERE for one in towns) for status in STATUSES
    }
    status = next((one for one in (SHORT, UNKNOWN, MET) if counts[one]), NOT_APPLICABLE)
    reason = "、".join(f"{name}{count}个街镇" for name, count in named.items() if count)
    reason += "".join(f",街镇未详的{one.status}" for one in judged if one.town == NOWHERE)
    if status == UNKNOWN:
        told = list(dict.fromkeys(one.reason for one in judged if one.status == UNKNOWN))
        reason = "、".join(told[:2]) + ("等" if len(told) > 2 else "") + f"({reason})"
    lacking = [one for one in judged if one.status == SHORT]
    have, need = (math.fsum(getattr(one, name) for one in judged) for name in ("have", "need"))
    base = float(np.nansum([one.base for one in judged]))
    first = judged[0] if judged else towns[0]
    unknown = counts[UNKNOWN] > 0
    return finding(
        rule,
        case,
        None,
        status,
        reason=reason,
        have=have if judged else NAN,
        need=need if judged else NAN,
        shortfall=NAN if status in (UNKNOWN, NOT_APPLICABLE) else math.fsum(one.shortfall for one in lacking),
        shortfall_most=NAN if unknown or not judged else math.fsum(one.shortfall_most for one in judged),
        unit=first.unit,
        value=_total_value(rule, judged, have, need, base),
        value_unit=first.value_unit,
        people=_people(lacking) if lacking else 0.0 if status == MET else NAN,
        base=base if judged else NAN,
        base_text=_total_base(rule, case, first, base, len(judged)),
        certainty=(POSSIBLE if any(one.certainty == POSSIBLE for one in lacking) else CERTAIN)
        if lacking
        else "",
        demo=any(one.demo for one in towns),
        planned=any(one.planned for one in judged),
    )


def _people(lacking: Sequence[Finding]) -> float:
    """Add up people, leaving out records without a township; unknown when none is known."""
    known = [one.people for one in lacking if not math.isnan(one.people)]
    return math.fsum(known) if known else NAN


def _total_value(rule: Rule, judged: Sequence[Finding], have: float, need: float, base: float) -> float:
    """Give the district's own rate or share from the sums; unknown where a township's is."""
    if not judged or any(math.isnan(one.value) for one in judged):
        return NAN
    if rule.kind == "per_capita":
        return have / base * rule.per if base else NAN
    if rule.kind in ("radius", "nearest"):
        return have / need * 100 if need else NAN
    if rule.kind == "attribute_share":
        return have / base * 100 if base else NAN
    return have


def _total_base(rule: Rule, case: Case, first: Finding, base: float, count: int) -> str:
    if not base:
        return ""
    if first.base_text.startswith("名册"):
        return f"名册{base:,.0f}{rule.counter}"
    if rule.kind in ("presence", "trigger"):
        return f"{count}个街镇"
    if rule.kind == "radius":
        return f"{count}个街镇{distances.land(base)}"
    name = rule.of if rule.kind == "per_capita" else "population"
    return case.base_text(name, None) if count == len(case.towns) else f"{count}个街镇"


def indicator_value(indicators: pd.DataFrame | None, key: str, year: int) -> tuple[int, float] | None:
    """Give the latest year not after `year` for which an indicator has a number, and that number."""
    if indicators is None or not key:
        return None
    rows = indicators[indicators["id"] == key]
    if rows.empty:
        return None
    known = {
        int(str(name).removeprefix("value_")): float(rows[name].iloc[0])
        for name in rows.columns
        if str(name).startswith("value_") and pd.notna(rows[name].iloc[0])
    }
    past = [one for one in known if one <= year]
    return (max(past), known[max(past)]) if past else None


def _by_indicator(rule: Rule, case: Case, register: Finding) -> Finding | None:
    """Answer for the district from the document's own figure, when the registers cannot.

    A target is no evidence: from the target year on only a planned total counts, and it is marked as planned.
    """
    rate = indicator_value(case.indicators, rule.indicator, case.year)
    if rate is None or rule.figure is None:
        return None
    total = indicator_value(case.indicators, rule.indicator_total, case.year)
    later = rule.baseline_year is not None and rate[0] > rule.baseline_year
    if later and (total is None or total[0] != rate[0]):
        return None
    figure, value = counting.single(rule), rate[1]
    more: dict[str, Any] = {
        "value": value,
        "source": INDICATOR,
        "planned": later,
        "certainty": CERTAIN,
        "value_unit": "%"
        if rule.kind == "attribute_share"
        else register.value_unit or f"{rule.unit}/每{rule.per:g}",
        "reason": f"{rate[0]}年{'规划' if later else ''}值{value:g},标准{figure:g};{register.reason}",
    }
    lacking = max(0.0, figure - value)
    if rule.kind == "attribute_share":
        more |= {
            "shortfall": lacking,
            "shortfall_most": lacking,
            "unit": "百分点",
            "need": figure,
            "have": value,
        }
    elif rule.kind == "per_capita" and not rule.needs:
        base = case.quantity("population", None)
        have, need = total[1] if total else value * base / rule.per, figure * base / rule.per
        lacking = max(0.0, need - have) if lacking else 0.0
        more |= {"have": have, "need": need, "shortfall": lacking, "shortfall_most": lacking}
        more |= {"base": base, "base_text": case.base_text("population", None), "estimated": total is None}
    people = 0.0 if value >= figure else NAN if rule.needs else case.quantity("population", None)
    return finding(rule, case, None, MET if value >= figure else SHORT, people=people, **more)
