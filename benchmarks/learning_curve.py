"""How much skill at unseen towers grows with the number of towers to learn from.

Run: python benchmarks/learning_curve.py config/towers.yaml --methods gbm kgml --sizes 25 50 90 --draws 5

Makes a run of the given configuration (files as for ``dere run``) for each size and draw, named
<run>_towers<size>_draw<draw>, and one with all towers; each is a run like any other, goes on where it stopped, and is
made up to its evaluation only. Draws keep whole clusters (``splits.training_towers``, ``splits.training_draw``); the
test towers are the same in all. Writes learning_curve.csv, one row per size, draw, method and flux, and
learning_curve.png into --folder. The ratio of RMSE is that to the same method trained with all towers, geometric mean
over the same test towers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from measuring import table as as_text
from overlays import Run, begin, made, make, options

from dere.config.reference_rows import REFERENCE
from dere.evaluation.predictions import sites_with_role
from dere.evaluation.runs import ENSEMBLE
from dere.figures.style import house_style, method_colour, method_label, method_line
from dere.harmonise.splits import roles
from dere.io import write_table
from dere.training.roles import TRAINED
from dere.variables import FLUXES
from dere.workflow import targets
from dere.workflow.members import read_splits

log = logging.getLogger(__name__)

KEY = ["method", "backbone", "flux"]
Member = tuple[int | None, int]
"""Number of towers to learn from (None = all) and draw."""


def plan(sizes: Sequence[int], draws: int) -> list[Member]:
    """Every size with every draw, and once all towers."""
    return [*((size, draw) for size in sizes for draw in range(draws)), (None, 0)]


def overlay(name: str, member: Member, chosen: Sequence[str]) -> dict[str, Any]:
    """What a run differs by."""
    size, draw = member
    end = "all" if size is None else f"{size}_draw{draw}"
    own: dict[str, Any] = {"run": f"{name}_towers{end}"}
    own["splits"] = {"training_towers": size, "training_draw": draw}
    return own | ({"methods": list(chosen)} if chosen else {})


def scores(folder: Path, quality: float) -> pd.DataFrame:
    """Monthly NSE and RMSE of every test tower of a run, averaged over folds and seeds; indexed by `KEY` and site."""
    rows = pd.read_csv(folder / "tables" / "site_skill.csv", dtype={"fold": str, "seed": str})
    rows = rows[(rows["rows"] == "measured") & (rows["scale"] == "monthly") & (rows["quality"] == quality)]
    rows = rows[(rows["seed"] != ENSEMBLE) & ~rows["method"].str.startswith(REFERENCE)]
    # "none" of methods without a network is no missing value
    rows = rows.assign(backbone=rows["backbone"].fillna(targets.NO_BACKBONE))
    return rows.groupby([*KEY, "site"])[["nse", "rmse"]].mean()


def kept(folder: Path, folds: Sequence[int]) -> float:
    """Towers that a fold learned from, training and validation, mean over the tested folds."""
    splits = read_splits(folder / "data" / "splits.csv")
    return float(np.mean([len(sites_with_role(roles(splits, fold), TRAINED)) for fold in folds]))


def curve(found: Mapping[Member, pd.DataFrame], learned: Mapping[Member, float]) -> pd.DataFrame:
    """One row per size, draw, method, backbone and flux.

    Parameters
    ----------
    found
        Member to `scores`; one has all towers (size None).
    learned
        Member to `kept`.

    Returns
    -------
    DataFrame
        ``asked`` (``training_towers``, empty = all), ``towers`` (that a fold learned from), ``draw``, `KEY`, ``sites``,
        ``nse`` (median over towers), ``rmse_ratio``.
    """
    everything = next(table for (size, _), table in found.items() if size is None)
    rows = []
    for (size, draw), table in found.items():
        both = table.join(everything, rsuffix="_all", how="inner")
        groups = both.assign(log=np.log(both["rmse"] / both["rmse_all"])).groupby(KEY, sort=False)
        part = pd.DataFrame({"sites": groups.size(), "nse": groups["nse"].median()})
        part["rmse_ratio"] = np.exp(groups["log"].mean())
        rows.append(part.reset_index().assign(asked=size, towers=learned[size, draw], draw=draw))
    whole = pd.concat(rows, ignore_index=True).astype({"asked": "Int64"})
    return whole[["asked", "towers", "draw", *KEY, "sites", "nse", "rmse_ratio"]]


def draw_curve(figure: Figure, table: pd.DataFrame) -> None:
    """Median NSE (above) and ratio of RMSE to all towers (below) against the number of towers, a column per flux.

    Lines are means over draws, dots single draws.
    """
    fluxes = sorted(dict.fromkeys(table["flux"]), key=FLUXES.index)
    axes = figure.subplots(2, len(fluxes), sharex=True, sharey="row", squeeze=False)
    labels = {"nse": "median NSE, monthly", "rmse_ratio": "RMSE / RMSE with all towers"}
    for column, flux in enumerate(fluxes):
        for row, (value, label) in enumerate(labels.items()):
            panel = axes[row, column]
            for (method, backbone), part in table[table["flux"] == flux].groupby(["method", "backbone"], sort=False):
                name = method_label(method) + (f" ({backbone})" if backbone != targets.NO_BACKBONE else "")
                look = {"color": method_colour(method)}
                # "all" is a size of its own
                size = part["asked"].fillna(int(table["towers"].max()) + 1)
                mean = part.groupby(size)[["towers", value]].mean()
                panel.plot(mean["towers"], mean[value], linestyle=method_line(method), label=name, **look)
                panel.plot(part["towers"], part[value], linestyle="", marker=".", markersize=4, **look)
            panel.grid()
            panel.set_ylabel(label if column == 0 else "")
        axes[0, column].set_title(flux.upper())
        axes[1, column].set_xscale("log")
        axes[1, column].set_xlabel("towers learned from")
        axes[1, column].axhline(1.0, color="black", linewidth=0.8)
        ticks = sorted(table.groupby(table["asked"].fillna(-1))["towers"].mean().round().astype(int).unique())
        axes[1, column].set_xticks(ticks, [str(tick) for tick in ticks])
        axes[1, column].minorticks_off()
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)


def main(given: list[str] | None = None, run: Run = make) -> None:
    parser = options(__doc__, "results/learning_curve")
    parser.add_argument("--methods", nargs="+", default=[], help="methods (default: those of the configuration)")
    parser.add_argument("--sizes", nargs="+", type=int, default=[25, 50, 90])
    parser.add_argument("--draws", type=int, default=5)
    arguments = parser.parse_args(given)
    tree = begin(arguments)
    found, learned = {}, {}
    for member in plan(arguments.sizes, arguments.draws):
        folder = made(overlay(tree["run"], member, arguments.methods), arguments, run)
        found[member] = scores(folder, tree["evaluation"]["testing_quality"][0])
        learned[member] = kept(folder, tree["folds"])
    table = curve(found, learned)
    write_table(table, arguments.folder / "learning_curve.csv")
    with house_style(targets.shown(tree)):
        figure = Figure(figsize=(3.2 * table["flux"].nunique(), 5.6), layout="constrained")
        draw_curve(figure, table)
        figure.savefig(arguments.folder / "learning_curve.png", dpi=150)
    mean = table.groupby([table["asked"].fillna(-1), *KEY], sort=False)[["towers", "nse", "rmse_ratio"]].mean()
    lines = [
        [*map(str, row[KEY]), f"{row['towers']:.0f}", f"{row['nse']:.2f}", f"{row['rmse_ratio']:.3f}"]
        for _, row in mean.reset_index().iterrows()
    ]
    log.info("%s", as_text(["method", "backbone", "flux", "towers", "median NSE", "RMSE to all towers"], lines))


if __name__ == "__main__":
    main()
