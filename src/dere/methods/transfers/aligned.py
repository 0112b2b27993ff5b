"""Pre-training on the simulation in which hidden sequences at towers are to look like those of simulated cells.

Of the towers it sees the inputs of training towers, and no label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dere.io import read_netcdf
from dere.methods.single_network import SingleNetwork
from dere.methods.single_stages import decoded, simulated_loss
from dere.methods.transfers.adversary import AlignedNetwork, accuracy, fresh_accuracy
from dere.methods.transfers.reports import reporting
from dere.methods.transfers.settings import AlignedConfig
from dere.training.context import Context
from dere.training.draws import sample, spread_ages
from dere.training.fitted import Fitted
from dere.training.job import Job
from dere.training.loop import LossParts
from dere.training.losses import together
from dere.training.read_places import site_places
from dere.training.simulation import (
    MIXTURE_ALONE,
    VALIDATION_WINDOWS,
    Batch,
    CellData,
    drawer,
    fixed_batches,
    load_cells,
    reading_ahead,
)
from dere.training.windows import MIXTURE, Windows, select, windows_of

PREFIX = "network."
"""Of the weights that the next stage starts from."""


class Pair(NamedTuple):
    """As many windows of cells as of towers, at the same ages."""

    cells: Batch
    towers: Batch

    def share(self, part: int, parts: int) -> Pair:
        """Some of both, for one of several processes."""
        return Pair(self.cells.share(part, parts), self.towers.share(part, parts))


def fit(job: Job) -> Fitted:
    """Pre-train against a discriminator, and report how well it tells cells from towers in the end."""
    context = Context(job)
    config: AlignedConfig = job.section
    cells = load_cells(job, MIXTURE_ALONE)
    places, roles = tower_windows(job), job.roles
    towers = CellData(places, *(select(places, roles, "site", role) for role in ("training", "validation")))
    every = len(cells.windows.ages)
    draw_cells = drawer(cells.training, config.batch, every, config.ages_per_step)
    model = AlignedNetwork(context.blueprint, config.reversal, config.epochs * config.steps_per_epoch)

    def draw(generator: torch.Generator) -> Pair:
        batch = draw_cells(generator)
        return Pair(batch, Batch(sample(towers.training, config.batch, generator), batch.ages))

    fitted = context.fit(
        model.to(context.device),
        draw=reading_ahead(draw, cells.windows, lambda pair: pair.cells.windows),
        # only the cells of a validation batch are looked at
        validation=[Pair(b, b) for b in fixed_batches(cells.validation, config.batch, every, config.ages_per_step)],
        loss=lambda network, pair: loss(network, pair, cells.windows, places, context.device),
        config=config,
    )
    ages = spread_ages(every, config.ages_per_step)
    return reporting(passed_on(fitted, model.network), told_apart(model, cells, towers, ages, context.device))


def tower_windows(job: Job) -> Windows:
    """Windows of all sites, without labels."""
    own = job.windows
    towers = read_netcdf(job.files["towers"])
    return windows_of(
        site_places(towers, job.roles, satellites=own.satellites, channels=own.channels, exchange=job.exchange)
    )


def loss(model: AlignedNetwork, pair: Pair, cells: Windows, towers: Windows, device: str) -> LossParts:
    """Loss over what the simulation gives, and while training the discriminator's beside it."""
    network = model.network
    hidden, before, truth = decoded(network, cells, pair.cells, device)
    simulated = simulated_loss(network, hidden, before, truth)
    if not model.training:
        return simulated
    return together(simulated, model.domain_loss(hidden, hidden_of(network, towers, pair.towers, device)), 1.0)


def hidden_of(network: SingleNetwork, windows: Windows, batch: Batch, device: str) -> Tensor:
    """Hidden sequences (B·k, W, width) of windows without simulated states within them."""
    index, ages = batch
    drivers, static = (x.to(device) for x in windows.inputs(index))
    before = windows.before(index)[:, MIXTURE][:, ages].to(device)
    return network.hidden(drivers, static, before, windows.ages[ages].to(device))


def passed_on(fitted: Fitted, network: SingleNetwork) -> Fitted:
    """What the next stage starts from: the network without its discriminator."""
    arrays = {name.removeprefix(PREFIX): v for name, v in fitted.arrays.items() if name.startswith(PREFIX)}
    facts: dict[str, Any] = {**fitted.facts, "parameters": sum(p.numel() for p in network.parameters())}
    return replace(fitted, arrays=arrays, facts=facts)


def told_apart(
    model: AlignedNetwork, cells: CellData, towers: CellData, ages: Tensor, device: str
) -> Mapping[tuple[str, str], float]:
    """How well cells and towers that validate are told apart: by the discriminator, and by a fresh one."""
    model.eval()
    learned, judged = (
        tuple(pooled(model.network, data.windows, index, ages, device) for data, index in pairs)
        for pairs in (
            ((cells, cells.training), (towers, towers.training)),
            ((cells, cells.validation), (towers, towers.validation)),
        )
    )
    with torch.no_grad():
        logits = [
            model.discriminator(torch.from_numpy(part).float().to(device))[:, 0].double().cpu().numpy()
            for part in judged
        ]
    return {
        ("discriminator_accuracy", ""): accuracy(logits[0], logits[1]),
        ("fresh_discriminator_accuracy", ""): fresh_accuracy((learned[0], learned[1]), (judged[0], judged[1])),
    }


def pooled(
    network: SingleNetwork, windows: Windows, index: Tensor, ages: Tensor, device: str, size: int = 16
) -> NDArray[np.float64]:
    """Means over time of hidden sequences, (window · age, width), of evenly thinned windows."""
    some = index[torch.linspace(0, len(index) - 1, min(len(index), 4 * VALIDATION_WINDOWS)).round().long()]
    with torch.no_grad():
        parts = [hidden_of(network, windows, Batch(part, ages), device).mean(1).cpu() for part in some.split(size)]
    return torch.cat(parts).double().numpy()
