"""One record, or one town, in full and with its source."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from qjmap.district import District
from qjmap.layers import LayerSpec
from qjmap.ui import html, mapview, words

_HEADED = ("id", "name", "kind", "status", "source", "document", "clause", "lon", "lat", "note")


def show_record(district: District, spec: LayerSpec, record: pd.Series) -> None:
    """Show one record: what is known of it, how well its place is known, and who says so."""
    demo = record["source"] == "演示"
    tags = [(str(record[key]), False) for key in ("kind", "status") if pd.notna(record[key])]
    if demo:
        tags.append(("演示数据,非真实记录", True))
    pairs = [("编号", str(record["id"]))]
    for key, column in spec.columns.items():
        if key in _HEADED or pd.isna(record[key]):
            continue
        value = record[key]
        text = (
            words.number(value, 0 if float(value).is_integer() or value >= 1000 else 2)
            if _is_number(column.type)
            else str(value)
        )
        pairs.append((column.label, f"{text} {column.unit}".strip()))
    pairs.append(("来源", _source(district, record)))
    if pd.notna(record["note"]):
        pairs.append(("备注", str(record["note"])))
    st.html(html.card(str(record["name"]), tags, pairs))
    st.button("关闭记录", on_click=mapview.focus_record, args=(None,), key="close-record")


def show_town(district: District, town: str, lines: list[tuple[str, str]]) -> None:
    """Show one town: its people and land with their sources, and what else the page has on it."""
    row = district.towns.loc[town]
    year = district.settings.base_year
    pairs = [
        ("类别", f"{row['kind']}({row['setting']})"),
        ("人口", f"{words.number(row[f'population_{year}'])} 人({year}年估算)"),
        ("面积", f"{words.number(row['area_km2'], 1)} 平方千米(按{district.settings.boundary_kind}量算)"),
    ]
    if pd.notna(row["area_km2_quoted"]):
        pairs.append(("公布面积", f"{words.number(row['area_km2_quoted'], 1)} 平方千米"))
    if pd.notna(row["villages_2023"]):
        pairs.append(("村(社区)", f"{words.number(row['villages_2023'])} 个"))
    said = {label for label, _ in pairs}
    pairs += [line for line in lines if line[0] not in said]
    st.html(html.card(town, [], pairs))
    st.button("返回全区", on_click=mapview.focus_town, args=(None,), key="leave-town")


def _source(district: District, record: pd.Series) -> str:
    if record["source"] == "演示":
        return "演示(程序编造)"
    if pd.isna(record["document"]):
        return str(record["source"])
    return words.document(district, str(record["document"]), record["clause"])


def _is_number(kind: str) -> bool:
    return kind in ("integer", "number")
