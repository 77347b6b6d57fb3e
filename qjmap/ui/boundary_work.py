"""What a person has in hand who brings 街镇界线: kept with his visit, each stage worked out once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from qjmap import outlines
from qjmap.district import District
from qjmap.effects import Effect
from qjmap.ingest import Source
from qjmap.workspace import Version

EACH = "逐个选定"
"""Names that are no town's are set one by one."""
FIELD = "lines-"
"""How the keys of the page's widgets begin."""
MOST = 300
"""Rows of a table, names in a list."""

_HAND = "lines-work"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Saved:
    """What was kept, what it changed, and how it was called."""

    version: Version
    changed: tuple[Effect, ...]
    answers: int
    notice: str
    areas: Sequence[Mapping[str, object]]


@dataclass
class Hand:
    """What a person has in hand: kept with his visit, for widgets forget when the page is left."""

    source: Source
    column: str
    reading: str | None = None
    rest: str = EACH
    repair: bool = False
    aware: bool = False
    provider: str = ""
    date: str = ""
    review_number: str = ""
    why: str = ""
    meant: dict[str, str | None] = field(default_factory=dict)
    patch: str = ""
    base: int = 0
    told: str = ""
    draft: str = ""
    saved: Saved | None = None
    made: dict[str, tuple[Hashable, Any]] = field(default_factory=dict)

    def once(self, stage: str, key: Hashable, make: Callable[[], _T]) -> _T:
        """Make something once for what it rests on."""
        found = self.made.get(stage)
        if found is None or found[0] != key:
            found = self.made[stage] = (key, make())
        made: _T = found[1]
        return made


def in_hand(given: Source, district: District) -> Hand:
    """Give what is in hand of a file; raises DataError where the file has no areas."""
    hand: Hand | None = st.session_state.get(_HAND)
    if hand is None or hand.source is not given:
        for key in [str(one) for one in st.session_state if str(one).startswith(FIELD)]:
            del st.session_state[key]
        columns = [str(one) for one in given.table.frame]
        outlines.degrees(given)  # a file without areas ends here
        hand = Hand(given, outlines.guess(given, district) or next(iter(columns), ""))
        st.session_state[_HAND] = hand
    return hand


def key_of(hand: Hand, name: str) -> str:
    """Give the key of a widget, and the widget what was kept."""
    key = f"{FIELD}{name}"
    if key not in st.session_state:
        st.session_state[key] = getattr(hand, name)
    return key
