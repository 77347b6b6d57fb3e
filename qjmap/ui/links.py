"""复制链接, and what an address says that the page does not understand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.query_params import _coerce_value_for_query_url
from streamlit.runtime.state.session_state_proxy import get_session_state

from qjmap import programme
from qjmap.contents import BOUNDARIES
from qjmap.errors import DataError, QjmapError
from qjmap.ui import figures, html, source
from qjmap.ui.navigation import PAGES

_HERE = Path(__file__).parent

#: Parameters of pages that read them themselves → whether the page can do something with a value.
_OF_PAGE: Mapping[str, Mapping[str, Callable[[str], bool]]] = {
    "shortages": {"rule": lambda value: value in source.standards()},
    "requests": {"want": bool},
    "intake": {
        "to": lambda value: value in (*(own := source.district().registry).layers, *own.tables, BOUNDARIES),
        "step": lambda value: value in ("1", "2", "3", "4", "5"),
    },
    "records": {"add": bool},
    "screen": {
        "show": bool,
        "play": lambda value: value.isdecimal() and 1 <= int(value[:4]) <= programme.MOST,
        "every": lambda value: value == str(programme.seconds(value, 0)),
    },
}
#: Parameter → what the page calls it.
_CALLED: Mapping[str, str] = {
    **{
        "town": "街镇",
        "record": "记录",
        "figures": "自定数字",
        "view": "地图位置",
        "demo": "显示演示数据",
        "focus": "筛选与覆盖",
    },
    **{
        "layers": "图层",
        "shade": "街镇着色",
        "year": "年份",
        "judged-year": "年份",
        "by-year": "看到哪一年年末",
    },
    **{
        "assume": "采用的假定",
        "department": "责任部门",
        "answer": "结论",
        "find": "查找标准",
        "on": "图层",
        "from": "由谁补报",
    },
    **{
        "towns": "街镇",
        "rule": "标准",
        "want": "补报事项",
        "layer": "图层",
        "part-of-records": "办理",
        "add": "新增",
    },
    **{
        "older": "旧版",
        "newer": "新版",
        "take": "版本",
        "log-who": "操作人",
        "log-layer": "图层",
        "log-time": "时间",
    },
    **{"chart-rule": "条形图的标准", "chart-radius": "覆盖图的标准", "chart-from-to": "点图对照什么"},
    **{"to": "图层", "step": "步骤", "show": "场景", "play": "放映", "every": "每屏秒数"},
}
#: The same for the ends of those that begin with a layer or a page.
_ENDS: Mapping[str, str] = {
    **{
        "towns": "街镇",
        "layer": "查看",
        "show": "地图图层",
        "over": "叠加图层",
        "rule": "标准",
        "own": "服务半径",
    },
    **{"by": "按数值筛选", "q": "名称查找", "chosen": "显示哪些标准"},
}
_MOST, _LONGEST = 5, 40
_HERE_NOW, _ASKED, _SAID = "links-page", "links-asked", "links-said"


# ---- 复制链接 ---------------------------------------------------------------------------------------


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return st.components.v2.component(
        "qjmap_links",
        html='<div class="copy"><button type="button">复制链接</button><span role="status"></span>'
        '<input readonly hidden aria-label="本页链接"></div>',
        css=(_HERE / "links.css").read_text(encoding="utf-8"),
        js="\n".join((_HERE / one).read_text(encoding="utf-8") for one in ("chinese.js", "links.js")),
    )


def copy_button() -> None:
    """Offer the page's address, with every choice in it, for the clipboard."""
    _component()(key="copy-link")


# ---- what an address says amiss ---------------------------------------------------------------------


def arrive(page: str) -> DeltaGenerator:
    """Look at the address before a page runs; on the first run of a visit, keep what it asks for.

    Parameters
    ----------
    page
        The page's own part of the address; empty for the first page.

    Returns
    -------
    DeltaGenerator
        Where `tell` may speak: above the page.
    """
    _come_back()
    name = page or PAGES[0][0]
    if st.session_state.get(_HERE_NOW) != name:
        st.session_state[_HERE_NOW] = name
        st.session_state[_ASKED] = {key: st.query_params.get_all(key) for key in st.query_params}
        st.session_state[_SAID] = []
    return st.empty()


def speaks(heard: object) -> object:
    """Say whether the address asks for something: once when a page is opened, and on the browser's way back.

    At any other time it may be older than what the page has just written there.

    Parameters
    ----------
    heard
        What this gave the last time that the page listened; None before.

    Returns
    -------
    object
        None when there is nothing new; else to be kept as `heard`.
    """
    context = get_script_run_ctx()
    if context is not None and context.is_history_navigation:
        return object()
    asked = st.session_state.get(_ASKED)
    return None if asked is heard else asked


def _come_back() -> None:
    """On the browser's way back, let the address speak for choices that two pages share.

    Streamlit takes such a parameter for one of the page that is left, drops it, and sets the choice to its default:
    demo data would be on again in an address that says they are off.
    """
    context = get_script_run_ctx()
    if context is None or not context.is_history_navigation:
        return
    with get_session_state().query_params() as params:
        asked = parse_qs(context.query_string, keep_blank_values=True)
        dropped = [
            key for key in asked if params.get_initial_value(key) is None and key not in params.to_dict()
        ]
        for key in dropped:
            params._initial_query_params[key] = asked[key]
            params.set_with_no_forward_msg(key, asked[key] if len(asked[key]) > 1 else asked[key][0])
        if dropped:
            params._send_query_param_msg()  # the browser was told the address without them


def tell(top: DeltaGenerator) -> None:
    """Say, after the page has run, which parameters it does not know or could not read; nothing when all is well."""
    asked: dict[str, list[str]] | None = st.session_state.get(_ASKED)
    if asked is not None:
        st.session_state[_SAID] = amiss(asked, st.session_state[_HERE_NOW])
        del st.session_state[_ASKED]  # only now: a run may be cut off in between, and the next one tells
        # What an address chose and a single run has read, Streamlit would forget on the way to the next page.
        get_session_state()._state._compact_state()
    if st.session_state[_SAID]:
        top.html(html.note("".join(st.session_state[_SAID])))


def amiss(asked: Mapping[str, Sequence[str]], page: str) -> list[str]:
    """Compare what an address asked for with what the page made of it.

    Parameters
    ----------
    asked
        Parameter → values, as they stood in the address before the page ran.
    page
        The page, which has run.

    Returns
    -------
    list of str
        One sentence for each parameter that is not as asked, the first few of them.
    """
    said = [line for key, values in asked.items() if (line := _amiss(key, list(values), page))]
    if len(said) > _MOST:
        said = [*said[:_MOST], f"链接里另有 {len(said) - _MOST} 处看不懂或不认识,已忽略。"]
    return said


def _amiss(key: str, asked: list[str], page: str) -> str:
    if key in _OWN:
        known = False
        with suppress(QjmapError):
            known = _OWN[key](asked[-1] if asked else "")
        return "" if known else f"链接里的{_named(key, asked)}看不懂或查不到,已忽略。"
    if key in _OF_PAGE.get(page, {}):
        known = False
        with suppress(QjmapError):
            known = _OF_PAGE[page][key](asked[-1] if asked else "")
        return "" if known else f"链接里的{_named(key, asked)}看不懂或超出范围,已按默认显示。"
    found = _stands(key)
    if found is None:
        if _called(key):
            return f"链接里的{_named(key, asked)}本页没有,已忽略。"
        return f"链接里的{_quote(key)}本页不认识,已忽略。"
    now, default = found
    if _same(asked, now):
        return ""
    if now == default:
        return f"链接里的{_named(key, asked)}看不懂,已按默认显示。"
    return f"链接里的{_named(key, asked)}不全看得懂,或超出范围,已按{_quote('、'.join(now))}显示。"


def _stands(key: str) -> tuple[list[str], list[str]] | None:
    """Give what a bound widget stands at and its default, as an address would say them; None when none has that name.

    Streamlit drops what it cannot read without a word, drops what is the default anyway in the same way, and says
    neither to anybody: its own record of the widget is the only place to ask.
    """
    session = get_session_state()
    with session.query_params() as params:
        binding = params.get_binding_for_param(key)
    if binding is None or key not in st.session_state:
        return None
    widget = session._state._new_widget_state.widget_metadata[binding.widget_id]

    def write(value: Any) -> list[str]:
        if value is None:
            return []
        text = _coerce_value_for_query_url(widget.serializer(value), widget.value_type)
        return [text] if isinstance(text, str) else text

    return write(st.session_state[key]), write(widget.deserializer(None))


def _same(asked: Sequence[str], now: Sequence[str]) -> bool:
    """Tell whether two lists of words mean the same, however capitals and numbers are written."""

    def plain(words: Sequence[str]) -> list[str | float]:
        return [_number(word) if _number(word) is not None else word.casefold() for word in words if word]

    return plain(asked) == plain(now)


def _number(word: str) -> Any:
    try:
        return float(word)
    except ValueError:
        return None


def _quote(text: str) -> str:
    return f"“{_short(text)}”"


def _short(text: str) -> str:
    text = "".join(c if c.isprintable() else "·" for c in text)
    return f"{text[:_LONGEST]}{'…' if len(text) > _LONGEST else ''}"


def _named(key: str, values: Sequence[str]) -> str:
    """Say which choice of the page a parameter is, and how it is written."""
    text = f"{key}={'、'.join(values)}"
    called = _called(key)
    return f"“{called}”({_short(text)})" if called else _quote(text)


def _called(key: str) -> str:
    """Give what a parameter is called on the pages that know it; empty for none of ours."""
    if key in _CALLED:
        return _CALLED[key]
    registry = source.district().registry
    start, _, end = key.partition("-")
    if end in _ENDS:
        return _ENDS[end]
    # of a column, as a layer calls it, or all of them do
    of = registry.layers.get(start, next(iter(registry.layers.values())))
    return of.columns[end].label if end in of.columns else ""


# ---- parameters that are no widget's -----------------------------------------------------------------


def _town(value: str) -> bool:
    return value in source.district().towns.index


def _record(value: str) -> bool:
    layer, colon, one = value.partition(":")
    shaped = source.district().registry.shaped
    if (
        colon and layer in shaped
    ):  # ids are a layer's own: lines and areas under other marks are called with it
        with suppress(DataError):
            return bool((source.layer(layer, demo=True).frame["id"] == one).any())
    for key in source.district().registry.layers:
        with suppress(DataError):
            if (source.layer(key, demo=True).frame["id"] == value).any():
                return True
    return False


def _figures(value: str) -> bool:
    found = figures.read(value)
    rules = source.standards()
    return len(found) == len(value.split(",")) and all(
        key in rules and rules[key].figure is not None for key in found
    )


def _view(value: str) -> bool:
    """Tell whether `qjmap.js` goes to this view; its words are `lat,lon,zoom`."""
    if not re.fullmatch(r"(\d{1,3}(\.\d{1,8})?(,|$)){3}", value, re.ASCII) or value.endswith(","):
        return False
    lat, lon, zoom = (float(part) for part in value.split(","))
    (south, west), (north, east) = json.loads(source.ground())["bounds"]
    high, wide = 0.6 * (north - south), 0.6 * (east - west)
    return south - high <= lat <= north + high and west - wide <= lon <= east + wide and 8 <= zoom <= 18


_OWN: Mapping[str, Callable[[str], bool]] = {
    "town": _town,
    "record": _record,
    "figures": _figures,
    "view": _view,
}
