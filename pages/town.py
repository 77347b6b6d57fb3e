"""街镇画像: everything about one town on one sheet that prints."""

import streamlit as st

from qjmap import portrait, shortlist
from qjmap.ui import frame, html, judging, paper, sheet, shortages, sidebar

frame.dress()
district = frame.open_district()
frame.brand(district)
demo = sidebar.choose_demo()
town = sheet.choose_town(district)
year = judging.choose_year(district)
assumed = judging.choose_assumptions()
found = judging.assessment(district, year=year, demo=demo, assumed=assumed, custom=shortages.custom_figures())
layers = {key: one for key in district.registry.layers if (one := frame.load_layer(key, demo=demo))}
lines = shortlist.lines(found)

with st.container(key="sheet"):
    invented = any(one.demo for one in found.of_town(town))
    st.html(sheet.head(district, town, year, demo=invented))
    with st.container(key="sheet-figures"):
        st.html(html.figures(sheet.figures(district, lines, town, year)))
    left, right = st.columns([1.35, 1], gap="small")
    with left:
        scene, ids, left_out = sheet.scene(district, layers, town)
        sheet.show_map(district, scene, ids, left_out)
    with right:
        st.html(sheet.land_and_people(district, town, year))
        paper.offer_bulletins(district, found, town)
        paper.offer_map(
            district,
            scene,
            about=lambda: sheet.about(district, layers, town, left_out, year),
            name=f"{town}设施现状",
        )
        shortages.show_record(district, {key: one.frame for key, one in layers.items()})
    st.html(sheet.lacks(district, portrait.short(lines, town)))
    st.html(sheet.has(portrait.holdings(layers, town)))
    st.html(sheet.waits(lines, town))
    st.html(sheet.meets(lines, town))
    frame.foot(
        district,
        dict.fromkeys(line.rule.document for line in lines),
        year,
        demo=invented,
        more=shortages.rests_on(found),
    )
