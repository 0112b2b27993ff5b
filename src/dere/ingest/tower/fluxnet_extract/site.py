"""One site of the monthly FLUXNET2015 extract, whatever file it stands in.

RECO of the compilation is NEE + GPP by construction, hence no second opinion: ``reco_nt`` stays NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dere.ingest.source import Column, Product
from dere.ingest.tables import month_numbers, numeric, require_columns
from dere.ingest.tower.record import SiteRecord, parse_columns
from dere.ingest.tower.site_ids import resolved
from dere.ingest.tower.steps import check_span
from dere.variables import SATELLITE

ABOUT_SITE = ("Site", "Lat", "Lon", "PFT", "Climate")
"""Columns that say the same in every row of a site."""
PROCESSING = "fluxnet2015 extract"


def parse_site(table: pd.DataFrame, source: str, columns: Sequence[Column], product: Product) -> SiteRecord:
    """Turn the rows of a site into a record, LAI and EVI in the rows where they stand.

    Parameters
    ----------
    table
        ``TIMESTAMP`` (YYYYMM), ``ABOUT_SITE`` and the columns to take, one row per month.
    source
        File name for messages.
    columns
        What to take.
    product
        Whose the table is.

    Raises
    ------
    ValueError
        Missing columns, more than one site, and all that :func:`dere.ingest.tower.record.parse_columns` checks.
    """
    require_columns(table, ABOUT_SITE, source)
    months = month_numbers(table, source)
    check_span(months, None, source)
    about = {}
    for column in ABOUT_SITE:
        found = table[column].dropna().unique()
        if len(found) > 1:
            raise ValueError(
                f"{source}: column {column} holds {len(found)} values ({found[0]}, {found[1]}, ...), but one file is "
                "one site; split the file by site"
            )
        about[column] = found[0] if len(found) else ""
    values, counts, breaches = parse_columns(table, source, columns)
    values["reco_nt"] = np.full(len(table), np.nan)
    counts |= {f"{name}_months": int(np.isfinite(values[name]).sum()) for name in SATELLITE}
    return SiteRecord(
        site=resolved(str(about["Site"])),
        months=months,
        values=values,
        product=product.key,
        processing=PROCESSING,
        rank=(product.rank,),
        network="fluxnet",
        source=source,
        lat=float(numeric(table, "Lat", source)[0]),
        lon=float(numeric(table, "Lon", source)[0]),
        igbp=str(about["PFT"]),
        koppen=str(about["Climate"]),
        counts=counts,
        breaches=breaches,
    )
