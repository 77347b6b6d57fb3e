"""What to do about a fault, where the check that found it says nothing itself."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date, timedelta

from qjmap._likeness import nearest
from qjmap._units import other_units
from qjmap.errors import Problem
from qjmap.layers import SHAPE, Column

_OFF = 0.1  # how far a stated size may be from the measured one, as in `qjmap._shapes`
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
    if column.type in ("longitude", "latitude") and (more := _several_points(problem.value)):
        return more
    if column.type == "integer" and (slip := _in_another_unit(problem.value, column)):
        return slip
    left = "" if column.required else ";不知道的留空"
    if column.type in _NUMBERS:
        return f"请只填数字{left}"
    if column.type in ("year", "date") and (day := _day_of_excel(problem.value)):
        right = str(day.year) if column.type == "year" else day.isoformat()
        return f"像是 Excel 的日期序号({day.isoformat()});若是,应写 {right}"
    return f"请改写{left}" if column.type in ("year", "date", "boolean") else ""


def meant(value: float, unit: str, usual: tuple[float, float], measured: float = math.nan) -> str:
    """Say in which other unit a number probably stands: the one by which it is most usual.

    Parameters
    ----------
    value, unit
        The number, and the unit in which it should be.
    usual
        Lowest and highest that is usual, or possible.
    measured
        The same as it was measured, where it was: a unit that agrees with it goes before all others.

    Returns
    -------
    str
        In Chinese; blank where no unit would make it usual.
    """
    low, high = usual
    fitting = [(value * times, name) for name, times in other_units(unit)]
    fitting = [one for one in fitting if low <= one[0] <= high and one[0] > 0]
    agreeing = [one for one in fitting if abs(one[0] - measured) <= _OFF * measured]
    if not fitting:
        return ""
    middle = high / 2 if low <= 0 else low if math.isinf(high) else math.sqrt(low * high)
    right, name = min(agreeing or fitting, key=lambda one: abs(math.log(one[0] / middle)))
    return f"单位是否写错:若是 {plainly(value)} {name},应写 {plainly(right)} {unit}"


def plainly(number: float) -> str:
    """Write a number with its thousands parted, without needless noughts."""
    return f"{number:,.10f}".rstrip("0").rstrip(".")


def _in_another_unit(text: str, column: Column) -> str:
    """Say of a broken number where whole ones are counted what it may be: 0.2 (万人)."""
    try:
        value = float(text)
    except ValueError:
        return ""
    whole = {round(value * times, 6).is_integer() for _, times in other_units(column.unit)}
    return meant(value, column.unit, column.usual) if column.usual and True in whole else ""


def _several_points(text: str) -> str:
    """Say of a cell that should hold one point what it holds; blank where it is nothing that is known."""
    if "://" in text:
        return "这是网址:请只填经度、纬度两个数"
    return "这一格像有不止一个点:请只留一个" if len(re.findall(r"\d+\.\d+", text[:200])) >= 4 else ""


def _day_of_excel(text: str) -> date | None:
    """Give the day that a number means in Excel; None where it is none of our time."""
    if not re.fullmatch(r"[1-9][0-9]{4}(?:\.[0-9]+)?", text):
        return None
    found = date(1899, 12, 30) + timedelta(days=int(float(text)))
    return found if found <= date.today() else None


def _missing(column: Column, choices: Sequence[str], *, there: bool) -> str:
    if column.type == SHAPE:  # it comes with a vector file, under no name
        return "没有图形:个别要素缺的,请补画或删去;整个文件缺的,请改用 GeoJSON、Shapefile 等,或加一列 WKT"
    if not there:
        return "文件没有这一列:请回到“列”一步选一列" + (",或整列填一个值" if choices else ",或在文件里补上")
    return "请补填;不知道的填“未知”" if "未知" in choices else "请补填"


def _strange(value: str, choices: Sequence[str]) -> str:
    near = nearest(value, choices)
    named = f"最接近的是“{near}”;" if near else ""
    return f"{named}请改为允许值,或在导入页说明“{value[:20]}”的意思"
