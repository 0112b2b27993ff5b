"""``climatology``: the mean seasonal cycle of the plant class and climate, from the training towers.

Each training tower gives its own mean cycle, southern ones shifted by six months, and counts once. Class means are
shrunk towards the next coarser level: class within climate -> class -> all towers, as if ``PRIOR_TOWERS`` towers of
the coarser level had been seen; an absent class falls back by itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.evaluation.grouping import climate_group
from dere.evaluation.predictions import PREDICTED_ROLES, assemble, sites_with_role, training_rows
from dere.harmonise.axis import month_number
from dere.variables import FLUXES

PRIOR_TOWERS = 3.0
_HALF_YEAR = 6


def climatology_method(
    towers: xr.Dataset, members: pd.DataFrame, *, minimum_quality: float, fold: int, seed: int = 0
) -> xr.Dataset:
    """Predict test and predict sites by the cycle of their class and climate; every year is alike.

    Parameters
    ----------
    towers
        Canonical towers; reads the labels of training and validation towers only.
    members
        Roles of the fold.
    minimum_quality
        Months below it are not used.
    """
    training = training_rows(towers, members, minimum_quality)
    cycles = tower_cycles(training)
    lookup = class_cycles(cycles, *_classes(training))
    sites = sites_with_role(members, PREDICTED_ROLES)
    here = towers.sel(site=sites)
    month = _local_month(here)
    by_site = np.stack([lookup(igbp, climate) for igbp, climate in zip(*_classes(here), strict=True)])
    values = by_site[np.arange(len(sites))[:, None], month]
    gpp, reco = (values[..., FLUXES.index(name)] for name in ("gpp", "reco"))
    values[..., FLUXES.index("nee")] = reco - gpp
    return assemble(values, towers, sites, method="climatology", fold=fold, seed=seed)


def tower_cycles(training: xr.Dataset) -> NDArray[np.float64]:
    """Mean seasonal cycle of each tower on northern months, (site, 12, flux); NaN for months never seen."""
    flux = training["flux_value"].transpose("site", "time", "flux").values.astype(np.float64)
    month = _local_month(training)
    present = np.isfinite(flux).all(-1)
    cycles = np.full((flux.shape[0], 12, flux.shape[2]), np.nan)
    for calendar in range(12):
        chosen = present & (month == calendar)
        count = chosen.sum(1)
        total = np.where(chosen[..., None], flux, 0.0).sum(1)
        cycles[:, calendar] = total / np.where(count > 0, count, np.nan)[:, None]
    return cycles


def class_cycles(cycles: NDArray, igbp: list[str], climate: list[str]) -> Callable[[str, str], NDArray[np.float64]]:
    """Shrunk cycles by class.

    Parameters
    ----------
    cycles
        (site, 12, flux).
    igbp, climate
        Classes of the sites.

    Returns
    -------
    callable
        (igbp, climate) to (12, flux), without NaN.
    """
    everything = _fill_months(_mean(cycles)[0])
    classes, climates = np.asarray(igbp), np.asarray(climate)

    def lookup(one_igbp: str, one_climate: str) -> NDArray[np.float64]:
        of_class = _shrink(cycles[classes == one_igbp], everything)
        return _shrink(cycles[(classes == one_igbp) & (climates == one_climate)], of_class)

    return lookup


def _shrink(cycles: NDArray, prior: NDArray) -> NDArray:
    mean, count = _mean(cycles)
    total = np.where(count > 0, np.nan_to_num(mean) * count, 0.0)
    return (total + PRIOR_TOWERS * prior) / (count + PRIOR_TOWERS)


def _mean(cycles: NDArray) -> tuple[NDArray, NDArray]:
    finite = np.isfinite(cycles)
    count = finite.sum(0)
    return np.where(finite, cycles, 0.0).sum(0) / np.where(count > 0, count, np.nan), count


def _fill_months(cycle: NDArray) -> NDArray:
    """Calendar months that no tower has seen take the interpolation around the year."""
    filled = cycle.copy()
    for i in range(cycle.shape[1]):
        known = np.flatnonzero(np.isfinite(cycle[:, i]))
        around = np.concatenate([known - 12, known, known + 12])
        filled[:, i] = np.interp(np.arange(12), around, np.tile(cycle[known, i], 3))
    return filled


def _local_month(towers: xr.Dataset) -> NDArray[np.int64]:
    """Calendar month 0-11 of each site and time, southern sites shifted by half a year, (site, time)."""
    month = month_number(towers["time"].values)[None]
    return (month + _HALF_YEAR * (towers["lat"].values[:, None] < 0)) % 12


def _classes(towers: xr.Dataset) -> tuple[list[str], list[str]]:
    igbp = towers["igbp"].values.astype(str).tolist()
    return igbp, [climate_group(code) for code in towers["koppen"].values.astype(str)]
