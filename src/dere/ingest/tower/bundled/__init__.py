"""The FLUXNET2015 towers that come with the package: one table in calendar order, and how each site is cited."""

from __future__ import annotations

from dere.ingest.source import Column, Product, Source, named
from dere.ingest.tower.fluxnet_columns import driver_columns, flux_columns

TABLE = "fluxnet2015_monthly.csv.gz"
"""Months of all sites."""
SITES = "fluxnet2015_sites.csv"
"""Citation of each site, and the checksum of the file that its rows were made of."""
RENAMED = {"LAI": "LAI_MODIS", "EVI": "EVI_MODIS"}
"""Columns of the compilation whose months are put right; under other names, so that nobody does so twice."""
PRODUCT = Product(
    "fluxnet2015-bundled",
    "FLUXNET2015 monthly, as it comes with dere",
    "CC-BY-4.0 (values), MIT (compilation)",
    "Pastorello et al. 2020, Sci Data 7:225, doi 10.1038/s41597-020-0534-3, and each site; LAI and EVI: Nathaniel, "
    "Liu, Gentine 2023, Sci Data 10:440, doi 10.1038/s41597-023-02349-y; acknowledgement: "
    "dere/resources/towers/README.md",
    version="metaflux 088f93b, months of LAI and EVI put right",
    url="https://doi.org/10.1038/s41597-020-0534-3",
    # a file of one's own comes first, the extract that it was made of included
    rank=9,
    satellites=True,
)
COLUMNS = (
    *flux_columns("VUT_REF"),
    *driver_columns(),
    Column(RENAMED["LAI"], "lai_satellite", "m2 m-2"),
    Column(RENAMED["EVI"], "evi_satellite", "1"),
)
SOURCES = (
    Source(
        name="FLUXNET2015 bundled",
        kind="tower",
        files=TABLE,
        matches=named(r"fluxnet2015_monthly\.csv(\.gz)?"),
        read="dere.ingest.tower.bundled.table:read_bundled",
        products=(PRODUCT,),
        columns=COLUMNS,
        shipped=True,
    ),
    Source(
        name="citations of the package's towers",
        kind="metadata",
        files=SITES,
        matches=named(r"fluxnet2015_sites\.csv"),
        read="dere.ingest.tower.site_citations:read_site_citations",
        products=(PRODUCT,),
        order=11,
        role="bundled",
    ),
)
