"""Intervals of months and of any sum over them, from the members of a place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def member_quantiles(members: Array, levels: Sequence[float]) -> Array:
    """Quantiles by plotting positions i / (m + 1) (Weibull), so that a new draw falls below one as often as it says.

    The default rule of numpy, (i - 1) / (m - 1), is of the members themselves: between its quantiles of 5 and 95 % lie
    .85 of new draws with 40 members, .90 between these. Levels beyond the outer positions give the outer members.

    Parameters
    ----------
    members
        (member, …).
    levels
        Within (0, 1).

    Returns
    -------
    array
        (…, level).
    """
    found: Array = np.moveaxis(np.quantile(members, np.asarray(levels), axis=0, method="weibull"), 0, -1)
    return found


def sums_over(members: Array, weight: Array) -> Array:
    """Weighted sums over months of each member.

    Parameters
    ----------
    members
        (member, place, time, flux).
    weight
        (time,) of one sum, or (sum, time) of several; months of weight zero may be NaN.

    Returns
    -------
    array
        (member, place, flux) or (member, place, sum, flux); NaN where a month that counts is.
    """
    several = np.atleast_2d(weight)
    found = np.stack([_sum(members, one) for one in several], 2)
    return found if np.ndim(weight) == 2 else found[:, :, 0]


def _sum(members: Array, weight: Array) -> Array:
    """One weighted sum (member, place, flux); months that do not count may be missing."""
    used = np.flatnonzero(weight)
    found: Array = np.einsum("t,mptf->mpf", weight[used], members[:, :, used])
    return found
