"""Test towers by what they are: plant classes or main climates that no training tower has, or the warmest towers.

Whole clusters are placed, as in every split, so that no neighbour of a test tower trains. A cluster is placed by the
class or climate that most of its towers have; a tower of another or of none, which could bring a left-out class into
training or be tested as one that it is not, is in no fold (-1): it neither trains nor is scored.
"""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.splits import SplitsConfig
from dere.config.tower_groups import GROUP_OF_CLASS, IGBP_GROUPS, named_groups
from dere.harmonise.koppen import climate_group
from dere.harmonise.splits import assign_folds

log = logging.getLogger(__name__)

WARM_SHARE = 0.2
"""Share of the towers that protocol warm tests."""
UNKNOWN = ""


def protocol_folds(sites: pd.DataFrame, config: SplitsConfig) -> NDArray[np.int64]:
    """Fold of each labelled tower under a protocol that is not ``clusters``.

    Parameters
    ----------
    sites
        ``cluster``, ``igbp``, ``koppen``, ``mean_temperature`` (degC).
    config
        As in the configuration.

    Returns
    -------
    array
        (site,) fold, -1 = in none.

    Raises
    ------
    ValueError
        When there are too few classes, climates or clusters, or none of ``left_out``.
    """
    if config.protocol == "warm":
        return _first_and_rest(sites, warmest(sites), config)
    group = pd.Series(groups_of(sites, config.protocol), index=sites.index)
    known = group != UNKNOWN
    if not known.any():
        raise ValueError(
            f"splits.protocol: it is {config.protocol}, but no tower with labels states its {config.protocol}; give "
            "metadata that do, or choose another protocol"
        )
    of_cluster = sites["cluster"].map(group[known].groupby(sites["cluster"][known]).agg(lambda n: n.mode().iloc[0]))
    placed = of_cluster.notna().to_numpy()
    fold = np.full(len(sites), -1)
    if config.left_out:
        tested = named_groups(config.protocol, config.left_out)
        missing = [name for name in tested if name not in set(of_cluster)]
        if missing:
            raise ValueError(
                f"splits.left_out: no cluster of labelled towers is mostly {missing[0]}, one at least is needed; "
                f"choose from {', '.join(sorted(set(of_cluster[placed])))}"
            )
        fold[placed] = _first_and_rest(sites[placed], of_cluster[placed].isin(tested).to_numpy(), config)
        astray = group.isin(tested).to_numpy() != (fold == 0)
    else:
        fold_of = _shared_out(of_cluster[placed], config)
        fold[placed] = of_cluster[placed].map(fold_of)
        # a group that is nowhere the main one is in no fold
        astray = group.map(fold_of).fillna(-1).to_numpy(int) != fold
    astray |= ~known.to_numpy()
    if astray.any():
        log.warning(
            "splits.protocol %s: %d of %d towers lie in a cluster of another %s, or state none, and are in no fold",
            config.protocol, astray.sum(), len(astray), config.protocol,
        )  # fmt: skip
    return np.where(astray, -1, fold)


def groups_of(sites: pd.DataFrame, protocol: str) -> list[str]:
    """Group of IGBP classes (``IGBP_GROUPS`` and other) or main climate of each site; empty where it states none."""
    if protocol == "climate":
        return [climate_group(code) for code in sites["koppen"]]
    return [GROUP_OF_CLASS.get(name, "other" if name else UNKNOWN) for name in sites["igbp"]]


def hidden_groups(config: SplitsConfig) -> list[str]:
    """Groups of IGBP classes that no model may know by name: those left out, or all where each is left out once."""
    if config.protocol != "class":
        return []
    return named_groups(config.protocol, config.left_out) if config.left_out else list(IGBP_GROUPS)


def warmest(sites: pd.DataFrame) -> NDArray[np.bool_]:
    """Sites of the warmest clusters, by the mean over their towers, that hold a fifth of all sites or just more."""
    clusters = sites.groupby("cluster")["mean_temperature"].agg(["mean", "size"])
    ranked = clusters.sort_values("mean", ascending=False, kind="stable")
    before = ranked["size"].cumsum() - ranked["size"]
    chosen = ranked.index[before < WARM_SHARE * len(sites)]
    return sites["cluster"].isin(chosen).to_numpy()


def _first_and_rest(sites: pd.DataFrame, first: NDArray[np.bool_], config: SplitsConfig) -> NDArray[np.int64]:
    """Fold 0 for some sites, the other folds for the clusters of the rest, at random over classes."""
    stratum = groups_of(sites, "class")
    fold = np.zeros(len(sites), np.int64)
    rest = np.flatnonzero(~first)
    cluster = sites["cluster"].to_numpy()[rest].tolist()
    fold[rest] = 1 + assign_folds(cluster, [stratum[row] for row in rest], config.folds - 1, config.seed)
    return fold


def _shared_out(group: pd.Series, config: SplitsConfig) -> dict[str, int]:
    """Fold of each group: the largest first, each to the fold with fewest sites."""
    counts = group.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    if len(counts) < config.folds:
        raise ValueError(
            f"the towers have {len(counts)} groups for splits.protocol {config.protocol} ({', '.join(counts.index)}), "
            f"but splits.folds is {config.folds}; lower splits.folds (to 3 at least), or name some in splits.left_out"
        )
    held = np.zeros(config.folds, int)
    found = {}
    for name, size in counts.items():
        found[str(name)] = int(held.argmin())
        held[found[str(name)]] += int(size)
    return found
