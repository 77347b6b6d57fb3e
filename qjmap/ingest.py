"""Files in: text as it stands, with the row numbers a spreadsheet shows, or the file's faults.

`read_csv` reads the project's own registers, which are strict; `read` takes what people have: Excel, CSV and vector
files, within limits (`qjmap._limits`), told apart by their content and not by their name.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from qjmap import _limits
from qjmap.errors import DataError, Problem, why_unread

if TYPE_CHECKING:
    import geopandas as gpd

    from qjmap._excel import Sheet
    from qjmap._grid import Grid, Row

_TELL_EVERY = 5000  # rows
_BLOCK = 8192  # rows
SHEET_ROWS = 1_000_000_000
"""What parts the rows of sheets read together: more than a sheet can have."""

_DELIMITERS = (",", "\t", ";", "|")
_LOOK_AT, _LINE = 30, 1 << 16  # lines, and characters of each, that tell what stands between the cells
_WKT = ("POLYGON", "MULTIPOLYGON", "LINESTRING", "MULTILINESTRING", "SRID=")

# Python's own limit, 131,072, is less than the outline of a reservoir may take in a register.
csv.field_size_limit(_limits.SHAPE_CELL)

_QUOTES = "请检查引号是否成对、单元格是否过长"
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
        one row). Of sheets read together `SHEET_ROWS` is added for each sheet before its own, so that no two rows have
        the same number; `place` tells them as a person knows them.
    sheets
        The name of each sheet that was read together with others, and the file as its faults are told; else none.
    """

    file: str
    frame: pd.DataFrame
    rows: Sequence[int]
    sheets: tuple[tuple[str, str], ...] = ()

    def place(self, row: int) -> tuple[str, int]:
        """Give a row's sheet, blank of a single one, and its number there."""
        sheet, number = divmod(row, SHEET_ROWS)
        return (self.sheets[sheet][0], number) if self.sheets else ("", row)

    def where(self, row: int) -> str:
        """Say where a row stands: 第 3 行, or 工作表“东溪镇”第 3 行."""
        sheet, number = self.place(row)
        return f"工作表“{sheet}”第 {number} 行" if sheet else f"第 {number} 行"

    def told(self, problem: Problem) -> Problem:
        """Tell a problem of a row by its own sheet, and the number that the row has there."""
        if not self.sheets or problem.row is None:
            return problem
        sheet, number = divmod(problem.row, SHEET_ROWS)
        return replace(problem, file=self.sheets[sheet][1], row=number)

    def row_of(self, problem: Problem) -> int | None:
        """Give the row of a problem that was `told`, as this table numbers it."""
        if not self.sheets or problem.row is None:
            return problem.row
        return [file for _, file in self.sheets].index(problem.file) * SHEET_ROWS + problem.row


@dataclass(frozen=True, eq=False)
class Source:
    """One table of somebody's file: a sheet of a workbook, a layer of a vector file.

    Parameters
    ----------
    name
        The sheet or layer.
    table
        Its cells as text. Of a vector file the properties; a row's number is the feature's, counted from 1.
    format
        ``xlsx``, ``xls``, ``csv``, ``geojson``, ``shp``, ``gpkg`` or ``kml``.
    geometry
        The shapes in the file's own coordinates, row by row as `table`; None of a file without shapes.
    crs
        What the file says of its coordinates (``EPSG:4490``, WKT); None when it says nothing.
    notes
        What a person should know about how it was read, in Chinese.
    problems
        Rows that cannot be right as they stand.
    header_row
        The header's row in the file; of several the first.
    header_rows
        How many rows the names of the columns take.
    merged
        Blocks of merged cells below the header: column, first and last row. Only the first cell holds the value.
    hidden
        Whether the sheet is hidden in the workbook.
    above
        The texts that stand above the columns' names: a title, who filled it in, what its coordinates are.
    veiled
        The rows of its table that Excel does not show.
    parts
        The sheets that were read together (`qjmap.sheets`); of a single one none.
    folders
        The column that says in which folder of a KML a row's feature stands, the outermost first; blank when none does.
    unsaved
        Columns in which formulas stand without a result, and how many: their cells are blank.
    places
        Where in the file each column stands, from 0; none of vector files.
    """

    name: str
    table: RawTable
    format: str
    geometry: gpd.GeoSeries | None = None
    crs: str | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    header_row: int = 1
    merged: tuple[tuple[str, int, int], ...] = ()
    hidden: bool = False
    above: tuple[str, ...] = ()
    veiled: tuple[int, ...] = ()
    parts: tuple[Source, ...] = ()
    folders: str = ""
    unsaved: tuple[tuple[str, int], ...] = ()
    header_rows: int = 1
    places: tuple[int, ...] = ()


FORMATS = (".xlsx", ".xls", ".csv", ".geojson", ".zip", ".gpkg", ".kml", ".kmz")
"""Suffixes of the files that `read` takes (.zip: a Shapefile)."""


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
            if max(map(len, cells), default=0) > _limits.CELL and not all(map(_bearable, cells)):
                expected = f"不多于 {_limits.CELL:,} 个字符的单元格"
                raise DataError([Problem(file, number, None, "单元格过长", expected, _QUOTES)])
            if any(cells) and not all(cell.isspace() or not cell for cell in cells):
                yield number, cells
    except csv.Error as error:
        raise DataError(
            [Problem(file, number + 1, None, "无法解析", "合乎 CSV 格式的一行", _QUOTES)]
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
    blocks: list[pa.Table] = []
    for number, record in records:
        if len(cells) == _BLOCK:
            blocks.append(_block(cells, header))
            cells = []
        if len(record) != len(header):
            expected = f"{len(header)} 个单元格"
            advice = "单元格内有逗号时须加英文双引号"
            problems.append(Problem(file, number, None, f"{len(record)} 个单元格", expected, advice))
        else:
            rows.append(number)
            cells.append(record)
    if problems:
        raise DataError(problems)
    blocks.append(_block(cells, header))
    frame = pa.concat_tables(blocks).combine_chunks().to_pandas()
    return RawTable(file, frame.astype("str"), tuple(rows))


def _block(cells: list[list[str]], header: list[str]) -> pa.Table:
    """Make some rows a table: all rows at once as Python's texts would take ten times the room."""
    columns = zip(*cells, strict=True) if cells else [()] * len(header)
    return pa.table([_text(column) for column in columns], names=header)


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


# ---- what people have -----------------------------------------------------------------------------


def read(
    name: str,
    content: bytes,
    header_row: int | None = None,
    progress: Callable[[float], None] = _limits.silent,
) -> tuple[Source, ...]:
    """Read somebody's file: every sheet or layer that holds anything.

    Parameters
    ----------
    name
        The file's name, for faults and for notes; what the file is, its content says.
    content
        Its bytes.
    header_row
        The row of the column names, when a person has said it; else it is looked for in each sheet.
    progress
        Told how much of the file has been read, from 0 to 1; never of a GeoPackage, GeoJSON or KML, read in one piece.

    Returns
    -------
    tuple of Source
        At least one. Formulas give the value that was saved with them; macros are refused.

    Raises
    ------
    DataError
        The file is none of those that are read, is damaged, hostile, or larger than the limits.
    """
    name = clean_name(name)
    _limits.check_size(name, content)
    kind, archive = _kind(name, content)
    notes = _suffix_note(name, kind)
    if archive is not None:
        archive.progress = progress
    if kind in ("xlsx", "xls"):
        found = _read_excel(name, content, archive, header_row, progress)
    elif kind == "csv":
        found = _read_table(name, content, header_row, progress)
    else:
        from qjmap._vector import read_vector  # geopandas takes a second to import

        found = read_vector(name, content, kind, archive)
    _limits.give_back()
    if not found:
        raise _limits.refusal(name, "没有内容", "至少一张有列名和内容的表")
    return tuple(replace(one, notes=(*notes, *one.notes)) for one in found) if notes else found


def clean_name(name: str) -> str:
    """Give a file's bare name, without folders and characters that only hide something."""
    bare = PurePosixPath(name.replace("\\", "/")).name
    bare = "".join(letter for letter in bare if letter.isprintable())
    return bare[-120:] or "未命名文件"


def _kind(name: str, content: bytes) -> tuple[str, _limits.Archive | None]:
    """Tell by its content what a file is."""
    suffix = Path(name).suffix.lower()
    if content[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        archive = _limits.Archive(name, content)
        return _kind_of_archive(archive), archive
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return "xls", None
    if content[:16] == b"SQLite format 3\x00":
        return "gpkg", None
    start = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"<":
        if b"<kml" in start.lower() or suffix == ".kml":
            return "kml", None
        found = "网页" if b"<html" in start.lower() or b"<table" in start.lower() else "XML 文件"
        raise _limits.refusal(name, f"内容是{found}", _accepted(), "请用表格软件打开,另存为 .xlsx 后再上传")
    if start[:1] == b"{" or suffix in (".geojson", ".json"):
        return "geojson", None
    if suffix in (".csv", ".txt", ".tsv") or (suffix in (".xls", ".xlsx") and _is_text(content[:4096])):
        return "csv", None  # many office systems write text and call it .xls
    known = {one for many in _SUFFIXES.values() for one in many}
    found = f"{suffix} 文件" if suffix and suffix not in known else "不认识的内容"
    advice = {
        ".shp": "请把 .shp、.shx、.dbf、.prj、.cpg 一起压缩成 .zip 后再上传",
        ".et": "请在 WPS 中另存为 .xlsx 后再上传",
    }.get(suffix, "请转换为上述格式后再上传")
    raise _limits.refusal(name, found, _accepted(), advice)


def _is_text(start: bytes) -> bool:
    """Tell whether a file begins like lines of text with separators."""
    first = start.partition(b"\n")[0]
    return not re.search(rb"[\x00-\x08\x0e-\x1f]", start) and (b"\t" in first or b"," in first)


def _kind_of_archive(archive: _limits.Archive) -> str:
    lower = [name.lower() for name in archive.names]
    if any(name.endswith(("vbaproject.bin", "xl/workbook.xml", "xl/workbook.bin")) for name in lower):
        return "xlsx"
    if any(name.endswith(".shp") for name in lower):
        return "shp"
    if any(name.endswith(".kml") for name in lower):
        return "kml"
    found = "压缩包内没有可读的内容"
    advice = "压缩包内应有一个 Shapefile(.shp、.shx、.dbf 等);其他文件请不要压缩,直接上传"
    if any(name.startswith(("word/", "ppt/")) for name in lower):
        found, advice = "Word 或 PowerPoint 文件", "请把表格复制到 Excel 中,存为 .xlsx 后再上传"
    raise _limits.refusal(archive.file, found, _accepted(), advice)


def _accepted() -> str:
    return f"下列格式之一:{'、'.join(FORMATS)}(.zip 为 Shapefile)"


_SUFFIXES = {
    "xlsx": (".xlsx",),
    "xls": (".xls",),
    "csv": (".csv", ".txt", ".tsv"),
    "geojson": (".geojson", ".json"),
    "shp": (".zip",),
    "gpkg": (".gpkg",),
    "kml": (".kml", ".kmz"),
}


def _suffix_note(name: str, kind: str) -> tuple[str, ...]:
    suffix = Path(name).suffix.lower()
    if suffix in _SUFFIXES[kind]:
        return ()
    return (f"文件名以“{suffix or '(无扩展名)'}”结尾,内容却是 {_SUFFIXES[kind][0]},已按内容读取",)


def _read_excel(
    name: str,
    content: bytes,
    archive: _limits.Archive | None,
    header_row: int | None,
    progress: Callable[[float], None],
) -> tuple[Source, ...]:
    from qjmap._excel import sheets_xlsx
    from qjmap._grid import Spent, gather
    from qjmap._xls import sheets_xls

    kind = "xls" if archive is None else "xlsx"
    sheets = sheets_xls(name, content, progress) if archive is None else sheets_xlsx(archive)
    spent = Spent()
    grids = [
        (sheet, gather(sheet.rows, sheet_file(name, sheet.name), header_row, spent=spent, spans=sheet.spans))
        for sheet in sheets
    ]
    return tuple(_sheet(name, kind, sheet, grid) for sheet, grid in grids if grid is not None)


def sheet_file(file: str, sheet: str) -> str:
    """Give the name by which faults of a workbook's sheet are told."""
    return f"{file} 工作表“{sheet}”"


def _sheet(name: str, kind: str, sheet: Sheet, grid: Grid) -> Source:
    names = dict(zip(grid.places, grid.names, strict=True))
    merged = tuple(
        (names[place], top, bottom)
        for top, bottom, place, last in sheet.merged
        if bottom > top >= grid.header_row + grid.header_rows and place == last and place in names
    )
    notes = list(grid.notes)
    if sheet.formulas:
        notes.append(f"有 {sheet.formulas} 个公式单元格:取保存时算好的结果,公式本身不读入")
    if sheet.blank_formulas:
        notes.append(f"其中 {sheet.blank_formulas} 个公式没有保存结果,按空白读入;请在 Excel 中打开并保存一次")
    if sheet.hidden:
        notes.append("这张工作表在 Excel 中是隐藏的")
    return Source(
        sheet.name,
        RawTable(sheet_file(name, sheet.name), grid.frame, grid.rows),
        kind,
        notes=tuple(notes),
        problems=grid.problems,
        header_row=grid.header_row,
        header_rows=grid.header_rows,
        places=grid.places,
        merged=merged,
        hidden=sheet.hidden,
        above=grid.above,
        veiled=tuple(sorted(set(sheet.veiled) & set(grid.rows))) if sheet.veiled else (),
        unsaved=tuple((names[place], count) for place, count in sheet.unsaved.items() if place in names),
    )


def _read_table(
    name: str, content: bytes, header_row: int | None, progress: Callable[[float], None]
) -> tuple[Source, ...]:
    from qjmap._grid import gather

    encoding = _encoding(name, content)
    raw = io.BytesIO(content)
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
    rows = _csv_rows(stream, name, lambda: progress(raw.tell() / len(content)))
    grid = gather(rows, name, header_row, strict=True)
    if grid is None:
        return ()
    notes = grid.notes if encoding.startswith("utf") else (f"文字编码是 {encoding.upper()}", *grid.notes)
    table = RawTable(name, grid.frame, grid.rows)
    return (
        Source(
            Path(name).stem,
            table,
            "csv",
            notes=notes,
            problems=grid.problems,
            header_row=grid.header_row,
            header_rows=grid.header_rows,
            places=grid.places,
            above=grid.above,
        ),
    )


def _encoding(name: str, content: bytes) -> str:
    """Tell UTF-8 from GB18030 by trying; of neither, tell the byte and the row where it breaks."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif b"\x00" in content:
        line = content[: content.index(b"\x00")].count(b"\n") + 1
        raise _limits.refusal(name, "NUL 字节", "纯文本的 CSV 文件", _RESAVE, line)
    else:
        encoding = "utf-8-sig"
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        try:
            content.decode("gb18030")
        except UnicodeDecodeError as other:
            last = max(error.start, other.start)
            line = content[:last].count(b"\n") + 1
            found = f"第 {last + 1} 个字节(0x{content[last]:02X})既不是 UTF-8 也不是 GB18030"
            raise _limits.refusal(name, found, "UTF-8 或 GB18030(GBK)编码的 CSV", _RESAVE, line) from other
        return "gb18030"
    return encoding


def _delimiter(stream: io.TextIOWrapper) -> str:
    """Tell what stands between the cells: what parts most of the first lines into the most cells, always as many.

    One line does not tell: a title may stand above the names of the columns, and these may stand in quotes.
    """
    lines = [stream.readline(_LINE) for _ in range(_LOOK_AT)]
    stream.seek(0)

    def parted(delimiter: str) -> int:
        widths = Counter[int]()
        with contextlib.suppress(csv.Error):
            widths.update(map(len, csv.reader(lines, delimiter=delimiter)))
        return max((times * (width - 1) for width, times in widths.items()), default=0)

    return max(_DELIMITERS, key=parted)


def _csv_rows(stream: io.TextIOWrapper, name: str, tell: Callable[[], None]) -> Iterator[Row]:
    delimiter = _delimiter(stream)
    clock, fed, number = _limits.Clock(name), 0, 0

    def lines() -> Iterator[str]:
        nonlocal fed
        while line := stream.readline(_limits.RECORD):
            fed += len(line)
            if fed >= _limits.RECORD:  # the reader makes an object of every comma, before anybody can count
                raise _limits.refusal(
                    name, "一行过长", "正常大小的表", "请检查引号是否成对、是否有多余的逗号", number + 1
                )
            yield line

    reader = csv.reader(lines(), delimiter=delimiter)
    try:
        for number, cells in enumerate(reader, 1):
            fed = 0
            if number % _TELL_EVERY == 0:
                tell()
                clock.check()
                if number > _limits.LINES:
                    raise _limits.refusal(
                        name, f"超过 {_limits.LINES:,} 行(含空行)", "正常大小的表", "请删去表外的空行"
                    )
            if len(cells) > _limits.COLUMNS and any(cells[_limits.COLUMNS :]):
                expected = f"不多于 {_limits.COLUMNS} 列的表"
                raise _limits.refusal(name, f"{len(cells)} 列", expected, "请删去不用的列", number)
            if max(map(len, cells), default=0) > _limits.CELL and not all(map(_bearable, cells)):
                raise _limits.refusal(
                    name, "单元格过长", f"不多于 {_limits.CELL:,} 个字符的单元格", "", number
                )
            yield number, {place: cell for place, cell in enumerate(cells[: _limits.COLUMNS]) if cell}
    except csv.Error as error:
        advice = "请检查引号是否成对;单元格不得长于 32,767 个字符"
        raise _limits.refusal(name, "无法解析", "合乎 CSV 格式的一行", advice, number + 1) from error


def _bearable(cell: str) -> bool:
    """Say whether a cell is short enough; a line or an area written as text (WKT) may be longer than any word."""
    return len(cell) <= _limits.CELL or cell[:40].lstrip().upper().startswith(_WKT)
