"""What is possible but odd in typed rows: slips of units, doubles, places and heights that do not agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qjmap import _shapes
from qjmap._advice import meant, plainly
from qjmap.checks import Sheet
from qjmap.crs import Projection
from qjmap.errors import Problem
from qjmap.ingest import RawTable
from qjmap.layers import ByKind, Column, LayerSpec

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

NEAR_M = 20.0
"""Two records of one kind this near to one another are probably one thing written down twice."""

FARTHEST_M = 2000.0
"""Schematic lines are no better than the sample points they come from; what lies farther outside is outside."""

PEOPLE = "population"
"""The column of a list of villages that counts their people."""

_OF_TOWN = (0.5, 2.0)
"""A town's villages have about as many people as the town: how many times as many is odd."""

_STOREY_M = (2.2, 8.0)
_FEW_DECIMALS = re.compile(r"[+-]?\d+(?:\.\d{0,3})?")


@dataclass(frozen=True, eq=False)
class Ground:
    """The land that records are held against.

    Parameters
    ----------
    projection
        The district's working projection.
    towns, polygons
        The towns' names and their polygons in metres.
    official
        Whether the lines are the official ones; against schematic ones nothing near them is certain.
    rough_m
        How far schematic lines may be off, metres.
    people, villages
        How many of them each town has, as far as is known (NaN); none where nobody knows.
    """

    projection: Projection
    towns: tuple[str, ...]
    polygons: npt.NDArray[np.object_]
    official: bool = False
    rough_m: float = 0.0
    people: Sequence[float] = ()
    villages: Sequence[float] = ()

    @property
    def lines_m(self) -> float:
        """How far the lines may be off, metres: nothing of official ones."""
        return 0.0 if self.official else self.rough_m


@dataclass(frozen=True)
class Oddities:
    """What stops a row (`problems`) and what a person should look at (`warnings`)."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def look(
    raw: RawTable,
    spec: LayerSpec,
    frame: pd.DataFrame,
    ground: Ground | None = None,
    existing: pd.DataFrame | None = None,
    said: Collection[str] = (),
) -> Oddities:
    """Look at typed rows for what is possible but odd: slips of units, doubles, places and heights that do not agree.

    Parameters
    ----------
    raw, spec
        As for `checks.check`.
    frame
        What `checks.check` made of them.
    ground
        The district's land; None leaves out what needs it.
    existing
        Rows that are kept already (`id`, `name`, `kind`, `lon`, `lat`; of shapes `geometry`), for doubles.
    said
        Cells that said their unit themselves, as ``unit:key:row``: no other is proposed of them.

    Returns
    -------
    Oddities
        Only a place far outside the district is a problem; all else warns.
    """
    odd, bad = Sheet(raw), Sheet(raw)
    units = _Units(odd, said)
    for column in spec.columns.values():
        if column.usual is not None:
            _look_usual(units, column, frame[column.key], partial(_measured, column, spec, frame, ground))
        if column.type in ("year", "date") and "status" in spec.columns:
            _look_future(odd, column, frame)
        if column.type == "text":
            _look_text(odd, column.key)
            if not column.sensitive and not column.unique:
                _look_private(odd, column.key, spec)
        if column.not_over:
            _look_over(odd, frame, column, spec.columns[column.not_over])
    for key, limits in spec.by_kind.items():
        _look_kinds(units, frame, spec.columns[key], limits)
    if {"height_m", "floors"} <= spec.columns.keys():
        _look_storeys(odd, frame)
    if {"town", PEOPLE} <= spec.columns.keys() and ground is not None and len(ground.people):
        _look_people(odd, frame, ground)
    if spec.shaped:
        if ground is not None:
            lines = "" if ground.official else "(示意界线)"
            _shapes.look(odd, bad, frame, spec.geometry, ground, existing, lines)
    elif spec.placed:
        _look_decimals(odd)
        if ground is not None:
            x, y = ground.projection.to_metres(frame["lon"], frame["lat"])
            _look_places(odd, bad, frame, x, y, ground)
            _look_doubles(odd, frame, x, y, ground, existing)
    if existing is not None and "id" in spec.columns and "id" in existing:
        again = frame["id"].isin(existing["id"]).to_numpy() & frame["id"].notna().to_numpy()
        odd.fault("id", again, "新的编号", "库中已有此编号,保留时将更新该条记录")
    return Oddities(bad.told(), odd.told())


def _measured(column: Column, spec: LayerSpec, frame: pd.DataFrame, ground: Ground | None) -> Floats:
    """Give what is measured of the shapes where a column states it, in its unit; NaN else."""
    times = {("polygon", "平方千米"): 1e6, ("line", "千米"): 1e3}.get((spec.geometry, column.unit))
    if times is None or ground is None:
        return np.full(len(frame), np.nan)
    shapes = ground.projection.geometry_to_metres(frame["geometry"].to_numpy(dtype=object))
    return _shapes.measure(shapes, spec.geometry) / times


@dataclass(frozen=True)
class _Units:
    """A table whose numbers may stand in another unit, but for the cells that `said` their own."""

    odd: Sheet
    said: Collection[str]

    def meant(
        self, place: int, column: Column, value: float, usual: tuple[float, float], size: float = np.nan
    ) -> str:
        """Say in which unit a number probably stands; blank where none is likelier."""
        if f"unit:{column.key}:{self.odd.rows[place]}" in self.said:
            return ""
        return meant(value, column.unit, usual, size)


def _look_usual(units: _Units, column: Column, numbers: pd.Series, measured: Callable[[], Floats]) -> None:
    low, high = column.usual or (-np.inf, np.inf)
    found = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = (found < low) | (found > high)
    if not wrong.any():
        return
    sizes = measured()

    def advise(place: int, _: str) -> str:
        return units.meant(place, column, float(found[place]), (low, high), float(sizes[place])) or "请核对"

    unit = f"({column.unit})" if column.unit else ""
    units.odd.fault(column.key, wrong, f"通常在 {low:g}~{high:g}{unit}之间", advise)


def _look_kinds(units: _Units, frame: pd.DataFrame, column: Column, limits: ByKind) -> None:
    """Tell numbers that no record of its kind has, by what a document says of the kinds."""
    found = frame[column.key].to_numpy(dtype=np.float64, na_value=np.nan)
    kinds = [str(one) for one in frame["kind"].cat.categories]
    unsaid = (-np.inf, np.inf)
    ranges = np.array([*(limits.ranges.get(kind, unsaid) for kind in kinds), unsaid])  # −1 is blank: the last
    codes = frame["kind"].cat.codes.to_numpy()
    low, high = ranges[codes, 0], ranges[codes, 1]
    usual_low, usual_high = column.usual or unsaid
    wrong = ((found < low) | (found > high)) & (found >= usual_low) & (found <= usual_high)
    for code in np.unique(codes[wrong]).tolist():
        kind, (least, most) = kinds[code], ranges[code]
        between = f"不小于 {least:,g}" if np.isinf(most) else f"{least:,g}~{most:,g}"
        expected = f"与类别相称:{kind}的{column.label}为{between} {column.unit}({limits.said})"

        def advise(place: int, _: str, kind: str = kind) -> str:
            value = float(found[place])
            least, most = limits.ranges[kind]
            usual = max(least, usual_low), min(most, usual_high)
            if slip := units.meant(place, column, value, usual):
                return slip
            # kinds that share numbers, as housing and offices do, are not told apart by them
            steps = {one: ends for one, ends in limits.ranges.items() if ends[1] <= least or ends[0] >= most}
            other = next((one for one, (a, b) in steps.items() if a <= value <= b), "")
            return f"按此数应属{other};请核对类别、数值与单位" if other else "请核对类别、数值与单位"

        units.odd.fault(column.key, wrong & (codes == code), expected, advise)


_STANDING = "现状"
_TO_COME = ("规划", "在建")


def _look_future(odd: Sheet, column: Column, frame: pd.DataFrame) -> None:
    """Tell what stands already and was built in a year to come; and days to come of all that is not to come itself."""
    today, when, status = date.today(), frame[column.key], frame["status"]
    if column.type == "year":
        late, until = when > today.year, f"{today.year}年"
        wrong = late & (status == _STANDING)
    else:
        wrong, until = (when > pd.Timestamp(today)) & ~status.isin(_TO_COME), today.isoformat()
    expected = f"不晚于{until}" + (f"(状态为“{_STANDING}”)" if column.type == "year" else "")
    odd.fault(column.key, wrong.fillna(value=False).to_numpy(dtype=bool), expected, "在将来;请核对年份或状态")


def _look_people(odd: Sheet, frame: pd.DataFrame, ground: Ground) -> None:
    """Hold the people of a town's villages, all together, against those of the town: each alone may look usual."""
    rows = frame[["town", PEOPLE]].dropna()
    by_town = rows[PEOPLE].astype("float64").groupby(rows["town"].astype("str"), observed=True)
    sums, counts = (one.to_dict() for one in (by_town.sum(), by_town.size()))
    few, many = _OF_TOWN
    for n, town in enumerate(ground.towns):
        if town not in sums or not ground.people[n] > 0:
            continue
        total, count, own = float(sums[town]), int(counts[town]), ground.people[n]
        all_there = count >= ground.villages[n]  # of some villages alone nobody knows how many it should be
        if total > many * own or (total < few * own and all_there):
            expected = f"与本图所用的{town}人口相称({own:,.0f} 人的 {few:g}~{many:g} 倍)"
            advice = f"合计是该街镇人口的 {total / own:.1f} 倍:请核对单位和位数(户籍人口可多于常住人口)"
            shown = f"{town} {count} 行合计 {total:,.0f} 人"
            odd.problems.append(Problem(odd.raw.file, None, PEOPLE, shown, expected, advice))


def _look_over(odd: Sheet, frame: pd.DataFrame, part: Column, whole: Column) -> None:
    """Tell parts that are more than the whole."""
    some, most = (frame[one.key].to_numpy(dtype=np.float64, na_value=np.nan) for one in (part, whole))
    odd.fault(
        part.key,
        some > most,
        f"不大于{whole.label}",
        lambda place, _: f"{whole.label}只有 {plainly(float(most[place]))} {whole.unit};请核对两列",
    )


#: Control characters, and those that turn the direction of writing: a name may show as another than it is.
_INVISIBLE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"


def _look_text(odd: Sheet, key: str) -> None:
    cells = odd.cells(key)
    marked = (
        cells.str.contains(r"<[A-Za-z/!]|^\s*[=+@＝＋＠]", regex=True)
        .fillna(value=False)
        .to_numpy(dtype=bool)
    )
    odd.fault(key, marked, "普通文字", "像是网页标记或公式;只当作文字显示,不会执行")
    hidden = cells.str.contains(_INVISIBLE, regex=True).fillna(value=False).to_numpy(dtype=bool)
    odd.fault(key, hidden, "普通文字", "含看不见的控制字符,可能使文字显示颠倒或缺失;请重新输入此单元格")


#: A number of a mobile phone, or of an identity card with its day of birth, not within a longer one.
_PRIVATE = (
    r"(?:^|[^0-9])(?:1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}"
    r"|[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx])(?:[^0-9]|$)"
)


def _look_private(odd: Sheet, key: str, spec: LayerSpec) -> None:
    """Tell numbers of people in columns that everybody sees: each row of a few, all together of many."""
    found = odd.cells(key).str.contains(_PRIVATE, regex=True).fillna(value=False).to_numpy(dtype=bool)
    own = next((one.label for one in spec.columns.values() if one.key == "phone" and one.sensitive), "")
    expected = "不含手机号码、身份证号码"
    advice = f"这一列“浏览”也看得到:请删去{f',电话可移到“{own}”列' if own else ''}"
    places = np.flatnonzero(found)
    if places.size <= _EACH:
        odd.fault(key, found, expected, advice)
        return
    shown = f"{places.size:,} 行,如{'、'.join(odd.where(int(place)) for place in places[:_EACH])}"
    odd.problems.append(Problem(odd.raw.file, None, key, shown, expected, advice))


_EACH = 3
"""Rows of one and the same doubt that are told one by one."""


def _look_storeys(odd: Sheet, frame: pd.DataFrame) -> None:
    height = frame["height_m"].to_numpy(dtype=np.float64, na_value=np.nan)
    floors = frame["floors"].to_numpy(dtype=np.float64, na_value=np.nan)
    low, high = _STOREY_M
    with np.errstate(divide="ignore", invalid="ignore"):
        storey = height / floors

    def advise(place: int, _: str) -> str:
        return f"层数 {floors[place]:g},平均层高 {storey[place]:.1f} 米;请核对高度与层数"

    odd.fault("height_m", (storey < low) | (storey > high), f"与层数相称(层高 {low:g}~{high:g} 米)", advise)


def _look_decimals(odd: Sheet) -> None:
    """Tell coordinates of three decimals or fewer, known to a hundred metres at best; a last nought Excel drops."""
    few = np.ones(len(odd.rows), dtype=bool)
    for key in ("lon", "lat"):
        few &= odd.cells(key).str.fullmatch(_FEW_DECIMALS.pattern).fillna(value=False).to_numpy(dtype=bool)
    for key in ("lon", "lat"):
        odd.fault(key, few, "至少四位小数", "位数太少,位置可能差一百米以上")


def owners(ground: Ground, x: Floats, y: Floats) -> npt.NDArray[np.int64]:
    """Give the number of the town in which each point (metres) lies, -1 where it lies in none."""
    owner = np.full(len(x), -1, dtype=np.int64)
    for n, polygon in enumerate(ground.polygons):
        shapely.prepare(polygon)
        owner[shapely.contains_xy(polygon, x, y)] = n
    return owner


def _look_places(
    odd: Sheet,
    bad: Sheet,
    frame: pd.DataFrame,
    x: Floats,
    y: Floats,
    ground: Ground,
) -> None:
    """Hold each place against the towns' polygons: outside all of them, or not in the town it states."""
    if not len(ground.polygons):
        return
    known = np.isfinite(x)
    owner = owners(ground, x, y)
    whole = shapely.union_all(ground.polygons)
    outside = known & (owner < 0)
    away = np.zeros(len(x))
    away[outside] = shapely.distance(whole, shapely.points(x[outside], y[outside]))
    far = outside & (away > FARTHEST_M)
    kind = "" if ground.official else "(示意界线)"
    open_m = ground.lines_m + frame["error_m"].fillna(0).to_numpy(dtype=np.float64)

    def outside_by(place: int, _: str) -> str:
        return f"在区界{kind}外 {_shapes.far_off(away[place])};请核对坐标及其坐标系"

    bad.fault("lon", far, "本区范围内", outside_by)
    near = _told_together(odd, "lon", outside & ~far & (away <= open_m), away, "本区范围内", ground)
    odd.fault("lon", outside & ~far & ~near, "本区范围内", outside_by)
    index = {name: n for n, name in enumerate(ground.towns)}
    stated = frame["town"].map(index).to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = (owner >= 0) & np.isfinite(stated) & (stated != owner)
    places = np.flatnonzero(wrong)
    off = np.zeros(len(x))
    if places.size:
        own = ground.polygons[stated[places].astype(int)]
        off[places] = shapely.distance(own, shapely.points(x[places], y[places]))
    near = _told_together(odd, "town", wrong & (off <= open_m), off, IN_TOWN, ground)

    def other_town(place: int, _: str) -> str:
        return f"坐标在{ground.towns[owner[place]]}{kind},距所写街镇 {off[place]:,.0f} 米;请核对坐标或街镇"

    odd.fault("town", wrong & ~near, IN_TOWN, other_town)


IN_TOWN = "坐标所在的街镇"
"""What is expected of the town that a row states or gets."""


def _told_together(odd: Sheet, key: str, near: Bools, away: Floats, expected: str, ground: Ground) -> Bools:
    """Tell in one line the places beyond a line that is itself no surer than that; give those that were told.

    Against official lines nobody is in doubt; and one alone is told in its row, as any other.
    """
    if ground.official or int(near.sum()) < 2:
        return np.zeros(len(near), dtype=bool)
    said = f"都只越过示意界线不到 {np.ceil(away[near].max()):,.0f} 米,界线本身可能差 {ground.lines_m:,.0f} 米以上"
    advice = f"{said},看不出谁错;不必逐行核对,换成正式界线后再看"
    found = Problem(odd.raw.file, None, key, f"{int(near.sum()):,} 行", expected, advice)
    odd.problems.append(found)
    return near


def _look_doubles(
    odd: Sheet,
    frame: pd.DataFrame,
    x: Floats,
    y: Floats,
    ground: Ground,
    existing: pd.DataFrame | None,
) -> None:
    """Tell records of one kind within `NEAR_M` of an earlier one, of the file or among those kept already."""
    kinds = frame["kind"].cat.codes.to_numpy()  # codes, for words would be a hundred thousand objects
    names = [*frame["kind"].cat.categories, ""]
    for kind in np.unique(kinds):
        mine = np.flatnonzero((kinds == kind) & np.isfinite(x))
        _tell_near(odd, mine, x, y)
    if existing is None or not {"id", "kind", "lon", "lat"} <= set(existing.columns):
        return
    old = existing[existing["lon"].notna() & existing["lat"].notna()]
    old_x, old_y = ground.projection.to_metres(old["lon"], old["lat"])
    old_kinds = old["kind"].astype("str").to_numpy(dtype=object)
    ids, own_ids = old["id"].astype("str").to_numpy(dtype=object), frame["id"].to_numpy(dtype=object)
    for kind in np.unique(kinds):
        mine = np.flatnonzero((kinds == kind) & np.isfinite(x))
        others = np.flatnonzero(old_kinds == names[kind])
        if not mine.size or not others.size:
            continue
        points, first, _ = _distinct(old_x[others], old_y[others])
        distance, at = _nearest(points, np.column_stack([x[mine], y[mine]]), 1)
        near = np.zeros(len(x), dtype=bool)
        words: dict[int, str] = {}
        for place, gap, target in zip(mine.tolist(), distance[:, 0].tolist(), at[:, 0].tolist(), strict=True):
            if np.isfinite(gap) and ids[others[first[target]]] != own_ids[place]:
                near[place] = True
                words[place] = f"与库中的“{ids[others[first[target]]]}”相距 {gap:.0f} 米,是否同一处"
        odd.fault("lon", near, f"与同类记录相距 {NEAR_M:g} 米以上", _word_of(words))


def _word_of(words: dict[int, str]) -> Callable[[int, str], str]:
    return lambda place, _: words[place]


def _nearest(points: Floats, asked: Floats, count: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Give distances to the nearest points and their places, (n, count); endless where none is within `NEAR_M`."""
    from scipy.spatial import cKDTree  # a quarter of a second that the first page does without

    distance, at = cKDTree(points).query(asked, k=list(range(1, count + 1)), distance_upper_bound=NEAR_M)
    return np.asarray(distance, dtype=np.float64), np.asarray(at, dtype=np.int64)


def _distinct(x: Floats, y: Floats) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give the different places (to the decimetre), the first row of each, and each row's place.

    A tree of equal points is slow: a file that puts all its rows in one place must not be.
    """
    keys = (np.round(x * 10).astype(np.int64) << 32) + np.round(y * 10).astype(np.int64)
    group, _ = pd.factorize(keys)
    _, first = np.unique(group, return_index=True)
    return np.column_stack([x[first], y[first]]), first, np.asarray(group, dtype=np.int64)


def _tell_near(odd: Sheet, mine: npt.NDArray[np.int64], x: Floats, y: Floats) -> None:
    if mine.size < 2:
        return
    points, first, group = _distinct(x[mine], y[mine])
    near = np.zeros(len(x), dtype=bool)
    words: dict[int, str] = {}
    firsts = mine[first]
    for place, number in zip(mine.tolist(), group.tolist(), strict=True):
        if firsts[number] != place:
            near[place] = True
            words[place] = f"与{odd.where(firsts[number])}在同一位置,是否重复"
    if len(points) > 1:
        distance, at = _nearest(points, points, 2)
        for n in np.flatnonzero(np.isfinite(distance[:, 1])).tolist():
            later, earlier = max(n, int(at[n, 1])), min(n, int(at[n, 1]))
            place = int(firsts[later])
            if not near[place]:
                near[place] = True
                words[place] = f"与{odd.where(firsts[earlier])}相距 {distance[n, 1]:.0f} 米,是否重复"
    odd.fault("lon", near, f"与同类记录相距 {NEAR_M:g} 米以上", _word_of(words))
