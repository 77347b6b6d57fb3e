"""Who is in front of the page: everybody, somebody with an account, or the one who sits at the machine itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import streamlit as st
from streamlit.errors import Error as StreamlitError
from streamlit.runtime.secrets import secrets_singleton

from qjmap import service, staff
from qjmap.access import (
    OWN_ACCOUNT,
    VISITOR,
    AccessError,
    Action,
    Person,
    Role,
    check_claims_age,
    load_claim_rules,
    load_limits,
    may,
    person_from_claims,
    policy,
)
from qjmap.accounts import SHORTEST, Accounts
from qjmap.audit import Audit
from qjmap.errors import QjmapError
from qjmap.layers import LayerSpec
from qjmap.office import Office
from qjmap.oidc import SHORTEST_SECRET
from qjmap.ui import html, signins, source
from qjmap.ui.outside import wrong_settings
from qjmap.workspace import home

_SAID, _PASSWORD_SAID = "sign-in-said", "password-said"
_WHOSE, _GOING_OUT = "sign-in-whose", "sign-in-going-out"
_OLD, _NEW, _AGAIN = "password-old", "password-new", "password-again"

_NOT_SET_UP = "统一身份认证没有配好,现在不能用它登录"
_LAPSED = "登录已失效(到期、在别处退出,或账号有改动),请重新登录。"

#: A proxy says for whom it asks: a visitor that comes through one does not sit at this machine.
_PASSED_ON = ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via")


def hidden(spec: LayerSpec) -> str:
    """Say what stands where a figure would that this person may not see."""
    if person() == VISITOR:
        return "敏感列,登录后可见"
    return f"敏感列,{spec.department}的录入人员或管理人员可见"


def office() -> Office:
    """Give what the services need: the district, its versions, the log.

    Raises
    ------
    WorkspaceError
        The folder that is set for the workspace cannot be used.
    """
    place = source.workspace()
    return Office(source.district(), place, Audit(home()))


def accounts() -> Accounts:
    """Give the office's own accounts; raises as `office`."""
    return Accounts(home())


def person() -> Person:
    """Say who it is. Whoever is not known, or cannot be looked up or written down, may look, and no more."""
    return _known()[0]


def _known() -> tuple[Person, str]:
    """Say who it is, and what kept somebody who signed in from being who he is."""
    try:
        own = accounts()
        local, outside = own.configured(), _outside()
        if outside and st.user.get("is_logged_in"):
            return _from_outside(), ""
        if local:
            kept = signins.current(datetime.now().astimezone())
            # asked every time: an account may have been changed or removed
            found = own.find(kept[0]) if kept else None
            if kept and found is not None and own.stamp(found.name) == kept[1]:
                return found, ""
            if signins.lapsed():
                return VISITOR, _LAPSED
    except QjmapError as error:
        return VISITOR, str(error)
    passed_on = any(name in st.context.headers for name in _PASSED_ON)
    address = "" if passed_on else str(st.get_option("server.address") or "")
    return policy(address, oidc=outside, accounts=local), ""


def _outside() -> bool:
    """Tell whether a sign-in from outside (OIDC) is set up in Streamlit's secrets; damaged ones count."""
    if wrong_settings():
        return True
    if secrets_singleton.load_if_toml_exists():
        return "auth" in secrets_singleton
    return any(Path(one).exists() for one in st.get_option("secrets.files") or ())


def _from_outside() -> Person:
    """Say who came in through the sign-in from outside.

    Raises
    ------
    AccessError
        He came in too long ago, or the cookie that says who he is could be forged.
    DataError, AuditError
        The rules are wrong, or it cannot be written down that he came in.
    """
    if len(str(secrets_singleton["auth"].get("cookie_secret", ""))) < SHORTEST_SECRET:
        raise AccessError(
            f"登录未生效:secrets.toml 的 cookie_secret 少于 {SHORTEST_SECRET} 个字符,容易被伪造"
        )
    rules = load_claim_rules(home() / "access.toml", staff.departments(source.district()))
    claims = st.user.to_dict()
    check_claims_age(claims, rules, datetime.now().astimezone())
    found = person_from_claims(claims, rules)
    _came_in(f"{claims.get('iss')}|{claims.get('sub')}|{claims.get('iat')}", found)
    return found


@st.cache_resource(show_spinner=False, max_entries=10_000)
def _came_in(login: str, _found: Person) -> bool:
    """Write down once that somebody came in: every page that is loaded anew asks again."""
    staff.signed_in(office().audit, _found)
    return True


def lapse() -> str:
    """Say that somebody was signed in on this page and is no more, though he did not leave here; else blank."""
    trouble = _known()[1]
    return trouble if trouble == _LAPSED else ""


def passes_on() -> bool:
    """Keep what one person had in hand on this page from the next, who may sit at the same screen.

    Returns
    -------
    bool
        Whether the page is passing from one to the other: it is loaded anew, and nothing is shown until then.
    """
    now = datetime.now().astimezone()
    if not signins.left():
        name = who.name if (who := person()).means == OWN_ACCOUNT else ""
        before = st.session_state.get(_WHOSE, name)
        if name:
            st.session_state[_WHOSE] = name
        if not name or name == before:
            return False
    for key in st.session_state:
        if not str(key).startswith("sign-in-"):
            del st.session_state[key]
    if signins.left() or signins.lasting():
        st.html(html.note("正在换人,请稍候。页面没有变化时,请按 F5 刷新。"))
        # who came from outside is on his way out there, and loading the page anew would call him back
        signins.hand_over(now, anew=not st.session_state.pop(_GOING_OUT, False))
    else:  # loaded anew the page would not know who has just come in
        st.html(html.note("前一位登录人员在本页未完成的工作已清除。"))
        st.button("继续", key="sign-in-on")
    return True


def show_sign_in() -> None:
    """Offer to sign in or out, where either is set up; nothing where it is not."""
    try:
        local, outside = accounts().configured(), _outside()
    except QjmapError:
        return
    if not (local or outside):
        return
    who, trouble = _known()
    with st.sidebar:
        signins.hand_over(datetime.now().astimezone())
    if who != VISITOR:
        with st.sidebar.popover(f"{who.name}({who.role})", width="stretch"):
            st.html(html.note(f"部门:{who.department or '全部'};登录方式:{who.means}"))
            st.button("退出登录", on_click=_sign_out, args=(who,), key="sign-out", width="stretch")
            if who.means == OWN_ACCOUNT:
                _password_form()
        return
    with st.sidebar.popover("重新登录" if trouble == _LAPSED else "登录", width="stretch"):
        if trouble:
            st.html(html.alert("暂按浏览处理", [trouble]))
        if outside and (wrong := wrong_settings()):
            st.html(html.alert(_NOT_SET_UP, [*map(str, wrong), "请管理人员改正后重启服务。"]))
        elif outside:
            st.button("用统一身份认证登录", on_click=_go_outside, key="sign-in-outside", width="stretch")
        if local:
            _form()
        _tell(_SAID)


def _tell(key: str) -> None:
    said = st.session_state.pop(key, "")
    if said:
        st.html(html.note(said))


def _form() -> None:
    with st.form("sign-in", border=False):
        st.text_input("账号", key="sign-in-name", max_chars=60, autocomplete="username")
        st.text_input(
            "密码", type="password", key="sign-in-password", max_chars=200, autocomplete="current-password"
        )
        st.form_submit_button("登录", on_click=_sign_in, width="stretch")
    st.html(html.note(_how_long()))


def _how_long() -> str:
    """Say how long a sign-in will hold."""
    try:
        limits = load_limits(home() / "access.toml")
    except QjmapError as error:
        return f"现在不能登录:{error}"
    minutes, hours = limits.idle.total_seconds() / 60, limits.longest.total_seconds() / 3600
    ends = f"{minutes:g} 分钟不用或满 {hours:g} 小时后须重新登录"
    if not signins.lasting():
        return f"刷新网页、另开网页,或{ends}。"
    return f"登录后刷新网页、另开网页不必再登录;关闭浏览器、{ends}。公用电脑用完请退出登录。"


def _sign_in() -> None:
    name, password = st.session_state["sign-in-name"], st.session_state.pop("sign-in-password")
    try:
        own = accounts()
        now = datetime.now().astimezone()
        load_limits(home() / "access.toml")  # wrong ones are told before anybody is written down as come in
        found = staff.sign_in(office().audit, own, name, password, now)
        signins.begin(found.name, own.stamp(found.name), now)
    except QjmapError as error:
        st.session_state[_SAID] = str(error)


def _go_outside() -> None:
    try:
        st.login()
    except StreamlitError:  # it tells in English, and to everybody, what is missing in the settings
        st.session_state[_SAID] = "统一身份认证没有配好,请管理人员核对 secrets.toml 的 [auth] 一节。"


def _sign_out(who: Person) -> None:
    signins.end()
    with contextlib.suppress(QjmapError):  # who wants to leave may leave, whatever the disk says
        staff.signed_out(office().audit, who)
    if _outside() and st.user.get("is_logged_in"):
        st.session_state[_GOING_OUT] = True
        st.logout()


def _password_form() -> None:
    st.html(html.part("修改密码"))
    with st.form("own-password", border=False):
        st.text_input("原密码", type="password", key=_OLD, max_chars=200, autocomplete="current-password")
        st.text_input(
            f"新密码(至少 {SHORTEST} 个字符)",
            type="password",
            key=_NEW,
            max_chars=200,
            autocomplete="new-password",
        )
        st.text_input(
            "再输一次新密码", type="password", key=_AGAIN, max_chars=200, autocomplete="new-password"
        )
        st.form_submit_button("修改密码", on_click=_change_password, width="stretch")
    _tell(_PASSWORD_SAID)


def _change_password() -> None:
    old, new, again = (str(st.session_state.pop(key, "")) for key in (_OLD, _NEW, _AGAIN))
    if new != again:
        st.session_state[_PASSWORD_SAID] = "两次输入的新密码不一样,密码未修改。"
        return
    who, own = person(), accounts()
    try:
        now = datetime.now().astimezone()
        staff.change_password(who, office(), own, old, new, now)
        # a new token, too: whoever may have got hold of the old one is out
        signins.end()
        signins.begin(who.name, own.stamp(who.name), now)
    except QjmapError as error:
        st.session_state[_PASSWORD_SAID] = str(error)
    else:
        st.session_state[_PASSWORD_SAID] = "密码已修改;用原密码在别处的登录随即失效。"


def sees(spec: LayerSpec) -> bool:
    """Tell whether this person may see the sensitive columns of a layer, on the screen as in files."""
    return may(person(), Action.SENSITIVE, spec)


def hides(spec: LayerSpec, column: str) -> bool:
    """Tell whether a column of a layer is kept from this person."""
    return column in spec.columns and spec.columns[column].sensitive and not sees(spec)


def at_the_click(make: Callable[[Person], bytes]) -> Callable[[], bytes]:
    """Wrap the making of a file: it is told who asks when he asks.

    A page may stand open long: who has lost his account, or left, meanwhile takes what anybody may.
    """
    who, held = person(), signins.handle()
    return lambda: make(who if _still(who, held) else VISITOR)


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

    def made(person: Person) -> bytes:
        try:
            desk = office()
        except QjmapError:  # no workspace, so no log either: what anybody may see may still be taken
            return make(False)
        return service.export_files(person, desk, what, make, specs)

    return at_the_click(made)


def _still(who: Person, held: str) -> bool:
    """Tell whether who opened a page, signed in as `held`, may still do what he might then."""
    if who.means != OWN_ACCOUNT:
        return True
    try:
        return accounts().find(who.name) == who and signins.holds(held, datetime.now().astimezone())
    except QjmapError:
        return False


def taken_as_is(what: str, make: Callable[[], bytes]) -> Callable[[], bytes]:
    """Wrap, as `taken`, the making of a file that holds nothing sensitive, whoever takes it."""
    return taken(what, lambda _: make())


def describe(who: Person) -> str:
    """Say what a person may do, in words."""
    if who.role == Role.ADMIN:
        return f"{who.name}:管理,可以改所有图层"
    if who.role == Role.EDIT:
        return f"{who.name}:录入,可以改{who.department}的图层"
    return "浏览:只能查看和导出。改数据请先登录,或在本机(localhost)打开"
