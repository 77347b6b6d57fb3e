"""A unit that a header says: known ones are converted and told, unknown ones are asked about, none is passed over."""

from __future__ import annotations

import pytest

from qjmap import _repairs, draft, ingest, matching
from qjmap.layers import Column

HEAD = {"hydrants": "编号,名称,街镇,类别,状态", "reservoirs": "编号,名称,街镇,类别,状态"}
ROW = {"hydrants": "甲,戊镇,市政消火栓,现状", "reservoirs": "甲,戊镇,小型,现状"}


def made(district, header, *cells, layer="hydrants", **said):
    """Draft a table of one number, with its source and matches."""
    spec = district.registry.spec(layer)
    rows = "".join(f'A{n},{ROW[layer]},"{cell}"\n' for n, cell in enumerate(cells))
    (source,) = ingest.read("a.csv", f'{HEAD[layer]},"{header}"\n{rows}'.encode())
    matches = matching.match(source, spec, tuple(district.towns.index))
    kept = draft.prepare(source, spec, matches, None, draft.surroundings(district), **said)
    return kept, source, matches


@pytest.mark.parametrize(
    ("layer", "key", "header", "cell", "number"),
    [
        ("hydrants", "flow_l_s", "流量(L/min)", "60", 1),
        ("hydrants", "flow_l_s", "流量L/min", "900", 15),
        ("hydrants", "flow_l_s", "流量(升/分)", "60", 1),
        ("hydrants", "flow_l_s", "流量(m³/min)", "1.2", 20),
        ("hydrants", "flow_l_s", "流量m3/h", "54", 15),
        ("hydrants", "flow_l_s", "流量(t/h)", "54", 15),
        ("hydrants", "pressure_mpa", "压力(公斤)", "2", 0.196133),
        ("hydrants", "pressure_mpa", "压力(kg/cm2)", "2", 0.196133),
        ("hydrants", "pressure_mpa", "水压(bar)", "3", 0.3),
        ("hydrants", "diameter_mm", "口径(cm)", "10", 100),
        ("reservoirs", "capacity_wan_m3", "总库容(亿m³)", "1.5", 15000),
        ("reservoirs", "capacity_wan_m3", "总库容(亿方)", "1.5", 15000),
        ("reservoirs", "capacity_wan_m3", "库容(千立方米)", "1500", 150),
        ("reservoirs", "capacity_wan_m3", "库容(百万立方米)", "15", 1500),
        ("reservoirs", "capacity_wan_m3", "库容(立方米)", "1500000", 150),
        ("reservoirs", "capacity_wan_m3", "总库容(10⁴m³)", "150", 150),
        ("reservoirs", "capacity_wan_m3", "总库容(万)", "150", 150),
    ],
)
def test_a_known_unit_is_converted_and_told(grid_district, layer, key, header, cell, number):
    kept, source, matches = made(grid_district, header, cell, layer=layer)
    assert kept.frame[key].tolist() == pytest.approx([number])
    told = [one.id for one in kept.repairs if one.id.startswith("header-unit")]
    assert told == ([] if str(number) == cell else [f"header-unit:{key}"])
    assert draft.unknown_words(kept, source, matches) == {}


@pytest.mark.parametrize(
    ("header", "key", "unit"),
    [
        ("流量(gpm)", "flow_l_s", "gpm"),
        ("流量(升/月)", "flow_l_s", "升/月"),
        ("水压(米)", "pressure_mpa", "米"),
        ("口径(寸)", "diameter_mm", "寸"),
        ("流量gpm", "flow_l_s", "gpm"),
    ],
)
def test_an_unknown_unit_is_asked_about_and_never_passed_over(grid_district, header, key, unit):
    kept, source, matches = made(grid_district, header, "100", "", "１００")
    assert kept.good.tolist() == [False, True, False]  # a row without the number has nothing to ask
    assert all(f"“{unit}”" in one.advice for one in kept.problems)
    assert draft.unknown_words(kept, source, matches) == {key: {unit: 2}}


def test_a_person_says_what_an_unknown_unit_is(grid_district):
    said = {"flow_l_s": {"gpm": "升/分"}}
    kept, source, matches = made(grid_district, "流量(gpm)", "60", "1,800", "3升/秒", meanings=said)
    assert kept.frame["flow_l_s"].tolist() == [1, 30, 3]
    assert "“gpm”即“升/分”" in next(one.why for one in kept.repairs if one.id == "header-unit:flow_l_s")
    own = {"flow_l_s": {"gpm": "升/秒"}}
    kept, *_ = made(grid_district, "流量(gpm)", "60", meanings=own)
    assert kept.frame["flow_l_s"].tolist() == [60]
    assert draft.unknown_words(kept, source, matches) == {}


def test_every_way_of_writing_a_number_follows_the_header(grid_district):
    cells = ("1500000", "1,500,000", "１５０００００", " 1 500 000 ", "150万", "150万方", "1.5e6")
    kept, *_ = made(grid_district, "库容(立方米)", *cells, layer="reservoirs")
    assert kept.frame["capacity_wan_m3"].tolist() == [150] * len(cells)
    refused, *_ = made(
        grid_district, "库容(立方米)", "150", "1,500", layer="reservoirs", refused_repairs=["header-unit"]
    )
    assert refused.frame["capacity_wan_m3"].tolist() == [150, 1500]


def test_an_unknown_unit_may_mean_the_registers_or_another_of_its_kind():
    column = Column("flow", "流量", "number", "升/秒")
    assert draft.meanings_for(column)[:3] == ("升/秒", "立方米/小时", "升/分")
    assert draft.meanings_for(Column("beds", "床位", "integer", "张")) == ("张", "万张")
    assert draft.meanings_for(Column("kind", "类别", "category", values=("甲", ""))) == ("甲",)
    assert draft.meanings_for(Column("town", "街镇", "town"), ("甲镇",)) == ("甲镇",)


def test_it_is_told_where_a_unit_stands(grid_district):
    spec = grid_district.registry.spec("reservoirs")
    for value, word in (
        ("0.2", "表头上方写明单位“亿立方米”"),
        ("1.5", "表头上方写的单位是“万立方米或亿立方米”"),
    ):
        text = f"水库表(单位:亿立方米),,,\n水库名称,街镇,工程规模,总库容\n甲,戊镇,小型,{value}\n"
        (source,) = ingest.read("a.csv", text.encode())
        matches = matching.match(source, spec)
        kept = draft.prepare(source, spec, matches, None, draft.surroundings(grid_district))
        assert any(
            word in one for one in [*(r.why for r in kept.repairs), *(p.advice for p in kept.problems)]
        )


@pytest.mark.parametrize(
    ("text", "unit", "read"),
    [
        ("200m³", "立方米", "200"),
        ("150万m3", "万立方米", "150"),
        ("54m³/h", "升/秒", "15"),
        ("0.5 m^3", "立方米", "0.5"),
        ("5kg/cm²", "兆帕", "0.4903325"),
        ("3m35", "立方米", None),
        ("12m3.5", "立方米", None),
        ("150m2 30人", "平方米", None),
        ("200m³", "升/秒", None),
    ],
)
def test_a_unit_with_a_power_is_read_in_a_cell_too(text, unit, read):
    found = _repairs.number(text, unit, whole=False)
    assert (found and found[0]) == read
