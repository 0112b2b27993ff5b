"""The methane towers that come with the package: months of 15 wetlands of FLUXNET-CH4, and what each of them is."""

from __future__ import annotations

from dere.ingest.source import Column, Product, Source, named
from dere.ingest.tower.fluxnet_columns import filled_columns
from dere.variables import FLUX_UNIT

TABLE = "fluxnet_ch4_monthly.csv.gz"
"""Months of all sites."""
SITES = "fluxnet_ch4_sites.csv"
"""Place, wetland class, cluster and citation of each site, and the checksum of the file that its rows were made of."""
PRODUCT = Product(
    "fluxnet-ch4-bundled",
    "FLUXNET-CH4 monthly, as it comes with dere",
    "CC-BY-4.0",
    "Delwiche et al. 2021, Earth Syst Sci Data 13:3607, doi 10.5194/essd-13-3607-2021; Knox et al. 2019, doi "
    "10.1175/BAMS-D-18-0268.1; and each site",
    version="1.0, months of the daily files",
    url="https://doi.org/10.5194/essd-13-3607-2021",
    # a daily file of one's own comes first
    rank=-11,
)
METHANE = Column("FCH4", "ch4", "nmolCH4 m-2 s-1")
COLUMNS = (
    METHANE,
    Column("FCH4_QC", "ch4_quality", "1"),
    Column("NEE_F", "nee", FLUX_UNIT),
    Column("NEE_QC", "nee_quality", "1"),
    *(Column(name.upper(), name, FLUX_UNIT) for name in ("gpp_nt", "gpp_dt", "reco_nt", "reco_dt")),
    *filled_columns(),
)
SOURCES = (
    Source(
        name="FLUXNET-CH4 bundled",
        kind="tower",
        files=TABLE,
        matches=named(r"fluxnet_ch4_monthly\.csv(\.gz)?"),
        read="dere.ingest.tower.bundled_methane.table:read_bundled_methane",
        products=(PRODUCT,),
        columns=COLUMNS,
        shipped=True,
    ),
    Source(
        name="citations of the package's methane towers",
        kind="metadata",
        files=SITES,
        matches=named(r"fluxnet_ch4_sites\.csv"),
        read="dere.ingest.tower.site_citations:read_site_citations",
        products=(PRODUCT,),
        order=12,
        role="bundled",
    ),
)
