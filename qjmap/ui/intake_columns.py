"""Steps of the wizard: which column is which, and how the coordinates are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import streamlit as st

from qjmap import coordinates, merging
from qjmap._units import factor
from qjmap.checks import BY_TOWN, LISTED
from qjmap.datum import WGS84, Reading, crs_name, is_projected
from qjmap.district import District
from qjmap.draft import BY_NUMBER, sheets_of_towns, told_by_register
from qjmap.layers import Column, LayerSpec
from qjmap.matching import ADDRESS, CONTENT, NAME, PERSON, SYNONYM, Match, unsure
from qjmap.ui import html, intake_map, intake_work
from qjmap.ui import intake_parts as parts
from qjmap.ui.intake_hand import CHECK, PLACES, Work
from qjmap.workbooks import title

_NONE, _STATUS = "", "status"
_WHY = {NAME: "列名相符", SYNONYM: "同义的列名", CONTENT: "按内容认出,请核对", PERSON: "由你指定"}
_LIKE, _SURE = "列名相近,请核对", 0.95
"""What is said of a name that only resembles; matches by the very name have at least this confidence."""
_PROPOSED = 8  # columns for which a number is proposed; a file of many is not of this layer
_BY_PROGRAM = {
    "id": "没有时程序编号",
    "kind": "",
    "status": "没有时记“未知”",
    "source": "没有时记“导入”",
}
"""What a register wants of every record and the program fills in; kind only where there is but one."""

_SHEET, _LAYER = ("工作表", "表名"), ("图层", "图层名")
_HOW_KNOWN = {"position": f"没有时记“{LISTED}”", "error_m": "没有时按坐标位数计"}
_ERRORS = ("1", "5", "10", "20", "50", "100", "200", "500", "1000")
"""Errors in metres that a person may say of all rows; another one is written into the file."""


@dataclass(frozen=True)
class _Line:
    """A column of the register: what it is called, whether it must be there, what is done without it.

    `values` are those of which one may be said for all rows, where the file has no such column.
    """

    key: str
    label: str
    required: bool
    without: str
    values: tuple[str, ...] = ()
    unit: str = ""


def line(one: Work, spec: LayerSpec | None, district: District) -> str:
    """Say in a line how many columns were matched."""
    if spec is None:
        return ""
    matches = intake_work.matched(one, spec, tuple(district.towns.index))
    total = intake_work.table(one).table.frame.shape[1]
    used = len(_used(one, matches))
    return f"文件的 {total} 列用了 {used} 列"


def show(one: Work, spec: LayerSpec, district: District) -> None:
    """Show which column of the file is which of the layer's, and let the person change it."""
    matches = intake_work.matched(one, spec, tuple(district.towns.index))
    found = intake_work.table(one)
    _header_row(one)
    lines = [_line(column, spec, district) for column in spec.columns.values() if column.type != "shape"]
    if spec.placed and spec.geometry == "point":
        lines.append(_Line(ADDRESS, "地址(没有坐标时用来定位)", False, ""))
    first = [
        each
        for each in lines
        if each.key in matches or each.key == _STATUS or (each.required and not each.without)
    ]
    rest = [each for each in lines if each not in first]
    known = {*matches, *one.fills}
    again, numbered = intake_work.updating(one, spec, matches)
    _tell_missing([each for each in first if not each.without], known, again, numbered)
    if again and again == numbered:  # nothing but updates
        key = merging.key_of(spec)
        first, rest = (
            [replace(each, without="更新时保留原值", required=each.key == key) for each in part]
            for part in (first, rest)
        )
    elif any(each.key == _STATUS for each in lines) and _STATUS not in known:
        said = "文件没有“状态”列:不说明的话每行记“未知”,相关标准就判不了。都是现有设施的,请把“状态”整列填“现状”。"
        st.html(html.note(said))
    st.html(html.note("左边是本图层的列,中间是文件的列;不对的请改选。带 * 的必填。"))
    columns = list(map(str, found.table.frame.columns))
    for each in first:
        _choose(one, each, matches, columns)
    if rest:
        named = "、".join(each.label for each in rest[:6]) + ("等" if len(rest) > 6 else "")
        with st.expander(f"文件里没有认出的列({len(rest)}):{named}"):
            for each in rest:
                _choose(one, each, matches, columns)
    read = _used(one, matches) | _tell_towns(one, spec, matches, district)
    _tell_coordinates(one, matches)
    _tell_unused(read, matches, columns, spec)
    _tell_twice(matches, spec)
    where = "下一步:核对坐标" if after(one, spec, matches) == PLACES else "下一步:检查"
    parts.next_button(one, after(one, spec, matches), where)


def after(one: Work, spec: LayerSpec, matches: Mapping[str, Match]) -> int:
    """Give the step after the columns: tables have no place to ask for."""
    return PLACES if spec.placed or intake_work.has_coordinates(one, spec, dict(matches)) else CHECK


def _line(column: Column, spec: LayerSpec, district: District) -> _Line:
    without = _BY_PROGRAM.get(column.key, "") if spec.placed or column.key == "id" else ""
    if column.key == "kind" and spec.placed and len(column.values) == 1:
        without = f"没有时记“{column.values[0]}”"
    if column.key in told_by_register(spec) and column.required:
        without = "没有时按村(社区)名册补"
    values = tuple(district.towns.index) if column.type == "town" else column.values
    values = (BY_NUMBER,) if column.key == "name" and spec.placed else values
    offered = () if column.key == "source" else tuple(one for one in values if one)
    if column.key in _HOW_KNOWN and spec.placed:
        offered = _ERRORS if column.key == "error_m" else tuple(one for one in values if one not in BY_TOWN)
        without = _HOW_KNOWN[column.key] if not spec.shaped else ""
    return _Line(column.key, title(column), column.required, without, offered, column.unit)


def _header_row(one: Work) -> None:
    """Say where the column names were found, and let the person say better."""
    found = intake_work.table(one)
    if found.format not in ("xlsx", "xls", "csv"):
        return
    key = "intake-header-row"
    if st.session_state.get(key) != found.header_row:
        st.session_state[key] = found.header_row
    with st.container(key="intake-header", horizontal=True, vertical_alignment="center"):
        st.html(html.note("列名取自第一张表的第" if found.parts else "列名取自文件的第"))
        st.number_input(
            "列名在第几行",
            min_value=1,
            max_value=100,
            step=1,
            key=key,
            width=110,
            label_visibility="collapsed",
            on_change=lambda: one.choose_sheet(one.sheet, int(st.session_state[key])),
        )
        lines = f"行起的 {found.header_rows} 行" if found.header_rows > 1 else "行"
        st.html(html.note(f"{lines};不对请改,各表都照此行。" if found.parts else f"{lines};不对请改。"))
    for note in found.notes:
        st.html(html.note(f"{note}。"))


def _tell_missing(first: list[_Line], known: Collection[str], again: int, numbered: int) -> None:
    """Say which columns must be there and are not; a file that updates what is kept may do without."""
    lost = [each.label for each in first if each.key not in known]
    if lost and again:
        said = f"文件的 {numbered:,} 个编号中 {again:,} 个库中已有:更新已有记录时可以不带{'、'.join(lost)},原值保留。"
        if again < numbered:
            said += f"其余 {numbered - again:,} 行是新编号,要有这些列,否则会有错。"
        st.html(html.note(said))
    elif lost:
        said = f"没有找到必填的{'、'.join(lost)}:请在下面选一列,或说明整列怎样填;不选的话,每一行都会有错。"
        st.html(html.alert("缺必填的列", [said]))


def _choose(one: Work, each: _Line, matches: Mapping[str, Match], columns: list[str]) -> None:
    """Show one column, what was matched to it, and what stands there."""
    match = matches.get(each.key)
    key = f"intake-column-{each.key}"
    wanted = match.column if match is not None else _NONE
    if st.session_state.get(key) != wanted:
        st.session_state[key] = wanted

    def changed() -> None:
        one.choices[each.key] = st.session_state[key] or None
        if each.key in ("lon", "lat", "geometry"):
            one.reading, one.reading_label, one.doubted = None, "", False

    name, choice, about = st.columns([1.05, 1.2, 1.5], gap="small", vertical_alignment="center")
    with name:
        st.html(html.note(each.label + (" *" if each.required else "")))
    with choice:
        st.selectbox(
            each.label,
            [_NONE, *columns],
            format_func=lambda text: text or "(不用)",
            key=key,
            on_change=changed,
            label_visibility="collapsed",
        )
    with about:
        if match is None and each.values:
            _fill(one, each)
        elif match is None:
            lost = each.required and not each.without
            st.html(html.match(each.without or ("必填,未找到" if lost else ""), "", lost=lost))
        else:
            shown = intake_work.examples(one).get(match.column, "") or "(前面的行都空白)"
            unit = ""
            if match.unit and each.unit:  # brackets of a header hold other things as well: 村(社区)名称
                known = factor(match.unit, each.unit) is not None
                unit = f",单位{match.unit}" + ("" if known else "不认识,检查时请说明")
            near = match.why == NAME and match.confidence < _SURE
            st.html(html.match(shown, f"{_LIKE if near else _WHY[match.why]}{unit}"))


def _fill(one: Work, each: _Line) -> None:
    """Offer one value for all rows."""
    key = f"intake-fill-{each.key}"
    wanted = one.fills.get(each.key)
    if st.session_state.get(key, _NONE) != wanted:
        st.session_state[key] = wanted

    def said() -> None:
        value = st.session_state[key]
        one.fills = {name: old for name, old in one.fills.items() if name != each.key}
        if value is not None:
            one.fills[each.key] = value

    hint = each.without or ("必填:整列怎样填" if each.required else "整列填同一个值")
    st.selectbox(
        f"{each.label}:整列填",
        each.values,
        index=None,
        placeholder=hint,
        key=key,
        on_change=said,
        label_visibility="collapsed",
    )


def _used(one: Work, matches: dict[str, Match]) -> set[str]:
    """Name the file's columns that are read, that of datums among them."""
    rows = intake_work.by_row(one, matches)
    return coordinates.used(intake_work.table(one), matches) | ({rows.column} if rows is not None else set())


def _tell_towns(one: Work, spec: LayerSpec, matches: Mapping[str, Match], district: District) -> set[str]:
    """Say of sheets, layers or folders that are called as towns that their rows get these, where no column says it.

    Gives the column of the folders when it is read for that.
    """
    if "town" not in spec.columns or "town" in {*matches, *one.fills}:
        return set()
    found = intake_work.table(one)
    called = list(sheets_of_towns(found, district))
    if called:
        what, by = {"xlsx": _SHEET, "xls": _SHEET, "kml": ("文件夹", "文件夹名")}.get(found.format, _LAYER)
        named = "".join(f"“{name}”" for name in called[:6]) + (
            f"等 {len(called)} 个" if len(called) > 6 else ""
        )
        said = f"文件没有街镇列:{what}{named}的各行按{by}记街镇;在“核对”一步列出,可以不采用。"
        st.html(html.note(said))
    return {found.folders} if called else set()


def _tell_coordinates(one: Work, matches: dict[str, Match]) -> None:
    """Say what else is read for the places: minutes and seconds, a column of datums, shapes before columns."""
    found = intake_work.table(one)
    if not {"lon", "lat"} <= matches.keys():
        return
    if found.geometry is not None:
        st.html(html.note("位置取自图形;“经度”“纬度”两列只用来核对。"))
        return
    own = coordinates.used(found, matches) - {each.column for each in matches.values()}
    more = [str(name) for name in found.table.frame if name in own]
    if more:
        st.html(html.note(f"{'、'.join(f'“{name}”' for name in more)}与度的一列合起来读。"))
    rows = intake_work.by_row(one, matches)
    if rows is not None:
        st.html(html.note(f"“{rows.column}”列写明坐标是哪一种,下一步按它读。"))


def _tell_unused(
    used: Collection[str], matches: dict[str, Match], columns: list[str], spec: LayerSpec
) -> None:
    """Name the columns that are not used, and of those that may be a number of the register which it may be."""
    unused = [name for name in columns if name not in used]
    if unused:
        st.html(
            html.note(
                f"文件里不用的列({len(unused)}):{'、'.join(unused[:30])}{'等' if len(unused) > 30 else ''}。"
            )
        )
    likely = {name: unsure(name, spec, matches) for name in unused}
    for name, labels in [(name, labels) for name, labels in likely.items() if labels][:_PROPOSED]:
        which = "、".join(f"“{label}”" for label in labels)
        st.html(html.note(f"文件的“{name}”可能是{which}:名称不全相同,程序没有用;是的话请在上面选定。"))


def _tell_twice(matches: Mapping[str, Match], spec: LayerSpec) -> None:
    """One column for two is right for coordinates in one cell, and odd for all else."""
    times = Counter(each.column for key, each in matches.items() if key not in ("lon", "lat"))
    for name, count in times.items():
        if count > 1:
            st.html(html.alert("请核对", [f"文件的“{name}”列被用了 {count} 次。"]))


# ---- coordinates -----------------------------------------------------------------------------------


def place_line(one: Work, spec: LayerSpec | None, district: District) -> str:
    """Say in a line how the coordinates are read."""
    if spec is None:
        return ""
    matches = intake_work.matched(one, spec, tuple(district.towns.index))
    if not intake_work.has_coordinates(one, spec, matches):
        again, _ = intake_work.updating(one, spec, matches)
        kept = ";已有记录保留原位置" if again else ""
        return f"文件没有坐标,按地址或街镇定位{kept}" if spec.placed else "这张表没有位置"
    crs = intake_work.table(one).crs
    if crs and one.reading == WGS84:
        return _stated(one, crs)
    return one.reading_label or "坐标读不出来"


def show_places(one: Work, spec: LayerSpec, district: District) -> None:
    """Show the ways in which the coordinates can be read, and ask which is right."""
    matches = intake_work.matched(one, spec, tuple(district.towns.index))
    if not intake_work.has_coordinates(one, spec, matches):
        _without(matches, *intake_work.updating(one, spec, matches))
        parts.next_button(one, CHECK, "下一步:检查")
        return
    found = intake_work.offered(one, spec, district, matches)
    if not found:
        st.html(
            html.alert(
                "坐标读不出来",
                ["两列坐标里没有一个数读得成经纬度或平面坐标。请回到“列”核对选的是不是坐标列。"],
            )
        )
        parts.next_button(one, CHECK, "按没有坐标继续")
        return
    intake_work.reading(one, spec, district, matches)
    said = intake_work.choice(one, spec, district, matches)
    source = intake_work.table(one)
    if source.crs and any(each.key == WGS84 for each in found):
        _tell_stated(one, source.crs, found)
    if said.doubts:
        st.html(html.alert("请核对坐标", said.doubts))
    if said.why and one.reading == said.key:
        st.html(html.note(said.why))
    if not source.crs or one.doubted or said.key != WGS84:
        _radio(one, found)
        if one.reading is None or not said.why:
            _tell_apart(found, silent=not (source.crs or said.doubts))
    _look_at(one, found, matches)
    parts.next_button(one, CHECK, "下一步:检查", first="" if one.reading else "请先选坐标是哪一种")


def _stated(one: Work, crs: str) -> str:
    """Say by what the coordinates are read: by the file's own word, or by what its format lays down."""
    name = crs_name(crs)
    by_format = {"kml": "KML", "geojson": "GeoJSON"}.get(intake_work.table(one).format)
    if by_format is not None and crs.upper() == "EPSG:4326":
        return f"按 {by_format} 格式的规定,{name}"
    return f"按文件写明的 {name}"


def _tell_stated(one: Work, crs: str, found: list[Reading]) -> None:
    """Say how the file's own word was followed, and let the person doubt it."""
    chosen = next((each for each in found if each.key == WGS84), found[0])
    st.html(
        html.note(f"坐标{_stated(one, crs)}读入:{chosen.count:,} 个图形,{chosen.share_inside:.0%} 落在区内。")
    )
    if chosen.swapped:
        st.html(html.note("经度、纬度写反了,已对调。"))
    if chosen.share_inside <= 0.5:
        said = "大多不在区内:请看图核对文件是不是本区的、写明的坐标系对不对。"
        st.html(html.alert("请核对坐标", [said]))
    if is_projected(crs):
        st.html(html.note("文件写错了坐标系的,请在绘图软件里改正后再上传。"))
        return
    key = "intake-doubt"
    if st.session_state.get(key) != one.doubted:
        st.session_state[key] = one.doubted

    def doubted() -> None:
        one.doubted = bool(st.session_state[key])
        one.reading, one.reading_label = None, ""

    st.checkbox("文件写的坐标系不对(如取自高德、百度地图)", key=key, on_change=doubted)


def _without(matches: Mapping[str, Match], again: int, numbered: int) -> None:
    """Say how rows without coordinates are placed; of so many that have a number, some are kept already."""
    if again:
        st.html(html.note(f"文件没有坐标。编号库中已有的 {again:,} 行,更新时保留原来的位置。"))
        if again == numbered:
            return
    if ADDRESS in matches or "village" in matches:
        said = "文件没有坐标。程序按地址、村(社区)和街镇定位:认出村的放在村,认出街镇的放在街镇,误差如实记下;"
    elif "town" in matches:
        said = "文件没有坐标,只有街镇:放在街镇驻地或街镇中心,误差按街镇大小记;"
    else:
        said = "文件没有坐标,也没有街镇或地址;"
    st.html(html.note(f"{said}都认不出的记为“未定位”,保存后可在“数据管理”中点地图定位。"))


def _radio(one: Work, found: list[Reading]) -> None:
    key = "intake-reading"
    # What a widget is given outlives this run: only words, not the coordinates of the whole file.
    labels = {each.key: each.label for each in found}
    if st.session_state.get(key) != one.reading:
        st.session_state[key] = one.reading

    def chosen() -> None:
        one.reading = st.session_state[key]
        one.reading_label = labels[one.reading]

    st.radio(
        "这些坐标是哪一种(图上同时画出各种读法)",
        list(labels),
        index=None,
        format_func=lambda each: labels[each],
        captions=[
            f"{each.share_inside:.0%} 落在区内,{each.count:,} 行可读"
            + (";经纬度两列写反,已对调" if each.swapped else "")
            for each in found
        ],
        key=key,
        on_change=chosen,
    )


def _tell_apart(found: list[Reading], *, silent: bool) -> None:
    """Say how a person finds out which of several readings is right; `silent` is a file that says nothing of it."""
    inside = [each for each in found if each.share_inside > 0.5]
    begin = "文件没有写明坐标是哪一种," if silent else ""
    look = "请在下面选一个你知道确切位置的点,看哪一种符号落对了地方。"
    if len(inside) > 1 and inside[0].metres:
        said = (
            f"{begin}有 {len(inside)} 种读法都落在区内,相差一公里以上,程序不替你选。{look}"
            "不知道坐标从哪里来时:测绘、国土部门的多为 CGCS2000 的 3 度带;手持 GPS、ArcGIS 里量出来的多为 UTM。"
        )
    elif len(inside) > 1:
        said = (
            f"{begin}有 {len(inside)} 种读法都落在区内,只差约 500 米,程序分不出来,不替你选。{look}"
            "不知道坐标从哪里来时:测绘、国土部门的多为 CGCS2000;高德、腾讯地图和多数手机地图取的是 GCJ-02;"
            "百度地图取的是 BD-09。"
        )
    elif inside:
        said = "只有一种读法大多落在区内;请看图核对。"
    else:
        said = "没有一种读法大多落在区内:请核对选的列对不对、文件是不是本区的。"
    st.html(html.note(said))


def _look_at(one: Work, found: list[Reading], matches: dict[str, Match]) -> None:
    """Let the person look for a point he knows."""
    rows = [int(row) for row in intake_map.readable(found)]
    names = dict(zip(rows, intake_work.row_names(one, matches, rows), strict=True))
    key = f"{intake_map.LOOK_AT}-widget"
    wanted = st.session_state.get(intake_map.LOOK_AT)
    if wanted not in names:
        wanted = st.session_state[intake_map.LOOK_AT] = None
    if st.session_state.get(key, 0) != wanted:
        st.session_state[key] = wanted

    def looked() -> None:
        st.session_state[intake_map.LOOK_AT] = st.session_state[key]

    st.selectbox(
        "在图上放大一个你认得的点",
        rows,
        index=None,
        format_func=lambda row: names[row],
        placeholder="全区(点名称可输入查找)",
        key=key,
        on_change=looked,
    )
    if len(rows) < found[0].count:
        st.html(html.note(f"图上和这里只列 {len(rows)} 行,从 {found[0].count:,} 行中均匀抽取。"))
