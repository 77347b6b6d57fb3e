"""Lines and areas of a register: from text (WKT, degrees) to shapes and back, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    from qjmap.crs import Projection

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

DECIMALS = 7
"""Decimals of a degree in a register: a centimetre."""

MOST_CORNERS = 100_000
"""Corners of one shape: more than any line that was really surveyed here has."""

WANTED = {"line": ("LineString", "MultiLineString"), "polygon": ("Polygon", "MultiPolygon")}
IN_CHINESE = {"point": "点", "line": "线", "polygon": "面"}
_NAMES = {
    "Point": "点",
    "MultiPoint": "多点",
    "LineString": "线",
    "MultiLineString": "线",
    "LinearRing": "线",
    "Polygon": "面",
    "MultiPolygon": "面",
    "GeometryCollection": "混合图形",
}

# The reader of GEOS goes one call deeper for each collection in a collection: only plain shapes come to it.
_PLAIN = r"^\s*(?:SRID=[0-9]+;)?\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\s*(?:ZM?|M)?\s*(?:\(|EMPTY)"
_EXAMPLES = {
    "line": "LINESTRING (106.60 28.90, 106.61 28.91)",
    "polygon": "POLYGON ((106.60 28.90, 106.61 28.90, 106.61 28.91, 106.60 28.90))",
}
_SRID = r"^\s*SRID=[0-9]+;"

LEAST_M2, LEAST_M = 100.0, 10.0
"""An area or a line smaller than this is probably a slip of the drawing."""

FARTHEST_M = 2000.0
NEAR_M = 20.0
"""As for points: see `qjmap.checks`."""

_OUT = 0.02  # shares of a shape below this are the width of a line
_OFF = 0.1  # how far a stated size may be from the measured one
_GRID = 0.01  # metres to which overlays are rounded, which makes them safe


class Sheet(Protocol):
    """What of `qjmap.checks.Sheet` is used here."""

    rows: NDArray[np.int64]

    def cells(self, key: str) -> pd.Series[str]: ...

    def where(self, place: int) -> str: ...

    def fault(
        self,
        key: str,
        bad: Bools,
        expected: str,
        advise: Callable[[int, str], str] | str = "",
        shown: Callable[[int], str] | None = None,
    ) -> None: ...


class Land(Protocol):
    """What of `qjmap.oddities.Ground` is used here."""

    @property
    def projection(self) -> Projection: ...
    @property
    def towns(self) -> tuple[str, ...]: ...
    @property
    def polygons(self) -> Shapes: ...


# ---- text ------------------------------------------------------------------------------------------


def parse(texts: Iterable[str | None]) -> Shapes:
    """Read WKT, one shape for each text; None for a blank and for what is no plain shape. Heights are dropped."""
    column = pa.array(texts, type=pa.large_string(), from_pandas=True)
    upper = pc.utf8_upper(column)
    plain = pc.fill_null(pc.match_substring_regex(upper, _PLAIN), fill_value=False)
    bare = pc.if_else(plain, pc.replace_substring_regex(upper, _SRID, ""), pa.scalar(None, pa.large_string()))
    with np.errstate(all="ignore"):
        found = shapely.from_wkt(np.array(bare.to_pylist(), dtype=object), on_invalid="ignore")
        flat: Shapes = np.asarray(shapely.force_2d(found), dtype=object).reshape(-1)
    return flat


def write(shapes: Shapes) -> list[str | None]:
    """Write shapes as WKT, `DECIMALS` decimals at most; None for a missing one."""
    return [
        None
        if one is None
        else _text(one).replace("LINEARRING", "LINESTRING")  # which no reader but GEOS knows
        for one in shapes.tolist()
    ]


def _text(shape: shapely.Geometry) -> str:
    return str(shapely.to_wkt(shape, rounding_precision=DECIMALS, trim=True))


def rounded(shapes: Shapes) -> Shapes:
    """Bring shapes to what a register holds: two dimensions, `DECIMALS` decimals.

    An area that only the rounding would make cross itself is put on the grid by GEOS, which moves it by no more than a
    centimetre; what was invalid before stays so, for a person to repair.
    """
    with np.errstate(all="ignore"):
        flat: Shapes = np.asarray(shapely.force_2d(shapes), dtype=object).reshape(-1)
        near: Shapes = shapely.transform(flat, lambda xy: np.round(xy, DECIMALS))
        for place in np.flatnonzero(shapely.is_valid(flat) & ~shapely.is_valid(near)).tolist():
            near[place] = shapely.set_precision(flat[place], 10.0**-DECIMALS)
    return near


# ---- what stops a row --------------------------------------------------------------------------------


@np.errstate(over="ignore", invalid="ignore")  # GEOS meets numbers that no map has
def typed(
    sheet: Sheet, key: str, geometry: str, box: tuple[float, float, float, float] | None
) -> pd.Series[Any]:
    """Read a column of shapes and tell what is wrong with each; what is wrong is missing in the result.

    Parameters
    ----------
    sheet
        The raw table, which gathers the faults.
    key
        The column.
    geometry
        ``line`` or ``polygon``.
    box
        West, south, east, north in degrees, where every corner must lie.
    """
    cells = sheet.cells(key)
    shapes = parse(cells)
    named = IN_CHINESE[geometry]
    kinds = np.array(["" if one is None else one.geom_type for one in shapes], dtype=object)
    corners = shapely.get_num_coordinates(shapes)
    left = cells.notna().to_numpy(copy=True)

    def refuse(
        bad: Bools,
        expected: str,
        shown: Callable[[int], str],
        advise: str | Callable[[int, str], str] = "",
    ) -> None:
        sheet.fault(key, bad & left, expected, advise, shown)
        left[bad] = False

    refuse(
        kinds == "",
        f"{named}图形(WKT)",
        lambda place: _short(str(cells.iat[place])),
        f"如 {_EXAMPLES[geometry]},经度在前",
    )
    refuse(
        ~np.isin(kinds, WANTED[geometry]),
        f"{named}图形",
        lambda place: _NAMES.get(kinds[place], kinds[place]),
        "请核对图层是否选对",
    )
    refuse(corners == 0, f"{named}图形", lambda _: "空图形", "请补画图形")
    refuse(
        corners > MOST_CORNERS,
        f"不多于 {MOST_CORNERS:,} 个顶点",
        lambda place: f"{corners[place]:,} 个顶点",
        "请在 QGIS 中简化后再上传",
    )
    bounds = shapely.bounds(shapes)
    refuse(_endless(shapes), "有限的坐标", lambda _: "坐标为无穷或非数", "请改正图形")
    _outside(bounds, box, refuse)
    wrong = left & ~shapely.is_valid(shapes)
    reasons = {place: str(shapely.is_valid_reason(shapes[place])) for place in np.flatnonzero(wrong).tolist()}
    advice = "可在 QGIS 中用“修正几何图形”修复"
    refuse(wrong, "有效的图形(不自相交)", lambda place: _invalid(reasons[place]), advice)
    shapes[~left] = None
    return pd.Series(shapes, index=cells.index, dtype=object)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


def _invalid(reason: str) -> str:
    """Say in Chinese what GEOS found, and where."""
    where = ", ".join(f"{float(one):.5f}" for one in reason.partition("[")[2].rstrip("]").split()[:2])
    what = "自相交" if "intersection" in reason.lower() else "图形无效"
    return f"在 {where or '某处'} {what}"


def _endless(shapes: Shapes) -> Bools:
    """Mark shapes with a corner that is no finite number."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    bad = np.zeros(len(shapes), dtype=bool)
    bad[owner[~np.isfinite(xy).all(axis=1)]] = True
    return bad


def _outside(
    bounds: Floats,
    box: tuple[float, float, float, float] | None,
    refuse: Callable[[Bools, str, Callable[[int], str], str], None],
) -> None:
    west, south, east, north = box or (-180.0, -90.0, 180.0, 90.0)
    where = f"本区范围内:经度 {west:g}~{east:g},纬度 {south:g}~{north:g}"
    x0, y0, x1, y1 = bounds.T

    def spans(place: int) -> str:
        return f"经度 {x0[place]:.4f}~{x1[place]:.4f},纬度 {y0[place]:.4f}~{y1[place]:.4f}"

    swapped = (x0 >= south) & (x1 <= north) & (y0 >= west) & (y1 <= east)
    refuse(swapped, where, spans, "经度与纬度似乎写反了,请对调")
    apart = (x1 < west) | (x0 > east) | (y1 < south) | (y0 > north)
    refuse(apart, where, spans, "请核对坐标及其坐标系")
    over = (x0 < west) | (x1 > east) | (y0 < south) | (y1 > north)
    refuse(over, where, spans, "有一部分远在区外,请在 QGIS 中裁剪到区界附近")


# ---- what is odd -------------------------------------------------------------------------------------


def measure(shapes: Shapes, geometry: str) -> Floats:
    """Give areas (square metres) or lengths (metres) of shapes in metres; NaN of a missing one."""
    found: Floats = shapely.length(shapes) if geometry == "line" else shapely.area(shapes)
    return np.where(shapely.is_missing(shapes), np.nan, found)


def look(
    odd: Sheet,
    bad: Sheet,
    frame: pd.DataFrame,
    geometry: str,
    ground: Land,
    existing: pd.DataFrame | None,
    lines: str,
) -> None:
    """Tell what is possible but odd of shapes; one that is wholly far outside the district stops its row.

    Parameters
    ----------
    odd, bad
        Gather warnings and faults.
    frame
        The typed rows, with `geometry` in degrees.
    geometry
        ``line`` or ``polygon``.
    ground
        The district's land.
    existing
        Rows that are kept already: `id`, `kind`, `geometry` (shapes or WKT).
    lines
        What to say of the district's lines: “(示意界线)”, or nothing.
    """
    shapes: Shapes = ground.projection.geometry_to_metres(frame["geometry"].to_numpy(dtype=object))
    size = measure(shapes, geometry)
    _look_size(odd, size, geometry, ground)
    for key, times, unit in (("area_km2", 1e6, "平方千米"), ("length_km", 1e3, "千米")):
        if key in frame:
            _look_stated(odd, frame, key, size / times, unit)
    if len(ground.polygons):
        _look_places(odd, bad, frame, shapes, size, geometry, ground, lines)
    _look_doubles(odd, frame, shapes, size, ground.projection, existing, geometry)


def _look_size(odd: Sheet, size: Floats, geometry: str, ground: Land) -> None:
    line = geometry == "line"
    whole = shapely.multipolygons(shapely.get_parts(ground.polygons)) if len(ground.polygons) else None
    least = LEAST_M if line else LEAST_M2
    unit = "米" if line else "平方米"

    def shown(place: int) -> str:
        return f"{size[place]:,.1f} {unit}" if size[place] < 1000 else _large(float(size[place]), line=line)

    small = f"{'长度' if line else '面积'}不小于 {least:g} {unit}"
    odd.fault("geometry", size < least, small, "可能是画图时的残余,请核对", shown)
    if whole is None:
        return
    west, south, east, north = shapely.bounds(whole)
    most = 2 * float(np.hypot(east - west, north - south)) if line else float(shapely.area(whole))
    said = f"不大于{'全区长宽' if line else '全区面积'}"
    odd.fault("geometry", size > most, said, "请核对图形和坐标系", shown)


def _large(size: float, *, line: bool) -> str:
    return f"{size / 1e3:,.2f} 千米" if line else f"{size / 1e6:,.3f} 平方千米"


def _look_stated(odd: Sheet, frame: pd.DataFrame, key: str, measured: Floats, unit: str) -> None:
    stated = frame[key].to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.abs(stated - measured) > _OFF * measured

    def advise(place: int, _: str) -> str:
        return f"按图形量得 {measured[place]:.3f} {unit};请核对图形、坐标系或单位"

    odd.fault(key, off, f"与图形量得的相差不超过 {_OFF:.0%}", advise)


def _look_places(
    odd: Sheet,
    bad: Sheet,
    frame: pd.DataFrame,
    shapes: Shapes,
    size: Floats,
    geometry: str,
    ground: Land,
    lines: str,
) -> None:
    """Hold shapes against the towns: by how much each lies in which, and in none."""
    parts = by_town(shapes, size, ground.polygons, geometry)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = parts / size[:, None]
    known = size > 0
    out = np.where(known, 1 - shares.sum(axis=1), 0.0)
    whole = shapely.union_all(ground.polygons)
    none = known & ~shapely.intersects(shapes, whole)
    away = np.zeros(len(shapes))
    away[none] = shapely.distance(whole, shapes[none])
    far = none & (away > FARTHEST_M)

    def by(place: int, _: str) -> str:
        return f"在区界{lines}外 {far_off(away[place])};请核对坐标及其坐标系"

    bad.fault("geometry", far, "本区范围内", by, lambda _: "全部在区外")
    odd.fault("geometry", none & ~far, "本区范围内", by, lambda _: "全部在区外")
    part = known & ~none & (out > _OUT)
    odd.fault(
        "geometry",
        part,
        "本区范围内",
        f"请核对图形;按区界{lines}计",
        lambda place: f"{out[place]:.0%} 在区外",
    )
    _look_town(odd, frame, shares, geometry, ground, lines)


def far_off(metres: float) -> str:
    """Say a distance as people do: 120 米, 666 千米."""
    return f"{metres:.0f} 米" if metres < 10_000 else f"{metres / 1000:,.0f} 千米"


def by_town(shapes: Shapes, size: Floats, towns: Shapes, geometry: str) -> Floats:
    """Give how much (metres or square metres) of each shape lies in each town, (n, towns)."""
    parts = np.zeros((len(shapes), len(towns)))
    tree = shapely.STRtree(towns)
    of, town = tree.query(shapes, predicate="covered_by")  # most lie wholly in one: nothing is to be cut
    parts[of, town] = size[of]
    rest = np.flatnonzero(~np.isin(np.arange(len(shapes)), of))
    of, town = tree.query(shapes[rest], predicate="intersects")
    of = rest[of]
    cut = shapely.intersection(shapes[of], towns[town], grid_size=_GRID)
    parts[of, town] = measure(np.asarray(cut, dtype=object), geometry)
    return parts


def _look_town(
    odd: Sheet, frame: pd.DataFrame, shares: Floats, geometry: str, ground: Land, lines: str
) -> None:
    """Tell areas that lie more in another town than in the stated one, and lines that do not touch it."""
    index = {name: n for n, name in enumerate(ground.towns)}
    stated = frame["town"].map(index).to_numpy(dtype=np.float64, na_value=np.nan)
    there = np.isfinite(stated)
    own = np.zeros(len(shares))
    own[there] = shares[there, stated[there].astype(int)]
    shares = np.nan_to_num(shares)
    own = np.nan_to_num(own)
    best = shares.argmax(axis=1)
    most = shares.max(axis=1, initial=0.0)
    wrong = there & (most > 0) & ((own < _OUT) if geometry == "line" else (own < most - _OUT))

    def advise(place: int, _: str) -> str:
        where = f"{most[place]:.0%} 在{ground.towns[best[place]]}{lines}"
        return f"{where},在所写街镇的有 {own[place]:.0%};请核对图形或街镇"

    odd.fault("town", wrong, "图形所在的街镇", advise)


def _look_doubles(
    odd: Sheet,
    frame: pd.DataFrame,
    shapes: Shapes,
    size: Floats,
    projection: Projection,
    existing: pd.DataFrame | None,
    geometry: str,
) -> None:
    """Tell shapes of one kind whose boxes and sizes agree with an earlier one's, of the file or among those kept."""
    kinds = frame["kind"].astype("str").to_numpy(dtype=object, na_value="")
    boxes = shapely.bounds(shapes)
    words: dict[int, str] = {}
    for kind in dict.fromkeys(kinds.tolist()):
        mine = np.flatnonzero((kinds == kind) & np.isfinite(boxes).all(axis=1))
        for later, earlier in _pairs(boxes[mine], size[mine]):
            words.setdefault(int(mine[later]), f"与{odd.where(mine[earlier])}的图形几乎相同,是否重复")
    if existing is not None and {"id", "kind", "geometry"} <= set(existing.columns):
        words = _kept(frame, boxes, size, kinds, projection, existing, geometry) | words
    near = np.zeros(len(shapes), dtype=bool)
    near[list(words)] = True
    odd.fault(
        "geometry",
        near,
        "与同类记录不同的图形",
        lambda place, _: words[place],
        lambda place: _NAMES.get(shapes[place].geom_type, ""),
    )


def _pairs(boxes: Floats, size: Floats) -> Iterable[tuple[int, int]]:
    """Yield (later, earlier) of shapes that are nearly one: the earliest like each."""
    keys = np.round(boxes / NEAR_M).astype(np.int64)
    first: dict[tuple[int, ...], int] = {}
    for place, key in enumerate(map(tuple, keys.tolist())):
        seen = first.setdefault(key, place)
        if seen != place and _alike(size[seen], size[place]):
            yield place, seen
    # boxes on both sides of a rounding step
    unique = np.array(sorted(first.values()), dtype=np.int64)
    if unique.size > 1:
        from scipy.spatial import cKDTree  # a quarter of a second that the first page does without

        for one, other in cKDTree(boxes[unique]).query_pairs(NEAR_M):
            earlier, later = sorted((int(unique[one]), int(unique[other])))
            if _alike(size[earlier], size[later]):
                yield later, earlier


def _alike(one: float, other: float) -> bool:
    return abs(one - other) <= 0.05 * max(one, other)


def _kept(
    frame: pd.DataFrame,
    boxes: Floats,
    size: Floats,
    kinds: NDArray[np.object_],
    projection: Projection,
    existing: pd.DataFrame,
    geometry: str,
) -> dict[int, str]:
    """Find shapes of the file that are kept already under another id: place → words."""
    old = existing["geometry"].to_numpy(dtype=object)
    texts = [one if isinstance(one, str) else None for one in old]
    shapes = np.where([isinstance(one, str) for one in old], parse(texts), old) if len(old) else old
    shapes = projection.geometry_to_metres(np.asarray(shapes, dtype=object))
    old_boxes, old_size = shapely.bounds(shapes), measure(shapes, geometry)
    old_kinds = existing["kind"].astype("str").to_numpy(dtype=object, na_value="")
    ids, own = (one["id"].astype("str").to_numpy(dtype=object, na_value="") for one in (existing, frame))
    words: dict[int, str] = {}
    usable = np.flatnonzero(np.isfinite(old_boxes).all(axis=1))
    asked = np.flatnonzero(np.isfinite(boxes).all(axis=1))
    if not usable.size or not asked.size:
        return words
    from scipy.spatial import cKDTree

    tree = cKDTree(old_boxes[usable])
    for place, near in zip(asked.tolist(), tree.query_ball_point(boxes[asked], NEAR_M), strict=True):
        for found in usable[near].tolist():
            same = old_kinds[found] == kinds[place] and _alike(old_size[found], size[place])
            if same and ids[found] != own[place]:
                words[place] = f"与库中的“{ids[found]}”图形几乎相同,是否同一处"
    return words
