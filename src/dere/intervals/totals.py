"""Uncertainty of a sum over places and months: what errors of places have in common does not average out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.intervals.calibrator import Calibrator
from dere.intervals.neighbours import Regions
from dere.intervals.processes import loadings, signs

Array = NDArray[np.float64]

_JITTER = 1e-9


def std_of_total(
    model: Calibrator, scale: Array, weight: Array, where: Regions, months: NDArray[np.int64], waves: Array
) -> Array:
    """Standard deviation of a weighted sum over cells and months.

    With the Cholesky factor L of a process's correlation over time, L' times the weighted loadings of a cell is a
    vector whose products are covariances; sums of these vectors over regions, climates and all cells give the variance
    of what they share, without pairs of cells.

    Parameters
    ----------
    model
        The error model of towers.
    scale
        (cell, month, flux) scale of the label's error, from ``Calibrator.scale``.
    weight
        (cell, month) with which they enter the sum; a cell of weight zero may have a scale that is missing.
    where
        Climate and region of the cells.
    months
        (month,) numbers on the time axis.
    waves
        (cell,) from ``Calibrator.waves`` of whole records.

    Returns
    -------
    array
        (flux,) standard deviation, in the unit of the flux times that of the weight.
    """
    cell = model.cell
    used = (weight != 0).any(1)
    loading = loadings(scale[used], model.exchange) * weight[used][..., None]
    # independent parts: with waves as they are, and with waves that are level
    parts = []
    for kind, share in ((1.0, waves[used]), (0.0, 1.0 - waves[used])):
        correlation = cell.kernel.correlation(months, kind)
        root = np.linalg.cholesky(correlation + _JITTER * np.eye(len(months)))
        parts.append(np.einsum("pts,ctp,c->cps", root, loading, np.sqrt(share), optimize=True))
    vectors = np.concatenate(parts, -1)
    zone, region = where.zone[used], where.block[used]
    of_block, of_zone, everywhere = model.neighbours.shared()
    variance = everywhere * _square(vectors.sum(0))
    for number in np.unique(zone):
        inside = zone == number
        own = vectors[inside]
        between, within = of_zone[number] - everywhere, of_block[number] - of_zone[number]
        variance = variance + between * _square(own.sum(0))
        _, code = np.unique(region[inside], return_inverse=True)
        sums = np.zeros((code.max() + 1, *own.shape[1:]))
        np.add.at(sums, code, own)
        variance = variance + within * _square(sums).sum(0) + (1.0 - of_block[number]) * _square(own).sum(0)
    found: Array = np.sqrt(np.maximum(variance, 0.0) @ (signs(model.exchange).T ** 2))
    return np.asarray(model.std(found))


def _square(vectors: Array) -> Array:
    """Squared length over the last axis."""
    found: Array = (vectors**2).sum(-1)
    return found
