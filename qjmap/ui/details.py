"""One record, or one town, in full and with its source."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from qjmap import cards
from qjmap.cards import Card
from qjmap.district import District
from qjmap.layers import LayerSpec
from qjmap.ui import html, mapview, who


def show_record(district: District, spec: LayerSpec, record: pd.Series) -> None:
    """Show one record: what is known of it, how well its place is known, and who says so."""
    card = cards.of_record(district, spec, record, include_sensitive=who.sees(spec))
    hidden = [
        (column.label, who.hidden(spec))
        for key, column in spec.columns.items()
        if who.hides(spec, key) and pd.notna(record[key])
    ]
    _show(replace(card, pairs=[*card.pairs, *hidden]))
    st.button("关闭记录", on_click=mapview.focus_record, args=(None,), key="close-record")


def show_town(district: District, town: str, lines: list[tuple[str, str]]) -> None:
    """Show one town: its people and land with their sources, and what else the page has on it."""
    _show(cards.of_town(district, town, lines))
    st.button("返回全区", on_click=mapview.focus_town, args=(None,), key="leave-town")


def _show(card: Card) -> None:
    st.html(html.card(card.title, card.tags, card.pairs))
