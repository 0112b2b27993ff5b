"""PLUMBER2: half-hourly weather and fluxes of a site as two NetCDF files, as FluxnetLSM writes them (Ukkola 2022)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dere.ingest.source import Column, Product, Source, named
from dere.ingest.tower.fluxnet_columns import FLUX_UNIT_OF_STEPS, LARGEST_FLUX
from dere.ingest.tower.site_ids import SITE

NAME = rf"(?P<site>{SITE})_(?P<first>\d{{4}})-(?P<last>\d{{4}})_(?P<dataset>[A-Za-z0-9]+)_(?P<kind>(?i:Met|Flux))\.nc"
PRODUCT = Product(
    "plumber2",
    "PLUMBER2 flux tower data for land models (FluxnetLSM)",
    "that of the product behind each file: FLUXNET2015, La Thuile or OzFlux",
    "Ukkola et al. 2022, Earth Syst Sci Data 14:449, doi 10.5194/essd-14-449-2022; and each site's DOI",
    version="1.0",
    url="https://doi.org/10.25914/5fdb0902607e1",
    rank=-5,
)
FLUXES = tuple(
    Column(name, variable, FLUX_UNIT_OF_STEPS, largest=LARGEST_FLUX)
    for variable, name in (
        ("nee", "NEE"), ("gpp_nt", "GPP"), ("gpp_dt", "GPP_DT"), ("reco_nt", "Resp"), ("reco_nt", "Reco"),
        ("reco_dt", "Resp_DT"), ("reco_dt", "Reco_DT"),
    )
)  # fmt: skip
"""Of two names of a variable a file has one: they differ between versions of the program."""
DRIVERS = (
    Column("Tair", "air_temperature", "K"),
    Column("Precip", "precipitation", "kg m-2 s-1"),
    Column("Rainf", "precipitation", "kg m-2 s-1"),
    Column("SWdown", "shortwave", "W m-2"),
    Column("LWdown", "longwave", "W m-2"),
    Column("VPD", "vpd", "hPa"),
    Column("Psurf", "pressure", "Pa"),
    Column("PSurf", "pressure", "Pa"),
    Column("Wind", "wind", "m s-1"),
    Column("CO2air", "co2", "ppm"),
)


def joins(files: Sequence[Any], config: Any = None) -> Mapping[Any, tuple[Any, ...]]:
    """Weather of each flux file: that of the same site, years and data set, else of the same site and data set."""
    parts = [(file, match) for file in files if (match := re.fullmatch(NAME, file.name))]
    weather = [(file, match) for file, match in parts if match["kind"].lower() == "met"]
    found = {}
    for file, own in parts:
        if own["kind"].lower() != "flux":
            continue
        same = [
            (met, other) for met, other in weather if own.group("site", "dataset") == other.group("site", "dataset")
        ]
        exact = [met for met, other in same if own.group("first", "last") == other.group("first", "last")]
        if near := exact or [met for met, _ in same]:
            found[file] = (near[0],)
    return found


SOURCES = (
    Source(
        name="PLUMBER2",
        kind="tower",
        files="{SITE}_{years}_{data set}_Flux.nc and ..._Met.nc",
        matches=named(NAME),
        read="dere.ingest.tower.plumber2.site:read_plumber2",
        products=(PRODUCT,),
        columns=(*FLUXES, *DRIVERS),
        options=("resolution", "minimum_coverage", "diurnal_cycles"),
        joins=joins,
    ),
)
