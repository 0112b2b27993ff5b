"""Whether intervals of months, years, cells and totals hold over several built-in worlds.

Run: python benchmarks/world_intervals.py --seeds 1 2 3 --methods gbm --folder results/world_intervals

Makes a run for each seed of the world, named world_intervals<seed>, like any other (files as for ``dere run``); each
goes on where it stopped. Writes world_coverage.csv, the coverage of truth at virtual towers and in cells by seed and
over all of them, and world_totals.csv, totals of the maps beside the truth with z, their difference over the standard
deviation, and shows both.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from overlays import Run, begin, made, make, options

from dere.io import write_table

log = logging.getLogger(__name__)

KEY = ["method", "grouping", "scale", "flux"]
SCORES = ["coverage_50", "coverage_90", "towers_below_70", "spread_error"]


def overlay(seed: int, methods: Sequence[str], folds: Sequence[int]) -> dict[str, Any]:
    """What a run differs by."""
    product = {"products": {"method": methods[0]}}
    return {
        "run": f"world_intervals{seed}",
        "world": {"seed": seed},
        "methods": list(methods),
        "folds": list(folds),
    } | product


def coverage(tables: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """Coverage of truth by seed, and its mean over seeds (world = all) with the standard deviation over them."""
    rows = []
    for seed, table in tables.items():
        whole = table[(table["fold"] == "all") & (table["seed"] == "all") & (table["part"] == "all")]
        rows.append(whole[whole["grouping"] != "all"].assign(world=str(seed)))
    each = pd.concat(rows, ignore_index=True)[["world", *KEY, "sites", *SCORES]]
    groups = each.groupby(KEY, sort=False)
    mean = groups[["sites", *SCORES]].mean().join(groups["coverage_90"].std().rename("coverage_90_std"))
    return pd.concat([each, mean.reset_index().assign(world="all")], ignore_index=True)


def totals(tables: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """Mean annual global total of maps and truth by seed and flux; ``z`` and whether the truth is inside by year."""
    rows = []
    for seed, table in tables.items():
        globe = table[table["region"] == "global"]
        maps, real = (globe[globe["source"] == name].set_index(["flux", "year"]) for name in ("product", "truth"))
        joined = maps.join(real["total_pgc"].rename("truth"))
        joined["z"] = (joined["total_pgc"] - joined["truth"]) / joined["std_pgc"]
        joined["inside"] = (joined["truth"] >= joined["q05_pgc"]) & (joined["truth"] <= joined["q95_pgc"])
        columns = ["total_pgc", "std_pgc", "truth", "z", "inside"]
        rows.append(joined[columns].astype(float).groupby("flux", sort=False).mean().reset_index().assign(world=seed))
    return pd.concat(rows, ignore_index=True)


def main(words: list[str] | None = None, run: Run = make) -> None:
    """Make the runs and the tables."""
    parser = options(__doc__, "results/world_intervals")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(1, 11)))
    parser.add_argument("--methods", nargs="+", default=["gbm"], help="the first makes the maps")
    parser.add_argument("--folds", nargs="+", type=int, default=[0])
    given = parser.parse_args(words)
    begin(given)
    covered, summed = {}, {}
    for seed in given.seeds:
        tables = made(overlay(seed, given.methods, given.folds), given, run) / "tables"
        covered[seed] = pd.read_csv(tables / "calibration.csv", dtype={"fold": str, "seed": str})
        summed[seed] = pd.read_csv(tables / "totals.csv")
        write_table(coverage(covered), given.folder / "world_coverage.csv")
        write_table(totals(summed), given.folder / "world_totals.csv")
    table = coverage(covered)
    shown = table[table["world"] == "all"].drop(columns="world")
    log.info("%s", shown.round(3).to_string(index=False))
    found = totals(summed)
    log.info("%s", found.round(2).to_string(index=False))
    for flux, own in found.groupby("flux", sort=False):
        inside = int((own["inside"] > 0.5).sum())
        log.info("%s: truth inside in %d of %d worlds, mean |z| %.2f", flux, inside, len(own), np.abs(own["z"]).mean())


if __name__ == "__main__":
    main()
