"""The list of what is short, to take away: made when a person asks for it, not before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from qjmap import export, shortlist_files
from qjmap.assess import Assessment
from qjmap.district import District
from qjmap.shortlist import Choice, Line
from qjmap.ui import source, who, words
from qjmap.ui.downloads import EXCEL, GEOJSON, today

CSV = "text/csv"


def offer(
    district: District,
    found: Assessment,
    chosen: Sequence[Line],
    choice: Choice,
    *,
    more: Callable[[], None] = lambda: None,
) -> None:
    """Offer the chosen rules' answers as Excel, CSV and, where a gap has a shape, GeoJSON.

    Parameters
    ----------
    found
        The assessment.
    chosen, choice
        The rules on the page, weightiest first, and how they were chosen.
    more
        Offers what else there is, below these.
    """
    about = metadata(district, found, chosen, choice)
    answers = shortlist_files.answers(chosen, choice.statuses)
    demo = any(one.demo for one in answers)

    def table_of() -> bytes:
        return export.to_csv(shortlist_files.table(answers, found, district))

    def workbook() -> bytes:
        return shortlist_files.workbook(shortlist_files.table(answers, found, district), about, demo=demo)

    def gaps() -> bytes:
        return shortlist_files.geojson(answers, found, district, about)

    files: list[tuple[str, Callable[[], bytes], str, str, str]] = [
        ("短板清单(Excel,每部门一张表)", workbook, "短板清单", "xlsx", EXCEL),
        ("短板清单(CSV)", table_of, "短板清单", "csv", CSV),
        ("短缺与缺口图形(GeoJSON)", gaps, "短缺", "geojson", GEOJSON),
    ]
    with st.popover("导出", width="stretch", disabled=not answers):
        for label, make, what, suffix, kind in files:
            st.download_button(
                label,
                who.taken_as_is(f"短板清单:{label}", make),
                file_name=export.file_name(
                    district.settings.short_name, what, f"{found.year}年", when=about.when, suffix=suffix
                ),
                mime=kind,
                on_click="ignore",
                key=f"take-{suffix}",
                width="stretch",
            )
        more()


def metadata(
    district: District, found: Assessment, chosen: Sequence[Line], choice: Choice
) -> export.Metadata:
    """Say in a file what was chosen and what it rests on."""
    cited = words.documents(district, (line.rule.document for line in chosen))
    about = export.Metadata(
        title=f"{district.settings.short_name}短板清单({found.year}年)",
        when=today(),
        filter=choice.words(district.registry),
        sources=(
            *cited,
            *source.imported_for(line.rule for line in chosen),
            words.population_line(district, found.year),
        ),
        notices=(district.boundary_notice,),
    )
    changed = [line.rule for line in chosen if line.rule.custom]
    return shortlist_files.describe(found, about, changed)
