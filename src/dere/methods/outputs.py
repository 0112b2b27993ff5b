"""From what a stage left behind to a network, and from its windows to the series of places."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from dere import exchange as exchanges
from dere.backbones import declaration
from dere.config.windows import WindowConfig
from dere.exchange import Exchange
from dere.harmonise.windows import stitch
from dere.layers.blueprint import Blueprint
from dere.layers.inputs import Statistics
from dere.training.fitted import Fitted
from dere.training.places import Places


def rebuilt(fitted: Fitted) -> Blueprint:
    """What the networks of a fitted stage were built from; sizes come from its arrays, no canonical file is read."""
    params = fitted.facts["params"]
    name = str(params["backbone_name"])
    exchange = exchanges.get(str(fitted.facts.get("exchange", exchanges.DEFAULT)))
    found: dict[str, torch.Tensor] = {}
    for key, value in fitted.arrays.items():
        _, inside, buffer = key.rpartition("normaliser.")
        if inside:
            found.setdefault(buffer, torch.from_numpy(np.array(value)))
    # of the labels only the number matters: what was learned from them is among the weights
    flux = torch.ones(len(exchange.names))
    statistics = Statistics(**found, flux_mean=flux, flux_std=flux)
    size = declaration(name).section(**params["backbone"])
    drivers = tuple(fitted.facts.get("drivers", ()))
    return Blueprint(name, size, WindowConfig(**params["harmonise"]).window, statistics, exchange, drivers)


def predicted_series(outputs: NDArray[np.float32], places: Places, exchange: Exchange) -> NDArray[np.float64]:
    """Fluxes (place, time, flux) from the outputs of windows (window, W, output).

    Overlapping windows are averaged in float64 and dependent fluxes computed last, so that identities hold to
    rounding.
    """
    months = places.window_start[:, None] + np.arange(places.window)
    fluxes = outputs[..., exchange.of_outputs(exchange.names)].astype(np.float64)
    series: NDArray[np.float64] = exchange.close(
        stitch(fluxes, places.window_place, months, len(places), len(places.time))
    )
    return series


def mean_of_windows(values: NDArray, places: Places) -> NDArray[np.float64]:
    """Mean over time and windows of each place, (window, year, …) to (place, …); NaN where a place has no window."""
    total, count = np.zeros((len(places), values.shape[-1])), np.zeros((len(places), 1))
    np.add.at(total, places.window_place, values.mean(1))
    np.add.at(count, places.window_place, 1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
