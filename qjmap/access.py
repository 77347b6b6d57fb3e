"""Who may do what: roles, the office's own accounts, and what an outside sign-in (OIDC) says of a person.

Nothing here draws or hides buttons: `qjmap.service` asks `demand` before it does anything.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import json
import threading
import tomllib
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qjmap._files import locked, replace, why_unwritten
from qjmap.errors import DataError, Problem, QjmapError, UnknownKeyError, why_unread
from qjmap.layers import LayerSpec
from qjmap.sessions import Limits

if TYPE_CHECKING:
    from argon2 import PasswordHasher

FAILURES = 5
"""So many wrong passwords in a row …"""
LOCKED_FOR = timedelta(minutes=15)
"""… lock a name for so long."""
SHORTEST, LONGEST = 10, 200
"""Characters of a password."""
HOURS = 12.0
"""So long holds a sign-in from outside, unless `access.toml` says otherwise."""
ACCOUNT_HOURS, IDLE_MINUTES = 8.0, 60.0
"""So long holds one by an account of the office's own, and so long unused, unless `access.toml` says otherwise."""

_MOST_NAMES = 20_000  # of failures remembered: names are free to invent
_FEWEST_CHARACTERS = 4
_MOST_HOURS = 720  # Streamlit's cookie lasts no longer
_NAME_LENGTH = 40
_LAST_ADMIN = "是唯一的管理账号,没有它就无人能管理;请先另设一个管理账号"
_hashing = threading.BoundedSemaphore(2)  # each takes 64 MB: many at once would take the machine


class AccessError(QjmapError, PermissionError):
    """The person may not do this."""


class SignInError(AccessError):
    """Name and password do not open the door, or it is locked for a while."""


class Role(StrEnum):
    """What a person is: everybody 浏览; 录入 changes the layers of one department; 管理 everything."""

    VIEW = "浏览"
    EDIT = "录入"
    ADMIN = "管理"


class Action(StrEnum):
    """What can be asked for."""

    IMPORT = "导入"
    CHANGE = "修改"
    ADD = "新增"
    DELETE = "删除"
    RESTORE = "恢复"
    HISTORY = "查看历史"
    EXPORT = "导出"
    SENSITIVE = "导出敏感列"
    AUDIT = "查看日志"
    ACCOUNTS = "管理账号"
    PASSWORD = "修改密码"  # noqa: S105


_ANYBODY = (Action.EXPORT,)
_OWN_LAYERS = (
    *(Action.IMPORT, Action.CHANGE, Action.ADD, Action.DELETE),
    *(Action.RESTORE, Action.HISTORY, Action.SENSITIVE),
)


@dataclass(frozen=True)
class Person:
    """Somebody in front of the map; `means` says how that is known (访客, 本机, 账号, 统一认证)."""

    name: str
    role: Role = Role.VIEW
    department: str = ""
    means: str = "访客"


OWN_ACCOUNT = "账号"
"""The `means` of who came in by name and password."""

VISITOR = Person("访客")
"""Who has not signed in."""

LOCAL = Person("本机", Role.ADMIN, means="本机")
"""Who sits at the machine itself, where no sign-in is set up."""


def may(person: Person, action: Action, spec: LayerSpec | None = None) -> bool:
    """Say whether a person may do something, with a layer where it concerns one.

    What belongs to no department (tables, boundaries: `spec` without one, or None) is for 管理 alone to change.
    """
    if person.role == Role.ADMIN or action in _ANYBODY:
        return True
    if person.role != Role.EDIT or action not in _OWN_LAYERS or spec is None:
        return False
    return bool(spec.department) and spec.department == person.department


def demand(person: Person, action: Action, spec: LayerSpec | None = None) -> None:
    """Refuse what a person may not do.

    Raises
    ------
    AccessError
        With who he is and who might do it.
    """
    if may(person, action, spec):
        return
    what = f"{action}“{spec.label}”" if spec is not None else str(action)
    who = f"{person.role}({person.department})" if person.department else str(person.role)
    owner = f"{spec.department}的录入人员或管理人员" if spec is not None and spec.department else "管理人员"
    raise AccessError(f"“{person.name}”的角色为{who},不能{what};请由{owner}办理")


def policy(bound_to: str, *, oidc: bool, accounts: bool) -> Person:
    """Say who a visitor is before he signs in.

    Parameters
    ----------
    bound_to
        The address that the server listens on (Streamlit's `server.address`); empty means every address.
    oidc, accounts
        Whether sign-in from outside, or accounts of the office's own, are set up.

    Returns
    -------
    Person
        `LOCAL` when nothing is set up and only this machine can reach the server; else `VISITOR`. A proxy that
        passes outside visitors on to a server bound to localhost makes them local: set up sign-in there.
    """
    return LOCAL if not (oidc or accounts) and _is_local(bound_to) else VISITOR


def _is_local(address: str) -> bool:
    if address.strip().lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip().strip("[]")).is_loopback
    except ValueError:
        return False


# ---- accounts of the office's own ---------------------------------------------------------------


@dataclass(frozen=True)
class Accounts:
    """Names and passwords in `<home>/accounts.json`: argon2 hashes, readable for the server's user alone.

    Parameters
    ----------
    home
        The home folder.
    hasher
        By default argon2id with the library's figures (RFC 9106, low memory).
    """

    home: Path
    hasher: PasswordHasher = field(default_factory=lambda: _hasher())

    @property
    def path(self) -> Path:
        """The file."""
        return self.home / "accounts.json"

    def configured(self) -> bool:
        """Whether accounts are set up; a damaged file counts, lest damage open the door."""
        return self.path.exists()

    def names(self) -> tuple[Person, ...]:
        """List the accounts.

        Raises
        ------
        AccessError
            The file is damaged.
        """
        return tuple(_person(name, raw) for name, raw in sorted(self._read().items()))

    def find(self, name: str) -> Person | None:
        """Give the account of that name, or None; raises as `names`."""
        raw = self._read().get(_tidy(name))
        return None if raw is None else _person(_tidy(name), raw)

    def add(
        self,
        name: str,
        password: str,
        role: Role,
        department: str = "",
        *,
        departments: Collection[str] = (),
        overwrite: bool = False,
    ) -> Person:
        """Add an account, or with `overwrite` give one a new password and role; that also unlocks it.

        Raises
        ------
        AccessError
            Every rule that name, password, role or department breaks; nobody would be 管理 any more; or the file
            cannot be written.
        """
        name = _tidy(name)
        faults = [*_name_faults(name), *_password_faults(password, name)]
        if role == Role.EDIT and department not in departments:
            faults.append(f"录入角色须写明部门,可为:{'、'.join(departments) or '无'}")
        with self._locked():
            accounts = self._read()
            if name in accounts and not overwrite:
                faults.append(f"已有账号“{name}”")
            if role != Role.ADMIN and _is_last_admin(accounts, name):
                faults.append(f"“{name}”{_LAST_ADMIN}")
            if faults:
                raise AccessError("账号未保存:" + ";".join(faults))
            kept = department if role == Role.EDIT else ""
            accounts[name] = {"role": str(role), "department": kept, "hash": self._hash(password)}
            self._write(self.path, accounts)
            self._forgive(name)
        return _person(name, accounts[name])

    def remove(self, name: str) -> None:
        """Remove an account; what it opened ends with it.

        Raises
        ------
        UnknownKeyError
            There is none of that name.
        AccessError
            It is the last one of 管理, or the file cannot be written.
        """
        with self._locked():
            accounts = self._read()
            if _is_last_admin(accounts, _tidy(name)):
                raise AccessError(f"账号未删除:“{_tidy(name)}”{_LAST_ADMIN}")
            if accounts.pop(_tidy(name), None) is None:
                raise UnknownKeyError(f"没有账号“{name}”")
            self._write(self.path, accounts)

    def change_password(self, name: str, old: str, new: str, now: datetime) -> None:
        """Give an account the password that its owner wants; every other sign-in under it ends.

        Raises
        ------
        SignInError
            The old one is wrong, or was so often enough to lock the name.
        AccessError
            Every rule that the new one breaks; or the file cannot be written.
        """
        self.sign_in(name, old, now)  # counts failures as at the door
        name = _tidy(name)
        faults = _password_faults(new, name)
        if _normal(old) == _normal(new):
            faults.append("新密码应与原密码不同")
        if faults:
            raise AccessError("密码未修改:" + ";".join(faults))
        with self._locked():
            accounts = self._read()
            if name not in accounts:
                raise SignInError("账号或密码不正确")
            accounts[name] = accounts[name] | {"hash": self._hash(new)}
            self._write(self.path, accounts)

    def stamp(self, name: str) -> str:
        """Give a text that changes with the account's password, empty when there is no such account.

        Whoever came in while it was another is not the one who may come in now. Raises as `names`.
        """
        raw = self._read().get(_tidy(name))
        return "" if raw is None else hashlib.sha256(str(raw["hash"]).encode()).hexdigest()

    def sign_in(self, name: str, password: str, now: datetime) -> Person:
        """Give the person of that name and password.

        A name that does not exist is treated in every way like one that does, so that nobody can find out which do.

        Raises
        ------
        SignInError
            Wrong, or locked after `FAILURES` wrong ones for `LOCKED_FOR`.
        AccessError
            The accounts cannot be read, or the failure not be counted.
        """
        name = _tidy(name)
        with self._locked():
            # Counted before it is known, so that many at once get no more tries than one after the other.
            self._count(name, now)
            raw = self._read().get(name)
        right = self._verify(self._nobody if raw is None else str(raw.get("hash", "")), password)
        if raw is None or not right:
            raise SignInError("账号或密码不正确")
        with self._locked():
            self._forgive(name)
            if self.hasher.check_needs_rehash(str(raw["hash"])):
                accounts = self._read()
                if accounts.get(name) == raw:
                    accounts[name] = raw | {"hash": self._hash(password)}
                    self._write(self.path, accounts)
        return _person(name, raw)

    # ---- passwords -------------------------------------------------------------------------------

    @cached_property
    def _nobody(self) -> str:
        return self.hasher.hash("")

    def _hash(self, password: str) -> str:
        with _hashing:
            return self.hasher.hash(_normal(password))

    def _verify(self, hashed: str, password: str) -> bool:
        from argon2.exceptions import Argon2Error, InvalidHashError

        # Made for every name, or the first unknown one would take twice as long.
        _ = self._nobody
        try:
            with _hashing:
                return self.hasher.verify(hashed, _normal(password[: LONGEST + 1]))
        except (Argon2Error, InvalidHashError):
            return False

    # ---- failures --------------------------------------------------------------------------------

    @property
    def _failures(self) -> Path:
        return self.home / "failures.json"

    def _count(self, name: str, now: datetime) -> None:
        """Count a try; refuse it when there were too many."""
        key = _digest(name)
        recent = {
            one: entry
            for one, entry in self._failed().items()
            if timedelta(0) <= now - datetime.fromisoformat(entry["last"]) < LOCKED_FOR
        }
        entry = recent.pop(key, {"count": 0, "last": now.isoformat()})
        if entry["count"] >= FAILURES:
            wait = datetime.fromisoformat(entry["last"]) + LOCKED_FOR - now
            minutes = max(1, -(-int(wait.total_seconds()) // 60))
            raise SignInError(f"登录失败次数过多,请 {minutes} 分钟后再试")
        recent[key] = {"count": entry["count"] + 1, "last": now.isoformat()}
        self._write(self._failures, dict(list(recent.items())[-_MOST_NAMES:]))

    def _forgive(self, name: str) -> None:
        failed = self._failed()
        if failed.pop(_digest(name), None) is not None:
            self._write(self._failures, failed)

    def _failed(self) -> dict[str, dict[str, Any]]:
        try:
            raw = json.loads(self._failures.read_bytes())
            return {
                str(key): {
                    "count": int(one["count"]),
                    "last": datetime.fromisoformat(one["last"]).astimezone().isoformat(),
                }
                for key, one in raw.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}  # the file holds nothing that must last

    # ---- files -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locked(self.home / ".accounts.lock"))
            except OSError as error:
                raise AccessError(f"写不进工作区 {self.home}:{why_unwritten(error)}") from error
            yield

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            raw = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise AccessError(f"账号文件 {self.path.name} 读不出来:{why_unread(error)}") from error
        except ValueError as error:
            raise AccessError(f"账号文件 {self.path.name} 已损坏,请由管理人员重建") from error
        sound = isinstance(raw, dict) and all(
            isinstance(one, dict) and one.get("role") in list(Role) and isinstance(one.get("hash"), str)
            for one in raw.values()
        )
        if not sound:
            raise AccessError(f"账号文件 {self.path.name} 已损坏,请由管理人员重建")
        return {str(name): one for name, one in raw.items()}

    def _write(self, path: Path, content: Mapping[str, Any]) -> None:
        try:
            replace(path, json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8", "replace"))
        except OSError as error:
            raise AccessError(f"写不进 {path.name}:{why_unwritten(error)}") from error


def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # not for the first page

    return PasswordHasher()


def _person(name: str, raw: Mapping[str, Any]) -> Person:
    return Person(name, Role(raw["role"]), str(raw.get("department", "")), OWN_ACCOUNT)


def _is_last_admin(accounts: Mapping[str, Mapping[str, Any]], name: str) -> bool:
    return [one for one, raw in accounts.items() if raw["role"] == Role.ADMIN] == [name]


def _tidy(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip()


def _normal(password: str) -> str:
    """One form for what looks the same, whatever keyboard made it; what is no character becomes a question mark."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace").decode()


def _digest(name: str) -> str:
    """Names of failures are not kept as they were typed: a password typed into the wrong field would stand there."""
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


def _name_faults(name: str) -> list[str]:
    if not name or len(name) > _NAME_LENGTH:
        return [f"账号名应为 1~{_NAME_LENGTH} 个字"]
    if any(unicodedata.category(one)[0] in "CZ" for one in name):
        return ["账号名不应含空格或控制字符"]
    return []


def _password_faults(password: str, name: str) -> list[str]:
    faults = []
    if not SHORTEST <= len(_normal(password)) <= LONGEST:
        faults.append(f"密码应为 {SHORTEST}~{LONGEST} 个字符")
    if len(set(password)) < _FEWEST_CHARACTERS:
        faults.append(f"密码至少要有 {_FEWEST_CHARACTERS} 种不同的字符")
    if name and name.casefold() in password.casefold():
        faults.append("密码不应含账号名")
    return faults


# ---- sign-in from outside -----------------------------------------------------------------------


@dataclass(frozen=True)
class Grant:
    """Who has one of `values` in the claim has this role, in this department."""

    values: frozenset[str]
    role: Role
    department: str = ""


@dataclass(frozen=True)
class ClaimRules:
    """How claims become a person: the claim that decides, the one that names, and grants; the first that fits holds.

    After `hours` a person has to sign in again: Streamlit keeps the claims for 30 days, and asks nobody meanwhile.
    """

    claim: str
    name: str
    grants: tuple[Grant, ...]
    hours: float = HOURS


_NAMES = ("preferred_username", "email", "name", "sub")


def person_from_claims(claims: Mapping[str, Any], rules: ClaimRules | None) -> Person:
    """Make a person of what the sign-in service says; without a fitting grant he may look, no more."""
    wanted = (rules.name, *_NAMES) if rules else _NAMES
    named = (claims.get(key) for key in wanted)
    name = next((one.strip() for one in named if isinstance(one, str) and one.strip()), "未具名")
    if rules is None or (
        rules.claim == "email" and str(claims.get("email_verified", True)).lower() == "false"
    ):
        return Person(name, means="统一认证")
    said = claims.get(rules.claim)
    values = {str(one) for one in said} if isinstance(said, list | tuple) else {str(said)} if said else set()
    grant = next((one for one in rules.grants if one.values & values), Grant(frozenset(), Role.VIEW))
    return Person(name, grant.role, grant.department, "统一认证")


def check_claims_age(claims: Mapping[str, Any], rules: ClaimRules | None, now: datetime) -> None:
    """Refuse claims of so long ago that they may be true no more.

    Raises
    ------
    SignInError
        The service gave them (`iat`) more than `ClaimRules.hours` ago, or does not say when.
    """
    hours, given = rules.hours if rules else HOURS, claims.get("iat")
    age = now.timestamp() - given if isinstance(given, int | float) else float("nan")
    # a clock that goes a little wrong is no reason to let nobody in
    if not -300 <= age <= hours * 3600:
        raise SignInError(f"登录已超过 {hours:g} 小时,请重新登录")


def load_claim_rules(path: Path, departments: Collection[str]) -> ClaimRules | None:
    """Read `<home>/access.toml`; None when there is none.

    ::

        claim = "groups"               # the claim that decides
        name = "preferred_username"    # the claim that names the person; may be left out
        hours = 12                     # how long a sign-in holds; may be left out
        [[grants]]
        values = ["qj-fire"]
        role = "录入"
        department = "区消防救援支队"

    Raises
    ------
    DataError
        With every fault of the file.
    """
    raw, file = _access_file(path), path.name
    if raw is None or raw.keys() == {"accounts"}:
        return None
    problems = _unknown(file, raw)
    claim, name, listed = raw.get("claim"), raw.get("name", ""), raw.get("grants", [])
    if not isinstance(claim, str) or not claim:
        problems.append(
            Problem(file, None, "claim", None if claim is None else str(claim), "声明(claim)的名称")
        )
    if not isinstance(name, str):
        problems.append(Problem(file, None, "name", str(name), "声明(claim)的名称"))
    hours = _amount(file, "hours", raw.get("hours", HOURS), _MOST_HOURS, "小时数", problems)
    if not isinstance(listed, list):
        problems.append(Problem(file, None, "grants", str(listed), "若干 [[grants]]"))
        listed = []
    grants = [_grant(file, number, one, departments, problems) for number, one in enumerate(listed, 1)]
    if problems:
        raise DataError(problems)
    return ClaimRules(str(claim), str(name), tuple(one for one in grants if one is not None), hours)


def load_limits(path: Path) -> Limits:
    """Read from `<home>/access.toml` how long a sign-in by an account of the office's own holds.

    ::

        [accounts]
        hours = 8            # at most; may be left out
        idle_minutes = 60    # unused; may be left out

    Raises
    ------
    DataError
        With every fault of what is said of it.
    """
    file = path.name
    raw = _access_file(path) or {}
    problems, said = _unknown(file, raw), raw.get("accounts", {})
    if not isinstance(said, dict):
        problems.append(Problem(file, None, "accounts", str(said), "[accounts] 表"))
        said = {}
    problems += [
        Problem(file, None, f"accounts.{key}", None, "hours、idle_minutes 之一")
        for key in said.keys() - {"hours", "idle_minutes"}
    ]
    hours = _amount(file, "accounts.hours", said.get("hours", ACCOUNT_HOURS), 24, "小时数", problems)
    minutes = _amount(
        file, "accounts.idle_minutes", said.get("idle_minutes", IDLE_MINUTES), 24 * 60, "分钟数", problems
    )
    if problems:
        raise DataError(problems)
    return Limits(timedelta(hours=hours), timedelta(minutes=minutes))


def _access_file(path: Path) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))  # Notepad writes a mark before it
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError([Problem(path.name, None, None, why_unread(error), "可以读取的文件")]) from error
    except ValueError as error:  # of the encoding as of the syntax
        raise DataError([Problem(path.name, None, None, None, "合乎 TOML 语法的 UTF-8 文件")]) from error


def _unknown(file: str, raw: Mapping[str, Any]) -> list[Problem]:
    known = ("claim", "name", "hours", "grants", "accounts")
    return [Problem(file, None, key, None, f"{'、'.join(known)} 之一") for key in raw if key not in known]


def _amount(file: str, key: str, value: Any, most: float, unit: str, problems: list[Problem]) -> float:
    """Read an amount of time; what is none is a problem, and as much as may be."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        problems.append(Problem(file, None, key, str(value), f"大于 0、不大于 {most:g} 的{unit}"))
        return most
    return float(value)


def _grant(
    file: str, number: int, raw: Any, departments: Collection[str], problems: list[Problem]
) -> Grant | None:
    entry = f"grants[{number}]"
    if not isinstance(raw, dict):
        problems.append(Problem(file, None, entry, str(raw), "[[grants]] 表"))
        return None
    values, role, department = raw.get("values"), raw.get("role"), raw.get("department", "")
    problems += [
        Problem(file, None, f"{entry}.{key}", None, "values、role、department 之一")
        for key in raw.keys() - {"values", "role", "department"}
    ]
    if not isinstance(values, list) or not values or not all(isinstance(one, str) and one for one in values):
        problems.append(Problem(file, None, f"{entry}.values", str(values), "一列文字"))
        values = []
    if role not in list(Role):
        problems.append(Problem(file, None, f"{entry}.role", str(role), f"{'、'.join(Role)}之一"))
        return None
    if role == Role.EDIT and department not in departments:
        problems.append(
            Problem(file, None, f"{entry}.department", str(department), f"部门:{'、'.join(departments)}")
        )
    return Grant(frozenset(map(str, values)), Role(role), str(department))
