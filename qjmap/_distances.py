"""Rules of distance and place: within a radius, within reach of the nearest, outside a zone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from qjmap import coverage
from qjmap._case import (
    NAN,
    NOT_APPLICABLE,
    NOWHERE,
    POSSIBLE,
    SHORT,
    Bools,
    Case,
    Finding,
    Floats,
    Members,
    Place,
    Prepared,
    finding,
    members,
    missing,
    no_register,
    short,
    why,
)
from qjmap._counting import nothing_here, single
from qjmap.standards import METRES, Rule, Zone

FORBIDDEN, TO_CHECK, FREE = "禁止", "须核对", "不在范围"


def radius(rule: Rule, case: Case) -> Prepared:
    """All land must lie within a radius of some facility."""
    shapes = case.shapes
    if rule.unit != METRES or rule.figure is None:
        return Prepared(lambda place: missing(rule, case, place, "时间不能用直线圆代替"))
    if shapes is None:
        return Prepared(lambda place: missing(rule, case, place, "没有可用的街镇界线"))
    if rule.within:
        zone = case.zones.get(rule.within)
        if zone is None:
            return Prepared(
                lambda place: missing(rule, case, place, f"缺:{_WITHIN.get(rule.within, rule.within)}")
            )
        shapes = np.asarray(shapely.intersection(shapes, zone), dtype=object)
    found = members(case, rule.layers, rule.where)
    settings = case.district.towns["setting"].astype(object)
    radius = np.array([rule.figure.of(str(one)) for one in settings])
    x, y, error, strays = _placed(found)
    area = coverage.three_way(_solid(shapes), x, y, radius, error)
    people = coverage.people(area, case.population)
    reason = why(found, rule) or (
        "" if found.sure.all() else f"{int((~found.sure).sum()):,}{rule.counter}情况未知,不知是否计入"
    )

    def at(place: Place) -> Finding:
        assert place is not None  # the whole district is the sum of its townships
        whole, certain = area.area[place] / 1e6, area.certain[place] / 1e6
        if whole == 0:
            return finding(rule, case, place, NOT_APPLICABLE, reason="没有此类范围", demo=found.demo)
        most = (area.uncovered[place] + area.possible_only[place]) / 1e6
        # a facility without a position may lie anywhere, but covers no more than its own disc
        least = max(0.0, area.uncovered[place] - strays * math.pi * radius[place] ** 2) / 1e6
        slack = 1e-9 * whole
        return short(
            rule,
            case,
            place,
            least if least > slack else 0.0,
            most if most > slack else 0.0,
            not found.empty and not rule.partial and bool(found.sure.all()),
            reason
            or (f"{strays}{rule.counter}未定位" if strays else "取决于定位误差" if least <= slack else ""),
            # people are spread evenly over the township, not over a part of it
            people=NAN if rule.within else float(people.uncovered[place]),
            have=certain,
            need=whole,
            unit="平方千米",
            value=certain / whole * 100,
            value_unit="%",
            demo=found.demo,
            planned=bool(found.planned.any()),
            # the share is one of land; people are spread over it and counted apart
            base=whole,
            base_text=land(whole),
        )

    def gap(town: int) -> shapely.Geometry | None:
        _, _, bare = coverage.covered_geometry(_solid(shapes[[town]]), x, y, radius[[town]], error)
        return None if bare[0].is_empty else bare[0]

    return Prepared(at, gap)


def land(km2: float) -> str:
    """Say an area as a denominator."""
    return f"面积{km2:,.1f}平方千米"


_WITHIN = {"built_up": "建成区范围"}


def _solid(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Keep what is a polygon: an intersection may leave lines and points."""
    kinds = shapely.get_type_id(shapes)
    if np.isin(kinds, (3, 6)).all():
        return shapes
    parts = [
        shapely.MultiPolygon([part for part in shapely.get_parts(one) if part.geom_type == "Polygon"])
        for one in shapes
    ]
    return np.array(parts, dtype=object)


def _placed(found: Members) -> tuple[Floats, Floats, Floats, int]:
    """Give positions and errors of the certain members, and how many of them have no position."""
    if not len(found.frame):
        none = np.zeros(0)
        return none, none, none, 0
    x, y, error = (found.numbers(one) for one in ("x", "y", "error_m"))
    placed = _are_placed(found)
    return x[placed], y[placed], np.nan_to_num(error[placed]), int((found.sure & ~placed).sum())


def _are_placed(found: Members) -> Bools:
    if not len(found.frame):
        return np.zeros(0, dtype=bool)
    return found.sure & np.isfinite(found.numbers("x")) & np.isfinite(found.numbers("y"))


def nearest(rule: Rule, case: Case) -> Prepared:
    """Each record must have a facility within a distance."""
    if rule.unit != METRES or rule.figure is None:
        return Prepared(lambda place: missing(rule, case, place, "时间不能用直线圆代替"))
    found, served = members(case, rule.layers, rule.where), members(case, rule.to, rule.to_where)
    certain, nowhere, strays = _reached(rule, case, found, served)
    complete = not found.empty and not served.empty and not rule.partial and bool(served.sure.all())
    reason = why(found, rule) or (no_register(served) if served.empty else "")
    reason = reason or (
        "" if served.sure.all() else f"{int((~served.sure).sum()):,}个设施情况未知,不知是否计入"
    )

    def at(place: Place) -> Finding:
        here = found.here(place)
        if not here.any():
            return nothing_here(rule, case, place, found)
        count, least = int((here & found.sure).sum()), int((here & found.sure & nowhere).sum())
        have = int((here & found.sure & certain).sum())
        answer = short(
            rule,
            case,
            place,
            float(least),
            float(here.sum() - have),
            complete,
            reason or (f"{strays}个设施未定位" if strays else ""),
            people=NAN,
            have=float(have),
            need=float(here.sum()),
            unit=rule.counter,
            value=have / count * 100 if count else NAN,
            value_unit="%",
            demo=found.demo or served.demo,
            planned=bool((found.planned & here).any()) or bool(served.planned.any()),
            base=float(here.sum()),
            base_text=f"名册{int(here.sum()):,}{rule.counter}",
        )
        # a facility without a position may be the one that is missing here
        return _doubted(answer) if strays and answer.status == SHORT else answer

    def gap(town: int) -> shapely.Geometry | None:
        far = found.here(town) & found.sure & nowhere
        return (
            shapely.multipoints(np.column_stack([found.numbers(one)[far] for one in ("x", "y")]))
            if far.any()
            else None
        )

    return Prepared(at, gap)


def _doubted(answer: Finding) -> Finding:
    return Finding(**{**vars(answer), "certainty": POSSIBLE})


def _reached(rule: Rule, case: Case, found: Members, served: Members) -> tuple[Bools, Bools, int]:
    """Tell which of the records have a facility within the distance for certain, and which have none."""
    fx, fy, ferror, strays = _placed(served)
    certain = np.zeros(len(found.frame), dtype=bool)
    nowhere = certain.copy()
    if not len(found.frame) or rule.figure is None:
        return certain, nowhere, strays
    x, y, error = (found.numbers(one) for one in ("x", "y", "error_m"))
    placed = np.isfinite(x) & np.isfinite(y)
    own = np.nan_to_num(error[placed])
    settings = case.district.towns["setting"].astype(object).to_numpy()
    radius = np.array(
        [rule.figure.of(str(settings[one])) if one >= 0 else rule.figure.rural for one in found.town]
    )
    itself = _itself(found, served)[placed] if rule.to == rule.layers else None
    within = coverage.within(x[placed], y[placed], own, fx, fy, ferror, radius[placed], itself)
    certain[placed], nowhere[placed] = within.most <= radius[placed], within.least > radius[placed]
    return certain, nowhere, strays


def _itself(found: Members, served: Members) -> NDArray[np.int64]:
    """Give for each record its own number among the facilities that count, −1 where it does not."""
    return pd.Index(served.rows[_are_placed(served)]).get_indexer(pd.Index(found.rows)).astype(np.int64)


def site_status(
    zone: Zone,
    town: str | None,
    village: str | None = None,
    *,
    point: tuple[float, float] | None = None,
    error_m: float = 0.0,
    geometry: shapely.Geometry | None = None,
) -> str:
    """Tell whether a site lies in a zone where building is forbidden.

    Parameters
    ----------
    zone
        The zone as its document words it.
    town, village
        Where the site is said to be; None where it is not said.
    point
        Its position in metres, if known.
    error_m
        The error of that position, metres.
    geometry
        The zone's own line in metres, if it is known; it decides alone when the site has a position.

    Returns
    -------
    str
        禁止, 须核对 (the words do not settle it) or 不在范围.
    """
    if geometry is not None and point is not None and all(map(math.isfinite, point)):
        place = shapely.Point(point)
        if shapely.distance(geometry, place) > error_m:
            return FREE
        deep = (
            shapely.contains(geometry, place)
            and shapely.distance(shapely.boundary(geometry), place) >= error_m
        )
        return FORBIDDEN if deep else TO_CHECK
    if town is not None and town not in zone.towns:
        return FREE
    if town is not None and village is not None and not any(one in village for one in zone.villages):
        return FREE
    return TO_CHECK


def exclusion(rule: Rule, case: Case) -> Prepared:
    """Nothing of a kind may stand in a zone."""
    found, allowed = members(case, rule.layers, rule.where, every_year=True), single(rule)
    zone, line = case.standards.zones[rule.zone], case.zones.get(rule.zone)
    records = found.frame.to_dict("records")
    states = np.array([_site(rule, zone, line, one) for one in records], dtype="U8")

    def at(place: Place) -> Finding:
        if place is not None and case.name(place) not in (*zone.towns, NOWHERE):
            return finding(rule, case, place, NOT_APPLICABLE, reason="不涉及此范围")
        here = found.here(place)
        inside, perhaps = int((here & (states == FORBIDDEN)).sum()), int((here & (states == TO_CHECK)).sum())
        return short(
            rule,
            case,
            place,
            max(0.0, inside - allowed),
            max(0.0, inside + perhaps - allowed),
            not found.empty,
            f"{perhaps}{rule.unit}须与红线核对" if perhaps else why(found, rule),
            people=NAN,
            have=float(inside),
            need=allowed,
            demo=found.demo,
            base=float(here.sum()),
            base_text=f"名册{int(here.sum())}{rule.unit}",
        )

    def gap(town: int) -> shapely.Geometry | None:
        return None if line is None or case.shapes is None else shapely.intersection(line, case.shapes[town])

    return Prepared(at, gap)


def _site(rule: Rule, zone: Zone, line: shapely.Geometry | None, record: Mapping[Any, Any]) -> str:
    begun = record.get("start_year")
    begun = None if begun is None or pd.isna(begun) else int(begun)
    if rule.start and begun is not None and begun < rule.start.year:
        return FREE
    town, village = (None if pd.isna(record.get(one)) else str(record[one]) for one in ("town", "village"))
    point = (float(record.get("x", NAN)), float(record.get("y", NAN)))
    state = site_status(
        zone,
        town,
        village,
        point=point,
        error_m=float(np.nan_to_num(record.get("error_m", 0.0))),
        geometry=line,
    )
    # begun in the year of the notice: before or after its day is not known
    same_year = begun is None or (rule.start is not None and begun == rule.start.year)
    return TO_CHECK if state == FORBIDDEN and rule.start and same_year else state
