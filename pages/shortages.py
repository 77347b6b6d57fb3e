"""短板清单: every rule for every town at a glance, and any one of them in full with its clause."""

import streamlit as st

from qjmap import shortlist
from qjmap.ui import frame, handout, html, judging, mapview, paper, shortage_map, shortages, sidebar

frame.dress()
district = frame.open_district()
frame.brand(district)
demo = sidebar.choose_demo()
year = judging.choose_year(district)
choice = shortages.choose(district)
assumed = judging.choose_assumptions()
found = judging.assessment(district, year=year, demo=demo, assumed=assumed, custom=shortages.custom_figures())
lines = shortlist.lines(found)
chosen = [line for line in lines if choice.keeps(line)]
town = mapview.town_in_focus(district)
rule = shortages.rule_in_focus(found)
line = next((one for one in lines if one.rule.id == rule), None)
records = shortage_map.records(line.rule if line else None, demo=demo)

left, right = st.columns([2.4, 1], gap="small")
with left:
    with st.container(key="strip"):
        st.html(html.figures(shortages.figures(chosen, district, year)))
    if chosen:
        shortages.show_list(district, chosen, year=year, height="calc(100vh - 15rem)")
    else:
        st.html(html.note("没有符合条件的标准。请放宽左侧的部门、结论、图层或查找文字。"))
with right:
    st.html(html.head("短板清单", "哪条标准、哪个街镇还差,差多少,谁说的;点一格看详情。"))
    shortage_map.show_map(district, *shortage_map.scene(district, found, chosen, line, town, records))
    shortages.show_record(district, records)
    shortages.show_focus(district, found, chosen, line, town)
    handout.offer(
        district,
        found,
        chosen,
        choice,
        more=lambda: shortage_map.offer_file(district, found, chosen, choice, line, town, records),
    )
    paper.offer_bulletins(district, found)
    shortage_map.offer_paper(district, found, chosen, choice, line, town, records)
    frame.foot(
        district,
        dict.fromkeys(one.rule.document for one in chosen),
        year,
        demo=any(one.whole.demo for one in chosen),
        more=shortages.rests_on(found),
    )
