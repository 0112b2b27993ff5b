from __future__ import annotations

import numpy as np
import pytest

from dere.variables import FLUXES
from dere.world import landscape, nature, satellite
from dere.world.climate import climate_at
from dere.world.fields import generator
from dere.world.geography import Grid, find_land
from dere.world.parameters import DEFAULT
from dere.world.process_model import simulate
from dere.world.soil import soil_at

AGES = (1, 10, 50, 150)


@pytest.fixture(scope="module")
def planet():
    land = find_land(Grid(15.0))
    climate = climate_at(land.lat, land.lon, seed=0, years=2, start_year=2001)
    soil = soil_at(land.lat, land.lon, 0)
    return climate, soil, landscape.regional(climate, soil, AGES, 0, 1.0)


def test_shares_sum_to_one_and_cover_follows_climate(planet):
    climate, _, region = planet
    np.testing.assert_allclose(region.layers.sum(axis=1), 1, atol=1e-12)
    assert region.layers.min() >= 0
    np.testing.assert_allclose(region.fraction.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(region.age_weight.sum(axis=1), 1, atol=1e-12)
    temperature = climate.climatology["air_temperature"]
    tropical, cold = temperature.min(axis=1) > 20, temperature.mean(axis=1) < 0
    assert region.fraction[tropical, 1].mean() < 0.02  # no conifers in the tropics
    assert region.fraction[cold, 1].mean() > 5 * region.fraction[cold, 0].mean()
    dry = landscape.moisture(climate) < 0.15
    assert region.vegetated[dry].mean() < 0.5 < region.vegetated[landscape.moisture(climate) > 0.6].mean()


def test_age_weights_follow_the_median():
    weights = landscape.age_weights(np.log([2.0, 50.0, 400.0]), 0.5, AGES)
    assert weights.argmax(axis=1).tolist() == [0, 2, 3]


def test_footprints_are_purer_than_their_region(planet):
    _, _, region = planet
    prints = landscape.footprints(region, AGES, np.random.default_rng(0), 1.0)
    np.testing.assert_allclose(prints.layers.sum(axis=1), 1, atol=1e-9)
    assert prints.fraction.max(axis=1).mean() > region.fraction.max(axis=1).mean() + 0.05
    assert prints.age_weight.max(axis=1).mean() > region.age_weight.max(axis=1).mean()
    twin = landscape.footprints(region, AGES, np.random.default_rng(0), 0.0)
    np.testing.assert_allclose(twin.fraction, region.fraction, atol=1e-9)
    np.testing.assert_allclose(twin.age_weight, region.age_weight, atol=1e-9)
    np.testing.assert_allclose(twin.nutrient, region.nutrient)


def test_satellite_errs_but_closes(planet):
    _, _, region = planet
    seen = satellite.observed_layers(region.layers, 3, np.random.default_rng(1), 1.0, 0.1)
    assert seen.shape == (region.layers.shape[0], 3, 14)
    np.testing.assert_allclose(seen.sum(axis=-1), 100, atol=1e-9)
    error = np.abs(landscape.plant_fraction(seen[:, 0]) - region.fraction).mean()
    assert 0.005 < error < 0.1
    exact = satellite.observed_layers(region.layers, 2, np.random.default_rng(1), 0.0, 0.1)
    np.testing.assert_allclose(exact[:, 0], 100 * region.layers, atol=1e-9)
    ages = satellite.observed_ages(region.age_weight, AGES, np.random.default_rng(1), 1.0)
    np.testing.assert_allclose(ages.sum(axis=1), 1)
    assert 0.01 < np.abs(ages - region.age_weight).mean() < 0.15
    np.testing.assert_allclose(
        satellite.observed_ages(region.age_weight, AGES, np.random.default_rng(1), 0.0), region.age_weight
    )


def true(planet, distance):
    climate, soil, _ = planet
    few = np.arange(0, climate.lat.size, 6)
    climate = climate_at(climate.lat[few], climate.lon[few], seed=0, years=2, start_year=2001)
    soil = {name: values[few] for name, values in soil.items()}
    region = landscape.regional(climate, soil, AGES, 0, distance)
    truth = nature.true_fluxes(climate, soil["depth"], region, AGES, seed=0, distance=distance, purpose="test")
    return climate, soil, region, truth.fluxes, truth.cover


def test_truth_closes_and_is_finite(planet):
    *_, fluxes, cover = true(planet, 1.0)
    gpp, reco, nee = (fluxes[..., FLUXES.index(name)] for name in ("gpp", "reco", "nee"))
    np.testing.assert_allclose(nee, reco - gpp, atol=1e-12)
    assert gpp.min() >= 0
    assert reco.min() >= 0
    np.testing.assert_allclose(cover.sum(axis=1), 1, atol=1e-5)


def test_distance_zero_is_a_twin_and_one_is_not(planet):
    climate, soil, region, fluxes, _ = true(planet, 0.0)
    run = simulate(climate.forcing(soil["depth"]), AGES, stands=("mixture",), seed=0)
    gpp = np.einsum("pat,pa->pt", run["state"].sel(target="gpp").to_numpy()[:, 0], region.age_weight)
    np.testing.assert_allclose(fluxes[..., 0], gpp, rtol=1e-5, atol=1e-6)
    *_, other, _ = true(planet, 1.0)
    *_, between, _ = true(planet, 0.5)
    far, near = (np.abs(x - fluxes).mean() for x in (other, between))
    assert far > near > 0.05
    assert nature.nature_parameters(0.0) == DEFAULT


def test_events_are_reproducible_but_differ_between_networks(planet):
    climate, *_ = planet
    flat = np.ones((climate.lat.size, 24))
    region = planet[2]

    def draw(purpose):
        return nature._individuality(climate, region, flat, flat, flat, flat, 0, purpose)[0]

    np.testing.assert_array_equal(draw("towers"), draw("towers"))
    assert np.abs(draw("towers") - draw("virtual")).max() > 0.05
    assert generator(0, "towers", "events").normal() != generator(0, "virtual", "events").normal()
