"""Debian's Firefox, driven through the WebDriver BiDi that it speaks itself: no driver between, nothing to download."""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serve import PATIENCE_S, free_port
from websockets.sync.client import ClientConnection, connect

_PREFERENCES = {
    "app.update.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "",
}


class Firefox:
    """One window."""

    def __init__(self, wire: ClientConnection) -> None:
        self._wire, self._number = wire, 0
        self.requests: list[str] = []
        self.errors: list[str] = []
        self._since_ms = 0.0
        self._ask("session.new", {"capabilities": {}})
        self._ask("session.subscribe", {"events": ["network.beforeRequestSent", "log.entryAdded"]})
        tree = self._ask("browsingContext.getTree", {})
        self.window: str = tree["contexts"][0]["context"]

    def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        self._wire.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            said = json.loads(self._wire.recv(timeout=PATIENCE_S))
            if said.get("id") == self._number:
                if said["type"] == "error":
                    raise RuntimeError(f"{method}: {said['error']}: {said['message']}")
                result: dict[str, Any] = said["result"]
                return result
            self._hear(said)

    def _hear(self, said: dict[str, Any]) -> None:
        if said.get("method") == "network.beforeRequestSent":
            self.requests.append(said["params"]["request"]["url"])
        elif said.get("method") == "log.entryAdded":
            entry = said["params"]
            if entry["level"] == "error" and entry["timestamp"] >= self._since_ms:
                self.errors.append(str(entry["text"]))

    def begin(self) -> None:
        """Leave the page that is open, and forget what it asked and what went wrong on it, though it be told late."""
        self.open("about:blank")
        self.requests.clear()
        self.errors.clear()
        self._since_ms = time.time() * 1000

    def size(self, width: int, height: int) -> None:
        """Make the window's inside so large."""
        viewport = {"width": width, "height": height}
        self._ask("browsingContext.setViewport", {"context": self.window, "viewport": viewport})

    def open(self, address: str) -> None:
        """Open an address and wait until it has loaded."""
        self._ask("browsingContext.navigate", {"context": self.window, "url": address, "wait": "complete"})

    def say(self, expression: str) -> Any:
        """Evaluate an expression; give its value, or what it promises, which must be plain."""
        answer = self._ask(
            "script.evaluate",
            {
                "expression": f"Promise.resolve({expression}).then((value) => JSON.stringify(value))",
                "target": {"context": self.window},
                "awaitPromise": True,
            },
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"].get("value", "null"))

    def wait(self, expression: str, seconds: float = PATIENCE_S) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + seconds
        while not self.say(f"Boolean({expression})"):
            if time.monotonic() > until:
                raise TimeoutError(expression)
            time.sleep(0.1)

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        keyboard = {"type": "key", "id": "keyboard", "actions": actions}
        self._ask("input.performActions", {"context": self.window, "actions": [keyboard]})

    def picture(self) -> bytes:
        """Take a picture of the window: PNG."""
        return base64.b64decode(
            self._ask("browsingContext.captureScreenshot", {"context": self.window})["data"]
        )


@contextmanager
def firefox(width: int = 1440, height: int = 900) -> Iterator[Firefox]:
    """Start a Firefox with a fresh profile that can reach this machine only."""
    port = free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # every address but this machine's goes to a proxy that is not there
        preferences = _PREFERENCES | {
            "network.proxy.type": 1,
            "network.proxy.http": "127.0.0.1",
            "network.proxy.http_port": 9,
            "network.proxy.ssl": "127.0.0.1",
            "network.proxy.ssl_port": 9,
            "network.proxy.no_proxies_on": "localhost,127.0.0.1",
        }
        lines = [f"user_pref({json.dumps(key)}, {json.dumps(value)});" for key, value in preferences.items()]
        Path(profile, "user.js").write_text("\n".join(lines), encoding="utf-8")
        command = ["firefox-esr", "--headless", "--no-remote", "--profile", profile]
        command += [f"--remote-debugging-port={port}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with _connected(port, process) as wire:
                browser = Firefox(wire)
                browser.size(width, height)
                yield browser
        finally:
            process.terminate()
            process.wait()


def _connected(port: int, process: subprocess.Popen[bytes]) -> ClientConnection:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"Firefox ended with {process.returncode}")
        try:
            return connect(f"ws://127.0.0.1:{port}/session", max_size=2**26, proxy=None)
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("Firefox does not answer")
