"""``simulation``: the raw process model at the tower, no learning; what the simulation alone is worth."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from dere.evaluation.predictions import PREDICTED_ROLES, assemble, sites_with_role
from dere.variables import FLUXES


def simulation_method(towers: xr.Dataset, members: pd.DataFrame, *, fold: int, seed: int = 0) -> xr.Dataset:
    """Prediction of the process model for test and predict sites.

    NEE is computed again as RECO - GPP, because the difference of two float32 numbers of the simulation closes only
    to their rounding.

    Parameters
    ----------
    towers
        Canonical towers with ``simulated(site, time, target)``.
    members
        Roles of the fold.
    """
    sites = sites_with_role(members, PREDICTED_ROLES)
    simulated = towers["simulated"].sel(site=sites, target=list(FLUXES)).transpose("site", "time", "target")
    values = simulated.values.astype("float64")
    values[..., FLUXES.index("nee")] = values[..., FLUXES.index("reco")] - values[..., FLUXES.index("gpp")]
    return assemble(values, towers, sites, method="simulation", fold=fold, seed=seed)
