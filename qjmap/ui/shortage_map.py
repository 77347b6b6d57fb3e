"""The map beside the list of what is short: how the towns stand, and where a gap lies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from qjmap import shortlist, summary
from qjmap.assess import MET, NOT_APPLICABLE, POSSIBLE, SHORT, UNKNOWN, Assessment
from qjmap.district import District
from qjmap.layers import LayerSpec
from qjmap.registers import DEMO, has_demo
from qjmap.shortlist import Line
from qjmap.standards import Rule
from qjmap.ui import frame, mapview
from qjmap.ui.marks import marks, notices
from qjmap.webmap import PALETTE, CoverageDrawing, MarkLayer, MarkStyle, Scene, Zone

#: What a rule comes to → the colour of a town on the map.
_SHADES = {SHORT: "#e8a981", UNKNOWN: "#d9dcdf", MET: "#cfe5e6", NOT_APPLICABLE: "#ffffff"}

#: Few to many shortages, one hue, light to dark: legible in grey.
_RAMP = ("#fbe9dd", "#f3c7a8", "#e8a176", "#d57a45", "#b8541c")


def records(rule: Rule | None, *, demo: bool) -> dict[str, pd.DataFrame]:
    """Give the registers that a rule reads."""
    keys = () if rule is None else dict.fromkeys((*rule.layers, *rule.to))
    loaded = {key: frame.load_layer(key, demo=demo) for key in keys}
    return {key: layer.frame for key, layer in loaded.items() if layer is not None}


def show_map(
    district: District,
    found: Assessment,
    chosen: Sequence[Line],
    line: Line | None,
    town: str | None,
    frames: dict[str, pd.DataFrame],
) -> None:
    """Draw the map: how many rules each town falls short of, or how one rule stands and where its gap lies."""
    shades, title, legend = _shades(district, chosen, line, town)
    layers, ids, drawing = _contents(district, found, line, town, frames)
    bounds = None if town is None else mapview.town_bounds(district, town)
    if bounds is not None and layers:
        bounds = _above_the_legend(bounds, rows=len(ids) + 3 * (drawing is not None))
    invented = any(has_demo(rows) for rows in frames.values()) or (line is not None and line.whole.demo)
    wanted = mapview.record_in_focus()
    scene = Scene(
        layers=layers,
        coverage=drawing,
        shades={} if drawing is not None else shades,
        shade_title=title,
        shade_legend=legend,
        town=town,
        focus=None if town is None or bounds is None else (town, bounds),
        chosen=_chosen(district, frames, wanted),
        notices=notices(district, demo=invented),
    )
    with st.container(key="small-map"):
        mapview.show_map(district, scene, ids, key="map-shortages")


def _above_the_legend(
    bounds: tuple[float, float, float, float], rows: int
) -> tuple[float, float, float, float]:
    """Stretch a box to the south, so that a small map (some 290 px high) keeps its legend off the town."""
    west, south, east, north = bounds
    part = min(0.6, (22 * rows + 14) / 290)
    return west, south - (north - south) * part / (1 - part), east, north


def _shades(
    district: District, chosen: Sequence[Line], line: Line | None, town: str | None
) -> tuple[dict[str, str], str, list[tuple[str, str]]]:
    towns = [str(town) for town in district.towns.index]
    if line is None:
        colours, legend = count_shades(shortlist.shortages_by_town(chosen, towns))
        return colours, "短缺的标准(条)", legend
    states = {one: line.findings[one].status for one in (towns if town is None else [town])}
    colours = {one: _SHADES[status] for one, status in states.items()}
    if town is not None:  # the card beside the map says it, and a legend would lie over the town
        return colours, "", []
    present = [status for status in shortlist.ORDER if status in states.values()]
    return colours, "结论", [(status, _SHADES[status]) for status in present]


def count_shades(counts: Mapping[str, int]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Colour towns by a count in up to five classes of equal width; a town without any stays white.

    Returns
    -------
    dict, list
        Town → colour; (label, colour) for the legend.
    """
    some = [count for count in counts.values() if count]
    if not some:
        return dict.fromkeys(counts, "#ffffff"), [("没有短缺", "#ffffff")]
    low, width = min(some), math.ceil((max(some) - min(some) + 1) / len(_RAMP))
    colours = {town: _RAMP[(count - low) // width] if count else "#ffffff" for town, count in counts.items()}
    legend = [("0", "#ffffff")] if len(some) < len(counts) else []
    for number, colour in enumerate(_RAMP):
        first = low + number * width
        last = min(first + width - 1, max(some))
        if first <= last:
            legend.append((f"{first}" if first == last else f"{first}–{last}", colour))
    return colours, legend


def _contents(
    district: District,
    found: Assessment,
    line: Line | None,
    town: str | None,
    frames: dict[str, pd.DataFrame],
) -> tuple[list[MarkLayer], dict[str, list[str]], CoverageDrawing | None]:
    """Give the marks of the town in focus, its gap among them, and the circles of a rule with a radius."""
    if line is None or town is None:
        return [], {}, None
    gap = found.gap(line.rule.id, town)
    layers, ids = [], {}
    for key, rows in frames.items():
        here = summary.placed(rows[rows["town"] == town])
        layers.append(_marks(district, district.registry.layers[key], here, gap))
        ids[key] = [str(one) for one in here["id"]]
    rule = line.rule
    if rule.kind != "radius" or not rule.metric or rule.within or rule.figure is None:
        return layers, ids, None
    one = line.findings[town]
    if not (one.status in (SHORT, MET) or one.certainty == POSSIBLE) or rule.layers[0] not in frames:
        return layers, ids, None
    serving = summary.placed(found.counted(rule.id))
    layers.append(marks(district, district.registry.layers[rule.layers[0]], serving, visible=False))
    zone = Zone(rule.figure.of(str(district.towns.loc[town, "setting"])), [town])
    error = serving["error_m"].fillna(0).to_numpy(dtype=float)
    return layers, ids, CoverageDrawing(of=len(layers) - 1, zones=[zone], error_m=error)


def _marks(district: District, spec: LayerSpec, here: pd.DataFrame, gap: object) -> MarkLayer:
    """Draw the town's records; those that are the gap itself in the colour of what is short."""
    missing = gap_records(here, gap)
    if not missing.any():
        return marks(district, spec, here)
    invented = (here["source"] == DEMO).to_numpy(dtype=bool)
    styles = [
        MarkStyle(spec.label),
        MarkStyle(f"{spec.label}(演示)", colour=PALETTE["muted_facility"]),
        MarkStyle(f"{spec.label}:短缺", colour=PALETTE["warn"]),
        MarkStyle(f"{spec.label}(演示):短缺", colour=PALETTE["warn"]),
    ]
    return marks(district, spec, here, styled=(styles, (invented + 2 * missing).astype(np.uint8)))


def gap_records(here: pd.DataFrame, gap: object) -> NDArray[np.bool_]:
    """Tell which placed records are points of a gap: (n,) bool."""
    if getattr(gap, "geom_type", "") not in ("Point", "MultiPoint"):
        return np.zeros(len(here), dtype=bool)
    points = {(one.x, one.y) for one in getattr(gap, "geoms", [gap])}
    return np.array([one in points for one in zip(here["x"], here["y"], strict=True)], dtype=bool)


def _chosen(
    district: District, frames: dict[str, pd.DataFrame], wanted: str | None
) -> tuple[float, float, float] | None:
    for rows in frames.values():
        here = summary.placed(rows[rows["id"] == wanted])
        if len(here):
            one = here.iloc[0]
            lon, lat = district.projection.to_degrees([one["x"]], [one["y"]])
            return float(lon[0]), float(lat[0]), float(np.nan_to_num(one["error_m"]))
    return None
