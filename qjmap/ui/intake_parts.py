"""What the steps of the wizard share: the way on, a bar, and who may keep what he brings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from qjmap import access
from qjmap.access import Action, Person
from qjmap.layers import LayerSpec
from qjmap.ui import html, who
from qjmap.ui.intake_hand import Work

_HERE = Path(__file__).parent


def tell_who(person: Person, spec: LayerSpec | None, label: str) -> bool:
    """Say whether the person may keep what he brings; he may have it checked in any case."""
    allowed = access.may(person, Action.IMPORT, spec)
    if allowed:
        return True
    owner = f"{spec.department}的录入人员或管理人员" if spec is not None and spec.department else "管理人员"
    st.html(
        html.note(
            f"{who.describe(person)}。你可以检查文件、下载结果,但不能保存到“{label}”;保存请由{owner}办理。"
        )
    )
    return False


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component(
        "qjmap_intake", html="<i hidden></i>", js=(_HERE / "intake.js").read_text(encoding="utf-8")
    )


def follow(step: int) -> None:
    """Let the keyboard's focus follow from step to step."""
    _component()(key="intake-focus", data={"step": step})


def next_button(one: Work, step: int, label: str, *, first: str = "") -> None:
    """Offer the way on; `first` is what must be said before it."""
    said, bar = first or label, bool(first)
    st.button(
        said, on_click=one.go, args=(step,), key="intake-next", type="primary", width="stretch", disabled=bar
    )


class Bar:
    """A bar that tells how far a piece of work is, and goes when it is done."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._bar: DeltaGenerator | None = None
        self._shown = -1

    def __enter__(self) -> Callable[[float], None]:
        self._bar = st.progress(0.0, text=f"{self._text} …")
        return self._tell

    def _tell(self, done: float) -> None:
        percent = int(100 * min(max(done, 0.0), 1.0))
        if percent > self._shown and self._bar is not None:
            self._shown = percent
            self._bar.progress(percent, text=f"{self._text} {percent}%")

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.empty()
