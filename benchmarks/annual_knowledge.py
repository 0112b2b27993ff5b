"""What a known annual sum of NEE gives the months of its year, at towers that no model has seen.

Run: python benchmarks/annual_knowledge.py results/real-towers --methods blend gbm

For every test tower and calendar year with twelve labelled months, the sum of its labels is given to the prediction
(`dere.intervals.site_sums`), exactly and with a standard deviation. Shows the ratio of the RMSE of the year's months to
that without it, geometric mean over towers with its interval over clusters, and the coverage of 90 % intervals.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dere.evaluation.bootstrap import geometric_ratio
from dere.evaluation.resampling import resample_clusters
from dere.exchange.co2 import EXCHANGE
from dere.harmonise.splits import all_folds, roles
from dere.intervals.site_calibration import condition, errors_of
from dere.intervals.site_sums import Sum, with_sums
from dere.intervals.spread import label_scale
from dere.intervals.stated import read_stated
from dere.io import read_netcdf
from dere.training.read_places import site_labels
from dere.workflow.members import read_splits

log = logging.getLogger(__name__)

YEAR, QUALITY, NEE = 12, 0.5, EXCHANGE.names.index("nee")
TAILS = (0.05, 0.95)
COLUMNS = ("site", "cluster", "year", "std", "flux", "rmse", "rmse_known", "coverage_90")


def judged(file: xr.Dataset, towers: xr.Dataset, members: pd.DataFrame, stds: Sequence[float]) -> pd.DataFrame:
    """RMSE of every wholly labelled year of the test towers of a prediction file, with and without its known NEE."""
    model = read_stated(file.attrs, EXCHANGE)
    file = file.sel(flux=list(EXCHANGE.names)).transpose("site", "time", "flux", ...)
    ids, time = file["site"].values.astype(str), pd.DatetimeIndex(file["time"].values)
    sites = members[members["kind"] == "site"].set_index("id")
    labels = site_labels(towers.sel(site=ids), ids.tolist(), QUALITY, EXCHANGE).flux.astype(float)
    scale, days = label_scale(file, model), time.days_in_month.to_numpy(float)
    rows = []
    for place in np.flatnonzero([sites["role"].get(name) == "test" for name in ids]):
        predicted = file["prediction"].values[place]
        months = np.flatnonzero(np.isfinite(predicted).all(-1))
        mean, label = predicted[months], labels[place, months]
        given = condition(mean, errors_of(scale[place, months], model, months), np.full(mean.shape, np.nan))
        for year in np.unique(time.year[months]):
            own = np.flatnonzero(time.year[months] == year)
            if len(own) != YEAR or not np.isfinite(label[own]).all():
                continue
            weight = np.zeros(mean.shape)
            weight[own, NEE] = days[months[own]]
            for std in stds:
                known = with_sums(given, [Sum(weight, float((weight[own] * label[own]).sum()), std)])
                limits = known.model.quantiles(known.mean, known.scale("label"), TAILS)[own]
                inside = (label[own] >= limits[..., 0]) & (label[own] <= limits[..., 1])
                before, after = (np.sqrt(((one[own] - label[own]) ** 2).mean(0)) for one in (mean, known.mean))
                about = (ids[place], sites["cluster"][ids[place]], int(year), std)
                scores = zip(EXCHANGE.names, before, after, inside.mean(0), strict=True)
                rows += [(*about, *score) for score in scores]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def summary(table: pd.DataFrame, resamples: int = 2000) -> pd.DataFrame:
    """Ratio of RMSE with its interval, coverage and counts by standard deviation and flux."""
    rows = []
    for (std, flux), own in table.groupby(["std", "flux"], sort=False):
        logs = own.assign(rmse=np.log(own["rmse"]), rmse_known=np.log(own["rmse_known"]))
        by_site = logs.groupby("site").agg(
            {"rmse": "mean", "rmse_known": "mean", "coverage_90": "mean", "cluster": "first"}
        )
        counts = resample_clusters(by_site["cluster"].to_numpy(str), resamples, np.random.default_rng(0))
        found = geometric_ratio(np.exp(by_site["rmse_known"].to_numpy()), np.exp(by_site["rmse"].to_numpy()), counts)
        about = {"std": std, "flux": flux, "towers": len(by_site), "years": len(own)}
        rows.append({**about, **found._asdict(), "coverage_90": by_site["coverage_90"].mean()})
    return pd.DataFrame(rows)


def main(words: Sequence[str] | None = None) -> None:
    """Judge the files of a run."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("run", type=Path, help="folder of a run")
    options.add_argument("--methods", nargs="+", default=["blend"])
    options.add_argument("--stds", nargs="+", type=float, default=[0.0, 30.0], help="gC m-2 per year")
    given = options.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    towers = read_netcdf(given.run / "data" / "towers.nc")
    splits = read_splits(given.run / "data" / "splits.csv")
    for method in given.methods:
        parts = []
        for path in sorted((given.run / "predictions" / method).glob("*/fold*/seed*.nc")):
            if path.stem.endswith("_cells"):
                continue
            file = read_netcdf(path)
            fold = int(file.attrs["fold"])
            # what is fitted on all towers tests none
            if fold < all_folds(splits):
                parts.append(judged(file, towers, roles(splits, fold), given.stds))
        if not parts:
            raise SystemExit(f"{given.run} has no predictions of {method}; name another method of the run")
        log.info("%s\n%s", method, summary(pd.concat(parts, ignore_index=True)).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
