"""数据补报清单: what is asked of whom, narrowed down, and the form that goes round."""

import io

import pytest
import streamlit as st
from openpyxl import load_workbook
from visit import Page


def lists(seen):
    """Requests by department: department → row key → row."""
    return {
        key.removeprefix("requests-"): {row["key"]: row for row in table["rows"]}
        for key, table in seen.tables.items()
        if key.startswith("requests-")
    }


@pytest.fixture
def form(monkeypatch):
    """Give the form that the page offers."""
    made = []
    monkeypatch.setattr(st, "download_button", lambda _, data, **more: made.append((more["file_name"], data)))

    def take(**query):
        made.clear()
        Page("requests", **query)
        ((name, data),) = made
        return name, load_workbook(io.BytesIO(data()))

    return take


def test_every_department_has_its_list_the_heaviest_first():
    seen = Page("requests")
    found = lists(seen)
    assert list(found)[:2] == ["区消防救援支队", "区卫生健康委"]
    assert {"各街镇", "区住房城乡建委", "区水利局", "区统计局"} <= set(found)
    rules = [row["rules"] or 0 for row in found["区卫生健康委"].values()]
    assert rules == sorted(rules, reverse=True)
    fever = found["区卫生健康委"]["health.fever_clinic"]
    assert (fever["kind"], fever["towns"], fever["blanks"], fever["rules"]) == ("填空项", "全部21个", 23, 1)
    assert seen.figure("待补报") == sum(len(rows) for rows in found.values())
    assert seen.figure("未定位") == 31


def test_invented_records_are_no_answer_to_a_request():
    with_demo, without = Page("requests", demo="true"), Page("requests", demo="false")
    assert "register.hydrants" in lists(with_demo)["区消防救援支队"]
    assert lists(with_demo) == lists(without)
    assert "演示数据不能代替真实名册" in with_demo.text


def test_the_lists_can_be_narrowed_down():
    every = Page("requests")
    health = lists(Page("requests", on="医疗卫生机构"))
    assert list(health) == ["区卫生健康委"]
    assert all(row["kind"] in ("填空项", "补位置", "核推定") for row in health["区卫生健康委"].values())
    water = Page("requests", **{"from": "区水利局"})
    assert list(lists(water)) == ["区水利局"]
    town = Page("requests", towns="打通镇")
    assert town.figure("答不出的判定") < every.figure("答不出的判定") / 10
    datong = lists(town)["各街镇"]
    assert any("打通镇消防专项规划" in row["what"] for row in datong.values())
    assert all(row["towns"] in ("打通镇", "全区") for rows in lists(town).values() for row in rows.values())


def test_the_year_and_assumptions_change_what_is_asked():
    later = lists(Page("requests", **{"judged-year": "2025"}))
    assert any("2025年实际数" in row["what"] for row in later["区卫生健康委"].values())
    title = "附件第34项建成后,23家基层机构都有发热门诊(诊室)"
    assumed = lists(Page("requests", assume=title))
    assert "health.fever_clinic" not in assumed["区卫生健康委"]


def test_a_request_is_opened_with_its_rule_and_clause():
    seen = Page("requests", want="health.fever_clinic")
    assert seen.card["由谁补报"] == "区卫生健康委"
    assert seen.card["可填的值"] == "有、无"
    assert "专栏1第7项" in seen.card["等它的标准"]
    assert seen.tables["requests-区卫生健康委"]["selected"] == "health.fever_clinic"
    seen.at.button(key="close-request").click()
    assert seen.run().card == {}
    assert Page("requests", want="nothing").card == {}


def test_a_town_on_the_map_is_opened():
    seen = Page("requests", town="石角镇")
    assert seen.card["名称"] == "石角镇"
    assert seen.card["答不出的判定"].endswith("格(2020年)")
    assert seen.scene["town"] == "石角镇"


def test_nothing_chosen_says_why():
    assert "请放宽左侧" in Page("requests", on="医疗卫生机构", **{"from": "区水利局"}).text


def test_the_form_is_what_is_on_the_page(form):
    name, book = form(**{"from": "区卫生健康委"})
    assert name.startswith("綦江区_数据补报清单_2020年_")
    assert book.sheetnames == ["说明", "区卫生健康委"]
    sheet = book["区卫生健康委"]
    assert sheet.freeze_panes == "A2"
    assert "部门:区卫生健康委" in [cell.value for cell in book["说明"]["B"]]
    assert {"list", "whole"} <= {one.type for one in sheet.data_validations.dataValidation}
    _, book = form()
    assert "名册 消火栓" in book.sheetnames
    assert book.sheetnames[1:3] == ["区消防救援支队", "区卫生健康委"]
