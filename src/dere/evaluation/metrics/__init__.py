"""Scores of predictions against observations, one file each: what declares ``METRIC`` becomes a column of the tables.

Pure functions along the last axis of the pairs that are complete (``dere.evaluation.metrics.pairs``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from dere.evaluation.metrics.pairs import Array, Pairs, complete_pairs, pairs_of
from dere.rooms import declared

if TYPE_CHECKING:
    from dere.evaluation.metrics.base import Metric


def ordered(found: Mapping[str, Metric]) -> dict[str, Metric]:
    """Metrics by name, in the order of their ranks.

    Parameters
    ----------
    found
        Module to the metric that it declares.

    Raises
    ------
    ValueError
        When a metric is not called as its file.
    """
    for module, metric in found.items():
        if metric.name != module.rpartition(".")[2]:
            raise ValueError(f"{module} declares the metric '{metric.name}'; call it as its file, or rename the file")
    return {metric.name: metric for metric in sorted(found.values(), key=lambda metric: (metric.rank, metric.name))}


METRICS: dict[str, Metric] = ordered(declared("dere.evaluation.metrics", "METRIC"))
"""Name of a score to its declaration, in the order of the columns of the tables."""
SCORES = tuple(METRICS)
"""Columns of ``skill.csv`` and ``site_skill.csv`` that hold scores."""


def scores_of(pairs: Pairs) -> dict[str, Array]:
    """All scores of complete pairs (..., n), each (...); NaN where the pairs do not define one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: metric.function(pairs) for name, metric in METRICS.items()}


def scores(observed: ArrayLike, predicted: ArrayLike) -> dict[str, Array]:
    """All scores along the last axis.

    Parameters
    ----------
    observed, predicted
        (..., n), broadcast against each other; pairs with a value that is not finite are dropped.

    Returns
    -------
    dict
        ``SCORES``, each (...), and ``pairs``, the number of complete pairs.
    """
    pairs = pairs_of(observed, predicted)
    return {**scores_of(pairs), "pairs": pairs.count}


def score(name: str, observed: ArrayLike, predicted: ArrayLike) -> Array:
    """One score along the last axis, as in ``scores``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return METRICS[name].function(pairs_of(observed, predicted))


__all__ = ["METRICS", "SCORES", "Pairs", "complete_pairs", "ordered", "pairs_of", "score", "scores", "scores_of"]
