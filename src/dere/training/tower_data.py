"""What the stages that learn from towers share: loading, batches and the flux loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dere.io import read_netcdf
from dere.training.candidates import Towers
from dere.training.context import Context, Refit
from dere.training.loop import LossParts
from dere.training.losses import squared
from dere.training.read_places import Labels, label_uncertainty, site_labels, site_places
from dere.training.roles import TRAINED
from dere.training.windows import Windows, select, windows_of


class Share(NamedTuple):
    """How much the windows of a batch count.

    Parameters
    ----------
    scale
        (B, flux) weight of the squared error relative to the tower's own variability.
    cluster
        (B,) weight of the window's cluster; zero = left out.
    """

    scale: Tensor
    cluster: Tensor


@dataclass
class TowerData:
    """Windows of one fold's towers with their roles; test towers have no label in here.

    Parameters
    ----------
    windows
        Of all sites.
    training, validation
        Indices of the windows with labels.
    flux_std
        (flux,) standard deviation of the training labels.
    site_scale
        (window, flux) weight of the squared error.
    channels
        Positions of the fluxes among a network's outputs.
    """

    windows: Windows
    training: Tensor
    validation: Tensor
    flux_std: Tensor
    site_scale: Tensor
    channels: list[int]

    def share(self, index: Tensor) -> Share:
        """Return how much windows ``index`` count where no cluster is left out."""
        return Share(self.site_scale[index], torch.ones(len(index)))

    def labelled(self) -> Tensor:
        """Windows with labels of training and validation towers."""
        return torch.cat([self.training, self.validation])


def load_towers(context: Context, model_error: float | None = None) -> TowerData:
    """Windows of all sites with the labels of training and validation towers; all other labels stay behind.

    Parameters
    ----------
    model_error
        Weigh labels by their errors, see `by_errors`; None = by their quality alone.
    """
    job, exchange = context.job, context.job.exchange
    towers = read_netcdf(job.files["towers"])
    labels = site_labels(towers, job.allowed(*TRAINED), job.windows.minimum_training_quality, exchange)
    if model_error is not None:
        labels = by_errors(
            labels, label_uncertainty(towers, exchange), model_error, context.statistics.flux_std.numpy()
        )
    places = site_places(
        towers, job.roles, satellites=job.windows.satellites, channels=job.windows.channels, exchange=exchange
    )
    windows = windows_of(places, labels)
    training, validation = (select(windows, job.roles, "site", role, labelled=True) for role in TRAINED)
    flux_std = context.statistics.flux_std
    scale = site_scale(windows, training, flux_std)
    return TowerData(windows, training, validation, flux_std, scale, exchange.of_outputs(exchange.names))


def by_errors(
    labels: Labels, uncertainty: NDArray[np.floating] | None, model_error: float, flux_std: NDArray[np.floating]
) -> Labels:
    """Labels that weigh by quality and by the inverse of the variance of their random error and the model's.

    The mean weight of each flux stays. A label whose error is not stated has the mean variance of those of its flux;
    where none is stated, weights stay as they are.

    Parameters
    ----------
    labels
        (place, time, flux).
    uncertainty
        (place, time, flux) standard deviation of the labels' random error, NaN = not stated; None = nowhere.
    model_error
        Standard deviation of the model's error, as a share of the flux's.
    flux_std
        (flux,).
    """
    if uncertainty is None:
        return labels
    quality = labels.quality.copy()
    for number, std in enumerate(flux_std):
        has = np.isfinite(labels.flux[..., number])
        variance = uncertainty[..., number][has].astype(np.float64) ** 2
        stated = np.isfinite(variance)
        if not stated.any():
            continue
        variance = np.where(stated, variance, variance[stated].mean())
        own = quality[..., number][has]
        weight = own / (variance + (model_error * std) ** 2)
        quality[..., number][has] = weight * own.sum() / weight.sum()
    return Labels(labels.flux, quality)


def site_scale(windows: Windows, training: Tensor, flux_std: Tensor) -> Tensor:
    """Weight of each window's squared error per flux, (window, flux): inverse variance within the site.

    Its mean over the training windows that hold labels of the flux is one, and so is the weight of a window without.
    The score is a median of per-tower efficiencies, so an error counts relative to the tower's own variability
    (Kratzert and others 2019, eq. 5); a quarter of the overall variance keeps flat towers from dominating.
    """
    flux, label_weight = windows.labels(torch.arange(len(windows)))
    has = (label_weight > 0).float()
    count = has.sum(1).clamp_min(1)
    mean = (flux * has).sum(1) / count
    variance = (((flux - mean[:, None]) ** 2) * has).sum(1) / count
    weight = flux_std**2 / (variance + 0.25 * flux_std**2)
    some = has.any(1)
    mean_weight = torch.where(some, weight, 0.0)[training].sum(0) / some[training].sum(0)
    return torch.where(some, weight / mean_weight, 1.0)


def flux_loss(prediction: Tensor, data: TowerData, index: Tensor, balance: float, share: Share) -> LossParts:
    """Loss over the fluxes, each at its own observed months.

    Parameters
    ----------
    prediction
        (B, W, output) physical.
    index
        Windows of the batch.
    balance
        0 = all months alike; 1 = relative to each tower's own variability.
    share
        How much these windows count.
    """
    device = prediction.device
    std = data.flux_std.to(device)
    flux, label_weight = data.windows.labels(index)
    weight = label_weight * share.scale[:, None] ** balance * share.cluster[:, None, None]
    return squared(prediction[..., data.channels] / std, flux.to(device) / std, weight.to(device))


def draw_windows(data: TowerData, size: int, generator: torch.Generator, both: bool = False) -> Tensor:
    """Draw windows of training towers, or with ``both`` also of validation towers.

    A site with many windows is not drawn more often than one with few.
    """
    drawn = data.labelled() if both else data.training
    sites = data.windows.place[drawn]
    count = torch.bincount(sites)[sites].float()
    return drawn[torch.multinomial(1.0 / count, size, replacement=True, generator=generator)]


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
