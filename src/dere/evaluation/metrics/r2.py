"""Squared correlation."""

from __future__ import annotations

from dere.evaluation.metrics.base import Metric
from dere.evaluation.metrics.pairs import Array, Pairs


def r2(pairs: Pairs) -> Array:
    """Squared Pearson correlation (the NSE form that others call R2 is ``nse``)."""
    return pairs.correlation**2


METRIC = Metric(
    name="r2",
    label="squared correlation",
    unit="1",
    better="higher",
    function=r2,
    reference="Pearson (1895), Proc. R. Soc. Lond. 58, 240-242, https://doi.org/10.1098/rspl.1895.0041",
    rank=30,
    bounds=(0.0, 1.0),
)
