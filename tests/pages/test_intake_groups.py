"""数据导入 of lists that say a town once for several rows: headings are left out, blanks are asked about."""

import pytest
from visit import Page

pytestmark = pytest.mark.usefixtures("at_the_machine")

GROUPS = [("东溪镇", 3), ("赶水镇", 2), ("石壕镇", 1)]


def checked(content):
    seen = Page("intake", to="hydrants", step="2")
    seen.at.file_uploader[0].upload("台账.csv", content.encode())
    seen.run()
    while seen.at.query_params["step"] != "5":
        seen.at.button(key="intake-next").click()
        seen.run()
    return seen


def save(seen):
    seen.at.text_input(key="intake-why").set_value("年度台账")
    seen.at.button(key="intake-save").click()
    return seen.run()


def towns(office):
    return office.workspace.read("hydrants").table().frame["town"].fillna("").tolist()


def listed(seen):
    return [each.label for each in seen.at.toggle]


def test_a_blank_below_a_town_is_asked_about_and_the_answer_can_be_taken_back(office):
    rows = [
        f"{town[0]}{n},{'' if n else town},{town[0]}{n},市政消火栓,现状"
        for town, count in GROUPS
        for n in range(count)
    ]
    seen = checked("\n".join(["编号,镇街,名称,类型,状态", *rows]))
    assert "“镇街”列有 3 行空白" in seen.text
    assert (seen.figure("未定位"), seen.figure("提醒")) == (3, 1)
    answer = seen.at.checkbox(key="intake-above")
    assert answer.value is False
    answer.check()
    seen.run()
    assert (seen.figure("未定位"), seen.figure("提醒")) == (0, 0)
    assert "空白按上一行·街镇(2 处)" in listed(seen)
    seen.at.checkbox(key="intake-above").uncheck()
    seen.run()
    assert seen.figure("未定位") == 3
    assert not [label for label in listed(seen) if "上一行" in label]
    seen.at.checkbox(key="intake-above").check()
    seen.run()
    save(seen)
    assert towns(office) == ["东溪镇"] * 3 + ["赶水镇"] * 2 + ["石壕镇"]


def test_a_heading_is_left_out_and_its_town_can_be_refused(office):
    lines = ["编号,名称,类型,状态"]
    for town, count in GROUPS:
        lines.append(f"{town}({count}个),,,")
        lines += [f"{town[0]}{n},{n}号,市政消火栓,现状" for n in range(count)]
    seen = checked("\n".join(lines))
    assert (seen.figure("可导入"), seen.figure("有错"), seen.figure("未定位")) == (6, 0, 0)
    assert "intake-above" not in [each.key for each in seen.at.checkbox]
    assert {"标题、合计等行不导入(3 处)", "标题行下的各行·街镇(3 处)"} <= set(listed(seen))
    seen.at.toggle(key="intake-repair-heading:town").set_value(False)
    seen.run()
    assert (seen.figure("有错"), seen.figure("未定位"), seen.figure("提醒")) == (0, 6, 1)
    seen.at.toggle(key="intake-repair-heading:town").set_value(True)
    seen.run()
    save(seen)
    assert towns(office) == ["东溪镇"] * 3 + ["赶水镇"] * 2 + ["石壕镇"]
