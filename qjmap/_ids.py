"""Numbers of records that differ by next to nothing: by width, blanks, case, leading zeros."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_STRANGE = "[\\s\u00a0\u2000-\u200a\u2460-\u24ff\u3000\uff01-\uff5e]|^['=]"


def strange_ids(cells: pd.Series) -> npt.NDArray[np.bool_]:
    """Mark the ids that are not written plainly: with blanks, full-width letters, Excel's quote or sign in front."""
    found = pc.match_substring_regex(_arrow(cells), _STRANGE)
    marked: npt.NDArray[np.bool_] = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return marked


def like_ids(cells: pd.Series, kept: Collection[str]) -> Iterator[tuple[int, str, int]]:
    """Find ids that differ from an earlier one, or from one that is kept, only by case or leading zeros.

    Yields
    ------
    (int, str, int)
        The place of the id, the other id, and that one's place; -1 when it is one that is kept.
    """
    own = _arrow(cells)
    bare = _bare(own)
    old = {
        one: other
        for other, one in zip(kept, _bare(pa.array(list(kept), pa.large_string())).to_pylist(), strict=True)
    }
    if old:
        near = pc.and_(
            pc.is_in(bare, value_set=pa.array(list(old), pa.large_string())),
            pc.invert(pc.is_in(own, value_set=pa.array(list(kept), pa.large_string()))),
        )
        for place in np.flatnonzero(pc.fill_null(near, False).to_numpy(zero_copy_only=False)).tolist():
            yield place, old[bare[place].as_py()], -1
    # nearly always there are as many of the one as of the other
    if pc.count_distinct(bare).as_py() == pc.count_distinct(own).as_py():
        return
    first: dict[str, int] = {}
    for place, (one, text) in enumerate(zip(bare.to_pylist(), own.to_pylist(), strict=True)):
        if one is not None and own[first.setdefault(one, place)].as_py() != text:
            yield place, own[first[one]].as_py(), first[one]


def _arrow(cells: pd.Series) -> pa.Array:
    return pa.array(cells, type=pa.large_string(), from_pandas=True)


def _bare(ids: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.utf8_lower(ids), "(^|[^0-9])0+([0-9])", r"\1\2")
