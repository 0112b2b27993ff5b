"""Global forest age dataset GFAD v1.1: shares of age classes by half degree and forest type."""

from __future__ import annotations

from dere.ingest.source import Product, Source, named

SOURCES = (
    Source(
        name="gfad",
        kind="cover",
        files="GFAD_V1-1.nc",
        matches=named(r"GFAD_V1-1\.nc"),
        read="dere.ingest.cover.forest_age:read_gfad",
        products=(
            Product(
                "gfad",
                "Global forest age dataset GFAD v1.1",
                "CC-BY-4.0 (page; the attribute inside the file is narrower)",
                "Poulter et al., GFAD v1.1, doi 10.1594/PANGAEA.897392",
                version="1.1",
                url="https://doi.org/10.1594/PANGAEA.897392",
            ),
        ),
        role="ages",
        order=20,
    ),
)
