import numpy as np
import pytest

from dere.imputation.augment import resample
from dere.imputation.prior import EFFECTS, SitePrior, basis, condition, fit_prior, sample_prior

PHASE = np.arange(60) % 12


def _world(sites=80, seed=0, level=0.6, noise=0.3):
    rng = np.random.default_rng(seed)
    season = np.cos(2 * np.pi * PHASE / 12)
    point = np.broadcast_to(np.stack([-season, 2 + season], -1), (sites, 60, 2)).copy()
    phase, valid = np.broadcast_to(PHASE, (sites, 60)), np.ones((sites, 60), bool)
    amplitude = basis(point, phase, valid)[0, 0, 0, 0]
    shift = rng.normal(0, level, (sites, 1, 2)) * amplitude
    return point, point + shift + rng.normal(0, noise, point.shape), phase, valid, shift


def test_the_fit_recovers_level_and_noise():
    point, flux, phase, valid, _ = _world()
    prior = fit_prior(point, flux, phase, valid)
    assert np.sqrt(prior.effects[:, 0, 0]) == pytest.approx(0.6, rel=0.2)
    assert (np.sqrt(prior.effects[:, 1, 1]) < 0.35).all()
    noise = condition(prior, point, flux, phase, valid, np.zeros(flux.shape, bool)).noise
    assert noise.mean() == pytest.approx(0.3, rel=0.15)
    assert (prior.persistence < 0.15).all()


def test_what_one_flux_shows_is_learned_where_the_other_is_missing():
    point, flux, phase, valid, shift = _world()
    flux[::2, :, 1] = np.nan
    flux[1::2, 20:40, 1] = np.nan
    prior = fit_prior(point, flux, phase, valid)
    assert np.sqrt(prior.effects[:, 0, 0]) == pytest.approx(0.6, rel=0.25)
    known = np.isfinite(flux)
    moments = condition(prior, point, flux, phase, valid, known)
    wrong = np.abs(moments.mean - point - shift).mean(1)
    assert wrong[::2, 0].mean() < 0.4 * wrong[::2, 1].mean() and wrong[1::2, 1].mean() < 0.4 * wrong[::2, 1].mean()
    assert np.allclose(moments.mean[::2, :, 1], point[::2, :, 1])


def test_without_observations_the_prior_stays_and_with_them_it_moves_to_the_site():
    point, flux, phase, valid, shift = _world()
    prior = fit_prior(point, flux, phase, valid)
    nothing, everything = np.zeros(flux.shape, bool), np.ones(flux.shape, bool)
    blind = condition(prior, point, flux, phase, valid, nothing)
    assert np.allclose(blind.mean, point)
    some = nothing.copy()
    some[:, :3] = True
    few, many = (condition(prior, point, flux, phase, valid, known) for known in (some, everything))
    wrong = [np.abs(m.mean - point - shift).mean() for m in (blind, few, many)]
    assert wrong[0] > 2 * wrong[1] > 2 * wrong[2]
    assert (blind.std > few.std).mean() > 0.95 and (few.std > many.std).mean() > 0.95


def test_hidden_values_are_never_read():
    point, flux, phase, valid, _ = _world(4)
    prior = fit_prior(point, flux, phase, valid)
    known = np.zeros(flux.shape, bool)
    known[:, 10:20, 0], known[:, 15:25, 1] = True, True
    other = np.where(known, flux, 99.0)
    for name, value in vars(condition(prior, point, flux, phase, valid, known)).items():
        assert np.array_equal(value, getattr(condition(prior, point, other, phase, valid, known), name)), name


def test_standardised_deviations_at_unseen_sites_have_unit_spread():
    point, flux, phase, valid, _ = _world()
    prior = fit_prior(point[:40], flux[:40], phase[:40], valid[:40])
    blind = condition(prior, point[40:], flux[40:], phase[40:], valid[40:], np.zeros((40, 60, 2), bool))
    assert ((flux[40:] - blind.mean) / blind.std).std() == pytest.approx(1.0, abs=0.2)


def test_prior_trajectories_have_the_predicted_moments():
    point, flux, phase, valid, _ = _world(1)
    prior = SitePrior(np.stack([np.eye(EFFECTS) * 0.1] * 2), np.tile([[-2.0, 0, 0, 0]], (2, 1)), np.full(2, 0.4), 24.0)
    known = np.zeros((60, 2), bool)
    known[:6] = True
    moments = condition(prior, point[0], flux[0], phase[0], valid[0], known)
    drawn = sample_prior(
        moments, basis(point[0], phase[0], valid[0]), prior.persistence, 4000, np.random.default_rng(0)
    )
    assert np.allclose(drawn.mean(0), moments.mean, atol=0.05)
    assert drawn.std(0) == pytest.approx(moments.std, rel=0.08)


def test_resampled_deviations_have_the_spread_of_the_prior_and_no_memory_of_the_site():
    point, flux, phase, valid, shift = _world(400, level=0.6)
    prior = fit_prior(point, flux, phase, valid)
    flux[:, 5] = np.nan
    made = resample(prior, 1.0, 0.5, np.random.default_rng(0))(flux, point, phase, valid)
    assert np.isnan(made[:, 5]).all() and np.isfinite(np.delete(made, 5, 1)).all()
    new = np.nanmean(made - point, axis=1)
    assert abs(np.corrcoef(new[:, 0], shift[:, 0, 0])[0, 1]) < 0.15
    assert new.std(0) == pytest.approx(shift[:, 0].std(0), rel=0.15)
    same = resample(prior, 0.0, 0.0, np.random.default_rng(0))(flux, point, phase, valid)
    assert np.allclose(same, flux, equal_nan=True)
