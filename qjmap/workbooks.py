"""Workbooks that go round: an empty one for a layer, made from the registry; a filled one back with its faults."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from qjmap.checks import BY_TOWN
from qjmap.draft import EXAMPLE, Draft
from qjmap.errors import DataError, Problem
from qjmap.ingest import Source, read
from qjmap.layers import Column, LayerSpec, Registry
from qjmap.matching import ADDRESS
from qjmap.merging import CLEAR

ERRORS = "错误"
"""The column that a returned workbook has more than the one that came."""

HOW, CHOICES = "填写说明", "选项"
"""Sheets of a template besides the table itself."""

TEMPLATE_ROWS = 2000
"""Rows below the header that offer choices."""

_EXAMPLES = 3
_LEFT_OUT = ("source", "document", "clause")
_KEPT_CELLS = (
    400_000  # openpyxl holds half a kilobyte for each cell; a larger book is written afresh, undressed
)
_MOST_WORDS = 2000
_RED = PatternFill("solid", start_color="FFFFC7CE")
_HEAD = PatternFill("solid", start_color="FFDDE8F3")
_MUST = PatternFill("solid", start_color="FFFFE9B8")
_GREY = Font(italic=True, color="FF7A7A7A")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


# ---- the template ----------------------------------------------------------------------------------


def template(spec: LayerSpec, registry: Registry, towns: Sequence[str] = ()) -> bytes:
    """Make the empty workbook of a layer.

    Parameters
    ----------
    spec
        The layer or table.
    registry
        Where it comes from; the workbook names the other layers, so that nobody fills in the wrong one.
    towns
        The district's towns, offered as choices.

    Returns
    -------
    bytes
        An .xlsx file: the table (headers with notes, choices, three grey example rows whose 编号 begins with 示例,
        never kept), 填写说明 (each column in words), and the lists of choices.
    """
    columns = _columns(spec)
    book: Any = Workbook()
    sheet = book.active
    sheet.title = re.sub(r"[\[\]:*?/\\]", "", spec.label)[:31]
    lists = book.create_sheet(CHOICES)
    lists.sheet_state = "hidden"
    for place, column in enumerate(columns, 1):
        _head(sheet, place, column)
        for n in range(_EXAMPLES):
            cell = sheet.cell(n + 2, place, _example(column, n, spec, towns))
            cell.font = _GREY
            cell.number_format = "@" if column.type in ("text", "date") else "General"
        rule = _rule(lists, place, column, towns)
        if rule is not None:
            letter = get_column_letter(place)
            sheet.add_data_validation(rule)
            rule.add(f"{letter}2:{letter}{TEMPLATE_ROWS + 1}")
    sheet.freeze_panes = "A2"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"
    _explain(book.create_sheet(HOW, 1), spec, columns, registry, towns)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _columns(spec: LayerSpec) -> list[Column]:
    """Give the columns that people fill in; of points the address too, which places those without coordinates."""
    columns = [one for key, one in spec.columns.items() if not (spec.placed and key in _LEFT_OUT)]
    # how a place is known by its town alone is the program's to say
    columns = [
        replace(one, values=tuple(way for way in one.values if way not in BY_TOWN))
        if spec.placed and one.key == "position"
        else one
        for one in columns
    ]
    if spec.geometry == "point":
        at = next((n for n, one in enumerate(columns, 1) if one.key == "village"), len(columns))
        columns.insert(at, Column(ADDRESS, "地址", "text", note="没有经纬度时,按地址落到村(社区)或街镇"))
    return columns


def title(column: Column) -> str:
    """Give a column's header: its label, with the unit."""
    return f"{column.label}({column.unit})" if column.unit else column.label


def _head(sheet: Any, place: int, column: Column) -> None:
    cell = sheet.cell(1, place, title(column))
    cell.font = Font(bold=True)
    cell.fill = _MUST if column.required else _HEAD
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    cell.comment = Comment(_words(column), "qjmap", height=90, width=260)
    widest = max(len(title(column)), *(len(one) for one in (*column.values, "")))
    sheet.column_dimensions[get_column_letter(place)].width = min(34, max(10, 2 * widest + 2))


def _words(column: Column) -> str:
    """Say what goes into a column."""
    kinds = {
        "integer": "整数,只填数字",
        "number": "数字",
        "year": "四位数的年份,如 2023",
        "date": "日期,如 2023-03-20",
        "boolean": "是或否",
        "category": "从选项中选取",
        "town": "从选项中选取街镇",
        "longitude": "十进制度数,如 106.651100",
        "latitude": "十进制度数,如 28.880000",
        "shape": "WKT,如 LINESTRING (106.60 28.90, 106.61 28.91);经度在前",
    }
    parts = ["必填" if column.required else "可留空", kinds.get(column.type, "文字")]
    if column.unit:
        parts.append(f"单位:{column.unit}")
    if column.min is not None:
        parts.append(f"不小于 {column.min:g}")
    if column.max is not None:
        parts.append(f"不大于 {column.max:g}")
    if column.unique:
        parts.append("不可重复")
    return ";".join(parts) + (f"。{column.note}" if column.note else "")


def _example(column: Column, n: int, spec: LayerSpec, towns: Sequence[str]) -> object:
    """Give what an example row shows; its numbers are lows of the column's own range, nobody's record."""
    if column.key in ("id", "code"):
        return f"{EXAMPLE}-{n + 1}"
    if column.key == "name":
        return f"{EXAMPLE}{spec.label}{n + 1}"
    if column.type == "town":
        return towns[n % len(towns)] if towns else ""
    if column.type == "category":
        return column.values[n % len(column.values)]
    if column.type == "boolean":
        return ("是", "否")[n % 2]
    if column.type == "year":
        return 2023
    if column.type == "date":
        return "2023-03-20"
    if column.type in ("longitude", "latitude") or column.key == "error_m":
        return None
    if column.type in ("integer", "number"):
        low = column.usual[0] if column.usual else column.min or 0
        return int(low) + n if column.type == "integer" else round(low + n * 0.1, 2)
    return "请删去示例行再填写" if column.key == "note" else None


def _rule(lists: Any, place: int, column: Column, towns: Sequence[str]) -> DataValidation | None:
    values = (
        tuple(towns) if column.type == "town" else ("是", "否") if column.type == "boolean" else column.values
    )
    values = tuple(one for one in values if one)
    if values:
        # a list in the rule itself may have 255 characters: towns have more
        letter = get_column_letter(place)
        for row, value in enumerate((title(column), *values), 1):
            lists.cell(row, place, value)
        where = f"'{CHOICES}'!${letter}$2:${letter}${len(values) + 1}"
        return _tell(DataValidation(type="list", formula1=where, allow_blank=True), "请从下拉选项中选取")
    ranges = {"year": (1900.0, 2100.0), "longitude": (-180.0, 180.0), "latitude": (-90.0, 90.0)}
    low, high = ranges.get(column.type, (column.min, column.max))
    if column.type not in ("integer", "number", *ranges):
        return None
    whole = column.type in ("integer", "year")
    rule = DataValidation(
        type="whole" if whole else "decimal",
        operator="between",
        formula1=f"{-1e9 if low is None else low:.15g}",
        formula2=f"{1e9 if high is None else high:.15g}",
        allow_blank=True,
    )
    return _tell(rule, _words(column)[:200])


def _tell(rule: DataValidation, said: str) -> DataValidation:
    rule.error, rule.errorTitle, rule.showErrorMessage = said, "填写有误", True
    return rule


def _explain(
    sheet: Any, spec: LayerSpec, columns: Sequence[Column], registry: Registry, towns: Sequence[str]
) -> None:
    others = "、".join(one.label for one in registry.layers.values() if one.key != spec.key)
    about = [
        ("本表", f"{spec.label}" + (f"(由{spec.department}填报)" if spec.department else "")),
        ("怎样填", "橙色列名必填;一行一条,不要合并单元格,不要改列名。不知道的留空或选“未知”,不要写 0。"),
        _where(spec),
        ("更新", f"更新已有记录时,空白的格不改原值;要删去原值,在格里写“{CLEAR}”。"),
        ("示例", f"编号以“{EXAMPLE}”开头的三行是示例,不会导入。"),
        ("其他图层", others),
    ]
    for row in about:
        sheet.append(row)
    sheet.append(())
    sheet.append(("列名", "要求", "允许的值"))
    for cell in sheet[sheet.max_row]:
        cell.font, cell.fill = Font(bold=True), _HEAD
    for column in columns:
        values = towns if column.type == "town" else column.values
        sheet.append((title(column), _words(column), "、".join(one for one in values if one)))
    for letter, width in zip("ABC", (26, 60, 60), strict=True):
        sheet.column_dimensions[letter].width = width
        for cell in sheet[letter]:
            cell.alignment = Alignment(wrap_text=True, vertical="top")


def _where(spec: LayerSpec) -> tuple[str, str]:
    """Say how a layer's records tell where they are."""
    if spec.shaped:
        drawn = "线" if spec.geometry == "line" else "面"
        return (
            "图形",
            f"本图层是{drawn}图形,请从绘图软件导出 GeoJSON、Shapefile(压缩成 .zip)、GeoPackage 或 KML 上传,"
            "属性列名与本表相同;坐标系上传时核对。也可把图形写成 WKT(经度在前)填入“图形”列,每格不超过 32,767 个字符。",
        )
    said = "填 WGS-84 或 CGCS2000 经纬度;用其他坐标系的,上传时选择。没有坐标的,写明街镇和村(社区)。"
    said += "坐标怎样取得、误差多少米,写在“定位方式”“定位误差”;不知道的留空。"
    return "坐标", said


# ---- the workbook that goes back -------------------------------------------------------------------


def returned(name: str, content: bytes, draft: Draft, source: Source | None = None) -> bytes:
    """Give a file back with its faults: the same workbook, a column 错误 after the last, coloured cells.

    Parameters
    ----------
    name, content
        The file as it came: .xlsx, .xls or CSV.
    draft
        What became of it.
    source
        The sheet, or the sheets read together, that the draft was made from; one is found again by its name when it
        is not given.

    Returns
    -------
    bytes
        An .xlsx file. Of an .xlsx all sheets and their dress are kept, formulas as the values that they had; of .xls
        and CSV, and of very large books, the cells as text. A row's faults stand in the column 错误, each cell that is
        wrong is red; what is only odd stands there too, as 提醒.

    Raises
    ------
    DataError
        The file is a vector file, or no longer the one that the draft was made from.
    """
    sources = read(name, content) if source is None else (source,)
    found = next((one for one in sources if one.table.file == draft.file), None)
    if found is None or found.geometry is not None:
        raise DataError(
            [Problem(name, None, None, None, "表格文件(.xlsx、.xls、.csv)", "图形文件请按问题清单修改")]
        )
    told = _by_row(draft)
    size = len(found.table.rows) * len(found.table.frame.columns)
    sheets = [(one, told.get(one.table.file, {})) for one in found.parts or (found,)]
    if found.format == "xlsx" and size <= _KEPT_CELLS:
        return _marked(content, sheets)
    return _afresh(sheets)


Told = Mapping[int, tuple[list[Problem], list[Problem]]]


def _by_row(draft: Draft) -> dict[str, Told]:
    """Give what is told of each row, sheet by sheet as their faults name them."""
    told: dict[str, dict[int, tuple[list[Problem], list[Problem]]]] = {}
    for n, problems in enumerate((draft.problems, draft.warnings)):
        for one in problems:
            if one.row is not None:
                told.setdefault(one.file, {}).setdefault(one.row, ([], []))[n].append(one)
    return dict(told)


def _said(problems: Iterable[Problem], warned: Iterable[Problem]) -> str:
    """Write a row's faults into one cell."""
    lines = [_line(one) for one in problems] + [f"(提醒){_line(one)}" for one in warned]
    return _ILLEGAL.sub("", "\n".join(lines))[:_MOST_WORDS]


def _line(problem: Problem) -> str:
    value = "" if problem.value is None else f"现为“{problem.value[:40]}”,"
    advice = f";{problem.advice}" if problem.advice else ""
    return f"{problem.column or '整行'}:{value}应为{problem.expected}{advice}"


def _marked(content: bytes, sheets: Iterable[tuple[Source, Told]]) -> bytes:
    """Mark the faults in the workbook as it came."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of what it will not keep (drawings, extensions)
        book: Any = load_workbook(io.BytesIO(content), data_only=True, keep_links=False)
    for source, told in sheets:
        _mark(book[source.name], source, told)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _mark(sheet: Any, source: Source, told: Told) -> None:
    places = dict(zip(source.table.frame.columns, source.places, strict=False))
    last = _last(sheet, source)
    if sheet.cell(source.header_row, last).value != ERRORS:
        last += 1
    else:  # the file has been back before: what was wrong then is wiped
        for row in range(source.header_row + 1, sheet.max_row + 1):
            sheet.cell(row, last).value = None
    _errors_head(sheet.cell(source.header_row, last))
    sheet.column_dimensions[get_column_letter(last)].width = 60
    for row, (problems, warned) in told.items():
        cell = sheet.cell(row, last)
        cell.value = _said(problems, warned)
        cell.data_type = "s"
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        for problem in problems:
            place = places.get(problem.column or "")
            if place is not None:
                sheet.cell(row, place + 1).fill = _RED


def _last(sheet: Any, source: Source) -> int:
    """Give the last column with anything in the lines of the header."""
    lines = range(source.header_row, source.header_row + source.header_rows)
    return max(
        (cell.column for row in lines for cell in sheet[row] if cell.value not in (None, "")), default=1
    )


def _errors_head(cell: Any) -> None:
    cell.value = ERRORS
    cell.font, cell.fill = Font(bold=True), _RED


def _afresh(sheets: Iterable[tuple[Source, Told]]) -> bytes:
    """Write the tables anew as text, row by row, each in the row it had."""
    book: Any = Workbook(write_only=True)
    for source, told in sheets:
        sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", "", source.name)[:31] or "表")
        _write_sheet(sheet, source, told)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write_sheet(sheet: Any, source: Source, told: Told) -> None:
    names = [name for name in source.table.frame.columns if name != ERRORS]
    for place in range(1, len(names) + 1):
        sheet.column_dimensions[get_column_letter(place)].width = 16
    sheet.column_dimensions[get_column_letter(len(names) + 1)].width = 60
    for _ in range(1, source.header_row):
        sheet.append([])
    head = [_cell(sheet, name) for name in names]
    errors = WriteOnlyCell(sheet)
    _errors_head(errors)
    sheet.append([*head, errors])
    written = source.header_row
    frame = source.table.frame[names]
    columns = [frame[name].tolist() for name in names]
    for row, *cells in zip(source.table.rows, *columns, strict=True):
        while written < row - 1:
            sheet.append([])
            written += 1
        problems, warned = told.get(row, ([], []))
        wrong = {one.column for one in problems}
        line = [_cell(sheet, value, bad=name in wrong) for name, value in zip(names, cells, strict=True)]
        if problems or warned:
            line.append(_cell(sheet, _said(problems, warned)))
        sheet.append(line)
        written = row


def _cell(sheet: Any, value: object, *, bad: bool = False) -> Any:
    """Make a cell of text that no spreadsheet takes for a formula."""
    text = _ILLEGAL.sub("", value) if isinstance(value, str) else None
    if not bad and (not text or text[0] not in "=+-@\t\r"):
        return text or None
    cell = WriteOnlyCell(sheet, value=text)
    if text:
        cell.data_type = "s"
    if bad:
        cell.fill = _RED
    return cell
