"""From age classes of a map to the stand ages of a run.

A run has a few stand ages, each of which stands for an interval: intervals meet at the geometric middle of neighbouring
ages, the first begins at 0, the last has no end (the rule of the stated table per IGBP class). A class with both ends
is spread evenly over its years. A class without end (older than 140 years in GFAD, saturated in the MPI-BGC map) is
spread as stands under a constant rate of disturbance are: their number falls by exp(-rate x age) (Van Wagner 1978,
Can. J. For. Res. 8:220-227). The rate is that of the process-model simulation, so that very old stands stay rare.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DISTURBANCE_RATE = 0.012
"""Disturbances per year, the constant channel 32 of CarbonGlobe (docs/data.md#the-136-channels)."""


def age_edges(ages: Sequence[int]) -> NDArray[np.float64]:
    """Ends of the interval of each stand age in years, (age + 1,).

    Raises
    ------
    ValueError
        When the ages do not increase.
    """
    years = np.asarray(ages, np.float64)
    if len(years) < 1 or years[0] < 0 or (np.diff(years) <= 0).any():
        raise ValueError(f"the stand ages of the run are {list(ages)}, but they must increase; sort them")
    middle = np.sqrt(years[1:] * years[:-1])
    # an age of 0 has no geometric middle
    middle = np.where(years[:-1] > 0, middle, years[1:] / 2)
    return np.concatenate([[0.0], middle, [np.inf]])


def class_shares(lower: Sequence[float], upper: Sequence[float], ages: Sequence[int]) -> NDArray[np.float64]:
    """Share of each age class that falls to each stand age, (class, age); rows sum to 1.

    Parameters
    ----------
    lower, upper
        Ends of the classes in years; an upper end may be infinite.
    ages
        Stand ages of the run.
    """
    edges = age_edges(ages)
    rows = []
    for low, high in zip(lower, upper, strict=True):
        inner = np.clip(edges, low, high)
        if np.isinf(high):
            rows.append(-np.diff(np.exp(-DISTURBANCE_RATE * (inner - low))))
        else:
            rows.append(np.diff(inner) / (high - low))
    return np.array(rows).reshape(-1, len(ages))
