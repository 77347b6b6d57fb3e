"""What is asked of a file that may be in the register already, or lie over what is not its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import streamlit as st

from qjmap import rejoined
from qjmap.draft import Draft
from qjmap.errors import Problem
from qjmap.layers import LayerSpec
from qjmap.merging import Joining
from qjmap.ui import html, intake_work
from qjmap.ui.intake_hand import Joined, Work

_NAMED = 6


def show(one: Work, spec: LayerSpec, made: Draft, joined: Joined, towns: Sequence[str]) -> None:
    """Ask whether rows are kept records, and say which towns the register would not speak of."""
    _namesakes(one, made)
    _overwritten(one, made, joined)
    _repeated(one, made, joined)
    _silent(spec, made, joined, towns)


def _namesakes(one: Work, made: Draft) -> None:
    """Ask whether rows that have a kept record's name, or one like it, are that record."""
    same = [each for each in made.warnings if each.expected == intake_work.NAMESAKE]
    alike = [each for each in made.warnings if each.expected == intake_work.LOOKALIKE]
    end = "照现在这样存,会记成两条。"
    if same:
        said = f"有 {len(same):,} 行与库中的记录同名,街镇也不矛盾,编号却不同:{_named(one, same)}。{end}"
        st.html(html.alert("库中有同名的记录", [said]))
    if same or one.same:
        _taking(one, "same", "namesake", "同名的当作同一条:沿用库中的编号,按编号更新(逐条可以不采用)")
    if alike:
        said = f"有 {len(alike):,} 行与库中同一街镇的记录名称相近:{_named(one, alike)}。若是同一家(处),{end}"
        st.html(html.alert("库中有名称相近的记录", [said]))
    if alike or one.alike:
        told = "名称相近且只像一条的,当作同一条:沿用库中的编号和记录,按编号更新(逐条可以不采用)"
        _taking(one, "alike", "lookalike", told)


def _named(one: Work, found: Sequence[Problem]) -> str:
    table = intake_work.table(one).table
    where = [table.where(table.row_of(each) or 0) for each in found[:6]]
    named = "、".join(f"{row}“{(each.value or '')[:20]}”" for row, each in zip(where, found[:6], strict=True))
    return named + ("等" if len(found) > 6 else "")


def _taking(one: Work, name: str, kind: str, label: str) -> None:
    """Offer to take rows for the kept records that they are told to be or to be like."""
    key = f"intake-{name}"
    if st.session_state.get(key) != getattr(one, name):
        st.session_state[key] = getattr(one, name)

    def changed() -> None:
        setattr(one, name, bool(st.session_state[key]))
        one.told = None
        one.how = Joining.UPDATE if one.same or one.alike else None
        one.offered = {each: old for each, old in one.offered.items() if not each.startswith(f"{kind}:")}

    st.checkbox(label, key=key, on_change=changed)


def _overwritten(one: Work, made: Draft, joined: Joined) -> None:
    """Tell of rows that would lie over records of other towns, and offer to number them apart."""
    found = joined.overwritten
    if found:
        named = _rows(one, made, found)
        said = (
            f"有 {len(found):,} 行的编号库中已有,那条记录却在别的街镇:{named}。"
            "像是各街镇各自从 1 编号;照现在这样存,会盖掉别的街镇的记录。"
        )
        st.html(html.alert("编号相同,记录不同", [said]))
    if found or one.apart:
        _taking(one, "apart", "apart", "不是同一条:在编号前加街镇名,另行编号(逐条可以不采用)")


def _repeated(one: Work, made: Draft, joined: Joined) -> None:
    """Tell of rows that say only what is kept already."""
    places = np.flatnonzero(joined.repeated).tolist()
    if places:
        said = (
            f"有 {len(places):,} 行除编号外,与库中的记录内容完全相同:{_rows(one, made, places)}。"
            "像是已经导入过;照现在这样存,会记成两条。已经导入的不必再导入。"
        )
        st.html(html.alert("库中已有同样的记录", [said]))


def _silent(spec: LayerSpec, made: Draft, joined: Joined, towns: Sequence[str]) -> None:
    """Say of which towns there would be no record: pages take that for none there."""
    whole = made.frame if joined.table is None else joined.table.frame
    if not spec.placed or whole.empty:
        return
    out = rejoined.silent(whole, towns)
    if out and len(out) < len(towns):
        said = (
            f"保存后,{len(out)} 个街镇没有一{spec.counter}{spec.label}:{'、'.join(out)}。"
            "各页按“那里没有”计算,不写“数据不足”;还没有报齐的,请等报齐再用这些结果。"
        )
        st.html(html.note(said))


def _rows(one: Work, made: Draft, places: Iterable[int]) -> str:
    """Name the first of some rows, as the file has them."""
    places, table = list(places), intake_work.table(one).table
    first = places[:_NAMED]
    names = made.frame["name"].iloc[first].fillna("").tolist() if "name" in made.frame else [""] * len(first)
    told = "、".join(
        f"{table.where(made.rows[place])}" + (f"“{str(name)[:20]}”" if name else "")
        for place, name in zip(first, names, strict=True)
    )
    return told + ("等" if len(places) > _NAMED else "")
