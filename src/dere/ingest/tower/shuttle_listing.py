"""Listing of the FLUXNET shuttle: a row per site and data hub, with the citation of its product."""

from __future__ import annotations

import re

from dere.ingest.source import Product, Source, named

SOURCES = (
    Source(
        name="listing of the shuttle",
        kind="metadata",
        files="*shuttle*.csv",
        matches=named(r".*shuttle.*\.csv(\.gz)?", flags=re.IGNORECASE),
        read="dere.ingest.tower.bif:read_listing",
        products=(
            Product(
                "listing",
                "listing of the FLUXNET shuttle",
                "as the product it lies beside",
                "the product_citation of each site in it",
            ),
        ),
        in_archives=True,
        order=30,
        role="listing",
    ),
)
