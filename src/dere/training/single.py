"""Baseline and KGML: the comparison methods on one network (dere-reference 4.1)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from dere.config.training import PerAgeTrainingConfig, SingleTowerConfig
from dere.models.inputs import to_targets
from dere.models.single import SingleNetwork
from dere.training.candidates import options
from dere.training.cells import batches
from dere.training.context import Context
from dere.training.job import Job
from dere.training.loop import LossParts, freeze_parts
from dere.training.losses import pull, target_loss, with_pull
from dere.training.simulation import MIXTURE_ALONE, Batch, drawer, fixed_batches, load_cells
from dere.training.sites import SiteWindows
from dere.training.snapshots import state_of
from dere.training.tower_data import draw_windows, flux_loss, load_towers, refit_on_all
from dere.variables import MIXTURE


def forward(network: SingleNetwork, windows: SiteWindows, index: Tensor, per_age: bool, device: str) -> Tensor:
    """Targets (B, W, 10) of site windows.

    Parameters
    ----------
    per_age
        KGML: decode every age and sum with the age weights. Baseline: decode the age-weighted state once.
    """
    state, weights, ages = windows.initial[index, MIXTURE], windows.weights[index], windows.ages
    if not per_age:
        state = torch.einsum("bk,bkt->bt", weights, state)[:, None]
        ages = (weights * ages).sum(1, keepdim=True)
        weights = torch.ones(len(index), 1)
    inputs = (windows.drivers[index], windows.static[index], state, ages, weights)
    return network(*(x.to(device) for x in inputs))


def train_simulation(job: Job) -> None:
    """Pre-train KGML on mixtures of every age."""
    context = Context("kgml_simulation", job)
    config = PerAgeTrainingConfig(**job.params["stage"])
    windows, training, validation = load_cells(context, MIXTURE_ALONE)
    model = SingleNetwork(*context.network_arguments()).to(context.device)

    def loss(network: SingleNetwork, batch: Batch) -> LossParts:
        index, ages = batch
        drivers, static = (x.to(context.device) for x in windows.inputs(index))
        before, truth = (x.to(context.device) for x in windows.states(index, MIXTURE, ages))
        free = network.ages(drivers, static, before, windows.ages[ages].to(context.device))
        return target_loss(to_targets(free, network.normaliser.scale), truth, network.normaliser.target_std)

    context.fit(
        model,
        draw=drawer(training, config.batch, len(windows.ages), config.ages_per_step),
        validation=fixed_batches(validation, config.batch, len(windows.ages), config.ages_per_step),
        loss=loss,
        config=config,
    )


def train_towers(stage: str, job: Job) -> None:
    """Train on towers.

    Parameters
    ----------
    stage
        ``baseline`` (from scratch) or ``kgml_towers`` (from the pre-trained network).
    """
    context = Context(stage, job)
    config = SingleTowerConfig(**job.params["stage"])
    data = load_towers(context)
    model = SingleNetwork(*context.network_arguments())
    pretrained = "kgml_simulation" in job.parents
    if pretrained:
        context.load("kgml_simulation", model)
    freeze_parts(model, config.frozen)
    model.to(context.device)
    reference = {name: p.detach().clone() for name, p in model.named_parameters()} if pretrained else {}

    def loss(option: SingleTowerConfig, network: SingleNetwork, index: Tensor) -> LossParts:
        prediction = forward(network, data.windows, index, pretrained, context.device)
        parts = flux_loss(prediction, data, index, config.balance)
        return with_pull(parts, pull(network, reference, option.pull)) if network.training else parts

    def loss_of(option: SingleTowerConfig) -> Callable[[SingleNetwork, Tensor], LossParts]:
        return partial(loss, option)

    context.fit_best(
        model,
        draw=lambda generator: draw_windows(data, config.batch, generator),
        validation=batches(data.validation, config.batch),
        loss_of=loss_of,
        options=options(config),
        refit=refit_on_all(config, data, state_of(model), loss_of),
    )
