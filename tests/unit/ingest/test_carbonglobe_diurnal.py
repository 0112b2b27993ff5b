"""Diurnal cycles: recognised, placed on a clock, and moved to another."""

import numpy as np
import pytest
from carbonglobe_samples import PLACES, channels
from hypothesis import given
from hypothesis import strategies as st

from dere.channels import turned
from dere.ingest.simulation.carbonglobe_diurnal import (
    check_hours,
    check_order,
    check_seasons,
    hour_convention,
    peak_hour,
    recognise,
    smoothness,
    solar_shift,
    turning_points,
)

LAT, LON = np.array(PLACES).T
MEAN = channels(LAT, LON).mean((1, 2))
DIURNAL, CO2 = MEAN[:, 33:129], MEAN[:, 8:32]
HOURS = np.arange(24)


@given(st.floats(0, 23.99), st.floats(0.1, 5), st.floats(-3, 3))
def test_peak_of_a_wave(peak, size, level):
    wave = level + size * np.cos(2 * np.pi * (HOURS - peak) / 24)
    assert abs((peak_hour(wave[None])[0] - peak + 12) % 24 - 12) < 1e-6
    np.testing.assert_allclose(smoothness(wave[None]), 1)


def test_smoothness_of_noise_and_turning_points():
    noise = np.random.default_rng(0).normal(size=(3000, 24))
    assert smoothness(noise).mean() == pytest.approx(4 / 23, abs=0.01)
    sun = np.maximum(0, np.cos(2 * np.pi * (HOURS - 12) / 24))
    assert turning_points(np.stack([sun, np.roll(sun, 9), sun + np.roll(sun, 12)])).tolist() == [2, 2, 4]


@given(st.integers(0, 5))
def test_hours_are_moved_as_a_loop_would(seed):
    rng = np.random.default_rng(seed)
    values, lon = rng.normal(size=(6, 3, 24)), rng.uniform(-180, 180, 6)
    moved = turned(values, solar_shift(lon))
    for cell in range(6):
        for hour in range(24):
            local = (hour + round(lon[cell] / 15)) % 24
            np.testing.assert_array_equal(moved[cell, :, local], values[cell, :, hour])


def test_clock():
    sun = DIURNAL[:, 2::4]
    utc = np.stack([np.roll(cycle, -round(lon / 15)) for cycle, lon in zip(sun, LON, strict=True)])
    assert hour_convention(sun, LON) == "local"
    assert hour_convention(utc, LON) == "utc"
    # on the meridian of Greenwich both clocks are one; a clock of its own is neither
    assert hour_convention(sun, np.zeros(len(sun))) == "unknown"
    assert hour_convention(np.roll(sun, 6, axis=1), LON) == "unknown"
    assert hour_convention(np.zeros((3, 24)), LON[:3]) == "unknown"


@pytest.mark.parametrize("latitude", [0.0, 45.0, 70.0, 83.0, -55.0])
def test_quantities_are_recognised_at_any_latitude(latitude):
    """Polar cells, with which the global file begins, have bright nights in the mean of the year."""
    some = channels(np.full(5, latitude), np.zeros(5)).mean((1, 2))[:, 33:129]
    check_order(some, "x.npy")
    assert [recognise(some[:, p::4]) for p in range(4)] == ["humidity", "temperature", "shortwave", "wind"]
    assert recognise(some[:, 1::4] - 273.15 - 500) == ""


def test_noise_in_the_channels_is_no_order():
    with pytest.raises(ValueError, match=r"x\.npy: channels 33 to 128 show 'none of them.*scrambled"):
        check_order(np.random.default_rng(0).normal(-500, 1, (5, 96)), "x.npy")


def test_co2_that_peaks_by_day_is_reported(caplog):
    check_hours(DIURNAL, CO2, "x.npy")
    assert not caplog.text
    check_hours(DIURNAL, np.roll(CO2, 12, axis=1), "x.npy")
    assert "CO2 is highest" in caplog.text


def test_seasons():
    season = np.where(LAT[:, None] > 0, 1, -1) * np.cos(2 * np.pi * (np.arange(12) - 5.5) / 12)
    check_seasons(season, LAT, "x.npy")
    check_seasons(-season, np.zeros(len(LAT)), "x.npy")
    with pytest.raises(ValueError, match=r"at 0% of the .*row_order"):
        check_seasons(-season, LAT, "x.npy")
