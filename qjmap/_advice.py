"""What to do about a fault, where the check that found it says nothing itself."""

from __future__ import annotations

from collections.abc import Sequence

from qjmap._likeness import nearest
from qjmap.errors import Problem
from qjmap.layers import Column

_BLANK = "空白"
_NUMBERS = ("integer", "number", "longitude", "latitude")


def left_blank(problem: Problem) -> bool:
    """Say whether a fault is only that nothing stands where something must."""
    return problem.value == _BLANK and problem.expected.startswith("填写")


def advise(problem: Problem, column: Column, choices: Sequence[str], *, there: bool) -> str:
    """Say what to do about a cell.

    Parameters
    ----------
    problem
        The fault.
    column
        Its column.
    choices
        The values that the column may have; none when it may have any.
    there
        Whether the file has the column at all.

    Returns
    -------
    str
        In Chinese; the fault's own advice where it has any.
    """
    if problem.advice:
        return problem.advice
    if left_blank(problem):
        return _missing(column, choices, there=there)
    if problem.value is None:
        return ""
    if choices:
        return _strange(problem.value, choices)
    if "不小于" in problem.expected or "不大于" in problem.expected:
        return "请核对数值与单位"
    left = "" if column.required else ";不知道的留空"
    if column.type in _NUMBERS:
        return f"请只填数字{left}"
    return f"请改写{left}" if column.type in ("year", "date", "boolean") else ""


def _missing(column: Column, choices: Sequence[str], *, there: bool) -> str:
    if not there:
        return "文件没有这一列:请回到“列”一步选一列" + (",或整列填一个值" if choices else ",或在文件里补上")
    return "请补填;不知道的填“未知”" if "未知" in choices else "请补填"


def _strange(value: str, choices: Sequence[str]) -> str:
    near = nearest(value, choices)
    named = f"最接近的是“{near}”;" if near else ""
    return f"{named}请改为允许值,或在导入页说明“{value[:20]}”的意思"
