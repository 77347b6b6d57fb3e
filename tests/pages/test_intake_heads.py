"""Files whose columns or towns are called in two places: folders of a KML, heads of two lines."""

from __future__ import annotations

from tests.pages.test_intake import on, upload
from tests.test_folders import folder, mark


def test_folders_called_as_towns_are_told_with_the_columns_and_listed_as_a_repair(office):
    inside = folder("东溪镇", mark(1), mark(2)) + folder("赶水镇", mark(3))
    seen = upload(f"<kml><Document>{inside}</Document></kml>".encode(), "栓.kml")
    assert "文件没有街镇列:文件夹“东溪镇”“赶水镇”的各行按文件夹名记街镇" in seen.text
    assert "文件里不用的列" not in seen.text
    assert "文件夹" in seen.at.selectbox(key="intake-column-town").options
    on(seen, 2)
    assert "要素分在 2 个文件夹里,文件夹的名称记在“文件夹”列" in seen.text
    assert seen.at.toggle(key="intake-repair-folder-town:town").label == "按文件夹名·街镇(2 个文件夹)"
    assert "文件夹“赶水镇”" in seen.at.multiselect(key="intake-singles-folder-town:town").options[1]
