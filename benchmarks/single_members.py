"""What the mean of an ensemble gains over its members: skill of single members of every method of a finished run.

Run: python benchmarks/single_members.py results/towers. Every member is judged on the rows of its method's mean, by
the run's own evaluator. Printed are medians of monthly NSE over unseen towers, of the mean and of single members (the
average of the members' medians, and the lowest and highest one), and the ratio of RMSE of a member to the mean
(geometric mean over towers and members).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

import dere
from dere.config.reference_rows import REFERENCE
from dere.evaluation.judge import members_of
from dere.evaluation.predictions import judged
from dere.evaluation.site_scores import site_skill
from dere.workflow import targets

MEMBERS = "member_prediction"


def main() -> int:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a finished run")
    table = members_table(dere.open_run(parser.parse_args().run))
    sys.stdout.write(table.to_markdown(index=False, floatfmt=".3f") + "\n")
    return 0


def members_table(run: dere.Run) -> pd.DataFrame:
    """One row per method, backbone and flux that has members."""
    rows = []
    judged_files = run.site_skill[["method", "backbone", "fold", "seed"]].astype(str).drop_duplicates()
    for method, backbone, fold, seed in judged_files.itertuples(index=False):
        if not (fold.isdigit() and seed.isdigit()) or method.startswith(REFERENCE):
            continue
        own = None if backbone == targets.NO_BACKBONE else backbone
        prediction = run.predictions(method, own, int(fold), int(seed))
        if MEMBERS in prediction:
            rows.append(of_file(run, prediction.load()).assign(method=method, backbone=backbone))
    if not rows:
        raise SystemExit(f"{run.folder}: no method has members; make a run with members above 1")
    return summarised(pd.concat(rows, ignore_index=True))


def of_file(run: dere.Run, prediction: xr.Dataset) -> pd.DataFrame:
    """Monthly scores of each tower by each member, and by their mean (member -1)."""
    main, *_ = run.config.evaluation.testing_quality
    roles = members_of(prediction, run.splits)
    shown = judged(prediction)
    tables = []
    for member in range(-1, shown.sizes["member"]):
        values = shown["prediction"] if member < 0 else shown[MEMBERS].isel(member=member).astype("float64")
        file = xr.Dataset({"prediction": values}, attrs=shown.attrs)
        scores = site_skill(file, run.towers, roles, run.config.evaluation)
        kept = (scores["scale"] == "monthly") & (scores["rows"] == "measured") & (scores["quality"] == main)
        tables.append(scores.loc[kept, ["site", "flux", "nse", "rmse"]].assign(member=member))
    return pd.concat(tables, ignore_index=True)


def summarised(scores: pd.DataFrame) -> pd.DataFrame:
    """Medians over towers of the mean and of the members, and how much larger a member's RMSE is."""
    key = ["method", "backbone", "flux"]
    by_tower = scores.groupby([*key, "member", "site"], sort=False)[["nse", "rmse"]].mean().reset_index()
    rows = []
    for names, part in by_tower.groupby(key, sort=False):
        mean = part[part["member"] < 0].set_index("site")
        single = part[part["member"] >= 0]
        medians = single.groupby("member")["nse"].median()
        ratio = np.exp(np.log(single["rmse"].to_numpy() / mean.loc[single["site"], "rmse"].to_numpy()).mean())
        rows.append(
            dict(zip(key, names, strict=True))
            | {"members": len(medians), "NSE of the mean": mean["nse"].median(), "of a member": medians.mean()}
            | {"lowest": medians.min(), "highest": medians.max(), "RMSE of a member to the mean": ratio}
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    sys.exit(main())
