"""One CSV file in: text as it stands, with the row numbers a spreadsheet shows, or the file's faults."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from qjmap.errors import DataError, Problem, why_unread

_RESAVE = "请用表格软件另存为“CSV UTF-8(逗号分隔)”"


@dataclass(frozen=True)
class RawTable:
    """A file's cells as text.

    Parameters
    ----------
    file
        The file as a person knows it, relative to the project.
    frame
        One row per record, `str` columns; a blank cell is missing. White space round a cell is dropped,
        wholly blank rows are left out.
    rows
        For each row of `frame` its number in a spreadsheet (the header is row 1; a cell with line breaks is
        one row).
    """

    file: str
    frame: pd.DataFrame
    rows: tuple[int, ...]


def relative(path: Path, root: Path) -> str:
    """Name a file as a person knows it: relative to the project, with forward slashes."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.name


def _decode(data: bytes, file: str) -> str:
    if b"\x00" in data:
        # UTF-16, which Excel calls “Unicode 文本”, is full of NUL bytes: the remedy is the same.
        found = "UTF-16 编码" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "NUL 字节"
        line = data[: data.index(b"\x00")].count(b"\n") + 1
        raise DataError([Problem(file, line, None, found, "纯文本的 CSV 文件(UTF-8 编码)", _RESAVE)])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        try:
            data.decode("gb18030")
            found = "GBK/GB18030 编码"
        except UnicodeDecodeError:
            found = "无法识别的编码"
        raise DataError([Problem(file, line, None, found, "UTF-8 编码", _RESAVE)]) from error


def _records(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank with its number in a spreadsheet."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            if any(cells) and not all(cell.isspace() or not cell for cell in cells):
                yield number, cells
    except csv.Error as error:
        advice = "请检查引号是否成对、单元格是否过长"
        raise DataError(
            [Problem(file, number + 1, None, "无法解析", "合乎 CSV 格式的一行", advice)]
        ) from error


def _header_problems(header: list[str], file: str, row: int) -> list[Problem]:
    problems = [
        Problem(file, row, name, name, "互不相同的列名", f"该列名出现了 {times} 次")
        for name, times in Counter(header).items()
        if name and times > 1
    ]
    problems += [
        Problem(file, row, None, f"第 {place} 列无列名", "每列都有列名")
        for place, name in enumerate(header, 1)
        if not name
    ]
    return problems


def parse_csv(data: bytes, file: str) -> RawTable:
    """Read the bytes of a CSV file.

    Parameters
    ----------
    data
        The file's bytes: UTF-8, with or without a byte order mark.
    file
        The name to tell faults by.

    Raises
    ------
    DataError
        Wrong encoding, NUL bytes, no header, duplicate or blank headers, or rows that are not as wide as the
        header (all such rows at once).
    """
    records = _records(_decode(data, file), file)
    first = next(records, None)
    if first is None:
        raise DataError([Problem(file, None, None, "空文件", "第一行为列名的 CSV 文件")])
    header = [name.strip() for name in first[1]]
    problems = _header_problems(header, file, first[0])
    rows: list[int] = []
    cells: list[list[str]] = []
    for number, record in records:
        if len(record) != len(header):
            expected = f"{len(header)} 个单元格"
            advice = "单元格内有逗号时须加英文双引号"
            problems.append(Problem(file, number, None, f"{len(record)} 个单元格", expected, advice))
        else:
            rows.append(number)
            cells.append(record)
    if problems:
        raise DataError(problems)
    columns = zip(*cells, strict=True) if cells else [()] * len(header)
    frame = pa.table([_text(column) for column in columns], names=header).to_pandas()
    return RawTable(file, frame.astype("str"), tuple(rows))


def _text(cells: tuple[str, ...]) -> pa.Array:
    """Make one column: white space round the cells dropped, blanks missing."""
    column = pc.utf8_trim_whitespace(pa.array(cells, type=pa.large_string()))
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, type=pa.large_string()), column)


def read_csv(path: Path, root: Path) -> RawTable:
    """Read one CSV file.

    Parameters
    ----------
    path
        The file.
    root
        The project's folder, for the name by which faults are told.

    Raises
    ------
    DataError
        The file cannot be read; see `parse_csv`.
    """
    file = relative(path, root)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            [Problem(file, None, None, why_unread(error), "可以读取的文件", "请检查文件是否存在、是否被占用")]
        ) from error
    return parse_csv(data, file)
