"""People per town where only older or coarser counts are public: an estimate, exact to the official total."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from qjmap.errors import DataError, Problem


def census_shares(towns: pd.DataFrame) -> pd.Series[float]:
    """Give each town's share of the last census that counted by town.

    A census unit that has since been divided shares its people among its present towns by their numbers of
    villages and communities.

    Parameters
    ----------
    towns
        Index: town names. Columns: `population_2010` (people, given for at least one town of each census
        unit), `census_unit` (the unit in which the town was counted), `villages_2023` (used only within
        divided units).

    Returns
    -------
    pandas.Series
        Shares that sum to 1.

    Raises
    ------
    DataError
        A census unit has no count, a divided one lacks a number of villages, or nobody was counted at all.
    """
    unit = towns["census_unit"]
    counted = (
        towns["population_2010"].astype("float64").groupby(unit).transform(lambda one: one.sum(min_count=1))
    )
    divided = unit.map(unit.value_counts()).to_numpy() > 1
    villages = towns["villages_2023"].astype("float64").where(divided, 1.0)
    problems = [
        Problem("townships.csv", None, "population_2010", f"{name}:空白", "其普查单位的人口")
        for name in towns.index[counted.isna()]
    ]
    problems += [
        Problem("townships.csv", None, "villages_2023", f"{name}:{villages[name]}", "大于 0 的村(社区)数")
        for name in towns.index[~(villages > 0)]
    ]
    if problems:
        raise DataError(problems)
    if counted.sum() == 0:
        raise DataError([Problem("townships.csv", None, "population_2010", "全部为 0", "大于 0 的普查人口")])
    people = counted * villages / villages.groupby(unit).transform("sum")
    return people / people.sum()


def estimate(towns: pd.DataFrame, total: int) -> pd.Series[int]:
    """Estimate the people of each town: its census share of an official total.

    The method assumes that every town has grown or shrunk as the whole district did; it is therefore marked
    估算 wherever it is shown. Whole numbers by the method of largest remainders (Hamilton): each town gets
    its share rounded down, and the people left over go one each to the largest remainders, earlier towns
    first.

    Parameters
    ----------
    towns
        See `census_shares`.
    total
        The official total, people.

    Returns
    -------
    pandas.Series
        Whole numbers by town, summing to `total` exactly.

    Raises
    ------
    DataError
        See `census_shares`.
    """
    exact = np.asarray(census_shares(towns) * total, dtype=np.float64)
    people = whole_parts(exact, total)
    return pd.Series(people, index=towns.index, name="population")


def whole_parts(exact: npt.NDArray[np.float64], total: int) -> npt.NDArray[np.int64]:
    """Round parts to whole numbers that sum to a total, by largest remainders.

    Parameters
    ----------
    exact
        Parts that sum to `total` but for rounding of floats.
    total
        A whole number.
    """
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return whole
