"""With somebody's own boundaries no page, map or file calls them schematic; with the old ones all do again."""

from __future__ import annotations

import io
import json
import shutil
import zipfile

import pytest
from visit import MAPPED, PAGES, Page

from qjmap import ingest, outlines, service
from qjmap.access import LOCAL
from qjmap.audit import Audit
from qjmap.contents import BOUNDARIES
from qjmap.office import Office
from qjmap.workspace import Workspace
from tests import official

SCHEMATIC = "示意"
PROVIDER = "綦江区<b>民政局</b>"
ABOUT = {"provider": PROVIDER, "imported": "2026-11-22", "date": "2025-06-30"}
WITHOUT_MAP = ("charts", "screen")
NOTHING_OFFERED = ("town", "records", "screen")
"""Pages that give no file when they are opened: on paper, of another part, or made on demand."""
SAID = f"界线由{PROVIDER}提供,2026-11-22导入"


@pytest.fixture(scope="module")
def kept(tmp_path_factory, qijiang):
    """A home folder in which somebody's own lines are kept, and their version."""
    home = tmp_path_factory.mktemp("kept")
    office = Office(qijiang, Workspace(home, "qijiang"), Audit(home))
    (given,) = ingest.read("界线.zip", official.shapefile(official.areas(qijiang)))
    found = outlines.official(given, qijiang, "XZQMC")
    data = outlines.signed(found, ABOUT)
    return home, service.import_boundaries(LOCAL, office, data, "界线.zip", base=0, why="改用勘定界线")


@pytest.fixture
def imported(kept, folder, workspace_home):
    """The lines are in the workspace: the same for every test, so that what rests on them is worked out once."""
    home, version = kept
    shutil.copytree(home, workspace_home, dirs_exist_ok=True)
    return version


def words(data: bytes) -> str:
    if data[:2] != b"PK":
        return data.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def seen_on(page: Page) -> str:
    tables = json.dumps(page.tables, ensure_ascii=False)
    maps = [page.scene_of(number) for number in range(len(page.maps))]
    scenes = json.dumps(maps, ensure_ascii=False)
    helps = [
        str(getattr(one, "help", ""))
        for kind in ("button", "selectbox", "toggle")
        for one in page.at.get(kind)
    ]
    return "\n".join([page.html, tables, scenes, *helps])


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("imported")
def test_no_page_and_no_file_of_it_calls_the_lines_schematic(page, offered):
    seen = Page(page, town="石角镇") if page == "town" else Page(page)
    assert seen.problems == ""
    shown = seen_on(seen)
    where = shown.find(SCHEMATIC)
    assert where < 0, shown[max(0, where - 60) : where + 40]
    assert f"{SAID}。" in seen.text  # the foot
    assert bool(seen.maps) == (page not in WITHOUT_MAP)
    assert bool(offered) == (page not in NOTHING_OFFERED)
    for number in range(len(seen.maps)):
        assert SAID in [notice["text"] for notice in seen.scene_of(number)["notices"]]
    for name, data in offered.items():
        text = words(data() if callable(data) else data)
        where = text.find(SCHEMATIC)
        assert where < 0, (name, text[max(0, where - 60) : where + 40])


def test_the_source_of_the_lines_is_listed_and_asked_for_no_more(imported):
    listed = Page("sources").tables
    (row,) = (row for table in listed.values() for row in table["rows"] if row["key"] == "boundaries")
    assert row["from"] == PROVIDER
    assert "街镇行政区域界线" not in json.dumps(Page("requests").tables, ensure_ascii=False)


def test_all_words_come_back_with_the_lines_that_were_there(office, imported):
    assert imported.number == 2
    assert SAID in Page("overview").text
    service.restore(LOCAL, office, BOUNDARIES, 1, base=2, why="退回")
    for name in MAPPED:
        seen = Page(name)
        assert "界线:示意界线,非法定界线" in seen.text
        assert "示意界线,非法定界线" in [notice["text"] for notice in seen.scene["notices"]]
        assert SCHEMATIC in seen_on(seen)
    assert "街镇行政区域界线" in json.dumps(Page("requests").tables, ensure_ascii=False)


def test_their_versions_are_compared_in_chinese(imported):
    shown = seen_on(Page("records", **{"part-of-records": "版本", "layer": "街镇界线"}))
    assert "“街镇界线”的 2 个版本" in shown
    assert "样点判读" in shown
    assert "注记经度" in shown
    assert not [word for word in ("imported", "label_", '"read"', "estimate") if f'"{word}' in shown]
    assert SCHEMATIC not in shown
