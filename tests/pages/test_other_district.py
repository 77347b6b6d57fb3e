"""A second district is a second folder: nothing on a page knows 綦江."""

import json
import shutil

import pytest
import streamlit as st
from visit import MAPPED, PAGES, Page

from qjmap.district import ROOT
from tests.conftest import GRID_KEY, write_layer


@pytest.fixture
def grid(grid_root, monkeypatch):
    """Nine square towns with a few institutions; people are known for 2010 and 2020 only."""
    for name in ("standards.toml", "assumptions.toml"):
        shutil.copy(ROOT / "data" / name, grid_root / "data" / name)
    own = (grid_root / "data" / "documents.csv").read_text(encoding="utf-8").splitlines()
    shared = (ROOT / "data" / "documents.csv").read_text(encoding="utf-8")
    (grid_root / "data" / "documents.csv").write_text(f"{shared.rstrip()}\n{own[1]}\n", encoding="utf-8")
    (grid_root / "geo" / "SOURCES.csv").write_text("file,title\ntownships.geojson,方格\n", encoding="utf-8")
    write_layer(
        grid_root,
        "health",
        [
            {"town": "戊镇", "beds_2020": 20, "beds_2025": 30, "year": 2020, "document": "plan"},
            {"town": "壬镇", "beds_2020": "", "beds_2025": 10, "year": 2020},
            {"name": "没有街镇的医院"},
        ],
    )
    monkeypatch.setenv("QJMAP_ROOT", str(grid_root))
    return grid_root


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_another_district(grid, page):
    seen = Page(page)
    assert seen.problems == ""
    assert seen.html.count('<div class="qj-brand">一张图<small>方格区</small></div>') == 1
    assert seen.maps or page not in MAPPED
    assert "綦江" not in json.dumps([one["script"] for one in seen.maps], ensure_ascii=False)
    assert "綦江" not in "".join(seen.figures)


def test_what_a_district_does_not_keep_is_no_fault(grid):
    assert "本区没有“数据勘误”表(errata.csv)" in Page("sources").text
    offered = [node.proto.label for node in Page("sources").nodes("download_button")]
    assert offered == ["下载 Excel"] * 3  # documents, records without a place, geography


def test_files_are_named_after_the_district(grid, monkeypatch):
    names = []
    monkeypatch.setattr(st, "download_button", lambda *_, file_name, **__: names.append(file_name))
    for page in ("sources", "health"):
        Page(page)
    assert names
    assert all(name.startswith("方格区_") for name in names)


def test_figures_of_another_district(grid):
    seen = Page("health")
    assert seen.figure("医疗卫生机构") == 3
    assert seen.figure("编制床位(2020年)") == 20
    assert seen.rows("towns")["戊镇"]["per"] == pytest.approx(2)  # 20 beds for 10,000 people
    overview = Page("overview")
    assert overview.figure("街镇") == 9
    assert overview.figures["街镇"][1].startswith("900 平方千米")
    # a district that does not say its base year is shown in the first for which there is a number of people
    assert overview.rows("towns")["戊镇"]["people"] == 5_000


def test_a_year_without_a_number_of_people_is_not_offered(grid):
    seen = Page("health", year="2025 规划")
    assert "人口:2020年 90,000 人" in seen.text
    assert seen.figure("编制床位(2020年)") == 20


def test_the_first_of_several_districts_is_shown_unless_another_is_named(grid, monkeypatch):
    shutil.copytree(ROOT / "data" / "qijiang", grid / "data" / "qijiang")
    shutil.copytree(ROOT / "geo" / "qijiang", grid / "geo" / "qijiang")
    monkeypatch.setenv("QJMAP_DISTRICT", "qijiang")
    assert "重庆市綦江区" in Page("reservoirs").text
    monkeypatch.setenv("QJMAP_DISTRICT", GRID_KEY)
    assert "方格区" in Page("reservoirs").text
    monkeypatch.delenv("QJMAP_DISTRICT")
    assert "方格区" in Page("reservoirs").text  # f comes before q
