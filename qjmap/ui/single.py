"""The map of a page as one file, to take away: made when a person asks for it, not before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from qjmap import cards
from qjmap.district import District
from qjmap.ui import source, who
from qjmap.webmap import Scene

if TYPE_CHECKING:
    from qjmap.export import Metadata

LABEL = "单文件地图(HTML)"


def offer(
    district: District,
    scene: Scene,
    frames: Mapping[str, pd.DataFrame],
    ids: Mapping[str, Sequence[str]],
    *,
    about: Callable[[], Metadata],
    town_lines: Callable[[str], Sequence[tuple[str, str]]],
    name: str,
) -> None:
    """Offer the map that the page shows as one HTML, which opens by double-click without network or Python.

    Parameters
    ----------
    scene
        What is on the map.
    frames, ids
        Layer key → the records that the page shows; layer key → ids in the order of the scene's marks.
    about
        Gives title, filter, standard and sources.
    town_lines
        Gives the page's figures of a town as label–value pairs.
    name
        What the map shows, for the file's name.
    """

    def make(_sensitive: bool) -> bytes:  # cards of a file that leaves the house never say sensitive columns
        from qjmap import standalone

        return standalone.single_file(
            district,
            source.ground(),
            scene,
            about=about(),
            records=standalone.cards_of(district, frames, ids),
            towns=[
                cards.of_town(district, town, town_lines(town)) for town in map(str, district.towns.index)
            ],
        )

    st.download_button(
        LABEL,
        who.taken(f"{name}:{LABEL}", make, [district.registry.layers[key] for key in frames]),
        file_name=f"{district.settings.short_name}_{name}_单文件地图_{date.today():%Y%m%d}.html",
        mime="text/html",
        on_click="ignore",
        key="download-map",
        width="stretch",
        help="一个文件,双击即可打开:不用联网,不用安装软件。含当前图层、图例、记录和街镇数字。",
    )
