"""Make the packaged tables of methane towers again from the daily files of FLUXNET-CH4.

``python -m dere.ingest.tower.bundled_methane.compilation ORIGINALS FOLDER``, where ORIGINALS holds
``FLX_{SITE}_FLUXNET-CH4_DD_*.csv`` (or ``.csv.gz``) of the sites of ``wetlands``. Months are those of the package's
reader of these files; what is repaired stands in ``REPAIRED``.
"""

from __future__ import annotations

import gzip
import re
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.towers import TowerSource
from dere.ingest.months import days_in_month
from dere.ingest.tables import read_bytes, read_table
from dere.ingest.tower.bundled_methane import COLUMNS, METHANE, SITES, TABLE
from dere.ingest.tower.bundled_methane.wetlands import IGBP, WETLANDS
from dere.ingest.tower.canonical import canonical
from dere.ingest.tower.fluxnet_ch4 import COLUMNS as DAILY
from dere.ingest.tower.fluxnet_ch4 import NAME
from dere.ingest.tower.fluxnet_ch4.table import read_fluxnet_ch4
from dere.ingest.tower.partial_record import monthly_columns
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.steps import parse_steps
from dere.io import write_atomically
from dere.variables import FLUX_UNIT, VARIABLES, convert

REPAIRED = {("FI-Lom", "P_F"): 0.1}
"""Columns that are wrong by a factor, and what puts them right: 5485 mm a year against 533 in FLUXNET2015."""
DIGITS = "%.6g"
PAGE = "https://fluxnet.org/data/fluxnet-ch4-community-product/"
"""Page of the product with its site list; the daily files state no DOI of a site."""


def monthly_rows(path: Path, config: TowerSource) -> tuple[str, pd.DataFrame]:
    """Site and months of one daily file.

    Raises
    ------
    FileNotFoundError, ValueError
        When the file is missing, damaged, of another layout or of an unlisted site.
    """
    parts = re.fullmatch(NAME, path.name)
    if parts is None or parts["site"] not in WETLANDS or parts["step"] != "DD":
        raise ValueError(
            f"{path.name} is no daily file of a listed site ({', '.join(WETLANDS)}); leave it out, or add the site to "
            "dere.ingest.tower.bundled_methane.wetlands"
        )
    site = parts["site"]
    (record,) = read_fluxnet_ch4(path, config)
    assert isinstance(record, SiteRecord)
    values = dict(record.values)
    for (of_site, repaired), factor in REPAIRED.items():
        if of_site == site:
            values |= _repaired(path, repaired, factor, record.months, config)
    wetland = WETLANDS[site]
    rows = pd.DataFrame({"Site": site, "TIMESTAMP": record.months // 12 * 100 + record.months % 12 + 1})
    rows["Lat"], rows["Lon"], rows["PFT"], rows["Climate"] = wetland.lat, wetland.lon, IGBP, wetland.koppen
    for column in COLUMNS:
        kind = METHANE.variable
        unit = FLUX_UNIT if column.variable == kind else column.unit
        rows[column.name] = convert(values[column.variable], unit, column.unit)
        if column.name == METHANE.name:
            days = days_in_month(int(record.months[0]), len(record.months))
            rows["FCH4_DAYS"] = np.rint(values[f"{kind}_quality"] * days).astype(int)
    return site, rows


def _repaired(
    path: Path, name: str, factor: float, months: NDArray[np.int64], config: TowerSource
) -> dict[str, NDArray[np.float64]]:
    """Months of a column that the reader leaves out, put right by a factor."""
    table = read_table(path, {"TIMESTAMP", name})
    (column,) = (column for column in DAILY if column.name == name)
    found = canonical(table, (column,), path.name)[column.variable] * factor
    all_months, means = monthly_columns(
        parse_steps(table, "DD", path.name), {column.variable: found}, config.minimum_coverage
    )
    assert VARIABLES[column.variable].unit == "mm d-1"
    return {column.variable: means[column.variable][np.isin(all_months, months)]}


def compiled(originals: Path) -> tuple[bytes, bytes]:
    """Return the table of months and that of sites, as text.

    Raises
    ------
    FileNotFoundError, ValueError
        When a file is missing, damaged or of another layout.
    """
    config = TowerSource()
    tables, sites = [], []
    for path in sorted(originals.glob("FLX_*_FLUXNET-CH4_DD_*.csv*"), key=lambda path: path.name):
        site, rows = monthly_rows(path, config)
        wetland = WETLANDS[site]
        tables.append(rows)
        sites.append(
            {
                "site_id": site,
                "lat": wetland.lat,
                "lon": wetland.lon,
                "igbp": IGBP,
                "koppen": wetland.koppen,
                "wetland": wetland.wetland,
                "cluster": wetland.cluster,
                "doi": "",
                "citation": f"FLUXNET-CH4 site {site}, with the DOI that the site list of the product gives it, {PAGE}",
                "source_file": path.name.removesuffix(".gz"),
                "source_sha256": sha256(read_bytes(path)).hexdigest(),
            }
        )
    if not tables:
        raise FileNotFoundError(
            f"{originals} holds no FLX_*_FLUXNET-CH4_DD_*.csv, but the daily files are needed; name their folder"
        )
    return _text(pd.concat(tables)), _text(pd.DataFrame(sites), floats="%.4f")


def write(originals: Path, folder: Path) -> None:
    """Write both tables into ``folder``; the same originals give the same text."""
    months, sites = compiled(originals)
    packed = gzip.compress(months, 9, mtime=0)
    write_atomically(folder / TABLE, lambda temporary: temporary.write_bytes(packed))
    write_atomically(folder / SITES, lambda temporary: temporary.write_bytes(sites))


def _text(table: pd.DataFrame, floats: str = DIGITS) -> bytes:
    return table.to_csv(index=False, lineterminator="\n", float_format=floats).encode()


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
