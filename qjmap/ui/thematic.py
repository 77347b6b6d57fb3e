"""A thematic page: choose on the left, look at the map, read how short it is on the right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from qjmap import export, summary
from qjmap.coverage import Within
from qjmap.district import District
from qjmap.errors import DataError, QjmapError
from qjmap.layers import LayerSpec
from qjmap.marks import DEMO_NOTICE, NAMED, marks, notices, stacked, town_bounds
from qjmap.registers import Layer, has_demo, has_register
from qjmap.standards import Rule, Standards
from qjmap.ui import details, downloads, frame, html, mapview, paper, rules, sidebar, single, source, words
from qjmap.ui.html import Figure
from qjmap.ui.table import TableColumn, show_table
from qjmap.ui.view import View
from qjmap.webmap import PALETTE, CoverageDrawing, MarkStyle, Scene, Zone


@dataclass(frozen=True)
class Findings:
    """What a page found: key figures, and a table of towns, worst first."""

    figures: Sequence[Figure]
    caption: str
    columns: Sequence[TableColumn]
    rows: Sequence[Mapping[str, object]]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Theme:
    """A thematic page.

    Parameters
    ----------
    key, title, lead
        Its name, and the question that it answers.
    layers
        Layers that it can look at, the first by default.
    find
        Makes the findings of a view.
    served_by
        Layer key → layer whose facilities must reach its records (buildings → hydrants); by default the records
        are the facilities themselves.
    radius_layers
        Layers for which a radius makes sense; the others are only listed and counted.
    overlays
        Layers of lines and areas that lie under the marks at first, where there are any; a person may choose others.
    """

    key: str
    title: str
    lead: str
    layers: tuple[str, ...]
    find: Callable[[View], Findings]
    served_by: Mapping[str, str] = field(default_factory=dict)
    radius_layers: tuple[str, ...] = ()
    overlays: tuple[str, ...] = ()


def show(theme: Theme) -> None:
    """Run the page."""
    frame.dress()
    district = frame.open_district()
    frame.brand(district)
    demo = sidebar.choose_demo()
    spec = sidebar.choose_layer([district.registry.layers[key] for key in theme.layers])
    layer = frame.load_layer(spec.key, demo=demo)
    if layer is None:
        return
    view, scene, ids = look(theme, district, layer, demo=demo)
    over = _overlays(theme, district, demo=demo)
    scene, ids = _laid_over(scene, ids, over)
    left, right = st.columns([1.75, 1], gap="small")
    with left:
        mapview.show_map(district, scene, ids | _named(over), key=f"map-{theme.key}")
    with right:
        _panel(theme, view, scene, ids, over)


def look(
    theme: Theme, district: District, layer: Layer, *, demo: bool
) -> tuple[View, Scene, dict[str, list[str]]]:
    """Ask for every choice on a layer; give what is looked at, its scene, and the ids of its marks."""
    facilities = _facilities(theme, layer, demo=demo)
    view, parts = _choose(theme, district, layer, facilities, demo=demo)
    return view, *_scene(view, parts, theme)


def _facilities(theme: Theme, layer: Layer, *, demo: bool) -> Layer | None:
    """Give the layer whose circles are drawn, if there is one."""
    key = theme.served_by.get(layer.spec.key)
    if key is None:
        return layer if layer.spec.key in theme.radius_layers else None
    return frame.load_layer(key, demo=demo)


def _choose(
    theme: Theme, district: District, layer: Layer, facilities: Layer | None, *, demo: bool
) -> tuple[View, tuple[str, ...]]:
    spec, records = layer.spec, layer.frame
    year = sidebar.choose_year(records, [one.year for one in district.settings.totals])
    chosen = sidebar.choose_filter(spec, records, list(district.towns.index), year)
    metric = [] if facilities is None else _radius_rules(theme, spec, facilities.spec)
    parts = sidebar.choose_shown(
        spec.key,
        coverage=facilities is not None,
        gap=spec.key in theme.radius_layers and not any(r.within for r in metric),
    )
    radius = None if facilities is None else sidebar.choose_radius(metric, spec.key)
    shown = records[chosen.mask(records)]
    serving, unsure = _serving(layer, facilities, chosen.mask(records, towns=False), radius)
    population = f"population_{year or district.settings.base_year}"
    radius_m = None if radius is None else summary.radii(district, radius.urban_m, radius.rural_m)
    return View(
        district=district,
        spec=spec,
        shown=shown,
        serving=serving,
        unsure=unsure,
        towns=chosen.towns or tuple(district.towns.index),
        filter=chosen,
        radius=radius,
        radius_m=radius_m,
        population=population,
        demo_wanted=demo,
        demo=has_demo(shown) or has_demo(serving),
    ), parts


def _radius_rules(theme: Theme, spec: LayerSpec, facility: LayerSpec) -> list[Rule]:
    """Give the rules whose figure is a distance between this layer and its facilities."""
    rules = [rule for rule in _standards().for_layer(facility.key) if rule.metric]
    if facility.key == spec.key:
        return [rule for rule in rules if rule.kind == "radius" and spec.key in rule.layers]
    return [rule for rule in rules if spec.key in rule.layers and facility.key in rule.to]


def _standards() -> Standards:
    try:
        return source.standards()
    except DataError as error:
        frame.show_problems("标准文件有误,标准暂不能使用", error.problems)
    except QjmapError as error:
        st.html(html.note(str(error)))
    return Standards([])


def _serving(
    layer: Layer, facilities: Layer | None, chosen: np.ndarray, radius: sidebar.Radius | None
) -> tuple[pd.DataFrame, int]:
    if facilities is None:
        return layer.frame.iloc[:0], 0
    candidates = layer.frame[chosen] if facilities is layer else facilities.frame
    conditions = () if radius is None or radius.rule is None else radius.rule.where
    if facilities is not layer and radius is not None and radius.rule is not None:
        conditions = radius.rule.to_where
    may, unsure = summary.serving(candidates, conditions)
    return summary.placed(candidates[may]), unsure


# ---- lines and areas under the marks ---------------------------------------------------------------


def _overlays(theme: Theme, district: District, *, demo: bool) -> list[Layer]:
    """Ask which layers of lines and areas are wanted, and load them."""
    kept = (key for key in district.registry.shaped if has_register(district, key, demo=demo))
    there = [layer for key in kept if (layer := frame.load_layer(key, demo=demo)) and len(layer.frame)]
    chosen = sidebar.choose_overlays(theme.key, [layer.spec for layer in there], theme.overlays)
    return [layer for layer in there if layer.spec.key in chosen]


def _laid_over(
    scene: Scene, ids: dict[str, list[str]], over: Sequence[Layer]
) -> tuple[Scene, dict[str, list[str]]]:
    if not over:
        return scene, ids
    shapes = stacked(source.shapes(layer, _wanted(layer)) for layer in over)
    invented = any(has_demo(layer.frame) for layer in over)
    known = [text for text, _ in scene.notices]
    demo = [DEMO_NOTICE] if invented and DEMO_NOTICE[0] not in known else []
    more = {layer.spec.key: [str(one) for one in layer.frame["id"]] for layer in over}
    return replace(scene, shapes=shapes, notices=[*demo, *scene.notices]), ids | more


def _named(over: Sequence[Layer]) -> dict[str, list[str]]:
    """Give the names by which the address calls lines and areas: with their layer, for ids are its own."""
    return {layer.spec.key: [f"{layer.spec.key}:{one}" for one in layer.frame["id"]] for layer in over}


def _wanted(layer: Layer) -> str | None:
    """Give the id of the line or area that the address names, if it is one of this layer."""
    key, colon, one = (mapview.record_in_focus() or "").partition(":")
    return one if colon and key == layer.spec.key else None


# ---- the map --------------------------------------------------------------------------------------


def _scene(view: View, parts: Sequence[str], theme: Theme) -> tuple[Scene, dict[str, list[str]]]:
    district, spec = view.district, view.spec
    records = summary.placed(view.shown)
    styled = _reach_styles(spec, view.reach) if spec.key in theme.served_by and view.covers else None
    own = marks(district, spec, records, visible=sidebar.MARKS in parts, styled=styled)
    layers, ids = [own], {spec.key: records["id"].tolist()}
    drawing = None
    if view.covers:
        served = theme.served_by.get(spec.key)
        facility = district.registry.layers[served or spec.key]
        layers.append(marks(district, facility, view.serving, visible=False))
        drawing = CoverageDrawing(
            of=1,
            zones=_zones(view),
            error_m=view.serving["error_m"].fillna(0).to_numpy(dtype=float),
            covered=sidebar.COVERED in parts,
            possible=sidebar.POSSIBLE in parts,
            gap=sidebar.GAP in parts,
        )
    town = mapview.town_in_focus(district)
    bounds = town_bounds(district, town)
    return Scene(
        layers=layers,
        coverage=drawing,
        town=town,
        focus=None if town is None or bounds is None else (town, bounds),
        chosen=_chosen_place(view),
        notices=notices(district, demo=view.demo),
    ), ids


def _zones(view: View) -> list[Zone]:
    assert view.radius_m is not None
    towns = [str(town) for town in view.district.boundaries.index]
    return [
        Zone(
            float(radius),
            [t for t, r in zip(towns, view.radius_m, strict=True) if r == radius and t in view.towns],
        )
        for radius in np.unique(view.radius_m)
    ]


def _reach_styles(spec: LayerSpec, within: Within) -> tuple[list[MarkStyle], np.ndarray]:
    styles = [
        MarkStyle(f"{spec.label}:不在范围内", colour=PALETTE["warn"]),
        MarkStyle(f"{spec.label}:可能在范围内", colour=PALETTE["facility"], hollow=True),
        MarkStyle(f"{spec.label}:在范围内"),
    ]
    return styles, (2 * within.certain + within.possible_only).astype(np.uint8)


def _chosen_place(view: View) -> tuple[float, float, float] | None:
    record = _record(view)
    if record is None or pd.isna(record["x"]):
        return None
    lon, lat = view.district.projection.to_degrees([record["x"]], [record["y"]])
    return float(lon[0]), float(lat[0]), float(record["error_m"])


def _record(view: View) -> pd.Series | None:
    wanted = mapview.record_in_focus()
    found = view.shown[view.shown["id"] == wanted] if wanted else view.shown.iloc[:0]
    return None if found.empty else found.iloc[0]


# ---- the panel ------------------------------------------------------------------------------------


def _panel(
    theme: Theme, view: View, scene: Scene, ids: Mapping[str, Sequence[str]], over: Sequence[Layer]
) -> None:
    district = view.district
    town = mapview.town_in_focus(district)
    st.html(html.head(theme.title, theme.lead))
    st.html(standard(theme, view))
    record = _record(view)
    if record is not None:
        details.show_record(district, view.spec, record)
    else:
        _show_shape(district, over)
    if view.shown.empty:
        st.html(html.note(_empty(view)))
    findings = theme.find(view)
    st.html(html.figures(findings.figures))
    for note in findings.notes:
        st.html(html.note(note))
    if town is not None:
        details.show_town(district, town, _town_lines(findings, town))
    show_table(
        findings.caption,
        findings.columns,
        findings.rows,
        key=f"towns-{theme.key}-{view.spec.key}",
        selected=town,
        on_pick=mapview.focus_town,
    )
    if view.village_problems:
        frame.show_problems("村(社区)表有误,人口按街镇内均匀分布估算", view.village_problems)
    rules.show_rules(district, _layers_of(theme, view), key=theme.key, year=view.year, demo=view.demo_wanted)
    _records_table(theme, view, town)
    _shapes_tables(theme, over)

    def about() -> export.Metadata:
        return _with_shapes(
            replace(metadata(view), title=f"{district.settings.short_name}{view.spec.label}"), over
        )

    downloads.offer_downloads(
        view,
        _as_frame(findings),
        metadata(view),
        over,
        more=lambda: single.offer(
            district,
            scene,
            {view.spec.key: view.shown, **{layer.spec.key: layer.frame for layer in over}},
            ids,
            about=about,
            town_lines=lambda one: _town_lines(findings, one),
            name=view.spec.label,
        ),
    )
    paper.offer_map(district, scene, about=about, name=view.spec.label)
    said = (f"覆盖:按直线半径计算,不是行车时间;{view.spread}。",) if view.covers else ()
    rest = summary.documents_of([layer.frame for layer in over])
    invented = view.demo or any(has_demo(layer.frame) for layer in over)
    shown = [view.spec.key, *(layer.spec.key for layer in over)]
    cited = dict.fromkeys([*_documents(view), *rest])
    frame.foot(district, cited, view.year, demo=invented, more=said, layers=shown)


def _show_shape(district: District, over: Sequence[Layer]) -> None:
    """Show the line or area that the address names."""
    for layer in over:
        found = layer.frame[layer.frame["id"] == _wanted(layer)]
        if len(found):
            details.show_record(district, layer.spec, found.iloc[0])


def _shapes_tables(theme: Theme, over: Sequence[Layer]) -> None:
    """List the lines and areas under the marks, so that each can be opened without a mouse."""
    for layer in over:
        if len(layer.frame) > NAMED:
            continue
        measured, label = (
            ("length_m", TableColumn("size", "长度", "千米", 2))
            if layer.spec.geometry == "line"
            else ("area_m2", TableColumn("size", "面积", "平方千米", 3))
        )
        per = 1e3 if measured == "length_m" else 1e6
        names, kinds = (layer.frame[one].astype("str") for one in ("name", "kind"))
        sizes = (layer.frame[measured] / per).tolist()
        rows = [
            {"key": key, "name": name, "kind": kind, "size": size}
            for key, name, kind, size in zip(
                _named([layer])[layer.spec.key], names, kinds, sizes, strict=True
            )
        ]
        with st.expander(f"{layer.spec.label} {len(rows)} {layer.spec.counter}"):
            show_table(
                "点一行看详情和来源",
                [TableColumn("name", "名称"), TableColumn("kind", "类别"), label],
                rows,
                key=f"over-{theme.key}-{layer.spec.key}",
                selected=mapview.record_in_focus(),
                on_pick=mapview.focus_record,
                height="20rem",
            )


def _with_shapes(about: export.Metadata, over: Sequence[Layer]) -> export.Metadata:
    """Say in a file which lines and areas lie under the marks, and who says so."""
    if not over:
        return about
    named = "、".join(layer.spec.label for layer in over)
    rest = words.documents(source.district(), summary.documents_of([layer.frame for layer in over]))
    rest += source.imported(layer.spec.key for layer in over)
    sources = tuple(dict.fromkeys([*about.sources, *rest]))
    return replace(about, filter=f"{about.filter};叠加图层:{named}", sources=sources)


def _town_lines(findings: Findings, town: str) -> list[tuple[str, str]]:
    """Give a town's row of the page's table as label–value pairs."""
    row = next((row for row in findings.rows if row["key"] == town), {})
    return [(c.label, _cell(c, row.get(c.key))) for c in findings.columns if c.key != "key"]


def _documents(view: View) -> list[str]:
    """List the documents that the page rests on: the records', and the standard's."""
    rule = None if view.radius is None else view.radius.rule
    return [*summary.documents_of([view.shown, view.serving]), *([] if rule is None else [rule.document])]


def _layers_of(theme: Theme, view: View) -> list[str]:
    served = theme.served_by.get(view.spec.key)
    return [view.spec.key] if served is None else [view.spec.key, served]


def _cell(column: TableColumn, value: Any) -> str:
    if value is None or pd.isna(value):
        return "—"
    text = str(value) if column.decimals is None else words.number(value, column.decimals)
    return f"{text} {column.unit}".strip()


def standard(theme: Theme, view: View) -> str:
    """Set the standard that holds for a view, with its clause, and what it does not say."""
    if view.spec.key not in theme.radius_layers and view.spec.key not in theme.served_by:
        return html.note("本图层只列出和计数,不按半径计算覆盖。")
    radius = view.radius
    if radius is None:
        return html.note("文件没有给这个图层规定半径。可在左侧选“自定半径”,画面和导出会注明“自定值”。")
    size = (
        f"{radius.urban_m:,.0f} 米"
        if radius.urban_m == radius.rural_m
        else f"城区 {radius.urban_m:,.0f} 米、农村 {radius.rural_m:,.0f} 米"
    )
    if radius.rule is None:
        return html.rule(f"服务半径 {size}", "没有文件依据。直线半径,不是行车时间。", custom="自定值")
    said = f"{words.rule_source(view.district, radius.rule)}。直线半径,不是行车时间。"
    if view.unsure:
        said += _unsure(view)
    if view.reference_only:
        said += _REFERENCE
    return html.rule(f"{radius.rule.title}:{size}", said, custom="自定值" if radius.custom else "")


def _empty(view: View) -> str:
    if view.filter.words(view.spec) == "全部":
        return f"还没有“{view.spec.label}”的记录:这是数据不足,不等于没有设施。"
    return f"没有符合筛选条件的记录({view.filter.words(view.spec)})。请放宽左侧条件。"


def _records_table(theme: Theme, view: View, town: str | None) -> None:
    """List the records: those of the town in focus, and always those that have no place."""
    unplaced = view.shown[view.shown["x"].isna()]
    here = view.shown if town is None else view.shown[view.shown["town"] == town]
    columns = [TableColumn("name", "名称"), TableColumn("town", "街镇"), TableColumn("position", "定位")]
    for title, rows, key in (
        (f"{town or '所选'}的记录", here, "records"),
        ("未定位的记录(不上图)", unplaced, "unplaced"),
    ):
        if rows.empty or (key == "records" and len(rows) > NAMED):
            continue
        with st.expander(f"{title} {len(rows)} 条"):
            show_table(
                "点一行看详情和来源",
                columns,
                _plain_records(rows),
                key=f"{key}-{theme.key}-{view.spec.key}",
                selected=mapview.record_in_focus(),
                on_pick=mapview.focus_record,
                height="20rem",
            )


def _plain_records(rows: pd.DataFrame) -> list[dict[str, object]]:
    texts = rows[["id", "name", "town", "position"]].astype("object")
    texts = texts.where(texts.notna(), None).rename(columns={"id": "key"})
    return [{str(key): value for key, value in row.items()} for row in texts.to_dict("records")]


def _as_frame(findings: Findings) -> pd.DataFrame:
    labels = {c.key: f"{c.label}({c.unit})" if c.unit else c.label for c in findings.columns}
    return pd.DataFrame([{label: row.get(key) for key, label in labels.items()} for row in findings.rows])


def caveats(view: View) -> list[str]:
    """Say what must go with the map and the files of a view, as the page says it."""
    said = []
    if view.radius is not None:
        said.append(f"覆盖按直线半径计算,不是行车时间;{view.spread}")
        if view.unsure:
            said.append(_unsure(view))
        if view.reference_only:
            said.append(_REFERENCE)
    missing = int(view.shown["x"].isna().sum())
    if missing:
        said.append(f"{missing} {view.spec.counter}未定位,图上没有,未计入覆盖")
    if listed := words.listed(view.district, view.spec, view.shown):
        said.append(listed)
    return said


def _unsure(view: View) -> str:
    return f"名册未写明哪些设施符合该标准的条件({view.unsure} 处为“未知”),此处暂按全部所选设施计算,不作达标判断。"


_REFERENCE = "该标准只对建成区而言,建成区范围尚未登记:圈外的人口和面积按全域计算,只供参考,不作达标判断。"


def metadata(view: View) -> export.Metadata:
    """Say in a file what was chosen and what it rests on."""
    radius, district = view.radius, view.district
    standard = "未用标准"
    if radius is not None:
        name = "自定半径" if radius.rule is None else f"{radius.rule.title}[{radius.rule.id}]"
        size = f"城区 {radius.urban_m:g} 米、农村 {radius.rural_m:g} 米"
        clause = "" if radius.rule is None else words.rule_source(district, radius.rule)
        standard = f"{name};{size};{'自定值;' if radius.custom else ''}{clause}"
    return export.Metadata(
        notices=(district.boundary_notice, *caveats(view)),
        title=view.spec.label,
        when=downloads.today(),
        filter=view.filter.words(view.spec),
        standard=standard,
        sources=(
            *words.documents(district, _documents(view)),
            *source.imported([view.spec.key]),
            words.population_line(district, view.year),
        ),
    )
