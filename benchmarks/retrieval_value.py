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

import pandas as pd
from measuring import table as as_text
from tower_ratios import compared, scores_of

import dere
from dere.io import write_table

log = logging.getLogger(__name__)

FULL = "raci all"
ARMS = (FULL, "raci none", "raci random")


def scores(run: dere.Run, arm: str, fold: int, seed: int, settings: dict[str, Any]) -> pd.DataFrame:
    """Scores of every tower by an arm: a method, and for ``raci`` its retrieval."""
    method, _, retrieval = arm.partition(" ")
    own = settings | ({"retrieval": retrieval} if retrieval else {})
    started = time.process_time()
    model = dere.fit(method, run, fold=fold, seed=seed, **own)
    trained = time.process_time()
    found = scores_of(model, run, arm=arm, fold=fold, seed=seed)
    log.info("%s: %.0f CPU s to fit, %.0f to predict and judge", arm, trained - started, time.process_time() - trained)
    return found


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
                table = compared(pd.concat(tables), "arm", FULL, judge["bootstrap"], judge["seed"])
                write_table(table, arguments.folder / "retrieval_value.csv")
    lines = [
        [row.towers, row.arm, row.flux, f"{row.sites}", f"{row.nse:.3f}",
         f"{row.rmse_ratio:.3f} [{row.ratio_low:.3f}, {row.ratio_high:.3f}]"]
        for row in table.itertuples()
    ]  # fmt: skip
    log.info("%s", as_text(["towers", "arm", "flux", "sites", "median NSE", "RMSE to raci all"], lines))


if __name__ == "__main__":
    main()
