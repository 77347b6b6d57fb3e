"""What words say of a datum: 高德 is GCJ-02, 百度 is BD-09, 国家2000 is CGCS2000; of metres, which projection."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pyproj import CRS
from pyproj.exceptions import CRSError

from qjmap.datum import BD09, GCJ02, WGS84

CGCS, XIAN80, BEIJING54, LOCAL, UTM, GAUSS = "cgcs2000", "xian80", "bj54", "local", "utm", "gauss"

NAMES = {
    WGS84: "WGS-84",
    CGCS: "CGCS2000",
    GCJ02: "GCJ-02(高德、腾讯)",
    BD09: "BD-09(百度)",
    XIAN80: "西安80",
    BEIJING54: "北京54",
    LOCAL: "地方独立坐标系",
    UTM: "UTM 投影",
    GAUSS: "高斯投影(3度带、6度带)",
}
"""What a datum or a projection is called on screen."""

OLD = (XIAN80, BEIJING54, LOCAL)
"""Datums for which there is no public way to the others in this part of the country."""

# 高德地图, 高德坐标, 高德经度, 台账_高德: not 高德花园, not 百度网盘
_MAP = r"(?=地图|坐标|拾取|[经纬东北横纵标定导采点版系转查获取量测抓和或与数的]|[^一-鿿]|$)"
_WORDS = {
    GCJ02: rf"gcj\s?-?\s?(?:02)?|(?:高德|腾讯){_MAP}|火星(?=坐标|[^一-鿿]|[经纬]|$)|国测局"
    r"|微信定位|钉钉|amap|autonavi",
    BD09: r"(?<![a-z])bd\s?-?\s?09|(?<![a-z])bd(?![a-z])|(?<![a-z])bd(?=lng|lon|lat)"
    rf"|百度{_MAP}|baidu",
    WGS84: r"wgs\s?-?\s?(?:19)?84|(?<![a-z])wgs(?![a-z])|(?<![a-z])wgs(?=lng|lon|lat)|谷歌地球|google\s?earth"
    r"|手持\s?gps|gps\s?手持",
    CGCS: r"cgcs\s?-?\s?(?:2000)?|国家\s?2000|大地\s?2000|2000\s?(?:国家|大地|坐标)|国家大地坐标系|天地图|tianditu"
    r"|(?<![a-z])rtk(?![a-z])|(?<![a-z])cors(?![a-z])",
    XIAN80: r"西安\s?-?\s?(?:19)?80|(?<!\d)(?:19)?80\s?坐标|国家\s?80|"
    r"(?:19)?80\s?年?\s?西安|xi\s?'?an\s?-?_?\s?(?:19)?80",
    BEIJING54: r"北京\s?-?\s?(?:19)?54|(?<!\d)(?:19)?54\s?坐标|"
    r"(?:19)?54\s?年?\s?北京|beijing\s?-?_?\s?(?:19)?54|bj\s?-?54",
    LOCAL: r"(?:独立|地方|城市|相对|假定|任意)\s?(?:平面)?\s?坐标|重庆(?:市)?\s?坐标",
    UTM: r"(?<![a-z])utm(?![a-z])|(?<![\da-z])4[5-9]\s?[nrq](?![a-z\d])|通用横轴",
    GAUSS: r"高斯|gauss|(?:三|六|[36])\s?度\s?分?带|中央(?:子午线|经线)|带号",
}
_WORD = re.compile("|".join(f"(?P<{key}>{words})" for key, words in _WORDS.items()), re.IGNORECASE)
_MERIDIAN = re.compile(
    r"(?:中央(?:子午线|经线)|(?<![a-z])cm)[为::\s]*e?(\d{2,3})(?:\s*[°度](?!带)|(?![\d.]))"
)
_ZONE = re.compile(r"(?:带号?[为::\s]*|第\s*)(\d{2})(?:\s*带|(?!\d))")
_EPSG = re.compile(r"epsg[\s::]*(\d{4,5})", re.IGNORECASE)
_UNSURE = re.compile(r"转|换算|改为|→|=>|->|不是|并非|非|不得|勿|不要|其他坐标系|或者?(?!许)")
"""A sentence with one of these may say what the coordinates were, shall be, or are not."""


@dataclass(frozen=True)
class Said:
    """What one text says of coordinates.

    Parameters
    ----------
    key
        A datum or projection, as in `NAMES`; blank where the text does not say plainly which.
    word
        The words that say it.
    where
        In which text, for people: 列名“高德经度”.
    near
        Whether the text stands at the coordinates themselves, and not somewhere in the file.
    meridian
        The central meridian in degrees that it names, or None.
    """

    key: str
    word: str
    where: str
    near: bool
    meridian: float | None = None


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[tuple[str, str], ...]:
    """Give the datums and projections that a text names: key and word, each key once."""
    folded = _folded(text)
    found = {str(one.lastgroup): one[0].strip() for one in reversed(list(_WORD.finditer(folded)))}
    for code in _EPSG.finditer(folded):
        found |= dict.fromkeys(_of_code(int(code[1]))[0], code[0])
    if {WGS84, CGCS} <= found.keys():  # as degrees they are the same
        del found[CGCS]
    return tuple(found.items())


def datum_of(text: str) -> str | None:
    """Give the one datum that a cell or a header names; None where it names none or several."""
    keys = {WGS84 if key == CGCS else key for key, _ in words(text) if key not in (UTM, GAUSS)}
    return keys.pop() if len(keys) == 1 else None


def hear(text: str, where: str, *, near: bool) -> Iterator[Said]:
    """Yield what a text says of coordinates; nothing when it does not speak of them."""
    found = words(text)
    if not found:
        return
    folded = _folded(text)
    datums = [key for key, _ in found if key not in (UTM, GAUSS)]
    if len(datums) > 1 or (not near and _UNSURE.search(folded)):
        yield Said("", "、".join(word for _, word in found), where, near)
        return
    meridian = _meridian(folded)
    for key, word in found:
        yield Said(key, word, where, near, meridian)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text[:300]).replace("_", " ")


def _meridian(folded: str) -> float | None:
    for code in _EPSG.finditer(folded):
        if (own := _of_code(int(code[1]))[1]) is not None:
            return own
    if said := _MERIDIAN.search(folded):
        return float(said[1])
    if GAUSS in dict(words(folded)) and (said := _ZONE.search(folded)):
        number = int(said[1])
        return number * 3.0 if number > 23 else number * 6.0 - 3.0  # in China the two never meet
    return None


@lru_cache(maxsize=64)
def _of_code(code: int) -> tuple[tuple[str, ...], float | None]:
    """Say what an EPSG code names: keys, and the central meridian of a projection."""
    try:
        crs = CRS.from_epsg(code)
    except CRSError:
        return (), None
    name = crs.name.lower()
    keys = {"wgs 84": WGS84, "2000": CGCS, "xian 1980": XIAN80, "beijing 1954": BEIJING54}
    own = next((key for word, key in keys.items() if word in name), "")
    if not crs.is_projected or crs.coordinate_operation is None:
        return (own,) if own else (), None
    said = {one.name: one.value for one in crs.coordinate_operation.params}
    meridian = said.get("Longitude of natural origin")
    way = UTM if "utm" in name else GAUSS
    return tuple(one for one in (own, way) if one), None if meridian is None else float(meridian)
