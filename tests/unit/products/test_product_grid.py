"""Grid geometry against closed forms."""

import numpy as np
import pytest

from dere.products.grid import EARTH_RADIUS_M, Grid


@pytest.mark.parametrize("degrees", [0.5, 6.0, 30.0])
def test_areas_sum_to_the_sphere_and_bounds_touch(degrees):
    grid = Grid(degrees)
    np.testing.assert_allclose(grid.area.sum(), 4 * np.pi * EARTH_RADIUS_M**2, rtol=1e-12)
    assert (np.diff(grid.lat) > 0).all() and (np.diff(grid.lon) > 0).all()
    np.testing.assert_array_equal(grid.lat_bounds[1:, 0], grid.lat_bounds[:-1, 1])
    assert grid.lat_bounds[0, 0] == -90 and grid.lon_bounds[-1, 1] == 180


@pytest.mark.parametrize(("degrees", "label"), [(0.5, "50 km"), (1.0, "100 km"), (6.0, "1000 km")])
def test_nominal_resolution_follows_the_cmip6_table(degrees, label):
    assert Grid(degrees).nominal_resolution == label


def test_placing_puts_each_cell_at_its_centre_and_leaves_the_rest_missing():
    grid = Grid(30.0)
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    out = grid.place(values, np.array([75.0, -15.0]), np.array([-165.0, 345.0]))
    assert out.shape == (2, 6, 12)
    assert (out[:, 5, 0] == [1, 2]).all() and (out[:, 2, 5] == [3, 4]).all()
    assert np.isnan(out).sum() == 2 * (72 - 2)


def test_bad_grids_and_cells_end_in_sentences():
    with pytest.raises(ValueError, match="divides 180"):
        Grid(7.0)
    with pytest.raises(ValueError, match="no centre of the 30 degree grid"):
        Grid(30.0).position(np.array([50.0]), np.array([10.0]))
    with pytest.raises(ValueError, match="share their place"):
        Grid(30.0).position(np.array([45.0, 45.0]), np.array([15.0, 375.0]))
