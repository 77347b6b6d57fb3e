"""How the rows of a file join a register that is kept already: in its place, behind it, or row by row."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from qjmap.checks import LISTED, MEASURED, UNPLACED
from qjmap.ingest import RawTable
from qjmap.layers import LayerSpec

PLACE = ("lon", "lat", "position", "error_m")
"""What says where a record is: taken from one side whole, for half of each would be a place that nobody said."""

_SAME_SOURCE = (*PLACE, "source", "document", "clause", "note")
"""Columns that may change without a record ceasing to be what its document says."""

CLEAR = "清空"
"""In a cell of an updating file: what is kept there shall be gone, which a blank does not say."""

IMPORTED = "导入"
_NUMBERS = ("integer", "number", "year", "longitude", "latitude")

Bools = npt.NDArray[np.bool_]


class Joining(StrEnum):
    """The ways in which a file joins a register."""

    REPLACE = "整份替换"
    ADD = "追加"
    UPDATE = "按编号更新"


def key_of(spec: LayerSpec) -> str | None:
    """Give the column by which a record is known again: the first that is required and unique; None without one."""
    return next((key for key, one in spec.columns.items() if one.required and one.unique), None)


def collisions(kept: RawTable, new: RawTable, key: str) -> Bools:
    """Mark the rows of `new`, (n,), whose key the register has already: with `Joining.ADD` they are left out."""
    found: Bools = (new.frame[key].notna() & new.frame[key].isin(kept.frame[key])).to_numpy(dtype=bool)
    return found


def namesakes(
    kept: pd.DataFrame, new: pd.DataFrame, spec: LayerSpec, names: Sequence[str] = ()
) -> dict[int, str]:
    """Find rows that are probably a kept record under another key: the same name, and no other town.

    Parameters
    ----------
    kept, new
        The register as text and the file's rows; both with the layer's columns.
    spec
        The layer or table.
    names
        The district's own names: with one of them before it, or the record's own town, a name is the same name.

    Returns
    -------
    dict
        Place in `new` → key of the one record that it may be. A name that fits several is nobody's.
    """
    sides = _unknown(kept, new, spec, names)
    if sides is None:
        return {}
    old, fresh = sides
    apart = fresh.merge(old, on="name", suffixes=("", "_kept"))
    one, other = apart["town"], apart["town_kept"]
    apart = apart[(one == other).fillna(value=False).to_numpy(dtype=bool) | one.isna() | other.isna()]
    in_town = fresh[fresh["town"].notna()].merge(
        old[old["town"].notna()], on=["town", "rest"], suffixes=("", "_kept")
    )
    both = ["place", "key_kept"]
    pairs = pd.concat([apart[both], in_town[both]], ignore_index=True).drop_duplicates()
    lone = ~pairs.duplicated("place", keep=False) & ~pairs.duplicated("key_kept", keep=False)
    found = pairs[lone].sort_values("place")
    return dict(zip(found["place"].tolist(), found["key_kept"].tolist(), strict=True))


def lookalikes(
    kept: pd.DataFrame, new: pd.DataFrame, spec: LayerSpec, names: Sequence[str] = ()
) -> dict[int, tuple[str, ...]]:
    """Find rows that may be a kept record of their town, named with some words more or less (卫生院, 中心卫生院).

    Numbers and letters tell things apart (1号, 11号), so they must agree. In long lists, which nobody
    looks through one by one, nothing is found.

    Parameters
    ----------
    kept, new, spec, names
        As in `namesakes`.

    Returns
    -------
    dict
        Place in `new` → keys of the records that it may be; none of those that `namesakes` finds.
    """
    if "town" not in kept or kept["town"].value_counts().mul(new["town"].value_counts()).sum() > _MOST_PAIRS:
        return {}
    sides = _unknown(kept, new, spec, names)
    if sides is None:
        return {}
    sure = namesakes(kept, new, spec, names)
    old, fresh = (one[one["town"].notna() & one["rest"].str.len().gt(1)] for one in sides)
    fresh, old = fresh[~fresh["place"].isin(list(sure))], old[~old["key"].isin(list(sure.values()))]
    pairs = fresh.merge(old, on="town", suffixes=("", "_kept"))
    like = [_alike(*two) for two in zip(pairs["rest"], pairs["rest_kept"], strict=True)]
    found = pairs[np.array(like, dtype=bool)].groupby("place")["key_kept"].agg(tuple)
    return dict(zip(found.index.tolist(), found.tolist(), strict=True))


_MOST_PAIRS = 20_000
_TELLING = re.compile(r"[0-9A-Za-z一二三四五六七八九十甲乙丙丁东南西北上下大小新老旧分]")


def _alike(one: str, other: str) -> bool:
    """Say whether the longer name is the shorter one with up to as much again in it, nothing that tells apart."""
    short, long = sorted((one, other), key=len)
    if len(long) > 2 * len(short):
        return False
    letters, more = iter(long), []
    for wanted in short:
        for letter in letters:
            if letter == wanted:
                break
            more.append(letter)
        else:
            return False
    return not _TELLING.search("".join((*more, *letters)))


def _unknown(
    kept: pd.DataFrame, new: pd.DataFrame, spec: LayerSpec, names: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Give the kept records that a file does not name by their key, and its rows that have none of the kept keys.

    Each with its name as it is compared (`name`), that without its town (`rest`), `town`, `key` and `place`; of a file
    that has one name twice in a town neither.
    """
    key = key_of(spec)
    if key is None or kept.empty or not {"name", "town", key} <= {*spec.columns} & {*kept.columns}:
        return None
    # the usual update: folding a hundred thousand names takes a second
    if new[key].isin(kept[key]).all():
        return None
    known, mine = (
        one.notna() & ~each[key].isin(other[key])
        for one, each, other in ((kept["name"], kept, new), (new["name"], new, kept))
    )
    old, fresh = named(kept[known], key, names), named(new[mine], key, names)
    fresh["place"] = np.flatnonzero(mine.to_numpy(dtype=bool))
    return old, fresh[~fresh.duplicated(["name", "town"], keep=False)]


def named(frame: pd.DataFrame, key: str, names: Sequence[str]) -> pd.DataFrame:
    """Give the names of rows as they are compared: without the district before them (`name`) or their town (`rest`).

    Beside them `town`, the `key` of that column and the row's `place`; without a name both are missing.
    """
    name = frame["name"].str.normalize("NFKC").str.replace(r"\s", "", regex=True)
    if names:
        own = "|".join(re.escape(one) for one in sorted(names, key=len, reverse=True))
        name = name.str.replace(rf"^(?:{own})(?=..)", "", regex=True)
    rest = name.astype(object).to_numpy(copy=True)
    towns, known = frame["town"].astype(object).to_numpy(), frame["name"].notna().to_numpy()
    for town in frame["town"].dropna().unique():
        here = (towns == town) & known
        short = re.escape(re.sub("(街道|镇|乡)$", "", town))
        rest[here] = [re.sub(rf"^{short}(?:街道|镇|乡)?(?=.)", "", one) for one in rest[here]]
    columns = {"name": name.to_numpy(), "rest": rest, "town": towns, "key": frame[key].to_numpy()}
    return pd.DataFrame({**columns, "place": np.arange(len(frame))})


def join(
    kept: RawTable,
    new: RawTable,
    how: Joining,
    spec: LayerSpec,
    said: Collection[str] = (),
    cleared: Mapping[str, Bools] = MappingProxyType({}),
) -> RawTable:
    """Join a file's rows to a register.

    Parameters
    ----------
    kept
        The register as it stands, as text.
    new
        The file's rows as text, as `qjmap.draft.to_table` writes them; each key once.
    how
        ``REPLACE``: the register is the file's rows. ``ADD``: behind what is kept; a row whose key is there already is
        left out (see `collisions`). ``UPDATE``: a row whose key is there changes that record, any other is added.
    spec
        The layer or table; needs a key (`key_of`) but for ``REPLACE``.
    said
        The columns that the file itself brought. In ``UPDATE`` only these change a record, and a blank cell changes
        nothing; what the program filled in by itself (a status 未知) stands only where nothing stood. The place of a
        record is taken whole: a place that the file measured or lists takes the place of any other, one that was
        merely derived from an address fills a gap. A record whose content changed and of which the file does not say
        the source becomes 导入.
    cleared
        The cells of `new` that say `CLEAR`, key → mask (n,): in ``UPDATE`` what is kept there goes. A longitude or
        latitude that goes takes the whole place with it.

    Returns
    -------
    RawTable
        The columns of `new`, then those that only `kept` has; rows numbered as in the CSV file that will be saved, but
        with ``REPLACE`` as in `new`. A number that only is written otherwise (28.880 for 28.88) stays as it was kept.

    Raises
    ------
    ValueError
        ``ADD`` or ``UPDATE`` without a key.
    """
    key = key_of(spec)
    if key is None:
        if how != Joining.REPLACE:
            raise ValueError(f"{how} needs a key")
        return new
    again = collisions(kept, new, key)
    if how == Joining.REPLACE:
        if not again.any():
            return new
        frame = new.frame.copy()
        for column, cells in _spelled(_partners(kept, new.frame[again], key), frame[again], spec).items():
            frame.loc[again, column] = cells.to_numpy()
        return RawTable(new.file, frame, new.rows)
    columns = list(dict.fromkeys((*new.frame.columns, *kept.frame.columns)))
    old = kept.frame.reindex(columns=columns)
    fresh = new.frame.reindex(columns=columns)
    if how == Joining.UPDATE and again.any():
        gone = {column: mask[again] for column, mask in cleared.items()}
        old = _updated(old, fresh[again], spec, key, frozenset(said), gone)
    frame = pd.concat([old, fresh[~again]], ignore_index=True).astype("str")
    return RawTable(new.file, frame, tuple(range(2, len(frame) + 2)))


def _partners(kept: RawTable, fresh: pd.DataFrame, key: str) -> pd.DataFrame:
    """Give for each of the rows the kept record of its key."""
    at = pd.Index(kept.frame[key]).get_indexer_for(pd.Index(fresh[key]))[: len(fresh)]
    partners: pd.DataFrame = kept.frame.iloc[at].reindex(columns=fresh.columns).reset_index(drop=True)
    return partners


def _spelled(before: pd.DataFrame, after: pd.DataFrame, spec: LayerSpec) -> dict[str, pd.Series]:
    """Write numbers that are the same as they were kept; only columns where that matters are in the answer."""
    found: dict[str, pd.Series] = {}
    for key, column in spec.columns.items():
        if column.type not in _NUMBERS or key not in after:
            continue
        right = after[key].reset_index(drop=True)
        left = before[key]
        other = _differ(left, right)
        if not other.any():
            continue
        one, two = (pd.to_numeric(cells[other], errors="coerce").to_numpy() for cells in (left, right))
        other = other.copy()
        other[other] = one == two
        if other.any():
            found[key] = right.where(~other, left)
    return found


def _updated(
    old: pd.DataFrame,
    fresh: pd.DataFrame,
    spec: LayerSpec,
    key: str,
    said: frozenset[str],
    gone: Mapping[str, Bools],
) -> pd.DataFrame:
    """Lay the rows of `fresh` over the records of the same key; where a cell is gone its blank counts."""
    none = np.zeros(len(fresh), dtype=bool)
    at = pd.Index(old[key]).get_indexer_for(pd.Index(fresh[key]))[: len(fresh)]
    before = old.iloc[at].reset_index(drop=True)
    after = fresh.reset_index(drop=True).assign(**_spelled(before, fresh, spec))
    placed = set(PLACE) <= set(old.columns)
    taken = _place_taken(before, after, said) if placed else None
    if taken is not None:
        taken |= gone.get("lon", none) | gone.get("lat", none)
    changed = np.zeros(len(after), dtype=bool)
    made: dict[str, pd.Series] = {}
    for column in old.columns:
        left, right = before[column], after[column]
        if taken is not None and column in PLACE:
            wanted = taken
        else:
            wanted = right.notna().to_numpy() & ((column in said) | left.isna().to_numpy())
        wanted = wanted | gone.get(column, none)
        made[column] = left.where(~wanted, right)
        if column not in _SAME_SOURCE:
            changed |= _differ(left, made[column])
    if placed and "source" in made:
        unsaid = after["source"].isna().to_numpy() | ("source" not in said)
        known = before["source"].notna().to_numpy() & unsaid
        made["source"] = made["source"].where(~known, before["source"].where(~changed, IMPORTED))
    laid = old.copy()
    for column, values in made.items():
        cells = laid[column].astype(object).to_numpy(copy=True)
        cells[at] = values.astype(object).to_numpy()
        laid[column] = pd.Series(cells, index=laid.index).astype("str")
    return laid


def _place_taken(before: pd.DataFrame, after: pd.DataFrame, said: frozenset[str]) -> Bools:
    """Mark the rows whose place comes from the file."""
    has = (after["lon"].notna() & after["lat"].notna()).to_numpy()
    moved = _differ(before["lon"], after["lon"]) | _differ(before["lat"], after["lat"])
    listed = (after["position"].isna() | (after["position"] == LISTED)).to_numpy(dtype=bool)
    good = listed | (after["position"] == MEASURED).fillna(value=False).to_numpy(dtype=bool)
    # a list that gives the same coordinates again, and not how they were obtained, takes nothing from what is known
    own = has & ((~listed & ("position" in said)) | (good & moved))
    nowhere = (before["lon"].isna() & before["position"].isna()).to_numpy()
    unknown = before["position"].isin([UNPLACED]).to_numpy()
    # that the program found no place for a row says nothing of a record that is kept
    told = (after["position"].notna() & (after["position"] != UNPLACED)).to_numpy() & ("position" in said)
    found: Bools = own | ((nowhere | unknown) & (has | told))
    return found


def _differ(one: pd.Series, other: pd.Series) -> Bools:
    both = one.isna() & other.isna()
    found: Bools = (one.ne(other).fillna(value=True) & ~both).to_numpy(dtype=bool)
    return found
