"""What `make demo`, `make towers` and `make download` do: Snakemake, then the report and the summary of that run."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snakemake.cli import get_argument_parser, parse_config
from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

from dere.download.catalogue import names
from dere.io import unwritable
from dere.run_config.root import normalise
from dere.workflow import summary
from dere.workflow.one_run import call, held

log = logging.getLogger(__name__)

SNAKEMAKE = [sys.executable, "-m", "snakemake"]
LOOKS = (
    *("dryrun", "report", "lint", "summary", "detailed_summary", "dag", "rulegraph", "filegraph", "d3dag"),
    *("list_rules", "list_target_rules", "list_changes", "list_input_changes", "list_params_changes"),
    *("list_untracked", "list_conda_envs"),
)
"""Arguments of Snakemake that only look: they need no lock."""
PARTS = (
    *("targets", "until", "omit_from", "batch", "touch", "unlock", "cleanup_metadata", "conda_create_envs_only"),
    *("delete_all_output", "delete_temp_output"),
)
"""Arguments of Snakemake that leave a run unfinished: neither report nor summary follows."""


def read_arguments(words: Sequence[str]) -> Namespace:
    """Read the further arguments of Snakemake as Snakemake does.

    Raises
    ------
    ValueError
        When they give a configuration file: Snakemake heeds only the last list of them.
    """
    further = get_argument_parser().parse_args(list(words))
    if further.configfile:
        given = " ".join(str(file) for file in further.configfile)
        raise ValueError(
            f"ARGS: it holds --configfile {given}, which would take the place of the target's own file; give CONFIG=\""
            f'{given}" instead'
        )
    return further


def configuration(base: Path, overlays: Sequence[Path], settings: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the complete configuration of a run, put together as Snakemake does it.

    Parameters
    ----------
    base
        The defaults, ``config.yaml``.
    overlays
        Files of what differs; a later one counts more.
    settings
        What ``--config`` was given on the command line, as ``key=value``.

    Raises
    ------
    FileNotFoundError
        When an overlay does not exist.
    ValueError
        One sentence per unknown key or wrong value.
    """
    raw: dict[str, Any] = {}
    for file in (base, *overlays):
        if not file.exists():
            raise FileNotFoundError(f"{file} does not exist, but CONFIG names it; correct its path")
        try:
            update_config(raw, load_configfile(file))
        except WorkflowError as error:
            raise ValueError(f"{file} cannot be read as YAML ({error}); correct it") from None
    update_config(raw, parse_config(settings))
    return normalise(raw)


def make_run(overlays: Sequence[Path], machine: Sequence[str], words: Sequence[str]) -> int:
    """Make a run, its report and its summary; return the status of the first that fails."""
    further = read_arguments(words)
    folder = Path("results") / configuration(Path("config.yaml"), overlays, further.config)["run"]
    own = [*words, *_configfile(overlays)]
    command = [*SNAKEMAKE, *machine, *own]
    if any(getattr(further, name) for name in LOOKS):
        return call(command)
    require_writable(folder)
    with held(Path(), folder.name, lambda: _unlock(overlays)) as descriptors:
        status = call(command, descriptors)
        if status or any(getattr(further, name) for name in PARTS):
            return status
        status = write_report(folder, own)
    if not status:
        summary.main(folder)
    return status


def require_writable(folder: Path) -> None:
    """Check that a run may write into its folder, or make it.

    Raises
    ------
    ValueError
        When it may not.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise ValueError(
            f"{there.resolve()} cannot be written to, and the run {folder.name} writes below it; change its rights, or "
            "take a checkout on a disk that can be written to"
        )


def write_report(folder: Path, arguments: Sequence[str]) -> int:
    """Write the report of a run unless it is newer than everything in it; return Snakemake's status."""
    report = folder / "report.html"
    sources = [folder / "figures", folder / "tables", folder / "config.html", Path("workflow", "report")]
    files = [file for source in sources for file in (source, *source.rglob("*")) if file.exists()]
    if report.exists() and max(file.stat().st_mtime for file in files) <= report.stat().st_mtime:
        return 0
    sys.stdout.write(f"Writing {report}.\n")
    sys.stdout.flush()
    text = folder / "logs" / "report.log"
    with text.open("w") as stream:
        status = call([*SNAKEMAKE, *arguments, "--report", str(report)], stdout=stream, stderr=stream)
    if status:
        sys.stderr.write(text.read_text())
    return status


def download(source: str, overlays: Sequence[Path], machine: Sequence[str], words: Sequence[str]) -> int:
    """Fetch a published data set.

    Raises
    ------
    ValueError
        When there is none of that name.
    """
    if source not in names():
        raise ValueError(f"SOURCE: {source} is not a published data set; choose from {', '.join(names())}")
    further = read_arguments(words)
    configuration(Path("config.yaml"), overlays, further.config)
    target = [*SNAKEMAKE, f"download_{source}", *machine, "--forcerun", "download", *words, *_configfile(overlays)]
    if any(getattr(further, name) for name in LOOKS):
        return call(target)
    with held(Path(), f"download_{source}", lambda: _unlock(overlays)) as descriptors:
        return call(target, descriptors)


def _configfile(overlays: Sequence[Path]) -> list[str]:
    """Last of all arguments, because Snakemake takes every following word for another file."""
    return ["--configfile", *(str(file) for file in overlays)] if overlays else []


def _unlock(overlays: Sequence[Path]) -> None:
    call([*SNAKEMAKE, "--unlock", "--quiet", "--cores", "1", *_configfile(overlays)])


def main(arguments: Sequence[str]) -> int:
    """Read the variables of the Makefile and return the exit status."""
    own = list(arguments[: arguments.index("--")]) if "--" in arguments else list(arguments)
    words = list(arguments[len(own) + 1 :])
    parser = argparse.ArgumentParser(prog="python -m dere.workflow.launch", description=__doc__)
    parser.add_argument("--overlay", nargs="*", default=[], type=Path, help="configuration files after config.yaml")
    parser.add_argument("--cores", default="1", help="as for Snakemake")
    parser.add_argument("--gpu", default="0", help="trainings at a time on the GPU; 0 = on the CPU")
    parser.add_argument("--source", help="data set to download, instead of a run")
    variables = parser.parse_args(own)
    machine = ["--resources", f"gpu={variables.gpu}", "--cores", variables.cores]
    try:
        if variables.source:
            return download(variables.source, variables.overlay, machine, words)
        return make_run(variables.overlay, machine, words)
    except (ValueError, FileNotFoundError) as error:
        log.error("%s", error)
        return 1
    except OSError as error:
        if (sentence := unwritable(error)) is None:
            raise
        log.error("%s", sentence)
        return 1


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main(sys.argv[1:]))
