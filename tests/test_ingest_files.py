"""What people have: workbooks and tables as offices make them, read whole, with the row numbers of the file."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import pandas as pd
import pytest
from openpyxl import Workbook

from qjmap import ingest
from qjmap.errors import DataError

HEADER = ["编号", "名称", "经度", "日期"]


def workbook(*rows, title="消火栓", merge=(), formats=None) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for ref in merge:
        sheet.merge_cells(ref)
    for ref, code in (formats or {}).items():
        sheet[ref].number_format = code
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def only(content: bytes, name: str = "表.xlsx", **options) -> ingest.Source:
    (source,) = ingest.read(name, content, **options)
    return source


def cells(source: ingest.Source) -> list[list[str | None]]:
    frame = source.table.frame.astype(object)
    return frame.where(frame.notna(), None).to_numpy().tolist()


def refused(name: str, content: bytes) -> str:
    with pytest.raises(DataError) as caught:
        ingest.read(name, content)
    return str(caught.value)


# ---- Excel -----------------------------------------------------------------------------------------


def test_cells_come_as_a_person_sees_them():
    source = only(
        workbook(
            ["编号", "数", "小数", "日期", "是否", "文字"],
            ["007", 100, 0.1 + 0.2, dt.date(2023, 3, 20), True, " 綦江\n区 "],
            [8, 1e20, -2.5, dt.datetime(2023, 3, 20, 8, 30), False, "=1+1"],
        )
    )
    assert cells(source) == [
        ["007", "100", "0.3", "2023-03-20", "是", "綦江\n区"],
        ["8", "1e+20", "-2.5", "2023-03-20 08:30:00", "否", None],
    ]
    assert any("1 个公式单元格" in note for note in source.notes)
    assert any("没有保存结果" in note for note in source.notes)


def test_rows_keep_the_numbers_of_the_file_and_faults_will_name_file_and_sheet():
    source = only(workbook(["编号", "名称"], ["1", "a"], [], [None, " "], ["2", "b"]))
    assert tuple(source.table.rows) == (2, 5)
    assert source.table.file == "表.xlsx 工作表“消火栓”"


def test_titles_above_the_header_are_passed_over_and_told():
    source = only(
        workbook(
            ["綦江区消火栓台账"], [None, "填报单位:某局"], HEADER, ["1", "a", 106.6, None], merge=["A1:D1"]
        )
    )
    assert list(source.table.frame.columns) == HEADER
    assert (source.header_row, tuple(source.table.rows)) == (3, (4,))
    assert "第 3 行作为列名" in source.notes[0]


def test_a_person_may_say_where_the_header_is():
    content = workbook(["甲", "乙"], ["丙", "丁"], ["1", "2"])
    assert list(only(content, header_row=2).table.frame.columns) == ["丙", "丁"]


def test_a_header_far_down_is_taken_as_said_and_one_that_is_not_there_is_looked_for():
    content = ("".join(f"说明{n},\n" for n in range(60)) + "甲,乙\n1,2\n").encode()
    found = only(content, header_row=61)
    assert (list(found.table.frame.columns), found.header_row) == (["甲", "乙"], 61)
    short = b"\xe7\x94\xb2,\xe4\xb9\x99\n1,2\n"
    assert only(short, header_row=50).header_row == 1


def test_a_header_of_two_rows_becomes_one():
    source = only(
        workbook(
            ["序号", "名称", "坐标", None, "备注"],
            [None, None, "经度", "纬度", None],
            [1, "甲", 106.6, 28.7, "无"],
            merge=["A1:A2", "B1:B2", "C1:D1", "E1:E2"],
        )
    )
    assert list(source.table.frame.columns) == ["序号", "名称", "经度", "纬度", "备注"]
    assert tuple(source.table.rows) == (3,)


def test_a_second_row_of_the_header_keeps_what_the_first_says_of_it():
    """高度 under 裙房 is not the building's, 床位 under 2015年 not those of 2025."""
    source = only(
        workbook(
            ["名称", "裙房", None, "2015年", None, "基本情况", None],
            [None, "高度", "层数", "规划床位", "开放床位", "用途", "街镇"],
            ["甲", 12, 3, 80, 70, "x", "东溪镇"],
        )
    )
    assert list(source.table.frame.columns) == [
        *("名称", "裙房 高度", "裙房 层数", "2015年 规划床位", "2015年 开放床位", "用途", "街镇")
    ]


@pytest.mark.parametrize("units", [["单位", None, "L/min", "MPa"], [None, None, "(L/min)", "MPa"]])
def test_a_row_of_units_below_the_header_belongs_to_it(units):
    source = only(workbook(["编号", "街镇", "流量", "压力"], units, ["1", "东溪镇", 55, 0.3]))
    assert list(source.table.frame.columns) == ["编号", "街镇", "流量(L/min)", "压力(MPa)"]
    assert tuple(source.table.rows) == (3,)
    assert "第 2 行作为各列的单位" in source.notes
    lone = only(workbook(["编号", "街镇", "流量"], [None, None, "升/分"], ["1", "东溪镇", 55]))
    assert list(lone.table.frame.columns) == ["编号", "街镇", "流量(升/分)"]
    data = only(workbook(["编号", "街镇", "流量", "压力"], ["T1", "m", 55, 0.3], ["1", None, "L/min", None]))
    assert tuple(data.table.rows) == (2, 3)


def test_merged_cells_below_the_header_are_remembered():
    source = only(workbook(["街镇", "名称"], ["东溪镇", "a"], [None, "b"], merge=["A2:A3"]))
    assert source.merged == (("街镇", 2, 3),)


def test_every_sheet_that_holds_anything_is_a_source():
    book = Workbook()
    book.active.append(["a", "b"])
    book.active.append(["1", "2"])
    book.create_sheet("空")
    book.create_sheet("第二").append(["c", "d"])
    book["第二"].sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    sources = ingest.read("x.xlsx", out.getvalue())
    assert [(one.name, one.hidden) for one in sources] == [("Sheet", False), ("第二", True)]


def test_names_given_twice_are_told_apart_and_columns_without_a_name_are_told():
    source = only(workbook(["名称", "名称", None], ["a", "b", "c"]))
    assert list(source.table.frame.columns) == ["名称", "名称(2)"]
    assert any("第 3 列没有列名" in note for note in source.notes)


def test_old_xls_is_read(tmp_path):
    assert "无法解析的 .xls" in refused("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 2000)


# ---- CSV -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encodings_of_offices(encoding):
    source = only("编号,名称\n1,綦江𠮷\n".encode(encoding), "a.csv")
    assert cells(source) == [["1", "綦江𠮷"]]
    assert ("GB18030" in "".join(source.notes)) == (encoding == "gb18030")


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize(
    ("head", "name"), [("", "编号"), ("", '"编号"'), ("綦江区消火栓台账\n", "编号"), ("\n", "编号")]
)
def test_other_delimiters(delimiter, head, name):
    lines = [(name, "名称", "位置"), ("1", "a", "甲村, 乙组"), ("2", "b", "丙村; 丁组")]
    body = "\n".join(
        delimiter.join(f'"{one}"' if delimiter in one else one for one in line) for line in lines
    )
    source = only(f"{head}{body}\n".encode(), "a.csv")
    assert cells(source) == [["1", "a", "甲村, 乙组"], ["2", "b", "丙村; 丁组"]]
    assert list(source.table.frame) == ["编号", "名称", "位置"]


def test_bytes_of_no_encoding_are_told_with_their_place():
    words = refused("a.csv", "编号,名称\n1,綦\n".encode() + b"2,\xff\xff\n")
    assert "第 3 行" in words
    assert "第 23 个字节(0xFF)" in words


def test_a_row_wider_than_the_header_is_a_problem_of_that_row():
    source = only(b"a,b\n1,2\n3,4,5\n6\n", "a.csv")
    assert [(one.row, one.value) for one in source.problems] == [(3, "5")]
    assert cells(source) == [["1", "2"], ["3", "4"], ["6", None]]


# ---- what a file is, its content says --------------------------------------------------------------


def test_a_wrong_suffix_is_read_by_content_and_told():
    source = only(workbook(["a", "b"], ["1", "2"]), "台账.xls")
    assert source.format == "xlsx"
    assert "内容却是 .xlsx" in source.notes[0]


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("a.xlsx", b"", "空文件"),
        ("a.pdf", b"%PDF-1.7", ".pdf"),
        ("a.shp", b"\x00\x00\x27\x0a" + b"\x00" * 96, "一起压缩成 .zip"),
        ("a.xls", b"<html><table></table>", "网页"),
        ("a.exe", b"MZ\x90", "下列格式之一"),
        ("a.csv", b"a\x00b", "NUL"),
    ],
)
def test_what_is_none_of_these_is_refused_with_advice(name, content, word):
    assert word in refused(name, content)


def test_a_word_file_is_told_to_be_one():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert "Word" in refused("a.xlsx", out.getvalue())


def test_file_names_lose_what_hides_something():
    assert ingest.clean_name("../..\\etc/a\u202e\x00b.csv") == "ab.csv"


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_the_reader_tells_how_far_it_is(kind):
    frame = pd.DataFrame({"编号": range(12_000), "名称": "甲" * 20})
    out = io.BytesIO()
    if kind == "xlsx":
        frame.to_excel(out, index=False)
    else:
        frame.to_csv(out, index=False)
    heard = []
    ingest.read(f"a.{kind}", out.getvalue(), progress=heard.append)
    assert len(heard) >= 2
    assert heard == sorted(heard)
    assert heard[-1] <= 1
    assert heard[-1] > 0.7


@pytest.mark.parametrize("name", ["导出.xls", "导出.xlsx"])
def test_text_under_the_name_of_a_workbook_is_read_as_what_it_is(name):
    (source,) = ingest.read(name, "编号\t名称\nA1\t甲\n".encode("gb18030"))
    assert source.table.frame.to_dict("list") == {"编号": ["A1"], "名称": ["甲"]}
    assert any("内容" in note for note in source.notes)


def test_what_cannot_be_read_is_called_by_its_ending():
    with pytest.raises(DataError, match=r"现为“\.png 文件”"):
        ingest.read("图.png", b"\x89PNG\r\n\x1a\n" + bytes(40))
