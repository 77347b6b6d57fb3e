"""Columns found by name, synonym and content; a person has the last word."""

from __future__ import annotations

import time

import pytest

from qjmap import _units, ingest, matching
from qjmap.district import ROOT
from qjmap.layers import load_registry

REGISTRY = load_registry(ROOT / "data" / "layers.toml")
HYDRANTS = REGISTRY.spec("hydrants")
TOWNS = ("古南街道", "东溪镇", "赶水镇")


def source(text: str) -> ingest.Source:
    (one,) = ingest.read("a.csv", text.encode())
    return one


def matched(text: str, spec=HYDRANTS) -> dict[str, tuple[str, str]]:
    return {key: (one.column, one.why) for key, one in matching.match(source(text), spec, TOWNS).items()}


def test_keys_and_labels_are_names_for_every_layer():
    assert len(REGISTRY.layers) > 10
    for spec in REGISTRY.layers.values():
        for names in (list(spec.columns), [one.label for one in spec.columns.values()]):
            assert len(set(names)) == len(names), spec.key
            found = matched(",".join(f'"{name}"' for name in names) + "\nx\n", spec)
            assert {key: one for key, (one, _) in found.items()} == dict(
                zip(spec.columns, names, strict=True)
            )


def test_the_words_of_offices_in_chinese_and_english():
    found = matched("编码,消火栓名称,所属乡镇,Type,lng,LAT,管径(cm),水压(MPa),详细地址\n1,a,,,,,,,\n")
    assert {key: column for key, (column, _) in found.items()} == {
        "id": "编码",
        "name": "消火栓名称",
        "town": "所属乡镇",
        "kind": "Type",
        "lon": "lng",
        "lat": "LAT",
        "diameter_mm": "管径(cm)",
        "pressure_mpa": "水压(MPa)",
        matching.ADDRESS: "详细地址",
    }
    assert found["lon"][1] == matching.SYNONYM


def test_a_running_number_is_no_name_of_a_record():
    """It changes with every list: an update by it would overwrite other records."""
    found = matched("序号,消火栓编号,点位名称\n1,XF-07,a\n2,XF-03,b\n")
    assert found["id"][0] == "消火栓编号"
    assert "id" not in matched("序号,点位名称\n1,a\n2,b\n")


def test_columns_are_known_by_what_stands_in_them():
    found = matched("甲,乙,丙,丁\n市政消火栓,东溪,106.6512,28.7612\n小区消火栓,赶水镇,106.7012,28.7011\n")
    assert found == {
        "kind": ("甲", matching.CONTENT),
        "town": ("乙", matching.CONTENT),
        "lon": ("丙", matching.CONTENT),
        "lat": ("丁", matching.CONTENT),
    }


@pytest.mark.parametrize(
    "cell", ["106.6512,28.7612", "106.6512\uff0c28.7612", "106.6512 28.7612", "E106.6512;N28.7612"]
)
def test_both_coordinates_in_one_cell(cell):
    found = matched(f'名称,位置图\na,"{cell}"\n')
    assert found["lon"] == found["lat"] == ("位置图", matching.CONTENT)


def test_no_column_is_used_twice_but_for_a_pair():
    found = matched("名称,名字,单位名称\na,b,c\n")
    assert found == {"name": ("名称", matching.NAME)}


def test_a_person_has_the_last_word():
    matches = matching.match(source("名称,全名\na,b\n"), HYDRANTS)
    changed = matching.chosen(matches, {"name": "全名", "note": "名称", "kind": None})
    assert {key: one.column for key, one in changed.items()} == {"name": "全名", "note": "名称"}
    assert changed["name"].why == matching.PERSON


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("高度(m)", "m"),
        ("高度(单位:米)", "米"),
        ("高度/米", "米"),
        ("高度", ""),
        ("流量L/min", "L/min"),
        ("流量m3/h", "m3/h"),
        ("流量/L/min", "L/min"),
        ("流量升每分", "升每分"),
        ("总库容万m³", "万m3"),
        ("库容亿方", "亿方"),
        ("总库容(10⁴m³)", "104m3"),
        ("人口万人", "万人"),
        ("口径(公称直径,mm)", "mm"),
        ("2025年规划床位(征求意见稿)(张)", "张"),
        ("层数(地上)", ""),
        ("是/否", ""),
        ("村(社区)", ""),
    ],
)
def test_the_unit_in_a_header(header, unit):
    assert matching.unit_of(header) == unit


def test_the_sheet_that_fits_scores_best():
    good = source("编号,名称,街镇,类别,状态,经度,纬度,口径\n1,,,,,,,\n")
    other = source("项目,金额,经办人\n1,2,3\n")
    assert matching.score(good, HYDRANTS) > 3 * matching.score(other, HYDRANTS)


def test_a_layers_own_words_come_first():
    found = matched("ZLDWDM,ZLDWMC,QSDWMC,XZQMC,BZ\n1,甲村,甲村,东溪镇,x\n", REGISTRY.spec("village_areas"))
    assert {key: column for key, (column, _) in found.items()} == {
        "name": "ZLDWMC",
        "town": "XZQMC",
        "village": "QSDWMC",
        "note": "BZ",
        "code": "ZLDWDM",
    }
    for name in ("村名", "村居名称", "行政村名称", "村(社区)名称", "zldwmc", "CUNMC"):
        assert matched(f"{name}\nx\n", REGISTRY.spec("village_areas"))["name"][0] == name
    found = matched("单位名称,建筑名称,楼栋号\nx,y,z\n", REGISTRY.spec("highrises"))
    assert (found["name"][0], found["id"][0]) == ("建筑名称", "楼栋号")
    found = matched("序号,栓号,设施状态,公称直径(mm),水压(kPa)\n1,A,在用,100,300\n")
    assert {key: found[key][0] for key in ("id", "service", "diameter_mm", "pressure_mpa")} == {
        "id": "栓号",
        "service": "设施状态",
        "diameter_mm": "公称直径(mm)",
        "pressure_mpa": "水压(kPa)",
    }


@pytest.mark.parametrize("key", ["villages", "village_areas"])
@pytest.mark.parametrize(
    "names", ["户籍人口,常住人口(万人)", "常住人口(万人),户籍人口", "总人口,常住人口(万人),户籍人口"]
)
def test_people_who_live_there_come_before_people_registered_there(key, names):
    found = matching.match(source(f"{names}\n1,2,3\n"), REGISTRY.spec(key), TOWNS)
    assert (found["population"].column, found["population"].unit) == ("常住人口(万人)", "万人")


@pytest.mark.parametrize("header", ["经纬度", "经纬度坐标", "位置经纬度", "坐标"])
def test_a_pair_of_coordinates_is_not_taken_for_one_of_them(header):
    found = matching.match(source(f'名称,{header}\na,"106.650123, 28.750123"\n'), HYDRANTS, TOWNS)
    assert {found["lon"].column, found["lat"].column} == {header}


def test_a_number_is_not_taken_for_another_that_is_merely_called_alike():
    assert "flow_l_s" not in matched("出水口数量,名称\n2,a\n")
    assert "households" not in matched("户型数量,名称\n2,a\n", REGISTRY.spec("highrises"))
    found = matched("总库容量(万m³),水库名称\n2,a\n", REGISTRY.spec("reservoirs"))
    assert found["capacity_wan_m3"][0] == "总库容量(万m³)"
    assert matched("设备状态\n正常\n").keys() == {"service"}
    assert matched("公称直径DN\n100\n").keys() == {"diameter_mm"}


@pytest.mark.parametrize("header", ["机构地址", "安装位置", "设施所在位置", "位置描述", "家庭住址"])
def test_any_kind_of_address_is_one(header):
    assert matched(f"名称,{header}\na,东溪镇\n")[matching.ADDRESS][0] == header
    assert matching.ADDRESS not in matched("名称,邮箱地址\na,b\n")


def test_a_header_that_may_be_several_columns_is_none_of_them_and_they_are_named():
    spec = REGISTRY.spec("health")
    for header in ("床位", "床位数", "编制床位(张)"):
        assert not {key for key in matched(f"{header}\n5\n", spec) if "beds" in key}
        labels = matching.unsure(header, spec, {})
        assert labels[:2] == ["2020年编制床位", "2025年规划编制床位"]
    assert matching.unsure("备注二", spec, {}) == matching.unsure("床", spec, {}) == []
    kept = {
        "beds_2020": matching.Match("a", 1, matching.NAME),
        "beds_2025": matching.Match("b", 1, matching.NAME),
    }
    assert matching.unsure("编制床位", spec, kept) == []


@pytest.mark.parametrize(
    ("found", "wanted", "times"),
    [
        ("L/min", "升/秒", 1 / 60),
        ("升/分钟", "升/秒", 1 / 60),
        ("m³/min", "升/秒", 1000 / 60),
        ("t/h", "升/秒", 1 / 3.6),
        ("L·s⁻¹", "升/秒", 1),
        ("升每秒", "升/秒", 1),
        ("公斤", "兆帕", 0.0980665),
        ("kgf/cm²", "兆帕", 0.0980665),
        ("bar", "兆帕", 0.1),
        ("米水柱", "兆帕", 0.00980665),
        ("米", "兆帕", None),
        ("亿m³", "万立方米", 1e4),
        ("亿方", "万立方米", 1e4),
        ("百万方", "万立方米", 100),
        ("千立方米", "万立方米", 0.1),
        ("×10⁴m³", "万立方米", 1),
        ("104m3", "万立方米", 1),
        ("万", "万立方米", 1),
        ("万", "人", 1e4),
        ("百人", "人", 100),
        ("亿", "万元", 1e4),
        ("亩", "平方千米", 2000 / 3e6),
        ("公顷", "平方千米", 0.01),
        ("km²", "平方千米", 1),
        ("DN", "毫米", 1),
        ("床", "张", 1),
        ("台", "辆", 1),
        ("人次", "人", None),
        ("寸", "毫米", None),
        ("gpm", "升/秒", None),
        ("%", "人", None),
    ],
)
def test_units_as_people_write_them(found, wanted, times):
    assert _units.is_unit(found)
    assert _units.factor(found, wanted) == (times if times is None else pytest.approx(times, rel=1e-9))


def test_every_unit_of_a_register_is_known():
    specs = (*REGISTRY.layers.values(), *REGISTRY.tables.values())
    units = {column.unit for spec in specs for column in spec.columns.values()} - {""}
    assert units >= {"米", "张", "万元", "升/秒", "兆帕", "平方千米"}
    assert {unit for unit in units if not _units.known(unit)} == set()
    assert not _units.known("寸")


@pytest.mark.parametrize(
    ("layer", "headers", "expected"),
    [
        ("hydrants", "流量(L/min)", {"flow_l_s": ("流量(L/min)", "L/min")}),
        ("hydrants", "流量m3/h", {"flow_l_s": ("流量m3/h", "m3/h")}),
        ("hydrants", "公称直径DN", {"diameter_mm": ("公称直径DN", "DN")}),
        ("hydrants", "口径(公称直径)", {"diameter_mm": ("口径(公称直径)", "")}),
        ("hydrants", "消火栓流量值", {"flow_l_s": ("消火栓流量值", "")}),
        ("hydrants", "2019年流量", {}),
        ("hydrants", "flow_l_s", {"flow_l_s": ("flow_l_s", "")}),
        ("reservoirs", "capacity_wan_m3", {"capacity_wan_m3": ("capacity_wan_m3", "")}),
        ("reservoirs", "死库容,兴利库容(万m³)", {}),
        ("reservoirs", "水库总库容(万方)", {"capacity_wan_m3": ("水库总库容(万方)", "万方")}),
        ("health", "2025年规划床位(张),2025年新增床位", {"beds_2025": ("2025年规划床位(张)", "张")}),
        ("health", "2025年规划床位(征求意见稿)", {"beds_2025_draft": ("2025年规划床位(征求意见稿)", "")}),
        ("health", "现有开放床位", {}),
        ("health", "2024年编制床位,2020年开放床位", {}),
        ("health", "编制床位(2020年)", {"beds_2020": ("编制床位(2020年)", "")}),
        ("health", "2020年末编制床位数", {"beds_2020": ("2020年末编制床位数", "")}),
        ("health", "在编全科医生,全科医生合计", {"gp_count": ("全科医生合计", "")}),
        ("health", "全科医生人数(人)", {"gp_count": ("全科医生人数(人)", "人")}),
        (
            "fire_stations",
            "消防车台数,队员总人数",
            {"engines": ("消防车台数", ""), "staff": ("队员总人数", "")},
        ),
        ("health", "负压救护车,救护车总数", {"ambulances": ("救护车总数", "")}),
        ("health", "每万人全科医生,每千人口床位", {}),
        ("projects", "总投资(征求意见稿)", {"cost_wan_draft": ("总投资(征求意见稿)", "")}),
        ("highrises", "地下层数,裙房高度,已整改隐患数,空置户数,层数(地下)", {}),
        ("highrises", "地下层数,层数(地上)", {"floors": ("层数(地上)", "")}),
        ("villages", "人口(常住),人口(户籍)", {"population": ("人口(常住)", "")}),
    ],
)
def test_a_number_is_taken_under_its_own_name_only(layer, headers, expected):
    """What a header says besides (a part, another year, a stage) makes it another number."""
    spec = REGISTRY.spec(layer)
    found = matching.match(source(f"{headers}\n{'1,' * headers.count(',')}1\n"), spec, TOWNS)
    assert {key: (one.column, one.unit) for key, one in found.items()} == expected


@pytest.mark.parametrize(
    ("layer", "header", "labels"),
    [
        ("hydrants", "2019年流量", ["流量"]),
        ("reservoirs", "设计总库容", ["总库容"]),
        ("villages", "2024年常住人口", ["人口"]),
        ("highrises", "空置户数", []),
        ("highrises", "地下层数", []),
        ("highrises", "层数(地上/地下)", ["层数"]),
        ("health", "2024年编制床位", []),
        ("health", "其中:注册全科医生", []),
        ("reservoirs", "校核洪水位", []),
    ],
)
def test_a_number_that_may_be_meant_is_proposed_and_a_part_is_not(layer, header, labels):
    assert matching.unsure(header, REGISTRY.spec(layer), {}) == labels


def test_a_column_that_a_person_chose_has_the_unit_of_its_header():
    said = matching.chosen({}, {"flow_l_s": "出水(L/min)", "capacity_wan_m3": "capacity_wan_m3"})
    assert {key: one.unit for key, one in said.items()} == {"flow_l_s": "L/min", "capacity_wan_m3": ""}


@pytest.mark.parametrize("header", ["坐标", "坐标系", "x坐标系统", "经度 分", "经纬"])
def test_what_is_like_a_coordinate_and_is_none(header):
    assert not {"lon", "lat"} & matched(f"名称,{header}\na,不详\n").keys()


def test_half_a_place_is_none_and_a_rate_is_no_latitude():
    assert (
        not {"lon", "lat"}
        & matched("名称,每千人口床位,街镇\na,6.5,东溪镇\nb,7.2,东溪镇\nc,8.1,东溪镇\n").keys()
    )
    assert not {"lon", "lat"} & matched("名称,甲\na,28.7612\nb,28.7011\n").keys()
    assert matched("名称,经度,甲\na,106.6512,28.7612\nb,106.7012,28.7011\n")["lat"] == (
        "甲",
        matching.CONTENT,
    )


def test_names_as_long_as_a_book_take_no_time():
    started = time.process_time()
    heads = ",".join(f"{n}{letters * 3000}" for n in range(40) for letters in ("栓号流量", "((((", "m³/s "))
    assert matched(f"{heads}\n{'1,' * heads.count(',')}1\n") == {}
    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    ("above", "value", "unit"),
    [
        ("单位:亿立方米", "0.2", "亿立方米"),
        ("某表(单位:座、亿立方米)", "0.2", "亿立方米"),
        ("单位:亿立方米", "1.5", "万立方米或亿立方米"),  # 15,000 or 1.5: both have been seen
        ("单位:亿立方米", "200", ""),  # nothing holds that much: it is 万立方米 as it stands
        ("单位:亿立方米", "", "万立方米或亿立方米"),
        ("单位:立方米", "1,500,000", "立方米"),
        ("单位:亿立方米、立方米", "1500000", "立方米"),
        ("单位:万立方米", "2", ""),
        ("填报单位:某局", "2", ""),
        ("单位:人", "2", ""),
    ],
)
def test_a_unit_above_all_headers_is_that_of_the_numbers_that_are_usual_in_it(above, value, unit):
    spec = REGISTRY.spec("reservoirs")
    found = matching.match(source(f'{above},,\n水库名称,总库容,库区\n甲,"{value}",\n'), spec)
    assert (found["capacity_wan_m3"].column, found["capacity_wan_m3"].unit) == ("总库容", unit)
    own = matching.match(source(f'{above},,\n水库名称,总库容(m³),库区\n甲,"{value}",\n'), spec)
    assert own["capacity_wan_m3"].unit == "m3"


def test_a_unit_above_is_not_given_to_what_is_usual_as_it_stands():
    spec = REGISTRY.spec("roads")
    for above in ("单位:米", "单位:公里、米", "单位:公里"):
        found = matching.match(source(f"{above},,\n道路名称,里程,路面宽度\n甲,12,7\n"), spec)
        assert found["width_m"].unit == ""
        assert found["length_km"].unit == ""
    found = matching.match(source("单位:米,,\n道路名称,里程,路面宽度\n甲,12500,7\n"), spec)
    assert (found["length_km"].unit, found["width_m"].unit) == ("米", "")


# ---- questions that are answered with yes or no ------------------------------------------------------


def health(header: str, *cells: str):
    rows = "".join(f"院{n},戊镇,卫生院,{cell}\n" for n, cell in enumerate(cells, 1))
    (source,) = ingest.read("a.csv", f"机构名称,街镇,机构类别,{header}\n{rows}".encode())
    return matching.match(source, REGISTRY.spec("health"))


@pytest.mark.parametrize("header", ["急救", "急救车", "急救救护车", "发热病人门诊", "中医", "急救点数"])
@pytest.mark.parametrize("cells", [("1", "0"), ("1", "3"), ("有", "无"), ("是", "否")])
def test_a_yes_is_not_taken_under_a_name_that_is_only_like(header, cells):
    assert not {"ems_station", "fever_clinic", "tcm_hall"} & health(header, *cells).keys()


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("是否有发热门诊", "fever_clinic"),
        ("有无中医馆", "tcm_hall"),
        ("中医馆设置情况", "tcm_hall"),
        ("是否为120网点", "ems_station"),
        ("急救网点", "ems_station"),
    ],
)
def test_words_that_only_ask_change_no_question(header, key):
    assert health(header, "有", "无")[key].column == header


def test_a_question_that_is_only_like_is_asked_about():
    spec = REGISTRY.spec("health")
    assert "120急救网点" in matching.unsure("急救网", spec, {})
    assert matching.unsure("急救网", spec, {"ems_station": matching.Match("x", 1.0, "名称")}) == []


@pytest.mark.parametrize("header", ["设施类别码", "举办类", "机构类型别"])
def test_numbers_are_no_kind_by_a_like_name(header):
    found = health(header, "1", "2", "12")
    assert header not in {one.column for one in found.values()}
