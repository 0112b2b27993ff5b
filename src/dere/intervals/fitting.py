"""The error model of a prediction file, from towers that were predicted by what never saw them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.intervals.calibrator import Calibrator, fit_calibrator, member_rescale

Array = NDArray[np.float64]


def fitted(
    held_out: Array,
    labels: NDArray[np.floating],
    uncertainty: NDArray[np.floating] | None,
    cluster: NDArray[np.str_],
    distance: Array | None,
    members: Array | None,
    exchange: Exchange,
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

    Raises
    ------
    ValueError
        When a flux has too few labelled months.
    """
    known = np.isfinite(held_out).all(-1).any(-1)
    rescale = member_rescale(held_out[known], labels[known], members)
    return fit_calibrator(
        held_out[known],
        np.asarray(labels[known], np.float64),
        np.asarray(cluster)[known],
        exchange,
        None if distance is None else distance[known],
        rescale,
        None if uncertainty is None else np.asarray(uncertainty[known], np.float64),
    )
