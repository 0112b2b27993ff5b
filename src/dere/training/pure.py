"""Stage 1a: emulate pure stands."""

from __future__ import annotations

from collections.abc import Callable

import torch

from dere.config.training import PerAgeTrainingConfig
from dere.models.inputs import to_targets
from dere.models.pure import PureNetwork
from dere.training import pure_samples
from dere.training.cells import CellWindows
from dere.training.context import Context
from dere.training.job import Job
from dere.training.loop import LossParts
from dere.training.losses import target_loss
from dere.training.simulation import Batch, drawer, fixed_batches, load_cells
from dere.variables import PLANT_TYPES


def train(job: Job) -> None:
    """Train the three pure decoders on their shared encoder and write the checkpoint to ``job.output``.

    Every type counts alike, whatever its share of cells (defect 37).
    """
    context = Context("pure", job)
    config = PerAgeTrainingConfig(**job.params["stage"])
    windows, training, validation = load_cells(context)
    model = PureNetwork(*context.network_arguments()).to(context.device)
    if pure_samples.has_gaps(windows):
        context.fit(
            model,
            draw=pure_samples.drawer(windows, training, config.batch * config.ages_per_step),
            validation=pure_samples.fixed_batches(windows, validation, config.batch * config.ages_per_step),
            loss=sample_loss(windows, context.device),
            config=config,
        )
        return

    def loss(network: PureNetwork, batch: Batch) -> LossParts:
        index, ages = batch
        drivers, static = (x.to(context.device) for x in windows.inputs(index))
        memory = network.encode(drivers, static)
        years = windows.ages[ages].to(context.device)
        parts = []
        for branch in range(len(PLANT_TYPES)):
            before, truth = (x.to(context.device) for x in windows.states(index, branch, ages))
            free = network.decode(memory, before, years, branch)
            targets = to_targets(free, network.normaliser.scale)
            parts.append(target_loss(targets, truth, network.normaliser.target_std))
        return LossParts(
            torch.stack([p.numerator for p in parts]).sum(), torch.stack([p.denominator for p in parts]).sum()
        )

    context.fit(
        model,
        draw=drawer(training, config.batch, len(windows.ages), config.ages_per_step),
        validation=fixed_batches(validation, config.batch, len(windows.ages), config.ages_per_step),
        loss=loss,
        config=config,
    )


def sample_loss(windows: CellWindows, device: str) -> Callable[[PureNetwork, list[pure_samples.Pairs]], LossParts]:
    """Return the loss of single pure samples: each type has members and ages of its own (dere-reference 2.1)."""

    def loss(network: PureNetwork, batch: list[pure_samples.Pairs]) -> LossParts:
        parts = []
        for branch, (index, ages) in enumerate(batch):
            if not len(index):
                continue
            drivers, static = (x.to(device) for x in windows.inputs(index))
            rows = torch.arange(len(index))
            before = windows.before(index)[rows, branch, ages][:, None].to(device)
            truth = windows.state[windows.cell[index][:, None], branch, ages[:, None], windows.months(index)]
            years = windows.ages[ages][:, None].to(device)
            free = network.decode(network.encode(drivers, static), before, years, branch)
            targets = to_targets(free, network.normaliser.scale)
            parts.append(target_loss(targets, truth[:, None].to(device), network.normaliser.target_std))
        return LossParts(
            torch.stack([p.numerator for p in parts]).sum(), torch.stack([p.denominator for p in parts]).sum()
        )

    return loss
