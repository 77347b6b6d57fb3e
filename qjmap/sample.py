"""Invented registers, so that the map can be shown before the real ones come. Every row says 演示.

Nothing here is a fact: positions follow jittered street grids round the towns' seats, attributes are drawn
from made-up but plausible distributions. One seed gives one set of registers, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qjmap.checks import DEMO, MEASURED
from qjmap.district import District
from qjmap.errors import DataError, QjmapError
from qjmap.population import whole_parts

SEED = 20230320
"""The seed of the registers that ship."""

Floats = npt.NDArray[np.float64]
Strings = npt.NDArray[np.object_]

_ALONG_M, _BETWEEN_M, _CROSS_M = 100.0, 200.0, 300.0  # hydrants on a street, streets, cross streets
_MARGIN_M = 50.0  # from the town's line: keeps neighbours' streets apart
_BEND_M, _WAVE_M = 50.0, 1500.0  # streets bend
_SCALES = (1.0, 0.85, 0.7)  # denser streets where a town has no room for more of them


class NoRoomError(QjmapError, ValueError):
    """More records than a town has room for."""


# ---- where --------------------------------------------------------------------------------------


def hydrants(district: District, n: int = 2000, seed: int = SEED) -> pd.DataFrame:
    """Invent hydrants along the streets of every town, more where more people live.

    Parameters
    ----------
    district
        Towns and boundaries.
    n
        How many; up to about 20,000 fit at 綦江 at a natural spacing: some 100 m along a street, and no two
        hydrants nearer than 40 m.
    seed
        The seed.

    Returns
    -------
    pandas.DataFrame
        The layer's columns in the registry's order, ready to be written as CSV.

    Raises
    ------
    DataError
        The district has no boundaries to put them in.
    NoRoomError
        There is no room for so many.
    """
    rng = np.random.default_rng([seed, 1])
    town, x, y = _place(district, rng, n, urban=2.0)
    flow = np.clip(rng.normal(16, 3, n), 5, 30).round(1)
    pressure = np.clip(rng.normal(0.22, 0.06, n), 0.05, 0.5).round(2)
    columns = {
        "kind": _draw(rng, n, {"市政消火栓": 85, "小区消火栓": 15}),
        "service": _draw(rng, n, {"在用": 92, "报修": 4, "停用": 3, "未知": 1}),
        "form": _draw(rng, n, {"地上式": 88, "地下式": 10, "未知": 2}),
        "diameter_mm": _draw(rng, n, {100: 75, 150: 20, 65: 5}),
        "flow_l_s": np.where(rng.random(n) < 0.1, np.nan, flow),
        "pressure_mpa": np.where(rng.random(n) < 0.1, np.nan, pressure),
    }
    return _register(district, "hydrants", town, x, y, columns)


def fire_ponds(district: District, n: int = 150, seed: int = SEED) -> pd.DataFrame:
    """Invent ponds and tanks in the towns and intakes in the country; see `hydrants`."""
    rng = np.random.default_rng([seed, 2])
    built = n * 3 // 5
    towns = [
        _place(district, rng, built, urban=1.0, spread=1.0),
        _place(district, rng, n - built, urban=0.2, open_country=True),
    ]
    town, x, y = (np.concatenate(parts) for parts in zip(*towns, strict=True))
    kind = np.concatenate(
        [
            _draw(rng, built, {"消防水池": 75, "消防水箱": 25}),
            _draw(rng, n - built, {"天然取水点": 60, "取水码头": 15, "取水泵房": 25}),
        ]
    )
    pool, tank, natural = kind == "消防水池", kind == "消防水箱", np.arange(n) >= built
    columns = {
        "kind": kind,
        "volume_m3": np.select(
            [pool, tank], [rng.integers(2, 21, n) * 50.0, rng.integers(6, 19, n) * 2.0], np.nan
        ),
        "lift_m": np.where(natural, rng.uniform(1.5, 8, n).round(1), np.nan),
        "pipe_mm": _draw(rng, n, {100: 60, 150: 30, 200: 10}),
        "access": _draw(rng, n, {"有": 70, "无": 22, "未知": 8}),
    }
    return _register(district, "fire_ponds", town, x, y, columns)


def fire_stations(district: District, n: int = 25, seed: int = SEED) -> pd.DataFrame:
    """Invent fire stations: national ones in the largest towns, then full-time and volunteer brigades."""
    rng = np.random.default_rng([seed, 3])
    weight = _weights(district, urban=2.0)
    order = np.argsort(-weight, kind="stable")[np.arange(n) % weight.size]
    counts = np.bincount(order, minlength=weight.size)
    town, x, y = _place(district, rng, n, counts=counts, spread=1.0)
    # back to the order of size: the n-th time a town comes up it gets its n-th place
    slots = np.argsort(order, kind="stable")
    town[slots], x[slots], y[slots] = town.copy(), x.copy(), y.copy()
    national, full_time = max(n // 8, 1), n // 3
    rank = np.repeat([0, 1, 2], [national, full_time, n - national - full_time])
    columns = {
        "kind": np.asarray(["国家综合性消防救援站", "政府专职消防队", "志愿消防队"], dtype=object)[rank],
        "staff": rng.integers([30, 15, 6], [46, 26, 16], (n, 3))[np.arange(n), rank],
        "engines": rng.integers([4, 2, 1], [8, 4, 2], (n, 3))[np.arange(n), rank],
        "ladders": rng.integers([1, 0, 0], [3, 2, 1], (n, 3))[np.arange(n), rank],
    }
    return _register(district, "fire_stations", town, x, y, columns)


def micro_stations(district: District, n: int = 120, seed: int = SEED) -> pd.DataFrame:
    """Invent micro fire stations: those of villages anywhere, the others in the towns."""
    rng = np.random.default_rng([seed, 4])
    village = n * 7 // 10
    places = [
        _place(district, rng, village, urban=0.7, open_country=True),
        _place(district, rng, n - village, urban=2.0, spread=1.0),
    ]
    town, x, y = (np.concatenate(parts) for parts in zip(*places, strict=True))
    others = _draw(rng, n - village, {"消防安全重点单位": 60, "居民住宅小区": 40})
    kind = np.concatenate([np.full(village, "村(社区)", dtype=object), others])
    return _register(district, "micro_stations", town, x, y, {"kind": kind, "staff": rng.integers(4, 11, n)})


def highrises(district: District, n: int = 600, seed: int = SEED) -> pd.DataFrame:
    """Invent high-rise buildings, nearly all of them in the urban towns."""
    rng = np.random.default_rng([seed, 5])
    town, x, y = _place(district, rng, n, urban=20.0, spread=0.6)
    home = rng.random(n) < 0.75
    floors = np.where(home, rng.integers(10, 35, n), rng.integers(7, 27, n))
    height = np.where(home, floors * 2.95 + 0.6, floors * 3.9 + 1.5).round(1)
    found = rng.poisson(2.5, n)
    classes = _draw(rng, n, {"消防设施": 35, "生命通道": 25, "用电用气": 15, "建筑防火": 10, "日常管理": 15})
    columns = {
        "kind": np.where(home, "高层住宅建筑", "高层公共建筑"),
        "height_m": height,
        "floors": floors,
        "households": pd.array(np.where(home, floors * rng.integers(2, 7, n), np.nan), dtype="Int64"),
        "hazards_found": found,
        "hazards_open": rng.binomial(found, 0.3),
        "hazard_class": np.where(found == 0, "无", classes),
        "water_fault": _draw(rng, n, {"有": 12, "无": 80, "未知": 8}),
        "plan": _draw(rng, n, {"有": 85, "无": 10, "未知": 5}),
        "safety_code": _draw(rng, n, {"有": 75, "无": 20, "未知": 5}),
        "spot_checked": _draw(rng, n, {"是": 8, "否": 92}),
    }
    return _register(district, "highrises", town, x, y, columns)


MAKERS: Mapping[str, Callable[..., pd.DataFrame]] = {
    "hydrants": hydrants,
    "fire_ponds": fire_ponds,
    "fire_stations": fire_stations,
    "micro_stations": micro_stations,
    "highrises": highrises,
}
"""The layers that can be invented; each maker takes (district, n, seed)."""


# ---- how ----------------------------------------------------------------------------------------


def _draw(rng: np.random.Generator, n: int, odds: Mapping[str, int] | Mapping[int, int]) -> Strings:
    """Draw n values by their odds."""
    share = np.asarray(list(odds.values()), dtype=float)
    return np.asarray(list(odds), dtype=object)[rng.choice(share.size, n, p=share / share.sum())]


def _weights(district: District, *, urban: float) -> Floats:
    """Give each town's share: its people (of the latest year), those in 城区 counted `urban` times."""
    latest = max(one.year for one in district.settings.totals)
    people = district.towns[f"population_{latest}"].to_numpy(dtype=float)
    weight: Floats = people * np.where(district.towns["setting"] == "城区", urban, 1.0)
    shares: Floats = weight / weight.sum()
    return shares


def _place(
    district: District,
    rng: np.random.Generator,
    n: int,
    *,
    urban: float = 1.0,
    spread: float = 0.15,
    open_country: bool = False,
    counts: Sequence[int] | npt.NDArray[np.int64] | None = None,
) -> tuple[Strings, Floats, Floats]:
    """Place n records in the towns: names, x, y (metres), town by town."""
    if district.boundary_problems:
        raise DataError(district.boundary_problems)
    if counts is None:
        counts = whole_parts(_weights(district, urban=urban) * n, n)
    centres = _centres(district)
    parts = []
    for name, count in zip(district.towns.index, counts, strict=True):
        inner = district.boundaries.geometry[name].buffer(-_MARGIN_M)
        if inner.is_empty and count:
            raise NoRoomError(f"{name}放不下 {count} 处:离界线 {_MARGIN_M:g} 米以内不放")
        if open_country:
            parts.append(_scattered(rng, inner, int(count)))
        else:
            parts.append(_on_streets(rng, inner, centres[name], int(count), spread))
    x, y = np.concatenate(parts).T
    return np.repeat(np.asarray(district.towns.index, dtype=object), counts), x, y


def _centres(district: District) -> dict[str, tuple[float, float]]:
    """Give each town's middle of streets: its seat, else the place in it that is nearest to a neighbour's
    seat.
    """
    towns = district.towns
    seats = np.column_stack([towns["seat_x"], towns["seat_y"]])
    known = seats[np.isfinite(seats).all(axis=1)]
    found = {}
    for name, seat, point in zip(
        towns.index, seats, np.column_stack([towns["point_x"], towns["point_y"]]), strict=True
    ):
        if not np.isfinite(seat).all():
            distances = np.hypot(*(known - point).T)
            seat = known[distances.argmin()] if known.size else point
        inner = district.boundaries.geometry[name].buffer(-10 * _MARGIN_M)
        nearest = shapely.shortest_line(inner, shapely.Point(seat))
        found[str(name)] = (float(point[0]), float(point[1])) if nearest is None else nearest.coords[0]
    return found


def _scattered(rng: np.random.Generator, polygon: shapely.Geometry, n: int) -> Floats:
    """Give n places anywhere in a polygon, shape (n, 2)."""
    west, south, east, north = polygon.bounds
    found = np.empty((0, 2))
    while len(found) < n:
        more = rng.uniform((west, south), (east, north), (2 * n + 8, 2))
        found = np.vstack([found, more[shapely.contains_xy(polygon, more)]])
    return found[:n]


def _on_streets(
    rng: np.random.Generator, polygon: shapely.Geometry, centre: tuple[float, float], n: int, spread: float
) -> Floats:
    """Give the n places of a street grid that are nearest to a centre, shape (n, 2).

    Distances are shaken by `spread` (a standard deviation of their logarithm), so that the edge of the town
    is ragged and, where it is large, the places lie loosely.
    """
    turn, phase = rng.uniform(0, np.pi / 2), rng.uniform(0, 2 * np.pi, 2)
    reach = shapely.hausdorff_distance(polygon, shapely.Point(centre))
    for scale in _SCALES:
        grid = _street_grid(rng, reach / scale) * scale
        u, v = grid.T
        u = u + scale * _BEND_M * np.sin(v / (_WAVE_M * scale) * 2 * np.pi + phase[0])
        v = v + scale * _BEND_M * np.sin(u / (_WAVE_M * scale) * 2 * np.pi + phase[1])
        x = centre[0] + u * np.cos(turn) - v * np.sin(turn)
        y = centre[1] + u * np.sin(turn) + v * np.cos(turn)
        inside = shapely.contains_xy(polygon, x, y)
        x, y = x[inside], y[inside]
        if x.size >= n:
            away = np.hypot(x - centre[0], y - centre[1]) * np.exp(rng.normal(0, spread, x.size))
            nearest = np.sort(np.argsort(away, kind="stable")[:n])
            return np.column_stack([x[nearest], y[nearest]])
    raise NoRoomError(f"放不下 {n} 处:面积 {polygon.area / 1e6:.1f} 平方千米")


def _street_grid(rng: np.random.Generator, reach: float) -> Floats:
    """Give places along straight streets and their cross streets within a square of half-width `reach`."""
    i = np.arange(-np.ceil(reach / _ALONG_M), np.ceil(reach / _ALONG_M) + 1) * _ALONG_M
    j = np.arange(-np.ceil(reach / _BETWEEN_M), np.ceil(reach / _BETWEEN_M) + 1) * _BETWEEN_M
    k = np.arange(-np.ceil(reach / _CROSS_M), np.ceil(reach / _CROSS_M) + 1) * _CROSS_M
    along = np.stack(np.meshgrid(i, j), axis=-1).reshape(-1, 2)
    across = np.stack(np.meshgrid(k, j + _BETWEEN_M / 2), axis=-1).reshape(-1, 2)
    shaken = np.vstack([along, across])
    return shaken + rng.uniform(-10, 10, shaken.shape)


def _register(
    district: District, key: str, town: Strings, x: Floats, y: Floats, columns: Mapping[str, object]
) -> pd.DataFrame:
    """Make the layer's frame: the common columns that mark every row as 演示, and its own."""
    spec = district.registry.spec(key)
    lon, lat = district.projection.to_degrees(x, y)
    numbers = [f"{number:05d}" for number in range(1, len(town) + 1)]
    common = {
        "id": [f"D-{key}-{number}" for number in numbers],
        "name": [f"{DEMO}-{spec.label}{number}" for number in numbers],
        "town": town,
        "status": "现状",
        "lon": lon.round(6),
        "lat": lat.round(6),
        "position": MEASURED,
        "error_m": 10,
        "source": DEMO,
        "note": "演示数据",
    }
    return pd.DataFrame({**common, **columns}).reindex(columns=list(spec.columns))
