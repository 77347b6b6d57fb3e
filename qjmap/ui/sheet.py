"""One town's sheet, set so that it prints: everything on the page itself, nothing behind a click."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from qjmap import portrait, scenes, shortlist, summary
from qjmap.assess import MET, NOT_APPLICABLE, SHORT, UNKNOWN, Finding
from qjmap.district import District
from qjmap.errors import DataError
from qjmap.registers import Layer, lies_in
from qjmap.shortlist import Line
from qjmap.standards import CUSTOM
from qjmap.ui import address, answers, html, mapview, source, words
from qjmap.ui.downloads import today
from qjmap.ui.html import Figure
from qjmap.webmap import Scene

if TYPE_CHECKING:
    from qjmap.export import Metadata

_KEY = "sheet-town"

#: Characters of a cell that stays on one line.
_SHORT = 14

#: Layers of more records than this in a town are counted below the map, not drawn over everything else.
_DRAWN = 150


def choose_town(district: District) -> str:
    """Ask for the town; it stands in the address, so that a link opens this very sheet."""
    towns = [str(town) for town in district.towns.index]
    before = st.session_state.get(_KEY)
    town = mapview.town_in_focus(district) or (before if before in towns else towns[0])
    st.session_state[_KEY] = town
    if address.get("town") != town:
        address.put({"town": town})

    def changed() -> None:
        address.put({"town": st.session_state[_KEY], "record": None})

    st.sidebar.selectbox("街镇", towns, key=_KEY, on_change=changed)
    return town


def head(district: District, town: str, year: int, *, demo: bool) -> str:
    """Set the sheet's title, what town it is, and on which day; and whether anything on it is invented."""
    row = district.towns.loc[town]
    lead = (
        f"{district.name},{row['kind']}({row['setting']});按{year}年人口和各条文件标准核对;{today():%Y-%m-%d}"
    )
    warning = "含演示数据(程序编造,非真实记录),不能作为工作依据;注有“演示”的各项都是。"
    return html.head(f"{town}画像", lead) + (html.note(warning, demo=True) if demo else "")


def figures(district: District, lines: Sequence[Line], town: str, year: int) -> list[Figure]:
    """Say how big the town is and how many rules it meets or not."""
    total = district.total(year)
    people, area = _sizes(district, town, year)
    counts = {
        status: len(portrait.answered(lines, town, status))
        for status in (SHORT, UNKNOWN, MET, NOT_APPLICABLE)
    }
    asked = sum(counts.values()) - counts[NOT_APPLICABLE]
    of = f"共 {asked} 条适用的标准"
    return [
        Figure(
            f"人口({year}年估算)",
            words.number(people),
            "人",
            f"占全区 {words.percent(people / total.total)} %",
        ),
        Figure("面积", words.number(area, 1), "平方千米", f"按{district.boundary_kind}量算"),
        Figure("短缺", words.number(counts[SHORT]), "条", of, short=counts[SHORT] > 0),
        Figure("数据不足", words.number(counts[UNKNOWN]), "条", of),
        Figure("达标", words.number(counts[MET]), "条", of),
    ]


def land_and_people(district: District, town: str, year: int) -> str:
    """Set what is known of the town itself."""
    row = district.towns.loc[town]
    people, area = _sizes(district, town, year)
    pairs = [
        (
            f"{total.year}年人口",
            f"{words.number(row[f'population_{total.year}'])} 人{_how(district, total.year)}",
        )
        for total in district.settings.totals
        if f"population_{total.year}" in row
    ]
    pairs.append(("人口密度", f"{words.number(people / area)} 人/平方千米({year}年)"))
    if pd.notna(row["area_km2_quoted"]):
        pairs.append(("公布面积", f"{words.number(row['area_km2_quoted'], 1)} 平方千米"))
    if pd.notna(row["villages_2023"]):
        pairs.append(("村(社区)", f"{words.number(row['villages_2023'])} 个(2023年)"))
    pairs += _listed_people(town)
    beside = portrait.neighbours(district, town)
    pairs.append(("相邻街镇", "、".join(beside) or "界线未知"))
    return html.card("人口与土地", [], pairs)


def _listed_people(town: str) -> list[tuple[str, str]]:
    """Say how many people the list of villages comes to, where an office has filled it in: a sum, not the census."""
    try:
        villages = source.table("villages") if source.has_table("villages") else None
    except DataError:
        return []
    here = villages[villages["town"] == town] if villages is not None else pd.DataFrame({"population": []})
    known = here["population"].dropna()
    if known.empty:
        return []
    said = f"{words.number(known.sum())} 人({len(here)} 个村(社区)中 {len(known)} 个有数)"
    return [("村(社区)表人口合计", said)]


def _sizes(district: District, town: str, year: int) -> tuple[float, float]:
    """Give a town's people in a year and its area in km²."""
    people, area = (
        district.towns[name].astype(float).to_dict() for name in (f"population_{year}", "area_km2")
    )
    return people[town], area[town]


def _how(district: District, year: int) -> str:
    return "(普查)" if year == district.settings.totals[0].year else "(估算)"


def lacks(district: District, found: Sequence[Finding]) -> str:
    """Set what the town lacks, weightiest first, with figure, target, gap and clause."""
    rows = [
        [
            _rule(one),
            f"{one.rule.target}{f'({CUSTOM})' if one.rule.custom else ''}",
            _stand(one),
            answers.gap(one),
            "—" if math.isnan(one.people) else f"{words.people(one.people)}人",
            words.document(district, one.rule.document, one.rule.clause),
            one.rule.department,
        ]
        for one in found
    ]
    heads = ["标准", "要求", "现有 / 应有", "缺口", "影响人口", "依据", "责任部门"]
    return table(f"还缺什么 {len(rows)} 条", heads, rows, "没有确定的短缺。")


def _rule(one: Finding) -> str:
    marks_ = [
        text
        for text, due in (
            ("约束性", one.rule.binding == shortlist.BINDING),
            ("可能", one.certainty == "可能"),
            ("演示", one.demo),
            ("假定", bool(one.assumptions)),
            ("规划数", one.planned),
        )
        if due
    ]
    return one.rule.title + (f"〔{'、'.join(marks_)}〕" if marks_ else "")


def _stand(one: Finding) -> str:
    return f"{answers.have(one)} / {answers.figure(one.need)} {one.unit}"


def has(found: Sequence[portrait.Holding]) -> str:
    """Set what the town has, layer by layer."""
    rows = []
    for one in found:
        if one.empty:
            rows.append([one.spec.label, "—", "还没有这个名册:数据不足,不等于没有", one.spec.department])
            continue
        notes = [f"{one.planned} 处规划、在建"] if one.planned else []
        notes += [f"{one.demo} 处为演示"] if one.demo else []
        what = one.what + (f"({';'.join(notes)})" if notes else "")
        if one.unsaid:
            what = f"{what};" * bool(what) + f"另有 {one.unsaid:,} 条未写明街镇"
        number = words.number(one.count) if one.count or not one.unsaid else "—"
        rows.append([one.spec.label, number, what or "名册中没有", one.spec.department])
    return table("有什么", ["图层", "数量", "内容", "名册部门"], rows, "没有可用的名册。")


def waits(lines: Sequence[Line], town: str) -> str:
    """Set what nobody can answer for the town, and which rules wait for it."""
    rows = [
        [
            reason.removeprefix("缺:"),
            "、".join(rule.title for rule in rules),
            "、".join(dict.fromkeys(r.department for r in rules)),
        ]
        for reason, rules in portrait.unknown(lines, town).items()
    ]
    number = len(portrait.answered(lines, town, UNKNOWN))
    return table(
        f"还不知道什么 {number} 条(不算短缺,也不算达标)",
        ["缺什么资料", "等它来答的标准", "责任部门"],
        rows,
        "没有答不出的标准。",
    )


def meets(lines: Sequence[Line], town: str) -> str:
    """Set what the town meets, as one paragraph."""
    found = portrait.answered(lines, town, MET)
    text = "、".join(_rule(one) for one in found) or "没有确定达标的标准。"
    return f'<section class="qj-sheet"><h2>达标 {len(found)} 条</h2><p>{escape(text)}</p></section>'


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], none: str) -> str:
    """Set a table that prints whole: a heading, heads repeated on every printed page, rows that do not break."""
    if not rows:
        return f'<section class="qj-sheet"><h2>{escape(title)}</h2><p>{escape(none)}</p></section>'
    head_cells = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return (
        f'<section class="qj-sheet"><h2>{escape(title)}</h2>'
        f"<table><thead><tr>{head_cells}</tr></thead><tbody>{body}</tbody></table></section>"
    )


def _cell(text: str) -> str:
    """Set a cell; what is as short as a figure with its unit is not broken."""
    kind = ' class="qj-whole"' if len(text) <= _SHORT else ""
    return f"<td{kind}>{escape(text)}</td>"


def scene(
    district: District, layers: Mapping[str, Layer], town: str
) -> tuple[Scene, dict[str, list[str]], list[str]]:
    """Put the town among its neighbours with what it has on the map; see `scenes.town_scene`."""
    return scenes.town_scene(district, layers, town, most=_DRAWN)


def show_map(district: District, scene: Scene, ids: Mapping[str, list[str]], left_out: Sequence[str]) -> None:
    """Draw the town's map, and say what is not drawn."""
    with st.container(key="sheet-map"):
        mapview.show_map(district, replace(scene, focus=_beside_the_legend(scene.focus)), ids, key="map-town")
    if left_out:
        st.html(html.note(f"数量多、图上未画:{'、'.join(left_out)}。"))


def about(
    district: District, layers: Mapping[str, Layer], town: str, left_out: Sequence[str], year: int
) -> Metadata:
    """Say what the town's map shows and what it rests on."""
    from qjmap.export import Metadata

    frames = [layer.frame[lies_in(layer.frame, [town])] for layer in layers.values()]
    notices = (f"数量多、图上未画:{'、'.join(left_out)}",) if left_out else ()
    return Metadata(
        title=f"{town}设施现状",
        when=today(),
        sources=(
            *words.documents(district, summary.documents_of(frames)),
            *source.imported(layers),
            words.population_line(district, year),
        ),
        notices=(district.boundary_notice, *notices),
    )


def _beside_the_legend(
    focus: tuple[str, tuple[float, float, float, float]] | None,
) -> tuple[str, tuple[float, float, float, float]] | None:
    """Stretch the box to look at to the west, where the legend lies."""
    if focus is None:
        return None
    town, (west, south, east, north) = focus
    return town, (west - 0.55 * (east - west), south, east, north)
