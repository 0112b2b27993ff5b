"""``calibration.csv``: whether intervals hold what they promise at unseen towers (docs/tables.md#calibrationcsv)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from dere.evaluation.probabilistic import coverage, crps_gaussian, crps_quantiles, spread_error_ratio
from dere.evaluation.runs import ENSEMBLE, POOLED
from dere.evaluation.site_scores import IDENTITY
from dere.evaluation.truth import Reference, references
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2

if TYPE_CHECKING:
    from dere.config.evaluation import EvaluationConfig

INTERVALS = {50: (0.25, 0.75), 90: (0.05, 0.95)}
COLUMNS = (
    *IDENTITY,
    "grouping",
    "flux",
    "sites",
    "months",
    "coverage_50",
    "coverage_90",
    "coverage_90_tower_q25",
    "width_50",
    "width_90",
    "spread_error",
    "crps",
)
_GROUPINGS = {"measured": "all", "virtual": "virtual"}
_KEY = ("method", "backbone", "grouping", "flux")
_TOLERANCE = 1e-3


def calibration(
    prediction: xr.Dataset,
    towers: xr.Dataset,
    members: pd.DataFrame,
    config: EvaluationConfig,
    truth: xr.Dataset | None = None,
    exchange: Exchange = CO2,
) -> pd.DataFrame:
    """Coverage, width, spread-error ratio and CRPS of one prediction file, per flux.

    Coverage and CRPS are averaged per tower first, then over towers, so that long records do not dominate;
    ``coverage_90_tower_q25`` is the lower quartile over towers; ``sites`` and ``months`` count the pairs behind these
    numbers. Rows: test towers at the main quality (grouping all) and virtual towers. A file without ``quantile_value``
    and ``std`` gives no rows; ``spread_error`` is empty where no member differs from another.

    Parameters
    ----------
    prediction
        ``quantile_value(site, time, flux, quantile)`` and/or ``std(site, time, flux)`` beside ``prediction``.
    towers, members, config, truth, exchange
        See ``references``.
    """
    if "quantile_value" not in prediction and "std" not in prediction:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = []
    for reference in references(towers, members, config, truth, exchange):
        main = reference.rows == "virtual" or reference.quality == config.testing_quality[0]
        if reference.rows in _GROUPINGS and main:
            rows += [_row(prediction, reference, flux) for flux in exchange.names]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def pooled(table: pd.DataFrame, folds: int | None = None) -> pd.DataFrame:
    """Add rows ``fold = all, seed = all``: means over the files of a method, weighted by their sites.

    ``sites`` and ``months`` of these rows count each tower once, as ``skill.csv`` does: seeds of a fold predict the
    same towers, folds test different ones, and every fold predicts all virtual towers.

    Parameters
    ----------
    table
        Rows of all files.
    folds
        Folds of one assignment of clusters to folds; every assignment tests the same towers. None = there is one.
    """
    runs = table[(table["fold"] != POOLED) & (table["seed"] != ENSEMBLE)]
    if runs.empty:
        return table
    scores = [name for name in COLUMNS if name not in (*_KEY, "fold", "seed", "sites", "months")]
    weighted = runs[scores].mul(runs["sites"], axis=0)
    weight = runs[scores].notna().mul(runs["sites"], axis=0)
    keys = [runs[name] for name in _KEY]
    mean = weighted.groupby(keys, sort=False).sum() / weight.groupby(keys, sort=False).sum().replace(0, float("nan"))
    once = runs["fold"].where(runs["grouping"] != "virtual", POOLED)
    assignment = once.where(once == POOLED, 0 if folds is None else pd.to_numeric(once, errors="coerce") // folds)
    counts = runs.groupby([*keys, assignment.rename("assignment"), once], sort=False)[["sites", "months"]].max()
    counts = counts.groupby([*_KEY, "assignment"], sort=False).sum().groupby(list(_KEY), sort=False).max()
    rows = mean.join(counts).reset_index().assign(fold=POOLED, seed=POOLED)
    return pd.concat([table, rows[list(COLUMNS)]], ignore_index=True)


def _row(prediction: xr.Dataset, reference: Reference, flux: str) -> dict[str, object]:
    here = prediction.sel(site=reference.values["site"].values, flux=flux)
    mean = here["prediction"].transpose("site", "time").values
    std = here["std"].transpose("site", "time").values if "std" in here else None
    observed = reference.values.sel(flux=flux).transpose("site", "time").values.astype("float64")
    complete = np.isfinite(mean) & (True if std is None else np.isfinite(std))
    if "quantile_value" in here:
        complete &= np.isfinite(here["quantile_value"].transpose("site", "time", "quantile").values).all(axis=-1)
    observed = np.where(complete, observed, np.nan)
    observed = np.where((np.isfinite(observed).sum(1) >= reference.minimum_months)[:, None], observed, np.nan)
    present = np.isfinite(observed)
    row: dict[str, object] = {key: str(prediction.attrs[key]) for key in IDENTITY}
    row |= {"grouping": _GROUPINGS[reference.rows], "flux": flux}
    row |= {"sites": int(present.any(1).sum()), "months": int(present.sum())}
    if "quantile_value" in here:
        quantiles = here["quantile_value"].transpose("site", "time", "quantile")
        for percent, limits in INTERVALS.items():
            lower, upper = (_level(quantiles, level) for level in limits)
            by_site = coverage(lower, upper, observed, axis=1)
            row[f"coverage_{percent}"] = _mean(by_site)
            row[f"width_{percent}"] = _mean(_site_mean(np.where(present, upper - lower, np.nan)))
            if percent == 90 and np.isfinite(by_site).any():
                row["coverage_90_tower_q25"] = float(np.nanquantile(by_site, 0.25))
        row["crps"] = _mean(_site_mean(crps_quantiles(quantiles["quantile"].values, quantiles.values, observed)))
    elif std is not None:
        row["crps"] = _mean(_site_mean(crps_gaussian(mean, std, observed)))
    if std is not None:
        row["spread_error"] = spread_error_ratio(std, mean - observed)
    return row


def _level(quantiles: xr.DataArray, level: float) -> np.ndarray:
    levels = quantiles["quantile"].values
    nearest = int(np.abs(levels - level).argmin())
    if abs(levels[nearest] - level) > _TOLERANCE:
        raise ValueError(
            f"quantile_value has the levels {levels.tolist()}, but {level:g} is needed for the central interval; write "
            "the quantiles 0.05, 0.25, 0.5, 0.75, 0.95"
        )
    return quantiles.values[..., nearest]


def _site_mean(values: np.ndarray) -> np.ndarray:
    finite = np.isfinite(values)
    count = finite.sum(1)
    return np.where(finite, values, 0.0).sum(1) / np.where(count > 0, count, np.nan)


def _mean(by_site: np.ndarray) -> float:
    finite = by_site[np.isfinite(by_site)]
    return float(finite.mean()) if finite.size else float("nan")
