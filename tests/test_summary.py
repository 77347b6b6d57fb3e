"""Tables by town, on nine square towns whose answers are known."""

import numpy as np
import pandas as pd
import pytest

from qjmap import summary
from qjmap.conditions import Condition
from qjmap.registers import load_layer
from tests.conftest import write_layer

MIDDLE = "戊镇"  # 10,000 people in 2020, 10 × 10 km
SEAT_ERROR = 100.0


@pytest.fixture
def layer(grid_root, grid_district):
    """Load a register of the grid district after writing these rows."""

    def load(rows, key="health"):
        write_layer(grid_root, key, rows)
        return load_layer(grid_district, key).frame

    return load


def table_of(district, frame, urban, rural):
    radius = summary.radii(district, urban, rural)
    return summary.coverage_by_town(district, summary.cover(district, frame, radius), "population_2020")


# ---- coverage -----------------------------------------------------------------------------------


def test_the_radius_belongs_to_the_town(grid_district):
    radius = summary.radii(grid_district, 150, 400)
    assert radius.tolist() == [150, 150] + [400] * 7
    assert radius.dtype == float


def test_one_disc_inside_one_town(grid_district, layer):
    """A facility at the seat of 戊 (error 100 m) with R = 2 km: rings of known area, people in proportion."""
    table = table_of(grid_district, layer([{"town": MIDDLE}]), 500, 2000)
    certain, either = (np.pi * (2000 + sign * SEAT_ERROR) ** 2 / 1e6 for sign in (-1, 1))
    row = table.loc[MIDDLE]
    assert row["area_km2"] == pytest.approx(100, rel=1e-6)
    assert row["people"] == 10_000
    assert row["km2_certain"] == pytest.approx(certain, rel=1e-5)
    assert row["km2_possible"] == pytest.approx(either - certain, rel=1e-4)
    assert row["km2_uncovered"] == pytest.approx(100 - either, rel=1e-5)
    assert row["certain"] == pytest.approx(certain / 100, rel=1e-5)
    assert row["people_certain"] == pytest.approx(certain * 100, rel=1e-5)
    others = table.drop(MIDDLE)
    assert (others["certain"] == 0).all()
    assert (others["people_uncovered"] == others["people"]).all()


def test_a_disc_serves_beyond_its_towns_line(grid_district, layer):
    """A measured place on the line between 戊 and 己: half of the disc for each."""
    towns = grid_district.towns
    lon = (towns.at["戊镇", "seat_lon"] + towns.at["己镇", "seat_lon"]) / 2
    lat = (towns.at["戊镇", "seat_lat"] + towns.at["己镇", "seat_lat"]) / 2
    table = table_of(
        grid_district,
        layer([{"town": "戊镇", "lon": lon, "lat": lat, "position": "实测", "error_m": 0}]),
        1,
        3000,
    )
    half = np.pi * 3**2 / 2
    assert table.loc[["戊镇", "己镇"], "km2_certain"].tolist() == pytest.approx([half, half], rel=1e-3)
    assert table["km2_certain"].sum() == pytest.approx(2 * half, rel=1e-5)
    assert table["km2_possible"].sum() == pytest.approx(0, abs=1e-6)  # a measured place has no error


@pytest.mark.parametrize(("urban", "rural"), [(50, 50), (3500, 10_000), (90_000, 90_000)])
def test_people_and_land_sum_to_the_whole(grid_district, layer, urban, rural):
    rows = [{"town": "甲街道"}, {"town": MIDDLE}, {"town": "壬镇"}, {"town": "辛镇", "village": "某村"}, {}]
    table = table_of(grid_district, layer(rows), urban, rural)
    parts = ["certain", "possible", "uncovered"]
    assert table["people"].sum() == grid_district.total(2020).total
    for prefix, whole in (("people_", "people"), ("km2_", "area_km2")):
        np.testing.assert_allclose(table[[prefix + part for part in parts]].sum(axis=1), table[whole])
    np.testing.assert_allclose(table[parts].sum(axis=1), 1)
    assert (table[parts].to_numpy() >= 0).all()


def test_everything_is_covered_by_a_radius_larger_than_the_district(grid_district, layer):
    table = table_of(grid_district, layer([{"town": MIDDLE}]), 50_000, 50_000)
    np.testing.assert_allclose(table["certain"], 1)
    assert table["people_certain"].sum() == pytest.approx(90_000)


def test_a_town_known_only_by_its_middle_may_cover_nothing_for_certain(grid_district, layer):
    """壬 has no seat: the error reaches its farthest corner (7.07 km), which a radius of 2 km cannot make up."""
    table = table_of(grid_district, layer([{"town": "壬镇"}]), 2000, 2000)
    assert table["certain"].sum() == 0
    assert table.at["壬镇", "possible"] == pytest.approx(1, abs=1e-6)


def test_records_without_a_place_are_left_out_of_the_circles_not_of_the_frame(grid_district, layer):
    frame = layer([{"town": MIDDLE}, {}, {}])
    assert len(frame) == 3
    assert summary.placed(frame)["town"].tolist() == [MIDDLE]
    alone = table_of(grid_district, layer([{"town": MIDDLE}]), 500, 2000)
    pd.testing.assert_frame_equal(table_of(grid_district, frame, 500, 2000), alone)


def test_no_facility_covers_nothing(grid_district, layer):
    table = table_of(grid_district, layer([{}]), 500, 2000)
    np.testing.assert_allclose(table["uncovered"], 1)


# ---- who serves ---------------------------------------------------------------------------------


@pytest.fixture
def hydrants(layer):
    kinds = ["市政消火栓", "市政消火栓", "小区消火栓", "市政消火栓", "市政消火栓"]
    service = ["在用", "停用", "在用", "未知", ""]
    rows = [{"town": MIDDLE, "kind": k, "service": s} for k, s in zip(kinds, service, strict=True)]
    return layer(rows, "hydrants")


def test_without_a_condition_all_serve(hydrants):
    may, unknown = summary.serving(hydrants, ())
    assert may.tolist() == [True] * 5
    assert unknown == 0


def test_what_is_known_not_to_fit_is_out_and_what_is_unknown_is_in_and_counted(hydrants):
    may, unknown = summary.serving(hydrants, [Condition("service", values=("在用",))])
    assert may.tolist() == [True, False, True, True, True]
    assert unknown == 2


def test_an_exclusion_puts_out_what_is_known_to_be_excluded(hydrants):
    may, unknown = summary.serving(hydrants, [Condition("service", excluded=("停用", "报修"))])
    assert may.tolist() == [True, False, True, True, True]
    assert unknown == 2


def test_conditions_hold_together_and_a_record_out_by_one_is_not_counted_as_unsure(hydrants):
    conditions = [Condition("service", values=("停用",)), Condition("kind", values=("小区消火栓",))]
    may, unknown = summary.serving(hydrants, conditions)
    assert not may.any()
    assert unknown == 0


def test_every_kind_known_means_nothing_unsure(hydrants):
    may, unknown = summary.serving(hydrants, [Condition("kind", values=("市政消火栓",))])
    assert may.tolist() == [True, True, False, True, True]
    assert unknown == 0


def test_a_record_unsure_in_two_ways_is_counted_once(hydrants):
    conditions = [Condition("service", values=("在用",)), Condition("form", values=("地上式",))]
    may, unknown = summary.serving(hydrants, conditions)
    assert may.tolist() == [True, False, True, True, True]
    assert unknown == 4  # nobody's form is known


def test_numbers_and_columns_that_are_not_there_are_not_looked_at(hydrants):
    conditions = [Condition("diameter_mm", minimum=100), Condition("elsewhere", values=("是",))]
    may, unknown = summary.serving(hydrants, conditions)
    assert may.all()
    assert unknown == 0


# ---- counts and sums ----------------------------------------------------------------------------


def test_counts_name_every_town_and_no_record_without_one(grid_district, layer):
    found = summary.counts(grid_district, layer([{"town": MIDDLE}, {"town": MIDDLE}, {"town": "甲街道"}, {}]))
    assert found.index.tolist() == grid_district.towns.index.tolist()
    assert found[MIDDLE] == 2
    assert found["甲街道"] == 1
    assert found.sum() == 3
    assert found.dtype == int
    assert (summary.counts(grid_district, layer([])) == 0).all()


def test_a_sum_is_unknown_where_no_record_has_the_number(grid_district, layer):
    rows = [
        {"town": MIDDLE, "beds_2020": 30},
        {"town": MIDDLE, "beds_2020": ""},
        {"town": "甲街道", "beds_2020": ""},
        {"town": "乙街道", "beds_2020": 0},
        {"town": "", "beds_2020": 1000},
    ]
    frame = layer(rows)
    found = summary.sums(grid_district, frame, "beds_2020")
    assert found[MIDDLE] == 30
    assert np.isnan(found["甲街道"])  # there is one, but nobody says how many beds
    assert found["乙街道"] == 0
    assert found.notna().sum() == 2
    assert found.index.tolist() == grid_district.towns.index.tolist()
    assert summary.total(frame["beds_2020"]) == 1030  # the district's includes what has no town
    assert summary.sums(grid_district, layer([]), "beds_2020").isna().all()


def test_a_total_of_nothing_known_is_unknown():
    assert np.isnan(summary.total(pd.Series([pd.NA, pd.NA], dtype="Int64")))
    assert np.isnan(summary.total(pd.Series([], dtype=float)))
    assert summary.total(pd.Series([1, pd.NA, 2], dtype="Int64")) == 3.0
    assert summary.total(pd.Series([0.5, np.nan])) == 0.5


def test_documents_are_listed_once_in_the_order_in_which_they_appear():
    frames = [
        pd.DataFrame({"document": pd.Series(one, dtype="str")}) for one in (["b", None, "a", "b"], ["c", "a"])
    ]
    assert summary.documents_of(frames) == ["b", "a", "c"]
    assert summary.documents_of([]) == []


# ---- where a village table says how many live where ---------------------------------------------


@pytest.fixture
def villages(grid_district):
    """Two villages of 戊 (3,000 at its seat, 1,000 four km east of it), one of 甲 that nobody counted."""
    projection, towns = grid_district.projection, grid_district.towns
    x = towns.loc[[MIDDLE, MIDDLE, "甲街道", "甲街道"], "seat_x"].to_numpy() + np.array([0, 4000, 0, 100])
    y = towns.loc[[MIDDLE, MIDDLE, "甲街道", "甲街道"], "seat_y"].to_numpy()
    lon, lat = projection.to_degrees(x, y)
    return pd.DataFrame(
        {
            "town": pd.Series([MIDDLE, MIDDLE, "甲街道", "甲街道"], dtype="str"),
            "population": pd.array([3000, 1000, 500, pd.NA], dtype="Int64"),
            "lon": lon,
            "lat": lat,
            "error_m": 0.0,
        }
    )


def lived_in(district, frame, villages, radius=2000):
    return summary.people_by_village(district, frame, summary.radii(district, radius, radius), villages)


def test_people_are_counted_where_they_live(grid_district, layer, villages):
    frame = layer([{"town": MIDDLE}])
    lived = lived_in(grid_district, frame, villages)
    assert lived.index.tolist() == [MIDDLE]  # 甲's villages are not all counted
    assert lived.loc[MIDDLE].tolist() == [0.75, 0, 0.25]
    coverage = summary.cover(grid_district, frame, summary.radii(grid_district, 2000, 2000))
    table = summary.coverage_by_town(grid_district, coverage, "population_2020", lived)
    even = summary.coverage_by_town(grid_district, coverage, "population_2020")
    # shares of people, of the town's own number; land stays land
    assert table.at[MIDDLE, "people_certain"] == 7500
    assert table.at[MIDDLE, "people_uncovered"] == 2500
    pd.testing.assert_frame_equal(table.filter(like="km2"), even.filter(like="km2"))
    pd.testing.assert_frame_equal(
        table.drop(MIDDLE).drop(columns="by_village"), even.drop(MIDDLE).drop(columns="by_village")
    )
    assert table["by_village"].tolist() == [town == MIDDLE for town in table.index]
    assert not even["by_village"].any()


def test_a_village_at_the_edge_is_perhaps_covered(grid_district, layer, villages):
    """Known to 100 m: within 3,900 m for certain, within 4,100 m perhaps."""
    frame = layer([{"town": MIDDLE}])
    assert lived_in(grid_district, frame, villages, 4000).loc[MIDDLE].tolist() == [0.75, 0.25, 0]
    assert lived_in(grid_district, frame, villages, 4200).loc[MIDDLE].tolist() == [1, 0, 0]


def test_people_live_round_a_villages_point_and_not_at_it(grid_district, layer, villages):
    """Facility at the first village, known to 100 m; the second is 4 km off."""
    frame = layer([{"town": MIDDLE}])
    wide = villages.assign(error_m=500.0)
    assert lived_in(grid_district, frame, wide, 2000).loc[MIDDLE].tolist() == [0.75, 0, 0.25]
    assert lived_in(grid_district, frame, wide, 550).loc[MIDDLE].tolist() == [0, 0.75, 0.25]
    assert lived_in(grid_district, frame, wide, 3500).loc[MIDDLE].tolist() == [0.75, 0.25, 0]
    assert lived_in(grid_district, frame, wide, 500).empty, (
        "a point says nothing of a circle smaller than the village"
    )


def test_a_village_reaches_as_far_as_the_towns_average_one(grid_district, layer, villages):
    """Two villages in 100 km²: 50 km² each, a disc of 3,989 m."""
    frame = layer([{"town": MIDDLE}])
    bare = villages.drop(columns="error_m")
    assert lived_in(grid_district, frame, bare, 3980).empty
    assert lived_in(grid_district, frame, bare, 4000).loc[MIDDLE].tolist() == [0, 1, 0]
    assert lived_in(grid_district, frame, bare, 8100).loc[MIDDLE].tolist() == [1, 0, 0]


def test_villages_that_nobody_counted_say_nothing(grid_district, layer, villages):
    frame = layer([{"town": MIDDLE}])
    assert lived_in(grid_district, frame, villages.assign(lon=np.nan)).empty
    assert lived_in(grid_district, frame, villages.iloc[:0]).empty
    nobody = villages.assign(population=pd.array([0, 0, 0, 0], dtype="Int64"))
    assert lived_in(grid_district, frame, nobody).empty
