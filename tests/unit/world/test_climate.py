from __future__ import annotations

import numpy as np
import pytest

from dere.humidity import saturation_vapour_pressure, vapour_pressure
from dere.variables import MONTHLY8, VARIABLES
from dere.world.climate import climate_at
from dere.world.diurnal import HOURS, top_of_atmosphere
from dere.world.geography import Grid, find_land
from dere.world.soil import SOIL_PROPERTIES, soil_at
from dere.world.tower_network import koppen_class

PLACES = {
    "Yakutsk": (62.0, 130.0),
    "Berlin": (52.0, 13.0),
    "Cairo": (28.0, 28.0),
    "Manaus": (-3.0, -60.0),
    "Delhi": (28.0, 77.0),
    "Buenos Aires": (-35.0, -60.0),
}


@pytest.fixture(scope="module")
def world():
    land = find_land(Grid(6.0))
    return climate_at(land.lat, land.lon, seed=0, years=4, start_year=2001)


def at(name, years=4, seed=0, **options):
    lat, lon = PLACES[name]
    return climate_at(np.array([lat]), np.array([lon]), seed=seed, years=years, start_year=2001, **options)


def test_every_driver_is_in_its_valid_range(world):
    assert tuple(world.monthly) == MONTHLY8
    for name, values in world.monthly.items():
        low, high = VARIABLES[name].valid_range
        assert np.isfinite(values).all()
        assert values.min() >= low, name
        assert values.max() <= high, name


def test_all_climates_occur(world):
    classes = koppen_class(world)
    count = {letter: sum(c[0] == letter for c in classes) for letter in "ABCDE"}
    assert min(count.values()) >= 15, count
    assert {"Af", "Aw"} <= set(classes)
    assert any(c.startswith("BW") for c in classes)
    assert any(c.startswith("Df") for c in classes)


@pytest.mark.parametrize(
    ("place", "coldest", "warmest", "rain"),
    [
        ("Yakutsk", (-45, -22), (10, 22), (0.3, 1.5)),
        ("Berlin", (-10, 4), (15, 25), (1.0, 3.0)),
        ("Cairo", (8, 18), (27, 36), (0.0, 0.8)),
        ("Manaus", (22, 27), (25, 31), (3.0, 9.0)),
        ("Buenos Aires", (4, 13), (20, 28), (1.5, 5.0)),
    ],
)
def test_normals_resemble_the_earth(place, coldest, warmest, rain):
    normals = at(place, years=10).climatology
    temperature = normals["air_temperature"][0]
    assert coldest[0] < temperature.min() < coldest[1]
    assert warmest[0] < temperature.max() < warmest[1]
    assert rain[0] <= normals["precipitation"].mean() < rain[1]


def test_seasonal_cycle_per_climate():
    assert at("Berlin").climatology["air_temperature"][0].argmax() in (6, 7)
    assert at("Buenos Aires").climatology["air_temperature"][0].argmax() in (0, 1)
    monsoon = at("Delhi", years=10).climatology["precipitation"][0]
    assert monsoon.argmax() in (6, 7)
    assert monsoon.max() > 4 * monsoon.min()
    assert (
        np.ptp(at("Manaus").climatology["air_temperature"])
        < 5
        < 35
        < np.ptp(at("Yakutsk").climatology["air_temperature"])
    )


def test_diurnal_means_are_the_monthly_values(world):
    for hourly, monthly in (
        ("air_temperature", "air_temperature"),
        ("shortwave", "shortwave"),
        ("wind", "wind"),
        ("co2", "co2"),
    ):
        np.testing.assert_allclose(
            world.hourly[hourly].mean(axis=-1), world.monthly[monthly], rtol=1e-9, atol=1e-9, err_msg=hourly
        )
    vapour = vapour_pressure(world.hourly["specific_humidity"], world.monthly["pressure"][..., None])
    saturated = saturation_vapour_pressure(world.hourly["air_temperature"])
    assert (vapour <= saturated).all()
    np.testing.assert_allclose((saturated - vapour).mean(axis=-1), world.monthly["vpd"], rtol=1e-6)


def test_sunlight_follows_the_sun(world):
    top = top_of_atmosphere(world.lat)[:, np.arange(48) % 12]
    assert (world.monthly["shortwave"] <= 0.81 * top + 1e-9).all()
    # hand value: equator in March (mid-month, near the equinox) receives about S / pi
    assert top_of_atmosphere(np.zeros(1))[0, 2] == pytest.approx(1361 / np.pi, rel=0.02)
    assert top_of_atmosphere(np.array([80.0]))[0, 11] == 0
    sun = at("Berlin").hourly["shortwave"][0]
    noon, midnight = np.argmax(sun[5]), sun[:, [0, 1, 22, 23]]
    assert HOURS[noon] in (11.5, 12.5)
    assert (midnight == 0).all()
    assert (sun[5] > 0).sum() > (sun[11] > 0).sum() + 6  # long days in June, short ones in December
    assert at("Berlin").hourly["air_temperature"][0, 6].argmax() in (13, 14, 15)


def test_droughts_are_warm_sunny_and_dry():
    climate = at("Berlin", years=40)
    monthly = {k: v.reshape(40, 12)[:, 5:8] for k, v in climate.monthly.items()}
    wet = np.log(monthly["precipitation"]).ravel()
    for name, sign in (("shortwave", -1), ("vpd", -1), ("air_temperature", -1)):
        anomaly = (monthly[name] - monthly[name].mean(axis=0)).ravel()
        assert sign * np.corrcoef(anomaly, wet)[0, 1] > 0.2, name
    # rare spells below a third of the normal exist
    factor = monthly["precipitation"] / monthly["precipitation"].mean(axis=0)
    assert 0 < (factor < 0.4).mean() < 0.2


def test_co2_rises_and_breathes():
    values = at("Yakutsk", years=10).monthly["co2"][0].reshape(10, 12)
    assert np.diff(values.mean(axis=1)).mean() == pytest.approx(2.05, abs=0.01)
    season = values.mean(axis=0) - values.mean()
    assert season.argmax() in (3, 4)
    assert season.argmin() in (7, 8, 9)
    assert 8 < np.ptp(season) < 22


def test_neighbours_share_their_weather_and_microclimate_shifts_it():
    lat, lon = PLACES["Berlin"]
    both = climate_at(np.array([lat, lat + 0.2]), np.array([lon, lon]), seed=0, years=10, start_year=2001)
    anomaly = both.monthly["air_temperature"].reshape(2, 10, 12)
    anomaly = (anomaly - anomaly.mean(axis=1, keepdims=True)).reshape(2, -1)
    assert np.corrcoef(anomaly)[0, 1] > 0.98
    alone = at("Berlin", years=10)
    np.testing.assert_allclose(alone.monthly["wind"][0], both.monthly["wind"][0])
    up = at("Berlin", years=10, extra_elevation=1000.0)
    assert (up.monthly["air_temperature"] - alone.monthly["air_temperature"]).mean() == pytest.approx(-5.5, abs=0.3)
    assert (up.monthly["pressure"] < alone.monthly["pressure"] - 8).all()


def test_deep_soil_lags_and_damps():
    climate = at("Berlin", years=4)
    top, deep = climate.soil_temperature[0, :, 0], climate.soil_temperature[0, :, 5]
    assert np.ptp(deep) < 0.4 * np.ptp(top)
    season = climate.soil_temperature[0].reshape(4, 12, 6).mean(axis=0)
    assert season[:, 4].argmax() > season[:, 0].argmax()


def test_soil_is_physical():
    land = find_land(Grid(6.0))
    soil = soil_at(land.lat, land.lon, 0)
    assert tuple(soil) == SOIL_PROPERTIES
    assert 2e5 < np.median(soil["k_sat"]) < 3e6
    assert (soil["theta_r"] < soil["theta_s"]).all()
    np.testing.assert_allclose(soil["m"], 1 - 1 / soil["n"])
    assert soil["depth"].min() >= 250
    assert soil["depth"].max() <= 8000


def test_hottest_months_stay_within_the_range_of_the_p_model():
    land = find_land(Grid(6.0))
    hottest = [
        climate_at(land.lat, land.lon, seed=seed, years=10, start_year=2001, warmer=3.0)
        .monthly["air_temperature"]
        .max()
        for seed in range(3)
    ]
    assert 33 < min(hottest) <= max(hottest) <= 36
