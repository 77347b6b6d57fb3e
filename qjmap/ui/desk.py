"""The page 数据管理: what is to be done, with which layer, and how that layer stands."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from qjmap.contents import BOUNDARIES
from qjmap.district import District
from qjmap.ingest import RawTable, read_csv
from qjmap.layers import LayerSpec
from qjmap.office import Office, by_label
from qjmap.registers import completed
from qjmap.ui import html, source

RECORDS, VERSIONS, LOG, ACCOUNTS = "记录", "版本", "日志", "账号"
PART = "part-of-records"
LEAD = "逐条查看、修改、定位,每次保存存为新版本。"
STYLE = Path(__file__).with_name("records.css")


def labels(district: District) -> dict[str, str]:
    """Give what has versions: layers first, then tables, then the boundaries; key → label."""
    registry = district.registry
    tables = {key: f"表:{spec.label}" for key, spec in registry.tables.items()}
    return {key: spec.label for key, spec in registry.layers.items()} | tables | {BOUNDARIES: "街镇界线"}


def choose(district: District) -> tuple[str, str]:
    """Ask what is to be done, and with which layer: (part, key)."""
    part = st.sidebar.segmented_control(
        "办理",
        [RECORDS, VERSIONS, LOG, ACCOUNTS],
        default=RECORDS,
        required=True,
        key=PART,
        bind="query-params",
        width="stretch",
    )
    known = labels(district)
    if part in (LOG, ACCOUNTS):
        return part, ""
    key = st.sidebar.selectbox(
        "图层", list(known), format_func=lambda one: known[one], key="layer", bind="query-params"
    )
    return part or RECORDS, key


def opened(key: str) -> tuple[int, RawTable]:
    """Give the register as it stands, as text, and the number of its version (0: what came with the program).

    Raises
    ------
    DataError
        The file that came with the program cannot be read.
    WorkspaceError
        The workspace cannot be read.
    """
    return _opened(source.fingerprint(), source.district_key(), key)


@st.cache_resource(show_spinner=False, max_entries=16)
def _opened(content: str, district_key: str, key: str) -> tuple[int, RawTable]:
    place, district = source.workspace(), source.district()
    latest, spec = place.latest(key), district.registry.spec(key)
    if latest is not None:
        return latest.number, completed(place.read(key, latest.number).table(), spec)
    path = district.data / spec.file
    if path.exists():
        return 0, read_csv(path, district.root)
    return 0, RawTable(spec.file, pd.DataFrame(columns=list(spec.columns), dtype="str"), ())


def tell_damage(office: Office, key: str) -> None:
    """Say which of the newest versions cannot be used, and what stands in their place."""
    damaged = office.workspace.damaged(key)
    if not damaged:
        return
    latest = office.workspace.latest(key)
    instead = (
        "之前没有可用的版本,现用随软件发布的数据"
        if latest is None
        else f"现用之前完好的第 {latest.number} 版({latest.when[:16].replace('T', ' ')},{latest.who})"
    )
    label = labels(office.district)[key]
    said = [f"{by_label(one.fault, key, label)}。{instead}。" for one in damaged]
    st.html(html.alert("最新版本的文件已损坏", said))


def plain(error: Exception, spec: LayerSpec) -> str:
    """Give an error's message with the layer's name in place of its key."""
    return by_label(str(error), spec.key, spec.label)
