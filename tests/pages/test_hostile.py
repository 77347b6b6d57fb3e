"""Whatever a file says, a page shows it as text, and a file gets it as it is."""

import csv
import io
import json

import openpyxl
import pytest
import streamlit as st
from visit import Page, Text

XSS = "<img src=x onerror=alert(1)>"
NAMES = {
    "EVIL1": XSS,
    "EVIL2": "</script></style><script>alert(1)</script>",
    "EVIL3": "{{ 7 * 7 }}{% if %}",
    "EVIL4": "=HYPERLINK(\"http://x.y\")",
    "EVIL5": "# 标题 **粗** $x^2$ :red[红] [a](javascript:alert(1))",
    "EVIL6": "零\u2028宽\u202e字&amp;",
}  # fmt: skip


@pytest.fixture
def hostile(folder):
    """Facilities with hostile names, notes and villages in 石角镇."""
    path = folder / "data" / "qijiang" / "health.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        columns = next(csv.reader(lines))
    with path.open("a", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
        for key, name in NAMES.items():
            writer.writerow(
                {
                    "id": key,
                    "name": name,
                    "town": "石角镇",
                    "village": name,
                    "kind": "卫生院",
                    "status": "现状",
                    "year": 2020,
                    "source": "文件",
                    "document": "health-plan",
                    "clause": name,
                    "note": name,
                    "beds_2020": 10,
                    "ownership": "公立",
                }
            )
    return folder


def test_a_record_is_shown_as_text(hostile):
    seen = Page("health", record="C22")
    quiet = {tag for tag, _ in Text(seen.html).tags}
    for key, name in NAMES.items():
        seen.at.query_params["record"] = key
        read = Text(seen.run().html)
        assert {tag for tag, _ in read.tags} <= quiet
        assert "".join(read.parts).count(name) >= 3  # name, clause, note: every sign of them
        assert not any(attribute.startswith("on") for _, attributes in read.tags for attribute in attributes)


@pytest.mark.parametrize("page", ["health", "overview", "sources"])
def test_a_map_gets_names_inside_strings(hostile, page):
    seen = Page(page)
    names = next(one["names"] for one in seen.scene["layers"] if one["key"] == "health")
    assert set(NAMES.values()) <= set(names)
    (first, *_) = seen.maps
    assert "<img" not in first["feature_group"] + first["script"]
    assert "</script" not in first["feature_group"] + first["script"]
    assert "{{" not in first["feature_group"]


def test_tables_get_plain_text(hostile):
    rows = Page("health", town="石角镇").rows("records")
    assert {key: rows[key]["name"] for key in NAMES} == NAMES


def test_what_is_sought_is_shown_as_text(hostile):
    seen = Page("health", **{"health-q": XSS})
    assert seen.figure("医疗卫生机构") == 1
    nothing = Page("health", **{"health-q": "<b onclick=x>"})
    assert "名称含“<b onclick=x>”" in nothing.text
    assert "<b onclick" not in nothing.html


def test_files_get_names_as_they_are(hostile, monkeypatch):
    offered = {}
    monkeypatch.setattr(st, "download_button", lambda label, data, **_: offered.update({label: data}))
    Page("health", **{"health-towns": ["石角镇"]})
    facilities = json.loads(offered["设施(GeoJSON)"]())["features"]
    found = {one["properties"]["编号"]: one["properties"] for one in facilities}
    assert {key: found[key]["名称"] for key in NAMES} == NAMES
    sheet = openpyxl.load_workbook(io.BytesIO(offered["表格(Excel)"]()))["医疗卫生机构"]
    header = [cell.value for cell in sheet[1]]
    cells = {row[0].value: row[header.index("名称")] for row in sheet.iter_rows(min_row=2)}
    assert {key: cells[key].value for key in NAMES} == NAMES
    assert all(cells[key].data_type == "s" for key in NAMES)  # text, no formula


def test_a_fault_with_a_hostile_value_is_shown_as_text(hostile):
    path = hostile / "data" / "qijiang" / "health.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",10,", f",{XSS},", 1), encoding="utf-8")
    seen = Page("health")
    assert XSS in seen.problems
    assert "<img" not in seen.html


def test_hostile_names_of_towns_are_text(hostile):
    """A boundary file from elsewhere may say anything; it is refused, with what it says shown as text."""
    path = hostile / "geo" / "qijiang" / "townships.geojson"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"name": "石角镇"', f'"name": "{XSS}"'), encoding="utf-8"
    )
    seen = Page("health")
    assert XSS in seen.problems
    assert "<img" not in seen.html
