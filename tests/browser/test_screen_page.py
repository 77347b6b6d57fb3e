"""会议大屏 in a real browser: keys, clock, sizes; the map stays while its scene changes."""

import pytest
from serve import MAP, drawn, settled

pytestmark = pytest.mark.browser

SHOW = "show=all,health:beds-planned,health:beds-planned:赶水镇"


def played(page, server, more=""):
    page.goto(f"{server}/screen?demo=false&{SHOW}&play=1{more}")
    page.locator(".bar .where").wait_for()
    drawn(page)


def at(page, number):
    page.locator(".bar .where", has_text=f"{number} / 3").wait_for()
    page.wait_for_url(f"**play={number}*")
    settled(page)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160)])
def test_nothing_but_the_scene_and_all_of_it_legible(server, visit, width, height):
    with visit(width, height) as page:
        played(page, server)
        for chrome in (".stAppHeader", "[data-testid='stSidebar']", "[data-testid='stToolbar']", "footer"):
            assert page.locator(chrome).count() == 0 or page.locator(chrome).first.is_hidden()
        assert page.evaluate(
            "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"
        )
        sizes = page.evaluate(
            """() => [...document.querySelectorAll(
                 '.qj-title h1, .qj-lead, .qj-big dt, .qj-big b, .qj-big small, .qj-worst li')]
               .map(node => parseFloat(getComputedStyle(node).fontSize) / innerWidth)"""
        )
        # from eight metres a letter of 1/75 of a screen two metres wide, 27 mm, can still be read
        assert sizes
        assert min(sizes) >= 1 / 75
        assert max(sizes) >= 1 / 32
        shown = page.locator(MAP).bounding_box()
        assert shown["width"] * shown["height"] > 0.3 * width * height
        boxes = page.evaluate(
            """() => [...document.querySelectorAll('.qj-big, .qj-worst li')]
               .map(node => node.getBoundingClientRect().bottom)"""
        )
        assert max(boxes) <= page.locator(".st-key-screen-foot").bounding_box()["y"]


RULES = (
    "beds-primary-town",
    "beds-planned",
    "doctors",
    "general-practitioners",
    "psychiatrists",
    "fever-clinics",
)


def test_no_word_of_a_figure_is_cut(server, visit):
    with visit(1920, 1080) as page:
        for rule in RULES:
            page.goto(f"{server}/screen?demo=false&show=all:{rule}&play=1&every=600")
            page.locator(".bar .where").wait_for()
            settled(page)
            cut = page.evaluate(
                """() => [...document.querySelectorAll('.qj-big small, .qj-worst .qj-who')]
                   .filter(node => node.scrollHeight > node.clientHeight + 12
                       || node.scrollWidth > node.clientWidth + 8)
                   .map(node => node.innerText)"""
            )
            assert cut == [], rule
            bottom = page.evaluate(
                "Math.max(...[...document.querySelectorAll('.qj-big, .qj-worst li')]"
                ".map(node => node.getBoundingClientRect().bottom))"
            )
            assert bottom <= page.locator(".st-key-screen-foot").bounding_box()["y"], rule


def test_scenes_change_by_keys_and_the_map_stays(server, visit):
    with visit(1920, 1080) as page:
        played(page, server, "&every=600")
        frame = page.frame(url=lambda url: "st_folium" in url)
        frame.evaluate("window.stayed = true")
        first = frame.locator("[data-scene]").get_attribute("data-scene")
        page.keyboard.press("ArrowRight")
        at(page, 2)
        drawn(page)
        assert frame.evaluate("window.stayed") is True  # the same document: no white flash
        assert frame.locator("[data-scene]").get_attribute("data-scene") != first
        page.keyboard.press("ArrowLeft")
        at(page, 1)
        page.keyboard.press("ArrowLeft")
        at(page, 3)
        # a key that is pressed while the focus is in the map counts too
        frame.locator(".leaflet-container").focus()
        page.keyboard.press("ArrowRight")
        at(page, 1)
        page.keyboard.press("Escape")
        page.locator("h1", has_text="会议大屏").wait_for()
        settled(page)
        assert "play" not in page.url
        assert "beds-planned" in page.url
        assert page.locator(".stAppHeader").is_visible()


def test_scenes_follow_one_another_and_a_space_stops_them(server, visit):
    with visit(1920, 1080) as page:
        played(page, server, "&every=5")
        page.locator(
            ".bar .where", has_text="2 / 3"
        ).wait_for()  # and at once: the third is five seconds away
        page.keyboard.press("Space")
        page.locator(".bar .where", has_text="2 / 3  已暂停").wait_for()
        at(page, 2)
        page.wait_for_timeout(6000)
        assert "play=2" in page.url
        page.keyboard.press("Space")
        at(page, 3)


def test_f_fills_the_screen(server, visit):
    with visit(1920, 1080) as page:
        played(page, server, "&every=600")
        page.keyboard.press("f")
        page.wait_for_function("document.fullscreenElement !== null")
        page.keyboard.press("f")
        page.wait_for_function("document.fullscreenElement === null")


def test_a_programme_is_a_link(server, visit, browser):
    with visit() as page:
        page.goto(f"{server}/screen?demo=false&{SHOW}")
        page.get_by_role("button", name="开始放映").click()
        page.locator(".bar .where").wait_for()
        settled(page)
        address = page.url
        title = page.locator(".qj-title h1").inner_text()
    with visit(1920, 1080) as other:  # a context of its own: another person's browser
        other.goto(address)
        other.locator(".bar .where", has_text="1 / 3").wait_for()
        assert other.locator(".qj-title h1").inner_text() == title


def test_keys_pressed_at_once_count_from_one_another(server, visit):
    with visit() as page:
        played(page, server)
        for _ in range(4):
            page.keyboard.press("ArrowRight")
        at(page, 2)
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        page.keyboard.press("ArrowRight")
        page.locator("h1", has_text="会议大屏").wait_for()
        settled(page)
        assert "play=" not in page.url
        assert not page.get_by_text("encountered an error").count()


def test_quick_clicks_move_a_scene_as_often(server, visit):
    with visit() as page:
        page.goto(f"{server}/screen?demo=false&{SHOW}")
        page.locator(".qj-foot").wait_for()
        page.locator("tr.pick").first.click()
        settled(page)
        down = page.get_by_role("button", name="下移")
        down.click()
        down.click()
        # first to last
        page.wait_for_function("decodeURIComponent(location.search).includes('赶水镇,all')")
