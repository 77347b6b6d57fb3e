"""Words of a file that the layer does not know, in the last step of the wizard: the person says what they mean."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from qjmap import draft
from qjmap.district import District
from qjmap.draft import Draft
from qjmap.layers import LayerSpec
from qjmap.matching import Match
from qjmap.ui import html, intake_work
from qjmap.ui.intake_hand import Work

_MOST = 12  # words of a column that are asked for; what is written in that many ways is no list of words


def show(one: Work, spec: LayerSpec, matches: Mapping[str, Match], made: Draft, district: District) -> None:
    """Ask what unknown words mean, and show what was said before so that it can be changed."""
    unknown = draft.unknown_words(made, intake_work.table(one), matches)
    keys = [
        key for key in spec.columns if key in matches and (unknown.get(key) or any(one.meanings.get(key, ())))
    ]
    if not keys:
        return
    count = sum(len(words) for words in unknown.values())
    title = f"有 {count} 种写法不认识:说明意思,这些行就能导入" if count else "写法的意思都已说明"
    with st.expander(title, expanded=bool(count)):
        for key in keys:
            values = draft.meanings_for(spec.columns[key], tuple(district.towns.index))
            _ask(one, key, matches[key].column, values, unknown.get(key, {}))


def _ask(one: Work, key: str, name: str, values: tuple[str, ...], unknown: Mapping[str, int]) -> None:
    said = {
        word: meant for word, meant in one.meanings.get(key, {}).items() if word
    }  # of blanks: intake_groups
    asked = [word for word in unknown if word not in said][: max(_MOST - len(said), 0)]
    words = sorted({*said, *asked})  # in an order that no choice changes
    for number, word in enumerate(words):
        left, right = st.columns([1.15, 1], gap="small", vertical_alignment="center")
        with left:
            rows = f"({unknown[word]:,} 行有错)" if word in unknown else ""
            st.html(html.note(f"{name}“{word[:40]}”{rows}的意思是"))
        with right:
            _choose(one, key, word, number, values)
    more = len(unknown.keys() - {*words})
    if more:
        st.html(html.note(f"“{name}”另有 {more:,} 种不认识的写法:也许列选错了。"))


def _choose(one: Work, key: str, word: str, number: int, values: tuple[str, ...]) -> None:
    widget = f"intake-word-{key}-{number}"
    wanted = one.meanings.get(key, {}).get(word)
    if st.session_state.get(widget, "") != wanted:
        st.session_state[widget] = wanted

    def chosen() -> None:
        value = st.session_state[widget]
        own = {each: old for each, old in one.meanings.get(key, {}).items() if each != word}
        own |= {} if value is None else {word: value}
        one.meanings = {**one.meanings, key: own}
        one.told = None

    st.selectbox(
        f"“{word[:40]}”的意思",
        values,
        index=None,
        placeholder="不说明:仍算有错",
        key=widget,
        on_change=chosen,
        label_visibility="collapsed",
    )
