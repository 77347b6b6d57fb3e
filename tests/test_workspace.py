"""The workspace: nothing overwritten, nothing half, nothing lost; killed, raced, damaged and out of space."""

from __future__ import annotations

import errno
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qjmap import _files
from qjmap.comparison import compare
from qjmap.contents import CSV, GEOJSON, Content, to_bytes
from qjmap.district import ROOT
from qjmap.errors import DataError, UnknownKeyError, WorkspaceError
from qjmap.ingest import RawTable, parse_csv
from qjmap.records import with_change, with_record, without_record
from qjmap.workspace import ConflictError, DamagedError, Workspace, home
from tests.racing import race

WHEN = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ONE = "id,name,beds\nA,甲院,10\nB,乙院,\n".encode()
TWO = "id,name,beds\nC,丙院,5\nA,甲医院,12\n".encode()


@pytest.fixture
def space(tmp_path) -> Workspace:
    return Workspace(tmp_path / "home", "fangge", lambda: WHEN)


def save(space: Workspace, data: bytes, base: int, layer: str = "health", who: str = "张", why: str = "核对"):
    return space.save(layer, data, base=base, who=who, why=why, action="导入")


def files(space: Workspace, layer: str = "health") -> list[Path]:
    return sorted((space.home / "fangge" / layer).rglob("*"))


# ---- versions -----------------------------------------------------------------------------------


def test_every_change_is_a_version_that_stays(space):
    first, second = save(space, ONE, 0), save(space, TWO, 1, who="李", why="年报")
    assert (first.number, second.number, second.parent) == (1, 2, 1)
    assert [one.number for one in space.versions("health")] == [2, 1]
    newest = space.versions("health")[0]
    assert (newest.who, newest.why, newest.action, newest.when) == (
        "李",
        "年报",
        "导入",
        "2026-11-22T09:30:00+00:00",
    )
    assert (newest.rows, newest.columns, newest.good) == (2, 3, True)
    assert space.read("health").data == TWO
    assert space.read("health", 1).data == ONE
    assert space.layers() == ("health",)
    assert space.current()["health"].data == TWO
    assert space.current()["health"].file == "工作区 health 第 2 版"


def test_an_empty_workspace_makes_no_folder(space):
    assert (space.layers(), space.versions("health"), space.latest("health")) == ((), (), None)
    assert (space.current(), space.drafts("health"), space.damaged("health"), space.stamp()) == (
        {},
        (),
        (),
        "",
    )
    assert not space.home.exists()
    with pytest.raises(UnknownKeyError, match="没有可用的版本"):
        space.read("health")
    with pytest.raises(UnknownKeyError, match="不存在"):
        space.read("health", 3)


def test_the_same_change_makes_the_same_bytes(tmp_path):
    made = []
    for name in ("a", "b"):
        space = Workspace(tmp_path / name, "fangge", lambda: WHEN)
        save(space, ONE, 0)
        made.append(files(space)[0].read_bytes())
    assert made[0] == made[1]


def test_restoring_makes_a_new_version_of_old_content(space):
    save(space, ONE, 0)
    save(space, TWO, 1)
    third = space.restore("health", 1, base=2, who="王", why="误报")
    assert (third.number, third.action) == (3, "恢复第 1 版")
    assert space.read("health").data == ONE
    assert space.read("health", 2).data == TWO
    assert space.compare("health", 1, 3).same


def test_stamp_tells_of_a_new_version(space):
    save(space, ONE, 0)
    before = space.stamp()
    assert before == space.stamp()
    save(space, TWO, 1)
    assert space.stamp() != before


def test_boundaries_are_kept_as_geojson(space):
    def made(*names: str, side: float = 1) -> bytes:
        features = [
            {
                "type": "Feature",
                "properties": {"name": one},
                "geometry": {"type": "Point", "coordinates": [side, 2]},
            }
            for one in names
        ]
        return json.dumps({"type": "FeatureCollection", "features": features}).encode()

    for base, data in enumerate((made("甲", "乙"), made("乙", "丙", side=3))):
        space.save("boundaries", data, base=base, who="张", why="官方界线", action="导入", name=GEOJSON)
    assert space.read("boundaries").name == GEOJSON
    found = space.compare("boundaries", 1, 2)
    assert found.added["name"].tolist() == ["丙"]
    assert found.removed["name"].tolist() == ["甲"]
    assert [(one.id, one.column) for one in found.changed] == [("乙", "geometry")]
    with pytest.raises(DataError, match="GeoJSON"):
        space.save("boundaries", b"{}", base=2, who="张", why="坏", action="导入", name=GEOJSON)


def test_what_cannot_be_read_is_not_saved(space):
    with pytest.raises(DataError):
        save(space, b"id,id\n1,2\n", 0)
    for who, why in (("", "因"), ("张", "  ")):
        with pytest.raises(WorkspaceError, match="请写明原因"):
            save(space, ONE, 0, who=who, why=why)
    assert not space.home.exists()


@pytest.mark.parametrize("key", ["", "..", "../x", "a/b", "a\\b", ".git", "a b", "甲"])
def test_no_key_leaves_its_folder(space, key):
    for tried in (
        lambda: Workspace(space.home, key),
        lambda: save(space, ONE, 0, layer=key),
        lambda: space.read(key),
    ):
        with pytest.raises(UnknownKeyError):
            tried()
    with pytest.raises(UnknownKeyError):
        space.read_draft("health", f"../{key}")


# ---- comparing and editing ----------------------------------------------------------------------


def test_compare_tells_added_removed_and_changed(space):
    save(space, ONE, 0)
    save(space, TWO, 1)
    found = space.compare("health", 1, 2)
    assert found.added["id"].tolist() == ["C"]
    assert found.removed["id"].tolist() == ["B"]
    assert [(one.id, one.column, one.old, one.new) for one in found.changed] == [
        ("A", "name", "甲院", "甲医院"),
        ("A", "beds", "10", "12"),
    ]
    assert not found.same


def test_compare_ignores_order_and_sees_columns_come_and_go():
    old = Content("旧", b"id,a,b\n1,x,\n2,y,z\n")
    assert compare(old, Content("新", b"b,id,a\nz,2,y\n,1,x\n")).same
    found = compare(old, Content("新", b"id,a,c\n1,x,q\n2,y,\n"))
    assert [(one.id, one.column, one.old, one.new) for one in found.changed] == [
        ("1", "c", None, "q"),
        ("2", "b", "z", None),
    ]


def test_compare_tells_records_of_one_id_apart():
    found = compare(Content("旧", b"id,a\n1,x\n1,y\n"), Content("新", b"id,a\n1,x\n1,z\n1,w\n"))
    assert [(one.old, one.new) for one in found.changed] == [("y", "z")]
    assert found.added["a"].tolist() == ["w"]


def test_a_record_is_changed_added_and_left_out():
    table = parse_csv(ONE, "x.csv")
    changed = with_change(table, "B", {"beds": "7", "name": " 乙 "})
    assert changed.frame.loc[1].tolist() == ["B", "乙", "7"]
    assert with_change(table, "A", {"beds": None}).frame["beds"].isna().all()
    added = with_record(table, {"id": "C", "name": "丙"})
    assert added.frame["id"].tolist() == ["A", "B", "C"]
    assert pd.isna(added.frame["beds"].iloc[2])
    assert added.rows == (2, 3, 4)
    gone = without_record(table, "A")
    assert (gone.frame["id"].tolist(), gone.rows) == (["B"], (3,))
    assert to_bytes(table.frame) == ONE  # none of it changed the table itself
    for bad in (
        lambda: with_change(table, "Z", {}),
        lambda: with_change(table, "A", {"zz": "1"}),
        lambda: with_record(table, {"zz": "1"}),
        lambda: without_record(table, "Z"),
    ):
        with pytest.raises(UnknownKeyError):
            bad()


def test_a_record_is_added_to_an_empty_register():
    table = parse_csv(b"id,name\n", "x.csv")
    assert to_bytes(with_record(table, {"id": "1"}).frame) == b"id,name\n1,\n"


@given(
    st.lists(
        st.tuples(
            *[st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)] * 2
        ),
        max_size=6,
    )
)
@settings(max_examples=80, deadline=None)
def test_cells_come_back_as_they_went(rows):
    cells = [[str(number), *row] for number, row in enumerate(rows)]
    frame = pd.DataFrame(cells, columns=["id", "a", "b"]).astype("str")
    text = parse_csv(to_bytes(frame), "x").frame  # trimmed, blanks missing: as every register is read
    again = parse_csv(to_bytes(text), "x").frame
    pd.testing.assert_frame_equal(text, again)


def test_a_cell_that_is_no_character_is_refused():
    with pytest.raises(WorkspaceError, match="字符"):
        to_bytes(pd.DataFrame({"id": ["\ud800"]}, dtype=object))


# ---- two at once --------------------------------------------------------------------------------


def test_the_second_to_save_is_told_and_keeps_a_draft(space):
    save(space, ONE, 0)
    save(space, TWO, 1, who="李", why="年报")
    mine = ONE.replace(b"10", b"99")
    with pytest.raises(ConflictError, match="李 于 2026-11-22 09:30 保存了第 2 版\\(年报\\)") as caught:
        save(space, mine, 1)
    assert [one.number for one in caught.value.between] == [2]
    assert space.read("health").data == TWO
    (draft,) = space.drafts("health")
    assert (draft.file, draft.parent, draft.who) == (caught.value.draft, 1, "张")
    assert space.read_draft("health", draft.file).data == mine
    assert [one.number for one in space.versions("health")] == [2, 1]
    space.drop_draft("health", draft.file)
    assert space.drafts("health") == ()


def test_a_base_that_is_not_there_any_more_does_not_give_its_number_again(space):
    assert save(space, ONE, 4).number == 5
    assert [one.number for one in space.versions("health") if not one.good] == [4, 3, 2, 1]


RACE = """
import sys
from pathlib import Path
from qjmap.workspace import ConflictError, Workspace
folder, me, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
space = Workspace(folder, "fangge")
print("ready", flush=True)
sys.stdin.readline()
for turn in range(times):
    while True:
        latest = space.latest("health")
        try:
            space.save("health", f"id,a\\n{me}-{turn},x\\n".encode(), base=latest.number if latest else 0, who=me,
                       why="竞", action="导入")
            break
        except ConflictError as error:
            assert error.draft
"""


@pytest.mark.parametrize("links", [True, False])
def test_eight_writers_get_numbers_of_their_own_and_lose_nothing(tmp_path, links):
    many, times = (8, 6) if links else (4, 6)
    code = RACE
    if not links:  # a file system without hard links
        code = (
            "import os, errno\ndef link(*a, **k): raise OSError(errno.EPERM, 'no')\nos.link = link\n" + RACE
        )
    folder = tmp_path / "home"
    race(code, ((folder, f"w{n}", times) for n in range(many)))
    space = Workspace(folder, "fangge")
    versions = space.versions("health")
    assert all(one.good for one in versions)
    assert [one.number for one in versions] == list(range(many * times, 0, -1))
    assert all(one.parent == one.number - 1 for one in versions)
    kept = {space.read("health", one.number).data.decode().split("\n")[1] for one in versions}
    assert kept == {f"w{n}-{turn},x" for n in range(many) for turn in range(times)}
    tried = {space.read_draft("health", one.file).data for one in space.drafts("health")}
    assert all(b"id,a" in one for one in tried)
    assert not [one for one in files(space) if one.suffix == ".tmp"]


# ---- killed -------------------------------------------------------------------------------------

KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from qjmap.workspace import Workspace
folder, random_ = Path(sys.argv[1]), random.Random(int(sys.argv[2]))
write = os.write

def content(token):
    noise = random.Random(token)  # which no zip makes small
    return ("id,a\\n" + "".join(f"{n},{noise.randbytes(20).hex()}\\n" for n in range(1500))).encode()

def child(out):
    os.write = lambda handle, data: write(handle, bytes(data[:64]))  # a slow disk: more moments to be killed in
    space = Workspace(folder, "fangge")
    latest = space.latest("hydrants")
    base = latest.number if latest else 0
    while True:
        token = f"t{base + 1}"
        base = space.save("hydrants", content(token), base=base, who="张", why=token, action="导入").number
        os.write(out, f"{base}\\n".encode())

acknowledged = before = 0
for turn in range(250):
    if turn >= 50 and before > 5:  # a busy machine gets less done between two kills
        break
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        try:
            child(into)
        finally:
            os._exit(3)
    os.close(into)
    time.sleep(random_.uniform(0.001, 0.12))
    os.kill(pid, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    with os.fdopen(out) as told:
        for line in told:
            acknowledged = int(line)
    space = Workspace(folder, "fangge")
    versions = space.versions("hydrants")
    assert all(one.good for one in versions), (turn, versions)
    top = len(versions)
    assert top in (acknowledged, acknowledged + 1), (turn, top, acknowledged)
    assert top >= before
    for one in versions[: top - before]:
        assert space.read("hydrants", one.number).data == content(one.why) == content(f"t{one.number}"), turn
    if top:
        assert space.read("hydrants").data == content(f"t{top}")
    before = acknowledged = top
assert before > 5
print(before, "versions,", len(list(folder.rglob("*.tmp"))), "left behind")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_killed_at_fifty_random_moments(tmp_path):
    seed = random.randrange(1_000_000)
    print("seed", seed)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path, str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, (seed, done.stderr)
    print(done.stdout)


EVERY_LINE = """
import os, signal, sys
from pathlib import Path
from qjmap.workspace import Workspace
folder = Path(sys.argv[1])
OLD, NEW = b"id,a\\n1,old\\n", b"id,a\\n1,new\\n"

def run(where, stop):
    # kill this process before the given line (counted) of the workspace's own code
    seen = 0
    def trace(frame, event, _):
        nonlocal seen
        if not frame.f_code.co_filename.endswith(("workspace.py", "_files.py")):
            return None
        if event == "line":
            seen += 1
            if seen == stop:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace
    space = Workspace(where, "fangge")
    sys.settrace(trace)
    space.save("health", NEW, base=1, who="张", why="改", action="导入")
    sys.settrace(None)
    return seen

def fresh(name):
    Workspace(folder / name, "fangge").save("health", OLD, base=0, who="张", why="初", action="导入")
    return folder / name

lines = run(fresh("count"), 0)
absent = whole = 0
for stop in range(1, lines + 1):
    where = fresh(str(stop))
    pid = os.fork()
    if pid == 0:
        run(where, stop)
        os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1]), stop
    space = Workspace(where, "fangge")
    versions = space.versions("health")
    assert all(one.good for one in versions), stop
    assert space.read("health", 1).data == OLD
    if len(versions) == 1:
        absent += 1
        # the next attempt finds nothing in its way
        assert space.save("health", NEW, base=1, who="张", why="改", action="导入").number == 2
    else:
        whole += 1
        assert space.read("health", 2).data == NEW
assert absent > 20 and whole > 3, (absent, whole)
print(lines, "lines:", absent, "absent,", whole, "whole")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_killed_before_every_line_of_a_save(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", EVERY_LINE, tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    print(done.stdout)


def test_what_killed_processes_left_is_swept_after_an_hour(space):
    save(space, ONE, 0)
    folder = space.home / "fangge" / "health"
    old, young = folder / ".aa.tmp", folder / ".bb.tmp"
    for one in (old, young):
        one.write_bytes(b"x")
    os.utime(old, (time.time() - 4000,) * 2)
    save(space, TWO, 1)
    assert not old.exists()
    assert young.exists()


# ---- damaged ------------------------------------------------------------------------------------


def test_a_damaged_version_is_told_and_the_one_before_is_offered(space):
    for base in range(3):
        save(space, TWO if base % 2 else ONE, base)
    path = space.home / "fangge" / "health" / "000003.zip"
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    newest = space.versions("health")[0]
    assert not newest.good
    assert "校验值不符" in newest.fault
    assert [one.number for one in space.damaged("health")] == [3]
    assert space.latest("health").number == 2
    assert space.read("health").data == TWO
    assert space.current()["health"].data == TWO
    with pytest.raises(DamagedError, match="可改用之前的第 2 版") as caught:
        space.read("health", 3)
    assert caught.value.offered == 2
    # and work goes on: who saw version 2 saves version 4; the damaged one keeps its number
    assert save(space, ONE, 2).number == 4
    assert space.damaged("health") == ()


def test_with_every_version_damaged_there_is_nothing_to_offer(space):
    save(space, ONE, 0)
    files(space)[0].write_bytes(b"")
    with pytest.raises(DamagedError, match="之前没有") as caught:
        space.read("health", 1)
    assert caught.value.offered is None
    assert space.current() == {}
    assert space.layers() == ("health",)


def test_a_version_moved_to_another_name_or_layer_is_not_taken_for_it(space):
    save(space, ONE, 0)
    folder = space.home / "fangge"
    shutil.copy(folder / "health" / "000001.zip", folder / "health" / "000002.zip")
    (folder / "hydrants").mkdir()
    shutil.copy(folder / "health" / "000001.zip", folder / "hydrants" / "000001.zip")
    assert [one.good for one in space.versions("health")] == [False, True]
    assert [one.good for one in space.versions("hydrants")] == [False]


def test_a_lost_version_is_told(space):
    for base in range(3):
        save(space, ONE, base)
    (space.home / "fangge" / "health" / "000002.zip").unlink()
    assert [(one.number, one.good) for one in space.versions("health")] == [(3, True), (2, False), (1, True)]
    assert "不存在" in space.versions("health")[1].fault


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> tuple[Workspace, bytes]:
    space = Workspace(tmp_path_factory.mktemp("damage"), "fangge", lambda: WHEN)
    save(space, ONE, 0)
    save(space, TWO, 1)
    return space, (space.home / "fangge" / "health" / "000002.zip").read_bytes()


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_bytes_changed_anywhere_are_noticed(sound, data):
    space, whole = sound
    broken = bytearray(whole)
    kind = data.draw(st.sampled_from(["flip", "cut", "insert", "append", "zero"]))
    at = data.draw(st.integers(0, len(whole) - 1))
    if kind == "flip":
        for place in {at, *data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4))}:
            broken[place] ^= data.draw(st.integers(1, 255))
    elif kind == "cut":
        del broken[at:]
    elif kind == "insert":
        broken[at:at] = data.draw(st.binary(min_size=1, max_size=9))
    elif kind == "append":
        broken += data.draw(st.binary(min_size=1, max_size=200))
    else:  # what a lost disk block looks like
        broken[at:] = bytes(len(whole) - at)
    if broken == whole:
        return
    (space.home / "fangge" / "health" / "000002.zip").write_bytes(broken)
    assert [one.good for one in space.versions("health")] == [False, True]
    assert space.read("health").data == ONE
    with pytest.raises(DamagedError) as caught:
        space.read("health", 2)
    assert caught.value.offered == 1


# ---- no room ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "磁盘已满"),
        (errno.EDQUOT, "磁盘配额"),
        (errno.EROFS, "只读"),
        (errno.EACCES, "没有写入权限"),
        (errno.EIO, "磁盘读写出错"),
    ],
)
@pytest.mark.parametrize("call", ["write", "fsync", "link", "open"])
def test_a_refusing_disk_is_told_and_loses_nothing(space, monkeypatch, number, said, call):
    save(space, ONE, 0)
    there = files(space)
    real = getattr(os, call)

    def refuse(*args, **kwargs):
        if call == "open" and not args[1] & os.O_CREAT:
            return real(*args, **kwargs)
        raise OSError(number, "refused")

    monkeypatch.setattr(_files.os, call, refuse)
    with pytest.raises(WorkspaceError, match=f"未能保存“health”:.*{said}.*原有各版本未受影响"):
        save(space, TWO, 1)
    monkeypatch.undo()
    assert files(space) == there
    assert space.read("health").data == ONE
    assert save(space, TWO, 1).number == 2


def test_a_write_that_takes_only_some_bytes_is_finished(space, monkeypatch):
    real = os.write
    monkeypatch.setattr(_files.os, "write", lambda handle, data: real(handle, bytes(data[:7])))
    save(space, ONE, 0)
    assert space.read("health").data == ONE


def test_a_conflict_on_a_full_disk_says_that_not_even_the_draft_was_kept(space, monkeypatch):
    save(space, ONE, 0)
    save(space, TWO, 1)

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(_files.os, "write", full)
    with pytest.raises(ConflictError, match=r"草稿也未能保存.*磁盘已满.*下载到本机") as caught:
        save(space, ONE, 1)
    assert caught.value.draft == ""


def test_a_disk_that_is_really_full(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if (
        not mounted
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small], capture_output=True
        ).returncode
    ):
        pytest.skip("may not mount a small disk here")
    try:
        space = Workspace(small, "fangge")
        rng = np.random.default_rng(7)
        base, saved = 0, {}
        with pytest.raises(WorkspaceError, match="磁盘已满"):  # noqa: PT012
            for _ in range(100):
                data = "id,a\n" + "".join(f"{n},{rng.integers(1 << 60)}\n" for n in range(1000))
                base = save(space, data.encode(), base).number
                saved[base] = data.encode()
        assert 3 < base < 100
        assert [one.number for one in space.versions("health") if one.good] == list(range(base, 0, -1))
        assert all(space.read("health", number).data == data for number, data in saved.items())
        assert not list(small.rglob("*.tmp"))
        (small / "fangge" / "health" / "000001.zip").unlink()
        assert save(space, ONE, base).number == base + 1
    finally:
        subprocess.run(["umount", small], check=True)


# ---- where --------------------------------------------------------------------------------------


def test_home_is_beside_the_project_or_where_it_is_told(tmp_path):
    assert home({"QJMAP_HOME": str(tmp_path / "甲")}) == tmp_path / "甲"
    if not any((one / ".git").exists() for one in ROOT.parents):
        assert home({}) == ROOT.parent / "qjmap-home"


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_home_is_never_inside_git(tmp_path, kind):
    (tmp_path / ".git").mkdir() if kind == "folder" else (tmp_path / ".git").write_text("gitdir: x")
    for where in (tmp_path, tmp_path / "a" / "b"):
        with pytest.raises(WorkspaceError, match=r"git 仓库.*QJMAP_HOME"):
            home({"QJMAP_HOME": str(where)})


def test_others_on_the_machine_may_not_look(space):
    save(space, ONE, 0)
    for path in (space.home, *space.home.rglob("*")):
        assert not path.stat().st_mode & 0o077, path


def test_a_version_opens_with_any_zip_tool(space, tmp_path):
    save(space, ONE, 0)
    shutil.unpack_archive(files(space)[0], tmp_path / "out")
    assert (tmp_path / "out" / CSV).read_bytes() == ONE
    meta = json.loads((tmp_path / "out" / "meta.json").read_text("utf-8"))
    assert (meta["who"], meta["number"], meta["district"]) == ("张", 1, "fangge")
    assert re.fullmatch("[0-9a-f]{64}", meta["sha256"])


def test_raw_tables_keep_their_name():
    assert isinstance(Content("某表", ONE).table(), RawTable)
    assert Content("某表", ONE).table().file == "某表"
