"""图表: towns against the target, what was and is planned, who is covered, small maps of the towns."""

import streamlit as st

from qjmap import shortlist
from qjmap.ui import charts, frame, html, judging, shortages, sidebar

frame.dress()
district = frame.open_district()
frame.brand(district)
demo = sidebar.choose_demo()
year = judging.choose_year(district)
assumed = judging.choose_assumptions()
found = judging.assessment(district, year=year, demo=demo, assumed=assumed, custom=shortages.custom_figures())
lines = shortlist.lines(found)
drawn = [
    charts.against_target(district, lines),
    charts.where_short(district, lines),
    charts.who_is_covered(district, found, lines, demo=demo),
    charts.from_base_to_plan(district),
]
st.html(
    html.head(
        "图表", "各街镇离标准差多少、短缺落在哪里、多少人在服务半径内、从现状到规划怎么变;每张图都可以导出。"
    )
)
charts.show(district, drawn, year)
frame.foot(
    district,
    dict.fromkeys(document for one in drawn for document in one.documents),
    year,
    demo=any(one.words.demo for one in drawn),
    more=shortages.rests_on(found),
)
