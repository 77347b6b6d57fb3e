"""规划进度 and 数据补报清单 as a person uses them: the slider, a row, the form."""

import pytest
from openpyxl import load_workbook
from serve import MAP, drawn, settled

pytestmark = pytest.mark.browser


def value(page, start):
    """Read the key figure whose label starts so."""
    figure = page.locator(".qj-figure").filter(has=page.locator("dt", has_text=start)).first
    return figure.locator(".qj-value").inner_text()


def scene(page):
    """Read which scene is on the map."""
    return drawn(page).locator("[data-scene]").first.get_attribute("data-scene")


def test_the_slider_moves_figures_map_and_address(server, visit):
    with visit() as page:
        page.goto(f"{server}/progress")
        first = scene(page)
        assert value(page, "完工(2025年末)") == "34"
        before = page.locator(MAP).screenshot()
        slider = page.locator("[data-testid='stSidebar'] input[type='range']")
        slider.focus()
        for _ in range(2):
            slider.press("ArrowLeft")
        page.get_by_text("完工(2023年末)").wait_for()
        settled(page)
        assert value(page, "完工(2023年末)") == "8"
        assert value(page, "完工项目投资") == "48,690"
        assert "by-year=2023" in page.url
        assert scene(page) != first
        assert page.locator(MAP).screenshot() != before
        # the address alone brings the same back
        page.goto(page.url)
        drawn(page)
        assert value(page, "完工(2023年末)") == "8"


def test_a_row_opens_the_project_and_the_tables_do_not_hide_one_another(server, visit):
    with visit() as page:
        page.goto(f"{server}/progress")
        drawn(page)
        page.locator("tr.pick", has_text="通惠社区卫生服务中心业务楼").first.click()
        card = page.locator(".qj-card")
        card.wait_for()
        settled(page)
        assert "6,000 万元" in card.inner_text()
        assert "record=P14" in page.url
        page.get_by_role("tab", name="短缺与项目").click()
        page.locator("td", has_text="每千人口执业(助理)医师").first.wait_for()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1366, 768)])
@pytest.mark.parametrize("name", ["progress", "requests"])
def test_nothing_overlaps_and_nothing_runs_out_of_the_window(server, visit, name, width, height):
    with visit(width, height) as page:
        page.goto(f"{server}/{name}")
        page.locator(".qj-foot").wait_for()
        drawn(page)
        wide = page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        boxes = [
            one.bounding_box() for one in page.locator(".stMain .stColumn").all()[:2]
        ]  # the map or the lists, and the panel
        left, right = boxes
        assert left["x"] + left["width"] <= right["x"]
        assert right["x"] + right["width"] <= width


def test_the_form_downloads_and_opens_with_its_choices(server, visit, tmp_path):
    with visit() as page:
        page.goto(f"{server}/requests?from=区卫生健康委")
        drawn(page)
        with page.expect_download() as waiting:
            page.get_by_role("button", name="下载补报表").click()
        file = tmp_path / "form.xlsx"
        waiting.value.save_as(file)
    assert waiting.value.suggested_filename.startswith("綦江区_数据补报清单_2020年_")
    sheet = load_workbook(file)["区卫生健康委"]
    at = {cell.value: cell.column_letter for cell in sheet[1]}
    row = next(n for n in range(2, sheet.max_row) if sheet[f"{at['填报项目']}{n}"].value == "发热门诊(诊室)")
    answer = f"{at['填报内容']}{row}"
    assert sheet[answer].value is None
    assert [one.formula1 for one in sheet.data_validations.dataValidation if answer in one.sqref] == [
        '"有,无"'
    ]


def test_a_request_is_opened_by_a_click_and_closed_by_another(server, visit):
    with visit() as page:
        page.goto(f"{server}/requests")
        drawn(page)
        row = page.locator("tr.pick", has_text="“消火栓”名册")
        row.click()
        card = page.locator(".qj-card")
        card.wait_for()
        settled(page)
        assert "区消防救援支队" in card.inner_text()
        assert "want=register.hydrants" in page.url
        page.get_by_role("button", name="关闭").click()
        card.wait_for(state="detached")
