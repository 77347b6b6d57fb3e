"""What a person has in hand while he imports a file: his choices, and what was made of them, kept with his visit.

There is one file and one draft at a time; another choice drops what rested on the one before it, for both are large.
"""

from __future__ import annotations

import hashlib
import io
import logging
import tempfile
import weakref
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

import numpy as np
import numpy.typing as npt
import streamlit as st

from qjmap import ingest
from qjmap._limits import refusal
from qjmap.comparison import Comparison
from qjmap.contents import BOUNDARIES
from qjmap.district import District
from qjmap.draft import Repair
from qjmap.errors import DataError, Problem, QjmapError, UnknownKeyError
from qjmap.ingest import RawTable
from qjmap.layers import LayerSpec
from qjmap.merging import Joining
from qjmap.ui import desk
from qjmap.workspace import Version

LAYER, FILE, COLUMNS, PLACES, CHECK = range(1, 6)
STEPS = ("图层", "文件", "列", "坐标", "核对并保存")

BEST = -1
"""Stands for the sheet that fits the layer best, before it is known which."""

_KEY = "intake-work"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Joined:
    """The register as it would be saved, what that changes, and which good rows have a key that is kept already.

    `table` and `found` are None while nothing is kept: then the register is the file's own rows, made when they are
    saved. `overwritten` are the good rows that would lie over a record of another town (place → its key), `repeated`
    marks those that say only what is kept already; `odd` is what only the joined records show.
    """

    table: RawTable | None
    found: Comparison | None
    how: Joining
    again: npt.NDArray[np.bool_]
    overwritten: Mapping[int, str] = field(default_factory=dict)
    repeated: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    odd: tuple[Problem, ...] = ()

    @property
    def left_out(self) -> npt.NDArray[np.bool_]:
        """Mark the good rows that are not kept."""
        return self.again if self.how == Joining.ADD else np.zeros_like(self.again)

    @property
    def taken(self) -> int:
        """Give how many good rows are kept."""
        return int((~self.left_out).sum())


@dataclass(frozen=True)
class Saved:
    """What was saved, how many of its rows have no place, and how many good ones were left out."""

    version: Version
    unplaced: int
    left_out: int


@dataclass
class Work:
    """A person's choices, and what was made of them.

    Parameters
    ----------
    layer, step
        What the file is for, and the step in hand.
    name, digest
        The file; its bytes wait on the disk (`content`).
    turn
        How many files were taken.
    header_row, sheet
        The row of the column names as the person said it; which of the file's sheets.
    together, veiled
        Which other sheets are read with it; whether rows that Excel hides are read.
    choices, fills
        Register's key → the file's column, where the person changed the match; → a value for all rows.
    meanings
        Register's key → a word of the file → what the person says that it means.
    reading, reading_label
        How coordinates are read; `doubted` whether the person doubts what the file itself says of them.
    refused, offered
        Ids of repairs that are refused; every repair that was ever offered for this file, by id.
    how
        How the file joins what is kept; None before it was asked. `same` whether rows of a kept record's name are it.
    consent
        Whether only the rows without fault shall be kept; `gone` whether records may vanish.
    base
        The version against which it was checked; None before.
    conflict
        What to say when somebody else saved; `draft` is the name under which the refused content is kept.
    """

    layer: str
    step: int = LAYER
    name: str = ""
    digest: str = ""
    turn: int = 0
    header_row: int | None = None
    sheet: int = BEST
    together: tuple[int, ...] = ()
    veiled: bool = True
    choices: dict[str, str | None] = field(default_factory=dict)
    fills: dict[str, str] = field(default_factory=dict)
    meanings: dict[str, dict[str, str]] = field(default_factory=dict)
    reading: str | None = None
    reading_label: str = ""
    doubted: bool = False
    refused: frozenset[str] = frozenset()
    offered: dict[str, Repair] = field(default_factory=dict)
    how: Joining | None = None
    same: bool = False
    alike: bool = False
    apart: bool = False
    over: bool = False
    twice: bool = False
    consent: bool = False
    gone: bool = False
    why: str = ""
    base: int | None = None
    told: tuple[str, tuple[str, ...]] | None = None
    conflict: str = ""
    kept_draft: str = ""
    saved: Saved | None = None
    saving: bool = False
    heard: object = None
    _file: IO[bytes] | None = None
    _made: dict[str, tuple[Hashable, Any]] = field(default_factory=dict)

    # ---- choices ---------------------------------------------------------------------------------

    def go(self, step: int) -> None:
        """Go to a step; the check is made anew against what is kept by then."""
        self.step = max(LAYER, min(step, CHECK))
        self.told, self.conflict = None, ""
        if self.step < CHECK or self.saved is not None:
            self.base = None
        self.saved = None

    def choose_layer(self, layer: str) -> None:
        """Take another layer: the file stays, what was chosen for the other layer goes."""
        if layer != self.layer:
            self.layer = layer
            self._choose_best()
            self._forget_choices()

    def take(self, name: str, content: bytes) -> None:
        """Take a file in place of the one before."""
        if self._file is not None:
            self._file.close()
        self.name, self._file, self.turn = name, _aside(content), self.turn + 1
        weakref.finalize(self, self._file.close)
        self.digest = hashlib.sha256(content).hexdigest()
        self.header_row = None
        self._choose_best()
        self._made.clear()
        self._forget_choices()

    @property
    def content(self) -> bytes:
        """The file's bytes."""
        if self._file is None:
            return b""
        self._file.seek(0)
        return self._file.read()

    def choose_sheet(self, number: int, header_row: int | None = None) -> None:
        """Take another sheet, or another row of it as the header."""
        if (number, header_row) != (self.sheet, self.header_row):
            if number != self.sheet:
                self._choose_best()
            self.sheet, self.header_row = number, header_row
            self._forget_choices()

    def read_with(self, others: tuple[int, ...]) -> None:
        """Read other sheets together with the one in hand; none: that one alone."""
        self.together = others
        self._forget_choices()

    def read_veiled(self, wanted: bool) -> None:
        """Read rows that Excel hides, or leave them out."""
        self.veiled = wanted
        self._forget_choices()

    def _choose_best(self) -> None:
        self.sheet, self.together, self.veiled = BEST, (), True

    def _forget_choices(self) -> None:
        self.choices, self.fills, self.meanings, self.reading, self.reading_label = {}, {}, {}, None, ""
        self.doubted = self.same = self.alike = self.apart = self.over = self.twice = False
        self.refused, self.offered, self.how = frozenset(), {}, None
        self.consent = self.gone = False
        self.base, self.told, self.conflict, self.saved = None, None, "", None
        self.drop("draft", "joined")

    def drop(self, *stages: str) -> None:
        """Forget what was made."""
        for stage in stages:
            self._made.pop(stage, None)

    @property
    def has_file(self) -> bool:
        """Whether there is a file that could be read."""
        found = self._made.get("sources")
        return bool(self.name) and found is not None and not isinstance(found[1], DataError)

    @property
    def origin(self) -> Hashable:
        """Say which table is in hand."""
        return self.digest, self.header_row, self.sheet, self.together, self.veiled

    def once(self, stage: str, key: Hashable, make: Callable[[], _T]) -> _T:
        """Give what a stage makes: the same again while its key is the same; a fault, too.

        Raises
        ------
        DataError
            What the stage raised; whatever nobody foresaw becomes one, so that no file can stop the page.
        """
        found = self._made.get(stage)
        if found is None or found[0] != key:
            self._made.pop(stage, None)  # two drafts at once would be twice the memory
            found = self._made[stage] = (key, self._tried(make))
        if isinstance(found[1], DataError):
            raise found[1]
        made: _T = found[1]
        return made

    def shown(self, stage: str) -> Any:
        """Give what a stage has made; raises UnknownKeyError when it was dropped."""
        if stage not in self._made:
            raise UnknownKeyError("这一步的结果已不在,请刷新页面后再试")
        return self._made[stage][1]

    def _tried(self, make: Callable[[], _T]) -> _T | DataError:
        try:
            return make()
        except DataError as error:
            return error
        except QjmapError:
            raise
        except Exception:
            logging.getLogger(__name__).exception("A file that nobody foresaw")
            advice = "请另存为一个新文件再试;仍不行时请联系维护人员"
            return refusal(ingest.clean_name(self.name), "程序没有料到的内容", "可以读取的文件", advice)


def _aside(content: bytes) -> IO[bytes]:
    """Put a file by that is rarely wanted again: on the disk under no name, gone with the visit; else in memory."""
    kept: IO[bytes]
    try:
        kept = tempfile.TemporaryFile()  # noqa: SIM115 — closed when nobody holds it any more
        kept.write(content)
    except OSError:
        kept = io.BytesIO(content)
    return kept


def work(district: District) -> Work:
    """Give what the person of this visit has in hand."""
    kept = st.session_state.get(_KEY)
    if not isinstance(kept, Work) or kept.layer not in desk.labels(district):
        kept = st.session_state[_KEY] = Work(next(iter(district.registry.layers)))
    return kept


def spec_of(one: Work, district: District) -> LayerSpec | None:
    """Give the layer or table; None for the boundaries."""
    return None if one.layer == BOUNDARIES else district.registry.spec(one.layer)
