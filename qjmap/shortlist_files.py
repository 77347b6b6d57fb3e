"""The list of what is short as files: a workbook with a sheet per department, CSV, and the gaps as GeoJSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from qjmap import export
from qjmap.assess import NOT_APPLICABLE, SHORT, WHOLE, Assessment, Finding
from qjmap.district import District
from qjmap.shortlist import ORDER, Line
from qjmap.standards import CUSTOM, Rule
from qjmap.wording import titles

DEPARTMENT = "责任部门"
_DECIMALS = 4


def answers(chosen: Iterable[Line], statuses: Sequence[str] = ()) -> list[Finding]:
    """Give the answers that go into a list: shortages first, each rule's township by township, then 全区.

    Parameters
    ----------
    chosen
        The rules, weightiest first.
    statuses
        Answers wanted; by default all but 不适用.
    """
    wanted = tuple(statuses) or tuple(one for one in ORDER if one != NOT_APPLICABLE)
    found = [one for line in chosen for one in line.findings.values() if one.status in wanted]
    return sorted(found, key=lambda one: ORDER.index(one.status))


def table(findings: Iterable[Finding], assessment: Assessment, district: District) -> pd.DataFrame:
    """Make answers into the table that people read.

    Parameters
    ----------
    findings
        Answers, in the order of the rows.
    assessment
        Where they come from: its year and assumptions.
    district
        Whose documents are cited.

    Returns
    -------
    pandas.DataFrame
        One row per answer; numbers are numbers, blank where unknown or unbounded.
    """
    documents = titles(district.documents)
    assumed = {one.id: one.title for one in assessment.assumptions}
    rows = [_row(one, assessment.year, documents, assumed) for one in findings]
    return pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)


_COLUMNS = (
    *(DEPARTMENT, "街镇", "标准", "标准编号", "结论", "把握", "要求", "数值来源"),
    *(
        "现有",
        "应有",
        "缺口(至少)",
        "缺口(至多)",
        "单位",
        "现值",
        "现值单位",
        "影响人口(人)",
        "分母",
        "分母说明",
    ),
    *(
        "说明",
        "约束性",
        "用语",
        "文件",
        "条款",
        "条文核对",
        "依据",
        "年份",
        "演示数据",
        "规划数",
        "采用的假定",
    ),
)


def _row(
    one: Finding, year: int, documents: Mapping[str, str], assumed: Mapping[str, str]
) -> dict[str, object]:
    rule = one.rule
    values: tuple[object, ...] = (
        *(rule.department, one.town, rule.title, rule.id, one.status, one.certainty),
        *(rule.target, CUSTOM if rule.custom else "文件数值"),
        *(_number(value) for value in (one.have, one.need, one.shortfall, one.shortfall_most)),
        *(one.unit, _number(one.value), one.value_unit, _number(one.people, 0), _number(one.base)),
        *(one.base_text, one.reason, rule.binding, rule.wording),
        *(documents.get(rule.document, rule.document), rule.clause, rule.source_status, one.source, year),
        *("含演示" if one.demo else "否", "是" if one.planned else "否"),
        "、".join(assumed.get(key, key) for key in one.assumptions) or "无",
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _number(value: float, decimals: int = _DECIMALS) -> float | int | None:
    if not math.isfinite(value):
        return None
    rounded = round(value, decimals)
    return int(rounded) if float(rounded).is_integer() else rounded


def workbook(rows: pd.DataFrame, metadata: export.Metadata, *, demo: bool) -> bytes:
    """Write the list as an Excel workbook: 说明, then one sheet per department in the order of the rows."""
    departments = list(dict.fromkeys(rows[DEPARTMENT])) if len(rows) else []
    sheets = {str(name): rows[rows[DEPARTMENT] == name] for name in departments} or {"短板清单": rows}
    return export.to_excel(sheets, metadata.info(demo=demo))


def geojson(
    findings: Iterable[Finding],
    assessment: Assessment,
    district: District,
    metadata: export.Metadata,
) -> bytes:
    """Write the shortages of townships as GeoJSON, each with its gap where it has a shape of its own.

    A shortage without one (so many beds too few) is a feature whose geometry is null. 全区, which only sums
    townships up, goes out when the rule is judged for the district alone.
    """
    short = [
        one for one in findings if one.status == SHORT and (one.town != WHOLE or one.rule.scope == "district")
    ]
    shapes = [assessment.gap(one.rule.id, one.town) for one in short]
    degrees = [None if one is None else district.projection.geometry_to_degrees(one) for one in shapes]
    properties = table(short, assessment, district)
    return export.geometries_to_geojson(
        [f"{one.town}:{one.rule.title}" for one in short],
        degrees,
        {str(name): properties[name].tolist() for name in properties},
        metadata,
        demo=any(one.demo for one in short),
    )


def describe(
    assessment: Assessment, metadata: export.Metadata, changed: Iterable[Rule] = ()
) -> export.Metadata:
    """Add to a file's description what the answers rest on: the year, assumptions and changed figures.

    Parameters
    ----------
    metadata
        Title, date, filter and sources.
    changed
        The rules whose figures a person changed.
    """
    own = "、".join(f"{rule.title}[{rule.id}]:{rule.target}" for rule in changed)
    taken = "、".join(f"{one.title}[{one.id}]" for one in assessment.assumptions)
    rules = len({one.rule.id for one in assessment})
    said = f"{rules}条标准,{assessment.year}年;每行注明文件和条款"
    return replace(
        metadata,
        standard=f"{said};{CUSTOM}:{own}" if own else f"{said};均为文件数值",
        notices=(
            *metadata.notices,
            f"采用的假定:{taken}" if taken else "未采用任何假定",
            "“数据不足”既不是短缺,也不是达标",
            "影响人口按街镇内均匀分布估算,同一街镇各标准的人口不能相加",
        ),
    )
