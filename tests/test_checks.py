"""Every fault a register can have, told with file, row, column, value and what was expected."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from qjmap.checks import Checked, Context, check
from qjmap.district import ROOT
from qjmap.errors import Problem
from qjmap.ingest import parse_csv
from qjmap.layers import Column, LayerSpec, load_registry

REGISTRY = load_registry(ROOT / "data" / "layers.toml")
HYDRANTS = REGISTRY.spec("hydrants")
BOX = (106.33, 28.40, 107.11, 29.24)
TOWNS = ("古南街道", "文龙街道", "东溪镇", "赶水镇")
CONTEXT = Context(TOWNS, ("fire-plan", "health-plan"), BOX)
DEMO = Context(TOWNS, ("fire-plan",), BOX, demo=True)

GOOD = {
    "id": "X1",
    "name": "南门消火栓",
    "town": "东溪镇",
    "kind": "市政消火栓",
    "status": "现状",
    "year": "2023",
    "lon": "106.66",
    "lat": "28.76",
    "position": "实测",
    "error_m": "5",
    "source": "文件",
    "document": "fire-plan",
    "service": "在用",
    "diameter_mm": "100",
    "flow_l_s": "15.5",
}


def table(*rows: dict[str, str], columns: list[str] | None = None, file: str = "hydrants.csv"):
    """A raw table of hydrants; each row changes the good one."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns or list(HYDRANTS.columns), restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**GOOD, "id": f"X{n}", **row} for n, row in enumerate(rows, 1))
    return parse_csv(out.getvalue().encode("utf-8"), file)


def checked(*rows: dict[str, str], context: Context = CONTEXT) -> Checked:
    return check(table(*rows), HYDRANTS, context)


def the_problem(changes: dict[str, str], context: Context = CONTEXT) -> Problem:
    """The one problem of a bad row that stands between two good ones."""
    good = {"source": "演示", "document": ""} if context.demo else {}
    problems = checked(good, {**good, **changes}, good, context=context).problems
    assert len(problems) == 1, [str(one) for one in problems]
    assert (problems[0].file, problems[0].row) == ("hydrants.csv", 3)
    return problems[0]


# ---- what is right --------------------------------------------------------------------------------


def test_a_good_row_is_typed():
    found = checked({}, {"town": "", "flow_l_s": "", "year": "", "error_m": "1e1", "lon": "+106.660"})
    assert found.problems == ()
    frame = found.frame
    assert list(frame.columns) == list(HYDRANTS.columns)
    assert {key: str(frame[key].dtype) for key in ("id", "town", "kind", "year", "diameter_mm", "lon", "flow_l_s")} == {
        "id": "str",
        "town": "str",
        "kind": "category",
        "year": "Int64",
        "diameter_mm": "Int64",
        "lon": "float64",
        "flow_l_s": "float64",
    }  # fmt: skip
    assert frame["kind"].cat.categories.tolist() == ["市政消火栓", "小区消火栓"]
    assert frame["year"].tolist() == [2023, pd.NA]
    assert frame["error_m"].tolist() == [5.0, 10.0]
    assert frame["lon"].tolist() == [106.66, 106.66]
    assert frame["town"].isna().tolist() == [False, True]
    assert frame["flow_l_s"].isna().tolist() == [False, True]


def test_the_order_of_columns_in_the_file_does_not_matter():
    raw = table({}, columns=list(HYDRANTS.columns)[::-1])
    found = check(raw, HYDRANTS, CONTEXT)
    assert found.problems == ()
    assert list(found.frame.columns) == list(HYDRANTS.columns)


def test_a_table_without_rows_is_typed_too():
    found = checked()
    assert found.problems == ()
    assert found.frame.empty
    assert str(found.frame["kind"].dtype) == "category"


def test_without_a_context_any_town_document_and_place_on_the_globe_passes():
    anywhere = {"town": "巴黎", "document": "x", "lon": "2.35", "lat": "48.86"}
    assert checked(anywhere, context=Context()).problems == ()
    assert [one.column for one in checked({"lon": "181"}, context=Context()).problems] == ["lon"]


def test_the_ends_of_a_range_are_in_it():
    rows = [{"diameter_mm": "50", "flow_l_s": "0", "year": "1900"}, {"diameter_mm": "300", "year": "2100"}]
    assert checked(*rows).problems == ()


def test_a_place_on_the_edge_of_the_district_is_in_it():
    west, south, east, north = map(str, BOX)
    assert checked({"lon": west, "lat": south}, {"lon": east, "lat": north}).problems == ()


# ---- faults of columns ----------------------------------------------------------------------------


def test_a_lost_column_is_told_even_if_it_may_be_blank():
    columns = [key for key in HYDRANTS.columns if key not in ("note", "kind")]
    found = check(table({}, {}, columns=columns), HYDRANTS, CONTEXT)
    assert [(one.row, one.column, one.value) for one in found.problems] == [
        (1, "kind", "没有这一列"),
        (1, "note", "没有这一列"),
    ]
    assert found.frame["note"].isna().all()


def test_a_misspelt_column_is_told_with_the_right_name():
    columns = ["servise" if key == "service" else key for key in HYDRANTS.columns]
    found = check(table({}, columns=columns), HYDRANTS, CONTEXT)
    assert [(one.row, one.column) for one in found.problems] == [(1, "service"), (1, "servise")]
    assert "是否应为“service”" in found.problems[1].advice


def test_an_unregistered_column_is_told():
    (problem,) = check(table({}, columns=[*HYDRANTS.columns, "颜色"]), HYDRANTS, CONTEXT).problems
    assert (problem.row, problem.column) == (1, "颜色")
    assert "layers.toml" in problem.advice


# ---- faults of cells ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "column", "value", "expected"),
    [
        # what must be there
        ({"id": ""}, "id", "空白", "必填"),
        ({"name": " "}, "name", "空白", "必填"),
        ({"kind": ""}, "kind", "空白", "必填"),
        ({"source": ""}, "source", "空白", "必填"),
        # numbers
        ({"flow_l_s": "十五"}, "flow_l_s", "十五", "数(半角数字"),
        ({"flow_l_s": "15升"}, "flow_l_s", "15升", "数(半角数字"),
        ({"flow_l_s": "nan"}, "flow_l_s", "nan", "数(半角数字"),
        ({"flow_l_s": "NaN"}, "flow_l_s", "NaN", "数(半角数字"),
        ({"flow_l_s": "inf"}, "flow_l_s", "inf", "数(半角数字"),
        ({"flow_l_s": "-Infinity"}, "flow_l_s", "-Infinity", "数(半角数字"),
        ({"flow_l_s": "1e999"}, "flow_l_s", "1e999", "有限的数"),
        ({"flow_l_s": "1_000"}, "flow_l_s", "1_000", "数(半角数字"),
        ({"flow_l_s": "0x10"}, "flow_l_s", "0x10", "数(半角数字"),
        ({"flow_l_s": "1.2.3"}, "flow_l_s", "1.2.3", "数(半角数字"),
        ({"flow_l_s": "."}, "flow_l_s", ".", "数(半角数字"),
        ({"flow_l_s": "-1"}, "flow_l_s", "-1", "不小于 0(升/秒)"),
        ({"diameter_mm": "100.5"}, "diameter_mm", "100.5", "整数"),
        ({"diameter_mm": "1e2"}, "diameter_mm", "1e2", "整数"),
        ({"diameter_mm": "9" * 16}, "diameter_mm", "9" * 16, "整数"),
        ({"diameter_mm": "40"}, "diameter_mm", "40", "不小于 50且不大于 300(毫米)"),
        ({"diameter_mm": "301"}, "diameter_mm", "301", "不小于 50且不大于 300(毫米)"),
        ({"error_m": "-5"}, "error_m", "-5", "不小于 0(米)"),
        ({"year": "23"}, "year", "23", "四位数的年份"),
        ({"year": "2023年"}, "year", "2023年", "四位数的年份"),
        ({"year": "1066"}, "year", "1066", "不小于 1900且不大于 2100"),
        # names
        ({"town": "东西镇"}, "town", "东西镇", "街镇名"),
        ({"town": "东溪"}, "town", "东溪", "街镇名"),
        ({"document": "fire_plan"}, "document", "fire_plan", "documents.csv"),
        ({"kind": "消防栓"}, "kind", "消防栓", "市政消火栓、小区消火栓"),
        ({"status": "已建"}, "status", "已建", "现状、规划、在建、未知"),
        ({"service": "在用 报修"}, "service", "在用 报修", "在用、报修、停用、未知"),
        ({"position": "估计"}, "position", "估计", "实测"),
        # places
        ({"lon": "", "position": "", "error_m": ""}, "lon", "空白", "同时填写或同时留空"),
        ({"lat": "", "position": "", "error_m": ""}, "lat", "空白", "同时填写或同时留空"),
        ({"lon": "106°39′"}, "lon", "106°39′", "十进制度数"),
        ({"lat": "28.76N"}, "lat", "28.76N", "十进制度数"),
        ({"lon": "107.2"}, "lon", "107.2", "经度 106.33~107.11,纬度 28.4~29.24"),
        ({"lat": "28.39"}, "lat", "28.39", "经度 106.33~107.11,纬度 28.4~29.24"),
        ({"lon": "", "lat": "", "error_m": ""}, "position", "实测", "驻地近似、镇域近似、未定位或空白"),
        ({"lon": "", "lat": "", "position": "村社近似"}, "position", "村社近似", "驻地近似、镇域近似、未定位"),
        ({"position": "未定位"}, "position", "未定位", "其他定位方式"),
        ({"position": "村社近似", "error_m": ""}, "error_m", "空白", "坐标并非实测时必填"),
        ({"position": "地址匹配", "error_m": ""}, "error_m", "空白", "坐标并非实测时必填"),
        # sources
        ({"document": ""}, "document", "空白", "来源为“文件”时必填"),
        ({"source": "演示", "document": ""}, "source", "演示", "文件或导入"),
        ({"source": "传说"}, "source", "传说", "文件、导入、演示"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(changes, column, value, expected):
    problem = the_problem(changes)
    assert (problem.column, problem.value) == (column, value)
    assert expected in problem.expected
    assert str(problem).startswith(f"文件 hydrants.csv 第 3 行 “{column}”列:现为“{value}”,应为")


@pytest.mark.parametrize("source", ["文件", "导入"])
def test_a_real_row_among_the_invented_is_refused(source):
    problem = the_problem({"source": source, "document": "fire-plan"}, DEMO)
    assert (problem.column, problem.value, problem.expected) == ("source", source, "演示")
    assert "demo" in problem.advice


@pytest.mark.parametrize(("value", "meant"), [("15,5", "15.5"), ("-0,25", "-0.25"), ("28，7512", "28.7512")])
def test_a_comma_that_parts_no_thousands_is_a_point(value, meant):
    advice = the_problem({"flow_l_s": value}).advice
    assert advice == f"是否应为“{meant}”(小数点写成了逗号)"


@pytest.mark.parametrize("value", ["1,23,456", "1,2,3", "12,345,6"])
def test_commas_that_part_nothing_are_not_explained(value):
    assert the_problem({"flow_l_s": value}).advice == ""


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("\uff11\uff15", "15"),
        ("\uff11\uff15\uff0e\uff15", "15.5"),
        ("1,500", "1500"),
        ("1\uff0c500", "1500"),
        ("1\u3000500", "1500"),
        ("-\uff11", "-1"),
    ],
)  # fmt: skip
def test_full_width_digits_and_thousands_are_told_with_what_was_meant(value, meant):
    problem = the_problem({"flow_l_s": value})
    assert problem.value == value
    assert problem.advice == f"是否应为“{meant}”"


@pytest.mark.parametrize(
    ("value", "meant"), [("文龙街 道", "文龙街道"), ("东溪(镇)", "东溪镇"), ("赶 水镇", "赶水镇")]
)
def test_a_town_that_is_nearly_right_is_told_with_the_right_name(value, meant):
    assert the_problem({"town": value}).advice == f"是否应为“{meant}”"


@pytest.mark.parametrize("value", ["万东镇", "石林镇", "黑山镇", "万盛街道", "东林街道", "街道", "东西镇"])
def test_another_districts_town_is_none_of_ours_misspelt(value):
    assert the_problem({"town": value}).advice == ""


def test_a_kind_is_named_where_signs_alone_differ():
    spec = REGISTRY.spec("reservoirs")
    rows = [f"R{n},甲,{kind},现状,导入" for n, kind in enumerate(["小(1)型", "小Ⅰ型", "小微型", "中 型"])]
    raw = parse_csv("\n".join(["id,name,kind,status,source", *rows]).encode(), "r.csv")
    told = [one.advice for one in check(raw, spec, CONTEXT).problems if one.column == "kind" and one.row != 1]
    assert [one[:11] for one in told] == [
        "是否应为“小(一)型”",
        "是否应为“小(一)型”",
        "写法不同的,请改成允许",
        "是否应为“中型”",
    ]


def test_longitude_and_latitude_the_wrong_way_round_are_said_to_be_so():
    problem = the_problem({"lon": "28.76", "lat": "106.66"})
    assert (problem.column, problem.value) == ("lon", "28.76")
    assert "写反" in problem.advice


def test_a_place_far_away_is_not_said_to_be_the_wrong_way_round():
    problems = checked({"lon": "2.35", "lat": "48.86"}).problems
    assert [one.column for one in problems] == ["lon", "lat"]
    assert all("坐标系" in one.advice for one in problems)


def test_seats_are_places_too():
    spec = REGISTRY.spec("townships")
    text = (
        ",".join(spec.columns)
        + "\n1,东溪镇,镇,农村,28.76,106.66,300,1,东溪镇,,\n2,赶水镇,镇,农村,106.7,,,1,赶水镇,,\n"
    )
    told = check(parse_csv(text.encode(), "townships.csv"), spec, CONTEXT).problems
    assert [(one.row, one.column) for one in told] == [(2, "seat_lon"), (3, "seat_lat")]
    assert "写反" in told[0].advice


def test_an_id_again_is_told_with_where_it_was_first():
    problems = checked({}, {"id": "A"}, {"id": "A"}, {"id": "a"}, {"id": "A"}).problems
    assert [(one.row, one.column, one.value) for one in problems] == [(4, "id", "A"), (6, "id", "A")]
    assert all("与第 3 行重复" in one.advice for one in problems)


def test_blank_ids_are_missing_not_repeated():
    assert [one.expected for one in checked({"id": ""}, {"id": ""}).problems] == ["填写(必填)"] * 2


def test_all_faults_of_a_row_and_of_a_file_are_told_at_once_in_the_files_order():
    bad = {"name": "", "town": "巴黎", "year": "x", "lon": "1e999", "flow_l_s": "-1", "source": "演示"}
    problems = checked({"flow_l_s": "many"}, {}, bad, {"diameter_mm": "\uff11\uff10\uff10"}).problems
    assert [(one.row, one.column) for one in problems if one.row != 4] == [
        (2, "flow_l_s"),
        (5, "diameter_mm"),
    ]
    assert {one.column for one in problems if one.row == 4} == set(bad)
    assert [one.row for one in problems] == sorted(one.row for one in problems)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("boolean", ["是", "否"], ["是x", "x否", "true", "1", "是否"]),
        ("date", ["2023-03-20", "2024-02-29"], ["2023-02-30", "2023/3/20", "2023-3-20", "20230320", "0000-00-00"]),
    ],
)  # fmt: skip
def test_dates_and_yes_or_no(kind, good, bad):
    spec = LayerSpec("t", "t", "t.csv", "none", "", "", (), {"v": Column("v", "v", kind)})
    found = check(parse_csv("\n".join(["v", *good, *bad]).encode(), "t.csv"), spec, Context())
    assert [one.value for one in found.problems] == bad
    assert found.frame["v"].isna().tolist() == [False] * len(good) + [True] * len(bad)


# ---- whatever comes -------------------------------------------------------------------------------

CELL = (
    st.text(max_size=6)
    | st.text(alphabet="0123456789.+-eE,１．Nanif ", max_size=6)
    | st.sampled_from(["", *GOOD.values(), "28.76", "未定位", "驻地近似", "演示", "1e308", "-0", "1e-999"])
)


@given(st.lists(st.dictionaries(st.sampled_from(list(HYDRANTS.columns)), CELL), max_size=4), st.booleans())
@example([{"year": "+999"}, {"lon": "1e308", "lat": "-1e308"}], False)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_arbitrary_cells_are_typed_or_told(rows, demo):
    clean = [
        {k: v.replace("\x00", "").encode("utf-8", "ignore").decode() for k, v in row.items()} for row in rows
    ]
    raw = table(*clean)
    found = check(raw, HYDRANTS, DEMO if demo else CONTEXT)
    assert list(found.frame.columns) == list(HYDRANTS.columns)
    assert len(found.frame) == len(raw.rows)
    told = {(one.row, one.column) for one in found.problems}
    for key in HYDRANTS.columns:
        there, read = raw.frame[key].notna().to_numpy(), found.frame[key].notna().to_numpy()
        assert not (read & ~there).any(), "nothing is invented"
        lost = np.asarray(raw.rows)[there & ~read]
        assert {(row, key) for row in lost.tolist()} <= told, "nothing is lost in silence"
    numbers = found.frame[["lon", "lat", "error_m", "flow_l_s"]].to_numpy(dtype=float)
    assert not np.isinf(numbers).any()
    if not found.problems:
        assert not numbers[numbers < 0].size


def test_twenty_thousand_rows_are_checked_and_each_fault_found():
    raw = table(*({"flow_l_s": "bad" if n % 1000 == 999 else "1"} for n in range(20_000)))
    problems = check(raw, HYDRANTS, CONTEXT).problems
    assert [one.row for one in problems] == list(range(1001, 20_002, 1000))


def test_twenty_thousand_bad_rows_are_all_told():
    raw = table(*({"town": "东西镇", "lon": "1"} for _ in range(20_000)))
    assert len(check(raw, HYDRANTS, CONTEXT).problems) == 40_000
