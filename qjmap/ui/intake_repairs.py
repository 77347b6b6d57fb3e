"""What the program read otherwise than it was written, in the last step of the wizard: listed, each to be refused."""

from __future__ import annotations

import streamlit as st

from qjmap.draft import Draft, Repair
from qjmap.layers import LayerSpec
from qjmap.ui import html
from qjmap.ui.intake_hand import Work

_GROUPS = {"layer-town": ("图层", "个图层"), "folder-town": ("文件夹", "个文件夹")}
_SHEETS = ("工作表", "张表")
_SINGLES = 200  # single repairs that can be refused one by one
_KINDS = {
    "swap": "经纬度对调",
    "datum": "坐标换算",
    "comma": "小数点写成逗号",
    "village": "按村(社区)定位",
    "address": "由地址得知",
    "town-by-place": "按坐标得知街镇",
    "sheet-town": "按工作表名",
    "layer-town": "按图层名",
    "folder-town": "按文件夹名",
    "village-code": "按村(社区)名册补代码",
    "village-town": "按代码补街镇",
    "village-town-code": "补街镇代码",
    "village-name": "按名册写全称",
    "merged": "合并单元格补齐",
    "id-writing": "编号统一写法",
    "sum": "标题、合计等行不导入",
    "heading": "标题行下的各行",
    "above": "空白按上一行",
    "ditto": "“同上”照上一行",
    "number": "自动编号",
    "namesake": "同名的当作同一条",
    "lookalike": "名称相近的当作同一条",
    "apart": "编号前加街镇名",
    "default": "整列补填",
    "fill": "按所选整列填写",
    "said": "按说明的意思读",
    "source": "来源统一写法",
    "header-unit": "按列名的单位换算",
    "unit": "去掉或换算单位",
    "digits": "全角数字、千分位、空格",
    "whole": "小数改整数",
    "blank": "表示没有的记号按空白",
    "year": "只取年份",
    "year-format": "设成日期格式的年份",
    "date": "日期统一写法",
    "value": "统一为允许值",
    "town": "街镇名补全",
    "control": "去掉不可见字符",
    "clear": "写“清空”的格删去原值",
    "guard": "去掉防公式的撇号",
}


def group(repair: Repair) -> str:
    """Name the kind and the column of a repair, which are refused together."""
    return ":".join(repair.id.split(":")[:2])


def show(one: Work, spec: LayerSpec, made: Draft) -> None:
    """List what was repaired, by kind and column; each kind, and each single one, can be refused."""
    groups: dict[str, list[Repair]] = {}
    for repair in one.offered.values():
        groups.setdefault(group(repair), []).append(repair)
    if not groups:
        return
    refused = sum(1 for each in groups if each in one.refused)
    title = f"自动修正 {len(made.repairs):,} 处" + (f",{refused} 类不采用" if refused else "")
    with st.expander(title, expanded=bool(one.refused)):
        st.html(html.note("程序把下面这些格按右边的意思读了。不对的请关掉,那些格就按原样核对。"))
        for name, repairs in groups.items():
            _show_group(one, spec, name, repairs)


def _show_group(one: Work, spec: LayerSpec, group: str, repairs: list[Repair]) -> None:
    kind, _, column = group.partition(":")
    label = spec.columns[column].label if column in spec.columns else ""
    if kind == "datum":  # chosen by the person himself
        st.html(html.note(f"坐标换算:{repairs[0].why}。要改请回到第 4 步。"))
        return
    singles = [each for each in repairs if each.row is not None or each.sheet]
    counted = "处" if singles and singles[0].row is not None else _GROUPS.get(kind, _SHEETS)[1]
    count = f"{len(singles):,} {counted}" if singles else "整列"
    key = f"intake-repair-{group}"
    wanted = group not in one.refused
    if st.session_state.get(key) != wanted:
        st.session_state[key] = wanted

    def changed() -> None:
        own = {each.id for each in repairs}
        one.refused = (one.refused - own - {group}) | (frozenset() if st.session_state[key] else {group})
        one.told = None

    named = _KINDS.get(kind, "其他修正") + (f"·{label}" if label else "")
    with st.container(key=f"intake-group-{kind}-{column}"):
        left, right = st.columns([1, 1.15], gap="small", vertical_alignment="center")
        with left:
            st.toggle(f"{named}({count})", key=key, on_change=changed)
        with right:
            st.html(html.note(_example(repairs[0])))
        if wanted and len(singles) > 1:
            _singles(one, group, singles)


def _example(repair: Repair) -> str:
    called, _ = _GROUPS.get(repair.id.partition(":")[0], _SHEETS)
    where = f"{called}“{repair.sheet}”" if repair.sheet else ""
    where += f"第 {repair.row} 行 " if repair.row is not None else ""
    if repair.id.startswith("sum:"):
        return f"{where}“{repair.old}”:{repair.why}"
    old, new = (("空白" if text is None else f"“{text[:40]}”") for text in (repair.old, repair.new))
    change = "" if repair.old is None and repair.new is None else f"{where}{old} → {new};"
    return f"{change}{repair.why}"


def _singles(one: Work, group: str, singles: list[Repair]) -> None:
    """Let single ones be refused."""
    key = f"intake-singles-{group}"
    offered = {each.id: each for each in singles[:_SINGLES]}
    offered |= {each.id: each for each in singles if each.id in one.refused}
    wanted = [each for each in offered if each in one.refused]
    if st.session_state.get(key) != wanted:
        st.session_state[key] = wanted

    def changed() -> None:
        own = {each.id for each in singles}
        one.refused = (one.refused - own) | frozenset(st.session_state[key])
        one.told = None

    more = f"(列出前 {_SINGLES} 处)" if len(singles) > _SINGLES else ""
    st.multiselect(
        f"{_KINDS.get(group.partition(':')[0], '')}:其中不采用的",
        list(offered),
        format_func=lambda each: _example(offered[each]).partition(";")[0],
        key=key,
        on_change=changed,
        placeholder=f"逐条挑出不采用的{more}",
        label_visibility="collapsed",
    )
