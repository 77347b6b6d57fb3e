"""The log of what was done, and the office's own accounts: for 管理 alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

import streamlit as st

from qjmap import export, service, staff
from qjmap.access import AccessError, Person, Role
from qjmap.accounts import SHORTEST
from qjmap.audit import Entry
from qjmap.errors import QjmapError
from qjmap.office import Office
from qjmap.ui import desk, html, who
from qjmap.ui.downloads import EXCEL, today
from qjmap.ui.table import TableColumn, show_table

_SAID = "office-said"
_MOST = 1000  # lines that are listed; a file holds them all
_DAYS = {"今天": 0, "近 7 天": 6, "近 30 天": 29}


def _tell() -> None:
    said: tuple[bool, str] | None = st.session_state.pop(_SAID, None)
    if said is not None:
        well, text = said
        st.html(html.done(text) if well else html.alert("未完成", [text]))


# ---- the log ---------------------------------------------------------------------------------------


def show_log(person: Person, office: Office) -> None:
    """Show the log, newest first: by person, layer and time; whether it is as it was written; as a file."""
    try:
        every = service.audit_entries(person, office)
        faults = service.audit_faults(person, office)
    except AccessError as error:
        st.html(html.note(f"{error}。"))
        return
    if faults:
        st.html(html.alert("操作日志与写入时不一致", faults))
    elif every:
        st.html(html.note(f"共 {len(every):,} 条,逐条核对,与写入时一致。"))
    entries = _choose(office, every)
    columns = [
        TableColumn("when", "时间"),
        TableColumn("who", "操作人"),
        TableColumn("role", "角色"),
        TableColumn("action", "操作"),
        TableColumn("outcome", "结果"),
        TableColumn("layer", "图层"),
        TableColumn("detail", "说明"),
    ]
    named = desk.labels(office.district)
    rows = [
        {
            "key": str(number),
            "when": one.when[:19].replace("T", " "),
            "who": one.who,
            "role": one.role,
            "action": one.action,
            "outcome": one.outcome,
            "layer": "、".join(named.get(key, key) for key in one.layer.split("、") if key),
            "detail": one.detail,
        }
        for number, one in enumerate(entries[:_MOST])
    ]
    if not rows:
        st.html(html.note("没有符合条件的记录。" if every else "日志还是空的:还没有人保存、导出或登录过。"))
        return
    cut = f",只列最近 {_MOST} 条,导出的文件是全的" if len(entries) > _MOST else ""
    show_table(
        f"操作日志 {len(entries):,} 条,新的在前{cut}", columns, rows, key="log", height="calc(100vh - 22rem)"
    )
    _offer_files(office, entries)


def _choose(office: Office, every: Sequence[Entry]) -> list[Entry]:
    """Ask whose deeds, on what, since when."""
    named = desk.labels(office.district)
    people = sorted({one.who for one in every})
    layers = [key for key in named if any(key in one.layer.split("、") for one in every)]
    months = sorted({one.when[:7] for one in every}, reverse=True)
    left, middle, right = st.columns(3, gap="small")
    chosen_who = left.selectbox(
        "操作人", people, index=None, placeholder="全部", key="log-who", bind="query-params"
    )
    layer = middle.selectbox(
        "图层",
        layers,
        index=None,
        format_func=lambda key: named[key],
        placeholder="全部",
        key="log-layer",
        bind="query-params",
    )
    time = right.selectbox(
        "时间", [*_DAYS, *months], index=None, placeholder="全部", key="log-time", bind="query-params"
    )
    return [
        one
        for one in every
        if (not chosen_who or one.who == chosen_who)
        and (not layer or layer in one.layer.split("、"))
        and (not time or _within(one.when, time))
    ]


def _within(when: str, time: str) -> bool:
    if time in _DAYS:
        return when[:10] >= (date.today() - timedelta(days=_DAYS[time])).isoformat()
    return when.startswith(time)


def _offer_files(office: Office, entries: Sequence[Entry]) -> None:
    boxes = st.columns([1, 1, 3], gap="small")
    for box, label, excel, suffix, mime in (
        (boxes[0], "导出 Excel", True, "xlsx", EXCEL),
        (boxes[1], "导出 CSV", False, "csv", "text/csv"),
    ):
        box.download_button(
            label,
            who.at_the_click(partial(service.export_audit, office=office, entries=entries, excel=excel)),
            file_name=export.file_name(
                office.district.settings.short_name, "操作日志", when=today(), suffix=suffix
            ),
            mime=mime,
            on_click="ignore",
            key=f"log-{suffix}",
            width="stretch",
        )


# ---- accounts --------------------------------------------------------------------------------------


def show_accounts(person: Person, office: Office) -> None:
    """List the accounts, add and remove them."""
    _tell()
    if person.role != Role.ADMIN:
        st.html(html.note("账号由管理人员管理:请以管理账号登录,或(尚无账号时)在本机打开。"))
        return
    try:
        known = who.accounts().names()
    except QjmapError as error:
        st.html(html.alert("账号文件不能使用", [str(error)]))
        return
    left, right = st.columns([1.4, 1], gap="medium")
    with left:
        if known:
            columns = [
                TableColumn("key", "账号"),
                TableColumn("role", "角色"),
                TableColumn("department", "部门"),
            ]
            rows = [
                {"key": one.name, "role": str(one.role), "department": one.department or None}
                for one in known
            ]
            show_table(f"账号 {len(rows)} 个", columns, rows, key="accounts", height="24rem")
        else:
            st.html(
                html.note(
                    "还没有账号:现在只有坐在本机前的人能改数据。建立第一个账号后,"
                    "所有人(包括本机)都须登录才能改,所以第一个账号必须是“管理”。"
                )
            )
        _remove(known)
    with right:
        _add(office, known)


def _admins(known: Sequence[Person]) -> list[str]:
    return [one.name for one in known if one.role == Role.ADMIN]


def _add(office: Office, known: Sequence[Person]) -> None:
    st.html(html.part("新增账号,或为已有账号重设"))
    roles = [str(one) for one in Role] if _admins(known) else [str(Role.ADMIN)]
    with st.form("account", border=False, enter_to_submit=False):
        st.text_input("账号名 *", key="account-name", max_chars=40, autocomplete="off")
        st.text_input(
            f"密码 *(至少 {SHORTEST} 个字符)",
            type="password",
            key="account-password",
            max_chars=200,
            autocomplete="new-password",
        )
        st.text_input(
            "再输一次密码 *",
            type="password",
            key="account-again",
            max_chars=200,
            autocomplete="new-password",
        )
        st.selectbox("角色 *", roles, key="account-role")
        st.selectbox(
            "部门(录入角色必填)",
            list(staff.departments(office.district)),
            index=None,
            placeholder="空白",
            key="account-department",
        )
        st.checkbox("账号名已有时,重设其密码和角色", key="account-overwrite")
        st.form_submit_button("保存账号", on_click=_do_add, width="stretch")


def _do_add() -> None:
    password = st.session_state.pop("account-password", "")
    again = st.session_state.pop("account-again", "")
    name = str(st.session_state.get("account-name") or "")
    if password != again:
        st.session_state[_SAID] = (False, "两次输入的密码不一样。")
        return
    role = Role(str(st.session_state.get("account-role") or Role.VIEW))
    try:
        accounts = who.accounts()
        if role != Role.ADMIN and not _admins(accounts.names()):
            raise AccessError("账号未保存:第一个账号必须是“管理”,否则无人能管理")
        made = staff.add_account(
            who.person(),
            who.office(),
            accounts,
            name,
            password,
            role,
            str(st.session_state.get("account-department") or ""),
            overwrite=bool(st.session_state.get("account-overwrite")),
        )
    except QjmapError as error:
        st.session_state[_SAID] = (False, str(error))
        return
    st.session_state[_SAID] = (True, f"账号“{made.name}”({made.role})已保存。")
    st.session_state["account-name"] = ""


def _remove(known: Sequence[Person]) -> None:
    admins = _admins(known)
    names = [one.name for one in known if admins != [one.name]]  # without an administrator nobody could go on
    if not names:
        return
    st.html(html.part("删除账号"))
    chosen = st.selectbox("账号", names, index=None, placeholder="选择账号", key="account-remove")
    if chosen is not None:
        with st.popover("删除这个账号"):
            st.html(html.note(f"删除“{chosen}”后,此人不能再登录;他做过的改动和日志都保留。"))
            st.button("确认删除账号", on_click=_do_remove, args=(chosen,), key="account-remove-sure")


def _do_remove(name: str) -> None:
    try:
        staff.remove_account(who.person(), who.office(), who.accounts(), name)
    except QjmapError as error:
        st.session_state[_SAID] = (False, str(error))
        return
    st.session_state[_SAID] = (True, f"账号“{name}”已删除。")
    st.session_state.pop("account-remove", None)
