"""Vector files in."""

from __future__ import annotations

from qjmap import _limits
from qjmap.ingest import Source


def read_vector(name: str, content: bytes, kind: str, archive: _limits.Archive | None) -> tuple[Source, ...]:
    """Read a vector file."""
    raise _limits.refusal(name, kind, "表格文件")
