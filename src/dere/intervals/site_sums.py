"""Sums that somebody knows of a place, such as an annual NEE, sharpen its months.

A sum over months is a linear function of the months' errors, so that mean and covariance given it follow in closed form
like those given single months (`dere.intervals.site_calibration`); of several sums the order does not matter. How far a
sum lies from what is expected says too little of the place's own scale to change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dere.intervals.processes import hangs_together
from dere.intervals.site_calibration import ROUNDING, Conditioned

Array = NDArray[np.float64]

SIGMA = 4.0
"""Standard deviations between a known sum and the expected one that are worth a warning."""


class Sum(NamedTuple):
    """A known sum over months and fluxes of the truth.

    Parameters
    ----------
    weight
        (month, flux): days of each month for one flux makes a sum in gC m-2.
    value, std
        What is known, and its standard deviation (0 = exactly).
    """

    weight: Array
    value: float
    std: float


def departure(given: Conditioned, known: Sum) -> float:
    """Difference of a known sum from the expected one, in standard deviations of this difference."""
    expected = float((known.weight * given.mean).sum())
    return (known.value - expected) / float(np.hypot(given.std_of_sum(known.weight), known.std))


def with_sums(given: Conditioned, sums: Sequence[Sum]) -> Conditioned:
    """Prediction of a place given sums, beside what it is given already.

    Parameters
    ----------
    given
        From `dere.intervals.site_calibration.condition`, of some months or of none.
    sums
        Any number of sums, over the months of ``given``.
    """
    exchange = given.model.exchange
    for known in sums:
        unknown = _before(given, known.weight)
        across = unknown - np.einsum("k,ktf->tf", (given.known * known.weight).sum((1, 2)), given.known)
        # Student's t has a scale, which a standard deviation is larger than
        noise = (known.std / float(given.model.std(np.ones(())))) ** 2 / given.factor
        variance = float((known.weight * across).sum()) + noise
        # an exact sum that follows from others leaves nothing but rounding, which would make any step of it
        if variance <= ROUNDING * float((known.weight * unknown).sum()):
            continue
        step = across / variance
        mean = given.mean + step * (known.value - float((known.weight * given.mean).sum()))
        whitened = np.concatenate([given.known, across[None] / np.sqrt(variance)])
        given = replace(given, mean=exchange.close(mean) if hangs_together(exchange) else mean, known=whitened)
    return given


def _before(given: Conditioned, weight: Array) -> Array:
    """Covariance (month, flux) of a sum with all months and fluxes before anything is known, in squared scales."""
    sign = given.errors.signs
    of_process = np.einsum("ctu,cu->ct", given.errors.truth, sign.T @ weight.T)
    found: Array = np.einsum("fc,ct->tf", sign, of_process)
    return found
