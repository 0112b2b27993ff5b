"""Forcing, photosynthesis, water, light and soil, each against a scalar or analytic answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from climates import climates

from dere.humidity import saturation_vapour_pressure
from dere.world import carbon, competition, water
from dere.world.conditions import (
    climatic_stress,
    day_length,
    drought_memory,
    extreme_months,
    potential_evapotranspiration,
    prepare,
)
from dere.world.forcing import concatenate
from dere.world.parameters import DEFAULT, Structure
from dere.world.photosynthesis import daytime, light_use_efficiency, potential


@pytest.mark.parametrize(
    ("name", "change", "suspect"),
    [
        ("air_temperature", lambda x: x + 273.15, "K instead"),
        ("pressure", lambda x: 10 * x, "hPa or Pa"),
        ("pressure", lambda x: 1000 * x, "hPa or Pa"),
        ("vpd", lambda x: 100 * x, "Pa instead"),
        ("precipitation", lambda x: 30.4 * x + 60, "per month"),
        ("co2", lambda x: x * 1e-6, "mol mol-1"),
        ("vpd", lambda x: x - 50, "convert"),
        ("wind", lambda x: np.where(np.arange(x.size).reshape(x.shape) == 3, np.nan, x), "1 missing"),
        ("wind", lambda x: x[:, 1:], "shape"),
    ],
)
def test_wrong_units_and_gaps_end_in_a_sentence(name, change, suspect):
    forcing = climates(("temperate",), years=2)
    with pytest.raises(ValueError, match=suspect) as error:
        replace(forcing, **{name: change(getattr(forcing, name))})
    assert f"'{name}'" in str(error.value)


def test_records_need_a_year():
    forcing = climates(("temperate",), years=1)
    short = {k: v[:, :11] for k, v in vars(forcing).items() if np.ndim(v) == 2}
    with pytest.raises(ValueError, match="12 months"):
        replace(forcing, **short)


def test_perturbations_are_consistent():
    forcing = climates(("temperate", "arid"), years=2)
    changed = forcing.perturbed(temperature=[2.0, 0.0], precipitation=0.5, vpd=[1.0, 1.2], co2=1.5, soil_depth=2.0)
    humidity = [1 - f.vpd[0] / saturation_vapour_pressure(f.air_temperature[0]) for f in (forcing, changed)]
    np.testing.assert_allclose(*humidity)
    np.testing.assert_allclose(changed.vpd[1], 1.2 * forcing.vpd[1])
    assert (changed.longwave[0] > forcing.longwave[0]).all()
    np.testing.assert_array_equal(changed.longwave[1], forcing.longwave[1])
    np.testing.assert_allclose(changed.precipitation, 0.5 * forcing.precipitation)
    np.testing.assert_allclose(changed.soil_depth, 3000.0)


def test_concatenation_and_selection_are_inverse():
    one, two = climates(("temperate",), years=2), climates(("arid", "boreal"), years=2)
    joined = concatenate([one, two])
    assert joined.members == 3
    np.testing.assert_array_equal(joined.take([2]).vpd, two.vpd[1:])
    with pytest.raises(ValueError, match="one time axis"):
        concatenate([one, climates(("arid",), years=3)])


def test_daytime_is_warmer_and_drier_and_keeps_vapour():
    mean, vpd = np.array([5.0, 20.0, 30.0]), np.array([1.0, 8.0, 30.0])
    warm, dry = daytime(mean, vpd)
    assert (warm > mean + 0.4).all() and (warm < mean + 2).all() and (dry > vpd).all()
    np.testing.assert_allclose(
        saturation_vapour_pressure(warm) - dry, saturation_vapour_pressure(mean) - vpd, rtol=1e-12
    )


def test_light_use_efficiency_is_that_of_the_p_model_in_pascal():
    from pyrealm.pmodel import PModel, PModelEnvironment

    forcing = climates(("temperate",), years=1)
    c3, c4 = light_use_efficiency(forcing, forcing.co2, 0.0)
    july = 6
    warm, dry = daytime(forcing.air_temperature[0, july], forcing.vpd[0, july])
    one = np.ones(1)
    with pytest.warns(UserWarning):
        model = PModel(
            PModelEnvironment(tc=warm * one, vpd=dry * 100 * one, co2=forcing.co2[0, july] * one, patm=98000.0 * one)
        )
    np.testing.assert_allclose(c3[0, july], model.lue[0], rtol=1e-10)
    assert 0.25 < c3[0, july] < 0.45, "gC per mol; hPa or kPa passed as Pa would miss this"
    assert (c3[forcing.air_temperature <= 0] == 0).all() and (c4 >= 0).all()


def test_photons_are_about_2_04_per_joule_of_shortwave():
    forcing = climates(("tropical",), years=2)
    light, _ = potential(forcing, DEFAULT, Structure())
    c3, _ = light_use_efficiency(forcing, forcing.co2, DEFAULT.frost_limit)  # co2 differs a little from the effective
    photons = light[:, 0, 0] / (c3[0] * DEFAULT.light_use[0])  # mol m-2 d-1; no frost in the tropics
    np.testing.assert_allclose(photons, 2.04 * 0.0864 * forcing.shortwave[0], rtol=0.03)


def test_c4_grass_is_tropical():
    forcing = climates(("savanna", "tropical", "temperate", "boreal"), years=4)
    _, share = potential(forcing, DEFAULT, Structure())
    assert share[0] > 0.7 and share[2] < 0.1 and share[3] < 0.03


def test_evapotranspiration_magnitude():
    demand = potential_evapotranspiration(climates(("tropical", "temperate", "boreal", "arid")), DEFAULT)
    annual = 365 * demand.mean(axis=1)
    assert (demand >= 0).all()
    assert 1100 < annual[0] < 2000 and 400 < annual[1] < 1000 and 200 < annual[2] < 650 and annual[3] > 1100


def test_day_length():
    hours = day_length(np.array([0.0, 60.0, -60.0, 80.0]), np.arange(12))
    np.testing.assert_allclose(hours[0], 12.0, atol=0.01)
    assert hours[1, 5] > 18 and hours[1, 11] < 6.5 and hours[3, 5] == 24 and hours[3, 11] == 0
    np.testing.assert_allclose(hours[1] + hours[2], 24.0, atol=1e-9)


def test_climate_limits_are_ordered():
    coldest, warmest = extreme_months(climates(("tropical", "temperate", "boreal", "siberia")))
    broadleaf, needleleaf, grass = climatic_stress(coldest, warmest, DEFAULT)
    assert needleleaf[0] > 0.9 and needleleaf[2] < 0.05 and broadleaf[:2].max() < 0.05
    assert broadleaf[3] > 0.9 and grass.max() < 0.05


def test_drought_memory_follows_the_drought_and_fades():
    forcing = climates(("temperate",), noise=0.05)
    rain = forcing.precipitation.copy()
    rain[:, 60:66] *= 0.05
    dry = replace(forcing, precipitation=rain)
    memory = drought_memory(dry, potential_evapotranspiration(dry, DEFAULT))[0]
    assert memory[:58].max() < 0.2 < 0.5 < memory[67]
    assert 0.05 < memory[85] < 0.5 * memory[67] and memory[95:].max() < 0.15


def test_drought_memory_does_not_start_empty():
    # records of the same climate: their first year remembers about as much as the later ones
    many = concatenate([climates(("temperate", "steppe", "boreal"), seed=seed) for seed in range(20)])
    memory = drought_memory(many, potential_evapotranspiration(many, DEFAULT)).reshape(60, 10, 12).mean(axis=(0, 2))
    assert 0.7 * memory[2:].mean() < memory[:2].min() and memory[:2].max() < 1.3 * memory[2:].mean()
    short = climates(("temperate",), years=1)
    assert np.isfinite(drought_memory(short, potential_evapotranspiration(short, DEFAULT))).all()


def test_bucket_against_a_scalar_bucket():
    rng = np.random.default_rng(0)
    inflow, demand = 60 * rng.random(50), 70 * rng.random((50, 2))
    caps = np.array([45.0, 200.0])
    store = water.Water(np.zeros((1, 1)), np.full((1, 1, 1), 20.0), np.full((1, 1, 1), 100.0))
    upper, lower, runoff, evaporated = 20.0, 100.0, 0.0, 0.0
    for rain, (first, second) in zip(inflow, demand, strict=True):
        a, b, _, _ = water.advance(store, rain, first, second, caps[0], caps[1], 0.0)
        store = water.Water(store.snow, a, b)
        got_first = first * (1 + (first / (upper + rain)) ** 4) ** -0.25
        got_second = second * (1 + (second / max(lower, 1e-9)) ** 4) ** -0.25
        left = upper + rain - got_first
        upper = min(left, caps[0])
        total = lower - got_second + left - upper
        lower = min(total, caps[1])
        runoff += total - lower
        evaporated += got_first + got_second
        np.testing.assert_allclose([a.item(), b.item()], [upper, lower], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(120 + inflow.sum(), upper + lower + runoff + evaporated)


def test_demand_is_never_met_beyond_the_supply():
    supply, demand = np.meshgrid([0.0, 0.1, 50.0, 300.0], [0.0, 1.0, 40.0, 1000.0])
    met = water.met(supply, demand)
    assert (met * demand <= supply + 1e-6).all() and (met <= 1).all()
    assert water.met(np.array(300.0), np.array(40.0)) > 0.999


def test_snow_waits_for_warmth():
    snow, melted = water.melt_snow(np.array([10.0]), np.array([5.0]), np.array([0.0]))
    assert snow == 15 and melted == 0
    snow, melted = water.melt_snow(snow, np.array([0.0]), np.array([40.0]))
    assert snow == 0 and melted == 15


def test_light_in_strict_height_order_is_beer_layer_by_layer():
    p = replace(DEFAULT, canopy_mixing=1.0, height_scale=1e-3)
    area, cover, height = np.array([3.0, 4.0, 2.0]), np.array([0.3, 0.5, 0.2]), np.array([20.0, 25.0, 0.5])
    absorbed, reaching = competition.share_light(area, cover, height, p)
    light, expected = 1.0, {}
    for kind in (1, 0, 2):
        expected[kind] = light * (1 - np.exp(-0.5 * area[kind] * cover[kind]))
        np.testing.assert_allclose(reaching[kind], light)
        light -= expected[kind]
    np.testing.assert_allclose(absorbed, [expected[k] for k in range(3)])


def test_light_is_conserved_and_patches_do_not_interact():
    rng = np.random.default_rng(1)
    area, height = 5 * rng.random((3, 40)), 30 * rng.random((3, 40))
    cover = rng.dirichlet((1, 1, 1), 40).T
    mixed, _ = competition.share_light(area, cover, height, replace(DEFAULT, canopy_mixing=1.0))
    np.testing.assert_allclose(mixed.sum(axis=0), 1 - np.exp(-0.5 * (area * cover).sum(axis=0)))
    patches, reaching = competition.share_light(area, cover, height, replace(DEFAULT, canopy_mixing=0.0))
    np.testing.assert_allclose(patches, cover * (1 - np.exp(-0.5 * area)))
    assert (reaching == 1).all()


def test_pure_cover_is_free_of_interference():
    np.testing.assert_allclose(np.diag(competition.below_ground(np.eye(3), DEFAULT)), 1.0)
    even = competition.below_ground(np.array([0.5, 0.5, 0.0]), DEFAULT)
    assert even[0] > 1.2 and even[1] > 1.2, "broadleaf and needleleaf trees complement each other"
    assert competition.below_ground(np.array([0.8, 0.0, 0.2]), DEFAULT)[2] < 0.6, "trees suppress grass"


def test_cover_stays_a_share_and_favours_the_fit():
    rng = np.random.default_rng(2)
    cover = rng.dirichlet((0.3, 0.3, 0.3), 500).T
    pay = 4000 * rng.random((3, 500))
    for _ in range(200):
        cover = competition.advance_cover(cover, pay, np.ones((3, 500)), np.zeros((3, 500)), DEFAULT)
        assert (cover >= 0).all() and (cover <= 1).all()
        np.testing.assert_allclose(cover.sum(axis=0), 1.0)
    rich = (pay[0] > 1500) & (pay[1] > 1500)
    assert (cover[0] > cover[1])[rich & (pay[0] > 1.3 * pay[1])].all()
    assert cover[2][(pay[:2] < 50).all(axis=0)].min(initial=1.0) > 0.5


def test_decay_against_small_steps():
    p, months, rate = DEFAULT, 24, 1.7
    soil = carbon.Soil(*(np.array(x) for x in (800.0, 3000.0, 2000.0, 9000.0)))
    state, respired = np.array([float(x) for x in soil]), 0.0
    keep = np.array([1 - p.litter_to_fast, 1 - p.debris_to_fast, 1 - p.fast_to_slow, 1.0])
    for _ in range(months * 200):
        lost = state * np.array(p.decay) * rate / 12 / 200
        state = state - lost
        state[2] += p.litter_to_fast * lost[0] + p.debris_to_fast * lost[1]
        state[3] += p.fast_to_slow * lost[2]
        respired += (keep * lost).sum()
    total = 0.0
    for _ in range(months):
        soil, rh = carbon.decompose(soil, np.array(0.0), np.array(0.0), np.array(rate), p)
        total += float(rh)
    np.testing.assert_allclose([float(x) for x in soil], state, rtol=0.01)
    np.testing.assert_allclose(total, respired, rtol=0.01)


def test_analytic_soil_stays_where_it_is():
    p = DEFAULT
    soil = carbon.equilibrium(np.array(400.0), np.array(250.0), np.array(0.8), p)
    later = soil
    for _ in range(1200):
        later, rh = carbon.decompose(later, np.array(400 / 12), np.array(250 / 12), np.array(0.8), p)
    np.testing.assert_allclose(12 * rh, 650.0, rtol=0.01)
    np.testing.assert_allclose([float(x) for x in later], [float(x) for x in soil], rtol=0.06)


def test_growth_conserves_carbon_and_starving_plants_keep_positive_pools():
    rng = np.random.default_rng(3)
    p, t = DEFAULT, carbon.traits(np.array([0, 1, 2]), DEFAULT)
    plants = carbon.Plants(*(300 * rng.random((3, 1, 50)) ** 3 for _ in range(4)))
    full, season = 400 * rng.random((3, 1, 50)), rng.random((3, 1, 50))
    gpp, wanted = 200 * rng.random((3, 1, 50)) ** 2, 300 * rng.random((3, 1, 50)) ** 2
    opened, cost = carbon.flush(plants, full * season, p)
    after, flows = carbon.grow(opened, gpp, wanted, full, full * season, 0.5, 0.01, 0.4, t, p)
    change = sum(after) - sum(plants)
    np.testing.assert_allclose(
        change, gpp - cost - flows.respiration - flows.fine - flows.coarse - flows.export, atol=1e-9
    )
    assert all((pool >= 0).all() for pool in (*after, *flows))


def test_conditions_do_not_depend_on_other_members():
    forcing = climates(("temperate", "boreal"), years=2)
    both, one = prepare(forcing, DEFAULT, Structure()), prepare(forcing.take([1]), DEFAULT, Structure())
    np.testing.assert_allclose(both.light[:, :, 1:], one.light, rtol=1e-12)
    np.testing.assert_allclose(both.phenology[:, :, 1:], one.phenology)


def test_hot_and_very_dry_months_have_no_yield_instead_of_nan():
    forcing = climates(("arid",), years=1)
    hot = forcing.perturbed(temperature=46.0 - float(forcing.air_temperature.max()))
    c3, c4 = light_use_efficiency(hot, hot.co2, 0.0)
    assert np.isfinite(c3).all() and np.isfinite(c4).all()
    assert c3[0, int(hot.air_temperature[0].argmax())] == 0.0
