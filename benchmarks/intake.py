"""The wizard 数据导入 with a workbook of 100,000 rows, beside `pandas.read_excel` alone on the same file, in one run.

Seconds: what the server works while a person goes from the dropped file to its check on the page (read, matched, every
reading of its coordinates, checked, tables and map made and sent), every run of the page added up, against reading
alone. Memory: what the process grows by at its highest, against the file's size; also of the same rows in 250 sheets
that are read together.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import reading

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Measure, print, and give 1 when a bound is broken."""
    with tempfile.TemporaryDirectory() as folder:
        path, many = Path(folder) / "hydrants.xlsx", Path(folder) / "sheets.xlsx"
        reading._write(path, many)
        size, size_many = path.stat().st_size, many.stat().st_size
        plain, ours, together = (
            _measured(*case) for case in (("plain", path), ("wizard", path), ("wizard", many))
        )
    checks = [
        (
            f"数据导入从选文件到核对结果({reading.ROWS:,} 行)÷ pandas.read_excel",
            ours["seconds"] / plain["seconds"],
            reading.SECONDS_RATIO,
            f"{ours['seconds']:.1f} s / {plain['seconds']:.1f} s",
        ),
        (
            "内存增长 ÷ 文件大小",
            ours["grown"] / size,
            reading.MEMORY_RATIO,
            f"{ours['grown'] / 1e6:.0f} MB / {size / 1e6:.1f} MB",
        ),
        (
            f"同样的行分在 {reading.SHEETS} 张工作表、一起读:内存增长 ÷ 文件大小",
            together["grown"] / size_many,
            reading.MEMORY_RATIO,
            f"{together['grown'] / 1e6:.0f} MB / {size_many / 1e6:.1f} MB;{together['seconds']:.1f} s",
        ),
    ]
    print(";".join(f"{name} {seconds:.1f} s" for name, seconds in ours["steps"].items()))
    for name, value, bound, words in checks:
        print(f"{'ok ' if value <= bound else 'BAD'} {name}:{value:.2f}(限 {bound:g};{words})")
    return int(any(value > bound for _, value, bound, _ in checks))


def _measured(name: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.intake", name, str(path)]
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(  # noqa: S603
            command, check=True, capture_output=True, text=True, env=os.environ | {"QJMAP_HOME": home}
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _wizard(path: Path) -> dict[str, Any]:
    from streamlit.testing.v1 import AppTest

    def page() -> AppTest:
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=600)
        at.switch_page("pages/intake.py")
        at.query_params.update({"to": "hydrants", "step": "2"})
        return at.run()

    def go(at: AppTest, name: str, content: bytes) -> dict[str, float]:
        steps: dict[str, float] = {}
        at.file_uploader[0].upload(name, content)
        for step in ("读文件、认列", "认坐标", "选坐标", "核对并显示"):
            started = time.perf_counter()
            at.run()
            assert not at.exception
            steps[step] = time.perf_counter() - started
            if step == "读文件、认列" and "intake-together" in {one.key for one in at.radio}:
                at.radio(key="intake-together").set_value(True)
                at.button(key="intake-next").click().run()
                steps[step] = time.perf_counter() - started
            if step == "认坐标":  # the file does not say what they are: the person does
                at.radio(key="intake-reading").set_value("wgs84")
            elif step != "核对并显示":
                at.button(key="intake-next").click()
        assert "intake-save" in {one.key for one in at.button}
        return steps

    # A server has shown a file before: what libraries set up once is no part of this one.
    import io

    import pandas as pd

    small = io.BytesIO()
    rows = [(n, "甲", "东溪镇", "市政消火栓", "现状", 106.6 + n / 1e4, 28.7) for n in range(9)]
    pd.DataFrame(rows, columns=["编号", "名称", "街镇", "类别", "状态", "经度", "纬度"]).to_excel(
        small, index=False
    )
    go(page(), "warm.xlsx", small.getvalue())
    at, content = (
        page(),
        path.read_bytes(),
    )  # a server gets it from the browser; here it lies in memory before
    before = reading._forget()
    steps = go(at, path.name, content)
    return {"seconds": sum(steps.values()), "steps": steps, "grown": reading._peak() - before}


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps({"plain": reading._plain, "wizard": _wizard}[sys.argv[1]](Path(sys.argv[2]))))
    else:
        sys.exit(main())
