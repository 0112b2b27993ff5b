"""Which members a run has: methods, backbones, folds and seeds, and which of its parts exist at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STAGE_OF_METHOD = {
    "baseline": "baseline",
    "kgml": "kgml_towers",
    "dere_towers": "towers",
    "dere": "uncertain",
}
"""The training stage whose network a method predicts with."""
NO_BACKBONE = "none"


def backbones_of(method: str, config: Mapping[str, Any]) -> list[str]:
    """Return the backbones a method is run with; methods without a network have one place holder."""
    return list(config["backbones"]) if method in STAGE_OF_METHOD else [NO_BACKBONE]


def methods_and_backbones(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each (method, backbone) of a run in the order of the configuration."""
    return [(method, backbone) for method in config["methods"] for backbone in backbones_of(method, config)]


def predictions(config: Mapping[str, Any]) -> list[str]:
    """Return ``method/backbone/fold<k>/seed<s>`` of every prediction of a run."""
    return [
        f"{method}/{backbone}/fold{fold}/seed{seed}"
        for method, backbone in methods_and_backbones(config)
        for fold in config["folds"]
        for seed in config["seeds"]
    ]


def has_map(config: Mapping[str, Any]) -> bool:
    """Tell whether the run has grid cells, so that maps can be made and given away."""
    return config["sources"]["simulation"]["provider"] == "files" and config["products"]["method"] in STAGE_OF_METHOD


def has_truth(config: Mapping[str, Any]) -> bool:
    """Tell whether the true fluxes are known (built-in world only)."""
    return config["world"] is not None
