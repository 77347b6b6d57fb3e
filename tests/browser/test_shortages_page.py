"""短板清单 and 街镇画像 in a real browser: clicks, keys, and paper."""

import pytest
from serve import MAP, drawn, settled

pytestmark = pytest.mark.browser

CELL = "td[aria-label^='赶水镇,规划床位落实']"


def opened(page, server, path):
    page.goto(f"{server}/{path}")
    page.locator(".qj-foot").wait_for()
    settled(page)


def active(page):
    """Say which cell of the matrix has the focus, as a screen reader would."""
    return page.evaluate(
        """() => {
          let node = document.activeElement;
          while (node && node.shadowRoot) node = node.shadowRoot.activeElement;
          return node && (node.getAttribute('aria-label') || node.textContent);
        }"""
    )


def test_a_click_on_a_cell_opens_the_rule_in_the_town_with_its_clause(server, visit):
    with visit() as page:
        opened(page, server, "shortages?demo=false")
        page.locator(CELL).click()
        card = page.locator(".qj-card", has_text="赶水镇")
        card.wait_for()
        settled(page)
        assert "rule=beds-planned" in page.url
        assert "《重庆市綦江区" in card.inner_text()
        assert "专栏" in card.inner_text()
        assert "缺口" in card.inner_text()
        assert page.locator(CELL).get_attribute("aria-selected") == "true"
        assert "短缺" in page.locator(CELL).get_attribute("aria-label")
        drawn(page)
        # a second click closes it
        page.locator(CELL).click()
        card.wait_for(state="detached")
        settled(page)
        assert "rule=" not in page.url


def test_the_matrix_is_walked_with_arrows_and_opened_with_enter(server, visit):
    with visit() as page:
        opened(page, server, "shortages?demo=false&answer=短缺")
        page.locator(CELL).wait_for()
        assert page.locator("table[role=grid] [tabindex='0']").count() == 1  # one stop for Tab
        page.locator(CELL).click()
        settled(page)
        start = active(page)
        assert start.startswith("赶水镇,规划床位落实")
        page.keyboard.press("ArrowRight")
        beside = active(page)
        assert "规划床位落实" in beside
        assert not beside.startswith("赶水镇")
        page.keyboard.press("ArrowLeft")
        assert active(page) == start
        page.keyboard.press("ArrowDown")
        below = active(page)
        assert below.startswith("赶水镇,")
        assert below != start
        page.keyboard.press("Enter")
        page.locator(".qj-card", has_text=below.split(",")[1].split(":")[0]).first.wait_for()
        settled(page)
        # the focus stays where it was, so that the walk goes on
        assert active(page).split(":")[0] == below.split(":")[0]
        # up through rows of fewer cells and down again: back in the same column
        page.keyboard.press("Control+Home")
        page.keyboard.press("Home")
        assert "执业" in active(page)
        # what has the focus is never under the head or the first column
        page.keyboard.press("Control+End")
        covered = page.evaluate(
            """() => {
              let node = document.activeElement;
              while (node.shadowRoot) node = node.shadowRoot.activeElement;
              const box = node.getBoundingClientRect();
              const top = node.getRootNode().elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
              return !(node === top || node.contains(top));
            }"""
        )
        assert not covered


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1366, 768)])
def test_nothing_lies_over_anything_else(server, visit, width, height):
    with visit(width, height) as page:
        opened(page, server, "shortages?demo=true&town=石角镇&rule=beds-planned")
        drawn(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        strip = page.locator(".st-key-strip").bounding_box()
        legend = page.locator("div.legend").bounding_box()
        table = page.locator("div.box[aria-label*='各街镇对照']").bounding_box()
        chart = page.locator(MAP).bounding_box()
        assert strip["y"] + strip["height"] <= legend["y"] + 1
        assert legend["y"] + legend["height"] <= table["y"] + 1
        assert table["y"] + table["height"] <= height  # the list fits the window and scrolls in itself
        assert table["x"] + table["width"] <= chart["x"]


def test_a_sheet_prints_on_one_leaf_of_paper(server, visit, tmp_path):
    with visit() as page:
        opened(page, server, "town?town=石角镇&demo=false")
        drawn(page)
        page.emulate_media(media="print")
        assert page.locator("[data-testid='stSidebar']").is_hidden()
        assert page.locator(".stAppHeader").is_hidden()
        assert page.locator(".qj-sheet table").first.is_visible()
        data = page.pdf(path=str(tmp_path / "sheet.pdf"), prefer_css_page_size=True)
        # front and back, no more; an uncompressed page tree says how many
        assert data.count(b"/Type /Page\n") + data.count(b"/Type /Page ") == 2
        # black on white
        colour = page.locator(".qj-sheet td").first.evaluate("node => getComputedStyle(node).color")
        assert colour == "rgb(0, 0, 0)"


def test_the_list_leads_to_the_sheet_with_the_same_year(server, visit):
    with visit() as page:
        opened(page, server, "shortages?demo=false&judged-year=2025&town=赶水镇")
        drawn(page)  # a map that is only now ready asks for a run of the page that is being left
        page.get_by_text("赶水镇的街镇画像").click()
        page.locator("h1", has_text="赶水镇画像").wait_for()
        settled(page)
        assert "judged-year=2025" in page.url
        assert "2025年人口" in page.locator(".qj-head").inner_text()
