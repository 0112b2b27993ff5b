"""Level-and-amplitude prior of a site, updated by its observations (empirical Bayes).

Around the point model m(t) a site deviates by y(t) - m(t) = sum_j u_j f_j(t) + e(t), with f = level, amplitude (the
point model's own deviation from its mean) and two seasonal terms, u ~ N(0, S), e ~ N(0, v(t)). S and the variance
model are estimated on cross-fitted residuals of training towers, so they describe unseen sites. A site without
observations keeps the prior; each conditioning month moves it towards the site's own moments. The diffusion then works
on the standardised rest, whose spread is about 1 whether a site is well known or not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EFFECTS = 4
VARIANCE_TERMS = 4
TYPICAL_EFFECTS = (0.3, 0.3, 0.1, 0.1)
WEAK_SITES = 3.0
"""Few towers must not make the prior certain: it starts as three sites with typical effects."""
AMPLITUDE_FLOOR = 0.5
"""Amplitude in gC m-2 d-1 of a site whose point prediction is constant."""
SPREAD_FLOOR = 0.05
"""Smallest standard deviation of a month in gC m-2 d-1."""


@dataclass(frozen=True)
class SitePrior:
    """Estimated prior, for the channels NEE and RECO.

    Parameters
    ----------
    effects
        Covariance S of the site effects, (2, EFFECTS, EFFECTS), in units of the site's amplitude.
    variance
        Coefficients of log v(t) on `variance_terms`, (2, VARIANCE_TERMS).
    persistence
        Lag-1 autocorrelation of e(t), (2,): neighbouring months carry less information than independent ones.
    stability
        Number of months after which a site's own residual variance counts as much as the model's.
    """

    effects: NDArray[np.float64]
    variance: NDArray[np.float64]
    persistence: NDArray[np.float64]
    stability: float


@dataclass(frozen=True)
class Moments:
    """Predictive moments at every month given the conditioning months.

    Parameters
    ----------
    mean, std
        (..., T, 2) in gC m-2 d-1.
    effect_mean, effect_covariance
        Site effects (..., 2, EFFECTS) and (..., 2, EFFECTS, EFFECTS).
    noise
        Standard deviation of e(t), (..., T, 2).
    """

    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    effect_mean: NDArray[np.float64]
    effect_covariance: NDArray[np.float64]
    noise: NDArray[np.float64]


def basis(point: NDArray, phase: NDArray, valid: NDArray) -> NDArray[np.float64]:
    """Basis functions of the site effects, (..., T, 2, EFFECTS), in gC m-2 d-1.

    Parameters
    ----------
    point
        Point prediction of (NEE, RECO), (..., T, 2).
    phase
        Local calendar month, (..., T).
    valid
        Months that define the site's mean and amplitude, (..., T).
    """
    mean, amplitude = _moments(point, valid)
    angle = 2 * np.pi * phase / 12
    wave = np.stack([np.cos(angle), np.sin(angle)], -1)[..., None, :] * amplitude[..., None, :, None]
    level = np.broadcast_to(amplitude[..., None, :, None], (*point.shape, 1))
    return np.concatenate([level, (point - mean[..., None, :])[..., None], wave], -1)


def _moments(point: NDArray, valid: NDArray) -> tuple[NDArray, NDArray]:
    """Site mean (..., 2) and amplitude (..., 2) of the point model; one amplitude for both channels."""
    weight = valid[..., None].astype(float)
    total = np.maximum(weight.sum(-2), 1.0)
    mean = (point * weight).sum(-2) / total
    spread = np.sqrt((((point - mean[..., None, :]) ** 2) * weight).sum(-2) / total)
    both = np.sqrt((spread**2).mean(-1, keepdims=True) + AMPLITUDE_FLOOR**2)
    return mean, np.broadcast_to(both, mean.shape)


def variance_terms(point: NDArray, valid: NDArray) -> NDArray[np.float64]:
    """Terms of the log variance, (..., T, VARIANCE_TERMS): one, log amplitude, log of respiration and of uptake."""
    _, amplitude = _moments(point, valid)
    respiration = np.log(0.2 + np.abs(point[..., 1]))
    uptake = np.log(0.2 + np.abs(point[..., 1] - point[..., 0]))
    size = np.broadcast_to(np.log(amplitude[..., None, 0]), respiration.shape)
    return np.stack([np.ones_like(size), size, respiration, uptake], -1)


def fit_prior(point: NDArray, flux: NDArray, phase: NDArray, valid: NDArray, iterations: int = 20) -> SitePrior:
    """Estimate the prior by expectation-maximisation on cross-fitted residuals.

    Parameters
    ----------
    point, flux
        (S, T, 2) in gC m-2 d-1; NaN in ``flux`` = not observed.
    phase, valid
        (S, T).
    """
    observed = np.isfinite(flux)
    residual = np.where(observed, flux - point, 0.0)
    terms = variance_terms(point, valid)
    variance = np.zeros((2, VARIANCE_TERMS))
    count = np.maximum(observed.sum((0, 1)), 1)
    square = (residual[observed.any(-1)] ** 2).sum(0) / count
    variance[:, 0] = np.log(np.maximum(square, SPREAD_FLOOR**2))
    prior = SitePrior(np.stack([0.25 * np.eye(EFFECTS)] * 2), variance, np.full(2, 0.3), 12.0)
    some = observed.any((1, 2))
    for _ in range(iterations):
        moments = condition(prior, point, flux, phase, valid, observed, adapt=False)
        second = moments.effect_mean[..., :, None] * moments.effect_mean[..., None, :] + moments.effect_covariance
        weak = np.diag(np.array(TYPICAL_EFFECTS) ** 2)
        effects = (second[some].sum(0) + WEAK_SITES * weak) / (some.sum() + WEAK_SITES)
        rest = np.where(observed, flux - moments.mean, 0.0)
        doubt = np.maximum(moments.std**2 - moments.noise**2, 0.0)
        variance = np.stack(
            [
                _log_variance(terms[seen], (rest**2 + doubt)[..., c][seen], prior.variance[c])
                for c, seen in enumerate((observed[..., 0], observed[..., 1]))
            ]
        )
        prior = SitePrior(effects, variance, _persistence(rest / moments.noise, observed), prior.stability)
    return SitePrior(prior.effects, prior.variance, prior.persistence, _stability(prior, point, flux, phase, valid))


def _log_variance(terms: NDArray, square: NDArray, start: NDArray) -> NDArray:
    """Gaussian likelihood of log-linear variance by Fisher scoring, lightly ridged to the mean."""
    beta = start.copy()
    ridge = np.diag([0.0, 1e-2, 1e-2, 1e-2]) * len(terms)
    for _ in range(5):
        ratio = np.clip(square / np.exp(np.clip(terms @ beta, -8, 8)), 0, 20)
        beta = beta + np.linalg.solve(terms.T @ terms + ridge, terms.T @ (ratio - 1) - ridge @ beta)
    return beta


def _persistence(score: NDArray, observed: NDArray) -> NDArray:
    """Lag-1 autocorrelation of ``score`` (site, time, 2) over neighbouring months that are both observed."""
    pair = observed[:, 1:] & observed[:, :-1]
    some = pair.any(-1)
    a, b = (np.where(pair, part, 0.0)[some] for part in (score[:, 1:], score[:, :-1]))
    size = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    few = (pair.sum((0, 1)) < 10) | (size == 0)
    return np.where(few, 0.3, np.clip((a * b).sum(0) / np.where(few, 1.0, size), 0.0, 0.8))


def _stability(prior: SitePrior, point: NDArray, flux: NDArray, phase: NDArray, valid: NDArray) -> float:
    """Months that the variance model is worth: from the scatter of the sites' own log residual variance."""
    observed = np.isfinite(flux)
    moments = condition(prior, point, flux, phase, valid, observed, adapt=False)
    score = np.where(observed, (flux - moments.mean) / moments.noise, 0.0) ** 2
    count = observed.sum(1)
    enough = (count >= 12).all(-1)
    if enough.sum() < 5:
        return 24.0
    scatter = np.var(np.log(score.sum(1)[enough] / count[enough] + 1e-3), axis=0).mean()
    return float(np.clip(2.0 / max(scatter - 2.0 / np.median(count[enough]), 0.02), 6.0, 100.0))


def condition(
    prior: SitePrior,
    point: NDArray,
    flux: NDArray,
    phase: NDArray,
    valid: NDArray,
    known: NDArray,
    adapt: bool = True,
) -> Moments:
    """Predictive moments given the flux at the months ``known``.

    Parameters
    ----------
    point, flux, phase, valid
        As in `fit_prior`; any leading dimensions.
    known
        Conditioning values (..., T, 2); flux elsewhere is never read.
    adapt
        Shrink the residual variance towards that of the site's known values.
    """
    shape = basis(point, phase, valid)
    terms = variance_terms(point, valid)
    log_variance = np.clip(np.einsum("...tk,ck->...tc", terms, prior.variance), -8, 8)
    noise2 = np.maximum(np.exp(log_variance), SPREAD_FLOOR**2)
    share = (1 - prior.persistence) / (1 + prior.persistence)
    residual = np.where(known, flux - point, 0.0)
    weight = known / noise2 * share
    information = np.einsum("...tcj,...tc,...tck->...cjk", shape, weight, shape) + np.linalg.inv(prior.effects)
    covariance = np.linalg.inv(information)
    effect = np.einsum("...cjk,...tck,...tc->...cj", covariance, shape, weight * residual)
    mean = point + np.einsum("...tcj,...cj->...tc", shape, effect)
    if adapt:
        count = known.sum(-2)
        score = (np.where(known, flux - mean, 0.0) ** 2 / noise2).sum(-2)
        # residuals of fitted effects are too small by about the number of effects
        factor = (score + prior.stability) / (np.maximum(count - EFFECTS * share * (count > 0), 0) + prior.stability)
        noise2 = noise2 * factor[..., None, :]
    doubt = np.einsum("...tcj,...cjk,...tck->...tc", shape, covariance, shape)
    return Moments(mean, np.sqrt(noise2 + doubt), effect, covariance, np.sqrt(noise2))


def sample_prior(
    prior_moments: Moments, shape: NDArray, persistence: NDArray, count: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Trajectories of the Gaussian prior, (count, T, 2), for one site: drawn effects plus persistent noise.

    The baseline "point model + Gaussian residual", made as strong as it can be.
    """
    root = np.linalg.cholesky(prior_moments.effect_covariance)
    effect = prior_moments.effect_mean + np.einsum("cjk,nck->ncj", root, rng.normal(size=(count, 2, EFFECTS)))
    base = prior_moments.mean - np.einsum("tcj,cj->tc", shape, prior_moments.effect_mean)
    noise = rng.normal(size=(count, len(base), 2))
    for t in range(1, len(base)):
        noise[:, t] = persistence * noise[:, t - 1] + np.sqrt(1 - persistence**2) * noise[:, t]
    return base + np.einsum("tcj,ncj->ntc", shape, effect) + noise * prior_moments.noise
