"""Training of the imputation for one fold and seed: point model, site prior, denoiser."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr

from dere.config.imputation import ImputationConfig
from dere.imputation import batches, point, prior
from dere.imputation.bundle import Imputer
from dere.imputation.gap_kinds import GAPS
from dere.imputation.interpolation import fit_interpolation
from dere.imputation.masks import gap_statistics
from dere.imputation.series import Series, select, series_of, site_ids
from dere.imputation.spread import spread_factors
from dere.io import content_hash
from dere.training.loop import fit as run
from dere.training.loop import freeze

log = logging.getLogger(__name__)


def join(first: Series, second: Series) -> Series:
    """Both sets of sites, first ``first``."""
    shared = ("month", "channels")
    merged: dict[str, Any] = {}
    for name, value in vars(first).items():
        merged[name] = value if name in shared else np.concatenate([value, getattr(second, name)])
    return Series(**merged)


def train_imputation(
    towers: xr.Dataset,
    splits: pd.DataFrame,
    statistics: xr.Dataset,
    fold: int,
    config: ImputationConfig,
    seed: int,
    device: str = "cpu",
    last: Path | None = None,
    identity: str = "",
) -> tuple[Imputer, pd.DataFrame]:
    """Train on the training towers of a fold; validation towers choose the checkpoints; others are never read.

    Parameters
    ----------
    towers, splits, statistics
        The canonical set; statistics of this fold.
    last, identity
        File and hash for resuming, see `dere.training.loop.fit`; the point model has a file of its own, `point_file`.

    Returns
    -------
    imputer, history
        The history holds both trainings, told apart by the column ``part``.

    Raises
    ------
    ValueError
        When the fold has no training or validation tower with a usable month of all fluxes.
    """
    series = {
        role: series_of(select(towers, site_ids(splits, fold, role)), splits, statistics, config)
        for role in ("training", "validation")
    }
    series = {role: value.take(np.flatnonzero(value.observed.any(1))) for role, value in series.items()}
    for role, value in series.items():
        if not value.complete.any():
            raise ValueError(
                f"imputation: fold {fold} has no {role} tower with a usable month of all fluxes; lower minimum_quality "
                "or add towers"
            )
    training, validation = series["training"], series["validation"]
    groups = point.assign_groups(training.clusters, config.point.groups, seed)
    torch.manual_seed(seed)
    imputer = Imputer(
        config,
        training.channels,
        statistics,
        point.features(training.take(np.arange(1))).shape[-1],
        dict(zip(training.sites.tolist(), groups.tolist(), strict=True)),
        int(groups.max()) + 1,
    ).to(device)
    both = join(training, validation)
    flux = training.flux[training.complete]
    imputer.point.mean.copy_(torch.from_numpy(flux.mean(0)))
    imputer.point.std.copy_(torch.from_numpy(np.maximum(flux.std(0), prior.SPREAD_FLOOR)))
    own = content_hash([identity, fold, seed, config.model_dump(mode="json"), sorted(imputer.groups)])
    histories = [_fit_point(imputer, both, seed, device, last, own)]

    guess = imputer.predict_point(both)
    many = len(training.sites)
    imputer.set_prior(prior.fit_prior(guess[:many], training.flux, training.phase, training.span))
    if config.filled_by != "diffusion":
        imputer.set_interpolation(fit_interpolation(training, groups, imputer.point.groups, seed))
    gaps = gap_statistics(training.observed, training.span, training.phase)
    alone = config.nee_alone if (both.observed & ~both.complete).any() else 0.0
    recipe = batches.Recipe(imputer.prior, gaps, config, imputer.schedule, alone)
    result = run(
        imputer.denoiser,
        draw=batches.training_draw(training, guess[:many], recipe, device),
        validation=batches.validation_batches(validation, guess[many:], recipe, seed, device),
        loss=batches.loss,
        config=config.training,
        seed=seed,
        device=device,
        last=last,
        identity=own,
    )
    histories.append(result.history.assign(part="denoiser"))
    if config.calibrate_spread:
        imputer.spread.copy_(torch.from_numpy(spread_factors(imputer, validation, guess[many:], gaps, seed)))
    imputer.eval()
    return imputer, pd.concat(histories, ignore_index=True)


def point_file(last: Path) -> Path:
    """State of the point model's training, beside that of the denoiser's."""
    return last.with_name(f"{last.stem}_point{last.suffix}")


def _fit_point(
    imputer: Imputer, both: Series, seed: int, device: str, last: Path | None, identity: str
) -> pd.DataFrame:
    """Train the point model on cross-fitting groups; validation on unseen clusters throughout."""
    config = imputer.config.point
    draw, held = point.make_rows(point.features(both), both, imputer.groups_of(both), imputer.point, config, device)
    result = run(
        imputer.point,
        draw=draw,
        validation=held,
        loss=point.row_loss,
        config=config.training,
        seed=seed,
        device=device,
        last=last and point_file(last),
        identity=identity,
    )
    freeze(imputer.point)
    return result.history.assign(part="point")


def describe(imputer: Imputer, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Manifest of a trained imputation: how to rebuild it, its prior, and what ``extra`` adds (hashes, fold, seed)."""
    fitted = imputer.prior
    return {
        **imputer.manifest(),
        "spread": dict(zip(GAPS, imputer.spread.cpu().numpy().round(3).tolist(), strict=True)),
        "effect_std": np.sqrt(np.diagonal(fitted.effects, axis1=1, axis2=2)).round(4).tolist(),
        "persistence": fitted.persistence.round(4).tolist(),
        "stability_months": round(fitted.stability, 1),
        **dict(extra or {}),
    }
