"""Maps on paper: a `Scene` with a title, a legend and everything a printed map must say, as PNG, PDF or SVG.

Drawn with matplotlib in the district's working projection, so the scale bar and the printed ratio are true. No state is
shared between figures (no pyplot, no rcParams), so any thread may draw. The PDF holds vectors and embedded fonts only.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from qjmap import fonts
from qjmap._furniture import (
    Entry,
    Laid,
    Page,
    legend,
    north_arrow,
    paragraph,
    scale_bar,
    shorten,
    stack,
)
from qjmap._mapbody import draw_map, entries, expected, locator
from qjmap._view import focused, view_of
from qjmap.district import District
from qjmap.webmap import PALETTE, Scene

__all__ = ["PAPERS", "Paper", "Sheet", "draw", "inset", "sheet_for", "to_pdf", "to_png", "to_svg"]

_SIZES_MM = {"A4": (210.0, 297.0), "A3": (297.0, 420.0)}
_TEXT_PT = {"A4": 8.0, "A3": 10.5}

NO_REVIEW_NUMBER = "(未取得)"

#: No inset is smaller: width, height.
SMALLEST_MM = (60.0, 40.0)

#: Text shrinks by these shares until everything has room; then it is cut with “…”.
_SHRINK = (1.0, 0.92, 0.85, 0.78, 0.7)


@dataclass(frozen=True)
class Paper:
    """A sheet's format."""

    key: Literal["A4", "A3"]
    landscape: bool = False

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height in millimetres."""
        width, height = _SIZES_MM[self.key]
        return (height, width) if self.landscape else (width, height)

    @property
    def label(self) -> str:
        """Its name for a choice on the screen."""
        return f"{self.key} {'横向' if self.landscape else '纵向'}"


PAPERS = tuple(Paper(key, landscape) for key in ("A4", "A3") for landscape in (False, True))


@dataclass(frozen=True)
class Sheet:
    """What stands round the map.

    Parameters
    ----------
    title, subtitle
        At the head.
    when
        The day of making.
    sources
        Documents and registers that the map rests on.
    notes
        What else must be said (year, assumptions, a person's own figures …).
    clause
        The rule that holds, with document and page or article: “依据:…”.
    review_number
        审图号; an empty one is printed as not obtained.
    internal
        The mark at the upper right corner, such as 内部资料; none when empty.
    office
        Who made the map; none when empty.
    """

    title: str
    subtitle: str
    when: date
    sources: Sequence[str] = ()
    notes: Sequence[str] = ()
    clause: str = ""
    review_number: str = ""
    internal: str = ""
    office: str = ""


def sheet_for(
    district: District,
    title: str,
    when: date,
    *,
    subtitle: str = "",
    sources: Sequence[str] = (),
    notes: Sequence[str] = (),
    clause: str = "",
) -> Sheet:
    """Make a sheet with what the district's settings say of paper."""
    own = district.settings
    return Sheet(title, subtitle, when, sources, notes, clause, own.review_number, own.internal, own.office)


# ---- files -----------------------------------------------------------------------------------------


def to_png(figure: Figure, dpi: int = 300) -> bytes:
    """Render as PNG; each side is its length in pixels, rounded (A4 at 300 dpi: 2480 × 3508)."""
    size = figure.get_size_inches().copy()
    try:
        # matplotlib cuts half pixels off; a hair more than whole ones gives the rounded size
        figure.set_size_inches(*((round(side * dpi) + 0.01) / dpi for side in size))
        return _saved(figure, "png", dpi=dpi)
    finally:
        figure.set_size_inches(*size)


def to_pdf(figure: Figure) -> bytes:
    """Write as a vector PDF of one page, its fonts embedded (as far as used)."""
    about = {"Title": figure.get_label(), "Creator": "qjmap", "CreationDate": None}
    return _saved(figure, "pdf", metadata=about)


def to_svg(figure: Figure) -> bytes:
    """Write as SVG with the text as outlines, so that no reader needs the font."""
    return _saved(figure, "svg", metadata={"Title": figure.get_label(), "Date": None})


def _saved(figure: Figure, kind: str, **how: object) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format=kind, **how)  # type: ignore[arg-type]
    return out.getvalue()


# ---- sheets ----------------------------------------------------------------------------------------


def draw(district: District, scene: Scene, sheet: Sheet, paper: Paper) -> Figure:
    """Draw a sheet.

    Parameters
    ----------
    district
        Its boundaries, projection and settings.
    scene
        What is on the map, as on the screen.
    sheet
        What stands round it.
    paper
        The format.

    Returns
    -------
    matplotlib.figure.Figure
        For `to_png`, `to_pdf`, `to_svg`.

    Raises
    ------
    FontError
        The machine has no Chinese font.
    """
    figure, page = _figure(paper.size_mm, _TEXT_PT[paper.key], fonts.chinese())
    figure.set_label(page.font.printable(sheet.title))
    margin = page.size * 1.5
    top = _head(page, sheet, margin)
    bottom = _foot(page, sheet, margin)
    _body(
        figure,
        page,
        district,
        scene,
        (margin, top, page.width - 2 * margin, bottom - top),
        said=_said(sheet),
        beside=paper.landscape,
        ratio=True,
    )
    return figure


def inset(
    district: District,
    scene: Scene,
    size_mm: tuple[float, float],
    *,
    kind: Literal["png", "pdf", "svg"] = "png",
    dpi: int = 300,
) -> bytes:
    """Draw the bare map with legend, scale bar and north arrow, to stand in a document of one's own.

    Parameters
    ----------
    district, scene
        As for `draw`.
    size_mm
        Width and height.
    kind
        Word takes PNG; typst takes SVG or PDF.
    dpi
        For PNG.

    Raises
    ------
    FontError
        The machine has no Chinese font.
    ValueError
        `size_mm` is smaller than `SMALLEST_MM`: its key would have no room.
    """
    if size_mm[0] < SMALLEST_MM[0] or size_mm[1] < SMALLEST_MM[1]:
        raise ValueError(
            f"插图至少 {SMALLEST_MM[0]:g}×{SMALLEST_MM[1]:g} 毫米,现为 {size_mm[0]:g}×{size_mm[1]:g}"
        )
    figure, page = _figure(size_mm, min(8.0, max(5.5, min(size_mm) / 18)), fonts.chinese())
    figure.set_label(district.name)
    edge = 0.6
    box = (edge, edge, page.width - 2 * edge, page.height - 2 * edge)
    _body(figure, page, district, scene, box, said=(), beside=size_mm[0] > size_mm[1] * 0.85, ratio=False)
    if kind == "png":
        return to_png(figure, dpi)
    return to_pdf(figure) if kind == "pdf" else to_svg(figure)


def _figure(size_mm: tuple[float, float], text_pt: float, font: fonts.Font) -> tuple[Figure, Page]:
    width, height = size_mm
    figure = Figure(figsize=(width / 25.4, height / 25.4), dpi=300, facecolor="white")
    FigureCanvasAgg(figure)
    return figure, Page.on(figure, font, text_pt)


def _head(page: Page, sheet: Sheet, margin: float) -> float:
    """Write mark, title and subtitle; give where the map may begin."""
    y, room, middle = margin * 0.75, page.width - 2 * margin, page.width / 2
    if sheet.internal.strip():
        lines = page.wrap(sheet.internal, room / 2, size=page.size * 1.1, bold=True)
        mark = shorten(page.font, lines, 1, room / 2, page.size * 1.1, bold=True)[0]
        page.text(page.width - margin, y, mark, size=page.size * 1.1, bold=True, align="right")
        y += page.line_height(page.size * 1.1)
    for size in (2.6, 2.2, 1.8, 1.5):
        lines = page.wrap(sheet.title, room, size=page.size * size, bold=True)
        if len(lines) <= (1 if size > 2 else 2):
            break
    lines = shorten(page.font, lines, 2, room, page.size * size, bold=True)
    for line in lines:
        page.text(middle, y, line, size=page.size * size, bold=True, align="center")
        y += page.line_height(page.size * size) * 0.92
    if sheet.subtitle.strip():
        size = 1.2 * page.size
        under = page.wrap(sheet.subtitle, room, size=size)
        for line in shorten(page.font, under, 2, room, size):
            page.text(middle, y, line, size=size, align="center", colour="#515b64")
            y += page.line_height(size)
    return y + 1.5


def _foot(page: Page, sheet: Sheet, margin: float) -> float:
    """Write 审图号, office and day; give where the map must end."""
    number = sheet.review_number.strip() or NO_REVIEW_NUMBER
    made = f"{sheet.when.year}年{sheet.when.month}月{sheet.when.day}日编制"
    size, room = page.size, (page.width - 2 * margin) / 2 - 3
    right = f"{sheet.office.strip()}  {made}".strip()
    left_lines = shorten(page.font, page.wrap(f"审图号:{number}", room), 3, room, size)
    # the day stands last and must not be cut away by a long name
    right_lines = page.wrap(right, room)
    if len(right_lines) > 3:
        right_lines = [*shorten(page.font, page.wrap(sheet.office, room), 2, room, size), made]
    y = page.height - margin * 0.75 - page.line_height() * max(len(left_lines), len(right_lines))
    for number_, line in enumerate(left_lines):
        page.text(margin, y + number_ * page.line_height(), line)
    for number_, line in enumerate(right_lines):
        page.text(page.width - margin, y + number_ * page.line_height(), line, align="right")
    return y - 1.0


def _said(sheet: Sheet) -> tuple[tuple[str, Sequence[str]], ...]:
    """Give the sections of text beside the map."""
    sections = []
    notes = [*([sheet.clause] if sheet.clause.strip() else []), *sheet.notes]
    if notes:
        sections.append(("说明", notes))
    if sheet.sources:
        sections.append(("资料来源", list(sheet.sources)))
    return tuple(sections)


# ---- the map and what explains it ------------------------------------------------------------------


def _body(
    figure: Figure,
    page: Page,
    district: District,
    scene: Scene,
    box: tuple[float, float, float, float],
    *,
    said: Sequence[tuple[str, Sequence[str]]],
    beside: bool,
    ratio: bool,
) -> None:
    """Fill a box (x, y, width, height) with banner, map, its note, and the panel beside or below it."""
    x, y, width, height = box
    taken = _banner(page, scene, x, y, width)
    y, height = y + taken, height - taken
    note = _plain_notices(district, scene)
    note_lines = shorten(page.font, page.wrap(note, width), 3, width, page.size)
    note_height = page.line_height() * len(note_lines) + 0.6
    height -= note_height
    panel = _Panel(page, district, scene, said, beside=beside, ratio=ratio)
    gap = page.size * 0.45
    if beside:
        wide = max(width * 0.24, min(50.0, width * 0.3))
        panel.fit(wide, height)
        frame = (x, y, width - wide - gap, height)
        corner = (x + width - wide, y)
    else:
        high = panel.fit(width, height * 0.36)
        frame = (x, y, width, height - high - gap)
        corner = (x, y + height - high + note_height)
    view, drawn = draw_map(figure, page, district, scene, frame)
    for number, line in enumerate(note_lines):
        page.text(x, frame[1] + frame[3] + 0.6 + number * page.line_height(), line, colour="#515b64")
    panel.draw(*corner, view.denominator, entries(district, scene, drawn, page))


def _plain_notices(district: District, scene: Scene) -> str:
    """Join what must be said of the map; whose lines they are is said even if the scene forgot it."""
    own = [] if district.boundaries.empty else [district.boundary_notice]
    said = dict.fromkeys([*own, *(text for text, strong in scene.notices if not strong)])
    return "注:" + ";".join(said) + "。" if said else ""


def _banner(page: Page, scene: Scene, x: float, y: float, width: float) -> float:
    """Write what must not be missed, white on dark across the whole width; give its height."""
    said = ";".join(text for text, strong in scene.notices if strong)
    if not said:
        return 0.0
    size = page.size * 1.35
    lines = shorten(
        page.font, page.wrap(said, width - 4, size=size, bold=True), 2, width - 4, size, bold=True
    )
    height = page.line_height(size) * len(lines) + 1.0
    page.rectangle(x, y, width, height, facecolor=PALETTE["warn"], linewidth=0)
    for number, line in enumerate(lines):
        top = y + 0.5 + number * page.line_height(size)
        page.text(x + width / 2, top, line, size=size, bold=True, colour="#ffffff", align="center")
    return height + 1.5


class _Panel:
    """Legend, scale bar, north arrow, locator and text: measured to fit, then drawn."""

    def __init__(
        self,
        page: Page,
        district: District,
        scene: Scene,
        said: Sequence[tuple[str, Sequence[str]]],
        *,
        beside: bool,
        ratio: bool,
    ) -> None:
        self.page, self.district, self.scene, self.said = page, district, scene, said
        self.beside, self.ratio = beside, ratio
        self.town = focused(district, scene)
        self.size = page.size
        self.width = self.room = 0.0

    def fit(self, width: float, room: float) -> float:
        """Choose the size of the text so that everything has room; give the height needed."""
        self.width, self.room = width, room
        rows = entries(self.district, self.scene, expected(self.district, self.scene, self.page), self.page)
        denominator = view_of(self.district, self.scene, width, max(room, 10.0)).denominator
        for share in _SHRINK:
            self.size = self.page.size * share
            height = self._lay(denominator, rows).height
            if height <= room:
                break
        return min(height, room)

    def draw(self, x: float, y: float, denominator: int, rows: Sequence[Entry]) -> None:
        """Draw the panel at its upper left corner."""
        self._lay(denominator, rows, cut=True).draw(x, y)

    def _lay(self, denominator: int, rows: Sequence[Entry], *, cut: bool = False) -> Laid:
        return self._column(denominator, rows, cut) if self.beside else self._strip(denominator, rows, cut)

    def _column(self, denominator: int, rows: Sequence[Entry], cut: bool) -> Laid:
        gap = self.size * 0.5
        orientation = self._orientation(denominator, self.width)
        room = self.room - orientation.height - 2 * gap
        key = self._legend(rows, self.width, room if cut else None)
        text = self._text(self.width, room - key.height if cut else None)
        return stack([one for one in (key, orientation, text) if one.height], gap)

    def _strip(self, denominator: int, rows: Sequence[Entry], cut: bool) -> Laid:
        gap = self.size * 0.7
        shares = (0.37, 0.26, 0.37) if self.said else (0.7, 0.3)
        columns = [share * (self.width - gap * (len(shares) - 1)) for share in shares]
        room = self.room if cut else None
        blocks = [
            self._legend(rows, columns[0], room, columns=2 if self.said else 3),
            self._orientation(denominator, columns[1]),
        ]
        if self.said:
            blocks.append(self._text(columns[2], room))

        def draw(x: float, y: float) -> None:
            for block, wide in zip(blocks, columns, strict=True):
                block.draw(x, y)
                x += wide + gap

        return Laid(max(block.height for block in blocks), draw)

    def _legend(self, rows: Sequence[Entry], width: float, room: float | None, columns: int = 1) -> Laid:
        title = paragraph(self.page, ["图例"], size=self.size * 1.15, bold=True)
        for number in range(len(rows), -1, -1):
            more = [Entry(f"…另有 {len(rows) - number} 项")] if number < len(rows) else []
            shown = [*rows[:number], *more]
            block = stack([title, legend(self.page, shown, width, size=self.size, columns=columns)], 0.8)
            if room is None or block.height <= room:
                break
        return block if rows else Laid(0.0, lambda x, y: None)

    def _orientation(self, denominator: int, width: float) -> Laid:
        """Lay arrow and scale bar, and under them where the town lies."""
        arrow = north_arrow(self.page, self.size * 1.7)
        beside = self.size * 1.7 * 0.6 + 2
        bar = scale_bar(self.page, denominator, width - beside, size=self.size, ratio=self.ratio)
        high = max(arrow.height, bar.height)

        def draw(x: float, y: float) -> None:
            arrow.draw(x, y + (high - arrow.height) / 2)
            bar.draw(x + beside, y + (high - bar.height) / 2)

        blocks = [Laid(high, draw)]
        if self.town is not None:
            tall = self.size * (4.5 if self.beside else 3.2)
            words = paragraph(self.page, [f"在{self.district.settings.short_name}的位置"], size=self.size)
            blocks += [words, locator(self.page, self.district, self.town, min(width, tall), tall)]
        return stack(blocks, 1.0)

    def _text(self, width: float, room: float | None) -> Laid:
        """Lay the sections; where there is no room, the longest is cut with “…”."""
        page, size = self.page, self.size
        texts = [
            [part for line in lines for part in page.wrap(line, width, size=size)] for _, lines in self.said
        ]
        kept = [len(lines) for lines in texts]
        while True:
            blocks = []
            for (title, _), lines, most in zip(self.said, texts, kept, strict=True):
                head = paragraph(page, [title], size=size * 1.15, bold=True)
                body = paragraph(page, shorten(page.font, lines, most, width, size), size=size)
                blocks.append(stack([head, body], 0.2))
            whole = stack(blocks, 1.2)
            if room is None or whole.height <= room or max(kept, default=1) <= 1:
                return whole
            kept[kept.index(max(kept))] -= 1
