"""The coordinates of somebody's file: where they stand, what the file says of their datum, and which reading that is.

A datum is never assumed in silence: what the file says is heard and told; where it says nothing and several readings
lie in the district, a person must choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qjmap import _axes, _lonlat, _shapes, datum, spoken
from qjmap.datum import BY_ROW, DMS, ROW_KEYS, WGS84, Reading
from qjmap.district import District
from qjmap.errors import DataError, Problem
from qjmap.ingest import Source
from qjmap.matching import Match
from qjmap.spoken import CGCS, GAUSS, NAMES, OLD, UTM, Said

Floats = npt.NDArray[np.float64]

_NEAR_M = 30.0
"""Two places this near are the same: datums differ by hundreds of metres."""
_WORDS = 60  # different words of a column; more are no names of datums
_COLUMN = re.compile(
    r"坐标(?:系|系统|系类型|类型|体系|基准|种类|标准|来源)|(?:大地|坐标)?基准|datum|crs|coord(?:inate)?_?sys(?:tem)?|srid"
    r"|定位(?:来源|方式|方法)|采集(?:方式|方法|工具)|地图(?:来源|类型)|取点方式",
    re.IGNORECASE,
)
_LOOKED_AT = 200  # columns that may be of datums without being called so
_NOTES = re.compile(r"说明|须知|注|readme|about", re.IGNORECASE)
_TAIL = 12  # rows at the end in which a note may stand


@dataclass(frozen=True)
class Choice:
    """Which reading is taken, and why.

    Parameters
    ----------
    key
        Of the reading that the file speaks for, or that alone lies in the district; None when a person must choose.
    why
        In Chinese; blank when the file says nothing.
    doubts
        What speaks against taking anything for granted: sentences in Chinese.
    """

    key: str | None
    why: str = ""
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class RowWords:
    """A column that says row by row what the coordinates are.

    `rows` has each row's place in `datum.ROW_KEYS`, −1 where its word is blank or none that is known; `asked` marks the
    rows that have coordinates.
    """

    column: str
    rows: npt.NDArray[np.int8]
    asked: npt.NDArray[np.bool_]

    @property
    def mixed(self) -> bool:
        """Whether one way of reading would be wrong for some rows, or may be."""
        return len(np.unique(self.rows[self.asked])) > 1

    @property
    def unknown(self) -> npt.NDArray[np.bool_]:
        """Mark the rows with coordinates of which it says nothing that is known."""
        return self.asked & (self.rows < 0)


# ---- where they stand ------------------------------------------------------------------------------


def columns(source: Source, matches: Mapping[str, Match]) -> tuple[pd.Series, pd.Series] | None:
    """Give the two columns that `datum.readings` wants: matched ones, parts of one cell, or a point in each shape.

    Returns
    -------
    (pandas.Series, pandas.Series) or None
        None when the file has no coordinates at all.
    """
    shapes = of_shapes(source, matches)
    if shapes is not None:
        there: npt.NDArray[np.object_] = shapes.copy()
        there[shapely.is_empty(there)] = None  # a place that was deleted
        points = shapely.point_on_surface(there)
        return pd.Series(shapely.get_x(points)), pd.Series(shapely.get_y(points))
    return _in_cells(source, matches)


def _in_cells(source: Source, matches: Mapping[str, Match]) -> tuple[pd.Series, pd.Series] | None:
    if "lon" not in matches or "lat" not in matches:
        return None
    lon, lat = matches["lon"].column, matches["lat"].column
    if lon == lat:
        return _lonlat.split(source.table.frame[lon])
    return _joined(source.table.frame, lon), _joined(source.table.frame, lat)


def _joined(frame: pd.DataFrame, column: str) -> pd.Series:
    """Put degrees, minutes and seconds of columns of their own together."""
    cells = frame[column]
    more = _axes.parts(map(str, frame.columns), column)
    if not more:
        return cells
    minutes = frame[more[0]].str.replace(r"\.0+$", "", regex=True)
    text = cells.str.replace(r"\.0+$", "", regex=True) + "°" + minutes + "′"
    if len(more) > 1:
        text += (frame[more[1]] + "″").fillna("")
    return text.fillna(cells).astype("str")


def used(source: Source, matches: Mapping[str, Match]) -> set[str]:
    """Name the file's columns that are read: matched ones, and minutes and seconds beside their degrees."""
    names = [str(name) for name in source.table.frame.columns]
    found = {one.column for one in matches.values()}
    return found.union(*(_axes.parts(names, matches[key].column) for key in ("lon", "lat") if key in matches))


def of_shapes(source: Source, matches: Mapping[str, Match]) -> npt.NDArray[np.object_] | None:
    """Give a vector file's shapes in degrees by what it says of them, or those of a column of WKT as they are.

    Raises
    ------
    DataError
        The file names a coordinate system that nobody knows.
    """
    if source.geometry is None:
        if "geometry" not in matches:
            return None
        return _shapes.parse(source.table.frame[matches["geometry"].column])
    shapes: npt.NDArray[np.object_] = np.asarray(source.geometry, dtype=object)
    try:
        return datum.from_crs(shapes, source.crs)
    except ValueError as error:
        advice = "请先转换为 WGS-84 或 CGCS2000 经纬度"
        raise DataError(
            [Problem(source.table.file, None, "坐标系", source.crs, "认识的坐标系", advice)]
        ) from error


# ---- how they may be read --------------------------------------------------------------------------


def readings(source: Source, matches: Mapping[str, Match], district: District) -> list[Reading]:
    """Give every way in which a file's coordinates can be read, row by row too where a column says how.

    See `datum.readings`. Raises DataError as `of_shapes`.
    """
    found = columns(source, matches)
    if found is None:
        return []
    said = None if of_a_shape(source, matches) else by_row(source, matches)
    rows = said.rows if said is not None and said.mixed else None
    return datum.readings(*found, district, rows)


def of_a_shape(source: Source, matches: Mapping[str, Match]) -> bool:
    """Tell whether the coordinates are those of shapes."""
    return source.geometry is not None or "geometry" in matches


def by_row(source: Source, matches: Mapping[str, Match]) -> RowWords | None:
    """Find the column that says row by row what the coordinates are: by its name, or by the words that stand in it."""
    if "lon" not in matches or "lat" not in matches:
        return None
    frame = source.table.frame
    known = {matches["lon"].column, matches["lat"].column}
    best: tuple[float, str] | None = None
    for n, name in enumerate(map(str, frame.columns)):
        named = bool(_COLUMN.fullmatch(re.sub(r"[\s*]", "", name[:60])))
        if name in known or not len(frame) or (n >= _LOOKED_AT and not named):
            continue
        counts = frame[name].iloc[:: max(1, len(frame) // 500)].value_counts()
        if not 0 < len(counts) <= _WORDS:
            continue
        told = sum(int(count) for word, count in counts.items() if spoken.datum_of(str(word)) is not None)
        share = told / int(counts.sum())
        if share >= (0.01 if named else 0.8) and (best is None or share > best[0]):
            best = share, name
    if best is None:
        return None
    cells = frame[best[1]]
    codes = {str(one): _code(str(one)) for one in cells.dropna().unique()}
    rows: npt.NDArray[np.int8] = np.asarray(cells.map(codes).fillna(-1), dtype=np.int8)
    asked = (frame[matches["lon"].column].notna() & frame[matches["lat"].column].notna()).to_numpy(dtype=bool)
    return RowWords(best[1], rows, asked)


def _code(word: str) -> int:
    said = spoken.datum_of(word)
    return ROW_KEYS.index(said) if said in ROW_KEYS else -1


# ---- what the file says ----------------------------------------------------------------------------


def heard(
    source: Source, matches: Mapping[str, Match], file: str, others: Iterable[Source] = ()
) -> list[Said]:
    """Gather what a file says of its coordinates: headers, a column, the rows above and below, names, notes.

    Parameters
    ----------
    source, matches
        The table.
    file
        The file's name.
    others
        The other sheets of the workbook; only those that explain are listened to.
    """
    found: list[Said] = []
    if not of_a_shape(source, matches):
        names = list(dict.fromkeys(matches[key].column for key in ("lon", "lat") if key in matches))
        if len({spoken.datum_of(name) for name in names}) == 1:
            found += spoken.hear(names[0], f"列名{''.join(f'“{name}”' for name in names)}", near=True)
        else:  # 经度(高德), 纬度
            for name in names:
                found += [replace(one, key="") for one in spoken.hear(name, f"列名“{name}”", near=True)]
        said = by_row(source, matches)
        if said is not None and not said.mixed and said.asked.any():
            cell = source.table.frame[said.column][said.asked].iloc[0]
            found += spoken.hear(str(cell), f"“{said.column}”列", near=True)
    found += _heard_beside(source, file)
    texts = [(f"文件名“{_cut(file)}”", Path(file).stem)]
    for one in others:
        if _NOTES.search(one.name):
            cells = [*map(str, one.table.frame.columns), *one.above]
            cells += [
                str(cell) for cell in one.table.frame.head(40).to_numpy().ravel() if isinstance(cell, str)
            ]
            texts += [(f"工作表“{one.name}”", text) for text in cells]
    for where, text in texts:
        found += spoken.hear(text, where, near=False)
    return list(dict.fromkeys(found))


def _heard_beside(source: Source, file: str) -> list[Said]:
    """Gather what stands round a table; of sheets read together what only some of them say is told as a doubt."""
    sheets = [
        [one for where, text in _beside(each, file) for one in spoken.hear(text, where, near=False)]
        for each in source.parts or (source,)
    ]
    shared = set.intersection(*({(one.key, one.meridian) for one in said} for said in sheets))
    alike = [one for one in sheets[0] if (one.key, one.meridian) in shared]
    return alike + [
        replace(one, key="") for said in sheets for one in said if (one.key, one.meridian) not in shared
    ]


def _beside(source: Source, file: str) -> list[tuple[str, str]]:
    """Give the texts above and below a table and its name, each with the words by which it is quoted."""
    texts = [(f"表上方“{_cut(text)}”", text) for text in source.above]
    texts += [(f"表末“{_cut(text)}”", text) for text in _tail(source.table.frame)]
    if source.name != Path(file).stem:
        kind = "图层名" if source.geometry is not None else "工作表名"
        texts.append((f"{kind}“{_cut(source.name)}”", source.name))
    return texts


def _tail(frame: pd.DataFrame) -> list[str]:
    """Give the last rows that hold a single cell: notes under a table."""
    last = frame.tail(_TAIL)
    alone = last[last.notna().sum(axis=1) == 1]
    return [str(row.dropna().iloc[0]) for _, row in alone.iterrows()] if len(frame.columns) > 1 else []


def _cut(text: str, most: int = 24) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


# ---- which reading that is -------------------------------------------------------------------------


def choose(
    source: Source, matches: Mapping[str, Match], found: Sequence[Reading], said: Sequence[Said]
) -> Choice:
    """Say which reading is taken: the file's own word, else the only one that lies in the district, else none.

    Parameters
    ----------
    source, matches
        The table.
    found
        Its `readings`.
    said
        What was `heard`; and where its rows lie that are kept already (`agreement`).
    """
    doubts = [f"{one.where}说到{one.word},看不出坐标现在是哪一种。" for one in said if not one.key]
    if any(one.key and one.near for one in said):
        doubts = []  # what stands at the numbers themselves is plain
    doubts += [_old(one) for one in said if one.key in OLD]
    plain = [one for one in said if one.key and one.key not in OLD]
    if source.crs and any(one.key == WGS84 for one in found):
        return _stated(source, matches, found, plain, doubts)
    if any(one.key == BY_ROW for one in found):
        return _row_by_row(source, matches, plain, doubts)
    if doubts:
        return Choice(None, "", tuple(doubts))
    fits = _fitting(found)
    if not plain:
        return _alone(fits, source.crs)
    admitted = [one for one in found if all(_admits(each, one) for each in plain)]
    right = [one for one in admitted if one in fits]
    told = "、".join(dict.fromkeys(_quoted(one) for one in plain))
    if len(right) == 1:
        return Choice(right[0].key, f"{told}:已选上“{right[0].label}”,请看图核对。")
    if admitted and not right:
        return Choice(None, "", (f"{told},按它读却不在区内:请核对。",))
    if not admitted and any(one.metres for one in found) and any(one.key in datum.SHIFTED for one in plain):
        return Choice(None, "", (f"{told},坐标却是以米计的平面坐标:请核对。",))
    if not admitted:
        return Choice(
            None,
            "",
            (f"{told}:对不上,请核对后选。" if len(plain) > 1 else f"{told},按它读却不在区内:请核对。",),
        )
    return Choice(None, "", (f"{told};符合的读法有 {len(right)} 种,请选。",))


def _alone(fits: Sequence[Reading], stated: str | None) -> Choice:
    """Take the only reading that lies in the district, when nothing is said, or what is said cannot be."""
    wrong = (f"文件声明的是 {datum.crs_name(stated)},坐标却是以米计的数:声明不对。",) if stated else ()
    if len(fits) != 1:
        return Choice(None, "", wrong)
    why = "只有这一种读法落在区内,已选上;请看图核对。"
    if fits[0].metres:
        why += "若是西安80、北京54坐标,要差几十米以上,请向提供单位问清。"
    return Choice(fits[0].key, why, wrong)


def _quoted(one: Said) -> str:
    return f"{one.where}写着“{one.word}”" if one.word else one.where


def _old(one: Said) -> str:
    return (
        f"{one.where}写着“{one.word}”({NAMES[one.key]}):与 CGCS2000 差几十米以上,没有公开的换算参数。"
        "请提供单位换算成 CGCS2000 再来;照原数读入的,位置就差这么多。"
    )


def _fitting(found: Sequence[Reading]) -> list[Reading]:
    """Give the readings by which about as many rows lie in the district as by the best."""
    best = max((one.share_inside for one in found), default=0.0)
    if not best:
        return list(found) if len(found) == 1 else []
    return [one for one in found if one.share_inside >= best / 2 and one.key != BY_ROW]


def _admits(said: Said, reading: Reading) -> bool:
    """Tell whether what is said can mean a reading."""
    if said.key == reading.key:
        return True
    if not reading.metres:
        return reading.key in (WGS84, DMS) and said.key in (WGS84, DMS, CGCS, UTM, GAUSS)
    if said.meridian is not None and said.meridian != datum.meridian_of(reading):
        return False
    return said.key in ((WGS84, UTM) if reading.key.startswith("utm") else (CGCS, GAUSS))


def _row_by_row(
    source: Source, matches: Mapping[str, Match], plain: Sequence[Said], doubts: Sequence[str]
) -> Choice:
    said = by_row(source, matches)
    assert said is not None
    lost = int(said.unknown.sum())
    near = [one for one in plain if one.near]
    if near:
        told = "、".join(map(_quoted, near))
        return Choice(None, "", (*doubts, f"{told},而“{said.column}”列逐行另有说法:请核对后选。"))
    if lost:
        more = f"“{said.column}”列有 {lost:,} 行空白或写的不是认识的坐标系:逐行读时这些行不导入,随错误退回。"
        return Choice(None, "", (*doubts, more))
    return Choice(BY_ROW, f"“{said.column}”列逐行写明坐标系:已选上逐行读,请看图核对。", tuple(doubts))


def _stated(
    source: Source,
    matches: Mapping[str, Match],
    found: Sequence[Reading],
    plain: Sequence[Said],
    doubts: list[str],
) -> Choice:
    """Follow the file's own coordinate system, unless something else in the file speaks against it."""
    wgs = next(one for one in found if one.key == WGS84)
    against = [one for one in plain if not _admits(one, wgs)]
    if against:
        doubts.append(f"{'、'.join(map(_quoted, against))},与文件声明的坐标系不合:请选。")
    if other := _columns_say(source, matches, wgs):
        doubts.append(other)
    old = datum.old_datum(source.crs or "")
    if old:
        doubts.append(
            f"文件声明的是{old}:与 CGCS2000 差几十米以上,没有公开的换算参数,程序只能近似换算。"
            "请提供单位换算成 CGCS2000 再来;照此读入的,位置可能差这么多。"
        )
    return Choice(None if against or other else WGS84, "", tuple(doubts))


def _columns_say(source: Source, matches: Mapping[str, Match], shapes: Reading) -> str:
    """Hold the columns of longitude and latitude of a vector file against its shapes; blank when they agree."""
    cells = _in_cells(source, matches) if source.geometry is not None else None
    if cells is None:
        return ""
    lon, lat = (_lonlat.parse(one)[0] for one in cells)
    if not (np.isfinite(lon) & (np.abs(lon) <= 180) & np.isfinite(lat)).any():
        return ""
    if np.nanmedian(lat) > np.nanmedian(lon):  # north and east the other way round, as people do
        lon, lat = lat, lon
    ways = [(lon, lat), *(back(lon, lat) for back in datum.SHIFTED.values())]
    if any(_away(x, y, shapes.lon, shapes.lat) < _NEAR_M for x, y in ways):
        return ""  # the same place, or that of a web map
    names = "、".join(f"“{matches[key].column}”" for key in ("lon", "lat"))
    way = _away(lon, lat, shapes.lon, shapes.lat)
    said = f"图形与属性里的{names}相差 {way:,.0f} 米(中位数)"
    for key, back in datum.SHIFTED.items():
        x, y = back(shapes.lon, shapes.lat)
        if _away(lon, lat, x, y) < _NEAR_M:
            return f"{said},正是 {NAMES[key]} 的偏移:图形像是 {NAMES[key]},请选。"
    return f"{said}:用的是图形,请看图核对后选。"


def _away(lon: Floats, lat: Floats, lon2: Floats, lat2: Floats) -> float:
    """Give the middle distance in metres between two columns of places; endless where none can be compared."""
    with np.errstate(invalid="ignore"):
        east = (lon - lon2) * np.cos(np.radians(lat2))
        metres = np.hypot(east, lat - lat2) * 111_195.0
    known = metres[np.isfinite(metres)]
    return float(np.median(known)) if len(known) else np.inf


def agreement(found: Sequence[Reading], lon: Floats, lat: Floats, whose: str) -> list[Said]:
    """Say by which reading rows lie where they are known to lie; nothing when that tells no reading from another.

    Parameters
    ----------
    found
        The readings.
    lon, lat
        Where each row is known to lie, degrees (WGS 84), (n,); NaN where nobody knows.
    whose
        Who knows it, for people; has a place ``{}`` for the number of rows.
    """
    away = {one.key: _away(one.lon, one.lat, lon, lat) for one in found if one.key != BY_ROW}
    near = [key for key, metres in away.items() if metres < _NEAR_M]
    if len(near) != 1:
        return []
    return [Said(near[0], "", whose.format(int(np.isfinite(lon).sum())), near=True)]
