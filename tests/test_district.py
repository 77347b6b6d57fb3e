"""A district is its two folders: what they give, and what is told when they are wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from qjmap.district import districts, load_district, read_settings
from qjmap.errors import DataError, RegistryError, UnknownKeyError
from tests.conftest import GRID_KEY, town_name, write_grid


def settings_file(root: Path) -> Path:
    return root / "data" / GRID_KEY / "district.toml"


def rewrite(path: Path, *changes: tuple[str, str]) -> None:
    """Change a text file; what is to change must be there."""
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


# ---- what is right --------------------------------------------------------------------------------


def test_the_real_district(qijiang):
    assert (qijiang.key, qijiang.name) == ("qijiang", "重庆市綦江区")
    assert len(qijiang.towns) == len(qijiang.boundaries) == 21
    assert list(qijiang.boundaries.index) == list(qijiang.towns.index)
    assert qijiang.boundary_problems == ()
    assert {one.year: one.total for one in qijiang.settings.totals} == {
        2010: 801_041,
        2020: 775_509,
        2025: 825_000,
    }
    assert {one.document for one in qijiang.settings.totals} <= set(qijiang.documents.index)
    assert "非法定界线" in qijiang.boundary_notice
    west, south, east, north = qijiang.settings.box
    for corner in [(west, south), (east, north)]:
        # within this reach the working projection is right to 2e-7 in area
        assert np.hypot(*qijiang.projection.to_metres(*corner)) < 80_000


def test_the_grid_district(grid_district):
    towns = grid_district.towns
    assert list(towns.index) == [town_name(k) for k in range(9)]
    assert towns["area_km2"].to_numpy() == pytest.approx(100, rel=1e-6)
    assert towns["seat_x"].iloc[0] == pytest.approx(-10_000, abs=0.01)
    assert np.isnan(towns["seat_x"].iloc[8])
    assert towns["point_x"].iloc[8] == pytest.approx(10_000, abs=1.5)
    assert towns["point_error_m"].to_numpy() == pytest.approx(5000 * 2**0.5, abs=2)
    assert towns["population_2010"].tolist() == [1000, 2000, *(1000 * k for k in range(3, 10))]
    assert towns["population_2020"].tolist() == [2 * one for one in towns["population_2010"]]
    assert towns["census_2010"].iloc[0] == 3000
    assert list(grid_district.background.index) == ["邻区"]
    assert grid_district.total(2020).total == 90_000
    with pytest.raises(UnknownKeyError, match="2015"):
        grid_district.total(2015)


def test_a_folder_is_a_district(grid_root):
    assert districts(grid_root) == (GRID_KEY,)
    shutil.copytree(grid_root / "data" / GRID_KEY, grid_root / "data" / "other")
    shutil.copytree(grid_root / "geo" / GRID_KEY, grid_root / "geo" / "other")
    rewrite(grid_root / "data" / "other" / "district.toml", (f'key = "{GRID_KEY}"', 'key = "other"'))
    assert districts(grid_root) == ("fangge", "other")
    assert load_district("other", grid_root).data == grid_root / "data" / "other"


def test_districts_of_any_size(tmp_path):
    assert len(load_district(GRID_KEY, write_grid(tmp_path, n=1)).towns) == 1


def test_a_district_without_neighbours_needs_no_background(grid_root):
    rewrite(settings_file(grid_root), ("[context]", ""), ('unit = "邻区"', ""), ('label = "邻区(背景)"', ""))
    district = load_district(GRID_KEY, grid_root)
    assert district.settings.context_units == ()
    assert "邻区" in str(district.boundary_problems[0])  # the file still has it


def test_an_unknown_district_is_told_with_those_there_are(grid_root, tmp_path_factory):
    with pytest.raises(UnknownKeyError, match=r"没有名为“tongliang”的区县;现有:fangge"):
        load_district("tongliang", grid_root)
    with pytest.raises(UnknownKeyError, match="现有:无"):
        load_district("tongliang", tmp_path_factory.mktemp("empty"))
    with pytest.raises(UnknownKeyError):
        load_district(f"../data/{GRID_KEY}", grid_root)


# ---- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "entry", "expected"),
    [
        ('key = "fangge"', 'key = "tongliang"', "key", "文件夹名“fangge”"),
        ('\nname = "方格区"', "", "name", "一段文字"),
        ('\nname = "方格区"', "\nname = 3", "name", "一段文字"),
        ('adcode = "999999"', "adcode = 999999", "adcode", "一段文字"),
        ("lon = 106.5", 'lon = "106.5"', "centre.lon", "一个数"),
        ("lon = 106.5", "lon = true", "centre.lon", "一个数"),
        ("lat = 29.0", "lat = 49.0", "centre", "在 bounds 之内"),
        ("lat = 29.0", "lat = nan", "centre", "在 bounds 之内"),
        ("[centre]", "[middle]", "centre.lat", "一个数"),
        ("lon_min = ", "lon_min = 10", "bounds", "西小于东"),
        ("lat_max = ", "lat_max = 6", "bounds", "经纬度"),
        ("[bounds]", "[box]", "bounds.lon_min", "一个数"),
        ('label = "邻区(背景)"', "", "context.label", "一段文字"),
        ('file = "townships.geojson"', 'file = "../townships.geojson"', "boundaries.file", "不含文件夹"),
        ('file = "townships.geojson"', "", "boundaries.file", "一段文字"),
        ('notice = "示意界线,非法定界线"', 'notice = ""', "boundaries.notice", "一段文字"),
        ("year = 2010", 'year = "2010"', "population[1]", "整数的 year"),
        ("total = 90000", "total = 90000.5", "population[2]", "整数 total"),
        ("total = 90000", "total = 0", "population[2]", "大于 0"),
        ("year = 2020", "year = 2010", "population.year", "互不相同的年份"),
        ("[[population]]", "[[people]]", "population", "至少一个"),
        ("[centre]", "[overview]\nyear = 2015\n[centre]", "overview.year", "[[population]] 中的一个年份"),
        ("[centre]", "[overview]\nheadlines = [3]\n[centre]", "overview.headlines", "一列"),
    ],
)
def test_a_slip_in_the_settings_is_told_with_its_entry(grid_root, old, new, entry, expected):
    rewrite(settings_file(grid_root), (old, new))
    with pytest.raises(RegistryError) as caught:
        load_district(GRID_KEY, grid_root)
    problems = caught.value.problems
    assert {one.file for one in problems} == {f"data/{GRID_KEY}/district.toml"}
    assert [one for one in problems if one.column == entry and expected in one.expected], str(caught.value)


def test_all_slips_of_the_settings_are_told_at_once(grid_root):
    rewrite(
        settings_file(grid_root), ("adcode =", "code ="), ("lon = 106.5", "lon = []"), ("total = ", "sum = ")
    )
    with pytest.raises(RegistryError) as caught:
        read_settings(GRID_KEY, grid_root)
    entries = {one.column for one in caught.value.problems}
    assert {"adcode", "centre.lon", "population[1]", "population[2]"} <= entries


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"key = ", "TOML"),
        ("key = “方格”".encode("gb18030"), "UTF-8"),
        (b"", "至少一个"),
        (b"population = 3\ncentre = 3\nbounds = []\nboundaries = 1\ncontext = 1\noverview = 1", "至少一个"),
    ],
)
def test_settings_that_cannot_be_read_are_told(grid_root, content, words):
    settings_file(grid_root).write_bytes(content)
    with pytest.raises(RegistryError, match=words):
        load_district(GRID_KEY, grid_root)


def test_settings_that_are_not_there_are_told(grid_root):
    with pytest.raises(RegistryError, match="没有这个文件"):
        read_settings("tongliang", grid_root)


# ---- the other files ------------------------------------------------------------------------------


def test_a_bad_boundary_file_stops_no_district(grid_root):
    path = grid_root / "geo" / GRID_KEY / "townships.geojson"
    path.write_text("{", encoding="utf-8")
    district = load_district(GRID_KEY, grid_root)
    assert len(district.towns) == 9
    assert district.boundaries.empty
    assert district.background.empty
    assert district.boundary_problems[0].file == f"geo/{GRID_KEY}/townships.geojson"
    assert district.towns["area_km2"].isna().all()
    assert district.towns["point_x"].isna().all()
    assert district.towns["population_2020"].sum() == 90_000
    assert list(district.boundaries.columns) == list(load_district().boundaries.columns)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("data/documents.csv", "id,title", "nr,title", ["documents.csv", "“id”"]),
        ("data/documents.csv", "plan,", ",", ["documents.csv", "第 2 行", "必填"]),
        (
            "data/fangge/townships.csv",
            "甲街道,街道,城区",
            "甲街道,乡,城区",
            ["townships.csv", "第 2 行", "“kind”"],
        ),
        (
            "data/fangge/townships.csv",
            "乙街道,街道",
            "甲街道,街道",
            ["townships.csv", "第 3 行", "第 2 行重复"],
        ),
        ("data/fangge/townships.csv", ",3000,", ",,", ["population_2010", "甲街道", "乙街道"]),
        ("data/fangge/townships.csv", "census_unit", "unit", ["“census_unit”", "没有这一列"]),
    ],
)
def test_a_bad_table_stops_the_district_and_is_told(grid_root, file, old, new, words):
    rewrite(grid_root / file, (old, new))
    with pytest.raises(DataError) as caught:
        load_district(GRID_KEY, grid_root)
    for word in words:
        assert word in str(caught.value)


def test_a_district_without_towns_is_refused(grid_root):
    path = grid_root / "data" / GRID_KEY / "townships.csv"
    path.write_text(path.read_text("utf-8").splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="townships"):
        load_district(GRID_KEY, grid_root)


@pytest.mark.parametrize("file", ["data/documents.csv", "data/fangge/townships.csv", "data/layers.toml"])
def test_a_lost_file_is_told(grid_root, file):
    (grid_root / file).unlink()
    with pytest.raises(DataError, match="没有这个文件") as caught:
        load_district(GRID_KEY, grid_root)
    assert Path(file).name in str(caught.value)
