"""What the page 短板清单 shows: the choices, the matrix, the key figures, and one town with one rule in full."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from qjmap import shortlist, summary
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
from qjmap.layers import LayerSpec
from qjmap.registers import has_demo
from qjmap.shortlist import Choice, Line
from qjmap.standards import CUSTOM, Rule
from qjmap.ui import details, frame, html, judging, mapview, source, words
from qjmap.ui.html import Figure
from qjmap.ui.marks import marks, notices
from qjmap.ui.matrix import Cell, Place, Row, Sign, show_matrix
from qjmap.ui.table import TableColumn, show_table
from qjmap.webmap import PALETTE, CoverageDrawing, MarkLayer, MarkStyle, Scene, Zone

SIGNS = (
    Sign("short", "×", SHORT),
    Sign("short-possible", "×", "短缺(可能,取决于定位)"),
    Sign("unknown", "?", UNKNOWN),
    Sign("unknown-possible", "?", "数据不足(可能短缺)"),
    Sign("met", "✓", MET),
    Sign("none", "–", NOT_APPLICABLE),
)
CORNERS = {"demo": "依据演示数据", "assumed": "依据假定"}

#: What a rule comes to → the colour of a town on the map.
_SHADES = {SHORT: "#e8a981", UNKNOWN: "#d9dcdf", MET: "#cfe5e6", NOT_APPLICABLE: "#ffffff"}

#: Few to many shortages, one hue, light to dark: legible in grey.
_RAMP = ("#fbe9dd", "#f3c7a8", "#e8a176", "#d57a45", "#b8541c")

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
    wanted = st.query_params.get("rule")
    return wanted if any(one.rule.id == wanted for one in found) else None


def focus(rule: str | None, town: str | None) -> None:
    """Open a rule in a town (either may be None); what is open already is closed again."""
    _close_record()
    if (rule, town) == (st.query_params.get("rule"), st.query_params.get("town")):
        rule = town = None
    for name, value in (("rule", rule), ("town", town)):
        if value is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = value


def focus_rule(rule: str) -> None:
    """Open a rule in the town that is open."""
    _close_record()
    st.query_params["rule"] = rule


def focus_town(town: str) -> None:
    """Open a town with the rule that is open."""
    _close_record()
    st.query_params["town"] = town


def _close_record() -> None:
    mapview.focus_record(None)


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
        selected=(st.query_params.get("rule"), mapview.town_in_focus(district)),
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
        where = "只对全区判定" if line.district_only else f"{line.short_towns()}个街镇短缺"
        sub = where if math.isnan(people) else f"{where},影响{words.people(people)}人"
    elif line.district_only:
        sub = f"{rule.department};只对全区判定"
    if rule.custom:
        sub = f"{CUSTOM};{sub}"
    base = f"分母:{line.whole.base_text}" if line.whole.base_text else "分母:见各街镇"
    return Row(
        rule.id,
        rule.title,
        sub,
        [None if (one := line.findings.get(place)) is None else cell(one) for place in places],
        tag="约束" if rule.binding == shortlist.BINDING else "",
        help="\n".join(
            (f"{rule.title}:{rule.target}", f"编号 {rule.id}", words.rule_source(district, rule), base)
        ),
    )


def cell(one: Finding) -> Cell:
    """Make one answer a cell of the matrix."""
    key = {SHORT: "short", UNKNOWN: "unknown", MET: "met", NOT_APPLICABLE: "none"}[one.status]
    if one.certainty == POSSIBLE and one.status in (SHORT, UNKNOWN):
        key += "-possible"
    corners = []
    if one.status != NOT_APPLICABLE:
        corners = ["demo"] * one.demo + ["assumed"] * bool(one.assumptions)
    return Cell(key, brief(one), tuple(corners))


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
    """Write a number with as many decimals as it needs to say something."""
    whole = abs(value - round(value)) < 5e-3
    return words.number(value, 0 if whole or abs(value) >= 1000 else 1 if abs(value) >= 0.1 else 2)


# ---- one answer in full ----------------------------------------------------------------------------


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
            "gap": lacking(line.findings[town]).removeprefix("差 "),
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
            "gap": lacking(one).removeprefix("差 "),
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


# ---- the map ---------------------------------------------------------------------------------------


def records(rule: Rule | None, *, demo: bool) -> dict[str, pd.DataFrame]:
    """Give the registers that a rule reads."""
    keys = () if rule is None else dict.fromkeys((*rule.layers, *rule.to))
    loaded = {key: frame.load_layer(key, demo=demo) for key in keys}
    return {key: layer.frame for key, layer in loaded.items() if layer is not None}


def show_map(
    district: District,
    found: Assessment,
    chosen: Sequence[Line],
    line: Line | None,
    town: str | None,
    frames: dict[str, pd.DataFrame],
) -> None:
    """Draw the map: how many rules each town falls short of, or how one rule stands and where its gap lies."""
    shades, title, legend = _shades(district, chosen, line, town)
    layers, ids, drawing = _contents(district, found, line, town, frames)
    bounds = None if town is None else mapview.town_bounds(district, town)
    if bounds is not None and layers:  # room for the legend below the town
        west, south, east, north = bounds
        bounds = (west, south - 0.3 * (north - south), east, north)
    invented = any(has_demo(rows) for rows in frames.values()) or (line is not None and line.whole.demo)
    wanted = mapview.record_in_focus()
    scene = Scene(
        layers=layers,
        coverage=drawing,
        shades={} if drawing is not None else shades,
        shade_title=title,
        shade_legend=legend,
        town=town,
        focus=None if town is None or bounds is None else (town, bounds),
        chosen=_chosen(district, frames, wanted),
        notices=notices(district, demo=invented),
    )
    with st.container(key="small-map"):
        mapview.show_map(district, scene, ids, key="map-shortages")


def _shades(
    district: District, chosen: Sequence[Line], line: Line | None, town: str | None
) -> tuple[dict[str, str], str, list[tuple[str, str]]]:
    towns = [str(town) for town in district.towns.index]
    if line is None:
        colours, legend = count_shades(shortlist.shortages_by_town(chosen, towns))
        return colours, "短缺的标准(条)", legend
    states = {one: line.findings[one].status for one in (towns if town is None else [town])}
    colours = {one: _SHADES[status] for one, status in states.items()}
    if town is not None:  # the card beside the map says it, and a legend would lie over the town
        return colours, "", []
    present = [status for status in shortlist.ORDER if status in states.values()]
    return colours, "结论", [(status, _SHADES[status]) for status in present]


def count_shades(counts: Mapping[str, int]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Colour towns by a count in up to five classes of equal width; a town without any stays white.

    Returns
    -------
    dict, list
        Town → colour; (label, colour) for the legend.
    """
    some = [count for count in counts.values() if count]
    if not some:
        return dict.fromkeys(counts, "#ffffff"), [("没有短缺", "#ffffff")]
    low, width = min(some), math.ceil((max(some) - min(some) + 1) / len(_RAMP))
    colours = {town: _RAMP[(count - low) // width] if count else "#ffffff" for town, count in counts.items()}
    legend = [("0", "#ffffff")] if len(some) < len(counts) else []
    for number, colour in enumerate(_RAMP):
        first = low + number * width
        last = min(first + width - 1, max(some))
        if first <= last:
            legend.append((f"{first}" if first == last else f"{first}–{last}", colour))
    return colours, legend


def _contents(
    district: District,
    found: Assessment,
    line: Line | None,
    town: str | None,
    frames: dict[str, pd.DataFrame],
) -> tuple[list[MarkLayer], dict[str, list[str]], CoverageDrawing | None]:
    """Give the marks of the town in focus, its gap among them, and the circles of a rule with a radius."""
    if line is None or town is None:
        return [], {}, None
    gap = found.gap(line.rule.id, town)
    layers, ids = [], {}
    for key, rows in frames.items():
        here = summary.placed(rows[rows["town"] == town])
        layers.append(_marks(district, district.registry.layers[key], here, gap))
        ids[key] = [str(one) for one in here["id"]]
    rule = line.rule
    if rule.kind != "radius" or not rule.metric or rule.within or rule.figure is None:
        return layers, ids, None
    if line.findings[town].status not in (SHORT, MET) or rule.layers[0] not in frames:
        return layers, ids, None
    serving = summary.placed(found.counted(rule.id))
    layers.append(marks(district, district.registry.layers[rule.layers[0]], serving, visible=False))
    zone = Zone(rule.figure.of(str(district.towns.loc[town, "setting"])), [town])
    error = serving["error_m"].fillna(0).to_numpy(dtype=float)
    return layers, ids, CoverageDrawing(of=len(layers) - 1, zones=[zone], error_m=error)


def _marks(district: District, spec: LayerSpec, here: pd.DataFrame, gap: object) -> MarkLayer:
    """Draw the town's records; those that are the gap itself in the colour of what is short."""
    missing = gap_records(here, gap)
    if not missing.any():
        return marks(district, spec, here)
    invented = (here["source"] == "演示").to_numpy(dtype=bool)
    styles = [
        MarkStyle(spec.label),
        MarkStyle(f"{spec.label}(演示)", colour=PALETTE["muted_facility"]),
        MarkStyle(f"{spec.label}:短缺", colour=PALETTE["warn"]),
        MarkStyle(f"{spec.label}(演示):短缺", colour=PALETTE["warn"]),
    ]
    return marks(district, spec, here, styled=(styles, (invented + 2 * missing).astype(np.uint8)))


def gap_records(here: pd.DataFrame, gap: object) -> np.ndarray:
    """Tell which placed records are points of a gap: (n,) bool."""
    if getattr(gap, "geom_type", "") not in ("Point", "MultiPoint"):
        return np.zeros(len(here), dtype=bool)
    points = {(one.x, one.y) for one in getattr(gap, "geoms", [gap])}
    return np.array([one in points for one in zip(here["x"], here["y"], strict=True)], dtype=bool)


def _chosen(
    district: District, frames: dict[str, pd.DataFrame], wanted: str | None
) -> tuple[float, float, float] | None:
    for rows in frames.values():
        here = summary.placed(rows[rows["id"] == wanted])
        if len(here):
            one = here.iloc[0]
            lon, lat = district.projection.to_degrees([one["x"]], [one["y"]])
            return float(lon[0]), float(lat[0]), float(np.nan_to_num(one["error_m"]))
    return None


# ---- beside the map --------------------------------------------------------------------------------


def show_focus(
    district: District, found: Assessment, chosen: Sequence[Line], line: Line | None, town: str | None
) -> None:
    """Show what is open: a rule in a town, a rule, a town, or nothing yet."""
    if line is not None:
        show_answer(district, found.row(line.rule.id, town or WHOLE))
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
    kept = {key: value for key, value in st.query_params.items() if key in _CARRIED}
    st.page_link("pages/town.py", label=f"{town}的街镇画像(可打印)", query_params={**kept, "town": town})


#: What a link to another page takes with it.
_CARRIED = ("demo", "judged-year", "assume", "figures")


def rests_on(found: Assessment) -> list[str]:
    """Say at the foot which assumptions and which figures of one's own the page rests on."""
    said = [f"采用的假定:{'、'.join(one.title for one in found.assumptions)}"] if found.assumptions else []
    own = dict.fromkeys(one.rule.title for one in found if one.rule.custom)
    return said + ([f"{CUSTOM}的标准:{'、'.join(own)}"] if own else [])
