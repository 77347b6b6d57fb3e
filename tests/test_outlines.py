"""Official boundaries: names found, gaps and overlaps measured, a file that the district reads."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from qjmap import boundaries, ingest, outlines
from qjmap.errors import DataError


def source(district, change=None, names=None) -> ingest.Source:
    frame = gpd.GeoDataFrame(
        {"乡镇": list(names or district.boundaries.index)},
        geometry=[district.projection.geometry_to_degrees(one) for one in district.boundaries.geometry],
        crs=4326,
    )
    if change is not None:
        place, shape = change
        frame.loc[place, "geometry"] = district.projection.geometry_to_degrees(shape)
    (one,) = ingest.read("界线.geojson", frame.to_json().encode())
    return one


def test_names_are_matched_and_the_file_is_read_by_the_district(grid_district, tmp_path):
    short = ["甲街", "方格区乙街道", "丙", *grid_district.boundaries.index[3:]]
    found = outlines.official(source(grid_district, names=short), grid_district, "乡镇")
    assert found.problems == ()
    assert found.names["丙"] == "丙镇"
    assert found.area_km2 == pytest.approx(found.schematic_km2, rel=1e-6)
    path = tmp_path / "b.geojson"
    path.write_bytes(found.geojson)
    settings = grid_district.settings
    towns = list(grid_district.towns.index)
    again = boundaries.read(path, tmp_path, towns, grid_district.projection, settings.box)
    assert set(again["certainty"]) == {"official"}


def test_gaps_and_overlaps_are_measured(grid_district):
    middle = grid_district.boundaries.geometry["戊镇"]
    smaller = outlines.official(source(grid_district, (4, middle.buffer(-500))), grid_district, "乡镇")
    assert smaller.problems == ()
    ((_, gap),) = smaller.gaps
    assert gap == pytest.approx(100 - 81, abs=0.01)
    assert "平方千米不属任何街镇" in smaller.warnings[0].value
    larger = outlines.official(
        source(grid_district, (4, middle.buffer(100, join_style="mitre"))), grid_district, "乡镇"
    )
    # four sides of 10 km by 100 m, four corners of 100 m by 100 m
    assert sorted(area for *_, area in larger.overlaps) == pytest.approx([0.01] * 4 + [1.0] * 4, abs=1e-4)
    assert larger.problems
    assert larger.geojson == b""


def test_unknown_missing_crossed_and_outlying_are_all_told(grid_district):
    bow = shapely.Polygon([(0, 0), (1000, 1000), (1000, 0), (0, 1000)])
    names = ["无此镇", *grid_district.boundaries.index[1:]]
    found = outlines.official(source(grid_district, (4, bow), names), grid_district, "乡镇")
    told = " ".join(map(str, found.problems))
    for word in ("无此镇", "“甲街道”的面", "戊镇:在", "“戊镇”的面"):
        assert word in told


def test_a_table_or_another_property_is_refused(grid_district):
    with pytest.raises(DataError, match="面图层"):
        outlines.official(source(grid_district), grid_district, "没有")
