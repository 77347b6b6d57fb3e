"""The bulletin as files: Word and PDF from templates, hostile data, broken templates, all towns in one zip."""

from __future__ import annotations

import io
import re
import time
import zipfile
from dataclasses import replace
from datetime import date

import docx
import pypdf
import pytest
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from PIL import Image as Picture

from qjmap import _template, cli, report, shortlist
from qjmap.assess import SHORT, Assessment, assess
from qjmap.bulletin import Bulletin, Erratum, Row, Section, district_bulletin, town_bulletin
from qjmap.district import ROOT, District
from qjmap.errors import DataError, QjmapError
from qjmap.registers import load_layer, load_table
from qjmap.rulebook import load_standards

WHEN = date(2026, 11, 2)
WORD, TYPST = ROOT / "data" / "templates" / "bulletin.docx", ROOT / "data" / "templates" / "bulletin.typ"
TYP = TYPST.read_text(encoding="utf-8")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 20"><rect width="16" height="20" fill="#cfe5e6"/></svg>'


def png(width: int = 160, height: int = 200) -> bytes:
    out = io.BytesIO()
    Picture.new("RGB", (width, height), "#cfe5e6").save(out, "PNG")
    return out.getvalue()


def row(number: int, **more: object) -> Row:
    texts = {"place": "甲镇", "standard": f"标准{number}", "target": "每街镇1所", "have": "现有0所"}
    texts |= {
        "gap": "1 所",
        "people": "2.0万人",
        "basis": "某文1号第三条",
        "department": "区卫生健康委",
        "marks": "",
    }
    return Row(number=number, demo=False, **{**texts, **more})  # type: ignore[arg-type]


BULLETIN = Bulletin(
    title="方格区短板情况通报",
    subtitle="按2020年核对",
    number="",
    when=WHEN,
    office="",
    internal="",
    place="方格区",
    warning="",
    paragraphs=("现将情况通报如下。",),
    findings=(Section("一、总体情况", ("短缺2条。",)), Section("二、主要短板", ("缺1所。",))),
    map_title="方格区短缺分布图",
    map_notes=("示意界线",),
    rows=(row(1), row(2, marks="演示")),
    sources=("《方格区规划》", "《方格区条例》"),
    errata=(Erratum("K01", "床位", "合计3", "逐项相加为4", "照录", "《方格区规划》表1"),),
    notes=("未采用任何假定。",),
)


def word(said: Bulletin = BULLETIN, template: object = WORD) -> docx.document.Document:
    return docx.Document(io.BytesIO(report.to_docx(said, png(), template)))


def texts(document: docx.document.Document) -> list[str]:
    return [one.text for one in document.paragraphs]


def pdf(said: Bulletin = BULLETIN, template: object = TYPST) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(report.to_pdf(said, SVG, template)))


def pages(reader: pypdf.PdfReader) -> list[str]:
    """Give each page's text without white space: lines break where they may."""
    return [re.sub(r"\s+", "", page.extract_text()) for page in reader.pages]


# ---- Word -----------------------------------------------------------------------------------------


def test_word_says_everything_in_order():
    document = word()
    said = texts(document)
    order = [
        "方格区短板情况通报",
        "按2020年核对",
        "现将情况通报如下。",
        "一、总体情况",
        "短缺2条。",
        "2026年11月2日",
    ]
    order += ["方格区短缺分布图", "示意界线", "1.《方格区规划》", "2.《方格区条例》", "1.未采用任何假定。"]
    assert [one for one in said if one in order] == order
    assert not any("{" in one for one in said)
    shortages, errata = document.tables
    assert [cell.text for cell in shortages.rows[1].cells][:4] == ["1", "甲镇", "标准1", "每街镇1所"]
    assert len(shortages.rows) == 3
    assert shortages.rows[2].cells[-1].text == "演示"
    assert len(errata.rows) == 2
    assert document.core_properties.title == "方格区短板情况通报"


def test_word_sets_the_map_on_a_page_of_its_own_and_the_tables_across():
    document = word()
    (title,) = [one for one in document.paragraphs if one.text == "方格区短缺分布图"]
    assert title.paragraph_format.page_break_before
    first, second = document.sections
    assert (first.orientation, second.orientation) == (WD_ORIENT.PORTRAIT, WD_ORIENT.LANDSCAPE)
    (picture,) = document.inline_shapes
    assert picture.width <= first.page_width - first.left_margin - first.right_margin
    assert picture.height / picture.width == pytest.approx(200 / 160, rel=0.01)
    assert picture.height < first.page_height - first.top_margin - first.bottom_margin


@pytest.mark.parametrize("size", [(3000, 100), (100, 3000)])
def test_a_map_of_any_shape_stays_on_its_page(size):
    document = docx.Document(io.BytesIO(report.to_docx(BULLETIN, png(*size), WORD)))
    section, picture = document.sections[0], document.inline_shapes[0]
    assert picture.width <= section.page_width - section.left_margin - section.right_margin
    assert picture.height <= section.page_height - section.top_margin - section.bottom_margin


def test_table_heads_repeat_and_rows_do_not_break():
    for table in word().tables:
        assert table.rows[0]._tr.find(f".//{qn('w:tblHeader')}") is not None
        assert all(one._tr.find(f".//{qn('w:cantSplit')}") is not None for one in table.rows)


def test_headings_stay_with_what_follows_and_fonts_are_the_official_ones():
    document = word()
    heading = next(one for one in document.paragraphs if one.text == "一、总体情况")
    assert heading.style.paragraph_format.keep_with_next
    fonts = {
        name: document.styles[name].element.rPr.rFonts.get(qn("w:eastAsia"))
        for name in ("通报标题", "通报正文", "通报一级标题")
    }
    assert fonts == {"通报标题": "宋体", "通报正文": "仿宋", "通报一级标题": "黑体"}


def test_what_is_not_set_leaves_no_empty_line():
    assert "" not in [
        one.text for one in word().paragraphs if one.style.name in ("通报副题", "通报密级", "通报落款")
    ]
    full = texts(word(replace(BULLETIN, number="方府〔2026〕1号", office="方格区政府", internal="内部资料")))
    assert {"方府〔2026〕1号", "方格区政府", "内部资料"} <= set(full)
    empty = word(replace(BULLETIN, rows=(), errata=()))
    assert empty.tables == []
    assert "没有确定的短缺。" in texts(empty)


def test_the_same_input_is_the_same_file():
    assert report.to_docx(BULLETIN, png(), WORD) == report.to_docx(BULLETIN, png(), WORD)
    assert report.to_pdf(BULLETIN, SVG, TYPST) == report.to_pdf(BULLETIN, SVG, TYPST)


def test_the_office_may_change_the_word_template():
    template = docx.Document(WORD)
    next(one for one in template.paragraphs if one.text == "资料来源").text = "引用文件"
    template.add_paragraph("抄送:各街镇")
    template.sections[0].left_margin = template.sections[0].right_margin = docx.shared.Mm(50)
    out = io.BytesIO()
    template.save(out)
    document = word(template=out.getvalue())
    assert {"引用文件", "抄送:各街镇"} <= set(texts(document))
    assert "资料来源" not in texts(document)
    assert document.inline_shapes[0].width <= docx.shared.Mm(111)


# ---- PDF ------------------------------------------------------------------------------------------


def test_the_pdf_has_the_findings_first_then_the_map_then_the_table():
    reader = pdf()
    first, second, third = pages(reader)[:3]
    assert "短缺2条。" in first
    assert "2026年11月2日" in first
    assert "方格区短缺分布图" not in first
    assert "方格区短缺分布图" in second
    assert "标准1" in third
    rest = "".join(pages(reader)[2:])
    assert all(text in rest for text in ("演示", "《方格区条例》", "K01", "逐项相加为4", "未采用任何假定。"))
    assert [page.mediabox.width > page.mediabox.height for page in reader.pages][:3] == [False, False, True]
    assert reader.metadata is not None
    assert reader.metadata.title == "方格区短板情况通报"


def test_every_font_in_the_pdf_is_embedded_and_is_chinese():
    names = set()
    for page in pdf().pages:
        for font in page["/Resources"].get("/Font", {}).values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            names.add(inner["/BaseFont"])
            described = inner["/FontDescriptor"].get_object()
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(described)
    assert names
    assert all("CJK" in name or "Noto" in name or "Source" in name for name in names)


def test_the_head_of_a_long_table_is_on_every_page_of_it():
    reader = pdf(replace(BULLETIN, rows=tuple(row(n) for n in range(1, 121)), errata=()))
    table = [text for text in pages(reader)[2:] if "标准" in text and "甲镇" in text]
    assert len(table) > 3
    assert all("责任部门" in text and "影响人口" in text for text in table)
    assert len(re.findall(r"甲镇", "".join(table))) == 120


def test_a_first_page_that_is_too_long_is_set_smaller():
    much = Section("二、主要短板", tuple("很长的一段话" * 20 for _ in range(9)))
    said = pages(pdf(replace(BULLETIN, findings=(much,))))
    assert "2026年11月2日" in said[0]
    assert "方格区短缺分布图" in said[1]


def test_the_office_may_change_the_typst_template():
    changed = TYP.replace('title("资料来源")', 'title("引用文件")')
    assert "引用文件" in "".join(pages(pdf(template=changed)))


# ---- hostile data ---------------------------------------------------------------------------------

HOSTILE = (
    "{{ 7*7 }}{% for x in y %}",
    "<w:br/>&amp;<b>",
    '#panic("x") $x$ *粗* _斜_ @ref <label> `raw` // \\',
    '#read("/etc/passwd")',
    "{_{ 7*7 }_}",
    "控\x00制\x0b\u202e字\ud800符",
    "a" * 500,
)


@pytest.mark.parametrize("evil", HOSTILE)
def test_what_stands_in_data_is_printed_and_never_run(evil):
    said = replace(
        BULLETIN,
        title=evil,
        findings=(Section(evil, (evil,)),),
        rows=(row(1, place=evil, standard=evil),),
        sources=(evil,),
    )
    shown = report._clean(evil)
    in_word = word(said)
    assert in_word.tables[0].rows[1].cells[2].text.replace("{{", "{_{").replace("}}", "}_}") == shown.replace(
        "{{", "{_{"
    ).replace("}}", "}_}")
    plain = "".join(pages(pdf(said))).replace("\u200b", "")
    assert "49" not in plain
    assert "root:" not in plain
    assert re.sub(r"\s+", "", shown)[:20] in plain


# ---- broken templates -----------------------------------------------------------------------------


def word_template(text: str) -> bytes:
    template, out = docx.Document(), io.BytesIO()
    template.add_paragraph(text)
    template.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ titel }}", "titel"),
        ("{{ title", r"成对的 \{\{ \}\}"),
        ("{% for x in rows %}", "成对的"),
        ("{{ ''.__class__.__mro__ }}", "模板"),
        ("{{ map.tpl.docx }}", "tpl"),
        ("{{ map.tpl.save('/tmp/qjmap-must-not-be') }}", "模板"),
        ("{% include '/etc/passwd' %}", "模板"),
        ("{{ 1 // 0 }}", "模板"),
    ],
)
def test_a_broken_word_template_is_named_with_what_is_wrong(text, said, tmp_path):
    path = tmp_path / "bulletin.docx"
    path.write_bytes(word_template(text))
    with pytest.raises(DataError, match=said) as caught:
        report.to_docx(BULLETIN, png(), path)
    assert "bulletin.docx" in str(caught.value)
    assert "build-templates" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a zip", png(), zipfile.ZipFile])
def test_a_file_that_is_no_word_template(content, tmp_path):
    if not isinstance(content, bytes):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("word/document.xml", "<broken")
        content = out.getvalue()
    path = tmp_path / "bulletin.docx"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"文件 data/templates/bulletin\.docx.*应为Word 能打开的"):
        report.to_docx(BULLETIN, png(), path)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("#let x = (", "第 1 行"),
        ("好\n#it.title", "第 2 行"),
        ('#let it = json("data.json")\n\n#it.titel', "第 3 行.*titel"),
        ('#read("/etc/passwd")', "模板"),
        ('#read("../../../../etc/passwd")', "模板"),
        ('#import "@preview/cetz:0.3.0"', "不引用网上程序包"),
    ],
)
def test_a_broken_typst_template_is_named_with_its_line(source, said):
    with pytest.raises(DataError, match=said) as caught:
        report.to_pdf(BULLETIN, SVG, source)
    assert "bulletin.typ" in str(caught.value)


def test_a_missing_template_and_a_map_that_is_none(tmp_path):
    for make in (report.to_docx, report.to_pdf):
        with pytest.raises(DataError, match="没有这个文件"):
            make(BULLETIN, png(), tmp_path / "none")
    with pytest.raises(QjmapError, match="地图不是可用的图片"):
        report.to_docx(BULLETIN, b"nothing", WORD)
    with pytest.raises(DataError, match="可用的地图"):
        report.to_pdf(BULLETIN, b"nothing", TYPST)


# ---- the template itself --------------------------------------------------------------------------


def test_the_template_that_ships_is_the_one_the_command_builds(tmp_path, capsys):
    assert _template.build() == _template.build()
    shipped, built = (zipfile.ZipFile(one) for one in (WORD, io.BytesIO(_template.build())))
    assert {name: shipped.read(name) for name in shipped.namelist()} == {
        name: built.read(name) for name in built.namelist()
    }
    assert cli.main(["build-templates", "--root", str(tmp_path)]) == 0
    own = tmp_path / "data" / "templates" / "bulletin.docx"
    own.write_bytes(b"changed by the office")
    assert cli.main(["build-templates", "--root", str(tmp_path)]) == 1
    assert own.read_bytes() == b"changed by the office"
    assert "--overwrite" in capsys.readouterr().err
    assert cli.main(["build-templates", "--root", str(tmp_path), "--overwrite"]) == 0
    assert report.template(report.DOCX, tmp_path) == own
    assert report.template(report.TYPST, tmp_path) == TYPST


# ---- the real district, all towns -----------------------------------------------------------------


@pytest.fixture(scope="module")
def real(request: pytest.FixtureRequest) -> tuple[District, Assessment]:
    district: District = request.getfixturevalue("qijiang")
    standards = load_standards(
        district.root / "data" / "standards.toml", district.registry, district.documents.index
    )
    layers = {key: load_layer(district, key) for key in district.registry.layers}
    return district, assess(district, layers, standards, 2020, indicators=load_table(district, "indicators"))


def test_the_real_district_in_both_files(real):
    district, found = real
    said = district_bulletin(district, found, when=WHEN, errata=load_table(district, "errata"))
    totals = shortlist.totals(shortlist.lines(found))
    in_word = word(said)
    in_pdf = pages(pdf(said))
    assert len(in_word.tables[0].rows) == len(said.rows) + 1
    assert len(in_word.tables[1].rows) == len(said.errata) + 1
    for first in (in_pdf[0], "".join(texts(in_word))):
        assert f"短缺{totals.rules[SHORT]}条" in first
        assert "演示数据" in first
        assert "四、有关说明" in first
    assert "2026年11月2日" in in_pdf[0]
    assert said.map_title in in_pdf[1]
    last = "".join(in_pdf)
    assert all(re.sub(r"\s+", "", one) in last for one in said.sources)


def test_the_map_is_that_of_the_district_or_of_the_town(real):
    district, found = real
    png_, pdf_ = report.maps(district, found)
    of_town = report.maps(district, found, "古南街道")
    assert png_ != of_town[0]
    with Picture.open(io.BytesIO(png_)) as picture:
        assert picture.width / picture.height == pytest.approx(report.MAP_MM[0] / report.MAP_MM[1], rel=0.01)
    text = pypdf.PdfReader(io.BytesIO(pdf_)).pages[0].extract_text()
    assert "含演示数据" in text
    assert "示意界线" in text
    said = town_bulletin(district, found, "古南街道", when=WHEN)
    whole = pypdf.PdfReader(io.BytesIO(report.to_pdf(said, of_town[1], TYPST)))
    assert "含演示数据" in pages(whole)[1]


def test_all_towns_in_one_zip(real):
    district, found = real
    told: list[tuple[int, int, str]] = []
    began = time.process_time()
    content = report.town_zip(
        district,
        found,
        lambda town: (png(), SVG),
        when=WHEN,
        errata=load_table(district, "errata"),
        progress=lambda *step: told.append(step),
    )
    assert time.process_time() - began < 60
    towns = [str(town) for town in district.towns.index]
    assert told == [*((n, 21, town) for n, town in enumerate(towns)), (21, 21, "")]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert "Word/01_古南街道_短板通报.docx" in names
        assert "PDF/01_古南街道_短板通报.pdf" in names
        assert len([one for one in names if one.endswith((".docx", ".pdf"))]) == 42
        assert {one.date_time[:3] for one in archive.infolist()} == {(2026, 11, 2)}
        for n, town in enumerate(towns, 1):
            document = docx.Document(io.BytesIO(archive.read(f"Word/{n:02d}_{town}_短板通报.docx")))
            short = sum(one.status == SHORT for one in found.of_town(town))
            assert sum(len(one.rows) - 1 for one in document.tables[:1]) == short
            reader = pypdf.PdfReader(io.BytesIO(archive.read(f"PDF/{n:02d}_{town}_短板通报.pdf")))
            assert f"{town}短缺分布图" in pages(reader)[1]
        assert "文件 42 份" in archive.read("说明.txt").decode("utf-8-sig")


def test_a_town_that_fails_does_not_lose_the_rest(real, caplog):
    district, found = real

    def draw(town: str) -> tuple[bytes, bytes]:
        if town == "文龙街道":
            raise RuntimeError("secret path /x/y")
        return png(), b"nothing" if town == "通惠街道" else SVG

    towns = ["古南街道", "文龙街道", "通惠街道"]
    content = report.town_zip(district, found, draw, when=WHEN, towns=towns)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert sorted(archive.namelist()) == [
            "PDF/01_古南街道_短板通报.pdf",
            "Word/01_古南街道_短板通报.docx",
            "Word/03_通惠街道_短板通报.docx",
            "说明.txt",
        ]
        said = archive.read("说明.txt").decode("utf-8-sig")
    assert "没有生成:Word/02_文龙街道_短板通报.docx" in said
    assert "没有生成:PDF/03_通惠街道_短板通报.pdf" in said
    assert "secret" not in said
    assert "secret" in caplog.text


def test_a_template_that_serves_no_town_is_an_error(real):
    district, found = real
    with pytest.raises(QjmapError, match=r"都没有生成.*bulletin\.docx"):
        report.town_zip(
            district,
            found,
            lambda town: (png(), SVG),
            when=WHEN,
            towns=["古南街道"],
            docx_template=b"broken",
            pdf_template="#broken",
        )
