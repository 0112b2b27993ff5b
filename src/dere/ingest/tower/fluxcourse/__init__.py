"""FluxCourse: a daily table per site of the FLUXNET shuttle product (ONEFlux v1.3)."""

from __future__ import annotations

from dere.ingest.source import Column, Product, Source, named
from dere.ingest.tower.fluxnet_columns import CITATION, LARGEST_FLUX
from dere.ingest.tower.site_ids import SITE
from dere.variables import FLUX_UNIT

NAME = rf"obs_(?P<site>{SITE})_daily\.csv(\.gz)?"
PRODUCT = Product(
    "fluxcourse-sites",
    "FluxCourse daily tables of the FLUXNET shuttle product",
    "CC-BY-4.0 (fluxes), MIT (repository)",
    CITATION,
    url="https://github.com/davidjpmoore/FluxCourseForecast",
    rank=-50,
)
COLUMNS = tuple(
    Column(f"{flux}_gC_m2_day", variable, FLUX_UNIT, largest=LARGEST_FLUX)
    for variable, flux in (("nee", "NEE"), ("gpp_nt", "GPP"), ("reco_nt", "RECO"))
)
SOURCES = (
    Source(
        name="FluxCourse",
        kind="tower",
        files="obs_{SITE}_daily.csv",
        matches=named(NAME),
        read="dere.ingest.tower.fluxcourse.table:read_fluxcourse",
        products=(PRODUCT,),
        columns=COLUMNS,
        options=("resolution", "minimum_coverage"),
    ),
)
