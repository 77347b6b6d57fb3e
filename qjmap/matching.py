"""Columns of somebody's file matched to a layer's: by name, by synonym, by what stands in them."""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from qjmap import _axes, _lonlat, _units, spoken
from qjmap._units import is_unit
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
_WKT = re.compile(r"\s*(?:SRID=\d+;)?\s*(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\b", re.IGNORECASE)
_SAMPLE = 500
_SHARE = 0.8
_LIKE = 0.75
_LONGEST = 200  # letters of a header: what is longer is no name
_COUNT = re.compile(".*(?:数量|个数)")
_NUMBERS = ("integer", "number")

# A number under a wrong name is believed: what the name of its column says besides the register's own word must be
# one of these, which change nothing. 已整改隐患数 is no 隐患数, 2024年编制床位 no 2020年编制床位.
_BEFORE = ("总", "共", "合计", "共有", "全部")
_BEHIND = (
    "总人数", "人数", "台数", "辆数", "张数", "总数", "总量", "总计", "合计", "数量", "个数", "数目", "数值",
    "数", "量", "值",
)  # fmt: skip
_IDLE = (
    "",
    "必填",
    "选填",
    "可空",
    "数字",
    "整数",
    "小数",
    "填数字",
    "阿拉伯数字",
    "半角",
    *_BEFORE,
    *_BEHIND,
)
_YES_NO = frozenset({"是", "否", "有", "无", "未知", ""})
_ASKED = re.compile(
    r"^(?:是否(?:设有|设置|配备|建有|已?建|有|是|为)?|有无|设有|有没有)|(?:情况|与否|设置情况)$"
)
"""Words round the name of a question that change nothing: 是否有发热门诊 is 发热门诊."""
_WHOLE = ("总", "合计")
"""Of several columns one that says so is the sum of the others."""

_OTHER = (
    "其中", "已", "未", "拟", "开放", "计划", "空置", "裙房", "地下", "死库容", "兴利", "调洪", "防洪", "新增", "新建",
    "减少", "负压", "在编", "注册", "每", "平均", "人均", "户均", "占比", "比例", "最低", "最小",
)  # fmt: skip
"""Words of a part or of another thing: a column called so is not even proposed, unless the register's is, too."""


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
    headers = {name: _read(name) for name in source.table.frame.columns if name != source.folders}
    if "lon" in spec.columns:  # two of one place, before each by itself
        _take(_by_pair(source.table.frame, spec), spec, found, taken)
    _take(_by_name(headers, spec), spec, found, taken)
    samples = {name: _sample(source.table.frame[name]) for name in headers if name not in taken}
    if "lon" in spec.columns and "lon" not in found and "lat" not in found:
        _pairs(headers, samples, found, taken)  # before likeness: 经纬度 is like 经度
    _take(_by_likeness(headers, spec, samples), spec, found, taken)
    samples = {name: cells for name, cells in samples.items() if name not in taken}
    offers = [*_by_content(samples, spec, towns, found)]
    if source.folders:  # the towns in their names are offered as a repair: `qjmap._towns.by_sheet`
        kinds = {source.folders: _sample(source.table.frame[source.folders])}
        offers += _by_content(kinds, spec, (), found)
    _take(iter(offers), spec, found, taken)
    for key, other in (("lon", "lat"), ("lat", "lon")):
        if key in found and found[key].why == CONTENT and other not in found:
            del found[key]  # half a place is none
    _units_above(source, spec, found)
    if (
        "position" in found
        and _share(_sample(source.table.frame[found["position"].column]), _is_datum) >= _SHARE
    ):
        del found["position"]  # 坐标来源:高德 says what the coordinates are, not how they were found
    if {"lon", "lat"} <= found.keys() and _axes.apart(found["lon"].column, found["lat"].column, headers):
        del found["lon"], found["lat"]  # 经度 and 百度纬度 lie hundreds of metres apart: a person must choose
    return {key: found[key] for key in (*spec.columns, ADDRESS) if key in found}


def chosen(matches: Mapping[str, Match], choices: Mapping[str, str | None]) -> dict[str, Match]:
    """Change matches as a person says: register's key → the file's column, None for none."""
    changed = {key: one for key, one in matches.items() if key not in choices}
    return changed | {
        # the very key of a column is no name with a unit behind: capacity_wan_m3
        key: Match(column, 1.0, PERSON, "" if column.lower() == key else unit_of(column))
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
    """Name the numbers and questions of a layer that a column may be, where its header says too little or too much.

    床位, of which year? 消防设施流量, is that 流量? The program does not choose for a person: a number is believed, and
    so is a yes or a no.

    Returns
    -------
    list of str
        Labels of columns that have no match yet; none for a header of a single character, one that is like none, or one
        that says to be a part or another year.
    """
    said = _read(header)
    stem = re.sub("(?:总数|数量|数)$", "", said.plain)
    open_ = [one for key, one in spec.columns.items() if key not in matches]
    left = [one for one in open_ if one.type in _NUMBERS or _is_question(one)]
    within = (
        [one.label for one in left if stem in one.label and one.type in _NUMBERS] if len(stem) > 1 else []
    )
    if len(within) > 1:
        return within
    return [column.label for column in left if _may_be(said, column)]


def _may_be(said: _Header, column: Column) -> bool:
    """Say whether a number is like enough to be proposed: the same year, and no word of a part."""
    words = [word for word, _, _ in _names(column) if len(word) > 1 and not word.isascii()]
    text = said.name + "".join(one for one in said.inside if "或" not in one)  # 层数(地上/地下)
    if any(one in text and not any(one in word for word in words) for one in _OTHER):
        return False
    years, own = (set(re.findall(r"(?:19|20)\d\d", one)) for one in (text, column.label))
    if own and years != own:
        return False
    return any(_near(said.name, word) for word in words) or any(said.name.endswith(word) for word in words)


def unit_of(header: str) -> str:
    """Give the unit that a header says, in brackets, after a stroke or at its end: 高度(m), 高度/米, 流量L/min."""
    return _read(header).unit


@dataclass(frozen=True)
class _Header:
    """A header in its parts, folded.

    `plain` is what stands outside brackets, `name` the same without a unit at its end, `inside` what stands in brackets
    and is no unit, `whole` all but brackets that hold only a unit.
    """

    plain: str
    name: str
    inside: tuple[str, ...]
    whole: str
    unit: str


@functools.lru_cache(maxsize=1024)
def _read(header: str) -> _Header:
    if len(header) > _LONGEST:
        return _Header("", "", (), "", "")
    text = unicodedata.normalize("NFKC", header).strip()
    inside: list[str] = []
    units: dict[str, str] = {}

    def part(found: re.Match[str]) -> str:
        own = []
        for word in re.split("[,、;]", found[1]):
            word = re.sub("^单位:?", "", word.strip())
            if is_unit(word):
                units.setdefault(_units.fold(word), word)
            elif word:
                own.append(word.replace("/", "或"))
        inside.extend(_tight(one) for one in own)
        return f"({''.join(own)})" if own else ""

    whole = _BRACKETS.sub(part, text)
    outside = _BRACKETS.sub("", text).strip()
    last = _units.tail(outside)
    if last:
        units.setdefault(_units.fold(last), last)
    name = _tight(outside.removesuffix(last))
    return _Header(_plain(header), name, tuple(inside), _tight(whole), "、".join(units.values()))


def _tight(text: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).lower())


def _plain(header: str) -> str:
    """Give a name without what people put round it: units, stars, blanks, the width of letters."""
    text = unicodedata.normalize("NFKC", header)
    return _tight(_BRACKETS.sub("", text)) or _tight(text)


def _names(column: Column) -> Iterator[tuple[str, float, str]]:
    yield column.key.lower(), 1.0, NAME
    yield _tight(column.label), 1.0, NAME
    if column.type not in _NUMBERS:  # 2025年规划床位(征求意见稿) is not 2025年规划床位
        yield _plain(column.label), 0.98, NAME
    for word in column.synonyms:
        yield _plain(word), 0.95, SYNONYM


def _is_datum(text: str) -> bool:
    return spoken.datum_of(text) is not None


def _by_pair(frame: pd.DataFrame, spec: LayerSpec) -> Iterator[Offer]:
    """Offer the two columns of coordinates that belong together: 百度经度 with 百度纬度, never with 纬度."""
    both = _axes.pair(frame)
    for key, column in (("lon", both.lon), ("lat", both.lat)) if both is not None else ():
        sure = (0.95, SYNONYM) if _axes.sure(column) else (0.8, NAME)
        own = [
            (confidence, why) for word, confidence, why in _names(spec.columns[key]) if word == _tight(column)
        ]
        confidence, why = own[0] if own else sure
        yield confidence, key, column, why, 0, ""


def _units_above(source: Source, spec: LayerSpec, found: dict[str, Match]) -> None:
    """Give numbers whose header says no unit the one that stands above all headers: 单位:万元.

    It is not said of which columns: of those in which a number is usual so, and not as it stands. Where both may be, or
    nothing is known to be usual, it is given beside the column's own, which nobody can convert: a person is asked.
    """
    units = units_said(source.above)
    for key, match in found.items() if units else ():
        column = spec.columns.get(key)
        if column is None or column.type not in _NUMBERS or match.unit or match.column.lower() == key:
            continue
        ways = {times: one for one in units if (times := _units.factor(one, column.unit)) is not None}
        if not ways.keys() - {1.0}:
            continue
        ways = ways | {1.0: ""}
        likely = [times for times in ways if _usual(source.table.frame[match.column], column, times)]
        either = "或".join([column.unit, *filter(None, (ways[times] for times in likely or ways))])
        found[key] = replace(match, unit=ways[likely[0]] if len(likely) == 1 else either)


def units_said(above: Sequence[str]) -> list[str]:
    """Give the units that are named above a table: 单位:万元."""
    said = [unicodedata.normalize("NFKC", text).partition("单位")[2] for text in above]
    return [one for text in said for one in re.split(r"[、,;:()\s]+", text) if one and _units.known(one)]


def _usual(cells: pd.Series, column: Column, times: float) -> bool:
    """Say whether most numbers of a column would be usual in a unit; where none is known to be, no."""
    if column.usual is None:
        return False
    low, high = column.usual
    numbers = pd.to_numeric(pd.Series(_sample(cells)).str.replace(",", ""), errors="coerce").dropna() * times
    return bool(len(numbers)) and bool(numbers.between(low, high).mean() >= _SHARE)


Offer = tuple[float, str, str, str, int, str]  # confidence, key, column of the file, why, place, unit


def _by_name(headers: Mapping[str, _Header], spec: LayerSpec) -> Iterator[Offer]:
    for name, said in headers.items():
        whole = _tight(name[:_LONGEST])
        for key, column in spec.columns.items():
            number = column.type in _NUMBERS
            called = _called(said, column) if number else {said.plain}
            for place, (word, confidence, why) in enumerate(_names(column)):
                if word in (whole, name.lower()):  # what looks like a unit may be part of the name
                    yield confidence, key, name, why, place, ""
                elif word in called or (number and _bare(word) in called):
                    # a unit is no part of the name; other words in brackets may be
                    less = 0.0 if number and not said.inside else 0.01
                    yield confidence - less, key, name, why, place, said.unit
        if spec.placed and not spec.shaped and said.plain in ADDRESSES:
            yield 0.95, ADDRESS, name, SYNONYM, 0, ""


def _bare(word: str) -> str:
    return re.sub(r"[()\[\]]", "", word)


def _called(said: _Header, column: Column) -> set[str]:
    """Give the names that a number's header may be read as; what it says in brackets is part of them: 层数(地下)."""
    more = "".join(said.inside)
    known = {*_IDLE, *(word for word, _, _ in _names(column))}
    idle = all(one in known or one.isdecimal() for one in said.inside)  # 口径(公称直径), 流量(1)
    return {said.name + more, more + said.name} | ({said.name} if idle else set())


def _is_question(column: Column) -> bool:
    """Say whether a column holds yes or no: what stands there says nothing of what was asked."""
    return column.type == "boolean" or (bool(column.values) and set(column.values) <= _YES_NO)


def _by_likeness(
    headers: Mapping[str, _Header], spec: LayerSpec, samples: Mapping[str, list[str]]
) -> Iterator[Offer]:
    """Offer names that are nearly right, or that hold the right one: 消火栓名称, 所属街镇名.

    Numbers and questions must be called so but for words that change nothing; what holds only numbers is of no kind.
    """
    numeric = {name for name, cells in samples.items() if cells and all(map(_is_number, cells))}
    for name, said in headers.items():
        for key, column in spec.columns.items():
            if column.type in _NUMBERS:
                if confidence := _alike(said, column, spec):
                    yield confidence, key, name, NAME, 0, said.unit
                continue
            if column.values and name in numeric and not set(samples[name]) <= set(column.values):
                continue
            if _is_question(column):
                asked = _ASKED.sub("", said.plain)
                if asked != said.plain and any(word == asked for word, _, _ in _names(column)):
                    yield 0.9, key, name, NAME, 0, ""
                continue
            if column.type in _axes.OF and _axes.of(name) != _axes.OF[column.type]:
                continue  # 坐标 is neither of the two
            words = {word for word, _, _ in _names(column) if len(word) >= 2}
            near = max((_near(said.plain, word) for word in words), default=0.0)
            ends = any(said.plain.endswith(word) for word in words if not word.isascii())
            likeness = max(near, 0.7 if ends else 0.0)
            if likeness:
                yield min(0.9, likeness * 0.9), key, name, NAME, 0, ""
        if spec.placed and not spec.shaped and _ADDRESS.fullmatch(said.plain):
            yield 0.65, ADDRESS, name, NAME, 0, ""


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?\d+(?:[.,]\d+)?", text))


def _near(one: str, other: str) -> float:
    """Say how like two names are; 0 below `_LIKE`. Names of very different length are not held against each other."""
    if 2 * min(len(one), len(other)) < _LIKE * (len(one) + len(other)):
        return 0.0
    ratio = difflib.SequenceMatcher(None, one, other).ratio()
    return ratio if ratio >= _LIKE else 0.0


def _alike(said: _Header, column: Column, spec: LayerSpec) -> float:
    """Say how sure it is that a number's header is a column's name but for words that change nothing; else 0."""
    # how many there are of a thing is no measure of it
    if _COUNT.fullmatch(said.name) and _units.measures(column.unit):
        return 0.0
    called = {_core(one, spec) for one in _called(said, column)} - {""}
    if not any(_core(_bare(word), spec) in called for word, _, _ in _names(column)):
        return 0.0
    return 0.91 if any(one in said.name for one in _WHOLE) else 0.9


def _core(name: str, spec: LayerSpec) -> str:
    """Strip a number's name of words that change nothing, and of the layer's own: 消火栓流量值 is 流量."""
    name = re.sub(r"((?:19|20)\d\d)年(?:末|底|度)?", r"\1", name)
    name = re.sub(r"(.+)((?:19|20)\d\d)", r"\2\1", name)  # 床位 over 2025年 is 2025年床位
    for own in (spec.label, spec.label.removeprefix("高层"), *_BEFORE):
        name = name.removeprefix(own)
    for own in _BEHIND:
        if name.endswith(own) and len(name) - len(own) > 1:
            return name.removesuffix(own)
    return name


def _take(offers: Iterator[Offer], spec: LayerSpec, found: dict[str, Match], taken: set[str]) -> None:
    """Take the best offers first; the order of the register and then of its names decides between equals."""
    order = {key: place for place, key in enumerate((*spec.columns, ADDRESS))}
    for confidence, key, name, why, _, unit in sorted(
        offers, key=lambda one: (-one[0], order[one[1]], one[4])
    ):
        if key not in found and name not in taken:
            found[key] = Match(name, round(confidence, 2), why, unit)
            taken.add(name)


# ---- by content ------------------------------------------------------------------------------------


def _sample(cells: pd.Series[str]) -> list[str]:
    known = cells.dropna()
    step = max(1, len(known) // _SAMPLE)
    return [unicodedata.normalize("NFKC", str(one)).strip() for one in known.iloc[::step]]


def _share(cells: Sequence[str], right: Callable[[str], bool]) -> float:
    return sum(map(right, cells)) / len(cells) if cells else 0.0


def _pairs(
    headers: Mapping[str, _Header],
    samples: Mapping[str, list[str]],
    found: dict[str, Match],
    taken: set[str],
) -> None:
    """Find longitude and latitude that stand in one cell."""
    for name, cells in samples.items():
        called = headers[name].plain in PAIRS or headers[name].name in PAIRS
        share = _share(cells, functools.partial(_lonlat.holds_both, plainly=not called))
        if share >= _SHARE or (called and share > 0):
            why = SYNONYM if called else CONTENT
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
                yield 0.6 + 0.1 * share, key, name, CONTENT, 0, ""
        if towns and _share(cells, stems.__contains__) >= _SHARE:
            yield 0.75, "town", name, CONTENT, 0, ""
        if spec.shaped and _share(cells, lambda text: bool(_WKT.match(text))) >= _SHARE:
            yield 0.75, "geometry", name, CONTENT, 0, ""
        if "lon" in spec.columns and len(distinct) * 2 >= len(cells) and _share(cells, _fine) >= 0.5:
            yield from _degrees(cells, name)


def _fine(text: str) -> bool:
    """Tell whether a number has as many decimals as a place wants: beds for a thousand people have fewer."""
    return bool(re.fullmatch(r"\d{1,3}\.\d{4,}", text))


def _degrees(cells: Sequence[str], name: str) -> Iterator[Offer]:
    """Offer a column of decimal degrees in China as longitude or latitude."""
    numbers = pd.to_numeric(pd.Series(cells, dtype="str"), errors="coerce").to_numpy(dtype=np.float64)
    numbers = np.where(np.abs(numbers) <= 180, numbers, np.nan)
    broken = np.mod(numbers, 1) != 0
    for key, low, high in (("lon", 73.0, 136.0), ("lat", 3.0, 54.0)):
        inside = (numbers >= low) & (numbers <= high) & broken
        if inside.mean() >= _SHARE and np.std(numbers[inside]) < 3:
            yield 0.6, key, name, CONTENT, 0, ""
