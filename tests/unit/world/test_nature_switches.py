"""Each structural difference of nature alone: switched off, truth changes in the direction that is claimed for it."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from dere.config.world import WorldConfig
from dere.variables import FLUXES
from dere.world import build, landscape, nature, tower_network
from dere.world.climate import climate_at
from dere.world.conditions import drought_memory, potential_evapotranspiration
from dere.world.fields import generator
from dere.world.geography import Grid, find_land
from dere.world.parameters import DEFAULT
from dere.world.process_model import simulate
from dere.world.soil import soil_at

AGES = (10, 50, 150)
YEARS = 5
GPP, RECO, NEE = (FLUXES.index(name) for name in ("gpp", "reco", "nee"))


class Nature:
    """Sixty virtual towers of the default world; every property of the ground and of nature can be exchanged."""

    def __init__(self) -> None:
        """Place them and draw what grows there."""
        land = find_land(Grid(6.0))

        def weather(lat, lon):
            return climate_at(lat, lon, seed=0, years=YEARS, start_year=2001)

        cells = landscape.regional(weather(land.lat, land.lon), soil_at(land.lat, land.lon, 0), AGES, 0, 1.0)
        towers = tower_network.place_towers(land, cells.vegetated, 60, generator(0, "places"))
        rng = generator(0, "virtual places")
        self.sites = tower_network.place_virtual(land, cells.vegetated, towers, 60, rng)
        self.climate = weather(self.sites.lat, self.sites.lon)
        soil = soil_at(self.sites.lat, self.sites.lon, 0)
        self.depth = soil["depth"]
        self.region = landscape.regional(self.climate, soil, AGES, 0, 1.0)
        self.ground = landscape.footprints(self.region, AGES, generator(0, "plots"), 1.0)
        self.plain = self.fluxes(self.ground)

    def fluxes(self, ground):
        return nature.true_fluxes(self.climate, self.depth, ground, AGES, seed=0, distance=1.0, purpose="test")[0]

    def without(self, field, neutral=0.0):
        """Truth with one field of the ground at its neutral value."""
        return self.fluxes(replace(self.ground, **{field: np.full(len(self.depth), neutral)}))

    def logarithm(self, other, flux):
        """(site, time) log of the plain truth over another one, NaN where there is next to nothing."""
        some = (self.plain[..., flux] > 0.05) & (other[..., flux] > 0.05)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(some, np.log(self.plain[..., flux] / other[..., flux]), np.nan)


@pytest.fixture(scope="module")
def world():
    """Nature whose process model runs once for each ground: a third of the switches lie behind it."""
    known = {}

    def once(forcing, ages, *, structure, fraction, **others):
        key = pickle.dumps((structure, fraction, forcing.members))
        if key not in known:
            known[key] = simulate(forcing, ages, structure=structure, fraction=fraction, **others)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nature, "simulate", once)
        yield Nature()


@pytest.fixture
def structure_without(world, monkeypatch):
    """Truth with scalars of the structure exchanged."""

    def run(**changed):
        whole = nature.Structure
        monkeypatch.setattr(nature, "Structure", lambda **given: whole(**{**given, **changed}))
        return world.fluxes(world.ground)

    return run


def slope(x, y):
    return np.polyfit(x, y, 1)[0]


def test_past_droughts_lower_gpp_in_proportion_to_their_memory(world, structure_without):
    loss = -world.logarithm(structure_without(drought_legacy=0.0), GPP)
    forcing = world.climate.forcing(world.depth)
    memory = drought_memory(forcing, potential_evapotranspiration(forcing, nature.nature_parameters(1.0)))
    known = np.isfinite(loss)
    assert np.nanmean(loss[memory > 0.6]) > 0.2 > 0.08 > np.nanmean(loss[memory < 0.1])
    assert np.corrcoef(loss[known], memory[known])[0, 1] > 0.8


def test_groundwater_helps_where_and_when_it_is_dry(world):
    gain = world.plain[..., GPP] - world.without("water_table")[..., GPP]
    wet = world.ground.water_table > 0.3
    assert wet.sum() >= 5, "wetlands exist"
    assert gain.mean(axis=1).min() > -1e-3 and gain[wet].mean() > 0.03
    rain = world.climate.monthly["precipitation"] - 0.13 * np.maximum(world.climate.monthly["air_temperature"], 0)
    warm = world.climate.monthly["air_temperature"] > 5
    assert gain[warm & (rain < -1)].mean() > 2 * gain[warm & (rain > 1)].mean()


def test_nutrients_scale_productivity(world):
    ratio = np.log(world.plain[..., GPP].mean(axis=1) / world.without("nutrient", 1.0)[..., GPP].mean(axis=1))
    assert world.ground.nutrient.std() > 0.08
    assert slope(np.log(world.ground.nutrient), ratio) > 0.8
    assert np.corrcoef(np.log(world.ground.nutrient), ratio)[0, 1] > 0.9


def test_harvest_takes_away_what_would_have_been_respired(world):
    change = (world.plain - world.without("harvest")).mean(axis=1)
    cut, uncut = world.ground.harvest > 0.3, world.ground.harvest == 0
    assert cut.sum() >= 10 and uncut.sum() >= 10
    assert (change[cut, RECO] < 0).mean() > 0.9 and change[cut, RECO].mean() < -0.2
    assert change[cut, NEE].mean() < -0.01, "the carbon leaves, so the site takes up more"
    assert np.abs(change[uncut]).max() == 0


def test_disturbance_lowers_productivity_and_uptake_a_little(world):
    change = (world.plain - world.without("disturbance")).mean(axis=1) / world.plain[..., GPP].mean(axis=1)[:, None]
    assert world.ground.disturbance.min() > 0
    often = world.ground.disturbance > np.quantile(world.ground.disturbance, 0.75)
    assert change[often, GPP].mean() < -5e-4 and change[often, NEE].mean() > 1e-3
    assert change[often, NEE].mean() > 2 * change[~often, NEE].mean()


def test_co2_fertilises_more_from_year_to_year(world, structure_without):
    other = structure_without(co2_sensitivity=1.0)
    ratio = (world.plain[..., GPP] / np.maximum(other[..., GPP], 1e-9)).reshape(len(other), -1, 12)
    gain = np.median(ratio[:, :, 5:8].mean(axis=2), axis=0) - 1
    assert (np.diff(gain) > 0).all() and gain[-1] > 2 * gain[0]
    assert 1e-3 < gain[-1] < 0.02


def test_a_footprint_is_not_its_cell(world):
    around = world.fluxes(world.region)
    error = ((world.plain - around)[..., GPP] ** 2).mean(axis=1) / world.plain[..., GPP].var(axis=1)
    assert 0.2 < np.median(error) < 0.8, "the same weather, another vegetation"
    assert world.ground.fraction.max(axis=1).mean() > world.region.fraction.max(axis=1).mean() + 0.1
    assert world.plain[..., GPP].mean(axis=1).std() > around[..., GPP].mean(axis=1).std()


def test_breathing_steepens_respiration_along_its_season(world):
    def variation(fluxes):
        return np.log(fluxes[..., RECO].std(axis=1) / fluxes[..., RECO].mean(axis=1))

    other = world.without("breathing")
    steeper = variation(world.plain) - variation(other)
    assert slope(world.ground.breathing, steeper) > 0.4
    assert np.corrcoef(world.ground.breathing, steeper)[0, 1] > 0.8
    np.testing.assert_allclose(world.plain[..., RECO].mean(axis=1), other[..., RECO].mean(axis=1), rtol=0.12)
    np.testing.assert_array_equal(world.plain[..., GPP], other[..., GPP])


def test_events_are_each_sites_own_and_as_large_as_its_vegetation_allows(world):
    noise = world.logarithm(world.without("events"), GPP)
    sizes = np.unique(world.ground.events)
    spread = [np.nanstd(noise[world.ground.events == size]) for size in sizes]
    assert (np.diff(spread) > 0).all(), "woods, meadows, crops"
    np.testing.assert_allclose(spread, sizes, rtol=0.5)
    known = np.where(np.isfinite(noise), noise, 0.0)
    between = np.corrcoef(known[np.isfinite(noise).all(axis=1)])
    assert np.abs(between[np.triu_indices(len(between), 1)].mean()) < 0.1, "no two sites share their events"


def test_late_species_are_late(world):
    change = world.logarithm(world.without("timing"), GPP)
    season = change.reshape(len(change), -1, 12).mean(axis=1)
    late = world.ground.timing
    for side, spring, autumn in ((1, slice(3, 5), slice(8, 10)), (-1, slice(8, 10), slice(2, 4))):
        shift = season[:, autumn].mean(axis=1) - season[:, spring].mean(axis=1)
        rows = (world.climate.lat * side > 0) & np.isfinite(shift)
        assert rows.sum() >= 10
        assert np.corrcoef(late[rows], shift[rows])[0, 1] > 0.9 and slope(late[rows], shift[rows]) > 1


def test_soils_of_another_history_respire_otherwise(world):
    other = world.without("soil_legacy", 1.0)
    change = np.log(world.plain[..., RECO].mean(axis=1) / other[..., RECO].mean(axis=1))
    legacy = np.log(world.ground.soil_legacy)
    assert legacy.std() > 0.3 and slope(legacy, change) > 0.2 and np.corrcoef(legacy, change)[0, 1] > 0.7
    np.testing.assert_array_equal(world.plain[..., GPP], other[..., GPP])


def test_parameters_of_nature_are_others():
    one, half = nature.nature_parameters(1.0), nature.nature_parameters(0.5)
    for name, ratio in nature._RATIOS.items():
        default = np.array(getattr(DEFAULT, name))
        np.testing.assert_allclose(getattr(one, name), default * ratio)
        np.testing.assert_allclose(getattr(half, name), default * np.sqrt(ratio))
        assert (np.array(getattr(one, name)) != default).any(), name
    assert one.flush[0][0] == DEFAULT.flush[0][0] + 2.0, "trees wait longer with their leaves"


@pytest.mark.parametrize("distance", [0.0, 1.0])
def test_a_tower_has_its_own_microclimate(world, distance):
    few = tower_network.Sites(world.sites.site[:30], world.sites.lat[:30], world.sites.lon[:30])
    config = WorldConfig(years=2, ages=(20,), nature_distance=distance)
    plots = build._plots(config, few, "towers")
    general = climate_at(few.lat, few.lon, seed=0, years=2, start_year=config.start_year)
    for name, spread in (("air_temperature", 0.5), ("precipitation", 0.1)):
        own, around = (climate.monthly[name].mean(axis=1) for climate in (plots.climate, general))
        difference = (own - around) if name == "air_temperature" else np.log(own / around)
        assert (difference.std() > spread) if distance else (np.abs(difference).max() == 0)
