"""The default Word template of the 短板通报, made by `python -m qjmap.cli build-templates`.

Offices change the .docx in Word and not this file. Whatever stands in double braces or between brace and per cent
sign is filled in by docxtpl; the fields are those of `qjmap.bulletin.Bulletin`.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

_DAY = date(2026, 1, 1)  # the template's own date, so that it is built the same every day
_LATIN = "Times New Roman"
_SONG, _FANG, _HEI = "宋体", "仿宋", "黑体"
_PITCH = 21.0
_WARNING = RGBColor(0xA8, 0x32, 0x00)

ROWS = (
    ("序号", "{{ r.number }}", 12),
    ("街镇", "{{ r.place }}", 20),
    ("标准", "{{ r.standard }}", 36),
    ("要求", "{{ r.target }}", 27),
    ("现有", "{{ r.have }}", 32),
    ("缺口", "{{ r.gap }}", 20),
    ("影响人口", "{{ r.people }}", 18),
    ("依据（文件、条款）", "{{ r.basis }}", 37),
    ("责任部门", "{{ r.department }}", 25),
    ("标注", "{{ r.marks }}", 34),
)
_ERRATA = (
    ("编号", "{{ e.id }}", 14),
    ("事项", "{{ e.subject }}", 40),
    ("原文", "{{ e.printed }}", 50),
    ("核对所得", "{{ e.found }}", 60),
    ("本图处理", "{{ e.treatment }}", 47),
    ("出处", "{{ e.source }}", 50),
)


def build() -> bytes:
    """Make the template: the same bytes every time."""
    document = Document()
    _styles(document)
    _page(document.sections[0], landscape=False)
    _first_page(document)
    _map(document)
    _page(document.add_section(), landscape=True)
    _attachments(document)
    for section in document.sections:
        _page_number(section)
    properties = document.core_properties
    properties.author, properties.title, properties.comments = "", "短板通报", ""
    properties.created = properties.modified = datetime(_DAY.year, _DAY.month, _DAY.day)
    out = io.BytesIO()
    document.save(out)
    return restamp(out.getvalue(), _DAY)


def restamp(package: bytes, when: date) -> bytes:
    """Give every file in a zip the same date, so that the same content is the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            add(target, name, source.read(name), when)
    return out.getvalue()


def add(archive: zipfile.ZipFile, name: str, content: bytes, when: date) -> None:
    """Put a file into a zip under a fixed date."""
    entry = zipfile.ZipInfo(name, (max(when.year, 1980), when.month, when.day, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)


def _first_page(document: Any) -> None:
    _loop(document, "if internal", lambda: document.add_paragraph("{{ internal }}", "通报密级"))
    document.add_paragraph("{{ title }}", "通报标题")
    document.add_paragraph("{{ subtitle }}", "通报副题")
    _loop(document, "if number", lambda: document.add_paragraph("{{ number }}", "通报副题"))
    _loop(document, "if warning", lambda: document.add_paragraph("{{ warning }}", "通报警示"))
    _loop(document, "for p in paragraphs", lambda: document.add_paragraph("{{ p }}", "通报正文"))

    def section() -> None:
        document.add_paragraph("{{ s.heading }}", "通报一级标题")
        _loop(document, "for p in s.paragraphs", lambda: document.add_paragraph("{{ p }}", "通报正文"))

    _loop(document, "for s in findings", section)
    _loop(document, "if office", lambda: document.add_paragraph("{{ office }}", "通报落款"))
    document.add_paragraph("{{ day }}", "通报落款")


def _map(document: Any) -> None:
    title = document.add_paragraph("{{ map_title }}", "通报附件标题")
    title.paragraph_format.page_break_before = True
    picture = document.add_paragraph("{{ map }}", "通报图")
    picture.paragraph_format.keep_with_next = True
    _loop(document, "for n in map_notes", lambda: document.add_paragraph("{{ n }}", "通报图注"))


def _attachments(document: Any) -> None:
    document.add_paragraph("附表 短缺清单（共{{ rows|length }}项）", "通报附件标题")
    _loop(document, "if warning", lambda: document.add_paragraph("{{ warning }}", "通报警示"))
    _loop(document, "if rows", lambda: _table(document, ROWS, "for r in rows"))
    _loop(document, "if not rows", lambda: document.add_paragraph("没有确定的短缺。", "通报条目"))
    document.add_paragraph("资料来源", "通报附件标题")
    _loop(
        document,
        "for one in sources",
        lambda: document.add_paragraph("{{ loop.index }}.{{ one }}", "通报条目"),
    )

    def errata() -> None:
        document.add_paragraph("勘误（文件中对不上的地方）", "通报附件标题")
        _table(document, _ERRATA, "for e in errata")

    _loop(document, "if errata", errata)
    document.add_paragraph("说明", "通报附件标题")
    _loop(
        document,
        "for one in notes",
        lambda: document.add_paragraph("{{ loop.index }}.{{ one }}", "通报条目"),
    )


def _loop(document: Any, head: str, body: Any) -> None:
    """Wrap what `body` adds into a paragraph loop or condition of docxtpl."""
    document.add_paragraph(f"{{%p {head} %}}")
    body()
    document.add_paragraph(f"{{%p end{head.split()[0]} %}}")


def _table(document: Any, columns: Sequence[tuple[str, str, int]], loop: str) -> None:
    """Add a table with a head that is repeated on every page and rows that do not break."""
    table = document.add_table(rows=4, cols=len(columns), style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    for column, (_, _, width) in zip(table.columns, columns, strict=True):
        column.width = Mm(width)
    texts = (
        [head for head, _, _ in columns],
        [f"{{%tr {loop} %}}"] + [""] * (len(columns) - 1),
        [cell for _, cell, _ in columns],
        ["{%tr endfor %}"] + [""] * (len(columns) - 1),
    )
    for number, (row, cells) in enumerate(zip(table.rows, texts, strict=True)):
        for cell, text, (_, _, width) in zip(row.cells, cells, columns, strict=True):
            cell.width = Mm(width)
            cell.paragraphs[0].style = document.styles["通报表头" if number == 0 else "通报表格"]
            cell.paragraphs[0].text = text
        properties = row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if number == 0:
            properties.append(OxmlElement("w:tblHeader"))


def _page(section: Any, *, landscape: bool) -> None:
    short, long = Mm(210), Mm(297)
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (long, short) if landscape else (short, long)
    section.top_margin, section.bottom_margin = (Mm(20), Mm(18)) if landscape else (Mm(25), Mm(20))
    section.left_margin = section.right_margin = Mm(18) if landscape else Mm(24)
    section.footer_distance = Mm(10)


def _page_number(section: Any) -> None:
    """Put “— 1 —” at the foot."""
    section.footer.is_linked_to_previous = False
    paragraph = section.footer.paragraphs[0]
    paragraph.style = "通报页码"
    paragraph.add_run("— ")
    run = paragraph.add_run()
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._r.append(element)
    paragraph.add_run(" —")


def _styles(document: Any) -> None:
    language = document.styles.element.find(f".//{qn('w:lang')}")
    language.set(qn("w:eastAsia"), "zh-CN")  # else Chinese punctuation is set the Japanese or Traditional way
    centre, right, left = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.LEFT
    _style(document, "通报标题", _SONG, 22, bold=True, align=centre, pitch=32)
    _style(document, "通报副题", _FANG, 14, align=centre)
    _style(document, "通报密级", _HEI, 12, align=right, pitch=18)
    _style(document, "通报警示", _HEI, 12, colour=_WARNING, indent=2, pitch=19)
    _style(document, "通报正文", _FANG, 14, indent=2)
    _style(document, "通报一级标题", _HEI, 14, indent=2, keep=True, level=0)
    _style(document, "通报落款", _FANG, 14, align=right)
    _style(document, "通报附件标题", _HEI, 14, align=centre, keep=True, pitch=26, level=0)
    _style(document, "通报图", _FANG, 12, align=centre, pitch=None)
    _style(document, "通报图注", _FANG, 10.5, align=centre, pitch=16)
    _style(document, "通报条目", _FANG, 10.5, indent=2, pitch=17)
    _style(document, "通报表头", _HEI, 9, align=centre, pitch=13)
    _style(document, "通报表格", _SONG, 9, align=left, pitch=12.5)
    _style(document, "通报页码", _SONG, 10.5, align=centre, pitch=14)


def _style(
    document: Any,
    name: str,
    font: str,
    size: float,
    *,
    bold: bool = False,
    align: Any = None,
    indent: int = 0,
    pitch: float | None = _PITCH,
    keep: bool = False,
    level: int | None = None,
    colour: RGBColor | None = None,
) -> None:
    """Add a paragraph style; `indent` is in characters, `pitch` the exact height of a line in points."""
    style = document.styles.add_style(name, 1)
    style.font.name, style.font.size, style.font.bold = _LATIN, Pt(size), bold
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
    if colour is not None:
        style.font.color.rgb = colour
    layout = style.paragraph_format
    layout.space_before = layout.space_after = Pt(0)
    layout.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY if align is None else align
    layout.keep_with_next, layout.widow_control = keep, True
    for name in (
        "w:autoSpaceDE",
        "w:autoSpaceDN",
    ):  # no gaps beside digits: a line holds what it is meant to hold
        spacing = OxmlElement(name)
        spacing.set(qn("w:val"), "0")
        style.element.get_or_add_pPr().insert_element_before(
            spacing, "w:spacing", "w:ind", "w:jc", "w:outlineLvl"
        )
    if pitch is not None:
        layout.line_spacing_rule, layout.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(pitch)
    if indent:
        layout.first_line_indent = Pt(indent * size)
    if level is not None:  # so that Word's navigation lists it
        outline = OxmlElement("w:outlineLvl")
        outline.set(qn("w:val"), str(level))
        style.element.get_or_add_pPr().append(outline)
