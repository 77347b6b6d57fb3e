"""Paper, as a person asks for it: a button, a bar, a file; and the file is opened."""

import io
import zipfile

import pytest
from docx import Document
from PIL import Image
from pypdf import PdfReader
from serve import drawn, settled

pytestmark = pytest.mark.browser


def made(page, box, button, tmp_path):
    """Open a box, press a button, wait for the file and take it."""
    page.get_by_role("button", name=box, exact=True).click()
    page.get_by_role("button", name=button).click()
    take = page.get_by_role("button", name="下载 ")
    take.wait_for()
    settled(page)
    with page.expect_download() as got:
        take.click()
    path = tmp_path / got.value.suggested_filename
    got.value.save_as(path)
    return path


def fonts_of(reader):
    """Every font of a PDF: name → whether it is inside the file."""
    found = {}
    for page in reader.pages:
        for font in (page["/Resources"].get("/Font") or {}).values():
            font = font.get_object()
            below = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
            about = below.get("/FontDescriptor")
            inside = font["/Subtype"] == "/Type3" or (
                about is not None
                and bool({"/FontFile", "/FontFile2", "/FontFile3"} & set(about.get_object()))
            )
            found[str(font.get("/BaseFont", font["/Subtype"]))] = inside
    return found


def test_a_map_is_made_as_pdf_and_png(server, visit, tmp_path):
    with visit() as page:
        page.goto(f"{server}/health?demo=false")
        drawn(page)
        path = made(page, "纸质地图", "制作 PDF", tmp_path)
        reader = PdfReader(path)
        assert len(reader.pages) == 1
        width, height = (float(side) / 72 * 25.4 for side in reader.pages[0].mediabox[2:])
        assert (round(width), round(height)) == (210, 297)
        fonts = fonts_of(reader)
        assert fonts
        assert all(fonts.values())
        text = reader.pages[0].extract_text()
        for said in ("綦江区医疗卫生机构", "示意界线", "审图号", "赶水镇", "2026", "3500", "〔2022〕32号"):
            assert said in text.replace(",", ""), said


def test_a_large_map_of_paper_turned_round(server, visit, tmp_path):
    with visit() as page:
        page.goto(f"{server}/overview?demo=false")
        drawn(page)
        page.get_by_role("button", name="纸质地图", exact=True).click()
        page.get_by_role("radio", name="A3").click()
        page.get_by_role("radio", name="横向").click()
        settled(page)
        page.get_by_role("button", name="制作 PNG").click()
        take = page.get_by_role("button", name="下载 ")
        take.wait_for()
        settled(page)
        with page.expect_download() as got:
            take.click()
        with Image.open(got.value.path()) as picture:
            assert picture.size == (4961, 3508)
        assert "A3横向" in got.value.suggested_filename
        # another choice is another file: the old one is not offered under it
        page.get_by_role("radio", name="A4").click()
        settled(page)
        assert page.get_by_role("button", name="下载 ").count() == 0


def test_a_towns_bulletin_as_word(server, visit, tmp_path):
    with visit() as page:
        page.goto(f"{server}/town?town=赶水镇&demo=false")
        drawn(page)
        path = made(page, "短板通报", "赶水镇通报(Word)", tmp_path)
        document = Document(path)
        text = "\n".join(one.text for one in document.paragraphs)
        assert "赶水镇" in text
        assert "一、总体情况" in text
        assert document.inline_shapes
        cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
        assert any("专栏" in cell for cell in cells)


def test_all_towns_in_one_file_while_a_bar_tells(server, visit, tmp_path):
    with visit() as page:
        page.goto(f"{server}/shortages?demo=false")
        drawn(page)
        page.get_by_role("button", name="短板通报", exact=True).click()
        page.get_by_role("button", name="21 个街镇的通报").click()
        page.get_by_text("/ 21").first.wait_for()
        bar = page.get_by_role("progressbar")
        first = int(bar.get_attribute("aria-valuenow"))
        page.wait_for_function(
            "before => +document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow') > before",
            arg=first,
        )
        take = page.get_by_role("button", name="下载 ")
        take.wait_for()
        settled(page)
        with page.expect_download() as got:
            take.click()
        with zipfile.ZipFile(got.value.path()) as archive:
            names = archive.namelist()
            assert sum(name.endswith(".docx") for name in names) == 21
            assert sum(name.endswith(".pdf") for name in names) == 21
            sheet = PdfReader(
                io.BytesIO(archive.read(next(n for n in names if "赶水镇" in n and n.endswith("pdf"))))
            )
            assert "赶水镇短板情况通报" in sheet.pages[0].extract_text()
            assert all(fonts_of(sheet).values())
