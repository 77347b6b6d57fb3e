"""总览: what the district has, town by town, and how its own plan's figures stand."""

import streamlit as st

from qjmap import summary
from qjmap.registers import present
from qjmap.ui import details, frame, html, mapview, overview, sidebar
from qjmap.ui.table import show_table

frame.dress()
district = frame.open_district()
frame.brand(district)
demo = sidebar.choose_demo()
specs = present(district, demo=demo)
shown = st.sidebar.pills(
    "图层",
    list(specs),
    selection_mode="multi",
    default=[key for key in district.settings.first_layers if key in specs],
    format_func=lambda key: specs[key].label,
    key="layers",
    bind="query-params",
)
measures = overview.measures(district, specs)
shade = st.sidebar.selectbox(
    "街镇着色",
    [None, *measures],
    format_func=lambda key: "不着色" if key is None else measures[key].label,
    index=1,
    key="shade",
    bind="query-params",
)
focus = st.sidebar.selectbox(
    "筛选与覆盖",
    [key for key in shown if not specs[key].shaped],
    index=None,
    format_func=lambda key: specs[key].label,
    placeholder="选一个图层",
    key="focus",
    bind="query-params",
    help="选一个图层,筛选它的记录,画出它的服务半径。",
)
# The map waits for what is on it, not for every register.
wanted = dict.fromkeys([*shown, *overview.needed_for(shade)])
first = {key: frame.load_layer(key, demo=demo) for key in wanted}
on_map = {key: layer for key, layer in first.items() if layer is not None}
looked = overview.look_at(district, on_map[focus], demo=demo) if focus in on_map else None
scene, ids, invented = overview.scene(district, on_map, shown, shade, measures, looked)
town = mapview.town_in_focus(district)

left, right = st.columns([1.75, 1], gap="small")
with left:
    mapview.show_map(district, scene, ids, key="map-overview")
others = {key: frame.load_layer(key, demo=demo) for key in specs if key not in first}
layers = {key: layer for key in specs if (layer := on_map.get(key) or others.get(key)) is not None}
table = overview.by_town(district, layers)
with right:
    st.html(html.head("总览", f"全区 {len(district.towns)} 个街镇有什么,差在哪里先看一眼;详情见各专题。"))
    st.html(html.figures(overview.figures(district)))
    if looked is not None:
        overview.show_looked(looked)
    overview.show_chosen_record(district, layers)
    if town is not None:
        details.show_town(district, town, overview.lines(table.loc[town], measures))
    columns, rows_, caption = overview.town_table(table, measures, shade)
    show_table(caption, columns, rows_, key="towns-overview", selected=town, on_pick=mapview.focus_town)
    overview.show_indicators()
    overview.offer_file(
        district, layers, scene, ids, looked, lambda one: overview.lines(table.loc[one], measures)
    )
    frame.foot(
        district,
        summary.documents_of([layer.frame for layer in layers.values()]),
        district.settings.base_year,
        demo=invented,
        layers=layers,
    )
