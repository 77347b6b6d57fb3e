"""Numbers and sources as officials write them."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from qjmap import wording
from qjmap.assess import INDICATOR, SHORT, assess
from qjmap.district import ROOT
from qjmap.registers import load_table
from qjmap.rulebook import load_standards
from qjmap.ui import overview, words
from qjmap.ui.overview import Measure


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (775509, 0, "775,509"),
        (0, 0, "0"),
        (6.394, 2, "6.39"),
        (1234.5, 1, "1,234.5"),
        (None, 0, "—"),
        (math.nan, 1, "—"),
        (pd.NA, 0, "—"),
        (math.inf, 0, "—"),
    ],
)
def test_numbers(value, decimals, text):
    assert words.number(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(775509, "77.6万"), (10000, "1.0万"), (9999.4, "9,999"), (76.3, "76"), (0, "0"), (math.nan, "—")],
)
def test_people(value, text):
    assert words.people(value) == text


def test_people_do_not_jump_back_at_ten_thousand():
    """9,999.6 people are ten thousand, not "10,000" beside "1.0万"."""
    assert words.people(9999.6) == "1.0万"


def test_percent():
    assert words.percent(0.71234) == "71.2"
    assert words.percent(1) == "100.0"
    assert words.percent(math.nan) == "—"


def test_a_document_is_cited_with_its_number_and_clause(qijiang):
    assert (
        words.document(qijiang, "health-plan", "专栏3")
        == "《重庆市綦江区“十四五”区域卫生规划(2021—2025年)》(綦江府发〔2022〕32号)专栏3"
    )
    assert words.document(qijiang, "health-plan-draft").endswith("》")  # a draft has no number
    assert words.document(qijiang, "health-plan", float("nan")).endswith("号)")
    assert words.document(qijiang, "unheard-of") == "unheard-of"
    assert len(words.documents(qijiang, ["fire-plan", "health-plan", "fire-plan"])) == 2


def test_every_rule_can_be_cited(qijiang):
    standards = load_standards(
        qijiang.root / "data" / "standards.toml", qijiang.registry, list(qijiang.documents.index)
    )
    for layer in qijiang.registry.layers:
        for rule in standards.for_layer(layer):
            said = words.rule_source(qijiang, rule)
            assert said.startswith("依据:《")
            assert rule.clause in said
            assert rule.source_status in said


def test_the_population_is_named_with_year_number_and_source(qijiang):
    said = words.population_line(qijiang, 2020)
    assert said.startswith("人口:2020年 775,509 人")
    assert "《" in said
    assert "估算" in said


# ---- shading ------------------------------------------------------------------------------------

MEASURE = Measure("床位", "张", 0)


def shaded(*values):
    towns = [f"镇{n}" for n in range(len(values))]
    return overview.shades(pd.Series(values, index=towns, dtype=float), MEASURE)


def test_towns_are_shaded_in_five_classes_of_equal_count():
    colours, legend = shaded(*range(10))
    assert len(legend) == 5
    classes = [colours[f"镇{n}"] for n in range(10)]
    assert [classes.count(colour) for _, colour in legend] == [2, 2, 2, 2, 2]
    assert classes == sorted(classes, key=[colour for _, colour in legend].index)


def test_a_town_without_the_figure_is_grey_and_the_legend_says_so():
    colours, legend = shaded(1, 2, math.nan)
    assert legend[-1][0] == "数据不足"
    assert colours["镇2"] == legend[-1][1]
    assert colours["镇2"] not in (colours["镇0"], colours["镇1"])
    assert "数据不足" not in [label for label, _ in shaded(1, 2)[1]]


@pytest.mark.parametrize("values", [(5.0, 5.0, 5.0), (5.0,), (0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 2.0, 2.0)])
def test_equal_figures_have_equal_colours(values):
    colours, legend = shaded(*values)
    assert {colours[f"镇{n}"] for n, value in enumerate(values) if value == values[0]} == {colours["镇0"]}
    assert len(legend) >= 1
    assert set(colours.values()) <= {colour for _, colour in legend}


def test_nothing_known_is_not_shaded():
    assert shaded(math.nan, math.nan) == ({}, [])


@pytest.mark.parametrize(
    ("have", "need", "gap", "added"),
    [(1364, 1473, 174.5, True), (85, 121.4, 36.4, False), (5, 0, 5, False), (math.nan, 3, 3, False)],
)
def test_a_gap_that_adds_places_up_is_said_to(have, need, gap, added):
    one = SimpleNamespace(have=have, need=need, shortfall=gap)
    assert wording.summed(one) is added


@pytest.mark.parametrize(
    ("value", "said"),
    [(1.76, "1.76"), (1.9, "1.9"), (2.0, "2"), (0.05, "0.05"), (36.44, "36.4"), (1234.5, "1,234")],
)
def test_a_rate_is_not_rounded_up_to_its_target(value, said):
    assert wording.figure(value) == said


def test_what_is_worked_out_from_a_rate_is_not_written_as_if_it_were_counted(qijiang):
    """`have` is either a document's own count, or its rate times the people: the words must tell them apart."""
    shipped = load_standards(ROOT / "data" / "standards.toml", qijiang.registry, qijiang.documents.index)
    found = assess(qijiang, {}, shipped, 2020, indicators=load_table(qijiang, "indicators"))
    by_indicator = [one for one in found if one.source == INDICATOR and one.status == SHORT]
    counted = [one for one in by_indicator if one.rule.indicator_total and math.isfinite(one.have)]
    worked_out = [one for one in by_indicator if one.estimated]
    assert counted
    assert worked_out
    assert all("约" not in wording.gap(one) + wording.have(one) for one in counted)
    assert all(
        wording.gap(one).startswith("约 ") and wording.have(one).startswith("约 ") for one in worked_out
    )
    assert all("折算" in dict(wording.numbers(one))["现有"] for one in worked_out)


def test_the_population_leaves_out_what_the_settings_name(qijiang):
    without = replace(qijiang, settings=replace(qijiang.settings, context_units=()))
    assert "不含" in wording.population_line(qijiang, 2020)
    assert "不含" not in wording.population_line(without, 2020).split("(")[1].split("《")[0]
