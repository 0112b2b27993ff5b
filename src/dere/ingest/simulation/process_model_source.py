"""NetCDF of fluxes and pools by plant type, as LPJ-GUESS or the models of TRENDY write it."""

from __future__ import annotations

from dere.ingest.source import Product, Source, named

PRODUCT = Product(
    "process-model-netcdf",
    "process-model simulation as NetCDF",
    "as its author states",
    "as its author states (model and forcing)",
)
SOURCES = (
    Source(
        name="netcdf",
        kind="simulation",
        files="*.nc, as sources.simulation.netcdf names them",
        matches=named(r".*\.nc"),
        read="dere.ingest.simulation.process_model_netcdf:read",
        products=(PRODUCT,),
        options=("annual_targets", "ages", "netcdf"),
    ),
)
