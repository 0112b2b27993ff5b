"""FLUXNET-CH4 v1: daily and half-hourly carbon dioxide and methane fluxes (Delwiche et al. 2021)."""

from __future__ import annotations

from dere.ingest.source import Column, Product, Source, named
from dere.ingest.tower.fluxnet_columns import FLUX_UNIT_OF_STEPS, LARGEST_FLUX, filled_columns, of_steps
from dere.ingest.tower.site_ids import SITE

NAME = (
    rf"FLX_(?P<site>{SITE})_FLUXNET-CH4_(?P<step>HH|HR|DD)_(?P<first>\d{{4}})-(?P<last>\d{{4}})"
    r"_(?P<version>\d+-\d+)\.csv(\.gz)?"
)
PRODUCT = Product(
    "fluxnet-ch4",
    "FLUXNET-CH4 Community Product v1.0",
    "CC-BY-4.0 (sites of its TIER2: terms of each site)",
    "Delwiche et al. 2021, Earth Syst Sci Data 13:3607, doi 10.5194/essd-13-3607-2021; Knox et al. 2019, doi "
    "10.1175/BAMS-D-18-0268.1; and each site's DOI",
    version="1.0",
    url="https://doi.org/10.5194/essd-13-3607-2021",
    rank=-10,
)
FLUXES = tuple(
    # the daily files are in the unit of half hours, too (see ``table``)
    Column(name, variable, FLUX_UNIT_OF_STEPS, largest=LARGEST_FLUX)
    for variable, name in (
        ("nee", "NEE_F"), ("gpp_nt", "GPP_NT"), ("gpp_dt", "GPP_DT"), ("reco_nt", "RECO_NT"), ("reco_dt", "RECO_DT"),
    )
)  # fmt: skip
WEATHER = of_steps(filled_columns())
METHANE = Column("FCH4", "ch4", "nmolCH4 m-2 s-1")
"""Measured methane; the filled columns beside it are no labels (see ``methane``)."""
COLUMNS = (*FLUXES, *WEATHER)
SOURCES = (
    Source(
        name="FLUXNET-CH4",
        kind="tower",
        files="FLX_*_FLUXNET-CH4_DD_*.csv, also HH and HR",
        matches=named(NAME),
        read="dere.ingest.tower.fluxnet_ch4.table:read_fluxnet_ch4",
        products=(PRODUCT,),
        columns=(*COLUMNS, METHANE),
        options=("resolution", "minimum_coverage", "diurnal_cycles"),
        in_archives=True,
    ),
)
