"""The pages, and the way to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

import streamlit as st
from streamlit.navigation.page import StreamlitPage

#: File in `pages/` without its ending, which is also the address; title.
PAGES: Sequence[tuple[str, str]] = (
    ("overview", "总览"),
    ("shortages", "短板清单"),
    ("town", "街镇画像"),
    ("progress", "规划进度"),
    ("charts", "图表"),
    ("requests", "数据补报清单"),
    ("health", "医疗卫生"),
    ("fire_stations", "消防站(队)"),
    ("fire_water", "消防水源"),
    ("highrise", "高层建筑"),
    ("reservoirs", "水库"),
    ("sources", "数据来源与勘误"),
    ("intake", "数据导入"),
    ("records", "数据管理"),
    ("screen", "会议大屏"),
)
_MARK = "came-through-app"


def navigate() -> StreamlitPage:
    """Make the navigation and give the page that the address asks for."""
    st.session_state[_MARK] = True
    return _navigation()


def through_the_front_door() -> None:
    """Send a visit that came straight to a page's file through `app.py`.

    A folder `pages/` beside the app makes Streamlit run a page's file alone, without the app, when the very first
    visit after a start is a deep link. Calling `st.navigation` once ends that for the whole server.
    """
    if _MARK not in st.session_state:
        _navigation()
        st.rerun()


def _navigation() -> StreamlitPage:
    pages = [st.Page(f"pages/{name}.py", title=title, url_path=name) for name, title in PAGES]
    # The first page opens at the bare address; and answers to its own name as well. The one asked for is shown.
    (first, title), *_ = PAGES
    named = urlsplit(st.context.url or "").path.endswith(f"/{first}")
    shown: Sequence[Literal["visible", "hidden"]] = ("hidden", "visible") if named else ("visible", "hidden")
    front = st.Page(f"pages/{first}.py", title=title, url_path="", default=True, visibility=shown[0])
    pages[0] = st.Page(f"pages/{first}.py", title=title, url_path=first, visibility=shown[1])
    return st.navigation([front, *pages], position="top")
