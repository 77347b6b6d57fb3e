"""What a person may ask of the office's own data: each function asks first who he is, then does it, and writes it down.

Pages call these and never `qjmap.workspace` itself, so that a role is checked where the thing is done and not where a
button is drawn. A change stands in the log twice, 开始 and 完成 (or 未成): what is without the second was cut short,
and the versions tell how far it went.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from qjmap import comparison, records, trial
from qjmap.access import AccessError, Action, Person, may
from qjmap.audit import DONE, Entry, table
from qjmap.comparison import Comparison
from qjmap.contents import BOUNDARIES, CSV, GEOJSON, Content, to_bytes
from qjmap.errors import UnknownKeyError, WorkspaceError
from qjmap.ingest import RawTable
from qjmap.layers import LayerSpec
from qjmap.office import Office
from qjmap.registers import completed
from qjmap.workspace import ConflictError, Version

SHIPPED = "原有"
"""The action of a first version that holds what came with the program."""

_PLACING = ("lon", "lat", "position", "error_m", "note", "source", "document", "clause")
"""Columns that may be changed without the rest ceasing to be what the document says."""

_SHOWN = 12  # cells of a change told in the log


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
    spec = office.demand_layer(person, Action.IMPORT, key)
    trial.refuse_lost_columns(spec, raw)
    content = Content(raw.file, to_bytes(raw.frame.reindex(columns=_order(spec, raw.frame))), CSV)
    trial.try_out(office.district, key, content, raw)
    return _save(person, office, Action.IMPORT, key, content.data, base=base, why=why, detail=raw.file)


def import_boundaries(
    person: Person, office: Office, data: bytes, file: str, *, base: int, why: str
) -> Version:
    """Put boundaries (GeoJSON, degrees) in place of those there are; raises as `import_layer`."""
    office.demand_layer(person, Action.IMPORT, BOUNDARIES)
    trial.try_out(office.district, BOUNDARIES, Content(file, data, GEOJSON))
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
    spec = office.demand_layer(person, Action.CHANGE, key)
    if "id" in changes and changes["id"] != record:
        raise AccessError("编号不可更改:请删除此记录,再以新编号新增")
    before = _at(office, key, base)
    wanted, moved = dict(changes), records.changed(before, record, changes).keys()
    if spec.placed and "source" not in wanted and moved - set(_PLACING):
        wanted["source"] = "导入"
    after = records.with_change(before, record, wanted)
    if moved & {"lon", "lat", "geometry"}:
        trial.refuse_odd(office.district, key, after, record)
    told = ";".join(
        f"{_label(spec, column)} {records.cell(before, record, column) or '空白'}→{value or '空白'}"
        for column, value in list(records.changed(before, record, wanted).items())[:_SHOWN]
    )
    return _edit(person, office, Action.CHANGE, key, after, base=base, why=why, detail=f"{record}:{told}")


def add_record(
    person: Person, office: Office, key: str, record: Mapping[str, str | None], *, base: int, why: str
) -> Version:
    """Add a record; without an `id` it gets the next free one, without a `source` 导入. Raises as `change_record`."""
    spec = office.demand_layer(person, Action.ADD, key)
    before = _at(office, key, base)
    cells = dict(record)
    if spec.placed:
        cells["source"] = cells.get("source") or "导入"
        cells["id"] = cells.get("id") or _free_id(office, key, before)
    after = records.with_record(before, cells)
    if spec.placed:
        trial.refuse_odd(office.district, key, after, str(cells["id"]))
    named = f"{cells.get('id') or ''} {cells.get('name') or ''}".strip()
    return _edit(person, office, Action.ADD, key, after, base=base, why=why, detail=named)


def delete_record(person: Person, office: Office, key: str, record: str, *, base: int, why: str) -> Version:
    """Leave a record out from now on; earlier versions keep it. Raises as `change_record`."""
    office.demand_layer(person, Action.DELETE, key)
    before = _at(office, key, base)
    after = records.without_record(before, record)
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
    office.demand_layer(person, Action.RESTORE, key)
    content = office.workspace.read(key, number)
    trial.try_out(office.district, key, content)
    _demand_reason(why)
    with office.recorded(person, Action.RESTORE, key, f"第 {number} 版;{why}") as said:
        version = office.workspace.restore(key, number, base=base, who=person.name, why=why)
        said.append(f"存为第 {version.number} 版")
    return version


# ---- history --------------------------------------------------------------------------------------


def history(person: Person, office: Office, key: str) -> tuple[Version, ...]:
    """List a layer's versions, newest first; raises AccessError."""
    office.demand_layer(person, Action.HISTORY, key)
    return office.workspace.versions(key)


def compare(person: Person, office: Office, key: str, old: int, new: int) -> Comparison:
    """Compare two versions; raises AccessError, and as `Workspace.read`."""
    office.demand_layer(person, Action.HISTORY, key)
    return office.workspace.compare(key, old, new)


def drafts(person: Person, office: Office, key: str) -> tuple[Version, ...]:
    """List what was refused because somebody else had saved; raises AccessError."""
    office.demand_layer(person, Action.HISTORY, key)
    return office.workspace.drafts(key)


def read_draft(person: Person, office: Office, key: str, name: str) -> Content:
    """Give a draft's content, to be looked at and saved again; raises AccessError, and as `Workspace.read`."""
    office.demand_layer(person, Action.HISTORY, key)
    return office.workspace.read_draft(key, name)


def compare_draft(person: Person, office: Office, key: str, name: str) -> Comparison:
    """Tell what a draft would have changed in the version it was made from; raises as `read_draft`."""
    draft = read_draft(person, office, key, name)
    parent = next((one.parent for one in office.workspace.drafts(key) if one.file == name), 0)
    before = office.workspace.read(key, parent) if parent else office.shipped(key)
    empty = Content(draft.file, draft.data.partition(b"\n")[0], draft.name)
    return comparison.compare(before or empty, draft)


def drop_draft(person: Person, office: Office, key: str, name: str) -> None:
    """Remove a draft that is settled; raises as `import_layer`."""
    office.demand_layer(person, Action.DELETE, key)
    with office.recorded(person, Action.DELETE, key, f"草稿 {name}"):
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

    office.demand_layer(person, Action.HISTORY, key)
    content = office.workspace.read(key, number)
    data = content.data if content.name == GEOJSON else export.to_csv(content.table().frame)
    office.note(person, Action.EXPORT, key, DONE, f"第 {number} 版")
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
    office.demand(person, Action.EXPORT)
    wanted: Sequence[LayerSpec | None] = specs or [None]
    sensitive = all(may(person, Action.SENSITIVE, one) for one in wanted)
    data = make(sensitive)
    detail = f"{what},{len(data):,} 字节{',可含敏感列' if sensitive else ''}"
    office.note(person, Action.EXPORT, "、".join(one.key for one in specs), DONE, detail)
    return data


def audit_entries(person: Person, office: Office, **asked: Any) -> tuple[Entry, ...]:
    """List lines of the log, newest first; `asked` as for `Audit.entries`. Raises AccessError but for 管理."""
    office.demand(person, Action.AUDIT)
    return office.audit.entries(**asked)


def audit_faults(person: Person, office: Office) -> tuple[str, ...]:
    """Tell where the log was tampered with; raises AccessError but for 管理."""
    office.demand(person, Action.AUDIT)
    return office.audit.verify()


def export_audit(person: Person, office: Office, entries: Iterable[Entry], *, excel: bool) -> bytes:
    """Give lines of the log as Excel or CSV, formulas disarmed; raises AccessError but for 管理."""
    from qjmap import export

    office.demand(person, Action.AUDIT)
    lines = table(entries)
    info = {
        "内容": f"{office.district.name}操作日志",
        "条数": str(len(lines)),
        "核对": ";".join(office.audit.verify()) or "与写入时一致",
    }
    data = export.to_excel({"操作日志": lines}, info) if excel else export.to_csv(lines)
    office.note(person, Action.EXPORT, "", DONE, f"操作日志 {len(lines)} 条")
    return data


# ---- inside ---------------------------------------------------------------------------------------


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
    with office.recorded(person, action, key, f"{detail};{why}") as said:
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
    trial.try_out(office.district, key, Content(after.file, data), after)
    return _save(person, office, action, key, data, base=base, why=why, detail=detail)


def _order(spec: LayerSpec, frame: pd.DataFrame) -> list[str]:
    """Put the columns in the order of the registry; what it does not know stays, for the checks to tell."""
    there = [str(one) for one in frame]
    return sorted(there, key=list(dict.fromkeys((*spec.columns, *there))).index)


def _demand_reason(why: str) -> None:
    """Refuse what nobody could explain later."""
    if not why.strip():
        raise WorkspaceError("未保存:请写明原因")


def _begun(office: Office, key: str, base: int) -> int:
    """See to it that the history begins with what came with the program, so that there is a way back to it."""
    if base:
        return base
    versions = office.workspace.versions(key)
    if not versions and (shipped := office.shipped(key)) is not None:
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
    spec = office.spec(key)
    if key == BOUNDARIES:
        raise UnknownKeyError("界线须整份导入,不能逐条修改")
    seen = office.workspace.read(key, base) if base else office.shipped(key)
    if seen is None:
        return RawTable(spec.file, pd.DataFrame(columns=list(spec.columns), dtype="str"), ())
    return completed(seen.table(), spec)


def _free_id(office: Office, key: str, table: RawTable) -> str:
    """Make an id that no record of this layer has or had: numbers of versions come once only."""
    taken, number = set(table.frame["id"].dropna()), office.workspace.newest(key) + 1
    while (made := f"N-{key}-{number:05d}") in taken:
        number += 1
    return made


def _label(spec: LayerSpec, column: str) -> str:
    return spec.columns[column].label if column in spec.columns else column
