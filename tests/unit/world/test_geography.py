from __future__ import annotations

import numpy as np
import pytest

from dere.world.fields import distance_km, generator, moving_field, static_field
from dere.world.geography import Grid, elevation, fetch, find_land, is_ice_sheet, is_land


def test_about_380_land_cells_on_six_degrees():
    land = find_land(Grid(6.0))
    assert 360 <= land.cell.size <= 410
    assert (np.diff(land.cell) > 0).all(), "row-major order"
    assert land.land_fraction.min() >= 0.5
    assert land.land_fraction.max() <= 1.0
    assert 105e12 < (land.area * land.land_fraction).sum() < 135e12  # land without ice sheets: 133e12 m2


def test_row_zero_is_north_and_cell_of_inverts_the_centres():
    grid = Grid(15.0)
    assert grid.lat[0] > grid.lat[-1]
    land = find_land(grid)
    np.testing.assert_array_equal(grid.cell_of(land.lat, land.lon), land.cell)


def test_areas_cover_the_sphere():
    grid = Grid(30.0)
    land = find_land(grid)
    edges = np.sin(np.deg2rad(90 - 30.0 * np.arange(7)))
    row = land.cell // grid.shape[1]
    expected = np.deg2rad(30.0) * (edges[row] - edges[row + 1]) * 6371e3**2
    np.testing.assert_allclose(land.area, expected, rtol=1e-9)


def test_known_places():
    lat = np.array([48.0, 0.0, 60.0, -25.0, 30.0])
    lon = np.array([2.0, -30.0, 90.0, 134.0, 180.0])
    np.testing.assert_array_equal(is_land(lat, lon), [True, False, True, True, False])
    assert is_ice_sheet(np.array([75.0, -80.0, 65.0]), np.array([-40.0, 0.0, 20.0])).tolist() == [True, True, False]
    assert elevation(np.array([33.0]), np.array([88.0]))[0] > 3500
    assert elevation(np.array([52.0]), np.array([20.0]))[0] < 400


def test_fetch_sees_the_sea_upwind():
    west_coast = fetch(np.array([45.0]), np.array([-1.0]), -1)[0]
    inland = fetch(np.array([50.0]), np.array([70.0]), -1)[0]
    assert west_coast < 0.3 < 0.8 < inland


def test_grid_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"world\.grid_degrees is 7"):
        Grid(7.0)


def test_fields_have_their_scale_memory_and_seed():
    rng = np.random.default_rng(0)
    lat, lon = np.rad2deg(np.arcsin(rng.uniform(-1, 1, 400))), rng.uniform(-180, 180, 400)
    values = np.stack([static_field(generator(k, "a"), lat, lon, 1000.0) for k in range(20)])
    assert abs(values.std() - 1) < 0.1
    near = np.stack([static_field(generator(k, "a"), lat + 0.5, lon, 1000.0) for k in range(20)])
    assert np.corrcoef(values.ravel(), near.ravel())[0, 1] > 0.98
    moving = moving_field(generator(0, "b"), lat, lon, 1000.0, 200, 0.8)
    assert 0.7 < np.corrcoef(moving[:, 1:].ravel(), moving[:, :-1].ravel())[0, 1] < 0.9
    np.testing.assert_array_equal(generator(1, "x").normal(size=3), generator(1, "x").normal(size=3))
    assert generator(1, "x").normal() != generator(1, "y").normal()


def test_distance_on_the_equator():
    km = distance_km(np.zeros(1), np.zeros(1), np.zeros(1), np.ones(1))[0, 0]
    assert km == pytest.approx(111.19, abs=0.05)
