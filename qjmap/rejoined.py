"""What is doubtful of a file against the register that it joins: overwritten by chance, put in twice, left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from qjmap.layers import LayerSpec
from qjmap.merging import PLACE, key_of, named

Bools = npt.NDArray[np.bool_]
_MOST_OTHER = 0.5
"""From this share of the known keys on, other towns are no corrections: the numbers are another list's."""


def overwritten(
    kept: pd.DataFrame, new: pd.DataFrame, spec: LayerSpec, names: Sequence[str] = ()
) -> dict[int, str]:
    """Find rows under a kept record's key that are hardly that record: town and name are others.

    Each town numbers its own list from 1 on; the second list would lie over the first. Where most of the known keys
    belong to other towns, a name that several rows have does not clear them. A file that says no names corrects towns.

    Parameters
    ----------
    kept, new
        The register as text and the file's rows; both with the layer's columns.
    spec
        The layer or table.
    names
        The district's own names, as `qjmap.merging.namesakes` takes them.

    Returns
    -------
    dict
        Place in `new` → key of the kept record.
    """
    key = key_of(spec)
    if key is None or kept.empty or not {"name", "town", key} <= {*spec.columns} & {*kept.columns}:
        return {}
    again = np.flatnonzero((new[key].notna() & new[key].isin(kept[key])).to_numpy(dtype=bool))
    if not again.size:
        return {}
    at = pd.Index(kept[key]).get_indexer_for(pd.Index(new[key].iloc[again]))[: again.size]
    town, before = new["town"].iloc[again].to_numpy(), kept["town"].iloc[at].to_numpy()
    moved = pd.notna(town) & pd.notna(before) & (town != before)
    if not moved.any():
        return {}
    most = moved.mean() >= _MOST_OTHER
    places = np.flatnonzero(moved)
    one = named(new.iloc[again[places]], key, names)["name"]
    other = named(kept.iloc[at[places]], key, names)["name"]
    apart = one.notna() & other.notna() & (one != other)
    if most:  # a name that many have tells nothing
        apart |= one.notna() & one.duplicated(keep=False)
    moved[places] = apart.to_numpy(dtype=bool)
    return dict(zip(again[moved].tolist(), new[key].iloc[again[moved]].tolist(), strict=True))


def repeated(kept: pd.DataFrame, new: pd.DataFrame, spec: LayerSpec, said: Collection[str]) -> Bools:
    """Mark rows, (n,), that say nothing but what a kept record says too, each record once: the list was in already.

    Parameters
    ----------
    kept, new
        The register and the file's rows, as text as they are kept (`qjmap.draft.to_table`).
    spec
        The layer or table; a row whose key the register has is not looked at.
    said
        The columns that the file itself brought. With less than a name and two more nothing is said.
    """
    key, none = key_of(spec), np.zeros(len(new), dtype=bool)
    place = PLACE if "lon" in said else ()
    columns = [
        one
        for one in spec.columns
        if one in {*said, *place} - {key, "error_m"} and one in kept and one in new
    ]
    if key is None or kept.empty or len(columns) < 3:
        return none
    apart = ~(new[key].notna() & new[key].isin(kept[key])).to_numpy(dtype=bool)
    there = Counter(_rows(kept[~kept[key].isin(new[key])], columns))
    for n, row in zip(np.flatnonzero(apart).tolist(), _rows(new[apart], columns), strict=True):
        if there[row] > 0:
            there[row] -= 1
            none[n] = True
    return none


def silent(frame: pd.DataFrame, towns: Sequence[str]) -> list[str]:
    """List the towns of which a register has no record, in the towns' order; none where it names no town at all."""
    there = set(frame["town"].dropna()) if "town" in frame else set()
    return [one for one in towns if one not in there] if there else []


def _rows(frame: pd.DataFrame, columns: Sequence[str]) -> list[int]:
    """Give a number for what stands in each row: texts of a hundred thousand rows would be large."""
    cells = frame[list(columns)].astype("str").fillna("")
    return pd.util.hash_pandas_object(cells, index=False).tolist()
