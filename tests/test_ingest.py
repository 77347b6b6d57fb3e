"""Files as people have them: what is read, and why the rest is refused."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qjmap.errors import DataError
from qjmap.ingest import parse_csv, read_csv, relative

QUICK = settings(max_examples=150, deadline=None)


def cells(text: str | bytes) -> list[list[str | None]]:
    """The cells that are read, with None for a missing one."""
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    frame = parse_csv(data, "f.csv").frame
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


def refusal(data: bytes) -> DataError:
    with pytest.raises(DataError) as caught:
        parse_csv(data, "f.csv")
    assert all(one.file == "f.csv" for one in caught.value.problems)
    return caught.value


# ---- what is read ---------------------------------------------------------------------------------


def test_utf8_with_and_without_a_mark_reads_the_same():
    text = "编号,名称\n1,綦江\n"
    assert cells(text) == cells(text.encode("utf-8-sig")) == [["1", "綦江"]]
    assert list(parse_csv(text.encode("utf-8-sig"), "f").frame.columns) == ["编号", "名称"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(end):
    assert cells(end.join(["a,b", "1,2", "3,4"])) == [["1", "2"], ["3", "4"]]


def test_blanks_are_missing_and_nothing_else_is():
    assert cells("a,b\n nan , \nNULL,\tNA\n\u3000,0\n") == [["nan", None], ["NULL", "NA"], [None, "0"]]


def test_text_stays_text():
    assert cells("a,b\n007,1e3\n+1,2023-01-01\n") == [["007", "1e3"], ["+1", "2023-01-01"]]


def test_rows_are_numbered_as_in_a_spreadsheet():
    raw = parse_csv(b'a,b\n1,"x\ny\nz"\n\n,\n2,"p\r\nq"\n3,\n', "f.csv")
    assert raw.frame["a"].tolist() == ["1", "2", "3"]
    assert raw.rows == (2, 5, 6)  # a cell with line breaks is one row; blank rows count but are left out


def test_quotes_keep_commas_and_quotes():
    assert cells('a,b\n"1,2","say ""hi"""\n') == [["1,2", 'say "hi"']]


def test_a_file_with_a_header_only_is_an_empty_table():
    raw = parse_csv(b"a,b\n", "f.csv")
    assert (raw.frame.shape, raw.rows, list(raw.frame.columns)) == ((0, 2), (), ["a", "b"])


def test_names_are_relative_to_the_project(tmp_path):
    path = tmp_path / "data" / "x.csv"
    path.parent.mkdir()
    path.write_text("a\n1\n", encoding="utf-8")
    assert read_csv(path, tmp_path).file == "data/x.csv"
    assert relative(path, tmp_path / "elsewhere") == "x.csv"


# ---- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "row", "words"),
    [
        ("编号,名称\n1,綦江\n".encode("gb18030"), 1, ("GBK/GB18030", "UTF-8", "另存为")),
        ("id,name\n1,綦江\n".encode("gb18030"), 2, ("GBK/GB18030", "UTF-8", "另存为")),
        ("编号,名称\n1,綦江\n".encode("utf-16"), 1, ("UTF-16 编码", "UTF-8", "另存为")),
        ("id\n1\n".encode("utf-16-le"), 1, ("NUL", "UTF-8", "另存为")),
        (b"a,b\n1,2\n3,\x00\n", 3, ("NUL", "另存为")),
        (b"a,b\n\xff\xff,2\n", 2, ("无法识别的编码", "UTF-8")),
        (b"", None, ("空文件", "列名")),
        (b"\xef\xbb\xbf", None, ("空文件", "列名")),
        (b"\n , \n\n", None, ("空文件", "列名")),
        (b'a,b\n1,"2\n', 2, ("引号", "CSV")),
        (b'a,b\n1,2\n3,"4"5\n', 3, ("引号", "CSV")),
        (b"a,b\n1," + b"x" * 140_000 + b"\n", 2, ("第 2 行", "过长")),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_remedy(data, row, words):
    (problem,) = refusal(data).problems
    assert problem.row == row
    for word in words:
        assert word in str(problem)


def test_headers_must_be_there_and_differ():
    problems = refusal(b"\na,b,a,, b\n1,2,3,4,5\n").problems
    assert [(one.row, one.value) for one in problems] == [(2, "a"), (2, "b"), (2, "第 4 列无列名")]
    assert "出现了 2 次" in str(problems[0])


def test_all_rows_of_another_width_are_told_at_once():
    problems = refusal(b'a,b\n1\n1,2\n"x\ny",2,3\n1,2,3,4\n').problems
    assert [(one.row, one.value, one.expected) for one in problems] == [
        (2, "1 个单元格", "2 个单元格"),
        (4, "3 个单元格", "2 个单元格"),
        (5, "4 个单元格", "2 个单元格"),
    ]


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DataError, match=r"data/no\.csv.*没有这个文件"):
        read_csv(tmp_path / "data" / "no.csv", tmp_path)
    with pytest.raises(DataError, match="是文件夹"):
        read_csv(tmp_path, tmp_path)


# ---- whatever comes -------------------------------------------------------------------------------


@given(st.binary(max_size=200) | st.text(alphabet='a,"\n\r 0\t\x1c\u3000綦', max_size=60).map(str.encode))
@example(b"a\n\x1c\n")
@example("a\n\u2028\n\x85\n".encode())
@QUICK
def test_arbitrary_bytes_raise_nothing_but_data_error(data):
    try:
        raw = parse_csv(data, "f.csv")
    except DataError:
        return
    assert len(raw.rows) == len(raw.frame)
    assert all(np.diff((0, *raw.rows)) > 0)


SAFE = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs", "Zs", "Cc"]), max_size=8)


@given(st.lists(st.lists(SAFE, min_size=3, max_size=3), max_size=8))
@QUICK
def test_what_a_program_writes_is_read_back(rows):
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    expected = [[cell.strip() or None for cell in row] for row in rows if any(cell.strip() for cell in row)]
    assert cells(out.getvalue()) == expected
