"""What a thematic page is looking at: the data, the choice, and the result, computed once for each choice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from qjmap import summary
from qjmap.coverage import Coverage, Within, within
from qjmap.district import District
from qjmap.errors import DataError, Problem
from qjmap.filters import Filter
from qjmap.layers import LayerSpec
from qjmap.places import VILLAGE_AREAS, with_areas
from qjmap.registers import present
from qjmap.ui import source
from qjmap.ui.sidebar import Radius


@dataclass(frozen=True, eq=False)
class View:
    """A page's data after every choice.

    Parameters
    ----------
    district, spec
        Where, and which layer.
    shown
        The chosen records of the layer.
    serving
        The placed facilities whose circles are drawn: chosen without regard to towns, for a facility serves beyond
        its town's line.
    unsure
        How many of `serving` are there only because the register says 未知.
    towns
        The towns looked at.
    filter
        The choice.
    radius
        The standard in force; None when there is none.
    radius_m
        (towns with a boundary,) metres; None when there is no radius.
    population
        Column of `district.towns` with the people of the year looked at.
    demo_wanted
        Whether invented records are shown at all.
    demo
        Whether any record that the page rests on is invented.
    """

    district: District
    spec: LayerSpec
    shown: pd.DataFrame
    serving: pd.DataFrame
    unsure: int
    towns: tuple[str, ...]
    filter: Filter
    radius: Radius | None
    radius_m: NDArray[np.float64] | None
    population: str
    demo_wanted: bool
    demo: bool

    @property
    def year(self) -> int:
        """The year of the population."""
        return int(self.population[-4:])

    @property
    def covers(self) -> bool:
        """Whether there is a coverage: without radius, boundaries or facilities nothing is known, nor called short."""
        return self.radius_m is not None and len(self.serving) > 0 and len(self.district.boundaries) > 0

    @cached_property
    def coverage(self) -> pd.DataFrame | None:
        """Index: town; see `summary.coverage_by_town`. Computed when first asked for: the map does not wait for it."""
        if not self.covers:
            return None
        assert self.radius_m is not None
        return coverage_of(self.district, self.serving, self.radius_m, self.population)

    @cached_property
    def reach(self) -> Within:
        """Whether each placed record that is shown has a facility within the radius of its town."""
        assert self.radius is not None
        there = summary.placed(self.shown)
        setting = self.district.towns["setting"].reindex(there["town"]).to_numpy()
        radius = np.where(setting == summary.URBAN, self.radius.urban_m, self.radius.rural_m).astype(float)
        columns = ["x", "y", "error_m"]
        points = there[columns].fillna({"error_m": 0}).to_numpy(dtype=float)
        facilities = self.serving[columns].fillna({"error_m": 0}).to_numpy(dtype=float)
        digest = hashlib.sha256(points.tobytes() + b"|" + facilities.tobytes() + b"|" + radius.tobytes())
        return _within(digest.hexdigest(), points, facilities, radius)

    @property
    def village_problems(self) -> tuple[Problem, ...]:
        """What is wrong with the village table, for it decides where people are taken to live."""
        return _villages()[1] if self.covers else ()

    @property
    def reference_only(self) -> bool:
        """Whether the circles say nothing of short or met: the rule speaks of land that is not registered."""
        rule = None if self.radius is None else self.radius.rule
        return rule is not None and bool(rule.within)

    @property
    def judges(self) -> bool:
        """Whether what lies outside the circles may be called short: by a rule, on land and records that are known."""
        return (
            self.radius is not None
            and self.radius.rule is not None
            and not (self.reference_only or self.unsure)
        )

    @property
    def spread(self) -> str:
        """Say how people are taken to live within a town."""
        towns = 0 if self.coverage is None else int(self.coverage["by_village"].sum())
        if towns:
            return f"{towns} 个街镇按村(社区)人口和位置计算,其余街镇内按均匀分布估算"
        counted = bool(_villages()[0]["population"].notna().any())
        why = "分村人口不全,村还没有坐标、界线,或村比服务半径还大,未用" if counted else "没有分村人口"
        return f"街镇内人口按均匀分布估算({why})"

    @property
    def gap_word(self) -> str:
        """What the land outside the circles is called."""
        return "圈外" if self.reference_only else "未覆盖"

    def whole(self, column: str) -> float:
        """Add up a column of the coverage over the towns looked at."""
        assert self.coverage is not None
        return float(self.coverage.loc[[t for t in self.coverage.index if t in self.towns], column].sum())


def coverage_of(
    district: District, facilities: pd.DataFrame, radius_m: NDArray[np.float64], population: str
) -> pd.DataFrame:
    """Compute the coverage by town, or take it from the cache: same places, same radii, same result."""
    numbers = facilities[["x", "y", "error_m"]].to_numpy(dtype=float)
    digest = hashlib.sha256(numbers.tobytes() + radius_m.tobytes())
    # the boundaries may be replaced while the app runs
    digest.update(district.boundaries.geometry.area.to_numpy().tobytes())
    villages, _ = _villages()
    digest.update(source.fingerprint().encode())
    coverage, lived = _cover(digest.hexdigest(), district, facilities, radius_m, villages)
    return summary.coverage_by_town(district, coverage, population, lived)


def _villages() -> tuple[pd.DataFrame, tuple[Problem, ...]]:
    """Give the village table; an empty one, and why, when it cannot be used; an empty one when there is none."""
    return _villages_of(source.fingerprint(), source.district_key())


@st.cache_resource(show_spinner=False, max_entries=4)
def _villages_of(content: str, key: str) -> tuple[pd.DataFrame, tuple[Problem, ...]]:
    nothing = pd.DataFrame({"town": [], "population": [], "lon": [], "lat": []})
    if not source.has_table("villages"):
        return nothing, ()
    try:
        villages = source.table("villages")
        if VILLAGE_AREAS not in present(source.district(), demo=False):
            return villages, ()
        areas = source.layer(VILLAGE_AREAS, demo=False).frame
        return (with_areas(villages, areas) if len(areas) else villages), ()
    except DataError as error:
        return nothing, error.problems


@st.cache_resource(show_spinner=False, max_entries=128)
def _within(
    content: str, _points: NDArray[np.float64], _facilities: NDArray[np.float64], _radius: NDArray[np.float64]
) -> Within:
    (x, y, error), (fx, fy, ferror) = _points.T, _facilities.T
    return within(x, y, error, fx, fy, ferror, _radius)


@st.cache_resource(show_spinner=False, max_entries=128)
def _cover(
    content: str,
    _district: District,
    _facilities: pd.DataFrame,
    _radius_m: NDArray[np.float64],
    _villages: pd.DataFrame,
) -> tuple[Coverage, pd.DataFrame]:
    lived = summary.people_by_village(_district, _facilities, _radius_m, _villages)
    return summary.cover(_district, _facilities, _radius_m), lived
