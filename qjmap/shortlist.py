"""The list of what is short: rules weighed, towns worst first, and what it adds up to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from qjmap.assess import MET, NOT_APPLICABLE, NOWHERE, SHORT, UNKNOWN, WHOLE, Assessment, Finding, weight
from qjmap.layers import Registry
from qjmap.standards import Rule

ORDER = (SHORT, UNKNOWN, MET, NOT_APPLICABLE)
"""Answers in the order in which they call for action."""

BINDING = "约束性"


@dataclass(frozen=True)
class Line:
    """One rule of the list with its answers.

    Parameters
    ----------
    rule
        The rule as applied.
    findings
        Place (township, 街镇未详 where there are such records, 全区) to answer.
    """

    rule: Rule
    findings: Mapping[str, Finding]

    @property
    def whole(self) -> Finding:
        """The answer for the whole district."""
        return self.findings[WHOLE]

    @property
    def status(self) -> str:
        """What the rule comes to: 短缺 when any place is short, 达标 only when every place is met."""
        return SHORT if any(one.status == SHORT for one in self.findings.values()) else self.whole.status

    @property
    def district_only(self) -> bool:
        """Whether the rule is judged for the district alone."""
        return self.rule.scope == "district"

    @property
    def towns(self) -> tuple[Finding, ...]:
        """The answers for townships."""
        return tuple(one for place, one in self.findings.items() if place not in (WHOLE, NOWHERE))

    def short_towns(self) -> int:
        """Count the townships that are short."""
        return sum(one.status == SHORT for one in self.towns)

    @property
    def layers(self) -> tuple[str, ...]:
        """The registers that the rule reads."""
        return (*self.rule.layers, *self.rule.to)


def lines(assessment: Assessment) -> tuple[Line, ...]:
    """Gather an assessment by rule, weightiest first.

    Rules with a shortage come first, then those that cannot be answered, then those that are met; among them
    binding rules, then strict words, then most people affected, then most townships short.
    """
    by_rule: dict[str, dict[str, Finding]] = {}
    for one in assessment:
        by_rule.setdefault(one.rule.id, {})[one.town] = one
    found = [Line(places[WHOLE].rule, places) for places in by_rule.values()]
    return tuple(
        sorted(found, key=lambda line: (ORDER.index(line.status), *weight(line.whole), -line.short_towns()))
    )


@dataclass(frozen=True)
class Choice:
    """Which rules of the list are looked at; an empty field leaves nothing out.

    Parameters
    ----------
    departments
        Departments in charge.
    statuses
        What the rule comes to.
    layers
        Registers that it reads.
    text
        Part of the rule's title, id, document clause or note; case does not matter.
    """

    departments: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    text: str = ""

    def keeps(self, line: Line) -> bool:
        """Tell whether a rule is chosen."""
        rule = line.rule
        wanted = self.text.strip().casefold()
        said = "\n".join((rule.title, rule.id, rule.clause, rule.note)).casefold()
        return (
            (not self.departments or rule.department in self.departments)
            and (not self.statuses or line.status in self.statuses)
            and (not self.layers or not set(self.layers).isdisjoint(line.layers))
            and wanted in said
        )

    def words(self, registry: Registry) -> str:
        """Say the choice in Chinese; “全部” when nothing is left out."""
        parts = {
            "部门": self.departments,
            "结论": self.statuses,
            "图层": tuple(registry.layers[key].label for key in self.layers),
        }
        said = [f"{label}:{'、'.join(values)}" for label, values in parts.items() if values]
        if self.text.strip():
            said.append(f"标准含“{self.text.strip()}”")
        return ";".join(said) or "全部"


def worst_first(chosen: Iterable[Line], towns: Sequence[str]) -> list[str]:
    """Order townships: most binding shortages, then most shortages, then most people affected."""
    chosen = tuple(chosen)

    def burden(town: str) -> tuple[int, int, float]:
        short = [line.findings[town] for line in chosen if line.findings[town].status == SHORT]
        return (
            -sum(one.rule.binding == BINDING for one in short),
            -len(short),
            -max((_known(one.people) for one in short), default=0.0),
        )

    return sorted(towns, key=burden)


def shortages_by_town(chosen: Iterable[Line], towns: Sequence[str]) -> dict[str, int]:
    """Count the rules by which each place is short."""
    chosen = tuple(chosen)
    return {
        town: sum(town in line.findings and line.findings[town].status == SHORT for line in chosen)
        for town in towns
    }


@dataclass(frozen=True)
class Totals:
    """What the list adds up to.

    Parameters
    ----------
    rules, binding
        How many rules come to each answer; the same of binding rules alone.
    people, people_binding
        People who live where at least one rule (one binding rule) is short, at least: whoever is affected by
        several is counted once. NaN when something is short and nobody can say for whom.
    """

    rules: Mapping[str, int] = field(default_factory=dict)
    binding: Mapping[str, int] = field(default_factory=dict)
    people: float = 0.0
    people_binding: float = 0.0

    @property
    def number(self) -> int:
        """How many rules there are."""
        return sum(self.rules.values())


def totals(chosen: Iterable[Line]) -> Totals:
    """Add a list up."""
    chosen = tuple(chosen)
    binding = tuple(line for line in chosen if line.rule.binding == BINDING)
    return Totals(_counts(chosen), _counts(binding), people_affected(chosen), people_affected(binding))


def _counts(chosen: Sequence[Line]) -> dict[str, int]:
    return {status: sum(line.status == status for line in chosen) for status in ORDER}


def people_affected(chosen: Iterable[Line]) -> float:
    """Bound from below how many people live where at least one of the rules is short.

    Nobody is counted twice: of a township's shortages the one with most people counts, and a shortage of the
    district as a whole counts only where it is larger than all townships together.
    """
    by_town: dict[str, float] = {}
    whole: list[float] = []
    for line in chosen:
        if line.district_only and line.whole.status == SHORT:
            whole.append(line.whole.people)
        for one in line.findings.values():
            if one.town != WHOLE and one.status == SHORT:
                by_town[one.town] = max(by_town.get(one.town, math.nan), one.people, key=_rank)
    known = [one for one in by_town.values() if not math.isnan(one)]
    districts = [one for one in whole if not math.isnan(one)]
    if not known and not districts:
        return math.nan if by_town or whole else 0.0
    return max(math.fsum(known), *districts, 0.0)


def _rank(people: float) -> float:
    return -1.0 if math.isnan(people) else people


def _known(number: float) -> float:
    return 0.0 if math.isnan(number) else number
