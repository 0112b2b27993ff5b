"""The table of FLUXNET2015 towers that comes with the package; its months stand where the calendar has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from dere.config.towers import TowerSource
from dere.ingest.archives import label
from dere.ingest.tables import read_table, require_columns
from dere.ingest.tower.bundled import COLUMNS, PRODUCT
from dere.ingest.tower.faults import SiteFault, each_site
from dere.ingest.tower.fluxnet_extract.site import ABOUT_SITE, parse_site
from dere.ingest.tower.record import SiteRecord


def parse(table: pd.DataFrame, source: str) -> list[SiteRecord | SiteFault]:
    """Turn the table into one record per site, in the order of their ids; a site that cannot be read is a fault.

    Raises
    ------
    ValueError
        No column Site, or no site that can be read.
    """
    require_columns(table, ("Site",), source)
    by_site = {str(site): rows.reset_index(drop=True) for site, rows in table.groupby("Site", sort=True)}

    def read(site: str) -> list[SiteRecord]:
        record = parse_site(by_site[site], f"{source}: site {site}", COLUMNS, PRODUCT)
        return [replace(record, source=source)]

    return each_site(by_site, read)


def read_bundled(path: Path, config: TowerSource) -> list[SiteRecord | SiteFault]:
    """Read the table, whatever the configuration (see :func:`parse`).

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is damaged, and as :func:`parse`.
    """
    wanted = {"TIMESTAMP", *ABOUT_SITE, *(column.name for column in COLUMNS)}
    return parse(read_table(path, wanted), label(path))
