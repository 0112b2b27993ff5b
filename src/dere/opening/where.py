"""Where: the scores of each tower and its place."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from dere.opening.facts import Facts

SITE_SKILL = (
    *("site", "method", "backbone", "fold", "seed", "flux", "scale", "rows", "quality"),
    *("igbp", "koppen", "months", "nse", "rmse"),
)
ROLES = ("id", "kind", "lat", "lon")
ROWS = {"all": "measured", "virtual": "virtual", "map": "map"}
"""Where a run is scored, and how the table of towers calls it."""


def towers(site_skill: pd.DataFrame | None, place: str, facts: Facts, fluxes: Sequence[str]) -> pd.DataFrame:
    """Return site, igbp, koppen, months and ``nse_<flux>``, ``rmse_<flux>`` of the shown method, one row per tower.

    Scores are averaged over folds and seeds, at the run's least quality.

    Parameters
    ----------
    site_skill
        ``tables/site_skill.csv`` with site, fold and seed as text; None = the run has none.
    place
        Where it is judged (`dere.opening.skill.PLACES`).
    facts
        Says which method is shown.
    fluxes
        Fluxes in their order.
    """
    columns = ["site", "igbp", "koppen", "months", *(f"{score}_{flux}" for flux in fluxes for score in ("nse", "rmse"))]
    if site_skill is None:
        return pd.DataFrame(columns=columns)
    mine = (site_skill["method"] == facts.method) & (site_skill["backbone"] == facts.backbone)
    rows = site_skill[mine & (site_skill["scale"] == "monthly") & (site_skill["rows"] == ROWS[place])]
    # the first threshold of the configuration is the main one, and the table keeps that order
    rows = rows[(rows["quality"] == rows["quality"].iloc[0]) & (rows["seed"] != "ensemble")] if len(rows) else rows
    if rows.empty:
        return pd.DataFrame(columns=columns)
    of_site = rows.groupby("site").agg(igbp=("igbp", "first"), koppen=("koppen", "first"), months=("months", "max"))
    means = rows.groupby(["site", "flux"])[["nse", "rmse"]].mean()
    for flux in fluxes:
        if flux in means.index.get_level_values("flux"):
            of_site = of_site.join(means.xs(flux, level="flux").add_suffix(f"_{flux}"))
    return of_site.reset_index().reindex(columns=columns)


def placed(table: pd.DataFrame, roles: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows of `towers` with ``lat`` and ``lon``; those whose place is unknown are left out.

    Parameters
    ----------
    table
        Result of `towers`.
    roles
        ``tables/roles.csv`` with its ids as text; None = no place is known.
    """
    if roles is None:
        return table.assign(lat=pd.Series(dtype=float), lon=pd.Series(dtype=float)).iloc[:0]
    sites = roles[roles["kind"] == "site"].set_index("id")[["lat", "lon"]]
    return table.join(sites[~sites.index.duplicated()], on="site").dropna(subset=["lat", "lon"])
