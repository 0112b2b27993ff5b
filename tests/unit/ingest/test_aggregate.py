"""Monthly means and diurnal cycles against a loop that does the obvious."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dere.ingest.months import month_number
from dere.ingest.tower.aggregate import full_steps, mean_diurnal_cycles, monthly_means


def slow(month, values, expected, minimum, hour=None):
    """Means by (month, hour) one group at a time; hour None = one group per month."""
    months = sorted(set(month.tolist()))
    hours = [None] if hour is None else range(24)
    out = np.full((len(months), len(hours)), np.nan)
    for i, m in enumerate(months):
        for j, h in enumerate(hours):
            group = [
                v
                for k, v in enumerate(values.tolist())
                if month[k] == m and (h is None or hour[k] == h) and np.isfinite(v)
            ]
            if group and len(group) >= minimum * expected[i] / len(hours):
                out[i, j] = sum(group) / len(group)
    return months, out


@pytest.fixture
def steps():
    """Invented half hours of parts of three months, in shuffled order, a third missing."""
    rng = np.random.default_rng(3)
    number = rng.permutation(90 * 48)[: 60 * 48]
    day = number // 48
    month = int(month_number(2011, 1)) + np.searchsorted([31, 59], day, side="right")
    values = rng.normal(5, 2, len(number))
    values[rng.uniform(size=len(number)) < 0.3] = np.nan
    return month, (number % 48) // 2, values


@pytest.mark.parametrize("minimum", [0.0, 0.45, 0.47, 1.0])
def test_means_equal_the_loop(steps, minimum):
    month, hour, values = steps
    expected = full_steps(np.unique(month), 48)
    months, mean, coverage = monthly_means(month, values, expected, minimum)
    slow_months, slow_mean = slow(month, values, expected, minimum)
    assert months.tolist() == slow_months
    np.testing.assert_allclose(mean, slow_mean[:, 0])
    counts = [np.isfinite(values[month == m]).sum() for m in months]
    np.testing.assert_allclose(coverage, counts / expected)
    cycle_months, cycles = mean_diurnal_cycles(month, hour, values, expected, minimum)
    assert cycle_months.tolist() == slow_months
    np.testing.assert_allclose(cycles, slow(month, values, expected, minimum, hour)[1])


def test_coverage_decides_and_the_limit_itself_passes():
    month = np.full(30, int(month_number(2010, 4)))
    values = np.where(np.arange(30) < 15, 2.0, np.nan)
    assert monthly_means(month, values, np.array([30]), 0.5)[1][0] == 2.0
    assert np.isnan(monthly_means(month, values, np.array([30]), 0.51)[1][0])


def test_nothing_finite_is_missing_even_without_a_minimum():
    months, mean, coverage = monthly_means(np.array([5, 5]), np.array([np.nan, np.nan]), np.array([2]), 0.0)
    assert months.tolist() == [5] and np.isnan(mean).all() and coverage.tolist() == [0.0]


def test_full_steps_know_leap_years():
    months = month_number(np.array([2011, 2012, 2012]), np.array([2, 2, 12]))
    assert full_steps(months, 48).tolist() == [28 * 48, 29 * 48, 31 * 48]
    assert full_steps(np.array([], dtype=int), 48).tolist() == []


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    month=arrays(np.int64, st.shared(st.integers(1, 60), key="n"), elements=st.integers(24000, 24004)),
    values=arrays(
        np.float64,
        st.shared(st.integers(1, 60), key="n"),
        elements=st.one_of(st.just(np.nan), st.floats(-1e3, 1e3, allow_nan=False)),
    ),
    minimum=st.floats(0, 1),
)
def test_any_steps_equal_the_loop(month, values, minimum):
    expected = np.full(len(np.unique(month)), 20)
    months, mean, coverage = monthly_means(month, values, expected, minimum)
    slow_months, slow_mean = slow(month, values, expected, minimum)
    assert months.tolist() == slow_months and (coverage >= 0).all()
    np.testing.assert_allclose(mean, slow_mean[:, 0], atol=1e-9)
    hour = (month + np.arange(len(month))) % 24
    cycles = mean_diurnal_cycles(month, hour, values, expected, minimum)[1]
    np.testing.assert_allclose(cycles, slow(month, values, expected, minimum, hour)[1], atol=1e-9)
