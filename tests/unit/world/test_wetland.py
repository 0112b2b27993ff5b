"""The model of wetland methane has the limits that it must have, and nature is another one."""

import numpy as np
import pytest

from dere.world.water import melt_snow
from dere.world.wetland import (
    RANGES,
    WORLDS,
    Wetness,
    draw_parameters,
    emission,
    mean_emission,
    substrate,
    wetness,
)
from dere.world.wetland_nature import true_methane

MONTHS, MEMBERS = 36, 40
DAYS = np.full(MONTHS, 30.4)


def constant(temperature, table, members=MEMBERS):
    return Wetness(np.full((members, MONTHS), temperature), np.full((members, MONTHS), table))


@pytest.fixture
def p():
    return draw_parameters(np.random.default_rng(0), MEMBERS)


def test_saturated_at_15_degrees_gives_the_share_that_is_not_oxidised(p):
    respired = np.full((MEMBERS, 2, MONTHS), [[[1.5], [3.0]]]) * np.ones(MONTHS)
    found = emission(respired, constant(15.0, 0.05), p)
    expected = (p.ratio * (1.0 - p.oxidised))[:, None, None] * respired
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_frozen_ground_does_nothing(p):
    found = emission(np.full((MEMBERS, 1, MONTHS), 2.0), constant(-15.0, -2.0), p)
    assert np.abs(found).max() < 1e-12


def test_warm_and_dry_ground_takes_up(p):
    found = emission(np.full((MEMBERS, 1, MONTHS), 2.0), constant(20.0, -20.0), p)
    np.testing.assert_allclose(found, np.broadcast_to(-p.uptake[:, None, None], found.shape), atol=1e-9)


def test_temperature_acts_once():
    """Respiration that follows warmth by the process model's own factor is the same substrate in all months."""
    soil = 12.0 + 10.0 * np.sin(2 * np.pi * np.arange(MONTHS) / 12)[None]
    warmth = np.exp(250.0 * (1 / 61.02 - 1 / (soil + 46.02)))
    np.testing.assert_allclose(substrate((2.0 * warmth)[:, None], soil), 2.0, rtol=1e-3)


def test_water_and_warmth_as_in_the_plain_loop(p):
    rng = np.random.default_rng(1)
    air = 4.0 + 15.0 * np.sin(2 * np.pi * np.arange(MONTHS) / 12) + rng.normal(0, 3, (MEMBERS, MONTHS))
    rain, demand = rng.gamma(2.0, 1.0, (MEMBERS, MONTHS)), np.maximum(air, 0.0) / 6.0
    found = wetness(air, rain, demand, DAYS, p)
    for member in (0, 7):
        own = [float(values[member]) for values in p]
        soil, table = one_by_one(air[member], rain[member], demand[member], *own[6:])
        np.testing.assert_allclose(found.temperature[member], soil, rtol=1e-9)
        np.testing.assert_allclose(found.table[member], table, rtol=1e-9, atol=1e-12)


def one_by_one(air, rain, demand, lag, evaporation, drainage, outlet, store, inflow, porosity):
    soil, water, snow, temperatures, tables = air.mean(), 0.0, 0.0, [], []
    for t in list(range(MONTHS)) * 3:
        fallen, frozen = 30.4 * rain[t], air[t] < -1.0
        snow, melt = melt_snow(snow, fallen if frozen else 0.0, 60 * (1 + air[t]) if air[t] > 0 else 0.0)
        soil += (1 - np.exp(-1 / lag)) * (air[t] * (0.3 if snow > 0 else 1.0) - soil)
        water += (0.0 if frozen else fallen) + melt + (inflow - evaporation * demand[t]) * 30.4
        if water > -outlet:
            water = -outlet + (water + outlet) * np.exp(-drainage * 30.4)
        water = min(max(water, -1000.0), store)
        temperatures.append(soil)
        tables.append(water / 1000 if water >= 0 else water / 1000 / porosity)
    return temperatures[-MONTHS:], tables[-MONTHS:]


def test_draws_are_within_their_priors_and_the_ratio_has_its_median():
    drawn = draw_parameters(np.random.default_rng(2), 4000)
    for name, (low, high) in RANGES.items():
        values = getattr(drawn, name)
        assert low <= values.min() and values.max() <= high, name
    assert np.median(drawn.ratio) == pytest.approx(0.06, rel=0.1)


def weather(sites):
    rng = np.random.default_rng(3)
    air = 6.0 + 14.0 * np.sin(2 * np.pi * (np.arange(MONTHS) - 3) / 12) + rng.normal(0, 1.5, (sites, MONTHS))
    gpp = np.maximum(air, 0.0) / 3.0
    return air, rng.gamma(2.0, 1.2, air.shape), np.maximum(air, 0.0) / 5.0, gpp, 0.3 + gpp / 4.0


def test_the_simulation_is_the_mean_that_many_worlds_approach():
    air, rain, demand, _, respired = (series[:4] for series in weather(4))
    found = mean_emission(air, rain, demand, respired[:, None], DAYS)[:, 0]
    count = 600
    many = draw_parameters(np.random.default_rng(5), count)
    for site in range(4):
        series = [np.broadcast_to(values[site], (count, MONTHS)) for values in (air, rain, demand)]
        each = emission(np.broadcast_to(respired[site], (count, 1, MONTHS)), wetness(*series, DAYS, many), many)[:, 0]
        error = each.std(0) * np.sqrt(1 / WORLDS + 1 / count)
        assert np.abs(found[site] - each.mean(0)).max() < 4 * error.max()
        assert found[site].std() > 0.1 * each.std()


def test_nature_is_the_simulation_at_no_distance_and_differs_in_level_and_season_at_one():
    inputs = weather(300)
    twin = true_methane(*inputs, DAYS, np.random.default_rng(4), distance=0.0)
    simulated = mean_emission(*inputs[:3], inputs[4][:, None], DAYS)[:, 0]
    np.testing.assert_allclose(twin, simulated)
    true = true_methane(*inputs, DAYS, np.random.default_rng(4))
    level = np.log(true.mean(1)[true.mean(1) > 1e-4])
    assert 0.6 < level.std() < 1.6
    assert 0.002 < np.median(true.mean(1)) < 0.1 and true.min() > -0.0041 and true.max() < 2.0
    season = np.corrcoef(true.mean(0), simulated.mean(0))[0, 1]
    assert 0.7 < season < 0.999
