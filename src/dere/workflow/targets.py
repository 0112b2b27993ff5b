"""Which members a run has: methods, backbones, folds and seeds, and which of its parts exist at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dere.config.stages import STAGES_OF_METHOD

PARENTS_OF_METHOD = {
    "baseline": ("baseline",),
    "kgml": ("kgml_towers",),
    "dere_towers": ("pure", "towers"),
    "dere": ("pure", "uncertain"),
}
"""The checkpoints that a method predicts from."""
IMPUTATION_JOBS = ("train_imputation", "impute_labels")
"""Jobs of stage 5, which serve every backbone."""
NO_BACKBONE = "none"


def backbones_of(method: str, config: Mapping[str, Any]) -> list[str]:
    """Return the backbones a method is run with; methods without a network have one place holder."""
    return list(config["backbones"]) if method in STAGES_OF_METHOD else [NO_BACKBONE]


def methods_and_backbones(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each (method, backbone) of a run in the order of the configuration."""
    return [(method, backbone) for method in config["methods"] for backbone in backbones_of(method, config)]


def members(config: Mapping[str, Any]) -> list[str]:
    """Return ``method/backbone`` of a run."""
    return [f"{method}/{backbone}" for method, backbone in methods_and_backbones(config)]


def predictions(config: Mapping[str, Any]) -> list[str]:
    """Return ``method/backbone/fold<k>/seed<s>`` of every prediction of a run."""
    return [
        f"{member}/fold{fold}/seed{seed}"
        for member in members(config)
        for fold in config["folds"]
        for seed in config["seeds"]
    ]


def stages(config: Mapping[str, Any]) -> list[str]:
    """Return the stages that a run trains, each once, in order."""
    return list(dict.fromkeys(stage for method in config["methods"] for stage in STAGES_OF_METHOD.get(method, ())))


def training_jobs(config: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Return ``method/backbone`` to what trains it and what predicts.

    ``jobs`` are ``rule/wildcards`` without fold and seed of everything that is trained for the method (those without a
    network are trained by the job that predicts); ``networks`` are the stages whose checkpoints predict.
    """
    found = {}
    for method, backbone in methods_and_backbones(config):
        jobs = [f"train_{stage}/{backbone}" for stage in STAGES_OF_METHOD.get(method, ())]
        if method == "dere":
            jobs += IMPUTATION_JOBS
        jobs = jobs or [f"predict_{method}/{backbone}"]
        found[f"{method}/{backbone}"] = {"jobs": jobs, "networks": list(PARENTS_OF_METHOD.get(method, ()))}
    return found


def product_member(config: Mapping[str, Any]) -> str:
    """Return ``method/backbone`` of the predictions that are given away; the first backbone where there are several."""
    method = config["products"]["method"]
    return f"{method}/{backbones_of(method, config)[0]}"


def benchmarks(config: Mapping[str, Any]) -> list[str]:
    """Return ``rule/wildcards`` of every job whose cost is reported."""
    runs = [f"fold{fold}/seed{seed}" for fold in config["folds"] for seed in config["seeds"]]
    rules = [f"train_{stage}/{backbone}" for stage in stages(config) for backbone in config["backbones"]]
    if "dere" in config["methods"]:
        rules += IMPUTATION_JOBS
    for method, backbone in methods_and_backbones(config):
        rules.append(
            f"predict_network/{method}/{backbone}" if backbone != NO_BACKBONE else f"predict_{method}/{backbone}"
        )
    if has_map(config):
        rules.append(f"predict_cells/{product_member(config)}")
    return [f"{rule}/{run}" for rule in rules for run in runs]


def compares_backbones(config: Mapping[str, Any]) -> bool:
    """Tell whether the run has network methods on more than one backbone."""
    return len(config["backbones"]) > 1 and bool(stages(config))


def has_map(config: Mapping[str, Any]) -> bool:
    """Tell whether the run has grid cells of known place and a network to fill them: only then maps can be made."""
    source = config["sources"]["simulation"]
    placed = source["provider"] == "files" and (source["format"] != "dere" or bool(source["coordinates"]))
    return placed and config["products"]["method"] in STAGES_OF_METHOD


def has_truth(config: Mapping[str, Any]) -> bool:
    """Tell whether the true fluxes are known: the built-in world is on and its towers are the run's towers."""
    return config["world"] is not None and not config["sources"]["towers"]["paths"]


def built_in(config: Mapping[str, Any]) -> list[str]:
    """Return the sources that the built-in world writes, because the configuration names no files for them."""
    if config["world"] is None:
        return []
    sources = config["sources"]
    given = {"simulation": "path", "cover": "path", "towers": "paths"}
    return [name for name, key in given.items() if not sources[name][key] and sources[name].get("provider") == "files"]
