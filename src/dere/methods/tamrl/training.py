"""Stages of TAM-RL: the network alone, then modulated by the site's description, without and with own months."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from dere.io import read_netcdf
from dere.methods.tamrl.description import Described, Own, described, no_months, own_months
from dere.methods.tamrl.network import ModulatedNetwork
from dere.methods.tamrl.settings import TamrlConfig
from dere.training.context import Context
from dere.training.fitted import Fitted
from dere.training.job import Job
from dere.training.loop import LossParts, freeze_parts
from dere.training.losses import pull, squared, with_pull
from dere.training.read_places import site_places
from dere.training.tower_data import Share, TowerData, flux_loss, load_towers
from dere.training.tower_stage import TowerStage, fit_on_towers, trained_weights
from dere.training.windows import MIXTURE, Windows

SHOWN = (0, 1, 3, 6, 12, 24)
"""Months of its own that a window of an episode shows."""
TRUNK_RATE = 0.5
"""Learning rate of the parts that the first stage has trained, relative to the rest."""


def inputs(windows: Windows, index: Tensor, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Drivers (B, W, D), age-weighted state (B, 1, state) and age (B, 1) of windows."""
    age_weight = windows.weights(index)
    state = torch.einsum("bk,bkt->bt", age_weight, windows.before(index)[:, MIXTURE])[:, None]
    ages = (age_weight * windows.ages).sum(1, keepdim=True)
    drivers = windows.cut(windows.drivers, index)
    return drivers.to(device), state.to(device), ages.to(device)


def code_of(network: ModulatedNetwork, about: Described, place: Tensor, own: Own, device: str) -> Tensor:
    """Code (B, code) of places (B,) of which ``own`` is known."""
    known = Own(*(part.to(device) for part in own))
    return network.code(about.climatology[place].to(device), about.static[place].to(device), known)


def fit_plain(job: Job) -> Fitted:
    """Train the network without any description of the site."""
    context = Context(job)
    config: TamrlConfig = job.section
    data = load_towers(context)

    def make(member: int) -> ModulatedNetwork:
        model = ModulatedNetwork(context.blueprint, config.code)
        freeze_parts(model, ("task", "inward", "outward"))
        return model

    def loss(
        option: TamrlConfig, network: ModulatedNetwork, index: Tensor, share: Share, start: Mapping[str, Tensor]
    ) -> LossParts:
        return flux_loss(network(*inputs(data.windows, index, context.device)), data, index, option.balance, share)

    return fit_on_towers(context, data, TowerStage(make, loss, lambda network: {}), config)


def fit_modulated(job: Job) -> Fitted:
    """Train on, from all weights of the first stage, with the description and in half of the loss own months."""
    context = Context(job)
    config: TamrlConfig = job.section
    data = load_towers(context)
    towers, own = read_netcdf(job.files["towers"]), job.windows
    about = described(
        site_places(towers, job.roles, satellites=own.satellites, channels=own.channels, exchange=job.exchange)
    )

    def make(member: int) -> ModulatedNetwork:
        model = context.load("tamrl_pretrain", ModulatedNetwork(context.blueprint, config.code), member=member)
        model.start_modulation(TRUNK_RATE)
        return model

    def loss(
        option: TamrlConfig, network: ModulatedNetwork, index: Tensor, share: Share, start: Mapping[str, Tensor]
    ) -> LossParts:
        if not network.training:
            return described_loss(network, data, about, index, option.balance, share, context.device)[1]
        both = episode_loss(network, data, about, index, option.balance, share, context.device)
        return with_pull(both, pull(network, start, option.pull))

    return fit_on_towers(context, data, TowerStage(make, loss, trained_weights), config)


def described_loss(
    network: ModulatedNetwork,
    data: TowerData,
    about: Described,
    index: Tensor,
    balance: float,
    share: Share,
    device: str,
) -> tuple[Tensor, LossParts]:
    """Outputs (B, W, output) of windows by the description of their sites alone, and their loss."""
    without = no_months(len(index), len(data.channels))
    code = code_of(network, about, data.windows.place[index], without, device)
    prediction = network(*inputs(data.windows, index, device), code)
    return prediction, flux_loss(prediction, data, index, balance, share)


def episode_loss(
    network: ModulatedNetwork,
    data: TowerData,
    about: Described,
    index: Tensor,
    balance: float,
    share: Share,
    device: str,
) -> LossParts:
    """Loss without own months at all months, and with those of an episode at the others; arguments as there."""
    prediction, parts = described_loss(network, data, about, index, balance, share, device)
    shown = episode(data, index)
    own = seen(network, prediction.detach(), data, about, index, shown)
    code = code_of(network, about, data.windows.place[index], own, device)
    others = unshown_loss(network(*inputs(data.windows, index, device), code), data, index, balance, share, shown)
    return LossParts(parts.numerator + others.numerator, parts.denominator + others.denominator)


def episode(data: TowerData, index: Tensor) -> Tensor:
    """Months of windows that are shown, (B, W) bool: some successive ones with a label, none in one window of six."""
    labelled = (data.windows.labels(index)[1] > 0).any(-1)
    many = torch.tensor(SHOWN)[torch.randint(len(SHOWN), (len(index),))]
    last = (labelled.sum(1) - many).clamp_min(0)
    before = (torch.rand(len(index)) * (last + 1)).floor()[:, None]
    number = labelled.cumsum(1)
    return labelled & (number > before) & (number <= before + many[:, None])


def seen(
    network: ModulatedNetwork, prediction: Tensor, data: TowerData, about: Described, index: Tensor, shown: Tensor
) -> Own:
    """What the shown months of windows say of the errors of ``prediction`` (B, W, output), made without them."""
    flux, weight = data.windows.labels(index)
    error = (flux.to(prediction.device) - prediction[..., data.channels]) / network.scale
    months = about.months_of(data.windows.place[index], data.windows.months(index))
    return own_months(error.cpu(), weight * shown[..., None], months)


def unshown_loss(
    prediction: Tensor, data: TowerData, index: Tensor, balance: float, share: Share, shown: Tensor
) -> LossParts:
    """`dere.training.tower_data.flux_loss` at the months that were not shown."""
    device = prediction.device
    std = data.flux_std.to(device)
    flux, weight = data.windows.labels(index)
    counted = weight * share.scale[:, None] ** balance * share.cluster[:, None, None] * ~shown[..., None]
    return squared(prediction[..., data.channels] / std, flux.to(device) / std, counted.to(device))
