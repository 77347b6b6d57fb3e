"""数据管理: one record at a time, every change a version; who did what; who may."""

import streamlit as st

from qjmap.ui import desk, frame, html, office, records, versions, who

frame.dress()
district = frame.open_district()
frame.brand(district)
st.html(f"<style>{desk.STYLE.read_text(encoding='utf-8')}</style>")
part, key = desk.choose(district)
person, here = who.person(), who.office()

if part == desk.RECORDS and key in district.registry.layers:
    records.show(person, here, key)
else:
    st.html(html.head("数据管理", desk.LEAD))
    st.html(html.note(f"{who.describe(person)}。"))
    if part == desk.RECORDS:
        st.html(html.note("逐条修改只用于上图的图层;表和界线须整份导入,可在左侧“版本”中查看、比较、恢复。"))
        st.page_link("pages/intake.py", label="去数据导入", query_params={"to": key})
    elif part == desk.VERSIONS:
        versions.show(person, here, key)
    elif part == desk.LOG:
        office.show_log(person, here)
    else:
        office.show_accounts(person, here)
    frame.foot(district, [], district.settings.base_year, demo=False)
