"""A page that is run again without a change works nothing out again."""

from collections import Counter

import pytest
import streamlit as st
from visit import PAGES, Page

from qjmap import coverage
from qjmap.ui import judging, source

#: Where each piece of work is called from.
WORK = [
    (coverage, "three_way"),
    (source, "load_district"),
    (source, "load_layer"),
    (source, "load_table"),
    (source, "load_standards"),
    (source, "base_map"),
    (judging, "assess"),
]


@pytest.fixture
def calls(monkeypatch):
    """Count the calls of what takes time, starting with empty caches."""
    made = Counter()

    def counted(work, name):
        def call(*args, **kwargs):
            made[name] += 1
            return work(*args, **kwargs)

        return call

    for module, name in WORK:
        monkeypatch.setattr(module, name, counted(getattr(module, name), name))
    st.cache_resource.clear()
    st.cache_data.clear()
    yield made
    st.cache_resource.clear()


@pytest.mark.parametrize("page", PAGES)
def test_an_idle_run_works_nothing_out_again(calls, page):
    seen = Page(page)
    assert calls["load_district"] == 1
    if page == "health":
        assert calls["three_way"] == 1
    before = (seen.html, seen.maps, seen.tables)
    calls.clear()
    seen.run()
    assert not calls
    assert (seen.html, seen.maps, seen.tables) == before
    # nor does another person who opens the same page
    Page(page)
    assert not calls


def test_a_choice_that_was_made_before_is_not_worked_out_again(calls):
    seen = Page("health")
    seen.at.number_input(key="health-ems-radius-rural").set_value(5000)
    seen.run()
    assert calls["three_way"] == 2
    seen.at.number_input(key="health-ems-radius-rural").set_value(10_000)
    seen.run()
    assert calls["three_way"] == 2
    # choosing a town changes what is listed, not whom anybody serves
    seen.at.multiselect(key="health-towns").select("石角镇")
    seen.run()
    Page("health", town="东溪镇", record="C22")
    assert calls["three_way"] == 2
    assert calls["load_layer"] == 1
