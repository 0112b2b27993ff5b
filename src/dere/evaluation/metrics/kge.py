"""Kling-Gupta efficiency."""

from __future__ import annotations

import numpy as np

from dere.evaluation.metrics.base import Metric
from dere.evaluation.metrics.pairs import Array, Pairs


def kge(pairs: Pairs) -> Array:
    """1 - distance of (r, sigma ratio, mean ratio) from (1, 1, 1).

    The mean ratio makes it unstable where the observed mean is near zero, as for NEE.
    """
    mean_ratio = np.where(pairs.mean_observed != 0, pairs.mean_predicted / pairs.mean_observed, np.nan)
    distance = (pairs.correlation - 1) ** 2 + (pairs.deviation_ratio - 1) ** 2 + (mean_ratio - 1) ** 2
    return 1.0 - np.sqrt(distance)


METRIC = Metric(
    name="kge",
    label="Kling-Gupta efficiency",
    unit="1",
    better="higher",
    function=kge,
    reference="Gupta and others (2009), J. Hydrol. 377, 80-91, https://doi.org/10.1016/j.jhydrol.2009.08.003",
    rank=70,
    bounds=(-np.inf, 1.0),
)
