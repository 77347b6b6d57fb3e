"""The fields of a record, and the record in the hands of a person who types into them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from qjmap.district import District
from qjmap.layers import Column, LayerSpec
from qjmap.ui import html, who

_LONG = 24  # characters above which a text gets lines


@dataclass
class Sheet:
    """A record in the hands of a person: the version it was taken from, its cells there, and what was typed."""

    base: int
    cells: dict[str, str | None]
    typed: dict[str, str | None] = field(default_factory=dict)

    def value(self, column: str) -> str | None:
        """Give what a field shows."""
        return self.typed.get(column, self.cells.get(column))

    def put(self, column: str, value: str | None) -> None:
        """Take what a person typed; what is as it was is no change."""
        text = (value or "").strip() or None
        if text == self.cells.get(column):
            self.typed.pop(column, None)
        else:
            self.typed[column] = text

    def place(self) -> tuple[float, float, float] | None:
        """Give lon, lat and error as typed, if a place was typed that can be drawn."""
        if not {"lon", "lat"} & set(self.typed):
            return None
        try:
            lon, lat = float(self.value("lon") or ""), float(self.value("lat") or "")
            error = float(self.value("error_m") or 0)
        except ValueError:
            return None
        return (lon, lat, error) if all(map(math.isfinite, (lon, lat, error))) and abs(lat) < 85 else None


class Inputs:
    """The fields of a record."""

    def __init__(self, district: District, spec: LayerSpec, record: str, one: Sheet, allowed: bool) -> None:
        self.district, self.spec, self.record, self.one, self.allowed = district, spec, record, one, allowed

    def show(self, keys: Sequence[str], title: str = "") -> None:
        """Show some fields, two in a row; long texts alone."""
        if title:
            st.html(html.part(title))
        hidden = [self.spec.columns[key].label for key in keys if who.hides(self.spec, key)]
        keys = [key for key in keys if not who.hides(self.spec, key)]
        if hidden:
            st.html(html.note(f"{'、'.join(hidden)}:{who.hidden(self.spec)}。"))
        short = [key for key in keys if not self._long(self.spec.columns[key])]
        for first in range(0, len(short), 2):
            for box, key in zip(st.columns(2, gap="small"), short[first : first + 2], strict=False):
                with box:
                    self._field(self.spec.columns[key])
        for key in keys:
            if key not in short:
                self._field(self.spec.columns[key])

    def _long(self, column: Column) -> bool:
        return column.type == "document" or (
            column.type == "text"
            and (column.key == "note" or len(self.one.cells.get(column.key) or "") > _LONG)
        )

    def _field(self, column: Column) -> None:
        key = field_key(self.spec.key, self.record, column.key)
        one, value = self.one, self.one.value(column.key)
        options = self._options(column, value)
        wanted: Any = value if options is not None else value or ""
        if st.session_state.get(key, _FIELD_UNSET) != wanted:
            st.session_state[key] = wanted
        about: dict[str, Any] = {
            "label": _label(column),
            "key": key,
            "help": column.note or None,
            "disabled": not self.allowed,
            "on_change": _take,
            "args": (one, column.key, key),
        }
        if options is not None:
            show = self._document if column.type == "document" else str
            st.selectbox(options=options, index=None, placeholder="空白", format_func=show, **about)
        elif self._long(column):
            st.text_area(height=96, **about)
        else:
            st.text_input(placeholder="留空由程序编号" if column.key == "id" else None, **about)

    def _options(self, column: Column, value: str | None) -> list[str] | None:
        """Give the values that may be chosen, and the one that stands there though it may not."""
        known: dict[str, Callable[[], Sequence[str]]] = {
            "category": lambda: [one for one in column.values if one != "演示"],
            "town": lambda: list(self.district.towns.index),
            "document": lambda: [str(one) for one in self.district.documents.index],
            "boolean": lambda: ["是", "否"],
        }
        if column.type not in known:
            return None
        found = list(known[column.type]())
        return found if value is None or value in found else [*found, value]

    def _document(self, key: str) -> str:
        documents = self.district.documents
        return str(documents.loc[key, "title"]) if key in documents.index else key


_FIELD_UNSET = object()


def field_key(key: str, record: str, column: str) -> str:
    """Give the place in the session where a field keeps what stands in it."""
    return f"cell|{key}|{record}|{column}"


def _label(column: Column) -> str:
    unit = f"({column.unit})" if column.unit else ""
    return f"{column.label}{unit}{' *' if column.required and column.key != 'id' else ''}"


def _take(one: Sheet, column: str, key: str) -> None:
    one.put(column, st.session_state[key])
