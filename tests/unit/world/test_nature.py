"""The truth of the default world: its range, and that each declared difference from the simulation acts."""

from __future__ import annotations

import numpy as np
import pytest

from dere.config.world import WorldConfig
from dere.variables import FLUXES, TARGETS
from dere.world import landscape, nature, tower_network
from dere.world.climate import climate_at
from dere.world.fields import bounded_normal, generator
from dere.world.geography import Grid, find_land
from dere.world.process_model import simulate
from dere.world.soil import soil_at

CONFIG = WorldConfig(virtual_towers=300)
GPP, RECO, NEE = (FLUXES.index(name) for name in ("gpp", "reco", "nee"))


class Sites:
    """Virtual towers of the default world, of which any property can be exchanged."""

    def __init__(self) -> None:
        """Place them and draw what grows there, as ``build`` does, without its microclimate."""
        land = find_land(Grid(CONFIG.grid_degrees))
        self.ages = CONFIG.ages

        def weather(lat, lon):
            return climate_at(lat, lon, seed=0, years=6, start_year=2001)

        cells = landscape.regional(weather(land.lat, land.lon), soil_at(land.lat, land.lon, 0), self.ages, 0, 1.0)
        towers = tower_network.place_towers(land, cells.vegetated, CONFIG.towers, generator(0, "places"))
        rng = generator(0, "virtual places")
        sites = tower_network.place_virtual(land, cells.vegetated, towers, CONFIG.virtual_towers, rng)
        self.climate = weather(sites.lat, sites.lon)
        soil = soil_at(sites.lat, sites.lon, 0)
        self.depth = soil["depth"]
        self.region = landscape.regional(self.climate, soil, self.ages, 0, 1.0)
        self.footprint = landscape.footprints(self.region, self.ages, generator(0, "plots"), 1.0)
        self.plain = self.fluxes(self.footprint)

    def fluxes(self, footprint, distance=1.0):
        return nature.true_fluxes(
            self.climate, self.depth, footprint, self.ages, seed=0, distance=distance, purpose="test"
        )[0]


@pytest.fixture(scope="module")
def sites():
    return Sites()


def test_truth_is_within_what_towers_show(sites):
    # 166 real towers: GPP at most 23.8, RECO 21.5, NEE -16.1 to 8.7 gC m-2 d-1
    assert sites.plain[..., GPP].max() < 25
    assert sites.plain[..., RECO].max() < 22
    assert -19 < sites.plain[..., NEE].min() < -8 and 4 < sites.plain[..., NEE].max() < 9
    np.testing.assert_allclose(sites.plain[..., RECO] - sites.plain[..., GPP], sites.plain[..., NEE], atol=1e-9)


def test_draws_are_bounded_and_one_each():
    draws = bounded_normal(np.random.default_rng(0), (500, 20))
    assert np.abs(draws).max() == 2.0 and abs(draws.std() - 0.96) < 0.03
    np.testing.assert_array_equal(draws, np.clip(np.random.default_rng(0).normal(size=(500, 20)), -2, 2))


def test_saturation_leaves_usual_months_alone():
    flux = np.array([-5.0, 0.0, 9.9, 10.0, 12.0, 80.0])
    found = nature._saturating(flux, 10.0, 12.0)
    np.testing.assert_array_equal(found[:4], flux[:4])
    assert 11.5 < found[4] < 12.0 and 21.0 < found[5] < 22.0


def test_skill_of_the_simulation_falls_with_the_distance(sites):
    few = np.arange(0, 300, 6)
    climate = climate_at(sites.climate.lat[few], sites.climate.lon[few], seed=0, years=3, start_year=2001)
    soil = soil_at(climate.lat, climate.lon, 0)
    ages = (5, 20, 60, 150)
    raw = simulate(climate.forcing(soil["depth"]), ages, stands=("mixture",), seed=0)["state"].to_numpy()[:, 0]
    skills, covers = [], []
    for distance in (0.0, 0.05, 0.5, 1.0, 2.0):
        region = landscape.regional(climate, soil, ages, 0, distance)
        prints = landscape.footprints(region, ages, generator(0, "plots"), distance)
        truth = nature.true_fluxes(climate, soil["depth"], prints, ages, seed=0, distance=distance, purpose="test")
        fluxes, cover = truth.fluxes, truth.cover
        gpp = np.einsum("pat,pa->pt", raw[..., TARGETS.index("gpp")], region.age_weight)
        error = ((fluxes[..., GPP] - gpp) ** 2).mean(axis=1)
        skills.append(np.median(1 - error / fluxes[..., GPP].var(axis=1)))
        covers.append(cover)
    assert (np.diff(skills) < 0).all(), skills
    assert skills[0] > 0.999 and skills[1] > 0.95, "no jump at 0"
    assert np.abs(covers[1] - covers[0]).max() < 0.06
    np.testing.assert_allclose(covers[3], prints.fraction, atol=2e-3)


def test_land_with_another_cover(sites):
    wanted = np.tile([0.5, 0.2, 0.3], (300, 1))
    changed = landscape.with_fraction(sites.footprint, wanted)
    np.testing.assert_allclose(changed.fraction, wanted, atol=1e-9)
    np.testing.assert_allclose(changed.layers.sum(axis=1), 1.0, atol=1e-9)
    np.testing.assert_allclose(changed.vegetated, sites.footprint.vegetated, atol=1e-9)
    same = landscape.with_fraction(sites.footprint, sites.footprint.fraction)
    np.testing.assert_allclose(same.layers, sites.footprint.layers, atol=1e-9)
