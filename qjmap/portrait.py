"""One town on one sheet: what it has, what it lacks, what nobody knows of it, and who lives beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from qjmap.assess import SHORT, UNKNOWN, Finding
from qjmap.district import District
from qjmap.layers import LayerSpec
from qjmap.registers import DEMO, Layer, lies_in, nowhere
from qjmap.shortlist import Line
from qjmap.standards import Rule

NAMED = 8
"""Up to so many records of a layer are named on the sheet; of more, how many there are of each kind."""


@dataclass(frozen=True)
class Holding:
    """What a town has of one layer.

    Parameters
    ----------
    spec
        The layer.
    count, planned, demo
        Records in the town (lines and areas: that lie in it in part); how many of them are planned or being built;
        how many are invented.
    what
        Their names; of many, or of invented ones, how many there are of each kind. Of lines and areas also how much
        of them lies in the town.
    empty
        Whether nobody has any record of this layer, so that 0 says nothing.
    unsaid
        Records of the whole layer of which nobody knows the town: any of them may be here.
    """

    spec: LayerSpec
    count: int
    planned: int
    demo: int
    what: str
    empty: bool
    unsaid: int = 0


def holdings(layers: Mapping[str, Layer], town: str) -> list[Holding]:
    """Count and name what a town has, layer by layer; lines and areas that nobody keeps are no lack."""
    there = (layer for layer in layers.values() if not (layer.spec.shaped and layer.frame.empty))
    return [_holding(layer, town) for layer in there]


def _holding(layer: Layer, town: str) -> Holding:
    frame = layer.frame
    here = frame[lies_in(frame, [town])]
    demo = int((here["source"] == DEMO).sum())
    line = layer.spec.geometry == "line"
    return Holding(
        layer.spec,
        len(here),
        int(here["status"].isin(["规划", "在建"]).sum()),
        demo,
        _named(here, town, line) if len(here) <= NAMED and not demo else _by_kind(here, town, line),
        frame.empty,
        int(nowhere(frame).sum()),
    )


def _named(here: pd.DataFrame, town: str, line: bool) -> str:
    sizes = _sizes(here, town)
    return "、".join(
        f"{name}{size}" if status == "现状" else f"{name}{size}({status})"
        for name, status, size in zip(
            here["name"].astype(object),
            here["status"].astype(object),
            [""] * len(here) if sizes is None else [_size(one, line) for one in sizes],
            strict=True,
        )
    )


def _by_kind(here: pd.DataFrame, town: str, line: bool) -> str:
    kinds = here["kind"].astype("str")
    counts, sizes = kinds.value_counts(), _sizes(here, town)
    if sizes is None:
        return "、".join(f"{kind} {count:,}" for kind, count in counts.items())
    whole = sizes.groupby(kinds).sum().to_dict()
    return "、".join(f"{kind} {count:,}(共{_size(whole[kind], line)})" for kind, count in counts.items())


def _sizes(here: pd.DataFrame, town: str) -> pd.Series[float] | None:
    """Give how many metres or square metres of each line or area lie in the town; None of points."""
    if "in_towns" not in here:
        return None
    return pd.Series([one.get(town, 0.0) for one in here["in_towns"]], index=here.index, dtype=float)


def _size(size: float, line: bool) -> str:
    """Say a length or an area; nothing where a record says this town and lies in another."""
    if size == 0:
        return ""
    return f" {size / 1e3:,.1f} 千米" if line else f" {size / 1e6:,.2f} 平方千米"


def short(lines: Iterable[Line], town: str) -> list[Finding]:
    """Give what a town lacks, in the order of the lines."""
    return [line.findings[town] for line in lines if line.findings[town].status == SHORT]


def unknown(lines: Iterable[Line], town: str) -> dict[str, list[Rule]]:
    """Give what cannot be answered for a town: the reason, and the rules that wait for it; most rules first."""
    waiting: dict[str, list[Rule]] = {}
    for line in lines:
        one = line.findings[town]
        if one.status == UNKNOWN:
            waiting.setdefault(one.reason or "名册有未知项", []).append(line.rule)
    return dict(sorted(waiting.items(), key=lambda item: -len(item[1])))


def answered(lines: Iterable[Line], town: str, status: str) -> list[Finding]:
    """Give a town's answers of one status, in the order of the lines."""
    return [line.findings[town] for line in lines if line.findings[town].status == status]


def neighbours(district: District, town: str) -> Sequence[str]:
    """Name the towns that share a border with a town, in the district's order; none without boundaries."""
    shapes = district.boundaries.geometry
    if town not in shapes.index:
        return []
    # polygons cut from one map meet exactly; those of two files may miss each other by a hair
    near = shapes.distance(shapes[town]) <= 1.0
    return [str(name) for name in shapes.index[near.to_numpy()] if name != town]
