"""Plant types at towers from 300 m maps: windows against distances computed pixel by pixel, date line and poles."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dere.ingest.cover.esacci import parse_site_table
from dere.ingest.cover.esacci_classes import LAYERS
from dere.ingest.cover.esacci_towers import KM_PER_DEGREE, sample_files, window_of
from dere.ingest.cover.fine_map import FineMap, open_fine_map
from plant_type_maps import WATER, centres, synthetic_layers, write_fine_map

GLOBE = FineMap("f", centres(90, 180, -1), centres(-180, 360, 1), {})
SOUTH_FIRST = FineMap("f", centres(-90, 180, 1), centres(-180, 360, 1), {})


def obvious(lat, lon, fine, size):
    """Pixels by the definition: the pixel that holds the point, and all others near enough, one by one."""
    chosen = set()
    step = 180 / len(fine.lat)
    for i, y in enumerate(fine.lat):
        for j, x in enumerate(fine.lon):
            far = abs((x - lon + 180) % 360 - 180)
            own = abs(y - lat) <= step / 2 and far <= step / 2
            near_lat = abs(y - lat) * KM_PER_DEGREE <= size / 2
            near_lon = far * KM_PER_DEGREE * np.cos(np.deg2rad(lat)) <= size / 2
            same_row, same_column = abs(y - lat) <= step / 2, far <= step / 2
            if own or ((near_lat or same_row) and (near_lon or same_column)):
                chosen.add((i, j))
    return chosen


def pixels(window):
    return {(i, int(j)) for i in range(window.rows.start, window.rows.stop) for j in window.columns}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.floats(-89.9, 89.9), st.floats(-179.99, 179.99), st.floats(0, 2500), st.booleans())
def test_window_is_its_definition_everywhere_on_the_globe(lat, lon, size, turned):
    # off the edges of pixels, where two pixels hold the point alike
    lat, lon = np.floor(lat) + 0.3, np.floor(lon) + 0.7
    fine = SOUTH_FIRST if turned else GLOBE
    assert pixels(window_of(lat, lon, fine, size)) == obvious(lat, lon, fine, size)


@pytest.mark.parametrize("fine", [GLOBE, SOUTH_FIRST])
@pytest.mark.parametrize(("lat", "lon"), [(90, 0), (-90, 0), (90, 180), (-90, -180), (0, 180), (0, -180)])
@pytest.mark.parametrize("size", [0.0, 300.0, "3x3"])
def test_poles_and_date_line_are_inside(fine, lat, lon, size):
    window = window_of(lat, lon, fine, size)
    assert window.rows.stop > window.rows.start and len(set(window.columns)) == len(window.columns)
    if abs(lat) == 90 and size == 300.0:
        assert len(window.columns) == 360, "near a pole every meridian is near, once"


def test_three_by_three_crosses_the_date_line_and_ends_at_the_pole():
    window = window_of(10.5, 179.9, GLOBE, "3x3")
    assert window.columns.tolist() == [0, 358, 359] and (window.rows.start, window.rows.stop) == (78, 81)
    assert window_of(89.9, 0.5, GLOBE, "3x3").rows == slice(0, 2)
    assert pixels(window_of(10.9, 20.9, GLOBE, 0.0)) == {(79, 200)}


@pytest.fixture
def maps(tmp_path):
    size = 1 / 24
    layers = {year: synthetic_layers(24, 48, seed=year, ocean=False) for year in (2000, 2001)}
    missing = np.zeros((24, 48), bool)
    missing[20:, 40:] = True
    for year in layers:
        layers[year][:, :3, :3] = 0
        layers[year][WATER, :3, :3] = 100
    files = {year: write_fine_map(tmp_path, year, layers[year], 51.0, 10.0, size, missing=missing) for year in layers}
    return layers, files


def at(row, column):
    return 51.0 - (row + 0.4) / 24, 10.0 + (column + 0.6) / 24


def test_rows_of_towers(maps, caplog):
    layers, files = maps
    places = {"AA-Syn": at(10, 10), "BB-Syn": at(1, 1), "CC-Syn": at(22, 45), "DD-Syn": (-10.0, 10.0)}
    sites = pd.DataFrame([(name, *place) for name, place in places.items()], columns=["SITE_ID", "lat", "lon"])
    with caplog.at_level("INFO"):
        table = sample_files(files, sites, "3x3")
    assert table[["SITE_ID", "year"]].to_numpy().tolist() == [["AA-Syn", 2000], ["AA-Syn", 2001]]
    assert "1 sites lie in pure water and get no row of their own (BB-Syn)" in caplog.text
    weight = np.cos(np.deg2rad(centres(51.0, 24, -1 / 24)))[9:12, None].repeat(3, 1)
    for _, row in table.iterrows():
        window = layers[row["year"]][:, 9:12, 9:12]
        expected = (window * weight).sum((1, 2)) / weight.sum()
        np.testing.assert_allclose(row[list(LAYERS)].to_numpy(float), expected)
        assert row["pixels"] == 9 and row["source"] == files[row["year"]].name
    cover = parse_site_table(table, True, "f")
    assert cover.sizes["site"] == 1 and cover.sizes["year"] == 2


def test_one_pixel(maps):
    layers, files = maps
    sites = pd.DataFrame([("AA-Syn", *at(7, 30))], columns=["SITE_ID", "lat", "lon"])
    table = sample_files(files, sites, 0.0)
    np.testing.assert_array_equal(table.loc[1, list(LAYERS)].to_numpy(float), layers[2001][:, 7, 30])


def test_sites_missing_in_one_year_have_no_row(maps, tmp_path, caplog):
    _, files = maps
    other = tmp_path / "other"
    other.mkdir()
    files[2002] = write_fine_map(other, 2002, synthetic_layers(24, 24, ocean=False), 51.0, 10.0, 1 / 24)
    sites = pd.DataFrame([("AA-Syn", *at(7, 30)), ("BB-Syn", *at(7, 20))], columns=["SITE_ID", "lat", "lon"])
    table = sample_files(files, sites, 0.0)
    assert set(table["SITE_ID"]) == {"BB-Syn"}
    assert "1 sites are not in the maps of every year" in caplog.text


def test_impossible_coordinates(maps):
    sites = pd.DataFrame([("AA-Syn", 120.0, 30.0)], columns=["SITE_ID", "lat", "lon"])
    with pytest.raises(ValueError, match=r"tower AA-Syn has latitude 120.*they look exchanged"):
        sample_files(maps[1], sites, 0.0)


def test_windows_across_the_date_line_read_both_ends(tmp_path):
    layers = synthetic_layers(18, 36, ocean=False)
    layers[:, 0], layers[WATER, 0] = 0, 100
    path = write_fine_map(tmp_path, 2001, layers, 90.0, -180.0, 10.0, chunks=(5, 7))
    sites = pd.DataFrame([("AA-Syn", 5.0, 179.0)], columns=["SITE_ID", "lat", "lon"])
    table = sample_files({2001: path}, sites, "3x3")
    with open_fine_map(path) as fine:
        weight = np.cos(np.deg2rad(fine.lat))[7:10, None].repeat(3, 1)
    window = layers[:, 7:10][:, :, [0, 34, 35]]
    np.testing.assert_allclose(table.loc[0, list(LAYERS)].to_numpy(float), (window * weight).sum((1, 2)) / weight.sum())
