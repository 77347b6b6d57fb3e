"""Links: what a page shows is in its address, and opens the same elsewhere."""

from urllib.parse import parse_qs, urlsplit

import pytest
from serve import CHROMIUM, FLAGS, MAP, drawn, made_ready, rested, settled

pytestmark = pytest.mark.browser

SCENE = "document.querySelector('[data-scene]').dataset.scene"
VIEW = "[window.map.getCenter().lat, window.map.getCenter().lng, window.map.getZoom()]"


def asked(page):
    return {key: values[-1] for key, values in parse_qs(urlsplit(page.url).query).items()}


def shown(frame):
    return frame.evaluate(VIEW)


def same_view(one, other):
    return abs(one[0] - other[0]) < 2e-5 and abs(one[1] - other[1]) < 2e-5 and abs(one[2] - other[2]) < 0.01


def told(page):
    """The view that the address tells, once the map lies still."""
    rested(page)
    return [float(part) for part in asked(page)["view"].split(",")] if "view" in asked(page) else None


def drag(page, dx, dy):
    """Move the map as a hand does."""
    box = page.locator(MAP).bounding_box()
    x, y = box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2, steps=4)
    page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()


def zoom_in(page):
    page.frame_locator(MAP).locator(".leaflet-control-zoom-in").click()
    rested(page)


def changed(page, frame, was):
    frame.wait_for_function("was => document.querySelector('[data-scene]').dataset.scene !== was", arg=was)
    settled(page)


def test_a_map_that_nobody_moved_is_not_in_the_address(visit, server):
    with visit() as page:
        page.goto(f"{server}/health")
        drawn(page)
        assert told(page) is None
        page.set_viewport_size({"width": 1200, "height": 700})
        assert told(page) is None


def test_the_view_is_in_the_address_and_survives_what_a_person_does(visit, server):
    with visit() as page:
        page.goto(f"{server}/health")
        frame = drawn(page)
        runs = page.evaluate("performance.now()")
        zoom_in(page)
        drag(page, -90, 40)
        assert same_view(told(page), shown(frame)), runs
        before = shown(frame)
        # a filter: Streamlit writes the address anew
        was = frame.evaluate(SCENE)
        page.get_by_role("combobox", name="街镇").click()
        page.get_by_role("option", name="东溪镇").click()
        changed(page, frame, was)
        assert told(page) == pytest.approx([before[0], before[1], before[2]], abs=2e-5)
        assert asked(page)["health-towns"] == "东溪镇"
        # a town: the view follows it
        was = frame.evaluate(SCENE)
        page.locator("tr[data-key='东溪镇']").click()
        changed(page, frame, was)
        assert asked(page)["town"] == "东溪镇"
        assert told(page) is None  # the town says it
        assert not same_view(shown(frame), before)
        drag(page, 50, 50)
        assert same_view(told(page), shown(frame))
        # moved again after the server has seen an older view
        page.get_by_text("显示演示数据").click()
        settled(page)
        drag(page, 30, 60)
        last = told(page)
        assert same_view(last, shown(frame))
        page.get_by_role("button", name="返回全区").click()
        settled(page)
        assert same_view(told(page), shown(frame))
        assert "town" not in asked(page)
        page.frame_locator(MAP).locator(".qj-home").click()
        assert told(page) is None


def test_moving_the_map_does_not_run_the_page(visit, server):
    with visit() as page:
        page.goto(f"{server}/health")
        drawn(page)
        page.evaluate(
            """() => { window.ran = 0; new MutationObserver(() => window.ran++).observe(
                 document.querySelector("[data-testid='stApp']"), {attributeFilter: ['data-test-script-state']}); }"""
        )
        zoom_in(page)
        drag(page, -60, 20)
        assert told(page) is not None
        assert page.evaluate("window.ran") == 0


def test_a_link_opens_the_same_in_another_browser(visit, server):
    with visit() as page:
        page.goto(f"{server}/health?health-status=现状&demo=false")
        frame = drawn(page)
        was = frame.evaluate(SCENE)
        field = page.get_by_label("城区服务半径(米)")
        field.fill("5000")
        field.press("Enter")
        changed(page, frame, was)
        was = frame.evaluate(SCENE)
        page.locator("tr[data-key='石角镇']").click()
        changed(page, frame, was)
        zoom_in(page)
        drag(page, -120, 70)
        view = told(page)
        address, scene, numbers = (
            page.url,
            frame.evaluate(SCENE),
            page.locator(".qj-figure").all_inner_texts(),
        )
        here = shown(frame)
    assert {"view", "town", "figures", "demo"} <= set(parse_qs(urlsplit(address).query))
    with visit() as other:
        other.goto(address)
        frame = drawn(other)
        assert frame.evaluate(SCENE) == scene
        assert other.locator(".qj-figure").all_inner_texts() == numbers
        assert other.locator(".qj-card h3").inner_text() == "石角镇"
        assert other.get_by_label("城区服务半径(米)").input_value() == "5000"
        assert same_view(shown(frame), here)
        assert told(other) == view
        assert "链接里" not in other.inner_text(".stMain")
        # a town chosen from here on moves the map again
        was = frame.evaluate(SCENE)
        other.locator("tr[data-key='打通镇']").click()
        changed(other, frame, was)
        assert not same_view(shown(frame), here)


def test_a_view_that_is_none_is_left_aside(visit, server):
    with visit() as page:
        page.goto(f"{server}/health")
        home = shown(drawn(page))
        for view in ("nonsense", "0,0,12", "28.9,106.7,99"):
            page.goto(f"{server}/health?view={view}")
            assert same_view(shown(drawn(page)), home)
            assert "看不懂" in page.inner_text(".stMain")
            assert told(page) is None


def test_a_view_is_not_carried_into_another_page(visit, server):
    with visit() as page:
        page.goto(f"{server}/health")
        drawn(page)
        zoom_in(page)
        drag(page, -90, 40)
        assert told(page) is not None
        page.get_by_role("link", name="水库", exact=True).click()
        page.wait_for_url("**/reservoirs*")
        frame = drawn(page)
        assert told(page) is None
        zoom_in(page)
        assert same_view(told(page), shown(frame))
        page.go_back()
        page.wait_for_url("**/health*")
        drawn(page)
        assert "链接里" not in page.inner_text(".stMain")


def _copies(page):
    button = page.get_by_role("button", name="复制链接")
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_text("已复制").wait_for()
    assert "此链接只在本机有效" in page.get_by_text("已复制").inner_text()


def test_the_link_is_copied_by_keyboard(visit, server):
    with visit(permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(f"{server}/reservoirs?town=石角镇")
        drawn(page)
        zoom_in(page)
        _copies(page)
        assert page.evaluate("navigator.clipboard.readText()") == page.url
        assert "view=" in page.url


def test_the_link_is_copied_on_an_intranet_without_https(browser, server):
    """There is no `navigator.clipboard` on such a page."""
    flags = [*FLAGS, "--host-resolver-rules=MAP qj.intranet 127.0.0.1"]
    chromium = browser.browser_type.launch(executable_path=CHROMIUM, args=flags)
    page = made_ready(chromium.new_context()).new_page()
    page.goto(server.replace("localhost", "qj.intranet") + "/reservoirs?town=石角镇")
    drawn(page)
    assert page.evaluate("[window.isSecureContext, typeof navigator.clipboard]") == [False, "undefined"]
    page.get_by_role("button", name="复制链接").click()
    page.get_by_text("已复制").wait_for()
    assert "只在本机" not in page.get_by_text("已复制").inner_text()
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('textarea'), { id: 'paste' })); "
        "document.getElementById('paste').focus()"
    )
    page.keyboard.press("Control+V")
    page.wait_for_function("document.getElementById('paste').value !== ''")
    assert page.evaluate("document.getElementById('paste').value") == page.url
    chromium.close()


def test_the_link_is_shown_where_nothing_may_be_copied(visit, server):
    with visit() as page:
        page.add_init_script(
            "Object.defineProperty(window, 'isSecureContext', { value: false }); document.execCommand = () => false;"
        )
        page.goto(f"{server}/reservoirs?town=石角镇")
        drawn(page)
        page.get_by_role("button", name="复制链接").click()
        field = page.get_by_label("本页链接")
        field.wait_for()
        assert field.input_value() == page.url
        assert field.evaluate("node => node.selectionEnd - node.selectionStart") == len(page.url)


BROKEN = "foo=<img src=x onerror=alert(1)>&town=无&view=x&demo=也许&year=&layers=无&judged-year=x"


@pytest.mark.parametrize("name", ["overview", "shortages", "town"])
def test_a_broken_address_is_told_and_breaks_nothing(visit, server, name):
    with visit() as page:
        page.goto(f"{server}/{name}?{BROKEN}")
        drawn(page)
        text = page.inner_text(".stMain")
        assert "链接里的“foo”本页不认识" in text
        assert "链接里的“街镇”(town=无)看不懂或查不到" in text
        assert "链接里的“显示演示数据”(demo=也许)看不懂" in text
        assert page.locator(".stException").count() == 0
        assert page.locator("img[src=x]").count() == 0
        # it stays for the visit, and not on the next page
        page.get_by_test_id("stSidebar").get_by_text("显示演示数据").click()
        settled(page)
        assert page.inner_text(".stMain").count("链接里的“foo”") == 1
        page.get_by_role("link", name="水库", exact=True).click()
        page.wait_for_url("**/reservoirs*")
        drawn(page)
        assert "链接里" not in page.inner_text(".stMain")


@pytest.mark.parametrize(
    ("name", "title"), [("", "总览"), ("overview?town=石角镇", "总览"), ("reservoirs", "水库")]
)
def test_the_page_that_is_open_is_marked_in_the_navigation(visit, server, name, title):
    with visit() as page:
        page.goto(f"{server}/{name}")
        drawn(page)
        links = page.get_by_test_id("stTopNav").get_by_role("link")
        assert [one.inner_text() for one in links.all() if one.get_attribute("aria-current")] == [title]
        assert links.count() == len({one.inner_text() for one in links.all()})


def test_what_a_link_chose_holds_on_the_next_page_though_nobody_touched_it(visit, server):
    with visit() as page:
        page.goto(f"{server}/shortages?demo=false&judged-year=2025")
        drawn(page)
        page.get_by_role("link", name="街镇画像", exact=True).click()
        page.locator("h1", has_text="画像").wait_for()
        drawn(page)
        assert "demo=false" in page.url
        assert "2025年人口" in page.locator(".qj-head").inner_text()
        page.get_by_role("link", name="水库", exact=True).click()
        page.wait_for_url("**/reservoirs*")
        drawn(page)
        assert "demo=false" in page.url
        assert not page.get_by_role("switch", name="显示演示数据").is_checked()
