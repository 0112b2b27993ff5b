"""What the page knows of each tower: its place and classes, its scores, its neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dere.harmonise.site_roles import CROSS_VALIDATED
from dere.opening.where import ROWS

TOWER, VIRTUAL = "tower", "virtual"
SCORES = ("nse", "rmse", "bias")
SITE_SKILL = (
    *("site", "method", "backbone", "fold", "seed", "flux", "scale", "rows", "quality"),
    *SCORES,
)
SITES = ("site", "role", "why")
NEIGHBOURS = ("method", "backbone", "fold", "seed", "site", "role", "source", "neighbour", "distance_km", "weight")


def chosen(towers: xr.Dataset, sites: pd.DataFrame, site_skill: pd.DataFrame, scored: set[str]) -> list[str]:
    """Return the sites that the page has: those that test, then others with labels, then those without, by name.

    Virtual towers, which only the truth of the built-in world judges, are left out unless there are no others.

    Parameters
    ----------
    towers
        Canonical towers: ``kind(site)``.
    sites
        ``tables/sites.csv``.
    site_skill
        ``tables/site_skill.csv``.
    scored
        Sites with scores that count.
    """
    kinds = dict(zip(towers["site"].values.astype(str), towers["kind"].values.astype(str), strict=True))
    virtual = set(site_skill.loc[site_skill["rows"] == ROWS[VIRTUAL], "site"])
    there = [site for site in kinds if site not in virtual] or list(kinds)
    role = dict(zip(sites["site"], sites["role"], strict=True))
    return sorted(
        there, key=lambda site: (site not in scored, role.get(site) != CROSS_VALIDATED, kinds[site] != TOWER, site)
    )


def described(names: Sequence[str], towers: xr.Dataset, sites: pd.DataFrame) -> list[dict[str, Any]]:
    """Return id, lat, lon, igbp, koppen, role and why of each site; a position that is unknown is None."""
    own = towers.sel(site=list(names))
    known = {name: own[name].values for name in ("lat", "lon", "igbp", "koppen")}
    rows = sites.set_index("site")
    found = []
    for place, name in enumerate(names):
        lat, lon = (float(known[axis][place]) for axis in ("lat", "lon"))
        role, why = (str(rows.at[name, column]) if name in rows.index else "" for column in ("role", "why"))
        found.append(
            {
                "id": name,
                "lat": round(lat, 4) if np.isfinite(lat) else None,
                "lon": round(lon, 4) if np.isfinite(lon) else None,
                **{column: str(known[column][place]) for column in ("igbp", "koppen")},
                "role": role.replace("_", " "),
                "why": why,
            }
        )
    return found


def scored_rows(site_skill: pd.DataFrame, place: str) -> pd.DataFrame:
    """Return the monthly scores that count: where the run is judged, at its least quality, of single folds and seeds.

    Parameters
    ----------
    site_skill
        ``tables/site_skill.csv`` with site, fold and seed as text.
    place
        Where it is judged (`dere.opening.skill.PLACES`).
    """
    rows = site_skill[(site_skill["scale"] == "monthly") & (site_skill["rows"] == ROWS[place])]
    # the first threshold of the configuration is the main one, and the table keeps that order
    return rows[(rows["quality"] == rows["quality"].iloc[0]) & (rows["seed"] != "ensemble")] if len(rows) else rows


def scores(rows: pd.DataFrame, names: Sequence[str], members: Sequence[str], fluxes: Sequence[str]) -> dict[str, Any]:
    """Return ``method/backbone`` to flux to score to one number per site, None where there is none.

    Parameters
    ----------
    rows
        Result of `scored_rows`; folds and seeds of a site are averaged.
    names
        Sites.
    members
        ``method/backbone``.
    fluxes
        Fluxes.
    """
    member = rows["method"].astype(str) + "/" + rows["backbone"].astype(str)
    means = rows.assign(member=member).groupby(["member", "flux", "site"])[list(SCORES)].mean()
    return {
        name: {flux: {score: _listed(means, (name, flux), score, names) for score in SCORES} for flux in fluxes}
        for name in members
    }


def _listed(means: pd.DataFrame, of: tuple[str, str], score: str, names: Sequence[str]) -> list[float | None]:
    """Return a score of each site with four decimals."""
    values = means[score].reindex([(*of, name) for name in names]).to_numpy()
    return [round(float(value), 4) if np.isfinite(value) else None for value in values]


def neighbours(table: pd.DataFrame | None, names: Sequence[str]) -> Mapping[str, list[list[Any]]]:
    """Return site to rows of method, role, source, neighbour, distance (km) and weight, of its first fold and seed.

    Parameters
    ----------
    table
        ``tables/neighbours.csv`` with its names as text; None = the run has none.
    names
        Sites of the page.
    """
    if table is None:
        return {}
    own = table[table["site"].isin(set(names))]
    keys = ["site", "method", "backbone"]
    first = own.drop_duplicates(keys)[[*keys, "fold", "seed"]]
    own = own.merge(first, on=[*keys, "fold", "seed"], sort=False)
    columns = ["method", "role", "source", "neighbour", "distance_km", "weight"]
    return {
        str(site): [
            [*map(str, row[:4]), *(None if value != value else float(value) for value in row[4:])]
            for row in part[columns].itertuples(index=False, name=None)
        ]
        for site, part in own.groupby("site", sort=False)
    }
