"""Who is in front of the page: everybody, somebody with an account, or the one who sits at the machine itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import streamlit as st
from streamlit.runtime.secrets import secrets_singleton

from qjmap import service
from qjmap.access import VISITOR, Accounts, Person, Role, load_claim_rules, person_from_claims, policy
from qjmap.audit import Audit
from qjmap.errors import QjmapError
from qjmap.layers import LayerSpec
from qjmap.ui import html, source
from qjmap.workspace import home

_PERSON = "person"

#: A proxy says for whom it asks: a visitor that comes through one does not sit at this machine.
_PASSED_ON = ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via")


def office() -> service.Office:
    """Give what the services need: the district, its versions, the log.

    Raises
    ------
    WorkspaceError
        The folder that is set for the workspace cannot be used.
    """
    place = source.workspace()
    return service.Office(source.district(), place, Audit(home()))


def accounts() -> Accounts:
    """Give the office's own accounts; raises as `office`."""
    return Accounts(home())


def person() -> Person:
    """Say who it is. Whoever is not known may look, and no more."""
    try:
        own = accounts()
        local, outside = own.configured(), _outside()
    except QjmapError:
        return VISITOR
    if outside and st.user.is_logged_in:
        return _from_outside()
    kept = st.session_state.get(_PERSON)
    if isinstance(kept, str) and local:
        found = own.find(kept)  # asked every time: an account may have been changed or removed
        if found is not None:
            return found
    passed_on = any(name in st.context.headers for name in _PASSED_ON)
    address = "" if passed_on else str(st.get_option("server.address") or "")
    return policy(address, oidc=outside, accounts=local)


def _outside() -> bool:
    """Tell whether a sign-in from outside (OIDC) is set up in Streamlit's secrets."""
    return bool(secrets_singleton.load_if_toml_exists() and "auth" in secrets_singleton)


def _from_outside() -> Person:
    rules = load_claim_rules(home() / "access.toml", service.departments(source.district()))
    found = person_from_claims(st.user.to_dict(), rules)
    if st.session_state.get("signed-in") != found.name:
        st.session_state["signed-in"] = found.name
        service.signed_in(office().audit, found)
    return found


def show_sign_in() -> None:
    """Offer to sign in or out, where either is set up; nothing where it is not."""
    try:
        local, outside = accounts().configured(), _outside()
    except QjmapError:
        return
    if not (local or outside):
        return
    who = person()
    if who != VISITOR:
        with st.sidebar.popover(f"{who.name}({who.role})", width="stretch"):
            st.html(html.note(f"部门:{who.department or '全部'};登录方式:{who.means}"))
            st.button("退出登录", on_click=_sign_out, args=(who,), width="stretch")
        return
    with st.sidebar.popover("登录", width="stretch"):
        if outside:
            st.button("用统一身份认证登录", on_click=st.login, width="stretch")
        if local:
            _form()


def _form() -> None:
    with st.form("sign-in", border=False):
        st.text_input("账号", key="sign-in-name", max_chars=60)
        st.text_input("密码", type="password", key="sign-in-password", max_chars=200)
        st.form_submit_button("登录", on_click=_sign_in, width="stretch")
    said = st.session_state.pop("sign-in-said", "")
    if said:
        st.html(html.note(said))


def _sign_in() -> None:
    name, password = st.session_state["sign-in-name"], st.session_state.pop("sign-in-password")
    try:
        found = service.sign_in(office().audit, accounts(), name, password, datetime.now().astimezone())
    except QjmapError as error:
        st.session_state["sign-in-said"] = str(error)
    else:
        st.session_state[_PERSON] = found.name


def _sign_out(who: Person) -> None:
    st.session_state.pop(_PERSON, None)
    service.signed_out(office().audit, who)
    if _outside() and st.user.is_logged_in:
        st.logout()


def taken(what: str, make: Callable[[bool], bytes], specs: Sequence[LayerSpec] = ()) -> Callable[[], bytes]:
    """Wrap the making of a file: who takes it decides what is in it, and that he took it is written down.

    Parameters
    ----------
    what
        What the file is, for the log.
    make
        Makes it; told whether sensitive columns may be in it.
    specs
        The layers in it.
    """
    who = person()

    def made() -> bytes:
        try:
            desk = office()
        except QjmapError:  # no workspace, so no log either: what anybody may see may still be taken
            return make(False)
        return service.export_files(who, desk, what, make, specs)

    return made


def describe(who: Person) -> str:
    """Say what a person may do, in words."""
    if who.role == Role.ADMIN:
        return f"{who.name}:管理,可以改所有图层"
    if who.role == Role.EDIT:
        return f"{who.name}:录入,可以改{who.department}的图层"
    return "浏览:只能查看和导出。改数据请先登录,或在本机(localhost)打开"
