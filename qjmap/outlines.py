"""Official boundaries in place of the schematic ones: names matched, gaps and overlaps measured and told."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from qjmap import boundaries, datum
from qjmap._repairs import town
from qjmap.district import District
from qjmap.errors import DataError, Problem
from qjmap.ingest import Source

SLIVER_M2 = 100.0
"""Gaps and overlaps smaller than this are the slivers of drawing: added up, not listed."""

SMALL_SHARE = 0.01
"""An overlap is mended only while it is no more than this share of the smaller town: what is larger, people decide."""

NARROW_M = 20.0
"""Gaps narrower than this are closed when overlaps are mended."""

LEFT_OUT = ""
"""What the name of an area outside the district may stand for: it is not used."""

_STRIP_M = 50.0  # half the width of strips that are open to the outside
_CONTACT_M = 200.0  # how long such a strip runs beside each of two towns
_OUTLINE_M = 1.0  # how exactly the outline is followed for that
_BESIDE = 0.02  # who shares less of a gap's line only meets it at a corner
_MISS = 0.1  # of a published area, before it is worth a word
_OWN = frozenset({"read", "estimate"})  # `certainty` in the file that comes with this program
_ENDS = re.compile(r"(?:经济技术开发区|经开区|区)$")
_DECIMALS = 7  # of a degree: a centimetre, so that rounding makes no slivers of its own

_HEAD = '"metadata": '

Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Patch:
    """Land that two towns claim, or none: whose, how much (km²), and where (metres)."""

    towns: tuple[str, ...]
    km2: float
    shape: Any


@dataclass(frozen=True, eq=False)
class Outlines:
    """What somebody's file of township areas is.

    Parameters
    ----------
    frame
        Index: town, in the district's order. Columns `code`, `kind`, `certainty` (``imported``), `geometry` (metres).
    background
        The same for the units outside the district: those of the file, else those there are now, cut to fit.
    names
        Every name of the file → its town, a unit outside, `LEFT_OUT`, or None when it found none.
    overlaps, gaps
        Areas that two towns claim, largest first, and areas between towns that none does; slivers are left out.
    overlap_km2, gap_km2
        Of all overlaps and of the listed gaps together, slivers of overlaps too.
    area_km2
        Of the towns together, by this file; `old_km2` by the lines used until now.
    problems
        What keeps it from being used; `warnings` does not.
    mendable
        How many of the problems `repair` would mend; `repairs` says what was mended.
    notes
        What else a person should know.
    geojson
        The file that `qjmap.boundaries.parse` takes, not yet `signed`; empty while there are problems.
    """

    frame: gpd.GeoDataFrame
    background: gpd.GeoDataFrame
    names: dict[str, str | None]
    overlaps: tuple[Patch, ...]
    gaps: tuple[Patch, ...]
    overlap_km2: float
    area_km2: float
    old_km2: float
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    mendable: int
    repairs: tuple[str, ...]
    notes: tuple[str, ...]
    geojson: bytes

    @property
    def gap_km2(self) -> float:
        """Of the gaps together."""
        return math.fsum(one.km2 for one in self.gaps)


def guess(source: Source, district: District) -> str | None:
    """Find the property that names the most towns; None when none names any."""
    found = {
        str(column): len({meant for meant in suggest(source, str(column), district).values() if meant})
        for column in source.table.frame
    }
    best = max(found, key=lambda column: found[column], default=None)
    return best if best is not None and found[best] else None


def suggest(source: Source, column: str, district: District) -> dict[str, str | None]:
    """Say for every name of a property which town, or unit outside, it most likely means; None where nothing does."""
    towns, units = tuple(district.towns.index), district.settings.context_units
    before = (district.settings.name, district.settings.short_name)

    def meant(name: str) -> str | None:
        if name in towns or name in units:
            return name
        fix = town(name, towns, before)
        if fix is not None and fix[0] is not None:
            return fix[0]
        stem = _ENDS.sub("", name.strip())
        return next((one for one in units if len(stem) > 1 and _ENDS.sub("", one) == stem), None)

    cells = dict.fromkeys(source.table.frame[column].fillna("").tolist())
    return {name: meant(name) for name in cells}


def degrees(source: Source, reading: datum.Reading | None = None) -> Shapes:
    """Bring a file's shapes to degrees (WGS 84), by what the file says and then as a reading has it.

    Raises
    ------
    DataError
        The file has no shapes, or names a coordinate system that is not known.
    """
    file = source.table.file
    if source.geometry is None:
        raise DataError([Problem(file, None, None, "没有图形", "带街镇名属性的面图层")])
    try:
        shapes = datum.from_crs(np.asarray(source.geometry, dtype=object), source.crs)
    except ValueError as error:
        raise DataError([Problem(file, None, "坐标系", source.crs, "认识的坐标系")]) from error
    if reading is None:
        return shapes
    way = datum.converter(reading)
    moved: Shapes = shapely.transform(
        shapes, lambda xy: np.column_stack(way(xy[:, 0].copy(), xy[:, 1].copy()))
    )
    return moved


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def agreement(
    source: Source,
    district: District,
    column: str,
    reading: datum.Reading | None = None,
    names: Mapping[str, str | None] | None = None,
) -> float:
    """Say how far a file's towns lie in the same towns by the lines used now, as a share of their area.

    Schematic lines are out by a kilometre here and there, but not all in one direction: a file whose datum is read
    wrongly lies some 500 m to one side, and agrees less. Parameters as `official`; NaN when no area names a town.
    """
    meant = suggest(source, column, district) | dict(names or {})
    towns = district.boundaries.geometry
    common = total = 0.0
    cells = source.table.frame[column].fillna("").tolist()
    for name, shape in zip(cells, degrees(source, reading), strict=True):
        own = towns.get(meant.get(name) or "")
        if own is None or shape is None:
            continue
        try:
            there = district.projection.geometry_to_metres(shapely.make_valid(shape))
            common += shapely.intersection(there, own).area
            total += there.area
        except shapely.errors.GEOSException:
            continue
    return common / total if 0 < total < math.inf else math.nan


def official(
    source: Source,
    district: District,
    column: str,
    reading: datum.Reading | None = None,
    *,
    names: Mapping[str, str | None] | None = None,
    repair: bool = False,
) -> Outlines:
    """Hold a file of areas against the district's towns.

    Parameters
    ----------
    source
        A layer of areas, from `qjmap.ingest.read`.
    district
        The district.
    column
        The property that names the town.
    reading
        How its coordinates are read; None as the file says.
    names
        What a person says that names of the file mean (see `Outlines.names`), before what `suggest` thinks.
    repair
        Whether faulty shapes, and overlaps up to `SMALL_SHARE` of a town, are mended: each goes to the town with which
        it has the longest common line, gaps narrower than `NARROW_M` likewise. `Outlines.repairs` lists it.

    Returns
    -------
    Outlines
        With every fault at once; several areas of one town are joined.

    Raises
    ------
    DataError
        The file has no shapes, no such property, or an unknown coordinate system.
    """
    if source.geometry is not None and column not in source.table.frame:
        raise DataError([Problem(source.table.file, None, None, column, "带街镇名属性的面图层")])
    work = _Work(source.table.file, district, repair)
    work.gather(source, column, degrees(source, reading), dict(names or {}))
    towns, units = work.frame(district.towns.index), work.frame(district.settings.context_units)
    overlaps = _overlaps(pd.concat([towns, units]))
    if repair and overlaps:
        towns, units = work.mend(towns, units, overlaps)
        overlaps = _overlaps(pd.concat([towns, units]))
    work.hold_overlaps(overlaps, pd.concat([towns, units]))
    gaps = _gaps(pd.concat([towns, units]), district.background)
    work.hold_gaps(gaps)
    work.hold_towns(towns)
    work.hold_origin(source)
    background = work.with_old(towns, units)
    said = {"title": f"{district.name}{boundaries.IMPORTED}", "kind": boundaries.IMPORTED, "file": work.file}
    data = work.written(towns, background, said)
    whole = float(shapely.union_all(np.asarray(towns.geometry, dtype=object)).area)
    return Outlines(
        towns,
        background,
        work.names,
        overlaps,
        gaps,
        max(0.0, float(towns.area.sum()) - whole) / 1e6,
        float(towns.area.sum() / 1e6),
        float(district.boundaries.area.sum() / 1e6),
        (*work.problems, *work.mendable),
        tuple(work.warnings),
        len(work.mendable),
        tuple(work.repairs),
        tuple(work.notes),
        data,
    )


def signed(found: Outlines, about: Mapping[str, str]) -> bytes:
    """Write into the file what it shall say of itself.

    Parameters
    ----------
    found
        Outlines without problems.
    about
        `provider`, `date`, `review_number`, `imported`, `by`, as in `boundaries.Origin`; blanks are left out.
    """
    start, head, rest = found.geojson.decode("utf-8").split("\n", 2)
    said = json.loads(head.removeprefix(_HEAD).removesuffix(","))
    said |= {key: text.strip() for key, text in about.items() if text.strip()}
    return f"{start}\n{_HEAD}{json.dumps(said, ensure_ascii=False)},\n{rest}".encode()


@dataclass
class _Work:
    """Collects what is found on the way."""

    file: str
    district: District
    repair: bool
    names: dict[str, str | None] = field(default_factory=dict)
    parts: dict[str, list[Any]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    mendable: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fault(
        self, row: int | None, column: str | None, found: str | None, wanted: str, advice: str = ""
    ) -> None:
        self.problems.append(Problem(self.file, row, column, found, wanted, advice))

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")  # GEOS meets numbers that no map has
    def gather(self, source: Source, column: str, shapes: Shapes, said: dict[str, str | None]) -> None:
        """Give each area to the town it names."""
        known = {*self.district.towns.index, *self.district.settings.context_units, LEFT_OUT}
        self.names = suggest(source, column, self.district)
        self.names |= {name: meant for name, meant in said.items() if name in self.names and meant in known}
        cells = source.table.frame[column].fillna("").tolist()
        places: dict[str, list[int]] = {}
        for row, (name, shape) in enumerate(zip(cells, shapes, strict=True), 1):
            meant = self.names[name]
            if meant is None:
                advice = "请在“名称对应”中选定,区外的面选“不用”或背景单元"
                self.fault(row, column, name or "空白", "本区街镇名", advice)
            elif meant != LEFT_OUT:
                good = self._shape(row, name, shape)
                if good is not None:
                    self.parts.setdefault(meant, []).append(good)
                    places.setdefault(meant, []).append(row)
        guessed = [meant for name, meant in self.names.items() if meant and name not in said]
        for one in (one for one, times in Counter(guessed).items() if times > 1):
            different = "、".join(name for name, meant in self.names.items() if meant == one)
            self.fault(None, column, different, f"“{one}”只有一种写法", "不同的名称对到同一街镇")
        for one, rows in places.items():
            if len(rows) > 1 and one in self.district.towns.index:
                shown = "、".join(map(str, rows[:6])) + ("等" if len(rows) > 6 else "")
                found, advice = (
                    f"“{one}”有 {len(rows)} 个面(第 {shown} 个)",
                    "已并为一个;若其一是别的街镇,请改名",
                )
                self.warnings.append(Problem(self.file, None, column, found, "每个街镇一个面", advice))
        for one in self.district.towns.index:
            if one not in self.parts:
                self.fault(None, column, None, f"有“{one}”的面", "缺少该街镇")

    def _shape(self, row: int, name: str, shape: Any) -> Any:
        """Give an area that can be used, mended if that is wanted and small; None with a problem."""
        if shape is None or shape.is_empty or shape.geom_type not in ("Polygon", "MultiPolygon"):
            self.fault(
                row,
                "图形",
                f"{name}:{'空' if shape is None or shape.is_empty else shape.geom_type}",
                "面图形",
            )
            return None
        shape = shapely.force_2d(shape)
        if not shape.is_valid:
            shape = self._made_valid(row, name, shape)
            if shape is None:
                return None
        if not shapely.box(*self.district.settings.box).covers(shape):
            advice = "请核对坐标及其坐标系"
            self.fault(row, "图形", f"{name}:越出本区范围", "本区范围内的面", advice)
            return None
        return shapely.set_precision(shape, 10.0**-_DECIMALS)

    def _made_valid(self, row: int, name: str, shape: Any) -> Any:
        where = shapely.is_valid_reason(shape).partition("[")[2].rstrip("]") or "某处"
        advice = "可在 QGIS 中用“修正几何图形”修复"
        problem = Problem(self.file, row, "图形", f"{name}:在 {where} 无效", "有效的面(不自相交)", advice)
        try:
            whole = shapely.make_valid(shape, method="structure", keep_collapsed=False)
        except shapely.errors.GEOSException:
            whole = shapely.Polygon()
        # the area of a shape that crosses itself is that of no shape: only where both agree is nothing lost
        fit = whole.geom_type in ("Polygon", "MultiPolygon") and math.isfinite(whole.area) and whole.area > 0
        if not fit or abs(whole.area - shape.area) > SMALL_SHARE * whole.area:
            self.problems.append(problem)
            return None
        if not self.repair:
            self.mendable.append(problem)
            return whole
        self.repairs.append(
            f"{name}:图形在 {where} 自相交,已修正,面积相差 {abs(whole.area / shape.area - 1):.3%}"
        )
        return whole

    def frame(self, names: Sequence[str] | pd.Index) -> gpd.GeoDataFrame:
        """Join the areas of each name: metres."""
        towns, projection = self.district.towns, self.district.projection
        found = {
            name: projection.geometry_to_metres(shapely.union_all(self.parts[name]))
            for name in names
            if name in self.parts
        }
        frame = gpd.GeoDataFrame(
            {
                "code": [str(towns["code"].get(name, "")) for name in found],
                "kind": [str(towns["kind"].get(name, "背景")) for name in found],
                "certainty": "imported",
            },
            geometry=gpd.GeoSeries(list(found.values()), crs=projection.crs),
        )
        frame.index = pd.Index(list(found), name="name", dtype="str")
        return frame

    def mend(
        self, towns: gpd.GeoDataFrame, units: gpd.GeoDataFrame, overlaps: Sequence[Patch]
    ) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
        """Give small overlaps and narrow gaps each to one town, if no overlap is too large for that."""
        every = pd.concat([towns, units])
        if any(not _small(one, every) for one in overlaps):
            return towns, units
        holes = _gaps(every, self.district.background)
        clean = shapely.coverage_clean(np.asarray(every.geometry, dtype=object), gap_width=NARROW_M)
        every = every.set_geometry(gpd.GeoSeries(clean, index=every.index, crs=every.crs))
        for what, some in (("重叠", overlaps), ("空隙", holes)):
            for one in some:
                owner = every.index[every.contains(one.shape.representative_point())]
                if len(owner):
                    named = "、".join(one.towns)
                    self.repairs.append(f"{named}{what} {one.km2:.4f} 平方千米,归入{owner[0]}")
        return every.loc[towns.index], every.loc[units.index]

    def hold_overlaps(self, overlaps: Sequence[Patch], every: gpd.GeoDataFrame) -> None:
        # the reader of boundary files refuses overlaps beyond slivers, so they stop the file here too
        for one in overlaps:
            small = _small(one, every) and not self.repair
            (self.mendable if small else self.problems).append(
                Problem(
                    self.file,
                    None,
                    "图形",
                    f"{'、'.join(one.towns)}重叠 {one.km2:.4f} 平方千米",
                    "互不重叠的面",
                    "请在 QGIS 中修正公共边",
                )
            )

    def hold_gaps(self, gaps: Sequence[Patch]) -> None:
        for one in gaps:
            found = f"{'、'.join(one.towns)}之间有 {one.km2:.4f} 平方千米不属任何街镇"
            self.warnings.append(Problem(self.file, None, "图形", found, "没有空隙的面", "请核对公共边"))

    def hold_towns(self, towns: gpd.GeoDataFrame) -> None:
        """Compare with what is published of the towns: their areas and where their seats are."""
        for name, row in self.district.towns.loc[towns.index].iterrows():
            shape, quoted = towns.geometry[name], row["area_km2_quoted"]
            if quoted > 0 and abs(shape.area / 1e6 / quoted - 1) > _MISS:
                found = f"{name}面积 {shape.area / 1e6:.1f} 平方千米"
                wanted = f"与公布面积 {quoted:g} 平方千米相差不到 {_MISS:.0%}"
                self.warnings.append(Problem(self.file, None, "面积", found, wanted, "请核对名称和坐标系"))
            seat = shapely.Point(row["seat_x"], row["seat_y"])
            away = shape.distance(seat) if math.isfinite(row["seat_x"]) else 0.0
            if away > row["seat_error_m"]:
                found = f"{name}驻地在此面外 {away:.0f} 米"
                self.warnings.append(
                    Problem(self.file, None, "图形", found, "驻地在本街镇内", "请核对名称和坐标系")
                )

    def hold_origin(self, source: Source) -> None:
        """Notice the lines that came with this program, which nobody should bring back as somebody's own."""
        frame = source.table.frame
        if "certainty" in frame and _OWN & set(frame["certainty"].dropna()):
            kind = self.district.settings.boundary_kind
            found = f"属性 certainty 与本软件的{kind}相同"
            advice = f"如要恢复{kind},请到“数据管理”的“版本”"
            self.warnings.append(Problem(self.file, None, "certainty", found, "提供单位自己的界线", advice))

    def with_old(self, towns: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Keep the units outside that the file does not have, so that they do not vanish from the map."""
        old = self.district.background
        kept = old.loc[
            [one for one in old.index if one not in units.index], ["code", "kind", "certainty", "geometry"]
        ]
        if kept.empty or towns.empty:
            return units
        whole = shapely.union_all(np.asarray(towns.geometry, dtype=object))
        cut = shapely.difference(np.asarray(kept.geometry, dtype=object), whole)
        for name, before, after in zip(kept.index, kept.area, shapely.area(cut), strict=True):
            lost = (before - after) / 1e6
            self.notes.append(
                f"文件中没有{name}:沿用原有轮廓"
                + (f",减去与新界线重叠的 {lost:.2f} 平方千米" if lost >= 0.005 else "")
            )
        shapes = [shapely.union_all([p for p in shapely.get_parts(one) if p.area > SLIVER_M2]) for one in cut]
        kept = kept.set_geometry(gpd.GeoSeries(shapes, index=kept.index, crs=kept.crs))
        return pd.concat([units, kept[~kept.is_empty]])

    def written(
        self, towns: gpd.GeoDataFrame, background: gpd.GeoDataFrame, said: Mapping[str, str]
    ) -> bytes:
        """Write the file that will be kept, and see that it reads; nothing while there are problems."""
        if self.problems or self.mendable:
            return b""
        district = self.district
        every = pd.concat([towns, background]).fillna({"code": "", "kind": "背景", "certainty": ""})
        try:
            text = boundaries.to_geojson(every, district.projection, said, decimals=_DECIMALS, strict=False)
            data = text.encode("utf-8")
            units = district.settings.context_units
            boundaries.parse(
                data, self.file, list(district.towns.index), district.projection, district.settings.box, units
            )
        except DataError as error:
            self.problems += error.problems
            return b""
        except ValueError as error:
            self.fault(None, "图形", str(error), "坐标取到厘米后仍有效的面")
            return b""
        return data


def _small(one: Patch, every: gpd.GeoDataFrame) -> bool:
    return bool(one.km2 * 1e6 <= SMALL_SHARE * min(every.geometry[name].area for name in one.towns))


def _overlaps(frame: gpd.GeoDataFrame) -> tuple[Patch, ...]:
    shapes, names = np.asarray(frame.geometry, dtype=object), list(frame.index)
    if not len(shapes):
        return ()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    common = shapely.intersection(shapes[one], shapes[other])
    found = [
        Patch((names[a], names[b]), float(shape.area) / 1e6, shape)
        for a, b, shape in zip(one, other, common, strict=True)
        if shape.area > SLIVER_M2
    ]
    return tuple(sorted(found, key=lambda patch: -patch.km2))


def _gaps(frame: gpd.GeoDataFrame, outside: gpd.GeoDataFrame) -> tuple[Patch, ...]:
    """Find what lies between towns and belongs to none: holes, and strips that are open to the outside."""
    shapes = np.asarray(frame.geometry, dtype=object)
    if not len(shapes):
        return ()
    whole = shapely.get_parts(shapely.union_all(shapes))
    others = [shape for name, shape in outside.geometry.items() if name not in frame.index]
    holes = [shapely.Polygon(ring) for part in whole for ring in part.interiors]
    # what lies in a hole, of a unit outside or as an island, is no gap
    inner = shapely.union_all([*others, *(part for part in whole if any(h.covers(part) for h in holes))])
    filled = shapely.union_all([shapely.Polygon(part.exterior) for part in whole]).simplify(_OUTLINE_M)
    closed = filled.buffer(_STRIP_M, quad_segs=2).buffer(-_STRIP_M, quad_segs=2)
    strips = shapely.difference(closed, shapely.union_all([filled, *others]))
    tree = shapely.STRtree(shapes)
    found = []
    for pieces, least in ((shapely.difference(holes, inner), 1), (strips, 2)):
        for piece in shapely.get_parts(pieces):
            if piece.geom_type != "Polygon" or piece.area <= SLIVER_M2:
                continue
            contact = max(_CONTACT_M if least > 1 else 0.0, _BESIDE * piece.length)
            near = frame.iloc[np.sort(tree.query(piece.buffer(2 * _OUTLINE_M)))]
            named = _beside(piece, near, contact)
            if len(named) >= least:
                found.append(Patch(named, float(piece.area) / 1e6, piece))
    return tuple(sorted(found, key=lambda patch: -patch.km2))


def _beside(piece: Any, near: gpd.GeoDataFrame, length: float) -> tuple[str, ...]:
    """Name the towns that a piece runs beside for so many metres, where it is wider than a hair."""
    wide = piece.buffer(-0.5).buffer(0.5)
    line = (piece if wide.is_empty else wide).boundary
    around = shapely.box(*piece.buffer(10.0).bounds)  # the rest of a long line is not worth widening
    beside = shapely.buffer(shapely.intersection(near.geometry.to_numpy(), around), 2 * _OUTLINE_M)
    runs = shapely.length(shapely.intersection(line, beside))
    return tuple(str(name) for name in near.index[runs >= length])
