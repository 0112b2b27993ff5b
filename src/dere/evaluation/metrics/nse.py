"""Nash-Sutcliffe efficiency. Paired intervals, comparison, summary and figures rest on it: they need this file."""

from __future__ import annotations

import numpy as np

from dere.evaluation.metrics.base import Metric
from dere.evaluation.metrics.pairs import Array, Pairs


def nse(pairs: Pairs) -> Array:
    """1 - sum (o - p)^2 / sum (o - mean o)^2; NaN for a constant observation."""
    return 1.0 - pairs.mean_square_error / pairs.variance_observed


METRIC = Metric(
    name="nse",
    label="Nash-Sutcliffe efficiency",
    unit="1",
    better="higher",
    function=nse,
    reference="Nash and Sutcliffe (1970), J. Hydrol. 10, 282-290, https://doi.org/10.1016/0022-1694(70)90255-6",
    rank=20,
    bounds=(-np.inf, 1.0),
)
