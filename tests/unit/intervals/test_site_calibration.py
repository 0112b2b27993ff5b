"""A place's own months: the closed form is that of Gaussian processes, narrows and covers, and says what is odd."""

import numpy as np
import pytest

from dere.exchange.base import Exchange, Flux
from dere.exchange.co2 import EXCHANGE
from dere.intervals.calibrator import Calibrator
from dere.intervals.kernel import Kernel
from dere.intervals.processes import loadings, signs
from dere.intervals.site_calibration import condition, errors_of
from dere.intervals.site_conflicts import conflicts, likely_reason, systematic, unclosed
from dere.intervals.site_effects import effects, sentence
from dere.intervals.site_members import members_of, truth_mean
from invented_errors import KNOWN, labels_around, predictions

MONTHS = 60
CALENDAR = np.arange(MONTHS) % 12
NOISY = Calibrator(EXCHANGE, KNOWN.coefficients, KNOWN.dof, KNOWN.kernel, np.ones(3), noise=0.4)
ALONE = Exchange("net", (Flux("nee", "net", "gC m-2 d-1", "kg m-2 s-1", (-25, 20), (-60, 40)),), ("nee",), ("nee",))


@pytest.fixture(scope="module")
def places():
    predicted = predictions(120, MONTHS)
    return predicted, labels_around(predicted, 3)


def known_of(label, months, fluxes=(0, 1, 2)):
    found = np.full(label.shape, np.nan)
    found[np.ix_(months, fluxes)] = label[np.ix_(months, fluxes)]
    return found


def place_of(predicted, model=KNOWN):
    scale = model.scale(predicted[None])[0]
    return scale, errors_of(scale, model)


def test_it_is_the_conditional_gaussian_of_nee_and_reco(places):
    predicted, label = places[0][0], places[1][0]
    scale, errors = place_of(predicted, NOISY)
    seen = np.array([3, 4, 9])
    found = condition(predicted, errors, known_of(label, seen), own_scale=0.0)
    # by hand: joint covariance of all months of NEE and RECO, with and without noise of labels
    load, sign = loadings(scale, EXCHANGE).T, signs(EXCHANGE)[[2, 1]]
    whole = NOISY.kernel.correlation(np.arange(MONTHS)) * load[:, :, None] * load[:, None]
    noise = np.stack([np.diag(one) for one in load**2 * NOISY.kernel.shares[:, -1:] * NOISY.noise])
    joint, of_noise = (np.einsum("ac,bc,ctu->atbu", sign, sign, part).reshape(120, 120) for part in (whole, noise))
    rows = np.concatenate([seen, seen + MONTHS])
    residual = np.concatenate([(label - predicted)[seen, 2], (label - predicted)[seen, 1]])
    truth = joint - of_noise
    gain = truth[:, rows] @ np.linalg.inv(joint[np.ix_(rows, rows)])
    expected = (gain @ residual).reshape(2, MONTHS)
    np.testing.assert_allclose(found.mean[:, 2] - predicted[:, 2], expected[0], atol=1e-6)
    np.testing.assert_allclose(found.mean[:, 1] - predicted[:, 1], expected[1], atol=1e-6)
    np.testing.assert_allclose(found.mean[:, 1], found.mean[:, 0] + found.mean[:, 2], atol=1e-12)
    left = np.diag(truth - gain @ truth[rows]).reshape(2, MONTHS)
    np.testing.assert_allclose(found.scale()[:, 2] ** 2, left[0], atol=1e-6)
    weight = np.zeros(predicted.shape)
    weight[:12, 1] = 1 / 12
    by_hand = (truth - gain @ truth[rows])[MONTHS : MONTHS + 12, MONTHS : MONTHS + 12].mean()
    assert found.std_of_sum(weight) == pytest.approx(NOISY.std(np.sqrt(by_hand)), rel=1e-6)


def test_nothing_known_changes_nothing(places):
    predicted, label = places[0][0], places[1][0]
    scale, errors = place_of(predicted)
    found = condition(predicted, errors, known_of(label, []))
    np.testing.assert_array_equal(found.mean, predicted)
    np.testing.assert_allclose(found.scale("label"), scale)
    assert found.dof == KNOWN.dof


@pytest.mark.parametrize("fluxes", [(2,), (0,), (1,), (0, 1), (0, 1, 2)])
def test_other_months_get_nearer_and_are_covered_whatever_flux_is_known(places, fluxes):
    predicted, labels = places
    rest = np.arange(12, MONTHS)
    square, square_before, inside, width = [], [], [], []
    for own, label in zip(predicted, labels, strict=True):
        scale, errors = place_of(own)
        found = condition(own, errors, known_of(label, np.arange(12), fluxes))
        low, high = np.moveaxis(found.model.quantiles(found.mean, found.scale("label"), (0.05, 0.95)), -1, 0)
        inside.append(((label >= low) & (label <= high))[rest])
        square.append(((found.mean - label) ** 2)[rest])
        square_before.append(((own - label) ** 2)[rest])
        width.append((found.scale("label") / scale)[rest])
        np.testing.assert_allclose(found.mean[:, 1], found.mean[:, 0] + found.mean[:, 2], atol=1e-12)
    ratio = np.sqrt(np.mean(square, (0, 1)) / np.mean(square_before, (0, 1)))
    assert (ratio[list(fluxes)] < 0.95).all() and (ratio < 1.02).all()
    np.testing.assert_allclose(np.mean(inside, (0, 1)), 0.9, atol=0.04)
    assert (np.mean(width, (0, 1))[list(fluxes)] < 0.97).all()


def test_noise_of_labels_and_quality_hold_the_prediction_back(places):
    predicted, label = places[0][0], places[1][0]
    _, errors = place_of(predicted)
    known = known_of(label, [5])
    moved = [
        np.abs(condition(predicted, errors, known, quality).mean - predicted)[5, 2]
        for quality in (np.ones(label.shape), np.full(label.shape, 0.5), np.full(label.shape, 0.2))
    ]
    assert moved[0] > moved[1] > moved[2] > 0
    np.testing.assert_array_equal(
        condition(predicted, errors, known, np.ones(label.shape)).mean, condition(predicted, errors, known).mean
    )
    assert (condition(predicted, place_of(predicted, NOISY)[1], known).scale("truth")[5] > 0).all()


def test_a_flux_by_itself_is_conditioned_too():
    kernel = Kernel(KNOWN.kernel.shares[:1], 0.7)
    model = Calibrator(ALONE, KNOWN.coefficients[2:], 8.0, kernel, np.ones(1))
    predicted = predictions(1, 24)[0, :, 2:]
    found = condition(predicted, errors_of(model.scale(predicted[None])[0], model), known_of(predicted + 1, [2], (0,)))
    assert (found.mean - predicted)[2, 0] > 0.5 and found.mean.shape == (24, 1)
    assert members_of(found, np.random.default_rng(0), 30).shape == (30, 24, 1)


def test_members_close_are_not_negative_and_spread_as_stated(places):
    predicted, label = places[0][0], places[1][0]
    found = condition(predicted, place_of(predicted)[1], known_of(label, np.arange(6)))
    members = members_of(found, np.random.default_rng(0), 2000)
    np.testing.assert_allclose(members[..., 1], members[..., 0] + members[..., 2], atol=1e-9)
    assert (members[..., :2] >= 0).all()
    mean = truth_mean(found)
    np.testing.assert_allclose(members.mean(0), mean, atol=1e-6)
    far = found.mean[:, 0] > 4 * found.std()[:, 0]
    assert far.sum() > 10
    np.testing.assert_allclose(members.std(0)[far, 0], found.std()[far, 0], rtol=0.1)
    year = np.zeros(predicted.shape)
    year[24:36, 0] = 1 / 12
    assert (members * year).sum((1, 2)).std() == pytest.approx(found.std_of_sum(year), rel=0.12)
    # known months that draw GPP below zero leave it a little room
    low = condition(predicted, place_of(predicted)[1], known_of(predicted - [0.8, 0.0, -0.8], [0, 12]))
    # without noise of labels the known months are known exactly
    winter = (low.mean[:, 0] < 0) & ~np.isin(np.arange(MONTHS), [0, 12])
    assert winter.any() and (truth_mean(low)[winter, 0] > 0).all()
    assert (members_of(low, np.random.default_rng(0), 400).max(0)[winter, 0] > 0.05).all()
    np.testing.assert_array_equal(members, members_of(found, np.random.default_rng(0), 2000))
    with pytest.raises(ValueError, match="members is 1, but a spread needs at least 2"):
        members_of(found, np.random.default_rng(0), 1)


def test_members_of_labels_have_their_noise_and_may_be_negative(places):
    predicted, label = places[0][0], places[1][0]
    _, errors = place_of(predicted, NOISY)
    found = condition(predicted, errors, known_of(label, np.arange(12, 24)))
    members = members_of(found, np.random.default_rng(0), 2000, of="label")
    np.testing.assert_allclose(members[..., 1], members[..., 0] + members[..., 2], atol=1e-12)
    np.testing.assert_allclose(members.mean(0), found.mean, atol=1e-9)
    np.testing.assert_allclose(members.std(0)[24:], found.std("label")[24:], rtol=0.12)
    assert (found.std("label") > 1.02 * found.std("truth")).all()
    assert (members[..., 0] < 0).any()


def test_effects_are_found_with_their_error_bars(places):
    predicted = places[0][0]
    errors = place_of(predicted)[1]
    before = condition(predicted, errors, known_of(predicted, []))
    label = predicted.copy()
    label[:, 1] += 0.5
    label = np.stack([label[:, 0], label[:, 1], label[:, 1] - label[:, 0]], -1)
    after = condition(predicted, errors, known_of(label, np.arange(36)))
    found = {(one.flux, one.what): one for one in effects(predicted, before, after, CALENDAR)}
    level = found["reco", "level"]
    assert level.value == pytest.approx(0.5, abs=2 * level.std) and 0.4 < level.value < 0.52
    assert level.std < 0.5 * level.std_before
    assert abs(found["gpp", "level"].value) < 0.1
    assert sentence(level).startswith("RECO is 0.") and "higher than predicted" in sentence(level)
    wider = predicted * 1.2
    after = condition(predicted, errors, known_of(wider, np.arange(36)))
    season = {one.flux: one for one in effects(predicted, before, after, CALENDAR) if one.what == "season"}["gpp"]
    assert season.value == pytest.approx(0.2 * np.ptp(predicted[:12, 0]), rel=0.15)
    assert "the annual cycle of GPP" in sentence(season) and "wider" in sentence(season)
    flat = np.broadcast_to(predicted.mean(0), predicted.shape).copy()
    errors = place_of(flat)[1]
    same = condition(flat, errors, known_of(flat, []))
    assert {one.what for one in effects(flat, same, same, CALENDAR)} == {"level"}


def test_a_wrong_unit_sign_and_site_are_told(places):
    predicted, labels = places
    own, label = predicted[0], labels[0]
    errors = place_of(own)[1]
    known = known_of(label, np.arange(12))
    assert not systematic(conflicts(own, errors, known), known)
    monthly = known * 30.4
    found = conflicts(own, errors, monthly)
    assert systematic(found, monthly) and likely_reason(own, monthly) == "unit"
    worst = found[0]
    assert worst.value == monthly[worst.month, worst.flux] and not worst.low <= worst.value <= worst.high
    assert likely_reason(own, known_of(label, np.arange(12), (2,)) * -1) == "sign"
    assert likely_reason(own, known_of(own * 3, np.arange(12))) == "place"
    assert unclosed(errors, known) is None
    wrong = known.copy()
    wrong[7, 2] += 9.0
    assert unclosed(errors, wrong) == 7
