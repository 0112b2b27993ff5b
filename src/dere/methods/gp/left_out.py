"""Groups of towers that a closed form leaves out, so that every tower has a prediction that never saw it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.training.roles import TRAINED

GROUPS = 8
"""Most groups; as many as clusters where those are fewer."""


def groups_of_clusters(roles: pd.DataFrame, seed: int) -> list[list[str]]:
    """Deal the clusters of the towers that may be learned from into groups of about equal numbers of towers.

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
    groups: list[list[str]] = [[] for _ in range(min(GROUPS, len(names)))]
    held = np.zeros(len(groups), int)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    for index in shuffled[np.argsort(-size[shuffled], kind="stable")]:
        least = int(held.argmin())
        groups[least].append(str(names[index]))
        held[least] += size[index]
    return [sorted(group) for group in groups]


def group_of(cluster: Sequence[str] | NDArray[np.str_], groups: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """Return the group (place,) of places in some clusters; -1 where a cluster is in none."""
    position = {name: number for number, group in enumerate(groups) for name in group}
    return np.array([position.get(str(name), -1) for name in cluster], np.int64)
