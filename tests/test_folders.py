"""Folders of a KML: what stands in them says so in a column, and one that is called as a town says the town."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import shapely

from qjmap import draft, ingest, matching
from tests.test_sheets import prepared


def mark(n: int, *more: str) -> str:
    """A hydrant in 东溪镇 by the schematic lines."""
    data = {
        "消火栓编号": f"K{n}",
        "类别": "市政消火栓",
        "状态": "现状",
        **dict(one.split("=") for one in more),
    }
    cells = "".join(f'<Data name="{key}"><value>{value}</value></Data>' for key, value in data.items())
    place = f"<Point><coordinates>{106.6501 + n / 500},28.7512,0</coordinates></Point>"
    return f"<Placemark><name>{n}号栓</name><ExtendedData>{cells}</ExtendedData>{place}</Placemark>"


def folder(name: str, *inside: str) -> str:
    return f"<Folder><name>{name}</name>{''.join(inside)}</Folder>"


def read(*inside: str) -> ingest.Source:
    content = f"<kml><Document><name>消火栓</name>{''.join(inside)}</Document></kml>".encode()
    (source,) = ingest.read("栓.kml", content)
    return source


def by_folder(made):
    return {one.sheet: one for one in made.repairs if one.id.startswith("folder-town")}


def test_the_path_of_its_folders_is_a_column():
    source = read(
        mark(0),
        folder("东溪镇", mark(1), folder(" 小区\n栓 ", mark(2)), mark(3)),
        folder("", mark(4)),
        "<Document><name>赶水镇</name>" + mark(5) + "</Document>",
    )
    frame = source.table.frame
    assert source.folders == "文件夹"
    assert frame["文件夹"].fillna("").tolist() == ["", "东溪镇", "东溪镇/小区 栓", "东溪镇", "", "赶水镇"]
    assert list(frame.columns)[-1] == "文件夹"
    assert "要素分在 3 个文件夹里,文件夹的名称记在“文件夹”列" in source.notes


def test_without_folders_there_is_no_such_column_and_an_own_one_stays():
    assert (read(mark(0)).folders, "文件夹" in read(mark(0)).table.frame) == ("", False)
    source = read(folder("甲", mark(1, "文件夹=乙")))
    assert source.folders == "所在文件夹"
    assert source.table.frame[["文件夹", "所在文件夹"]].to_numpy().tolist() == [["乙", "甲"]]


def test_a_folder_called_as_a_town_gives_it_and_can_be_refused(qijiang):
    source = read(
        folder("我的地点", folder("东溪", mark(1)), folder("赶水镇", mark(2), folder("新装", mark(3)))),
        folder("待核", mark(4)),
    )
    made = prepared(source, qijiang)
    found = by_folder(made)
    assert {name: (one.new, one.row) for name, one in found.items()} == {
        "东溪": ("东溪镇", None),
        "赶水镇": ("赶水镇", None),
    }
    assert found["赶水镇"].why == "没有街镇列;文件夹名“赶水镇”即赶水镇,共 2 行"
    assert made.frame["town"].tolist() == ["东溪镇", "赶水镇", "赶水镇", "东溪镇"]  # the last by its place
    less = prepared(source, qijiang, refused_repairs=[found["赶水镇"].id])
    assert less.frame["town"].tolist() == ["东溪镇"] * 4
    assert by_folder(prepared(source, qijiang, refused_repairs=["folder-town"])) == {}


def test_towns_in_folders_are_not_taken_for_a_column_of_towns_unless_somebody_says_so(qijiang):
    source = read(folder("东溪镇", mark(1)), folder("赶水镇", mark(2)))
    spec = qijiang.registry.spec("hydrants")
    assert "town" not in matching.match(source, spec, tuple(qijiang.towns.index))
    assert draft.sheets_of_towns(source, qijiang) == {"东溪镇": "东溪镇", "赶水镇": "赶水镇"}


def test_kinds_that_folders_are_called_by_are_a_column_like_any_other(qijiang):
    spec = qijiang.registry.spec("hydrants")
    content = folder("市政消火栓", mark(1), mark(2)) + folder("小区消火栓", mark(3))
    found = matching.match(read(content.replace("类别", "x").replace("栓</value>", "</value>")), spec)
    assert (found["kind"].column, found["kind"].why) == ("文件夹", matching.CONTENT)


def test_what_the_file_says_itself_goes_before_its_folders(qijiang):
    made = prepared(read(folder("东溪镇", mark(1, "镇街=赶水镇"))), qijiang)
    assert by_folder(made) == {}
    assert made.frame["town"].tolist() == ["赶水镇"]


def test_a_layer_called_as_a_town_gives_it(qijiang):
    (one,) = ingest.read("栓.kml", f"<kml>{mark(1)}</kml>".encode())
    layer = replace(
        one, name="赶水镇", format="gpkg", geometry=gpd.GeoSeries([shapely.Point(106.65, 28.7512)])
    )
    (told,) = [one for one in prepared(layer, qijiang).repairs if one.id.startswith("layer-town")]
    assert (told.new, told.why) == ("赶水镇", "没有街镇列;图层名“赶水镇”即赶水镇,共 1 行")
