"""Maps on paper: true to scale, complete, legible in grey, with no name over another."""

import io
import itertools
import re
import threading
import time
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from PIL import Image
from pypdf import PdfReader

from qjmap import _furniture, _labels, _mapbody, cartography, fonts, scenes, shortlist
from qjmap._view import view_of
from qjmap.assess import MET, SHORT, UNKNOWN, assess
from qjmap.cartography import PAPERS, Paper, Sheet
from qjmap.crs import Projection
from qjmap.district import ROOT, load_district
from qjmap.errors import FontError, RegistryError
from qjmap.marks import district_bounds, notices, town_bounds
from qjmap.registers import load_layer
from qjmap.rulebook import load_standards
from qjmap.webmap import PALETTE, CoverageDrawing, MarkLayer, MarkStyle, Scene, ShapeLayer, ShapeStyle, Zone
from tests.conftest import GRID_CENTRE, GRID_KEY, GRID_NAMES, town_name, write_grid

A4 = Paper("A4")
DAY = date(2026, 11, 22)
PLAIN = (MarkStyle("设施"),)
CROSS = "M9 3h6v6h6v6h-6v6H9v-6H3V9h6z"


def sheet(**said: object) -> Sheet:
    return Sheet(**{"title": "试验图", "subtitle": "2025年", "when": DAY, **said})


def marks(district, xy, *, styles=PLAIN, classes=None, **how) -> MarkLayer:
    lon, lat = district.projection.to_degrees(*np.asarray(xy, dtype=float).reshape(-1, 2).T)
    classes = np.zeros(len(lon), dtype=np.uint8) if classes is None else np.asarray(classes, dtype=np.uint8)
    return MarkLayer("health", lon, lat, CROSS, styles, classes, **how)


def circles(district, xy, radius, error=0.0, **show) -> Scene:
    layer = marks(district, xy)
    towns = [str(town) for town in district.boundaries.index]
    return Scene(
        layers=[layer],
        coverage=CoverageDrawing(0, [Zone(radius, towns)], np.zeros(len(layer.lon)) + error, **show),
    )


def texts(figure: Figure) -> list[str]:
    return [one.get_text() for axes in figure.axes for one in axes.texts]


def on_paper(figure: Figure, part: str) -> str:
    """Join what the page says and look for a part of it, wrapped or not."""
    return part in "".join(texts(figure)).replace(" ", "")


def name_boxes(figure: Figure):
    """Extents of the names on the map, lines of one name joined, in pixels."""
    found: dict[str, list[np.ndarray]] = {}
    for axes in figure.axes:
        for one in axes.texts:
            if (one.get_gid() or "").startswith("name-"):
                name = one.get_gid().rsplit("-", 1)[0]
                found.setdefault(name, []).append(one.get_window_extent().extents)
    return [
        (*np.min(boxes, axis=0)[:2], *np.max(boxes, axis=0)[2:]) for boxes in map(np.array, found.values())
    ]


def assert_names_apart(figure: Figure) -> int:
    boxes = name_boxes(figure)
    frame = figure.axes[1].get_window_extent().extents
    for west, south, east, north in boxes:
        assert frame[0] <= west < east <= frame[2]
        assert frame[1] <= south < north <= frame[3]
    for a, b in itertools.combinations(boxes, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (a, b)
    return len(boxes)


def assert_all_on_the_page(figure: Figure) -> None:
    width, height = figure.bbox.width, figure.bbox.height
    for one in figure.axes[0].texts:
        west, south, east, north = one.get_window_extent().extents
        assert west >= 0, one.get_text()
        assert south >= 0, one.get_text()
        assert east <= width, one.get_text()
        assert north <= height, one.get_text()
    frame = figure.axes[1].get_window_extent().extents
    boxes = [one.get_window_extent().extents for one in figure.axes[0].texts if one.get_text().strip()]
    for a, b in itertools.combinations([frame, *boxes], 2):
        assert a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1, (a, b)


@pytest.fixture(scope="module")
def found(qijiang):
    layers = {key: load_layer(qijiang, key) for key in qijiang.registry.layers}
    standards = load_standards(ROOT / "data" / "standards.toml", qijiang.registry, qijiang.documents.index)
    return assess(qijiang, layers, standards, 2025), layers


@pytest.fixture(scope="module")
def shortages(qijiang, found):
    return scenes.shortage_scene(qijiang, found[0], shortlist.lines(found[0]))[0]


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    return load_district(GRID_KEY, write_grid(tmp_path_factory.mktemp("grid")))


# ---- formats -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paper", "pixels", "mm"),
    [
        (Paper("A4"), (2480, 3508), (210, 297)),
        (Paper("A4", landscape=True), (3508, 2480), (297, 210)),
        (Paper("A3"), (3508, 4961), (297, 420)),
        (Paper("A3", landscape=True), (4961, 3508), (420, 297)),
    ],
)
def test_each_format_has_its_size(grid, paper, pixels, mm):
    figure = cartography.draw(grid, circles(grid, [(0, 0)], 4000, 500), sheet(), paper)
    with Image.open(io.BytesIO(cartography.to_png(figure))) as picture:
        assert picture.size == pixels
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    reader = PdfReader(io.BytesIO(cartography.to_pdf(figure)))
    assert len(reader.pages) == 1
    box = reader.pages[0].mediabox
    assert [float(box.width) / 72 * 25.4, float(box.height) / 72 * 25.4] == pytest.approx(mm, abs=0.1)
    assert paper in PAPERS


def test_a_figure_keeps_its_size_after_a_png(grid):
    figure = cartography.draw(grid, Scene(), sheet(), A4)
    before = figure.get_size_inches().copy()
    cartography.to_png(figure, 50)
    assert figure.get_size_inches() == pytest.approx(before, abs=0)


# ---- the PDF: vectors, fonts, words ------------------------------------------------------------------


def test_the_pdf_says_everything_in_characters_with_its_fonts_inside(qijiang, shortages):
    said = sheet(
        title="綦江区公共服务短板分布图",
        sources=["綦江区区域卫生规划(2021—2025年)"],
        notes=["数据年份:2025年"],
        clause="依据:区域卫生规划 四(三)2 第38页",
        internal="内部资料 注意保存",
        office="綦江区某办公室",
    )
    pdf = cartography.to_pdf(cartography.draw(qijiang, shortages, said, A4))
    page = PdfReader(io.BytesIO(pdf)).pages[0]
    words = re.sub(r"\s", "", page.extract_text())
    wanted = [
        *("綦江区公共服务短板分布图", "2025年", "示意界线,非法定界线", "审图号:(未取得)", "内部资料注意保存"),
        *(
            "2026年11月22日编制",
            "綦江区某办公室",
            "第38页",
            "区域卫生规划(2021—2025年)",
            "图例",
            "北",
            "比例尺1:",
        ),
        *(str(town) for town in qijiang.boundaries.index),
        "万盛经开区",
    ]
    assert [one for one in wanted if one not in words] == []
    embedded = page["/Resources"]["/Font"]
    assert embedded
    for font in (one.get_object() for one in embedded.values()):
        # a Type 3 font is its own glyphs
        assert font["/Subtype"] == "/Type3"
        assert font["/CharProcs"].get_object()
        assert "/ToUnicode" in font
    assert not [
        one
        for one in page["/Resources"].get("/XObject", {}).values()
        if one.get_object()["/Subtype"] == "/Image"
    ]
    assert len(pdf) < 600_000


def test_the_settings_of_paper_come_from_the_district(grid_root):
    path = grid_root / "data" / GRID_KEY / "district.toml"
    assert cartography.sheet_for(load_district(GRID_KEY, grid_root), "图", DAY).review_number == ""
    path.write_text(
        path.read_text("utf-8")
        + '[paper]\nreview_number = "渝S(2026)001号"\ninternal = "内部资料"\noffice = ""\n',
        "utf-8",
    )
    district = load_district(GRID_KEY, grid_root)
    figure = cartography.draw(district, Scene(), cartography.sheet_for(district, "图", DAY), A4)
    assert on_paper(figure, "审图号:渝S(2026)001号")
    assert "内部资料" in texts(figure)
    path.write_text(path.read_text("utf-8").replace('"内部资料"', "3"), "utf-8")
    with pytest.raises(RegistryError, match=r"paper\.internal"):
        load_district(GRID_KEY, grid_root)


def test_demo_and_boundaries_are_told_even_if_the_scene_forgets_the_latter(grid):
    figure = cartography.draw(grid, Scene(), sheet(), A4)
    assert on_paper(figure, "示意界线,非法定界线")
    figure = cartography.draw(grid, Scene(notices=notices(grid, demo=True)), sheet(), A4)
    assert on_paper(figure, "含演示数据,非真实记录")
    said = next(one for one in figure.axes[0].texts if "演示" in one.get_text())
    assert said.get_color() == "#ffffff"
    assert said.get_fontsize() > 10


# ---- scale -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paper", PAPERS)
def test_the_scale_bar_and_the_ratio_are_true(grid, paper):
    figure = cartography.draw(grid, Scene(), sheet(), paper)
    page, chart = figure.axes
    ratio = next(one for one in texts(figure) if one.startswith("比例尺"))
    denominator = int(re.sub(r"\D", "", ratio.partition(":")[2]))
    west, east = chart.get_xlim()
    width_mm = chart.get_position().width * paper.size_mm[0]
    assert (east - west) / width_mm * 1000 == pytest.approx(denominator, rel=1e-9)
    assert chart.get_position().height * paper.size_mm[1] * denominator / 1000 == pytest.approx(
        np.diff(chart.get_ylim())[0]
    )
    quarter = next(one for one in page.patches if one.get_gid() == "scale-bar")
    number = float(next(one for one in texts(figure) if re.fullmatch(r"[\d.]+", one) and float(one) > 0))
    half = float(number)  # the first positive label stands at the middle of the bar
    assert quarter.get_width() * 2 * denominator / 1000 == pytest.approx(half * 1000)
    # ten kilometres on the ground are two towns' centres apart
    centres = grid.boundaries.loc[[town_name(0), town_name(1)]]
    assert np.diff(centres["label_x"])[0] == pytest.approx(10_000, abs=5)


def test_round_numbers():
    assert _furniture.round_scale(207_345) == 210_000
    assert _furniture.round_scale(210_000) == 210_000
    assert _furniture.round_scale(99_001) == 100_000
    assert _furniture.bar_length(420, 25) == 10_000
    assert _furniture.bar_length(97, 25) == 2_000
    assert _furniture.bar_length(1, 25) == 20


@given(st.floats(1, 1e9))
def test_a_rounded_scale_never_cuts_the_map_off(fitting):
    rounded = _furniture.round_scale(fitting)
    assert fitting * (1 - 1e-9) <= rounded <= max(fitting * 1.11, 10)


def test_a_town_in_focus_fills_the_frame_and_is_marked_in_the_small_map(grid):
    town = town_name(4)
    bounds = town_bounds(grid, town)
    assert bounds is not None
    figure = cartography.draw(grid, Scene(town=town, focus=(town, bounds)), sheet(), A4)
    west, east = figure.axes[1].get_xlim()
    assert 10_000 < east - west < 15_000
    assert on_paper(figure, "在方格区的位置")
    assert not on_paper(figure, "邻区")  # out of the frame: neither on the map nor in the legend
    whole = district_bounds(grid)
    assert whole is not None
    figure = cartography.draw(grid, Scene(focus=("全区", whole)), sheet(), A4)
    assert not on_paper(figure, "的位置")
    assert on_paper(figure, "邻区")


# ---- names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paper", PAPERS, ids=lambda one: one.label)
def test_no_name_lies_over_another_in_the_whole_district(qijiang, found, paper):
    for line in (None, next(one for one in shortlist.lines(found[0]) if one.rule.kind == "radius")):
        frames = {} if line is None else {key: found[1][key].frame for key in line.rule.layers}
        scene = scenes.shortage_scene(
            qijiang, found[0], shortlist.lines(found[0]), line=line, frames=frames, circles=True
        )[0]
        figure = cartography.draw(qijiang, scene, sheet(), paper)
        assert assert_names_apart(figure) == len(qijiang.boundaries) + len(qijiang.background)
        assert_all_on_the_page(figure)


def test_no_name_lies_over_another_with_any_town_in_focus(qijiang, found):
    for number, town in enumerate(qijiang.boundaries.index):
        scene = scenes.town_scene(qijiang, found[1], str(town), most=300)[0]
        figure = cartography.draw(qijiang, scene, sheet(), PAPERS[number % 4])
        assert assert_names_apart(figure) >= 1
        assert_all_on_the_page(figure)
        assert town in texts(figure)


def test_names_stay_apart_where_towns_are_tiny(tmp_path):
    district = load_district(GRID_KEY, write_grid(tmp_path, n=4, side_m=500))
    # towns of half a kilometre in a frame for a district forty times as wide
    box = district.projection.to_degrees([-30_000, 30_000], [-30_000, 30_000])
    bounds = (float(box[0][0]), float(box[1][0]), float(box[0][1]), float(box[1][1]))
    figure = cartography.draw(district, Scene(focus=("远望", bounds)), sheet(), A4)
    assert assert_names_apart(figure) == 17
    # what moved away has a leader
    assert sum(line.get_linewidth() == 0.5 for line in figure.axes[1].lines) >= 8


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(5, 95), st.floats(5, 95), st.floats(4, 30), st.floats(2, 6)),
        min_size=1,
        max_size=15,
    )
)
def test_placed_names_never_meet(wanted):
    names = [_labels.Wanted(x, y, w, h, shapely.box(x - 3, y - 3, x + 3, y + 3)) for x, y, w, h in wanted]
    frame = (0.0, 0.0, 100.0, 100.0)
    reserved = [(40.0, 40.0, 60.0, 60.0)]
    places = _labels.place(names, frame, np.empty((0, 4)), reserved)
    boxes = [shapely.box(*one.box) for one in places if one is not None]
    assert len(boxes) == len(names)  # there is room for all
    for a, b in itertools.combinations([*boxes, shapely.box(*reserved[0])], 2):
        assert a.intersection(b).area == 0
    assert all(shapely.box(*frame).covers(one) for one in boxes)
    again = _labels.place(names, frame, np.empty((0, 4)), reserved)
    assert again == places


def test_a_name_prefers_its_own_ground_and_leaves_marks_free():
    ground = shapely.box(0, 0, 40, 40)
    mark = np.array([[15.0, 15, 25, 25]])
    (placed,) = _labels.place([_labels.Wanted(20, 20, 12, 4, ground)], (0, 0, 100, 100), mark)
    assert placed is not None
    assert ground.covers(shapely.box(*placed.box))
    assert shapely.box(*placed.box).intersection(shapely.box(*mark[0])).area == 0
    assert placed.leader is None


def test_a_name_without_room_is_left_out_not_laid_over_another():
    wanted = [_labels.Wanted(5, 5, 9, 9, shapely.box(0, 0, 10, 10)) for _ in range(2)]
    places = _labels.place(wanted, (0, 0, 10, 10), np.empty((0, 4)))
    assert [one is None for one in places].count(True) == 1


# ---- areas, marks, legend ------------------------------------------------------------------------------


def grey(figure: Figure, dpi: int = 130) -> np.ndarray:
    with Image.open(io.BytesIO(cartography.to_png(figure, dpi))) as picture:
        return np.asarray(picture.convert("L"), dtype=float)


def patch_of_grey(figure: Figure, x: float, y: float, half: float, dpi: int = 130) -> np.ndarray:
    """Cut the picture round a place on the ground (metres)."""
    picture, chart = grey(figure, dpi), figure.axes[1]
    px, py = chart.transData.transform((x, y)) / figure.dpi * dpi
    reach = half * abs(np.diff(chart.transData.transform([(0, 0), (1, 0)]), axis=0)[0, 0]) / figure.dpi * dpi
    row = picture.shape[0] - py
    return picture[int(row - reach) : int(row + reach), int(px - reach) : int(px + reach)]


def looks(patch: np.ndarray) -> tuple[float, float]:
    """Tell how light a patch is, and how much of it lines or dots darken."""
    usual = float(np.median(patch))
    return usual, float((patch < usual - 12).mean())


def different(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return abs(a[0] - b[0]) > 15 or abs(a[1] - b[1]) > 0.04


def test_covered_possible_and_uncovered_are_apart_in_grey(grid):
    # one facility in the middle of 庚 (south-west is 甲): sure within 4 km, possible to 8 km
    figure = cartography.draw(grid, circles(grid, [(-10_000, 10_000)], 6000, 2000), sheet(), A4)
    sure = looks(patch_of_grey(figure, -12_300, 10_000 - 1500, 900))
    maybe = looks(patch_of_grey(figure, -10_000 + 3300, 10_000 - 4200, 600))
    none = looks(patch_of_grey(figure, 10_000, -12_000, 1500))
    assert different(sure, maybe)
    assert different(maybe, none)
    assert different(sure, none)
    for label in ("覆盖", "可能覆盖(受定位误差影响)", "未覆盖", "直线服务半径6,000米"):
        assert on_paper(figure, label)


def test_statuses_are_apart_in_grey_and_keep_their_signs_without_a_legend(grid):
    states = {town_name(0): SHORT, town_name(1): UNKNOWN, town_name(2): MET}
    shades = {town: scenes.SHADES[status] for town, status in states.items()}
    figure = cartography.draw(grid, Scene(shades=shades), sheet(), A4)
    seen = [looks(patch_of_grey(figure, 10_000 * k - 10_000, -12_500, 1600)) for k in range(3)]
    assert all(different(a, b) for a, b in itertools.combinations(seen, 2))
    assert all(on_paper(figure, status) for status in states.values())
    assert "不适用" not in texts(figure)


def test_the_ramp_stays_in_order_in_grey(grid):
    counts = {town_name(k): k for k in range(9)}
    shades, legend = scenes.count_shades(counts)
    figure = cartography.draw(
        grid, Scene(shades=shades, shade_title="短缺的标准(条)", shade_legend=legend), sheet(), A4
    )
    order = [k for k in range(9) if k in (0, 1, 3, 5, 7)]
    light = [
        np.median(patch_of_grey(figure, 10_000 * (k % 3) - 10_000, 10_000 * (k // 3) - 12_500, 1200))
        for k in order
    ]
    assert all(a > b + 5 for a, b in itertools.pairwise(light))


def test_the_areas_drawn_are_those_of_the_discs(grid):
    figure = cartography.draw(grid, circles(grid, [(0, 0)], 4000), sheet(), A4)
    fill = _mapbody.AREAS["covered"].face
    from matplotlib.colors import to_rgba

    drawn = next(one for one in figure.axes[1].patches if one.get_facecolor() == to_rgba(fill))
    rings = drawn.get_path().to_polygons()
    area = sum(shapely.Polygon(ring).area for ring in rings)
    assert area == pytest.approx(np.pi * 4000**2, rel=2e-3)
    assert not on_paper(figure, "可能覆盖")  # nothing is possible only: the legend says nothing of it


def test_parts_switched_off_are_not_drawn(grid):
    figure = cartography.draw(grid, circles(grid, [(0, 0)], 4000, 300, gap=False), sheet(), A4)
    assert not on_paper(figure, "未覆盖")


def test_the_legend_names_what_is_in_the_frame_and_nothing_else(grid):
    styles = (MarkStyle("在用"), MarkStyle("规划", hollow=True), MarkStyle("从不"))
    layer = marks(grid, [(0, 0), (10_000, 10_000)], styles=styles, classes=[0, 1])
    hidden = marks(grid, [(0, 0)], styles=(MarkStyle("只供计算"),), visible=False)
    figure = cartography.draw(grid, Scene(layers=[layer, hidden]), sheet(), A4)
    said = texts(figure)
    assert {"在用", "规划"} <= set(said)
    assert not {"从不", "只供计算"} & set(said)
    town = town_name(4)
    bounds = town_bounds(grid, town)
    assert bounds is not None
    near = cartography.draw(grid, Scene(layers=[layer], focus=(town, bounds)), sheet(), A4)
    assert "规划" not in texts(near)


def shapes_in(grid, **fields):
    degrees = grid.projection.geometry_to_degrees
    large, small = shapely.box(-9000, -9000, -1000, -1000), shapely.box(-6000, -6000, -5000, -5000)
    line = shapely.LineString([(0, 0), (9000, 9000)])
    made = {
        "key": "zones",
        "shapes": np.array([degrees(one) for one in (small, large)], dtype=object),
        "styles": [ShapeStyle("管理范围", "#0072b2", fill=True)],
        "classes": np.zeros(2, dtype=np.uint8),
    }
    road = ShapeLayer(
        "roads",
        np.array([degrees(line)], dtype=object),
        [ShapeStyle("国道", "#b5520b"), ShapeStyle("省道", "#6a3d9a")],
        np.zeros(1, dtype=np.uint8),
    )
    return Scene(shapes=[ShapeLayer(**(made | fields)), road])


def test_lines_and_areas_are_drawn_where_they_are_and_named_once(grid):
    figure = cartography.draw(grid, shapes_in(grid), sheet(), A4)
    assert [on_paper(figure, name) for name in ("管理范围", "国道", "省道")] == [True, True, False]
    assert sum("管理范围" in one for one in texts(figure)) == 1
    plain = np.asarray(
        Image.open(io.BytesIO(cartography.to_png(cartography.draw(grid, Scene(), sheet(), A4), 60)))
    )
    drawn = np.asarray(Image.open(io.BytesIO(cartography.to_png(figure, 60))))
    assert (plain != drawn).any(axis=2).sum() > 1000


def test_a_chosen_area_is_outlined_in_the_accent_colour(grid):
    figure = cartography.draw(grid, shapes_in(grid, chosen=0), sheet(), A4)
    edges = [one.get_edgecolor() for one in figure.axes[1].get_children() if isinstance(one, PathPatch)]
    assert sum(np.allclose(one, to_rgba(PALETTE["accent"])) for one in edges) == 1


def test_shapes_out_of_the_frame_are_not_in_the_legend(grid):
    scene = replace(shapes_in(grid), focus=(town_name(8), town_bounds(grid, town_name(8))))
    figure = cartography.draw(grid, scene, sheet(), A4)
    assert not on_paper(figure, "管理范围")


def test_records_at_one_place_are_counted_and_kinds_stand_side_by_side(grid):
    styles = (MarkStyle("在用"), MarkStyle("规划", hollow=True))
    layer = marks(grid, [(0, 0)] * 5, styles=styles, classes=[0, 0, 0, 1, 1])
    figure = cartography.draw(grid, Scene(layers=[layer]), sheet(), A4)
    assert {"3", "2", "同一位置的记录数"} <= set(texts(figure))
    places = {
        tuple(np.round(one.get_offsets()[0])) for one in figure.axes[1].collections if len(one.get_offsets())
    }
    xs = sorted(x for x, y in places if abs(y) < 1)
    assert len(xs) >= 2
    assert xs[0] == pytest.approx(-xs[-1], abs=2)


@pytest.mark.parametrize("outline", ["", "M", "Z", "M1", "L 3 3", "M0 0 Q", "zzz", "M0 0a1"])
def test_an_outline_that_is_none_is_drawn_as_a_plain_disc(grid, outline):
    assert len(_furniture.symbol_path(outline).vertices) in (0, 1)
    layer = marks(grid, [(0, 0)])
    scene = Scene(layers=[MarkLayer("a", layer.lon, layer.lat, outline, layer.styles, layer.classes)])
    assert cartography.to_png(cartography.draw(grid, scene, sheet(), A4), 40)


def test_symbols_are_read_right(qijiang):
    cross = _furniture.symbol_path(CROSS)
    assert cross.get_extents().bounds == pytest.approx((-9 / 24, -9 / 24, 18 / 24, 18 / 24))
    assert shapely.Polygon(cross.to_polygons()[0]).area == pytest.approx((6 * 6 * 5) / 24**2)
    square = _furniture.symbol_path("M5 5h14v14H5z")
    assert shapely.Polygon(square.to_polygons()[0]).area == pytest.approx((14 / 24) ** 2)
    for outline in qijiang.registry.symbols.values():
        inside = _furniture.symbol_path(outline).get_extents()
        assert inside.width > 0.3
        assert max(abs(value) for value in inside.extents) <= 0.51
    drop = _furniture.symbol_path(qijiang.registry.symbols["drop"])
    top = max(drop.vertices, key=lambda one: one[1])
    assert top[0] == pytest.approx(0)  # the point of a drop is up


def test_the_chosen_record_is_ringed(grid):
    lon, lat = GRID_CENTRE
    figure = cartography.draw(grid, Scene(chosen=(lon, lat, 2000.0)), sheet(), A4)
    assert on_paper(figure, "所选记录")
    assert 2000.0 in [getattr(one, "radius", None) for one in figure.axes[1].patches]


# ---- what may go wrong -----------------------------------------------------------------------------------


def test_an_empty_scene_is_the_plain_map(qijiang):
    figure = cartography.draw(qijiang, Scene(), sheet(), A4)
    assert assert_names_apart(figure) == 22
    assert_all_on_the_page(figure)


def test_without_boundaries_the_points_are_drawn_and_the_reason_is_told(grid_root):
    (grid_root / "geo" / GRID_KEY / "townships.geojson").write_text("{", encoding="utf-8")
    district = load_district(GRID_KEY, grid_root)
    assert district.boundaries.empty
    for scene in (
        Scene(),
        Scene(layers=[marks(district, [(0, 0), (500, 500)])], shades={"甲街道": "#ffffff"}, town="甲街道"),
        circles(district, [(0, 0)], 500),
    ):
        figure = cartography.draw(district, scene, sheet(), A4)
        assert on_paper(figure, "没有可用的街镇界线")
        assert not on_paper(figure, "示意界线")
        assert cartography.to_pdf(figure)


def test_without_a_font_there_is_no_map_but_advice(grid, monkeypatch):
    def none() -> fonts.Font:
        raise FontError(fonts.ADVICE)

    monkeypatch.setattr(fonts, "chinese", none)
    with pytest.raises(FontError, match="fonts-noto-cjk"):
        cartography.draw(grid, Scene(), sheet(), A4)
    with pytest.raises(FontError):
        cartography.inset(grid, Scene(), (100, 80))


ODD = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "$\\frac{1}{0}$",
            "<script>alert(1)</script>&amp;",
            "很长的名称" * 60,
            "W" * 300,
            "甲\n乙\r\n丙",
            "😀🏥\u0000\u202e",
            "\\undefined $a",
            "   ",
        ]
    ),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=ODD, note=ODD, label=ODD, number=st.integers(0, 3))
def test_odd_words_are_only_words(grid, title, note, label, number):
    layer = marks(grid, [(0, 0)], styles=(MarkStyle(label),))
    scene = Scene(layers=[layer], notices=[(note, True), (label, False)])
    said = sheet(
        title=title, subtitle=note, sources=[label] * 3, notes=[note], clause=title,
        review_number=label, internal=note, office=title,
    )  # fmt: skip
    figure = cartography.draw(grid, scene, said, PAPERS[number])
    assert_all_on_the_page(figure)
    assert_names_apart(figure)
    assert "2026年11月22日编制" in "".join(texts(figure)).replace(" ", "")
    assert cartography.to_pdf(figure).startswith(b"%PDF")


def test_long_names_of_towns_wrap_and_stay_apart(tmp_path):
    root = write_grid(tmp_path)
    for path in (root / "geo" / GRID_KEY / "townships.geojson", root / "data" / GRID_KEY / "townships.csv"):
        text = path.read_text("utf-8")
        for letter in GRID_NAMES[2:9]:
            text = text.replace(f"{letter}镇", f"{letter}$x$<b>名字很长很长很长的民族自治镇")
        path.write_text(text, "utf-8")
    (root / "data" / GRID_KEY / "health.csv").unlink()
    district = load_district(GRID_KEY, root)
    for paper in PAPERS:
        figure = cartography.draw(district, Scene(), sheet(), paper)
        assert assert_names_apart(figure) == 10
        assert on_paper(figure, "丙$x$<b>")


def test_many_sources_are_cut_with_a_sign_never_off_the_page(grid):
    said = sheet(sources=[f"文件{n}:" + "很长的标题" * 8 for n in range(80)], notes=["说明" * 50] * 20)
    for paper in PAPERS:
        figure = cartography.draw(grid, Scene(), said, paper)
        assert_all_on_the_page(figure)
        assert any(one.endswith("…") for one in texts(figure))
        assert "资料来源" in texts(figure)
        assert figure.axes[1].get_position().height > 0.3


# ---- wrapping -------------------------------------------------------------------------------------------


@given(st.text(max_size=80), st.floats(5, 60))
def test_lines_fit_and_nothing_is_lost(text, width):
    font = fonts.chinese()
    lines = _furniture.wrap(font, text, width, 8)
    limit = max(width / _furniture.MM_PER_PT, 8 * 4)
    assert all(font.width(line, 8) <= limit + 1e-6 or len(line) <= 3 for line in lines)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", font.printable(text))


def test_no_line_begins_with_a_closing_sign():
    lines = _furniture.wrap(fonts.chinese(), "按照规划,应当设置。(见附件二)共1,568张", 16, 8)
    assert len(lines) > 2
    assert not [one for one in lines if one[0] in ",。)" or one[-1] == "("]
    assert any("1,568" in one for one in lines)


# ---- insets, threads, time ------------------------------------------------------------------------------


def test_an_inset_has_the_map_and_its_key_but_no_sheet(grid):
    scene = circles(grid, [(0, 0)], 4000, 300)
    with Image.open(io.BytesIO(cartography.inset(grid, scene, (150, 100), dpi=200))) as picture:
        assert picture.size == (round(150 / 25.4 * 200), round(100 / 25.4 * 200))
    page = PdfReader(io.BytesIO(cartography.inset(grid, scene, (150, 100), kind="pdf"))).pages[0]
    words = re.sub(r"\s", "", page.extract_text())
    assert float(page.mediabox.width) == pytest.approx(150 / 25.4 * 72, abs=0.1)
    assert all(one in words for one in ("图例", "千米", "北", "戊镇", "示意界线,非法定界线"))
    assert not [one for one in ("审图号", "编制", "比例尺1:") if one in words]
    picture = cartography.inset(grid, scene, (80, 120), kind="svg").decode()
    assert "<image" not in picture
    assert 'width="226' in picture


@pytest.mark.parametrize("size", [(60, 40), (60, 200), (250, 40)])
def test_the_smallest_insets_are_drawn(qijiang, shortages, size):
    assert cartography.inset(qijiang, shortages, size, kind="pdf").startswith(b"%PDF")


@pytest.mark.parametrize("size", [(59, 100), (100, 39), (0, 0)])
def test_an_inset_without_room_is_refused(grid, size):
    with pytest.raises(ValueError, match="至少 60×40 毫米"):
        cartography.inset(grid, Scene(), size)


def test_typst_takes_both_kinds_of_inset(grid, tmp_path):
    typst = pytest.importorskip("typst")
    scene = circles(grid, [(0, 0)], 4000, 300)
    for kind in ("svg", "pdf"):
        (tmp_path / f"map.{kind}").write_bytes(cartography.inset(grid, scene, (100, 80), kind=kind))
    (tmp_path / "a.typ").write_text(
        '#image("map.svg", width: 100mm)\n#image("map.pdf", width: 100mm)', encoding="utf-8"
    )
    assert typst.compile(str(tmp_path / "a.typ")).startswith(b"%PDF")


def test_the_same_map_twice_is_the_same_file(grid):
    scene = circles(grid, [(0, 0)], 4000, 300)
    one, other = (cartography.draw(grid, scene, sheet(), A4) for _ in range(2))
    assert cartography.to_png(one, 60) == cartography.to_png(other, 60)
    assert cartography.to_pdf(one) == cartography.to_pdf(other)


def test_threads_do_not_disturb_one_another(grid):
    scene = circles(grid, [(0, 0)], 4000, 300)
    wanted = cartography.to_png(cartography.draw(grid, scene, sheet(), A4), 60)
    got: list[bytes] = []

    def run() -> None:
        got.extend(cartography.to_png(cartography.draw(grid, scene, sheet(), A4), 60) for _ in range(2))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert got == [wanted] * 6


def test_two_thousand_hydrants_are_a_matter_of_seconds(qijiang):
    rng = np.random.default_rng(1)
    inside = shapely.union_all(qijiang.boundaries.geometry.to_numpy())
    xy = rng.uniform(inside.bounds[:2], inside.bounds[2:], (8000, 2))
    xy = xy[shapely.contains_xy(inside, xy)][:2000]
    scene = circles(qijiang, xy, 150, rng.uniform(0, 60, 2000))
    begin = time.process_time()
    figure = cartography.draw(qijiang, scene, sheet(), A4)
    pdf = cartography.to_pdf(figure)
    cartography.to_png(figure)
    assert time.process_time() - begin < 10  # measured: about 3 s with the PNG at 300 dpi
    assert len(pdf) < 3_000_000


def test_many_marks_are_small_and_few_are_large(grid):
    projection = Projection(*GRID_CENTRE)
    assert projection.crs == grid.projection.crs
    page = _furniture.Page.on(Figure(figsize=(8, 11)), fonts.chinese(), 8)
    view = view_of(grid, Scene(), 180, 200)
    rng = np.random.default_rng(2)
    few, many = rng.uniform(-14_000, 14_000, (9, 2)), rng.uniform(-14_000, 14_000, (3000, 2))
    crowd = rng.uniform(-300, 300, (50, 2))
    sizes = [_mapbody.mark_size(one, view, page) for one in (few, crowd, many)]
    assert sizes[0] > 8
    assert sizes[1] < 6
    assert sizes[2] < 3
    assert _mapbody.mark_size(np.zeros((5, 2)), view, page) > 8  # one place, drawn once
