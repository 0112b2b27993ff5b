"""Pre-training in which simulated series that resemble the towers learned from count more."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import torch
from numpy.typing import NDArray

from dere.io import content_hash, read_netcdf
from dere.methods.single_stages import pretrain
from dere.methods.transfers.reports import reporting
from dere.methods.transfers.sample_weights import Moments, effective_size, moments, weights_by
from dere.methods.transfers.settings import WeightedConfig
from dere.training.context import Context
from dere.training.fitted import Fitted
from dere.training.job import Job
from dere.training.membership import LEFT_OUT, membership
from dere.training.places import YEAR, Places
from dere.training.read_places import site_labels, site_places
from dere.training.roles import TRAINED
from dere.training.simulation import MIXTURE_ALONE, CellData, load_cells
from dere.training.windows import MIXTURE

FARTHEST = 5.0
"""Standard deviations beyond which attributes are not told further apart."""
BLOCK = 64
"""Windows whose series are described at a time."""


def fit(job: Job) -> Fitted:
    """Pre-train on weighted series, once per member: each heeds the labels of the towers that it learns from alone."""
    cells = load_cells(job, MIXTURE_ALONE)
    each, size, found = sample_weights(job, cells), [], []
    for member, weight in enumerate(each):
        identity = content_hash([job.identity, member])
        context = Context(replace(job, identity=identity))
        found.append(pretrain(context, cells, torch.from_numpy(weight).float()))
        size.append(effective_size(weight[cells.training.numpy()].ravel()))
    samples = len(cells.training) * each.shape[-1]
    reports = {("effective_sample_size", ""): np.mean(size), ("effective_sample_share", ""): np.mean(size) / samples}
    return reporting(found[0] if job.members == 1 else _together(job, found), reports)


def _together(job: Job, found: list[Fitted]) -> Fitted:
    """The members as one stage; its loss is their mean."""
    arrays = {name: np.stack([one.arrays[name] for one in found]) for name in found[0].arrays}
    loss = float(np.mean([one.facts["best_validation_loss"] for one in found]))
    own = {"members": len(found), LEFT_OUT: membership(job.roles, job.members, job.seed).left_out()}
    facts = {**found[0].facts, "best_validation_loss": loss, "candidate_validation_losses": [loss], **own}
    return Fitted(arrays, facts, found[0].history)


def sample_weights(job: Job, cells: CellData) -> NDArray[np.float64]:
    """Weights (member, window, age) of all simulated series; their mean over those trained on is one."""
    config: WeightedConfig = job.section
    statistics = Context(job).statistics
    mean, std = statistics.static_mean.numpy(), statistics.static_std.numpy()
    flux_std = statistics.flux_std.double().numpy()

    def scaled(static: NDArray[np.float32]) -> NDArray[np.float64]:
        return ((static - mean) / std).clip(-FARTHEST, FARTHEST).astype(float)

    series = cell_moments(job, cells, flux_std, scaled(cells.windows.static.numpy()))
    own, towers = job.windows, read_netcdf(job.files["towers"])
    places = site_places(towers, job.roles, satellites=own.satellites, channels=own.channels, exchange=job.exchange)
    flux = site_labels(towers, job.allowed(*TRAINED), own.minimum_training_quality, job.exchange).flux
    months = np.broadcast_to(np.arange(flux.shape[1]) % YEAR, flux.shape[:2])
    observed = moments(np.nan_to_num(flux), np.isfinite(flux), months, flux_std, scaled(places.static))
    weights = [
        weights_by(series, observed, counts, config.steepness).reshape(len(cells.windows), -1)
        for counts in tower_counts(job, places)
    ]
    return np.stack([weight / weight[cells.training.numpy()].mean() for weight in weights])


def tower_counts(job: Job, places: Places) -> NDArray[np.float64]:
    """How much each tower counts for each member, (member, tower); what a member is judged by counts nothing."""
    if job.members == 1:
        return np.isin(places.ids, job.allowed(*TRAINED[:1]))[None].astype(float)
    learned = np.isin(places.ids, job.allowed(*TRAINED))
    return membership(job.roles, job.members, job.seed).of(places.classes["cluster"].to_numpy(str)) * learned


def cell_moments(job: Job, cells: CellData, flux_std: NDArray[np.float64], static: NDArray[np.float64]) -> Moments:
    """Moments of every simulated series, (window · age, …), window-major.

    Parameters
    ----------
    flux_std
        (flux,).
    static
        (place, attribute) in standard deviations.
    """
    windows, channels = cells.windows, job.exchange.of_outputs(job.exchange.names)
    ages = torch.arange(len(windows.ages))
    parts = []
    for index in torch.arange(len(windows)).split(BLOCK):
        state = windows.states(index, MIXTURE, ages)[1][..., channels].flatten(0, 1).double().numpy()
        months = (windows.months(index) % YEAR).repeat_interleave(len(ages), 0).numpy()
        attributes = static[windows.place[index].numpy()].repeat(len(ages), 0)
        parts.append(moments(np.nan_to_num(state), np.isfinite(state), months, flux_std, attributes))
    return Moments(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Moments)))
