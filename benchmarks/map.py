"""Speed of the page of hydrants in a browser, beside the same map written plainly, in one run.

Prints seconds and bytes; fails when a bound of the product is broken. Every bound is a ratio to a peer measured in the
same run on the same machine, except the size of a message.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parent.parent
MANY, FEW = 20_000, 2_000
PLAIN_RATIO, FEW_RATIO, HELLO_RATIO, MOST_BYTES = 0.06, 1.6, 2.0, 800_000
FRAME = "iframe[title='streamlit_folium.st_folium']"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # This machine only; without a detour of every request through this script, which would be measured too.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
]

OPTIONS = [
    "--server.headless",
    "true",
    "--browser.serverAddress",
    "localhost",
    "--browser.gatherUsageStats",
    "false",
]

# The same map as anybody would write it first. Leaflet is taken from our own copy, for there is no internet.
PLAIN = """
import folium, pandas as pd, streamlit as st
from streamlit_folium import st_folium
from qjmap.ui import source
from qjmap import webmap
st.set_page_config(layout="wide")
frame = pd.read_csv("{csv}")
kinds = st.sidebar.multiselect("类别", sorted(frame["kind"].unique()))
if kinds:
    frame = frame[frame["kind"].isin(kinds)]
chart = folium.Map(location=[28.88, 106.65], zoom_start=10, tiles=None, prefer_canvas=True, max_zoom=18)
chart.default_js = webmap._OfflineMap.default_js
chart.default_css = webmap._OfflineMap.default_css
place = source.district()
folium.GeoJson(place.boundaries.set_geometry(
    [place.projection.geometry_to_degrees(g) for g in place.boundaries.geometry]).geometry.to_json()).add_to(chart)
group = folium.FeatureGroup(name="hydrants")
for row in frame.itertuples():
    folium.CircleMarker([row.lat, row.lon], radius=3, weight=1).add_to(group)
st_folium(chart, feature_group_to_add=group, returned_objects=[], use_container_width=True, key="map")
"""


@dataclass
class Traffic:
    """Bytes that reached the page through its web socket."""

    received: int = 0
    marks: list[int] = field(default_factory=list)


def main() -> int:
    """Measure, print, and give 1 when a bound is broken."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        temporary = Path(folder)
        roots = {n: _root(temporary / str(n), n) for n in (MANY, FEW)}
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        hello = _median(lambda: _start(browser, ["hello"], {}, _hello_shown), 5)
        ours_start = _median(lambda: _start(browser, ["run", "app.py"], {}, _map_drawn), 5)
        many, size = _ours(browser, roots[MANY])
        few, _ = _ours(browser, roots[FEW])
        plain, plain_size = _plain(browser, temporary, roots[MANY])
        browser.close()
    checks = [
        (f"筛选到重画({MANY:,} 个)÷ 逐点画法", many / plain, PLAIN_RATIO, f"{many:.2f} s / {plain:.2f} s"),
        (f"{MANY:,} 个 ÷ {FEW:,} 个", many / few, FEW_RATIO, f"{many:.2f} s / {few:.2f} s"),
        ("每次变化传到浏览器(MB)", size / 1e6, MOST_BYTES / 1e6, f"逐点画法 {plain_size / 1e6:.1f} MB"),
        (
            "启动到首张图 ÷ streamlit hello",
            ours_start / hello,
            HELLO_RATIO,
            f"{ours_start:.1f} s / {hello:.1f} s",
        ),
    ]
    for name, value, bound, words in checks:
        print(f"{'ok ' if value <= bound else 'BAD'} {name}:{value:.3f}(限 {bound:g};{words})")
    return int(any(value > bound for _, value, bound, _ in checks))


def _root(folder: Path, hydrants: int) -> Path:
    """Make a root whose demo register has that many hydrants."""
    for name in ("data", "geo"):
        shutil.copytree(HERE / name, folder / name)
    command = [sys.executable, "-m", "qjmap.cli", "build-demo", "--hydrants", str(hydrants)]
    subprocess.run(  # noqa: S603
        [*command, "--out", str(folder / "data" / "qijiang" / "demo")],
        cwd=HERE,
        check=True,
        capture_output=True,
    )
    return folder


def _median(measure: Callable[[], float], times: int) -> float:
    return statistics.median(measure() for _ in range(times))


# ---- servers and pages ----------------------------------------------------------------------------


@contextmanager
def _server(command: list[str], environment: dict[str, str]) -> Iterator[tuple[str, float]]:
    """Run a Streamlit server; give its address and when it was started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "streamlit", *command, *OPTIONS, "--server.port", str(port)],
        cwd=HERE,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"http://localhost:{port}", started
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"服务没有在端口 {port} 启动")


@contextmanager
def _page(browser: Browser) -> Iterator[Page]:
    """Open a page."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(60_000)
    try:
        yield page
    finally:
        page.close()


def _traffic(page: Page) -> Traffic:
    """Count what a page receives from now on."""
    traffic = Traffic()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def received(event: dict[str, dict[str, object]]) -> None:
        data = str(event["response"]["payloadData"])
        text = event["response"]["opcode"] == 1
        traffic.received += len(data.encode()) if text else len(data) * 3 // 4

    session.on("Network.webSocketFrameReceived", received)
    return traffic


def _start(
    browser: Browser, command: list[str], environment: dict[str, str], shown: Callable[[Page], None]
) -> float:
    """Seconds from starting a server to what the first visitor sees."""
    with _server(command, environment) as (address, started), _page(browser) as page:
        page.goto(address)
        shown(page)
        return time.perf_counter() - started


def _hello_shown(page: Page) -> None:
    page.get_by_role("heading", level=1).first.wait_for()


def _map_drawn(page: Page) -> None:
    page.frame_locator(FRAME).locator("[data-scene]").wait_for()


# ---- filter to redrawn map ------------------------------------------------------------------------

KINDS = ("市政消火栓", "小区消火栓")


def _choose(page: Page, kind: str) -> None:
    """Open the list of kinds; leave the choice to be clicked."""
    page.get_by_role("combobox", name="类别").click()
    page.get_by_role("option", name=kind).wait_for()


def _ours(browser: Browser, root: Path) -> tuple[float, int]:
    """Median seconds from a filter's click to the redrawn map, and the bytes sent for it."""
    with (
        _server(["run", "app.py"], {"QJMAP_ROOT": str(root)}) as (address, _),
        _page(browser) as page,
    ):
        traffic = _traffic(page)
        page.goto(f"{address}/fire_water")
        _map_drawn(page)
        page.wait_for_timeout(1500)
        frame = page.frame(url=lambda url: "st_folium" in url)
        assert frame is not None
        scene = "document.querySelector('[data-scene]').dataset.scene"
        times, sizes = [], []
        for i in range(6):
            before, bytes_before = frame.evaluate(scene), traffic.received
            _choose(page, KINDS[i % 2])
            seconds = _timed(page, KINDS[i % 2], lambda was=before: frame.evaluate(scene) != was)
            page.wait_for_timeout(1200)
            if i:  # the first warms the caches of the server up
                times.append(seconds)
                sizes.append(traffic.received - bytes_before)
            page.get_by_role("combobox", name="类别").press("Backspace")
            page.wait_for_timeout(1500)
        return statistics.median(times), max(sizes)


def _plain(browser: Browser, folder: Path, root: Path) -> tuple[float, int]:
    """The same for one CircleMarker per hydrant."""
    script = folder / "plain.py"
    csv = root / "data" / "qijiang" / "demo" / "hydrants.csv"
    script.write_text(PLAIN.format(csv=csv), encoding="utf-8")
    (folder / "static").mkdir()
    shutil.copytree(HERE / "static", folder / "static", dirs_exist_ok=True)
    environment = {
        "QJMAP_ROOT": str(root),
        "PYTHONPATH": str(HERE),
        "STREAMLIT_SERVER_ENABLE_STATIC_SERVING": "true",
    }
    with _server(["run", str(script)], environment) as (address, _), _page(browser) as page:
        traffic = _traffic(page)
        page.goto(address)
        page.frame_locator(FRAME).locator(".leaflet-container").wait_for()
        page.wait_for_timeout(20_000)
        frame = page.frame(url=lambda url: "st_folium" in url)
        assert frame is not None
        count = "window.map ? Object.keys(window.map._layers).length : 0"
        before, bytes_before = frame.evaluate(count), traffic.received
        _choose(page, KINDS[0])
        seconds = _timed(page, KINDS[0], lambda: frame.evaluate(count) not in (before, 0))
        page.wait_for_timeout(2000)
        return seconds, traffic.received - bytes_before


def _timed(page: Page, kind: str, done: Callable[[], bool]) -> float:
    option = page.get_by_role("option", name=kind)
    started = time.perf_counter()
    option.click()
    while not done():
        if time.perf_counter() - started > 120:
            raise TimeoutError(json.dumps({"kind": kind}, ensure_ascii=False))
        page.wait_for_timeout(5)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
