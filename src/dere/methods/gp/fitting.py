"""``gp``: fit a Gaussian process to the labels of training and validation towers.

The fluxes that the exchange does not derive from others (GPP and RECO of CO2) share one covariance; the rest follow, so
that the triple closes. A month counts where all of them are labels. Weights are quality, and the variance of the
tower's fluxes to the power of -``balance``. Labels are as noisy as they are: negative ones count, and predictions are
not cut off at zero either, as those of the trees are not.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.io import read_netcdf
from dere.methods.gp.features import GROUPS, Standard, even, groups_of
from dere.methods.gp.kernel import VARIANCES, Hyper, Rows, of_labels
from dere.methods.gp.left_out import group_of, groups_of_clusters
from dere.methods.gp.likelihood import drawn_rows, most_likely, solve
from dere.methods.gp.settings import GpConfig
from dere.methods.tree_features import tree_features
from dere.training.fitted import Fitted
from dere.training.job import Job
from dere.training.membership import LEFT_OUT
from dere.training.read_places import site_labels, site_places
from dere.training.roles import TRAINED

log = logging.getLogger(__name__)

_STEADY = 0.1
"""(gC m-2 d-1)2 added to the variance of a tower, so that a desert does not outweigh all others."""


@dataclass(frozen=True)
class Months:
    """Labelled months of the towers that may be learned from.

    Parameters
    ----------
    features
        (row, feature) as the trees see them.
    names
        (feature,).
    values
        (row, target) in the flux's units.
    quality
        (row,) the lowest of its labels.
    site
        (row,) integer code of the tower.
    cluster
        (row,) name of its cluster.
    """

    features: NDArray[np.float32]
    names: list[str]
    values: NDArray[np.float64]
    quality: NDArray[np.float64]
    site: NDArray[np.int64]
    cluster: NDArray[np.str_]


def targets_of(exchange: Exchange) -> list[str]:
    """Return the fluxes that closing an exchange leaves as they are, from which it derives the others."""
    probe = np.exp(np.arange(len(exchange.names), dtype=float))
    kept = np.asarray(exchange.close(probe)) == probe
    return [name for name, keep in zip(exchange.names, kept, strict=True) if keep]


def fit(job: Job) -> Fitted:
    """Fit one fold.

    Returns
    -------
    Fitted
        What `dere.methods.gp.predicting` needs: standardised training rows, their weights in a prediction with all
        towers and without each group, the scaling of features and fluxes, and the kernel; facts ``features``,
        ``targets``, ``left_out`` (clusters of each group) and ``training_rows``; history with one row per step: loss.

    Raises
    ------
    ValueError
        Without a month that is a label of all independent fluxes.
    """
    config: GpConfig = job.section
    rng = np.random.default_rng(job.seed)
    months = thinned(_months(job), config.rows, rng)
    weight = weights(months, config.balance)
    standard = Standard.of(even(months.features, months.names))
    level = np.average(months.values, axis=0, weights=weight)
    size = np.maximum(months.values.std(0), 1e-6)
    group = torch.as_tensor(groups_of(months.names))
    rows = _rows(months, standard, weight)
    targets = torch.as_tensor((months.values - level) / size)
    few = (rows, targets.float(), chance_of(months.site), group)
    hyper, losses = most_likely(*few, config.steps, config.search_rows, rng)
    left_out = groups_of_clusters(job.roles, job.seed)
    with torch.no_grad():
        exact = hyper.to(torch.float64)
        matrix = of_labels(rows.to(torch.float64), exact, group)
        found, without = solve(matrix, targets, group_of(months.cluster, left_out), len(left_out))
    log.info("%s fold %d: %d rows, %d features, loss %.3f", job.stage, job.fold, *months.features.shape, losses[-1])
    arrays = {
        "rows": rows.features.numpy(),
        "weights": found.numpy(),
        "weights_without": without.numpy(),
        "feature_mean": standard.mean,
        "feature_std": standard.std,
        "level": level,
        "size": size,
        **_named(hyper),
    }
    facts = {
        **job.recorded,
        "features": [str(name) for name in months.names],
        "targets": targets_of(job.exchange),
        LEFT_OUT: left_out,
        "training_rows": len(months.site),
    }
    return Fitted(arrays, facts, pd.DataFrame({"step": np.arange(1, len(losses) + 1), "loss": losses}))


def weights(months: Months, balance: float) -> NDArray[np.float64]:
    """Weight of each month, mean 1: quality x (variance of the tower's fluxes) ** -balance."""
    number = np.maximum(np.bincount(months.site), 1)
    mean = np.stack([np.bincount(months.site, column) / number for column in months.values.T], -1)
    square = ((months.values - mean[months.site]) ** 2).mean(-1)
    variance = np.bincount(months.site, square) / number + _STEADY
    weight = np.maximum(months.quality, 1e-3) * variance[months.site] ** -balance
    return np.asarray(weight / weight.mean(), np.float64)


def chance_of(site: NDArray[np.int64]) -> NDArray[np.float64]:
    """Chance of each month to be drawn: the root of the months of its tower, shared out among them."""
    return np.asarray(np.bincount(site)[site] ** -0.5, np.float64)


def thinned(months: Months, most: int, rng: np.random.Generator) -> Months:
    """Draw at most ``most`` months."""
    kept = drawn_rows(chance_of(months.site), most, rng)
    return Months(
        months.features[kept],
        months.names,
        months.values[kept],
        months.quality[kept],
        months.site[kept],
        months.cluster[kept],
    )


def _months(job: Job) -> Months:
    towers = read_netcdf(job.files["towers"])
    allowed, quality = job.allowed(*TRAINED), job.windows.minimum_training_quality
    places = site_places(
        towers,
        job.roles,
        satellites=job.windows.satellites,
        channels=job.windows.channels,
        exchange=job.exchange,
    )
    labels = site_labels(towers, allowed, quality, job.exchange)
    index = job.exchange.index(targets_of(job.exchange))
    flux = labels.flux[..., index]
    good = np.isfinite(flux).all(-1)
    if not good.any():
        raise ValueError(
            f"towers.nc holds no month of quality >= {quality:g} at the {len(allowed)} {' and '.join(TRAINED)} towers "
            f"that is a label of {' and '.join(targets_of(job.exchange))}; lower harmonise.minimum_training_quality or "
            "bring more towers"
        )
    site, month = np.nonzero(good)
    features, names = tree_features(places, job.exchange)
    return Months(
        features[site, month],
        names,
        flux[site, month].astype(np.float64),
        labels.quality[..., index][site, month].min(-1).astype(np.float64),
        site,
        places.classes["cluster"].to_numpy(str)[site],
    )


def _rows(months: Months, standard: Standard, weight: NDArray[np.float64]) -> Rows:
    season = months.features[:, [months.names.index("month_sin"), months.names.index("month_cos")]]
    return Rows(
        torch.as_tensor(standard.apply(even(months.features, months.names))),
        torch.as_tensor(months.site),
        torch.as_tensor(season),
        torch.as_tensor(weight).float(),
    )


def _named(hyper: Hyper) -> dict[str, NDArray]:
    """Logarithms of the kernel's parameters, in the order of ``GROUPS`` and ``VARIANCES``."""
    assert len(hyper.length) == len(GROUPS) and len(hyper.variance) == len(VARIANCES)
    parts = zip(("log_length", "log_static_length", "log_variance"), hyper.parameters(), strict=True)
    return {name: values.numpy() for name, values in parts}
