"""数据导入: somebody's file checked, corrected, and kept as a new version of a layer."""

import streamlit as st

from qjmap.ui import desk, frame, intake, who

frame.dress()
district = frame.open_district()
frame.brand(district)
st.html(f"<style>{desk.STYLE.read_text(encoding='utf-8')}{intake.STYLE.read_text(encoding='utf-8')}</style>")
intake.show(who.person(), who.office())
