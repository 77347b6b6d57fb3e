"""Lists that say a town once for several rows: by a heading of its own, or in the first row of each group."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from openpyxl import Workbook

from qjmap import draft, ingest, matching, sheets
from qjmap._grouped import heading

HEAD = "编号,街镇,名称,流量"
SAID = {"kind": "市政消火栓", "status": "现状"}
YES = {"town": {"": draft.ABOVE}}
TOWNS = ("东溪镇", "三角镇", "文龙街道")


def made(district, head, *rows, layer="hydrants", fills=SAID, name="a.csv", **said):
    spec = district.registry.spec(layer)
    (source,) = ingest.read(name, ("\n".join([head, *rows]) + "\n").encode())
    matches = matching.match(source, spec, tuple(district.towns.index))
    return draft.prepare(source, spec, matches, None, draft.surroundings(district), fills=fills, **said)


def towns_of(kept) -> list[str]:
    return kept.frame["town"].fillna("").tolist()


@pytest.mark.parametrize(
    ("text", "town"),
    [
        ("东溪镇", "东溪镇"),
        ("东溪镇(3个)", "东溪镇"),
        ("东溪镇(共3个)", "东溪镇"),
        ("一、东溪镇", "东溪镇"),
        ("(二)东溪镇 3处", "东溪镇"),
        ("2.东溪镇:", "东溪镇"),
        ("东溪镇:共 12 座", "东溪镇"),
        ("三角镇", "三角镇"),
        ("三、三角镇", "三角镇"),
        ("三角", "三角镇"),
        ("綦江区文龙街道办事处(5个)", "文龙街道"),
        ("东溪镇小学", ""),
        ("东溪镇0号", ""),
        ("东溪镇、三角镇", ""),
        ("其他", ""),
        ("/", ""),
    ],
)
def test_a_heading_is_a_town_alone_with_an_ordinal_or_a_count(text, town):
    assert heading(text, TOWNS, ("綦江区", "綦江")) == town


def test_headings_are_left_out_and_the_rows_below_get_their_town(grid_district):
    rows = ["戊镇(2个),,", "A1,甲,15", "A2,乙,15", "二、甲街道,,", "A3,丙,15", "丙镇,,", "A4,丁,15"]
    kept = made(grid_district, "编号,名称,流量", *rows)
    assert towns_of(kept) == ["戊镇", "戊镇", "甲街道", "丙镇"]
    assert kept.problems == ()
    assert [(one.row, one.why) for one in kept.repairs if one.id.startswith("sum:")] == [
        (row, "街镇标题行,不导入") for row in (2, 5, 7)
    ]
    told = [one for one in kept.repairs if one.id.startswith("heading:town:")]
    assert [(one.id, one.old, one.new) for one in told] == [
        ("heading:town:3", None, "戊镇"),
        ("heading:town:6", None, "甲街道"),
        ("heading:town:8", None, "丙镇"),
    ]
    assert told[0].why == "第 2 行“戊镇(2个)”是标题;第 3~4 行没有写街镇的 2 行记戊镇"
    assert towns_of(made(grid_district, "编号,名称,流量", *rows, refused_repairs=["heading:town:3"])) == [
        "", "", "甲街道", "丙镇",
    ]  # fmt: skip
    # who says that a heading is a record is told what it lacks, and nothing hangs on it
    kept = made(grid_district, "编号,名称,流量", *rows, refused_repairs=["sum:row:2"])
    assert towns_of(kept) == ["", "", "甲街道", "丙镇"]
    assert {one.row for one in kept.problems} == {2}


def test_a_heading_may_stand_beside_its_ordinal_and_holds_to_the_next_heading_or_sum(grid_district):
    head = "序号,编号,名称,流量"
    rows = ["一,戊镇,,", "1,A1,甲,15", "序号,编号,名称,流量", "2,A2,乙,15", "小计,,,30", "3,A3,丙,15",
            "二,甲街道,,", "4,A4,丁,15", "三,其他,,", "5,A5,己,15"]  # fmt: skip
    kept = made(grid_district, head, *rows)
    assert dict(zip(kept.frame["id"], towns_of(kept), strict=True)) == {
        "A1": "戊镇", "A2": "戊镇", "A3": "", "A4": "甲街道", "A5": "",
    }  # fmt: skip


def test_what_a_row_below_a_heading_says_itself_stands(grid_district):
    kept = made(grid_district, HEAD, "戊镇,,,", "A1,,甲,15", "A2,丙镇,乙,15", "A3,,丙,15")
    assert towns_of(kept) == ["戊镇", "丙镇", "戊镇"]


def test_a_list_of_towns_has_no_headings(grid_district):
    kept = made(grid_district, "街镇,户数,房屋", *grid_district.towns.index, layer="villages", fills={})
    assert not [one for one in kept.repairs if one.id.startswith(("sum", "heading"))]


GROUPED = ("A1,戊镇,甲,15", "A2,,乙,15", "A3,,丙,15", "A4,甲街道,丁,15", "A5,,戊,15", "A6,丙镇,己,15")


def test_blanks_below_a_town_are_asked_about_and_filled_by_nobody_else(grid_district):
    kept = made(grid_district, HEAD, *GROUPED)
    assert kept.below == 3
    assert towns_of(kept) == ["戊镇", "", "", "甲街道", "", "丙镇"]
    assert kept.repairs == made(grid_district, HEAD, "A1,戊镇,甲,15").repairs
    (told,) = [one for one in kept.warnings if "不计入任何街镇" in one.advice]
    assert (told.row, told.column) == (3, "街镇")
    assert told.advice.startswith("共 3 行没有坐标")
    kept = made(grid_district, HEAD, *GROUPED, meanings=YES)
    assert (kept.below, towns_of(kept)) == (3, ["戊镇"] * 3 + ["甲街道"] * 2 + ["丙镇"])
    assert kept.warnings == ()
    assert [(one.id, one.new) for one in kept.repairs if one.id.startswith("above")] == [
        ("above:town:3", "戊镇"),
        ("above:town:6", "甲街道"),
    ]
    assert "按所选,与第 2 行同;第 3~4 行没有写街镇的 2 行记戊镇" in [one.why for one in kept.repairs]
    kept = made(grid_district, HEAD, *GROUPED, meanings=YES, refused_repairs=["above:town:3"])
    assert towns_of(kept) == ["戊镇", "", "", "甲街道", "甲街道", "丙镇"]


@pytest.mark.parametrize(
    "rows",
    [
        ("A0,,零,15", *GROUPED),  # whose is the first?
        ("A0,戊镇,零,15", *GROUPED),  # a town that is said again: then a blank is a blank
        ("A1,戊镇,甲,15", "A2,,乙,15"),  # one group is none
        (*GROUPED[:3], "小计,,,45", "A9,,庚,15", *GROUPED[3:]),  # below a sum nobody knows
        (*GROUPED[:3], "A8,不详,庚,15", "A9,,庚,15", *GROUPED[3:]),
        (*GROUPED[:3], "其他,,,", "A9,,庚,15", *GROUPED[3:]),
        (
            "A1,戊镇,甲,15",
            "A2,甲街道,乙,15",
            "A3,丙镇,乙,15",
            "A4,戊镇,甲,15",
            "A5,甲街道,乙,15",
            "A6,,丙,15",
        ),
        ("A1,戊镇,甲,15", "A2,甲街道,乙,15"),
        ("A1,,甲,15", "A2,,乙,15"),
    ],
)
def test_where_it_is_not_plainly_a_grouped_list_nothing_is_asked_and_nothing_filled(grid_district, rows):
    asked, said = (made(grid_district, HEAD, *rows, meanings=meant) for meant in ({}, YES))
    assert asked.below == said.below == 0
    assert towns_of(asked) == towns_of(said)
    assert not [one for one in said.repairs if one.id.startswith("above")]


def test_sums_at_the_end_of_each_group_do_not_hide_it(grid_district):
    rows = (*GROUPED[:3], "戊镇小计,,,45", *GROUPED[3:5], "小计,,,30", "注:以上为2026年数据,,,")
    kept = made(grid_district, HEAD, *rows, meanings=YES)
    assert towns_of(kept) == ["戊镇"] * 3 + ["甲街道"] * 2


def test_a_record_that_is_kept_keeps_its_town(grid_district):
    around = draft.surroundings(grid_district)
    before = made(grid_district, HEAD, "A2,丙镇,乙,15").frame
    spec = grid_district.registry.spec("hydrants")
    (source,) = ingest.read("a.csv", ("\n".join([HEAD, *GROUPED]) + "\n").encode())
    kept = draft.prepare(
        source,
        spec,
        matching.match(source, spec, tuple(grid_district.towns.index)),
        None,
        replace(around, existing=before),
        fills=SAID,
        meanings=YES,
        known=["A2"],
    )
    assert kept.below == 2
    assert towns_of(kept) == ["戊镇", "丙镇", "戊镇", "甲街道", "甲街道", "丙镇"]


def test_each_sheet_has_its_own_groups_and_headings(grid_district):
    def of_sheets(tables, **said):
        book = Workbook()
        book.remove(book.active)
        for title, rows in tables.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row.split(","))
        out = io.BytesIO()
        book.save(out)
        spec = grid_district.registry.spec("hydrants")
        found = ingest.read("a.xlsx", out.getvalue())
        source = sheets.chosen(found, 0, (1,))
        matches = matching.match(source, spec, tuple(grid_district.towns.index))
        return draft.prepare(
            source, spec, matches, None, draft.surroundings(grid_district), fills=SAID, **said
        )

    grouped = {
        "市政": [HEAD, "A1,戊镇,甲,15", "A2,,乙,15"],
        "单位": [HEAD, "B1,戊镇,丙,15", "B2,,丁,15", "B3,丙镇,戊,15"],
    }
    assert of_sheets(grouped).below == 2
    kept = of_sheets(grouped, meanings=YES)
    assert towns_of(kept) == ["戊镇"] * 4 + ["丙镇"]
    told = [(one.sheet, one.row) for one in kept.repairs if one.id.startswith("above")]
    assert told == [("市政", 3), ("单位", 3)]
    head = "编号,名称,流量"
    kept = of_sheets({"市政": [head, "戊镇,,", "A1,甲,15"], "单位": [head, "B1,乙,15", "丙镇,,", "B2,丙,15"]})
    assert towns_of(kept) == ["戊镇", "", "丙镇"]
