"""Stages and prediction of the methods on one network: baseline and KGML (Liu and others 2024 pre-train alike)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dere.config.per_age_training import PerAgeTrainingConfig
from dere.methods.outputs import predicted_series, rebuilt
from dere.methods.single_network import SingleNetwork
from dere.methods.single_settings import SingleTowerConfig
from dere.training import weights
from dere.training.averaging import closed_mean, counted
from dere.training.context import Context, choose_device
from dere.training.fitted import Fitted, Prediction
from dere.training.job import Job
from dere.training.loop import LossParts, freeze_parts
from dere.training.losses import pull, target_loss, with_pull
from dere.training.places import Places
from dere.training.simulation import MIXTURE_ALONE, Batch, CellData, drawer, fixed_batches, load_cells, reading_ahead
from dere.training.tower_data import Share, flux_loss, load_towers
from dere.training.tower_stage import TowerStage, fit_on_towers, trained_weights
from dere.training.windows import MIXTURE, Windows, windows_of

BATCH = 16
"""Windows predicted at a time."""


def forward(network: SingleNetwork, windows: Windows, index: Tensor, per_age: bool, device: str) -> Tensor:
    """Outputs (B, W, output) of windows.

    Parameters
    ----------
    per_age
        KGML: decode every age and sum with the age weights. Baseline: decode the age-weighted state once.
    """
    state, age_weight, ages = windows.before(index)[:, MIXTURE], windows.weights(index), windows.ages
    if not per_age:
        state = torch.einsum("bk,bkt->bt", age_weight, state)[:, None]
        ages = (age_weight * ages).sum(1, keepdim=True)
        age_weight = torch.ones(len(index), 1)
    inputs = (*windows.inputs(index), state, ages, age_weight)
    return network(*(x.to(device) for x in inputs))


def fit_simulation(job: Job) -> Fitted:
    """Pre-train the network on simulated mixtures of every age."""
    return pretrain(Context(job), load_cells(job, MIXTURE_ALONE))


def pretrain(context: Context, cells: CellData, weight: Tensor | None = None) -> Fitted:
    """Train the network on simulated mixtures of every age.

    Parameters
    ----------
    context
        Of the job.
    cells
        Windows of the simulation.
    weight
        (window, age) how much each simulated series counts; None = all alike.
    """
    config: PerAgeTrainingConfig = context.job.section
    windows, training, validation = cells
    model = SingleNetwork(context.blueprint).to(context.device)

    def loss(network: SingleNetwork, batch: Batch) -> LossParts:
        hidden, before, truth = decoded(network, windows, batch, context.device)
        own = None if weight is None else weight[batch.windows[:, None], batch.ages].to(context.device)
        return simulated_loss(network, hidden, before, truth, own)

    every = len(windows.ages)
    return context.fit(
        model,
        draw=reading_ahead(drawer(training, config.batch, every, config.ages_per_step), windows),
        validation=fixed_batches(validation, config.batch, every, config.ages_per_step),
        loss=loss,
        config=config,
    )


def decoded(network: SingleNetwork, windows: Windows, batch: Batch, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Hidden sequences (B·k, W, width) of simulated windows, the states before them and those within them."""
    index, ages = batch
    drivers, static = (x.to(device) for x in windows.inputs(index))
    before, truth = (x.to(device) for x in windows.states(index, MIXTURE, ages))
    return network.hidden(drivers, static, before, windows.ages[ages].to(device)), before, truth


def simulated_loss(
    network: SingleNetwork, hidden: Tensor, before: Tensor, truth: Tensor, weight: Tensor | None = None
) -> LossParts:
    """Loss over what the simulation gives.

    Parameters
    ----------
    hidden, before, truth
        As from `decoded`.
    weight
        (B, k) how much each series counts; None = all alike.
    """
    normaliser = network.normaliser
    own = None if weight is None else weight[..., None, None]
    return target_loss(normaliser.outputs(network.read(hidden, before)), truth, normaliser.target_std, own)


def fit_towers(job: Job, pretrained: str | None) -> Fitted:
    """Train on towers.

    Parameters
    ----------
    pretrained
        Stage to start from, whose every age is decoded; None = from scratch, one decoding.
    """
    context = Context(job)
    config: SingleTowerConfig = job.section
    data = load_towers(context)

    def make(member: int) -> SingleNetwork:
        model = SingleNetwork(context.blueprint)
        if pretrained:
            context.load(pretrained, model, member=member)
        freeze_parts(model, config.frozen)
        return model

    def loss(
        option: SingleTowerConfig, network: SingleNetwork, index: Tensor, share: Share, start: Mapping[str, Tensor]
    ) -> LossParts:
        prediction = forward(network, data.windows, index, bool(pretrained), context.device)
        parts = flux_loss(prediction, data, index, option.balance, share)
        return with_pull(parts, pull(network, start, option.pull)) if network.training else parts

    reference = trained_weights if pretrained else lambda network: {}
    return fit_on_towers(context, data, TowerStage(make, loss, reference), config)


def predict(fitted: Fitted, places: Places, *, per_age: bool, unseen: bool, gpu: int) -> Prediction:
    """Predict places with the network of a tower stage; ``per_age`` as in `forward`."""
    device = choose_device(gpu)
    windows = windows_of(places)
    series = [_series(fitted.member(m), places, windows, per_age, unseen, device) for m in range(fitted.members)]
    exchange = rebuilt(fitted.member(0)).exchange
    return Prediction(*closed_mean(series, counted(fitted, places, unseen), exchange))


def _series(
    fitted: Fitted, places: Places, windows: Windows, per_age: bool, unseen: bool, device: str
) -> NDArray[np.float64]:
    """Fluxes (place, time, flux) by one network."""
    blueprint = rebuilt(fitted)
    network = weights.load(SingleNetwork(blueprint), fitted, unseen).to(device).eval()
    with torch.no_grad():
        parts = [
            forward(network, windows, index, per_age, device).cpu() for index in torch.arange(len(windows)).split(BATCH)
        ]
    return predicted_series(torch.cat(parts).numpy(), places, blueprint.exchange)
