"""短板通报: what it says, on a tiny district with known answers and on the real one."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from qjmap import _front, shortlist, wording
from qjmap.assess import MET, NOT_APPLICABLE, SHORT, UNKNOWN, WHOLE, Assessment, assess
from qjmap.assumptions import Assumption
from qjmap.bulletin import Bulletin, district_bulletin, town_bulletin
from qjmap.district import District
from qjmap.errors import UnknownKeyError
from qjmap.registers import load_layer, load_table
from qjmap.rulebook import load_standards
from tests.conftest import town_name, write_layer

WHEN = date(2026, 11, 2)
TOWNS = [town_name(k) for k in range(9)]
FIRST, SECOND, THIRD = TOWNS[:3]

RULE = """
[rules.{id}]
title = "{title}"
kind = "presence"
layers = ["{layer}"]
where = {{ {where} }}
per_unit = "{per}"
figure = {figure}
unit = "所"
binding = "{binding}"
wording = "应"
document = "plan"
clause = "{clause}"
department = "{department}"
source_status = "读过原文"
"""
CLINIC = {"title": "每街镇一家卫生院", "layer": "health", "where": 'kind = "卫生院"', "binding": "约束性"}
STATION = {
    "title": "每街镇一个急救网点",
    "layer": "health",
    "where": 'ems_station = "是"',
    "binding": "预期性",
}
BRIGADE = {
    "title": "每街镇一支消防队",
    "layer": "fire_stations",
    "where": 'status = "现状"',
    "binding": "预期性",
}


def rule(key: str, said: dict[str, str], **more: object) -> str:
    plain = {"per": "town", "figure": 1, "clause": f"第{key}条", "department": "区卫生健康委"}
    return RULE.format(id=key, **{**plain, **said, **more})


RULES = (
    rule("clinic", CLINIC) + rule("station", STATION) + rule("brigade", BRIGADE, department="区消防救援支队")
)


def judge(district: District, rules: str = RULES, **options: object) -> Assessment:
    path = district.root / "standards.toml"
    path.write_text(rules, encoding="utf-8")
    standards = load_standards(path, district.registry, district.documents.index)
    layers = {key: load_layer(district, key) for key in ("health", "fire_stations")}
    return assess(district, layers, standards, 2020, **options)  # type: ignore[arg-type]


@pytest.fixture
def found(grid_district: District) -> Assessment:
    """Clinics in the first two of nine towns; stations unknown; an invented brigade in the first town only."""
    health = [
        {"town": town, "kind": "卫生院" if town in (FIRST, SECOND) else "区级医院", "ems_station": "未知"}
        for town in TOWNS
    ]
    write_layer(grid_district.root, "health", health)
    write_layer(grid_district.root, "fire_stations", [{"town": FIRST}], demo=True)
    return judge(grid_district)


def page(said: Bulletin) -> str:
    return "\n".join(text for section in said.findings for text in (section.heading, *section.paragraphs))


# ---- a district with known answers ----------------------------------------------------------------


def test_the_district_is_told_by_rules_with_invented_ones_apart(grid_district, found):
    """Clinics: 7 towns short, real. Brigades: 8 short, invented. Stations: nobody knows."""
    said = district_bulletin(grid_district, found, when=WHEN)
    text = page(said)
    assert [section.heading for section in said.findings] == [
        "一、总体情况",
        "二、主要短板",
        "三、数据不足",
        "四、有关说明",
    ]
    assert said.title == "方格区短板情况通报"
    assert said.day == "2026年11月2日"
    assert "短缺2条\uff08其中约束性1条、依据演示数据1条\uff09" in text
    assert "数据不足1条" in text
    assert "可落到街镇的7项\uff0c涉及7个街镇" in text
    assert "1条标准因资料不全无法判定\uff0c既不算短缺\uff0c也不算达标" in text
    assert "短缺2条中1条依据演示数据\uff0c其余1条不依据" in said.warning
    assert "缺7所" in text  # one each in seven towns


def test_people_are_those_of_real_shortages_alone(grid_district, found):
    """The seven towns without a clinic; the brigades, all invented, would add another one."""
    people = found.row("clinic").people
    assert found.row("brigade").people > people
    assert f"至少影响{wording.people(people)}人" in page(district_bulletin(grid_district, found, when=WHEN))


def test_every_shortage_is_a_row_real_ones_first(grid_district, found):
    rows = district_bulletin(grid_district, found, when=WHEN).rows
    assert [row.place for row in rows] == [*TOWNS[2:], *TOWNS[1:]]
    assert [row.number for row in rows] == list(range(1, 16))
    assert [row.demo for row in rows] == [False] * 7 + [True] * 8
    assert all("演示" in row.marks for row in rows[7:])
    assert not any("演示" in row.marks for row in rows[:7])
    assert rows[0].basis == "《方格区规划》第clinic条"
    assert (rows[0].have, rows[0].gap, rows[0].department) == ("现有0所、应有1所", "1 所", "区卫生健康委")
    assert rows[0].target == "每街镇1所\uff08应\uff09"
    assert "约束性" in rows[0].marks


def test_a_town_is_told_what_holds_for_it(grid_district, found):
    said = town_bulletin(grid_district, found, SECOND, when=WHEN)
    text = page(said)
    assert said.title == "乙街道短板情况通报"
    assert "适用的3条标准中\uff0c短缺1条\uff08其中依据演示数据1条\uff09\uff0c数据不足1条\uff0c达标1条" in text
    assert [row.standard for row in said.rows] == [BRIGADE["title"]]
    real = town_bulletin(grid_district, found, THIRD, when=WHEN)
    assert [row.standard for row in real.rows] == [CLINIC["title"], BRIGADE["title"]]


def test_few_shortages_are_told_with_clause_and_department(grid_district, found):
    text = page(town_bulletin(grid_district, found, THIRD, when=WHEN))
    assert (
        "要求每街镇1所\uff0c现有0所、应有1所\uff0c缺1所。依据《方格区规划》第clinic条\uff0c责任部门区卫生健康委〔约束性〕"
        in text
    )
    assert "第brigade条\uff0c责任部门区消防救援支队〔演示〕" in text


def test_nothing_short_is_said_as_such(grid_district, found):
    rules = rule("hospital", {**CLINIC, "where": 'kind = "区级医院"'}, figure=0)
    said = district_bulletin(grid_district, judge(grid_district, rules), when=WHEN)
    assert said.rows == ()
    assert "没有确定的短缺。" in page(said)
    assert said.warning == ""
    assert not any("演示" in text for text in (page(said), *said.notes, *said.map_notes))


def test_an_assumption_and_a_changed_figure_are_told(grid_district, found):
    assumed = Assumption("all", "未知的都不是网点", "health", "ems_station", "否", note="没有名单。")
    again = judge(grid_district, assumptions=[assumed], custom={"clinic": 2})
    said = district_bulletin(grid_district, again, when=WHEN)
    text = page(said)
    assert "采用的假定\uff1a未知的都不是网点" in text
    assert "自定值1条" in text
    assert any(note.startswith("采用的假定") and "没有名单" in note for note in said.notes)
    assert any("自定值" in note and "每街镇2所" in note for note in said.notes)
    station = [row for row in said.rows if row.standard == STATION["title"]]
    assert station
    assert all("假定" in row.marks and "未知的都不是网点" in row.marks for row in station)
    assert all("自定值" in row.marks for row in said.rows if row.standard == CLINIC["title"])
    assert "未采用任何假定。" in page(district_bulletin(grid_district, found, when=WHEN))


def test_the_people_of_an_earlier_year_are_said_to_be_so(grid_district, found):
    said = district_bulletin(grid_district, replace(found, year=2023), when=WHEN)
    assert said.subtitle == "\uff08按2020年人口和2023年名册核对\uff09"
    assert any(note.startswith("人口\uff1a2020年 90,000 人") for note in said.notes)
    assert (
        district_bulletin(grid_district, found, when=WHEN).subtitle
        == "\uff08按2020年人口和现有名册核对\uff09"
    )


def test_sources_and_errata_are_those_of_the_documents_cited(grid_district, found):
    errata = pd.DataFrame(
        [
            {"id": "K1", "subject": "床位", "printed": "合计3(原文),不改", "found": "4", "treatment": "照录"},
            {"id": "K2", "subject": "别的", "printed": "1", "found": "2", "treatment": "照录"},
        ]
    ).assign(document=["plan", "other"], clause=["表1", "表2"])
    said = district_bulletin(grid_district, found, when=WHEN, errata=errata)
    assert [one.id for one in said.errata] == ["K1"]
    assert said.errata[0].source == "《方格区规划》表1"
    assert said.errata[0].printed == "合计3(原文),不改"  # a quotation is not reset
    assert len(said.sources) == 1
    assert said.sources[0].startswith("《方格区规划》")
    assert "方格区政府" in said.sources[0]
    assert district_bulletin(grid_district, found, when=WHEN).errata == ()
    # a paper goes to anybody: what speaks of a sensitive column is counted, not said
    assert not any("敏感列" in note for note in said.notes)
    secret = errata.assign(concerns=["reservoirs.capacity_wan_m3", None])
    said = district_bulletin(grid_district, found, when=WHEN, errata=secret)
    assert said.errata == ()
    assert any(note.startswith("另有1条勘误涉及敏感列") for note in said.notes)


def test_no_number_and_no_office_is_made_up(grid_district, found):
    said = district_bulletin(grid_district, found, when=WHEN)
    assert (said.number, said.office, said.internal) == ("", "", "")
    assert (
        district_bulletin(grid_district, found, when=WHEN, number="方府〔2026〕1号").number
        == "方府〔2026〕1号"
    )


def test_a_town_that_does_not_exist(grid_district, found):
    with pytest.raises(UnknownKeyError, match="没有名为“子虚镇”的街镇"):
        town_bulletin(grid_district, found, "子虚镇", when=WHEN)


def test_however_many_and_long_the_titles_the_page_is_full_and_no_fuller(grid_district, found):
    rules = "".join(
        rule(
            f"r{n}", {**CLINIC, "title": f"第{n}条" + "很长的标准名称" * (n % 5)}, department=f"部门{n % 13}"
        )
        for n in range(60)
    )
    said = district_bulletin(grid_district, judge(grid_district, rules), when=WHEN)
    assert height(said) <= _front.LINES
    assert "短缺60条" in page(said)
    assert len(said.rows) == 60 * 7


def height(said: Bulletin) -> int:
    texts = [said.warning, *said.paragraphs, *page(said).split("\n")]
    return sum(map(_front.height, texts))


# ---- the real district ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(request: pytest.FixtureRequest) -> tuple[District, Assessment, pd.DataFrame]:
    district: District = request.getfixturevalue("qijiang")
    standards = load_standards(
        district.root / "data" / "standards.toml", district.registry, district.documents.index
    )
    layers = {key: load_layer(district, key) for key in district.registry.layers}
    found = assess(district, layers, standards, 2020, indicators=load_table(district, "indicators"))
    return district, found, load_table(district, "errata")


def test_the_real_district_says_what_its_assessment_says(real):
    district, found, errata = real
    said = district_bulletin(district, found, when=WHEN, errata=errata)
    totals = shortlist.totals(shortlist.lines(found))
    text = page(said)
    assert f"共核对{totals.number}条标准" in text
    for status in (SHORT, UNKNOWN, MET, NOT_APPLICABLE):
        assert f"{status}{totals.rules[status]}条" in text
    assert f"约束性{totals.binding[SHORT]}条" in text
    assert height(said) <= _front.LINES
    known = {(one.town, wording.full_width(one.rule.title)) for one in found if one.status == SHORT}
    # nothing is left out: each shortage of a township is a row, 全区 only where no township's own is known
    towns = {(town, title) for town, title in known if town != WHOLE}
    whole = {title for town, title in known if town == WHOLE} - {title for _, title in towns}
    assert {(row.place, row.standard) for row in said.rows} == towns | {(WHOLE, title) for title in whole}
    assert len(said.rows) == len(towns) + len(whole)


def test_every_real_town_fits_its_page_and_counts_right(real):
    district, found, errata = real
    for town in district.towns.index:
        said = town_bulletin(district, found, town, when=WHEN, errata=errata)
        statuses = [one.status for one in found.of_town(town)]
        assert f"短缺{statuses.count(SHORT)}条" in page(said)
        assert f"数据不足{statuses.count(UNKNOWN)}条" in page(said)
        assert len(said.rows) == statuses.count(SHORT)
        assert height(said) <= _front.LINES


def test_documents_with_one_number_in_common_are_told_apart(real):
    """Women's and children's plans were printed under one number, so that number cites neither."""
    district, found, _ = real
    text = " ".join(row.basis for row in district_bulletin(district, found, when=WHEN).rows)
    assert not re.search(r"(?<!\uff08)綦江府发〔2023〕6号", text)
    assert "綦江府发〔2022〕32号专栏1" in text
    assert "GB 50974-2014 7.2" in text  # not “GB 50974-20147.2”


def test_enough_in_all_and_too_little_in_some_is_explained(real):
    """Micro stations: members in all may suffice while one station has too few."""
    district, found, _ = real
    rows = district_bulletin(district, found, when=WHEN).rows
    shortages = {(one.town, wording.full_width(one.rule.title)): one for one in found if one.status == SHORT}
    odd = [row for row in rows if "有余不抵不足" in row.marks]
    assert odd
    for row in odd:
        one = shortages[row.place, row.standard]
        assert one.have >= one.need
        assert one.shortfall > 0


# ---- punctuation ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plain", "printed"),
    [
        ("示意界线,非法定界线", "示意界线\uff0c非法定界线"),
        ("共2,241人,差1:1.37", "共2,241人\uff0c差1:1.37"),
        ("(一)医师(助理)", "\uff08一\uff09医师\uff08助理\uff09"),
        ("GB 50016-2014(2018年版)", "GB 50016-2014\uff082018年版\uff09"),
        ("f(x), g(y)", "f(x), g(y)"),
        ("甲(乙(丙)),丁", "甲\uff08乙\uff08丙\uff09\uff09\uff0c丁"),
        ("((甲", "((甲"),
    ],
)
def test_punctuation_as_printed(plain, printed):
    assert wording.full_width(plain) == printed
    assert wording.full_width(printed) == printed
