"""What a person may ask of the office's own data: each function asks first who he is, then does it, and writes it down.

Pages call these and never `qjmap.workspace` itself, so that a role is checked where the thing is done and not where a
button is drawn. A change stands in the log twice, 开始 and 完成 (or 未成): what is without the second was cut short,
and the versions tell how far it went.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from qjmap import boundaries
from qjmap.access import (
    OWN_ACCOUNT,
    VISITOR,
    AccessError,
    Accounts,
    Action,
    Person,
    Role,
    SignInError,
    demand,
    may,
)
from qjmap.audit import DONE, FAILED, REFUSED, STARTED, Audit, AuditError, Entry, table
from qjmap.checks import Ground, Oddities, check, look
from qjmap.comparison import Comparison
from qjmap.comparison import compare as compare_contents
from qjmap.contents import BOUNDARIES, CSV, GEOJSON, Content, to_bytes
from qjmap.district import District, load_district
from qjmap.errors import DataError, Problem, QjmapError, UnknownKeyError, WorkspaceError
from qjmap.ingest import RawTable
from qjmap.layers import LayerSpec
from qjmap.records import with_change, with_record, without_record
from qjmap.registers import completed, load_layer, load_table
from qjmap.workspace import ConflictError, Version, Workspace

SHIPPED = "原有"
"""The action of a first version that holds what came with the program."""

SIGN_IN, SIGN_OUT = "登录", "退出"

_PLACING = ("lon", "lat", "position", "error_m", "note", "source", "document", "clause")
"""Columns that may be changed without the rest ceasing to be what the document says."""

_BOUNDARY_SPEC = LayerSpec(BOUNDARIES, "街镇界线", "townships.geojson", "polygon", "", "", (), {})
_WHOLE, _DECIMAL = re.compile(r"[+-]?[0-9]{1,15}"), re.compile(r"[+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?")
_SHOWN = 12  # cells of a change told in the log


@dataclass(frozen=True)
class Office:
    """Where the functions below find things.

    Parameters
    ----------
    district
        The district as it is shown now.
    workspace
        Its versions.
    audit
        The log.
    """

    district: District
    workspace: Workspace
    audit: Audit


# ---- changes --------------------------------------------------------------------------------------


def import_layer(person: Person, office: Office, key: str, raw: RawTable, *, base: int, why: str) -> Version:
    """Put a whole register in place of the one there is.

    Parameters
    ----------
    person
        Who asks.
    office
        Where.
    key
        Layer or table.
    raw
        The register's text, with all columns of the layer.
    base
        The version that the person saw; 0 for what came with the program.
    why
        The reason, for the history.

    Returns
    -------
    Version
        The new version.

    Raises
    ------
    AccessError
        The person may not.
    DataError
        With every fault of the register; nothing is saved.
    ConflictError
        Somebody saved in between; the content is kept as a draft.
    WorkspaceError, AuditError
        The disk refused; nothing is changed (or the message says that it is).
    """
    spec = _demand(person, office, Action.IMPORT, key)
    _demand_columns(spec, raw)
    content = Content(raw.file, to_bytes(raw.frame.reindex(columns=_order(spec, raw.frame))), CSV)
    _check(office, key, content, raw)
    return _save(person, office, Action.IMPORT, key, content.data, base=base, why=why, detail=raw.file)


def import_boundaries(
    person: Person, office: Office, data: bytes, file: str, *, base: int, why: str
) -> Version:
    """Put boundaries (GeoJSON, degrees) in place of those there are; raises as `import_layer`."""
    _demand(person, office, Action.IMPORT, BOUNDARIES)
    _check(office, BOUNDARIES, Content(file, data, GEOJSON))
    return _save(
        person, office, Action.IMPORT, BOUNDARIES, data, base=base, why=why, name=GEOJSON, detail=file
    )


def change_record(
    person: Person,
    office: Office,
    key: str,
    record: str,
    changes: Mapping[str, str | None],
    *,
    base: int,
    why: str,
) -> Version:
    """Change some cells of a record, its position too (`lon`, `lat`, `position`, `error_m`).

    A record from a document that is changed in more than its place and notes is no longer what the document says: its
    `source` becomes 导入, unless `changes` says otherwise; document and clause stay as where it came from.

    Raises
    ------
    UnknownKeyError
        There is no such record or column.
    AccessError, DataError, ConflictError, WorkspaceError, AuditError
        As `import_layer`.
    """
    spec = _demand(person, office, Action.CHANGE, key)
    if "id" in changes and changes["id"] != record:
        raise AccessError("编号不可更改:请删除此记录,再以新编号新增")
    before = _at(office, key, base)
    wanted = dict(changes)
    if (
        spec.placed
        and "source" not in wanted
        and any(one not in _PLACING for one in _changed(before, record, changes))
    ):
        wanted["source"] = "导入"
    after = with_change(before, record, wanted)
    if {"lon", "lat", "geometry"} & set(_changed(before, record, changes)):
        _refuse_odd(office, key, after, record)
    told = ";".join(
        f"{_label(spec, column)} {_old(before, record, column) or '空白'}→{value or '空白'}"
        for column, value in list(wanted.items())[:_SHOWN]
        if _old(before, record, column) != ((value or "").strip() or None)
    )
    return _edit(person, office, Action.CHANGE, key, after, base=base, why=why, detail=f"{record}:{told}")


def add_record(
    person: Person, office: Office, key: str, record: Mapping[str, str | None], *, base: int, why: str
) -> Version:
    """Add a record; without an `id` it gets the next free one, without a `source` 导入. Raises as `change_record`."""
    spec = _demand(person, office, Action.ADD, key)
    before = _at(office, key, base)
    cells = dict(record)
    if spec.placed:
        cells["source"] = cells.get("source") or "导入"
        cells["id"] = cells.get("id") or _free_id(office, key, before)
    after = with_record(before, cells)
    if spec.placed:
        _refuse_odd(office, key, after, str(cells["id"]))
    named = f"{cells.get('id') or ''} {cells.get('name') or ''}".strip()
    return _edit(person, office, Action.ADD, key, after, base=base, why=why, detail=named)


def look_at(
    office: Office, key: str, record: Mapping[str, str | None], known: pd.DataFrame | None = None
) -> Oddities:
    """Look at a record as at a row of a file that is imported: what stops it, and what is possible but odd.

    Parameters
    ----------
    office, key
        Where, and the layer.
    record
        All its cells as text.
    known
        The layer's records, typed, for doubles; the record itself among them is passed over.

    Returns
    -------
    Oddities
        Nothing while the record has faults: saving tells these.
    """
    spec, place = _spec(office, key), office.district
    cells = {one: record.get(one) for one in spec.columns}
    named = cells.get("name") or cells.get("id") or "新记录"
    raw = RawTable(f"“{spec.label}”{named}", pd.DataFrame([cells], dtype="str"), (1,))
    checked = check(raw, spec, place.context())
    if not spec.placed or checked.problems:
        return Oddities((), ())
    towns = place.boundaries
    ground = Ground(
        place.projection,
        tuple(towns.index),
        np.asarray(towns.geometry, dtype=object),
        official=not place.schematic,
    )
    others = None if known is None else known[known["id"] != cells.get("id")]
    found = look(raw, spec, checked.frame, ground, others)
    return Oddities(
        *(tuple(replace(one, row=None) for one in part) for part in (found.problems, found.warnings))
    )


def delete_record(person: Person, office: Office, key: str, record: str, *, base: int, why: str) -> Version:
    """Leave a record out from now on; earlier versions keep it. Raises as `change_record`."""
    _demand(person, office, Action.DELETE, key)
    before = _at(office, key, base)
    after = without_record(before, record)
    return _edit(person, office, Action.DELETE, key, after, base=base, why=why, detail=record)


def restore(person: Person, office: Office, key: str, number: int, *, base: int, why: str) -> Version:
    """Make an old version the newest again, if it passes today's checks.

    Raises
    ------
    DamagedError
        That version is damaged; `offered` is the one before.
    AccessError, DataError, ConflictError, WorkspaceError, AuditError
        As `import_layer`.
    """
    _demand(person, office, Action.RESTORE, key)
    content = office.workspace.read(key, number)
    _check(office, key, content)
    _demand_reason(why)
    with _recorded(person, office, Action.RESTORE, key, f"第 {number} 版;{why}") as said:
        version = office.workspace.restore(key, number, base=base, who=person.name, why=why)
        said.append(f"存为第 {version.number} 版")
    return version


# ---- history --------------------------------------------------------------------------------------


def history(person: Person, office: Office, key: str) -> tuple[Version, ...]:
    """List a layer's versions, newest first; raises AccessError."""
    _demand(person, office, Action.HISTORY, key)
    return office.workspace.versions(key)


def compare(person: Person, office: Office, key: str, old: int, new: int) -> Comparison:
    """Compare two versions; raises AccessError, and as `Workspace.read`."""
    _demand(person, office, Action.HISTORY, key)
    return office.workspace.compare(key, old, new)


def drafts(person: Person, office: Office, key: str) -> tuple[Version, ...]:
    """List what was refused because somebody else had saved; raises AccessError."""
    _demand(person, office, Action.HISTORY, key)
    return office.workspace.drafts(key)


def read_draft(person: Person, office: Office, key: str, name: str) -> Content:
    """Give a draft's content, to be looked at and saved again; raises AccessError, and as `Workspace.read`."""
    _demand(person, office, Action.HISTORY, key)
    return office.workspace.read_draft(key, name)


def compare_draft(person: Person, office: Office, key: str, name: str) -> Comparison:
    """Tell what a draft would have changed in the version it was made from; raises as `read_draft`."""
    draft = read_draft(person, office, key, name)
    parent = next((one.parent for one in office.workspace.drafts(key) if one.file == name), 0)
    before = office.workspace.read(key, parent) if parent else _shipped(office, key)
    return compare_contents(before or Content(draft.file, draft.data.partition(b"\n")[0], draft.name), draft)


def drop_draft(person: Person, office: Office, key: str, name: str) -> None:
    """Remove a draft that is settled; raises as `import_layer`."""
    _demand(person, office, Action.DELETE, key)
    with _recorded(person, office, Action.DELETE, key, f"草稿 {name}"):
        office.workspace.drop_draft(key, name)


def download(person: Person, office: Office, key: str, number: int) -> bytes:
    """Give a version as the file that can be imported again: CSV for Excel (formulas disarmed), or GeoJSON.

    Raises
    ------
    AccessError
        The person may not see the layer's history.
    DamagedError, UnknownKeyError
        As `Workspace.read`.
    AuditError
        It cannot be written down, so it is not given.
    """
    from qjmap import export  # Excel is not for the first page

    _demand(person, office, Action.HISTORY, key)
    content = office.workspace.read(key, number)
    data = content.data if content.name == GEOJSON else export.to_csv(_for_spreadsheet(content.table().frame))
    _note(person, office, Action.EXPORT, key, DONE, f"第 {number} 版")
    return data


# ---- files to take away ---------------------------------------------------------------------------


def export_files(
    person: Person, office: Office, what: str, make: Callable[[bool], bytes], specs: Sequence[LayerSpec] = ()
) -> bytes:
    """Make a file for a person to take away.

    Parameters
    ----------
    person, office
        Who asks, and where.
    what
        What the file is, for the log.
    make
        Makes it; is told whether sensitive columns may be in it (`include_sensitive` of `qjmap.export`).
    specs
        The layers in it. Sensitive columns are for 管理, and for 录入 where all of them are his department's.

    Raises
    ------
    AccessError, AuditError
        Not allowed, or it cannot be written down: the file is not given.
    """
    _refuse(person, office, Action.EXPORT, None)
    wanted: Sequence[LayerSpec | None] = specs or [None]
    sensitive = all(may(person, Action.SENSITIVE, one) for one in wanted)
    data = make(sensitive)
    detail = f"{what},{len(data):,} 字节{',可含敏感列' if sensitive else ''}"
    _note(person, office, Action.EXPORT, "、".join(one.key for one in specs), DONE, detail)
    return data


def audit_entries(person: Person, office: Office, **asked: Any) -> tuple[Entry, ...]:
    """List lines of the log, newest first; `asked` as for `Audit.entries`. Raises AccessError but for 管理."""
    _refuse(person, office, Action.AUDIT, None)
    return office.audit.entries(**asked)


def audit_faults(person: Person, office: Office) -> tuple[str, ...]:
    """Tell where the log was tampered with; raises AccessError but for 管理."""
    _refuse(person, office, Action.AUDIT, None)
    return office.audit.verify()


def export_audit(person: Person, office: Office, entries: Iterable[Entry], *, excel: bool) -> bytes:
    """Give lines of the log as Excel or CSV, formulas disarmed; raises AccessError but for 管理."""
    from qjmap import export

    _refuse(person, office, Action.AUDIT, None)
    lines = table(entries)
    info = {
        "内容": f"{office.district.name}操作日志",
        "条数": str(len(lines)),
        "核对": ";".join(office.audit.verify()) or "与写入时一致",
    }
    data = export.to_excel({"操作日志": lines}, info) if excel else export.to_csv(lines)
    _note(person, office, Action.EXPORT, "", DONE, f"操作日志 {len(lines)} 条")
    return data


# ---- coming and going -----------------------------------------------------------------------------


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
    _refuse(person, office, Action.ACCOUNTS, None)
    with _recorded(person, office, Action.ACCOUNTS, "", f"{name} {role} {department}".strip()):
        return accounts.add(
            name, password, role, department, departments=departments(office.district), overwrite=overwrite
        )


def remove_account(person: Person, office: Office, accounts: Accounts, name: str) -> None:
    """Remove an account; raises AccessError but for 管理, UnknownKeyError when there is none."""
    _refuse(person, office, Action.ACCOUNTS, None)
    with _recorded(person, office, Action.ACCOUNTS, "", f"删除 {name}"):
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
    with _recorded(person, office, Action.PASSWORD, "", person.name):
        accounts.change_password(person.name, old, new, now)


def departments(district: District) -> tuple[str, ...]:
    """List the departments that keep layers."""
    return tuple(dict.fromkeys(one.department for one in district.registry.layers.values()))


# ---- inside ---------------------------------------------------------------------------------------


def _spec(office: Office, key: str) -> LayerSpec:
    return _BOUNDARY_SPEC if key == BOUNDARIES else office.district.registry.spec(key)


def _demand(person: Person, office: Office, action: Action, key: str) -> LayerSpec:
    spec = _spec(office, key)
    _refuse(person, office, action, spec)
    return spec


def _refuse(person: Person, office: Office, action: Action, spec: LayerSpec | None) -> None:
    """Refuse what the person may not do, and write that down; who is a mere visitor leaves no line."""
    try:
        demand(person, action, spec)
    except AccessError as error:
        if person != VISITOR:
            with contextlib.suppress(AuditError):  # refused all the same
                _note(person, office, action, spec.key if spec else "", REFUSED, str(error))
        raise


def _note(person: Person, office: Office, action: Action, key: str, outcome: str, detail: str) -> None:
    office.audit.write(
        who=person.name,
        role=str(person.role),
        action=str(action),
        outcome=outcome,
        district=office.district.key,
        layer=key,
        detail=detail,
    )


@contextlib.contextmanager
def _recorded(person: Person, office: Office, action: Action, key: str, detail: str) -> Iterator[list[str]]:
    """Write down that a change begins, and how it ended; what the list gets is told with it."""
    try:
        _note(person, office, action, key, STARTED, detail)
    except AuditError as error:
        raise AuditError(f"{action}未进行:{error}") from error
    said: list[str] = []
    try:
        yield said
    except QjmapError as error:
        with contextlib.suppress(
            AuditError
        ):  # the first line stands, and the cause is what the person must hear
            _note(person, office, action, key, FAILED, f"{detail};{error}")
        raise
    try:
        _note(person, office, action, key, DONE, ";".join([detail, *said]))
    except AuditError as error:
        raise AuditError(f"{action}已完成({';'.join(said) or detail}),但操作日志未能写完:{error}") from error


def _save(
    person: Person,
    office: Office,
    action: Action,
    key: str,
    data: bytes,
    *,
    base: int,
    why: str,
    detail: str,
    name: str = CSV,
) -> Version:
    _demand_reason(why)
    with _recorded(person, office, action, key, f"{detail};{why}") as said:
        base = _begun(office, key, base)
        version = office.workspace.save(
            key, data, base=base, who=person.name, why=why, action=str(action), name=name
        )
        said.append(f"第 {version.number} 版,{version.rows} 条")
    return version


def _edit(
    person: Person,
    office: Office,
    action: Action,
    key: str,
    after: RawTable,
    *,
    base: int,
    why: str,
    detail: str,
) -> Version:
    data = to_bytes(after.frame)
    _check(office, key, Content(after.file, data), after)
    return _save(person, office, action, key, data, base=base, why=why, detail=detail)


def _refuse_odd(office: Office, key: str, table: RawTable, record: str) -> None:
    """Refuse a record that an import would refuse though its cells are sound: one far outside the district."""
    found = table.frame.loc[table.frame["id"] == record].iloc[0]
    cells = {str(one): None if pd.isna(value) else str(value) for one, value in found.items()}
    problems = look_at(office, key, cells).problems
    if problems:
        raise DataError(problems)


def _order(spec: LayerSpec, frame: pd.DataFrame) -> list[str]:
    """Put the columns in the order of the registry; what it does not know stays, for the checks to tell."""
    there = [str(one) for one in frame]
    return sorted(there, key=list(dict.fromkeys((*spec.columns, *there))).index)


def _demand_reason(why: str) -> None:
    """Refuse what nobody could explain later."""
    if not why.strip():
        raise WorkspaceError("未保存:请写明原因")


def _demand_columns(spec: LayerSpec, raw: RawTable) -> None:
    """Refuse a register that lost a column: only versions from before a column was registered go without."""
    lost = [key for key in spec.columns if key not in raw.frame]
    if lost:
        advice = "可以留空,但不可缺少"
        raise DataError([Problem(raw.file, 1, key, "没有这一列", "有这一列", advice) for key in lost])


def _shipped(office: Office, key: str) -> Content | None:
    """Give what came with the program, or None."""
    place, spec = office.district, _spec(office, key)
    path = place.geo / place.settings.boundary_file if key == BOUNDARIES else place.data / spec.file
    try:
        return Content(path.name, path.read_bytes(), GEOJSON if key == BOUNDARIES else CSV)
    except FileNotFoundError:
        return None


def _begun(office: Office, key: str, base: int) -> int:
    """See to it that the history begins with what came with the program, so that there is a way back to it."""
    if base:
        return base
    versions = office.workspace.versions(key)
    if not versions and (shipped := _shipped(office, key)) is not None:
        try:
            office.workspace.save(
                key, shipped.data, base=0, who="本软件", why="随软件发布", action=SHIPPED, name=shipped.name
            )
        except ConflictError as error:  # somebody began in the same moment
            if error.draft:
                office.workspace.drop_draft(key, error.draft)
        versions = office.workspace.versions(key)
    # who saw what came with the program saw version 1, if that is what it is
    return 1 if versions and versions[-1].action == SHIPPED else base


def _at(office: Office, key: str, base: int) -> RawTable:
    """Give the register as the person saw it: a version, or what came with the program, or an empty one."""
    spec = _spec(office, key)
    if key == BOUNDARIES:
        raise UnknownKeyError("界线须整份导入,不能逐条修改")
    if base:
        return completed(office.workspace.read(key, base).table(), spec)
    shipped = _shipped(office, key)
    if shipped is not None:
        return shipped.table()
    return RawTable(spec.file, pd.DataFrame(columns=list(spec.columns), dtype="str"), ())


def _check(office: Office, key: str, content: Content, raw: RawTable | None = None) -> None:
    """Read a content as the pages will; raises DataError with every fault. `raw` keeps the file's own row numbers."""
    place = office.district
    shown = content if raw is None else _Numbered(content.file, content.data, content.name, raw)
    kept = {**place.kept, key: shown}
    if key == BOUNDARIES:
        names, wide = list(place.towns.index), place.settings.context_units
        boundaries.parse(content.data, content.file, names, place.projection, place.settings.box, wide)
    elif key == "townships":
        _check_towns(load_district(place.key, place.root, kept=kept), place)
    elif _spec(office, key).placed:
        load_layer(replace(place, kept=kept), key)
    else:
        load_table(replace(place, kept=kept), key)


def _check_towns(new: District, old: District) -> None:
    """Refuse towns by which boundaries or registers would fall out of use; raises DataError."""
    problems = [] if old.boundary_problems else [*new.boundary_problems]
    for key in new.registry.layers:
        try:
            load_layer(old, key)
        except DataError:
            continue  # broken before
        try:
            load_layer(new, key)
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(problems)


@dataclass(frozen=True)
class _Numbered(Content):
    """A content that is read already, with the row numbers of the file that the person has before him."""

    raw: RawTable | None = None

    def table(self) -> RawTable:
        return self.raw if self.raw is not None else super().table()


def _label(spec: LayerSpec, column: str) -> str:
    return spec.columns[column].label if column in spec.columns else column


def _old(table: RawTable, record: str, column: str) -> str | None:
    key = "id" if "id" in table.frame else str(table.frame.columns[0])
    found = table.frame.loc[table.frame[key] == record]
    value: Any = found[column].iat[0] if len(found) and column in found else None
    return None if value is None or pd.isna(value) else str(value)


def _changed(table: RawTable, record: str, changes: Mapping[str, str | None]) -> list[str]:
    """List the columns that would really change."""
    return [
        column
        for column, value in changes.items()
        if _old(table, record, column) != ((value or "").strip() or None)
    ]


def _free_id(office: Office, key: str, table: RawTable) -> str:
    """Make an id that no record of this layer has or had: numbers of versions come once only."""
    taken, number = set(table.frame["id"].dropna()), office.workspace.newest(key) + 1
    while (made := f"N-{key}-{number:05d}") in taken:
        number += 1
    return made


def _for_spreadsheet(frame: pd.DataFrame) -> pd.DataFrame:
    """Make numbers numbers, so that only text is disarmed: a negative number begins like a formula."""
    return pd.DataFrame({name: [_number(one) for one in frame[name]] for name in frame}, dtype=object)


def _number(cell: Any) -> Any:
    if not isinstance(cell, str):
        return None
    if _WHOLE.fullmatch(cell) and str(int(cell)) == cell:
        return int(cell)
    if cell.startswith(("-", "+")) and _DECIMAL.fullmatch(cell):
        return float(cell)
    return cell
