"""数据导入: somebody's file checked, corrected, and kept as a new version of a layer."""

import streamlit as st

from qjmap.ui import desk, frame, html, intake, who

frame.dress()
district = frame.open_district()
frame.brand(district)
st.html(f"<style>{desk.STYLE.read_text(encoding='utf-8')}{intake.STYLE.read_text(encoding='utf-8')}</style>")
if lapsed := who.lapse():
    st.html(html.head("数据导入", intake.LEAD))
    st.html(html.alert("需要重新登录", [f"{lapsed}登录后接着做;换人登录则从头开始。"]))
else:
    intake.show(who.person(), who.office())
