"""Table of citations that AmeriFlux adds to a download."""

from __future__ import annotations

from dere.ingest.source import Product, Source, named

SOURCES = (
    Source(
        name="citations of AmeriFlux",
        kind="metadata",
        files="citations_for_site_data*.csv",
        matches=named(r"citations_for_site_data.*(?i:\.csv)"),
        read="dere.ingest.tower.site_citations:read_site_citations",
        products=(
            Product("citations", "AmeriFlux table of citations", "CC-BY-4.0", "the sites' own DOIs that it lists"),
        ),
        in_archives=True,
        order=10,
        role="citations",
    ),
)
