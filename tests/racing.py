"""Several processes that do the same at the same time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

from qjmap.district import ROOT


def race(code: str, racers: Iterable[Iterable[object]]) -> None:
    """Run code in a process for each list of arguments; it prints `ready`, then waits for a line."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    found = [
        subprocess.Popen([sys.executable, "-c", code, *map(str, racer)], cwd=ROOT, **pipes)
        for racer in racers
    ]
    assert [one.stdout.readline() for one in found] == [b"ready\n"] * len(found)
    for one in found:
        one.stdin.write(b"\n")
        one.stdin.close()
    assert [one.wait(120) for one in found] == [0] * len(found)
    for one in found:
        one.stdout.close()
