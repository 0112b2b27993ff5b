"""The 44-column monthly extract of FLUXNET2015 with MODIS LAI and EVI (docs/data.md#known-traps)."""

from __future__ import annotations

from dere.ingest.source import Product, Source, named
from dere.ingest.tower.fluxnet_columns import CITATION, driver_columns, flux_columns, satellite_columns
from dere.ingest.tower.site_ids import SITE

NAME = rf"(?P<site>{SITE})_MM\.csv(\.gz)?"
PRODUCT = Product(
    "fluxnet2015-extract",
    "FLUXNET2015 monthly extract of metaflux",
    "CC-BY-4.0 (values), MIT (compilation)",
    f"{CITATION}; Nathaniel, Liu, Gentine 2023, Sci Data 10:440, doi 10.1038/s41597-023-02349-y",
    url="https://doi.org/10.1038/s41597-023-02349-y",
    rank=10,
    satellites=True,
)
COLUMNS = (*flux_columns("VUT_REF"), *driver_columns(), *satellite_columns())
SOURCES = (
    Source(
        name="FLUXNET2015 extract",
        kind="tower",
        files="{SITE}_MM.csv",
        matches=named(NAME),
        read="dere.ingest.tower.fluxnet_extract.table:read_extracts",
        products=(PRODUCT,),
        columns=COLUMNS,
    ),
)
