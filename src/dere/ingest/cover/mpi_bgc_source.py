"""MPI-BGC forest age 1.0.0: mean age of 1 km pixels (Besnard et al. 2021)."""

from __future__ import annotations

from dere.ingest.source import Product, Source, named

SOURCES = (
    Source(
        name="mpi_bgc",
        kind="cover",
        files="*BGIForestAgeMPIBGC*.nc",
        matches=named(r".*BGIForestAgeMPIBGC.*\.nc"),
        read="dere.ingest.cover.forest_age:read_mpi_bgc",
        products=(
            Product(
                "mpi-bgc-forest-age",
                "MPI-BGC forest age 1.0.0",
                "CC-BY-4.0",
                "Besnard et al. 2021, Earth Syst Sci Data 13:4881, data doi 10.17871/ForestAgeBGI.2021",
                version="1.0.0",
                url="https://doi.org/10.17871/ForestAgeBGI.2021",
            ),
        ),
        options=("tree_cover",),
        role="ages",
        order=30,
    ),
)
