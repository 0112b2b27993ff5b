"""Ratio of standard deviations: whether a prediction varies as much as the observation."""

from __future__ import annotations

import numpy as np

from dere.evaluation.metrics.base import Metric
from dere.evaluation.metrics.pairs import Array, Pairs


def sigma_ratio(pairs: Pairs) -> Array:
    """Standard deviation of the prediction over that of the observation; NaN for a constant observation."""
    return pairs.deviation_ratio


METRIC = Metric(
    name="sigma_ratio",
    label="standard deviation, predicted over observed",
    unit="1",
    better="one",
    function=sigma_ratio,
    reference="Taylor (2001), J. Geophys. Res. 106, 7183-7192, https://doi.org/10.1029/2000JD900719",
    rank=60,
    bounds=(0.0, np.inf),
)
