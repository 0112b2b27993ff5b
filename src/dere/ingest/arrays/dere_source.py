"""The processed arrays of the published code (docs/data.md#dere-arrays): simulation, cover and towers in npz files."""

from __future__ import annotations

from dere.ingest.arrays.dere_files import recognise
from dere.ingest.source import Product, Source

PRODUCT = Product(
    "dere-arrays",
    "processed arrays of DERE (Hugging Face ai-spatial/DERE)",
    "none stated",
    "Xu et al. 2026, KDD, doi 10.1145/3770855.3818927; Ma et al. 2022, doi 10.5194/gmd-15-1971-2022",
    url="https://doi.org/10.1145/3770855.3818927",
)


def is_array(path: str) -> bool:
    """Whether a path ends in the name of a file of the data set."""
    return recognise(path.rsplit("/", 1)[-1]) is not None


SOURCES = (
    Source(
        name="dere",
        kind="simulation",
        files="data_stats_with_NEE_Ra_RECO.npz, res_train4_test8_extract_*.npz, pft_dataset_12mean_*.npz",
        matches=is_array,
        known=is_array,
        read="dere.ingest.arrays.dere_simulation:read",
        products=(PRODUCT,),
        options=("path", "network", "coordinates", "grid_degrees", "ages"),
    ),
)
