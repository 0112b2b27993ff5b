"""What the neighbours add to RACI: neighbours by role, against as many at random and against none.

Run: python benchmarks/retrieval_value.py results/demo --seeds 0 1 2 --folds 0

Fits ``raci`` on the data of a run that lies in a folder (its canonical data are enough, nothing is written there), once
for each value of ``retrieval``, fold and seed, and judges every fit by the same rows. Methods of --beside are fitted
beside it. Writes retrieval_value.csv into --folder: median NSE over towers and the ratio of RMSE to ``raci`` with
neighbours by role (geometric mean over towers, seeds averaged before; above 1 = the neighbours by role help) with a
95 % interval over clusters of towers, for measured test towers and, in the built-in world, for virtual towers against
the truth. The claim that retrieval helps stands where the intervals of ``random`` and of ``none`` lie above 1.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measuring import table as as_text

import dere
from dere.evaluation.bootstrap import geometric_ratio
from dere.evaluation.resampling import resample_clusters
from dere.io import write_table

log = logging.getLogger(__name__)

FULL = "raci all"
ARMS = (FULL, "raci none", "raci random")
KEY = ["towers", "flux"]


def scores(run: dere.Run, arm: str, fold: int, seed: int, settings: dict[str, Any]) -> pd.DataFrame:
    """Monthly NSE, RMSE and cluster of every tower, by an arm: a method, and for ``raci`` its retrieval."""
    method, _, retrieval = arm.partition(" ")
    own = settings | ({"retrieval": retrieval} if retrieval else {})
    started = time.process_time()
    model = dere.fit(method, run, fold=fold, seed=seed, **own)
    trained = time.process_time()
    judged = dere.evaluate(dere.predict(model, run), run).site_skill
    log.info("%s: %.0f CPU s to fit, %.0f to predict and judge", arm, trained - started, time.process_time() - trained)
    measured = (judged["rows"] == "measured") & (judged["quality"] == run.tree["evaluation"]["testing_quality"][0])
    rows = judged[(judged["scale"] == "monthly") & (measured | (judged["rows"] == "virtual"))]
    rows = rows.assign(towers=rows["rows"].replace("measured", "test"), arm=arm, fold=fold, seed=seed)
    return rows[[*KEY, "arm", "fold", "seed", "site", "cluster", "nse", "rmse"]]


def compared(found: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """One row per arm, kind of towers and flux, against `FULL`; ``found`` holds the `scores` of all of them."""
    same = [*KEY, "fold", "seed", "site"]
    both = found.join(found[found["arm"] == FULL].set_index(same)["rmse"], on=same, rsuffix="_full")
    both = both.assign(log=np.log(both["rmse"] / both["rmse_full"]))
    rows = []
    for (arm, towers, flux), part in both.groupby(["arm", *KEY], sort=False):
        by_site = part.groupby("site").agg(log=("log", "mean"), nse=("nse", "mean"), cluster=("cluster", "first"))
        drawn = resample_clusters(by_site["cluster"].to_numpy(str), resamples, np.random.default_rng(seed))
        ratio = geometric_ratio(np.exp(by_site["log"].to_numpy()), np.ones(len(by_site)), drawn)
        rows.append([arm, towers, flux, part["seed"].nunique(), len(by_site), by_site["nse"].median(), *ratio])
    return pd.DataFrame(rows, columns=["arm", *KEY, "seeds", "sites", "nse", "rmse_ratio", "ratio_low", "ratio_high"])


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a run")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--folds", nargs="+", type=int, default=[0])
    parser.add_argument("--beside", nargs="*", default=[], help="other methods, for example kgml")
    parser.add_argument("--members", type=int, help="networks of each fit (default: those of the run)")
    parser.add_argument("--folder", type=Path, default=Path("results/retrieval_value"))
    arguments = parser.parse_args(given)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    run = dere.open_run(arguments.run)
    settings = {"members": arguments.members} if arguments.members else {}
    tables = []
    for fold in arguments.folds:
        for seed in arguments.seeds:
            for arm in (*ARMS, *arguments.beside):
                tables.append(scores(run, arm, fold, seed, settings))
                # after every fit, so that a long comparison can be read while it runs
                judge = run.tree["evaluation"]
                table = compared(pd.concat(tables), judge["bootstrap"], judge["seed"])
                write_table(table, arguments.folder / "retrieval_value.csv")
    lines = [
        [row.towers, row.arm, row.flux, f"{row.sites}", f"{row.nse:.3f}",
         f"{row.rmse_ratio:.3f} [{row.ratio_low:.3f}, {row.ratio_high:.3f}]"]
        for row in table.itertuples()
    ]  # fmt: skip
    log.info("%s", as_text(["towers", "arm", "flux", "sites", "median NSE", "RMSE to raci all"], lines))


if __name__ == "__main__":
    main()
