"""Formulas that a file brings without their results are told by column: what they would say is missing."""

from __future__ import annotations

import io

from openpyxl import Workbook

from qjmap import draft, ingest, matching, sheets

HEAD = ["机构名称", "街镇", "机构类别", "状态", "2025年规划床位", "全科医生", "某列"]


def book(*names: str) -> bytes:
    workbook = Workbook()
    workbook.remove(workbook.active)
    for n, name in enumerate(names):
        sheet = workbook.create_sheet(name)
        sheet.append(HEAD)
        for row in range(3):
            sheet.append([f"院{n}{row}", "戊镇", "卫生院", "现状", "=10*5", 3, "=1+1"])
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def warned(source, district) -> list[tuple[str | None, str | None]]:
    spec = district.registry.spec("health")
    matches = matching.match(source, spec)
    kept = draft.prepare(source, spec, matches, None, draft.surroundings(district))
    assert kept.frame["beds_2025"].isna().all()
    assert any("没有保存结果" in one for one in kept.notes)
    return [(one.column, one.value) for one in kept.warnings if "公式" in (one.value or "")]


def test_a_column_of_formulas_without_results_is_a_warning(grid_district):
    (source,) = ingest.read("a.xlsx", book("表"))
    assert warned(source, grid_district) == [("2025年规划床位", "3 个公式没有保存结果")]


def test_of_sheets_read_together_they_are_counted_together(grid_district):
    found = ingest.read("a.xlsx", book("甲", "乙"))
    both = sheets.chosen(found, 0, [1])
    assert warned(both, grid_district) == [("2025年规划床位", "6 个公式没有保存结果")]
