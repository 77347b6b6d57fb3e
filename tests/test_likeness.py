"""A strange word is named a known one only where it is probably a slip of it."""

import pytest

from qjmap._likeness import nearest

TOWNS = ("古南街道", "文龙街道", "通惠街道", "新盛街道", "石角镇", "东溪镇", "永新镇", "横山镇", "隆盛镇")
STATES = ("现状", "规划", "在建", "未知")
SIZES = ("大型", "中型", "小(一)型", "小(二)型")
KINDS = ("乡镇卫生院", "社区卫生服务中心", "综合医院")


@pytest.mark.parametrize("word", ["已建", "在用", "拟建", "筹建", "新建"])
def test_a_state_of_two_letters_is_no_slip_of_another(word):
    assert nearest(word, STATES) == ""


@pytest.mark.parametrize(
    "word", ["万东镇", "石林镇", "黑山镇", "万盛街道", "东林街道", "盖石镇", "羊角镇", "街道", "东溪、永新"]
)
def test_a_town_of_the_neighbour_is_no_slip_of_one_of_ours(word):
    assert nearest(word, TOWNS) == ""


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("小(1)型", SIZES, "小(一)型"),
        ("小Ⅱ型", SIZES, "小(二)型"),
        ("小一型", SIZES, "小(一)型"),
        ("石角 镇", TOWNS, "石角镇"),
        ("社区卫生服务中新", KINDS, "社区卫生服务中心"),
        ("乡镇卫生院所", KINDS, "乡镇卫生院"),
        ("", KINDS, ""),
        ("!", SIZES, ""),
    ],
)
def test_a_slip_is_named(word, known, meant):
    assert nearest(word, known) == meant
