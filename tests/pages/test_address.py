"""What a click writes into the address holds, though the browser still speaks with the address of before."""

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from qjmap.ui import address

_PAGE = """
import streamlit as st

from qjmap.ui import address

address.catch_up()
st.button("甲", on_click=address.put, args=({"rule": "甲"},))
st.button("乙", on_click=lambda: address.put({"rule": f"{address.get('rule')}乙"}))
st.button("关", on_click=address.put, args=({"rule": None},))
st.text(address.get("rule") or "无")
"""


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a test moves it."""
    now = SimpleNamespace(s=0.0)
    monkeypatch.setattr(address, "time", SimpleNamespace(monotonic=lambda: now.s))
    return now


@pytest.fixture
def page(tmp_path, clock):
    script = tmp_path / "page.py"
    script.write_text(_PAGE, encoding="utf-8")
    test = AppTest.from_file(str(script))
    test.query_params["demo"] = "false"
    return test.run()


def _asks_with(page, rule):
    """Let the browser ask with the address that it has read so far."""
    if rule is None:
        page.query_params.pop("rule", None)
    else:
        page.query_params["rule"] = rule
    return page.run()


def test_an_address_of_before_does_not_undo_a_click(page):
    page.button[0].click().run()
    _asks_with(page, None)
    assert page.text[0].value == "甲"
    assert page.query_params == {"demo": "false", "rule": "甲"}  # the next widget carries it on
    assert _asks_with(page, "甲").text[0].value == "甲"


def test_a_second_click_builds_on_the_first(page):
    page.button[0].click().run()
    page.query_params.pop("rule")
    page.button[1].click().run()
    assert page.text[0].value == "甲乙"
    assert _asks_with(page, "甲").text[0].value == "甲乙"


def test_what_was_taken_out_stays_out(page):
    _asks_with(page, "丙")
    page.button[2].click().run()
    assert _asks_with(page, "丙").text[0].value == "无"
    assert "rule" not in page.query_params


def test_what_nobody_wrote_here_is_a_link_and_wins(page):
    page.button[0].click().run()
    assert _asks_with(page, "丁").text[0].value == "丁"


def test_after_a_while_the_address_alone_counts(page, clock):
    page.button[0].click().run()
    clock.s = 60
    assert _asks_with(page, None).text[0].value == "无"


@pytest.mark.parametrize(("back", "on_page"), [(True, ""), (False, "another")])
def test_on_the_way_back_and_on_another_page_the_address_is_right(page, monkeypatch, back, on_page):
    page.button[0].click().run()
    context = SimpleNamespace(is_history_navigation=back, page_script_hash=on_page)
    monkeypatch.setattr(address, "get_script_run_ctx", lambda: context)
    assert _asks_with(page, None).text[0].value == "无"
