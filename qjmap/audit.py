"""The audit log: who did what and when, one line each, added at the end and never changed.

`<home>/audit/2026-11.jsonl`: JSON lines, of which each carries the SHA-256 of the line before, also across months, so
that a line changed or taken out is noticed; `head.json` remembers the last one, so that lines cut off at the end are
too. Whoever may write the files can forge all of it: it proves nothing against the machine's own administrator.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from qjmap._files import locked, make_folder, replace, why_unwritten, write_all
from qjmap.errors import QjmapError, why_unread

LONGEST = 2000
"""Characters of a line's `detail`."""

STARTED, DONE, FAILED, REFUSED = "开始", "完成", "未成", "拒绝"
"""How a thing went. A change has two lines; one without a second was cut short."""

_HEAD = "head.json"
_LABELS = {
    "when": "时间",
    "who": "操作人",
    "role": "角色",
    "action": "操作",
    "outcome": "结果",
    "district": "区县",
    "layer": "图层",
    "detail": "说明",
}


class AuditError(QjmapError, RuntimeError):
    """The log cannot be written or read."""


@dataclass(frozen=True)
class Entry:
    """One line of the log: `when` is ISO 8601 with zone, the rest is text."""

    when: str
    who: str
    role: str
    action: str
    outcome: str = DONE
    district: str = ""
    layer: str = ""
    detail: str = ""


class Audit:
    """The log in a home folder.

    Parameters
    ----------
    home
        The home folder; its folder `audit` is made with the first line.
    clock
        Gives the time, with its zone.
    """

    def __init__(
        self, home: Path, clock: Callable[[], datetime] = lambda: datetime.now().astimezone()
    ) -> None:
        self.folder = home / "audit"
        self._clock = clock

    def write(
        self,
        *,
        who: str,
        role: str,
        action: str,
        outcome: str = DONE,
        district: str = "",
        layer: str = "",
        detail: str = "",
    ) -> None:
        """Add one line; when this returns it is on the disk.

        Raises
        ------
        AuditError
            It could not be written; the log is as it was.
        """
        now = self._clock()
        entry = Entry(
            now.isoformat(timespec="seconds"), who, role, action, outcome, district, layer, detail[:LONGEST]
        )
        try:
            with locked(self.folder / ".lock"):
                self._append(entry, f"{now:%Y-%m}.jsonl")
        except OSError as error:
            raise AuditError(f"操作日志写不进 {self.folder}:{why_unwritten(error)}") from error

    def entries(
        self,
        *,
        since: date | None = None,
        until: date | None = None,
        who: str = "",
        action: str = "",
        layer: str = "",
        outcome: str = "",
    ) -> tuple[Entry, ...]:
        """List the lines, newest first; days are inclusive, texts must be equal, what is not given is not asked.

        Lines that cannot be read are left out: `verify` tells of them.
        """
        wanted = {"who": who, "action": action, "layer": layer, "outcome": outcome}
        asked = {key: value for key, value in wanted.items() if value}
        found = []
        for _, _, line in self._lines():
            entry = _parsed(line)
            if entry is None or any(getattr(entry, key) != value for key, value in asked.items()):
                continue
            day = entry.when[:10]
            if (since is None or day >= since.isoformat()) and (until is None or day <= until.isoformat()):
                found.append(entry)
        return tuple(reversed(found))

    def verify(self) -> tuple[str, ...]:
        """Tell in Chinese where the log is not as it was written; empty when all is well."""
        faults: list[str] = []
        before = ""
        known: set[tuple[str, str]] = set()
        lines = 0
        for file, number, line in self._lines():
            lines += 1
            here = f"{file} 第 {number} 行"
            entry = _parsed(line)
            if entry is None:
                faults.append(f"{here}残缺或不是日志")
            elif json.loads(line).get("before") != before:
                faults.append(f"{here}与上一行不相连:上一行被改动,或其间缺行")
            before = _hash(line)
            known.add((file, before))
        head = self._head()
        if head is None and lines > 1:
            faults.append(f"缺少 {_HEAD},无法核对末尾是否缺行")
        elif head is not None and head not in known:
            faults.append(f"{head[0]} 末尾缺行:最后写入的一行不在了")
        return tuple(faults)

    # ---- files -----------------------------------------------------------------------------------

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9].jsonl"))

    def _append(self, entry: Entry, name: str) -> None:
        """Write one line after the newest; called under the lock."""
        make_folder(self.folder)
        files = self._files()
        last = files[-1] if files else None
        # A clock that was set back must not put a line before those that are there.
        path = self.folder / max(name, last.name if last else "")
        tail = _last_line(last) if last else b""
        text = json.dumps({**asdict(entry), "before": self._before(files, tail)}, ensure_ascii=False)
        line = text.encode("utf-8", "replace")
        torn = last == path and tail and not tail.endswith(b"\n")
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            size = os.fstat(handle).st_size
            try:
                # What a killed process left unfinished stays, as a line of its own.
                write_all(handle, (b"\n" if torn else b"") + line + b"\n")
                os.fsync(handle)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
        with contextlib.suppress(OSError):  # the line stands; a head that lags is a line in the chain still
            replace(self.folder / _HEAD, json.dumps({"file": path.name, "hash": _hash(line)}).encode())

    def _before(self, files: list[Path], tail: bytes) -> str:
        """Give the hash that the next line carries.

        It is that of the last line; but of the one that `head.json` remembers when that is gone, so that the next line
        does not hide the loss.
        """
        last = _hash(tail.rstrip(b"\n")) if tail else ""
        head = self._head()
        if head is None or head[1] == last:
            return last
        there = (_hash(line) for path in files for line in path.read_bytes().split(b"\n"))
        return last if head[1] in there else head[1]

    def _lines(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield file, number and bytes of every line, oldest first."""
        if not self.folder.is_dir():
            return
        try:
            with locked(self.folder / ".lock"):
                texts = [(path.name, path.read_bytes()) for path in self._files()]
        except OSError as error:
            raise AuditError(f"操作日志 {self.folder} 读不出来:{why_unread(error)}") from error
        for name, text in texts:
            lines = text.split(b"\n")
            for number, line in enumerate(lines, 1):
                if line or number < len(lines):
                    yield name, number, line

    def _head(self) -> tuple[str, str] | None:
        try:
            head = json.loads((self.folder / _HEAD).read_bytes())
            return str(head["file"]), str(head["hash"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


def table(entries: Iterable[Entry]) -> pd.DataFrame:
    """Make lines of the log into a table with Chinese columns, for `qjmap.export.to_csv` and `to_excel`."""
    rows = [asdict(one) for one in entries]
    return pd.DataFrame(rows, columns=list(_LABELS), dtype=object).rename(columns=_LABELS)


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _parsed(line: bytes) -> Entry | None:
    try:
        raw = json.loads(line)
        return Entry(**{key: str(raw[key]) for key in _LABELS})
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _last_line(path: Path) -> bytes:
    """Read a file's last line with its line break, without reading the file."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        found, step = b"", 8192
        while end > 0 and b"\n" not in found[:-1]:
            start = max(0, end - step)
            file.seek(start)
            found = file.read(end - start) + found
            end = start
    body = found[:-1] if found.endswith(b"\n") else found
    return found[body.rfind(b"\n") + 1 :]
