"""Coverage in the plane: which part of each unit (township) lies within a radius of some facility.

Pure geometry: arrays and shapely geometries in the district's working projection, metres in and (square)
metres out. The radius belongs to the place served (an urban or a rural standard), so it is given per unit. A
facility known to an error e covers for certain within R − e and possibly within R + e. A circle is a
straight-line distance, not an isochrone. Every point on the rim counts as covered.

Areas come from the exact arc method of `qjmap._arcs`; shapely is used only where geometries are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from qjmap import _arcs, _rings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]
Units = Sequence[shapely.Geometry] | Shapes

_POLYGON_TYPES = (3, 6)
# Cells of a point × neighbour table worked on at once.
_CELLS = 1_000_000


@dataclass(frozen=True, slots=True)
class Coverage:
    """Three-way coverage by unit, all arrays of shape (n,), square metres.

    Attributes
    ----------
    area
        Area of the unit.
    certain
        Covered whatever the errors of position are.
    possible_only
        Covered only if the errors happen to be kind.
    uncovered
        Not covered in any case. certain + possible_only + uncovered is area.
    """

    area: Floats
    certain: Floats
    possible_only: Floats
    uncovered: Floats

    @property
    def certain_share(self) -> Floats:
        """Share of the unit covered for certain, 0…1; NaN for a unit without area."""
        return _share(self.certain, self.area)

    @property
    def possible_share(self) -> Floats:
        """Share of the unit covered at best (certain and possible together), 0…1."""
        return _share(self.certain + self.possible_only, self.area)

    @property
    def uncovered_share(self) -> Floats:
        """Share of the unit not covered in any case, 0…1."""
        return _share(self.uncovered, self.area)


@dataclass(frozen=True, slots=True)
class People:
    """Three-way coverage in people by unit, all arrays of shape (n,).

    Attributes
    ----------
    population
        People of the unit; NaN where unknown.
    certain, possible_only, uncovered
        As in `Coverage`; their sum is the population.
    """

    population: Floats
    certain: Floats
    possible_only: Floats
    uncovered: Floats

    @property
    def certain_share(self) -> Floats:
        """Share of the people covered for certain, 0…1; NaN without people or if their number is unknown."""
        return _share(self.certain, self.population)

    @property
    def possible_share(self) -> Floats:
        """Share of the people covered at best, 0…1."""
        return _share(self.certain + self.possible_only, self.population)

    @property
    def uncovered_share(self) -> Floats:
        """Share of the people not covered in any case, 0…1."""
        return _share(self.uncovered, self.population)


@dataclass(frozen=True, slots=True)
class Within:
    """Whether each point has a facility within a radius, and the bounds of its distance to the nearest one.

    Attributes
    ----------
    certain
        Bool, shape (m,): within the radius whatever the errors are.
    possible_only
        Bool, shape (m,): within the radius only if the errors are kind.
    least, most
        Bounds of the distance to the nearest facility, shape (m,), metres; inf where there is no facility.
    """

    certain: NDArray[np.bool_]
    possible_only: NDArray[np.bool_]
    least: Floats
    most: Floats

    @property
    def none(self) -> NDArray[np.bool_]:
        """Points with no facility within the radius in any case."""
        return ~(self.certain | self.possible_only)


def covered_areas(
    units: Units,
    x: ArrayLike,
    y: ArrayLike,
    radius: ArrayLike | None = None,
    *,
    radius_per_unit: ArrayLike | None = None,
) -> Floats:
    """Give the exact area of (union of discs ∩ unit) for each unit.

    Parameters
    ----------
    units
        Valid polygons or multipolygons, shape (n,); holes and several parts allowed, shared edges too.
    x, y
        Centres, shape (m,), metres in the units' projection.
    radius
        One radius for all discs or one per disc, shape (m,). Radius ≤ 0 covers nothing.
    radius_per_unit
        Instead: the radius that holds in each unit, shape (n,).

    Returns
    -------
    ndarray, shape (n,)
        Square metres, between 0 and the unit's area.

    Raises
    ------
    ValueError
        If a position or a radius is not a finite number (the message names the indices), if lengths differ,
        if a unit is not a valid polygon, or if not just one of the radii is given.
    """
    shapes = _units(units)
    px, py = _positions(x, y)
    if (radius is None) == (radius_per_unit is None):
        raise ValueError("radius 与 radius_per_unit 应给且只给一个")
    edges = _arcs.edges_of(shapes)
    if radius is not None:
        r = _finite(
            np.broadcast_to(np.asarray(radius, dtype=float), _shape_for(radius, px.size, "radius")), "半径"
        )
        area = _arcs.union_areas(shapes, edges, px, py, r)
        return np.clip(area, 0, shapely.area(shapes))
    return _areas(shapes, edges, px, py, _per_unit(radius_per_unit, shapes.size), np.zeros(px.size))


def three_way(
    units: Units, x: ArrayLike, y: ArrayLike, radius_per_unit: ArrayLike, error_m: ArrayLike = 0.0
) -> Coverage:
    """Give the area of each unit covered for certain, possibly, and not at all.

    Parameters
    ----------
    units
        Valid polygons or multipolygons, shape (n,).
    x, y
        Facilities, shape (m,), metres; those without a position must be left out (and counted) by the caller.
    radius_per_unit
        Radius R that holds in each unit, shape (n,) or one number, metres.
    error_m
        Error e of each facility's position, shape (m,) or one number, metres, ≥ 0.

    Returns
    -------
    Coverage
        certain: within R − e of some facility; possible_only: within R + e but not certain.

    Raises
    ------
    ValueError
        As `covered_areas`; also if an error is negative.
    """
    shapes = _units(units)
    px, py = _positions(x, y)
    error = _errors(error_m, px.size)
    radius = _per_unit(radius_per_unit, shapes.size)
    edges = _arcs.edges_of(shapes)
    area: Floats = shapely.area(shapes)
    certain = _areas(shapes, edges, px, py, radius, -error)
    possible = _areas(shapes, edges, px, py, radius, error) if error.any() else certain
    possible = np.maximum(possible, certain)
    return Coverage(area, certain, possible - certain, area - possible)


def people(coverage: Coverage, population: ArrayLike) -> People:
    """Turn covered area into people, taking the people of a unit to be spread evenly over it.

    Parameters
    ----------
    coverage
        Coverage of n units.
    population
        People of each unit, shape (n,); NaN where unknown, which stays unknown.

    Returns
    -------
    People
        Fractions of people are kept; rounding is for the screen.
    """
    number = np.broadcast_to(np.asarray(population, dtype=float), coverage.area.shape).copy()
    certain = number * coverage.certain_share
    possible = number * coverage.possible_share
    return People(number, certain, possible - certain, number - possible)


def people_at_points(
    px: ArrayLike,
    py: ArrayLike,
    population: ArrayLike,
    unit_index: ArrayLike,
    n_units: int,
    x: ArrayLike,
    y: ArrayLike,
    radius_per_unit: ArrayLike,
    error_m: ArrayLike = 0.0,
    point_error_m: ArrayLike = 0.0,
) -> People:
    """Count people who live at or round known points (villages) and have a facility within the radius of their unit.

    Parameters
    ----------
    px, py
        Points, shape (p,), metres.
    population
        People at each point, shape (p,).
    unit_index
        Unit each point belongs to, shape (p,), 0 … n_units − 1.
    n_units
        Number of units.
    x, y, error_m
        Facilities and the errors of their positions, shape (m,), metres.
    radius_per_unit
        Radius that holds in each unit, shape (n_units,) or one number, metres.
    point_error_m
        How far from its point somebody may live, shape (p,) or one number, metres.

    Returns
    -------
    People
        By unit. A unit without points has population 0 (so shares are NaN), not "uncovered".

    Raises
    ------
    ValueError
        If a position, a population or an error is not a finite number, or an index is out of range.
    """
    vx, vy = _positions(px, py)
    number = _finite(np.broadcast_to(np.asarray(population, dtype=float), vx.shape), "人口")
    index = np.broadcast_to(np.asarray(unit_index, dtype=np.int64), vx.shape)
    wrong = np.flatnonzero((index < 0) | (index >= n_units))
    if wrong.size:
        raise ValueError(f"单元序号应在 0 至 {n_units - 1} 之间,不符的序号:{_some(wrong)}")
    radius = _per_unit(radius_per_unit, n_units)
    found = within(vx, vy, point_error_m, x, y, error_m, radius[index])
    total, certain, possible = (
        np.bincount(index, number * mask, n_units).astype(np.float64)
        for mask in (np.ones(vx.size), found.certain, found.certain | found.possible_only)
    )
    return People(total, certain, possible - certain, total - possible)


def nearest(x: ArrayLike, y: ArrayLike, fx: ArrayLike, fy: ArrayLike) -> tuple[Ints, Floats]:
    """Give the nearest facility of each point.

    Parameters
    ----------
    x, y
        Points, shape (m,), metres.
    fx, fy
        Facilities, shape (f,), metres.

    Returns
    -------
    tuple of ndarray
        Index of the facility, −1 if there is none, and distance in metres, inf if there is none; both (m,).

    Raises
    ------
    ValueError
        If a position is not a finite number.
    """
    px, py = _positions(x, y)
    qx, qy = _positions(fx, fy)
    if not qx.size or not px.size:
        return np.full(px.size, -1), np.full(px.size, np.inf)
    found = cKDTree(np.column_stack((qx, qy))).query(np.column_stack((px, py)), workers=2)
    return np.asarray(found[1], dtype=np.int64), np.asarray(found[0])


def within(
    x: ArrayLike,
    y: ArrayLike,
    error: ArrayLike,
    fx: ArrayLike,
    fy: ArrayLike,
    ferror: ArrayLike,
    radius: ArrayLike,
    itself: ArrayLike | None = None,
) -> Within:
    """Tell for each point whether a facility lies within a radius, both known to an error only.

    A point p (error e_p) and a facility f (error e_f) at measured distance d are apart by at least d − e_p −
    e_f and at most d + e_p + e_f. The facility with the least d + e_f need not be the nearest one: all that
    can matter are looked at.

    Parameters
    ----------
    x, y, error
        Points, shape (m,), and the errors of their positions (m,) or one number, metres.
    fx, fy, ferror
        Facilities, shape (f,), and theirs.
    radius
        Radius for each point, shape (m,) or one number, metres. At radius ≤ 0 nothing is within.
    itself
        For each point the number of the facility that it is itself and that does not count, shape (m,); −1 for
        none. Without it all count.

    Returns
    -------
    Within
        Three answers for each point, and the bounds of the distance to its nearest facility.

    Raises
    ------
    ValueError
        If a position, a radius or an error is not a finite number, or an error is negative.
    """
    px, py = _positions(x, y)
    qx, qy = _positions(fx, fy)
    own, theirs = _errors(error, px.size), _errors(ferror, qx.size)
    r = _finite(
        np.broadcast_to(np.asarray(radius, dtype=float), _shape_for(radius, px.size, "radius")), "半径"
    )
    mine = np.broadcast_to(np.asarray(-1 if itself is None else itself, dtype=np.int64), px.shape)
    most = _least_sum(px, py, qx, qy, theirs, mine) + own
    least = np.maximum(_least_sum(px, py, qx, qy, -theirs, mine) - own, 0)
    certain = (most <= r) & (r > 0)
    return Within(certain, (least <= r) & (r > 0) & ~certain, least, most)


def covered_geometry(
    units: Units,
    x: ArrayLike,
    y: ArrayLike,
    radius_per_unit: ArrayLike,
    error_m: ArrayLike | None = None,
    quad_segs: int = 32,
) -> tuple[Shapes, Shapes, Shapes]:
    """Draw what `three_way` measures, for export and print.

    Circles become polygons of 4 · quad_segs corners, a little outside the rim (0.02 % of the radius at 32) so
    that each has just the disc's area. No outline is off by more than π² / (8 · quad_segs²) of the radius
    (0.12 %, 18 cm at 150 m), and areas agree with `three_way` to some 1e-4; figures must come from there.

    Parameters
    ----------
    units, x, y, radius_per_unit, error_m
        As in `three_way`.
    quad_segs
        Segments per quarter of a circle.

    Returns
    -------
    tuple of ndarray
        (certain, possible_only, uncovered), each (n,) polygons or multipolygons (empty where there is
        nothing), which together make up the unit and do not overlap.
    """
    shapes = _units(units)
    px, py = _positions(x, y)
    error = _errors(0.0 if error_m is None else error_m, px.size)
    radius = _per_unit(radius_per_unit, shapes.size)
    certain = _union_within(shapes, px, py, radius, -error, quad_segs)
    if not error.any():
        none = np.full(shapes.size, shapely.MultiPolygon(), dtype=object)
        return certain, none, _polygons(shapely.difference(shapes, certain))
    possible = _union_within(shapes, px, py, radius, error, quad_segs)
    # Drawn circles are not quite round: where both outlines show a circle, "certain" may look out by a sliver.
    uncovered = shapely.difference(shapely.difference(shapes, possible), certain)
    return certain, _polygons(shapely.difference(possible, certain)), _polygons(uncovered)


# ---- areas ---------------------------------------------------------------------------------------


def _areas(shapes: Shapes, edges: _arcs.Edges, x: Floats, y: Floats, radius: Floats, extra: Floats) -> Floats:
    """Give the area covered in each unit by discs of the unit's radius plus each disc's own extra."""
    area = np.zeros(shapes.size)
    for r in np.unique(radius[radius > 0]):
        chosen = radius == r
        area[chosen] = _arcs.union_areas(shapes[chosen], edges.of(chosen), x, y, r + extra)
    return np.clip(area, 0, shapely.area(shapes))


# ---- distances -----------------------------------------------------------------------------------


def _least_sum(x: Floats, y: Floats, fx: Floats, fy: Floats, extra: Floats, itself: Ints) -> Floats:
    """Give for each point the least of distance + extra over the facilities but itself, (m,); inf if there are none.

    Facilities of one extra need their nearest one only; among several, neighbours are asked for until the
    next could not do better even with the group's least extra.
    """
    best = np.full(x.size, np.inf)
    if not fx.size:
        return best
    at = np.column_stack((x, y))
    order = np.argsort(extra, kind="stable")
    for group in np.array_split(order, min(16, np.unique(extra).size)):
        tree, values = cKDTree(np.column_stack((fx[group], fy[group]))), np.append(extra[group], np.inf)
        pending, k = np.arange(x.size), 1
        while pending.size:
            k = min(k, group.size)
            again = []
            rows = max(1, _CELLS // k)
            for start in range(0, pending.size, rows):
                part = pending[start : start + rows]
                found = tree.query(at[part], k=np.arange(1, k + 1), workers=2)
                distance: Floats = np.asarray(found[0])
                summed = distance + values[found[1]]
                summed[np.append(group, -2)[found[1]] == itself[part, None]] = np.inf
                best[part] = np.minimum(best[part], np.min(summed, axis=1))
                again.append(part[distance[:, -1] + values[0] < best[part]])
            pending = np.concatenate(again) if k < group.size else pending[:0]
            k *= 4
    return best


# ---- geometry ------------------------------------------------------------------------------------


def _union_within(
    shapes: Shapes, x: Floats, y: Floats, radius: Floats, extra: Floats, quad_segs: int
) -> Shapes:
    """Give the union of discs (the unit's radius plus each disc's extra) inside each unit, as polygons."""
    out = np.full(shapes.size, shapely.MultiPolygon(), dtype=object)
    bounds = shapely.bounds(shapes)
    for r in np.unique(radius[radius > 0]):
        chosen = np.flatnonzero((radius == r) & ~shapely.is_empty(shapes))
        discs = _arcs.near_discs(_arcs.distinct_discs(x, y, r + extra), bounds[chosen])
        outlines = _rings.outlines(discs, quad_segs)
        unit, part = shapely.STRtree(outlines).query(shapes[chosen], predicate="intersects")
        pieces = shapely.intersection(outlines[part], shapes[chosen[unit]])
        for k in np.unique(unit):
            out[chosen[k]] = shapely.multipolygons(_polygon_parts(pieces[unit == k]))
    return out


def _polygons(shapes: Shapes) -> Shapes:
    """Keep the polygons of each geometry: overlays leave points and lines where boundaries merely touch."""
    for i in np.flatnonzero(~np.isin(shapely.get_type_id(shapes), _POLYGON_TYPES)):
        shapes[i] = shapely.multipolygons(_polygon_parts(shapes[i : i + 1]))
    return shapes


def _polygon_parts(shapes: Shapes) -> Shapes:
    """Take geometries apart, collections too, and keep the polygons."""
    parts = shapely.get_parts(shapely.get_parts(shapes))
    polygons: Shapes = parts[(shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)]
    return polygons


# ---- what comes in -------------------------------------------------------------------------------


def _units(units: Units) -> Shapes:
    shapes = np.asarray(units, dtype=object)
    if shapes.ndim != 1:
        raise ValueError(f"单元应为一维的面要素序列,现为 {shapes.ndim} 维")
    wrong = np.flatnonzero(~np.isin(shapely.get_type_id(shapes), _POLYGON_TYPES))
    if wrong.size:
        raise ValueError(f"单元应为面(Polygon 或 MultiPolygon),不符的序号:{_some(wrong)}")
    broken = np.flatnonzero(~shapely.is_valid(shapes))
    if broken.size:
        raise ValueError(f"单元的边界自相交或不闭合,序号:{_some(broken)}")
    return shapes


def _positions(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    px, py = np.atleast_1d(np.asarray(x, dtype=float)), np.atleast_1d(np.asarray(y, dtype=float))
    if px.ndim != 1 or px.shape != py.shape:
        raise ValueError(f"x 与 y 应为同样长的一维数组,现为 {px.shape} 与 {py.shape}")
    wrong = np.flatnonzero(~(np.isfinite(px) & np.isfinite(py)))
    if wrong.size:
        raise ValueError(f"坐标应为有限的数,未定位的记录应先剔除并另行计数,序号:{_some(wrong)}")
    return px, py


def _shape_for(value: ArrayLike, size: int, name: str) -> tuple[int]:
    shape = np.shape(value)
    if shape not in ((), (size,)):
        raise ValueError(f"{name} 应为一个数或 {size} 个数,现为 {shape}")
    return (size,)


def _finite(values: Floats, name: str) -> Floats:
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        raise ValueError(f"{name}应为有限的数,不符的序号:{_some(wrong)}")
    return values


def _per_unit(radius: ArrayLike | None, n: int) -> Floats:
    values = np.asarray(radius, dtype=float)
    return _finite(np.broadcast_to(values, _shape_for(values, n, "radius_per_unit")), "半径")


def _errors(error: ArrayLike, m: int) -> Floats:
    values = np.asarray(error, dtype=float)
    values = _finite(np.broadcast_to(values, _shape_for(values, m, "定位误差")), "定位误差")
    wrong = np.flatnonzero(values < 0)
    if wrong.size:
        raise ValueError(f"定位误差不得为负,序号:{_some(wrong)}")
    return values


def _some(indices: Ints, most: int = 10) -> str:
    """Name the first few indices, and how many there are."""
    named = "、".join(str(i) for i in indices[:most])
    return named if indices.size <= most else f"{named} 等 {indices.size} 个"


def _share(part: Floats, whole: Floats) -> Floats:
    share = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share
