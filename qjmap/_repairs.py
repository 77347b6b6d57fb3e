"""What a cell probably means when it is not written as a register wants it: pure functions from text to (text, why)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from types import MappingProxyType

from qjmap._units import factor
from qjmap.layers import Column

Fix = tuple[str | None, str, str]
"""The repaired text (None for blank), the kind of the repair, and why, in Chinese."""

BLANKS = frozenset(
    {
        "/",
        "\\",
        "-",
        "--",
        "—",
        "——",
        "不详",
        "不明",
        "未知",
        "暂无",
        "无数据",
        "空",
        "null",
        "n/a",
        "na",
        "none",
    }
)
_YES = frozenset({"√", "✓", "✔", "是", "有", "y", "yes", "1", "true", "已", "已有"})
_NO = frozenset({"×", "✗", "✘", "否", "无", "没有", "n", "no", "0", "false", "未", "x"})
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_SPACED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?: \d{3})+(?!\s*[\d,])")
_MEASURED = re.compile(
    r"(?:约|大约|共|地上|≈|~)?([+-]?\d[\d,]*(?:\.\d*)?)\s*([^\d\s.,](?:\D|(?<=[A-Za-z^])[23](?!\d))*)"
)
_BORE = re.compile(r"(?:dn|[φΦØ∅⌀])(\d+)(?:mm|毫米)?", re.IGNORECASE)
_DATE = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR = re.compile(
    r"(\d{4})\s*(?:年\s*(?:(\d{1,2})月\s*(?:(\d{1,2})日?)?)?.*|[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:\s.*)?|\.0+)"
)

UNSEEN = (
    r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufe00-\ufe0f\ufeff"
)
"""Letters that nobody sees, as within the brackets of a pattern."""
_UNSEEN = re.compile(f"[{UNSEEN}]")
_EXCEL, _SERIALS = date(1899, 12, 30), range(1950, 2051)
"""The day from which Excel counts; the days of 1905 that are years of our time under a format of dates."""
_LONGEST = 100  # letters of a cell that may be a number

_GUARD = re.compile(r"'\s*[=+\-@＝＋－＠]")


def written(number: float) -> str:
    """Write a number plainly, without the dust of binary fractions."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:.12g}"


def fixer(
    column: Column, towns: Sequence[str] = (), names: Sequence[str] = (), times: float = 1.0
) -> Callable[[str], Fix | None] | None:
    """Give the function that repairs cells of a column, or None where nothing is ever repaired.

    Parameters
    ----------
    column
        What the column may hold.
    towns
        The district's towns.
    names
        The district's own names, which may stand before a town's.
    times
        What a number without a unit of its own is multiplied by, where the header says another unit.
    """
    if column.type in ("integer", "number"):
        return lambda text: number(text, column.unit, whole=column.type == "integer", times=times)
    if column.type == "year":
        return year
    if column.type == "date":
        return day
    if column.type == "boolean":
        return lambda text: choice(text, ("是", "否"))
    if column.type == "category":
        return lambda text: choice(text, column.values, dict(column.words))
    if column.type == "town":
        return lambda text: town(text, towns, names)
    return plain if column.type == "text" else None


def seen(text: str) -> str:
    """Give a cell without the letters that nobody sees: zero-width ones, soft hyphens, a byte-order mark."""
    return _UNSEEN.sub("", text)


def plain(text: str) -> Fix | None:
    """Drop control characters, which only ever hide something, and the mark against formulas; line breaks stay."""
    clean = "".join(
        one for one in text if one in "\n\t" or not unicodedata.category(one).startswith("C")
    ).strip()
    if _GUARD.match(clean):
        return clean[1:], "guard", "去掉撇号:它只是不让 Excel 当作公式"
    return None if clean == text else (clean or None, "control", "去掉看不见的控制字符")


def identifier(text: str) -> Fix | None:
    """Write the number of a record in one way: half-width, without blanks or what keeps Excel from reading it."""
    bare = re.fullmatch(r'=?"(.*)"|\'?(.*)', text.strip(), re.DOTALL)
    folded = re.sub(r"\s", "", unicodedata.normalize("NFKC", (bare[1] or bare[2] or "") if bare else text))
    return None if folded == text else (folded or None, "id-writing", "编号统一为半角、不带空格")


def number(text: str, unit: str, *, whole: bool, times: float = 1.0) -> Fix | None:
    """Read full-width digits, thousands, units and 万; what has no unit of its own is `times` as much."""
    if len(text) > _LONGEST:
        return None
    folded = unicodedata.normalize("NFKC", text).strip()
    if folded.lower() in BLANKS:
        return None, "blank", "表示没有数据的记号,按空白"
    bare = one_number(text)
    if bare is None:
        return None
    if _NUMBER.fullmatch(bare):
        value = float(bare)
        if times != 1:
            if whole and not round(value * times, 9).is_integer():
                return None
            return (
                written(round(value * times, 9)),
                "digits",
                _how(text, f"按列名的单位 ×{times:g}"),
            )
        if whole and not bare.lstrip("+-").isdecimal():
            if not value.is_integer() or abs(value) >= 1e15:
                return None
            return written(value), "whole", _how(text, "整数写成了小数")
        return (bare, "digits", _how(text)) if bare != text else None
    if unit == "毫米" and (bore := _BORE.fullmatch(bare)):
        return bore[1], "unit", "去掉公称直径的记号"
    found = _MEASURED.fullmatch(bare)
    if found is None:
        return None
    own = factor(found[2], unit)
    digits = found[1].replace(",", "") if _THOUSANDS.fullmatch(found[1]) else found[1]
    if own is None or not _NUMBER.fullmatch(digits):
        return None
    value = float(digits) * own
    if whole and not round(value, 9).is_integer():
        return None
    why = "去掉单位" if own == 1 else f"“{found[2]}”换算为“{unit}”(×{own:g})"
    return written(round(value, 9)), "unit", _how(text, why)


def one_number(text: str) -> str | None:
    """Write a cell half-width, without blanks and without what parts thousands.

    Returns
    -------
    str or None
        None where a blank, a line break or the mark of a note stands between digits: these are two numbers (``10 20``,
        ``1⏎2``, ``12③``). A single space before each three digits parts thousands: ``1 050``.
    """
    if len(text) > _LONGEST:
        return text
    if any(unicodedata.category(mark) == "No" and not one.isalpha() for one, mark in pairwise(f" {text}")):
        return None
    folded = _unspaced(text).strip()
    first = re.search(r"\d", folded)
    if first and re.search(r"\s[.,]?\d", folded[first.start() :]):
        return None
    bare = re.sub(r"\s", "", folded)
    return bare.replace(",", "") if _THOUSANDS.fullmatch(bare) else bare


def _unspaced(text: str) -> str:
    """Write a cell half-width, its thousands not parted by spaces."""
    return _SPACED.sub(lambda found: found[0].replace(" ", ""), unicodedata.normalize("NFKC", text))


def _how(text: str, *more: str) -> str:
    """Say what was done to a cell so that it is a plain number; of one with a unit, what joined its digits."""
    folded, unspaced = unicodedata.normalize("NFKC", text), _unspaced(text)
    alone = _NUMBER.fullmatch(re.sub(r"[\s,]", "", folded)) is not None
    said = {
        "全角改半角": alone
        and any(unicodedata.normalize("NFKC", one) != one for one in text if not one.isspace()),
        "去掉千分位逗号": "," in folded,
        "去掉千分位空格": folded != unspaced,
        "去掉空格": alone and bool(re.search(r"\s", unspaced)),
    }
    return "、".join((*(word for word, done in said.items() if done), *more))


def year(text: str) -> Fix | None:
    """Take the year out of a date: 2023年, 2023-03-20."""
    folded = unicodedata.normalize("NFKC", text).strip()
    if folded.lower() in BLANKS:
        return None, "blank", "表示没有数据的记号,按空白"
    if re.fullmatch(r"\d{4}", folded):
        return (folded, "digits", "全角数字") if folded != text else None
    if found := _COMPACT.fullmatch(folded):  # 20190605
        return (found[1], "year", "只取年份") if _is_day(*found.groups()) else None
    found = _YEAR.fullmatch(folded)
    if found is None:
        return None
    month, its_day = found[2] or found[4], found[3] or found[5]
    if its_day and _is_day(found[1], month, its_day):
        serial = (date(int(found[1]), int(month), int(its_day)) - _EXCEL).days
        if serial in _SERIALS:
            return (
                str(serial),
                "year-format",
                f"年份 {serial} 的单元格设成了日期格式,Excel 就显示成这一天;请核对",
            )
    if month is None or _is_day(found[1], month, its_day or "1"):
        return found[1], "year", "只取年份"
    return found[1], "year", f"只取年份;没有{int(month)}月{f'{int(its_day)}日' if its_day else ''},请核对"


def _is_day(*parts: str) -> bool:
    """Say whether there is a day of that year, month and number."""
    try:
        date(*map(int, parts))
    except ValueError:
        return False
    return True


def day(text: str) -> Fix | None:
    """Write a date as 2023-03-20."""
    folded = unicodedata.normalize("NFKC", text).strip()
    if folded.lower() in BLANKS:
        return None, "blank", "表示没有数据的记号,按空白"
    found = _DATE.fullmatch(folded) or _COMPACT.fullmatch(folded)
    if found is None:
        return None
    try:
        iso = date(*(int(part) for part in found.groups())).isoformat()
    except ValueError:
        return None
    return (iso, "date", "日期统一写法") if iso != text else None


def choice(text: str, values: Sequence[str], words: Mapping[str, str] = MappingProxyType({})) -> Fix | None:
    """Find the allowed value that is meant: another width or word, a tick, or the only one that is so for short."""
    folded = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    by_fold = {re.sub(r"\s", "", unicodedata.normalize("NFKC", one)): one for one in values if one}
    if folded in by_fold:
        return by_fold[folded], "value", "空格或全角字符"
    if folded in words:
        return words[folded], "value", f"“{folded}”即“{words[folded]}”"
    lower = folded.lower()
    for ticks, answers in ((_YES, ("有", "是")), (_NO, ("无", "否"))):
        if lower in ticks:
            meant = next((one for one in answers if one in values), None)
            if meant and ({"有", "无"} <= set(values) or {"是", "否"} <= set(values)):
                return meant, "value", "统一为允许值"
    if lower in BLANKS and "未知" in values:
        return "未知", "value", "统一为允许值"
    # 市政 is 市政消火栓, and 住宅 is 高层住宅建筑, for other kinds are 高层, too; but 公路 says less than 高速公路
    holding = [one for one in values if len(folded) >= 2 and folded in one]
    if len(holding) == 1:
        before = holding[0].partition(folded)[0]
        if not before or sum(one.startswith(before) for one in values) > 1:
            return holding[0], "value", "简称补全"
    return None


def town(text: str, towns: Sequence[str], names: Sequence[str] = ()) -> Fix | None:
    """Find the town that is meant: 东溪, 綦江区东溪镇, 东溪镇人民政府, 文龙街道办, 古南街办."""
    folded = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    if folded.lower() in BLANKS:
        return None, "blank", "表示没有数据的记号,按空白"
    for name in sorted(names, key=len, reverse=True):
        folded = folded.removeprefix(name)
    for end in ("人民政府", "办事处", "政府"):
        folded = folded.removesuffix(end)
    folded = folded.removesuffix("办") if folded.endswith(("街道办", "街办")) else folded
    for meant in (
        [one for one in towns if folded == one],
        [one for one in towns if folded == stem(one)],
        [
            one
            for one in towns
            if folded in (stem(one) + "乡", stem(one) + "镇", stem(one) + "街道", stem(one) + "街")
        ],
    ):
        if len(meant) == 1:
            return meant[0], "town", "街镇名补全"
    return None


def stem(name: str) -> str:
    """Give a town's name without 镇 or 街道."""
    return name.removesuffix("街道") if name.endswith("街道") else name.removesuffix("镇").removesuffix("乡")
