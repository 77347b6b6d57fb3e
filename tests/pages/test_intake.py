"""数据导入: what a person sees of his file, what he may choose, and what is kept."""

import io
import zipfile
from dataclasses import replace

import geopandas
import pandas as pd
import pytest
from openpyxl import Workbook, load_workbook
from visit import Page, Text

from qjmap import datum, draft, ingest, matching, service
from qjmap.access import VISITOR, AccessError, Person, Role
from qjmap.contents import BOUNDARIES
from qjmap.errors import DataError, Problem

HEAD = ["编号", "名称", "镇街", "类型", "状态", "东经", "北纬", "口径(mm)", "备注"]
FIRE = Person("李", Role.EDIT, "区消防救援支队", "账号")
XSS = "<img src=x onerror=alert(1)> ![x](http://example.com/x.png) **粗**"
PLACES = [(106.65, 28.75), (106.66, 28.76), (106.67, 28.77), (106.68, 28.78)]


pytestmark = pytest.mark.usefixtures("at_the_machine")


def hydrant(n, **cells):
    lon, lat = PLACES[n % 4]
    row = dict(
        zip(
            HEAD,
            [f"X{n}", f"{n}号", "东溪镇", "市政消火栓", "现状", lon + n / 500, lat, 100, None],
            strict=True,
        )
    )
    return row | cells


GOOD = [hydrant(n) for n in range(4)]
FAULTY = [*GOOD, hydrant(4, **{"口径(mm)": "不清楚"}), hydrant(5, **{"口径(mm)": "150mm", "镇街": "东溪"})]


def excel(rows, *before, **sheets):
    book = Workbook()
    for number, (title, table) in enumerate({"台账": rows, **sheets}.items()):
        sheet = book.active if not number else book.create_sheet()
        sheet.title = title
        for line in before:
            sheet.append(line)
        sheet.append(list(table[0]))
        for row in table:
            sheet.append(list(row.values()))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def upload(content, name="台账.xlsx", layer="hydrants", **query):
    """Open the page, choose the layer, drop the file."""
    seen = Page("intake", to=layer, step="2", **query)
    seen.at.file_uploader[0].upload(name, content)
    return seen.run()


def on(seen, times=1, datum="wgs84"):
    """Go on, and say what the coordinates are where the page asks."""
    for _ in range(times):
        asked = [one for one in seen.at.radio if one.key == "intake-reading" and one.value is None]
        if asked:
            asked[0].set_value(datum)
            seen.run()
        seen.at.button(key="intake-next").click()
        seen.run()
    return seen


def checked(content, layer="hydrants", name="台账.xlsx"):
    """Go on to the last step, whatever is in between."""
    seen = upload(content, name, layer)
    while seen.at.query_params["step"] != "5":
        on(seen)
    return seen


def save(seen, why="年度台账"):
    seen.at.text_input(key="intake-why").set_value(why)
    seen.at.button(key="intake-save").click()
    return seen.run()


def kept(office, layer="hydrants"):
    return office.workspace.read(layer).table().frame.set_index("id")


def of_towns(*more):
    """A workbook with a sheet for each town, no column of towns, one fault, and (`more`) a row that Excel hides."""
    rows = [{key: cell for key, cell in hydrant(n).items() if key != "镇街"} for n in range(4)]
    book = load_workbook(
        io.BytesIO(
            excel(
                rows[:1],
                **{"东溪镇": rows[1:3], "赶水": [rows[3] | {"口径(mm)": "不清楚"}], "说明": [{"事项": "无"}]},
            )
        )
    )
    for title, row in more:
        book[title].row_dimensions[row].hidden = True
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# ---- the whole way -----------------------------------------------------------------------------------


def test_good_rows_are_kept_and_the_file_goes_back_with_its_faults(office, offered):
    seen = upload(excel(FAULTY))
    assert seen.at.query_params["step"] == "3"  # one sheet: nothing to ask
    assert seen.at.selectbox(key="intake-column-town").value == "镇街"
    assert "同义的列名" in seen.text
    on(seen)
    assert [one["label"][:6] for one in seen.scene["legend"]] == ["WGS-84", "GCJ-02", "BD-09("]
    assert len({one["colour"] for one in seen.scene["legend"]}) == 3
    assert len({one["path"] for one in seen.scene["legend"]}) == 3
    # nothing says what they are: nothing is chosen, and there is no way on
    assert "只差约 500 米,程序分不出来,不替你选" in seen.text
    assert seen.at.radio(key="intake-reading").value is None
    assert (seen.at.button(key="intake-next").disabled, seen.at.button(key="intake-next").label) == (
        True,
        "请先选坐标是哪一种",
    )
    assert Page("intake", to="hydrants", step="5").at.query_params["step"] != "5"
    on(seen)
    assert {label: seen.figure(label) for label in ("可导入", "有错", "自动修正", "未定位")} == {
        "可导入": 5,
        "有错": 1,
        "自动修正": 2,
        "未定位": 0,
    }
    (problem,) = seen.rows("intake-problems").values()
    assert (problem["row"], problem["column"], problem["value"]) == (6, "口径(mm)", "不清楚")
    book = load_workbook(io.BytesIO(offered["intake-returned"]()))
    assert [cell.value for cell in book["台账"][1]][-1] == "错误"
    assert "不清楚" in book["台账"].cell(6, len(HEAD) + 1).value
    # nothing is kept before it is said what shall become of the faulty row, and why
    seen.at.button(key="intake-save").click()
    seen.run()
    assert "有错的行还没有说怎么办" in seen.problems
    assert "请写明原因" in seen.problems
    assert office.workspace.layers() == ()
    seen.at.checkbox(key="intake-consent").check()
    save(seen.run())
    assert "已存为第 1 版,共 5 个" in seen.text
    assert "有错的 1 行没有存入。下载退回的文件,改好后再导入(选“按编号更新”)" in seen.text
    assert "intake-returned" in offered
    found = kept(office)
    assert list(found.index) == ["X0", "X1", "X2", "X3", "X5"]
    assert found.at["X5", "diameter_mm"] == "150"
    assert set(found["source"]) == {"导入"}
    assert Page("fire_water", demo="false").figure("消火栓") == 5
    (line,) = [one for one in office.audit.entries() if one.action == "导入" and one.outcome == "完成"]
    assert "年度台账" in line.detail


def test_web_map_coordinates_are_brought_home_when_the_person_says_so(office):
    shifted = [datum.wgs_to_gcj(*PLACES[n]) for n in range(4)]
    rows = [hydrant(n, 东经=float(lon), 北纬=float(lat)) for n, (lon, lat) in enumerate(shifted)]
    seen = on(upload(excel(rows)))
    seen.at.radio(key="intake-reading").set_value("gcj02")
    on(seen.run())
    assert "GCJ-02(高德、腾讯地图)" in seen.text
    assert "要改请回到第 4 步" in seen.text
    save(seen)
    found = kept(office)
    assert [
        (round(float(a), 5), round(float(b), 5)) for a, b in zip(found["lon"], found["lat"], strict=True)
    ] == PLACES


def test_places_of_which_nobody_says_how_they_were_obtained_are_not_measured(office):
    rows = [hydrant(n, 东经=106.651234 + n / 500, 北纬=28.751234) for n in range(4)]
    seen = checked(excel(rows))
    assert "4 行有坐标而没有写定位方式:记为“表载坐标”(取得方法未说明" in seen.text
    assert "不小于 30 米(假定)" in seen.text
    save(seen)
    assert kept(office)[["position", "error_m"]].drop_duplicates().to_numpy().tolist() == [["表载坐标", "30"]]
    seen = Page("fire_water", demo="false", record="X0")
    assert "4 个坐标取得方法未说明" in seen.text
    assert seen.card["定位方式"].startswith("表载坐标(取得方法未说明")
    assert seen.card["定位误差"] == "30 米"
    seen = Page("sources", demo="false")
    assert "没有写怎样取得的,定位方式记“表载坐标”" in seen.text
    assert "表载坐标不小于 30 米(假定:" in seen.text


def test_how_all_places_were_obtained_is_said_in_the_step_of_the_columns(office):
    seen = upload(excel(GOOD))
    ways = seen.at.selectbox(key="intake-fill-position")
    assert "镇域近似" not in ways.options, "what a town alone tells is not obtained"
    ways.set_value("实测")
    seen.at.selectbox(key="intake-fill-error_m").set_value("5")
    seen.run()
    while seen.at.query_params["step"] != "5":
        on(seen)
    assert "没有写定位方式" not in seen.text
    save(seen)
    assert kept(office)[["position", "error_m"]].drop_duplicates().to_numpy().tolist() == [["实测", "5"]]


def test_what_the_file_says_of_its_coordinates_is_chosen_and_told(office):
    """And what it says only of some rows is followed row by row."""
    at = [datum.wgs_to_gcj(*PLACES[n]) for n in range(4)]
    rows = [
        {("高德" + key if key in ("东经", "北纬") else key): value for key, value in row.items()}
        for row in (hydrant(n, 东经=float(at[n][0]), 北纬=float(at[n][1])) for n in range(4))
    ]
    seen = on(upload(excel(rows)))
    assert seen.at.radio(key="intake-reading").value == "gcj02"
    assert "列名“高德东经”“高德北纬”写着“高德”:已选上“GCJ-02(高德、腾讯地图)”" in seen.text
    assert not seen.at.button(key="intake-next").disabled
    mixed = [
        hydrant(0, 坐标系="WGS84"),
        hydrant(1, 坐标系="高德", 东经=float(at[1][0]), 北纬=float(at[1][1])),
    ]
    seen = upload(excel(mixed))
    assert "“坐标系”列写明坐标是哪一种" in seen.text
    assert "不用的列" not in seen.text
    on(seen)
    assert seen.at.radio(key="intake-reading").value == "rows"
    on(seen)
    save(seen)
    found = kept(office)
    # n / 500 is added to the longitude of each
    assert [round(float(one), 4) for one in found["lon"]] == [PLACES[0][0], PLACES[1][0]]


def test_a_file_that_contradicts_itself_is_told_and_asked(folder):
    seen = upload(excel(GOOD, ["坐标由高德转换为WGS84"]))
    on(seen)
    assert "看不出坐标现在是哪一种" in seen.problems
    assert seen.at.button(key="intake-next").disabled


def test_rows_that_are_kept_already_say_what_the_coordinates_are(office):
    seen = checked(excel(GOOD))
    save(seen)
    seen = on(upload(excel(GOOD)))
    assert seen.at.radio(key="intake-reading").value == "wgs84"
    assert "库中同编号的 4 条记录,位置与此相符:已选上" in seen.text


def test_degrees_minutes_and_seconds_in_columns_are_read_together(folder):
    rows = [{**hydrant(n), "东经": None, "北纬": None} for n in range(4)]
    parts = {"经度度": 106, "经度分": 39, "经度秒": 4.5, "纬度度": 28, "纬度分": 45, "纬度秒": 1.5}
    rows = [{key: value for key, value in row.items() if key not in ("东经", "北纬")} | parts for row in rows]
    seen = upload(excel(rows))
    assert "与度的一列合起来读" in seen.text
    assert "不用的列" not in seen.text
    on(seen)
    on(seen, datum="dms")
    assert seen.figure("可导入") == 4


def test_the_row_that_a_person_knows_is_looked_at_closely(folder):
    seen = on(upload(excel(GOOD)))
    whole = seen.scene["focus"]["bounds"]
    seen.at.selectbox(key="intake-look-at-widget").set_value(2)
    seen.run()
    (south, west), (north, east) = seen.scene["focus"]["bounds"]
    assert north - south < 0.6 * (whole[1][0] - whole[0][0])  # closer than all rows together
    assert west < 106.67 < east


# ---- columns -----------------------------------------------------------------------------------------


def test_a_wrong_match_is_corrected_and_a_missing_one_is_said(folder):
    rows = [{"序": n, "甲": f"{n}号", "乙": "东溪镇", "种": "市政消火栓"} for n in range(3)]
    seen = upload(excel(rows))
    assert "没有找到必填的名称" in seen.problems
    assert seen.at.selectbox(key="intake-column-kind").value == "种"  # by what stands in it
    seen.at.selectbox(key="intake-column-name").set_value("甲")
    seen.run()
    assert "没有找到必填的" not in seen.problems
    assert "由你指定" in seen.text
    seen.at.selectbox(key="intake-column-kind").set_value("")
    seen.run()
    assert "没有找到必填的类别" in seen.problems
    assert "文件里不用的列" in seen.text
    # one value for all rows will do as well
    seen.at.selectbox(key="intake-fill-kind").set_value("小区消火栓")
    seen.run()
    assert "没有找到必填的" not in seen.problems
    on(seen, 2)
    assert seen.figure("可导入") == 3
    made = seen.at.session_state["intake-work"]._made["draft"][1]
    assert set(made.frame["kind"]) == {"小区消火栓"}


def test_the_row_of_the_names_can_be_set_right(folder):
    content = excel(GOOD, ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬"])
    seen = upload(content)
    assert seen.at.number_input(key="intake-header-row").value == 1
    assert "没有找到必填的" in seen.problems
    seen.at.number_input(key="intake-header-row").set_value(50)  # there is no such row
    seen.run()
    assert seen.at.number_input(key="intake-header-row").value == 1
    seen.at.number_input(key="intake-header-row").set_value(2)
    seen.run()
    assert seen.problems == ""
    assert seen.at.selectbox(key="intake-column-name").value == "名称"


def test_of_several_sheets_the_one_that_fits_is_offered(folder):
    notes = [{"说明": "甲", "日期": "乙"}]
    content = excel(notes, 明细=GOOD)
    seen = upload(content)
    assert seen.at.query_params["step"] == "2"
    assert seen.at.selectbox(key="intake-sheet").value == 1
    assert "明细" in on(seen).text
    assert seen.at.selectbox(key="intake-column-name").value == "名称"


def test_without_coordinates_it_is_said_how_rows_are_placed(office):
    rows = [
        {"名称": f"{n}号", "地址": place, "类型": "市政消火栓"}
        for n, place in enumerate(["东溪镇", "不知何处"])
    ]
    seen = on(upload(excel(rows)))
    assert "文件没有坐标" in seen.text
    on(seen)
    assert seen.figure("未定位") == 1
    assert "自动编号" in str([one.label for one in seen.at.toggle])
    save(seen)
    links = [node.proto.label for node in seen.nodes("page_link")]
    assert any("有 1 条未定位" in label for label in links)
    assert list(kept(office).index) == ["hydrants-1-2", "hydrants-1-3"]


def test_a_file_of_names_only_is_said_to_have_no_records(folder):
    seen = checked((",".join(HEAD) + "\n").encode(), name="空表.csv")
    assert "文件只有列名,没有记录" in seen.text
    assert "退回" not in seen.text


def test_a_name_that_only_resembles_is_said_to_be_a_guess(folder):
    seen = upload(
        excel([{("其他备注" if key == "备注" else key): v for key, v in row.items()} for row in GOOD])
    )
    assert seen.at.selectbox(key="intake-column-note").value == "其他备注"
    assert "列名相近,请核对" in seen.text


def test_columns_of_coordinates_that_nobody_filled_in_are_none(folder):
    seen = on(upload(excel([{**row, "东经": None, "北纬": None} for row in GOOD])))
    assert "文件没有坐标" in seen.text


def test_a_table_without_places_has_no_step_for_them(office):
    table = office.shipped("errata").table().frame
    rows = table.head(3).to_dict("records")
    seen = on(upload(excel(rows), layer="errata"))
    assert seen.at.query_params["step"] == "5"
    assert "未定位" not in seen.figures
    assert not seen.scene["layers"]
    assert seen.at.radio(key="intake-how").value == "按编号更新"


def test_roads_come_from_a_vector_file(office):
    line = '{"type":"LineString","coordinates":[[106.65,28.75],[106.66,28.76]]}'
    kind = office.district.registry.layers["roads"].kinds[0]
    text = (
        '{"type":"FeatureCollection","features":[{"type":"Feature","geometry":' + line + ',"properties":'
        f'{{"编号":"L1","名称":"甲路","类别":"{kind}","状态":"现状"}}}}]}}'
    )
    seen = checked(text.encode(), "roads", "路.geojson")
    assert seen.figure("可导入") == 1
    assert seen.scene["shapes"]
    save(seen)
    assert kept(office, "roads").at["L1", "geometry"].startswith("LINESTRING")


def test_a_vector_file_is_read_as_it_says_of_itself(folder, tmp_path):
    rows = [{key: value for key, value in row.items() if key not in ("东经", "北纬")} for row in GOOD]
    points = geopandas.GeoSeries.from_xy(*zip(*PLACES, strict=True), crs=4326).to_crs(4545)
    geopandas.GeoDataFrame(rows, geometry=points).to_file(tmp_path / "点.gpkg", layer="栓")
    seen = on(upload((tmp_path / "点.gpkg").read_bytes(), "点.gpkg"))
    assert "坐标按文件写明的 EPSG:4545(CGCS2000 / 3度带 108°)读入:4 个图形,100% 落在区内" in seen.text
    assert "分不出来" not in seen.text
    assert not seen.at.radio
    assert not seen.at.checkbox  # metres of a zone are no web map's degrees
    assert len(seen.scene["legend"]) == 1
    on(seen)
    assert seen.figure("可导入") == 4
    assert "按文件写明的 EPSG:4545(CGCS2000 / 3度带 108°)" in seen.text


def test_what_a_file_says_of_itself_can_be_doubted(office):
    rows = [{key: value for key, value in row.items() if key not in ("东经", "北纬")} for row in GOOD]
    shifted = [tuple(map(float, datum.wgs_to_gcj(*one))) for one in PLACES]
    frame = geopandas.GeoDataFrame(
        rows, geometry=geopandas.GeoSeries.from_xy(*zip(*shifted, strict=True), crs=4326)
    )
    seen = on(upload(frame.to_json(drop_id=True).encode(), "点.geojson"))
    assert "按 GeoJSON 格式的规定,EPSG:4326(WGS-84 经纬度)" in seen.text
    assert not seen.at.radio
    seen.at.checkbox(key="intake-doubt").check()
    seen.run()
    assert len(seen.scene["legend"]) == 3
    seen.at.radio(key="intake-reading").set_value("gcj02")
    on(seen.run())
    assert "GCJ-02(高德、腾讯地图)" in seen.text
    save(seen)
    assert [round(float(one), 4) for one in kept(office)["lon"]] == [one[0] for one in PLACES]


def test_brackets_that_hold_no_unit_are_not_shown_as_one(folder):
    seen = upload(excel([{**row, "名称(全称)": row["名称"]} for row in GOOD]))
    seen.at.selectbox(key="intake-column-name").set_value("名称(全称)")
    seen.run()
    assert "单位毫米" in seen.text or "单位mm" in seen.text
    assert "单位全称" not in seen.text


# ---- repairs -----------------------------------------------------------------------------------------


@pytest.fixture
def calls(monkeypatch):
    made = []

    def counted(module, name):
        work = getattr(module, name)

        def call(*args, **kwargs):
            made.append(name)
            return work(*args, **kwargs)

        monkeypatch.setattr(module, name, call)

    for module, name in (
        (ingest, "read"),
        (matching, "match"),
        (datum, "readings"),
        (draft, "prepare"),
        (draft, "to_table"),
    ):
        counted(module, name)
    return made


def test_a_repair_is_refused_by_its_kind_or_alone_and_only_the_check_is_made_anew(folder, calls):
    rows = [hydrant(n, **{"口径(mm)": "150mm"}) for n in range(3)]
    seen = checked(excel(rows))
    assert seen.figure("自动修正") == 3
    calls.clear()
    seen.run()
    assert not calls  # an idle run works nothing out again
    singles = seen.at.multiselect(key="intake-singles-unit:diameter_mm")
    singles.set_value(["unit:diameter_mm:3"])
    seen.run()
    assert (seen.figure("自动修正"), seen.figure("有错")) == (2, 1)
    assert set(calls) <= {"readings", "prepare", "to_table"}
    assert calls.count("prepare") == 1
    seen.at.toggle(key="intake-repair-unit:diameter_mm").set_value(False)
    seen.run()
    assert (seen.figure("自动修正"), seen.figure("有错")) == (0, 3)
    assert "没有一行可以导入" in seen.text
    seen.at.toggle(key="intake-repair-unit:diameter_mm").set_value(True)
    seen.run()
    assert (seen.figure("自动修正"), seen.figure("有错")) == (3, 0)


def test_words_that_the_layer_does_not_know_are_explained_once_and_not_cell_by_cell(office):
    rows = [hydrant(n, **{"状态": word}) for n, word in enumerate(("已通水", "现状", "运行", "已通水"))]
    seen = checked(excel(rows))
    assert seen.figure("有错") == 3
    assert "状态“已通水”(2 行有错)的意思是" in seen.text
    words = {box.label: box for box in seen.at.selectbox if box.key and box.key.startswith("intake-word-")}
    assert list(words) == ["“已通水”的意思", "“运行”的意思"]
    words["“已通水”的意思"].select("现状")
    seen.run()
    assert (seen.figure("可导入"), seen.figure("有错")) == (3, 1)
    # it can be taken back, and said of the other
    boxes = {box.label: box for box in seen.at.selectbox if box.key and box.key.startswith("intake-word-")}
    assert boxes["“已通水”的意思"].value == "现状"
    boxes["“运行”的意思"].select("现状")
    seen.run()
    assert (seen.figure("可导入"), seen.figure("有错")) == (4, 0)
    assert "按说明的意思读·状态" in [each.label.partition("(")[0] for each in seen.at.toggle]
    save(seen)
    assert kept(office)["status"].tolist() == ["现状"] * 4


def test_what_a_unit_is_that_nobody_knows_is_asked(office):
    rows = [hydrant(n, **{"流量(gpm)": 300 + n, "2019年流量": 5}) for n in range(2)]
    seen = checked(excel(rows))
    assert seen.figure("有错") == 2
    assert "流量(gpm)“gpm”(2 行有错)的意思是" in seen.text
    (box,) = (each for each in seen.at.selectbox if each.key and each.key.startswith("intake-word-"))
    assert box.options[:3] == ["升/秒", "立方米/小时", "升/分"]
    box.select("升/分")
    seen.run()
    assert (seen.figure("可导入"), seen.figure("有错")) == (2, 0)
    assert "按列名的单位换算·流量" in [each.label.partition("(")[0] for each in seen.at.toggle]
    save(seen)
    assert kept(office)["flow_l_s"].astype(float).tolist() == pytest.approx([5, 301 / 60])


def test_the_map_goes_where_the_rows_are(folder):
    seen = on(upload(excel(GOOD)))
    (south, west), (north, east) = seen.scene["focus"]["bounds"]
    assert south < 28.75 < 28.78 < north
    assert east - west < 0.1
    on(seen)
    (south, west), (north, east) = seen.scene["focus"]["bounds"]
    assert south < 28.75 < 28.78 < north
    assert east - west < 0.1


def test_a_single_row_is_shown_with_the_town_round_it(folder):
    seen = checked(excel(GOOD[:1]))
    (south, west), (north, east) = seen.scene["focus"]["bounds"]
    assert east - west == pytest.approx(0.09)
    assert north - south == pytest.approx(0.09)


def test_a_visit_to_another_page_loses_nothing(folder, calls):
    seen = checked(excel(FAULTY))
    seen.at.checkbox(key="intake-consent").check()
    seen.at.text_input(key="intake-why").set_value("半截的原因")
    seen.at.toggle(key="intake-repair-town:town").set_value(False)
    seen.run()
    before = seen.figures
    calls.clear()
    seen.at.switch_page("pages/requests.py")
    seen.run()
    seen.at.switch_page("pages/intake.py")
    seen.run()
    assert not calls
    assert seen.figures == before
    assert seen.at.text_input(key="intake-why").value == "半截的原因"
    assert seen.at.checkbox(key="intake-consent").value
    assert not seen.at.toggle(key="intake-repair-town:town").value
    # and a settled step can be changed
    seen.at.button(key="intake-back-3").click()
    seen.run()
    assert seen.at.selectbox(key="intake-column-town").value == "镇街"


def test_one_visit_holds_one_draft(folder):
    seen = checked(excel(FAULTY))
    work = seen.at.session_state["intake-work"]
    first = work._made["draft"][1]
    seen.at.toggle(key="intake-repair-town:town").set_value(False)
    seen.run()
    assert sum(isinstance(made, draft.Draft) for _, made in work._made.values()) == 1
    assert work._made["draft"][1] is not first
    assert "readings" not in work._made


# ---- what is there already -----------------------------------------------------------------------------


def health(office, count=3):
    table = office.shipped("health").table().frame.head(count)
    return [
        {key: None if pd.isna(value) else value for key, value in row.items()}
        for row in table.to_dict("records")
    ]


def test_records_of_documents_do_not_vanish_unsaid(office):
    seen = checked(excel(health(office)), "health")
    there = len(office.shipped("health").table().frame)
    assert seen.at.radio(key="intake-how").value == "按编号更新"
    assert f"保存后共 {there} 家(现有 {there}):新增 0,改动 0(共 0 处),删去 0" in seen.text
    seen.at.radio(key="intake-how").set_value("整份替换")
    seen.run()
    assert f"删去 {there - 3}" in seen.text
    assert f"其中 {there - 3} 条出自正式文件" in seen.problems
    save(seen)
    assert "会有文件所载的记录消失:请勾选确认" in seen.problems
    assert office.workspace.layers() == ()
    seen.at.checkbox(key="intake-gone").check()
    save(seen.run())
    assert "已存为第 2 版" in seen.text
    assert len(kept(office, "health")) == 3


@pytest.mark.parametrize("guess", ["0.31", "0.32"])
def test_a_guess_at_what_is_kept_from_one_is_not_answered(office, at_the_machine, guess):
    """Whether a file of guesses changes anything would tell a visitor every pressure."""
    save(checked(excel([one | {"压力": "0.31"} for one in GOOD])))
    at_the_machine(VISITOR)
    seen = checked(excel([{"编号": "X1", "压力": guess}]))
    assert "与现有记录完全相同" in seen.text
    assert "压力" in seen.text.partition("敏感列(")[2].partition(")")[0]
    at_the_machine(FIRE)
    seen = checked(excel([{"编号": "X1", "压力": guess}]))
    assert ("与现有记录完全相同" in seen.text) is (guess == "0.31")
    assert "敏感列(" not in seen.text


def test_an_update_changes_what_the_file_says_and_an_addition_nothing(office):
    first, *_ = health(office, 1)
    rows = [
        {"编号": first["id"], "名称": first["name"], "类别": first["kind"], "全科医生": 7},
        {"编号": "新1", "名称": "新卫生院", "类别": "卫生院", "全科医生": 3},
    ]
    seen = checked(excel(rows), "health")
    assert "新增 1,改动 1" in seen.text
    assert "1 条原载于文件的记录内容有改,来源改记为“导入”" in seen.text
    seen.at.radio(key="intake-how").set_value("追加")
    seen.run()
    assert "有 1 行的编号库中已有,不导入" in seen.text
    assert "新增 1,改动 0" in seen.text
    seen.at.radio(key="intake-how").set_value("按编号更新")
    save(seen.run())
    found = kept(office, "health")
    assert found.at[first["id"], "gp_count"] == "7"
    assert found.at[first["id"], "beds_2020"] == str(first["beds_2020"])
    assert "新1" in found.index


def first_import(rows=GOOD):
    seen = save(checked(excel(rows)))
    assert "已存为第 1 版" in seen.text


def test_a_list_of_what_changed_updates_what_is_kept(office):
    first_import()
    rows = [{"编号": f"X{n}", "口径(mm)": 150, "状态": "停用" if n else None} for n in range(3)]
    rows[2]["状态"] = "现状"
    seen = upload(excel(rows))
    assert seen.problems == ""
    assert "文件的 3 个编号中 3 个库中已有:更新已有记录时可以不带" in seen.text
    assert "必填,未找到" not in seen.text
    assert [one for one in seen.text.splitlines() if one.endswith("*")] == ["编号 *"]
    on(seen)
    assert "编号库中已有的 3 行,更新时保留原来的位置" in seen.text
    on(seen)
    assert seen.at.radio(key="intake-how").value == "按编号更新"
    assert seen.figures["可导入"] == ("2 行", "2 行编号已有,0 行新增")  # 停用 is no status
    assert seen.figure("未定位") == 0
    before = seen.html
    assert before.index("qj-figures") > 0
    seen.at.checkbox(key="intake-consent").check()
    assert seen.at.button(key="intake-save").label == "改动 2 条、新增 0 条,存为新版本"
    save(seen.run())
    found = kept(office)
    assert found["diameter_mm"].tolist() == ["150", "100", "150", "100"]
    assert found["name"].tolist() == ["0号", "1号", "2号", "3号"]
    assert found["status"].tolist() == ["现状"] * 4
    # in the place of all, or behind them, such rows are no records
    for how in ("追加", "整份替换"):
        seen = checked(excel(rows))
        seen.at.radio(key="intake-how").set_value(how)
        seen.run()
        assert (seen.figure("可导入"), seen.figure("有错")) == (0, 3)


def test_a_cell_that_says_so_is_emptied_and_that_is_listed_first(office):
    first_import()
    rows = [{"编号": "X0", "口径(mm)": "清空"}, {"编号": "X1", "口径(mm)": None}]
    seen = checked(excel(rows))
    how = seen.at.radio(key="intake-how")
    assert how.value == "按编号更新"
    assert "写“清空”的格删去原值" in how.proto.captions[0]
    assert "1 处写了“清空”:更新时删去库中原值" in seen.text
    assert "其中 1 处原来有值,改后为空" in seen.text
    (change,) = [one for one in seen.rows("intake-changed").values() if one["column"] == "口径"]
    assert (change["id"], change["old"]) == ("X0", "100")
    save(seen)
    assert kept(office)["diameter_mm"].fillna("").tolist() == ["", "100", "100", "100"]


def test_new_rows_of_an_update_need_what_every_record_needs(office):
    first_import()
    rows = [{"编号": each, "口径(mm)": 150} for each in ("X1", "X9")]
    seen = upload(excel(rows))
    assert "其余 1 行是新编号" in seen.text
    on(seen, 2)
    assert (seen.figure("可导入"), seen.figure("有错")) == (1, 1)
    assert {one["row"] for one in seen.rows("intake-problems").values()} == {3}
    assert all("回到“列”一步" in one["advice"] for one in seen.rows("intake-problems").values())


def test_what_an_addition_leaves_out_is_named_and_goes_back(office, offered):
    first_import()
    rows = [hydrant(n, 名称=f"新{n}号") for n in range(2, 7)]
    seen = checked(excel(rows))
    seen.at.radio(key="intake-how").set_value("追加")
    seen.run()
    assert seen.figures["可追加"] == ("3 行", "另有 2 行编号库中已有,不追加")
    assert seen.at.button(key="intake-save").label == "追加 3 行,存为新版本"
    listed = [
        (one["row"], one["id"], one["name"], one["kept"]) for one in seen.rows("intake-left-out").values()
    ]
    assert listed == [(2, "X2", "新2号", "2号"), (3, "X3", "新3号", "3号")]
    sheet = load_workbook(io.BytesIO(offered["intake-returned"]())).active
    assert "库中已有此编号(2号);追加时这一行不导入" in sheet.cell(2, len(HEAD) + 1).value
    save(seen)
    assert "另有 2 行因编号库中已有而没有追加" in seen.text
    assert len(kept(office)) == 7
    seen = checked(excel(rows[:2]))
    seen.at.radio(key="intake-how").set_value("追加")
    seen.run()
    assert "没有一行可以追加" in seen.text
    assert not [one for one in seen.at.button if one.key == "intake-save"]


def test_a_fault_of_the_joined_register_is_told_by_its_record(office, monkeypatch):
    first_import()

    def refuse(*_, **__):
        raise DataError([Problem("台账.xlsx", 3, "diameter_mm", "7", "不小于 50 的数", "请核对")])

    monkeypatch.setattr(service, "import_layer", refuse)
    seen = save(checked(excel([{"编号": "X1", "口径(mm)": 150}])))
    assert "编号 X1(1号):“口径”为“7”,应为不小于 50 的数。请核对" in seen.problems


@pytest.mark.parametrize("page", ["fire_water", "shortages", "overview", "charts", "requests"])
def test_every_page_names_the_lists_that_people_put_in(office, page):
    assert "导入的“消火栓”名册" not in Page(page, demo="false").text
    seen = checked(excel([hydrant(n) for n in range(3)]))
    save(seen)
    when = office.workspace.latest("hydrants").when[:10]
    assert f"导入的“消火栓”名册 3 个(第 1 版,{when}保存)" in Page(page, demo="false").text


def test_the_reservoirs_page_says_of_places_what_is_so(office):
    assert "座没有坐标:按所在街镇标出" in Page("reservoirs", demo="false").text
    row = {"名称": "甲水库", "街镇": "东溪镇", "规模": "小(二)型", "经度": 106.66, "纬度": 28.75}
    seen = checked(excel([row]), "reservoirs")
    seen.at.radio(key="intake-how").set_value("整份替换")
    seen.run()
    for each in seen.at.checkbox:
        each.check()
    save(seen.run())
    after = Page("reservoirs", demo="false").text
    assert "座没有坐标" not in after
    assert "导入的“水库”名册 1 座(第 2 版," in after  # the first is what was there before


def test_of_a_file_without_ids_only_the_faulty_rows_come_back(office):
    row = {"街镇": "东溪镇", "类别": "卫生院"}
    rows = [{"名称": "甲诊所", "全科医生": 7, **row}, {"名称": "乙诊所", "全科医生": "两个", **row}]
    seen = checked(excel(rows), "health")
    seen.at.checkbox(key="intake-consent").check()
    save(seen.run())
    assert "有错的 1 行没有存入" in seen.text
    # as an update it would not be known again, and added a second time
    assert "按编号更新" not in seen.text
    assert "只留有错的行,改好后再导入(选“追加”);存入的行不要再导入一次" in seen.text


def test_rows_named_like_a_kept_record_are_told_and_may_be_taken_for_it(office):
    kept_ones = office.shipped("health").table().frame.set_index("id")
    here = kept_ones[kept_ones["town"] == "东溪镇"]["name"]
    (number, full) = next((n, name) for n, name in here.items() if name.endswith("东溪镇中心卫生院"))
    other = kept_ones[kept_ones["town"] == "丁山镇"]["name"]
    (same, _) = next((n, name) for n, name in other.items() if name.endswith("丁山镇卫生院"))
    rows = [
        {"名称": "东溪镇卫生院", "街镇": "东溪镇", "类别": kept_ones.at[number, "kind"], "全科医生": 7},
        {
            "名称": "重庆市綦江区丁山镇卫生院",
            "街镇": "丁山镇",
            "类别": kept_ones.at[same, "kind"],
            "全科医生": 8,
        },
    ]
    seen = checked(excel(rows), "health")
    total = len(kept_ones)
    assert f"保存后共 {total + 2} 家" in seen.text
    assert (
        "有 1 行与库中的记录同名,街镇也不矛盾,编号却不同:第 3 行“重庆市綦江区丁山镇卫生院”" in seen.problems
    )
    assert "有 1 行与库中同一街镇的记录名称相近:第 2 行“东溪镇卫生院”" in seen.problems
    seen.at.checkbox(key="intake-same").check()
    seen.run()
    assert f"保存后共 {total + 1} 家" in seen.text
    seen.at.checkbox(key="intake-alike").check()
    seen.run()
    assert f"保存后共 {total} 家(现有 {total}):新增 0,改动 2" in seen.text
    assert "名称相近的记录" not in seen.problems
    save(seen)
    after = kept(office, "health")
    assert (after.at[number, "gp_count"], after.at[same, "gp_count"]) == ("7", "8")
    # the register's own names stay
    assert (after.at[number, "name"], after.at[same, "name"]) == (full, kept_ones.at[same, "name"])


def test_rows_of_a_kept_record_s_name_may_be_taken_for_it(office):
    there = health(office, 2)
    names = [each["name"] for each in there]
    rows = [
        {"名称": name, "街镇": each["town"], "类别": each["kind"]}
        for name, each in zip(names, there, strict=True)
    ]
    seen = checked(excel([{**row, "全科医生": 7} for row in rows]), "health")
    total = len(office.shipped("health").table().frame)
    assert f"有 2 行与库中的记录同名,街镇也不矛盾,编号却不同:第 2 行“{names[0]}”" in seen.problems
    assert f"保存后共 {total + 2} 家" in seen.text
    seen.at.checkbox(key="intake-same").check()
    seen.run()
    assert "同名的记录" not in seen.problems
    assert f"保存后共 {total} 家(现有 {total}):新增 0,改动 2" in seen.text
    seen.at.multiselect(key="intake-singles-namesake:id").set_value(["namesake:id:3"])
    seen.run()
    assert "新增 1,改动 1" in seen.text
    save(seen)
    assert kept(office, "health").at[there[0]["id"], "gp_count"] == "7"


def test_who_saved_meanwhile_is_told_and_nothing_typed_is_lost(office):
    seen = checked(excel(GOOD))
    seen.at.text_input(key="intake-why").set_value("我的台账")
    seen.run()
    other = draft.to_table(seen.at.session_state["intake-work"]._made["draft"][1])
    fewer = replace(other, frame=other.frame.head(3), rows=other.rows[:3])
    service.import_layer(FIRE, office, "hydrants", fewer, base=0, why="李的台账")
    seen.at.button(key="intake-save").click()
    seen.run()
    assert "已有人先保存了" in seen.problems
    assert "李 于" in seen.problems
    assert seen.at.text_input(key="intake-why").value == "我的台账"
    seen.at.button(key="intake-again").click()
    seen.run()
    assert "与现有的 3 条怎样合并" in [one.label for one in seen.at.radio]
    assert "新增 1,改动 0(共 0 处),删去 0" in seen.text
    save(seen, "我的台账")
    assert "已存为第 2 版" in seen.text
    assert not office.workspace.drafts("hydrants")  # settled


def test_people_by_village_go_to_the_villages_that_are_listed(office):
    listed = office.shipped("villages").table().frame
    rows = [
        {"街镇": town, "村(社区)名称": name, "常住人口(万人)": 0.12, "户籍人口": 1300}
        for town, name in zip(listed["town"].head(5), listed["name"].head(5), strict=True)
    ]
    seen = upload(excel(rows), layer="villages")
    assert "单位社区" not in seen.text
    while seen.at.query_params["step"] != "5":
        on(seen)
    assert seen.at.radio(key="intake-how").value == "按编号更新"
    assert (seen.figure("可导入"), seen.figure("有错")) == (5, 0)
    assert f"保存后共 {len(listed)} " in seen.text
    save(seen)
    found = office.workspace.read("villages").table().frame
    assert found["population"].head(5).tolist() == ["1200"] * 5
    assert found["code"].tolist() == listed["code"].tolist()


def test_what_changes_nothing_is_not_saved(office):
    first_import()
    seen = checked(excel(GOOD))
    assert "与现有记录完全相同,不必保存" in seen.text
    assert seen.at.button(key="intake-save").disabled


# ---- who may, and what is hostile ------------------------------------------------------------------------


def test_a_visitor_may_have_a_file_checked_but_not_kept(office, at_the_machine, offered):
    at_the_machine(VISITOR)
    seen = Page("intake", to="hydrants")
    assert "你可以检查文件、下载结果,但不能保存到“消火栓”" in seen.text
    assert load_workbook(io.BytesIO(offered["intake-template"]())).sheetnames[0] == "消火栓"
    seen = checked(excel(FAULTY))
    assert seen.figure("有错") == 1
    assert "intake-returned" in offered
    assert seen.at.button(key="intake-save").disabled
    rows = draft.to_table(seen.at.session_state["intake-work"]._made["draft"][1])
    with pytest.raises(AccessError):
        service.import_layer(VISITOR, office, "hydrants", rows, base=0, why="试")


def test_another_department_is_told_whose_layer_it_is(folder, at_the_machine):
    at_the_machine(FIRE)
    assert "区水利局的录入人员或管理人员" in Page("intake", to="reservoirs").text
    assert "但不能保存" not in Page("intake", to="hydrants").text


def bomb():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 40_000_000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("炸弹.xlsx", bomb()),
        ("照片.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        ("空.csv", b""),
        ("坏.geojson", b'{"type":' * 5000),
        ("程序.exe", b"MZ" + bytes(500)),
    ],
)
def test_a_hostile_file_is_refused_in_words_and_the_page_lives(folder, name, content):
    seen = upload(content, name)
    assert "这个文件用不了" in seen.problems
    assert "Traceback" not in seen.html
    seen.run()
    seen.at.file_uploader[0].upload("台账.xlsx", excel(GOOD))
    assert seen.run().at.query_params["step"] == "3"


def test_what_nobody_foresaw_is_told_calmly(folder, monkeypatch):
    monkeypatch.setattr(ingest, "read", lambda *_: 1 / 0)
    seen = upload(excel(GOOD))
    assert "程序没有料到的内容" in seen.problems


def test_whatever_a_file_says_is_shown_as_text(folder):
    rows = [{**row, XSS: XSS} for row in FAULTY] + [hydrant(9, 名称=XSS, 镇街=XSS)]
    content = excel(rows, **{"甲 `粗` _x_": GOOD})
    seen = upload(content, f"{XSS}.xlsx")
    seen.at.selectbox(key="intake-sheet").set_value(0)
    on(seen.run())
    while seen.at.query_params["step"] != "5":
        assert not {"img", "script"} & {tag for tag, _ in Text(seen.html).tags}
        on(seen)
    assert not {"img", "script"} & {tag for tag, _ in Text(seen.html).tags}
    # labels and captions are Markdown, so nothing from a file stands in one
    spoken = [*seen.at.toggle, *seen.at.radio, *seen.at.button, *seen.at.checkbox, *seen.at.expander]
    assert not any("粗" in str(one.label) for one in spoken)


def test_steps_do_not_come_before_what_they_rest_on(folder):
    seen = Page("intake", to="hydrants", step="5")
    assert seen.at.query_params["step"] == "2"
    assert seen.at.file_uploader
    assert Page("intake", to="不存在", step="九").at.query_params["step"] == "1"


def test_boundaries_have_steps_of_their_own(folder):
    content = (folder / "geo" / "qijiang" / "townships.geojson").read_bytes()
    seen = upload(content, "界线.geojson", BOUNDARIES)
    assert "核对界线并保存" in seen.text
    assert "用不了" not in seen.problems
    assert seen.maps


# ---- sheets read together, rows that Excel hides -------------------------------------------------------


def test_sheets_of_the_same_columns_are_read_together_when_somebody_says_so(office, offered):
    seen = upload(of_towns())
    asked = seen.at.radio(key="intake-together")
    assert (asked.value, asked.options) == (False, ["只读这一张", "与列名相同的另外 2 张一起读(共 4 行)"])
    assert "另有 2 张列名相同的工作表" not in seen.text
    asked.set_value(True)
    seen.run()
    assert seen.at.multiselect(key="intake-with").value == [1, 2]
    assert "3 张工作表一起读(“台账”“东溪镇”“赶水”),4 行" in seen.text
    on(seen)
    assert "文件没有街镇列:工作表“东溪镇”“赶水”的各行按表名记街镇" in seen.text
    on(seen, 2)
    assert (seen.figure("可导入"), seen.figure("有错")) == (3, 1)
    (problem,) = seen.rows("intake-problems").values()
    assert (problem["sheet"], problem["row"], problem["column"]) == ("赶水", 2, "口径(mm)")
    book = load_workbook(io.BytesIO(offered["intake-returned"]()))
    assert [book[name].cell(1, len(HEAD)).value for name in ("台账", "东溪镇", "赶水")] == ["错误"] * 3
    assert "不清楚" in book["赶水"].cell(2, len(HEAD)).value
    assert "不清楚" not in book["东溪镇"].cell(2, len(HEAD)).value
    # the town that a sheet is called by is a repair like any other
    assert seen.at.toggle(key="intake-repair-sheet-town:town").label == "按工作表名·街镇(2 张表)"
    singles = seen.at.multiselect(key="intake-singles-sheet-town:town")
    singles.set_value(["sheet-town:town:1"])
    seen.run()
    seen.at.checkbox(key="intake-consent").check()
    save(seen.run())
    found = kept(office)
    assert found["name"].tolist() == ["0号", "1号", "2号"]
    said = [one.detail for one in office.audit.entries() if one.action == "导入"]
    assert any("台账.xlsx 工作表“台账”“东溪镇”“赶水”" in one for one in said)


def test_one_sheet_alone_is_read_unless_somebody_says_so(office):
    seen = upload(of_towns())
    on(seen)
    assert "按表名记街镇" not in seen.text
    assert "另有 2 张列名相同的工作表(共 3 行)没有读:“东溪镇”“赶水”" in seen.text
    on(seen, 2)
    assert seen.figure("可导入") == 1


def test_taking_another_sheet_or_layer_begins_anew():
    seen = upload(of_towns())
    seen.at.radio(key="intake-together").set_value(True)
    seen.run()
    seen.at.multiselect(key="intake-with").set_value([])
    seen.run()
    assert seen.at.radio(key="intake-together").value is False
    seen.at.radio(key="intake-together").set_value(True)
    seen.run()
    seen.at.selectbox(key="intake-sheet").set_value(1)
    seen.run()
    assert seen.at.radio(key="intake-together").value is False


def test_rows_that_excel_hides_can_be_left_out(office):
    plain = upload(excel(GOOD))
    assert not [one for one in plain.at.toggle if one.key == "intake-no-hidden-rows"]
    seen = upload(of_towns(("东溪镇", 3)))
    assert not [one for one in seen.at.toggle if one.key == "intake-no-hidden-rows"]  # not in this sheet
    seen.at.selectbox(key="intake-sheet").set_value(1)
    seen.run()
    switch = seen.at.toggle(key="intake-no-hidden-rows")
    assert (switch.value, switch.label[:14]) == (False, "不读隐藏的行(有 1 行在 ")
    switch.set_value(True)
    seen.run()
    on(seen)
    assert "“东溪镇”,1 行(隐藏的 1 行不读)" in seen.text
    assert "按所选没有读:第 3 行" in seen.text
    on(seen, 2)
    save(seen)
    assert kept(office)["name"].tolist() == ["1号"]


def test_a_single_sheet_with_hidden_rows_waits_for_the_choice():
    book = load_workbook(io.BytesIO(excel(GOOD)))
    book["台账"].row_dimensions[3].hidden = True
    out = io.BytesIO()
    book.save(out)
    seen = upload(out.getvalue())
    assert seen.at.query_params["step"] == "2"
    assert seen.at.toggle(key="intake-no-hidden-rows").value is False
    on(seen)
    assert "也一并读入:第 3 行" in seen.text
