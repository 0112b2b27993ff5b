"""The error model of a prediction file, from towers that were predicted by what never saw them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.intervals.calibrator import Calibrator, predictors
from dere.intervals.driver_distance import DISTANT_TOWERS
from dere.intervals.kernel import fit_kernel, season_share, seasonality
from dere.intervals.member_rescale import member_rescale, tower_mean
from dere.intervals.neighbours import Regions, fit_neighbours
from dere.intervals.processes import consistent, loadings, signs
from dere.intervals.scale import SMALLEST, fit_scale, require_enough, tower_weights

Array = NDArray[np.float64]


def fitted(
    held_out: Array,
    labels: NDArray[np.floating],
    uncertainty: NDArray[np.floating] | None,
    cluster: NDArray[np.str_],
    distance: Array | None,
    members: Array | None,
    exchange: Exchange,
    regions: Regions | None = None,
) -> Calibrator:
    """Fit to the towers that have both a held-out prediction and labels.

    Parameters
    ----------
    held_out
        (tower, time, flux), NaN where there is none.
    labels
        (tower, time, flux), NaN where there is none.
    uncertainty
        (tower, time, flux) of the labels; None = nobody knows.
    cluster
        (tower,) names.
    distance
        (tower,) in driver space; None = unknown.
    members
        (member, place, time, flux) at places that no member has seen; None = the method has no members.
    exchange
        What is predicted.
    regions
        Where the towers lie, for sums over places; None = unknown.

    Raises
    ------
    ValueError
        When a flux has too few labelled months.
    """
    known: NDArray[np.bool_] = np.asarray(np.isfinite(held_out).all(-1).any(-1))
    rescale = member_rescale(held_out[known], labels[known], members)
    return fit_calibrator(
        held_out[known],
        np.asarray(labels[known], np.float64),
        np.asarray(cluster)[known],
        exchange,
        None if distance is None else distance[known],
        rescale,
        None if uncertainty is None else np.asarray(uncertainty[known], np.float64),
        None if regions is None else regions.take(known),
    )


def fit_calibrator(
    predicted: Array,
    labels: NDArray[np.floating],
    cluster: NDArray[np.str_],
    exchange: Exchange,
    distance: Array | None = None,
    rescale: Array | None = None,
    uncertainty: NDArray[np.floating] | None = None,
    regions: Regions | None = None,
) -> Calibrator:
    """Fit to towers of which each was predicted without its cluster.

    With fewer than `DISTANT_TOWERS` towers the scale is constant + slope; tails and kernel are drawn to what is usual.

    Parameters
    ----------
    predicted
        (tower, time, flux) by what never saw the tower, NaN where there is none.
    labels
        (tower, time, flux), NaN where there is none.
    cluster
        (tower,) names.
    distance
        (tower,) from `driver_distance`.
    rescale
        (flux,) from `member_rescale`; 1 by default.
    uncertainty
        (tower, time, flux) standard deviation of the labels' own random error, where it is known.
    regions
        Climate and region of the towers, where they are known: how errors of places go together.

    Raises
    ------
    ValueError
        When a flux has too few labelled months.
    """
    residual = predicted - labels
    for flux, name in enumerate(exchange.names):
        require_enough(residual[..., flux], name)
    known: NDArray[np.bool_] = np.asarray(np.isfinite(residual).any(1))
    weights = [tower_weights(cluster, known[:, flux]) for flux in range(len(exchange.names))]
    if distance is not None and known.all(1).sum() < DISTANT_TOWERS:
        distance = None
    given = predictors(predicted, distance, exchange)
    series = [(residual[..., flux], given[..., flux, :], weights[flux]) for flux in range(len(exchange.names))]
    # the place's own scale is common to its fluxes, and so are the tails
    dof = float(np.exp(np.mean([np.log(fit_scale(*one).dof) for one in series])))
    coefficients = np.stack([fit_scale(*one, dof=dof).coefficients for one in series])
    found = np.einsum("...fk,fk->...f", given, coefficients) + SMALLEST
    with np.errstate(invalid="ignore"):
        scale = consistent(found, exchange)
    weight = tower_weights(cluster, np.asarray(known.any(1))) * heed(residual / found, dof)
    own_season = seasonality(scale)
    usual = float(np.median(own_season[known.any(1)]))
    waves = season_share(own_season, usual)
    kernel = fit_kernel(residual, scale, loadings(scale, exchange), signs(exchange), weight, waves)
    ones = np.ones(len(exchange.names))
    factor = ones if rescale is None else np.asarray(rescale, np.float64)
    made = Calibrator(exchange, coefficients, dof, kernel, factor, usual_season=usual)
    noise = 0.0 if uncertainty is None else _noise(made, scale, np.where(np.isfinite(residual), uncertainty, np.nan))
    if regions is None:
        return replace(made, noise=noise)
    known_months = np.isfinite(residual).sum(1)
    standard = np.where(np.isfinite(residual), residual / scale, 0.0).sum(1) / np.where(
        known_months, known_months, np.nan
    )
    return replace(made, noise=noise, neighbours=fit_neighbours(standard, cluster, *regions))


def heed(standard: Array, dof: float) -> Array:
    """How much each tower is heeded, (tower,): the expected inverse of its own variance, given its residuals.

    A tower's months go together so much that they count as one. Parameters: ``standard`` (tower, time, flux), NaN
    where there is none.
    """
    known = np.isfinite(standard)
    months = known.sum(1)
    square = (np.where(known, standard, 0.0) ** 2).sum(1) / np.maximum(months, 1)
    mean = square.sum(1) / np.maximum((months > 0).sum(1), 1)
    found: Array = (dof + 1) / (dof + mean)
    return found


def _noise(model: Calibrator, scale: Array, uncertainty: Array) -> float:
    """Share of the independent months' variance that the labels' own error makes up, mean over the fluxes."""
    part = loadings(scale, model.exchange) ** 2 * model.kernel.shares[:, -1]
    independent = model.std(np.ones(1))[0] ** 2 * (part @ (signs(model.exchange).T ** 2))
    own = tower_mean(np.where(np.isfinite(uncertainty), uncertainty, np.nan) ** 2)
    total = tower_mean(np.where(np.isfinite(uncertainty), independent, np.nan))
    share = own / np.maximum(total, 1e-300)
    return float(np.clip(share, 0.0, 1.0).mean())
