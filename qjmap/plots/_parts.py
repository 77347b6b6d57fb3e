"""What all charts share: colours, signs, axes, the legend, sizes, the look, and rows as Vega takes them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import altair as alt
import numpy as np
import pandas as pd

from qjmap.assess import MET, NOT_APPLICABLE, SHORT, UNKNOWN
from qjmap.plotfiles import DEMO_NOTICE
from qjmap.webmap import PALETTE
from qjmap.wording import figure

Drawing = TypeVar("Drawing", alt.LayerChart, alt.ConcatChart)

WIDTH = 620
"""Width of a chart on paper in CSS pixels."""
ROW = 22
"""Height of a row, likewise."""

SIGNS: Mapping[str, str] = {SHORT: "×", UNKNOWN: "?", MET: "✓", NOT_APPLICABLE: "–"}
INK, ACCENT, WARN = PALETTE["ink"], PALETTE["accent"], PALETTE["warn"]
HOLLOW: dict[str, Any] = {"fill": None, "stroke": PALETTE["muted"], "strokeDash": [3, 3], "height": ROW - 8}
"""A row that cannot be answered: an empty box, so that nobody takes it for none."""

_FONT = "Noto Sans SC, Noto Sans CJK SC, Microsoft YaHei, PingFang SC, sans-serif"

AXIS: dict[str, Any] = {
    "labelColor": PALETTE["ink"],
    "titleColor": PALETTE["ink"],
    "labelFontSize": 12,
    "titleFontSize": 12,
    "titleFontWeight": "normal",
    "gridColor": PALETTE["context"],
    "domainColor": PALETTE["line"],
    "tickColor": PALETTE["line"],
}


def axis_of(title: str, last: float) -> alt.Axis:
    """Give an axis of figures whose ticks end where the bars end."""
    step = 10 ** math.floor(math.log10(last)) if last > 0 else 1.0
    step = next((one * step for one in (0.1, 0.2, 0.5, 1, 2) if last / (one * step) <= 6), step)
    ticks = [round(step * n, 6) for n in range(int(last / step + 1e-9) + 1)]
    return alt.Axis(title=title, values=ticks, titleAnchor="start", **AXIS)


def town_axis(field: str, order: Iterable[str], limit: int = 120) -> alt.Y:
    """Give the axis of rows, named and in this order."""
    return alt.Y(
        f"{field}:N",
        sort=[str(one) for one in order],
        title=None,
        axis=alt.Axis(labelLimit=limit, ticks=False, labelPadding=6, **(AXIS | {"labelFontSize": 12.5})),
    )


def legend(symbol: str | None = "square") -> alt.Legend:
    """Give the legend over a chart; `symbol` None where the shapes themselves are the legend."""
    return alt.Legend(
        orient="top", title=None, direction="horizontal", labelColor=PALETTE["ink"], labelFontSize=12, labelLimit=260,
        symbolStrokeColor=PALETTE["ink"], symbolType=symbol or alt.Undefined,
        symbolStrokeWidth=0.8, symbolSize=130, offset=20, columnPadding=14,
    )  # fmt: skip


def finished(chart: Any, rows: int, *, demo: bool, what: str) -> alt.LayerChart:
    """Give a chart of rows its height, its width to the page's, and its look."""
    sized: alt.LayerChart = chart.properties(
        width=WIDTH,
        height=max(rows, 2) * ROW,
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
    )
    return dressed(sized, demo=demo, what=what)


def dressed(chart: Drawing, *, demo: bool, what: str) -> Drawing:
    """Give a chart the product's look: our font, white ground, no frame; invented data named on the chart itself."""
    if demo:
        chart = chart.properties(
            title=alt.TitleParams(text=DEMO_NOTICE, color=PALETTE["warn"], fontSize=12, anchor="start")
        )
    made: Drawing = chart.properties(
        description=what + (f"({DEMO_NOTICE})" if demo else ""),
        background="#ffffff",
        # drawn as SVG, so that it is sharp at any size and read out by screen readers; the menu leads outside
        usermeta={"embedOptions": {"renderer": "svg", "actions": False}},
    ).configure(font=_FONT, view=alt.ViewConfig(stroke=None), title=alt.TitleConfig(color=PALETTE["ink"]))
    return made


def data(rows: pd.DataFrame | Sequence[Mapping[str, object]]) -> alt.InlineData:
    """Give rows as plain values; what is unknown becomes null, for NaN is no JSON."""
    records = rows.to_dict("records") if isinstance(rows, pd.DataFrame) else list(rows)
    return alt.InlineData(values=[{str(key): _plain(value) for key, value in one.items()} for one in records])


def amount(value: float, unit: str) -> str:
    """Write a quantity with its unit."""
    return f"{figure(value)} {unit}".strip()


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)
