"""Every page, with the real data, however it is asked for."""

import json

import pytest
from visit import ADDRESS, LAYER_IN_ADDRESS, MAPPED, PAGES, Page

from qjmap.registers import load_layer

LAYERS = {
    "health": ("医疗卫生机构", "卫生重大工程项目"),
    "fire_stations": ("消防站(队)", "微型消防站", "街镇应急救援队伍"),
    "fire_water": ("消火栓", "消防水池与取水点", "水库"),
}
FOCUS = {"town": "石角镇"}
UNKNOWN = {
    "town": "不存在镇",
    "record": "不存在",
    "health-layer": "不存在",
    "layers": "不存在",
    "shade": "不存在",
    "health-towns": "不存在",
    "year": "1066",
    "demo": "也许",
    "health-rule": "不存在",
    "health-kind": "不存在",
    "health-by": "不存在",
    "health-show": "不存在",
    "health-ems-radius-urban": "很远",
    "health-ems-radius-rural": "-5",
    "hydrants-rule": "不存在",
    "part": "不存在",
    "health-q": "%00<script>alert(1)</script>",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_what_every_page_must_have(page):
    seen = Page(page)
    assert seen.problems == ""
    assert "<h1>" in seen.html
    assert "人口:2020年 775,509 人" in seen.text
    assert "界线:示意界线,非法定界线" in seen.text  # the foot
    assert "版本" in seen.text
    # whose line it is stands on the map itself, and no map asks anybody for anything
    assert bool(seen.maps) or page not in MAPPED
    for number in range(len(seen.maps)):
        assert "示意界线,非法定界线" in [notice["text"] for notice in seen.scene_of(number)["notices"]]
    assert not ADDRESS.search(json.dumps(seen.maps))
    # nothing of the machinery shows through
    assert not {"nan", "None", "NaN", "<NA>"} & set(seen.text.replace("\n", " ").split())


@pytest.mark.parametrize("page", MAPPED)
def test_one_click_takes_every_invented_record_off_a_page(page, qijiang):
    seen = Page(page, demo="false")
    assert seen.problems == ""
    assert "程序编造" not in seen.text
    assert "演示数据" not in [notice["text"] for notice in seen.scene["notices"]]
    assert "演示" not in json.dumps(seen.scene["legend"], ensure_ascii=False)
    if page == "overview":
        assert all(row["n_hydrants"] == 0 for row in seen.rows("towns").values())
    if page == "fire_water":
        assert seen.figure("消火栓") == len(load_layer(qijiang, "hydrants", demo=False).frame) == 0
        # nothing known is not a shortage
        assert "这是数据不足,不等于没有设施" in seen.text
        assert "未覆盖人口" not in seen.figures


@pytest.mark.parametrize("page", ["fire_stations", "fire_water", "highrise", "sources"])
def test_invented_records_are_marked_where_they_are_shown(page):
    seen = Page(page)
    assert "本页含演示数据(程序编造,非真实记录)" in seen.text
    if page != "sources":  # its map shows only what is not invented
        assert "含演示数据,非真实记录" in [notice["text"] for notice in seen.scene["notices"]]
        assert "(演示)" in json.dumps(seen.scene["legend"], ensure_ascii=False) or page == "highrise"


@pytest.mark.parametrize("page", [name for name in MAPPED if name != "sources"])
def test_a_town_in_the_address_is_opened(page, qijiang):
    seen = Page(page, **FOCUS)
    assert seen.card["名称"] == "石角镇"
    people = qijiang.towns.at["石角镇", "population_2020"]
    assert seen.card["人口"].startswith(f"{people:,} 人(2020年估算)")
    assert seen.scene["town"] == "石角镇"
    (south, west), (north, _) = seen.scene["focus"]["bounds"]
    assert west < 106.8 < 107.2
    assert south < north
    assert seen.tables[next(key for key in seen.tables if key.startswith("towns"))]["selected"] == "石角镇"
    assert seen.html.count("<dt>人口</dt>") == 1


@pytest.mark.parametrize("page", PAGES)
def test_what_an_address_says_amiss_is_left_aside(page):
    seen = Page(page, **UNKNOWN)
    assert seen.problems == ""
    if page in MAPPED:
        assert seen.card == {}
        assert seen.scene["town"] is None
        assert seen.scene["chosen"] is None
    assert "<script>" not in seen.html


@pytest.mark.parametrize(("page", "layer"), [(p, layer) for p, layers in LAYERS.items() for layer in layers])
def test_every_layer_of_a_page(page, layer, qijiang):
    seen = Page(page, **{LAYER_IN_ADDRESS[page]: layer})
    spec = next(one for one in qijiang.registry.layers.values() if one.label == layer)
    frame = load_layer(qijiang, spec.key).frame
    if spec.key == "health":  # the year of the page leaves out what is only planned
        frame = frame[(frame["status"] == "现状") | (frame["year"] <= 2020)]
    assert seen.problems == ""
    assert seen.figure(layer) == len(frame)
    # as many marks as records with a place, and the others listed
    assert seen.scene["layers"][0]["key"] == spec.key
    unplaced = int(frame["x"].isna().sum())
    assert ("未定位" in seen.figures[layer][1]) == (unplaced > 0)
    if len(frame):
        assert seen.figures[layer][1].startswith(f"{unplaced} " if unplaced else "全部已定位")
    if unplaced:
        assert len(seen.rows("unplaced")) == unplaced


def test_a_record_in_the_address_is_opened_with_its_source():
    seen = Page("health", record="C22")
    assert seen.card["名称"] == "綦江区石角镇蒲河卫生院"
    assert seen.card["2020年编制床位"] == "22 张"
    assert seen.card["来源"].endswith("(綦江府发〔2022〕32号)专栏4")
    assert seen.card["定位方式"] == "镇域近似"
    # how well its place is known is drawn round it
    assert seen.scene["chosen"]["error"] == pytest.approx(
        float(seen.card["定位误差"].split()[0].replace(",", "")), abs=1
    )


def test_a_record_without_a_place_is_opened_and_not_drawn():
    seen = Page("health", record="H01")
    assert seen.card["名称"] == "綦江区人民医院"
    assert seen.card["定位方式"] == "未定位"
    assert seen.scene["chosen"] is None


def test_a_record_of_another_layer_is_not_opened():
    assert Page("health", record="P01").card == {}
    assert Page("health", record="P01", **{"health-layer": "卫生重大工程项目"}).card["编号"] == "P01"


def test_an_invented_record_says_so():
    seen = Page("fire_water", record="D-hydrants-00001")
    assert seen.card["来源"] == "演示(程序编造)"
    assert "演示数据,非真实记录" in seen.html


def test_a_record_of_any_layer_is_opened_on_the_overview():
    assert Page("overview", record="C22").card["编号"] == "C22"
    assert Page("overview", record="P01").card["名称"].endswith("新建项目")


def test_a_record_and_its_town_are_both_opened():
    seen = Page("health", record="C22", town="石角镇")
    assert "<h3>綦江区石角镇蒲河卫生院</h3>" in seen.html
    assert "<h3>石角镇</h3>" in seen.html
    assert [button.label for button in seen.at.button] == ["关闭记录", "返回全区"]
    seen.at.button(key="close-record").click()
    seen.run()
    assert seen.card["名称"] == "石角镇"
    seen.at.button(key="leave-town").click()
    assert seen.run().card == {}
    assert seen.at.query_params == {}
