"""规划进度: what there was, what the plan wants, and what its projects bring by each year."""

import streamlit as st

from qjmap import progress as steps
from qjmap import summary
from qjmap.ui import frame, html, progress

frame.dress()
district = frame.open_district()
frame.brand(district)
layers = progress.load(district)
if len(layers) < 2:
    st.stop()
year = progress.choose_year(steps.bed_years(layers[progress.INSTITUTIONS].frame))
plan = progress.prepare(district, layers, year)
left, right = st.columns([1.75, 1], gap="small")
with left:
    progress.show_map(plan)
with right:
    st.html(html.head("规划进度", "规划的重大工程项目到哪一年完工,花多少钱,增加多少床位,之后还缺什么。"))
    progress.show_focus(plan)
    st.html(html.figures(progress.figures(plan)))
    progress.show_caveats(plan)
    if plan.totals.projects:
        progress.show_projects(plan)
    else:
        st.html(html.note("本区还没有重大工程项目名册:这是数据不足,不等于没有项目。"))
progress.show_tables(plan)
frame.foot(
    district,
    summary.documents_of([layer.frame for layer in layers.values()]),
    district.settings.base_year,
    demo=False,
    more=progress.also_people(plan),
    layers=layers,
)
