"""One answer in words: in a few, as a list of its numbers, and in full with its clause."""

from __future__ import annotations

import streamlit as st

from qjmap import shortlist
from qjmap.assess import Finding
from qjmap.district import District
from qjmap.standards import CUSTOM
from qjmap.ui import html, judging, words
from qjmap.wording import brief, figure, gap, have, lacking, numbers

__all__ = ["brief", "figure", "gap", "have", "lacking", "numbers", "show_answer"]


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
