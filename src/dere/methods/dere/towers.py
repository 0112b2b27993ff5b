"""Stage 4: competition, plant types and level learn from towers; the pure stands stay frozen."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from dere.methods.dere.networks.dere import DereNetwork
from dere.methods.dere.settings import ObservedMonthsConfig
from dere.methods.dere.site import cache_fractions, cache_pure, forward, load_pure
from dere.training.context import Context
from dere.training.fitted import Fitted
from dere.training.job import Job
from dere.training.loop import LossParts, freeze_parts
from dere.training.losses import pull, squared, together, with_pull
from dere.training.tower_data import Share, flux_loss, load_towers
from dere.training.tower_stage import TowerStage, fit_on_towers

# A small share of the plant-type loss keeps the reported fractions near the maps.
FRACTION_SHARE = 0.1
FRACTION_SCALE = 0.3


def fit(job: Job) -> Fitted:
    """Fine-tune on the observed months of the towers."""
    context = Context(job)
    config: ObservedMonthsConfig = job.section
    data = load_towers(context, config.model_error)
    pure = cache_pure(load_pure(context), data.windows, data.labelled(), context.device)

    def make(member: int) -> DereNetwork:
        model = DereNetwork(context.blueprint, config.adapters, config.head)
        context.load("age", model.competition)
        context.load("plant_types_observed", model.plant_types)
        freeze_parts(model, config.frozen)
        return model

    fractions = cache_fractions(lambda: make(0), data.windows, data.labelled(), context.device, config.frozen)

    def loss(
        option: ObservedMonthsConfig, network: DereNetwork, index: Tensor, share: Share, start: Mapping[str, Tensor]
    ) -> LossParts:
        yearly = None if fractions is None else fractions[index]
        targets, mixed = forward(network, data.windows, index, pure[index], context.device, yearly)
        parts = flux_loss(targets, data, index, option.balance, share)
        if not network.training:
            return parts
        parts = with_pull(parts, pull(network, start, option.pull))
        if yearly is not None:
            return parts
        observed = data.windows.observed(index)[1].to(context.device)
        counted = share.cluster[:, None, None].to(context.device)
        maps = squared(mixed / FRACTION_SCALE, observed / FRACTION_SCALE, counted)
        return together(parts, maps, FRACTION_SHARE)

    return fit_on_towers(context, data, TowerStage(make, loss), config)
