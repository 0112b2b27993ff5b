"""Skill of every method of a finished run on two sets of rows: months that have every flux, and each flux's own months.

Run: python benchmarks/label_rows.py results/towers197. Both sets are of the same predictions; they differ where a month
has NEE alone (docs/decisions/0011). Printed are medians over unseen towers of all folds, for each flux that has other
rows, with the change of each tower that both sets score.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
import xarray as xr

import dere
from dere.evaluation.judge import judge

KEY = ["method", "backbone", "flux"]


def main() -> int:
    """Judge twice and print a Markdown table per flux."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a finished run")
    table = compared(dere.open_run(parser.parse_args().run))
    for flux, part in table.groupby("flux", sort=False):
        if (part["months, all fluxes"] != part["months, own"]).any():
            sys.stdout.write(f"{flux}\n\n{part.drop(columns='flux').to_markdown(index=False, floatfmt='.3f')}\n\n")
    return 0


def compared(run: dere.Run) -> pd.DataFrame:
    """One row per method, backbone and flux: towers, months, median NSE and RMSE on both sets of rows."""
    own = run.towers.load()
    complete = own["flux_value"].notnull().all("flux")
    first, second = (
        by_tower(run, towers) for towers in (own.assign(flux_value=own["flux_value"].where(complete)), own)
    )
    parts = {"all fluxes": first, "own": second}
    rows = []
    for key in second[KEY].drop_duplicates().itertuples(index=False, name=None):
        row: dict[str, object] = dict(zip(KEY, key, strict=True))
        of_key = {name: part[(part[KEY] == list(key)).all(axis=1)].set_index("site") for name, part in parts.items()}
        for score in ("nse", "rmse"):
            row |= {f"{score}, {name}": part[score].median() for name, part in of_key.items()}
        row |= {f"towers, {name}": len(part) for name, part in of_key.items()}
        row |= {f"months, {name}": int(part["months"].sum()) for name, part in of_key.items()}
        both = of_key["own"]["nse"] - of_key["all fluxes"]["nse"]
        row["median change of a tower whose rows differ"] = both[both.abs() > 0].median()
        rows.append(row)
    return pd.DataFrame(rows)


def by_tower(run: dere.Run, towers: xr.Dataset) -> pd.DataFrame:
    """Monthly scores of every tower that a method of the run did not see, from its mean over folds and seeds."""
    main, *_ = run.config.evaluation.testing_quality
    predictions = {
        f"{method}/{backbone}": run.ensemble(method, backbone).load()
        for method, backbone in run.skill[["method", "backbone"]].drop_duplicates().itertuples(index=False)
    }
    return judge(predictions, towers, run.splits, run.config.evaluation)["site_skill"].query(
        f"scale == 'monthly' and rows == 'measured' and quality == {main}"
    )


if __name__ == "__main__":
    sys.exit(main())
