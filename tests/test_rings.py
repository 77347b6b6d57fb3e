"""Outlines of unions of discs, linked from exposed arcs."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qjmap import _arcs, _rings


def discs_of(triples):
    return _arcs.distinct_discs(*np.array(triples, dtype=float).reshape(-1, 3).T)


def exact(discs):
    frame = np.array([shapely.box(-1e3, -1e3, 1e3, 1e3)])
    return _arcs.union_areas(frame, _arcs.edges_of(frame), discs.x, discs.y, discs.r)[0]


def round_a_circle(n, distance, radius):
    turn = np.arange(n) * 2 * np.pi / n
    return [(distance * np.cos(t), distance * np.sin(t), radius) for t in turn]


FIGURES = {
    "one disc": ([(3, 4, 2)], 1, 0),
    "two discs": ([(0, 0, 1), (1, 0, 1)], 1, 0),
    "two apart": ([(0, 0, 1), (3, 0, 1)], 2, 0),
    "a wreath with a hole": (round_a_circle(8, 4, 2), 1, 1),
    "an island in the hole": ([*round_a_circle(16, 8, 2), (0, 0, 1)], 2, 1),
    "a wreath in the hole of a wreath": ([*round_a_circle(32, 16, 2), *round_a_circle(8, 4, 2)], 2, 2),
    "one disc inside another": ([(0, 0, 3), (1, 0, 1)], 1, 0),
}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("way", ["linked", "united"])
def test_shells_and_holes_of_known_figures(name, way, monkeypatch):
    if way == "united":
        monkeypatch.setattr(_rings, "_linked", lambda *_: None)
    triples, shells, holes = FIGURES[name]
    discs = discs_of(triples)
    drawn = _rings.outlines(discs, 64)
    assert len(drawn) == shells
    assert shapely.get_num_interior_rings(drawn).sum() == holes
    assert shapely.area(drawn).sum() == pytest.approx(exact(discs), rel=1e-3)


def test_no_discs_have_no_outline():
    assert _rings.outlines(discs_of([]), 32).size == 0


@pytest.mark.parametrize("quad_segs", [1, 4, 32])
def test_a_drawn_disc_has_the_area_of_the_disc(quad_segs):
    assert shapely.area(_rings.outlines(discs_of([(3, 4, 2)]), quad_segs)).sum() == pytest.approx(4 * np.pi)


@pytest.mark.parametrize("spacing", [0.5, 1, 2**0.5, 3**0.5, 2, 1.9999, 2.0001])
def test_lattices_are_drawn_sound_whatever_ties_they_have(spacing):
    at = np.arange(8) * spacing
    discs = discs_of([(i, j, 1) for i in at for j in at])
    drawn = _rings.outlines(discs, 32)
    assert shapely.is_valid(shapely.multipolygons(drawn))
    assert shapely.area(drawn).sum() == pytest.approx(exact(discs), rel=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_random_discs_are_linked_and_near_the_exact_area(seed):
    rng = np.random.default_rng(seed)
    triples = np.column_stack((rng.uniform(0, 40, (500, 2)), rng.choice([0.3, 1, 1.01, 2.5], 500)))
    discs = discs_of(triples)
    arcs = _arcs.exposed_arcs(discs, _arcs.classes_of(discs))
    drawn = _rings._linked(discs, arcs, 32)
    assert drawn is not None
    assert shapely.is_valid(shapely.multipolygons(drawn))
    assert shapely.area(drawn).sum() == pytest.approx(exact(discs), rel=1e-4)


def test_a_drawing_whose_rings_do_not_close_is_refused():
    discs = discs_of([(0, 0, 1), (1, 0, 1)])
    arcs = _arcs.exposed_arcs(discs, _arcs.classes_of(discs))
    assert _rings._linked(discs, _arcs.Gaps(arcs.curve[1:], arcs.lo[1:], arcs.hi[1:]), 32) is None
