"""The map beside the list of what is short: how the towns stand, and where a gap lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from qjmap import export, scenes, wording
from qjmap.assess import MET, SHORT, UNKNOWN, Assessment, Finding
from qjmap.district import District
from qjmap.shortlist import Choice, Line
from qjmap.standards import CUSTOM, Rule
from qjmap.ui import frame, handout, mapview, paper, single, source, words
from qjmap.webmap import Scene


def records(rule: Rule | None, *, demo: bool) -> dict[str, pd.DataFrame]:
    """Give the registers that a rule reads."""
    keys = () if rule is None else dict.fromkeys((*rule.layers, *rule.to))
    loaded = {key: frame.load_layer(key, demo=demo) for key in keys}
    return {key: layer.frame for key, layer in loaded.items() if layer is not None}


def scene(
    district: District,
    found: Assessment,
    chosen: Sequence[Line],
    line: Line | None,
    town: str | None,
    frames: dict[str, pd.DataFrame],
) -> tuple[Scene, dict[str, list[str]]]:
    """Put on the map how many rules each town falls short of, or how one rule stands and where its gap lies."""
    scene, ids = scenes.shortage_scene(district, found, chosen, line=line, town=town, frames=frames)
    if scene.focus is not None and scene.layers:
        name, bounds = scene.focus
        rows = len(ids) + 3 * (scene.coverage is not None)
        scene = replace(scene, focus=(name, _above_the_legend(bounds, rows)))
    return replace(scene, chosen=scenes.place_of(district, frames, mapview.record_in_focus())), ids


def show_map(district: District, scene: Scene, ids: dict[str, list[str]]) -> None:
    """Draw the map, small."""
    with st.container(key="small-map"):
        mapview.show_map(district, scene, ids, key="map-shortages")


def about(
    district: District,
    found: Assessment,
    chosen: Sequence[Line],
    choice: Choice,
    line: Line | None,
    town: str | None,
) -> export.Metadata:
    """Say what the map shows and what it rests on: the rule in focus with its clause, or how many rules."""
    said = handout.metadata(district, found, chosen, choice)
    if line is None:
        return said
    rule = line.rule
    custom = f"({CUSTOM})" if rule.custom else ""
    return replace(
        said,
        title=f"{town or district.settings.short_name}:{rule.title}({found.year}年)",
        standard=f"要求:{rule.target}{custom}。{words.rule_source(district, rule)}",
        sources=(
            *words.documents(district, [rule.document]),
            *source.imported_for([rule]),
            words.population_line(district, found.year),
        ),
    )


def offer_file(
    district: District,
    found: Assessment,
    chosen: Sequence[Line],
    choice: Choice,
    line: Line | None,
    town: str | None,
    frames: dict[str, pd.DataFrame],
) -> None:
    """Offer the map as one file: what the page shows, and what every town lacks."""
    drawn, ids = scenes.shortage_scene(district, found, chosen, line=line, town=town, frames=frames)
    here = {key: rows if town is None else rows[rows["town"] == town] for key, rows in frames.items()}

    def lines(one: str) -> list[tuple[str, str]]:
        return _lacks(chosen, one, None if line is None else line.findings[one])

    single.offer(
        district,
        drawn,
        here,
        ids,
        about=lambda: about(district, found, chosen, choice, line, town),
        town_lines=lines,
        name="短板清单",
    )


def offer_paper(
    district: District,
    found: Assessment,
    chosen: Sequence[Line],
    choice: Choice,
    line: Line | None,
    town: str | None,
    frames: dict[str, pd.DataFrame],
) -> None:
    """Offer the map as a sheet of paper; a rule with a radius with its circles."""
    drawn, _ = scenes.shortage_scene(
        district, found, chosen, line=line, town=town, frames=frames, circles=True
    )
    paper.offer_map(
        district,
        drawn,
        about=lambda: about(district, found, chosen, choice, line, town),
        name="短缺分布" if line is None else line.rule.title,
    )


def _lacks(chosen: Sequence[Line], town: str, focus: Finding | None) -> list[tuple[str, str]]:
    """Say how a town stands: the rule in focus first, then what the rules on the page come to."""
    pairs = [] if focus is None else [(focus.rule.title, f"{focus.status} {wording.brief(focus)}".strip())]
    for status in (SHORT, UNKNOWN, MET):
        titles = [one.rule.title for one in chosen if one.findings[town].status == status]
        named = f":{'、'.join(titles)}" if titles and status == SHORT else ""
        pairs.append((status, f"{len(titles)} 条{named}"))
    return pairs


def _above_the_legend(
    bounds: tuple[float, float, float, float], rows: int
) -> tuple[float, float, float, float]:
    """Stretch a box to the south, so that a small map (some 290 px high) keeps its legend off the town."""
    west, south, east, north = bounds
    part = min(0.6, (22 * rows + 14) / 290)
    return west, south - (north - south) * part / (1 - part), east, north
