"""What a place's own months say of it as a whole: how its level and its season differ from what was predicted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dere.intervals.kernel import YEAR
from dere.intervals.site_calibration import Conditioned

Array = NDArray[np.float64]

LEVEL, SEASON = "level", "season"
SMALLEST_CYCLE = 1e-3
"""A predicted annual cycle of a smaller range, gC m-2 d-1, has no size that could be too small or too large."""


class Effect(NamedTuple):
    """One effect of a place, gC m-2 d-1.

    Parameters
    ----------
    flux
        Name of the flux.
    what
        ``level``: mean over all months less that of the prediction; ``season``: by how much the range of the predicted
        mean annual cycle is too small.
    value, std
        Mean and standard deviation.
    std_before
        Standard deviation before anything was known; the mean was 0.
    """

    flux: str
    what: str
    value: float
    std: float
    std_before: float


def effects(predicted: Array, before: Conditioned, after: Conditioned, calendar: NDArray[np.int64]) -> list[Effect]:
    """Effects of a place on every flux.

    Parameters
    ----------
    predicted
        (month, flux) before anything was known, gC m-2 d-1.
    before, after
        The place without and with its known months.
    calendar
        (month,) calendar month from 0.
    """
    found = []
    for index, flux in enumerate(after.model.exchange.names):
        for what, weight in ((LEVEL, _level(predicted)), (SEASON, _season(predicted[:, index], calendar))):
            if weight is None:
                continue
            whole = np.zeros(predicted.shape)
            whole[:, index] = weight
            value = float((whole * (after.mean - predicted)).sum())
            found.append(Effect(flux, what, value, after.std_of_sum(whole), before.std_of_sum(whole)))
    return found


def sentence(effect: Effect) -> str:
    """An effect in words; the error bar is one standard deviation."""
    size = f"{abs(effect.value):.2f} +/- {effect.std:.2f} gC m-2 d-1"
    if effect.what == LEVEL:
        return f"{effect.flux.upper()} is {size} {'higher' if effect.value > 0 else 'lower'} than predicted"
    return f"the annual cycle of {effect.flux.upper()} is {size} {'wider' if effect.value > 0 else 'narrower'}"


def _level(predicted: Array) -> Array:
    return np.full(len(predicted), 1.0 / len(predicted))


def _season(predicted: Array, calendar: NDArray[np.int64]) -> Array | None:
    """Weight (month,) of an error in the range of the mean annual cycle; None where there is no cycle."""
    means = np.array([predicted[calendar == month].mean() for month in np.unique(calendar)])
    if len(means) < YEAR or np.ptp(means) < SMALLEST_CYCLE:
        return None
    shape = means[calendar] - means[calendar].mean()
    found: Array = shape / (shape**2).sum() * np.ptp(means)
    return found
