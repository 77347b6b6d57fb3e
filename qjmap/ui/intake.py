"""The page 数据导入: somebody's file, step by step, into a layer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from qjmap import _limits
from qjmap.access import Person
from qjmap.contents import BOUNDARIES
from qjmap.district import District
from qjmap.errors import DataError, QjmapError
from qjmap.layers import LayerSpec
from qjmap.office import Office
from qjmap.ui import (
    desk,
    frame,
    html,
    intake_check,
    intake_columns,
    intake_hand,
    intake_map,
    intake_sheets,
    intake_work,
    links,
    mapview,
    who,
)
from qjmap.ui import intake_parts as parts
from qjmap.ui.downloads import EXCEL
from qjmap.ui.intake_hand import CHECK, COLUMNS, FILE, LAYER, PLACES, STEPS, Work

LEAD = "把自己的表格或图形文件核对后存为新版本;保存之前什么都不会改动。"
STYLE = Path(__file__).with_name("intake.css")
BOUNDARY_STEPS = ("图层", "文件", "核对界线并保存")

_MB = _limits.FILE_BYTES // 1_000_000
_LIMITS = (
    f"可用 Excel(.xlsx、.xls)、CSV、GeoJSON、Shapefile(几个文件一起压缩成 .zip)、GeoPackage(.gpkg)、KML/KMZ;"
    f"不大于 {_MB} MB,不多于 {_limits.ROWS // 10_000} 万行。不要宏,不要打开密码。"
)
_SHAPES = "线、面图层请用 GeoJSON、Shapefile(.zip)、GeoPackage 或 KML;文字属性放在同一文件里。"


def show(person: Person, office: Office) -> None:
    """Show the step in hand, and the settled ones folded above it."""
    district = office.district
    one = intake_hand.work(district)
    _hear_address(one)
    spec = intake_hand.spec_of(one, district)
    _back_to_what_is_there(one)
    if one.has_file and one.sheet == intake_hand.BEST:
        one.sheet = intake_work.best(one, spec, tuple(district.towns.index))
    with suppress(DataError):  # told at its step
        if one.step == CHECK and one.has_file and intake_work.undecided(one, spec, district):
            one.step = PLACES
    if one.step >= COLUMNS and one.layer == BOUNDARIES:
        one.step = COLUMNS
    parts.follow(one.step)
    if one.step == COLUMNS and one.layer == BOUNDARIES:
        _boundaries(person, office, one)
    else:
        left, right = st.columns([1, 1.3], gap="small")
        with right:
            st.html(html.head("数据导入", LEAD))
            labels = BOUNDARY_STEPS if one.layer == BOUNDARIES else STEPS
            st.html(html.steps(labels, one.step))
            _settled(one, spec, district)
            with st.container(key="intake-step"):
                _step(person, office, one, spec)
            frame.foot(district, [], district.settings.base_year, demo=False)
        with left:
            scene = intake_map.scene(one, office, spec)
            mapview.show_map(district, scene, {}, key="map-intake")
    _write_address(one)


# ---- the address -----------------------------------------------------------------------------------


def _hear_address(one: Work) -> None:
    """Follow a link, or the browser's way back."""
    layer, step = st.query_params.get("to", ""), st.query_params.get("step", "")
    asked = links.speaks(one.heard)
    if asked is None:
        return
    one.heard = asked
    if layer in _labels():
        one.choose_layer(layer)
    if step in ("1", "2", "3", "4", "5") and int(step) != one.step:
        one.go(int(step))


def _labels() -> dict[str, str]:
    return desk.labels(who.office().district)


def _write_address(one: Work) -> None:
    for key, value in (("to", one.layer), ("step", str(one.step))):
        if st.query_params.get(key) != value:
            st.query_params[key] = value


def _back_to_what_is_there(one: Work) -> None:
    """No step comes before the one it rests on."""
    if one.step > FILE and not one.has_file:
        one.step = FILE


# ---- what is settled -------------------------------------------------------------------------------


def _settled(one: Work, spec: LayerSpec | None, district: District) -> None:
    """Fold the steps before the one in hand into a line each, with the way back to them."""
    answers: dict[int, Callable[[], str]] = {
        LAYER: lambda: _labels()[one.layer],
        FILE: lambda: intake_sheets.line(one),
        COLUMNS: lambda: intake_columns.line(one, spec, district),
        PLACES: lambda: intake_columns.place_line(one, spec, district),
    }
    if one.step == LAYER:
        return
    with st.container(key="intake-answers", gap=None):
        for step, answer in answers.items():
            if step >= one.step:
                break
            with st.container(key=f"intake-settled-{step}", horizontal=True, vertical_alignment="center"):
                st.html(html.answer(step, STEPS[step - 1], answer()))
                st.button("修改", on_click=one.go, args=(step,), key=f"intake-back-{step}", type="tertiary")


# ---- steps -----------------------------------------------------------------------------------------


def _step(person: Person, office: Office, one: Work, spec: LayerSpec | None) -> None:
    try:
        if one.step == LAYER:
            _layer(person, office, one, spec)
        elif one.step == FILE or spec is None:
            _file(office, one, spec)
        elif one.step == COLUMNS:
            intake_columns.show(one, spec, office.district)
        elif one.step == PLACES:
            intake_columns.show_places(one, spec, office.district)
        elif one.step == CHECK:
            intake_check.show(person, office, one, spec)
    except DataError as error:
        frame.show_problems("这个文件用不了,请按下面所说处理后再来", error.problems)


def _layer(person: Person, office: Office, one: Work, spec: LayerSpec | None) -> None:
    known = _labels()
    key = "intake-layer"
    if st.session_state.get(key) != one.layer:
        st.session_state[key] = one.layer

    def chosen() -> None:
        one.choose_layer(st.session_state[key])

    st.selectbox(
        "这份文件是什么", list(known), format_func=lambda each: known[each], key=key, on_change=chosen
    )
    st.html(html.note(_state(office, one, spec)))
    parts.tell_who(person, spec, known[one.layer])
    left, right = st.columns(2, gap="small")
    with left:
        if spec is not None:
            _template(office, spec)
    with right:
        parts.next_button(one, FILE, "下一步:选文件")


def _state(office: Office, one: Work, spec: LayerSpec | None) -> str:
    """Say what is there now, and who keeps it."""
    if spec is None:
        return f"现用{office.district.origin.line}。需要各街镇的面(区域)图形。"
    number, register = desk.opened(one.layer)
    state = f"第 {number} 版" if number else "随软件发布"
    count = (
        f"现有 {len(register.frame):,} {spec.counter}({state})" if len(register.frame) else "现在还没有记录"
    )
    keeper = f";由{spec.department}管" if spec.department else ""
    return f"{count}{keeper}。"


def _template(office: Office, spec: LayerSpec) -> None:
    def make(_sensitive: bool) -> bytes:
        from qjmap import workbooks  # Excel is not for a page that only lists layers

        return workbooks.template(spec, office.district.registry, tuple(office.district.towns.index))

    st.download_button(
        "下载填报模板(Excel)",
        who.taken(f"{spec.label}:填报模板", make, [spec]),
        file_name=f"{office.district.settings.short_name}_{spec.label}_模板.xlsx",
        mime=EXCEL,
        on_click="ignore",
        key="intake-template",
        width="stretch",
    )


# ---- the file --------------------------------------------------------------------------------------


def _file(office: Office, one: Work, spec: LayerSpec | None) -> None:
    st.html(html.note(_SHAPES if spec is None or spec.geometry in ("line", "polygon") else _LIMITS))
    uploaded = st.file_uploader(
        "选择文件,或把文件拖到这里",
        key=f"intake-file-{one.turn}",  # the next file meets a fresh one
        max_upload_size=_MB,
        label_visibility="collapsed",
    )
    if uploaded is not None:
        one.take(uploaded.name, uploaded.getvalue())
        _release()
        with parts.Bar("正在读文件") as told, suppress(DataError):  # told in the next run
            found = intake_work.sources(one, told)
            if not intake_sheets.to_ask(found):
                one.go(COLUMNS)
        st.rerun()
    if not one.name:
        return
    found = intake_work.sources(one)
    intake_sheets.show(one, found)
    parts.next_button(one, COLUMNS, "下一步:核对界线" if spec is None else "下一步:核对列")


def _release() -> None:
    """Let Streamlit forget the bytes it took from the browser: it would hold them as long as the visit lasts."""
    context = get_script_run_ctx()
    if context is not None:
        context.uploaded_file_mgr.remove_session_files(context.session_id)


# ---- boundaries ------------------------------------------------------------------------------------


def _boundaries(person: Person, office: Office, one: Work) -> None:
    from qjmap.ui import intake_boundaries  # judges what other lines change: a second to import

    st.html(html.head("数据导入", LEAD))
    st.html(html.steps(BOUNDARY_STEPS, COLUMNS))
    _settled(one, None, office.district)
    parts.tell_who(person, None, _labels()[BOUNDARIES])
    try:
        intake_boundaries.show(person, office, intake_work.table(one), one.name)
    except DataError as error:
        frame.show_problems("这个文件用不了,请按下面所说处理后再来", error.problems)
    except QjmapError as error:
        st.html(html.alert("不能继续", [str(error)]))
    frame.foot(office.district, [], office.district.settings.base_year, demo=False)
