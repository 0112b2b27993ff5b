"""The split table of a run: towers by neighbourhood, cells by block, forcing members by their site."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from dere.config.splits import SplitsConfig
from dere.harmonise.learning_curve import with_kept_towers
from dere.harmonise.protocols import groups_of, protocol_folds
from dere.harmonise.splits import (
    assign_folds,
    cell_blocks,
    fold_column,
    fold_columns,
    published_every_fourth,
    published_roles,
    site_clusters,
    split_table,
)


def make_splits(towers: xr.Dataset, drivers: xr.Dataset, config: SplitsConfig) -> pd.DataFrame:
    """Clusters and folds of sites and cells, checked.

    Folds of sites are stratified over IGBP groups, those of cells over bands of latitude. Forcing members (drivers
    with a coordinate ``site``) take cluster and fold of their site. Assignment a is that of ``splits.seed + a``.

    Parameters
    ----------
    towers
        Canonical towers: coordinates ``site``, ``lat``, ``lon``, ``cell``, ``kind``, ``igbp``, ``koppen``, and
        ``static``.
    drivers
        Canonical drivers: coordinates ``cell``, ``lat``, ``lon``; with ``published_role`` the published split is that
        of the files, else that of the grid.
    config
        As in the configuration.

    Raises
    ------
    ValueError
        When no tower has labels, there are fewer clusters than folds, or a protocol or learning curve asks for more
        than the towers have.
    """
    sites = pd.DataFrame(
        {
            "id": towers["site"].values.astype(str),
            "lat": towers["lat"].values,
            "lon": towers["lon"].values,
            "cell": towers["cell"].values,
            "kind": towers["kind"].values.astype(str),
            "igbp": towers["igbp"].values.astype(str),
        }
    )
    labelled = (sites["kind"] == "tower").to_numpy()
    own = sites[labelled]
    if not len(own):
        raise ValueError(
            "no tower has enough labelled months to train on, harmonise.minimum_labelled_months of quality "
            "harmonise.minimum_training_quality are needed; give towers with flux columns"
        )
    sites["cluster"] = "site " + sites["id"]
    sites["fold"] = -1
    if config.site_rule == "published":
        if "published_role" not in towers.coords:
            raise ValueError(
                "splits.site_rule is published, but the source of the towers publishes no split; choose clusters"
            )
        sites.loc[labelled, "fold"] = published_roles(towers["published_role"].values[labelled])
    else:
        _check_placed(own["lat"], own["lon"], "towers", "splits.site_rule: published")
        cluster = site_clusters(own["id"].tolist(), own["lat"].to_numpy(), own["lon"].to_numpy(), config.cluster_km)
        sites.loc[labelled, "cluster"] = cluster
        if config.protocol == "clusters":
            stratum = [name or "other" for name in groups_of(own, "class")]
            for number in range(config.assignments):
                sites[fold_column(number)] = -1
                chosen = assign_folds(cluster, stratum, config.folds, config.seed + number)
                sites.loc[labelled, fold_column(number)] = chosen
        else:
            sites.loc[labelled, "fold"] = protocol_folds(_described(towers, own, cluster), config)

    lat, lon = drivers["lat"].values, drivers["lon"].values
    cells = pd.DataFrame(
        {"id": drivers["cell"].values.astype(str), "lat": lat, "lon": lon, "cell": drivers["cell"].values}
    )
    if "site" in drivers.coords:
        by_site = sites.set_index("id")
        cells["cluster"] = by_site["cluster"].loc[drivers["site"].values.astype(str)].to_numpy()
        for name in fold_columns(sites):
            cells[name] = by_site[name].loc[drivers["site"].values.astype(str)].to_numpy()
    elif config.cell_rule == "published_every_fourth" and "published_role" in drivers.coords:
        cells["cluster"] = "cell " + cells["id"]
        cells["fold"] = published_roles(drivers["published_role"].values)
    elif config.cell_rule == "published_every_fourth":
        columns = round(360.0 / float(drivers.attrs["grid_degrees"]))
        cells["cluster"] = "cell " + cells["id"]
        cells["fold"] = published_every_fourth(drivers["cell"].values, columns)
    else:
        _check_placed(cells["lat"], cells["lon"], "cells", "splits.cell_rule: published_every_fourth")
        cells["cluster"] = cell_blocks(lat, lon, config.block_degrees)
        bands = np.floor(np.abs(lat) / 20.0).astype(int)
        for number in range(config.assignments):
            chosen = assign_folds(cells["cluster"].tolist(), bands.tolist(), config.folds, config.seed + number)
            cells[fold_column(number)] = chosen
    return with_kept_towers(split_table(sites.drop(columns=["kind", "igbp"]), cells), config)


def _described(towers: xr.Dataset, own: pd.DataFrame, cluster: list[str]) -> pd.DataFrame:
    """Labelled towers with what protocols ask of them: climate and mean temperature beside class and cluster."""
    here = towers.sel(site=own["id"].to_numpy())
    temperature = here["static"].sel(attribute="mean_temperature").values
    return own.assign(cluster=cluster, koppen=here["koppen"].values.astype(str), mean_temperature=temperature)


def _check_placed(lat: pd.Series, lon: pd.Series, what: str, remedy: str) -> None:
    """Refuse neighbourhoods of members without coordinates."""
    unknown = int((lat.isna() | lon.isna()).sum())
    if unknown:
        raise ValueError(
            f"{unknown} of {len(lat)} {what} have no coordinates, which are needed to keep neighbours in one fold; "
            f"give sources.simulation.coordinates or choose {remedy}"
        )
