"""Towers and splits of a further exchange: the canonical towers with its labels, and every site in the fold it has.

The exchange that the run is built around decides drivers, statics, windows, clusters and folds. A further one brings
labels of its own, which may lie at other towers and in other months.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from dere.config.harmonise import HarmoniseConfig
from dere.config.splits import SplitsConfig
from dere.exchange import Exchange
from dere.harmonise.axis import month_number
from dere.harmonise.labelled_towers import labelled_towers
from dere.harmonise.learning_curve import with_kept_towers
from dere.harmonise.own_states import with_own_states
from dere.harmonise.place_classes import with_place_classes
from dere.harmonise.protocols import hidden_groups
from dere.harmonise.splits import check_splits, fold_columns, folds_of_assignment, site_clusters
from dere.ingest.distance import distance_km

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FurtherExchange:
    """Towers, splits, and months per site, step and reason of one exchange."""

    towers: xr.Dataset
    splits: pd.DataFrame
    counts: pd.DataFrame


def further_exchange(
    towers: xr.Dataset,
    interim: xr.Dataset,
    splits: pd.DataFrame,
    exchange: Exchange,
    config: HarmoniseConfig,
    split_config: SplitsConfig,
    states: Callable[[xr.Dataset, Exchange], xr.Dataset] = with_own_states,
) -> FurtherExchange:
    """Make towers and splits of a further exchange.

    Parameters
    ----------
    towers, splits
        Of the canonical set.
    interim
        Towers as ingested, with the columns of the exchange.
    exchange
        Its label rule and states.
    config, split_config
        As in the configuration.
    states
        Gives towers the states of an exchange that makes them itself.

    Returns
    -------
    FurtherExchange
        ``towers`` has the drivers, statics, windows and cover of the canonical ones; ``flux_*``, ``flux`` and ``kind``
        are the exchange's; ``simulated`` and ``initial_state`` hold its states and are absent where it has none.

    Raises
    ------
    ValueError
        When no tower has enough labels of it, or the canonical simulation lacks one of its states.
    """
    own = _of_states(towers.drop_vars([name for name in towers.variables if _is_label(str(name))]), exchange, states)
    own, labels = labelled_towers(own, _on_axis(interim, towers), exchange, config)
    own = with_place_classes(own, interim, exchange, "WET" in hidden_groups(split_config))
    table = own_splits(splits, own, exchange.name, split_config)
    log.info(
        "exchange %s: %d towers with labels, %d of them without labels in the canonical set",
        exchange.name,
        int((own["kind"] == "tower").sum()),
        int(((own["kind"] == "tower") & (towers["kind"] != "tower")).sum()),
    )
    return FurtherExchange(own, table, labels.counts)


def own_splits(splits: pd.DataFrame, towers: xr.Dataset, name: str, config: SplitsConfig) -> pd.DataFrame:
    """Splits in which the sites with labels of an exchange, and no others, are in a fold.

    A site keeps the cluster and fold it has. One that had no labels so far joins the nearest site of its neighbourhood
    (`splits.site_clusters`); where all of that is new, it becomes a cluster in the fold with fewest labelled sites.
    Cells stay as they are.

    Parameters
    ----------
    splits
        Canonical table.
    towers
        Coordinates ``site`` and ``kind`` (tower = with labels).
    name
        Exchange, for the message.
    config
        As in the configuration.

    Raises
    ------
    ValueError
        When no site has labels, or fewer than a learning curve keeps.
    """
    ids = towers["site"].values.astype(str)
    labelled = ids[towers["kind"].values.astype(str) == "tower"]
    if not len(labelled):
        raise ValueError(
            f"no tower has enough labelled months of exchange '{name}', harmonise.minimum_labelled_months of quality "
            "harmonise.minimum_training_quality are needed; give towers with its columns, or take it out of exchanges"
        )
    table = splits.copy()
    of_sites = table[table["kind"] == "site"]
    for column in fold_columns(splits):
        own = of_sites.assign(fold=of_sites[column])
        placed = _placed(own, labelled.tolist(), folds_of_assignment(splits), config)
        for row, site in zip(of_sites.index, of_sites["id"], strict=True):
            if site in placed:
                table.loc[row, "cluster"], table.loc[row, column] = placed[site]
            elif site not in labelled:
                table.loc[row, column] = -1
    return check_splits(with_kept_towers(table, config))


def _placed(sites: pd.DataFrame, labelled: list[str], folds: int, config: SplitsConfig) -> dict[str, tuple[str, int]]:
    """Cluster and fold of those of ``labelled`` that have no fold in the table of sites."""
    in_fold = sites[sites["fold"] >= 0]
    known = dict(zip(in_fold["id"], zip(in_fold["cluster"], in_fold["fold"], strict=True), strict=True))
    members = [*known, *(site for site in labelled if site not in known)]
    chosen = sites.set_index("id").loc[members]
    lat, lon = chosen["lat"].to_numpy(), chosen["lon"].to_numpy()
    group = [f"site {site}" for site in members]
    if config.site_rule == "clusters":
        group = site_clusters(members, lat, lon, config.cluster_km)
    distance = np.nan_to_num(distance_km(lat, lon), nan=np.inf)
    count = np.bincount([known[site][1] for site in labelled if site in known], minlength=folds)
    new: dict[str, list[int]] = {}
    for row in range(len(known), len(members)):
        new.setdefault(group[row], []).append(row)
    placed: dict[str, tuple[str, int]] = {}
    for name, rows in sorted(new.items(), key=lambda item: (-len(item[1]), item[0])):
        beside = [row for row in range(len(known)) if group[row] == name]
        if len({known[members[row]][1] for row in beside}) > 1:
            log.warning("new towers of %s lie between towers of different folds and join the nearest", name)
        place = name, int(count.argmin())
        for row in rows:
            if beside:
                place = known[members[beside[int(distance[row, beside].argmin())]]]
            placed[members[row]] = place
            count[place[1]] += 1
    return placed


def _is_label(name: str) -> bool:
    return name in ("flux", "kind") or name.startswith("flux_")


def _of_states(
    towers: xr.Dataset, exchange: Exchange, states: Callable[[xr.Dataset, Exchange], xr.Dataset]
) -> xr.Dataset:
    """Simulated series and initial states of the exchange's own states alone."""
    if exchange.simulate:
        return states(towers, exchange)
    if not exchange.states:
        return towers.drop_vars(["simulated", "initial_state", "target", "stand"], errors="ignore")
    known = towers["target"].values.astype(str).tolist() if "target" in towers.coords else []
    unknown = [name for name in exchange.states if name not in known]
    if unknown:
        raise ValueError(
            f"exchange '{exchange.name}' has the state '{unknown[0]}', which the simulation of the run lacks (it has "
            f"{', '.join(known) or 'none'}); bring a simulation with it, or take the exchange out of exchanges"
        )
    return towers.sel(target=list(exchange.states))


def _on_axis(interim: xr.Dataset, towers: xr.Dataset) -> xr.Dataset:
    """Interim towers of the canonical sites and months; months they lack are missing and of no record."""
    chosen = interim.sel(site=towers["site"].values.astype(str))
    flags = {name: False for name, variable in chosen.data_vars.items() if variable.dtype == bool}
    numbered = chosen.assign_coords(time=month_number(chosen["time"].values))
    aligned = numbered.reindex(time=month_number(towers["time"].values), fill_value=flags)
    return aligned.assign_coords(time=towers["time"].values)
