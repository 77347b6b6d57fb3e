"""What the page 图表 shows: four charts, each with its finding, its clause, its figures and its files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import altair as alt
import pandas as pd
import streamlit as st

from qjmap import export, plotfiles, progress, summary
from qjmap.assess import MET, POSSIBLE, SHORT, Assessment
from qjmap.district import District
from qjmap.errors import DataError
from qjmap.filters import Filter
from qjmap.plotfiles import Words
from qjmap.plots import bars, dots, shares, tiles
from qjmap.registers import has_demo
from qjmap.shortlist import Line
from qjmap.standards import Rule
from qjmap.ui import frame, html, source, view, who, words
from qjmap.ui.downloads import today
from qjmap.ui.table import TableColumn, show_table

_STYLE = Path(__file__).with_name("charts.css")
_MOST_TILES = 9
_TOWN_BEDS = "各街镇床位(有名册的机构)"


@dataclass(frozen=True, eq=False)
class Drawn:
    """One chart of the page.

    Parameters
    ----------
    key
        Part of the keys of its widgets and of the names of its files.
    words
        Title, finding, basis.
    chart
        The chart; None when there is nothing to draw: the finding then says why.
    table
        Its figures with Chinese heads.
    documents
        The documents it rests on.
    """

    key: str
    words: Words
    chart: alt.LayerChart | alt.ConcatChart | None = None
    table: pd.DataFrame | None = None
    documents: tuple[str, ...] = ()


# ---- the four charts -------------------------------------------------------------------------------


def against_target(district: District, lines: Sequence[Line]) -> Drawn:
    """Draw the towns against the target of a rule that a person chooses."""
    title = "各街镇与标准对照"
    asked = [line for line in lines if line.rule.kind in bars.WITH_NEED and not line.district_only]
    line = _choose_line("条形图:对照哪条标准", asked, bars.fitting(asked), "chart-rule")
    if line is None:
        return Drawn("bars", Words(title, "没有分街镇判定数量的标准。"))
    rule, table = line.rule, bars.frame(line)
    basis = [*_standard(district, rule), *([f"分母:{line.whole.base_text}"] if line.whole.base_text else [])]
    left_out = len(line.towns) - len(table)
    basis += [f"另有 {left_out} 个街镇不适用,不在图上"] * bool(left_out)
    basis += ["现有数取自规划,不是实际"] * bool(table["planned"].any())
    basis += ["另有文件未写明街镇的记录,不计入任何街镇"] * (len(line.findings) > len(line.towns) + 1)
    said = Words(f"{title}:{rule.title}", bars.finding(table, rule), tuple(basis), bool(table["demo"].any()))
    if table.empty:
        return Drawn("bars", said, documents=(rule.document,))
    figures = _table(
        table,
        {"town": "街镇", "status": "结论", "have": "现有", "need": "应有", "shortfall": "缺口", "unit": "单位",
         "value": table["axis"].iloc[0], "reason": "说明"},
    )  # fmt: skip
    return Drawn("bars", said, bars.chart(table), figures, (rule.document,))


def where_short(district: District, lines: Sequence[Line]) -> Drawn:
    """Draw one small map for each rule that tells most."""
    found = tiles.fitting(lines)
    shown = found[:_MOST_TILES]
    cited = "".join(words.documents(district, (line.rule.document for line in shown)))
    basis = (
        district.origin.line,
        f"图中 × 为短缺,? 为数据不足(不算短缺);依据:{cited}",
    )
    said = Words(
        "短缺落在哪里:一条标准一张小地图",
        tiles.finding(found, len(shown)),
        basis if shown else (),
        any(line.whole.demo for line in shown),
    )
    documents = tuple(dict.fromkeys(line.rule.document for line in shown))
    if not shown or district.boundaries.empty:
        return Drawn("tiles", said, documents=documents)
    table = tiles.frame(shown)
    figures = _table(table, {"title": "标准", "town": "街镇", "status": "结论", "short": "缺口"})
    return Drawn("tiles", said, tiles.chart(table, tiles.outlines(district.boundaries)), figures, documents)


def who_is_covered(district: District, found: Assessment, lines: Sequence[Line], *, demo: bool) -> Drawn:
    """Draw the shares of people inside and outside the circles of a rule that a person chooses."""
    title = "多少人在服务半径内"
    circled = [line for line in lines if line.rule.kind == "radius" and line.rule.metric]
    line = _choose_line("覆盖图:按哪条半径标准", circled, circled, "chart-radius")
    radius_of = None if line is None else line.rule.figure
    if line is None or radius_of is None:
        return Drawn("coverage", Words(title, "没有以米为单位的服务半径标准。"))
    rule, label = line.rule, district.registry.layers[line.rule.layers[0]].label
    facilities, judged, unsure = _facilities(found, line, demo=demo)
    basis = [f"{one}。直线半径,不是行车时间" for one in _standard(district, rule)]
    if unsure:
        basis.append(
            f"名册未写明哪些设施符合该标准的条件({unsure} 处为“未知”),此处暂按全部“{label}”计算,不作短缺判断"
        )
    if rule.within:
        basis.append("该标准只对建成区而言,建成区范围尚未登记:按全域计算,只供参考,不作短缺判断")
    total = district.total(found.year)
    said_of = words.document(district, total.document, total.clause)
    basis.append(
        f"分母:{total.year}年人口 {total.total:,} 人({said_of});分街镇为估算(方法见页脚),街镇内按均匀分布估算"
    )
    title, documents = f"{title}:{rule.title}", (rule.document, *summary.documents_of([facilities]))
    if facilities.empty or district.boundaries.empty:
        reason = f"还没有能用的“{label}”记录:这是数据不足,不等于没有设施。"
        return Drawn("coverage", Words(title, reason, tuple(basis)), documents=documents)
    radius = summary.radii(district, radius_of.urban, radius_of.rural)
    column = f"population_{total.year}"
    table = shares.frame(view.coverage_of(district, facilities, radius, column))
    invented = has_demo(facilities)
    said = Words(title, shares.finding(table, judged=judged), tuple(basis), invented)
    wide = table.assign(share=table["share"] * 100)
    wide["part"] = wide["part"] if judged else wide["part"].map(shares.CIRCLED)
    figures = _table(wide, {"town": "街镇", "part": "类别", "share": "占街镇人口(%)", "people": "人口(估算)"})
    return Drawn("coverage", said, shares.chart(table, judged=judged, demo=invented), figures, documents)


def from_base_to_plan(district: District) -> Drawn:
    """Draw what was and what is planned: indicators against their own targets, or the towns' beds."""
    title = "从现状到规划"
    health = frame.load_layer("health", demo=False)
    if health is None:
        return Drawn("dots", Words(title, "医疗卫生机构名册有误,暂不能画。"))
    years = progress.bed_years(health.frame)
    sets = dots.sets(_indicators(), years)
    towns = [_TOWN_BEDS] if health.frame["town"].notna().any() else []
    chosen = _choose_one("点图:对照什么", [*sets, *towns], "chart-from-to")
    if chosen is None:
        return Drawn("dots", Words(title, "没有可对照的指标或床位。"))
    head = f"{title}:{chosen}({years[0]}年 → {years[1]}年)"
    if chosen in sets:
        rows = sets[chosen]
        table, documents = dots.of_indicators(rows, years), summary.documents_of([rows])
        basis = [f"依据:{'、'.join(words.documents(district, documents))}{chosen.split()[0]}", _SCALED]
        said = Words(head, dots.finding(table, "项指标"), tuple(basis))
        chart = dots.chart(table, years, axis=f"以{years[1]}年目标为 100", target=True)
    else:
        own = health.frame.assign(
            first=health.frame[f"beds_{years[0]}"], last=health.frame[f"beds_{years[1]}"]
        )
        table = dots.of_towns(own, [str(town) for town in district.towns.index])
        documents = summary.documents_of([health.frame])
        said = Words(head, dots.finding(table, "个街镇"), tuple(_bed_basis(district, own, documents)))
        chart = dots.chart(table, years, axis="编制床位(张)", target=False)
    figures = _table(
        table,
        {"name": "名称", "first": f"{years[0]}年", "last": f"{years[1]}年(规划)", "unit": "单位",
         "direction": "方向", "note": "备注"},
    )  # fmt: skip
    return Drawn("dots", said, chart, figures, tuple(documents))


_SCALED = "各指标单位不同,图上都以自己的目标为 100;右侧是文件原数。目标低于现状的(如平均住院日)向左为进"


def _bed_basis(district: District, own: pd.DataFrame, documents: Iterable[str]) -> list[str]:
    said = [f"依据:{'、'.join(words.documents(district, documents))}(逐机构编制床位相加)"]
    nowhere = own[own["town"].isna()]
    if len(nowhere):
        first, last = summary.total(nowhere["first"]), summary.total(nowhere["last"])
        said.append(
            f"另有 {len(nowhere)} 家机构文件未写明街镇,不在图上"
            f"(已知床位 {words.number(first)} → {words.number(last)} 张)"
        )
    said.append("有一家机构未列床位的街镇,合计记为未知")
    return said


def _facilities(found: Assessment, line: Line, *, demo: bool) -> tuple[pd.DataFrame, bool, int]:
    """Give the placed facilities of a radius rule, whether it judges, and how many may serve only because of 未知."""
    rule = line.rule
    judged = any(one.status in (SHORT, MET) or one.certainty == POSSIBLE for one in line.towns)
    if judged and not rule.within:
        return summary.placed(found.counted(rule.id)), True, 0
    layer = frame.load_layer(rule.layers[0], demo=demo)
    if layer is None:
        return summary.placed(found.counted(rule.id)).iloc[:0], False, 0
    # what is there by that year, as on its own page
    known = (layer.frame["status"] != "未知").to_numpy(
        dtype=bool
    )  # circles are drawn of what is known to be there
    there = layer.frame[Filter(year=found.year).mask(layer.frame) & known]
    may, unsure = summary.serving(there, rule.where)
    return summary.placed(there[may]), False, unsure


def _indicators() -> pd.DataFrame:
    try:
        return source.table("indicators") if source.has_table("indicators") else pd.DataFrame()
    except DataError as error:
        frame.show_problems("“指标”有误,已停用", error.problems)
        return pd.DataFrame()


# ---- choices ---------------------------------------------------------------------------------------


def _choose_line(label: str, lines: Sequence[Line], telling: Sequence[Line], key: str) -> Line | None:
    """Ask for a rule; by default the weightiest telling one that rests on documents."""
    titles = {line.rule.id: line.rule.title for line in lines}
    first = sorted(
        telling, key=lambda line: (bool(line.rule.within), line.whole.demo, not line.short_towns())
    )
    start = first[0].rule.id if first else next(iter(titles), None)
    chosen = _choose_one(label, list(titles), key, titles, start)
    return next((line for line in lines if line.rule.id == chosen), None)


def _choose_one(
    label: str, options: list[str], key: str, titles: dict[str, str] | None = None, start: str | None = None
) -> str | None:
    if not options:
        return None
    return st.sidebar.selectbox(
        label,
        options,
        index=options.index(start) if start in options else 0,
        format_func=lambda one: (titles or {}).get(one, one),
        key=key,
        bind="query-params",
    )


# ---- the page --------------------------------------------------------------------------------------


def show(district: District, drawn: Sequence[Drawn], year: int) -> None:
    """Show the charts two by two, each with its finding, its figures and its files."""
    st.html(f"<style>{_STYLE.read_text(encoding='utf-8')}</style>")
    for pair in (drawn[:2], drawn[2:]):
        for place, one in zip(st.columns(2, gap="medium"), pair, strict=False):
            with place, st.container(key=f"chart-{one.key}"):
                _show(district, one, year)


def _show(district: District, one: Drawn, year: int) -> None:
    st.html(html.part(one.words.title))
    st.html(f'<p class="qj-finding">{escape(one.words.finding)}</p>')
    if one.chart is not None:
        st.altair_chart(
            one.chart.properties(description=f"{one.words.title}。{one.words.finding}"),
            width="content" if isinstance(one.chart, alt.ConcatChart) else "stretch",
            theme=None,
            key=f"drawn-{one.key}",
        )
    if one.words.basis:
        st.html("".join(html.note(f"{line}。") for line in one.words.basis))
    if one.table is None or one.chart is None:
        return
    export_place, table_place = st.columns([1, 2.4], gap="small")
    with export_place:
        _offer(district, one, year)
    with table_place, st.expander("看数字"):
        _show_table(one)


def _show_table(one: Drawn) -> None:
    assert one.table is not None
    columns = [
        TableColumn(str(number), str(name), decimals=_decimals(one.table[name]))
        for number, name in enumerate(one.table.columns)
    ]
    rows: list[dict[str, object]] = [
        {"key": str(number)} | {str(place): _cell(value) for place, value in enumerate(row)}
        for number, row in enumerate(one.table.itertuples(index=False, name=None))
    ]
    show_table(one.words.finding, columns, rows, key=f"figures-{one.key}", height="22rem")


def _offer(district: District, one: Drawn, year: int) -> None:
    """Offer the chart as a picture for print, as a drawing, and its figures; made when asked for."""

    def picture(make: Callable[[dict[str, object]], bytes]) -> Callable[[], bytes]:
        def draw() -> bytes:
            assert one.chart is not None
            return make(plotfiles.on_paper(one.chart, one.words))

        return draw

    def figures() -> bytes:
        assert one.table is not None
        said = ";".join([one.words.title, *one.words.basis])
        notes = f"{said};{plotfiles.DEMO_NOTICE}" if one.words.demo else said
        return export.to_csv(one.table.assign(说明与依据=notes))

    files: list[tuple[str, Callable[[], bytes], str, str]] = [
        ("图片(PNG,300 dpi)", picture(plotfiles.to_png), "png", "image/png"),
        ("矢量图(SVG)", picture(plotfiles.to_svg), "svg", "image/svg+xml"),
        ("数据(CSV)", figures, "csv", "text/csv"),
    ]
    with st.popover("导出", width="stretch"):
        for label, make, suffix, kind in files:
            st.download_button(
                label,
                who.taken_as_is(f"图表:{one.words.title}:{label}", make),
                file_name=export.file_name(
                    district.settings.short_name, one.words.title, f"{year}年", when=today(), suffix=suffix
                ),
                mime=kind,
                on_click="ignore",
                key=f"take-{one.key}-{suffix}",
                width="stretch",
            )


# ---- pieces ----------------------------------------------------------------------------------------


def _standard(district: District, rule: Rule) -> list[str]:
    custom = "(自定值)" if rule.custom else ""
    return [f"标准:{rule.target}{custom},{words.rule_source(district, rule)}"]


def _table(rows: pd.DataFrame, heads: dict[str, str]) -> pd.DataFrame:
    return rows[list(heads)].rename(columns=heads)


def _decimals(values: pd.Series) -> int | None:
    if not pd.api.types.is_numeric_dtype(values):
        return None
    known = values.dropna().astype(float)
    return 0 if (known == known.round()).all() else 1 if (known.abs() >= 10).all() else 2


def _cell(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if value is None or value == "" else str(value) if not isinstance(value, int) else value
