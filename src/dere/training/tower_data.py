"""What the tower stages share: loading, batches and the flux loss."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dere.io import read_netcdf
from dere.training.context import Context
from dere.training.loop import LossParts
from dere.training.losses import squared
from dere.training.sites import SiteWindows, select_sites, site_windows
from dere.variables import FLUXES, TARGETS

FLUX_INDEX = tuple(TARGETS.index(name) for name in FLUXES)


@dataclass
class TowerData:
    """Windows of one fold's towers with their roles; test towers are not in here."""

    windows: SiteWindows
    training: Tensor
    validation: Tensor
    flux_std: Tensor
    site_scale: Tensor


def load_towers(context: Context) -> TowerData:
    """Windows of the training and validation towers; labels of all other sites are removed at once."""
    harmonise = context.params["harmonise"]
    towers = read_netcdf(Path(context.files["towers"]))
    table = context.roles
    allowed = table.loc[(table["kind"] == "site") & table["role"].isin(["training", "validation"]), "id"]
    towers["flux_value"] = towers["flux_value"].where(towers["site"].isin(list(allowed)))
    windows = site_windows(
        towers,
        satellites=bool(harmonise["satellites"]),
        minimum_quality=float(harmonise["minimum_training_quality"]),
    )
    return TowerData(
        windows=windows,
        training=select_sites(windows, table, "training"),
        validation=select_sites(windows, table, "validation"),
        flux_std=context.statistics.flux_std,
        site_scale=_site_scale(windows, context.statistics.flux_std),
    )


def _site_scale(windows: SiteWindows, flux_std: Tensor) -> Tensor:
    """Weight of each window's squared error per flux, (n, 3): inverse variance within the site, mean one.

    The score is a median of per-tower efficiencies, so an error counts relative to the tower's own variability
    (Kratzert and others 2019, eq. 5); a quarter of the overall variance keeps flat towers from dominating.
    """
    has = (windows.weight > 0)[..., None].float()
    count = has.sum(1).clamp_min(1)
    mean = (windows.flux * has).sum(1) / count
    variance = (((windows.flux - mean[:, None]) ** 2) * has).sum(1) / count
    weight = flux_std**2 / (variance + 0.25 * flux_std**2)
    return weight / weight[windows.weight.sum(1) > 0].mean(0)


def flux_loss(prediction: Tensor, data: TowerData, index: Tensor, balance: float) -> LossParts:
    """Loss over GPP, RECO and NEE at observed months.

    Parameters
    ----------
    prediction
        (B, W, 10) physical targets.
    index
        Windows of the batch.
    balance
        0 = all months alike; 1 = relative to each tower's own variability.
    """
    device = prediction.device
    std = data.flux_std.to(device)
    weight = data.windows.weight[index][..., None] * data.site_scale[index][:, None] ** balance
    return squared(
        prediction[..., list(FLUX_INDEX)] / std, data.windows.flux[index].to(device) / std, weight.to(device)
    )


def draw_windows(data: TowerData, size: int, generator: torch.Generator) -> Tensor:
    """Draw training windows; a site with many windows is not drawn more often than one with few."""
    sites = data.windows.site[data.training]
    count = torch.bincount(sites)[sites].float()
    return data.training[torch.multinomial(1.0 / count, size, replacement=True, generator=generator)]
