"""Towns on the bench: in which one a row lies by its place, by its address, or as it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qjmap._bench import Bools, Floats, Repair, Work, as_list
from qjmap._repairs import town as meant_by
from qjmap._repairs import written
from qjmap.checks import UNPLACED
from qjmap.errors import Problem
from qjmap.ingest import Source
from qjmap.matching import ADDRESS
from qjmap.merging import key_of
from qjmap.oddities import IN_TOWN, owners
from qjmap.places import Place


def _kept_towns(work: Work) -> None:
    """Hold a new place against the town that a record has already, where the file says none: it stays kept."""
    existing, key = work.around.existing, key_of(work.spec)
    if existing is None or key is None or not {key, "town"} <= {*existing.columns}:
        return
    blank = work.again() & work.cells["town"].isna().to_numpy()
    if blank.any():
        towns = existing.drop_duplicates(key).set_index(key)["town"].astype("str")
        work.cells["town"] = work.cells["town"].where(~blank, work.cells[key].map(towns)).astype("str")


_SHEET, _LAYER, _FOLDER = ("sheet-town", "工作表"), ("layer-town", "图层"), ("folder-town", "文件夹")
_CALLED = {"xlsx": _SHEET, "xls": _SHEET, "gpkg": _LAYER, "shp": _LAYER, "kml": _FOLDER}


def towns_of_sheets(source: Source, towns: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Give of a workbook's sheets that are read those that are called as a town, and that town; of a KML its folders.

    Parameters
    ----------
    source
        A sheet, or several that are read together; a layer of a GeoPackage or a Shapefile; a KML.
    towns, names
        The district's towns; its own names, which may stand before a town's.
    """
    if source.format not in _CALLED:
        return {}
    sheets = [one.name for one in source.parts or (source,)]
    if source.format == "kml":
        paths = source.table.frame[source.folders].dropna().unique() if source.folders else ()
        sheets = list(dict.fromkeys(name for path in paths for name in str(path).split("/")))
    found = {name: (name, "", "") if name in towns else meant_by(name, towns, names) for name in sheets}
    return {name: fix[0] for name, fix in found.items() if fix is not None and fix[0]}


def by_sheet(work: Work) -> None:
    """Give the rows of a sheet, layer or folder that is called as a town that town, where no column says it."""
    if "town" not in work.spec.columns or "town" in {*work.matches, *work.fills}:
        return
    towns = towns_of_sheets(work.source, work.around.gazetteer.towns, work.around.names)
    kind, called = _CALLED.get(work.source.format, _SHEET)
    mine = ~work.left & ~work.again()  # what is kept of a known record stays
    for n, (name, rows) in enumerate(_gathered(work.source, towns) if towns else ()):
        where, meant = rows & mine, towns.get(name, "")
        if not meant or not where.any() or not work.allows(kind, "town", n):
            continue
        why = f"没有街镇列;{called}名“{name}”即{meant},共 {where.sum():,} 行"
        repair = Repair(f"{kind}:town:{n}", None, work.told("town"), None, meant, why, name)
        work.repairs.append(repair)
        work.cells["town"] = work.cells["town"].mask(where, meant).astype("str")


def _gathered(source: Source, towns: Mapping[str, str]) -> Iterator[tuple[str, Bools]]:
    """Give the rows of each sheet or layer; of a KML those of each folder of a town, the innermost that is one."""
    count = len(source.table.rows)
    if source.format == "kml":
        paths = source.table.frame[source.folders].astype("category").cat
        named = [
            next((one for one in reversed(str(path).split("/")) if one in towns), "")
            for path in paths.categories
        ]
        own = np.array([*named, ""], dtype=object)[paths.codes]  # of a row in no folder the code is -1
        yield from ((name, own == name) for name in towns)
        return
    start = 0
    for one in source.parts or (source,):
        where, stop = np.zeros(count, dtype=bool), start + len(one.table.rows)
        where[start:stop] = True
        start = stop
        yield one.name, where


def by_place(work: Work) -> None:
    """Give rows that have a place and name no town the town in which they lie."""
    _kept_towns(work)
    ground = work.around.ground
    lon, lat = (
        pd.to_numeric(work.cells[key], errors="coerce").to_numpy(dtype=np.float64) for key in ("lon", "lat")
    )
    bare = work.cells["town"].isna().to_numpy() & np.isfinite(lon) & np.isfinite(lat) & ~work.left
    places = np.flatnonzero(bare)
    if not places.size or not len(ground.polygons):
        return
    x, y = ground.projection.to_metres(lon[places], lat[places])
    owner = owners(ground, x, y)
    inside = owner >= 0
    places, owner, x, y = places[inside], owner[inside], x[inside], y[inside]
    lines = "界线" if ground.official else "示意界线"
    names = [ground.towns[n] for n in owner.tolist()]
    why = {name: f"没有写街镇;坐标按{lines}落在{name}" for name in ground.towns}
    nearest, gap = _next_towns(work, places, owner, x, y)
    doubt = [
        f",离{ground.towns[n]}只有 {m:.0f} 米" if n >= 0 else "" for n, m in zip(nearest, gap, strict=True)
    ]
    whys = [why[name] + doubt[n] for n, name in enumerate(names)]
    work.for_cells("town", places.tolist(), names, "town-by-place", whys)
    taken = work.cells["town"].iloc[places].notna().to_numpy() & (nearest >= 0)
    _warn_near_lines(work, places[taken], nearest[taken], gap[taken])


def _next_towns(
    work: Work, places: npt.NDArray[np.int64], owner: npt.NDArray[np.int64], x: Floats, y: Floats
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Give for each point the other town that it may as well lie in (-1: none) and its distance in metres."""
    ground = work.around.ground
    own = pd.to_numeric(work.cells["error_m"].iloc[places], errors="coerce").fillna(0)
    points = shapely.points(x, y)
    reach = own.to_numpy(dtype=np.float64) + ground.lines_m
    at, town = shapely.STRtree(ground.polygons).query(points, predicate="dwithin", distance=reach)
    other = town != owner[at]
    at, town = at[other], town[other]
    gap = shapely.distance(points[at], ground.polygons[town])
    order = np.lexsort((gap, at))
    which, first = np.unique(at[order], return_index=True)
    nearest, away = np.full(len(places), -1, dtype=np.int64), np.full(len(places), np.inf)
    nearest[which], away[which] = town[order[first]], gap[order[first]]
    return nearest, away


def _warn_near_lines(
    work: Work, places: npt.NDArray[np.int64], nearest: npt.NDArray[np.int64], gap: Floats
) -> None:
    """Warn of towns taken from a place that may as well lie in the next one; near schematic lines of all at once."""
    ground, column = work.around.ground, work.told("town")
    if not ground.official and len(places) > 1:
        count, most = f"{len(places):,} 行", gap.max()
        said = f"离邻镇至多 {most:,.0f} 米,示意界线本身可能差 {ground.lines_m:,.0f} 米以上,可能属邻镇"
        advice = f"{said};各行的邻镇和距离见自动修正“按坐标得知街镇”,知道街镇的请写进文件"
        work.warnings.append(Problem(work.file, None, column, count, IN_TOWN, advice))
        return
    lines = "" if ground.official else ";示意界线可能差几百米"
    for place, n, m in zip(places.tolist(), nearest.tolist(), gap.tolist(), strict=True):
        said = f"离{ground.towns[n]}只有 {m:.0f} 米{lines};请核对街镇"
        found = str(work.cells["town"].iloc[place])
        work.warnings.append(Problem(work.file, int(work.rows[place]), column, found, IN_TOWN, said))


def by_address(work: Work) -> None:
    """Put rows without coordinates into the village or town that they name; the rest is 未定位."""
    without = (work.cells["lon"].isna() & work.cells["lat"].isna()).to_numpy() & ~work.left
    said = work.cells["position"].notna().to_numpy()
    # of a record that is kept the place is known, unless the file names another
    without &= (
        ~work.again() | work.cells[ADDRESS].notna().to_numpy() | work.cells["village"].notna().to_numpy()
    )
    places = np.flatnonzero(without).tolist()
    found: dict[tuple[str, str, str], Place] = {}
    towns: dict[int, str] = {}
    villages: dict[int, str] = {}
    lost: list[int] = []
    placed = 0
    texts = [as_list(work.cells[key]) for key in (ADDRESS, "town", "village")]
    known = set(work.around.gazetteer.towns)
    for place in places:
        address, town, village = (column[place] for column in texts)
        if not (address or village):
            if not town and not said[place]:
                lost.append(place)
            continue
        asked = (address, town if town in known else "", village)
        if asked not in found:
            found[asked] = work.around.gazetteer.find(*asked)
        one = found[asked]
        if one.choices or one.elsewhere:
            _doubt(work, place, address or village, one)
        if one.town and not town:
            towns[place] = one.town
        if one.village and not village:
            villages[place] = one.village
        if np.isfinite(one.lon) and not said[place]:
            _set_place(work, place, one)
            placed += 1
        elif not (one.town or town) and not said[place]:
            lost.append(place)
    for key, values in (("town", towns), ("village", villages)):
        if values:
            column = work.told(ADDRESS) if ADDRESS in work.matches else work.told("village")
            why = f"由“{column}”得知"
            work.for_cells(key, list(values), list(values.values()), "address", [why] * len(values))
    if lost:
        _write(work, "position", dict.fromkeys(lost, UNPLACED))
        work.warnings.append(_of_lost(work, lost))
    rest = len(places) - len(lost) - placed
    if rest > 0:
        work.notes.append(f"{rest} 行没有坐标,按街镇近似定位,误差按街镇大小计")
    if placed:
        work.notes.append(f"{placed} 行没有坐标,按所在村(社区)近似定位")


def _of_lost(work: Work, lost: Sequence[int]) -> Problem:
    """Warn once of rows that count for no town."""
    row, found = int(work.rows[lost[0]]), work.told("town")
    said = f"共 {len(lost):,} 行没有坐标,也看不出街镇:导入后记“未定位”,不计入任何街镇"
    if work.below:
        said += ";看来街镇只写在每组第一行,可在上面说明“空白的与上面一行同街镇”"
    return Problem(work.file, row, found, None, "街镇、地址或坐标", said)


def _doubt(work: Work, place: int, text: str, found: Place) -> None:
    """Say of an address that it names several places, perhaps one, or another district."""
    name = work.told(ADDRESS) if ADDRESS in work.matches else work.told("village")
    expected, advice = "一处地方", f"可能是:{'、'.join(found.choices[:6])};请写明街镇和村(社区)"
    if found.elsewhere:
        expected, advice = "本区的地址", f"写的是{found.elsewhere},没有按地址定位;确在本区的,请改正地址"
    work.warnings.append(Problem(work.file, int(work.rows[place]), name, text, expected, advice))


def _set_place(work: Work, place: int, found: Place) -> None:
    row, new = int(work.rows[place]), f"{found.lon:.6f}, {found.lat:.6f}"
    why = f"由地址得知在{found.town}{found.village},误差约 {found.error_m:.0f} 米"
    if work.for_row("village", "lon", row, None, new, why):
        _write(work, "lon", {place: written(found.lon)})
        _write(work, "lat", {place: written(found.lat)})
        _write(work, "position", {place: "村社近似"})
        _write(work, "error_m", {place: written(found.error_m)})


def _write(work: Work, key: str, values: Mapping[int, str]) -> None:
    cells = work.cells[key].astype(object).to_numpy(copy=True)
    for place, value in values.items():
        cells[place] = value
    work.cells[key] = pd.Series(cells, index=work.cells[key].index).astype("str")
