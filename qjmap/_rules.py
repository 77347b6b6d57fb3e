"""How each kind of rule is judged: from records and geometry to one finding per place."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from qjmap import coverage
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
    Bools,
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
from qjmap.standards import METRES, TOWN_QUANTITIES, Rule, Zone

FORBIDDEN, TO_CHECK, FREE = "禁止", "须核对", "不在范围"


def prepare(rule: Rule, case: Case) -> Prepared:
    """Make a rule ready to answer for any place."""
    if rule.needs and rule.kind != "trigger":
        return Prepared(lambda place: missing(rule, case, place, f"缺:{rule.needs}"))
    if not rule.layers and rule.kind != "trigger":
        return Prepared(lambda place: missing(rule, case, place, "没有分街镇、分机构的名册"))
    return _KINDS[rule.kind](rule, case)


def _presence(rule: Rule, case: Case) -> Prepared:
    found, figure = members(case, rule.layers, rule.where), _single(rule)
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


def _per_capita(rule: Rule, case: Case) -> Prepared:
    found, figure = members(case, rule.layers, rule.where), _single(rule)
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


def _single(rule: Rule) -> float:
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


def _attribute_share(rule: Rule, case: Case) -> Prepared:
    found, figure = members(case, rule.layers, rule.where), _single(rule)
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
            return _nothing_here(rule, case, place, found)
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


def _nothing_here(rule: Rule, case: Case, place: Place, found: Members) -> Finding:
    """Answer where there is no record to be judged: nothing to do, or nobody has listed them."""
    if found.empty:
        return missing(rule, case, place, no_register(found), demo=found.demo)
    return finding(rule, case, place, NOT_APPLICABLE, reason="没有此类对象", demo=found.demo)


def _attribute_minimum(rule: Rule, case: Case) -> Prepared:
    found = members(case, rule.layers, rule.where)
    planned = False
    if len(found.frame):
        year, column = column_for(rule.column, case.year)
        planned = bool(year and rule.baseline_year and year > rule.baseline_year)
        values = found.numbers(column)
        target = (
            found.numbers(rule.figure_column) if rule.figure_column else np.full(len(values), _single(rule))
        )
    else:
        values = target = np.zeros(0)

    def at(place: Place) -> Finding:
        here = found.here(place)
        if not here.any():
            return _nothing_here(rule, case, place, found)
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


def _trigger(rule: Rule, case: Case) -> Prepared:
    found, figure = members(case, rule.layers, rule.where), _single(rule)

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


def _radius(rule: Rule, case: Case) -> Prepared:
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
        "" if found.sure.all() else f"{int((~found.sure).sum())}{rule.counter}是否属于未知"
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
            base_text=_land(whole),
        )

    def gap(town: int) -> shapely.Geometry | None:
        _, _, bare = coverage.covered_geometry(_solid(shapes[[town]]), x, y, radius[[town]], error)
        return None if bare[0].is_empty else bare[0]

    return Prepared(at, gap)


def _land(km2: float) -> str:
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
    placed = found.sure & np.isfinite(x) & np.isfinite(y)
    return x[placed], y[placed], np.nan_to_num(error[placed]), int((found.sure & ~placed).sum())


def _nearest(rule: Rule, case: Case) -> Prepared:
    if rule.unit != METRES or rule.figure is None:
        return Prepared(lambda place: missing(rule, case, place, "时间不能用直线圆代替"))
    found, served = members(case, rule.layers, rule.where), members(case, rule.to, rule.to_where)
    certain, nowhere, strays = _reached(rule, case, found, served)
    complete = not found.empty and not served.empty and not rule.partial and bool(served.sure.all())
    reason = why(found, rule) or (no_register(served) if served.empty else "")
    reason = reason or ("" if served.sure.all() else f"{int((~served.sure).sum())}个设施是否属于未知")

    def at(place: Place) -> Finding:
        here = found.here(place)
        if not here.any():
            return _nothing_here(rule, case, place, found)
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
    if rule.to == rule.layers:
        least, most = _next_one(x[placed], y[placed], own, fx, fy, ferror)
    else:
        within = coverage.within(x[placed], y[placed], own, fx, fy, ferror, radius[placed])
        least, most = within.least, within.most
    certain[placed], nowhere[placed] = most <= radius[placed], least > radius[placed]
    return certain, nowhere, strays


def _next_one(
    x: Floats, y: Floats, error: Floats, fx: Floats, fy: Floats, ferror: Floats
) -> tuple[Floats, Floats]:
    """Bound the distance to the nearest other record of a layer: the second nearest, itself being first."""
    if fx.size < 2:
        return np.full(x.size, np.inf), np.full(x.size, np.inf)
    found = cKDTree(np.column_stack((fx, fy))).query(np.column_stack((x, y)), k=[2])
    away, index = np.ravel(found[0]), np.ravel(found[1])
    return np.maximum(away - error - ferror.max(), 0), away + error + ferror[index]


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


def _exclusion(rule: Rule, case: Case) -> Prepared:
    found, allowed = members(case, rule.layers, rule.where, every_year=True), _single(rule)
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


def _deadline(rule: Rule, case: Case) -> Prepared:
    found, allowed = members(case, rule.layers, rule.where), _single(rule)
    still, maybe = judge(found.frame, rule.open) if len(found.frame) else (found.sure, found.sure)

    def at(place: Place) -> Finding:
        here = found.here(place)
        if not here.any():
            return _nothing_here(rule, case, place, found)
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


_KINDS: Mapping[str, Callable[[Rule, Case], Prepared]] = {
    "radius": _radius,
    "nearest": _nearest,
    "per_capita": _per_capita,
    "presence": _presence,
    "attribute_share": _attribute_share,
    "attribute_minimum": _attribute_minimum,
    "trigger": _trigger,
    "exclusion": _exclusion,
    "deadline": _deadline,
}


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
        return f"{count}个街镇{_land(base)}"
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
    figure, value = _single(rule), rate[1]
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
