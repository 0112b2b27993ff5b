"""Predictions of RACI, and the neighbours that they rest on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from dere.methods.outputs import predicted_series, rebuilt
from dere.methods.raci.asking import Asking, asking, bank_of
from dere.methods.raci.bank import ROLES, SOURCES
from dere.methods.raci.description import described
from dere.methods.raci.network import RaciNetwork
from dere.methods.raci.settings import RaciTowerConfig
from dere.methods.raci.training import BANK, forward
from dere.training import weights
from dere.training.averaging import closed_mean, counted
from dere.training.context import choose_device
from dere.training.fitted import Fitted, Prediction, Support
from dere.training.places import Places
from dere.training.windows import windows_of

BATCH = 16
"""Windows predicted at a time."""
SHOWN = 8
"""Neighbours of a role and source that a prediction names."""


def predict(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places and name the neighbours; the members' weights of a neighbour are averaged."""
    stage, device = fitted["raci"], choose_device(gpu)
    about, windows, facts = described(places), windows_of(places), stage.facts[BANK]
    counts, exchange = counted(stage, places, unseen), rebuilt(stage.member(0)).exchange
    series, heard = [], {source: np.zeros((len(places), len(ROLES), len(facts[source]["id"]))) for source in SOURCES}
    for member in range(stage.members):
        network = network_of(stage.member(member), unseen, device)
        asked = asking(places, network, facts, about)
        with torch.no_grad():
            parts = [
                forward(network, windows, asked, index, device).cpu()
                for index in torch.arange(len(windows)).split(BATCH)
            ]
            for source in SOURCES if network.retrieval != "none" else ():
                heard[source] += counts[member][:, None, None] * weights_of(network, asked, source, device)
        series.append(predicted_series(torch.cat(parts).numpy(), places, exchange))
    km = {source: asked.reach[source].km.numpy() for source in SOURCES}
    mean = {source: found / counts.sum(0)[:, None, None] for source, found in heard.items()}
    return Prediction(*closed_mean(series, counts, exchange), extras=neighbours(mean, km, facts))


def network_of(fitted: Fitted, unseen: bool, device: str) -> RaciNetwork:
    """The network of one member, to predict with."""
    own = RaciTowerConfig(**fitted.facts["params"]["stage"])
    network = RaciNetwork(rebuilt(fitted), own.code, own.neighbours, own.retrieval, bank_of(fitted.chosen(unseen)))
    return weights.load(network, fitted, unseen).to(device).eval()


def weights_of(network: RaciNetwork, asked: Asking, source: str, device: str) -> NDArray[np.float64]:
    """Weight (place, role, entry) that places give to the entries of a source."""
    reach = asked.reach[source]
    found = torch.zeros(len(reach.km), len(ROLES), reach.km.shape[1])
    if not found.shape[-1]:
        return found.double().numpy()
    for rows in torch.arange(len(found)).split(BATCH):
        query = asked.query(rows, device)
        own = query.reach[source]
        distance, allowed = network.distances(network.code(query), query, source, own), network.allowed(source, own)
        for number, role in enumerate(ROLES):
            entry, weight, _ = network.recall(role, source).neighbours_of(distance[:, number], allowed)
            found[rows[:, None], number, entry.cpu()] = weight.cpu()
    return found.double().numpy()


def neighbours(
    weight: Mapping[str, NDArray[np.float64]],
    km: Mapping[str, NDArray[np.floating]],
    facts: Mapping[str, Mapping[str, list[str]]],
) -> xr.Dataset:
    """The `SHOWN` neighbours of largest weight, by place, role, source and rank.

    Parameters
    ----------
    weight
        By source (place, role, entry); zero = not retrieved.
    km
        By source (place, entry).
    facts
        By source the names of its entries.
    """
    shape = (len(km[SOURCES[0]]), len(ROLES), len(SOURCES), SHOWN)
    name, far, share = np.full(shape, "", object), np.full(shape, np.nan), np.zeros(shape)
    for number, source in enumerate(SOURCES):
        own, ids = weight[source], np.array(facts[source]["id"], dtype=object)
        rows = np.argsort(-own, axis=-1, kind="stable")[..., :SHOWN]
        count = rows.shape[-1]
        if not count:
            continue
        chosen = np.take_along_axis(own, rows, -1)
        heard = chosen > 0
        share[:, :, number, :count] = chosen
        name[:, :, number, :count] = np.where(heard, ids[rows], "")
        away = np.take_along_axis(np.broadcast_to(km[source][:, None], own.shape), rows, -1)
        far[:, :, number, :count] = np.where(heard & np.isfinite(away), away, np.nan)
    dims = ("place", "asked_role", "asked_source", "rank")
    about = {
        "neighbour": (dims, name, {"long_name": "tower or cell that the prediction heard; empty = none"}),
        "neighbour_km": (dims, far, {"units": "km", "long_name": "distance to it"}),
        "neighbour_weight": (dims, share, {"units": "1", "long_name": "its weight within role and source"}),
    }
    return xr.Dataset(
        about, {"asked_role": list(ROLES), "asked_source": list(SOURCES), "rank": np.arange(1, SHOWN + 1)}
    )
