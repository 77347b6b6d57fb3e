"""What the overview reads out of all registers at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from qjmap import summary
from qjmap.district import District
from qjmap.errors import DataError
from qjmap.layers import LayerSpec
from qjmap.marks import marks, notices, stacked, town_bounds
from qjmap.registers import Layer, has_demo
from qjmap.ui import details, frame, html, mapview, paper, single, source, words
from qjmap.ui.html import Figure
from qjmap.ui.table import TableColumn, show_table
from qjmap.webmap import MarkLayer, Scene, ShapeLayer

if TYPE_CHECKING:
    from qjmap import export
    from qjmap.ui.thematic import Theme
    from qjmap.ui.view import View

#: Light to dark, one hue: legible in grey and to colour-blind eyes.
_RAMP = ("#e8eff7", "#c6d9ec", "#97bbdc", "#6497c5", "#3a6fa3")
_NO_DATA = "#d9dcdf"
_BED_LAYER, _BED_COLUMN = "health", "beds_{year}"


@dataclass(frozen=True)
class Measure:
    """One column of the table of towns."""

    label: str
    unit: str
    decimals: int
    help: str = ""

    @property
    def title(self) -> str:
        """The label with its unit."""
        return f"{self.label},{self.unit}"


def by_town(district: District, layers: Mapping[str, Layer]) -> pd.DataFrame:
    """Gather people, land and what every layer has, town by town; beds and their rate where they are known."""
    towns = district.towns
    table = pd.DataFrame(
        {"people": towns[f"population_{district.settings.base_year}"], "area": towns["area_km2"]}
    )
    table["density"] = table["people"] / table["area"]
    health = layers.get(_BED_LAYER)
    if health is not None:
        for year in (year for year in (2020, 2025) if f"population_{year}" in towns):
            beds = summary.sums(district, health.frame, _BED_COLUMN.format(year=year))
            table[f"beds_{year}"] = beds
            table[f"rate_{year}"] = beds / towns[f"population_{year}"] * 1000
    for key, layer in layers.items():
        table[f"n_{key}"] = summary.counts(district, layer.frame)
    return table


def needed_for(measure: str | None) -> tuple[str, ...]:
    """Give the layers without which a measure cannot be worked out."""
    if measure is None:
        return ()
    if measure.startswith("n_"):
        return (measure.removeprefix("n_"),)
    return (_BED_LAYER,) if measure.startswith(("beds_", "rate_")) else ()


def measures(district: District, specs: Mapping[str, LayerSpec]) -> dict[str, Measure]:
    """Give the columns of the table of towns in words, the ones worth shading first; `specs` are the layers counted."""
    year, lines = district.settings.base_year, district.boundary_kind
    return {
        "rate_2020": Measure(
            "街镇机构每千人床位(2020)",
            "张",
            2,
            "名册中写明街镇的机构编制床位 ÷ 该街镇人口(估算);区级医院未写明街镇,不计入",
        ),
        "rate_2025": Measure("街镇机构每千人床位(2025规划)", "张", 2, "同上,规划床位与2025年人口(估算)"),
        "density": Measure("人口密度", "人/平方千米", 0, f"{year}年人口(估算)÷ 按{lines}量算的面积"),
        "people": Measure(f"人口({year})", "人", 0, f"{year}年估算"),
        "beds_2020": Measure("床位(2020)", "张", 0),
        "area": Measure("面积", "平方千米", 1, f"按{lines}量算"),
    } | {f"n_{key}": Measure(spec.label, spec.counter, 0) for key, spec in specs.items()}


def shades(values: pd.Series[float], measure: Measure) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Colour towns in up to five classes of equal count; a town without the figure is grey, not pale.

    Returns
    -------
    dict, list
        Town → colour; (label, colour) for the legend.
    """
    known = values.dropna()
    if known.empty:
        return {}, []
    edges = np.unique(np.quantile(known, np.linspace(0, 1, len(_RAMP) + 1)))
    if len(edges) < 2:
        edges = np.array([edges[0], edges[0]])
    place = np.clip(np.searchsorted(edges, known, side="right") - 1, 0, len(edges) - 2)
    ramp = _RAMP if len(edges) - 1 == len(_RAMP) else _RAMP[: len(edges) - 1]
    colours = {str(town): _NO_DATA for town in values.index}
    colours |= {str(town): ramp[i] for town, i in zip(known.index, place, strict=True)}
    legend = [
        (
            f"{words.number(low, measure.decimals)}–{words.number(high, measure.decimals)}",
            colour,
        )
        for low, high, colour in zip(edges[:-1], edges[1:], ramp, strict=True)
    ]
    if len(known) < len(values):
        legend.append(("数据不足", _NO_DATA))
    return colours, legend


def figures(district: District) -> list[Figure]:
    """Give the district's size, and the plan's own headline rate with its target."""
    year = district.settings.base_year
    total = district.total(year)
    found = [
        Figure(
            "街镇",
            words.number(len(district.towns)),
            "个",
            f"{words.number(summary.total(district.towns['area_km2']))} 平方千米({district.boundary_kind})",
        ),
        Figure(
            f"常住人口({year})", words.people(total.total), "人", words.document(district, total.document)
        ),
    ]
    try:
        indicators = source.table("indicators").set_index("id")
    except DataError:
        return found
    for key in district.settings.headlines:
        if key in indicators.index:
            row: Any = indicators.loc[key]
            found.append(
                Figure(
                    str(row["name"]),
                    words.number(row["value_2020"], 2),
                    str(row["unit"]),
                    f"{year}年;2025年目标 {row['text_2025']}({row['binding']},{row['clause']})",
                    help=_indicator_help(district, row),
                )
            )
    return found


def _indicator_help(district: District, row: pd.Series[Any]) -> str:
    """Name the rule that reads an indicator, the document's clause, and the people it is taken over."""
    rules = [rule.id for rule in source.rules() if rule.indicator == row.name]
    named = f"标准 {'、'.join(rules)};" if rules else ""
    clause = words.document(district, str(row["document"]), str(row["clause"]))
    return (
        f"{named}指标 {row.name}:{clause};分母:{words.population_line(district, district.settings.base_year)}"
    )


def lines(row: pd.Series, known: Mapping[str, Measure]) -> list[tuple[str, str]]:
    """Write one town's figures as label–value pairs."""
    return [
        (measure.label, f"{words.number(row[key], measure.decimals)} {measure.unit}")
        for key, measure in known.items()
        if key not in ("people", "area") and key in row
    ]


def town_table(
    table: pd.DataFrame, known: Mapping[str, Measure], shade: str | None
) -> tuple[list[TableColumn], list[dict[str, object]], str]:
    """Make the table of towns; ordered by what is shaded, least first."""
    by = shade if shade is not None and shade in table else "people"
    first = [by, *(key for key in ("people", "beds_2020", "rate_2020") if key != by)]
    keys = [key for key in first if key in table] + [
        k for k in known if k.startswith("n_") and k not in first and k in table
    ]
    columns = [TableColumn("key", "街镇")] + [
        TableColumn(key, known[key].label, known[key].unit, known[key].decimals, help=known[key].help)
        for key in keys
    ]
    ordered = table.sort_values(by, na_position="last")
    rows: list[dict[str, object]] = [
        {"key": str(town)} | {key: None if pd.isna(row[key]) else float(row[key]) for key in keys}
        for town, row in ordered.iterrows()
    ]
    return columns, rows, f"按{known[by].label}从少到多;点一行到该街镇"


@dataclass(frozen=True)
class Looked:
    """The one layer that is filtered and drawn with its circles."""

    theme: Theme
    view: View
    scene: Scene
    ids: Mapping[str, Sequence[str]]


def look_at(district: District, layer: Layer, *, demo: bool) -> Looked:
    """Ask for every choice on one layer, as its own page does."""
    # scipy and the rest weigh half a second, and the page opens without them
    from qjmap.ui import find, thematic

    key = layer.spec.key
    served = {"highrises": "hydrants"}
    theme = thematic.Theme(
        key="overview",
        title="",
        lead="",
        layers=(key,),
        find=find.reached if key in served else find.facilities,
        served_by=served,
        radius_layers=(key,) if key not in served else (),
    )
    view, scene_, ids = thematic.look(theme, district, layer, demo=demo)
    return Looked(theme, view, scene_, ids)


def show_looked(looked: Looked) -> None:
    """Show the standard and the key figures of the layer that is looked at."""
    from qjmap.ui import thematic

    st.html(thematic.standard(looked.theme, looked.view))
    st.html(html.figures(looked.theme.find(looked.view).figures))


def scene(
    district: District,
    layers: Mapping[str, Layer],
    shown: Sequence[str],
    shade: str | None,
    known: Mapping[str, Measure],
    looked: Looked | None,
) -> tuple[Scene, dict[str, Sequence[str]], bool]:
    """Put the layers on the map, the one looked at first; give the ids of their marks and whether any is invented.

    Towns are shaded only where no coverage is drawn: a colour means one thing.
    """
    table = by_town(district, layers)
    focus = None if looked is None else looked.view.spec.key
    records = {key: summary.placed(layers[key].frame) for key in shown if key in layers and key != focus}
    drawn, shapes = drawings(district, layers, records)
    ids: dict[str, Sequence[str]] = {key: rows["id"].tolist() for key, rows in records.items()}
    invented = any(has_demo(rows) for rows in records.values())
    base = Scene()
    if looked is not None:
        base, ids, invented = looked.scene, {**looked.ids, **ids}, invented or looked.view.demo
    shaded = shade is not None and shade in table and base.coverage is None
    colours, legend = shades(table[shade], known[shade]) if shaded and shade is not None else ({}, [])
    town = mapview.town_in_focus(district)
    bounds = town_bounds(district, town)
    whole = replace(
        base,
        layers=[*base.layers, *drawn],
        shapes=[*base.shapes, *shapes],
        shades=colours,
        shade_title=known[shade].title if shaded and shade is not None else "",
        shade_legend=legend,
        town=town,
        focus=None if town is None or bounds is None else (town, bounds),
        notices=notices(district, demo=invented),
    )
    return whole, ids, invented


def drawings(
    district: District, layers: Mapping[str, Layer], records: Mapping[str, pd.DataFrame]
) -> tuple[list[MarkLayer], list[ShapeLayer]]:
    """Make marks of points and drawings of lines and areas."""
    drawn = [
        marks(district, layers[key].spec, rows)
        for key, rows in records.items()
        if not layers[key].spec.shaped
    ]
    there = [layers[key] for key, rows in records.items() if layers[key].spec.shaped and len(rows)]
    return drawn, stacked(source.shapes(layer, mapview.record_in_focus()) for layer in there)


def offer_file(
    district: District,
    layers: Mapping[str, Layer],
    scene: Scene,
    ids: Mapping[str, Sequence[str]],
    looked: Looked | None,
    town_lines: Callable[[str], Sequence[tuple[str, str]]],
) -> None:
    """Offer the map as one file."""
    frames = {key: layers[key].frame for key in ids}
    if looked is not None:
        frames[looked.view.spec.key] = looked.view.shown

    def about() -> export.Metadata:
        from qjmap import export
        from qjmap.ui import thematic

        shown = "、".join(district.registry.layers[key].label for key in ids) or "无"
        said = export.Metadata(
            title=f"{district.settings.short_name}总览",
            when=date.today(),
            filter=f"图层:{shown}" + (f";街镇着色:{scene.shade_title}" if scene.shades else ""),
            sources=(
                *words.documents(district, summary.documents_of(list(frames.values()))),
                *source.imported(frames),
                words.population_line(district, district.settings.base_year),
            ),
            notices=(district.boundary_notice,),
        )
        if looked is None:
            return said
        of = thematic.metadata(looked.view)
        return replace(said, filter=f"{said.filter};{of.title}:{of.filter}", standard=of.standard)

    with st.popover("导出", width="stretch"):
        single.offer(district, scene, frames, ids, about=about, town_lines=town_lines, name="总览")
    paper.offer_map(district, scene, about=about, name="总览")


def show_chosen_record(district: District, layers: Mapping[str, Layer]) -> None:
    """Show the record that the address names, whichever layer it is in."""
    wanted = mapview.record_in_focus()
    for layer in layers.values() if wanted else ():
        found = layer.frame[layer.frame["id"] == wanted]
        if len(found):
            details.show_record(district, layer.spec, found.iloc[0])


def show_indicators() -> None:
    """List the plan's own indicators, 2020 and 2025, in the document's words."""
    if not source.has_table("indicators"):
        return
    try:
        table = source.table("indicators")
    except DataError as error:
        frame.show_problems("全区指标数据有误,已停用", error.problems)
        return
    own = table[table["id"].str.startswith("Z1")]
    with st.expander(f"规划发展指标(专栏1){len(own)} 项"):
        show_table(
            "原文照录",
            indicator_columns(),
            indicator_rows(own),
            key="indicators",
            height="26rem",
        )


def indicator_columns() -> Sequence[TableColumn]:
    """Give the columns in which indicators are listed."""
    return [
        TableColumn("name", "指标"),
        TableColumn("text_2020", "2020年"),
        TableColumn("text_2025", "2025年"),
        TableColumn("unit", "单位"),
        TableColumn("binding", "性质"),
    ]


def indicator_rows(table: pd.DataFrame) -> list[dict[str, object]]:
    """Make plain rows of indicators."""
    keys = [column.key for column in indicator_columns()]
    return [
        {"key": str(row["id"])} | {key: None if pd.isna(row[key]) else str(row[key]) for key in keys}
        for _, row in table.iterrows()
    ]
