"""Small pieces of page set as HTML. Every text that comes from data passes through `html.escape` here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from qjmap.errors import Problem


@dataclass(frozen=True)
class Figure:
    """A key figure: what it is, its value and unit, what it is a part of, and the rule and clause it stands on."""

    label: str
    value: str
    unit: str = ""
    base: str = ""
    short: bool = False
    help: str = ""


def figures(items: Sequence[Figure]) -> str:
    """Set key figures as a definition list."""
    cells = "".join(
        f'<div class="qj-figure{" qj-short" if item.short else ""}" title="{escape(item.help or item.base)}">'
        f'<dt>{escape(item.label)}</dt><dd><span class="qj-value">{escape(item.value)}</span>'
        f'<span class="qj-unit">{escape(item.unit)}</span><span class="qj-base">{escape(item.base)}</span></dd></div>'
        for item in items
    )
    return f'<dl class="qj-figures">{cells}</dl>'


def head(title: str, lead: str) -> str:
    """Set the page's title and one sentence on what it answers."""
    return f'<div class="qj-head"><h1>{escape(title)}</h1><p>{escape(lead)}</p></div>'


def part(title: str) -> str:
    """Set the title of a part of a page."""
    return f'<div class="qj-head"><h2>{escape(title)}</h2></div>'


def brand(title: str, place: str) -> str:
    """Set the product's and the district's names."""
    return f'<div class="qj-brand">{escape(title)}<small>{escape(place)}</small></div>'


def rule(title: str, words: str, *, custom: str = "") -> str:
    """Set the standard that holds, with its clause; `custom` says that a person changed its figure."""
    mark = f' <span class="qj-custom">{escape(custom)}</span>' if custom else ""
    return f'<div class="qj-rule"><b>{escape(title)}</b>{mark}<br>{escape(words)}</div>'


def card(title: str, tags: Iterable[tuple[str, bool]], pairs: Iterable[tuple[str, str]]) -> str:
    """Set one record: tags (text, is it demo) and label–value pairs."""
    marks = "".join(
        f'<span class="qj-tag{" qj-demo" if demo else ""}">{escape(text)}</span>' for text, demo in tags
    )
    body = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in pairs)
    return f'<div class="qj-card"><h3>{escape(title)}</h3>{marks}<dl>{body}</dl></div>'


def note(text: str, *, demo: bool = False) -> str:
    """Set a remark."""
    return f'<p class="qj-note{" qj-demo-line" if demo else ""}">{escape(text)}</p>'


def foot(lines: Iterable[str]) -> str:
    """Set the foot of a page: documents, population, boundary, version."""
    return f'<div class="qj-foot"><ul>{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul></div>'


def problems(title: str, found: Sequence[Problem], limit: int = 12) -> str:
    """Set faults in data: the first `limit` in full and the number of the rest."""
    items = "".join(f"<li>{escape(str(problem))}</li>" for problem in found[:limit])
    rest = f"<li>另有 {len(found) - limit} 处问题未列出。</li>" if len(found) > limit else ""
    return f'<div class="qj-problems" role="alert"><h3>{escape(title)}</h3><ul>{items}{rest}</ul></div>'


def alert(title: str, lines: Iterable[str]) -> str:
    """Set what went wrong, in words."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<div class="qj-problems" role="alert"><h3>{escape(title)}</h3><ul>{items}</ul></div>'


def done(text: str) -> str:
    """Set what was done."""
    return f'<p class="qj-done" role="status">{escape(text)}</p>'


def record_head(title: str, layer: str, state: str) -> str:
    """Set the head of a record that is edited: its name, its layer, the version it was taken from."""
    return f'<div class="qj-record"><h2>{escape(title)}</h2><p>{escape(layer)},{escape(state)}</p></div>'


def steps(labels: Sequence[str], now: int) -> str:
    """Set the steps of a longer piece of work in a line, numbered from 1; those before `now` are done."""
    mark = ' aria-current="step"'
    items = "".join(
        f'<li class="{"qj-was" if n < now else "qj-now" if n == now else ""}"'
        f"{mark if n == now else ''}><b>{n}</b>{escape(label)}</li>"
        for n, label in enumerate(labels, 1)
    )
    return f'<ol class="qj-steps">{items}</ol>'


def answer(number: int, label: str, text: str) -> str:
    """Set a step that is settled: its number, its name, what was chosen."""
    return f'<p class="qj-answer"><b>{number}</b><span>{escape(label)}</span>{escape(text)}</p>'


def match(text: str, why: str, *, lost: bool = False) -> str:
    """Set beside a column what stands in it and why it was matched; `lost` when it is needed and not there."""
    return f'<p class="qj-match{" qj-lost" if lost else ""}">{escape(text)}<small>{escape(why)}</small></p>'
