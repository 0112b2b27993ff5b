"""Stage 4: competition, plant types and level learn from towers; the pure stands stay frozen."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from dere.methods.dere.networks.dere import DereNetwork
from dere.methods.dere.settings import DereTowerConfig
from dere.methods.dere.site import cache_fractions, cache_pure, forward, load_pure
from dere.training.candidates import options
from dere.training.context import Context
from dere.training.draws import batches
from dere.training.fitted import Fitted
from dere.training.job import Job
from dere.training.loop import LossParts, freeze_parts
from dere.training.losses import pull, squared, together, with_pull
from dere.training.snapshots import state_of
from dere.training.tower_data import draw_windows, flux_loss, load_towers, refit_on_all

# A small share of the plant-type loss keeps the reported fractions near the maps.
FRACTION_SHARE = 0.1
FRACTION_SCALE = 0.3


def fit(job: Job) -> Fitted:
    """Fine-tune on the observed months of the training towers."""
    context = Context(job)
    config: DereTowerConfig = job.section
    data = load_towers(context)
    learned = torch.cat([data.training, data.validation])
    pure = cache_pure(load_pure(context), data.windows, learned, context.device)
    model = DereNetwork(context.blueprint, config.adapters, config.head)
    context.load("age", model.competition)
    context.load("plant_types_observed", model.plant_types)
    freeze_parts(model, config.frozen)
    model.to(context.device).eval()
    fractions = cache_fractions(model, data.windows, learned, context.device, config.frozen)
    reference = {name: p.detach().clone() for name, p in model.named_parameters()}

    def loss(option: DereTowerConfig, network: DereNetwork, index: Tensor) -> LossParts:
        yearly = None if fractions is None else fractions[index]
        targets, mixed = forward(network, data.windows, index, pure[index], context.device, yearly)
        parts = flux_loss(targets, data, index, config.balance)
        if not network.training:
            return parts
        parts = with_pull(parts, pull(network, reference, option.pull))
        if yearly is not None:
            return parts
        observed = data.windows.observed(index)[1].to(context.device)
        one = torch.ones((), device=context.device)
        maps = squared(mixed / FRACTION_SCALE, observed / FRACTION_SCALE, one)
        return together(parts, maps, FRACTION_SHARE)

    def loss_of(option: DereTowerConfig) -> Callable[[DereNetwork, Tensor], LossParts]:
        return partial(loss, option)

    return context.fit_best(
        model,
        draw=lambda generator: draw_windows(data, config.batch, generator),
        validation=batches(data.validation, config.batch),
        loss_of=loss_of,
        options=options(config),
        refit=refit_on_all(config, data, state_of(model), loss_of),
    )
