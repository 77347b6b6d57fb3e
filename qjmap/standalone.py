"""The map as one file: opens by double-click on a machine with no network and no Python.

The page's own script and sheet, its base map and its scene, and a card for every record and town, in one HTML whose
content security policy lets it ask nobody for anything. All data lie in a block of JSON, which no browser runs; the
script makes text of them, never HTML.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from html import escape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from qjmap import assets
from qjmap.cards import Card, of_record
from qjmap.district import District
from qjmap.errors import QjmapError
from qjmap.webmap import Scene, scene_json

if TYPE_CHECKING:
    import pandas as pd

    from qjmap.export import Metadata

_STATIC = Path(str(resources.files("qjmap") / "static"))


def single_file(
    district: District,
    base_json: str,
    scene: Scene,
    *,
    about: Metadata,
    records: Mapping[str, Sequence[Card]],
    towns: Sequence[Card],
) -> bytes:
    """Write the current map with its layers, legend and cards as one HTML.

    Parameters
    ----------
    base_json
        The district's constant ground, `webmap.base_map`.
    scene
        What is on the map.
    about
        Title, day, filter, standard in force, sources.
    records
        Layer key → cards: those of the scene's marks, or lines and areas, in their order, then those of records without
        a place, which are listed only.
    towns
        Cards of towns, by name.

    Returns
    -------
    bytes
        HTML, UTF-8.

    Raises
    ------
    QjmapError
        A layer on the map has fewer cards than marks or shapes.
    """
    drawn = [(layer.key, len(layer.lon)) for layer in scene.layers if layer.visible]
    for key, count in (*drawn, *((layer.key, len(layer.shapes)) for layer in scene.shapes)):
        if len(records.get(key, ())) < count:
            raise QjmapError(f"“{key}”有 {count} 个图标或图形,但只有 {len(records.get(key, ()))} 份说明")
    texts = _Texts()
    cards = {
        key: {"label": district.registry.layers[key].label, "cards": [_card(one, texts) for one in some]}
        for key, some in records.items()
    }
    named = [_card(one, texts) for one in towns]
    rest = {"texts": texts.known, "layers": cards, "towns": named}
    data = f'{{"base":{base_json},"scene":{scene_json(scene)},"more":{_json(rest)}}}'
    invented = any(demo for some in (*records.values(), towns) for one in some for _, demo in one.tags)
    invented = invented or any(strong for _, strong in scene.notices)
    return _page(replace(about, notices=(district.boundary_notice,)), data, demo=invented).encode()


def cards_of(
    district: District, frames: Mapping[str, pd.DataFrame], ids: Mapping[str, Sequence[str]]
) -> dict[str, list[Card]]:
    """Make the cards of layers, as `single_file` wants them.

    Parameters
    ----------
    frames
        Layer key → its records.
    ids
        Layer key → ids in the order of the scene's marks.
    """
    cards = {}
    for key, order in ids.items():
        spec, rows = district.registry.layers[key], frames[key].set_index("id", drop=False)
        marked = set(order)
        rest = [one for one in rows.index if one not in marked]
        cards[key] = [of_record(district, spec, row) for _, row in rows.loc[[*order, *rest]].iterrows()]
    return cards


class _Texts:
    """Every text once: thousands of records share most of theirs."""

    def __init__(self) -> None:
        self._place: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self._place.setdefault(text, len(self._place))

    @property
    def known(self) -> list[str]:
        return list(self._place)


def _card(card: Card, texts: _Texts) -> list[object]:
    """Write a card as numbers of texts: title, tags (negative where invented, from −1), labels and values in turn."""
    tags = [-1 - texts.number(text) if demo else texts.number(text) for text, demo in card.tags]
    return [texts.number(card.title), tags, [texts.number(text) for pair in card.pairs for text in pair]]


def _page(about: Metadata, data: str, *, demo: bool) -> str:
    scripts = [_asset("map.js"), _own("standalone.js")]
    sheet = _asset("map.css") + _own("standalone.css")
    policy = (
        f"default-src 'none'; script-src {_hashes(scripts)}; style-src {_hashes([sheet])}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    info = about.info(demo=demo)
    title = info.pop("内容")
    rows = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in info.items())
    warning = '<p class="demo">含演示数据(程序编造,非真实记录),不能作为工作依据。</p>' if demo else ""
    return f"""<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>{sheet}</style>
</head>
<body>
<header><h1>{escape(title)}</h1>{warning}<p>点图标看记录,点街镇看数字;同样的内容列在图下的表里。</p></header>
<main>
<div id="map" role="region" aria-label="地图"></div>
<noscript><p class="demo">浏览器关闭了脚本,地图不能显示。</p></noscript>
<section id="tables" aria-label="表"></section>
</main>
<footer><dl>{rows}</dl></footer>
<script type="application/json" id="data">{data}</script>
<script>{scripts[0]}</script>
<script>{scripts[1]}</script>
</body>
</html>
"""


def _asset(name: str) -> str:
    # a browser takes every line end for \n before it reckons a hash
    return assets.content(name).decode().replace("\r\n", "\n").replace("\r", "\n")


def _own(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


def _hashes(texts: Iterable[str]) -> str:
    """Name texts by their hashes, as a content security policy does."""
    return " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts
    )


def _json(value: object) -> str:
    """JSON within a script element: no character of it can end the element or start a comment."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
