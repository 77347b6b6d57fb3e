"""The stages of an import, each worked out once from what the person has in hand."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from qjmap import coordinates, datum, draft, ingest, matching, merging, rejoined, sheets, trial
from qjmap._limits import give_back, silent
from qjmap.comparison import Comparison, compare_tables
from qjmap.coordinates import Choice, RowWords
from qjmap.datum import Reading
from qjmap.district import District
from qjmap.draft import Draft, Repair
from qjmap.errors import DataError, Problem
from qjmap.ingest import RawTable, Source
from qjmap.layers import LayerSpec
from qjmap.matching import ADDRESS, Match
from qjmap.merging import Joining
from qjmap.office import Office
from qjmap.spoken import Said
from qjmap.ui import desk, source, who
from qjmap.ui.intake_hand import Joined, Work

NEW_ID = "新的编号"
"""What `qjmap.oddities.look` expects of an id that is kept already."""

NAMESAKE, LOOKALIKE = "库中没有的名称", "库中没有的相近名称"
"""What is expected of a row that has the name of a kept record, or one like it, and another key."""

Progress = Callable[[float], None]
_SAMPLED = 2000  # rows that are looked at for examples
_EXAMPLES = 3


def sources(one: Work, progress: Progress = silent) -> tuple[Source, ...]:
    """Read the file; raises DataError."""
    return one.once(
        "sources",
        (one.digest, one.header_row),
        lambda: ingest.read(one.name, one.content, one.header_row, progress),
    )


def table(one: Work) -> Source:
    """Give the sheet or layer in hand, or the sheets that are read together; raises DataError."""
    found = sources(one)
    number = min(max(one.sheet, 0), len(found) - 1)
    return one.once(
        "table", one.origin, lambda: sheets.chosen(found, number, one.together, veiled=one.veiled)
    )


def best(one: Work, spec: LayerSpec | None, towns: tuple[str, ...]) -> int:
    """Say which sheet fits the layer best; for boundaries the one with most areas."""
    found = sources(one)
    if len(found) == 1:
        return 0
    if spec is None:
        areas = [0 if each.geometry is None else len(each.geometry) for each in found]
        return areas.index(max(areas))
    scores = [matching.score(each, spec, towns) for each in found]
    return scores.index(max(scores))


def matched(one: Work, spec: LayerSpec, towns: tuple[str, ...]) -> dict[str, Match]:
    """Match the columns, and change what the person changed; raises DataError."""
    found = table(one)
    first = one.once("matches", (one.origin, spec.key), lambda: matching.match(found, spec, towns))
    there = set(found.table.frame.columns)
    said = {key: name for key, name in one.choices.items() if name is None or name in there}
    changed = matching.chosen(first, said) if said else first
    return {key: changed[key] for key in (*spec.columns, ADDRESS) if key in changed}


def examples(one: Work) -> dict[str, str]:
    """Give for each column of the file what stands in it: its first different values."""

    def make() -> dict[str, str]:
        frame = table(one).table.frame.head(_SAMPLED)
        return {
            str(name): "、".join(_cut(str(cell)) for cell in frame[name].dropna().unique()[:_EXAMPLES])
            for name in frame
        }

    return one.once("examples", one.origin, make)


def _cut(text: str, most: int = 14) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def has_coordinates(one: Work, spec: LayerSpec, matches: dict[str, Match]) -> bool:
    """Tell whether the file says where its records are."""
    if not {"lon", "lat", "geometry"} & spec.columns.keys():
        return False
    found = table(one)
    if found.geometry is not None or "geometry" in matches:
        return True
    columns = [matches[key].column for key in ("lon", "lat") if key in matches]
    return len(columns) == 2 and all(bool(found.table.frame[name].notna().any()) for name in columns)


def readings(one: Work, district: District, matches: dict[str, Match]) -> list[Reading]:
    """Give the ways in which the coordinates can be read; raises DataError."""
    used = tuple(matches[key].column if key in matches else "" for key in ("lon", "lat", "geometry"))

    return one.once(
        "readings", (one.origin, used), lambda: coordinates.readings(table(one), matches, district)
    )


def by_row(one: Work, matches: dict[str, Match]) -> RowWords | None:
    """Give the column that says row by row what the coordinates are."""
    used = tuple(matches[key].column if key in matches else "" for key in ("lon", "lat"))
    return one.once("by-row", (one.origin, used), lambda: coordinates.by_row(table(one), matches))


def choice(one: Work, spec: LayerSpec, district: District, matches: dict[str, Match]) -> Choice:
    """Say which reading the file itself speaks for, and what speaks against it; raises DataError."""
    found = readings(one, district, matches)
    newest, register = kept(one)
    used = tuple(matches[key].column if key in matches else "" for key in ("lon", "lat", "geometry", "id"))

    def make() -> Choice:
        mine = table(one)
        own = {each.name for each in mine.parts or (mine,)}
        others = [each for each in sources(one) if each.name not in own]
        said = coordinates.heard(mine, matches, one.name, others)
        said += _kept_places(mine, spec, matches, found, register)
        told = replace(mine, crs=None) if one.doubted else mine
        return coordinates.choose(told, matches, found, said)

    return one.once("choice", (one.origin, spec.key, used, one.doubted, newest), make)


def _kept_places(
    mine: Source, spec: LayerSpec, matches: Mapping[str, Match], found: list[Reading], register: RawTable
) -> list[Said]:
    """Hold the file's rows against the records of the same key that are kept already."""
    key, frame = merging.key_of(spec), register.frame
    if key is None or key not in matches or not {"lon", "lat", "position"} <= set(frame):
        return []
    sure = frame[frame["lon"].notna() & ~frame["position"].fillna("").str.endswith("近似")]
    sure = sure.drop_duplicates(key).set_index(key)
    ids = mine.table.frame[matches[key].column]
    lon, lat = (
        pd.to_numeric(ids.map(sure[name]), errors="coerce").to_numpy(dtype=np.float64)
        for name in ("lon", "lat")
    )
    return coordinates.agreement(found, lon, lat, "库中同编号的 {} 条记录,位置与此相符") if len(sure) else []


def offered(one: Work, spec: LayerSpec, district: District, matches: dict[str, Match]) -> list[Reading]:
    """Give the readings that are shown: of a file that names its own only that one, unless somebody doubts it."""
    found = readings(one, district, matches)
    if not table(one).crs or choice(one, spec, district, matches).key != datum.WGS84:
        return found
    return [each for each in found if each.key == datum.WGS84] or found


def reading(one: Work, spec: LayerSpec, district: District, matches: dict[str, Match]) -> Reading | None:
    """Give the reading that the person chose, else the one that the file speaks for; None when nobody has said."""
    found = readings(one, district, matches)
    if one.reading not in {each.key for each in found}:
        one.reading = choice(one, spec, district, matches).key
    chosen = next((each for each in found if each.key == one.reading), None)
    one.reading_label = chosen.label if chosen is not None else ""
    return chosen


def undecided(one: Work, spec: LayerSpec | None, district: District) -> bool:
    """Tell whether it is still to be said how the coordinates are read; raises DataError."""
    if spec is None or one.saved is not None or one.reading is not None:
        return False
    matches = matched(one, spec, tuple(district.towns.index))
    return (
        has_coordinates(one, spec, matches)
        and bool(readings(one, district, matches))
        and reading(one, spec, district, matches) is None
    )


def kept(one: Work) -> tuple[int, RawTable]:
    """Give the register as everybody sees it now; raises as `desk.opened`."""
    return desk.opened(one.layer)


def joining(one: Work, spec: LayerSpec, matches: dict[str, Match], rows: int) -> Joining:
    """Say how the file joins what is kept: as the person said; else in the way by which nothing vanishes."""
    if not rows:
        return Joining.REPLACE
    if one.how is None:
        one.how = Joining.UPDATE if knows_again(one, spec, matches) else Joining.ADD
    return one.how


def knows_again(one: Work, spec: LayerSpec, matches: Mapping[str, Match]) -> bool:
    """Tell whether rows can be records that are kept: by a key in the file, or one that the program finds."""
    key = merging.key_of(spec)
    return (
        key in matches or key in draft.told_by_register(spec) or (key is not None and (one.same or one.alike))
    )


def checked(
    one: Work, office: Office, spec: LayerSpec, matches: dict[str, Match], progress: Progress = silent
) -> Draft:
    """Read, repair and check the rows, once it is known how they join what is kept; raises DataError."""
    if one.saved is not None:  # what was saved is what was checked before
        return draft_of(one)
    newest, register = kept(one)
    if one.base is None:
        one.base = newest
    rows = len(register.frame)
    how = joining(one, spec, matches, rows)
    against = how != Joining.REPLACE and spec.placed
    if one.reading is None and has_coordinates(one, spec, matches):
        reading(one, spec, office.district, matches)
    fills = {name: value for name, value in one.fills.items() if name not in matches}
    key = (
        one.origin,
        spec.key,
        tuple((name, match.column) for name, match in matches.items()),
        one.reading,
        one.refused,
        tuple(sorted(fills.items())),
        tuple((name, tuple(words.items())) for name, words in one.meanings.items() if words),
        how,
        one.same,
        one.alike,
        one.apart,
        one.base,
    )
    number = merging.key_of(spec)
    known = register.frame[number].dropna().tolist() if how == Joining.UPDATE and number is not None else []

    def make() -> Draft:
        one.drop("joined")
        chosen = None
        if has_coordinates(one, spec, matches):
            chosen = reading(one, spec, office.district, matches)
            one.drop("readings")  # they are as large as the file, and made again when they are wanted
            _forget()
        batch = office.workspace.newest(spec.key) + 1
        around = draft.surroundings(office.district, _existing(spec) if against else None, batch)

        def prepared(known: Collection[str]) -> Draft:
            return draft.prepare(
                table(one),
                spec,
                matches,
                chosen,
                around,
                refused_repairs=one.refused,
                fills=fills,
                meanings=one.meanings,
                known=known,
                progress=progress,
            )

        made = prepared(known)
        _forget()
        if one.apart and how == Joining.UPDATE:
            others = _of_others(one, made, register, around.names)
            # new records, which get what a new record gets
            made = prepared({*known} - {*others.values()})
            made = _numbered_apart(one, made, register, matches, others)
        # that an id is there already is what an update is about; of an addition such rows are told apart
        # (and of namesakes, which can be taken for the records that they may be)
        odd = (each for each in made.warnings if each.expected not in (NEW_ID, NAMESAKE, LOOKALIKE))
        again = _left_out(one, made, register, matches) if how == Joining.ADD else ()
        made = replace(made, warnings=(*odd, *again))
        if how == Joining.REPLACE:
            return made
        return _namesakes(one, made, register, matches, around.names)

    made = one.once("draft", key, make)
    one.offered.update((repair.id, repair) for repair in made.repairs)
    return made


def _left_out(
    one: Work, made: Draft, register: RawTable, matches: Mapping[str, Match]
) -> tuple[Problem, ...]:
    """Tell of each row that an addition leaves out, for its key is kept already."""
    key = merging.key_of(made.spec)
    if key is None:
        return ()
    column = matches[key].column if key in matches else made.spec.columns[key].label
    places = np.flatnonzero(made.frame[key].isin(register.frame[key]).to_numpy(dtype=bool))
    ids = made.frame[key].iloc[places].tolist()
    advice = "追加时这一行不导入:要改那条记录请选“按编号更新”,是另一条的请换编号"
    told = table(one).table.told
    return tuple(
        told(Problem(made.file, made.rows[place], column, each, NEW_ID, f"库中已有此编号({name});{advice}"))
        for place, each, name in zip(places.tolist(), ids, kept_names(register, made.spec, ids), strict=True)
    )


def _namesakes(
    one: Work, made: Draft, register: RawTable, matches: Mapping[str, Match], names: tuple[str, ...]
) -> Draft:
    """Warn of rows that have a kept record's name or one like it, or take them for it where the person says so."""
    key = merging.key_of(made.spec)
    if key is None:
        return made
    same = {n: (each,) for n, each in merging.namesakes(register.frame, made.frame, made.spec, names).items()}
    alike = merging.lookalikes(register.frame, made.frame, made.spec, names)
    if one.same:
        made = _taken_for(one, made, register, matches, same, "namesake", "同名")
    if one.alike:
        made = _taken_for(one, made, register, matches, _settled(alike), "lookalike", "名称相近")
    left = {} if one.same else same
    doubted = {n: each for n, each in alike.items() if not one.alike or len(each) > 1}
    odd = (
        *_told_names(one, made, register, matches, left, NAMESAKE, "也叫这个名称"),
        *_told_names(one, made, register, matches, doubted, LOOKALIKE, "名称与它相近"),
    )
    return replace(made, warnings=(*made.warnings, *odd))


def _of_others(one: Work, made: Draft, register: RawTable, names: tuple[str, ...]) -> dict[int, str]:
    """Give the rows of the file that shall not lie over another town's record, and its key."""
    found = rejoined.overwritten(register.frame, made.frame, made.spec, names)
    kind = f"apart:{merging.key_of(made.spec)}"
    if kind in one.refused:
        return {}
    rows = {made.rows[place]: key for place, key in found.items()}
    return {row: key for row, key in rows.items() if f"{kind}:{row}" not in one.refused}


def _numbered_apart(
    one: Work, made: Draft, register: RawTable, matches: Mapping[str, Match], others: Mapping[int, str]
) -> Draft:
    """Number rows that would lie over another town's record by their own town; each listed, and refused by itself."""
    key = merging.key_of(made.spec)
    found = {n: others[row] for n, row in enumerate(made.rows) if row in others}
    if key is None or not found:
        return made
    column = matches[key].column if key in matches else made.spec.columns[key].label
    ids = made.frame[key].astype(object).to_numpy(copy=True)
    kept, repairs = kept_names(register, made.spec, found.values()), []
    for (place, old), name in zip(found.items(), kept, strict=True):
        repair, new = f"apart:{key}:{made.rows[place]}", f"{made.frame['town'].iloc[place]}-{old}"
        why = f"库中“{old}”是别的街镇的“{name}”,不是同一条"
        sheet, row = table(one).table.place(made.rows[place])
        repairs.append(Repair(repair, row, column, old, new, why, sheet))
        ids[place] = new
    frame = made.frame.assign(**{key: pd.Series(ids, index=made.frame.index).astype("str")})
    return replace(made, frame=frame, repairs=(*made.repairs, *repairs))


def _settled(alike: Mapping[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    """Give the rows that are like one record only, which no other row is like."""
    claimed = Counter(key for keys in alike.values() for key in keys)
    return {n: keys for n, keys in alike.items() if len(keys) == 1 and claimed[keys[0]] == 1}


def _told_names(
    one: Work,
    made: Draft,
    register: RawTable,
    matches: Mapping[str, Match],
    found: Mapping[int, tuple[str, ...]],
    expected: str,
    how: str,
) -> list[Problem]:
    column = matches["name"].column if "name" in matches else made.spec.columns["name"].label
    told, odd = table(one).table.told, []
    for place, keys in found.items():
        kept = "、".join(
            f"“{key}”({name})" for key, name in zip(keys, kept_names(register, made.spec, keys), strict=True)
        )
        advice = f"库中{kept}{how};若是同一条,请把编号改为 {'或 '.join(keys)},否则会记成两条"
        value = str(made.frame["name"].iloc[place])
        odd.append(told(Problem(made.file, made.rows[place], column, value, expected, advice)))
    return odd


def _taken_for(
    one: Work,
    made: Draft,
    register: RawTable,
    matches: Mapping[str, Match],
    found: Mapping[int, tuple[str, ...]],
    kind: str,
    how: str,
) -> Draft:
    """Give rows the keys and names of the records that they are taken for; each listed, and refused by itself."""
    key = merging.key_of(made.spec)
    if key is None or not found:
        return made
    kept = [keys[0] for keys in found.values()]
    named = dict(zip(kept, kept_names(register, made.spec, kept), strict=True))
    column = matches[key].column if key in matches else made.spec.columns[key].label
    ids, names = (made.frame[each].astype(object).to_numpy(copy=True) for each in (key, "name"))
    repairs = []
    for place, (each,) in found.items():
        repair = f"{kind}:{key}:{made.rows[place]}"
        if not {repair, f"{kind}:{key}"} & one.refused:
            other = "" if names[place] == named[each] else f"(文件写“{names[place]}”,名称仍用库中的)"
            why = f"与库中“{named[each]}”{how},当作同一条{other}"
            sheet, row = table(one).table.place(made.rows[place])
            repairs.append(Repair(repair, row, column, str(ids[place]), each, why, sheet))
            ids[place], names[place] = each, named[each]
    taken = {
        each: pd.Series(cells, index=made.frame.index).astype("str")
        for each, cells in ((key, ids), ("name", names))
    }
    frame = made.frame.assign(**taken)
    return replace(made, frame=frame, repairs=(*made.repairs, *repairs))


def kept_names(register: RawTable, spec: LayerSpec, ids: Iterable[str]) -> list[str]:
    """Name the records that are kept under these keys."""
    key = merging.key_of(spec)
    if key is None or "name" not in register.frame:
        return ["" for _ in ids]
    names = dict(zip(register.frame[key], register.frame["name"].fillna("无名称"), strict=True))
    return [str(names.get(each, "")) for each in ids]


def updating(one: Work, spec: LayerSpec, matches: Mapping[str, Match]) -> tuple[int, int]:
    """Count the rows that would change a kept record, and those that have a key; none where nothing is updated."""
    key = merging.key_of(spec)
    if key is None or key not in matches or one.how not in (None, Joining.UPDATE):
        return 0, 0
    newest, register = kept(one)
    column = matches[key].column

    def make() -> tuple[int, int]:
        cells = table(one).table.frame[column].dropna()
        return int(cells.isin(register.frame[key]).sum()), len(cells)

    return one.once("known", (one.origin, spec.key, column, newest), make)


def _forget() -> None:
    """Give memory back at once: what the last run of the page made lies in circles that Python looks for late."""
    gc.collect()
    give_back()


def draft_of(one: Work) -> Draft:
    """Give the draft that the page shows."""
    made: Draft = one.shown("draft")
    return made


def joined_of(one: Work) -> Joined:
    """Give how that draft joins what is kept, as the page shows it."""
    made: Joined = one.shown("joined")
    return made


def _existing(spec: LayerSpec) -> pd.DataFrame | None:
    try:
        return source.layer(spec.key, demo=False).frame
    except DataError:  # what is kept is wrong itself: the page of records tells
        return None


def joined(one: Work, spec: LayerSpec, matches: dict[str, Match], made: Draft) -> Joined:
    """Put the good rows and what is kept together, and say what that changes.

    What this person may not see is left out on both sides: whether a guess changes anything would tell it. Who may not
    see it may not save either.
    """
    _, register = kept(one)
    how = joining(one, spec, matches, len(register.frame))
    secret = secrets(spec)

    def seen(raw: RawTable) -> RawTable:
        return replace(raw, frame=raw.frame.drop(columns=secret, errors="ignore"))

    def make() -> Joined:
        if register.frame.empty or made.frame.empty:
            return Joined(None, None, how, np.zeros(len(made.frame), dtype=bool))
        old, new = seen(register), seen(draft.to_table(made))
        key = merging.key_of(spec)
        again = np.zeros(len(made.frame), dtype=bool) if key is None else merging.collisions(old, new, key)
        brought = frozenset({*matches, *one.fills})
        whole = merging.join(old, new, how, spec, brought, made.cleared)
        over, twice = {}, np.zeros(len(again), dtype=bool)
        if how == Joining.UPDATE:
            over = rejoined.overwritten(old.frame, new.frame, spec, draft.own_names(source.district()))
        if how != Joining.REPLACE:
            twice = rejoined.repeated(old.frame, new.frame, spec, brought)
        found = compare_tables(old.frame, whole.frame)
        odd = _odd_when_joined(one, spec, matches, made, (old, whole), found) if how == Joining.UPDATE else ()
        return Joined(whole, found, how, again, over, twice, odd)

    return one.once("joined", (id(made), how, one.base, tuple(secret)), make)


def _odd_when_joined(
    one: Work,
    spec: LayerSpec,
    matches: Mapping[str, Match],
    made: Draft,
    tables: tuple[RawTable, RawTable],
    found: Comparison,
) -> tuple[Problem, ...]:
    """Tell what becomes odd of records by what a file changes, where the file's own rows did not show it."""
    key = merging.key_of(spec)
    if key != "id":
        return ()
    told, odd = table(one).table.told, []
    known = {(each.row, each.expected) for each in made.warnings}
    rows = dict(zip(made.frame[key], made.rows, strict=True))
    place, ids = source.district(), {each.id for each in found.changed}
    before, after = (trial.look_again(place, spec.key, each, ids) for each in tables)
    for record, doubts in after.items():
        there = {(each.column, each.expected) for each in before.get(record, ())}
        for each in doubts:
            if (each.column, each.expected) in there:
                continue
            name = str(each.column)
            column = matches[name].column if name in matches else spec.columns[name].label
            here = told(replace(each, file=made.file, row=rows[record], column=column))
            if (here.row, here.expected) not in known:
                odd.append(here)
    return tuple(odd)


def secrets(spec: LayerSpec) -> list[str]:
    """Name the columns of a layer that this person may not see."""
    return [key for key in spec.columns if who.hides(spec, key)]


def row_names(one: Work, matches: Mapping[str, Match], rows: Iterable[int]) -> list[str]:
    """Name rows of the table as a person knows them: name or id, and the row in the file."""
    found, rows = table(one).table, [int(row) for row in rows]
    column = next((matches[key].column for key in ("name", "id", ADDRESS) if key in matches), None)
    cells = found.frame[column].iloc[rows].fillna("").tolist() if column is not None else [""] * len(rows)
    return [
        f"{_cut(str(cell), 24)}({found.where(found.rows[row])})"
        for cell, row in zip(cells, rows, strict=True)
    ]
