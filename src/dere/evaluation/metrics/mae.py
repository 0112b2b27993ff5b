"""Mean absolute error."""

from __future__ import annotations

import numpy as np

from dere.evaluation.metrics.base import Metric
from dere.evaluation.metrics.pairs import Array, Pairs


def mae(pairs: Pairs) -> Array:
    """Mean absolute value of predicted minus observed."""
    return pairs.mean(np.abs(pairs.predicted - pairs.observed))


METRIC = Metric(
    name="mae",
    label="mean absolute error",
    unit="flux",
    better="lower",
    function=mae,
    reference="Willmott and Matsuura (2005), Clim. Res. 30, 79-82, https://doi.org/10.3354/cr030079",
    rank=50,
    bounds=(0.0, np.inf),
)
