"""Paper: the map of a page as a sheet, and the 短板通报, made while a bar says how far it is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from qjmap import webmap
from qjmap.district import District
from qjmap.errors import DataError, QjmapError
from qjmap.ui import frame, html, source, who
from qjmap.webmap import Scene

if TYPE_CHECKING:
    from qjmap.assess import Assessment
    from qjmap.export import Metadata

_PDF, _PNG = "application/pdf", "image/png"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_ZIP = "application/zip"

#: Files name a rule by its id, for those who trace it; on paper nobody can.
_RULE_ID = re.compile(r"\[[a-z0-9-]+\]")

Tell = Callable[[float, str], None]
"""Told how much is done (0–1), and what is being done."""


@dataclass(frozen=True)
class Product:
    """Something that takes a while to make.

    Parameters
    ----------
    label
        On the button.
    make
        Makes it, telling how far it is.
    name, mime
        Of the file.
    content
        What it is made of: another content is another file, and the old one is not offered any more.
    """

    label: str
    make: Callable[[Tell], bytes]
    name: str
    mime: str
    content: str


@st.fragment
def offer_map(
    district: District,
    scene: Scene,
    *,
    about: Callable[[], Metadata],
    name: str,
) -> None:
    """Offer the map that the page shows as a sheet of paper: PNG at 300 dpi, or PDF.

    Parameters
    ----------
    about
        Gives title, filter, standard and sources.
    name
        What the map shows, for the file's name.
    """
    box = st.popover("纸质地图", width="stretch", key="paper-map", on_change="rerun")
    with box:
        if box.open:
            _map_choices(district, scene, about, name)


def _map_choices(district: District, scene: Scene, about: Callable[[], Metadata], name: str) -> None:
    from qjmap import export

    ready = st.container()  # what is made stands on top, where it is seen
    size = st.segmented_control("纸张", ["A4", "A3"], default="A4", required=True, key="paper-size")
    turn = st.segmented_control("方向", ["纵向", "横向"], default="纵向", required=True, key="paper-turn")
    landscape = turn == "横向"
    content = _digest(webmap.scene_json(scene), str(size), str(landscape), repr(about()))

    def make(kind: str) -> Callable[[Tell], bytes]:
        def made(tell: Tell) -> bytes:
            tell(0.1, "正在备字体和底图…")
            from qjmap import cartography

            said = about()
            sheet = cartography.sheet_for(
                district,
                said.title,
                said.when,
                subtitle="" if said.filter == "全部" else f"筛选:{said.filter}",
                sources=said.sources,
                notes=[
                    one for one in said.notices if one not in (district.boundary_notice, export.DEMO_NOTICE)
                ],
                clause=_RULE_ID.sub("", said.standard),
            )
            tell(0.3, "正在制图…")
            figure = cartography.draw(
                district, scene, sheet, cartography.Paper("A3" if size == "A3" else "A4", landscape)
            )
            tell(0.7, "正在写文件…")
            return cartography.to_pdf(figure) if kind == "pdf" else cartography.to_png(figure)

        return made

    def file(kind: str) -> str:
        short = district.settings.short_name
        return export.file_name(short, name, f"{size}{turn}", when=date.today(), suffix=kind)

    _offer(
        "map",
        [
            Product("制作 PDF(矢量)", make("pdf"), file("pdf"), _PDF, content),
            Product("制作 PNG(300 dpi)", make("png"), file("png"), _PNG, content),
        ],
        ready,
    )


@st.fragment
def offer_bulletins(district: District, found: Assessment, town: str | None = None) -> None:
    """Offer the 短板通报 of a town, or of the district and of all its towns, as Word and PDF."""
    box = st.popover("短板通报", width="stretch", key="paper-bulletin", on_change="rerun")
    with box:
        if box.open:
            _bulletin_choices(district, found, town)


def _bulletin_choices(district: District, found: Assessment, town: str | None) -> None:
    from qjmap import export

    ready = st.container()
    place = town or district.settings.short_name
    # the assessment is kept by its content, so its identity stands for it
    content = _digest(source.fingerprint(), str(id(found)), str(town), date.today().isoformat())

    def one(kind: str) -> Callable[[Tell], bytes]:
        def made(tell: Tell) -> bytes:
            tell(0.1, "正在写通报…")
            from qjmap import bulletin, report

            said = (
                bulletin.district_bulletin(district, found, when=date.today(), errata=_errata())
                if town is None
                else bulletin.town_bulletin(district, found, town, when=date.today(), errata=_errata())
            )
            tell(0.3, "正在制图…")
            png, pdf = report.maps(district, found, town)
            tell(0.7, "正在排版…")
            if kind == "docx":
                return report.to_docx(said, png, report.template(report.DOCX, district.root))
            return report.to_pdf(said, pdf, report.template(report.TYPST, district.root))

        return made

    def all_towns(tell: Tell) -> bytes:
        tell(0.0, "正在备模板…")
        from qjmap import report

        return report.town_zip(
            district,
            found,
            when=date.today(),
            errata=_errata(),
            progress=lambda done, total, name: tell(done / total, f"{done} / {total} {name}"),
        )

    def file(suffix: str, what: str = "短板通报") -> str:
        return export.file_name(place, what, f"{found.year}年", when=date.today(), suffix=suffix)

    products = [
        Product(f"{place}通报(Word)", one("docx"), file("docx"), _WORD, content),
        Product(f"{place}通报(PDF)", one("pdf"), file("pdf"), _PDF, content),
    ]
    if town is None:
        label = f"{len(district.towns)} 个街镇的通报(一个压缩包)"
        products.append(Product(label, all_towns, file("zip", "各街镇短板通报"), _ZIP, content))
    st.html(html.note("按文件标准逐条核对的结果成文;模板在 data/templates,可用 Word 修改。"))
    _offer("bulletin", products, ready)


def _errata() -> pd.DataFrame | None:
    """Give the table of errata; None when it is not there or wrong, which the page of sources tells."""
    try:
        return source.table("errata") if source.has_table("errata") else None
    except DataError:
        return None


def _offer(key: str, products: Sequence[Product], ready: DeltaGenerator) -> None:
    """Offer what takes a while: a button makes it, a bar says how far it is, and then it can be taken from `ready`."""
    asked = next(
        (
            product
            for number, product in enumerate(products)
            if st.button(product.label, key=f"{key}-make-{number}", width="stretch")
        ),
        None,
    )
    kept = f"{key}-made"
    if asked is not None:
        st.session_state.pop(kept, None)
        bar = ready.progress(0.0, "正在准备…")

        def tell(part: float, what: str) -> None:
            bar.progress(min(max(part, 0.0), 1.0), what)

        try:
            st.session_state[kept] = (asked, asked.make(tell))
        except DataError as error:
            with ready:
                frame.show_problems("没有做成", error.problems)
        except QjmapError as error:
            ready.html(html.note(str(error)))
        finally:
            bar.empty()
    made: tuple[Product, bytes] | None = st.session_state.get(kept)
    if made is None or made[0].content not in {product.content for product in products}:
        st.session_state.pop(kept, None)
        return
    product, data = made
    ready.download_button(
        f"下载 {product.name}({len(data) / 1e6:.1f} MB)",
        who.taken_as_is(product.name, lambda: data),
        file_name=product.name,
        mime=product.mime,
        on_click="ignore",
        type="primary",
        key=f"{key}-take",
        width="stretch",
    )


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
