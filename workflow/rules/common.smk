# What the rule files share: the normalised configuration, the code behind a script, and look-ups by wildcard.
import os
import sys
from pathlib import Path

SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))
# Rule scripts run in their own process; they read the package from the checkout, whatever environment they have.
os.environ["PYTHONPATH"] = os.pathsep.join(
    dict.fromkeys([str(SOURCE), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
)

from snakemake.exceptions import WorkflowError

from dere.config.root import normalise
from dere.workflow import targets
from dere.workflow.closure import code_files


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
    files = code_files(Path(workflow.basedir) / "workflow" / "scripts" / f"{script}.py", SOURCE)
    return [os.path.relpath(path) for path in files]


def source_files(path, built_in):
    """Return the files of a source folder, or the built-in world's folder when no path is given."""
    return folder_files(path) if path else [built_in]


def folder_files(path):
    """Return every file below a folder; stop with a sentence when there is none."""
    found = sorted(str(file) for file in Path(path).rglob("*") if file.is_file())
    if not found:
        raise WorkflowError(f"{path}: this source folder does not exist or is empty; correct the path under sources")
    return found


def tower_files(config):
    """Return the tower files of a run, the built-in world's virtual towers included."""
    paths = config["sources"]["towers"]["paths"]
    given = [file for path in paths for file in folder_files(path)]
    return given or ["<results>/raw/towers", "<results>/raw/virtual_towers"]


def checkpoint_of(rule):
    """Return the two files of a training rule that its successors read."""
    return [rule.output.model, rule.output.manifest]


CELLS_KEYS = ("window", "window_stride", "satellites")
TOWERS_KEYS = ("window", "satellites", "minimum_training_quality")


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
