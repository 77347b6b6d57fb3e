"""Open a page as a browser's address would, and read what is on it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from typing import Any

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest, app_test, local_script_runner

from qjmap.district import ROOT
from qjmap.ui import navigation

# Streamlit leaves this folder, which only scripts given as text need, to be removed with a warning at exit.
app_test.TMP_DIR.cleanup()
# Nor does it remember what components are installed: it would read the papers of every package again for each page.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)

_asked_each_millisecond = local_script_runner.require_widgets_deltas


def _waited_for(runner: local_script_runner.LocalScriptRunner, timeout: float = 3) -> None:
    """Wait for the end of a run asleep: Streamlit asks a thousand times a second, which takes the page's time."""
    thread = runner._script_thread
    assert thread is not None
    thread.join(timeout)
    if not runner.script_stopped():
        _asked_each_millisecond(runner, 0)  # stops it, and says so


local_script_runner.require_widgets_deltas = _waited_for

PAGES = tuple(name for name, _ in navigation.PAGES)
MAPPED = ("overview", "health", "fire_stations", "fire_water", "highrise", "reservoirs", "sources")
"""Pages whose map shows registers."""
ADDRESS = re.compile(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", re.IGNORECASE)


class Text(HTMLParser):
    """The text of a piece of HTML, element by element, without styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.parts: list[str] = []
        self._style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.parts.append(data)


class Page:
    """A page of the app."""

    def __init__(self, name: str, **query: str | list[str]) -> None:
        self.at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        self.at.switch_page(f"pages/{name}.py")
        self.at.query_params.update(query)
        self.run()

    def run(self) -> Page:
        """Run the page again; it must hold what every page must."""
        self.at.run()
        assert not self.at.exception
        assert not self.at.error
        addresses = [value for _, attrs in Text(self.html).tags for value in attrs.values() if value]
        assert not any(ADDRESS.search(value) for value in addresses)
        return self

    @property
    def html(self) -> str:
        """All HTML that the page sends."""
        return "\n".join(str(one.proto.body) for one in self.at.html)

    @property
    def text(self) -> str:
        """All text of the page's HTML."""
        return "\n".join(Text(self.html).parts)

    @property
    def problems(self) -> str:
        """The text of what is said to be wrong in data; empty when nothing is."""
        pieces = [str(one.proto.body) for one in self.at.html if "qj-problems" in str(one.proto.body)]
        return "\n".join("".join(Text(one).parts) for one in pieces if "<style" not in one)

    @property
    def figures(self) -> dict[str, tuple[str, str]]:
        """Key figures: label → (value with unit, base)."""
        found = re.findall(
            r'<dt>([^<]*)</dt><dd><span class="qj-value">([^<]*)</span>'
            r'<span class="qj-unit">([^<]*)</span><span class="qj-base">([^<]*)</span>',
            self.html,
        )
        return {label: (f"{value} {unit}".strip(), base) for label, value, unit, base in found}

    def figure(self, label: str) -> float:
        """Give a key figure as a number."""
        value = self.figures[label][0].split(" ")[0].replace(",", "")
        return float(value[:-1]) * 1e4 if value.endswith("万") else float(value)

    @property
    def card(self) -> dict[str, str]:
        """The record or town that is open: label → value, with its name under 名称; empty when none is."""
        for one in self.at.html:
            body = str(one.proto.body)
            if 'class="qj-card"' in body and "<style" not in body:
                pairs = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", body)
                names = re.findall(r"<h3>(.*?)</h3>", body)
                return dict(pairs) | {"名称": names[0]}
        return {}

    def nodes(self, kind: str) -> Iterator[Any]:
        """Give the elements of a type that the tests know nothing of."""

        def walk(node: Any) -> Iterator[Any]:
            if node.type == kind:
                yield node
            for child in getattr(node, "children", {}).values():
                yield from walk(child)

        return walk(self.at._tree)

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        """Tables by key: caption, columns, rows."""
        return {
            str(node.key): json.loads(node.proto.json)
            for node in self.nodes("bidi_component")
            if node.proto.json
        }

    def rows(self, start: str) -> dict[str, dict[str, Any]]:
        """Rows of the first table whose key starts so, by their own key, in order."""
        table = next(one for key, one in self.tables.items() if key.startswith(start))
        return {row["key"]: row for row in table["rows"]}

    @property
    def maps(self) -> list[dict[str, Any]]:
        """What each map component is given."""
        return [json.loads(node.proto.json_args) for node in self.nodes("component_instance")]

    def scene_of(self, number: int) -> dict[str, Any]:
        """What a filter changes on one of the page's maps."""
        text = self.maps[number]["feature_group"]
        call = "qjmap.scene("
        scene: dict[str, Any] = json.JSONDecoder().raw_decode(text[text.index(call) + len(call) :])[0]
        return scene

    @property
    def scene(self) -> dict[str, Any]:
        """What a filter changes on the page's map."""
        return self.scene_of(0)


#: Page → the parameter of its address that names the layer looked at.
LAYER_IN_ADDRESS = {
    "health": "health-layer",
    "fire_stations": "fire_stations-layer",
    "fire_water": "hydrants-layer",
}
