# Shared by the rule files (the normalised configuration, the code behind a script, look-ups by wildcard).
import os
import shlex
import sys
from pathlib import Path

SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))
from snakemake.exceptions import WorkflowError

from dere.config.root import normalise
from dere.figures.catalogue import CATALOGUE, outputs
from dere.workflow import source_leaves, targets
from dere.workflow.closure import code_files, share_package

share_package(SOURCE)
# Snakemake writes the interpreter into shell commands as it is; the folder of an environment may hold spaces.
if Path(sys.executable).exists():
    sys.executable = shlex.quote(sys.executable)


def normalise_in_place(raw):
    """Replace the configuration by its complete, validated form; stop with a sentence on a wrong key or value."""
    try:
        complete = normalise(raw)
    except ValueError as error:
        raise WorkflowError(str(error)) from None
    raw.clear()
    raw.update(complete)


def code(script):
    """Return the script of a rule and all package files it runs, relative to the workflow's folder."""
    files = code_files(
        Path(workflow.basedir) / "workflow" / "scripts" / f"{script}.py", SOURCE
    )
    return [os.path.relpath(path) for path in files]


def network_code(script):
    """Return the function that gives the code of a rule and that of its backbone, and of no other backbone."""
    modules = SOURCE / "dere" / "backbones"

    def files(wildcards):
        network = code_files(modules / f"{wildcards.backbone}.py", SOURCE)
        return sorted({*code(script), *(os.path.relpath(path) for path in network)})

    return files


def whole_in_memory(least):
    """Return the memory of a job that holds all its input: ``least`` MB, or 2.5 times the files and 2 GB where more."""

    def megabytes(wildcards, input):
        return max(least, 2000 + int(2.5 * input.size_mb))

    return megabytes


def source_files(path, built_in):
    """Return the files of a source folder, or the built-in world's folder when no path is given."""
    return folder_files(path) if path else [built_in]


def folder_files(path):
    """Return every file below a folder; stop with a sentence when there is none."""
    found = sorted(str(file) for file in Path(path).rglob("*") if file.is_file())
    if not found:
        raise WorkflowError(
            f"{path}: this source folder does not exist or is empty; correct the path under sources"
        )
    return found


def array_files(config):
    """Return the files of a simulation that brings cover or towers, and its table of coordinates."""
    source = config["sources"]["simulation"]
    return [*folder_files(source["path"]), *coordinate_files(config)]


def coordinate_files(config):
    """Return the table of coordinates of a simulation that has one."""
    given = config["sources"]["simulation"]["coordinates"]
    return [given] if given else []


def arrays_of(config, source):
    """Return the simulation's sub-tree where a source is part of its arrays, else nothing."""
    own = config["sources"][source]["provider"] == "dere"
    return source_leaves.ingested_simulation(config) if own else {}


def tower_files(config):
    """Return the tower files of a run, the built-in world's virtual towers included."""
    if config["sources"]["towers"]["provider"] == "dere":
        return array_files(config)
    paths = config["sources"]["towers"]["paths"]
    given = [file for path in paths for file in folder_files(path)]
    return given or ["<results>/raw/towers", "<results>/raw/virtual_towers"]


def cover_files(config):
    """Return the files of the plant-type maps; none where plant types follow from the site's class."""
    source = config["sources"]["cover"]
    if source["provider"] == "dere":
        return array_files(config)
    return (
        source_files(source["path"], "<results>/raw/cover")
        if source["provider"] == "files"
        else []
    )


def cover_question(ask):
    """Return what the folder of the maps says; stop with a sentence when it is wrong."""
    try:
        return ask(config)
    except (ValueError, FileNotFoundError) as error:
        raise WorkflowError(str(error)) from None


def stand_ages(config):
    """Return the stand ages that the columns of the age tables stand for."""
    return (
        config["world"]["ages"]
        if config["world"]
        else config["sources"]["simulation"]["ages"]
    )


def truth_file(config):
    """Return the output that only the built-in world has."""
    return {"truth": "<data>/truth.nc"} if targets.has_truth(config) else {}


def interim_files(config):
    """Return what harmonise reads: all ingested sources of the run, and the world's truth."""
    files = {"cover": "<interim>/cover.nc", "towers": "<interim>/towers.nc"}
    files |= {
        f"provenance_{name}": f"<interim>/provenance_{name}.csv" for name in list(files)
    }
    if config["sources"]["simulation"]["provider"] == "files":
        names = {
            "forcing": "forcing.nc",
            "simulation": "simulation.nc",
            "provenance_simulation": "provenance_simulation.csv",
        }
        files |= {name: f"<interim>/{file}" for name, file in names.items()}
    if targets.has_truth(config):
        files["truth"] = "<results>/raw/truth"
    return files


def checkpoint_of(stage):
    """Return the two files of a training rule that its successors read."""
    return [stage.output.model, stage.output.manifest]


NETWORK_METHODS = "|".join(targets.STAGES_OF_METHOD)
CELLS_KEYS = ("window", "window_stride", "satellites")
TOWERS_KEYS = ("window", "satellites", "minimum_training_quality")


def networks_of_method(wildcards):
    """Return the checkpoints that a method predicts from."""
    names = ("model.safetensors", "manifest.json")
    return {
        f"parent_{stage}": [
            f"<results>/models/{wildcards.backbone}/fold{wildcards.fold}/seed{wildcards.seed}/{stage}/{name}"
            for name in names
        ]
        for stage in targets.PARENTS_OF_METHOD[wildcards.method]
    }


def stage_parameters(stage, keys):
    """Return the function that gives a stage its sub-tree: training, network size, and how windows are cut."""

    def parameters(wildcards):
        return {
            "stage": config["stages"][stage],
            **network_parameters(wildcards, keys),
        }

    return parameters


def network_parameters(wildcards, keys):
    """Return the network's name and size and how windows are cut."""
    return {
        "backbone_name": wildcards.backbone,
        "backbone": config["networks"][wildcards.backbone],
        "harmonise": {key: config["harmonise"][key] for key in keys},
    }


def without(tree, key):
    """Return a sub-tree without one leaf, which the rule gives by other means (threads)."""
    return {name: value for name, value in tree.items() if name != key}


def evaluated_files(config):
    """Return what the evaluation reads beside predictions: truth and public maps, where the run has them."""
    files = truth_file(config)
    if targets.has_map(config):
        files["products"] = "<results>/products"
    return files


def runs_of(config, pattern):
    """Return ``pattern`` for every fold and seed."""
    return expand(pattern, fold=config["folds"], seed=config["seeds"])


def map_files(config):
    """Return the map predictions and the manifests of the networks behind them, where the run has maps."""
    if not targets.has_map(config):
        return {}
    member = targets.product_member(config)
    method, backbone = member.split("/")
    stage = targets.PARENTS_OF_METHOD[method][-1]
    return {
        "cells": runs_of(
            config, f"<results>/predictions/{member}/fold{{fold}}/seed{{seed}}_cells.nc"
        ),
        "manifests": runs_of(
            config,
            f"<results>/models/{backbone}/fold{{fold}}/seed{{seed}}/{stage}/manifest.json",
        ),
    }


def prediction_manifests(config):
    """Return the manifests of all checkpoints that predict, each once."""
    networks = {
        (member.split("/")[1], stage): None
        for member, parts in targets.training_jobs(config).items()
        for stage in parts["networks"]
    }
    return [
        manifest
        for backbone, stage in networks
        for manifest in runs_of(
            config,
            f"<results>/models/{backbone}/fold{{fold}}/seed{{seed}}/{stage}/manifest.json",
        )
    ]


def figure_inputs(config):
    """Return the files that the figures can use, by the names of the catalogue."""
    fold, seed = config["folds"][0], config["seeds"][0]
    run = f"fold{fold}/seed{seed}"
    tables = ("skill", "paired", "calibration", "roles")
    files = {name: f"<results>/tables/{name}.csv" for name in tables}
    files |= {
        name: f"<data>/{name}.nc" for name in ("towers", "drivers", "cover")
    } | truth_file(config)
    members = {
        method: targets.backbones_of(method, config)[0] for method in config["methods"]
    }
    if targets.compares_backbones(config):
        files["comparison"] = "<results>/tables/comparison.csv"
    files["predictions"] = [
        f"<results>/predictions/{m}/{backbone}/ensemble.nc"
        for m, backbone in members.items()
    ]
    stages = targets.stages(config)
    if stages:
        files["history"] = [
            f"<results>/models/{config['backbones'][0]}/{run}/{s}/history.csv"
            for s in stages
        ]
    if "dere" in config["methods"]:
        files["labels"] = f"<results>/labels/{run}/labels.nc"
        files["history"].append(f"<results>/models/imputation/{run}/history.csv")
    if targets.has_map(config):
        files["products"] = "<results>/products"
        method = config["products"]["method"]
        if "plant_types_observed" in targets.STAGES_OF_METHOD[method]:
            files["learned"] = (
                f"<results>/predictions/{targets.product_member(config)}/{run}_cells.nc"
            )
    return files


def figure_files(config):
    """Return the names of all files that the figures write."""
    settings = config["figures"]
    return outputs(figure_inputs(config), settings["formats"], settings["skip"])


def figure_outputs(config):
    """Return the files of the figures; the first format of each goes into the report with its caption."""
    found = {}
    for name in figure_files(config):
        stem, suffix = name.rsplit(".", 1)
        path = f"<results>/figures/{name}"
        if suffix == config["figures"]["formats"][0]:
            path = report(
                path,
                caption=f"../report/{stem}.rst",
                category=CATALOGUE[stem].category,
                labels={"figure": stem.replace("_", " ")},
            )
        found[f"{stem}_{suffix}"] = path
    return found


def everything(config):
    """Return the files of a complete run."""
    tables = ("skill", "comparison", "cost", "provenance", "citations")
    return [
        "<results>/config.yaml",
        *(f"<results>/tables/{name}.csv" for name in tables),
        *(
            f"<results>/predictions/{member}/ensemble.nc"
            for member in targets.members(config)
        ),
        "<results>/products",
        *(f"<results>/figures/{name}" for name in figure_files(config)),
    ]
