"""Boosted trees of NEE and RECO, cross-fitted as the point model is: what optimal interpolation refines.

The months of a group of training towers are predicted by trees that never saw the group, those of towers outside
training by trees of all training towers (`dere.imputation.point`). Validation towers are not read. Settings are
fixed, in the middle of what the search of the method gbm ends with on real towers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from dere.imputation.point import CONSTANT, features
from dere.imputation.series import COMPONENTS, Series
from dere.ingest.months import MONTHS
from dere.knowledge.earlier_months import running_mean
from dere.methods.shortened_trees import short_text

SETTING: dict[str, Any] = {
    "objective": "regression",
    "learning_rate": 0.05,
    "num_leaves": 20,
    "min_data_in_leaf": 30,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "extra_trees": True,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
ROUNDS = 200
"""Trees of one fit."""
WITHOUT = "set imputation.filled_by to diffusion, which needs no trees"
"""Way out where there is too little for trees and their errors."""


def inputs_of(series: Series) -> NDArray[np.float32]:
    """Inputs (S, T, X): those of the point model, and the driver's mean over the year that ends with each month."""
    varying = np.array([name not in CONSTANT for name in series.channels])
    if series.drivers.shape[1] < MONTHS:
        return features(series)
    of_year = [running_mean(series.drivers[..., channel], MONTHS) for channel in np.flatnonzero(varying)]
    return np.concatenate([features(series), np.stack(of_year, -1).astype(np.float32)], -1)


def name_of(group: int, component: str) -> str:
    """Name of the trees that never saw a group; the number of groups itself is for trees of all training towers."""
    return f"{component}_{group}"


def fit_trees(
    series: Series, inputs: NDArray[np.float32], group: NDArray[np.int64], groups: int, seed: int
) -> dict[str, NDArray[np.uint8]]:
    """Fit the trees of every group and component to training towers.

    Parameters
    ----------
    series
        Training towers alone.
    inputs
        From `inputs_of`.
    group
        (S,) from 0 to ``groups`` - 1.

    Returns
    -------
    dict
        `name_of` to LightGBM's text.

    Raises
    ------
    ValueError
        When the towers outside a group have no month of a component.
    """
    # a long record counts less than its months, as in the point model
    share = 1.0 / np.sqrt(np.maximum(series.observed.sum(1), 1))
    found = {}
    for component, name in enumerate(COMPONENTS):
        site, time = np.nonzero(series.known[..., component])
        weight = share[site]
        # bins of all rows, once; trees see the rows of their own towers
        rows, target = inputs[site, time], series.flux[site, time, component]
        fixed = {key: SETTING[key] for key in ("max_bin", "force_row_wise", "verbosity")}
        binned = lgb.Dataset(rows, target, weight=weight, params=fixed | {"feature_pre_filter": False})
        binned = binned.construct()
        for left_out in range(groups + 1):
            used = np.flatnonzero(group[site] != left_out)
            if not len(used):
                raise ValueError(
                    f"imputation: all usable months of {name} are in one group of training towers, but trees of the "
                    f"others need some too; {WITHOUT}, or add towers"
                )
            booster = lgb.train({**SETTING, "seed": seed}, binned.subset(used.tolist()), num_boost_round=ROUNDS)
            text = short_text(booster.model_to_string())
            found[name_of(left_out, name)] = np.frombuffer(text.encode(), np.uint8).copy()
    return found


def predict_trees(
    trees: Mapping[str, NDArray[np.uint8]], inputs: NDArray[np.float32], group: NDArray[np.int64]
) -> NDArray[np.float64]:
    """NEE and RECO (S, T, 2) in gC m-2 d-1 of sites with `inputs_of` (S, T, X) and groups (S,)."""
    out = np.empty((*inputs.shape[:2], len(COMPONENTS)))
    for which in np.unique(group):
        chosen = group == which
        rows = inputs[chosen].reshape(-1, inputs.shape[-1])
        for component, name in enumerate(COMPONENTS):
            booster = lgb.Booster(model_str=trees[name_of(int(which), name)].tobytes().decode())
            value = np.asarray(booster.predict(rows, num_threads=1))
            out[chosen, :, component] = value.reshape(int(chosen.sum()), -1)
    return out
