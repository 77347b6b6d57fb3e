"""Old Excel workbooks (.xls) in: sheets as rows of text, by xlrd; nothing in a workbook is ever run."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice

import xlrd

from qjmap import _limits
from qjmap._excel import RANGES, RESAVE, Sheet, iso, macros, number_text, with_zeros, zeros
from qjmap._grid import Row, Span
from qjmap.errors import DataError

_FORMATTED = 20_000_000  # bytes of an .xls up to which its formats are read: each styled blank is a cell then


def sheets_xls(
    file: str, content: bytes, progress: Callable[[float], None] = _limits.silent
) -> Iterator[Sheet]:
    """Yield the sheets of an .xls workbook; `progress` is told, from 0 to 1, how many have been read.

    Raises
    ------
    DataError
        Macros, a password, or a file that cannot be read.
    """
    if "_VBA_PROJECT".encode("utf-16-le") in content:
        raise macros(file)
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise _limits.refusal(file, "有密码的工作簿", "没有密码的文件", "请去掉打开密码后再上传")
    try:
        formats = _formats_xls(content)
        book = _open_xls(content, formatted=False)
        for n, title in enumerate(book.sheet_names()):
            sheet = book.sheet_by_index(n)
            merged, veiled, shown = formats[n] if n < len(formats) else ([], [], {})
            yield Sheet(
                title,
                _rows_xls(sheet, book.datemode, shown),
                merged=merged,
                hidden=bool(sheet.visibility),
                veiled=veiled,
                spans=partial(_above, merged),
            )
            book.unload_sheet(n)
            progress((n + 1) / book.nsheets)
    except DataError:
        raise
    except Exception as error:  # whatever stands in a broken file, xlrd has an exception for it
        locked = "encrypted" in str(error)
        found = "有密码的工作簿" if locked else "无法解析的 .xls 文件"
        advice = "请去掉打开密码后再上传" if locked else RESAVE
        raise _limits.refusal(file, found, "可以打开的 Excel 工作簿", advice) from error


def _above(merged: list[Span], last: int) -> list[Span]:
    """Give the merged cells that begin no lower than a row."""
    return [one for one in merged if one[0] <= last]


def _open_xls(content: bytes, *, formatted: bool) -> xlrd.book.Book:
    return xlrd.open_workbook(
        file_contents=content,
        on_demand=True,
        ragged_rows=True,
        formatting_info=formatted,
        logfile=io.StringIO(),
    )


_Formats = tuple[list[tuple[int, int, int, int]], list[int], dict[tuple[int, int], tuple[str, ...]]]


def _formats_xls(content: bytes) -> list[_Formats]:
    """List each sheet's merged cells, hidden rows and cells with leading zeros: xlrd tells them only with all formats.

    Of a workbook whose formats are broken or too many, none.
    """
    if len(content) > _FORMATTED:
        return []
    try:
        book = _open_xls(content, formatted=True)
        return [
            (
                [
                    (top + 1, bottom, left, right - 1)
                    for top, bottom, left, right in sheet.merged_cells[:RANGES]
                ],
                [n + 1 for n, row in sheet.rowinfo_map.items() if row.hidden],
                _zeros_xls(book, sheet),
            )
            for sheet in book.sheets()
        ]
    except Exception:  # xlrd has many kinds; the cells are read without formats anyhow
        return []


def _zeros_xls(book: xlrd.book.Book, sheet: xlrd.sheet.Sheet) -> dict[tuple[int, int], tuple[str, ...]]:
    formats = {n: zeros(book.format_map[one.format_key].format_str) for n, one in enumerate(book.xf_list)}
    if not any(formats.values()):
        return {}
    return {
        (row, place): letters
        for row in range(sheet.nrows)
        for place, cell in enumerate(sheet.row(row))
        if cell.ctype == xlrd.XL_CELL_NUMBER and (letters := formats.get(cell.xf_index, ()))
    }


def _rows_xls(
    sheet: xlrd.sheet.Sheet, datemode: int, shown: Mapping[tuple[int, int], tuple[str, ...]]
) -> Iterator[Row]:
    for n in range(sheet.nrows):
        cells = sheet.row(n)
        yield (
            n + 1,
            {
                place: text
                for place, cell in enumerate(islice(cells, _limits.COLUMNS))
                if (text := _cell_xls(cell, datemode, shown.get((n, place), ())))
            },
        )


def _cell_xls(cell: xlrd.sheet.Cell, datemode: int, shown: tuple[str, ...]) -> str:
    if cell.ctype == xlrd.XL_CELL_TEXT:
        return str(cell.value)
    if cell.ctype == xlrd.XL_CELL_NUMBER:
        return with_zeros(number_text(repr(cell.value)), shown) if shown else number_text(repr(cell.value))
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return iso(xlrd.xldate_as_datetime(cell.value, datemode))
        except (ValueError, OverflowError):
            return number_text(repr(cell.value))
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return "是" if cell.value else "否"
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, "#N/A"))
    return ""
