"""Numbers of records that differ by next to nothing: by width, blanks, case, leading zeros."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_STRANGE = "[\\s\u00a0\u2000-\u200a\u2460-\u24ff\u3000\uff01-\uff5e]|^['=]"

_ZEROS = "(^|[^0-9])0+([0-9])"
_BLOCK = 8192


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
    ids = pa.array(list(kept), pa.large_string())
    old = dict(zip(_bare(ids).to_pylist(), ids.to_pylist(), strict=True))
    seen: set[int] = set()
    for start in range(0, len(own), _BLOCK):  # all at once would hold four times the column
        bare = _bare(own.slice(start, _BLOCK)).to_pylist()
        seen.update(hash(one) for one in bare if one is not None)
        for place, one in enumerate(bare, start) if old else ():
            if one in old and own[place].as_py() not in kept:
                yield place, old[one], -1
    if len(seen) == len(own) - own.null_count:  # nearly always
        return
    first: dict[str, int] = {}
    for place, text in enumerate(own.to_pylist()):
        if text is not None:
            one = first.setdefault(re.sub(_ZEROS, r"\1\2", text.lower()), place)
            if own[one].as_py() != text:
                yield place, own[one].as_py(), one


def _arrow(cells: pd.Series) -> pa.Array:
    return pa.array(cells, type=pa.large_string(), from_pandas=True)


def _bare(ids: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.utf8_lower(ids), _ZEROS, r"\1\2")
