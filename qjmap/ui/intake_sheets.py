"""Which of a file's sheets are read, in the second step of the wizard: one, or several of the same columns together."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from qjmap import sheets
from qjmap.ingest import Source
from qjmap.ui import html, intake_work
from qjmap.ui.intake_hand import Work

_NAMED = 4  # sheets that are named in a line
_ALONE, _TOGETHER = False, True


def line(one: Work) -> str:
    """Say in a line what is read."""
    found, more = intake_work.table(one), ""
    if found.parts:
        names = "".join(f"“{each.name}”" for each in found.parts[:_NAMED])
        more = f",{len(found.parts)} 张工作表一起读({names}{'等' if len(found.parts) > _NAMED else ''})"
    elif len(intake_work.sources(one)) > 1:
        more = f",{_word(found)}“{found.name}”"
    hidden = 0 if one.veiled else sum(len(each.veiled) for each in found.parts or (found,))
    left = f"(隐藏的 {hidden:,} 行不读)" if hidden else ""
    return f"{one.name}{more},{len(found.table.rows):,} 行{left}"


def to_ask(found: Sequence[Source]) -> bool:
    """Say whether a person has anything to choose."""
    return len(found) > 1 or any(each.veiled for each in found)


def show(one: Work, found: tuple[Source, ...]) -> None:
    """Say what was read, and ask which of several sheets is meant, alone or together with those like it."""
    if len(found) > 1:
        st.html(html.note(f"已读入:{one.name},有 {len(found)} 张表。已选列名最相符的一张,请核对。"))
        _which(one, found)
        _together(one, found)
    _hidden_rows(one)
    if len(found) == 1:
        st.html(html.note(f"已读入:{line(one)}。换文件请在上面另选。"))
    elif intake_work.table(one).parts:
        st.html(html.note(f"将读入:{line(one)}。"))


def _word(found: Source) -> str:
    return "工作表" if found.format in ("xlsx", "xls", "csv") else "图层"


def _named(each: Source) -> str:
    hidden = ",隐藏" if each.hidden else ""
    return f"{each.name}({len(each.table.rows):,} 行,{each.table.frame.shape[1]} 列{hidden})"


def _which(one: Work, found: tuple[Source, ...]) -> None:
    key = "intake-sheet"
    if st.session_state.get(key) != one.sheet:
        st.session_state[key] = one.sheet
    st.selectbox(  # of what comes from a file nothing may stand where Streamlit reads Markdown
        f"用哪一张{_word(found[0])}",
        range(len(found)),
        format_func=lambda number: _named(found[number]),
        key=key,
        on_change=lambda: one.choose_sheet(st.session_state[key]),
    )


def _together(one: Work, found: tuple[Source, ...]) -> None:
    """Offer to read sheets of the same columns as one list; say of one that is nearly such why it is not."""
    fit = sheets.fitting(found, one.sheet)
    if fit:
        _ask(one, found, fit)
    for said in sheets.misfits(found, one.sheet):
        st.html(html.note(f"{said}。"))


def _ask(one: Work, found: tuple[Source, ...], fit: tuple[int, ...]) -> None:
    key = "intake-together"
    if st.session_state.get(key) != bool(one.together):
        st.session_state[key] = bool(one.together)
    rows = sum(len(found[place].table.rows) for place in (one.sheet, *fit))
    labels = {
        _ALONE: "只读这一张",
        _TOGETHER: f"与列名相同的另外 {len(fit)} 张一起读(共 {rows:,} 行)",
    }

    def chosen() -> None:
        shown = tuple(place for place in fit if not found[place].hidden)
        one.read_with((shown or fit) if st.session_state[key] else ())

    st.radio(
        "读一张,还是几张一起读",
        list(labels),
        format_func=lambda each: labels[each],
        captions=["其余的表不读", "按列名合成一份名录;错误和提醒都注明是哪张表、第几行"],
        key=key,
        on_change=chosen,
    )
    if one.together:
        _ask_which(one, found, fit)


def _ask_which(one: Work, found: tuple[Source, ...], fit: tuple[int, ...]) -> None:
    key = "intake-with"
    wanted = [place for place in fit if place in one.together]
    if st.session_state.get(key) != wanted:
        st.session_state[key] = wanted
    st.multiselect(
        "一起读的另外几张",
        fit,
        format_func=lambda number: _named(found[number]),
        key=key,
        on_change=lambda: one.read_with(tuple(sorted(st.session_state[key]))),
        placeholder="点选工作表",
    )


def _hidden_rows(one: Work) -> None:
    """Let rows that Excel hides be left out, where there are any."""
    found = intake_work.table(one)
    hidden = sum(len(each.veiled) for each in found.parts or (found,))
    if not hidden:
        return
    key = "intake-no-hidden-rows"
    if st.session_state.get(key) != (not one.veiled):
        st.session_state[key] = not one.veiled
    st.toggle(
        f"不读隐藏的行(有 {hidden:,} 行在 Excel 中筛选掉或隐藏了)",
        key=key,
        on_change=lambda: one.read_veiled(not st.session_state[key]),
    )
