"""Township polygons: built schematically from sample points, or read from a file and checked."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qjmap.checks import Context, check
from qjmap.crs import Projection
from qjmap.errors import DataError, Problem, why_unread
from qjmap.ingest import read_csv, relative
from qjmap.layers import Column, LayerSpec

DECIMALS = 6
"""Decimals of a degree in a boundary file: 0.1 m."""

OVERLAP_M2 = 100.0
"""Two towns may overlap by this much, the slivers of drawing, before a file is refused."""

ANCHORS = LayerSpec(
    "anchors",
    "界线样点",
    "anchors.csv",
    "none",
    "",
    "",
    (),
    {
        "lon": Column("lon", "经度", "longitude", required=True),
        "lat": Column("lat", "纬度", "latitude", required=True),
        "unit": Column("unit", "街镇", "text", note="空白表示区外"),
        "certainty": Column("certainty", "可靠程度", "category", required=True, values=("read", "estimate")),
    },
)
"""Sample points are nobody's register: what they are is part of the method."""

Box = tuple[float, float, float, float]

IMPORTED = "导入界线"
"""What `metadata.kind` is of a file that somebody brought; any other file is what the district's settings say."""


@dataclass(frozen=True)
class Origin:
    """Whose lines these are, as their file says: a claim of whoever brought it, told as one.

    Parameters
    ----------
    kind
        What they are called: 示意界线, 导入界线.
    notice
        What stands on every map and in every file.
    schematic
        Whether they were drawn for this map from sample points.
    provider, date, review_number
        Who provided them, of what day they are, the 审图号 of their own map; empty where nobody said.
    imported, by
        The day of the import, and whose account it was.
    """

    kind: str
    notice: str
    schematic: bool
    provider: str = ""
    date: str = ""
    review_number: str = ""
    imported: str = ""
    by: str = ""

    @property
    def label(self) -> str:
        """What a legend calls a line: 示意界线, or 界线."""
        return self.kind if self.schematic else "界线"

    @property
    def line(self) -> str:
        """The notice as a line of its own."""
        return f"界线:{self.notice}" if self.schematic else self.notice

    @property
    def full(self) -> str:
        """The notice with all that is known."""
        more = [("资料日期", self.date), ("原图审图号", self.review_number), ("导入账号", self.by)]
        return ";".join([self.notice, *(f"{label} {text}" for label, text in more if text)])


def origin(said: Mapping[str, object], kind: str, notice: str) -> Origin:
    """Read what a boundary file says of itself.

    Parameters
    ----------
    said
        Its member `metadata`; whatever else than short text stands there is passed over.
    kind, notice
        What the district's settings say of a file that says nothing.
    """
    if said.get("kind") != IMPORTED:
        return Origin(kind, notice, "示意" in kind)
    names = ("provider", "date", "review_number", "imported", "by")
    texts = {name: " ".join(str(said.get(name) or "").split())[:60] for name in names}
    who, when = texts["provider"], texts["imported"]
    told = f"界线由{who}提供" if who else "界线由导入的文件得来,提供单位未注明"
    return Origin(IMPORTED, f"{told},{when}导入" if when else told, False, **texts)


# ---- build --------------------------------------------------------------------------------------


def build(anchors: pd.DataFrame, projection: Projection, tolerance_m: float = 700) -> gpd.GeoDataFrame:
    """Draw schematic polygons round sample points that say in which unit they lie.

    Each point stands for the places nearest to it (its Voronoi cell); the cells of a unit are joined and
    the common lines simplified together (`shapely.coverage_simplify`), so that neighbours stay neighbours.

    Parameters
    ----------
    anchors
        Columns `lon`, `lat` (degrees), `unit` (blank outside the district: these points shape the outline)
        and `certainty` (`read` or `estimate`).
    projection
        The working projection.
    tolerance_m
        The tolerance of the simplification, metres.

    Returns
    -------
    geopandas.GeoDataFrame
        Index: unit. Columns: `certainty` (`estimate` if any of its points is), `geometry` (metres, a valid
        coverage: no overlaps, no gaps).

    Raises
    ------
    ValueError
        The points do not make a valid coverage (for example two units on one point).
    """
    x, y = projection.to_metres(anchors["lon"], anchors["lat"])
    try:
        cells = shapely.voronoi_polygons(shapely.multipoints(np.column_stack([x, y])), ordered=True)
    except shapely.errors.GEOSException as error:
        raise ValueError("样点过少、重复或在一条直线上") from error
    frame = gpd.GeoDataFrame(
        {"unit": anchors["unit"].to_numpy(), "certainty": anchors["certainty"].astype("str").to_numpy()},
        geometry=list(shapely.get_parts(cells)),
        crs=projection.crs,
    )
    frame = frame[frame["unit"].notna() & (frame["unit"] != "")]
    # "estimate" sorts before "read": the least certain point speaks for the unit
    units = frame.dissolve("unit", aggfunc={"certainty": "min"}, method="coverage")
    units.geometry = shapely.coverage_simplify(units.geometry.to_numpy(), tolerance_m)
    if not shapely.coverage_is_valid(units.geometry.to_numpy()):
        raise ValueError("样点不能组成互不重叠的面")
    return units[["certainty", "geometry"]]


def read_anchors(path: Path, root: Path) -> pd.DataFrame:
    """Read sample points: `lon`, `lat` (degrees), `unit` (missing outside the district), `certainty`.

    Raises
    ------
    DataError
        With every fault of the file.
    """
    checked = check(read_csv(path, root), ANCHORS, Context())
    if checked.problems:
        raise DataError(checked.problems)
    return checked.frame


def calibrate(units: gpd.GeoDataFrame, areas: Mapping[str, float], within: float = 0.1) -> gpd.GeoDataFrame:
    """Move the lines of units whose drawn area misses a published one by more than a share of it.

    The lines shared with neighbours move outward or inward, everywhere by the same distance, as little as brings
    the area to nine tenths of the allowed miss; the outline of the whole stays. Sample points a kilometre apart do
    not tell a line more exactly than such a move.

    Parameters
    ----------
    units
        As from `build`: metres, a valid coverage.
    areas
        Unit → published area, m².
    within
        The allowed miss as a share.

    Returns
    -------
    geopandas.GeoDataFrame
        A new frame, again a valid coverage.
    """
    for unit, area in areas.items():
        miss = float(units.geometry[unit].area) / area - 1
        if abs(miss) > within:
            units = _moved(units, unit, area * (1 + math.copysign(0.9 * within, miss)))
    return units


def _moved(units: gpd.GeoDataFrame, unit: str, wanted: float) -> gpd.GeoDataFrame:
    """Move a unit's inner lines until it has the wanted area (m²)."""
    own = units.geometry[unit]
    others = units.geometry.drop(unit)
    rest = shapely.union_all(others)
    grow = wanted > own.area

    def drawn(distance: float) -> Any:
        if grow:
            return own.union(rest.intersection(own.buffer(distance, join_style="mitre")))
        return own.difference(rest.buffer(distance, join_style="mitre"))

    low, high = 0.0, 2000.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if (drawn(middle).area < wanted) == grow else (low, middle)
    new = drawn(high)
    near = others[others.distance(own) < 1]
    # What is given up is cut where one neighbour ends and the next begins, and goes to the nearest.
    cuts = (
        [] if grow else [shape.buffer(high, join_style="mitre").boundary.intersection(own) for shape in near]
    )
    lines = shapely.union_all([*units.geometry.boundary, new.boundary, *cuts])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    owners = [_owner(face.representative_point(), units, unit, new, near) for face in faces]
    kept = [(owner, face) for owner, face in zip(owners, faces, strict=True) if owner is not None]
    parts = gpd.GeoSeries([face for _, face in kept], crs=units.crs).groupby([owner for owner, _ in kept])
    shapes = parts.agg(lambda some: shapely.union_all(list(some)))
    return units.set_geometry(gpd.GeoSeries(shapes.reindex(units.index), crs=units.crs))


def _owner(point: Any, units: gpd.GeoDataFrame, unit: str, new: Any, near: gpd.GeoSeries) -> str | None:
    """Say whose a face is, by a point in it, when `unit` becomes `new`; None outside all units."""
    if new.contains(point):
        return unit
    found = units.index[units.geometry.contains(point)]
    if not len(found):
        return None
    return str(near.distance(point).idxmin()) if found[0] == unit else str(found[0])


def label_points(polygons: Sequence[Any] | np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Give for each polygon the point deepest inside it (centre of its largest inscribed circle), to the
    metre.
    """
    return np.asarray(
        [shapely.get_point(shapely.maximum_inscribed_circle(one, 1.0), 0) for one in polygons], dtype=object
    )


def to_geojson(
    units: gpd.GeoDataFrame,
    projection: Projection,
    metadata: Mapping[str, str],
    *,
    decimals: int = DECIMALS,
    strict: bool = True,
) -> str:
    """Write units as GeoJSON text after RFC 7946: degrees, right-hand rule, one feature a line.

    Parameters
    ----------
    units
        Index: name. Columns `code`, `kind`, `certainty`, `geometry` (metres); written in this order.
    projection
        The working projection.
    metadata
        What the file says of itself.
    decimals
        Decimals of a degree.
    strict
        Whether the polygons must be a valid coverage; lines that somebody surveyed need not have the same corners.

    Raises
    ------
    ValueError
        The polygons are no longer valid, or no longer a valid coverage, once rounded.
    """
    degrees = shapely.transform(
        projection.geometry_to_degrees(units.geometry.to_numpy()), lambda xy: np.round(xy, decimals)
    )
    degrees = shapely.orient_polygons(shapely.normalize(degrees), exterior_cw=False)
    if not (shapely.is_valid(degrees).all() and (not strict or shapely.coverage_is_valid(degrees))):
        raise ValueError("坐标取整后各面不再相接")
    labels = projection.geometry_to_degrees(label_points(units.geometry.to_numpy()))
    lines = []
    for name, unit, polygon, label in zip(units.index, units.itertuples(), degrees, labels, strict=True):
        properties = {
            "code": unit.code,
            "name": name,
            "kind": unit.kind,
            "certainty": unit.certainty,
            "label_lon": round(label.x, DECIMALS),
            "label_lat": round(label.y, DECIMALS),
        }
        geometry = json.loads(shapely.to_geojson(polygon))
        feature = {"type": "Feature", "properties": properties, "geometry": geometry}
        lines.append(json.dumps(feature, ensure_ascii=False))
    head = json.dumps(dict(metadata), ensure_ascii=False)
    body = ",\n".join(lines)
    return f'{{"type": "FeatureCollection",\n"metadata": {head},\n"features": [\n{body}\n]}}\n'


# ---- read ---------------------------------------------------------------------------------------


def read(
    path: Path,
    root: Path,
    names: Sequence[str],
    projection: Projection,
    box: Box,
    context: Sequence[str] = (),
) -> gpd.GeoDataFrame:
    """Read a GeoJSON file of townships and hold it against the district; see `parse`.

    Raises
    ------
    DataError
        The file cannot be read, or as `parse`.
    """
    file = relative(path, root)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError([Problem(file, None, None, why_unread(error), "可以读取的文件")]) from error
    return parse(data, file, names, projection, box, context)


def parse(
    data: bytes,
    file: str,
    names: Sequence[str],
    projection: Projection,
    box: Box,
    context: Sequence[str] = (),
) -> gpd.GeoDataFrame:
    """Hold the bytes of a GeoJSON file of townships against the district.

    Parameters
    ----------
    data, file
        The file's bytes, and the name by which faults are told.
    names
        The towns: each must be there once.
    projection
        The working projection.
    box
        West, south, east, north in degrees: where everything must lie.
    context
        Names that may be there besides, drawn as background.

    Returns
    -------
    geopandas.GeoDataFrame
        Index: name, in the order of `names` and then `context`. Columns: `code`, `kind`, `certainty` (text,
        may be missing), `label_x`, `label_y` (the point deepest inside, metres), `geometry` (metres);
        `attrs["said"]` is what the file says of itself.

    Raises
    ------
    DataError
        Not a readable GeoJSON file, another coordinate system, unknown, missing or repeated names, invalid or
        outlying polygons, overlaps: every fault at once.
    """
    features, said = _features(data, file)
    problems: list[Problem] = []
    found: dict[str, dict[str, Any]] = {}
    allowed = (*names, *context)
    counts = Counter(_name(feature) for feature in features)
    for number, feature in enumerate(features, 1):
        name = _name(feature)
        here = f"第 {number} 个要素({name or '无名'})"
        if name not in allowed:
            problems.append(Problem(file, None, "name", here, "本区街镇名", "请与 townships.csv 的名称一致"))
            continue
        if counts[name] > 1:
            problems.append(
                Problem(file, None, "name", here, "每个街镇一个要素", f"“{name}”有 {counts[name]} 个")
            )
        polygon = _polygon(feature, file, here, box, problems)
        if polygon is not None:
            found[name] = {**_properties(feature), "geometry": projection.geometry_to_metres(polygon)}
    problems += [
        Problem(file, None, "name", None, f"有“{name}”的面", "缺少该街镇")
        for name in names
        if name not in counts
    ]
    problems += _overlaps({name: one["geometry"] for name, one in found.items()}, file)
    if problems:
        raise DataError(problems)
    frame = _frame({name: found[name] for name in allowed if name in found}, projection)
    frame.attrs["said"] = said
    return frame


def empty(projection: Projection) -> gpd.GeoDataFrame:
    """Give a frame like that of `read` without any polygon."""
    return _frame({}, projection)


def _frame(found: Mapping[str, Mapping[str, Any]], projection: Projection) -> gpd.GeoDataFrame:
    shapes = [one["geometry"] for one in found.values()]
    labels = label_points(shapes)
    columns = {
        key: pd.Series([one[key] for one in found.values()], dtype="str")
        for key in ("code", "kind", "certainty")
    }
    frame = gpd.GeoDataFrame(
        {**columns, "label_x": shapely.get_x(labels), "label_y": shapely.get_y(labels)},
        geometry=gpd.GeoSeries(shapes, crs=projection.crs),
    )
    frame.index = pd.Index(list(found), name="name", dtype="str")
    return frame


def _features(data: bytes, file: str) -> tuple[list[Any], dict[str, object]]:
    """Read the file's features and what it says of itself, or tell why it is no GeoJSON in longitude and latitude."""
    try:
        raw = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError([Problem(file, None, None, "无法识别的编码", "UTF-8 编码")]) from error
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise DataError([Problem(file, line, None, "无法解析", "合乎 JSON 语法的 GeoJSON 文件")]) from error
    features = raw.get("features") if isinstance(raw, dict) else None
    if not isinstance(features, list):
        raise DataError([Problem(file, None, None, None, "GeoJSON 的 FeatureCollection")])
    crs = raw.get("crs")
    if crs is not None and not _is_degrees(crs):
        expected = "经纬度坐标(WGS-84 或 CGCS2000)"
        properties = crs.get("properties") if isinstance(crs, dict) else None
        name = properties.get("name", crs) if isinstance(properties, dict) else crs
        raise DataError([Problem(file, None, "crs", str(name), expected, "请先转换坐标系再导出")])
    said = raw.get("metadata")
    return features, said if isinstance(said, dict) else {}


def _is_degrees(crs: object) -> bool:
    """Say whether an old-style `crs` member means longitude and latitude."""
    text = json.dumps(crs).upper()
    return any(code in text for code in ("CRS84", "4326", "4490")) and "3857" not in text


def _name(feature: object) -> str:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return name if isinstance(name, str) else ""


def _properties(feature: Mapping[str, Any]) -> dict[str, str | None]:
    values = {key: feature["properties"].get(key) for key in ("code", "kind", "certainty")}
    return {key: None if value is None else str(value) for key, value in values.items()}


@np.errstate(over="ignore", invalid="ignore")  # GEOS meets numbers that no map has
def _polygon(feature: Mapping[str, Any], file: str, here: str, box: Box, problems: list[Problem]) -> Any:
    """Read a feature's polygon; None when it cannot be used (with a problem)."""

    def fault(found: str, expected: str, advice: str = "") -> None:
        problems.append(Problem(file, None, "geometry", f"{here}:{found}", expected, advice))

    try:
        polygon = shapely.force_2d(shapely.geometry.shape(feature["geometry"]))
    except Exception:  # whatever stands in a foreign file, shapely has an exception for it
        fault("没有可用的图形", "Polygon 或 MultiPolygon")
        return None
    if polygon.geom_type not in ("Polygon", "MultiPolygon") or polygon.is_empty:
        fault("空" if polygon.is_empty else polygon.geom_type, "Polygon 或 MultiPolygon")
        return None
    if not polygon.is_valid:
        # GEOS says “Self-intersection[106.5 29]”
        where = shapely.is_valid_reason(polygon).partition("[")[2].rstrip("]")
        fault(f"图形在 {where or '某处'} 无效", "有效的面(不自相交)", "可在 QGIS 中用“修正几何图形”修复")
        return None
    frame = shapely.box(*box)
    if not frame.covers(polygon):
        turned = frame.covers(shapely.transform(polygon, lambda xy: xy[:, ::-1]))
        advice = "经度与纬度似乎写反了,请对调" if turned else "请核对坐标及其坐标系"
        west, south, east, north = box
        bounds = ", ".join(f"{value:g}" for value in polygon.bounds)
        fault(bounds, f"本区范围内:经度 {west:g}~{east:g},纬度 {south:g}~{north:g}", advice)
        return None
    return polygon


def _overlaps(polygons: Mapping[str, Any], file: str) -> list[Problem]:
    names, shapes = list(polygons), np.asarray(list(polygons.values()), dtype=object)
    if not shapes.size:
        return []
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    areas = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    return [
        Problem(
            file, None, "geometry", f"{names[a]} 与 {names[b]} 重叠 {area / 1e6:.4f} 平方千米", "互不重叠的面"
        )
        for a, b, area in zip(one, other, areas, strict=True)
        if area > OVERLAP_M2
    ]
