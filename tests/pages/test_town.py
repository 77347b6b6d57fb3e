"""街镇画像: everything about one town on one sheet."""

import csv
import re

from visit import Page

from qjmap import service
from qjmap.access import LOCAL
from qjmap.audit import Audit
from qjmap.district import ROOT
from qjmap.draft import to_register
from qjmap.ingest import parse_csv
from qjmap.office import Office
from qjmap.portrait import Holding
from qjmap.registers import load_table
from qjmap.ui import sheet
from qjmap.workspace import Workspace

REAL = {"demo": "false"}


def tables(seen):
    """Heading → rows of cells, of the tables that print."""
    found = {}
    for one in seen.at.html:
        body = str(one.proto.body)
        for title, rest in re.findall(r'<section class="qj-sheet"><h2>(.*?)</h2>(.*?)</section>', body):
            lines = re.findall(r"<tr>(.*?)</tr>", rest)[1:]
            found[title] = [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in lines]
    return found


def part(seen, start):
    return next(rows for title, rows in tables(seen).items() if title.startswith(start))


def test_the_sheet_of_a_town(qijiang):
    seen = Page("town", town="赶水镇", **REAL)
    assert "<h1>赶水镇画像</h1>" in seen.html
    assert seen.figure("人口(2020年估算)") == qijiang.towns.at["赶水镇", "population_2020"]
    assert seen.card["2010年人口"].endswith("人(普查)")
    assert seen.card["2020年人口"].endswith("人(估算)")
    assert {"东溪镇", "安稳镇"} <= set(seen.card["相邻街镇"].split("、"))
    assert seen.scene["town"] == "赶水镇"
    # the map keeps the neighbours in sight
    (_, west), (_, east) = seen.scene["focus"]["bounds"]
    assert east - west > 0
    titles = list(tables(seen))
    assert [title.split(" ")[0] for title in titles[:3]] == ["还缺什么", "有什么", "还不知道什么"]
    assert "达标" in seen.figures


def test_people_by_village_are_added_up_where_an_office_has_filled_them_in(qijiang, workspace_home):
    assert "村(社区)表人口合计" not in Page("town", town="赶水镇", **REAL).card
    villages = load_table(qijiang, "villages")
    here = villages.index[villages["town"] == "赶水镇"][:2]
    villages.loc[here, "population"] = [1200, 34]
    office = Office(qijiang, Workspace(workspace_home, qijiang.key), Audit(workspace_home))
    raw = parse_csv(to_register(villages, qijiang.registry.spec("villages")), "人口.csv")
    service.import_layer(LOCAL, office, "villages", raw, base=0, why="2025年村社人口")
    said = Page("town", town="赶水镇", **REAL).card["村(社区)表人口合计"]
    assert said.startswith("1,234 人(")
    assert "中 2 个有数" in said


def test_what_it_lacks_is_told_with_figure_target_gap_and_clause():
    with (ROOT / "data" / "qijiang" / "health.csv").open(encoding="utf-8") as lines:
        own = [row for row in csv.DictReader(lines) if row["town"] == "赶水镇" and row["beds_2020"]]
    have, need = (sum(int(row[f"beds_{year}"]) for row in own) for year in (2020, 2025))
    seen = Page("town", town="赶水镇", **REAL)
    lacks = {row[0]: row for row in part(seen, "还缺什么")}
    row = next(row for title, row in lacks.items() if title.startswith("规划床位落实"))
    assert row[2:4] == [f"{have} / {need} 张", f"{need - have} 张"]
    assert "綦江府发〔2022〕32号" in row[5]
    assert row[6] == "区卫生健康委"
    assert seen.figure("短缺") == len(lacks)


def test_every_layer_is_on_the_sheet_and_an_empty_register_is_no_absence(qijiang):
    seen = Page("town", town="石角镇", **REAL)
    has = {row[0]: row for row in part(seen, "有什么")}
    # lines and areas are background: without any there is nothing to wait for
    assert set(has) == {spec.label for spec in qijiang.registry.layers.values() if not spec.shaped}
    assert "綦江区石角镇蒲河卫生院" in has["医疗卫生机构"][2]
    assert has["消火栓"][1:3] == ["—", "还没有这个名册:数据不足,不等于没有"]
    assert has["水库"][1] == "0" or has["水库"][2]


def test_invented_records_are_marked_on_the_sheet():
    seen = Page("town", town="石角镇", demo="true")
    assert "含演示数据(程序编造,非真实记录)" in seen.text
    has = {row[0]: row[2] for row in part(seen, "有什么")}
    assert "处为演示" in has["消火栓"]
    assert "〔演示" in seen.html
    real = Page("town", town="石角镇", **REAL)
    assert "演示" not in real.text


def test_the_counts_agree_with_the_tables():
    seen = Page("town", town="石角镇", **REAL)
    numbers = {name: int(seen.figure(name)) for name in ("短缺", "数据不足", "达标")}
    titles = list(tables(seen))
    assert f"还缺什么 {numbers['短缺']} 条" in titles
    assert f"还不知道什么 {numbers['数据不足']} 条(不算短缺,也不算达标)" in titles
    assert f"达标 {numbers['达标']} 条" in seen.html
    assert f"共 {sum(numbers.values())} 条适用的标准" in seen.text


def test_the_address_and_the_choice_are_one(qijiang):
    first = str(qijiang.towns.index[0])
    seen = Page("town", **REAL)
    assert seen.at.query_params["town"] == first
    seen.at.selectbox(key=sheet._KEY).set_value("横山镇")
    seen.run()
    assert seen.at.query_params["town"] == "横山镇"
    assert "<h1>横山镇画像</h1>" in seen.html
    strange = Page("town", town="不存在镇", **REAL)
    assert f"<h1>{first}画像</h1>" in strange.html
    assert strange.at.query_params["town"] == first


def test_a_record_of_the_town_is_opened():
    seen = Page("town", town="石角镇", record="C22", **REAL)
    assert "<h3>綦江区石角镇蒲河卫生院</h3>" in seen.html


def test_a_table_is_safe_from_its_data():
    text = sheet.table("<b>", ["<i>"], [["<script>alert(1)</script>"]], "")
    assert "<script>" not in text
    assert "&lt;b&gt;" in text
    assert sheet.table("无", ["甲"], [], "<没有>").endswith("<p>&lt;没有&gt;</p></section>")


def test_what_names_no_town_is_never_said_to_be_absent(qijiang):
    spec = qijiang.registry.spec("hydrants")

    def said(count, what, unsaid):
        return sheet.has([Holding(spec, count, 0, 0, what, empty=False, unsaid=unsaid)])

    assert "名册中没有" in said(0, "", 0)
    assert "另有 1,200 条未写明街镇" in said(0, "", 1200)
    assert "名册中没有" not in said(0, "", 1200)
    assert '<td class="qj-whole">0</td>' not in said(0, "", 1200)
    assert "甲;另有 2 条未写明街镇" in said(1, "甲", 2)
