"""Months that somebody knows of a place and that its prediction does not expect: a wrong unit, sign or place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dere.intervals.site_calibration import PlaceErrors

Array = NDArray[np.float64]

SIGMA = 5.0
"""Standard deviations of the error of a label that are too many."""
SHARE = 0.1
"""Share of the known values beyond `SIGMA` from which on they are no odd months but a wrong table: of good values at
real towers one in 500 lies there, and one in six records of three years or more has any."""
UNIT, SIGN, PLACE = "unit", "sign", "place"
MUCH, LITTLE = 8.0, 0.02
"""Ratios of known to predicted size beyond which the unit is likely another."""
UNCLOSED = 0.5, 0.2
"""Fluxes that miss closure by more than so much, gC m-2 d-1, and such a share of their size do not belong together."""


class Conflict(NamedTuple):
    """A known value beyond what is expected.

    Parameters
    ----------
    month, flux
        Positions.
    value, low, high
        The value, and the range within `SIGMA`, gC m-2 d-1.
    """

    month: int
    flux: int
    value: float
    low: float
    high: float


def conflicts(mean: Array, errors: PlaceErrors, known: Array) -> list[Conflict]:
    """Return the known values beyond `SIGMA`, the farthest first; all arrays are (month, flux)."""
    std = errors.model.std(np.sqrt(errors.variance("label")))
    with np.errstate(invalid="ignore"):
        apart = np.abs(known - mean) / std
    month, flux = np.nonzero(apart > SIGMA)
    order = np.argsort(-apart[month, flux], kind="stable")
    return [
        Conflict(
            int(t), int(f), float(known[t, f]), *(float(mean[t, f] + side * SIGMA * std[t, f]) for side in (-1, 1))
        )
        for t, f in zip(month[order], flux[order], strict=True)
    ]


def systematic(found: list[Conflict], known: Array) -> bool:
    """Tell whether so many known values (month, flux) conflict that the table is wrong."""
    return len(found) > SHARE * np.isfinite(known).sum()


def likely_reason(mean: Array, known: Array) -> str:
    """Return the likely reason, ``unit``, ``sign`` or ``place``, from predicted and known values (month, flux)."""
    there = np.isfinite(known)
    own, theirs = known[there], mean[there]
    ratio = np.median(np.abs(own)) / max(float(np.median(np.abs(theirs))), 1e-6)
    if not LITTLE < ratio < MUCH:
        return UNIT
    return SIGN if np.abs(own + theirs).mean() < np.abs(own - theirs).mean() else PLACE


def unclosed(errors: PlaceErrors, known: Array) -> int | None:
    """Return the month whose known fluxes (month, flux) miss closure most and by too much; None where none does."""
    least, share = UNCLOSED
    residual = np.nan_to_num(np.asarray(errors.model.exchange.imbalance(known)))
    size = np.nan_to_num(np.abs(known)).sum(-1)
    if not (residual > least + share * size).any():
        return None
    return int((residual - share * size).argmax())
