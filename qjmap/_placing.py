"""Places on the bench: coordinates or shapes read as a person chose, and how well they are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qjmap import _lonlat, accuracy, datum
from qjmap import _shapes as shapes_as_text
from qjmap._bench import Bools, Floats, Work, like
from qjmap._repairs import seen, written
from qjmap._towns import by_address, by_place
from qjmap.checks import LISTED
from qjmap.coordinates import by_row, columns, of_shapes
from qjmap.errors import Problem
from qjmap.merging import CLEAR

_SAID_OF_ALL = "文件没有这一列,有坐标的行按所选填写"
_DEGREES, _METRES_A_DEGREE = 180.0, 111_320.0  # what is larger is in metres; a degree is that long at most
_COMMA = r"\s*[+-]?\d{1,3}[,,]\d{3,}\s*"  # a decimal comma in a coordinate


def place(work: Work, reading: datum.Reading | None) -> None:
    """Fill longitude and latitude, or the shape, from the reading; put what has none into its village or town."""
    if work.spec.shaped:
        _shapes(work, reading)
        return
    if not {"lon", "lat"} <= work.spec.columns.keys():
        return
    reach = _points_only(work) if work.source.geometry is not None else 0.0
    found = columns(work.source, work.matches)
    if found is not None:
        _degrees(work, found, reading)
        work.digits = np.maximum(work.digits, reach)
        _blank_cleared(work)
    if work.spec.placed:
        _know_places(work)
        by_place(work)
        by_address(work)


def _blank_cleared(work: Work) -> None:
    """Coordinates are read from the file itself, where the word still stands."""
    for key in ("lon", "lat"):
        work.cells[key] = work.cells[key].mask(like(work.cells[key], rf"\s*{CLEAR}\s*"))


def _know_places(work: Work) -> None:
    """Say of coordinates how they are known: as the person says of all, else that nobody knows; and how well."""
    given = (work.cells["lon"].notna() & work.cells["lat"].notna()).to_numpy() & ~work.left
    unsaid = given & work.cells["position"].isna().to_numpy()
    way = work.fills.get("position", "")
    if way and unsaid.any() and not work.for_column("fill", "position", None, way, _SAID_OF_ALL):
        way = ""
    _put(work, "position", unsaid, way or LISTED)
    if unsaid.any() and not way:
        work.notes.append(
            f"{unsaid.sum()} 行有坐标而没有写定位方式:记为“{LISTED}”({work.around.positions[LISTED].said});"
            "知道怎样取得的,请在“列”一步选“定位方式”“定位误差”整列怎样填,或在文件里加这两列"
        )
    open_ = given & work.cells["error_m"].isna().to_numpy()
    error = work.fills.get("error_m", "")
    if error and open_.any() and work.for_column("fill", "error_m", None, error, _SAID_OF_ALL):
        _put(work, "error_m", open_, error)
    else:
        _assume_errors(work, open_)


def _assume_errors(work: Work, open_: Bools) -> None:
    """Give places whose error nobody says the one that their digits leave open, and no less than is assumed."""
    for way, assumed in work.around.positions.items():
        rows = open_ & (work.cells["position"] == way).fillna(value=False).to_numpy(dtype=bool)
        error = np.ceil(np.maximum(work.digits, assumed.error_m) + work.shift)
        rows &= np.isfinite(error)
        for metres in np.unique(error[rows]).tolist():
            _put(work, "error_m", rows & (error == metres), written(metres))
        kept = rows & _in_the_district(work)  # of the others it is told that they are wrong
        if kept.any():
            added = float(np.max(work.shift, initial=0.0))
            shift = f",坐标系换算另加{'最多' if np.ndim(work.shift) else ''} {added:g} 米" if added else ""
            work.notes.append(
                f"{kept.sum()} 行“{way}”没有写误差:按坐标的位数计,不小于 {assumed.error_m:g} 米{shift}(假定),"
                f"最大 {error[kept].max():g} 米"
            )


def _in_the_district(work: Work) -> Bools:
    """Mark the rows whose coordinates lie where those of the district do."""
    west, south, east, north = work.around.context.box or (-180.0, -90.0, 180.0, 90.0)
    lon, lat = (
        pd.to_numeric(work.cells[key], errors="coerce").to_numpy(np.float64) for key in ("lon", "lat")
    )
    inside: Bools = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return inside


def _put(work: Work, key: str, rows: Bools, value: str) -> None:
    if rows.any():
        work.cells[key] = work.cells[key].mask(rows, value)


def _degrees(work: Work, text: tuple[pd.Series, pd.Series], reading: datum.Reading | None) -> None:
    unseen = np.zeros(len(work.rows), dtype=bool)
    text = _seen(work, "lon", text[0], unseen), _seen(work, "lat", text[1], unseen)
    x, y = text
    if reading is not None and reading.swapped:
        if work.for_column("swap", "lon", None, None, "经度、纬度两列写反,全部对调"):
            x, y = y, x
        else:
            reading = replace(reading, lon=reading.lat, lat=reading.lon, swapped=False)
    x_text, y_text = (one.astype("str") for one in (x, y))
    numbers = (_lonlat.parse(x_text)[0], _lonlat.parse(y_text)[0])
    nowhere = _refuse_noughts(work, numbers)
    if nowhere.any():
        unseen |= nowhere
        x_text, y_text = x_text.mask(nowhere), y_text.mask(nowhere)
    work.cells["lon"], work.cells["lat"] = x_text, y_text
    work.digits = accuracy.of_degrees(*numbers)
    if reading is None:
        return
    if reading.key != datum.WGS84 and not work.for_column(
        "datum", "lon", None, reading.label, f"坐标按“{reading.label}”换算为 WGS-84 十进制度"
    ):
        return
    if reading.key in work.around.shifts:
        work.shift = work.around.shifts[reading.key].error_m
    elif reading.rows is not None:
        work.shift = _row_by_row(work, reading.rows)
    elif reading.key == datum.DMS:
        work.digits = accuracy.of_minutes(*numbers)
    elif reading.key == datum.PACKED:
        work.digits = accuracy.of_minutes(*datum.unpacked(*numbers))
    elif reading.metres:
        work.digits = accuracy.of_metres(*numbers)
    lon, lat = reading.lon.copy(), reading.lat.copy()
    lon[unseen] = lat[unseen] = np.nan
    _commas(work, x_text, y_text, lon, lat)
    _turn(work, lon, lat, text, reading)
    good = np.isfinite(lon) & np.isfinite(lat)
    same = reading.key == datum.WGS84
    for key, text_of, values in (("lon", x_text, lon), ("lat", y_text, lat)):
        # plain degrees stay as they were written: their decimals say how good they are
        plainly = like(text_of, r"[+-]?[0-9]+(?:\.[0-9]*)?")
        as_written = plainly & same & ~work.turned
        rewrite = good & ~as_written
        if same:
            rewrite &= ~_refused_writing(work, key, text_of, values, rewrite & ~work.turned)
        if not rewrite.any():
            continue
        kept = text_of.astype(object).to_numpy(copy=True)
        kept[rewrite] = [written(round(one, 8)) for one in values[rewrite].tolist()]
        work.cells[key] = pd.Series(kept, index=text_of.index).astype("str")


def _refuse_noughts(work: Work, numbers: tuple[Floats, Floats]) -> Bools:
    """Tell once of coordinates that are both 0, as instruments write that they have none; mark those rows."""
    nowhere: Bools = (numbers[0] == 0) & (numbers[1] == 0) & ~work.left
    advice = "两个都是 0,多半是软件没有取到坐标:请补填;不知道的把两格都留空,按地址或街镇定位"
    for place in np.flatnonzero(nowhere).tolist():
        row = int(work.rows[place])
        work.problems.append(Problem(work.file, row, work.told("lon"), "0, 0", "本区内的坐标", advice))
    return nowhere


def _seen(work: Work, key: str, text: pd.Series, refused: Bools) -> pd.Series:
    """Take away letters that nobody sees, and list it; mark the rows where a person will not have it."""
    text = text.set_axis(work.cells[key].index)
    odd = text.notna().to_numpy() & ~like(text, r"[-+0-9.]+")
    kept = text.astype(object).to_numpy(copy=True) if odd.any() else np.empty(0)
    for place in np.flatnonzero(odd).tolist():
        old = str(kept[place])
        new = seen(old).strip() or None
        if new == old.strip():
            continue
        if work.for_row("control", key, int(work.rows[place]), old, new, "去掉看不见的字符"):
            kept[place] = new
        else:
            refused[place] = True
    return pd.Series(kept, index=text.index).astype("str") if odd.any() else text


def _row_by_row(work: Work, rows: npt.NDArray[np.int8]) -> Floats:
    """Refuse rows of unknown coordinates; give what conversion adds to the error of each of the others."""
    said = by_row(work.source, work.matches)
    if said is not None:
        expected = "坐标系:WGS-84、CGCS2000、GCJ-02(高德、腾讯)或 BD-09(百度)"
        cells = work.source.table.frame[said.column]
        blank = cells.isna().to_numpy()
        for place in np.flatnonzero(said.unknown & ~work.left).tolist():
            value = None if blank[place] else str(cells.iat[place])
            advice = "其他坐标系请先换算" if value else "请写明这一行的坐标是哪一种"
            work.problems.append(
                Problem(work.file, int(work.rows[place]), said.column, value, expected, advice)
            )
    shifts = [work.around.shifts[key].error_m if key in work.around.shifts else 0.0 for key in datum.ROW_KEYS]
    return np.array([*shifts, 0.0])[rows]


def _refused_writing(work: Work, key: str, text: pd.Series, values: Floats, other: Bools) -> Bools:
    """List degrees that are written otherwise than as decimals; mark those that shall not be read so."""
    refused = np.zeros(len(other), dtype=bool)
    other = other & ~like(text, _COMMA)
    why = "度分秒等写法换算为十进制度"
    for place in np.flatnonzero(other).tolist():
        row, old = int(work.rows[place]), str(text.iat[place])
        new = written(round(float(values[place]), 8))
        refused[place] = not work.for_row("degrees", key, row, old, new, why)
    return refused


def _commas(work: Work, x: pd.Series, y: pd.Series, lon: Floats, lat: Floats) -> None:
    """List decimal commas; a refused one is no number."""
    for key, text in (("lon", x), ("lat", y)):
        comma = like(text, _COMMA)
        for place in np.flatnonzero(comma).tolist():
            row, old = int(work.rows[place]), str(text.iat[place])
            new = old.replace(",", ",").replace(",", ".")
            if not work.for_row("comma", key, row, old, new, "小数点写成了逗号"):
                lon[place] = lat[place] = np.nan


def _turn(
    work: Work, lon: Floats, lat: Floats, text: tuple[pd.Series, pd.Series], reading: datum.Reading
) -> None:
    """Turn round single rows whose two coordinates are swapped, when that brings them into the district."""
    work.turned = np.zeros(len(lon), dtype=bool)
    west, south, east, north = work.around.context.box or (-180.0, -90.0, 180.0, 90.0)
    with np.errstate(invalid="ignore"):
        inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    places = np.flatnonzero(~inside & text[0].notna().to_numpy() & text[1].notna().to_numpy())
    if not places.size:
        return
    x, y = (_lonlat.parse(one.iloc[places])[0] for one in text)
    new_lon, new_lat = datum.converter(reading, places)(y, x)
    back = (new_lon >= west) & (new_lon <= east) & (new_lat >= south) & (new_lat <= north)
    for n in np.flatnonzero(back).tolist():
        place = int(places[n])
        row = int(work.rows[place])
        old, new = (f"{one[0].iat[place]}, {one[1].iat[place]}" for one in (text, text[::-1]))
        if work.for_row("swap", "lon", row, old, new, "这一行的两个坐标写反,对调"):
            lon[place], lat[place] = new_lon[n], new_lat[n]
            work.turned[place] = True


def _points_only(work: Work) -> Floats:
    """Say of which lines and areas only a point is kept, for the layer is one of points; give how far they reach.

    The reach is from that point, metres: the thing may stand anywhere in its shape.
    """
    shapes = np.asarray(work.source.geometry, dtype=object)
    one_point = (shapely.get_num_geometries(shapes) == 1) & (shapely.get_type_id(shapes) == 4)
    # QGIS writes so what is one point
    shapes = np.where(one_point, shapely.get_geometry(shapes, 0), shapes)
    kinds = ["" if one is None else one.geom_type for one in shapes]
    wide = ~np.isin(kinds, ("", "Point"))
    reach = np.zeros(len(shapes))
    far = shapely.hausdorff_distance(shapely.point_on_surface(shapes[wide]), shapes[wide])
    degrees = np.abs(shapely.bounds(shapes[wide])).max(axis=1, initial=0) <= _DEGREES
    reach[wide] = np.nan_to_num(np.where(degrees, far * _METRES_A_DEGREE, far))
    for place in np.flatnonzero(wide).tolist():
        found, row = kinds[place], int(work.rows[place])
        said = f"已取图形内的一点代表,离图形最远处 {np.ceil(reach[place]):,.0f} 米,误差不小于此"
        work.warnings.append(Problem(work.file, row, "图形", found, "点", said))
    return reach


def _shapes(work: Work, reading: datum.Reading | None) -> None:
    """Write lines and areas into the column of shapes, in degrees; the checks tell what is wrong with them."""
    shapes = of_shapes(work.source, work.matches)
    if shapes is None:
        return
    if reading is not None and _may_read(work, reading):
        way = datum.converter(reading)
        # what has no place in the reading becomes NaN, and the checks tell that
        shapes = shapely.transform(shapes, lambda xy: np.column_stack(way(xy[:, 0].copy(), xy[:, 1].copy())))
    high = shapely.has_z(shapes)
    if high.any():
        work.notes.append(f"{high.sum()} 个图形带有高程:只保留平面位置")
    cells = work.cells["geometry"]
    texts = pd.Series(shapes_as_text.write(shapes_as_text.rounded(shapes)), index=cells.index).astype("str")
    work.cells["geometry"] = texts.where(texts.notna(), cells)  # what could not be read, to be told


def _may_read(work: Work, reading: datum.Reading) -> bool:
    """Note that shapes are read otherwise than as plain degrees; say whether they may be."""
    if reading.swapped and not work.for_column(
        "swap", "geometry", None, None, "图形的经度、纬度写反,全部对调"
    ):
        return False
    return reading.key == datum.WGS84 or work.for_column(
        "datum", "geometry", None, reading.label, f"图形按“{reading.label}”换算为 WGS-84 十进制度"
    )
