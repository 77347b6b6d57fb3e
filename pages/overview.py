"""总览: what the district has, town by town, and how its own plan's figures stand."""

import pandas as pd
import streamlit as st

from qjmap import summary
from qjmap.ui import details, frame, html, mapview, overview, sidebar, thematic
from qjmap.ui.table import show_table
from qjmap.webmap import Scene

frame.dress()
district = frame.open_district()
frame.brand(district)
demo = sidebar.choose_demo()
layers = {key: found for key in district.registry.layers if (found := thematic.load(key, demo=demo))}
labels = {key: layer.spec.label for key, layer in layers.items()}
shown = st.sidebar.pills(
    "图层",
    list(labels),
    selection_mode="multi",
    default=[key for key in overview.FIRST if key in labels],
    format_func=lambda key: labels[key],
    key="layers",
    bind="query-params",
)
table = overview.by_town(district, layers)
measures = overview.measures(table)
shade = st.sidebar.selectbox(
    "街镇着色",
    [None, *measures],
    format_func=lambda key: "不着色" if key is None else measures[key].label,
    index=1,
    key="shade",
    bind="query-params",
)
town = mapview.town_in_focus(district)
bounds = None if town is None else mapview.town_bounds(district, town)
records = {key: summary.placed(layers[key].frame) for key in shown}
demo_here = any(thematic.export.has_demo(frame_) for frame_ in records.values())
colours, legend = overview.shades(table[shade], measures[shade]) if shade else ({}, [])

left, right = st.columns([1.75, 1], gap="small")
with left:
    scene = Scene(
        layers=[thematic.marks(district, layers[key].spec, records[key], visible=True) for key in shown],
        shades=colours,
        shade_title="" if shade is None else f"{measures[shade].label},{measures[shade].unit}",
        shade_legend=legend,
        town=town,
        focus=None if town is None or bounds is None else (town, bounds),
        notices=thematic.notices(district, summary_demo=demo_here),
    )
    mapview.show_map(district, scene, {key: records[key]["id"].tolist() for key in shown}, key="map-overview")
with right:
    st.html(html.head("总览", "全区 21 个街镇有什么,差在哪里先看一眼;详情见各专题。"))
    st.html(html.figures(overview.figures(district, layers)))
    chosen = mapview.record_in_focus()
    for key in shown:
        rows = layers[key].frame[layers[key].frame["id"] == chosen] if chosen else pd.DataFrame()
        if len(rows):
            details.show_record(district, layers[key].spec, rows.iloc[0])
    if town is not None:
        details.show_town(district, town, overview.lines(table.loc[town], measures))
    columns, rows_, caption = overview.town_table(table, measures, shade)
    show_table(caption, columns, rows_, key="towns-overview", selected=town, on_pick=mapview.focus_town)
    overview.show_indicators()
    frame.foot(
        district, summary.documents_of([layer.frame for layer in layers.values()]), 2020, demo=demo_here
    )
