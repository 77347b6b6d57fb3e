"""The programme of the meeting screen: which scenes are shown one after another, as it stands in an address.

A scene is a theme (all shortages, or one register), a rule of it, and an area (the district or one town). Written as
`theme:rule:town`, the parts that are the whole left out from the end, scenes separated by commas:
`all,health:beds-planned,health::赶水镇`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qjmap.shortlist import Line

#: The theme that is no single register: everything that is short.
ALL = "all"

#: A programme longer than this is not a programme: the rest of an address is not read.
MOST = 60

#: Seconds that a scene may stand.
SHORTEST, LONGEST = 5, 600


@dataclass(frozen=True)
class Item:
    """One scene of a programme.

    Parameters
    ----------
    theme
        `ALL`, or the key of a layer.
    rule
        Id of a rule; None for all of the theme's.
    town
        A town; None for the whole district.
    """

    theme: str = ALL
    rule: str | None = None
    town: str | None = None


def write(items: Sequence[Item]) -> str:
    """Write scenes as they stand in an address."""
    return ",".join(":".join((one.theme, one.rule or "", one.town or "")).rstrip(":") for one in items)


def read(
    text: str, rules: Mapping[str, Collection[str]], towns: Collection[str]
) -> tuple[list[Item], list[str]]:
    """Read scenes from an address.

    Parameters
    ----------
    rules
        Theme → ids of the rules that can be shown in it.
    towns
        The towns of the district.

    Returns
    -------
    list, list
        The scenes that are understood, and the parts of the text that are not.
    """
    items: list[Item] = []
    strange: list[str] = []
    for part in text.split(",") if text else []:
        theme, rule, town, *more = (*part.split(":"), "", "")[: max(3, part.count(":") + 1)]
        known = theme in rules and (not rule or rule in rules[theme]) and (not town or town in towns)
        if known and not any(more) and len(items) < MOST:
            items.append(Item(theme, rule or None, town or None))
        else:
            strange.append(part)
    return items, strange


def suggest(lines: Sequence[Line], worst: Sequence[str], *, rules: int = 5, towns: int = 2) -> list[Item]:
    """Suggest a programme: all shortages, the weightiest rules that some town falls short of, the worst towns.

    Parameters
    ----------
    lines
        Rules, weightiest first.
    worst
        Towns, worst first.
    rules, towns
        How many of each.
    """
    from qjmap.assess import SHORT  # not for those who only read an address

    short = [one for one in lines if one.status == SHORT and one.short_towns()]
    short.sort(key=lambda one: one.whole.demo)  # what is real before what is invented
    items = [Item()]
    items += [Item(one.layers[0] if one.layers else ALL, one.rule.id) for one in short[:rules]]
    return items + [Item(town=town) for town in worst[:towns]]


def seconds(text: str, default: int) -> int:
    """Read how long a scene stands; a number out of bounds is brought to the nearest bound."""
    try:
        return min(max(int(text), SHORTEST), LONGEST)
    except ValueError:
        return default
