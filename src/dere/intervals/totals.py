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
    model: Calibrator,
    scale: Array,
    weight: Array,
    where: Regions,
    months: NDArray[np.int64],
    waves: Array,
    novelty: Array,
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
        (cell, month, flux) scale of cells' errors, from `dere.intervals.spread.cell_scale`.
    weight
        (cell, month) with which they enter the sum; a cell of weight zero may have a scale that is missing.
    where
        Climate and region of the cells.
    months
        (month,) numbers on the time axis.
    waves
        (cell,) from ``Calibrator.waves`` of whole records.
    novelty
        (cell,) how far they are beyond all towers, from `dere.intervals.neighbours.novelty`.

    Returns
    -------
    array
        (flux,) standard deviation, in the unit of the flux times that of the weight.
    """
    kernel = model.truth.kernel
    used = (weight != 0).any(1)
    loading = loadings(scale[used], model.exchange) * weight[used][..., None]
    # independent parts: with waves as they are, and with waves that are level
    parts = []
    for kind, share in ((1.0, waves[used]), (0.0, 1.0 - waves[used])):
        correlation = kernel.correlation(months, kind)
        root = np.linalg.cholesky(correlation + _JITTER * np.eye(len(months)))
        parts.append(np.einsum("pts,ctp,c->cps", root, loading, np.sqrt(share), optimize=True))
    vectors = np.concatenate(parts, -1)
    shares = np.sqrt(model.neighbours.shared(where.zone[used], novelty[used]))
    alone = np.arange(len(vectors))
    groups = (np.zeros_like(alone), where.zone[used], _codes(where.zone[used], where.block[used]), alone)
    variance = np.zeros(vectors.shape[1])
    for share, group in zip(shares.T, groups, strict=True):
        sums = np.zeros((int(group.max(initial=0)) + 1, *vectors.shape[1:]))
        np.add.at(sums, group, vectors * share[:, None, None])
        variance += (sums**2).sum((0, -1))
    found: Array = np.sqrt(np.maximum(variance, 0.0) @ (signs(model.exchange).T ** 2))
    return np.asarray(model.std(found))


def _codes(zone: NDArray[np.int64], block: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of the regions of a climate, from 0."""
    pairs = np.stack([zone, block], 1)
    found: NDArray[np.int64] = np.unique(pairs, axis=0, return_inverse=True)[1].ravel()
    return found
