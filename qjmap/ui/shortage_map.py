"""The map beside the list of what is short: how the towns stand, and where a gap lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from qjmap import scenes
from qjmap.assess import Assessment
from qjmap.district import District
from qjmap.shortlist import Line
from qjmap.standards import Rule
from qjmap.ui import frame, mapview


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
    scene, ids = scenes.shortage_scene(district, found, chosen, line=line, town=town, frames=frames)
    if scene.focus is not None and scene.layers:
        name, bounds = scene.focus
        rows = len(ids) + 3 * (scene.coverage is not None)
        scene = replace(scene, focus=(name, _above_the_legend(bounds, rows)))
    chosen_place = scenes.place_of(district, frames, mapview.record_in_focus())
    with st.container(key="small-map"):
        mapview.show_map(district, replace(scene, chosen=chosen_place), ids, key="map-shortages")


def _above_the_legend(
    bounds: tuple[float, float, float, float], rows: int
) -> tuple[float, float, float, float]:
    """Stretch a box to the south, so that a small map (some 290 px high) keeps its legend off the town."""
    west, south, east, north = bounds
    part = min(0.6, (22 * rows + 14) / 290)
    return west, south - (north - south) * part / (1 - part), east, north
