"""The single file on a machine without network: opened from the disk, with every request refused and noted."""

import re
from contextlib import contextmanager
from datetime import date

import pytest
from serve import drawn, made_ready

from qjmap import cards, standalone, summary
from qjmap.cards import Card
from qjmap.export import Metadata
from qjmap.marks import marks
from qjmap.registers import load_layer
from qjmap.ui import source
from qjmap.webmap import Scene

pytestmark = pytest.mark.browser

HOSTILE = "</script><img src=x onerror=alert(1)>{{7*7}}"
INK = """() => Array.from(document.querySelectorAll('#map canvas')).map((c) => {
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  const seen = new Set();
  for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) seen.add((d[i] << 16) | (d[i + 1] << 8) | d[i + 2]);
  return seen.size;
})"""


@pytest.fixture
def opened(browser):
    """Open a file from the disk: `with opened(path) as page`; at its end nothing may have been asked or gone wrong."""

    @contextmanager
    def open_file(path, width=1280, height=860):
        context = made_ready(browser.new_context(viewport={"width": width, "height": height}))
        context.set_offline(True)
        page, wrong = context.new_page(), []

        def ask(route):
            if route.request.url == path.as_uri():
                route.continue_()
            else:
                wrong.append(route.request.url)
                route.abort()

        context.route("**/*", ask)
        page.on("request", lambda one: one.url == path.as_uri() or wrong.append(one.url))
        page.on("console", lambda one: wrong.append(one.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.goto(path.as_uri())
        page.locator("[data-scene]").wait_for()
        page.wait_for_timeout(300)
        yield page
        assert wrong == []
        context.close()

    return open_file


def click_at(page, lon, lat):
    """Click a place on the map, once it stands still."""
    page.wait_for_function(
        """() => { const now = String(window.map.getCenter()), same = now === window.before;
             window.before = now; return same && !window.map._panAnim?._inProgress; }""",
        polling=400,
    )
    x, y = page.evaluate(
        """([lon, lat]) => { const p = window.map.latLngToContainerPoint([lat, lon]);
             const box = document.getElementById('map').getBoundingClientRect();
             return [box.x + p.x, box.y + p.y]; }""",
        [lon, lat],
    )
    page.mouse.click(x, y)


def one_card(page, title):
    """Wait until one card alone is open and is called so: the one before it fades."""
    page.wait_for_function(
        """(title) => { const cards = document.querySelectorAll('.leaflet-popup');
             return cards.length === 1 && cards[0].querySelector('.card h3')?.textContent === title; }""",
        arg=title,
    )


@pytest.fixture
def taken(visit, server, tmp_path):
    """What a person takes away from a page."""

    def take(name, query=""):
        with visit() as page:
            page.goto(f"{server}/{name}{query}")
            drawn(page)
            page.get_by_role("button", name="导出").click()
            with page.expect_download() as caught:
                page.get_by_role("button", name="单文件地图(HTML)").click()
            assert re.fullmatch(r"綦江区_.+_单文件地图_\d{8}\.html", caught.value.suggested_filename)
            path = tmp_path / caught.value.suggested_filename
            caught.value.save_as(path)
        return path

    return take


def test_the_page_of_health_opens_from_the_disk(taken, opened):
    path = taken("health", "?health-kind=卫生院")
    assert path.stat().st_size < 700_000
    with opened(path) as page:
        assert page.title() == "綦江区医疗卫生机构"
        inks = page.evaluate(INK)
        assert len(inks) >= 5
        assert max(inks) > 30
        legend = page.locator(".qj-legend").inner_text()
        assert "医疗卫生机构" in legend
        assert "覆盖" in legend
        assert "示意界线" in page.locator(".qj-notices").inner_text()
        foot = page.locator("footer").inner_text()
        assert "类别:卫生院" in foot
        assert "院前急救服务半径" in foot
        assert "《重庆市綦江区“十四五”区域卫生规划" in foot
        click_at(page, 106.66835, 28.8963)  # the seat of 篆塘镇
        one_card(page, "綦江区篆塘镇卫生院")
        card = page.locator(".leaflet-popup .card")
        for said in ("编号", "定位误差", "来源", "《重庆市綦江区", "专栏4", "2020年编制床位"):
            assert said in card.inner_text()
        page.keyboard.press("Escape")
        page.locator(".leaflet-popup").wait_for(state="detached")
        click_at(page, 106.66835, 28.87)  # land of the same town
        one_card(page, "篆塘镇")
        assert "人(2020年估算)" in page.locator(".leaflet-popup .card").inner_text()
        # the same in tables, by keyboard
        page.locator("summary", has_text="表:街镇 21").focus()
        page.keyboard.press("Enter")
        rows = page.locator("details[open] tbody tr")
        rows.nth(20).wait_for()  # a table is made when it is opened
        assert rows.count() == 21
        page.locator("details[open] button", has_text="石角镇").focus()
        page.keyboard.press("Enter")
        one_card(page, "石角镇")


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        ("overview", "", "街镇着色"),
        ("fire_water", "", "演示"),
        ("shortages", "", "短缺的标准"),
        ("shortages", "?rule=ems-radius&town=石角镇", "石角镇"),
    ],
)
def test_other_pages_open_from_the_disk(taken, opened, name, query, said):
    path = taken(name, query)
    assert path.stat().st_size < 2_000_000
    with opened(path) as page:
        assert max(page.evaluate(INK)) > 20
        assert said in page.inner_text("body")
        assert page.locator("summary").count() >= 1
        click_at(page, *page.evaluate("[window.map.getCenter().lng, window.map.getCenter().lat]"))
        page.locator(".leaflet-popup .card h3").first.wait_for()
        for one in page.locator("summary").all():
            one.click()
        page.locator("tbody tr").nth(20).wait_for()


def test_hostile_words_are_shown_as_words(opened, tmp_path, qijiang):
    layer = load_layer(qijiang, "health")
    shown = summary.placed(layer.frame)
    evil = [Card(HOSTILE, [(HOSTILE, True)], [(HOSTILE, HOSTILE)])] * len(shown)
    mark = marks(qijiang, layer.spec, shown.assign(name=HOSTILE))
    file = standalone.single_file(
        qijiang,
        source.ground(),
        Scene(layers=[mark], notices=[(HOSTILE, True)]),
        about=Metadata(title=HOSTILE, when=date(2026, 1, 2), filter=HOSTILE, sources=(HOSTILE,)),
        records={"health": evil},
        towns=[cards.of_town(qijiang, "篆塘镇", [(HOSTILE, HOSTILE)])],
    )
    path = tmp_path / "恶意 名.html"
    path.write_bytes(file)
    with opened(path) as page:
        assert page.locator("h1").inner_text() == HOSTILE
        click_at(page, 106.66835, 28.8963)
        assert HOSTILE in page.locator(".leaflet-popup").inner_text()
        for one in page.locator("summary").all():
            one.click()
        assert page.locator("img").count() == 0
        assert HOSTILE in page.locator("#tables").inner_text()


def test_a_file_that_was_tampered_with_asks_nobody(opened, taken, tmp_path):
    """The policy in the file refuses a script and a picture that somebody adds."""
    text = taken("reservoirs").read_text(encoding="utf-8")
    added = text.replace(
        "</header>", '<script>document.title = "x"</script><div style="color:red">x</div></header>'
    )
    path = tmp_path / "added.html"
    path.write_text(added, encoding="utf-8")
    with pytest.raises(AssertionError, match="Content Security Policy"), opened(path) as page:
        assert page.title() != "x"
