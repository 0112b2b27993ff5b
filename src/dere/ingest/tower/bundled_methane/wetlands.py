"""What the methane towers of the package are: place, wetland class and cluster.

Coordinates, classes and climates are those of the product's site metadata of 2020-11-12 (FLX_AA-Flx_CH4-META; Delwiche
et al. 2021). A cluster is a group of towers within 50 km; they share weather, wetland and team, so
they are left out together.
"""

from __future__ import annotations

from typing import NamedTuple


class Wetland(NamedTuple):
    """One tower: degrees north and east, wetland class, Köppen class, and the cluster it belongs to."""

    lat: float
    lon: float
    wetland: str
    koppen: str
    cluster: str


WETLANDS: dict[str, Wetland] = {
    "BW-Gum": Wetland(-18.9647, 22.3711, "swamp", "BSh", "Guma"),
    "CA-SCB": Wetland(61.3089, -121.2984, "bog", "Dfc", "Scotty Creek"),
    "DE-Hte": Wetland(54.2103, 12.1761, "fen", "Dfb", "Huetelmoor"),
    "DE-SfN": Wetland(47.8064, 11.3275, "bog", "Cfb", "Schechenfilz"),
    "DE-Zrk": Wetland(53.8759, 12.8890, "fen", "Dfb", "Zarnekow"),
    "FI-Lom": Wetland(67.9972, 24.2092, "fen", "Dfc", "Lompolojankka"),
    "FI-Si2": Wetland(61.8372, 24.1967, "bog", "Dfc", "Siikaneva"),
    "FI-Sii": Wetland(61.8327, 24.1929, "fen", "Dfc", "Siikaneva"),
    "FR-LGt": Wetland(47.3229, 2.2841, "fen", "Cfb", "La Guette"),
    "JP-BBY": Wetland(43.3230, 141.8107, "bog", "Dfb", "Bibai"),
    "RU-Ch2": Wetland(68.6169, 161.3509, "wet tundra", "Dfc", "Chersky"),
    "RU-Che": Wetland(68.6130, 161.3414, "drained", "Dfc", "Chersky"),
    "US-BZB": Wetland(64.6955, -148.3208, "bog", "Dfd", "Bonanza Creek"),
    "US-BZF": Wetland(64.7037, -148.3133, "fen", "Dfd", "Bonanza Creek"),
    "US-ICs": Wetland(68.6058, -149.3110, "wet tundra", "ET", "Imnavait Creek"),
}
IGBP = "WET"
"""Class of all of them in the product's metadata."""
