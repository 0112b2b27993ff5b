"""Trees of each flux as members of an ensemble: each leaves out a group of clusters and weighs the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from dere.methods.trees.search import Rows, Trial, fit
from dere.methods.trees.settings import TreesConfig
from dere.training.membership import Membership


def name_of(flux: str, member: int, members: int) -> str:
    """Name of the array that holds the trees of a flux and a member."""
    return f"trees.{flux}.{member}" if members > 1 else f"trees.{flux}"


def fit_members(
    rows: Rows,
    cluster: NDArray[np.str_],
    best: Mapping[str, Trial],
    dealt: Membership,
    config: TreesConfig,
    seed: int,
) -> dict[str, lgb.Booster]:
    """Fit the chosen setting of each flux once per member.

    Parameters
    ----------
    rows
        All training rows.
    cluster
        (row,) cluster of the tower.
    best
        Flux to its chosen setting.
    dealt
        Which clusters each member leaves out.

    Returns
    -------
    dict
        Array name to booster, see `name_of`.

    Raises
    ------
    ValueError
        When a member leaves out all labels of a flux.
    """
    members = len(dealt)
    if members == 1:
        return {name_of(flux, 0, 1): fit(rows, flux, best[flux], config, seed) for flux in best}
    heed = dealt.of(cluster)
    trees: dict[str, lgb.Booster] = {}
    for flux, trial in best.items():
        for member, own in enumerate(heed):
            mine = replace(rows, weight={flux: rows.weight[flux] * own})
            if not mine.labelled(flux).any():
                raise ValueError(
                    f"members is {members}, but all labels of {flux} are at towers that one member leaves out; bring "
                    "more towers that have it, or set members to 1"
                )
            trees[name_of(flux, member, members)] = fit(mine, flux, trial, config, seed + member)
    return trees
