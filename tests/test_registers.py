"""Registers: how each record gets its place, and what stops a layer."""

from __future__ import annotations

import numpy as np
import pytest

from qjmap.district import load_district
from qjmap.errors import DataError, UnknownKeyError
from qjmap.registers import concerned, has_demo, load_layer, load_table, public
from tests.conftest import GRID_KEY, town_name, write_layer

FIRST, MIDDLE, LAST = town_name(0), town_name(4), town_name(8)
CORNER_M = round(5000 * 2**0.5)
"""From the middle of a square of 10 km to its corner."""


def the_record(root, row: dict[str, object]):
    """How one record is placed: position, error, x, y."""
    write_layer(root, "hydrants", [row])
    frame = load_layer(load_district(GRID_KEY, root), "hydrants").frame
    (one,) = frame.to_dict("records")
    return one["position"], one["error_m"], one["x"], one["y"]


def at(district, x: float, y: float) -> dict[str, str]:
    """Coordinates of a place on the plane."""
    lon, lat = district.projection.to_degrees(x, y)
    return {"lon": f"{lon:.9f}", "lat": f"{lat:.9f}"}


# ---- placing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "position", "error", "place"),
    [
        # no town: listed and counted, never drawn
        ({}, "未定位", None, None),
        ({"village": "某村"}, "未定位", None, None),
        ({"position": "未定位"}, "未定位", None, None),
        ({"position": "镇域近似"}, "未定位", None, None),
        ({"position": "驻地近似"}, "未定位", None, None),
        ({"town": MIDDLE, "position": "未定位"}, "未定位", None, None),
        ({"town": MIDDLE, "position": "未定位", "error_m": 50}, "未定位", None, None),
        # a town: its seat, with the seat's error
        ({"town": MIDDLE}, "驻地近似", 100, (0, 0)),
        ({"town": FIRST}, "驻地近似", 100, (-10_000, -10_000)),
        ({"town": MIDDLE, "error_m": 700}, "驻地近似", 700, (0, 0)),
        # its middle where that is said, where a village may be anywhere, or where no seat is known
        ({"town": MIDDLE, "position": "镇域近似"}, "镇域近似", CORNER_M, (0, 0)),
        ({"town": FIRST, "position": "镇域近似"}, "镇域近似", CORNER_M, (-10_000, -10_000)),
        ({"town": MIDDLE, "village": "某村"}, "镇域近似", CORNER_M, (0, 0)),
        ({"town": MIDDLE, "village": "某村", "position": "驻地近似"}, "驻地近似", 100, (0, 0)),
        ({"town": LAST}, "镇域近似", CORNER_M, (10_000, 10_000)),
        ({"town": LAST, "position": "驻地近似"}, "镇域近似", CORNER_M, (10_000, 10_000)),
        ({"town": LAST, "error_m": 3000}, "镇域近似", 3000, (10_000, 10_000)),
    ],
)
def test_a_record_without_coordinates(grid_root, row, position, error, place):
    found, known_to, x, y = the_record(grid_root, row)
    assert found == position
    if place is None:
        assert np.isnan([known_to, x, y]).all()
    else:
        assert known_to == error
        # the point deepest in a square is found to the metre
        assert (x, y) == pytest.approx(place, abs=1.5)


@pytest.mark.parametrize(
    ("row", "position", "error"),
    [
        # nobody says how it was obtained; nobody says how well it is known: then no better than is assumed
        ({}, "表载坐标", 30),
        ({"error_m": 2.5}, "表载坐标", 2.5),
        ({"position": "表载坐标"}, "表载坐标", 30),
        ({"position": "实测"}, "实测", 10),
        ({"position": "实测", "error_m": 0}, "实测", 0),
        ({"position": "地址匹配", "error_m": 80}, "地址匹配", 80),
        ({"position": "村社近似", "error_m": 1500}, "村社近似", 1500),
        ({"position": "驻地近似", "error_m": 300}, "驻地近似", 300),
        ({"position": "镇域近似", "error_m": 9000}, "镇域近似", 9000),
    ],
)
@pytest.mark.parametrize("town", [MIDDLE, ""])
def test_a_record_with_coordinates_keeps_them(grid_root, grid_district, town, row, position, error):
    found, known_to, x, y = the_record(grid_root, {"town": town, **at(grid_district, 1234, -4321), **row})
    assert (found, known_to) == (position, error)
    assert (x, y) == pytest.approx((1234, -4321), abs=0.01)


@pytest.mark.parametrize(
    ("lon", "lat", "error"),
    [
        ("106.65", "28.88", 739),  # half of 0.01 degrees, to the corner of the square
        ("106.651", "28.881", 74),
        ("106.651", "28.88", 74),  # a spreadsheet drops a last zero
        ("106.6512", "28.8812", 30),  # 7.4 m, which is better than is assumed
    ],
)
def test_few_digits_say_how_far_off_a_place_may_be(grid_root, lon, lat, error):
    found, known_to, _, _ = the_record(grid_root, {"lon": lon, "lat": lat})
    assert (found, known_to) == ("表载坐标", error)


def test_a_town_without_boundary_and_seat_places_nothing(grid_root):
    (grid_root / "geo" / GRID_KEY / "townships.geojson").unlink()
    district = load_district(GRID_KEY, grid_root)
    write_layer(
        grid_root, "hydrants", [{"town": LAST}, {"town": MIDDLE}, {"town": MIDDLE, "position": "镇域近似"}]
    )
    frame = load_layer(district, "hydrants").frame
    assert frame["position"].tolist() == ["未定位", "驻地近似", "未定位"]
    assert np.isfinite(frame["x"]).tolist() == [False, True, False]


def test_every_record_says_where_it_stands_in_which_file(grid_root):
    write_layer(grid_root, "hydrants", [{}], demo=True)
    district = load_district(GRID_KEY, grid_root)
    assert load_layer(district, "hydrants").frame["file"].tolist() == [f"data/{GRID_KEY}/demo/hydrants.csv"]
    write_layer(grid_root, "hydrants", [{"note": "a\nb"}, {}])
    frame = load_layer(district, "hydrants").frame
    assert frame["row"].tolist() == [2, 3]
    assert frame["file"].tolist() == [f"data/{GRID_KEY}/hydrants.csv"] * 2
    assert frame.index.tolist() == [0, 1]


# ---- what stops a layer ---------------------------------------------------------------------------


def errata(root, *concerns: str):
    """The table of errata, each row speaking of a column."""
    path = root / "data" / GRID_KEY / "errata.csv"
    head = "id,subject,printed,found,treatment,concerns,document,clause"
    rows = [f"K{n},甲,乙,丙,丁,{one},plan,表1" for n, one in enumerate(concerns, 1)]
    path.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    return load_table(load_district(GRID_KEY, root), "errata")


def test_rows_that_speak_of_a_sensitive_column_go_to_nobody_else(grid_root, grid_district):
    found = errata(
        grid_root,
        "",
        "reservoirs.capacity_wan_m3",
        "reservoirs.name",
        "reservoirs.name、hydrants.pressure_mpa",
    )
    said = [[spec.key for spec in one] for one in concerned(found, grid_district.registry)]
    assert said == [[], ["reservoirs"], [], ["hydrants"]]
    assert public(found, grid_district.registry)["id"].tolist() == ["K1", "K3"]


@pytest.mark.parametrize("slip", ["reservoirs.capacity", "reservoir.capacity_wan_m3", "库容", "reservoirs"])
def test_a_slip_in_what_a_row_speaks_of_is_told_and_not_shown(grid_root, slip):
    with pytest.raises(DataError) as caught:
        errata(grid_root, "", slip)
    assert [(one.row, one.column, one.value) for one in caught.value.problems] == [(3, "concerns", slip)]


def test_a_broken_demo_row_stops_the_layer_unless_demo_is_off(grid_root):
    write_layer(grid_root, "hydrants", [{}, {"flow_l_s": "-1"}], demo=True)
    district = load_district(GRID_KEY, grid_root)
    with pytest.raises(DataError, match="demo/hydrants") as caught:
        load_layer(district, "hydrants")
    assert [(one.row, one.column) for one in caught.value.problems] == [(3, "flow_l_s")]
    assert load_layer(district, "hydrants", demo=False).frame.empty


def test_an_invented_row_may_not_pass_for_another(grid_root):
    write_layer(grid_root, "hydrants", [{"source": "导入"}], demo=True)
    with pytest.raises(DataError) as caught:
        load_layer(load_district(GRID_KEY, grid_root), "hydrants")
    assert [one.column for one in caught.value.problems] == ["source"]


def test_a_broken_layer_stops_no_other(grid_root):
    write_layer(grid_root, "hydrants", [{"kind": "?"}])
    district = load_district(GRID_KEY, grid_root)
    with pytest.raises(DataError):
        load_layer(district, "hydrants")
    assert len(load_layer(district, "health").frame) == 3


def test_a_layer_without_a_file_is_empty_and_typed_like_any_other(grid_district, grid_root):
    empty = load_layer(grid_district, "hydrants").frame
    write_layer(grid_root, "hydrants", [{}])
    full = load_layer(grid_district, "hydrants").frame
    assert empty.empty
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()


def test_demo_rows_stand_in_for_a_register_that_nobody_has(grid_root):
    """A sum of what is and what was invented would be no number of anything."""
    write_layer(grid_root, "hydrants", [{}, {}], demo=True)
    district = load_district(GRID_KEY, grid_root)
    shown = load_layer(district, "hydrants").frame
    assert (len(shown), has_demo(shown)) == (2, True)
    hidden = load_layer(district, "hydrants", demo=False).frame
    assert (len(hidden), has_demo(hidden)) == (0, False)
    write_layer(grid_root, "hydrants", [])
    assert len(load_layer(district, "hydrants").frame) == 2
    write_layer(grid_root, "hydrants", [{}])
    assert load_layer(district, "hydrants").frame["source"].tolist() == ["文件"]


def test_a_layer_is_no_table_and_a_table_no_layer(grid_district):
    with pytest.raises(UnknownKeyError, match="townships"):
        load_layer(grid_district, "townships")
    with pytest.raises(UnknownKeyError, match="health"):
        load_table(grid_district, "health")
    with pytest.raises(UnknownKeyError, match="没有名为"):
        load_layer(grid_district, "nowhere")


def test_a_table_has_no_place(grid_district):
    towns = load_table(grid_district, "townships")
    assert len(towns) == 9
    assert not {"x", "y", "source"} & set(towns.columns)
    assert towns["row"].tolist() == list(range(2, 11))


def test_has_demo_bears_frames_without_a_source(grid_district):
    assert not has_demo(load_table(grid_district, "townships"))


# ---- the real ones --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "positions"),
    [
        # 19 centres and 永城分院 at a seat; 文龙, 通惠 (no seat), 蒲河, 乐兴 by town; hospitals without a town
        ("health", {"驻地近似": 20, "镇域近似": 4, "未定位": 12}),
        ("projects", {"驻地近似": 18, "镇域近似": 2, "未定位": 14}),
        ("emergency_teams", {"驻地近似": 19, "镇域近似": 2}),
        ("reservoirs", {"镇域近似": 8, "未定位": 5}),
        ("hydrants", {"实测": 2000}),
        ("fire_ponds", {"实测": 150}),
        ("fire_stations", {"实测": 25}),
        ("micro_stations", {"实测": 120}),
        ("highrises", {"实测": 600}),
    ],
)
def test_how_the_real_records_are_placed(qijiang, key, positions):
    frame = load_layer(qijiang, key).frame
    counts = frame["position"].value_counts()
    assert counts[counts > 0].to_dict() == positions
    unplaced = (frame["position"] == "未定位").to_numpy()
    for column in ("x", "y", "error_m"):
        assert np.array_equal(frame[column].isna().to_numpy(), unplaced)
    errors = frame["error_m"].dropna().to_numpy()
    assert np.array_equal(errors, errors.round()), "no position is known to the millimetre"


def test_no_record_of_the_documents_pretends_to_be_measured(qijiang):
    for key in qijiang.registry.layers:
        frame = load_layer(qijiang, key, demo=False).frame
        assert not frame["position"].isin(["实测", "地址匹配"]).any()
        assert not has_demo(frame)


def test_a_record_placed_by_its_town_reaches_all_of_it(qijiang):
    frame = load_layer(qijiang, "health").frame
    shapes = qijiang.boundaries.geometry
    for one in frame[frame["position"] == "镇域近似"].itertuples():
        corners = np.asarray(shapes[one.town].exterior.coords)
        assert np.hypot(*(corners - (one.x, one.y)).T).max() == pytest.approx(one.error_m, abs=0.5)


@pytest.mark.parametrize(
    "key", ["townships", "villages", "indicators", "errata", "project_rules", "estimates"]
)
def test_the_real_tables_load(qijiang, key):
    assert len(load_table(qijiang, key)) > 0


def test_every_registered_table_and_layer_of_the_district_loads(qijiang):
    for key in qijiang.registry.tables:
        load_table(qijiang, key)
    assert {key for key in qijiang.registry.layers if load_layer(qijiang, key).problems} == set()
