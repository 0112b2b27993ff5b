"""Predictions of DERE at places: frozen pure stands, then the network of a tower stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import xarray as xr
from torch import Tensor, nn

from dere.layers.blueprint import Blueprint
from dere.methods.dere.networks.dere import DereNetwork
from dere.methods.dere.networks.potential import FLUXES
from dere.methods.dere.networks.pure import PureNetwork
from dere.methods.dere.settings import ObservedMonthsConfig
from dere.methods.dere.site import forward, pure_at
from dere.methods.dere.uncertain import UncertainNetwork
from dere.methods.outputs import mean_of_windows, predicted_series, rebuilt
from dere.training import weights
from dere.training.averaging import closed_mean, counted, mean_of
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

    def load(found: Fitted) -> tuple[DereNetwork, nn.Module]:
        network = _network(found, rebuilt(found))
        return network, weights.load(network, found, unseen)

    return _predict(load, fitted["pure"], fitted["towers"], places, unseen, gpu)


def predict_uncertain(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict by stage 6."""

    def load(found: Fitted) -> tuple[DereNetwork, nn.Module]:
        blueprint = rebuilt(found)
        network = _network(found, blueprint)
        whole = UncertainNetwork(network, blueprint.statistics.flux_std, blueprint.exchange)
        return network, weights.load(whole, found, unseen)

    return _predict(load, fitted["pure"], fitted["uncertain"], places, unseen, gpu)


def _network(found: Fitted, blueprint: Blueprint) -> DereNetwork:
    """The network of a stage as it was trained."""
    # stage 4 has all settings of stage 6, and one of its own
    settings = ObservedMonthsConfig(**found.facts["params"]["stage"])
    return DereNetwork(blueprint, settings.adapters, settings.head)


def shares(networks: Sequence[DereNetwork]) -> dict[str, float]:
    """How much of each flux physics says, as attributes of the prediction: 0 = the stands alone, 1 = physics alone.

    The mean over the members of an ensemble.
    """
    found = [network.gate.share() for network in networks if network.gate is not None]
    if not found:
        return {}
    means = torch.stack(found).mean(0).tolist()
    return {f"physics_{name}": value for name, value in zip(FLUXES, means, strict=True)}


def _predict(
    load: Callable[[Fitted], tuple[DereNetwork, nn.Module]],
    frozen: Fitted,
    found: Fitted,
    places: Places,
    unseen: bool,
    gpu: int,
) -> Prediction:
    """Predict with all members of a tower stage on the pure stands ``frozen``, which they share.

    Parameters
    ----------
    load
        Gives the network of one member, and the whole of which it is a part.
    """
    device = choose_device(gpu)
    networks = []
    for member in range(found.members):
        network, whole = load(found.member(member))
        whole.to(device).eval()
        networks.append(network)
    # frozen as in training: what requires a gradient goes through other kernels, with other rounding
    stands = freeze(weights.load(PureNetwork(rebuilt(frozen)), frozen).to(device))
    windows = windows_of(places)
    parts: list[list[tuple[Tensor, Tensor]]] = [[] for _ in networks]
    with torch.no_grad():
        for index in torch.arange(len(windows)).split(BATCH):
            pure = pure_at(stands, windows, index, device)
            for network, own in zip(networks, parts, strict=True):
                output, fraction = forward(network, windows, index, pure, device)
                own.append((output.cpu(), fraction.cpu()))
    exchange, counts = rebuilt(found.member(0)).exchange, counted(found, places, unseen)
    series = [predicted_series(torch.cat([o for o, _ in own]).numpy(), places, exchange) for own in parts]
    learned = [mean_of_windows(torch.cat([f for _, f in own]).numpy(), places) for own in parts]
    extras = xr.Dataset(
        {"plant_fraction": (("place", "plant_type"), mean_of(learned, counts))},
        coords={"plant_type": list(PLANT_TYPES)},
    )
    return Prediction(*closed_mean(series, counts, exchange), extras=extras, facts=shares(networks))
