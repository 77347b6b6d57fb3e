"""What other boundaries change: the same registers judged by the old lines and by the new, answer by answer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from qjmap import wording
from qjmap.assess import SHORT, Assessment, Finding, assess
from qjmap.contents import BOUNDARIES, GEOJSON, Content
from qjmap.district import District, load_district
from qjmap.errors import DataError
from qjmap.registers import Layer, load_layer, load_table
from qjmap.standards import Rule, Standards


@dataclass(frozen=True)
class Effect:
    """One answer that is another by the new lines.

    Parameters
    ----------
    rule
        The rule.
    town
        The township, or 全区.
    before, after
        The answers: 达标, 短缺, 数据不足, 不适用.
    said_before, said_after
        What is missing, else what there is, in words; empty when neither is known.
    """

    rule: Rule
    town: str
    before: str
    after: str
    said_before: str
    said_after: str

    @property
    def turned(self) -> bool:
        """Whether the answer itself is another, and not only how much there is."""
        return self.before != self.after


def with_lines(district: District, data: bytes, file: str) -> District:
    """Load a district anew as if the bytes of a boundary file (GeoJSON) were kept for it; nothing is saved."""
    content = Content(file, data, GEOJSON)
    return load_district(district.key, district.root, kept={**district.kept, BOUNDARIES: content})


def judged(district: District, standards: Standards, year: int) -> Assessment:
    """Judge a district by its registers, without demo data; a register with faults is left out, as on the pages."""
    layers: dict[str, Layer] = {}
    for key in district.registry.layers:
        with suppress(DataError):
            layers[key] = load_layer(district, key)
    indicators = None
    with suppress(DataError):
        indicators = load_table(district, "indicators")
    return assess(district, layers, standards, year, indicators=indicators)


def compare(before: Iterable[Finding], after: Iterable[Finding]) -> tuple[Effect, ...]:
    """Say which answers differ: those that turned first, each part in the order of the new answers.

    Parameters
    ----------
    before, after
        Answers of the same rules by old and by new lines; an answer that only one has is passed over.
    """
    old = {(one.rule.id, one.town): one for one in before}
    found = []
    for new in after:
        one = old.get((new.rule.id, new.town))
        if one is not None:
            effect = Effect(new.rule, new.town, one.status, new.status, _said(one), _said(new))
            if effect.turned or effect.said_before != effect.said_after:
                found.append(effect)
    return tuple(sorted(found, key=lambda effect: not effect.turned))


def _said(one: Finding) -> str:
    if one.status == SHORT and (lacking := wording.lacking(one)):
        return lacking
    label = wording.HAVE_NEED.get(one.rule.kind, ("现有", ""))[0]
    return f"{label} {wording.have(one)} {one.unit}" if math.isfinite(one.have) else ""


def summary(effects: Iterable[Effect]) -> dict[tuple[str, str], int]:
    """Count the answers that turned: (before, after) → number, most first."""
    counts: dict[tuple[str, str], int] = {}
    for one in effects:
        if one.turned:
            counts[one.before, one.after] = counts.get((one.before, one.after), 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
