"""Files that a killed process or a full disk cannot leave half written, and a lock between processes."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

TEMPORARY = ".tmp"
STALE_S = 3600.0
"""A temporary file older than this belongs to a process that was killed."""

_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
_NO_SYNC = {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP}
_WORDS = {
    errno.ENOSPC: "磁盘已满,请腾出空间",
    errno.EDQUOT: "超出磁盘配额,请腾出空间或提高配额",
    errno.EFBIG: "文件超出系统允许的大小",
    errno.EROFS: "磁盘是只读的",
    errno.EACCES: "没有写入权限",
    errno.EPERM: "没有写入权限",
    errno.EIO: "磁盘读写出错,请检查磁盘",
    errno.ENOTDIR: "同名的文件占了文件夹的位置",
}


def why_unwritten(error: OSError) -> str:
    """Say in Chinese why a file could not be written: the system's own words are English."""
    return _WORDS.get(error.errno or 0, f"写入失败(系统错误 {error.errno})")


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, for this user only; lasting, also when the power fails."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def put_new(target: Path, data: bytes) -> None:
    """Write a file that must not be there yet: whole or not at all, and one of several writers only.

    Raises
    ------
    FileExistsError
        There is such a file already, perhaps since a moment.
    OSError
        The file could not be written; nothing is left behind.
    """
    make_folder(target.parent)
    temporary = _temporary(target.parent)
    try:
        _write(temporary, data)
        _claim(temporary, target)
    finally:
        _drop(temporary)
    _sync_folder(target.parent)


def replace(target: Path, data: bytes) -> None:
    """Write a file in place of the one there may be: a reader sees the old one or the new one, whole."""
    make_folder(target.parent)
    temporary = _temporary(target.parent)
    try:
        _write(temporary, data)
        temporary.replace(target)
    finally:
        _drop(temporary)
    _sync_folder(target.parent)


def sweep(folder: Path) -> None:
    """Drop what killed processes left in a folder more than an hour ago."""
    oldest = time.time() - STALE_S
    for path in folder.glob(f".*{TEMPORARY}"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that no other process or thread can hold; a killed process gives it back."""
    make_folder(path.parent)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)  # the system unlocks


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        while True:
            try:
                msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # tries for ten seconds
            except OSError as error:
                if error.errno not in (errno.EDEADLK, errno.EACCES):
                    raise
            else:
                return

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)


def write_all(handle: int, data: bytes) -> None:
    """Write every byte: the system may take only some at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _temporary(folder: Path) -> Path:
    return folder / f".{uuid.uuid4().hex}{TEMPORARY}"


def _write(path: Path, data: bytes) -> None:
    binary = getattr(os, "O_BINARY", 0)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o600)
    try:
        write_all(handle, data)
        os.fsync(handle)  # before the name: a name must never stand for what is not on the disk yet
    finally:
        os.close(handle)


def _claim(temporary: Path, target: Path) -> None:
    """Give a written file its name in one step, which fails when the name is taken."""
    try:
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without hard links (exFAT, some network drives): one at a time, then.
        with locked(target.parent / ".lock"):
            if target.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
            temporary.rename(target)


def _drop(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make names last: without this a power cut may undo them. Windows has no such call."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(handle)
