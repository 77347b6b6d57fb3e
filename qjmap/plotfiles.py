"""Charts as files: everything that a sheet must say set round them, as PNG and SVG, without a browser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import altair as alt

from qjmap.webmap import PALETTE

DEMO_NOTICE = "含演示数据,非真实记录"
PPI = 300
"""Dots per inch of the PNG; a CSS pixel is 1/72 inch there."""


@dataclass(frozen=True)
class Words:
    """What must stand round a chart when it leaves the page.

    Parameters
    ----------
    title
        What is shown.
    finding
        What it comes to, in one line.
    basis
        Standard, clause, denominators, sources: a line each.
    demo
        Whether anything on it is invented.
    """

    title: str
    finding: str
    basis: tuple[str, ...] = ()
    demo: bool = False


def on_paper(chart: alt.LayerChart | alt.ConcatChart, words: Words) -> dict[str, Any]:
    """Give a chart's specification with everything round it that a sheet must say, at the width of a page.

    Parameters
    ----------
    chart
        From `bars`, `dots`, `coverage` or `tiles`.
    words
        Title, finding, clause and denominators; too long ones are wrapped.
    """
    spec: dict[str, Any] = chart.to_dict(validate=True)
    wide = 40 if "concat" in spec else 47  # full-width characters beside one another
    for layer in spec.get("layer", ()):  # on paper nothing can be pointed at: names stand in full
        axis = layer.get("encoding", {}).get("y", {}).get("axis") or {}
        axis.update(labelLimit=0) if "labelLimit" in axis else None
    lines = [line for one in (words.finding, *words.basis) for line in wrapped(one, wide)]
    lines += [f"注意:{DEMO_NOTICE}"] * words.demo
    spec["title"] = {
        "text": wrapped(words.title, wide * 2 // 3),
        "subtitle": lines,
        "anchor": "start",
        "frame": "bounds",
        "fontSize": 17,
        "lineHeight": 23,
        "color": PALETTE["ink"],
        "subtitleFontSize": 12,
        "subtitleLineHeight": 18,
        "subtitleColor": PALETTE["ink"],
        "subtitlePadding": 6,
        "offset": 14,
    }
    spec["padding"] = 16
    return spec


def to_png(spec: Mapping[str, Any]) -> bytes:
    """Draw a specification as PNG at `PPI` dots per inch.

    Raises
    ------
    QjmapError
        The machine has no Chinese font.
    """
    import vl_convert

    _with_fonts()
    made: bytes = vl_convert.vegalite_to_png(dict(spec), ppi=PPI, allowed_base_urls=[])
    return made


def to_svg(spec: Mapping[str, Any]) -> bytes:
    """Draw a specification as SVG, its text kept as text.

    Raises
    ------
    QjmapError
        The machine has no Chinese font.
    """
    import vl_convert

    _with_fonts()
    made: str = vl_convert.vegalite_to_svg(dict(spec), allowed_base_urls=[])
    return made.encode("utf-8")


def _with_fonts() -> None:
    """Make sure that there is a Chinese font for whoever draws without a browser."""
    from qjmap import fonts

    fonts.chinese()


def wrapped(text: str, width: int, *, most: int = 0, least: int = 1) -> list[str]:
    """Break a line of Chinese: `width` full-width characters a line, `most` lines (0: any), at least `least`.

    Runs of figures and Latin letters are kept together.
    """
    lines, now, used = [], "", 0.0
    for piece in re.findall(r"[\x21-\x7e]+|.", text, flags=re.DOTALL):
        size = sum(0.5 if ord(char) < 0x2000 else 1.0 for char in piece)
        # a closing mark never begins a line
        if used + size > width and now and piece not in ",。;:、)》”":
            lines.append(now)
            now, used = "", 0.0
        now, used = now + piece, used + size
    lines.append(now)
    if most and len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][:-1] + "…"]
    return lines + [""] * (least - len(lines))
