import re

import numpy as np
import pytest
import xarray as xr
from harmonise_samples import FIRST, make_towers

import scale_simulation
from dere.channels import DIURNAL, SOIL_PROPERTIES
from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.harmonise.build import harmonise
from dere.harmonise.cells import drivers_from_cells
from dere.harmonise.drivers import stack, stored_variables
from dere.harmonise.interim import Interim
from dere.harmonise.own_cells import as_own
from dere.harmonise.own_weather import hours_ahead, with_mean, with_own_weather
from dere.ingest.months import mid_months
from dere.ingest.simulation.carbonglobe import read_simulation
from dere.io import read_netcdf, write_netcdf

MONTHS = 24
SUN = np.maximum(np.sin(np.pi * (np.arange(24) + 0.5 - 6) / 12), 0.0)


@pytest.fixture(scope="module")
def forcing():
    """Two cells of the 136 channels; each quantity is told from a tower's by its level."""
    shape = (2, MONTHS)
    hours = np.arange(24.0)
    season = 10 * np.sin(2 * np.pi * np.arange(MONTHS) / 12)
    temperature = 5 + season + np.zeros(shape)
    data = {
        "air_temperature": (("cell", "time"), temperature),
        "precipitation": (("cell", "time"), np.full(shape, 1.0)),
        "soil_temperature": (("cell", "time", "layer"), np.full((*shape, 6), 4.0)),
        "co2_hourly": (("cell", "time", "hour"), np.full((*shape, 24), 380.0)),
        "disturbance_rate": (("cell", "time"), np.full(shape, 0.01)),
        "specific_humidity_hourly": (("cell", "time", "hour"), np.full((*shape, 24), 0.004)),
        "air_temperature_hourly": (("cell", "time", "hour"), temperature[..., None] + 0.1 * (hours - 11.5)),
        "shortwave_hourly": (("cell", "time", "hour"), np.broadcast_to(400 * SUN, (*shape, 24))),
        "wind_hourly": (("cell", "time", "hour"), np.broadcast_to(3 + 0.05 * hours, (*shape, 24))),
        "soil": (("cell", "soil_property"), np.ones((2, len(SOIL_PROPERTIES)))),
    }
    coords = {"cell": [0, 1], "time": mid_months(FIRST, MONTHS), "soil_property": list(SOIL_PROPERTIES)}
    return xr.Dataset(data, coords=coords)


@pytest.fixture
def towers():
    """Site 0 has cycles, site 1 monthly means only, site 2 neither."""
    towers = make_towers(sites=3, years=2).assign_coords(
        cell=("site", [0, 1, 1]), utc_offset=("site", [-5.0, -7.0, 0.0])
    )
    shape = (3, MONTHS, 24)
    levels = {"specific_humidity_hourly": 0.009, "air_temperature_hourly": 14.0, "wind_hourly": 6.0}
    cycles = {name: np.full(shape, level) for name, level in levels.items()}
    cycles["shortwave_hourly"] = np.broadcast_to(700 * SUN, shape)
    for name, values in cycles.items():
        values = np.where(np.arange(3)[:, None, None] == 0, values, np.nan)
        towers[name] = (("site", "time", "hour"), values)
    for name in ("air_temperature", "precipitation", "shortwave", "wind"):
        for column in (name, f"{name}_reanalysis"):
            towers[column][2] = np.nan
    return towers


def own(towers, forcing, maximum_gap=0.3, clock="solar"):
    return with_own_weather(drivers_from_cells(towers, forcing), towers, maximum_gap, clock)


def reasons(completed, site):
    chosen = completed.counts[completed.counts["site"] == site]
    return dict(zip(chosen["reason"], chosen["months"], strict=True))


def test_own_cycles_are_turned_from_standard_to_solar_time(towers, forcing):
    done = own(towers, forcing)
    # site 0 lies at 110 W, 7.3 h behind UTC, and keeps a clock 5 h behind: its clock is 2 h ahead of the sun
    sun = done.dataset["shortwave_hourly"].values[0, 3]
    np.testing.assert_allclose(sun, np.roll(700 * SUN, -2), rtol=1e-6)
    np.testing.assert_allclose(done.dataset["specific_humidity_hourly"].values[0], 0.009, rtol=1e-6)
    assert reasons(done, "XX-S00") == {"other channels: covering cell": MONTHS} | {
        f"{name}: tower": MONTHS for name in ("air_temperature", "precipitation", *DIURNAL)
    }
    assert not done.dataset["driver_filled"].values[0].any()


def test_own_cycles_are_turned_to_utc_where_the_cells_are(towers, forcing):
    done = own(towers, forcing, clock="utc")
    # a clock 5 h behind UTC: what it calls noon is 17 h
    sun = done.dataset["shortwave_hourly"].values[0, 3]
    np.testing.assert_allclose(sun, np.roll(700 * SUN, 5), rtol=1e-6)
    assert reasons(done, "XX-S00")["shortwave_hourly: tower"] == MONTHS


@pytest.mark.parametrize("clock", ["solar", "utc"])
def test_turned_cycles_are_those_of_cells_at_the_same_place(towers, forcing, clock):
    """A tower with its cell's own days, on a clock of its own, gives the cell's cycle back on the cell's clock."""
    lon, offset = towers["lon"].values[0], -7.0
    utc = np.roll(700 * SUN, -round(lon / 15))
    towers["shortwave_hourly"][0] = np.roll(utc, int(offset))
    towers = towers.assign_coords(utc_offset=("site", [offset, 0.0, 0.0]))
    found = own(towers, forcing, clock=clock).dataset["shortwave_hourly"].values[0, 0]
    np.testing.assert_allclose(found, {"solar": 700 * SUN, "utc": utc}[clock], rtol=1e-6)


@pytest.mark.parametrize(("clock", "hours"), [("solar", 5.0 - 5.5), ("utc", -5.5), ("unknown", np.nan)])
def test_half_hours_are_off_by_half_an_hour_at_most(towers, clock, hours):
    indian = towers.isel(site=[0]).assign_coords(lon=("site", [75.0]), utc_offset=("site", [5.5]))
    turned_by = hours_ahead(indian, clock)[0]
    assert np.isnan(turned_by) if np.isnan(hours) else (abs(turned_by - hours) <= 0.5 and turned_by % 1 == 0)
    assert np.isnan(hours_ahead(indian.drop_vars("utc_offset"), clock)).all()


@pytest.mark.parametrize(
    ("clock", "offset", "reason"),
    [
        ("unknown", -5.0, "1 of 1 towers .* clock of the simulation's hours is unknown"),
        ("solar", np.nan, "1 of 1 towers .* UTC offset is unknown"),
        ("utc", np.nan, "1 of 1 towers .* UTC offset is unknown"),
    ],
)
def test_without_a_clock_the_monthly_mean_takes_the_cells_shape(towers, forcing, caplog, clock, offset, reason):
    towers = towers.assign_coords(utc_offset=("site", [offset, -7.0, 0.0]))
    done = own(towers, forcing, clock=clock)
    assert [bool(re.search(reason, record.message)) for record in caplog.records] == [True]
    counted = reasons(done, "XX-S00")
    for name in ("air_temperature", "shortwave", "wind"):
        assert counted[f"{name}_hourly: tower's mean, covering cell's cycle"] == MONTHS
        cycle = done.dataset[f"{name}_hourly"].values[0]
        np.testing.assert_allclose(cycle.mean(-1), towers[f"{name}_reanalysis"].values[0], rtol=1e-5)
    assert counted["specific_humidity_hourly: covering cell"] == MONTHS
    assert (done.dataset["shortwave_hourly"].values[0][:, SUN == 0] == 0).all()
    caplog.clear()
    own(towers.drop_vars(list(DIURNAL)), forcing, clock=clock)
    assert not caplog.records


def test_monthly_means_take_the_shape_of_the_cells_cycle(towers, forcing):
    done = own(towers, forcing)
    cell = forcing.isel(cell=1)
    for name in ("air_temperature", "shortwave", "wind"):
        cycle = done.dataset[f"{name}_hourly"].values[1]
        np.testing.assert_allclose(cycle.mean(-1), towers[f"{name}_reanalysis"].values[1], rtol=1e-5)
        counted = reasons(done, "XX-S01")[f"{name}_hourly: tower's mean, covering cell's cycle"]
        assert counted == MONTHS
    assert (done.dataset["shortwave_hourly"].values[1][:, SUN == 0] == 0).all()
    warm = done.dataset["air_temperature_hourly"].values[1]
    np.testing.assert_allclose(np.diff(warm, axis=-1), 0.1, atol=1e-5)
    # no monthly column gives humidity, so that it stays the cell's and the month is flagged
    np.testing.assert_array_equal(
        done.dataset["specific_humidity_hourly"].values[1], cell["specific_humidity_hourly"].values.astype(np.float32)
    )
    assert done.dataset["driver_filled"].values[1].all()


def test_a_site_without_weather_is_its_cell(towers, forcing):
    done, cells = own(towers, forcing).dataset, drivers_from_cells(towers, forcing).dataset
    for name in stored_variables("carbonglobe136"):
        np.testing.assert_array_equal(done[name].values[2], cells[name].values[2], err_msg=name)
    for name in ("co2_hourly", "soil_temperature", "disturbance_rate", "soil"):
        np.testing.assert_array_equal(done[name].values, cells[name].values, err_msg=name)


def test_gaps_take_the_climatology_up_to_a_share_and_no_series_is_of_two_places(towers, forcing):
    towers["wind_hourly"][0, 4, 7] = np.nan
    towers["shortwave_hourly"][0, :9] = np.nan
    towers["shortwave"][0], towers["shortwave_reanalysis"][0] = np.nan, np.nan
    done = own(towers, forcing)
    counted = reasons(done, "XX-S00")
    assert counted["wind_hourly: tower"] == MONTHS - 1 and counted["wind_hourly: climatology"] == 1
    np.testing.assert_allclose(done.dataset["wind_hourly"].values[0], 6.0)
    assert counted["shortwave_hourly: covering cell"] == MONTHS
    np.testing.assert_allclose(done.dataset["shortwave_hourly"].values[0], forcing["shortwave_hourly"].values[0])
    generous = own(towers, forcing, maximum_gap=0.5)
    assert reasons(generous, "XX-S00")["shortwave_hourly: climatology"] == 9
    assert generous.dataset["driver_filled"].values[0].nonzero()[0].tolist() == list(range(9))


def test_every_month_of_a_record_is_counted_once_per_quantity_and_nothing_stays_missing(towers, forcing):
    towers["in_record"][1, 5:9] = False
    done = own(towers, forcing)
    table = done.counts.assign(quantity=done.counts["reason"].str.split(":").str[0])
    months = table.groupby(["site", "quantity"])["months"].sum().unstack()
    record = done.dataset["record"].values.sum(1)
    assert months.shape == (3, 7) and (months.values == record[:, None]).all()
    inside = done.dataset.isel(time=np.flatnonzero(done.dataset["record"].values.all(0)))
    assert stack(inside, "carbonglobe136")[0].shape == (3, MONTHS - 4, 136)
    assert np.isnan(done.dataset["wind_hourly"].values[1, 5:9]).all()


def test_towers_with_arrays_of_their_own_keep_them(towers, forcing):
    marked = towers.assign_coords(own_cell=("site", [True, False, False]))
    done = as_own(own(marked, forcing))
    of_cells = drivers_from_cells(marked, forcing).dataset
    np.testing.assert_array_equal(done.dataset["wind_hourly"].values[0], of_cells["wind_hourly"].values[0])
    assert reasons(done, "XX-S00") == {"all: the tower's own arrays": MONTHS}
    assert not done.dataset["driver_filled"].values[0].any() and done.dataset["driver_filled"].values[1].all()


def test_a_mean_that_the_cell_lacks_scales_nothing_and_factors_are_bounded():
    night = np.zeros((1, 1, 24))
    assert (with_mean(night, np.array([[3.0]]), "shortwave_hourly") == 0).all()
    dusk = np.full((1, 1, 24), 2.0)
    assert with_mean(dusk, np.array([[90.0]]), "shortwave_hourly").max() == 10.0
    assert with_mean(dusk, np.array([[-1.0]]), "wind_hourly").min() == 0.0


def test_months_beyond_the_simulation_stay_missing(forcing):
    towers = make_towers(sites=1, years=4, first=FIRST - 12).assign_coords(cell=("site", [1]))
    done = own(towers, forcing).dataset
    assert done["record"].values[0].nonzero()[0].tolist() == list(range(12, 36))
    assert np.isnan(done["air_temperature"].values[0, [0, 47]]).all()


@pytest.mark.parametrize("clock", ["solar", "utc", "unknown"])
def test_one_clock_from_the_arrays_to_the_canonical_towers(tmp_path, clock):
    """The readers say the clock, the interim file carries it, towers are turned to it."""
    scale_simulation.write_simulation(tmp_path, 60, 2, (1, 100), degrees=6)
    path = tmp_path / "glob_X_fea.npy"
    channels, lon = np.load(path), read_simulation(tmp_path, "monthly8")[0]["lon"].values
    for cell, hours in enumerate(np.round(lon / 15).astype(int)):
        shift = {"solar": 0, "utc": -hours, "unknown": -hours // 2}[clock]
        for first in range(33, 37):
            channels[cell, ..., first:129:4] = np.roll(channels[cell, ..., first:129:4], shift, axis=-1)
    np.save(path, channels)
    forcing, simulation = read_simulation(tmp_path, "carbonglobe136")
    assert forcing.attrs["hours"] == clock
    write_netcdf(forcing, tmp_path / "forcing.nc")
    towers = scale_simulation.towers(2, 60, degrees=6)
    sites = towers.sizes["site"]
    cycles = np.broadcast_to(700 * SUN, (sites, MONTHS, 24))
    towers["shortwave_hourly"] = (("site", "time", "hour"), cycles)
    towers = towers.assign_coords(utc_offset=("site", np.full(sites, -5.0)))
    done = harmonise(
        Interim(
            towers, scale_simulation.cover(60, (1, 100), degrees=6), read_netcdf(tmp_path / "forcing.nc"), simulation
        ),
        SimulationSource(),
        HarmoniseConfig(window=12, window_stride=12, driver_set="carbonglobe136", dominance=0.8),
        SplitsConfig(folds=3, block_degrees=20),
    )
    means = "shortwave_hourly: tower's mean, covering cell's cycle"
    wanted = means if clock == "unknown" else "shortwave_hourly: tower"
    counted = done.counts[done.counts["reason"].str.startswith("shortwave_hourly")]
    assert set(counted["reason"]) == {wanted} and len(counted) == sites
    if clock != "unknown":
        by = 5.0 if clock == "utc" else towers["lon"].values / 15 + 5
        expected = [np.roll(700 * SUN, hours) for hours in np.broadcast_to(np.round(by), sites).astype(int)]
        np.testing.assert_allclose(done.towers["shortwave_hourly"].values[:, 0], expected, rtol=1e-6)
