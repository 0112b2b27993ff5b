"""Which members a run has: exchanges, methods, backbones, folds and seeds, and which of its parts exist at all.

Everything follows from the declarations of methods and from the configuration. Files of the default exchange lie
directly in the folder of the run, those of another exchange in a folder of its name there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dere.backbones import declaration
from dere.config.splits import SplitsConfig
from dere.exchange import DEFAULT, get
from dere.methods import Method, Stage, foremost, in_run, methods, stages_of
from dere.run_config import mixture

COVERED = ("vegetated_fraction",)
"""Shares of cells that the cover has; an exchange whose flux is per another area has no map."""
IMPUTATION_JOBS = ("train_imputation", "impute_labels")
"""Jobs of stage 5, which serve every backbone."""
NO_BACKBONE = "none"
TABLES = ("site_skill", "paired", "calibration", "site_calibration", "closure", "totals", "roles")
"""Tables that the evaluation writes beside the scores."""

Tree = Mapping[str, Any]


def prefix(exchange: str) -> str:
    """Folder of an exchange below that of the run, with its slash; nothing for the default one."""
    return "" if exchange == DEFAULT else f"{exchange}/"


def suffix(exchange: str) -> str:
    """End of a rule's name for an exchange; nothing for the default one."""
    return "" if exchange == DEFAULT else f"_{exchange}"


def title(exchange: str) -> str:
    """End of a label in the report for an exchange; nothing for the default one."""
    return "" if exchange == DEFAULT else f" ({exchange})"


def further(config: Tree) -> list[str]:
    """Exchanges of a run beside the default one."""
    return [name for name in config["exchanges"] if name != DEFAULT]


def of_all_exchanges(config: Tree, members: Callable[[Tree, str], list[Any]]) -> list[tuple[str, Any]]:
    """Return (exchange, member) for every exchange of a run and each of its members."""
    return [(exchange, member) for exchange in config["exchanges"] for member in members(config, exchange)]


def methods_of(config: Tree, exchange: str = DEFAULT) -> list[Method]:
    """Methods of a run that serve an exchange, in the order of the configuration."""
    return [method for name in config["methods"] if (method := in_run(name, config)).serves(exchange)]


def predicting(config: Tree, exchange: str = DEFAULT) -> list[Method]:
    """Methods of a run that predict by themselves, from what is fitted."""
    return [method for method in methods_of(config, exchange) if not method.parts]


def combining(config: Tree, exchange: str = DEFAULT) -> list[Method]:
    """Methods of a run that are over others."""
    return [method for method in methods_of(config, exchange) if method.parts]


def parts_of(method: Method, backbone: str) -> dict[str, str]:
    """Return the parts of a method over methods, each with the backbone in its paths."""
    return {part: backbone_of(methods()[part], backbone) for part in method.parts}


def backbones_of(method: Method, config: Tree) -> list[str]:
    """Return the backbones a method is run with; methods without a network have one place holder."""
    return list(config["backbones"]) if method.per_backbone else [NO_BACKBONE]


def methods_and_backbones(config: Tree, exchange: str = DEFAULT) -> list[tuple[Method, str]]:
    """Return each (method, backbone) of a run in the order of the configuration."""
    return [(method, name) for method in methods_of(config, exchange) for name in backbones_of(method, config)]


def members(config: Tree, exchange: str = DEFAULT) -> list[str]:
    """Return ``method/backbone`` of a run."""
    return [f"{method.name}/{backbone}" for method, backbone in methods_and_backbones(config, exchange)]


def predictions(config: Tree, exchange: str = DEFAULT) -> list[str]:
    """Return ``method/backbone/fold<k>/seed<s>`` of every prediction of a run."""
    return [f"{member}/{run}" for member in members(config, exchange) for run in runs(config)]


def with_neighbours(config: Tree, exchange: str = DEFAULT) -> list[str]:
    """Return those of the `predictions` that name the neighbours that they were made from."""
    naming = {method.name for method in methods_of(config, exchange) if "neighbour" in method.gives}
    return [name for name in predictions(config, exchange) if name.split("/")[0] in naming]


def ensembles(config: Tree, exchange: str = DEFAULT) -> list[str]:
    """Return ``method/backbone/ensemble`` of every member of a run."""
    return [f"{member}/ensemble" for member in members(config, exchange)]


def runs(config: Tree) -> list[str]:
    """Return ``fold<k>/seed<s>`` of a run."""
    return [f"fold{fold}/seed{seed}" for fold in config["folds"] for seed in config["seeds"]]


def fitted_on_all(config: Tree, exchange: str = DEFAULT) -> list[str]:
    """Return ``method/backbone/fold<k>/seed<s>`` of what is fitted on all towers, the product's method; none if not."""
    if not config["all_towers"]:
        return []
    fold = fold_of_all(config)
    return [f"{product_member(config, exchange)}/fold{fold}/seed{seed}" for seed in config["seeds"]]


def fold_of_all(config: Tree) -> int:
    """Return the number of the fold that tests no tower."""
    return SplitsConfig(**config["splits"]).without_test


def stages(config: Tree, exchange: str = DEFAULT) -> list[Stage]:
    """Return the stages that a run fits, each once, in order."""
    return stages_of(method.name for method in methods_of(config, exchange))


def mapped_methods(config: Tree, exchange: str = DEFAULT) -> list[Method]:
    """Return the methods that predict in cells where the run has maps: that which is given away, its parts first."""
    if not has_map(config, exchange):
        return []
    chosen = product_method(config, exchange)
    return [*(methods()[part] for part in chosen.parts), chosen]


def trained(config: Tree, exchange: str = DEFAULT) -> list[tuple[str, str]]:
    """Return (backbone, stage) of everything that is trained."""
    return [
        (backbone, stage.name)
        for stage in stages(config, exchange)
        for backbone in (config["backbones"] if stage.per_backbone else [NO_BACKBONE])
    ]


def networks(config: Tree, exchange: str = DEFAULT) -> list[Stage]:
    """Return the stages that train a network."""
    return [stage for stage in stages(config, exchange) if stage.per_backbone]


def backbone_of(member: Stage | Method, backbone: str) -> str:
    """Return the backbone in the path of a stage or part, for a method on ``backbone``."""
    return backbone if member.per_backbone else NO_BACKBONE


def has_imputation(config: Tree) -> bool:
    """Tell whether a stage of the run learns from imputed labels."""
    return any("labels" in stage.reads for stage in stages(config))


def training_jobs(config: Tree, exchange: str = DEFAULT) -> dict[str, dict[str, list[str]]]:
    """Return ``method/backbone`` to what trains it and what predicts.

    ``jobs`` are ``rule/wildcards`` without fold and seed of everything that is trained for the method (one without any
    stage costs what its prediction does, one over methods what its parts do, each job counted once); ``networks`` are
    the stages whose networks predict.
    """
    found = {}
    for method, backbone in methods_and_backbones(config, exchange):
        jobs, networks = [], []
        for name, own in (parts_of(method, backbone) or {method.name: backbone}).items():
            jobs += _jobs(methods()[name], own)
            networks += _predicting_networks(methods()[name])
        found[f"{method.name}/{backbone}"] = {
            "jobs": list(dict.fromkeys(jobs)),
            "networks": list(dict.fromkeys(networks)),
        }
    return found


def _jobs(method: Method, backbone: str) -> list[str]:
    """What is run to train a method that is not over others."""
    own = stages_of([method.name])
    jobs = [f"train_{stage.name}/{backbone_of(stage, backbone)}" for stage in own]
    if any("labels" in stage.reads for stage in own):
        jobs += IMPUTATION_JOBS
    return jobs or [f"predict_{method.name}/{backbone}"]


def _predicting_networks(method: Method) -> list[str]:
    """Stages of a method whose networks predict."""
    return [s.name for s in stages_of([method.name]) if s.per_backbone and s.name in method.predicts_from]


def product_method(config: Tree, exchange: str = DEFAULT) -> Method:
    """Return the method whose predictions are given away: the configured one, or the foremost of the exchange."""
    served = methods_of(config, exchange)
    chosen = [method for method in served if method.name == config["products"]["method"]]
    return chosen[0] if chosen else foremost(served)


def product_member(config: Tree, exchange: str = DEFAULT) -> str:
    """Return ``method/backbone`` of the predictions that are given away; the first backbone where there are several."""
    method = product_method(config, exchange)
    return f"{method.name}/{backbones_of(method, config)[0]}"


def benchmarks(config: Tree, exchange: str = DEFAULT) -> list[str]:
    """Return ``rule/wildcards`` of every job whose cost is reported."""
    rules = [f"train_{stage}/{backbone}" for backbone, stage in trained(config, exchange)]
    if exchange == DEFAULT and has_imputation(config):
        rules += IMPUTATION_JOBS
    rules += [f"predict_{method.name}/{backbone}" for method, backbone in methods_and_backbones(config, exchange)]
    mapped_on = product_member(config, exchange).split("/")[1]
    rules += [f"map_{m.name}/{backbone_of(m, mapped_on)}" for m in mapped_methods(config, exchange)]
    return [f"{rule}/{run}" for rule in rules for run in runs(config)]


def compares_backbones(config: Tree) -> bool:
    """Tell whether the run has network methods on more than one backbone."""
    return len(config["backbones"]) > 1 and bool(networks(config))


def has_map(config: Tree, exchange: str = DEFAULT) -> bool:
    """Tell whether maps of an exchange can be made: grid cells of known place, and cover of the area it is per."""
    source = config["sources"]["simulation"]
    placed = source["provider"] == "files" and (source["format"] != "dere" or bool(source["coordinates"]))
    return placed and get(exchange).area in COVERED


def has_truth(config: Tree) -> bool:
    """Tell whether the true fluxes are known: the built-in world is on and its towers are the run's towers."""
    return "towers" in built_in(config)


def built_in(config: Tree) -> list[str]:
    """Return the sources that the built-in world writes, because the configuration names no files for them."""
    return mixture.built_in(config)


def references(config: Tree, exchange: str = DEFAULT) -> dict[str, bool]:
    """Return the methods of a run that tables compare with, the most complex first, and whether each is a network."""
    chosen = [method for method in methods_of(config, exchange) if method.reference]
    return {m.name: m.per_backbone for m in sorted(chosen, key=lambda method: -method.rank)}


def ranks(config: Tree, exchange: str = DEFAULT) -> dict[str, int]:
    """Return the rank of each method that serves an exchange."""
    return {method.name: method.rank for method in methods_of(config, exchange)}


def product_settings(config: Tree, exchange: str = DEFAULT) -> dict[str, Any]:
    """Return the section products with the method and its references as they are for an exchange."""
    method, section = product_method(config, exchange), config["products"]
    return {**section, "method": method.name, "references": section["references"] or "; ".join(method.references)}


def backbone_labels(config: Tree) -> dict[str, str]:
    """Return how figures call the backbones of a run."""
    return {name: declaration(name).label for name in config["backbones"]}


def shown(config: Tree) -> dict[str, dict[str, Any]]:
    """Return how tables and figures show each method of a run, and those that the figures name."""
    names = dict.fromkeys([*config["methods"], config["figures"]["reference"], *config["figures"]["compared"]])
    known = {name: in_run(name, config) for name in methods() if name in names}
    return {
        name: {
            "label": method.label,
            "colour": method.colour,
            "rank": method.rank,
            "marker": method.marker,
            "line": method.line if isinstance(method.line, str) else [method.line[0], list(method.line[1])],
            "reference": method.reference,
            "network": method.per_backbone,
        }
        for name, method in known.items()
    }
