"""What is asked of a file of 街镇界线: what its names mean, how its coordinates are read, whose lines they are."""

from __future__ import annotations

import math

import numpy as np
import shapely
import streamlit as st

from qjmap import coordinates, datum, outlines
from qjmap.datum import Reading
from qjmap.district import District
from qjmap.ingest import Source
from qjmap.outlines import LEFT_OUT
from qjmap.ui import html, source
from qjmap.ui.boundary_work import EACH, FIELD, MOST, Hand, key_of

_NOT_USED = "不用"
_OPEN = "(未选)"
_CORNERS = 2000  # that are read to tell how coordinates are meant


def ask_names(hand: Hand, district: District) -> None:
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
        rests = [EACH, *(f"都归{unit}(背景)" for unit in units), "都不用(区外的面)"]
        hand.rest = st.selectbox(
            f"没有对上的 {len(lost)} 个名称",
            rests,
            key=key_of(hand, "rest"),
            help="、".join(map(_named, lost[:40])),
        )
        if hand.rest != EACH:
            number = rests.index(hand.rest) - 1
            hand.meant |= dict.fromkeys(lost, units[number] if number < len(units) else LEFT_OUT)
    asked = dict.fromkeys(lost if hand.rest == EACH else []) | near
    if not asked:
        return
    with st.expander("逐个核对名称", expanded=bool(lost) and hand.rest == EACH):
        for name, meant in list(asked.items())[:MOST]:
            key = f"{FIELD}name-{hand.column}-{name}"
            if key not in st.session_state:
                st.session_state[key] = hand.made.get(key, (None, meant or _OPEN))[1]
            chosen = st.selectbox(f"文件中的“{_named(name)}”是", choices, key=key)
            hand.made[key] = (None, chosen)
            if chosen != (meant or _OPEN):
                hand.meant[name] = {_OPEN: None, _NOT_USED: LEFT_OUT}.get(chosen, chosen)


def _named(name: str) -> str:
    return name.strip()[:30] or "空白"


def ask_reading(hand: Hand, district: District, file: str) -> tuple[Reading | None, bool]:
    """Ask how the coordinates are meant; a file in metres that names its projection is taken at its word.

    Returns
    -------
    Reading or None, bool
        How they are read, None as the file says; and whether a person must say it first, for nothing else does.
    """
    crs = hand.source.crs
    if crs and datum.is_projected(crs):
        st.html(html.note(f"文件写明坐标系:{datum.crs_name(crs)},已按此换算。"))
        if old := datum.old_datum(crs):
            said = f"{old}与 CGCS2000 差几十米以上,没有公开的换算参数:请提供单位换算成 CGCS2000 再来。"
            st.html(html.alert("请核对坐标", [said]))
        return None, False
    offered = hand.once("readings", None, lambda: _offered(hand.source, district))
    if not offered:
        st.html(html.note("坐标读不出来,请核对文件的坐标系。"))
        return None, False
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
    choice = coordinates.choose(hand.source, {}, offered, coordinates.heard(hand.source, {}, file))
    if st.session_state.get(f"{FIELD}reading", hand.reading) not in keys:
        hand.reading = next((key for key in keys if choice.key and key.startswith(choice.key)), None)
        st.session_state.pop(f"{FIELD}reading", None)
    said = f"文件写明坐标系:{datum.crs_name(crs)}。" if crs else "文件没有写明坐标系。"
    if choice.doubts:
        st.html(html.alert("请核对坐标", choice.doubts))
    if choice.why:
        st.html(html.note(choice.why))
    hand.reading = st.radio(
        "坐标按哪一种读", keys, format_func=lambda one: labels[one], key=key_of(hand, "reading"), index=None
    )
    st.html(
        html.note(
            f"{said}三种经纬度相差约 500 米,请向提供单位问清;"
            f"{'示意界线' if district.schematic else '界线'}的重合比例和下面的驻地提醒只能参考。"
        )
    )
    if hand.reading is None:
        st.html(html.alert("请先选坐标按哪一种读", ["选了以后才能核对界线。"]))
        return None, True
    return offered[keys.index(hand.reading)], False


def _offered(given: Source, district: District) -> list[Reading]:
    xy = shapely.get_coordinates(np.asarray(given.geometry, dtype=object))
    xy = xy[:: max(1, len(xy) // _CORNERS)]
    return datum.readings(xy[:, 0], xy[:, 1], district)


def ask_claims(hand: Hand) -> None:
    """Ask whose lines they are, as the maps will say."""
    hand.provider = st.text_input(
        "提供单位 *", key=key_of(hand, "provider"), max_chars=40, placeholder="例如:区民政局"
    )
    first, second = st.columns(2, gap="small")
    with first:
        hand.date = st.text_input(
            "资料日期", key=key_of(hand, "date"), max_chars=20, placeholder="例如:2025-06-30"
        )
    with second:
        hand.review_number = st.text_input("原图审图号", key=key_of(hand, "review_number"), max_chars=40)
    st.html(
        html.note("图上照写“界线由〈提供单位〉提供,〈日期〉导入”。本软件不核实;纸质地图送审由制图单位负责。")
    )
