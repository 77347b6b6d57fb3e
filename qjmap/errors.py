"""The family of errors, each built on a standard exception, and the one shape of a fault in data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One fault in one place, told so that a person can mend it.

    Parameters
    ----------
    file
        The file as the person knows it, relative to the project; blank where he has none before him.
    row
        The line in the file as a spreadsheet shows it (the header is row 1), or None for the whole file.
    column
        The column's name in the file, or None.
    value
        What stands there now, or None.
    expected
        What was expected, in Chinese.
    advice
        What to do, in Chinese; may be empty.
    """

    file: str
    row: int | None
    column: str | None
    value: str | None
    expected: str
    advice: str = ""

    def __str__(self) -> str:
        """Give the fault as one Chinese sentence."""
        place = [f"文件 {self.file}"] if self.file else []
        if self.row is not None:
            place.append(f"第 {self.row} 行")
        if self.column is not None:
            place.append(f"“{self.column}”列")
        found = "" if self.value is None else f"现为“{_short(self.value)}”,"
        advice = f"{self.advice}。" if self.advice else ""
        return f"{' '.join(place)}:{found}应为{self.expected}。{advice}"


class QjmapError(Exception):
    """Anything qjmap refuses to do, with a reason for people."""


class DataError(QjmapError, ValueError):
    """Data that cannot be used, with every problem found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class RegistryError(DataError):
    """A fault in `data/layers.toml` or in a district's settings."""


class StandardError(DataError):
    """A fault in `data/standards.toml`: the rule is refused."""


class UnknownKeyError(QjmapError, KeyError):
    """A layer, rule, district or town that does not exist."""

    def __str__(self) -> str:
        """Give the message without the quotes that KeyError adds."""
        return str(self.args[0]) if self.args else ""


class WorkspaceError(QjmapError, RuntimeError):
    """The workspace cannot do what was asked; what it holds is untouched."""


class FontError(QjmapError, RuntimeError):
    """No font with Chinese characters for paper and charts."""


def why_unread(error: OSError) -> str:
    """Say in Chinese why a file could not be read: the system's own words are English."""
    if isinstance(error, FileNotFoundError):
        return "没有这个文件"
    if isinstance(error, PermissionError):
        return "没有读取权限"
    return "是文件夹,不是文件" if isinstance(error, IsADirectoryError) else "读取失败"


def _short(value: str, limit: int = 60) -> str:
    """Cut a value so that one huge cell cannot fill the screen."""
    return value if len(value) <= limit else value[: limit - 1] + "…"
