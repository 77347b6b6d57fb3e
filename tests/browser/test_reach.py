"""Small screens, tablets, keys and eyes: every page fits, needs no mouse, and is dark enough to read."""

import pytest
from serve import MAP, drawn, settled

from qjmap.ui.navigation import PAGES

pytestmark = pytest.mark.browser

NAMES = [name for name, _ in PAGES]
SIZES = {"laptop": (1366, 768), "tablet": (820, 1180)}

#: Every visible text, shadow roots included: its colour against what lies under it, as WCAG 2.2 measures it.
FAINT = """() => {
  const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const read = (css) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = css; pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const up = (node) => node.parentElement || (node.getRootNode().host ?? null);
  const ground = (node) => {
    const layers = [];
    for (let one = node; one; one = up(one)) {
      const style = getComputedStyle(one);
      if (style.backgroundImage !== 'none') return null;
      const colour = read(style.backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const faint = [];
  const walk = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.shadowRoot) walk(node.shadowRoot);
      /* the number over a slider's knob lies outside of the knob that it belongs to */
      if (node.closest('[data-testid=stSliderThumbValue]')) continue;
      if (node.closest(':disabled, [aria-disabled=true], [aria-hidden=true]')) continue;
      const own = [...node.childNodes].filter((c) => c.nodeType === 3 && c.textContent.trim());
      if (!own.length) continue;
      const style = getComputedStyle(node), box = node.getBoundingClientRect();
      if (!node.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      if (box.width < 2 || box.height < 2) continue;
      const under = ground(node);
      if (!under) continue;
      const ink = over(read(style.color), under);
      const [a, b] = [light(ink), light(under)].sort((x, y) => y - x);
      const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700);
      const ratio = (a + 0.05) / (b + 0.05);
      const said = own[0].textContent.trim().slice(0, 30);
      if (ratio < (large ? 3 : 4.5)) faint.push([said, ratio.toFixed(2), style.color]);
    }
  };
  walk(document);
  return faint;
}"""

ACTIVE = """() => {
  let node = document.activeElement;
  while (node && node.shadowRoot && node.shadowRoot.activeElement) node = node.shadowRoot.activeElement;
  return node && (node.getAttribute('aria-label') || node.textContent || '').trim().slice(0, 40);
}"""


def opened(page, address):
    page.goto(address)
    page.locator(".stMain h1").first.wait_for()
    settled(page)
    if page.locator(MAP).count():
        drawn(page)


@pytest.mark.parametrize("name", NAMES)
def test_every_page_fits_and_can_be_read(server, visit, name):
    with visit(*SIZES["laptop"]) as page:
        touch = page.context.new_cdp_session(page)
        touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
        opened(page, f"{server}/{name}")
        assert page.evaluate("navigator.maxTouchPoints") > 0
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            settled(page, 500)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size
            assert page.evaluate(
                "(main => main.scrollWidth <= main.clientWidth)(document.querySelector('.stMain'))"
            ), size
            if page.locator(MAP).count():
                shown = page.locator(MAP).first.bounding_box()
                assert shown["width"] >= 300, size
                assert shown["height"] >= 240, size
            assert page.evaluate(FAINT) == [], size


def test_the_meeting_screen_can_be_read(server, visit):
    with visit(1920, 1080) as page:
        page.goto(f"{server}/screen?demo=false&play=2&every=600")
        page.locator(".bar .where").wait_for()
        drawn(page)
        assert page.evaluate(FAINT) == []


def test_a_finger_opens_a_town_on_a_tablet(server, visit):
    with visit(*SIZES["tablet"], has_touch=True) as page:
        opened(page, f"{server}/health?demo=false")
        box = page.locator(MAP).bounding_box()
        page.touchscreen.tap(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.62)
        page.wait_for_url("**town=*")
        page.locator(".qj-card h3").first.wait_for()


TOPS = """(() => {
  if (window !== window.top) return;
  window.tops = [];
  const look = () => {
    const map = document.querySelector("iframe[title='streamlit_folium.st_folium']");
    const top = map && Math.round(map.getBoundingClientRect().top);
    if (map && window.tops.at(-1) !== top) window.tops.push(top);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()"""


def test_the_map_stands_still_while_the_page_loads(server, visit):
    with visit(*SIZES["tablet"]) as page:
        page.add_init_script(TOPS)
        opened(page, f"{server}/health?demo=false")
        assert len(page.evaluate("window.tops")) == 1


def test_keys_reach_the_pages_the_choices_the_table_and_the_files(server, visit):
    with visit(1366, 768) as page:
        opened(page, f"{server}/health?demo=false")
        seen = []
        for _ in range(60):
            page.keyboard.press("Tab")
            seen.append(page.evaluate(ACTIVE) or "")
            if page.evaluate(ACTIVE) == "未覆盖人":  # in the table's head: on into its rows, and down
                for _ in range(20):
                    page.keyboard.press("Tab")
                    if page.evaluate(ACTIVE).startswith("打通镇"):
                        break
                page.keyboard.press("ArrowDown")
                seen.append(page.evaluate(ACTIVE))
        said = "\n".join(seen)
        for wanted in ("短板清单", "显示演示数据", "复制链接", "导出"):
            assert wanted in said, wanted


def test_a_table_stands_for_the_map(server, visit):
    """What the map shows by town can be read as a table: a caption, heads, every town."""
    with visit() as page:
        opened(page, f"{server}/health?demo=false")
        drawn(page)
        assert "表格" in page.locator(MAP).get_attribute("aria-label")
        table = page.locator("div.box table").first
        assert "街镇" in table.locator("thead").inner_text()
        table.locator("tbody tr").nth(20).wait_for()
        assert table.locator("tbody tr").count() == 21
        assert table.locator("caption").inner_text()


def test_the_faults_of_a_file_can_be_read_where_it_is_narrow(visit, server, tmp_path):
    file = tmp_path / "水池.csv"
    file.write_text("编号,名称,街镇,类别,状态,容量\n1,甲池,东溪镇,消防水池,现状,很大\n", encoding="utf-8")
    with visit(420, 900) as page:
        page.goto(f"{server}/intake?to=fire_ponds&step=2")
        page.locator("[data-testid=stFileUploaderDropzone]").wait_for()
        settled(page)
        page.set_input_files("input[type=file]", file)
        page.locator(".st-key-intake-header").wait_for()
        settled(page)
        while page.locator(".st-key-intake-next button").count():
            page.locator(".st-key-intake-next button").click()
            settled(page)
        box = page.locator(".wordy").first
        box.scroll_into_view_if_needed()
        for cell in box.locator("tbody tr").first.locator("td").all():
            assert cell.bounding_box()["width"] > 0.95 * box.evaluate("node => node.clientWidth")
            said = cell.evaluate("node => getComputedStyle(node, '::before').content")
            assert said.strip('"') == cell.get_attribute("data-label") != ""
        page.set_viewport_size({"width": 1366, "height": 768})
        settled(page)
        assert cell.evaluate("node => getComputedStyle(node).display") == "table-cell"
