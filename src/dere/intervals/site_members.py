"""Joint series of a place as they might be, given its known months: every one closes, their mean is the prediction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.intervals.processes import hangs_together
from dere.intervals.site_calibration import Conditioned
from dere.intervals.trajectories import Of, nonnegative, place_scales, require_several

Array = NDArray[np.float64]

LEAST_MEAN = 0.1
"""Least mean of a flux that is never negative, in scales of its error: known months may draw the mean below zero, where
the flux is most likely zero but need not be."""


def truth_mean(place: Conditioned) -> Array:
    """Mean of the truth, (month, flux): fluxes that errors grow with are never negative, and the fluxes close."""
    exchange = place.model.exchange
    found, scale = place.mean.copy(), place.scale()
    for name in exchange.magnitude:
        flux = exchange.names.index(name)
        found[:, flux] = np.maximum(found[:, flux], LEAST_MEAN * scale[:, flux])
    return _closed(found, exchange)


def members_of(place: Conditioned, rng: np.random.Generator, members: int = 40, of: Of = "truth") -> Array:
    """Members of a place, (member, month, flux), as those of `dere.intervals.trajectories`.

    Parameters
    ----------
    place
        The place given its known months.
    rng
        All numbers follow from it.
    members
        How many, at least 2.
    of
        ``truth``, in which fluxes that errors grow with are never negative; or ``label``: what a tower would report of
        months that are not known, noise included.

    Raises
    ------
    ValueError
        When there are fewer than 2 members.
    """
    require_several(members)
    exchange = place.model.exchange
    names = exchange.magnitude if hangs_together(exchange) else exchange.names
    fluxes = [exchange.names.index(name) for name in names]
    values, vectors = np.linalg.eigh(place.covariance(fluxes, of))
    drawn = rng.standard_normal((members, len(values))) * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    drawn *= place_scales(place.dof, members, 1, rng)
    drawn -= drawn.mean(0)
    drawn *= np.sqrt(members / (members - 1))
    mean = truth_mean(place) if of == "truth" else place.mean
    found = np.repeat(mean[None], members, axis=0)
    found[..., fluxes] += np.moveaxis(drawn.reshape(members, len(fluxes), -1), 1, 2)
    for flux in (exchange.names.index(name) for name in exchange.magnitude if of == "truth"):
        found[..., flux] = nonnegative(found[..., flux], mean[:, flux])
    return _closed(found, exchange)


def _closed(values: Array, exchange: Exchange) -> Array:
    return np.asarray(exchange.close(values)) if hangs_together(exchange) else values
