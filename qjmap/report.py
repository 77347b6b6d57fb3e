"""The 短板通报 as files: Word from the office's template, PDF set by typst, and all towns in one zip.

What comes out of data is a value and never a part of a template: docxtpl gets it escaped in a sandbox, typst reads
it from a JSON file beside the template, in a folder of its own that the template cannot look out of.
"""

from __future__ import annotations

import io
import json
import logging
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import typst
from docx.image.exceptions import UnrecognizedImageError
from docx.image.image import Image
from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage
from jinja2.sandbox import SandboxedEnvironment

from qjmap import bulletin as bulletins
from qjmap import cartography, export, fonts, scenes, shortlist
from qjmap._template import add, restamp
from qjmap.assess import SHORT, Assessment
from qjmap.assumptions import Assumption
from qjmap.bulletin import Bulletin
from qjmap.district import ROOT, District
from qjmap.errors import DataError, Problem, QjmapError, why_unread
from qjmap.marks import notices

FOLDER = Path("data") / "templates"
DOCX, TYPST = "bulletin.docx", "bulletin.typ"
MAP_MM = (160.0, 200.0)
"""What a map on the second page should measure: width, height."""

_DPI = 200
_MAP_ROOM_MM = 45.0  # what stands above and below the map on its page
_REMEDY = "改正模板,或用程序自带的模板(python -m qjmap.cli build-templates --overwrite)"

# What XML forbids, and marks that hide text or turn it round.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]+"
)
_LONG = re.compile(r"([!-~]{24})(?=[!-~])")
_PACKAGE = re.compile(r"@[\w-]+/")

Draw = Callable[[str], tuple[bytes, bytes]]
"""Town → its map as PNG, and as PDF or SVG."""

Progress = Callable[[int, int, str], None]
"""Told how many of how many are done, and which comes next (empty at the end)."""


def template(name: str, root: Path | None = None) -> Path:
    """Give a template's path: the project's own, else the one beside the program."""
    own = (root or ROOT) / FOLDER / name
    return own if own.exists() else ROOT / FOLDER / name


def maps(district: District, found: Assessment, town: str | None = None) -> tuple[bytes, bytes]:
    """Draw the map of a bulletin: how many rules each town falls short of, with the town in focus.

    Returns
    -------
    tuple of bytes
        PNG for Word, PDF for the PDF; each `MAP_MM` large.
    """
    invented = any(one.demo for one in found if one.status == SHORT)
    scene, _ = scenes.shortage_scene(district, found, shortlist.lines(found), town=town)
    scene = replace(scene, notices=notices(district, demo=invented))
    png = cartography.inset(district, scene, MAP_MM, kind="png", dpi=_DPI)
    return png, cartography.inset(district, scene, MAP_MM, kind="pdf")


# ---- Word -----------------------------------------------------------------------------------------


class _Sandbox(SandboxedEnvironment):
    """Lets a template print and loop over values, and reach nothing behind them."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return not isinstance(obj, InlineImage) and super().is_safe_attribute(obj, attr, value)


def to_docx(bulletin: Bulletin, map_png: bytes, template: Path | bytes) -> bytes:
    """Fill the Word template.

    Parameters
    ----------
    bulletin
        What it says.
    map_png
        The map as PNG (or JPEG); set as large as the template's first section allows.
    template
        The .docx, as a path or its content.

    Returns
    -------
    bytes
        The .docx: the same for the same input.

    Raises
    ------
    DataError
        The template cannot be read or is broken; says which and what is wrong.
    QjmapError
        The map is no picture.
    """
    file, content = _read(template)
    try:
        filled = DocxTemplate(io.BytesIO(content))
        section = filled.get_docx().sections[0]
        values = {**_plain(bulletin), "map": _picture(filled, section, map_png)}
        filled.render(values, _Sandbox(undefined=jinja2.StrictUndefined), autoescape=True)
        filled.docx.core_properties.title = values["title"][:255]  # Word's limit; get_docx would start anew
        out = io.BytesIO()
        filled.save(out)
    except QjmapError:
        raise
    except Exception as error:  # a template may hold anything, and what goes wrong in it is its own
        raise DataError([_word_fault(file, error)]) from error
    return restamp(out.getvalue(), bulletin.when)


def _picture(filled: DocxTemplate, section: Any, map_png: bytes) -> InlineImage:
    """Set the map as large as the page allows."""
    try:
        picture = Image.from_blob(map_png)
        shape = picture.px_height / picture.px_width
    except (UnrecognizedImageError, ZeroDivisionError, ValueError, KeyError) as error:
        raise QjmapError("地图不是可用的图片(应为 PNG),通报没有生成") from error
    width = section.page_width - section.left_margin - section.right_margin
    height = section.page_height - section.top_margin - section.bottom_margin - Mm(_MAP_ROOM_MM)
    fit = int(min(width, height / shape))
    return InlineImage(filled, io.BytesIO(map_png), width=max(fit, 1))


def _word_fault(file: str, error: Exception) -> Problem:
    """Say in Chinese what is wrong with a Word template."""
    name = re.search(r"'([^']*)' is undefined|no attribute '([^']*)'", str(error))
    if isinstance(error, jinja2.exceptions.SecurityError):
        return Problem(file, None, None, _brief(error), "只填写字段、不运行程序的模板", _REMEDY)
    if isinstance(error, jinja2.UndefinedError) and name:
        found = f"{{{{ {name[1] or name[2]} }}}}"
        return Problem(file, None, None, found, "data/templates/README.md 所列的字段", _REMEDY)
    if isinstance(error, jinja2.TemplateError):
        return Problem(file, None, None, _brief(error), "成对的 {{ }} 和 {% %}", _REMEDY)
    return Problem(file, None, None, _brief(error), "Word 能打开的 .docx 模板", _REMEDY)


def _brief(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


# ---- PDF ------------------------------------------------------------------------------------------


def to_pdf(bulletin: Bulletin, map_svg_or_pdf: bytes, template: Path | str) -> bytes:
    """Set the PDF from the typst template.

    Parameters
    ----------
    bulletin
        What it says.
    map_svg_or_pdf
        The map as PDF, SVG or PNG.
    template
        The .typ, as a path or its text.

    Returns
    -------
    bytes
        The PDF, fonts embedded, dated by the bulletin.

    Raises
    ------
    DataError
        The template cannot be read or is broken; says which line and what is wrong.
    FontError
        The machine has no Chinese font.
    """
    file, content = (TYPST, template.encode()) if isinstance(template, str) else _read(template)
    if _PACKAGE.search(content.decode(errors="replace")):  # typst would fetch it from the network
        raise DataError([Problem(file, None, None, "@…", "不引用网上程序包的模板", _REMEDY)])
    font = fonts.chinese()
    with tempfile.TemporaryDirectory(prefix="qjmap-") as folder:
        root = Path(folder)
        picture = f"map.{_kind(map_svg_or_pdf)}"
        (root / picture).write_bytes(map_svg_or_pdf)
        values = _breaking({**_plain(bulletin), "map": picture, "font": font.family})
        (root / "data.json").write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
        (root / TYPST).write_bytes(content)
        try:
            return typst.compile(
                root / TYPST,
                root=root,
                font_paths=_faces(font.path.parent),
                timestamp=datetime.combine(bulletin.when, time(), UTC),
            )
        except typst.TypstError as error:
            raise DataError([_typst_fault(file, error)]) from error


@lru_cache(maxsize=2)
def _faces(folder: Path) -> typst.Fonts:
    """Look for fonts once: it takes longer than setting a bulletin."""
    return typst.Fonts(font_paths=[folder])


def _kind(picture: bytes) -> str:
    """Tell a picture's kind by how it begins."""
    if picture.startswith(b"%PDF"):
        return "pdf"
    return "png" if picture.startswith(b"\x89PNG") else "svg"


def _typst_fault(file: str, error: typst.TypstError) -> Problem:
    place = re.search(rf"{re.escape(TYPST)}:(\d+)", error.diagnostic)
    said = "map" if "image" in error.message or "SVG" in error.message else ""
    expected = "可用的地图(PDF、SVG 或 PNG)和能排版的模板" if said else "能排版的 typst 模板"
    return Problem(file, int(place[1]) if place else None, None, error.message, expected, _REMEDY)


# ---- values ---------------------------------------------------------------------------------------


def _read(template: Path | bytes) -> tuple[str, bytes]:
    """Give a template's name and content."""
    if isinstance(template, bytes):
        return DOCX, template
    try:
        return str(FOLDER / template.name), template.read_bytes()
    except OSError as error:
        raise DataError(
            [Problem(str(template), None, None, why_unread(error), "可以读取的模板", _REMEDY)]
        ) from error


def _plain(bulletin: Bulletin) -> dict[str, Any]:
    """Give a bulletin as plain lists and texts, without control characters."""
    values: dict[str, Any] = _clean(asdict(bulletin))
    return {**values, "when": bulletin.when.isoformat(), "day": bulletin.day}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _CONTROL.sub(" ", value).strip()
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, (tuple, list)) else value


def _breaking(value: Any) -> Any:
    """Let long runs of Latin letters break, so that none runs out of its cell."""
    if isinstance(value, str):
        return _LONG.sub("\\1\u200b", value)
    if isinstance(value, dict):
        return {key: _breaking(one) for key, one in value.items()}
    return [_breaking(one) for one in value] if isinstance(value, list) else value


# ---- all towns ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Made:
    """A file that went well, or why it did not."""

    name: str
    content: bytes = b""
    fault: str = ""


def town_zip(
    district: District,
    found: Assessment,
    draw: Draw | None = None,
    *,
    when: date,
    assumptions: Iterable[Assumption] | None = None,
    errata: pd.DataFrame | None = None,
    number: str = "",
    progress: Progress | None = None,
    towns: Sequence[str] | None = None,
    docx_template: Path | bytes | None = None,
    pdf_template: Path | str | None = None,
) -> bytes:
    """Make every town's bulletin and put them into one zip: a folder `Word`, a folder `PDF`, 说明.txt.

    Parameters
    ----------
    district, found, when, assumptions, errata, number
        As for `bulletin.town_bulletin`.
    draw
        Gives a town's map: PNG for Word, PDF or SVG for PDF; by default `maps`.
    progress
        Called before each town and at the end: done, total, the town that comes next.
    towns
        The towns wanted; by default all, in the district's order.
    docx_template, pdf_template
        By default those of the project.

    Returns
    -------
    bytes
        The zip. A town that fails is left out and told in 说明.txt.

    Raises
    ------
    QjmapError
        Not one file could be made.
    """
    names = [str(town) for town in (district.towns.index if towns is None else towns)]
    word = docx_template or template(DOCX, district.root)
    typ = pdf_template or template(TYPST, district.root)
    own = draw or (lambda town: maps(district, found, town))
    tell = progress or (lambda done, total, name: None)
    made: list[_Made] = []
    for place, town in enumerate(names):
        tell(place, len(names), town)
        stem = (
            f"{place + 1:02d}_{export.file_name(town, '短板通报', when=when, suffix='x').rsplit('_', 1)[0]}"
        )

        def write(town: str = town) -> Bulletin:
            return bulletins.town_bulletin(
                district, found, town, when=when, assumptions=assumptions, errata=errata, number=number
            )

        made += _of_town(stem, town, write, own, word, typ)
    tell(len(names), len(names), "")
    good = [one for one in made if not one.fault]
    if made and not good:
        raise QjmapError(f"各街镇通报都没有生成:{made[0].fault}")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for one in good:
            add(archive, one.name, one.content, when)
        add(archive, "说明.txt", _explain(district, when, len(names), made).encode("utf-8-sig"), when)
    return out.getvalue()


def _of_town(
    stem: str, town: str, write: Callable[[], Bulletin], draw: Draw, word: Path | bytes, typ: Path | str
) -> list[_Made]:
    """Make a town's two files; what goes wrong with one does not lose the other."""
    names = (f"Word/{stem}.docx", f"PDF/{stem}.pdf")
    try:
        said, (png, vector) = write(), draw(town)
    except Exception as error:
        return [_Made(name, fault=_why(error)) for name in names]
    made = []
    makers: tuple[Callable[[], bytes], ...] = (
        lambda: to_docx(said, png, word),
        lambda: to_pdf(said, vector, typ),
    )
    for name, make in zip(names, makers, strict=True):
        try:
            made.append(_Made(name, make()))
        except Exception as error:
            made.append(_Made(name, fault=_why(error)))
    return made


def _why(error: Exception) -> str:
    """Say why something was not made; what nobody foresaw goes to the log, not to the reader."""
    if isinstance(error, QjmapError):
        return str(error)
    logging.getLogger(__name__).error("bulletin not made", exc_info=error)
    return f"程序出错({type(error).__name__}),详情见运行日志"


def _explain(district: District, when: date, towns: int, made: Sequence[_Made]) -> str:
    """Write 说明.txt: what is in the zip, and what is not and why."""
    bad = [one for one in made if one.fault]
    said = [
        f"{district.name}各街镇短板通报",
        f"日期:{when.year}年{when.month}月{when.day}日",
        f"街镇 {towns} 个,文件 {len(made) - len(bad)} 份(Word、PDF 各一)。",
        *(f"没有生成:{one.name}。{one.fault}" for one in bad),
    ]
    return "\r\n".join((*said, ""))
