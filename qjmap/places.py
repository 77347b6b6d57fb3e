"""Addresses without coordinates: put into the village or town they name, or into none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import shapely

from qjmap._repairs import stem

VILLAGE_AREAS = "village_areas"
"""The layer whose areas say better than a point where a village lies."""


@dataclass(frozen=True)
class Place:
    """Where an address lies.

    `town` and `village` are blank when it does not say, or says it of several (`choices`, for a person to choose).
    `lon`, `lat` (degrees) and `error_m` are NaN unless the village has coordinates; a record of a town alone is
    placed by `qjmap.registers`, at the town's seat or middle, with the town's own error. `elsewhere` is the district
    that the address names, when it is not this one.
    """

    town: str = ""
    village: str = ""
    lon: float = float("nan")
    lat: float = float("nan")
    error_m: float = float("nan")
    choices: tuple[str, ...] = ()
    elsewhere: str = ""


_UNIT = re.compile(
    r"([^省市区县镇乡村街路社\W\d]{2,9}?)(?:省|(?<![菜超门夜集花早])市(?!场)|自治区|自治州|自治县|县|(?<![社小园景库厂校院片发新城矿辖林灾护务活宅])区)"
)
"""A province, a city, a county, a district before a town's name; 社区, 小区, 园区 and their like are none."""
_AFTER_TOWN = re.compile(
    r"$|[\d(,.、]|镇|乡|街道|村|社区|居委|场|集镇|境内|辖区|片区|政府|卫生院|派出所|中学|小学|中心校|敬老院"
)
"""What may follow a town's bare name where the town is meant: 东溪场镇, and not 三江路, 永新大道, 隆盛火锅店."""


@dataclass(frozen=True, eq=False)
class Gazetteer:
    """The towns and villages of a district, ready to be looked up.

    Parameters
    ----------
    towns
        Names.
    villages
        Columns `name`, `town`, and if known `lon`, `lat` (degrees), `error_m` (metres; see `with_areas`).
    areas_km2
        Area by town, for the error of a village's place.
    own
        The district's own names (重庆市綦江区): an address that begins with another's lies elsewhere. Empty when nobody
        says: then every address is looked up.
    """

    towns: tuple[str, ...]
    villages: pd.DataFrame
    areas_km2: dict[str, float]
    own: tuple[str, ...] = ()

    def find(self, address: str, town: str = "", village: str = "") -> Place:
        """Put an address into the village or town it names.

        Parameters
        ----------
        address
            As a person wrote it; only its first 300 characters are looked at.
        town, village
            What the record itself says; these come before what the address says.
        """
        text = re.sub(r"\s", "", unicodedata.normalize("NFKC", address[:300]))
        if elsewhere := self._elsewhere(text):
            return Place(town, elsewhere=elsewhere)
        perhaps: tuple[str, ...] = ()
        if not town:
            named = self._towns_in(text)
            if len(named) > 1:
                return Place(choices=named)
            town = named[0] if named else ""
            perhaps = () if town else self._towns_perhaps_in(text)
        own = village or text
        found = self._villages_in(own, town) or (self._villages_in(text, town) if village else [])
        if len(found) > 1:
            homes = tuple(dict.fromkeys(self._town_of(n) for n in found))
            if len(homes) > 1:
                return Place(choices=tuple(f"{self._town_of(n)}{self._name(n)}" for n in found))
            return Place(homes[0], choices=tuple(self._name(n) for n in found))
        if not found:
            return Place(town, choices=perhaps)
        return self._placed(found[0])

    def _placed(self, n: int) -> Place:
        row, town = self.villages.iloc[n], self._town_of(n)
        lon, lat = (
            float(row[key]) if key in row and pd.notna(row[key]) else float("nan") for key in ("lon", "lat")
        )
        if np.isnan(lon) or np.isnan(lat):
            return Place(town, self._name(n))
        own = float(row["error_m"]) if "error_m" in row and pd.notna(row["error_m"]) else self._error(town)
        return Place(town, self._name(n), lon, lat, own)

    def _error(self, town: str) -> float:
        """Say how well a village's point tells its place: no better than the town's average village is large."""
        return extent_m(self.areas_km2.get(town, float("nan")), int((self.villages["town"] == town).sum()))

    def _towns_in(self, text: str) -> tuple[str, ...]:
        """Name the towns that a text says in full; if none, those whose bare name stands where a town is meant."""
        full = tuple(one for one in self.towns if one in text)
        if full:
            return full
        return tuple(
            one
            for one in self._towns_perhaps_in(text)
            if any(map(_AFTER_TOWN.match, self._behind(one, text)))
        )

    def _towns_perhaps_in(self, text: str) -> tuple[str, ...]:
        """Name the towns whose bare name begins a text or follows 区, 县, 市: a road may be called so, or a shop."""
        return tuple(one for one in self.towns if any(True for _ in self._behind(one, text)))

    @staticmethod
    def _behind(town: str, text: str) -> Iterator[str]:
        """Yield what stands behind a town's bare name."""
        for found in re.finditer(rf"(?:^|区|县|市){re.escape(stem(town))}", text):
            yield text[found.end() :]

    def _elsewhere(self, text: str) -> str:
        """Name the first province, city or county at the head of an address that is none of this district's own."""
        if not self.own:
            return ""
        ours = {found[1] for name in self.own for found in _UNIT.finditer(name)}
        at = 0
        while found := _UNIT.match(text, at):
            if not any(found[1].endswith(one) for one in ours):
                return found[0]
            at = found.end()
        return ""

    def _villages_in(self, text: str, town: str) -> list[int]:
        """Find the villages that a text names, the longest names first: 新山村社区 before 新山村."""
        found: list[tuple[int, int]] = []
        for n, names in enumerate(_village_names(tuple(self.villages["name"].astype("str")))):
            if town and self._town_of(n) != town:
                continue
            length = max((len(one) for one in names if one in text), default=0)
            if length:
                found.append((length, n))
        longest = max((length for length, _ in found), default=0)
        return [n for length, n in found if length == longest]

    def _town_of(self, n: int) -> str:
        return str(self.villages["town"].iat[n])

    def _name(self, n: int) -> str:
        return _village_names(tuple(self.villages["name"].astype("str")))[n][0]


def extent_m(area_km2: float, count: int) -> float:
    """Give the radius (metres) of a disc as large as a town's average village; NaN without its area."""
    return float(np.round(1000 * np.sqrt(area_km2 / max(1, count) / np.pi)))


def with_areas(villages: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Let villages whose area is known lie there: a point in it, and as error the distance to its farthest corner.

    Parameters
    ----------
    villages
        `name`, `town` and what else is known of them.
    areas
        A layer's frame of village areas: `name`, `town` (may be missing), `geometry` (degrees), `shape` (metres).

    Returns
    -------
    pandas.DataFrame
        The villages with `lon`, `lat` and `error_m`; areas of villages that the list does not know come after, where
        they name their town. A name that several villages bear is left alone unless the area says the town.
    """
    shapes = areas["shape"].to_numpy(dtype=object)
    inside = shapely.point_on_surface(shapes)
    at = shapely.point_on_surface(areas["geometry"].to_numpy(dtype=object))
    made = pd.DataFrame(
        {
            "name": areas["name"].astype("str").to_numpy(dtype=object),
            "town": areas["town"].astype(object).where(areas["town"].notna(), "").to_numpy(dtype=object),
            "lon": shapely.get_x(at),
            "lat": shapely.get_y(at),
            # to a corner, not to an edge: nothing of the village is farther away
            "error_m": np.ceil(shapely.hausdorff_distance(inside, shapes)),
        }
    )
    known = villages.reset_index(drop=True).assign(error_m=np.nan)
    for key in ("lon", "lat"):
        known[key] = known[key].astype(float) if key in known else np.nan
    names = [set(one) for one in _village_names(tuple(known["name"].astype("str")))]
    homes = known["town"].astype("str").tolist()
    new: list[int] = []
    for n, own in enumerate(_village_names(tuple(made["name"]))):
        town = str(made["town"].iat[n])
        found = [i for i, known_by in enumerate(names) if known_by & set(own) and town in ("", homes[i])]
        if len(found) == 1:
            known.loc[found[0], ["lon", "lat", "error_m"]] = made.loc[n, ["lon", "lat", "error_m"]].astype(
                float
            )
        elif not found and town:
            new.append(n)
    return pd.concat([known, made.iloc[new]], ignore_index=True) if new else known


@lru_cache(maxsize=8)
def _village_names(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Give the ways to write each village: 新山村社区居民委员会 → 新山村社区, 新山村."""
    bare = [re.sub("(?:居民|村民)委员会$", "", name) for name in names]
    return tuple((one, one.removesuffix("社区")) if one.endswith("村社区") else (one,) for one in bare)
