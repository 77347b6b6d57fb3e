"""短板通报: what a bulletin says of a district or a town, in the wording of an official bulletin.

Every figure comes out of the assessment. What is unknown is counted neither as short nor as met; what rests on
invented records is said so on the first page and beside each row, and real shortages come before it.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from qjmap import shortlist, wording
from qjmap.assess import (
    INDICATOR,
    MET,
    NOT_APPLICABLE,
    NOWHERE,
    POSSIBLE,
    SHORT,
    UNKNOWN,
    WHOLE,
    Assessment,
    Finding,
)
from qjmap.assumptions import Assumption
from qjmap.district import District, OfficialTotal
from qjmap.errors import UnknownKeyError
from qjmap.export import DEMO_NOTICE
from qjmap.shortlist import BINDING, Line
from qjmap.standards import CUSTOM

_NUMERALS = "一二三四五六七八九十"
_READ = "读过原文"

#: What fits on the first page below its title: lines of so many Chinese characters in 四号. The template's page
#: has 33 lines; a little room is left, for Word breaks lines a little differently on each machine.
_LINES, _LINE = 30, 31.5
_MANY = 3


@dataclass(frozen=True)
class Section:
    """One numbered section of the first page: its heading (with its number) and its paragraphs."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One shortage in the table, ready to print.

    Parameters
    ----------
    number
        From 1.
    place
        The township, 街镇未详, or 全区.
    standard, target, have, gap, people
        The rule's title and demand; what there is; what is missing; who lives there.
    basis
        Document and clause.
    department
        Who is in charge.
    marks
        What the figures rest on: 演示, 规划数, 自定值, 假定, 可能, the reason in words …
    demo
        Whether it rests on invented records.
    """

    number: int
    place: str
    standard: str
    target: str
    have: str
    gap: str
    people: str
    basis: str
    department: str
    marks: str
    demo: bool


@dataclass(frozen=True)
class Erratum:
    """What does not add up in a document, and how it is treated here."""

    id: str
    subject: str
    printed: str
    found: str
    treatment: str
    source: str


@dataclass(frozen=True)
class Bulletin:
    """What a bulletin says; everything in it is plain text.

    Parameters
    ----------
    title, subtitle
        What it is about, and by which year and rules.
    number
        The document number (发文字号); empty unless the office gave one.
    when
        Its date.
    office, internal
        Who issues it and the mark 内部资料, as the district's settings say; may be empty.
    place
        The district or the town.
    warning
        Said on top of the first page when anything rests on invented records; else empty.
    paragraphs
        The lead.
    findings
        总体情况, 主要短板, 数据不足, 有关说明.
    map_title, map_notes
        What stands by the map.
    rows
        Every shortage; real ones first, weightiest first.
    sources
        The documents cited, in full.
    errata
        What does not add up in those documents.
    notes
        What the figures rest on.
    """

    title: str
    subtitle: str
    number: str
    when: date
    office: str
    internal: str
    place: str
    warning: str
    paragraphs: tuple[str, ...]
    findings: tuple[Section, ...]
    map_title: str
    map_notes: tuple[str, ...]
    rows: tuple[Row, ...]
    sources: tuple[str, ...]
    errata: tuple[Erratum, ...]
    notes: tuple[str, ...]

    @property
    def day(self) -> str:
        """The date as officials write it: 2026年11月22日."""
        return f"{self.when.year}年{self.when.month}月{self.when.day}日"


def district_bulletin(
    district: District,
    found: Assessment,
    *,
    when: date,
    assumptions: Iterable[Assumption] | None = None,
    errata: pd.DataFrame | None = None,
    number: str = "",
) -> Bulletin:
    """Write the bulletin of the whole district.

    Parameters
    ----------
    district, found
        The district and what came out for it.
    when
        The bulletin's date.
    assumptions
        What is taken for granted; by default the assessment's own.
    errata
        The table `errata`; None when the district keeps none.
    number
        The document number, if the office has given one.
    """
    view = _View(district, found, None, assumptions)
    return _bulletin(view, when, errata, number)


def town_bulletin(
    district: District,
    found: Assessment,
    town: str,
    *,
    when: date,
    assumptions: Iterable[Assumption] | None = None,
    errata: pd.DataFrame | None = None,
    number: str = "",
) -> Bulletin:
    """Write the bulletin of one town; parameters as for `district_bulletin`.

    Raises
    ------
    UnknownKeyError
        The district has no such town.
    """
    if town not in district.towns.index:
        raise UnknownKeyError(f"{district.name}没有名为“{town}”的街镇")
    view = _View(district, found, town, assumptions)
    return _bulletin(view, when, errata, number)


def shortages(line: Line, town: str | None = None) -> tuple[Finding, ...]:
    """Give a rule's shortages as rows: by township, or 全区 where no township's own is known.

    全区 only sums townships up, so it stands beside none of them.
    """
    if town is not None:
        return (line.findings[town],) if line.findings[town].status == SHORT else ()
    places = tuple(one for place, one in line.findings.items() if place != WHOLE and one.status == SHORT)
    return places or ((line.whole,) if line.whole.status == SHORT else ())


class _View:
    """What a bulletin is written from: the rules' answers for a town, or for the district."""

    def __init__(
        self,
        district: District,
        found: Assessment,
        town: str | None,
        assumptions: Iterable[Assumption] | None,
    ) -> None:
        self.district, self.found, self.town = district, found, town
        self.lines = shortlist.lines(found)
        self.assumed = {one.id: one for one in (found.assumptions if assumptions is None else assumptions)}
        self.place = district.settings.short_name if town is None else town
        short = [line for line in self.lines if shortages(line, town)]
        self.invented = [line for line in short if any(one.demo for one in shortages(line, town))]
        self.real = [line for line in short if line not in self.invented]
        self.short = [*self.real, *self.invented]
        self.rows = [one for line in self.short for one in shortages(line, town)]
        self.rows.sort(key=lambda one: one.demo)
        self.cites = _Cites(district)

    def status(self, line: Line) -> str:
        """Say what a rule comes to here."""
        return line.status if self.town is None else line.findings[self.town].status

    def of(self, status: str) -> list[Line]:
        return [line for line in self.lines if self.status(line) == status]

    def rests_on_demo(self, line: Line, status: str) -> bool:
        """Tell whether what a rule comes to here rests on invented records."""
        found = line.findings.values() if self.town is None else [line.findings[self.town]]
        return any(one.demo for one in found if one.status == status)

    @property
    def demo(self) -> bool:
        """Whether any answer rests on invented records, met or short."""
        return any(
            one.demo
            for line in self.lines
            for one in (line.findings.values() if self.town is None else [line.findings[self.town]])
            if one.status != NOT_APPLICABLE
        )

    @property
    def total(self) -> OfficialTotal:
        """The official number of people that holds in the year: the latest not after it, else the first."""
        known = sorted(self.district.settings.totals, key=lambda one: one.year)
        return next((one for one in reversed(known) if one.year <= self.found.year), known[0])


class _Cites:
    """Cites documents: by their number where no other has the same, else by title and number."""

    def __init__(self, district: District) -> None:
        self._district = district
        numbers = district.documents["number"].fillna("").astype("str")
        often = Counter(numbers)
        self._own = {
            str(key): one for key, one in numbers.items() if one not in ("", "-", "–") and often[one] == 1
        }

    def brief(self, one: Finding) -> str:
        """Cite a rule's document and clause in a few words."""
        rule = one.rule
        if rule.document in self._own:
            between = " " if rule.clause[:1].isascii() else ""  # “GB 50974-20147.2” would be another number
            return f"{self._own[rule.document]}{between}{rule.clause}"
        return wording.document(self._district, rule.document, rule.clause)

    def full(self, key: str) -> str:
        """Cite a document with its issuer, date and standing."""
        said = wording.document(self._district, key)
        if key not in self._district.documents.index:
            return said
        row = self._district.documents.loc[key]
        rest = [str(row[name]) for name in ("issuer", "date", "status", "reading") if pd.notna(row[name])]
        return ",".join([said, *(text for text in rest if text)])


# ---- the first page -------------------------------------------------------------------------------


def _counts(view: _View) -> str:
    """Say how many rules come to each answer, and how many of them rest on invented records."""
    binding = sum(line.rule.binding == BINDING for line in view.short)
    said = []
    for status in (SHORT, UNKNOWN, MET):
        lines = view.of(status)
        inside = [f"约束性{binding}条"] if status == SHORT and binding else []
        invented = sum(view.rests_on_demo(line, status) for line in lines) if status != UNKNOWN else 0
        inside += [f"依据演示数据{invented}条"] if invented else []
        said.append(f"{status}{len(lines)}条" + (f"(其中{'、'.join(inside)})" if inside else ""))
    return ",".join(said)


def _whole_district(view: _View) -> str:
    """Say how the whole district stands, and of real shortages where they lie and whom they affect."""
    judged, out = len(view.lines), len(view.of(NOT_APPLICABLE))
    said = f"共核对{judged}条标准:{_counts(view)},不适用{out}条。"
    if not view.real:
        return said
    rows = [one for one in view.rows if not one.demo and one.rule.id in {line.rule.id for line in view.real}]
    towns = [one.town for one in rows if one.town not in (WHOLE, NOWHERE)]
    parts = []
    people = shortlist.people_affected(view.real)
    if not math.isnan(people):
        parts.append(f"至少影响{wording.people(people)}人")
    if towns:
        worst = Counter(towns).most_common()  # of as many, in the order of the list
        named = "、".join(f"{town}{count}项" for town, count in worst[:_MANY])
        parts.append(f"可落到街镇的{len(towns)}项,涉及{len(worst)}个街镇,项数居前的有{named}")
    nowhere = sum(one.town == NOWHERE for one in rows)
    whole = sum(one.town == WHOLE for one in rows)
    parts += [f"文件未写明街镇的{nowhere}项"] if nowhere else []
    parts += [f"只能对全区判定的{whole}项"] if whole else []
    what = f"不依据演示数据的{len(view.real)}条短缺" if view.invented else "短缺"
    return f"{said}{what}{';'.join(parts)}。"


def _one_town(view: _View) -> str:
    """Say what town it is and how it stands."""
    row = view.district.towns.loc[str(view.town)].to_dict()
    people, out = row[f"population_{view.total.year}"], len(view.of(NOT_APPLICABLE))
    return (
        f"{view.town}为{row['kind']}({row['setting']}),{view.total.year}年人口{people:,.0f}人({_how(view)})。"
        f"适用的{len(view.lines) - out}条标准中,{_counts(view)}。另有{out}条不适用或只对全区判定,不列入。"
    )


def _how(view: _View) -> str:
    return "普查" if view.total.year == view.district.settings.totals[0].year else "估算"


def _in_full(view: _View, line: Line) -> str:
    """Say in a sentence what is short by one rule, by whose word and in whose charge."""
    rows = shortages(line, view.town)
    one = _speaking(view, line)
    parts = [f"要求{_target(one)}", _have(one), _lacking(view, line)]
    text = f"{line.rule.title}:{','.join(part for part in parts if part)}。"
    return f"{text}依据{view.cites.brief(one)},责任部门{line.rule.department}{_tags(rows)}。"


def _in_short(view: _View, line: Line) -> str:
    """Say in a few words what is short by one rule."""
    one = _speaking(view, line)
    said = _lacking(view, line)
    if not said and math.isfinite(one.value):
        said = f"现值{_rate(one.value)}(要求{_target(one)})"
    return line.rule.title + said


def _speaking(view: _View, line: Line) -> Finding:
    """Give the answer that speaks for a rule: the town's, the district's own, else a township's."""
    if view.town is not None:
        return line.findings[view.town]
    return line.whole if line.whole.status == SHORT else shortages(line)[0]


def _lacking(view: _View, line: Line) -> str:
    """Say what is missing by a rule; for the district with how many townships it lies in."""
    if view.town is not None or line.whole.status == SHORT:
        said = wording.gap(_speaking(view, line)).replace(" ", "")
        said = f"{'短缺之处合计' if wording.summed(_speaking(view, line)) else ''}缺{said}" if said else ""
    else:
        places = shortages(line)
        known = [one.shortfall for one in places if not math.isnan(one.shortfall)]
        said = f"至少缺{wording.figure(math.fsum(known))}{places[0].unit}" if known else ""
    towns = sum(one.town not in (WHOLE, NOWHERE) for one in shortages(line)) if view.town is None else 0
    return f"{said}({towns}个街镇)" if towns else said


def _target(one: Finding) -> str:
    return one.rule.target if one.rule.figure is not None else "名册逐条所列目标"


def _have(one: Finding) -> str:
    """Say what there is and what is asked for, in the words of the rule's kind."""
    have, need = wording.HAVE_NEED.get(one.rule.kind, ("现有", "应有"))
    if math.isfinite(one.have) and math.isfinite(one.need):
        return f"{have}{wording.have(one).replace(' ', '')}{one.unit}、{need}{wording.figure(one.need)}{one.unit}"
    return f"现值{_rate(one.value)}{one.value_unit}" if math.isfinite(one.value) else ""


def _rate(value: float) -> str:
    """Write a rate with two decimals, as the documents print it."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _tags(found: Sequence[Finding]) -> str:
    """Put what a sentence rests on into brackets behind it."""
    due = (
        (BINDING, found[0].rule.binding == BINDING),
        (POSSIBLE, any(one.certainty == POSSIBLE for one in found)),
        ("演示", any(one.demo for one in found)),
        ("规划数", any(one.planned for one in found)),
        (CUSTOM, found[0].rule.custom),
        ("假定", any(one.assumptions for one in found)),
    )
    tags = [text for text, is_due in due if is_due]
    return f"〔{'、'.join(tags)}〕" if tags else ""


def _main(view: _View, lines: int) -> list[str]:
    """Say what is short within so many lines: rule by rule where there is room, else gathered by who is in charge."""
    if not view.short:
        return ["没有确定的短缺。"]
    if len(view.short) <= len(_NUMERALS):
        full = [f"({n}){_in_full(view, line)}" for n, line in zip(_NUMERALS, view.short, strict=False)]
        if sum(map(_height, full)) <= lines:
            return full
    groups = list(_groups(view))
    shown = [1] * len(groups)

    def told() -> list[str]:
        said = [f"({n}){one.text(view, k)}" for n, one, k in zip(_NUMERALS, groups, shown, strict=False)]
        return [*said, "各项的要求、现有、条款和责任部门见附表。"]

    for place, group in enumerate(groups):  # the weightiest take what room there is
        while shown[place] < len(group.lines):
            shown[place] += 1
            if sum(map(_height, told())) > lines:
                shown[place] -= 1
                break
    return told()


@dataclass(frozen=True)
class _Group:
    """Shortages that are told together."""

    head: str
    lines: tuple[Line, ...]
    named: bool = False

    def text(self, view: _View, shown: int) -> str:
        """Name so many of them; only by title where the figures are invented."""
        said = "、".join(
            line.rule.title if self.named else _in_short(view, line) for line in self.lines[:shown]
        )
        return f"{self.head}{len(self.lines)}条:{said}{'等' if shown < len(self.lines) else ''}。"


def _groups(view: _View) -> Iterator[_Group]:
    """Gather what is short: binding rules, the rest by who is in charge, what rests on invented records."""
    binding = tuple(line for line in view.real if line.rule.binding == BINDING)
    if binding:
        yield _Group("约束性标准短缺", binding)
    rest = [line for line in view.real if line.rule.binding != BINDING]
    departments = list(dict.fromkeys(line.rule.department for line in rest))
    if len(departments) > len(_NUMERALS) - 2:
        yield _Group("其他标准短缺", tuple(rest))
    else:
        for name in departments:
            own = tuple(line for line in rest if line.rule.department == name)
            yield _Group(f"{name}负责的{'其他' if binding else ''}标准短缺", own)
    if view.invented:
        yield _Group("依据演示数据的短缺(不能作为工作依据)", tuple(view.invented), named=True)


def _waiting(view: _View) -> str:
    """Say what cannot be answered, who can mend it, and what is missing most."""
    unknown = view.of(UNKNOWN)
    if not unknown:
        return "没有因资料不全而无法判定的标准。"
    said = f"{len(unknown)}条标准因资料不全无法判定,既不算短缺,也不算达标。"
    departments = Counter(line.rule.department for line in unknown).most_common()
    named = "、".join(f"{name}{count}条" for name, count in departments[:_MANY])
    said += f"责任部门为{named}{'等' if len(departments) > _MANY else ''}。"
    wanted = Counter(_wanted(view, line) for line in unknown).most_common()
    said += f"缺{'、'.join(what for what, _ in wanted[:_MANY])}{'等' if len(wanted) > _MANY else ''}。"
    doubted = sum(_doubted(view, line) for line in unknown)
    if doubted:
        said += f"其中{doubted}条因位置误差或记录未填报而可能短缺,须核实。"
    partly = sum(any(one.status == UNKNOWN for one in line.towns) for line in view.of(SHORT))
    if view.town is None and partly:
        said += f"另有{partly}条短缺的标准在部分街镇数据不足。"
    return said


def _wanted(view: _View, line: Line) -> str:
    """Say what a rule waits for: the list it needs, or what a register leaves blank."""
    reason = (line.whole if view.town is None else line.findings[view.town]).reason
    said = line.rule.needs or reason.removeprefix("缺:").removeprefix("没有").split("(")[0].removesuffix(
        "未知"
    )
    if said and not said[0].isdigit():
        return said
    labels = [view.district.registry.layers[key].label for key in line.rule.layers[:1]]
    return f"{''.join(labels)}名册的未填报项"


def _doubted(view: _View, line: Line) -> bool:
    found = line.findings.values() if view.town is None else [line.findings[view.town]]
    return any(one.certainty == POSSIBLE for one in found if one.status == UNKNOWN)


def _explained(view: _View) -> str:
    """Say on the first page what the figures rest on, in a few words; in full in the notes."""
    said = (
        f"全区人口{view.total.total:,}人({view.total.year}年,"
        f"{wording.document(view.district, view.total.document, view.total.clause)});"
        f"{'' if _how(view) == '普查' else '分街镇人口为估算;'}影响人口按街镇内均匀分布估算,各条不能相加。"
    )
    custom = [line.rule.title for line in view.lines if line.rule.custom]
    taken = "、".join(one.title for one in view.assumed.values())
    said += f"采用的假定:{taken}。" if taken else "未采用任何假定。"
    said += f"{CUSTOM}{len(custom)}条(非文件数值):{'、'.join(custom)}。" if custom else ""
    planned = sum(any(one.planned for one in shortages(line, view.town)) for line in view.short)
    said += f"{planned}条短缺采用规划数。" if planned else ""
    return f"{said}地图{'为' if view.district.schematic else ''}{view.district.boundary_notice}。"


def _registers(view: _View) -> str:
    return "现有" if view.found.year == view.total.year else f"{view.found.year}年"


def _warning(view: _View) -> str:
    if not view.demo:
        return ""
    said = "本通报含演示数据(程序编造,非真实记录),不能作为工作依据:"
    if not view.invented:
        return said + "短缺各条均不依据演示数据。"
    return (
        said + f"短缺{len(view.short)}条中{len(view.invented)}条依据演示数据,其余{len(view.real)}条不依据。"
    )


def _bulletin(view: _View, when: date, errata: pd.DataFrame | None, number: str) -> Bulletin:
    settings = view.district.settings
    cited = _cited(view)
    lead = (
        f"对照{len({line.rule.document for line in view.lines if view.status(line) != NOT_APPLICABLE})}份文件"
        f"所列标准逐条核对,现将{view.place}短板情况通报如下。"
    )
    overview = _whole_district(view) if view.town is None else _one_town(view)
    warning, waiting, explained = _warning(view), _waiting(view), _explained(view)
    headings = ("总体情况", "主要短板", "数据不足", "有关说明")
    taken = sum(map(_height, (lead, warning, overview, waiting, explained))) + len(headings)
    taken += sum(map(bool, (number, settings.office, settings.internal)))
    told = ([overview], _main(view, _LINES - taken), [waiting], [explained])
    said = Bulletin(
        title=f"{view.place}短板情况通报",
        subtitle=f"(按{view.total.year}年人口和{_registers(view)}名册核对)",
        number=number,
        when=when,
        office=settings.office,
        internal=settings.internal,
        place=view.place,
        warning=warning,
        paragraphs=(lead,),
        findings=tuple(
            Section(f"{numeral}、{heading}", tuple(paragraphs))
            for numeral, heading, paragraphs in zip(_NUMERALS, headings, told, strict=False)
        ),
        map_title=f"{view.place}短缺分布图",
        map_notes=tuple(
            text for text in (view.district.boundary_notice, DEMO_NOTICE if view.demo else "") if text
        ),
        rows=tuple(_row(view, n, one) for n, one in enumerate(view.rows, 1)),
        sources=tuple(view.cites.full(key) for key in cited),
        errata=tuple(_errata(view, errata, cited)),
        notes=tuple(_notes(view)),
    )
    printed: Bulletin = _printed(said)
    return printed


def _printed(value: Any) -> Any:
    """Set every text with the punctuation of printed Chinese."""
    if isinstance(value, str):
        return wording.full_width(value)
    if isinstance(value, tuple):
        return tuple(_printed(one) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        quoted = {"printed"} if isinstance(value, Erratum) else set()  # what a document says stays as it is
        names = [one.name for one in fields(value) if one.name not in quoted]
        return replace(value, **{name: _printed(getattr(value, name)) for name in names})
    return value


def _height(text: str) -> int:
    """Give how many lines a paragraph takes, with its indent of two characters."""
    set_text = wording.full_width(text)
    width = sum(1.0 if unicodedata.east_asian_width(one) in "WFA" else 0.55 for one in set_text)
    return math.ceil((width + 2) / _LINE) if text else 0


# ---- what is attached -----------------------------------------------------------------------------


def _row(view: _View, number: int, one: Finding) -> Row:
    return Row(
        number=number,
        place=one.town,
        standard=one.rule.title,
        target=f"{_target(one)}({one.rule.wording})",
        have=_have(one) or "—",
        gap=wording.gap(one) or "—",
        people="无法折算" if math.isnan(one.people) else f"{wording.people(one.people)}人",
        basis=view.cites.brief(one),
        department=one.rule.department,
        marks=_marks(view, one),
        demo=one.demo,
    )


def _marks(view: _View, one: Finding) -> str:
    """Say what a row rests on, tags first, then the reason."""
    rule = one.rule
    tags = [_tags([one]).strip("〔〕")]
    tags += [view.assumed[key].title if key in view.assumed else key for key in one.assumptions]
    tags += [f"条文{rule.source_status}"] if rule.source_status != _READ else []
    tags += [INDICATOR] if one.source == INDICATOR else []
    # a register has enough in all, and still some of it too little
    tags += (
        ["逐个核对,有余不抵不足"] if one.have >= one.need and one.shortfall > 0 and not _at_most(one) else []
    )
    return ";".join(text for text in (*tags, one.reason) if text)


def _at_most(one: Finding) -> bool:
    """Tell whether the rule asks for no more than its figure, so that having more is what is short."""
    return one.rule.kind in ("exclusion", "deadline")


def _cited(view: _View) -> list[str]:
    """Name the documents of the rules that apply here and of the people, each once, in the documents' order."""
    keys = {line.rule.document for line in view.lines if view.status(line) != NOT_APPLICABLE}
    keys.add(view.total.document)
    known = [str(key) for key in view.district.documents.index]
    return sorted(keys, key=lambda key: known.index(key) if key in known else len(known))


def _errata(view: _View, errata: pd.DataFrame | None, cited: Sequence[str]) -> Iterator[Erratum]:
    """Give what does not add up in the documents cited; in a town's bulletin in those of its shortages."""
    if errata is None:
        return
    wanted = set(cited)
    if view.town is not None:
        wanted = {one.rule.document for one in view.rows} | {view.total.document}
    for record in errata.astype("object").to_dict("records"):
        if record["document"] in wanted:
            texts = {key: str(record[key]) for key in ("id", "subject", "printed", "found", "treatment")}
            source = wording.document(view.district, str(record["document"]), str(record["clause"]))
            yield Erratum(**texts, source=source)


def _notes(view: _View) -> Iterator[str]:
    """Say what the figures rest on, in full."""
    yield "结论分四种:达标、短缺、数据不足、不适用。“数据不足”既不是短缺,也不是达标。"
    yield "缺口写成“甲–乙”的,至少缺甲、至多缺乙:其间的差是未填报的记录。"
    yield (
        "“可能”指结论取决于位置误差或未填报的记录,须核实。"
        f"位置误差按名册所写;{wording.assumed_errors(view.district)}。"
    )
    yield wording.population_line(view.district, view.total.year)
    if view.total.note:
        yield f"{view.total.year}年全区人口:{view.total.note}。"
    yield "合计的缺口只加短缺之处,有余之处不抵不足。"
    yield "影响人口按街镇内均匀分布估算;同一人可能受多条短缺影响,各条人口不能相加。"
    for one in view.assumed.values():
        yield f"采用的假定:{one.title}。{one.note}"
    if not view.assumed:
        yield "未采用任何假定。"
    for line in view.lines:
        if line.rule.custom:
            yield f"{CUSTOM}(使用者改动,非文件数值):{line.rule.title},{line.rule.target}。"
    if any(one.planned for one in view.rows):
        yield "注“规划数”的各项,数值取自规划,不是现状。"
    if any(one.source == INDICATOR for one in view.rows):
        yield f"注“{INDICATOR}”的各项,取自文件所载全区数,不是由名册算得。"
    if view.demo:
        layers = {key for line in view.invented for key in line.layers}
        named = "、".join(spec.label for key, spec in view.district.registry.layers.items() if key in layers)
        yield f"{DEMO_NOTICE}。" + (f"短缺所涉的演示名册:{named}。" if named else "")
    yield f"街镇{'界线为' if view.district.schematic else ''}{view.district.boundary_notice}。"
