"""Weights of stand ages: a table by cell, and one by site."""

from __future__ import annotations

import re

from dere.ingest.source import Product, Source, named

SITE_TABLE = "site_age_weights.csv"
PRODUCT = Product("age-weights", "table of stand-age weights", "as its author states", "as its author states")
SOURCES = (
    Source(
        name="table",
        kind="cover",
        files="lat_lon_age_weights.csv",
        matches=named(r"lat_lon_age_weights\.csv"),
        read="dere.ingest.cover.age_weights:read_ages",
        products=(PRODUCT,),
        role="ages",
        order=10,
    ),
    Source(
        name="stand ages by site",
        kind="cover",
        files=SITE_TABLE,
        matches=named(re.escape(SITE_TABLE)),
        read="dere.ingest.cover.age_weights:read_site_age_weights",
        products=(PRODUCT,),
    ),
)
