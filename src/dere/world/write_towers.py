"""Tower files as FLUXNET2015 FULLSET monthly csv, with BIF metadata (Pastorello and others 2020).

The last columns are none of that product: LAI and EVI, named as in the monthly extract of it that has them, and FCH4
with its quality, named as in the package's months of FLUXNET-CH4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.io import write_atomically, write_table
from dere.world.climate import Climate
from dere.world.file_names import BIF_NAME, file_name
from dere.world.tower_network import Sites

Array = NDArray[np.float64]

MISSING = -9999.0
GREENNESS = {"lai_satellite": "LAI", "evi_satellite": "EVI"}
"""Satellite channels and their columns, which end each file."""


def site_columns(
    names: Sequence[str], years: int, rng: np.random.Generator, keep_all: bool = False
) -> tuple[list[str], bool]:
    """Columns of one site's file in its own order, and whether its last year lacks reanalysis.

    Parameters
    ----------
    names
        All columns without TIMESTAMP.
    years
        Length of the record; short ones have no constant u* threshold (CUT).
    rng
        Source of randomness.
    keep_all
        Drop nothing but the order (virtual towers).
    """
    blocks: dict[str, list[str]] = {}
    for name in names:
        kind = name.split("_")[0] if not name.startswith(("GPP", "RECO")) else "_".join(name.split("_")[:3])
        blocks.setdefault(kind, []).append(name)
    draws = rng.uniform(size=6)
    order = list(blocks)
    if draws[0] < 0.4:
        cut = int(rng.integers(1, len(order)))
        order = order[cut:] + order[:cut]
    chosen = [name for kind in order for name in blocks[kind]]
    if not keep_all:
        dropped = []
        if years < 3:
            dropped += [name for name in chosen if "_CUT_" in name]
        if draws[1] < 0.06:
            dropped += [name for name in chosen if "_DT_" in name]
        if draws[2] < 0.10:
            dropped += [name for name in chosen if name.startswith("CO2")]
        if draws[3] < 0.20:
            dropped += [name for name in chosen if name.startswith("LW_IN_F_MDS")]
        if draws[4] < 0.15:
            dropped += [name for name in chosen if name.startswith("TS_")]
        chosen = [name for name in chosen if name not in set(dropped)]
    return chosen, bool(draws[5] < 0.2 and years > 1 and not keep_all)


def format_table(months: NDArray[np.int64], columns: Sequence[str], values: Array) -> str:
    """Text of a csv table: (month,) YYYYMM and (month, column) values, NaN as -9999."""
    filled = np.where(np.isfinite(values), values, MISSING)
    row_format = ",".join(["%d"] + ["%.6g"] * len(columns))
    lines = [",".join(["TIMESTAMP", *columns])]
    lines += [row_format % (month, *row) for month, row in zip(months, filled.tolist(), strict=True)]
    return "\n".join(lines) + "\n"


def bif_table(sites: Sites, igbp: Sequence[str], koppen: Sequence[str], climate: Climate) -> str:
    """BADM long table, semicolon separated."""
    lines = ["SITE_ID;GROUP_ID;VARIABLE_GROUP;VARIABLE;DATAVALUE"]
    mean_t = climate.monthly["air_temperature"].mean(axis=1)
    mean_p = climate.monthly["precipitation"].mean(axis=1) * 365.25
    group = 0
    for i, site in enumerate(sites.site):
        offset = round(sites.lon[i] / 15)
        for kind, pairs in (
            ("GRP_HEADER", {"SITE_NAME": f"{'Forêt inventée' if i % 7 == 3 else 'Invented station'} {site[3:]}"}),
            ("GRP_LOCATION", {"LOCATION_LAT": f"{sites.lat[i]:.4f}", "LOCATION_LONG": f"{sites.lon[i]:.4f}",
                              "LOCATION_ELEV": f"{climate.elevation[i]:.0f}"}),
            ("GRP_IGBP", {"IGBP": igbp[i]}),
            ("GRP_UTC_OFFSET", {"UTC_OFFSET": str(offset)}),
            ("GRP_CLIM_AVG", {"MAT": f"{mean_t[i]:.2f}", "MAP": f"{mean_p[i]:.0f}", "CLIMATE_KOEPPEN": koppen[i]}),
        ):  # fmt: skip
            group += 1
            lines += [f"{site};{group};{kind};{name};{value}" for name, value in pairs.items()]
    return "\n".join(lines) + "\n"


def write_towers(
    folder: Path,
    sites: Sites,
    records: NDArray[np.int64],
    columns: dict[str, Array],
    green: dict[str, Array],
    bif: str,
    plants: pd.DataFrame,
    ages: pd.DataFrame,
    start_year: int,
    rng: np.random.Generator,
    keep_all: bool = False,
    methane: Mapping[str, Array] | None = None,
) -> int:
    """Write a folder of towers; returns the number of files.

    Parameters
    ----------
    folder
        Target folder.
    sites
        The towers.
    records
        (site, 2) first year index and number of years.
    columns
        Column name to (site, time) over the whole axis, NaN = missing.
    green
        The channels of ``GREENNESS`` over the whole axis; they neither take part in the order nor in what is absent.
    bif
        Text of the metadata table.
    plants, ages
        Tables of ``write_cover.site_tables``.
    start_year
        First year of the axis.
    rng
        Decides column order and absent columns.
    keep_all
        Drop no columns (virtual towers).
    methane
        Columns that end each file, as the satellites' do.
    """
    last = {column: green[name] for name, column in GREENNESS.items()} | dict(methane or {})
    columns = columns | last
    names = list(columns)
    stack = np.stack(list(columns.values()), axis=-1)
    position = {name: i for i, name in enumerate(names)}
    for i, site in enumerate(sites.site):
        first, count = int(records[i, 0]), int(records[i, 1])
        chosen, no_reanalysis = site_columns(names[: -len(last)], count, rng, keep_all)
        chosen += last
        values = stack[i, 12 * first : 12 * (first + count)][:, [position[name] for name in chosen]]
        if no_reanalysis:
            lost = [j for j, name in enumerate(chosen) if name.endswith("_ERA")]
            values[-12:, lost] = np.nan
        calendar = np.arange(start_year + first, start_year + first + count)
        months = (calendar[:, None] * 100 + np.arange(1, 13)).ravel()
        text = format_table(months, chosen, values)
        _write_text(folder / file_name(site, int(calendar[0]), int(calendar[-1])), text)
    _write_text(folder / BIF_NAME, bif, "latin-1")
    write_table(plants, folder / "site_plant_types.csv")
    write_table(ages, folder / "site_age_weights.csv")
    return len(sites.site) + 3


def _write_text(path: Path, text: str, encoding: str = "utf-8") -> None:
    write_atomically(path, lambda tmp: tmp.write_text(text, encoding=encoding))
