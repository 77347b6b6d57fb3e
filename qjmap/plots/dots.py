"""Dots: what was and what is planned, two dots a row and the way between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qjmap.plots._parts import ACCENT, HOLLOW, INK, amount, axis_of, data, finished, legend, town_axis

RISES, FALLS, STAYS, PARTLY = "上升", "下降", "持平", "缺一年的数"
_ARROWS: Mapping[str, str] = {RISES: "↑", FALLS: "↓", STAYS: "=", PARTLY: "?"}
_DOT = ("name", "unit", "first", "last", "x_first", "x_last", "direction", "label", "note")


def sets(indicators: pd.DataFrame, years: tuple[int, int]) -> dict[str, pd.DataFrame]:
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


def of_indicators(indicators: pd.DataFrame, years: tuple[int, int]) -> pd.DataFrame:
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
        row["label"] = f"{_ARROWS[str(row['direction'])]} {_plain(first)} → {_target(one, years[1])}"
        rows.append(row)
    return pd.DataFrame(rows, columns=list(_DOT))


def of_towns(institutions: pd.DataFrame, towns: Sequence[str]) -> pd.DataFrame:
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
        As from `of_indicators`.
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
    label = f"{_ARROWS[way]} {_plain(first)} → {_plain(last)}{unit}"
    values = (name, unit, first, last, first * scale, last * scale, way, label, note)
    return dict(zip(_DOT, values, strict=True))


def _target(row: pd.Series[Any], year: int) -> str:
    """Give a target as the plan words it: with its “≤”, or in words where it is no number; “—” where it says none."""
    value, text = _number(row.get(f"value_{year}")), _text(row.get(f"text_{year}")).strip()
    if math.isnan(value):
        return text or "—"
    return (text[0] if text[:1] in ("≤", "≥") else "") + _plain(value) + _text(row.get("unit"))


def finding(frame: pd.DataFrame, what: str) -> str:
    """Say in one line how many rise, fall and stay; `what` is what is counted, with its measure word."""
    count = frame["direction"].value_counts()
    said = [f"{int(count[way])} {way}" for way in (RISES, FALLS, STAYS, PARTLY) if count.get(way, 0)]
    return f"{len(frame)} {what}:{'、'.join(said)}。"


def chart(frame: pd.DataFrame, years: tuple[int, int], *, axis: str, target: bool) -> alt.LayerChart:
    """Draw two dots a row, a line between them and both numbers.

    Parameters
    ----------
    frame
        From `of_indicators` or `of_towns`.
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
        "first_text": lambda rows: [amount(a, b) for a, b in zip(rows["first"], rows["unit"], strict=True)],
        "last_text": lambda rows: [amount(a, b) for a, b in zip(rows["last"], rows["unit"], strict=True)],
    }
    y = town_axis("name", names, limit=190)
    x = alt.Scale(domain=[0, room], nice=False)
    wide = alt.Chart(data(frame.assign(zero=0.0, end=0.8 * end, **said))).encode(y=y, tooltip=tooltip)
    line = wide.mark_rule(color=INK, strokeWidth=2).encode(
        x=alt.X("x_first:Q", scale=x, axis=axis_of(axis, end)), x2="x_last:Q"
    )
    points = (
        alt.Chart(data(long.assign(**said)))
        .mark_point(filled=True, size=90, opacity=1, stroke=INK, strokeWidth=1)
        .encode(
            y=y,
            x="x:Q",
            shape=alt.Shape(
                "year:N",
                scale=alt.Scale(domain=[first, last], range=["circle", "diamond"]),
                legend=legend(None),
            ),
            color=alt.Color("year:N", scale=alt.Scale(domain=[first, last], range=["#ffffff", ACCENT])),
            tooltip=tooltip,
        )
        .transform_filter("datum.x !== null")
    )
    text = wide.mark_text(align="right", color=INK, fontSize=12).encode(x=alt.value("width"), text="label:N")
    hollow = wide.mark_bar(**HOLLOW).encode(x="zero:Q", x2="end:Q")
    layers: list[Any] = [
        hollow.transform_filter("datum.x_first === null && datum.x_last === null"),
        line.transform_filter("datum.x_first !== null && datum.x_last !== null"),
        points,
        text,
    ]
    if target:
        rule = alt.Chart(data([{"target": 100.0}]))
        layers.insert(0, rule.mark_rule(color=ACCENT, strokeWidth=1, strokeDash=[4, 3]).encode(x="target:Q"))
    return finished(alt.layer(*layers), len(frame), demo=False, what=f"{years[0]}年与{years[1]}年对照的点图")


def _plain(value: float) -> str:
    """Write a printed number as it is printed: no decimals added, none lost."""
    return f"{value:,.10g}" if math.isfinite(value) else "—"


def _number(value: object) -> float:
    return math.nan if value is None or pd.isna(value) else float(value)  # type: ignore[call-overload, arg-type]


def _floats(values: pd.Series[Any]) -> NDArray[np.float64]:
    return values.to_numpy(dtype=float, na_value=np.nan)


def _text(value: object) -> str:
    return "" if value is None or pd.isna(value) else str(value)  # type: ignore[call-overload]
