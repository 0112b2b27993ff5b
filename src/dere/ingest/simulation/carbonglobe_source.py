"""CarbonGlobe: a process-model simulation in our layout, or as published (docs/data.md#simulations)."""

from __future__ import annotations

from dere.ingest.source import Product, Source, named

OWN = Product(
    "carbonglobe",
    "CarbonGlobe layout of a process-model simulation",
    "CC-BY-4.0 (CarbonGlobe); none needed for the built-in world",
    "CarbonGlobe, NeurIPS 2025 Datasets & Benchmarks; Ma et al. 2022, doi 10.5194/gmd-15-1971-2022",
)
PUBLIC = Product(
    "carbonglobe-public",
    "CarbonGlobe (Hugging Face ai-spatial/CarbonGlobe)",
    "CC-BY-4.0",
    "CarbonGlobe, NeurIPS 2025 Datasets & Benchmarks; Ma et al. 2022, doi 10.5194/gmd-15-1971-2022",
    url="https://huggingface.co/datasets/ai-spatial/CarbonGlobe",
)
SOURCES = (
    Source(
        name="carbonglobe",
        kind="simulation",
        files="mask2d.npy, glob_X_fea.npy, glob_Y*.npy, meta.json; or res_train4_test8.npz",
        matches=named(r"meta\.json", r"mask2d\.npy", r"glob_X_fea\.npy", r"glob_Y.*\.npy", r"res_train4_test8.*\.npz"),
        read="dere.ingest.simulation.carbonglobe_layouts:read",
        products=(OWN, PUBLIC),
        options=("start_year", "row_order", "hours", "annual_targets", "coordinates", "grid_degrees"),
    ),
)
