"""数据补报清单: what is missing for which rule, who can say it, and a form to ask them."""

import streamlit as st

from qjmap import wanted
from qjmap.ui import frame, html, judging, requests, source

frame.dress()
district = frame.open_district()
frame.brand(district)
year = judging.choose_year(district)
assumed = judging.choose_assumptions()
layers = requests.load(district)
found, every = requests.find(district, layers, year, assumed, judging.custom_figures())
choice = requests.choose(district, every)
chosen = wanted.chosen(every, choice)

left, right = st.columns([1.75, 1], gap="small")
with left:
    requests.show_lists(district, chosen)
    if not chosen:
        st.html(html.note("没有符合条件的补报事项。请放宽左侧的部门、街镇或图层。"))
with right:
    st.html(html.head("数据补报清单", "哪些标准还答不出,缺什么资料,由谁补报;一个灰格就是一项请求。"))
    requests.offer(district, found, chosen, choice, year)
    requests.show_focus(district, found, chosen)
    st.html(html.figures(requests.figures(found, chosen, choice, layers)))
    requests.show_map(district, found, chosen, choice)
    frame.foot(
        district,
        dict.fromkeys(rule.document for one in chosen for rule in one.rules),
        year,
        demo=False,
        more=source.imported_for(rule for one in chosen for rule in one.rules),
    )
