"""Six North American forests: one csv of daily NEE, GPP and RECO (gC m-2 d-1) at three friction-velocity thresholds.

REddyProc processing, RECO = NEE + GPP exactly; site ids have a dot. Night-time partitioning; the median threshold U50
is taken. Quality is not stated, so its months never train.
"""

from __future__ import annotations

import re

import pandas as pd

from dere.config.towers import TowerSource
from dere.ingest.archives import TableFile, label
from dere.ingest.tables import numeric, read_table, require_columns
from dere.ingest.tower.daily_fluxes import daily_record
from dere.ingest.tower.faults import SiteFault, each_site
from dere.ingest.tower.partial_record import Origin
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.six_forests import COLUMNS, PRODUCT
from dere.ingest.tower.stamps import steps_of, year_day_times

_SITE_WITH_DOT = re.compile(r"[A-Z]{2}[.-][A-Za-z0-9]{3}")


def parse_six_forests(table: pd.DataFrame, source: str, config: TowerSource) -> list[SiteRecord | SiteFault]:
    """One record per site of the six-forests table; a site whose values fail a check is a fault.

    Raises
    ------
    ValueError
        Missing columns, a site without two letters and three characters; and where every site has one of these: a day
        that the year does not have, disordered or doubled days, text in a number column, a unit that cannot be right.
    """
    require_columns(table, ["site", "year", "doy", *(column.name for column in COLUMNS)], source)
    by_name = {str(site): rows.reset_index(drop=True) for site, rows in table.groupby("site", sort=True)}
    for name in by_name:
        if not _SITE_WITH_DOT.fullmatch(name):
            raise ValueError(f"{source} has site '{name:.40}', but ids like US.Bar are expected; correct the column")
    origin = Origin(PRODUCT, "six forests, REddyProc U50", "six-forests", source)

    def read(site: str) -> list[SiteRecord]:
        name = next(name for name in by_name if name.replace(".", "-") == site)
        where = f"{source} site {name}"
        rows = by_name[name]
        times = year_day_times(numeric(rows, "year", where), numeric(rows, "doy", where), where, "doy")
        return daily_record(site, steps_of(times, 1, where, "doy"), rows, COLUMNS, origin, config, {})

    return each_site([name.replace(".", "-") for name in by_name], read)


def read_six_forests(file: TableFile, config: TowerSource) -> list[SiteRecord | SiteFault]:
    """Read the six-forests table (see :func:`parse_six_forests`)."""
    return parse_six_forests(read_table(file), label(file), config)
