"""What rules are judged on, the records they count, and the shape of an answer.

Three-valued all the way: a record meets a test, does not, or is unknown (blank or 未知). What is unknown is
never counted as met or as short; it widens the bounds between which the truth lies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from qjmap.assumptions import Assumption
from qjmap.conditions import Condition
from qjmap.district import District, OfficialTotal
from qjmap.registers import Layer
from qjmap.standards import TOWN_QUANTITIES, Rule, Standards

MET, SHORT, UNKNOWN, NOT_APPLICABLE = "达标", "短缺", "数据不足", "不适用"
STATUSES = (MET, SHORT, UNKNOWN, NOT_APPLICABLE)
CERTAIN, POSSIBLE = "确定", "可能"
WHOLE = "全区"
NOWHERE = "街镇未详"
REGISTER, INDICATOR = "名册", "文件指标"

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
NAN = float("nan")


@dataclass(frozen=True)
class Finding:
    """The answer of one rule for one place.

    Parameters
    ----------
    town
        The township, or 全区.
    rule
        The rule as applied: with the person's figure where one was set.
    status
        达标, 短缺, 数据不足 or 不适用.
    reason
        Why, in words, where the numbers do not say it themselves.
    have, need
        What there is for certain and what the rule asks for, in `unit`; NaN where it cannot be said.
    shortfall, shortfall_most
        What is missing at least and at most, in `unit`; equal when nothing is unknown.
    unit
        Unit of the four above.
    value, value_unit
        The figure that stands beside the rule's own: beds per 1,000, a share in %.
    people
        People who live where it is short, evenly spread over the township; NaN where it cannot be said.
    base, base_text
        The denominator, and the words for it with year and source.
    certainty
        确定; 可能 when the answer hinges on errors of position or on unknown records; empty otherwise.
    source
        名册 (worked out from the registers) or 文件指标 (the document's own district figure).
    demo, planned
        Whether it rests on invented records; whether it rests on planned figures, not on what there is.
    assumptions
        Ids of the assumptions it rests on.
    estimated
        Whether `have` was not counted but worked out from a document's rate and the people.
    """

    town: str
    rule: Rule
    status: str
    reason: str = ""
    have: float = NAN
    need: float = NAN
    shortfall: float = NAN
    shortfall_most: float = NAN
    unit: str = ""
    value: float = NAN
    value_unit: str = ""
    people: float = NAN
    base: float = NAN
    base_text: str = ""
    certainty: str = ""
    source: str = REGISTER
    demo: bool = False
    planned: bool = False
    assumptions: tuple[str, ...] = ()
    estimated: bool = False


Place = int | None
"""A township by its number in the district's order; None for the whole district; `ELSEWHERE` for records
whose township no document names."""
ELSEWHERE = -1


@dataclass(frozen=True)
class Prepared:
    """A rule made ready: its answer at a place, and where its gap lies."""

    at: Callable[[Place], Finding]
    gap: Callable[[int], shapely.Geometry | None] = field(default=lambda town: None)


@dataclass(frozen=True, eq=False)
class Case:
    """What rules are judged on: a district's registers in one year."""

    district: District
    layers: Mapping[str, Layer]
    standards: Standards
    year: int
    day: date
    zones: Mapping[str, shapely.Geometry]
    indicators: pd.DataFrame | None
    assumptions: Mapping[str, tuple[Assumption, ...]]

    @cached_property
    def towns(self) -> list[str]:
        """Names of the townships, in the district's order."""
        return [str(name) for name in self.district.towns.index]

    @cached_property
    def total(self) -> OfficialTotal:
        """The official number of people that holds in the year: the latest not after it, else the first."""
        known = sorted(self.district.settings.totals, key=lambda one: one.year)
        return next((one for one in reversed(known) if one.year <= self.year), known[0])

    @cached_property
    def population(self) -> Floats:
        """People by township (estimates that sum to the official total), shape (n,)."""
        return self.district.towns[f"population_{self.total.year}"].to_numpy(dtype=float)

    @cached_property
    def shapes(self) -> NDArray[np.object_] | None:
        """The townships' polygons in metres, or None when the district has no usable boundaries."""
        own = self.district.boundaries.reindex(self.district.towns.index)
        if own.geometry.isna().any():
            return None
        return np.asarray(own.geometry.to_numpy(), dtype=object)

    @cached_property
    def built_up(self) -> Floats:
        """Built-up area by township, km²; NaN while the built-up land is not known."""
        zone = self.zones.get("built_up")
        if zone is None or self.shapes is None:
            return np.full(len(self.towns), NAN)
        return np.asarray(shapely.area(shapely.intersection(self.shapes, zone)) / 1e6, dtype=float)

    @cached_property
    def reach(self) -> Floats:
        """Least distance from a township's seat to its farthest corner, km: its seat's error taken off."""
        towns, reach = self.district.towns, np.full(len(self.towns), NAN)
        if self.shapes is not None:
            seats = shapely.points(towns["seat_x"].fillna(0), towns["seat_y"].fillna(0))
            reach = (shapely.hausdorff_distance(self.shapes, seats) - towns["seat_error_m"].to_numpy()) / 1000
        return np.asarray(np.where(towns["seat_x"].isna(), NAN, reach), dtype=float)

    def quantity(self, name: str, place: Place) -> float:
        """Give a quantity of a township (or its sum over the district); see `TOWN_QUANTITIES`."""
        if name == "population" and place is None:
            return float(self.total.total)
        if place == ELSEWHERE:
            return NAN
        if name == "area_km2":
            values = self.district.towns["area_km2"].to_numpy(dtype=float)
        else:
            values = {"population": self.population, "built_up_km2": self.built_up, "reach_km": self.reach}[
                name
            ]
        return float(values.sum() if place is None else values[place])

    def villages(self, place: Place) -> float:
        """Give the number of villages and communities; NaN where it is not known."""
        counts = self.district.towns["villages_2023"].to_numpy(dtype=float, na_value=NAN)
        return float(counts.sum() if place is None else counts[place])

    def name(self, place: Place) -> str:
        """Give the name of a place."""
        return WHOLE if place is None else NOWHERE if place == ELSEWHERE else self.towns[place]

    def base_text(self, name: str, place: Place) -> str:
        """Say a denominator with its year and source."""
        label, unit = TOWN_QUANTITIES[name]
        number = self.quantity(name, place)
        if math.isnan(number):
            return f"{label}未知"
        if name == "population":
            how = ",分街镇为估算" if place is not None else ""
            known = self.district.documents
            source = str(known.at[self.total.document, "title"]) if self.total.document in known.index else ""
            return f"{self.total.year}年常住人口{number:,.0f}人({source or self.total.document}{how})"
        return f"{label}{number:,.1f}{unit}({self.district.boundary_kind})"


# ---- records ---------------------------------------------------------------------------------------


def judge(frame: pd.DataFrame, conditions: Sequence[Condition]) -> tuple[Bools, Bools]:
    """Tell which records pass every test, and of which it cannot be said.

    Parameters
    ----------
    frame
        Records.
    conditions
        Tests on its columns; none: everything passes.

    Returns
    -------
    tuple of ndarray
        (yes, unknown), bool, shape (n,): a record that fails one test is out even if another is unknown.
    """
    yes, no = np.ones(len(frame), dtype=bool), np.zeros(len(frame), dtype=bool)
    for one in conditions:
        column = frame[one.column]
        if one.numeric:
            passed, missing = compare(column.to_numpy(dtype=float, na_value=NAN), one)
        else:
            column = column.astype(object)
            missing = (column.isna() | (column == "未知")).to_numpy(dtype=bool)
            passed = (
                column.isin(one.values).to_numpy() if one.values else ~column.isin(one.excluded).to_numpy()
            )
        yes &= passed & ~missing
        no |= ~passed & ~missing
    return yes, ~yes & ~no


def compare(values: Floats, one: Condition) -> tuple[Bools, Bools]:
    missing = np.isnan(values)
    with np.errstate(invalid="ignore"):
        passed = (
            (values >= one.minimum) & (values <= one.maximum) & (values > one.over) & (values < one.under)
        )
    return passed, missing


@dataclass(frozen=True)
class Members:
    """The records that a rule counts, for certain (`sure`) or perhaps; `town` is −1 where it is not known.

    `rows` are their numbers in the registers, one after the other.
    """

    frame: pd.DataFrame
    rows: NDArray[np.int64]
    sure: Bools
    town: NDArray[np.int64]
    planned: Bools
    empty: bool
    demo: bool
    labels: str

    def here(self, place: Place) -> Bools:
        """Give the records of a place."""
        return np.ones(len(self.frame), dtype=bool) if place is None else self.town == place

    def numbers(self, column: str) -> Floats:
        """Give a column of numbers, NaN where unknown."""
        return self.frame[column].to_numpy(dtype=float, na_value=NAN)


def members(
    case: Case, keys: Sequence[str], conditions: Sequence[Condition], *, every_year: bool = False
) -> Members:
    """Give the records of some layers that pass the tests and exist in the year.

    现状 exists in every year; 规划 and 在建 from their own year on (unknown without one); 未知 perhaps.
    `empty` tells that one of the registers has no rows at all, so that absence proves nothing.
    """
    layers = [case.layers[key] for key in keys if key in case.layers]
    bare = [key for key in keys if key not in case.layers or case.layers[key].frame.empty]
    labels = "、".join(case.district.registry.spec(key).label for key in bare or keys)
    frames = [one.frame for one in layers if len(one.frame)]
    empty = len(frames) < len(keys)
    if not frames:
        blank = pd.DataFrame({"town": pd.Series(dtype="str")})
        none, nowhere = np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64)
        return Members(blank, nowhere, none, nowhere, none, True, False, labels)
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    yes, unknown = judge(frame, conditions)
    status = frame["status"].astype(object)
    later = status.isin(["规划", "在建"]).to_numpy(dtype=bool)
    if not every_year:
        year = frame["year"].to_numpy(dtype=float, na_value=NAN)
        doubtful = (later & np.isnan(year)) | (status == "未知").to_numpy(dtype=bool)
        coming = later & (year > case.year)
        unknown = (unknown | (yes & doubtful)) & ~coming
        yes &= ~doubtful & ~coming
    keep = yes | unknown
    demo = bool((frame["source"].astype(object) == "演示").any())
    town = case.district.towns.index.get_indexer(pd.Index(frame["town"]))
    return Members(
        frame[keep].reset_index(drop=True),
        np.flatnonzero(keep),
        yes[keep],
        np.asarray(town[keep], dtype=np.int64),
        later[keep],
        empty,
        demo,
        labels,
    )


def column_for(columns: Mapping[int, str], year: int) -> tuple[int, str]:
    """Give the column that speaks for a year: the latest not after it, else the first; and its year."""
    chosen = max((one for one in columns if one <= year), default=min(columns))
    return chosen, columns[chosen]


# ---- findings --------------------------------------------------------------------------------------


def missing(rule: Rule, case: Case, place: Place, reason: str, **more: Any) -> Finding:
    return finding(rule, case, place, UNKNOWN, reason=reason, **more)


def finding(rule: Rule, case: Case, place: Place, status: str, **more: Any) -> Finding:
    used = tuple(one.id for one in case.assumptions.get(rule.id, ()))
    return Finding(case.name(place), rule, status, assumptions=used, **{"unit": rule.unit, **more})


def bounded(
    rule: Rule,
    case: Case,
    place: Place,
    *,
    have: float,
    high: float,
    need: float,
    complete: bool,
    reason: str = "",
    **more: Any,
) -> Finding:
    """Answer from what there is at least (`have`), at most (`high`), and what is asked for."""
    return short(
        rule,
        case,
        place,
        max(0.0, need - high),
        max(0.0, need - have),
        complete,
        reason,
        have=have,
        need=need,
        **more,
    )


def short(
    rule: Rule,
    case: Case,
    place: Place,
    least: float,
    most: float,
    complete: bool,
    reason: str = "",
    people: float | None = None,
    **more: Any,
) -> Finding:
    """Answer from what is missing at least and at most; an incomplete register cannot prove a shortage."""
    slack = 1e-9 * max(1.0, abs(more.get("need", 0.0)))
    if most <= slack:
        return finding(
            rule, case, place, MET, shortfall=0.0, shortfall_most=0.0, people=0.0, certainty=CERTAIN, **more
        )
    if least > slack and complete:
        affected = case.quantity("population", place) if people is None else people
        return finding(
            rule,
            case,
            place,
            SHORT,
            reason=reason,
            shortfall=least,
            shortfall_most=most,
            people=affected,
            certainty=CERTAIN,
            **more,
        )
    bounds = {"shortfall": least, "shortfall_most": most, "certainty": POSSIBLE} if complete else {}
    return missing(rule, case, place, reason or "名册有未知项,无法判定", **bounds, **more)


def no_register(found: Members) -> str:
    return f"没有“{found.labels}”名册"


def why(found: Members, rule: Rule) -> str:
    """Say why absence proves nothing, or nothing at all."""
    if found.empty:
        return no_register(found)
    return f"名册不全:{rule.partial}" if rule.partial else ""
