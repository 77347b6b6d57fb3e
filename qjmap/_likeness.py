"""Which known word a strange one is probably a slip of: long ones by likeness, short ones only by their signs."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

_LIKE = 0.6
"""Share of the letters that two words have in common, from which one may be a slip of the other."""
_TELLING = 3
"""Letters from which likeness says something: 已建 and 在建, 万东镇 and 东溪镇 share half and mean something else."""
_ENDINGS = ("街道", "社区", "镇", "乡", "村")
_NUMERALS = str.maketrans("123456789", "一二三四五六七八九")
_ROMAN = {"I": "一", "II": "二", "III": "三", "IV": "四", "V": "五"}


def same_but_signs(word: str, known: Iterable[str]) -> str:
    """Give the known word that differs in brackets, blanks and the way of its numerals alone; blank when none does."""
    plain = _plain(word[:60])
    return next((one for one in known if plain and plain == _plain(one)), "")


def nearest(word: str, known: Iterable[str]) -> str:
    """Give the known word that another is probably a slip of; blank when none is.

    Parameters
    ----------
    word
        As somebody wrote it.
    known
        The words that there are.

    Returns
    -------
    str
        The word that differs in its signs alone (小(1)型 for 小(一)型), else the most alike of three letters and more.
    """
    choices = [one for one in known if one]
    if same := same_but_signs(word, choices):
        return same
    stem = _stem(_plain(word[:60]))
    if len(stem) < _TELLING:
        return ""
    stems = {_stem(_plain(one)): one for one in choices if len(_stem(_plain(one))) >= _TELLING}
    found = difflib.get_close_matches(stem, list(stems), n=1, cutoff=_LIKE)
    return stems[found[0]] if found else ""


def _plain(word: str) -> str:
    """Give a word without brackets, blanks and signs, its numerals as 汉字."""
    parts = re.findall(r"\w+", unicodedata.normalize("NFKC", word))
    said = "".join(parts).translate(_NUMERALS)
    return re.sub("[IV]+", lambda roman: _ROMAN.get(roman[0], roman[0]), said)


def _stem(word: str) -> str:
    """Give a name without the ending that says only what kind of place it is: all of its kind have it."""
    for ending in _ENDINGS:
        if word.endswith(ending) and word != ending:
            return word.removesuffix(ending)
    return word
