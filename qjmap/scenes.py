"""Scenes: what is put on a map, on the screen as on paper.

Records are marks: filled for what is there, hollow for what is planned, grey for what is invented. Towns are shaded by
how many rules they fall short of, or by what one rule comes to; a rule with a radius brings its circles.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qjmap import shortlist, summary
from qjmap.assess import MET, NOT_APPLICABLE, POSSIBLE, SHORT, UNKNOWN, Assessment
from qjmap.district import District
from qjmap.layers import LayerSpec
from qjmap.marks import marks, notices, shape_layer, stacked, town_bounds
from qjmap.registers import DEMO, Layer, has_demo, lies_in
from qjmap.shortlist import Line
from qjmap.webmap import PALETTE, CoverageDrawing, MarkLayer, MarkStyle, Scene, ShapeLayer, Zone

#: What a rule comes to → the colour of a town on the map.
SHADES = {SHORT: "#e8a981", UNKNOWN: "#d9dcdf", MET: "#cfe5e6", NOT_APPLICABLE: "#ffffff"}

#: Few to many shortages, one hue, light to dark: legible in grey.
_RAMP = ("#fbe9dd", "#f3c7a8", "#e8a176", "#d57a45", "#b8541c")


def town_scene(
    district: District, layers: Mapping[str, Layer], town: str, *, most: int
) -> tuple[Scene, dict[str, list[str]], list[str]]:
    """Put everything that a town has on the map.

    Parameters
    ----------
    most
        A layer with more records than this in the town is not drawn.

    Returns
    -------
    Scene, dict, list
        The scene; layer key → ids in the order of its marks; what was left out, in words.
    """
    drawn: list[MarkLayer] = []
    shapes: list[ShapeLayer] = []
    ids: dict[str, list[str]] = {}
    left_out, invented = [], False
    for key, layer in layers.items():
        there = summary.placed(layer.frame[lies_in(layer.frame, [town])])
        if len(there) > most:
            left_out.append(f"{layer.spec.label} {len(there):,} 处")
        elif len(there):
            if layer.spec.shaped:
                shapes.append(shape_layer(district, layer.spec, there))
            else:
                drawn.append(marks(district, layer.spec, there))
            ids[key] = [str(one) for one in there["id"]]
            invented = invented or has_demo(there)
    bounds = town_bounds(district, town)
    scene = Scene(
        layers=drawn,
        shapes=stacked(shapes),
        town=town,
        focus=None if bounds is None else (town, bounds),
        notices=notices(district, demo=invented),
    )
    return scene, ids, left_out


def shortage_scene(
    district: District,
    found: Assessment,
    chosen: Sequence[Line],
    *,
    line: Line | None = None,
    town: str | None = None,
    frames: Mapping[str, pd.DataFrame] | None = None,
    circles: bool = False,
) -> tuple[Scene, dict[str, list[str]]]:
    """Put shortages on the map: how many each town has, how one rule stands, or where its gap lies in a town.

    Parameters
    ----------
    chosen
        The rules that are counted when none is in focus.
    line, town
        The rule and the town in focus.
    frames
        Layer key → records, of the layers that the rule reads.
    circles
        Whether a rule with a radius draws its circles over the whole district too, not only in a town.

    Returns
    -------
    Scene, dict
        The scene; layer key → ids in the order of its marks.
    """
    frames = frames or {}
    shades, title, legend = _shades(district, chosen, line, town)
    layers: list[MarkLayer] = []
    ids: dict[str, list[str]] = {}
    drawing = None
    if line is not None and (town is not None or circles):
        layers, ids = _records(district, found, line, town, frames)
        circle = _circles(district, found, line, town, frames)
        if circle is not None:
            serving, zones = circle
            spec = district.registry.layers[line.rule.layers[0]]
            layers.append(marks(district, spec, serving, visible=False))
            error = serving["error_m"].fillna(0).to_numpy(dtype=float)
            drawing = CoverageDrawing(of=len(layers) - 1, zones=zones, error_m=error)
    bounds = town_bounds(district, town)
    invented = any(has_demo(rows) for rows in frames.values()) or (
        any(one.demo for one in line.findings.values())
        if line is not None
        else any(one.demo for each in chosen for one in each.findings.values() if one.status in (SHORT, MET))
    )
    return Scene(
        layers=layers,
        coverage=drawing,
        shades={} if drawing is not None else shades,
        shade_title="" if drawing is not None else title,
        shade_legend=() if drawing is not None else legend,
        town=town,
        focus=None if town is None or bounds is None else (town, bounds),
        notices=notices(district, demo=invented),
    ), ids


def place_of(
    district: District, frames: Mapping[str, pd.DataFrame], record: str | None
) -> tuple[float, float, float] | None:
    """Give a record's longitude, latitude (degrees) and position error (metres); None when it has no place."""
    for rows in frames.values():
        here = summary.placed(rows[rows["id"] == record])
        if len(here):
            one = here.iloc[0]
            lon, lat = district.projection.to_degrees([one["x"]], [one["y"]])
            return float(lon[0]), float(lat[0]), float(np.nan_to_num(one["error_m"]))
    return None


def _shades(
    district: District, chosen: Sequence[Line], line: Line | None, town: str | None
) -> tuple[dict[str, str], str, list[tuple[str, str]]]:
    towns = [str(town) for town in district.towns.index]
    if line is None:
        counts = shortlist.shortages_by_town(chosen, towns)
        unknown = {place for each in chosen for place, one in each.findings.items() if one.status == UNKNOWN}
        colours, legend = count_shades(counts, unknown)
        return colours, "短缺的标准(条)", legend
    states = {one: line.findings[one].status for one in (towns if town is None else [town])}
    colours = {one: SHADES[status] for one, status in states.items()}
    if town is not None:  # the card beside the map says it, and a legend would lie over the town
        return colours, "", []
    present = [status for status in shortlist.ORDER if status in states.values()]
    return colours, "结论", [(status, SHADES[status]) for status in present]


def count_shades(
    counts: Mapping[str, int], unknown: Collection[str] = ()
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Colour towns by a count in up to five classes of equal width; a town without any stays white.

    Parameters
    ----------
    counts
        Town → shortages.
    unknown
        Towns of which something is not known: without any shortage they are grey, for nobody knows that they lack
        nothing.

    Returns
    -------
    dict, list
        Town → colour; (label, colour) for the legend.
    """
    some = [count for count in counts.values() if count]
    none = {
        town: SHADES[UNKNOWN] if town in unknown else "#ffffff" for town, count in counts.items() if not count
    }
    grey = [("0,另有数据不足", SHADES[UNKNOWN])] if SHADES[UNKNOWN] in none.values() else []
    white = [("0", "#ffffff")] if "#ffffff" in none.values() else []
    if not some:
        return none, [*white, *grey]
    low, width = min(some), math.ceil((max(some) - min(some) + 1) / len(_RAMP))
    colours = none | {town: _RAMP[(count - low) // width] for town, count in counts.items() if count}
    legend = [*white, *grey]
    for number, colour in enumerate(_RAMP):
        first = low + number * width
        last = min(first + width - 1, max(some))
        if first <= last:
            legend.append((f"{first}" if first == last else f"{first}–{last}", colour))
    return colours, legend


def _records(
    district: District,
    found: Assessment,
    line: Line,
    town: str | None,
    frames: Mapping[str, pd.DataFrame],
) -> tuple[list[MarkLayer], dict[str, list[str]]]:
    """Give the marks of what a rule reads, in a town or everywhere, its gap among them."""
    gap = None if town is None else found.gap(line.rule.id, town)
    layers, ids = [], {}
    for key, rows in frames.items():
        here = summary.placed(rows if town is None else rows[rows["town"] == town])
        layers.append(_marks(district, district.registry.layers[key], here, gap))
        ids[key] = [str(one) for one in here["id"]]
    return layers, ids


def _circles(
    district: District,
    found: Assessment,
    line: Line,
    town: str | None,
    frames: Mapping[str, pd.DataFrame],
) -> tuple[pd.DataFrame, list[Zone]] | None:
    """Give the facilities and the towns of a rule whose radius says who is short; None for any other rule."""
    rule = line.rule
    if rule.kind != "radius" or not rule.metric or rule.within or rule.figure is None:
        return None
    one = line.whole if town is None else line.findings[town]
    if not (one.status in (SHORT, MET) or one.certainty == POSSIBLE) or rule.layers[0] not in frames:
        return None
    towns = [str(name) for name in district.boundaries.index] if town is None else [town]
    radius = {name: rule.figure.of(str(district.towns.loc[name, "setting"])) for name in towns}
    zones = [
        Zone(size, [name for name in towns if radius[name] == size]) for size in sorted(set(radius.values()))
    ]
    return summary.placed(found.counted(rule.id)), zones


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
