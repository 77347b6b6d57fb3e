"""A zone under the reservoirs in a real browser: its pixels are there, a click on it opens its card, a name hovers."""

import io

import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image
from serve import MAP, drawn, running, settled

from qjmap import _shapes, service
from qjmap.access import LOCAL
from qjmap.audit import Audit
from qjmap.district import load_district
from qjmap.ingest import RawTable
from qjmap.office import Office
from qjmap.workspace import Workspace

pytestmark = pytest.mark.browser

TOWN = "石角镇"


@pytest.fixture(scope="module")
def zone():
    """A square of four kilometres in the middle of a town, in degrees."""
    district = load_district("qijiang")
    middle = district.boundaries.geometry[TOWN].representative_point()
    return district.projection.geometry_to_degrees(middle.buffer(2000, cap_style="square"))


@pytest.fixture(scope="module")
def own(zone, tmp_path_factory):
    """A server with a workspace in which somebody has put a zone, and the same of another kind inside it."""
    home = tmp_path_factory.mktemp("zones")
    office = Office(load_district("qijiang"), Workspace(home, "qijiang"), Audit(home))
    spec = office.district.registry.spec("reservoir_zones")
    small = shapely.affinity.scale(zone, 0.3, 0.3)
    rows = [
        {"id": id_, "name": name, "kind": kind, "status": "现状", "source": "导入", "geometry": text}
        for id_, name, kind, text in zip(
            ("1", "2"),
            ("甲水库管理范围", "甲水库保护区"),
            ("管理范围", "饮用水水源一级保护区"),
            _shapes.write(np.array([zone, small], dtype=object)),
            strict=True,
        )
    ]
    frame = pd.DataFrame(rows, columns=list(spec.columns)).astype("str")
    service.import_layer(
        LOCAL, office, "reservoir_zones", RawTable("a.geojson", frame, (1, 2)), base=0, why="试验"
    )
    with running(environment={"QJMAP_HOME": str(home)}) as address:
        yield address


def opened(page, own, path):
    page.goto(f"{own}/{path}")
    page.locator(".qj-foot").wait_for()
    settled(page)
    return drawn(page)


def on_screen(page, frame, lon, lat):
    """Where a place is on the page, in pixels."""
    x, y = frame.evaluate(
        "([lon, lat]) => { const p = window.map.latLngToContainerPoint([lat, lon]); return [p.x, p.y]; }",
        [lon, lat],
    )
    box = page.locator(MAP).bounding_box()
    return box["x"] + x, box["y"] + y


def pixels(page, at, half=3):
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    x, y = (round(one) for one in at)
    return np.asarray(picture, dtype=int)[y - half : y + half + 1, x - half : x + half + 1]


def test_a_zone_is_seen_named_and_opened(own, visit, zone):
    west, south, east, north = zone.bounds
    inside = (west + 0.15 * (east - west), south + 0.15 * (north - south))
    middle = (zone.centroid.x, zone.centroid.y)
    with visit() as page:
        frame = opened(page, own, f"reservoirs?town={TOWN}")
        at = on_screen(page, frame, *inside)
        tinted = pixels(page, at)
        page.get_by_text("水库范围", exact=True).first.click()  # off
        frame = drawn(page)
        plain = pixels(page, at)
        assert np.abs(tinted.mean(axis=(0, 1)) - plain.mean(axis=(0, 1))).max() > 8
        page.get_by_text("水库范围", exact=True).first.click()  # on again
        frame = drawn(page)
        assert frame.locator(".qj-legend", has_text="水库范围:管理范围").count() == 1
        page.mouse.move(*at)
        frame.locator(".qj-hover", has_text="甲水库管理范围").wait_for()
        page.mouse.click(*at)
        page.locator(".qj-card", has_text="甲水库管理范围").wait_for()
        settled(page)
        assert "图形面积" in page.locator(".qj-card", has_text="甲水库管理范围").inner_text()
        assert "record=reservoir_zones" in page.url
        # the small one lies above the large one
        page.mouse.click(*on_screen(page, drawn(page), *middle))
        page.locator(".qj-card", has_text="甲水库保护区").wait_for()
