"""数据管理 in a real browser: an edit by keyboard, a place by a click on the map, versions compared."""

import pytest
from serve import MAP, drawn, running, settled

pytestmark = pytest.mark.browser


@pytest.fixture
def own():
    """A server with a workspace of its own: what is saved here is seen by no other test."""
    with running() as address:
        yield address


def field(page, label):
    return page.locator(f".st-key-record-form :is(input, textarea)[aria-label^='{label}']")


def opened(page, own, path):
    page.goto(f"{own}/{path}")
    page.locator(".qj-foot").wait_for()
    settled(page)


def test_an_edit_by_keyboard_and_a_place_by_a_click_are_saved_shown_and_compared(own, visit):
    with visit() as page:
        opened(page, own, "records")
        drawn(page)
        # an unplaced record, from the list, by keyboard
        row = page.locator("tr", has_text="綦江区人民医院").first
        row.focus()
        page.keyboard.press("Enter")
        field(page, "名称").wait_for()
        settled(page)
        assert "record=H01" in page.url
        # what is typed into one field outlives the run that the field before it sets off
        field(page, "2020年编制床位").focus()
        page.keyboard.press("ControlOrMeta+A")
        page.keyboard.type("1001")
        page.keyboard.press("Tab")
        page.keyboard.type("1002", delay=60)
        page.keyboard.press("Tab")
        settled(page)
        assert field(page, "2020年编制床位").input_value() == "1001"
        assert field(page, "2025年规划编制床位").input_value() == "1002"
        # the place
        page.get_by_text("在地图上点一下取位置").click()
        drawn(page)
        box = page.locator(MAP).bounding_box()
        page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
        page.wait_for_function(
            "document.querySelector(\".st-key-record-form input[aria-label='经度']\").value !== ''"
        )
        settled(page)
        lon, lat = (float(field(page, label).input_value()) for label in ("经度", "纬度"))
        assert 106.3 < lon < 107.1
        assert 28.4 < lat < 29.3
        assert float(field(page, "定位误差").input_value()) >= 500
        assert field(page, "定位方式").input_value() == "图上点取"
        assert field(page, "2020年编制床位").input_value() == "1001"  # still
        # the reason, and Enter on the button
        page.locator("input[aria-label='原因']").fill("电话核实")
        page.locator(".st-key-save-record button").focus()
        page.keyboard.press("Enter")
        page.locator(".qj-done", has_text="已存为第 2 版").wait_for()
        settled(page)
        assert page.locator("input[aria-label='原因']").input_value() == ""
        # every page shows it
        opened(page, own, "health?record=H01")
        card = page.locator(".qj-card", has_text="綦江区人民医院").inner_text()
        assert "1,001 张" in card
        assert "图上点取" in card
        # and the history says what changed
        opened(page, own, "records?part-of-records=版本")
        table = page.locator("table", has=page.locator("caption", has_text="改动"))
        said = table.inner_text()
        assert "2020年编制床位" in said
        assert "1001" in said
        assert "图上点取" in said
        # an old one brought back: the boxes beside show what is the newest now
        page.locator(".st-key-restore-why input").fill("录错了")
        page.get_by_role("button", name="恢复为新版本").click()
        page.locator(".qj-done", has_text="存为第 3 版").wait_for()
        settled(page)
        for key, version in (("older", 2), ("newer", 3), ("take", 3)):
            assert page.locator(f".st-key-{key} input").first.input_value().startswith(f"第 {version} 版")


def test_a_click_means_a_record_again_when_no_place_is_wanted(own, visit):
    with visit(1366, 768) as page:
        opened(page, own, "records")
        frame = drawn(page)
        at = frame.evaluate(
            "() => { const town = map.qj.towns.find((one) => one.name === '古南街道');"
            " const p = map.latLngToContainerPoint(town.seat.slice().reverse()); return [p.x, p.y]; }"
        )
        box = page.locator(MAP).bounding_box()
        page.mouse.click(box["x"] + at[0], box["y"] + at[1])
        # the centre of that town stands at its seat
        page.wait_for_url("**/records?record=C01")
        field(page, "名称").wait_for()
        settled(page)
        # the bar that saves is in reach without scrolling
        save = page.locator(".st-key-save-record button").bounding_box()
        assert save["y"] + save["height"] <= 768
