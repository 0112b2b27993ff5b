"""What benchmarks over several runs share: their options, and runs that differ by a few leaves of the configuration."""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dere.workflow.configuration import DEFAULTS, configuration

Run = Callable[[Sequence[Path], Path, int, int], None]
"""Makes a run from the given files, one of its own, cores and GPUs."""


def options(doc: str | None, folder: str) -> argparse.ArgumentParser:
    """Options that every one has; ``folder`` is where its tables go by default."""
    out = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("files", nargs="*", type=Path, help="configuration files, as for dere run")
    out.add_argument("--cores", type=int, default=1)
    out.add_argument("--gpu", type=int, default=0)
    out.add_argument("--folder", type=Path, default=Path(folder), help="for tables and figures")
    return out


def begin(arguments: argparse.Namespace) -> dict[str, Any]:
    """Log to the screen, make the folder, and return the complete configuration that was given."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    return configuration([DEFAULTS, *arguments.files])


def make(files: Sequence[Path], own: Path, cores: int, gpu: int) -> None:
    """Make a run up to its evaluation.

    Raises
    ------
    subprocess.CalledProcessError
        When it fails; its own messages stand above.
    """
    words = [sys.executable, "-m", "dere", "run", *map(str, files), str(own), "--cores", str(cores), "--gpu", str(gpu)]
    subprocess.run([*words, "--", "--until", "evaluate"], check=True)


def made(own: Mapping[str, Any], arguments: argparse.Namespace, run: Run) -> Path:
    """Make the run that differs by ``own`` and return its folder."""
    file = arguments.folder / f"{own['run']}.yaml"
    file.write_text(yaml.safe_dump(dict(own), sort_keys=False))
    run(arguments.files, file, arguments.cores, arguments.gpu)
    return Path("results") / own["run"]
