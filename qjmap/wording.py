"""Numbers, answers and sources in the officials' own Chinese."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from qjmap.checks import LISTED
from qjmap.district import District
from qjmap.layers import LayerSpec
from qjmap.standards import Rule

if TYPE_CHECKING:
    from qjmap.assess import Finding


def number(value: Any, decimals: int = 0) -> str:
    """Write a number with its thousands apart; “—” when it is not known."""
    return "—" if value is None or pd.isna(value) or math.isinf(value) else f"{value:,.{decimals}f}"


def people(value: float) -> str:
    """Write a number of people, in 万 from ten thousand on, as the documents do."""
    if pd.isna(value):
        return "—"
    whole = round(value)
    return f"{value / 1e4:.1f}万" if abs(whole) >= 1e4 else f"{whole:,}"


def percent(share: float, decimals: int = 1) -> str:
    """Write a share 0–1 in per cent, without the sign."""
    return number(share * 100, decimals)


def document(district: District, key: str, clause: str | None = None) -> str:
    """Name a document as officials cite it: 《题目》(文号)条款."""
    if key not in district.documents.index:
        return key
    row = district.documents.loc[key]
    formal = "" if pd.isna(row["number"]) or row["number"] in ("", "–", "-") else f"({row['number']})"
    return f"《{row['title']}》{formal}{'' if clause is None or pd.isna(clause) else clause}"


def documents(district: District, keys: Iterable[str]) -> list[str]:
    """Name documents, each once."""
    return [document(district, key) for key in dict.fromkeys(keys)]


def titles(documents: pd.DataFrame) -> dict[str, str]:
    """Give each document's title, with its official number in brackets where it has one.

    Parameters
    ----------
    documents
        Index: document id. Columns `title` and `number` (as `District.documents`).
    """
    numbers = documents["number"].fillna("").astype("str")
    return {
        str(key): f"{title}({number})" if number else str(title)
        for key, title, number in zip(documents.index, documents["title"], numbers, strict=True)
    }


def rule_source(district: District, rule: Rule) -> str:
    """Say who says so, how binding it is, and how sure we are of the words."""
    binding = "约束性文件未写明" if rule.binding == "未写明" else rule.binding
    return f"依据:{document(district, rule.document, rule.clause)}({binding};{rule.source_status})"


def assumed_errors(district: District) -> str:
    """Say what is assumed of places of which nobody says how well they are known."""
    ways = "、".join(f"{way}不小于 {one.error_m:g} 米" for way, one in district.registry.positions.items())
    return f"没有写误差的坐标按位数计,{ways}(假定)"


def listed(district: District, spec: LayerSpec, records: pd.DataFrame) -> str:
    """Say how many records have coordinates of which nobody says how they were obtained; blank for none."""
    n = int((records["position"] == LISTED).sum())
    return f"{n:,} {spec.counter}为“{LISTED}”,取得方法未说明;{assumed_errors(district)}" if n else ""


def population_line(district: District, year: int) -> str:
    """Say which population stands below a rate."""
    total = district.total(year)
    without = "".join(f"不含{one}," for one in district.settings.context_units)
    return (
        f"人口:{year}年 {total.total:,} 人({without}{document(district, total.document, total.clause)});"
        f"分街镇为估算。{district.settings.method}"
    )


def brief(one: Finding) -> str:
    """Say an answer in a few words: what is missing, or why it cannot be said."""
    from qjmap.assess import MET, SHORT  # not before it is needed: the first page does without

    return lacking(one) if one.status == SHORT else "" if one.status == MET else one.reason


def lacking(one: Finding) -> str:
    """Say what is missing, from least to most, with its unit."""
    said = gap(one)
    return f"差{'' if one.estimated else ' '}{said}" if said else ""


def gap(one: Finding) -> str:
    """Give the size of a gap with its unit; blank when it is not known."""
    least, most = one.shortfall, one.shortfall_most
    if math.isnan(least):
        return ""
    text = _size(one, least)
    if math.isinf(most):
        text += " 以上"
    elif most > least * (1 + 1e-9):
        text += f"–{figure(most)}"
    return f"{text} {one.unit}"


def have(one: Finding) -> str:
    """Say how much there is, without its unit."""
    return _size(one, one.have)


def _size(one: Finding, value: float) -> str:
    """Write what was counted as it is; before what was worked out from a rate say 约, and drop its decimals."""
    if not one.estimated:
        return figure(value)
    return f"约 {number(value, 0) if value >= 10 else figure(value)}"


def figure(value: float) -> str:
    """Write a number with as many decimals as it needs to say something; “—” when it is not known."""
    if not math.isfinite(value):
        return "—"
    whole = abs(value - round(value)) < 5e-3
    if whole or abs(value) >= 10:
        return number(value, 0 if whole or abs(value) >= 1000 else 1)
    return number(value, 2).rstrip("0")  # 1.76 of 1.9 must not read as 1.8


def summed(one: Finding) -> bool:
    """Tell whether a gap adds places up: what one place has too much of makes up for nothing elsewhere."""
    numbers = (one.have, one.need, one.shortfall)
    return all(map(math.isfinite, numbers)) and one.shortfall > abs(one.need - one.have) + 0.05


#: What there is and what is asked for, in the words of each kind of rule.
HAVE_NEED = {
    "radius": ("覆盖", "应覆盖"),
    "nearest": ("距离内", "应在距离内"),
    "attribute_share": ("符合", "应符合"),
    "exclusion": ("范围内", "允许"),
    "deadline": ("未了结", "允许"),
}


def numbers(one: Finding) -> list[tuple[str, str]]:
    """Give an answer's numbers as label–value pairs; only those that are known."""
    from qjmap.assess import MET, POSSIBLE, SHORT  # not before it is needed: the first page does without

    have, need = HAVE_NEED.get(one.rule.kind, ("现有", "应有"))
    pairs = [(have, one.have, one.unit), (need, one.need, one.unit), ("现值", one.value, one.value_unit)]
    # of what is unknown only a lower bound is known, and a rate made of it would mislead
    sure = one.status in (SHORT, MET)
    if not sure or (one.value == one.have and one.value_unit == one.unit):
        pairs.pop()
    if not sure:
        pairs[0] = (f"已确认{have.removeprefix('现有')}", one.have, one.unit)
    said = [
        (label, f"{figure(value)} {unit}".strip()) for label, value, unit in pairs if math.isfinite(value)
    ]
    if one.estimated and said:
        said[0] = (said[0][0], f"{_size(one, one.have)} {one.unit}(按比率和人口折算,不是点数)")
    if math.isfinite(one.shortfall) and (one.status == SHORT or one.certainty == POSSIBLE):
        label = "缺口" if one.status == SHORT else "可能的缺口"
        label += "(短缺之处相加)" if summed(one) else ""
        said.append((label, gap(one)))
    if one.status == SHORT:
        text = "无法按人口折算" if math.isnan(one.people) else f"{people(one.people)}人(街镇内均匀分布估算)"
        said.append(("影响人口", text))
    if one.base_text:
        said.append(("分母", one.base_text))
    return said


_CHINESE = r"[\u2018-\u201d\u2026\u3001-\u301b\u3400-\u9fff\uff01-\uff5e]"
_BESIDE = re.compile(rf"(?<={_CHINESE})[,;:]|[,;:](?={_CHINESE})")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_DEPTH = 9  # brackets in brackets
_FULL = str.maketrans(",;:", "\uff0c\uff1b\uff1a")


def full_width(text: str) -> str:
    """Set punctuation as printed Chinese has it: full width beside Chinese characters, as it is within numbers."""
    for _ in range(_DEPTH):
        wider = _BRACKETS.sub(_bracketed, text)
        if wider == text:
            break
        text = wider
    text = text.replace("\x00", "(").replace("\x01", ")")
    return _BESIDE.sub(lambda found: found[0].translate(_FULL), text)


def _bracketed(found: re.Match[str]) -> str:
    """Widen a pair of brackets round Chinese or beside it; put others out of the way."""
    beside = found.string[max(found.start() - 1, 0) : found.end() + 1]
    if re.search(_CHINESE, beside):
        return f"\uff08{found[1]}\uff09"
    return f"\x00{found[1]}\x01"
