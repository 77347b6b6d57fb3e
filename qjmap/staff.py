"""The staff: who comes in and who goes, and the accounts; each with its line in the log.

As in `qjmap.service`, a function that a person asks for looks first at who he is.
"""

from __future__ import annotations

from datetime import datetime

from qjmap.access import OWN_ACCOUNT, AccessError, Action, Person, Role, SignInError
from qjmap.accounts import Accounts
from qjmap.audit import REFUSED, Audit
from qjmap.district import District
from qjmap.office import Office

SIGN_IN, SIGN_OUT = "登录", "退出"


def sign_in(audit: Audit, accounts: Accounts, name: str, password: str, now: datetime) -> Person:
    """Let a person in by name and password; success and failure are written down.

    Raises
    ------
    SignInError
        Wrong, or locked for a while.
    AccessError, AuditError
        Accounts or log cannot be used: nobody is let in unseen.
    """
    try:
        person = accounts.sign_in(name, password, now)
    except SignInError as error:
        # Only names that exist are written down: people type passwords into the wrong field.
        known = accounts.find(name)
        audit.write(
            who=known.name if known else "未知用户",
            role=str(Role.VIEW),
            action=SIGN_IN,
            outcome=REFUSED,
            detail=str(error),
        )
        raise
    signed_in(audit, person)
    return person


def signed_in(audit: Audit, person: Person) -> None:
    """Write down that a person came in (also by OIDC, which lets him in itself); raises AuditError."""
    audit.write(who=person.name, role=str(person.role), action=SIGN_IN, detail=person.means)


def signed_out(audit: Audit, person: Person) -> None:
    """Write down that a person left; raises AuditError."""
    audit.write(who=person.name, role=str(person.role), action=SIGN_OUT, detail=person.means)


def add_account(
    person: Person,
    office: Office,
    accounts: Accounts,
    name: str,
    password: str,
    role: Role,
    department: str = "",
    *,
    overwrite: bool = False,
) -> Person:
    """Add an account, or change one; raises AccessError but for 管理, and as `Accounts.add`."""
    office.demand(person, Action.ACCOUNTS)
    with office.recorded(person, Action.ACCOUNTS, "", f"{name} {role} {department}".strip()):
        return accounts.add(
            name, password, role, department, departments=departments(office.district), overwrite=overwrite
        )


def remove_account(person: Person, office: Office, accounts: Accounts, name: str) -> None:
    """Remove an account; raises AccessError but for 管理, UnknownKeyError when there is none."""
    office.demand(person, Action.ACCOUNTS)
    with office.recorded(person, Action.ACCOUNTS, "", f"删除 {name}"):
        accounts.remove(name)


def change_password(
    person: Person, office: Office, accounts: Accounts, old: str, new: str, now: datetime
) -> None:
    """Let a person change the password of his own account; success and failure are written down.

    Raises
    ------
    AccessError
        He came in without an account of the office's own; or as `Accounts.change_password`.
    AuditError
        It cannot be written down.
    """
    if person.means != OWN_ACCOUNT:
        raise AccessError("只有以本地账号登录的人能修改密码,其他账号请由管理人员或统一身份认证的管理方办理")
    with office.recorded(person, Action.PASSWORD, "", person.name):
        accounts.change_password(person.name, old, new, now)


def departments(district: District) -> tuple[str, ...]:
    """List the departments that keep layers."""
    return tuple(dict.fromkeys(one.department for one in district.registry.layers.values()))
