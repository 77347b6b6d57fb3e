"""The rules that concern a page: shown one by one, with their figures to be changed and put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from qjmap.assess import MET, NOT_APPLICABLE, SHORT, UNKNOWN, Assessment
from qjmap.district import District
from qjmap.errors import QjmapError
from qjmap.standards import Rule
from qjmap.ui import html, judging, source, words
from qjmap.ui.figures import fixed
from qjmap.ui.table import TableColumn, show_table

_COLUMNS = (
    TableColumn("title", "标准"),
    TableColumn("whole", "全区"),
    TableColumn(SHORT, "短缺", "街镇", 0),
    TableColumn(UNKNOWN, "不足", "街镇", 0, help="数据不足的街镇数:未知不等于短缺"),
    TableColumn(MET, "达标", "街镇", 0),
)


def concerning(layers: Sequence[str]) -> list[Rule]:
    """List the rules that read any of a page's layers, in the order of the standards; those switched off too."""
    standards = source.standards()
    wanted = {rule.id for layer in layers for rule in standards.for_layer(layer, enabled=False)}
    return [rule for rule in standards.values() if rule.id in wanted]


def show_rules(
    district: District,
    layers: Sequence[str],
    *,
    key: str,
    year: int,
    demo: bool,
) -> None:
    """Show the rules of a page with their answers; worked out only when a person opens the list.

    Parameters
    ----------
    layers
        Layers of the page.
    key
        Prefix of the keys, one per page.
    year, demo
        What is judged; see `judging.assessment`.
    """
    try:
        rules = concerning(layers)
    except QjmapError:
        st.html(html.note("标准文件有误,标准暂不能使用。"))
        return
    box = st.expander(f"本专题的标准 {len(rules)} 条", key=f"{key}-rules", on_change="rerun")
    if not box.open:
        return
    with box:
        names = {rule.id: _name(rule) for rule in rules}
        choice = st.popover("选择显示哪些标准")
        chosen = choice.multiselect(
            "显示哪些标准",
            list(names),
            default=[rule.id for rule in rules if rule.enabled],
            format_func=lambda one: names[one],
            key=f"{key}-chosen",
            bind="query-params",
            placeholder="未选标准",
            select_all=False,
        )
        merged = judging.custom_figures()
        found = judging.assessment(
            district, year=year, demo=demo, assumed=judging.choose_assumptions(), custom=merged
        )
        rows = [_row(rule, found) for rule in rules if rule.id in chosen and rule.enabled]
        picked = st.session_state.get(f"{key}-rule-picked")
        show_table(
            f"{year}年;点一行看条款、改数值",
            _COLUMNS,
            rows,
            key=f"{key}-rule-table",
            selected=picked,
            on_pick=lambda one: st.session_state.update({f"{key}-rule-picked": one}),
            height="24rem",
        )
        off = [names[one] for one in chosen if not source.standards()[one].enabled]
        if off:
            st.html(html.note(f"来源待核、未启用,不判断:{'、'.join(off)}"))
        if picked in names:
            _detail(district, source.standards()[picked], found, merged, key)
        if merged:
            st.button("全部恢复文件数值", on_click=judging.reset_figures, key=f"{key}-reset-figures")


def _name(rule: Rule) -> str:
    return rule.title if rule.enabled else f"{rule.title}(待核)"


def _row(rule: Rule, found: Assessment) -> dict[str, object]:
    findings = found.of_rule(rule.id)
    towns = [one for one in findings if one.town != "全区"]
    whole = next((one for one in findings if one.town == "全区"), None)
    row: dict[str, object] = {
        "key": rule.id,
        "title": rule.title,
        "target": findings[0].rule.target + (" 自定值" if findings[0].rule.custom else "")
        if findings
        else rule.target,
        "whole": "—" if whole is None else whole.status + ("(演示)" if whole.demo else ""),
    }
    counted = {status: sum(one.status == status for one in towns) for status in (SHORT, UNKNOWN, MET)}
    district_only = all(one.status == NOT_APPLICABLE for one in towns)
    return row | {status: None if district_only else number for status, number in counted.items()}


def _detail(
    district: District,
    rule: Rule,
    found: Assessment,
    merged: Mapping[str, float | dict[str, float]],
    key: str,
) -> None:
    whole = next((one for one in found.of_rule(rule.id) if one.town == "全区"), None)
    said = f"{words.rule_source(district, rule)}。编号 {rule.id};责任部门:{rule.department}。{rule.note}"
    if whole is not None and whole.base_text:
        said += f"分母:{whole.base_text}。"
    if whole is not None and whole.reason:
        said += f"{whole.reason}。"
    applied = rule if whole is None else whole.rule
    st.html(html.rule(f"{rule.title}:{applied.target}", said, custom="自定值" if rule.id in merged else ""))
    if rule.figure is None:
        st.html(html.note("这条标准的数值取自同一记录的另一栏,不能在此修改。"))
        return
    if fixed(rule):
        st.html(html.note("这条标准看的是敏感列:试改数值会推知其内容,登录后才能修改。"))
        return
    current = merged.get(rule.id)
    figures = (
        {"all": rule.figure.urban}
        if rule.figure.uniform
        else {"urban": rule.figure.urban, "rural": rule.figure.rural}
    )
    labels = {"all": "数值", "urban": "城区数值", "rural": "农村数值"}
    for place, figure in figures.items():
        value = (
            figure
            if current is None
            else current.get(place, figure)
            if isinstance(current, dict)
            else current
        )
        widget = f"{key}-figure-{rule.id}-{place}"
        st.session_state[widget] = float(value)
        st.number_input(
            f"{labels[place]}({rule.unit})",
            min_value=0.0,
            key=widget,
            on_change=_changed,
            args=(rule, tuple(figures), f"{key}-figure-{rule.id}-"),
        )


def _changed(rule: Rule, places: tuple[str, ...], stem: str) -> None:
    values = {place: float(st.session_state[f"{stem}{place}"]) for place in places}
    judging.set_figure(rule, values.get("all", values))
