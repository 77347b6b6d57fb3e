"""What the check asks of a list that is in already, or that would lie over another town's."""

from __future__ import annotations

import pytest

from tests.pages.test_intake import checked, excel, hydrant, kept, save

pytestmark = pytest.mark.usefixtures("at_the_machine")


def of_town(town, *, numbered=True, count=3):
    rows = [
        {"名称": f"{town}{n}号", "街镇": town, "类别": "市政消火栓", "口径(mm)": 100 + n}
        for n in range(count)
    ]
    return excel([{"编号": str(n + 1), **row} for n, row in enumerate(rows)] if numbered else rows)


def test_the_list_of_another_town_is_numbered_apart_when_asked(office):
    save(checked(of_town("东溪镇")))
    seen = checked(of_town("石壕镇"))
    assert "有 3 行的编号库中已有,那条记录却在别的街镇:第 2 行“石壕镇0号”" in seen.problems
    seen.at.text_input(key="intake-why").input("第二个街镇").run()
    seen.at.button(key="intake-save").click()
    seen.run()
    assert "有的行会盖掉别的街镇的记录" in seen.problems
    seen.at.checkbox(key="intake-apart").check()
    seen.run()
    assert "编号相同,记录不同" not in seen.problems
    save(seen)
    found = kept(office)
    assert list(found.index) == ["1", "2", "3", "石壕镇-1", "石壕镇-2", "石壕镇-3"]
    assert found.at["1", "name"] == "东溪镇0号"


def test_or_it_takes_their_place_when_that_is_said(office):
    save(checked(of_town("东溪镇")))
    seen = checked(of_town("石壕镇"))
    seen.at.checkbox(key="intake-over").check()
    save(seen.run())
    assert set(kept(office)["town"]) == {"石壕镇"}


def test_a_list_that_was_in_already_is_told_and_not_added_by_chance(office):
    file = excel(
        [{"名称": "消火栓", "街镇": "东溪镇", "类别": "市政消火栓", "口径(mm)": 100} for _ in range(4)]
    )
    save(checked(file))
    seen = checked(file)
    assert "有 4 行除编号外,与库中的记录内容完全相同" in seen.problems
    seen.at.text_input(key="intake-why").input("又一次").run()
    seen.at.button(key="intake-save").click()
    seen.run()
    assert "有的行像是已经导入过" in seen.problems
    assert len(kept(office)) == 4
    seen.at.checkbox(key="intake-twice").check()
    save(seen.run())
    assert len(kept(office)) == 8


def test_towns_of_which_nothing_came_are_named(office):
    seen = checked(of_town("东溪镇"))
    assert "20 个街镇没有一个消火栓:" in seen.text
    assert "不写“数据不足”" in seen.text


def test_what_an_update_leaves_out_is_held_against_what_it_says(office):
    save(checked(excel([hydrant(0), hydrant(1)])))
    seen = checked(excel([{"编号": "X0", "街镇": "石壕镇"}, {"编号": "X1", "街镇": "东溪镇"}]))
    (told,) = seen.rows("intake-warnings").values()
    assert (told["row"], told["column"], told["value"]) == (2, "街镇", "石壕镇")
    assert "坐标在东溪镇(示意界线),距所写街镇" in told["advice"]
    assert seen.figure("提醒") == 1
