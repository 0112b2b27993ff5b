"""What figures take from the canonical towers: labelled fluxes, good months, example sites."""

from __future__ import annotations

import numpy as np
import xarray as xr

from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2

MINIMUM_QUALITY = 0.5
"""Months below this share of measured or well-filled data are drawn grey and left out of means."""


def labelled(dataset: xr.Dataset, name: str, exchange: Exchange = CO2) -> xr.DataArray:
    """Variable ``name`` with its ``flux`` axis labelled by the fluxes of the exchange.

    Raises
    ------
    ValueError
        When the variable is missing.
    """
    if name not in dataset.variables:
        raise ValueError(f"variable {name} is missing, only {sorted(map(str, dataset.data_vars))} are there; remake it")
    values = dataset[name]
    if values.coords.get("flux") is None or values.coords["flux"].ndim != 1:
        values = values.drop_vars("flux", errors="ignore").assign_coords(flux=list(exchange.names))
    return values.rename("values")


def good_months(towers: xr.Dataset, flux: str, exchange: Exchange = CO2) -> xr.DataArray:
    """Months with a usable label of good quality; (site, time) bool."""
    values, quality = (
        labelled(towers, name, exchange).sel(flux=flux, drop=True) for name in (TOWER_FLUX, "flux_quality")
    )
    return values.notnull() & (quality >= MINIMUM_QUALITY)


TOWER_FLUX = "flux_value"
"""Name of the label variable of the canonical towers."""


def example_sites(
    towers: xr.Dataset, candidates: np.ndarray, count: int, flux: str, exchange: Exchange = CO2
) -> list[str]:
    """Sites to show: the longest good record of each class first, then the next longest.

    Parameters
    ----------
    towers
        The canonical towers.
    candidates
        Site ids to choose from.
    count
        How many.
    flux
        Flux whose good months count.
    exchange
        What the towers measure.
    """
    known = [site for site in candidates if site in set(towers["site"].values)]
    months = good_months(towers, flux, exchange).sum("time").sel(site=known).to_series()
    months = months[months > 0].sort_index().sort_values(ascending=False, kind="stable")
    igbp = towers["igbp"].sel(site=months.index.to_numpy()).to_series()
    rank = igbp.groupby(igbp, sort=False).cumcount()
    order = sorted(range(len(months)), key=lambda i: (rank.iloc[i], i))
    return [str(months.index[i]) for i in order[:count]]
