"""The single file: everything in it, nothing asked of anybody, and no way out of its data."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from qjmap import cards, standalone, summary
from qjmap.cards import Card
from qjmap.errors import QjmapError
from qjmap.export import Metadata
from qjmap.marks import marks, notices, shape_layer
from qjmap.registers import load_layer
from qjmap.ui import source
from qjmap.webmap import Scene
from tests.conftest import write_layer

HOSTILE = "</script><!--<script>alert(1)</script>&\u2028{{7*7}}<img src=x onerror=alert(1)>"
ABOUT = Metadata(
    title="方格区医疗卫生机构",
    when=date(2026, 1, 2),
    filter="街镇:甲街道",
    standard="院前急救服务半径",
    sources=("《方格区规划》",),
)


def scene_of(district, layer):
    shown = summary.placed(layer.frame)
    return Scene(layers=[marks(district, layer.spec, shown)], notices=notices(district, demo=False)), {
        layer.spec.key: shown["id"].tolist()
    }


GROUND = json.dumps({"towns": [], "bounds": [[28, 106], [29, 107]], "palette": {}, "attribution": "x"})


def made(district, **over):
    layer = load_layer(district, "health")
    scene, ids = scene_of(district, layer)
    parts = {
        "records": standalone.cards_of(district, {"health": layer.frame}, ids),
        "towns": [cards.of_town(district, str(town)) for town in district.towns.index],
        "about": ABOUT,
        "scene": scene,
    } | over
    scene = parts.pop("scene")
    return standalone.single_file(district, GROUND, scene, **parts).decode()


def data_of(text):
    (block,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return json.loads(block)


def read(more, card):
    say = more["texts"].__getitem__
    title, tags, pairs = card
    return (
        say(title),
        [(say(-1 - n), True) if n < 0 else (say(n), False) for n in tags],
        [(say(a), say(b)) for a, b in zip(pairs[::2], pairs[1::2], strict=True)],
    )


def test_every_mark_has_its_card_and_what_has_no_place_comes_last(grid_district):
    layer = load_layer(grid_district, "health")
    data = data_of(made(grid_district))
    points = np.frombuffer(base64.b64decode(data["scene"]["layers"][0]["points"]), "<i4").reshape(-1, 2) / 1e5
    found = [read(data["more"], card) for card in data["more"]["layers"]["health"]["cards"]]
    assert len(found) == len(layer.frame) == 3
    assert len(points) == 2
    by_id = layer.frame.set_index("id")
    for n, (title, _, pairs) in enumerate(found):
        record = by_id.loc[dict(pairs)["编号"]]
        assert title == record["name"]
        assert dict(pairs)["来源"] == "《方格区规划》表1"
        if n < len(points):
            lon, lat = grid_district.projection.to_degrees([record["x"]], [record["y"]])
            assert points[n] == pytest.approx([lon[0], lat[0]], abs=1e-5)
            assert float(dict(pairs)["定位误差"].split()[0].replace(",", "")) >= 0
        else:
            assert np.isnan(record["x"])


def test_it_says_what_it_is(grid_district):
    text = made(grid_district)
    for said in (
        "方格区医疗卫生机构",
        "街镇:甲街道",
        "院前急救服务半径",
        "《方格区规划》",
        "2026-01-02",
        "示意界线",
    ):
        assert said in text
    assert "演示" not in re.sub(r"<(script|style)[^>]*>.*?</\1>", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("where", ["card", "map"])
def test_what_is_invented_is_said_at_the_top(grid_district, where):
    layer = load_layer(grid_district, "health")
    scene, ids = scene_of(grid_district, layer)
    records = standalone.cards_of(grid_district, {"health": layer.frame}, ids)
    if where == "card":
        records["health"][0] = Card("甲", [("演示数据,非真实记录", True)], [])
    else:
        scene = Scene(layers=scene.layers, notices=notices(grid_district, demo=True))
    text = made(grid_district, records=records, scene=scene)
    assert "含演示数据(程序编造,非真实记录),不能作为工作依据" in text.split("<main>")[0]


def test_nothing_in_it_may_ask_anybody(grid_district):
    text = made(grid_district)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "\r" not in text  # or a browser reckons other hashes
    for kind, tag in (("script-src", "script"), ("style-src", "style")):
        allowed = re.search(rf"{kind} ([^;]*);", policy)[1].split()
        there = [
            f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'"
            for body in re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        ]
        assert allowed == there
    outside = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", text, flags=re.DOTALL)
    assert not re.search(r"(src|href|action)\s*=", outside)
    assert " style=" not in outside


def test_hostile_words_stay_words(grid_district):
    about = Metadata(
        title=HOSTILE, when=date(2026, 1, 2), filter=HOSTILE, standard=HOSTILE, sources=(HOSTILE,)
    )
    records = {"health": [Card(HOSTILE, [(HOSTILE, True)], [(HOSTILE, HOSTILE)])] * 3}
    towns = [Card(HOSTILE, [], [(HOSTILE, HOSTILE)])]
    text = made(grid_district, records=records, towns=towns, about=about)
    assert text.count("<script") == text.count("</script>") == 3
    assert "<img" not in text
    assert text.count("<!--") == 0
    more = data_of(text)["more"]
    assert read(more, more["layers"]["health"]["cards"][2]) == (
        HOSTILE,
        [(HOSTILE, True)],
        [(HOSTILE, HOSTILE)],
    )


def test_a_mark_without_a_card_is_refused(grid_district):
    with pytest.raises(QjmapError, match="2 个图标"):
        made(grid_district, records={"health": []})


def test_two_thousand_hydrants_fit_in_two_megabytes(qijiang):
    layer = load_layer(qijiang, "hydrants")
    layer = replace(layer, frame=pd.concat([layer.frame] * 3).head(2000).assign(id=range(2000)))
    scene, ids = scene_of(qijiang, layer)
    file = standalone.single_file(
        qijiang,
        source.ground(),
        scene,
        about=ABOUT,
        records=standalone.cards_of(qijiang, {"hydrants": layer.frame}, ids),
        towns=[cards.of_town(qijiang, str(town)) for town in qijiang.towns.index],
    )
    assert len(data_of(file.decode())["more"]["layers"]["hydrants"]["cards"]) == 2000
    assert len(file) < 2_000_000


def test_lines_and_areas_have_their_cards_too(grid_root, grid_district):
    area = "POLYGON ((106.5 29, 106.51 29, 106.51 29.01, 106.5 29))"
    write_layer(grid_root, "reservoir_zones", [{"geometry": area, "reservoir": "甲水库"}])
    zones = load_layer(grid_district, "reservoir_zones")
    scene = Scene(shapes=[shape_layer(grid_district, zones.spec, zones.frame)])
    records = standalone.cards_of(
        grid_district, {"reservoir_zones": zones.frame}, {"reservoir_zones": zones.frame["id"].tolist()}
    )
    data = data_of(made(grid_district, scene=scene, records=records))
    assert len(data["scene"]["shapes"]) == 1
    title, _, pairs = read(data["more"], data["more"]["layers"]["reservoir_zones"]["cards"][0])
    assert title == "设施1"
    assert dict(pairs)["水库"] == "甲水库"
    with pytest.raises(QjmapError, match="说明"):
        made(grid_district, scene=scene, records={})
