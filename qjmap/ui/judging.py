"""The assessment as pages use it: computed once for each choice of year, assumptions, figures and demo data."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from qjmap.assess import Assessment, assess
from qjmap.assumptions import Assumption, load_assumptions
from qjmap.district import District
from qjmap.errors import DataError
from qjmap.registers import Layer
from qjmap.ui import frame, source
from qjmap.ui.figures import custom_figures, read, reset_figures, set_figure, write

__all__ = [
    "assessment",
    "assumptions",
    "choose_assumptions",
    "choose_year",
    "custom_figures",
    "reset_figures",
    "set_figure",
]


def choose_year(district: District) -> int:
    """Ask for the year that is judged: those with an official number of people that a plan speaks of."""
    years = [one.year for one in district.settings.totals][1:] or [district.settings.totals[-1].year]
    chosen = st.sidebar.segmented_control(
        "年份",
        years,
        default=years[0],
        required=True,
        key="judged-year",
        bind="query-params",
        persist_state="session",  # the pages that judge judge the same year
    )
    return int(chosen or years[0])


def choose_assumptions() -> tuple[str, ...]:
    """Ask which named assumptions are taken for granted; none by default."""
    known = assumptions()
    if not known:
        return ()
    chosen = st.sidebar.multiselect(
        "采用的假定",
        list(known),
        format_func=lambda key: known[key].title,
        key="assume",
        bind="query-params",
        persist_state="session",
        placeholder="不作假定",
        select_all=False,
        help="文件写了要求却没有列名单时,名册记为“未知”,规则答“数据不足”。采用假定后,凡依据假定的结果都会注明。",
    )
    return tuple(chosen)


def assumptions() -> Mapping[str, Assumption]:
    """Load the named assumptions."""
    return _assumptions(source.fingerprint(), source.district_key())


def assessment(
    district: District,
    *,
    year: int,
    demo: bool,
    assumed: tuple[str, ...] = (),
    custom: Mapping[str, float | dict[str, float]] | None = None,
) -> Assessment:
    """Judge the district; a register with faults is left out and said to be so."""
    for key in district.registry.layers:
        frame.load_layer(key, demo=demo)
    content = (source.fingerprint(), source.district_key())
    return _assessment(*content, year, demo, assumed, write(custom or {}))


@st.cache_resource(show_spinner="正在逐条核对标准…", max_entries=32)
def _assessment(
    content: str, key: str, year: int, demo: bool, assumed: tuple[str, ...], figures: str
) -> Assessment:
    layers: dict[str, Layer] = {}
    for layer in source.district().registry.layers:
        try:
            layers[layer] = source.layer(layer, demo=demo)
        except DataError:
            continue
    try:
        indicators = source.table("indicators")
    except DataError:
        indicators = None
    known = assumptions()
    return assess(
        source.district(),
        layers,
        source.standards(),
        year,
        assumptions=[known[one] for one in assumed if one in known],
        custom=read(figures),
        indicators=indicators,
    )


@st.cache_resource(show_spinner=False, max_entries=4)
def _assumptions(content: str, key: str) -> Mapping[str, Assumption]:
    path = source.root() / "data" / "assumptions.toml"
    return load_assumptions(path, source.district().registry) if path.exists() else {}
