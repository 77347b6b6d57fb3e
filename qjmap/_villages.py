"""Villages known again by the names that people give them: their codes, their town, their name in full."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from qjmap.layers import LayerSpec

_COMMITTEE = re.compile("(?:居民委员会|村民委员会|居委会|村委会)$")
_SHORT = (("居委会", "居民委员会"), ("村委会", "村民委员会"))
_CODE = re.compile(r"\d{12}")
TOWN_DIGITS = 9
"""A village's code begins with its town's."""


def tells(spec: LayerSpec) -> frozenset[str]:
    """Name the columns of a layer or table of villages that the list of villages can fill; none of any other."""
    if not {"code", "name", "town"} <= spec.columns.keys():
        return frozenset()
    return frozenset({"code", "town", "town_code"} & spec.columns.keys())


@dataclass(frozen=True)
class Village:
    """One of the list: its code and its name in full."""

    code: str
    name: str
    town: str


@dataclass
class Villages:
    """The list of villages, to be asked for one by town and name.

    Parameters
    ----------
    frame
        Columns `name`, `town` and, if known, `code`.
    town_codes
        Code of each town by its name.
    """

    frame: pd.DataFrame
    town_codes: Mapping[str, str]
    _towns: dict[str, list[tuple[tuple[str, ...], Village]]] = field(init=False)

    def __post_init__(self) -> None:
        frame = self.frame
        codes = frame["code"] if "code" in frame else pd.Series("", index=frame.index)
        rows = zip(
            codes.fillna("").astype("str"),
            frame["name"].astype("str"),
            frame["town"].astype("str"),
            strict=True,
        )
        self._towns = {}
        for row in rows:
            one = Village(*row)
            self._towns.setdefault(one.town, []).append((_forms(one.name), one))
        self._names = {code[:TOWN_DIGITS]: name for name, code in self.town_codes.items() if code}

    def town_of(self, code: str) -> str:
        """Give the town of a village's code; blank when it is none of the district's."""
        return self._names.get(code[:TOWN_DIGITS], "") if _CODE.fullmatch(code) else ""

    def code_of(self, town: str, code: str) -> str:
        """Give the code of a town by its name, else by a village's code; blank when neither says it."""
        return self.town_codes.get(town, "") or (code[:TOWN_DIGITS] if _CODE.fullmatch(code) else "")

    def find(self, town: str, name: str) -> Village | None:
        """Find the one village of a town that a name means; None when there is none, or several."""
        folded = re.sub(r"\s", "", unicodedata.normalize("NFKC", name)).removeprefix(town)
        there = self._towns.get(town, [])
        full, bare, _ = _forms(folded)
        # 红旗 is 红旗村 or 红旗社区, whichever there is; 红旗村 is 红旗村社区, but never 红旗社区
        for wanted, level in ((full, 0), (bare, 1), (bare, 2)):
            found = [one for forms, one in there if forms[level] == wanted]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def near(self, town: str, name: str) -> str:
        """Give the name in the town that is most like another; blank when none is."""
        return next(
            iter(difflib.get_close_matches(name, [one.name for _, one in self._towns.get(town, [])], n=1)), ""
        )


def _forms(name: str) -> tuple[str, str, str]:
    """Give a name in full, without its committee, and without 村 or 社区: the ways in which people write it."""
    for short, full in _SHORT:
        name = name[: -len(short)] + full if name.endswith(short) else name
    bare = _COMMITTEE.sub("", name)
    stem = bare.removesuffix("社区") if bare.endswith("社区") else bare.removesuffix("村")
    return name, bare, stem or bare
