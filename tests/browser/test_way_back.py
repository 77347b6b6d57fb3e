"""The browser's own way back leads to what was chosen, not to a page without its choices."""

import pytest
from serve import drawn, settled

pytestmark = pytest.mark.browser

CELL = "td[aria-label^='赶水镇,规划床位落实']"


def test_back_keeps_the_choices(server, visit):
    with visit() as page:
        page.goto(f"{server}/shortages?demo=false&judged-year=2025&rule=beds-planned")
        drawn(page)
        before = page.locator(".qj-figures").first.inner_text()
        page.get_by_role("link", name="医疗卫生", exact=True).click()
        page.locator("h1", has_text="医疗卫生").wait_for()
        drawn(page)
        page.go_back()
        page.locator("h1", has_text="短板清单").wait_for()
        drawn(page)
        for choice in ("demo=false", "judged-year=2025", "rule=beds-planned"):
            page.wait_for_function("choice => location.search.includes(choice)", arg=choice)
        assert page.locator(".qj-figures").first.inner_text() == before


def test_one_click_is_one_step_of_the_way_back(server, visit):
    with visit() as page:
        page.goto(f"{server}/shortages")
        drawn(page)
        page.locator(CELL).click()
        page.locator(".qj-card", has_text="赶水镇").wait_for()
        page.wait_for_function("location.search.includes('town=')")
        page.go_back()
        page.locator(".qj-card", has_text="赶水镇").wait_for(state="detached")
        settled(page)
        assert "rule=" not in page.url
        assert "town=" not in page.url
        page.go_forward()
        page.locator(".qj-card", has_text="赶水镇").wait_for()
        settled(page)
        assert "rule=beds-planned" in page.url


def test_a_double_click_is_one_choice(server, visit):
    with visit() as page:
        page.goto(f"{server}/shortages")
        drawn(page)
        page.locator(CELL).dblclick()
        page.locator(".qj-card", has_text="赶水镇").wait_for()
        settled(page)
        assert "rule=beds-planned" in page.url
        page.goto(f"{server}/health")
        drawn(page)
        page.locator("tr.pick", has_text="赶水镇").first.dblclick()
        page.wait_for_function("location.search.includes('town=')")
        settled(page)
        assert "town=" in page.url
