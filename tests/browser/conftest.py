"""One server and one browser for all tests of this folder; every test gets pages of its own."""

from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright
from serve import CHROMIUM, FLAGS, running, visiting


@pytest.fixture(scope="session")
def server():
    """The app on a port of its own: its address."""
    with running() as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser):
    """Open pages: `with visit(width, height) as page`; at its end nothing may have gone wrong on it."""

    @contextmanager
    def open_page(width=1440, height=900, **context):
        with visiting(browser, width, height, **context) as (page, wrong):
            yield page
            assert not wrong

    return open_page
