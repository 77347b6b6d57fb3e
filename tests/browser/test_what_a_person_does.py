"""Choose, click, take away: what an official does on the pages."""

import io
import json
import re

import geopandas as gpd
import openpyxl
import pytest
from serve import drawn, settled

pytestmark = pytest.mark.browser

SCENE = "document.querySelector('[data-scene]').dataset.scene"


def towns_of(page):
    """The rows of the table of towns, the first on a page."""
    return page.locator(".box table").first.locator("tr[data-key]")


def changed(page, frame, was):
    frame.wait_for_function("was => document.querySelector('[data-scene]').dataset.scene !== was", arg=was)
    settled(page)


def click_map(page, frame, lon, lat):
    """Click a place on the map."""
    place = frame.evaluate(
        "([lon, lat]) => { const p = window.map.latLngToContainerPoint([lat, lon]); return [p.x, p.y]; }",
        [lon, lat],
    )
    page.frame_locator("iframe[title='streamlit_folium.st_folium']").locator(".leaflet-container").click(
        position={"x": place[0], "y": place[1]}
    )
    settled(page)


def test_a_filter_is_kept_in_the_address_and_restored_elsewhere(visit, server):
    with visit() as page:
        page.goto(f"{server}/health")
        frame = drawn(page)
        rows = towns_of(page)
        rows.nth(20).wait_for()
        assert rows.count() == 21
        was = frame.evaluate(SCENE)
        page.get_by_role("combobox", name="街镇").click()
        page.get_by_role("option", name="东溪镇").click()
        changed(page, frame, was)
        assert [rows.nth(i).get_attribute("data-key") for i in range(rows.count())] == ["东溪镇"]
        address, scene = page.url, frame.evaluate(SCENE)
    assert "health-towns=" in address
    with visit() as other:
        other.goto(address)
        frame = drawn(other)
        towns_of(other).first.wait_for()
        assert towns_of(other).count() == 1
        assert frame.evaluate(SCENE) == scene


def test_a_row_goes_to_its_town_and_back(visit, server):
    with visit() as page:
        page.goto(f"{server}/health")
        frame = drawn(page)
        zoom = frame.evaluate("window.map.getZoom()")
        was = frame.evaluate(SCENE)
        page.locator("tr[data-key='打通镇']").click()
        changed(page, frame, was)
        assert "town=" in page.url
        assert page.locator(".qj-card h3").inner_text() == "打通镇"
        assert frame.evaluate("window.map.getZoom()") > zoom
        page.get_by_role("button", name="返回全区").click()
        settled(page)
        assert "town=" not in page.url
        assert page.locator(".qj-card").count() == 0


def test_a_row_can_be_reached_and_chosen_by_keyboard(visit, server):
    with visit() as page:
        page.goto(f"{server}/reservoirs")
        drawn(page)
        page.locator("tr[data-key='赶水镇']").focus()
        page.keyboard.press("Enter")
        settled(page)
        assert page.locator(".qj-card h3").inner_text() == "赶水镇"


def test_a_click_on_a_mark_opens_its_record_and_on_land_its_town(visit, server):
    with visit() as page:
        page.goto(f"{server}/health")
        frame = drawn(page)
        click_map(page, frame, 106.66835, 28.8963)  # the seat of 篆塘镇
        card = page.locator(".qj-card")
        assert card.locator("h3").inner_text() == "綦江区篆塘镇卫生院"
        assert "《重庆市綦江区" in card.inner_text()
        page.get_by_role("button", name="关闭记录").click()
        settled(page)
        assert card.count() == 0
        click_map(page, frame, 106.66835, 28.93)  # land of the same town
        assert "town=" in page.url


def test_a_stack_opens_one_record_after_the_other(visit, server):
    with visit() as page:
        page.goto(f"{server}/reservoirs")
        frame = drawn(page)
        seen = set()
        for _ in range(3):
            lon, lat = frame.evaluate(
                "(() => { const t = window.map.qj.towns.find((t) => t.name === '三角镇'); return t.label; })()"
            )
            click_map(page, frame, lon, lat)
            seen.add(page.locator(".qj-card h3").inner_text())
        assert len(seen) == 3


def test_demo_data_go_with_one_click_and_stay_gone(visit, server):
    with visit() as page:
        page.goto(f"{server}/fire_water")
        frame = drawn(page)
        notices = page.frame_locator("iframe[title='streamlit_folium.st_folium']").locator(".qj-notices")
        assert "含演示数据" in notices.inner_text()
        was = frame.evaluate(SCENE)
        page.get_by_text("显示演示数据").click()
        changed(page, frame, was)
        assert "演示" not in notices.inner_text()
        assert "数据不足,不等于没有设施" in page.inner_text(".stMain")
        page.get_by_role("link", name="消防站(队)", exact=True).click()
        page.wait_for_url("**/fire_stations*")
        settled(page)
        assert "还没有“消防站(队)”的记录" in page.inner_text(".stMain")


def test_a_changed_radius_says_so_until_it_is_put_back(visit, server):
    with visit() as page:
        page.goto(f"{server}/health")
        frame = drawn(page)
        was = frame.evaluate(SCENE)
        field = page.get_by_label("城区服务半径(米)")
        field.fill("5000")
        field.press("Enter")
        changed(page, frame, was)
        assert "自定值" in page.locator(".qj-rule").first.inner_text()
        assert "figures=" in page.url
        page.get_by_role("button", name="恢复文件数值").click()
        settled(page)
        assert "自定值" not in page.locator(".qj-rule").first.inner_text()
        assert frame.evaluate(SCENE) == was


def test_what_is_taken_away_opens_elsewhere(visit, server):
    with visit() as page:
        page.goto(f"{server}/health?town=石角镇")
        drawn(page)
        page.get_by_role("button", name="导出").click()
        files = {}
        for label in ("设施(GeoJSON)", "覆盖范围(GeoJSON)", "未覆盖范围(GeoJSON)", "表格(Excel)"):
            with page.expect_download() as caught:
                page.get_by_role("button", name=label, exact=True).click()
            name = caught.value.suggested_filename
            assert re.fullmatch(r"綦江区_医疗卫生机构_.+_\d{8}\.(geojson|xlsx)", name), name
            with open(caught.value.path(), "rb") as file:  # noqa: PTH123
                files[label] = file.read()
    for label in list(files)[:3]:
        content = json.loads(files[label])
        assert {"title", "filter", "standard", "date", "sources"} <= set(content["metadata"])
        assert len(gpd.read_file(io.BytesIO(files[label]))) == len(content["features"])
    book = openpyxl.load_workbook(io.BytesIO(files["表格(Excel)"]))
    assert book.sheetnames[0] == "说明"
    assert book["分街镇"].max_row == 22
