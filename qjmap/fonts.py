"""The machine's Chinese font for paper and charts: a system's own, else the optional package `mplfonts`."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font, LoadFlags

from qjmap.errors import FontError

#: Families for simplified Chinese, sans first: what Linux, Windows, macOS and `mplfonts` bring.
FAMILIES = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Noto Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Heiti SC",
    "STHeiti",
    "SimHei",
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "STSong",
    "SimSun",
)

#: A font without these cannot write the names of the district.
NEEDED = "綦江区街镇界线短缺审图号示意"

ADVICE = (
    "没有找到中文字体,不能出图。已查找系统字体({looked})和 Python 包 mplfonts。"
    "请任选一种办法安装:Debian/Ubuntu 执行 apt-get install fonts-noto-cjk;"
    "或在本程序的环境中执行 pip install mplfonts;Windows 自带“微软雅黑”,如已删除请恢复。装好后重新启动本程序。"
)

_BOLD = 600


@dataclass(frozen=True)
class Face:
    """One face of a font file; `index` is its number in a collection (.ttc), 0 otherwise."""

    path: Path
    index: int
    family: str
    weight: int

    @cached_property
    def handle(self) -> font_manager.FontPath:
        """What matplotlib takes as `fname`."""
        return font_manager.FontPath(str(self.path), self.index)


@dataclass(frozen=True)
class Font:
    """A Chinese font: its regular face and its bold one (the regular again where there is none).

    Attributes
    ----------
    path, index, family
        The regular face: file, number of the face in it, family.
    """

    regular: Face
    bold: Face

    @property
    def path(self) -> Path:
        """The file of the regular face; its folder is what typst and vl-convert ask for."""
        return self.regular.path

    @property
    def index(self) -> int:
        """The number of the regular face in its file."""
        return self.regular.index

    @property
    def family(self) -> str:
        """The family's name."""
        return self.regular.family

    def properties(self, *, bold: bool = False, size: float = 10) -> font_manager.FontProperties:
        """Give what matplotlib's `fontproperties` takes: this very file and face, whatever else is installed."""
        face = self.bold if bold else self.regular
        return font_manager.FontProperties(fname=face.handle, size=size)

    def printable(self, text: str) -> str:
        """Put □ for what the font cannot draw and a space for control characters; line feeds stay."""
        known = _characters(self.regular)
        return "".join(
            one if one == "\n" else " " if not one.isprintable() else one if ord(one) in known else "□"
            for one in text
        )

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Give the width of one line of text in points, without kerning."""
        face = self.bold if bold else self.regular
        return size * sum(_advance(face, one) for one in text)


@lru_cache(maxsize=1)
def chinese() -> Font:
    """Find the machine's Chinese font.

    Returns
    -------
    Font
        Simplified Chinese, sans where there is one. Remembered; an absence is not.

    Raises
    ------
    FontError
        Neither the system nor `mplfonts` has one; says what was looked for and how to install one.
    """
    found = _best(_system()) or _best(_packaged())
    if found is None:
        raise FontError(ADVICE.format(looked="、".join(FAMILIES[:5]) + " 等"))
    return found


def _best(faces: Iterable[Face]) -> Font | None:
    """Choose the first family that can write the district's names, with its regular and its bold face."""
    by_family: dict[str, list[Face]] = {}
    for face in faces:
        by_family.setdefault(face.family, []).append(face)
    for family in FAMILIES:
        own = sorted(by_family.get(family, ()), key=lambda one: (abs(one.weight - 400), str(one.path)))
        own = [face for face in own if face.path.is_file()]
        if own and _writes(own[0]):
            bold = [one for one in own if one.weight >= _BOLD and _writes(one)]
            return Font(own[0], min(bold, key=lambda one: abs(one.weight - 700), default=own[0]))
    return None


def _system() -> list[Face]:
    """List the system's faces as matplotlib remembers them; look anew where its memory knows none of ours."""
    faces = [_face(one) for one in font_manager.fontManager.ttflist]
    if any(face.family in FAMILIES for face in faces):
        return faces
    known = {str(face.path) for face in faces}
    for path in font_manager.findSystemFonts():
        if path not in known:  # installed after matplotlib looked for the first time
            faces += _faces_of(Path(path))
    return faces


def _packaged() -> Iterator[Face]:
    """List the faces that the package `mplfonts` brings, without importing it."""
    spec = importlib.util.find_spec("mplfonts")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).rglob("*.[ot]t[fc]")):
            yield from _faces_of(path)


def _faces_of(path: Path) -> list[Face]:
    """Read the faces of one file; none of a file that is no font."""
    try:
        number = FT2Font(str(path)).num_faces
        fonts = [FT2Font(str(path), face_index=index) for index in range(number)]
    except (OSError, RuntimeError, ValueError):
        return []
    return [_face(font_manager.ttfFontProperty(font)) for font in fonts]


def _face(entry: font_manager.FontEntry) -> Face:
    weight = entry.weight if isinstance(entry.weight, int) else 400
    return Face(Path(entry.fname), entry.index, entry.name, weight)


def _writes(face: Face) -> bool:
    return _characters(face).issuperset(map(ord, NEEDED))


@lru_cache(maxsize=8)
def _characters(face: Face) -> frozenset[int]:
    return frozenset(_open(face).get_charmap())


@lru_cache(maxsize=20_000)
def _advance(face: Face, character: str) -> float:
    """Give a character's advance as a share of the font size."""
    font = _measure(face)
    font.load_char(ord(character), flags=LoadFlags.NO_HINTING)
    return float(font.load_char(ord(character), flags=LoadFlags.NO_HINTING).linearHoriAdvance) / 65536 / 100


def _open(face: Face) -> FT2Font:
    return FT2Font(str(face.path), face_index=face.index)


def _measure(face: Face) -> FT2Font:
    """Open a face at 100 px, one for each thread: FreeType's faces are not shared between them."""
    font: FT2Font = font_manager.get_font(face.handle)
    font.set_size(100, 72)
    return font
