"""How far the plan is by its own years: projects, the beds they name, what they cost, and what stays short.

The plan gives each project its years, its cost and sometimes its beds; nothing says what was really built. So
“完工” here means that the plan's last year has come. Beds are never interpolated: an institution that shall have
more beds but whose finished project names none is unknown from then on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from qjmap.assess import MET, NOT_APPLICABLE, SHORT, WHOLE, Assessment, Finding
from qjmap.errors import DataError, Problem
from qjmap.standards import Rule, Standards

WAITING, BUILDING, DONE, UNDATED = "未开工", "在建", "完工", "年限未写明"
STATES = (DONE, BUILDING, WAITING, UNDATED)

CLOSED, OPEN, UNSAID, UNSERVED = "按文中数量可补足", "仍缺", "文件未说明", "没有对应项目"
"""What can be said of a shortage after all projects."""

_BEDS = "beds_"


@dataclass(frozen=True)
class Link:
    """What a project does for some rules, as far as its text says.

    Parameters
    ----------
    project
        The project's id.
    rules
        Ids of the rules.
    relation
        写明 (the text names an amount), 同一机构 (the plan raises this institution's figure, the text names no
        amount) or 同一事项 (the same matter, no amount).
    amount, unit
        What the text names; NaN when it names none.
    reason
        Why, in the text's own words as far as possible.
    document, clause
        Who says so.
    """

    project: str
    rules: tuple[str, ...]
    relation: str
    amount: float
    unit: str
    reason: str
    document: str
    clause: str


@dataclass(frozen=True)
class Outlook:
    """One shortage and what the projects do for it.

    Parameters
    ----------
    rule
        The rule.
    status
        What it is before the projects: 短缺, 数据不足.
    gap, unit
        What is missing up to the target; NaN where it cannot be said.
    links
        The projects that speak of it.
    said
        Sum of the amounts that their texts name, in the gap's unit.
    least, most
        What stays missing at least and at most; NaN where it cannot be said.
    verdict
        按文中数量可补足, 仍缺, 文件未说明 or 没有对应项目.
    """

    rule: Rule
    status: str
    gap: float
    unit: str
    links: tuple[Link, ...]
    said: float
    least: float
    most: float
    verdict: str
    notes: tuple[str, ...] = field(default=())


def bed_years(health: pd.DataFrame) -> tuple[int, int]:
    """Give the first and the last year for which the register of institutions has a column of beds.

    Raises
    ------
    ValueError
        There is no such column.
    """
    years = [
        int(str(name).removeprefix(_BEDS))
        for name in health.columns
        if str(name).startswith(_BEDS) and str(name).removeprefix(_BEDS).isdigit()
    ]
    if not years:
        raise ValueError("名册没有按年份的床位列")
    return min(years), max(years)


def state(start: float, end: float, year: int) -> str:
    """Say what a project is at the end of a year, by the plan's own years."""
    if math.isnan(start) or math.isnan(end):
        return UNDATED
    return DONE if end <= year else BUILDING if start <= year else WAITING


def read_links(
    table: pd.DataFrame, projects: pd.DataFrame, standards: Standards, file: str
) -> tuple[Link, ...]:
    """Read the table `project_rules` and hold it against projects and rules.

    Parameters
    ----------
    table
        From `registers.load_table`, with `row`.
    projects
        The layer of projects.
    standards
        The rules.
    file
        The table's name, for messages.

    Raises
    ------
    DataError
        A row names a project or a rule that does not exist, or 写明 without an amount (or the other way round).
    """
    known, problems, links = set(projects["id"].astype("str")), [], []
    for row in table.to_dict("records"):
        rules = tuple(str(row["rules"]).split("、"))
        amount = float("nan") if pd.isna(row["amount"]) else float(row["amount"])
        place = int(row["row"])
        if str(row["project"]) not in known:
            problems.append(Problem(file, place, "项目编号", str(row["project"]), "项目表中已有的编号"))
        problems += [
            Problem(file, place, "标准编号", rule, "standards.toml 中已有的标准编号")
            for rule in rules
            if rule not in standards
        ]
        if math.isnan(amount) == (row["relation"] == "写明"):
            problems.append(
                Problem(file, place, "写明数量", _text(row["amount"]), "关系为“写明”时填数,其余留空")
            )
        links.append(
            Link(
                str(row["project"]),
                rules,
                str(row["relation"]),
                amount,
                _text(row["unit"]),
                str(row["reason"]),
                str(row["document"]),
                str(row["clause"]),
            )
        )
    if problems:
        raise DataError(problems)
    return tuple(links)


def by_project(projects: pd.DataFrame, health: pd.DataFrame, year: int) -> pd.DataFrame:
    """Say for every project what it is by a year, and what its beds can add.

    Parameters
    ----------
    projects, health
        The two layers' frames.
    year
        The year at whose end one looks.

    Returns
    -------
    pandas.DataFrame
        Index: project id, in the order of `number`. Columns: `name`, `number`, `kind`, `town`, `start`, `end`,
        `cost`, `beds` (as the text names them), `facility` (id or ""), `state`; `counted`: beds that can be new,
        which is what the text names, but no more than the plan adds to that institution; `per_bed`: cost ÷
        `beds`, 万元, NaN unless both are known.
    """
    frame = projects.sort_values("number")
    start, end, cost, beds = (_numbers(frame[key]) for key in ("start_year", "end_year", "cost_wan", "beds"))
    facility = frame["facility"].astype(object).where(frame["facility"].notna(), "").astype("str")
    rise = planned_rise(health).reindex(facility).to_numpy(dtype=float)
    counted = np.where(np.isnan(rise), beds, np.minimum(beds, np.maximum(rise, 0)))
    return pd.DataFrame(
        {
            "name": frame["name"].astype("str").to_numpy(),
            "number": frame["number"].to_numpy(dtype=float, na_value=np.nan),
            "kind": frame["kind"].astype("str").to_numpy(),
            "town": frame["town"].astype(object).where(frame["town"].notna(), "").to_numpy(),
            "start": start,
            "end": end,
            "cost": cost,
            "beds": beds,
            "facility": facility.to_numpy(),
            "state": [state(a, b, year) for a, b in zip(start, end, strict=True)],
            "counted": counted,
            "per_bed": np.divide(cost, beds, out=np.full(len(beds), np.nan), where=beds > 0),
        },
        index=pd.Index(frame["id"].astype("str"), name="id"),
    )


def planned_rise(health: pd.DataFrame) -> pd.Series[float]:
    """Give by institution how many beds the plan adds between its two years; NaN where one is not known."""
    first, last = bed_years(health)
    values = _numbers(health[f"{_BEDS}{last}"]) - _numbers(health[f"{_BEDS}{first}"])
    return pd.Series(values, index=health["id"].astype("str").to_numpy())


def by_institution(health: pd.DataFrame, done: pd.DataFrame) -> pd.DataFrame:
    """Say for every institution what beds it had, shall have, and has by the year of `done`.

    Parameters
    ----------
    health
        The register of institutions.
    done
        From `by_project`.

    Returns
    -------
    pandas.DataFrame
        Index: institution id. Columns: `name`, `town`, `kind`, `first`, `last` (beds of the plan's two years),
        `rise`; `projects` (their numbers), `cost` (their sum), `stated` (beds that the texts name) and the same
        of the finished ones only (`finished`, `stated_done`); `then`: beds there by the year: the register's
        number and what finished projects can add. NaN when nothing is known, or when a finished project names no
        beds although the plan adds some; `remark` says so.
    """
    first, last = bed_years(health)
    frame = pd.DataFrame(
        {
            "name": health["name"].astype("str").to_numpy(),
            "town": health["town"].astype(object).where(health["town"].notna(), "").to_numpy(),
            "kind": health["kind"].astype("str").to_numpy(),
            "first": _numbers(health[f"{_BEDS}{first}"]),
            "last": _numbers(health[f"{_BEDS}{last}"]),
        },
        index=pd.Index(health["id"].astype("str"), name="id"),
    )
    frame["rise"] = frame["last"] - frame["first"]
    rows = [_institution(row, done[done["facility"] == key]) for key, row in frame.iterrows()]
    return frame.join(pd.DataFrame(rows, index=frame.index))


def _institution(row: pd.Series[Any], own: pd.DataFrame) -> dict[str, object]:
    finished = own[own["state"] == DONE]
    rise, first = float(row["rise"]), float(row["first"])
    added = float(finished["counted"].sum(min_count=1))
    added = min(added, max(rise, 0.0)) if not math.isnan(rise) else added
    then = first if math.isnan(added) else added if math.isnan(first) else first + added
    remark = _remark(rise, own)
    if math.isnan(first) and own["beds"].isna().all():
        remark = "文件未列床位"
    # what no project names may have come with any finished one that names nothing
    if rise - float(own["counted"].sum()) > 0 and finished["beds"].isna().any():
        then, remark = math.nan, "完工项目未写床位,到时有多少未知"
    return {
        "projects": "、".join(f"{number:g}" for number in own["number"]),
        "finished": len(finished),
        "cost": float(own["cost"].sum(min_count=1)),
        "stated": float(own["beds"].sum(min_count=1)),
        "stated_done": float(finished["beds"].sum(min_count=1)),
        "then": then,
        "remark": remark,
    }


def _remark(rise: float, own: pd.DataFrame) -> str:
    """Say what the projects of an institution leave open of what the plan adds to it."""
    if not rise > 0:
        return ""
    stated = float(own["beds"].sum(min_count=1))
    if own.empty:
        return "规划增加,没有对应项目"
    if math.isnan(stated):
        return "规划增加,项目未写床位"
    if stated > rise:
        return "文中床位多于规划增加数,可能是总数;只计规划增加数"
    return "" if stated == rise else f"规划增加中{rise - stated:,.0f}张没有项目写明"


@dataclass(frozen=True)
class Totals:
    """The sums by a year.

    `count` by state; `cost` (万元) by state and over all; `first`, `last`: beds of the institutions that have a
    number; `known`: how many have one; `stated`, `counted`: beds of the finished projects as named, and as they
    can be new; `unknown`: institutions that by then have more beds but nobody says how many; `unsaid`: beds that
    the plan adds and no project names.
    """

    year: int
    count: Mapping[str, int]
    cost: Mapping[str, float]
    cost_all: float
    first: float
    last: float
    known: int
    stated: float
    counted: float
    unknown: int
    unsaid: float

    @property
    def projects(self) -> int:
        """How many projects there are."""
        return sum(self.count.values())

    @property
    def then(self) -> float:
        """Beds by the year: those of the register and those that finished projects can add."""
        return self.first + self.counted


def totals(done: pd.DataFrame, institutions: pd.DataFrame, year: int) -> Totals:
    """Add up `by_project` and `by_institution`."""
    finished = done[done["state"] == DONE]
    named = institutions[institutions["first"].notna() & institutions["last"].notna()]
    own = done[done["facility"].isin(named.index)].groupby("facility")["counted"].sum(min_count=1)
    named_rise = named["rise"].clip(lower=0)
    return Totals(
        year,
        {one: int((done["state"] == one).sum()) for one in STATES},
        {one: float(done.loc[done["state"] == one, "cost"].sum()) for one in STATES},
        float(done["cost"].sum()),
        float(named["first"].sum()),
        float(named["last"].sum()),
        len(named),
        float(finished["beds"].sum()),
        float(finished["counted"].sum()),
        int((institutions["then"].isna() & institutions["first"].notna()).sum()),
        float(named_rise.sum() - np.minimum(own.reindex(named.index).fillna(0), named_rise).sum()),
    )


def printed(indicators: pd.DataFrame, key: str, year: int) -> float:
    """Give an indicator's figure for just that year, as the document prints it; NaN where it prints none."""
    name, rows = f"value_{year}", indicators[indicators["id"] == key]
    if rows.empty or name not in rows:
        return math.nan
    value: Any = rows[name].iloc[0]
    return math.nan if pd.isna(value) else float(value)


def of_kinds(institutions: pd.DataFrame, kinds: Sequence[object]) -> pd.DataFrame:
    """Give the institutions of some kinds."""
    return institutions[institutions["kind"].isin([str(kind) for kind in kinds])]


# ---- what stays short -----------------------------------------------------------------------------


def outlooks(
    before: Assessment, links: Iterable[Link], done: pd.DataFrame, department: str, people: float
) -> tuple[Outlook, ...]:
    """Say for every shortage of a department what the projects do for it, and what stays.

    Parameters
    ----------
    before
        The district judged in the plan's first year.
    links
        Which project speaks of which rule.
    done
        From `by_project`.
    department
        Whose rules; those that any project speaks of come along.
    people
        The people of the plan's last year: what a rule per head asks for then is what is missing now.

    Returns
    -------
    tuple of Outlook
        Rules that are short before the projects, and those without an answer that a project speaks of; open ones
        first, in the order of the standards.
    """
    links = tuple(links)
    served = {rule for one in links for rule in one.rules}
    found = []
    for now in before.of_town(WHOLE):
        rule = now.rule
        mine = rule.department == department and now.status == SHORT
        if not mine and (rule.id not in served or now.status in (MET, NOT_APPLICABLE)):
            continue
        own = tuple(one for one in links if rule.id in one.rules)
        gap = _gap(now, people)
        found.append(_outlook(rule, now.status, gap, now.unit, own, done))
    order = (OPEN, UNSERVED, UNSAID, CLOSED)
    return tuple(sorted(found, key=lambda one: order.index(one.verdict)))


def _gap(now: Finding, people: float) -> float:
    """Give what is missing from what there is to what the target year's people need."""
    rule = now.rule
    if rule.kind == "per_capita" and rule.scope == "district" and rule.of == "population" and rule.figure:
        lacking = rule.figure.urban * people / rule.per - now.have
        return lacking if math.isnan(lacking) else max(0.0, lacking)
    return now.shortfall


def _outlook(
    rule: Rule, status: str, gap: float, unit: str, links: tuple[Link, ...], done: pd.DataFrame
) -> Outlook:
    named = [one for one in links if not math.isnan(one.amount)]
    same = [one for one in named if one.unit == unit]
    high = sum(one.amount for one in same)
    low = sum(_certain(one, done) for one in same)
    vague = len(links) > len(same)
    least, most = (0.0 if vague else max(0.0, gap - high)), max(0.0, gap - low)
    if math.isnan(gap):
        least = most = math.nan
    if not links:
        verdict = UNSERVED
    elif math.isnan(gap) or not same:
        verdict = UNSAID
    elif most == 0:
        verdict = CLOSED
    else:
        verdict = OPEN if least > 0 else UNSAID
    notes = tuple(f"第{number_of(done, one.project)}项:{one.reason}" for one in links)
    return Outlook(rule, status, gap, unit, links, high if same else math.nan, least, most, verdict, notes)


def number_of(done: pd.DataFrame, project: str) -> str:
    """Give a project's number in the plan's list, as it is cited."""
    number: Any = done.at[project, "number"]
    return f"{number:g}"


def _certain(link: Link, done: pd.DataFrame) -> float:
    """Give what a link adds at least: of beds no more than can be new."""
    project: Any = done.loc[link.project]
    return min(link.amount, float(project["counted"])) if link.amount == project["beds"] else link.amount


def _numbers(values: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return values.to_numpy(dtype=float, na_value=np.nan)


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)
