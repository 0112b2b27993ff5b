"""The last lines of a run: its skill in one small table, and where the report and the products lie."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import xarray as xr

from dere.exchange import DEFAULT, get
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.changes import NOTHING, changes_in, lines
from dere.invented import figure_line, invented_only, invented_sources
from dere.io import read_netcdf
from dere.products.sites import counted

COLUMNS = {"all": "test towers", "virtual": "virtual towers", "map": "map cells"}


def shown_rows(skill: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ``tables/skill.csv`` that the summary shows: medians over months, folds and seeds pooled."""
    return skill[
        (skill["scale"] == "monthly")
        & (skill["statistic"] == "median")
        & (skill["fold"] == "all")
        & (skill["seed"] == "all")
        & skill["grouping"].isin(COLUMNS)
        & (skill["group"] == "all")
    ]


def counts(skill: pd.DataFrame, labelled: int) -> str:
    """Return how many places stand behind each column, and of how many towers with labels the test towers are some.

    Parameters
    ----------
    skill
        ``tables/skill.csv``; ``sites`` is what a row was scored on.
    labelled
        Towers of the run that have labels.
    """
    scored = shown_rows(skill).groupby("grouping")["sites"].max()
    words = [f"{int(scored[grouping])} {name}" for grouping, name in COLUMNS.items() if grouping in scored]
    return f"scored on {', '.join(words)}; {labelled} towers have labels"


def summary(skill: pd.DataFrame, exchange: Exchange = CO2) -> str:
    """Return the median monthly NSE over towers or cells per method and flux as text.

    Parameters
    ----------
    skill
        ``tables/skill.csv``; folds and seeds are already pooled in the rows used.
    exchange
        What is predicted; orders the fluxes.
    """
    table = shown_rows(skill).pivot_table(
        index=["method", "backbone"], columns=["grouping", "flux"], values="nse", aggfunc="first", sort=False
    )
    order = [(grouping, flux) for grouping in COLUMNS for flux in exchange.names if (grouping, flux) in table.columns]
    table = table[order].rename(columns=COLUMNS | {flux: flux.upper() for flux in exchange.names})
    table.columns.names = [None, None]
    return table.to_string(float_format=lambda value: f"{value:.2f}", na_rep="")


def changed(folder: Path) -> str:
    """Return what the run in ``folder`` dropped, filled or replaced, of all exchanges; empty without such a table."""
    tables = [*folder.glob("tables/changes.csv"), *sorted(folder.glob("*/tables/changes.csv"))]
    told = ""
    for table in tables:
        rows = changes_in(pd.read_csv(table))
        of_table = "".join(f"  {line}\n" for line in lines(rows))
        told += f"Dropped, filled or replaced ({table}):\n{of_table}\n" if rows else ""
    return told or (f"{NOTHING}\n\n" if tables else "")


def invented(towers: xr.Dataset) -> str:
    """Return the line that names what the built-in world gave; empty where it gave nothing.

    Parameters
    ----------
    towers
        ``data/towers.nc``, whose attributes tell.
    """
    sources = invented_only(invented_sources([towers.attrs]))
    return f"{figure_line(sources)}\n" if sources else ""


def main(folder: Path, exchange: str = DEFAULT) -> None:
    """Write the summary of the run in ``folder`` to the console."""
    skill = pd.read_csv(folder / "tables" / "skill.csv", dtype={"fold": str, "seed": str})
    towers = read_netcdf(folder / "data" / "towers.nc", load=False)
    labelled = int((towers["kind"] == "tower").sum())
    sites = pd.read_csv(folder / "tables" / "sites.csv", dtype={"site": str})
    sys.stdout.write(
        f"\nMedian NSE of monthly fluxes at places whose labels no stage has seen\n({counts(skill, labelled)})\n"
        f"\n{summary(skill, get(exchange))}\n\n"
        f"{counted(sites)} (tables/sites.csv)\n"
        f"{invented(towers)}\n"
        f"{changed(folder)}"
        f"Begin at: {folder / 'index.html'}\n"
        f"Report:   {folder / 'report.html'}\n"
        f"Tables:   {folder / 'tables'} (skill.csv, paired.csv, site_skill.csv, ...)\n"
        f"Products: {folder / 'products'}\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
