"""Stages of RACI: simulated mixtures first, then towers; each has a bank of what it may learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dere.io import read_netcdf
from dere.methods.raci.asking import Asking, asking, bank_of
from dere.methods.raci.bank import ROLES, BankPart, Entries, entries, reach
from dere.methods.raci.description import described
from dere.methods.raci.network import RaciNetwork
from dere.methods.raci.settings import RaciSimulationConfig, RaciTowerConfig
from dere.training.context import Context
from dere.training.fitted import Fitted
from dere.training.job import Job
from dere.training.loop import LossParts
from dere.training.losses import pull, target_loss, with_pull
from dere.training.membership import membership
from dere.training.places import Places
from dere.training.read_places import cell_places, site_places
from dere.training.roles import TRAINED
from dere.training.simulation import MIXTURE_ALONE, Batch, drawer, fixed_batches, load_cells
from dere.training.tower_data import Share, TowerData, flux_loss, load_towers
from dere.training.tower_stage import TowerStage, fit_on_towers, trained_weights
from dere.training.windows import MIXTURE, Windows

BANK = "bank"
"""Fact of a stage: names and clusters of the entries, by source."""


def fit_simulation(job: Job) -> Fitted:
    """Pre-train on simulated mixtures of every age; the bank holds the training cells."""
    context = Context(job)
    config: RaciSimulationConfig = job.section
    windows, training, validation = load_cells(job, MIXTURE_ALONE)
    places = cells_of(job)
    about, chosen = described(places), np.unique(windows.place[training].numpy())
    found = _entries(context, places, simulated_fluxes(windows, job), chosen)
    bank = {"cells": found, "towers": _empty(found)}
    model = RaciNetwork(context.blueprint, config.code, config.neighbours, config.retrieval, _parts(bank))
    facts = {source: one.facts() for source, one in bank.items()}
    start_temperatures(model, places.take(_rows(places, found)), "cells", facts)
    model.to(context.device)
    asked = asking(places, model, facts, about)

    def loss(network: RaciNetwork, batch: Batch) -> LossParts:
        index, ages = batch
        before, truth = (x.to(context.device) for x in windows.states(index, MIXTURE, ages))
        given = asked.inputs(windows, index, context.device)
        free = network.ages(*given, before, windows.ages[ages].to(context.device))
        return target_loss(network.normaliser.outputs(free), truth, network.normaliser.target_std)

    every = len(windows.ages)
    fitted = context.fit(
        model,
        draw=drawer(training, config.batch, every, config.ages_per_step),
        validation=fixed_batches(validation, config.batch, every, config.ages_per_step),
        loss=loss,
        config=config,
    )
    return replace(fitted, facts={**fitted.facts, BANK: facts})


def fit_towers(job: Job) -> Fitted:
    """Train on towers; the bank holds the towers that a network learns from beside the cells of the simulation."""
    context = Context(job)
    config: RaciTowerConfig = job.section
    data = load_towers(context)
    parent = job.parents["raci_simulation"]
    cells = bank_of(parent.arrays)["cells"]
    places = site_places(
        read_netcdf(job.files["towers"]),
        job.roles,
        satellites=job.windows.satellites,
        channels=job.windows.channels,
        exchange=job.exchange,
    )
    found = _entries(context, places, labels_of(data), np.flatnonzero(np.isin(places.ids, job.allowed(*TRAINED))))
    facts = {"cells": parent.facts[BANK]["cells"], "towers": found.facts()}
    first = _network(context, config, parent)
    first.bank["towers"] = BankPart(found.tensors)
    asked = asking(places, first, facts)
    members = known_to(job, found)

    def make(member: int) -> RaciNetwork:
        model = context.load("raci_simulation", _network(context, config, parent))
        model.bank["cells"], model.bank["towers"] = cells, BankPart(found.tensors | {"known": members[member]})
        start_temperatures(model, places.take(_rows(places, found)), "towers", facts)
        return model

    def refitted() -> RaciNetwork:
        model = make(0)
        model.bank["towers"] = BankPart(found.tensors)
        return model

    def loss(
        option: RaciTowerConfig, network: RaciNetwork, index: Tensor, share: Share, start: Mapping[str, Tensor]
    ) -> LossParts:
        prediction = forward(network, data.windows, asked, index, context.device)
        parts = flux_loss(prediction, data, index, option.balance, share)
        return with_pull(parts, pull(network, start, option.pull)) if network.training else parts

    fitted = fit_on_towers(context, data, TowerStage(make, loss, trained_weights, refitted), config)
    return replace(fitted, facts={**fitted.facts, BANK: facts})


def forward(network: RaciNetwork, windows: Windows, asked: Asking, index: Tensor, device: str) -> Tensor:
    """Outputs (B, W, output) of windows: every age decoded and summed with the age weights."""
    state, weights = windows.before(index)[:, MIXTURE].to(device), windows.weights(index).to(device)
    return network(*asked.inputs(windows, index, device), state, windows.ages.to(device), weights)


def known_to(job: Job, found: Entries) -> Tensor:
    """Towers that each member may retrieve, (member, entry): those that it learns from.

    A network alone retrieves training towers; validation towers join with a refit.
    """
    if job.members == 1:
        own = np.isin(found.ids, job.allowed(*TRAINED[:1]))[None]
    else:
        own = membership(job.roles, job.members, job.seed).of(found.cluster) > 0
    return torch.from_numpy(own)


def cells_of(job: Job) -> Places:
    """Cells without their simulated states."""
    drivers, cover = (read_netcdf(job.files[name]) for name in ("drivers", "cover"))
    return cell_places(
        drivers,
        None,
        cover,
        job.roles,
        satellites=job.windows.satellites,
        channels=job.windows.channels,
        window=job.windows.window,
        stride=job.windows.window_stride,
        exchange=job.exchange,
    )


def simulated_fluxes(windows: Windows, job: Job) -> NDArray[np.floating]:
    """Simulated fluxes of mixtures, weighted by age, (place, time, flux)."""
    channels = job.exchange.of_outputs(job.exchange.names)
    state = windows.simulation.state[:, MIXTURE][..., channels]
    fluxes: NDArray[np.floating] = torch.einsum("patf,pa->ptf", state, windows.age_weight).numpy()
    return fluxes


def labels_of(data: TowerData) -> NDArray[np.floating]:
    """Labels of the towers that may be learned from, (place, time, flux); NaN = none."""
    flux, weight = data.windows.flux, data.windows.weight
    assert flux is not None and weight is not None
    return np.where(weight.numpy() > 0, flux.numpy(), np.nan)


def start_temperatures(network: RaciNetwork, places: Places, source: str, facts: Mapping[str, Mapping]) -> None:
    """Set the temperatures of a source to the median distances between its own entries, which stand at ``places``."""
    part = network.part(source)
    if not len(part):
        return
    network.eval()
    seen = reach(places, facts[source], part.position, random=network.retrieval == "random")
    with torch.no_grad():
        distance = network.distances(network.code(part), part, source, seen)
    for number, role in enumerate(ROLES):
        network.recall(role, source).start_temperature(distance[:, number], network.allowed(source, seen))


def _network(context: Context, config: RaciTowerConfig, parent: Fitted) -> RaciNetwork:
    bank = bank_of(parent.arrays)
    return RaciNetwork(context.blueprint, config.code, config.neighbours, config.retrieval, bank)


def _entries(context: Context, places: Places, fluxes: NDArray[np.floating], chosen: NDArray[np.int64]) -> Entries:
    own = context.statistics
    return entries(places, described(places), fluxes, chosen, own.flux_mean, own.flux_std)


def _empty(like: Entries) -> Entries:
    return Entries(like.ids[:0], like.cluster[:0], {name: value[:0] for name, value in like.tensors.items()})


def _parts(bank: Mapping[str, Entries]) -> dict[str, BankPart]:
    return {source: BankPart(found.tensors) for source, found in bank.items()}


def _rows(places: Places, found: Entries) -> NDArray[np.int64]:
    """Rows of the entries among the places."""
    position = {name: row for row, name in enumerate(places.ids.astype(str))}
    return np.array([position[name] for name in found.ids], dtype=np.int64)
