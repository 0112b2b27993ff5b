"""Stages 1b and 2: the competition network, first per age, then on age-weighted sums."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from dere.config.training import PerAgeTrainingConfig, TrainingConfig
from dere.models.competition import CompetitionNetwork
from dere.models.inputs import to_targets
from dere.models.pure import PureNetwork
from dere.training.cells import CellWindows
from dere.training.context import Context
from dere.training.frozen import gather, weighted_pure
from dere.training.job import Job
from dere.training.loop import LossParts, freeze
from dere.training.losses import target_loss
from dere.training.simulation import Batch, drawer, fixed_batches, load_cells
from dere.variables import MIXTURE

Sample = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def per_age(windows: CellWindows, cache: dict[int, Tensor], index: Tensor, ages: Tensor) -> Sample:
    """Weighted pure sums, states before, ages, fractions and truth of single ages (stage 1b)."""
    before, truth = windows.states(index, MIXTURE, ages)
    _, fractions = windows.fractions(index, observed=False)
    weighted = gather(cache, index)[:, ages]
    return weighted, before, windows.ages[ages], fractions[:, ages].repeat_interleave(12, dim=2), truth


def age_weighted(windows: CellWindows, cache: dict[int, Tensor], index: Tensor, ages: Tensor) -> Sample:
    """The same, summed over the cell's observed age distribution (stage 2); ``ages`` is not used."""
    every = torch.arange(len(windows.ages))
    weighted, before, years, fractions, truth = per_age(windows, cache, index, every)
    weight = windows.weights[windows.cell[index]]

    def total(x: Tensor) -> Tensor:
        return torch.einsum("bk,bk...->b...", weight, x)[:, None]

    return total(weighted), total(before), (weight * years).sum(1, keepdim=True), total(fractions), total(truth)


def train(stage: str, assemble: Callable[[CellWindows, dict[int, Tensor], Tensor, Tensor], Sample], job: Job) -> None:
    """Train the competition network; the pure stands stay frozen (defect 32) and are evaluated once.

    Parameters
    ----------
    stage
        ``mixture`` or ``age``; the latter continues from the former.
    assemble
        `per_age` or `age_weighted`.
    """
    context = Context(stage, job)
    settings = PerAgeTrainingConfig if stage == "mixture" else TrainingConfig
    config = settings(**job.params["stage"])
    windows, training, validation = load_cells(context)
    pure = freeze(context.load("pure", PureNetwork(*context.network_arguments())).to(context.device))
    model = CompetitionNetwork(*context.network_arguments())
    if "mixture" in job.parents:
        context.load("mixture", model)
    model.to(context.device)
    every = len(windows.ages)
    count = config.ages_per_step if isinstance(config, PerAgeTrainingConfig) else every
    checked = fixed_batches(validation, config.batch, every, count)
    seen = torch.cat([training, *(index for index, _ in checked)])
    cache = weighted_pure(pure, windows, seen, context.device)

    def loss(network: CompetitionNetwork, batch: Batch) -> LossParts:
        index, ages = batch
        drivers, static = (x.to(context.device) for x in windows.inputs(index))
        weighted, before, years, fractions, truth = (
            x.to(context.device) for x in assemble(windows, cache, index, ages)
        )
        free = network(drivers, static, weighted, before, years, fractions)
        return target_loss(to_targets(free, network.normaliser.scale), truth, network.normaliser.target_std)

    context.fit(
        model,
        draw=drawer(training, config.batch, every, count),
        validation=checked,
        loss=loss,
        config=config,
    )
