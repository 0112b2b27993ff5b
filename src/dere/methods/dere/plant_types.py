"""Stage 3: plant types per age, first from the simulation, then through age-weighted sums from observed maps."""

from __future__ import annotations

import torch

from dere.config.per_age_training import PerAgeTrainingConfig
from dere.config.training import TrainingConfig
from dere.methods.dere.networks.plant_types import PlantTypeNetwork
from dere.training.context import Context
from dere.training.fitted import Fitted
from dere.training.job import Job
from dere.training.loop import LossParts, freeze
from dere.training.losses import squared
from dere.training.simulation import Batch, drawer, fixed_batches, load_cells, reading_ahead

# Spread of plant fractions over cells, so that the loss is of order one like those of other stages.
FRACTION_SCALE = 0.3


def fit_simulated(job: Job) -> Fitted:
    """Stage 3.1: simulated fractions per age supervise the network directly."""
    context = Context(job)
    config: PerAgeTrainingConfig = job.section
    windows, training, validation = load_cells(job)
    model = PlantTypeNetwork(context.blueprint).to(context.device)
    one = torch.ones((), device=context.device)

    def loss(network: PlantTypeNetwork, batch: Batch) -> LossParts:
        index, ages = batch
        drivers, static = (x.to(context.device) for x in windows.inputs(index))
        start, truth = (x[:, ages].to(context.device) for x in windows.simulated_fractions(index))
        fractions = network(drivers, static, start, windows.ages[ages].to(context.device))
        return squared(fractions / FRACTION_SCALE, truth / FRACTION_SCALE, one)

    every = len(windows.ages)
    return context.fit(
        model,
        draw=reading_ahead(drawer(training, config.batch, every, config.ages_per_step), windows),
        validation=fixed_batches(validation, config.batch, every, config.ages_per_step),
        loss=loss,
        config=config,
    )


def fit_observed(job: Job) -> Fitted:
    """Stage 3.2: continues with a frozen encoder from the observed start, supervised through the age-weighted sum."""
    context = Context(job)
    config: TrainingConfig = job.section
    windows, training, validation = load_cells(job)
    model = context.load("plant_types_simulated", PlantTypeNetwork(context.blueprint))
    for module in model.encoder():
        freeze(module)
    model.to(context.device)
    one = torch.ones((), device=context.device)
    # an age-weighted sum needs every age
    every = len(windows.ages)

    def loss(network: PlantTypeNetwork, batch: Batch) -> LossParts:
        index, ages = batch
        drivers, static = (x.to(context.device) for x in windows.inputs(index))
        start, truth = (x.to(context.device) for x in windows.observed(index))
        start = start[:, None].expand(-1, len(ages), -1)
        fractions = network(drivers, static, start, windows.ages[ages].to(context.device))
        weight = windows.weights(index)[:, ages].to(context.device)
        fractions = torch.einsum("bk,bkyp->byp", weight, fractions)
        return squared(fractions / FRACTION_SCALE, truth / FRACTION_SCALE, one)

    return context.fit(
        model,
        draw=reading_ahead(drawer(training, config.batch, every, every), windows),
        validation=fixed_batches(validation, config.batch, every, every),
        loss=loss,
        config=config,
    )
