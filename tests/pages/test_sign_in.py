"""Coming in with an account of the office's own, changing its password, and when that ends."""

from __future__ import annotations

import errno
import time

import pytest
from argon2 import PasswordHasher
from visit import Page

from qjmap import _files, service
from qjmap.access import LOCAL, VISITOR, AccessError, Person, Role
from qjmap.accounts import FAILURES, Accounts
from qjmap.audit import Audit
from qjmap.ui import signins, who

FIRE = "区消防救援支队"
OLD, NEW = "yi-ge-mi-ma-2026", "ling-yi-ge-mi-ma-2026"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def accounts(folder, workspace_home, monkeypatch) -> Accounts:
    monkeypatch.setattr("qjmap.accounts._hasher", lambda: QUICK)
    made = Accounts(workspace_home)
    made.add("guan", OLD, Role.ADMIN)
    made.add("lu", OLD, Role.EDIT, FIRE, departments=(FIRE,))
    return made


def sign_in(seen: Page, name: str, password: str) -> Page:
    seen.at.text_input(key="sign-in-name").set_value(name)
    seen.at.text_input(key="sign-in-password").set_value(password)
    next(one for one in seen.at.button if one.label == "登录").click()
    return seen.run()


def change(seen: Page, old: str, new: str, again: str = "") -> Page:
    for key, value in (("old", old), ("new", new), ("again", again or new)):
        seen.at.text_input(key=f"password-{key}").set_value(value)
    next(one for one in seen.at.button if one.label == "修改密码").click()
    return seen.run()


def inside(seen: Page) -> bool:
    return "sign-out" in {one.key for one in seen.at.button}


def test_one_comes_in_changes_the_password_and_other_sign_ins_end(accounts, workspace_home):
    seen, elsewhere = Page("overview"), Page("overview")
    assert "账号或密码不正确" in sign_in(seen, "lu", NEW).text
    assert inside(sign_in(seen, "lu", OLD))
    assert inside(sign_in(elsewhere, "lu", OLD))
    assert f"部门:{FIRE}" in seen.text
    assert "不一样" in change(seen, OLD, NEW, NEW + "x").text
    assert "账号或密码不正确" in change(seen, NEW, NEW).text
    assert "密码应为" in change(seen, OLD, "kurz").text
    assert "密码已修改" in change(seen, OLD, NEW).text
    assert inside(seen.run())
    assert not inside(elsewhere.run())
    seen.at.button(key="sign-out").click()
    assert not inside(seen.run())
    seen.run()  # the browser loads the page anew
    assert inside(sign_in(seen, "lu", NEW))
    assert not any(text in one.read_text() for text in (OLD, NEW) for one in workspace_home.rglob("*.json*"))
    assert {one.action for one in Audit(workspace_home).entries()} == {"登录", "退出", "修改密码"}


def test_an_account_that_is_removed_or_damaged_opens_no_more(accounts, workspace_home):
    seen = sign_in(Page("overview"), "lu", OLD)
    accounts.remove("lu")
    assert not inside(seen.run())
    accounts.add("lu", NEW, Role.EDIT, FIRE, departments=(FIRE,))  # another person of that name
    assert not inside(seen.run())
    assert inside(sign_in(seen, "lu", NEW))
    accounts.path.write_text("{")
    assert not inside(seen.run())
    assert "账号文件 accounts.json 已损坏" in seen.text


def test_who_leaves_on_one_page_has_left_on_the_others_of_his_browser(accounts, monkeypatch):
    monkeypatch.setattr(signins, "browser", lambda _: "this one")
    seen, beside = sign_in(Page("overview"), "lu", OLD), sign_in(Page("fire_water"), "lu", OLD)
    saw = who._still(accounts.find("lu"), beside.at.session_state["sign-in-held"])
    seen.at.button(key="sign-out").click()
    assert not inside(seen.run())
    seen.run()  # the browser loads the page anew
    assert "登录已失效" not in seen.text
    # what its buttons still offer is what anybody gets
    assert saw
    assert not who._still(accounts.find("lu"), beside.at.session_state["sign-in-held"])
    assert not inside(beside.run())
    assert "登录已失效" in beside.text
    assert inside(sign_in(beside, "lu", OLD))
    assert not inside(seen.run())


def test_wrong_passwords_lock_the_door_and_leave_nothing(accounts):
    seen = Page("overview")
    for _ in range(FAILURES):
        assert "账号或密码不正确" in sign_in(seen, "lu", NEW).text
    assert "登录失败次数过多" in sign_in(seen, "lu", OLD).text
    assert not inside(seen)
    assert "sign-in-held" not in seen.at.session_state


def test_a_sign_in_ends_when_it_is_not_used(accounts, workspace_home):
    settings = workspace_home / "access.toml"
    seen = sign_in(Page("overview"), "lu", OLD)
    settings.write_text("[accounts]\nhours = 4\nidle_minutes = 0.00001\n", "utf-8")
    assert not inside(seen.run())
    assert "登录已失效" in seen.text
    settings.write_text("[accounts]\nhours = 4\n", "utf-8")
    assert "60 分钟不用或满 4 小时" in seen.run().text
    assert inside(sign_in(seen, "lu", OLD))
    settings.write_text("[accounts]\nhour = 4\n", "utf-8")
    assert not inside(seen.run())
    assert "accounts.hour" in sign_in(seen, "lu", OLD).text
    assert not inside(seen)
    assert len(Audit(workspace_home).entries()) == 2  # nobody came in by a file that says nothing


def test_the_page_keeps_the_last_administrator(accounts):
    seen = sign_in(Page("records", **{"part-of-records": "账号"}), "guan", OLD)
    for name, role in (("guan", "浏览"), ("guan", "录入")):
        for key, value in (("name", name), ("password", NEW), ("again", NEW)):
            seen.at.text_input(key=f"account-{key}").set_value(value)
        seen.at.selectbox(key="account-role").set_value(role)
        seen.at.selectbox(key="account-department").set_value(FIRE)
        seen.at.checkbox(key="account-overwrite").check()
        next(one for one in seen.at.button if one.label == "保存账号").click()
        assert "唯一的管理账号" in seen.run().text
    assert accounts.find("guan").role == Role.ADMIN


def test_on_a_full_disk_nobody_comes_in_and_whoever_wants_may_leave(accounts, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    seen = sign_in(Page("overview"), "lu", OLD)
    monkeypatch.setattr(_files.os, "write", full)
    seen.at.button(key="sign-out").click()
    assert not inside(seen.run())
    seen.run()  # the browser loads the page anew
    assert "磁盘已满" in sign_in(seen, "lu", OLD).text
    assert not inside(seen)


def test_damaged_secrets_open_no_door(workspace_home, tmp_path, monkeypatch):
    monkeypatch.setattr(who.st, "get_option", {"server.address": "localhost", "secrets.files": []}.get)
    assert who.person() == LOCAL
    secrets = tmp_path / "secrets.toml"
    secrets.write_text("[auth\n")
    monkeypatch.setattr(
        who.st, "get_option", {"server.address": "localhost", "secrets.files": [str(secrets)]}.get
    )
    assert who.person() == VISITOR


class Claims(dict):
    to_dict = dict.copy


class Secrets(dict):
    def load_if_toml_exists(self):
        return True


def test_an_outside_sign_in_that_cannot_be_relied_on_opens_nothing(folder, workspace_home, monkeypatch):
    claims = {"is_logged_in": True, "sub": "z", "name": "张", "groups": ["a"], "iat": time.time()}
    monkeypatch.setattr(who.st, "user", Claims(claims))
    secrets = {"auth": {"cookie_secret": "x" * 32}}
    monkeypatch.setattr(who, "secrets_singleton", Secrets(secrets))
    rules = workspace_home / "access.toml"
    rules.write_text('claim = "groups"\n[[grants]]\nvalues = ["a"]\nrole = "管理"\n', "utf-8")
    assert inside(Page("overview"))
    assert who.person() == Person("张", Role.ADMIN, "", "统一认证")
    assert [one.action for one in Audit(workspace_home).entries()] == ["登录"]  # once, whoever asks how often
    secrets["auth"]["cookie_secret"] = "xxx"
    assert "容易被伪造" in Page("overview").text
    secrets["auth"]["cookie_secret"] = "x" * 32
    rules.write_text("claim = 3", "utf-8")
    seen = Page("overview")
    assert not inside(seen)
    assert "access.toml" in seen.text
    assert who.person() == VISITOR


def test_what_one_had_in_hand_is_not_the_next_ones(accounts, monkeypatch):
    monkeypatch.setattr(signins, "browser", lambda _: "this one")
    seen, beside = sign_in(Page("intake", to="hydrants", step="2"), "lu", OLD), Page("overview")
    sign_in(beside, "lu", OLD)
    seen.at.file_uploader[0].upload("秘密台账.csv", "名称,联系人\n一号,某某\n".encode())
    assert "秘密台账" in seen.run().text
    # he leaves in another window: here he is told, and goes on when he has come in again
    beside.at.button(key="sign-out").click()
    beside.run()
    assert "需要重新登录" in seen.run().text
    assert "秘密台账" not in seen.text
    assert "秘密台账" in sign_in(seen, "lu", OLD).text
    # another comes in at the same screen
    accounts.remove("lu")
    seen.run()
    assert "正在换人" in sign_in(seen, "guan", OLD).text
    assert inside(seen.run())
    assert "秘密台账" not in seen.text


def test_who_leaves_leaves_nothing_in_hand(accounts):
    seen = sign_in(Page("intake", to="hydrants", step="2"), "lu", OLD)
    seen.at.file_uploader[0].upload("秘密台账.csv", "名称,联系人\n一号,某某\n".encode())
    assert "秘密台账" in seen.run().text
    seen.at.button(key="sign-out").click()
    assert "秘密台账" not in seen.run().text
    assert "秘密台账" not in seen.run().text
    assert not inside(seen)


def test_a_version_and_the_log_ask_at_the_click_who_it_is(accounts, office, offered, monkeypatch):
    monkeypatch.setattr(signins, "browser", lambda _: "this one")
    beside = sign_in(Page("overview"), "guan", OLD)
    service.delete_record(LOCAL, office, "health", "H01", base=0, why="撤并")
    sign_in(Page("records", layer="health", **{"part-of-records": "版本"}), "guan", OLD)
    sign_in(Page("records", layer="health", **{"part-of-records": "日志"}), "guan", OLD)
    buttons = ("download-version", "log-csv", "log-xlsx")
    assert all(offered[one]() for one in buttons)
    beside.at.button(key="sign-out").click()
    beside.run()
    for one in buttons:
        with pytest.raises(AccessError):
            offered[one]()
