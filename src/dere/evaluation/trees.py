"""``gbm`` and ``gbm_sim``: LightGBM on identical drivers, statics and quality weights as the networks.

Their rows are those of training and validation towers, as for networks that are trained once more on both
(``stages.*.refit``), or of training towers alone (``trees.validation_towers: false``).

GPP, RECO and NEE have a model each. NEE is taken as RECO - GPP or from its own model, whichever has the smaller error
in the inner cross-validation; in the second case the triple is projected onto RECO = GPP + NEE, the residual being
shared out by the held-out error variances (methods-and-results 8.1), and the choice is made on the projected values.
Intervals come from the held-out residuals.
"""

from __future__ import annotations

import json
import logging
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.config.evaluation import TreesConfig
from dere.evaluation.predictions import PREDICTED_ROLES, TRAINING_ROLES, assemble, sites_with_role, training_rows
from dere.evaluation.residual_intervals import LEVELS, fit_intervals
from dere.evaluation.tree_features import tree_features
from dere.evaluation.tree_search import (
    Array,
    Rows,
    Trial,
    fit,
    inner_folds,
    random_settings,
    search,
    tower_score,
)
from dere.variables import FLUX_UNIT, FLUXES

log = logging.getLogger(__name__)


class TreeResult(NamedTuple):
    """Prediction dataset and the table of all settings tried."""

    prediction: xr.Dataset
    settings: pd.DataFrame


def tree_method(
    towers: xr.Dataset,
    members: pd.DataFrame,
    config: TreesConfig,
    *,
    minimum_quality: float,
    fold: int,
    seed: int,
    simulated: bool,
) -> TreeResult:
    """Tune, fit and predict one fold.

    Parameters
    ----------
    towers
        Canonical towers.
    members
        Result of ``dere.harmonise.splits.roles`` for the fold. Test towers are cut out of the data before anything is
        computed from labels.
    config
        Number of settings, inner folds, trees, threads; whether validation towers train.
    minimum_quality
        ``harmonise.minimum_training_quality``.
    fold, seed
        For the attributes; the seed also draws settings, inner folds and row samples.
    simulated
        False = method ``gbm``, true = ``gbm_sim``.

    Returns
    -------
    TreeResult
        Prediction, ``std`` and ``quantile_value`` for test and predict sites, with attributes ``settings`` (JSON of
        the chosen ones) and ``nee_from`` (difference or direct); table with one row per flux and setting: flux, rank,
        score (mean ln RMSE over towers), trees, rung, chosen, and the setting's values.

    Raises
    ------
    ValueError
        Without training rows, or with fewer clusters than inner folds.
    """
    method = "gbm_sim" if simulated else "gbm"
    rng = np.random.default_rng(seed)
    learned_from = TRAINING_ROLES if config.validation_towers else ("training",)
    rows = _rows(training_rows(towers, members, minimum_quality, learned_from), members, config, rng, simulated)
    settings = random_settings(config.settings, rng)
    trials = {flux: search(rows, flux, settings, config, seed) for flux in FLUXES}
    best = {flux: found[0] for flux, found in trials.items()}
    held_out = {flux: trial.held_out for flux, trial in best.items()}
    variance = {flux: _variance(held_out[flux] - rows.targets[flux], rows.weight) for flux in FLUXES}
    candidates = {
        "difference": {**held_out, "nee": held_out["reco"] - held_out["gpp"]},
        "direct": project(held_out, variance),
    }
    scores = {
        name: tower_score(rows.targets["nee"], values["nee"], rows.weight, rows.site)
        for name, values in candidates.items()
    }
    nee_from = min(scores, key=lambda name: scores[name])
    log.info("%s fold %d: %d rows, %d features, NEE from %s", method, fold, *rows.features.shape, nee_from)

    sites = sites_with_role(members, PREDICTED_ROLES)
    features, _ = tree_features(towers.sel(site=sites), simulated)
    flat = features.reshape(-1, features.shape[-1])
    raw = {
        flux: np.asarray(fit(rows, flux, best[flux], config, seed).predict(flat, num_threads=config.threads))
        for flux in FLUXES
    }
    closed = project(raw, variance) if nee_from == "direct" else {**raw, "nee": raw["reco"] - raw["gpp"]}
    values = np.stack([closed[flux] for flux in FLUXES], -1).reshape(*features.shape[:2], len(FLUXES))
    attrs = {
        "settings": json.dumps({flux: {**t.setting, "trees": t.trees} for flux, t in best.items()}, sort_keys=True),
        "nee_from": nee_from,
        "training_rows": len(rows.site),
    }
    prediction = assemble(values, towers, sites, method=method, fold=fold, seed=seed, attrs=attrs)
    return TreeResult(_with_intervals(prediction, rows, candidates[nee_from]), _settings_table(trials, scores))


def project(values: dict[str, Array], variance: dict[str, float]) -> dict[str, Array]:
    """Move GPP, RECO and NEE onto RECO = GPP + NEE, each by its share of the summed error variances.

    Parameters
    ----------
    values
        Arrays of one shape by flux.
    variance
        Error variance of each flux; the least certain flux moves most.
    """
    total = sum(variance[flux] for flux in FLUXES)
    share = {flux: variance[flux] / total if total > 0 else 1.0 / len(FLUXES) for flux in FLUXES}
    residual = values["reco"] - values["gpp"] - values["nee"]
    gpp = values["gpp"] + residual * share["gpp"]
    reco = values["reco"] - residual * share["reco"]
    return {"gpp": gpp, "reco": reco, "nee": reco - gpp}


def _with_intervals(prediction: xr.Dataset, rows: Rows, held_out: dict[str, Array]) -> xr.Dataset:
    """Add ``std`` and ``quantile_value`` from the residuals of towers held out in the inner cross-validation."""
    mean = prediction["prediction"]
    gpp = mean.sel(flux="gpp").values
    std, quantiles = np.empty(mean.shape), np.empty((*mean.shape, len(LEVELS)))
    for i, flux in enumerate(FLUXES):
        intervals = fit_intervals(rows.targets[flux] - held_out[flux], held_out["gpp"], rows.site)
        std[..., i] = intervals.std(gpp)
        quantiles[..., i, :] = intervals.quantile_values(mean.sel(flux=flux).values, gpp)
    missing = np.isnan(mean.values)
    std[missing] = np.nan
    quantiles[missing] = np.nan
    attrs = {"units": FLUX_UNIT}
    return prediction.assign(
        std=(mean.dims, std, attrs), quantile_value=((*mean.dims, "quantile"), quantiles, attrs)
    ).assign_coords(quantile=list(LEVELS))


def _rows(
    training: xr.Dataset, members: pd.DataFrame, config: TreesConfig, rng: np.random.Generator, simulated: bool
) -> Rows:
    features, _ = tree_features(training, simulated)
    flux = training["flux_value"].transpose("site", "time", "flux").values.astype(np.float64)
    site, month = np.nonzero(np.isfinite(flux).all(-1))
    cluster_of = dict(zip(members["id"].astype(str), members["cluster"].astype(str), strict=True))
    clusters = np.asarray([cluster_of[name] for name in training["site"].values.astype(str)])
    quality = training["flux_quality"].transpose("site", "time").values.astype(np.float64)
    return Rows(
        features=features[site, month],
        targets={name: flux[site, month, i] for i, name in enumerate(FLUXES)},
        weight=quality[site, month],
        site=site,
        fold=inner_folds(clusters[site], config.inner_folds, rng),
    )


def _variance(error: NDArray, weight: NDArray) -> float:
    return float(np.average(error**2, weights=weight))


def _settings_table(trials: dict[str, list[Trial]], nee_scores: dict[str, float]) -> pd.DataFrame:
    rows = [
        {
            "flux": flux,
            "rank": rank,
            "score": t.score,
            "trees": t.trees,
            "rung": t.rung,
            "chosen": rank == 0,
            **t.setting,
        }
        for flux, found in trials.items()
        for rank, t in enumerate(found)
    ]
    table = pd.DataFrame(rows)
    extra = [
        {"flux": f"nee {name}", "rank": 0, "score": score, "chosen": score == min(nee_scores.values())}
        for name, score in nee_scores.items()
    ]
    return pd.concat([table, pd.DataFrame(extra)], ignore_index=True)
