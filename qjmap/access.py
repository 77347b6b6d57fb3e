"""Who may do what: roles, and what an outside sign-in (OIDC) says of a person.

Nothing here draws or hides buttons: `qjmap.service` asks `demand` before it does anything.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from qjmap.errors import DataError, Problem, QjmapError, why_unread
from qjmap.layers import LayerSpec
from qjmap.sessions import Limits

HOURS = 12.0
"""So long holds a sign-in from outside, unless `access.toml` says otherwise."""
ACCOUNT_HOURS, IDLE_MINUTES = 8.0, 60.0
"""So long holds one by an account of the office's own, and so long unused, unless `access.toml` says otherwise."""

_MOST_HOURS = 720  # Streamlit's cookie lasts no longer


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
