"""The workspace: what people changed, each change a new version that nothing overwrites.

A layer is a folder `<home>/<district>/<layer>/`, a version one file `000007.zip` in it: `meta.json` (number, parent,
when, who, why) and `data.csv` or `data.geojson`. The file appears in one atomic step, which only one of several
writers can take, and its last 64 bytes are the SHA-256 of all bytes before. Nobody is asked here who he is: pages go
through `qjmap.service`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from qjmap._files import put_new, sweep, why_unwritten
from qjmap.comparison import Comparison, compare
from qjmap.contents import CSV, GEOJSON, Content
from qjmap.errors import QjmapError, UnknownKeyError, WorkspaceError, why_unread

_META = "meta.json"
_DRAFTS = "drafts"
_HASH = 64
_SEAL = b"sha256:"
_VERSION = re.compile(r"([0-9]{6,})\.zip")
_DRAFT = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}\.zip")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_PROJECT = Path(__file__).resolve().parents[1]


class DamagedError(WorkspaceError):
    """A version's file is not what was saved; `offered` is the newest good version before it, or None."""

    def __init__(self, message: str, offered: int | None = None) -> None:
        super().__init__(message)
        self.offered = offered


class ConflictError(WorkspaceError):
    """Somebody else saved in between.

    `between` are the versions saved since; `draft` is the name under which the refused content is kept, empty when even
    that could not be written.
    """

    def __init__(self, message: str, between: tuple[Version, ...], draft: str) -> None:
        super().__init__(message)
        self.between = between
        self.draft = draft


@dataclass(frozen=True)
class Version:
    """What is known of a version (or of a draft, whose `number` is 0).

    `fault` says in Chinese why it cannot be used, and is empty when all is well; of a damaged version nothing else but
    `number` and `file` is known. `parent` is the version it was made from, 0 for none; `when` is ISO 8601 with zone;
    `rows` and `columns` count what it holds, `sha256` is that of the content, `name` is `CSV` or `GEOJSON`.
    """

    number: int
    file: str
    fault: str = ""
    parent: int = 0
    when: str = ""
    who: str = ""
    why: str = ""
    action: str = ""
    rows: int = 0
    columns: int = 0
    sha256: str = ""
    name: str = CSV

    @property
    def good(self) -> bool:
        """Whether it can be read."""
        return not self.fault


def home(environ: Mapping[str, str] | None = None) -> Path:
    """Give the folder where people's own data are kept: `QJMAP_HOME`, or `qjmap-home` beside the project.

    Raises
    ------
    WorkspaceError
        It lies inside a git work tree, where data of the office would be published with the program.
    """
    said = (os.environ if environ is None else environ).get("QJMAP_HOME")
    path = Path(said or _PROJECT.parent / "qjmap-home").expanduser().resolve()
    for folder in (path, *path.parents):
        if (folder / ".git").exists():
            raise WorkspaceError(
                f"工作区 {path} 位于 git 仓库 {folder} 之内,数据可能随代码外传。请用环境变量 QJMAP_HOME 另指定文件夹"
            )
    return path


class Workspace:
    """Versions of a district's layers.

    Parameters
    ----------
    folder
        The home folder; made with the first save.
    district
        The district's key.
    clock
        Gives the time, with its zone.
    """

    def __init__(
        self, folder: Path, district: str, clock: Callable[[], datetime] = lambda: datetime.now().astimezone()
    ) -> None:
        self.home = folder
        self.district = district
        self._clock = clock
        self._root = folder / _checked_key(district)

    # ---- looking ---------------------------------------------------------------------------------

    def layers(self) -> tuple[str, ...]:
        """List the layers that have versions."""
        return tuple(key for key in _names(self._root) if _KEY.fullmatch(key) and self._numbers(key))

    def versions(self, layer: str) -> tuple[Version, ...]:
        """List a layer's versions, newest first; a damaged or lost one with its `fault`."""
        numbers = self._numbers(layer)
        return tuple(self._look(layer, number) for number in range(max(numbers, default=0), 0, -1))

    def newest(self, layer: str) -> int:
        """Give the newest version's number, whether or not it can be read; 0 when there is none. Reads no file."""
        return max(self._numbers(layer), default=0)

    def latest(self, layer: str) -> Version | None:
        """Give the newest version that can be read, or None."""
        looked = (self._look(layer, number) for number in sorted(self._numbers(layer), reverse=True))
        return next((one for one in looked if one.good), None)

    def damaged(self, layer: str) -> tuple[Version, ...]:
        """Give the versions newer than `latest` that cannot be read: what the page must warn of."""
        found: list[Version] = []
        for number in sorted(self._numbers(layer), reverse=True):
            one = self._look(layer, number)
            if one.good:
                break
            found.append(one)
        return tuple(found)

    def read(self, layer: str, number: int | None = None) -> Content:
        """Give a version's content; without a number that of the newest that can be read.

        Raises
        ------
        UnknownKeyError
            There is no such version.
        DamagedError
            The version asked for is damaged; `offered` is the one to take instead.
        """
        if number is None:
            for one in sorted(self._numbers(layer), reverse=True):
                try:
                    return self._load(layer, one)[1]
                except (WorkspaceError, UnknownKeyError):
                    continue
            raise UnknownKeyError(f"“{layer}”在工作区中没有可用的版本")
        try:
            return self._load(layer, number)[1]
        except DamagedError as error:
            before = [one for one in sorted(self._numbers(layer), reverse=True) if one < number]
            offered = next((one for one in before if self._look(layer, one).good), None)
            advice = (
                "之前没有可用的版本" if offered is None else f"可改用之前的第 {offered} 版(可恢复为新版本)"
            )
            raise DamagedError(f"{error}。{advice}", offered) from error

    def current(self) -> dict[str, Content]:
        """Give for each layer the newest content that can be read: what takes the place of the shipped files."""
        found = {}
        for layer in self.layers():
            with contextlib.suppress(UnknownKeyError):
                found[layer] = self.read(layer)
        return found

    def stamp(self) -> str:
        """Say in one text which versions there are, so that new ones are noticed without reading any."""
        parts = []
        for layer in self.layers():
            for number in self._numbers(layer):
                try:
                    stat = self._path(layer, number).stat()
                except OSError:
                    continue
                parts.append(f"{layer}/{number}:{stat.st_mtime_ns}:{stat.st_size}")
        return "|".join(parts)

    def compare(self, layer: str, old: int, new: int) -> Comparison:
        """Compare two versions; raises as `read`."""
        return compare(self.read(layer, old), self.read(layer, new))

    # ---- changing --------------------------------------------------------------------------------

    def save(
        self, layer: str, data: bytes, *, base: int, who: str, why: str, action: str, name: str = CSV
    ) -> Version:
        """Save a new version.

        Parameters
        ----------
        layer
            The layer's key.
        data
            The whole content: CSV (UTF-8, text as in `data/<district>/`) or GeoJSON, as `name` says.
        base
            The version that the person saw when he began; 0 when there was none.
        who, why, action
            What the history shall say.

        Returns
        -------
        Version
            The new one.

        Raises
        ------
        ConflictError
            There is a newer good version than `base`. The content is kept as a draft.
        DataError
            The content cannot be read as what `name` says.
        WorkspaceError
            Who or why is missing, or the disk refused; every earlier version is as it was.
        """
        table = Content(f"{layer}({action})", data, name).table()
        if not who.strip() or not why.strip():
            raise WorkspaceError("未保存:请写明原因")
        about = {
            "who": who.strip(),
            "why": why.strip(),
            "action": action,
            "rows": len(table.frame),
            "columns": table.frame.shape[1],
            "name": name,
        }
        sweep(self._folder(layer))
        while True:
            numbers = self._numbers(layer)
            between = tuple(one for one in self._after(layer, base, numbers) if one.good)
            if between:
                raise self._conflict(layer, data, base, about, between)
            number = max((*numbers, base)) + 1
            path = self._path(layer, number)
            try:
                self._put(path, layer, data, about | {"number": number, "parent": base})
            except FileExistsError:  # somebody was faster by a moment: look again
                continue
            return self._look(layer, number)

    def restore(self, layer: str, number: int, *, base: int, who: str, why: str) -> Version:
        """Make an old version's content the newest one; raises as `read` and `save`."""
        old = self.read(layer, number)
        action = f"恢复第 {number} 版"
        return self.save(layer, old.data, base=base, who=who, why=why, action=action, name=old.name)

    # ---- drafts ----------------------------------------------------------------------------------

    def drafts(self, layer: str) -> tuple[Version, ...]:
        """List what was refused because somebody else had saved, newest first; `parent` is what it was made from."""
        folder = self._folder(layer) / _DRAFTS
        names = [name for name in _names(folder) if _DRAFT.fullmatch(name)]
        return tuple(self._look_at(layer, folder / name, 0) for name in reversed(names))

    def read_draft(self, layer: str, name: str) -> Content:
        """Give a draft's content; raises as `read`."""
        return self._open(layer, self._draft(layer, name), 0)[1]

    def drop_draft(self, layer: str, name: str) -> None:
        """Remove a draft that is settled; nothing happens when there is none."""
        try:
            self._draft(layer, name).unlink(missing_ok=True)
        except OSError as error:
            raise WorkspaceError(f"未能删除草稿:{why_unwritten(error)}") from error

    def _draft(self, layer: str, name: str) -> Path:
        if not _DRAFT.fullmatch(name):
            raise UnknownKeyError(f"没有名为“{name}”的草稿")
        return self._folder(layer) / _DRAFTS / name

    # ---- files -----------------------------------------------------------------------------------

    def _folder(self, layer: str) -> Path:
        return self._root / _checked_key(layer)

    def _path(self, layer: str, number: int) -> Path:
        return self._folder(layer) / f"{number:06d}.zip"

    def _numbers(self, layer: str) -> list[int]:
        names = _names(self._folder(layer))
        return [int(match[1]) for name in names if (match := _VERSION.fullmatch(name))]

    def _after(self, layer: str, base: int, numbers: list[int]) -> list[Version]:
        """Look at the versions after `base`; one that only the moment keeps from being read stops the save."""
        found = []
        for number in sorted(number for number in numbers if number > base):
            try:
                found.append(self._load(layer, number)[0])
            except (DamagedError, UnknownKeyError):
                continue
        return found

    def _look(self, layer: str, number: int) -> Version:
        return self._look_at(layer, self._path(layer, number), number)

    def _look_at(self, layer: str, path: Path, number: int) -> Version:
        try:
            return self._open(layer, path, number)[0]
        except QjmapError as error:
            return Version(number, path.name, str(error))

    def _load(self, layer: str, number: int) -> tuple[Version, Content]:
        return self._open(layer, self._path(layer, number), number)

    def _open(self, layer: str, path: Path, number: int) -> tuple[Version, Content]:
        what = f"“{layer}”{f'第 {number} 版' if number else '的草稿'}({path.name})"
        try:
            sealed = path.read_bytes()
        except FileNotFoundError as error:
            raise UnknownKeyError(f"{what}不存在") from error
        except OSError as error:
            raise WorkspaceError(f"{what}现在读不出来:{why_unread(error)}") from error
        try:
            meta, data = _unpack(sealed)
            version = Version(file=path.name, **{key: meta[key] for key in _KEPT})
            if (meta["district"], meta["layer"], version.number) != (self.district, layer, number):
                raise ValueError("另一个版本的文件")
        except _UNFIT as error:
            raise DamagedError(f"{what}已损坏:内容与保存时的校验值不符") from error
        which = f"第 {number} 版" if number else "草稿"
        told = f"{which},{version.when[:10]}保存"
        return version, Content(f"工作区 {layer} {which}", data, version.name, told)

    def _put(self, path: Path, layer: str, data: bytes, about: Mapping[str, Any]) -> None:
        meta = {
            "district": self.district,
            "layer": layer,
            "when": self._clock().isoformat(timespec="seconds"),
            "sha256": hashlib.sha256(data).hexdigest(),
            **about,
        }
        try:
            put_new(path, _pack(meta, data))
        except FileExistsError:
            raise
        except OSError as error:
            raise WorkspaceError(
                f"未能保存“{layer}”:{why_unwritten(error)}。原有各版本未受影响,请处理后重试"
            ) from error

    def _conflict(
        self, layer: str, data: bytes, base: int, about: dict[str, Any], between: tuple[Version, ...]
    ) -> ConflictError:
        stamp = f"{self._clock():%Y%m%d-%H%M%S}-{uuid4().hex[:8]}.zip"
        told = ";".join(
            f"{one.who} 于 {one.when[:16].replace('T', ' ')} 保存了第 {one.number} 版({one.why})"
            for one in between[-5:]
        )
        try:
            self._put(
                self._folder(layer) / _DRAFTS / stamp, layer, data, about | {"number": 0, "parent": base}
            )
            kept = "你的内容未丢失,已存为草稿(在“数据管理”的“版本”里)"
        except WorkspaceError as error:
            stamp, kept = "", f"草稿也未能保存({error}),请先把你的内容下载到本机"
        return ConflictError(f"未保存:你打开之后,{told}。{kept};请在最新版本上重新改动", between, stamp)


_UNFIT = (
    *(ValueError, KeyError, TypeError, AttributeError, EOFError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)
"""What reading a file raises that is no version at all."""

_KEPT = (
    *("number", "parent", "when", "who", "why", "action"),
    *("rows", "columns", "sha256", "name"),
)
"""What stands in `meta.json` besides district and layer."""


def _names(folder: Path) -> list[str]:
    """List what is in a folder of the workspace; nothing when there is none."""
    try:
        return sorted(one.name for one in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise WorkspaceError(f"读不到工作区的文件夹 {folder.name}:{why_unread(error)}") from error


def _checked_key(key: str) -> str:
    """Let no key leave its folder."""
    if not _KEY.fullmatch(key):
        raise UnknownKeyError(f"“{key}”不是图层或区县的编号")
    return key


def _pack(meta: Mapping[str, Any], data: bytes) -> bytes:
    """Make a version's file: a zip that any tool opens, the same for the same content, sealed by its last bytes."""
    stream = io.BytesIO()
    text = json.dumps(meta, ensure_ascii=False, indent=1, sort_keys=True).encode("utf-8", "replace")
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in ((_META, text), (str(meta["name"]), data)):
            info = zipfile.ZipInfo(name)
            info.create_system = 3  # else Windows would make other bytes
            archive.writestr(info, content, zipfile.ZIP_DEFLATED, 6)
        archive.comment = _SEAL + b"0" * _HASH
    body = stream.getvalue()[:-_HASH]
    return body + hashlib.sha256(body).hexdigest().encode()


def _unpack(sealed: bytes) -> tuple[dict[str, Any], bytes]:
    body, seal = sealed[:-_HASH], sealed[-_HASH:]
    if not body.endswith(_SEAL) or hashlib.sha256(body).hexdigest().encode() != seal:
        raise ValueError("校验值不符")
    with zipfile.ZipFile(io.BytesIO(sealed)) as archive:
        meta = json.loads(archive.read(_META))
        if meta["name"] not in (CSV, GEOJSON):
            raise ValueError(meta["name"])
        data = archive.read(meta["name"])
    if hashlib.sha256(data).hexdigest() != meta["sha256"]:
        raise ValueError("内容与说明不符")
    return meta, data
