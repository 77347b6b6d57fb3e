"""街镇界线 on the page 数据导入: from a file to a version, and what is said on the way."""

from __future__ import annotations

import io
import json
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely
from visit import Page

from qjmap import outlines
from qjmap.access import VISITOR, Person, Role
from qjmap.audit import Audit
from qjmap.contents import BOUNDARIES
from qjmap.district import load_district
from qjmap.ui import intake_hand, intake_work, who
from qjmap.workspace import Workspace, home
from tests import official

KEEP = "lines-keep"


def opened(data: bytes, name: str = "界线.geojson") -> Page:
    """The page with a file in hand, as after the upload."""
    seen = Page("intake")
    work = intake_hand.Work(BOUNDARIES)
    work.take(name, data)
    intake_work.sources(work)
    work.go(intake_hand.COLUMNS)
    seen.at.query_params.update({"to": BOUNDARIES, "step": str(work.step)})
    seen.at.session_state["intake-work"] = work
    return seen.run()


def fill(seen: Page, **typed: str | bool) -> Page:
    for key, value in typed.items():
        one = next(
            each
            for kind in ("text_input", "checkbox", "selectbox", "radio")
            for each in seen.at.get(kind)
            if each.key == f"lines-{key}"
        )
        one.set_value(value)
    return seen.run()


def press(seen: Page) -> Page:
    seen.at.button(key=KEEP).click()
    return seen.run()


@pytest.fixture
def versions(qijiang):
    place = Workspace(home(), "qijiang")
    return lambda: place.versions(BOUNDARIES)


@pytest.fixture
def with_overlap(qijiang):
    """The towns' areas, of which one is wider by 12 m and another narrower by 40 m."""
    frame = official.areas(qijiang)
    for number, by in ((5, 12.0), (9, -40.0)):
        shape = qijiang.projection.geometry_to_metres(frame.geometry[number])
        frame.loc[number, "geometry"] = qijiang.projection.geometry_to_degrees(shape.buffer(by))
    return frame


def test_a_file_is_matched_checked_signed_and_kept(qijiang, versions):
    names = list(qijiang.boundaries.index)
    names[6], names[7] = "东溪", "綦江区赶水镇"
    seen = opened(official.shapefile(official.areas(qijiang, names=names)), "界线.zip")
    assert "19 个名称与街镇名录一致,2 个经补全对上;街镇齐全。" in seen.text
    assert seen.figures["街镇"] == ("21 个", "应有 21 个")
    assert [seen.figures[name][0] for name in ("重叠", "空隙")] == ["0 处", "0 处"]
    assert "文件中没有万盛经开区:沿用原有轮廓" in seen.text
    rows = seen.rows("lines-areas")
    assert rows["石角镇"]["new"] == pytest.approx(rows["石角镇"]["old"], rel=1e-3)
    assert rows["石角镇"]["quoted"] == 164.1
    assert "个答案(2020年,不含演示数据):结论改变" in seen.text
    assert [layer["key"] for layer in seen.scene["shapes"]] == ["new"]
    # nobody keeps lines without saying whose they are and why
    assert "请填写提供单位" in press(seen).text
    assert "请写明原因" in press(fill(seen, provider="区民政局", date="2025-06-30")).text
    seen = press(fill(seen, why="改用勘定界线"))
    if "我已知晓" in seen.text:
        seen = press(fill(seen, aware=True))
    assert "已存为第 2 版" in seen.text
    assert "界线由区民政局提供" in seen.text
    assert "示意" not in seen.text
    newest, first = versions()
    assert (first.action, newest.why) == ("原有", "改用勘定界线")
    head = json.loads(Workspace(home(), "qijiang").read(BOUNDARIES).data)["metadata"]
    assert (head["provider"], head["date"], head["file"]) == ("区民政局", "2025-06-30", "jx.shp") or head[
        "file"
    ]
    assert Audit(home()).entries(action="导入")[0].detail.startswith("界线.zip")


def test_overlaps_stop_gaps_must_be_known_and_both_are_on_the_map(with_overlap, versions):
    seen = opened(official.geojson(with_overlap))
    assert "处问题,改好之前不能保存" in seen.text
    assert seen.at.button(key=KEEP).disabled
    assert {layer["key"] for layer in seen.scene["shapes"]} == {"new", "overlap", "gap"}
    rows = seen.rows("lines-patches")
    assert {row["what"] for row in rows.values()} == {"重叠", "空隙"}
    assert "石角镇" in rows["p0"]["towns"]
    seen = fill(seen, repair=True)
    assert "改好之前不能保存" not in seen.text
    assert "石角镇" in seen.text.partition("逐处列出")[2].partition("归入")[0]
    assert {layer["key"] for layer in seen.scene["shapes"]} == {"new", "gap"}
    seen = press(fill(seen, provider="区民政局", why="勘定"))
    assert "请先勾选“我已知晓”" in seen.text
    assert versions() == ()
    assert "已存为第 2 版" in press(fill(seen, aware=True)).text


def test_areas_of_the_neighbour_are_left_out_or_make_the_background(qijiang):
    frame = official.areas(qijiang, (0, 0))
    own = qijiang.background.geometry.iloc[0].buffer(-200)
    more = gpd.GeoDataFrame(
        {"XZQDM": ["1"], "XZQMC": ["万东镇"]},
        geometry=[qijiang.projection.geometry_to_degrees(own)],
        crs=frame.crs,
    )
    seen = opened(official.geojson(gpd.pd.concat([frame, more], ignore_index=True)))
    assert "1 个没有对上" in seen.text
    assert seen.at.button(key=KEEP).disabled
    seen = fill(seen, rest="都归万盛经开区(背景)")
    assert not seen.at.button(key=KEEP).disabled
    assert "沿用原有轮廓" not in seen.text
    seen = fill(seen, rest="都不用(区外的面)")
    assert not seen.at.button(key=KEEP).disabled
    assert "文件中没有万盛经开区:沿用原有轮廓" in seen.text


def test_how_the_coordinates_are_read_is_asked_and_shifts_the_lines(qijiang):
    seen = opened(official.gcj(official.areas(qijiang, (0, 0))))
    options = next(one for one in seen.at.radio if one.key == "lines-reading").options
    shares = {one.split(":")[0]: float(one.split("重合 ")[1].rstrip("%")) for one in options}
    assert max(shares, key=shares.get) == "GCJ-02(高德、腾讯地图)"
    assert shares["GCJ-02(高德、腾讯地图)"] > 99.9
    seen = fill(seen, reading="gcj02")
    found = seen.at.session_state["lines-work"].made["found"][1]
    assert (
        shapely.hausdorff_distance(found.frame.geometry["石角镇"], qijiang.boundaries.geometry["石角镇"])
        < 0.05
    )
    gauss = opened(official.geopackage(official.areas(qijiang)), "界线.gpkg")
    assert "文件写明坐标系:EPSG:4523(CGCS2000 / 3度带 105°,带号 35),已按此换算。" in gauss.text
    assert not gauss.at.button(key=KEEP).disabled


def test_lines_that_do_not_say_what_they_are_are_asked_about_before_all_else(qijiang, tmp_path):
    """A Shapefile without .prj: nothing is chosen; a name that says 高德 is heard."""
    official.areas(qijiang, (0, 0)).to_file(tmp_path / "x.shp", encoding="UTF-8")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(tmp_path.glob("x.*")):
            if path.suffix != ".prj":
                archive.write(path, path.name)
    seen = opened(out.getvalue(), "界线.zip")
    (radio,) = [one for one in seen.at.radio if one.key == "lines-reading"]
    assert radio.value is None
    assert "文件没有写明坐标系" in seen.text
    assert "请先选坐标按哪一种读" in seen.problems
    assert KEEP not in [one.key for one in seen.at.button]
    seen = fill(seen, reading="wgs84")
    assert KEEP in [one.key for one in seen.at.button]
    named = opened(out.getvalue(), "街镇界线_高德.zip")
    assert next(one for one in named.at.radio if one.key == "lines-reading").value == "gcj02"
    assert "文件名“街镇界线_高德.zip”写着“高德”" in named.text


def test_who_may_not_import_may_look_and_is_refused_by_the_service(qijiang, monkeypatch, versions):
    monkeypatch.setattr(who, "person", lambda: VISITOR)
    seen = opened(official.geojson(official.areas(qijiang)))
    assert seen.figures["街镇"][0] == "21 个"
    assert KEEP not in [one.key for one in seen.at.button]
    monkeypatch.setattr(who, "person", lambda: Person("李", Role.EDIT, "区水利局", "账号"))
    assert KEEP not in [one.key for one in opened(official.geojson(official.areas(qijiang))).at.button]
    assert versions() == ()


def test_who_saved_meanwhile_is_told_and_what_was_typed_stays(qijiang, versions):
    seen = fill(opened(official.geojson(official.areas(qijiang))), provider="区民政局", why="勘定")
    if "我已知晓" in str([one.label for one in seen.at.checkbox]):
        seen = fill(seen, aware=True)
    place = Workspace(home(), "qijiang")
    shipped = (qijiang.geo / qijiang.settings.boundary_file).read_bytes()
    place.save(BOUNDARIES, shipped, base=0, who="赵", why="先一步", action="导入", name="data.geojson")
    seen = press(seen)
    assert "赵" in seen.text
    assert "先一步" in seen.text
    assert len(place.drafts(BOUNDARIES)) == 1
    assert next(one.value for one in seen.at.text_input if one.key == "lines-provider") == "区民政局"
    assert "已存为第 2 版" in press(seen).text
    assert place.drafts(BOUNDARIES) == ()
    assert not load_district("qijiang", kept=place.current()).schematic


def test_what_was_chosen_outlives_another_page(with_overlap):
    seen = fill(opened(official.geojson(with_overlap)), repair=True, provider="区民政局")
    seen.at.switch_page("pages/overview.py")
    seen.run()
    seen.at.switch_page("pages/intake.py")
    seen.run()
    assert next(one.value for one in seen.at.text_input if one.key == "lines-provider") == "区民政局"
    assert next(one.value for one in seen.at.checkbox if one.key == "lines-repair")


@pytest.mark.parametrize("names", [["<img src=x onerror=alert(1)>"] * 21, [""] * 21, ["𝕏" * 500] * 21])
def test_names_that_are_no_towns_do_no_harm(qijiang, names):
    seen = opened(official.geojson(official.areas(qijiang, names=names)))
    assert "<img" not in seen.html
    assert seen.at.button(key=KEEP).disabled


def test_a_table_without_areas_is_refused_calmly(qijiang):
    seen = opened("街镇,面积\n石角镇,1\n".encode(), "表.csv")
    assert "面图层" in seen.problems
    points = official.areas(qijiang)
    points.geometry = [shapely.Point(one.centroid) for one in points.geometry]
    seen = opened(official.geojson(points))
    assert "Point" in seen.problems
    assert np.isnan(
        outlines.agreement(intake_work.table(seen.at.session_state["intake-work"]), qijiang, "XZQDM")
    )
