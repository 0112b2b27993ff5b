"""Which months of a methane tower are labels: measured days alone, never a filled value.

A month is the mean of its measured days if it has at least ``MINIMUM_DAYS`` of them; its quality is the share of its
days that were measured. ``FCH4_F`` and ``FCH4_F_ANNOPTLM`` fill the gaps of ``FCH4`` with a model of the tower's own
weather; they are for users of a gapless series and are not read here, because a score on them is a score on that model
(at US-ICs their mean is a third of the measured one, at US-BZB half). Daily files do not say how many half hours of a
day were measured, so neither does the quality; half-hourly ones become days first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.ingest.tower.aggregate import full_steps
from dere.ingest.tower.steps import Steps

MINIMUM_DAYS = 10
"""Measured days of a month that is a label."""


def measured_months(
    steps: Steps, flux: NDArray[np.float64], minimum_days: int = MINIMUM_DAYS
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Means and qualities of months from the measured steps of a flux.

    Parameters
    ----------
    steps
        Days, or steps of a day: a day is the mean of its measured steps.
    flux
        Measured values, shape (step,), NaN where there is none; any unit.
    minimum_days
        Days with a value that a month needs.

    Returns
    -------
    months, mean, quality
        The distinct months ascending, the mean over their measured days in the unit of ``flux`` (NaN below the
        minimum), and measured days per days of the month (0 to 1), each of shape (month,).

    Examples
    --------
    Twelve days of 2 and eighteen gaps in June give 2 and 0.4; nine days of 2 give NaN and 0.3.
    """
    months, position = np.unique(steps.month, return_inverse=True)
    day = steps.number // steps.per_day
    finite = np.isfinite(flux)
    days, first, of_day = np.unique(day[finite], return_index=True, return_inverse=True)
    daily = np.bincount(of_day, flux[finite], len(days)) / np.bincount(of_day, minlength=len(days))
    at = position[finite][first]
    count = np.bincount(at, minlength=len(months))
    total = np.bincount(at, daily, len(months))
    mean = np.where(count >= max(minimum_days, 1), total / np.maximum(count, 1), np.nan)
    return months, mean, count / full_steps(months, 1)
