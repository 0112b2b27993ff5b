# What rules of stages and methods read, leave behind and get as parameters.


def whole_in_memory(least):
    """Return the memory of a job that holds all its input: ``least`` MB, or 2.5 times the files and 2 GB where more."""

    def megabytes(wildcards, input):
        return max(least, 2000 + int(2.5 * input.size_mb))

    return megabytes


def checkpoint_of(stage):
    """Return the two files of a training rule that its successors read."""
    return [stage.output.model, stage.output.manifest]


def backbones_in_path(member):
    """Return the pattern of the backbones that a stage or method has in its paths."""
    return "|".join(config["backbones"]) if member.per_backbone else targets.NO_BACKBONE


def in_run(exchange, path):
    """Return a path in the folder of an exchange; that of the default one is the folder of the run."""
    return f"<results>/{targets.prefix(exchange)}{path}"


def predictions_of(exchange, method, cells=False):
    """Return the path of a method's predictions."""
    return f"<results>/{layout.predictions(exchange, method.name, cells)}"


def checkpoint_of_stage(exchange, stage):
    """Return the files that a stage leaves behind."""
    folder = f"<results>/{layout.checkpoint(exchange, stage.name)}"
    return {name: f"{folder}/{file}" for name, file in layout.CHECKPOINT.items()}


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
        known = layout.canonical(exchange)
        place = {"fold": wildcards.fold, "seed": wildcards.seed}
        return {
            **{
                name: f"<results>/{known[name].format(**place)}"
                for name in ("splits", *stage.reads)
            },
            **checkpoints(exchange, stage.parents, wildcards),
        }

    return files


def memory_of_stage(stage):
    """Return the memory of a stage's job in MB."""
    return whole_in_memory(stage.memory) if stage.whole_input else stage.memory


def parameters_of_stage(stage):
    """Return the function that gives a stage its parameters."""
    return lambda wildcards: parameters.of_stage(config, stage, wildcards.backbone)


def parameters_of_method(keys):
    """Return the function that gives a prediction its parameters."""
    return lambda wildcards: parameters.of_method(config, wildcards.backbone, keys)


def predictions_of_parts(exchange, method, cells=False):
    """Return the function that gives the predictions of a method's parts by ``part_<method>``."""

    def files(wildcards):
        place = {"fold": wildcards.fold, "seed": wildcards.seed}
        return {
            f"part_{part}": "<results>/"
            + layout.predictions(exchange, part, cells).format(
                backbone=backbone, **place
            )
            for part, backbone in targets.parts_of(method, wildcards.backbone).items()
        }

    return files


def parameters_of_combination(method):
    """Return the function that gives a prediction by a method over methods its parameters."""
    return lambda wildcards: parameters.of_combination(
        config, method.parts, wildcards.backbone
    )
