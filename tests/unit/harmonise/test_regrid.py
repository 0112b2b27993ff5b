"""Conservative regridding against loops over cell pairs, against another program, and against what it must conserve."""

from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from dere.harmonise.regrid import Regridder, latitude_edges, longitude_edges, overlaps, regrid

GOLDEN = Path(__file__).parents[2] / "golden" / "remapcon.npz"
CASES = sorted({name.split("__")[0] for name in np.load(GOLDEN).files if "__" in name})


def centres(first, step, count):
    return first + step * np.arange(count)


def by_loops(field, source, target):
    """Every source cell with every target cell, overlaps of edges in degrees; returns mean and covered area."""
    (south, north), (west, east) = latitude_edges(source[0]), longitude_edges(source[1])
    (low, high), (left, right) = latitude_edges(target[0]), longitude_edges(target[1])
    total, area = np.zeros((len(low), len(left))), np.zeros((len(low), len(left)))
    for row, column in np.ndindex(total.shape):
        for i, j in np.ndindex(field.shape):
            top, bottom = min(north[i], high[row]), max(south[i], low[row])
            for turn in (-720, -360, 0, 360, 720):
                width = min(east[j] + turn, right[column]) - max(west[j] + turn, left[column])
                if width > 0 and top > bottom and np.isfinite(field[i, j]):
                    part = np.radians(width) * (np.sin(np.radians(top)) - np.sin(np.radians(bottom)))
                    area[row, column] += part
                    total[row, column] += part * field[i, j]
    with np.errstate(invalid="ignore"):
        return total / np.where(area > 1e-9, area, np.nan), area


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_another_program(name):
    """The Climate Data Operators bound cells of such grids by parallels too; the rest is rounding."""
    golden = {
        part: np.load(GOLDEN)[f"{name}__{part}"] for part in ("field", "lat", "lon", "to_lat", "to_lon", "result")
    }
    ours = Regridder.between(*(golden[axis] for axis in ("lat", "lon", "to_lat", "to_lon"))).mean(golden["field"])
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(golden["result"]))
    np.testing.assert_allclose(ours, golden["result"], rtol=1e-13, atol=1e-12)


def test_golden_cases_have_missing_cells_and_polar_rows():
    golden = np.load(GOLDEN)
    assert {name: bool(np.isnan(golden[f"{name}__result"]).any()) for name in CASES}["down_missing"]
    assert np.abs(golden["points_at_poles__lat"]).max() == 90


axis_lat = st.tuples(st.integers(2, 7), st.booleans())
axis_lon = st.tuples(st.integers(2, 8), st.sampled_from([-180.0, 0.0, 33.3, -521.5]))


@settings(max_examples=25, deadline=None)
@given(axis_lat, axis_lon, axis_lat, axis_lon, st.integers(0, 2**31))
def test_equals_loops_over_all_pairs_of_cells(lat, lon, to_lat, to_lon, seed):
    def grid(rows, columns):
        (count, northwards), (number, origin) = rows, columns
        step = 180 / count
        middle = centres(-90 + step / 2, step, count)
        return middle if northwards else middle[::-1], centres(origin + 180 / number, 360 / number, number)

    source, target = grid(lat, lon), grid(to_lat, to_lon)
    generator = np.random.default_rng(seed)
    field = generator.normal(size=(len(source[0]), len(source[1])))
    field[generator.random(field.shape) < 0.3] = np.nan
    regridder = Regridder.between(*source, *target)
    expected, area = by_loops(field, source, target)
    result = regridder.mean(field)
    np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(regridder.integral(np.isfinite(field)), area, atol=1e-12)
    # the integral over the globe is kept
    whole = np.nan_to_num(result) * area
    assert np.isclose(whole.sum(), np.nansum(expected * area), rtol=1e-12, atol=1e-12)


def test_conserves_the_integral():
    lat, lon = centres(-89.5, 1, 180), centres(0.5, 1, 360)
    field = np.random.default_rng(1).normal(5, 2, (180, 360))
    regridder = Regridder.between(lat, lon, centres(86.5, -7, 26), centres(-176, 8, 45))
    south, north = (np.sin(np.radians(ends)) for ends in latitude_edges(lat))
    outside = Regridder.between(lat, lon, [-92 + 2.5, -92 + 4.5], [-135, -45, 45, 135])
    low, high = latitude_edges(centres(86.5, -7, 26))
    assert (low.min(), high.max()) == (-90, 90)
    before = (field * (north - south)[:, None] * np.radians(1.0)).sum()
    after = (regridder.mean(field) * regridder.area).sum()
    assert abs(after / before - 1) < 1e-12
    assert np.isclose(regridder.area.sum(), 4 * np.pi, rtol=1e-12)
    assert outside.area.shape == (2, 4)


def test_a_constant_stays_and_the_same_grid_changes_nothing():
    lat, lon = centres(87.5, -5, 36), centres(-177.5, 5, 72)
    field = np.random.default_rng(2).normal(size=(36, 72))
    np.testing.assert_allclose(Regridder.between(lat, lon, lat, lon).mean(field), field, rtol=1e-12)
    turned = Regridder.between(lat, lon, lat[::-1], lon)
    np.testing.assert_allclose(turned.mean(field), field[::-1], rtol=1e-12)
    other = Regridder.between(lat, lon, centres(-80, 20, 9), centres(5, 10, 36)).mean(np.full((36, 72), 7.25))
    np.testing.assert_allclose(other, 7.25, rtol=1e-13)


def test_longitudes_from_0_and_from_minus_180_are_the_same_places():
    lat = centres(-85, 10, 18)
    west, east = centres(-175, 10, 36), centres(5, 10, 36)
    field = np.random.default_rng(3).normal(size=(18, 36))
    np.testing.assert_allclose(Regridder.between(lat, west, lat, east).mean(field), np.roll(field, 18, 1), rtol=1e-12)


def test_missing_cells_are_left_out_until_too_few_are_left():
    lat, lon = np.array([-45.0, 45.0]), np.array([45.0, 135.0, 225.0, 315.0])
    target = (np.array([-45.0, 45.0]), np.array([90.0, 270.0]))
    regridder = Regridder.between(lat, lon, *target)
    field = np.array([[1.0, np.nan, np.nan, np.nan], [1.0, 3.0, 5.0, np.nan]])
    np.testing.assert_allclose(regridder.mean(field), [[1, np.nan], [2, 5]])
    np.testing.assert_allclose(regridder.mean(field, minimum_valid=0.5), [[1, np.nan], [2, 5]])
    np.testing.assert_allclose(regridder.mean(field, minimum_valid=0.6), [[np.nan, np.nan], [2, np.nan]])
    np.testing.assert_allclose(regridder.mean(field, minimum_valid=1.0), [[np.nan, np.nan], [2, np.nan]])


def test_weights_say_how_much_of_a_cell_counts():
    regridder = Regridder.between([-45.0, 45.0], [90.0, 270.0], [-45.0, 45.0], [0.0, 180.0])
    field = np.array([[1.0, 4.0], [1.0, 4.0]])
    weight = np.array([[0.9, 0.1], [np.nan, 0.5]])
    np.testing.assert_allclose(regridder.mean(field, weight), [[1.3, 1.3], [4, 4]])


def test_a_region_leaves_the_rest_of_the_globe_missing():
    regridder = Regridder.between(
        centres(40.5, 1, 10), centres(350.5, 1, 20), centres(-85, 10, 18), centres(-175, 10, 36)
    )
    result = regridder.mean(np.ones((10, 20)))
    rows, columns = np.nonzero(np.isfinite(result))
    assert set(rows) == {13} and set(columns) == {17, 18}


def test_leading_dimensions_and_dask():
    values = np.random.default_rng(4).normal(size=(5, 3, 18, 36))
    lat, lon = centres(85, -10, 18), centres(-175, 10, 36)
    regridder = Regridder.between(lat, lon, centres(-75, 30, 6), centres(-165, 30, 12))
    array = xr.DataArray(
        values, dims=("time", "kind", "lat", "lon"), coords={"lat": lat, "lon": lon, "kind": [1, 2, 3]}
    )
    whole = regrid(array, regridder)
    assert whole.dims == ("time", "kind", "lat", "lon") and whole.shape == (5, 3, 6, 12)
    np.testing.assert_array_equal(whole.values[2, 1], regridder.mean(values[2, 1]))
    lazy = regrid(array.copy(data=da.from_array(values, chunks=(2, 3, 18, 36))), regridder)
    assert lazy.chunks is not None and lazy.chunks[0] == (2, 2, 1)
    xr.testing.assert_identical(lazy.compute(scheduler="synchronous"), whole)


def test_overlaps_are_sparse():
    fine = centres(-180, 0.5, 720), centres(-179.5, 0.5, 720)
    assert overlaps(fine, (np.array([-180.0, 0.0]), np.array([0.0, 180.0])), period=360).nnz == 720


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ([0.0, 1.0, 3.0], "steps that differ from 1.5"),
        ([10.0], "at least two"),
        ([np.nan, 1.0], "missing values"),
        ([5.0, 5.0], "differ from 0"),
        ([80.0, 100.0], "lat reaches 100"),
    ],
)
def test_bad_latitudes(axis, message):
    with pytest.raises(ValueError, match=message):
        latitude_edges(np.array(axis))


@pytest.mark.parametrize(("axis", "message"), [([10.0, 0.0], "eastwards"), ([0.0, 200.0], "runs over 400 degrees")])
def test_bad_longitudes(axis, message):
    with pytest.raises(ValueError, match=message):
        longitude_edges(np.array(axis))
