"""A table that reads like a printed one: sorted by a click on a head, and a row is a way to its town."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class TableColumn:
    """One column; `decimals` None means text; `share` draws a percentage also as a bar."""

    key: str
    label: str
    unit: str = ""
    decimals: int | None = None
    share: bool = False
    help: str = ""


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component(
        "qjmap_table",
        html='<div class="box" role="region" tabindex="-1"></div>',
        css=(_HERE / "table.css").read_text(encoding="utf-8"),
        js=(_HERE / "table.js").read_text(encoding="utf-8"),
    )


def show_table(
    caption: str,
    columns: Sequence[TableColumn],
    rows: Sequence[Mapping[str, object]],
    *,
    key: str,
    selected: str | None = None,
    on_pick: Callable[[str], None] | None = None,
    height: str = "30rem",
    wordy: bool = False,
) -> None:
    """Show a table.

    Parameters
    ----------
    caption
        What the table shows and how it is ordered.
    columns, rows
        Each row maps `key` and the columns' keys to plain values; a missing one is shown as a dash.
    selected
        Key of the row drawn as selected.
    on_pick
        Called with the key of a row that is clicked (or chosen with Enter), before the page runs again.
    height
        As high the table may become before it scrolls.
    wordy
        Its cells are sentences: where it is narrow each row is set by itself, a line for each column.
    """

    def picked() -> None:
        value = getattr(st.session_state.get(key), "picked", None)  # gone when another page came between
        if value and on_pick is not None:
            on_pick(str(value))

    _component()(
        key=key,
        data={
            "caption": caption,
            "columns": [asdict(column) for column in columns],
            "rows": [dict(row) for row in rows],
            "selected": selected,
            "height": height,
            "pick": on_pick is not None,
            "wordy": wordy,
        },
        on_picked_change=picked,
    )
