"""The registry: a layer is data, and a slip in the data is told."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from qjmap.district import ROOT, load_district
from qjmap.errors import RegistryError, UnknownKeyError
from qjmap.layers import SHAPE, TYPES, load_registry
from qjmap.registers import load_layer
from tests.conftest import GRID_KEY, town_name, write_layer

REAL = ROOT / "data" / "layers.toml"

GOOD = """
[layers.shelters]
label = "避难场所"
counter = "处"
file = "shelters.csv"
geometry = "point"
symbol = "square"
department = "区应急局"
kinds = ["室内", "室外"]
[layers.shelters.columns]
area_m2 = { label = "面积", type = "number", unit = "平方米", min = 0 }
opened  = { label = "启用", type = "date" }
heated  = { label = "采暖", type = "boolean" }
"""


def registry_with(folder: Path, text: str, real: str | None = None) -> Path:
    path = folder / "layers.toml"
    path.write_text((REAL.read_text("utf-8") if real is None else real) + text, encoding="utf-8")
    return path


def problems_of(path: Path) -> list[tuple[str | None, str | None, str]]:
    """What is told: entry, value, expected."""
    with pytest.raises(RegistryError) as caught:
        load_registry(path)
    assert {one.file for one in caught.value.problems} == {path.name}
    assert "None" not in str(caught.value)
    return [(one.column, one.value, one.expected) for one in caught.value.problems]


# ---- the real one ---------------------------------------------------------------------------------


def test_the_real_registry_says_what_the_file_says():
    registry, raw = load_registry(REAL), tomllib.loads(REAL.read_text("utf-8"))
    assert list(registry.layers) == list(raw["layers"])
    assert list(registry.tables) == list(raw["tables"])
    assert registry.symbols == raw["symbols"]
    for key, spec in registry.layers.items():
        entry = raw["layers"][key]
        assert spec.placed
        assert (spec.key, spec.label, spec.file, spec.counter) == (
            key,
            entry["label"],
            entry["file"],
            entry["counter"],
        )
        common = raw["common"]["columns"]
        if spec.shaped:
            assert list(spec.columns) == [
                *(one for one in common if one not in ("lon", "lat")),
                *entry["columns"],
                "geometry",
            ]
        else:
            assert list(spec.columns) == [*common, *entry.get("columns", ())]
        assert spec.columns["kind"].values == spec.kinds == tuple(entry["kinds"])
        assert spec.symbol in registry.symbols
    for spec in registry.tables.values():
        assert not spec.placed
        assert "source" not in spec.columns
    columns = [column for spec in registry.layers.values() for column in spec.columns.values()]
    assert {column.type for column in columns} <= {*TYPES, SHAPE}
    assert all(column.values for column in columns if column.type == "category")


def test_the_real_options_reach_the_columns():
    columns = load_registry(REAL).spec("hydrants").columns
    assert columns["id"].required
    assert columns["id"].unique
    assert not columns["town"].required
    assert (columns["diameter_mm"].min, columns["diameter_mm"].max) == (50, 300)
    assert columns["diameter_mm"].unit == "毫米"
    assert columns["pressure_mpa"].sensitive
    assert not columns["flow_l_s"].sensitive


def test_an_unknown_key_is_told_with_those_there_are():
    registry = load_registry(REAL)
    with pytest.raises(UnknownKeyError, match="没有名为“nowhere”的图层或表") as caught:
        registry.spec("nowhere")
    assert "health" in str(caught.value)
    assert "villages" in str(caught.value)


# ---- a layer is data ------------------------------------------------------------------------------


def test_a_new_layer_needs_an_entry_and_a_file_only(grid_root):
    path = grid_root / "data" / "layers.toml"
    path.write_text(path.read_text("utf-8") + GOOD, encoding="utf-8")
    rows = [{"town": town_name(4), "area_m2": "12.5", "opened": "2023-05-01", "heated": "否"}, {}]
    write_layer(grid_root, "shelters", rows)
    layer = load_layer(load_district(GRID_KEY, grid_root), "shelters")
    assert layer.spec.label == "避难场所"
    assert layer.frame["position"].tolist() == ["驻地近似", "未定位"]
    assert layer.frame["area_m2"].tolist()[0] == 12.5
    assert layer.frame["opened"].dt.year.tolist()[0] == 2023
    assert layer.frame["heated"].tolist()[0] is False


def test_a_new_column_needs_an_entry_only(grid_root):
    path = grid_root / "data" / "layers.toml"
    text = path.read_text("utf-8").replace(
        "[layers.health.columns]", '[layers.health.columns]\nlifts = { label = "电梯", type = "integer" }'
    )
    path.write_text(text, encoding="utf-8")
    write_layer(grid_root, "health", [{"lifts": 3}])
    assert load_layer(load_district(GRID_KEY, grid_root), "health").frame["lifts"].tolist() == [3]


# ---- slips ----------------------------------------------------------------------------------------

LAYER = "layers.shelters"
COLUMN = f"{LAYER}.columns.area_m2"
KINDS = f"{LAYER}.by_kind.area_m2"
HEAD, LIMITS = "[layers.shelters.columns]", "[layers.shelters.by_kind."


@pytest.mark.parametrize(
    ("old", "new", "entry", "expected"),
    [
        ('label = "避难场所"', "label = 3", f"{LAYER}.label", "一段文字"),
        ('label = "避难场所"', 'label = " "', f"{LAYER}.label", "一段文字"),
        ('label = "避难场所"', "", f"{LAYER}.label", "一段文字"),
        ('counter = "处"', "counter = []", f"{LAYER}.counter", "一段文字"),
        ('"shelters.csv"', '"../shelters.csv"', f"{LAYER}.file", "csv"),
        ('"shelters.csv"', '"shelters.xlsx"', f"{LAYER}.file", "csv"),
        ('"shelters.csv"', '"health.csv"', "shelters.file", "与“health”不同的文件"),
        ('geometry = "point"', 'geometry = "dot"', f"{LAYER}.geometry", "point"),
        ('geometry = "point"', "geometry = [1]", f"{LAYER}.geometry", "point"),
        ('symbol = "square"', 'symbol = "circle"', f"{LAYER}.symbol", "cross"),
        ('symbol = "square"', 'symbol = ["square"]', f"{LAYER}.symbol", "cross"),
        ('symbol = "square"', "", f"{LAYER}.symbol", "cross"),
        ('kinds = ["室内", "室外"]', "kinds = []", f"{LAYER}.kinds", "一列文字"),
        ('kinds = ["室内", "室外"]', 'kinds = ["室内", 2]', f"{LAYER}.kinds", "一列文字"),
        ('kinds = ["室内", "室外"]', 'kinds = ["室内", "室内"]', f"{LAYER}.kinds", "互不相同"),
        ('department = "区应急局"', 'departement = "区应急局"', f"{LAYER}.departement", "下列项目之一"),
        ("[layers.shelters.columns]", "[layers.shelters.colums]", f"{LAYER}.colums", "下列项目之一"),
        ("area_m2 =", "Area =", f"{LAYER}.columns.Area", "小写字母"),
        ("area_m2 =", "lon =", f"{LAYER}.columns.lon", "重名"),
        ('type = "number", unit', 'type = "float", unit', f"{COLUMN}.type", "number"),
        ('type = "number", unit', 'type = "category", unit', f"{COLUMN}.values", "允许值"),
        ('"面积", type', '"面积", values = ["一"], type', f"{COLUMN}.values", "category"),
        ("min = 0 }", 'min = 0, not_over = "opened" }', "area_m2.not_over", "数值列"),
        (HEAD, f"{LIMITS}nowhere]\n{HEAD}", f"{LAYER}.by_kind.nowhere", "数值列"),
        (HEAD, f"{LIMITS}area_m2]\n{HEAD}", f"{KINDS}.document", "一段文字"),
        (HEAD, f'{LIMITS}area_m2.ranges]\n"室外" = [2, 1]\n{HEAD}', f"{KINDS}.ranges.室外", "最小值"),
        (HEAD, f'{LIMITS}area_m2.ranges]\n"水下" = [1, 2]\n{HEAD}', f"{KINDS}.ranges.水下", "类别"),
        ("min = 0 }", "min = true }", f"{COLUMN}.min", "一个数"),
        ("min = 0 }", 'min = "0" }', f"{COLUMN}.min", "一个数"),
        ("min = 0 }", "min = 0, max = -1 }", f"{COLUMN}.min", "不大于 max"),
        ("min = 0 }", "minimum = 0 }", f"{COLUMN}.minimum", "下列项目之一"),
        ("min = 0 }", "required = 1 }", f"{COLUMN}.required", "true 或 false"),
        ('"平方米"', "5", f"{COLUMN}.unit", "一段文字"),
        (
            'area_m2 = { label = "面积", type = "number", unit = "平方米", min = 0 }',
            "area_m2 = 3",
            COLUMN,
            "一个表",
        ),
        ("[layers.shelters]", "[layers.Shelters]", "layers.Shelters", "小写字母"),
        ("[layers.shelters]", "[leyers]\n[layers.shelters]", "leyers", "common"),
        ("[layers.shelters]", '[tables.health]\nfile = "x.csv"\n[layers.shelters]', "tables.health", "重名"),
        ("[layers.shelters]", "[tables.empty]\n[layers.shelters]", "tables.empty.columns", "至少一列"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_entry(tmp_path, old, new, entry, expected):
    assert GOOD.count(old) == 1
    told = problems_of(registry_with(tmp_path, GOOD.replace(old, new)))
    assert [one for one in told if one[0] == entry and expected in one[2]], told


@pytest.mark.parametrize(
    ("old", "new", "entry"),
    [
        ('[positions."实测"]', '[positions."实则"]', "positions.实则"),
        ('[positions."实测"]', '[positions."实则"]', "positions.实测"),
        ("least_m = 30", "least_m = -1", "positions.表载坐标.least_m"),
        ("least_m = 30", "", "positions.表载坐标.least_m"),
        ("least_m = 30", "at_least = 30", "positions.表载坐标.at_least"),
        ('basis = "假定:两次', 'why = "假定:两次', "shifts.bd09.basis"),
    ],
)
def test_a_slip_in_what_is_assumed_of_places_is_told(tmp_path, old, new, entry):
    real = REAL.read_text("utf-8")
    assert real.count(old) == 1
    assert entry in [one[0] for one in problems_of(registry_with(tmp_path, "", real=real.replace(old, new)))]


def test_what_is_assumed_of_places_says_why():
    registry = load_registry(REAL)
    assert set(registry.positions) <= set(registry.spec("health").columns["position"].values)
    assert all(
        one.basis.startswith("假定") for one in (*registry.positions.values(), *registry.shifts.values())
    )


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("layers = 3", "layers"),
        ("[layers]\nhealth = 3", "layers.health"),
        ("tables = []", "tables"),
        ("[tables]\nhealth = 3", "tables.health"),
        ("symbols = 1", "symbols"),
        ("[symbols]\ncross = 1", "symbols.cross"),
        ("[symbols]\ncross = 'M0 0\"/><script>'", "symbols.cross"),
        ("common = 1", "common"),
        ("[common]\ncolumns = 1", "common.columns"),
    ],
)
def test_a_thing_that_is_no_table_is_told(tmp_path, text, entry):
    assert entry in [one[0] for one in problems_of(registry_with(tmp_path, text, real=""))]


@pytest.mark.parametrize(
    ("old", "new", "entry"),
    [
        ("source   = {", "sauce = {", "common.columns.source"),
        ('"latitude"', '"number"', "common.columns.lat"),
        ('"镇域近似", "未定位"', '"镇域近似"', "common.columns.position.values"),
        (', "演示"', "", "common.columns.source.values"),
    ],
)
def test_a_common_column_that_the_program_uses_cannot_go(tmp_path, old, new, entry):
    real = REAL.read_text("utf-8")
    told = problems_of(registry_with(tmp_path, "", real=real.replace(old, new, 1)))
    assert entry in [one[0] for one in told]


def test_all_slips_are_told_at_once(tmp_path):
    text = GOOD.replace('"point"', '"dot"').replace('"square"', '"circle"').replace('"number"', '"float"')
    entries = [one[0] for one in problems_of(registry_with(tmp_path, text))]
    assert {f"{LAYER}.geometry", f"{LAYER}.symbol", f"{COLUMN}.type"} <= set(entries)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "没有这个文件"),
        (b"[layers", "TOML"),
        (b"a = 1\na = 2", "TOML"),
        ("label = “图层”".encode("gb18030"), "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path, content, words):
    path = tmp_path / "layers.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RegistryError, match=words) as caught:
        load_registry(path)
    assert "layers.toml" in str(caught.value)


def test_a_layer_may_call_common_columns_by_words_of_its_own(tmp_path):
    own = '[layers.shelters.synonyms]\nname = ["场所名"]\n[layers.shelters.columns]'
    text = GOOD.replace("[layers.shelters.columns]", own)
    registry = load_registry(registry_with(tmp_path, text))
    mine, others = (registry.spec(key).columns["name"] for key in ("shelters", "emergency_teams"))
    assert mine.synonyms[0] == "场所名"
    assert "单位名称" in mine.synonyms
    assert "场所名" not in others.synonyms
    for wrong, entry, expected in (
        ('nom = ["场所名"]', "nom", "common.columns"),
        ('name = "场所名"', "name", "一列文字"),
        ('name = ["甲", "甲"]', "name", "互不相同"),
        ('name = ["单位名称"]', "name", "还没有"),
        ('area_m2 = ["大小"]', "area_m2", "common.columns"),
    ):
        told = problems_of(registry_with(tmp_path, text.replace('name = ["场所名"]', wrong)))
        assert [one for one in told if one[0] == f"{LAYER}.synonyms.{entry}" and expected in one[2]], told
    told = problems_of(
        registry_with(
            tmp_path,
            text.replace('name = ["场所名"]', "")
            .replace("[layers.shelters.synonyms]\n", "")
            .replace('kinds = ["室', 'synonyms = 3\nkinds = ["室'),
        )
    )
    assert (f"{LAYER}.synonyms", "一个表") in [(one[0], one[2]) for one in told]


def test_a_word_means_one_value(tmp_path):
    column = 'state = { label = "情况", type = "category", values = ["好", "坏"], words = '
    assert registry_with(tmp_path, f'{GOOD}{column}{{ "好" = ["良好"], "坏" = ["损坏"] }} }}\n')
    columns = load_registry(tmp_path / "layers.toml").layers["shelters"].columns
    assert columns["state"].words == (("良好", "好"), ("损坏", "坏"))
    wrong = registry_with(
        tmp_path, f'{GOOD}{column}{{ "好" = ["良好", "坏"], "坏" = ["良好"], "糟" = ["糟糕"] }} }}\n'
    )
    assert [(entry, value) for entry, value, _ in problems_of(wrong)] == [
        ("layers.shelters.columns.state.words.好", "坏"),
        ("layers.shelters.columns.state.words.坏", "良好"),
        ("layers.shelters.columns.state.words", "糟"),
    ]
