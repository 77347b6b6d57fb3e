"""Answers of many rules for many places at a glance: one sign a cell, told apart by form before colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Sign:
    """How one answer is drawn: its name in `matrix.css`, what stands in the cell, and what it means."""

    key: str
    glyph: str
    label: str


@dataclass(frozen=True)
class Cell:
    """One answer: a sign's key, what it says in words, and the corners it is marked with (keys of `corners`)."""

    sign: str
    text: str = ""
    corners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """One column: `count` stands below its name; `apart` draws a line before it."""

    key: str
    label: str
    count: str = ""
    apart: bool = False


@dataclass(frozen=True)
class Row:
    """One row of the matrix.

    Parameters
    ----------
    title, sub, tag, help
        Its title, a line below it, a mark before it, and help.
    cells
        A cell for every column, or None; with `span`, for the first columns only.
    span
        What stands across the remaining columns.
    """

    key: str
    title: str
    sub: str
    cells: Sequence[Cell | None]
    tag: str = ""
    help: str = ""
    span: str = ""


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component(
        "qjmap_matrix",
        html='<div class="legend"></div><div class="box" role="region" tabindex="-1"></div>',
        css=(_HERE / "matrix.css").read_text(encoding="utf-8"),
        js=(_HERE / "matrix.js").read_text(encoding="utf-8"),
    )


def show_matrix(
    caption: str,
    corner: str,
    places: Sequence[Place],
    groups: Mapping[str, Sequence[Row]],
    signs: Sequence[Sign],
    corners: Mapping[str, str],
    *,
    key: str,
    selected: tuple[str | None, str | None] = (None, None),
    on_pick: Callable[[str | None, str | None], None] | None = None,
    height: str = "30rem",
) -> None:
    """Show a matrix.

    Parameters
    ----------
    caption
        What it shows, for those who hear it.
    corner
        Head of the first column.
    places, groups
        Columns; rows under their group's heading.
    signs, corners
        Every sign that occurs, and what a marked corner means; drawn as the legend in this order.
    selected
        Keys of the row and the column drawn as selected.
    on_pick
        Called with the keys of the row and the column that are clicked (or chosen with Enter); None for the
        column when the row's title was, None for the row when the column's head was.
    """

    def picked() -> None:
        value = getattr(st.session_state.get(key), "picked", None)  # gone when another page came between
        if value and on_pick is not None:
            on_pick(value.get("row"), value.get("column"))

    _component()(
        key=key,
        data={
            "caption": caption,
            "corner": corner,
            "columns": [asdict(one) for one in places],
            "groups": [
                {"title": title, "rows": [_row(one) for one in rows]} for title, rows in groups.items()
            ],
            "signs": {one.key: {"glyph": one.glyph, "label": one.label} for one in signs},
            "corners": dict(corners),
            "selected": {"row": selected[0], "column": selected[1]},
            "height": height,
        },
        on_picked_change=picked,
    )


def _row(row: Row) -> dict[str, object]:
    """Write a row for the browser; cells as short lists, for there are thousands."""
    cells = [
        None if one is None else [one.sign, one.text, *([" ".join(one.corners)] if one.corners else [])]
        for one in row.cells
    ]
    return {
        "key": row.key,
        "title": row.title,
        "sub": row.sub,
        "tag": row.tag,
        "help": row.help,
        "span": row.span,
        "cells": cells,
    }
