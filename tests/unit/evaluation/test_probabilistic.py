"""CRPS in two forms against each other and the definition; coverage and spread."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from dere.evaluation import probabilistic as pr


def test_gaussian_crps_equals_the_integral_of_the_definition():
    grid = np.linspace(-12, 12, 200_001)
    for y in (-1.3, 0.0, 2.4):
        integrand = (norm.cdf(grid, 0.5, 1.7) - (grid >= y)) ** 2
        assert pr.crps_gaussian(0.5, 1.7, y) == pytest.approx(np.trapezoid(integrand, grid), abs=1e-4)


def test_gaussian_crps_without_spread_is_the_absolute_error():
    np.testing.assert_allclose(pr.crps_gaussian([1.0, 2.0], [0.0, 0.0], [3.0, 2.0]), [2.0, 0.0])


def test_quantile_crps_tends_to_the_gaussian_one():
    levels = (np.arange(400) + 0.5) / 400
    y = np.array([-2.0, 0.1, 1.5])
    quantiles = np.broadcast_to(norm.ppf(levels), (3, 400))
    np.testing.assert_allclose(pr.crps_quantiles(levels, quantiles, y), pr.crps_gaussian(0, 1, y), atol=2e-3)


def test_quantile_crps_of_the_contract_levels_prefers_the_true_distribution():
    levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    y = np.random.default_rng(2).normal(size=20_000)
    score = {
        s: pr.crps_quantiles(levels, np.broadcast_to(s * norm.ppf(levels), (y.size, 5)), y).mean() for s in (0.3, 1, 3)
    }
    assert min(score, key=score.get) == 1


@pytest.mark.parametrize("levels", [[0.5, 0.25], [0.0, 0.5], [0.5, 1.0]], ids=["falling", "zero", "one"])
def test_wrong_levels_are_refused(levels):
    with pytest.raises(ValueError, match="quantile levels are"):
        pr.crps_quantiles(levels, np.zeros((1, 2)), np.zeros(1))


def test_coverage_drops_incomplete_triples():
    lower, upper = np.array([0.0, 0, 0, np.nan]), np.array([1.0, 1, 1, 1])
    assert pr.coverage(lower, upper, [0.5, 2.0, np.nan, 0.5]) == pytest.approx(0.5)
    assert np.isnan(pr.coverage([0.0], [1.0], [np.nan]))


def test_spread_error_of_a_reliable_ensemble_is_one():
    rng = np.random.default_rng(3)
    std = rng.uniform(0.5, 2, 50_000)
    assert pr.spread_error_ratio(std, rng.normal(0, std)) == pytest.approx(1, abs=0.02)
    assert pr.spread_error_ratio([1.0], [1.0], members=4) == pytest.approx(np.sqrt(5 / 4))
    assert np.isnan(pr.spread_error_ratio([1.0], [0.0]))
    assert np.isnan(pr.spread_error_ratio([0.0, 0.0], [1.0, 2.0]))
