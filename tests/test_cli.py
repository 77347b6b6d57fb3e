"""The commands: what they write, and how they say no."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from qjmap.cli import main
from qjmap.district import ROOT
from tests.conftest import GRID_KEY, write_grid


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    code = main([str(one) for one in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def grid(root) -> tuple[object, ...]:
    return "--district", GRID_KEY, "--root", root


def test_build_geo_writes_the_boundaries(folder, capsys):
    target = folder / "geo" / "qijiang" / "townships.geojson"
    target.unlink()
    code, out, err = run(capsys, "build-geo", "--root", folder)
    assert (code, err) == (0, "")
    assert f"已写入 {target}" in out
    assert target.read_bytes() == (ROOT / "geo" / "qijiang" / "townships.geojson").read_bytes()


def test_build_docs_writes_the_page_of_standards(folder, capsys):
    code, out, err = run(capsys, "build-docs", "--root", folder)
    assert (code, err) == (0, "")
    target = folder / "docs" / "standards.md"
    assert str(target) in out
    assert target.read_bytes() == (ROOT / "docs" / "standards.md").read_bytes(), (
        "运行 python -m qjmap.cli build-docs"
    )


def test_build_demo_writes_where_it_is_told(grid_root, tmp_path, capsys):
    out_folder = tmp_path / "a" / "b"
    code, out, err = run(capsys, "build-demo", *grid(grid_root), "--out", out_folder, "--hydrants", 30)
    assert (code, err) == (0, "")
    written = sorted(path.name for path in out_folder.iterdir())
    assert len(written) == 5
    assert all(name in out for name in written)
    lines = (out_folder / "hydrants.csv").read_text("utf-8").splitlines()
    assert len(lines) == 31
    assert all(",演示," in line for line in lines[1:])


def test_build_demo_writes_into_the_district_by_itself(grid_root, capsys):
    assert run(capsys, "build-demo", *grid(grid_root), "--hydrants", 30)[0] == 0
    assert (grid_root / "data" / GRID_KEY / "demo" / "hydrants.csv").exists()


# ---- how they say no ------------------------------------------------------------------------------


def refused(capsys, *arguments: object) -> str:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (1, "")
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize("command", ["build-geo", "build-demo", "build-docs"])
def test_an_unknown_district_is_told(tmp_path, capsys, command):
    said = refused(capsys, command, "--district", "tongliang", "--root", tmp_path)
    assert "tongliang" in said
    assert "没有" in said


def test_bad_sample_points_are_told(grid_root, capsys):
    path = grid_root / "geo" / GRID_KEY / "anchors.csv"
    good = path.read_text("utf-8")
    path.write_text(good + "106.5,999,甲街道,read\n", encoding="utf-8")
    assert "“lat”列" in refused(capsys, "build-geo", *grid(grid_root))
    path.write_text(good.replace("戊镇", "戊乡"), encoding="utf-8")
    said = refused(capsys, "build-geo", *grid(grid_root))
    assert "现为“戊乡”,应为本区街镇名" in said
    assert "有“戊镇”的样点" in said
    line = good.splitlines()[-1]
    path.write_text(good + line + "\n", encoding="utf-8")
    assert "重复" in refused(capsys, "build-geo", *grid(grid_root))
    path.write_text(good.splitlines()[0] + "\n", encoding="utf-8")
    assert "anchors.csv" in refused(capsys, "build-geo", *grid(grid_root))


def test_a_bad_file_of_the_district_is_told(grid_root, capsys):
    path = grid_root / "data" / GRID_KEY / "townships.csv"
    path.write_bytes(path.read_text("utf-8").encode("gb18030"))
    for command in ("build-geo", "build-demo"):
        said = refused(capsys, command, *grid(grid_root))
        assert f"data/{GRID_KEY}/townships.csv" in said
        assert "GBK" in said


def test_a_bad_rule_is_told(folder, capsys):
    path = folder / "data" / "standards.toml"
    path.write_text(path.read_text("utf-8").replace('kind = "', 'kind = "x', 1), encoding="utf-8")
    assert "standards.toml" in refused(capsys, "build-docs", "--root", folder)


def test_demo_without_boundaries_is_told(grid_root, capsys):
    (grid_root / "geo" / GRID_KEY / "townships.geojson").unlink()
    assert "没有这个文件" in refused(capsys, "build-demo", *grid(grid_root))


def test_no_room_is_told(tmp_path, capsys):
    small = write_grid(tmp_path, n=2, side_m=2000)
    assert "放不下" in refused(capsys, "build-demo", *grid(small), "--hydrants", 2000)


def test_a_folder_that_cannot_be_written_is_told_in_chinese(grid_root, capsys):
    blocked = grid_root / "file"
    blocked.write_text("", encoding="utf-8")
    said = refused(capsys, "build-demo", *grid(grid_root), "--hydrants", 9, "--out", blocked)
    assert f"无法读取或写入 {blocked}" in said
    assert "Errno" not in said


@pytest.mark.parametrize("number", ["0", "-1", "50001", "many", "1.5", ""])
def test_a_number_of_hydrants_out_of_range_is_refused(capsys, number):
    with pytest.raises(SystemExit) as caught:
        main(["build-demo", "--hydrants", number])
    assert caught.value.code == 2
    assert "1~50000" in capsys.readouterr().err


def test_as_a_process(grid_root):
    """The way people run it: a number for the shell, Chinese for them."""
    command = [
        sys.executable,
        "-m",
        "qjmap.cli",
        "build-geo",
        "--district",
        "nowhere",
        "--root",
        str(grid_root),
    ]
    utf8 = {**os.environ, "PYTHONUTF8": "1"}
    done = subprocess.run(command, cwd=ROOT, env=utf8, capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "没有这个文件" in done.stderr.decode("utf-8")
    assert b"Traceback" not in done.stderr
