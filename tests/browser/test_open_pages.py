"""Every page as an official opens it: nothing asked of the internet, a map that is drawn, 汉字 that are 汉字."""

import pytest
from serve import MAP, drawn, running, settled

from qjmap.ui.navigation import PAGES

pytestmark = pytest.mark.browser

UNMAPPED = ("town", "requests", "charts", "screen")  # their maps are below the fold, or they have none

#: How many pixels of a pane's canvas are painted, and in how many colours (of 4 bits a channel).
PAINTED = """(pane) => {
  const canvas = document.querySelector(`.leaflet-${pane}-pane canvas`);
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Set();
  let painted = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 8) continue;
    painted++;
    colours.add((data[i] >> 4) * 256 + (data[i + 1] >> 4) * 16 + (data[i + 2] >> 4));
  }
  return { painted, colours: colours.size, all: canvas.width * canvas.height };
}"""

#: A pane's canvas as text, to tell whether it changed.
CONTENT = "(pane) => document.querySelector(`.leaflet-${pane}-pane canvas`).toDataURL()"

#: Whether characters are drawn as themselves: no two alike, and none like a character that no font has.
GLYPHS = """(text) => {
  const draw = (char) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 48;
    const g = canvas.getContext("2d");
    g.font = "32px " + getComputedStyle(document.body).fontFamily;
    g.fillText(char, 4, 38);
    return canvas.toDataURL();
  };
  const missing = draw("\\u{10FFFE}");
  const drawn = [...text].map(draw);
  return drawn.every((one) => one !== missing) && new Set(drawn).size === [...text].length;
}"""


@pytest.mark.parametrize(("name", "title"), PAGES)
def test_a_page_opens_asks_nobody_and_draws_its_map(visit, server, name, title):
    with visit() as page:
        page.goto(f"{server}/{name}")
        if name in UNMAPPED:
            settled(page, 1000)
        else:
            frame = drawn(page)
        assert page.locator(".stMain h1").first.inner_text().strip()
        assert page.get_by_role("link", name=title, exact=True).count() or title in page.inner_text("body")
        assert page.evaluate(GLYPHS, "重庆綦江区消防栓覆盖")
        if name not in UNMAPPED:
            ground, lines, names = (
                frame.evaluate(PAINTED, pane) for pane in ("qj-ground", "qj-lines", "qj-names")
            )
            assert ground["painted"] > 0.05 * ground["all"], "no townships on the map"
            assert lines["painted"] > 1000
            assert names["painted"] > 1000, "no names on the map"
            if name != "shortages":
                marks = frame.evaluate(PAINTED, "qj-marks")
                assert marks["painted"] > 200, "no marks on the map"
                assert marks["colours"] > 2
            assert frame.evaluate(GLYPHS, "重庆綦江区消防栓覆盖")
        assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)])
def test_nothing_overflows_and_the_head_hides_nothing(visit, server, size):
    with visit(*size) as page:
        page.goto(f"{server}/health")
        drawn(page)
        assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")
        top = page.locator(".qj-head h1").bounding_box()["y"]
        head = page.locator("header.stAppHeader, [data-testid='stHeader']").first.bounding_box()
        assert top >= head["y"] + head["height"]
        box = page.locator(MAP).bounding_box()
        assert box["height"] > 0.8 * size[1]
        assert box["y"] + box["height"] <= size[1]


def test_coverage_is_painted_and_each_part_switches_alone(visit, server):
    with visit() as page:
        page.goto(f"{server}/health")
        frame = drawn(page)
        frame.evaluate("window.stays = true")
        before = {pane: frame.evaluate(CONTENT, pane) for pane in ("qj-ground", "qj-areas", "qj-marks")}
        for part in ("未覆盖", "可能覆盖", "覆盖"):
            scene = frame.evaluate("document.querySelector('[data-scene]').dataset.scene")
            page.get_by_role("button", name=part, exact=True).click()
            frame.wait_for_function(
                "was => document.querySelector('[data-scene]').dataset.scene !== was", arg=scene
            )
            settled(page)
            after = {pane: frame.evaluate(CONTENT, pane) for pane in before}
            assert after["qj-areas"] != before["qj-areas"], part
            assert after["qj-ground"] == before["qj-ground"]
            assert after["qj-marks"] == before["qj-marks"]
            before = after
        assert frame.evaluate(PAINTED, "qj-areas")["painted"] == 0
        assert frame.evaluate("window.stays") is True, "the map was mounted anew"


def test_the_first_visit_may_be_a_deep_link(visit):
    with running() as address, visit() as page:
        page.goto(f"{address}/health?town=石角镇")
        drawn(page)
        assert page.locator(".qj-head h1").inner_text() == "医疗卫生"
        assert page.locator(".qj-card h3").first.inner_text() == "石角镇"
        assert page.get_by_role("link", name="水库", exact=True).count()
