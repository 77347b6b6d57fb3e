"""The first page of a bulletin: how things stand, what is short, what cannot be told, on what it all rests."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from qjmap import shortlist, wording
from qjmap._brief import Brief, have, rate, shortages, tags, target
from qjmap.assess import MET, NOT_APPLICABLE, NOWHERE, POSSIBLE, SHORT, UNKNOWN, WHOLE, Finding
from qjmap.shortlist import BINDING, Line
from qjmap.standards import CUSTOM

_NUMERALS = "一二三四五六七八九十"
_MANY = 3

#: What fits on the first page below its title: lines of so many Chinese characters in 四号. The template's page
#: has 33 lines; a little room is left, for Word breaks lines a little differently on each machine.
LINES, _LINE = 30, 31.5


@dataclass(frozen=True)
class Section:
    """One numbered section of the first page: its heading (with its number) and its paragraphs."""

    heading: str
    paragraphs: tuple[str, ...]


def lead(brief: Brief) -> str:
    """Say what was held against what."""
    judged = {line.rule.document for line in brief.lines if brief.status(line) != NOT_APPLICABLE}
    return f"对照{len(judged)}份文件所列标准逐条核对,现将{brief.place}短板情况通报如下。"


def sections(brief: Brief, taken: int) -> tuple[Section, ...]:
    """Write the sections 总体情况, 主要短板, 数据不足, 有关说明, so that they fit on the page.

    Parameters
    ----------
    brief
        What they are written from.
    taken
        How many lines of the page stand above them.
    """
    overview = _whole_district(brief) if brief.town is None else _one_town(brief)
    waiting, explained = _waiting(brief), _explained(brief)
    headings = ("总体情况", "主要短板", "数据不足", "有关说明")
    taken += sum(map(height, (overview, waiting, explained))) + len(headings)
    told = ([overview], _main(brief, LINES - taken), [waiting], [explained])
    return tuple(
        Section(f"{numeral}、{heading}", tuple(paragraphs))
        for numeral, heading, paragraphs in zip(_NUMERALS, headings, told, strict=False)
    )


def _counts(brief: Brief) -> str:
    """Say how many rules come to each answer, and how many of them rest on invented records."""
    binding = sum(line.rule.binding == BINDING for line in brief.short)
    said = []
    for status in (SHORT, UNKNOWN, MET):
        lines = brief.of(status)
        inside = [f"约束性{binding}条"] if status == SHORT and binding else []
        resting = [line for line in lines if any(one.demo for one in brief.answers(line, status))]
        invented = len(resting) if status != UNKNOWN else 0
        inside += [f"依据演示数据{invented}条"] if invented else []
        said.append(f"{status}{len(lines)}条" + (f"(其中{'、'.join(inside)})" if inside else ""))
    return ",".join(said)


def _whole_district(brief: Brief) -> str:
    """Say how the whole district stands, and of real shortages where they lie and whom they affect."""
    judged, out = len(brief.lines), len(brief.of(NOT_APPLICABLE))
    said = f"共核对{judged}条标准:{_counts(brief)},不适用{out}条。"
    if not brief.real:
        return said
    rows = [one for line in brief.real for one in shortages(line)]
    towns = [one.town for one in rows if one.town not in (WHOLE, NOWHERE)]
    parts = []
    people = shortlist.people_affected(brief.real)
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
    what = f"不依据演示数据的{len(brief.real)}条短缺" if brief.invented else "短缺"
    return f"{said}{what}{';'.join(parts)}。"


def _one_town(brief: Brief) -> str:
    """Say what town it is and how it stands."""
    row = brief.district.towns.loc[str(brief.town)].to_dict()
    people, out = row[f"population_{brief.total.year}"], len(brief.of(NOT_APPLICABLE))
    return (
        f"{brief.town}为{row['kind']}({row['setting']}),{brief.total.year}年人口{people:,.0f}人({brief.how})。"
        f"适用的{len(brief.lines) - out}条标准中,{_counts(brief)}。另有{out}条不适用或只对全区判定,不列入。"
    )


def _in_full(brief: Brief, line: Line) -> str:
    """Say in a sentence what is short by one rule, by whose word and in whose charge."""
    rows = shortages(line, brief.town)
    one = _speaking(brief, line)
    parts = [f"要求{target(one)}", have(one), _lacking(brief, line)]
    text = f"{line.rule.title}:{','.join(part for part in parts if part)}。"
    return f"{text}依据{brief.cites.short(one)},责任部门{line.rule.department}{tags(rows)}。"


def _in_short(brief: Brief, line: Line) -> str:
    """Say in a few words what is short by one rule."""
    one = _speaking(brief, line)
    said = _lacking(brief, line)
    if not said and math.isfinite(one.value):
        said = f"现值{rate(one.value)}(要求{target(one)})"
    return line.rule.title + said


def _speaking(brief: Brief, line: Line) -> Finding:
    """Give the answer that speaks for a rule: the town's, the district's own, else a township's."""
    if brief.town is not None:
        return line.findings[brief.town]
    return line.whole if line.whole.status == SHORT else shortages(line)[0]


def _lacking(brief: Brief, line: Line) -> str:
    """Say what is missing by a rule; for the district with how many townships it lies in."""
    if brief.town is not None or line.whole.status == SHORT:
        said = wording.gap(_speaking(brief, line)).replace(" ", "")
        said = f"{'短缺之处合计' if wording.summed(_speaking(brief, line)) else ''}缺{said}" if said else ""
    else:
        places = shortages(line)
        known = [one.shortfall for one in places if not math.isnan(one.shortfall)]
        said = f"至少缺{wording.figure(math.fsum(known))}{places[0].unit}" if known else ""
    towns = sum(one.town not in (WHOLE, NOWHERE) for one in shortages(line)) if brief.town is None else 0
    return f"{said}({towns}个街镇)" if towns else said


def _main(brief: Brief, lines: int) -> list[str]:
    """Say what is short within so many lines: rule by rule where there is room, else gathered by who is in charge."""
    if not brief.short:
        return ["没有确定的短缺。"]
    if len(brief.short) <= len(_NUMERALS):
        full = [f"({n}){_in_full(brief, line)}" for n, line in zip(_NUMERALS, brief.short, strict=False)]
        if sum(map(height, full)) <= lines:
            return full
    groups = list(_groups(brief))
    shown = [1] * len(groups)

    def told() -> list[str]:
        said = [f"({n}){one.text(brief, k)}" for n, one, k in zip(_NUMERALS, groups, shown, strict=False)]
        return [*said, "各项的要求、现有、条款和责任部门见附表。"]

    for place, group in enumerate(groups):  # the weightiest take what room there is
        while shown[place] < len(group.lines):
            shown[place] += 1
            if sum(map(height, told())) > lines:
                shown[place] -= 1
                break
    return told()


@dataclass(frozen=True)
class _Group:
    """Shortages that are told together."""

    head: str
    lines: tuple[Line, ...]
    named: bool = False

    def text(self, brief: Brief, shown: int) -> str:
        """Name so many of them; only by title where the figures are invented."""
        said = "、".join(
            line.rule.title if self.named else _in_short(brief, line) for line in self.lines[:shown]
        )
        return f"{self.head}{len(self.lines)}条:{said}{'等' if shown < len(self.lines) else ''}。"


def _groups(brief: Brief) -> Iterator[_Group]:
    """Gather what is short: binding rules, the rest by who is in charge, what rests on invented records."""
    binding = tuple(line for line in brief.real if line.rule.binding == BINDING)
    if binding:
        yield _Group("约束性标准短缺", binding)
    rest = [line for line in brief.real if line.rule.binding != BINDING]
    departments = list(dict.fromkeys(line.rule.department for line in rest))
    if len(departments) > len(_NUMERALS) - 2:
        yield _Group("其他标准短缺", tuple(rest))
    else:
        for name in departments:
            own = tuple(line for line in rest if line.rule.department == name)
            yield _Group(f"{name}负责的{'其他' if binding else ''}标准短缺", own)
    if brief.invented:
        yield _Group("依据演示数据的短缺(不能作为工作依据)", tuple(brief.invented), named=True)


def _waiting(brief: Brief) -> str:
    """Say what cannot be answered, who can mend it, and what is missing most."""
    unknown = brief.of(UNKNOWN)
    if not unknown:
        return "没有因资料不全而无法判定的标准。"
    said = f"{len(unknown)}条标准因资料不全无法判定,既不算短缺,也不算达标。"
    departments = Counter(line.rule.department for line in unknown).most_common()
    named = "、".join(f"{name}{count}条" for name, count in departments[:_MANY])
    said += f"责任部门为{named}{'等' if len(departments) > _MANY else ''}。"
    wanted = Counter(_wanted(brief, line) for line in unknown).most_common()
    said += f"缺{'、'.join(what for what, _ in wanted[:_MANY])}{'等' if len(wanted) > _MANY else ''}。"
    doubted = sum(any(one.certainty == POSSIBLE for one in brief.answers(line, UNKNOWN)) for line in unknown)
    if doubted:
        said += f"其中{doubted}条因位置误差或记录未填报而可能短缺,须核实。"
    partly = sum(any(one.status == UNKNOWN for one in line.towns) for line in brief.of(SHORT))
    if brief.town is None and partly:
        said += f"另有{partly}条短缺的标准在部分街镇数据不足。"
    return said


def _wanted(brief: Brief, line: Line) -> str:
    """Say what a rule waits for: the list it needs, or what a register leaves blank."""
    reason = (line.whole if brief.town is None else line.findings[brief.town]).reason
    said = line.rule.needs or reason.removeprefix("缺:").removeprefix("没有").split("(")[0].removesuffix(
        "未知"
    )
    if said and not said[0].isdigit():
        return said
    labels = [brief.district.registry.layers[key].label for key in line.rule.layers[:1]]
    return f"{''.join(labels)}名册的未填报项"


def _explained(brief: Brief) -> str:
    """Say on the first page what the figures rest on, in a few words; in full in the notes."""
    said = (
        f"全区人口{brief.total.total:,}人({brief.total.year}年,"
        f"{wording.document(brief.district, brief.total.document, brief.total.clause)});"
        f"{'' if brief.how == '普查' else '分街镇人口为估算;'}影响人口按街镇内均匀分布估算,各条不能相加。"
    )
    custom = [line.rule.title for line in brief.lines if line.rule.custom]
    taken = "、".join(one.title for one in brief.assumed.values())
    said += f"采用的假定:{taken}。" if taken else "未采用任何假定。"
    said += f"{CUSTOM}{len(custom)}条(非文件数值):{'、'.join(custom)}。" if custom else ""
    planned = sum(any(one.planned for one in shortages(line, brief.town)) for line in brief.short)
    said += f"{planned}条短缺采用规划数。" if planned else ""
    return f"{said}地图{'为' if brief.district.schematic else ''}{brief.district.boundary_notice}。"


def warning(brief: Brief) -> str:
    """Say on top of the page what rests on invented records; nothing when nothing does."""
    if not brief.demo:
        return ""
    said = "本通报含演示数据(程序编造,非真实记录),不能作为工作依据:"
    if not brief.invented:
        return said + "短缺各条均不依据演示数据。"
    return (
        said
        + f"短缺{len(brief.short)}条中{len(brief.invented)}条依据演示数据,其余{len(brief.real)}条不依据。"
    )


def height(text: str) -> int:
    """Give how many lines a paragraph takes, with its indent of two characters."""
    set_text = wording.full_width(text)
    width = sum(1.0 if unicodedata.east_asian_width(one) in "WFA" else 0.55 for one in set_text)
    return math.ceil((width + 2) / _LINE) if text else 0
