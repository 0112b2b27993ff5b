"""Stage 6: continue stage 4 on expanded labels, each month weighted by the inverse of its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from dere.exchange import Exchange
from dere.io import read_netcdf
from dere.methods.dere.networks.dere import DereNetwork
from dere.methods.dere.networks.likelihood import ModelError, negative_log_likelihood
from dere.methods.dere.settings import DereTowerConfig
from dere.methods.dere.site import cache_fractions, cache_pure, forward, load_pure
from dere.training.context import Context
from dere.training.fitted import Fitted
from dere.training.job import Job
from dere.training.loop import LossParts, freeze_parts
from dere.training.losses import pull, with_pull
from dere.training.tower_data import Share, flux_loss, load_towers
from dere.training.tower_stage import TowerStage, fit_on_towers, trained_weights
from dere.training.windows import Windows

# Model error at the start, as a share of the flux's standard deviation; learned from there.
START_SHARE = 0.5


class UncertainNetwork(nn.Module):
    """DERE and the covariance of its error.

    Parameters
    ----------
    dere
        Network at sites.
    flux_std
        (flux,) standard deviation of the training labels.
    exchange
        Its basis are the fluxes whose errors vary together, NEE and RECO.
    """

    def __init__(self, dere: DereNetwork, flux_std: Tensor, exchange: Exchange) -> None:
        super().__init__()
        self.dere = dere
        self.error = ModelError(START_SHARE * flux_std[exchange.index(exchange.basis)])


def expanded_labels(labels: xr.Dataset, windows: Windows, exchange: Exchange) -> tuple[Tensor, Tensor, Tensor]:
    """Cut the expanded labels into windows.

    Returns
    -------
    tuple
        Labels (window, W, 2) of NEE and RECO, their covariance (window, W, 2, 2) and a mask (window, W), one where a
        month has a label. Windows of sites without labels have a mask of zeros.
    """
    order = {str(s): i for i, s in enumerate(labels["site"].values)}
    known = np.array([order.get(str(site), -1) for site in windows.ids])[windows.place.numpy()]
    row, months = known.clip(0)[:, None], windows.months(torch.arange(len(windows))).numpy()
    basis = list(exchange.basis)
    pair = labels.sel(flux=basis, component=basis, component2=basis)
    value = pair["label"].transpose("site", "time", "flux").values[row, months]
    covariance = pair["covariance"].transpose("site", "time", "component", "component2").values[row, months]
    origin = pair["origin"].transpose("site", "time").values[row, months]
    mask = (origin > 0) & np.isfinite(value).all(-1) & (known >= 0)[:, None]
    return (
        torch.from_numpy(np.where(mask[..., None], value, 0.0).astype(np.float32)),
        torch.from_numpy(np.where(mask[..., None, None], covariance, 0.0).astype(np.float32)),
        torch.from_numpy(mask.astype(np.float32)),
    )


def fit(job: Job) -> Fitted:
    """Continue from stage 4; the weights are chosen on observed months of towers that they did not see."""
    context = Context(job)
    config: DereTowerConfig = job.section
    exchange = job.exchange
    basis = exchange.of_outputs(exchange.basis)
    data = load_towers(context)
    labels, covariance, mask = expanded_labels(read_netcdf(job.files["labels"]), data.windows, exchange)
    pure = cache_pure(load_pure(context), data.windows, data.labelled(), context.device)

    def make(member: int, unseen: bool = True) -> UncertainNetwork:
        dere = DereNetwork(context.blueprint, config.adapters, config.head)
        context.load("towers", dere, unseen, member)
        freeze_parts(dere, config.frozen)
        return UncertainNetwork(dere, context.statistics.flux_std, exchange)

    fractions = cache_fractions(lambda: make(0).dere, data.windows, data.labelled(), context.device, config.frozen)

    def loss(
        option: DereTowerConfig, network: UncertainNetwork, index: Tensor, share: Share, start: Mapping[str, Tensor]
    ) -> LossParts:
        yearly = None if fractions is None else fractions[index]
        outputs, _ = forward(network.dere, data.windows, index, pure[index], context.device, yearly)
        if not network.training:
            return flux_loss(outputs, data, index, option.balance, share)
        total = covariance[index].to(context.device) + network.error.covariance()
        residual = outputs[..., basis] - labels[index].to(context.device)
        scale = share.scale.mean(-1) ** option.balance * share.cluster
        weight = (mask[index] * scale[:, None]).to(context.device)
        value = negative_log_likelihood(residual, total)
        parts = LossParts((weight * value).sum(), weight.sum())
        return with_pull(parts, pull(network.dere, start, option.pull))

    stage = TowerStage(
        make, loss, lambda network: trained_weights(network.dere), refitted=lambda: make(0, unseen=False)
    )
    return fit_on_towers(context, data, stage, config)
