"""Predictions of DERE at places: frozen pure stands, then the network of a tower stage."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import xarray as xr
from torch import nn

from dere.layers.blueprint import Blueprint
from dere.methods.dere.networks.dere import DereNetwork
from dere.methods.dere.networks.potential import FLUXES
from dere.methods.dere.networks.pure import PureNetwork
from dere.methods.dere.settings import DereTowerConfig
from dere.methods.dere.site import forward, pure_at
from dere.methods.dere.uncertain import UncertainNetwork
from dere.methods.outputs import mean_of_windows, predicted_series, rebuilt
from dere.training import weights
from dere.training.context import choose_device
from dere.training.fitted import Fitted, Prediction, Support
from dere.training.loop import freeze
from dere.training.places import Places
from dere.training.windows import windows_of
from dere.variables import PLANT_TYPES

BATCH = 16
"""Windows predicted at a time."""


def predict_towers(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict by stage 4."""
    found = fitted["towers"]
    network = _network(found, rebuilt(found))
    return _predict(network, weights.load(network, found, unseen), fitted["pure"], found, places, gpu)


def predict_uncertain(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict by stage 6."""
    found = fitted["uncertain"]
    blueprint = rebuilt(found)
    network = _network(found, blueprint)
    whole = UncertainNetwork(network, blueprint.statistics.flux_std, blueprint.exchange)
    return _predict(network, weights.load(whole, found, unseen), fitted["pure"], found, places, gpu)


def _network(found: Fitted, blueprint: Blueprint) -> DereNetwork:
    """The network of a stage as it was trained."""
    settings = DereTowerConfig(**found.facts["params"]["stage"])
    return DereNetwork(blueprint, settings.adapters, settings.head)


def shares(network: DereNetwork) -> dict[str, float]:
    """How much of each flux physics says, as attributes of the prediction: 0 = the stands alone, 1 = physics alone."""
    if network.gate is None:
        return {}
    return {f"physics_{name}": float(value) for name, value in zip(FLUXES, network.gate.share(), strict=True)}


def _predict(
    network: DereNetwork, loaded: nn.Module, frozen: Fitted, found: Fitted, places: Places, gpu: int
) -> Prediction:
    """Predict with ``network``, part of what was ``loaded``, on the pure stands ``frozen``."""
    device = choose_device(gpu)
    loaded.to(device).eval()
    # frozen as in training: what requires a gradient goes through other kernels, with other rounding
    stands = freeze(weights.load(PureNetwork(rebuilt(frozen)), frozen).to(device))
    windows = windows_of(places)
    outputs, fractions = [], []
    with torch.no_grad():
        for index in torch.arange(len(windows)).split(BATCH):
            pure = pure_at(stands, windows, index, device)
            output, fraction = forward(network, windows, index, pure, device)
            outputs.append(output.cpu())
            fractions.append(fraction.cpu())
    series = predicted_series(torch.cat(outputs).numpy(), places, rebuilt(found).exchange)
    learned = mean_of_windows(torch.cat(fractions).numpy(), places)
    extras = xr.Dataset(
        {"plant_fraction": (("place", "plant_type"), learned)}, coords={"plant_type": list(PLANT_TYPES)}
    )
    return Prediction(series, extras=extras, facts=shares(network))
