"""The versions of a layer: listed, compared, restored, taken away; and the drafts of what was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Any

import pandas as pd
import streamlit as st

from qjmap import access, export, service
from qjmap.access import AccessError, Action, Person
from qjmap.checks import CONCERNS
from qjmap.comparison import Comparison
from qjmap.contents import BOUNDARIES, GEOJSON
from qjmap.errors import QjmapError
from qjmap.office import Office, by_label
from qjmap.records import id_column
from qjmap.registers import concerned
from qjmap.ui import desk, html, record_form, who
from qjmap.ui.downloads import GEOJSON as GEOJSON_TYPE
from qjmap.ui.downloads import today
from qjmap.ui.table import TableColumn, show_table
from qjmap.workspace import Version

_SAID, _SET = "versions-said", "versions-set"
_MOST = 500  # rows of a comparison that are listed
_CERTAINTY = {"read": "样点判读", "estimate": "估计", "imported": "导入"}  # as boundary files say it
_OVERVIEW = ("name", "kind", "town", "status", "value_2025", "title")
_COLUMNS = (
    TableColumn("number", "版本"),
    TableColumn("when", "时间"),
    TableColumn("who", "谁"),
    TableColumn("action", "动作"),
    TableColumn("why", "原因"),
    TableColumn("rows", "条数", "", 0),
    TableColumn("state", "状态"),
)


def show(person: Person, office: Office, key: str) -> None:
    """Show everything that the history of a layer says and offers."""
    desk.tell_damage(office, key)
    try:
        history = service.history(person, office, key)
        drafts = service.drafts(person, office, key)
    except AccessError as error:
        st.html(html.note(f"{error}。"))
        return
    good = [one for one in history if one.good]
    left, right = st.columns([1.75, 1], gap="medium")
    with left:
        _tell()
        _list(office, key, history, good)
        chosen = _choose(right, good)
        if chosen is not None:
            _compare(person, office, key, *chosen)
        _drafts(person, office, key, drafts)
    with right:
        _restore(person, office, key, history, good)
        _download(office, key, good)


def _tell() -> None:
    said: tuple[bool, str] | None = st.session_state.pop(_SAID, None)
    if said is not None:
        well, text = said
        st.html(html.done(text) if well else html.alert("未完成", [text]))


def _list(office: Office, key: str, history: Sequence[Version], good: Sequence[Version]) -> None:
    label = desk.labels(office.district)[key]
    if not history:
        st.html(html.note(f"“{label}”还没有改动过:现用随软件发布的数据。第一次保存时,它会留作第 1 版。"))
        return
    rows = [
        {
            "key": str(one.number),
            "number": f"第 {one.number} 版",
            "when": _when(one),
            "who": one.who,
            "action": one.action,
            "why": one.why,
            "rows": one.rows if one.good else None,
            "state": by_label(one.fault, key, label)
            or ("现用" if good and one.number == good[0].number else ""),
        }
        for one in history
    ]
    show_table(
        f"“{label}”的 {len(rows)} 个版本,新的在前",
        _COLUMNS,
        rows,
        key="versions",
        selected=str(good[0].number) if good else None,
        height="22rem",
    )
    # the order is that of saving, whatever the clock says
    for new, old in pairwise(one for one in history if one.good):
        if datetime.fromisoformat(new.when) < datetime.fromisoformat(old.when):
            said = f"第 {new.number} 版的时间早于第 {old.number} 版:当时服务器的时钟不准,请核对;先后以版本号为准。"
            st.html(html.note(said))


def _when(one: Version) -> str:
    return one.when[:16].replace("T", " ")


def _named(good: Sequence[Version]) -> dict[str, str]:
    return {str(one.number): f"第 {one.number} 版 {_when(one)} {one.who}" for one in good}


# ---- compare ---------------------------------------------------------------------------------------


def _choose(box: Any, good: Sequence[Version]) -> tuple[int, int] | None:
    """Ask which two versions are compared."""
    with box:
        st.html(html.part("比较两个版本"))
        if len(good) < 2:
            st.html(html.note("有两个完好的版本才能比较。"))
            return None
        named = _named(good)
        numbers = list(named)
        old = st.selectbox(
            "旧版",
            numbers,
            index=0
            if st.session_state.pop(_SET, False)
            else 1,  # a default beside a set value is complained of
            format_func=lambda n: named[n],
            key="older",
            bind="query-params",
        )
        new = st.selectbox(
            "新版", numbers, index=0, format_func=lambda n: named[n], key="newer", bind="query-params"
        )
    return int(old), int(new)


def _compare(person: Person, office: Office, key: str, old: int, new: int) -> None:
    st.html(html.part(f"第 {old} 版 → 第 {new} 版"))
    try:
        found = service.compare(person, office, key, old, new)
    except QjmapError as error:
        st.html(html.alert("不能比较", [str(error)]))
        return
    show_comparison(office, key, found, "compare")


def show_comparison(office: Office, key: str, found: Comparison, stem: str) -> None:
    """List what was added, removed and changed, by id."""
    if found.same:
        st.html(html.note("两者内容相同。"))
        return
    names = _labels(office, key)
    counts = (
        f"新增 {len(found.added)} 条,删去 {len(found.removed)} 条,"
        f"改动 {len({one.id for one in found.changed})} 条共 {len(found.changed)} 处。"
    )
    st.html(html.note(counts))
    for title, frame, part in (("新增", found.added, "added"), ("删去", found.removed, "removed")):
        if not frame.empty:
            _show_rows(f"{title} {len(frame)} 条", frame, names, f"{stem}-{part}")
    if found.changed:
        # whoever may bring a file may hold it against what is kept, which must not tell what he may not see
        spec = None if key == BOUNDARIES else office.district.registry.spec(key)
        hidden = set() if spec is None else {one for one in spec.columns if who.hides(spec, one)}
        instead = who.hidden(spec) if spec is not None and hidden else ""
        secret = _secret_rows(office, key)
        rows = [
            {
                "key": f"{number}",
                "id": one.id,
                "column": names.get(one.column, one.column),
                "old": secret.get(one.id)
                or (instead if one.column in hidden else _value(one.column, one.old)),
                "new": secret.get(one.id)
                or (instead if one.column in hidden else _value(one.column, one.new)),
            }
            for number, one in enumerate(found.changed[:_MOST])
        ]
        columns = [
            TableColumn("id", "编号"),
            TableColumn("column", "项目"),
            TableColumn("old", "原来"),
            TableColumn("new", "改为"),
        ]
        show_table(
            f"改动 {len(found.changed)} 处{_cut(len(found.changed))}",
            columns,
            rows,
            key=f"{stem}-changed",
            height="18rem",
        )


def _secret_rows(office: Office, key: str) -> dict[str, str]:
    """Give the kept rows of a table that speak of what this person may not see, and what he is told instead."""
    registry = office.district.registry
    if key not in registry.tables or CONCERNS not in registry.tables[key].columns:
        return {}
    kept = desk.opened(key)[1].frame
    return {
        str(one): who.hidden(specs[0])
        for one, specs in zip(kept["id"], concerned(kept, registry), strict=True)
        if not all(map(who.sees, specs))
    }


def _show_rows(caption: str, frame: pd.DataFrame, names: Mapping[str, str], key: str) -> None:
    first = id_column(frame)
    shown = [first, *(one for one in _OVERVIEW if one in frame and one != first)]
    rows = [
        {"key": f"{number}", **{one: None if pd.isna(row[one]) else str(row[one]) for one in shown}}
        for number, row in enumerate(frame.head(_MOST).to_dict("records"))
    ]
    columns = [TableColumn(one, names.get(one, one)) for one in shown]
    show_table(f"{caption}{_cut(len(frame))}", columns, rows, key=key, height="14rem")


def _cut(number: int) -> str:
    return f",只列前 {_MOST}" if number > _MOST else ""


def _labels(office: Office, key: str) -> dict[str, str]:
    if key == BOUNDARIES:
        return {"name": "街镇", "code": "代码", "kind": "类别", "geometry": "形状"} | {
            "certainty": "把握",
            "label_lon": "注记经度",
            "label_lat": "注记纬度",
        }
    return {one.key: one.label for one in office.district.registry.spec(key).columns.values()}


def _value(column: str, value: str | None) -> str | None:
    if column == "certainty":
        return _CERTAINTY.get(value or "", value)
    return "(形状)" if column == "geometry" and value else value


# ---- restore, take away ------------------------------------------------------------------------------


def _restore(
    person: Person, office: Office, key: str, history: Sequence[Version], good: Sequence[Version]
) -> None:
    st.html(html.part("恢复旧版本"))
    damaged = bool(history) and not history[0].good
    named = _named(good if damaged else good[1:])
    if not named:
        st.html(html.note("还没有可恢复的旧版本。"))
        return
    with st.form("restore", border=False, enter_to_submit=False):
        st.selectbox("恢复", list(named), format_func=lambda n: named[n], key="restore-number")
        st.text_input("原因 *", key="restore-why", max_chars=200)
        st.form_submit_button(
            "恢复为新版本",
            on_click=_do_restore,
            args=(key, good[0].number),
            width="stretch",
            help="存为一个新版本,现有各版本都不动",
        )


def _do_restore(key: str, base: int) -> None:
    number, why = int(st.session_state["restore-number"]), str(st.session_state["restore-why"])
    try:
        version = service.restore(who.person(), who.office(), key, number, base=base, why=why)
    except QjmapError as error:
        st.session_state[_SAID] = (False, str(error))
        return
    st.session_state[_SAID] = (True, f"第 {number} 版已恢复,存为第 {version.number} 版。")
    # Set, not forgotten: a box that is forgotten here goes on showing in the browser what it showed.
    st.session_state["older"], st.session_state[_SET] = str(base), True
    st.session_state["newer"] = st.session_state["take"] = str(version.number)


def _download(office: Office, key: str, good: Sequence[Version]) -> None:
    st.html(html.part("下载"))
    if not good:
        st.html(html.note("还没有可下载的版本。"))
        return
    named = _named(good)
    number = int(
        st.selectbox("版本", list(named), format_func=lambda n: named[n], key="take", bind="query-params")
    )
    geo = next(one.name for one in good if one.number == number) == GEOJSON
    st.download_button(
        "下载这一版",
        who.at_the_click(partial(service.download, office=office, key=key, number=number)),
        file_name=export.file_name(
            office.district.settings.short_name,
            desk.labels(office.district)[key],
            f"第{number}版",
            when=today(),
            suffix="geojson" if geo else "csv",
        ),
        mime=GEOJSON_TYPE if geo else "text/csv",
        on_click="ignore",
        key="download-version",
        width="stretch",
        help="可再次导入的文件",
    )


# ---- drafts ----------------------------------------------------------------------------------------


def _drafts(person: Person, office: Office, key: str, drafts: Sequence[Version]) -> None:
    """Show what was refused because somebody else had saved: what it would have changed, and the way back to it."""
    if not drafts:
        return
    st.html(html.part(f"草稿 {len(drafts)} 份(因他人先保存而未存入版本)"))
    for one in drafts:
        if not one.good:
            st.html(html.note(f"{one.file}:{one.fault}"))
            continue
        said = f"{_when(one)} {one.who} {one.action}:{one.why}(从第 {one.parent} 版改起)"
        with st.container(border=True, key=f"draft-{one.file[:-4]}"):
            st.html(html.note(said))
            found: Comparison | None = None
            try:
                found = service.compare_draft(person, office, key, one.file)
            except QjmapError as error:
                st.html(html.note(f"与第 {one.parent} 版的差别看不出来:{error}"))
            if found is not None:
                show_comparison(office, key, found, f"draft-{one.file[:-4]}")
            first, second = st.columns(2, gap="small")
            with first:
                change = None if found is None else _one_record(found)
                if change is not None and key in office.district.registry.layers:
                    st.button(
                        "在最新版上继续",
                        on_click=_take_up,
                        args=(key, *change),
                        key=f"take-{one.file}",
                        width="stretch",
                        help="把这份草稿的改动填进表单,核对后再保存",
                    )
            with second:
                if access.may(person, Action.DELETE, _spec(office, key)):
                    st.button(
                        "已处理,删除草稿",
                        on_click=_drop,
                        args=(key, one.file),
                        key=f"drop-{one.file}",
                        width="stretch",
                    )


def _spec(office: Office, key: str) -> Any:
    return None if key == BOUNDARIES else office.district.registry.spec(key)


def _one_record(found: Comparison) -> tuple[str, dict[str, str | None]] | None:
    """Give what a draft does to one record, as the form can take it: a change, or a new record."""
    ids = {one.id for one in found.changed}
    if len(ids) == 1 and found.added.empty and found.removed.empty:
        return ids.pop(), {one.column: one.new for one in found.changed}
    if not ids and len(found.added) == 1 and found.removed.empty:
        row = found.added.iloc[0]
        cells = {str(k): None if pd.isna(v) else str(v) for k, v in row.items()}
        return record_form.NEW, cells | {"id": None}  # the number may have been given to another by now
    return None


def _take_up(key: str, record: str, changes: dict[str, str | None]) -> None:
    base, table = desk.opened(key)
    record_form.load(key, record, base, table, changes)
    st.session_state[desk.PART] = desk.RECORDS


def _drop(key: str, name: str) -> None:
    try:
        service.drop_draft(who.person(), who.office(), key, name)
    except QjmapError as error:
        st.session_state[_SAID] = (False, str(error))
    else:
        st.session_state[_SAID] = (True, "草稿已删除。")
