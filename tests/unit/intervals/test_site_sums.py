"""Known sums of a place: the posterior is that of the joint Gaussian, whatever the order, and it closes."""

import numpy as np
import pytest

from dere.intervals.site_calibration import condition, errors_of
from dere.intervals.site_members import members_of
from dere.intervals.site_sums import SIGMA, Sum, departure, with_sums
from invented_errors import KNOWN, labels_around, predictions

MONTHS = 36
NEE = 2


@pytest.fixture(scope="module")
def place():
    predicted = predictions(30, MONTHS)
    labels = labels_around(predicted, 4)
    errors = errors_of(KNOWN.scale(predicted)[3], KNOWN)
    return predicted[3], labels[3], errors


def year_of(flux, year):
    weight = np.zeros((MONTHS, 3))
    weight[12 * year : 12 * year + 12, flux] = 30.4
    return weight


def test_the_posterior_is_that_of_the_joint_gaussian(place):
    """By hand, with all months of NEE and RECO: to a millionth, where two per cent are asked for."""
    mean, _, errors = place
    weight, value, std = year_of(NEE, 1), 120.0, 25.0
    given = condition(mean, errors, np.full(mean.shape, np.nan))
    found = with_sums(given, [Sum(weight, value, std)])
    month, flux = (part.ravel() for part in np.indices((MONTHS, 3)))
    joint = errors.between(month, flux, month, flux)
    row = weight.ravel()
    noise = (std / float(KNOWN.std(np.ones(())))) ** 2
    gain = joint @ row / (row @ joint @ row + noise)
    expected = mean.ravel() + gain * (value - row @ mean.ravel())
    np.testing.assert_allclose(found.mean.ravel(), expected, atol=1e-9)
    left = np.diag(joint - np.outer(gain, row @ joint)).reshape(MONTHS, 3)
    np.testing.assert_allclose(found.scale() ** 2, left, atol=1e-9)
    gap = found.mean[:, 1] - found.mean[:, 0] - found.mean[:, 2]
    assert np.abs(gap).max() < 1e-12 and found.std_of_sum(weight) < std < given.std_of_sum(weight)


def test_an_exact_sum_is_met_and_the_order_does_not_matter(place):
    mean, label, errors = place
    seen = np.full(mean.shape, np.nan)
    seen[4:7] = label[4:7]
    given = condition(mean, errors, seen)
    sums = [Sum(year_of(NEE, 0), -300.0, 0.0), Sum(year_of(0, 2), 2500.0, 100.0)]
    first, second = with_sums(given, sums), with_sums(given, sums[::-1])
    assert (first.mean * sums[0].weight).sum() == pytest.approx(-300.0, abs=1e-6)
    np.testing.assert_allclose(first.mean, second.mean, atol=1e-8)
    np.testing.assert_allclose(first.scale(), second.scale(), atol=1e-6)
    assert first.std_of_sum(sums[0].weight) < 1e-3
    # exact again: it is known already, and nothing moves
    np.testing.assert_allclose(with_sums(first, sums[:1]).mean, first.mean, atol=1e-6)


def test_an_uncertain_sum_moves_little_and_members_have_it(place):
    mean, _, errors = place
    given = condition(mean, errors, np.full(mean.shape, np.nan))
    weight = year_of(NEE, 1)
    vague = with_sums(given, [Sum(weight, 2000.0, 1e5)])
    assert np.abs(vague.mean - mean).max() < 0.05 * np.abs(mean).max()
    sharp = with_sums(given, [Sum(weight, float((weight * mean).sum()) + 150.0, 5.0)])
    members = members_of(sharp, np.random.default_rng(0), 200)
    sums = np.einsum("tf,mtf->m", weight, members)
    # members that would be negative in winter are moved, so that they scatter about the known sum somewhat more
    assert sharp.std_of_sum(weight) < 5.1 and sums.std() < 0.3 * given.std_of_sum(weight)


def test_a_sum_that_is_not_expected_departs(place):
    mean, _, errors = place
    given = condition(mean, errors, np.full(mean.shape, np.nan))
    weight = year_of(NEE, 1)
    near = Sum(weight, float((weight * mean).sum()), 10.0)
    assert departure(given, near) == pytest.approx(0.0, abs=1e-9)
    assert departure(given, near._replace(value=near.value + 5000.0)) > SIGMA


def test_the_true_sum_of_a_year_helps_its_months():
    """Over many places: the months of a year whose NEE is known are a tenth nearer at least."""
    predicted = predictions(80, MONTHS)
    labels = labels_around(predicted, 6)
    ratios = []
    for mean, label in zip(predicted, labels, strict=True):
        errors = errors_of(KNOWN.scale(mean[None])[0], KNOWN)
        weight = year_of(NEE, 1)
        found = with_sums(
            condition(mean, errors, np.full(mean.shape, np.nan)), [Sum(weight, float((weight * label).sum()), 0.0)]
        )
        year = slice(12, 24)
        before, after = (np.sqrt(((one[year, NEE] - label[year, NEE]) ** 2).mean()) for one in (mean, found.mean))
        ratios.append(np.log(after / before))
    assert np.exp(np.mean(ratios)) < 0.9


def test_exact_sums_that_are_rounded_leave_the_months_where_two_of_them_put_them():
    """The third follows from the other two but for a unit of rounding: no step may be made of what is left of it."""
    rng, days = np.random.default_rng(4), np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    for mean in predictions(300, MONTHS) * rng.uniform(0.2, 2.0, (300, 1, 1)):
        given = condition(mean, errors_of(KNOWN.scale(mean[None])[0], KNOWN), np.full(mean.shape, np.nan))
        gpp, reco = rng.uniform(300, 2500, 2).round()
        sums = []
        for flux, value in ((0, gpp), (1, reco), (NEE, reco - gpp + 1.0)):
            weight = np.zeros(mean.shape)
            weight[:12, flux] = days
            sums.append(Sum(weight, value, 0.0))
        found = with_sums(given, sums)
        assert [(one.weight * found.mean).sum() - one.value for one in sums] == pytest.approx([0, 0, -1], abs=1e-3)
