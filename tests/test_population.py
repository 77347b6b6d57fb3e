"""Estimates of people by town: exact to the official totals, honest about what was counted together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qjmap.errors import DataError
from qjmap.population import census_shares, estimate, whole_parts

QUICK = settings(max_examples=60, deadline=None)


def towns(*rows: tuple[float | None, str, float | None]) -> pd.DataFrame:
    """Towns 0, 1, 2 … of (people in 2010, census unit, villages)."""
    frame = pd.DataFrame(rows, columns=["population_2010", "census_unit", "villages_2023"])
    frame["population_2010"] = frame["population_2010"].astype("Int64")
    frame["villages_2023"] = frame["villages_2023"].astype("Int64")
    return frame.set_index(pd.Index([f"town {n}" for n in range(len(rows))]))


def real(qijiang) -> pd.DataFrame:
    """The columns of `townships.csv` that an estimate is made of."""
    return qijiang.towns[["census_2010", "census_unit", "villages_2023"]].set_axis(
        ["population_2010", "census_unit", "villages_2023"], axis=1
    )


# ---- the real district ----------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2010, 2020, 2025])
def test_the_real_sums_are_exact(qijiang, year):
    total = {2010: 801_041, 2020: 775_509, 2025: 825_000}[year]
    people = qijiang.towns[f"population_{year}"]
    assert people.sum() == total == qijiang.total(year).total
    assert people.dtype.kind == "i"
    assert people.equals(estimate(real(qijiang), total).rename(people.name))


def test_what_the_census_counted_returns_unchanged(qijiang):
    counted = qijiang.towns.groupby("census_unit")["population_2010"].sum()
    census = qijiang.towns["census_2010"].dropna()
    assert counted[census.index].tolist() == census.tolist()


@pytest.mark.parametrize("year", [2010, 2020, 2025])
def test_the_three_streets_share_by_their_villages(qijiang, year):
    streets = qijiang.towns.loc[["古南街道", "文龙街道", "通惠街道"]]
    assert streets["villages_2023"].tolist() == [23, 20, 13]
    people = streets[f"population_{year}"].to_numpy()
    total = {2010: 801_041, 2020: 775_509, 2025: 825_000}[year]
    together = total * 208_010 / 801_041
    assert np.abs(people - together * np.array([23, 20, 13]) / 56).max() < 1


def test_every_town_is_within_one_of_its_exact_share(qijiang):
    exact = census_shares(real(qijiang)) * 775_509
    assert (exact - qijiang.towns["population_2020"]).abs().max() < 1
    assert census_shares(real(qijiang)).sum() == pytest.approx(1, abs=1e-12)


def test_the_order_of_the_towns_does_not_matter(qijiang):
    turned = real(qijiang).sample(frac=1, random_state=7)
    for total in (801_041, 775_509, 825_000):
        expected = estimate(real(qijiang), total)
        assert estimate(turned, total)[expected.index].equals(expected)


# ---- known answers --------------------------------------------------------------------------------


def test_largest_remainders_by_hand():
    # exact shares of 10: 4.5, 3.3, 2.2
    assert estimate(towns((45, "a", 1), (33, "b", 1), (22, "c", 1)), 10).tolist() == [5, 3, 2]
    # 1.666…, 1.666…, 6.666…: two are left over, and the earlier of equals come first
    assert estimate(towns((1, "a", 1), (1, "b", 1), (4, "c", 1)), 10).tolist() == [2, 2, 6]


def test_of_equals_the_earlier_come_first():
    assert whole_parts(np.full(40, 0.5), 20).tolist() == [1] * 20 + [0] * 20


def test_a_divided_unit_shares_by_villages_and_no_other_looks_at_them():
    frame = towns((700, "a", 3), (None, "a", 4), (300, "c", None))
    assert estimate(frame, 1000).tolist() == [300, 400, 300]
    assert estimate(towns((300, "a", 3), (400, "a", 4), (300, "c", 0)), 1000).tolist() == [300, 400, 300]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(None, "a", 1), (5, "b", 1)], ["town 0", "population_2010"]),
        ([(5, "a", None), (None, "a", 2)], ["town 0", "villages_2023"]),
        ([(5, "a", 0), (None, "a", 2)], ["town 0", "大于 0"]),
        ([(0, "a", 1), (0, "b", 1)], ["全部为 0"]),
        ([(None, "a", 1), (5, "b", None), (None, "b", None)], ["town 0", "town 1", "town 2"]),
    ],
)
def test_what_cannot_be_estimated_is_told_at_once(rows, words):
    with pytest.raises(DataError) as caught:
        estimate(towns(*rows), 100)
    for word in words:
        assert word in str(caught.value)


# ---- whatever comes -------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(1, 10**7), st.sampled_from("abcde"), st.integers(1, 99)), min_size=1, max_size=30),
    st.integers(1, 2 * 10**9),
)  # fmt: skip
@QUICK
def test_sums_are_exact_for_any_total(rows, total):
    people = estimate(towns(*rows), total)
    assert people.sum() == total
    assert (people >= 0).all()


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40))
@QUICK
def test_whole_parts_return_as_they_are(parts):
    total = sum(parts)
    # as floats come out of a share: not quite whole
    exact = np.asarray(parts, dtype=float) / 3 * 3
    assert whole_parts(exact, total).tolist() == parts


@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=40), st.integers(0, 10**7))
@QUICK
def test_no_part_is_off_by_one_or_more(weights, total):
    exact = np.asarray(weights) / sum(weights) * total
    found = whole_parts(exact, total)
    assert found.sum() == total
    assert np.abs(found - exact).max() < 1 + 1e-5
