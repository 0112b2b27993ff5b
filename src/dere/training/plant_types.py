"""Stage 3: plant types per age, first from the simulation, then through age-weighted sums from observed maps."""

from __future__ import annotations

import torch

from dere.config.training import PerAgeTrainingConfig, TrainingConfig
from dere.models.plant_types import PlantTypeNetwork
from dere.training.context import Context
from dere.training.job import Job
from dere.training.loop import LossParts, freeze
from dere.training.losses import squared
from dere.training.simulation import Batch, drawer, fixed_batches, load_cells

# Spread of plant fractions over cells, so that the loss is of order one like those of other stages.
FRACTION_SCALE = 0.3


def train(job: Job, observed: bool) -> None:
    """Train the plant-type network.

    Parameters
    ----------
    observed
        False: simulated fractions per age supervise it directly (3.1). True: continues with a frozen encoder from
        the observed start, supervised through the age-weighted sum (3.2).
    """
    stage = "plant_types_observed" if observed else "plant_types_simulated"
    context = Context(stage, job)
    settings = TrainingConfig if observed else PerAgeTrainingConfig
    config = settings(**job.params["stage"])
    windows, training, validation = load_cells(context)
    model = PlantTypeNetwork(*context.network_arguments())
    if observed:
        context.load("plant_types_simulated", model)
        for module in model.encoder():
            freeze(module)
    model.to(context.device)
    one = torch.ones((), device=context.device)
    # an age-weighted sum needs every age, a direct comparison does not
    count = config.ages_per_step if isinstance(config, PerAgeTrainingConfig) else len(windows.ages)

    def loss(network: PlantTypeNetwork, batch: Batch) -> LossParts:
        index, ages = batch
        drivers, static = (x.to(context.device) for x in windows.inputs(index))
        start, truth = (x.to(context.device) for x in windows.fractions(index, observed))
        if observed:
            start = start[:, None].expand(-1, len(ages), -1)
        else:
            start, truth = start[:, ages], truth[:, ages]
        fractions = network(drivers, static, start, windows.ages[ages].to(context.device))
        if observed:
            weight = windows.weights[windows.cell[index]][:, ages].to(context.device)
            fractions = torch.einsum("bk,bkyp->byp", weight, fractions)
        return squared(fractions / FRACTION_SCALE, truth / FRACTION_SCALE, one)

    context.fit(
        model,
        draw=drawer(training, config.batch, len(windows.ages), count),
        validation=fixed_batches(validation, config.batch, len(windows.ages), count),
        loss=loss,
        config=config,
    )
