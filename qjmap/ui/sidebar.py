"""The choices on the left: made once, kept in the address, given back as data."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from qjmap.district import District
from qjmap.filters import Filter
from qjmap.layers import LayerSpec
from qjmap.standards import Rule
from qjmap.ui import who
from qjmap.ui.figures import custom_figures, set_figure

MARKS, COVERED, POSSIBLE, GAP = "设施", "覆盖", "可能覆盖", "未覆盖"

_LEAST_M, _MOST_M = 10, 100_000
_NO_RULE = "不设半径"
_OWN_RADIUS = "自定半径"


@dataclass(frozen=True)
class Radius:
    """The service radius in force.

    Parameters
    ----------
    rule
        The rule it comes from; None when a person set it without one.
    urban_m, rural_m
        Metres, in urban and in rural towns.
    custom
        Whether a person changed the rule's figure.
    """

    rule: Rule | None
    urban_m: float
    rural_m: float
    custom: bool


def choose_demo() -> bool:
    """Ask whether invented records are shown: one click takes them off every page."""
    return st.sidebar.toggle(
        "显示演示数据",
        value=True,
        key="demo",
        bind="query-params",
        persist_state="session",
        help="演示数据由程序按固定种子编造,只用来说明地图怎样工作,不代表綦江区的实际情况。有了真实记录的图层不掺演示数据。关闭后只看真实记录。",
    )


def choose_layer(specs: Sequence[LayerSpec]) -> LayerSpec:
    """Ask which of a page's layers is looked at."""
    if len(specs) == 1:
        return specs[0]
    labels = {spec.key: spec.label for spec in specs}
    key = st.sidebar.selectbox(
        "查看",
        list(labels),
        format_func=lambda k: labels[k],
        key=f"{specs[0].key}-layer",
        bind="query-params",
    )
    return next(spec for spec in specs if spec.key == key)


def choose_year(frame: pd.DataFrame, known: Collection[int]) -> int | None:
    """Ask for the year, where a layer has columns by year (such as `beds_2020`, `beds_2025`).

    Parameters
    ----------
    known
        Years with an official number of people: no rate can be given for another.
    """
    years = sorted(
        {int(column[-4:]) for column in frame.columns if column[-5:-4] == "_" and column[-4:].isdigit()}
        & set(known)
    )
    if len(years) < 2:
        return years[0] if years else None
    chosen = st.sidebar.segmented_control(
        "年份",
        years,
        default=years[0],
        required=True,
        key="year",
        bind="query-params",
        format_func=lambda year: f"{year} {'现状' if year == years[0] else '规划'}",
    )
    return int(chosen or years[0])


def choose_filter(spec: LayerSpec, frame: pd.DataFrame, towns: Sequence[str], year: int | None) -> Filter:
    """Ask for towns, categories, a range of one number, and part of a name."""
    chosen_towns = st.sidebar.multiselect(
        "街镇",
        list(towns),
        key=f"{spec.key}-towns",
        bind="query-params",
        placeholder="全部街镇",
        select_all=False,
    )
    text = st.sidebar.text_input(
        "名称查找", key=f"{spec.key}-q", bind="query-params", placeholder="名称、编号或村(社区)", max_chars=60
    )
    first, *others = _categories(spec, frame)
    categories = dict([_choose_category(spec, first, frame, st.sidebar)] if first else [])
    ranges: dict[str, tuple[float, float]] = {}
    numbers = _numbers(spec, frame)
    if others or numbers:
        box = st.sidebar.expander("更多筛选", expanded=_any_chosen(spec, [*others, *numbers]))
        categories |= dict(_choose_category(spec, key, frame, box) for key in others)
        ranges = _choose_range(spec, frame, numbers, box)
    return Filter(
        towns=tuple(chosen_towns),
        categories={key: values for key, values in categories.items() if values},
        ranges=ranges,
        text=text or "",
        year=year,
    )


def choose_shared(district: District) -> Filter:
    """Ask for what every layer has: towns, status, how well a place is known, and part of a name."""
    towns = st.sidebar.multiselect(
        "街镇",
        list(district.towns.index),
        key="all-towns",
        bind="query-params",
        placeholder="全部街镇",
        select_all=False,
    )
    text = st.sidebar.text_input(
        "名称查找", key="all-q", bind="query-params", placeholder="名称、编号或村(社区)", max_chars=60
    )
    spec = next(iter(district.registry.layers.values()))
    chosen = {
        key: tuple(
            st.sidebar.multiselect(
                spec.columns[key].label,
                spec.columns[key].values,
                key=f"all-{key}",
                bind="query-params",
                placeholder="全部",
                select_all=False,
            )
        )
        for key in ("status", "position")
    }
    return Filter(tuple(towns), {key: values for key, values in chosen.items() if values}, text=text or "")


def choose_shown(key: str, *, coverage: bool, gap: bool) -> tuple[str, ...]:
    """Ask which parts of the map are drawn; `gap` is whether the land outside the circles is shown at first."""
    parts = [MARKS, COVERED, POSSIBLE, GAP] if coverage else [MARKS]
    if len(parts) == 1:
        return (MARKS,)
    chosen = st.sidebar.pills(
        "地图图层",
        parts,
        selection_mode="multi",
        default=parts if gap else parts[:-1],
        key=f"{key}-show",
        bind="query-params",
    )
    return tuple(chosen or ())


def choose_overlays(key: str, specs: Sequence[LayerSpec], first: Collection[str]) -> tuple[str, ...]:
    """Ask which layers of lines and areas lie under the marks; nothing is asked where there are none.

    Parameters
    ----------
    key
        The page.
    specs
        Those that have records.
    first
        Keys of those that are there at first.
    """
    if not specs:
        return ()
    labels = {spec.key: spec.label for spec in specs}
    chosen = st.sidebar.pills(
        "叠加图层",
        list(labels),
        selection_mode="multi",
        default=[one for one in labels if one in first],
        format_func=lambda one: labels[one],
        key=f"{key}-over",
        bind="query-params",
    )
    return tuple(chosen or ())


def choose_radius(rules: Sequence[Rule], key: str) -> Radius | None:
    """Ask for the standard and, if a person wants, another figure; None when no radius is set."""
    names = {rule.id: rule.title for rule in rules}
    options = [*names, _OWN_RADIUS if rules else _NO_RULE]
    if not rules:
        options.append(_OWN_RADIUS)
    labels = names | {_OWN_RADIUS: _OWN_RADIUS, _NO_RULE: _NO_RULE}
    chosen = st.sidebar.selectbox(
        "标准",
        options,
        format_func=lambda k: labels[k],
        key=f"{key}-rule",
        bind="query-params",
        help="半径为直线半径,画出的是圆,不是沿道路的行车时间圈。",
    )
    if chosen == _NO_RULE:
        return None
    rule = next((rule for rule in rules if rule.id == chosen), None)
    if rule is None:
        own = st.sidebar.number_input(
            "服务半径(米,自定)", _LEAST_M, _MOST_M, 1000, 100, key=f"{key}-own", bind="query-params"
        )
        return Radius(None, float(own), float(own), custom=True)
    return _choose_figure(rule, key)


def _choose_figure(rule: Rule, key: str) -> Radius:
    """Show the rule's figure to be changed; what is changed holds on every page until it is put back."""
    figure = rule.figure
    assert figure is not None, "a metric rule has a figure"
    own = custom_figures().get(rule.id)
    labels = (
        {"all": "服务半径(米)"}
        if figure.uniform
        else {"urban": "城区服务半径(米)", "rural": "农村服务半径(米)"}
    )
    document = {"all": figure.urban, "urban": figure.urban, "rural": figure.rural}
    stem = f"{key}-{rule.id}"
    asked = {}
    for place, label in labels.items():
        now = (
            document[place]
            if own is None
            else own.get(place, document[place])
            if isinstance(own, dict)
            else own
        )
        st.session_state[f"{stem}-{place}"] = min(max(round(now), _LEAST_M), _MOST_M)
        asked[place] = st.sidebar.number_input(
            label,
            _LEAST_M,
            _MOST_M,
            step=10 if document[place] < 1000 else 100,
            key=f"{stem}-{place}",
            on_change=_figure_changed,
            args=(rule, stem, tuple(labels)),
        )
    if own is not None:
        st.sidebar.button("恢复文件数值", on_click=set_figure, args=(rule, None), key=f"{stem}-reset")
    urban, rural = asked.get("urban", asked.get("all", 0)), asked.get("rural", asked.get("all", 0))
    return Radius(rule, float(urban), float(rural), custom=own is not None)


def _figure_changed(rule: Rule, stem: str, places: tuple[str, ...]) -> None:
    values = {place: float(st.session_state[f"{stem}-{place}"]) for place in places}
    set_figure(rule, values.get("all", values))


def _categories(spec: LayerSpec, frame: pd.DataFrame) -> list[str]:
    """Category columns worth asking for: those with more than one value present; the kind first."""
    found = [
        column.key
        for column in spec.columns.values()
        if column.type == "category" and frame[column.key].nunique() > 1
    ]
    kind = "kind" if "kind" in found else None
    return [kind or "", *(key for key in found if key != kind)]


def _numbers(spec: LayerSpec, frame: pd.DataFrame) -> list[str]:
    return [
        column.key
        for column in spec.columns.values()
        if column.type in ("integer", "number")
        and column.key != "error_m"
        and not who.hides(spec, column.key)
        and frame[column.key].nunique() > 1
    ]


def _any_chosen(spec: LayerSpec, keys: Sequence[str]) -> bool:
    return any(st.session_state.get(f"{spec.key}-{key}") for key in [*keys, "by"])


def _choose_category(
    spec: LayerSpec, key: str, frame: pd.DataFrame, box: object
) -> tuple[str, tuple[str, ...]]:
    present = set(frame[key].dropna().unique())
    options = [value for value in spec.columns[key].values if value in present]
    with box:  # type: ignore[attr-defined]
        chosen = st.multiselect(
            spec.columns[key].label,
            options,
            key=f"{spec.key}-{key}",
            bind="query-params",
            placeholder="全部",
            select_all=False,
        )
    return key, tuple(chosen)


def _choose_range(
    spec: LayerSpec, frame: pd.DataFrame, numbers: Sequence[str], box: object
) -> dict[str, tuple[float, float]]:
    if not numbers:
        return {}
    with box:  # type: ignore[attr-defined]
        by = st.selectbox(
            "按数值筛选",
            numbers,
            index=None,
            format_func=lambda k: _with_unit(spec, k),
            placeholder="不限",
            key=f"{spec.key}-by",
            bind="query-params",
        )
        if by is None:
            return {}
        values = frame[by].dropna().to_numpy(dtype=float)
        whole = spec.columns[by].type == "integer" or bool(np.all(values == np.floor(values)))
        kind = int if whole else float
        least, most = kind(values.min()), kind(values.max())
        low, high = st.slider(
            _with_unit(spec, by), least, most, (least, most), key=f"{spec.key}-{by}", bind="query-params"
        )
        missing = int(frame[by].isna().sum())
        if missing:
            st.caption(f"{missing} 条记录没有此项数值,按数值筛选时不列入。")
    return {by: (float(low), float(high))}


def _with_unit(spec: LayerSpec, key: str) -> str:
    column = spec.columns[key]
    return f"{column.label}({column.unit})" if column.unit else column.label
