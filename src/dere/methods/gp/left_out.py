"""Groups of towers that a closed form leaves out, so that every tower has a prediction that never saw it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.training.membership import GROUPS, deal, generator
from dere.training.roles import TRAINED


def groups_of_clusters(roles: pd.DataFrame, seed: int) -> list[list[str]]:
    """Deal the clusters of the towers that may be learned from into the groups of the first members of an ensemble.

    Parameters
    ----------
    roles
        Split table with the role of each member.
    seed
        Orders clusters of equal size.

    Returns
    -------
    list
        The clusters of each group, sorted.
    """
    towers = roles[(roles["kind"] == "site") & roles["role"].isin(TRAINED)]
    names, size = np.unique(towers["cluster"].to_numpy(str), return_counts=True)
    count = min(GROUPS, len(names))
    group = deal(size, count, generator(seed, 0))
    return [names[group == number].tolist() for number in range(count)]


def group_of(cluster: Sequence[str] | NDArray[np.str_], groups: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """Return the group (place,) of places in some clusters; -1 where a cluster is in none."""
    position = {name: number for number, group in enumerate(groups) for name in group}
    return np.array([position.get(str(name), -1) for name in cluster], np.int64)
