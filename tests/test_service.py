"""What people do to their own data: refused without the role, checked, kept, written down."""

from __future__ import annotations

import errno
import inspect
import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest
from argon2 import PasswordHasher

from qjmap import _files, export, service, staff, workspace
from qjmap.access import LOCAL, VISITOR, AccessError, Person, Role, SignInError
from qjmap.accounts import Accounts
from qjmap.audit import Audit, AuditError
from qjmap.cli import main
from qjmap.contents import to_bytes
from qjmap.district import ROOT, load_district
from qjmap.errors import DataError, UnknownKeyError, WorkspaceError
from qjmap.ingest import parse_csv
from qjmap.office import Office
from qjmap.registers import load_layer, load_table
from qjmap.workspace import ConflictError, Workspace
from tests.conftest import GRID_KEY

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
HEALTH = Person("张", Role.EDIT, "区卫生健康委", "账号")
FIRE = Person("李", Role.EDIT, "区消防救援支队", "账号")
ADMIN = Person("王", Role.ADMIN, means="账号")


@pytest.fixture
def office(grid_district, tmp_path) -> Office:
    home = tmp_path / "home"
    return Office(grid_district, Workspace(home, GRID_KEY, lambda: NOW), Audit(home, lambda: NOW))


def shown(office: Office) -> Office:
    """The office with what is kept now in place of the shipped files, as the pages load it."""
    place = office.district
    return replace(office, district=load_district(place.key, place.root, kept=office.workspace.current()))


def health(office: Office, *rows: dict[str, object]):
    spec = office.district.registry.spec("health")
    defaults = {"kind": spec.kinds[0], "status": "现状", "source": "导入"}
    filled = [{"id": f"N{n}", "name": f"新{n}", **defaults, **row} for n, row in enumerate(rows, 1)]
    frame = pd.DataFrame([{key: one.get(key) for key in spec.columns} for one in filled])
    return parse_csv(frame.to_csv(index=False).encode(), "上报.csv")


def deeds(office: Office) -> list[tuple[str, str, str]]:
    return [(one.who, one.action, one.outcome) for one in reversed(office.audit.entries())]


# ---- who ----------------------------------------------------------------------------------------

RAW = parse_csv(b"id,name\n1,x\n", "x.csv")
CALLS = {
    "import_layer": lambda p, o: service.import_layer(p, o, "health", RAW, base=0, why="试"),
    "import_boundaries": lambda p, o: service.import_boundaries(p, o, b"{}", "x", base=0, why="试"),
    "change_record": lambda p, o: service.change_record(
        p, o, "health", "F1", {"name": "x"}, base=0, why="试"
    ),
    "add_record": lambda p, o: service.add_record(p, o, "health", {"name": "x"}, base=0, why="试"),
    "delete_record": lambda p, o: service.delete_record(p, o, "health", "F1", base=0, why="试"),
    "restore": lambda p, o: service.restore(p, o, "health", 1, base=1, why="试"),
    "history": lambda p, o: service.history(p, o, "health"),
    "compare": lambda p, o: service.compare(p, o, "health", 1, 2),
    "drafts": lambda p, o: service.drafts(p, o, "health"),
    "read_draft": lambda p, o: service.read_draft(p, o, "health", "x"),
    "compare_draft": lambda p, o: service.compare_draft(p, o, "health", "x"),
    "drop_draft": lambda p, o: service.drop_draft(p, o, "health", "x"),
    "download": lambda p, o: service.download(p, o, "health", 1),
    "audit_entries": lambda p, o: service.audit_entries(p, o),
    "audit_faults": lambda p, o: service.audit_faults(p, o),
    "export_audit": lambda p, o: service.export_audit(p, o, (), excel=False),
    "add_account": lambda p, o: staff.add_account(p, o, Accounts(o.workspace.home), "x", "y", Role.ADMIN),
    "remove_account": lambda p, o: staff.remove_account(p, o, Accounts(o.workspace.home), "x"),
}
ALL_MAY = {"export_files", "change_password"}  # the second for who has an account


def test_every_function_that_takes_a_person_is_held_here():
    public = {
        name
        for room in (service, staff)
        for name, one in inspect.getmembers(room, inspect.isfunction)
        if one.__module__ == room.__name__
        and not name.startswith("_")
        and next(iter(inspect.signature(one).parameters)) == "person"
    }
    assert public == set(CALLS) | ALL_MAY


@pytest.mark.parametrize(
    "person", [VISITOR, FIRE, Person("赵", Role.EDIT), Person("钱")], ids=lambda one: one.name
)
@pytest.mark.parametrize("name", CALLS)
def test_without_the_role_nothing_is_done(office, name, person):
    with pytest.raises(AccessError, match="请由"):
        CALLS[name](person, office)
    assert office.workspace.layers() == ()
    # who signed in and was refused stands in the log; mere visitors cannot fill it
    refused = [(person.name, "拒绝")] if person != VISITOR else []
    assert [(who, outcome) for who, _, outcome in deeds(office)] == refused


def test_boundaries_and_tables_are_for_the_administration(office):
    for key in ("townships", "boundaries", "indicators"):
        with pytest.raises(AccessError):
            service.history(HEALTH, office, key)
        assert service.history(ADMIN, office, key) == ()


# ---- what ---------------------------------------------------------------------------------------


def test_an_import_takes_the_place_of_the_shipped_register(office):
    before = load_layer(office.district, "health").frame
    version = service.import_layer(
        HEALTH, office, "health", health(office, {"town": "甲街道"}, {"town": "丙镇"}), base=0, why="2026年报"
    )
    assert (version.number, version.who, version.why, version.rows) == (2, "张", "2026年报", 2)
    first = office.workspace.versions("health")[-1]
    assert (first.action, first.who, first.rows) == ("原有", "本软件", len(before))
    after = load_layer(shown(office).district, "health").frame
    assert after["id"].tolist() == ["N1", "N2"]
    assert after["file"].iat[0] == "工作区 health 第 2 版"
    assert deeds(office) == [("张", "导入", "开始"), ("张", "导入", "完成")]
    assert "第 2 版,2 条" in office.audit.entries()[0].detail
    # and the way back
    third = service.restore(HEALTH, office, "health", 1, base=2, why="误报")
    assert third.action == "恢复第 1 版"
    again = load_layer(shown(office).district, "health").frame
    assert again["id"].tolist() == before["id"].tolist()
    assert [one.number for one in service.history(HEALTH, office, "health")] == [3, 2, 1]
    assert service.compare(HEALTH, office, "health", 1, 3).same


def test_a_register_with_faults_is_refused_whole(office):
    bad = health(office, {"town": "丁镇"}, {"town": "丁镇", "beds_2020": "三"}, {"town": "外镇", "id": "N1"})
    with pytest.raises(DataError) as caught:
        service.import_layer(HEALTH, office, "health", bad, base=0, why="报")
    assert {(one.row, one.column) for one in caught.value.problems} == {
        (3, "beds_2020"),
        (4, "town"),
        (4, "id"),
    }
    assert all(one.file == "上报.csv" for one in caught.value.problems)
    with pytest.raises(DataError, match="没有这一列"):
        service.import_layer(HEALTH, office, "health", RAW, base=0, why="报")
    assert (office.workspace.layers(), deeds(office)) == ((), [])


def test_a_version_from_before_a_column_was_registered_still_serves(office):
    """The registry grows; what an office kept under the smaller one must not fall out of use for that."""
    full = health(office, {"town": "甲街道", "ambulances": 2}, {"town": "丙镇"}).frame
    without = full.drop(columns=["ambulances", "note"])
    office.workspace.save("health", to_bytes(without), base=0, who="张", why="旧版", action="导入")
    frame = load_layer(shown(office).district, "health").frame
    assert frame["id"].tolist() == ["N1", "N2"]
    assert frame["ambulances"].isna().all()
    now = shown(office)
    service.change_record(HEALTH, now, "health", "N2", {"ambulances": "3"}, base=1, why="补填")
    frame = load_layer(shown(office).district, "health").frame.set_index("id")
    assert (frame["ambulances"].isna()["N1"], frame["ambulances"]["N2"]) == (True, 3)
    # what every record must say cannot be made up
    office.workspace.save(
        "health", to_bytes(full.drop(columns="status")), base=2, who="张", why="坏", action="导入"
    )
    with pytest.raises(DataError, match="没有这一列"):
        load_layer(shown(office).district, "health")


def test_a_layer_the_program_came_without_begins_with_the_import(office):
    spec = office.district.registry.spec("hydrants")
    row = {"id": "H1", "name": "栓1", "kind": spec.kinds[0], "status": "现状", "source": "导入"}
    made = service.add_record(FIRE, office, "hydrants", row, base=0, why="新装")
    assert (made.number, made.parent) == (1, 0)
    assert load_layer(shown(office).district, "hydrants").frame["id"].tolist() == ["H1"]


def test_a_record_is_changed_moved_added_and_deleted(office):
    one = service.change_record(HEALTH, office, "health", "F1", {"beds_2020": "12"}, base=0, why="核对")
    lon, lat = (f"{value:.6f}" for value in office.district.projection.to_degrees(0.0, 0.0))
    two = service.change_record(
        HEALTH, office, "health", "F2", {"lon": lon, "lat": lat, "position": "实测", "error_m": "10"},
        base=one.number, why="实测",
    )  # fmt: skip
    three = service.add_record(
        HEALTH, office, "health", {"name": "新院", "kind": "卫生院", "status": "在建"}, base=3, why="新建"
    )
    four = service.delete_record(HEALTH, office, "health", "F3", base=three.number, why="撤并")
    assert [one.number, two.number, three.number, four.number] == [2, 3, 4, 5]
    frame = load_layer(shown(office).district, "health").frame.set_index("id")
    assert frame.index.tolist() == ["F1", "F2", "N-health-00004"]
    assert frame.loc["F1", "beds_2020"] == 12
    # no longer what the document says, but where it came from stays; a better place changes nothing of that
    assert (frame.loc["F1", "source"], frame.loc["F1", "document"]) == ("导入", "plan")
    assert frame.loc["F2", "source"] == "文件"
    assert abs(frame.loc["F2", "x"]) < 1
    assert frame.loc["N-health-00004", "source"] == "导入"
    changes = service.compare(HEALTH, office, "health", 1, 2).changed
    assert [(c.id, c.column, c.old, c.new) for c in changes] == [
        ("F1", "source", "文件", "导入"),
        ("F1", "beds_2020", None, "12"),
    ]
    # what was deleted is in the history, and its id is not given again
    assert "F3" in set(office.workspace.read("health", 4).table().frame["id"])
    gone = service.delete_record(HEALTH, office, "health", "N-health-00004", base=5, why="误")
    more = service.add_record(
        HEALTH,
        office,
        "health",
        {"name": "又", "kind": "卫生院", "status": "现状"},
        base=gone.number,
        why="新",
    )
    assert "N-health-00007" in set(office.workspace.read("health", more.number).table().frame["id"])
    assert [entry.action for entry in office.audit.entries(outcome="完成")] == [
        *("新增", "删除", "删除", "新增", "修改", "修改")
    ]
    assert "F1:2020年编制床位 空白→12;来源 文件→导入" in office.audit.entries(action="修改")[-1].detail


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"beds_2020": "-3"}, DataError, "不小于 0"),
        ({"lon": "106.5"}, DataError, "同时填写"),
        ({"lon": "29", "lat": "106.5"}, DataError, "写反"),
        ({"town": "外镇"}, DataError, "街镇名"),
        ({"name": ""}, DataError, "必填"),
        ({"source": "演示"}, DataError, "演示"),
        ({"nonsense": "1"}, UnknownKeyError, "没有“nonsense”列"),
        ({"id": "F9"}, AccessError, "编号不可更改"),
    ],
)
def test_an_edit_passes_the_checks_of_an_import(office, changes, error, said):
    with pytest.raises(error, match=said):
        service.change_record(HEALTH, office, "health", "F1", changes, base=0, why="核对")
    assert office.workspace.layers() == ()


def test_the_log_tells_what_changed_behind_many_cells_that_did_not(office):
    shipped = office.shipped("health").table().frame.set_index("id").loc["F1"]
    same = {key: None if pd.isna(value) else value for key, value in shipped.items()}
    assert len(same) > 12
    service.change_record(
        HEALTH, office, "health", "F1", {**same, "beds_2020": None, "note": "核过"}, base=0, why="核对"
    )
    assert office.audit.entries()[0].detail.startswith("F1:备注 空白→核过")


def test_a_shipped_register_from_before_a_column_was_registered_can_be_edited(office):
    path = office.district.data / "health.csv"
    frame = parse_csv(path.read_bytes(), path.name).frame
    path.write_bytes(to_bytes(frame.drop(columns=["ambulances"], errors="ignore")))
    service.change_record(HEALTH, office, "health", "F1", {"ambulances": "3"}, base=0, why="补填")
    assert load_layer(shown(office).district, "health").frame.set_index("id")["ambulances"]["F1"] == 3


def test_a_record_that_is_not_there_or_there_already(office):
    with pytest.raises(UnknownKeyError, match="没有编号为“F9”"):
        service.delete_record(HEALTH, office, "health", "F9", base=0, why="x")
    row = {"id": "F1", "name": "x", "kind": "卫生院", "status": "现状"}
    with pytest.raises(DataError, match="与第 2 行重复"):
        service.add_record(HEALTH, office, "health", row, base=0, why="x")


def test_the_second_of_two_is_told_and_loses_nothing(office):
    service.change_record(HEALTH, office, "health", "F1", {"name": "张改"}, base=0, why="甲")
    with pytest.raises(ConflictError, match=r"张 于 .* 保存了第 2 版") as caught:
        service.change_record(ADMIN, office, "health", "F2", {"name": "王改"}, base=0, why="乙")
    (draft,) = service.drafts(ADMIN, office, "health")
    assert draft.file == caught.value.draft
    kept = service.read_draft(ADMIN, office, "health", draft.file).table().frame.set_index("id")
    assert kept.loc["F2", "name"] == "王改"
    assert deeds(office)[-1] == ("王", "修改", "未成")
    again = service.change_record(ADMIN, office, "health", "F2", {"name": "王改"}, base=2, why="乙")
    frame = load_layer(shown(office).district, "health").frame.set_index("id")
    assert (again.number, frame.loc["F1", "name"], frame.loc["F2", "name"]) == (3, "张改", "王改")
    service.drop_draft(ADMIN, office, "health", draft.file)
    assert service.drafts(ADMIN, office, "health") == ()


def test_the_log_calls_a_layer_by_its_name_when_a_save_fails(office, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    service.change_record(HEALTH, office, "health", "F1", {"name": "张改"}, base=0, why="甲")
    monkeypatch.setattr(workspace, "put_new", full)
    with pytest.raises(WorkspaceError, match="磁盘已满"):
        service.change_record(HEALTH, office, "health", "F1", {"name": "又改"}, base=2, why="乙")
    (failed,) = office.audit.entries(outcome="未成")
    assert f"未能保存“{office.spec('health').label}”:磁盘已满" in failed.detail
    assert failed.layer == "health"


def test_a_reason_is_asked_for(office):
    with pytest.raises(WorkspaceError, match="请写明原因"):
        service.delete_record(HEALTH, office, "health", "F1", base=0, why=" ")
    assert (office.workspace.layers(), deeds(office)) == ((), [])


def test_tables_and_boundaries_are_kept_too(office):
    place = office.district
    path = place.geo / place.settings.boundary_file
    collection = json.loads(path.read_text("utf-8"))
    collection["features"][0]["properties"]["certainty"] = "official"
    data = json.dumps(collection, ensure_ascii=False).encode()
    made = service.import_boundaries(ADMIN, office, data, "官方.geojson", base=0, why="民政局来图")
    assert made.number == 2
    assert shown(office).district.boundaries["certainty"].tolist()[0] == "official"
    assert [c.column for c in service.compare(ADMIN, office, "boundaries", 1, 2).changed] == ["certainty"]
    collection["features"] = [one for one in collection["features"] if one["properties"]["name"] != "丙镇"]
    short = json.dumps(collection).encode()
    with pytest.raises(DataError, match="丙镇"):
        service.import_boundaries(ADMIN, office, short, "缺.geojson", base=2, why="x")
    with pytest.raises(UnknownKeyError, match="整份导入"):
        service.delete_record(ADMIN, office, "boundaries", "甲街道", base=2, why="x")

    towns = parse_csv((place.data / "townships.csv").read_bytes(), "街镇.csv")
    towns.frame.loc[towns.frame["name"] == "丙镇", "villages_2023"] = "44"
    service.import_layer(ADMIN, office, "townships", towns, base=0, why="区划")
    after = shown(office).district
    assert after.towns.loc["丙镇", "villages_2023"] == 44
    assert load_table(after, "townships").set_index("name").loc["丙镇", "villages_2023"] == 44
    # a town that vanished would leave its polygon and its records without a name
    towns.frame.loc[towns.frame["name"] == "甲街道", "name"] = "新街道"
    with pytest.raises(DataError, match="甲街道"):
        service.import_layer(ADMIN, shown(office), "townships", towns, base=2, why="更名")


def test_a_damaged_version_falls_back_and_work_goes_on(office):
    for base, name in ((0, "一"), (2, "二")):
        service.change_record(HEALTH, office, "health", "F1", {"name": name}, base=base, why="x")
    path = office.workspace.home / GRID_KEY / "health" / "000003.zip"
    path.write_bytes(path.read_bytes()[:200])
    assert load_layer(shown(office).district, "health").frame["name"].iat[0] == "一"
    assert service.history(HEALTH, office, "health")[0].fault
    restored = service.restore(HEALTH, office, "health", 2, base=2, why="第3版损坏")
    assert (restored.number, restored.good) == (4, True)


# ---- away ---------------------------------------------------------------------------------------


def test_sensitive_columns_stay_in_the_house_for_who_only_looks(qijiang, tmp_path):
    office = Office(qijiang, Workspace(tmp_path, "qijiang"), Audit(tmp_path, lambda: NOW))
    water = Person("周", Role.EDIT, "区水利局")
    for key, label, editor in (("reservoirs", "总库容", water), ("hydrants", "压力", FIRE)):
        layer = load_layer(qijiang, key)

        def make(sensitive: bool, layer=layer) -> bytes:
            table = export.to_table(layer.frame, layer.spec, include_sensitive=sensitive)
            return export.to_csv(table)

        for person, told in ((VISITOR, False), (HEALTH, False), (editor, True), (ADMIN, True), (LOCAL, True)):
            out = service.export_files(person, office, f"{key}.csv", make, [layer.spec]).decode("utf-8-sig")
            assert (label in out.splitlines()[0]) is told, (person, key)
    # several departments' layers in one file: for the administration alone
    specs = [qijiang.registry.spec(key) for key in ("reservoirs", "hydrants")]
    said = [service.export_files(p, office, "全部", lambda s: str(s).encode(), specs) for p in (FIRE, ADMIN)]
    assert said == [b"False", b"True"]
    assert len(office.audit.entries(action="导出")) == 12
    assert "可含敏感列" in office.audit.entries(who="王")[0].detail


def test_what_cannot_be_written_down_is_not_given(office, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(_files.os, "write", full)
    with pytest.raises(AuditError, match="磁盘已满"):
        service.export_files(VISITOR, office, "x", lambda _: b"x")
    with pytest.raises(AuditError, match="导入未进行"):
        service.import_layer(HEALTH, office, "health", health(office, {}), base=0, why="报")
    monkeypatch.undo()
    assert (office.workspace.layers(), deeds(office)) == ((), [])


def test_a_version_goes_out_disarmed_and_comes_back_the_same(office):
    raw = health(office, {"note": "=cmd|' /C calc'!A0"}, {"note": "平常", "year": "2020", "beds_2020": "12"})
    service.import_layer(HEALTH, office, "health", raw, base=0, why="报")
    out = service.download(HEALTH, office, "health", 2)
    assert out.startswith(b"\xef\xbb\xbf")
    back = parse_csv(out, "回.csv").frame
    assert back["note"].tolist() == ["'=cmd|' /C calc'!A0", "平常"]
    pd.testing.assert_frame_equal(back.drop(columns="note"), raw.frame.drop(columns="note"))
    assert office.audit.entries()[0].detail == "第 2 版"


def test_numbers_below_nothing_are_no_formulas(office):
    towns = office.shipped("townships").table().frame.head(3).assign(note=["-1.5", "-1+1", "+1"])
    office.workspace.save("townships", to_bytes(towns), base=0, who="王", why="x", action="导入")
    back = parse_csv(service.download(ADMIN, office, "townships", 1), "回.csv").frame
    assert back["note"].tolist() == ["-1.5", "'-1+1", "'+1"]


def test_the_log_is_for_the_administration(office):
    service.change_record(HEALTH, office, "health", "F1", {"name": "=1+1"}, base=0, why="x")
    entries = service.audit_entries(ADMIN, office, who="张")
    assert [one.outcome for one in entries] == ["完成", "开始"]
    assert service.audit_faults(ADMIN, office) == ()
    assert service.export_audit(ADMIN, office, entries, excel=True)[:2] == b"PK"
    assert "F1:名称" in service.export_audit(ADMIN, office, entries, excel=False).decode("utf-8-sig")
    assert [one.action for one in office.audit.entries(who="王")] == ["导出", "导出"]


# ---- coming in ----------------------------------------------------------------------------------


def test_coming_in_is_written_down(office):
    accounts = Accounts(office.workspace.home, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    made = staff.add_account(
        ADMIN, office, accounts, "张三", "一个很长的口令-2026", Role.EDIT, "区卫生健康委"
    )
    person = staff.sign_in(office.audit, accounts, "张三", "一个很长的口令-2026", NOW)
    assert person == made
    for name in ("张三", "我的密码是abc"):
        with pytest.raises(SignInError):
            staff.sign_in(office.audit, accounts, name, "wrong", NOW)
    staff.signed_out(office.audit, person)
    staff.signed_in(office.audit, Person("a@qj", means="统一认证"))
    assert deeds(office)[2:] == [
        ("张三", "登录", "完成"),
        ("张三", "登录", "拒绝"),
        ("未知用户", "登录", "拒绝"),
        ("张三", "退出", "完成"),
        ("a@qj", "登录", "完成"),
    ]
    written = b"".join(path.read_bytes() for path in office.audit.folder.iterdir())
    assert "我的密码".encode() not in written
    assert "口令".encode() not in written
    with pytest.raises(AccessError, match="须写明部门,可为:区卫生健康委、"):
        staff.add_account(ADMIN, office, accounts, "赵六", "一个很长的口令-2026", Role.EDIT, "外区")
    staff.remove_account(ADMIN, office, accounts, "张三")
    with pytest.raises(SignInError):
        staff.sign_in(office.audit, accounts, "张三", "一个很长的口令-2026", NOW)


def test_who_has_an_account_changes_its_password_and_nobody_elses(office):
    accounts = Accounts(office.workspace.home, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    old, new = "一个很长的口令-2026", "另一个很长的口令-2026"
    made = staff.add_account(ADMIN, office, accounts, "张三", old, Role.VIEW)
    for person in (VISITOR, LOCAL, Person("张三", means="统一认证")):
        with pytest.raises(AccessError, match="本地账号"):
            staff.change_password(person, office, accounts, old, new, NOW)
    with pytest.raises(SignInError):
        staff.change_password(made, office, accounts, "wrong", new, NOW)
    staff.change_password(made, office, accounts, old, new, NOW)
    assert staff.sign_in(office.audit, accounts, "张三", new, NOW) == made
    assert deeds(office)[2:] == [
        *(("张三", "修改密码", outcome) for outcome in ("开始", "未成", "开始", "完成")),
        ("张三", "登录", "完成"),
    ]
    assert "口令" not in "".join(one.detail for one in office.audit.entries())


def test_an_account_is_added_from_the_shell(grid_root, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("QJMAP_HOME", str(tmp_path / "own"))
    monkeypatch.setattr("qjmap.cli.getpass", lambda _: "一个很长的口令-2026")
    words = ["add-account", "张三", "--root", str(grid_root), "--district", GRID_KEY]
    assert main([*words, "--role", "录入", "--department", "区水利局"]) == 0
    assert capsys.readouterr().out == "已保存账号“张三”(录入,区水利局)\n"
    (one,) = Accounts(tmp_path / "own").names()
    assert one == Person("张三", Role.EDIT, "区水利局", "账号")
    assert main(words) == 1
    assert "已有账号“张三”" in capsys.readouterr().err
    assert main([*words, "--role", "管理", "--overwrite"]) == 0
    typed = iter(["一个很长的口令-2026", "另一个很长的口令"])
    monkeypatch.setattr("qjmap.cli.getpass", lambda _: next(typed))
    assert main([*words, "--overwrite"]) == 1
    assert "两次输入的密码不同" in capsys.readouterr().err
    assert [entry.who for entry in Audit(tmp_path / "own").entries(outcome="完成")] == ["命令行"] * 2


# ---- killed -------------------------------------------------------------------------------------

KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from qjmap import service
from qjmap.access import LOCAL
from qjmap.audit import Audit
from qjmap.district import load_district
from qjmap.ingest import parse_csv
from qjmap.office import Office
from qjmap.registers import load_layer
from qjmap.workspace import Workspace
root, home, key, random_ = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], random.Random(int(sys.argv[4]))
district = load_district(key, root)
office = Office(district, Workspace(home, key), Audit(home))
shipped = (district.data / "health.csv").read_text("utf-8").splitlines()

def content(token):
    cells = shipped[1].split(",")
    rows = [",".join([f"K{n}", f"{token}院", *cells[2:]]) for n in range(400)]
    return parse_csv("\\n".join([shipped[0], *rows]).encode(), "上报.csv")

def work():
    latest = office.workspace.latest("health")
    base = latest.number if latest else 0
    while True:
        base = service.import_layer(LOCAL, office, "health", content(f"t{base}"), base=base, why="x").number

before = 0
for turn in range(80):
    if turn >= 12 and before > 2:  # a busy machine gets less done between two kills
        break
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(3)
    time.sleep(random_.uniform(0.01, 0.35))
    os.kill(pid, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    versions = office.workspace.versions("health")
    assert all(one.good for one in versions), turn
    assert len(versions) >= before
    before = len(versions)
    frame = load_layer(load_district(key, root, kept=office.workspace.current()), "health").frame
    assert len(frame) in (400, len(shipped) - 1)
    assert frame["name"].nunique() == 1 or before <= 1
    assert not [one for one in office.audit.verify() if "残缺" not in one], office.audit.verify()
    # each version that people made stands in the log: as 完成, or as 开始 of who was killed
    entries = office.audit.entries(action="导入")
    made = sum(one.action == "导入" for one in versions)
    done, started = (sum(one.outcome == word for one in entries) for word in ("完成", "开始"))
    assert done <= made <= started, (turn, done, made, started)
assert before > 2
print(before, "versions")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_an_import_killed_at_any_moment_leaves_register_and_log_sound(grid_root, tmp_path):
    seed = random.randrange(1_000_000)
    print("seed", seed, signal.SIGKILL)
    words = [sys.executable, "-c", KILLED, grid_root, tmp_path / "own", GRID_KEY, str(seed)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (seed, done.stderr)
