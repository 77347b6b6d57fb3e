"""Columns of somebody's file matched to a layer's: by name, by synonym, by what stands in them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qjmap._repairs import UNITS, factor
from qjmap.ingest import Source
from qjmap.layers import Column, LayerSpec

NAME, SYNONYM, CONTENT, PERSON = "名称", "同义词", "内容", "本人指定"
"""Why a column was matched."""

ADDRESS = "address"
"""Not a column of any register: the text by which a record without coordinates is put into its village."""

ADDRESSES = (
    "地址",
    "详细地址",
    "住址",
    "地点",
    "位置",
    "所在位置",
    "坐落",
    "位置描述",
    "address",
    "location",
    "dz",
)
_ADDRESS = re.compile(r"(?!.*(?:邮箱|网络|网站|ip|mac)).*(?:地址|住址|位置|坐落|所在地)")
PAIRS = ("坐标", "经纬度", "经纬度坐标", "地理坐标", "定位坐标", "coordinates", "lonlat", "latlon", "xy")

_BRACKETS = re.compile(r"[(\[{【〔〈《](.*?)[)\]}】〕〉》]")
_NOISE = re.compile(r"[\s*_\-./\\:;,、。·“”\"'#№]+")
_PAIR = re.compile(
    r"[^\d-]*(\d{1,3}\.\d{3,}|\d{1,3}°[^,;]*)\s*[,;，；、\s/]\s*[^\d-]*(\d{1,3}\.\d{3,}|\d{1,3}°.*)"
)
_WKT = re.compile(r"\s*(?:SRID=\d+;)?\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\b", re.IGNORECASE)
_SAMPLE = 500
_SHARE = 0.8
_LIKE, _LIKE_NUMBER = 0.75, 0.85
"""How like a name must be: a number under a wrong name is believed, 出水口数量 is no 出水量."""
_LETTERS = re.compile(r"[a-z0-9]+$")
_COUNT = re.compile(".*(?:数量|个数)")


@dataclass(frozen=True)
class Match:
    """The column of a file that holds a column of the register.

    `confidence` is 1 for the very name, 0.95 for a synonym, less for a likeness or for content; `why` is one of `NAME`,
    `SYNONYM`, `CONTENT`, `PERSON`. `unit` is the one that the header says, blank if none. Longitude and latitude that
    stand in one cell are matched to the same column.
    """

    column: str
    confidence: float
    why: str
    unit: str = ""


def match(source: Source, spec: LayerSpec, towns: Sequence[str] = ()) -> dict[str, Match]:
    """Match a file's columns to a layer's.

    Parameters
    ----------
    source
        The sheet or layer.
    spec
        The layer wanted.
    towns
        The district's towns, by which a column of towns is known whatever its name.

    Returns
    -------
    dict
        Key of the register's column (or `ADDRESS`) → match. Each column of the file is used once, the best matches
        first, and among synonyms the one that the registry names first; what has none is left out.
        A person may change it: see `chosen`.
    """
    found: dict[str, Match] = {}
    taken: set[str] = set()
    headers = {name: _plain(name) for name in source.table.frame.columns}
    _take(_by_name(headers, spec), spec, found, taken)
    samples = {name: _sample(source.table.frame[name]) for name in headers if name not in taken}
    if "lon" in spec.columns and "lon" not in found and "lat" not in found:
        _pairs(headers, samples, found, taken)  # before likeness: 经纬度 is like 经度
    _take(_by_likeness(headers, spec), spec, found, taken)
    samples = {name: cells for name, cells in samples.items() if name not in taken}
    _take(_by_content(samples, spec, towns, found), spec, found, taken)
    return {key: found[key] for key in (*spec.columns, ADDRESS) if key in found}


def chosen(matches: Mapping[str, Match], choices: Mapping[str, str | None]) -> dict[str, Match]:
    """Change matches as a person says: register's key → the file's column, None for none."""
    changed = {key: one for key, one in matches.items() if key not in choices}
    return changed | {
        key: Match(column, 1.0, PERSON, unit_of(column))
        for key, column in choices.items()
        if column is not None
    }


def score(source: Source, spec: LayerSpec, towns: Sequence[str] = ()) -> float:
    """Say how well a sheet fits a layer, from 0 to 1: required columns weigh most. For choosing among sheets."""
    matches = match(source, spec, towns)
    shaped = spec.shaped and source.geometry is not None
    weights = {
        key: 3.0 if one.required and key != "source" else 1.0
        for key, one in spec.columns.items()
        if not (shaped and key == "geometry")
    }
    got = sum(weights[key] * one.confidence for key, one in matches.items() if key in weights)
    unused = len(source.table.frame.columns) - len({one.column for one in matches.values()})
    return got / (sum(weights.values()) + 0.5 * unused)


def unsure(header: str, spec: LayerSpec, matches: Mapping[str, Match]) -> list[str]:
    """Name the numbers of a layer that a column may be, where its header says too little: 床位, of which year?

    Returns
    -------
    list of str
        Labels of columns that have no match yet; none for a header of a single character, or one that fits only one.
    """
    stem = re.sub("(?:总数|数量|数)$", "", _plain(header))
    found = [
        column.label
        for key, column in spec.columns.items()
        if key not in matches and column.type in ("integer", "number") and stem in column.label
    ]
    return found if len(stem) > 1 and len(found) > 1 else []


def unit_of(header: str) -> str:
    """Give the unit that a header says in brackets or after a stroke: 高度(m), 高度/米."""
    text = unicodedata.normalize("NFKC", header)
    found = _BRACKETS.search(text)
    if found:
        return found[1].removeprefix("单位").lstrip(":").strip()
    return text.rpartition("/")[2].strip() if "/" in text else ""


def _plain(header: str) -> str:
    """Give a name without what people put round it: units, stars, blanks, the width of letters."""
    text = unicodedata.normalize("NFKC", header).lower()
    bare = _NOISE.sub("", _BRACKETS.sub("", text))
    return bare or _NOISE.sub("", text)


def _names(column: Column) -> Iterator[tuple[str, float, str]]:
    yield column.key.lower(), 1.0, NAME
    yield _NOISE.sub("", unicodedata.normalize("NFKC", column.label).lower()), 1.0, NAME
    yield _plain(column.label), 0.98, NAME
    for word in column.synonyms:
        yield _plain(word), 0.95, SYNONYM


Offer = tuple[float, str, str, str, int]  # confidence, key, column of the file, why, place among the names


def _by_name(headers: Mapping[str, str], spec: LayerSpec) -> Iterator[Offer]:
    for name, plain in headers.items():
        whole = _NOISE.sub("", unicodedata.normalize("NFKC", name).lower())
        for key, column in spec.columns.items():
            # a unit is no part of the name; other words in brackets may be
            bare = plain if _is_unit(unit_of(name), column) else whole
            for place, (word, confidence, why) in enumerate(_names(column)):
                if word in (plain, whole, name.lower()):
                    yield confidence - (0.01 if word not in (whole, bare) else 0), key, name, why, place
        if spec.placed and not spec.shaped and plain in ADDRESSES:
            yield 0.95, ADDRESS, name, SYNONYM, 0


def _is_unit(said: str, column: Column) -> bool:
    return bool(said and column.unit) and factor(said, column.unit) is not None


def _by_likeness(headers: Mapping[str, str], spec: LayerSpec) -> Iterator[Offer]:
    """Offer names that are nearly right, or that hold the right one: 消火栓名称, 所属街镇名."""
    for name, plain in headers.items():
        for key, column in spec.columns.items():
            words = {word for word, _, _ in _names(column) if len(word) >= 2}
            least = _LIKE_NUMBER if column.type in ("integer", "number") else _LIKE
            near = max((difflib.SequenceMatcher(None, plain, word).ratio() for word in words), default=0.0)
            bare = _LETTERS.sub("", plain) or plain  # 公称直径DN
            ends = any(bare.endswith(word) for word in words if not word.isascii())
            likeness = max(near if near >= least else 0.0, 0.7 if ends else 0.0)
            # how many there are of a thing is no measure of it
            if likeness and not (_COUNT.fullmatch(plain) and column.unit in UNITS):
                yield min(0.9, likeness * 0.9), key, name, NAME, 0
        if spec.placed and not spec.shaped and _ADDRESS.fullmatch(plain):
            yield 0.65, ADDRESS, name, NAME, 0


def _take(offers: Iterator[Offer], spec: LayerSpec, found: dict[str, Match], taken: set[str]) -> None:
    """Take the best offers first; the order of the register and then of its names decides between equals."""
    order = {key: place for place, key in enumerate((*spec.columns, ADDRESS))}
    for confidence, key, name, why, _ in sorted(offers, key=lambda one: (-one[0], order[one[1]], one[4])):
        if key not in found and name not in taken:
            found[key] = Match(name, round(confidence, 2), why, unit_of(name))
            taken.add(name)


# ---- by content ------------------------------------------------------------------------------------


def _sample(cells: pd.Series[str]) -> list[str]:
    known = cells.dropna()
    step = max(1, len(known) // _SAMPLE)
    return [unicodedata.normalize("NFKC", str(one)).strip() for one in known.iloc[::step]]


def _share(cells: Sequence[str], right: Callable[[str], bool]) -> float:
    return sum(map(right, cells)) / len(cells) if cells else 0.0


def _pairs(
    headers: Mapping[str, str],
    samples: Mapping[str, list[str]],
    found: dict[str, Match],
    taken: set[str],
) -> None:
    """Find longitude and latitude that stand in one cell."""
    for name, cells in samples.items():
        share = _share(cells, lambda text: bool(_PAIR.fullmatch(text)))
        if share >= _SHARE or (headers[name] in PAIRS and share > 0):
            why = SYNONYM if headers[name] in PAIRS else CONTENT
            found["lon"] = found["lat"] = Match(name, 0.95 if why == SYNONYM else 0.7, why)
            taken.add(name)
            return


def _by_content(
    samples: Mapping[str, list[str]], spec: LayerSpec, towns: Sequence[str], found: Mapping[str, Match]
) -> Iterator[Offer]:
    stems = {town[:-1] if town.endswith("镇") else town.removesuffix("街道") for town in towns} | {*towns}
    allowed: dict[str, set[str]] = {
        key: set(column.values) - {"未知", ""} for key, column in spec.columns.items() if column.values
    }
    for name, cells in samples.items():
        if not cells:
            continue
        distinct = set(cells)
        for key, values in allowed.items():
            # yes and no say nothing of what the question was
            if key in found or len(values) < 2 or values <= {"是", "否", "有", "无"}:
                continue
            share = _share(cells, values.__contains__)
            if share >= _SHARE:
                yield 0.6 + 0.1 * share, key, name, CONTENT, 0
        if towns and _share(cells, stems.__contains__) >= _SHARE:
            yield 0.75, "town", name, CONTENT, 0
        if spec.shaped and _share(cells, lambda text: bool(_WKT.match(text))) >= _SHARE:
            yield 0.75, "geometry", name, CONTENT, 0
        if "lon" in spec.columns and len(distinct) * 2 >= len(cells):
            yield from _degrees(cells, name)


def _degrees(cells: Sequence[str], name: str) -> Iterator[Offer]:
    """Offer a column of decimal degrees in China as longitude or latitude."""
    numbers = pd.to_numeric(pd.Series(cells, dtype="str"), errors="coerce").to_numpy(dtype=np.float64)
    numbers = np.where(np.abs(numbers) <= 180, numbers, np.nan)
    broken = np.mod(numbers, 1) != 0
    for key, low, high in (("lon", 73.0, 136.0), ("lat", 3.0, 54.0)):
        inside = (numbers >= low) & (numbers <= high) & broken
        if inside.mean() >= _SHARE and np.std(numbers[inside]) < 3:
            yield 0.6, key, name, CONTENT, 0
