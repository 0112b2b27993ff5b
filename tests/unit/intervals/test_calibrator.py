"""The error model is found again, covers months and years, and is stable with few towers."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dere.exchange.base import Exchange, Flux
from dere.exchange.co2 import EXCHANGE
from dere.intervals.calibrator import read_calibrator
from dere.intervals.fitting import fit_calibrator, heed
from dere.intervals.kernel import Kernel
from dere.intervals.member_rescale import member_rescale
from dere.intervals.processes import consistent, loadings, signs
from dere.intervals.scale import fit_scale, tower_weights
from dere.variables import QUANTILES
from invented_errors import KNOWN, labels_around, predictions

MONTHS = 120
YEAR = np.full(12, 1 / 12)


def clusters(towers, size=1):
    return np.array([f"cluster {i // size}" for i in range(towers)])


@pytest.fixture(scope="module")
def many():
    predicted = predictions(300, MONTHS)
    return predicted, labels_around(predicted, 1)


@pytest.fixture(scope="module")
def found(many):
    return fit_calibrator(*many, clusters(300), EXCHANGE)


def covered(model, predicted, labels, level=0.9):
    """Share (month, year) of labels within the interval of a level, per flux."""
    tails = ((1 - level) / 2, (1 + level) / 2)
    scale = model.scale(predicted)
    months = model.quantiles(predicted, scale, tails)
    yearly = model.scale_of_sum(scale[:, :12], YEAR)
    years = model.quantiles(predicted[:, :12].mean(1), yearly, tails)
    inside = [
        ((value >= limits[..., 0]) & (value <= limits[..., 1])).reshape(-1, 3).mean(0)
        for value, limits in ((labels, months), (labels[:, :12].mean(1), years))
    ]
    return np.array(inside)


def test_known_components_are_recovered(found):
    assert 5 < found.dof < 14
    np.testing.assert_allclose(found.coefficients[:, :2], KNOWN.coefficients[:, :2], atol=0.06)
    np.testing.assert_array_equal(found.coefficients[:, 2], 0.0)
    np.testing.assert_allclose(found.kernel.shares.sum(1), 1.0)
    # a component of one process is the harder to tell apart the smaller the process is
    np.testing.assert_allclose(found.kernel.shares, KNOWN.kernel.shares, atol=0.15)
    assert found.kernel.autoregression == pytest.approx(0.7, abs=0.11)


def test_months_and_years_of_other_towers_are_covered(found):
    predicted = predictions(300, MONTHS)
    shares = np.mean([covered(found, predicted, labels_around(predicted, seed)) for seed in (2, 3, 4)], 0)
    # 900 towers of one year each: 3.5 binomial standard deviations, and the error of the fit on 300
    np.testing.assert_allclose(shares, 0.9, atol=0.035 + 0.015)


def test_independent_months_would_not_cover_years(found):
    """Which is what the kernel is for."""
    predicted = predictions(300, MONTHS)
    scale = found.scale(predicted)
    independent = np.sqrt((scale[:, :12] ** 2).sum(1)) / 12
    assert (found.scale_of_sum(scale[:, :12], YEAR) > 1.8 * independent).all()


@pytest.mark.parametrize("towers", [36, 130])
def test_few_towers_give_intervals_that_hold_on_the_whole(towers):
    predicted = predictions(towers, MONTHS)
    others = predictions(300, MONTHS)
    labels = labels_around(others, 99)
    shares = [
        covered(fit_calibrator(predicted, labels_around(predicted, seed), clusters(towers), EXCHANGE), others, labels)
        for seed in range(10, 16)
    ]
    assert np.ptp(shares, axis=0).max() < (0.16 if towers == 36 else 0.10)
    np.testing.assert_allclose(np.mean(shares, 0), 0.9, atol=0.04)


def test_errors_that_grow_with_the_distance_are_told(many):
    predicted, _ = many
    distance = np.linspace(0.1, 1.0, 300)
    far = KNOWN.__class__(EXCHANGE, KNOWN.coefficients + [0, 0, 0.3], 8.0, KNOWN.kernel, np.ones(3))
    rng_labels = labels_around(predicted, 7)
    stretched = predicted + (rng_labels - predicted) * (
        far.scale(predicted, distance) / KNOWN.scale(predicted, distance)
    ).mean(-1, keepdims=True)
    found = fit_calibrator(predicted, stretched, clusters(300), EXCHANGE, distance)
    assert (found.coefficients[:, 2] > 0.1).all()
    with pytest.raises(ValueError, match="grows with the driver distance, but none is given"):
        found.scale(predicted)
    few = fit_calibrator(predicted[:15], stretched[:15], clusters(15), EXCHANGE, distance[:15])
    np.testing.assert_array_equal(few.coefficients[:, 2], 0.0)


def test_where_fluxes_have_no_season_errors_have_none():
    """As in the wet tropics: waves are level there, so that a year errs almost as a month does."""
    kernel = Kernel(np.tile([0.1, 0.5, 0.2, 0.1, 0.1], (3, 1)), 0.7)
    model = replace(KNOWN, kernel=kernel, usual_season=0.5)
    seasonal = predictions(1, 24)
    still = np.broadcast_to(seasonal.mean(1, keepdims=True), seasonal.shape)
    shares = [model.waves(model.scale(mean)) for mean in (seasonal, still)]
    assert shares[0] > 0.5 and shares[1] == pytest.approx(0.0, abs=1e-12)
    ratio = [
        (model.scale_of_sum(model.scale(mean)[:, :12], YEAR) / model.scale(mean)[:, :12].mean(1)).max()
        for mean in (seasonal, still)
    ]
    assert ratio[0] < 0.75 and ratio[1] > 0.9
    mixed = kernel.mixed(np.array([0.25]))[0]
    np.testing.assert_allclose(mixed[0], [0.1 + 0.75 * 0.7, 0.125, 0.05, 0.1, 0.1])
    months = np.arange(18)
    by_share = Kernel(mixed, 0.7).correlation(months)
    np.testing.assert_allclose(kernel.correlation(months, 0.25), by_share, atol=1e-12)


def test_gaps_count_nothing(many):
    predicted, labels = many
    some = slice(0, 60)
    gaps = labels[some].copy()
    gaps[:, 50:70] = np.nan
    gaps[3] = np.nan
    without = np.delete(np.arange(60), 3)
    first = fit_calibrator(predicted[some], gaps, clusters(60), EXCHANGE)
    second = fit_calibrator(predicted[without], gaps[without], clusters(60)[without], EXCHANGE)
    for name, value in first.arrays().items():
        np.testing.assert_allclose(value, second.arrays()[name], rtol=1e-9)
    unknown = predicted[some].copy()
    unknown[:, 50:70] = np.nan
    third = fit_calibrator(unknown, labels[some], clusters(60), EXCHANGE)
    assert np.isfinite(np.concatenate([value.ravel() for value in third.arrays().values()])).all()
    assert np.isnan(third.scale(unknown)[:, 50:70]).all()


def test_a_flux_without_labels_is_named(many):
    predicted, labels = many
    with pytest.raises(ValueError, match="only 0 labelled months of reco at towers not seen"):
        fit_calibrator(predicted, np.where([True, False, True], labels, np.nan), clusters(300), EXCHANGE)


def test_a_flux_may_have_fewer_labels_than_others(many):
    predicted, labels = many
    fewer = labels.copy()
    fewer[::2, :, :2] = np.nan
    made = fit_calibrator(predicted, fewer, clusters(300), EXCHANGE)
    np.testing.assert_allclose(made.coefficients[:, :2], KNOWN.coefficients[:, :2], atol=0.09)


def test_a_flux_alone_has_one_process(many):
    predicted, labels = many
    alone = Exchange("net", (Flux("nee", "net", "gC m-2 d-1", "kg m-2 s-1", (-25, 20), (-60, 40)),), ("nee",), ("nee",))
    made = fit_calibrator(predicted[..., 2:], labels[..., 2:], clusters(300), alone)
    assert made.kernel.shares.shape == (1, 5) and made.scale(predicted[..., 2:]).shape == (300, MONTHS, 1)


def test_the_arrays_are_all_of_it(found):
    kept = json.loads(json.dumps({name: value.tolist() for name, value in found.arrays().items()}))
    again = read_calibrator(kept, EXCHANGE)
    predicted = predictions(4, 24)
    np.testing.assert_array_equal(again.scale(predicted), found.scale(predicted))
    for name, value in again.arrays().items():
        np.testing.assert_array_equal(value, found.arrays()[name])


def test_quantiles_are_of_students_t(found):
    mean, scale = np.array([[[1.0, 2.0, 1.0]]]), np.array([[[1.0, 0.5, 2.0]]])
    values = found.quantiles(mean, scale, QUANTILES)
    np.testing.assert_allclose(values[..., 2], mean)
    np.testing.assert_allclose(values[..., 0] + values[..., -1], 2 * mean)
    assert (found.std(scale) > scale).all()


def test_processes_give_back_the_scales_they_come_from():
    scale = np.array([[1.0, 0.8, 0.7], [1.0, 0.5, 0.4], [0.5, 0.5, 2.0]])
    np.testing.assert_allclose(consistent(scale, EXCHANGE)[0], scale[0])
    # where the three cannot be together, GPP and RECO keep theirs
    np.testing.assert_allclose(consistent(scale, EXCHANGE)[1:, :2], scale[1:, :2])
    assert (loadings(scale, EXCHANGE) >= 0).all()
    np.testing.assert_array_equal(signs(EXCHANGE)[2], signs(EXCHANGE)[1] - signs(EXCHANGE)[0])


def test_towers_of_a_cluster_count_as_half_alike():
    weight = tower_weights(np.array(["a", "a", "a", "b", "c"]), np.array([True, True, True, True, False]))
    np.testing.assert_allclose(weight, np.array([0.5, 0.5, 0.5, 1.0, 0.0]) / 2.5)


def test_a_tower_of_large_errors_is_heeded_less():
    standard = np.stack([np.full((10, 3), 1.0), np.full((10, 3), 4.0), np.full((10, 3), np.nan)])
    found = heed(standard, 5.0)
    np.testing.assert_allclose(found[:2], [6 / 6, 6 / 21])


def test_the_scale_takes_what_tells_something():
    rng = np.random.default_rng(0)
    size = rng.uniform(0, 10, (40, 150))
    residual = rng.standard_t(6, (40, 150)) * (0.4 + 0.2 * size)
    given = np.stack([np.ones_like(size), size, np.zeros_like(size)], -1)
    made = fit_scale(residual, given, np.full(40, 1 / 40))
    np.testing.assert_allclose(made.coefficients, [0.4, 0.2, 0.0], atol=0.05)
    assert 4.5 < made.dof < 8
    assert fit_scale(residual, given, np.full(40, 1 / 40), dof=30.0).dof == pytest.approx(30.0)


def test_the_mean_of_members_errs_less_than_one():
    rng = np.random.default_rng(1)
    common = rng.normal(size=(400, 60, 3))
    members = common + 0.5 * rng.normal(size=(8, 400, 60, 3))
    labels = np.zeros_like(common)
    factor = member_rescale(members[0], labels, members)
    ratio = np.sqrt((members.mean(0) ** 2).mean((0, 1)) / (members[0] ** 2).mean((0, 1)))
    np.testing.assert_allclose(factor, ratio, atol=0.01)
    for none in (None, members[:1], members[:, :0]):
        np.testing.assert_array_equal(member_rescale(members[0], labels, none), 1.0)
