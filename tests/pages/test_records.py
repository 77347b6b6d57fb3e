"""数据管理: what a person sees of the data's versions, and what he may do to a record."""

import csv
import errno
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import streamlit as st
from visit import Page, Text

from qjmap import _files, service
from qjmap.access import VISITOR, AccessError, Person, Role
from qjmap.accounts import Accounts
from qjmap.registers import load_layer
from qjmap.ui import mapview, record_form, records
from qjmap.workspace import Workspace

HEALTH = Person("张", Role.EDIT, "区卫生健康委", "账号")
FIRE = Person("李", Role.EDIT, "区消防救援支队", "账号")
XSS = "<img src=x onerror=alert(1)> **粗** $x$ {{ 7 * 7 }}"
PONDS = "消防水池与取水点"
FORM = {"record": "C22"}
VERSIONS, LOG, ACCOUNTS = ({"part-of-records": part} for part in ("版本", "日志", "账号"))


pytestmark = pytest.mark.usefixtures("at_the_machine")


def field(column, record="C22", layer="health"):
    return f"cell|{layer}|{record}|{column}"


def type_(seen, column, value, record="C22", layer="health"):
    seen.at.text_input(key=field(column, record, layer)).set_value(value)


def save(seen, why="核对"):
    seen.at.text_input(key="records-why").set_value(why)
    seen.at.button(key="save-record").click()
    return seen.run()


def beds(record="C22"):
    seen = Page("health", record=record)
    return seen.card["2020年编制床位"]


# ---- who may ---------------------------------------------------------------------------------------


def test_a_long_list_is_cut_and_says_so_and_keeps_what_is_open(folder, monkeypatch):
    monkeypatch.setattr(records, "_MOST", 5)
    seen = Page("records", record="C22")
    assert (
        "只列 5 条"
        in next(one for key, one in seen.tables.items() if key.startswith("records-placed"))["caption"]
    )
    listed = [*seen.rows("records-placed"), *seen.rows("records-unplaced")]
    assert "C22" in listed
    assert len(listed) <= 11


def test_a_visitor_reads_and_is_told_why_no_more(folder, at_the_machine):
    at_the_machine(VISITOR)
    seen = Page("records", **FORM)
    assert "浏览:只能查看和导出。改数据请先登录" in seen.text
    assert all(one.disabled for one in seen.at.text_input if str(one.key).startswith("cell|"))
    assert all(one.disabled for one in seen.at.selectbox if str(one.key).startswith("cell|"))
    assert not {"save-record", "delete-record", "add-record"} & {one.key for one in seen.at.button}
    assert "不能查看历史" in Page("records", **VERSIONS).text
    assert "不能查看日志" in Page("records", **LOG).text
    assert not Page("records", **ACCOUNTS).at.text_input


def test_what_is_hidden_is_refused_as_well(office, at_the_machine):
    """A page that was opened as 录入 stays open after the role is gone: the buttons are there, the service is not."""
    seen = Page("records", **FORM)
    at_the_machine(FIRE)
    type_(seen, "beds_2020", "77")
    save(seen)
    assert "不能修改“医疗卫生机构”" in seen.text
    assert office.workspace.layers() == ()
    with pytest.raises(AccessError):
        service.change_record(FIRE, office, "health", "C22", {"beds_2020": "77"}, base=0, why="试")


def test_a_department_changes_its_own_layers_only(folder, at_the_machine):
    at_the_machine(HEALTH)
    own, other = Page("records", **FORM), Page("records", layer="水库")
    assert "张:录入,可以改区卫生健康委的图层" in own.text
    assert "save-record" in {one.key for one in own.at.button}
    assert "“水库”属区水利局,此处只能查看" in other.text
    assert "add-record" not in {one.key for one in other.at.button}


# ---- change ----------------------------------------------------------------------------------------


def test_a_change_is_a_new_version_and_every_page_shows_it(folder):
    assert beds() != "77 张"
    seen = Page("records", **FORM)
    type_(seen, "beds_2020", "77")
    save(seen, "年报")
    assert "已存为第 2 版(修改)" in seen.text
    assert beds() == "77 张"
    history = Page("records", **VERSIONS).rows("versions")
    assert [(row["number"], row["who"], row["why"], row["state"]) for row in history.values()] == [
        ("第 2 版", "本机", "年报", "现用"),
        ("第 1 版", "本软件", "随软件发布", ""),
    ]
    cells = Page("records", **VERSIONS).rows("compare-changed").values()
    changed = {row["column"]: (row["old"], row["new"]) for row in cells}
    assert changed["2020年编制床位"][1] == "77"
    assert changed["来源"] == ("文件", "导入")
    # the reason is for this change; the next one needs its own
    assert seen.at.text_input(key="records-why").value == ""


def test_a_slip_of_the_pen_stays_what_the_document_says(folder):
    seen = Page("records", **FORM)
    type_(seen, "beds_2020", "77")
    seen.run().at.checkbox(key="records-true").check()
    save(seen)
    assert seen.at.selectbox(key=field("source")).value == "文件"


def test_without_a_reason_or_with_a_fault_nothing_is_saved_and_nothing_typed_is_lost(office):
    seen = Page("records", **FORM)
    type_(seen, "beds_2020", "很多")
    type_(seen, "error_m", "-3")
    save(seen)
    assert "未保存:请改正下列问题" in seen.problems
    assert "“2020年编制床位”列" in seen.problems
    assert "工作区" not in seen.problems  # nobody has a file before him here, and no row of it
    assert " 行 " not in seen.problems
    assert "“定位误差”列" in seen.problems
    assert seen.at.text_input(key=field("beds_2020")).value == "很多"
    type_(seen, "beds_2020", "77")
    type_(seen, "error_m", "")
    save(seen, " ")
    assert "请写明" in seen.problems
    assert seen.at.text_input(key=field("beds_2020")).value == "77"
    assert office.workspace.layers() == ()


def test_a_full_disk_is_told_and_nothing_is_lost(office, monkeypatch):
    seen = Page("records", **FORM)
    type_(seen, "beds_2020", "77")

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(_files.os, "write", full)
        save(seen)
    assert "磁盘已满" in seen.problems
    assert office.workspace.layers() == ()
    save(seen)  # there is room again
    assert "已存为第 2 版" in seen.text
    assert beds() == "77 张"


def test_what_is_odd_is_told_while_it_is_typed_and_when_it_is_kept(office):
    """The looks of an import: they warn and stop nothing; but a place far outside the district is refused, as there."""
    seen = Page("records", **FORM)
    assert "提醒" not in seen.text
    other = load_layer(office.district, "health").frame.set_index("id").loc["C22"]
    change = {"lon": "106.65", "lat": "29.02", "position": "实测", "error_m": "5", "beds_2020": "99000"}
    assert other["town"] != "古南街道"
    for column, value in change.items():
        if column == "position":
            seen.at.selectbox(key=field(column)).set_value(value)
        else:
            type_(seen, column, value)
    seen.run()
    assert "提醒(可以保存,请先核对)" in seen.text
    assert "街镇:现为" in seen.text
    assert "应为坐标所在的街镇" in seen.text
    save(seen, why="勘测")
    assert "已存为第 2 版" in seen.text
    assert "已保存,但请核对" in seen.text
    # twenty metres beside it
    seen = Page("records", add="1", layer="医疗卫生机构")
    for column, value in {"name": other["name"], "lon": "106.6501", "lat": "29.02"}.items():
        type_(seen, column, value, "")
    for column, value in {"kind": other["kind"], "status": "现状", "position": "实测"}.items():
        seen.at.selectbox(key=field(column, "")).set_value(value)
    assert "是否同一处" in seen.run().text
    type_(seen, "lon", "106.95", "")
    save(seen, why="新建")
    assert "未保存" in seen.problems
    assert office.workspace.latest("health").number == 2


def test_what_is_typed_waits_while_another_record_is_looked_at(folder):
    seen = Page("records", **FORM)
    type_(seen, "beds_2020", "77")
    seen.run()
    seen.at.query_params["record"] = "C01" if "C01" in seen.html else "H01"
    assert "另有 1 条记录改了还没有保存" in seen.run().text
    seen.at.query_params["record"] = "C22"
    assert seen.run().at.text_input(key=field("beds_2020")).value == "77"
    seen.at.button(key="drop-record").click()
    assert seen.run().at.text_input(key=field("beds_2020")).value != "77"


# ---- two at once -----------------------------------------------------------------------------------


def test_the_second_is_told_who_was_first_and_loses_nothing(office):
    seen = Page("records", **FORM)
    type_(seen, "beds_2020", "77")
    seen.run()
    service.change_record(HEALTH, office, "health", "C22", {"gp_count": "9"}, base=0, why="新报")
    save(seen)
    assert "张 于" in seen.problems
    assert "保存了第 2 版(新报)" in seen.problems
    assert "已存为草稿" in seen.problems
    assert seen.at.text_input(key=field("beds_2020")).value == "77"
    # the draft says what it would have changed, and nothing else
    drafts = Page("records", **VERSIONS)
    assert "草稿 1 份" in drafts.text
    cells = {(row["id"], row["column"]): row["new"] for row in drafts.rows("draft-").values()}
    assert cells == {("C22", "2020年编制床位"): "77", ("C22", "来源"): "导入"}
    # on the newest version the change is made again, and both stand
    seen.at.button(key="rebase").click()
    seen.run()
    assert seen.at.text_input(key=field("gp_count")).value == "9"
    save(seen)
    assert "已存为第 3 版" in seen.text
    card = Page("health", **FORM).card
    assert (card["2020年编制床位"], card["全科医生"]) == ("77 张", "9 人")


def test_a_record_that_somebody_deleted_meanwhile_can_be_brought_back_with_the_change(office):
    seen = Page("records", **FORM)
    type_(seen, "beds_2020", "77")
    seen.run()
    before = seen.at.text_input(key=field("name")).value
    service.delete_record(HEALTH, office, "health", "C22", base=0, why="撤并")
    save(seen)
    assert "这条记录在最新版里已被删除" in seen.text
    assert "rebase" not in {one.key for one in seen.at.button}
    seen.at.button(key="bring-back").click()
    seen.run()
    save(seen, "没有撤并")
    assert "已存为第 3 版(新增)" in seen.text
    kept = office.workspace.read("health").table().frame.set_index("id").loc["C22"]
    assert (kept["beds_2020"], kept["name"]) == ("77", before)


def test_a_version_that_is_dated_before_the_one_before_it_is_told(office):
    service.change_record(HEALTH, office, "health", "C22", {"gp_count": "9"}, base=0, why="新报")
    assert "时钟不准" not in Page("records", **VERSIONS).text
    behind = Workspace(office.workspace.home, "qijiang", clock=lambda: datetime(2025, 1, 1, tzinfo=UTC))
    service.change_record(
        HEALTH, replace(office, workspace=behind), "health", "C22", {"gp_count": "8"}, base=2, why="再报"
    )
    assert "第 3 版的时间早于第 2 版" in Page("records", **VERSIONS).text


def test_a_draft_is_taken_up_again_or_thrown_away(office):
    service.change_record(HEALTH, office, "health", "C22", {"gp_count": "9"}, base=0, why="新报")
    with pytest.raises(service.ConflictError) as kept:
        service.change_record(HEALTH, office, "health", "C22", {"beds_2020": "77"}, base=1, why="迟到")
    seen = Page("records", **VERSIONS)
    seen.at.button(key=f"take-{kept.value.draft}").click()
    seen.run()
    assert seen.at.text_input(key=field("beds_2020")).value == "77"
    assert seen.at.text_input(key=field("gp_count")).value == "9"
    seen = Page("records", **VERSIONS)
    seen.at.button(key=f"drop-{kept.value.draft}").click()
    assert "草稿已删除" in seen.run().text
    assert office.workspace.drafts("health") == ()


def test_a_page_with_nothing_typed_follows_what_others_save(office):
    seen = Page("records", **FORM)
    service.change_record(HEALTH, office, "health", "C22", {"gp_count": "9"}, base=0, why="新报")
    assert seen.run().at.text_input(key=field("gp_count")).value == "9"
    type_(seen, "beds_2020", "77")
    save(seen)
    assert "已存为第 3 版" in seen.text


# ---- damage ----------------------------------------------------------------------------------------


def test_a_damaged_version_is_told_and_the_one_before_stands(office, workspace_home):
    for number, value in ((0, "77"), (2, "78")):
        service.change_record(HEALTH, office, "health", "C22", {"beds_2020": value}, base=number, why="报")
    path = workspace_home / "qijiang" / "health" / "000003.zip"
    path.write_bytes(path.read_bytes()[:-80] + b"x" * 80)
    assert beds() == "77 张"
    for seen in (Page("records", **FORM), Page("records", **VERSIONS)):
        assert "已损坏" in seen.problems
        assert "“医疗卫生机构”第 3 版" in seen.problems
        assert "完好的第 2 版" in seen.problems
    rows = seen.rows("versions")
    assert "已损坏" in rows["3"]["state"]
    assert rows["2"]["state"] == "现用"
    # it is no way into a dead end: the next save stands after the damaged one
    form = Page("records", **FORM)
    type_(form, "beds_2020", "79")
    save(form)
    assert "已存为第 4 版" in form.text
    assert beds() == "79 张"


# ---- add, delete, restore ----------------------------------------------------------------------------


def test_a_record_is_added_deleted_and_brought_back(office):
    seen = Page("records", layer=PONDS, add="1")
    pond = {"record": "", "layer": "fire_ponds"}
    type_(seen, "name", "新水池", **pond)
    for column, value in (("kind", "消防水池"), ("status", "现状"), ("town", "石角镇")):
        seen.at.selectbox(key=field(column, **pond)).set_value(value)
    save(seen, "新建")
    assert "已存为第 1 版(新增)" in seen.text
    key = seen.at.query_params["record"]
    assert Page("fire_water", record=key, **{"hydrants-layer": PONDS}).card["名称"] == "新水池"
    seen.at.text_input(key="records-why").set_value("拆除")
    seen.at.button(key="delete-record").click()
    seen.run()
    assert "已存为第 2 版(删除)" in seen.text
    assert "没有符合条件的记录" in seen.text
    versions = Page("records", layer=PONDS, **VERSIONS)
    assert [row["id"] for row in versions.rows("compare-removed").values()] == [key]
    versions.at.selectbox(key="restore-number").set_value("1")
    versions.at.text_input(key="restore-why").set_value("误删")
    next(one for one in versions.at.button if one.label == "恢复为新版本").click()
    versions.run()
    assert "第 1 版已恢复,存为第 3 版" in versions.text
    assert [versions.at.selectbox(key=one).value for one in ("newer", "older", "take")] == ["3", "2", "3"]
    assert load_kept(office, "fire_ponds") == [key]


def load_kept(office, layer):
    return office.workspace.read(layer).table().frame["id"].tolist()


# ---- a place from the map ----------------------------------------------------------------------------


@pytest.fixture
def click(monkeypatch):
    """Click on the map: what streamlit-folium would tell."""
    said = []

    def st_folium(*_, key, on_change, **__):
        if said:
            st.session_state[key] = said.pop()
            on_change()

    monkeypatch.setattr(mapview, "st_folium", st_folium)

    def on(seen, lon, lat, zoom, what="town|3|1"):
        said.append({mapview._CLICK: f"{what}|{zoom}", mapview._PLACE: {"lat": lat, "lng": lon}})
        seen.run()
        return seen.run()

    return on


def test_a_click_places_a_record_and_says_how_well(folder, click, qijiang):
    seen = Page("records", record="H01")
    assert "H01" in seen.rows("records-unplaced")
    x, y = qijiang.towns.loc["石角镇", ["seat_x", "seat_y"]]
    lon, lat = (float(one[0]) for one in qijiang.projection.to_degrees([x], [y]))
    # without the wish to place it a click means the town
    click(seen, lon, lat, 12)
    assert "town" in seen.at.query_params
    seen = Page("records", record="H01")
    seen.at.toggle(key="records-pick-widget").set_value(True)
    seen.run()
    click(seen, lon, lat, 12)
    assert seen.at.query_params == {"record": "H01"}
    assert seen.at.text_input(key=field("lon", "H01")).value == f"{lon:.5f}"
    assert seen.at.selectbox(key=field("position", "H01")).value == "图上点取"
    assert seen.at.text_input(key=field("error_m", "H01")).value == "500"
    # a town that was blank is proposed; one that was not is only doubted
    assert seen.at.selectbox(key=field("town", "H01")).value == "石角镇"
    assert "此点在石角镇内,“街镇”已照此填写" in seen.text
    seen.at.selectbox(key=field("town", "H01")).set_value("赶水镇")
    seen.run()
    assert "此点在石角镇内,而“街镇”填的是赶水镇" in seen.text
    seen.at.button(key="take-town").click()
    save(seen.run(), "电话核实")
    assert "已存为第 2 版" in seen.text
    assert "H01" in Page("records").rows("records-placed")
    assert Page("health", record="H01").card["街镇"] == "石角镇"


@pytest.mark.parametrize("what", [None, {}, {"lat": "x", "lng": 1}, {"lat": float("nan"), "lng": 1}, [1, 2]])
def test_a_click_without_a_place_is_no_place(what):
    assert mapview._clicked_place({mapview._PLACE: what}, ["3", "1", "12"]) is None


def test_the_farther_the_map_the_worse_the_place():
    errors = [record_form.click_error(zoom, 28.9) for zoom in (8, 9, 10, 11, 12, 18)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == record_form.FLOOR_M
    # six pixels at zoom 8: 6 × 156,543 m × cos 28.9° / 2⁸
    assert 3212 <= errors[0] < 3212 + 500


# ---- hostile text ------------------------------------------------------------------------------------


def test_whatever_is_typed_or_kept_is_shown_as_text(office, folder):
    path = folder / "data" / "qijiang" / "health.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    rows[0] |= {"name": XSS, "note": XSS}
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    service.change_record(HEALTH, office, "health", "C22", {"village": XSS}, base=0, why=XSS)
    for query in ({"record": rows[0]["id"]}, VERSIONS, LOG):
        seen = Page("records", **query)
        assert not {"img", "script"} & {tag for tag, _ in Text(seen.html).tags}
    assert XSS in Page("records", record=rows[0]["id"]).text
    assert XSS in str(Page("records", **VERSIONS).tables)
    # labels are Markdown, so nothing from data stands in one
    assert not any(
        "粗" in str(one.label) for one in (*seen.at.button, *seen.at.text_input, *seen.at.selectbox)
    )


# ---- log and accounts --------------------------------------------------------------------------------


def test_the_log_is_listed_narrowed_and_watched(office, workspace_home):
    service.change_record(HEALTH, office, "health", "C22", {"beds_2020": "77"}, base=0, why="报")
    service.add_record(
        FIRE, office, "fire_ponds", {"name": "池", "kind": "消防水池", "status": "现状"}, base=0, why="建"
    )
    seen = Page("records", **LOG)
    assert "共 4 条,逐条核对,与写入时一致" in seen.text
    assert {row["who"] for row in seen.rows("log").values()} == {"张", "李"}
    month = datetime.now().astimezone().strftime("%Y-%m")
    narrowed = Page("records", **LOG, **{"log-who": "李", "log-layer": PONDS, "log-time": month})
    assert [row["outcome"] for row in narrowed.rows("log").values()] == ["完成", "开始"]
    log = next((workspace_home / "audit").glob("*.jsonl"))
    log.write_text(log.read_text("utf-8").replace('"张"', '"王"', 1), encoding="utf-8")
    assert "操作日志与写入时不一致" in Page("records", **LOG).problems


def add_account(seen, name, password, again, role="管理", department=None):
    for key, value in (("name", name), ("password", password), ("again", again)):
        seen.at.text_input(key=f"account-{key}").set_value(value)
    seen.at.selectbox(key="account-role").set_value(role)
    seen.at.selectbox(key="account-department").set_value(department)
    next(one for one in seen.at.button if one.label == "保存账号").click()
    return seen.run()


def test_accounts_are_made_with_the_password_twice_and_one_administrator_stays(folder, workspace_home):
    seen = Page("records", **ACCOUNTS)
    assert seen.at.selectbox(key="account-role").options == [
        "管理"
    ]  # the first one locks the door behind itself
    add_account(seen, "guan", "chang-mi-ma-1", "chang-mi-ma-2")
    assert "两次输入的密码不一样" in seen.problems
    add_account(seen, "guan", "kurz", "kurz")
    assert "密码应为" in seen.problems
    assert not Accounts(workspace_home).configured()
    add_account(seen, "guan", "chang-mi-ma-1", "chang-mi-ma-1")
    assert "账号“guan”(管理)已保存" in seen.text
    add_account(seen, "lu", "chang-mi-ma-3", "chang-mi-ma-3", "录入", "区水利局")
    assert list(seen.rows("accounts")) == ["guan", "lu"]
    assert seen.at.selectbox(key="account-remove").options == ["lu"]
    seen.at.selectbox(key="account-remove").set_value("lu")
    seen.run().at.button(key="account-remove-sure").click()
    assert "账号“lu”已删除" in seen.run().text
    assert [one.name for one in Accounts(workspace_home).names()] == ["guan"]
    assert not any(
        "chang-mi-ma" in one.read_text("utf-8", "replace") for one in workspace_home.rglob("*.json*")
    )
