"""What the page's address says, and what a click has written there that the browser may not have read yet.

A browser sends the address with everything it asks. What it asks before a change has reached it carries the address
of before: a map that is ready just then, or a second click, would undo the click that came first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.session_state_proxy import get_session_state

_WRITTEN = "address-written"
_WINDOW_S = 2.0
"""How long the browser may still speak with an older address: the way there and back. Soon after, the same address may
be meant: a click on the open page in the navigation."""

_MOST = 9


@dataclass(frozen=True)
class _Written:
    """One parameter: what it was and what was written, oldest first, in one burst of changes on one page."""

    values: tuple[str | None, ...]
    page: str
    at_s: float


def get(name: str) -> str | None:
    """Give a parameter as it was last written; None when the address does not have it."""
    now: str | None = st.query_params.get(name)
    written = _written(name)
    return written.values[-1] if written is not None and now in written.values else now


def put(values: Mapping[str, str | None]) -> None:
    """Write parameters that no widget is bound to, or with None take them out of the address.

    All are remembered before the first is written: Streamlit may cut a callback off at any of its own functions.
    """
    known: dict[str, _Written] = st.session_state.setdefault(_WRITTEN, {})
    known.update({name: _and_now(name, value) for name, value in values.items()})
    _set(values)


def catch_up() -> None:
    """Write again what the browser had not read when it asked; before a page reads the address."""
    _set({name: get(name) for name in tuple(st.session_state.get(_WRITTEN, ()))})


def _and_now(name: str, value: str | None) -> _Written:
    now, written = st.query_params.get(name), _written(name)
    before = written.values if written is not None and now in written.values else (now,)
    return _Written((*before[-_MOST:], value), _page(), time.monotonic())


def _written(name: str) -> _Written | None:
    """Give what was written a moment ago; on the browser's way back or on another page the address is right."""
    found: _Written | None = st.session_state.get(_WRITTEN, {}).get(name)
    context = get_script_run_ctx()
    if found is None or (context is not None and context.is_history_navigation):
        st.session_state.get(_WRITTEN, {}).pop(name, None)
        return None
    fresh = time.monotonic() - found.at_s < _WINDOW_S
    return found if fresh and found.page == _page() else None


def _page() -> str:
    context = get_script_run_ctx()
    return "" if context is None else context.page_script_hash


def _set(values: Mapping[str, str | None]) -> None:
    """Write them in one message: the browser makes each one a step of its way back."""
    new = {name: value for name, value in values.items() if st.query_params.get(name) != value}
    if not new:
        return
    with get_session_state().query_params() as params:
        for name, value in new.items():
            if value is None:
                params._query_params.pop(name, None)
            else:
                params.set_with_no_forward_msg(name, value)
        params._send_query_param_msg()
