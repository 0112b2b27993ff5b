"""What the neighbours add to RACI: neighbours by role, against as many at random and against none.

Run: python benchmarks/retrieval_value.py --seeds 0 1 --folds 0     (files as for ``dere run`` may come first)

Makes the given configuration once for each value of ``stages.raci.retrieval``, as one run named <run>_retrieval, so
that the world, the data and the methods of --beside are made once and only the stages of RACI again. Every value is made
up to the evaluation, and its scores are kept. Writes retrieval_value.csv into --folder: median NSE
and the ratio of RMSE of each row's method to it of ``raci`` with neighbours by role (geometric mean over towers, seeds
averaged before; above 1 = the neighbours by role help) with a 95 % interval over clusters of towers, for measured test
towers and, in the built-in world, for virtual towers against the truth. The claim that retrieval helps stands where the
intervals of ``random`` and of ``none`` lie above 1.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measuring import table as as_text
from overlays import Run, begin, made, make, options

from dere.config.reference_rows import REFERENCE
from dere.evaluation.bootstrap import geometric_ratio
from dere.evaluation.resampling import resample_clusters
from dere.evaluation.runs import ENSEMBLE
from dere.io import write_table

log = logging.getLogger(__name__)

VALUES = ("all", "random", "none")
COLUMNS = ["rows", "method", "retrieval", "flux", "sites", "clusters", "seeds", "nse", "rmse_ratio", "ratio_low",
           "ratio_high"]  # fmt: skip


def overlay(name: str, value: str, beside: Sequence[str], folds: Sequence[int], seeds: Sequence[int]) -> dict[str, Any]:
    """What the run is for a value."""
    methods = ["raci", *beside]
    stages = {stage: {"retrieval": value} for stage in ("raci_simulation", "raci")}
    own = {"run": f"{name}_retrieval", "methods": methods, "folds": list(folds), "seeds": list(seeds)}
    return own | {"stages": stages}


def scores(folder: Path, quality: float) -> pd.DataFrame:
    """Monthly NSE and RMSE, mean over seeds and folds; indexed by kind of rows, method, flux and site."""
    rows = pd.read_csv(folder / "tables" / "site_skill.csv", dtype={"fold": str, "seed": str})
    rows = rows[(rows["scale"] == "monthly") & (rows["seed"] != ENSEMBLE) & ~rows["method"].str.startswith(REFERENCE)]
    rows = rows[(rows["rows"] == "virtual") | ((rows["rows"] == "measured") & (rows["quality"] == quality))]
    return rows.groupby(["rows", "method", "flux", "site"])[["nse", "rmse"]].mean()


def compared(
    found: Mapping[str, pd.DataFrame], clusters: Mapping[str, str], seeds: int, resamples: int, seed: int
) -> pd.DataFrame:
    """One row per kind of rows, method with its retrieval, and flux.

    Parameters
    ----------
    found
        Value of ``retrieval`` to `scores`.
    clusters
        Site to its cluster.
    seeds
        How many were averaged.
    """
    full = found[VALUES[0]].xs("raci", level="method")
    rows = []
    for value, table in found.items():
        for (kind, method, flux), part in table.groupby(level=["rows", "method", "flux"], sort=False):
            # the others do not change
            if method != "raci" and value != VALUES[0]:
                continue
            own = part.droplevel(["rows", "method", "flux"])
            both = own.join(full.xs((kind, flux), level=["rows", "flux"]), rsuffix="_full", how="inner")
            label = np.array([clusters.get(site) or site for site in both.index])
            drawn = resample_clusters(label, resamples, np.random.default_rng(seed))
            ratio = geometric_ratio(both["rmse"].to_numpy(), both["rmse_full"].to_numpy(), drawn)
            name = value if method == "raci" else ""
            rows.append([kind, method, name, flux, len(both), len(set(label)), seeds, both["nse"].median(), *ratio])
    return pd.DataFrame(rows, columns=COLUMNS)


def main(given: list[str] | None = None, run: Run = make) -> None:
    parser = options(__doc__, "results/retrieval_value")
    parser.add_argument("--beside", nargs="*", default=["kgml"], help="methods made beside, once")
    parser.add_argument("--folds", nargs="+", type=int, default=[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    arguments = parser.parse_args(given)
    tree = begin(arguments)
    judge = tree["evaluation"]
    found, clusters = {}, {}
    for value in VALUES:
        folder = made(overlay(tree["run"], value, arguments.beside, arguments.folds, arguments.seeds), arguments, run)
        found[value] = scores(folder, judge["testing_quality"][0])
        split = pd.read_csv(folder / "data" / "splits.csv", dtype=str)
        clusters = dict(zip(split["id"], split["cluster"], strict=True))
    table = compared(found, clusters, len(arguments.seeds), judge["bootstrap"], judge["seed"])
    write_table(table, arguments.folder / "retrieval_value.csv")
    lines = [
        [row.rows, row.method, row.retrieval, row.flux, str(row.sites), f"{row.nse:.3f}",
         f"{row.rmse_ratio:.3f} [{row.ratio_low:.3f}, {row.ratio_high:.3f}]"]
        for row in table.itertuples()
    ]  # fmt: skip
    log.info("%s", as_text(["rows", "method", "retrieval", "flux", "towers", "median NSE", "RMSE to all"], lines))


if __name__ == "__main__":
    main()
