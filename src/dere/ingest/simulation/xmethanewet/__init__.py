"""X-MethaneWet: daily methane of wetlands on the globe, simulated by TEM-MDM (docs/data.md#simulated-methane)."""

from __future__ import annotations

from dere.ingest.source import Product, Source, named

PRODUCT = Product(
    "xmethanewet",
    "X-MethaneWet (TEM-MDM)",
    "CC-BY-4.0",
    "X-MethaneWet, arXiv 2505.18355 (KDD 2026), with TEM-MDM",
    url="https://huggingface.co/datasets/ymsun99/X-MethaneWet",
)
PATTERN = r"CH4_emission_intensity_(\d{4})\.nc"
SOURCES = (
    Source(
        name="xmethanewet",
        kind="methane",
        files="CH4_emission_intensity_<year>.nc, variable CH4_emission (latitude, longitude, month, day)",
        matches=named(PATTERN),
        read="dere.ingest.simulation.xmethanewet.emission:read",
        products=(PRODUCT,),
        # its inputs and towers, which lie beside it
        known=named(r".*\.nc", r".*\.txt", r"FLUXNET_.*\.csv"),
    ),
)
