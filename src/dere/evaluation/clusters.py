"""Which towers the paired bootstrap draws together."""

from __future__ import annotations

import pandas as pd


def tower_clusters(members: pd.DataFrame) -> dict[str, str]:
    """Cluster of each site as the splits table names it: neighbours and twins share one."""
    sites = members[members["kind"] == "site"]
    return dict(zip(sites["id"].astype(str), sites["cluster"].astype(str), strict=True))


def virtual_clusters(members: pd.DataFrame) -> dict[str, str]:
    """Cluster of each site that is only predicted: the block of the cell that holds it.

    Such sites are in no fold, so the splits table leaves each by itself, however many share a cell. Their drivers and
    simulation are those of the cell, and cells are split by block: sites of one block are no independent evidence.

    Parameters
    ----------
    members
        Splits table; ``cell`` of a site is the cell that holds it, -1 = none.

    Returns
    -------
    dict
        Site to cluster; a site whose cell is unknown keeps its own.
    """
    cells = members[members["kind"] == "cell"]
    block = dict(zip(cells["cell"], cells["cluster"].astype(str), strict=True))
    sites = members[(members["kind"] == "site") & (members["fold"] < 0)]
    own = tower_clusters(sites)
    return {site: block.get(cell, own[site]) for site, cell in zip(sites["id"].astype(str), sites["cell"], strict=True)}
