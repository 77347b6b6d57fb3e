"""What the page of sources lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd
import streamlit as st

from qjmap import export, summary
from qjmap.checks import CONCERNS, LISTED, UNPLACED
from qjmap.district import District
from qjmap.errors import DataError
from qjmap.filters import Filter
from qjmap.ingest import read_csv
from qjmap.layers import LayerSpec
from qjmap.registers import Layer, concerned, has_demo
from qjmap.ui import frame, html, source, who, words
from qjmap.ui.downloads import EXCEL, today
from qjmap.ui.table import TableColumn, show_table
from qjmap.webmap import MarkLayer, MarkStyle

#: How well a place is known → its colour, well known to poorly known.
_POSITIONS = {
    "实测": "#14616b",
    "表载坐标": "#5a7d2a",
    "地址匹配": "#3a8f96",
    "图上点取": "#8a6d1f",
    "驻地近似": "#3a6fa3",
    "村社近似": "#8a6fa3",
    "镇域近似": "#c2500a",
}
_HEIGHT = "calc(100vh - 15rem)"


def any_demo(layers: Mapping[str, Layer]) -> bool:
    """Tell whether any layer holds invented records."""
    return any(has_demo(layer.frame) for layer in layers.values())


def cited(layers: Mapping[str, Layer]) -> list[str]:
    """List the documents that the layers rest on."""
    return summary.documents_of([layer.frame for layer in layers.values()])


def chosen(layers: Mapping[str, Layer], choice: Filter) -> dict[str, Layer]:
    """Keep the chosen records of every layer."""
    return {key: replace(layer, frame=layer.frame[choice.mask(layer.frame)]) for key, layer in layers.items()}


def position_marks(
    district: District, layers: Mapping[str, Layer]
) -> tuple[list[MarkLayer], dict[str, list[str]]]:
    """Mark every record that is not invented by how well its place is known."""
    marks, ids = [], {}
    values = list(_POSITIONS)
    for key, layer in layers.items():
        records = summary.placed(layer.frame[layer.frame["source"] != "演示"])
        if records.empty or layer.spec.shaped:
            continue
        lon, lat = district.projection.to_degrees(records["x"], records["y"])
        classes = records["position"].astype("str").map(values.index).to_numpy(dtype=np.uint8)
        marks.append(
            MarkLayer(
                key=key,
                lon=np.asarray(lon),
                lat=np.asarray(lat),
                symbol=district.registry.symbols[layer.spec.symbol],
                styles=[
                    MarkStyle(f"{layer.spec.label}:{name}", colour) for name, colour in _POSITIONS.items()
                ],
                classes=classes,
                names=records["name"].tolist() if len(records) < 100 else None,
            )
        )
        ids[key] = records["id"].tolist()
    return marks, ids


def show_layers(layers: Mapping[str, Layer]) -> None:
    """Count every layer's records by source and by how well their places are known."""
    rows = []
    for key, layer in layers.items():
        records = layer.frame
        rows.append(
            {
                "key": key,
                "label": layer.spec.label,
                "file": int((records["source"] == "文件").sum()),
                "brought": int((records["source"] == "导入").sum()),
                "demo": int((records["source"] == "演示").sum()),
                "unplaced": int((records["position"] == UNPLACED).sum()),
                "error": float(records["error_m"].median()) if records["error_m"].notna().any() else None,
                "department": layer.spec.department,
            }
        )
    columns = [
        TableColumn("label", "图层"),
        TableColumn("file", "文件", "条", 0),
        *([TableColumn("brought", "导入", "条", 0)] if any(row["brought"] for row in rows) else []),
        TableColumn("demo", "演示", "条", 0),
        TableColumn("unplaced", "未定位", "条", 0),
        TableColumn("error", "误差中位", "米", 0),
        TableColumn("department", "责任部门"),
    ]
    show_table("各图层记录数、来源和定位误差", columns, rows, key="layers", height="26rem")
    st.html(
        html.note(
            "没有坐标的记录(随软件发布的文件都没有给出坐标):有街镇的放在街镇驻地(驻地近似)或街镇代表点(镇域近似),"
            "误差照实写明;没有写明街镇的列入“未定位”,不上图。同一处的多条记录会叠在一起。"
        )
    )
    if any((layer.frame["position"] == LISTED).any() for layer in layers.values()):
        st.html(html.note(f"导入的名册给了坐标、没有写怎样取得的,定位方式记“{LISTED}”。{_assumed()}"))


def _assumed() -> str:
    """Say in full what is assumed of places of which nobody says how well they are known."""
    registry = source.district().registry
    ways = ";".join(f"{way}不小于 {one.error_m:g} 米({one.basis})" for way, one in registry.positions.items())
    return f"没有写误差的坐标按位数计(末位的一半),并且:{ways}。"


def show_registered(district: District, key: str) -> None:
    """List a table of the registry in full, and offer it as Excel."""
    spec = district.registry.tables[key]
    if not source.has_table(key):
        st.html(html.note(f"本区没有“{spec.label}”表({spec.file})。"))
        return
    try:
        table = source.table(key)
    except DataError as error:
        frame.show_problems(f"“{spec.label}”数据有误,已停用", error.problems)
        return
    _show(spec, table, district)


def show_documents(district: District) -> None:
    """List the source documents."""
    labels = {
        "title": "文件",
        "number": "文号",
        "date": "日期",
        "issuer": "发布单位",
        "status": "状态",
        "reading": "阅读情况",
        "note": "备注",
    }
    _list("source-documents", "文件清单", labels, _in_use(district, district.documents.reset_index()), "id")


def show_unplaced(district: District, layers: Mapping[str, Layer]) -> None:
    """List what could not be placed, of every layer."""
    parts = [
        layer.frame[layer.frame["x"].isna()].assign(layer=layer.spec.label, department=layer.spec.department)
        for layer in layers.values()
    ]
    table = pd.concat(
        [part[["id", "layer", "name", "kind", "department", "note"]].astype("str") for part in parts]
    )
    labels = {"layer": "图层", "name": "名称", "kind": "类别", "department": "由谁补充", "note": "备注"}
    _list("unplaced", f"文件没有写明街镇、未上图的记录 {len(table)} 条", labels, table, "id")


def show_population(district: District) -> None:
    """Show every town's estimate beside the census, and the method in words."""
    st.html(html.note(district.settings.method))
    years = [one.year for one in district.settings.totals]
    columns = [TableColumn("key", "街镇"), TableColumn("census", "2010年普查(普查单位)", "人", 0)]
    columns += [
        TableColumn(f"population_{year}", f"{year}年{'' if year == 2010 else '估算'}", "人", 0)
        for year in years
    ]
    rows = [
        {"key": str(town), "census": _number(row["census_2010"])}
        | {f"population_{y}": int(row[f"population_{y}"]) for y in years}
        for town, row in district.towns.iterrows()
    ]
    total = {"key": "合计", "census": _number(district.towns["census_2010"].sum())}
    total |= {f"population_{y}": int(district.towns[f"population_{y}"].sum()) for y in years}
    show_table("各街镇人口;估算数之和等于官方总数", columns, [*rows, total], key="population", height=_HEIGHT)
    for one in district.settings.totals:
        st.html(
            html.note(
                f"{one.year}年合计 {one.total:,} 人:{words.document(district, one.document, one.clause)}。{one.note}"
            )
        )


def show_geography(district: District) -> None:
    """List where the map's own geometry comes from."""
    try:
        raw = read_csv(district.root / "geo" / "SOURCES.csv", district.root)
    except DataError as error:
        frame.show_problems("图件来源表有误", error.problems)
        return
    labels = {
        "title": "图件",
        "from": "来源",
        "licence": "许可",
        "datum": "基准",
        "date": "日期",
        "note": "备注",
    }
    table = _in_use(district, raw.frame)
    said = district.origin
    if not said.schematic:
        own = {"file": "boundaries", "title": f"街镇{said.kind}({len(district.boundaries)}个街镇)"}
        own |= {"from": said.provider or "未注明", "date": said.date or "未注明", "note": said.full}
        table = pd.concat([pd.DataFrame([own]), table], ignore_index=True)
    _list("geography", "图件来源", labels, table, "file")


def _in_use(district: District, table: pd.DataFrame) -> pd.DataFrame:
    """Leave out what the schematic lines are made of while others are in use."""
    if district.schematic:
        return table
    return table[~table["title"].fillna("").str.contains(district.settings.boundary_kind, regex=False)]


def _show(spec: LayerSpec, table: pd.DataFrame, district: District) -> None:
    labels = {
        key: f"{column.label}({column.unit})" if column.unit else column.label
        for key, column in spec.columns.items()
        if table[key].notna().any() and not key.startswith("value_") and key != CONCERNS
    }
    cited_ = table.assign(document=[words.document(district, str(d)) for d in table["document"]])
    spoken_of = concerned(table, district.registry)
    seen = [all(map(who.sees, specs)) for specs in spoken_of]
    _list(spec.key, f"{spec.label} {sum(seen)} 条", labels, cited_[seen], "id", _only(spoken_of, seen))
    kept_from = [specs[0] for specs, shown in zip(spoken_of, seen, strict=True) if not shown]
    if kept_from:
        st.html(
            html.note(
                f"另有 {len(kept_from)} 条涉及{kept_from[0].label}的敏感列,未列出({who.hidden(kept_from[0])})。"
            )
        )


def _only(spoken_of: Sequence[tuple[LayerSpec, ...]], seen: Sequence[bool]) -> list[tuple[LayerSpec, ...]]:
    return [specs for specs, shown in zip(spoken_of, seen, strict=True) if shown]


def _list(
    key: str,
    caption: str,
    labels: Mapping[str, str],
    table: pd.DataFrame,
    id_column: str,
    spoken_of: Sequence[tuple[LayerSpec, ...]] = (),
) -> None:
    """List a table and offer it as Excel; `spoken_of` are the layers of whose sensitive columns each row speaks."""
    plain = table.astype("object").where(table.notna(), None)
    columns: Sequence[TableColumn] = [
        TableColumn(name, label) for name, label in labels.items() if name in table
    ]
    rows: Iterable[dict[str, object]] = (
        {"key": str(row[id_column])}
        | {c.key: None if row[c.key] is None else str(row[c.key]) for c in columns}
        for _, row in plain.iterrows()
    )
    show_table(caption, columns, list(rows), key=f"list-{key}", height=_HEIGHT)
    when, said = today(), (source.district().boundary_notice,)
    layers = list({one.key: one for one in chain.from_iterable(spoken_of)}.values())

    def workbook(sensitive: bool) -> bytes:
        anybodys = plain[[not specs for specs in spoken_of]] if spoken_of and not sensitive else plain
        sheet = anybodys[[c.key for c in columns]].rename(columns=dict(labels))
        about = export.Metadata(title=caption, when=when, notices=said)
        return export.to_excel({caption[:20]: sheet}, about.info())

    st.download_button(
        "下载 Excel",
        who.taken(f"数据来源与勘误:{caption}", workbook, layers),
        file_name=export.file_name(
            source.district().settings.short_name, caption.split(" ")[0], when=when, suffix="xlsx"
        ),
        mime=EXCEL,
        on_click="ignore",
        key=f"download-{key}",
    )


def _number(value: float) -> int | None:
    return None if pd.isna(value) else int(value)
