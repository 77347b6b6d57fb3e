"""The page 数据导入 for 街镇界线: somebody's file held against the district, what it changes, and keeping it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import shapely
import streamlit as st
from pyproj import CRS
from pyproj.exceptions import CRSError

from qjmap import access, datum, effects, marks, outlines, service
from qjmap.access import Action, Person
from qjmap.contents import BOUNDARIES
from qjmap.datum import Reading
from qjmap.district import District
from qjmap.effects import Effect
from qjmap.errors import Problem, QjmapError
from qjmap.ingest import Source
from qjmap.office import Office
from qjmap.outlines import LEFT_OUT, Outlines, Patch
from qjmap.ui import desk, html, mapview, source, who, words
from qjmap.ui.downloads import today
from qjmap.ui.html import Figure
from qjmap.ui.table import TableColumn, show_table
from qjmap.webmap import PALETTE, Scene, ShapeLayer, ShapeStyle
from qjmap.workspace import ConflictError, Version

_HAND = "lines-work"
_FIELD = "lines-"
_EACH = "逐个选定"
_NOT_USED = "不用"
_OPEN = "(未选)"
_CORNERS = 2000  # that are read to tell how coordinates are meant
_MOST = 300  # rows of a table
_LOOK = 400.0  # metres shown round a patch
_GAP, _OVERLAP = "#cc79a7", PALETTE["warn"]
_T = TypeVar("_T")


@dataclass(frozen=True)
class _Saved:
    """What was kept, what it changed, and how it was called."""

    version: Version
    changed: tuple[Effect, ...]
    answers: int
    notice: str
    areas: Sequence[Mapping[str, object]]


@dataclass
class _Hand:
    """What a person has in hand: kept with his visit, for widgets forget when the page is left."""

    source: Source
    column: str
    reading: str = ""
    rest: str = _EACH
    repair: bool = False
    aware: bool = False
    provider: str = ""
    date: str = ""
    review_number: str = ""
    why: str = ""
    meant: dict[str, str | None] = field(default_factory=dict)
    patch: str = ""
    base: int = 0
    told: str = ""
    draft: str = ""
    saved: _Saved | None = None
    _made: dict[str, tuple[Hashable, Any]] = field(default_factory=dict)

    def once(self, stage: str, key: Hashable, make: Callable[[], _T]) -> _T:
        """Make something once for what it rests on."""
        found = self._made.get(stage)
        if found is None or found[0] != key:
            found = self._made[stage] = (key, make())
        made: _T = found[1]
        return made


def show(person: Person, office: Office, source: Source, file: str) -> None:
    """Show what the file's areas are, what they would change, and keep them when that is wanted.

    Parameters
    ----------
    person, office
        Who asks, and where things are.
    source
        The layer of areas that was chosen.
    file
        The file's name, for the log.

    Raises
    ------
    DataError
        The file has no areas, or names a coordinate system that is not known.
    """
    hand = _in_hand(source, office.district)
    left, right = st.columns([1, 1.15], gap="small")
    found = None
    with right:
        if hand.saved is not None:
            with st.container(key="lines-saved"):
                _show_saved(hand.saved, office.district)
        else:
            with st.container(key="intake-step"):
                found = _work(person, office, hand, file)
    with left:
        scene = _scene(office.district, found, hand)
        mapview.show_map(office.district, scene, {}, key="map-lines", place=lambda *_: True)


def _in_hand(given: Source, district: District) -> _Hand:
    hand: _Hand | None = st.session_state.get(_HAND)
    if hand is None or hand.source is not given:
        for key in [str(one) for one in st.session_state if str(one).startswith(_FIELD)]:
            del st.session_state[key]
        columns = [str(one) for one in given.table.frame]
        outlines.degrees(given)  # a file without areas ends here
        hand = _Hand(given, outlines.guess(given, district) or next(iter(columns), ""))
        st.session_state[_HAND] = hand
    return hand


def _key(hand: _Hand, name: str) -> str:
    """Give the key of a widget, and the widget what was kept."""
    key = f"{_FIELD}{name}"
    if key not in st.session_state:
        st.session_state[key] = getattr(hand, name)
    return key


def _work(person: Person, office: Office, hand: _Hand, file: str) -> Outlines | None:
    district = office.district
    st.html(html.part("1 街镇名"))
    columns = [str(one) for one in hand.source.table.frame]
    if not columns:
        st.html(html.alert("这个文件用不了", ["图形没有任何属性,不知道哪一块是哪个街镇。"]))
        return None
    hand.column = st.selectbox("哪一列是街镇名", columns, key=_key(hand, "column"))
    _names(hand, district)
    st.html(html.part("2 坐标"))
    reading = _reading(hand, district)
    st.html(html.part("3 界线从哪里来"))
    _claims(hand)
    st.html(html.part("4 核对"))
    hand.repair = bool(
        st.session_state.get(f"{_FIELD}repair", hand.repair)
    )  # its box stands below the result
    content = (source.fingerprint(), hand.column, hand.reading, tuple(hand.meant.items()), hand.repair)
    with st.spinner("正在量算空隙和重叠…"):
        found = hand.once(
            "found",
            content,
            lambda: outlines.official(
                hand.source, district, hand.column, reading, names=hand.meant, repair=hand.repair
            ),
        )
    latest = office.workspace.latest(BOUNDARIES)
    hand.base = latest.number if latest is not None else 0
    _show_found(hand, found, district)
    changed: tuple[Effect, ...] | None = None
    if found.geojson:
        st.html(html.part("5 结果怎样改变"))
        changed = _changed(hand, found, district, content)
    _keep(person, office, hand, found, changed, file)
    return found


# ---- names, coordinates, claims ----------------------------------------------------------------------


def _names(hand: _Hand, district: District) -> None:
    """Show what the names of the file mean; what is not plainly a town's name can be set by hand."""
    suggested = outlines.suggest(hand.source, hand.column, district)
    towns, units = list(district.towns.index), list(district.settings.context_units)
    exact = [name for name, meant in suggested.items() if meant == name and name in towns]
    near = {name: meant for name, meant in suggested.items() if meant is not None and name not in exact}
    lost = [name for name, meant in suggested.items() if meant is None]
    missing = [one for one in towns if one not in suggested.values()]
    said = f"{len(exact)} 个名称与街镇名录一致"
    said += f",{len(near)} 个经补全对上" if near else ""
    said += f",{len(lost)} 个没有对上" if lost else ""
    said += f";缺 {'、'.join(missing[:8])}{'等' if len(missing) > 8 else ''}" if missing else ";街镇齐全"
    st.html(html.note(f"{said}。"))
    hand.meant = {}
    choices = [_OPEN, *towns, *units, _NOT_USED]
    if lost:
        rests = [_EACH, *(f"都归{unit}(背景)" for unit in units), "都不用(区外的面)"]
        hand.rest = st.selectbox(
            f"没有对上的 {len(lost)} 个名称",
            rests,
            key=_key(hand, "rest"),
            help="、".join(map(_named, lost[:40])),
        )
        if hand.rest != _EACH:
            number = rests.index(hand.rest) - 1
            hand.meant |= dict.fromkeys(lost, units[number] if number < len(units) else LEFT_OUT)
    asked = dict.fromkeys(lost if hand.rest == _EACH else []) | near
    if not asked:
        return
    with st.expander("逐个核对名称", expanded=bool(lost) and hand.rest == _EACH):
        for name, meant in list(asked.items())[:_MOST]:
            key = f"{_FIELD}name-{hand.column}-{name}"
            if key not in st.session_state:
                st.session_state[key] = hand._made.get(key, (None, meant or _OPEN))[1]
            chosen = st.selectbox(f"文件中的“{_named(name)}”是", choices, key=key)
            hand._made[key] = (None, chosen)
            if chosen != (meant or _OPEN):
                hand.meant[name] = {_OPEN: None, _NOT_USED: LEFT_OUT}.get(chosen, chosen)


def _named(name: str) -> str:
    return name.strip()[:30] or "空白"


def _reading(hand: _Hand, district: District) -> Reading | None:
    """Ask how the coordinates are meant; a file in metres that names its projection is taken at its word."""
    known = _projected(hand.source.crs)
    if known:
        st.html(html.note(f"文件写明坐标系:{known},已按此换算。"))
        return None
    offered = hand.once("readings", None, lambda: _offered(hand.source, district))
    if not offered:
        st.html(html.note("坐标读不出来,请核对文件的坐标系。"))
        return None
    keys = [f"{one.key}{'-turned' if one.swapped else ''}" for one in offered]
    agree = hand.once(
        "agree",
        (source.fingerprint(), hand.column, tuple(hand.meant.items())),
        lambda: [outlines.agreement(hand.source, district, hand.column, one, hand.meant) for one in offered],
    )
    labels = {
        key: one.label + (f":与现用界线重合 {share:.1%}" if math.isfinite(share) else "")
        for key, one, share in zip(keys, offered, agree, strict=True)
    }
    if hand.reading not in keys:
        hand.reading = next((key for key in keys if key.startswith(datum.WGS84)), keys[0])
        st.session_state.pop(f"{_FIELD}reading", None)
    said = f"文件写明坐标系:{hand.source.crs}。" if hand.source.crs else "文件没有写明坐标系。"
    hand.reading = st.radio(
        "坐标按哪一种读", keys, format_func=lambda one: labels[one], key=_key(hand, "reading")
    )
    st.html(
        html.note(
            f"{said}三种经纬度相差约 500 米,请向提供单位问清;"
            f"{'示意界线' if district.schematic else '界线'}的重合比例和下面的驻地提醒只能参考。"
        )
    )
    return offered[keys.index(hand.reading)]


def _projected(crs: str | None) -> str:
    """Give the name of the projection that a file names; empty for degrees, nothing, and what PROJ does not know."""
    if not crs:
        return ""
    try:
        known = CRS.from_user_input(crs)
    except CRSError:
        return ""
    return str(known.name) if known.is_projected else ""


def _offered(given: Source, district: District) -> list[Reading]:
    xy = shapely.get_coordinates(np.asarray(given.geometry, dtype=object))
    xy = xy[:: max(1, len(xy) // _CORNERS)]
    return datum.readings(xy[:, 0], xy[:, 1], district)


def _claims(hand: _Hand) -> None:
    hand.provider = st.text_input(
        "提供单位 *", key=_key(hand, "provider"), max_chars=40, placeholder="例如:区民政局"
    )
    first, second = st.columns(2, gap="small")
    with first:
        hand.date = st.text_input(
            "资料日期", key=_key(hand, "date"), max_chars=20, placeholder="例如:2025-06-30"
        )
    with second:
        hand.review_number = st.text_input("原图审图号", key=_key(hand, "review_number"), max_chars=40)
    st.html(
        html.note("图上照写“界线由〈提供单位〉提供,〈日期〉导入”。本软件不核实;纸质地图送审由制图单位负责。")
    )


# ---- what was found ----------------------------------------------------------------------------------


def _show_found(hand: _Hand, found: Outlines, district: District) -> None:
    st.html(html.figures(_figures(found, district)))
    if found.problems:
        st.html(html.problems(f"有 {len(found.problems)} 处问题,改好之前不能保存", found.problems))
    if found.mendable or hand.repair:
        hand.repair = st.checkbox(
            "由本软件修正:自相交的图形改为有效;小重叠和 "
            f"{outlines.NARROW_M:g} 米以内的窄缝,各归公共边最长的一方",
            key=_key(hand, "repair"),
            help=f"只修正不超过较小街镇面积 {outlines.SMALL_SHARE:.0%} 的重叠;每一处都列在下面,取消勾选即恢复原样。",
        )
    if found.repairs:
        with st.expander(f"修正了 {len(found.repairs)} 处"):
            st.html(html.alert("逐处列出", found.repairs[:_MOST]))
    for note in found.notes:
        st.html(html.note(f"{note}。"))
    _patches(hand, found)
    _areas(_area_rows(found, district), old="现用", new="新")
    others = _others(found)
    if others:
        st.html(html.problems(f"{len(others)} 处提醒,不影响保存", others))
    if found.warnings and found.geojson:
        hand.aware = st.checkbox(
            f"我已知晓以上 {len(found.warnings)} 处空隙和提醒,仍用这份界线", key=_key(hand, "aware")
        )


def _figures(found: Outlines, district: District) -> list[Figure]:
    change = found.area_km2 - found.old_km2
    there, wanted = len(found.frame), len(district.towns)
    return [
        Figure("街镇", f"{there}", "个", f"应有 {wanted} 个", there < wanted),
        Figure(
            "总面积", words.number(found.area_km2, 1), "平方千米",
            f"现用 {words.number(found.old_km2, 1)},{'增' if change >= 0 else '减'} {abs(change):,.1f}",
        ),
        _patch_figure("重叠", len(found.overlaps), found.overlap_km2),
        _patch_figure("空隙", len(found.gaps), found.gap_km2),
        Figure("提醒", f"{len(_others(found))}", "处", "不影响保存"),
    ]  # fmt: skip


def _patch_figure(label: str, count: int, km2: float) -> Figure:
    base = f"共 {km2:.4f} 平方千米" if km2 >= 5e-5 else "不足 0.0001 平方千米"
    return Figure(label, f"{count}", "处", base, count > 0)


def _others(found: Outlines) -> tuple[Problem, ...]:
    """Give the warnings that speak of no gap: gaps have a table of their own."""
    return found.warnings[len(found.gaps) :]


def _patch_list(found: Outlines) -> dict[str, tuple[str, Patch]]:
    listed = [*(("重叠", one) for one in found.overlaps), *(("空隙", one) for one in found.gaps)]
    return {f"p{number}": one for number, one in enumerate(listed)}


def _patches(hand: _Hand, found: Outlines) -> None:
    listed = _patch_list(found)
    if not listed:
        st.html(html.note(f"没有大于 {outlines.SLIVER_M2:g} 平方米的重叠和空隙。"))
        return

    def look(key: str) -> None:
        hand.patch = "" if hand.patch == key else key

    rows = [
        {"key": key, "what": what, "towns": "、".join(one.towns), "km2": one.km2, "m2": one.km2 * 1e6}
        for key, (what, one) in list(listed.items())[:_MOST]
    ]
    columns = [
        TableColumn("what", "情形"),
        TableColumn("towns", "街镇"),
        TableColumn("km2", "面积", "平方千米", 4),
        TableColumn("m2", "合", "平方米", 0),
    ]
    cut = f",只列前 {_MOST} 处" if len(listed) > _MOST else ""
    show_table(
        f"重叠和空隙 {len(listed)} 处,从大到小{cut};点一行到图上",
        columns,
        rows,
        key="lines-patches",
        selected=hand.patch or None,
        on_pick=look,
        height="16rem",
    )


def _area_rows(found: Outlines, district: District) -> list[Mapping[str, object]]:
    rows: list[Mapping[str, object]] = []
    for town, row in district.towns.iterrows():
        new = float(found.frame.geometry[town].area / 1e6) if town in found.frame.index else None
        old, quoted = _known(row["area_km2"]), _known(row["area_km2_quoted"])
        rows.append(
            {
                "key": str(town),
                "town": str(town),
                "old": old,
                "new": new,
                "change": None if new is None or old is None else _plain(new - old),
                "quoted": quoted,
                "miss": None if new is None or quoted is None else _plain(100 * (new / quoted - 1)),
            }
        )
    total = {"key": "合计", "town": "合计", "old": found.old_km2, "new": found.area_km2}
    return [*rows, total | {"change": _plain(found.area_km2 - found.old_km2), "quoted": None, "miss": None}]


def _areas(rows: Sequence[Mapping[str, object]], *, old: str, new: str) -> None:
    columns = [
        TableColumn("town", "街镇"),
        TableColumn("old", old, "平方千米", 1),
        TableColumn("new", new, "平方千米", 1),
        TableColumn("change", "变化", "平方千米", 1),
        TableColumn("quoted", "公布", "平方千米", 1),
        TableColumn("miss", "与公布相差", "%", 1),
    ]
    show_table("各街镇面积", columns, rows, key="lines-areas", height="20rem")


def _known(value: float) -> float | None:
    return float(value) if value == value else None


def _plain(value: float) -> float:
    """Round to a decimal, and let nothing read −0.0."""
    return round(value, 1) + 0.0


# ---- what it changes ---------------------------------------------------------------------------------


def _changed(
    hand: _Hand, found: Outlines, district: District, content: Hashable
) -> tuple[Effect, ...] | None:
    """Judge the district by the new lines and show which answers are others; None when that is not possible."""
    year = district.settings.base_year

    def made() -> tuple[tuple[Effect, ...], int]:
        before = effects.judged(district, source.standards(), year)
        after = effects.judged(
            effects.with_lines(district, found.geojson, hand.source.table.file), source.standards(), year
        )
        return effects.compare(before, after), len(after)

    try:
        with st.spinner("正在按新界线重算各条标准…"):
            changed, answers = hand.once("changed", content, made)
    except QjmapError as error:
        st.html(html.note(f"未能试算:{error}"))
        return None
    _show_changed(changed, answers, year)
    return changed


def _show_changed(changed: Sequence[Effect], answers: int, year: int | None) -> None:
    turned = sum(one.turned for one in changed)
    when = "" if year is None else f"({year}年,不含演示数据)"
    said = f"逐条标准、逐个街镇共 {answers:,} 个答案{when}:结论改变 {turned} 个,"
    said += f"结论不变而数字改变 {len(changed) - turned} 个。"
    pairs = effects.summary(changed)
    said += ";".join(f"{before}→{after} {count} 个" for (before, after), count in pairs.items())
    st.html(html.note(said + ("。" if pairs else "")))
    if not changed:
        st.html(html.note("多数标准按人口和名册计算,不随界线改变。"))
        return
    rows = [
        {
            "key": f"{number}",
            "rule": one.rule.title,
            "town": one.town,
            "before": one.before,
            "after": one.after,
            "old": one.said_before or None,
            "new": one.said_after or None,
        }
        for number, one in enumerate(changed[:_MOST])
    ]
    columns = [
        TableColumn("rule", "标准"),
        TableColumn("town", "街镇"),
        TableColumn("before", "现用界线"),
        TableColumn("after", "新界线"),
        TableColumn("old", "原数"),
        TableColumn("new", "新数"),
    ]
    cut = f",只列前 {_MOST} 个" if len(changed) > _MOST else ""
    show_table(f"改变的答案 {len(changed)} 个{cut}", columns, rows, key="lines-changed", height="18rem")


# ---- keeping -----------------------------------------------------------------------------------------


def _keep(
    person: Person,
    office: Office,
    hand: _Hand,
    found: Outlines,
    changed: tuple[Effect, ...] | None,
    file: str,
) -> None:
    if not access.may(person, Action.IMPORT, None):
        return  # the page above has said who may
    hand.why = st.text_input("原因 *", key=_key(hand, "why"), max_chars=200, placeholder="例如:改用勘定界线")
    st.button(
        "用这份界线替换现用界线",
        on_click=_do_keep,
        args=(hand, found, changed, file),
        type="primary",
        width="stretch",
        disabled=not found.geojson,
        key="lines-keep",
        help="存为一个新版本;旧版本都留着,可随时恢复",
    )
    if hand.told:
        st.html(html.alert("未保存", [hand.told]))


def _do_keep(hand: _Hand, found: Outlines, changed: tuple[Effect, ...] | None, file: str) -> None:
    # a click may come before the page has read what was typed last
    for name in ("provider", "date", "review_number", "why", "aware"):
        setattr(hand, name, st.session_state.get(f"{_FIELD}{name}", getattr(hand, name)))
    if not hand.provider.strip():
        hand.told = "请填写提供单位:图上要写明界线由谁提供。"
        return
    if not hand.why.strip():
        hand.told = "请写明原因。"
        return
    if found.warnings and not hand.aware:
        hand.told = f"有 {len(found.warnings)} 处空隙或提醒,请先勾选“我已知晓”。"
        return
    person, office = who.person(), who.office()
    data = outlines.signed(found, _about(hand, person))
    try:
        version = service.import_boundaries(person, office, data, file, base=hand.base, why=hand.why)
    except ConflictError as error:
        hand.told, hand.draft = f"{error}。下面已按最新版本重新核对,确认后请再保存。", error.draft
        return
    except QjmapError as error:
        hand.told = str(error)
        return
    if hand.draft:  # what was refused before is saved now
        with suppress(QjmapError):
            service.drop_draft(person, office, BOUNDARIES, hand.draft)
    answers = hand._made.get("changed", (None, ((), 0)))[1][1]
    notice = effects.with_lines(office.district, data, file).boundary_notice
    hand.saved = _Saved(version, changed or (), answers, notice, _area_rows(found, office.district))
    hand.told = hand.draft = ""
    hand._made.clear()


def _about(hand: _Hand, person: Person) -> Mapping[str, str]:
    return {
        "provider": hand.provider,
        "date": hand.date,
        "review_number": hand.review_number,
        "imported": today().isoformat(),
        "by": person.name,
    }


def _show_saved(saved: _Saved, district: District) -> None:
    st.html(
        html.done(
            f"已存为第 {saved.version.number} 版,各页面的地图、面积、人口密度和各条标准都已按新界线重算。"
        )
    )
    st.html(html.note(f"各处现写:{saved.notice}。"))
    if saved.answers:
        st.html(html.part("结果怎样改变"))
        _show_changed(saved.changed, saved.answers, None)
    _areas(saved.areas, old="原来", new="现用")
    st.page_link(
        "pages/records.py",
        label="到“版本”查看、比较,或恢复原来的界线",
        query_params={"part-of-records": desk.VERSIONS, "layer": desk.labels(district)[BOUNDARIES]},
    )


# ---- the map -----------------------------------------------------------------------------------------


def _scene(district: District, found: Outlines | None, hand: _Hand) -> Scene:
    """Lay the new lines over those used now, overlaps and gaps in warning colours."""
    said = marks.notices(district, demo=False)
    if found is None or found.frame.empty:
        return Scene(notices=said)
    layers = [_layer(district, "new", list(found.frame.geometry), ShapeStyle("新界线", PALETTE["accent"]))]
    for key, some, style in (
        ("overlap", found.overlaps, ShapeStyle("重叠", _OVERLAP, fill=True)),
        ("gap", found.gaps, ShapeStyle("空隙", _GAP, fill=True)),
    ):
        if some:
            layers.append(_layer(district, key, [one.shape for one in some], style))
    focus = None
    listed = _patch_list(found)
    if hand.patch in listed:
        west, south, east, north = listed[hand.patch][1].shape.buffer(_LOOK).bounds
        lon, lat = district.projection.to_degrees([west, east], [south, north])
        focus = (hand.patch, (float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])))
    return Scene(shapes=layers, focus=focus, notices=[("灰线为现用界线,蓝线为文件中的界线", False), *said])


def _layer(district: District, key: str, shapes: Sequence[Any], style: ShapeStyle) -> ShapeLayer:
    degrees = np.asarray([district.projection.geometry_to_degrees(one) for one in shapes], dtype=object)
    return ShapeLayer(key, degrees, [style], np.zeros(len(degrees), dtype=np.uint8))
