"""The invented registers: marked as such on every row, where they say they are, and always the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.spatial import cKDTree

from qjmap import sample
from qjmap.cli import build_demo
from qjmap.district import load_district
from qjmap.errors import DataError, QjmapError
from qjmap.registers import has_demo, load_layer
from tests.conftest import GRID_KEY, town_name, write_grid

LENGTHS = {"hydrants": 2000, "fire_ponds": 150, "fire_stations": 25, "micro_stations": 120, "highrises": 600}


def nearest_m(district, frame: pd.DataFrame) -> float:
    """The least distance between two records."""
    places = np.column_stack(district.projection.to_metres(frame["lon"], frame["lat"]))
    return float(cKDTree(places).query(places, k=2)[0][:, 1].min())


def in_their_towns(district, frame: pd.DataFrame) -> np.ndarray:
    x, y = district.projection.to_metres(frame["lon"], frame["lat"])
    return shapely.contains_xy(district.boundaries.geometry[frame["town"]].to_numpy(), x, y)


# ---- what ships -----------------------------------------------------------------------------------


def test_the_shipped_registers_are_what_the_command_makes(qijiang, tmp_path):
    written = build_demo(qijiang, tmp_path)
    shipped = qijiang.data / "demo"
    assert {path.name for path in written} == {path.name for path in shipped.iterdir()}
    assert len(written) == 5
    for path in written:
        assert path.read_bytes() == (shipped / path.name).read_bytes(), "运行 python -m qjmap.cli build-demo"


@pytest.mark.parametrize("key", list(LENGTHS))
def test_every_row_says_that_it_is_invented_and_lies_in_its_town(qijiang, key):
    frame = load_layer(qijiang, key).frame
    assert len(frame) == LENGTHS[key]
    assert (frame["source"] == "演示").all()
    assert has_demo(frame)
    assert frame["name"].str.startswith("演示").all()
    assert frame["id"].is_unique
    assert frame["document"].isna().all()
    assert frame["clause"].isna().all()
    assert in_their_towns(qijiang, frame).all()
    assert load_layer(qijiang, key, demo=False).frame.empty


@pytest.mark.parametrize("key", ["hydrants", "micro_stations"])
def test_every_town_has_some(qijiang, key):
    assert set(load_layer(qijiang, key).frame["town"]) == set(qijiang.towns.index)


def test_only_the_layers_that_no_document_lists_are_invented(qijiang):
    assert set(sample.MAKERS) == set(LENGTHS)
    documented = {path.stem for path in qijiang.data.glob("*.csv")}
    assert not documented & set(LENGTHS)


def test_hydrants_stand_apart_as_promised(qijiang):
    hydrants = load_layer(qijiang, "hydrants").frame
    assert nearest_m(qijiang, hydrants) >= 40
    places = hydrants[["x", "y"]].to_numpy()
    assert 80 < np.median(cKDTree(places).query(places, k=2)[0][:, 1]) < 120
    assert hydrants["diameter_mm"].isin([65, 100, 150]).all()


def test_high_rises_are_high(qijiang):
    frame = load_layer(qijiang, "highrises").frame
    home = frame["kind"] == "高层住宅建筑"
    assert set(frame["kind"]) == {"高层住宅建筑", "高层公共建筑"}
    # the plan's own limits: dwellings above 27 m, public buildings above 24 m and of more than one storey
    assert frame.loc[home, "height_m"].min() > 27
    assert frame.loc[~home, "height_m"].min() > 24
    assert frame["floors"].min() > 1
    assert (frame["hazards_open"] <= frame["hazards_found"]).all()
    assert ((frame["hazard_class"] == "无") == (frame["hazards_found"] == 0)).all()
    assert frame["households"].notna().equals(home)
    assert frame["town"].isin(qijiang.towns.index[qijiang.towns["setting"] == "城区"]).mean() > 0.8


def test_ponds_and_stations_are_of_every_kind(qijiang):
    for key in ("fire_ponds", "fire_stations", "micro_stations"):
        layer = load_layer(qijiang, key)
        assert set(layer.frame["kind"]) == set(layer.spec.kinds)
    ponds = load_layer(qijiang, "fire_ponds").frame
    assert (ponds["volume_m3"].notna() ^ ponds["lift_m"].notna()).all()


def test_the_order_of_the_file_is_the_order_of_the_towns(qijiang):
    places = qijiang.towns.index.get_indexer(load_layer(qijiang, "hydrants").frame["town"])
    assert (np.diff(places) >= 0).all()


# ---- seeds and sizes ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", list(LENGTHS))
def test_one_seed_gives_one_set_and_another_another(grid_district, key):
    make = sample.MAKERS[key]
    one = make(grid_district, n=60, seed=1)
    pd.testing.assert_frame_equal(one, make(grid_district, n=60, seed=1))
    assert not one["lon"].equals(make(grid_district, n=60, seed=2)["lon"])
    assert len(one) == 60
    assert in_their_towns(grid_district, one).all()
    assert (one["source"] == "演示").all()


def test_the_layers_do_not_share_their_places(qijiang):
    places = pd.concat([load_layer(qijiang, key).frame[["lon", "lat"]] for key in LENGTHS])
    assert places.duplicated().sum() == 0


def test_twenty_thousand_hydrants_have_room(qijiang):
    frame = sample.hydrants(qijiang, n=20_000)
    assert len(frame) == 20_000
    assert in_their_towns(qijiang, frame).all()
    assert nearest_m(qijiang, frame) >= 40
    assert frame["id"].is_unique


def test_hydrants_stand_where_people_live(grid_district):
    counts = sample.hydrants(grid_district, n=4800)["town"].value_counts()
    # of 45,000 people the first two towns' 3,000 count twice: 甲 2, 乙 4, 丙 3 … 壬 9 of 48 parts
    assert [counts[town_name(k)] for k in range(9)] == [200, 400, 300, 400, 500, 600, 700, 800, 900]


@pytest.mark.parametrize("key", list(LENGTHS))
def test_few_will_do(grid_district, key):
    for n in (1, 2):
        assert len(sample.MAKERS[key](grid_district, n=n)) == n


# ---- what is refused ------------------------------------------------------------------------------


def test_no_room_is_told_in_chinese(tmp_path):
    tiny = load_district(GRID_KEY, write_grid(tmp_path, n=1, side_m=1000))
    with pytest.raises(sample.NoRoomError, match="放不下 2000 处"):
        sample.hydrants(tiny, n=2000)


@pytest.mark.parametrize("key", list(LENGTHS))
def test_a_town_narrower_than_its_margins_is_refused_and_not_tried_for_ever(tmp_path, key):
    tiny = load_district(GRID_KEY, write_grid(tmp_path, n=1, side_m=90))
    with pytest.raises(QjmapError, match="放不下"):
        sample.MAKERS[key](tiny)


@pytest.mark.parametrize("key", list(LENGTHS))
def test_without_boundaries_nothing_is_invented(grid_root, key):
    (grid_root / "geo" / GRID_KEY / "townships.geojson").unlink()
    with pytest.raises(DataError, match="没有这个文件"):
        sample.MAKERS[key](load_district(GRID_KEY, grid_root))
