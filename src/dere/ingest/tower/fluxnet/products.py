"""Products of the FLUXNET family, the newest processing last."""

from __future__ import annotations

from dere.ingest.source import Product
from dere.ingest.tower.fluxnet_columns import CITATION

PRODUCTS = (
    Product(
        "fluxnet2015",
        "FLUXNET2015",
        "CC-BY-4.0 (six sites restricted: RU-Sam RU-SkP RU-Tks RU-Vrk SE-St1 ZA-Kru)",
        CITATION,
        url="https://doi.org/10.1038/s41597-020-0534-3",
        rank=20,
    ),
    Product(
        "icos-drought-2018",
        "ICOS Drought 2018",
        "CC-BY-4.0",
        f"Drought 2018 Team & ICOS Ecosystem Thematic Centre 2020, doi 10.18160/YVR0-4898; {CITATION}",
        url="https://doi.org/10.18160/YVR0-4898",
        rank=30,
    ),
    Product(
        "icos-warm-winter-2020",
        "ICOS Warm Winter 2020",
        "CC-BY-4.0",
        f"Warm Winter 2020 Team & ICOS Ecosystem Thematic Centre 2022, doi 10.18160/2G60-ZHAK; {CITATION}",
        url="https://doi.org/10.18160/2G60-ZHAK",
        rank=40,
    ),
    Product("ameriflux-fluxnet", "AmeriFlux FLUXNET", "CC-BY-4.0 (mostly; see each site)", CITATION, rank=50),
    Product("icos-etc-l2", "ICOS ETC level 2", "CC-BY-4.0", "the release's DOI on the ICOS Carbon Portal", rank=60),
    Product("fluxnet-shuttle", "FLUXNET shuttle product", "CC-BY-4.0", CITATION, rank=70),
)
RANKS = {product.key: product.rank for product in PRODUCTS}
