"""The exact area of a union of discs inside polygons, by the arc method, in vectorised NumPy.

The boundary of (union of discs ∩ unit) is made of two kinds of pieces: arcs of circles that no other disc
covers ("exposed") and that lie in the unit, and pieces of the unit's edges that some disc covers. Green's
theorem turns the area into half the integral of x dy − y dx along them. No overlay of geometries, no
polygonal circles, no snapping.

How each part is found:

- *Gaps.* A circle (angles 0…2π) or an edge (metres 0…length) starts as one gap. The discs nearest to the
  middle of a gap are asked for; the intervals they cover are merged row by row (sort, running maximum) and
  cut out. A gap is finished once the last disc asked for is too far to reach any of it; what is not finished
  is asked again with twice as many discs. Deep inside a cluster a circle is gone after its eight nearest
  neighbours, so 20,000 discs on one heap never form their 2·10⁸ pairs, and nothing is thinned out or
  approximated. The worst case left is thousands of overlapping discs whose centres stand on one circle: it
  costs seconds, not memory.
- *Nearest* is meant by power (distance² − radius²), which is the ordinary distance to points lifted to the
  height √(r_max² − r²): a k-d tree serves mixed radii too. Discs are put into classes of like radius first
  (within a factor of two), so that one huge disc does not widen the search for all the small ones.
- *Inside or outside.* Along a circle, run counter-clockwise, "inside the unit" is a step function: it goes up
  or down where an edge crosses the circle. Whether a corner lies in the disc is decided once per disc and
  corner and both edges at the corner follow it, so the ups and downs of a closed ring always match. Their sum
  tells the state at angle 0; only circles that (nearly) no edge crosses are located by point in polygon.

Every quantity summed is a continuous function of the input, so ties (tangent discs, lattices, edges through
centres, corners on circles) need no tolerance to be right; rounding moves the result by rounding only. Sums
are taken about each unit's own centre to keep it small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TAU = 2.0 * np.pi
# Gaps shorter than this (radians, or parts of an edge) are rounding; leaving them out changes no state, only
# a sum.
_NO_GAP = 1e-13
# Where a circle that no edge crosses is tested; two of three decide. Edges may touch the circle, but hardly at two of
# these: they are no simple fractions of a turn apart.
_ODD_ANGLES = np.array([0.3, 2.399963229728653, 4.1])
# A step function whose integral is smaller (radians) says nothing about its start: the circle only touches
# the edge.
_DECISIVE = 1e-7
# Metres below this are 0: their squares would leave the range of numbers.
_NOTHING = 1e-30
_FIRST_NEIGHBOURS = 8
# Cells of the gap × neighbour table worked on at once: bounds memory to some tens of megabytes.
_CELLS = 400_000


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges of all units, directed so that the unit lies on the left.

    Attributes
    ----------
    ax, ay, bx, by
        Start and end, shape (s,), metres.
    ux, uy, length
        Direction and length. They are worked out once: a chord computed in two ways would differ, near a
        tangent, by the root of the rounding.
    unit
        Index of the unit each belongs to, shape (s,).
    """

    ax: Floats
    ay: Floats
    bx: Floats
    by: Floats
    ux: Floats
    uy: Floats
    length: Floats
    unit: Ints

    def of(self, chosen: Bools) -> Edges:
        """Give the edges of the chosen units (mask over units), numbered anew in the order of the units."""
        keep = chosen[self.unit]
        number = np.cumsum(chosen) - 1
        return Edges(
            self.ax[keep],
            self.ay[keep],
            self.bx[keep],
            self.by[keep],
            self.ux[keep],
            self.uy[keep],
            self.length[keep],
            number[self.unit[keep]],
        )


@dataclass(frozen=True, slots=True)
class Discs:
    """Discs without repeats: centres and positive radii, shape (m,), metres."""

    x: Floats
    y: Floats
    r: Floats


@dataclass(frozen=True, slots=True)
class Gaps:
    """Uncovered pieces [lo, hi] of circles (radians) or edges (metres), each with the index of its curve."""

    curve: Ints
    lo: Floats
    hi: Floats


@dataclass(frozen=True, slots=True)
class _Class:
    """Discs of like radius, and the tree over their lifted centres."""

    tree: cKDTree
    index: Ints
    r_max: float
    flat: bool

    def nearest(self, x: Floats, y: Floats, k: int, reach: float) -> tuple[Floats, Ints]:
        """Give the power-nearest discs, lifted distances and indices (g, k); −1: none within reach."""
        at = np.column_stack((x, y) if self.flat else (x, y, np.zeros_like(x)))
        found = self.tree.query(at, k=np.arange(1, k + 1), distance_upper_bound=reach, workers=2)
        distance: Floats = np.asarray(found[0])
        return distance, np.append(self.index, -1)[found[1]]


def edges_of(units: NDArray[np.object_]) -> Edges:
    """Take polygons apart into directed edges.

    Parameters
    ----------
    units
        Polygons or multipolygons, shape (n,), valid, with or without holes.

    Returns
    -------
    Edges
        All edges with a length, of shells and holes, each with the unit on its left.
    """
    parts, part_unit = shapely.get_parts(units, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    inner = np.flatnonzero(ring[1:] == ring[:-1])
    ring = ring[inner]
    a, b = xy[inner], xy[inner + 1]
    # Twice each ring's signed area, about its own first corner, tells its direction.
    first = a[np.searchsorted(ring, ring)]
    cross = (a[:, 0] - first[:, 0]) * (b[:, 1] - first[:, 1]) - (b[:, 0] - first[:, 0]) * (
        a[:, 1] - first[:, 1]
    )
    counterclockwise = _total(ring, cross, rings.size) > 0
    is_shell = np.ones(rings.size, dtype=bool)
    is_shell[1:] = ring_part[1:] != ring_part[:-1]
    turn = (counterclockwise != is_shell)[ring]
    start, end = np.where(turn[:, None], b, a), np.where(turn[:, None], a, b)
    real = np.any(start != end, axis=1)
    unit = part_unit[ring_part[ring]].astype(np.int64)
    start, end = start[real], end[real]
    (ax, ay), (bx, by) = np.ascontiguousarray(start.T), np.ascontiguousarray(end.T)
    length = np.hypot(bx - ax, by - ay)
    return Edges(ax, ay, bx, by, (bx - ax) / length, (by - ay) / length, length, unit[real])


def distinct_discs(x: Floats, y: Floats, r: Floats) -> Discs:
    """Drop discs of no radius and, of discs round the very same point, all but the largest."""
    some = r > _NOTHING
    x, y, r = x[some], y[some], r[some]
    x, y = np.where(np.abs(x) > _NOTHING, x, 0.0), np.where(np.abs(y) > _NOTHING, y, 0.0)
    order = np.lexsort((-r, y, x))
    x, y, r = x[order], y[order], r[order]
    new = np.ones(x.size, dtype=bool)
    new[1:] = (x[1:] != x[:-1]) | (y[1:] != y[:-1])
    return Discs(x[new], y[new], r[new])


def near_discs(discs: Discs, bounds: Floats) -> Discs:
    """Keep the discs whose box meets a unit's box; no other can cover any of a unit.

    Parameters
    ----------
    discs
        The discs.
    bounds
        (n, 4) boxes of the units (minx, miny, maxx, maxy). With very many only their common box is used.
    """
    if bounds.shape[0] * discs.x.size > 2e7:
        bounds = np.array([[*bounds[:, :2].min(axis=0), *bounds[:, 2:].max(axis=0)]])
    west, east = discs.x - discs.r, discs.x + discs.r
    south, north = discs.y - discs.r, discs.y + discs.r
    keep = np.zeros(discs.x.size, dtype=bool)
    for left, bottom, right, top in bounds:
        keep |= (west < right) & (east > left) & (south < top) & (north > bottom)
    return Discs(discs.x[keep], discs.y[keep], discs.r[keep])


def union_areas(units: NDArray[np.object_], edges: Edges, x: Floats, y: Floats, r: Floats) -> Floats:
    """Give the exact area of (union of discs ∩ unit) for each unit.

    Parameters
    ----------
    units
        Polygons or multipolygons, shape (n,), valid. They may touch and may overlap one another.
    edges
        Their edges, from `edges_of`.
    x, y, r
        Discs, shape (m,), metres; finite. Radius ≤ 0 covers nothing.

    Returns
    -------
    ndarray, shape (n,)
        Square metres, not clipped: rounding may leave −1e-6 or so.
    """
    n = units.size
    bounds = shapely.bounds(units)
    some = ~np.isnan(bounds[:, 0])
    discs = distinct_discs(x, y, r)
    discs = near_discs(discs, bounds[some])
    if not discs.x.size or not edges.unit.size:
        return np.zeros(n)
    centre = np.where(some[:, None], (bounds[:, :2] + bounds[:, 2:]) / 2, 0.0)
    classes = classes_of(discs)
    uncovered, touched = _uncovered_lengths(edges, discs, classes)
    arcs = exposed_arcs(discs, classes)
    area: Floats = _edge_integral(edges, uncovered, centre) + _arc_integral(
        units, edges, touched, discs, arcs, centre
    )
    return area


def classes_of(discs: Discs) -> list[_Class]:
    """Put discs into classes of radii within a factor of two, largest first, each with its tree."""
    if not discs.r.size:
        return []
    level = np.floor(np.log2(discs.r.max() / discs.r)).astype(np.int64)
    classes = []
    for step in np.unique(level):
        index = np.flatnonzero(level == step)
        radius = discs.r[index]
        r_max = float(radius.max())
        flat = bool(radius.min() == r_max)
        xy = (discs.x[index], discs.y[index])
        lifted = xy if flat else (*xy, np.sqrt((r_max - radius) * (r_max + radius)))
        tree = cKDTree(np.column_stack(lifted), balanced_tree=False, compact_nodes=False)
        classes.append(_Class(tree, index, r_max, flat))
    return classes


def exposed_arcs(discs: Discs, classes: list[_Class]) -> Gaps:
    """Give the arcs of circles that no other disc covers, as angles within 0…2π."""
    m = discs.x.size

    def where(gaps: Gaps) -> tuple[Floats, Floats, Floats]:
        """Ask from the centre for long arcs, from the arc's middle for short ones."""
        x, y, r = discs.x[gaps.curve], discs.y[gaps.curve], discs.r[gaps.curve]
        middle, width = (gaps.lo + gaps.hi) / 2, gaps.hi - gaps.lo
        short = width < TAU / 3
        off = np.where(short, r, 0.0)
        extent = np.where(short, 2 * r * np.sin(width / 4), r)
        return x + off * np.cos(middle), y + off * np.sin(middle), extent

    def spans(gaps: Gaps, other: Ints) -> tuple[Floats, Floats, Floats]:
        i = gaps.curve[:, None]
        dx, dy, ri, rj = discs.x[other] - discs.x[i], discs.y[other] - discs.y[i], discs.r[i], discs.r[other]
        none = (other < 0) | (other == i)
        d = np.hypot(dx, dy)
        d[none] = 1.0
        more, both = ri - rj, ri + rj
        # Heron's product, the same seen from either disc, so that both end in one point even near a tangent.
        chord2 = (both - d) * (both + d) * ((d - more) * (d + more))
        half = np.arctan2(np.sqrt(np.maximum(chord2, 0)), d * d + more * both)
        a = np.mod(np.arctan2(dy, dx) - half, TAU)
        b = a + 2 * half
        all_of_it = d <= -more
        a[all_of_it], b[all_of_it] = 0, TAU
        nothing = none | (d >= both) | (d <= more)
        b[nothing] = 0
        # What runs past a full turn covers the start of the circle, seen from 0.
        head = np.max(b, axis=1) - TAU
        a[nothing] = b[nothing] = np.inf
        return a, b, head

    whole = Gaps(np.arange(m), np.zeros(m), np.full(m, TAU))
    return _carve(whole, classes, where, spans, _NO_GAP)[0]


def _uncovered_lengths(edges: Edges, discs: Discs, classes: list[_Class]) -> tuple[Floats, Bools]:
    """Give the uncovered share of each edge, and whether any disc may be near it at all."""

    def where(gaps: Gaps) -> tuple[Floats, Floats, Floats]:
        e, middle = gaps.curve, (gaps.lo + gaps.hi) / 2
        x, y = edges.ax[e] + middle * edges.ux[e], edges.ay[e] + middle * edges.uy[e]
        return x, y, (gaps.hi - gaps.lo) / 2

    def spans(gaps: Gaps, other: Ints) -> tuple[Floats, Floats, Floats]:
        enter, leave, enters, leaves, holds = _chords(edges, gaps.curve[:, None], discs, other)
        nothing = (other < 0) | ~(enters | leaves | holds)
        a, b = np.where(nothing, np.inf, enter), np.where(nothing, np.inf, leave)
        return a, b, np.full(gaps.lo.size, -np.inf)

    size = edges.length.size
    whole = Gaps(np.arange(size), np.zeros(size), edges.length)
    left, touched = _carve(whole, classes, where, spans, 0.0)
    share = _total(left.curve, left.hi - left.lo, size) / edges.length
    return np.minimum(share, 1), touched


def _carve(
    gaps: Gaps,
    classes: list[_Class],
    where: Callable[[Gaps], tuple[Floats, Floats, Floats]],
    spans: Callable[[Gaps, Ints], tuple[Floats, Floats, Floats]],
    smallest: float,
) -> tuple[Gaps, Bools]:
    """Cut out of the gaps all that the discs cover.

    Parameters
    ----------
    gaps
        Whole curves, one gap each.
    classes
        The discs.
    where
        Gives for gaps a point to ask from (x, y) and how far the gap reaches from it.
    spans
        Gives for gaps (g,) and discs (g, k) the intervals covered, a and b (g, k), and an end (g,) up to
        which the start of the gap is covered besides. No interval: a = b = ∞.
    smallest
        Gaps not wider than this are dropped.

    Returns
    -------
    tuple of Gaps and ndarray of bool
        What is left, and which curves had any disc near enough to touch them.
    """
    touched = np.zeros(gaps.curve.size, dtype=bool)
    for one in classes:
        if not gaps.curve.size:
            break
        done: list[Gaps] = []
        work = [(gaps, _FIRST_NEIGHBOURS)]
        while work:
            todo, k = work.pop()
            k = min(k, one.index.size)
            rows = max(1, _CELLS // k)
            if todo.curve.size > rows:
                work.append((_take(todo, slice(rows, None)), k))
                todo = _take(todo, slice(rows))
            x, y, extent = where(todo)
            reach = (one.r_max + extent) * (1 + 1e-9)
            distance, other = one.nearest(x, y, k, float(reach.max()))
            near = distance[:, 0] < reach
            touched[todo.curve[near]] = True
            done.append(_take(todo, ~near))
            left, row = _cut(_take(todo, near), *spans(_take(todo, near), other[near]), smallest)
            finished = ((distance[:, -1] >= reach) | (k == one.index.size))[near][row]
            wide = (extent > one.r_max)[near][row] & ~finished
            done.append(_take(left, finished))
            # A gap wider than the discs is halved, so that long edges ask for the discs beside them only.
            work += [
                (g, q)
                for g, q in ((_halves(_take(left, wide)), k), (_take(left, ~wide & ~finished), 2 * k))
                if g.curve.size
            ]
        gaps = _join(done)
    return gaps, touched


def _cut(gaps: Gaps, a: Floats, b: Floats, head: Floats, smallest: float) -> tuple[Gaps, Ints]:
    """Cut the intervals [a, b] (g, k) and all below `head` (g,) out of each gap; give the rest, its row."""
    order = np.argsort(a, axis=1)
    a, b = np.take_along_axis(a, order, axis=1), np.take_along_axis(b, order, axis=1)
    lo, hi = gaps.lo[:, None], gaps.hi[:, None]
    covered_to = np.maximum.accumulate(np.hstack((np.maximum(lo, head[:, None]), b)), axis=1)
    starts_at = np.minimum(np.hstack((a, hi)), hi)
    row, column = np.nonzero(starts_at - covered_to > smallest)
    return Gaps(gaps.curve[row], covered_to[row, column], starts_at[row, column]), row


def _take(gaps: Gaps, rows: Bools | slice) -> Gaps:
    return Gaps(gaps.curve[rows], gaps.lo[rows], gaps.hi[rows])


def _halves(gaps: Gaps) -> Gaps:
    middle = (gaps.lo + gaps.hi) / 2
    return _join([Gaps(gaps.curve, gaps.lo, middle), Gaps(gaps.curve, middle, gaps.hi)])


def _join(pieces: list[Gaps]) -> Gaps:
    return Gaps(*(np.concatenate([getattr(p, name) for p in pieces]) for name in ("curve", "lo", "hi")))


def _edge_integral(edges: Edges, uncovered: Floats, centre: Floats) -> Floats:
    """Integrate along the covered pieces of edges: along a straight line it is proportional to the length."""
    o = centre[edges.unit]
    ax, ay, bx, by = edges.ax - o[:, 0], edges.ay - o[:, 1], edges.bx - o[:, 0], edges.by - o[:, 1]
    return _total(edges.unit, (1 - uncovered) * (ax * by - bx * ay) / 2, centre.shape[0])


def _arc_integral(
    units: NDArray[np.object_], edges: Edges, touched: Bools, discs: Discs, arcs: Gaps, centre: Floats
) -> Floats:
    """Integrate along exposed arcs inside each unit.

    The state "inside" along circle i is b + Σ steps, so the integral is b·F(0…2π) + Σ step · F(θ…2π), F being
    the integral along the exposed part of the circle from an angle on.
    """
    n = units.size
    circles = np.unique(arcs.curve)
    if not circles.size:
        return np.zeros(n)
    disc, unit, angle, step = _crossings(edges, touched, discs, circles)
    decided, inside = _start_states(disc, unit, angle, step, n)
    located = _located(units, discs, circles)
    base = np.concatenate((decided[inside], located[~np.isin(located, decided)]))
    # One list of (disc, unit, from angle, sign); each is spread over the exposed arcs of its disc.
    disc = np.concatenate((disc, base // n))
    unit = np.concatenate((unit, base % n))
    angle = np.concatenate((angle, np.zeros(base.size)))
    step = np.concatenate((step, np.ones(base.size)))
    order = np.argsort(arcs.curve, kind="stable")
    count = np.bincount(arcs.curve, minlength=discs.x.size)
    first = np.cumsum(count) - count
    row = np.repeat(np.arange(disc.size), count[disc])
    nth = np.arange(row.size) - np.repeat(np.cumsum(count[disc]) - count[disc], count[disc])
    arc = order[first[disc[row]] + nth]
    lo, hi = np.clip(angle[row], arcs.lo[arc], arcs.hi[arc]), arcs.hi[arc]
    i, k = disc[row], unit[row]
    x, y, r = discs.x[i] - centre[k, 0], discs.y[i] - centre[k, 1], discs.r[i]
    integral = r * (r * (hi - lo) + x * (np.sin(hi) - np.sin(lo)) - y * (np.cos(hi) - np.cos(lo))) / 2
    return _total(k, step[row] * integral, n)


def _chords(edges: Edges, e: Ints, discs: Discs, i: Ints) -> tuple[Floats, Floats, Bools, Bools, Bools]:
    """Give the part [enter, leave] of edges e inside discs i, in metres from the edge's start.

    Whether corners lie in the disc decides how often an edge crosses the circle, whatever rounding says of the
    crossings: so around a ring they alternate.

    Parameters
    ----------
    edges, discs
        Edges and discs.
    e, i
        Indices of edges and discs, shapes that broadcast.

    Returns
    -------
    tuple of ndarray
        enter, leave; whether the edge enters the disc on its way, leaves it, and lies all within.
    """
    r = discs.r[i]
    dx, dy = discs.x[i] - edges.ax[e], discs.y[i] - edges.ay[e]
    start_in = dx * dx + dy * dy < r * r
    ex, ey = discs.x[i] - edges.bx[e], discs.y[i] - edges.by[e]
    end_in = ex * ex + ey * ey < r * r
    ux, uy, length = edges.ux[e], edges.uy[e], edges.length[e]
    foot, off = dx * ux + dy * uy, dx * uy - dy * ux
    half2 = (r - off) * (r + off)
    half = np.sqrt(np.maximum(half2, 0))
    passes = ~start_in & ~end_in & (half2 > 0) & (foot > 0) & (foot < length)
    enter = np.where(start_in, 0, np.clip(foot - half, 0, length))
    leave = np.where(end_in, length, np.clip(foot + half, 0, length))
    return enter, leave, (~start_in & end_in) | passes, (start_in & ~end_in) | passes, start_in & end_in


def _crossings(
    edges: Edges, touched: Bools, discs: Discs, circles: Ints
) -> tuple[Ints, Ints, Floats, Floats]:
    """Find where edges cross circles: disc, unit, angle, step (+1: circle enters the unit, −1: leaves)."""
    chosen = np.flatnonzero(touched)
    ends = np.stack((edges.ax[chosen], edges.ay[chosen], edges.bx[chosen], edges.by[chosen]), axis=1)
    tree = shapely.STRtree(shapely.linestrings(ends.reshape(-1, 2, 2)))
    x, y, r = discs.x[circles], discs.y[circles], discs.r[circles] * (1 + 1e-9)
    which, line = tree.query(shapely.box(x - r, y - r, x + r, y + r))
    i, e = circles[which], chosen[line]
    enter, leave, enters, leaves, _ = _chords(edges, e, discs, i)
    rows = np.concatenate((np.flatnonzero(leaves), np.flatnonzero(enters)))
    t = np.concatenate((leave[leaves], enter[enters]))
    i, e = i[rows], e[rows]
    dx, dy = edges.ax[e] - discs.x[i] + t * edges.ux[e], edges.ay[e] - discs.y[i] + t * edges.uy[e]
    angle = np.mod(np.arctan2(dy, dx), TAU)
    # Where an edge leaves the disc, the circle (counter-clockwise) passes to the edge's left: into the unit.
    step = np.concatenate((np.ones(int(leaves.sum())), np.full(int(enters.sum()), -1.0)))
    return i, edges.unit[e], angle, step


def _start_states(disc: Ints, unit: Ints, angle: Floats, step: Floats, n: int) -> tuple[Ints, Bools]:
    """Tell from its crossings whether a circle starts (angle 0) in a unit.

    The integral of Σ steps over the circle is the angle inside (≥ 0) if it starts outside, and minus the
    angle outside (≤ 0) if it starts inside.

    Returns
    -------
    tuple of ndarray
        Keys disc · n + unit that are decided, and whether the start is inside.
    """
    key, group = np.unique(disc * n + unit, return_inverse=True)
    integral = _total(group, step * (TAU - angle), key.size)
    sure = np.abs(integral) > _DECISIVE
    return key[sure], integral[sure] < 0


def _located(units: NDArray[np.object_], discs: Discs, circles: Ints) -> Ints:
    """Give keys disc · n + unit of circles that lie in a unit, if no edge crosses them."""
    x = discs.x[circles, None] + discs.r[circles, None] * np.cos(_ODD_ANGLES)
    y = discs.y[circles, None] + discs.r[circles, None] * np.sin(_ODD_ANGLES)
    tree = shapely.STRtree(shapely.points(x.ravel(), y.ravel()))
    unit, point = tree.query(units, predicate="intersects")
    keys, votes = np.unique(circles[point // _ODD_ANGLES.size] * units.size + unit, return_counts=True)
    return keys[2 * votes > _ODD_ANGLES.size]


def _total(group: Ints, values: Floats, n: int) -> Floats:
    """Sum values by group 0 … n − 1."""
    return np.bincount(group, values, n).astype(np.float64)
