"""The figures that a person changed: kept in the address and in the session, put back in one click."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from qjmap.standards import Rule
from qjmap.ui import address, source, who

Figure = float | dict[str, float]

_FIGURES = "figures"


def custom_figures() -> dict[str, Figure]:
    """Give the figures that a person changed: rule id → number, or urban and rural numbers.

    They stand in the address (`figures=rule:150,other:3000/10000`), so that a link carries them, and in the session,
    so that they hold on every page until they are reset. What cannot be read is passed over, and a figure for a rule
    that is `fixed`.
    """
    if (said := address.get(_FIGURES)) is not None:
        st.session_state[_FIGURES] = read(said)
    elif st.session_state.get(_FIGURES):
        address.put({_FIGURES: write(st.session_state[_FIGURES])})
    found: dict[str, Figure] = st.session_state.get(_FIGURES, {})
    rules = source.standards()
    return {key: figure for key, figure in found.items() if _changes(rules, key, figure)}


def _changes(rules: Mapping[str, Rule], key: str, figure: Figure) -> bool:
    """Tell whether a figure changes a rule: one that there is, that has a figure of its own, and another."""
    if key not in rules or rules[key].figure is None or _same(rules[key], figure):
        return False
    return not fixed(rules[key])


def fixed(rule: Rule) -> bool:
    """Tell whether this person may not try another figure: the answers would tell a column that he may not see."""
    layers = source.district().registry.layers
    return any(
        who.hides(layers[layer], column)
        for layer in (*rule.layers, *rule.to)
        if layer in layers
        for column in rule.reads
    )


def set_figure(rule: Rule, figure: Figure | None) -> None:
    """Change a rule's figure for oneself, or with None go back to the document's."""
    figures = dict(st.session_state.get(_FIGURES, {}))
    figures.pop(rule.id, None)
    if figure is not None and not _same(rule, figure):
        figures[rule.id] = figure
    _keep(figures)


def reset_figures() -> None:
    """Go back to the documents' figures everywhere."""
    _keep({})


def _keep(figures: dict[str, Figure]) -> None:
    st.session_state[_FIGURES] = figures
    address.put({_FIGURES: write(figures) if figures else None})


def _same(rule: Rule, figure: Figure) -> bool:
    document = rule.figure
    urban, rural = (figure["urban"], figure["rural"]) if isinstance(figure, dict) else (figure, figure)
    return document is not None and (urban, rural) == (document.urban, document.rural)


def write(figures: Mapping[str, Figure]) -> str:
    """Write figures as they stand in the address."""
    return ",".join(
        f"{key}:{figure['urban']:.15g}/{figure['rural']:.15g}"
        if isinstance(figure, dict)
        else f"{key}:{figure:.15g}"
        for key, figure in sorted(figures.items())
    )


def read(text: str) -> dict[str, Figure]:
    """Read figures from an address; what cannot be read is passed over."""
    figures: dict[str, Figure] = {}
    for part in text.split(","):
        key, _, value = part.partition(":")
        try:
            numbers = [float(number) for number in value.split("/")]
        except ValueError:
            continue
        if key and len(numbers) in (1, 2) and all(0 <= number < 1e9 for number in numbers):
            figures[key] = numbers[0] if len(numbers) == 1 else {"urban": numbers[0], "rural": numbers[1]}
    return figures
