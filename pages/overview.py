"""总览: what the district has, town by town, and how its own plan's figures stand."""

import streamlit as st

from qjmap import summary
from qjmap.registers import has_demo
from qjmap.ui import details, frame, html, mapview, overview, sidebar
from qjmap.ui.marks import marks, notices
from qjmap.ui.table import show_table
from qjmap.webmap import Scene

frame.dress()
district = frame.open_district()
frame.brand(district)
demo = sidebar.choose_demo()
specs = district.registry.layers
shown = st.sidebar.pills(
    "图层",
    list(specs),
    selection_mode="multi",
    default=[key for key in district.settings.first_layers if key in specs],
    format_func=lambda key: specs[key].label,
    key="layers",
    bind="query-params",
)
measures = overview.measures(district)
shade = st.sidebar.selectbox(
    "街镇着色",
    [None, *measures],
    format_func=lambda key: "不着色" if key is None else measures[key].label,
    index=1,
    key="shade",
    bind="query-params",
)
# The map waits for what is on it, not for every register.
first = {
    key: frame.load_layer(key, demo=demo) for key in dict.fromkeys([*shown, *overview.needed_for(shade)])
}
on_map = {key: layer for key, layer in first.items() if layer is not None}
shaded = overview.by_town(district, on_map)
town = mapview.town_in_focus(district)
bounds = None if town is None else mapview.town_bounds(district, town)
records = {key: summary.placed(on_map[key].frame) for key in shown if key in on_map}
invented = any(has_demo(rows) for rows in records.values())
colours, legend = overview.shades(shaded[shade], measures[shade]) if shade in shaded else ({}, [])

left, right = st.columns([1.75, 1], gap="small")
with left:
    scene = Scene(
        layers=[marks(district, specs[key], rows) for key, rows in records.items()],
        shades=colours,
        shade_title=measures[shade].title if shade else "",
        shade_legend=legend,
        town=town,
        focus=None if town is None or bounds is None else (town, bounds),
        notices=notices(district, demo=invented),
    )
    ids = {key: rows["id"].tolist() for key, rows in records.items()}
    mapview.show_map(district, scene, ids, key="map-overview")
others = {key: frame.load_layer(key, demo=demo) for key in specs if key not in first}
layers = {key: layer for key in specs if (layer := on_map.get(key) or others.get(key)) is not None}
table = overview.by_town(district, layers)
with right:
    st.html(html.head("总览", f"全区 {len(district.towns)} 个街镇有什么,差在哪里先看一眼;详情见各专题。"))
    st.html(html.figures(overview.figures(district)))
    overview.show_chosen_record(district, layers)
    if town is not None:
        details.show_town(district, town, overview.lines(table.loc[town], measures))
    columns, rows_, caption = overview.town_table(table, measures, shade)
    show_table(caption, columns, rows_, key="towns-overview", selected=town, on_pick=mapview.focus_town)
    overview.show_indicators()
    frame.foot(
        district,
        summary.documents_of([layer.frame for layer in layers.values()]),
        district.settings.base_year,
        demo=invented,
    )
