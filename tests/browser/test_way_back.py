"""The browser's own way back leads to what was chosen, not to a page without its choices."""

import pytest
from serve import drawn

pytestmark = pytest.mark.browser


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
