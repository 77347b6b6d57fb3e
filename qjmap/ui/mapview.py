"""The map on a page, and what a click on it means."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from streamlit_folium import st_folium

from qjmap.district import District
from qjmap.ui import address, source
from qjmap.webmap import Scene, feature_group, folium_map

_CLICK = "last_object_clicked_tooltip"
_PLACE = "last_object_clicked"

Place = Callable[[float, float, float], bool]
"""Takes lon, lat (degrees) and zoom of a click; says whether the click was for it and for nothing else."""


def town_in_focus(district: District) -> str | None:
    """Give the town that the address names, if there is such a town."""
    name = address.get("town")
    return name if name in district.towns.index else None


def record_in_focus() -> str | None:
    """Give the id of the record that the address names."""
    return address.get("record")


def focus_town(name: str | None) -> None:
    """Go to a town; going where one is already, or to None, goes back to the whole district."""
    address.put({"town": None if name == address.get("town") else name})


def focus_record(record: str | None) -> None:
    """Open a record, or close the open one."""
    address.put({"record": record})


def _clicked_place(value: Mapping[str, object], zoom: Sequence[str]) -> tuple[float, float, float] | None:
    """Read where a click was, which comes from a browser; None when it cannot be used."""
    at = value.get(_PLACE)
    try:
        found = (float(at["lng"]), float(at["lat"]), float(zoom[-1]))  # type: ignore[index]
    except (TypeError, ValueError, KeyError, IndexError):
        return None
    return found if all(map(math.isfinite, found)) else None


def show_map(
    district: District,
    scene: Scene,
    ids: Mapping[str, Sequence[str]],
    *,
    key: str,
    place: Place | None = None,
) -> None:
    """Draw the map; a click on a mark opens its record, a click on a town goes to the town.

    Parameters
    ----------
    scene
        What is on it.
    ids
        Layer key → record ids in the order of the scene's points.
    key
        Streamlit key, one per page.
    place
        Asked first what a click means, on a page where a click may give a place.
    """
    ground = source.ground()
    # The numbers in a click refer to the scene that was on the screen, so its order is kept with it.
    st.session_state[f"{key}-ids"] = ids

    def clicked() -> None:
        value = st.session_state.get(key) or {}
        # record|layer|number|click|zoom or town|number|click|zoom, as `qjmap.js` writes it; not to be trusted
        what, *rest = str(value.get(_CLICK) or "").split("|")
        where = _clicked_place(value, rest) if place is not None else None
        if place is not None and where is not None and place(*where):
            return
        number = rest[1:2] if what == "record" else rest[:1]
        if not number or not number[0].isdecimal():
            return
        turn = int(number[0])
        if what == "record":
            known = st.session_state.get(f"{key}-ids", {}).get(rest[0], ())
            if turn < len(known):
                focus_record(str(known[turn]))
        elif what == "town" and turn < len(district.boundaries):
            name = str(district.boundaries.index[turn])
            address.put({"record": None, "town": None if name == address.get("town") else name})

    st_folium(
        folium_map(ground, district.settings.centre),
        key=key,
        height=720,
        use_container_width=True,
        # nothing else: a count of clicks, say, would make the page run again as soon as the map is there
        returned_objects=[_CLICK, _PLACE] if place is not None else [_CLICK],
        feature_group_to_add=feature_group(scene),
        on_change=clicked,
    )
