"""Who may do what: the table of roles, accounts and their locks, claims, and who a visitor is."""

from __future__ import annotations

import errno
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from qjmap import _files
from qjmap.access import (
    LOCAL,
    VISITOR,
    AccessError,
    Action,
    ClaimRules,
    Grant,
    Person,
    Role,
    SignInError,
    check_claims_age,
    demand,
    load_claim_rules,
    load_limits,
    may,
    person_from_claims,
    policy,
)
from qjmap.accounts import FAILURES, LOCKED_FOR, Accounts
from qjmap.errors import DataError, UnknownKeyError
from qjmap.sessions import Limits

FIRE, HEALTH = "区消防救援支队", "区卫生健康委"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
GOOD = "綦江-2026-地图-口令"


@pytest.fixture
def accounts(tmp_path) -> Accounts:
    made = Accounts(tmp_path / "home", QUICK)
    made.add("张三", GOOD, Role.EDIT, FIRE, departments=(FIRE, HEALTH))
    return made


# ---- roles --------------------------------------------------------------------------------------


def test_the_table_of_roles(qijiang):
    fire, health = qijiang.registry.spec("hydrants"), qijiang.registry.spec("health")
    towns = qijiang.registry.spec("townships")
    visitor, admin = Person("a"), Person("c", Role.ADMIN)
    editor, nobody = Person("b", Role.EDIT, FIRE), Person("d", Role.EDIT)
    changes = (
        *(Action.IMPORT, Action.CHANGE, Action.ADD, Action.DELETE),
        *(Action.RESTORE, Action.HISTORY, Action.SENSITIVE),
    )
    for action in Action:
        assert may(admin, action, fire)
        assert may(admin, action)
        assert may(visitor, action, fire) is (action == Action.EXPORT)
        assert may(editor, action, fire) is (action == Action.EXPORT or action in changes)
        for layer in (health, towns, None):  # another department's, nobody's, all
            assert may(editor, action, layer) is (action == Action.EXPORT)
        assert may(nobody, action, towns) is (action == Action.EXPORT)


def test_a_refusal_says_who_might(qijiang):
    with pytest.raises(
        AccessError, match="“李”的角色为录入\\(区卫生健康委\\),不能修改“消火栓”;请由区消防救援支队的录入"
    ):
        demand(Person("李", Role.EDIT, HEALTH), Action.CHANGE, qijiang.registry.spec("hydrants"))
    with pytest.raises(AccessError, match="角色为浏览,不能查看日志;请由管理人员办理"):
        demand(VISITOR, Action.AUDIT)


@pytest.mark.parametrize("address", ["localhost", "LocalHost", "127.0.0.1", "127.8.9.1", "::1", "[::1]"])
def test_at_the_machine_itself_one_may_do_all_while_nothing_is_set_up(address):
    assert policy(address, oidc=False, accounts=False) == LOCAL
    assert policy(address, oidc=True, accounts=False) == VISITOR
    assert policy(address, oidc=False, accounts=True) == VISITOR


@pytest.mark.parametrize(
    "address", ["", "0.0.0.0", "::", "192.168.1.5", "qjmap.local", "localhost.evil.cn", "127.0.0.1.x"]
)
def test_from_elsewhere_one_may_look(address):
    assert policy(address, oidc=False, accounts=False) == VISITOR
    assert VISITOR.role == Role.VIEW


# ---- accounts -----------------------------------------------------------------------------------


def test_the_right_password_opens_and_only_that(accounts):
    assert accounts.sign_in("张三", GOOD, NOW) == Person("张三", Role.EDIT, FIRE, "账号")
    assert accounts.sign_in(" 张三 ", GOOD, NOW).name == "张三"
    for name, password in (
        ("张三", GOOD + "x"),
        ("张三", ""),
        ("李四", GOOD),
        ("", ""),
        ("张三", "x" * 100_000),
    ):
        with pytest.raises(SignInError, match=r"^账号或密码不正确$"):
            accounts.sign_in(name, password, NOW)


def test_the_file_holds_argon2_and_is_for_the_server_alone(accounts):
    raw = json.loads(accounts.path.read_text("utf-8"))
    assert raw["张三"]["hash"].startswith("$argon2id$")
    assert GOOD not in accounts.path.read_text("utf-8")
    assert accounts.path.stat().st_mode & 0o777 == 0o600
    assert accounts.home.stat().st_mode & 0o777 == 0o700


def test_the_default_hasher_is_argon2id_of_the_recommended_strength(tmp_path):
    hasher = Accounts(tmp_path).hasher
    assert (hasher.memory_cost, hasher.time_cost, hasher.type.name) == (65536, 3, "ID")


@pytest.mark.parametrize("name", ["张三", "没有的人"])
def test_five_failures_lock_a_name_for_a_while_whether_it_exists_or_not(accounts, name):
    for n in range(FAILURES):
        with pytest.raises(SignInError, match="不正确"):
            accounts.sign_in(name, "wrong", NOW + timedelta(minutes=n))
    last = NOW + timedelta(minutes=FAILURES - 1)
    for password in (GOOD, "wrong"):  # the right one does not help
        with pytest.raises(SignInError, match="次数过多,请 15 分钟后再试"):
            accounts.sign_in(name, password, last)
    with pytest.raises(SignInError, match="请 1 分钟后再试"):
        accounts.sign_in(name, GOOD, last + LOCKED_FOR - timedelta(seconds=1))
    # another name is not locked
    accounts.add("王五", GOOD, Role.VIEW)
    assert accounts.sign_in("王五", GOOD, last).name == "王五"
    if name == "张三":
        assert accounts.sign_in(name, GOOD, last + LOCKED_FOR).name == name


def test_the_lock_outlasts_a_restart_and_says_no_names(accounts):
    for _ in range(FAILURES):
        with pytest.raises(SignInError):
            accounts.sign_in("张三", "wrong", NOW)
    again = Accounts(accounts.home, QUICK)
    with pytest.raises(SignInError, match="次数过多"):
        again.sign_in("张三", GOOD, NOW)
    assert "张三" not in (accounts.home / "failures.json").read_text("utf-8")


def test_a_success_forgives(accounts):
    for _ in range(3):
        for _ in range(FAILURES - 1):
            with pytest.raises(SignInError):
                accounts.sign_in("张三", "wrong", NOW)
        accounts.sign_in("张三", GOOD, NOW)


def test_many_at_once_get_no_more_tries(accounts):
    said = []

    def attempt():
        try:
            accounts.sign_in("张三", "wrong", NOW)
        except SignInError as error:
            said.append("过多" in str(error))

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(said) == [False] * FAILURES + [True] * (20 - FAILURES)


def test_an_unknown_name_costs_as_much_as_a_known_one(accounts, monkeypatch):
    asked = []
    real = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", lambda self, *a: asked.append(a[0][:10]) or real(self, *a))
    for name in ("张三", "没有的人"):
        with pytest.raises(SignInError):
            accounts.sign_in(name, "wrong", NOW)
    assert asked == ["$argon2id$"] * 2


def test_a_failure_that_cannot_be_counted_lets_nobody_in(accounts, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(_files.os, "write", full)
    with pytest.raises(AccessError, match="磁盘已满"):
        accounts.sign_in("张三", GOOD, NOW)


def test_a_password_is_hashed_anew_when_the_strength_grows(accounts):
    stronger = Accounts(accounts.home, PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    before = json.loads(accounts.path.read_text("utf-8"))["张三"]["hash"]
    stronger.sign_in("张三", GOOD, NOW)
    after = json.loads(accounts.path.read_text("utf-8"))["张三"]["hash"]
    assert before != after
    assert "m=16,t=2" in after
    assert stronger.sign_in("张三", GOOD, NOW).role == Role.EDIT


def test_a_password_typed_on_another_keyboard_is_the_same(accounts):
    accounts.add("王五", "café-2026-cafe\u0301", Role.VIEW)
    assert accounts.sign_in("王五", "cafe\u0301-2026-caf\u00e9", NOW).name == "王五"


@pytest.mark.parametrize(
    ("name", "password", "role", "department", "said"),
    [
        ("王五", "short-1", Role.VIEW, "", "10~200 个字符"),
        ("王五", "a" * 12, Role.VIEW, "", "4 种不同"),
        ("王五", "xx王五xx-2026", Role.VIEW, "", "不应含账号名"),
        ("王五", "ab" * 101, Role.VIEW, "", "10~200 个字符"),
        ("", GOOD, Role.VIEW, "", "账号名应为"),
        ("王 五", GOOD, Role.VIEW, "", "不应含空格"),
        ("王\u202e五", GOOD, Role.VIEW, "", "控制字符"),
        ("王五", GOOD, Role.EDIT, "", "须写明部门"),
        ("王五", GOOD, Role.EDIT, "外区", "须写明部门"),
        ("张三", GOOD, Role.ADMIN, "", "已有账号"),
    ],
)
def test_an_account_that_breaks_a_rule_is_not_made(accounts, name, password, role, department, said):
    before = accounts.path.read_bytes()
    with pytest.raises(AccessError, match=said):
        accounts.add(name, password, role, department, departments=(FIRE,))
    assert accounts.path.read_bytes() == before


def test_a_new_password_unlocks(accounts):
    for _ in range(FAILURES):
        with pytest.raises(SignInError):
            accounts.sign_in("张三", "wrong", NOW)
    accounts.add("张三", GOOD + "2", Role.ADMIN, overwrite=True)
    assert accounts.sign_in("张三", GOOD + "2", NOW) == Person("张三", Role.ADMIN, "", "账号")
    with pytest.raises(SignInError):
        accounts.sign_in("张三", GOOD, NOW)


def test_an_account_is_removed(accounts):
    assert [one.name for one in accounts.names()] == ["张三"]
    accounts.remove("张三")
    assert accounts.names() == ()
    with pytest.raises(SignInError):
        accounts.sign_in("张三", GOOD, NOW)
    with pytest.raises(UnknownKeyError):
        accounts.remove("张三")


def test_the_last_administrator_can_be_neither_removed_nor_demoted(accounts):
    accounts.add("王五", GOOD, Role.ADMIN)
    for role in (Role.VIEW, Role.EDIT):
        with pytest.raises(AccessError, match="“王五”是唯一的管理账号"):
            accounts.add(" 王五 ", GOOD + "2", role, FIRE, departments=(FIRE,), overwrite=True)
    with pytest.raises(AccessError, match="账号未删除:“王五”是唯一的管理账号"):
        accounts.remove("王五")
    assert accounts.find("王五").role == Role.ADMIN
    accounts.add("王五", GOOD + "2", Role.ADMIN, overwrite=True)  # a new password is no loss
    accounts.add("赵六", GOOD, Role.ADMIN)
    accounts.add("王五", GOOD, Role.VIEW, overwrite=True)
    accounts.remove("王五")
    with pytest.raises(AccessError, match="唯一"):
        accounts.remove("赵六")


def test_a_person_changes_his_own_password(accounts):
    before = accounts.stamp("张三")
    for old, new, said in (
        ("wrong", GOOD + "2", "不正确"),
        (GOOD, "short", "10~200 个字符"),
        (GOOD, "xx张三xx-2026", "不应含账号名"),
        (GOOD, GOOD, "应与原密码不同"),
    ):
        with pytest.raises(AccessError, match=said):
            accounts.change_password("张三", old, new, NOW)
    assert accounts.stamp("张三") == before
    accounts.change_password(" 张三", GOOD, GOOD + "2", NOW)
    assert accounts.stamp("张三") not in ("", before)
    assert accounts.sign_in("张三", GOOD + "2", NOW) == Person("张三", Role.EDIT, FIRE, "账号")
    with pytest.raises(SignInError):
        accounts.sign_in("张三", GOOD, NOW)
    assert accounts.stamp("没有的人") == ""


def test_the_old_password_is_guessed_no_oftener_than_at_the_door(accounts):
    for _ in range(FAILURES):
        with pytest.raises(SignInError, match="不正确"):
            accounts.change_password("张三", "wrong", GOOD + "2", NOW)
    with pytest.raises(SignInError, match="次数过多"):
        accounts.change_password("张三", GOOD, GOOD + "2", NOW)


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"a": 1}', b'{"a": {"role": "\xe7\x9a\x87\xe5\xb8\x9d", "hash": ""}}']
)
def test_damaged_accounts_open_no_door(accounts, damage):
    accounts.path.write_bytes(damage)
    assert accounts.configured()
    assert policy("localhost", oidc=False, accounts=accounts.configured()) == VISITOR
    with pytest.raises(AccessError, match="已损坏"):
        accounts.sign_in("张三", GOOD, NOW)


def test_damaged_failures_lock_nobody_out(accounts):
    (accounts.home / "failures.json").write_bytes(b'{"x": 1')
    assert accounts.sign_in("张三", GOOD, NOW).name == "张三"


# ---- claims -------------------------------------------------------------------------------------

RULES = ClaimRules(
    "groups",
    "upn",
    (Grant(frozenset({"qj-admin"}), Role.ADMIN), Grant(frozenset({"qj-fire", "qj-119"}), Role.EDIT, FIRE)),
)


@pytest.mark.parametrize(
    ("groups", "role", "department"),
    [
        (["x", "qj-fire"], Role.EDIT, FIRE),
        ("qj-119", Role.EDIT, FIRE),
        (["qj-fire", "qj-admin"], Role.ADMIN, ""),  # the first grant that fits
        (["QJ-FIRE"], Role.VIEW, ""),
        ("qj-fire qj-admin", Role.VIEW, ""),
        ([], Role.VIEW, ""),
        (None, Role.VIEW, ""),
        ({"qj-admin": True}, Role.VIEW, ""),
    ],
)
def test_claims_become_a_person(groups, role, department):
    found = person_from_claims({"groups": groups, "upn": "zhang@qj", "name": "张"}, RULES)
    assert found == Person("zhang@qj", role, department, "统一认证")


def test_a_person_without_a_name_or_rules_may_look():
    assert person_from_claims({}, RULES) == Person("未具名", means="统一认证")
    assert person_from_claims({"name": "张", "groups": ["qj-admin"]}, None).role == Role.VIEW


@pytest.mark.parametrize(
    ("verified", "role"), [(True, Role.ADMIN), (None, Role.ADMIN), (False, Role.VIEW), ("false", Role.VIEW)]
)
def test_an_address_that_is_not_verified_grants_nothing(verified, role):
    rules = ClaimRules("email", "", (Grant(frozenset({"a@qj"}), Role.ADMIN),))
    claims = {"email": "a@qj"} | ({} if verified is None else {"email_verified": verified})
    assert person_from_claims(claims, rules).role == role


@pytest.mark.parametrize(
    ("given", "holds"),
    [(0, True), (11.9, True), (12.1, False), (-0.05, True), (-1, False), (None, False), ("x", False)],
)
def test_what_was_said_long_ago_holds_no_more(given, holds):
    iat = NOW.timestamp() - given * 3600 if isinstance(given, int | float) else given
    claims = {"sub": "a"} | ({} if iat is None else {"iat": iat})
    for rules in (None, RULES):
        if holds:
            check_claims_age(claims, rules, NOW)
        else:
            with pytest.raises(SignInError, match="超过 12 小时,请重新登录"):
                check_claims_age(claims, rules, NOW)


def test_rules_are_read_from_a_file(tmp_path):
    path = tmp_path / "access.toml"
    assert load_claim_rules(path, (FIRE,)) is None
    path.write_text(
        f'claim = "groups"\nname = "upn"\n[[grants]]\nvalues = ["qj-admin"]\nrole = "管理"\n'
        f'[[grants]]\nvalues = ["qj-fire", "qj-119"]\nrole = "录入"\ndepartment = "{FIRE}"\n',
        encoding="utf-8",
    )
    assert load_claim_rules(path, (FIRE,)) == RULES
    path.write_text("hours = 1.5\n" + path.read_text("utf-8"), "utf-8")
    assert load_claim_rules(path, (FIRE,)) == replace(RULES, hours=1.5)
    path.write_text(path.read_text("utf-8"), "utf-8-sig")  # as Notepad on Windows writes it
    assert load_claim_rules(path, (FIRE,)) == replace(RULES, hours=1.5)


def test_every_fault_of_the_rules_is_told(tmp_path):
    path = tmp_path / "access.toml"
    path.write_text(
        'clam = "groups"\nname = 3\nhours = 0\n[[grants]]\nvalues = []\nrole = "皇帝"\n'
        '[[grants]]\nvalues = ["a"]\nrole = "录入"\ndepartment = "外区"\nrolle = 1\n',
        encoding="utf-8",
    )
    with pytest.raises(DataError) as caught:
        load_claim_rules(path, (FIRE,))
    assert {one.column for one in caught.value.problems} == {
        *("clam", "claim", "name", "hours", "grants[1].values", "grants[1].role"),
        *("grants[2].department", "grants[2].rolle"),
    }
    path.write_bytes(b"\xff")
    with pytest.raises(DataError, match="TOML"):
        load_claim_rules(path, (FIRE,))


def test_how_long_an_account_of_ones_own_holds_is_read_from_the_same_file(tmp_path):
    path = tmp_path / "access.toml"
    assert load_limits(path) == Limits(timedelta(hours=8), timedelta(minutes=60))
    path.write_text("[accounts]\nidle_minutes = 15\n", "utf-8")
    assert load_limits(path) == Limits(timedelta(hours=8), timedelta(minutes=15))
    assert load_claim_rules(path, (FIRE,)) is None  # says nothing of an outside sign-in
    path.write_text('claim = "groups"\n[accounts]\nhours = 4\n', "utf-8")
    assert load_limits(path).longest == timedelta(hours=4)
    assert load_claim_rules(path, (FIRE,)) is not None


@pytest.mark.parametrize(
    ("said", "columns"),
    [
        ("[accounts]\nhours = 0\nidle_minutes = true\nidle = 3\n", {"hours", "idle_minutes", "idle"}),
        ("[accounts]\nhours = nan\nidle_minutes = inf\n", {"hours", "idle_minutes"}),
        ('[accounts]\nhours = "8"\n', {"hours"}),
    ],
)
def test_a_length_that_is_none_is_told(tmp_path, said, columns):
    path = tmp_path / "access.toml"
    path.write_text(said, "utf-8")
    with pytest.raises(DataError) as caught:
        load_limits(path)
    assert {one.column for one in caught.value.problems} == {f"accounts.{one}" for one in columns}
    path.write_text("accounts = 8\nhuors = 3\n", "utf-8")
    with pytest.raises(DataError) as caught:
        load_limits(path)
    assert {one.column for one in caught.value.problems} == {"accounts", "huors"}
