"""Cards: one record, or one town, in full and with its source, as words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from qjmap import wording
from qjmap.district import District
from qjmap.layers import SHAPE, LayerSpec
from qjmap.registers import DEMO

_HEADED = ("id", "name", "kind", "status", "source", "document", "clause", "lon", "lat", "note")


@dataclass(frozen=True)
class Card:
    """What is known of one thing.

    Parameters
    ----------
    title
        Its name.
    tags
        (text, whether it marks something invented).
    pairs
        (label, value with its unit).
    """

    title: str
    tags: Sequence[tuple[str, bool]]
    pairs: Sequence[tuple[str, str]]


def of_record(
    district: District, spec: LayerSpec, record: pd.Series, *, include_sensitive: bool = False
) -> Card:
    """Say what is known of a record, how well its place is known, and who says so.

    Parameters
    ----------
    record
        One row of the layer's frame.
    include_sensitive
        Whether columns that the registry calls sensitive are said; not in a file that leaves the house.
    """
    tags = [(str(record[key]), False) for key in ("kind", "status") if pd.notna(record[key])]
    if record["source"] == DEMO:
        tags.append(("演示数据,非真实记录", True))
    pairs = [("编号", str(record["id"])), *_measured(spec, record)]
    for key, column in spec.columns.items():
        if key in _HEADED or column.type == SHAPE or pd.isna(record[key]):
            continue
        if key == "error_m" and spec.shaped and record[key] == 0:  # a line has no radius of error to tell
            continue
        if column.sensitive and not include_sensitive:
            continue
        value = record[key]
        text = (
            wording.number(value, 0 if float(value).is_integer() or value >= 1000 else 2)
            if column.type in ("integer", "number")
            else str(value)
        )
        if key == "position" and text in district.registry.positions:
            said = district.registry.positions[text].said
            text += f"({said})" if said else ""
        pairs.append((column.label, f"{text} {column.unit}".strip()))
    pairs.append(("来源", _source(district, record)))
    if pd.notna(record["note"]):
        pairs.append(("备注", str(record["note"])))
    return Card(str(record["name"]), tags, pairs)


def _measured(spec: LayerSpec, record: pd.Series) -> list[tuple[str, str]]:
    """Say how long a line or how large an area is, as measured from its shape."""
    if not spec.shaped:
        return []
    if spec.geometry == "line":
        return [("图形长度", f"{wording.number(record['length_m'] / 1e3, 2)} 千米(量算)")]
    area = float(record["area_m2"])
    return [
        ("图形面积", f"{wording.number(area / 1e6, 3)} 平方千米({wording.number(area / 1e4, 2)} 公顷,量算)")
    ]


def of_town(district: District, town: str, lines: Sequence[tuple[str, str]] = ()) -> Card:
    """Say a town's people and land with their sources, and what else there is on it.

    Parameters
    ----------
    lines
        More label–value pairs; one whose label is said already is passed over.
    """
    row = district.towns.loc[town]
    year = district.settings.base_year
    pairs = [
        ("类别", f"{row['kind']}({row['setting']})"),
        ("人口", f"{wording.number(row[f'population_{year}'])} 人({year}年估算)"),
        ("面积", f"{wording.number(row['area_km2'], 1)} 平方千米(按{district.boundary_kind}量算)"),
    ]
    if pd.notna(row["area_km2_quoted"]):
        pairs.append(("公布面积", f"{wording.number(row['area_km2_quoted'], 1)} 平方千米"))
    if pd.notna(row["villages_2023"]):
        pairs.append(("村(社区)", f"{wording.number(row['villages_2023'])} 个"))
    said = {label for label, _ in pairs}
    return Card(town, [], [*pairs, *(line for line in lines if line[0] not in said)])


def _source(district: District, record: pd.Series) -> str:
    if record["source"] == DEMO:
        return "演示(程序编造)"
    if pd.isna(record["document"]):
        return str(record["source"])
    return wording.document(district, str(record["document"]), record["clause"])
