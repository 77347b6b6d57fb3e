"""The records of a layer on the page 数据管理: map, lists, and the one in focus as a form."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pandas as pd
import streamlit as st

from qjmap import access, marks, summary
from qjmap.access import Action, Person
from qjmap.district import District
from qjmap.ingest import RawTable
from qjmap.layers import LayerSpec
from qjmap.office import Office
from qjmap.registers import Layer
from qjmap.ui import desk, frame, html, mapview, record_form, sidebar, source, who
from qjmap.ui.record_fields import Sheet
from qjmap.ui.table import TableColumn, show_table
from qjmap.webmap import Scene, ShapeLayer

_MOST = 500  # records of a list: a browser takes a minute over a hundred thousand rows, and nobody reads them
_COLUMNS = (
    TableColumn("name", "名称"),
    TableColumn("town", "街镇"),
    TableColumn("kind", "类别"),
    TableColumn("position", "定位"),
)


def show(person: Person, office: Office, key: str) -> None:
    """Show a layer's records on map and lists, and the one in focus as a form."""
    district, spec = office.district, office.district.registry.layers[key]
    left, right = st.columns([1.5, 1], gap="small")
    with right:
        st.html(html.head("数据管理", desk.LEAD))
        allowed = _tell_who(person, spec)
        desk.tell_damage(office, key)
        layer = frame.load_layer(key, demo=False)
    base, table = desk.opened(key)
    there = layer.frame if layer is not None else _untyped(spec, table)
    chosen = sidebar.choose_filter(spec, there, list(district.towns.index), None)
    rows = there[chosen.mask(there)] if layer is not None else there
    record = record_form.in_focus()
    known = record is not None and (record == record_form.NEW or (there["id"] == record).any())
    sheet = record_form.sheet(key, record, base, table) if record is not None else None
    with left:
        scene, ids = _scene(district, spec, layer, rows, record, sheet)
        mapview.show_map(
            district, scene, ids, key="map-records", place=partial(record_form.place, district, key)
        )
    with right:
        if sheet is not None and (known or sheet.typed):
            record_form.show(office, spec, str(record), allowed=allowed, newest=base)
        else:
            record_form.show_said()
            if record is not None:
                st.html(html.note("本图层没有这个编号的记录:可能已删除,或属于另一图层。"))
            if allowed and spec.shaped:
                st.html(html.note("线、面图层的记录在“数据导入”中随图形文件新增;此处可改属性、删除记录。"))
            elif allowed:
                st.button("新增一条记录", on_click=record_form.begin, args=(key,), key="add-record")
        record_form.show_unsaved(key, record)
        _lists(rows, record)
        frame.foot(
            district, summary.documents_of([there]), district.settings.base_year, demo=False, layers=[key]
        )


def _tell_who(person: Person, spec: LayerSpec) -> bool:
    """Say who it is and what he may do with this layer; give whether he may change it."""
    allowed = access.may(person, Action.CHANGE, spec)
    said = who.describe(person)
    if not allowed and person != access.VISITOR:
        said += f";“{spec.label}”属{spec.department},此处只能查看"
    st.html(html.note(f"{said}。"))
    return allowed


def _untyped(spec: LayerSpec, table: RawTable) -> pd.DataFrame:
    """Make a layer whose data are wrong fit to be listed: nothing has a place, everything is text."""
    return table.frame.reindex(columns=list(spec.columns)).assign(x=float("nan"), y=float("nan"))


def _scene(
    district: District,
    spec: LayerSpec,
    layer: Layer | None,
    rows: pd.DataFrame,
    record: str | None,
    sheet: Sheet | None,
) -> tuple[Scene, Mapping[str, list[str]]]:
    there = summary.placed(rows) if layer is not None else rows.iloc[:0]
    layers = [] if layer is None or spec.shaped else [marks.marks(district, spec, there)]
    shapes = [] if layer is None or there.empty or not spec.shaped else [_shapes(layer, there, record)]
    town = mapview.town_in_focus(district)
    bounds = marks.town_bounds(district, town)
    said = marks.notices(district, demo=False)
    if record_form.picking():
        said.insert(0, ("点一下地图,取为这条记录的位置", True))
    return Scene(
        layers=layers,
        shapes=shapes,
        town=town,
        focus=None if town is None or bounds is None else (town, bounds),
        chosen=None if spec.shaped else _place(district, layer, record, sheet),
        notices=said,
    ), {spec.key: there["id"].tolist()}


def _shapes(layer: Layer, rows: pd.DataFrame, record: str | None) -> ShapeLayer:
    """Give the drawing of lines or areas; that of all of them is made once for everybody."""
    if len(rows) == len(layer.frame):
        return source.shapes(layer, record)
    drawn = marks.shape_layer(source.district(), layer.spec, rows)
    found = [n for n, one in enumerate(rows["id"]) if one == record]
    return drawn.choosing(found[0]) if found else drawn


def _place(
    district: District, layer: Layer | None, record: str | None, sheet: Sheet | None
) -> tuple[float, float, float] | None:
    """Give where the record in focus is: as typed, else as it stands."""
    typed = None if sheet is None else sheet.place()
    if typed is not None or layer is None:
        return typed
    found = layer.frame[(layer.frame["id"] == record) & layer.frame["x"].notna()]
    if found.empty:
        return None
    lon, lat = district.projection.to_degrees(found["x"], found["y"])
    return float(lon[0]), float(lat[0]), float(found["error_m"].to_numpy(dtype=float)[0])


def _lists(rows: pd.DataFrame, record: str | None) -> None:
    """List the records, those that have no place first."""
    unplaced = rows["x"].isna()
    for title, part, key in (
        ("未定位", rows[unplaced], "unplaced"),
        ("已上图", rows[~unplaced], "placed"),
    ):
        if part.empty:
            continue
        named = f"{title} {len(part):,} 条"
        drawn = "图形" if "shape" in rows else "符号"
        if len(part) > _MOST:
            named += f",只列 {_MOST} 条,其余请用左侧筛选或名称查找"
            part = pd.concat([part[part["id"] == record], part[part["id"] != record].head(_MOST)])
        hint = "点一行,再在地图上点它的位置" if key == "unplaced" else f"点一行或点地图上的{drawn}打开"
        with st.container() if record is None else st.expander(named):
            show_table(
                f"{named}:{hint}",
                _COLUMNS,
                _plain(part),
                key=f"records-{key}",
                selected=record,
                on_pick=record_form.go_to,
                height="19rem",
            )
    if rows.empty:
        st.html(html.note("没有符合条件的记录。本页只列真实记录,不列演示数据。"))


def _plain(rows: pd.DataFrame) -> list[dict[str, object]]:
    names = [column.key for column in _COLUMNS]
    texts = rows[["id", *names]].astype("object")
    texts = texts.where(texts.notna(), None).rename(columns={"id": "key"})
    return [{str(key): value for key, value in row.items()} for row in texts.to_dict("records")]
