"""Units as people write them: what they measure, what one is in another, and whether a word is one at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# How many of the dimension's own unit a word stands for: metres, square metres, cubic metres (a tonne or a litre of
# water is one, too), megapascals, 万元, seconds. A word may measure two things: 公斤 on a gauge is 公斤力/平方厘米.
_WORDS: dict[str, dict[str, float]] = {
    "length": {
        **dict.fromkeys(("毫米", "mm", "dn", "φ", "ø", "⌀", "∅"), 0.001),
        **dict.fromkeys(("厘米", "公分", "cm"), 0.01),
        **dict.fromkeys(("分米", "dm"), 0.1),
        **dict.fromkeys(("米", "公尺", "m"), 1.0),
        **dict.fromkeys(("千米", "公里", "km"), 1000.0),
    },
    "area": {
        **dict.fromkeys(("平方米", "平米", "m2", "m^2"), 1.0),
        **dict.fromkeys(("公顷", "ha", "hm2", "hm^2"), 1e4),
        "亩": 2000 / 3,
        **dict.fromkeys(("平方千米", "平方公里", "km2", "km^2"), 1e6),
    },
    "volume": {
        **dict.fromkeys(("毫升", "ml"), 1e-6),
        **dict.fromkeys(("升", "公升", "l", "千克", "公斤", "kg"), 0.001),
        **dict.fromkeys(("立方米", "立方", "立米", "方", "m3", "m^3", "吨", "公吨", "t"), 1.0),
    },
    "pressure": {
        **dict.fromkeys(("帕", "pa"), 1e-6),
        **dict.fromkeys(("千帕", "kpa"), 0.001),
        **dict.fromkeys(("兆帕", "mpa"), 1.0),
        **dict.fromkeys(("巴", "bar"), 0.1),
        **dict.fromkeys(("毫巴", "mbar"), 1e-4),
        **dict.fromkeys(
            ("公斤", "公斤力", "千克力", "kg", "kgf", "公斤/平方厘米", "公斤力/平方厘米", "千克力/平方厘米",
             "公斤/cm2", "kg/cm2", "kg/cm^2", "kgf/cm2", "kgf/cm^2", "at"),
            0.0980665,
        ),
        **dict.fromkeys(("米水柱", "m水柱", "mh2o", "mwc", "米水头"), 0.00980665),
        **dict.fromkeys(("大气压", "标准大气压", "atm"), 0.101325),
        "psi": 0.00689476,
    },
    "money": {"元": 1e-4},
    "time": {
        **dict.fromkeys(("秒", "秒钟", "s", "sec"), 1.0),
        **dict.fromkeys(("分", "分钟", "min"), 60.0),
        **dict.fromkeys(("时", "小时", "h", "hr"), 3600.0),
        **dict.fromkeys(("天", "日", "昼夜", "d"), 86400.0),
    },
}  # fmt: skip
_SCALES = {
    "万亿": 1e12, "千万": 1e7, "百万": 1e6, "十万": 1e5, "亿": 1e8, "万": 1e4, "千": 1e3, "百": 1e2, "十": 10.0,
}  # fmt: skip

_COUNTS: dict[str, tuple[str, ...]] = {
    "层": ("f", "楼", "层楼"),
    "辆": ("台", "部", "个"),
    "张": ("床", "张床", "床位", "个"),
    "人": ("名", "位", "个", "口"),
    "户": ("家",),
    "处": ("个", "项", "起", "条", "件"),
    "个": ("处",),
    "条": ("个", "道", "车道"),
}
"""Other words by which the same things are counted."""

_STRANGE = frozenset(
    re.findall(
        "[^,]+",
        "寸,英寸,吋,尺,英尺,丈,里,华里,海里,英里,顷,斤,磅,加仑,桶,车,罐,瓶,斗,度,℃,摄氏度,伏,安,瓦,千瓦,"
        "人次,人年,人日,床日,台班,栋,幢,座,所,支,队,套,只,根,片,块,次,年,月,周,季度,等级,级,"
        "%,‰,百分比,百分点,比例,比率,指数",
    )
)
"""Words that measure or count, but nothing that a register holds: under a number they must be asked about."""

NAMED: dict[str, tuple[str, ...]] = {
    "length": ("毫米", "厘米", "米", "千米"),
    "area": ("平方千米", "平方米", "公顷", "亩"),
    "volume": ("升", "立方米", "万立方米", "亿立方米"),
    "pressure": ("千帕", "公斤/平方厘米", "巴", "米水柱", "兆帕"),
    "flow": ("立方米/小时", "升/分", "立方米/分", "立方米/秒", "升/秒"),
    "money": ("元", "万元", "亿元"),
}
"""The units that are named to people, one for each size; those for which one is mistaken most come first."""

_LATIN = re.compile(r"[a-z%‰°℃µμφ][a-z0-9%‰°℃µμ/^.*·\-]*")
_POWER = re.compile(r"[x×*]?10\^?([1-9])(?=[^\d.])(.+)")
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def fold(text: str) -> str:
    """Write a unit in one way: half-width, lower case, 升每秒 as 升/秒, m³·s⁻¹ as m3/s."""
    text = re.sub(r"10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda found: "10^" + found[1].translate(_SUPERSCRIPT), text)
    text = unicodedata.normalize("NFKC", text.translate(_SUPERSCRIPT)).lower()
    text = re.sub(r"\s", "", text).replace("每", "/").replace("\\", "/")
    text = re.sub("^单位[::为]?", "", text)
    return re.sub(r"[·.*]?(s|min|h|d)\^?-1$", r"/\1", text)


def _scaled(text: str) -> Iterator[tuple[float, str]]:
    """Part a folded unit into a number and what is counted by it: 万方, 10^4m3, 百万立方米."""
    yield 1.0, text
    power = _POWER.fullmatch(text)
    if power:
        yield 10.0 ** int(power[1]), power[2]
    for word, times in _SCALES.items():
        if text.startswith(word):
            yield times, text.removeprefix(word)
            return


def _sizes(text: str) -> dict[str, float]:
    """Say what a folded unit measures, and how many of the dimension's own unit it is."""
    for times, rest in _scaled(text):
        found = {kind: words[rest] * times for kind, words in _WORDS.items() if rest in words}
        if found:
            return found
    above, stroke, below = text.partition("/")
    volume, time = _sizes(above).get("volume") if stroke else None, _WORDS["time"].get(below)
    return {"flow": volume / time} if volume and time else {}


def factor(found: str, wanted: str) -> float | None:
    """Give what a number in one unit is multiplied by to be in another; None when they do not measure the same."""
    found, wanted = fold(found), fold(wanted)
    if found == wanted:
        return 1.0
    size, own = _sizes(found), _sizes(wanted)
    for kind in own:
        if kind in size:
            return size[kind] / own[kind]
    base = next((times for times, rest in _scaled(wanted) if rest != wanted), 1.0)
    for times, rest in _scaled(found):
        if rest in (wanted, *_COUNTS.get(wanted, ())) or (not rest and wanted):  # 万人, or 万 alone
            return times if rest else times / base
    return None


def other_units(wanted: str) -> list[tuple[str, float]]:
    """Name the units for which one is mistaken, and what a number in them is multiplied by; one name for each."""
    own = _sizes(fold(wanted))
    named = [one for kind in own for one in NAMED.get(kind, ())] or ([f"万{wanted}"] if wanted else [])
    pairs = ((name, factor(name, wanted)) for name in named)
    return [(name, times) for name, times in pairs if times is not None and times != 1]


def is_unit(text: str) -> bool:
    """Say whether a word in a header is a unit, known or not: it stands for what is counted, not for what it is."""
    text = fold(text)
    above, stroke, below = text.partition("/")
    return bool(
        known(text)
        or text in _STRANGE
        or any(rest in _STRANGE for _, rest in _scaled(text))
        or (stroke and (known(above) or known(below) or above in _STRANGE or below in _STRANGE))
        or _LATIN.fullmatch(text)
    )


def measures(unit: str) -> bool:
    """Say whether a unit measures something, rather than counts it."""
    return bool(_sizes(fold(unit)))


def known(text: str) -> bool:
    """Say whether a word is a unit that is known: of length, of volume, of counting …"""
    text = fold(text)
    counted = {*_COUNTS, *(one for many in _COUNTS.values() for one in many)}
    return bool(_sizes(text)) or any(rest in counted or (not rest and text) for _, rest in _scaled(text))


_LONG = sorted(
    (word for words in _WORDS.values() for word in words if len(word) > 1 and not word.isascii()),
    key=len,
    reverse=True,
)
_SCALE = f"(?:[x×*]?10\\^?[1-9]|{'|'.join(_SCALES)})?"
_TAIL = re.compile(
    rf"(?<=[一-鿿)\]_ ,:/])({_SCALE}(?:[a-zµμ%‰φ][a-z0-9µμ%‰/^·*]*"
    rf"|(?:{'|'.join(_LONG)}|[升方吨](?=[/每]))(?:[/每](?:{'|'.join(_WORDS['time'])}))?"
    rf"|(?<=[十百千万亿])[方元人户吨亩]|(?<=/).{{1,4}}))$"
)


def tail(name: str) -> str:
    """Give the unit that stands without brackets at the end of a header: 流量L/min, 总库容万m³, 高度/米."""
    # the signs of a power are one letter each, before and after: places in the text stay what they were
    text = name.lower().translate(_SUPERSCRIPT)
    found = _TAIL.search(text)
    if found is None or not is_unit(found[1]):
        return ""
    return name[found.start(1) :]
