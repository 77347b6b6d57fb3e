"""A district: its settings, towns, boundaries, people and working projection, all from its two folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qjmap import boundaries, population
from qjmap._entries import read_toml
from qjmap.boundaries import Origin
from qjmap.checks import Context
from qjmap.contents import BOUNDARIES, Content
from qjmap.crs import Projection
from qjmap.errors import DataError, Problem, RegistryError, UnknownKeyError
from qjmap.ingest import relative
from qjmap.layers import Column, LayerSpec, Registry, load_registry
from qjmap.oddities import Ground
from qjmap.registers import completed, read_checked, read_register

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder: above the package."""

_DOCUMENT_COLUMNS = ("id", "title", "number", "date", "issuer", "status", "reading", "seed", "note")
DOCUMENTS = LayerSpec(
    "documents",
    "文件",
    "documents.csv",
    "none",
    "",
    "",
    (),
    {
        key: Column(key, key, "text", required=key in ("id", "title"), unique=key == "id")
        for key in _DOCUMENT_COLUMNS
    },
)
"""The list of source documents is the same for every district, so it is not one of a district's tables."""


@dataclass(frozen=True)
class OfficialTotal:
    """An official number of people, with the document that says so."""

    year: int
    total: int
    document: str
    clause: str
    note: str = ""


@dataclass(frozen=True)
class Settings:
    """What `district.toml` says.

    `centre` is longitude and latitude; `box` is west, south, east, north in degrees, where everything must
    lie; `context_units` are polygons of the boundary file that are drawn as background; `boundary_kind` and
    `boundary_notice` are said of a boundary file that says nothing of itself (`District.origin` is what is shown).
    `former_names` are those that the district had: old lists write them before a town's. What stands on paper only,
    each may be empty: `review_number` (审图号), `internal` (the 内部资料 mark), `office` (编制单位).
    """

    key: str
    name: str
    short_name: str
    adcode: str
    centre: tuple[float, float]
    box: tuple[float, float, float, float]
    context_units: tuple[str, ...]
    context_label: str
    boundary_file: str
    anchor_file: str
    boundary_kind: str
    boundary_notice: str
    totals: tuple[OfficialTotal, ...]
    method: str
    base_year: int
    headlines: tuple[str, ...]
    first_layers: tuple[str, ...]
    review_number: str = ""
    internal: str = ""
    office: str = ""
    former_names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class District:
    """Everything that the pages need to know of a district before they read its registers.

    Parameters
    ----------
    root
        The project's folder.
    settings
        What `district.toml` says.
    registry
        The layers and tables.
    documents
        Index: document id. Columns as in `data/documents.csv`.
    towns
        Index: `name`, in the order of `townships.csv`. Columns: those of the file (`code`, `kind`, `setting`,
        `seat_lon`, `seat_lat`, `seat_error_m`, `census_unit`, `area_km2_quoted`, `villages_2023`),
        `census_2010` (people of the census unit, as counted), `population_<year>` for each official total
        (estimates that sum to it), `seat_x`, `seat_y` and `point_x`, `point_y` (metres; the representative
        point), `point_error_m` (distance to the town's farthest corner) and `area_km2` (of the polygon).
        NaN where unknown.
    boundaries
        Index: town, in the same order. Columns as from `qjmap.boundaries.read`, metres. Empty when the file
        is bad.
    background
        The same for the units drawn as background.
    boundary_problems
        Why there are no boundaries; empty when all is well.
    kept
        What people changed, by key of layer or table (or `qjmap.workspace.BOUNDARIES`): it takes the place of
        the shipped file.
    said
        What the boundary file in use says of itself.
    """

    root: Path
    settings: Settings
    registry: Registry
    documents: pd.DataFrame
    towns: pd.DataFrame
    boundaries: gpd.GeoDataFrame
    background: gpd.GeoDataFrame
    boundary_problems: tuple[Problem, ...] = ()
    kept: Mapping[str, Content] = field(default_factory=dict)
    said: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def origin(self) -> Origin:
        """Whose lines the boundaries in use are: every screen, map and file says it in these words."""
        return boundaries.origin(self.said, self.settings.boundary_kind, self.settings.boundary_notice)

    @property
    def schematic(self) -> bool:
        """Whether the boundaries in use are those drawn for this map."""
        return self.origin.schematic

    @property
    def boundary_kind(self) -> str:
        """What the boundaries in use are called."""
        return self.origin.kind

    @property
    def boundary_notice(self) -> str:
        """What must be said wherever the boundaries in use are drawn or anything is cut by them."""
        return self.origin.notice

    @property
    def key(self) -> str:
        """The district's folder name."""
        return self.settings.key

    @property
    def name(self) -> str:
        """The district's full name."""
        return self.settings.name

    @property
    def data(self) -> Path:
        """The folder of its registers."""
        return self.root / "data" / self.key

    @property
    def geo(self) -> Path:
        """The folder of its boundaries."""
        return self.root / "geo" / self.key

    @cached_property
    def projection(self) -> Projection:
        """The working projection."""
        return Projection(*self.settings.centre)

    def context(self, *, demo: bool = False) -> Context:
        """Give what a register of this district is held against."""
        columns = frozenset(
            f"{key}.{name}" for key, spec in self.registry.layers.items() for name in spec.columns
        )
        return Context(tuple(self.towns.index), tuple(self.documents.index), self.settings.box, demo, columns)

    def ground(self) -> Ground:
        """Give the land that places are held against."""
        own = self.boundaries
        shapes = np.asarray(own.geometry, dtype=object)
        rough = self.registry.lines.get("schematic")
        off = rough.error_m if rough is not None else 0.0
        towns = self.towns.reindex(own.index)
        people = towns.get(f"population_{self.settings.base_year}", pd.Series(np.nan, index=own.index))
        return Ground(
            self.projection,
            tuple(own.index),
            shapes,
            official=not self.schematic,
            rough_m=off,
            people=tuple(people.astype("float64")),
            villages=tuple(towns["villages_2023"].astype("float64")),
        )

    def total(self, year: int) -> OfficialTotal:
        """Give the official number of people of a year.

        Raises
        ------
        UnknownKeyError
            There is none for that year.
        """
        for one in self.settings.totals:
            if one.year == year:
                return one
        raise UnknownKeyError(f"{self.name}没有 {year} 年的人口总数")


def districts(root: Path | None = None) -> tuple[str, ...]:
    """List the districts there are: folders of `data/` with a `district.toml`."""
    return tuple(sorted(path.parent.name for path in ((root or ROOT) / "data").glob("*/district.toml")))


def load_district(
    key: str = "qijiang", root: Path | None = None, *, kept: Mapping[str, Content] | None = None
) -> District:
    """Load a district.

    Parameters
    ----------
    key
        The name of its folder under `data/` and `geo/`.
    root
        The project's folder; by default the one above the package.
    kept
        What people changed, usually `qjmap.workspace.Workspace.current()`; see `District`.

    Raises
    ------
    UnknownKeyError
        There is no such district.
    RegistryError
        `layers.toml` or `district.toml` is wrong.
    DataError
        `documents.csv` or `townships.csv` is wrong. A bad boundary file does not raise: see
        `boundary_problems`.
    """
    root = (root or ROOT).resolve()
    if key not in districts(root):
        raise UnknownKeyError(f"没有名为“{key}”的区县;现有:{'、'.join(districts(root)) or '无'}")
    data = root / "data"
    registry = load_registry(data / "layers.toml")
    settings = read_settings(key, root)
    documents = read_register(data / DOCUMENTS.file, DOCUMENTS, Context(), root)
    kept = dict(kept or {})
    towns = read_towns(data / key, registry, settings, root, kept.get("townships"))
    projection = Projection(*settings.centre)
    problems: tuple[Problem, ...] = ()
    path = root / "geo" / key / settings.boundary_file
    drawn = kept.get(BOUNDARIES)
    names, wide = list(towns.index), settings.context_units
    try:
        polygons = (
            boundaries.read(path, root, names, projection, settings.box, wide)
            if drawn is None
            else boundaries.parse(drawn.data, drawn.file, names, projection, settings.box, wide)
        )
    except DataError as error:
        polygons, problems = boundaries.empty(projection), error.problems
    return District(
        root,
        settings,
        registry,
        documents.set_index("id").drop(columns=["row", "file"]),
        _measured(towns, polygons, settings, projection),
        polygons[polygons.index.isin(towns.index)],
        polygons[~polygons.index.isin(towns.index)],
        problems,
        kept,
        polygons.attrs.get("said", {}),
    )


def read_towns(
    folder: Path, registry: Registry, settings: Settings, root: Path, kept: Content | None = None
) -> pd.DataFrame:
    """Read `townships.csv`, or what is kept in its place: index name, the file's columns."""
    spec, context = registry.spec("townships"), Context(box=settings.box)
    frame = (
        read_register(folder / spec.file, spec, context, root)
        if kept is None
        else read_checked(completed(kept.table(), spec), spec, context)
    )
    return frame.set_index("name").drop(columns=["row", "file"])


def _measured(
    towns: pd.DataFrame, polygons: gpd.GeoDataFrame, settings: Settings, projection: Projection
) -> pd.DataFrame:
    """Add people, places in metres and areas to the towns."""
    people = {f"population_{one.year}": population.estimate(towns, one.total) for one in settings.totals}
    seat_x, seat_y = projection.to_metres(towns["seat_lon"], towns["seat_lat"])
    own = polygons.reindex(towns.index)
    corners = [
        np.nan if shape is None else float(shapely.hausdorff_distance(shape, shapely.Point(x, y)))
        for shape, x, y in zip(own.geometry, own["label_x"], own["label_y"], strict=True)
    ]
    return towns.rename(columns={"population_2010": "census_2010"}).assign(
        **people,
        seat_x=seat_x,
        seat_y=seat_y,
        point_x=own["label_x"],
        point_y=own["label_y"],
        point_error_m=corners,
        area_km2=own.geometry.area / 1e6,
    )


def read_settings(key: str, root: Path) -> Settings:
    """Read a district's `district.toml`.

    Raises
    ------
    RegistryError
        With every fault of the file.
    """
    path = root / "data" / key / "district.toml"
    return _Settings(relative(path, root)).read(path, key)


# ---- settings -------------------------------------------------------------------------------------


@dataclass
class _Settings:
    """Reads `district.toml` and collects what is wrong with it."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def read(self, path: Path, key: str) -> Settings:
        raw = read_toml(path, RegistryError, self.file)
        if raw.get("key") != key:
            self._fault("key", raw.get("key"), f"文件夹名“{key}”")
        bounds = [self._number(raw, "bounds", name) for name in ("lon_min", "lat_min", "lon_max", "lat_max")]
        west, south, east, north = bounds
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            self._fault("bounds", bounds, "西小于东、南小于北的经纬度")
        centre = (self._number(raw, "centre", "lon"), self._number(raw, "centre", "lat"))
        if not (west <= centre[0] <= east and south <= centre[1] <= north):
            self._fault("centre", centre, "在 bounds 之内")
        unit = self._text(raw, "context", "unit", optional=True)
        settings = Settings(
            key=key,
            name=self._text(raw, "", "name"),
            short_name=self._text(raw, "", "short_name"),
            adcode=self._text(raw, "", "adcode"),
            centre=centre,
            box=(west, south, east, north),
            context_units=(unit,) if unit else (),
            context_label=self._text(raw, "context", "label", optional=not unit),
            boundary_file=self._file(raw, "file"),
            anchor_file=self._file(raw, "anchors", optional=True),
            boundary_kind=self._text(raw, "boundaries", "kind"),
            boundary_notice=self._text(raw, "boundaries", "notice"),
            totals=self._totals(raw),
            method=self._text(raw, "estimate", "method", optional=True),
            base_year=self._base_year(raw),
            headlines=self._words(raw, "headlines"),
            first_layers=self._words(raw, "layers"),
            review_number=self._blank(raw, "paper", "review_number"),
            internal=self._blank(raw, "paper", "internal"),
            office=self._blank(raw, "paper", "office"),
            former_names=self._words(raw, "former_names", ""),
        )
        if self.problems:
            raise RegistryError(self.problems)
        return settings

    def _fault(self, entry: str, value: object, expected: str) -> None:
        self.problems.append(Problem(self.file, None, entry, None if value is None else str(value), expected))

    def _get(self, raw: dict[str, Any], table: str, name: str) -> object:
        holder = raw.get(table, {}) if table else raw
        return holder.get(name) if isinstance(holder, dict) else None

    def _number(self, raw: dict[str, Any], table: str, name: str) -> float:
        value = self._get(raw, table, name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        self._fault(f"{table}.{name}", value, "一个数(十进制度)")
        return float("nan")

    def _text(self, raw: dict[str, Any], table: str, name: str, *, optional: bool = False) -> str:
        value = self._get(raw, table, name)
        if isinstance(value, str) and value.strip():
            return value
        if value is not None or not optional:
            self._fault(f"{table}.{name}".lstrip("."), value, "一段文字")
        return ""

    def _blank(self, raw: dict[str, Any], table: str, name: str) -> str:
        """Read a text that may be there, be empty, or be missing."""
        value = self._get(raw, table, name)
        if value is None or isinstance(value, str):
            return (value or "").strip()
        self._fault(f"{table}.{name}", value, "一段文字,可以为空")
        return ""

    def _file(self, raw: dict[str, Any], name: str, *, optional: bool = False) -> str:
        value = self._text(raw, "boundaries", name, optional=optional)
        if value != Path(value).name and value:
            self._fault(f"boundaries.{name}", value, "不含文件夹的文件名")
        return value

    def _base_year(self, raw: dict[str, Any]) -> int:
        """Read `overview.year`; without one, the first year with an official total."""
        entries = raw.get("population")
        listed = entries if isinstance(entries, list) else []
        years = [one.get("year") for one in listed if isinstance(one, dict)]
        year = self._get(raw, "overview", "year") or next(iter(years), 0)
        if year in years and isinstance(year, int):
            return year
        self._fault("overview.year", year, "[[population]] 中的一个年份")
        return 0

    def _words(self, raw: dict[str, Any], name: str, table: str = "overview") -> tuple[str, ...]:
        value = self._get(raw, table, name) or []
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        self._fault(f"{table}.{name}".lstrip("."), value, "一列编号" if table else "一列名称")
        return ()

    def _totals(self, raw: dict[str, Any]) -> tuple[OfficialTotal, ...]:
        entries = raw.get("population")
        if not isinstance(entries, list) or not entries or not all(isinstance(one, dict) for one in entries):
            self._fault("population", entries, "至少一个 [[population]]")
            return ()
        totals = []
        for number, one in enumerate(entries, 1):
            year, total = one.get("year"), one.get("total")
            if type(year) is not int or type(total) is not int or total <= 0:
                self._fault(f"population[{number}]", one, "整数的 year 和大于 0 的整数 total")
                continue
            texts = [str(one.get(key, "")) for key in ("document", "clause", "note")]
            totals.append(OfficialTotal(year, total, *texts))
        if len({one.year for one in totals}) < len(totals):
            self._fault("population.year", None, "互不相同的年份")
        return tuple(totals)
