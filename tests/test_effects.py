"""What other lines change is counted answer by answer, and nothing is saved by asking."""

from __future__ import annotations

import pytest
import shapely

from qjmap import effects, ingest, outlines
from qjmap.assess import MET, SHORT, WHOLE
from qjmap.rulebook import load_standards
from tests import official
from tests.conftest import write_layer
from tests.test_boundary_words import RULE


@pytest.fixture
def standards(grid_district):
    path = grid_district.root / "standards.toml"
    path.write_text(RULE.replace("per = 10", "per = 110"), encoding="utf-8")
    return load_standards(path, grid_district.registry, grid_district.documents.index)


@pytest.fixture
def moved(grid_district):
    """己镇 takes 20 km² from 戊镇."""
    frame, degrees = official.areas(grid_district, (0, 0)), grid_district.projection.geometry_to_degrees
    for number, name, by in ((4, "戊镇", (0, -2000)), (5, "己镇", (-2000, 0))):
        west, south, east, north = grid_district.boundaries.geometry[name].bounds
        frame.loc[number, "geometry"] = degrees(shapely.box(west + by[0], south, east + by[1], north))
    (file,) = ingest.read("界线.geojson", official.geojson(frame))
    return outlines.official(file, grid_district, "XZQMC").geojson


def test_answers_that_turn_come_first_and_the_rest_with_their_numbers(
    grid_district, grid_root, standards, moved
):
    kind = grid_district.registry.spec("health").kinds[0]
    rows = [{"id": "N1", "name": "院", "kind": kind, "town": "己镇", "status": "现状", "source": "导入"}]
    write_layer(grid_root, "health", rows)
    before = effects.judged(grid_district, standards, 2020)
    after = effects.judged(effects.with_lines(grid_district, moved, "新"), standards, 2020)
    changed = effects.compare(before, after)
    first, *rest = changed
    assert (first.town, first.before, first.after) == ("己镇", MET, SHORT)
    assert (first.said_before, first.said_after) == ("现有 1 所", "差 0.09 所")
    assert first.turned
    assert not any(one.turned for one in rest)
    assert {one.town: (one.said_before, one.said_after) for one in rest}["戊镇"] == (
        "差 0.91 所",
        "差 0.73 所",
    )
    assert effects.summary(changed) == {(MET, SHORT): 1}
    assert {one.town for one in rest} <= {"戊镇", WHOLE}
    assert grid_district.kept == {}


def test_the_same_lines_change_nothing(grid_district, standards):
    (file,) = ingest.read("界线.geojson", official.geojson(official.areas(grid_district, (0, 0))))
    found = outlines.official(file, grid_district, "XZQMC")
    new = effects.with_lines(grid_district, found.geojson, "新")
    before, after = (effects.judged(one, standards, 2020) for one in (grid_district, new))
    assert effects.compare(before, after) == ()
