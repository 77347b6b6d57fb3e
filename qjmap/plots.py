"""Charts: bars against a target, what was and what is planned, who is covered, and small maps of the towns.

Each chart is a pure function of a frame, and each frame a pure function of findings or registers. What is unknown is a
hollow row, never a bar of no length; a sign beside every colour says the same in grey print. Names reach Vega as data
only, never as an expression.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from qjmap import wording
from qjmap._plotparts import AXIS, ROW, axis_of, data, dressed, finished, legend, town_axis
from qjmap.assess import MET, NOT_APPLICABLE, POSSIBLE, SHORT, UNKNOWN, Finding
from qjmap.plotfiles import wrapped
from qjmap.scenes import SHADES
from qjmap.shortlist import Line
from qjmap.standards import TOWN_QUANTITIES, Rule
from qjmap.webmap import PALETTE
from qjmap.wording import figure

SIGNS: Mapping[str, str] = {SHORT: "×", UNKNOWN: "?", MET: "✓", NOT_APPLICABLE: "–"}
COVERED, PERHAPS, GAP = "覆盖", "可能覆盖", "未覆盖"
#: The same where nothing may be called short: the circles are drawn, and that is all.
CIRCLED: Mapping[str, str] = {COVERED: "圈内", PERHAPS: "可能圈内", GAP: "圈外"}
RISES, FALLS, STAYS, PARTLY = "上升", "下降", "持平", "缺一年的数"

#: Kinds of rules that ask a town for a quantity: bars can stand against it. Zero is no target to fall short of.
WITH_NEED = ("per_capita", "presence", "attribute_share", "attribute_minimum", "trigger", "nearest")

#: A row that cannot be answered: an empty box, so that nobody takes it for none.
_HOLLOW: dict[str, Any] = {"fill": None, "stroke": PALETTE["muted"], "strokeDash": [3, 3], "height": ROW - 8}
_CAP = 3
"""Bars longer than this many times the target are cut there and marked »."""
_TILE = 150
_INK, _LINE, _ACCENT, _WARN = PALETTE["ink"], PALETTE["line"], PALETTE["accent"], PALETTE["warn"]
_EDGES = {SHORT: _WARN, UNKNOWN: PALETTE["muted"], MET: PALETTE["facility"], NOT_APPLICABLE: _LINE}
#: Shares of the stacked bars: sign, fill, edge; those of the map.
_PARTS = {
    COVERED: ("✓", PALETTE["covered"], PALETTE["facility"]),
    PERHAPS: ("?", PALETTE["possible"], PALETTE["muted"]),
    GAP: ("×", PALETTE["gap"], _WARN),
}
_NARROW = 0.11
"""Share below which a stacked bar has no room for its own figure; the tooltip and the table have it."""


# ---- 1: towns against the target ------------------------------------------------------------------


def bar_lines(lines: Iterable[Line]) -> list[Line]:
    """Give the rules whose towns can stand as bars: a quantity is asked of at least one town."""
    return [line for line in lines if line.rule.kind in WITH_NEED and any(_asked(one) for one in line.towns)]


def _asked(one: Finding) -> bool:
    return one.status in (SHORT, MET) and (math.isfinite(one.value) or _share(one) is not None)


def _share(one: Finding) -> float | None:
    """Give what there is in per cent of what is asked for; None where that says nothing."""
    return one.have / one.need * 100 if one.need > 0 and math.isfinite(one.have) else None


def bars_frame(line: Line) -> pd.DataFrame:
    """Say for each town what it has of what a rule asks for, least first; towns that cannot be answered last.

    Parameters
    ----------
    line
        A rule with its findings; towns that it does not apply to are left out.

    Returns
    -------
    pandas.DataFrame
        `town`, `status`, `sign`; `value` and `target` on the chart's axis (in the rule's own measure for rates and
        shares, else in per cent of what is asked for), NaN where unknown; `axis` (the axis in words), `goal` (the
        target in words), `head` (what `label` says); `have`, `need`, `shortfall`, `unit`; `label`, `reason`,
        `possible`, `planned`, `demo`.
    """
    rule = line.rule
    rated = rule.kind in ("per_capita", "attribute_share") and rule.figure is not None and rule.figure.uniform
    target = rule.figure.urban if rated and rule.figure is not None else 100.0
    rows = [_bar(one, rated=rated) for one in line.towns if one.status != NOT_APPLICABLE]
    frame = pd.DataFrame(rows, columns=list(_BAR))
    frame["target"], frame["axis"] = target, _axis(rule, rated=rated)
    frame["head"] = "现值(现有/应有)" if rated else "现有/应有"
    frame["goal"] = f"要求 {rule.target}" if rated else "应有数(100 %)"
    return frame.sort_values("value", kind="stable", na_position="last", ignore_index=True)


_BAR = (
    "town",
    "status",
    "sign",
    "value",
    "have",
    "need",
    "shortfall",
    "unit",
    "label",
    "reason",
    "possible",
    "planned",
    "demo",
)


def _bar(one: Finding, *, rated: bool) -> dict[str, object]:
    known = one.status in (SHORT, MET)
    share = _share(one)
    value = (one.value if rated else math.nan if share is None else share) if known else math.nan
    return {
        "town": one.town,
        "status": one.status,
        "sign": SIGNS[one.status],
        "value": value,
        # of what is unknown only a lower bound is known: no figure is made of it
        "have": one.have if known else math.nan,
        "need": one.need,
        "shortfall": one.shortfall if one.status == SHORT else math.nan,
        "unit": one.unit,
        "label": _bar_label(one, value, rated=rated),
        "reason": one.reason,
        "possible": one.certainty == POSSIBLE,
        "planned": one.planned,
        "demo": one.demo,
    }


def _bar_label(one: Finding, value: float, *, rated: bool) -> str:
    sign = SIGNS[one.status]
    if one.status == UNKNOWN:
        return f"{sign} 数据不足"
    if math.isnan(value):
        least = f",至少差 {figure(one.shortfall)} {one.unit}" if one.shortfall > 0 else ""
        return f"{sign} {one.status}{least}"
    of = f"{figure(one.have)}/{figure(one.need)}{one.unit}"
    return f"{sign} {figure(value)}({of})" if rated else f"{sign} {of}"


def _axis(rule: Rule, *, rated: bool) -> str:
    if not rated:
        return "现有占应有的比例(%)"
    if rule.kind == "attribute_share":
        return "达到条件的比例(%)"
    return f"每{rule.per:g}{TOWN_QUANTITIES[rule.of or 'population'][1]}({rule.unit})"


def bars_finding(frame: pd.DataFrame, rule: Rule) -> str:
    """Say in one line what the bars come to."""
    count, total = frame["status"].value_counts(), len(frame)
    short, met, unknown = (int(count.get(one, 0)) for one in (SHORT, MET, UNKNOWN))
    if not total:
        return "这条标准不分街镇判定。"
    if unknown == total:
        why = "、".join(dict.fromkeys(str(one) for one in frame["reason"] if one))
        return f"{total} 个街镇都是数据不足,不能判断是否短缺{f':{why}' if why else ''}。"
    below = f"低于{rule.target}" if rule.figure is not None else "低于目标"
    if rule.kind not in ("per_capita", "attribute_share", "presence"):
        below = f"没有达到要求({rule.target})"
    said = [f"{total} 个街镇中 {short} 个{below}"] if short else [f"{total} 个街镇中没有确定短缺的"]
    said += [f"{met} 个达到"] * bool(met)
    said += [f"{unknown} 个数据不足(不算短缺)"] * bool(unknown)
    worst = frame[(frame["status"] == SHORT) & frame["value"].notna()]
    if len(worst):
        least = worst[worst["value"] == worst["value"].iloc[0]]["town"].tolist()
        named = "、".join(least[:3]) + (f"等 {len(least)} 个" if len(least) > 3 else "")
        said.append(f"最少的是{named}")
    return ",".join(said) + "。"


def bars(frame: pd.DataFrame) -> alt.LayerChart:
    """Draw towns as bars against the target line; the missing piece in the colour of a gap, the unknown hollow.

    Parameters
    ----------
    frame
        From `bars_frame`.
    """
    values, target = frame["value"], float(frame["target"].iloc[0])
    most = max(target, float(values.max()) if values.notna().any() else 0.0)
    # one town with a hundred times what is asked for would leave nothing to see of the others
    end = min(most, _CAP * target) if target > 0 else most
    room = 1.5 * end or 1.0  # to the right of the bars there is room for the figures
    missing = (frame["status"] == SHORT) & (values < target)
    rows = frame.assign(
        zero=0.0,
        end=end,
        gap=missing,
        shown=values.clip(upper=end),
        over=values > end,
        legend=[f"{sign} {status}" for sign, status in zip(frame["sign"], frame["status"], strict=True)],
        have_text=[_amount(a, b) for a, b in zip(frame["have"], frame["unit"], strict=True)],
        need_text=[_amount(a, b) for a, b in zip(frame["need"], frame["unit"], strict=True)],
        short_text=[_amount(a, b) for a, b in zip(frame["shortfall"], frame["unit"], strict=True)],
    )
    base = alt.Chart(data(rows)).encode(
        y=town_axis("town", frame["town"]),
        tooltip=[
            alt.Tooltip("town:N", title="街镇"),
            alt.Tooltip("status:N", title="结论"),
            alt.Tooltip("have_text:N", title="现有"),
            alt.Tooltip("need_text:N", title="应有"),
            alt.Tooltip("short_text:N", title="缺口"),
            alt.Tooltip("reason:N", title="说明"),
        ],
    )
    x = alt.X(
        "zero:Q",
        scale=alt.Scale(domain=[0, room], nice=False),
        axis=axis_of(frame["axis"].iloc[0], room / 1.5),
    )
    shown = [one for one in (SHORT, MET, UNKNOWN) if (frame["status"] == one).any()]
    fill = alt.Color(
        "legend:N",
        scale=alt.Scale(
            domain=[f"{SIGNS[one]} {one}" for one in shown],
            range=["#ffffff" if one == UNKNOWN else SHADES[one] for one in shown],
        ),
        legend=legend(),
    )
    hollow = base.mark_bar(**_HOLLOW).encode(x=x, x2="end:Q")
    gap = base.mark_bar(fill=PALETTE["gap"], stroke=_WARN, strokeWidth=0.8, strokeDash=[2, 2], height=ROW - 8)
    full = base.mark_bar(stroke=_INK, strokeWidth=0.8, height=ROW - 8)
    right = target > room / 2
    once = {"target": target, "goal": str(frame["goal"].iloc[0]), "head": str(frame["head"].iloc[0])}
    line = alt.Chart(data([once]))
    layers = [
        hollow.transform_filter(f"datum.value === null && datum.status !== '{MET}'"),
        gap.encode(x="value:Q", x2="target:Q").transform_filter("datum.gap"),
        full.encode(x=x, x2="shown:Q", color=fill).transform_filter("datum.value !== null"),
        base.mark_text(align="right", color=_INK, fontSize=12).encode(x=alt.value("width"), text="label:N"),
        base.mark_text(align="right", color=_INK, dx=-3).encode(x="shown:Q", text=alt.value("»")).transform_filter(
            "datum.over"
        ),
        line.mark_text(color=_INK, fontSize=11.5, align="right", baseline="bottom").encode(
            x=alt.value("width"), y=alt.value(-4), text="head:N"
        ),
        line.mark_rule(color=_ACCENT, strokeWidth=2).encode(x="target:Q"),
        line.mark_text(
            color=_ACCENT, fontSize=12, fontWeight="bold", align="right" if right else "left",
            baseline="bottom", dx=4 if right else -4,
        ).encode(x="target:Q", y=alt.value(-4), text="goal:N"),
    ]  # fmt: skip
    return finished(
        alt.layer(*layers), len(frame), demo=bool(frame["demo"].any()), what="各街镇与标准对照的条形图"
    )


# ---- 2: what was and what is planned --------------------------------------------------------------

_ARROWS: Mapping[str, str] = {RISES: "↑", FALLS: "↓", STAYS: "=", PARTLY: "?"}
_DOT = ("name", "unit", "first", "last", "x_first", "x_last", "direction", "label", "note")


def indicator_sets(indicators: pd.DataFrame, years: tuple[int, int]) -> dict[str, pd.DataFrame]:
    """Split the table of indicators by the column of the plan (专栏) that prints them.

    Parameters
    ----------
    indicators
        The table `indicators`.
    years
        The two years compared; rows whose second year says nothing at all are left out.

    Returns
    -------
    dict
        Name of the set → its rows, in the order of the table; sets of fewer than two are left out.
    """
    names = [f"value_{year}" for year in years]
    if not set(names) <= set(indicators.columns):
        return {}
    says = [_target(row, years[1]) not in ("", "—") for _, row in indicators.iterrows()]
    told = indicators[np.array(says, dtype=bool)]
    part = told["clause"].astype("str").str.extract(r"^(专栏\d+)", expand=False)
    found = {}
    for key, rows in told.groupby(part, sort=False):
        groups = list(dict.fromkeys(rows["group"].dropna().astype("str")))
        label = f"{key} {groups[0] if groups else ''}" + (f"等 {len(groups)} 类" if len(groups) > 1 else "")
        if len(rows) > 1:
            found[label.strip()] = rows
    return found


def indicator_dots(indicators: pd.DataFrame, years: tuple[int, int]) -> pd.DataFrame:
    """Put indicators of different units side by side: each in per cent of its own target.

    Returns
    -------
    pandas.DataFrame
        `name`, `unit`, `first`, `last` (the two numbers), `x_first`, `x_last` (on the axis; NaN where unknown),
        `direction`, `label` (both numbers in words), `note`.
    """
    rows = []
    for _, one in indicators.iterrows():
        first, last = (_number(one.get(f"value_{year}")) for year in years)
        scale = 100 / last if last else math.nan
        row = _dot(_text(one["name"]), _text(one["unit"]), first, last, scale, _text(one.get("note")))
        row["label"] = f"{_ARROWS[str(row['direction'])]} {plain(first)} → {_target(one, years[1])}"
        rows.append(row)
    return pd.DataFrame(rows, columns=list(_DOT))


def town_dots(institutions: pd.DataFrame, towns: Sequence[str]) -> pd.DataFrame:
    """Add up the beds of each town in the plan's two years, most planned first.

    Parameters
    ----------
    institutions
        `town`, and `first`, `last`: the beds of the two years.
    towns
        Names of the towns; a town without an institution in the register is unknown, not empty.

    Returns
    -------
    pandas.DataFrame
        As from `indicator_dots`.
    """
    rows = []
    for town in towns:
        own = institutions[institutions["town"] == town]
        # one institution without a number leaves the town's sum unknown
        first, last = (_floats(own[name]).sum() if len(own) else math.nan for name in ("first", "last"))
        rows.append(_dot(town, "张", first, last, 1.0, "" if len(own) else "名册中没有机构"))
    frame = pd.DataFrame(rows, columns=list(_DOT))
    return frame.sort_values("last", ascending=False, kind="stable", na_position="last", ignore_index=True)


def _dot(name: str, unit: str, first: float, last: float, scale: float, note: str) -> dict[str, object]:
    step = last - first
    way = PARTLY if math.isnan(step) else RISES if step > 0 else FALLS if step < 0 else STAYS
    label = f"{_ARROWS[way]} {plain(first)} → {plain(last)}{unit}"
    values = (name, unit, first, last, first * scale, last * scale, way, label, note)
    return dict(zip(_DOT, values, strict=True))


def _target(row: pd.Series[Any], year: int) -> str:
    """Give a target as the plan words it: with its “≤”, or in words where it is no number; “—” where it says none."""
    value, text = _number(row.get(f"value_{year}")), _text(row.get(f"text_{year}")).strip()
    if math.isnan(value):
        return text or "—"
    return (text[0] if text[:1] in ("≤", "≥") else "") + plain(value) + _text(row.get("unit"))


def dots_finding(frame: pd.DataFrame, what: str) -> str:
    """Say in one line how many rise, fall and stay; `what` is what is counted, with its measure word."""
    count = frame["direction"].value_counts()
    said = [f"{int(count[way])} {way}" for way in (RISES, FALLS, STAYS, PARTLY) if count.get(way, 0)]
    return f"{len(frame)} {what}:{'、'.join(said)}。"


def dots(frame: pd.DataFrame, years: tuple[int, int], *, axis: str, target: bool) -> alt.LayerChart:
    """Draw two dots a row, a line between them and both numbers.

    Parameters
    ----------
    frame
        From `indicator_dots` or `town_dots`.
    years
        The two years.
    axis
        What the axis measures, in words.
    target
        Whether 100 on the axis is the target: then a line stands there.
    """
    first, last = (f"{years[0]}年", f"{years[1]}年(规划)")
    both = pd.concat([frame["x_first"], frame["x_last"]])
    end = (float(both.max()) if both.notna().any() else 0.0) or 1.0
    room = 1.6 * end
    long = pd.concat(
        [frame.assign(year=first, x=frame["x_first"]), frame.assign(year=last, x=frame["x_last"])]
    )
    names = frame["name"].tolist()
    tooltip = [
        alt.Tooltip("name:N", title="名称"),
        alt.Tooltip("first_text:N", title=first),
        alt.Tooltip("last_text:N", title=last),
        alt.Tooltip("direction:N", title="方向"),
        alt.Tooltip("note:N", title="备注"),
    ]
    said = {
        "first_text": lambda rows: [_amount(a, b) for a, b in zip(rows["first"], rows["unit"], strict=True)],
        "last_text": lambda rows: [_amount(a, b) for a, b in zip(rows["last"], rows["unit"], strict=True)],
    }
    y = town_axis("name", names, limit=190)
    x = alt.Scale(domain=[0, room], nice=False)
    wide = alt.Chart(data(frame.assign(zero=0.0, end=0.8 * end, **said))).encode(y=y, tooltip=tooltip)
    line = wide.mark_rule(color=_INK, strokeWidth=2).encode(
        x=alt.X("x_first:Q", scale=x, axis=axis_of(axis, end)), x2="x_last:Q"
    )
    points = (
        alt.Chart(data(long.assign(**said)))
        .mark_point(filled=True, size=90, opacity=1, stroke=_INK, strokeWidth=1)
        .encode(
            y=y,
            x="x:Q",
            shape=alt.Shape(
                "year:N",
                scale=alt.Scale(domain=[first, last], range=["circle", "diamond"]),
                legend=legend(None),
            ),
            color=alt.Color("year:N", scale=alt.Scale(domain=[first, last], range=["#ffffff", _ACCENT])),
            tooltip=tooltip,
        )
        .transform_filter("datum.x !== null")
    )
    text = wide.mark_text(align="right", color=_INK, fontSize=12).encode(x=alt.value("width"), text="label:N")
    hollow = wide.mark_bar(**_HOLLOW).encode(x="zero:Q", x2="end:Q")
    layers: list[Any] = [
        hollow.transform_filter("datum.x_first === null && datum.x_last === null"),
        line.transform_filter("datum.x_first !== null && datum.x_last !== null"),
        points,
        text,
    ]
    if target:
        rule = alt.Chart(data([{"target": 100.0}]))
        layers.insert(0, rule.mark_rule(color=_ACCENT, strokeWidth=1, strokeDash=[4, 3]).encode(x="target:Q"))
    return finished(alt.layer(*layers), len(frame), demo=False, what=f"{years[0]}年与{years[1]}年对照的点图")


# ---- 3: who is covered ----------------------------------------------------------------------------


def coverage_frame(table: pd.DataFrame) -> pd.DataFrame:
    """Turn a coverage by town into the pieces of stacked bars, least covered towns first.

    Parameters
    ----------
    table
        From `summary.coverage_by_town`.

    Returns
    -------
    pandas.DataFrame
        Three rows a town: `town`, `part` (覆盖, 可能覆盖, 未覆盖), `share` (0–1; NaN where unknown), `start`, `end`
        (where the piece lies), `people`, `label`; the order of towns is that of the rows.
    """
    order = table.sort_values(["certain", "possible"], kind="stable", na_position="last")
    rows: list[dict[str, object]] = []
    for town, one in order.iterrows():
        start = 0.0
        for part, key in ((COVERED, "certain"), (PERHAPS, "possible"), (GAP, "uncovered")):
            share = float(one[key])
            end = min(start + share, 1.0)
            said = _percent(share) if share >= _NARROW else ""
            rows.append(
                {
                    "town": str(town),
                    "part": part,
                    "share": share,
                    "start": start,
                    "end": end,
                    "people": float(one[f"people_{key}"]),
                    "label": said,
                }
            )
            start = end
    return pd.DataFrame(rows, columns=["town", "part", "share", "start", "end", "people", "label"])


def coverage_finding(frame: pd.DataFrame, *, judged: bool = True) -> str:
    """Say in one line how many people are covered, and where fewest are.

    Parameters
    ----------
    frame
        From `coverage_frame`.
    judged
        Whether what lies outside the circles may be called short.
    """
    known = frame[frame["share"].notna()]
    people = known.groupby("part")["people"].sum()
    whole = float(people.sum())
    if not whole:
        return "没有可以计算的街镇。"
    parts = [
        f"{_part(part, judged)} {people[part] / whole * 100:.1f} %(约 {wording.people(people[part])}人)"
        for part in (COVERED, PERHAPS, GAP)
        if people.get(part, 0) > 0
    ]
    inside = known[known["part"] == COVERED]
    said = (
        f"全区人口中{'、'.join(parts)};确定{_part(COVERED, judged)[-2:]}比例最低的是{inside['town'].iloc[0]}"
    )
    said += f"({_percent(float(inside['share'].iloc[0]))})"
    unknown = frame["town"].nunique() - known["town"].nunique()
    return said + (f";{unknown} 个街镇数据不足" if unknown else "") + "。"


def _part(part: str, judged: bool) -> str:
    return part if judged else CIRCLED[part]


def _percent(share: float) -> str:
    """Write a share; what is not quite all is not called all."""
    said = f"{share * 100:.0f}%"
    return ">99%" if said == "100%" and share < 1 - 1e-9 else said


def coverage(frame: pd.DataFrame, *, judged: bool = True, demo: bool = False) -> alt.LayerChart:
    """Draw the shares of people as bars stacked to 100 %.

    Parameters
    ----------
    frame
        From `coverage_frame`.
    judged
        Whether what lies outside the circles may be called short; else the pieces are only 圈内 and 圈外.
    demo
        Whether it rests on invented records.
    """
    names = {part: _part(part, judged) for part in _PARTS}
    signs = {part: sign if judged or part == PERHAPS else "" for part, (sign, _, _) in _PARTS.items()}
    towns = list(dict.fromkeys(frame["town"]))
    named = {part: f"{signs[part]} {names[part]}".strip() for part in _PARTS}
    rows = frame.assign(
        legend=frame["part"].map(named),
        label=[
            f"{signs[part]} {label}".strip() if label else ""
            for part, label in zip(frame["part"], frame["label"], strict=True)
        ],
        named=frame["part"].map(names),
        middle=(frame["start"] + frame["end"]) / 2,
        share_text=[_percent(share) if share >= 0 else "—" for share in frame["share"]],
        people_text=[f"约 {wording.people(people)}人" if people >= 0 else "—" for people in frame["people"]],
    )
    base = alt.Chart(data(rows)).encode(
        y=town_axis("town", towns),
        tooltip=[
            alt.Tooltip("town:N", title="街镇"),
            alt.Tooltip("named:N", title="类别"),
            alt.Tooltip("share_text:N", title="占人口"),
            alt.Tooltip("people_text:N", title="人口"),
        ],
    )
    x = alt.X(
        "start:Q",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", title="占街镇人口(估算)", values=[0, 0.25, 0.5, 0.75, 1], **AXIS),
    )
    piece = (
        base.mark_bar(stroke=_INK, strokeWidth=0.6, height=ROW - 6)
        .encode(
            x=x,
            x2="end:Q",
            color=alt.Color(
                "legend:N",
                scale=alt.Scale(domain=list(named.values()), range=[fill for _, fill, _ in _PARTS.values()]),
                legend=legend(),
            ),
        )
        .transform_filter("datum.share !== null && datum.share > 0")
    )
    text = base.mark_text(color=_INK, fontSize=11.5).encode(x="middle:Q", text="label:N")
    blank = frame[frame["share"].isna()].drop_duplicates("town")
    hollow = alt.Chart(data(blank.assign(zero=0.0, one=1.0, label="? 数据不足"))).encode(
        y=town_axis("town", towns)
    )
    layers: list[Any] = [piece, text.transform_filter("datum.share !== null")]
    if len(blank):
        layers.append(hollow.mark_bar(**_HOLLOW).encode(x="zero:Q", x2="one:Q"))
        layers.append(hollow.mark_text(color=_INK, align="left", dx=6).encode(x="zero:Q", text="label:N"))
    return finished(alt.layer(*layers), len(towns), demo=demo, what="各街镇人口覆盖比例的百分比条形图")


# ---- 4: small maps --------------------------------------------------------------------------------


def tile_lines(lines: Iterable[Line]) -> list[Line]:
    """Give the rules that are judged town by town and find at least one town short, most telling first.

    Rules on documents' records come before those on invented ones, rules that tell towns apart before those that find
    all alike; among them the order stays.
    """
    short = [line for line in lines if line.short_towns()]
    return sorted(short, key=lambda line: (line.whole.demo, len({one.status for one in line.towns}) == 1))


def tiles_frame(lines: Sequence[Line]) -> pd.DataFrame:
    """Say what every rule comes to in every town, rule by rule.

    Returns
    -------
    pandas.DataFrame
        `rule`, `title`, `counts` (in words), `town`, `status`, `sign`, `short` (what is missing, in words), `demo`.
    """
    rows = []
    for line in lines:
        states = [one.status for one in line.towns]
        counts = "  ".join(
            f"{SIGNS[status]}{status} {states.count(status)}"
            for status in (SHORT, UNKNOWN, MET)
            if states.count(status)
        )
        rows += [
            {
                "rule": line.rule.id,
                "title": line.rule.title,
                "counts": counts,
                "town": one.town,
                "status": one.status,
                "sign": SIGNS[one.status] if one.status in (SHORT, UNKNOWN) else "",
                "short": _amount(one.shortfall, one.unit) if one.status == SHORT else "",
                "demo": line.whole.demo,
            }
            for one in line.towns
        ]
    return pd.DataFrame(rows, columns=["rule", "title", "counts", "town", "status", "sign", "short", "demo"])


def tiles_finding(lines: Sequence[Line], shown: int) -> str:
    """Say in one line how many rules find towns short, how many are drawn, and which town is short most often."""
    if not lines:
        return "没有一条分街镇判定的标准有确定的短缺。"
    times: dict[str, int] = {}
    for line in lines:
        for one in line.towns:
            times[one.town] = times.get(one.town, 0) + (one.status == SHORT)
    most = max(times.values())
    worst = [town for town, number in times.items() if number == most]
    named = "、".join(worst[:3]) + (f"等 {len(worst)} 个街镇" if len(worst) > 3 else "")
    said = f"分街镇判定且有短缺的标准 {len(lines)} 条"
    said += f",画出 {shown} 条(文件数据在前,各街镇有差别的在前)" if shown < len(lines) else ""
    demo = ",含依据演示数据的" if any(line.whole.demo for line in lines) else ""
    return f"{said};短缺最多的是{named}({most} 条{demo})。"


def outlines(boundaries: gpd.GeoDataFrame, tolerance_m: float = 250.0) -> pd.DataFrame:
    """Thin out the towns' outlines, shared lines kept shared, for maps of the size of a stamp.

    Parameters
    ----------
    boundaries
        `District.boundaries`: metres, index town.
    tolerance_m
        What may be lost, metres.

    Returns
    -------
    pandas.DataFrame
        Index: town. `geometry` (GeoJSON, metres), `x`, `y` (a point inside).
    """
    shapes = boundaries.geometry.to_numpy()
    thin = shapely.coverage_simplify(shapes, tolerance_m)
    thin = np.where(shapely.is_empty(thin), shapes, thin)
    inside = shapely.point_on_surface(thin)
    geometry = [shapely.geometry.mapping(shapely.set_precision(one, 10.0)) for one in thin]
    return pd.DataFrame(
        {"geometry": geometry, "x": shapely.get_x(inside), "y": shapely.get_y(inside)},
        index=boundaries.index.astype("str"),
    )


def tiles(frame: pd.DataFrame, shapes: pd.DataFrame, *, columns: int = 3) -> alt.ConcatChart:
    """Draw one small map a rule, the towns shaded by what it comes to there.

    Parameters
    ----------
    frame
        From `tiles_frame`.
    shapes
        From `outlines`.
    columns
        How many maps stand side by side.
    """
    land = alt.InlineData(
        values=[
            {"type": "Feature", "town": town, "x": x, "y": y, "geometry": geometry}
            for town, geometry, x, y in zip(
                shapes.index, shapes["geometry"], shapes["x"], shapes["y"], strict=True
            )
        ]
    )
    shown = [one for one in (SHORT, UNKNOWN, MET, NOT_APPLICABLE) if (frame["status"] == one).any()]
    names = {one: f"{SIGNS[one]} {one}" for one in shown}
    colour = alt.Color(
        "legend:N",
        scale=alt.Scale(domain=list(names.values()), range=[SHADES[one] for one in shown]),
        legend=legend(),
    )
    panels = []
    for number, (_, rows) in enumerate(frame.groupby("rule", sort=False), 1):
        first = rows.iloc[0]
        answers = alt.LookupData(
            data=data(rows.assign(legend=rows["status"].map(names))),
            key="town",
            fields=["status", "legend", "sign", "short", "title"],
        )
        base = alt.Chart(land).transform_lookup(lookup="town", from_=answers)
        tooltip = [
            alt.Tooltip("town:N", title="街镇"),
            alt.Tooltip("title:N", title="标准"),
            alt.Tooltip("status:N", title="结论"),
            alt.Tooltip("short:N", title="缺口"),
        ]
        ground = base.mark_geoshape(stroke=PALETTE["muted"], strokeWidth=0.6).encode(
            color=colour, tooltip=tooltip
        )
        signs = base.mark_text(color=_INK, fontSize=10, fontWeight="bold").encode(
            longitude="x:Q", latitude="y:Q", text="sign:N", tooltip=tooltip
        )
        subtitle = [str(first["counts"]), *(["(演示数据)"] if first["demo"] else [""])]
        title = alt.TitleParams(
            text=wrapped(f"{number}. {first['title']}", 12, most=2, least=2), subtitle=subtitle, anchor="start",
            fontSize=12, lineHeight=16, subtitleFontSize=11, subtitleColor=_WARN if first["demo"] else _INK, offset=2,
        )  # fmt: skip
        panels.append(
            alt.layer(ground, signs)
            .project(type="identity", reflectY=True)
            .properties(width=_TILE, height=_TILE * 1.05, title=title)
        )
    chart = alt.concat(*panels, columns=columns, spacing=14)
    return dressed(chart, demo=bool(frame["demo"].any()), what="各条标准的街镇小地图")


def plain(value: float) -> str:
    """Write a printed number as it is printed: no decimals added, none lost."""
    return f"{value:,.10g}" if math.isfinite(value) else "—"


def _amount(value: float, unit: str) -> str:
    return f"{figure(value)} {unit}".strip()


def _number(value: object) -> float:
    return math.nan if value is None or pd.isna(value) else float(value)  # type: ignore[call-overload, arg-type]


def _floats(values: pd.Series[Any]) -> NDArray[np.float64]:
    return values.to_numpy(dtype=float, na_value=np.nan)


def _text(value: object) -> str:
    return "" if value is None or pd.isna(value) else str(value)  # type: ignore[call-overload]
