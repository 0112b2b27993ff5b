"""Six North American forests: one csv of daily NEE, GPP and RECO (Teets et al. 2022, JGR Biogeosciences)."""

from __future__ import annotations

from dere.ingest.source import Column, Product, Source, named
from dere.ingest.tower.fluxnet_columns import LARGEST_FLUX
from dere.variables import FLUX_UNIT

PRODUCT = Product(
    "six-forests",
    "six North American forests, daily",
    "MIT",
    "Teets et al. 2022, Coupling of tree growth and carbon uptake across six North American forests, JGR "
    "Biogeosciences, and the AmeriFlux sites",
    url="https://github.com/teetsaf/AmeriFlux_Coupling-tree-growth-and-carbon-uptake",
    rank=-80,
)
COLUMNS = tuple(
    Column(name, variable, FLUX_UNIT, largest=LARGEST_FLUX)
    for variable, name in (("nee", "NEE_U50"), ("gpp_nt", "GPP_U50"), ("reco_nt", "Reco_U50"))
)
SOURCES = (
    Source(
        name="six forests",
        kind="tower",
        files="daily_carbon_uptake.csv",
        matches=named(r"daily_carbon_uptake\.csv(\.gz)?"),
        read="dere.ingest.tower.six_forests.table:read_six_forests",
        products=(PRODUCT,),
        columns=COLUMNS,
        options=("resolution", "minimum_coverage"),
    ),
)
