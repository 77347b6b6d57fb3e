"""What is wrong in a file is said where it is, with what was expected; everything else goes on.

Every copy of the data lies in a folder of its own, so nothing of it is in a cache.
"""

import csv
import json

import pytest
from visit import LAYER_IN_ADDRESS, Page

DATA = "data/qijiang"


def edit(folder, name, change):
    """Read a CSV file, let the test change its rows (lists, the header first), and write it back."""
    path = folder / DATA / name
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    change(rows)
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(rows)


def put(row, column, value):
    """Change one cell; `row` is the line that a spreadsheet shows."""

    def change(rows):
        rows[row - 1][rows[0].index(column)] = value

    return change


def without(column):
    def change(rows):
        place = rows[0].index(column)
        for row in rows:
            del row[place]

    return change


def swapped(rows):
    lon, lat = rows[0].index("lon"), rows[0].index("lat")
    rows[4][lon], rows[4][lat] = rows[4][lat], rows[4][lon]


def repeated(rows):
    rows[5][0] = rows[2][0]


#: What is done to which file, the page that shows its layer, and what that page must say.
FAULTS = {
    "缺一列": (
        "health.csv", without("beds_2020"), "health", ("beds_2020",),
    ),
    "数字列写了文字": (
        "health.csv", put(3, "beds_2020", "五百张"), "health", ("第 3 行", "“beds_2020”列", "五百张", "整数"),
    ),
    "全角数字": (
        "reservoirs.csv", put(2, "capacity_wan_m3", "１２"), "reservoirs", ("第 2 行", "１２", "是否应为“12”"),
    ),
    "经纬度写反": (
        "demo/hydrants.csv", swapped, "fire_water", ("第 5 行", "“lon”列", "写反", "经度"),
    ),
    "不在本区": (
        "demo/highrises.csv", put(7, "lon", "116.4"), "highrise", ("第 7 行", "“lon”列", "116.4", "本区范围内"),
    ),
    "编号重复": (
        "emergency_teams.csv", repeated, "fire_stations", ("第 6 行", "“id”列", "不重复"),
    ),
    "街镇名不存在": (
        "projects.csv", put(2, "town", "三江街"), "health", ("第 2 行", "“town”列", "三江街", "三江街道"),
    ),
}  # fmt: skip
LABEL = {
    "emergency_teams.csv": "街镇应急救援队伍",
    "projects.csv": "卫生重大工程项目",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_on_its_layers_page_and_stops_no_other(folder, fault):
    name, change, page, said = FAULTS[fault]
    edit(folder, name, change)
    seen = Page(page, **({LAYER_IN_ADDRESS[page]: LABEL[name]} if name in LABEL else {}))
    assert f"文件 {DATA}/{name}" in seen.problems
    for part in said:
        assert part in seen.problems
    assert "应为" in seen.problems
    assert "已停用;其他图层不受影响" in seen.problems
    assert "未覆盖人口" not in seen.figures  # nothing is worked out from half a file
    other = "reservoirs" if page != "reservoirs" else "health"
    assert Page(other).problems == ""
    # the overview tells of it too, and goes on with the rest
    overview = Page("overview", layers=["水库", "医疗卫生机构", "消火栓"])
    assert f"{DATA}/{name}" in overview.problems
    assert len(overview.rows("towns")) == 21


def test_every_fault_of_a_file_is_told_at_once(folder):
    def change(rows):
        put(3, "beds_2020", "五百张")(rows)
        put(5, "status", "已建成")(rows)
        put(8, "name", "")(rows)

    edit(folder, "health.csv", change)
    said = Page("health").problems
    assert all(part in said for part in ("第 3 行", "第 5 行", "第 8 行", "五百张", "已建成"))


def test_a_mended_file_is_read_again(folder):
    edit(folder, "health.csv", put(3, "beds_2020", "五百张"))
    seen = Page("health")
    assert seen.problems
    edit(folder, "health.csv", put(3, "beds_2020", "500"))
    seen.run()
    assert seen.problems == ""
    assert seen.figure("编制床位(2020年)") > 0


def test_a_file_of_a_chinese_spreadsheet_is_told_how_to_be_saved(folder):
    path = folder / DATA / "emergency_teams.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("gb18030"))
    seen = Page("fire_stations", **{"fire_stations-layer": "街镇应急救援队伍"})
    assert "GB18030" in seen.problems
    assert "应为UTF-8 编码" in seen.problems
    assert f"{DATA}/emergency_teams.csv" in seen.problems
    assert Page("fire_stations").problems == ""


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"id,name\n1\n", b"<html>", b'id,"name\n'])
def test_a_file_that_is_no_table_is_told(folder, content):
    (folder / DATA / "reservoirs.csv").write_bytes(content)
    seen = Page("reservoirs")
    assert f"文件 {DATA}/reservoirs.csv" in seen.problems
    assert Page("health").problems == ""


def test_a_layer_without_a_file_is_no_fault_and_no_shortage(folder):
    (folder / DATA / "reservoirs.csv").unlink()
    seen = Page("reservoirs")
    assert seen.problems == ""
    assert "这是数据不足,不等于没有设施" in seen.text


@pytest.fixture
def townships(folder):
    """Change the boundary file's features."""

    def change(how):
        path = folder / "geo" / "qijiang" / "townships.geojson"
        content = json.loads(path.read_text(encoding="utf-8"))
        how(content["features"])
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    return change


def bow_tie(features):
    (west, south), (east, north) = (106.60, 28.90), (106.70, 29.00)
    ring = [[west, south], [east, north], [east, south], [west, north], [west, south]]
    features[0]["geometry"] = {"type": "Polygon", "coordinates": [ring]}


def missing_town(features):
    del features[3]


def turned(features):
    def turn(value):
        return value[::-1] if isinstance(value[0], float) else [turn(one) for one in value]

    for feature in features:
        feature["geometry"]["coordinates"] = turn(feature["geometry"]["coordinates"])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (bow_tie, ("第 1 个要素", "无效", "有效的面(不自相交)", "QGIS")),
        (missing_town, ("缺少该街镇",)),
        (turned, ("写反",)),
    ],
)
def test_a_wrong_boundary_file_is_told(townships, how, said):
    townships(how)
    for page in ("health", "sources"):
        seen = Page(page)
        assert "文件 geo/qijiang/townships.geojson" in seen.problems
        assert "地图和覆盖暂不能显示,名册仍可查看" in seen.problems
        for part in said:
            assert part in seen.problems


def test_without_boundaries_the_registers_are_still_there(townships):
    townships(missing_town)
    for page in ("overview", "fire_stations", "fire_water", "highrise", "reservoirs"):
        assert "名册仍可查看" in Page(page).problems
    assert "— 平方千米" in Page("overview").figures["街镇"][1]
    seen = Page("health", town="石角镇", record="C22")
    assert seen.figure("医疗卫生机构") == 34
    assert "未覆盖人口" not in seen.figures  # nothing known of an area is not a shortage


def test_wrong_standards_stop_the_standards_only(folder):
    path = folder / "data" / "standards.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace('kind = "radius"', 'kind = "circle"'), encoding="utf-8"
    )
    seen = Page("health")
    assert "standards.toml" in seen.problems
    assert "circle" in seen.problems
    assert "标准暂不能使用" in seen.problems
    assert seen.figure("医疗卫生机构") == 34
    assert "未覆盖人口" not in seen.figures


@pytest.mark.parametrize("file", ["standards.toml", "assumptions.toml"])
def test_a_page_that_cannot_do_without_a_file_says_why_it_stops(folder, file):
    path = folder / "data" / file
    path.write_text(f"[[{path.read_text(encoding='utf-8')}", encoding="utf-8")
    for page in ("shortages", "town"):
        seen = Page(page)
        assert f"文件 {file}" in seen.problems
        assert "本页所需数据有误,暂不能显示" in seen.problems
    for page in ("overview", "sources"):
        assert Page(page).problems == ""
    assert Page("reservoirs").figure("水库") == 13


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("data/layers.toml", 'type = "town"', 'type = "village"', "layers.toml"),
        ("data/layers.toml", "[layers.health]", "[layers.health", "TOML"),
        (f"{DATA}/district.toml", "[centre]", "[center]", "district.toml"),
        (f"{DATA}/townships.csv", "古南街道", "", "townships.csv"),
        ("data/documents.csv", "health-plan,", ",", "documents.csv"),
    ],
)
def test_without_its_ground_a_page_says_why_and_shows_nothing_else(folder, file, old, new, said):
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    for page in ("overview", "health", "sources"):
        seen = Page(page)
        assert said in seen.problems
        assert "本图暂不能显示" in seen.problems
        assert seen.maps == []


def test_a_district_that_is_not_there_is_said(folder, monkeypatch):
    monkeypatch.setenv("QJMAP_DISTRICT", "tongliang")
    seen = Page("health")
    assert "没有名为“tongliang”的区县;现有:qijiang" in seen.text


def test_no_data_at_all_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("QJMAP_ROOT", str(tmp_path))
    assert f"{tmp_path / 'data'} 内没有区县" in Page("health").text
