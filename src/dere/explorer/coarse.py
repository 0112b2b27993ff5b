"""Maps on fewer cells: means over blocks of cells, weighted with the area of land."""

from __future__ import annotations

import numpy as np


def factor_for(land: np.ndarray, months: int, most: int) -> int:
    """Return how many cells along each axis go into one, so that cells times months stay within a bound.

    Parameters
    ----------
    land
        (lat, lon) bool: cells with values.
    months
        Number of months.
    most
        Bound of the number of cells with values times months; one cell is always left.
    """
    for factor in range(1, max(land.shape)):
        if int(_sums(land, factor).astype(bool).sum()) * months <= most:
            return factor
    return max(land.shape)


def block_means(values: np.ndarray, weight: np.ndarray, factor: int) -> np.ndarray:
    """Return the means over blocks of ``factor`` times ``factor`` cells; the last block of an axis may be smaller.

    Parameters
    ----------
    values
        (..., lat, lon); missing ones do not count, and a block without any is missing.
    weight
        (lat, lon), in any unit of area.
    factor
        Cells along each axis.

    Returns
    -------
    ndarray
        (..., block, block).
    """
    if factor == 1:
        return np.asarray(values, dtype=float)
    known = np.isfinite(values) & (weight > 0)
    total = _sums(np.where(known, values * weight, 0.0), factor)
    area = _sums(np.where(known, weight, 0.0), factor)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(area > 0, total / area, np.nan)


def block_edges(bounds: np.ndarray, factor: int) -> np.ndarray:
    """Return the edges of blocks along an axis, (block + 1,), from the bounds of its cells, (cell, 2)."""
    return np.append(bounds[::factor, 0], bounds[-1, 1])


def _sums(values: np.ndarray, factor: int) -> np.ndarray:
    """Sums over blocks of the last two axes."""
    rows, columns = (np.arange(0, length, factor) for length in values.shape[-2:])
    # bool would be "any", which add.reduceat does not count
    numbers = values.astype(float)
    return np.add.reduceat(np.add.reduceat(numbers, rows, axis=-2), columns, axis=-1)
