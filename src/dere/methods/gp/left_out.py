"""Groups of towers that a closed form leaves out, so that every tower has a prediction that never saw it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dere.training.roles import TRAINED

GROUPS = 8


def group_of_sites(roles: pd.DataFrame, seed: int) -> dict[str, int]:
    """Deal the clusters of the towers that may be learned from into at most 8 groups of about equal numbers of towers.

    Parameters
    ----------
    roles
        Split table with the role of each member.
    seed
        Order of the clusters.

    Returns
    -------
    dict
        Id of each such tower to its group, 0 and up; towers of one cluster share one.
    """
    towers = roles[(roles["kind"] == "site") & roles["role"].isin(TRAINED)].sort_values("id")
    size = towers["cluster"].value_counts().sort_index()
    order = np.random.default_rng(seed).permutation(len(size))
    held = np.zeros(min(GROUPS, len(size)), int)
    group: dict[str, int] = {}
    for index in order[np.argsort(-size.to_numpy()[order], kind="stable")]:
        group[str(size.index[index])] = int(held.argmin())
        held[held.argmin()] += size.iloc[index]
    return {str(site): group[str(cluster)] for site, cluster in zip(towers["id"], towers["cluster"], strict=True)}
