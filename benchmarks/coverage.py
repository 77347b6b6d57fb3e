"""`python benchmarks/coverage.py`: the exact arc method beside shapely's union, on an invented district.

22 towns of about 850 corners; hydrants of r = 150 m in clusters, street by street, no two within 60 m, some 25
neighbours within 2r each. Prints the best and the median of several runs, and how far shapely's polygonal circles are
off.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from qjmap.coverage import covered_areas, covered_geometry, three_way

SIZE, TOWNS, CORNERS, RADIUS = 50_000.0, 22, 850, 150.0


def towns() -> NDArray[np.object_]:
    """Cut a square into towns."""
    frame = shapely.box(0, 0, SIZE, SIZE)
    seats = np.random.default_rng(1).uniform(0, SIZE, (TOWNS, 2))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seats), extend_to=frame))
    cells = shapely.intersection(cells, frame)
    return np.asarray(shapely.segmentize(cells, shapely.length(cells) / CORNERS))


def hydrants(m: int) -> NDArray[np.float64]:
    """Put hydrants about 90 m apart (never under 60 m) into clusters that do not overlap."""
    rng = np.random.default_rng(3)
    cells = 6
    weights = rng.dirichlet(np.full(cells * cells, 2.0))
    clusters = []
    for cell, count in enumerate(np.ceil(weights * m * 1.01).astype(int)):
        middle = (np.array([cell % cells, cell // cells]) + 0.5) * SIZE / cells
        half = int(np.sqrt(count / 2)) + 2
        grid = np.stack(np.meshgrid(*[np.arange(-half, half + 1) * 90.0] * 2), axis=-1).reshape(-1, 2)
        nearest = np.argsort(np.hypot(*grid.T))[:count]
        clusters.append(middle + grid[nearest] + rng.uniform(-15, 15, (count, 2)))
    return rng.permutation(np.concatenate(clusters))[:m]


def timed(run: Callable[[], object], times: int) -> tuple[float, float]:
    """Give the best and the median of several runs, seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return min(taken), float(np.median(taken))


def by_shapely(
    units: NDArray[np.object_], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cover with polygonal circles (quad_segs 32, not corrected): union of all, then intersect."""
    union = shapely.disjoint_subset_union_all(shapely.buffer(shapely.points(x, y), RADIUS, quad_segs=32))
    return np.asarray(shapely.area(shapely.intersection(union, units)))


def main() -> None:
    """Print one line per size and method."""
    units = towns()
    print(f"{TOWNS} 个街镇,平均 {shapely.get_num_coordinates(units).mean():.0f} 个顶点,半径 {RADIUS:.0f} 米")
    for m in (2_000, 20_000):
        x, y = hydrants(m).T
        error = np.where(np.arange(m) % 4, 0.0, 30.0)
        runs = {
            "精确弧法 covered_areas": (lambda x=x, y=y: covered_areas(units, x, y, RADIUS), 9),
            "三分 three_way(误差 0 与 30 米)": (
                lambda x=x, y=y, e=error: three_way(units, x, y, RADIUS, e),
                5,
            ),
            "图形 covered_geometry": (lambda x=x, y=y: covered_geometry(units, x, y, RADIUS), 1),
            "shapely 全体合并再求交": (lambda x=x, y=y: by_shapely(units, x, y), 1),
        }
        for name, (run, times) in runs.items():
            best, median = timed(run, times)
            print(f"{m:>6} 圆  {name:<34} 最快 {best:8.4f} s  中位 {median:8.4f} s")
        exact, rough = covered_areas(units, x, y, RADIUS), by_shapely(units, x, y)
        print(
            f"{m:>6} 圆  合计 {exact.sum() / 1e6:.6f} km²,shapely 少 {(1 - rough.sum() / exact.sum()) * 100:.4f} %"
        )


if __name__ == "__main__":
    main()
