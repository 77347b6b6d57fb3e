"""The map on the screen: a folium map that asks nobody for anything, and the scene that changes on it.

The base map is constant for a district, so that the browser never mounts it again. What a filter changes is one
`Scene`, given to streamlit-folium as `feature_group_to_add` and drawn by `static/qjmap.js` on canvases: any number of
facilities, and their coverage as unions of circles in metres.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import shapely
from folium import Element, MacroElement
from folium.template import Template
from numpy.typing import NDArray

from qjmap import assets

#: One meaning each, told apart by colour-blind eyes (Okabe–Ito hues) and, by hatching, in grey print.
PALETTE: Mapping[str, str] = {
    "ground": "#f7f7f3",
    "context": "#e4e6e8",
    "line": "#a9b0b7",
    "ink": "#2b3640",
    "muted": "#7d868e",
    "accent": "#1d4f8c",
    "covered": "rgba(58,143,150,.42)",
    "coveredLine": "rgba(38,110,118,.55)",
    "possible": "rgba(58,143,150,.13)",
    "gap": "rgba(213,94,0,.20)",
    "gapLine": "rgba(190,80,0,.28)",
    "facility": "#14616b",
    "muted_facility": "#8a939b",
    "warn": "#c2500a",
}


class _OfflineMap(folium.Map):
    """A folium map without its addresses on the internet: Leaflet and our own script are all it needs."""

    default_js = [("map.js", assets.address("map.js"))]  # noqa: RUF012
    default_css = [("map.css", assets.address("map.css"))]  # noqa: RUF012


class _Script(MacroElement):
    """A call of `qjmap.js` with one JSON argument."""

    def __init__(self, call: str, argument: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "QjScript"
        self.argument = argument
        self._template = Template("{% macro script(this, kwargs) %}" + call + "{% endmacro %}")


@dataclass(frozen=True)
class MarkStyle:
    """How one class of records of a layer is drawn; `hollow` marks what is invented or only planned."""

    label: str
    colour: str = PALETTE["facility"]
    hollow: bool = False


@dataclass(frozen=True)
class MarkLayer:
    """Points of one layer.

    Parameters
    ----------
    key
        Layer key; comes back with a click together with the point's place in the arrays.
    lon, lat
        (n,) degrees.
    symbol
        SVG path in a 24 × 24 box.
    styles
        Classes of marks.
    classes
        (n,) index into `styles`.
    names
        (n,) shown under the pointer; left out for large layers to keep the message small.
    visible
        False when the layer only feeds the coverage.
    """

    key: str
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    symbol: str
    styles: Sequence[MarkStyle]
    classes: NDArray[np.uint8]
    names: Sequence[str] | None = None
    visible: bool = True


MOST_VERTICES = 200_000
"""A layer of shapes with more corners than this is simplified further than the screen could show, and says so."""

TINT = 0.16
"""How much of its colour a filled area has: what lies below stays legible."""

_STEP = 1e-5  # degrees: how fine coordinates travel, about a metre, a pixel at the deepest zoom


@dataclass(frozen=True)
class ShapeStyle:
    """How one class of lines or areas is drawn; `fill` lays a light tint of the colour into areas."""

    label: str
    colour: str
    fill: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class ShapeLayer:
    """Lines or areas of one layer, above the towns' shades and below the marks.

    Parameters
    ----------
    key
        Layer key; comes back with a click together with the shape's place in the arrays.
    shapes
        (n,) shapely lines or areas, in degrees; points, empty and missing ones are not drawn.
    styles
        Classes of shapes.
    classes
        (n,) index into `styles`.
    names
        (n,) shown under the pointer.
    chosen
        The shape in focus, drawn in the accent colour; None for none.

    Notes
    -----
    On the screen coordinates are rounded to 5 decimals of a degree and simplified by as much (1 m: no zoom shows
    more); above `MOST_VERTICES` corners the tolerance doubles until they fit, and the legend says how large it is.
    Paper and files take the shapes as they are.
    """

    key: str
    shapes: NDArray[np.object_]
    styles: Sequence[ShapeStyle]
    classes: NDArray[np.uint8]
    names: Sequence[str] | None = None
    chosen: int | None = None

    def choosing(self, chosen: int | None) -> ShapeLayer:
        """Give the same layer with another shape in focus, without making it ready for the screen anew."""
        other = replace(self, chosen=chosen)
        other.__dict__["on_screen"] = self.on_screen  # where `cached_property` keeps it
        return other

    @cached_property
    def on_screen(self) -> tuple[dict[str, Any], float]:
        """Give the shapes as they travel to the browser, and by how many degrees they were simplified."""
        drawn, tolerance = _simplified(self.shapes)
        return _paths(drawn), tolerance


@dataclass(frozen=True)
class Zone:
    """Towns that share one service radius (metres)."""

    radius_m: float
    towns: Sequence[str]


@dataclass(frozen=True)
class CoverageDrawing:
    """Which discs to draw: those of layer number `of`, with its position errors (metres, one or one per point)."""

    of: int
    zones: Sequence[Zone]
    error_m: NDArray[np.float64]
    covered: bool = True
    possible: bool = True
    gap: bool = True


@dataclass(frozen=True)
class Scene:
    """Everything on the map that a filter changes."""

    layers: Sequence[MarkLayer] = ()
    coverage: CoverageDrawing | None = None
    shades: Mapping[str, str] = field(default_factory=dict)
    shade_title: str = ""
    shade_legend: Sequence[tuple[str, str]] = ()
    town: str | None = None
    focus: tuple[str, tuple[float, float, float, float]] | None = None
    chosen: tuple[float, float, float] | None = None
    notices: Sequence[tuple[str, bool]] = ()
    shapes: Sequence[ShapeLayer] = ()


def base_map(
    name: str,
    boundaries: gpd.GeoDataFrame,
    context: gpd.GeoDataFrame,
    seats: Mapping[str, tuple[float, float]],
) -> str:
    """Serialise the constant ground of a district once.

    Parameters
    ----------
    name
        The district's name, for the corner of the map.
    boundaries, context
        Township polygons and the grey units beside them, in degrees, indexed by name, with `label_lon`, `label_lat`.
    seats
        Town name → (lon, lat) of its seat, where known.

    Returns
    -------
    str
        JSON argument of `qjmap.base`.
    """
    towns = [
        {
            "name": str(town),
            "geometry": _rounded(row.geometry.__geo_interface__),
            "label": [round(row.label_lon, 5), round(row.label_lat, 5)],
            "seat": [round(v, 5) for v in seats[str(town)]] if str(town) in seats else None,
            "context": is_context,
        }
        for frame, is_context in ((boundaries, False), (context, True))
        for town, row in frame.iterrows()
    ]
    west, south, east, north = boundaries.total_bounds
    return _json(
        {
            "towns": towns,
            "bounds": [[south, west], [north, east]],
            "palette": dict(PALETTE),
            "attribution": f"{name}一张图",
        }
    )


def folium_map(base_json: str, centre: tuple[float, float]) -> folium.Map:
    """Make the constant base map from `base_map`'s JSON; `centre` is (lon, lat)."""
    lon, lat = centre
    chart = _OfflineMap(
        location=(lat, lon),
        zoom_start=10,
        tiles=None,
        zoom_control=False,
        prefer_canvas=True,
        max_zoom=18,
        zoom_snap=0.25,
        zoom_delta=0.5,
        attribution_control=True,
    )
    figure: Any = chart.get_root()
    figure.header.add_child(Element(_FULL_HEIGHT), name="qj-full-height")
    chart.add_child(_Script("qjmap.base({{ this._parent.get_name() }}, {{ this.argument }});", base_json))
    return chart


def feature_group(scene: Scene) -> folium.FeatureGroup:
    """Wrap a scene for `st_folium(feature_group_to_add=…)`."""
    group = folium.FeatureGroup(name="scene")
    group.add_child(
        _Script("qjmap.scene({{ this.argument }}).addTo({{ this._parent.get_name() }});", scene_json(scene))
    )
    return group


def scene_json(scene: Scene) -> str:
    """Serialise a scene; coordinates travel as 1e-5 degree integers (about 1 m) in base64."""
    legend = [
        _mark_legend(layer, style, i) for layer in scene.layers if layer.visible for i, style in _used(layer)
    ]
    legend += [entry for layer in scene.shapes for entry in _shape_legend(layer)]
    coverage = scene.coverage
    if coverage is not None:
        legend += _coverage_legend(coverage)
    if scene.shades and scene.shade_legend:
        legend.append({"label": scene.shade_title})
        legend += [{"label": label, "fill": fill} for label, fill in scene.shade_legend]
    content: dict[str, Any] = {
        "layers": [_layer(layer) for layer in scene.layers],
        "shapes": [_shape_layer(layer) for layer in scene.shapes],
        "coverage": None
        if coverage is None
        else {
            "of": coverage.of,
            "zones": [{"radius": zone.radius_m, "towns": list(zone.towns)} for zone in coverage.zones],
            "error": _base64(
                np.unique(coverage.error_m) if _same(coverage.error_m) else coverage.error_m, "<f4"
            ),
            "show": {"covered": coverage.covered, "possible": coverage.possible, "gap": coverage.gap},
        },
        "shades": dict(scene.shades),
        "legend": legend,
        "town": scene.town,
        "focus": None if scene.focus is None else {"id": scene.focus[0], "bounds": _bounds(scene.focus[1])},
        "chosen": None
        if scene.chosen is None
        else dict(zip(("lon", "lat", "error"), (round(float(v), 6) for v in scene.chosen), strict=True)),
        "notices": [{"text": text, "strong": strong} for text, strong in scene.notices],
    }
    # The id tells a test, and a bench, when this very scene has been drawn.
    content["id"] = hashlib.sha256(_json(content).encode()).hexdigest()[:16]
    return _json(content)


def _layer(layer: MarkLayer) -> dict[str, Any]:
    pairs = np.column_stack([layer.lon, layer.lat])
    return {
        "key": layer.key,
        "points": _base64(np.round(pairs * 1e5), "<i4"),
        "classes": _base64(layer.classes, "u1") if layer.classes.any() else "",
        "symbol": layer.symbol,
        "styles": [{"colour": style.colour, "hollow": style.hollow} for style in layer.styles],
        "names": None if layer.names is None else list(layer.names),
        "visible": layer.visible,
    }


def _shape_layer(layer: ShapeLayer) -> dict[str, Any]:
    return {
        "key": layer.key,
        **layer.on_screen[0],
        "classes": _base64(layer.classes, "u1") if layer.classes.any() else "",
        "styles": [_shape_style(style) for style in layer.styles],
        "names": None if layer.names is None else list(layer.names),
        "chosen": layer.chosen,
    }


def _shape_style(style: ShapeStyle) -> dict[str, Any]:
    return {
        "colour": style.colour,
        "fill": tinted(style.colour) if style.fill else None,
        "dashed": style.dashed,
    }


def tinted(colour: str) -> str:
    """Give the tint of a colour (#rrggbb) with which areas are filled, as CSS."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{TINT:g})"


def _simplified(shapes: NDArray[np.object_]) -> tuple[NDArray[np.object_], float]:
    """Leave out corners that no screen shows; give the shapes and the tolerance in degrees."""
    tolerance = _STEP
    areas = shapely.get_dimensions(shapes) == 2
    drawn: NDArray[np.object_] = np.asarray(shapes, dtype=object).copy()
    while True:
        drawn[areas] = shapely.simplify(shapes[areas], tolerance, preserve_topology=True)
        drawn[~areas] = shapely.simplify(
            shapes[~areas], tolerance, preserve_topology=False
        )  # much the faster
        if int(shapely.get_num_coordinates(drawn).sum()) <= MOST_VERTICES or tolerance > 0.01:
            return drawn, tolerance
        tolerance *= 2


def _paths(shapes: NDArray[np.object_]) -> dict[str, Any]:
    """Take shapes apart into rings and lines: whose, how many corners, and the corners, as in `_layer`."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    parts, of = shapely.get_parts(parts, return_index=True)  # those of a collection may have parts again
    owner, size = owner[of], shapely.get_dimensions(parts)
    rings, ring_of = shapely.get_rings(parts[size == 2], return_index=True)
    paths = np.concatenate([rings, parts[size == 1]])
    owners = np.concatenate([owner[size == 2][ring_of], owner[size == 1]])
    closed = np.arange(len(paths)) < len(rings)
    order = np.argsort(owners, kind="stable")
    # small areas over large ones, lines over areas: what is hard to hit is hit first
    above = np.argsort(-shapely.area(shapes), kind="stable")
    return {
        "points": _base64(np.round(shapely.get_coordinates(paths[order]) / _STEP), "<i4"),
        "lengths": _base64(shapely.get_num_coordinates(paths[order]), "<i4"),
        "owners": _base64(owners[order], "<i4"),
        "closed": _base64(closed[order], "u1"),
        "order": _base64(above, "<i4"),
    }


def _shape_legend(layer: ShapeLayer) -> list[dict[str, Any]]:
    present = set(np.unique(layer.classes).tolist())
    areas = bool(np.any(shapely.get_dimensions(layer.shapes) == 2))
    entries: list[dict[str, Any]] = [
        {"label": style.label, "shape": {**_shape_style(style), "area": areas}}
        for i, style in enumerate(layer.styles)
        if i in present
    ]
    tolerance = layer.on_screen[1]
    if tolerance > _STEP:
        entries.append({"label": f"(为显示已简化,偏差不超过 {tolerance * 111_320:.0f} 米)"})
    return entries


def _used(layer: MarkLayer) -> list[tuple[int, MarkStyle]]:
    present = set(np.unique(layer.classes).tolist())
    return [(i, style) for i, style in enumerate(layer.styles) if i in present]


def _mark_legend(layer: MarkLayer, style: MarkStyle, _index: int) -> dict[str, Any]:
    return {"label": style.label, "path": layer.symbol, "colour": style.colour, "hollow": style.hollow}


def _coverage_legend(coverage: CoverageDrawing) -> list[dict[str, Any]]:
    entries = [("covered", "覆盖", coverage.covered), ("gap", "未覆盖", coverage.gap)]
    if np.any(coverage.error_m > 0):
        entries.insert(1, ("possible", "可能覆盖(受定位误差影响)", coverage.possible))
    return [{"area": key, "label": label} for key, label, shown in entries if shown]


def _same(values: NDArray[np.float64]) -> bool:
    return values.size > 0 and bool(np.all(values == values[0]))


def _base64(values: NDArray[Any], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode("ascii")


def _bounds(box: tuple[float, float, float, float]) -> list[list[float]]:
    west, south, east, north = box
    return [[south, west], [north, east]]


def _rounded(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """Coordinates to 5 decimals (1 m): what the screen can show."""

    def walk(value: Any) -> Any:
        return round(value, 5) if isinstance(value, float) else [walk(item) for item in value]

    return {"type": geometry["type"], "coordinates": walk(geometry["coordinates"])}


def _json(value: object) -> str:
    """JSON that may stand inside a script: no character of it can end the script, start a comment or run on the server.

    branca compiles the finished script once more as a Jinja template, so "{{", "{%" and "{#" are broken up as well;
    outside strings they do not occur in JSON.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _RISKY.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


_RISKY = re.compile("[<>&\u2028\u2029]|(?<={)[{%#]")


# The component gives its map a fixed height in pixels; the frame around it is as high as the window, so follow that.
_FULL_HEIGHT = """
<style>
#map_div, #map_div.folium-map { height: 100vh !important; width: 100% !important; }
html, body, #root, #parent { height: 100%; margin: 0; overflow: hidden; }
</style>
"""
