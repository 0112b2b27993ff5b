"""Stage 6: continue stage 4 on expanded labels, each month weighted by the inverse of its uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from dere.config.training import DereTowerConfig
from dere.harmonise.windows import gather
from dere.io import read_netcdf
from dere.models.dere import DereNetwork
from dere.models.likelihood import ModelError, negative_log_likelihood
from dere.training.candidates import options
from dere.training.cells import batches
from dere.training.context import Context
from dere.training.dere_towers import build, cache_pure, forward, load_pure
from dere.training.job import Job
from dere.training.loop import LossParts, freeze_parts
from dere.training.losses import pull, with_pull
from dere.training.sites import SiteWindows
from dere.training.snapshots import state_of
from dere.training.tower_data import draw_windows, flux_loss, load_towers, refit_on_all
from dere.variables import FLUXES, TARGETS

PAIR = ("nee", "reco")
PAIR_TARGETS = [TARGETS.index(name) for name in PAIR]
# Model error at the start, as a share of the flux's standard deviation; learned from there.
START_SHARE = 0.5
Loss = Callable[["UncertainNetwork", Tensor], LossParts]


class UncertainNetwork(nn.Module):
    """DERE and the covariance of its error."""

    def __init__(self, dere: DereNetwork, flux_std: Tensor) -> None:
        super().__init__()
        self.dere = dere
        self.error = ModelError(START_SHARE * flux_std[[FLUXES.index(name) for name in PAIR]])


def expanded_labels(labels: xr.Dataset, windows: SiteWindows) -> tuple[Tensor, Tensor, Tensor]:
    """Cut the expanded labels into windows.

    Returns
    -------
    tuple
        Labels (n, W, 2) of NEE and RECO, their covariance (n, W, 2, 2) and a mask (n, W), one where a month has a
        label. Windows of sites without labels have a mask of zeros.
    """
    order = {str(s): i for i, s in enumerate(labels["site"].values)}
    known = np.array([order.get(str(s), -1) for s in windows.ids])
    row, index = known.clip(0), windows.start.numpy()[:, None] + np.arange(windows.drivers.shape[1])
    pair = labels.sel(flux=list(PAIR), component=list(PAIR), component2=list(PAIR))
    value = gather(pair["label"].transpose("site", "time", "flux").values, row, index)
    covariance = pair["covariance"].transpose("site", "time", "component", "component2").values
    covariance = gather(covariance, row, index)
    origin = gather(pair["origin"].transpose("site", "time").values, row, index)
    mask = (origin > 0) & np.isfinite(value).all(-1) & (known >= 0)[:, None]
    return (
        torch.from_numpy(np.where(mask[..., None], value, 0.0).astype(np.float32)),
        torch.from_numpy(np.where(mask[..., None, None], covariance, 0.0).astype(np.float32)),
        torch.from_numpy(mask.astype(np.float32)),
    )


def train(job: Job) -> None:
    """Continue from stage 4 (defect 31); the checkpoint is chosen on observed months of the validation towers."""
    context = Context("uncertain", job)
    config = DereTowerConfig(**job.params["stage"])
    data = load_towers(context)
    labels, covariance, mask = expanded_labels(read_netcdf(Path(job.files["labels"])), data.windows)
    pure = cache_pure(load_pure(context), data.windows, torch.cat([data.training, data.validation]), context.device)
    dere = build(context, config.adapters)
    freeze_parts(dere, config.frozen)
    model = UncertainNetwork(dere, context.statistics.flux_std).to(context.device)
    context.load("towers", dere)
    after_refit = state_of(model)
    context.load("towers", dere, validated=True)
    before_refit = state_of(model)
    scale = data.site_scale.mean(-1) ** config.balance

    def loss(
        option: DereTowerConfig, start: Mapping[str, Tensor], network: UncertainNetwork, index: Tensor
    ) -> LossParts:
        targets, _ = forward(network.dere, data.windows, index, pure[index], context.device)
        if not network.training:
            return flux_loss(targets, data, index, config.balance)
        total = covariance[index].to(context.device) + network.error.covariance()
        residual = targets[..., PAIR_TARGETS] - labels[index].to(context.device)
        weight = (mask[index] * scale[index][:, None]).to(context.device)
        value = negative_log_likelihood(residual, total)
        parts = LossParts((weight * value).sum(), weight.sum())
        return with_pull(parts, pull(network.dere, start, option.pull))

    def loss_from(state: Mapping[str, Tensor]) -> Callable[[DereTowerConfig], Loss]:
        start = {name.removeprefix("dere."): value for name, value in state.items() if name.startswith("dere.")}
        return lambda option: partial(loss, option, start)

    context.fit_best(
        model,
        draw=lambda generator: draw_windows(data, config.batch, generator),
        validation=batches(data.validation, config.batch),
        loss_of=loss_from(before_refit),
        options=options(config),
        refit=refit_on_all(config, data, after_refit, loss_from(after_refit)),
    )
