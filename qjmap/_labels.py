"""Where names stand on a map: deterministic, no two names over one another, a leader where a name had to move away.

Plain geometry in millimetres of paper, y up. Every name is tried on a lattice round its anchor; hard conflicts (names,
leaders, the frame, what is reserved) rule a place out, soft ones (marks, foreign ground, distance) cost. After all
names are placed, each is placed again with the others fixed, a few times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Box = tuple[float, float, float, float]
"""West, south, east, north."""

#: What costs how much, in heights of the name.
_FOREIGN, _MARK, _TOUCH, _ANCHOR = 5.0, 4.0, 1.0, 1.5
_ROUNDS = 3
#: Search radii in heights of the name; the last is the whole frame.
_REACH = (3.0, 7.0, 16.0, 1e6)
_CLEAR_MM = 0.5
_BATCH = 64


@dataclass(frozen=True)
class Wanted:
    """A name to place.

    Parameters
    ----------
    x, y
        Its anchor, where the leader ends.
    width, height
        Of the text.
    ground
        The polygon that the name belongs to, as far as it is visible.
    must
        Whether it has to stand somewhere; otherwise it is left out where it would not stand on its own ground.
    """

    x: float
    y: float
    width: float
    height: float
    ground: shapely.Geometry
    must: bool = True


@dataclass(frozen=True)
class Placed:
    """Where a name stands: its centre, its box (west, south, east, north) and the leader's end points, if any."""

    x: float
    y: float
    box: Box
    leader: tuple[tuple[float, float], tuple[float, float]] | None


@dataclass(frozen=True)
class _Table:
    """Candidates for one name: centres (k, 2), boxes (k, 4), their cost (k,), and leaders (k,), None where none."""

    centres: Floats
    boxes: Floats
    cost: Floats
    leaders: NDArray[np.object_]


def place(
    wanted: Sequence[Wanted],
    frame: Box,
    marks: Floats,
    reserved: Sequence[Box] = (),
) -> list[Placed | None]:
    """Place names.

    Parameters
    ----------
    wanted
        n names.
    frame
        West, south, east, north: nothing leaves it.
    marks
        (m, 4) boxes of marks, rather not covered.
    reserved
        Boxes where no name may stand.

    Returns
    -------
    list
        n places; None for a name that may be left out and found no good place, or for which there is no room.
    """
    anchors = np.array([(one.x, one.y) for one in wanted]).reshape(-1, 2)
    places: list[Placed | None] = [None] * len(wanted)
    # the tightest first: what does not fit its own ground needs the free places
    order = sorted(range(len(wanted)), key=lambda i: (not wanted[i].must, _slack(wanted[i]), i))
    searches = [_Search(one, frame, marks, np.delete(anchors, i, 0)) for i, one in enumerate(wanted)]
    for _ in range(_ROUNDS):
        before = list(places)
        for i in order:
            others = [one for j, one in enumerate(places) if j != i and one is not None]
            places[i] = searches[i].best(others, reserved)
        if places == before:
            break
    return places


def _slack(one: Wanted) -> float:
    return float(one.ground.area) / (one.width * one.height)


class _Search:
    """The candidates of one name: wider tables are made only when the narrower ones do not do."""

    def __init__(self, one: Wanted, frame: Box, marks: Floats, foreign: Floats) -> None:
        self._of = (one, frame, marks, foreign)
        self._tables: list[_Table] = []

    def best(self, others: Sequence[Placed], reserved: Sequence[Box]) -> Placed | None:
        """Give the cheapest place that the others leave."""
        for crossing in (
            False,
            True,
        ):  # rather far away than a leader through a name; rather that than nothing
            for number, reach in enumerate(_REACH):
                if number == len(self._tables):
                    self._tables.append(_table(*self._of, reach))
                found = _choose(self._tables[number], others, reserved, crossing=crossing)
                if found is not None:
                    return found
        return None


def _table(one: Wanted, frame: Box, marks: Floats, foreign: Floats, reach: float) -> _Table:
    """List the places within `reach` heights of the anchor that lie in the frame, cheapest first."""
    west, south, east, north = frame
    radius = min(reach * one.height, max(east - west, north - south))
    # about 30 steps each way, however far the search goes
    step = max(radius / 15, one.height / 2)
    steps = np.arange(-int(radius / step), int(radius / step) + 1) * step
    dx, dy = (part.ravel() for part in np.meshgrid(steps, steps))
    x, y = one.x + dx, one.y + dy
    half_w, half_h = one.width / 2, one.height / 2
    boxes = np.column_stack((x - half_w, y - half_h, x + half_w, y + half_h))
    inside = (boxes[:, 0] >= west) & (boxes[:, 1] >= south) & (boxes[:, 2] <= east) & (boxes[:, 3] <= north)
    x, y, boxes, dx, dy = x[inside], y[inside], boxes[inside], dx[inside], dy[inside]
    shapes = shapely.box(*boxes.T)
    area = one.width * one.height
    foreign_share = 1 - shapely.area(shapely.intersection(shapes, one.ground)) / area
    if not one.must:
        keep = foreign_share < 0.25
        x, y, boxes, dx, dy, foreign_share = (part[keep] for part in (x, y, boxes, dx, dy, foreign_share))
    away = np.hypot(np.maximum(np.abs(dx) - half_w / 2, 0), dy) / one.height
    covered = _overlap(boxes, marks).sum(axis=1) / area if len(marks) else np.zeros(len(x))
    hidden = _holds(boxes, foreign).sum(axis=1)
    cost = 0.35 * away + _FOREIGN * foreign_share + _MARK * np.minimum(covered, 1) + _ANCHOR * hidden
    cost += _TOUCH * (covered > 0)
    leaders = np.full(len(x), None, dtype=object)
    # over its own anchor a name needs none; most of it on foreign ground, it would be read as the neighbour's
    apart = (np.abs(dx) > half_w) | (np.abs(dy) > half_h)
    for k in np.flatnonzero((foreign_share > 0.5) & apart):
        leaders[k] = _leader(boxes[k], one)
    order = np.argsort(cost, kind="stable")
    return _Table(np.column_stack((x, y))[order], boxes[order], cost[order], leaders[order])


def _leader(box: Floats, one: Wanted) -> shapely.LineString:
    """Draw the line from the anchor to the nearest point of the box."""
    end = (float(np.clip(one.x, box[0], box[2])), float(np.clip(one.y, box[1], box[3])))
    return shapely.LineString([(one.x, one.y), end])


def _choose(
    table: _Table, others: Sequence[Placed], reserved: Sequence[Box], *, crossing: bool
) -> Placed | None:
    """Take the cheapest place without a hard conflict; leaders may cross names and leaders only if `crossing`."""
    taken = np.array([*(one.box for one in others), *reserved], dtype=float).reshape(-1, 4)
    taken = taken + np.array([-1, -1, 1, 1]) * _CLEAR_MM
    free = np.flatnonzero(~np.any(_overlap(table.boxes, taken) > 0, axis=1))
    lines = np.array([shapely.LineString(one.leader) for one in others if one.leader], dtype=object)
    walls = np.concatenate((shapely.box(*taken.T).astype(object), lines))
    for start in range(0, len(free), _BATCH):
        batch = free[start : start + _BATCH]
        if not crossing:
            own = table.leaders[batch]  # None meets nothing
            bad = shapely.intersects(own[:, None], walls).any(axis=1)
            bad |= shapely.intersects(shapely.box(*table.boxes[batch].T)[:, None], lines).any(axis=1)
            batch = batch[~bad]
        if len(batch):
            return _placed(table, int(batch[0]))
    return None


def _placed(table: _Table, k: int) -> Placed:
    (x, y), (west, south, east, north) = table.centres[k].tolist(), table.boxes[k].tolist()
    leader = table.leaders[k]
    if leader is None:
        return Placed(x, y, (west, south, east, north), None)
    (x0, y0), (x1, y1) = leader.coords
    return Placed(x, y, (west, south, east, north), ((x0, y0), (x1, y1)))


def _overlap(boxes: Floats, others: Floats) -> Floats:
    """Give the area in common of each box with each other, (k, m)."""
    if not len(others):
        return np.zeros((len(boxes), 0))
    a, b = boxes[:, None, :], others[None, :, :]
    wide = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    high = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    common: Floats = np.maximum(wide, 0) * np.maximum(high, 0)
    return common


def _holds(boxes: Floats, points: Floats) -> Bools:
    """Tell which points lie in which box, (k, m)."""
    x, y = points[None, :, 0], points[None, :, 1]
    held: Bools = (boxes[:, 0:1] < x) & (x < boxes[:, 2:3]) & (boxes[:, 1:2] < y) & (y < boxes[:, 3:4])
    return held
