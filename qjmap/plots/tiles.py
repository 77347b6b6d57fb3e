"""Tiles: one small map of the towns a rule, all in one look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import altair as alt
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from qjmap.assess import MET, NOT_APPLICABLE, SHORT, UNKNOWN
from qjmap.plotfiles import wrapped
from qjmap.plots._parts import INK, SIGNS, WARN, amount, data, dressed, legend
from qjmap.scenes import SHADES
from qjmap.shortlist import Line
from qjmap.webmap import PALETTE

_TILE = 150


def fitting(lines: Iterable[Line]) -> list[Line]:
    """Give the rules that are judged town by town and find at least one town short, most telling first.

    Rules on documents' records come before those on invented ones, rules that tell towns apart before those that find
    all alike; among them the order stays.
    """
    short = [line for line in lines if line.short_towns()]
    return sorted(short, key=lambda line: (line.whole.demo, len({one.status for one in line.towns}) == 1))


def frame(lines: Sequence[Line]) -> pd.DataFrame:
    """Say what every rule comes to in every town, rule by rule.

    Returns
    -------
    pandas.DataFrame
        `rule`, `title`, `counts` (in words), `town`, `status`, `sign`, `short` (what is missing, in words), `demo`.
    """
    rows = []
    for line in lines:
        states = [one.status for one in line.towns]
        counts = "  ".join(
            f"{SIGNS[status]}{status} {states.count(status)}"
            for status in (SHORT, UNKNOWN, MET)
            if states.count(status)
        )
        rows += [
            {
                "rule": line.rule.id,
                "title": line.rule.title,
                "counts": counts,
                "town": one.town,
                "status": one.status,
                "sign": SIGNS[one.status] if one.status in (SHORT, UNKNOWN) else "",
                "short": amount(one.shortfall, one.unit) if one.status == SHORT else "",
                "demo": line.whole.demo,
            }
            for one in line.towns
        ]
    return pd.DataFrame(rows, columns=["rule", "title", "counts", "town", "status", "sign", "short", "demo"])


def finding(lines: Sequence[Line], shown: int) -> str:
    """Say in one line how many rules find towns short, how many are drawn, and which town is short most often."""
    if not lines:
        return "没有一条分街镇判定的标准有确定的短缺。"
    times: dict[str, int] = {}
    for line in lines:
        for one in line.towns:
            times[one.town] = times.get(one.town, 0) + (one.status == SHORT)
    most = max(times.values())
    worst = [town for town, number in times.items() if number == most]
    named = "、".join(worst[:3]) + (f"等 {len(worst)} 个街镇" if len(worst) > 3 else "")
    said = f"分街镇判定且有短缺的标准 {len(lines)} 条"
    said += f",画出 {shown} 条(文件数据在前,各街镇有差别的在前)" if shown < len(lines) else ""
    demo = ",含依据演示数据的" if any(line.whole.demo for line in lines) else ""
    return f"{said};短缺最多的是{named}({most} 条{demo})。"


def outlines(boundaries: gpd.GeoDataFrame, tolerance_m: float = 250.0) -> pd.DataFrame:
    """Thin out the towns' outlines, shared lines kept shared, for maps of the size of a stamp.

    Parameters
    ----------
    boundaries
        `District.boundaries`: metres, index town.
    tolerance_m
        What may be lost, metres.

    Returns
    -------
    pandas.DataFrame
        Index: town. `geometry` (GeoJSON, metres), `x`, `y` (a point inside).
    """
    shapes = boundaries.geometry.to_numpy()
    thin = shapely.coverage_simplify(shapes, tolerance_m)
    thin = np.where(shapely.is_empty(thin), shapes, thin)
    inside = shapely.point_on_surface(thin)
    geometry = [shapely.geometry.mapping(shapely.set_precision(one, 10.0)) for one in thin]
    return pd.DataFrame(
        {"geometry": geometry, "x": shapely.get_x(inside), "y": shapely.get_y(inside)},
        index=boundaries.index.astype("str"),
    )


def chart(frame: pd.DataFrame, shapes: pd.DataFrame, *, columns: int = 3) -> alt.ConcatChart:
    """Draw one small map a rule, the towns shaded by what it comes to there.

    Parameters
    ----------
    frame
        From `frame`.
    shapes
        From `outlines`.
    columns
        How many maps stand side by side.
    """
    land = alt.InlineData(
        values=[
            {"type": "Feature", "town": town, "x": x, "y": y, "geometry": geometry}
            for town, geometry, x, y in zip(
                shapes.index, shapes["geometry"], shapes["x"], shapes["y"], strict=True
            )
        ]
    )
    shown = [one for one in (SHORT, UNKNOWN, MET, NOT_APPLICABLE) if (frame["status"] == one).any()]
    names = {one: f"{SIGNS[one]} {one}" for one in shown}
    colour = alt.Color(
        "legend:N",
        scale=alt.Scale(domain=list(names.values()), range=[SHADES[one] for one in shown]),
        legend=legend(),
    )
    panels = []
    for number, (_, rows) in enumerate(frame.groupby("rule", sort=False), 1):
        first = rows.iloc[0]
        answers = alt.LookupData(
            data=data(rows.assign(legend=rows["status"].map(names))),
            key="town",
            fields=["status", "legend", "sign", "short", "title"],
        )
        base = alt.Chart(land).transform_lookup(lookup="town", from_=answers)
        tooltip = [
            alt.Tooltip("town:N", title="街镇"),
            alt.Tooltip("title:N", title="标准"),
            alt.Tooltip("status:N", title="结论"),
            alt.Tooltip("short:N", title="缺口"),
        ]
        ground = base.mark_geoshape(stroke=PALETTE["muted"], strokeWidth=0.6).encode(
            color=colour, tooltip=tooltip
        )
        signs = base.mark_text(color=INK, fontSize=10, fontWeight="bold").encode(
            longitude="x:Q", latitude="y:Q", text="sign:N", tooltip=tooltip
        )
        subtitle = [str(first["counts"]), *(["(演示数据)"] if first["demo"] else [""])]
        title = alt.TitleParams(
            text=wrapped(f"{number}. {first['title']}", 12, most=2, least=2), subtitle=subtitle, anchor="start",
            fontSize=12, lineHeight=16, subtitleFontSize=11, subtitleColor=WARN if first["demo"] else INK, offset=2,
        )  # fmt: skip
        panels.append(
            alt.layer(ground, signs)
            .project(type="identity", reflectY=True)
            .properties(width=_TILE, height=_TILE * 1.05, title=title)
        )
    chart = alt.concat(*panels, columns=columns, spacing=14)
    return dressed(chart, demo=bool(frame["demo"].any()), what="各条标准的街镇小地图")
