"""What two columns of coordinates may mean: datums of maps and phones, projected zones, degrees and minutes.

GCJ-02 and BD-09 are the shifted degrees of Chinese web maps. Their shift has no published definition; the formulas
here are those in common use, read backward by iteration, so that there and back is exact to a millimetre.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from qjmap._lonlat import Bools, Floats, parse
from qjmap.crs import DEGREES
from qjmap.district import District

WGS84, GCJ02, BD09, DMS, PACKED, BY_ROW = "wgs84", "gcj02", "bd09", "dms", "packed", "rows"
"""Keys of readings; projected ones are ``gk3-105-zone``, ``gk3-105``, ``utm48`` and so on."""

ROW_KEYS = (WGS84, GCJ02, BD09)
"""What a row of a reading `BY_ROW` may be, in the order of its numbers."""

_LABELS = {
    WGS84: "WGS-84 / CGCS2000 经纬度",
    GCJ02: "GCJ-02(高德、腾讯地图)",
    BD09: "BD-09(百度地图)",
    DMS: "WGS-84 / CGCS2000 度分秒",
    PACKED: "WGS-84 / CGCS2000 度.分秒(106.3904 即 106°39′04″)",
    BY_ROW: "逐行按文件所写的坐标系",
}


@dataclass(frozen=True, eq=False)
class Reading:
    """One way to read the coordinates of a file.

    Parameters
    ----------
    key
        What to keep of the choice.
    label
        The way in Chinese.
    lon, lat
        Degrees (WGS 84), one for each row; NaN where a cell cannot be read so.
    share_inside
        How many of the rows with coordinates come to lie in the district so, from 0 to 1.
    swapped
        Whether the two columns change places for it.
    count
        How many rows can be read so.
    rows
        Of a reading row by row (`BY_ROW`): each row's place in `ROW_KEYS`, −1 where nobody knows; else None.
    """

    key: str
    label: str
    lon: Floats
    lat: Floats
    share_inside: float
    swapped: bool
    count: int
    rows: npt.NDArray[np.int8] | None = None

    @property
    def metres(self) -> bool:
        """Whether the file's numbers are metres of a projection."""
        return self.key.startswith(("gk", "utm"))


# ---- shifted degrees -------------------------------------------------------------------------------

_A, _EE = 6378245.0, 0.00669342162296594323  # Krasovsky's ellipsoid, as the shift uses it
_BD = np.pi * 3000.0 / 180.0
_BLOCK = 8192


def wgs_to_gcj(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Shift WGS-84 degrees to GCJ-02; outside China there is no shift; NaN stays NaN."""
    lon, lat = _floats(lon), _floats(lat)
    x, y = np.clip(lon, -400, 400) - 105.0, np.clip(lat, -400, 400) - 35.0  # no square of what is no degree
    root = np.sqrt(np.abs(x))
    common = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    d_lat += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    d_lat += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    d_lon += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    d_lon += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    angle = np.radians(lat)
    magic = 1.0 - _EE * np.sin(angle) ** 2
    d_lat = np.degrees(d_lat / (_A * (1.0 - _EE) / (magic * np.sqrt(magic))))
    d_lon = np.degrees(d_lon / (_A / np.sqrt(magic) * np.cos(angle)))
    inside = (lon >= 72.004) & (lon <= 137.8347) & (lat >= 0.8293) & (lat <= 55.8271)
    return np.where(inside, lon + d_lon, lon), np.where(inside, lat + d_lat, lat)


def gcj_to_wgs(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Bring GCJ-02 degrees back to WGS-84, right to a millimetre against `wgs_to_gcj`."""
    return _backward(wgs_to_gcj, _floats(lon), _floats(lat))


def gcj_to_bd(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Shift GCJ-02 degrees to BD-09."""
    lon, lat = _floats(lon), _floats(lat)
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def bd_to_gcj(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Bring BD-09 degrees back to GCJ-02, right to a millimetre against `gcj_to_bd`."""
    return _backward(gcj_to_bd, _floats(lon), _floats(lat))


def wgs_to_bd(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Shift WGS-84 degrees to BD-09."""
    return gcj_to_bd(*wgs_to_gcj(lon, lat))


def bd_to_wgs(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Bring BD-09 degrees back to WGS-84."""
    return gcj_to_wgs(*bd_to_gcj(lon, lat))


Shift = Callable[[Floats, Floats], tuple[Floats, Floats]]


def _backward(forward: Shift, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Invert a shift that changes slowly, block by block: whole columns would need thirty of their size at once."""
    shape = np.broadcast_shapes(lon.shape, lat.shape)
    lon, lat = (np.broadcast_to(one, shape).reshape(-1) for one in (lon, lat))
    u, v = np.empty(lon.size), np.empty(lon.size)
    for start in range(0, lon.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        u[part], v[part] = _step_back(forward, lon[part], lat[part])
    return u.reshape(shape), v.reshape(shape)


def _step_back(forward: Shift, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Step back by what the step forward misses, until it misses nothing."""
    u, v = lon.copy(), lat.copy()
    for _ in range(12):
        a, b = forward(u, v)
        miss_u, miss_v = a - lon, b - lat
        u, v = u - miss_u, v - miss_v
        if not (np.nan_to_num(np.abs(miss_u) + np.abs(miss_v)) > 1e-10).any():
            break
    return u, v


def _floats(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


# ---- projected -------------------------------------------------------------------------------------


_UTM_SCALE = 0.9996


@lru_cache(maxsize=64)
def _gauss(meridian: float, scale: float) -> Transformer:
    """Make the way from metres along a meridian (CGCS2000, false easting 500 km) to degrees."""
    crs = CRS.from_dict(
        {
            "proj": "tmerc",
            "lat_0": 0,
            "lon_0": meridian,
            "k": scale,
            "x_0": 500_000,
            "ellps": "GRS80",
            "units": "m",
        }
    )
    return Transformer.from_crs(crs, DEGREES, always_xy=True)


def from_gauss(
    easting: npt.ArrayLike, northing: npt.ArrayLike, meridian: float, scale: float = 1.0
) -> tuple[Floats, Floats]:
    """Bring projected metres (without zone number) to degrees; NaN stays NaN. UTM has the scale 0.9996."""
    east, north = _floats(easting), _floats(northing)
    known = (np.abs(east - 500_000) < 1e6) & (np.abs(north) < 1e7)
    way = _gauss(meridian, scale)
    lon, lat = way.transform(np.where(known, east, 500_000.0), np.where(known, north, 0.0))
    known &= np.isfinite(lon) & np.isfinite(lat)
    return np.where(known, lon, np.nan), np.where(known, lat, np.nan)


def from_crs(geometry: npt.NDArray[np.object_], crs: str | None) -> npt.NDArray[np.object_]:
    """Bring shapes to degrees by what their file says of them; degrees, and shapes of which it says nothing, stay.

    Raises
    ------
    ValueError
        The file says what PROJ does not know.
    """
    if not crs:
        return geometry
    try:
        known = CRS.from_user_input(crs)
        if not known.is_projected:
            return geometry
        way = Transformer.from_crs(known, DEGREES, always_xy=True)
    except CRSError as error:
        raise ValueError("文件所写的坐标系无法识别") from error

    def moved(xy: Floats) -> Floats:
        u, v = way.transform(xy[:, 0], xy[:, 1])
        return np.column_stack([u, v])

    result: npt.NDArray[np.object_] = shapely.transform(geometry, moved)
    return result


_DATUMS = {
    "WGS 84": "WGS-84",
    "China Geodetic Coordinate System 2000": "CGCS2000",
    "Xian 1980": "西安80",
    "Beijing 1954": "北京54",
    "New Beijing": "新北京54",
}
_OLD = {"xian": "西安80", "new beijing": "新北京54", "beijing": "北京54"}
_DEGREES_WIDE = re.compile(r"3[-_ ]?degree", re.IGNORECASE)


def crs_name(crs: str) -> str:
    """Name what a file says of its coordinates as a surveyor here would: EPSG:4545(CGCS2000 / 3度带 108°)."""
    try:
        known = CRS.from_user_input(crs)
    except CRSError:
        return crs[:60]
    code = known.to_epsg()
    name = _spoken(known)
    return f"EPSG:{code}({name})" if code else name


def is_projected(crs: str) -> bool:
    """Tell whether a file says that its coordinates are metres of a projection."""
    try:
        return bool(CRS.from_user_input(crs).is_projected)
    except CRSError:
        return False


def old_datum(crs: str) -> str:
    """Name the datum that a file says where PROJ knows no way from it to this part of the country; blank if it does."""
    try:
        known = CRS.from_user_input(crs)
    except CRSError:
        return ""
    base = known.geodetic_crs.name if known.geodetic_crs is not None else known.name
    return next((name for word, name in _OLD.items() if word in base.lower().replace("_", " ")), "")


def _spoken(crs: CRS) -> str:
    base = crs.geodetic_crs.name if crs.geodetic_crs is not None else crs.name
    datum = _DATUMS.get(base, "CGCS2000" if "2000" in base else base.removeprefix("GCS_")[:40])
    if not crs.is_projected:
        return f"{datum} 经纬度"
    way = crs.coordinate_operation
    said = {one.name: one.value for one in way.params} if way is not None else {}
    meridian = said.get("Longitude of natural origin")
    if way is None or meridian is None or way.method_name != "Transverse Mercator" or "UTM" in crs.name:
        return crs.name[:60]
    width = "3度带" if _DEGREES_WIDE.search(crs.name) else "高斯投影"
    zone = int(float(said.get("False easting", 0)) // 1e6)
    return f"{datum} / {width} {float(meridian):g}°" + (f",带号 {zone}" if zone else "")


def converter(
    reading: Reading, places: npt.NDArray[np.int64] | None = None
) -> Callable[[Floats, Floats], tuple[Floats, Floats]]:
    """Give the way from a file's coordinates, in the order of the file, to degrees, as a reading has it.

    `places` are the rows that will be brought, where a reading goes row by row.
    """
    key = reading.key

    def way(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        first, second = (y, x) if reading.swapped else (x, y)
        if reading.rows is not None:
            return _row_by_row(first, second, reading.rows if places is None else reading.rows[places])
        if key in SHIFTED:
            return SHIFTED[key](first, second)
        if key == PACKED:
            return unpacked(first, second)
        if key.startswith("utm"):
            return from_gauss(first, second, _utm_meridian(int(key[3:])), _UTM_SCALE)
        if key.startswith("gk"):
            width, meridian = key[2:].split("-")[:2]
            number = float(meridian) / 3 if width == "3" else (float(meridian) + 3) / 6
            offset = number * 1e6 if key.endswith("-zone") else 0.0
            return from_gauss(first - offset, second, float(meridian))
        return first, second

    return way


SHIFTED: dict[str, Shift] = {GCJ02: gcj_to_wgs, BD09: bd_to_wgs}
"""The datums of web maps, and the way back from each."""


def _row_by_row(lon: Floats, lat: Floats, rows: npt.NDArray[np.int8]) -> tuple[Floats, Floats]:
    u, v = np.where(rows >= 0, lon, np.nan), np.where(rows >= 0, lat, np.nan)
    for key, back in SHIFTED.items():
        own = rows == ROW_KEYS.index(key)
        if own.any():
            u[own], v[own] = back(lon[own], lat[own])
    return u, v


# ---- readings --------------------------------------------------------------------------------------


def readings(
    x_text: Iterable[object],
    y_text: Iterable[object],
    district: District,
    rows: npt.NDArray[np.int8] | None = None,
) -> list[Reading]:
    """Give every way in which two columns can be coordinates, those that lie in the district first.

    Parameters
    ----------
    x_text, y_text
        The two columns, as text or numbers: longitude or easting, latitude or northing. Other way round is seen.
    district
        Where they should lie.
    rows
        What the file says of each row: its place in `ROW_KEYS`, −1 where it says nothing that is known.

    Returns
    -------
    list of Reading
        Of degrees always three (WGS-84/CGCS2000 or degrees and minutes, GCJ-02, BD-09), and with `rows` the reading
        row by row before them. Their order says nothing when all lie in the district: they are some 500 m apart, and
        only the map can tell. Of metres one for each zone that fits; UTM lies a kilometre from Gauss–Krüger. Empty
        when nothing can be read.
    """
    (x, x_marked), (y, y_marked) = parse(x_text), parse(y_text)
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return []
    inside = _inside(district)
    small = (np.abs(x) <= 180) & (np.abs(y) <= 180)
    offered = (
        _of_degrees(x, y, known, (x_marked | y_marked) & known, inside, rows)
        if small[known].mean() >= 0.5
        else _of_metres(x, y, known, inside, district.settings.centre[0])
    )
    # a hair more inside says nothing between datums 500 m apart: then the usual one stands first
    return sorted(offered, key=lambda one: -round(one.share_inside, 2))


Inside = Callable[[Floats, Floats], Bools]


def _inside(district: District) -> Inside:
    """Make the test of lying in the district: its polygons, or its box when there are none."""
    polygons = [*district.boundaries.geometry, *district.background.geometry]
    if not polygons:
        west, south, east, north = district.settings.box
        return lambda lon, lat: (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    whole = shapely.union_all(polygons)
    shapely.prepare(whole)

    def test(lon: Floats, lat: Floats) -> Bools:
        found: Bools = shapely.contains_xy(whole, *district.projection.to_metres(lon, lat))
        return found

    return test


def _reading(
    key: str, label: str, lon: Floats, lat: Floats, known: Bools, inside: Inside, *, swapped: bool
) -> Reading:
    lon = np.where(np.abs(lon) <= 180, lon, np.nan)
    lat = np.where(np.abs(lat) <= 90, lat, np.nan)
    good = np.isfinite(lon) & np.isfinite(lat)
    lon, lat = np.where(good, lon, np.nan), np.where(good, lat, np.nan)
    share = float(inside(lon[good], lat[good]).sum() / max(1, known.sum()))
    return Reading(key, label, lon, lat, share, swapped, int(good.sum()))


def _of_degrees(
    x: Floats, y: Floats, known: Bools, marked: Bools, inside: Inside, rows: npt.NDArray[np.int8] | None
) -> list[Reading]:
    straight = _reading(WGS84, _LABELS[WGS84], x, y, known, inside, swapped=False)
    turned = _reading(WGS84, _LABELS[WGS84], y, x, known, inside, swapped=True)
    # In China a longitude is never a latitude: the numbers alone tell, even far from the district.
    swapped = turned.share_inside > straight.share_inside or (
        straight.share_inside == 0 and np.median(x[known]) < 55 < np.median(y[known])
    )
    lon, lat = (y, x) if swapped else (x, y)
    plain = turned if swapped else straight
    found = []
    if marked.mean() > 0.5 * known.mean():
        found.append(
            Reading(DMS, _LABELS[DMS], plain.lon, plain.lat, plain.share_inside, bool(swapped), plain.count)
        )
    else:
        found.append(plain)
    for key, back in SHIFTED.items():
        found.append(_reading(key, _LABELS[key], *back(lon, lat), known, inside, swapped=bool(swapped)))
    packed = _reading(PACKED, _LABELS[PACKED], *unpacked(lon, lat), known, inside, swapped=bool(swapped))
    if packed.share_inside > 0.5 > 2 * plain.share_inside:  # as instruments write them: else nothing tells
        found.append(packed)
    if rows is not None:
        own = _row_by_row(lon, lat, rows)
        one = _reading(BY_ROW, _LABELS[BY_ROW], *own, known & (rows >= 0), inside, swapped=bool(swapped))
        found.insert(0, replace(one, rows=rows))
    return found


def unpacked(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Read degrees whose decimals are minutes and seconds (106.3904 is 106°39′04″); NaN where they cannot be."""
    u, v = (_unpacked(one) for one in (lon, lat))
    return u, v


def _unpacked(packed: Floats) -> Floats:
    size = np.round(np.abs(packed), 9)
    degrees = np.floor(size)
    minutes = np.floor(np.round((size - degrees) * 100, 7))
    seconds = np.round(((size - degrees) * 100 - minutes) * 100, 5)
    value = np.sign(packed) * (degrees + minutes / 60 + seconds / 3600)
    return np.where((minutes < 60) & (seconds < 60), value, np.nan)


def _of_metres(x: Floats, y: Floats, known: Bools, inside: Inside, centre: float) -> list[Reading]:
    """Try both orders (a surveyor's X points north), every zone whose meridian is near, and UTM, a kilometre off."""
    found: list[Reading] = []
    for east, north, swapped in ((x, y, False), (y, x, True)):
        zone = np.floor(east / 1e6)
        numbered = bool(np.nanmedian(zone[known]) > 0)
        ways = _numbered(centre) if numbered else _bare(centre)
        for key, label, number, meridian, scale in ways:
            own = np.where(zone == number, east - number * 1e6, np.nan) if numbered else east
            lon, lat = from_gauss(own, north, meridian, scale)
            one = _reading(key, label, lon, lat, known, inside, swapped=swapped)
            if one.count:
                found.append(one)
    best = max((one.share_inside for one in found), default=0.0)
    return [one for one in found if one.share_inside > 0] if best else found[:4]


Way = tuple[str, str, float, float, float]  # key, label, number of the zone, meridian, scale


def _numbered(centre: float) -> Iterator[Way]:
    for width in (3, 6):
        for meridian in _meridians(width, centre):
            number = meridian / 3 if width == 3 else (meridian + 3) / 6
            label = f"CGCS2000 投影坐标({width}度带,中央经线 {meridian:.0f}°,带号 {number:.0f})"
            yield f"gk{width}-{meridian:.0f}-zone", label, number, meridian, 1.0


def _bare(centre: float) -> Iterator[Way]:
    three = _meridians(3, centre)
    # without a zone number the same metres mean the same place in a zone of either width
    for width, meridian in [(3, one) for one in three] + [(6, one) for one in _meridians(6, centre)]:
        if width == 3 or meridian not in three:
            label = f"CGCS2000 投影坐标({width}度带,中央经线 {meridian:.0f}°)"
            yield f"gk{width}-{meridian:.0f}", label, 0.0, meridian, 1.0
    for meridian in _meridians(6, centre):
        zone = int((meridian + 183) // 6)
        yield f"utm{zone}", f"UTM {zone}N(WGS-84,中央经线 {meridian:.0f}°)", 0.0, meridian, _UTM_SCALE


def meridian_of(reading: Reading) -> float:
    """Give the central meridian of a reading of metres, in degrees."""
    return (
        _utm_meridian(int(reading.key[3:]))
        if reading.key.startswith("utm")
        else float(reading.key.split("-")[1])
    )


def _utm_meridian(zone: int) -> float:
    return zone * 6.0 - 183.0


def _meridians(width: int, centre: float) -> tuple[float, ...]:
    offset = 0.0 if width == 3 else 3.0
    first = np.floor((centre - offset) / width) * width + offset
    return tuple(float(first + step * width) for step in (-1, 0, 1, 2))
