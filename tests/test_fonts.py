"""The Chinese font: the machine's, else the package's, else words on how to get one."""

import importlib.util
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.ft2font import FT2Font

from qjmap import fonts
from qjmap.errors import FontError, QjmapError
from qjmap.fonts import Face


@pytest.fixture
def afresh():
    fonts.chinese.cache_clear()
    yield
    fonts.chinese.cache_clear()


@pytest.fixture
def bare(monkeypatch, afresh):
    """A machine without any Chinese font."""
    monkeypatch.setattr(fonts, "_system", list)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def test_the_face_found_is_simplified_chinese_and_can_write_the_district():
    font = fonts.chinese()
    face = FT2Font(str(font.path), face_index=font.index)
    assert font.family in fonts.FAMILIES
    assert face.family_name == font.family
    assert set(map(ord, fonts.NEEDED)) <= set(face.get_charmap())
    assert font.regular.weight <= 500
    assert font.bold.family == font.family


def test_the_simplified_face_of_a_collection_is_chosen_not_the_first():
    # the first face of Noto's collection is Japanese: 门 and 直 look wrong there
    path = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
    if not path.exists():
        pytest.skip("no Noto Sans CJK here")
    found = fonts._best(fonts._faces_of(path))
    assert found is not None
    assert (found.family, found.index > 0) == ("Noto Sans CJK SC", True)


def test_it_is_found_once():
    assert fonts.chinese() is fonts.chinese()


def test_without_a_font_the_reason_says_what_to_do(bare):
    with pytest.raises(FontError) as caught:
        fonts.chinese()
    for word in ("Noto Sans CJK SC", "apt-get install fonts-noto-cjk", "pip install mplfonts", "微软雅黑"):
        assert word in str(caught.value)
    assert isinstance(caught.value, QjmapError)
    assert isinstance(caught.value, RuntimeError)


def test_a_font_that_appears_later_is_found_later(bare, monkeypatch):
    with pytest.raises(FontError):
        fonts.chinese()
    monkeypatch.undo()
    assert fonts.chinese().family in fonts.FAMILIES


def test_the_package_serves_where_the_system_has_none(bare, monkeypatch, tmp_path):
    own = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
    if not own.exists():
        pytest.skip("no font to play the package's")
    (tmp_path / "fonts").mkdir()
    shutil.copy(own, tmp_path / "fonts" / "any-name.ttc")
    (tmp_path / "fonts" / "broken.otf").write_bytes(b"no font")
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found if name == "mplfonts" else None)
    assert fonts.chinese().path == tmp_path / "fonts" / "any-name.ttc"


def test_a_remembered_file_that_is_gone_is_passed_over():
    real = fonts.chinese().regular
    gone = Face(Path("/nowhere/gone.ttf"), 0, fonts.FAMILIES[0], 400)
    assert fonts._best([gone]) is None
    found = fonts._best([gone, real])
    assert found is not None
    assert found.path == real.path


def test_a_family_that_cannot_write_the_names_is_passed_over():
    import matplotlib

    latin = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    assert fonts._best([Face(latin, 0, "SimHei", 400)]) is None


def test_without_a_bold_face_the_regular_serves():
    real = fonts.chinese().regular
    found = fonts._best([real])
    assert found is not None
    assert found.bold == found.regular
    light = replace(real, weight=300)
    assert fonts._best([light, real]).regular == real  # type: ignore[union-attr]


def test_widths_are_those_of_the_glyphs():
    font = fonts.chinese()
    assert font.width("綦江区", 10) == pytest.approx(30)
    assert 4 < font.width("A", 10) < 8
    assert font.width("", 10) == 0


@given(st.text())
def test_what_cannot_be_drawn_becomes_a_box(text):
    font = fonts.chinese()
    shown = font.printable(text)
    assert len(shown) == len(text)
    assert font.printable(shown) == shown
    assert all(one.isprintable() or one == "\n" for one in shown)
    assert font.width(shown.replace("\n", ""), 8) >= 0


def test_control_characters_and_unknown_signs():
    assert fonts.chinese().printable("甲\x00乙\n😀") == "甲 乙\n□"
