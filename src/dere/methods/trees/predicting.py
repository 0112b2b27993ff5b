"""Predictions of the tree models, with intervals from their held-out residuals."""

from __future__ import annotations

from collections.abc import Mapping

import lightgbm as lgb
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere import exchange as exchanges
from dere.exchange import Exchange
from dere.methods.tree_features import tree_features
from dere.methods.trees import link
from dere.methods.trees.fitting import interval_size, project
from dere.methods.trees.intervals import ResidualIntervals
from dere.methods.trees.members import name_of
from dere.training.averaging import closed_mean, counted
from dere.training.fitted import Fitted, Prediction, Support
from dere.training.places import Places
from dere.variables import QUANTILES

FACTS = ("settings", "nee_from", "training_rows")


def predict_gbm(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places from their drivers and attributes."""
    return _predict(fitted["gbm"], places, unseen, simulated=False)


def predict_gbm_sim(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places from their drivers, attributes and simulated series."""
    return _predict(fitted["gbm_sim"], places, unseen, simulated=True)


def _predict(fitted: Fitted, places: Places, unseen: bool, simulated: bool) -> Prediction:
    exchange = exchanges.get(str(fitted.facts.get("exchange", exchanges.DEFAULT)))
    features, _ = tree_features(places, exchange, simulated)
    series = [_series(fitted, member, features, exchange) for member in range(fitted.members)]
    values, members = closed_mean(series, counted(fitted, places, unseen), exchange)
    facts = {name: fitted.facts[name] for name in FACTS}
    # one model has no member that left a tower out; its residuals of nested cross-validation make its intervals
    extras = _intervals(fitted, values, exchange) if fitted.members == 1 else xr.Dataset()
    return Prediction(values, members=members, extras=extras, facts=facts)


def _series(fitted: Fitted, member: int, features: NDArray[np.float32], exchange: Exchange) -> NDArray[np.float64]:
    """Closed fluxes (place, time, flux) by the trees of one member."""
    flat = features.reshape(-1, features.shape[-1])
    texts = {flux: fitted.arrays[name_of(flux, member, fitted.members)].tobytes().decode() for flux in exchange.names}
    raw = {flux: np.asarray(lgb.Booster(model_str=text).predict(flat, num_threads=1)) for flux, text in texts.items()}
    if link.FACT in fitted.facts:
        raw = {flux: link.straight(own) * float(fitted.arrays[f"level.{flux}"][member]) for flux, own in raw.items()}
    if fitted.facts["nee_from"] == "direct":
        raw = project(raw, {flux: float(fitted.arrays[f"variance.{flux}"]) for flux in exchange.names})
    values = np.stack([raw[flux] for flux in exchange.names], -1).reshape(*features.shape[:2], len(exchange.names))
    if fitted.facts["nee_from"] != "direct":
        values = exchange.close(values)
    return values


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
