"""数据来源与勘误: who says so, what the documents contradict, what has no place, how people were estimated."""

import streamlit as st

from qjmap.marks import notices
from qjmap.registers import present
from qjmap.ui import frame, html, mapview, sidebar, sources
from qjmap.webmap import Scene

frame.dress()
district = frame.open_district()
frame.brand(district)
demo = sidebar.choose_demo()
layers = {key: found for key in present(district, demo=demo) if (found := frame.load_layer(key, demo=demo))}
st.html(html.head("数据来源与勘误", "每条记录出自哪里,位置有多准,文件里哪些数字对不上。"))
titles = ("定位与来源", "数据勘误", "规划指标", "文件清单", "未定位", "人口估算", "图件来源")
tabs = dict(zip(titles, st.tabs(list(titles), key="part"), strict=True))

with tabs["定位与来源"]:
    left, right = st.columns([1.75, 1], gap="small")
    marks, ids = sources.position_marks(district, sources.chosen(layers, sidebar.choose_shared(district)))
    with left, st.container(key="short-map"):
        scene = Scene(layers=marks, notices=notices(district, demo=False))
        mapview.show_map(district, scene, ids, key="map-sources")
    with right:
        sources.show_layers(layers)
with tabs["数据勘误"]:
    sources.show_registered(district, "errata")
with tabs["规划指标"]:
    sources.show_registered(district, "indicators")
with tabs["文件清单"]:
    sources.show_documents(district)
with tabs["未定位"]:
    sources.show_unplaced(district, layers)
with tabs["人口估算"]:
    sources.show_population(district)
with tabs["图件来源"]:
    sources.show_geography(district)
frame.foot(district, sources.cited(layers), district.settings.base_year, demo=sources.any_demo(layers))
