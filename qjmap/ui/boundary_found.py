"""What was found in a file of 街镇界线, in words, tables and on the map, and which answers other lines change."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from qjmap import effects, marks, outlines
from qjmap.district import District
from qjmap.effects import Effect
from qjmap.errors import Problem, QjmapError
from qjmap.outlines import Outlines, Patch
from qjmap.ui import html, source, words
from qjmap.ui.boundary_work import MOST, Hand, key_of
from qjmap.ui.html import Figure
from qjmap.ui.table import TableColumn, show_table
from qjmap.webmap import PALETTE, Scene, ShapeLayer, ShapeStyle

_LOOK = 400.0  # metres shown round a patch
_GAP, _OVERLAP = "#cc79a7", PALETTE["warn"]


def show_found(hand: Hand, found: Outlines, district: District) -> None:
    """Show what is right and wrong in the lines, and ask what may be mended and is known."""
    st.html(html.figures(_figures(found, district)))
    if found.problems:
        st.html(html.problems(f"有 {len(found.problems)} 处问题,改好之前不能保存", found.problems))
    if found.mendable or hand.repair:
        hand.repair = st.checkbox(
            "由本软件修正:自相交的图形改为有效;小重叠和 "
            f"{outlines.NARROW_M:g} 米以内的窄缝,各归公共边最长的一方",
            key=key_of(hand, "repair"),
            help=f"只修正不超过较小街镇面积 {outlines.SMALL_SHARE:.0%} 的重叠;每一处都列在下面,取消勾选即恢复原样。",
        )
    if found.repairs:
        with st.expander(f"修正了 {len(found.repairs)} 处"):
            st.html(html.alert("逐处列出", found.repairs[:MOST]))
    for note in found.notes:
        st.html(html.note(f"{note}。"))
    _patches(hand, found)
    show_areas(area_rows(found, district), old="现用", new="新")
    others = _others(found)
    if others:
        st.html(html.problems(f"{len(others)} 处提醒,不影响保存", others))
    if found.warnings and found.geojson:
        hand.aware = st.checkbox(
            f"我已知晓以上 {len(found.warnings)} 处空隙和提醒,仍用这份界线", key=key_of(hand, "aware")
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


def _patches(hand: Hand, found: Outlines) -> None:
    listed = _patch_list(found)
    if not listed:
        st.html(html.note(f"没有大于 {outlines.SLIVER_M2:g} 平方米的重叠和空隙。"))
        return

    def look(key: str) -> None:
        hand.patch = "" if hand.patch == key else key

    rows = [
        {"key": key, "what": what, "towns": "、".join(one.towns), "km2": one.km2, "m2": one.km2 * 1e6}
        for key, (what, one) in list(listed.items())[:MOST]
    ]
    columns = [
        TableColumn("what", "情形"),
        TableColumn("towns", "街镇"),
        TableColumn("km2", "面积", "平方千米", 4),
        TableColumn("m2", "合", "平方米", 0),
    ]
    cut = f",只列前 {MOST} 处" if len(listed) > MOST else ""
    show_table(
        f"重叠和空隙 {len(listed)} 处,从大到小{cut};点一行到图上",
        columns,
        rows,
        key="lines-patches",
        selected=hand.patch or None,
        on_pick=look,
        height="16rem",
    )


def area_rows(found: Outlines, district: District) -> list[Mapping[str, object]]:
    """Give for each town, and for all, its area (km²) by the lines used now, by the new ones, and as published."""
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


def show_areas(rows: Sequence[Mapping[str, object]], *, old: str, new: str) -> None:
    """Show what `area_rows` gives; `old` and `new` head its columns."""
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


def changes(hand: Hand, found: Outlines, district: District, content: Hashable) -> tuple[Effect, ...] | None:
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
    show_changed(changed, answers, year)
    return changed


def show_changed(changed: Sequence[Effect], answers: int, year: int | None) -> None:
    """Show which of so many answers, of a year, are others by the new lines."""
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
        for number, one in enumerate(changed[:MOST])
    ]
    columns = [
        TableColumn("rule", "标准"),
        TableColumn("town", "街镇"),
        TableColumn("before", "现用界线"),
        TableColumn("after", "新界线"),
        TableColumn("old", "原数"),
        TableColumn("new", "新数"),
    ]
    cut = f",只列前 {MOST} 个" if len(changed) > MOST else ""
    show_table(f"改变的答案 {len(changed)} 个{cut}", columns, rows, key="lines-changed", height="18rem")


# ---- the map -----------------------------------------------------------------------------------------


def lines_scene(district: District, found: Outlines | None, hand: Hand) -> Scene:
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
