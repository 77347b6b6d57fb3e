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

from qjmap import scenes
from qjmap._furniture import (
    MM_PER_PT,
    Entry,
    Fill,
    Laid,
    Page,
    add_area,
    add_marks,
    area_swatch,
    halo,
    line_swatch,
    mark_swatch,
    polygon_path,
    round_scale,
    shorten,
    wrap,
)
from qjmap._labels import Placed, Wanted, place
from qjmap.assess import MET, NOT_APPLICABLE, SHORT, UNKNOWN
from qjmap.coverage import covered_geometry
from qjmap.district import District
from qjmap.fonts import Font
from qjmap.webmap import PALETTE, CoverageDrawing, MarkLayer, MarkStyle, Scene

Floats = NDArray[np.float64]

COVERED, PERHAPS, GAP = "covered", "possible", "gap"

#: The screen's colours laid on white paper, each with a hatch of its own: apart in grey, and for every eye.
AREAS: Mapping[str, Fill] = {
    COVERED: Fill("#a7ced0"),
    PERHAPS: Fill("#e6f1f1", "//", "#5f9aa0"),
    GAP: Fill("#f9e0cf", "....", "#c2703a"),
}
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
_NAME_LINES = 3


@dataclass(frozen=True)
class View:
    """What the frame shows: west, south, east, north in metres, at 1:`denominator`."""

    west: float
    south: float
    east: float
    north: float
    denominator: int

    @property
    def box(self) -> shapely.Polygon:
        """The frame as a polygon in metres."""
        polygon: shapely.Polygon = shapely.box(self.west, self.south, self.east, self.north)
        return polygon

    def mm(self, xy: Floats) -> Floats:
        """Bring metres (n, 2) to millimetres from the frame's south-western corner."""
        moved: Floats = (xy - [self.west, self.south]) * (1000 / self.denominator)
        return moved

    def metres(self, xy: Floats) -> Floats:
        """Bring millimetres (n, 2) in the frame back to metres."""
        moved: Floats = xy * (self.denominator / 1000) + [self.west, self.south]
        return moved

    def holds(self, xy: Floats) -> NDArray[np.bool_]:
        """Tell which points (n, 2) lie in the frame."""
        x, y = xy[:, 0], xy[:, 1]
        inside: NDArray[np.bool_] = (
            (x >= self.west) & (x <= self.east) & (y >= self.south) & (y <= self.north)
        )
        return inside


@dataclass
class Drawn:
    """What stands on the map, for the legend."""

    marks: list[tuple[MarkLayer, MarkStyle, float]] = field(default_factory=list)
    areas: list[str] = field(default_factory=list)
    shades: set[str] = field(default_factory=set)
    counts: bool = False
    seats: bool = False
    lines: bool = False
    context: bool = False
    chosen: bool = False


# ---- what is shown ---------------------------------------------------------------------------------


def view_of(district: District, scene: Scene, width_mm: float, height_mm: float) -> View:
    """Choose the frame: the town in focus or the whole district with a margin, at a round scale."""
    west, south, east, north = _extent(district, scene)
    margin = 1.12 if focused(district, scene) else 1.05
    wide, high = max(east - west, 100.0) * margin, max(north - south, 100.0) * margin
    denominator = round_scale(max(wide / width_mm, high / height_mm) * 1000)
    half_w, half_h = width_mm * denominator / 2000, height_mm * denominator / 2000
    x, y = (west + east) / 2, (south + north) / 2
    return View(x - half_w, y - half_h, x + half_w, y + half_h, denominator)


def focused(district: District, scene: Scene) -> str | None:
    """Give the town that the scene zooms to, if it is one."""
    name = None if scene.focus is None else scene.focus[0]
    return name if name in district.boundaries.index else None


def _extent(district: District, scene: Scene) -> tuple[float, float, float, float]:
    town = focused(district, scene)
    if town is not None:
        bounds: tuple[float, float, float, float] = district.boundaries.geometry[town].bounds
        return bounds
    if scene.focus is not None:
        return _box_in_metres(district, scene.focus[1])
    shapes = [*district.boundaries.geometry, *district.background.geometry]
    if shapes:
        return tuple(float(v) for v in shapely.total_bounds(shapes))  # type: ignore[return-value]
    points = [_places(district, layer) for layer in scene.layers if layer.visible and len(layer.lon)]
    if points:
        every = np.concatenate(points)
        (west, south), (east, north) = every.min(axis=0) - 1000, every.max(axis=0) + 1000
        return float(west), float(south), float(east), float(north)
    return _box_in_metres(district, district.settings.box)


def _box_in_metres(
    district: District, box: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    west, south, east, north = box
    x, y = district.projection.to_metres([west, east, west, east], [south, south, north, north])
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _places(district: District, layer: MarkLayer) -> Floats:
    return np.column_stack(district.projection.to_metres(layer.lon, layer.lat)).reshape(-1, 2)


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
    _ground(axes, district, drawn)
    _shades(axes, district, scene, drawn)
    if scene.coverage is not None:
        _coverage(axes, district, scene, scene.coverage, view, drawn)
    _lines(axes, district, scene, view, drawn)
    obstacles = _marks(axes, page, district, scene, view, drawn)
    if scene.chosen is not None:
        _chosen(axes, district, scene.chosen, page, view, drawn)
    _names(axes, page, district, scene, view, obstacles)
    if district.boundaries.empty:
        _say_no_boundaries(axes, page)
    return view, drawn


def _ground(axes: Axes, district: District, drawn: Drawn) -> None:
    for shape in district.background.geometry:
        add_area(axes, polygon_path(shape), Fill(PALETTE["context"]), zorder=0.5)
        drawn.context = True
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
    centres = _places(district, scene.layers[coverage.of])
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
        axes.add_patch(
            PathPatch(polygon_path(shape), fill=False, edgecolor="#8b949c", linewidth=0.5, zorder=2)
        )
    if len(district.boundaries):
        whole = shapely.coverage_union_all(district.boundaries.geometry.to_numpy())
        axes.add_patch(
            PathPatch(polygon_path(whole), fill=False, edgecolor="#5a646d", linewidth=1.0, zorder=2.1)
        )
    if scene.town in district.boundaries.index:
        shape = district.boundaries.geometry[scene.town]
        axes.add_patch(
            PathPatch(
                polygon_path(shape),
                fill=False,
                edgecolor=PALETTE["accent"],
                linewidth=1.8,
                joinstyle="round",
                zorder=2.5,
            )
        )
    seats = district.towns[["seat_x", "seat_y"]].dropna().to_numpy(dtype=float)
    seats = seats[view.holds(seats)]
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


def mark_size(number: int, page: Page) -> float:
    """Give the diameter of a layer's marks in points, by how many the frame shows."""
    steps = ((60, 1.3), (MANY, 1.0), (2000, 0.36))
    return page.size * next((share for most, share in steps if number <= most), 0.27)


def _marks(axes: Axes, page: Page, district: District, scene: Scene, view: View, drawn: Drawn) -> Floats:
    """Draw the marks; give the boxes (n, 4) of the large ones in millimetres of the frame.

    Records known only to their town or seat share a place: kinds stand side by side there, each with its number.
    """
    groups: list[tuple[MarkLayer, int, Floats, float]] = []
    for layer in scene.layers:
        places = _places(district, layer) if layer.visible else np.empty((0, 2))
        inside = view.holds(places)
        size = mark_size(int(inside.sum()), page)
        for number in np.unique(layer.classes[inside]) if layer.visible else ():
            own = places[inside & (layer.classes == number)]
            groups.append((layer, int(number), own, size))
            drawn.marks.append((layer, layer.styles[int(number)], size))
    crowd = Counter(
        key for _, _, own, size in groups if _large(size, page) for key in {_key(one) for one in own}
    )
    seen: Counter[tuple[int, int]] = Counter()
    boxes: list[tuple[float, float, float, float]] = []
    for layer, number, own, size in groups:
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
                _badge(axes, page, view, at + width * 0.42, count)
                drawn.counts = True
        add_marks(axes, view.metres(np.array(points)), layer.symbol, layer.styles[number], size, zorder=5)
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


def _badge(axes: Axes, page: Page, view: View, at: Floats, count: int) -> None:
    x, y = view.metres(at[None, :])[0]
    size = page.size * 0.62
    axes.scatter(
        [x], [y], s=(size * 1.35) ** 2, c=PALETTE["ink"], edgecolors="#ffffff", linewidths=0.5, zorder=6
    )
    axes.annotate(
        str(count) if count < 100 else "99+",
        (x, y),
        (0, -size * 0.36),
        textcoords="offset points",
        ha="center",
        va="baseline",
        color="#ffffff",
        zorder=6.1,
        parse_math=False,
        fontproperties=page.font.properties(bold=True, size=size),
        annotation_clip=True,
    )


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
            axes.add_patch(
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


# ---- names -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Name:
    """A name to write: its lines, and how."""

    lines: list[str]
    size: float
    bold: bool
    colour: str


def _names(axes: Axes, page: Page, district: District, scene: Scene, view: View, marks: Floats) -> None:
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
            text = district.settings.context_label if context else str(town)
            own = size * (1.15 if chosen else 0.88 if context else 1.0)
            colour = PALETTE["accent"] if chosen else "#69727a" if context else PALETTE["ink"]
            lines = wrap(font, text, own * MM_PER_PT * 8.2, own, bold=chosen)
            lines = shorten(font, lines, _NAME_LINES, own * MM_PER_PT * 8.2, own, bold=chosen)
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
    if drawn.counts:
        rows.append(Entry("数字:同一位置的记录数", None))
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
        kind = district.settings.boundary_kind
        rows.append(Entry(f"街镇界线({kind})", line_swatch("#8b949c", 0.6)))
        rows.append(Entry(f"{district.settings.short_name}范围({kind})", line_swatch("#5a646d", 1.1)))
    if drawn.context:
        rows.append(Entry(district.settings.context_label, area_swatch(Fill(PALETTE["context"]))))
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
            page.axes.add_patch(PathPatch(path, facecolor=face, edgecolor="#a9b0b7", linewidth=0.3))

    return Laid(tall, draw)
