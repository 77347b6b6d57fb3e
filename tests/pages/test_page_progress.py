"""规划进度: the slider moves figures and marks, and nothing is guessed."""

import io

import pytest
import streamlit as st
from openpyxl import load_workbook
from visit import Page

STATES = ("完工", "在建", "未开工")


def at(year, **query):
    return Page("progress", **{"by-year": str(year)}, **query)


def marks(seen):
    """Count the legend's states; the scene sends only those that occur."""
    return [entry["label"] for entry in seen.scene["legend"] if "path" in entry]


@pytest.mark.parametrize(
    ("year", "done", "building", "waiting", "cost"),
    [
        (2020, 0, 3, 31, 0),
        (2021, 1, 2, 31, 1_790),
        (2022, 3, 8, 23, 11_390),
        (2023, 8, 12, 14, 48_690),
        (2024, 18, 16, 0, 241_480),
        (2025, 34, 0, 0, 293_730),
    ],
)
def test_the_year_moves_projects_and_money(year, done, building, waiting, cost):
    seen = at(year)
    assert seen.figure(f"完工({year}年末)") == done
    assert seen.figures[f"完工({year}年末)"][1] == f"共 34 项;在建 {building}、未开工 {waiting}"
    assert seen.figure("完工项目投资") == cost
    assert "逐项相加 293,730 万元" in seen.figures["完工项目投资"][1]
    states = [row["state"] for row in seen.rows("projects-progress").values()]
    assert [states.count(state) for state in STATES] == [done, building, waiting]


def test_the_map_shows_the_states_of_the_year_and_only_placed_projects(qijiang):
    before, after = at(2020), at(2025)
    assert marks(before) == ["在建(按规划年限)", "未开工"]
    assert marks(after) == ["完工(按规划年限)"]
    assert before.scene["id"] != after.scene["id"]
    # the base map stays what it is, so that the browser does not draw it again
    assert before.maps[0]["script"] == after.maps[0]["script"]
    assert "14 项文件未写明街镇,不上图" in before.tables["projects-progress"]["caption"]


def test_without_a_choice_the_plans_last_year_is_shown():
    assert "完工(2025年末)" in Page("progress").figures
    assert "完工(2025年末)" in Page("progress", **{"by-year": "1066"}).figures


def test_beds_are_the_registers_and_the_named_ones():
    assert at(2020).figure("到2020年末已知床位") == 3169
    assert at(2023).figure("到2023年末已知床位") == 3169 + 200
    value, base = at(2025).figures["到2025年末已知床位"]
    assert value == "4,796 张"
    assert "6 家完工项目未写床位,不知增加多少" in base
    assert at(2025).figure("规划增加、无项目写明") == 382


def test_the_plans_own_figures_stand_with_their_denominators():
    figures = at(2022).figures
    assert figures["全区编制床位(2025年规划)"] == (
        "6,600 张",
        "2020年 4,959;每千人 6.39(÷77.6万人)→ 8(÷82.5万人),标准每1000人8张",
    )
    value, base = figures["23家基层机构(2025年规划)"]
    assert value == "1,568 张"
    assert base.startswith("2020年 1,364,增加 204")


def test_the_two_sums_are_shown_side_by_side_and_finished_is_no_observation():
    text = at(2024).text
    assert "248780" in text
    assert "293730" in text
    assert "不是实际进度" in text


def test_a_project_is_opened_with_what_it_serves_and_why():
    seen = at(2025, record="P14")
    assert seen.card["名称"] == "綦江区通惠社区卫生服务中心业务楼新建项目"
    assert seen.card["总投资"] == "6,000 万元"
    assert "可能是总数而不是新增" in seen.text
    assert seen.scene["chosen"] is not None
    assert "对应短缺:文件未说明" in at(2025, record="P07").text
    assert at(2025, record="C04").card["名称"] == "綦江区通惠街道社区卫生服务中心"


def test_a_town_is_opened():
    seen = at(2023, town="三江街道")
    assert seen.card["工程项目"] == "3 项(2023年末:完工 1、在建 2)"
    assert seen.card["2020年编制床位"] == "99 张"
    assert seen.scene["town"] == "三江街道"


def test_the_wide_tables():
    seen = at(2025)
    projects, institutions, short = (seen.rows(f"wide-{n}") for n in range(3))
    assert len(projects) == 34
    assert projects["P03"]["per_bed"] == pytest.approx(75)
    assert [key for key, row in projects.items() if row["per_bed"] is not None] == [
        "P03",
        "P09",
        "P14",
        "P19",
        "P33",
    ]
    assert projects["P07"]["serves"] == "文件未说明"
    assert "发热门诊" in projects["P34"]["serves"]
    assert institutions["C19"]["remark"] == "规划增加,没有对应项目"
    assert (institutions["H03"]["first"], institutions["H03"]["then"]) == (195, None)
    assert short["doctors"]["verdict"] == "没有对应项目"
    assert short["beds-all"]["left"] == "至多 14 张"
    assert short["fever-clinics"]["said"] == "15 家"


def test_the_file_says_the_same(monkeypatch):
    made = {}
    monkeypatch.setattr(st, "download_button", lambda _, data, **more: made.update({more["file_name"]: data}))
    at(2024)
    ((name, data),) = made.items()
    assert name.startswith("綦江区_规划进度_2024年末_")
    book = load_workbook(io.BytesIO(data()))
    assert book.sheetnames == ["说明", "项目", "机构床位", "短缺与项目", "依据"]
    assert book["项目"].max_row == 35
    heads = [cell.value for cell in book["项目"][1]]
    costs = [row[heads.index("总投资(万元)")] for row in book["项目"].iter_rows(min_row=2, values_only=True)]
    assert sum(costs) == 293_730
