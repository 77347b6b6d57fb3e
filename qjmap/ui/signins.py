"""Who is signed in on a page by an account of the office's own, here or in another tab of the same browser."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import streamlit as st

from qjmap.access import load_limits
from qjmap.ui.handover import HELD, KIND, browser, cookie, path
from qjmap.workspace import home

_HERE = Path(__file__).parent
_HANDLE, _CODE, _LEFT = "sign-in-held", "sign-in-code", "sign-in-left"


def lasting() -> bool:
    """Tell whether a sign-in on this page would outlive it."""
    return bool(browser(st.context.cookies.to_dict()))


def begin(name: str, stamp: str, now: datetime) -> None:
    """Begin a sign-in on this page; raises DataError as `load_limits`."""
    limits = load_limits(home() / "access.toml")
    handle = HELD.open(name, stamp, browser(st.context.cookies.to_dict()), limits, now)
    st.session_state[_HANDLE], st.session_state[_CODE] = handle, HELD.code(handle, now)
    st.session_state.pop(_LEFT, None)


def current(now: datetime) -> tuple[str, str] | None:
    """Give the account's name and its stamp at the sign-in; None when nobody is signed in here.

    Raises
    ------
    DataError
        As `load_limits`.
    """
    here, token = handle(), st.context.cookies.to_dict().get(cookie(), "")
    if not (here or token):
        return None
    limits = load_limits(home() / "access.toml")
    found = HELD.use(here, limits, now)
    if found is None and (known := HELD.known(token)):
        found = HELD.use(known, limits, now)
        st.session_state[_HANDLE] = known
    return found


def handle() -> str:
    """Give what this page's sign-in is held under; empty when nobody is signed in by it, or has left."""
    return str(st.session_state.get(_HANDLE, ""))


def holds(held: str, now: datetime) -> bool:
    """Tell whether a sign-in still holds; raises DataError as `load_limits`."""
    return HELD.use(held, load_limits(home() / "access.toml"), now) is not None


def lapsed() -> bool:
    """Tell, where `current` finds nobody, whether somebody was here, and did not leave of his own."""
    return bool(st.session_state.get(_HANDLE, st.context.cookies.to_dict().get(cookie(), "")))


def end() -> None:
    """End the sign-in of this page, and with it all others of the same browser."""
    HELD.close(handle())
    st.session_state[_HANDLE] = ""
    st.session_state.pop(_CODE, None)
    st.session_state[_LEFT] = True


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component(
        "qjmap_signins", html="<i hidden></i>", js=(_HERE / "signins.js").read_text(encoding="utf-8")
    )


def left() -> bool:
    """Tell whether the sign-in of this page has just ended, and the browser does not know yet."""
    return bool(st.session_state.get(_LEFT))


def hand_over(now: datetime, *, anew: bool = False) -> None:
    """Let the browser fetch its cookie, or give it back, when there is reason to; with `anew` load the page anew."""
    code = st.session_state.get(_CODE, "")
    if code and not HELD.waits(code, now):
        del st.session_state[_CODE]
        code = ""
    left = st.session_state.pop(_LEFT, False)
    if code or left or anew:
        sent = {"to": path(), "kind": KIND, "code": code, "left": left, "anew": anew}
        _component()(key="sign-in-cookie", data=sent)
