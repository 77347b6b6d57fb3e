"""同上 and 〃 in a list: the value of the row above where it is a town, a kind or a word; elsewhere a fault."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from qjmap import draft, ingest, matching, sheets
from qjmap.district import load_district

HEAD = ["编号", "街镇", "名称", "类型", "口径", "备注"]
SAID = {"status": "现状"}
TOWN, KIND = "东溪镇", "市政消火栓"
DISTRICT = load_district()
AROUND = draft.surroundings(DISTRICT)


def made(*tables, hidden=(), veiled=True, **said):
    """The draft of a workbook of one sheet or more, read together."""
    book = Workbook()
    book.remove(book.active)
    for n, rows in enumerate(tables):
        sheet = book.create_sheet(f"表{n}")
        for row in (HEAD, *rows):
            sheet.append(row)
        for row in hidden:
            sheet.row_dimensions[row].hidden = True
    out = io.BytesIO()
    book.save(out)
    found = ingest.read("台账.xlsx", out.getvalue())
    source = sheets.chosen(found, 0, range(len(found)), veiled=veiled)
    spec = DISTRICT.registry.spec("hydrants")
    matches = matching.match(source, spec, tuple(DISTRICT.towns.index))
    kept = draft.prepare(source, spec, matches, None, AROUND, fills=SAID, **said)
    return kept, source, matches


def row(number, town=TOWN, kind=KIND, bore="100", name=None, note=None):
    return [f"A{number}", town, name or f"栓{number}", kind, bore, note]


def dittos(kept):
    return [
        (one.row, one.column, one.old, one.new, one.why) for one in kept.repairs if one.id.startswith("ditto")
    ]


def faults(kept):
    return [(one.row, one.column, one.value) for one in kept.problems]


@pytest.mark.parametrize(
    "word", ["同上", " 同 上 ", "(同上)", "〃", "″", "''", '"', "＂", "同上行", "”", "′′"]
)
def test_a_ditto_is_the_value_of_the_row_above_through_several_and_told_row_by_row(word):
    kept, _, _ = made([row(1), row(2, word, word), row(3, word, "小区消火栓"), row(4, "三角镇", word)])
    assert kept.frame["town"].tolist() == [TOWN, TOWN, TOWN, "三角镇"]
    assert kept.frame["kind"].tolist() == [KIND, KIND, "小区消火栓", "小区消火栓"]
    assert kept.problems == ()
    told = word.strip()
    assert dittos(kept) == [
        (3, "街镇", told, TOWN, f"“{told}”即第 2 行的值"),
        (4, "街镇", told, TOWN, f"“{told}”即第 2 行的值"),
        (3, "类型", told, KIND, f"“{told}”即第 2 行的值"),
        (5, "类型", told, "小区消火栓", f"“{told}”即第 4 行的值"),
    ]


@pytest.mark.parametrize("word", ["-", "—", "同左", "同", "上", "同上街", "'", "‘同’"])
def test_what_is_no_ditto_stays_as_it_is(word):
    kept, _, _ = made([row(1), row(2, word)])
    assert dittos(kept) == []
    assert "东溪镇" not in kept.frame["town"].tolist()[1:]


def test_the_first_row_is_above_nothing_and_says_so():
    kept, source, matches = made([row(1, "同上"), row(2, "同上"), row(3)])
    assert faults(kept) == [(2, "街镇", "同上"), (3, "街镇", "同上")]
    assert all("第一行须写明" in one.advice for one in kept.problems)
    assert draft.unknown_words(kept, source, matches) == {}  # what it means is another thing in each row


def test_what_is_written_for_short_above_is_taken_in_full():
    kept, _, _ = made([row(1, "东溪", "市政"), row(2, "同上", "〃")])
    assert kept.frame["town"].tolist() == [TOWN] * 2
    assert kept.frame["kind"].tolist() == [KIND] * 2


@pytest.mark.parametrize("above", ["无此镇", None, "#N/A"])
def test_nothing_is_taken_from_what_is_wrong_or_blank(above):
    kept, _, _ = made([row(1), row(2, above), row(3, "同上"), row(4)])
    assert (4, "街镇", "同上") in faults(kept)
    (told,) = [one for one in kept.problems if one.row == 4]
    assert told.advice == "它上面的第 3 行空白或有错,不能照抄:请写明"
    assert dittos(kept) == []


def test_nothing_is_taken_across_a_sum_a_heading_or_the_begin_of_a_sheet():
    total = ["合计", None, None, None, "100", None]
    kept, _, _ = made([row(1), total, row(2, "同上")])
    assert faults(kept) == [(4, "街镇", "同上")]
    kept, _, _ = made([row(1), ["其他", None, None, None, None, None], row(2, "同上")])
    assert (4, "街镇", "同上") in faults(kept)
    kept, _, _ = made([row(1)], [row(2, "同上"), row(3), row(4, "同上")])
    assert [(one.file, one.row) for one in kept.problems] == [("台账.xlsx 工作表“表1”", 2)]
    assert [(one.sheet, one.row) for one in kept.repairs if one.id.startswith("ditto")] == [("表1", 4)]


def test_a_header_that_is_repeated_parts_nothing():
    kept, _, _ = made([row(1), HEAD, row(2, "同上")])
    assert kept.frame["town"].tolist() == [TOWN] * 2


def test_a_row_below_one_that_is_hidden_and_not_read_takes_nothing():
    rows = [row(1), row(2, "三角镇"), row(3, "同上")]
    assert made(rows, hidden=[3])[0].frame["town"].tolist() == [TOWN, "三角镇", "三角镇"]
    kept, _, _ = made(rows, hidden=[3], veiled=False)
    assert faults(kept) == [(4, "街镇", "同上")]


def test_where_each_record_has_its_own_a_ditto_is_a_fault_with_advice():
    rows = [row(1), ["同上", TOWN, "同上", KIND, "同上", None]]
    kept, _, _ = made(rows)
    assert sorted(faults(kept)) == [(3, "口径", "同上"), (3, "名称", "同上"), (3, "编号", "同上")]
    assert {one.advice for one in kept.problems} == {"编号、名称、坐标、数值、日期不能写“同上”:每行各写各的"}


def test_words_are_taken_and_who_refuses_is_told_each_row():
    rows = [row(1, note="路口"), row(2, "同上", "〃", note="同上"), row(3, note="''")]
    kept, _, _ = made(rows)
    assert [new for _, column, _, new, _ in dittos(kept) if column == "备注"] == ["路口", "路口"]
    kept, _, _ = made(rows, refused_repairs=["ditto"])
    assert sorted(faults(kept)) == [
        (3, "备注", "同上"),
        (3, "类型", "〃"),
        (3, "街镇", "同上"),
        (4, "备注", "''"),
    ]
    assert {one.advice for one in kept.problems} == {"按所选没有照上一行读:请写明"}
    kept, _, _ = made(rows, refused_repairs=["ditto:note:4", "ditto:kind"])
    assert sorted(faults(kept)) == [(3, "类型", "〃"), (4, "备注", "''")]


WORD = st.sampled_from(["同上", "〃", "''"])
CELLS = st.tuples(st.sampled_from([TOWN, "三角镇"]), st.sampled_from([KIND, "小区消火栓"]))
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@given(CELLS, st.lists(st.tuples(CELLS, st.booleans(), st.booleans(), WORD), max_size=6))
@QUICK
def test_a_list_with_dittos_is_the_list_written_out(first, rest):
    rows, full = [row(1, *first)], [row(1, *first)]
    count = 0
    for n, ((town, kind), same_town, same_kind, word) in enumerate(rest, 2):
        above = full[-1]
        rows.append(row(n, word if same_town else town, word if same_kind else kind))
        full.append(row(n, above[1] if same_town else town, above[3] if same_kind else kind))
        count += same_town + same_kind
    (kept, _, _), (whole, _, _) = made(rows), made(full)
    assert kept.frame.equals(whole.frame)
    assert kept.problems == whole.problems == ()
    assert len(dittos(kept)) == count
    refused, _, _ = made(rows, refused_repairs=["ditto"])
    assert len(refused.problems) == count
    assert int(refused.bad.sum()) == sum(town or kind for _, town, kind, _ in rest)
