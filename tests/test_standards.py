"""The rules file: what is refused and why, what the real file holds, and the page made from it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from qjmap.assumptions import Assumption, load_assumptions
from qjmap.clauses import render_markdown
from qjmap.district import ROOT, District
from qjmap.errors import StandardError, UnknownKeyError
from qjmap.layers import Registry, load_registry
from qjmap.registers import load_table
from qjmap.rulebook import KINDS, load_standards, with_figure
from qjmap.standards import Standards
from qjmap.wording import titles

SEEDS = ROOT.parent / "shared" / "seeds"

GOOD: Mapping[str, object] = {
    "title": "样例",
    "kind": "presence",
    "layers": ["health"],
    "figure": 1,
    "per_unit": "town",
    "unit": "家",
    "binding": "约束性",
    "wording": "应",
    "document": "plan",
    "clause": "一(一)",
    "department": "区某委",
    "source_status": "读过原文",
}


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(ROOT / "data" / "layers.toml")


@pytest.fixture(scope="module")
def real(qijiang: District) -> Standards:
    return load_standards(ROOT / "data" / "standards.toml", qijiang.registry, qijiang.documents.index)


def toml(value: object) -> str:
    """Write a value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def write(folder: Path, *rules: Mapping[str, object], rest: str = "") -> Path:
    """Write a rules file with the rules r1, r2 …; a field that is None is left out."""
    parts = []
    for number, rule in enumerate(rules, 1):
        fields = {**GOOD, **rule}
        lines = [f"{name} = {toml(value)}" for name, value in fields.items() if value is not None]
        parts.append(f"[rules.r{number}]\n" + "\n".join(lines))
    path = folder / "standards.toml"
    path.write_text("\n".join(parts) + "\n" + rest, encoding="utf-8")
    return path


def test_a_good_rule_is_read_with_all_its_parts(tmp_path: Path, registry: Registry) -> None:
    where = {"kind": ["卫生院", "中心卫生院"], "beds_2020": {"min": 20, "under": 99}}
    path = write(tmp_path, {"where": where, "towns": ["甲街道"], "target_year": 2025, "note": "说明"})
    rule = load_standards(path, registry, ["plan"])["r1"]
    assert (rule.figure is not None and rule.figure.urban) == 1
    assert rule.target == "每街镇1家"
    assert [one.text() for one in rule.where] == ["kind为卫生院、中心卫生院", "beds_2020≥20且<99"]
    assert rule.applies_to("甲街道", "街道")
    assert not rule.applies_to("丙镇", "镇")
    assert rule.enabled
    assert not rule.custom


BAD: list[tuple[str, Mapping[str, object], str, str]] = [
    ("unknown kind", {"kind": "circle"}, "rules.r1.kind", "radius"),
    ("no figure", {"figure": None}, "rules.r1.figure", "一个数"),
    ("figure is text", {"figure": "一"}, "rules.r1.figure", "一个数"),
    ("figure is true", {"figure": True}, "rules.r1.figure", "一个数"),
    ("figure below nothing", {"figure": -1}, "rules.r1.figure", "不小于 0"),
    ("figure by setting where none is", {"figure": {"urban": 1, "rural": 2}}, "rules.r1.figure", "不分城乡"),
    ("half a figure", {"figure": {"urban": 1}}, "rules.r1.figure", "urban"),
    ("no clause", {"clause": None}, "rules.r1.clause", "一段文字"),
    ("blank clause", {"clause": " "}, "rules.r1.clause", "一段文字"),
    ("no document", {"document": None}, "rules.r1.document", "一段文字"),
    ("unknown document", {"document": "nowhere"}, "rules.r1.document", "documents.csv"),
    ("unknown layer", {"layers": ["wells"]}, "rules.r1.layers", "layers.toml"),
    ("no layer, nothing instead", {"layers": []}, "rules.r1.layers", "needs"),
    (
        "no circle round a road",
        {"kind": "radius", "per_unit": None, "layers": ["roads"]},
        "rules.r1.layers",
        "点图层",
    ),
    ("layers not a list", {"layers": "health"}, "rules.r1.layers", "一列文字"),
    ("unknown column", {"where": {"depth": 1}}, "rules.r1.where.depth", "fever_clinic"),
    ("value not allowed", {"where": {"kind": "医院"}}, "rules.r1.where.kind", "卫生院"),
    ("comparing words", {"where": {"kind": {"min": 1}}}, "rules.r1.where.kind", "数字列"),
    ("bad bound", {"where": {"beds_2020": {"least": 1}}}, "rules.r1.where.beds_2020", "min"),
    ("unknown column of value", {"value": {"2020": "beds"}}, "rules.r1.value.2020", "beds_2020"),
    ("field of another kind", {"zone": "lake"}, "rules.r1.zone", "presence"),
    ("misspelt field", {"depatment": "x"}, "rules.r1.depatment", "presence"),
    ("missing field of its kind", {"per_unit": None}, "rules.r1.per_unit", "必须"),
    ("unknown choice", {"binding": "强制"}, "rules.r1.binding", "约束性"),
    ("unknown scope", {"scope": "village"}, "rules.r1.scope", "district"),
    ("district needs its scope", {"per_unit": "district"}, "rules.r1.scope", "district"),
    ("to check, yet on", {"source_status": "待核"}, "rules.r1.enabled", "false"),
    ("enabled is text", {"enabled": "yes"}, "rules.r1.enabled", "true"),
    ("bad year", {"target_year": 25}, "rules.r1.target_year", "四位数"),
    ("unknown zone", {"kind": "exclusion", "per_unit": None, "zone": "lake"}, "rules.r1.zone", "zones"),
    (
        "bad date",
        {"kind": "deadline", "per_unit": None, "date": "11月30日", "open": {"beds_2020": {"over": 0}}},
        "rules.r1.date",
        "2023-11-30",
    ),
    (
        "unknown quantity",
        {"kind": "trigger", "per_unit": None, "when": {"rain": {"over": 1}}},
        "rules.r1.when.rain",
        "population",
    ),
    ("share without a test", {"kind": "attribute_share", "per_unit": None}, "rules.r1.having", "条件"),
    (
        "two figures",
        {"kind": "attribute_minimum", "per_unit": None, "column": "beds_2020", "figure_column": "beds_2025"},
        "rules.r1.figure",
        "二者",
    ),
    (
        "no town decides a radius",
        {"kind": "radius", "per_unit": None, "scope": "district"},
        "rules.r1.scope",
        "逐街镇",
    ),
    ("nothing to go to", {"kind": "nearest", "per_unit": None}, "rules.r1.to", "必须"),
    ("per nobody", {"kind": "per_capita", "per_unit": None, "per": 0}, "rules.r1.per", "大于 0"),
    ("kind is a list", {"kind": ["radius"], "layers": []}, "rules.r1.kind", "radius"),
    ("zone is a list", {"kind": "exclusion", "per_unit": None, "zone": ["lake"]}, "rules.r1.zone", "zones"),
    ("not, but what", {"where": {"beds_2020": {"not": []}}}, "rules.r1.where.beds_2020", "not"),
    ("year is no number", {"value": {'"²"': "beds_2020"}}, "rules.r1.value.²", "2020"),
    (
        "an hour is no day",
        {"kind": "deadline", "per_unit": None, "date": datetime(2023, 11, 30), "open": {"beds_2020": 1}},
        "rules.r1.date",
        "2023-11-30",
    ),
]


@pytest.mark.parametrize(("what", "change", "entry", "expected"), BAD, ids=[one[0] for one in BAD])
def test_a_bad_rule_is_refused_with_file_rule_and_field(
    what: str, change: Mapping[str, object], entry: str, expected: str, tmp_path: Path, registry: Registry
) -> None:
    with pytest.raises(StandardError) as caught:
        load_standards(write(tmp_path, change), registry, ["plan"])
    problem = next(one for one in caught.value.problems if one.column == entry)
    assert problem.file == "standards.toml"
    assert expected in str(problem)


def test_every_fault_is_told_at_once(tmp_path: Path, registry: Registry) -> None:
    path = write(tmp_path, {"kind": "circle"}, {}, {"clause": None, "document": "nowhere"})
    with pytest.raises(StandardError) as caught:
        load_standards(path, registry, ["plan"])
    told = {one.column for one in caught.value.problems}
    assert {"rules.r1.kind", "rules.r3.clause", "rules.r3.document"} <= told
    assert not any("r2" in str(one) for one in told)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"[rules", "TOML"), ("[rules.r]\ntitle='样'".encode("gbk"), "UTF-8"), (b"[tables]", "rules")],
)
def test_a_file_that_is_no_rules_file_is_refused(
    content: bytes, expected: str, tmp_path: Path, registry: Registry
) -> None:
    path = tmp_path / "standards.toml"
    path.write_bytes(content)
    with pytest.raises(StandardError, match=expected):
        load_standards(path, registry, [])
    with pytest.raises(StandardError, match="可以读取"):
        load_standards(tmp_path / "nowhere.toml", registry, [])


def test_a_file_from_notepad_is_read(tmp_path: Path, registry: Registry) -> None:
    path = write(tmp_path, {})
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert list(load_standards(path, registry, ["plan"])) == ["r1"]


def test_own_figure_is_marked(real: Standards) -> None:
    rule = real["ems-radius"]
    own = with_figure(rule, {"urban": 2000, "rural": 10000})
    assert own.custom
    assert own.target == "城区2000米、农村10000米"
    assert not with_figure(rule, {"urban": 3500, "rural": 10000}).custom  # the document's own
    for wrong in (-1, float("nan"), "五"):
        with pytest.raises(StandardError):
            with_figure(rule, wrong)  # type: ignore[arg-type]
    with pytest.raises(StandardError, match="名册"):
        with_figure(real["beds-planned"], 5)
    with pytest.raises(StandardError, match="不分城乡"):
        with_figure(real["beds-all"], {"urban": 1, "rural": 2})


# ---- the real file ---------------------------------------------------------------------------------


def test_every_rule_names_a_known_document_and_a_clause(real: Standards, qijiang: District) -> None:
    for rule in real.values():
        assert rule.document in qijiang.documents.index, rule.id
        assert rule.clause.strip(), rule.id
    for zone in real.zones.values():
        assert zone.document in qijiang.documents.index


def test_what_is_to_check_is_off(real: Standards) -> None:
    assert {rule.id for rule in real.values() if rule.source_status == "待核"} == {
        "fire-brigade-level2",
        "pond-radius",
    }
    assert not any(rule.enabled for rule in real.values() if rule.source_status == "待核")


def test_every_kind_of_rule_is_in_use(real: Standards) -> None:
    assert {rule.kind for rule in real.enabled()} == set(KINDS)


def test_towns_and_indicators_that_rules_name_exist(real: Standards, qijiang: District) -> None:
    known = set(load_table(qijiang, "indicators")["id"])
    for rule in real.values():
        assert {*rule.towns, *rule.except_towns} <= set(qijiang.towns.index), rule.id
        assert {rule.indicator, rule.indicator_total} - {""} <= known, rule.id


def test_a_rules_figure_is_the_one_its_indicator_prints(real: Standards, qijiang: District) -> None:
    table = load_table(qijiang, "indicators").set_index("id")
    held = [rule for rule in real.values() if rule.indicator and rule.figure is not None]
    assert {rule.id for rule in held} >= {"beds-all", "doctors", "primary-staff"}
    figures = {rule.id: (rule.figure.urban, rule.figure.rural) for rule in held}
    assert figures == {rule.id: (table.at[rule.indicator, "value_2025"],) * 2 for rule in held}
    # the binding of 专栏1 is printed; other tables print none
    printed = table["binding"].dropna()
    bindings = {rule.id: rule.binding for rule in held if rule.indicator in printed.index}
    assert bindings == {rule.id: printed[rule.indicator] for rule in held if rule.id in bindings}
    assert set(bindings.values()) == {"预期性", "约束性"}


def test_documents_figures(real: Standards) -> None:
    assert real["ems-radius"].target == "城区3500米、农村10000米"
    assert real["beds-all"].target == "每1000人8张"
    assert real["hydrant-radius"].target == "150米"
    assert str(real["highrise-hazards"].date) == "2023-11-30"
    assert str(real["highrise-water"].date) == "2023-12-20"
    assert real["ancient-pond"].where[1].minimum == 500
    assert real["station-area"].wording == "不宜"
    assert real["station-area-edge"].wording == "不应"


def test_pages_find_the_distance_to_draw(real: Standards) -> None:
    layers = ("health", "hydrants", "fire_ponds", "fire_stations")
    found = {key: [rule for rule in real.for_layer(key, enabled=False) if rule.metric] for key in layers}
    named = {key: [(rule.id, rule.kind, rule.enabled) for rule in rules] for key, rules in found.items()}
    assert named == {
        "health": [("ems-radius", "radius", True), ("ems-radius-national", "radius", False)],
        "hydrants": [
            ("hydrant-radius", "radius", True),
            ("hydrant-spacing", "nearest", True),
            ("highrise-hydrant", "nearest", True),
        ],
        "fire_ponds": [("pond-radius", "radius", False)],  # to check
        "fire_stations": [],  # five minutes are no distance
    }
    assert "highrise-hydrant" in {rule.id for rule in real.for_layer("hydrants")}
    assert "pond-radius" not in {rule.id for rule in real.for_layer("fire_ponds")}
    assert "pond-radius" in {rule.id for rule in real.for_layer("fire_ponds", enabled=False)}
    with pytest.raises(UnknownKeyError, match="no-such"):
        real["no-such"]


def test_the_page_of_standards_is_up_to_date(real: Standards, qijiang: District) -> None:
    page = (ROOT / "docs" / "standards.md").read_text(encoding="utf-8")
    assert page == render_markdown(real, titles(qijiang.documents)), "运行 python -m qjmap.cli build-docs"


def test_a_bar_in_a_note_opens_no_new_cell(tmp_path: Path, registry: Registry) -> None:
    rules = load_standards(write(tmp_path, {"note": "甲|乙"}), registry, ["plan"])
    row = next(line for line in render_markdown(rules, {}).splitlines() if line.startswith("| `r1`"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 11


def _plain(text: str) -> str:
    """Fold full-width and half-width signs, and drop what only lays out the page."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).translate({ord("‘"): "“", ord("’"): "”"})


@pytest.mark.skipif(not SEEDS.exists(), reason="the source texts are not part of the project")
def test_quotations_are_in_the_source_texts(real: Standards) -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(SEEDS.glob("*.txt"))]
    plain = _plain("".join(texts))
    quotes = [
        (rule.id, quote.strip("…"))
        for rule in real.values()
        for said in re.findall(r"原文[^:]{0,12}:((?:“[^”]+”)+)", rule.note)
        for quote in re.findall(r"“([^”]+)”", said)
    ]
    assert len(quotes) > 25
    for rule_id, quote in quotes:
        assert _plain(quote) in plain, f"{rule_id}: {quote}"


# ---- assumptions -----------------------------------------------------------------------------------


def test_assumptions_are_read(registry: Registry) -> None:
    found = load_assumptions(ROOT / "data" / "assumptions.toml", registry)
    one = found["ems-every-centre"]
    assert isinstance(one, Assumption)
    assert (one.layer, one.column, one.value, one.otherwise) == ("health", "ems_station", "是", "否")


@pytest.mark.parametrize(
    ("lines", "entry"),
    [
        ('layer = "wells"', "layer"),
        ('layer = "health"\ncolumn = "depth"', "value"),
        ('layer = "health"\ncolumn = "ems_station"\nvalue = "也许"', "value"),
        ('layer = "health"\ncolumn = "ems_station"\nvalue = ["是", "否"]', "value"),
        ('layer = "health"\ncolumn = "beds_2020"\nvalue = { min = 1 }', "value"),
        ('layer = "health"\ncolumn = "ems_station"\nvalue = "是"\nother = "否"', "other"),
    ],
)
def test_a_bad_assumption_is_refused(lines: str, entry: str, tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "assumptions.toml"
    path.write_text(f'[assumptions.a]\ntitle = "样例"\n{lines}\n', encoding="utf-8")
    with pytest.raises(StandardError) as caught:
        load_assumptions(path, registry)
    assert f"assumptions.a.{entry}" in {one.column for one in caught.value.problems}
