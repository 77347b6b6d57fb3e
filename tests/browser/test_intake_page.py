"""数据导入 in a real browser: a file dropped, corrected, checked, given back, kept, and seen on the map."""

import io

import pytest
from openpyxl import Workbook, load_workbook
from serve import drawn, running, settled

from qjmap import datum
from qjmap.access import Role
from qjmap.accounts import Accounts

pytestmark = pytest.mark.browser

HEAD = ("编号", "名称", "镇街", "甲", "状态", "东经", "北纬", "口径(mm)")
AT = (106.65, 28.75)


@pytest.fixture
def own(tmp_path):
    """A server with a workspace of its own: what is saved here is seen by no other test."""
    with running(environment={"QJMAP_HOME": str(tmp_path)}) as address:
        yield address


def workbook(path):
    """Hydrants with GCJ-02 coordinates under an office's title; a column by no known name, two faulty cells."""
    book = Workbook()
    sheet = book.active
    sheet.append(["綦江区消火栓台账"])
    sheet.append(HEAD)
    for n in range(12):
        lon, lat = datum.wgs_to_gcj(AT[0] + n / 500, AT[1])
        wide = {4: "不清楚", 7: "不清楚", 2: "150mm", 3: "100mm"}.get(n, 100)
        sheet.append(
            [f"X{n}", f"{n}号", "东溪镇", "甲类", "现状", round(float(lon), 6), round(float(lat), 6), wide]
        )
    book.save(path)
    return path


def opened(page, address):
    page.goto(address)
    page.locator(".qj-foot").wait_for()
    settled(page)


def choose(page, label, option):
    page.locator(f"input[aria-label='{label}']").click()
    page.get_by_role("option", name=option, exact=True).click()
    settled(page)


def go_on(page):
    page.locator(".st-key-intake-next button").click()
    settled(page)


def test_a_file_goes_the_whole_way(own, visit, tmp_path):
    file = workbook(tmp_path / "台账.xlsx")
    with visit(1366, 768) as page:
        opened(page, f"{own}/intake?to=hydrants")
        assert page.locator("li[aria-current=step]").inner_text().endswith("图层")
        go_on(page)
        # nothing of the machinery's English shows
        zone = page.locator("[data-testid=stFileUploaderDropzone]")
        zone.wait_for()
        size = "(one) => getComputedStyle(one).fontSize"
        for part in zone.locator("button p, [data-testid=stFileUploaderDropzoneInstructions] span").all():
            assert part.evaluate(size) == "0px"
        page.set_input_files("input[type=file]", file)
        page.locator(".st-key-intake-header").wait_for()
        settled(page)
        # a column that nobody could know, filled for all rows
        page.get_by_text("没有找到必填的类别").wait_for()
        choose(page, "类别:整列填", "市政消火栓")
        assert page.locator(".qj-problems").count() == 0
        go_on(page)
        page.get_by_text("只差约 500 米").wait_for()
        # nothing is chosen for the person, and there is no way on before he chooses
        assert page.locator(".st-key-intake-reading input:checked").count() == 0
        assert page.locator(".st-key-intake-next button").is_disabled()
        frame = drawn(page)
        assert frame.locator("text=BD-09").count() or "BD-09" in frame.locator("body").inner_text()
        # the row that the person knows, from near
        choose(page, "在图上放大一个你认得的点", "5号(第 8 行)")
        frame = drawn(page)
        assert frame.evaluate("() => map.getZoom()") >= 12
        page.get_by_text("GCJ-02(高德、腾讯地图)", exact=True).click()
        settled(page)
        go_on(page)
        page.locator(".st-key-intake-save").wait_for()
        drawn(page)
        figures = page.locator(".qj-figures").inner_text()
        assert "可导入\n10" in figures
        assert "有错\n2" in figures
        # one repair refused, and a visit elsewhere that costs nothing
        page.get_by_text("自动修正", exact=False).last.click()
        page.locator("[data-testid=stCheckbox], .stCheckbox", has_text="去掉或换算单位").locator(
            "label"
        ).click()
        settled(page)
        page.get_by_text("4 处,须改正").wait_for()
        assert "有错\n4" in page.locator(".qj-figures").inner_text()
        page.locator("input[aria-label^='原因']").fill("支队台账")
        page.keyboard.press("Tab")
        settled(page)
        page.get_by_role("link", name="总览").first.click()
        page.locator("h1", has_text="綦江").or_(page.locator("h1", has_text="总览")).first.wait_for()
        settled(page)
        page.go_back()
        page.locator(".st-key-intake-save").wait_for()
        settled(page)
        assert "有错\n4" in page.locator(".qj-figures").inner_text()
        assert page.locator("input[aria-label^='原因']").input_value() == "支队台账"
        # the file goes back
        with page.expect_download() as taking:
            page.locator(".st-key-intake-returned button").click()
        sheet = load_workbook(io.BytesIO(taking.value.path().read_bytes())).active
        assert sheet.cell(2, len(HEAD) + 1).value == "错误"
        assert "不清楚" in sheet.cell(7, len(HEAD) + 1).value
        # and the good rows are kept
        page.locator(".stCheckbox", has_text="只存无误的 8 行").locator("label").click()
        settled(page)
        page.locator(".st-key-intake-save button").click()
        page.locator(".qj-done", has_text="已存为第 1 版").wait_for()
        # the map of its page shows them where they are
        opened(page, f"{own}/fire_water?demo=false&record=X0")
        drawn(page)
        card = page.locator(".qj-card", has_text="X0").or_(page.locator(".qj-card", has_text="0号")).first
        assert "东溪镇" in card.inner_text()
        assert "消火栓\n8" in page.locator(".qj-figures").first.inner_text()


def test_the_keyboards_focus_follows_the_steps(server, visit, tmp_path):
    def press(key):
        page.locator(f".st-key-{key} button").focus()
        page.keyboard.press("Enter")

    def at(step):
        page.locator("li[aria-current=step]:focus", has_text=step).wait_for()
        settled(page)

    with visit(1366, 768) as page:
        opened(page, f"{server}/intake?to=hydrants")
        assert page.evaluate(
            "document.activeElement === document.body"
        )  # nothing is taken from who just came
        press("intake-next")
        at("文件")
        page.set_input_files("input[type=file]", workbook(tmp_path / "台账.xlsx"))
        at("列")
        choose(page, "类别:整列填", "市政消火栓")
        assert page.locator("li[aria-current=step]:focus").count() == 0  # the same step leaves it where it is
        press("intake-next")
        at("坐标")
        page.keyboard.press("Tab")
        assert page.locator(".st-key-intake-back-1 button:focus").count() == 1
        press("intake-back-3")
        at("列")


def test_a_visitor_keeps_nothing_and_a_hostile_file_stops_nothing(visit, tmp_path):
    Accounts(tmp_path).add("guan", "chang-mi-ma-1", Role.ADMIN)
    file = workbook(tmp_path / "台账.xlsx")
    bad = tmp_path / "照片.xlsx"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(2000))
    with running(environment={"QJMAP_HOME": str(tmp_path)}) as own, visit() as page:
        opened(page, f"{own}/intake?to=hydrants&step=2")
        page.set_input_files("input[type=file]", bad)
        said = page.locator(".qj-problems", has_text="这个文件用不了")
        said.wait_for()
        assert "照片.xlsx" in said.inner_text()
        settled(page)
        page.set_input_files("input[type=file]", file)
        page.locator(".st-key-intake-header").wait_for()
        settled(page)
        choose(page, "类别:整列填", "市政消火栓")
        go_on(page)
        page.get_by_text("GCJ-02(高德、腾讯地图)", exact=True).click()
        settled(page)
        go_on(page)
        page.get_by_text("但不能保存到“消火栓”").wait_for()
        assert page.locator(".st-key-intake-save button").is_disabled()
        # the browser's way back leads through the steps
        page.go_back()
        page.get_by_text("只差约 500 米").wait_for()
        page.go_back()
        page.locator(".st-key-intake-header").wait_for()
