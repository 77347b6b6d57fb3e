"""A file on its way in: every repair listed and refusable, all faults of a row at once, good rows kept."""

from __future__ import annotations

import io
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from openpyxl import Workbook

from qjmap import _repairs, datum, draft, export, ingest, matching
from qjmap.checks import check
from qjmap.errors import DataError
from qjmap.ingest import parse_csv
from qjmap.places import Gazetteer

HEAD = "编号,名称,街镇,类别,状态,经度,纬度,口径,流量,压力,年份,备注"
GOOD = {
    "编号": "A1",
    "名称": "甲",
    "街镇": "戊镇",
    "类别": "市政消火栓",
    "状态": "现状",
    "经度": "106.500001",
    "纬度": "29.000001",
    "口径": "100",
    "流量": "15",
    "压力": "0.3",
    "年份": "2020",
}


@pytest.fixture
def around(grid_district):
    return draft.surroundings(grid_district)


def table(*rows: dict[str, str], head: str = HEAD) -> bytes:
    names = head.split(",")
    filled = [{**GOOD, "编号": f"A{n}", "经度": f"106.5{n:02d}001", **row} for n, row in enumerate(rows, 1)]
    frame = pd.DataFrame([[row.get(name, "") for name in names] for row in filled], columns=names)
    return frame.to_csv(index=False).encode()


def whole(
    content: bytes, district, around, key="hydrants", *, refused=(), choose="wgs84", name="a.csv", **said
):
    """A file's draft, the file as read, and how its columns were matched."""
    spec = district.registry.spec(key)
    source = ingest.read(name, content)[0]
    matches = matching.match(source, spec, tuple(district.towns.index))
    columns = draft.coordinates(source, matches)
    readings = datum.readings(*columns, district) if columns else []
    reading = next((one for one in readings if one.key == choose), readings[0] if readings else None)
    made = draft.prepare(source, spec, matches, reading, around, refused_repairs=refused, **said)
    return made, source, matches


def prepared(*file, **how) -> draft.Draft:
    return whole(*file, **how)[0]


def changes(made: draft.Draft) -> list[tuple]:
    return [(one.row, one.column, one.old, one.new) for one in made.repairs]


# ---- what the file does not say ---------------------------------------------------------------------


def test_a_person_says_of_all_rows_what_the_file_has_no_column_for(grid_district, around):
    head = HEAD.replace(",类别", "").replace(",街镇", "").replace(",经度,纬度", "")
    content = table({}, {}, head=head)
    blank = prepared(content, grid_district, around)
    assert blank.bad.all()
    said = {"kind": "市政消火栓", "town": "戊镇", "name": "丙", "nonsense": "x"}
    made = prepared(content, grid_district, around, fills=said)
    assert made.good.all()
    assert made.frame["kind"].tolist() == ["市政消火栓"] * 2
    assert made.frame["town"].tolist() == ["戊镇"] * 2
    assert not made.unplaced.any()
    assert made.frame["name"].tolist() == ["甲", "甲"]  # what the file says stands
    told = {one.id: one.new for one in made.repairs}
    assert (told["fill:kind"], told["fill:town"]) == ("市政消火栓", "戊镇")
    assert prepared(content, grid_district, around, fills=said, refused=["fill:kind"]).bad.all()
    assert prepared(content, grid_district, around, fills=said | {"kind": "井"}).bad.all()


def test_what_has_only_a_number_is_named_by_it_when_the_person_says_so(grid_district, around):
    content = table({}, {}, head=HEAD.replace(",名称", ""))
    assert prepared(content, grid_district, around).bad.all()
    made = prepared(content, grid_district, around, fills={"name": draft.BY_NUMBER})
    assert made.frame["name"].tolist() == ["消火栓A1", "消火栓A2"]
    assert [one.id for one in made.repairs if "name" in one.id] == ["fill:name"]
    content = table({}, {}, head=HEAD.replace("编号,名称,", ""))
    made = prepared(content, grid_district, around, fills={"name": draft.BY_NUMBER})
    assert made.frame["name"].tolist() == ["消火栓2", "消火栓3"]


def test_a_person_says_what_words_of_the_file_mean(grid_district, around):
    rows = [{"状态": word} for word in ("落成", "现状", "在用中", "落成")]
    made, source, matches = whole(table(*rows), grid_district, around)
    assert draft.unknown_words(made, source, matches) == {"status": {"落成": 2, "在用中": 1}}
    said = {"status": {"落成": "现状"}, "town": {"戊镇": "甲街道"}}
    made, *_ = whole(table(*rows), grid_district, around, meanings=said)
    assert made.good.tolist() == [True, True, False, True]
    assert made.frame["town"].unique().tolist() == ["甲街道"]
    told = [one for one in made.repairs if one.id.startswith("said:status")]
    assert [(one.row, one.old, one.new) for one in told] == [(2, "落成", "现状"), (5, "落成", "现状")]
    assert draft.unknown_words(made, source, matches) == {"status": {"在用中": 1}}
    # one row can be refused by itself
    made, *_ = whole(table(*rows), grid_district, around, meanings=said, refused=["said:status:2"])
    assert made.good.tolist() == [False, True, False, True]


# ---- good and bad ----------------------------------------------------------------------------------


def test_good_rows_are_kept_while_bad_ones_go_back_with_all_their_faults(grid_district, around):
    made = prepared(table({}, {"街镇": "无此镇", "口径": "粗", "年份": "去年"}, {}), grid_district, around)
    assert made.good.tolist() == [True, False, True]
    assert made.bad.tolist() == [False, True, False]
    assert tuple(made.rows) == (2, 4)
    assert [(one.row, one.column, one.value) for one in made.problems] == [
        (3, "街镇", "无此镇"),
        (3, "年份", "去年"),
        (3, "口径", "粗"),
    ]
    assert made.repairs == ()


def known(made) -> list[tuple[object, object]]:
    """How the good rows' places are known, and how well."""
    return list(zip(made.frame["position"].tolist(), made.frame["error_m"].tolist(), strict=True))


def test_a_place_of_which_nobody_says_how_it_was_obtained_is_not_measured(grid_district, around):
    made = prepared(table({}, {"纬度": "29.01", "经度": "106.51"}), grid_district, around)
    assert known(made) == [("表载坐标", 30), ("表载坐标", 739)]
    told = "".join(made.notes)
    assert "2 行有坐标而没有写定位方式:记为“表载坐标”(取得方法未说明;" in told
    assert "2 行“表载坐标”没有写误差:按坐标的位数计,不小于 30 米(假定),最大 739 米" in told


def test_what_the_file_says_of_a_place_stays(grid_district, around):
    head = HEAD + ",定位方式,定位误差"
    rows = [
        {"定位方式": "地址匹配", "定位误差": "80"},
        {"定位方式": "实测", "定位误差": "2"},
        {"定位方式": "实测"},
        {"定位误差": "5"},
    ]
    made = prepared(table(*rows, head=head), grid_district, around)
    assert known(made) == [("地址匹配", 80), ("实测", 2), ("实测", 10), ("表载坐标", 5)]
    assert not made.problems


def test_how_all_places_are_known_may_be_said_at_once(grid_district, around):
    fills = {"position": "图上点取", "error_m": "50"}
    made = prepared(table({}, {"经度": "", "纬度": ""}), grid_district, around, fills=fills)
    assert known(made)[0] == ("图上点取", 50)
    assert not made.problems, "what has no coordinates has no way of having obtained them"
    assert pd.isna(made.frame["position"].iat[1])
    assert {one.id for one in made.repairs if one.id.startswith("fill")} == {"fill:position", "fill:error_m"}
    without = prepared(table({}), grid_district, around, fills=fills, refused=["fill"])
    assert known(without) == [("表载坐标", 30)]


def test_a_cell_is_emptied_by_a_word_and_only_of_a_record_that_is_there(grid_district, around):
    rows = [{"口径": "清空", "备注": " 清空 "}, {"口径": "清空"}, {"口径": ""}, {"名称": "清空"}]
    made = prepared(table(*rows), grid_district, around, known=["A1", "A3", "A4"])
    assert made.good.tolist() == [True, True, True, False]
    assert {key: mask.tolist() for key, mask in made.cleared.items()} == {
        "diameter_mm": [True, False, False],
        "note": [True, False, False],
    }
    assert made.frame["diameter_mm"].isna().all()
    assert [(one.row, one.column, one.value) for one in made.problems] == [(5, "名称", "清空")]
    told = {(one.row, one.column): one.why for one in made.repairs}
    assert told == {
        (2, "口径"): "库中原值删去",
        (2, "备注"): "库中原值删去",
        (3, "口径"): "新的一行,按空白",
    }
    assert any("2 处写了“清空”" in note for note in made.notes)
    # who refuses it keeps what is kept
    made = prepared(table(*rows), grid_district, around, known=["A1", "A3"], refused=["clear:diameter_mm:2"])
    assert {key: mask.tolist() for key, mask in made.cleared.items()} == {"note": [True, False, False]}
    assert made.frame["diameter_mm"].isna().all()


def test_a_place_is_emptied_by_its_coordinates(grid_district, around):
    rows = [{"经度": "清空", "纬度": "清空"}, {"经度": "清空"}, {}]
    made = prepared(table(*rows), grid_district, around, known=["A1", "A2", "A3"])
    assert made.good.tolist() == [True, False, True]
    assert made.cleared["lon"].tolist() == made.cleared["lat"].tolist() == [True, False]
    assert made.frame["lon"].isna().tolist() == [True, False]


def test_a_conversion_adds_its_own_error(grid_district, around):
    for key, error in (("wgs84", 30), ("gcj02", 35), ("bd09", 40)):
        made = prepared(table({}), grid_district, around, choose=key)
        assert known(made) == [("表载坐标", error)]
    assert any("坐标系换算另加 10 米" in note for note in made.notes)


def test_degrees_and_minutes_say_less_than_seconds(grid_district, around):
    rows = [{"经度": "106°30'", "纬度": "29°1'"}, {"经度": "106°30'06\"", "纬度": "29°01'03\""}]
    made = prepared(table(*rows), grid_district, around, choose="dms")
    assert known(made) == [("表载坐标", 1231), ("表载坐标", 30)]


def test_what_is_kept_is_a_register(grid_district, around):
    for key in ("hydrants", "highrises", "reservoirs", "villages"):
        spec = grid_district.registry.spec(key)
        content = table({}, {"口径": "", "年份": ""}, {"备注": '引号"、逗号,和\n换行'})
        if key == "villages":
            content = "统计代码,村(居)委会,街镇代码,街镇,人口\n1,甲村,01,戊镇,1200\n".encode()
        elif key != "hydrants":
            content = content.replace("市政消火栓".encode(), spec.kinds[0].encode())
        made = prepared(content, grid_district, around, key)
        assert made.problems == ()
        assert len(made.frame)
        text = draft.to_register(made.frame, spec)
        again = check(parse_csv(text, "x.csv"), spec, grid_district.context())
        assert again.problems == ()
        pd.testing.assert_frame_equal(again.frame, made.frame)
        if spec.placed:
            assert set(made.frame["source"]) == {"导入"}


def test_a_file_without_any_good_row_is_still_answered(grid_district, around):
    made = prepared(table({"类别": "x"}), grid_district, around)
    assert made.frame.empty
    assert made.bad.tolist() == [True]
    assert draft.to_register(made.frame, made.spec).decode().count("\n") == 1


# ---- repairs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "old", "new", "kind"),
    [
        ("口径", "１００", "100", "digits"),
        ("流量", "1,015.5", "1015.5", "digits"),
        ("流量", "15升/秒", "15", "unit"),
        ("口径", "0.1米", "100", "unit"),
        ("口径", "DN100", "100", "unit"),
        ("口径", "Φ65mm", "65", "unit"),
        ("压力", "300kPa", "0.3", "unit"),
        ("口径", "100.0", "100", "whole"),
        ("流量", "不详", None, "blank"),
        ("年份", "2020年5月", "2020", "year"),
        ("街镇", "戊", "戊镇", "town"),
        ("街镇", "方格区戊镇人民政府", "戊镇", "town"),
        ("类别", "市政 消火栓", "市政消火栓", "value"),
        ("类别", "市政", "市政消火栓", "value"),
        ("名称", "甲\u200b乙", "甲乙", "control"),
        ("名称", "'-3米处", "-3米处", "guard"),
        ("名称", "'=SUM(A1)", "=SUM(A1)", "guard"),
        ("经度", "106,500101", "106.500101", "comma"),
    ],
)
def test_each_repair_is_listed_and_can_be_refused(grid_district, around, column, old, new, kind):
    content = table({}, {column: old})
    made = prepared(content, grid_district, around)
    assert changes(made) == [(3, column, old, new)]
    assert made.problems == ()
    (repair,) = made.repairs
    assert repair.id.split(":")[0] == kind
    for refusal in (repair.id, repair.id.rpartition(":")[0], kind):
        without = prepared(content, grid_district, around, refused=(refusal,))
        assert without.repairs == ()
        if kind not in ("control", "guard"):
            assert [one.value for one in without.problems] == [old]


@pytest.mark.parametrize(
    ("word", "values", "meant"),
    [
        ("市政", ("市政消火栓", "小区消火栓"), "市政消火栓"),
        ("地上", ("地上式", "地下式", "未知"), "地上式"),
        ("住宅", ("高层公共建筑", "高层住宅建筑"), "高层住宅建筑"),
        ("水池", ("消防水池", "消防水箱", "天然取水点"), "消防水池"),
        ("取水点", ("消防水池", "消防水箱", "天然取水点"), None),
        ("一级保护区", ("饮用水水源一级保护区", "饮用水水源二级保护区", "其他"), "饮用水水源一级保护区"),
        ("公路", ("高速公路", "国道", "县道"), None),
        ("道路", ("城市道路", "村道"), None),
        ("专职消防队", ("政府专职消防队", "志愿消防队"), None),
        ("单位", ("消防安全重点单位", "居民住宅小区"), None),
        ("医院", ("区级医院", "医院分院"), None),
    ],
)
def test_a_short_word_is_completed_by_nothing_that_tells_kinds_apart(word, values, meant):
    """What stands before a word tells one kind from another: it is not added."""
    found = _repairs.choice(word, values)
    assert (found and found[0]) == meant


def test_ten_thousand_is_understood(grid_district, around):
    content = "统计代码,村(居)委会,街镇代码,街镇,人口\n1,甲村,01,戊镇,1.2万\n2,乙村,01,戊镇,3000人\n".encode()
    made = prepared(content, grid_district, around, "villages")
    assert made.frame["population"].tolist() == [12000, 3000]
    assert [one.old for one in made.repairs] == ["1.2万", "3000人"]


def test_a_header_in_another_unit_scales_the_column_or_not(grid_district, around):
    content = table({"口径(cm)": "10"}, head=HEAD.replace("口径", "口径(cm)"))
    made = prepared(content, grid_district, around)
    assert made.frame["diameter_mm"].tolist() == [100]
    assert [(one.id, one.row) for one in made.repairs] == [("header-unit:diameter_mm", None)]
    refused = prepared(content, grid_district, around, refused=("header-unit",))
    assert [one.value for one in refused.problems] == ["10"]


def test_sums_and_examples_are_left_out_and_told(grid_district, around):
    made = prepared(table({}, {"编号": "合计", "名称": ""}, {"编号": "示例-1"}), grid_district, around)
    assert tuple(made.rows) == (2,)
    assert made.bad.tolist() == [False, False, False]
    assert [one.id for one in made.repairs] == ["sum:row:3"]
    assert any("示例" in note for note in made.notes)
    kept = prepared(table({}, {"编号": "合计"}), grid_district, around, refused=("sum",))
    assert tuple(kept.rows) == (2, 3)


def test_merged_cells_are_filled_and_told(grid_district, around):
    book = Workbook()
    for row in (
        ["编号", "名称", "街镇", "类别", "状态"],
        *(["A", n, "戊镇", "市政消火栓", "现状"] for n in "甲乙"),
    ):
        book.active.append(row)
    book.active["A3"] = "B"
    book.active["C3"] = None
    book.active.merge_cells("C2:C3")
    out = io.BytesIO()
    book.save(out)
    made = prepared(out.getvalue(), grid_district, around, name="a.xlsx")
    assert made.frame["town"].tolist() == ["戊镇", "戊镇"]
    assert changes(made) == [(3, "街镇", None, "戊镇")]


def test_what_a_file_need_not_say_is_filled_and_told(grid_district, around):
    made = prepared("名称,街镇\n甲,戊镇\n".encode(), grid_district, around, "emergency_teams")
    assert made.problems == ()
    assert {one.id for one in made.repairs} == {"number:id", "default:kind", "default:status"}
    assert prepared(
        "名称,街镇\n甲,戊镇\n".encode(), grid_district, around, "emergency_teams", refused=("number",)
    ).bad.all()


def test_the_error_values_of_formulas_are_faults(grid_district, around):
    made = prepared(table({"备注": "#N/A"}), grid_district, around)
    assert [(one.column, one.value) for one in made.problems] == [("备注", "#N/A")]


# ---- places ----------------------------------------------------------------------------------------


def test_one_row_swapped_is_turned_and_told(grid_district, around):
    content = table({}, {}, {"经度": "29.000001", "纬度": "106.500001"})
    made = prepared(content, grid_district, around)
    assert made.frame["lon"].iloc[2] == pytest.approx(106.500001)
    assert [one.id for one in made.repairs] == ["swap:lon:4"]
    refused = prepared(content, grid_district, around, refused=("swap",))
    assert tuple(refused.rows) == (2, 3)
    assert "写反" in refused.problems[0].advice


def test_degrees_and_minutes_among_decimals_are_told_one_by_one(grid_district, around):
    rows = [{}, {"经度": "106°30′18″"}]
    made = prepared(table(*rows), grid_district, around)
    assert [(one.id, one.old, one.new) for one in made.repairs] == [
        ("degrees:lon:3", "106°30′18″", "106.505")
    ]
    refused = prepared(table(*rows), grid_district, around, refused=["degrees:lon:3"])
    assert refused.good.tolist() == [True, False]


def test_all_rows_swapped_are_one_repair(grid_district, around):
    rows = [{"经度": f"29.0{n}0001", "纬度": "106.500001"} for n in range(3)]
    made = prepared(table(*rows), grid_district, around)
    assert [one.id for one in made.repairs] == ["swap:lon"]
    assert made.frame["lon"].tolist() == pytest.approx([106.500001] * 3)
    assert prepared(table(*rows), grid_district, around, refused=("swap:lon",)).bad.all()


def test_another_datum_is_read_and_told(grid_district, around):
    lon, lat = datum.wgs_to_gcj(106.5, 29.0)
    made = prepared(
        table({"经度": f"{lon:.9f}", "纬度": f"{lat:.9f}"}), grid_district, around, choose="gcj02"
    )
    assert made.frame["lon"].iloc[0] == pytest.approx(106.5, abs=1e-7)
    assert [one.id for one in made.repairs] == ["datum:lon"]


@pytest.mark.parametrize(
    ("lon", "lat"),
    [("116.4001", "39.9001"), ("106.5001", ""), ("nan", "29.0"), ("inf", "29"), ("1e999", "29")],
)
def test_places_that_cannot_be(grid_district, around, lon, lat):
    made = prepared(table({}, {"经度": lon, "纬度": lat}), grid_district, around)
    assert tuple(made.rows) == (2,)
    assert {one.row for one in made.problems} == {3}


def test_what_is_odd_warns_and_stops_nothing(grid_district, around):
    rows = [
        {},
        {"经度": "106.501002"},  # beside the first
        {"街镇": "壬镇"},  # not where it says
        {"流量": "108"},  # cubic metres an hour?
        {"经度": "106.51", "纬度": "29.01"},  # two decimals
        {"名称": "<b>甲</b>"},
    ]
    made = prepared(table(*rows), grid_district, around)
    assert made.problems == ()
    told = {(one.row, one.column) for one in made.warnings}
    assert {(3, "经度"), (4, "街镇"), (5, "流量"), (6, "经度"), (7, "名称")} <= told
    assert any("第 2 行" in one.advice for one in made.warnings)
    (unit,) = (one.advice for one in made.warnings if "单位" in one.advice)
    assert unit == "单位是否写错:若是 108 立方米/小时,应写 30 升/秒"


@pytest.mark.parametrize(
    ("key", "column", "value", "said"),
    [
        ("reservoirs", "总库容", "9500000", "单位是否写错:若是 9,500,000 立方米,应写 950 万立方米"),
        ("hydrants", "流量", "9999", "请核对"),  # no unit makes it a hydrant's
        ("highrises", "建筑高度", "540", "请核对"),  # ten times is no unit
        ("highrises", "建筑高度", "0.1", "单位是否写错:若是 0.1 千米,应写 100 米"),
    ],
)
def test_only_a_real_unit_is_proposed(grid_district, around, key, column, value, said):
    kind = grid_district.registry.spec(key).kinds[0]
    content = table({"类别": kind, column: value}, head=f"编号,名称,街镇,类别,状态,经度,纬度,{column}")
    (told,) = prepared(content, grid_district, around, key).warnings
    assert told.advice == said


def test_a_column_that_may_be_several_is_left_and_said(grid_district, around):
    content = table({"类别": "卫生院", "床位数": "20"}, head="编号,名称,街镇,类别,状态,经度,纬度,床位数")
    made = prepared(content, grid_district, around, "health")
    (said,) = (one for one in made.notes if "可能是" in one)
    assert said.startswith("“床位数”没有用:可能是“2020年编制床位”、“2025年规划编制床位”")


@pytest.mark.parametrize(
    ("key", "column", "value", "number"),
    [
        ("highrises", "层数", "18F", 18),
        ("highrises", "层数", "地上18层", 18),
        ("fire_stations", "消防车", "6台", 6),
        ("fire_stations", "人员", "45名", 45),
    ],
)
def test_what_is_counted_may_be_counted_by_another_word(grid_district, around, key, column, value, number):
    spec = grid_district.registry.spec(key)
    content = table(
        {"类别": spec.kinds[0], column: value}, head=f"编号,名称,街镇,类别,状态,经度,纬度,{column}"
    )
    made = prepared(content, grid_district, around, key)
    (told,) = (one for one in made.repairs if one.column == column)
    assert (told.old, told.new) == (value, str(number))


def test_far_outside_the_district_is_a_fault_and_a_little_outside_a_warning(grid_district, around):
    x, y = grid_district.projection.to_degrees(np.array([-15_500.0, -19_000.0]), np.array([0.0, 0.0]))
    rows = [{"经度": f"{a:.6f}", "纬度": f"{b:.6f}"} for a, b in zip(x, y, strict=True)]
    made = prepared(table(*rows), grid_district, around)
    assert tuple(made.rows) == (2,)
    assert any("在区界" in one.advice for one in made.warnings)
    assert "在区界" in made.problems[0].advice


def test_heights_against_floors(grid_district, around):
    head = "编号,名称,街镇,类别,状态,高度,层数"
    rows = [{"类别": "高层住宅建筑", "高度": height, "层数": "30"} for height in ("90", "900", "9")]
    made = prepared(table(*rows, head=head), grid_district, around, "highrises")
    assert [one.row for one in made.problems] == [3]
    assert any(one.row == 4 and "平均层高" in one.advice for one in made.warnings)


def test_doubles_of_what_is_kept_already_are_told(grid_district):
    places = {"lon": [106.5, 106.502001], "lat": [29.0, 29.000001]}
    existing = pd.DataFrame({"id": ["A1", "Z9"], "kind": ["市政消火栓"] * 2, **places})
    around = draft.surroundings(grid_district, existing)
    made = prepared(table({}, {}), grid_district, around)
    assert made.problems == ()
    advice = " ".join(one.advice for one in made.warnings)
    assert "库中已有此编号" in advice
    assert "Z9" in advice


def test_a_hundred_thousand_rows_in_one_place_take_no_longer(grid_district, around):
    frame = pd.DataFrame({name: [value] * 20_000 for name, value in GOOD.items()})
    frame["编号"] = [f"A{n}" for n in range(20_000)]
    made = prepared(frame.to_csv(index=False).encode(), grid_district, around)
    assert len(made.frame) == 20_000
    assert sum("同一位置" in one.advice for one in made.warnings) == 19_999


# ---- addresses -------------------------------------------------------------------------------------

VILLAGES = pd.DataFrame(
    {
        "name": ["新山村社区居民委员会", "大坪村村民委员会", "大坪村村民委员会", "一居社区居民委员会"],
        "town": ["甲街道", "丙镇", "丁镇", "丁镇"],
        "lon": [106.4, np.nan, np.nan, np.nan],
        "lat": [28.9, np.nan, np.nan, np.nan],
    }
)
PLACES = Gazetteer(("甲街道", "乙街道", "丙镇", "丁镇"), VILLAGES, {"甲街道": 100.0})


def test_a_new_place_is_held_against_the_town_that_is_kept(grid_district):
    """戊镇 is the middle of the grid, 10 km a side: its neighbour's middle is 5 km outside it."""
    towns = ["戊镇", "戊镇", "己镇"]
    existing = pd.DataFrame({"id": ["A1", "A2", "A3"], "kind": ["市政消火栓"] * 3, "town": towns})
    existing[["x", "y"]] = np.nan
    around = draft.surroundings(grid_district, existing)
    seats = grid_district.towns.loc[["戊镇", "己镇"], ["seat_x", "seat_y"]].to_numpy()
    (lon, east), (lat, _) = grid_district.projection.to_degrees(*seats.T)
    content = f"编号,经度,纬度\nA1,{east},{lat}\nA2,{lon},{lat}\nA3,{east},{lat}\n".encode()
    made = prepared(content, grid_district, around, known=["A1", "A2", "A3"])
    assert made.frame["town"].astype("str").tolist() == towns, "what is kept stays"
    assert [one for one in made.repairs if "街镇" in one.column] == [], (
        "nothing is listed that does not happen"
    )
    (told,) = [one for one in made.warnings if one.expected == "坐标所在的街镇"]
    assert (told.row, told.value) == (2, "戊镇")
    assert "坐标在己镇" in told.advice


@pytest.mark.parametrize(
    ("address", "town", "village", "expected"),
    [
        ("方格区丙镇大坪村3组", "", "", ("丙镇", "大坪村")),
        ("大坪村3组", "丁镇", "", ("丁镇", "大坪村")),
        ("甲街道新山村12号", "", "", ("甲街道", "新山村社区")),
        ("丁镇一居社区", "", "", ("丁镇", "一居社区")),
        ("丙镇政府旁", "", "", ("丙镇", "")),
        ("", "丙镇", "大坪村", ("丙镇", "大坪村")),
        ("某路 3 号", "", "", ("", "")),
        ("大坪村", "", "", ("", "")),
        ("丙镇与丁镇交界", "", "", ("", "")),
    ],
)
def test_addresses_find_village_or_town_or_nothing(address, town, village, expected):
    found = PLACES.find(address, town, village)
    assert (found.town, found.village) == expected


def test_an_address_of_several_places_gives_the_choices():
    assert PLACES.find("大坪村").choices == ("丙镇大坪村", "丁镇大坪村")
    assert PLACES.find("丙镇与丁镇交界").choices == ("丙镇", "丁镇")


def test_a_version_taken_away_and_brought_back_is_the_same(grid_district, around):
    rows = [{"名称": name} for name in ("-3米处", "=1+1", "@甲", "'甲'", "+86")]
    first = draft.to_table(prepared(table(*rows), grid_district, around)).frame
    again = draft.to_table(prepared(export.to_csv(first), grid_district, around)).frame
    assert again["name"].tolist() == first["name"].tolist() == [one["名称"] for one in rows]


QIJIANG = Gazetteer(
    ("三江街道", "东溪镇", "永新镇", "三角镇", "隆盛镇", "石角镇", "石壕镇", "中峰镇"),
    VILLAGES,
    {},
    ("重庆市綦江区", "綦江区"),
)


@pytest.mark.parametrize(
    ("address", "elsewhere"),
    [
        ("重庆市渝北区三江街道12号", "渝北区"),
        ("重庆市巴南区石角镇5号", "巴南区"),
        ("贵州省遵义市桐梓县石壕镇大路村", "贵州省"),
        ("遵义市桐梓县石壕镇", "遵义市"),
        ("四川省成都市永新镇", "四川省"),
        ("重庆市万盛经开区石角村", "万盛经开区"),
        ("重庆渝北区三江街道", "重庆渝北区"),
    ],
)
def test_an_address_of_another_district_is_not_put_into_a_town_of_this_one(address, elsewhere):
    found = QIJIANG.find(address)
    assert (found.town, found.elsewhere) == ("", elsewhere)


@pytest.mark.parametrize(
    ("address", "town"),
    [
        ("重庆市綦江区三江街道12号", "三江街道"),
        ("重庆綦江区东溪镇", "东溪镇"),
        ("綦江县东溪镇朝阳街", "东溪镇"),
        ("工业园区东溪镇5号", "东溪镇"),
        ("竹园社区东溪镇", "东溪镇"),
        ("綦江区东溪场镇", "东溪镇"),
        ("东溪", "东溪镇"),
        ("石角中学", "石角镇"),
        ("三江街道城市花园小区", "三江街道"),
    ],
)
def test_an_address_of_this_district_finds_its_town(address, town):
    found = QIJIANG.find(address)
    assert (found.town, found.elsewhere) == (town, "")


@pytest.mark.parametrize(
    ("address", "perhaps"),
    [
        ("綦江区三江路18号", "三江街道"),
        ("綦江区永新大道6号", "永新镇"),
        ("綦江区三角坝菜市场", "三角镇"),
        ("綦江区隆盛火锅店", "隆盛镇"),
        ("綦江区中峰山路", "中峰镇"),
    ],
)
def test_a_road_or_a_shop_with_a_towns_name_is_asked_about(address, perhaps):
    found = QIJIANG.find(address)
    assert (found.town, found.choices) == ("", (perhaps,))


def test_an_address_elsewhere_is_told_and_its_record_has_no_place(qijiang):
    content = "编号,名称,类别,状态,地址\n1,a,市政消火栓,现状,重庆市渝北区三江街道12号\n".encode()
    made = prepared(content, qijiang, draft.surroundings(qijiang))
    assert made.frame["position"].tolist() == ["未定位"]
    assert ["写的是渝北区" in one.advice for one in made.warnings if one.expected == "本区的地址"] == [True]


def test_a_village_with_coordinates_gives_them_with_an_honest_error():
    found = PLACES.find("新山村社区")
    assert (found.lon, found.lat) == (106.4, 28.9)
    assert found.error_m == round(1000 * np.sqrt(100 / np.pi))


def test_rows_without_coordinates_go_to_their_town_or_to_nowhere(qijiang):
    around = draft.surroundings(qijiang)
    content = (
        "编号,名称,类别,状态,地址\n1,a,市政消火栓,现状,东溪镇某街\n2,b,市政消火栓,现状,不知何处\n".encode()
    )
    made = prepared(content, qijiang, around)
    assert made.frame["town"].tolist()[0] == "东溪镇"
    assert made.frame["position"].astype("str").tolist()[1] == "未定位"
    assert made.unplaced.tolist() == [False, True]
    assert [one.id for one in made.repairs] == ["address:town:2"]
    assert [one.row for one in made.warnings if "1 行没有坐标,也看不出" in one.advice] == [3]


# ---- shapes ----------------------------------------------------------------------------------------


def geojson(*shapes, crs: int | None = 4326, **columns) -> bytes:
    frame = gpd.GeoDataFrame(
        {"编号": [f"A{n}" for n in range(len(shapes))], **columns}, geometry=list(shapes), crs=crs
    )
    return frame.to_json().encode()


def test_points_of_a_vector_file_are_places(grid_district, around):
    content = geojson(shapely.Point(106.5, 29.0), 名称=["甲"], 街镇=["戊镇"], 类别=["市政消火栓"])
    made = prepared(content, grid_district, around, name="a.geojson")
    assert made.problems == ()
    assert made.frame[["lon", "lat"]].to_numpy().tolist() == [[106.5, 29.0]]


def test_areas_are_checked_and_kept_in_a_column_of_their_own(grid_district, around):
    bow = shapely.Polygon([(106.5, 29), (106.51, 29.01), (106.51, 29), (106.5, 29.01)])
    box = shapely.box(106.5, 29, 106.51, 29.01)
    content = geojson(box, bow, shapely.Point(106.5, 29), 名称=list("甲乙丙"), 类别=["管理范围"] * 3)
    made = prepared(content, grid_district, around, name="a.geojson", key="reservoir_zones")
    assert tuple(made.rows) == (1,)
    assert made.frame["geometry"].iat[0].equals(box)
    assert [(one.row, one.column) for one in made.problems] == [(2, "图形"), (3, "图形")]
    assert "自相交" in made.problems[0].value


def test_an_unknown_coordinate_system_is_told(grid_district, around):
    source = ingest.read("a.geojson", geojson(shapely.Point(1, 1)))[0]
    with pytest.raises(DataError, match="坐标系"):
        draft.coordinates(replace(source, crs="EPSG:999999"), {})


# ---- an update ---------------------------------------------------------------------------------------


def test_a_record_that_is_kept_needs_nothing_but_its_number(grid_district, around):
    content = "编号,口径,来源\nA1,150,\nA2,大,\nB1,100,\n".encode()
    made = prepared(content, grid_district, around, known=["A1", "A2"])
    assert tuple(made.rows) == (2,)
    assert {(one.row, one.column) for one in made.problems} == {(3, "口径"), (4, "名称"), (4, "类别")}
    row = made.frame.iloc[0]
    assert row["diameter_mm"] == 150
    assert row[["name", "kind", "status", "source", "position"]].isna().all()
    assert not made.unplaced.any()
    assert [one.id for one in made.repairs] == ["default:status"]  # for the new one
    made = prepared("编号,口径\nA1,150\n".encode(), grid_district, around, known=["A1"])
    assert (tuple(made.rows), made.repairs, made.problems) == ((2,), (), ())
    assert prepared(content, grid_district, around).bad.all()


def test_every_fault_says_what_to_do(grid_district, around):
    made = prepared(
        table({"类别": "市政的消火栓", "状态": "好", "口径": "粗", "压力": "-1", "名称": "", "街镇": "别处"}),
        grid_district,
        around,
    )
    said = {one.column: one.advice for one in made.problems}
    assert "不要归入相近的类别" in said["类别"]  # 村卫生室 is no 卫生院, however alike the words
    assert "说明“好”的意思" in said["状态"]
    assert said["口径"] == "请只填数字;不知道的留空"
    assert said["名称"] == "请补填"
    assert all(said.values())
    made = prepared(table({}, head=HEAD.replace(",类别", "")), grid_district, around)
    assert [one.advice for one in made.problems] == ["文件没有这一列:请回到“列”一步选一列,或整列填一个值"]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("已建", "现状"),
        ("在用", "现状"),
        ("拟建", "规划"),
        ("未开工", "规划"),
        ("施工中", "在建"),
        ("新建", None),
    ],
)
def test_a_state_in_other_words_is_read_and_listed(grid_district, around, word, state):
    made = prepared(table({"状态": word}), grid_district, around)
    assert made.frame["status"].tolist() == ([state] if state else [])
    told = [(one.column, one.old, one.why) for one in made.repairs if one.old == word]
    assert told == ([("状态", word, f"“{word}”即“{state}”")] if state else [])
    refused = [one.id for one in made.repairs if one.old == word]
    assert not prepared(table({"状态": word}), grid_district, around, refused=refused).good.any()
