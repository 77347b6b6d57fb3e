"""Bad files and hostile names, seen in the browser."""

import shutil

import pytest
from serve import ROOT, drawn, running, settled

pytestmark = pytest.mark.browser

XSS = '<img src=x onerror="window.attacked=1">'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The app on data with a hostile name and a broken row."""
    root = tmp_path_factory.mktemp("hostile")
    for name in ("data", "geo"):
        shutil.copytree(ROOT / name, root / name)
    health = root / "data/qijiang/health.csv"
    text = health.read_text(encoding="utf-8")
    health.write_text(
        text.replace("綦江区篆塘镇卫生院", '"' + XSS.replace('"', '""') + '"', 1), encoding="utf-8"
    )
    ponds = root / "data/qijiang/demo/fire_ponds.csv"
    lines = ponds.read_text(encoding="utf-8").splitlines()
    lines[4] = lines[4].replace(",演示,", ",编造,", 1)
    ponds.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with running(environment={"QJMAP_ROOT": str(root)}) as address:
        yield address


def test_a_hostile_name_is_text_everywhere(visit, hostile):
    with visit() as page:
        page.goto(f"{hostile}/health?record=C14")
        frame = drawn(page)
        assert page.locator(".qj-card h3").inner_text() == XSS
        page.get_by_text("所选的记录").click()
        page.locator("td", has_text=XSS).first.wait_for()
        settled(page)
        assert page.locator("td", has_text=XSS).count() == 1
        assert page.evaluate("window.attacked") is None
        assert frame.evaluate("window.attacked") is None
        page.goto(f"{hostile}/town?town=篆塘镇")
        page.locator(".qj-foot").wait_for()
        settled(page)
        assert XSS in page.inner_text(".stMain")
        assert page.evaluate("window.attacked") is None


def test_a_broken_row_stops_its_layer_and_no_other(visit, hostile):
    with visit() as page:
        page.goto(f"{hostile}/fire_water?hydrants-layer=消防水池与取水点")
        page.locator(".qj-problems").first.wait_for()
        said = page.locator(".qj-problems").first.inner_text()
        assert "fire_ponds.csv" in said
        assert "第 5 行" in said
        assert "编造" in said
        page.goto(f"{hostile}/fire_water")
        drawn(page)
        assert "2,000" in page.inner_text(".qj-figures")
