"""FLUXNET2015 half-hourly as one Zarr store: NEE, GPP, temperature, shortwave and VPD per site."""

from __future__ import annotations

import re

from dere.ingest.source import Column, Product, Source, named
from dere.ingest.tower.fluxnet_columns import CITATION, FLUX_UNIT_OF_STEPS
from dere.variables import VARIABLES

PRODUCT = Product(
    "fluxnet2015-zarr",
    "FLUXNET2015 half-hourly as Zarr (EXCITED-CO2)",
    "CC-BY-4.0",
    CITATION,
    url="https://github.com/EXCITED-CO2/zarr-fluxnet2015",
    rank=-20,
)
FLUXES = tuple(Column(name, name, FLUX_UNIT_OF_STEPS) for name in ("nee", "gpp_nt", "gpp_dt"))
DRIVERS = tuple(
    Column(array, name, VARIABLES[name].unit)
    for name, array in (("air_temperature", "ta"), ("shortwave", "sw_in"), ("vpd", "vpd"))
)
SOURCES = (
    Source(
        name="FLUXNET2015 Zarr store",
        kind="tower",
        files="fluxnet*.zarr",
        matches=named(r"fluxnet[^/]*\.zarr", flags=re.IGNORECASE),
        read="dere.ingest.tower.fluxnet_zarr.store:read_fluxnet_zarr",
        products=(PRODUCT,),
        columns=(*FLUXES, *DRIVERS),
        options=("resolution", "minimum_coverage", "diurnal_cycles"),
        folder=True,
    ),
)
