# What rules of stages and methods read, leave behind and get as parameters.


def whole_in_memory(least):
    """Return the memory of a job that holds all its input: ``least`` MB, or 2.5 times the files and 2 GB where more."""

    def megabytes(wildcards, input):
        return max(least, 2000 + int(2.5 * input.size_mb))

    return megabytes


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
