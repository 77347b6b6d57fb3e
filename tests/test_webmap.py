"""What reaches the browser: small, constant where it must be, harmless whatever a name says, and asking nobody."""

import base64
import html
import json
import re
import shutil
from importlib import metadata, resources
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
import streamlit_folium
from xstatic.pkg import leaflet

from qjmap import assets, webmap
from qjmap.ui import source
from qjmap.webmap import CoverageDrawing, MarkLayer, MarkStyle, Scene, ShapeLayer, ShapeStyle, Zone

HOSTILE = "</script><img src=x onerror=alert(1)>&amp;<!--\u2028\u2029{{ 7 * 7 }}{% raw %}\"'\\n\n`${1}`"
STAR = "M12 2l10 10-10 10L2 12z"


def layer(n=3, **fields):
    """A layer of n points near 綦江; positions from a fixed seed."""
    random = np.random.default_rng(7)
    made = {
        "key": "hydrants",
        "lon": 106.3 + random.random(n) * 0.8,
        "lat": 28.5 + random.random(n) * 0.8,
        "symbol": STAR,
        "styles": [MarkStyle("消火栓"), MarkStyle("消火栓(演示)", "#888888", hollow=True)],
        "classes": np.zeros(n, dtype=np.uint8),
    }
    return MarkLayer(**(made | fields))


def drawing(n=3, error=0.0, **fields):
    zones = [Zone(150.0, ["古南街道"]), Zone(400.0, ["石角镇", "东溪镇"])]
    return CoverageDrawing(of=0, zones=zones, error_m=np.full(n, error), **fields)


def read(scene):
    return json.loads(webmap.scene_json(scene))


def numbers(text, dtype):
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


@pytest.fixture(scope="module")
def ground():
    """The real district's base map."""
    return source.ground()


@pytest.fixture
def sent(monkeypatch, ground):
    """Give everything that streamlit-folium sends to the browser for a scene."""
    caught = {}

    def component(**arguments):
        caught.update(arguments)
        return arguments["default"]

    monkeypatch.setattr(streamlit_folium, "_component_func", component)

    def send(scene, base=ground):
        streamlit_folium.st_folium(
            webmap.folium_map(base, (106.65, 28.88)),
            key="map",
            returned_objects=[],
            feature_group_to_add=webmap.feature_group(scene),
        )
        return dict(caught)

    return send


# ---- what a scene says --------------------------------------------------------------------------


def test_positions_come_back_to_a_hundred_thousandth_of_a_degree():
    points = layer(500)
    pairs = numbers(read(Scene([points]))["layers"][0]["points"], "<i4").reshape(-1, 2) / 1e5
    assert np.abs(pairs[:, 0] - points.lon).max() <= 0.5e-5 + 1e-12
    assert np.abs(pairs[:, 1] - points.lat).max() <= 0.5e-5 + 1e-12


def test_positions_on_the_other_side_of_the_world_fit_too():
    far = layer(4, lon=np.array([-180, 180, 0, 106.65]), lat=np.array([-90, 90, 0, 28.88]))
    pairs = numbers(read(Scene([far]))["layers"][0]["points"], "<i4").reshape(-1, 2) / 1e5
    assert pairs.tolist() == [[-180, -90], [180, 90], [0, 0], [106.65, 28.88]]


def test_classes_come_back_and_one_class_costs_nothing():
    classes = np.array([1, 0, 1], dtype=np.uint8)
    said = read(Scene([layer(classes=classes)]))["layers"][0]
    assert numbers(said["classes"], "u1").tolist() == [1, 0, 1]
    assert said["styles"][1] == {"colour": "#888888", "hollow": True}
    assert read(Scene([layer()]))["layers"][0]["classes"] == ""


def test_errors_come_back_one_for_all_or_one_for_each():
    assert numbers(read(Scene([layer()], drawing(error=10)))["coverage"]["error"], "<f4").tolist() == [10]
    mixed = drawing()
    mixed.error_m[:] = [0, 100, 10522]
    assert numbers(read(Scene([layer()], mixed))["coverage"]["error"], "<f4").tolist() == [0, 100, 10522]


def test_zones_and_what_is_shown_come_back():
    said = read(Scene([layer()], drawing(gap=False)))["coverage"]
    assert said["of"] == 0
    assert said["zones"] == [
        {"radius": 150.0, "towns": ["古南街道"]},
        {"radius": 400.0, "towns": ["石角镇", "东溪镇"]},
    ]
    assert said["show"] == {"covered": True, "possible": True, "gap": False}


def test_the_legend_names_what_is_there_and_nothing_else():
    def labels(scene):
        return [entry["label"] for entry in read(scene)["legend"]]

    assert labels(Scene([layer()])) == ["消火栓"]
    both = layer(classes=np.array([0, 1, 1], dtype=np.uint8))
    assert labels(Scene([both])) == ["消火栓", "消火栓(演示)"]
    assert labels(Scene([layer(visible=False)], drawing())) == ["覆盖", "未覆盖"]
    # only an error makes a place that is perhaps covered
    assert labels(Scene([], drawing(error=10))) == ["覆盖", "可能覆盖(受定位误差影响)", "未覆盖"]
    assert labels(Scene([], drawing(error=10, possible=False))) == ["覆盖", "未覆盖"]
    shaded = Scene(shades={"石角镇": "#fff"}, shade_title="人口,人", shade_legend=[("1–2", "#fff")])
    assert labels(shaded) == ["人口,人", "1–2"]


def test_an_empty_scene_and_an_empty_layer_are_scenes():
    assert read(Scene())["layers"] == []
    assert read(Scene([layer(0)], drawing(0)))["layers"][0]["points"] == ""


def test_focus_and_the_chosen_record_are_where_they_are():
    said = read(Scene(focus=("石角镇", (106.6, 28.8, 106.8, 28.9)), chosen=(106.1234567, 28.5, 10522.0)))
    assert said["focus"] == {"id": "石角镇", "bounds": [[28.8, 106.6], [28.9, 106.8]]}
    assert said["chosen"] == {"lon": 106.123457, "lat": 28.5, "error": 10522.0}


def test_the_same_scene_has_the_same_id_and_another_another():
    once, again = read(Scene([layer()], drawing()))["id"], read(Scene([layer()], drawing()))["id"]
    assert once == again
    assert read(Scene([layer()], drawing(gap=False)))["id"] != once


# ---- how much is sent ---------------------------------------------------------------------------


def test_twenty_thousand_points_stay_small(sent):
    scene = Scene([layer(20_000, classes=np.arange(20_000).astype(np.uint8) % 2)], drawing(20_000, error=10))
    assert len(webmap.scene_json(scene).encode()) < 400_000
    # and streamlit-folium adds next to nothing
    assert len(sent(scene)["feature_group"].encode()) < 400_000


def test_the_base_map_is_the_same_whatever_is_on_it(sent, ground):
    """The component mounts the map again when its script changes: the view would jump at every filter."""
    one = sent(Scene([layer()]))
    other = sent(Scene([layer(50)], drawing(50, error=5), town="石角镇", notices=[("含演示数据", True)]))
    constant = [key for key in one if key not in ("feature_group", "on_change")]
    assert {key: one[key] for key in constant} == {key: other[key] for key in constant}
    assert one["feature_group"] != other["feature_group"]
    assert source.ground() == ground
    assert len(ground.encode()) < 200_000


# ---- whatever a name says -----------------------------------------------------------------------


def hostile_scene():
    return Scene(
        layers=[
            layer(key=HOSTILE, names=[HOSTILE] * 3, styles=[MarkStyle(HOSTILE, HOSTILE)], symbol=HOSTILE)
        ],
        coverage=CoverageDrawing(0, [Zone(1.0, [HOSTILE])], np.zeros(3)),
        shades={HOSTILE: HOSTILE},
        shade_title=HOSTILE,
        shade_legend=[(HOSTILE, HOSTILE)],
        town=HOSTILE,
        focus=(HOSTILE, (0.0, 0.0, 1.0, 1.0)),
        notices=[(HOSTILE, True)],
    )


def hostile_ground():
    square = gpd.GeoDataFrame(
        {"label_lon": [0.5], "label_lat": [0.5]}, index=[HOSTILE], geometry=[shapely.box(0, 0, 1, 1)]
    )
    return webmap.base_map(HOSTILE, square, square.iloc[:0], {HOSTILE: (0.5, 0.5)})


@pytest.mark.parametrize("text", [webmap.scene_json(hostile_scene()), hostile_ground()])
def test_no_text_of_the_data_can_end_a_script(text):
    assert not set("<>&\n\u2028\u2029") & set(text)


def test_hostile_names_come_back_unchanged():
    said = read(hostile_scene())
    assert said["layers"][0]["names"] == [HOSTILE] * 3
    assert said["notices"] == [{"text": HOSTILE, "strong": True}]
    assert list(said["shades"].items()) == [(HOSTILE, HOSTILE)]
    assert json.loads(hostile_ground())["towns"][0]["name"] == HOSTILE


def test_hostile_names_reach_the_browser_unchanged_and_inside_strings(sent):
    """Through folium's templates and streamlit-folium's replacements: nothing is evaluated, nothing cut."""
    said = sent(hostile_scene(), hostile_ground())
    ground = argument(said["script"], "qjmap.base(map_div, ")
    assert ground["towns"][0]["name"] == HOSTILE
    assert ground["attribution"] == f"{HOSTILE}一张图"
    scene = argument(said["feature_group"], "qjmap.scene(")
    assert scene == read(hostile_scene())
    assert not re.search(r"</script|<!--", said["script"] + said["feature_group"])
    assert not any("<img" in said[part] for part in ("script", "feature_group", "html", "header"))


def argument(script, call):
    """Read the JSON that a call in a script is given."""
    return json.JSONDecoder().raw_decode(script[script.index(call) + len(call) :])[0]


@pytest.mark.parametrize(
    "name", ["{{ 7 * 7 }}", "{{{7*7}}}", "{% for x in y %}", "{#", "{{%", "}}", "{", "{\\{"]
)
def test_a_name_is_never_run_as_a_template_on_the_server(sent, name):
    """branca compiles the finished script as a Jinja template: a name from a file would run on the server."""
    said = sent(Scene([layer(names=[name] * 3)], town=name))
    scene = argument(said["feature_group"], "qjmap.scene(")
    assert scene["layers"][0]["names"] == [name] * 3
    assert scene["town"] == name


# ---- asks nobody --------------------------------------------------------------------------------

ADDRESS = re.compile(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", re.IGNORECASE)


def test_nothing_sent_to_the_browser_names_an_address(sent):
    said = sent(Scene([layer(names=list("甲乙丙"))], drawing(error=10), notices=[("示意界线", False)]))
    assert not ADDRESS.search(json.dumps(said, ensure_ascii=False, default=str))
    links = said["js_links"] + said["css_links"]
    assert len(links) == 2
    assert all(link.startswith("../../app/static/") for link in links)


def test_the_map_alone_names_no_address_either(ground):
    chart = webmap.folium_map(ground, (106.65, 28.88))
    webmap.feature_group(Scene([layer()])).add_to(chart)
    assert not ADDRESS.search(html.unescape(chart.get_root().render()))


@pytest.mark.parametrize("name", ["qjmap.js", "map.css"])
def test_our_own_script_and_style_name_no_address(name):
    text = (resources.files("qjmap") / "static" / name).read_text(encoding="utf-8")
    assert not ADDRESS.search(text.replace("http://www.w3.org/2000/svg", ""))


# ---- the files beside the app -------------------------------------------------------------------


def test_the_installed_leaflet_is_what_is_served(tmp_path):
    folder = assets.install(tmp_path)
    assert folder == tmp_path / "static"
    installed, ours = Path(leaflet.BASE_DIR), resources.files("qjmap") / "static"
    for served, theirs, own in (("map.js", "leaflet.js", "qjmap.js"), ("map.css", "leaflet.css", "map.css")):
        content = (folder / served).read_bytes()
        assert content.startswith((installed / theirs).read_bytes())
        assert content.endswith((ours / own).read_bytes())
    assert metadata.version("XStatic-Leaflet").encode()[:5] in (folder / "map.js").read_bytes()[:200]


def test_a_second_start_writes_nothing_and_a_changed_file_is_mended(tmp_path):
    folder = assets.install(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    (folder / "own.txt").write_text("stays")
    assets.install(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    (folder / "map.js").write_text("broken")
    shutil.copy(folder / "map.js", folder / "map.css")
    assets.install(tmp_path)
    assert (folder / "map.js").read_bytes() == assets.content("map.js")
    assert (folder / "map.css").read_bytes() == assets.content("map.css")
    assert (folder / "own.txt").read_text() == "stays"


def test_every_link_of_the_map_is_a_file_that_is_installed(sent, tmp_path):
    folder = assets.install(tmp_path)
    said = sent(Scene())
    assert said["js_links"]
    assert said["css_links"]
    for link in said["js_links"] + said["css_links"]:
        name, _, version = link.removeprefix("../../app/static/").partition("?v=")
        assert (folder / name).exists()
        assert version  # a changed file has another address


# ---- lines and areas ------------------------------------------------------------------------------------


SQUARE = shapely.box(106.5, 28.8, 106.6, 28.9)
INNER = shapely.box(106.52, 28.82, 106.53, 28.83)
RING = SQUARE.difference(INNER)
LINE = shapely.LineString([(106.5, 28.8), (106.7, 28.9)])


def shape_layer(shapes=(RING, LINE, INNER), **fields):
    made = {
        "key": "zones",
        "shapes": np.array(shapes, dtype=object),
        "styles": [ShapeStyle("管理范围", "#1d4f8c", fill=True), ShapeStyle("规划", "#c2500a", dashed=True)],
        "classes": np.zeros(len(shapes), dtype=np.uint8),
    }
    return ShapeLayer(**(made | fields))


def test_lines_and_areas_travel_ring_by_ring_and_small_ones_lie_above():
    (sent_layer,) = read(Scene(shapes=[shape_layer(names=["一", "二", "三"], chosen=2)]))["shapes"]
    assert numbers(sent_layer["owners"], "<i4").tolist() == [0, 0, 1, 2]
    assert numbers(sent_layer["closed"], "u1").tolist() == [1, 1, 0, 1]
    assert numbers(sent_layer["lengths"], "<i4").tolist() == [5, 5, 2, 5]
    assert numbers(sent_layer["order"], "<i4").tolist() == [0, 2, 1]
    points = numbers(sent_layer["points"], "<i4").reshape(-1, 2) / 1e5
    assert points[10:12].tolist() == [[106.5, 28.8], [106.7, 28.9]]
    assert (sent_layer["names"], sent_layer["chosen"]) == (["一", "二", "三"], 2)
    assert sent_layer["styles"][0]["fill"] == "rgba(29,79,140,0.16)"
    assert sent_layer["styles"][1] == {"colour": "#c2500a", "fill": None, "dashed": True}


def test_the_legend_names_the_kinds_of_shapes_that_are_there():
    assert [entry["label"] for entry in read(Scene(shapes=[shape_layer()]))["legend"]] == ["管理范围"]
    (entry,) = read(Scene(shapes=[shape_layer([LINE], classes=np.array([1], dtype=np.uint8))]))["legend"]
    assert entry["label"] == "规划"
    assert entry["shape"] == {"colour": "#c2500a", "fill": None, "dashed": True, "area": False}


def test_shapes_are_simplified_to_what_the_screen_shows_and_coarser_only_when_said(monkeypatch):
    fine = shapely.LineString(np.column_stack([np.linspace(106.5, 106.6, 5000), np.full(5000, 28.8)]))
    (layer_sent,) = read(Scene(shapes=[shape_layer([fine])]))["shapes"]
    assert numbers(layer_sent["lengths"], "<i4").tolist() == [2]
    monkeypatch.setattr(webmap, "MOST_VERTICES", 50)
    round_one = shapely.Point(106.5, 28.8).buffer(0.1, quad_segs=100)
    sent_scene = read(Scene(shapes=[shape_layer([round_one])]))
    assert numbers(sent_scene["shapes"][0]["lengths"], "<i4").sum() <= 50
    assert "已简化" in sent_scene["legend"][-1]["label"]


def test_shapes_without_a_line_or_area_are_not_drawn():
    odd = [shapely.Point(106.5, 28.8), None, shapely.Polygon(), shapely.GeometryCollection([LINE, SQUARE])]
    (layer_sent,) = read(Scene(shapes=[shape_layer(odd)]))["shapes"]
    assert numbers(layer_sent["owners"], "<i4").tolist() == [3, 3]
    assert len(numbers(layer_sent["order"], "<i4")) == 4
    (nothing,) = read(Scene(shapes=[shape_layer([])]))["shapes"]
    assert nothing["points"] == ""
