"""What is wrong with what the office keeps is told on every page, with what is shown instead."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest
from visit import PAGES, Page

from qjmap import service
from qjmap.access import LOCAL, VISITOR
from qjmap.audit import Audit
from qjmap.district import load_district
from qjmap.office import Office
from qjmap.ui import frame, who
from qjmap.workspace import Workspace


@pytest.fixture
def kept(folder, workspace_home):
    """Two versions of a layer, the newer one damaged."""
    desk = Office(
        load_district("qijiang", folder), Workspace(workspace_home, "qijiang"), Audit(workspace_home)
    )
    service.change_record(LOCAL, desk, "health", "C22", {"gp_count": "9"}, base=0, why="新报")
    path = max((workspace_home / "qijiang" / "health").iterdir())
    path.write_bytes(path.read_bytes()[:-40])
    return desk


@pytest.mark.parametrize("page", PAGES)
def test_a_damaged_version_is_told_on_every_page(page, kept, monkeypatch):
    monkeypatch.setattr(who, "person", lambda: VISITOR)
    said = Page(page).problems
    assert "“医疗卫生机构”的第 2 版文件已损坏,现显示之前完好的第 1 版(" in said
    assert "“数据管理”的“版本”" in said


def test_where_no_older_version_is_good_the_shipped_data_are_named(kept, workspace_home):
    for path in (workspace_home / "qijiang" / "health").iterdir():
        path.write_bytes(b"x")
    assert "第 1、2 版文件已损坏,现显示随软件发布的数据" in Page("overview").problems


def test_it_is_told_no_more_when_a_good_version_is_the_newest(kept):
    assert Page("health").problems
    service.restore(LOCAL, kept, "health", 1, base=1, why="第2版损坏")
    assert not Page("health").problems


def test_a_full_disk_a_closed_folder_and_one_that_cannot_be_used(workspace_home, monkeypatch, tmp_path):
    assert not Page("overview").problems
    for free, said in (
        (2_700_000, "磁盘只剩 2.7 MB:改动和导出可能存不下"),
        (40_000, "磁盘已满:改动和导出可能存不下"),
    ):
        monkeypatch.setattr(frame.shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert said in Page("overview").problems
    monkeypatch.setattr(frame.os, "access", lambda *_: False)
    assert "没有写入权限" in Page("overview").problems
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("QJMAP_HOME", str(tmp_path / "inside"))
    assert "git 仓库" in Page("overview").problems
    assert "现显示随软件发布的数据" in Page("overview").problems


def test_where_nothing_is_kept_nothing_is_looked_at(workspace_home, monkeypatch):
    shutil.rmtree(workspace_home)

    def never(*_):
        raise AssertionError

    monkeypatch.setattr(frame.shutil, "disk_usage", never)
    monkeypatch.setattr(frame, "_damaged", never)
    assert not Page("overview").problems
