"""When towers have no good data: set-up months, northern winters, outages; the quality they report."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def records(sites: int, years: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(site, 2) first year index and number of years: two to all years, half of the records short."""
    length = np.clip(np.round(2 + rng.gamma(2.0, 2.3, sites)).astype(int), min(2, years), years)
    first = np.array([rng.integers(0, years - n + 1) for n in length])
    return np.stack([first, length], axis=1)


def quality(
    record: NDArray[np.int64], temperature: Array, lat: Array, rng: np.random.Generator
) -> tuple[Array, NDArray[np.bool_]]:
    """Monthly quality, and the months without any value.

    Parameters
    ----------
    record
        (site, 2) first year index and number of years.
    temperature
        (site, time) degC.
    lat
        (site,) degrees.
    rng
        Source of randomness.

    Returns
    -------
    tuple
        (site, time) share of measured or well-filled data, NaN outside the record; (site, time) nothing at all.
    """
    sites, months = temperature.shape
    good = np.clip(1 - rng.gamma(1.1, 0.055, (sites, months)), 0.5, 1.0)
    bad = np.zeros((sites, months), dtype=bool)
    inside = np.zeros((sites, months), dtype=bool)
    for i, (first_year, count) in enumerate(record):
        first, last = 12 * first_year, 12 * (first_year + count)
        inside[i, first:last] = True
        if rng.uniform() < 0.72:
            bad[i, first : first + int(rng.integers(3, 10))] = True
        if rng.uniform() < 0.3:
            bad[i, last - int(rng.integers(1, 5)) : last] = True
        fragile = rng.beta(1.2, 2.2) * (0.8 if abs(lat[i]) > 58 else 0.55)
        for year in range(first_year, first_year + count):
            months_of_year = slice(12 * year, 12 * year + 12)
            if rng.uniform() < fragile:
                bad[i, months_of_year] |= temperature[i, months_of_year] < 0.5
        for _ in range(rng.poisson(0.28 * count)):
            length = int(rng.integers(6, 14)) if rng.uniform() < 0.12 else int(rng.geometric(0.55))
            start = int(rng.integers(first, last))
            bad[i, start : min(start + length, last)] = True
    poor = np.where(rng.uniform(size=bad.shape) < 0.5, 0.0, rng.uniform(0, 0.49, bad.shape))
    share = np.where(bad, poor, good)
    nothing = bad & (poor == 0) & (_runs(bad) >= 3) & (rng.uniform(size=(sites, 1)) < 0.45)
    return np.where(inside, share, np.nan), nothing & inside


def _runs(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Length of the run that each true entry belongs to, (row, time)."""
    length = np.zeros(flags.shape, dtype=np.int64)
    for row, line in enumerate(flags):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(int), [0]])))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            length[row, start:stop] = stop - start
    return length
