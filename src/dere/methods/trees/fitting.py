"""``gbm`` and ``gbm_sim``: LightGBM on identical drivers, statics and quality weights as the networks.

Their rows are those of training and validation towers, as for networks that are trained once more on both
(``stages.*.refit``), or of training towers alone (``trees.validation_towers: false``).

Each flux has a model, of the months that are its labels. Where the fluxes hang together, NEE is taken as RECO - GPP or
from its own model, whichever has the smaller error in the inner cross-validation; in the second case the triple is
projected onto RECO = GPP + NEE, the residual being shared out by the held-out error variances (weighted least squares),
and the choice is made on the projected values. The settings found so are fitted by every member of the ensemble.
Intervals come from the residuals at towers that were held out: by the members, or with one in the inner
cross-validation.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.io import read_netcdf
from dere.methods.tree_features import tree_features
from dere.methods.trees import link
from dere.methods.trees.balance import balanced
from dere.methods.trees.intervals import fit_intervals
from dere.methods.trees.members import fit_members
from dere.methods.trees.search import Array, Rows, Trial, inner_folds, random_settings, search, tower_score
from dere.methods.trees.settings import TreesConfig
from dere.training.fitted import Fitted
from dere.training.job import Job
from dere.training.membership import LEFT_OUT, Membership, membership
from dere.training.places import Places
from dere.training.read_places import Labels, site_labels, site_places
from dere.training.roles import TRAINED

log = logging.getLogger(__name__)

TRIPLE = {"gpp", "reco", "nee"}
"""Fluxes that close as RECO = GPP + NEE; those of an exchange that closes otherwise are closed by its own rule."""


def fit_gbm(job: Job) -> Fitted:
    """Tune and fit on towers alone."""
    return _fit(job, simulated=False)


def fit_gbm_sim(job: Job) -> Fitted:
    """Tune and fit on towers with the simulated fluxes and states."""
    return _fit(job, simulated=True)


def text_of(booster: lgb.Booster) -> str:
    """Return LightGBM's text of its trees, which are the same whatever the threads; so is the text."""
    return re.sub(r"^\[num_threads: \d+\]$", "[num_threads: 1]", booster.model_to_string(), flags=re.MULTILINE)


def _fit(job: Job, simulated: bool) -> Fitted:
    """Tune and fit one fold.

    Returns
    -------
    Fitted
        Trees of each flux as LightGBM's text, the error variances of the fluxes, and what intervals need; facts
        ``settings`` (JSON of the chosen ones), ``nee_from`` (difference, direct or each), ``training_rows`` and
        ``tried`` (rows of the history); history
        with one row per flux and setting: flux, rank, score (mean ln RMSE over towers), trees, rung, chosen, and the
        setting's values.

    Raises
    ------
    ValueError
        Without training rows, or with fewer clusters than inner folds.
    """
    config: TreesConfig = job.section
    exchange = job.exchange
    rng = np.random.default_rng(job.seed)
    observed, cluster = _rows_of(job, config, rng, simulated)
    on_asinh = link.applies(config.link, exchange)
    rows = replace(observed, targets={n: link.bent(v) for n, v in observed.targets.items()}) if on_asinh else observed
    settings = random_settings(config.settings, rng)
    trials = {flux: search(rows, flux, settings, config, job.seed) for flux in exchange.names}
    best = {flux: found[0] for flux, found in trials.items()}
    held_out = {flux: link.straight(t.held_out) if on_asinh else t.held_out for flux, t in best.items()}
    dealt = membership(job.roles, job.members, job.seed, _roles(config))
    levels = _levels(observed, cluster, held_out, dealt) if on_asinh else {}
    if on_asinh:
        held_out = {flux: values * levels[flux].mean() for flux, values in held_out.items()}
    variance = {flux: _variance(held_out[flux] - observed.targets[flux], rows.weight[flux]) for flux in exchange.names}
    scores: dict[str, float] = {}
    way = "each"
    if set(exchange.names) >= TRIPLE:
        for name in ("difference", "direct"):
            values = closed(held_out, name, variance)
            scores[name] = tower_score(rows.targets["nee"], values["nee"], rows.weight["nee"], rows.site)
        way = min(scores, key=lambda name: scores[name])
    log.info("%s fold %d: %d rows, %d features, NEE from %s", job.stage, job.fold, *rows.features.shape, way)
    trees = fit_members(rows, cluster, best, dealt, config, job.seed)
    arrays: dict[str, NDArray] = {
        name: np.frombuffer(text_of(booster).encode(), np.uint8) for name, booster in trees.items()
    }
    arrays |= {f"variance.{flux}": np.asarray(value) for flux, value in variance.items()}
    arrays |= {f"level.{flux}": values for flux, values in levels.items()}
    if len(dealt) == 1:
        arrays |= _intervals(observed, closed(held_out, way, variance), exchange)
    members = {"members": len(dealt), LEFT_OUT: dealt.left_out()} if len(dealt) > 1 else {}
    history = _settings_table(trials, scores)
    facts = {
        **job.recorded,
        **members,
        "settings": json.dumps({flux: {**t.setting, "trees": t.trees} for flux, t in best.items()}, sort_keys=True),
        "nee_from": way,
        **({link.FACT: link.ASINH} if on_asinh else {}),
        "training_rows": len(rows.site),
        "tried": len(history),
    }
    return Fitted(arrays, facts, history)


def closed(values: Mapping[str, Array], way: str, variance: Mapping[str, float]) -> Mapping[str, Array]:
    """Predictions of each flux after NEE has been made as ``way`` says: difference, direct, or each by itself."""
    if way == "difference":
        return {**values, "nee": values["reco"] - values["gpp"]}
    return project(values, variance) if way == "direct" else values


def project(values: Mapping[str, Array], variance: Mapping[str, float]) -> dict[str, Array]:
    """Move GPP, RECO and NEE onto RECO = GPP + NEE, each by its share of the summed error variances.

    Parameters
    ----------
    values
        Arrays of one shape by flux.
    variance
        Error variance of each flux; the least certain flux moves most.
    """
    total = sum(variance.values())
    share = {flux: variance[flux] / total if total > 0 else 1.0 / len(variance) for flux in variance}
    residual = values["reco"] - values["gpp"] - values["nee"]
    gpp = values["gpp"] + residual * share["gpp"]
    reco = values["reco"] - residual * share["reco"]
    return {"gpp": gpp, "reco": reco, "nee": reco - gpp}


def _levels(
    rows: Rows, cluster: NDArray[np.str_], held_out: Mapping[str, Array], dealt: Membership
) -> dict[str, Array]:
    """Factor of level of each flux, (member,), from held-out predictions at the towers that the member learns from."""
    heed = dealt.of(cluster) if len(dealt) > 1 else np.ones((1, len(cluster)))
    return {
        flux: np.array([link.level(values, rows.targets[flux], rows.weight[flux] * own) for own in heed])
        for flux, values in held_out.items()
    }


def _intervals(rows: Rows, held_out: Mapping[str, Array], exchange: Exchange) -> dict[str, NDArray]:
    """What the intervals of each flux need, from the residuals of towers that were held out."""
    size = held_out[interval_size(exchange)]
    found: dict[str, NDArray] = {}
    for flux in exchange.names:
        some = rows.labelled(flux)
        intervals = fit_intervals((rows.targets[flux] - held_out[flux])[some], size[some], rows.site[some])
        found |= {f"intervals.{flux}.{name}": getattr(intervals, name) for name in ("knots", "spread", "quantiles")}
    return found


def interval_size(exchange: Exchange) -> str:
    """Flux that the width of intervals depends on: the first of those that errors grow with."""
    return (*exchange.magnitude, *exchange.names)[0]


def _roles(config: TreesConfig) -> tuple[str, ...]:
    """Roles whose labels are learned from."""
    return TRAINED if config.validation_towers else ("training",)


def _rows_of(job: Job, config: TreesConfig, rng: np.random.Generator, simulated: bool) -> tuple[Rows, NDArray[np.str_]]:
    """Training rows of the towers that may be learned from, in the order of the split table, and their clusters."""
    towers = read_netcdf(job.files["towers"])
    roles = _roles(config)
    reads = ("simulated",) if simulated else ()
    places = site_places(
        towers,
        job.roles,
        satellites=job.windows.satellites,
        channels=job.windows.channels,
        reads=reads,
        exchange=job.exchange,
    )
    labels = site_labels(towers, job.allowed(*roles), job.windows.minimum_training_quality, job.exchange)
    if not np.isfinite(labels.flux).any():
        raise ValueError(
            f"towers.nc holds no month of quality >= {job.windows.minimum_training_quality:g} at the "
            f"{len(job.allowed(*roles))} {' and '.join(roles)} towers; lower harmonise.minimum_training_quality or "
            "bring more towers"
        )
    order = {site: row for row, site in enumerate(places.ids.tolist())}
    chosen = np.array([order[site] for site in job.allowed(*roles) if site in order])
    here = Labels(labels.flux[chosen], labels.quality[chosen])
    learned = places.take(chosen)
    rows = rows_of(learned, here, job.exchange, config.inner_folds, rng, simulated)
    return balanced(rows, config.balance), learned.classes["cluster"].to_numpy(str)[rows.site]


def rows_of(
    places: Places, labels: Labels, exchange: Exchange, folds: int, rng: np.random.Generator, simulated: bool
) -> Rows:
    """One row per month of the places that is a label of any flux.

    Parameters
    ----------
    labels
        Of the same places.
    folds
        Inner folds, grouped by cluster.
    """
    features, _ = tree_features(places, exchange, simulated)
    flux = labels.flux.astype(np.float64)
    good = np.isfinite(flux)
    site, month = np.nonzero(good.any(-1))
    value, weight = np.where(good, flux, 0.0)[site, month], np.where(good, labels.quality, 0.0)[site, month]
    clusters = places.classes["cluster"].to_numpy(str)
    return Rows(
        features=features[site, month],
        targets={name: value[:, i] for i, name in enumerate(exchange.names)},
        weight={name: weight[:, i].astype(np.float64) for i, name in enumerate(exchange.names)},
        site=site,
        fold=inner_folds(clusters[site], folds, rng),
    )


def _variance(error: NDArray, weight: NDArray) -> float:
    return float(np.average(error**2, weights=weight))


def _settings_table(trials: Mapping[str, Sequence[Trial]], nee_scores: Mapping[str, float]) -> pd.DataFrame:
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
