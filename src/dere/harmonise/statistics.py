"""Mean and standard deviation for normalisation, from the training members of one fold only.

Each training member is read once and gives its count, mean and sum of squared deviations from that mean; these are put
together exactly (Chan, Golub & LeVeque 1983), so that large values with small spread lose nothing to cancellation. The
standard deviation is floored so that a constant channel becomes 0, and a value that differs from the training constant
stays of order one instead of exploding. Masks, flags and fractions keep mean 0 and standard deviation 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import loaded_blocks
from dere.exchange import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.drivers import driver_names, is_mask, stack
from dere.harmonise.label_months import labels_of, usable
from dere.harmonise.place_classes import with_class_attributes
from dere.harmonise.splits import roles
from dere.harmonise.statics import ATTRIBUTES, BINARY
from dere.ingest.alignment import require_same_axes

RELATIVE_FLOOR = 1e-6


@dataclass(frozen=True)
class Spread:
    """Count, mean, and sum of squared deviations from that mean, each (member, channel) in float64."""

    count: NDArray[np.float64]
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]

    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and floored standard deviation over all members."""
        count = np.maximum(self.count.sum(0), 1.0)
        mean = (self.count * self.mean).sum(0) / count
        variance = (self.squares + self.count * (self.mean - mean) ** 2).sum(0) / count
        return mean, floored(np.sqrt(variance), mean)


def joined(parts: list[Spread]) -> Spread:
    """Members of several parts below each other."""
    return Spread(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("count", "mean", "squares")))


def floored(std: NDArray, mean: NDArray) -> NDArray[np.float64]:
    """Standard deviation; where it vanishes beside the mean, the larger of 1 and |mean| instead."""
    scale = np.maximum(1.0, np.abs(mean))
    return np.where(std < RELATIVE_FLOOR * scale, scale, std)


def member_spread(values: NDArray, rows: NDArray | None = None) -> Spread:
    """Spread of each member of (member, ..., channel) over everything between; NaN does not count.

    Parameters
    ----------
    values
        (member, ..., channel).
    rows
        Members wanted; default all.
    """
    channels = values.shape[-1]
    chosen = np.arange(len(values)) if rows is None else rows
    result = np.zeros((3, len(chosen), channels))
    for index, row in enumerate(chosen):
        months = values[row].reshape(-1, channels).astype(np.float64)
        total = np.ones(len(months)) @ months
        if np.isfinite(total).all():
            result[0, index] = len(months)
            result[1, index] = total / len(months)
            months -= result[1, index]
        else:
            finite = np.isfinite(months)
            result[0, index] = finite.sum(0)
            result[1, index] = np.where(finite, months, 0.0).sum(0) / np.maximum(result[0, index], 1.0)
            months = np.where(finite, months - result[1, index], 0.0)
        result[2, index] = np.einsum("rc,rc->c", months, months)
    return Spread(*result)


def spread_of(dataset: xr.Dataset, wanted: NDArray, values: Callable[[xr.Dataset], NDArray]) -> Spread:
    """Spread of the wanted cells, block by block; blocks without any are not read.

    Parameters
    ----------
    dataset
        Over ``cell``; in memory or as dask arrays.
    wanted
        (cell,) bool.
    values
        Array (cell, ..., channel) of a block of the dataset.
    """
    parts = [
        member_spread(values(part), np.flatnonzero(wanted[block])) for block, part in loaded_blocks(dataset, wanted)
    ]
    return joined(parts)


def statistics(
    drivers: xr.Dataset,
    simulation: xr.Dataset | None,
    towers: xr.Dataset,
    splits: pd.DataFrame,
    fold: int,
    satellites: bool,
    minimum_quality: float,
    exchange: Exchange = CO2,
    channels: str = "none",
) -> xr.Dataset:
    """Statistics of one fold from its training cells and training towers.

    Parameters
    ----------
    drivers, simulation, towers, splits
        The canonical set; drivers and simulation may be dask arrays. The simulation is None for an exchange that has
        no states.
    fold
        Fold.
    satellites
        Whether the run has satellite channels.
    minimum_quality
        Tower months below it do not count.
    exchange
        Whose labels and states.
    channels
        Knowledge channels of the run, as in the configuration.

    Returns
    -------
    Dataset
        ``driver_mean/std(driver)``, ``static_mean/std(attribute)`` (training cells and towers),
        ``flux_mean/std(flux)`` (each flux's good months of training towers), ``target_mean/std(target)`` (the
        exchange's states over all stands and ages of training cells; without states its fluxes); attribute ``fold``.

    Raises
    ------
    ValueError
        When the fold has no training cell or no training tower with good months, or an exchange with states has no
        simulation.
    """
    if (simulation is None) == bool(exchange.states):
        raise ValueError(
            f"exchange '{exchange.name}' has {len(exchange.states)} simulated states and "
            f"{'no' if simulation is None else 'a'} simulation, both or neither are needed; correct the rule's input"
        )
    if simulation is not None:
        require_same_axes({"drivers.nc": drivers, "simulation.nc": simulation})
    table = roles(splits, fold)
    training = table[table["role"] == "training"]
    cells = pd.Index(drivers["cell"].values.astype(str)).isin(training.loc[training["kind"] == "cell", "id"])
    sites = pd.Index(towers["site"].values.astype(str)).isin(training.loc[training["kind"] == "site", "id"])
    flux, quality = labels_of(towers, exchange)
    fluxes = member_spread(np.where(usable(flux, quality, minimum_quality), flux, np.nan), np.flatnonzero(sites))
    fewest = int(fluxes.count.sum(0).min())
    if not cells.any() or not fewest:
        raise ValueError(
            f"fold {fold} has {cells.sum()} training cells and {sites.sum()} training towers with {fewest} good months "
            "of the flux that has fewest, at least one of each is needed; lower splits.folds (to 3 at least), or "
            "choose another splits.seed; a cell that holds a tower of another role trains nothing"
        )
    driver_set, classes = str(drivers.attrs["driver_set"]), exchange.class_attributes
    of_cells, of_sites = (
        with_class_attributes(data["static"].transpose(place, "attribute").values, data, exchange)[own, None]
        for data, place, own in ((drivers, "cell", cells), (towers, "site", sites))
    )
    monthly = drivers.drop_vars("static")
    parts = {
        "driver": (
            spread_of(monthly, cells, lambda part: stack(part, driver_set, satellites, channels)[0]),
            driver_names(driver_set, satellites, channels),
        ),
        "static": (joined([member_spread(of_cells), member_spread(of_sites)]), (*ATTRIBUTES, *classes)),
        "target": (
            spread_of(simulation[["state"]], cells, lambda p: p["state"].transpose("cell", ..., "target").values)
            if simulation is not None
            else fluxes,
            exchange.outputs,
        ),
        "flux": (fluxes, exchange.names),
    }
    result = xr.Dataset(attrs={"fold": fold, "training_cells": int(cells.sum()), "training_sites": int(sites.sum())})
    for name, (spread, labels) in parts.items():
        mean, std = spread.moments()
        dimension = "attribute" if name == "static" else name
        unscaled = np.array([is_mask(label) or label in (*BINARY, *classes) for label in labels])
        result = result.assign_coords({dimension: list(labels)})
        result[f"{name}_mean"] = (dimension, np.where(unscaled, 0.0, mean).astype(np.float32))
        result[f"{name}_std"] = (dimension, np.where(unscaled, 1.0, std).astype(np.float32))
    return result
