"""The 44-column monthly extract of FLUXNET2015 with MODIS LAI and EVI (docs/data.md#known-traps).

Within each calendar year LAI and EVI stand in the text order of the months (rows 1 to 12 hold months 1, 10, 11, 12, 2,
..., 9) and are put back; what ``site`` does with the rest holds for every file of the compilation.
"""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from dere.config.towers import TowerSource
from dere.ingest.tables import read_table
from dere.ingest.tower.fluxnet_extract import COLUMNS, NAME, PRODUCT
from dere.ingest.tower.fluxnet_extract.site import ABOUT_SITE, parse_site
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.site_ids import resolved
from dere.variables import SATELLITE

log = logging.getLogger(__name__)

# position in the file's year -> calendar month (from 0) that the value there belongs to
TEXT_ORDER = np.array(sorted(range(1, 13), key=str)) - 1


def restore_months(values: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Move values from the text order of the months to the calendar's.

    Parameters
    ----------
    values
        One value per row, shape (month,).
    months
        Month numbers of the rows.

    Returns
    -------
    np.ndarray
        Values in calendar order; NaN in years that are not complete, where the order cannot be known.
    """
    restored = np.full(len(values), np.nan)
    years = months // 12
    for year in np.unique(years):
        rows = np.flatnonzero(years == year)
        if len(rows) == 12:
            restored[rows[TEXT_ORDER]] = values[rows]
    return restored


def parse(table: pd.DataFrame, source: str) -> SiteRecord:
    """Turn a table of the extract into a record.

    Raises
    ------
    ValueError
        As :func:`dere.ingest.tower.fluxnet_extract.site.parse_site`.
    """
    record = parse_site(table, source, COLUMNS, PRODUCT)
    values, counts = dict(record.values), dict(record.counts)
    for name, satellite in ((column.variable, column.name) for column in COLUMNS if column.variable in SATELLITE):
        values[name] = restore_months(values[name], record.months)
        stored, counts[f"{name}_months"] = counts[f"{name}_months"], int(np.isfinite(values[name]).sum())
        if lost := stored - counts[f"{name}_months"]:
            log.warning(
                "%s: %d values of %s stand in years without twelve rows, where their months are not known; dropped",
                source,
                lost,
                satellite,
            )
    return replace(record, values=values, counts=counts)


def read_extract(path: Path) -> SiteRecord:
    """Read one file of the extract.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When its content fails a check, or its site is not that of its name.
    """
    path = Path(path)
    wanted = {"TIMESTAMP", *ABOUT_SITE, *(column.name for column in COLUMNS)}
    record = parse(read_table(path, wanted), path.name)
    match = re.fullmatch(NAME, path.name)
    named = resolved(match["site"]) if match else record.site
    if named != record.site:
        raise ValueError(
            f"{path.name}: column Site says {record.site}, but the file is named after {named}; rename the file or "
            "correct the column"
        )
    return record


def read_extracts(path: Path, config: TowerSource) -> list[SiteRecord]:
    """Read one file of the extract, whatever the configuration (see :func:`read_extract`)."""
    return [read_extract(path)]
