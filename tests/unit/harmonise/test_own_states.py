"""Simulated methane is made of the run's weather and respiration, alike for whole arrays and blocks."""

import numpy as np
import pytest
import xarray as xr

from dere import exchange as exchanges
from dere.harmonise.own_states import own_simulation, with_own_states, with_states_of
from dere.harmonise.wetland_states import methane
from dere.ingest.months import mid_months

CH4 = exchanges.get("ch4")
MONTHS, AGES = 24, [5, 80]
TIME = mid_months(12 * 2001, MONTHS)
TARGETS = ["gpp", "rh"]


def weather(member, count):
    rng = np.random.default_rng(0)
    season = np.sin(2 * np.pi * (np.arange(MONTHS) - 3) / 12)
    series = {
        "air_temperature": 8.0 + 12.0 * season + rng.normal(0, 2, (count, MONTHS)),
        "precipitation": rng.gamma(2.0, 1.5, (count, MONTHS)),
        "shortwave": np.broadcast_to(150.0 + 100.0 * season, (count, MONTHS)),
        **{name: np.ones((count, MONTHS)) for name in ("vpd", "pressure", "co2")},
    }
    return xr.Dataset({name: ((member, "time"), values) for name, values in series.items()}, coords={"time": TIME})


@pytest.fixture
def cells():
    drivers = weather("cell", 5).assign_coords(cell=[3, 7, 8, 12, 30])
    rng = np.random.default_rng(1)
    state = rng.gamma(3.0, 0.5, (5, 2, 2, MONTHS, 2)).astype(np.float32)
    coords = {"cell": drivers["cell"], "stand": ["BL", "mixture"], "age": AGES, "time": TIME, "target": TARGETS}
    plants = ("cell", "age", "year", "plant_type"), np.full((5, 2, 2, 3), 1 / 3)
    data = {"state": (("cell", "stand", "age", "time", "target"), state), "plant_fraction": plants}
    return drivers, xr.Dataset(data, coords=coords)


def test_cells_and_their_blocks_are_what_the_exchange_simulates(cells):
    drivers, simulation = cells
    made = own_simulation(drivers, simulation, CH4)
    assert made["state"].dims == ("cell", "stand", "age", "time", "target")
    assert made["target"].values.tolist() == ["ch4"] and made["stand"].values.tolist() == ["mixture"]
    xr.testing.assert_equal(made["plant_fraction"], simulation["plant_fraction"])
    for cell in (0, 4):
        named = {"temperature": "air_temperature", "precipitation": "precipitation", "shortwave": "shortwave"}
        own = {name: drivers[source].values[cell : cell + 1] for name, source in named.items()}
        respired = simulation["state"].values[cell : cell + 1, 1, :, :, 1].astype(float)
        days = np.tile([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], 2).astype(float)
        alone = methane(own, {"rh": respired}, days)
        np.testing.assert_allclose(made["state"].values[cell, 0], alone[0], rtol=1e-5)
        np.testing.assert_array_equal(made["initial_state"].values[cell], made["state"].values[cell, :, :, 11])
    blocks = own_simulation(drivers, simulation.chunk(cell=2), CH4)
    np.testing.assert_array_equal(blocks["state"].values, made["state"].values)


def test_the_same_weather_and_respiration_are_the_same_methane_at_cells_and_towers(cells):
    """Constants drawn per cell were learned by heart, and towers had others: what was learned did not hold there."""
    drivers, simulation = cells
    first = drivers.isel(cell=np.zeros(5, int)).assign_coords(cell=drivers["cell"])
    respired = simulation["state"].isel(cell=[0], age=[0], stand=[1]).values
    same = simulation.assign(state=(simulation["state"].dims, np.broadcast_to(respired, simulation["state"].shape)))
    of_cells = own_simulation(first, same, CH4)["state"].values[:, 0, :, :, 0]
    towers = drivers.isel(cell=[0]).rename(cell="site").assign_coords(stand=["BL", "mixture"], age=AGES, target=TARGETS)
    towers["simulated"] = (("site", "time", "target"), respired[:, 0, 0])
    towers["initial_state"] = (("window", "stand", "age", "target"), np.zeros((1, 2, 2, 2), np.float32))
    towers["window_site"], towers["window_start"] = ("window", [0]), ("window", [0])
    of_tower = with_own_states(towers, CH4)["simulated"].values[:, None, :, 0]
    assert of_tower.std() > 1e-3
    np.testing.assert_allclose(of_cells, np.broadcast_to(of_tower, of_cells.shape), rtol=1e-5, atol=1e-9)


def test_towers_begin_with_the_month_before_their_window():
    towers = weather("site", 2).assign_coords(site=["XX-a", "XX-b"], stand=["BL", "mixture"], age=AGES, target=TARGETS)
    rng = np.random.default_rng(2)
    towers["simulated"] = (("site", "time", "target"), rng.gamma(3.0, 0.5, (2, MONTHS, 2)).astype(np.float32))
    towers["initial_state"] = (("window", "stand", "age", "target"), np.zeros((3, 2, 2, 2), np.float32))
    towers["window_site"], towers["window_start"] = ("window", [0, 1, 1]), ("window", [0, 0, 12])
    own = with_own_states(towers, CH4)
    assert own["target"].values.tolist() == ["ch4"]
    series = own["simulated"].values[..., 0]
    for window, (site, month) in enumerate([(0, 11), (1, 11), (1, 11)]):
        np.testing.assert_array_equal(own["initial_state"].values[window, ..., 0], series[site, month])
    assert with_states_of(own, CH4) is own
    xr.testing.assert_identical(with_states_of(towers, CH4), own)
    assert "initial_state" not in with_states_of(towers.drop_vars("simulated"), CH4)
