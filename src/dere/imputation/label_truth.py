"""Labels of towers against the truth, where the built-in world has it: observed months and those that were filled."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from dere.imputation.origins import NOTHING, OBSERVED, PARTLY
from dere.imputation.scores import Gap, gap_sums
from dere.variables import FLUXES

OBSERVED_MONTHS, FILLED_MONTHS = "observed", "filled"
LABELS = "labels"
"""Name of what is scored: the trajectories of labels, which scatter around observations too."""


def label_sums(labels: xr.Dataset, truth: xr.Dataset) -> pd.DataFrame:
    """Add up the errors of labels against the truth.

    Parameters
    ----------
    labels
        From `dere.imputation.labels.impute`.
    truth
        ``tower_flux(tower, time, flux)``, gC m-2 d-1.

    Returns
    -------
    DataFrame
        Rows of `dere.imputation.scores.gap_sums` of the kinds "observed" (years: wholly observed ones) and "filled"
        (years: those that hold a filled month). Of months with NEE alone, NEE is observed and the rest filled.
    """
    fluxes = list(FLUXES)
    real = truth["tower_flux"].sel(tower=labels["site"].values, flux=fluxes).transpose("tower", "time", "flux")
    if not np.array_equal(real["time"].values, labels["time"].values):
        raise ValueError("truth.nc and labels.nc have other months; run harmonise again")
    drawn = labels["sample"].sel(flux=fluxes).transpose("site", "sample", "time", "flux").values.astype(float)
    origin, year = labels["origin"].transpose("site", "time").values, labels["time"].dt.year.values
    seen = np.repeat((origin == OBSERVED)[..., None], len(fluxes), -1)
    seen[..., fluxes.index("nee")] |= origin == PARTLY
    filled = (origin != NOTHING)[..., None] & ~seen
    gaps = []
    for at, site in enumerate(labels["site"].values.astype(str)):
        flux = real.values[at].astype(float)
        known = np.zeros_like(flux, bool)
        for kind, scored, years in (
            (OBSERVED_MONTHS, seen[at], seen[at]),
            (FILLED_MONTHS, filled[at], seen[at] | filled[at]),
        ):
            within = np.where(years, flux, np.nan)
            gaps.append(Gap(site, kind, year, within, scored, {LABELS: drawn[at]}, known))
    return gap_sums(gaps)
