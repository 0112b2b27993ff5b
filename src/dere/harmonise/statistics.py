"""Mean and standard deviation for normalisation, from the training members of one fold only.

Sums per member are made once and shared by the folds; a fold adds up those of its training members. The standard
deviation is floored so that a constant channel becomes 0, and a value that differs from the training constant stays
of order one instead of exploding. Masks, flags and fractions keep mean 0 and standard deviation 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.harmonise.drivers import is_mask, stack
from dere.harmonise.splits import roles
from dere.harmonise.statics import ATTRIBUTES, BINARY
from dere.variables import FLUXES, TARGETS

RELATIVE_FLOOR = 1e-6


@dataclass(frozen=True)
class Sums:
    """Count, sum and sum of squares per member, each (member, channel)."""

    count: NDArray[np.float64]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]

    def moments(self, chosen: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and floored standard deviation over the chosen members."""
        count = np.maximum(self.count[chosen].sum(0), 1.0)
        mean = self.total[chosen].sum(0) / count
        variance = np.maximum(self.squares[chosen].sum(0) / count - mean**2, 0.0)
        return mean, floored(np.sqrt(variance), mean)


def floored(std: NDArray, mean: NDArray) -> NDArray[np.float64]:
    """Standard deviation; where it vanishes beside the mean, the larger of 1 and |mean| instead."""
    scale = np.maximum(1.0, np.abs(mean))
    return np.where(std < RELATIVE_FLOOR * scale, scale, std)


def member_sums(values: NDArray) -> Sums:
    """Sums of (member, ..., channel) over everything between; NaN does not count."""
    channels = values.shape[-1]
    sums = np.zeros((3, len(values), channels))
    for index, member in enumerate(values):
        rows = member.reshape(-1, channels)
        finite = np.isfinite(rows)
        kept = np.where(finite, rows, 0.0).astype(np.float64)
        sums[0, index], sums[1, index] = finite.sum(0), kept.sum(0)
        sums[2, index] = np.einsum("rc,rc->c", kept, kept)
    return Sums(*sums)


@dataclass(frozen=True)
class Ingredients:
    """Sums of all members, ready for any fold; build with ``prepare``."""

    drivers: Sums
    cell_static: Sums
    site_static: Sums
    targets: Sums
    fluxes: Sums
    driver_names: tuple[str, ...]
    cells: NDArray
    sites: NDArray


def prepare(
    stacked: NDArray,
    names: tuple[str, ...],
    cells: xr.Dataset,
    state: xr.DataArray,
    towers: xr.Dataset,
    minimum_quality: float,
) -> Ingredients:
    """Sum up every member.

    Parameters
    ----------
    stacked, names
        Stacked drivers of the cells (cell, time, channel) and their names.
    cells
        Canonical drivers, for ``static(cell, attribute)``.
    state
        ``state(cell, stand, age, time, target)``.
    towers
        Canonical towers.
    minimum_quality
        Tower months below it do not count.
    """
    flux = towers["flux_value"].transpose("site", "time", "flux").values
    good = towers["flux_quality"].transpose("site", "time").values >= minimum_quality
    return Ingredients(
        drivers=member_sums(stacked),
        cell_static=member_sums(cells["static"].transpose("cell", "attribute").values[:, None]),
        site_static=member_sums(towers["static"].transpose("site", "attribute").values[:, None]),
        targets=member_sums(state.transpose("cell", ..., "target").values),
        fluxes=member_sums(np.where(good[..., None], flux, np.nan)),
        driver_names=names,
        cells=cells["cell"].values.astype(str),
        sites=towers["site"].values.astype(str),
    )


def statistics(
    drivers: xr.Dataset,
    simulation: xr.Dataset,
    towers: xr.Dataset,
    splits: pd.DataFrame,
    fold: int,
    satellites: bool,
    minimum_quality: float,
) -> xr.Dataset:
    """Statistics of one fold from the canonical set (``prepare`` and ``fold_statistics`` in one go)."""
    stacked, names = stack(drivers, str(drivers.attrs["driver_set"]), satellites)
    return fold_statistics(prepare(stacked, names, drivers, simulation["state"], towers, minimum_quality), splits, fold)


def fold_statistics(ingredients: Ingredients, splits: pd.DataFrame, fold: int) -> xr.Dataset:
    """Statistics of one fold from its training cells and training towers.

    Returns
    -------
    Dataset
        ``driver_mean/std(driver)``, ``static_mean/std(attribute)`` (training cells and towers),
        ``target_mean/std(target)`` (all stands and ages of training cells), ``flux_mean/std(flux)`` (good months of
        training towers); attribute ``fold``.

    Raises
    ------
    ValueError
        When the fold has no training cell or no training tower with good months.
    """
    table = roles(splits, fold)
    training = table[table["role"] == "training"]
    cells = np.isin(ingredients.cells, training.loc[training["kind"] == "cell", "id"])
    sites = np.isin(ingredients.sites, training.loc[training["kind"] == "site", "id"])
    if not cells.any() or not ingredients.fluxes.count[sites].sum():
        raise ValueError(
            f"fold {fold} has {cells.sum()} training cells and {sites.sum()} training towers with "
            f"{int(ingredients.fluxes.count[sites, :1].sum())} good months, at least one of each is "
            "needed; lower splits.folds"
        )
    both = Sums(
        *(
            np.concatenate(
                [getattr(ingredients.cell_static, part)[cells], getattr(ingredients.site_static, part)[sites]]
            )
            for part in ("count", "total", "squares")
        )
    )
    parts = {
        "driver": (ingredients.drivers.moments(cells), ingredients.driver_names),
        "static": (both.moments(np.ones(len(both.count), bool)), ATTRIBUTES),
        "target": (ingredients.targets.moments(cells), TARGETS),
        "flux": (ingredients.fluxes.moments(sites), FLUXES),
    }
    result = xr.Dataset(attrs={"fold": fold, "training_cells": int(cells.sum()), "training_sites": int(sites.sum())})
    for name, ((mean, std), labels) in parts.items():
        dimension = "attribute" if name == "static" else name
        unscaled = np.array([is_mask(label) or label in BINARY for label in labels])
        result = result.assign_coords({dimension: list(labels)})
        result[f"{name}_mean"] = (dimension, np.where(unscaled, 0.0, mean).astype(np.float32))
        result[f"{name}_std"] = (dimension, np.where(unscaled, 1.0, std).astype(np.float32))
    return result
