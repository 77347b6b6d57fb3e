"""The outline of a union of discs as polygons, by linking the exposed arcs of `qjmap._arcs` end to start.

Where one exposed arc ends, at the rim of another disc, that disc's exposed arc starts: following this gives the rings
of the union without any overlay. Rings that run counter-clockwise are shells, the others holes.

Drawn circles have corners at fixed angles (multiples of a quarter turn / quad_segs), a little outside the rim so
that a whole drawn circle has just the disc's area; where circles cross, the corner is the crossing itself. Outlines
of the same circle therefore coincide wherever both show it.

Linking may fail at ties (several crossings in one point). What it gives is checked (one arc starts where each ends,
the area is that of the arcs) and refused if anything is amiss; then shapely's union of polygonal circles has to do.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from qjmap._arcs import Discs, Floats, Gaps, Ints, classes_of, exposed_arcs

Shapes = NDArray[np.object_]

# How far a start may lie from the end it continues, as a part of the largest radius.
_SAME_POINT = 1e-7
# How far the drawn area may be off the exact one before the drawing is refused.
_AREA = 1e-3


def outlines(discs: Discs, quad_segs: int) -> Shapes:
    """Draw the union of discs.

    Parameters
    ----------
    discs
        Discs from `distinct_discs`, shape (m,).
    quad_segs
        Segments per quarter of a circle.

    Returns
    -------
    ndarray of Polygon
        Polygons that do not overlap; none for no discs.
    """
    if not discs.x.size:
        return np.array([], dtype=object)
    arcs = exposed_arcs(discs, classes_of(discs))
    linked = _linked(discs, arcs, quad_segs)
    return _united(discs, quad_segs) if linked is None else linked


def _enlarged(quad_segs: int) -> float:
    """Give the factor by which a polygon's corners lie outside a circle of the same area."""
    step = np.pi / 2 / quad_segs
    return float(np.sqrt(step / np.sin(step)))


def _united(discs: Discs, quad_segs: int) -> Shapes:
    """Let shapely unite polygonal circles."""
    circles = shapely.buffer(
        shapely.points(discs.x, discs.y), discs.r * _enlarged(quad_segs), quad_segs=quad_segs
    )
    return np.asarray(shapely.get_parts(shapely.disjoint_subset_union_all(circles)))


def _linked(discs: Discs, arcs: Gaps, quad_segs: int) -> Shapes | None:
    """Link arcs to polygons, or give None if a check fails."""
    x, y, r = discs.x[arcs.curve], discs.y[arcs.curve], discs.r[arcs.curve]
    start = np.column_stack((x + r * np.cos(arcs.lo), y + r * np.sin(arcs.lo)))
    end = np.column_stack((x + r * np.cos(arcs.hi), y + r * np.sin(arcs.hi)))
    found = cKDTree(start).query(end, workers=2)
    distance, following = np.asarray(found[0]), np.asarray(found[1])
    if distance.max() > _SAME_POINT * r.max() or np.bincount(following, minlength=r.size).max() > 1:
        return None
    # A circle cut at angle 0 only goes on there like at any other of its corners.
    large = _enlarged(quad_segs)
    cut = np.zeros(r.size, dtype=bool)
    cut[following] = arcs.curve[following] == arcs.curve
    start[cut] = np.column_stack((x + r * large * np.cos(arcs.lo), y + r * large * np.sin(arcs.lo)))[cut]

    order, ring = _cycles(following)
    xy, arc_count = _corners(start, x, y, r * large, arcs, np.pi / 2 / quad_segs, order)
    ring_of_corner = np.repeat(ring, arc_count)
    size = np.bincount(ring_of_corner)
    keep = size[ring_of_corner] >= 3
    if not keep.any():
        return None
    _, numbers = np.unique(ring_of_corner[keep], return_inverse=True)
    rings = shapely.linearrings(xy[keep], indices=numbers)
    polygons = _mended(_with_holes(rings))
    exact = np.sum(r * (r * (arcs.hi - arcs.lo) + x * _d(np.sin, arcs) - y * _d(np.cos, arcs))) / 2
    return polygons if abs(shapely.area(polygons).sum() - exact) <= _AREA * exact else None


def _mended(polygons: Shapes) -> Shapes:
    """Dissolve the slivers where drawn circles that almost touch overlap."""
    if shapely.is_valid(shapely.multipolygons(polygons)):
        return polygons
    sound = shapely.make_valid(polygons, method="structure", keep_collapsed=False)
    return np.asarray(shapely.get_parts(shapely.disjoint_subset_union_all(sound)))


def _d(f: np.ufunc, arcs: Gaps) -> Floats:
    """Give the change of a function along each arc."""
    change: Floats = f(arcs.hi) - f(arcs.lo)
    return change


def _cycles(following: Ints) -> tuple[Ints, Ints]:
    """Put a permutation into cycles: the items cycle by cycle, and the number of each one's cycle."""
    order: list[int] = []
    ring: list[int] = []
    seen = [False] * following.size
    after = following.tolist()
    number = 0
    for first in range(len(after)):
        if seen[first]:
            continue
        at = first
        while not seen[at]:
            seen[at] = True
            order.append(at)
            ring.append(number)
            at = after[at]
        number += 1
    return np.array(order), np.array(ring)


def _corners(
    start: Floats, x: Floats, y: Floats, r: Floats, arcs: Gaps, step: float, order: Ints
) -> tuple[Floats, Ints]:
    """Give the corners of all arcs in the given order, start first, and how many each arc has."""
    # Corners nearer to a crossing than half a step could lie in the next disc where two discs almost touch.
    first = np.ceil(arcs.lo / step + 0.5)[order]
    last = np.floor(arcs.hi / step - 0.5)[order]
    count = 1 + np.maximum(last - first + 1, 0).astype(np.int64)
    row = np.repeat(np.arange(order.size), count)
    nth = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
    angle = (first[row] + nth - 1) * step
    arc = order[row]
    xy = np.column_stack((x[arc] + r[arc] * np.cos(angle), y[arc] + r[arc] * np.sin(angle)))
    xy[nth == 0] = start[order]
    return xy, count


def _with_holes(rings: Shapes) -> Shapes:
    """Make polygons of shells (counter-clockwise) and holes, each hole in the smallest shell around it."""
    is_shell = shapely.is_ccw(rings)
    polygons: Shapes = shapely.polygons(rings[is_shell])
    holes = rings[~is_shell]
    if not holes.size or not polygons.size:
        return polygons
    hole, shell = shapely.STRtree(polygons).query(shapely.get_point(holes, 0), predicate="intersects")
    smallest_last = np.argsort(-shapely.area(polygons)[shell], kind="stable")
    owner = np.full(holes.size, -1)
    owner[hole[smallest_last]] = shell[smallest_last]
    shells = rings[is_shell]
    for k in np.unique(owner[owner >= 0]):
        polygons[k] = shapely.Polygon(shells[k], holes[owner == k])
    return polygons
