# Shared by the rule files (the normalised configuration, the code behind a script).
import shlex
import sys
from functools import cache
from pathlib import Path

SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))
from snakemake.exceptions import WorkflowError

from dere import exchange as exchanges, methods as declared, plugins
from dere.backbones import declaration, module_of
from dere.run_config.compose import composed
from dere.run_config.describe import described
from dere.run_config.mixture import refused_mixture
from dere.run_config.root import default_of, normalise
from dere.run_config.yaml_files import check_file
from dere.figures.catalogue import CATALOGUE, outputs
from dere.workflow import (
    layout,
    parameters,
    source_folder,
    source_leaves,
    source_modules,
    targets,
)
from dere.workflow.digest import covered, digest, share_package
from dere.workflow.layout import PLACE
from dere.workflow.loaded import note_modules
from dere.workflow.parameters import CELLS_KEYS, SITES_KEYS, without

share_package(SOURCE)
# Snakemake writes the interpreter into shell commands as it is; the folder of an environment may hold spaces.
if Path(sys.executable).exists():
    sys.executable = shlex.quote(sys.executable)


def normalise_in_place(raw):
    """Replace the configuration by its complete, validated form; stop with a sentence on a wrong file, key or value."""
    try:
        # Snakemake has loaded them, but of a key that stands twice it keeps the last one
        for file in dict.fromkeys(map(Path, workflow.configfiles)):
            check_file(file)
        complete = normalise(raw)
    except (FileNotFoundError, ValueError) as error:
        raise WorkflowError(str(error)) from None
    if refused := refused_mixture(complete):
        raise WorkflowError(refused)
    raw.clear()
    raw.update(complete)


@cache
def code(script, *modules):
    """Return the digest of a rule's code: its script, what that imports, and further modules that it loads by name."""
    path = Path(workflow.basedir) / "workflow" / "scripts" / f"{script}.py"
    files = covered(path, SOURCE, modules, plugins.files())
    found = digest(files, SOURCE)
    note_modules(found, files)
    return found


def code_of_source(script, modules, *more):
    """Return the digest of the code that reads sources: a script, their declarations and readers."""
    return code(script, *source_modules.with_readers(modules), *more)


def exchange_modules(name):
    """Return the modules that an exchange brings: its declaration, and what makes its labels."""
    maker = exchanges.get(name).labels.make
    own = [maker.partition(":")[0]] if isinstance(maker, str) and maker else []
    return [f"dere.exchange.{name}", *own]


def room_of_stage(stage):
    """Return the module that declares a stage."""
    return declared.rooms()[1][stage.name]


def room_of_method(method):
    """Return the module that declares a method."""
    return declared.rooms()[0][method.name]


def backbone_rooms(wildcards):
    """Return the module that declares a job's sequence network; none without one."""
    name = wildcards.backbone
    return [] if name == targets.NO_BACKBONE else [module_of(name)]


def backbone_modules(wildcards):
    """Return the modules of a job's sequence network; none without one."""
    own = backbone_rooms(wildcards)
    return [*own, declaration(wildcards.backbone).module] if own else []


def plugins_of(room):
    """Return the function that gives the plug-ins that a job loads: that of its method, that of its network."""

    def texts(wildcards):
        return plugins.used(config["plugins"], [room, *backbone_rooms(wildcards)])

    return texts


def code_of_stage(exchange, stage):
    """Return the function that gives the digest of a stage: its rule, its room, what fits it, its network."""
    devices = ["dere.workflow.devices"] if stage.env == "train" else []
    own = [room_of_stage(stage), stage.module, *devices]

    def of_backbone(wildcards):
        return code(
            "train", f"dere.exchange.{exchange}", *own, *backbone_modules(wildcards)
        )

    return of_backbone


def code_of_method(script, exchange, method):
    """Return the function that gives the digest of a prediction: its rule, its room, what predicts, its network."""
    own = [room_of_method(method), method.module]

    def of_backbone(wildcards):
        return code(
            script, f"dere.exchange.{exchange}", *own, *backbone_modules(wildcards)
        )

    return of_backbone
