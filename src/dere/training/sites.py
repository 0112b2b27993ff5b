"""Towers as training windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor

from dere.harmonise.label_months import usable
from dere.harmonise.windows import gather, site_window_drivers, window_index

MONTHS = 12


@dataclass
class SiteWindows:
    """Windows of towers, or of any places with the same inputs.

    Parameters
    ----------
    ids
        Site id per window.
    site, start
        (n,) row of the site and first month on the common axis.
    drivers, static
        (n, W, D), (n, S), physical.
    initial
        (n, 4, A, 10) simulated state of the month before the window.
    weights
        (n, A) age weights.
    ages
        (A,) years.
    start_fraction, fractions
        (n, 3) and (n, Y, 3) observed plant fractions before and within the window.
    flux, weight
        (n, W, 3) labels with zeros where missing, (n, W) quality weight, zero = no label.
    """

    ids: np.ndarray
    site: Tensor
    start: Tensor
    drivers: Tensor
    static: Tensor
    initial: Tensor
    weights: Tensor
    ages: Tensor
    start_fraction: Tensor
    fractions: Tensor
    flux: Tensor
    weight: Tensor

    def __len__(self) -> int:
        return len(self.ids)


def site_windows(towers: xr.Dataset, *, satellites: bool, minimum_quality: float) -> SiteWindows:
    """Assemble the canonical windows of all sites.

    Parameters
    ----------
    towers
        ``data/towers.nc``.
    satellites
        Whether the run has satellite channels.
    minimum_quality
        Months below it have no training label.
    """
    window = int(towers.attrs["window"])
    site = towers["window_site"].values.astype(int)
    start = towers["window_start"].values.astype(int)
    index = window_index(towers)
    drivers, _ = site_window_drivers(towers, satellites)
    flux = gather(towers["flux_value"].transpose("site", "time", "flux").values, site, index)
    quality = np.nan_to_num(gather(towers["flux_quality"].transpose("site", "time").values, site, index))
    good = usable(flux, quality, minimum_quality)
    first_year = pd.DatetimeIndex(towers["time"].values).year[0]
    known = towers["year"].values
    years = first_year + (start[:, None] + 6) // MONTHS + np.arange(window // MONTHS)
    fraction = towers["plant_fraction"].transpose("site", "year", "plant_type").values.astype(np.float32)

    def at(wanted: np.ndarray) -> np.ndarray:
        return np.searchsorted(known, wanted.clip(known.min(), known.max()))

    return SiteWindows(
        ids=towers["site"].values.astype(str)[site],
        site=torch.from_numpy(site),
        start=torch.from_numpy(start),
        drivers=torch.from_numpy(drivers.astype(np.float32)),
        static=torch.from_numpy(towers["static"].transpose("site", "attribute").values.astype(np.float32)[site]),
        initial=torch.from_numpy(
            towers["initial_state"].transpose("window", "stand", "age", "target").values.astype(np.float32)
        ),
        weights=torch.from_numpy(towers["age_weight"].transpose("site", "age").values.astype(np.float32)[site]),
        ages=torch.from_numpy(towers["age"].values.astype(np.float32)),
        start_fraction=torch.from_numpy(fraction[site, at(years[:, 0] - 1)]),
        fractions=torch.from_numpy(fraction[site[:, None], at(years)]),
        flux=torch.from_numpy(np.where(good[..., None], flux, 0.0).astype(np.float32)),
        weight=torch.from_numpy(np.where(good, quality, 0.0).astype(np.float32)),
    )


def select_sites(windows: SiteWindows, table: pd.DataFrame, role: str, labelled: bool = True) -> Tensor:
    """Indices of the windows of sites with ``role``; with ``labelled`` only those that hold a label.

    Raises
    ------
    ValueError
        When none is left.
    """
    ids = table.loc[(table["kind"] == "site") & (table["role"] == role), "id"]
    chosen = np.isin(windows.ids, ids.to_numpy(dtype=str))
    if labelled:
        chosen &= windows.weight.sum(1).numpy() > 0
    index = torch.from_numpy(np.flatnonzero(chosen))
    if not len(index):
        raise ValueError(f"no tower with the role '{role}' has a label in this fold; use fewer folds or more towers")
    return index
