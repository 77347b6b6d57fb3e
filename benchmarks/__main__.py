"""`python -m benchmarks [coverage] [map] [reading] [intake]`: runs the benchmarks, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

NAMES = ("coverage", "map", "reading", "intake")


def main(chosen: list[str]) -> int:
    """Run the chosen benchmarks, or all; give 1 if one failed or is unknown."""
    unknown = [name for name in chosen if name not in NAMES]
    if unknown:
        print(f"没有名为 {'、'.join(unknown)} 的测速;现有:{'、'.join(NAMES)}", file=sys.stderr)
        return 1
    failed = []
    for name in chosen or NAMES:
        print(f"\n== {name} ==", flush=True)
        # A fresh process: caches and threads of one must not flatter or slow the other.
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:  # noqa: S603
            failed.append(name)
    if failed:
        print(f"未通过:{'、'.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
