"""Excel workbooks (.xlsx) in: sheets as rows of text, read as a stream; nothing in a workbook is ever run.

`.xlsx` is read with expat over the zip archive: openpyxl makes an object of every cell, and took five times as long.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import partial
from xml.parsers import expat

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from qjmap import _limits
from qjmap._grid import Row, Span, Spans, no_spans
from qjmap.errors import DataError

RESAVE = "请在表格软件中另存为“Excel 工作簿(.xlsx)”后再上传"

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_EMPTY_CELLS = 50_000_000  # cells that hold nothing cost time, too
_OTHERS = 40_000_000  # elements that are no row and no cell; text that stands in its cell has one each
RANGES = 100_000  # merged cells of a sheet that are remembered
_LONGEST = 4 * _limits.CELL  # characters of a cell as they come, before it is known what they are


@dataclass
class Sheet:
    """One sheet: its name, its rows (to be read once), and what was met while reading them.

    `merged` are ranges of merged cells: first row, last row (as in the file), first place, last place (from 0).
    `veiled` are the numbers of rows that Excel does not show: filtered out, or hidden by hand. `unsaved` says by place
    how many formulas have no result. `spans` gives the merged cells that begin no lower than a row, before the rows are
    read.
    """

    name: str
    rows: Iterable[Row]
    formulas: int = 0
    blank_formulas: int = 0
    unsaved: dict[int, int] = field(default_factory=dict)
    spans: Spans = no_spans
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: bool = False
    veiled: list[int] = field(default_factory=list)


def sheets_xlsx(archive: _limits.Archive) -> Iterator[Sheet]:
    """Yield the sheets of an .xlsx workbook; each must be read before the next is asked for.

    Raises
    ------
    DataError
        Macros, broken parts, entities, or more than the limits allow.
    """
    names = {name.lower(): name for name in archive.names}
    _refuse_macros(archive.file, names)
    rels = _relations(archive, names)
    book = _Workbook()
    _parse(archive, _member(archive, names, "xl/workbook.xml"), start=book.start)
    strings: _Strings | None = None
    styles: list[Style] = []
    if len(book.sheets) > _limits.SHEETS:
        raise _limits.refusal(
            archive.file,
            f"{len(book.sheets)} 张工作表",
            f"不多于 {_limits.SHEETS} 张工作表",
            "请分成几个文件",
        )
    for title, key, hidden in book.sheets:
        path = rels.get(key)
        member = names.get(path.lower()) if path else None
        if member is None or "chartsheet" in member:
            continue
        if strings is None:
            strings = _shared_strings(archive, names)
            styles = _number_styles(archive, names)
        sheet = Sheet(title, (), hidden=hidden)
        sheet.rows = _rows(archive, member, sheet, strings, styles, mac=book.mac)
        sheet.spans = partial(_spans, archive, member)
        yield sheet


def macros(file: str) -> DataError:
    """Make the error that refuses a workbook with macros."""
    return _limits.refusal(
        file, "含有宏的工作簿", "不含宏的工作簿", "请另存为“Excel 工作簿(.xlsx)”(会去掉宏)后再上传"
    )


def _refuse_macros(file: str, names: Mapping[str, str]) -> None:
    if any("vbaproject" in name or "/macrosheets/" in name for name in names):
        raise macros(file)
    if "xl/workbook.bin" in names:
        raise _limits.refusal(file, "Excel 二进制工作簿(.xlsb)", ".xlsx 文件", RESAVE)


# ---- xlsx: parts of the package -------------------------------------------------------------------

Start = Callable[[str, dict[str, str]], object]
End = Callable[[str], object]


def _parse(
    archive: _limits.Archive, member: str, start: Start, end: End | None = None, text: End | None = None
) -> None:
    depth = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _limits.NESTING:
            raise _too_deep(archive.file)
        start(name, attributes)

    def finish(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(name)

    parser = _parser(archive.file, begin, finish, text)
    for block in archive.blocks(member):
        _feed(parser, block, archive.file, member)
    _feed(parser, b"", archive.file, member)


def _too_deep(file: str) -> DataError:
    """Refuse what is nested without end: the parser keeps every element that is open."""
    return _limits.refusal(file, f"嵌套超过 {_limits.NESTING} 层", "完好的 .xlsx 文件", RESAVE)


def _parser(file: str, start: Start, end: End | None, text: End | None) -> expat.XMLParserType:
    """Make a parser that refuses every document type: without one there are no entities, inner or outer."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    if end is not None:
        parser.EndElementHandler = end
    if text is not None:
        parser.CharacterDataHandler = text

    def refuse(*_: object) -> None:
        raise _limits.refusal(file, "XML 中有文件类型声明(DTD、实体)", "不含 DTD 的文件", RESAVE)

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


def _feed(parser: expat.XMLParserType, block: bytes, file: str, member: str) -> None:
    try:
        parser.Parse(block, not block)
    except (expat.ExpatError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise _limits.refusal(file, f"其中的 {member} 无法解析", "完好的 .xlsx 文件", RESAVE) from error


def _local(name: str) -> str:
    return name.rpartition(":")[2] if ":" in name else name


def _member(archive: _limits.Archive, names: Mapping[str, str], path: str) -> str:
    if path not in names:
        raise _limits.refusal(archive.file, f"缺少 {path}", "完好的 .xlsx 文件", RESAVE)
    return names[path]


@dataclass
class _Workbook:
    """The list of sheets (name, relation, hidden) and the calendar."""

    sheets: list[tuple[str, str, bool]] = field(default_factory=list)
    mac: bool = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "sheet":
            key = next((value for at, value in attributes.items() if _local(at) == "id" and ":" in at), "")
            self.sheets.append(
                (attributes.get("name", ""), key, attributes.get("state", "visible") != "visible")
            )
        elif _local(name) == "workbookPr":
            self.mac = attributes.get("date1904") in ("1", "true")


def _relations(archive: _limits.Archive, names: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}

    def start(_: str, attributes: dict[str, str]) -> None:
        if attributes.get("TargetMode") != "External" and "Target" in attributes:
            target = attributes["Target"]
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            found[attributes.get("Id", "")] = path.replace("xl/./", "xl/")
            if len(found) > _limits.MEMBERS:
                raise _limits.refusal(archive.file, "部件过多", "完好的 .xlsx 文件", RESAVE)

    _parse(archive, _member(archive, names, "xl/_rels/workbook.xml.rels"), start)
    return found


class _Strings:
    """The workbook's shared strings as bytes in one piece: a fifth of what they take as objects."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])

    def append(self, text: str) -> None:
        self._bytes += text.encode("utf-8", "replace")
        self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, place: int) -> str:
        return self._bytes[self._ends[place] : self._ends[place + 1]].decode()


def _shared_strings(archive: _limits.Archive, names: Mapping[str, str]) -> _Strings:
    strings = _Strings()
    member = names.get("xl/sharedstrings.xml")
    if member is None:
        return strings
    parts: list[str] = []
    reading, phonetic, size, whole = False, 0, 0, 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal reading, phonetic
        name = _local(name)
        if name == "t":
            reading = not phonetic
        elif name == "rPh":
            phonetic += 1

    def end(name: str) -> None:
        nonlocal reading, phonetic, size
        name = _local(name)
        if name == "t":
            reading = False
        elif name == "rPh":
            phonetic -= 1
        elif name == "si":
            if len(strings) >= _limits.CELLS:
                raise _limits.refusal(archive.file, "共享字符串过多", "正常大小的工作簿", RESAVE)
            strings.append(_string("".join(parts), archive.file))
            parts.clear()
            size = 0

    def text(data: str) -> None:
        nonlocal size, whole
        if reading:
            parts.append(data)
            size += len(data)
            whole += len(data) * (1 if data.isascii() else 3)  # bytes, as cells are counted
            if whole > _limits.TEXT:
                raise _limits.refusal(archive.file, "共享字符串过长", "正常大小的工作簿", RESAVE)
            if size > _LONGEST:
                raise _limits.refusal(archive.file, "单元格过长", "正常大小的单元格", RESAVE)

    _parse(archive, member, start, end, text)
    return strings


def _string(text: str, file: str) -> str:
    if len(text) > _limits.CELL:
        raise _limits.refusal(
            file,
            f"有单元格长 {len(text):,} 个字符",
            f"不多于 {_limits.CELL:,} 个字符的单元格",
            "请把长文另存,表中只留摘要",
        )
    if "_x" in text:
        told = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text).replace("\x00", "")
        # two halves of a character become one; a half alone is none
        return told.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


_ZEROS = re.compile(r"""(?:"[^"]*"|\\.|[-+/():\s]|0)*""")
_MARKS = re.compile(r"""\\(.)|"([^"]*)"|(.)""")


def zeros(code: str) -> tuple[str, ...]:
    """Give the letters of a number format that writes leading zeros, as 000 or "QJ-"0000; of any other none."""
    code = re.sub(r"\[[^\]<>=]*\]|_.|\*.", "", code.partition(";")[0])  # languages, colours, blanks
    if not _ZEROS.fullmatch(code):
        return ()
    found = tuple(
        "0" if mark == "0" else mark or literal + escaped for escaped, literal, mark in _MARKS.findall(code)
    )
    return found if found.count("0") > 1 else ()


def with_zeros(text: str, letters: tuple[str, ...]) -> str:
    """Write a whole number as its cell shows it; any other as it is."""
    if not text.isdecimal():
        return text
    digits = text.rjust(letters.count("0"), "0")
    first, shown = len(digits) - letters.count("0"), list[str]()
    for letter in letters:
        if letter == "0":
            shown.append(digits[: first + 1] if len(shown) == letters.index("0") else digits[first])
            first += 1
        else:
            shown.append(letter)
    return "".join(shown)


Style = bool | tuple[str, ...]
"""Whether a cell shows a number as a date, or the letters by which it shows leading zeros."""


def _number_styles(archive: _limits.Archive, names: Mapping[str, str]) -> list[Style]:
    """Say for each cell style how it shows a number."""
    member = names.get("xl/styles.xml")
    if member is None:
        return []
    formats: dict[int, str] = dict(BUILTIN_FORMATS)
    found: list[Style] = []
    inside = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        name = _local(name)
        if name == "numFmt" and attributes.get("numFmtId", "").isdecimal():
            formats[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            inside = True
        elif name == "xf" and inside:
            key = attributes.get("numFmtId", "0")
            # 27–36 and 50–58 are dates in East Asian Excel, which openpyxl does not list
            number = int(key) if key.isdecimal() and len(key) < 9 else 0
            east = 27 <= number <= 36 or 50 <= number <= 58
            if len(found) > _limits.STYLES:
                raise _limits.refusal(archive.file, "单元格样式过多", "正常大小的工作簿", RESAVE)
            code = formats.get(number, "General")
            found.append(east or bool(is_date_format(code)) or zeros(code))

    def end(name: str) -> None:
        nonlocal inside
        if _local(name) == "cellXfs":
            inside = False

    _parse(archive, member, start, end)
    return found


# ---- xlsx: rows -------------------------------------------------------------------------------------


def _rows(
    archive: _limits.Archive, member: str, sheet: Sheet, strings: _Strings, styles: list[Style], *, mac: bool
) -> Iterator[Row]:
    """Read a sheet's rows as they come out of the archive."""
    file, done = archive.file, list[Row]()
    reader = _Cells(file, sheet, strings, styles, done, mac=mac)
    parser = _parser(file, reader.start, reader.end, reader.text)
    for block in archive.blocks(member):
        _feed(parser, block, file, member)
        yield from done
        done.clear()
    _feed(parser, b"", file, member)
    yield from done


class _Cells:
    """What expat calls while it reads a sheet."""

    def __init__(
        self, file: str, sheet: Sheet, strings: _Strings, styles: list[Style], done: list[Row], *, mac: bool
    ) -> None:
        self.file, self.sheet, self.strings, self.styles, self.done = file, sheet, strings, styles, done
        self.epoch = CALENDAR_MAC_1904 if mac else CALENDAR_WINDOWS_1900
        self.places: dict[str, int] = {}
        self.row, self.place, self.seen, self.lines, self.others, self.depth = 0, -1, 0, 0, 0, 0
        self.kind, self.style, self.formula = "n", "0", False
        self.cells: dict[int, str] = {}
        self.parts: list[str] = []
        self.reading, self.size, self.veiled = False, 0, False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _limits.NESTING:
            raise _too_deep(self.file)
        if ":" in name:
            name = _local(name)
        if name == "c":
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "0")
            letters = attributes.get("r", "").rstrip("0123456789")
            self.place = self._place(letters) if letters else self.place + 1
            self.formula = False
            self.size = 0
            self.seen += 1
            if self.seen > _EMPTY_CELLS:
                raise _limits.refusal(self.file, "单元格过多", "正常大小的表", "请删去表外带格式的空白行列")
        elif name in ("v", "t"):
            self.reading = True
        elif name == "f":
            self.formula = True
            self.sheet.formulas += 1
        elif name == "row":
            self.lines += 1
            if self.lines > _limits.LINES:
                found = f"超过 {_limits.LINES:,} 行(含空行)"
                raise _limits.refusal(self.file, found, "正常大小的表", "请删去表外带格式的空白行")
            number = attributes.get("r", "")
            self.row = int(number) if number.isdecimal() and len(number) < 9 else self.row + 1
            self.place = -1
            self.cells = {}
            self.veiled = attributes.get("hidden") in ("1", "true")
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))
        elif name == "rPh":
            self.reading = False
        else:
            self.others += 1
            if self.others > _OTHERS:
                raise _limits.refusal(self.file, "内容不像工作表", "完好的 .xlsx 文件", RESAVE)

    def text(self, data: str) -> None:
        if self.reading:
            self.parts.append(data)
            self.size += len(data)
            if self.size > _LONGEST:
                raise _limits.refusal(
                    self.file, "单元格过长", "正常大小的单元格", "请把长文另存,表中只留摘要", self.row
                )

    def end(self, name: str) -> None:
        self.depth -= 1
        if ":" in name:
            name = _local(name)
        if name in ("v", "t"):
            self.reading = False
        elif name == "c":
            if self.parts:
                text = self.parts[0] if len(self.parts) == 1 else "".join(self.parts)
                self.parts = []
                self._keep(self._told(text))
            elif self.formula:
                self.sheet.blank_formulas += 1
                self.sheet.unsaved[self.place] = self.sheet.unsaved.get(self.place, 0) + 1
        elif name == "row" and self.cells:
            self.done.append((self.row, self.cells))
            self.cells = {}
            if self.veiled:
                self.sheet.veiled.append(self.row)

    def _keep(self, text: str) -> None:
        if not text:
            return
        if self.place >= _limits.COLUMNS:
            if text.isspace():
                return
            raise _limits.refusal(
                self.file,
                f"第 {self.place + 1} 列有内容",
                f"不多于 {_limits.COLUMNS} 列的表",
                "请删去不用的列",
                self.row,
            )
        self.cells[self.place] = text

    def _told(self, text: str) -> str:
        """Give a cell's value as the text that a person sees."""
        if self.kind == "s":
            place = int(text) if text.isdecimal() and len(text) < 10 else len(self.strings)
            if place >= len(self.strings):
                raise _limits.refusal(self.file, "共享字符串缺失", "完好的 .xlsx 文件", RESAVE, self.row)
            return self.strings[place]
        if self.kind == "n":
            style = int(self.style) if self.style.isdecimal() and len(self.style) < 7 else 0
            shown = self.styles[style] if style < len(self.styles) else False
            if shown is True:
                return _date(text, self.epoch)
            return with_zeros(number_text(text), shown) if shown else number_text(text)
        if self.kind == "b":
            return "是" if text.strip() == "1" else "否"
        return _string(text, self.file)

    def _place(self, letters: str) -> int:
        place = self.places.get(letters)
        if place is None:
            place = self.places[letters] = _column(letters)
            if len(self.places) > 20_000:
                raise _limits.refusal(self.file, "列过多", f"不多于 {_limits.COLUMNS} 列的表")
        return place

    def _merge(self, ref: str) -> None:
        found = _span(ref)
        if found is not None and len(self.sheet.merged) < RANGES:
            self.sheet.merged.append(found)


_MERGED = re.compile(rb"""<(?:\w{1,20}:)?mergeCell\s[^<>]{0,100}?ref=["']([^"'<>]{1,30})["']""")
_LONG = 200  # bytes of one such element, and more


def _spans(archive: _limits.Archive, member: str, last: int) -> list[Span]:
    """Look for the merged cells of the first rows: they stand behind all rows, and tell how many lines the head has."""
    found: list[Span] = []
    rest = b""
    for block in archive.looked_through(member):
        text, end = rest + block, 0
        for one in _MERGED.finditer(text) if b"mergeCell" in text else ():
            span, end = _span(one[1].decode("ascii", "replace")), one.end()
            if span is not None and span[0] <= last and len(found) < RANGES:
                found.append(span)
        rest = text[max(end, len(text) - _LONG) :]
    return found


def _span(ref: str) -> Span | None:
    """Read a range of cells: A3:B4."""
    found = re.fullmatch(r"([A-Za-z]{1,3})([0-9]{1,8}):([A-Za-z]{1,3})([0-9]{1,8})", ref)
    if found is None:
        return None
    one, top, other, bottom = found.groups()
    return int(top), int(bottom), _column(one), _column(other)


def _column(letters: str) -> int:
    place = 0
    for letter in letters[:4].upper():
        place = place * 26 + max(1, min(26, ord(letter) - 64))
    return place - 1


def number_text(text: str) -> str:
    """Write a stored number as Excel shows it: at most 15 digits, so that 0.1 + 0.2 is 0.3."""
    if len(text) < 12 and text.isdecimal():
        return text
    try:
        value = float(text)
    except ValueError:
        return text
    if not math.isfinite(value):
        return text
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.15g}"


def _date(text: str, epoch: datetime) -> str:
    try:
        value = from_excel(float(text), epoch)
    except (ValueError, OverflowError):
        return text
    return iso(value)


def iso(value: object) -> str:
    """Write a date, a time or both as a person would type them into a register."""
    if isinstance(value, datetime):
        midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, time) else str(value)
