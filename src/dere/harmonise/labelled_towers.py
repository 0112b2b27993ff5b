"""Towers with the labels of an exchange, and which of them have enough to be learned from."""

from __future__ import annotations

import logging

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.config.harmonise import HarmoniseConfig
from dere.exchange import Exchange
from dere.harmonise.column_labels import column_labels
from dere.harmonise.label_months import labels_of, usable
from dere.harmonise.labels import OUTSIDE, Labels
from dere.harmonise.odd_months import OddRule

log = logging.getLogger(__name__)


def labelled_towers(
    towers: xr.Dataset, raw: xr.Dataset, exchange: Exchange, config: HarmoniseConfig
) -> tuple[xr.Dataset, Labels]:
    """Add labels and ``kind``; a flux with too few good months at a site has no labels there.

    Parameters
    ----------
    towers
        Towers with drivers and ``record`` (site, time).
    raw
        Interim towers of the same sites and months.
    exchange
        Whose labels.
    config
        Least quality and months, limits of the rule.

    Returns
    -------
    tuple
        Towers with ``flux_value``, ``flux_uncertainty``, ``flux_quality`` and what else the rule gives, and coordinate
        ``kind``: tower where any flux has labels, else predict; the labels with their counts and odd months.
    """
    labels = _labels(raw, exchange, config, towers["record"].transpose("site", "time").values.astype(bool))
    beyond = labels.counts[labels.counts["reason"] == OUTSIDE]
    if len(beyond):
        log.warning(
            "%d labelled months of %d of %d towers lie outside the simulation's months and are left out",
            beyond["months"].sum(),
            beyond["site"].nunique(),
            towers.sizes["site"],
        )
    if len(labels.odd):
        log.warning(
            "%d values of %d towers do not fit the tower's own record and are %s; look at tables/odd_months.csv",
            len(labels.odd),
            labels.odd["site"].nunique(),
            "left out" if config.odd_months == "leave_out" else "kept",
        )
    towers = towers.assign(labels.dataset.data_vars)
    good = usable(*labels_of(towers, exchange), config.minimum_training_quality).sum(1)
    enough = good >= config.minimum_labelled_months
    few = towers["site"].values[~enough.any(1) & (good > 0).any(1)]
    if len(few):
        log.warning(
            "%d sites have fewer than %d good months and count as sites without labels (%s)",
            len(few),
            config.minimum_labelled_months,
            ", ".join(few[:5]),
        )
    some = xr.DataArray(enough, dims=("site", "flux"), coords={"flux": list(exchange.names)})
    for name in [name for name in ("flux_value", "flux_uncertainty", "flux_odd") if name in towers]:
        towers[name] = towers[name].where(some).transpose("site", "time", "flux")
    kind = np.where(enough.any(1), "tower", "predict").astype(object)
    return towers.assign_coords(kind=("site", kind)), labels


def _labels(raw: xr.Dataset, exchange: Exchange, config: HarmoniseConfig, reached: NDArray[np.bool_]) -> Labels:
    """Labels by the exchange's own maker, or from its columns."""
    if not exchange.labels.make:
        return column_labels(raw, exchange, config.repeated_run, reached)
    rule = {"odd": OddRule(config.minimum_training_quality, config.odd_months == "leave_out")}
    made: Labels = exchange.labels.maker()(
        raw,
        config.maximum_closure_residual,
        config.repeated_run,
        reached,
        **(rule if exchange.labels.odd_months else {}),
    )
    return made
