"""Whether intervals hold at test towers, for months and for years, of every method of a finished run.

Run: python benchmarks/interval_coverage.py results/towers --folder results/towers/tables

For each prediction file with held-out predictions, the error model (`dere.intervals.calibrator`) is fitted to those of
its fold; labels of test towers are looked at to judge only. Coverage is that of the label, averaged per tower first.
Years are calendar years of twelve good months. Writes interval_coverage.csv, a row per method, fold, flux, scale, way
and level:

``calibrator``: the intervals of the error model; ``file``: those of the prediction file, in years with months taken as
independent; ``file_correlated``: the same with months taken as fully correlated. Rows of fold = all are means over
towers, with 95 % intervals of a bootstrap of clusters. Between ``model_low`` and ``model_high`` lie nine of ten
sets of labels that the error model makes for these very towers: so far a fold strays by chance, at the least, since the
model is taken as known and towers as independent.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri

from dere import exchange as exchanges
from dere.evaluation.bootstrap import resample_clusters, resampled_mean
from dere.exchange import Exchange
from dere.harmonise.splits import roles
from dere.intervals.calibrator import Calibrator, fit_calibrator, member_rescale
from dere.intervals.driver_distance import driver_distance
from dere.intervals.trajectories import trajectories
from dere.io import read_netcdf, write_table
from dere.training.prediction import HELD_OUT, MEMBERS
from dere.training.read_places import site_labels
from dere.training.roles import PREDICTED, TRAINED
from dere.workflow.members import read_splits

log = logging.getLogger(__name__)

Array = NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.9, 0.95)
YEAR = 12
FEWEST_MONTHS = 12
"""Months that a tower needs to be judged by months."""
DRAWS, RESAMPLES, SEED = 100, 2000, 0
GROUP = ["method", "backbone", "way", "scale", "flux", "level"]


class Limits(NamedTuple):
    """Intervals at places: (…, level) limits, and the standard deviation that they come with."""

    low: Array
    high: Array
    std: Array


def inside(values: Array, limits: Limits) -> Array:
    """One where a value lies within its limits, zero where not, NaN where there is none; (…, level)."""
    known = np.isfinite(values)[..., None] & np.isfinite(limits.low)
    within = (values[..., None] >= limits.low) & (values[..., None] <= limits.high)
    return np.where(known, within, np.nan)


def years_of(values: Array) -> Array:
    """Means of calendar years, (place, year, flux), NaN where a month is missing; the first month is a January."""
    whole = values.shape[1] // YEAR * YEAR
    return values[:, :whole].reshape(len(values), -1, YEAR, values.shape[-1]).mean(2)


def of_calibrator(model: Calibrator, mean: Array, distance: Array) -> dict[str, Limits]:
    """Intervals of months and years by the error model."""
    scale = model.scale(mean, distance)
    whole = mean.shape[1] // YEAR * YEAR
    by_year = scale[:, :whole].reshape(-1, YEAR, scale.shape[-1])
    yearly = model.scale_of_sum(by_year, np.full(YEAR, 1 / YEAR)).reshape(len(mean), -1, scale.shape[-1])
    tails = [(1 - level) / 2 for level in LEVELS], [(1 + level) / 2 for level in LEVELS]
    found = {}
    for name, centre, size in (("month", mean, scale), ("year", years_of(mean), yearly)):
        low, high = (model.quantiles(centre, size, levels) for levels in tails)
        found[name] = Limits(low, high, model.std(size))
    return found


def of_file(mean: Array, std: Array, quantiles: xr.DataArray) -> dict[str, dict[str, Limits]]:
    """Intervals that the file has for months, and that a user can make of it for years, by way."""
    levels = quantiles["quantile"].values
    parts = [np.full((*mean.shape, len(LEVELS)), np.nan) for _ in range(2)]
    for position, level in enumerate(LEVELS):
        for side, part in zip((-1, 1), parts, strict=True):
            at = np.flatnonzero(np.isclose(levels, 0.5 + side * level / 2))
            if len(at):
                part[..., position] = quantiles.values[..., at[0]]
    beyond = ndtri(0.5 + np.array(LEVELS) / 2)

    def years(size: Array) -> Limits:
        centre = years_of(mean)
        return Limits(centre[..., None] - size[..., None] * beyond, centre[..., None] + size[..., None] * beyond, size)

    independent, correlated = np.sqrt(years_of(std**2) / YEAR), years_of(std)
    return {
        "file": {"month": Limits(parts[0], parts[1], std), "year": years(independent)},
        "file_correlated": {"year": years(correlated)},
    }


def judged(
    file: xr.Dataset, towers: xr.Dataset, members: pd.DataFrame, exchange: Exchange, quality: float
) -> pd.DataFrame:
    """Judge one prediction file: a row per test tower, way, scale, flux and level.

    Columns: ``covered`` (share), ``count``, ``square_error`` and ``square_std`` (means), and ``drawn``, the shares of
    `DRAWS` sets of labels that the error model itself makes.
    """
    january = int(-(file["time"].dt.month.values[0] - 1) % YEAR)
    file, towers = (data.isel(time=slice(january, None)) for data in (file, towers))
    ids, flux = file["site"].values.astype(str), list(exchange.names)
    sites = members[members["kind"] == "site"].set_index("id").reindex(ids)
    role, cluster = sites["role"].to_numpy(str), sites["cluster"].to_numpy(str)
    towers = towers.sel(site=ids)
    learned, tested = np.isin(role, TRAINED), role == "test"
    mean, held = (
        file[name].sel(flux=flux).transpose("site", "time", "flux").values for name in ("prediction", HELD_OUT)
    )
    static = towers["static"].transpose("site", "attribute").values
    distance = driver_distance(static, cluster, static[learned], cluster[learned])
    unseen = np.isin(role, PREDICTED)
    drawn = file[MEMBERS].sel(flux=flux).values[:, unseen] if MEMBERS in file else None
    known = learned & np.isfinite(held).all(-1).any(-1)
    labels = site_labels(towers, ids[known].tolist(), quality, exchange).flux[known].astype(float)
    uncertainty = towers["flux_uncertainty"].sel(flux=flux).transpose("site", "time", "flux").values[known]
    rescale = member_rescale(held[known], labels, drawn)
    model = fit_calibrator(
        held[known], labels, cluster[known], exchange, distance[known], rescale, uncertainty.astype(float)
    )
    own = mean[tested]
    std = file["std"].sel(flux=flux).transpose("site", "time", "flux").values[tested]
    quantiles = file["quantile_value"].sel(flux=flux).transpose("site", "time", "flux", "quantile")[tested]
    observed = site_labels(towers, ids[tested].tolist(), quality, exchange).flux[tested].astype(float)
    ways = {"calibrator": of_calibrator(model, own, distance[tested]), **of_file(own, std, quantiles)}
    drawn_labels = trajectories(
        own, model.scale(own, distance[tested]), model, np.random.default_rng(SEED), DRAWS, "label"
    )
    rows = []
    for way, scales in ways.items():
        for scale, limits in scales.items():
            of = years_of if scale == "year" else np.asarray
            values, centre = of(observed), of(own)
            simulated = None
            if way == "calibrator":
                simulated = [
                    per_tower(inside(np.where(np.isfinite(values), of(one), np.nan), limits)) for one in drawn_labels
                ]
            rows += _rows(way, scale, values, centre, limits, simulated, ids[tested], cluster[tested], flux)
    table = pd.DataFrame(rows)
    for key in ("method", "backbone", "fold", "seed"):
        table[key] = str(file.attrs[key])
    return table


def per_tower(within: Array) -> Array:
    """Mean over months or years of each place, (place, flux, level)."""
    known = np.isfinite(within)
    return np.where(known, within, 0.0).sum(1) / np.where(known.any(1), known.sum(1), np.nan)


def _rows(
    way: str,
    scale: str,
    values: Array,
    centre: Array,
    limits: Limits,
    simulated: Sequence[Array] | None,
    ids: NDArray[np.str_],
    clusters: NDArray[np.str_],
    fluxes: Sequence[str],
) -> list[dict[str, Any]]:
    count = np.isfinite(values).sum(1)
    share = per_tower(inside(values, limits))
    square = np.where(np.isfinite(values), (values - centre) ** 2, np.nan)
    spread = np.where(np.isfinite(values), limits.std**2, np.nan)
    fewest = FEWEST_MONTHS if scale == "month" else 1
    rows = []
    for place, flux in np.argwhere(count >= fewest):
        about = {"site": ids[place], "cluster": clusters[place], "flux": fluxes[flux], "way": way, "scale": scale}
        errors = {
            "count": int(count[place, flux]),
            "square_error": float(np.nanmean(square[place, :, flux])),
            "square_std": float(np.nanmean(spread[place, :, flux])),
        }
        for position, level in enumerate(LEVELS):
            if not np.isfinite(share[place, flux, position]):
                continue
            drawn = None if simulated is None else np.array([one[place, flux, position] for one in simulated])
            rows.append({**about, **errors, "level": level, "covered": share[place, flux, position], "drawn": drawn})
    return rows


def coverage_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Coverage by fold, and over all folds with its bootstrap interval."""
    found = []
    for key, part in rows.groupby([*GROUP, "fold", "seed"], sort=False):
        found.append({**dict(zip([*GROUP, "fold", "seed"], key, strict=True)), **_statistics(part)})
    for key, part in rows.groupby(GROUP, sort=False):
        # of several assignments of clusters to folds each tests a tower once
        towers = part.groupby("site").agg({"covered": "mean", "cluster": "first"})
        counts = resample_clusters(towers["cluster"].to_numpy(), RESAMPLES, np.random.default_rng(SEED))
        drawn = resampled_mean(towers["covered"].to_numpy(), counts)
        low, high = np.quantile(drawn, (0.025, 0.975))
        values = {**_statistics(part), "sites": len(towers), "low": low, "high": high}
        found.append({**dict(zip(GROUP, key, strict=True)), "fold": "all", "seed": "all", **values})
    return pd.DataFrame(found)


def _statistics(part: pd.DataFrame) -> dict[str, float]:
    found = {
        "sites": part["site"].nunique(),
        "count": int(part["count"].sum()),
        "coverage": float(part["covered"].mean()),
        "spread_error": float(np.sqrt(part["square_std"].mean() / part["square_error"].mean())),
    }
    if part["drawn"].notna().all():
        low, high = np.quantile(np.stack(part["drawn"].tolist()).mean(0), (0.05, 0.95))
        found |= {"model_low": float(low), "model_high": float(high)}
    return found


def files_of(folder: Path, methods: Sequence[str]) -> list[Path]:
    """Prediction files at sites of a run, those of some methods only where they are named."""
    found = sorted((folder / "predictions").glob("*/*/fold*/seed*.nc"))
    return [path for path in found if not methods or path.parts[-4] in methods]


def summary(table: pd.DataFrame) -> str:
    """Coverage of 90 % intervals over all folds, and the share of folds within .82 to .96."""
    some = table[np.isclose(table["level"], 0.9)]
    whole = some[some["fold"] == "all"].set_index(GROUP[:-1])
    folds = some[some["fold"] != "all"].assign(good=lambda t: t["coverage"].between(0.82, 0.96))
    grouped = folds.groupby(GROUP[:-1])
    whole = whole.assign(
        lowest=grouped["coverage"].min(), highest=grouped["coverage"].max(), folds_good=grouped["good"].mean()
    )
    columns = ["sites", "coverage", "low", "high", "lowest", "highest", "folds_good", "spread_error"]
    return str(whole[columns].round(3).to_string())


def main(words: Sequence[str] | None = None) -> None:
    """Judge the files of a run and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a run")
    parser.add_argument("--folder", type=Path, default=Path(), help="where the table is written")
    parser.add_argument("--methods", nargs="*", default=[], help="only these")
    parser.add_argument("--quality", type=float, default=0.5, help="least quality of a label")
    given = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    towers = read_netcdf(given.run / "data" / "towers.nc")
    splits = read_splits(given.run / "data" / "splits.csv")
    rows = []
    for path in files_of(given.run, given.methods):
        file = read_netcdf(path)
        if HELD_OUT not in file:
            continue
        log.info("%s", path)
        fold = int(file.attrs["fold"])
        rows.append(judged(file, towers, roles(splits, fold), exchanges.get(exchanges.DEFAULT), given.quality))
    if not rows:
        raise SystemExit(f"{given.run} has no prediction file with {HELD_OUT}; predict with members, or name the run")
    table = coverage_table(pd.concat(rows, ignore_index=True))
    write_table(table, given.folder / "interval_coverage.csv")
    log.info("%s", summary(table))


if __name__ == "__main__":
    main()
