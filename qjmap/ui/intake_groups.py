"""Whether a blank town is that of the row above, in the wizard's last step: a person says so, or it stays blank."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from qjmap.draft import ABOVE, Draft
from qjmap.matching import Match
from qjmap.ui import html
from qjmap.ui.intake_hand import Work


def show(one: Work, matches: Mapping[str, Match], made: Draft) -> None:
    """Ask it of a list that plainly says a town only in the first row of each group."""
    said = one.meanings.get("town", {}).get("") == ABOVE
    if not made.below and not said:
        return
    name = matches["town"].column if "town" in matches else "街镇"
    if not said:
        text = (
            f"“{name}”列有 {made.below:,} 行空白,它们上面都有一行写着街镇,看来街镇只写在每组的第一行。"
            "不说明的话,这些行按空白导入;其中没有坐标、地址的不计入任何街镇。"
        )
        st.html(html.alert("街镇只写在每组第一行?", [text]))
    key = "intake-above"
    if st.session_state.get(key) != said:
        st.session_state[key] = said

    def changed() -> None:
        towns = {word: meant for word, meant in one.meanings.get("town", {}).items() if word}
        one.meanings = {**one.meanings, "town": towns | ({"": ABOVE} if st.session_state[key] else {})}
        one.offered = {each: old for each, old in one.offered.items() if not each.startswith("above:")}
        one.told = None

    st.checkbox(
        f"空白的与上面一行同街镇:补齐 {made.below:,} 行(逐组列在下面,可以不采用)", key=key, on_change=changed
    )
