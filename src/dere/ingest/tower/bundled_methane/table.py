"""The table of methane towers that comes with the package: months, made from days when the table was made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from dere.config.towers import TowerSource
from dere.ingest.archives import label
from dere.ingest.tables import month_numbers, numeric, read_table, require_columns
from dere.ingest.tower.bundled_methane import COLUMNS, PRODUCT
from dere.ingest.tower.bundled_methane.wetlands import WETLANDS
from dere.ingest.tower.canonical import canonical
from dere.ingest.tower.faults import SiteFault, each_site
from dere.ingest.tower.partial_record import Origin, partial_record
from dere.ingest.tower.record import SiteRecord
from dere.variables import WETLAND_CLASSES

ABOUT = ("Site", "Lat", "Lon", "PFT")
"""Columns that say the same in every row of a site."""
PROCESSING = "FLUXNET-CH4 months of days"


def parse(table: pd.DataFrame, source: str, config: TowerSource) -> list[SiteRecord | SiteFault]:
    """Turn the table into one record per site, in the order of their ids; a site that cannot be read is a fault.

    Raises
    ------
    ValueError
        Missing columns, or no site that can be read.
    """
    require_columns(table, ABOUT, source)
    by_site = {str(site): rows.reset_index(drop=True) for site, rows in table.groupby("Site", sort=True)}
    origin = Origin(PRODUCT, PROCESSING, "fluxnet-ch4", source)

    def read(site: str) -> list[SiteRecord]:
        rows, where = by_site[site], f"{source}: site {site}"
        months = month_numbers(rows, where)
        counts: dict[str, int] = {}
        values = canonical(rows, COLUMNS, where, counts)
        if site in WETLANDS:
            values["wetland_class"] = np.full(len(months), 1.0 + WETLAND_CLASSES.index(WETLANDS[site].wetland))
        place = float(numeric(rows, "Lat", where)[0]), float(numeric(rows, "Lon", where)[0]), str(rows["PFT"].iloc[0])
        return [partial_record(site, months, values, origin, place, counts, config)]

    return each_site(by_site, read)


def read_bundled_methane(path: Path, config: TowerSource) -> list[SiteRecord | SiteFault]:
    """Read the table (see :func:`parse`).

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is damaged, and as :func:`parse`.
    """
    wanted = {"TIMESTAMP", *ABOUT, *(column.name for column in COLUMNS)}
    return parse(read_table(path, wanted), label(path), config)
