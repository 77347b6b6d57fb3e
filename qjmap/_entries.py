"""Entries of a settings file in TOML: read one by one, and every fault told with the entry it stands in."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from qjmap.errors import DataError, Problem, why_unread


def read_toml(path: Path, refused: type[DataError], file: str = "") -> dict[str, Any]:
    """Read a settings file.

    Parameters
    ----------
    path
        The file.
    refused
        The error to raise.
    file
        The file as people know it; its name unless given.

    Raises
    ------
    DataError
        Of the given class: the file cannot be read, or is no TOML in UTF-8.
    """
    file = file or path.name
    try:
        # older Windows' Notepad puts a mark before UTF-8
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise refused([Problem(file, None, None, why_unread(error), "可以读取的文件")]) from error
    except UnicodeDecodeError as error:
        raise refused([Problem(file, None, None, None, "UTF-8 编码的文件")]) from error
    except tomllib.TOMLDecodeError as error:
        raise refused([Problem(file, None, None, str(error), "合乎 TOML 语法的文件")]) from error


def number(value: object) -> float | None:
    """Give the number, or None for what is none (true is an int in Python, but a slip here)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


@dataclass(frozen=True)
class Entry:
    """One table of a file.

    Parameters
    ----------
    file
        The file as people know it.
    place
        Where in the file the table stands, e.g. `rules.ems-radius`; blank for the whole file.
    raw
        What stands in it.
    problems
        What is wrong in the file; every entry of it adds to the same list.
    """

    file: str
    place: str
    raw: Mapping[str, Any]
    problems: list[Problem]

    def fault(self, name: str, value: object, expected: str, advice: str = "") -> None:
        """Note that the field of that name is wrong."""
        place = f"{self.place}.{name}".lstrip(".")
        shown = None if value is None else str(value)
        self.problems.append(Problem(self.file, None, place, shown, expected, advice))

    def known(self, names: Collection[str], expected: str, advice: str = "") -> None:
        """Tell every field that is none of these."""
        for name in sorted(self.raw.keys() - set(names)):
            value = self.raw[name]
            self.fault(name, None if isinstance(value, dict) else value, expected, advice)

    def tables(self, name: str) -> dict[str, Entry]:
        """Give the tables below `[name]` by their keys, telling what is not a table."""
        holder = self.raw.get(name, {})
        if not isinstance(holder, dict):
            self.fault(name, holder, "一组表")
            return {}
        found = {}
        for key, one in holder.items():
            if isinstance(one, dict):
                found[key] = Entry(self.file, f"{self.place}.{name}.{key}".lstrip("."), one, self.problems)
            else:
                self.fault(f"{name}.{key}", one, "一张表")
        return found

    def text(self, name: str, *, required: bool = True) -> str:
        """Give a text that is not blank, or nothing when the field may be left out and is."""
        value = self.raw.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if required or name in self.raw:
            self.fault(name, value, "一段文字")
        return ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Give a list of texts; none when the field is left out."""
        value = self.raw.get(name, [])
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        self.fault(name, value, '一列文字,如 ["health"]')
        return ()

    def choice(self, name: str, known: Collection[str], default: str | None = None) -> str:
        """Give one of the known words; the field must be there when it has no default."""
        value = self.raw.get(name, default)
        if isinstance(value, str) and (value in known or value == default):
            return value
        self.fault(name, value, f"下列之一:{'、'.join(known)}")
        return ""

    def year(self, name: str) -> int | None:
        """Give a year, or None when the field is left out."""
        value = self.raw.get(name)
        if value is None or (isinstance(value, int) and 1949 <= value <= 2100):
            return value
        self.fault(name, value, "四位数的年份")
        return None

    def day(self, name: str) -> date | None:
        """Give a day, written as TOML's own date or as text, or None when the field is left out."""
        value = self.raw.get(name)
        if value is None or type(value) is date:  # a datetime is a date too, but cannot be compared with one
            return value
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            self.fault(name, value, "日期,如 2023-11-30")
            return None

    def document(self, documents: Collection[str]) -> str:
        """Give the id of the document that the entry is from."""
        value = self.text("document")
        if value and value not in documents:
            self.fault("document", value, "documents.csv 中已有的文件编号", "先在 documents.csv 登记文件")
        return value
