"""Reading somebody's workbook of 100,000 rows, beside `pandas.read_excel` alone on the same file, in one run.

Seconds: read, matched, placed, checked and made into a table to show, against reading alone. Memory: what the process
grows by at its highest, against the size of the file; also of the same rows in 250 sheets that are read together. Each
in a process of its own.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from qjmap import datum, draft, ingest, matching, sheets
from qjmap.district import District

ROWS, SHEETS, SECONDS_RATIO, MEMORY_RATIO, FAULTY = 100_000, 250, 2.0, 10.0, 0.01


def main() -> int:
    """Measure, print, and give 1 when a bound is broken."""
    with tempfile.TemporaryDirectory() as folder:
        path, many = Path(folder) / "hydrants.xlsx", Path(folder) / "sheets.xlsx"
        _write(path, many)
        size, size_many = path.stat().st_size, many.stat().st_size
        plain, ours = (_measured(name, path) for name in ("plain", "ours"))
        together = _measured("ours", many)
    memory = ours["grown"] / size
    checks = [
        (
            f"读入、检查、成表({ROWS:,} 行)÷ pandas.read_excel",
            ours["seconds"] / plain["seconds"],
            SECONDS_RATIO,
            f"{ours['seconds']:.1f} s / {plain['seconds']:.1f} s",
        ),
        (
            "内存增长 ÷ 文件大小",
            memory,
            MEMORY_RATIO,
            f"{ours['grown'] / 1e6:.0f} MB / {size / 1e6:.1f} MB;pandas.read_excel {plain['grown'] / 1e6:.0f} MB",
        ),
        (
            f"同样的行分在 {SHEETS} 张工作表、一起读:内存增长 ÷ 文件大小",
            together["grown"] / size_many,
            MEMORY_RATIO,
            f"{together['grown'] / 1e6:.0f} MB / {size_many / 1e6:.1f} MB;{together['seconds']:.1f} s",
        ),
    ]
    print(f"好行 {ours['good']:,.0f},坏行 {ours['bad']:,.0f},提醒 {ours['warnings']:,.0f}")
    for name, value, bound, words in checks:
        print(f"{'ok ' if value <= bound else 'BAD'} {name}:{value:.2f}(限 {bound:g};{words})")
    return int(any(value > bound for _, value, bound, _ in checks))


def _measured(name: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.reading", name, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _write(path: Path, many: Path) -> None:
    """Write hydrants strewn over the district, one in a hundred with a fault, in one sheet and in many."""
    import shapely

    from qjmap.district import load_district

    district, rng = load_district(), np.random.default_rng(7)
    west, south, east, north = shapely.union_all(district.boundaries.geometry).bounds
    x, y = rng.uniform(west, east, ROWS * 4), rng.uniform(south, north, ROWS * 4)
    town = np.full(len(x), -1)
    for n, polygon in enumerate(district.boundaries.geometry):
        shapely.prepare(polygon)
        town[shapely.contains_xy(polygon, x, y)] = n
    kept = np.flatnonzero(town >= 0)[:ROWS]
    lon, lat = district.projection.to_degrees(x[kept], y[kept])
    names = np.asarray(district.boundaries.index)[town[kept]]
    frame = pd.DataFrame(
        {
            "消火栓编号": [f"QJ-{n:06d}" for n in range(ROWS)],
            "名称": [f"{name}第{n}号消火栓" for n, name in enumerate(names)],
            "所属街镇": names,
            "类型": rng.choice(["市政消火栓", "小区消火栓"], ROWS),
            "状态": "现状",
            "年份": rng.integers(1995, 2024, ROWS),
            "经度": lon.round(6),
            "纬度": lat.round(6),
            "使用状态": rng.choice(["在用", "报修", "停用"], ROWS),
            "型式": rng.choice(["地上式", "地下式"], ROWS),
            "口径(毫米)": rng.choice([65, 100, 150], ROWS),
            "流量": rng.uniform(5, 30, ROWS).round(1),
            "压力(兆帕)": rng.uniform(0.1, 0.6, ROWS).round(2),
            "备注": [f"巡查记录 {n}" for n in rng.integers(0, 50_000, ROWS)],
        }
    ).astype({"口径(毫米)": object})
    bad = rng.choice(ROWS, int(ROWS * FAULTY), replace=False)
    frame.loc[bad, "口径(毫米)"] = "不清楚"
    frame.to_excel(path, index=False)
    with pd.ExcelWriter(many) as book:
        for n, rows in enumerate(np.array_split(np.arange(ROWS), SHEETS), 1):
            frame.iloc[rows].to_excel(book, sheet_name=f"表{n}", index=False)


def _plain(path: Path) -> dict[str, float]:
    before, started = _forget(), time.perf_counter()
    pd.read_excel(path)
    return {"seconds": time.perf_counter() - started, "grown": _peak() - before}


def _ours(path: Path) -> dict[str, float]:
    from qjmap.district import load_district

    district = load_district()
    around = draft.surroundings(district)
    content = path.read_bytes()
    # A server has read files before: what libraries set up once is no part of this one.
    small, rows = (
        io.BytesIO(),
        [(n, "甲", "东溪镇", "市政消火栓", "现状", 106.6 + n / 1e4, 28.7) for n in range(9)],
    )
    columns = ["编号", "名称", "街镇", "类别", "状态", "经度", "纬度"]
    pd.DataFrame(rows, columns=columns).to_excel(small, index=False)
    _pipeline("warm.xlsx", small.getvalue(), district, around)
    before, started = _forget(), time.perf_counter()
    made = _pipeline(path.name, content, district, around)
    return {
        "seconds": time.perf_counter() - started,
        "grown": _peak() - before,
        "good": len(made.frame),
        "bad": int(made.bad.sum()),
        "warnings": len(made.warnings),
    }


def _pipeline(name: str, content: bytes, district: District, around: draft.Surroundings) -> draft.Draft:
    spec = district.registry.spec("hydrants")
    found = ingest.read(name, content)
    source = sheets.chosen(found, 0, range(len(found)))
    matches = matching.match(source, spec, tuple(district.towns.index))
    columns = draft.coordinates(source, matches)
    assert columns is not None
    reading = next(one for one in datum.readings(*columns, district) if one.key == datum.WGS84)
    return draft.prepare(source, spec, matches, reading, around)


def _forget() -> float:
    """Forget the highest mark of memory and give what is held now (bytes); only Linux tells."""
    Path("/proc/self/clear_refs").write_text("5")
    return _held("VmRSS")


def _peak() -> float:
    """Give the most bytes that this process has held since `_forget`."""
    return _held("VmHWM")


def _held(entry: str) -> float:
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith(entry))
    return float(line.split()[1]) * 1024


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps({"plain": _plain, "ours": _ours}[sys.argv[1]](Path(sys.argv[2]))))
    else:
        sys.exit(main())
