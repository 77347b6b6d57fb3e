"""Whatever is taken from any page is written down, and holds what its taker may see; so does the screen."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import zipfile
from html import unescape

import pandas as pd
import pytest
from visit import LAYER_IN_ADDRESS, PAGES, Page

from qjmap.access import LOCAL, VISITOR, Person, Role
from qjmap.audit import Audit
from qjmap.district import ROOT

WATER = Person("水", Role.EDIT, "区水利局", "统一认证")
ODD = {
    "reservoirs": ("capacity_wan_m3", "98765.43", "总库容"),
    "hydrants": ("pressure_mpa", "0.98765", "压力"),
}
SEEN_AS = ("98765.43", "98,765", "0.98765", "0.99 兆帕")


@pytest.fixture
def now(at_the_machine):
    """Say who is in front of the page; at first a visitor."""
    at_the_machine(VISITOR)
    return at_the_machine


@pytest.fixture
def figures(folder):
    """One reservoir and one hydrant with a figure that nothing else has."""
    for key, (column, value, _) in ODD.items():
        path = next((folder / "data" / "qijiang").rglob(f"{key}.csv"))
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        rows[0][column] = value
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return {key: next((folder / "data" / "qijiang").rglob(f"{key}.csv")) for key in ODD}


def text_of(data: bytes) -> str:
    """All text of a file, unpacked."""
    if data[:2] != b"PK":
        return data.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def screen_of(seen: Page) -> str:
    widgets = [str(one.value) for kind in ("text_input", "selectbox", "slider") for one in seen.at.get(kind)]
    options = [str(one.options) for one in seen.at.selectbox]
    return "\n".join([seen.html, json.dumps(seen.tables, ensure_ascii=False), *widgets, *options])


def lines(workspace_home):
    return list(reversed(Audit(workspace_home).entries(action="导出")))


def test_every_button_for_a_file_goes_through_the_door():
    """Buttons that only some state of a page shows, too: what gives the bytes is made by `who` or by `service`."""
    wrong, seen = [], 0
    for path in sorted((ROOT / "qjmap" / "ui").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "download_button":
                seen += 1
                given = [*node.args[1:2], *(one.value for one in node.keywords if one.arg == "data")]
                if not any(
                    re.search(r"\b(who\.taken(_as_is)?|service\.\w+)\b", ast.unparse(one)) for one in given
                ):
                    wrong.append(f"{path.name}:{node.lineno}")
    assert seen > 8
    assert not wrong


@pytest.mark.parametrize("page", PAGES)
def test_every_file_of_every_page_leaves_one_line(page, folder, now, offered, workspace_home):
    Page(page)
    for number, (key, data) in enumerate(offered.items(), 1):
        assert callable(data), key  # made when it is asked for, not before
        size = len(data())
        written = lines(workspace_home)
        assert len(written) == number, key
        assert (written[-1].who, written[-1].outcome) == ("访客", "完成")
        assert f"{size:,} 字节" in written[-1].detail
        assert "敏感" not in written[-1].detail
    if page not in ("screen", "records", "intake", "town"):  # of the last, paper: see below
        assert offered


def opened(page: str, popover: str) -> Page:
    seen = Page(page)
    seen.at.session_state[popover] = True
    return seen.run()


@pytest.mark.parametrize(
    ("page", "popover", "button"),
    [("reservoirs", "paper-map", "map-make-0"), ("town", "paper-bulletin", "bulletin-make-0")],
)
def test_paper_leaves_a_line_when_it_is_taken(page, popover, button, folder, now, offered, workspace_home):
    seen = opened(page, popover)
    seen.at.button(key=button).click()
    offered.clear()
    seen.run()
    (data,) = (one for key, one in offered.items() if key.endswith("-take"))
    assert lines(workspace_home) == []
    assert len(data()) > 10_000
    (line,) = lines(workspace_home)
    assert line.detail.endswith(f".pdf,{len(data()):,} 字节") or ".docx," in line.detail


@pytest.mark.parametrize("page", ["overview", "reservoirs", "fire_water", "shortages", "charts", "sources"])
def test_who_only_looks_gets_nothing_sensitive_in_any_file(page, figures, now, offered):
    layer = LAYER_IN_ADDRESS.get(page)
    seen = Page(page, demo="true", **({layer: "消火栓"} if layer else {}))
    there = [screen_of(seen), *(text_of(data()) for data in offered.values())]
    assert not [one for text in there for one in SEEN_AS if one in text]
    assert not any("总库容(万立方米)" in text or "已知总库容" in text for text in there)


@pytest.mark.parametrize(("person", "sees"), [(VISITOR, False), (WATER, True), (LOCAL, True)])
def test_an_erratum_of_a_sensitive_figure_is_seen_by_whom_the_figure_is(person, sees, folder, now, offered):
    now(person)
    seen = Page("sources")
    screen, file = screen_of(seen), unescape(text_of(offered["download-errata"]()))
    assert ("鱼栏咀水库库容两说" in screen) is sees
    assert ("鱼栏咀水库库容两说" in file) is sees
    assert ("另有 1 条涉及水库的敏感列,未列出" in seen.text) is not sees
    assert "concerns" not in screen + file
    assert ("2387" in screen_of(Page("reservoirs", record="R01"))) is sees


def test_a_file_held_against_what_is_kept_tells_no_more(figures, now, monkeypatch):
    """On the page 数据导入 anybody may hold a file of his own against the register."""
    from qjmap.comparison import Change, Comparison
    from qjmap.district import load_district
    from qjmap.office import Office
    from qjmap.ui import versions
    from qjmap.workspace import Workspace

    shown = []
    monkeypatch.setattr(versions, "show_table", lambda caption, columns, rows, **_: shown.append(rows))
    monkeypatch.setattr(versions.st, "html", lambda _: None)
    office = Office(load_district("qijiang"), Workspace(ROOT, "qijiang"), Audit(ROOT))
    cells = [Change("R01", "capacity_wan_m3", "98765.43", "1"), Change("R01", "name", "甲", "乙")]
    none = pd.DataFrame()
    for person, old in ((VISITOR, "敏感列,登录后可见"), (WATER, "98765.43")):
        now(person)
        versions.show_comparison(office, "reservoirs", Comparison(none, none, tuple(cells)), "x")
        assert [row["old"] for row in shown.pop()] == [old, "甲"]


def test_no_figure_of_ones_own_is_tried_on_what_is_kept_from_one(now):
    """Other figures for a rule would tell a pressure by where its answer turns."""
    tried = {"figures": "hydrant-pressure:0.5,ems-radius:3000/9000", "demo": "true"}
    for person, changed in ((VISITOR, 1), (WATER, 1), (LOCAL, 2)):
        now(person)
        seen = Page("shortages", **tried)
        (back,) = [one for one in seen.at.button if one.key == "reset-figures"]
        assert f"({changed} 条" in back.label
    now(VISITOR)
    plain, same = (
        Page("town", town="古南街道", demo="true", **more).text
        for more in ({}, {"figures": "hydrant-pressure:0.5"})
    )
    assert plain == same


def record_of(figures, key):
    with figures[key].open(encoding="utf-8", newline="") as file:
        return next(csv.DictReader(file))["id"]


@pytest.mark.parametrize(
    ("person", "sees"), [(VISITOR, ()), (WATER, ("reservoirs",)), (LOCAL, ("reservoirs", "hydrants"))]
)
def test_the_screen_shows_what_files_hold(person, sees, figures, now, offered):
    now(person)
    for page, key in (("reservoirs", "reservoirs"), ("fire_water", "hydrants")):
        label = ODD[key][2]
        query = {"fire_water": {"hydrants-layer": "消火栓"}}.get(page, {})
        seen = Page(page, record=record_of(figures, key), demo="true", **query)
        files = "\n".join(text_of(data()) for data in offered.values())
        if key in sees:
            assert "敏感列" not in seen.text
            assert any(one in screen_of(seen) for one in SEEN_AS)
            assert ODD[key][1] in files
        else:
            whose = "登录后" if person == VISITOR else "区消防救援支队的录入人员或管理人员"
            assert seen.card[label] == f"敏感列,{whose}可见"
            assert not [one for one in SEEN_AS if one in screen_of(seen) or one in files]
            assert ODD[key][0] not in screen_of(seen)  # nor is it asked for as a filter
        offered.clear()
    form = Page("records", layer="水库", record=record_of(figures, "reservoirs"))
    assert ("98765.43" in screen_of(form)) is ("reservoirs" in sees)
    assert ("敏感列,登录后可见" in form.text) is ("reservoirs" not in sees)
