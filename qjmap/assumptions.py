"""Assumptions: what a person may take for granted where a register is silent; `data/assumptions.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qjmap._entries import Entry, number, read_toml
from qjmap.conditions import Condition, check_column, read_conditions
from qjmap.errors import StandardError
from qjmap.layers import Registry


@dataclass(frozen=True)
class Assumption:
    """Something that a person may take for granted where a register says 未知 (or nothing).

    `value` goes into `column` of the records that pass `where`; into the unknown rest goes `otherwise`, if it
    is given. Records that say something themselves are never touched.
    """

    id: str
    title: str
    layer: str
    column: str
    value: str | float
    where: tuple[Condition, ...] = ()
    otherwise: str | float | None = None
    note: str = ""


def load_assumptions(path: Path, registry: Registry) -> dict[str, Assumption]:
    """Read the assumptions that a person may switch on; each is off until then.

    Parameters
    ----------
    path
        The file `data/assumptions.toml`.
    registry
        The layers they speak of.

    Returns
    -------
    dict
        Assumption id to assumption, in the order of the file.

    Raises
    ------
    StandardError
        The file cannot be read or an assumption is wrong; every fault is told.
    """
    file = Entry(path.name, "", read_toml(path, StandardError), [])
    file.known(["assumptions"], "assumptions 之一")
    found = {key: _assumption(key, one, registry) for key, one in file.tables("assumptions").items()}
    if file.problems:
        raise StandardError(file.problems)
    return found


def _assumption(key: str, entry: Entry, registry: Registry) -> Assumption:
    entry.known(("title", "layer", "column", "value", "where", "otherwise", "note"), "假设的栏目")
    layer, column = entry.text("layer"), entry.text("column")
    specs = [registry.layers[layer]] if layer in registry.layers else []
    if layer and not specs:
        entry.fault("layer", layer, f"layers.toml 中已有的图层:{'、'.join(registry.layers)}")
    for name in ("value", "otherwise") if "otherwise" in entry.raw else ("value",):
        value = entry.raw.get(name, [])
        if isinstance(value, str) or number(value) is not None:
            check_column(entry, name, column, specs, Condition(column, (value,)))
        else:
            entry.fault(name, value, "一个值")
    return Assumption(
        key,
        entry.text("title"),
        layer,
        column,
        entry.raw.get("value", ""),
        read_conditions(entry, "where", specs),
        entry.raw.get("otherwise"),
        entry.text("note", required=False),
    )
