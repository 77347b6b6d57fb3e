"""One answer in words: in a few, as a list of its numbers, and in full with its clause."""

from __future__ import annotations

import math

import streamlit as st

from qjmap import shortlist
from qjmap.assess import MET, POSSIBLE, SHORT, Finding
from qjmap.district import District
from qjmap.standards import CUSTOM
from qjmap.ui import html, judging, words


def brief(one: Finding) -> str:
    """Say an answer in a few words: what is missing, or why it cannot be said."""
    return lacking(one) if one.status == SHORT else "" if one.status == MET else one.reason


def lacking(one: Finding) -> str:
    """Say what is missing, from least to most, with its unit."""
    least, most = one.shortfall, one.shortfall_most
    if math.isnan(least):
        return ""
    text = f"差 {figure(least)}"
    if math.isinf(most):
        text += " 以上"
    elif most > least * (1 + 1e-9):
        text += f"–{figure(most)}"
    return f"{text} {one.unit}"


def figure(value: float) -> str:
    """Write a number with as many decimals as it needs to say something; “—” when it is not known."""
    if not math.isfinite(value):
        return "—"
    whole = abs(value - round(value)) < 5e-3
    return words.number(value, 0 if whole or abs(value) >= 1000 else 1 if abs(value) >= 0.1 else 2)


def show_answer(district: District, one: Finding) -> None:
    """Show one answer: its numbers, its clause, how sure it is, what it rests on."""
    known = judging.assumptions()
    rule = one.rule
    tags = [(one.status, False)]
    tags += [(f"把握:{one.certainty}", False)] if one.certainty else []
    tags += [(rule.binding, False)] if rule.binding == shortlist.BINDING else []
    tags += [(CUSTOM, True)] if rule.custom else []
    tags += [("规划数", False)] if one.planned else []
    tags += [("依据演示数据", True)] if one.demo else []
    pairs = [("街镇", one.town), ("要求", f"{rule.target}({rule.wording})"), *numbers(one)]
    if one.reason:
        pairs.append(("说明", one.reason))
    if one.assumptions:
        titles = "、".join(known[key].title if key in known else key for key in one.assumptions)
        pairs.append(("依据假定", titles))
    pairs.append(("文件条款", words.document(district, rule.document, rule.clause)))
    pairs.append(("责任部门", rule.department))
    pairs.append(("标准编号", f"{rule.id}({rule.binding};{rule.source_status})"))
    if rule.note:
        pairs.append(("标准备注", rule.note))
    st.html(html.card(rule.title, tags, pairs))


#: What there is and what is asked for, in the words of each kind of rule.
_HAVE_NEED = {
    "radius": ("覆盖", "应覆盖"),
    "nearest": ("距离内", "应在距离内"),
    "attribute_share": ("符合", "应符合"),
    "exclusion": ("范围内", "允许"),
    "deadline": ("未了结", "允许"),
}


def numbers(one: Finding) -> list[tuple[str, str]]:
    """Give an answer's numbers as label–value pairs; only those that are known."""
    have, need = _HAVE_NEED.get(one.rule.kind, ("现有", "应有"))
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
    if math.isfinite(one.shortfall) and (one.status == SHORT or one.certainty == POSSIBLE):
        label = "缺口" if one.status == SHORT else "可能的缺口"
        said.append((label, lacking(one).removeprefix("差 ")))
    if one.status == SHORT:
        text = (
            "无法按人口折算"
            if math.isnan(one.people)
            else f"{words.people(one.people)}人(街镇内均匀分布估算)"
        )
        said.append(("影响人口", text))
    if one.base_text:
        said.append(("分母", one.base_text))
    return said
