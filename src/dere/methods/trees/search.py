"""Search for the settings of one boosted tree model: grouped cross-validation with successive halving.

Groups are clusters of towers. A setting is judged by the mean logarithm of the towers' RMSE, per tower first as the
final judge does; the number of trees follows from the same curve, so no early-stopping set is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from dere.methods.trees.settings import TreesConfig
from dere.training.membership import deal

Array = NDArray[np.float64]
Setting = dict[str, float]

_RMSE_FLOOR = 0.05
"""gC m-2 d-1; below the noise of monthly fluxes, so that a desert tower does not decide the search."""
_CHECKPOINTS = 10
_KEEP = 3
_LAST = 3
"""Successive halving keeps every third setting until at most three are left."""


@dataclass(frozen=True)
class Rows:
    """Training rows of the trees.

    Parameters
    ----------
    features
        (row, feature).
    targets
        Flux to (row,) in gC m-2 d-1; zero where the month is no label of the flux.
    weight
        Flux to (row,) quality; zero where the month is no label of the flux.
    site
        (row,) integer code of the tower.
    fold
        (row,) inner fold.
    """

    features: NDArray[np.float32]
    targets: Mapping[str, Array]
    weight: Mapping[str, Array]
    site: NDArray[np.int64]
    fold: NDArray[np.int64]

    def labelled(self, flux: str) -> NDArray[np.bool_]:
        """Rows (row,) that hold a label of the flux."""
        return self.weight[flux] > 0


@dataclass(frozen=True)
class Trial:
    """One setting after its last rung: score, number of trees, and held-out predictions if it saw all rows.

    Held-out predictions are there for every row, also for one without a label of the flux.
    """

    setting: Setting
    trees: int
    score: float
    rung: int
    held_out: Array


def random_settings(number: int, rng: np.random.Generator) -> list[Setting]:
    """Draw settings; sizes and penalties on a logarithmic scale."""

    def log_uniform(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    return [
        {
            "learning_rate": log_uniform(0.04, 0.2),
            "num_leaves": round(log_uniform(3, 40)),
            "min_data_in_leaf": round(log_uniform(5, 150)),
            "feature_fraction": float(rng.uniform(0.2, 1.0)),
            "bagging_fraction": float(rng.uniform(0.4, 1.0)),
            "lambda_l2": log_uniform(0.01, 50.0),
            "extra_trees": float(rng.integers(2)),
        }
        for _ in range(number)
    ]


def inner_folds(cluster: NDArray, folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Inner fold of each row; a cluster lies in one fold, and folds have about equal numbers of rows.

    Raises
    ------
    ValueError
        With fewer clusters than folds.
    """
    names, member, size = np.unique(cluster, return_inverse=True, return_counts=True)
    if len(names) < folds:
        raise ValueError(
            f"the training towers form {len(names)} clusters, but trees.inner_folds is {folds}; lower that number"
        )
    return deal(size, folds, rng)[member]


def parameters(setting: Setting, config: TreesConfig, seed: int) -> dict[str, Any]:
    """LightGBM parameters of a setting; deterministic for a seed, whatever the number of threads."""
    whole = ("num_leaves", "min_data_in_leaf")
    return {
        **{name: int(value) if name in whole else value for name, value in setting.items()},
        "extra_trees": bool(setting["extra_trees"]),
        "objective": "regression",
        "bagging_freq": 1,
        "max_bin": 63,
        "feature_pre_filter": False,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": config.threads,
        "seed": seed,
        "verbosity": -1,
    }


def tower_score(target: Array, predicted: Array, weight: Array, site: NDArray) -> float:
    """Mean over towers of ln RMSE (weighted by quality within a tower); smaller is better."""
    total = np.bincount(site, weight)
    square = np.bincount(site, weight * (predicted - target) ** 2)
    present = total > 0
    return float(np.log(np.maximum(np.sqrt(square[present] / total[present]), _RMSE_FLOOR)).mean())


def search(rows: Rows, flux: str, settings: list[Setting], config: TreesConfig, seed: int) -> list[Trial]:
    """Successive halving over ``settings``; best trial first.

    Each rung keeps the best third and gives it more: first a third of the months of every tower and a third of the
    trees, then two thirds, then everything. Only trials of the last rung have held-out predictions of all rows.

    Raises
    ------
    ValueError
        When all labels of the flux lie in one inner fold.
    """
    labelled = rows.labelled(flux)
    if len(np.unique(rows.fold[labelled])) < 2:
        raise ValueError(
            f"the labels of {flux} at the training towers lie in fewer than 2 inner folds of trees.inner_folds, so "
            "that no setting can be judged; bring more towers that have it"
        )
    # Drawn, not every third row: with 12 months in a year that would always be the same calendar months.
    third = np.random.default_rng(seed).permutation(len(rows.site)) % _KEEP
    share = 1
    alive = settings
    finished: list[Trial] = []
    while True:
        last = len(alive) <= _LAST or share >= _KEEP
        subset = third < (_KEEP if last else share)
        if any(not (subset & labelled & (rows.fold != k)).any() for k in range(config.inner_folds)):
            subset = np.ones(len(third), bool)  # so few labels that a share of them leaves a fold without any
        trees = config.trees if last else max(config.trees * share // _KEEP, 10)
        binned = {k: _binned(rows, flux, subset & (rows.fold != k)) for k in range(config.inner_folds)}
        trials = [_try(setting, rows, flux, subset, trees, binned, config, seed, share) for setting in alive]
        trials.sort(key=lambda trial: trial.score)
        if last:
            return trials + finished
        number = max(len(alive) // _KEEP, 1)
        finished = trials[number:] + finished
        alive = [trial.setting for trial in trials[:number]]
        share += 1


def fit(rows: Rows, flux: str, trial: Trial, config: TreesConfig, seed: int) -> lgb.Booster:
    """Fit the chosen setting to all rows."""
    data = _binned(rows, flux, np.ones(len(rows.site), bool))
    return lgb.train(parameters(trial.setting, config, seed), data, num_boost_round=trial.trees)


def _binned(rows: Rows, flux: str, mask: NDArray) -> lgb.Dataset:
    # Binning is shared by all settings of a rung; parameters that touch it must stay the same in ``parameters``.
    fixed = {"max_bin": 63, "feature_pre_filter": False, "verbosity": -1, "force_row_wise": True}
    mask = mask & rows.labelled(flux)
    return lgb.Dataset(
        rows.features[mask], rows.targets[flux][mask], weight=rows.weight[flux][mask], params=fixed
    ).construct()


def _try(
    setting: Setting,
    rows: Rows,
    flux: str,
    subset: NDArray,
    trees: int,
    binned: Mapping[int, lgb.Dataset],
    config: TreesConfig,
    seed: int,
    rung: int,
) -> Trial:
    """Held-out predictions at several numbers of trees; the best number is part of the trial."""
    stops = np.unique(np.geomspace(min(10, trees), trees, _CHECKPOINTS).round().astype(int))
    held_out = np.full((len(stops), len(rows.site)), np.nan)
    for k, data in binned.items():
        booster = lgb.train(parameters(setting, config, seed), data, num_boost_round=trees)
        inside = subset & (rows.fold == k)
        running = np.zeros(int(inside.sum()))
        start = 0
        for i, stop in enumerate(stops):
            running = running + booster.predict(
                rows.features[inside],
                start_iteration=start,
                num_iteration=int(stop - start),
                num_threads=config.threads,
            )
            held_out[i, inside] = running
            start = int(stop)
    target, weight = rows.targets[flux][subset], rows.weight[flux][subset]
    seen = [tower_score(target, p[subset], weight, rows.site[subset]) for p in held_out]
    best = int(np.argmin(seen))
    return Trial(setting, int(stops[best]), seen[best], rung, held_out[best])
