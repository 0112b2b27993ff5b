"""Trees of each flux as members of an ensemble: each leaves out a group of clusters and weighs the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from dere.methods.trees.search import Array, Rows, Trial, fit
from dere.methods.trees.settings import TreesConfig
from dere.training.membership import Membership


@dataclass(frozen=True)
class Boosters:
    """Trees of all fluxes.

    Parameters
    ----------
    trees
        Array name to booster: ``trees.<flux>``, or ``trees.<flux>.<member>`` of several.
    held_out
        Flux to (row,) mean prediction of the members that left out the row's cluster; empty with one member.
    """

    trees: Mapping[str, lgb.Booster]
    held_out: Mapping[str, Array]


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
) -> Boosters:
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

    Raises
    ------
    ValueError
        When a member leaves out all labels of a flux.
    """
    members = len(dealt)
    if members == 1:
        return Boosters({name_of(flux, 0, 1): fit(rows, flux, best[flux], config, seed) for flux in best}, {})
    heed = dealt.of(cluster)
    trees: dict[str, lgb.Booster] = {}
    held_out: dict[str, Array] = {}
    for flux, trial in best.items():
        total = np.zeros(len(rows.site))
        for member, own in enumerate(heed):
            left = own == 0
            mine = replace(rows, weight={flux: rows.weight[flux] * own})
            if not mine.labelled(flux).any():
                raise ValueError(
                    f"members is {members}, but all labels of {flux} are at towers that one member leaves out; bring "
                    "more towers that have it, or set members to 1"
                )
            booster = fit(mine, flux, trial, config, seed + member)
            trees[name_of(flux, member, members)] = booster
            if left.any():
                total[left] += np.asarray(booster.predict(rows.features[left], num_threads=config.threads))
        held_out[flux] = total / (heed == 0).sum(0)
    return Boosters(trees, held_out)
