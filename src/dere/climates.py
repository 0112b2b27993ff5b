"""Main climates after Koeppen from the mean seasonal cycle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def main_climates(temperature: NDArray, precipitation: NDArray, lat: NDArray) -> NDArray[np.str_]:
    """Main climate of places by the rules of Koeppen and Geiger (Peel et al. 2007, doi:10.5194/hess-11-1633-2007).

    Parameters
    ----------
    temperature
        (place, 12) degC, January first.
    precipitation
        (place, 12) mm per month.
    lat
        (place,) degrees.

    Returns
    -------
    array
        (place,) A, B, C, D or E; empty where a month is missing.

    Examples
    --------
    >>> main_climates(np.full((2, 12), 25.0), np.array([[100.0] * 12, [5.0] * 12]), np.zeros(2)).tolist()
    ['A', 'B']
    """
    warm_half = np.zeros(12, bool)
    warm_half[3:9] = True
    summer = np.where(np.asarray(lat)[:, None] >= 0, warm_half, ~warm_half)
    total = precipitation.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (precipitation * summer).sum(1) / total
    dry_limit = 20 * temperature.mean(1) + np.where(share > 0.7, 280, np.where(share < 0.3, 0, 140))
    rules = [temperature.max(1) < 10, total < dry_limit, temperature.min(1) >= 18, temperature.min(1) > -3]
    found = np.select(rules, ["E", "B", "A", "C"], "D")
    known = np.isfinite(temperature).all(1) & np.isfinite(precipitation).all(1)
    return np.where(known, found, "")
