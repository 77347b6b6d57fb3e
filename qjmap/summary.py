"""Tables by town that the pages show: what is covered, for how many people, and what each town has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qjmap.conditions import Condition
from qjmap.district import District
from qjmap.places import extent_m
from qjmap.registers import lies_in

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


def people_by_village(
    district: District, frame: pd.DataFrame, radius_m: NDArray[np.float64], villages: pd.DataFrame
) -> pd.DataFrame:
    """Say where people live from a village table, for the towns whose every village has people and coordinates.

    People live round a village's point, not at it. Where a village is as large as the radius its point says nothing of
    who is within, and its town is left out: better its people are spread evenly than all set on one spot.

    Parameters
    ----------
    frame
        The facilities, as for `cover`.
    villages
        The table `villages`: `town`, `population`, `lon`, `lat`, and if known `error_m`, how far (metres) a village
        reaches from its point; else its town's average village tells.

    Returns
    -------
    pandas.DataFrame
        Index: those towns only. Shares of people 0–1: `certain`, `possible`, `uncovered`.
    """
    towns = district.boundaries.index
    columns = ["certain", "possible", "uncovered"]
    told = villages[["population", "lon", "lat"]].notna().all(axis=1)
    whole = told.groupby(villages["town"].astype("str")).all()
    reach = _reach(district, villages)
    widest = reach.groupby(villages["town"].astype("str")).max()
    radius = dict(zip(towns, radius_m.tolist(), strict=True))
    known = [town for town in towns if whole.get(town, False) and widest[town] < radius[town]]
    if not known:
        return pd.DataFrame(columns=columns, dtype=float)
    from qjmap.coverage import people_at_points

    here = villages[villages["town"].isin(known)]
    px, py = district.projection.to_metres(here["lon"], here["lat"])
    there = placed(frame)
    people = people_at_points(
        px,
        py,
        here["population"].to_numpy(dtype=float),
        towns.get_indexer(here["town"]),
        len(towns),
        there["x"].to_numpy(dtype=float),
        there["y"].to_numpy(dtype=float),
        radius_m,
        there["error_m"].fillna(0).to_numpy(dtype=float),
        reach[here.index].to_numpy(dtype=float),
    )
    shares = [people.certain_share, people.possible_share - people.certain_share, people.uncovered_share]
    return pd.DataFrame(dict(zip(columns, shares, strict=True)), index=towns).loc[known].dropna()


def _reach(district: District, villages: pd.DataFrame) -> pd.Series[float]:
    """Say how far each village reaches from its point, in metres."""
    homes = villages["town"].astype("str")
    counts = homes.value_counts()
    average = {
        town: extent_m(float(district.towns["area_km2"].get(town, np.nan)), int(counts[town]))
        for town in counts.index
    }
    own = (
        villages["error_m"].astype(float)
        if "error_m" in villages
        else pd.Series(np.nan, index=villages.index)
    )
    return own.fillna(homes.map(average).astype(float))


def coverage_by_town(
    district: District, coverage: Coverage, population: str, lived: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Turn a coverage into shares, areas and people.

    Parameters
    ----------
    population
        Column of `district.towns` with the people of each town.
    lived
        Where the people of some towns live, from `people_by_village`; in all others they are spread evenly.

    Returns
    -------
    pandas.DataFrame
        Index: town. `people`, `area_km2`; shares of people 0–1 `certain`, `possible`, `uncovered`; the same as people
        (`people_certain` …) and, of the land, as km² (`km2_certain` …); `by_village`, whether a village table was
        used.
    """
    towns = district.boundaries.index
    people = district.towns.loc[towns, population].to_numpy(dtype=float)
    area = coverage.area
    parts = {"certain": coverage.certain, "possible": coverage.possible_only, "uncovered": coverage.uncovered}
    table = pd.DataFrame({"people": people, "area_km2": area / 1e6}, index=towns)
    for name, part in parts.items():
        share = pd.Series(np.divide(part, area, out=np.zeros_like(area), where=area > 0), index=towns)
        if lived is not None:
            share.update(lived[name])
        table[name] = share
        table[f"people_{name}"] = share * people
        table[f"km2_{name}"] = part / 1e6
    table["by_village"] = False if lived is None else towns.isin(lived.index)
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
    """Count a frame's records in each town; one without a town is in none, a line or area in each that it lies in."""
    if "in_towns" in frame:
        within = [int(lies_in(frame, [town]).sum()) for town in district.towns.index]
        return pd.Series(within, index=district.towns.index, dtype=int)
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
