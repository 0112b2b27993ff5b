"""What each way from the simulation to towers gains over the network that learns from towers alone.

Run: python benchmarks/transfers.py results/demo --seeds 0 1 2 --members 1

Fits the plain network, fine-tuning and the other transfers (docs/method.md#transfers) on the canonical data of a run
that lies in a folder, on identical towers; nothing is written there. Stages that several methods share are fitted once,
checkpoints stay below --folder, and what is there is not fitted again. Writes transfers.csv: median NSE over towers and
the ratios of monthly RMSE to the plain network and to fine-tuning (geometric mean over towers, seeds and folds averaged
before; below 1 = the method is better) with 95 % intervals over clusters of towers, for measured test towers and, in
the built-in world, for virtual towers against the truth; and reported.csv: what the stages report, mean over folds and
seeds.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from measuring import table as as_text
from tower_ratios import compared, scores_of

import dere
from dere.api.fitting import jobs, settings_of
from dere.api.model import read_model
from dere.api.place import place_of
from dere.api.threads import threads
from dere.evaluation.transfers import reported
from dere.io import read_json, write_table
from dere.training.checkpoint import MANIFEST
from dere.workflow.train import train

log = logging.getLogger(__name__)

PLAIN = "baseline"
TRANSFERS = ("kgml", "kgml_residual", "kgml_stack", "kgml_adversarial", "kgml_reweight")
AGAINST = (PLAIN, "kgml")
"""Methods that all are compared with, those of them that are fitted."""


def scores(run: dere.Run, method: str, fold: int, seed: int, root: Path, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Scores of every tower by a method, whose stages lie in ``root`` or are fitted there."""
    declared, started = run.method(method), time.process_time()
    place = place_of(run.tree, declared, None, fold, seed)
    tree = settings_of(run, declared, str(place["backbone"]), settings)
    for job in jobs(run, declared, place, tree, root, 0):
        if not (job.output / MANIFEST).exists():
            with threads(job.threads):
                train(job)
    trained = time.process_time()
    folders = {stage: root / stage for stage in declared.predicts_from}
    model = read_model(declared, run.exchange, place, tree, run.split, folders)
    found = scores_of(model, run, method=method, fold=fold, seed=seed)
    log.info("%s: %.0f CPU s to fit, %.0f to judge", method, trained - started, time.process_time() - trained)
    return found


def reports(root: Path) -> pd.DataFrame:
    """What the stages below a folder report, mean over backbones, folds and seeds."""
    rows = reported([read_json(path) for path in sorted(root.rglob(MANIFEST))])
    return rows.groupby(["stage", "quantity", "flux"], sort=False)["value"].mean().reset_index()


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a run")
    parser.add_argument("--methods", nargs="+", default=list(TRANSFERS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--folds", nargs="+", type=int, default=[0])
    parser.add_argument("--members", type=int, help="networks of each fit (default: those of the run)")
    parser.add_argument("--folder", type=Path, default=Path("results/transfers"))
    arguments = parser.parse_args(given)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    run = dere.open_run(arguments.run)
    settings = {"members": arguments.members} if arguments.members else {}
    judge = run.tree["evaluation"]
    tables = []
    for seed in arguments.seeds:
        for fold in arguments.folds:
            for method in (PLAIN, *arguments.methods):
                root = arguments.folder / f"fold{fold}_seed{seed}"
                tables.append(scores(run, method, fold, seed, root, settings))
                # after every fit, so that a long comparison can be read while it runs
                found = pd.concat(tables)
                others = [name for name in AGAINST if name in set(found["method"])]
                resamples = judge["bootstrap"], judge["seed"]
                table = pd.concat([compared(found, "method", name, *resamples).assign(against=name) for name in others])
                write_table(table, arguments.folder / "transfers.csv")
    lines = [
        [row.towers, row.method, row.against, row.flux, row.sites, f"{row.nse:.2f}",
         f"{row.rmse_ratio:.3f} [{row.ratio_low:.3f}, {row.ratio_high:.3f}]"]
        for row in table.itertuples()
    ]  # fmt: skip
    log.info("%s", as_text(["towers", "method", "against", "flux", "sites", "median NSE", "ratio of RMSE"], lines))
    says = reports(arguments.folder)
    write_table(says, arguments.folder / "reported.csv")
    log.info("%s", as_text(list(says.columns), says.round(3).astype(str).to_numpy().tolist()))


if __name__ == "__main__":
    main()
