"""Official boundaries: names found, gaps and overlaps measured, a file that the district reads."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from qjmap import boundaries, datum, effects, ingest, outlines, portrait
from qjmap.contents import BOUNDARIES, GEOJSON, Content
from qjmap.district import load_district
from qjmap.errors import DataError
from qjmap.plots import tiles
from tests import official

ABOUT = {"provider": "方格区民政局", "date": "2025-06-30", "imported": "2026-11-22", "by": "王"}


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
    assert found.area_km2 == pytest.approx(found.old_km2, rel=1e-6)
    path = tmp_path / "b.geojson"
    path.write_bytes(found.geojson)
    settings = grid_district.settings
    towns = list(grid_district.towns.index)
    again = boundaries.read(path, tmp_path, towns, grid_district.projection, settings.box, ("邻区",))
    assert set(again["certainty"][towns]) == {"imported"}


def test_gaps_and_overlaps_are_measured(grid_district):
    middle = grid_district.boundaries.geometry["戊镇"]
    smaller = outlines.official(source(grid_district, (4, middle.buffer(-500))), grid_district, "乡镇")
    assert smaller.problems == ()
    (gap,) = smaller.gaps
    assert gap.km2 == smaller.gap_km2 == pytest.approx(100 - 81, abs=0.01)
    assert set(gap.towns) == {"戊镇", "乙街道", "丁镇", "己镇", "辛镇"}
    assert gap.shape.area == pytest.approx(19e6, rel=1e-3)
    assert "平方千米不属任何街镇" in smaller.warnings[0].value
    larger = outlines.official(
        source(grid_district, (4, middle.buffer(100, join_style="mitre"))), grid_district, "乡镇"
    )
    # four sides of 10 km by 100 m, four corners of 100 m by 100 m
    assert [one.km2 for one in larger.overlaps] == pytest.approx([1.0] * 4 + [0.01] * 4, abs=1e-4)
    assert larger.overlap_km2 == pytest.approx(4.04, abs=1e-3)
    assert larger.problems
    assert larger.geojson == b""
    assert larger.mendable == 8


def test_unknown_missing_crossed_and_outlying_are_all_told(grid_district):
    bow = shapely.Polygon([(0, 0), (1000, 1000), (1000, 0), (0, 1000)])
    names = ["无此镇", *grid_district.boundaries.index[1:]]
    found = outlines.official(source(grid_district, (4, bow), names), grid_district, "乡镇")
    told = " ".join(map(str, found.problems))
    for word in ("无此镇", "“甲街道”的面", "戊镇:在", "“戊镇”的面"):
        assert word in told


def test_a_town_that_stands_twice_is_joined_and_said_to_be(grid_district):
    names = list(grid_district.boundaries.index)
    given = source(grid_district, names=[*names[:4], names[3], *names[5:]])
    found = outlines.official(given, grid_district, "乡镇")
    assert [one.value for one in found.problems] == [None]  # and the fifth has none
    (told,) = [one for one in found.warnings if one.expected == "每个街镇一个面"]
    assert told.value == f"“{names[3]}”有 2 个面(第 4、5 个)"


def test_a_table_or_another_property_is_refused(grid_district):
    with pytest.raises(DataError, match="面图层"):
        outlines.official(source(grid_district), grid_district, "没有")


def test_a_strip_open_to_the_outside_is_a_gap_but_a_bay_of_one_town_is_not(grid_district):
    west, south, east, north = grid_district.boundaries.geometry["甲街道"].bounds
    narrower = shapely.box(west, south, east - 30, north)
    found = outlines.official(source(grid_district, (0, narrower)), grid_district, "乡镇")
    (strip,) = found.gaps
    assert strip.towns == ("甲街道", "乙街道")
    assert strip.km2 == pytest.approx(0.3, abs=0.01)
    bay = shapely.box(west, south, east, north).difference(
        shapely.box(west, south + 4000, west + 900, south + 4040)
    )
    assert outlines.official(source(grid_district, (0, bay)), grid_district, "乡镇").gaps == ()


def test_small_overlaps_and_narrow_gaps_are_mended_and_listed(grid_district):
    west, south, east, north = grid_district.boundaries.geometry["戊镇"].bounds
    moved = shapely.box(
        west + 10, south, east + 10, north
    )  # a strip free in the west, one too many in the east
    file = source(grid_district, (4, moved))
    before = outlines.official(file, grid_district, "乡镇")
    assert (before.mendable, len(before.problems), before.geojson) == (1, 1, b"")
    assert before.repairs == ()
    mended = outlines.official(file, grid_district, "乡镇", repair=True)
    assert mended.problems == ()
    assert mended.overlaps == mended.gaps == ()
    assert mended.overlap_km2 == pytest.approx(0, abs=1e-6)
    assert mended.area_km2 == pytest.approx(900, rel=1e-6)
    assert sorted(one.split(",")[0] for one in mended.repairs) == [
        "丁镇、戊镇空隙 0.1001 平方千米",
        "戊镇、己镇重叠 0.1000 平方千米",
    ]


def test_a_large_overlap_is_for_people_to_settle(grid_district):
    west, south, east, north = grid_district.boundaries.geometry["戊镇"].bounds
    wide = source(grid_district, (4, shapely.box(west, south, east + 300, north)))
    for repair in (False, True):
        found = outlines.official(wide, grid_district, "乡镇", repair=repair)
        assert [problem.value for problem in found.problems] == ["戊镇、己镇重叠 3.0000 平方千米"]
        assert (found.mendable, found.repairs) == (0, ())


def test_a_ring_that_touches_itself_is_mended_when_asked(grid_district):
    west, south, east, north = grid_district.boundaries.geometry["戊镇"].bounds
    pinched = shapely.Polygon(
        [(west, south), (east, south), (east, north), (west, north), (west, south + 9), (west + 9, south + 9),
         (west, south + 9)]
    )  # fmt: skip
    file = source(grid_district, (4, pinched))
    assert outlines.official(file, grid_district, "乡镇").mendable == 1
    mended = outlines.official(file, grid_district, "乡镇", repair=True)
    assert mended.problems == ()
    assert "戊镇:图形在" in mended.repairs[0]


def test_what_a_person_says_of_a_name_holds(grid_district):
    names = ["第一片", *grid_district.boundaries.index[1:]]
    file = source(grid_district, names=names)
    assert outlines.suggest(file, "乡镇", grid_district)["第一片"] is None
    assert outlines.official(file, grid_district, "乡镇").problems
    found = outlines.official(file, grid_district, "乡镇", names={"第一片": "甲街道"})
    assert found.problems == ()
    assert found.names["第一片"] == "甲街道"
    # several areas of one town, and one of the neighbour's that is left out or makes the background
    frame = official.areas(grid_district, (0, 0))
    more = frame.iloc[[0, 0]].assign(XZQMC=["邻区一镇", "邻区二镇"])
    more.geometry = [
        grid_district.projection.geometry_to_degrees(
            shapely.box(16_000 + 3000 * n, 0, 18_000 + 3000 * n, 2000)
        )
        for n in range(2)
    ]
    (wider,) = ingest.read("界线.geojson", official.geojson(gpd.pd.concat([frame, more])))
    assert len(outlines.official(wider, grid_district, "XZQMC").problems) == 2
    said = {"邻区一镇": "邻区", "邻区二镇": outlines.LEFT_OUT}
    found = outlines.official(wider, grid_district, "XZQMC", names=said)
    assert found.problems == ()
    assert found.background.area.tolist() == pytest.approx([4e6], rel=1e-6)
    assert found.notes == ()
    kept = outlines.official(wider, grid_district, "XZQMC", names=dict.fromkeys(said, outlines.LEFT_OUT))
    assert list(kept.background.index) == ["邻区"]
    assert kept.background.area.tolist() == pytest.approx(grid_district.background.area.tolist(), rel=1e-6)
    assert kept.notes == ("文件中没有邻区:沿用原有轮廓",)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("界线.geojson", official.geojson),
        ("界线.zip", official.shapefile),
        ("界线.gpkg", official.geopackage),
        ("界线.geojson", official.gcj),
    ],
)
def test_the_same_lines_come_out_of_every_format(qijiang, name, write):
    (file,) = ingest.read(name, write(official.areas(qijiang)))
    column = outlines.guess(file, qijiang)
    assert column == "XZQMC"
    reading = None
    if write is official.gcj:
        x, y = shapely.get_coordinates(outlines.degrees(file)).T
        reading = next(one for one in datum.readings(x, y, qijiang) if one.key == datum.GCJ02)
    found = outlines.official(file, qijiang, column, reading)
    assert found.problems == ()
    assert found.overlaps == found.gaps == ()
    assert found.area_km2 == pytest.approx(found.old_km2, rel=1e-5)
    for town, shape in qijiang.boundaries.geometry.items():
        there = shapely.affinity.translate(shape, 60, -40)
        assert shapely.hausdorff_distance(found.frame.geometry[town], there) < 0.05
    assert "沿用原有轮廓,减去" in found.notes[0]  # the neighbour, which the file does not have
    again = load_district(
        "qijiang", kept={BOUNDARIES: Content("第 2 版", outlines.signed(found, ABOUT), GEOJSON)}
    )
    assert again.boundary_problems == ()
    assert list(again.background.index) == list(qijiang.background.index)
    assert not again.schematic
    assert again.boundary_notice == "界线由方格区民政局提供,2026-11-22导入"
    assert again.origin.full.endswith("资料日期 2025-06-30;导入账号 王")


def test_what_is_cut_by_the_lines_is_worked_out_anew(grid_district, grid_root):
    west, south, east, north = grid_district.boundaries.geometry["戊镇"].bounds
    frame = official.areas(grid_district, (0, 0))
    degrees = grid_district.projection.geometry_to_degrees
    frame.loc[4, "geometry"] = degrees(shapely.box(west, south, east - 2000, north))
    west, south, east, north = grid_district.boundaries.geometry["己镇"].bounds
    frame.loc[5, "geometry"] = degrees(shapely.box(west - 2000, south, east, north))
    (file,) = ingest.read("界线.geojson", official.geojson(frame))
    found = outlines.official(file, grid_district, "XZQMC")
    new = load_district("fangge", grid_root, kept={BOUNDARIES: Content("b", found.geojson, GEOJSON)})
    assert new.towns["area_km2"][["戊镇", "己镇"]].tolist() == pytest.approx([80, 120], rel=1e-5)
    assert new.towns["point_error_m"]["己镇"] == pytest.approx(np.hypot(6000, 5000), rel=0.2)
    assert new.towns["point_error_m"]["己镇"] > grid_district.towns["point_error_m"]["己镇"]
    assert new.towns["population_2020"].tolist() == grid_district.towns["population_2020"].tolist()


def test_areas_and_seats_that_do_not_fit_what_is_published_are_told(grid_district):
    swapped = list(grid_district.boundaries.index)
    swapped[0], swapped[4] = swapped[4], swapped[0]
    found = outlines.official(source(grid_district, names=swapped), grid_district, "乡镇")
    told = [problem.value for problem in found.warnings]
    assert "甲街道驻地在此面外 7071 米" in told
    west, south, east, north = grid_district.boundaries.geometry["壬镇"].bounds
    small = outlines.official(
        source(grid_district, (8, shapely.box(west, south, east, north - 2000))), grid_district, "乡镇"
    )
    assert "壬镇面积 80.0 平方千米" in [problem.value for problem in small.warnings]


def test_our_own_schematic_lines_are_recognised(qijiang):
    data = (qijiang.geo / qijiang.settings.boundary_file).read_bytes()
    (file,) = ingest.read("townships.geojson", data)
    found = outlines.official(file, qijiang, "name")
    assert found.problems == ()
    assert [problem.column for problem in found.warnings] == ["certainty"]
    assert set(found.background.index) == {"万盛经开区"}


@pytest.mark.parametrize("said", [{}, {"kind": "法定界线"}, {"kind": ["导入界线"]}, {"kind": None}])
def test_a_file_that_says_nothing_of_itself_is_what_the_settings_say(said):
    origin = boundaries.origin(said, "示意界线", "示意界线,非法定界线")
    assert origin.schematic
    assert (origin.label, origin.line) == ("示意界线", "界线:示意界线,非法定界线")


def test_claims_are_told_as_claims_and_kept_short():
    said = {"kind": boundaries.IMPORTED, "provider": "民政局\n" * 40, "imported": 7}
    origin = boundaries.origin(said, "示意界线", "示意界线,非法定界线")
    assert not origin.schematic
    assert "\n" not in origin.notice
    assert len(origin.notice) < 100
    assert boundaries.origin({"kind": boundaries.IMPORTED}, "a", "b").notice == (
        "界线由导入的文件得来,提供单位未注明"
    )


def test_the_file_says_what_was_said_of_it(grid_district):
    found = outlines.official(source(grid_district), grid_district, "乡镇")
    head = json.loads(outlines.signed(found, ABOUT | {"review_number": " "}))["metadata"]
    assert head.items() >= (ABOUT | {"kind": "导入界线", "file": "界线.geojson"}).items()
    assert "review_number" not in head
    assert json.loads(found.geojson)["features"] == json.loads(outlines.signed(found, ABOUT))["features"]


NUMBERS = st.one_of(
    st.floats(105, 108),
    st.floats(28, 30),
    st.sampled_from([0.0, -200.0, 1e308, 5e-324, 500_000.0, 35.4e6, 3.2e6]),
)
RINGS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rings=st.lists(RINGS, min_size=1, max_size=11),
    names=st.lists(st.sampled_from(["甲街道", "乙", "邻区", "", "无此镇", "<b>"]), min_size=11, max_size=11),
    crs=st.sampled_from([None, "EPSG:4326", "EPSG:4523", "EPSG:3857", "不认识"]),
    repair=st.booleans(),
)
@example(
    rings=[[(105.0, 105.0), (35.4e6, 105.0), (35.4e6, 106.0), (35.4e6, 28.0)]],
    names=["甲街道"] * 11,
    crs="EPSG:4523",
    repair=False,
)
def test_whatever_stands_in_a_file_is_told_and_not_raised(grid_district, rings, names, crs, repair):
    shapes = [shapely.Polygon(ring) for ring in rings]
    frame = pd.DataFrame({"名": names[: len(shapes)]}, dtype="str")
    file = ingest.Source(
        "层", ingest.RawTable("f.geojson", frame, tuple(range(1, len(shapes) + 1))), "geojson",
        gpd.GeoSeries(shapes), crs,
    )  # fmt: skip
    try:
        found = outlines.official(file, grid_district, "名", repair=repair)
        outlines.agreement(file, grid_district, "名")
    except DataError:
        assert crs == "不认识"
        return
    assert found.problems  # towns are missing, at the least
    assert found.geojson == b""


def test_lines_whose_corners_do_not_meet_serve_all_the_same(qijiang):
    frame = official.areas(qijiang)
    frame.geometry = [
        shapely.segmentize(shapely.segmentize(one, 0.005), 0.0017 if number % 2 else 1)
        for number, one in enumerate(frame.geometry)
    ]
    (file,) = ingest.read("界线.zip", official.shapefile(frame))
    found = outlines.official(file, qijiang, "XZQMC")
    assert found.problems == ()
    new = effects.with_lines(qijiang, found.geojson, "界线")
    assert not shapely.coverage_is_valid(np.asarray(new.boundaries.geometry))
    assert len(tiles.outlines(new.boundaries)) == 21
    assert portrait.neighbours(new, "石角镇") == portrait.neighbours(qijiang, "石角镇")
