"""The audit log: lines are added and never changed; what was taken out or altered is noticed."""

from __future__ import annotations

import errno
import io
import json
import os
from datetime import UTC, date, datetime

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qjmap import _files, export
from qjmap.audit import Audit, AuditError, table
from tests.racing import race


class Clock:
    def __init__(self, *when: int) -> None:
        self.now = datetime(*when, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(2026, 11, 22, 9, 30)


@pytest.fixture
def audit(tmp_path, clock) -> Audit:
    return Audit(tmp_path / "home", clock)


def put(audit: Audit, *details: str, who: str = "张", action: str = "导入") -> None:
    for one in details:
        audit.write(who=who, role="管理", action=action, district="fangge", layer="health", detail=one)


def lines(audit: Audit, month: str = "2026-11") -> list[bytes]:
    return (audit.folder / f"{month}.jsonl").read_bytes().splitlines(keepends=True)


def test_lines_come_back_newest_first(audit):
    assert (audit.entries(), audit.verify()) == ((), ())
    assert not audit.folder.exists()
    put(audit, "一", "二\n第二行")
    newest, first = audit.entries()
    assert (newest.detail, first.detail) == ("二\n第二行", "一")
    assert (first.when, first.who, first.outcome) == ("2026-11-22T09:30:00+00:00", "张", "完成")
    assert len(lines(audit)) == 2
    assert audit.verify() == ()


def test_lines_are_found_by_day_person_and_deed(audit, clock):
    put(audit, "一")
    clock.now = datetime(2026, 12, 1, tzinfo=UTC)
    put(audit, "二", who="李", action="导出")
    assert [one.detail for one in audit.entries(since=date(2026, 11, 23))] == ["二"]
    assert [one.detail for one in audit.entries(until=date(2026, 11, 22))] == ["一"]
    assert [one.detail for one in audit.entries(who="李", action="导出")] == ["二"]
    assert audit.entries(who="李", action="导入") == ()
    assert [path.name for path in sorted(audit.folder.glob("*.jsonl"))] == ["2026-11.jsonl", "2026-12.jsonl"]
    assert audit.verify() == ()


def test_a_clock_set_back_puts_no_line_before_the_last(audit, clock):
    put(audit, "一")
    clock.now = datetime(2026, 1, 1, tzinfo=UTC)
    put(audit, "二")
    assert [one.detail for one in audit.entries()] == ["二", "一"]
    assert audit.verify() == ()


@pytest.mark.parametrize("taken", [0, 1, 2, 4])
def test_a_line_taken_out_is_noticed(audit, taken):
    put(audit, *"一二三四五")
    rest = lines(audit)
    del rest[taken]
    (audit.folder / "2026-11.jsonl").write_bytes(b"".join(rest))
    said = audit.verify()
    assert len(said) == 1
    assert ("末尾缺行" if taken == 4 else f"第 {taken + 1} 行与上一行不相连") in said[0]
    put(audit, "六")  # the log goes on, and what comes after does not hide it
    assert len(audit.verify()) == 1


def test_a_whole_month_taken_out_is_noticed(audit, clock):
    put(audit, "一", "二")
    clock.now = datetime(2026, 12, 1, tzinfo=UTC)
    put(audit, "三", "四")
    (audit.folder / "2026-11.jsonl").rename(audit.folder / "away")
    assert any("不相连" in one for one in audit.verify())
    (audit.folder / "away").rename(audit.folder / "2026-11.jsonl")
    assert audit.verify() == ()
    (audit.folder / "2026-12.jsonl").unlink()
    assert any("末尾缺行" in one for one in audit.verify())


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_line_changed_anywhere_is_noticed(tmp_path_factory, data):
    audit = Audit(tmp_path_factory.mktemp("audit"), Clock(2026, 11, 22))
    put(audit, *"一二三")
    path = audit.folder / "2026-11.jsonl"
    whole = path.read_bytes()
    broken = bytearray(whole)
    broken[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(broken)
    assert audit.verify()


def test_a_lost_head_is_noticed(audit):
    put(audit, "一", "二")
    (audit.folder / "head.json").unlink()
    assert audit.verify() == ("缺少 head.json,无法核对末尾是否缺行",)


def test_a_line_cut_short_by_a_kill_stays_and_is_told(audit):
    put(audit, "一")
    path = audit.folder / "2026-11.jsonl"
    with path.open("ab") as file:
        file.write(b'{"when": "2026-11-22T09:31')
    put(audit, "二")
    assert [one.detail for one in audit.entries()] == ["二", "一"]
    assert audit.verify() == ("2026-11.jsonl 第 2 行残缺或不是日志",)


def test_a_head_that_lags_by_a_kill_is_no_fault(audit):
    put(audit, "一", "二")
    head = (audit.folder / "head.json").read_bytes()
    put(audit, "三")
    (audit.folder / "head.json").write_bytes(head)
    assert audit.verify() == ()


@pytest.mark.parametrize("some", [0, 30])
def test_a_full_disk_leaves_the_log_as_it_was(audit, monkeypatch, some):
    put(audit, "一", "二")
    before = lines(audit)
    real = os.write
    left = [some]

    def full(handle, data):
        if not left[0]:
            raise OSError(errno.ENOSPC, "full")
        left[0] -= (written := real(handle, bytes(data[: left[0]])))
        return written

    monkeypatch.setattr(_files.os, "write", full)
    with pytest.raises(AuditError, match=r"操作日志写不进.*磁盘已满"):
        put(audit, "三")
    monkeypatch.undo()
    assert lines(audit) == before
    put(audit, "三")
    assert audit.verify() == ()


WRITER = """
import sys
from pathlib import Path
from qjmap.audit import Audit
audit = Audit(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for n in range(15):
    audit.write(who=sys.argv[2], role="管理", action="导入", detail=str(n))
"""


def test_many_writers_make_one_chain(tmp_path):
    race(WRITER, ((tmp_path, f"w{n}") for n in range(4)))
    audit = Audit(tmp_path)
    assert audit.verify() == ()
    found = [(one.who, int(one.detail)) for one in reversed(audit.entries())]
    assert len(found) == 60
    for n in range(4):
        assert [detail for who, detail in found if who == f"w{n}"] == list(range(15))


@given(st.text(max_size=50), st.text(max_size=5000))
@settings(max_examples=40, deadline=None)
def test_any_text_is_one_line(tmp_path_factory, who, detail):
    audit = Audit(tmp_path_factory.mktemp("audit"), Clock(2026, 11, 22))
    put(audit, detail, "后", who=who)
    assert len(audit.entries()) == 2
    assert audit.verify() == ()
    assert len(audit.entries()[1].detail) <= 2000


def test_the_log_leaves_the_house_disarmed(audit):
    put(audit, '=HYPERLINK("http://x")')
    out = export.to_csv(table(audit.entries())).decode("utf-8-sig")
    assert out.splitlines()[0] == "时间,操作人,角色,操作,结果,区县,图层,说明"
    assert "'=HYPERLINK" in out
    book = openpyxl.load_workbook(io.BytesIO(export.to_excel({"日志": table(audit.entries())}, {})))
    assert book["日志"]["H2"].data_type == "s"
    assert table(()).columns.tolist()[0] == "时间"


def test_others_on_the_machine_may_not_look(audit):
    put(audit, "一")
    for path in (audit.folder, *audit.folder.iterdir()):
        assert not path.stat().st_mode & 0o077


def test_the_file_is_plain_json_lines(audit):
    put(audit, "一", "二")
    first, second = map(json.loads, lines(audit))
    assert first["before"] == ""
    assert len(second["before"]) == 64
