"""Tables by town that the pages show: what is covered, for how many people, and what each town has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qjmap.district import District
from qjmap.standards import Condition

if TYPE_CHECKING:
    from qjmap.coverage import Coverage

URBAN = "城区"
UNKNOWN = "未知"


def radii(district: District, urban_m: float, rural_m: float) -> NDArray[np.float64]:
    """Give the service radius (metres) of every town with a boundary, by its `setting`."""
    setting = district.towns.loc[district.boundaries.index, "setting"]
    return np.where((setting == URBAN).to_numpy(dtype=bool), urban_m, rural_m).astype(float)


def placed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the records that have a place; the others are counted and listed, never drawn."""
    return frame[frame["x"].notna()]


def cover(district: District, frame: pd.DataFrame, radius_m: NDArray[np.float64]) -> Coverage:
    """Compute the three-way coverage of every town by the placed records of a frame."""
    # scipy takes a quarter of a second to import, and the first page needs none of it.
    from qjmap.coverage import three_way

    there = placed(frame)
    return three_way(
        district.boundaries.geometry.to_numpy(),
        there["x"].to_numpy(dtype=float),
        there["y"].to_numpy(dtype=float),
        radius_m,
        there["error_m"].fillna(0).to_numpy(dtype=float),
    )


def coverage_by_town(district: District, coverage: Coverage, population: str) -> pd.DataFrame:
    """Turn a coverage into shares, areas and people.

    Parameters
    ----------
    population
        Column of `district.towns`; people are spread evenly over their town.

    Returns
    -------
    pandas.DataFrame
        Index: town. `people`, `area_km2`; shares 0–1 `certain`, `possible`, `uncovered`; and the same as people
        (`people_certain` …) and as km² (`km2_certain` …).
    """
    towns = district.boundaries.index
    people = district.towns.loc[towns, population].to_numpy(dtype=float)
    area = coverage.area
    parts = {"certain": coverage.certain, "possible": coverage.possible_only, "uncovered": coverage.uncovered}
    table = pd.DataFrame({"people": people, "area_km2": area / 1e6}, index=towns)
    for name, part in parts.items():
        share = np.divide(part, area, out=np.zeros_like(area), where=area > 0)
        table[name] = share
        table[f"people_{name}"] = share * people
        table[f"km2_{name}"] = part / 1e6
    return table


def serving(frame: pd.DataFrame, where: Iterable[Condition]) -> tuple[NDArray[np.bool_], int]:
    """Tell which records may serve by a rule's conditions: those that are known not to are out.

    Parameters
    ----------
    frame
        A layer's frame, n records.
    where
        The rule's conditions; only those on category columns are looked at.

    Returns
    -------
    numpy.ndarray, int
        (n,) bool, and how many of them are in only because the register says 未知.
    """
    may = np.ones(len(frame), dtype=bool)
    unknown = np.zeros(len(frame), dtype=bool)
    for condition in where:
        if condition.column not in frame or condition.numeric:
            continue
        values = frame[condition.column].astype("str")
        blank = (frame[condition.column].isna() | (values == UNKNOWN)).to_numpy(dtype=bool)
        fits = values.isin([str(value) for value in condition.values]).to_numpy(dtype=bool)
        if condition.excluded:
            fits = ~values.isin([str(value) for value in condition.excluded]).to_numpy(dtype=bool)
        may &= fits | blank
        unknown |= blank
    return may, int((may & unknown).sum())


def counts(district: District, frame: pd.DataFrame) -> pd.Series[int]:
    """Count a frame's records in each town; a record without a town is in none."""
    return frame["town"].astype("str").value_counts().reindex(district.towns.index, fill_value=0).astype(int)


def sums(district: District, frame: pd.DataFrame, column: str) -> pd.Series[float]:
    """Add up a number column by town; NaN where no record of the town has the number."""
    totals = frame.groupby(frame["town"].astype("str"))[column].agg(lambda values: values.sum(min_count=1))
    return totals.astype(float).reindex(district.towns.index)


def total(values: pd.Series[Any]) -> float:
    """Add up what is known; NaN when nothing is."""
    known = values.dropna()
    return float(known.astype(float).sum()) if len(known) else float("nan")


def documents_of(frames: Sequence[pd.DataFrame]) -> list[str]:
    """List the document ids that frames rest on, in the order in which they first appear."""
    seen: dict[str, None] = {}
    for frame in frames:
        seen |= dict.fromkeys(frame["document"].dropna().astype("str").unique())
    return list(seen)
