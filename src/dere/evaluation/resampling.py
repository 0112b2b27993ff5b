"""Resamples of clusters of towers: neighbours share climate, plant types and often the team."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def resample_clusters(clusters: NDArray, resamples: int, rng: np.random.Generator) -> Counts:
    """How often each site is drawn in each resample of whole clusters.

    Parameters
    ----------
    clusters
        (site,) cluster of each site.

    Returns
    -------
    array
        (resample, site); all sites of a cluster have equal counts, as many clusters are drawn as there are.
    """
    _, member = np.unique(clusters, return_inverse=True)
    number = int(member.max()) + 1
    drawn = rng.multinomial(number, np.full(number, 1.0 / number), size=resamples)
    return drawn[:, member]
