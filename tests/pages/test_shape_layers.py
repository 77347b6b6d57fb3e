"""Lines and areas on the pages: laid under the marks where there are any, opened as a card, kept in the address."""

import numpy as np
import pandas as pd
import pytest
import shapely
from visit import Page

from qjmap import _shapes, service
from qjmap.access import LOCAL
from qjmap.draft import to_register
from qjmap.ingest import RawTable, parse_csv
from qjmap.registers import load_table
from qjmap.ui import source

OVER = "叠加图层"


pytestmark = pytest.mark.usefixtures("at_the_machine")


def kept(office, key, *rows):
    """Import rows with a shape in metres round the middle of a town."""
    spec = office.district.registry.spec(key)
    filled = []
    for n, row in enumerate(rows, 1):
        shape = office.district.projection.geometry_to_degrees(row.pop("shape"))
        (text,) = _shapes.write(np.array([shape], dtype=object))
        start = {
            "id": str(n),
            "name": f"{spec.label}{n}",
            "kind": spec.kinds[0],
            "status": "现状",
            "source": "导入",
        }
        filled.append(start | row | {"geometry": text})
    frame = pd.DataFrame(filled, columns=list(spec.columns)).astype("str")
    raw = RawTable("a.geojson", frame, tuple(range(1, len(rows) + 1)))
    service.import_layer(LOCAL, office, key, raw, base=0, why="试验")


def around(office, town, radius=800.0):
    point = office.district.boundaries.geometry[town].representative_point()
    return shapely.box(point.x - radius, point.y - radius, point.x + radius, point.y + radius)


def pills(seen):
    return [one for one in seen.at.sidebar.button_group if one.label == OVER]


def test_without_any_nothing_is_offered_and_nothing_is_asked_for(office):
    for page in ("reservoirs", "fire_stations"):
        seen = Page(page)
        assert not pills(seen)
        assert seen.scene["shapes"] == []
    assert "水库范围" not in Page("overview").text
    wanted = Page("requests")
    assert not any(label in wanted.text for label in ("水库范围", "村(社区)界线", "道路宽"))


def test_zones_lie_under_the_reservoirs_and_open_as_a_card(office):
    kept(
        office,
        "reservoir_zones",
        {"shape": around(office, "石角镇"), "town": "石角镇", "reservoir": "甲水库"},
    )
    seen = Page("reservoirs")
    (layer,) = seen.scene["shapes"]
    assert layer["key"] == "reservoir_zones"
    assert [one["label"] for one in seen.scene["legend"] if "shape" in one] == ["水库范围:淹没区"]
    opened = Page("reservoirs", record="reservoir_zones:1")
    assert opened.card["名称"] == "水库范围1"
    assert opened.card["图形面积"].startswith("2.560 平方千米")
    assert opened.card["水库"] == "甲水库"
    assert opened.scene["shapes"][0]["chosen"] == 0
    assert "看不懂" not in opened.text


def test_zones_may_be_taken_off_and_roads_be_laid_anywhere(office):
    kept(office, "reservoir_zones", {"shape": around(office, "石角镇")})
    kept(office, "roads", {"shape": around(office, "石角镇").exterior})
    off = Page("reservoirs")
    (choice,) = pills(off)
    choice.set_value([])
    assert off.run().scene["shapes"] == []
    stations = Page("fire_stations")
    assert stations.scene["shapes"] == []
    (choice,) = pills(stations)
    choice.set_value(["roads"])
    stations.run()
    assert [one["key"] for one in stations.scene["shapes"]] == ["roads"]
    assert any("道路" in str(one.label) for one in stations.at.expander)


def test_ids_of_shapes_are_their_own(office):
    """A zone that is called as a reservoir is opens itself, not the reservoir."""
    reservoir = source.layer("reservoirs", demo=False).frame.iloc[0]
    kept(office, "reservoir_zones", {"shape": around(office, "石角镇"), "id": reservoir["id"]})
    assert Page("reservoirs", record=f"reservoir_zones:{reservoir['id']}").card["名称"] == "水库范围1"
    assert Page("reservoirs", record=str(reservoir["id"])).card["名称"] == reservoir["name"]


def test_the_overview_counts_and_draws_what_there_is(office):
    kept(office, "roads", {"shape": around(office, "石角镇").exterior, "town": "石角镇"})
    seen = Page("overview", layers=["道路"], record="1")
    assert seen.card["图形长度"] == "6.40 千米(量算)"
    assert seen.scene["shapes"][0]["chosen"] == 0
    assert [one["key"] for one in seen.scene["shapes"]] == ["roads"]
    assert seen.scene["layers"] == []


def test_a_towns_sheet_has_its_zones(office):
    kept(office, "reservoir_zones", {"shape": around(office, "石角镇"), "town": "石角镇"})
    seen = Page("town", town="石角镇")
    assert [one["key"] for one in seen.scene["shapes"]] == ["reservoir_zones"]
    assert "水库范围" in seen.text
    assert Page("town", town="打通镇").scene["shapes"] == []


def test_the_desk_lists_draws_and_edits_but_leaves_the_shape_alone(office):
    kept(office, "roads", {"shape": around(office, "石角镇").exterior, "town": "石角镇"})
    seen = Page("records", layer="道路", record="1")
    assert seen.scene["shapes"][0]["chosen"] == 0
    assert "图形在此页不能改" in seen.text
    seen.at.text_input(key="cell|roads|1|number").set_value("X123")
    seen.at.text_input(key="records-why").set_value("核对")
    seen.at.button(key="save-record").click()
    seen.run()
    assert "已存为第 2 版" in seen.text
    frame = source.layer("roads", demo=False).frame
    assert frame["number"].tolist() == ["X123"]
    assert frame["length_m"].iat[0] == pytest.approx(6400, abs=1)
    listed = Page("records", layer="道路")
    assert not [one for one in listed.at.button if one.key == "add-record"]
    assert listed.rows("records-placed")["1"]["name"] == "道路1"


def test_sources_count_what_was_brought(office):
    kept(office, "roads", {"shape": around(office, "石角镇").exterior})
    assert Page("sources").rows("layers")["roads"]["brought"] == 1
    assert "reservoir_zones" not in Page("sources").rows("layers")


def test_people_of_villages_live_where_their_areas_are(office):
    """A list of people by village and a file of their areas are worth more together than apart."""
    place = office.district
    own = load_table(place, "villages")
    own.loc[own["town"] == "永新镇", "population"] = 500
    raw = parse_csv(to_register(own, place.registry.spec("villages")), "人口.csv")
    service.import_layer(LOCAL, office, "villages", raw, base=0, why="村社人口")
    seen = Page("fire_water", demo="true")
    assert "分村人口不全,村还没有坐标、界线,或村比服务半径还大,未用" in seen.text
    names = own.loc[own["town"] == "永新镇", "name"]
    areas = [
        {"id": f"V{n}", "name": name, "town": "永新镇", "shape": around(office, "永新镇", 50 + n)}
        for n, name in enumerate(names)
    ]
    kept(office, "village_areas", *areas)
    assert "1 个街镇按村(社区)人口和位置计算" in Page("fire_water", demo="true").text
