"""What a click on the map means: it names a record by its place in the arrays that the browser has."""

import pytest
import streamlit as st
from visit import Page

from qjmap.ui import mapview


@pytest.fixture
def click(monkeypatch):
    """Click on a page's map: the component reports what the script on the map told it."""
    said = []

    def st_folium(*_, key, on_change, **__):
        if said:
            st.session_state[key] = {mapview._CLICK: said.pop()}
            on_change()

    monkeypatch.setattr(mapview, "st_folium", st_folium)

    def on(seen, what):
        said.append(what)
        seen.run()  # Streamlit calls back before the run; here it is in it, so that the next run shows what came of it
        return seen.run()

    return on


def test_a_click_on_a_mark_opens_its_record(click):
    seen = Page("health", **{"health-q": "石角镇"})
    keys = [key for key, row in seen.rows("records").items() if row["position"] != "未定位"]
    assert len(keys) == 2
    for number, key in enumerate(keys):
        click(seen, f"record|health|{number}")
        assert seen.card["编号"] == key


def test_a_click_on_a_town_goes_there_and_a_second_back(click, qijiang):
    seen = Page("health", record="C22")
    number = list(qijiang.boundaries.index).index("东溪镇")
    click(seen, f"town|{number}")
    assert seen.card["名称"] == "东溪镇"
    assert seen.at.query_params == {"town": "东溪镇"}  # the record is closed
    click(seen, f"town|{number}")
    assert seen.at.query_params == {}


NONSENSE = (
    None, "", "record", "record|", "record|health|", "record|health|99999", "record|health|-1", "record|projects|0",
    "record|不存在|0", "record|health|0x1", "town|", "town|21", "town|-1", "town|x", "<script>", "record|health|²",
)  # fmt: skip


def test_a_click_that_means_nothing_does_nothing(click):
    seen = Page("health")
    for said in NONSENSE:
        assert click(seen, said).at.query_params == {}, said
