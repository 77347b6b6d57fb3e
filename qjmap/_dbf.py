"""The dBASE table of a Shapefile's properties: in which encoding its texts are, and half characters left out of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from qjmap import _limits

_LOOKED_AT = 20_000  # texts, for their encoding


def encoding_of(said: bytes, table: bytes) -> str:
    """Tell the encoding of a table of properties: Chinese of the .cpg is believed; else the texts themselves tell."""
    word = said.decode("ascii", "replace").strip().upper().replace("-", "")
    if word in ("936", "CP936", "GBK", "GB2312", "GB18030", "ANSI 936", "54936"):
        return "GB18030"
    cells = [table[cell].split(b"\0")[0].rstrip() for cell in islice(_cells(table), _LOOKED_AT)]
    told = [one for one in cells or [table] if not one.isascii()]
    # Chinese written in GBK is hardly ever right UTF-8 by chance, while the reverse often passes for Chinese.
    return "UTF-8" if 2 * sum(map(_is_utf8, told)) >= len(told) else "GB18030"


def _is_utf8(text: bytes) -> bool:
    """Tell whether a text can be UTF-8 that a field of fixed width cut off."""
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and error.end == len(text)
    return True


@dataclass(frozen=True)
class _Field:
    at: int  # of its description in the head of the table
    kind: bytes
    offset: int  # within a row
    size: int


def _fields(table: bytes) -> tuple[list[_Field], range]:
    """Read the head of a dBASE table: its fields, and where its rows begin; nothing where it lies about itself."""
    start, width = (int.from_bytes(table[at : at + 2], "little") for at in (8, 10))
    end, offset, found = table.find(b"\r", 32), 1, list[_Field]()
    for at in range(32, end - 31, 32):
        found.append(_Field(at, table[at + 11 : at + 12], offset, table[at + 16]))
        offset += table[at + 16]
    rows = range(start, len(table) - width + 1, max(width, 1))
    if end > start or offset != width or len(rows) > _limits.ROWS or len(rows) * len(found) > _limits.CELLS:
        return [], range(0)  # GDAL tells, or the limits
    return found, rows


def _cells(table: bytes) -> Iterator[slice]:
    """Give where the names and the texts of a table stand."""
    fields, rows = _fields(table)
    texts = [one for one in fields if one.kind == b"C"]
    yield from (slice(one.at, one.at + 11) for one in fields)
    yield from (slice(row + one.offset, row + one.offset + one.size) for row in rows for one in texts)


def whole_letters(table: bytes, encoding: str) -> tuple[bytes, tuple[str, ...]]:
    """Drop half characters from a table of properties: names end after ten bytes, texts where their field does.

    In UTF-8 that is after three characters and a third of the fourth; the child process could not read such a name.

    Returns
    -------
    bytes, tuple of str
        The table; and a note of the names that were cut, for what they say may be gone.
    """
    fields, rows = _fields(table)
    whole, taken, cut = bytearray(table), set[bytes](), list[str]()
    for one in fields:
        raw = table[one.at : one.at + 11].split(b"\0")[0]
        own = name = raw.decode(encoding, "ignore")
        number = 1
        while name.encode(encoding) in taken:  # what told them apart was cut off
            number += 1
            tail = f"_{number}"
            name = own.encode(encoding)[: 10 - len(tail)].decode(encoding, "ignore") + tail
        taken.add(name.encode(encoding))
        if name.encode(encoding) != raw:
            cut.append(name)
            whole[one.at : one.at + 11] = name.encode(encoding).ljust(11, b"\0")
    try:
        table[rows.start :].decode(encoding)
    except UnicodeDecodeError:
        for cell in islice(_cells(table), len(fields), None):
            letters = table[cell].decode(encoding, "ignore").encode(encoding)
            whole[cell] = letters.ljust(cell.stop - cell.start)[: cell.stop - cell.start]
    said = f"Shapefile 的属性名最长 10 个字节,下列只剩前几个字,请核对:{'、'.join(cut[:12])}"
    return bytes(whole), (said,) if cut else ()
