import numpy as np
import pytest
import xarray as xr
from harmonise_samples import AGES, FIRST, make_cover, make_forcing, make_towers, with_stands
from test_drivers import channels136

import scale_simulation
from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.harmonise.build import harmonise
from dere.harmonise.cells import cell_drivers, climate_of, covering_cell, drivers_from_cells, positions
from dere.harmonise.cover import cell_cover
from dere.harmonise.drivers import stack
from dere.harmonise.interim import Interim
from dere.harmonise.simulated import initial_from_cells, simulated_from_cells
from dere.harmonise.statics import ATTRIBUTES
from dere.harmonise.truth import canonical_truth
from dere.ingest.months import mid_months
from dere.ingest.simulation.carbonglobe import read_simulation
from dere.variables import FLUXES, STANDS


def test_a_point_lies_in_its_cell_also_across_the_date_line():
    cells = make_forcing(years=1)
    cell, inside = covering_cell(np.array([44.9, 45.0]), np.array([-179.0, 179.9]), cells, 10.0)
    assert list(cell) == [4 * 36, 4 * 36 + 35]
    assert inside.all()


def test_coastal_points_take_the_nearest_land_cell_and_far_ones_none():
    cells = make_forcing(years=1)
    # rows 4, 5, 6, 8 and 12 are land: 60 N is just north of the land, 85 N far away
    cell, inside = covering_cell(np.array([52.0, 85.0]), np.array([5.0, 5.0]), cells, 10.0)
    assert cell[0] == 4 * 36 + 18
    assert cell[1] == -1
    assert not inside.any()


def test_positions_are_those_of_the_axis(forcing):
    some = forcing["cell"].values[[7, 3]]
    assert list(positions(some, forcing)) == [7, 3]
    with pytest.raises(ValueError, match="cell -1 is not among"):
        positions(np.array([-1]), forcing)


def test_cells_get_statics_and_complete_drivers(forcing):
    cover = make_cover(forcing)
    of_cells = cell_cover(forcing, cover.grid, cover.grid_ages, np.arange(2000, 2005), AGES)
    drivers = cell_drivers(forcing, of_cells, "monthly8", satellites=False)
    assert drivers["static"].shape == (forcing.sizes["cell"], len(ATTRIBUTES))
    assert np.isfinite(drivers["static"]).all()
    assert drivers.attrs["start_month"] == "2001-01"
    assert stack(drivers, "monthly8")[0].shape == (forcing.sizes["cell"], 48, 8)
    broken = forcing.copy(deep=True)
    broken["vpd"][3, 4] = np.nan
    with pytest.raises(ValueError, match="'vpd' of the simulation's forcing holds NaN"):
        cell_drivers(broken, of_cells, "monthly8", satellites=False)
    with pytest.raises(ValueError, match="lacks 'wind'"):
        cell_drivers(forcing.drop_vars("wind"), of_cells, "monthly8", satellites=False)


def test_shortwave_of_the_136_channels_is_the_mean_over_the_hours():
    climate = climate_of(channels136())
    np.testing.assert_allclose(climate["shortwave"], np.mean(33 + 4 * np.arange(24.0) + 2))


def test_towers_take_the_136_channels_of_their_cell_within_the_simulation():
    forcing = channels136()
    forcing["co2_hourly"] = forcing["co2_hourly"] + 1000.0 * forcing["cell"]
    towers = make_towers(sites=3, years=4, first=FIRST - 12).assign_coords(cell=("site", [2, 0, 1]))
    towers["in_record"][1, 12:] = False
    done = drivers_from_cells(towers, forcing)
    assert list(done.dropped) == ["XX-S01"]
    assert list(done.dataset["record"].values[0].nonzero()[0]) == list(range(12, 36))
    assert done.dataset["co2_hourly"].values[0, 12, 0] == 2008.0
    assert np.isnan(done.dataset["co2_hourly"].values[0, [0, 47]]).all()
    assert done.dataset["driver_filled"].values[0, 12]


def test_labels_beyond_the_simulation_are_counted_and_said(tmp_path, caplog):
    scale_simulation.write_simulation(tmp_path, 60, 2, (1, 100), STANDS, degrees=6)
    interim = Interim(
        scale_simulation.towers(4, 60, degrees=6),
        scale_simulation.cover(60, (1, 100), degrees=6),
        *read_simulation(tmp_path, "carbonglobe136"),
    )
    # one site begins after the simulation
    interim.towers["in_record"][3, :24] = False
    config = HarmoniseConfig(window=12, window_stride=12, driver_set="carbonglobe136", dominance=0.8)
    done = harmonise(interim, SimulationSource(), config, SplitsConfig(folds=3, block_degrees=20))
    labels = done.counts[done.counts["step"] == "labels"]
    table = labels.pivot(index="site", columns="reason", values="months")
    assert list(table.index) == ["XX-S00", "XX-S01", "XX-S02", "XX-S04", "XX-S05"]
    assert set(table) == {"kept", "outside the simulation's months"} and (table == 24).all(axis=None)
    assert int(np.isfinite(done.towers["flux_value"].values).all(-1).sum()) == 5 * 24
    said = [record.message for record in caplog.records if "outside the simulation's months" in record.message]
    assert said == ["120 labelled months of 5 of 5 towers lie outside the simulation's months and are left out"]
    assert "site XX-S03 has no month within the simulation's" in done.dropped["XX-S03"]
    assert f"{done.dropped['XX-S03']}; it is dropped" in caplog.text


def test_simulated_series_is_the_age_weighted_mixture_on_the_towers_axis(simulation):
    weight = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    time = mid_months(FIRST - 12, 48 + 24)
    result = simulated_from_cells(simulation, np.array([5, 9]), weight, time)
    mixture = simulation["state"].sel(stand="mixture").values
    np.testing.assert_allclose(result[0, 12:60], np.einsum("atv,a->tv", mixture[5], weight[0]), rtol=1e-5)
    np.testing.assert_allclose(result[1, 12:60], mixture[9, 0], rtol=1e-6)
    # months that the simulation does not reach
    july = mixture[9, 0, 6::12].mean(0)
    np.testing.assert_allclose(result[1, 6], july, rtol=1e-5)
    np.testing.assert_allclose(result[1, 66], july, rtol=1e-5)


def test_initial_state_is_that_of_the_month_before_the_window(simulation):
    first = np.array([FIRST, FIRST + 12, FIRST - 24, FIRST + 48, FIRST + 60])
    position = np.array([3, 3, 3, 4, 4])
    result = initial_from_cells(simulation, position, first)
    np.testing.assert_array_equal(result[0], simulation["initial_state"].values[3])
    np.testing.assert_array_equal(result[1], simulation["state"].values[3, :, :, 11])
    np.testing.assert_array_equal(result[2], simulation["initial_state"].values[3])
    np.testing.assert_array_equal(result[3], simulation["state"].values[4, :, :, 47])
    # a window a year after the end starts from the last simulated December
    np.testing.assert_array_equal(result[4], simulation["state"].values[4, :, :, 47])


def test_mixture_only_simulations_get_pure_samples_by_dominance(simulation):
    simulation = simulation.copy(deep=True)
    fractions = simulation["plant_fraction"].values
    fractions[:] = [0.5, 0.3, 0.2]
    fractions[0, 1] = [0.95, 0.05, 0.0]
    fractions[1, 2] = [0.0, 0.95, 0.05]
    fractions[2, :] = [0.0, 0.05, 0.95]
    result, pure = with_stands(simulation.sel(stand=["mixture"]), 0.9)
    assert pure.sum(["cell", "age"]).values.tolist() == [1, 1, 3]
    assert list(result["stand"].values) == list(STANDS)
    mixture = simulation["state"].sel(stand="mixture")
    np.testing.assert_array_equal(result["state"].sel(stand="BL").values[0, 1], mixture.values[0, 1])
    assert np.isnan(result["state"].sel(stand="BL").values[0, 0]).all()
    np.testing.assert_array_equal(result["state"].sel(stand="mixture"), mixture)
    with pytest.raises(ValueError, match=r"more than 0\.99 of BL"):
        with_stands(simulation.sel(stand=["mixture"]), 0.99)
    with pytest.raises(ValueError, match="no plant_fraction"):
        with_stands(simulation.sel(stand=["mixture"]).drop_vars("plant_fraction"), 0.9)


def test_simulations_with_stands_are_only_put_in_order(simulation):
    turned = simulation.isel(stand=[3, 0, 1, 2])
    result, pure = with_stands(turned, 0.9)
    assert pure is None
    xr.testing.assert_equal(result["state"], simulation["state"])


def test_truth_takes_ids_and_axes_of_the_canonical_set(towers, forcing):
    rng = np.random.default_rng(0)
    time = mid_months(FIRST, 24)
    sites = ["XX-S03", "XX-S01", "ZZ-Not"]
    of_sites = xr.Dataset(
        {"flux_value": (("site", "time", "flux"), rng.normal(size=(3, 24, 3)))},
        coords={"site": sites, "time": time, "flux": ["nee", "gpp", "reco"]},
    )
    order = rng.permutation(forcing.sizes["cell"])
    of_cells = xr.Dataset(
        {
            "flux_value": (("cell", "time", "flux"), rng.normal(size=(len(order), 24, 3))),
            "vegetated_fraction": ("cell", rng.random(len(order))),
        },
        coords={
            "lat": ("cell", forcing["lat"].values[order]),
            "lon": ("cell", forcing["lon"].values[order]),
            "time": time,
            "flux": ["nee", "gpp", "reco"],
        },
    )
    raw = {"virtual_towers": of_sites, "cells": of_cells}
    truth = canonical_truth(raw, towers, forcing, FLUXES)
    assert list(truth["site"].values) == ["XX-S01", "XX-S03"]
    assert list(truth["flux"].values) == list(FLUXES)
    assert truth.sizes["time"] == 48
    np.testing.assert_allclose(
        truth["flux_value"].sel(site="XX-S03", flux="gpp").values[:24],
        of_sites["flux_value"].values[0, :, 1],
        rtol=1e-6,
    )
    assert np.isnan(truth["flux_value"].values[:, 24:]).all()
    np.testing.assert_array_equal(truth["cell"], forcing["cell"])
    np.testing.assert_array_equal(truth["vegetated_fraction"].values[order], of_cells["vegetated_fraction"].values)
    with pytest.raises(ValueError, match="truth has no cell"):
        canonical_truth({"cells": of_cells.isel(cell=slice(0, 5))}, towers, forcing, FLUXES)
