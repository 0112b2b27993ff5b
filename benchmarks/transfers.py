"""What each way from the simulation to towers gains over the network that learns from towers alone.

Run: python benchmarks/transfers.py --seeds 0 1 2 --members 4
     python benchmarks/transfers.py config/towers.yaml --seeds 0 --folds 0 1

Makes one run of the given configuration (files as for ``dere run``), named <run>_transfers, with the plain network,
fine-tuning and the other transfers on identical towers, up to its evaluation; it is a run like any other and goes on
where it stopped. Writes transfers.csv into --folder: median NSE, and the ratio of RMSE to the plain network (geometric
mean over towers; below 1 = the transfer helps) with its 95 % interval over clusters of towers and seeds; and
reported.csv: what the stages report (discriminators, effective samples, RMSE of the pre-trained network alone), mean
over folds and seeds.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd
from measuring import table as as_text
from overlays import Run, begin, made, make, options

from dere.evaluation.transfers import reported
from dere.io import read_json, write_table
from dere.methods import stages_of

log = logging.getLogger(__name__)

PLAIN = "baseline"
TRANSFERS = ("kgml", "kgml_residual", "kgml_stack", "kgml_adversarial", "kgml_reweight")
KEY = ["grouping", "flux"]
RATIOS = ["rmse_ratio", "ratio_low", "ratio_high"]


def overlay(tree: dict[str, Any], methods: list[str], given: dict[str, Any]) -> dict[str, Any]:
    """What the run differs by."""
    changed = {name: value for name, value in given.items() if value is not None}
    return {"run": f"{tree['run']}_transfers", "methods": methods, **changed}


def against_plain(paired: pd.DataFrame) -> pd.DataFrame:
    """Monthly rows of the table of pairs with the plain network as the other one, whichever of both stood first."""
    rows = paired[paired["scale"] == "monthly"]
    first = rows[rows["against"] == PLAIN]
    turned = rows[rows["method"] == PLAIN]
    turned = turned.assign(
        method=turned["against"],
        against=PLAIN,
        rmse_ratio=1 / turned["rmse_ratio"],
        ratio_low=1 / turned["ratio_high"],
        ratio_high=1 / turned["ratio_low"],
    )
    return pd.concat([first, turned])[["method", *KEY, "sites", "clusters", "seeds", *RATIOS]]


def medians(skill: pd.DataFrame) -> pd.DataFrame:
    """Median NSE over towers of all folds, mean over seeds, by method, grouping and flux."""
    rows = skill[(skill["scale"] == "monthly") & (skill["group"] == "all") & (skill["statistic"] == "median")]
    rows = rows[(rows["fold"] == "all") & (rows["seed"] == "all")]
    return rows.groupby(["method", *KEY], sort=False)["nse"].mean().reset_index()


def main(given: list[str] | None = None, run: Run = make) -> None:
    parser = options(__doc__, "results/transfers")
    parser.add_argument("--methods", nargs="+", default=list(TRANSFERS))
    parser.add_argument("--seeds", nargs="+", type=int, help="default: those of the configuration")
    parser.add_argument("--folds", nargs="+", type=int, help="default: those of the configuration")
    parser.add_argument("--members", type=int, help="default: those of the configuration")
    arguments = parser.parse_args(given)
    tree = begin(arguments)
    methods = [PLAIN, *arguments.methods]
    chosen = {name: getattr(arguments, name) for name in ("seeds", "folds", "members")}
    folder = made(overlay(tree, methods, chosen), arguments, run)
    skill = pd.read_csv(folder / "tables" / "skill.csv", dtype={"fold": str, "seed": str})
    pairs = against_plain(pd.read_csv(folder / "tables" / "paired.csv"))
    table = medians(skill).merge(pairs, on=["method", *KEY], how="left")
    write_table(table, arguments.folder / "transfers.csv")
    says = reports(folder, methods)
    write_table(says, arguments.folder / "reported.csv")
    lines = [
        [row.method, row.grouping, row.flux, f"{row.nse:.2f}",
         f"{row.rmse_ratio:.3f} [{row.ratio_low:.3f}, {row.ratio_high:.3f}]"]
        for row in table.itertuples()
    ]  # fmt: skip
    log.info("%s", as_text(["method", "towers", "flux", "median NSE", "RMSE to the plain network"], lines))
    log.info("%s", as_text(list(says.columns), says.round(3).astype(str).to_numpy().tolist()))


def reports(folder: Path, methods: list[str]) -> pd.DataFrame:
    """What the stages of some methods report, mean over backbones, folds and seeds."""
    wanted = {stage.name for stage in stages_of(methods)}
    found = reported([read_json(path) for path in sorted((folder / "models").rglob("manifest.json"))])
    rows = found[found["stage"].isin(wanted)]
    return rows.groupby(["stage", "quantity", "flux"], sort=False)["value"].mean().reset_index()


if __name__ == "__main__":
    main()
