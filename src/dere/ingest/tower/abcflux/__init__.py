"""ABCflux (ABoVE) v1 and v2: monthly carbon fluxes of Arctic and boreal sites."""

from __future__ import annotations

import re

from dere.ingest.source import Column, Product, Source, named

_STEM = r"(Arctic_Boreal_CO2_Flux|ABC[._-]?(flux|v2))"
NAME = re.compile(rf"{_STEM}.*\.csv(\.gz)?", re.IGNORECASE)
AQUATIC = re.compile(rf"{_STEM}(.*[._-])?Aquatic.*\.csv(\.gz)?", re.IGNORECASE)
"""Names of tables of lakes and streams, among those of ``NAME``."""
PRODUCTS = {
    1: Product(
        "abcflux-v1",
        "ABCflux v1",
        "open (NASA)",
        "Virkkala et al., doi 10.3334/ORNLDAAC/1934; Virkkala et al. 2022, Earth Syst Sci Data 14:179, doi "
        "10.5194/essd-14-179-2022",
        version="1",
        url="https://doi.org/10.3334/ORNLDAAC/1934",
        rank=-70,
    ),
    2: Product(
        "abcflux-v2",
        "ABCflux v2",
        "open (NASA); see column data_usage of each row",
        "ABCflux version 2, ORNL DAAC 2025, doi 10.3334/ORNLDAAC/2448, and column citation_co2 of each row",
        version="2",
        url="https://doi.org/10.3334/ORNLDAAC/2448",
        rank=-60,
    ),
}
_FLUXES = (
    Column("nee", "nee", "gC m-2 month-1"),
    # uptake is negative
    Column("gpp", "gpp", "gC m-2 month-1", sign=-1),
    Column("reco", "reco", "gC m-2 month-1"),
)
COLUMNS: dict[int, tuple[Column, ...]] = {
    version: (
        *_FLUXES,
        Column(temperature, "air_temperature", "degC"),
        Column(precipitation, "precipitation", "mm month-1"),
    )
    for version, temperature, precipitation in ((1, "tair_int", "precip_int"), (2, "tair", "precip"))
}
"""Columns by version; which partitioning GPP and RECO are of stands in each row."""
SOURCES = (
    Source(
        name="ABCflux",
        kind="tower",
        files="Arctic_Boreal_CO2_Flux*.csv, ABCflux*.csv, ABC_v2*.csv",
        matches=named(NAME.pattern, flags=re.IGNORECASE),
        read="dere.ingest.tower.abcflux.table:read_abcflux",
        products=tuple(PRODUCTS.values()),
        columns=tuple(dict.fromkeys(column for columns in COLUMNS.values() for column in columns)),
        in_archives=True,
        without={PRODUCTS[2].key: named(AQUATIC.pattern, flags=re.IGNORECASE)},
    ),
)
