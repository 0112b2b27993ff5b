"""Stages 1b and 2: the competition network, first per age, then on age-weighted sums."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from dere.config.per_age_training import PerAgeTrainingConfig
from dere.config.training import TrainingConfig
from dere.methods.dere.frozen import FrozenOutputs
from dere.methods.dere.networks.competition import CompetitionNetwork
from dere.methods.dere.networks.pure import PureNetwork
from dere.training.context import Context
from dere.training.fitted import Fitted
from dere.training.job import Job
from dere.training.loop import LossParts, freeze
from dere.training.losses import target_loss
from dere.training.simulation import Batch, drawer, fixed_batches, load_cells, memory_of, reading_ahead
from dere.training.windows import MIXTURE, Windows

Sample = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
Pure = Callable[[Tensor], Tensor]
"""Weighted pure sums (B, A, W, 7) of windows."""


def per_age(windows: Windows, pure: Pure, index: Tensor, ages: Tensor) -> Sample:
    """Weighted pure sums, states before, ages, fractions and truth of single ages (stage 1b)."""
    before, truth = windows.states(index, MIXTURE, ages)
    _, fractions = windows.simulated_fractions(index)
    weighted = pure(index)[:, ages]
    return weighted, before, windows.ages[ages], fractions[:, ages].repeat_interleave(12, dim=2), truth


def age_weighted(windows: Windows, pure: Pure, index: Tensor, ages: Tensor) -> Sample:
    """The same, summed over the cell's observed age distribution (stage 2); ``ages`` is not used."""
    every = torch.arange(len(windows.ages))
    weighted, before, years, fractions, truth = per_age(windows, pure, index, every)
    weight = windows.weights(index)

    def total(x: Tensor) -> Tensor:
        return torch.einsum("bk,bk...->b...", weight, x)[:, None]

    return total(weighted), total(before), (weight * years).sum(1, keepdim=True), total(fractions), total(truth)


def fit_mixture(job: Job) -> Fitted:
    """Stage 1b: single ages of mixtures."""
    config: PerAgeTrainingConfig = job.section
    return _fit(job, per_age, config.ages_per_step)


def fit_age(job: Job) -> Fitted:
    """Stage 2: sums over the observed age distribution, which need every age; continues from stage 1b."""
    return _fit(job, age_weighted, None)


def _fit(job: Job, assemble: Callable[[Windows, Pure, Tensor, Tensor], Sample], ages_per_step: int | None) -> Fitted:
    """Train the competition network; the pure stands stay frozen and are evaluated once.

    Parameters
    ----------
    assemble
        `per_age` or `age_weighted`.
    ages_per_step
        Stand ages drawn per step; None = all.
    """
    context = Context(job)
    config: TrainingConfig = job.section
    windows, training, validation = load_cells(job)
    pure = freeze(context.load("pure", PureNetwork(context.blueprint)).to(context.device))
    model = CompetitionNetwork(context.blueprint)
    if "mixture" in job.parents:
        context.load("mixture", model)
    model.to(context.device)
    every = len(windows.ages)
    count = ages_per_step or every
    checked = fixed_batches(validation, config.batch, every, count)
    seen = torch.cat([training, *(index for index, _ in checked)])
    outputs = FrozenOutputs(pure, windows, seen, context.device, memory_of(job), job.scratch)

    def loss(network: CompetitionNetwork, batch: Batch) -> LossParts:
        index, ages = batch
        drivers, static = (x.to(context.device) for x in windows.inputs(index))
        weighted, before, years, fractions, truth = (
            x.to(context.device) for x in assemble(windows, outputs, index, ages)
        )
        free = network(drivers, static, weighted, before, years, fractions)
        return target_loss(network.normaliser.outputs(free), truth, network.normaliser.target_std)

    return context.fit(
        model,
        draw=reading_ahead(drawer(training, config.batch, every, count), windows),
        validation=checked,
        loss=loss,
        config=config,
    )
