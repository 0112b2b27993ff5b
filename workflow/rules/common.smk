# Shared by the rule files (the normalised configuration, the code behind a script, look-ups by wildcard).
import shlex
import sys
from functools import cache
from pathlib import Path

SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))
from snakemake.exceptions import WorkflowError

from dere import exchange as exchanges, methods as declared
from dere.backbones import declaration
from dere.run_config.describe import described
from dere.run_config.root import Config, default_of, normalise
from dere.figures.catalogue import CATALOGUE, outputs
from dere.workflow import source_leaves, source_modules, targets
from dere.workflow.digest import covered, digest, share_package
from dere.workflow.loaded import note_modules

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


@cache
def code(script, *modules):
    """Return the digest of a rule's code: its script, what that imports, and further modules that it loads by name."""
    path = Path(workflow.basedir) / "workflow" / "scripts" / f"{script}.py"
    files = covered(path, SOURCE, modules)
    found = digest(files, SOURCE)
    note_modules(found, files)
    return found


def code_of_source(script, modules, *more):
    """Return the digest of a rule that reads sources: its script, their declarations and what reads them."""
    return code(script, *source_modules.with_readers(modules), *more)


def exchange_modules(name):
    """Return the modules that an exchange brings: its declaration, and what makes its labels."""
    maker = exchanges.get(name).labels.make
    own = [maker.partition(":")[0]] if isinstance(maker, str) and maker else []
    return [f"dere.exchange.{name}", *own]


ROOMS_OF_METHODS, ROOMS_OF_STAGES = declared.rooms()


def backbone_modules(wildcards):
    """Return the modules of a job's sequence network; none without one."""
    name = wildcards.backbone
    own = name != targets.NO_BACKBONE
    return [f"dere.backbones.{name}", declaration(name).module] if own else []


def code_of_stage(exchange, stage):
    """Return the function that gives the digest of a stage: its rule, its room, what fits it, its network."""
    devices = ["dere.workflow.devices"] if stage.env == "train" else []
    own = [ROOMS_OF_STAGES[stage.name], stage.module, *devices]

    def of_backbone(wildcards):
        return code(
            "train", f"dere.exchange.{exchange}", *own, *backbone_modules(wildcards)
        )

    return of_backbone


def code_of_method(script, exchange, method):
    """Return the function that gives the digest of a prediction: its rule, its room, what predicts, its network."""
    own = [ROOMS_OF_METHODS[method.name], method.module]

    def of_backbone(wildcards):
        return code(
            script, f"dere.exchange.{exchange}", *own, *backbone_modules(wildcards)
        )

    return of_backbone


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


def answer(ask):
    """Return what the files of a source say; stop with a sentence when they are wrong."""
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


CELLS_KEYS = ("window", "window_stride", "satellites")
SITES_KEYS = ("window", "satellites", "minimum_training_quality")
SHARED_DATA = ("drivers", "simulation", "cover")


def backbones_in_path(member):
    """Return the pattern of the backbones that a stage or method has in its paths."""
    return "|".join(config["backbones"]) if member.per_backbone else targets.NO_BACKBONE


PLACE = "{backbone}/fold{fold}/seed{seed}"


def in_run(exchange, path):
    """Return a path in the folder of an exchange; that of the default one is the folder of the run."""
    return f"<results>/{targets.prefix(exchange)}{path}"


def predictions_of(exchange, method, end=""):
    """Return the path of a method's predictions."""
    return in_run(exchange, f"predictions/{method.name}/{PLACE}{end}.nc")


def checkpoint_of_stage(exchange, stage):
    """Return the files that a stage leaves behind."""
    folder = in_run(exchange, f"models/{PLACE}/{stage.name}")
    names = ("model.safetensors", "manifest.json", "history.csv")
    return {name.partition(".")[0]: f"{folder}/{name}" for name in names}


def checkpoints(exchange, names, wildcards):
    """Return the files of fitted stages by ``parent_<stage>``."""
    found = {}
    for name in names:
        stage = declared.stages()[name]
        backbone = targets.backbone_of(stage, wildcards.backbone)
        files = checkpoint_of_stage(exchange, stage)
        found[f"parent_{name}"] = [
            files[file].format(
                backbone=backbone, fold=wildcards.fold, seed=wildcards.seed
            )
            for file in ("model", "manifest")
        ]
    return found


def checkpoints_of_method(exchange, method):
    """Return the function that gives the checkpoints that a method predicts from."""
    return lambda wildcards: checkpoints(exchange, method.predicts_from, wildcards)


def inputs_of_stage(exchange, stage):
    """Return the function that gives the canonical files and the checkpoints that a stage reads."""

    def files(wildcards):
        fold = f"fold{wildcards.fold}"
        known = {
            **{name: f"<data>/{name}.nc" for name in SHARED_DATA},
            "towers": in_run(exchange, "data/towers.nc"),
            "statistics": in_run(exchange, f"data/statistics/{fold}.nc"),
            "labels": in_run(exchange, f"labels/{fold}/seed{wildcards.seed}/labels.nc"),
        }
        return {
            "splits": in_run(exchange, "data/splits.csv"),
            **{name: known[name] for name in stage.reads},
            **checkpoints(exchange, stage.parents, wildcards),
        }

    return files


def section_of_stage(stage):
    """Return the settings of a stage, threads apart: they do not change its result."""
    tree = config
    for key in stage.path:
        tree = tree[key]
    return without(tree, stage.threads)


def threads_of_stage(stage):
    """Return the threads that a stage's settings state, else 1."""
    tree = config
    for key in stage.path if stage.threads else ():
        tree = tree[key]
    return tree[stage.threads] if stage.threads else 1


def memory_of_stage(stage):
    """Return the memory of a stage's job in MB."""
    return whole_in_memory(stage.memory) if stage.whole_input else stage.memory


def parameters_of_stage(stage):
    """Return the function that gives a stage its settings, its network's size, and how windows are cut."""
    keys = CELLS_KEYS if "simulation" in stage.reads else SITES_KEYS

    def parameters(wildcards):
        own = {"stage": section_of_stage(stage)} if stage.section else {}
        network = (
            {"backbone": config["networks"][wildcards.backbone]}
            if stage.per_backbone
            else {}
        )
        return {**own, **network, **parameters_of_method(keys)(wildcards)}

    return parameters


def parameters_of_method(keys):
    """Return the function that gives a prediction its network's name and how windows are cut."""

    def parameters(wildcards):
        return {
            "backbone_name": wildcards.backbone,
            "harmonise": {key: config["harmonise"][key] for key in keys},
        }

    return parameters


def without(tree, *keys):
    """Return a sub-tree without leaves that the rule gives by other means (threads) or does not read."""
    return {name: value for name, value in tree.items() if name not in keys}


def simulation_of_exchange(exchange):
    """Return the simulation's states of an exchange, where it has any."""
    states = exchanges.get(exchange).states
    return {"simulation": "<data>/simulation.nc"} if states else {}


def runs_of(config, pattern):
    """Return ``pattern`` for every fold and seed."""
    return expand(pattern, fold=config["folds"], seed=config["seeds"])


def files_of_exchange(exchange, names):
    """Return the prediction files of an exchange that ``names(config, exchange)`` lists."""
    folder = in_run(exchange, "predictions")
    return [f"{folder}/{name}.nc" for name in names(config, exchange)]


def evaluated_files(config, exchange):
    """Return what the evaluation reads beside predictions: truth and public maps, where the exchange has them."""
    files = truth_file(config) if exchange == exchanges.DEFAULT else {}
    if targets.has_map(config):
        files["products"] = in_run(exchange, "products")
    return files


def benchmarks_of_exchange(config, exchange):
    """Return the benchmark files of an exchange."""
    folder = in_run(exchange, "benchmarks")
    return [f"{folder}/{job}.tsv" for job in targets.benchmarks(config, exchange)]


def product_files(config, exchange):
    """Return the predictions that are given away, and the manifests of the networks behind them."""
    member = targets.product_member(config, exchange)
    folder = in_run(exchange, f"predictions/{member}")
    files = {"ensemble": f"{folder}/ensemble.nc"}
    if targets.has_map(config):
        files["cells"] = runs_of(config, f"{folder}/fold{{fold}}/seed{{seed}}_cells.nc")
        networks = targets.training_jobs(config, exchange)[member]["networks"][-1:]
        backbone = member.split("/")[1]
        files["manifests"] = manifests(
            config, exchange, [(backbone, n) for n in networks]
        )
    return files


def manifests(config, exchange, networks):
    """Return the manifests of (backbone, stage) of all folds and seeds."""
    folder = in_run(exchange, "models")
    return [
        manifest
        for backbone, stage in networks
        for manifest in runs_of(
            config,
            f"{folder}/{backbone}/fold{{fold}}/seed{{seed}}/{stage}/manifest.json",
        )
    ]


def prediction_manifests(config, exchange):
    """Return the manifests of all networks that predict, each once."""
    networks = {
        (member.split("/")[1], stage): None
        for member, parts in targets.training_jobs(config, exchange).items()
        for stage in parts["networks"]
    }
    return manifests(config, exchange, networks)


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
        method.name: targets.backbones_of(method, config)[0]
        for method in targets.methods_of(config)
    }
    if targets.compares_backbones(config):
        files["comparison"] = "<results>/tables/comparison.csv"
    files["predictions"] = [
        f"<results>/predictions/{m}/{backbone}/ensemble.nc"
        for m, backbone in members.items()
    ]
    networks = targets.networks(config)
    if networks:
        files["history"] = [
            f"<results>/models/{config['backbones'][0]}/{run}/{stage.name}/history.csv"
            for stage in networks
        ]
    if targets.has_imputation(config):
        files["labels"] = f"<results>/labels/{run}/labels.nc"
        files["history"].append(f"<results>/models/imputation/{run}/history.csv")
    if targets.has_map(config):
        files["products"] = "<results>/products"
        if "plant_fraction" in targets.product_method(config).gives:
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
    tables = ["provenance", "citations"]
    if targets.has_imputation(config):
        tables.append("imputation")
    return [
        "<results>/config.yaml",
        *(f"<results>/tables/{name}.csv" for name in tables),
        *(f"<results>/figures/{name}" for name in figure_files(config)),
        *(file for name in config["exchanges"] for file in complete(name)),
    ]


def complete(exchange):
    """Return the files of an exchange in a complete run."""
    tables = ("skill", "comparison", "cost")
    return [
        *(in_run(exchange, f"tables/{name}.csv") for name in tables),
        *files_of_exchange(exchange, targets.ensembles),
        in_run(exchange, "products"),
    ]
