"""The map itself on paper: ground, areas, lines, marks and names in the district's working projection, metres."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from qjmap import scenes
from qjmap._furniture import (
    MM_PER_PT,
    Entry,
    Fill,
    Laid,
    Page,
    add_area,
    add_marks,
    add_shape,
    area_swatch,
    line_path,
    line_swatch,
    mark_swatch,
    polygon_path,
    shape_swatch,
)
from qjmap._names import write_names
from qjmap._view import View, places_of, view_of
from qjmap.assess import MET, NOT_APPLICABLE, SHORT, UNKNOWN
from qjmap.coverage import covered_geometry
from qjmap.district import District
from qjmap.webmap import PALETTE, CoverageDrawing, MarkLayer, MarkStyle, Scene, ShapeLayer, ShapeStyle

Floats = NDArray[np.float64]

COVERED, PERHAPS, GAP = "covered", "possible", "gap"

#: The screen's colours laid on white paper, each with a hatch of its own: apart in grey, and for every eye.
AREAS: Mapping[str, Fill] = {
    COVERED: Fill("#a7ced0"),
    PERHAPS: Fill("#e6f1f1", "//", "#5f9aa0"),
    GAP: Fill("#fae5d7", "....", "#c87c4b"),
}
CONTEXT = Fill(PALETTE["context"], "\\\\", "#cdd2d7")
_AREA_LABELS = {COVERED: "覆盖", PERHAPS: "可能覆盖(受定位误差影响)", GAP: "未覆盖"}

#: What a status's colour carries besides: 短缺 and 数据不足 must not need a colour to be told apart.
_STATUS = {
    SHORT: ("////", "#b0501a"),
    UNKNOWN: ("..", "#8a939b"),
    MET: ("", "none"),
    NOT_APPLICABLE: ("", "none"),
}
#: Above this many marks of a layer on the sheet they are small dots, and lie where they lie.
MANY = 300
_FINEST_MM = 0.03  # what print can show
_INVENTED = PALETTE["muted_facility"]


@dataclass
class Drawn:
    """What stands on the map, for the legend."""

    marks: list[tuple[MarkLayer, MarkStyle, float]] = field(default_factory=list)
    areas: list[str] = field(default_factory=list)
    shades: set[str] = field(default_factory=set)
    shapes: list[tuple[ShapeStyle, bool]] = field(default_factory=list)
    counts: bool = False
    seats: bool = False
    lines: bool = False
    context: bool = False
    chosen: bool = False


# ---- drawing ---------------------------------------------------------------------------------------


def draw_map(
    figure: Figure, page: Page, district: District, scene: Scene, frame: tuple[float, float, float, float]
) -> tuple[View, Drawn]:
    """Draw the map into a frame of the page (x, y, width, height in millimetres, y down)."""
    x, y, width, height = frame
    view = view_of(district, scene, width, height)
    axes = figure.add_axes(
        (x / page.width, 1 - (y + height) / page.height, width / page.width, height / page.height)
    )
    axes.set_xlim(view.west, view.east)
    axes.set_ylim(view.south, view.north)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor("#ffffff")
    for spine in axes.spines.values():
        spine.set(linewidth=0.9, edgecolor=PALETTE["ink"], zorder=20)
    drawn = Drawn()
    _ground(axes, district, view, drawn)
    _shades(axes, district, scene, drawn)
    if scene.coverage is not None:
        _coverage(axes, district, scene, scene.coverage, view, drawn)
    _lines(axes, district, scene, view, drawn)
    for layer in scene.shapes:
        _shapes(axes, district, layer, view, drawn)
    obstacles = np.concatenate(
        (_marks(axes, page, district, scene, view, drawn), _seat_boxes(district, view))
    )
    if scene.chosen is not None:
        _chosen(axes, district, scene.chosen, page, view, drawn)
    write_names(axes, page, district, scene, view, obstacles)
    if district.boundaries.empty:
        _say_no_boundaries(axes, page)
    return view, drawn


def _ground(axes: Axes, district: District, view: View, drawn: Drawn) -> None:
    for shape in district.background.geometry:
        add_area(axes, polygon_path(shape), CONTEXT, zorder=0.5)
        drawn.context |= bool(shape.intersects(view.box))
    for shape in district.boundaries.geometry:
        add_area(axes, polygon_path(shape), Fill(PALETTE["ground"]), zorder=0.5)
        drawn.lines = True


def shade_fill(scene: Scene, colour: str) -> Fill:
    """Give a town's shade its hatch: by what the legend calls it, else by the colour of a status."""
    labels = {shade: label for label, shade in scene.shade_legend}
    status = labels.get(colour) or _status_of(colour)
    hatch, lines = _STATUS.get(status, ("", "none"))
    return Fill(colour, hatch, lines)


def _status_of(colour: str) -> str:
    return next((status for status, own in scenes.SHADES.items() if own == colour), "")


def _shades(axes: Axes, district: District, scene: Scene, drawn: Drawn) -> None:
    for colour in dict.fromkeys(scene.shades.values()):
        own = [
            district.boundaries.geometry[town]
            for town, one in scene.shades.items()
            if one == colour and town in district.boundaries.index
        ]
        if own:
            add_area(axes, polygon_path(shapely.multipolygons(_parts(own))), shade_fill(scene, colour))
            drawn.shades.add(colour)


def _parts(shapes: Sequence[shapely.Geometry] | NDArray[np.object_]) -> NDArray[np.object_]:
    """Take apart into plain polygons, the empty ones left out."""
    parts: NDArray[np.object_] = shapely.get_parts(np.asarray(shapes, dtype=object))
    kept: NDArray[np.object_] = parts[~shapely.is_empty(parts)]
    return kept


def _coverage(
    axes: Axes, district: District, scene: Scene, coverage: CoverageDrawing, view: View, drawn: Drawn
) -> None:
    """Draw the three answers as areas; what lies outside the frame is not worked out."""
    radius = {town: zone.radius_m for zone in coverage.zones for town in zone.towns}
    towns = [
        town
        for town in district.boundaries.index
        if town in radius and district.boundaries.geometry[town].intersects(view.box)
    ]
    if not towns:
        return
    centres = places_of(district, scene.layers[coverage.of])
    sizes = np.array([radius[town] for town in towns])
    error = np.broadcast_to(np.asarray(coverage.error_m, dtype=float), len(centres))
    found = covered_geometry(
        district.boundaries.geometry[towns].to_numpy(),
        centres[:, 0],
        centres[:, 1],
        sizes,
        error,
        _segments(float((sizes.max() + error.max(initial=0)) * 1000 / view.denominator)),
    )
    shown = (coverage.covered, coverage.possible, coverage.gap)
    for key, shapes, wanted in zip((COVERED, PERHAPS, GAP), found, shown, strict=True):
        parts = _parts(shapes)
        parts = parts[shapely.intersects(parts, view.box)]
        if wanted and len(parts):
            add_area(axes, polygon_path(shapely.multipolygons(parts)), AREAS[key])
            drawn.areas.append(key)


def _segments(radius_mm: float) -> int:
    """Give the segments per quarter circle that keep its outline right to 0.02 mm of paper."""
    return int(np.clip(math.ceil(math.sqrt(math.pi**2 / 8 * radius_mm / 0.02)), 4, 32))


def _lines(axes: Axes, district: District, scene: Scene, view: View, drawn: Drawn) -> None:
    for shape in (*district.background.geometry, *district.boundaries.geometry):
        # white under the grey: seen on dark shades too
        for colour, weight, zorder in (("#ffffff", 1.3, 2.0), ("#7f8991", 0.55, 2.05)):
            axes.add_artist(
                PathPatch(polygon_path(shape), fill=False, edgecolor=colour, linewidth=weight, zorder=zorder)
            )
    if len(district.boundaries):
        whole = shapely.coverage_union_all(district.boundaries.geometry.to_numpy())
        axes.add_artist(
            PathPatch(polygon_path(whole), fill=False, edgecolor="#5a646d", linewidth=1.0, zorder=2.1)
        )
    if scene.town in district.boundaries.index:
        shape = district.boundaries.geometry[scene.town]
        axes.add_artist(
            PathPatch(
                polygon_path(shape),
                fill=False,
                edgecolor=PALETTE["accent"],
                linewidth=1.8,
                joinstyle="round",
                zorder=2.5,
            )
        )
    seats = _seats(district, view)
    if len(seats) and len(district.boundaries):
        drawn.seats = True
        axes.plot(
            *seats.T,
            linestyle="none",
            marker="s",
            markersize=2.6,
            markerfacecolor=PALETTE["ink"],
            markeredgecolor="#ffffff",
            markeredgewidth=0.5,
            zorder=3,
        )


def _shapes(axes: Axes, district: District, layer: ShapeLayer, view: View, drawn: Drawn) -> None:
    """Draw lines and areas, small ones over large ones; what the paper could not show is simplified away."""
    metres = district.projection.geometry_to_metres(np.asarray(layer.shapes, dtype=object))
    seen = shapely.intersects(metres, view.box) & (shapely.get_dimensions(metres) > 0)
    fine = shapely.simplify(metres, view.denominator * _FINEST_MM / 1000)
    above = np.argsort(-shapely.area(metres), kind="stable")
    used = np.unique(np.column_stack([layer.classes, shapely.get_dimensions(metres)])[seen], axis=0)
    drawn.shapes += [(layer.styles[number], size == 2) for number, size in used.tolist()]
    for place in above[seen[above]].tolist():
        style, area = layer.styles[int(layer.classes[place])], shapely.get_dimensions(fine[place]) == 2
        path = polygon_path(fine[place]) if area else line_path(fine[place])
        edge = PALETTE["accent"] if place == layer.chosen else style.colour
        weight = 1.8 if place == layer.chosen else 0.9 if area else 1.1
        # under the outline of the town in focus
        add_shape(axes, path, style, edge, weight, area=area, zorder=2.6 if place == layer.chosen else 2.3)


def _seats(district: District, view: View) -> Floats:
    """Give the seats in the frame, (n, 2) metres."""
    seats: Floats = district.towns[["seat_x", "seat_y"]].dropna().to_numpy(dtype=float)
    return seats[view.holds(seats)]


def _seat_boxes(district: District, view: View) -> Floats:
    centres = view.mm(_seats(district, view))
    return np.column_stack((centres - 0.7, centres + 0.7))


def mark_size(places: Floats, view: View, page: Page) -> float:
    """Give the diameter of a layer's marks in points: as large as their number and their density allow.

    Parameters
    ----------
    places
        (n, 2) metres: the marks in the frame. Those at one place are drawn once, with their number.
    """
    apart = np.unique(np.round(places), axis=0)
    if len(places) > MANY:
        return page.size * (0.36 if len(places) <= 2000 else 0.27)
    large = page.size * (1.3 if len(places) <= 60 else 1.0)
    if len(apart) < 3:
        return large
    # half of the marks may touch their nearest neighbour, not more
    gap = float(np.median(nearest_gap(apart))) * 1000 / view.denominator / MM_PER_PT
    return large if gap > 0.75 * large else max(page.size * 0.4, min(0.6 * page.size, gap))


def nearest_gap(places: Floats) -> Floats:
    """Give each place's distance to its nearest neighbour, (n,) metres, for n ≥ 2."""
    gaps: Floats = np.asarray(cKDTree(places).query(places, k=2)[0])
    return gaps[:, 1]


def _marks(axes: Axes, page: Page, district: District, scene: Scene, view: View, drawn: Drawn) -> Floats:
    """Draw the marks; give the boxes (n, 4) of the large ones in millimetres of the frame.

    Records known only to their town or seat share a place: kinds stand side by side there, each with its number.
    """
    groups: list[tuple[MarkLayer, int, Floats, float]] = []
    for layer in scene.layers:
        places = places_of(district, layer) if layer.visible else np.empty((0, 2))
        inside = view.holds(places)
        size = mark_size(places[inside], view, page)
        for number in np.unique(layer.classes[inside]) if layer.visible else ():
            own = places[inside & (layer.classes == number)]
            groups.append((layer, int(number), own, size))
            drawn.marks.append((layer, layer.styles[int(number)], size))
    crowd = Counter(
        key for _, _, own, size in groups if _large(size, page) for key in {_key(one) for one in own}
    )
    seen: Counter[tuple[int, int]] = Counter()
    boxes: list[tuple[float, float, float, float]] = []
    # what is real stands over what is invented, few over many
    groups.sort(
        key=lambda one: (_large(one[3], page), one[0].styles[one[1]].colour != _INVENTED, -len(one[2]))
    )
    for order, (layer, number, own, size) in enumerate(groups):
        if not _large(size, page):
            add_marks(axes, own, layer.symbol, layer.styles[number], size, zorder=4)
            continue
        stacked = Counter(_key(one) for one in own)
        first = {_key(one): one for one in reversed(own)}
        width = size * MM_PER_PT * 1.06
        points = []
        for key, count in stacked.items():
            across, down = _offset(seen[key], crowd[key], width)
            seen[key] += 1
            at = view.mm(first[key][None, :])[0] + [across, -down]
            points.append(at)
            boxes.append((at[0] - width / 2, at[1] - width / 2, at[0] + width / 2, at[1] + width / 2))
            if count > 1:
                _badge(axes, page, view.metres((at + width * 0.42)[None, :])[0], count)
                drawn.counts = True
        add_marks(
            axes,
            view.metres(np.array(points)),
            layer.symbol,
            layer.styles[number],
            size,
            zorder=5 + order / 100,
        )
    return np.array(boxes).reshape(-1, 4)


def _large(size: float, page: Page) -> bool:
    return size >= page.size


def _key(place: Floats) -> tuple[int, int]:
    """Name a place to the metre."""
    return round(float(place[0])), round(float(place[1]))


def _offset(number: int, of: int, width: float) -> tuple[float, float]:
    """Give where the number-th of several marks at one place stands: in rows of up to four, centred."""
    columns = min(of, 4) if of != 5 else 3
    rows = -(-of // columns)
    row, column = divmod(number, columns)
    here = columns if row < rows - 1 else of - columns * (rows - 1)
    return (column - (here - 1) / 2) * width, (row - (rows - 1) / 2) * width


def _badge(axes: Axes, page: Page, at: Floats, count: int, zorder: float = 6) -> None:
    """Write how many records lie at one place, white on a dark disc at (x, y) of the axes' data."""
    size = page.size * (0.62 if count < 100 else 0.5)
    axes.scatter(
        at[:1],
        at[1:],
        s=(page.size * 0.95) ** 2,
        c=PALETTE["ink"],
        edgecolors="#ffffff",
        linewidths=0.5,
        zorder=zorder,
    )
    axes.annotate(
        str(count) if count < 100 else "99+",
        (float(at[0]), float(at[1])),
        (0, -size * 0.36),
        textcoords="offset points",
        ha="center",
        va="baseline",
        color="#ffffff",
        zorder=zorder + 0.1,
        parse_math=False,
        fontproperties=page.font.properties(bold=True, size=size),
        annotation_clip=True,
    )


def _badge_swatch(page: Page, x: float, y: float, width: float, height: float) -> None:
    _badge(page.axes, page, np.array([x + width / 2, y + height / 2]), 2)


def _chosen(
    axes: Axes,
    district: District,
    chosen: tuple[float, float, float],
    page: Page,
    view: View,
    drawn: Drawn,
) -> None:
    lon, lat, error = chosen
    x, y = district.projection.to_metres([lon], [lat])
    at = (float(x[0]), float(y[0]))
    ring = page.size * MM_PER_PT * view.denominator / 1000
    for radius, dash, weight in ((error, "--", 0.8), (ring, "-", 1.6)):
        if math.isfinite(radius) and radius > 0 and np.isfinite(at).all():
            axes.add_artist(
                Circle(
                    at,
                    radius,
                    fill=False,
                    edgecolor=PALETTE["accent"],
                    linewidth=weight,
                    linestyle=dash,
                    zorder=5.5,
                )
            )
            drawn.chosen = True


def _say_no_boundaries(axes: Axes, page: Page) -> None:
    axes.text(
        0.5,
        0.5,
        "没有可用的街镇界线,只画出有坐标的点位",
        transform=axes.transAxes,
        ha="center",
        va="center",
        parse_math=False,
        color=PALETTE["warn"],
        fontproperties=page.font.properties(bold=True, size=page.size * 1.3),
        zorder=8,
    )


# ---- the legend, and where a town lies ---------------------------------------------------------------


def entries(district: District, scene: Scene, drawn: Drawn, page: Page) -> list[Entry]:
    """List what stands on the map, with swatches drawn as it is drawn there."""
    rows = [
        Entry(style.label, mark_swatch(layer.symbol, style, min(max(size, 2.6), page.size * 1.15)))
        for layer, style, size in drawn.marks
    ]
    rows += [Entry(style.label, shape_swatch(style, area=area)) for style, area in drawn.shapes]
    if drawn.counts:
        rows.append(Entry("同一位置的记录数", _badge_swatch))
    if scene.coverage is not None and drawn.areas:
        sizes = "、".join(f"{one:,.0f}" for one in sorted({zone.radius_m for zone in scene.coverage.zones}))
        rows.append(Entry(f"直线服务半径 {sizes} 米", None))
        rows += [Entry(_AREA_LABELS[key], area_swatch(AREAS[key])) for key in drawn.areas]
    rows += _shade_entries(scene, drawn)
    if drawn.chosen:
        rows.append(Entry("所选记录(虚线为定位误差)", line_swatch(PALETTE["accent"], 1.6)))
    if drawn.lines and scene.town in district.boundaries.index:
        rows.append(Entry(f"{scene.town}", line_swatch(PALETTE["accent"], 1.8)))
    if drawn.seats:
        rows.append(Entry("街镇驻地", _seat_swatch))
    if drawn.lines:
        kind = district.origin.label
        rows.append(Entry(f"街镇{kind}", line_swatch("#7f8991", 0.6)))
        rows.append(Entry(f"{district.settings.short_name}{kind}", line_swatch("#5a646d", 1.1)))
    if drawn.context:
        rows.append(Entry(district.settings.context_label, area_swatch(CONTEXT)))
    return rows


def _shade_entries(scene: Scene, drawn: Drawn) -> list[Entry]:
    if not drawn.shades:
        return []
    listed = [(label, colour) for label, colour in scene.shade_legend if colour in drawn.shades]
    if not scene.shade_legend:
        listed = [(_status_of(colour), colour) for colour in scene.shades.values() if colour in drawn.shades]
        listed = [(label, colour) for label, colour in dict.fromkeys(listed) if label]
    rows = [Entry(label, area_swatch(shade_fill(scene, colour))) for label, colour in listed]
    return [Entry(scene.shade_title or "结论", None), *rows] if rows else []


def _seat_swatch(page: Page, x: float, y: float, width: float, height: float) -> None:
    side = 2.6 * MM_PER_PT
    page.rectangle(
        x + (width - side) / 2, y + (height - side) / 2, side, side, facecolor=PALETTE["ink"], linewidth=0
    )


def expected(district: District, scene: Scene, page: Page) -> Drawn:
    """Give the most that can come to stand on the map: what room the legend needs."""
    drawn = Drawn(lines=not district.boundaries.empty, context=not district.background.empty)
    drawn.seats, drawn.chosen = drawn.lines, scene.chosen is not None
    for layer in scene.layers:
        for number in np.unique(layer.classes) if layer.visible else ():
            drawn.marks.append((layer, layer.styles[int(number)], page.size))
    for shaped in scene.shapes:
        areas = bool(np.any(shapely.get_dimensions(shaped.shapes) == 2))
        drawn.shapes += [(shaped.styles[number], areas) for number in np.unique(shaped.classes).tolist()]
    drawn.counts = bool(drawn.marks)
    if scene.coverage is not None:
        shown = (scene.coverage.covered, scene.coverage.possible, scene.coverage.gap)
        drawn.areas = [key for key, wanted in zip((COVERED, PERHAPS, GAP), shown, strict=True) if wanted]
    drawn.shades = set(scene.shades.values())
    return drawn


def locator(page: Page, district: District, town: str, width: float, height: float) -> Laid:
    """Lay the district in small with a town marked."""
    shapes = district.boundaries.geometry
    west, south, east, north = (float(value) for value in shapes.total_bounds)
    per_mm = max((east - west) / width, (north - south) / height)
    tall = (north - south) / per_mm

    def draw(x: float, y: float) -> None:
        left = x + (width - (east - west) / per_mm) / 2

        def on_page(xy: Floats) -> Floats:
            moved: Floats = np.column_stack(
                (left + (xy[:, 0] - west) / per_mm, y + (north - xy[:, 1]) / per_mm)
            )
            return moved

        for name, shape in shapes.items():
            path = polygon_path(shapely.transform(shapely.simplify(shape, per_mm / 10), on_page))
            face = PALETTE["accent"] if name == town else "#f1f2f0"
            page.axes.add_artist(PathPatch(path, facecolor=face, edgecolor="#a9b0b7", linewidth=0.3))

    return Laid(tall, draw)
