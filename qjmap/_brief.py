"""The brief of a bulletin: what it is written from, and one answer in the words of an official bulletin."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd

from qjmap import shortlist, wording
from qjmap.assess import MET, POSSIBLE, SHORT, UNKNOWN, WHOLE, Assessment, Finding
from qjmap.assumptions import Assumption
from qjmap.district import District, OfficialTotal
from qjmap.shortlist import BINDING, Line
from qjmap.standards import CUSTOM


class Brief:
    """The rules' answers for a town, or for the district, as a bulletin tells them.

    Parameters
    ----------
    district, found
        The district and what came out for it.
    town
        The town, or None for the whole district.
    assumptions
        What is taken for granted; the assessment's own when None.
    """

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
        self.real = [line for line in short if not any(one.demo for one in shortages(line, town))]
        self.short = [*self.real, *self.invented]
        self.rows = sorted(
            (one for line in self.short for one in shortages(line, town)), key=lambda one: one.demo
        )
        self.cites = _Cites(district)

    def status(self, line: Line) -> str:
        """Say what a rule comes to here."""
        return line.status if self.town is None else line.findings[self.town].status

    def of(self, status: str) -> list[Line]:
        """Give the rules that come to that answer here."""
        return [line for line in self.lines if self.status(line) == status]

    def answers(self, line: Line, status: str) -> list[Finding]:
        """Give the answers to a rule, here or anywhere in the district, that come to that."""
        found = line.findings.values() if self.town is None else [line.findings[self.town]]
        return [one for one in found if one.status == status]

    @property
    def demo(self) -> bool:
        """Whether any answer rests on invented records, met or short."""
        judged = (SHORT, UNKNOWN, MET)
        return any(one.demo for line in self.lines for status in judged for one in self.answers(line, status))

    @property
    def total(self) -> OfficialTotal:
        """The official number of people that holds in the year: the latest not after it, else the first."""
        known = sorted(self.district.settings.totals, key=lambda one: one.year)
        return next((one for one in reversed(known) if one.year <= self.found.year), known[0])

    @property
    def how(self) -> str:
        """How the towns' people are known: by the census, or estimated."""
        return "普查" if self.total.year == self.district.settings.totals[0].year else "估算"


class _Cites:
    """Cites documents: by their number where no other has the same, else by title and number."""

    def __init__(self, district: District) -> None:
        self._district = district
        numbers = district.documents["number"].fillna("").astype("str")
        often = Counter(numbers)
        self._own = {
            str(key): one for key, one in numbers.items() if one not in ("", "-", "–") and often[one] == 1
        }

    def short(self, one: Finding) -> str:
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


def shortages(line: Line, town: str | None = None) -> tuple[Finding, ...]:
    """Give a rule's shortages as rows: by township, or 全区 where no township's own is known.

    全区 only sums townships up, so it stands beside none of them.
    """
    if town is not None:
        return (line.findings[town],) if line.findings[town].status == SHORT else ()
    places = tuple(one for place, one in line.findings.items() if place != WHOLE and one.status == SHORT)
    return places or ((line.whole,) if line.whole.status == SHORT else ())


def target(one: Finding) -> str:
    """Say what is asked for."""
    return one.rule.target if one.rule.figure is not None else "名册逐条所列目标"


def have(one: Finding) -> str:
    """Say what there is and what is asked for, in the words of the rule's kind."""
    there, asked = wording.HAVE_NEED.get(one.rule.kind, ("现有", "应有"))
    if math.isfinite(one.have) and math.isfinite(one.need):
        held = wording.have(one).replace(" ", "")
        return f"{there}{held}{one.unit}、{asked}{wording.figure(one.need)}{one.unit}"
    return f"现值{rate(one.value)}{one.value_unit}" if math.isfinite(one.value) else ""


def rate(value: float) -> str:
    """Write a rate with two decimals, as the documents print it."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def tags(found: Sequence[Finding]) -> str:
    """Put what a sentence rests on into brackets behind it."""
    due = (
        (BINDING, found[0].rule.binding == BINDING),
        (POSSIBLE, any(one.certainty == POSSIBLE for one in found)),
        ("演示", any(one.demo for one in found)),
        ("规划数", any(one.planned for one in found)),
        (CUSTOM, found[0].rule.custom),
        ("假定", any(one.assumptions for one in found)),
    )
    said = [text for text, is_due in due if is_due]
    return f"〔{'、'.join(said)}〕" if said else ""
