"""Simulated methane in files reaches the cells and towers of a run by place and month, and nothing learns elsewhere."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere import exchange as exchanges
from dere.harmonise.given_states import given, given_simulation, with_given_states, without_cells
from dere.ingest.months import mid_months

CH4 = exchanges.get("ch4")
FIRST = 12 * 2003
PLACES = [(62.25, 23.75), (62.25, 24.25), (-17.25, -56.75)]


def methane(places=PLACES, months=36):
    lat, lon = np.array(places).T
    number = FIRST + np.arange(months)
    values = np.arange(len(places))[:, None] + 0.01 * (number % 12) + 0.1 * (number // 12 - 2003)
    return xr.Dataset(
        {"ch4": (("cell", "time"), values.astype(np.float32))},
        {"lat": ("cell", lat), "lon": ("cell", lon), "time": mid_months(FIRST, months)},
        {"grid_degrees": 0.5},
    )


def run_of(places, degrees, first=FIRST + 12, months=24, **coords):
    lat, lon = np.array(places).T
    axis = {"cell": 10 + np.arange(len(places)), "lat": ("cell", lat), "lon": ("cell", lon)}
    drivers = xr.Dataset(coords=axis | {"time": mid_months(first, months)} | coords)
    shape = (len(places), 2, 2, months, 1)
    state = (("cell", "stand", "age", "time", "target"), np.ones(shape, np.float32))
    held = drivers.coords.to_dataset().assign_coords(stand=["BL", "mixture"], age=[5, 80], target=["rh"])
    return drivers.assign_attrs(grid_degrees=degrees), held.assign(state=state)


def test_cells_have_the_months_of_their_own_place():
    drivers, simulation = run_of([(62.25, 23.75), (10.25, 10.25), (-17.25, -56.75)], 0.5)
    made = given_simulation(drivers, simulation, given(methane(), CH4), CH4)
    assert made["state"].dims == ("cell", "stand", "age", "time", "target")
    assert made["stand"].values.tolist() == ["mixture"] and made["target"].values.tolist() == ["ch4"]
    own = made["state"].values[:, 0, :, :, 0]
    np.testing.assert_allclose(own[0, 0], methane()["ch4"].values[0, 12:])
    np.testing.assert_allclose(own[2, 1], methane()["ch4"].values[2, 12:])
    assert np.isnan(own[1]).all()
    np.testing.assert_array_equal(made["initial_state"].values, made["state"].values[:, :, :, 11])
    splits = pd.DataFrame({"id": ["10", "11", "12", "11"], "kind": ["cell"] * 3 + ["site"], "fold": [0, 1, 2, 3]})
    assert without_cells(splits, made)["fold"].tolist() == [0, -1, 2, 3]


def test_a_larger_cell_has_the_mean_of_those_within_it():
    drivers, simulation = run_of([(62.0, 24.0)], 1.0)
    made = given_simulation(drivers, simulation, given(methane(), CH4), CH4)
    expected = methane()["ch4"].values[:2, 12:].mean(0)
    np.testing.assert_allclose(made["state"].values[0, 0, 0, :, 0], expected, rtol=1e-6)


def test_members_of_towers_have_months_of_their_own_and_perturbed_weather_has_no_methane():
    begin = np.array(["2003-01", "2004-01", "2003-01"], object)
    coords = {"first_month": ("cell", begin), "copy": ("cell", [0, 0, 1])}
    drivers, simulation = run_of([PLACES[0]] * 3, 0.0, first=12 * 1901, months=24, **coords)
    own = given_simulation(drivers, simulation, given(methane(), CH4), CH4)["state"].values[:, 0, 0, :, 0]
    np.testing.assert_allclose(own[0], methane()["ch4"].values[0, :24])
    np.testing.assert_allclose(own[1], methane()["ch4"].values[0, 12:])
    assert np.isnan(own[2]).all()


@pytest.mark.parametrize(("place", "first"), [((62.25, 23.75), 12 * 2004 + 1), ((10.25, 10.25), FIRST)])
def test_a_run_of_other_months_or_places_is_refused(place, first):
    drivers, simulation = run_of([place], 0.5, first=first, months=24)
    with pytest.raises(ValueError, match=r"sources.methane.path: of 1 cells .* none has .* 2003 to 2005; choose years"):
        given_simulation(drivers, simulation, given(methane(), CH4), CH4)


def test_towers_have_the_nearest_cell_and_begin_in_any_month(caplog):
    towers = xr.Dataset(
        {
            "simulated": (("site", "time", "target"), np.zeros((2, 48, 1), np.float32)),
            "initial_state": (("window", "stand", "age", "target"), np.zeros((3, 2, 2, 1), np.float32)),
            "window_site": ("window", [0, 0, 1]),
            "window_start": ("window", [0, 24, 0]),
        },
        {
            "site": ["AA-Wet", "BB-Dry"],
            "lat": ("site", [62.3, -10.0]),
            "lon": ("site", [23.7, -56.0]),
            "time": mid_months(12 * 2001, 48),
            "stand": ["BL", "mixture"],
            "age": [5, 80],
            "target": ["rh"],
        },
    )
    own = with_given_states(given(methane(), CH4), towers, CH4)
    assert own["target"].values.tolist() == ["ch4"]
    assert np.isnan(own["simulated"].values[:, :24]).all()
    np.testing.assert_allclose(own["simulated"].values[0, 24:, 0], methane()["ch4"].values[0, :24])
    december = methane()["ch4"].values[:, 11::12].mean(1)
    np.testing.assert_allclose(own["initial_state"].values[:, 0, 0, 0], december[[0, 0, 2]], rtol=1e-5)
    assert "1 of 2 sites lie outside the cells with simulated ch4" in caplog.text
