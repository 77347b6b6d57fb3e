"""What a person chose to see: as data, as a mask over a register, and in words for the screen and for files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qjmap.layers import LayerSpec
from qjmap.registers import lies_in

#: Columns in which a name search looks.
SEARCHED = ("name", "id", "village")

_NOW, _UNKNOWN = "现状", "未知"


@dataclass(frozen=True)
class Filter:
    """A choice of records.

    Parameters
    ----------
    towns
        Towns to show; empty for all.
    categories
        Category column → values to show; a column that is absent is not filtered.
    ranges
        Number column → (least, most), both included. A record without the number is left out.
    text
        Part of a name, a number or a village; case does not matter.
    year
        What exists or is planned to exist by then; None for everything. A record that is not 现状 counts from its
        `year` on; a 现状 record always counts, for its year says when it was written down, not when it was built. What
        says nothing (未知, no year) is shown too: it is said to be unknown, not left out in silence.
    """

    towns: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))
    text: str = ""
    year: int | None = None

    def mask(self, frame: pd.DataFrame, *, towns: bool = True) -> NDArray[np.bool_]:
        """Tell which records are chosen.

        Parameters
        ----------
        frame
            A layer's frame, n records.
        towns
            Whether the choice of towns counts. It does not for coverage: a facility serves beyond its town's line.

        Returns
        -------
        numpy.ndarray
            (n,) bool.
        """
        chosen = np.ones(len(frame), dtype=bool)
        if towns and self.towns:
            chosen &= lies_in(frame, self.towns)
        for column, values in self.categories.items():
            chosen &= frame[column].isin(values).to_numpy(dtype=bool)
        for column, (least, most) in self.ranges.items():
            numbers = frame[column].to_numpy(dtype=float, na_value=np.nan)
            chosen &= (numbers >= least) & (numbers <= most)
        if self.text.strip():
            wanted = self.text.strip()
            hits = [
                frame[column]
                .astype("str")
                .str.contains(wanted, case=False, regex=False, na=False)
                .to_numpy(dtype=bool)
                for column in SEARCHED
            ]
            chosen &= np.logical_or.reduce(hits)
        if self.year is not None:
            year = frame["year"].to_numpy(dtype=float, na_value=np.nan)
            unsaid = (frame["status"] == _UNKNOWN).to_numpy(dtype=bool) & np.isnan(year)
            chosen &= (frame["status"] == _NOW).to_numpy(dtype=bool) | (year <= self.year) | unsaid
        return chosen

    def words(self, spec: LayerSpec) -> str:
        """Say the choice in Chinese; “全部” when nothing is left out."""
        parts = []
        if self.towns:
            parts.append(f"街镇:{'、'.join(self.towns)}")
        parts += [f"{spec.columns[key].label}:{'、'.join(values)}" for key, values in self.categories.items()]
        for key, (least, most) in self.ranges.items():
            column = spec.columns[key]
            # 15 digits: what a float holds, and no sum of money is rounded in a file's own description
            parts.append(f"{column.label}:{least:.15g}–{most:.15g}{column.unit}")
        if self.text.strip():
            parts.append(f"名称含“{self.text.strip()}”")
        if self.year is not None:
            parts.append(f"年份:{self.year}")
        return ";".join(parts) or "全部"
