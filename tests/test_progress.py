"""The plan's progress: states by years, beds that are never guessed, and what stays short."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from qjmap import progress
from qjmap.assess import assess
from qjmap.errors import DataError
from qjmap.registers import load_layer, load_table
from qjmap.rulebook import load_standards

NAN = math.nan

HEALTH = pd.DataFrame(
    [
        # id, name, town, kind, first, last
        ("A", "甲院", "甲镇", "卫生院", 10, 10),  # nothing is added
        ("B", "乙院", "乙镇", "卫生院", 20, 50),  # project 2 names 20 of 30
        ("C", "丙院", "丙镇", "卫生院", 30, 40),  # project 3 names 40: the whole, not what is new
        ("D", "丁院", "丁镇", "卫生院", 40, 60),  # project 4 names nothing
        ("E", "戊院", None, "医院", 50, 70),  # no project
        ("F", "己院", None, "医院", NAN, NAN),  # new: project 5 names 100
        ("G", "庚院", None, "医院", NAN, NAN),  # nothing known
    ],
    columns=["id", "name", "town", "kind", "beds_2020", "beds_2025"],
)
PROJECTS = pd.DataFrame(
    [
        ("P1", "一", "甲镇", "改建", 1, 2019, 2021, 100.0, NAN, "A"),
        ("P2", "二", "乙镇", "新建", 2, 2021, 2022, 400.0, 20, "B"),
        ("P3", "三", "丙镇", "新建", 3, 2022, 2023, 800.0, 40, "C"),
        ("P4", "四", "丁镇", "新建", 4, 2022, 2024, NAN, NAN, "D"),
        ("P5", "五", None, "新建", 5, 2024, 2025, 5000.0, 100, "F"),
        ("P6", "六", None, "新建", 6, NAN, NAN, 1.0, 7, None),
    ],
    columns=[
        "id",
        "name",
        "town",
        "kind",
        "number",
        "start_year",
        "end_year",
        "cost_wan",
        "beds",
        "facility",
    ],
)


def at(year):
    done = progress.by_project(PROJECTS, HEALTH, year)
    return done, progress.by_institution(HEALTH, done)


@pytest.mark.parametrize(
    ("start", "end", "year", "expected"),
    [
        (2020, 2022, 2019, progress.WAITING),
        (2020, 2022, 2020, progress.BUILDING),
        (2020, 2022, 2021, progress.BUILDING),
        (2020, 2022, 2022, progress.DONE),
        (2022, 2022, 2021, progress.WAITING),
        (2022, 2022, 2022, progress.DONE),
        (NAN, 2022, 2025, progress.UNDATED),
        (2020, NAN, 2025, progress.UNDATED),
    ],
)
def test_a_project_is_what_the_plans_years_say_at_the_years_end(start, end, year, expected):
    assert progress.state(start, end, year) == expected


def test_the_years_of_the_plan_are_those_of_the_beds_columns():
    assert progress.bed_years(HEALTH.assign(beds_2025_draft=1, beds_open=1)) == (2020, 2025)
    with pytest.raises(ValueError, match="床位"):
        progress.bed_years(PROJECTS)


def test_a_bed_costs_only_where_cost_and_beds_are_known():
    done, _ = at(2025)
    assert done["per_bed"].dropna().to_dict() == {"P2": 20.0, "P3": 20.0, "P5": 50.0, "P6": 1 / 7}


def test_beds_named_count_as_new_only_up_to_what_the_plan_adds():
    done, _ = at(2025)
    assert done["counted"].dropna().to_dict() == {"P2": 20, "P3": 10, "P5": 100, "P6": 7}


def test_beds_by_a_year_are_the_registers_and_those_of_finished_projects():
    assert at(2020)[1]["then"].fillna(-1).tolist() == [10, 20, 30, 40, 50, -1, -1]
    assert at(2022)[1]["then"].fillna(-1).tolist() == [10, 40, 30, 40, 50, -1, -1]
    # 丁院: finished in 2024, no beds named although the plan adds 20: unknown, not 40 and not 60
    assert at(2024)[1]["then"].fillna(-1).tolist() == [10, 40, 40, -1, 50, -1, -1]
    assert at(2025)[1]["then"].fillna(-1).tolist() == [10, 40, 40, -1, 50, 100, -1]


def test_works_that_name_no_beds_leave_nothing_unknown_where_another_project_names_them_all():
    two = pd.concat(
        [PROJECTS, PROJECTS[PROJECTS["id"] == "P2"].assign(id="P7", number=7, beds=NAN, end_year=2021)]
    )
    assert progress.by_institution(HEALTH, progress.by_project(two, HEALTH, 2021))["then"].isna()["B"]
    two.loc[two["id"] == "P2", "beds"] = 30.0  # all that the plan adds
    then = [
        progress.by_institution(HEALTH, progress.by_project(two, HEALTH, y))["then"]["B"]
        for y in (2021, 2022)
    ]
    assert then == [20, 50]


def test_what_is_left_open_is_said():
    remarks = at(2025)[1]["remark"]
    assert remarks["A"] == remarks["F"] == ""
    assert remarks["B"] == "规划增加中10张没有项目写明"
    assert "可能是总数" in remarks["C"]
    assert "未知" in remarks["D"]
    assert remarks["E"] == "规划增加,没有对应项目"
    assert remarks["G"] == "文件未列床位"
    assert at(2023)[1]["remark"]["D"] == "规划增加,项目未写床位"


def test_sums_by_a_year():
    done, institutions = at(2023)
    found = progress.totals(done, institutions, 2023)
    assert found.projects == 6
    assert dict(found.count) == {"完工": 3, "在建": 1, "未开工": 1, "年限未写明": 1}
    assert found.cost["完工"] == 1300
    assert found.cost_all == 6301
    assert (found.first, found.last, found.known) == (150, 230, 5)
    assert (found.stated, found.counted, found.then) == (60, 30, 180)
    # of the 80 beds that the plan adds, 30 are named
    assert found.unsaid == 50
    assert found.unknown == 0
    assert progress.totals(*at(2025), 2025).unknown == 1


def test_some_kinds_only():
    _, institutions = at(2025)
    clinics = progress.of_kinds(institutions, ["卫生院"])
    assert (clinics["first"].sum(), clinics["last"].sum()) == (100, 160)


# ---- which rule, and what stays -------------------------------------------------------------------


@pytest.fixture(scope="module")
def plan(qijiang):
    """The real plan: projects, institutions, standards, links."""
    projects, health = load_layer(qijiang, "projects").frame, load_layer(qijiang, "health").frame
    path = qijiang.root / "data" / "standards.toml"
    standards = load_standards(path, qijiang.registry, list(qijiang.documents.index))
    table = load_table(qijiang, "project_rules")
    links = progress.read_links(table, projects, standards, "project_rules.csv")
    return projects, health, standards, links


@pytest.fixture(scope="module")
def outlooks(qijiang, plan):
    projects, health, standards, links = plan
    layers = {key: load_layer(qijiang, key, demo=False) for key in qijiang.registry.layers}
    indicators = load_table(qijiang, "indicators")
    before = assess(qijiang, layers, standards, 2020, indicators=indicators)
    done = progress.by_project(projects, health, 2025)
    people = qijiang.total(2025).total
    found = progress.outlooks(before, links, done, "区卫生健康委", people)
    return {one.rule.id: one for one in found}


def test_faults_of_the_table_are_told_all_at_once(qijiang, plan):
    projects, _, standards, _ = plan
    table = load_table(qijiang, "project_rules").head(2).copy()
    table.loc[0, ["project", "rules"]] = ["P99", "beds-all、nonsense"]
    table.loc[1, "relation"] = "写明"  # without an amount
    with pytest.raises(DataError) as told:
        progress.read_links(table, projects, standards, "project_rules.csv")
    assert [problem.value for problem in told.value.problems] == ["P99", "nonsense", ""]
    assert [problem.row for problem in told.value.problems] == [2, 2, 3]


def test_amounts_are_those_of_the_projects_own_text(plan):
    projects, _, _, links = plan
    beds = projects.set_index("id")["beds"].dropna()
    content = projects.set_index("id")["content"]
    said = [one for one in links if one.relation == "写明"]
    assert {one.project: one.amount for one in said if one.unit == "张"} == beds.to_dict()
    (other,) = [one for one in said if one.unit != "张"]
    assert f"{other.amount:g}个" in content[other.project]
    assert not [one for one in links if one.relation != "写明" and one.amount > 0]


def test_an_institution_is_linked_only_where_the_plan_adds_beds(plan):
    projects, health, _, links = plan
    rise, facility = progress.planned_rise(health), projects.set_index("id")["facility"]
    same = {one.project for one in links if one.relation == "同一机构"}
    assert "P10" in same
    assert all(rise[facility[one]] > 0 for one in same)
    named = set(projects.loc[projects["beds"].notna(), "id"])
    owners = {key for key, value in facility.items() if rise.get(value, NAN) > 0} - named
    # every project of such an institution that names no beds is linked, but for works that are no beds
    assert same == owners - {"P12", "P18"}


def test_the_plans_own_sums(plan):
    projects, health, _, _ = plan
    done = progress.by_project(projects, health, 2025)
    institutions = progress.by_institution(health, done)
    found = progress.totals(done, institutions, 2025)
    assert (found.projects, found.cost_all) == (34, 293_730)
    assert found.count["完工"] == 34
    centres = progress.of_kinds(institutions, ["社区卫生服务中心", "中心卫生院", "卫生院"])
    assert (len(centres), centres["first"].sum(), centres["last"].sum()) == (23, 1364, 1568)
    # 通惠: 99 beds named, 72 there, 99 in all by the plan
    assert (done.at["P14", "beds"], done.at["P14", "counted"]) == (99, 27)
    assert institutions.at["C04", "then"] == 99
    # 妇幼保健院 shall have 105 more beds; its project names none
    assert math.isnan(institutions.at["H03", "then"])


def test_what_stays_short_after_all_projects(outlooks):
    doctors = outlooks["doctors"]
    assert doctors.verdict == progress.UNSERVED
    assert doctors.gap == pytest.approx(3.6 * 825 - 2241)
    psychiatric = outlooks["beds-psychiatric"]
    assert psychiatric.verdict == progress.OPEN
    assert psychiatric.least == psychiatric.most == pytest.approx(0.64 * 825 - 0.26 * 775.509 - 200)
    every = outlooks["beds-all"]
    # 8 ‰ of 825,000 less 4,959 is 1,641; the texts name 1,699, of which 1,627 can be new
    assert (every.gap, every.said, every.most) == (1641, 1699, 14)
    assert every.verdict == progress.UNSAID
    assert outlooks["beds-public"].verdict == progress.CLOSED


def test_an_amount_in_another_unit_proves_nothing(outlooks):
    fever = outlooks["fever-clinics"]
    assert fever.links[0].project == "P34"
    assert (fever.links[0].amount, fever.links[0].unit, fever.unit) == (15, "家", "百分点")
    assert fever.verdict == progress.UNSAID
    assert math.isnan(fever.said)


def test_a_gap_that_nobody_knows_stays_unknown(outlooks):
    ward = outlooks["beds-infectious"]
    assert ward.verdict == progress.UNSAID
    assert math.isnan(ward.gap)
    assert math.isnan(ward.most)


def test_the_worst_come_first(outlooks):
    verdicts = [one.verdict for one in outlooks.values()]
    order = [progress.OPEN, progress.UNSERVED, progress.UNSAID, progress.CLOSED]
    assert verdicts == sorted(verdicts, key=order.index)
