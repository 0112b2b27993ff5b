"""Resamples of seeds beside those of clusters: how sure a difference is where training differs by chance too.

A resample draws as many seeds as there are, with replacement, and averages the scores of each tower over them; then the
drawn clusters are taken from these averages. Both methods of a pair take the same draws of common seeds, so that what
they share by seed (labels, a parent stage) is no noise of their difference.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


def resample_seeds(seeds: int, resamples: int, seed: int) -> Counts:
    """How often each seed is drawn in each resample, (resample, seed)."""
    rng = np.random.default_rng([seed, seeds])
    return rng.multinomial(seeds, np.full(seeds, 1.0 / seeds), size=resamples)


def seed_means(scores: Array, drawn: Counts) -> Array:
    """Scores averaged over the drawn seeds, (resample, site).

    Parameters
    ----------
    scores
        (site, seed); NaN = the seed has no score there.
    drawn
        Result of `resample_seeds`; where it holds no seed with a score, the mean of all seeds stands in.
    """
    known = np.isfinite(scores)
    filled = np.where(known, scores, 0.0)
    weight = drawn @ known.T
    mean = filled.sum(1) / np.maximum(known.sum(1), 1)
    return np.where(weight > 0, drawn @ filled.T / np.maximum(weight, 1), mean)


def medians(values: Array, counts: Counts) -> Array:
    """Median of each resample whose sites have values of their own, (resample,).

    Parameters
    ----------
    values, counts
        (resample, site): exactly the median of ``np.repeat(values[i], counts[i])``.
    """
    order = np.argsort(values, axis=1, kind="stable")
    cumulative = np.cumsum(np.take_along_axis(counts, order, 1), axis=1)
    ordered = np.take_along_axis(values, order, 1)
    total = cumulative[:, -1:]
    ends = [(cumulative > place).argmax(1)[:, None] for place in ((total - 1) // 2, total // 2)]
    lower, upper = (np.take_along_axis(ordered, end, 1)[:, 0] for end in ends)
    return (lower + upper) / 2


def means(values: Array, counts: Counts) -> Array:
    """Mean of each resample whose sites have values of their own, (resample,)."""
    return (counts * values).sum(1) / counts.sum(1)
