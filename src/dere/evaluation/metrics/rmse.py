"""Root mean square error. Paired intervals and the comparison of methods rest on it: the evaluation needs this file."""

from __future__ import annotations

import numpy as np

from dere.evaluation.metrics.base import Metric
from dere.evaluation.metrics.pairs import Array, Pairs


def rmse(pairs: Pairs) -> Array:
    """Root mean square of predicted minus observed."""
    return np.sqrt(pairs.mean_square_error)


METRIC = Metric(
    name="rmse",
    label="root mean square error",
    unit="flux",
    better="lower",
    function=rmse,
    reference="Chai and Draxler (2014), Geosci. Model Dev. 7, 1247-1250, https://doi.org/10.5194/gmd-7-1247-2014",
    rank=10,
    bounds=(0.0, np.inf),
)
