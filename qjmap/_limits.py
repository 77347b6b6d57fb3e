"""How much of a stranger's file is read, and zip archives that cannot do harm."""

from __future__ import annotations

import contextlib
import ctypes
import io
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pyarrow as pa

from qjmap.errors import DataError, Problem

FILE_BYTES = 100_000_000
"""A file as it arrives."""

UNPACKED_BYTES = 500_000_000
"""All that comes out of an archive together, as counted while it comes out."""

RATIO = 200
"""How many times its own size an archive may unpack to …"""

RATIO_FROM = 20_000_000
"""… once more than this has come out: a small file of blanks packs better than that in all innocence."""

MEMBERS = 10_000
"""Files in an archive."""

ROWS, COLUMNS, CELL = 1_000_000, 300, 32_767
"""Rows (of all sheets of a workbook) and columns of a table, characters of a cell (the last is Excel's own limit)."""

SHAPE_CELL = 4_000_000
"""Characters of one line or area as text: a hundred thousand corners of 7 decimals, and some room."""

LINES = 5_000_000
"""Rows of a file with the blank ones, which cost time, too."""

CELLS = 30_000_000
"""Cells of one table, or of all sheets of a workbook: what a server of the office can hold."""

TEXT = 200_000_000
"""Bytes of text in the cells of a file: a workbook may name one long text in each of a million cells."""

NESTING, VERTICES = 64, 2_000_000
"""How deep JSON and XML may be nested; corners of all shapes of a file together."""

VALUES = 10_000_000
"""Values of a GeoJSON file, counted by their commas: each is an object while it is read."""

RECORD = SHAPE_CELL + COLUMNS * CELL
"""Characters of one row of a CSV."""

SHEETS, STYLES = 256, 100_000
"""Sheets and cell styles of a workbook (Excel itself knows 65,490 styles)."""

SECONDS = 120.0
"""How long a file is read: what is made to take hours is given up."""

_BLOCK = 1 << 18
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # LZMA takes as much memory as its first bytes ask for


def refusal(
    file: str, found: str | None, expected: str, advice: str = "", row: int | None = None
) -> DataError:
    """Make the error that refuses a whole file."""
    return DataError([Problem(file, row, None, found, expected, advice)])


def silent(_: float) -> None:
    """Hear how far it is, and do nothing."""


def give_back() -> None:
    """Return memory that was freed to the machine.

    glibc and Arrow keep what large columns took, as much again as a file's own text; elsewhere this does nothing.
    """
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def check_size(file: str, content: bytes) -> None:
    """Refuse a file that is too large, or empty.

    Raises
    ------
    DataError
        It is.
    """
    if len(content) > FILE_BYTES:
        raise refusal(
            file,
            f"{len(content) / 1e6:.0f} MB",
            f"不大于 {FILE_BYTES / 1e6:.0f} MB 的文件",
            "请按街镇或类别分成几个文件",
        )
    if not content.strip(b"\x00 \t\r\n"):
        raise refusal(file, "空文件", "有内容的文件")


class Clock:
    """Gives up a file that takes too long to read.

    Parameters
    ----------
    file
        The name to tell the fault by.
    """

    def __init__(self, file: str) -> None:
        self._file, self._until = file, time.monotonic() + SECONDS

    def check(self) -> None:
        """Raise DataError when the time is over."""
        if time.monotonic() > self._until:
            raise refusal(self._file, f"{SECONDS:g} 秒内读不完", "正常大小的文件", "请按街镇分成几个文件")


@dataclass
class Archive:
    """A zip archive read in memory, member by member, within limits that are counted as the bytes come out.

    Nothing is ever written to the disk under a name from the archive, so no name in it can lead anywhere. `progress` is
    told, from 0 to 1, how much of what the archive claims to hold has come out.
    """

    file: str
    content: bytes
    names: tuple[str, ...] = ()
    progress: Callable[[float], None] = silent
    _zip: zipfile.ZipFile = field(init=False, repr=False)
    _members: dict[str, zipfile.ZipInfo] = field(init=False, repr=False)
    _out: int = field(default=0, init=False)
    _clock: Clock = field(init=False, repr=False)
    _claimed: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._clock = Clock(self.file)
        # Counted before the directory is read: reading a million entries is the attack.
        if self.content.count(b"PK\x01\x02") > MEMBERS:
            raise refusal(self.file, f"压缩包内超过 {MEMBERS} 个文件", "正常的压缩包")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(self.content))
        except Exception as error:  # zipfile answers broken input with many kinds of exception
            raise self._broken() from error
        members = [one for one in self._zip.infolist() if not one.filename.endswith("/")]
        if not all(one.filename for one in members):
            raise self._broken()
        if any(one.compress_type not in _PACKINGS for one in members):
            raise refusal(self.file, "压缩方式不认识", "普通的 .zip 压缩包", "请用系统自带的压缩功能重新压缩")
        if any(one.flag_bits & 1 for one in members):
            raise refusal(self.file, "压缩包有密码", "没有密码的文件", "请去掉密码后再上传")
        self._members = {_name(one): one for one in members}
        if len(self._members) < len(members):
            raise refusal(self.file, "压缩包内有同名文件", "互不同名的文件")
        self.names = tuple(self._members)
        self._claimed = sum(one.file_size for one in members)

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield a member's bytes block by block.

        Raises
        ------
        DataError
            Too much comes out, or the archive is broken.
        """
        try:
            with self._zip.open(self._members[name]) as stream:
                while block := stream.read(_BLOCK):
                    self._count(len(block))
                    self._clock.check()
                    yield block
        except DataError:
            raise
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            OSError,
            ValueError,
            RuntimeError,
        ) as error:
            raise self._broken() from error

    def read(self, name: str) -> bytes:
        """Give a member's bytes; raises as `blocks` does."""
        return b"".join(self.blocks(name))

    def looked_through(self, name: str) -> Iterator[bytes]:
        """Yield a member's bytes block by block, before they are read and counted; raises as `blocks` does."""
        look = replace(self, progress=silent)
        yield from look.blocks(name)

    def _count(self, size: int) -> None:
        self._out += size
        self.progress(min(1.0, self._out / max(1, self._claimed)))
        if self._out > UNPACKED_BYTES or (
            self._out > RATIO_FROM and self._out > RATIO * max(1, len(self.content))
        ):
            raise refusal(
                self.file,
                f"解压后超过 {self._out / 1e6:.0f} MB",
                f"解压后不大于 {UNPACKED_BYTES / 1e6:.0f} MB、且不超过原文件 {RATIO} 倍的文件",
                "这样的文件可能是“压缩炸弹”,已停止读取",
            )

    def _broken(self) -> DataError:
        return refusal(self.file, "压缩包已损坏", "完好的文件", "请重新保存或重新下载后再上传")


def _name(member: zipfile.ZipInfo) -> str:
    """Give a member's name; Windows writes Chinese ones as GBK without saying so."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return member.filename
