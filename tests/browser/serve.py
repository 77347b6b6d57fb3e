"""Run the app as a person would, and look at it in Debian's Chromium, which may reach this machine only."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Frame, Page, Playwright, Request, Response, Route

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
PATIENCE_S = 180
"""How long anything may take before it counts as never: a busy machine is no fault."""
MAP = "iframe[title='streamlit_folium.st_folium']"


def free_port() -> int:
    """A port that nobody listens on just now, out of those that no outgoing connection is given: it stays free."""
    while True:
        port = _CHANCE.randrange(12_000, 32_768)
        with socket.socket() as free, suppress(OSError):
            free.bind(("", port))
            return port


_CHANCE = random.SystemRandom()  # two workers must not draw the same


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
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
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
    """Open a page of a new visitor that can reach this machine only, and the list of what went wrong on it.

    The list grows with every request to elsewhere, every failed request and every error of a script.
    """
    visit = made_ready(browser.new_context(viewport={"width": width, "height": height}, **context))
    page, wrong = visit.new_page(), []

    def ask(route: Route) -> None:
        if _is_here(route.request.url):
            route.continue_()
        else:
            wrong.append(f"asked {route.request.url}")
            route.abort()

    page.route("**/*", ask)
    _watch(page, wrong)
    try:
        yield page, wrong
    finally:
        visit.close()


@contextmanager
def coming_back(
    profile: BrowserContext, width: int = 1440, height: int = 900
) -> Iterator[tuple[Page, list[str]]]:
    """Do as `visiting`, in a browser that was here before (see `at_home`): it has the app's files and nothing else.

    Reading and compiling Streamlit's scripts is most of what a first visit costs.
    """
    page, wrong, addresses = profile.new_page(), [], set()
    page.set_viewport_size({"width": width, "height": height})

    def asked(request: Request) -> None:
        if _is_here(request.url):
            at = urlsplit(request.url.removeprefix("blob:"))
            addresses.add(f"{at.scheme}://{at.netloc}")
        else:
            wrong.append(f"asked {request.url}")

    profile.on("request", asked)
    _watch(page, wrong)
    try:
        yield page, wrong
    finally:
        profile.remove_listener("request", asked)
        profile.clear_cookies()
        for other in profile.pages[1:]:
            if other is not page:
                other.close()
        wire = profile.new_cdp_session(page)
        page.goto("about:blank")  # what is left writes no more
        for address in addresses:
            wire.send("Storage.clearDataForOrigin", {"origin": address, "storageTypes": _KEPT})
        profile.clear_cookies()
        page.close()


@contextmanager
def at_home(playwright: Playwright) -> Iterator[BrowserContext]:
    """Start a Chromium with a profile on the disk, as a person has one, that can reach this machine only."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        profile = playwright.chromium.launch_persistent_context(
            folder, executable_path=CHROMIUM, args=[*FLAGS, f"--host-resolver-rules={_NOBODY_ELSE}"]
        )
        try:
            yield made_ready(profile)
        finally:
            profile.close()


_KEPT = "local_storage,indexeddb,service_workers,cache_storage"
_NOBODY_ELSE = "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"


def _is_here(url: str) -> bool:
    return url.removeprefix("blob:").startswith(("http://localhost", "http://127.0.0.1"))


def made_ready(context: BrowserContext) -> BrowserContext:
    """Let `drawn` and `settled` know what the pages of a context ask, and be patient with them."""
    context.set_default_timeout(PATIENCE_S * 1000)
    context.add_init_script(_TURNS)
    return context


def _watch(page: Page, wrong: list[str]) -> None:
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))

    def answered(answer: Response) -> None:
        # Streamlit finds its own root by asking below the page's address first.
        looking = answer.status == 404 and answer.url.endswith(("/_stcore/health", "/_stcore/host-config"))
        if answer.status >= 400 and not looking:
            wrong.append(f"{answer.status} {answer.url}")

    page.on("response", answered)


def drawn(page: Page) -> Frame:
    """Wait until a scene is drawn on the page's map; give the map's frame."""
    # other lines are another base map: until it stands the old one is still there
    page.wait_for_function("map => document.querySelectorAll(map).length === 1", arg=MAP)
    page.frame_locator(MAP).locator("[data-scene]").first.wait_for()
    settled(page)
    frame = page.frame(url=lambda url: "st_folium" in url)
    assert frame is not None
    return frame


def rested(page: Page) -> None:
    """Wait until the map lies still and the address has been told where: it is looked at every 300 ms."""
    page.wait_for_function(_RESTED, arg=MAP)


def settled(page: Page, quiet: int = 300) -> None:
    """Wait until the server has answered what the page has asked, and the page and its maps show it.

    Parameters
    ----------
    quiet
        For how many milliseconds of the page's own clock nothing new may be asked: a map gathers what happens on it for
        250 of them. A busy page's clock waits, too, until the page has done what came before.
    """
    page.wait_for_function(_SETTLED, arg=quiet)


# What the browser asks and hears, told apart by the numbers of Streamlit's own messages (BackMsg and ForwardMsg). That
# no run is on says nothing: a busy server may begin long after a click. A run that begins after the question and comes
# to its end is the answer; other questions (where to put a file, a file made at the click) are answered without one.
_TURNS = """
(() => {
  if (window !== window.top) { /* a map's frame: what was sent before a question has come before its answer */
    window.answers = true;
    addEventListener("message", (event) => event.data?.type === "test" && event.ports[0].postMessage(""));
    return;
  }
  const RERUN = 11, NEW_SESSION = 4, FINISHED = 6, FOR_RERUN = 2;
  const turns = window.turns = { asked: 0, at: 0, begun: false, done: false };
  const fields = (data) => { /* of a protobuf message: number to value, where that is a number itself */
    const bytes = new Uint8Array(data), found = {};
    let at = 0;
    const number = () => {
      for (let value = 0, by = 1; ; by *= 128) {
        const byte = bytes[at++];
        value += (byte & 127) * by;
        if (!(byte & 128)) return value;
      }
    };
    while (at < bytes.length) {
      const tag = number(), kind = tag % 8, value = kind % 2 ? 0 : number();
      found[Math.floor(tag / 8)] = value;
      at += { 0: 0, 1: 8, 2: value, 5: 4 }[kind];
    }
    return found;
  };
  const hear = (event) => {
    const said = fields(event.data);
    if (NEW_SESSION in said) Object.assign(turns, { begun: true, done: false });
    else if (FINISHED in said && said[FINISHED] !== FOR_RERUN) turns.done = turns.begun;
  };
  const heard = new WeakSet(), send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (...said) {
    if (!heard.has(this)) this.addEventListener("message", hear);
    heard.add(this);
    if (RERUN in fields(said[0]))
      Object.assign(turns, { asked: turns.asked + 1, at: performance.now(), begun: false, done: false });
    return send.apply(this, said);
  };
})();
"""
# A skeleton stands for what the page is still loading the script of, which can be long after the answer. A question
# for a part of the page that is gone by then is never answered: it is waited for no longer than ten seconds.
_SETTLED = """async (quiet) => {
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));
  const shown = () => new Promise((go) => { /* behind another tab nothing is drawn */
    requestAnimationFrame(() => requestAnimationFrame(() => go(true)));
    setTimeout(() => go(true), 2000);
  });
  const answered = () => {
    const app = document.querySelector("[data-testid='stApp']");
    if (app?.dataset.testScriptState !== "notRunning" || app.querySelector("[data-testid='stSkeleton']")) return false;
    return turns.done || (turns.asked > 0 && !turns.begun && performance.now() - turns.at > 10_000);
  };
  const followed = async (frame) => { /* the frame has got what the page gave it, and drawn it */
    for (let got = false; !got && frame.isConnected; ) {
      const { port1, port2 } = new MessageChannel();
      const answer = new Promise((go) => { port1.onmessage = () => shown().then(go); });
      frame.contentWindow.postMessage({ type: "test" }, "*", [port2]);
      got = await Promise.race([answer, pause(3000)]); /* a frame that was just being loaded did not hear: again */
    }
  };
  for (;;) {
    while (!answered()) await pause(20);
    const asked = turns.asked;
    await pause(quiet);
    await shown();
    for (const frame of document.querySelectorAll("iframe")) if (frame.contentWindow?.answers) await followed(frame);
    if (answered() && turns.asked === asked) return true;
  }
}"""
_RESTED = """async (at) => {
  const now = () => {
    const map = document.querySelector(at)?.contentWindow?.map;
    if (!map?.qj?.ready || map._animatingZoom || map._panAnim?._inProgress || map.dragging?.moving()) return null;
    return JSON.stringify([map.getCenter(), map.getZoom(), map.getSize(), location.href]);
  };
  for (let was = null, looks = 0; looks < 13; ) { /* 650 ms: the address is corrected twice in that time */
    await new Promise((go) => setTimeout(go, 50));
    const is = now();
    looks = is && is === was ? looks + 1 : 0;
    was = is;
  }
  return true;
}"""
