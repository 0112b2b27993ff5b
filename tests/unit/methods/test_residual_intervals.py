"""Intervals of a point model from held-out residuals."""

from __future__ import annotations

import numpy as np
import pytest

from dere.evaluation.probabilistic import coverage
from dere.methods.trees.intervals import fit_intervals
from dere.variables import QUANTILES


def draw(seed: int, towers: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    site = np.repeat(np.arange(towers), rng.integers(20, 120, towers))
    gpp = rng.uniform(0, 10, site.size)
    return rng.normal(0, 0.2 + 0.2 * gpp), gpp, site


def test_unseen_towers_are_covered_at_small_and_at_large_fluxes():
    found = fit_intervals(*draw(0))
    residual, gpp, _ = draw(1)
    quantiles = found.quantile_values(np.zeros(gpp.size), gpp)
    for part in (gpp < 3, gpp > 7):
        assert coverage(quantiles[part, 0], quantiles[part, 4], residual[part]) == pytest.approx(0.9, abs=0.04)
        assert coverage(quantiles[part, 1], quantiles[part, 3], residual[part]) == pytest.approx(0.5, abs=0.05)
    assert found.std(np.array([8.0]))[0] == pytest.approx(1.8, rel=0.15)
    assert len(found.quantiles) == len(QUANTILES) and (np.diff(found.quantiles) > 0).all()


def test_every_tower_counts_alike():
    """Nine months of one tower weigh as much as nine hundred of another."""
    site = np.repeat([0, 1], [9, 900])
    found = fit_intervals(np.where(site == 0, 3.0, 1.0), np.ones(909), site)
    assert found.spread[0] == pytest.approx(np.sqrt((9 + 1) / 2))
