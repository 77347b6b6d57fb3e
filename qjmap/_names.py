"""Names on a map on paper: wanted, placed by `_labels`, written with a white edge and, if need be, a leader."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from matplotlib.axes import Axes
from numpy.typing import NDArray

from qjmap._furniture import MM_PER_PT, Page, halo, shorten, wrap
from qjmap._labels import Placed, Wanted, place
from qjmap._view import View
from qjmap.district import District
from qjmap.fonts import Font
from qjmap.webmap import PALETTE, Scene

Floats = NDArray[np.float64]
_LINES = 3


@dataclass(frozen=True)
class _Name:
    """A name to write: its lines, and how."""

    lines: list[str]
    size: float
    bold: bool
    colour: str


def write_names(axes: Axes, page: Page, district: District, scene: Scene, view: View, marks: Floats) -> None:
    """Write the names so that none lies over another; smaller where there is no room."""
    frame = view.mm(np.array([[view.west, view.south], [view.east, view.north]]))
    inner = (float(frame[0, 0]) + 1, float(frame[0, 1]) + 1, float(frame[1, 0]) - 1, float(frame[1, 1]) - 1)
    for size in (1.08, 0.95, 0.8, 0.65, 0.5):
        names, wanted = _wanted(page.font, district, scene, view, page.size * size)
        places = place(wanted, inner, marks)
        if all(at is not None for at, one in zip(places, wanted, strict=True) if one.must):
            break
    for number, (name, at) in enumerate(zip(names, places, strict=True)):
        if at is not None:
            _write(axes, page, view, name, at, f"name-{number}")


def _wanted(
    font: Font, district: District, scene: Scene, view: View, size: float
) -> tuple[list[_Name], list[Wanted]]:
    names, wanted = [], []
    for frame, context in ((district.boundaries, False), (district.background, True)):
        for town, row in frame.iterrows():
            shape = row.geometry
            seen = shapely.intersection(shape, view.box) if shape.intersects(view.box) else None
            if seen is None or seen.area == 0:
                continue
            chosen = town == scene.town
            text = district.settings.context_label.replace("(", "\n(", 1) if context else str(town)
            own = size * (1.15 if chosen else 0.88 if context else 1.0)
            colour = PALETTE["accent"] if chosen else "#69727a" if context else PALETTE["ink"]
            room = own * MM_PER_PT * (12.6 if context else 8.2)
            lines = shorten(font, wrap(font, text, room, own, bold=chosen), _LINES, room, own, bold=chosen)
            whole = seen.area > 0.6 * shape.area
            at = shapely.Point(row["label_x"], row["label_y"])
            if not seen.contains(at):
                at = shapely.get_point(shapely.maximum_inscribed_circle(seen, 10.0), 0)
            ground = shapely.transform(shapely.simplify(seen, view.denominator / 5000), view.mm)
            (x, y) = view.mm(np.array([[at.x, at.y]]))[0]
            width = max(font.width(line, own, bold=chosen) for line in lines) * MM_PER_PT
            step = own * MM_PER_PT * 1.15
            names.append(_Name(lines, own, chosen, colour))
            wanted.append(Wanted(float(x), float(y), width + 0.8, step * len(lines) + 0.4, ground, whole))
    return names, wanted


def _write(axes: Axes, page: Page, view: View, name: _Name, at: Placed, gid: str) -> None:
    if at.leader is not None:
        ends = view.metres(np.array(at.leader))
        axes.plot(*ends.T, color="#ffffff", linewidth=1.6, zorder=6.8)
        axes.plot(*ends.T, color=PALETTE["ink"], linewidth=0.5, zorder=6.9)
    step = name.size * MM_PER_PT * 1.15
    for number, line in enumerate(name.lines):
        # the middle of a Chinese character lies 0.38 of its size above the base line
        down = (number - (len(name.lines) - 1) / 2) * step + 0.38 * name.size * MM_PER_PT
        x, y = view.metres(np.array([[at.x, at.y - down]]))[0]
        for effects, zorder in ((halo(name.size * 0.24), 7.0), ([], 7.1)):
            axes.text(
                x,
                y,
                line,
                ha="center",
                va="baseline",
                color=name.colour,
                parse_math=False,
                fontproperties=page.font.properties(bold=name.bold, size=name.size),
                path_effects=effects,
                gid=None if effects else f"{gid}-{number}",
                zorder=zorder,
            )
