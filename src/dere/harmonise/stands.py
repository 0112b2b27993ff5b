"""Pure samples for simulations that bring only mixtures: the dominance rule."""

from __future__ import annotations

import logging

import numpy as np
import xarray as xr

from dere.variables import PLANT_TYPES, STANDS

log = logging.getLogger(__name__)


def with_stands(simulation: xr.Dataset, threshold: float) -> tuple[xr.Dataset, dict[str, int]]:
    """Give a mixture-only simulation the four stands.

    The mixture of a cell and age counts as pure where one plant type's fraction, mean of the years, is above the
    threshold; elsewhere the pure state is NaN (no sample).

    Parameters
    ----------
    simulation
        ``state`` and ``initial_state`` with stands; with only "mixture" also ``plant_fraction``.
    threshold
        Smallest fraction of a pure sample.

    Returns
    -------
    simulation, counts
        With all of ``STANDS`` in order, and pure samples (cell and age) per plant type; empty counts when the
        simulation brought its own stands.

    Raises
    ------
    ValueError
        When fractions are missing, or a plant type has no pure sample.
    """
    stands = [str(name) for name in simulation["stand"].values]
    if set(stands) == set(STANDS):
        return simulation.sel(stand=list(STANDS)), {}
    if "plant_fraction" not in simulation:
        raise ValueError(
            f"the simulation has the stands {stands} and no plant_fraction, {list(STANDS)} or fractions are needed to "
            "find pure samples; add glob_F*.npy or the pure-stand files to its folder"
        )
    fraction = simulation["plant_fraction"].mean("year").transpose("cell", "age", "plant_type")
    counts, parts = {}, []
    mixture = simulation[["state", "initial_state"]].sel(stand="mixture")
    for plant_type in PLANT_TYPES:
        pure = (fraction.sel(plant_type=plant_type, drop=True) > threshold).drop_vars("stand", errors="ignore")
        counts[plant_type] = int(pure.sum())
        parts.append(mixture.where(pure).assign_coords(stand=plant_type))
    empty = [name for name, count in counts.items() if not count]
    if empty:
        raise ValueError(
            f"no cell and age has more than {threshold:g} of {empty[0]}, at least one pure sample per plant type is "
            "needed; lower harmonise.dominance"
        )
    log.info("pure samples above %g: %s", threshold, counts)
    stacked = xr.concat([*parts, mixture], dim="stand").transpose("cell", "stand", ...)
    rest = simulation.drop_vars(["state", "initial_state", "stand"])
    return rest.assign(stacked.astype(np.float32).data_vars), counts
