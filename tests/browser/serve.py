"""Run the app as a person would, and look at it in Debian's Chromium, which may reach this machine only."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Frame, Page, Response, Route

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MAP = "iframe[title='streamlit_folium.st_folium']"


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def running(
    *options: str, environment: Mapping[str, str] | None = None, prefix: str = "", port: int = 0
) -> Iterator[str]:
    """Run the app; give its address, without a slash at its end."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), *options]
    if prefix:
        command += ["--server.baseUrlPath", prefix]
    (ROOT / "static").mkdir(exist_ok=True)
    home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"QJMAP_HOME": home.name} | dict(environment or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://localhost:{port}" + (f"/{prefix}" if prefix else "")
    try:
        _wait_for(f"{address}/_stcore/health", process)
        yield address
    finally:
        process.terminate()
        process.wait()
        home.cleanup()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1200):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"no server at {address}")


@contextmanager
def visiting(
    browser: Browser, width: int = 1440, height: int = 900, **context: Any
) -> Iterator[tuple[Page, list[str]]]:
    """Open a page that can reach this machine only, and the list of what went wrong on it.

    The list grows with every request to elsewhere, every failed request and every error of a script.
    """
    visit = browser.new_context(viewport={"width": width, "height": height}, **context)
    page, wrong = visit.new_page(), []
    page.set_default_timeout(60_000)

    def ask(route: Route) -> None:
        url = route.request.url
        if url.startswith(("http://localhost", "http://127.0.0.1")):
            route.continue_()
        else:
            wrong.append(f"asked {url}")
            route.abort()

    page.route("**/*", ask)
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))

    def answered(answer: Response) -> None:
        # Streamlit finds its own root by asking below the page's address first.
        looking = answer.status == 404 and answer.url.endswith(("/_stcore/health", "/_stcore/host-config"))
        if answer.status >= 400 and not looking:
            wrong.append(f"{answer.status} {answer.url}")

    page.on("response", answered)
    try:
        yield page, wrong
    finally:
        visit.close()


def drawn(page: Page) -> Frame:
    """Wait until a scene is drawn on the page's map; give the map's frame."""
    page.frame_locator(MAP).locator("[data-scene]").first.wait_for()
    settled(page)
    frame = page.frame(url=lambda url: "st_folium" in url)
    assert frame is not None
    return frame


def settled(page: Page, quiet: int = 400) -> None:
    """Wait until the server has finished the run that it is in."""
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']", state="attached")
    page.wait_for_timeout(quiet)
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']", state="attached")
