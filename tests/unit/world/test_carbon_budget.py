"""Global carbon of the world's truth: what the literature allows of the Earth, and a budget that closes.

GPP: 123 PgC yr-1 (Beer et al. 2010), 112 to 169 in other estimates (Anav et al. 2015). Plants: 450 PgC, 380 to 540 in
seven maps of them (Erb et al. 2018). Soil to 1 m: 890 to 1660 PgC (Todd-Brown et al. 2013), 1500 (Batjes 1996). Net
uptake by land: 3.1 PgC yr-1 without land-use change, 1.9 with it (Friedlingstein et al. 2022).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from dere.config.world import WorldConfig
from dere.io import read_netcdf
from dere.variables import FLUXES, TARGETS
from dere.world import landscape, nature
from dere.world.climate import climate_at
from dere.world.fields import generator
from dere.world.forcing import DAYS_IN_MONTH
from dere.world.geography import Grid, find_land
from dere.world.process_model import simulate
from dere.world.soil import soil_at
from dere.world.tower_network import koppen_class

CONFIG = WorldConfig()
DAYS = np.tile(DAYS_IN_MONTH, CONFIG.years)
GPP, RECO, NEE = (FLUXES.index(name) for name in ("gpp", "reco", "nee"))


class Planet:
    """Truth of the cells of the default world with a seed."""

    def __init__(self, seed: int) -> None:
        """Draw climate and ground, and run nature on them, as ``build`` does."""
        land = find_land(Grid(CONFIG.grid_degrees))
        self.climate = climate_at(land.lat, land.lon, seed=seed, years=CONFIG.years, start_year=CONFIG.start_year)
        soil = soil_at(land.lat, land.lon, seed)
        self.depth = soil["depth"]
        self.region = landscape.regional(self.climate, soil, CONFIG.ages, seed, 1.0)
        self.truth = nature.true_fluxes(
            self.climate, self.depth, self.region, CONFIG.ages, seed=seed, distance=1.0, purpose="cells"
        )
        self.area = land.area * land.land_fraction * self.region.vegetated

    def total(self, per_area):
        """PgC of (cell,) gC m-2."""
        return float((per_area * self.area).sum()) / 1e15

    def yearly(self, flux):
        """(cell,) gC m-2 yr-1."""
        return (self.truth.fluxes[..., flux] * DAYS).sum(axis=1) / CONFIG.years


planet_of = cache(Planet)


@pytest.fixture(params=[0, 1])
def planet(request):
    return planet_of(request.param)


def test_global_fluxes_and_stocks_are_those_of_a_planet_like_the_earth(planet):
    assert 100 < planet.total(planet.yearly(GPP)) < 140
    assert -4 < planet.total(planet.yearly(NEE)) < 0
    assert 300 < planet.total(planet.truth.plant_carbon) < 700
    assert 800 < planet.total(planet.truth.soil_carbon) < 2000
    export = (planet.truth.export * DAYS).sum(axis=1) / CONFIG.years
    assert 0.5 < planet.total(export) < 3, "crops and meadows: 2 PgC yr-1 (Wolf et al. 2015)"


def test_no_climate_is_a_sink_or_source_beyond_what_its_plants_allow(planet):
    # GPP per area: about 2300 tropical forest, 950 temperate, 600 boreal, 250 tundra and desert (Beer et al. 2010)
    letter = np.array([name[0] for name in koppen_class(planet.climate)])
    ranges = {"A": (1300, 2500), "B": (400, 1300), "C": (1000, 2100), "D": (400, 1000), "E": (80, 400)}
    for name, (least, most) in ranges.items():
        weight = planet.area * (letter == name)
        gpp, reco, nee = (float((planet.yearly(flux) * weight).sum() / weight.sum()) for flux in (GPP, RECO, NEE))
        assert least < gpp < most, name
        assert 0.93 < reco / gpp < 1.12, name
        assert -100 < nee < 30, name
    forests = planet.area * np.isin(letter, ["A", "C", "D"])
    assert (planet.yearly(NEE) * forests).sum() < 0, "regrowth and harvest take up carbon where trees grow"


def test_pools_change_by_the_fluxes_and_stay_plausible(planet):
    carbon = planet.truth.carbon(DAYS)
    start = planet.truth.plant_carbon + planet.truth.soil_carbon
    gain = -(planet.yearly(NEE) * CONFIG.years + (planet.truth.export * DAYS).sum(axis=1))
    np.testing.assert_allclose(carbon[:, -1] - start, gain, atol=1e-6)
    assert carbon.min() > 0
    change = planet.total(carbon[:, -1] - start) / CONFIG.years
    assert -1 < change < 3, "fires and fellings at age 0, which have no month in the record, take the rest"


def test_without_nature_the_pools_are_those_of_the_process_model():
    few = slice(0, 392, 8)
    land = find_land(Grid(CONFIG.grid_degrees))
    climate = climate_at(land.lat[few], land.lon[few], seed=0, years=3, start_year=2001)
    soil, ages = soil_at(climate.lat, climate.lon, 0), (5, 40, 150)
    region = landscape.regional(climate, soil, ages, 0, 0.0)
    truth = nature.true_fluxes(climate, soil["depth"], region, ages, seed=0, distance=0.0, purpose="cells")
    run = simulate(climate.forcing(soil["depth"]), ages, stands=("mixture",), seed=0, diagnostics=True)
    total = np.einsum("pat,pa->pt", run["total_carbon"].to_numpy()[:, 0], region.age_weight)
    np.testing.assert_allclose(truth.carbon(np.tile(DAYS_IN_MONTH, 3)), total[:, 1:], rtol=1e-6)
    first = run["initial_state"].to_numpy()[:, 0, :, TARGETS.index("soil_carbon")]
    np.testing.assert_allclose(truth.soil_carbon, 1000 * (first * region.age_weight).sum(axis=1), rtol=1e-6)


def test_the_simulation_is_as_sane_as_the_truth():
    planet = planet_of(0)
    run = simulate(planet.climate.forcing(planet.depth), CONFIG.ages, stands=("mixture",), seed=0)
    state = run["state"].to_numpy()[:, 0].astype(float)
    means = np.einsum("patf,pa->ptf", state, planet.region.age_weight)
    gpp, nee = ((means[..., TARGETS.index(name)] * DAYS).sum(axis=1) / CONFIG.years for name in ("gpp", "nee"))
    assert 95 < planet.total(gpp) < 140
    assert -5 < planet.total(nee) < 0


def test_soil_of_another_history_loses_what_it_has_too_much():
    rng = np.random.default_rng(0)
    soil, days = rng.uniform(0.5, 4.0, (5, 120)), np.tile(DAYS_IN_MONTH, 10)
    carbon = np.tile(rng.uniform(4e3, 2e4, 5)[:, None], (1, 120))
    legacy = np.array([0.4, 0.8, 1.0, 1.3, 2.5])
    rich = nature.richness(legacy, soil, carbon, days)
    np.testing.assert_array_equal(rich[2], 1.0)
    assert (np.diff(np.abs(rich - 1), axis=1) <= 1e-12).all(), "it fades"
    lost = ((rich - 1) * soil * days).sum(axis=1)
    left = np.exp(-(soil * days / carbon).sum(axis=1))
    np.testing.assert_allclose(lost, (legacy - 1) * carbon[:, 0] * (1 - left))
    np.testing.assert_allclose(rich[:, 0], legacy, rtol=0.02)


def test_soils_of_footprints_are_no_poorer_than_those_around():
    land = find_land(Grid(CONFIG.grid_degrees))
    climate = climate_at(land.lat, land.lon, seed=0, years=2, start_year=2001)
    region = landscape.regional(climate, soil_at(land.lat, land.lon, 0), (5, 80), 0, 1.0)
    many = replace(region, **{name: np.repeat(value, 10, axis=0) for name, value in vars(region).items()})
    prints = landscape.footprints(many, (5, 80), generator(0, "plots"), 1.0)
    assert (prints.soil_legacy / many.soil_legacy).mean() == pytest.approx(1.0, abs=0.03)


def test_the_file_of_the_truth_holds_the_budget(raw, small_config):
    cells = read_netcdf(raw / "truth" / "cells.nc")
    days = np.tile(DAYS_IN_MONTH, small_config.years)
    gain = -(cells["flux_value"].sel(flux="nee", drop=True) + cells["export"]).to_numpy() * days / 1000
    start = (cells["plant_carbon"] + cells["soil_carbon"]).to_numpy()
    np.testing.assert_allclose(cells["total_carbon"], start[:, None] + np.cumsum(gain, axis=1), rtol=1e-5, atol=1e-5)
