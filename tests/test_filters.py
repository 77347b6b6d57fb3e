"""What a choice leaves in, and how it is said."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qjmap.district import ROOT
from qjmap.filters import Filter
from qjmap.layers import load_registry

SPEC = load_registry(ROOT / "data" / "layers.toml").spec("hydrants")
CATEGORIES = {key: one.values for key, one in SPEC.columns.items() if one.type == "category"}


def frame(**columns):
    """Five records typed as a layer's frame is; what is not said is missing."""
    raw = {
        "id": ["X1", "X2", "x3", "X4", "X5"],
        "name": ["东街a.b栓", "Xi街(2)号", "西街", "a+b", "村口"],
        "town": ["甲镇", "甲镇", "乙镇", None, "乙镇"],
        "village": [None, None, "nan村", None, "Abc村"],
        "kind": ["市政消火栓", "小区消火栓", "市政消火栓", "市政消火栓", "小区消火栓"],
        "status": ["现状", "规划", "在建", "规划", "未知"],
        "year": [2024, 2025, 2023, None, 2030],
        "service": ["在用", "停用", None, "未知", "在用"],
        "flow_l_s": [10.0, 15.0, None, 20.0, 0.0],
        "diameter_mm": [100, None, 150, 65, 100],
    } | columns
    types = dict.fromkeys(("id", "name", "town", "village"), "str")
    types |= {"year": "Int64", "diameter_mm": "Int64", "flow_l_s": "float64"}
    made = pd.DataFrame(raw).astype(types)
    for key in ("kind", "status", "service"):
        made[key] = pd.Categorical(made[key], CATEGORIES[key])
    return made


def chosen(choice, records=None, **kwargs):
    records = frame() if records is None else records
    return records["id"][choice.mask(records, **kwargs)].tolist()


def test_no_choice_leaves_everything_in():
    assert chosen(Filter()) == ["X1", "X2", "x3", "X4", "X5"]
    assert len(Filter(towns=("甲镇",), text="a", year=2020).mask(frame().iloc[:0])) == 0


def test_a_record_without_a_town_is_in_no_town_and_a_town_does_not_bound_coverage():
    choice = Filter(towns=("甲镇", "丙镇"))
    assert chosen(choice) == ["X1", "X2"]
    assert chosen(choice, towns=False) == ["X1", "X2", "x3", "X4", "X5"]
    # the other choices hold for coverage as well
    assert chosen(Filter(towns=("甲镇",), text="街"), towns=False) == ["X1", "X2", "x3"]


def test_categories_are_joined_by_and_their_values_by_or():
    assert chosen(Filter(categories={"service": ("在用", "停用")})) == ["X1", "X2", "X5"]
    assert chosen(Filter(categories={"service": ("在用", "停用"), "kind": ("小区消火栓",)})) == ["X2", "X5"]


def test_a_missing_category_is_not_unknown():
    assert chosen(Filter(categories={"service": ("未知",)})) == ["X4"]


@pytest.mark.parametrize(
    ("column", "bounds", "left"),
    [
        ("flow_l_s", (10, 15), ["X1", "X2"]),  # both ends belong to it
        (
            "flow_l_s",
            (0, 100),
            ["X1", "X2", "X4", "X5"],
        ),  # even the whole range leaves out what has no number
        ("flow_l_s", (0, 0), ["X5"]),
        ("diameter_mm", (100, 150), ["X1", "x3", "X5"]),
        ("diameter_mm", (0, 10), []),
    ],
)
def test_a_range_leaves_out_records_without_the_number(column, bounds, left):
    assert chosen(Filter(ranges={column: bounds})) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("街", ["X1", "X2", "x3"]),
        ("  街 ", ["X1", "X2", "x3"]),
        ("X", ["X1", "X2", "x3", "X4", "X5"]),  # ids and names, either case
        ("xi", ["X2"]),
        ("ABC", ["X5"]),  # villages
        ("nan", ["x3"]),  # a missing village is not the text "nan"
        ("a.b", ["X1"]),  # a dot is a dot
        ("a+b", ["X4"]),
        ("(2", ["X2"]),  # and no fault of a pattern
        (".*", []),
        ("", ["X1", "X2", "x3", "X4", "X5"]),
        ("   ", ["X1", "X2", "x3", "X4", "X5"]),
        ("没有", []),
    ],
)
def test_text_is_sought_literally_in_name_number_and_village(text, left):
    assert chosen(Filter(text=text)) == left


@given(st.text(min_size=1, max_size=8), st.text(max_size=5), st.text(max_size=5))
def test_any_part_of_a_name_finds_it(part, before, after):
    records = frame(name=[before + part + after, "", "", "", ""], id=["A", "B", "C", "D", "E"])
    assert "A" in chosen(Filter(text=part), records)


@given(st.text(alphabet=".*+?^$[](){}|\\", min_size=1, max_size=6))
def test_signs_of_patterns_find_only_themselves(text):
    records = frame(name=["甲", "乙", "丙", "丁", text + "戊"], id=["1", "2", "3", "4", "5"])
    assert chosen(Filter(text=text), records) == ["5"]


@pytest.mark.parametrize(
    ("year", "left"),
    [
        (None, ["X1", "X2", "x3", "X4", "X5"]),
        (2020, ["X1"]),  # 现状 is there, though it was written down in 2024
        (2022, ["X1"]),
        (2023, ["X1", "x3"]),  # from its year on
        (2025, ["X1", "X2", "x3"]),
        (2035, ["X1", "X2", "x3", "X5"]),  # planned for nobody knows when: never
    ],
)
def test_what_is_there_always_counts_and_what_is_planned_from_its_year_on(year, left):
    assert chosen(Filter(year=year)) == left


def test_choices_add_up():
    choice = Filter(
        towns=("甲镇",),
        categories={"kind": ("市政消火栓",)},
        ranges={"flow_l_s": (5, 12)},
        text="东",
        year=2020,
    )
    assert chosen(choice) == ["X1"]


# ---- in words -----------------------------------------------------------------------------------


def test_nothing_chosen_is_said_so():
    assert Filter().words(SPEC) == "全部"
    assert Filter(text="  ").words(SPEC) == "全部"


def test_every_choice_is_said_with_its_label_and_unit():
    choice = Filter(
        towns=("甲镇", "乙镇"),
        categories={"service": ("在用", "报修"), "kind": ("市政消火栓",)},
        ranges={"flow_l_s": (0.5, 20.0), "diameter_mm": (100, 150)},
        text=" 街 ",
        year=2025,
    )
    assert choice.words(SPEC).split(";") == [
        "街镇:甲镇、乙镇",
        "使用状态:在用、报修",
        "类别:市政消火栓",
        "流量:0.5–20升/秒",
        "口径:100–150毫米",
        "名称含“街”",
        "年份:2025",
    ]


def test_large_bounds_are_said_in_full():
    said = Filter(ranges={"flow_l_s": (1234567.5, 48500000.0)}).words(SPEC)
    assert said == "流量:1234567.5–48500000升/秒"


def test_what_says_neither_status_nor_year_is_not_left_out_in_silence():
    rows = frame().assign(
        status=["未知", "规划", "未知", "在建", "未知"],
        year=pd.array([None, None, 2020, 2030, 2030], "Int64"),
    )
    assert Filter(year=2025).mask(rows).tolist() == [True, False, True, False, False]
