"""Files to take away: made when a person asks for one, not before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import pandas as pd
import streamlit as st

from qjmap import export, summary
from qjmap.coverage import covered_geometry
from qjmap.district import District
from qjmap.registers import Layer, has_demo
from qjmap.ui import source, who, words
from qjmap.ui.view import View

GEOJSON, EXCEL = "application/geo+json", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def offer_downloads(
    view: View,
    table: pd.DataFrame,
    metadata: export.Metadata,
    over: Sequence[Layer] = (),
    *,
    more: Callable[[], None],
) -> None:
    """Offer the filtered layer, the coverage and the gaps, and the tables, each saying what it is.

    Parameters
    ----------
    view
        What the page shows.
    table
        The page's table of towns, with its labels as columns.
    metadata
        Filter, standard, date and sources; the title is set for each file.
    over
        The layers of lines and areas under the marks: each may be taken too, whole.
    more
        Offers what else there is, below these.
    """
    district, spec = view.district, view.spec
    demo = has_demo(view.serving if view.covers else view.shown)

    def titled(what: str) -> export.Metadata:
        return replace(metadata, title=f"{district.settings.short_name}{spec.label}:{what}")

    def records(sensitive: bool) -> bytes:
        return export.to_geojson(
            view.shown,
            spec,
            metadata=titled("所选设施"),
            projection=district.projection,
            include_sensitive=sensitive,
        )

    def areas(part: int, what: str) -> Callable[[bool], bytes]:
        def make(_sensitive: bool) -> bytes:
            assert view.coverage is not None
            assert view.radius_m is not None
            facilities = view.serving
            shapes = covered_geometry(
                district.boundaries.geometry.to_numpy(),
                facilities["x"].to_numpy(float),
                facilities["y"].to_numpy(float),
                view.radius_m,
                facilities["error_m"].fillna(0).to_numpy(float),
            )[part]
            chosen = [i for i, town in enumerate(district.boundaries.index) if town in view.towns]
            key = ("certain", "possible", "uncovered")[part]
            rows = view.coverage.iloc[chosen]
            return export.geometries_to_geojson(
                [str(name) for name in rows.index],
                [district.projection.geometry_to_degrees(shapes[i]) for i in chosen],
                {
                    "类型": [what] * len(rows),
                    "面积(平方千米)": rows[f"km2_{key}"].round(4).tolist(),
                    "人口(估算)": rows[f"people_{key}"].round().tolist(),
                    "占本街镇面积": (rows[f"km2_{key}"] / rows["area_km2"]).round(4).tolist(),
                    "占本街镇人口": rows[key].round(4).tolist(),
                    "服务半径(米)": [float(view.radius_m[i]) for i in chosen],
                },
                metadata=titled(f"{what}范围"),
                demo=demo,
            )

        return make

    def workbook(sensitive: bool) -> bytes:
        records = export.to_table(
            view.shown, spec, projection=district.projection, include_sensitive=sensitive
        )
        sheets = {"分街镇": table, spec.label: records}
        sheets |= {
            layer.spec.label: export.to_table(
                layer.frame,
                layer.spec,
                projection=district.projection,
                include_sensitive=sensitive,
            )
            for layer in over
        }
        return export.to_excel(sheets, titled("分街镇与明细").info(demo=demo))

    files: list[tuple[str, Callable[[bool], bytes], str, str]] = [
        ("设施(GeoJSON)", records, "设施", "geojson"),
    ]
    if view.covers:
        files += [
            ("覆盖范围(GeoJSON)", areas(0, "覆盖"), "覆盖", "geojson"),
            ("可能覆盖范围(GeoJSON)", areas(1, "可能覆盖"), "可能覆盖", "geojson"),
            ("未覆盖范围(GeoJSON)", areas(2, "未覆盖"), "未覆盖", "geojson"),
        ]
    files.append(("表格(Excel)", workbook, "分街镇与明细", "xlsx"))
    own = [spec, *(layer.spec for layer in over)]
    with st.popover("导出", width="stretch"):
        for label, make, what, suffix in files:
            st.download_button(
                label,
                who.taken(f"{spec.label}:{label}", make, own if suffix == "xlsx" else [spec]),
                file_name=export.file_name(
                    district.settings.short_name, spec.label, what, when=metadata.when, suffix=suffix
                ),
                mime=EXCEL if suffix == "xlsx" else GEOJSON,
                on_click="ignore",
                key=f"download-{what}",
                width="stretch",
            )
        for layer in over:
            _offer_shapes(district, layer, metadata)
        more()


def _offer_shapes(district: District, layer: Layer, metadata: export.Metadata) -> None:
    """Offer a layer of lines or areas as GeoJSON."""
    own = layer.spec
    about = replace(
        metadata,
        title=f"{district.settings.short_name}{own.label}",
        filter="全部",
        standard="未用标准",
        sources=(
            *words.documents(district, summary.documents_of([layer.frame])),
            *source.imported([own.key]),
        ),
        notices=(district.boundary_notice,),
    )

    def make(sensitive: bool) -> bytes:
        return export.to_geojson(layer.frame, own, metadata=about, include_sensitive=sensitive)

    label = f"{own.label}(GeoJSON)"
    st.download_button(
        label,
        who.taken(f"{own.label}:{label}", make, [own]),
        file_name=export.file_name(
            district.settings.short_name, own.label, when=metadata.when, suffix="geojson"
        ),
        mime=GEOJSON,
        on_click="ignore",
        key=f"download-{own.key}",
        width="stretch",
    )


def today() -> date:
    """Give the day that files are dated with."""
    return date.today()
