"""Heads of two lines and three, as offices merge them: joined where it is sure, told, and given back beside them."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook

from qjmap import _xls, draft, ingest, matching, sheets, workbooks
from tests.test_ingest_files import cells, only, workbook
from tests.test_old_excel import CONTENT

TITLE = ["綦江区医疗机构一览表(2026年)"]
BY = ["制表单位:区卫健委", None, None, None, None, "单位:张、辆"]
UPPER = ["序号", "机构名称", "所在镇街", "机构类别", "状态", "床位", None, "急救"]
LOWER = [None, None, None, None, None, "2020年", "2025年", "救护车"]
JOINED = ["序号", "机构名称", "所在镇街", "机构类别", "状态", "床位 2020年", "床位 2025年", "急救 救护车"]
MERGED = ["A1:H1", "F3:G3", *(f"{letter}3:{letter}4" for letter in "ABCDE")]


def clinic(n: int, beds: object = 50) -> list[object]:
    return [n, f"院{n}", "东溪镇", "卫生院", "现状", 40 + n, beds, 1]


def ledger(*rows, merge=MERGED) -> bytes:
    return workbook(TITLE, BY, UPPER, LOWER, *(rows or (clinic(1), clinic(2))), merge=merge)


def names(source: ingest.Source) -> list[str]:
    return list(source.table.frame.columns)


@pytest.mark.parametrize("said", [None, 3, 4])
def test_names_under_merged_ones_are_joined_wherever_a_person_says_they_begin(said):
    source = only(ledger(), header_row=said)
    assert names(source) == JOINED
    assert (source.header_row, source.header_rows, list(source.table.rows)) == (3, 2, [5, 6])
    assert "列名占两行(第 3、4 行),已合并" in source.notes
    assert not any("没有列名" in note for note in source.notes)
    assert cells(source)[0] == ["1", "院1", "东溪镇", "卫生院", "现状", "41", "50", "1"]


def test_years_as_numbers_are_names_where_the_merged_cells_say_so():
    lower = [*LOWER[:5], 2020, 2025, "救护车"]
    source = only(workbook(UPPER, lower, clinic(1), merge=["F1:G1", *(f"{x}1:{x}2" for x in "ABCDE")]))
    assert names(source)[5:] == ["床位 2020", "床位 2025", "急救 救护车"]


def test_three_lines():
    first = ["序号", "名称", "床位", None, None, None, "备注"]
    second = [None, None, "2020年", None, "2025年", None, None]
    third = [None, None, "编制", "开放", "编制", "开放", None]
    merge = ["A2:A4", "B2:B4", "G2:G4", "C2:F2", "C3:D3", "E3:F3"]
    source = only(workbook(["一览表"], first, second, third, [1, "甲", 1, 2, 3, 4, "无"], merge=merge))
    assert names(source) == [
        *(
            "序号",
            "名称",
            "床位 2020年 编制",
            "床位 2020年 开放",
            "床位 2025年 编制",
            "床位 2025年 开放",
            "备注",
        )
    ]
    assert (source.header_row, source.header_rows, list(source.table.rows)) == (2, 3, [5])
    assert "列名占三行(第 2、3、4 行),已合并" in source.notes


def test_a_name_merged_downwards_is_no_group_of_what_stands_beside_it():
    source = only(
        workbook(["序号", None, "备注"], [None, "名称", None], [1, "甲", "x"], merge=["A1:A2", "C1:C2"])
    )
    assert names(source) == ["序号", "名称", "备注"]


def test_merged_cells_of_the_rows_are_none_of_the_head():
    rows = [["街镇", "村", "名称", "备注"], ["东溪镇", "甲村", "a", None], [None, None, "b", "x"]]
    source = only(workbook(*rows, merge=["A2:A3", "B2:B3"]))
    assert (source.header_rows, list(source.table.rows)) == (1, [2, 3])
    assert sorted(source.merged) == [("村", 2, 3), ("街镇", 2, 3)]
    below = only(ledger(clinic(1), [2, "院2", None, *clinic(2)[3:]], merge=[*MERGED, "C5:C6"]))
    assert below.merged == (("所在镇街", 5, 6),)


def test_an_old_workbook_tells_its_merged_cells_too(monkeypatch):
    monkeypatch.setattr(
        _xls, "_formats_xls", lambda _: [([(2, 3, 0, 0), (2, 3, 1, 1), (5, 6, 2, 2)], [], {})] * 3
    )
    register = ingest.read("台账.xls", CONTENT)[0]
    assert (register.header_row, register.header_rows, list(register.table.rows)) == (2, 2, [4, 5, 6])
    assert register.merged == ((names(register)[2], 5, 6),)


def test_without_merged_cells_a_name_over_numbers_is_joined():
    lines = [",".join("" if one is None else str(one) for one in row) for row in (UPPER, LOWER, clinic(1))]
    source = only("\n".join(lines).encode(), "a.csv")
    assert (names(source), source.header_rows, list(source.table.rows)) == (JOINED, 2, [3])


def test_without_merged_cells_a_line_that_may_be_a_record_is_one():
    """Nothing says that 乙 over words is a name."""
    source = only("序号,名称,床位,,备注\n,,2020年,2025年,乙\n1,甲,3,4,丙\n".encode(), "a.csv")
    assert (source.header_rows, list(source.table.rows)) == (1, [2, 3])


def test_the_beds_of_a_year_are_matched_and_what_says_too_little_is_left_to_a_person(qijiang):
    found = matching.match(only(ledger()), qijiang.registry.spec("health"), tuple(qijiang.towns.index))
    assert {key: one.column for key, one in found.items() if "beds" in key} == {
        "beds_2020": "床位 2020年",
        "beds_2025": "床位 2025年",
    }
    assert "ems_station" not in found
    assert matching.unsure("急救 救护车", qijiang.registry.spec("health"), found) == ["急救车"]


def test_a_file_goes_back_with_its_faults_beside_its_own_head(qijiang):
    content = ledger(clinic(1), clinic(2, "不清楚"), merge=MERGED[:-1])  # the last group is the last column
    source = sheets.chosen(ingest.read("表.xlsx", content), 0)
    spec = qijiang.registry.spec("health")
    made = draft.prepare(source, spec, matching.match(source, spec), None, draft.surroundings(qijiang))
    assert [(one.row, one.column) for one in made.problems] == [(6, "床位 2025年")]
    book = load_workbook(io.BytesIO(workbooks.returned("表.xlsx", content, made, source)))
    sheet = book.active
    assert sheet["I3"].value == "错误"
    assert "不清楚" in sheet["I6"].value
    assert sheet["G6"].fill.start_color.rgb == "FFFFC7CE"
    assert [one.value for one in sheet[4]][:8] == LOWER
    again = only(workbooks.returned("表.xlsx", content, made, source))
    assert names(again) == [*JOINED, "错误"]


def test_the_errors_stand_behind_a_group_that_is_the_last():
    wide = only(workbook(["名称", "床位", None], [None, "甲", "乙"], ["a", 1, 2], merge=["A1:A2", "B1:C1"]))
    assert (names(wide), wide.places) == (["名称", "床位 甲", "床位 乙"], (0, 1, 2))
