"""Which headers are longitude and latitude, which two belong together, and which hold degrees, minutes and seconds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np
import numpy.typing as npt
import pandas as pd

from qjmap import _lonlat, spoken
from qjmap.datum import WGS84

Floats = npt.NDArray[np.float64]

LON, LAT = "lon", "lat"
OF = {"longitude": LON, "latitude": LAT}
"""Types of columns that are coordinates."""

_SAMPLE = 500
_MOST = 60  # columns that are held against each other
_LONGEST = 60  # characters of a header that may name a coordinate

_ALONE = r"(?:^|(?<=高德)|(?<=百度)|(?<=腾讯)|(?<=[a-z\d]))"
_CHINESE = {
    LON: re.compile(rf"坐标东|经度|东经|横坐标|东坐标|东向坐标|[xX]\s?坐标|坐标\s?[xX]|{_ALONE}经$"),
    LAT: re.compile(rf"坐标北|纬度|北纬|纵坐标|北坐标|北向坐标|[yY]\s?坐标|坐标\s?[yY]|{_ALONE}纬$"),
}
_BEFORE = r"(gcj|gcj02|bd|bd09|wgs|wgs84|amap|baidu|gps|point|coord|map|center|)"
_BEHIND = r"(?:coord|坐标|值)?(\d?)"
_LATIN = {
    LON: re.compile(rf"{_BEFORE}(?:longitude|long|lon|lng|x|e|east|easting|jd|jingdu){_BEHIND}"),
    LAT: re.compile(rf"{_BEFORE}(?:latitude|lat|y|n|north|northing|wd|weidu){_BEHIND}"),
}
_POINTS = re.compile(r"[(\[]([东北])向?[)\]]")
_PAIR = re.compile(r"经纬|坐标系|lonlat|latlon|lnglat|latlng|^xy$", re.IGNORECASE)
_PART = re.compile(r"[\s_(\[]*(度|分|秒|°|′|'|″|\"|''|′′)[)\]\s]*$|[\s_](deg|min|sec|d|m|s)$", re.IGNORECASE)
_UNITS = re.compile(
    r"[(\[【〔]\s*(?:单位[::]?)?\s*(?:度|°|米|m|十进制度?|小数度?|必填|选填|可空|deg|degree)\s*[)\]】〕]|[\s*#::]"
)
_NEUTRAL = re.compile("(?:坐标|位置|中心点?|地理|gps|gis|所在地?|大地|十进制|小数|map|point)?")
"""Words that do not say of which of several places a pair is."""

_KINDS = {"度": 0, "°": 0, "deg": 0, "d": 0, "分": 1, "′": 1, "'": 1, "min": 1, "m": 1}


@dataclass(frozen=True)
class Axis:
    """A header that names a coordinate: which one, and the rest of its words, by which two are a pair."""

    axis: str
    stem: str
    part: int | None = None


@dataclass(frozen=True)
class Pair:
    """Two columns of one place."""

    lon: str
    lat: str


@lru_cache(maxsize=2048)
def axis(header: str) -> Axis | None:
    """Tell whether a header names a longitude (east) or a latitude (north)."""
    text = unicodedata.normalize("NFKC", header[:_LONGEST]).strip()
    if len(header) > _LONGEST or _PAIR.search(text):
        return None
    part = _part(text)
    if part is not None and (whole := _axis(_PART.sub("", text))):
        return Axis(whole.axis, whole.stem, part)
    return _axis(text)


def _axis(text: str) -> Axis | None:
    hits = {key: hit for key, pattern in _CHINESE.items() if (hit := pattern.search(text))}
    if way := _POINTS.search(text):  # a surveyor's X points north
        own = _axis(_POINTS.sub("", text).strip())
        return None if own is None else Axis(LON if way[1] == "东" else LAT, own.stem)
    if hits:
        key = min(
            hits, key=lambda one: hits[one].start()
        )  # X坐标(北) is one, and looks like the other further on
        return Axis(key, _stem(text[: hits[key].start()] + text[hits[key].end() :]))
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[一-鿿])(?=[A-Za-z])", " ", text).lower()  # gcjLng, 高德X
    tokens = [one for one in re.split(r"[\s_\-.()\[\]/:]+", words) if one]
    for key, pattern in _LATIN.items():
        for n, token in enumerate(tokens):
            if found := pattern.fullmatch(token):
                return Axis(key, _stem(" ".join([*tokens[:n], *found.groups(), *tokens[n + 1 :]])))
    return None


def _stem(text: str) -> str:
    stem = re.sub(r"[\s()\[\]【】〔〕_\-*#::/]+", "", _UNITS.sub("", text)).lower()
    return "" if stem in ("东", "北", "x", "y", "e", "n") else stem  # which way it points is said twice


def _part(text: str) -> int | None:
    found = _PART.search(text)
    return None if found is None else _KINDS.get((found[1] or found[2]).lower(), 2)


def parts(names: Iterable[str], column: str) -> tuple[str, ...]:
    """Give the columns of minutes and seconds that go with a column of degrees: 经度 度, 经度 分, 经度 秒.

    Returns
    -------
    tuple of str
        Minutes, and seconds where there are any; none where the column stands for itself.
    """
    own = axis(column)
    if own is None or own.part not in (0, None):
        return ()
    found: dict[int, str] = {}
    for name in names:
        one = axis(name)
        if one is not None and name != column and (one.axis, one.stem) == (own.axis, own.stem) and one.part:
            found.setdefault(one.part, name)
    return tuple(found[part] for part in (1, 2) if part in found) if 1 in found else ()


def pair(frame: pd.DataFrame) -> Pair | None:
    """Find the two columns that say best where things are: of one place, in degrees before metres, of a known datum."""
    named = ((str(name), axis(str(name))) for name in frame)
    axes = dict(islice(((name, one) for name, one in named if one is not None and not one.part), _MOST))
    pairs = [
        Pair(lon, lat)
        for lon, one in axes.items()
        for lat, other in axes.items()
        if (one.axis, other.axis) == (LON, LAT) and one.stem == other.stem
    ]
    if not pairs:
        return None
    some = frame.iloc[:: max(1, len(frame) // _SAMPLE)]
    numbers = {name: _lonlat.parse(some[name])[0] for one in pairs for name in (one.lon, one.lat)}
    ranked = [(_rank(numbers[one.lon], numbers[one.lat], one, axes[one.lon].stem), one) for one in pairs]
    known = [
        each
        for each in ranked
        if each[0] is not None or not some[[each[1].lon, each[1].lat]].notna().any(axis=None)
    ]
    return max(known, key=lambda each: each[0] or (0.0,))[1] if known else None


def _rank(x: Floats, y: Floats, one: Pair, stem: str) -> tuple[float, ...] | None:
    """Say how good a pair is; None where its columns hold no coordinates."""
    both = np.isfinite(x) & np.isfinite(y)
    if not both.any():
        return None
    degrees = bool(np.median(np.abs(x[both])) <= 180 and np.median(np.abs(y[both])) <= 180)
    said = spoken.datum_of(one.lon)
    sure = {WGS84: 3, None: 1}.get(said, 0 if said in spoken.OLD else 2)
    return (
        bool(both.mean() >= 0.5),
        bool(_NEUTRAL.fullmatch(stem)) or said is not None,
        degrees,
        sure,
        stem == "",
    )


def of(header: str) -> str | None:
    """Say which coordinate a header names; None for none, and for parts of one."""
    own = axis(header)
    return None if own is None or own.part else own.axis


def sure(column: str) -> bool:
    """Tell whether a header says no more than that it is a coordinate, and of which datum."""
    own = axis(column)
    return own is not None and (
        _NEUTRAL.fullmatch(own.stem) is not None or spoken.datum_of(column) is not None
    )


def apart(lon: str, lat: str, names: Iterable[str]) -> bool:
    """Tell whether two headers are no pair: of two datums, or one says none while there are others to choose."""
    one, other = spoken.datum_of(lon), spoken.datum_of(lat)
    return one != other and ((one and other) is not None or sum(of(name) is not None for name in names) > 2)
