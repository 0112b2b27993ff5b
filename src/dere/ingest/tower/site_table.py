"""A plain table of sites: a row per site with latitude, longitude and what else is known."""

from __future__ import annotations

from dere.ingest.source import Product, Source, named

PRODUCT = Product("sites", "table of sites", "as the product it lies beside", "as the product it lies beside")
SOURCES = (
    Source(
        name="table of sites",
        kind="metadata",
        files="sites.csv, *_site_list.csv, FLX_AA-Flx_CH4-META_*.csv",
        matches=named(r"FLX_AA-Flx_CH4-META_\d+(?i:\.csv(\.gz)?)", r"(?i:(.*[_-])?sites?([_-]?list)?\.csv(\.gz)?)"),
        read="dere.ingest.tower.bif:read_sites",
        products=(PRODUCT,),
        in_archives=True,
        order=40,
        role="sites",
    ),
)
