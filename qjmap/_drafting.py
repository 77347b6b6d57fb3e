"""How a file becomes rows of a layer: what is repaired, how it is placed, what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from qjmap import _shapes, accuracy, datum
from qjmap._advice import advise, left_blank
from qjmap._ids import like_ids, strange_ids
from qjmap._limits import give_back
from qjmap._repairs import fixer, identifier, stem, written
from qjmap._sums import HEADER, NOTE, SUM, asides
from qjmap._units import factor
from qjmap._villages import Villages, tells
from qjmap.checks import LISTED, SCHEMATIC_M, UNPLACED, Context, Ground, check, look, owners
from qjmap.coordinates import by_row, columns, of_shapes, used
from qjmap.errors import Problem
from qjmap.ingest import RawTable, Source
from qjmap.layers import SHAPE, Assumed, Column, LayerSpec
from qjmap.matching import ADDRESS, Match, unit_of, unsure
from qjmap.merging import CLEAR, key_of
from qjmap.places import Gazetteer, Place

EXAMPLE = "示例"
"""An id that begins so marks an example row of a template; it is never kept."""
IMPORTED = "导入"

BY_NUMBER = "按编号起名"
"""Said for all rows of the column of names: the layer's name and the number of each."""

_KNOWN = ("position", "error_m")
_SAID_OF_ALL = "文件没有这一列,有坐标的行按所选填写"
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
_LABELS = ("id", "code", "name", "town", "village", "kind")
"""Columns in which the word of a sum may stand."""
_HIDDEN = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_ERRORS = re.compile(r"#(?:N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|GETTING_DATA)")
_LOST = r"[0-9](?:\.[0-9]+)?[eE]\+[0-9]+"  # as spreadsheets write numbers that are too long for them
_COMMA = r"\s*[+-]?\d{1,3}[,,]\d{3,}\s*"  # a decimal comma in a coordinate


@dataclass(frozen=True)
class Repair:
    """One cell that was read otherwise than it was written.

    Parameters
    ----------
    id
        ``kind:column:row``; refusing ``kind:column`` or ``kind`` refuses all of them.
    row
        The row in the file; None for the whole column.
    column
        The column as the file calls it.
    old, new
        Before and after; None is blank.
    why
        In Chinese.
    """

    id: str
    row: int | None
    column: str
    old: str | None
    new: str | None
    why: str


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What a file is held against: the district, its land, its names, and what is kept already.

    `batch` stands in the ids of rows that bring none: a number that no earlier import had. `town_codes` are the codes
    of the towns by their names. `positions` and `shifts` are the registry's: what is assumed of places of which nobody
    says how well they are known.
    """

    context: Context
    ground: Ground
    gazetteer: Gazetteer
    names: tuple[str, ...] = ()
    existing: pd.DataFrame | None = None
    batch: int = 1
    town_codes: Mapping[str, str] = field(default_factory=dict)
    positions: Mapping[str, Assumed] = field(default_factory=dict)
    shifts: Mapping[str, Assumed] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Draft:
    """What became of a file.

    Parameters
    ----------
    spec
        The layer.
    frame
        The good rows, typed as by `qjmap.checks.check`; index 0, 1, 2 …
    rows
        Their numbers in the file.
    good, bad
        Masks over the rows of the file's table; a row that is neither was left out (an example, a sum).
    problems
        What stops rows, with the file's own column names; all of a row at once.
    warnings
        What stops nothing.
    repairs
        All that were proposed and not refused.
    notes
        What a person should know besides.
    unplaced
        Mask over `frame`: kept, but 未定位.
    file
        The name by which faults are told.
    cleared
        Masks over `frame` by column: cells of known records that say `qjmap.merging.CLEAR`.
    """

    spec: LayerSpec
    frame: pd.DataFrame
    rows: tuple[int, ...]
    good: Bools
    bad: Bools
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    repairs: tuple[Repair, ...]
    notes: tuple[str, ...]
    unplaced: Bools
    file: str
    cleared: Mapping[str, Bools] = field(default_factory=dict)


def in_unit(column: Column) -> str:
    """Say what is expected of a number whose header says a unit that nobody knows."""
    return f"以“{column.unit}”计的数"


@dataclass
class Work:
    """A file on the bench: its cells by the register's columns, and what was done to them so far."""

    source: Source
    spec: LayerSpec
    matches: Mapping[str, Match]
    around: Surroundings
    refused: frozenset[str]
    fills: Mapping[str, str]
    meanings: Mapping[str, Mapping[str, str]]
    known: Collection[str] = ()
    repairs: list[Repair] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _turned: Bools = field(init=False)
    _digits: Floats = field(init=False)
    _cleared: dict[str, Bools] = field(init=False)
    _shift: float | Floats = field(init=False)

    def __post_init__(self) -> None:
        table = self.source.table
        self.file, self.rows = table.file, np.asarray(table.rows, dtype=np.int64)
        self.left = np.zeros(len(self.rows), dtype=bool)  # rows that are left out
        self._cleared = {}
        # how far off places may be by their digits and by their conversion, in metres
        self._digits, self._shift = np.full(len(self.rows), np.nan), 0.0
        blank = pd.Series(np.nan, index=table.frame.index, dtype="str")
        self.cells = {
            key: table.frame[self.matches[key].column] if key in self.matches else blank
            for key in (*self.spec.columns, ADDRESS)
        }
        known = used(self.source, self.matches)
        unused = [name for name in table.frame.columns if name not in known]
        if unused:
            shown = "、".join(unused[:12]) + ("等" if len(unused) > 12 else "")
            self.notes.append(f"未用的列({len(unused)} 列):{shown}")
            self.notes += [
                f"“{name}”没有用:可能是{'、'.join(f'“{one}”' for one in labels)},程序不替你选,请在“列”一步选定"
                for name in unused
                if (labels := unsure(name, self.spec, self.matches))
            ]

    def again(self) -> Bools:
        """Mark the rows that change a record: what they leave blank stays as it is kept."""
        key = key_of(self.spec)
        if key is None or not self.known:
            return np.zeros(len(self.rows), dtype=bool)
        return self.cells[key].isin(list(self.known)).to_numpy(dtype=bool)

    # -- repairs --

    def told(self, key: str) -> str:
        """Give the name of a column as the file has it."""
        return self.matches[key].column if key in self.matches else self.spec.columns[key].label

    def allows(self, kind: str, key: str, row: int | None = None) -> bool:
        """Say whether a repair may be made."""
        if not self.refused:
            return True
        names = {kind, f"{kind}:{key}"} | ({f"{kind}:{key}:{row}"} if row is not None else set())
        return not names & self.refused

    def for_column(self, kind: str, key: str, old: str | None, new: str | None, why: str) -> bool:
        """Note a repair of a whole column; say whether it may be made."""
        if not self.allows(kind, key):
            return False
        self.repairs.append(Repair(f"{kind}:{key}", None, self.told(key), old, new, why))
        return True

    def for_cells(
        self, key: str, places: Sequence[int], new: Sequence[str | None], kind: str, whys: Sequence[str]
    ) -> None:
        """Change cells of a column, those whose repair is not refused."""
        column, cells = self.told(key), self.cells[key]
        before = cells.iloc[list(places)].astype(object).where(lambda one: one.notna(), None).tolist()
        changed: dict[int, str | None] = {}
        for place, old, value, why in zip(places, before, new, whys, strict=True):
            row = int(self.rows[place])
            if self.allows(kind, key, row):
                self.repairs.append(Repair(f"{kind}:{key}:{row}", row, column, old, value, why))
                changed[place] = value
        if changed:
            values = cells.astype(object).to_numpy(copy=True)
            for place, value in changed.items():
                values[place] = value
            self.cells[key] = pd.Series(values, index=cells.index).astype("str")

    # -- steps --

    def leave_out(self) -> None:
        """Leave out the examples of a template and rows of sums, and say so."""
        example = np.zeros(len(self.rows), dtype=bool)
        if "id" in self.matches:
            example = _matches(self.cells["id"], rf"{EXAMPLE}.*")
        if example.any():
            self.notes.append(f"{example.sum()} 行模板示例(编号以“{EXAMPLE}”开头)未导入")
        self._aside(~example)
        self.left |= example

    def _aside(self, rows: Bools) -> None:
        """Leave out sums, notes and signatures; of what only may be one a person is told."""
        if self.source.geometry is not None:  # what has a shape is no sum
            return
        placed = (
            (self.cells["lon"].notna() & self.cells["lat"].notna()).to_numpy()
            if "lon" in self.cells
            else ~rows
        )
        frame, by_column = self.source.table.frame, {one.column: key for key, one in self.matches.items()}
        columns = list(frame.columns)
        labels = [name for name in columns if by_column.get(name) in _LABELS]
        labels += [name for name in columns[:4] if name not in by_column]
        numbers = [
            one.column
            for key, one in self.matches.items()
            if key != "error_m"
            and key in self.spec.columns
            and self.spec.columns[key].type in ("integer", "number")
        ]
        names = [self.matches[key].column for key in ("name", "id") if key in self.matches]
        towns = {*self.around.names, *self.around.gazetteer.towns, *map(stem, self.around.gazetteer.towns)}
        ids = [self.matches[key].column for key in ("id", "code") if key in self.matches]
        for one in asides(frame, labels, names, numbers, towns, ids):
            row = int(self.rows[one.place])
            if not rows[one.place] or (placed[one.place] and one.why not in (SUM, NOTE, HEADER)):
                continue
            if not one.sure:
                self.warnings.append(Problem(self.file, row, None, one.text, "一条记录", one.why))
            elif self.allows("sum", "row", row):
                self.repairs.append(Repair(f"sum:row:{row}", row, "整行", one.text, None, one.why))
                self.left[one.place] = True

    def fill_merged(self) -> None:
        """Give every row of a block of merged cells the value of its first."""
        by_column = {one.column: key for key, one in self.matches.items()}
        place_of = (
            {int(row): place for place, row in enumerate(self.rows.tolist())} if self.source.merged else {}
        )
        for name, top, bottom in self.source.merged:
            key, first = by_column.get(name), place_of.get(top)
            if key is None or first is None:
                continue
            blank = self.cells[key].isna().to_numpy()
            if blank[first]:
                continue
            value = str(self.cells[key].iat[first])
            span = range(first + 1, int(np.searchsorted(self.rows, bottom, side="right")))
            places = [place for place in span if blank[place]]
            why = f"合并单元格(第 {top}~{bottom} 行)按首格补齐"
            self.for_cells(key, places, [value] * len(places), "merged", [why] * len(places))

    def clear_cells(self) -> None:
        """Take the word for an emptied cell as a blank, and remember where a known record loses what it has."""
        key_column = key_of(self.spec)
        for key in self.matches:
            column = self.spec.columns.get(key)
            if column is None or column.type == SHAPE:
                continue
            said = _matches(self.cells[key], rf"\s*{CLEAR}\s*") & ~self.left
            if not said.any():
                continue
            if column.required or key == key_column:
                advice = "必填的列不能清空;要删去整条记录,请到“数据管理”"
                self.problems += [
                    Problem(self.file, int(self.rows[place]), self.told(key), CLEAR, "一个值", advice)
                    for place in np.flatnonzero(said).tolist()
                ]
                continue
            places, again = np.flatnonzero(said).tolist(), self.again()
            whys = ["库中原值删去" if again[place] else "新的一行,按空白" for place in places]
            self.for_cells(key, places, [None] * len(places), "clear", whys)
            gone = said & self.cells[key].isna().to_numpy() & again
            self.cells[key] = self.cells[key].mask(said)  # who refuses keeps what is kept, not the word
            if gone.any():
                self._cleared[key] = gone
        count = sum(int(mask.sum()) for mask in self._cleared.values())
        if count:
            self.notes.append(f"{count} 处写了“{CLEAR}”:更新时删去库中原值;不想删的,在上面的修正里不采用")

    def _blank_cleared(self) -> None:
        """Coordinates are read from the file itself, where the word still stands."""
        for key in ("lon", "lat"):
            self.cells[key] = self.cells[key].mask(_matches(self.cells[key], rf"\s*{CLEAR}\s*"))

    def fill_columns(self) -> None:
        """Fill whole columns that the file has not, as the person said; how places are known waits for the places."""
        for key, value in self.fills.items():
            if key in _KNOWN and not self.spec.shaped:
                continue
            if key in self.spec.columns and key not in self.matches and (key, value) != ("name", BY_NUMBER):
                self._fill(key, value, "文件没有这一列,按所选整列填写", "fill")

    def repair_cells(self) -> None:
        """Repair cells column by column; what needs none is not touched."""
        for key, column in self.spec.columns.items():
            if key not in self.matches or column.type == SHAPE:
                continue
            self._refuse_error_values(key)
            self._refuse_lost_digits(key, column)
            if key == key_of(self.spec):
                self._write_ids(key)
            self._read_as_said(key)
            times, scaled = self._scale(key, column)
            fix = fixer(column, self.around.gazetteer.towns, self.around.names, times)
            if fix is None:
                continue
            cells = self.cells[key]
            suspects = cells[self._suspect(cells, column) & ~scaled]
            tried = {str(text): fix(str(text)) for text in suspects.unique()}
            fixes = {text: found for text, found in tried.items() if found is not None}
            if not fixes:
                continue
            hit = np.flatnonzero(suspects.isin(list(fixes)).reindex(cells.index, fill_value=False).to_numpy())
            kinds: dict[str, list[int]] = {}
            values = cells.iloc[hit].tolist()
            for place, text in zip(hit.tolist(), values, strict=True):
                kinds.setdefault(fixes[text][1], []).append(place)
            for kind, places in kinds.items():
                new = [fixes[str(text)] for text in cells.iloc[places].tolist()]
                self.for_cells(key, places, [one[0] for one in new], kind, [one[2] for one in new])

    def _read_as_said(self, key: str) -> None:
        """Read words of the file as the person said that they are meant."""
        for word, value in self.meanings.get(key, {}).items():
            places = np.flatnonzero(
                (self.cells[key] == word).fillna(value=False).to_numpy(dtype=bool)
            ).tolist()
            why = f"按所选,“{word}”即“{value}”"
            self.for_cells(key, places, [value] * len(places), "said", [why] * len(places))

    def _suspect(self, cells: pd.Series, column: Column) -> pd.Series:
        """Mark cells that are not already as a register wants them."""
        if column.type == "category":
            return cells.notna() & ~cells.isin(column.values)
        if column.type == "town":
            return cells.notna() & ~cells.isin(self.around.gazetteer.towns)
        shape = {
            "integer": r"[+-]?[0-9]{1,15}",
            "number": r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)",
            "year": r"[0-9]{4}",
            "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
            "boolean": "是|否",
            "text": rf"(?:[^'{_HIDDEN}][^{_HIDDEN}]*)?",
        }[column.type]
        return cells.notna() & ~_matches(cells, shape)

    def _refuse_error_values(self, key: str) -> None:
        """A formula's #N/A is no value, in no column."""
        wrong = _matches(self.cells[key], _ERRORS.pattern)
        advice = "这是 Excel 公式的错误值;请改正公式,或填写数值"
        for place in np.flatnonzero(wrong & ~self.left).tolist():
            value = str(self.cells[key].iat[place])
            self.problems.append(
                Problem(self.file, int(self.rows[place]), self.told(key), value, "值", advice)
            )

    def _refuse_lost_digits(self, key: str, column: Column) -> None:
        """A number of eighteen digits that became 5.0011E+17 is nobody's."""
        if column.type != "text":
            return
        advice = "表格软件把它存成了数字,末几位已经丢失:请把这一列设为“文本”格式,重新填写"
        for place in np.flatnonzero(_matches(self.cells[key], _LOST) & ~self.left).tolist():
            row, value = int(self.rows[place]), str(self.cells[key].iat[place])
            self.problems.append(Problem(self.file, row, self.told(key), value, "完整的编号", advice))

    def _kept_ids(self, key: str) -> frozenset[str]:
        existing = self.around.existing
        own = existing[key].dropna() if existing is not None and key in existing else ()
        return frozenset(map(str, own)) | frozenset(self.known)

    def _write_ids(self, key: str) -> None:
        """Write ids in one way, but for those that are kept as they are; tell of two that are nearly the same."""
        kept, cells = self._kept_ids(key), self.cells[key]
        places = [
            place for place in np.flatnonzero(strange_ids(cells)).tolist() if cells.iat[place] not in kept
        ]
        fixes = [(place, fix) for place in places if (fix := identifier(str(cells.iat[place]))) is not None]
        if fixes:
            self.for_cells(
                key,
                [one for one, _ in fixes],
                [fix[0] for _, fix in fixes],
                "id-writing",
                [fix[2] for _, fix in fixes],
            )
        for place, other, where in like_ids(self.cells[key], kept):
            row, value = int(self.rows[place]), str(self.cells[key].iat[place])
            known = f"第 {self.rows[where]} 行" if where >= 0 else "库中"
            advice = f"{known}有“{other}”,只差大小写或前面的零:是同一条的请改成一样,否则会记成两条"
            self.warnings.append(Problem(self.file, row, self.told(key), value, "写法一致的编号", advice))

    def _scale(self, key: str, column: Column) -> tuple[float, Bools]:
        """Bring numbers under a header that says another unit to the column's own.

        Gives what they are multiplied by, and marks those that were: what is not plainly a number is read later.
        """
        cells = self.cells[key]
        scaled = np.zeros(len(cells), dtype=bool)
        unit = self.matches[key].unit if column.type in ("integer", "number") and column.unit else ""
        if not unit:
            return 1.0, scaled
        meant = self.meanings.get(key, {}).get(unit, unit)
        times = factor(meant, column.unit)
        if times is None:
            self._ask_unit(key, column, unit)
        if times is None or times == 1 or not cells.notna().any():
            return 1.0, scaled
        where = self._where(key, unit)
        said = f"{where}写明单位“{unit}”" if meant == unit else f"按所选,{where}的“{unit}”即“{meant}”"
        why = f"{said},全列换算为“{column.unit}”(×{times:g})"
        if not self.for_column("header-unit", key, unit, column.unit, why):
            return 1.0, scaled
        numbers = pd.to_numeric(cells.where(_matches(cells, r"[+-]?[0-9]+\.?[0-9]*")), errors="coerce")
        scaled = numbers.notna().to_numpy()
        values = cells.astype(object).to_numpy(copy=True)
        values[scaled] = [written(round(one * times, 9)) for one in numbers[scaled].tolist()]
        self.cells[key] = pd.Series(values, index=cells.index).astype("str")
        return times, scaled

    def _where(self, key: str, unit: str) -> str:
        """Say where a unit stands."""
        return "列名" if unit_of(self.matches[key].column) == unit else "表头上方"

    def _ask_unit(self, key: str, column: Column, unit: str) -> None:
        """Stop numbers under a unit that nobody knows; a cell that says its own unit has no need of the header's."""
        bare = _matches(self.cells[key], ".*[0-9\uff10-\uff19.]")
        where = self._where(key, unit)
        advice = f"{where}写的单位是“{unit}”,程序不知怎样换算:请在导入页说明它是什么单位,或改正列名"
        for place in np.flatnonzero(bare & ~self.left).tolist():
            row, value = int(self.rows[place]), str(self.cells[key].iat[place])
            self.problems.append(Problem(self.file, row, self.told(key), value, in_unit(column), advice))
        self.cells[key] = self.cells[key].mask(bare)  # whether it is too large cannot be said, either

    # -- villages --

    def know_villages(self) -> None:
        """Fill what the list of villages knows of a village that the file names: its code, its town, its full name."""
        fills = tells(self.spec)
        if not fills:
            return
        book = Villages(self.around.gazetteer.villages, self.around.town_codes)
        found: dict[str, dict[int, tuple[str, str]]] = {
            key: {} for key in ("town", "code", "town_code", "name")
        }
        texts = [_plain_list(self.cells[key]) for key in ("code", "town", "name")]
        blank = [not one for one in _plain_list(self.cells["town_code"])] if "town_code" in fills else []
        for place, (code, town, name) in enumerate(zip(*texts, strict=True)):
            if self.left[place] or not (code or name):
                continue
            if not town and (town := book.town_of(code)):
                found["town"][place] = town, f"由统计代码得知在{town}"
            known = book.find(town, name)
            if known is None and name and not code:
                self._unknown_village(place, town, name, book.near(town, name))
            if known is not None and known.code and not code:
                found["code"][place] = known.code, f"村(社区)名册中{town}{known.name}的代码"
            elif known is not None and known.code and code != known.code:
                advice = f"名册中{town}{known.name}的代码是 {known.code};请核对代码或名称"
                self.warnings.append(
                    Problem(self.file, int(self.rows[place]), self.told("code"), code, "名册中的代码", advice)
                )
            if "town_code" in fills and blank[place]:
                own = book.code_of(town, code)
                if own:
                    found["town_code"][place] = own, f"{town or '该村(社区)'}的代码"
            if "town_code" in fills and known is not None and known.name != name and code in ("", known.code):
                found["name"][place] = known.name, "名册中的全称"
        for key, values in found.items():
            if values and (key in fills or key == "name"):
                new, whys = zip(*values.values(), strict=True)
                self.for_cells(key, list(values), list(new), f"village-{key.replace('_', '-')}", list(whys))

    def _unknown_village(self, place: int, town: str, name: str, near: str) -> None:
        where = f"名册中{town}没有这个名称,或有几个" if town else "没有写街镇,不知是哪一个"
        advice = f"{where}{f';是否为“{near}”' if near else ''}:请写统计代码,或照名册写全称"
        row = int(self.rows[place])
        self.warnings.append(Problem(self.file, row, self.told("name"), name, "名册中的村(社区)", advice))

    # -- places --

    def place(self, reading: datum.Reading | None) -> None:
        """Fill longitude and latitude, or the shape, from the reading; put what has none into its village or town."""
        if self.spec.shaped:
            self._shapes(reading)
            return
        if not {"lon", "lat"} <= self.spec.columns.keys():
            return
        if self.source.geometry is not None:
            self._points_only()
        found = columns(self.source, self.matches)
        if found is not None:
            self._degrees(found, reading)
            self._blank_cleared()
        if self.spec.placed:
            self._know_places()
            self._towns_by_place()
            self._addresses()

    def _know_places(self) -> None:
        """Say of coordinates how they are known: as the person says of all, else that nobody knows; and how well."""
        given = (self.cells["lon"].notna() & self.cells["lat"].notna()).to_numpy() & ~self.left
        unsaid = given & self.cells["position"].isna().to_numpy()
        way = self.fills.get("position", "")
        if way and unsaid.any() and not self.for_column("fill", "position", None, way, _SAID_OF_ALL):
            way = ""
        self._put("position", unsaid, way or LISTED)
        if unsaid.any() and not way:
            self.notes.append(
                f"{unsaid.sum()} 行有坐标而没有写定位方式:记为“{LISTED}”({self.around.positions[LISTED].said});"
                "知道怎样取得的,请在“列”一步选“定位方式”“定位误差”整列怎样填,或在文件里加这两列"
            )
        open_ = given & self.cells["error_m"].isna().to_numpy()
        error = self.fills.get("error_m", "")
        if error and open_.any() and self.for_column("fill", "error_m", None, error, _SAID_OF_ALL):
            self._put("error_m", open_, error)
        else:
            self._assume_errors(open_)

    def _assume_errors(self, open_: Bools) -> None:
        """Give places whose error nobody says the one that their digits leave open, and no less than is assumed."""
        for way, assumed in self.around.positions.items():
            rows = open_ & (self.cells["position"] == way).fillna(value=False).to_numpy(dtype=bool)
            error = np.ceil(np.maximum(self._digits, assumed.error_m) + self._shift)
            rows &= np.isfinite(error)
            for metres in np.unique(error[rows]).tolist():
                self._put("error_m", rows & (error == metres), written(metres))
            if rows.any():
                added = float(np.max(self._shift, initial=0.0))
                shift = (
                    f",坐标系换算另加{'最多' if np.ndim(self._shift) else ''} {added:g} 米" if added else ""
                )
                self.notes.append(
                    f"{rows.sum()} 行“{way}”没有写误差:按坐标的位数计,不小于 {assumed.error_m:g} 米{shift}(假定),"
                    f"最大 {error[rows].max():g} 米"
                )

    def _put(self, key: str, rows: Bools, value: str) -> None:
        if rows.any():
            self.cells[key] = self.cells[key].mask(rows, value)

    def _degrees(self, text: tuple[pd.Series, pd.Series], reading: datum.Reading | None) -> None:
        x, y = (one.set_axis(self.cells["lon"].index) for one in text)
        if reading is not None and reading.swapped:
            if self.for_column("swap", "lon", None, None, "经度、纬度两列写反,全部对调"):
                x, y = y, x
            else:
                reading = replace(reading, lon=reading.lat, lat=reading.lon, swapped=False)
        x_text, y_text = (one.astype("str") for one in (x, y))
        self.cells["lon"], self.cells["lat"] = x_text, y_text
        numbers = (datum.parse(x_text)[0], datum.parse(y_text)[0])
        self._digits = accuracy.of_degrees(*numbers)
        if reading is None:
            return
        if reading.key != datum.WGS84 and not self.for_column(
            "datum", "lon", None, reading.label, f"坐标按“{reading.label}”换算为 WGS-84 十进制度"
        ):
            return
        if reading.key in self.around.shifts:
            self._shift = self.around.shifts[reading.key].error_m
        elif reading.rows is not None:
            self._shift = self._row_by_row(reading.rows)
        elif reading.key == datum.DMS:
            self._digits = accuracy.of_minutes(*numbers)
        elif reading.key == datum.PACKED:
            self._digits = accuracy.of_minutes(*datum.unpacked(*numbers))
        elif reading.metres:
            self._digits = accuracy.of_metres(*numbers)
        lon, lat = reading.lon.copy(), reading.lat.copy()
        self._commas(x_text, y_text, lon, lat)
        self._turn(lon, lat, text, reading)
        good = np.isfinite(lon) & np.isfinite(lat)
        same = reading.key == datum.WGS84
        for key, text_of, values in (("lon", x_text, lon), ("lat", y_text, lat)):
            # plain degrees stay as they were written: their decimals say how good they are
            plainly = _matches(text_of, r"[+-]?[0-9]+\.?[0-9]*")
            as_written = plainly & same & ~self._turned
            rewrite = good & ~as_written
            if same:
                rewrite &= ~self._refused_writing(key, text_of, values, rewrite & ~self._turned)
            if not rewrite.any():
                continue
            kept = text_of.astype(object).to_numpy(copy=True)
            kept[rewrite] = [written(round(one, 8)) for one in values[rewrite].tolist()]
            self.cells[key] = pd.Series(kept, index=text_of.index).astype("str")

    def _row_by_row(self, rows: npt.NDArray[np.int8]) -> Floats:
        """Refuse rows of unknown coordinates; give what conversion adds to the error of each of the others."""
        said = by_row(self.source, self.matches)
        if said is not None:
            expected = "坐标系:WGS-84、CGCS2000、GCJ-02(高德、腾讯)或 BD-09(百度)"
            cells = self.source.table.frame[said.column]
            blank = cells.isna().to_numpy()
            for place in np.flatnonzero(said.unknown & ~self.left).tolist():
                value = None if blank[place] else str(cells.iat[place])
                advice = "其他坐标系请先换算" if value else "请写明这一行的坐标是哪一种"
                self.problems.append(
                    Problem(self.file, int(self.rows[place]), said.column, value, expected, advice)
                )
        shifts = [
            self.around.shifts[key].error_m if key in self.around.shifts else 0.0 for key in datum.ROW_KEYS
        ]
        return np.array([*shifts, 0.0])[rows]

    def _refused_writing(self, key: str, text: pd.Series, values: Floats, other: Bools) -> Bools:
        """List degrees that are written otherwise than as decimals; mark those that shall not be read so."""
        refused = np.zeros(len(other), dtype=bool)
        other = other & ~_matches(text, _COMMA)
        why = "度分秒等写法换算为十进制度"
        for place in np.flatnonzero(other).tolist():
            row, old = int(self.rows[place]), str(text.iat[place])
            if self.allows("degrees", key, row):
                new = written(round(float(values[place]), 8))
                self.repairs.append(Repair(f"degrees:{key}:{row}", row, self.told(key), old, new, why))
            else:
                refused[place] = True
        return refused

    def _commas(self, x: pd.Series, y: pd.Series, lon: Floats, lat: Floats) -> None:
        """List decimal commas; a refused one is no number."""
        for key, text in (("lon", x), ("lat", y)):
            comma = _matches(text, _COMMA)
            for place in np.flatnonzero(comma).tolist():
                row, old = int(self.rows[place]), str(text.iat[place])
                if self.allows("comma", key, row):
                    new = old.replace(",", ",").replace(",", ".")
                    why = "小数点写成了逗号"
                    self.repairs.append(Repair(f"comma:{key}:{row}", row, self.told(key), old, new, why))
                else:
                    lon[place] = lat[place] = np.nan

    def _turn(
        self, lon: Floats, lat: Floats, text: tuple[pd.Series, pd.Series], reading: datum.Reading
    ) -> None:
        """Turn round single rows whose two coordinates are swapped, when that brings them into the district."""
        self._turned = np.zeros(len(lon), dtype=bool)
        west, south, east, north = self.around.context.box or (-180.0, -90.0, 180.0, 90.0)
        with np.errstate(invalid="ignore"):
            inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        places = np.flatnonzero(~inside & text[0].notna().to_numpy() & text[1].notna().to_numpy())
        if not places.size:
            return
        x, y = (datum.parse(one.iloc[places])[0] for one in text)
        new_lon, new_lat = datum.converter(reading, places)(y, x)
        back = (new_lon >= west) & (new_lon <= east) & (new_lat >= south) & (new_lat <= north)
        for n in np.flatnonzero(back).tolist():
            place = int(places[n])
            row = int(self.rows[place])
            if self.allows("swap", "lon", row):
                old, new = (f"{one[0].iat[place]}, {one[1].iat[place]}" for one in (text, text[::-1]))
                why = "这一行的两个坐标写反,对调"
                self.repairs.append(Repair(f"swap:lon:{row}", row, self.told("lon"), old, new, why))
                lon[place], lat[place] = new_lon[n], new_lat[n]
                self._turned[place] = True

    def _points_only(self) -> None:
        """Say of which lines and areas only a point is kept, for the layer is one of points."""
        shapes = np.asarray(self.source.geometry, dtype=object)
        one_point = (shapely.get_num_geometries(shapes) == 1) & (shapely.get_type_id(shapes) == 4)
        # QGIS writes so what is one point
        shapes = np.where(one_point, shapely.get_geometry(shapes, 0), shapes)
        kinds = ["" if one is None else one.geom_type for one in shapes]
        for place in np.flatnonzero(~np.isin(kinds, ("", "Point"))).tolist():
            found, row = kinds[place], int(self.rows[place])
            self.warnings.append(Problem(self.file, row, "图形", found, "点", "已取图形内的一点代表"))

    def _shapes(self, reading: datum.Reading | None) -> None:
        """Write lines and areas into the column of shapes, in degrees; the checks tell what is wrong with them."""
        shapes = of_shapes(self.source, self.matches)
        if shapes is None:
            return
        if reading is not None and self._may_read(reading):
            way = datum.converter(reading)
            # what has no place in the reading becomes NaN, and the checks tell that
            shapes = shapely.transform(
                shapes, lambda xy: np.column_stack(way(xy[:, 0].copy(), xy[:, 1].copy()))
            )
        high = shapely.has_z(shapes)
        if high.any():
            self.notes.append(f"{high.sum()} 个图形带有高程:只保留平面位置")
        cells = self.cells["geometry"]
        texts = pd.Series(_shapes.write(_shapes.rounded(shapes)), index=cells.index).astype("str")
        self.cells["geometry"] = texts.where(texts.notna(), cells)  # what could not be read, to be told

    def _may_read(self, reading: datum.Reading) -> bool:
        """Note that shapes are read otherwise than as plain degrees; say whether they may be."""
        if reading.swapped and not self.for_column(
            "swap", "geometry", None, None, "图形的经度、纬度写反,全部对调"
        ):
            return False
        return reading.key == datum.WGS84 or self.for_column(
            "datum", "geometry", None, reading.label, f"图形按“{reading.label}”换算为 WGS-84 十进制度"
        )

    def _kept_towns(self) -> None:
        """Hold a new place against the town that a record has already, where the file says none: it stays kept."""
        existing, key = self.around.existing, key_of(self.spec)
        if existing is None or key is None or not {key, "town"} <= {*existing.columns}:
            return
        blank = self.again() & self.cells["town"].isna().to_numpy()
        if blank.any():
            towns = existing.drop_duplicates(key).set_index(key)["town"].astype("str")
            self.cells["town"] = self.cells["town"].where(~blank, self.cells[key].map(towns)).astype("str")

    def _towns_by_place(self) -> None:
        """Give rows that have a place and name no town the town in which they lie."""
        self._kept_towns()
        ground = self.around.ground
        lon, lat = (
            pd.to_numeric(self.cells[key], errors="coerce").to_numpy(dtype=np.float64)
            for key in ("lon", "lat")
        )
        bare = self.cells["town"].isna().to_numpy() & np.isfinite(lon) & np.isfinite(lat) & ~self.left
        places = np.flatnonzero(bare)
        if not places.size or not len(ground.polygons):
            return
        x, y = ground.projection.to_metres(lon[places], lat[places])
        owner = owners(ground, x, y)
        inside = owner >= 0
        places, owner, x, y = places[inside], owner[inside], x[inside], y[inside]
        lines = "界线" if ground.official else "示意界线"
        names = [ground.towns[n] for n in owner.tolist()]
        whys = {name: f"没有写街镇;坐标按{lines}落在{name}" for name in ground.towns}
        self.for_cells("town", places.tolist(), names, "town-by-place", [whys[name] for name in names])
        self._near_lines(places, owner, x, y)

    def _near_lines(
        self, places: npt.NDArray[np.int64], owner: npt.NDArray[np.int64], x: Floats, y: Floats
    ) -> None:
        """Warn of towns taken from a place that may as well lie in the next one."""
        ground = self.around.ground
        taken = self.cells["town"].iloc[places].notna().to_numpy()
        places, owner, x, y = places[taken], owner[taken], x[taken], y[taken]
        own = (
            pd.to_numeric(self.cells["error_m"].iloc[places], errors="coerce")
            .fillna(0)
            .to_numpy(dtype=np.float64)
        )
        reach = own + (0.0 if ground.official else SCHEMATIC_M)
        points = shapely.points(x, y)
        at, town = shapely.STRtree(ground.polygons).query(points, predicate="dwithin", distance=reach)
        other = town != owner[at]
        at, town = at[other], town[other]
        gap = shapely.distance(points[at], ground.polygons[town])
        order = np.lexsort((gap, at))
        _, first = np.unique(at[order], return_index=True)
        lines = "" if ground.official else ";示意界线可能差几百米"
        for n in order[first].tolist():
            said = f"离{ground.towns[town[n]]}只有 {gap[n]:.0f} 米{lines};请核对街镇"
            row, found = int(self.rows[places[at[n]]]), ground.towns[owner[at[n]]]
            self.warnings.append(Problem(self.file, row, self.told("town"), found, "坐标所在的街镇", said))

    def _addresses(self) -> None:
        """Put rows without coordinates into the village or town that they name; the rest is 未定位."""
        without = (self.cells["lon"].isna() & self.cells["lat"].isna()).to_numpy() & ~self.left
        said = self.cells["position"].notna().to_numpy()
        # of a record that is kept the place is known, unless the file names another
        without &= (
            ~self.again() | self.cells[ADDRESS].notna().to_numpy() | self.cells["village"].notna().to_numpy()
        )
        places = np.flatnonzero(without).tolist()
        found: dict[tuple[str, str, str], Place] = {}
        towns: dict[int, str] = {}
        villages: dict[int, str] = {}
        lost: list[int] = []
        placed = 0
        texts = [_plain_list(self.cells[key]) for key in (ADDRESS, "town", "village")]
        known = set(self.around.gazetteer.towns)
        for place in places:
            address, town, village = (column[place] for column in texts)
            if not (address or village):
                if not town and not said[place]:
                    lost.append(place)
                continue
            asked = (address, town if town in known else "", village)
            if asked not in found:
                found[asked] = self.around.gazetteer.find(*asked)
            one = found[asked]
            if one.choices or one.elsewhere:
                self._doubt(place, address or village, one)
            if one.town and not town:
                towns[place] = one.town
            if one.village and not village:
                villages[place] = one.village
            if np.isfinite(one.lon) and not said[place]:
                self._set_place(place, one)
                placed += 1
            elif not (one.town or town) and not said[place]:
                lost.append(place)
        for key, values in (("town", towns), ("village", villages)):
            if values:
                column = self.told(ADDRESS) if ADDRESS in self.matches else self.told("village")
                why = f"由“{column}”得知"
                self.for_cells(key, list(values), list(values.values()), "address", [why] * len(values))
        if lost:
            self._write("position", dict.fromkeys(lost, UNPLACED))
            self.notes.append(f"{len(lost)} 行没有坐标,也看不出所在街镇:保留后记为“未定位”")
        rest = len(places) - len(lost) - placed
        if rest > 0:
            self.notes.append(f"{rest} 行没有坐标,按街镇近似定位,误差按街镇大小计")
        if placed:
            self.notes.append(f"{placed} 行没有坐标,按所在村(社区)近似定位")

    def _doubt(self, place: int, text: str, found: Place) -> None:
        """Say of an address that it names several places, perhaps one, or another district."""
        name = self.told(ADDRESS) if ADDRESS in self.matches else self.told("village")
        expected, advice = "一处地方", f"可能是:{'、'.join(found.choices[:6])};请写明街镇和村(社区)"
        if found.elsewhere:
            expected, advice = "本区的地址", f"写的是{found.elsewhere},没有按地址定位;确在本区的,请改正地址"
        self.warnings.append(Problem(self.file, int(self.rows[place]), name, text, expected, advice))

    def _set_place(self, place: int, found: Place) -> None:
        row, new = int(self.rows[place]), f"{found.lon:.6f}, {found.lat:.6f}"
        if self.allows("village", "lon", row):
            why = f"由地址得知在{found.town}{found.village},误差约 {found.error_m:.0f} 米"
            self.repairs.append(Repair(f"village:lon:{row}", row, self.told("lon"), None, new, why))
            self._write("lon", {place: written(found.lon)})
            self._write("lat", {place: written(found.lat)})
            self._write("position", {place: "村社近似"})
            self._write("error_m", {place: written(found.error_m)})

    def _write(self, key: str, values: Mapping[int, str]) -> None:
        cells = self.cells[key].astype(object).to_numpy(copy=True)
        for place, value in values.items():
            cells[place] = value
        self.cells[key] = pd.Series(cells, index=self.cells[key].index).astype("str")

    # -- what every record says --

    def fill_defaults(self) -> None:
        """Fill what a register wants of every record and a file need not say."""
        columns = self.spec.columns
        if "id" in columns and "id" not in self.matches and columns["id"].required:
            why = "文件没有编号列,按导入批次和行号编号"
            begin = f"{self.spec.key}-{self.around.batch}"
            if self.for_column("number", "id", None, f"{begin}-行号", why):
                self.cells["id"] = pd.Series([f"{begin}-{row}" for row in self.rows.tolist()], dtype="str")
        said = {*self.matches, *self.fills}
        if self.fills.get("name") == BY_NUMBER and "name" in columns and "name" not in self.matches:
            self._name_by_number()
        if "kind" in columns.keys() - said and len(columns["kind"].values) == 1:
            self._fill("kind", columns["kind"].values[0], "本图层只有一个类别")
        if "status" in columns.keys() - said and "未知" in columns["status"].values:
            self._fill("status", "未知", "文件没有状态列")
        if "source" in columns and self.spec.placed:
            self._sources()

    def _name_by_number(self) -> None:
        """Name what has only a number, as hydrants mostly do: 消火栓 and its number, or else its row."""
        own = "id" in self.matches
        numbers = self.cells["id"].fillna("").tolist() if own else self.rows.tolist()
        names = [f"{self.spec.label}{number}" for number in numbers]
        why = f"按所选,用图层名和{'编号' if own else '行号'}起名"
        if names and self.for_column("fill", "name", None, f"{names[0]} …", why):
            self.cells["name"] = pd.Series(names, index=self.cells["id"].index, dtype="str")

    def _fill(self, key: str, value: str, why: str, kind: str = "default") -> None:
        kept = self.again() if kind == "default" else np.zeros(len(self.rows), dtype=bool)
        if not (len(kept) and kept.all()) and self.for_column(kind, key, None, value, why):
            filled = self.cells[key].fillna(value)
            self.cells[key] = filled.where(~kept, self.cells[key]) if kept.any() else filled

    def _sources(self) -> None:
        """Say of every record that it was brought by somebody, unless it names a document."""
        cells = self.cells["source"]
        values = self.spec.columns["source"].values
        strange = (cells.notna() & ~cells.isin(values)).to_numpy()
        places = np.flatnonzero(strange).tolist()
        why = "来源只分文件、导入;原文请写入备注"
        self.for_cells("source", places, [IMPORTED] * len(places), "source", [why] * len(places))
        filled = self.cells["source"].fillna(IMPORTED)
        kept = self.again() if "source" in self.matches else None
        self.cells["source"] = filled if kept is None else filled.where(~kept, self.cells["source"])

    # -- the end --

    def finish(self) -> Draft:
        """Type and check what stands now, and part good rows from bad."""
        keep = ~self.left
        # filtering copies all the text of the file: it is done only when something was left out
        columns = {key: self.cells[key] if keep.all() else self.cells[key][keep] for key in self.spec.columns}
        frame = pd.DataFrame(columns, copy=False).reset_index(drop=True)
        again = frozenset(self.rows[self.again()].tolist())
        self.cells = {}
        give_back()
        rows = self.source.table.rows if keep.all() else tuple(self.rows[keep].tolist())
        raw = RawTable(self.file, frame, rows)
        checked = check(raw, self.spec, self.around.context)
        odd = look(raw, self.spec, checked.frame, self.around.ground, self.around.existing)
        give_back()
        wrong_cells = (one for one in checked.problems if not (one.row in again and left_blank(one)))
        found = [*self.problems, *self.source.problems, *map(self._advised, (*wrong_cells, *odd.problems))]
        problems = tuple(sorted(dict.fromkeys(found), key=lambda one: one.row or 0))
        warnings = tuple(
            sorted((*self.warnings, *map(self._named, odd.warnings)), key=lambda one: one.row or 0)
        )
        wrong = {one.row for one in problems}
        bad = np.isin(self.rows, [row for row in wrong if row is not None]) & keep
        good = keep & ~bad & (None not in wrong)
        whole = bool(good[keep].all())
        kept = checked.frame if whole else _only(checked.frame, good[keep])
        unplaced = np.zeros(len(kept), dtype=bool)
        if self.spec.placed:
            unplaced = (kept["position"] == UNPLACED).to_numpy(dtype=bool)
        return Draft(
            self.spec,
            kept,
            tuple(compress(self.source.table.rows, good.tolist())),
            good,
            keep & ~good,
            problems,
            warnings,
            tuple(self.repairs),
            (*self.source.notes, *self.notes),
            unplaced,
            self.file,
            {key: mask[good] for key, mask in self._cleared.items()},
        )

    def _advised(self, problem: Problem) -> Problem:
        """Tell a problem by the file's own column name, and what to do about it."""
        column = self.spec.columns.get(problem.column or "")
        if column is None:
            return problem
        choices = self.around.gazetteer.towns if column.type == "town" else column.values
        advice = advise(problem, column, choices, there=column.key in self.matches)
        return replace(problem, column=self.told(column.key), advice=advice)

    def _named(self, problem: Problem) -> Problem:
        """Tell a problem by the file's own column name."""
        if problem.column is None or problem.column not in self.spec.columns:
            return problem
        return replace(problem, column=self.told(problem.column))


def _only(frame: pd.DataFrame, mask: Bools) -> pd.DataFrame:
    """Give the rows of a mask; empties the frame meanwhile, for two of them would be twice the memory."""
    blank = pd.Series(np.nan, index=range(int(mask.sum())), dtype="str")  # one for all that nobody filled in
    kept: dict[str, pd.Series] = {}
    for name in frame.columns.tolist():
        cells = frame.pop(name)
        empty = isinstance(cells.dtype, pd.StringDtype) and not cells.notna().any()
        kept[name] = blank if empty else cells[mask].reset_index(drop=True)
    return pd.DataFrame(kept, copy=False)


def _matches(cells: pd.Series, pattern: str) -> Bools:
    """Mark the cells that are wholly of a pattern; a blank is not."""
    found: Bools = cells.astype("str").str.fullmatch(pattern).fillna(value=False).to_numpy(dtype=bool)
    return found


def _plain_list(cells: pd.Series) -> list[str]:
    return cells.fillna("").tolist()
