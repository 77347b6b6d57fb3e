"""The requests as a workbook to send round and get back: a sheet for each department, blanks with their choices."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from openpyxl import load_workbook
from openpyxl.styles import Alignment, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from qjmap import export
from qjmap.assess import NOWHERE, WHOLE
from qjmap.district import District
from qjmap.layers import Column, LayerSpec
from qjmap.wanted import COLUMN, PLACE, REGISTER, REVIEW, Blank, Request
from qjmap.wording import titles

TOWNS = "各街镇"
"""The department that stands for every township: each of them answers for itself."""

ANSWER, STATE, WHO, WHEN, REMARK = "填报内容", "办理情况", "填报单位", "填报日期", "说明(附件名称)"
TO_FILL = (ANSWER, STATE, WHO, WHEN, REMARK)
STATES = ("已填报", "已附资料", "没有此类对象", "正在收集")
COLUMNS = (
    *("序号", "类别", "需要什么", "街镇", "编号", "名称", "填报项目", "单位"),
    *TO_FILL,
    *("涉及标准", "标准编号", "条款", "现在的处理"),
)

HOW = (
    "黄色各列请填写,其余各列请勿改动。“填报内容”有下拉选项的请从选项中选取,填数字的只填数字,不写单位。"
    "缺整本名册的,请填在后面的“名册”表中,一行一条。没有的请在“办理情况”选“没有此类对象”,不要留空;"
    "空白一律按“未知”处理,既不算达标,也不算短缺。填好后原样发回。"
)

TEMPLATE_ROWS = 300
_LEFT_OUT = ("position", "error_m", "source", "document", "clause")
_YELLOW = PatternFill("solid", start_color="FFFFF6D5")
_WIDTHS = {"需要什么": 34, "名称": 30, "涉及标准": 40, "条款": 40, "现在的处理": 30, ANSWER: 18, REMARK: 26}
_LIST_LENGTH = 255  # Excel's own limit on choices written into the rule itself


@dataclass(frozen=True)
class Entry:
    """One row of the form: what is asked about what, and which answers go.

    `values`: the choices; `number`: a number is wanted, within `least` and `most`; `whole`: without decimals.
    """

    town: str
    item: str
    key: str = ""
    name: str = ""
    unit: str = ""
    values: tuple[str, ...] = ()
    number: bool = False
    whole: bool = False
    least: float | None = None
    most: float | None = None


def entries(request: Request, district: District) -> list[Entry]:
    """Give what a request asks, row by row: a cell of a register, a township, or the whole at once."""
    if request.kind in (COLUMN, PLACE) and request.blanks:
        spec = district.registry.layers[request.layer]
        return [_cell(blank, spec, district) for blank in request.blanks]
    item = "名册(填在所附的名册表)" if request.kind == REGISTER else "名单、数量或资料"
    if request.kind == REVIEW:
        item = request.what
    number = bool(request.unit)
    each = request.per_town or (request.department == TOWNS and request.kind != REGISTER)
    towns = request.towns if each else (_place(request.towns, district),)
    least = 0.0 if number else None
    return [
        Entry(town, item, unit=request.unit, number=number, whole=request.unit == "人", least=least)
        for town in towns
    ]


def _place(towns: Sequence[str], district: District) -> str:
    if len(towns) == len(district.towns) or WHOLE in towns:
        return WHOLE
    return "、".join(towns)


def _cell(blank: Blank, spec: LayerSpec, district: District) -> Entry:
    column = spec.columns[blank.column]
    town = "" if blank.town == NOWHERE else blank.town
    if blank.column == "lon":
        return Entry(town, "经度、纬度(或详细地址)", blank.id, blank.name)
    if blank.column == "town":
        return Entry(
            town,
            "所在街镇(详细地址写在说明)",
            blank.id,
            blank.name,
            values=allowed(column, list(district.towns.index)),
        )
    return Entry(
        town,
        column.label,
        blank.id,
        blank.name,
        column.unit,
        allowed(column, list(district.towns.index)),
        **_range(column, district),
    )


def allowed(column: Column, towns: Sequence[str]) -> tuple[str, ...]:
    """Give the values that a column may be filled with; none when any text or number goes."""
    if column.type == "town":
        return tuple(towns)
    if column.type == "boolean":
        return ("是", "否")
    return tuple(value for value in column.values if value != "未知")


def _range(column: Column, district: District) -> dict[str, Any]:
    west, south, east, north = district.settings.box
    bounds = {"longitude": (west, east), "latitude": (south, north), "year": (1900.0, 2100.0)}
    least, most = bounds.get(column.type, (column.min, column.max))
    if column.type not in ("integer", "number", *bounds):
        return {}
    return {"number": True, "whole": column.type in ("integer", "year"), "least": least, "most": most}


def table(requests: Iterable[Request], district: District) -> tuple[pd.DataFrame, list[Entry]]:
    """Make requests into the rows of a form.

    Returns
    -------
    pandas.DataFrame, list
        One row per thing to say, with the columns to fill in left blank; and what each row asks.
    """
    names = titles(district.documents)
    rows: list[dict[str, object]] = []
    asked: list[Entry] = []
    for request in requests:
        source = "\n".join(
            dict.fromkeys(
                f"{names.get(rule.document, rule.document)} {rule.clause}" for rule in request.rules
            )
        )
        own = f"{names.get(request.document, request.document)} {request.clause}".strip()
        for entry in entries(request, district):
            asked.append(entry)
            rows.append(
                {
                    "序号": len(rows) + 1,
                    "类别": request.kind,
                    "需要什么": request.what,
                    "街镇": entry.town,
                    "编号": entry.key,
                    "名称": entry.name,
                    "填报项目": entry.item,
                    "单位": entry.unit,
                    "涉及标准": "\n".join(rule.title for rule in request.rules),
                    "标准编号": "\n".join(rule.id for rule in request.rules),
                    "条款": source or own,
                    "现在的处理": request.note or ("答“数据不足”" if request.rules else ""),
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object), asked


def workbook(requests: Iterable[Request], district: District, metadata: export.Metadata) -> bytes:
    """Write the form.

    Parameters
    ----------
    requests
        In the order of the sheets: by department.
    district
        Whose townships and registers.
    metadata
        What the file says about itself.

    Returns
    -------
    bytes
        The .xlsx file: 说明, a sheet per department, and an empty register for each one that is missing. The
        columns to fill in are yellow and offer what is allowed.
    """
    requests = tuple(requests)
    departments = dict.fromkeys(one.department for one in requests)
    forms = {
        name: table([one for one in requests if one.department == name], district) for name in departments
    }
    missing = [district.registry.layers[one.layer] for one in requests if one.kind == REGISTER]
    registers = {f"名册 {spec.label}": _columns(spec) for spec in missing}
    sheets = {name: form for name, (form, _) in forms.items()}
    sheets |= {name: pd.DataFrame(columns=[_title(one) for one in own]) for name, own in registers.items()}
    plain = export.to_excel(sheets, {"填写办法": HOW} | metadata.info())
    book: Any = load_workbook(io.BytesIO(plain))
    for sheet, (_, asked) in zip(book.worksheets[1:], forms.values(), strict=False):
        _dress(sheet)
        _offer(sheet, asked)
    for sheet, columns in zip(book.worksheets[1 + len(forms) :], registers.values(), strict=True):
        _dress_register(sheet, columns, district)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _columns(spec: LayerSpec) -> list[Column]:
    return [one for key, one in spec.columns.items() if key not in _LEFT_OUT]


def _title(column: Column) -> str:
    return f"{column.label}({column.unit})" if column.unit else column.label


def _dress(sheet: Any) -> None:
    """Make the columns to fill in stand out, long texts wrap, and the sheet print on its width."""
    for cell in sheet[1]:
        letter = get_column_letter(cell.column)
        if cell.value in _WIDTHS:
            sheet.column_dimensions[letter].width = _WIDTHS[cell.value]
        fill = cell.value in TO_FILL
        for below in sheet[letter][1:]:
            below.alignment = Alignment(wrap_text=True, vertical="top")
            if fill:
                below.fill = _YELLOW
        if fill:
            cell.fill = _YELLOW
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"


def _offer(sheet: Any, asked: Sequence[Entry]) -> None:
    """Offer each row's own choices; rows that allow the same share one rule."""
    letters = {cell.value: get_column_letter(cell.column) for cell in sheet[1]}
    rules: dict[tuple[Any, ...], DataValidation] = {}
    for row, entry in enumerate(asked, 2):
        key = (entry.values, entry.number, entry.whole, entry.least, entry.most)
        if key not in rules:
            rule = _validation(*key)
            if rule is None:
                continue
            rules[key] = rule
            sheet.add_data_validation(rule)
        rules[key].add(f"{letters[ANSWER]}{row}")
    states = _choices(STATES)
    if asked and states is not None:
        sheet.add_data_validation(states)
        states.add(f"{letters[STATE]}2:{letters[STATE]}{len(asked) + 1}")


def _dress_register(sheet: Any, columns: Sequence[Column], district: District) -> None:
    towns = list(district.towns.index)
    for number, column in enumerate(columns, 1):
        letter = get_column_letter(number)
        sheet[f"{letter}1"].fill = _YELLOW
        limits = {"number": False, "whole": False, "least": None, "most": None} | _range(column, district)
        rule = _validation(allowed(column, towns), **limits)
        if rule is not None:
            sheet.add_data_validation(rule)
            rule.add(f"{letter}2:{letter}{TEMPLATE_ROWS + 1}")


def _validation(
    values: tuple[str, ...], number: bool, whole: bool, least: float | None, most: float | None
) -> DataValidation | None:
    if values:
        return _choices(values)
    if not number:
        return None
    low, high = (-1e9 if least is None else least), (1e9 if most is None else most)
    rule = DataValidation(
        type="whole" if whole else "decimal",
        operator="between",
        formula1=f"{low:.15g}",
        formula2=f"{high:.15g}",
        allow_blank=True,
    )
    text = "0 或以上" if (least, most) == (0, None) else f"{low:g} 到 {high:g}"
    kind = "整数" if whole else "数字"
    said = f"请填{kind}" + ("" if (least, most) == (None, None) else f":{text}")
    return _tell(rule, said)


def _choices(values: tuple[str, ...]) -> DataValidation | None:
    """Offer choices; None where Excel cannot hold them in the rule itself."""
    text = ",".join(values)
    if len(text) > _LIST_LENGTH or any("," in value or '"' in value for value in values):
        return None
    return _tell(DataValidation(type="list", formula1=f'"{text}"', allow_blank=True), "请从下拉选项中选取")


def _tell(rule: DataValidation, said: str) -> DataValidation:
    rule.error, rule.errorTitle, rule.showErrorMessage = said, "填写有误", True
    rule.prompt, rule.promptTitle, rule.showInputMessage = said, "填写", True
    return rule
