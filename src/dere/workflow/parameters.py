"""What a training or a prediction gets of the configuration: its own sub-tree and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dere.methods import Stage

CELLS_KEYS = ("window", "window_stride", "satellites", "channels")
"""Leaves of the section harmonise for what learns or predicts in cells."""
SITES_KEYS = ("window", "satellites", "channels", "minimum_training_quality")
"""Leaves of the section harmonise for what learns or predicts at sites."""

LABEL_KEYS = (
    "minimum_training_quality", "minimum_labelled_months", "maximum_closure_residual", "repeated_run", "odd_months",
)  # fmt: skip
"""Leaves of the section harmonise that make the labels of a further exchange, whose drivers are those of the first."""
CLUSTER_KEYS = ("site_rule", "cluster_km", "training_towers", "training_draw")
"""Leaves of the section splits for sites that a further exchange adds."""

Tree = Mapping[str, Any]


def section_of(config: Tree, stage: Stage) -> Tree:
    """Return the settings of a stage."""
    tree = config
    for key in stage.path:
        tree = tree[key]
    return tree


def threads_of(config: Tree, stage: Stage) -> int:
    """Return the threads that the settings of a stage state, else 1."""
    return int(section_of(config, stage)[stage.threads]) if stage.threads else 1


def of_stage(config: Tree, stage: Stage, backbone: str) -> dict[str, Any]:
    """Return the parameters of a stage: its settings, its network's size, its members, and how windows are cut.

    Threads are left out: they do not change a result.
    """
    keys = CELLS_KEYS if "simulation" in stage.reads else SITES_KEYS
    own = {"stage": without(section_of(config, stage), stage.threads)} if stage.section else {}
    network = {"backbone": config["networks"][backbone]} if stage.per_backbone else {}
    members = {"members": config["members"]} if stage.members else {}
    return {**own, **network, **members, **of_method(config, backbone, keys)}


def of_method(config: Tree, backbone: str, keys: Sequence[str] = SITES_KEYS) -> dict[str, Any]:
    """Return the parameters of a prediction: its network's name and how windows are cut."""
    return {"backbone_name": backbone, "harmonise": {key: config["harmonise"][key] for key in keys}}


def of_combination(config: Tree, parts: Sequence[str], backbone: str) -> dict[str, Any]:
    """Return the parameters of a prediction by a method over methods."""
    quality = config["harmonise"]["minimum_training_quality"]
    return {"backbone_name": backbone, "parts": list(parts), "quality": quality}


def of_harmonise(config: Tree) -> dict[str, Any]:
    """Return the section harmonise without the leaves that only the other driver set reads."""
    tree = config["harmonise"]
    return without(tree, "tower_weather" if tree["driver_set"] == "monthly8" else "co2")


def of_further_exchange(config: Tree) -> dict[str, Any]:
    """Return what the labels and splits of a further exchange are made by."""
    sections = {"harmonise": LABEL_KEYS, "splits": CLUSTER_KEYS}
    return {section: {key: config[section][key] for key in keys} for section, keys in sections.items()}


def unrecorded(tree: Tree) -> Callable[[Any, int], dict[str, Any]]:
    """Return the function that gives a rule leaves of which no result depends: what is refused, how often is tried.

    Snakemake keeps with an output only parameters that follow from nothing but the configuration and wildcards; what
    may follow from the threads is given to the job and never compared.
    """

    def given(wildcards: Any, threads: int) -> dict[str, Any]:
        return dict(tree)

    return given


def of_imputation(config: Tree, *unread: str) -> dict[str, Any]:
    """Return the settings of the imputation without those that a rule does not read."""
    tree = config["imputation"]
    return without(tree, *unread, *(["eta"] if tree["sampler"] != "ddim" else []))


def without(tree: Tree, *keys: str) -> dict[str, Any]:
    """Return a sub-tree without leaves that a rule gives by other means (threads) or does not read."""
    return {name: value for name, value in tree.items() if name not in keys}
