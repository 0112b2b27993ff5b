"""Marginal intervals of the truth: without the noise of labels, and with GPP and RECO that are never negative.

`dere.intervals.trajectories` moves the members of a month by the one number that keeps their mean when what is negative
becomes zero. Of very many members that number follows from mean and scale alone, so that quantiles of the truth need no
draws: with T of Student's t, the truth is scale * max(a + T, 0), and a is such that the mean is the prediction.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

Array = NDArray[np.float64]

REACH = 60.0
"""Scales above zero from which on nothing is negative that counts."""
POINTS = 4000


class Clipped(NamedTuple):
    """Student's t moved and cut at zero, in units of its scale, over the mean that is left.

    Parameters
    ----------
    mean
        (point,) rising.
    shift
        (point,) number that is added before what is negative becomes zero.
    std
        (point,) standard deviation that is left.
    """

    mean: Array
    shift: Array
    std: Array


@lru_cache(maxsize=64)
def clipped(dof: float) -> Clipped:
    """Tabulate for some degrees of freedom, more than 2.

    With f and F the density and distribution of Student's t, the mean of max(a + T, 0) is a F(a) + (dof + a^2) /
    (dof - 1) f(a); its second moment follows from the incomplete second moment of T, which is that of a t of dof - 2.
    """
    shift = np.sinh(np.linspace(np.arcsinh(-1e4), np.arcsinh(REACH), POINTS))
    below, density = student.cdf(shift, dof), student.pdf(shift, dof)
    first = (dof + shift**2) / (dof - 1) * density
    mean = shift * below + first
    narrower = student.cdf(shift * np.sqrt((dof - 2) / dof), dof - 2)
    second = dof * ((dof - 1) / (dof - 2) * narrower - below)
    square = shift**2 * below + 2 * shift * first + second
    # far below zero both are differences of numbers that cancel
    mean = np.maximum.accumulate(np.maximum(mean, 0.0))
    return Clipped(mean, shift, np.sqrt(np.maximum(square - mean**2, 0.0)))


def nonnegative_quantiles(mean: Array, scale: Array, dof: float, levels: Array) -> Array:
    """Quantiles (…, level) of a flux that is never negative and has this mean; one of zero or less has no width."""
    found: Array = np.maximum(_shift(mean, scale, dof)[..., None] + student.ppf(levels, dof), 0.0) * scale[..., None]
    return np.where((mean > 0)[..., None] | np.isnan(found), found, 0.0)


def nonnegative_std(mean: Array, scale: Array, dof: float) -> Array:
    """Standard deviation of a flux that is never negative and has this mean."""
    table = clipped(dof)
    ratio = _ratio(mean, scale)
    found: Array = np.interp(ratio, table.mean, table.std) * scale
    return np.where((mean > 0) | np.isnan(found), found, 0.0)


def _shift(mean: Array, scale: Array, dof: float) -> Array:
    table = clipped(dof)
    ratio = _ratio(mean, scale)
    # beyond the table nothing is cut, and the shift is the mean
    return np.where(ratio > table.mean[-1], ratio, np.interp(ratio, table.mean, table.shift))


def _ratio(mean: Array, scale: Array) -> Array:
    with np.errstate(invalid="ignore"):
        found: Array = np.maximum(mean, 0.0) / np.where(scale > 0, scale, np.nan)
    return found
