"""Which clusters of towers each member of an ensemble leaves out, and how much it heeds the others.

Clusters are dealt into groups that hold about equal numbers of towers. A member leaves out one group, so that every
tower is predicted by members that never saw it, and weighs every other cluster by a random number: the Bayesian
bootstrap (Rubin 1981, doi:10.1214/aos/1176345338) with clusters as units, because towers of a cluster resemble each
other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.training.roles import TRAINED

GROUPS = 8
"""Most groups of one partition of the clusters; with more members than that there are several partitions."""
LEFT_OUT = "left_out"
"""Fact of a stage: the clusters that each member left out."""


@dataclass(frozen=True)
class Membership:
    """What each member learns from.

    Parameters
    ----------
    clusters
        (cluster,) sorted names of the clusters that any member may learn from.
    weight
        (member, cluster) weight of each cluster's labels; zero = left out, the mean of the others is 1.
    """

    clusters: tuple[str, ...]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.weight)

    def left_out(self) -> list[list[str]]:
        """Return the clusters that each member left out, as they are written to its facts."""
        return [[name for name, w in zip(self.clusters, row, strict=True) if w == 0] for row in self.weight]

    def of(self, cluster: Sequence[str] | NDArray[np.str_]) -> NDArray[np.float64]:
        """Return the weight (member, place) of places in some clusters; zero where a cluster is not among them."""
        position = {name: number for number, name in enumerate(self.clusters)}
        row = np.array([position.get(str(name), -1) for name in cluster], dtype=np.int64)
        return np.where(row >= 0, self.weight[:, row], 0.0)


def membership(roles: pd.DataFrame, members: int, seed: int, learned: Sequence[str] = TRAINED) -> Membership:
    """Deal the clusters of the towers that may be learned from to the members.

    Member m leaves out group m modulo G of partition m // G. There are at most `GROUPS` groups, as many as members or
    clusters where those are fewer: so every tower is left out by at least one member.

    Parameters
    ----------
    roles
        Split table with the role of each member of the split in this fold.
    members
        How many; one leaves nothing out and weighs all alike.
    seed
        All numbers follow from it and from the table.
    learned
        Roles whose labels may be used.

    Raises
    ------
    ValueError
        When the towers form fewer than two clusters, so that a member has nothing to learn from.
    """
    own = roles[(roles["kind"] == "site") & roles["role"].isin(list(learned))]
    names, size = np.unique(own["cluster"].to_numpy(str), return_counts=True)
    if members == 1:
        return Membership(tuple(names.tolist()), np.ones((1, len(names))))
    groups = min(GROUPS, members, len(names))
    if groups < 2:
        raise ValueError(
            f"members is {members}, but the {int(size.sum())} {' and '.join(learned)} towers of this fold form "
            f"{len(names)} cluster, so that no group of them can be left out; bring more towers, lower "
            "splits.cluster_km, or set members to 1"
        )
    weight = np.empty((members, len(names)))
    for partition in range(-(-members // groups)):
        rng = generator(seed, partition)
        group = deal(size, groups, rng)
        for member in range(partition * groups, min((partition + 1) * groups, members)):
            drawn = np.where(group == member % groups, 0.0, rng.exponential(size=len(names)))
            weight[member] = drawn / drawn[drawn > 0].mean()
    return Membership(tuple(names.tolist()), weight)


def generator(seed: int, partition: int) -> np.random.Generator:
    """Source of the groups and weights of one partition of the clusters."""
    return np.random.default_rng(np.random.SeedSequence((seed, partition)))


def deal(size: NDArray[np.int64], groups: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Deal units into groups of about equal total size: the largest first, each to the group that holds least.

    Parameters
    ----------
    size
        (unit,) size of each.
    groups
        How many.
    rng
        Orders units of equal size.

    Returns
    -------
    array
        (unit,) group of each.
    """
    held = np.zeros(groups)
    chosen = np.empty(len(size), np.int64)
    shuffled = rng.permutation(len(size))
    for index in shuffled[np.argsort(-size[shuffled], kind="stable")]:
        chosen[index] = int(held.argmin())
        held[chosen[index]] += size[index]
    return chosen


def not_seen(facts: Mapping[str, Any], cluster: Sequence[str] | NDArray[np.str_]) -> NDArray[np.bool_]:
    """Tell which members of a fitted stage never saw the towers of some clusters.

    Parameters
    ----------
    facts
        Of a stage with members.
    cluster
        (place,) names; a cluster that no member learned from, such as that of a test tower, is unseen by all.

    Returns
    -------
    array
        (member, place) bool; at least one member per place.
    """
    left_out = facts[LEFT_OUT]
    # whatever was dealt is left out by some member, so a name that nobody left out was never dealt
    dealt = {name for names in left_out for name in names}
    return np.array([[name in names or name not in dealt for name in map(str, cluster)] for names in left_out])
