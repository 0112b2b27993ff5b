"""A run of the process model averaged over the stand ages of each point: fluxes, stocks and what harvest takes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.variables import TARGETS

Array = NDArray[np.float64]

_READ = [TARGETS.index(name) for name in ("gpp", "ra", "rh", "lai", "soil_carbon")]


class AgeMeans(NamedTuple):
    """The process model with nature's parameters, averaged over stand ages: (point, time) or (point, plant_type)."""

    gpp: Array
    plants: Array
    soil: Array
    leaf_area: Array
    soil_carbon: Array
    plant_carbon: Array
    export: Array
    cover: Array


def mean_over_ages(run: xr.Dataset, age_weight: Array, days: Array) -> AgeMeans:
    """Fluxes (gC m-2 d-1), leaf area (m2 m-2), stocks at the start of each month (gC m-2) and cover."""
    state = run["state"].to_numpy()[:, 0][..., _READ].astype(np.float64)
    before = run["initial_state"].to_numpy()[:, 0][:, :, None, _READ].astype(np.float64)
    gpp, plants, soil, leaf_area, _ = np.einsum("patf,pa->fpt", state, age_weight)
    soil_carbon = 1000.0 * np.einsum(
        "pat,pa->pt", np.concatenate([before, state[:, :, :-1]], axis=2)[..., 4], age_weight
    )
    total = np.einsum("pat,pa->pt", run["total_carbon"].to_numpy()[:, 0], age_weight)
    export = gpp - plants - soil - np.diff(total, axis=1) / days
    covers = run["plant_fraction"].mean("year").to_numpy().astype(np.float64)
    cover = np.einsum("pak,pa->pk", covers, age_weight)
    return AgeMeans(gpp, plants, soil, leaf_area, soil_carbon, total[:, :-1] - soil_carbon, export, cover)
