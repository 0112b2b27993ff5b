"""Site metadata of the networks: BADM/BIF long tables and the site information of ICOS."""

from __future__ import annotations

from dere.ingest.source import Product, Source, named
from dere.ingest.tower.fluxnet_columns import CITATION

SOURCES = (
    Source(
        name="BADM/BIF",
        kind="metadata",
        files="*BIF*.csv, *BIF*.xlsx, ICOSETC_*_SITEINFO_L2.csv",
        matches=named(r".*BIF.*(?i:\.(csv(\.gz)?|xlsx))", r"ICOSETC_.*_SITEINFO_(INTERIM_)?L2(?i:\.csv(\.gz)?)"),
        read="dere.ingest.tower.bif:read_bif",
        products=(Product("bif", "FLUXNET site metadata (BADM/BIF)", "CC-BY-4.0", CITATION),),
        in_archives=True,
        order=20,
        role="bif",
        dated=True,
    ),
)
