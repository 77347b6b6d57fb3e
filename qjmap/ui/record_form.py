"""One record as a form: what is typed is kept until it is saved or given up, whatever happens in between."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import shapely
import streamlit as st

from qjmap import service, trial
from qjmap.access import AccessError
from qjmap.district import District
from qjmap.errors import DataError, Problem, QjmapError
from qjmap.ingest import RawTable
from qjmap.layers import LayerSpec
from qjmap.office import Office
from qjmap.ui import address, desk, frame, html, mapview, source, who
from qjmap.ui.record_fields import Inputs, Sheet, field_key
from qjmap.workspace import ConflictError, Version

NEW = ""
"""Stands for the id of a record that is being added."""

NEW_ID = "(新)"
"""Stands for the id of a record that is being added where it is held against others."""

CLICKED = "图上点取"
"""How a place is known that was pointed at on this map: it shows towns and seats, no streets and no houses."""

FLOOR_M = 500.0
"""No place can be pointed at better on a schematic map whose lines rest on points about a kilometre apart."""

_POINTER_PX = 6  # half of what a pointer covers
_EQUATOR_M_PER_PX = 40_075_016.686 / 256
_SHEETS, _SAID, _AGAIN, _PICK, _WHY, _TRUE = (
    *("records-sheets", "records-said", "records-again"),
    *("records-pick", "records-why", "records-true"),
)
_HEAD = ("name", "kind", "status", "town", "village", "year")
_PLACE = ("lon", "lat", "position", "error_m")
_SOURCE = ("source", "document", "clause", "note")


@dataclass(frozen=True)
class Said:
    """What came of the last thing that was asked for; `between` when somebody else had saved, `odd` to look at."""

    text: str
    problems: tuple[Problem, ...] = ()
    odd: tuple[Problem, ...] = ()
    between: tuple[Version, ...] = ()
    bad: bool = False


# ---- which record ----------------------------------------------------------------------------------


def in_focus() -> str | None:
    """Give the id of the record that the address names, `NEW` for one that is being added, None for none."""
    return NEW if address.get("add") else mapview.record_in_focus()


def go_to(record: str | None) -> None:
    """Open a record, or close the open one."""
    address.put({"add": None, "record": record})
    _forget_answers()


def begin(key: str) -> None:
    """Begin a new record."""
    address.put({"add": "1", "record": None})
    _forget_answers()


def _forget_answers() -> None:
    for one in (_SAID, _PICK):
        st.session_state.pop(one, None)
    _blank_reason()


def _blank_reason() -> None:
    """Ask anew: forgetting would leave the words in the browser, a reason for something else."""
    st.session_state[_WHY] = ""
    st.session_state[_TRUE] = False


def _sheets() -> dict[tuple[str, str], Sheet]:
    kept: dict[tuple[str, str], Sheet] = st.session_state.setdefault(_SHEETS, {})
    return kept


def sheet(key: str, record: str, base: int, table: RawTable) -> Sheet:
    """Give the record as it is in this person's hands: taken anew while nothing is typed."""
    kept = _sheets().get((key, record))
    if kept is None or (kept.base != base and not kept.typed):
        kept = _sheets()[key, record] = Sheet(base, _cells(table, record))
    return kept


def load(key: str, record: str, base: int, table: RawTable, changes: dict[str, str | None]) -> None:
    """Put changes, such as those of a draft, into the form on the newest version."""
    one = Sheet(base, _cells(table, record))
    for column, value in changes.items():
        one.put(column, value)
    _sheets()[key, record] = one
    if record == NEW:
        begin(key)
    else:
        go_to(record)


def _cells(table: RawTable, record: str) -> dict[str, str | None]:
    found = table.frame[table.frame["id"] == record] if record != NEW else table.frame.iloc[:0]
    if found.empty:
        return {str(column): None for column in table.frame}
    return {str(column): None if pd.isna(value) else str(value) for column, value in found.iloc[0].items()}


# ---- a place from the map ---------------------------------------------------------------------------


def picking() -> bool:
    """Tell whether the next click on the map gives the record in hand its place."""
    return bool(st.session_state.get(_PICK)) and in_focus() is not None


def click_error(zoom: float, lat: float) -> float:
    """Say how well a click tells a place, in metres, rounded up.

    Parameters
    ----------
    zoom
        Web map zoom level at the click.
    lat
        Degrees.
    """
    pixel = _EQUATOR_M_PER_PX * math.cos(math.radians(lat)) / 2 ** min(max(zoom, 0.0), 22.0)
    wanted = max(FLOOR_M, _POINTER_PX * pixel)
    step = 100.0 if wanted < 2000 else 500.0
    return math.ceil(wanted / step) * step


def place(district: District, key: str, lon: float, lat: float, zoom: float) -> bool:
    """Take a click on the map as the place of the record in hand, if that is what it was for."""
    record = in_focus()
    one = None if record is None else _sheets().get((key, record))
    if one is None or not picking():
        return False
    one.put("lon", f"{lon:.5f}")
    one.put("lat", f"{lat:.5f}")
    one.put("position", CLICKED)
    one.put("error_m", f"{click_error(zoom, lat):g}")
    if not one.value("town"):  # a proposal, to be seen and changed in the form
        one.put("town", _town_at(district, one))
    return True


def _town_at(district: District, one: Sheet) -> str | None:
    """Give the town in whose (schematic) line the typed place lies."""
    typed = one.place()
    if typed is None:
        return None
    x, y = district.projection.to_metres([typed[0]], [typed[1]])
    inside = district.boundaries.geometry.contains(shapely.Point(float(x[0]), float(y[0])))
    return next((str(name) for name in district.boundaries.index[inside.to_numpy()]), None)


# ---- the form --------------------------------------------------------------------------------------


def show(office: Office, spec: LayerSpec, record: str, *, allowed: bool, newest: int) -> None:
    """Show the form of a record; `newest` is the version that everybody sees now."""
    _form(office, spec, record, allowed, newest)


@st.fragment
def _form(office: Office, spec: LayerSpec, record: str, allowed: bool, newest: int) -> None:
    if st.session_state.pop(_AGAIN, False):
        st.rerun()
    one = _sheets().get((spec.key, record))
    if one is None:  # given up in the meantime
        return
    with st.container(key="record-form"):
        title = "新增记录" if record == NEW else f"{one.cells.get('name') or '(无名称)'}({record})"
        state = f"第 {one.base} 版" if one.base else "随软件发布的数据"
        st.html(html.record_head(title, spec.label, f"{state};带 * 的必填" if allowed else state))
        inputs = Inputs(office.district, spec, record, one, allowed)
        if record == NEW:
            inputs.show(("id",))
        inputs.show(_HEAD)
        own = [key for key in spec.columns if key not in ("id", "geometry", *_HEAD, *_PLACE, *_SOURCE)]
        if spec.shaped:
            st.html(html.part("位置"))
            _tell_shape(one, allowed)
        else:
            inputs.show(_PLACE[:2], "位置")
            if allowed:
                _offer_map()
        inputs.show(_PLACE[2:])
        _tell_town(office.district, spec, record, one, allowed)
        if own:
            inputs.show(own, spec.label)
        inputs.show(_SOURCE, "来源与备注")
        if allowed:
            _bar(spec, record, one, newest)
        else:
            show_said()
            st.button("关闭记录", on_click=go_to, args=(None,), key="close-record")


def _offer_map() -> None:
    def changed() -> None:
        st.session_state[_PICK] = st.session_state[f"{_PICK}-widget"]
        st.session_state[_AGAIN] = True  # the map, too, has to know

    if st.session_state.get(f"{_PICK}-widget") != bool(st.session_state.get(_PICK)):
        st.session_state[f"{_PICK}-widget"] = bool(st.session_state.get(_PICK))
    st.toggle(
        "在地图上点一下取位置",
        key=f"{_PICK}-widget",
        on_change=changed,
        help="先把地图放大到认得出地方,再点一下。底图只有界线和驻地,没有道路和房屋,"
        f"所以点取的位置记为“{CLICKED}”,误差不小于 {FLOOR_M:g} 米,地图缩得越小误差越大;"
        "如另有依据(如实地测量),请自行改定位方式和误差。",
    )


def _tell_shape(one: Sheet, allowed: bool) -> None:
    """Say how large the shape is drawn, and how it is changed."""
    text = one.cells.get("geometry")
    corners = 0 if text is None else text.count(",") + text.count("(")
    said = "图形在此页不能改,只能在“数据导入”中按编号更新或整份替换。" if allowed else ""
    st.html(html.note(f"{'图形见地图' if corners else '没有图形'}。{said}"))


def _tell_town(district: District, spec: LayerSpec, record: str, one: Sheet, allowed: bool) -> None:
    found = _town_at(district, one)
    said = one.value("town")
    if found is None:
        if one.place() is not None and not district.boundaries.empty:
            st.html(html.note(f"此点不在本区任何街镇的界线内({district.boundary_kind}),请核对。"))
        return
    if found == said:
        if "town" in one.typed:
            st.html(
                html.note(f"按{district.boundary_kind},此点在{found}内,“街镇”已照此填写;靠近界线的请核对。")
            )
        return
    st.html(
        html.note(
            f"按{district.boundary_kind},此点在{found}内,而“街镇”{f'填的是{said}' if said else '还空着'}。"
        )
    )
    if allowed:
        st.button("街镇改为此点所在街镇", on_click=one.put, args=("town", found), key="take-town")


def _bar(spec: LayerSpec, record: str, one: Sheet, newest: int) -> None:
    """Show what is at hand for a change: what came of the last one, why, save, give up, delete."""
    with st.container(key="save-bar"):
        with st.container(key="save-said"):
            show_said()
            if one.typed:
                _tell_odd(_oddities(spec, record, one), "提醒(可以保存,请先核对)")
            if one.typed and one.base != newest:
                _tell_newer(spec.key, record, one.base, newest)
        from_document = record != NEW and one.cells.get("source") == "文件"
        if from_document and "source" not in one.typed and set(one.typed) - {*_PLACE, *_SOURCE}:
            st.checkbox(
                "这是照原文件更正(来源仍记“文件”)",
                key=_TRUE,
                help="不勾选时,改动了文件所载内容的记录,来源改记为“导入”。",
            )
        st.text_input(
            "原因",
            key=_WHY,
            placeholder="原因(必填):为什么改,依据是什么",
            max_chars=200,
            label_visibility="collapsed",
        )
        save, drop, delete = st.columns([1.3, 1, 1], gap="small")
        with save:
            named = (
                "保存新记录" if record == NEW else f"保存({len(one.typed)} 处改动)" if one.typed else "保存"
            )
            st.button(
                named, on_click=_save, args=(spec, record), key="save-record", type="primary", width="stretch"
            )
        with drop:
            st.button(
                "放弃改动" if one.typed or record == NEW else "关闭",
                on_click=_give_up,
                args=(spec.key, record),
                key="drop-record",
                width="stretch",
            )
        if record != NEW:
            with delete, st.popover("删除", width="stretch"):
                st.html(html.note("删除后各页不再显示这条记录;以前的版本里仍有,可随时恢复。请先写明原因。"))
                st.button("确认删除", on_click=_delete, args=(spec, record), key="delete-record")


# ---- what is said ----------------------------------------------------------------------------------


def show_said() -> None:
    """Say what came of the last save."""
    said: Said | None = st.session_state.get(_SAID)
    if said is None:
        return
    if said.problems:
        frame.show_problems(said.text, said.problems)
    elif said.bad:
        st.html(html.alert("未保存", [said.text.removeprefix("未保存:")]))
    else:
        st.html(html.done(said.text))
    _tell_odd(said.odd, "已保存,但请核对")
    if said.between:
        st.button("查看草稿", on_click=_see_drafts, key="see-drafts")


def _oddities(spec: LayerSpec, record: str, one: Sheet) -> tuple[Problem, ...]:
    """Give what is possible but odd in a record as it is typed."""
    cells = {key: one.value(key) for key in spec.columns}
    if record == NEW:
        cells["id"] = cells.get("id") or NEW_ID
        cells["source"] = cells.get("source") or "导入"
    try:
        known = source.layer(spec.key, demo=False).frame
    except DataError:  # the other records are wrong, which the page tells
        known = None
    found = trial.look_at(who.office().district, spec.key, cells, known)
    return tuple(_named(spec, problem) for problem in (*found.problems, *found.warnings))


def _tell_odd(found: Sequence[Problem], title: str) -> None:
    """Tell what is odd, without alarm: none of it stops anybody."""
    if found:
        lines = [
            f"{one.column}:{f'现为“{one.value}”,' if one.value else ''}应为{one.expected}"
            + (f";{one.advice}" if one.advice else "")
            for one in found
        ]
        st.html(html.note(f"{title}:" + ";".join(lines) + "。"))


def show_unsaved(key: str, record: str | None) -> None:
    """Remind of other records in which something is typed and not saved."""
    waiting = [
        (layer, one, sheet.cells.get("name") or sheet.value("name") or "新记录")
        for (layer, one), sheet in _sheets().items()
        if sheet.typed and (layer, one) != (key, record)
    ]
    if waiting:
        named = "、".join(f"{name}({one})" if one else name for _, one, name in waiting[:5])
        st.html(html.note(f"另有 {len(waiting)} 条记录改了还没有保存:{named}。"))


def _tell_newer(key: str, record: str, base: int, newest: int) -> None:
    said: Said | None = st.session_state.get(_SAID)
    if said is None or not said.between:  # else it has just been said, and by whom
        opened = f"第 {base} 版" if base else "随软件发布的数据"
        st.html(html.note(f"你打开{opened}之后,已有人保存了第 {newest} 版。"))
    _, table = desk.opened(key)
    if record != NEW and not (table.frame["id"] == record).any():
        st.html(
            html.note("这条记录在最新版里已被删除。不该删的,可以连同你的改动作为新增恢复;该删的,请放弃改动。")
        )
        st.button("恢复这条记录并继续改", on_click=_bring_back, args=(key, record), key="bring-back")
        return
    st.button(
        "在最新版上继续我的改动",
        on_click=_rebase,
        args=(key, record),
        key="rebase",
        help="把你的改动移到最新版上,核对后再保存",
    )


def _rebase(key: str, record: str) -> None:
    base, table = desk.opened(key)
    load(key, record, base, table, dict(_sheets()[key, record].typed))
    st.session_state[_AGAIN] = True


def _bring_back(key: str, record: str) -> None:
    """Put a record that somebody deleted, and what was typed, into the form of a new one under its own id."""
    base, table = desk.opened(key)
    one = _sheets().pop((key, record))
    load(key, NEW, base, table, {**one.cells, **one.typed})
    st.session_state[_AGAIN] = True


def _see_drafts() -> None:
    st.session_state[desk.PART] = desk.VERSIONS
    st.session_state[_AGAIN] = True


# ---- what is done ----------------------------------------------------------------------------------


def _save(spec: LayerSpec, record: str) -> None:
    one = _sheets()[spec.key, record]
    for column in spec.columns:  # what has the cursor may not have been told yet
        typed_at = field_key(spec.key, record, column)
        if typed_at in st.session_state:
            one.put(column, st.session_state[typed_at])
    if not one.typed:
        st.session_state[_SAID] = Said("没有改动,不必保存。", bad=True)
        return
    why = str(st.session_state.get(_WHY) or "")
    changes = dict(one.typed)
    if st.session_state.get(_TRUE) and "source" not in changes:
        changes["source"] = "文件"

    def change(office: Office) -> Version:
        if record == NEW:
            return service.add_record(who.person(), office, spec.key, changes, base=one.base, why=why)
        return service.change_record(who.person(), office, spec.key, record, changes, base=one.base, why=why)

    odd = _oddities(spec, record, one)
    version = _try(spec, change)
    if version is not None:
        st.session_state[_SAID] = replace(st.session_state[_SAID], odd=odd)
        _settled(spec.key, record)
        if record == NEW:
            _open_last(spec.key)


def _delete(spec: LayerSpec, record: str) -> None:
    base, why = _sheets()[spec.key, record].base, str(st.session_state.get(_WHY) or "")
    version = _try(
        spec, lambda office: service.delete_record(who.person(), office, spec.key, record, base=base, why=why)
    )
    if version is not None:
        _settled(spec.key, record)
        mapview.focus_record(None)


def _try(spec: LayerSpec, change: Callable[[Office], Version]) -> Version | None:
    """Ask for a change and keep what is to be said of it; None when it was refused."""
    version = None
    try:
        version = change(who.office())
        said = Said(f"已存为第 {version.number} 版({version.action}),共 {version.rows:,} 条。各页即刻可见。")
    except AccessError as error:
        lapsed = who.lapse()
        said = Said(f"{lapsed}改动还在这一页,登录后再保存。" if lapsed else desk.plain(error, spec), bad=True)
        st.session_state[_AGAIN] = True  # the head and the way in, too, have to know
    except ConflictError as error:
        said = Said(desk.plain(error, spec), between=error.between, bad=True)
        st.session_state[_AGAIN] = True
    except DataError as error:
        said = Said("未保存:请改正下列问题", problems=_of_record(spec, error.problems))
    except QjmapError as error:
        said = Said(desk.plain(error, spec), bad=True)
    st.session_state[_SAID] = said
    return version


def _of_record(spec: LayerSpec, problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Tell faults by the fields of the form: it is its record's, unless others of the layer were wrong before."""
    told = [_named(spec, one) for one in problems]
    try:
        source.layer(spec.key, demo=False)
    except DataError:
        return tuple(replace(one, file=f"“{spec.label}”的现有记录") for one in told)
    return tuple(replace(one, file="", row=None) for one in told)


def _named(spec: LayerSpec, problem: Problem) -> Problem:
    """Call a column by the name that stands at its field."""
    column = spec.columns.get(problem.column or "")
    return problem if column is None else replace(problem, column=column.label)


def _settled(key: str, record: str) -> None:
    _sheets().pop((key, record), None)
    st.session_state.pop(_PICK, None)
    _blank_reason()
    st.session_state[_AGAIN] = True


def _open_last(key: str) -> None:
    _, table = desk.opened(key)
    last = {"record": str(table.frame["id"].iat[-1])} if len(table.frame) else {}
    address.put({"add": None, **last})


def _give_up(key: str, record: str) -> None:
    one = _sheets().pop((key, record), None)
    if record == NEW or one is None or not one.typed:
        go_to(None)
    _forget_answers()
    st.session_state[_AGAIN] = True
