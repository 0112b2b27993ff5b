"""How much smaller the error of a mean of members is than that of the one member that left a tower out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST_RESCALE = 0.5
"""Least factor by which the error of a mean of members is smaller than that of one."""


def member_rescale(held_out: Array, labels: NDArray[np.floating], members: Array | None) -> Array:
    """How much smaller the error of the mean of members is than that of one, (flux,).

    A held-out series is of the one member (of eight) that left out the tower's cluster, while the prediction is the
    mean of all. Members scatter independently about what they have in common, so averaging m of them takes the share
    1 - 1/m of their variance off the mean square error. Their variance is taken where none has seen the place, from
    predictions alone. It is one factor per flux: subtracted month by month it would narrow intervals where members
    disagree most. Series by more than one member per tower are already means; for them this is rather too small.

    Parameters
    ----------
    held_out
        (tower, time, flux) by the members that left out the tower.
    labels
        (tower, time, flux), NaN where there is none.
    members
        (member, place, time, flux) at places that no member has seen; None, or one member = 1.
    """
    if members is None or len(members) < 2 or not members.shape[1]:
        return np.ones(held_out.shape[-1])
    square = tower_mean((held_out - labels) ** 2)
    variance = tower_mean(np.asarray(members, np.float64).var(0, ddof=1))
    taken = (1.0 - 1.0 / len(members)) * variance / np.maximum(square, 1e-300)
    return np.sqrt(np.clip(1.0 - np.nan_to_num(taken), LEAST_RESCALE**2, 1.0))


def tower_mean(values: Array) -> Array:
    """Mean over months of each place, then over the places that have any, (flux,)."""
    known = np.isfinite(values)
    months = known.sum(1)
    of_place = np.where(known, values, 0.0).sum(1) / np.maximum(months, 1)
    found: Array = of_place.sum(0) / np.maximum((months > 0).sum(0), 1)
    return found
