"""ESA CCI plant functional types: yearly maps, and a table of the same layers by site."""

from __future__ import annotations

import re

from dere.ingest.cover.esacci_names import year_of
from dere.ingest.source import Product, Source, named

SITE_TABLE = "site_plant_types.csv"
PRODUCT = Product(
    "esacci-pft",
    "ESA CCI plant functional types v2.0.8",
    "free with attribution (ESA CCI terms)",
    "Harper et al. 2023, doi 10.5194/essd-15-1465-2023",
    version="2.0.8",
    url="https://doi.org/10.5194/essd-15-1465-2023",
)


def is_map(path: str) -> bool:
    """Whether a path ends in the name of a yearly map."""
    return year_of(path.rsplit("/", 1)[-1]) is not None


SOURCES = (
    Source(
        name="plant types",
        kind="cover",
        files="ESACCI-LC-L4-PFT-Map-300m-P1Y-*.nc",
        matches=is_map,
        read="dere.ingest.cover.esacci:read_cover",
        products=(PRODUCT,),
        options=("include_crops", "classes", "renormalise"),
    ),
    Source(
        name="plant types by site",
        kind="cover",
        files=SITE_TABLE,
        matches=named(re.escape(SITE_TABLE)),
        read="dere.ingest.cover.esacci:read_site_plant_types",
        products=(PRODUCT,),
        options=("include_crops", "classes", "renormalise"),
    ),
)
