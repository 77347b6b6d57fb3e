"""Rows of a list that are no records: sums, notes and signatures below it, its header once more, headings within."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

SUM, NOTE, HEADER = "合计行,不导入", "附注或签名行,不导入", "表头又出现一次,不导入"
HEADING = "街镇标题行,不导入"
_LEVELS = 30  # of sums within sums: a file may be made to have one more in every row
BY_NUMBERS = "各列数值等于以上各行之和,按合计行不导入"
MAYBE = "是不是合计行?是的话请在文件里删去这一行"

_WHOLE = "全区|全市|全县|全镇|全街道?|全部|全辖区?|各街镇|各镇街|各乡镇|本页|本表|以上"
_SUM = re.compile(
    r".{0,12}?(?:合计|总计|小计|共计|累计|汇总)(?:数量?|值)?(?:[:(].*|约?[\d.,]+.{0,4})?"
    rf"|(?:{_WHOLE})?(?:总数|总和|总量|平均|平均[值数]|均值|占比|比例)"
    rf"|{_WHOLE}|(?:grand)?total|sub-?total|sum|average"
)
_NOTE = re.compile(
    r"(?:注|附注|备注|说明|附|附表|(?:填表|填报|填写|编制|有关)说明|(?:数据|资料)?来源|(?:统计)?口径|(?:统计|填报|填表|报送|制表|打印)(?:日期|时间)"
    r"|(?:填报|编制|制表|报送|主管)?单位|(?:单位)?负责人|分管领导|经办人?|统计人员?|联系(?:人|电话)|电话|日期|时间"
    r"|(?:填表|填报|制表|制图|审核|审批|审定|复核|校核)人?)"
    r"(?:[:].*|[\d一二三四五六七八九]{1,2}[.、:].*)?"
    r"|(?:填表|填报|制表|审核|审批|复核)人.{0,8}"
    r"|(?:数据|资料|统计|以上)?(?:数据|资料)?(?:截至|截止).*\d.*"
)
# What each of these words has: most cells have nothing of it, and need not be read one by one.
_MAY_BE = (
    r"计|汇总|总[\s　]*[数和量]|均|占比|比例|截[至止]|(?i:total|sum|average)"
    r"|^\s*(?:全|各|本|以上|注|附|备注|说明|[填编制报打审复校]|有关|[数资]|来源|统|口径|主管|单位|负责|分管|经办|联系|电话|日期|时间)"
)
_ORDINAL = r"[((]?[一二三四五六七八九十]{1,3}[))]?[、..]?"
_SENTENCE = re.compile(r".*[,。;:].*|\d{1,2}[.、)]\D.*|[*※].*|.{20,}", re.DOTALL)


@dataclass(frozen=True)
class Aside:
    """A row that is no record, or may be none: its place in the table, what stands there, why, whether it is sure.

    `town` is the one of which it is the heading.
    """

    place: int
    text: str
    why: str
    sure: bool
    town: str = ""


def _no_heading(_: str) -> str:
    return ""


def asides(
    frame: pd.DataFrame,
    labels: Sequence[str],
    names: Sequence[str],
    numbers: Sequence[str],
    places: Collection[str] = (),
    ids: Sequence[str] = (),
    heading: Callable[[str], str] = _no_heading,
) -> list[Aside]:
    """Find the rows of a table that are no records.

    Parameters
    ----------
    frame
        The table as text.
    labels
        Its columns in which such words may stand: names, numbers of records, towns, the first ones.
    names
        Those that name a record.
    numbers
        Its columns of numbers, but for coordinates.
    places
        Names of towns: a record called as one is probably the town's sum.
    ids
        Its columns of records' own numbers: what has one is not left out for its numbers alone.
    heading
        Gives the town that a text is the heading of; blank when it is none.

    Returns
    -------
    list of Aside
        By their places, one a row.
    """
    found: dict[int, Aside] = {}
    for name in labels:
        _by_words(frame[name], name, found)
    _headings(frame, labels, heading, found)
    _alone(frame, found)
    for _ in range(_LEVELS):  # a sum that is known parts what is below it from what is above
        if not _by_numbers(frame, names, numbers, places, ids, found):
            break
    for name in names:
        towns = np.flatnonzero(frame[name].isin(list(places)).to_numpy(dtype=bool)).tolist()
        for place in towns if len(towns) * 2 < len(frame) else ():  # else it is a list of towns
            maybe = Aside(place, str(frame[name].iat[place]), f"名称是街镇;{MAYBE}", sure=False)
            found.setdefault(place, maybe)
    return [found[place] for place in sorted(found)]


def _tight(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).lower()


def _by_words(cells: pd.Series, name: str, found: dict[int, Aside]) -> None:
    # Arrow's expressions, for pandas would run Python's over each of a hundred thousand cells
    text_of = pa.array(cells, type=pa.large_string(), from_pandas=True)
    may_be = pc.fill_null(pc.match_substring_regex(text_of, _MAY_BE), False).to_numpy(zero_copy_only=False)
    header = (cells == name).fillna(value=False).to_numpy(dtype=bool)
    for place in np.flatnonzero(may_be | header).tolist():
        text = str(cells.iat[place])
        tight = _tight(text)
        why = (
            HEADER
            if header[place]
            else SUM
            if _SUM.fullmatch(tight)
            else NOTE
            if _NOTE.fullmatch(tight)
            else ""
        )
        if why:
            found.setdefault(place, Aside(place, text, why, sure=True))


def _alone(frame: pd.DataFrame, found: dict[int, Aside]) -> None:
    """Take a sentence that stands alone in its row for a note."""
    if frame.shape[1] < 3:
        return
    places = np.flatnonzero(_filled(frame, frame.columns) == 1)
    for place, text in _first(frame, list(frame.columns), places).items():
        if _SENTENCE.fullmatch(unicodedata.normalize("NFKC", text).strip()):
            found.setdefault(place, Aside(place, text, NOTE, sure=True))


def lone(frame: pd.DataFrame, labels: Sequence[str]) -> dict[int, str]:
    """Give what stands alone in its row, by its place: in one of these columns, or beside an ordinal in the first."""
    if frame.shape[1] < 3:
        return {}
    filled, first = _filled(frame, frame.columns), frame.iloc[:, 0]
    places = np.flatnonzero(filled == 1)
    two = np.flatnonzero((filled == 2) & first.notna().to_numpy())
    two = two[first.iloc[two].str.fullmatch(_ORDINAL).to_numpy(dtype=bool)]
    beside = [name for name in labels if name != frame.columns[0]]
    return _first(frame, labels, places) | _first(frame, beside, two)


def _first(frame: pd.DataFrame, names: Sequence[str], places: npt.NDArray[np.int64]) -> dict[int, str]:
    """Give of some rows the first text that stands in these columns; those that have none are left out."""
    texts = pd.Series(np.nan, index=places, dtype="str")
    for name in names:
        texts = texts.fillna(frame[name].iloc[places].set_axis(places))
    texts = texts.dropna()
    return dict(zip(texts.index.tolist(), map(str, texts), strict=True))


def _headings(
    frame: pd.DataFrame, labels: Sequence[str], heading: Callable[[str], str], found: dict[int, Aside]
) -> None:
    """Take a town that stands alone in its row for the heading of the rows below it."""
    texts = lone(frame, [*dict.fromkeys((*labels, *frame.columns[:1]))])
    towns = {text: heading(text) for text in dict.fromkeys(texts.values())}
    heads = [(place, text, towns[text]) for place, text in sorted(texts.items()) if towns[text]]
    if len(heads) * 2 <= len(frame):  # else it is a list of towns
        for place, text, town in heads:
            found.setdefault(place, Aside(place, text, HEADING, sure=True, town=town))


def _filled(frame: pd.DataFrame, names: Iterable[str]) -> npt.NDArray[np.int64]:
    count = np.zeros(len(frame), dtype=np.int64)
    for name in names:
        count += frame[name].notna().to_numpy()
    return count


def _by_numbers(
    frame: pd.DataFrame,
    names: Sequence[str],
    numbers: Sequence[str],
    places: Collection[str],
    ids: Sequence[str],
    found: dict[int, Aside],
) -> bool:
    """Find rows whose numbers are the sums of those above, from the first or from the last sum; say if one is sure."""
    kept, again = np.ones(len(frame), dtype=bool), False
    kept[[one.place for one in found.values() if one.sure]] = False
    equal = _equal(frame, numbers, kept) & kept
    texts = _filled(frame, [name for name in frame.columns if name not in numbers])
    usual = int(np.median(texts[kept])) if kept.any() else 0
    last = int(np.flatnonzero(kept)[-1]) if kept.any() else -1
    for place in np.flatnonzero(equal).tolist():
        words = frame[list(names)].iloc[place].dropna().astype("str").tolist()
        fewer = texts[place] < usual
        lone = (names and not words) or any(word in places for word in words)
        lone = lone or (texts[place] <= 1 and place == last)
        if fewer or place == last:
            text = words[0] if words else next((str(one) for one in frame.iloc[place] if pd.notna(one)), "")
            numbered = bool(frame[list(ids)].iloc[place].notna().any())
            sure = bool(fewer and lone and not numbered)
            again |= sure
            found[place] = Aside(
                place, text, BY_NUMBERS if sure else f"各列数值等于以上各行之和;{MAYBE}", sure
            )
    return again


def _equal(frame: pd.DataFrame, numbers: Sequence[str], kept: Bools) -> Bools:
    """Mark the rows whose every number is the sum of at least two above it."""
    some = np.zeros(len(frame), dtype=bool)
    whole, part = np.ones((2, len(frame)), dtype=bool)
    # where the last row stood that is no record, for each row
    marks = np.maximum.accumulate(np.where(kept, -1, np.arange(len(kept))), dtype=np.int64)
    for name in numbers:
        values = pd.to_numeric(frame[name].str.replace(",", ""), errors="coerce").to_numpy(dtype=np.float64)
        values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
        filled = values != 0
        own = np.where(kept, values, 0.0)
        sums, counts = np.cumsum(own) - own, np.cumsum(own != 0) - (own != 0)
        at = np.maximum(marks, 0)
        since, fresh = sums - np.where(marks < 0, 0.0, sums[at]), counts - np.where(marks < 0, 0, counts[at])
        with np.errstate(invalid="ignore", over="ignore"):
            whole &= ~filled | (np.isclose(values, sums, rtol=1e-9) & (counts > 1))
            part &= ~filled | (np.isclose(values, since, rtol=1e-9) & (fresh > 1))
        some |= filled
    return some & (whole | part)
