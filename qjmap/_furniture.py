"""What stands on a sheet of paper round a map: text that wraps, swatches, legend, scale bar, north arrow.

A `Page` is the whole sheet in millimetres, y down from the upper edge. A block is measured first and drawn when its
place is known: `Laid` is its height and what draws it at (x, y) of its upper left corner.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from fontTools.pens.basePen import BasePen  # type: ignore[import-untyped]
from fontTools.svgLib.path import parse_path  # type: ignore[import-untyped]
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import Stroke
from matplotlib.transforms import Affine2D, IdentityTransform

from qjmap.fonts import Font
from qjmap.webmap import PALETTE, TINT, MarkStyle, ShapeStyle

MM_PER_PT = 25.4 / 72
LEADING = 1.45
"""Line height in font sizes."""

#: Latin words and numbers stay together; no line begins with a closing sign or ends with an opening one.
_TOKEN = re.compile(r"[(《〔“‘【]*(?:[A-Za-z0-9][A-Za-z0-9.,%/:+\-]*|.)[,。、;:!?)》〕”’】]*", re.DOTALL)


@dataclass(frozen=True)
class Fill:
    """How an area is filled: a colour, and lines or dots that are told apart without colour."""

    face: str
    hatch: str = ""
    hatch_colour: str = "none"


@dataclass(frozen=True)
class Page:
    """The whole sheet: axes in millimetres, y down; the font; the size of plain text in points."""

    axes: Axes
    font: Font
    size: float
    width: float
    height: float

    @classmethod
    def on(cls, figure: Figure, font: Font, size: float) -> Page:
        """Lay a page over a figure."""
        width, height = (float(side) * 25.4 for side in figure.get_size_inches())
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        return cls(axes, font, size, width, height)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float | None = None,
        bold: bool = False,
        colour: str = PALETTE["ink"],
        align: str = "left",
    ) -> None:
        """Write one line; y is its upper edge."""
        size = size or self.size
        # ascent and line gap: a line of Chinese is centred in its height
        base = y + size * MM_PER_PT * (0.88 + (LEADING - 1) / 2)
        self.axes.text(
            x,
            base,
            self.font.printable(text),
            color=colour,
            ha=align,
            va="baseline",
            parse_math=False,
            font=self.font.properties(bold=bold, size=size),
        )

    def line_height(self, size: float | None = None) -> float:
        """Give the height of a line in millimetres."""
        return (size or self.size) * MM_PER_PT * LEADING

    def wrap(self, text: str, width: float, *, size: float | None = None, bold: bool = False) -> list[str]:
        """Break text into lines of at most `width` millimetres."""
        return wrap(self.font, text, width, size or self.size, bold=bold)

    def rectangle(self, x: float, y: float, width: float, height: float, **how: object) -> None:
        """Draw a rectangle from its upper left corner."""
        self.axes.add_artist(Rectangle((x, y), width, height, **how))  # type: ignore[arg-type]

    def line(self, x: Sequence[float], y: Sequence[float], **how: object) -> None:
        """Draw a line."""
        self.axes.add_line(Line2D(x, y, **how))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Laid:
    """A measured block: its height in millimetres, and what draws it."""

    height: float
    draw: Callable[[float, float], None]


@dataclass(frozen=True)
class Entry:
    """A row of the legend: a label and what draws its swatch at (x, y, width, height); a heading has none."""

    label: str
    swatch: Callable[[Page, float, float, float, float], None] | None = None


# ---- text ------------------------------------------------------------------------------------------


def wrap(font: Font, text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Break text into lines of at most `width` millimetres; one character at least stands on a line."""
    most = width / MM_PER_PT
    lines = []
    for paragraph in font.printable(text).split("\n"):
        line, used = "", 0.0
        for token in _TOKEN.findall(paragraph):
            # a word longer than a line is broken anywhere
            parts = list(token) if font.width(token, size, bold=bold) > most else [token]
            for part in parts:
                advance = font.width(part, size, bold=bold)
                if line and used + advance > most:
                    lines.append(line.rstrip())
                    line, used = "", 0.0
                if line or not part.isspace():
                    line, used = line + part, used + advance
        lines.append(line.rstrip())
    return lines


def shorten(
    font: Font, lines: list[str], most: int, width: float, size: float, *, bold: bool = False
) -> list[str]:
    """Keep at most `most` lines; the last one kept says with … that there is more."""
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and font.width(last + "…", size, bold=bold) > width / MM_PER_PT:
        last = last[:-1]
    return [*lines[: most - 1], last + "…"]


def paragraph(
    page: Page, lines: Sequence[str], *, size: float, bold: bool = False, colour: str = PALETTE["ink"]
) -> Laid:
    """Lay lines under one another."""
    step = page.line_height(size)

    def draw(x: float, y: float) -> None:
        for number, line in enumerate(lines):
            page.text(x, y + number * step, line, size=size, bold=bold, colour=colour)

    return Laid(step * len(lines), draw)


def stack(blocks: Sequence[Laid], gap: float) -> Laid:
    """Lay blocks under one another."""

    def draw(x: float, y: float) -> None:
        for one in blocks:
            one.draw(x, y)
            y += one.height + gap

    return Laid(sum(one.height for one in blocks) + gap * max(len(blocks) - 1, 0), draw)


# ---- the legend ------------------------------------------------------------------------------------


def legend(page: Page, entries: Sequence[Entry], width: float, *, size: float, columns: int = 1) -> Laid:
    """Lay the legend: swatches with their labels, in columns of about the same height."""
    gap, swatch = 3.0, size * MM_PER_PT * 2.4
    own = (width - gap * (columns - 1)) / columns
    step = page.line_height(size)
    rows = []
    for entry in entries:
        room = own if entry.swatch is None else own - swatch - 1.5
        lines = page.wrap(entry.label, room, size=size, bold=entry.swatch is None)
        rows.append((entry, shorten(page.font, lines, 3, room, size), max(len(lines[:3]), 1) * step + 0.7))
    whole = sum(height for *_, height in rows)
    places, x, y, most = [], 0, 0.0, 0.0
    for number, (entry, _, height) in enumerate(rows):
        follows = height + (rows[number + 1][2] if entry.swatch is None and number + 1 < len(rows) else 0)
        if x < columns - 1 and y > 0 and y + follows / 2 > whole / columns:
            x, y = x + 1, 0.0
        places.append((x, y))
        y += height
        most = max(most, y)

    def draw(left: float, top: float) -> None:
        for (entry, lines, _), (column, down) in zip(rows, places, strict=True):
            at, y0 = left + column * (own + gap), top + down
            if entry.swatch is not None:
                high = size * MM_PER_PT * 1.15
                entry.swatch(page, at, y0 + (step - high) / 2, swatch, high)
                at += swatch + 1.5
            for number, line in enumerate(lines):
                page.text(at, y0 + number * step, line, size=size, bold=entry.swatch is None)

    return Laid(most, draw)


def area_swatch(
    fill: Fill, *, edge: str = PALETTE["line"]
) -> Callable[[Page, float, float, float, float], None]:
    """Make a swatch of an area."""

    def draw(page: Page, x: float, y: float, width: float, height: float) -> None:
        ring = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
        add_area(page.axes, Path(ring, closed=True), fill)
        page.rectangle(x, y, width, height, fill=False, edgecolor=edge, linewidth=0.5)

    return draw


def shape_swatch(style: ShapeStyle, *, area: bool) -> Callable[[Page, float, float, float, float], None]:
    """Make a swatch of lines or areas of a layer."""

    def draw(page: Page, x: float, y: float, width: float, height: float) -> None:
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
        middle = [(x, y + height / 2), (x + width, y + height / 2)]
        path = Path(corners, closed=True) if area else Path(middle)
        add_shape(page.axes, path, style, style.colour, 0.9, area=area, zorder=2)

    return draw


def mark_swatch(
    symbol: str, style: MarkStyle, size: float
) -> Callable[[Page, float, float, float, float], None]:
    """Make a swatch of a mark of `size` points."""

    def draw(page: Page, x: float, y: float, width: float, height: float) -> None:
        add_marks(page.axes, np.array([[x + width / 2, y + height / 2]]), symbol, style, size, clip=False)

    return draw


def line_swatch(
    colour: str, weight: float, dash: str = "-"
) -> Callable[[Page, float, float, float, float], None]:
    """Make a swatch of a line."""

    def draw(page: Page, x: float, y: float, width: float, height: float) -> None:
        page.line([x, x + width], [y + height / 2] * 2, color=colour, linewidth=weight, linestyle=dash)

    return draw


# ---- what is drawn alike on the map and in the legend ----------------------------------------------


def add_area(axes: Axes, path: Path, fill: Fill, *, zorder: float = 1) -> None:
    """Fill an area; not by `add_patch`, which would look for the extent of every curve (2 s for 2,000 circles)."""
    axes.add_artist(
        PathPatch(
            path,
            facecolor=fill.face,
            edgecolor="none",
            linewidth=0,
            hatch=fill.hatch or None,
            hatchcolor=fill.hatch_colour,
            hatch_linewidth=0.45,
            zorder=zorder,
        )
    )


def add_shape(
    axes: Axes, path: Path, style: ShapeStyle, edge: str, weight: float, *, area: bool, zorder: float
) -> None:
    """Draw a line or an area of a layer: a light tint of its colour, its edge on white so that it is seen anywhere."""
    if area and style.fill:
        axes.add_artist(
            PathPatch(path, facecolor=(style.colour, TINT), edgecolor="none", linewidth=0, zorder=zorder)
        )
    dash = (0, (4, 2)) if style.dashed else "-"
    for colour, wide, line in (("#ffffff", weight + 0.7, "-"), (edge, weight, dash)):
        axes.add_artist(
            PathPatch(
                path,
                fill=False,
                edgecolor=colour,
                linewidth=wide,
                linestyle=line,
                joinstyle="round",
                zorder=zorder + 0.01,
            )
        )


def add_marks(
    axes: Axes,
    places: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    symbol: str,
    style: MarkStyle,
    size: float,
    *,
    zorder: float = 5,
    clip: bool = True,
) -> None:
    """Draw marks as on the screen: a disc with its symbol, white round it; small ones without the symbol.

    Parameters
    ----------
    places
        (n, 2) in the axes' data.
    size
        Diameter in points.
    """
    plain = size < 5
    back, front = ("#ffffff", style.colour) if style.hollow else (style.colour, "#ffffff")
    edge = min(0.9, size * 0.14)
    disc = Path.unit_circle().transformed(Affine2D().scale(0.5))
    # the halo first, so that neighbours do not run into one another
    layers = [] if plain else [(disc, size + 1.6, "#ffffff", "none", 0.0)]
    layers.append(
        (disc, size, back, front if style.hollow else "#ffffff", edge if style.hollow or plain else 0.0)
    )
    if not plain:
        layers.append((symbol_path(symbol), size * 0.66, front, "none", 0.0))
    for number, (path, side, face, line, weight) in enumerate(layers):
        marks = PathCollection(
            [path],
            sizes=[side**2],
            offsets=places,
            offset_transform=axes.transData,
            facecolors=[face],
            edgecolors=[line],
            linewidths=[min(weight, 0.3) if plain and not style.hollow else weight],
            zorder=zorder + number / 1000,
            clip_on=clip,
        )
        marks.set_transform(IdentityTransform())
        axes.add_collection(marks, autolim=False)


@lru_cache(maxsize=64)
def symbol_path(outline: str) -> Path:
    """Make an SVG path in a 24 × 24 box a path of side 1 round (0, 0), y up; empty when it cannot be read."""
    pen = _Pen()
    try:
        parse_path(outline, pen)
    except (ValueError, IndexError, AssertionError):
        return Path(np.empty((0, 2)))
    if not pen.points:
        return Path(np.empty((0, 2)))
    corners = (np.asarray(pen.points, dtype=float) - 12) / 24 * [1, -1]
    return Path(corners, pen.codes)


class _Pen(BasePen):  # type: ignore[misc]
    """Collects what fontTools' reader of SVG paths draws, as matplotlib's vertices and codes."""

    def __init__(self) -> None:
        super().__init__(None)
        self.points: list[tuple[float, float]] = []
        self.codes: list[int] = []

    def _add(self, code: int, *points: tuple[float, float]) -> None:
        self.points += points
        self.codes += [code] * len(points)

    def _moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        self._add(int(Path.MOVETO), point)

    def _lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802
        self._add(int(Path.LINETO), point)

    def _curveToOne(self, *points: tuple[float, float]) -> None:  # noqa: N802
        self._add(int(Path.CURVE4), *points)

    def _closePath(self) -> None:  # noqa: N802
        self._add(int(Path.CLOSEPOLY), self.points[-1])


def polygon_path(shape: shapely.Geometry) -> Path:
    """Make a polygon or multipolygon one compound path."""
    rings = [ring for part in shapely.get_parts(shape) for ring in (part.exterior, *part.interiors)]
    paths = [Path(np.asarray(ring.coords)[:, :2], closed=True) for ring in rings if not ring.is_empty]
    return Path.make_compound_path(*paths) if paths else Path(np.empty((0, 2)))


def line_path(shape: shapely.Geometry) -> Path:
    """Make a line or several one path."""
    paths = [Path(np.asarray(part.coords)[:, :2]) for part in shapely.get_parts(shape) if not part.is_empty]
    return Path.make_compound_path(*paths) if paths else Path(np.empty((0, 2)))


def halo(weight: float) -> list[Stroke]:
    """Give the white edge that sets a name off from what it stands on."""
    return [Stroke(linewidth=weight, foreground="#ffffff", joinstyle="round")]


# ---- scale bar and north arrow ---------------------------------------------------------------------


def bar_length(metres_per_mm: float, room_mm: float) -> float:
    """Give the longest round length (1, 2 or 5 × 10ⁿ metres) that fits into `room_mm` of paper."""
    most = metres_per_mm * room_mm
    power = 10.0 ** np.floor(np.log10(most))
    return float(max(step * power for step in (1, 2, 5) if step * power <= most))


def round_scale(fitting: float) -> int:
    """Round a scale's denominator up to two figures, so that what is printed is exact."""
    power = max(10.0 ** (np.floor(np.log10(max(fitting, 1.0))) - 1), 1.0)
    # 1e-9: what is round already stays
    return int(np.ceil(fitting / power - 1e-9) * power)


def scale_bar(page: Page, denominator: int, width: float, *, size: float, ratio: bool = True) -> Laid:
    """Lay a bar of four fields with its length, and the ratio of the sheet."""
    per_mm = denominator / 1000
    length = bar_length(per_mm, width - 2.7 * size * MM_PER_PT - 2.5)
    wide, high, step = length / per_mm, 1.3, page.line_height(size)
    unit, name = (1000, "千米") if length >= 1000 else (1, "米")
    said = f"比例尺 1:{denominator:,}".replace(",", " ")

    def draw(x: float, y: float) -> None:
        if ratio:
            page.text(x, y, said, size=size)
            y += step + 0.6
        left = x + 1.5
        for number in range(4):
            fill = PALETTE["ink"] if number % 2 == 0 else "#ffffff"
            page.rectangle(
                left + number * wide / 4,
                y + step,
                wide / 4,
                high,
                facecolor=fill,
                edgecolor=PALETTE["ink"],
                linewidth=0.5,
                gid="scale-bar" if number == 0 else None,
            )
        for share in (0, 0.5, 1):
            label = f"{share * length / unit:g}"
            page.text(left + share * wide, y, label, size=size, align="center")
        end = left + wide + page.font.width(f"{length / unit:g}", size) * MM_PER_PT / 2
        page.text(end + 0.8, y, name, size=size)

    return Laid(step + high + 0.8 + (step + 0.6 if ratio else 0), draw)


def north_arrow(page: Page, height: float) -> Laid:
    """Lay an arrow to the north, 0.6 times as wide as high."""

    def draw(x: float, y: float) -> None:
        size = height * 0.3 / MM_PER_PT
        page.text(x + height * 0.3, y, "北", size=size, bold=True, align="center")
        top, foot, middle = y + height * 0.42, y + height, x + height * 0.3
        dent = foot - height * 0.12
        for side, face in ((-1, PALETTE["ink"]), (1, "#ffffff")):
            ring = [(middle, top), (middle + side * height * 0.17, foot), (middle, dent), (middle, top)]
            page.axes.add_artist(
                PathPatch(Path(ring, closed=True), facecolor=face, edgecolor=PALETTE["ink"], linewidth=0.6)
            )

    return Laid(height, draw)
