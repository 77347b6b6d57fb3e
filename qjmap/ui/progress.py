"""What the page 规划进度 shows: the year, the projects on the map, what they add, what stays short."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from qjmap import export, progress, summary
from qjmap.district import District
from qjmap.errors import DataError
from qjmap.marks import marks, notices, town_bounds
from qjmap.progress import Link, Outlook, Totals
from qjmap.registers import Layer
from qjmap.standards import Rule, Standards
from qjmap.ui import details, frame, html, judging, mapview, source, who, words
from qjmap.ui.downloads import EXCEL, today
from qjmap.ui.html import Figure
from qjmap.ui.table import TableColumn, show_table
from qjmap.webmap import PALETTE, MarkStyle, Scene

PROJECTS, INSTITUTIONS = "projects", "health"
LINKS, INDICATORS, ERRATA = "project_rules", "indicators", "errata"

#: The rules whose figures stand over the page: all beds, and those of the centres.
ALL_BEDS, CENTRES = "beds-all", "beds-primary"

#: The erratum about the sum of the projects.
SUM_ERRATUM = "K01"

_TINT = "#dbe6f1"
_HEIGHT = "34rem"


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that the page reads, for one year.

    `done` and `institutions` are those of `progress.by_project` and `progress.by_institution`.
    """

    district: District
    layers: Mapping[str, Layer]
    standards: Standards
    links: tuple[Link, ...]
    indicators: pd.DataFrame | None
    years: tuple[int, int]
    year: int
    done: pd.DataFrame
    institutions: pd.DataFrame
    totals: Totals

    @property
    def rows(self) -> pd.DataFrame:
        """The register of projects."""
        return self.layers[PROJECTS].frame

    def rules_of(self, project: str) -> list[Rule]:
        """Give the rules that a project speaks of."""
        ids = dict.fromkeys(rule for one in self.links if one.project == project for rule in one.rules)
        return [self.standards[one] for one in ids if self.standards[one].enabled]


def load(district: District) -> dict[str, Layer]:
    """Load the two registers; the page rests on no invented record."""
    found = {key: frame.load_layer(key, demo=False) for key in (PROJECTS, INSTITUTIONS)}
    return {key: layer for key, layer in found.items() if layer is not None}


def choose_year(years: tuple[int, int]) -> int:
    """Ask up to which year's end one looks."""
    first, last = years
    chosen = st.sidebar.slider(
        "看到哪一年年末", first, last, value=last, step=1, format="%d 年", key="by-year", bind="query-params"
    )
    return int(chosen)


def prepare(district: District, layers: Mapping[str, Layer], year: int) -> Plan:
    """Work out what the page shows for a year."""
    projects, health = layers[PROJECTS].frame, layers[INSTITUTIONS].frame
    done = progress.by_project(projects, health, year)
    institutions = progress.by_institution(health, done)
    standards = source.standards()
    return Plan(
        district,
        layers,
        standards,
        _links(projects, standards),
        _table(INDICATORS),
        progress.bed_years(health),
        year,
        done,
        institutions,
        progress.totals(done, institutions, year),
    )


def _table(key: str) -> pd.DataFrame | None:
    """Load a table that the district may or may not keep; say what is wrong with it."""
    if not source.has_table(key):
        return None
    try:
        return source.table(key)
    except DataError as error:
        frame.show_problems(f"“{source.district().registry.tables[key].label}”有误,已停用", error.problems)
        return None


def _links(projects: pd.DataFrame, standards: Standards) -> tuple[Link, ...]:
    table = _table(LINKS)
    if table is None:
        return ()
    try:
        return progress.read_links(table, projects, standards, source.district().registry.tables[LINKS].file)
    except DataError as error:
        frame.show_problems("“项目与标准”有误,已停用", error.problems)
        return ()


# ---- the map --------------------------------------------------------------------------------------


def show_map(plan: Plan) -> None:
    """Draw the projects by what they are at the year's end; towns that get beds by the plan are tinted."""
    district, spec = plan.district, plan.layers[PROJECTS].spec
    rows = summary.placed(plan.rows).assign(
        state=lambda rows: plan.done["state"].reindex(rows["id"]).to_numpy()
    )
    # what lies on top of a pile is what is still to come
    order = [progress.BUILDING, progress.WAITING, progress.UNDATED, progress.DONE]
    rows = rows.sort_values("state", key=lambda values: values.map(order.index), kind="stable")
    classes = rows["state"].map(progress.STATES.index).to_numpy(dtype=np.uint8)
    town = mapview.town_in_focus(district)
    bounds = town_bounds(district, town)
    scene = Scene(
        layers=[marks(district, spec, rows, styled=(_STYLES, classes))],
        shades=dict.fromkeys(_growing(plan), _TINT),
        shade_title="底色",
        shade_legend=[("规划增加床位的街镇", _TINT)],
        town=town,
        focus=None if town is None or bounds is None else (town, bounds),
        chosen=_chosen_place(plan),
        notices=notices(district, demo=False),
    )
    mapview.show_map(district, scene, {PROJECTS: rows["id"].tolist()}, key="map-progress")


_STYLES = (
    MarkStyle(f"{progress.DONE}(按规划年限)"),
    MarkStyle(f"{progress.BUILDING}(按规划年限)", hollow=True),
    MarkStyle(progress.WAITING, colour=PALETTE["muted_facility"], hollow=True),
    MarkStyle(progress.UNDATED, colour=PALETTE["muted_facility"]),
)


def _growing(plan: Plan) -> list[str]:
    rise = plan.institutions[plan.institutions["rise"] > 0]
    return [str(town) for town in rise["town"].unique() if town in plan.district.towns.index]


def _chosen_place(plan: Plan) -> tuple[float, float, float] | None:
    found = _record(plan, PROJECTS)
    if found is None or pd.isna(found["x"]):
        return None
    lon, lat = plan.district.projection.to_degrees([found["x"]], [found["y"]])
    return float(lon[0]), float(lat[0]), float(found["error_m"])


def _record(plan: Plan, key: str) -> pd.Series | None:
    rows = plan.layers[key].frame
    found = rows[rows["id"] == mapview.record_in_focus()]
    return None if found.empty else found.iloc[0]


# ---- figures ---------------------------------------------------------------------------------------


def figures(plan: Plan) -> list[Figure]:
    """Say how many projects are through, what they cost, and how many beds there are by then."""
    sums, number = plan.totals, words.number
    done, building = sums.count[progress.DONE], sums.count[progress.BUILDING]
    waiting = sums.projects - done - building
    cost, share = sums.cost[progress.DONE], sums.cost[progress.DONE] / (sums.cost_all or 1)
    found = [
        Figure(
            f"完工({plan.year}年末)",
            number(done),
            "项",
            f"共 {sums.projects} 项;在建 {building}、未开工 {waiting}",
        ),
        Figure(
            "完工项目投资",
            number(cost),
            "万元",
            f"逐项相加 {number(sums.cost_all)} 万元的 {words.percent(share)} %"
            + (f";在建 {number(sums.cost[progress.BUILDING])} 万元" if building else ""),
        ),
        *_beds_then(plan),
    ]
    for one in (_district_beds(plan), _centre_beds(plan)):
        found += [one] if one is not None else []
    return found


def _beds_then(plan: Plan) -> list[Figure]:
    sums, number = plan.totals, words.number
    first, _ = plan.years
    if not sums.known:
        return []
    unknown = f";另 {sums.unknown} 家完工项目未写床位,不知增加多少" if sums.unknown else ""
    return [
        Figure(
            f"到{plan.year}年末已知床位",
            number(sums.then),
            "张",
            f"{first}年名册 {number(sums.first)}({sums.known} 家有数)+ 完工项目可计入 {number(sums.counted)}{unknown}",
            help="可计入:文中写明的床位,但不超过规划给该机构增加的数;不作内插",
        ),
        Figure(
            "规划增加、无项目写明",
            number(sums.unsaid),
            "张",
            f"{sums.known} 家规划增加 {number(sums.last - sums.first)} 张"
            f"({number(sums.first)} → {number(sums.last)})之中",
            short=sums.unsaid > 0,
        ),
    ]


def _district_beds(plan: Plan) -> Figure | None:
    """Give all beds of the district by the document, and the rate with its base and target."""
    rule = plan.standards.get(ALL_BEDS)
    if rule is None or plan.indicators is None:
        return None
    beds, later = (progress.printed(plan.indicators, rule.indicator_total, year) for year in plan.years)
    rate, target = (progress.printed(plan.indicators, rule.indicator, year) for year in plan.years)
    if any(math.isnan(one) for one in (beds, later, rate, target)):
        return None
    people = [words.people(_people(plan, year)) for year in plan.years]
    first, last = plan.years
    return Figure(
        f"全区编制床位({last}年规划)",
        words.number(later),
        "张",
        f"{first}年 {words.number(beds)};每千人 {rate:g}(÷{people[0]}人)→ {target:g}(÷{people[1]}人),"
        f"标准{rule.target}",
        help=f"{rule.id};{words.rule_source(plan.district, rule)}",
    )


def _centre_beds(plan: Plan) -> Figure | None:
    rule = plan.standards.get(CENTRES)
    kinds = (
        [] if rule is None else [value for one in rule.where if one.column == "kind" for value in one.values]
    )
    own = progress.of_kinds(plan.institutions, kinds)
    if rule is None or own.empty or not own["last"].notna().any():
        return None
    first, last = own["first"].sum(), own["last"].sum()
    unknown = int(own["then"].isna().sum())
    return Figure(
        f"{len(own)}家基层机构({plan.years[1]}年规划)",
        words.number(last),
        "张",
        f"{plan.years[0]}年 {words.number(first)},增加 {words.number(last - first)}"
        + (f";到{plan.year}年末 {unknown} 家不知有多少" if unknown else ""),
        help=f"{rule.id};{words.rule_source(plan.district, rule)}",
    )


def _people(plan: Plan, year: int) -> float:
    """Give the official number of people of a year, or the latest before it."""
    known = sorted(plan.district.settings.totals, key=lambda one: one.year)
    return float(next((one.total for one in reversed(known) if one.year <= year), known[0].total))


def also_people(plan: Plan) -> list[str]:
    """Say which people stand below the figures of the plan's last year."""
    last = plan.years[1]
    known = any(one.year == last for one in plan.district.settings.totals)
    total = plan.district.total(last) if known else None
    if total is None:
        return []
    said = words.document(plan.district, total.document, total.clause)
    return [f"{last}年人口:{total.total:,} 人({said});{total.note}"]


def show_caveats(plan: Plan) -> None:
    """Say what “完工” means here, and that the document's own sum is not the sum of its rows."""
    st.html(
        html.note(
            "“完工”“在建”按规划的建设年限推算(完工年的年末算完工),不是实际进度;实际开工、完工文件未载。"
        )
    )
    errata = _table(ERRATA)
    found = None if errata is None else errata[errata["id"] == SUM_ERRATUM]
    if found is None or found.empty:
        return
    row = found.iloc[0]
    st.html(
        html.rule(
            f"投资合计两数不符:原文印作“{row['printed']}”",
            f"{row['found']}。{row['treatment']}(勘误 {SUM_ERRATUM},"
            f"{words.document(plan.district, str(row['document']), str(row['clause']))})。",
        )
    )


# ---- records and towns ----------------------------------------------------------------------------


def show_focus(plan: Plan) -> None:
    """Show the project or institution that is open, and the town that is open."""
    for key, layer in plan.layers.items():
        found = _record(plan, key)
        if found is not None:
            details.show_record(plan.district, layer.spec, found)
            if key == PROJECTS:
                _show_served(plan, str(found["id"]))
    town = mapview.town_in_focus(plan.district)
    if town is not None:
        details.show_town(plan.district, town, _town_lines(plan, town))


def _show_served(plan: Plan, project: str) -> None:
    own = [one for one in plan.links if one.project == project]
    if not own:
        st.html(html.note("对应短缺:文件未说明。"))
    for one in own:
        titles = "、".join(plan.standards[rule].title for rule in one.rules if plan.standards[rule].enabled)
        said = words.document(plan.district, one.document, one.clause)
        st.html(html.rule(f"对应:{titles}", f"{one.relation}。{one.reason}。{said}"))


def _town_lines(plan: Plan, town: str) -> list[tuple[str, str]]:
    own, first = plan.institutions[plan.institutions["town"] == town], plan.years
    projects = plan.done[plan.done["town"] == town]
    lines = [
        (f"{year}年{what}床位", f"{words.number(summary.total(own[key]))} 张")
        for year, what, key in ((first[0], "编制", "first"), (first[1], "规划", "last"))
    ]
    counts = "、".join(
        f"{state} {n}" for state in progress.STATES if (n := int((projects["state"] == state).sum()))
    )
    lines.append(("工程项目", f"{len(projects)} 项" + (f"({plan.year}年末:{counts})" if counts else "")))
    lines.append(("项目总投资", f"{words.number(summary.total(projects['cost']))} 万元"))
    return lines


# ---- tables ----------------------------------------------------------------------------------------


def show_projects(plan: Plan) -> None:
    """List the projects beside the map."""
    unplaced = int((plan.done["town"] == "").sum())
    where = f";{unplaced} 项文件未写明街镇,不上图" if unplaced else ""
    show_table(
        f"{plan.year}年末,按序号;点一行看详情{where}",
        [
            TableColumn("number", "序号", decimals=0),
            TableColumn("name", "项目"),
            TableColumn("state", "状态"),
            TableColumn("cost", "投资", "万元", 0),
        ],
        _rows(plan.done, ["number", "name", "state", "cost"]),
        key="projects-progress",
        selected=mapview.record_in_focus(),
        on_pick=mapview.focus_record,
        height="24rem",
    )


def project_table(plan: Plan) -> tuple[list[TableColumn], pd.DataFrame]:
    """Give the projects in full: years, cost, beds, whom they serve."""
    table = plan.done.copy()
    table["years"] = [_span(a, b) for a, b in zip(table["start"], table["end"], strict=True)]
    names = plan.institutions["name"]
    table["institution"] = [names.get(key) if key else None for key in table["facility"]]
    table["serves"] = [
        "、".join(rule.title for rule in plan.rules_of(str(key))) or "文件未说明" for key in table.index
    ]
    columns = [
        TableColumn("number", "序号", decimals=0),
        TableColumn("name", "项目"),
        TableColumn("years", "建设年限"),
        TableColumn("state", f"{plan.year}年末"),
        TableColumn("institution", "机构"),
        TableColumn("cost", "总投资", "万元", 0),
        TableColumn("beds", "文中床位", "张", 0, help="项目文字写明的床位;“—”为没有写明"),
        TableColumn("counted", "可计入", "张", 0, help="文中床位,但不超过规划给该机构增加的数"),
        TableColumn("per_bed", "每床投资", "万元/张", 1, help="总投资 ÷ 文中床位;两数都有时才算"),
        TableColumn("serves", "对应短缺"),
    ]
    return columns, table


def institution_table(plan: Plan) -> tuple[list[TableColumn], pd.DataFrame]:
    """Give the institutions: beds before, by the plan, and by the year."""
    first, last = plan.years
    columns = [
        TableColumn("name", "机构"),
        TableColumn("town", "街镇"),
        TableColumn("first", f"{first}年编制", "张", 0),
        TableColumn("last", f"{last}年规划", "张", 0),
        TableColumn("rise", "规划增加", "张", 0),
        TableColumn("projects", "项目序号"),
        TableColumn("stated", "文中床位", "张", 0),
        TableColumn("cost", "项目投资", "万元", 0),
        TableColumn(
            "then", f"{plan.year}年末", "张", 0, help="名册数 + 完工项目可计入的床位;“—”为未知,不作内插"
        ),
        TableColumn("remark", "说明"),
    ]
    return columns, plan.institutions.sort_values("rise", ascending=False, kind="stable", na_position="last")


def outlook_table(plan: Plan, found: Sequence[Outlook]) -> tuple[list[TableColumn], pd.DataFrame]:
    """Give the shortages: what is missing, which projects speak of it, what stays."""
    first, last = plan.years
    rows = [
        {
            "id": one.rule.id,
            "title": one.rule.title,
            "binding": one.rule.binding,
            "target": one.rule.target,
            "gap": _amount(one.gap, one.unit),
            "projects": "、".join(_numbers_of(plan, one.links)) or "—",
            "said": _said(one),
            "verdict": one.verdict,
            "left": left(one),
            "clause": one.rule.clause,
        }
        for one in found
    ]
    columns = [
        TableColumn("title", "标准"),
        TableColumn("binding", "性质"),
        TableColumn("target", "要求"),
        TableColumn(
            "gap",
            f"到{last}年的缺口",
            help=f"{first}年的数与{last}年人口所需之差;逐机构、逐街镇的标准为各处缺口之和",
        ),
        TableColumn("projects", "对应项目"),
        TableColumn("said", "文中写明"),
        TableColumn("verdict", f"{plan.totals.projects}项之后"),
        TableColumn("left", "还差"),
        TableColumn("clause", "条款"),
    ]
    return columns, pd.DataFrame(rows, columns=["id", *(column.key for column in columns)]).set_index("id")


def left(one: Outlook) -> str:
    """Say what stays short of a shortage after all projects."""
    if one.verdict == progress.CLOSED:
        return "0"
    if math.isnan(one.most):
        return "未知"
    if one.least == one.most:
        return _amount(one.most, one.unit)
    if one.least == 0:
        return f"至多 {_amount(one.most, one.unit)}"
    return f"{words.number(one.least, _decimals(one.unit))}–{_amount(one.most, one.unit)}"


def _said(one: Outlook) -> str:
    sums: dict[str, float] = {}
    for link in one.links:
        if not math.isnan(link.amount):
            sums[link.unit] = sums.get(link.unit, 0) + link.amount
    unsaid = sum(math.isnan(link.amount) for link in one.links)
    parts = [_amount(amount, unit) for unit, amount in sums.items()]
    parts += [f"{unsaid} 项未写数量"] if unsaid else []
    return "、".join(parts) or "—"


def _numbers_of(plan: Plan, links: Sequence[Link]) -> list[str]:
    return [progress.number_of(plan.done, one.project) for one in links]


def _amount(value: float, unit: str) -> str:
    return "未知" if math.isnan(value) else f"{words.number(value, _decimals(unit))} {unit}"


def _decimals(unit: str) -> int:
    return 1 if unit in ("百分点", "%") else 0


def _span(start: float, end: float) -> str:
    if math.isnan(start) or math.isnan(end):
        return "未写明"
    return f"{start:g}" if start == end else f"{start:g}—{end:g}"


def show_tables(plan: Plan) -> None:
    """Show projects, institutions and shortages over the whole width, and offer them as a file."""
    found = outlooks(plan)
    tabs = st.tabs([f"项目 {plan.totals.projects} 项", "机构床位", "短缺与项目"], key="part")
    tables = [project_table(plan), institution_table(plan), outlook_table(plan, found)]
    captions = (
        "总投资和建设年限为规划附件所列;点一行看详情",
        f"规划增加多的在前;{plan.year}年末一列只加完工项目写明的床位,未知就是未知",
        "还差的在前;缺口按文件和名册,不计社会办医院等其他变化",
    )
    for number, (tab, (columns, table), caption) in enumerate(zip(tabs, tables, captions, strict=True)):
        with tab:
            show_table(
                caption,
                columns,
                _rows(table, [column.key for column in columns]),
                key=f"wide-{number}",
                selected=mapview.record_in_focus(),
                on_pick=mapview.focus_record if number < 2 else None,
                height=_HEIGHT,
            )
            if number == 2:
                _show_notes(plan, found)
    _offer(plan, tables, found)


def _show_notes(plan: Plan, found: Sequence[Outlook]) -> None:
    with st.expander("各项目的依据和不能确定之处"):
        reasons = {
            f"第{progress.number_of(plan.done, one.project)}项:{one.reason}": one
            for item in found
            for one in item.links
        }
        for text, one in reasons.items():
            st.html(html.note(f"{text}({words.document(plan.district, one.document, one.clause)})。"))


def outlooks(plan: Plan) -> tuple[Outlook, ...]:
    """Judge the plan's first year by the documents' own figures, and say what the projects do for what is short."""
    district, (first, last) = plan.district, plan.years
    known = [one.year for one in district.settings.totals if one.year <= first]
    found = judging.assessment(
        district, year=max(known, default=district.settings.totals[0].year), demo=False
    )
    department = plan.layers[PROJECTS].spec.department
    done = progress.by_project(plan.rows, plan.layers[INSTITUTIONS].frame, last)
    return progress.outlooks(found, plan.links, done, department, _people(plan, last))


def _rows(table: pd.DataFrame, keys: Sequence[str]) -> list[dict[str, object]]:
    return [{"key": str(key)} | {name: _plain(row[name]) for name in keys} for key, row in table.iterrows()]


def _plain(value: Any) -> object:
    if value is None or pd.isna(value) or value == "":
        return None
    return value if isinstance(value, str) else float(value)


def _offer(
    plan: Plan, tables: Sequence[tuple[list[TableColumn], pd.DataFrame]], found: Sequence[Outlook]
) -> None:
    district = plan.district
    when = today()
    about = export.Metadata(
        title=f"{district.settings.short_name}规划进度({plan.year}年末)",
        when=when,
        filter=f"{plan.year}年末,按规划建设年限",
        standard="各条标准见“短缺与项目”",
        sources=(
            *words.documents(district, summary.documents_of([layer.frame for layer in plan.layers.values()])),
            *source.imported(plan.layers),
            words.population_line(district, plan.years[0]),
        ),
        notices=(district.boundary_notice,),
    )

    def workbook() -> bytes:
        sheets = {
            name: table[[column.key for column in columns]].rename(
                columns={c.key: f"{c.label}({c.unit})" if c.unit else c.label for c in columns}
            )
            for name, (columns, table) in zip(("项目", "机构床位", "短缺与项目"), tables, strict=True)
        }
        notes = [(one.rule.title, note) for one in found for note in one.notes]
        sheets["依据"] = pd.DataFrame(notes, columns=["标准", "依据"])
        return export.to_excel(sheets, about.info())

    st.download_button(
        "下载 Excel",
        who.taken_as_is("规划进度", workbook),
        file_name=export.file_name(
            district.settings.short_name, "规划进度", f"{plan.year}年末", when=when, suffix="xlsx"
        ),
        mime=EXCEL,
        on_click="ignore",
        key="download-progress",
    )
