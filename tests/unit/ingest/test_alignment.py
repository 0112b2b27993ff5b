"""Axes by their coordinates."""

import numpy as np
import pytest
import xarray as xr

from dere.ingest.alignment import order_of, require_same_axes


def test_the_place_of_each_wanted_coordinate():
    assert order_of(np.array([7, 3, 5]), np.array([3, 5, 7]), "f", "cell", "export again").tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([3, 5, 5], r"f: cell holds 5 2 times, but each may stand there once; export again"),
        ([3, 5], r"holds 2 values from 3 to 5, but the 3 from 3 to 7 are needed \(7 is missing\)"),
        ([3, 5, 7, 9], r"holds 4 values from 3 to 9, .* \(9 is not wanted\)"),
    ],
)
def test_other_coordinates(found, message):
    with pytest.raises(ValueError, match=message):
        order_of(np.array(found), np.array([3, 5, 7]), "f", "cell", "export again")


def dataset(**changes):
    coords = {
        "cell": [4, 9],
        "time": np.array(["2001-01-16", "2001-02-15"], "datetime64[ns]"),
        "lat": ("cell", [10.0, np.nan]),
        "lon": ("cell", np.array([20.0, 30.1], "f4")),
        "tower": ("cell", ["", "DE-Tha"]),
    }
    return xr.Dataset({"x": (("cell", "time"), np.zeros((2, 2)))}, coords=coords).assign_coords(changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cell": [9, 4]}, r"b and a differ in cell \(9 against 4 at position 0\)"),
        ({"time": np.array(["2001-01-16", "2001-03-15"], "datetime64[ns]")}, r"differ in time .* position 1"),
        ({"lat": ("cell", [10.0, 5.0])}, r"differ in lat \(5\.0 against nan at position 1\)"),
        ({"lon": ("cell", [20.0, 31.1])}, r"differ in lon"),
    ],
)
def test_axes_of_files_that_are_read_side_by_side(changes, message):
    require_same_axes({"a": dataset(), "b": dataset(lon=("cell", [20.0, 30.1])), "c": xr.Dataset({"y": ("z", [1])})})
    with pytest.raises(ValueError, match=message):
        require_same_axes({"a": dataset(), "b": dataset(**changes)})
    with pytest.raises(ValueError, match=r"differ in cell \(1 values against 2\)"):
        require_same_axes({"a": dataset(), "b": dataset().isel(cell=[0])})
