# Shared by the rule files (the normalised configuration, the code behind a script).
import os
import shlex
import sys
from functools import cache
from pathlib import Path

SOURCE = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SOURCE))
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger as snakemake_logger

from dere.workflow.compiled import drop_outdated

# before any other module of the package is loaded
if workflow.is_main_process:
    drop_outdated(SOURCE.rglob("*.py"))

from dere import exchange as exchanges, methods as declared, plugins, versions
from dere.backbones import declaration, module_of
from dere.run_config.compose import composed
from dere.run_config.describe import described
from dere.run_config.mixture import refused_mixture
from dere.run_config.root import default_of, normalise
from dere.run_config.yaml_files import check_file
from dere.figures.catalogue import CATALOGUE, outputs
from dere.workflow import (
    known_sources,
    layout,
    messages,
    opening_plan,
    parameters,
    source_folder,
    source_leaves,
    source_modules,
    targets,
)
from dere.workflow.digest import covered, share_package
from dere.workflow.job_record import records
from dere.workflow.layout import PLACE
from dere.workflow.parameters import CELLS_KEYS, SITES_KEYS
from dere.workflow.plan import PLAN, agreed_values, begin
from dere.workflow.planned import Maker, content_of
from dere.workflow.preloaded.starting import start, worthwhile
from dere.workflow.tower_folders import tower_folders
from dere.workflow.version_policy import NEVER, said
from dere.workflow.world_files import refused_files

share_package(SOURCE)
if workflow.is_main_process:
    known_sources.keep()
# Jobs that plan again, as on a cluster, are handed the plan of the call that started them.
if workflow.is_main_process and (unplanned := begin()) and not workflow.dryrun:
    snakemake_logger.warning(unplanned)
messages.rewrite(snakemake_logger)
# Snakemake writes the interpreter into shell commands as it is; the folder of an environment may hold spaces.
if Path(sys.executable).exists():
    sys.executable = shlex.quote(sys.executable)


def preload():
    """Let the jobs of this call start from a process that has loaded the libraries, where that is worth while."""
    here = workflow.is_main_process and workflow.local_exec and not workflow.touch
    own = not workflow.deployment_settings.deployment_method
    if here and own and worthwhile(len(list(workflow.dag.needrun_jobs()))):
        sys.executable = start(shlex.split(sys.executable)[0])


def schedule_on_change():
    """Let Snakemake look for jobs to start when one has ended, and not each second once more for every one that has.

    Its limit of jobs per second (100) looks again after a second whenever it has looked, so that the looks add up: on
    one machine, where that many jobs never start, they took a seventh as long as the jobs of a run of 361.
    """
    if workflow.local_exec and hasattr(workflow.scheduler, "job_rate_limiter"):
        workflow.scheduler.job_rate_limiter = None


onstart:
    preload()
    schedule_on_change()


def normalise_in_place(raw):
    """Replace the configuration by its complete, validated form; stop with a sentence on a wrong file, key or value."""
    try:
        # Snakemake has loaded them, but of a key that stands twice it keeps the last one
        for file in dict.fromkeys(map(Path, workflow.configfiles)):
            check_file(file)
        complete = normalise(raw)
    except (FileNotFoundError, ValueError) as error:
        raise WorkflowError(str(error)) from None
    if refused := refused_mixture(complete) or refused_files(complete):
        raise WorkflowError(refused)
    raw.clear()
    raw.update(agreed_values("configuration", complete))


def handed_on():
    """Return the environment variables that jobs get wherever they run."""
    return [PLAN] if PLAN in os.environ else []


@cache
def code_files(script, *modules):
    """Return the files of a rule's code: its script, what that imports, and further modules that it loads by name."""
    path = Path(workflow.basedir) / "workflow" / "scripts" / f"{script}.py"
    return covered(path, SOURCE, modules, plugins.files())


def made_by(script, *modules, of="", run=None, chosen=None):
    """Return the parameters that say what makes the files of a rule: its code and the versions of packages.

    ``of`` tells rules of one script apart; ``chosen`` gives further modules from the wildcards.
    """

    def files(wildcards):
        more = chosen(wildcards) if chosen else ()
        return code_files(script, *modules, *more)

    job = " ".join(filter(None, [run or config["run"], script, of]))
    return Maker(job, files, SOURCE, version_policy()).parameters()


def version_policy():
    """Return what other versions of packages do; where rules have environments, Snakemake compares those."""
    own = map(str, workflow.deployment_settings.deployment_method)
    return NEVER if "conda" in own else config["rerun_on_versions"]


def tell_of_other_versions():
    """Say at the start of a call which jobs of the run were made with other versions of packages."""
    if workflow.is_main_process:
        today = versions.here()
        if text := said(records(config["run"]), today, version_policy()):
            snakemake_logger.warning(text)


def read_by(script, modules, *more):
    """Return the same for what reads sources: a script, their declarations and readers."""
    return made_by(script, *source_modules.with_readers(modules), *more)


def exchange_modules(name):
    """Return the modules that an exchange brings: its declaration, and what makes its labels and states."""
    exchange = exchanges.get(name)
    makers = [exchange.labels.make, exchange.simulate]
    own = [
        maker.partition(":")[0] for maker in makers if isinstance(maker, str) and maker
    ]
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


def made_by_stage(exchange, stage):
    """Return what makes the files of a stage: its rule, its room, what fits it, its network."""
    devices = ["dere.workflow.devices"] if stage.env == "train" else []
    return made_by(
        "train",
        f"dere.exchange.{exchange}",
        *(room_of_stage(stage), stage.module, *devices),
        of=f"{exchange} {stage.name}",
        chosen=backbone_modules,
    )


def made_by_method(script, exchange, method):
    """Return what makes the files of a prediction: its rule, its room, what predicts, its network."""
    return made_by(
        script,
        f"dere.exchange.{exchange}",
        *(room_of_method(method), method.module),
        of=f"{exchange} {method.name}",
        chosen=backbone_modules,
    )


def made_by_combination(script, exchange, method):
    """Return what makes the files of a prediction by a method over methods: its rule, its room, what combines."""
    return made_by(
        script,
        f"dere.exchange.{exchange}",
        *(room_of_method(method), method.module),
        of=f"{exchange} {method.name}",
    )
