"""Districts to test with: the real one, and a tiny invented one whose answers are known."""

from __future__ import annotations

import csv
import gc
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest

from qjmap.crs import Projection
from qjmap.district import ROOT, District, load_district
from qjmap.layers import load_registry

GRID_KEY = "fangge"
GRID_CENTRE = (106.5, 29.0)
GRID_SIDE_M = 10_000.0
GRID_NAMES = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳"
"""Towns are named row by row from the south-west: 甲街道, 乙街道, 丙镇, 丁镇 …"""


def write_csv(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows under the given columns; what a row does not say is blank."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(columns), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_layer(root: Path, key: str, rows: Iterable[Mapping[str, object]], *, demo: bool = False) -> Path:
    """Write a register of the grid district; each row has defaults for what every record must say."""
    spec = load_registry(root / "data" / "layers.toml").spec(key)
    path = root / "data" / GRID_KEY / ("demo" if demo else "") / spec.file
    source = {"source": "演示"} if demo else {"source": "文件", "document": "plan", "clause": "表1"}
    letter = "D" if demo else "F"
    filled = [
        {"id": f"{letter}{n}", "name": f"设施{n}", "kind": spec.kinds[0], "status": "现状", **source, **row}
        for n, row in enumerate(rows, 1)
    ]
    write_csv(path, spec.columns, filled)
    return path


def town_name(number: int) -> str:
    """Name the grid's towns: the first two are streets."""
    return GRID_NAMES[number] + ("街道" if number < 2 else "镇")


def write_grid(root: Path, n: int = 3, side_m: float = GRID_SIDE_M) -> Path:
    """Write a district of n × n square towns, each `side_m` wide, and a grey square east of them.

    Town k (from 0) has (k + 1) × 1,000 people in 2010, but the first two were counted as one (3,000 people;
    1 and 2 villages); the totals are the sum in 2010, twice that in 2020. Every town but the last has its
    seat at its middle (error 100 m). The first two are 城区. The way to degrees and back is right to 1 mm.
    """
    data, geo = root / "data", root / "geo" / GRID_KEY
    (data / GRID_KEY).mkdir(parents=True)
    geo.mkdir(parents=True)
    shutil.copy(ROOT / "data" / "layers.toml", data / "layers.toml")
    registry = load_registry(data / "layers.toml")
    projection = Projection(*GRID_CENTRE)
    total = sum(1000 * (k + 1) for k in range(n * n))

    write_csv(
        data / "documents.csv",
        ["id", "title", "number", "date", "issuer", "status", "reading", "seed", "note"],
        [{"id": "plan", "title": "方格区规划", "date": "2022-01-01", "issuer": "方格区政府"}],
    )
    half = n * side_m / 2
    reach = [
        projection.to_degrees(x, y)
        for x in (-half - 2 * side_m, half + 2 * side_m)
        for y in (-half * 2, half * 2)
    ]
    lons, lats = zip(*reach, strict=True)
    (data / GRID_KEY / "district.toml").write_text(
        f"""
key = "{GRID_KEY}"
name = "方格区"
short_name = "方格区"
adcode = "999999"
[centre]
lon = {GRID_CENTRE[0]}
lat = {GRID_CENTRE[1]}
[bounds]
lon_min = {min(lons):.4f}
lon_max = {max(lons):.4f}
lat_min = {min(lats):.4f}
lat_max = {max(lats):.4f}
[context]
unit = "邻区"
label = "邻区(背景)"
[boundaries]
file = "townships.geojson"
anchors = "anchors.csv"
kind = "示意界线"
notice = "示意界线,非法定界线"
[[population]]
year = 2010
total = {total}
document = "plan"
clause = "表2"
[[population]]
year = 2020
total = {2 * total}
document = "plan"
clause = "表2"
""",
        encoding="utf-8",
    )

    towns, features, anchors = [], [], []
    for k in range(n * n):
        west, south = (k % n) * side_m - half, (k // n) * side_m - half
        lon, lat = projection.to_degrees(west + side_m / 2, south + side_m / 2)
        seat = (
            {}
            if k == n * n - 1
            else {"seat_lon": f"{lon:.9f}", "seat_lat": f"{lat:.9f}", "seat_error_m": 100}
        )
        towns.append(
            {
                "code": f"9999990{k:02d}",
                "name": town_name(k),
                "kind": "街道" if k < 2 else "镇",
                "setting": "城区" if k < 2 else "农村",
                "population_2010": {0: 3000, 1: ""}.get(k, 1000 * (k + 1)),
                "census_unit": town_name(0 if k < 2 else k),
                "area_km2_quoted": side_m**2 / 1e6,
                "villages_2023": k + 1,
                **seat,
            }
        )
        features.append(_square(projection, town_name(k), f"9999990{k:02d}", west, south, side_m))
    features.append(_square(projection, "邻区", "", half, -half, side_m))
    # sample points on a lattice that has the towns' edges half-way between two points
    step = side_m / 5
    for x in np.arange(-half - side_m + step / 2, half + side_m, step):
        for y in np.arange(-half - side_m + step / 2, half + side_m, step):
            lon, lat = projection.to_degrees(x, y)
            inside = abs(x) < half and abs(y) < half
            k = int((y + half) // side_m) * n + int((x + half) // side_m)
            unit = town_name(k) if inside else "邻区" if x > half and -half < y < side_m - half else ""
            anchors.append({"lon": f"{lon:.9f}", "lat": f"{lat:.9f}", "unit": unit, "certainty": "read"})
    write_csv(data / GRID_KEY / "townships.csv", registry.spec("townships").columns, towns)
    write_csv(geo / "anchors.csv", ["lon", "lat", "unit", "certainty"], anchors)
    collection = {"type": "FeatureCollection", "features": features}
    (geo / "townships.geojson").write_text(json.dumps(collection, ensure_ascii=False), encoding="utf-8")
    write_layer(root, "health", [{"town": town_name(0)}, {"town": town_name(n * n - 1)}, {}])
    return root


def _square(
    projection: Projection, name: str, code: str, west: float, south: float, side: float
) -> dict[str, object]:
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    ring = [projection.to_degrees(west + a * side, south + b * side) for a, b in corners]
    return {
        "type": "Feature",
        "properties": {"name": name, "code": code, "kind": "镇", "certainty": "read"},
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[round(float(lon), 9), round(float(lat), 9)] for lon, lat in ring]],
        },
    }


def pytest_collection_finish() -> None:
    """Let the collector of garbage leave aside what was imported: it stays to the end, and is much to walk through."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def workspace_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of the test's own: nobody's real versions are read, or written."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("QJMAP_HOME", str(home))
    return home


@pytest.fixture
def grid_root(tmp_path: Path) -> Path:
    """A complete project folder, free to write to, with one district of 3 × 3 square towns of 100 km²."""
    return write_grid(tmp_path)


@pytest.fixture
def grid_district(grid_root: Path) -> District:
    """The 3 × 3 district: 甲 at the south-west, 戊 in the middle, 壬 at the north-east without a seat."""
    return load_district(GRID_KEY, grid_root)


@pytest.fixture(scope="session")
def qijiang() -> District:
    """The real district, from the project's own files."""
    return load_district("qijiang")


@pytest.fixture(scope="session")
def _copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the copy of the project's data is, at one place for all tests: what is unchanged is loaded once."""
    return tmp_path_factory.mktemp("project")


def _mend(copy: Path) -> None:
    """Make the copy like the project's own data again, down to the times of its files; touch only what differs."""
    parts = ("data", "geo")
    wanted = {path.relative_to(ROOT) for part in parts for path in (ROOT / part, *(ROOT / part).rglob("*"))}
    for path in sorted(copy.rglob("*"), reverse=True):  # a folder after what is in it
        if path.relative_to(copy) not in wanted:
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    for name in sorted(wanted):
        source, target = ROOT / name, copy / name
        if source.is_dir():
            target.mkdir(exist_ok=True)
        elif not target.exists() or _about(source) != _about(target):
            target.unlink(missing_ok=True)
            shutil.copy2(source, target)


def _about(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_mode


@pytest.fixture
def folder(_copy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project's data, free to break, which the app shows while the test runs."""
    _mend(_copy)
    monkeypatch.setenv("QJMAP_ROOT", str(_copy))
    return _copy
