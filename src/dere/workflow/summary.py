"""The last lines of a run: its skill in one small table, and where the report and the products lie."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from dere.io import read_netcdf
from dere.variables import FLUXES

COLUMNS = {"all": "test towers", "virtual": "virtual towers", "map": "map cells"}


def summary(skill: pd.DataFrame) -> str:
    """Return the median monthly NSE over towers per method and flux as text.

    Parameters
    ----------
    skill
        ``tables/skill.csv``; folds and seeds are already pooled in the rows used.
    """
    rows = skill[
        (skill["scale"] == "monthly")
        & (skill["statistic"] == "median")
        & (skill["fold"] == "all")
        & (skill["seed"] == "all")
        & skill["grouping"].isin(COLUMNS)
        & (skill["group"] == "all")
    ]
    table = rows.pivot_table(
        index=["method", "backbone"], columns=["grouping", "flux"], values="nse", aggfunc="first", sort=False
    )
    order = [(grouping, flux) for grouping in COLUMNS for flux in FLUXES if (grouping, flux) in table.columns]
    table = table[order].rename(columns=COLUMNS | {flux: flux.upper() for flux in FLUXES})
    table.columns.names = [None, None]
    return table.to_string(float_format=lambda value: f"{value:.2f}", na_rep="")


def main(folder: Path) -> None:
    """Write the summary of the run in ``folder`` to the console."""
    text = summary(pd.read_csv(folder / "tables" / "skill.csv", dtype={"fold": str, "seed": str}))
    towers = read_netcdf(folder / "data" / "towers.nc", load=False)
    labelled = int((towers["kind"] == "tower").sum())
    sys.stdout.write(
        f"\nMedian NSE of monthly fluxes over towers that no stage has seen ({labelled} towers with labels)\n"
        f"\n{text}\n\n"
        f"Report:   {folder / 'report.html'}\n"
        f"Tables:   {folder / 'tables'} (skill.csv, paired.csv, site_skill.csv, ...)\n"
        f"Products: {folder / 'products'}\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
