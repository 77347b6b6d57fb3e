"""Numbers and sources in the officials' own Chinese."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from qjmap.district import District
from qjmap.standards import Rule


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


def rule_source(district: District, rule: Rule) -> str:
    """Say who says so, how binding it is, and how sure we are of the words."""
    binding = "约束性文件未写明" if rule.binding == "未写明" else rule.binding
    return f"依据:{document(district, rule.document, rule.clause)}({binding};{rule.source_status})"


def population_line(district: District, year: int) -> str:
    """Say which population stands below a rate."""
    total = district.total(year)
    return (
        f"人口:{year}年 {total.total:,} 人(不含万盛经开区,{document(district, total.document, total.clause)});"
        f"分街镇为估算。{district.settings.method}"
    )
