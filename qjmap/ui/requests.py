"""What the page 数据补报清单 shows: the choices, the lists by department, one request in full, the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from qjmap import export, wanted, wanted_files
from qjmap.assess import NOWHERE, WHOLE, Assessment
from qjmap.district import District
from qjmap.errors import DataError
from qjmap.marks import notices
from qjmap.registers import Layer
from qjmap.ui import address, details, frame, html, judging, mapview, source, who, words
from qjmap.ui.downloads import EXCEL, today
from qjmap.ui.html import Figure
from qjmap.ui.table import TableColumn, show_table
from qjmap.wanted import Choice, Request
from qjmap.webmap import Scene

ESTIMATES = "estimates"
_REQUEST = "want"
_NAMED = 6

#: Few to many, in greys: what is not known has no colour of its own.
_RAMP = ("#f0f1f2", "#d9dcdf", "#bfc4c9", "#a3a9b0")


def load(district: District) -> dict[str, Layer]:
    """Load what there really is: an invented record is no answer to a request."""
    found = {key: frame.load_layer(key, demo=False) for key in district.registry.points}
    return {key: layer for key, layer in found.items() if layer is not None}


def find(
    district: District,
    layers: Mapping[str, Layer],
    year: int,
    assumed: tuple[str, ...],
    custom: Mapping[str, float | dict[str, float]],
) -> tuple[Assessment, tuple[Request, ...]]:
    """Judge the district without invented records, and list what is missing."""
    found = judging.assessment(district, year=year, demo=False, assumed=assumed, custom=custom)
    estimates = None
    if source.has_table(ESTIMATES):
        try:
            estimates = source.table(ESTIMATES)
        except DataError as error:
            frame.show_problems("“推定与估算”有误,已停用", error.problems)
    return found, wanted.requests(found, district, layers, source.standards(), estimates)


def choose(district: District, requests: Sequence[Request]) -> Choice:
    """Ask whose requests are looked at, of which towns, of which registers."""
    departments = list(dict.fromkeys(one.department for one in requests))
    used = {one.layer for one in requests}
    labels = {key: spec.label for key, spec in district.registry.layers.items() if key in used}
    picked = st.sidebar.multiselect(
        "由谁补报",
        departments,
        key="from",
        bind="query-params",
        placeholder="全部部门",
        select_all=False,
    )
    towns = st.sidebar.multiselect(
        "街镇",
        list(district.towns.index),
        key="towns",
        bind="query-params",
        placeholder="全部街镇",
        select_all=False,
    )
    layers = st.sidebar.multiselect(
        "图层",
        list(labels),
        format_func=lambda key: labels[key],
        key="on",
        bind="query-params",
        placeholder="全部图层",
        select_all=False,
    )
    return Choice(tuple(picked), tuple(towns), tuple(layers))


# ---- figures and map -------------------------------------------------------------------------------


def figures(
    found: Assessment, chosen: Sequence[Request], choice: Choice, layers: Mapping[str, Layer]
) -> list[Figure]:
    """Say how much is asked for, and how many answers wait for it."""
    cells = {cell for one in chosen for cell in one.cells}
    rules = {rule.id for one in chosen for rule in one.rules}
    kinds = "、".join(
        f"{kind} {n}" for kind in wanted.KINDS if (n := sum(one.kind == kind for one in chosen))
    )
    every, answers = len({one.rule.id for one in found}), wanted.judged(found, choice.towns)
    lost = {blank.id for one in chosen if one.id.startswith("place.") for blank in one.blanks}
    records = sum(len(layer.frame) for layer in layers.values())
    share = len(cells) / answers if answers else 0.0
    return [
        Figure("待补报", words.number(len(chosen)), "项", kinds),
        Figure(
            "答不出的判定",
            words.number(len(cells)),
            "格",
            f"占应判 {words.number(answers)} 格的 {words.percent(share)} %",
            help="一格是一条标准在一个街镇(或全区)的结论;不适用的不计",
        ),
        Figure("受影响的标准", words.number(len(rules)), "条", f"共启用 {every} 条"),
        Figure("未定位", words.number(len(lost)), "条", f"名册共 {words.number(records)} 条(不含演示)"),
    ]


def show_map(district: District, found: Assessment, chosen: Sequence[Request], choice: Choice) -> None:
    """Shade the towns by how many answers wait there; a click narrows nothing, it opens the town."""
    names = [str(name) for name in district.boundaries.index if not choice.towns or name in choice.towns]
    cells = {cell for one in chosen for cell in one.cells}
    counts = pd.Series({name: float(sum(town == name for _, town in cells)) for name in names})
    colours, legend = _shades(counts)
    town = mapview.town_in_focus(district)
    scene = Scene(
        shades=colours,
        shade_title=f"答不出的判定({found.year}年),格",
        shade_legend=legend,
        town=town,
        notices=notices(district, demo=False),
    )
    with st.container(key="small-map"):
        mapview.show_map(district, scene, {}, key="map-requests")


def _shades(counts: pd.Series[float]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Colour towns in up to four classes of whole numbers that do not touch."""
    groups = [group for group in np.array_split(np.unique(counts), len(_RAMP)) if len(group)]
    colours = {value: colour for group, colour in zip(groups, _RAMP, strict=False) for value in group}
    labels = [
        (f"{group[0]:g}" if len(group) == 1 else f"{group[0]:g}–{group[-1]:g}", colour)
        for group, colour in zip(groups, _RAMP, strict=False)
    ]
    return {str(town): colours[count] for town, count in counts.items()}, labels


# ---- the lists -------------------------------------------------------------------------------------


def show_lists(district: District, chosen: Sequence[Request]) -> None:
    """List the requests department by department, those that hold up most rules first."""
    labels = {key: spec.label for key, spec in district.registry.layers.items()}
    columns = [
        TableColumn("what", "需要什么"),
        TableColumn("kind", "类别"),
        TableColumn("towns", "街镇"),
        TableColumn("blanks", "要填", "格", 0, help="名册中空白或“未知”的格;整本缺的不计"),
        TableColumn("rules", "标准", "条", 0, help="等着它才能判定的标准"),
        TableColumn("cells", "判定", "格", 0, help="因此答不出的判定(一条标准在一个街镇为一格)"),
    ]
    for department in dict.fromkeys(one.department for one in chosen):
        own = [one for one in chosen if one.department == department]
        rules = {rule.id for one in own for rule in one.rules}
        st.html(html.part(department))
        show_table(
            f"{len(own)} 项" + (f",涉及 {len(rules)} 条标准" if rules else "") + ";标准多的在前,点一行看详情",
            columns,
            [_row(one, district, labels) for one in own],
            key=f"requests-{department}",
            selected=in_focus(chosen),
            on_pick=focus,
            height="none",
        )


def _row(one: Request, district: District, labels: Mapping[str, str]) -> dict[str, object]:
    return {
        "key": one.id,
        "what": one.what,
        "kind": one.kind,
        "towns": _towns(one.towns, district),
        "blanks": len(one.blanks) or None,
        "rules": len(one.rules) or None,
        "cells": len(one.cells) or None,
    }


def _towns(towns: Sequence[str], district: District, named: int = 3) -> str:
    """Name a few towns, count many."""
    own = [town for town in towns if town not in (NOWHERE, WHOLE)]
    if not own:
        return "、".join(towns)
    more = ",另有街镇未详" if NOWHERE in towns else ""
    if len(own) == len(district.towns):
        return f"全部{len(own)}个{more}"
    return ("、".join(own) if len(own) <= named else f"{len(own)}个街镇") + more


def in_focus(chosen: Sequence[Request]) -> str | None:
    """Give the request that the address names, if it is on the list."""
    wanted_ = address.get(_REQUEST)
    return wanted_ if any(one.id == wanted_ for one in chosen) else None


def focus(request: str | None) -> None:
    """Open a request; opening the open one, or None, closes it."""
    address.put({_REQUEST: None if request == address.get(_REQUEST) else request})


def show_focus(district: District, found: Assessment, chosen: Sequence[Request]) -> None:
    """Show the request that is open, and the town that is open."""
    one = next((one for one in chosen if one.id == in_focus(chosen)), None)
    if one is not None:
        st.html(html.card(one.what, [(one.kind, False)], _pairs(district, one)))
        st.button("关闭", on_click=focus, args=(None,), key="close-request")
    town = mapview.town_in_focus(district)
    if town is not None:
        cells = {cell for one in chosen for cell in one.cells if cell[1] == town}
        asked = sum(town in one.towns for one in chosen)
        lines = [
            ("要补报", f"{asked} 项(另有面向全区的 {sum(WHOLE in one.towns for one in chosen)} 项)"),
            ("答不出的判定", f"{len(cells)} 格({found.year}年)"),
        ]
        details.show_town(district, town, lines)


def _pairs(district: District, one: Request) -> list[tuple[str, str]]:
    pairs = [("由谁补报", one.department)]
    if one.layer:
        pairs.append(("图层", district.registry.layers[one.layer].label))
    pairs.append(("街镇", _towns(one.towns, district, named=len(district.towns) - 1)))
    if one.blanks:
        named = "、".join(dict.fromkeys(blank.name for blank in one.blanks[:_NAMED]))
        more = f"……共 {len(one.blanks)} 格" if len(one.blanks) > _NAMED else f"(共 {len(one.blanks)} 格)"
        pairs.append(("要填的记录", named + more))
        asked = wanted_files.entries(one, district)
        values = list(dict.fromkeys(value for entry in asked for value in entry.values))
        if 0 < len(values) <= 9:
            pairs.append(("可填的值", "、".join(values)))
    if one.note:
        pairs.append(("现在的处理", one.note))
    pairs += [
        ("等它的标准", f"{rule.title}[{rule.id}],{words.document(district, rule.document, rule.clause)}")
        for rule in one.rules
    ]
    if one.document:
        pairs.append(("文件条款", words.document(district, one.document, one.clause)))
    if one.cells:
        pairs.append(("因此答不出", f"{len(one.cells)} 格"))
    return pairs


# ---- the form --------------------------------------------------------------------------------------


def offer(
    district: District, found: Assessment, chosen: Sequence[Request], choice: Choice, year: int
) -> None:
    """Offer the form to send round: a sheet for each department, with blanks to fill in."""
    when = today()
    labels = {key: spec.label for key, spec in district.registry.layers.items()}
    assumed = "、".join(one.title for one in found.assumptions)
    about = export.Metadata(
        title=f"{district.settings.short_name}数据补报清单({year}年)",
        when=when,
        filter=choice.words(labels),
        standard="各条标准见“涉及标准”“条款”两列" + (f";采用的假定:{assumed}" if assumed else ""),
        sources=(
            *words.documents(district, (rule.document for one in chosen for rule in one.rules)),
            *source.imported_for(rule for one in chosen for rule in one.rules),
            words.population_line(district, year),
        ),
        notices=(district.boundary_notice,),
    )
    st.download_button(
        "下载补报表(Excel,每部门一张表)",
        who.taken_as_is("数据补报清单", lambda: wanted_files.workbook(chosen, district, about)),
        file_name=export.file_name(
            district.settings.short_name, "数据补报清单", f"{year}年", when=when, suffix="xlsx"
        ),
        mime=EXCEL,
        on_click="ignore",
        key="download-requests",
        type="primary",
        width="stretch",
        disabled=not chosen,
    )
    st.html(
        html.note(
            "黄色列供填写,有下拉选项;缺整本名册的附空白名册表。填好后原样发回。演示数据不能代替真实名册,本清单一律不计。"
        )
    )
