"""What is attached to a bulletin: the table of shortages, the documents, their errata, the notes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from qjmap import wording
from qjmap._brief import Brief, have, tags, target
from qjmap.assess import INDICATOR, NOT_APPLICABLE, Finding
from qjmap.export import DEMO_NOTICE
from qjmap.registers import public
from qjmap.standards import CUSTOM

_READ = "读过原文"


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


def rows(brief: Brief) -> tuple[Row, ...]:
    """Make the table of every shortage."""
    return tuple(_row(brief, number, one) for number, one in enumerate(brief.rows, 1))


def _row(brief: Brief, number: int, one: Finding) -> Row:
    return Row(
        number=number,
        place=one.town,
        standard=one.rule.title,
        target=f"{target(one)}({one.rule.wording})",
        have=have(one) or "—",
        gap=wording.gap(one) or "—",
        people="无法折算" if math.isnan(one.people) else f"{wording.people(one.people)}人",
        basis=brief.cites.short(one),
        department=one.rule.department,
        marks=_marks(brief, one),
        demo=one.demo,
    )


def _marks(brief: Brief, one: Finding) -> str:
    """Say what a row rests on, tags first, then the reason."""
    rule = one.rule
    said = [tags([one]).strip("〔〕")]
    said += [brief.assumed[key].title if key in brief.assumed else key for key in one.assumptions]
    said += [f"条文{rule.source_status}"] if rule.source_status != _READ else []
    said += [INDICATOR] if one.source == INDICATOR else []
    # a register has enough in all, and still some of it too little
    if one.have >= one.need and one.shortfall > 0 and not _at_most(one):
        said.append("逐个核对,有余不抵不足")
    return ";".join(text for text in (*said, one.reason) if text)


def _at_most(one: Finding) -> bool:
    """Tell whether the rule asks for no more than its figure, so that having more is what is short."""
    return one.rule.kind in ("exclusion", "deadline")


def cited(brief: Brief) -> list[str]:
    """Name the documents of the rules that apply here and of the people, each once, in the documents' order."""
    keys = {line.rule.document for line in brief.lines if brief.status(line) != NOT_APPLICABLE}
    keys.add(brief.total.document)
    known = [str(key) for key in brief.district.documents.index]
    return sorted(keys, key=lambda key: known.index(key) if key in known else len(known))


def errata(brief: Brief, table: pd.DataFrame | None) -> Iterator[Erratum]:
    """Give what does not add up in the documents cited; in a town's bulletin in those of its shortages."""
    if table is None:
        return
    open_ = public(_of_its_documents(brief, table), brief.district.registry)
    for record in open_.astype("object").to_dict("records"):
        texts = {key: str(record[key]) for key in ("id", "subject", "printed", "found", "treatment")}
        source = wording.document(brief.district, str(record["document"]), str(record["clause"]))
        yield Erratum(**texts, source=source)


def _of_its_documents(brief: Brief, table: pd.DataFrame) -> pd.DataFrame:
    wanted = set(cited(brief))
    if brief.town is not None:
        wanted = {one.rule.document for one in brief.rows} | {brief.total.document}
    return table[table["document"].isin(wanted)]


def notes(brief: Brief, table: pd.DataFrame | None = None) -> Iterator[str]:
    """Say what the figures rest on, in full; of the errata in `table` how many a paper for anybody must not say."""
    yield "结论分四种:达标、短缺、数据不足、不适用。“数据不足”既不是短缺,也不是达标。"
    yield "缺口写成“甲–乙”的,至少缺甲、至多缺乙:其间的差是未填报的记录。"
    yield (
        "“可能”指结论取决于位置误差或未填报的记录,须核实。"
        f"位置误差按名册所写;{wording.assumed_errors(brief.district)}。"
    )
    yield wording.population_line(brief.district, brief.total.year)
    if brief.total.note:
        yield f"{brief.total.year}年全区人口:{brief.total.note}。"
    yield "合计的缺口只加短缺之处,有余之处不抵不足。"
    yield "影响人口按街镇内均匀分布估算;同一人可能受多条短缺影响,各条人口不能相加。"
    for one in brief.assumed.values():
        yield f"采用的假定:{one.title}。{one.note}"
    if not brief.assumed:
        yield "未采用任何假定。"
    for line in brief.lines:
        if line.rule.custom:
            yield f"{CUSTOM}(使用者改动,非文件数值):{line.rule.title},{line.rule.target}。"
    if any(one.planned for one in brief.rows):
        yield "注“规划数”的各项,数值取自规划,不是现状。"
    if any(one.source == INDICATOR for one in brief.rows):
        yield f"注“{INDICATOR}”的各项,取自文件所载全区数,不是由名册算得。"
    if brief.demo:
        layers = {key for line in brief.invented for key in line.layers}
        named = "、".join(spec.label for key, spec in brief.district.registry.layers.items() if key in layers)
        yield f"{DEMO_NOTICE}。" + (f"短缺所涉的演示名册:{named}。" if named else "")
    yield f"街镇{'界线为' if brief.district.schematic else ''}{brief.district.boundary_notice}。"
    cited_ = None if table is None else _of_its_documents(brief, table)
    withheld = 0 if cited_ is None else len(cited_) - len(public(cited_, brief.district.registry))
    if withheld:
        yield f"另有{withheld}条勘误涉及敏感列,不列入通报。"
