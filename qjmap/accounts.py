"""The office's own accounts: names and passwords, how they are proved at the door, and the lock after wrong ones."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qjmap._files import locked, replace, why_unwritten
from qjmap.access import OWN_ACCOUNT, AccessError, Person, Role, SignInError
from qjmap.errors import UnknownKeyError, why_unread

if TYPE_CHECKING:
    from argon2 import PasswordHasher

FAILURES = 5
"""So many wrong passwords in a row …"""
LOCKED_FOR = timedelta(minutes=15)
"""… lock a name for so long."""
SHORTEST, LONGEST = 10, 200
"""Characters of a password."""

_MOST_NAMES = 20_000  # of failures remembered: names are free to invent
_FEWEST_CHARACTERS = 4
_NAME_LENGTH = 40
_LAST_ADMIN = "是唯一的管理账号,没有它就无人能管理;请先另设一个管理账号"
_hashing = threading.BoundedSemaphore(2)  # each takes 64 MB: many at once would take the machine


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
