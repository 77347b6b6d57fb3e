"""What each thematic page reads out of its view: key figures with what they are a part of, towns worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from qjmap import summary
from qjmap.checks import BY_TOWN, LISTED, UNPLACED
from qjmap.registers import nowhere
from qjmap.ui import source, who, words
from qjmap.ui.html import Figure
from qjmap.ui.table import TableColumn
from qjmap.ui.thematic import Findings
from qjmap.ui.view import View

_TOWN = TableColumn("key", "街镇")


def facilities(view: View) -> Findings:
    """Read out how many facilities there are, and whom their circles reach."""
    count = summary.counts(view.district, view.shown)
    table = pd.DataFrame({"count": count, "people": view.district.towns[view.population]})
    columns = [_TOWN, TableColumn("count", "设施", view.spec.counter, 0)]
    figures = [number_of_records(view)]
    if view.coverage is None:
        columns.append(TableColumn("people", "人口", "人", 0))
        return Findings(
            figures,
            "按设施数从少到多",
            columns,
            rows(view, table.sort_values(["count", "people"], ascending=[True, False]), columns),
        )
    table = table.join(view.coverage.drop(columns="people"))
    table["covered_share"] = table["certain"] * 100
    columns += [
        TableColumn(
            "people_uncovered", view.gap_word, "人", 0, help=f"确定在服务半径之外的人口;{view.spread}"
        ),
        TableColumn("people_possible", "可能覆盖", "人", 0, help="受定位误差影响,不能确定是否在半径之内"),
        TableColumn("covered_share", "覆盖", "%", 1, share=True),
    ]
    return Findings(
        [*figures, *coverage_figures(view)],
        f"按{view.gap_word}人口从多到少;点一行到该街镇",
        columns,
        rows(view, table.sort_values("people_uncovered", ascending=False), columns),
    )


def health(view: View) -> Findings:
    """Read out beds beside what the circles reach."""
    found = facilities(view)
    column = f"beds_{view.year}"
    if column not in view.shown:
        return found
    beds = summary.sums(view.district, view.shown, column)
    people = view.district.towns[view.population]
    per = beds / people * 1000
    rows_ = [
        dict(row) | {"beds": _plain(beds[str(row["key"])]), "per": _plain(per[str(row["key"])])}
        for row in found.rows
    ]
    extra = [
        TableColumn("beds", "床位", "张", 0),
        TableColumn("per", "每千人", "张", 2, help="该街镇所选机构的编制床位 ÷ 该街镇人口(估算)×1000"),
    ]
    known = summary.total(view.shown[column])
    base = sum(float(people[town]) for town in view.towns)
    figures = [
        found.figures[0],
        Figure(
            f"编制床位({view.year}年)",
            words.number(known),
            "张",
            f"{int(view.shown[column].notna().sum())} 家有数、{int(view.shown[column].isna().sum())} 家未列;"
            f"每千人 {words.number(known / base * 1000, 2)} 张(÷{words.people(base)}人)",
            help=rules_reading(view, column),
        ),
        *found.figures[1:],
    ]
    return Findings(figures, found.caption, [*found.columns, *extra], rows_)


def reached(view: View) -> Findings:
    """Read out which records (buildings) have a facility within the radius."""
    table = pd.DataFrame({"count": summary.counts(view.district, view.shown)})
    columns = [_TOWN, TableColumn("count", view.spec.label, "栋", 0)]
    figures = [number_of_records(view)]
    if view.coverage is not None and not view.shown.empty:
        there = summary.placed(view.shown)
        within = view.reach
        groups = there["town"].astype("str")
        table["out"] = pd.Series(within.none, index=there.index).groupby(groups).sum()
        table["maybe"] = pd.Series(within.possible_only, index=there.index).groupby(groups).sum()
        table["share"] = pd.Series(within.certain * 100.0, index=there.index).groupby(groups).mean()
        columns += [
            TableColumn("out", "范围外", "栋", 0),
            TableColumn("maybe", "不确定", "栋", 0),
            TableColumn("share", "范围内", "%", 1, share=True),
        ]
        n = len(there)
        base = f"占已定位 {n:,} 栋的 {{}} %"
        figures += [
            Figure(
                "不在范围内",
                words.number(within.none.sum()),
                "栋",
                base.format(words.percent(within.none.mean())),
                short=True,
                help=basis(view),
            ),
            Figure(
                "在范围内",
                words.number(within.certain.sum()),
                "栋",
                base.format(words.percent(within.certain.mean())),
                help=basis(view),
            ),
        ]
    if "hazards_open" in view.shown:
        open_ = summary.sums(view.district, view.shown, "hazards_open")
        table["open"] = open_
        columns.append(TableColumn("open", "未整改", "处", 0))
        figures.append(
            Figure(
                "未整改隐患",
                words.number(summary.total(view.shown["hazards_open"])),
                "处",
                f"查出 {words.number(summary.total(view.shown['hazards_found']))} 处",
                short=True,
                help=rules_reading(view, "hazards_open"),
            )
        )
    by = "out" if "out" in table else "count"
    return Findings(
        figures,
        "按范围外栋数从多到少;点一行到该街镇",
        columns,
        rows(view, table.fillna({"out": 0, "maybe": 0}).sort_values([by, "count"], ascending=False), columns),
    )


def reservoirs(view: View) -> Findings:
    """Read out capacity (to whom may see it) and what is not known of it; and what a person's own radius reaches."""
    found = facilities(view)
    hidden = who.hides(view.spec, "capacity_wan_m3")
    planned = int(view.shown["status"].isin(["规划", "在建"]).sum())
    figures = [
        found.figures[0],
        *([] if hidden else [_capacity(view)]),
        Figure(
            "规划、在建",
            words.number(planned),
            "座",
            f"占 {len(view.shown)} 座",
            help="状态为规划或在建的水库数",
        ),
        *found.figures[1:],
    ]
    columns, lines = list(found.columns), [dict(row) for row in found.rows]
    rough = int(view.shown["position"].isin([one for one in BY_TOWN if one != UNPLACED]).sum())
    nowhere = int((view.shown["position"] == UNPLACED).sum())
    notes = [f"{rough} 座没有坐标:按所在街镇标出,圆圈为可能范围。"] if rough else []
    if nowhere:
        notes.append(f"{nowhere} 座没有坐标也没有写明街镇:列入“未定位”,不上图。")
    if hidden:
        notes.append(f"总库容:{who.hidden(view.spec)}。")
    else:
        by_town = summary.sums(view.district, view.shown, "capacity_wan_m3")
        columns.insert(2, TableColumn("capacity", "已知总库容", "万立方米", 0))
        lines = [row | {"capacity": _plain(by_town[str(row["key"])])} for row in lines]
    if view.coverage is None:
        lines.sort(key=lambda row: -int(str(row["count"])))
    return Findings(
        figures,
        found.caption if view.coverage is not None else "按水库数从多到少;点一行到该街镇",
        columns,
        lines,
        notes=tuple(notes),
    )


def _capacity(view: View) -> Figure:
    capacity = view.shown["capacity_wan_m3"]
    return Figure(
        "已知总库容",
        words.number(summary.total(capacity)),
        "万立方米",
        f"{int(capacity.notna().sum())} 座有数、{int(capacity.isna().sum())} 座资料未载",
        help="名册中有总库容的水库相加;资料出处见各条记录",
    )


def number_of_records(view: View) -> Figure:
    """Count the records, and say how many have no place and how many are invented."""
    n, unplaced = len(view.shown), int(view.shown["x"].isna().sum())
    demo = int((view.shown["source"] == "演示").sum())
    said = [f"{unplaced} {view.spec.counter}未定位" if unplaced else "全部已定位"] if n else []
    unsaid = int(nowhere(view.shown).sum())
    if unsaid > unplaced:
        said.append(f"{unsaid:,} {view.spec.counter}未写明街镇,不计入任何街镇")
    listed = int((view.shown["position"] == LISTED).sum())
    if listed:
        said.append(f"{listed:,} {view.spec.counter}坐标取得方法未说明")
    unknown = int((view.shown["status"] == "未知").sum())
    if unknown:
        said.append(f"{unknown:,} {view.spec.counter}状态未知,是否现有未定")
    if demo:
        said.append(f"{demo:,} {view.spec.counter}为演示")
    return Figure(
        view.spec.label,
        words.number(n),
        view.spec.counter,
        ";".join(said),
        help=f"名册“{view.spec.label}”中符合所选条件的记录数",
    )


def coverage_figures(view: View) -> list[Figure]:
    """Say whom the circles reach for certain, perhaps, and not."""
    people = view.whole("people")
    base = f"共 {words.people(people)}人({view.year})"
    said = basis(view)
    shares = {part: view.whole(f"people_{part}") for part in ("certain", "possible", "uncovered")}
    area = view.whole("area_km2")
    unplaced = int(view.shown["x"].isna().sum())
    left_out = f";{unplaced} {view.spec.counter}未定位,没有计入" if unplaced else ""
    figures = [
        Figure(
            f"{view.gap_word}人口",
            words.people(shares["uncovered"]),
            "人",
            f"{words.percent(shares['uncovered'] / people)} %,{base}{left_out}",
            short=shares["uncovered"] > 0 and view.judges,
            help=said,
        ),
        Figure(
            "覆盖人口",
            words.percent(shares["certain"] / people),
            "%",
            f"约 {words.people(shares['certain'])}人,{base}",
            help=said,
        ),
        Figure(
            f"{view.gap_word}面积",
            words.number(view.whole("km2_uncovered"), 1),
            "平方千米",
            f"占 {words.number(area)} 平方千米的 {words.percent(view.whole('km2_uncovered') / area)} %",
            help=said,
        ),
    ]
    if shares["possible"] > 0:
        figures.insert(
            2,
            Figure(
                "可能覆盖人口",
                words.people(shares["possible"]),
                "人",
                f"受定位误差影响,不能确定;{base}",
                help=said,
            ),
        )
    return figures


def basis(view: View) -> str:
    """Say under which rule a figure stands, and over which people and land it is taken."""
    if view.radius is None:
        return "未用标准"
    rule = view.radius.rule
    said = (
        "自定半径,没有文件依据"
        if rule is None
        else f"标准 {rule.id}:{words.rule_source(view.district, rule)}"
    )
    if rule is not None and view.radius.custom:
        said += ";数值为自定值"
    lines = f"面积按{view.district.boundary_kind}量算"
    return f"{said};分母:{words.population_line(view.district, view.year)}{view.spread};{lines}"


def rules_reading(view: View, column: str) -> str:
    """Name the rules that read a column of the layer, with their clauses, and the people that rates are taken over."""
    rules = [
        rule
        for rule in source.rules()
        if rule.enabled
        and view.spec.key in rule.layers
        and column
        in {*rule.value.values(), *rule.column.values(), *(one.column for one in (*rule.open, *rule.having))}
    ]
    said = (
        ";".join(f"标准 {rule.id}:{words.rule_source(view.district, rule)}" for rule in rules)
        or "没有标准用到此数"
    )
    return f"{said};分母:{words.population_line(view.district, view.year)}"


def rows(view: View, table: pd.DataFrame, columns: Sequence[TableColumn]) -> list[Mapping[str, object]]:
    """Make plain rows of the towns looked at, in the table's order."""
    keys = [column.key for column in columns if column.key != "key"]
    return [
        {"key": str(town)} | {key: _plain(row[key]) for key in keys}
        for town, row in table.iterrows()
        if town in view.towns
    ]


def _plain(value: object) -> object:
    if pd.isna(value):  # type: ignore[call-overload]
        return None
    return value.item() if isinstance(value, np.generic) else value
