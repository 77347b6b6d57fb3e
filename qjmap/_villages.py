"""Villages known again by the names that people give them: their codes, their town, their name in full."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from qjmap._bench import Work, as_list
from qjmap.errors import Problem
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


def know_villages(work: Work) -> None:
    """Fill what the list of villages knows of a village that the file names: its code, its town, its full name."""
    fills = tells(work.spec)
    if not fills:
        return
    book = Villages(work.around.gazetteer.villages, work.around.town_codes)
    found: dict[str, dict[int, tuple[str, str]]] = {key: {} for key in ("town", "code", "town_code", "name")}
    texts = [as_list(work.cells[key]) for key in ("code", "town", "name")]
    blank = [not one for one in as_list(work.cells["town_code"])] if "town_code" in fills else []
    for place, (code, town, name) in enumerate(zip(*texts, strict=True)):
        if work.left[place] or not (code or name):
            continue
        if not town and (town := book.town_of(code)):
            found["town"][place] = town, f"由统计代码得知在{town}"
        known = book.find(town, name)
        if known is None and name and not code:
            _unknown_village(work, place, town, name, book.near(town, name))
        if known is not None and known.code and not code:
            found["code"][place] = known.code, f"村(社区)名册中{town}{known.name}的代码"
        elif known is not None and known.code and code != known.code:
            advice = f"名册中{town}{known.name}的代码是 {known.code};请核对代码或名称"
            work.warnings.append(
                Problem(work.file, int(work.rows[place]), work.told("code"), code, "名册中的代码", advice)
            )
        if "town_code" in fills and blank[place]:
            own = book.code_of(town, code)
            if own:
                found["town_code"][place] = own, f"{town or '该村(社区)'}的代码"
        if "town_code" in fills and known is not None and known.name != name and code in ("", known.code):
            found["name"][place] = known.name, "名册中的全称"
    for key, values in found.items():
        if values and (key in fills or key == "name"):
            new, whys = zip(*values.values(), strict=True)
            work.for_cells(key, list(values), list(new), f"village-{key.replace('_', '-')}", list(whys))


def _unknown_village(work: Work, place: int, town: str, name: str, near: str) -> None:
    where = f"名册中{town}没有这个名称,或有几个" if town else "没有写街镇,不知是哪一个"
    advice = f"{where}{f';是否为“{near}”' if near else ''}:请写统计代码,或照名册写全称"
    row = int(work.rows[place])
    work.warnings.append(Problem(work.file, row, work.told("name"), name, "名册中的村(社区)", advice))
