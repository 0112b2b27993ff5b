"""What `dere run` and `dere download` do: Snakemake, then the report and the summary of that run."""

from __future__ import annotations

import os
import sys
import threading
from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from snakemake.cli import get_argument_parser

from dere.download.catalogue import names
from dere.io import file_sha256, write_atomically
from dere.workflow import summary
from dere.workflow.configuration import DEFAULTS, configuration
from dere.workflow.messages import GO_ON
from dere.workflow.missing_sources import missing_sources
from dere.workflow.one_run import call, held
from dere.workflow.plan import STATE
from dere.workflow.runs_on import runs_on

# -P: modules beside it are no modules of the search path
SNAKEMAKE = [sys.executable, "-P", str(Path(__file__).with_name("snakemake.py"))]
INTERRUPTED = 130
"""Status of a run that Ctrl-C ended, as of a shell."""
LOOKS = (
    *("dryrun", "report", "lint", "summary", "detailed_summary", "dag", "rulegraph", "filegraph", "d3dag"),
    *("list_rules", "list_target_rules", "list_changes", "list_input_changes", "list_params_changes"),
    *("list_untracked", "list_conda_envs"),
)
"""Arguments of Snakemake that only look: they need no lock."""
SHOWN = ("figures", "tables", "config.html", "changes.html", "opening.html")
"""What of a run its report shows."""
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
            f"--configfile {given} among the words for Snakemake would take the place of every other file; give it as "
            f'a configuration file of its own (dere run {given}; with make, CONFIG="{given}")'
        )
    return further


def make_run(overlays: Sequence[Path], machine: Sequence[str], words: Sequence[str]) -> int:
    """Make a run in the working directory, its report and its summary; return the status of the first that fails.

    Parameters
    ----------
    overlays
        Configuration files after ``config.yaml``; a later one counts more.
    machine
        Arguments of Snakemake about the machine, for the run but not for the report.
    words
        Further arguments of Snakemake.

    Raises
    ------
    FileNotFoundError, ValueError
        One sentence: a file or a source is missing, the configuration is wrong, the run's folder may not be written to,
        or the run is being made already.
    """
    further = read_arguments(words)
    config = configuration([DEFAULTS, *overlays], further.config)
    folder = Path("results") / config["run"]
    own = [*words, *_configfile(overlays)]
    command = [*SNAKEMAKE, *machine, *own]
    if any(getattr(further, name) for name in LOOKS):
        return call(command)
    if missing := missing_sources(config):
        raise ValueError("\n".join(missing))
    require_writable(folder)
    with held(Path(), folder.name, lambda: _unlock(overlays)) as descriptors:
        tell(runs_on(config))
        status = interruptible(command, descriptors)
        if status or any(getattr(further, name) for name in PARTS):
            return status
        status = write_report(folder, own)
    if not status:
        summary.main(folder)
    return status


def tell(line: str) -> None:
    """Write a line to the console before anything that other processes write."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def interruptible(command: list[str], descriptors: tuple[int, ...] = (), says: bool = True, **options: Any) -> int:
    """Call Snakemake; where Ctrl-C ended it, see that this is said and return the status of a shell.

    Parameters
    ----------
    says
        Snakemake's messages are on the screen: once jobs run, they say it (status 1).
    """
    interrupted = threading.Event()
    status = call(command, descriptors, on_interrupt=interrupted.set, **options)
    if not status or not interrupted.is_set():
        return status
    if not says or status != 1:
        sys.stderr.write(f"{GO_ON}\n")
    return INTERRUPTED


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
    """Write the report of a run unless it is of the very files that stand there; return Snakemake's status."""
    report, note = folder / "report.html", STATE / "reports" / f"{folder.name}.txt"
    if report.is_file() and note.is_file() and note.read_text(encoding="utf-8") == _shown_in(report):
        return 0
    tell(f"Writing {report}.")
    text = folder / "logs" / "report.log"
    with text.open("w") as stream:
        command = [*SNAKEMAKE, *arguments, "--report", str(report)]
        status = interruptible(command, says=False, stdout=stream, stderr=stream)
    if status and status != INTERRUPTED:
        sys.stderr.write(text.read_text())
    elif not status:
        note.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(note, partial(Path.write_text, data=_shown_in(report), encoding="utf-8"))
    return status


def _shown_in(report: Path) -> str:
    """Return the sums of a report and of all that it shows: no date tells, because clocks are set and files copied."""
    # of a further exchange they lie in a folder of its name
    places = [p for name in SHOWN for where in (name, f"*/{name}") for p in sorted(report.parent.glob(where))]
    places += [Path("workflow", "report"), Path(__file__).with_name("report_text.py"), report]
    files = [file for place in places for file in (place, *sorted(place.rglob("*"))) if file.is_file()]
    return "\n".join(f"{file_sha256(file)}  {os.path.relpath(file)}" for file in files)


def download(source: str, overlays: Sequence[Path], machine: Sequence[str], words: Sequence[str]) -> int:
    """Fetch a published data set, or check it; arguments and errors as for `make_run`.

    Raises
    ------
    ValueError
        When there is none of that name.
    """
    if source not in names():
        raise ValueError(f"{source} is not a published data set; choose from {', '.join(names())}")
    further = read_arguments(words)
    configuration([DEFAULTS, *overlays], further.config)
    target = [*SNAKEMAKE, f"download_{source}", *machine, "--forcerun", "download", *words, *_configfile(overlays)]
    if any(getattr(further, name) for name in LOOKS):
        return call(target)
    with held(Path(), f"download_{source}", lambda: _unlock(overlays)) as descriptors:
        return interruptible(target, descriptors)


def _configfile(overlays: Sequence[Path]) -> list[str]:
    """Last of all arguments, because Snakemake takes every following word for another file."""
    return ["--configfile", *(str(file) for file in overlays)] if overlays else []


def _unlock(overlays: Sequence[Path]) -> None:
    call([*SNAKEMAKE, "--unlock", "--quiet", "--cores", "1", *_configfile(overlays)])
