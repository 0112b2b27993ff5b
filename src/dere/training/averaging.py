"""From the members of an ensemble to its prediction: the mean over all, or over those that never saw a place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.training.fitted import Fitted
from dere.training.membership import not_seen
from dere.training.places import Places

Array = NDArray[np.float64]


def counted(fitted: Fitted, places: Places, unseen: bool) -> NDArray[np.bool_]:
    """Tell which members count at each place, (member, place).

    Parameters
    ----------
    fitted
        Stage with its members.
    places
        With their clusters.
    unseen
        Only members that left out the place's cluster; all of them where none has learned from it.
    """
    if unseen and fitted.members > 1:
        return not_seen(fitted.facts, places.classes["cluster"].to_numpy(str))
    return np.ones((fitted.members, len(places)), bool)


def mean_of(values: Sequence[Array], counts: NDArray[np.bool_]) -> Array:
    """Mean over the members that count at each place.

    Parameters
    ----------
    values
        One (place, …) per member.
    counts
        (member, place).
    """
    if len(values) == 1:
        return values[0]
    total = np.zeros_like(values[0])
    for value, some in zip(values, counts, strict=True):
        # chosen, not multiplied: what does not count may be NaN
        total[some] += value[some]
    return total / counts.sum(0).reshape(-1, *[1] * (total.ndim - 1))


def closed_mean(series: Sequence[Array], counts: NDArray[np.bool_], exchange: Exchange) -> tuple[Array, Array | None]:
    """Mean of closed members, closed again so that identities hold to rounding, and the members.

    Parameters
    ----------
    series
        One (place, time, flux) per member.
    counts
        (member, place) as from `counted`.

    Returns
    -------
    mean, members
        (place, time, flux), and (member, place, time, flux) or None where there is one.
    """
    if len(series) == 1:
        return series[0], None
    mean: Array = exchange.close(mean_of(series, counts))
    return mean, np.stack(series)
