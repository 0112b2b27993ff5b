"""Predictions of the tree models, with intervals from their held-out residuals."""

from __future__ import annotations

from collections.abc import Mapping

import lightgbm as lgb
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere import exchange as exchanges
from dere.exchange import Exchange
from dere.methods.trees.features import tree_features
from dere.methods.trees.fitting import interval_size, project
from dere.methods.trees.intervals import ResidualIntervals
from dere.training.fitted import Fitted, Prediction, Support
from dere.training.places import Places
from dere.variables import QUANTILES

FACTS = ("settings", "nee_from", "training_rows")


def predict_gbm(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places from their drivers and attributes."""
    return _predict(fitted["gbm"], places, simulated=False)


def predict_gbm_sim(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places from their drivers, attributes and simulated series."""
    return _predict(fitted["gbm_sim"], places, simulated=True)


def _predict(fitted: Fitted, places: Places, simulated: bool) -> Prediction:
    exchange = exchanges.get(str(fitted.facts.get("exchange", exchanges.DEFAULT)))
    features, _ = tree_features(places, exchange, simulated)
    flat = features.reshape(-1, features.shape[-1])
    raw = {
        flux: np.asarray(
            lgb.Booster(model_str=fitted.arrays[f"trees.{flux}"].tobytes().decode()).predict(flat, num_threads=1)
        )
        for flux in exchange.names
    }
    if fitted.facts["nee_from"] == "direct":
        raw = project(raw, {flux: float(fitted.arrays[f"variance.{flux}"]) for flux in exchange.names})
    values = np.stack([raw[flux] for flux in exchange.names], -1).reshape(*features.shape[:2], len(exchange.names))
    if fitted.facts["nee_from"] != "direct":
        values = exchange.close(values)
    facts = {name: fitted.facts[name] for name in FACTS}
    return Prediction(values, extras=_intervals(fitted, values, exchange), facts=facts)


def _intervals(fitted: Fitted, values: NDArray[np.float64], exchange: Exchange) -> xr.Dataset:
    """``std`` and ``quantile_value`` of each flux."""
    size = values[..., exchange.names.index(interval_size(exchange))]
    std, quantiles = np.empty(values.shape), np.empty((*values.shape, len(QUANTILES)))
    for i, flux in enumerate(exchange.names):
        parts = (fitted.arrays[f"intervals.{flux}.{name}"] for name in ("knots", "spread", "quantiles"))
        intervals = ResidualIntervals(*parts)
        std[..., i] = intervals.std(size)
        quantiles[..., i, :] = intervals.quantile_values(values[..., i], size)
    dims = ("place", "time", "flux")
    return xr.Dataset(
        {"std": (dims, std), "quantile_value": ((*dims, "quantile"), quantiles)}, coords={"quantile": list(QUANTILES)}
    )
