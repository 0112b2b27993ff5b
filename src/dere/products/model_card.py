"""The model card of a trained bundle, from its tables: what it learned from, how good it is, where not to use it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dere.config.reference_rows import REFERENCE
from dere.exchange.co2 import EXCHANGE as CO2

TROPIC = 23.44
"""Degrees of latitude."""
LEAST_SITES = 3
"""Towers below which a class has no row."""
SCALES = {
    "monthly": "months",
    "seasonal_cycle": "mean seasonal cycle",
    "anomaly": "departures from it",
    "interannual": "years at a tower",
    "site_mean": "means over towers",
}


def model_card(
    about: Mapping[str, Any], tree: Mapping[str, Any], known: xr.Dataset, tables: Mapping[str, pd.DataFrame]
) -> str:
    """Write the card as Markdown.

    Parameters
    ----------
    about
        ``name``, ``method``, ``parts``, ``backbone``, ``code_version``, ``change``.
    tree
        Complete configuration of the run.
    known
        ``models/known_sites.nc``.
    tables
        ``skill``, ``calibration``, ``citations``, ``provenance``, rows over all folds and seeds.
    """
    names = [about["method"], *about["parts"]]
    parts = [
        f"# The trained bundle {about['name']}",
        _what(about, tree),
        "## What it has learned from",
        _learned(known, tables["provenance"]),
        "## Skill at towers that it had not seen",
        f"Cross-validation over {tree['splits']['folds']} folds of clusters of towers, by models fitted the same way "
        "without the towers of the fold: monthly NSE, median over towers [quartiles], and RMSE in gC m-2 d-1. "
        "References read months of the tower itself and are scored on fewer (docs/tables.md).",
        _methods(tables["skill"], names),
        f"The same for `{about['method']}` by scale: median NSE and RMSE over towers.",
        _scales(tables["skill"], about["method"]),
        f"`{about['method']}` by class (IGBP) of at least {LEAST_SITES} towers: monthly median NSE.",
        _classes(tables["skill"], about["method"]),
        "## Intervals",
        "Share of the labels at unseen towers, months and means of calendar years, that lie in central intervals.",
        _coverage(tables["calibration"], about["method"]),
        "## Where not to use it",
        _limits(known, tables["skill"], about["method"]),
        "## Files",
        _files(about),
        "## Whose data",
        _citations(tables["citations"]),
    ]
    return "\n\n".join(parts) + "\n"


def _what(about: Mapping[str, Any], tree: Mapping[str, Any]) -> str:
    of = f", the mean of {', '.join(f'`{name}`' for name in about['parts'])}" if about["parts"] else ""
    return (
        f"Monthly GPP, RECO and NEE of sites by `{about['method']}`{of} ({tree['members']} members, network "
        f"`{about['backbone']}`), fitted once on all towers below: `dere predict --trained {about['name']} SITES --out "
        "DIR` (docs/command-line.md). A site of these towers, by its code or within "
        "1 km, gets its stored prediction by models that had not seen it. This page is written by `dere pack` from the "
        f"tables of the run (dere {about['code_version']})."
    )


def _learned(known: xr.Dataset, provenance: pd.DataFrame) -> str:
    learned = _of_learned(known)
    lat, clusters = learned["lat"].values, np.unique(learned["cluster"].values.astype(str))
    classes = pd.Series(learned["igbp"].values.astype(str)).value_counts()
    own = provenance[provenance["source"] == "towers"]
    first, last = own["first_month"].dropna().astype(str).min(), own["last_month"].dropna().astype(str).max()
    seen = int(learned["has_satellite"].sum()) if "has_satellite" in learned else 0
    months = int(learned["learned_months"].sum())
    sentences = [
        f"{learned.sizes['site']} towers in {len(clusters)} clusters, {months} months with a label, "
        f"within {first} to {last}; drivers `{known.attrs['driver_set']}`, satellite channels at {seen} towers.",
        f"{int((np.abs(lat) < TROPIC).sum())} of them lie in the tropics, {int((lat < 0).sum())} south of the equator.",
        "Classes: " + ", ".join(f"{name or 'none stated'} {count}" for name, count in classes.items()) + ".",
    ]
    return "\n".join(sentences)


def _methods(skill: pd.DataFrame, names: Sequence[str]) -> str:
    chosen = _whole(skill, "monthly")
    others = [name for name in chosen["method"].unique() if name not in names]
    order = [*names, *sorted(others, key=lambda name: (name.startswith(REFERENCE), name))]
    rows = []
    for name in order:
        of_method = chosen[chosen["method"] == name].set_index(["flux", "statistic"])
        if of_method.empty:
            continue
        cells = [
            f"{name.removeprefix(REFERENCE).replace('_', ' ')} (reference)"
            if name.startswith(REFERENCE)
            else f"`{name}`"
        ]
        for flux in CO2.names:
            median, low, high = (of_method.loc[(flux, statistic), "nse"] for statistic in ("median", "q25", "q75"))
            cells += [f"{median:.2f} [{low:.2f}, {high:.2f}]", f"{of_method.loc[(flux, 'median'), 'rmse']:.2f}"]
        rows.append(cells)
    return _table(["method", *(word for flux in CO2.names for word in (f"{flux.upper()} NSE", "RMSE"))], rows)


def _scales(skill: pd.DataFrame, method: str) -> str:
    rows = []
    for scale, label in SCALES.items():
        found = _whole(skill, scale).query("method == @method and statistic == 'median'").set_index("flux")
        if len(found):
            rows.append([label, *(word for flux in CO2.names for word in _two(found.loc[flux]))])
    return _table(["scale", *(word for flux in CO2.names for word in (f"{flux.upper()} NSE", "RMSE"))], rows)


def _classes(skill: pd.DataFrame, method: str) -> str:
    rows = [
        [str(group), str(int(of_group["sites"].max())), *(_of_flux(of_group, flux) for flux in CO2.names)]
        for group, of_group in _by_class(skill, method).groupby("group")
    ]
    return _table(["class", "towers", *(flux.upper() for flux in CO2.names)], rows)


def _by_class(skill: pd.DataFrame, method: str) -> pd.DataFrame:
    chosen = skill[(skill["scale"] == "monthly") & (skill["grouping"] == "igbp") & (skill["statistic"] == "median")]
    return chosen[(chosen["method"] == method) & (chosen["sites"] >= LEAST_SITES)]


def _worse_than_mean(skill: pd.DataFrame, method: str) -> str:
    """Classes and fluxes whose median NSE is negative: the mean of the tower itself would err less."""
    chosen = _by_class(skill, method).query("nse < 0")
    found = [f"{group} ({', '.join(rows['flux'].str.upper())})" for group, rows in chosen.groupby("group")]
    return ", ".join(found) or "no class of the table"


def _of_flux(table: pd.DataFrame, flux: str) -> str:
    found = table.loc[table["flux"] == flux, "nse"]
    return f"{found.iloc[0]:.2f}" if len(found) else ""


def _coverage(calibration: pd.DataFrame, method: str) -> str:
    whole = (calibration["grouping"] == "all") & (calibration["part"] == "all")
    chosen = calibration[whole & (calibration["method"] == method)]
    shares = [name for name in chosen.columns if re.fullmatch(r"coverage_\d+", name)]
    rows = [
        [row["flux"].upper(), str(row["scale"]), *(_share(row[name]) for name in shares)]
        for row in chosen.to_dict("records")
    ]
    return _table(["flux", "scale", *(f"{name.rpartition('_')[2]} %" for name in shares)], rows)


def _limits(known: xr.Dataset, skill: pd.DataFrame, method: str) -> str:
    learned = _of_learned(known)
    lat = learned["lat"].values
    tropical = int((np.abs(lat) < TROPIC).sum())
    worst = _whole(skill, "monthly").query("method == @method and statistic == 'q25'").set_index("flux")["nse"]
    has = learned["has_satellite"].values if "has_satellite" in learned else np.zeros(len(lat), bool)
    below = ", ".join(f"{worst[flux]:.2f} ({flux.upper()})" for flux in CO2.names)
    return "\n".join(
        [
            "- **Raw reanalysis as drivers.** It learned from drivers measured at the towers or debiased by what was",
            "  measured there. What a coarse grid says of a site differs; the skill with it was not measured.",
            f"- **Tropics, deserts, classes of few towers.** {tropical} of {len(lat)} towers are tropical. A class or",
            "  climate that is left out as a whole is predicted poorly (docs/results.md): heed `extrapolation_index`.",
            f"  The median NSE at unseen towers is below 0 in {_worse_than_mean(skill, method)}.",
            f"- **One tower.** A median says little of it: at a quarter of the towers NSE is below {below}.",
            "- **Short records.** Fewer than 12 months of drivers are refused: months before and the climate of the",
            "  site are part of what it reads.",
            "- **Harvest, fire, insects, irrigation, drained peat.** Of the drivers only LAI and EVI may show them.",
            "- **Differences between years and trends.** The rows of years and of departures above say how far they",
            "  are predicted.",
            f"- **Sites without LAI and EVI.** Towers that lacked them: {int((~has).sum())}.",
        ]
    )


def _files(about: Mapping[str, Any]) -> str:
    change = about["change"]
    return (
        "`bundle.json` has the checksum of every file, and whatever opens the bundle compares it. Numbers are in half "
        "and single precision, trees without their statistics: this changes predictions by at most "
        f"{change['largest']:.1g} gC m-2 d-1, and by {change['share_of_spread']:.1g} of their standard deviation. "
        "Stored predictions are rounded to 0.0005 gC m-2 d-1 and close exactly."
    )


def _citations(citations: pd.DataFrame) -> str:
    whole = citations.sort_values("sites", ascending=False).iloc[0]
    return (
        f"{whole['product']} ({whole['licence']}): {whole['citation']}. The citation of every site stands in "
        "`tables/citations.csv` of the bundle: who uses its predictions cites them."
    )


def _of_learned(known: xr.Dataset) -> xr.Dataset:
    return known.isel(site=np.flatnonzero((known["learned_months"].values > 0) & (known["fold"].values >= 0)))


def _whole(skill: pd.DataFrame, scale: str) -> pd.DataFrame:
    return skill[(skill["scale"] == scale) & (skill["grouping"] == "all")]


def _two(row: Any) -> list[str]:
    return ["" if pd.isna(row[name]) else f"{row[name]:.2f}" for name in ("nse", "rmse")]


def _share(value: Any) -> str:
    return "" if pd.isna(value) else f"{100 * float(value):.0f} %"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *rows)]
    return "\n".join(lines)
