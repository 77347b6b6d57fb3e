"""Whose lines they are is said in the same words wherever a map or a figure cut by them goes."""

from __future__ import annotations

import json
from datetime import date

import pytest
import shapely
from matplotlib.text import Text

from qjmap import cards, cartography, draft, export, marks, outlines, registers, standalone, wanted
from qjmap.assess import assess
from qjmap.bulletin import district_bulletin, town_bulletin
from qjmap.contents import BOUNDARIES, GEOJSON, Content
from qjmap.district import load_district
from qjmap.ingest import read
from qjmap.rulebook import load_standards
from qjmap.webmap import Scene, scene_json
from tests import official
from tests.conftest import GRID_KEY, write_layer

WHEN = date(2026, 11, 22)
SAID = "界线由方格区民政局提供,2026-11-22导入"
SCHEMATIC = "示意界线,非法定界线"
RULE = """
[rules.per_area]
title = "每10平方千米一家卫生院"
kind = "per_capita"
layers = ["health"]
of = "area_km2"
per = 10
figure = 1
unit = "所"
binding = "约束性"
wording = "应"
document = "plan"
clause = "二(一)"
department = "区卫生健康委"
source_status = "读过原文"
"""


@pytest.fixture
def lines(grid_district, grid_root):
    """The same small district by lines that an office provided."""
    (given,) = read("界线.geojson", official.geojson(official.areas(grid_district, (0, 0))))
    found = outlines.official(given, grid_district, "XZQMC")
    data = outlines.signed(found, {"provider": "方格区民政局", "imported": "2026-11-22"})
    return load_district(GRID_KEY, grid_root, kept={BOUNDARIES: Content("第 2 版", data, GEOJSON)})


def everything(district) -> dict[str, str]:
    """All that leaves the house of a district, as text."""
    path = district.root / "standards.toml"
    path.write_text(RULE, encoding="utf-8")
    standards = load_standards(path, district.registry, district.documents.index)
    layer = registers.load_layer(district, "health")
    found = assess(district, {"health": layer}, standards, 2020)
    scene = Scene(
        layers=[marks.marks(district, layer.spec, layer.frame[layer.frame["x"].notna()])],
        notices=marks.notices(district, demo=False),
    )
    town = str(district.towns.index[4])
    about = export.Metadata("方格区", WHEN, notices=(district.boundary_notice,))
    ground = json.dumps({"towns": [], "bounds": [[28, 106], [29, 107]], "palette": {}, "attribution": "x"})
    ids = layer.frame.loc[layer.frame["x"].notna(), "id"].tolist()
    records = standalone.cards_of(district, {"health": layer.frame}, {"health": ids})
    own = [cards.of_town(district, str(name)) for name in district.towns.index]
    figure = cartography.draw(
        district, scene, cartography.sheet_for(district, "图", WHEN), cartography.Paper("A4")
    )
    paper = "".join(one.get_text() for one in figure.findobj(Text)).replace("\n", "").replace(" ", "")
    return {
        "scene": json.dumps(json.loads(scene_json(scene)), ensure_ascii=False),
        "finding": "\n".join(one.base_text for one in found),
        "card": repr(cards.of_town(district, town)),
        "file": export.to_geojson(layer.frame, layer.spec, metadata=about).decode(),
        "single": standalone.single_file(
            district, ground, scene, records=records, towns=own, about=about
        ).decode(),
        "paper": paper,
        "bulletin": repr(district_bulletin(district, found, when=WHEN)),
        "town bulletin": repr(town_bulletin(district, found, town, when=WHEN)),
    }


def test_official_lines_are_called_so_everywhere(lines):
    for name, text in everything(lines).items():
        assert "示意" not in text, name
        plain = text.replace("\uff0c", ",")
        words = {"finding": "(导入界线)", "card": "(按导入界线量算)"}.get(name, SAID)
        assert words in plain, name
    assert draft.surroundings(lines).ground.official


def test_schematic_lines_are_called_so_everywhere(grid_district):
    for name, text in everything(grid_district).items():
        plain = text.replace("\uff0c", ",")
        words = {"finding": "(示意界线)", "card": "(按示意界线量算)"}.get(name, SCHEMATIC)
        assert words in plain, name
    assert not draft.surroundings(grid_district).ground.official


def test_lines_that_are_provided_are_not_asked_for(qijiang):
    (given,) = read("界线.geojson", official.geojson(official.areas(qijiang)))
    found = outlines.official(given, qijiang, "XZQMC")
    data = outlines.signed(found, {"provider": "区民政局"})
    new = load_district("qijiang", kept={BOUNDARIES: Content("第 2 版", data, GEOJSON)})
    standards = load_standards(
        qijiang.root / "data" / "standards.toml", qijiang.registry, list(qijiang.documents.index)
    )
    table = registers.load_table(qijiang, "estimates")
    for district, wanted_ in ((qijiang, True), (new, False)):
        found_ = assess(district, {}, standards, 2020)
        asked = [one.what for one in wanted.requests(found_, district, {}, standards, table)]
        assert any("街镇行政区域界线" in one for one in asked) is wanted_


def test_people_by_area_follow_the_lines(grid_district, grid_root):
    frame = official.areas(grid_district, (0, 0))
    west, south, east, north = grid_district.boundaries.geometry["戊镇"].bounds
    degrees = grid_district.projection.geometry_to_degrees
    frame.loc[4, "geometry"] = degrees(shapely.box(west, south, east - 5000, north))
    west, south, east, north = grid_district.boundaries.geometry["己镇"].bounds
    frame.loc[5, "geometry"] = degrees(shapely.box(west - 5000, south, east, north))
    (given,) = read("界线.geojson", official.geojson(frame))
    data = outlines.official(given, grid_district, "XZQMC").geojson
    new = load_district(GRID_KEY, grid_root, kept={BOUNDARIES: Content("b", data, GEOJSON)})
    before, after = needs(grid_district), needs(new)
    assert before["戊镇"] == pytest.approx(10, rel=1e-4)
    assert after["戊镇"] == pytest.approx(5, rel=1e-4)
    assert after["己镇"] == pytest.approx(15, rel=1e-4)


def needs(district) -> dict[str, float]:
    path = district.root / "standards.toml"
    path.write_text(RULE, encoding="utf-8")
    standards = load_standards(path, district.registry, district.documents.index)
    found = assess(district, {"health": registers.load_layer(district, "health")}, standards, 2020)
    return {one.town: one.need for one in found}


def test_records_known_to_their_town_alone_follow_the_lines(grid_district, grid_root):
    write_layer(grid_root, "health", [{"town": "壬镇"}])  # a town without a seat
    west, south, *_ = grid_district.boundaries.geometry["壬镇"].bounds
    frame = official.areas(grid_district, (0, 0))
    small = shapely.box(west, south, west + 4000, south + 4000)
    frame.loc[8, "geometry"] = grid_district.projection.geometry_to_degrees(small)
    (given,) = read("界线.geojson", official.geojson(frame))
    data = outlines.official(given, grid_district, "XZQMC").geojson
    new = load_district(GRID_KEY, grid_root, kept={BOUNDARIES: Content("b", data, GEOJSON)})
    for district, centre, error in (
        (grid_district, (west + 5000, south + 5000), 5000 * 2**0.5),
        (new, (west + 2000, south + 2000), 2000 * 2**0.5),
    ):
        (record,) = registers.load_layer(district, "health").frame.to_dict("records")
        assert record["position"] == "镇域近似"
        assert (record["x"], record["y"]) == pytest.approx(centre, abs=2)
        assert record["error_m"] == pytest.approx(error, abs=3)


def test_words_that_would_be_commands_elsewhere_are_only_words(grid_district, grid_root):
    (given,) = read("界线.geojson", official.geojson(official.areas(grid_district, (0, 0))))
    found = outlines.official(given, grid_district, "XZQMC")
    provider = r"$\frac{a}$<b>局</b>{{7*7}} #let =1+1"
    data = outlines.signed(found, {"provider": provider})
    new = load_district(GRID_KEY, grid_root, kept={BOUNDARIES: Content("b", data, GEOJSON)})
    said = everything(new)
    assert provider.replace(" ", "") in said["paper"]
    assert "{{7*7}} #let =1+1" in said["bulletin"]
    assert "<b>局" not in said["single"].replace("\\u003cb", "")
