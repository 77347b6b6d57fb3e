"""A department's whole list, village clinics and all, can be brought in and is counted by no rule that means others."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from qjmap import summary
from qjmap.assess import assess
from qjmap.district import load_district
from qjmap.registers import load_layer, load_table
from qjmap.rulebook import load_standards

SMALL = ("社区卫生服务站", "村卫生室", "门诊部", "诊所", "医务室(卫生所、护理站)")


def answers(root: Path, year: int) -> tuple[dict[tuple[str, str], tuple[object, ...]], pd.DataFrame]:
    """Every rule's answer for every town, without the rule itself; and the layer."""
    district = load_district("qijiang", root)
    layers = {key: load_layer(district, key) for key in district.registry.points}
    standards = load_standards(root / "data" / "standards.toml", district.registry, district.documents.index)
    found = assess(district, layers, standards, year, indicators=load_table(district, "indicators"))
    told = {
        (one.rule.id, one.town): tuple(
            repr(value) for key, value in vars(one).items() if key not in ("rule", "_case")
        )
        for one in found
    }
    return told, layers["health"].frame


@pytest.mark.parametrize("year", [2020, 2025])
def test_a_hundred_village_clinics_change_no_answer(folder, year):
    before, frame = answers(folder, year)
    path = folder / "data" / "qijiang" / "health.csv"
    towns = load_district("qijiang", folder).towns.index
    with path.open(encoding="utf-8", newline="") as file:
        head = next(csv.reader(file))
    rows = [
        {
            "id": f"V{n}",
            "name": f"第{n}号",
            "town": towns[n % len(towns)] if n % 7 else "",
            "kind": SMALL[n % len(SMALL)],
            "status": "现状",
            "lon": f"106.65{n:03d}1" if n % 3 else "",
            "lat": "28.912341" if n % 3 else "",
            "source": "导入",
            "ems_station": "未知" if n % 2 else "",
        }
        for n in range(100)
    ]
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, head, lineterminator="\n").writerows(rows)
    after, longer = answers(folder, year)
    assert len(longer) == len(frame) + 100
    assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} == set()
    # they are there to be seen all the same
    assert len(summary.placed(longer)) > len(summary.placed(frame)) + 60
