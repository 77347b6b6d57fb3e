"""街镇界线 in a real browser: dropped, checked, kept; the maps say whose lines they are; and the way back."""

import pytest
from serve import MAP, drawn, running, settled

from qjmap.district import load_district
from tests import official

pytestmark = pytest.mark.browser

#: How many pixels of the map's canvases are of about a colour.
PIXELS = """([r, g, b]) => [...document.querySelectorAll('canvas')].reduce((sum, c) => {
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  for (let i = 0; i < d.length; i += 4)
    if (d[i + 3] > 200 && Math.abs(d[i] - r) + Math.abs(d[i + 1] - g) + Math.abs(d[i + 2] - b) < 40) sum++;
  return sum;
}, 0)"""


@pytest.fixture
def own():
    """A server with a workspace of its own: what is saved here is seen by no other test."""
    with running() as address:
        yield address


def opened(page, own, path):
    page.goto(f"{own}/{path}")
    page.locator(".qj-foot").wait_for()
    settled(page)


def notices(page):
    return page.frame_locator(MAP).locator(".qj-notices").inner_text()


def is_painted(page, colour, above):
    """Wait until more pixels than so many are of about a colour: the map draws what it was given in its own time."""
    page.frame(url=lambda url: "st_folium" in url).wait_for_function(
        f"([colour, above]) => ({PIXELS})(colour) > above", arg=[list(colour), above]
    )


def typed(page, label, text):
    page.get_by_label(label).fill(text)
    page.keyboard.press("Tab")
    settled(page)


def test_official_lines_take_the_place_of_the_schematic_ones_and_can_be_taken_back(own, visit, tmp_path):
    district = load_district("qijiang")
    names = list(district.boundaries.index)
    names[6] = "东溪"
    frame = official.areas(district, (60, -40), names)
    shape = district.projection.geometry_to_metres(frame.geometry[5])
    frame.loc[5, "geometry"] = district.projection.geometry_to_degrees(shape.buffer(15))
    path = tmp_path / "勘定界线.zip"
    path.write_bytes(official.shapefile(frame))
    with visit(1366, 768) as page:
        opened(page, own, "intake?to=boundaries&step=2")
        page.locator("input[type=file]").set_input_files(path)
        page.get_by_text("20 个名称与街镇名录一致,1 个经补全对上").wait_for()
        drawn(page)
        assert "示意界线,非法定界线" in notices(page)
        is_painted(page, (0x1D, 0x4F, 0x8C), 1000)  # the new lines
        assert page.get_by_role("button", name="用这份界线替换现用界线").is_disabled()
        page.locator("tr", has_text="重叠").first.click()
        settled(page)
        is_painted(page, (0xC2, 0x50, 0x0A), 100)  # the overlap, near by
        page.get_by_text("由本软件修正").click()
        page.get_by_text("修正了").wait_for()
        settled(page)
        typed(page, "提供单位", "綦江区民政局")
        typed(page, "原因", "改用勘定界线")
        if page.get_by_text("我已知晓").count():
            page.get_by_text("我已知晓").click()
            settled(page)
        page.get_by_role("button", name="用这份界线替换现用界线").click()
        page.locator(".qj-done").wait_for()
        settled(page)
        assert "已存为第 2 版" in page.locator(".qj-done").inner_text()
        assert page.locator(".qj-done").bounding_box()["y"] < 700  # in view without scrolling
        drawn(page)
        assert "界线由綦江区民政局提供" in notices(page)
        assert "示意" not in page.locator("section.stMain, [data-testid=stMain]").first.inner_text()
        # other pages, at once
        page.get_by_text("到“版本”查看、比较").click()
        page.get_by_text("“街镇界线”的 2 个版本").wait_for()
        settled(page)
        versions = page.url
        page.goto(f"{own}/town?town=石角镇")
        page.get_by_text("按导入界线量算").first.wait_for()
        # and back
        opened(page, own, versions.removeprefix(f"{own}/"))
        page.get_by_label("原因 *").fill("退回")
        page.get_by_role("button", name="恢复为新版本").click()
        page.get_by_text("已恢复,存为第 3 版").wait_for()
        opened(page, own, "overview")
        drawn(page)
        assert "示意界线,非法定界线" in notices(page)
