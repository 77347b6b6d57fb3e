"""The arc method's own parts: edges, exposed arcs, and areas in every kind of tie."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qjmap import _arcs

SQUARE = shapely.box(0, 0, 10, 10)


def array(*shapes):
    return np.array(shapes, dtype=object)


def discs_of(*triples):
    x, y, r = np.array(triples, dtype=float).T
    return _arcs.distinct_discs(x, y, r)


def exposed(*triples):
    discs = discs_of(*triples)
    return discs, _arcs.exposed_arcs(discs, _arcs.classes_of(discs))


def signed_area(edges):
    return np.sum(edges.ax * edges.by - edges.bx * edges.ay) / 2


@pytest.mark.parametrize("turned", [False, True])
def test_edges_keep_the_unit_on_their_left_whichever_way_rings_run(turned):
    hole = [(2, 2), (2, 4), (4, 4), (4, 2)]
    shell = [(0, 0), (10, 0), (10, 10), (0, 10)]
    unit = shapely.Polygon(shell[:: -1 if turned else 1], [hole[:: -1 if turned else 1]])
    far = shapely.transform(unit, lambda c: c + np.array([100, 0]))
    edges = _arcs.edges_of(array(unit, shapely.MultiPolygon([unit, far])))
    assert signed_area(edges) == pytest.approx(3 * 96)
    assert np.bincount(edges.unit).tolist() == [8, 16]


def test_edges_without_length_are_left_out():
    assert _arcs.edges_of(array(shapely.Polygon([(0, 0), (1, 0), (1, 0), (1, 1)]))).unit.size == 3


def test_edges_of_chosen_units_are_numbered_anew():
    edges = _arcs.edges_of(array(SQUARE, shapely.box(10, 0, 20, 10), shapely.box(20, 0, 30, 10)))
    some = edges.of(np.array([False, True, True]))
    assert np.bincount(some.unit).tolist() == [4, 4]
    assert some.ax[some.unit == 0].min() == 10


def test_of_discs_round_one_point_the_largest_stays_and_those_without_radius_go():
    discs = discs_of((1, 1, 2), (1, 1, 3), (1, 1, 3), (2, 2, 0), (3, 3, -1))
    assert (discs.x.tolist(), discs.r.tolist()) == ([1], [3])


def test_a_disc_outside_every_box_is_not_near():
    discs = discs_of((-2, 5, 1), (-1, 5, 1.5), (25, 5, 4))
    near = _arcs.near_discs(discs, np.array([[0, 0, 10, 10], [30, 0, 40, 10]], dtype=float))
    assert near.x.tolist() == [-1]


def test_two_discs_leave_two_thirds_of_a_turn_each():
    _, arcs = exposed((0, 0, 1), (1, 0, 1))
    length = np.bincount(arcs.curve, arcs.hi - arcs.lo)
    assert length == pytest.approx([4 * np.pi / 3, 4 * np.pi / 3])


def test_a_disc_inside_another_has_no_exposed_arc_even_if_they_touch():
    for other in [(0, 0, 2), (1, 0, 2), (1.2, 0.3, 3), (100, 0, 200)]:
        discs, arcs = exposed((0, 0, 1), other)
        assert set(discs.r[arcs.curve]) == {other[2]}, other
        assert np.sum(arcs.hi - arcs.lo) == pytest.approx(2 * np.pi)


@pytest.mark.parametrize("spacing", [0.25, 0.5, 1, 2**0.5])
def test_inside_a_lattice_nothing_is_exposed(spacing):
    x, y = (v.ravel() * spacing for v in np.meshgrid(np.arange(20.0), np.arange(20.0)))
    discs = _arcs.distinct_discs(x, y, np.ones(x.size))
    arcs = _arcs.exposed_arcs(discs, _arcs.classes_of(discs))
    wide = arcs.curve[arcs.hi - arcs.lo > 1e-6]
    assert not np.any(
        (np.minimum(discs.x, discs.y)[wide] > 1.01)
        & (np.maximum(discs.x, discs.y)[wide] < 19 * spacing - 1.01)
    )


def test_exposed_arcs_do_not_depend_on_how_many_neighbours_are_asked_for_first(monkeypatch):
    rng = np.random.default_rng(5)
    triples = np.column_stack((rng.uniform(0, 10, (400, 2)), rng.choice([0.2, 0.7, 0.71, 3], 400)))
    lengths = []
    for first, cells in [(1, 5), (8, 400_000), (400, 1000)]:
        monkeypatch.setattr(_arcs, "_FIRST_NEIGHBOURS", first)
        monkeypatch.setattr(_arcs, "_CELLS", cells)
        discs, arcs = exposed(*triples)
        lengths.append(np.bincount(arcs.curve, arcs.hi - arcs.lo, discs.x.size))
    assert lengths[0] == pytest.approx(lengths[1], abs=1e-9)
    assert lengths[0] == pytest.approx(lengths[2], abs=1e-9)


def test_against_every_pair_of_discs():
    """A point of a circle is exposed just if no other disc holds it."""
    rng = np.random.default_rng(8)
    discs, arcs = exposed(*np.column_stack((rng.uniform(0, 20, (150, 2)), rng.uniform(0.5, 3, 150))))
    angle = rng.uniform(0, 2 * np.pi, (150, 40))
    px = discs.x[:, None] + discs.r[:, None] * np.cos(angle)
    py = discs.y[:, None] + discs.r[:, None] * np.sin(angle)
    d = np.hypot(px[..., None] - discs.x, py[..., None] - discs.y)
    covered = d < discs.r
    covered[np.arange(150), :, np.arange(150)] = False
    found = np.zeros((150, 40), dtype=bool)
    for curve, lo, hi in zip(arcs.curve, arcs.lo, arcs.hi, strict=True):
        found[curve] |= (angle[curve] >= lo) & (angle[curve] <= hi)
    assert np.array_equal(found, ~covered.any(axis=2))


def segment(r, h):
    """Area of the part of a disc beyond a chord at distance h from the centre."""
    return r * r * np.arccos(h / r) - h * np.sqrt(r * r - h * h)


QUARTER = np.pi / 4
TIES = {
    "rim touches a side from inside": ((1, 5, 1), np.pi),
    "rim touches all four sides": ((5, 5, 5), 25 * np.pi),
    "rim touches a side from outside": ((-1, 5, 1), 0),
    "rim touches a corner from outside": ((-3, -4, 5), 0),
    "side through the centre": ((0, 5, 1), np.pi / 2),
    "corner at the centre": ((0, 0, 1), QUARTER),
    "corner at the centre, rim through the next corners": ((0, 0, 10), 100 * QUARTER),
    "rim through all four corners": ((5, 5, 5 * 2**0.5), 100),
    "rim through two corners, touching the far side": (
        (5, 3.75, 6.25),
        np.pi * 6.25**2 - 2 * segment(6.25, 5) - segment(6.25, 3.75),
    ),
    "rim through one corner only": ((13, 14, 5), 0),
    "all of the unit": ((5, 5, 1e6), 100),
}


@pytest.mark.parametrize("turn", [0.0, 0.375, *_arcs._ODD_ANGLES])
@pytest.mark.parametrize("name", TIES)
def test_ties_of_rim_and_boundary(name, turn):
    """Turned, each tie falls a little to one side or the other, and may touch where circles are tested."""
    (x, y, r), expected = TIES[name]
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    square = shapely.transform(SQUARE, lambda c: c @ matrix)
    x, y = np.array([x, y]) @ matrix
    for unit in (square, shapely.segmentize(square, 0.7), shapely.reverse(square)):
        units = array(unit)
        area = _arcs.union_areas(
            units, _arcs.edges_of(units), *(np.array([v], dtype=float) for v in (x, y, r))
        )
        assert area[0] == pytest.approx(expected, rel=1e-11, abs=1e-9)


@pytest.mark.parametrize("turn", [0.0, 0.375, 1.1, 5.0])
@pytest.mark.parametrize("gap", [-1e-9, 0.0, 1e-9])
@pytest.mark.parametrize("s", [1.0, 0.3, 40.0])
def test_discs_that_hardly_touch_far_from_the_middle_of_a_large_unit(turn, gap, s):
    units = array(shapely.box(-1e4, -1e4, 1e4, 1e4))
    d = 1 + s + gap
    x, y = np.array([8e3, 8e3 + d * np.cos(turn)]), np.array([7e3, 7e3 + d * np.sin(turn)])
    area = _arcs.union_areas(units, _arcs.edges_of(units), x, y, np.array([1.0, s]))[0]
    assert area == pytest.approx(np.pi * (1 + s * s), rel=1e-9)


def test_a_hole_hidden_in_the_disc_and_a_disc_hidden_in_the_hole():
    unit = array(shapely.difference(SQUARE, shapely.box(4, 4, 6, 6)))
    edges = _arcs.edges_of(unit)
    one = np.array([5.0])
    assert _arcs.union_areas(unit, edges, one, one, np.array([3.0]))[0] == pytest.approx(9 * np.pi - 4)
    assert _arcs.union_areas(unit, edges, one, one, np.array([0.9]))[0] == pytest.approx(0, abs=1e-9)
    assert _arcs.union_areas(unit, edges, one, one, np.array([1.0]))[0] == pytest.approx(0, abs=1e-9)


def test_units_may_overlap():
    units = array(SQUARE, shapely.box(5, 0, 15, 10), SQUARE)
    area = _arcs.union_areas(units, _arcs.edges_of(units), *(np.array([v]) for v in (5.0, 5.0, 2.0)))
    assert area == pytest.approx([4 * np.pi, 2 * np.pi, 4 * np.pi])


def test_an_empty_unit_has_nothing_covered():
    units = array(shapely.Polygon(), SQUARE)
    area = _arcs.union_areas(units, _arcs.edges_of(units), *(np.array([v]) for v in (5.0, 5.0, 2.0)))
    assert area == pytest.approx([0, 4 * np.pi])


def test_many_discs_on_one_heap_take_neither_memory_nor_time():
    """20,000 discs that all overlap would be 2·10⁸ pairs; their union is known by its hull (Steiner)."""
    rng = np.random.default_rng(2)
    xy = rng.normal(size=(20_000, 2)) * 10
    hull = shapely.convex_hull(shapely.multipoints(xy))
    units = array(shapely.box(-1e4, -1e4, 1e4, 1e4))
    area = _arcs.union_areas(units, _arcs.edges_of(units), xy[:, 0], xy[:, 1], np.full(20_000, 5e3))[0]
    steiner = hull.area + hull.length * 5e3 + np.pi * 25e6
    # The union lacks a sliver of side³ / (12 · 2 r) at each side of the hull.
    assert steiner - 5 < area < steiner
