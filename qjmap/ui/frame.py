"""The frame round every page: the look, the head, the foot, and what is said when data are wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from qjmap import __version__
from qjmap.contents import BOUNDARIES
from qjmap.district import District
from qjmap.errors import DataError, Problem, QjmapError
from qjmap.registers import Layer
from qjmap.ui import address, html, links, source, who, words
from qjmap.ui.navigation import through_the_front_door
from qjmap.workspace import Workspace, home

_LEAST_FREE = 16_000_000  # bytes on the disk: less is full, for a register and its way there
_FULL = 100_000  # less than the log takes for a day
_STYLE = Path(__file__).with_name("style.css")


def run(page: StreamlitPage) -> None:
    """Run a page; data that it cannot do without and that nobody has spoken of are told where it stops."""
    address.catch_up()
    top = links.arrive(page.url_path)
    try:
        page.run()
        links.tell(top)
    except DataError as error:
        show_problems("本页所需数据有误,暂不能显示", error.problems)
    except QjmapError as error:
        st.html(html.note(str(error)))


def dress() -> None:
    """Begin a page: look at the files, and give it the look that the theme cannot."""
    through_the_front_door()
    source.look()
    st.html(f"<style>{_STYLE.read_text(encoding='utf-8')}</style>")
    if who.passes_on():
        st.stop()


def open_district() -> District:
    """Load the district, or say what is wrong with it and end the page there."""
    try:
        place = source.district()
    except DataError as error:
        show_problems("基础数据有误,本图暂不能显示", error.problems)
        st.stop()
    except QjmapError as error:
        st.html(html.note(str(error)))
        st.stop()
    if place.boundary_problems:
        show_problems("界线文件有误,地图和覆盖暂不能显示,名册仍可查看", place.boundary_problems)
    return place


def brand(district: District) -> None:
    """Put the product's and the district's names over the choices, and the way to hand the page on."""
    with st.sidebar:
        st.html(html.brand("一张图", district.name))
        links.copy_button()
        troubles = kept_troubles(district)
        if troubles:
            st.html(html.alert("工作区需要处理", troubles))
    who.show_sign_in()


def kept_troubles(district: District) -> tuple[str, ...]:
    """Say what is wrong with what the office keeps, and what is shown instead; empty when nothing is, or is kept."""
    try:
        folder = home()
    except QjmapError as error:
        return (f"{error}。现显示随软件发布的数据。",)
    if not folder.exists():
        return ()
    found = []
    if not os.access(folder, os.W_OK | os.X_OK):
        found.append("工作区没有写入权限:现在不能保存改动,也不能导出文件;已保存的照常显示。")
    elif (free := shutil.disk_usage(folder).free) < _LEAST_FREE:
        left = f"只剩 {free / 1e6:.1f} MB" if free >= _FULL else "已满"
        found.append(f"工作区所在的磁盘{left}:改动和导出可能存不下,请腾出空间;已保存的照常显示。")
    return (*found, *_damaged(source.fingerprint(), district.key, folder, district))


@st.cache_resource(show_spinner=False, max_entries=4)
def _damaged(content: str, key: str, folder: Path, _district: District) -> tuple[str, ...]:
    """Say which newest versions are damaged; looked at once for each content of the workspace."""
    place = Workspace(folder, key)
    found = []
    for layer in place.layers():
        damaged = place.damaged(layer)
        if not damaged:
            continue
        latest = place.latest(layer)
        instead = (
            "随软件发布的数据"
            if latest is None
            else f"之前完好的第 {latest.number} 版({latest.when[:10]},{latest.who})"
        )
        label = "街镇界线" if layer == BOUNDARIES else _label(_district, layer)
        found.append(
            f"“{label}”的第 {'、'.join(str(one.number) for one in reversed(damaged))} 版文件已损坏,现显示{instead}。"
            "可在“数据管理”的“版本”中恢复。"
        )
    return tuple(found)


def _label(district: District, key: str) -> str:
    try:
        return district.registry.spec(key).label
    except QjmapError:  # kept under a registry that knew it
        return key


def load_layer(key: str, *, demo: bool) -> Layer | None:
    """Load a layer; when its data are wrong, say so and give None: the other layers go on."""
    spec = source.district().registry.layers[key]
    try:
        return source.layer(key, demo=demo)
    except DataError as error:
        show_problems(f"“{spec.label}”数据有误,已停用;其他图层不受影响", error.problems)
        return None


def show_problems(title: str, problems: Sequence[Problem]) -> None:
    """Say what is wrong in data: file, row, column, value, what was expected."""
    st.html(html.problems(title, problems))


def foot(
    district: District,
    documents: Iterable[str],
    year: int,
    *,
    demo: bool,
    more: Iterable[str] = (),
    layers: Iterable[str] = (),
) -> None:
    """End the page with what it rests on: documents, and of the layers that it shows what people put in."""
    named = "、".join([*words.documents(district, documents), *source.imported(layers)])
    lines = [f"资料:{named}" if named else "资料:本页未用到文件记录", words.population_line(district, year)]
    lines.append(f"{district.origin.line}。")
    if demo:
        lines.append("本页含演示数据(程序编造,非真实记录),不能作为工作依据;可在左侧关闭。")
    lines += [*more, f"綦江一张图 版本 {__version__}"]
    st.html(html.foot(lines))
