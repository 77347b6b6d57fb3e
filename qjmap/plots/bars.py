"""Bars: towns against the target of a rule, least first; what is unknown is a hollow row."""

from __future__ import annotations

import math
from collections.abc import Iterable

import altair as alt
import pandas as pd

from qjmap.assess import MET, NOT_APPLICABLE, POSSIBLE, SHORT, UNKNOWN, Finding
from qjmap.plots._parts import (
    ACCENT,
    HOLLOW,
    INK,
    ROW,
    SIGNS,
    WARN,
    amount,
    axis_of,
    data,
    finished,
    legend,
    town_axis,
)
from qjmap.scenes import SHADES
from qjmap.shortlist import Line
from qjmap.standards import TOWN_QUANTITIES, Rule
from qjmap.webmap import PALETTE
from qjmap.wording import figure

WITH_NEED = ("per_capita", "presence", "attribute_share", "attribute_minimum", "trigger", "nearest")
"""Kinds of rules that ask a town for a quantity: bars can stand against it. Zero is no target to fall short of."""

_CAP = 3
"""Bars longer than this many times the target are cut there and marked »."""


def fitting(lines: Iterable[Line]) -> list[Line]:
    """Give the rules whose towns can stand as bars: a quantity is asked of at least one town."""
    return [line for line in lines if line.rule.kind in WITH_NEED and any(_asked(one) for one in line.towns)]


def _asked(one: Finding) -> bool:
    return one.status in (SHORT, MET) and (math.isfinite(one.value) or _share(one) is not None)


def _share(one: Finding) -> float | None:
    """Give what there is in per cent of what is asked for; None where that says nothing."""
    return one.have / one.need * 100 if one.need > 0 and math.isfinite(one.have) else None


def frame(line: Line) -> pd.DataFrame:
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


def finding(frame: pd.DataFrame, rule: Rule) -> str:
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


def chart(frame: pd.DataFrame) -> alt.LayerChart:
    """Draw towns as bars against the target line; the missing piece in the colour of a gap, the unknown hollow.

    Parameters
    ----------
    frame
        From `frame`.
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
        have_text=[amount(a, b) for a, b in zip(frame["have"], frame["unit"], strict=True)],
        need_text=[amount(a, b) for a, b in zip(frame["need"], frame["unit"], strict=True)],
        short_text=[amount(a, b) for a, b in zip(frame["shortfall"], frame["unit"], strict=True)],
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
    hollow = base.mark_bar(**HOLLOW).encode(x=x, x2="end:Q")
    gap = base.mark_bar(fill=PALETTE["gap"], stroke=WARN, strokeWidth=0.8, strokeDash=[2, 2], height=ROW - 8)
    full = base.mark_bar(stroke=INK, strokeWidth=0.8, height=ROW - 8)
    right = target > room / 2
    once = {"target": target, "goal": str(frame["goal"].iloc[0]), "head": str(frame["head"].iloc[0])}
    line = alt.Chart(data([once]))
    layers = [
        hollow.transform_filter(f"datum.value === null && datum.status !== '{MET}'"),
        gap.encode(x="value:Q", x2="target:Q").transform_filter("datum.gap"),
        full.encode(x=x, x2="shown:Q", color=fill).transform_filter("datum.value !== null"),
        base.mark_text(align="right", color=INK, fontSize=12).encode(x=alt.value("width"), text="label:N"),
        base.mark_text(align="right", color=INK, dx=-3).encode(x="shown:Q", text=alt.value("»")).transform_filter(
            "datum.over"
        ),
        line.mark_text(color=INK, fontSize=11.5, align="right", baseline="bottom").encode(
            x=alt.value("width"), y=alt.value(-4), text="head:N"
        ),
        line.mark_rule(color=ACCENT, strokeWidth=2).encode(x="target:Q"),
        line.mark_text(
            color=ACCENT, fontSize=12, fontWeight="bold", align="right" if right else "left",
            baseline="bottom", dx=4 if right else -4,
        ).encode(x="target:Q", y=alt.value(-4), text="goal:N"),
    ]  # fmt: skip
    return finished(
        alt.layer(*layers), len(frame), demo=bool(frame["demo"].any()), what="各街镇与标准对照的条形图"
    )
