"""Bias. The scores of site means taken together (``across`` in ``skill.csv``) rest on it: they need this file."""

from __future__ import annotations

from dere.evaluation.metrics.base import Metric
from dere.evaluation.metrics.pairs import Array, Pairs


def bias(pairs: Pairs) -> Array:
    """Mean of predicted minus observed."""
    return pairs.mean_predicted - pairs.mean_observed


METRIC = Metric(
    name="bias",
    label="bias (predicted minus observed)",
    unit="flux",
    better="zero",
    function=bias,
    reference="Murphy (1988), Mon. Weather Rev. 116, 2417-2424, "
    "https://doi.org/10.1175/1520-0493(1988)116<2417:SSBOTM>2.0.CO;2",
    rank=40,
)
