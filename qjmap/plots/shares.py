"""Shares: how much of each town's people is covered, as bars stacked to a hundred per cent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from qjmap import wording
from qjmap.plots._parts import AXIS, HOLLOW, INK, ROW, data, finished, legend, town_axis
from qjmap.webmap import PALETTE

COVERED, PERHAPS, GAP = "覆盖", "可能覆盖", "未覆盖"
CIRCLED: Mapping[str, str] = {COVERED: "圈内", PERHAPS: "可能圈内", GAP: "圈外"}
"""The same where nothing may be called short: the circles are drawn, and that is all."""

_PARTS = {
    COVERED: ("✓", PALETTE["covered"]),
    PERHAPS: ("?", PALETTE["possible"]),
    GAP: ("×", PALETTE["gap"]),
}
"""Sign and colour of the pieces; those of the map."""

_NARROW = 0.11
"""Share below which a stacked bar has no room for its own figure; the tooltip and the table have it."""


def frame(table: pd.DataFrame) -> pd.DataFrame:
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


def finding(frame: pd.DataFrame, *, judged: bool = True) -> str:
    """Say in one line how many people are covered, and where fewest are.

    Parameters
    ----------
    frame
        From `frame`.
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


def chart(frame: pd.DataFrame, *, judged: bool = True, demo: bool = False) -> alt.LayerChart:
    """Draw the shares of people as bars stacked to 100 %.

    Parameters
    ----------
    frame
        From `frame`.
    judged
        Whether what lies outside the circles may be called short; else the pieces are only 圈内 and 圈外.
    demo
        Whether it rests on invented records.
    """
    names = {part: _part(part, judged) for part in _PARTS}
    signs = {part: sign if judged or part == PERHAPS else "" for part, (sign, _) in _PARTS.items()}
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
        base.mark_bar(stroke=INK, strokeWidth=0.6, height=ROW - 6)
        .encode(
            x=x,
            x2="end:Q",
            color=alt.Color(
                "legend:N",
                scale=alt.Scale(domain=list(named.values()), range=[fill for _, fill in _PARTS.values()]),
                legend=legend(),
            ),
        )
        .transform_filter("datum.share !== null && datum.share > 0")
    )
    text = base.mark_text(color=INK, fontSize=11.5).encode(x="middle:Q", text="label:N")
    blank = frame[frame["share"].isna()].drop_duplicates("town")
    hollow = alt.Chart(data(blank.assign(zero=0.0, one=1.0, label="? 数据不足"))).encode(
        y=town_axis("town", towns)
    )
    layers: list[Any] = [piece, text.transform_filter("datum.share !== null")]
    if len(blank):
        layers.append(hollow.mark_bar(**HOLLOW).encode(x="zero:Q", x2="one:Q"))
        layers.append(hollow.mark_text(color=INK, align="left", dx=6).encode(x="zero:Q", text="label:N"))
    return finished(alt.layer(*layers), len(towns), demo=demo, what="各街镇人口覆盖比例的百分比条形图")
