"""The same pages in Firefox: drawn, in Chinese, without an error and without a question to the outside."""

import io

import pytest
from firefox import firefox
from PIL import Image

from qjmap.ui.navigation import PAGES

pytestmark = pytest.mark.browser

FRAME = "document.querySelector('iframe[title=\"streamlit_folium.st_folium\"]')?.contentDocument"
MAPS = "[...document.querySelectorAll('iframe[title=\"streamlit_folium.st_folium\"]')]"
SETTLED = f"""document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')
  && !document.querySelector('[data-testid=stSkeleton]')
  && {MAPS}.every((map) => map.contentDocument?.querySelector('[data-scene]'))"""
MAPPED = {"overview", "shortages", "town", "health", "fire_stations", "fire_water", "highrise", "reservoirs"}


@pytest.fixture(scope="module")
def fox():
    with firefox() as browser:
        yield browser


def opened(fox, address, *, with_map):
    fox.open(address)
    fox.wait("document.querySelector('.stMain h1')")
    if with_map:
        fox.wait(f"{FRAME}?.querySelector('[data-scene]')")
    # what is left while it loads, a map above all, would be told as an error of the next page
    for _ in range(2):
        fox.wait(SETTLED)
        fox.say("new Promise((go) => setTimeout(go, 300))")


@pytest.mark.parametrize("name", [name for name, _ in PAGES])
def test_every_page_works_in_firefox(fox, server, name):
    fox.begin()
    opened(fox, f"{server}/{name}", with_map=name in MAPPED)
    picture = Image.open(io.BytesIO(fox.picture())).convert("RGB")
    assert picture.size == (1440, 900)
    assert len(picture.getcolors(1440 * 900) or []) > 100
    if name in MAPPED:
        # the towns are drawn: many colours on the map's own canvases
        colours = fox.say(
            f"""Math.max(...[...{FRAME}.querySelectorAll('canvas')].map(canvas => {{
                const data = new Uint32Array(
                  canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
                return new Set(data).size; }}))"""
        )
        assert colours > 20
    assert [one for one in fox.requests if not one.startswith((server, "data:", "blob:", "about:"))] == []
    # Streamlit finds its own root by asking below the page's address first
    assert [one for one in fox.errors if "_stcore" not in one] == []


def test_the_meeting_screen_listens_to_keys_in_firefox(fox, server):
    fox.size(1920, 1080)
    opened(fox, f"{server}/screen?demo=false&show=all,health:beds-planned&play=1&every=600", with_map=True)
    fox.say(f"Boolean(Object.assign({FRAME}.defaultView, {{stayed: true}}))")
    fox.press("\ue014")  # right
    fox.wait("location.search.includes('play=2')")
    fox.wait("document.querySelector('.qj-title h1').textContent.includes('床位')")
    assert fox.say(f"{FRAME}.defaultView.stayed") is True
    # the map's own text grows with the screen
    assert fox.say("document.documentElement.style.getPropertyValue('--qj-zoom') > 1")
    fox.press("\ue00c")  # Esc
    fox.wait("document.querySelector('.stAppHeader') && !location.search.includes('play')")
    fox.size(1440, 900)
