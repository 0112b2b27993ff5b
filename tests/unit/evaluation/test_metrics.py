"""Deterministic scores against scikit-learn, NumPy and closed forms."""

from __future__ import annotations

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from dere.evaluation import metrics

RNG = np.random.default_rng(1)
OBSERVED = RNG.normal(2, 3, 80)
PREDICTED = 0.7 * OBSERVED + RNG.normal(0.5, 1, 80)
FINITE = st.floats(-100, 100, allow_nan=False, width=32)


def series(n: int = 12):
    return hnp.arrays(np.float64, n, elements=FINITE)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nse", r2_score(OBSERVED, PREDICTED)),
        ("rmse", root_mean_squared_error(OBSERVED, PREDICTED)),
        ("mae", mean_absolute_error(OBSERVED, PREDICTED)),
        ("r2", np.corrcoef(OBSERVED, PREDICTED)[0, 1] ** 2),
        ("bias", PREDICTED.mean() - OBSERVED.mean()),
        ("sigma_ratio", PREDICTED.std() / OBSERVED.std()),
    ],
)
def test_scores_equal_those_of_other_programs(name, expected):
    assert metrics.score(name, OBSERVED, PREDICTED) == pytest.approx(expected, rel=1e-12)


def test_kge_closed_form():
    # prediction 2 x observation: r = 1, sigma ratio 2, mean ratio 2, so KGE = 1 - sqrt(2)
    assert metrics.score("kge", OBSERVED, 2 * OBSERVED) == pytest.approx(1 - np.sqrt(2))


def test_bias_is_predicted_minus_observed():
    assert metrics.score("bias", [1.0, 2.0], [2.0, 3.0]) == pytest.approx(1.0)


def test_r2_ignores_scale_and_level_but_nse_does_not():
    assert metrics.score("r2", OBSERVED, -3 * OBSERVED + 5) == pytest.approx(1.0)
    assert metrics.score("nse", OBSERVED, -3 * OBSERVED + 5) < 0


def test_incomplete_pairs_are_dropped_on_either_side():
    o, p = OBSERVED.copy(), PREDICTED.copy()
    o[3], p[7], p[8] = np.nan, np.nan, np.inf
    keep = np.delete(np.arange(80), [3, 7, 8])
    with_gaps, without = metrics.scores(o, p), metrics.scores(OBSERVED[keep], PREDICTED[keep])
    assert with_gaps["pairs"] == 77
    for name, value in without.items():
        assert with_gaps[name] == pytest.approx(value), name


def test_undefined_scores_are_nan_without_warning(recwarn):
    constant = metrics.scores(np.full(5, 2.0), [1.0, 2.0, 3.0, 2.0, 2.0])
    assert np.isnan(constant["nse"]) and np.isnan(constant["r2"]) and np.isfinite(constant["rmse"])
    empty = metrics.scores(np.full(3, np.nan), np.ones(3))
    assert empty["pairs"] == 0 and all(np.isnan(v) for k, v in empty.items() if k != "pairs")
    assert not recwarn.list


def test_axes_are_independent():
    o, p = np.stack([OBSERVED, OBSERVED[::-1]]), np.stack([PREDICTED, OBSERVED[::-1]])
    found = metrics.score("nse", o, p)
    assert (
        found.shape == (2,) and found[0] == pytest.approx(metrics.score("nse", OBSERVED, PREDICTED)) and found[1] == 1.0
    )


@given(series(), series())
def test_nse_never_exceeds_one_and_r2_lies_within_zero_and_one(o, p):
    found = metrics.scores(o, p)
    assert not found["nse"] > 1
    assert np.isnan(found["r2"]) or 0 <= found["r2"] <= 1
    assert found["rmse"] >= abs(found["bias"]) - 1e-9


@given(series(), series(), st.floats(0.1, 10), st.floats(-50, 50))
def test_nse_does_not_depend_on_unit_or_offset(o, p, factor, offset):
    if np.std(o) < 0.1:
        return
    assert metrics.score("nse", factor * o + offset, factor * p + offset) == pytest.approx(
        float(metrics.score("nse", o, p)), rel=1e-6, abs=1e-6
    )


@given(series(), series())
def test_doubling_the_months_changes_no_score(o, p):
    once, twice = metrics.scores(o, p), metrics.scores(np.tile(o, 2), np.tile(p, 2))
    for name in ("rmse", "bias", "mae"):
        assert twice[name] == pytest.approx(float(once[name]), rel=1e-9, abs=1e-12)
