"""What the page 短板清单 shows: the choices, the matrix, the key figures, and one town with one rule in full."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from qjmap import shortlist
from qjmap.assess import (
    MET,
    NOT_APPLICABLE,
    NOWHERE,
    POSSIBLE,
    SHORT,
    UNKNOWN,
    WHOLE,
    Assessment,
    Finding,
)
from qjmap.district import District
from qjmap.shortlist import Choice, Line
from qjmap.standards import CUSTOM
from qjmap.ui import address, answers, details, html, judging, mapview, source, words
from qjmap.ui.figures import write as write_figures
from qjmap.ui.html import Figure
from qjmap.ui.matrix import Cell, Place, Row, Sign, show_matrix
from qjmap.ui.table import TableColumn, show_table

SIGNS = (
    Sign("short", "×", SHORT),
    Sign("short-possible", "×", "短缺(可能,取决于定位)"),
    Sign("unknown", "?", UNKNOWN),
    Sign("unknown-possible", "?", "数据不足(可能短缺)"),
    Sign("met", "✓", MET),
    Sign("none", "–", NOT_APPLICABLE),
)
CORNERS = {"demo": "依据演示数据", "assumed": "依据假定"}

_GROUPS = {
    SHORT: "有短缺的标准",
    UNKNOWN: "数据不足、答不出的标准(既不算短缺,也不算达标)",
    MET: "全部达标的标准",
    NOT_APPLICABLE: "本年不适用的标准",
}


# ---- choices ---------------------------------------------------------------------------------------


def choose(district: District) -> Choice:
    """Ask which rules are looked at: whose, by which answer, on which register, by name."""
    rules = source.standards().enabled()
    departments = list(dict.fromkeys(rule.department for rule in rules))
    layers = {key: spec.label for key, spec in district.registry.layers.items()}
    used = [key for key in layers if any(key in (*rule.layers, *rule.to) for rule in rules)]
    chosen = st.sidebar.multiselect(
        "责任部门",
        departments,
        key="department",
        bind="query-params",
        placeholder="全部部门",
        select_all=False,
    )
    statuses = st.sidebar.pills(
        "结论", [SHORT, UNKNOWN, MET], selection_mode="multi", key="answer", bind="query-params"
    )
    text = st.sidebar.text_input(
        "查找标准", key="find", bind="query-params", placeholder="标准名称、编号或条款", max_chars=60
    )
    on = st.sidebar.multiselect(
        "涉及图层",
        used,
        format_func=lambda key: layers[key],
        key="on",
        bind="query-params",
        placeholder="全部图层",
        select_all=False,
    )
    return Choice(tuple(chosen), tuple(statuses or ()), tuple(on), text or "")


def rule_in_focus(found: Assessment) -> str | None:
    """Give the rule that the address names, if it was judged."""
    wanted = address.get("rule")
    return wanted if any(one.rule.id == wanted for one in found) else None


def focus(rule: str | None, town: str | None) -> None:
    """Open a rule in a town (either may be None); what is open already is closed again."""
    if (rule, town) == (address.get("rule"), address.get("town")):
        rule = town = None
    address.put({"rule": rule, "town": town, "record": None})


def focus_rule(rule: str) -> None:
    """Open a rule in the town that is open."""
    address.put({"rule": rule, "record": None})


def focus_town(town: str) -> None:
    """Open a town with the rule that is open."""
    address.put({"town": town, "record": None})


# ---- figures and the matrix ------------------------------------------------------------------------


def figures(chosen: Sequence[Line], district: District, year: int) -> list[Figure]:
    """Say how many rules come to what, and how many people binding shortages touch."""
    sums = shortlist.totals(chosen)
    of = f"共 {sums.number} 条"
    binding = "、".join(f"{status}{n}" for status, n in sums.binding.items() if n)
    total = district.total(year).total
    return [
        Figure(
            "有短缺",
            words.number(sums.rules[SHORT]),
            "条",
            of,
            short=sums.rules[SHORT] > 0,
            help="至少有一处短缺的标准",
        ),
        Figure(
            "数据不足",
            words.number(sums.rules[UNKNOWN]),
            "条",
            of,
            help="没有一处确定短缺,但有的地方答不出:缺名册或有未知项。不算短缺,也不算达标",
        ),
        Figure("达标", words.number(sums.rules[MET]), "条", of, help="所有适用的地方都达到要求"),
        Figure("不适用", words.number(sums.rules[NOT_APPLICABLE]), "条", of),
        Figure(
            "约束性短缺影响",
            words.people(sums.people_binding),
            "人",
            f"约束性标准{sum(sums.binding.values())}条:{binding or '无'}",
            short=sums.people_binding > 0,
            help="至少有一条约束性标准短缺的街镇人口,同一人不重复计算",
        ),
        Figure(
            "全部短缺影响",
            words.people(sums.people),
            "人",
            f"至少;全区{words.people(total)}人({year}年)",
            short=sums.people > 0,
            help="至少有一条标准短缺的地方的人口,同一人不重复计算,按街镇内均匀分布估算",
        ),
    ]


def show_list(district: District, chosen: Sequence[Line], *, year: int, height: str) -> None:
    """Show the matrix: rules that weigh most first, towns worst first, the district and 街镇未详 apart."""
    towns = shortlist.worst_first(chosen, [str(town) for town in district.towns.index])
    counts = shortlist.shortages_by_town(chosen, [*towns, NOWHERE])
    places = [Place(WHOLE, WHOLE)]
    places += [Place(town, town, str(counts[town]), apart=number == 0) for number, town in enumerate(towns)]
    if any(NOWHERE in line.findings for line in chosen):
        places.append(Place(NOWHERE, NOWHERE, str(counts[NOWHERE]), apart=True))
    groups: dict[str, list[Row]] = {}
    for line in chosen:
        title = _GROUPS[line.status]
        groups.setdefault(title, []).append(_row(district, line, [place.key for place in places]))
    shown = {f"{title} {len(rows)} 条": rows for title, rows in groups.items()}
    used = {cell.sign for rows in groups.values() for row in rows for cell in row.cells if cell}
    corners = {
        corner
        for rows in groups.values()
        for row in rows
        for cell in row.cells
        if cell
        for corner in cell.corners
    }
    show_matrix(
        f"{year}年各街镇对照各条标准;左边的标准最要紧的在前,上边的街镇最短缺的在前",
        "标准(最要紧的在前)",
        places,
        shown,
        [sign for sign in SIGNS if sign.key in used],
        {key: label for key, label in CORNERS.items() if key in corners},
        key="shortages",
        selected=(address.get("rule"), mapview.town_in_focus(district)),
        on_pick=pick,
        height=height,
    )


def pick(rule: str | None, town: str | None) -> None:
    """Open what was clicked; 全区 and 街镇未详 are no towns of their own."""
    focus(rule, None if town in (WHOLE, NOWHERE) else town)


def _row(district: District, line: Line, places: Sequence[str]) -> Row:
    rule = line.rule
    sub = rule.department
    if line.status == SHORT:
        people = line.whole.people
        where = f"{line.short_towns()}个街镇短缺"
        if line.district_only:
            where = "只对全区判定"
        elif not line.short_towns():
            where = "全区短缺,街镇答不出"
        sub = where if math.isnan(people) else f"{where},影响{words.people(people)}人"
    elif line.district_only:
        sub = f"{rule.department};只对全区判定"
    if rule.custom:
        sub = f"{CUSTOM};{sub}"
    # a rule for the district alone has nothing to say of towns: its row says what the district lacks
    shown = places[:1] if line.district_only else places
    base = f"分母:{line.whole.base_text}" if line.whole.base_text else "分母:见各街镇"
    return Row(
        rule.id,
        rule.title,
        sub,
        [None if (one := line.findings.get(place)) is None else cell(one) for place in shown],
        span=_for_district(line.whole) if line.district_only else "",
        tag="约束" if rule.binding == shortlist.BINDING else "",
        help="\n".join(
            (f"{rule.title}:{rule.target}", f"编号 {rule.id}", words.rule_source(district, rule), base)
        ),
    )


def _for_district(whole: Finding) -> str:
    """Say a district's answer in its row: what is missing, or why it cannot be said."""
    if whole.status == UNKNOWN:
        return whole.reason
    said = [answers.brief(whole)]
    if math.isfinite(whole.have + whole.need):
        said.insert(0, f"现有 {answers.have(whole)}、应有 {answers.figure(whole.need)} {whole.unit}")
    return ",".join(one for one in said if one) or whole.reason


def cell(one: Finding) -> Cell:
    """Make one answer a cell of the matrix."""
    key = {SHORT: "short", UNKNOWN: "unknown", MET: "met", NOT_APPLICABLE: "none"}[one.status]
    if one.certainty == POSSIBLE and one.status in (SHORT, UNKNOWN):
        key += "-possible"
    corners = []
    if one.status != NOT_APPLICABLE:
        corners = ["demo"] * one.demo + ["assumed"] * bool(one.assumptions)
    return Cell(key, answers.brief(one), tuple(corners))


def show_town_shortages(chosen: Sequence[Line], town: str, rule: str | None) -> None:
    """List what a town is short of, weightiest first; a click opens the rule there."""
    short = [line for line in chosen if line.findings[town].status == SHORT]
    if not short:
        st.html(html.note(f"{town}:所选标准中没有确定的短缺。"))
        return
    rows: list[dict[str, object]] = [
        {
            "key": line.rule.id,
            "title": line.rule.title,
            "gap": answers.lacking(line.findings[town]).removeprefix("差 "),
        }
        for line in short
    ]
    show_table(
        f"{town}的短缺 {len(short)} 条;点一行看这一条",
        [TableColumn("title", "标准"), TableColumn("gap", "缺口")],
        rows,
        key="town-shortages",
        selected=rule,
        on_pick=focus_rule,
        height="22rem",
    )


def show_rule_towns(line: Line, town: str | None) -> None:
    """List the towns that a rule finds short, most people first; a click opens the town."""
    short = sorted(
        (one for one in line.towns if one.status == SHORT), key=lambda one: -np.nan_to_num(one.people)
    )
    if not short:
        return
    rows: list[dict[str, object]] = [
        {
            "key": one.town,
            "gap": answers.lacking(one).removeprefix("差 "),
            "people": None if math.isnan(one.people) else float(one.people),
        }
        for one in short
    ]
    show_table(
        f"短缺的街镇 {len(short)} 个;点一行到该街镇",
        [TableColumn("key", "街镇"), TableColumn("gap", "缺口"), TableColumn("people", "影响人口", "人", 0)],
        rows,
        key="rule-towns",
        selected=town,
        on_pick=focus_town,
        height="22rem",
    )


def show_record(district: District, frames: dict[str, pd.DataFrame]) -> None:
    """Show the record that was clicked on the map."""
    wanted = mapview.record_in_focus()
    for key, rows in frames.items() if wanted else ():
        here = rows[rows["id"] == wanted]
        if len(here):
            details.show_record(district, district.registry.layers[key], here.iloc[0])


# ---- beside the map --------------------------------------------------------------------------------


def show_focus(
    district: District, found: Assessment, chosen: Sequence[Line], line: Line | None, town: str | None
) -> None:
    """Show what is open: a rule in a town, a rule, a town, or nothing yet."""
    if line is not None:
        answers.show_answer(district, found.row(line.rule.id, town or WHOLE))
        st.button("关闭这条标准", on_click=focus, args=(None, town), key="close-rule")
    if town is not None:
        if line is None:
            details.show_town(district, town, [])
        link_to_sheet(town)
        show_town_shortages(chosen, town, None if line is None else line.rule.id)
    elif line is not None:
        show_rule_towns(line, town)


def link_to_sheet(town: str) -> None:
    """Lead to the town's own page with the same year, assumptions and figures."""
    # Not from `st.query_params`: on the first run of a link it lacks what widgets are bound to.
    known, state = judging.assumptions(), st.session_state
    kept: dict[str, str | list[str]] = {"town": town, "judged-year": str(state["judged-year"])}
    if not state.get("demo", True):
        kept["demo"] = "false"
    if state.get("assume"):
        kept["assume"] = [known[key].title for key in state["assume"]]
    if own := judging.custom_figures():
        kept["figures"] = write_figures(own)
    st.page_link("pages/town.py", label=f"{town}的街镇画像(可打印)", query_params=kept)


def rests_on(found: Assessment) -> list[str]:
    """Say at the foot which assumptions and which figures of one's own the page rests on."""
    said = [f"采用的假定:{'、'.join(one.title for one in found.assumptions)}"] if found.assumptions else []
    own = dict.fromkeys(one.rule.title for one in found if one.rule.custom)
    said += [f"{CUSTOM}的标准:{'、'.join(own)}"] if own else []
    return said + source.imported_for(one.rule for one in found)


def custom_figures() -> dict[str, float | dict[str, float]]:
    """Give a person's own figures, and while there are any the way back to the documents'."""
    own = judging.custom_figures()
    if own:
        st.sidebar.button(
            f"恢复文件数值({len(own)} 条{CUSTOM})", on_click=judging.reset_figures, key="reset-figures"
        )
    return own
