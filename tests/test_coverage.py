"""Coverage: known answers on grids of towns, laws that must hold, and agreement with shapely."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from qjmap import coverage
from qjmap.coverage import (
    covered_areas,
    covered_geometry,
    nearest,
    people,
    people_at_points,
    three_way,
    within,
)

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def grid(n=3, side=10_000.0, west=0.0, south=0.0):
    """Give n × n square towns, row by row from the south-west."""
    return np.array(
        [
            shapely.box(west + i * side, south + j * side, west + (i + 1) * side, south + (j + 1) * side)
            for j in range(n)
            for i in range(n)
        ],
        dtype=object,
    )


def voronoi_towns(rng, k, size):
    frame = shapely.box(0, 0, size, size)
    cells = shapely.voronoi_polygons(shapely.multipoints(rng.uniform(0, size, (k, 2))), extend_to=frame)
    return shapely.intersection(np.array(shapely.get_parts(cells)), frame)


def segment(r, h):
    """Area of the part of a disc beyond a chord at distance h from the centre."""
    return r * r * np.arccos(h / r) - h * np.sqrt(r * r - h * h)


def lens(r, s, d):
    """Area common to two discs of radii r and s whose centres are d apart."""
    a = (d * d + r * r - s * s) / (2 * d)
    return segment(r, a) + segment(s, d - a)


def between(area, units, x, y, r, quad_segs=96):
    """Tell whether areas lie between those of polygons inscribed in the circles and of polygons round them."""
    r = np.broadcast_to(r, np.shape(x))
    outside = 1 / np.cos(np.pi / (4 * quad_segs))
    low, high = (
        shapely.area(
            shapely.intersection(
                units,
                shapely.union_all(shapely.buffer(shapely.points(x, y), r * k, quad_segs=quad_segs)),
            )
        )
        for k in (1, outside)
    )
    rounding = 1e-12 * shapely.area(units).sum()
    return np.all((low - rounding <= area) & (area <= high + rounding))


# ---- known answers -------------------------------------------------------------------------------


@pytest.mark.parametrize("radius", [0.5, 150.0, 4999.0])
@pytest.mark.parametrize("offset", [0.0, 5e5])
def test_a_lone_disc_covers_its_own_area(radius, offset):
    area = covered_areas(grid(west=offset, south=-offset), [offset + 15_000], [15_000 - offset], radius)
    assert area[4] == pytest.approx(np.pi * radius**2, rel=1e-9)
    assert np.delete(area, 4) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("h", [0.0, 1.0, 75.0, 149.0, 149.999999])
def test_a_disc_over_an_edge_leaves_the_circular_segment(h):
    area = covered_areas(grid(2), [10_000 - h], [5_000], 150)
    assert area[1] == pytest.approx(segment(150, h), abs=1e-6)
    assert area[0] == pytest.approx(np.pi * 150**2 - segment(150, h), rel=1e-9)


def test_a_disc_at_the_corner_of_four_towns_gives_each_a_quarter():
    assert covered_areas(grid(2), [10_000], [10_000], 3_500) == pytest.approx(
        np.full(4, np.pi * 3500**2 / 4), rel=1e-9
    )


@pytest.mark.parametrize(
    ("r", "s", "d"), [(150, 150, 100), (150, 150, 299.999999), (150, 80, 100), (1000, 10, 995)]
)
def test_two_discs_cover_their_sum_less_the_lens(r, s, d):
    area = covered_areas(grid(1), [4_000, 4_000 + d], [5_000, 5_000], [r, s])
    assert area[0] == pytest.approx(np.pi * (r * r + s * s) - lens(r, s, d), rel=1e-9)


@pytest.mark.parametrize(("r", "s", "d"), [(150, 150, 300), (150, 50, 200)])
def test_tangent_discs_cover_their_sum(r, s, d):
    area = covered_areas(grid(1), [4_000, 4_000 + d], [5_000, 5_000], [r, s])
    assert area[0] == pytest.approx(np.pi * (r * r + s * s), rel=1e-9)


@pytest.mark.parametrize("d", [0.0, 1.0, 70.0])
def test_a_disc_inside_another_adds_nothing(d):
    assert covered_areas(grid(1), [4_000, 4_000 + d], [5_000, 5_000], [150, 80])[0] == pytest.approx(
        np.pi * 150**2
    )


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_square_lattice_of_tangent_discs_covers_pi_quarters(n):
    """Tangent to one another, to the towns' edges, and with edges through their centres."""
    at = np.arange(10 * n + 1) * 1000.0
    x, y = (v.ravel() for v in np.meshgrid(at, at))
    assert covered_areas(grid(n), x, y, 500) == pytest.approx(np.full(n * n, np.pi / 4 * 1e8), rel=1e-9)
    x, y = (v.ravel() for v in np.meshgrid(at[:-1] + 500, at[:-1] + 500))
    assert covered_areas(grid(n), x, y, 500) == pytest.approx(np.full(n * n, np.pi / 4 * 1e8), rel=1e-9)


def test_a_lattice_whose_discs_just_meet_in_one_point_covers_all():
    at = np.arange(11) * 1000.0
    x, y = (v.ravel() for v in np.meshgrid(at, at))
    assert covered_areas(grid(1), x, y, 1000 / 2**0.5)[0] == pytest.approx(1e8, rel=1e-12)
    assert covered_areas(grid(1), x, y, 5000)[0] == pytest.approx(1e8, rel=1e-12)


def test_one_disc_over_everything_covers_everything():
    assert covered_areas(grid(), [15_000], [15_000], 1e6) == pytest.approx(np.full(9, 1e8), rel=1e-12)


@pytest.mark.parametrize(
    ("x", "y", "radius"),
    [([], [], 150), ([15_000], [15_000], 0), ([15_000], [15_000], -3), ([-900], [5_000], 150)],
)
def test_no_disc_no_radius_or_a_disc_outside_covers_nothing(x, y, radius):
    assert covered_areas(grid(), x, y, radius).tolist() == [0] * 9


def test_the_radius_belongs_to_the_place_served():
    """A facility on the border of an urban (3.5 km) and a rural town (10 km) reaches each differently."""
    towns = grid(2, side=20_000)[:2]
    cover = three_way(towns, [20_000], [10_000], [3_500, 10_000])
    assert cover.certain == pytest.approx([np.pi * 3_500**2 / 2, np.pi * 10_000**2 / 2], rel=1e-9)
    assert covered_areas(towns, [20_000], [10_000], radius_per_unit=[3_500, 0])[1] == 0


def test_an_error_of_position_splits_covered_into_certain_and_possible():
    cover = three_way(grid(1), [5_000], [5_000], 1_000, 200)
    assert cover.certain == pytest.approx([np.pi * 800**2], rel=1e-9)
    assert cover.possible_only == pytest.approx([np.pi * (1200**2 - 800**2)], rel=1e-9)
    assert cover.uncovered == pytest.approx([1e8 - np.pi * 1200**2], rel=1e-9)
    assert cover.certain_share == pytest.approx([np.pi * 0.0064])
    assert cover.possible_share + cover.uncovered_share == pytest.approx([1])


def test_an_error_beyond_the_radius_leaves_nothing_certain():
    cover = three_way(grid(1), [5_000, 2_000], [5_000, 5_000], 1_000, [1_500, 0])
    assert cover.certain == pytest.approx([np.pi * 1000**2], rel=1e-9)
    assert cover.certain + cover.possible_only == pytest.approx(
        [np.pi * (2500**2 + 1000**2) - lens(2500, 1000, 3000)], rel=1e-9
    )


def test_people_are_spread_over_the_unit_and_unknown_stays_unknown():
    counted = people(three_way(grid(2), [5_000], [5_000], 1_000, 200), [10_000, 500, np.nan, 0])
    assert counted.certain[:2] == pytest.approx([10_000 * np.pi * 0.0064, 0])
    assert counted.uncovered[:2] == pytest.approx([10_000 * (1 - np.pi * 0.0144), 500])
    assert np.isnan(counted.uncovered[2])
    assert np.isnan(counted.certain_share[3])
    assert counted.population[3] == counted.uncovered[3] == 0


def test_people_at_points_count_where_they_live():
    """Villages 900, 1,100, 2,000 m from the facility in town 0; one in town 1, where the radius is larger."""
    counted = people_at_points(
        [5_900, 6_100, 7_000, 10_500],
        [5_000] * 4,
        [10, 20, 40, 80],
        [0, 0, 0, 1],
        3,
        [5_000],
        [5_000],
        [1_000, 5_700, 1],
        150,
    )
    assert counted.population.tolist() == [70, 80, 0]
    assert counted.certain.tolist() == [0, 80, 0]
    assert counted.possible_only.tolist() == [30, 0, 0]
    assert counted.uncovered.tolist() == [40, 0, 0]
    assert np.isnan(counted.certain_share[2])


def test_nearest_and_its_bounds():
    index, distance = nearest([0, 10], [0, 0], [3, 9], [4, 0])
    assert index.tolist() == [0, 1]
    assert distance.tolist() == [5, 1]
    index, distance = nearest([0, 10], [0, 0], [], [])
    assert index.tolist() == [-1, -1]
    assert np.isinf(distance).all()
    assert nearest([], [], [1], [1])[0].size == 0


def test_a_facility_farther_off_but_better_known_can_be_the_one_that_counts():
    found = within([0], [0], 0, [100, 120], [0, 0], [80, 5], 130)
    assert (found.most[0], found.least[0]) == (125, 20)
    assert found.certain[0]
    assert not within([0], [0], 10, [100, 120], [0, 0], [80, 5], 130).certain[0]
    assert within([0], [0], 10, [100, 120], [0, 0], [80, 5], 130).possible_only[0]
    assert within([0], [0], 0, [], [], [], 130).none[0]


# ---- laws ----------------------------------------------------------------------------------------

# GEOS, the peer, loses its way among subnormal numbers (5e-324 m)
numbers = st.floats(-2_000, 12_000, allow_nan=False, allow_subnormal=False)
lattice = st.integers(-8, 48).map(lambda k: k * 250.0)
places = st.lists(st.tuples(numbers, numbers), max_size=25) | st.lists(
    st.tuples(lattice, lattice), max_size=40
)
radii = st.sampled_from([1.0, 125.0, 250.0, 250 * 2**0.5, 250 * 3**0.5, 500.0, 1_000.0, 7_000.0]) | st.floats(
    1, 8_000
)


def split(where):
    return np.array(where, dtype=float).reshape(-1, 2).T


@QUICK
@given(places, radii)
@example([(0.0, 0.0), (0.0, 0.0), (5_000.0, 5_000.0)], 5_000.0)
def test_covered_and_uncovered_make_up_the_unit(where, radius):
    towns = grid(3, side=10_000 / 3)
    cover = three_way(towns, *split(where), radius, 50)
    assert cover.certain + cover.possible_only + cover.uncovered == pytest.approx(cover.area, abs=1e-6)
    for part in (cover.certain, cover.possible_only, cover.uncovered):
        assert part.min() >= 0


@QUICK
@given(places, places, radii)
def test_more_facilities_never_cover_less(first, more, radius):
    towns = grid(2, side=5_000)
    assert np.all(
        covered_areas(towns, *split(first + more), radius)
        >= covered_areas(towns, *split(first), radius) - 1e-6
    )


@QUICK
@given(places, radii, st.floats(0, 500))
def test_a_larger_radius_never_covers_less(where, radius, more):
    towns = grid(2, side=5_000)
    small, large = (covered_areas(towns, *split(where), r) for r in (radius, radius + more))
    assert np.all(large >= small - 1e-6)


@QUICK
@given(places, radii, st.floats(0, 500), st.floats(0, 500))
def test_a_larger_error_makes_less_certain_and_more_possible(where, radius, error, more):
    towns = grid(2, side=5_000)
    small, large = (three_way(towns, *split(where), radius, e) for e in (error, error + more))
    assert np.all(large.certain <= small.certain + 1e-6)
    assert np.all(large.uncovered <= small.uncovered + 1e-6)


@QUICK
@given(places, radii, st.randoms(use_true_random=False))
def test_order_and_repeats_change_nothing(where, radius, random):
    towns = grid(2, side=5_000)
    shuffled = where + where[::2]
    random.shuffle(shuffled)
    one, other = (covered_areas(towns, *split(w), radius) for w in (where, shuffled))
    assert one == pytest.approx(other, rel=1e-9, abs=1e-6)


@QUICK
@given(places, radii)
def test_towns_of_a_partition_add_up_to_their_whole(where, radius):
    whole = covered_areas([shapely.box(0, 0, 10_000, 10_000)], *split(where), radius)[0]
    assert covered_areas(grid(4, side=2_500), *split(where), radius).sum() == pytest.approx(
        whole, rel=1e-9, abs=1e-5
    )


@QUICK
@given(places, radii, st.floats(0, 2 * np.pi), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_turning_and_shifting_all_changes_nothing(where, radius, angle, dx, dy):
    """A lattice turned is a lattice with rounding: every tie falls a little to one side or the other."""
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])

    def move(xy):
        return xy @ turn + [dx, dy]

    towns = grid(2, side=5_000)
    moved = shapely.transform(towns, move)
    x, y = move(split(where).T).T
    assert covered_areas(moved, x, y, radius) == pytest.approx(
        covered_areas(towns, *split(where), radius), rel=1e-9, abs=1e-4
    )


@QUICK
@given(places, st.integers(0, 2**32 - 1), radii)
def test_agreement_with_shapely(where, seed, radius):
    rng = np.random.default_rng(seed)
    x, y = split(where or [(0, 0)])
    for r in (np.full(x.size, radius), radius * rng.choice([0.01, 0.5, 1, 2], x.size)):
        for towns in (grid(2, side=5_000), voronoi_towns(rng, 5, 10_000)):
            assert between(covered_areas(towns, x, y, r), towns, x, y, r)


@pytest.mark.parametrize(
    ("spacing", "shape"), list(product([0.5, 1, 2**0.5, 3**0.5, 2], ["square", "triangle"]))
)
def test_agreement_with_shapely_on_lattices(spacing, shape):
    step = 500 * spacing
    at = np.arange(int(10_000 / step) + 1) * step
    x, y = (v.ravel() for v in np.meshgrid(at, at))
    if shape == "triangle":
        x, y = x + (np.arange(x.size) // at.size % 2) * step / 2, y * 3**0.5 / 2
    holed = np.append(
        grid(2, side=5_000)[:3],
        shapely.difference(shapely.box(5e3, 5e3, 1e4, 1e4), shapely.box(6e3, 6e3, 7e3, 8e3)),
    )
    for towns in (grid(2, side=5_000), grid(3, side=3_000), holed):
        assert between(covered_areas(towns, x, y, 500), towns, x, y, 500, quad_segs=32)


def test_agreement_with_shapely_on_crowds_and_many_cornered_towns():
    rng = np.random.default_rng(11)
    towns = shapely.segmentize(voronoi_towns(rng, 12, 20_000), 120)
    x, y = np.clip(rng.normal(rng.choice([4_000, 11_000, 16_000], (2, 1200)), 900), 0, 20_000)
    r = rng.choice([150, 151, 600, 30], 1200).astype(float)
    assert between(covered_areas(towns, x, y, r), towns, x, y, r, quad_segs=32)


@QUICK
@given(places, st.integers(0, 2**32 - 1), radii)
def test_within_leaves_out_what_a_point_is_itself(where, seed, radius):
    rng = np.random.default_rng(seed)
    x, y = split(where)
    error = rng.exponential(400, x.size)
    itself = np.where(rng.random(x.size) < 0.8, np.arange(x.size), -1)
    found = within(x, y, error, x, y, error, radius, itself)
    d = np.hypot(x[:, None] - x, y[:, None] - y)
    d[itself >= 0, itself[itself >= 0]] = np.inf
    assert found.most == pytest.approx((d + error).min(axis=1, initial=np.inf) + error)
    assert found.least == pytest.approx(np.maximum((d - error).min(axis=1, initial=np.inf) - error, 0))


@QUICK
@given(places, places, st.integers(0, 2**32 - 1), radii)
def test_within_looks_at_every_facility_that_can_matter(where, facilities, seed, radius):
    rng = np.random.default_rng(seed)
    (x, y), (fx, fy) = split(where), split(facilities)
    own = rng.choice([0, 30.0], x.size)
    theirs = rng.exponential(400, fx.size)
    found = within(x, y, own, fx, fy, theirs, radius)
    d = np.hypot(x[:, None] - fx, y[:, None] - fy)
    most = (d + theirs).min(axis=1, initial=np.inf) + own
    least = np.maximum((d - theirs).min(axis=1, initial=np.inf) - own, 0)
    assert found.most == pytest.approx(most)
    assert found.least == pytest.approx(least)
    assert np.all(found.certain.astype(int) + found.possible_only + found.none == 1)


def test_within_with_many_facilities_of_many_errors(monkeypatch):
    monkeypatch.setattr(coverage, "_CELLS", 500)
    rng = np.random.default_rng(4)
    p, f, e = rng.uniform(0, 1000, (300, 2)), rng.uniform(0, 1000, (500, 2)), rng.exponential(100, 500)
    d = np.hypot(p[:, :1] - f[:, 0], p[:, 1:] - f[:, 1])
    for itself in (None, np.arange(300)):
        found = within(*p.T, 0, *f.T, e, 50, itself)
        assert found.most == pytest.approx((d + e).min(axis=1))
        assert found.least == pytest.approx(np.maximum((d - e).min(axis=1), 0))
        d[np.arange(300), np.arange(300)] = np.inf


# ---- geometry ------------------------------------------------------------------------------------


@settings(QUICK, max_examples=15)
@given(places, radii, st.sampled_from([0, 40, "mixed"]))
def test_drawn_parts_make_up_the_unit_and_agree_with_what_is_measured(where, radius, error):
    towns = grid(2, side=5_000)
    x, y = split(where)
    e = np.arange(x.size) % 3 * 40.0 if error == "mixed" else error
    parts = covered_geometry(towns, x, y, [radius, radius, radius, 2 * radius], e)
    cover = three_way(towns, x, y, [radius, radius, radius, 2 * radius], e)
    areas = [shapely.area(p) for p in parts]
    assert sum(areas) == pytest.approx(cover.area, rel=1e-9)
    assert shapely.union_all(np.concatenate(parts)).area == pytest.approx(1e8, rel=1e-9)
    for part, drawn, measured in zip(
        parts, areas, (cover.certain, cover.possible_only, cover.uncovered), strict=True
    ):
        assert shapely.is_valid(part).all()
        assert set(np.unique(shapely.get_type_id(part))) <= {3, 6}
        assert np.all(np.abs(drawn - measured) <= 1e-3 * radius * shapely.length(part) + 1e-2)


def test_a_drawn_disc_has_its_own_area():
    certain, possible, uncovered = covered_geometry(grid(1), [5_000], [5_000], 1_000)
    assert certain[0].area == pytest.approx(np.pi * 1e6, rel=1e-9)
    assert possible[0].is_empty
    assert uncovered[0].area == pytest.approx(1e8 - np.pi * 1e6)


def test_drawing_nothing_leaves_the_unit_whole():
    certain, possible, uncovered = covered_geometry(grid(1), [], [], 1_000, [])
    assert certain[0].is_empty
    assert possible[0].is_empty
    assert shapely.equals(uncovered[0], grid(1)[0])


# ---- refusals ------------------------------------------------------------------------------------


def test_records_without_a_position_are_refused_by_index():
    with pytest.raises(ValueError, match="序号:1、3"):
        covered_areas(grid(1), [0, np.nan, 1, 1], [0, 0, 0, np.inf], 10)
    with pytest.raises(ValueError, match="等 12 个"):
        nearest(np.full(12, np.nan), np.zeros(12), [0], [0])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: covered_areas(grid(1), [0], [0]), "只给一个"),
        (lambda: covered_areas(grid(1), [0], [0], 1, radius_per_unit=1), "只给一个"),
        (lambda: covered_areas(grid(1), [0], [0, 1], 1), "同样长"),
        (lambda: covered_areas(grid(1), [0, 1], [0, 1], [1, 2, 3]), "2 个数"),
        (lambda: covered_areas(grid(1), [0, 1], [0, 1], [1, np.nan]), "半径.*序号:1"),
        (lambda: covered_areas(grid(2), [0], [0], radius_per_unit=[1, 2]), "4 个数"),
        (lambda: covered_areas([shapely.Point(0, 0)], [0], [0], 1), "面.*序号:0"),
        (
            lambda: covered_areas([shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])], [0], [0], 1),
            "自相交.*序号:0",
        ),
        (lambda: three_way(grid(1), [0], [0], 1, [-1]), "不得为负.*序号:0"),
        (lambda: three_way(grid(1), [0], [0], 1, [np.nan]), "定位误差.*序号:0"),
        (lambda: people_at_points([0], [0], [np.nan], [0], 1, [0], [0], 1), "人口.*序号:0"),
        (lambda: people_at_points([0], [0], [1], [-1], 1, [0], [0], 1), "单元序号.*序号:0"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_a_reason(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_twenty_thousand_hydrants():
    """A street grid of 20,000 hydrants, none within 60 m of another: the towns add up to the whole."""
    at = np.arange(142) * 90.0
    x, y = (v.ravel() for v in np.meshgrid(at, at))
    jitter = np.random.default_rng(1).uniform(-14, 14, (2, x.size))
    x, y = x + jitter[0] + 3_000, y + jitter[1] + 3_000
    assert not cKDTree(np.column_stack((x, y))).query_pairs(60)
    towns = shapely.segmentize(grid(4, side=5_000), 25)
    whole = covered_areas([shapely.box(0, 0, 20_000, 20_000)], x, y, 150)[0]
    assert covered_areas(towns, x, y, 150).sum() == pytest.approx(whole, rel=1e-10)
