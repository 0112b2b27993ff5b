"""The configuration that some files describe, put together as Snakemake does it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snakemake.cli import parse_config
from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

from dere.run_config.root import normalise
from dere.run_config.yaml_files import check_file

DEFAULTS = Path("config.yaml")
"""What the Snakefile reads before any other file."""


def configuration(files: Sequence[Path], settings: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the complete configuration of a run.

    Parameters
    ----------
    files
        Configuration files; a later one counts more.
    settings
        What ``--config`` was given on the command line, as ``key=value``.

    Raises
    ------
    FileNotFoundError
        When a file does not exist.
    ValueError
        One sentence per unknown key or wrong value, or when a file or a setting cannot be read, a key stands twice, or
        a file multiplies by its aliases.
    """
    raw: dict[str, Any] = {}
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"{file} is no file, but it is given as a configuration file; correct its path")
        check_file(file)
        try:
            update_config(raw, load_configfile(file))
        except (WorkflowError, ValueError) as error:
            raise ValueError(f"{file} cannot be read as YAML ({error}); correct it") from None
    try:
        update_config(raw, parse_config(settings))
    except ValueError as error:
        raise ValueError(f"--config {' '.join(settings or ())}: {error}") from None
    return normalise(raw)
