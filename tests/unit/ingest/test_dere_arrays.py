"""Arrays of DERE to canonical ones: layout, order, units, time, sums, each against a slow or closed form."""

import numpy as np
import pytest

from dere.ingest.arrays.dere_arrays import (
    annual_means,
    compare_statistics,
    drivers_by_month,
    dropped_months,
    parse_age_weights,
    parse_drivers,
    parse_fluxes,
    parse_shares,
    parse_states,
    repeats_annual_values,
)
from dere.ingest.simulation.solar_latitude import elevations, latitude_of
from dere.variables import TARGETS

RNG = np.random.default_rng(1)
DAILY = 1000 / 365.25


def states(members=2):
    """Closing states in the published order and unit, (n, 29, 12, 10)."""
    gpp, ra, rh = RNG.uniform(1, 3, (3, members, 29, 12))
    free = [*RNG.uniform(1, 5, (4, members, 29, 12))]
    return np.stack([*free, gpp, gpp - ra, rh, rh - gpp + ra, ra, ra + rh], -1).astype(np.float32)


def test_months_of_a_channel_lie_together_in_the_flat_layout():
    flat = np.empty((2, 28, 1632))
    for channel in range(136):
        for month in range(12):
            flat[:, :, channel * 12 + month] = 1000 * channel + month
    x = drivers_by_month(flat)
    assert x.shape == (2, 28, 12, 136) and x[1, 3, 7, 130] == 130007


def test_states_start_in_december_1992_and_are_per_day():
    raw = states()
    parsed = parse_states(raw, "x")
    assert parsed.shape == (2, 337, 10)
    np.testing.assert_array_equal(parsed[:, 0, :4], raw[:, 0, 11, :4])
    np.testing.assert_allclose(parsed[:, 1, TARGETS.index("gpp")], raw[:, 1, 0, 4] * DAILY, rtol=1e-6)
    np.testing.assert_allclose(parsed[:, -1, TARGETS.index("nee")], raw[:, 28, 11, 7] * DAILY, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(parsed[:, 5, TARGETS.index("reco")], raw[:, 1, 4, 9] * DAILY, rtol=1e-5)


def test_states_in_another_order_or_incomplete_are_refused():
    raw = states()
    swapped = raw.copy()
    swapped[..., 7], swapped[..., 9] = raw[..., 9], raw[..., 7]
    with pytest.raises(ValueError, match="y_train: nee differs"):
        parse_states(swapped, "y_train")
    raw[1, 2, 3, 4] = np.nan
    with pytest.raises(ValueError, match="y_train: row 1 holds NaN or infinite states"):
        parse_states(raw, "y_train")


def test_states_of_the_wrong_sign_are_refused():
    with pytest.raises(ValueError, match=r"y: height \(index 0\) is negative in most months"):
        parse_states(-states(), "y")
    raw = states()
    raw[0, 5, 5, 3] = -0.01
    assert float(parse_states(raw, "y")[..., 3].min()) < 0


def test_values_of_1992_before_december_do_not_matter():
    raw = states()
    raw[:, 0, :11] = np.nan
    assert np.isfinite(parse_states(raw, "x")).all()


def test_annual_states_are_recognised():
    parsed = parse_states(states(), "x")
    assert not repeats_annual_values(parsed)
    parsed[:, 1:] = np.repeat(parsed[:, 1::12], 12, axis=1)
    assert repeats_annual_values(parsed)


def test_incomplete_drivers_are_refused():
    x = np.ones((3, 28, 12, 136), np.float32)
    assert parse_drivers(x, "f") is x
    x[2, 0, 0, 5] = np.inf
    with pytest.raises(ValueError, match="f: row 2 holds NaN or infinite drivers"):
        parse_drivers(x, "f")


def test_shares_are_divided_by_their_sum_and_bare_land_is_grass():
    raw = [np.array([[0.2, 0.0]]), np.array([[0.3, 0.0]]), np.array([[0.1, 0.0]])]
    fraction, vegetated, off = parse_shares(raw, "f")
    np.testing.assert_allclose(fraction, [[[1 / 3, 1 / 2, 1 / 6], [0, 0, 1]]], rtol=1e-6)
    np.testing.assert_allclose(vegetated, [[0.6, 0.0]], rtol=1e-6)
    assert off == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [(100.0, "divide percent by 100"), (-1.0, "reach down to -0.4"), (np.nan, "correct the arrays")],
)
def test_impossible_shares_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        parse_shares([np.array([0.4]) * change, np.array([0.4]), np.array([0.2])], "f")


def test_months_of_one_year_are_averaged_and_differences_said(caplog):
    monthly = np.full((2, 3, 12), 0.25)
    assert (annual_means(monthly, "f") == 0.25).all() and not caplog.records
    monthly[0, 0, 0] = 0.85
    assert annual_means(monthly, "f")[0, 0] == pytest.approx(0.3)
    assert "differ by up to 0.6" in caplog.text


def test_age_weights_are_transposed_and_sum_to_one(caplog):
    raw = np.array([[0.2, 0.0], [0.797, 0.0]])
    weights = parse_age_weights(raw, "f")
    np.testing.assert_allclose(weights, [[0.2 / 0.997, 0.797 / 0.997], [0.5, 0.5]], rtol=1e-6)
    assert "1 of 2 members have no age weight" in caplog.text


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ([[0.0, np.nan], [0.0, 0.0]], "f holds no weight above zero for any of its 2 members"),
        ([[0.5], [-0.5]], "column 0 holds the weight -0.5"),
        ([[0.5, 0.5], [0.5, 0.9]], "column 1 sum to 1.4 .1 columns"),
    ],
)
def test_impossible_age_weights_are_refused(raw, message):
    with pytest.raises(ValueError, match=message):
        parse_age_weights(np.array(raw), "f")


def tower_fluxes():
    gpp, reco = RNG.uniform(0.5, 2, (2, 3, 29, 12))
    flux = np.stack([gpp, reco, reco - gpp], -1)
    flux[0, 5, 2] = np.nan
    flux[1, 3, 0] = [-0.1, 0.2, 0.3]
    return flux


def test_tower_fluxes_have_their_own_order_and_lose_1992():
    raw = tower_fluxes()
    parsed = parse_fluxes(raw, "f")
    assert parsed["gpp"].shape == (3, 336)
    np.testing.assert_allclose(parsed["gpp"][2, 0], raw[2, 1, 0, 0] * DAILY, rtol=1e-6)
    np.testing.assert_allclose(parsed["reco"][2, -1], raw[2, 28, 11, 1] * DAILY, rtol=1e-6)
    np.testing.assert_allclose(parsed["nee"][2, 13], raw[2, 2, 1, 2] * DAILY, rtol=1e-6)
    assert np.isnan(parsed["nee"][0, 50]) and parsed["gpp"][1, 24] == pytest.approx(-0.1 * DAILY)
    np.testing.assert_array_equal(parse_fluxes(raw[:, 1:], "f")["gpp"], parsed["gpp"])
    assert dropped_months(raw) == 36 and dropped_months(raw[:, 1:]) == 0


def test_tower_fluxes_in_the_order_of_the_targets_are_refused():
    with pytest.raises(ValueError, match="f: NEE differs from RECO - GPP"):
        parse_fluxes(tower_fluxes()[..., [0, 2, 1]], "f")
    with pytest.raises(ValueError, match="sign"):
        parse_fluxes(tower_fluxes() * [1, 1, -1], "f")
    raw = tower_fluxes()
    raw[0, 9, 9, 0] = np.inf
    with pytest.raises(ValueError, match="f holds infinite fluxes"):
        parse_fluxes(raw, "f")


def test_statistics_that_disagree_are_counted(caplog):
    mean, std = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 2.0])
    assert compare_statistics("x_mean", np.array([1.05, 2.1, 3.1]), mean, std, "f") == 0
    assert compare_statistics("x_mean", np.array([1.2, 2.3, 3.1]), mean, std, "f") == 2
    assert "2 of 3 channels" in caplog.text


def test_sun_against_integration_by_minutes():
    lat, noon = 52.0, 13.4
    minutes = (np.arange(1440) + 0.5) / 60
    declination = 0.409 * np.sin(2 * np.pi * 167 / 365.25 - 1.39)
    phi = np.deg2rad(lat)
    angle = 2 * np.pi * (minutes - noon) / 24
    height = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(angle)
    hourly = np.maximum(height, 0).reshape(24, 60).mean(1)
    np.testing.assert_allclose(elevations(np.array([lat]), np.array([noon]))[0, 5], hourly, atol=0.01)


def test_latitude_is_found_under_clouds_and_at_any_hour_of_noon():
    lat = np.array([-65.0, -40.0, -12.0, 0.0, 8.0, 33.0, 51.0, 68.0])
    noon = RNG.uniform(0, 24, len(lat))
    cloud = RNG.uniform(0.4, 0.8, (len(lat), 12, 1))
    found, explained = latitude_of(900 * cloud * elevations(lat, noon))
    assert np.abs(found - lat).max() <= 1 and explained.min() > 0.99


def test_what_is_no_daylight_is_not_explained():
    scrambled = RNG.uniform(0, 500, (20, 12, 24))
    _, explained = latitude_of(scrambled)
    assert np.median(explained) < 0.85
    assert [float(x[0]) for x in latitude_of(np.zeros((1, 12, 24)))] == [0.0, 0.0]
