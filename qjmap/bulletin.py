"""短板通报: what a bulletin says of a district or a town, in the wording of an official bulletin.

Every figure comes out of the assessment. What is unknown is counted neither as short nor as met; what rests on
invented records is said so on the first page and beside each row, and real shortages come before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from qjmap import _annex as annex
from qjmap import _front as front
from qjmap import wording
from qjmap._annex import Erratum, Row
from qjmap._brief import Brief
from qjmap._front import Section
from qjmap.assess import Assessment
from qjmap.assumptions import Assumption
from qjmap.district import District
from qjmap.errors import UnknownKeyError
from qjmap.export import DEMO_NOTICE

__all__ = ["Bulletin", "Erratum", "Row", "Section", "district_bulletin", "town_bulletin"]


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
    brief = Brief(district, found, None, assumptions)
    return _bulletin(brief, when, errata, number)


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
    brief = Brief(district, found, town, assumptions)
    return _bulletin(brief, when, errata, number)


def _bulletin(brief: Brief, when: date, errata: pd.DataFrame | None, number: str) -> Bulletin:
    settings = brief.district.settings
    lead, warning = front.lead(brief), front.warning(brief)
    above = front.height(lead) + front.height(warning)
    above += sum(map(bool, (number, settings.office, settings.internal)))
    registers = "现有" if brief.found.year == brief.total.year else f"{brief.found.year}年"
    notices = (brief.district.boundary_notice, DEMO_NOTICE if brief.demo else "")
    said = Bulletin(
        title=f"{brief.place}短板情况通报",
        subtitle=f"(按{brief.total.year}年人口和{registers}名册核对)",
        number=number,
        when=when,
        office=settings.office,
        internal=settings.internal,
        place=brief.place,
        warning=warning,
        paragraphs=(lead,),
        findings=front.sections(brief, above),
        map_title=f"{brief.place}短缺分布图",
        map_notes=tuple(text for text in notices if text),
        rows=annex.rows(brief),
        sources=tuple(brief.cites.full(key) for key in annex.cited(brief)),
        errata=tuple(annex.errata(brief, errata)),
        notes=tuple(annex.notes(brief, errata)),
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
