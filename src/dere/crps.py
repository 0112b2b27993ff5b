"""Continuous ranked probability score of samples: imputation learns by it, and is judged by it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def crps(samples: NDArray, truth: NDArray) -> NDArray[np.float64]:
    """Fair ensemble CRPS: mean|x - y| - sum|x_i - x_j| / (2 m (m - 1)).

    Parameters
    ----------
    samples
        (m, ...); with m = 1 the absolute error is returned.
    truth
        (...).
    """
    m = len(samples)
    error = np.abs(samples - truth).mean(0)
    if m == 1:
        return error
    rank = np.arange(m).reshape(-1, *[1] * truth.ndim)
    ordered = np.sort(samples, axis=0)
    return error - ((2 * rank - m + 1) * ordered).sum(0) / (m * (m - 1))
