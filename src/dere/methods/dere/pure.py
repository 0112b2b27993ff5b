"""Stage 1a: emulate pure stands."""

from __future__ import annotations

from collections.abc import Callable

import torch

from dere.config.per_age_training import PerAgeTrainingConfig
from dere.methods.dere import pure_samples
from dere.methods.dere.networks.pure import PureNetwork
from dere.training.context import Context
from dere.training.fitted import Fitted
from dere.training.job import Job
from dere.training.loop import LossParts
from dere.training.losses import target_loss
from dere.training.simulation import Batch, drawer, fixed_batches, load_cells, reading_ahead
from dere.training.windows import Windows
from dere.variables import PLANT_TYPES, STANDS


def fit(job: Job) -> Fitted:
    """Train the three pure decoders on their shared encoder.

    Every type counts alike, whatever its share of cells (docs/deviations.md#epoch-of-pure-stands).
    """
    context = Context(job)
    config: PerAgeTrainingConfig = job.section
    windows, training, validation = load_cells(job)
    model = PureNetwork(context.blueprint).to(context.device)
    if pure_samples.has_gaps(windows):
        return context.fit(
            model,
            draw=reading_ahead(
                pure_samples.drawer(windows, training, config.batch * config.ages_per_step),
                windows,
                lambda batch: torch.cat([index for index, _ in batch]),
            ),
            validation=pure_samples.fixed_batches(windows, validation, config.batch * config.ages_per_step),
            loss=sample_loss(windows, context.device),
            config=config,
        )

    def loss(network: PureNetwork, batch: Batch) -> LossParts:
        index, ages = batch
        drivers, static = (x.to(context.device) for x in windows.inputs(index))
        memory = network.encode(drivers, static)
        years = windows.ages[ages].to(context.device)
        parts = []
        for branch in range(len(PLANT_TYPES)):
            before, truth = (x.to(context.device) for x in windows.states(index, branch - len(STANDS), ages))
            free = network.decode(memory, before, years, branch)
            targets = network.normaliser.outputs(free)
            parts.append(target_loss(targets, truth, network.normaliser.target_std))
        return LossParts(
            torch.stack([p.numerator for p in parts]).sum(), torch.stack([p.denominator for p in parts]).sum()
        )

    return context.fit(
        model,
        draw=reading_ahead(drawer(training, config.batch, len(windows.ages), config.ages_per_step), windows),
        validation=fixed_batches(validation, config.batch, len(windows.ages), config.ages_per_step),
        loss=loss,
        config=config,
    )


def sample_loss(windows: Windows, device: str) -> Callable[[PureNetwork, list[pure_samples.Pairs]], LossParts]:
    """Return the loss of single pure samples: each type has members and ages of its own (docs/data.md#dere-arrays)."""

    def loss(network: PureNetwork, batch: list[pure_samples.Pairs]) -> LossParts:
        parts = []
        for branch, (index, ages) in enumerate(batch):
            if not len(index):
                continue
            drivers, static = (x.to(device) for x in windows.inputs(index))
            rows = torch.arange(len(index))
            before = windows.before(index)[rows, branch, ages][:, None].to(device)
            truth = windows.simulation.state[
                windows.place[index][:, None], branch, ages[:, None], windows.months(index)
            ]
            years = windows.ages[ages][:, None].to(device)
            free = network.decode(network.encode(drivers, static), before, years, branch)
            targets = network.normaliser.outputs(free)
            parts.append(target_loss(targets, truth[:, None].to(device), network.normaliser.target_std))
        return LossParts(
            torch.stack([p.numerator for p in parts]).sum(), torch.stack([p.denominator for p in parts]).sum()
        )

    return loss
