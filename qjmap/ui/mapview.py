"""The map on a page, and what a click on it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit_folium import st_folium

from qjmap.district import District
from qjmap.ui import source
from qjmap.webmap import Scene, feature_group, folium_map

_CLICK = "last_object_clicked_tooltip"
_COUNT = "last_object_clicked_count"


def town_in_focus(district: District) -> str | None:
    """Give the town that the address names, if there is such a town."""
    name = st.query_params.get("town")
    return name if name in district.towns.index else None


def record_in_focus() -> str | None:
    """Give the id of the record that the address names."""
    return st.query_params.get("record")


def focus_town(name: str | None) -> None:
    """Go to a town; going where one is already, or to None, goes back to the whole district."""
    if name is None or name == st.query_params.get("town"):
        st.query_params.pop("town", None)
    else:
        st.query_params["town"] = name


def focus_record(record: str | None) -> None:
    """Open a record, or close the open one."""
    if record is None:
        st.query_params.pop("record", None)
    else:
        st.query_params["record"] = record


def _returned(key: str) -> list[str]:
    """Say what the map sends back: what was clicked, and nothing that would make the page run again once it is there.

    But for a page that was opened by an address with choices in it: Streamlit forgets those on the way to the next
    page unless the browser has spoken once, and the count of clicks makes it speak.
    """
    kept = f"{key}-returned"
    if kept not in st.session_state:
        st.session_state[kept] = [_CLICK, _COUNT] if st.query_params else [_CLICK]
    returned: list[str] = st.session_state[kept]
    return returned


def show_map(district: District, scene: Scene, ids: Mapping[str, Sequence[str]], *, key: str) -> None:
    """Draw the map; a click on a mark opens its record, a click on a town goes to the town.

    Parameters
    ----------
    scene
        What is on it.
    ids
        Layer key → record ids in the order of the scene's points.
    key
        Streamlit key, one per page.
    """
    ground = source.ground()
    # The numbers in a click refer to the scene that was on the screen, so its order is kept with it.
    st.session_state[f"{key}-ids"] = ids

    def clicked() -> None:
        value = st.session_state.get(key) or {}
        # record|layer|number|click or town|number|click, as `qjmap.js` writes it; not to be trusted
        what, *rest = str(value.get(_CLICK) or "").split("|")
        number = rest[1:2] if what == "record" else rest[:1]
        if not number or not number[0].isdecimal():
            return
        place = int(number[0])
        if what == "record":
            known = st.session_state.get(f"{key}-ids", {}).get(rest[0], ())
            if place < len(known):
                focus_record(str(known[place]))
        elif what == "town" and place < len(district.boundaries):
            focus_record(None)
            focus_town(str(district.boundaries.index[place]))

    st_folium(
        folium_map(ground, district.settings.centre),
        key=key,
        height=720,
        use_container_width=True,
        returned_objects=_returned(key),
        feature_group_to_add=feature_group(scene),
        on_change=clicked,
    )
