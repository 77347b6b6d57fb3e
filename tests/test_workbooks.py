"""The template and the workbook that goes back: what Excel would show, and that both are read again."""

from __future__ import annotations

import io

import pytest
from openpyxl import Workbook, load_workbook

from qjmap import datum, draft, ingest, matching, workbooks
from qjmap.errors import DataError


def prepared(name: str, content: bytes, district, key: str = "hydrants"):
    spec = district.registry.spec(key)
    towns = tuple(district.towns.index)
    sources = ingest.read(name, content)
    source = max(sources, key=lambda one: matching.score(one, spec, towns))
    matches = matching.match(source, spec, towns)
    columns = draft.coordinates(source, matches)
    readings = datum.readings(*columns, district) if columns else []
    return source, draft.prepare(
        source, spec, matches, readings[0] if readings else None, draft.surroundings(district)
    )


# ---- template --------------------------------------------------------------------------------------


def test_every_layers_template_says_what_it_wants(qijiang):
    towns = tuple(qijiang.towns.index)
    for spec in (*qijiang.registry.layers.values(), qijiang.registry.tables["villages"]):
        book = load_workbook(io.BytesIO(workbooks.template(spec, qijiang.registry, towns)))
        sheet = book.worksheets[0]
        assert sheet.title == spec.label
        headers = [cell.value for cell in sheet[1]]
        assert all(cell.comment.text for cell in sheet[1])
        assert sheet.max_row == 4
        offered = {str(rule.sqref).split(":")[0]: rule for rule in sheet.data_validations.dataValidation}
        assert ("地址" in headers) == (spec.geometry == "point")
        for place, header in enumerate(headers, 1):
            if header == "地址":
                continue
            column = next(one for one in spec.columns.values() if workbooks.title(one) == header)
            if column.values or column.type == "town":
                assert offered[f"{sheet.cell(2, place).coordinate}"].type == "list"
        assert book[workbooks.HOW]["A1"].value == "本表"


SHAPES = {
    "line": "LINESTRING (106.66 28.76, 106.67 28.77)",
    "polygon": "POLYGON ((106.66 28.76, 106.67 28.76, 106.67 28.77, 106.66 28.76))",
}


def test_a_template_is_read_back_without_its_examples(qijiang):
    towns = tuple(qijiang.towns.index)
    for key, spec in qijiang.registry.layers.items():
        content = workbooks.template(spec, qijiang.registry, towns)
        book = load_workbook(io.BytesIO(content))
        sheet = book.worksheets[0]
        headers = [cell.value for cell in sheet[1]]
        row = {"编号": "T1", "名称": "某处", "街镇": towns[0], "类别": spec.kinds[0], "状态": "现状"}
        row["图形"] = SHAPES.get(spec.geometry)
        sheet.append([row.get(header) for header in headers])
        out = io.BytesIO()
        book.save(out)
        source, made = prepared("模板.xlsx", out.getvalue(), qijiang, key)
        assert source.name == spec.label
        assert made.problems == ()
        assert made.frame["id"].tolist() == ["T1"]
        assert tuple(made.rows) == (5,)
        assert any("示例" in note for note in made.notes)


# ---- what goes back --------------------------------------------------------------------------------

ROWS = [
    ["消火栓台账", None, None, None, None, None],
    ["编号", "名称", "街镇", "类别", "口径(毫米)", "经度", "纬度"],
    ["A1", "甲", "东溪镇", "市政消火栓", 100, 106.661234, 28.761234],
    ["A2", "=SUM(1,2)", "不知镇", "市政消火栓", "很大", 106.671234, 28.771234],
    ["A1", "丙", "东溪镇", "市政消火栓", 100, 106.681234, 28.761234],
]


def workbook() -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = "台账"
    for row in ROWS:
        sheet.append(row)
    sheet["B4"].data_type = "s"
    sheet.column_dimensions["B"].width = 33
    book.create_sheet("说明").append(["别的表"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_the_same_workbook_goes_back_with_its_faults(qijiang):
    content = workbook()
    _, made = prepared("台账.xlsx", content, qijiang)
    assert made.bad.tolist() == [False, True, True]
    book = load_workbook(io.BytesIO(workbooks.returned("台账.xlsx", content, made)))
    sheet = book["台账"]
    assert book.sheetnames == ["台账", "说明"]
    assert sheet.column_dimensions["B"].width == 33
    assert sheet["H2"].value == "错误"
    assert sheet["H3"].value is None
    assert "街镇:现为“不知镇”" in sheet["H4"].value
    assert "口径(毫米):现为“很大”" in sheet["H4"].value
    assert "与第 3 行重复" in sheet["H5"].value
    red = {
        cell.coordinate
        for row in sheet.iter_rows(max_col=7)
        for cell in row
        if cell.fill.start_color.rgb == "FFFFC7CE"
    }
    assert red == {"C4", "E4", "A5"}
    assert sheet["B4"].data_type == "s"


def test_what_went_back_and_is_mended_is_read_again(qijiang):
    content = workbook()
    _, made = prepared("台账.xlsx", content, qijiang)
    book = load_workbook(io.BytesIO(workbooks.returned("台账.xlsx", content, made)))
    sheet = book["台账"]
    sheet["C4"], sheet["E4"], sheet["A5"] = "东溪镇", 100, "A3"
    out = io.BytesIO()
    book.save(out)
    _, again = prepared("台账.xlsx", out.getvalue(), qijiang)
    assert again.problems == ()
    assert len(again.frame) == 3
    third = load_workbook(io.BytesIO(workbooks.returned("台账.xlsx", out.getvalue(), again)))["台账"]
    assert third["H2"].value == "错误"
    assert third["H5"].value is None
    assert third["I2"].value is None


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_csv_goes_back_as_a_workbook(qijiang, encoding):
    text = "\n".join(
        ",".join("" if one is None else str(one).replace(",", ";") for one in row) for row in ROWS[1:]
    )
    content = text.encode(encoding)
    _, made = prepared("台账.csv", content, qijiang)
    sheet = load_workbook(io.BytesIO(workbooks.returned("台账.csv", content, made))).worksheets[0]
    assert sheet["H1"].value == "错误"
    assert "不知镇" in sheet["H3"].value
    assert sheet["C3"].fill.start_color.rgb == "FFFFC7CE"
    assert sheet["B3"].data_type == "s"


def test_a_large_workbook_is_written_afresh_row_by_row(qijiang, monkeypatch):
    monkeypatch.setattr(workbooks, "_KEPT_CELLS", 1)
    content = workbook()
    _, made = prepared("台账.xlsx", content, qijiang)
    sheet = load_workbook(io.BytesIO(workbooks.returned("台账.xlsx", content, made))).worksheets[0]
    assert sheet["H2"].value == "错误"
    assert "与第 3 行重复" in sheet["H5"].value


def test_another_file_is_refused(qijiang):
    _, made = prepared("台账.xlsx", workbook(), qijiang)
    with pytest.raises(DataError, match="表格文件"):
        workbooks.returned("别的.csv", b"a,b\n1,2\n", made)
