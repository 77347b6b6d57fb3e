"""One server and one browser for all tests of this folder that a worker runs; every test gets pages of its own."""

from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright
from serve import CHROMIUM, FLAGS, at_home, coming_back, running, visiting

TOGETHER = (
    "test_bad_data.py",
    "test_firefox.py",
    "test_outside_sign_in.py",
    "test_own_sign_in.py",
    "test_prefix.py",
)
"""Files whose tests share a server or a browser of their own: one worker runs them."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give the workers test by test, not file by file: none is without work while the other has a long file.

    Marks of groups would say the same, but xdist 3.8 does not see them under pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            return file if file.endswith(TOGETHER) else nodeid

    return Scheduling(config, log) if config.getvalue("dist") == "load" else None


@pytest.fixture(scope="session")
def server():
    """The app on a port of its own: its address."""
    with running() as address:
        yield address


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def browser(playwright):
    """Debian's Chromium, for contexts that share nothing with one another."""
    chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
    yield chromium
    chromium.close()


@pytest.fixture(scope="session")
def profile(playwright):
    """Debian's Chromium as a person has it."""
    with at_home(playwright) as found:
        yield found


@pytest.fixture
def visit(request):
    """Open pages: `with visit(width, height) as page`; at its end nothing may have gone wrong on it.

    One visit after the other is in the same browser, which has kept the app's files but remembers nothing of the visit
    before; a visit during another, or one that wants something of its context, is in a browser of its own.
    """
    is_out = False

    @contextmanager
    def open_page(width=1440, height=900, **context):
        nonlocal is_out
        if is_out or context:
            with visiting(request.getfixturevalue("browser"), width, height, **context) as (page, wrong):
                yield page
                assert not wrong
            return
        is_out = True
        try:
            with coming_back(request.getfixturevalue("profile"), width, height) as (page, wrong):
                yield page
                assert not wrong
        finally:
            is_out = False

    return open_page
