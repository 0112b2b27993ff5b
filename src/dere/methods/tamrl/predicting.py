"""Predictions of TAM-RL: by the site's description alone, or also by months of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from dere.methods.outputs import predicted_series, rebuilt
from dere.methods.tamrl.description import Described, Own, described, no_months, own_months
from dere.methods.tamrl.network import ModulatedNetwork
from dere.methods.tamrl.settings import TamrlConfig
from dere.methods.tamrl.training import code_of, inputs
from dere.training import weights
from dere.training.averaging import closed_mean, counted
from dere.training.context import choose_device
from dere.training.fitted import Fitted, Prediction, Support
from dere.training.places import Places
from dere.training.windows import Windows, windows_of

BATCH = 16
"""Windows predicted at a time."""


def predict(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places; months that ``support`` shows sharpen all the others of their place."""
    stage, device = fitted["tamrl"], choose_device(gpu)
    about, windows = described(places), windows_of(places)
    series = [
        _series(network_of(stage.member(member), unseen, device), stage, places, windows, about, support, device)
        for member in range(stage.members)
    ]
    exchange = rebuilt(stage.member(0)).exchange
    return Prediction(*closed_mean(series, counted(stage, places, unseen), exchange))


def network_of(fitted: Fitted, unseen: bool, device: str) -> ModulatedNetwork:
    """The network of one member, to predict with."""
    settings = TamrlConfig(**fitted.facts["params"]["stage"])
    network = ModulatedNetwork(rebuilt(fitted), settings.code)
    return weights.load(network, fitted, unseen).to(device).eval()


def _series(
    network: ModulatedNetwork,
    stage: Fitted,
    places: Places,
    windows: Windows,
    about: Described,
    support: Support | None,
    device: str,
) -> NDArray[np.float64]:
    """Fluxes (place, time, flux) by one network."""
    exchange = rebuilt(stage.member(0)).exchange

    def with_months(own: Own) -> NDArray[np.float64]:
        parts = []
        with torch.no_grad():
            for index in torch.arange(len(windows)).split(BATCH):
                place = windows.place[index]
                code = code_of(network, about, place, Own(*(part[place] for part in own)), device)
                parts.append(network(*inputs(windows, index, device), code).cpu())
        return predicted_series(torch.cat(parts).numpy(), places, exchange)

    alone = with_months(no_months(len(places), len(exchange.names)))
    if support is None or not support.shown.any():
        return alone
    return with_months(supported(network, about, alone, support))


def supported(network: ModulatedNetwork, about: Described, alone: NDArray[np.float64], support: Support) -> Own:
    """What the shown months say of the errors of ``alone`` (place, time, flux), predicted without them."""
    known = support.shown & np.isfinite(support.values) & np.isfinite(alone)
    scale = network.scale.cpu().numpy()
    error = np.where(known, np.nan_to_num(support.values - alone), 0.0) / scale
    weight = np.where(known, np.nan_to_num(support.quality), 0.0)
    months = torch.arange(alone.shape[1]).expand(len(alone), -1)
    return own_months(
        torch.from_numpy(error.astype(np.float32)),
        torch.from_numpy(weight.astype(np.float32)),
        about.months_of(torch.arange(len(alone)), months),
    )
