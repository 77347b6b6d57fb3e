"""Coordinates as people write them: plain numbers, degrees and minutes, with sides and units, both in one cell."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from qjmap._repairs import seen

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_PLAIN = re.compile(r"[+-]?\d+(?:\.\d*)?|[+-]?\.\d+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d{1,3},\d{3,}")
_SIGN = "[NSEW东西南北]?(?:经|纬)?"
_DMS = re.compile(
    rf"({_SIGN})[:\s]*(\d{{1,3}})(?:°|度|º|d|\s|:|-)\s*(\d{{1,2}}(?:\.\d*)?)\s*(?:['′’‘分m:\s-]\s*"
    rf"(?:(\d{{1,2}}(?:\.\d*)?)\s*(?:\"|″|”|“|''|′′|’’|秒|s)?)?)?\s*({_SIGN})",
    re.IGNORECASE,
)
_DEGREES = re.compile(rf"({_SIGN})[:\s]*([+-]?\d{{1,3}}(?:\.\d*)?)\s*(?:°|度|º)?\s*({_SIGN})", re.IGNORECASE)
_PLAINLY = r"^\s*([+-]?\d+\.\d+)\s*[,,]\s*([+-]?\d+\.\d+)\s*$"  # most are: read without a look at each
_BETWEEN = (
    re.compile(r"(?<=\d)\s+(?=\d{1,3},\d{3,}$)"),  # decimal commas
    re.compile(r"\s*[,;、|/]\s*"),
    re.compile(r"(?<=[\"″”秒NSEW])\s+", re.IGNORECASE),
    re.compile(r"(?<=[′'’分])\s+(?=\d{1,3}\s?[°度])|(?<=[°度])\s+(?=\d{1,3}(?:\.\d+)?[°度]$)"),
    re.compile(r"(?<=\d)\s+(?=\d+(?:\.\d+)?°?$)"),
)
"""What stands between two coordinates in one cell, the surest first."""
_LON, _LAT = "东经|经度|longitude|long|lng|lon|[ex]", "北纬|纬度|latitude|lat|[ny]"
_NAMED = re.compile(
    rf"[\s,;、|/]*[\"']?(?:(?P<lon>{_LON})|(?P<lat>{_LAT}))(?![a-z])[\"']?\s*[:=]?\s*(?=[+-]?\d)",
    re.IGNORECASE,
)
_SIDED = re.compile(
    r"([^NSEW东西南北]*\d[^NSEW东西南北\d]*)(?:([EW东西])|[NS南北])[\s,;、|/]*(.+?[NSEW东西南北])",
    re.IGNORECASE,
)
_AROUND = re.compile(
    r"^(?:srid=\d+;)?(?:point\s*z?|经纬度|坐标|gps|wgs-?84)?\s*[:=]?\s*[(\[{【〔《]*\s*|\s*[)\]}】〕》]*$",
    re.IGNORECASE,
)
_GRID_ZONE = re.compile(r"^4[5-9]\s?[NRQ]\s*[,;]?\s+(?=\d)", re.IGNORECASE)  # 48R 0661234 3183456


def parse(cells: Iterable[object]) -> tuple[Floats, Bools]:
    """Read cells as numbers of degrees or metres.

    Parameters
    ----------
    cells
        Text or numbers; blanks are missing.

    Returns
    -------
    numpy.ndarray, numpy.ndarray
        The numbers, NaN where there is none; and where the cell was written in degrees, minutes and seconds.
        A decimal comma is read as a point: the list of repairs tells it.
    """
    series = pd.Series(cells if isinstance(cells, pd.Series) else list(cells))
    if pd.api.types.is_numeric_dtype(series):
        return series.to_numpy(dtype=np.float64, na_value=np.nan), np.zeros(len(series), dtype=bool)
    try:  # nearly always all are plain numbers: Arrow reads them without a Python object for each
        plain = pa.array(series, type=pa.large_string(), from_pandas=True).cast(pa.float64())
    except pa.ArrowInvalid:
        pass
    else:
        values: Floats = plain.to_numpy(zero_copy_only=False).astype(np.float64)
        values[~np.isfinite(values)] = np.nan
        return values, np.zeros(len(values), dtype=bool)
    text = series.astype("str").str.strip()
    numbers = (
        pd.to_numeric(text.where(text.str.fullmatch(_PLAIN.pattern)), errors="coerce")
        .to_numpy(dtype=np.float64, na_value=np.nan)
        .copy()
    )
    marked = np.zeros(len(text), dtype=bool)
    for place in np.flatnonzero(np.isnan(numbers) & text.notna().to_numpy()).tolist():
        numbers[place], marked[place] = _number(str(text.iat[place]))
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers, marked


def _number(text: str) -> tuple[float, bool]:
    text = unicodedata.normalize("NFKC", seen(text[:60])).replace("＇", "'").strip()
    if _PLAIN.fullmatch(text):
        return float(text), False
    if _DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(",", ".")), False
    if found := _DMS.fullmatch(text):
        before, degrees, minutes, seconds, after = found.groups()
        if float(minutes) >= 60 or float(seconds or 0) >= 60:
            return float("nan"), True
        value = float(degrees) + float(minutes) / 60 + float(seconds or 0) / 3600
        return value * _side(before + after), True
    if found := _DEGREES.fullmatch(text):
        return float(found[2]) * _side(found[1] + found[3]), False
    return float("nan"), False


def _side(letters: str) -> int:
    return -1 if set(letters.upper()) & set("SW西南") else 1


def split(cells: pd.Series[str]) -> tuple[pd.Series[str], pd.Series[str]]:
    """Part cells that hold both coordinates (``106.65,28.88``) into two columns of text.

    In their order, unless the cell says which is which (``N28.88 E106.65``): then longitude first. What holds several
    points, or none, stands whole in both.
    """
    found = cells.str.extract(_PLAINLY)
    rest = found[0].isna() & cells.notna()
    if not rest.any():
        return found[0].astype("str"), found[1].astype("str")
    parts = [_parted_or_whole(one) for one in cells[rest].tolist()]
    first, second = (
        pd.Series(side, index=cells.index[rest], dtype="str") for side in zip(*parts, strict=True)
    )
    return found[0].fillna(first).astype("str"), found[1].fillna(second).astype("str")


#: What no coordinate holds: there are several points in the cell, or something else, an address of the web.
_STRAY = re.compile(r"[()\[\]{}/?=]|[A-Za-z]{4,}|\.\d+\D+\d+\.\d")


def _parted_or_whole(cell: str) -> tuple[str | None, str | None]:
    """Part a cell; one that holds something else stays whole on both sides, for people to know it again."""
    parts = _parted(cell)
    return (cell, cell) if any(_STRAY.search(one) for one in parts if one) else parts


def _parted(cell: str) -> tuple[str | None, str | None]:
    text = _AROUND.sub("", unicodedata.normalize("NFKC", cell[:120]).strip())
    text = _GRID_ZONE.sub("", text)
    named = list(_NAMED.finditer(text))
    if len(named) == 2 and not text[: named[0].start()].strip():
        first, second = text[named[0].end() : named[1].start()], text[named[1].end() :]
        if bool(named[0]["lon"]) != bool(named[1]["lon"]):
            return (first.strip(), second.strip()) if named[0]["lon"] else (second.strip(), first.strip())
    if sided := _SIDED.fullmatch(text):
        first, second = sided[1].strip(), sided[3][:-1].strip()
        return (first, second) if sided[2] else (second, first)
    for between in _BETWEEN:
        both = between.split(text, maxsplit=1)
        if len(both) > 1:
            return both[0].strip() or None, both[1].strip() or None
    return text or None, None


def holds_both(cell: str, *, plainly: bool) -> bool:
    """Tell whether a cell holds two coordinates.

    Parameters
    ----------
    cell
        Its text.
    plainly
        Whether nothing but the text tells: then two small whole numbers are not enough.
    """
    if sum(letter.isdecimal() for letter in cell[:120]) < 4:
        return False
    parts = _parted(cell)
    if None in parts:
        return False
    (one, marked), (other, marked_too) = (_number(str(part)) for part in parts)
    small = abs(one) <= 180
    if not np.isfinite([one, other]).all() or small != (abs(other) <= 180):
        return False
    if not plainly or (marked and marked_too):
        return True
    if not small:
        return min(abs(one), abs(other)) > 1e5
    fine = all(re.search(r"\.\d{3}|\d°|\d度", str(one)) for one in parts)
    return fine or bool(_NAMED.match(cell) or re.search(r"\.\d+°?\s*[NSEW]", cell))
