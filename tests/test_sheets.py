"""Sheets of one workbook read as one list: which fit, how they are joined, how their faults are told and given back."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from qjmap import coordinates, datum, draft, ingest, matching, sheets, workbooks
from qjmap.merging import Joining, join

HEAD = ["编号", "名称", "类型", "状态", "东经", "北纬", "口径(mm)"]


def hydrant(n, diameter=100):
    return [
        f"X{n}",
        f"{n}号栓",
        "市政消火栓",
        "现状",
        round(106.65123 + n / 500, 6),
        round(28.75123 + n / 500, 6),
        diameter,
    ]


def workbook(hidden=(), **tables) -> bytes:
    """A workbook of the sheets; `hidden` are (sheet, row) that Excel does not show."""
    book = Workbook()
    book.remove(book.active)
    for title, rows in tables.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    for title, row in hidden:
        book[title].row_dimensions[row].hidden = True
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def towns() -> dict[str, list[list[object]]]:
    """Three sheets: a fault in the second, a title above the third and its columns turned round, one more column."""
    turned = [*HEAD[::-1], "备注"]
    return {
        "东溪镇": [HEAD, hydrant(1), hydrant(2)],
        "赶水": [HEAD, hydrant(3), hydrant(4, "不清楚"), hydrant(1)],
        "台账": [["綦江区消火栓"], turned, [*hydrant(6)[::-1], "新装"], [*hydrant(7, "说不准")[::-1], None]],
        "汇总": [["街镇", "数量"], ["东溪镇", 2]],
    }


def read(**tables):
    return ingest.read("名录.xlsx", workbook(**tables))


def prepared(source, district, **more):
    spec = district.registry.spec("hydrants")
    matches = matching.match(source, spec, tuple(district.towns.index))
    reading = next(one for one in coordinates.readings(source, matches, district) if one.key == datum.WGS84)
    return draft.prepare(source, spec, matches, reading, draft.surroundings(district), **more)


# ---- which fit ---------------------------------------------------------------------------------------


def test_sheets_that_have_all_its_columns_fit_and_others_say_why_not():
    found = read(**towns())
    assert sheets.fitting(found, 0) == (1, 2)
    assert sheets.fitting(found, 2) == ()  # the others lack 备注
    assert sheets.misfits(found, 2) == [
        f"工作表“{name}”不能一起读:没有“备注”列" for name in ("东溪镇", "赶水")
    ]
    assert sheets.misfits(found, 0) == []  # a summary is nothing like it


def test_of_two_sheets_of_one_name_only_the_first_is_joined():
    """Excel makes no such workbook; somebody may."""
    one, other, third = read(a=[HEAD, hydrant(1)], b=[HEAD, hydrant(2)], c=[HEAD, hydrant(3)])
    assert sheets.fitting((one, replace(other, name="a"), third, replace(third, name="c")), 0) == (2,)


def test_names_given_twice_are_joined_only_where_they_stand_alike():
    one, same, other = read(
        a=[["x", "名", "名"], [1, 2, 3]], b=[["x", "名", "名"], [1, 2, 3]], c=[["名", "x", "名"], [1, 2, 3]]
    )
    assert sheets.misfit(one, same) == ""
    assert "同名的列" in sheets.misfit(one, other)


def test_other_units_above_the_header_do_not_fit():
    litres, cubes = (
        [["单位:升/秒"], ["编号", "流量"], ["1", 20]],
        [["单位:立方米/时"], ["编号", "流量"], ["2", 20]],
    )
    found = read(a=litres, b=cubes, c=litres)
    assert sheets.fitting(found, 0) == (2,)
    assert "单位不同" in sheets.misfit(found[0], found[1])


def test_layers_of_a_vector_file_are_not_sheets():
    (one,) = read(a=[HEAD, hydrant(1)])
    assert sheets.misfit(one, replace(one, format="gpkg")) == "不是工作表"


# ---- one table ---------------------------------------------------------------------------------------


def test_one_sheet_is_read_unless_somebody_wants_more_and_it_is_said_what_is_not():
    found = read(**towns())
    one = sheets.chosen(found, 0)
    assert (one.parts, one.table.file) == ((), "名录.xlsx 工作表“东溪镇”")
    assert one.table.frame is found[0].table.frame
    (note,) = one.notes
    assert note.startswith("另有 2 张列名相同的工作表(共 5 行)没有读:“赶水”“台账”")
    assert not any("没有读" in note for note in sheets.chosen(found, 0, (1, 2)).notes)
    assert sheets.chosen(found, 0, (3,)).parts == ()  # what does not fit is never joined


def test_columns_are_joined_by_name_and_rows_keep_their_numbers():
    found = read(**towns())
    one = sheets.chosen(found, 0, (1, 2))
    assert list(one.table.frame) == [*HEAD, "备注"]
    assert one.table.frame["编号"].tolist() == ["X1", "X2", "X3", "X4", "X1", "X6", "X7"]
    assert one.table.frame["口径(mm)"].tolist()[-2:] == ["100", "说不准"]
    assert one.table.frame["备注"].dropna().tolist() == ["新装"]
    places = [one.table.place(row) for row in one.table.rows]
    assert places == [
        ("东溪镇", 2),
        ("东溪镇", 3),
        ("赶水", 2),
        ("赶水", 3),
        ("赶水", 4),
        ("台账", 3),
        ("台账", 4),
    ]
    assert [one.table.where(row) for row in one.table.rows[:1]] == ["工作表“东溪镇”第 2 行"]
    assert len(set(one.table.rows)) == 7
    said = "".join(one.notes)
    assert "3 张工作表一起读,共 7 行:“东溪镇”2 行、“赶水”3 行、“台账”2 行" in said
    assert "“备注”列只在“台账”里有" in said
    assert "“台账”:第 2 行作为列名" in said


def test_the_text_is_not_copied():
    found = read(**towns())
    cells = sheets.chosen(found, 0, (1,)).table.frame["名称"].array._pa_array
    parts = [one.table.frame["名称"].array._pa_array for one in found[:2]]
    addresses = [chunk.buffers()[2].address for part in parts for chunk in part.chunks]
    assert [chunk.buffers()[2].address for chunk in cells.chunks] == addresses


# ---- faults and what goes back -----------------------------------------------------------------------


def test_every_fault_names_its_sheet_and_the_row_there(qijiang):
    source = sheets.chosen(read(**towns()), 0, (1, 2))
    made = prepared(source, qijiang)
    told = {(one.file, one.row, one.column): one for one in made.problems}
    assert set(told) == {
        ("名录.xlsx 工作表“赶水”", 3, "口径(mm)"),
        ("名录.xlsx 工作表“赶水”", 4, "编号"),
        ("名录.xlsx 工作表“台账”", 4, "口径(mm)"),
    }
    again = told["名录.xlsx 工作表“赶水”", 4, "编号"]
    assert "与工作表“东溪镇”第 2 行重复" in str(again)
    assert made.good.tolist() == [True, True, True, False, False, True, False]
    assert made.frame["id"].tolist() == ["X1", "X2", "X3", "X6"]
    assert {(one.file[-4:], one.row) for one in made.warnings if "同一位置" in one.advice} == {("“赶水”", 4)}


def test_unknown_words_are_found_in_every_sheet(qijiang):
    odd = [[*hydrant(n)[:2], "怪栓", *hydrant(n)[3:]] for n in (2, 3)]
    source = sheets.chosen(read(a=[HEAD, hydrant(1), odd[0]], b=[HEAD, odd[1]]), 0, (1,))
    spec = qijiang.registry.spec("hydrants")
    matches = matching.match(source, spec, tuple(qijiang.towns.index))
    assert draft.unknown_words(prepared(source, qijiang), source, matches) == {"kind": {"怪栓": 2}}


def test_each_sheet_goes_back_with_its_own_faults(qijiang, monkeypatch):
    content = workbook(**towns())
    source = sheets.chosen(ingest.read("名录.xlsx", content), 0, (1, 2))
    made = prepared(source, qijiang)
    book = load_workbook(io.BytesIO(workbooks.returned("名录.xlsx", content, made, source)))
    assert book.sheetnames == ["东溪镇", "赶水", "台账", "汇总"]
    assert [
        book[name].cell(row, column).value
        for name, row, column in (("东溪镇", 1, 8), ("赶水", 1, 8), ("台账", 2, 9))
    ] == ["错误"] * 3
    assert book["汇总"].max_column == 2
    assert "不清楚" in book["赶水"].cell(3, 8).value
    assert book["赶水"].cell(3, 7).fill.start_color.rgb == "FFFFC7CE"
    assert "说不准" in book["台账"].cell(4, 9).value
    assert book["台账"].cell(4, 1).fill.start_color.rgb == "FFFFC7CE"  # where the column stands in that sheet
    assert [cell.value for cell in book["东溪镇"]["H"]][1:] == [None, None]
    monkeypatch.setattr(workbooks, "_KEPT_CELLS", 0)
    afresh = load_workbook(io.BytesIO(workbooks.returned("名录.xlsx", content, made, source)))
    assert afresh.sheetnames == ["东溪镇", "赶水", "台账"]
    assert "不清楚" in afresh["赶水"].cell(3, 8).value
    again = ingest.read("名录.xlsx", workbooks.returned("名录.xlsx", content, made, source))
    assert sheets.fitting(again, 0) == (1, 2)  # mended, it can be read as it was


def test_the_good_rows_join_what_is_kept(qijiang):
    made = prepared(sheets.chosen(read(**towns()), 0, (1, 2)), qijiang)
    table = draft.to_table(made)
    assert table.frame["id"].tolist() == ["X1", "X2", "X3", "X6"]
    kept = replace(table, frame=table.frame.head(1), rows=(2,), sheets=())
    whole = join(kept, table, Joining.UPDATE, made.spec)
    assert (whole.frame["id"].tolist(), whole.rows) == (["X1", "X2", "X3", "X6"], (2, 3, 4, 5))


def test_rows_without_ids_get_some_that_no_other_sheet_has(qijiang):
    head, rows = HEAD[1:], [hydrant(n)[1:] for n in (1, 2)]
    made = prepared(sheets.chosen(read(a=[head, rows[0]], b=[head, rows[1]]), 0, (1,)), qijiang)
    assert made.frame["id"].tolist() == ["hydrants-1-1-2", "hydrants-1-2-2"]


def test_sums_are_those_of_their_own_sheet(qijiang):
    head, sums = [*HEAD[:4], "流量"], []
    for n in (1, 3):
        rows = [[*hydrant(k)[:4], 10 * k] for k in (n, n + 1)]
        sums.append([head, *rows, [None, None, None, None, 20 * n + 10]])
    source = sheets.chosen(read(东溪镇=sums[0], 赶水镇=sums[1]), 0, (1,))
    spec = qijiang.registry.spec("hydrants")
    made = draft.prepare(source, spec, matching.match(source, spec), None, draft.surroundings(qijiang))
    left = [(one.sheet, one.row) for one in made.repairs if one.id.startswith("sum:")]
    assert left == [("东溪镇", 4), ("赶水镇", 4)]


def test_merged_cells_are_filled_in_their_own_sheet(qijiang):
    book = Workbook()
    book.remove(book.active)
    for title in ("甲", "乙"):
        sheet = book.create_sheet(title)
        for row in (
            [*HEAD, "街镇"],
            [*hydrant(len(title)), "东溪镇" if title == "甲" else "赶水镇"],
            [*hydrant(9), None],
        ):
            sheet.append(row)
        sheet["A3"] = f"{title}9"
        sheet.merge_cells("H2:H3")
    out = io.BytesIO()
    book.save(out)
    made = prepared(sheets.chosen(ingest.read("x.xlsx", out.getvalue()), 0, (1,)), qijiang)
    found = [(one.sheet, one.row, one.new, one.why) for one in made.repairs if one.id.startswith("merged")]
    assert found == [
        (sheet, 3, town, "合并单元格(第 2~3 行)按首格补齐")
        for sheet, town in (("甲", "东溪镇"), ("乙", "赶水镇"))
    ]


CELLS = st.sampled_from([100, 65, None, "不清楚", "150mm", "DN100", -5, "1,00", "无"])
KINDS = st.sampled_from(["市政消火栓", "小区消火栓", "怪栓", "市政", None])
ROWS = st.lists(st.tuples(st.integers(0, 9), KINDS, CELLS), min_size=2, max_size=12)


@given(ROWS, st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_list_cut_into_sheets_is_the_same_list(qijiang, rows, data):
    cut = data.draw(st.integers(1, len(rows) - 1))
    lines = [[*hydrant(n, wide)[:2], kind, *hydrant(n, wide)[3:]] for n, kind, wide in rows]
    whole = prepared(read(全部=[HEAD, *lines])[0], qijiang)
    found = read(甲=[HEAD, *lines[:cut]], 乙=[HEAD, *lines[cut:]])
    parts = prepared(sheets.chosen(found, 0, (1,)), qijiang)

    def told(problems):
        return sorted(
            (one.row + (cut if one.file.endswith("“乙”") else 0), one.column, str(one.value), one.expected)
            for one in problems
        )

    assert told(parts.problems) == told(whole.problems)
    assert told(parts.warnings) == told(whole.warnings)
    assert parts.good.tolist() == whole.good.tolist()
    pd.testing.assert_frame_equal(parts.frame, whole.frame)
    assert [(one.column, one.old, one.new) for one in parts.repairs] == [
        (one.column, one.old, one.new) for one in whole.repairs
    ]


# ---- the town that a sheet is called by ----------------------------------------------------------------


def by_sheet(made):
    return {one.sheet: one for one in made.repairs if one.id.startswith("sheet-town")}


def test_a_sheet_called_as_a_town_gives_it_to_its_rows_and_can_be_refused(qijiang):
    source = sheets.chosen(read(**towns()), 0, (1, 2))
    made = prepared(source, qijiang)
    found = by_sheet(made)
    assert {name: one.new for name, one in found.items()} == {"东溪镇": "东溪镇", "赶水": "赶水镇"}
    assert "共 3 行" in found["赶水"].why
    assert made.frame["town"].tolist()[:3] == ["东溪镇", "东溪镇", "赶水镇"]
    less = prepared(source, qijiang, refused_repairs=[found["赶水"].id])
    assert set(by_sheet(less)) == {"东溪镇"}
    assert by_sheet(prepared(source, qijiang, refused_repairs=["sheet-town:town"])) == {}


def test_a_column_of_towns_or_what_a_person_says_goes_before_the_sheets_name(qijiang):
    rows = [[*HEAD, "街镇"], [*hydrant(1), "赶水镇"], [*hydrant(2), None]]
    made = prepared(sheets.chosen(read(东溪镇=rows, 石角镇=rows[:2]), 0, (1,)), qijiang)
    assert by_sheet(made) == {}
    one = sheets.chosen(read(东溪镇=[HEAD, hydrant(1)]), 0)
    assert prepared(one, qijiang, fills={"town": "赶水镇"}).frame["town"].tolist() == ["赶水镇"]
    assert set(by_sheet(prepared(one, qijiang))) == {"东溪镇"}  # of a single sheet, too


def test_a_kept_record_keeps_its_town(qijiang):
    source = sheets.chosen(read(东溪镇=[HEAD, hydrant(1), hydrant(2)]), 0)
    found = by_sheet(prepared(source, qijiang, known=["X1"]))
    assert "共 1 行" in found["东溪镇"].why


# ---- what is said of coordinates -----------------------------------------------------------------------


def test_what_only_one_sheet_says_of_its_coordinates_holds_for_none_of_the_others(qijiang):
    body = [HEAD, hydrant(1)]
    spec = qijiang.registry.spec("hydrants")

    def choice(*titles):
        tables = {f"表{n}": [[title], *body] if title else body for n, title in enumerate(titles)}
        source = sheets.chosen(read(**tables), 0, range(len(titles)))
        matches = matching.match(source, spec)
        found = coordinates.readings(source, matches, qijiang)
        return coordinates.choose(source, matches, found, coordinates.heard(source, matches, "名录.xlsx"))

    assert choice("坐标系:GCJ-02", "采用 GCJ-02 坐标系").key == datum.GCJ02
    alone = choice("坐标系:GCJ-02", "")
    assert alone.key is None
    assert any("GCJ-02" in one for one in alone.doubts)
    assert choice("坐标系:GCJ-02", "坐标系:WGS-84").key is None


# ---- rows that Excel hides -----------------------------------------------------------------------------


def test_hidden_rows_are_read_and_told_or_left_out_and_told():
    content = workbook(hidden=[("a", 3), ("a", 9)], a=[HEAD, *(hydrant(n) for n in (1, 2, 3))])
    found = ingest.read("x.xlsx", content)
    assert found[0].veiled == (3,)
    one = sheets.chosen(found, 0)
    assert len(one.table.rows) == 3
    assert "有 1 行在 Excel 中是隐藏的" in one.notes[0]
    assert "也一并读入:第 3 行" in one.notes[0]
    less = sheets.chosen(found, 0, veiled=False)
    assert less.table.rows == (2, 4)
    assert less.table.frame["编号"].tolist() == ["X1", "X3"]
    assert "按所选没有读:第 3 行" in less.notes[0]


def test_hidden_rows_of_sheets_read_together():
    rows = [HEAD, *(hydrant(n) for n in (1, 2, 3))]
    found = ingest.read("x.xlsx", workbook(hidden=[("b", 2)], a=rows, b=rows))
    one = sheets.chosen(found, 0, (1,), veiled=False)
    assert [one.table.place(row) for row in one.table.rows] == [
        ("a", 2),
        ("a", 3),
        ("a", 4),
        ("b", 3),
        ("b", 4),
    ]
    assert any(note.startswith("“b”:有 1 行在 Excel 中是隐藏的") for note in one.notes)


def test_a_block_of_merged_cells_keeps_its_value_when_its_first_row_is_hidden():
    book = Workbook()
    sheet = book.active
    for row in (["编号", "街镇"], ["1", "东溪镇"], ["2", None], ["3", None], ["4", "赶水镇"], ["5", None]):
        sheet.append(row)
    sheet.merge_cells("B2:B4")
    sheet.merge_cells("B5:B6")
    for row in (2, 5, 6):
        sheet.row_dimensions[row].hidden = True
    out = io.BytesIO()
    book.save(out)
    one = sheets.chosen(ingest.read("x.xlsx", out.getvalue()), 0, veiled=False)
    assert one.merged == (("街镇", 3, 4),)
    assert one.table.frame["街镇"].tolist()[0] == "东溪镇"
    assert pd.isna(one.table.frame["街镇"].iat[1])
    assert any("值写在隐藏的第 2 行" in note for note in one.notes)


def test_sheets_of_old_workbooks_fit_by_the_same_rule():
    found = [replace(one, format="xls") for one in read(**towns())]
    assert sheets.fitting(found, 1) == (0, 2)
    assert len(sheets.chosen(found, 1, (0, 2)).parts) == 3


def test_sheets_of_the_same_columns_share_their_text_and_keep_their_own_rows():
    """A workbook of 250 sheets is no larger in memory than one sheet of as many rows."""
    rows = [
        [("编号", "名称"), *((f"{sheet}-{n}", "井" * n or None) for n in range(sheet))]
        for sheet in range(1, 6)
    ]
    other = [("名称", "编号"), ("甲", "0")]
    found = ingest.read("台账.xlsx", workbook(**{f"表{n}": one for n, one in enumerate([*rows, other], 1)}))
    assert [len(one.table.frame) for one in found] == [1, 2, 3, 4, 5, 1]
    for sheet, one in enumerate(found[:5], 1):
        assert one.table.frame["编号"].tolist() == [f"{sheet}-{n}" for n in range(sheet)]
        assert one.table.frame["名称"].fillna("").tolist() == ["井" * n for n in range(sheet)]
        assert one.table.frame.index.tolist() == list(range(sheet))
        assert tuple(one.table.rows) == tuple(range(2, sheet + 2))
    assert list(found[5].table.frame.columns) == ["名称", "编号"]
    whole = sheets.joined(found[:5]).table.frame
    assert whole.equals(pd.concat([one.table.frame for one in found[:5]], ignore_index=True))
    buffers = {
        pa.chunked_array(pa.array(one.table.frame["编号"])).chunk(0).buffers()[2].address for one in found[:5]
    }
    assert len(buffers) == 1
