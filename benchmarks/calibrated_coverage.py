"""How far the coverage of few towers strays when the error model is exactly right.

Run: python benchmarks/calibrated_coverage.py results/real-towers --methods gbm gp baseline blend

Errors at a tower persist, so that a fold of some thirty towers is a small sample. For every prediction file this draws
records of labels from the file's own error model at its test towers, leaves of them the months that were measured, and
scores them as labels are scored. Shows the coverage of 90 % intervals and the share of towers below 0.70 of the labels,
beside the mean and the central 95 % of the draws: single folds, all folds, and the farthest fifth of the towers. Places
are drawn independently of each other; neighbours that err together would stray farther. Writes calibrated_coverage.csv
into --folder.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.api.configuration import read_configuration
from dere.config.evaluation import EvaluationConfig
from dere.evaluation.calibration import FEWEST
from dere.evaluation.interval_limits import Scale, by_years, limits
from dere.evaluation.truth import Reference, references
from dere.exchange.co2 import EXCHANGE
from dere.harmonise.splits import all_folds, roles
from dere.intervals.driver_distance import DISTANCE
from dere.intervals.spread import label_scale
from dere.intervals.stated import read_stated
from dere.intervals.trajectories import trajectories
from dere.io import read_netcdf, write_table
from dere.workflow.members import read_splits

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
TAILS = (0.05, 0.95)
SCALES: tuple[Scale, ...] = get_args(Scale)
SEEN = 0
"""The labels themselves are the first of the series that are scored; the draws follow."""


class Covered(NamedTuple):
    """Shares of the periods of each tower that lie inside the interval, of labels and draws."""

    fold: int
    scale: Scale
    share: Array
    """(series, site, flux); NaN where a tower has too few."""
    distance: Array
    """(site,)"""


def covered(file: xr.Dataset, reference: Reference, draws: int, rng: np.random.Generator) -> Iterator[Covered]:
    """Coverage of labels and of draws of the file's own error model at the towers of ``reference``."""
    here = file.sel(site=reference.values["site"].values).sel(flux=list(EXCHANGE.names))
    here = here.transpose("site", "time", "flux", ...)
    model, time = read_stated(file.attrs, EXCHANGE), here["time"].values
    mean = here["prediction"].values.astype(float)
    labels = reference.values.sel(flux=list(EXCHANGE.names)).values.astype(float)
    drawn = trajectories(mean, label_scale(here, model), model, rng, draws, "label")
    series = np.where(np.isfinite(labels), np.concatenate([labels[None], drawn]), np.nan)
    for scale in SCALES:
        found = limits(here, scale, "label", EXCHANGE)
        if found is None:
            continue
        low, high = (found.quantiles[..., int(np.abs(found.levels - tail).argmin())] for tail in TAILS)
        values = series if scale == "monthly" else np.stack([by_years(one, time) for one in series])
        known = np.isfinite(values) & np.isfinite(low)
        count = known.sum(2)
        fewest = reference.minimum_months if scale == "monthly" else 1
        inside = (known & (values >= low) & (values <= high)).sum(2)
        share = np.where(count >= fewest, inside / np.maximum(count, 1), np.nan)
        yield Covered(int(file.attrs["fold"]), scale, share, here[DISTANCE].values.astype(float))


def rows(parts: Sequence[Covered]) -> pd.DataFrame:
    """Coverage and share of badly covered towers, seen and drawn, by scale, group of towers and flux."""
    found = []
    for scale in SCALES:
        own = [part for part in parts if part.scale == scale]
        share = np.concatenate([part.share for part in own], axis=1)
        distance = np.concatenate([part.distance for part in own])
        fold = np.repeat([part.fold for part in own], [len(part.distance) for part in own])
        groups = {f"fold {number}": fold == number for number in np.unique(fold)}
        groups |= {"all": np.ones(len(fold), bool), "farthest fifth": distance >= np.nanquantile(distance, 0.8)}
        for group, inside in groups.items():
            for index, flux in enumerate(EXCHANGE.names):
                values = share[:, inside, index]
                values = values[:, np.isfinite(values[SEEN])]
                if values.size:
                    found.append({"scale": scale, "group": group, "flux": flux, **summary(values)})
    return pd.DataFrame(found)


def summary(share: Array) -> dict[str, float]:
    """Numbers of one group of towers (series, tower)."""
    mean, below = share.mean(1), (share < FEWEST).mean(1)
    low, high = np.quantile(mean[SEEN + 1 :], (0.025, 0.975))
    return {
        "towers": share.shape[1],
        "coverage_90": mean[SEEN],
        "drawn": mean[SEEN + 1 :].mean(),
        "drawn_low": low,
        "drawn_high": high,
        "towers_below_70": below[SEEN],
        "below_70_drawn": below[SEEN + 1 :].mean(),
    }


def main(words: Sequence[str] | None = None) -> None:
    """Score the files of a run, and write and show the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("run", type=Path, help="folder of a run")
    options.add_argument("--methods", nargs="+", default=["blend"])
    options.add_argument("--draws", type=int, default=400)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--folder", type=Path, default=Path("results/calibrated_coverage"))
    given = options.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    config = EvaluationConfig.model_validate(read_configuration(given.run)["evaluation"])
    towers = read_netcdf(given.run / "data" / "towers.nc")
    splits = read_splits(given.run / "data" / "splits.csv")
    tables = []
    for method in given.methods:
        parts: list[Covered] = []
        # one stream for all files of a method, so that folds are drawn independently
        rng = np.random.default_rng(given.seed)
        for path in sorted((given.run / "predictions" / method).glob("*/fold*/seed*.nc")):
            if path.stem.endswith("_cells"):
                continue
            file = read_netcdf(path)
            # what is fitted on all towers tests none
            if int(file.attrs["fold"]) < all_folds(splits):
                main_rows = references(towers, roles(splits, int(file.attrs["fold"])), config)[0]
                parts += covered(file, main_rows, given.draws, rng)
        if not parts:
            raise SystemExit(f"{given.run} has no predictions of {method}; name another method of the run")
        tables.append(rows(parts).assign(method=method))
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "method", table.pop("method"))
    given.folder.mkdir(parents=True, exist_ok=True)
    write_table(table, given.folder / "calibrated_coverage.csv")
    log.info("%s", table.round(3).to_string(index=False))
    single = table[table["group"].str.startswith("fold")]
    for scale, own in single.groupby("scale", sort=False):
        inside = int(((own["coverage_90"] >= own["drawn_low"]) & (own["coverage_90"] <= own["drawn_high"])).sum())
        log.info("%s, single folds: %d of %d inside the central 95 %% of the draws", scale, inside, len(own))


if __name__ == "__main__":
    main()
