"""What the tower stages share: loading, batches and the flux loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dere.io import read_netcdf
from dere.training.candidates import Towers
from dere.training.context import Context, Refit
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
    training = select_sites(windows, table, "training")
    return TowerData(
        windows=windows,
        training=training,
        validation=select_sites(windows, table, "validation"),
        flux_std=context.statistics.flux_std,
        site_scale=_site_scale(windows, training, context.statistics.flux_std),
    )


def _site_scale(windows: SiteWindows, training: Tensor, flux_std: Tensor) -> Tensor:
    """Weight of each window's squared error per flux, (n, 3): inverse variance within the site, mean one in training.

    The score is a median of per-tower efficiencies, so an error counts relative to the tower's own variability
    (Kratzert and others 2019, eq. 5); a quarter of the overall variance keeps flat towers from dominating.
    """
    has = (windows.weight > 0)[..., None].float()
    count = has.sum(1).clamp_min(1)
    mean = (windows.flux * has).sum(1) / count
    variance = (((windows.flux - mean[:, None]) ** 2) * has).sum(1) / count
    weight = flux_std**2 / (variance + 0.25 * flux_std**2)
    return weight / weight[training].mean(0)


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


def draw_windows(data: TowerData, size: int, generator: torch.Generator, both: bool = False) -> Tensor:
    """Draw windows of training towers, or with ``both`` also of validation towers.

    A site with many windows is not drawn more often than one with few.
    """
    members = torch.cat([data.training, data.validation]) if both else data.training
    sites = data.windows.site[members]
    count = torch.bincount(sites)[sites].float()
    return members[torch.multinomial(1.0 / count, size, replacement=True, generator=generator)]


def refit_on_all(
    config: Towers,
    data: TowerData,
    start: Mapping[str, Tensor],
    loss_of: Callable[[Towers], Callable[[Any, Any], LossParts]],
) -> Refit[Towers] | None:
    """How the stage is trained once more from ``start`` on training and validation towers; None if not configured."""
    if not config.refit:
        return None
    return Refit(start, lambda generator: draw_windows(data, config.batch, generator, both=True), loss_of)
