"""Rows of a list that are no records: sums, notes, signatures. Sure ones are left out and told, doubtful ones told."""

from __future__ import annotations

import pandas as pd
import pytest

from qjmap import _sums, draft, ingest, matching

HYDRANTS = "编号,街镇,流量"
SAID = {"kind": "市政消火栓", "status": "现状", "name": draft.BY_NUMBER}


def made(district, head, *rows, layer="hydrants", fills=None, choices=None, refused=()):
    spec = district.registry.spec(layer)
    text = "\n".join([head, *rows]) + "\n"
    (source,) = ingest.read("a.csv", text.encode())
    matches = matching.chosen(matching.match(source, spec, tuple(district.towns.index)), choices or {})
    around = draft.surroundings(district)
    return draft.prepare(
        source, spec, matches, None, around, fills=SAID if fills is None else fills, refused_repairs=refused
    )


def left_out(kept) -> list[tuple[int, str]]:
    return [(one.row, one.old) for one in kept.repairs if one.id.startswith("sum:")]


@pytest.mark.parametrize(
    "row",
    [
        "共计,,45",
        "戊镇小计,,45",
        "全区合计,,45",
        "合计(3),,45",
        "合计数,,45",
        "总计(个),,45",
        "累 计,,45",
        "总和,,45",
        "全区,,45",
        "平均,,15",
        "Total,,45",
        "本表共计3座,,",
        ",合计,45",
        "注:口径为公称直径,,",
        "注:1. 口径为公称直径,,",
        "备注,以上为2026年数据,",
        "数据截至2026年10月,,",
        "填报单位:某支队,填报人:张,",
        "制表人 张某,审核,2026-11-1",
        "流量为消防支队实测;压力为静压,,",
        "2. 本表由支队填报,,",
        "编号,街镇,流量",
    ],
)
def test_what_is_no_record_is_left_out_and_told(grid_district, row):
    rows = [f"A{n},戊镇,15" for n in range(3)]
    kept = made(grid_district, HYDRANTS, *rows, row)
    assert kept.frame["id"].tolist() == ["A0", "A1", "A2"]
    assert [one for one, _ in left_out(kept)] == [5]
    assert kept.problems == ()
    assert len(made(grid_district, HYDRANTS, *rows, row, refused=["sum:row:5"]).good) == 4
    assert left_out(made(grid_district, HYDRANTS, *rows, row, refused=["sum"])) == []


@pytest.mark.parametrize(
    "name",
    ["总工会大楼", "审计局", "注水站", "说明书厂", "附中", "全兴村", "合计生站", "统计局", "电话局", "时代广场",
     "累计大厦", "平均路1号", "制表厂宿舍", "审核大楼", "注册中心", "制图大厦", "综合计量站", "T1", "Total大厦"],
)  # fmt: skip
def test_a_record_that_is_merely_called_alike_is_one(grid_district, name):
    kept = made(grid_district, HYDRANTS, "A0,戊镇,15", f"{name},戊镇,16")
    assert kept.frame["id"].tolist() == ["A0", name]


def test_a_sum_is_looked_for_under_the_name_wherever_that_stands(grid_district):
    said = {"status": "现状"}
    for head, rows in (
        (
            "序号,医院名称,街镇,类别,2020年编制床位",
            ("1,甲院,戊镇,卫生院,50", "2,乙院,丙镇,卫生院,30", "3,合计,,卫生院,80"),
        ),
        (
            "序号,街镇,医院名称,类别,2020年编制床位",
            ("1,戊镇,甲院,卫生院,50", "2,丙镇,乙院,卫生院,30", "3,,合计,卫生院,80"),
        ),
        (
            "序号,代,别,街镇,类别,医院名称,2020年编制床位",
            ("1,x,y,戊镇,卫生院,甲院,50", "3,x,y,,卫生院,合 计,50"),
        ),
    ):
        kept = made(grid_district, head, *rows, layer="health", fills=said)
        assert "合计" not in kept.frame["name"].str.replace(" ", "").tolist()
        assert len(left_out(kept)) == 1


def test_a_row_that_adds_up_those_above_is_a_sum_whatever_it_is_called(grid_district):
    head = "水库名称,街镇,工程规模,总库容(万m³)"
    rows = ["甲水库,戊镇,小(一)型,150", "乙水库,戊镇,小(二)型,50"]
    kept = made(grid_district, head, *rows, "戊镇,,,200", layer="reservoirs", fills={"status": "现状"})
    assert kept.frame["capacity_wan_m3"].tolist() == [150, 50]
    assert "以上各行之和" in kept.repairs[0].why
    # one that has all that a record has may be one
    kept = made(
        grid_district, head, *rows, "丙水库,戊镇,小(一)型,200", layer="reservoirs", fills={"status": "现状"}
    )
    assert len(kept.frame) == 3
    assert [(one.row, one.value) for one in kept.warnings if "合计" in one.advice] == [(4, "丙水库")]
    kept = made(grid_district, head, *rows, "戊镇,戊镇,小型,70", layer="reservoirs", fills={"status": "现状"})
    assert [(one.row, one.value) for one in kept.warnings if "街镇" in one.advice] == [(4, "戊镇")]


def test_sums_of_parts_are_told_from_the_last_one():
    frame = pd.DataFrame(
        {"名称": ["a", "b", "小计", "c", "d", None, None], "街镇": ["甲"] * 2 + [None] + ["乙"] * 2 + [None] * 2,
         "数": ["1", "2", "3", "4", "5", "9", "12"]}, dtype="str"
    )  # fmt: skip
    found = _sums.asides(frame, ["名称"], ["名称"], ["数"])
    assert [(one.place, one.sure) for one in found] == [(2, True), (5, True), (6, True)]


def test_a_record_whose_number_happens_to_be_the_sum_is_one():
    said = {"编号": ["a", "b", "c", "d"], "街镇": ["甲", "乙", None, "丙"], "户数": ["10", "5", "15", "7"]}
    frame = pd.DataFrame(said, dtype="str")
    (found,) = _sums.asides(frame, ["编号"], ["编号"], ["户数"], (), ["编号"])
    assert (found.place, found.sure) == (2, False)
    named = frame.rename(columns={"编号": "名称"})
    (found,) = _sums.asides(named, ["名称"], ["名称"], ["户数"])
    assert (found.place, found.sure) == (2, False)
    (found,) = _sums.asides(named.iloc[:3], ["名称"], ["名称"], ["户数"])  # alone at the end
    assert found.sure


def test_an_update_of_ids_and_numbers_has_no_sums_by_chance():
    frame = pd.DataFrame({"编号": list("abcd"), "数": ["1", "2", "3", "5"]}, dtype="str")
    assert _sums.asides(frame, ["编号"], ["编号"], ["数"]) == []
    assert _sums.asides(frame.iloc[:0], ["编号"], ["编号"], ["数"]) == []


def test_a_list_of_towns_is_no_list_of_sums():
    frame = pd.DataFrame({"名称": ["甲镇", "乙镇"], "数": ["1", "2"]}, dtype="str")
    assert _sums.asides(frame, ["名称"], ["名称"], ["数"], {"甲镇", "乙镇"}) == []


def test_what_has_a_place_is_a_record(grid_district):
    rows = ["A0,戊镇,5,106.5001,29.0001", "A1,戊镇,6,106.5101,29.0001", ",戊镇,11,106.5201,29.0001"]
    kept = made(grid_district, "编号,街镇,流量,经度,纬度", *rows)
    assert left_out(kept) == []
    rows[-1] = ",戊镇,11,,"
    assert left_out(made(grid_district, "编号,街镇,流量,经度,纬度", *rows)) == [(4, "戊镇")]
