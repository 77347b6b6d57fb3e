"""What is missing, for which rule, and who can say it: every answer 数据不足 turned into a request.

A request is one thing that is not known: a register that nobody has given, a column left blank for some records,
a list or a line that a rule names as missing, a place of a record, or a figure that this map only estimates. One
thing may be wanted by several rules, and one grey answer may want several things.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from qjmap._case import Bools, column_for, judge
from qjmap.assess import NOT_APPLICABLE, NOWHERE, UNKNOWN, WHOLE, Assessment, Finding
from qjmap.assumptions import Assumption
from qjmap.checks import LISTED
from qjmap.district import District
from qjmap.registers import Layer
from qjmap.standards import Rule, Standards

REGISTER, COLUMN, LIST, AREA, PLACE, REVIEW, OTHER = (
    "建名册",
    "填空项",
    "补资料",
    "补范围",
    "补位置",
    "核推定",
    "其他",
)
KINDS = (REGISTER, COLUMN, LIST, AREA, PLACE, REVIEW, OTHER)

UNSAID = "未知"
_PLANNED = ("规划", "在建")
_BUILT_UP = "建成区"


@dataclass(frozen=True)
class Blank:
    """One cell of a register that is blank or 未知: the record's id, name and township, and the column."""

    id: str
    name: str
    town: str
    column: str


@dataclass(frozen=True)
class Request:
    """One thing that is not known.

    Parameters
    ----------
    id
        Stable name, such as `health.fever_clinic`.
    kind
        One of `KINDS`.
    what
        What is wanted, in words.
    department
        Who can say it.
    layer
        Key of the register it belongs to; empty when there is none.
    rules
        The rules that cannot be answered without it, as applied.
    cells
        The answers 数据不足 that rest on it: (rule id, place).
    blanks
        The cells of the register to fill in; empty when the whole thing is missing.
    towns
        The townships asked, in the district's order; 全区 when it is asked once; 街镇未详 for records whose
        township nobody has said.
    note
        How it is treated until then.
    unit, per_town
        For a figure to be reported: its unit, and whether each township reports its own.
    document, clause
        Who says so, where it rests on no rule.
    """

    id: str
    kind: str
    what: str
    department: str
    layer: str = ""
    rules: tuple[Rule, ...] = ()
    cells: frozenset[tuple[str, str]] = frozenset()
    blanks: tuple[Blank, ...] = ()
    towns: tuple[str, ...] = (WHOLE,)
    note: str = ""
    unit: str = ""
    per_town: bool = False
    document: str = ""
    clause: str = ""


@dataclass(frozen=True)
class Choice:
    """Which requests are looked at; an empty part chooses everything."""

    departments: tuple[str, ...] = ()
    towns: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()

    def words(self, labels: Mapping[str, str]) -> str:
        """Say the choice in Chinese; `labels` names the layers."""
        parts = (
            ("部门", self.departments),
            ("街镇", self.towns),
            ("图层", [labels.get(key, key) for key in self.layers]),
        )
        return ";".join(f"{name}:{'、'.join(values)}" for name, values in parts if values) or "全部"


def requests(
    found: Assessment,
    district: District,
    layers: Mapping[str, Layer],
    standards: Standards,
    estimates: pd.DataFrame | None = None,
) -> tuple[Request, ...]:
    """List what is missing.

    Parameters
    ----------
    found
        The assessment; it must have been made without invented records, for they are no register.
    district
        Its townships and registry.
    layers
        The registers that were judged, without invented records. What an assumption answers is not asked for.
    standards
        For the zones that rules speak of.
    estimates
        The table `estimates`: what this map only assumes, and who knows better.

    Returns
    -------
    tuple of Request
        By department, the one that holds up most rules first; within it by the number of rules. Every answer
        数据不足 is in the `cells` of at least one request, but for 全区 where it only sums up grey townships.
    """
    search = _Search(district, layers, standards, found.year, found.assumptions)
    for one in grey(found):
        search.answer(one)
    search.unplaced()
    if estimates is not None:
        search.estimated(estimates)
    return in_order(search.finished())


def grey(found: Assessment) -> list[Finding]:
    """Give the answers 数据不足; that of 全区 only where no township's is."""
    unknown = [one for one in found if one.status == UNKNOWN]
    by_town = {one.rule.id for one in unknown if one.town != WHOLE}
    return [one for one in unknown if one.town != WHOLE or one.rule.id not in by_town]


def judged(found: Assessment, towns: Sequence[str] = ()) -> int:
    """Count the answers that `grey` is a part of: those asked for, 全区 only where it is judged by itself.

    `towns` cuts them down as `chosen` does.
    """
    by_town = {one.rule.id for one in found if one.town != WHOLE and one.status != NOT_APPLICABLE}
    return sum(
        one.status != NOT_APPLICABLE
        and (one.town != WHOLE or one.rule.id not in by_town)
        and (not towns or one.town in (*towns, WHOLE))
        for one in found
    )


def in_order(found: Iterable[Request]) -> tuple[Request, ...]:
    """Sort requests by department, the one that holds up most rules first, then by the number of rules."""
    found = list(found)
    weight: dict[str, tuple[int, int]] = {}
    for department in dict.fromkeys(one.department for one in found):
        own = [one for one in found if one.department == department]
        weight[department] = (len({rule.id for one in own for rule in one.rules}), len(own))
    return tuple(
        sorted(
            found,
            key=lambda one: (
                -weight[one.department][0],
                -weight[one.department][1],
                one.department,
                -len(one.rules),
                -len(one.cells),
                KINDS.index(one.kind),
                one.id,
            ),
        )
    )


def chosen(found: Iterable[Request], choice: Choice) -> tuple[Request, ...]:
    """Give the requests of a choice, cut down to its townships.

    What is asked of 全区 concerns every township and stays, unless all that waits for it is elsewhere.
    """
    kept = []
    for one in found:
        if choice.departments and one.department not in choice.departments:
            continue
        if choice.layers and one.layer not in choice.layers:
            continue
        cut = _within(one, choice.towns) if choice.towns else one
        if cut is not None:
            kept.append(cut)
    return in_order(kept)


def _within(one: Request, towns: Sequence[str]) -> Request | None:
    wide = (*towns, WHOLE)
    kept = tuple(town for town in one.towns if town in wide)
    cells = frozenset(cell for cell in one.cells if cell[1] in wide)
    if not kept or (one.cells and not cells):
        return None
    blanks = tuple(blank for blank in one.blanks if blank.town in towns)
    rules = tuple(rule for rule in one.rules if any(cell[0] == rule.id for cell in cells))
    return replace(one, towns=kept, cells=cells, rules=rules, blanks=blanks)


# ---- how a grey answer becomes requests -----------------------------------------------------------


@dataclass
class _Open:
    """A request being put together."""

    request: Request
    rules: dict[str, Rule] = field(default_factory=dict)
    cells: set[tuple[str, str]] = field(default_factory=set)
    blanks: dict[tuple[str, str], Blank] = field(default_factory=dict)


@dataclass
class _Search:
    """Finds out what grey answers want."""

    district: District
    layers: Mapping[str, Layer]
    standards: Standards
    year: int
    assumptions: tuple[Assumption, ...]
    open: dict[str, _Open] = field(default_factory=dict)
    read: dict[str, list[tuple[str, str, bool, list[Blank]]]] = field(default_factory=dict)

    def answer(self, finding: Finding) -> None:
        """Put what one grey answer wants on the list."""
        wants = list(self._wants(finding))
        if not wants:
            what = finding.reason or "未写明原因"
            wants = [(Request(f"other.{what}", OTHER, what, finding.rule.department), [])]
        for request, blanks in wants:
            found = self.open.setdefault(request.id, _Open(request))
            found.rules[finding.rule.id] = finding.rule
            found.cells.add((finding.rule.id, finding.town))
            found.blanks.update({(blank.id, blank.column): blank for blank in blanks})

    def _wants(self, finding: Finding) -> Iterator[tuple[Request, list[Blank]]]:
        rule = finding.rule
        if rule.needs:
            yield Request(f"list.{rule.department}.{rule.needs}", LIST, rule.needs, rule.department), []
        elif not rule.layers:
            what = f"{rule.title}:{self.year}年实际数"
            yield Request(f"list.actual.{rule.id}", LIST, what, rule.department), []
        missing = [key for key in (*rule.layers, *rule.to) if self._frame(key).empty]
        for key in dict.fromkeys(missing):
            yield self._register(key), []
        if rule.within == "built_up" or _BUILT_UP in finding.reason.replace(rule.needs or "\0", ""):
            what = "建成区范围(界线图)和面积"
            yield Request(f"area.built_up.{rule.department}", AREA, what, rule.department), []
        if rule.zone:
            what = f"{self.standards.zones[rule.zone].title}的界线(红线)图"
            yield Request(f"area.{rule.zone}", AREA, what, rule.department), []
            yield from self._places(rule.layers, finding)
        if rule.partial:
            yield Request(f"list.partial.{rule.id}", LIST, f"补全名册:{rule.partial}", rule.department), []
        columns = list(self._columns(finding))
        yield from columns
        if rule.metric and not (rule.needs or missing or columns or rule.within):
            yield from self._places((*rule.layers, *rule.to), finding)

    def _frame(self, key: str) -> pd.DataFrame:
        layer = self.layers.get(key)
        return pd.DataFrame() if layer is None else layer.frame

    def _register(self, key: str) -> Request:
        spec = self.district.registry.layers[key]
        return Request(f"register.{key}", REGISTER, f"“{spec.label}”名册", spec.department, key)

    def _column(self, layer: str, column: str) -> Request:
        spec = self.district.registry.layers[layer]
        what = f"{spec.label}的“{spec.columns[column].label}”"
        return Request(f"{layer}.{column}", COLUMN, what, spec.department, layer)

    def _columns(self, finding: Finding) -> Iterator[tuple[Request, list[Blank]]]:
        """Give the blank cells that the rule reads for this place."""
        rule, place = finding.rule, finding.town
        if rule.id not in self.read:
            self.read[rule.id] = list(self._reads(rule))
        for key, column, everywhere, found in self.read[rule.id]:
            here = found if everywhere or place == WHOLE else [one for one in found if one.town == place]
            if here:
                yield self._column(key, column), here

    def _reads(self, rule: Rule) -> Iterator[tuple[str, str, bool, list[Blank]]]:
        """Find every blank cell that a rule reads: layer, column, whether it counts beyond its township, cells."""
        numbers = [
            names for names in (rule.value, rule.column, {0: rule.figure_column}) if any(names.values())
        ]
        columns = [column_for(names, self.year)[1] for names in numbers]
        for key in rule.layers:
            frame = self._existing(self._frame(key))
            if frame.empty:
                continue
            own, unsure = judge(frame, rule.where)
            wide = rule.kind == "radius"
            yield from self._blank(key, frame, unsure, [one.column for one in rule.where], wide)
            for tests in (rule.having, rule.open):
                open_ = (own | unsure) & judge(frame, tests)[1]
                yield from self._blank(key, frame, open_, [one.column for one in tests], wide)
            yield from self._blank(key, frame, own | unsure, columns, wide)
            undated = frame["status"].isin(_PLANNED).to_numpy(dtype=bool)
            yield from self._blank(key, frame, (own | unsure) & undated, ["year"], wide)
            yield from self._blank(key, frame, own | unsure, ["status"], wide)
        for key in rule.to:
            frame = self._existing(self._frame(key))
            if not frame.empty:
                unsure = judge(frame, rule.to_where)[1]
                yield from self._blank(key, frame, unsure, [one.column for one in rule.to_where], True)

    def _blank(
        self, key: str, frame: pd.DataFrame, which: Bools, columns: Iterable[str], everywhere: bool
    ) -> Iterator[tuple[str, str, bool, list[Blank]]]:
        for column in dict.fromkeys(columns):
            rows = frame[which & _missing(frame[column]) & ~self._taken(key, column, frame)]
            if len(rows):
                yield key, column, everywhere, _blanks(rows, column)

    def _taken(self, key: str, column: str, frame: pd.DataFrame) -> Bools:
        """Tell for which records an assumption answers instead of the register."""
        taken = np.zeros(len(frame), dtype=bool)
        for one in self.assumptions:
            if (one.layer, one.column) == (key, column):
                taken |= judge(frame, one.where)[0] | (one.otherwise is not None)
        return taken

    def _existing(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Leave out what is only planned for later."""
        if frame.empty:
            return frame
        later = frame["status"].isin(_PLANNED) & (frame["year"] > self.year).fillna(False)
        return frame[~later.to_numpy(dtype=bool)]

    def _places(self, keys: Iterable[str], finding: Finding) -> Iterator[tuple[Request, list[Blank]]]:
        """Ask where records lie: those of the place, and those that have none."""
        for key in dict.fromkeys(keys):
            frame = self._frame(key)
            if frame.empty:
                continue
            lost = frame["x"].isna().to_numpy(dtype=bool)
            if lost.any():
                yield self._place(key), _blanks(frame[lost], "town")
            rough = ~lost & _at(frame, finding.town) & (frame["error_m"] > 0).to_numpy(dtype=bool)
            listed = rough & (frame["position"] == LISTED).to_numpy(dtype=bool)
            spec = self.district.registry.layers[key]
            if (rough & ~listed).any():
                what = f"{spec.label}的准确位置(坐标)"
                request = Request(f"exact.{key}", PLACE, what, spec.department, key)
                yield request, _blanks(frame[rough & ~listed], "lon")
            if listed.any():  # who gave coordinates need not give them again, but say how good they are
                what = f"{spec.label}坐标的误差(米)和取得方法"
                request = Request(f"known.{key}", PLACE, what, spec.department, key)
                yield request, _blanks(frame[listed], "error_m")

    def _place(self, key: str) -> Request:
        spec = self.district.registry.layers[key]
        what = f"未定位的{spec.label}:所在街镇和位置"
        note = "列出并计数,不上图"
        return Request(f"place.{key}", PLACE, what, spec.department, key, note=note)

    def unplaced(self) -> None:
        """Ask where the records lie that have no place at all."""
        for key, layer in self.layers.items():
            rows = layer.frame[layer.frame["x"].isna()]
            if len(rows):
                found = self.open.setdefault(f"place.{key}", _Open(self._place(key)))
                found.blanks.update({(blank.id, blank.column): blank for blank in _blanks(rows, "town")})

    def estimated(self, table: pd.DataFrame) -> None:
        """Ask for what this map only assumes."""
        lines = self.district.settings.boundary_notice  # no longer assumed once somebody brought other ones
        for row in table.to_dict("records"):
            said = {key: "" if pd.isna(value) else str(value) for key, value in row.items()}
            if not self.district.schematic and lines in said["now"]:
                continue
            per_town = said["per_town"] == "是"
            request = Request(
                f"review.{said['id']}",
                REVIEW,
                said["needed"],
                said["department"],
                said["layer"],
                note=said["now"],
                unit=said["unit"],
                per_town=per_town,
                towns=tuple(str(name) for name in self.district.towns.index) if per_town else (WHOLE,),
                document=said["document"],
                clause=said["clause"],
            )
            self.open[request.id] = _Open(request)

    def finished(self) -> list[Request]:
        return [self._finish(one) for one in self.open.values()]

    def _finish(self, one: _Open) -> Request:
        blanks = tuple(one.blanks.values())
        towns = one.request.towns
        if blanks:
            towns = self._sorted(blank.town for blank in blanks)
        elif one.cells and one.request.kind != AREA:
            towns = self._sorted(town for _, town in one.cells)
        return replace(
            one.request,
            rules=tuple(one.rules.values()),
            cells=frozenset(one.cells),
            blanks=blanks,
            towns=towns,
        )

    def _sorted(self, towns: Iterable[str]) -> tuple[str, ...]:
        known = [*(str(name) for name in self.district.towns.index), NOWHERE, WHOLE]
        return tuple(sorted(set(towns), key=known.index))


def _at(frame: pd.DataFrame, town: str) -> Bools:
    here = frame["town"].isna() if town == NOWHERE else frame["town"].astype(object) == town
    return np.asarray(here.to_numpy(dtype=bool))


def _missing(values: pd.Series[Any]) -> Bools:
    return np.asarray((values.isna() | (values.astype(object) == UNSAID)).to_numpy(dtype=bool))


def _blanks(rows: pd.DataFrame, column: str) -> list[Blank]:
    towns = rows["town"].astype(object).where(rows["town"].notna(), NOWHERE)
    return [
        Blank(str(key), str(name), str(town), column)
        for key, name, town in zip(rows["id"], rows["name"], towns, strict=True)
    ]
