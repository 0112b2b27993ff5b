"""Stage 1a: emulate pure stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dere.config.training import TrainingConfig
from dere.models.inputs import to_targets
from dere.models.pure import PureNetwork
from dere.training.cells import batches, sample, sample_ages, spread_ages
from dere.training.context import Context
from dere.training.loop import LossParts, fit
from dere.training.losses import target_loss
from dere.training.simulation import VALIDATION_WINDOWS, load_cells
from dere.variables import PLANT_TYPES

Batch = tuple[Tensor, Tensor]


def train(
    files: Mapping[str, Path],
    parents: Mapping[str, Path],
    output: Path,
    params: Mapping[str, Any],
    fold: int,
    seed: int,
    gpu: int = 0,
) -> None:
    """Train the three pure decoders on their shared encoder and write the checkpoint to ``output``.

    Every type counts alike, whatever its share of cells (defect 37).
    """
    context = Context("pure", files, parents, output, params, fold, seed, gpu)
    config = TrainingConfig(**params["stage"])
    windows, training, validation = load_cells(context)
    model = PureNetwork(*context.network_arguments()).to(context.device)

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

    def draw(generator: torch.Generator) -> Batch:
        index = sample(training, config.batch, generator)
        return index, sample_ages(len(windows.ages), config.ages_per_step, generator)

    fixed = spread_ages(len(windows.ages), config.ages_per_step)
    result = fit(
        model,
        draw=draw,
        validation=[(b, fixed) for b in batches(validation, config.batch, VALIDATION_WINDOWS)],
        loss=loss,
        config=config,
        seed=seed,
        device=context.device,
        last=context.last,
        identity=context.identity,
    )
    context.save(model, result)
