"""The documents' registers, held against the documents' own totals and, where at hand, their own words."""

from __future__ import annotations

import csv
import re
import tomllib
import unicodedata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
DISTRICT = DATA / "qijiang"
SHARED = ROOT.parent / "shared"
SEEDS = {
    "000": "000_0a50d1ea0e31ba2e.txt",
    "001": "001_dbb23b25915cc356.txt",
    "002": "002_9619e8abd60d3cb1.txt",
    "003": "003_f877b6bd4e33b29f.txt",
    "004": "004_f828997fa57831f6.txt",
}
needs_seeds = pytest.mark.skipif(not (SHARED / "seeds").is_dir(), reason="../shared/seeds is not there")
needs_facts = pytest.mark.skipif(not (SHARED / "facts").is_dir(), reason="../shared/facts is not there")

REGISTRY = tomllib.loads((DATA / "layers.toml").read_text(encoding="utf-8"))
COMMON = REGISTRY["common"]["columns"]
OURS = {
    "layers": ["health", "projects", "emergency_teams", "reservoirs"],
    "tables": ["townships", "villages", "indicators", "errata"],
}
REGISTERS = [(section, key) for section, keys in OURS.items() for key in keys]

Row = dict[str, str]


# ---- reading ------------------------------------------------------------------------------------


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def register(name: str) -> list[Row]:
    return read(DISTRICT / f"{name}.csv")


def columns(section: str, key: str) -> dict[str, dict[str, object]]:
    spec = REGISTRY[section][key]
    return (COMMON if section == "layers" else {}) | spec.get("columns", {})


def plain(text: str) -> str:
    """Leave out what differs only in typesetting: widths, spaces, kinds of dash."""
    return re.sub(r"\s|\*", "", unicodedata.normalize("NFKC", text)).replace("—", "-").replace("–", "-")


def seed(prefix: str) -> str:
    return (SHARED / "seeds" / SEEDS[prefix]).read_text(encoding="utf-8")


def published(start: str, end: str) -> list[list[str]]:
    """The cells of the published plan's lines between two headings."""
    text = seed("000").split("\n" + start, 1)[1].split(end, 1)[0]
    return [[plain(cell) for cell in line.split("\t")] for line in text.splitlines() if "\t" in line]


def draft(start: str, end: str) -> list[str]:
    """The draft's cells, one per paragraph, between two headings."""
    text = seed("002").split("\n" + start, 1)[1].split(end, 1)[0]
    # A cell's inner line break leaves an unindented paragraph: it belongs to the cell before it.
    cells = re.split(r"\n\s*\t", text)
    return [cell for cell in (plain(c) for c in cells) if cell]


def total(rows: list[Row], column: str) -> int:
    return sum(int(row[column]) for row in rows if row[column])


HEALTH = register("health")
CENTRES = [row for row in HEALTH if row["clause"] == "专栏4"]
HOSPITALS = [row for row in HEALTH if row["clause"] == "专栏3"]
PROJECTS = register("projects")
INDICATORS = {row["id"]: row for row in register("indicators")}
DOCUMENTS = {row["id"]: row for row in read(DATA / "documents.csv")}
TOWNS = {row["name"]: row for row in register("townships")}


# ---- form ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("section", "key"), REGISTERS)
def test_headers_are_the_registrys_columns(section, key):
    with (DISTRICT / REGISTRY[section][key]["file"]).open(encoding="utf-8") as file:
        assert next(csv.reader(file)) == list(columns(section, key))


@pytest.mark.parametrize(("section", "key"), REGISTERS)
def test_cells_are_of_the_registrys_types(section, key):
    spec = columns(section, key)
    for row in register(key):
        for name, column in spec.items():
            value, where = row[name], (key, name, row)
            allowed = (
                REGISTRY[section][key]["kinds"]
                if (section, name) == ("layers", "kind")
                else column.get("values")
            )
            assert value or not column.get("required"), where
            if not value:
                continue
            assert value == value.strip(), where
            if allowed:
                assert value in allowed, where
            if column["type"] in ("integer", "year"):
                assert re.fullmatch(r"\d+", value), where
            if column["type"] in ("number", "longitude", "latitude"):
                assert float(value) >= column.get("min", -1e9), where
            if column["type"] == "town":
                assert value in TOWNS, where
            if column["type"] == "document":
                assert value in DOCUMENTS, where


def test_ids_are_unique():
    for _, key in REGISTERS:
        ids = [row.get("id") or row.get("code") for row in register(key)]
        assert all(ids)
        assert len(ids) == len(set(ids)), key
    assert len(DOCUMENTS) == len(read(DATA / "documents.csv"))


def test_layers_come_from_documents_with_a_clause_and_no_invented_place():
    for key in OURS["layers"]:
        for row in register(key):
            assert row["source"] == "文件"
            assert row["document"]
            assert row["lon"] == row["lat"] == row["error_m"] == ""
            assert row["clause"] or key == "reservoirs"


def test_no_phone_number_is_in_the_data():
    phone = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|\d{3,4}[-\s)]\d{7,8})(?!\d)")
    for path in [*DATA.rglob("*.csv"), *DATA.rglob("*.toml"), ROOT / "geo/SOURCES.csv"]:
        assert not phone.search(path.read_text(encoding="utf-8")), path


def test_the_sources_of_the_map_say_licence_and_datum():
    rows = read(ROOT / "geo" / "SOURCES.csv")
    assert list(rows[0]) == ["file", "title", "from", "licence", "datum", "date", "note"]
    assert all(row["licence"] and row["datum"] and row["from"] for row in rows)
    assert any(row["licence"] == "CC BY 4.0" for row in rows)


# ---- the district -------------------------------------------------------------------------------


def test_district_settings():
    settings = tomllib.loads((DISTRICT / "district.toml").read_text(encoding="utf-8"))
    assert settings["name"] == "重庆市綦江区"
    assert settings["adcode"] == "500110"
    assert {p["year"]: p["total"] for p in settings["population"]} == {
        2010: 801041,
        2020: 775509,
        2025: 825000,
    }
    assert all(p["document"] in DOCUMENTS for p in settings["population"])
    assert settings["boundaries"]["notice"] == "示意界线,非法定界线"
    box = settings["bounds"]
    for anchor in read(ROOT / "geo" / "qijiang" / "anchors.csv"):
        if anchor["unit"]:
            assert box["lon_min"] < float(anchor["lon"]) < box["lon_max"]
            assert box["lat_min"] < float(anchor["lat"]) < box["lat_max"]
    assert box["lon_min"] < settings["centre"]["lon"] < box["lon_max"]
    assert box["lat_min"] < settings["centre"]["lat"] < box["lat_max"]


def test_townships_and_villages():
    assert len(TOWNS) == 21
    assert total(list(TOWNS.values()), "population_2010") == 801041
    assert {n for n, t in TOWNS.items() if t["setting"] == "城区"} == {"古南街道", "文龙街道", "通惠街道"}
    assert {n for n, t in TOWNS.items() if t["census_unit"] != n} == {"文龙街道", "通惠街道"}
    assert TOWNS["文龙街道"]["census_unit"] == "古南街道"
    villages = register("villages")
    assert len(villages) == 381
    for name, town in TOWNS.items():
        own = [v for v in villages if v["town"] == name]
        assert len(own) == int(town["villages_2023"])
        assert all(v["town_code"] == town["code"] and v["code"].startswith(town["code"]) for v in own)


@needs_facts
def test_townships_and_villages_are_the_facts():
    for name, table in (("townships", list(TOWNS.values())), ("villages", register("villages"))):
        facts = read(SHARED / "facts" / f"{name}.csv")
        assert [{key: row[key] for key in facts[0]} for row in table] == facts


# ---- health: the printed totals -----------------------------------------------------------------


def test_how_many_institutions():
    assert len(CENTRES) == 23
    assert len(HOSPITALS) == 4
    assert len([r for r in HEALTH if r["kind"] == "厂矿医院"]) == 6
    # 五(一)3: ten public hospitals, four of the district and six of mines and factories.
    assert len([r for r in HEALTH if r["kind"] in ("区级医院", "厂矿医院")]) == 10


def test_centres_add_up_to_the_printed_totals():
    assert total(CENTRES, "beds_2020") == 1364
    assert total(CENTRES, "beds_2025") == 1568
    assert total(CENTRES, "beds_open") == 1677
    assert total(CENTRES, "beds_2025_draft") == 1519


def test_every_town_has_one_centre_but_two_have_a_second():
    towns = [row["town"] for row in CENTRES]
    assert set(towns) == set(TOWNS)
    assert {t for t in towns if towns.count(t) == 2} == {"石角镇", "三角镇"}
    for row in CENTRES:
        assert row["town"] in row["name"]
        outlying = row["name"].endswith(("蒲河卫生院", "乐兴卫生院"))
        assert row["position"] == ("镇域近似" if outlying else "")


def test_only_documents_words_give_a_town():
    with_town = {row["name"] for row in HEALTH if row["town"]} - {row["name"] for row in CENTRES}
    assert with_town == {"綦江区中医院永城分院"}


def test_unknown_is_unknown():
    assert {row["fever_clinic"] for row in HEALTH} == {"未知"}
    assert {row["ems_station"] for row in HEALTH} == {"未知"}


def beds(key: str, year: int) -> int:
    return int(INDICATORS[f"Z2-{key}-beds"][f"value_{year}"])


@pytest.mark.parametrize("year", [2020, 2025])
def test_table_2_adds_up(year):
    assert beds("total", year) == beds("hospital", year) + beds("primary", year) + beds("professional", year)
    assert beds("hospital", year) == beds("public", year) + beds("private", year)
    assert beds("primary", year) == total(CENTRES, f"beds_{year}")
    by_name = {row["name"]: int(row[f"beds_{year}"]) for row in HOSPITALS}
    assert beds("tcm", year) == by_name["綦江区中医医院"]
    assert beds("professional", year) == by_name["綦江区妇幼保健院"]
    # What the plan does not break down (mine and factory hospitals, new hospitals): stated in the errata.
    rest = beds("public", year) - sum(by_name.values()) + by_name["綦江区妇幼保健院"]
    assert rest == {2020: 602, 2025: 1686}[year]


def test_table_2_as_printed():
    assert (beds("hospital", 2020), beds("primary", 2020), beds("professional", 2020)) == (3400, 1364, 195)
    assert (beds("total", 2020), beds("total", 2025), beds("public", 2025)) == (4959, 6600, 3796)


@pytest.mark.parametrize(("year", "people"), [(2020, 775_509), (2025, 825_000)])
def test_table_2_per_thousand_follows_from_the_population(year, people):
    for key in ("total", "hospital", "public", "tcm", "private", "primary", "professional"):
        rate = float(INDICATORS[f"Z2-{key}-per1000"][f"value_{year}"])
        assert rate == pytest.approx(beds(key, year) / people * 1000, abs=0.0051)


def staff(key: str, what: str, year: int) -> int | None:
    value = INDICATORS[f"Z5-{key}-{what}-count"][f"value_{year}"]
    return int(value) if value else None


@pytest.mark.parametrize("what", ["staff", "doctors", "nurses"])
@pytest.mark.parametrize("year", [2020, 2025])
def test_table_5_adds_up(what, year):
    parts = [staff(key, what, year) for key in ("hospital", "primary", "professional")]
    if None in parts:
        # The published fragments 34… and 70… do not begin the draft's 3539 and 666: left unknown.
        assert (what, year) == ("staff", 2025)
    else:
        assert sum(parts) == staff("total", what, year)
    slack = 1 if (what, year) == ("doctors", 2025) else 0  # 998 + 437 = 1435, printed 1436: in the errata
    assert (
        abs(staff("public", what, year) + staff("private", what, year) - staff("hospital", what, year))
        == slack
    )


def test_table_5_marks_what_the_draft_completed():
    for key, row in INDICATORS.items():
        if not key.startswith("Z5-"):
            assert not row["completed_from"]
            continue
        completed = False
        for year in ("2020", "2025"):
            value, text = row[f"value_{year}"], row[f"text_{year}"]
            if not value:
                assert key in ("Z5-primary-staff-count", "Z5-professional-staff-count")
                assert year == "2025"
            elif float(value) != float(text):
                assert value.startswith(text)
                completed = True
                assert f"{year}年正式文本印作“{text}”(缺字)" in row["note"]
        assert bool(row["completed_from"]) == completed


def test_values_are_those_of_the_printed_text():
    for key, row in INDICATORS.items():
        if key.startswith("Z5-"):  # cut digits
            continue
        if key == "Z1-13":  # a ratio printed as a time of day: staff over beds
            staff_per_bed = staff("total", "staff", 2020) / 4959, staff("total", "staff", 2025) / 6600
            assert (row["value_2020"], row["value_2025"]) == tuple(f"{ratio:.2f}" for ratio in staff_per_bed)
            continue
        for year in ("2020", "2025", "2030"):
            figure = re.fullmatch(r"[≥≤<]?([\d.]+)余?", row[f"text_{year}"])
            assert row[f"value_{year}"] == (figure[1] if figure else ""), key


# ---- projects, teams, reservoirs ----------------------------------------------------------------


STEMS = {
    "H01": "人民医院",
    "H02": "区中医院",
    "H03": "妇幼保健院",
    "H04": "精神卫生中心",
    "H11": "江苏省人民医院重庆医院",
    "H12": "永城分院",
    "H13": "疾控中心",
    "C22": "蒲河",
}


def test_projects():
    assert [int(row["number"]) for row in PROJECTS] == list(range(1, 35))
    assert total(PROJECTS, "cost_wan") == 293_730
    assert total(PROJECTS, "cost_wan_draft") == 272_530
    assert [r["number"] for r in PROJECTS if not r["cost_wan_draft"]] == ["18", "19"]
    assert {row["status"] for row in PROJECTS} == {"规划"}
    ids = {row["id"] for row in HEALTH}
    towns = {row["id"]: row["town"] for row in HEALTH}
    for row in PROJECTS:
        assert int(row["start_year"]) <= int(row["end_year"]) == int(row["year"])
        assert not row["beds"] or f"{row['beds']}张" in row["content"]
        if row["facility"]:
            assert row["facility"] in ids
            assert row["town"] == towns[row["facility"]]
            assert STEMS.get(row["facility"], row["town"][:2]) in row["name"]
        assert row["town"] == "" or row["town"][:2] in row["name"]


def test_the_projects_contradiction_is_data():
    row = next(r for r in register("errata") if r["subject"] == "重大工程项目投资合计")
    assert "248780" in row["printed"]
    assert "293730" in row["found"]
    assert "272530" in row["found"]


def test_what_is_sensitive_stands_in_no_open_text():
    """A figure that is kept from people must not be told by the note beside it, nor by an erratum of anybody's."""
    secret = {
        f"{key}.{name}"
        for key in REGISTRY["layers"]
        for name, column in columns("layers", key).items()
        if column.get("sensitive")
    }
    assert {"reservoirs.capacity_wan_m3", "reservoirs.capacity_note"} <= secret
    for row in register("reservoirs"):
        open_ = "\n".join(value for name, value in row.items() if f"reservoirs.{name}" not in secret)
        assert not re.search(r"库容\D{0,4}\d", open_), row["id"]
        assert not row["capacity_wan_m3"] or row["capacity_wan_m3"] not in open_, row["id"]
    speaking = {row["id"]: row["concerns"] for row in register("errata") if "库容" in "".join(row.values())}
    assert speaking
    assert all(secret & set(one.split("、")) for one in speaking.values()), speaking


def test_errata_name_what_is_damaged():
    text = "\n".join(" ".join(row.values()) for row in register("errata"))
    for fragment in (
        "24.8%",
        "34.8%",
        "01:01.4",
        "专栏5",
        "綦江区妇幼保健",
        "和资源配”",
        "6451",
        "1519",
        "210张",
        "3.17",
        "三江街道卫生院",
        "城区",
    ):
        assert fragment in text


def test_one_team_per_town():
    teams = register("emergency_teams")
    assert len(teams) == int(INDICATORS["G-town-teams"]["value_2020"]) == 21
    assert [row["town"] for row in teams] == list(TOWNS)
    assert all(row["town"] in row["name"] and "推定" in row["note"] for row in teams)


def test_reservoirs_by_inference_have_no_town():
    rows = {row["name"]: row for row in register("reservoirs")}
    assert {n for n, r in rows.items() if not r["town"]} == {
        "福林水库",
        "高庙水库",
        "新农庄水库",
        "青杠榜水库",
        "丁山水库",
    }
    for row in rows.values():
        assert row["position"] == ("镇域近似" if row["town"] else "未定位")
        assert row["said_by"]
        if row["village"]:
            own = [v["name"] for v in register("villages") if v["town"] == row["town"]]
            assert f"{row['village']}村民委员会" in own
    lake = rows["新盛湖水库"]
    assert (lake["status"], lake["town"], lake["village"], lake["normal_level_m"]) == (
        "规划",
        "新盛街道",
        "德胜村",
        "275.00",
    )


@needs_facts
def test_reservoirs_are_the_facts():
    rows = {row["name"]: row for row in register("reservoirs")}
    facts = read(SHARED / "facts" / "reservoirs_facts.csv")
    assert len(rows) == len(facts)
    for fact in facts:
        row = rows[fact["name"].split("(")[0]]
        assert row["capacity_wan_m3"] == fact["total_capacity_wan_m3"]
        assert row["dam_height_m"] == fact["dam_height_m"]
        assert row["normal_level_m"] == re.sub(r"[^\d.]", "", fact["normal_level_m"])
        assert row["town"] == ("" if "推断" in fact["town"] else fact["town"])
        assert row["village"] in fact["village"]


# ---- against the documents' own words -----------------------------------------------------------


@needs_seeds
def test_documents_numbers_and_dates_stand_in_their_text():
    for row in DOCUMENTS.values():
        if not row["seed"]:
            continue
        text = plain(seed(row["seed"])).replace("[", "〔").replace("]", "〕")
        assert plain(row["number"]) in text, row
        if row["date"]:
            year, month, day = (int(part) for part in row["date"].split("-"))
            assert f"{year}年{month}月{day}日" in text, row


@needs_seeds
def test_tables_3_and_4_row_by_row():
    rows = [c for c in published("专栏3", "备注:綦江区古南") if c[0].isdigit() and len(c) == 4]
    assert len(rows) == 27
    ours = HOSPITALS + CENTRES
    for (_, name, now, then), row in zip(rows, ours, strict=True):
        assert plain(row["name"]).startswith(name)
        if row["name"] != name:  # only the two names that the published table cuts
            assert name in ("綦江区妇幼保健", "綦江区精神卫生")
        assert (row["beds_2020"], row["beds_2025"]) == (now, then), name


@needs_seeds
def test_drafts_tables_3_and_4_row_by_row():
    cells = draft("专栏3", "专栏4") + draft("专栏4", "（三）人力资源")
    by_name = {cell: cells[i + 1 : i + 5] for i, cell in enumerate(cells) if cell.startswith("綦江区")}
    for row in HOSPITALS:
        _, now, opened, then = by_name[row["name"]]
        assert (row["beds_2020"], row["beds_open"], row["beds_2025_draft"]) == (now, opened, then)
    for row in CENTRES:
        now, opened, then = by_name[row["name"]][:3]
        assert (row["beds_2020"], row["beds_open"], row["beds_2025_draft"]) == (now, opened, then)
    assert cells[cells.index("合计") + 1 :][:3] == ["1364", "1677", "1519"]


@needs_seeds
def test_table_1_row_by_row():
    rows = [c for c in published("专栏1", "备注:床位数") if "性" in c[-1] + c[-2]]
    rows = [[cell for cell in c if cell] for c in rows][1:]
    # A row: [category] [number] name 2020 2025 city binding
    ours = [row for key, row in INDICATORS.items() if key.startswith("Z1-")]
    assert len(rows) == len(ours) == 28
    for cells, row in zip(rows, ours, strict=True):
        *lead, name, now, then, city, binding = cells
        unit = f"({row['unit']})" if row["unit"] else ""
        assert plain(row["name"] + unit) == name
        printed = (row["text_2020"], row["text_2025"], row["city_2025"], row["binding"])
        assert tuple(plain(p) for p in printed) == (now, then, city, binding)
        if "-" not in row["number"]:
            assert row["number"] in lead
        for year in ("2020", "2025"):
            value, text = row[f"value_{year}"], row[f"text_{year}"]
            if row["number"] != "13":  # printed as a time of day
                assert value == re.sub(r"^[≥≤]", "", text) if re.search(r"\d", text) else value == ""


@needs_seeds
def test_table_2_row_by_row():
    rows = [c for c in published("专栏2", "专栏3") if re.fullmatch(r"\d+", c[1])]
    keys = ["total", "hospital", "public", "tcm", "private", "primary", "professional"]
    for key, (name, *figures) in zip(keys, rows, strict=True):
        many, per = INDICATORS[f"Z2-{key}-beds"], INDICATORS[f"Z2-{key}-per1000"]
        assert name.replace("其中:", "") in many["name"]
        assert [many["text_2020"], many["text_2025"], per["text_2020"], per["text_2025"]] == figures[:4]
        assert [many["value_2020"], many["value_2025"], per["value_2020"], per["value_2025"]] == figures[:4]


@needs_seeds
def test_table_5_row_by_row():
    rows = [c for c in published("专栏5", "(四)设备资源") if re.fullmatch(r"\d+", c[1]) and c[0]]
    cells = draft("专栏5", "（四）设备资源")
    starts = [
        i
        for i, c in enumerate(cells)
        if c in ("全区", "医院", "其中:公立医院", "社会办医院", "基层医疗卫生机构", "专业公共卫生机构")
    ]
    assert len(rows) == len(starts) == 6
    keys = ["total", "hospital", "public", "private", "primary", "professional"]
    for key, (_, *printed), start in zip(keys, rows, starts, strict=True):
        full = cells[start + 1 : start + 13]
        order = [(what, how) for what in ("staff", "doctors", "nurses") for how in ("count", "per1000")]
        for at, (what, how) in enumerate(order):
            row = INDICATORS[f"Z5-{key}-{what}-{how}"]
            assert [row["text_2020"], row["text_2025"]] == printed[2 * at : 2 * at + 2]
            for year, value in zip(("2020", "2025"), full[2 * at : 2 * at + 2], strict=True):
                ours = row[f"value_{year}"]
                if ours:
                    assert float(ours) == float(value)
                else:
                    assert not value.startswith(row[f"text_{year}"])


@needs_seeds
def test_table_6():
    (row,) = [c for c in published("专栏6", "(五)临床技术") if c[0] == "綦江区"]
    ours = [INDICATORS[f"Z6-{n}"] for n in range(1, 7)]
    figures = row[1:] + [""] * (12 - len(row[1:]))
    assert [(r["text_2020"], r["text_2025"]) for r in ours] == list(
        zip(figures[::2], figures[1::2], strict=True)
    )


@needs_seeds
def test_projects_row_by_row():
    rows = [
        c
        for c in published("“十四五”规划支持的重大工程项目\n\n序号", "重庆市綦江区人民政府办公室文件")
        if c[0].isdigit()
    ]
    assert len(rows) == 34
    for (number, name, content, kind, years, cost), row in zip(rows, PROJECTS, strict=True):
        assert row["number"] == number
        assert plain(row["name"]) == name
        assert plain(row["content"]) == content
        assert row["kind"] == kind
        assert f"{row['start_year']}-{row['end_year']}年" == years
        assert row["cost_wan"] == cost
    assert "合计\t248780" in seed("000")


@needs_seeds
def test_drafts_projects_row_by_row():
    cells = draft("“十四五”规划支持的重大工程项目\n\n\t", "\x00")
    assert cells[cells.index("合计") + 1] == "248780"
    rest = cells[cells.index("合计") + 2 :]
    rows = {rest[i + 1]: rest[i : i + 6] for i in range(0, 6 * 32, 6)}
    assert [row[0] for row in rows.values()] == [str(n) for n in range(1, 33)]
    for row in PROJECTS:
        expected = rows.get(plain(row["name"]))
        assert row["cost_wan_draft"] == (expected[5] if expected else "")


PHRASES = {
    "T-institutions": "医疗卫生机构524个",
    "T-public-hospitals": "公立医院12个",
    "T-private-hospitals": "民营医院21个",
    "T-primary": "基层医疗卫生机构486个",
    "T-professional": "专业公共卫生机构5个",
    "T-staff": "卫生人员6780名",
    "T-technicians": "卫生技术人员6156名",
    "T-ems-urban-km": "城区服务半径不超过3.5公里",
    "T-ems-rural-km": "农村地区服务半径不超过10公里",
    "T-ems-urban-min": "城区12分钟",
    "T-ems-rural-min": "农村30分钟急救圈",
    "T-infectious-beds": "可开放传染病床位数不低于100张",
    "T-negative-pressure-rooms": "病房不少于2间",
    "T-negative-pressure-theatre": "至少1间负压手术室",
    "T-fever-clinics-to-build": "对隆盛等15个基层医疗卫生机构",
    "T-public-health-physician": "均配备公共卫生医师不少于1人",
    "T-pharmacists": "卫生专业技术人员总数的8%",
    "T-regional-centre-beds": "规划建设床位1000张",
    "T-yongcheng-beds": "规划建设床位200张,配置设施设备",
    "T-community-hospitals": "分别建成2个及以上社区医院",
    "T-rural-centres": "2个及以上社区医院、农村区域医疗卫生服务中心",
    "T-village-5star": "五星级行政村卫生室占比达到25%以上",
    "T-childcare-coverage": "社区托育服务机构覆盖率达到50%以上",
    "T-paediatric-beds": "儿科床位数增长到149张",
    "T-paediatric-special-beds": "床位72张",
    "T-maternal-mortality": "孕产妇死亡率小于10/10万",
    "T-infant-mortality": "婴儿死亡率2.84‰",
    "T-under5-mortality": "5岁以下儿童死亡率5.24‰",
    "T-elder-friendly": "到2025年达到85%以上",
    "T-hospice-wards": "至少设立1个安宁疗护病区",
    "T-care-centres": "推进2个医养结合服务中心",
    "T-psychiatric-dept": "精神(心理)科设置率达到60%以上",
    "T-psychiatrists": "数量增加到50名",
    "T-psych-rehab": "社区康复开展率达到80%",
    "T-psych-stations": "50%以上的乡镇(街道)建立社会心理服务站",
    "T-psych-rooms": "30%以上的村(社区)设立心理辅导室",
    "T-emergency-team-city": "全区组建1支市级卫生应急队伍",
    "T-stockpile-days": "45天满负荷运转",
    "G-town-teams": "21支镇街应急救援队伍",
    "G-district-teams": "2支区级综合应急救援队",
    "G-special-teams": "5支专业抢险救援队",
    "G-team-members": "1500余人",
    "G-flood-areas": "19个重点区域",
}
WORDS_ONLY = {"T-standard-coverage": "标准化建设全覆盖", "T-village-3star": "至少达到三星级标准"}


@needs_seeds
def test_other_targets_stand_in_the_text():
    ours = {key for key in INDICATORS if key[:2] in ("T-", "G-")}
    assert ours == set(PHRASES) | set(WORDS_ONLY)
    for key, phrase in (PHRASES | WORDS_ONLY).items():
        row = INDICATORS[key]
        assert phrase in plain(seed(DOCUMENTS[row["document"]]["seed"])), key
        if key in PHRASES:
            assert (row["value_2020"] or row["value_2025"]) in phrase, key
    text = plain(seed("000"))
    for rate in ("婴儿死亡率小于3.5‰", "5岁以下儿童死亡率小于5‰", "共设置公立医院10家"):
        assert rate in text


@needs_seeds
def test_childrens_indicators_stand_in_the_text():
    lines = [[c for c in (plain(x) for x in line.split("\t")) if c] for line in seed("004").splitlines()]
    for key in ("C-12", "C-13", "C-13-1", "C-13-2"):
        row = INDICATORS[key]
        name = plain(f"{row['name']}({row['unit']})")
        (cells,) = [line for line in lines if name in line]
        assert cells[cells.index(name) + 1] == row["text_2030"]
        assert row["text_2030"] == f"≥{row['value_2030']}"


@needs_seeds
def test_mine_hospitals_and_the_reservoir_stand_in_the_text():
    names = "、".join(row["name"] for row in HEALTH if row["kind"] == "厂矿医院")
    assert f"设置6所综合医院({names})" in plain(seed("000"))
    notice = plain(seed("004")).split("綦江府发[2023]12号", 1)[1]
    for phrase in (
        "位于新盛街道德胜村",
        "正常蓄水位275.00米",
        "德胜村四组、七组;气田村一组、三组、四组、六组",
        "延30米",
        "20年一遇",
    ):
        assert phrase in notice


@needs_seeds
def test_what_the_errata_quote_is_printed():
    for row in register("errata"):
        prefix = DOCUMENTS[row["document"]]["seed"]
        if not prefix:
            continue
        text = plain(seed(prefix).replace("\t", ""))
        for quote in re.findall(r"“([^”]+)”", row["printed"]):
            for part in quote.split("/"):
                assert plain(part) in text, (row["id"], quote)


@needs_seeds
def test_drafts_differences_stand_in_both_texts():
    for row in register("errata"):
        if not row["id"].startswith("D"):
            continue
        for side, prefix in ((row["printed"], "002"), (row["found"], "000")):
            text = plain(seed(prefix))
            for figure in re.findall(r"\d[\d.:]*\d|\d", side):
                assert figure in text or row["subject"].endswith("附件项目数"), (row["id"], figure)


@needs_seeds
def test_from_what_height_a_building_is_high_is_the_plans_own():
    limits = REGISTRY["layers"]["highrises"]["by_kind"]["height_m"]
    text = unicodedata.normalize("NFKC", (SHARED / "seeds" / SEEDS["004"]).read_text("utf-8"))
    clause = text.partition("二、整治范围和重点")[2].partition("三、")[0]
    assert (limits["document"], limits["clause"], len(limits["ranges"])) == ("highrise-plan", "二", 2)
    for kind, (least, _) in limits["ranges"].items():
        assert f"{kind}(建筑高度大于{least}米的" in clause
