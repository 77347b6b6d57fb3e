"""The meeting screen: a programme is put together beforehand, then shown without anything round it.

What is shown stands in the address (`show`, `every`, `play`), so that a programme is a link. The browser keeps the
clock and the keys (`screen.js`); it only tells the server which scene is next.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from qjmap import portrait, programme, scenes, shortlist, summary
from qjmap.assess import MET, NOT_APPLICABLE, NOWHERE, SHORT, UNKNOWN, Assessment, Finding
from qjmap.district import District
from qjmap.marks import district_bounds, marks, notices
from qjmap.programme import ALL, Item
from qjmap.registers import has_demo
from qjmap.shortlist import Line
from qjmap.ui import address, answers, frame, html, mapview, words
from qjmap.ui.downloads import today
from qjmap.ui.html import Figure
from qjmap.ui.shortages import rests_on
from qjmap.ui.table import TableColumn, show_table
from qjmap.webmap import Scene
from qjmap.wording import summed

_HERE = Path(__file__).parent
_SHOW, _EVERY, _PLAY = "show", "every", "play"
_SECONDS = 15
_WHOLE = "全区"

#: What fits beside the map and can be read from the last row: so many towns, fewer below many figures.
_WORST, _FEWER, _MANY = 5, 4, 5

#: Characters of a title that is set smaller, on two lines.
_LONG = 22


@dataclass(frozen=True)
class Row:
    """A line of the list of the worst: a name, what it lacks, and how long its bar is (0–1)."""

    name: str
    text: str
    share: float


@dataclass(frozen=True)
class Picture:
    """One scene as it is shown."""

    title: str
    lead: str
    figures: Sequence[Figure]
    worst_title: str
    worst: Sequence[Row]
    missing: str
    scene: Scene
    ids: Mapping[str, list[str]]
    sources: Sequence[str]
    demo: bool


class Stage:
    """What scenes are made of: the district and its assessment."""

    def __init__(self, district: District, found: Assessment, *, year: int, demo: bool) -> None:
        self.district, self.found, self.year, self.demo = district, found, year, demo

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The rules, weightiest first."""
        return shortlist.lines(self.found)

    @cached_property
    def towns(self) -> list[str]:
        """The towns, worst first."""
        return shortlist.worst_first(self.lines, [str(town) for town in self.district.towns.index])

    @cached_property
    def people(self) -> dict[str, float]:
        """Town → people of the year."""
        column = self.district.towns[f"population_{self.year}"]
        return {str(town): float(number) for town, number in column.astype(float).items()}

    @cached_property
    def rules(self) -> dict[str, dict[str, Line]]:
        """Theme → rule id → rule: all of them, and those that read a layer."""
        by_layer = {
            key: {one.rule.id: one for one in self.lines if key in one.layers}
            for key in self.district.registry.points
        }
        return {ALL: {one.rule.id: one for one in self.lines}} | by_layer

    def theme(self, key: str) -> str:
        """Name a theme."""
        return "短板" if key == ALL else self.district.registry.layers[key].label

    def name(self, item: Item) -> str:
        """Name a scene in one line."""
        rule = "全部标准" if item.rule is None else self.rules[item.theme][item.rule].rule.title
        return f"{self.theme(item.theme)} · {rule} · {item.town or _WHOLE}"


# ---- the programme ----------------------------------------------------------------------------------


def playing() -> bool:
    """Tell whether the address asks for the show, not for its preparation."""
    return address.get(_PLAY) is not None


def items_of(stage: Stage) -> tuple[list[Item], list[str]]:
    """Give the programme that the address holds, else the suggested one; and what of it is not understood."""
    towns = [str(town) for town in stage.district.towns.index]
    items, strange = programme.read(address.get(_SHOW) or "", stage.rules, towns)
    if not items and (strange or address.get(_SHOW) is None):
        items = programme.suggest(stage.lines, stage.towns)
    return items, strange


def _keep(items: Sequence[Item]) -> None:
    address.put({_SHOW: programme.write(items)})


def _every() -> int:
    return programme.seconds(address.get(_EVERY) or "", _SECONDS)


def prepare(stage: Stage) -> None:
    """Put a programme together: which scenes, in which order, how long each stands."""
    items, strange = items_of(stage)
    st.html(html.head("会议大屏", "先排好场景,再全屏放映。放映时:← → 换场,空格暂停,F 全屏,Esc 退出。"))
    if strange:
        st.html(html.note(f"链接里有 {len(strange)} 个场景看不懂,已略过:{'、'.join(strange[:5])[:120]}"))
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        _list(stage, items)
    with right:
        _add(stage, items)
        _start(items)
    frame.foot(
        stage.district,
        dict.fromkeys(line.rule.document for line in stage.lines),
        stage.year,
        demo=any(one.whole.demo for one in stage.lines),
        more=("放映的链接可以发给别人:打开后是同样的场景。",),
    )


def _list(stage: Stage, items: list[Item]) -> None:
    picked = st.session_state.get("scene-picked")
    rows: list[dict[str, object]] = [
        {
            "key": str(number),
            "place": str(number + 1),
            "theme": stage.theme(item.theme),
            "rule": "全部标准" if item.rule is None else stage.rules[item.theme][item.rule].rule.title,
            "area": item.town or _WHOLE,
        }
        for number, item in enumerate(items)
    ]
    columns = [
        TableColumn("place", "场景"),
        TableColumn("theme", "专题"),
        TableColumn("rule", "标准"),
        TableColumn("area", "范围"),
    ]

    def pick(key: str) -> None:
        st.session_state["scene-picked"] = int(key)

    chosen = picked if isinstance(picked, int) and picked < len(items) else None
    show_table(
        f"共 {len(items)} 个场景,点一行可移动或移除",
        columns,
        rows,
        key="scenes",
        selected=None if chosen is None else str(chosen),
        on_pick=pick,
    )
    up, down, out, again = st.columns(4)
    none = chosen is None
    place = 0 if chosen is None else chosen
    up.button("上移", on_click=_move, args=(stage, -1), disabled=none or place == 0, width="stretch")
    down.button(
        "下移",
        on_click=_move,
        args=(stage, 1),
        disabled=none or place == len(items) - 1,
        width="stretch",
    )
    out.button("移除", on_click=_remove, args=(stage,), disabled=none, width="stretch")
    again.button("恢复推荐场景", on_click=_suggested, width="stretch")


def _move(stage: Stage, by: int) -> None:
    # a click may come before the run that the last one asked for has drawn anything: it means what stands now
    items, place = list(items_of(stage)[0]), st.session_state.get("scene-picked", -1)
    if 0 <= place < len(items) and 0 <= place + by < len(items):
        items[place], items[place + by] = items[place + by], items[place]
        st.session_state["scene-picked"] = place + by
        _keep(items)


def _remove(stage: Stage) -> None:
    items, place = items_of(stage)[0], st.session_state.pop("scene-picked", -1)
    if 0 <= place < len(items):
        _keep([*items[:place], *items[place + 1 :]])


def _suggested() -> None:
    st.session_state.pop("scene-picked", None)
    address.put({_SHOW: None})


def _add(stage: Stage, items: list[Item]) -> None:
    st.html(html.part("加一个场景"))
    theme = st.selectbox("专题", list(stage.rules), format_func=stage.theme, key="scene-theme")
    rules = stage.rules[theme]
    st.selectbox(
        "标准",
        [None, *rules],
        format_func=lambda key: "全部标准" if key is None else rules[key].rule.title,
        key=f"scene-rule-{theme}",
    )
    towns = [str(town) for town in stage.district.towns.index]
    st.selectbox("范围", [None, *towns], format_func=lambda key: key or _WHOLE, key="scene-town")
    full = len(items) >= programme.MOST

    def add() -> None:
        chosen = st.session_state
        one = Item(theme, chosen[f"scene-rule-{theme}"], chosen["scene-town"])
        _keep([*items_of(stage)[0], one][: programme.MOST])

    st.button(
        "加到末尾",
        on_click=add,
        disabled=full,
        width="stretch",
        help=f"最多 {programme.MOST} 个" if full else None,
    )


def _start(items: Sequence[Item]) -> None:
    st.html(html.part("放映"))
    st.session_state.setdefault("scene-every", _every())

    def keep() -> None:
        address.put({_EVERY: str(st.session_state["scene-every"])})

    st.number_input(
        "每个场景停留(秒)",
        programme.SHORTEST,
        programme.LONGEST,
        step=5,
        key="scene-every",
        on_change=keep,
    )

    def start() -> None:
        every = str(st.session_state["scene-every"])
        address.put({_SHOW: programme.write(items), _EVERY: every, _PLAY: "1"})

    st.button("开始放映", type="primary", on_click=start, disabled=not items, width="stretch")


# ---- the show ---------------------------------------------------------------------------------------


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component(
        "qjmap_screen",
        html='<div class="bar"></div>',
        css=(_HERE / "screen.bar.css").read_text(encoding="utf-8"),
        js=(_HERE / "screen.js").read_text(encoding="utf-8"),
    )


def play(stage: Stage) -> None:
    """Show one scene of the programme, large, and nothing else."""
    items, strange = items_of(stage)
    if not items:
        prepare(stage)
        return
    st.html(f"<style>{(_HERE / 'screen.css').read_text(encoding='utf-8')}</style>")
    asked = address.get(_PLAY) or "1"
    place = (int(asked) - 1) % len(items) if asked.isdecimal() and len(asked) < 6 else 0
    picture = picture_of(stage, items[place])
    with st.container(key="screen-head"):
        st.html(_head(stage, picture))
    with st.container(key="screen-map"):
        mapview.show_map(stage.district, picture.scene, picture.ids, key="map-screen")
    with st.container(key="screen-side"):
        st.html(_side(picture))
    with st.container(key="screen-foot"):
        st.html(_foot(stage, picture))

    def go() -> None:
        wanted = getattr(st.session_state.get("screen-keys"), "go", None)  # gone once the show is left
        if wanted == "leave":
            address.put({_PLAY: None})
        elif isinstance(wanted, int):
            address.put({_PLAY: str(wanted % len(items) + 1)})

    with st.container(key="screen-keys-box"):
        _component()(
            key="screen-keys",
            data={
                "place": place,
                "names": [stage.name(item) for item in items],
                "seconds": _every(),
                "strange": len(strange),
            },
            on_go_change=go,
        )


def _head(stage: Stage, picture: Picture) -> str:
    day = today()
    demo = '<span class="qj-invented">含演示数据</span>' if picture.demo else ""
    # what a person changed holds for every scene, and must be said in every scene
    demo += '<span class="qj-invented">含自定值</span>' if any(one.rule.custom for one in stage.found) else ""
    demo += '<span class="qj-invented">含假定</span>' if stage.found.assumptions else ""
    long = " qj-long" if len(picture.title) > _LONG else ""
    return (
        f'<div class="qj-title{long}"><h1>{escape(picture.title)}</h1>{demo}'
        f'<p class="qj-day">{escape(stage.district.settings.short_name)}<br>'
        f"{day.year}年{day.month}月{day.day}日</p></div>"
        f'<p class="qj-lead">{escape(picture.lead)}</p>'
    )


def _side(picture: Picture) -> str:
    figures = "".join(
        f'<div class="qj-big{" qj-short" if one.short else ""}"><dt>{escape(one.label)}</dt>'
        f"<dd><b>{escape(one.value)}</b><i>{escape(one.unit)}</i><small>{escape(one.base)}</small></dd></div>"
        for one in picture.figures
    )
    rows = "".join(
        f'<li><span class="qj-who">{escape(row.name)}</span><span class="qj-what">{escape(row.text)}</span>'
        f'<span class="qj-bar" style="width:{100 * row.share:.1f}%"></span></li>'
        for row in picture.worst[: _FEWER if len(picture.figures) >= _MANY else _WORST]
    )
    worst = f"<h2>{escape(picture.worst_title)}</h2><ol>{rows}</ol>" if rows else ""
    if picture.missing:
        worst = f"<h2>为什么答不出</h2><p>{escape(picture.missing)}</p>" + worst
    return f'<dl class="qj-bigs">{figures}</dl><div class="qj-worst">{worst}</div>'


def _foot(stage: Stage, picture: Picture) -> str:
    lines = [*picture.sources, stage.district.boundary_notice, "分街镇人口为估算"]
    return f"<p>{escape(';'.join(dict.fromkeys([*rests_on(stage.found), *lines])))}</p>"


# ---- one scene --------------------------------------------------------------------------------------


def picture_of(stage: Stage, item: Item) -> Picture:
    """Make a scene: a rule, a theme or everything, in a town or in the district."""
    line = None if item.rule is None else stage.rules[item.theme][item.rule]
    lines = list(stage.rules[item.theme].values())
    frames = _frames(stage, item, line)
    scene, ids = scenes.shortage_scene(
        stage.district, stage.found, lines, line=line, town=item.town, frames=frames, circles=True
    )
    if line is None:
        scene, ids = _with_marks(stage, item, scene, frames)
    whole = district_bounds(stage.district)
    focus = _beside_the_legend(scene.focus or (None if whole is None else (_WHOLE, whole)))
    demo = any(strong for _, strong in scene.notices)
    if line is not None:
        title, lead = _rule_words(stage, line, item.town)
        one = line.whole if item.town is None else line.findings[item.town]
        missing = one.reason if one.status == UNKNOWN else ""
        figures = _rule_figures(stage, line, item.town)
        heading, worst = _worst_of_rule(stage, line, item.town)
        documents = [line.rule.document]
    else:
        missing = ""
        title = f"{item.town or stage.district.settings.short_name}{stage.theme(item.theme)}"
        lead = _lead(stage, item, lines)
        figures = _town_figures(stage, lines, item.town) if item.town else _district_figures(stage, lines)
        heading, worst = _worst_in_town(lines, item.town) if item.town else _worst_towns(stage, lines)
        documents = [one.rule.document for one in lines]
        demo = demo or any(one.whole.demo for one in lines)
    return Picture(
        title=title,
        lead=lead,
        figures=figures,
        worst_title=heading,
        worst=worst,
        missing=missing,
        scene=replace(scene, focus=focus),
        ids=ids,
        sources=_sources(stage, documents),
        demo=demo,
    )


def _beside_the_legend(
    focus: tuple[str, tuple[float, float, float, float]] | None,
) -> tuple[str, tuple[float, float, float, float]] | None:
    """Stretch the box to look at to the south-west, where the legend lies."""
    if focus is None:
        return None
    name, (west, south, east, north) = focus
    return name, (west - 0.3 * (east - west), south - 0.04 * (north - south), east, north)


def _frames(stage: Stage, item: Item, line: Line | None) -> dict[str, pd.DataFrame]:
    keys = dict.fromkeys(line.layers if line is not None else () if item.theme == ALL else (item.theme,))
    loaded = {key: frame.load_layer(key, demo=stage.demo) for key in keys}
    return {key: layer.frame for key, layer in loaded.items() if layer is not None}


def _with_marks(
    stage: Stage, item: Item, scene: Scene, frames: Mapping[str, pd.DataFrame]
) -> tuple[Scene, dict[str, list[str]]]:
    """Put a theme's records on the map over the towns' shades."""
    layers, ids = [], {}
    for key, rows in frames.items():
        here = summary.placed(rows if item.town is None else rows[rows["town"] == item.town])
        layers.append(marks(stage.district, stage.district.registry.layers[key], here))
        ids[key] = [str(one) for one in here["id"]]
    invented = any(strong for _, strong in scene.notices) or any(has_demo(rows) for rows in frames.values())
    return replace(scene, layers=layers, notices=notices(stage.district, demo=invented)), ids


def _sources(stage: Stage, documents: Sequence[str]) -> list[str]:
    """Name the documents; many of them as a number, for nobody reads ten titles from the last row."""
    named = words.documents(stage.district, documents)
    many = f"依据 {len(named)} 份文件,见“短板清单”" if len(named) > 2 else f"依据:{'、'.join(named)}"
    total = stage.district.total(stage.year)
    return [many, f"人口:{stage.year}年 {total.total:,} 人"]


def _rule_words(stage: Stage, line: Line, town: str | None) -> tuple[str, str]:
    rule = line.rule
    custom = ";自定值" if rule.custom else ""
    title = rule.title if town is None else f"{town}:{rule.title}"
    return title, f"要求:{rule.target}{custom}。{words.document(stage.district, rule.document, rule.clause)}"


def _rule_figures(stage: Stage, line: Line, town: str | None) -> list[Figure]:
    one = line.whole if town is None else line.findings[town]
    short = one.status == SHORT
    found = [Figure("结论", one.status, "", _sure(one), short=short)]
    if one.status in (SHORT, MET) and math.isfinite(one.value):
        base = one.base_text.partition("(")[0]
        unit = _in_short(one.value_unit)
        found.append(Figure("现值", answers.figure(one.value), unit, base, short=short))
    if short and math.isfinite(one.shortfall):
        have_need = f"现有 {answers.have(one)},应有 {answers.figure(one.need)}"
        if summed(one):
            have_need = f"短缺之处相加;合计{have_need}"
        found.append(
            Figure(
                "缺口",
                answers.gap(one),
                "",
                f"{have_need}\u00a0{one.unit}",
                short=True,
            )
        )
    if short and math.isfinite(one.people):
        found.append(_people(stage, one.people, town))
    if town is None and not line.district_only:
        asked = sum(1 for other in line.towns if other.status != NOT_APPLICABLE)
        unknown = sum(1 for other in line.towns if other.status == UNKNOWN)
        said = f"适用的 {asked} 个街镇中" + (f",{unknown} 个数据不足" if unknown else "")
        number = line.short_towns()
        found.append(Figure("短缺街镇", words.number(number), "个", said, short=number > 0))
        found += (
            [Figure("数据不足", words.number(unknown), "个街镇", "不算短缺,也不算达标")] if unknown else []
        )
    return found[:5]


def _in_short(unit: str) -> str:
    """Write a unit as there is room for beside a large figure: 张/千人 for 张/每1000人."""
    for number, word in (("每1000", "千"), ("每10000", "万"), ("每100000", "十万")):
        if re.search(rf"{number}(?!\d)", unit):
            return unit.replace(number, word)
    return unit


def _sure(one: Finding) -> str:
    said = [f"把握:{one.certainty}"] if one.certainty else []
    said += ["依据演示数据"] if one.demo else []
    said += ["规划数"] if one.planned else []
    said += ["依据假定"] if one.assumptions else []
    return ";".join(said)


def _people(stage: Stage, people: float, town: str | None, how: str = "") -> Figure:
    if town is None:
        total, of = float(stage.district.total(stage.year).total), "全区"
    else:
        total, of = stage.people[town], town
    text = words.people(people)
    value, unit = (text[:-1], "万人") if text.endswith("万") else (text, "人")
    said = f"{how}{of}{words.people(total)}人的 {words.percent(people / total)}\u00a0%"
    return Figure("影响人口", value, unit, said, short=True)


def _lead(stage: Stage, item: Item, lines: Sequence[Line]) -> str:
    if item.town is not None:
        return f"{len(lines)} 条标准在{item.town}的结论({stage.year}年)"
    what = "" if item.theme == ALL else f"涉及{stage.theme(item.theme)}的 "
    return f"{what}{len(lines)} 条标准,{len(stage.district.towns)} 个街镇({stage.year}年)"


def _district_figures(stage: Stage, lines: Sequence[Line]) -> list[Figure]:
    sums = shortlist.totals(lines)
    other = sums.rules[NOT_APPLICABLE]
    of = f"共 {sums.number} 条标准" + (f",{other} 条不适用" if other else "")
    found = [
        Figure("有短缺", words.number(sums.rules[SHORT]), "条", of, short=sums.rules[SHORT] > 0),
        Figure("数据不足", words.number(sums.rules[UNKNOWN]), "条", f"{of};不算短缺,也不算达标"),
        Figure("达标", words.number(sums.rules[MET]), "条", of),
    ]
    if sums.people > 0:
        found.append(_people(stage, sums.people, None, "至少;含只对全区判定的标准;"))
    return found


def _town_figures(stage: Stage, lines: Sequence[Line], town: str) -> list[Figure]:
    counts = {
        status: len(portrait.answered(lines, town, status))
        for status in (SHORT, UNKNOWN, MET, NOT_APPLICABLE)
    }
    of = f"适用 {sum(counts.values()) - counts[NOT_APPLICABLE]} 条标准"
    people = stage.people[town]
    return [
        Figure("短缺", words.number(counts[SHORT]), "条", of, short=counts[SHORT] > 0),
        Figure("数据不足", words.number(counts[UNKNOWN]), "条", f"{of};不算短缺,也不算达标"),
        Figure("达标", words.number(counts[MET]), "条", of),
        Figure("人口", words.number(people), "人", f"{stage.year}年估算"),
    ]


def _worst_towns(stage: Stage, lines: Sequence[Line]) -> tuple[str, list[Row]]:
    counts = shortlist.shortages_by_town(lines, stage.towns)
    found = sorted((town for town in stage.towns if counts[town]), key=lambda town: -counts[town])
    worst = found[:_WORST]
    most = max((counts[town] for town in worst), default=1)
    rows = [Row(town, f"{counts[town]} 条", counts[town] / most) for town in worst]
    return f"短缺最多的街镇{_tied([counts[town] for town in found])}", rows


def _tied(sizes: Sequence[float]) -> str:
    """Say how many that were cut off are no better than the last one shown."""
    beyond = sum(1 for one in sizes[_WORST:] if one == sizes[_WORST - 1])
    return f"(另有 {beyond} 个与末位并列)" if beyond else ""


def _worst_in_town(lines: Sequence[Line], town: str | None) -> tuple[str, list[Row]]:
    found = portrait.short(lines, town or "")[:_WORST]
    return "最要紧的短缺", [Row(one.rule.title, answers.lacking(one), 0) for one in found]


def _worst_of_rule(stage: Stage, line: Line, town: str | None) -> tuple[str, list[Row]]:
    if town is not None:
        return _worst_in_town(stage.lines, town)
    short = [one for one in line.towns if one.status == SHORT and one.town != NOWHERE]
    sized = [one for one in short if math.isfinite(one.shortfall)]
    sized.sort(key=lambda one: -one.shortfall)
    most = max((one.shortfall for one in sized), default=1) or 1
    rows = [Row(one.town, answers.lacking(one), one.shortfall / most) for one in sized[:_WORST]]
    tied = _tied([one.shortfall for one in sized])
    return f"缺得最多的街镇(共 {len(short)} 个短缺){tied}" if short else "", rows
