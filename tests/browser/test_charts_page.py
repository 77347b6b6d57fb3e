"""图表 in Chromium: four charts are drawn, nobody is asked, and a picture can be taken away."""

import pytest
from serve import settled

pytestmark = pytest.mark.browser

CHARTS = "svg.marks"
KEYS = ("bars", "tiles", "coverage", "dots")


def opened(page, server, query=""):
    page.goto(f"{server}/charts{query}")
    page.locator(".qj-foot").wait_for()
    for key in KEYS:
        page.locator(f".st-key-chart-{key} {CHARTS}").wait_for()
    settled(page, 800)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1366, 768), (820, 1180)])
def test_four_charts_are_drawn_within_the_window(server, visit, width, height):
    with visit(width, height) as page:
        opened(page, server)
        assert page.locator(CHARTS).count() == 4
        for key in KEYS:
            chart = page.locator(f".st-key-chart-{key} {CHARTS}")
            assert chart.locator("path, text").count() > 40, key
            box, place = chart.bounding_box(), page.locator(f".st-key-chart-{key}").bounding_box()
            assert box["width"] > 300
            assert box["x"] + box["width"] <= place["x"] + place["width"] + 1, key
        assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")
        texts = page.locator(f".st-key-chart-bars {CHARTS} text").all_text_contents()
        assert {"石角镇", "要求 每1000人1.9张"} <= set(texts)
        # two charts never lie on one another
        boxes = [page.locator(f".st-key-chart-{key}").bounding_box() for key in KEYS]
        for n, one in enumerate(boxes):
            for other in boxes[n + 1 :]:
                beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
                assert beside or one["y"] + one["height"] <= other["y"]


def test_our_colours_hold_and_the_chart_is_named_for_screen_readers(server, visit):
    with visit() as page:
        opened(page, server, "?demo=false")
        fills = page.locator(f".st-key-chart-tiles {CHARTS} path").evaluate_all(
            "paths => [...new Set(paths.map(path => path.getAttribute('fill')))]"
        )
        assert {"#e8a981", "#cfe5e6"} <= set(fills)
        labels = page.locator(".st-key-chart-bars [aria-label]").evaluate_all(
            "all => all.map(one => one.getAttribute('aria-label'))"
        )
        assert any("21 个街镇中 15 个低于" in label for label in labels)
        assert "演示" not in page.locator(".st-key-chart-tiles").inner_text()


def test_pointing_at_a_town_tells_in_chinese(server, visit):
    with visit() as page:
        opened(page, server)
        page.locator(f".st-key-chart-bars {CHARTS} .mark-rect path").last.hover()
        tip = page.locator("#vg-tooltip-element")
        tip.locator("td", has_text="街镇").first.wait_for()
        assert "应有" in tip.inner_text()


def test_another_rule_is_chosen_and_stays_in_the_address(server, visit):
    with visit() as page:
        opened(page, server)
        box = page.get_by_role("combobox", name="条形图:对照哪条标准")
        box.click()
        box.fill("开放床位")
        page.get_by_role("option", name="开放床位对2025年规划床位").click()
        page.locator(".qj-head h2", has_text="开放床位对2025年规划床位").wait_for()
        settled(page)
        assert "chart-rule=" in page.url
        page.goto(page.url)
        page.locator(".qj-head h2", has_text="开放床位对2025年规划床位").wait_for()


def test_a_picture_a_drawing_and_the_figures_are_taken_away(server, visit, tmp_path):
    with visit() as page:
        opened(page, server)
        for label, suffix, start in (
            ("图片(PNG,300 dpi)", "png", b"\x89PNG"),
            ("矢量图(SVG)", "svg", b"<svg"),
            ("数据(CSV)", "csv", b"\xef\xbb\xbf"),
        ):
            settled(page)  # whether the box is open is seen when the run is over that the last file asked for
            button = page.get_by_role("button", name=label)
            if not button.is_visible():
                page.locator(".st-key-chart-bars").get_by_role("button", name="导出").click()
                button.wait_for()
            with page.expect_download() as waiting:
                button.click()
            file = tmp_path / f"taken.{suffix}"
            waiting.value.save_as(file)
            assert waiting.value.suggested_filename.startswith("綦江区_各街镇与标准对照")
            assert file.read_bytes().startswith(start)


def test_the_figures_can_be_read_as_a_table(server, visit):
    with visit() as page:
        opened(page, server)
        page.locator(".st-key-chart-bars summary").filter(has_text="看数字").click()
        page.locator(".st-key-chart-bars td", has_text="赶水镇").first.wait_for()
