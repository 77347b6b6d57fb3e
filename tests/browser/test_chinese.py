"""What Streamlit says of its own accord: in Chinese, to the eye and to who has the page read aloud."""

import pytest
from serve import drawn, made_ready, running, settled

pytestmark = pytest.mark.browser

#: Whatever is written, named or explained in English where a person may come to see or hear it; icons are a font's.
ENGLISH = """() => {
  const found = new Set();
  const english = (text) => text && /[A-Za-z]{3,}/.test(text) && !/[\\u4e00-\\u9fff]/.test(text);
  const walk = (root) => {
    for (const one of root.querySelectorAll('*')) {
      if (one.shadowRoot) walk(one.shadowRoot);
      if (one.closest('style, script, noscript, svg, .stHtml, [data-testid=stIconMaterial]')) continue;
      if (!one.checkVisibility()) continue;
      const style = getComputedStyle(one);
      for (const text of one.childNodes)
        if (text.nodeType === 3 && parseFloat(style.fontSize) && english(text.data)) found.add(text.data.trim());
      for (const key of ['aria-label', 'title', 'placeholder', 'aria-description'])
        if (!(one.tagName === 'IFRAME' && key === 'title') && english(one.getAttribute(key)))
          found.add(`${key}: ${one.getAttribute(key)}`);
    }
  };
  walk(document.body);
  return [...found];
}"""


def opened(page, address):
    page.goto(address)
    page.locator(".qj-foot").wait_for()
    page.locator("html[lang=zh-CN]").wait_for(state="attached")  # the words are looked after from here on
    settled(page)


@pytest.mark.parametrize("name", ["", "fire_water", "records?layer=hydrants", "requests", "screen", "intake"])
def test_a_page_has_no_english_of_its_own(server, visit, name):
    with visit(1366, 768, locale="zh-CN") as page:
        opened(page, f"{server}/{name}")
        assert page.evaluate(ENGLISH) == []
        assert page.locator("html").get_attribute("lang") == "zh-CN"


def test_what_opens_later_is_in_chinese_too(server, visit):
    with visit(1366, 768, locale="zh-CN") as page:
        opened(page, f"{server}/fire_water")
        box = page.get_by_role("combobox").first
        box.click()
        page.get_by_role("option").first.wait_for()
        box.press_sequentially("zzz")
        page.get_by_text("没有相符的").wait_for()
        assert page.evaluate(ENGLISH) == []
        page.keyboard.press("Escape")
        page.get_by_text("没有相符的").wait_for(state="detached")
        sidebar = page.get_by_test_id("stSidebar")
        sidebar.hover()  # Streamlit shows the button while the pointer is there
        page.get_by_role("button", name="收起左侧").click()
        page.get_by_role("button", name="展开左侧").click()
        sidebar.hover()
        page.get_by_role("button", name="收起左侧").wait_for()


def test_a_file_that_is_too_large_is_told_how_large_it_may_be(server, visit, tmp_path):
    large = tmp_path / "消火栓台账.csv"
    with large.open("wb") as file:
        file.truncate(101_000_000)
    with visit(1366, 768, locale="zh-CN") as page:
        opened(page, f"{server}/intake?to=hydrants&step=2")
        page.set_input_files("input[type=file]", large)
        said = page.get_by_text("这个文件超过 100 MB,没有上传。请删去不用的列、工作表或图片,或分成几份再来。")
        said.wait_for()
        box = said.bounding_box()
        assert box["width"] > 200  # to be seen, and not under the pointer only
        assert box["height"] > 20
        assert page.evaluate(ENGLISH) == []
        page.get_by_role("button", name="去掉 消火栓台账.csv").click()
        said.wait_for(state="detached")


def test_a_page_that_is_none_is_said_to_be(server, visit):
    with visit(1366, 768, locale="zh-CN") as page:
        opened(page, f"{server}/nowhere")
        page.get_by_role("dialog").get_by_text("网址里的网页不存在,现显示总览").wait_for()
        assert page.evaluate(ENGLISH) == []
        page.get_by_role("button", name="关闭").last.click()
        page.get_by_role("dialog").wait_for(state="detached")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_lost_connection_is_told_to_an_official(browser, host):
    context = made_ready(browser.new_context(locale="zh-CN"))
    page = context.new_page()
    with running() as address:
        page.goto(address.replace("localhost", host))
        drawn(page)
    page.get_by_role("dialog").get_by_text("可能是网络不通,或服务器已停。连上后会自动继续").wait_for()
    page.get_by_text("与服务器的连接断了").wait_for()
    assert page.evaluate(ENGLISH) == []
    context.close()


def test_a_record_keeps_its_name(server, visit):
    """A thing may be called as Streamlit calls one of its own."""
    with visit(1366, 768, locale="zh-CN") as page:
        opened(page, f"{server}/sources")
        page.evaluate(
            "() => { document.querySelector('.qj-foot li').textContent = 'Connection error';"
            " document.querySelector('.qj-foot').title = 'Close'; }"
        )
        page.wait_for_timeout(300)
        assert page.locator(".qj-foot li").first.inner_text() == "Connection error"
        assert page.locator(".qj-foot").get_attribute("title") == "Close"
