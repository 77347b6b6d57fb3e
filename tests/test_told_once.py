"""One fault of a cell is told once."""

from __future__ import annotations

import pytest

from qjmap import datum, draft, ingest, matching

HEAD = ["编号", "名称", "街镇", "类别", "状态", "流量", "口径", "年份", "经度", "纬度"]
GOOD = ["A1", "甲", "戊镇", "市政消火栓", "现状", "15", "100", "2020", "106.501234", "29.001234"]


def made(district, *rows: dict[str, str]) -> draft.Draft:
    spec = district.registry.spec("hydrants")
    good = dict(zip(HEAD, GOOD, strict=True))
    cells = [
        HEAD,
        GOOD,
        *([{**good, "编号": f"B{n}", **row}[name] for name in HEAD] for n, row in enumerate(rows)),
    ]
    (source,) = ingest.read("a.csv", "\n".join(map(",".join, cells)).encode())
    matches = matching.match(source, spec, tuple(district.towns.index))
    found = datum.readings(*draft.coordinates(source, matches), district)
    reading = next(one for one in found if one.key == "wgs84")
    return draft.prepare(source, spec, matches, reading, draft.surroundings(district))


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!"])
def test_a_formulas_error_is_told_once_in_every_column(grid_district, error):
    names = HEAD[1:]
    lost = made(grid_district, *({name: error} for name in names))
    assert [(one.row, one.column) for one in lost.problems] == [(3 + n, name) for n, name in enumerate(names)]
    assert all("公式" in one.advice for one in lost.problems)
    assert len(lost.frame) == 1


@pytest.mark.parametrize(("lon", "lat"), [("0", "0"), ("0.000000", "0.0")])
def test_noughts_for_coordinates_are_told_once(grid_district, lon, lat):
    lost = made(grid_district, {"经度": lon, "纬度": lat})
    (fault,) = lost.problems
    assert (fault.row, fault.column, fault.value) == (3, "经度", "0, 0")
    assert "没有取到坐标" in fault.advice
    assert not [one for one in lost.warnings if one.row == 3]
    assert len(lost.frame) == 1
