"""Scores on hidden months of validation towers, by kind of gap, against baselines.

Diffusion is kept only where it beats "point model + Gaussian residual" (methods-and-results 7.4), so the baselines are
made strong: the site prior updated by the visible months (``prior``), the point model with a Gaussian of the prior's
unconditional width (``point``), the climatology of the vegetation class (``climatology``) and linear interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.config.imputation import ImputationConfig
from dere.imputation.batches import random_stretch
from dere.imputation.bundle import Imputer
from dere.imputation.fit import select, series_of, site_ids
from dere.imputation.labels import Request, trajectories, with_gpp
from dere.imputation.masks import KINDS, GapStatistics, draw_mask, gap_statistics
from dere.imputation.prior import basis, condition, sample_prior
from dere.imputation.series import Series
from dere.variables import FLUXES

METHODS = ("diffusion", "prior", "point", "climatology", "interpolation")


def crps(samples: NDArray, truth: NDArray) -> NDArray[np.float64]:
    """Fair ensemble CRPS: mean|x - y| - sum|x_i - x_j| / (2 m (m - 1)).

    Parameters
    ----------
    samples
        (m, ...); with m = 1 the absolute error is returned.
    truth
        (...).
    """
    m = len(samples)
    error = np.abs(samples - truth).mean(0)
    if m == 1:
        return error
    rank = np.arange(m).reshape(-1, *[1] * truth.ndim)
    ordered = np.sort(samples, axis=0)
    return error - ((2 * rank - m + 1) * ordered).sum(0) / (m * (m - 1))


def covered(samples: NDArray, truth: NDArray, level: float) -> NDArray[np.float64]:
    """Whether the central interval of ``level`` holds the truth (1 or 0; NaN for a single sample)."""
    if len(samples) == 1:
        return np.full(truth.shape, np.nan)
    # Weibull positions (i / (m + 1)) make the interval of a finite ensemble cover its level on average
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2], axis=0, method="weibull")
    return ((truth >= low) & (truth <= high)).astype(float)


@dataclass(frozen=True)
class Hidden:
    """A masked validation tower: request and the kind of gap."""

    request: Request
    kind: str


def hide(series: Series, gaps: GapStatistics, config: ImputationConfig, seed: int, repeats: int = 2) -> list[Hidden]:
    """Mask every tower with every kind of gap, ``repeats`` times (whole sites once)."""
    rng = np.random.default_rng(seed + 7919)
    out = []
    for site in np.flatnonzero(series.observed.any(1)):
        for kind in KINDS:
            for _ in range(1 if kind == "site" else repeats):
                stretch = random_stretch(series, int(site), config.window, rng)
                seen = series.observed[site, stretch.start : stretch.stop]
                mask = draw_mask(kind, seen, series.phase[site, stretch.start : stretch.stop], gaps, rng)
                # as when labels are made, every month that is not known is generated
                out.append(Hidden(Request(stretch, seen & ~mask, ~(seen & ~mask)), kind))
    return out


def score_hidden(
    bundle: Imputer,
    towers: xr.Dataset,
    splits: pd.DataFrame,
    fold: int,
    config: ImputationConfig,
    seed: int,
    device: str = "cpu",
    repeats: int = 2,
) -> pd.DataFrame:
    """Score the methods on hidden months of the validation towers.

    Returns
    -------
    DataFrame
        gap, method, flux, scale ("monthly", "annual" = means over wholly hidden years), sites, values, crps, mae,
        bias (gC m-2 d-1), coverage50, coverage90, spread_error (root mean variance over RMSE).
    """
    training = series_of(select(towers, site_ids(splits, fold, "training")), splits, bundle.statistics, config)
    series = series_of(select(towers, site_ids(splits, fold, "validation")), splits, bundle.statistics, config)
    gaps = gap_statistics(training.observed, training.span, training.phase)
    hidden = hide(series, gaps, config, seed, repeats)
    bundle.to(device)
    point = bundle.predict_point(series)
    drawn = trajectories(bundle, series, point, [h.request for h in hidden], config.samples, seed, device, salt="score")
    classes = _class_climatology(training)
    rows: list[dict[str, object]] = []
    for item, value in zip(hidden, drawn, strict=True):
        made = {"diffusion": value, **_baselines(bundle, series, point, item.request, classes, config.samples, seed)}
        for method, samples in made.items():
            rows += _rows(series, item, method, samples)
    return _summary(pd.DataFrame(rows))


def _class_climatology(training: Series) -> dict[tuple[str, int], tuple[NDArray, NDArray]]:
    """Mean and std (2,) of each class and local month; the key ("", month) holds all classes."""
    site, time = np.nonzero(training.observed)
    table = pd.DataFrame(training.flux[site, time], columns=["nee", "reco"])
    table["month"], table["group"] = training.phase[site, time], training.classes[site]
    table = pd.concat([table, table.assign(group="")])
    grouped = table.groupby(["group", "month"])[["nee", "reco"]]
    mean, std = grouped.mean(), grouped.std().fillna(1.0)
    return {key: (mean.loc[key].to_numpy(), std.loc[key].to_numpy()) for key in mean.index}  # type: ignore[misc]


def _baselines(
    bundle: Imputer,
    series: Series,
    point: NDArray,
    request: Request,
    classes: dict[tuple[str, int], tuple[NDArray, NDArray]],
    samples: int,
    seed: int,
) -> dict[str, NDArray]:
    s = request.stretch
    at = slice(s.start, s.stop)
    guess, flux, phase = point[s.site, at], series.flux[s.site, at], series.phase[s.site, at]
    inside = np.ones(len(phase), bool)
    rng = np.random.default_rng([seed, s.site, s.start])
    known = condition(bundle.prior, guess, flux, phase, inside, request.known)
    blind = condition(bundle.prior, guess, flux, phase, inside, np.zeros_like(request.known))
    normal = rng.normal(size=(samples, len(phase), 2))
    moments = [
        classes.get((str(series.classes[s.site]), int(p)), classes.get(("", int(p)), (np.zeros(2), np.ones(2))))
        for p in phase
    ]
    made = {
        "prior": sample_prior(known, basis(guess, phase, inside), bundle.prior.persistence, samples, rng),
        "point": guess + blind.std * normal,
        "climatology": np.stack([m for m, _ in moments]) + np.stack([d for _, d in moments]) * normal,
    }
    where = np.flatnonzero(request.known)
    if len(where):
        line = [np.interp(np.arange(len(phase)), where, flux[where, c]) for c in (0, 1)]
        made["interpolation"] = np.stack(line, -1)[None]
    return made


def _rows(series: Series, item: Hidden, method: str, samples: NDArray) -> list[dict[str, object]]:
    s = item.request.stretch
    flux = series.flux[s.site, s.start : s.stop]
    target = np.isfinite(flux).all(-1) & ~item.request.known
    truth, made = with_gpp(flux[target]), with_gpp(samples[:, target])
    year = (np.arange(s.start, s.stop) + int(series.month[0])) // 12
    full = [y for y in np.unique(year[target]) if (target & (year == y)).sum() == 12]
    sums = {
        "monthly": (made, truth),
        "annual": (
            np.stack([with_gpp(samples[:, year == y]).mean(1) for y in full], 1) if full else made[:, :0],
            np.stack([with_gpp(flux[year == y]).mean(0) for y in full]) if full else truth[:0],
        ),
    }
    rows: list[dict[str, object]] = []
    for scale, (x, y) in sums.items():
        error = x.mean(0) - y
        parts = {
            "crps": crps(x, y) if len(y) else error,
            "mae": np.abs(np.median(x, axis=0) - y) if len(y) else error,
            "bias": error,
            "coverage50": covered(x, y, 0.5) if len(y) else error,
            "coverage90": covered(x, y, 0.9) if len(y) else error,
            "square": error**2,
            "variance": x.var(0, ddof=1) * (len(x) + 1) / len(x) if len(x) > 1 else np.full_like(error, np.nan),
        }
        for column, flux_name in enumerate(FLUXES):
            rows.append(
                {
                    "gap": item.kind,
                    "method": method,
                    "flux": flux_name,
                    "scale": scale,
                    "site": str(series.sites[s.site]),
                }
                | {"values": len(y)}
                | {name: float(value[:, column].sum()) for name, value in parts.items()}
            )
    return rows


def _summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Pool sums over towers; also over all kinds of gap, as gap "all"."""
    rows = pd.concat([rows, rows.assign(gap="all")])
    keys = ["gap", "method", "flux", "scale"]
    grouped = rows[rows["values"] > 0].groupby(keys)
    total = grouped[["values", "crps", "mae", "bias", "coverage50", "coverage90", "square", "variance"]].sum(
        min_count=1
    )
    out = total.div(total["values"], axis=0).drop(columns=["values", "square", "variance"])
    out["spread_error"] = np.sqrt(total["variance"] / total["square"])
    out.insert(0, "values", total["values"].astype(int))
    out.insert(0, "sites", grouped["site"].nunique())
    return out.reset_index()


def best_spread(imputer: Imputer, series: Series, point: NDArray, gaps: GapStatistics, seed: int) -> float:
    """Factor on the spread with the least CRPS of NEE and RECO on hidden months of ``series``, from 0.6 to 1.8."""
    hidden = hide(series, gaps, imputer.config, seed, repeats=1)
    device = str(imputer.spread.device)
    imputer.spread.fill_(1.0)
    drawn = trajectories(imputer, series, point, [h.request for h in hidden], 30, seed, device, salt="spread")
    factors = np.linspace(0.6, 1.8, 25)
    total = np.zeros(len(factors))
    for item, value in zip(hidden, drawn, strict=True):
        s = item.request.stretch
        flux = series.flux[s.site, s.start : s.stop]
        target = np.isfinite(flux).all(-1) & ~item.request.known
        samples, truth = value[:, target], flux[target]
        middle = samples.mean(0)
        total += [crps(middle + f * (samples - middle), truth).sum() for f in factors]
    return float(factors[int(total.argmin())])
