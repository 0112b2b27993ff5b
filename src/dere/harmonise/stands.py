"""Pure samples for simulations that bring only mixtures: the dominance rule."""

from __future__ import annotations

import logging

import numpy as np
import xarray as xr

from dere.blocks import loaded_blocks
from dere.variables import PLANT_TYPES, STANDS

log = logging.getLogger(__name__)


def pure_samples(simulation: xr.Dataset, threshold: float) -> xr.DataArray | None:
    """Which cells and ages are pure, bool (cell, age, plant_type) in memory; None when all stands are there.

    The mixture of a cell and age counts as pure where one plant type's fraction, mean of the years, is above the
    threshold.

    Parameters
    ----------
    simulation
        ``stand``; with only "mixture" also ``plant_fraction``.
    threshold
        Smallest fraction of a pure sample.

    Raises
    ------
    ValueError
        When fractions are missing, or a plant type has no pure sample.
    """
    stands = [str(name) for name in simulation["stand"].values]
    if set(stands) == set(STANDS):
        return None
    if "plant_fraction" not in simulation:
        raise ValueError(
            f"the simulation has the stands {stands} and no plant_fraction, {list(STANDS)} or fractions are needed to "
            "find pure samples; add glob_F*.npy or the pure-stand files to its folder"
        )
    fractions = simulation[["plant_fraction"]].transpose("cell", "age", "year", "plant_type")
    means = [part["plant_fraction"].mean("year") for _, part in loaded_blocks(fractions)]
    pure = xr.concat(means, dim="cell").sel(plant_type=list(PLANT_TYPES)) > threshold
    if "pure_sample" in simulation:
        # the source says which they are; a type it has no sample of keeps the dominance rule
        named = simulation["pure_sample"].transpose("cell", "age", "plant_type").sel(plant_type=list(PLANT_TYPES))
        named = named.compute().astype(bool)
        pure = named.where(named.any(["cell", "age"]), pure).astype(bool)
        found = {name: int(named.sel(plant_type=name).sum()) for name in PLANT_TYPES}
        log.info("pure samples named by the source: %s", found)
    counts = {name: int(pure.sel(plant_type=name).sum()) for name in PLANT_TYPES}
    empty = [name for name, count in counts.items() if not count]
    if empty:
        raise ValueError(
            f"no cell and age has more than {threshold:g} of {empty[0]}, at least one pure sample per plant type is "
            "needed; lower harmonise.dominance"
        )
    log.info("pure samples (those that the source does not name are above %g): %s", threshold, counts)
    return pure.drop_vars("stand", errors="ignore")


def masked_stands(simulation: xr.Dataset, pure: xr.DataArray | None) -> xr.Dataset:
    """The four stands in order: those of the simulation, or its mixture where ``pure`` (see ``pure_samples``).

    Elsewhere the pure state is NaN (no sample). Dask arrays stay dask arrays.
    """
    if pure is None:
        stands = [str(name) for name in simulation["stand"].values]
        return simulation if stands == list(STANDS) else simulation.sel(stand=list(STANDS))
    mixture = simulation[["state", "initial_state"]].sel(stand=["mixture"])
    parts = [
        mixture.where(pure.sel(plant_type=name, drop=True)).transpose("cell", "stand", ...).assign_coords(stand=[name])
        for name in PLANT_TYPES
    ]
    joined = xr.concat([*parts, mixture.transpose("cell", "stand", ...)], dim="stand")
    rest = simulation.drop_vars(["state", "initial_state", "stand"])
    return rest.assign(joined.astype(np.float32, copy=False).data_vars)
