"""What became of sites of one's own: one row each, and sentences on what a reader should know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from dere.harmonise.site_roles import COORDINATE
from dere.variables import SATELLITE, VARIABLES

COLUMNS = (
    "site", "lat", "lon", "igbp", "status", "reason", "known_as", "known_km", "role", "nearest_tower", "nearest_km",
    "first_month", "last_month", "months", "months_filled", "satellite_months", "cover_source", "extrapolation_index",
    "outside",
)  # fmt: skip
PREDICTED, STORED, NOT_PREDICTED = "predicted", "stored", "not predicted"
NEAR_KM = 50.0
"""A tower that models learned from within this distance is worth a word."""
FAR = 0.95
"""A mean extrapolation index from which on a site is far from what the models know."""


class Part(NamedTuple):
    """Predictions of some sites; with the canonical sites that they were made of where they are new ones.

    ``predicted`` has ``prediction``, ``record`` and ``extrapolation_index``.
    """

    predicted: xr.Dataset
    towers: xr.Dataset | None = None


def site_rows(given: xr.Dataset, about: pd.DataFrame, parts: Sequence[Part], lost: Mapping[str, str]) -> pd.DataFrame:
    """Make the table of sites.

    Parameters
    ----------
    given
        Interim sites: ``lat``, ``lon``, ``igbp``, ``in_record``.
    about
        From `dere.api.known.compared`.
    parts
        Predictions.
    lost
        Site to the sentence that says why it is not predicted.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``, sites in alphabetical order.
    """
    rows = []
    here = [str(site) for site in given["site"].values]
    for site in sorted({*here, *lost}):
        row: dict[str, Any] = dict.fromkeys(COLUMNS, np.nan) | dict.fromkeys(
            ("igbp", "known_as", "role", "nearest_tower", "first_month", "last_month", "cover_source", "outside"), ""
        )
        row |= {"site": site, "status": NOT_PREDICTED, "reason": lost.get(site, "")}
        if site in here:
            one = given.sel(site=site)
            row |= {name: float(one[name]) for name in ("lat", "lon")} | {"igbp": str(one["igbp"].item())}
            row |= {str(name): value for name, value in about.loc[site].items()}
        for part in parts:
            if site in part.predicted["site"].values:
                row |= _of_part(site, part, given)
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _of_part(site: str, part: Part, given: xr.Dataset) -> dict[str, object]:
    """Columns of a site that has a prediction."""
    one = part.predicted.sel(site=site)
    record = one["record"].values.astype(bool)
    months = one["time"].values[record].astype("datetime64[M]")
    found: dict[str, object] = {
        "status": PREDICTED,
        "reason": "",
        "role": str(one[COORDINATE].item()) if COORDINATE in one.coords else "unseen",
        "first_month": str(months[0]),
        "last_month": str(months[-1]),
        "months": len(months),
    }
    if part.towers is None:
        own = given.sel(site=site)
        asked = own["time"].values[own["in_record"].values.astype(bool)].astype("datetime64[M]")
        beyond = int((~np.isin(asked, months)).sum())
        more = f"; {beyond} months of its file are beyond the record of the run and have none" if beyond else ""
        return found | {
            "status": STORED,
            "reason": f"its stored prediction, by models that had not seen it{more}",
        }
    tower = part.towers.sel(site=site)
    found["igbp"] = str(tower["igbp"].item())
    found["months_filled"] = int((tower["driver_filled"].values.astype(bool) & tower["record"].values).sum())
    found["cover_source"] = str(tower["cover_source"].item())
    if f"{SATELLITE[0]}_mask" in tower:
        seen = np.any([tower[f"{name}_mask"].values > 0 for name in SATELLITE], axis=0)
        found["satellite_months"] = int((seen & tower["record"].values).sum())
    found["extrapolation_index"] = float(np.nanmean(one["extrapolation_index"].values))
    return found


def outside_range(towers: xr.Dataset, known: xr.Dataset) -> dict[str, list[str]]:
    """Say of each site which drivers leave the range of the months that models learned from, and how far.

    Parameters
    ----------
    towers
        Canonical sites.
    known
        ``low`` and ``high`` (driver).
    """
    found: dict[str, list[str]] = {}
    for name in known["driver"].values.astype(str):
        if name not in towers:
            continue
        low, high = float(known["low"].sel(driver=name)), float(known["high"].sel(driver=name))
        unit = VARIABLES[name].unit
        counted = towers["record"].transpose("site", "time").values.astype(bool)
        if f"{name}_mask" in towers:
            counted = counted & (towers[f"{name}_mask"].transpose("site", "time").values > 0)
        values = towers[name].transpose("site", "time").values.astype(float)
        for row, site in enumerate(towers["site"].values.astype(str)):
            own = values[row][counted[row]]
            for beyond, edge, word in ((low - own, low, "below"), (own - high, high, "above")):
                # a float32 of the file may differ from the edge by its rounding
                outside = beyond > 1e-5 * max(1.0, abs(edge))
                if outside.any():
                    text = (
                        f"{name} is {word} {edge:.4g} {unit} in {int(outside.sum())} months, by up to "
                        f"{beyond.max():.3g}"
                    )
                    found.setdefault(site, []).append(text)
    return found


def warnings_of(rows: pd.DataFrame, parts: Sequence[Part], known: xr.Dataset) -> tuple[str, ...]:
    """Sentences on sites that are known, near to a tower, far from all, or without a satellite; ``outside`` is filled.

    Parameters
    ----------
    rows
        From `site_rows`; its column ``outside`` is filled here.
    parts
        Predictions.
    known
        ``models/known_sites.nc``.
    """
    outside: dict[str, list[str]] = {}
    for part in parts:
        if part.towers is not None:
            outside |= outside_range(part.towers, known)
    rows["outside"] = [";".join(outside.get(site, [])).replace(";", "; ") for site in rows["site"]]
    learned = known["learned_months"].values > 0
    classes = set(known["igbp"].values[learned].astype(str))
    said = []
    for row in sorted(rows.to_dict("records"), key=lambda row: row["status"] != NOT_PREDICTED):
        site = row["site"]
        if row["status"] == NOT_PREDICTED:
            said.append(f"{site} is not predicted: {row['reason']}")
            continue
        if row["status"] == STORED:
            said.append(f"{site} is {row['known_as']} of the run, {row['known_km']:.1f} km away: {row['reason']}")
            continue
        if row["nearest_km"] <= NEAR_KM:
            said.append(
                f"{site} lies {row['nearest_km']:.0f} km from {row['nearest_tower']}, which the models have learned "
                "from: cross-validation says nothing about it, and its intervals may be too wide"
            )
        if row["igbp"] not in classes:
            said.append(
                f"{site} is of class {row['igbp'] or 'unknown'}, of which the models have learned from no tower"
            )
        if row["satellite_months"] == 0:
            said.append(f"{site} has no month of LAI or EVI: its channels are the mean annual cycle of its class")
        if outside.get(site):
            said.append(f"{site} leaves the range of the months learned from: {row['outside']}")
        if row["extrapolation_index"] >= FAR:
            said.append(
                f"{site} is far from all towers in its drivers (extrapolation index {row['extrapolation_index']:.2f})"
            )
    return tuple(said)
