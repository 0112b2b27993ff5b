"""Members close, keep the prediction as their mean, and have the spread of the error model."""

import numpy as np
import pytest

from dere.exchange.co2 import EXCHANGE
from dere.intervals.calibrator import Calibrator
from dere.intervals.driver_distance import driver_distance
from dere.intervals.sums import member_quantiles, sums_over
from dere.intervals.trajectories import nonnegative, trajectories
from invented_errors import KNOWN, labels_around, predictions

YEAR = np.full(12, 1 / 12)


@pytest.fixture(scope="module")
def predicted():
    return predictions(200, 60)


@pytest.fixture(scope="module", params=["label", "truth"])
def drawn(request, predicted):
    rng = np.random.default_rng(0)
    return request.param, trajectories(predicted, KNOWN.scale(predicted), KNOWN, rng, 60, request.param)


def test_members_close_and_their_mean_is_the_prediction(drawn, predicted):
    _, members = drawn
    np.testing.assert_allclose(members.mean(0), predicted, atol=1e-12)
    np.testing.assert_array_equal(EXCHANGE.residuals(members), 0.0)


def test_the_truth_is_never_negative_and_labels_may_be(drawn):
    of, members = drawn
    assert (members[..., :2].min() >= 0) == (of == "truth")
    if of == "truth":
        low = members[:, :, 0, 0]
        assert (low == 0).all(), "a month without GPP has no spread"


def test_members_have_the_spread_of_months_and_of_years(predicted):
    scale = KNOWN.scale(predicted)
    members = trajectories(predicted, scale, KNOWN, np.random.default_rng(1), 60, "label")
    months = np.sqrt(members.var(0, ddof=1).mean((0, 1)) / (KNOWN.std(scale) ** 2).mean((0, 1)))
    np.testing.assert_allclose(months, 1.0, atol=0.04)
    years = sums_over(members[:, :, :12], YEAR)
    expected = KNOWN.std(KNOWN.scale_of_sum(scale[:, :12], YEAR))
    np.testing.assert_allclose(np.sqrt(years.var(0, ddof=1).mean(0) / (expected**2).mean(0)), 1.0, atol=0.06)


def test_intervals_of_members_cover_years_of_simulated_towers(predicted):
    scale = KNOWN.scale(predicted)
    members = trajectories(predicted, scale, KNOWN, np.random.default_rng(2), 40, "label")
    limits = member_quantiles(sums_over(members[:, :, :12], YEAR), (0.05, 0.95))
    truth = labels_around(predicted, 8)[:, :12].mean(1)
    inside = ((truth >= limits[..., 0]) & (truth <= limits[..., 1])).mean(0)
    # three binomial standard deviations of 200 towers
    np.testing.assert_allclose(inside, 0.9, atol=3 * np.sqrt(0.09 / 200))


def test_noise_of_labels_is_not_in_the_truth(predicted):
    high = predicted + 50.0
    noisy = Calibrator(EXCHANGE, KNOWN.coefficients, KNOWN.dof, KNOWN.kernel, KNOWN.rescale, noise=1.0)
    scale = noisy.scale(predicted)
    spread = [
        trajectories(EXCHANGE.close(high), scale, noisy, np.random.default_rng(3), 60, of).std(0).mean((0, 1))
        for of in ("truth", "label")
    ]
    assert (spread[0] < spread[1]).all()


def test_places_without_flux_and_gaps():
    mean = np.zeros((2, 36, 3))
    mean[0, 5] = np.nan
    scale = KNOWN.scale(mean)
    members = trajectories(mean, scale, KNOWN, np.random.default_rng(4), 20, "truth")
    assert np.isnan(members[:, 0, 5]).all()
    assert np.isfinite(np.delete(members[:, 0], 5, 1)).all() and np.isfinite(members[:, 1]).all()
    np.testing.assert_array_equal(members[:, 1], 0.0)


def test_the_truth_of_a_negative_prediction_is_zero():
    mean = EXCHANGE.close(np.array([[[-0.4, 2.0, 0.0], [3.0, 2.0, 0.0]]]))
    members = trajectories(mean, KNOWN.scale(mean), KNOWN, np.random.default_rng(4), 20, "truth")
    np.testing.assert_array_equal(members[:, 0, 0, 0], 0.0)
    np.testing.assert_allclose(members.mean(0)[0, :, 1], 2.0)
    np.testing.assert_allclose(members.mean(0)[0, 1], mean[0, 1])


def test_one_seed_one_set_of_members(predicted):
    scale = KNOWN.scale(predicted)
    first, again = (trajectories(predicted, scale, KNOWN, np.random.default_rng(5), 5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    with pytest.raises(ValueError, match="members is 1, but a spread needs at least 2"):
        trajectories(predicted, scale, KNOWN, np.random.default_rng(5), 1)


def test_the_nearest_members_that_are_not_negative():
    members = np.array([[-1.0, 2.0, 0.5], [1.0, 3.0, -0.5], [3.0, 4.0, 0.0]])
    found = nonnegative(members, members.mean(0))
    np.testing.assert_allclose(found, [[0.0, 2.0, 0.0], [0.5, 3.0, 0.0], [2.5, 4.0, 0.0]])
    np.testing.assert_array_equal(nonnegative(members, np.array([-1.0, 3.0, 0.0]))[:, 0], 0.0)


def test_quantiles_of_members_cover_a_further_draw():
    rng = np.random.default_rng(6)
    limits = member_quantiles(rng.normal(size=(40, 4000)), (0.05, 0.95))
    other = rng.normal(size=4000)
    assert ((other > limits[:, 0]) & (other < limits[:, 1])).mean() == pytest.approx(0.9, abs=0.015)


def test_sums_of_several_years():
    members = np.random.default_rng(7).normal(size=(3, 2, 24, 3))
    members[:, :, 20] = np.nan
    weight = np.zeros((2, 24))
    weight[0, :12] = weight[1, 12:] = 1 / 12
    found = sums_over(members, weight)
    np.testing.assert_allclose(found[:, :, 0], members[:, :, :12].mean(2))
    assert np.isnan(found[:, :, 1]).all()
    np.testing.assert_allclose(sums_over(members, weight[0]), found[:, :, 0])


def test_the_distance_leaves_out_the_own_cluster():
    static = np.array([[0.0, 1.0], [0.0, 1.0], [2.0, 1.0], [4.0, 1.0]])
    of = np.array(["a", "a", "b", "c"])
    found = driver_distance(static, of, static, of)
    std = static[:, 0].std()
    expected = [[2.0, 4.0], [2.0, 4.0], [2.0, 2.0, 2.0], [4.0, 4.0, 2.0]]
    np.testing.assert_allclose(found, [np.mean(one) / std / np.sqrt(2) for one in expected])
    np.testing.assert_allclose(driver_distance(static[:1], np.array(["new"]), static, of), [6.0 / 4 / std / np.sqrt(2)])
    assert np.isfinite(driver_distance(np.full((1, 2), np.nan), np.array(["new"]), static, of)).all()
    with pytest.raises(ValueError, match="1 places have no training tower of another cluster"):
        driver_distance(static[:1], of[:1], static[:2], of[:2])
