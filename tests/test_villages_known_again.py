"""Population by village as an office has it: without codes, with the names that people use."""

from __future__ import annotations

import pandas as pd
import pytest

from qjmap import draft
from qjmap._villages import Villages
from tests.conftest import write_csv
from tests.test_draft import prepared

LISTED = (
    ("500110001001", "新山村社区居民委员会", "甲街道"),
    ("500110001002", "红旗村村民委员会", "甲街道"),
    ("500110002001", "红旗村村民委员会", "乙街道"),
    ("500110002002", "石角社区居民委员会", "乙街道"),
    ("500110002003", "石角社区村民委员会", "乙街道"),
)
CODES = {"甲街道": "500110001", "乙街道": "500110002"}


@pytest.fixture
def book():
    return Villages(pd.DataFrame(LISTED, columns=["code", "name", "town"]), CODES)


@pytest.mark.parametrize(
    ("town", "name", "code"),
    [
        ("甲街道", "新山村社区居民委员会", "500110001001"),
        ("甲街道", "新山村社区居委会", "500110001001"),
        ("甲街道", "新山村社区", "500110001001"),
        ("甲街道", "新山村", "500110001001"),
        ("甲街道", "红旗", "500110001002"),
        ("甲街道", "红旗村村委会", "500110001002"),
        ("甲街道", "甲街道 红旗村", "500110001002"),
        ("乙街道", "红旗村", "500110002001"),
        ("乙街道", "石角社区村民委员会", "500110002003"),
        ("乙街道", "石角社区", None),  # two of them
        ("乙街道", "石角", None),
        ("甲街道", "红旗社区", None),  # another than 红旗村, for all we know
        ("乙街道", "新山村", None),
        ("", "红旗村", None),
    ],
)
def test_a_village_is_known_by_town_and_name(book, town, name, code):
    found = book.find(town, name)
    assert (None if found is None else found.code) == code


def test_codes_begin_with_the_towns(book):
    assert book.town_of("500110002009") == "乙街道"
    assert book.town_of("500110002") == book.town_of("500110999001") == ""
    assert book.code_of("甲街道", "") == book.code_of("", "500110001009") == "500110001"
    assert book.code_of("", "1") == ""


@pytest.fixture
def around(grid_district):
    spec = grid_district.registry.spec("villages")
    towns = list(grid_district.towns["code"].items())[:2]
    rows = [
        {"code": f"{code}{n:03d}", "name": name, "town_code": code, "town": town}
        for town, code in towns
        for n, name in enumerate(("红旗村村民委员会", "新山村社区居民委员会"), 1)
    ]
    write_csv(grid_district.data / spec.file, spec.columns, rows)
    return draft.surroundings(grid_district)


def table(*rows: str) -> bytes:
    return "\n".join(rows).encode()


def test_a_list_without_codes_goes_in_and_all_that_was_filled_is_told(grid_district, around):
    first, second = grid_district.towns["code"].iloc[:2]
    content = table(
        "街镇,村(社区)名称,常住人口(万人),户籍人口",
        "甲街道,红旗村,0.12,900",
        "乙街道,红旗村,0.03,1",
        "乙街道,新山村社区居委会,,1",
    )
    made = prepared(content, grid_district, around, "villages")
    assert made.problems == ()
    assert made.warnings == ()
    assert made.frame["code"].tolist() == [f"{first}001", f"{second}001", f"{second}002"]
    assert made.frame["town_code"].tolist() == [first, second, second]
    assert made.frame["name"].tolist() == [
        "红旗村村民委员会",
        "红旗村村民委员会",
        "新山村社区居民委员会",
    ]
    assert made.frame["population"].fillna(0).tolist() == [1200, 300, 0]
    kinds = {one.id.split(":")[0] for one in made.repairs}
    assert kinds == {"header-unit", "village-code", "village-town-code", "village-name"}
    refused = prepared(content, grid_district, around, "villages", refused=["village-code"])
    assert refused.bad.all()
    refused = prepared(content, grid_district, around, "villages", refused=["village-name:name:2"])
    assert refused.frame["name"].tolist()[:2] == ["红旗村", "红旗村村民委员会"]


def test_a_code_tells_the_town_and_a_wrong_one_is_noticed(grid_district, around):
    first, second = grid_district.towns["code"].iloc[:2]
    content = table("统计代码,村名,人口", f"{second}001,红旗村,500", f"{first}009,新村,500")
    made = prepared(content, grid_district, around, "villages")
    assert made.problems == ()
    assert made.frame["town"].tolist() == ["乙街道", "甲街道"]
    assert made.frame["town_code"].tolist() == [second, first]
    content = table("统计代码,街镇,村名,人口", f"{first}002,甲街道,红旗村,500")
    (told,) = prepared(content, grid_district, around, "villages").warnings
    assert (told.row, told.column) == (2, "统计代码")
    assert f"{first}001" in told.advice


def test_a_village_that_nobody_knows_is_told_with_the_nearest_name(grid_district, around):
    content = table("街镇,村名,人口", "甲街道,红棋村村民委员会,500", ",红旗村,500")
    made = prepared(content, grid_district, around, "villages")
    assert made.bad.all()
    assert "红旗村村民委员会" in made.warnings[0].advice
    assert "没有写街镇" in made.warnings[1].advice


def test_areas_of_villages_get_code_and_town_but_keep_their_names(grid_district, around):
    first = grid_district.towns["code"].iloc[0]
    content = table("XZQMC,ZLDWMC,类别,图形", '甲街道,红旗村,村,"POLYGON((0 0,1 0,1 1,0 0))"')
    made = prepared(content, grid_district, around, "village_areas")
    told = {one.id.split(":")[0]: one.new for one in made.repairs}
    assert told["village-code"] == f"{first}001"
    assert "village-name" not in told
