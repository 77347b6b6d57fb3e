"""Official boundaries in place of the schematic ones: names matched, gaps and overlaps measured and told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qjmap import boundaries, datum
from qjmap._repairs import town
from qjmap.district import District
from qjmap.errors import DataError, Problem
from qjmap.ingest import Source

SLIVER_M2 = 100.0
"""Gaps and overlaps smaller than this are the slivers of drawing: added up, not listed."""


@dataclass(frozen=True, eq=False)
class Outlines:
    """What somebody's file of township areas is.

    Parameters
    ----------
    frame
        Index: town, in the district's order. Columns `code`, `kind`, `certainty` (``official``), `geometry` (metres).
    names
        The file's name → the town; those that found none are in `problems`.
    overlaps, gaps
        Pairs of towns with the area that both claim, and areas between towns that none does (touching towns), km².
    area_km2
        Of the towns together, by this file; `schematic_km2` by the lines used until now.
    problems
        What keeps it from being used; `warnings` does not.
    geojson
        The file that `qjmap.boundaries.read` takes; empty while there are problems.
    """

    frame: gpd.GeoDataFrame
    names: dict[str, str]
    overlaps: tuple[tuple[str, str, float], ...]
    gaps: tuple[tuple[str, float], ...]
    area_km2: float
    schematic_km2: float
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    geojson: bytes


def official(
    source: Source, district: District, column: str, reading: datum.Reading | None = None, said_by: str = ""
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
    said_by
        Who published it, for the file's own words.

    Returns
    -------
    Outlines
        With every fault at once; several areas of one town are joined.

    Raises
    ------
    DataError
        The file has no shapes, no such property, or an unknown coordinate system.
    """
    file = source.table.file
    if source.geometry is None or column not in source.table.frame:
        found = "没有图形" if source.geometry is None else column
        raise DataError([Problem(file, None, None, found, "带街镇名属性的面图层")])
    try:
        shapes = datum.from_crs(np.asarray(source.geometry, dtype=object), source.crs)
    except ValueError as error:
        raise DataError([Problem(file, None, "坐标系", source.crs, "认识的坐标系")]) from error
    if reading is not None:
        way = datum.converter(reading)
        shapes = shapely.transform(shapes, lambda xy: np.column_stack(way(xy[:, 0].copy(), xy[:, 1].copy())))
    problems: list[Problem] = []
    names, parts = _named(source, column, shapes, district, problems)
    whole = {
        name: district.projection.geometry_to_metres(shapely.union_all(parts[name]))
        for name in district.towns.index
        if name in parts
    }
    problems += [
        Problem(file, None, column, None, f"有“{name}”的面", "缺少该街镇")
        for name in district.towns.index
        if name not in whole
    ]
    frame = gpd.GeoDataFrame(
        {
            "code": [str(district.towns["code"].get(name, "")) for name in whole],
            "kind": [str(district.towns["kind"].get(name, "")) for name in whole],
            "certainty": "official",
        },
        geometry=gpd.GeoSeries(list(whole.values()), crs=district.projection.crs),
    )
    frame.index = pd.Index(list(whole), name="name", dtype="str")
    overlaps, gaps = _overlaps(frame), _gaps(frame)
    warned = [
        Problem(
            file,
            None,
            "图形",
            f"{one}、{other} 重叠 {area:.4f} 平方千米",
            "互不重叠的面",
            "请在 QGIS 中修正公共边",
        )
        for one, other, area in overlaps
    ]
    # the reader of boundary files refuses overlaps beyond slivers, so they stop the file here too
    problems += [
        one for one, (_, _, area) in zip(warned, overlaps, strict=True) if area * 1e6 > boundaries.OVERLAP_M2
    ]
    warnings = [
        Problem(
            file,
            None,
            "图形",
            f"{where}之间有 {area:.4f} 平方千米不属任何街镇",
            "没有空隙的面",
            "请核对公共边",
        )
        for where, area in gaps
    ]
    words = {"kind": "界线", "source": said_by or file, "notice": "界线由用户提供的文件得来"}
    text = "" if problems else boundaries.to_geojson(frame, district.projection, words)
    return Outlines(
        frame,
        names,
        overlaps,
        gaps,
        float(frame.area.sum() / 1e6),
        float(district.boundaries.area.sum() / 1e6),
        tuple(problems),
        tuple(warnings),
        text.encode("utf-8"),
    )


@np.errstate(over="ignore", invalid="ignore")  # GEOS meets numbers that no map has
def _named(
    source: Source, column: str, shapes: np.ndarray, district: District, problems: list[Problem]
) -> tuple[dict[str, str], dict[str, list[object]]]:
    """Give each area to the town it names."""
    file, towns = source.table.file, tuple(district.towns.index)
    before = (district.settings.name, district.settings.short_name)
    names: dict[str, str] = {}
    parts: dict[str, list[object]] = {}
    cells = source.table.frame[column].fillna("").tolist()
    for row, (name, shape) in enumerate(zip(cells, shapes, strict=True), 1):
        fix = None if name in towns else town(name, towns, before)
        meant = name if name in towns else (fix[0] if fix else None)
        if meant is None and name in district.settings.context_units:
            continue
        if meant is None:
            problems.append(Problem(file, row, column, name or "空白", "本区街镇名", "请改名,或删去区外的面"))
        elif shape is None or shape.geom_type not in ("Polygon", "MultiPolygon"):
            found = "空" if shape is None else shape.geom_type
            problems.append(Problem(file, row, "图形", f"{name}:{found}", "面图形"))
        elif not shape.is_valid:
            where = shapely.is_valid_reason(shape).partition("[")[2].rstrip("]") or "某处"
            advice = "可在 QGIS 中用“修正几何图形”修复"
            problems.append(
                Problem(file, row, "图形", f"{name}:在 {where} 无效", "有效的面(不自相交)", advice)
            )
        elif not shapely.box(*district.settings.box).covers(shape):
            advice = "请核对坐标及其坐标系"
            problems.append(Problem(file, row, "图形", f"{name}:越出本区范围", "本区范围内的面", advice))
        else:
            names[name] = meant
            parts.setdefault(meant, []).append(shape)
    twice = [one for one, times in Counter(names.values()).items() if times > 1]
    for one in twice:
        different = "、".join(name for name, meant in names.items() if meant == one)
        problems.append(
            Problem(file, None, column, different, f"“{one}”只有一种写法", "不同的名称对到同一街镇")
        )
    return names, parts


def _overlaps(frame: gpd.GeoDataFrame) -> tuple[tuple[str, str, float], ...]:
    shapes, names = np.asarray(frame.geometry, dtype=object), list(frame.index)
    if not len(shapes):
        return ()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    areas = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    return tuple(
        (names[a], names[b], float(area) / 1e6)
        for a, b, area in zip(one, other, areas, strict=True)
        if area > SLIVER_M2
    )


def _gaps(frame: gpd.GeoDataFrame) -> tuple[tuple[str, float], ...]:
    """Find holes in the towns together: what lies between them and belongs to none."""
    whole = shapely.union_all(np.asarray(frame.geometry, dtype=object))
    filled = shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(whole)])
    left = shapely.get_parts(shapely.difference(filled, whole))
    holes = [hole for hole in left if hole.geom_type == "Polygon" and hole.area > SLIVER_M2]
    return tuple(
        ("、".join(frame.index[frame.intersects(hole.buffer(1.0))]), float(hole.area) / 1e6) for hole in holes
    )
