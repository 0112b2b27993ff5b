"""The configuration of a run that lies in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dere.run_config.root import normalise
from dere.run_config.yaml_files import read_yaml
from dere.workflow import layout


def read_configuration(folder: Path) -> dict[str, Any]:
    """Return the complete configuration of a run.

    Raises
    ------
    FileNotFoundError
        When the folder or its configuration does not exist.
    ValueError
        One sentence per wrong key or value, or what is wrong with the file.
    """
    if not folder.is_dir():
        there = "is no folder" if folder.exists() else "does not exist"
        raise FileNotFoundError(f"{folder} {there}, but the folder of a run is expected; correct the path")
    file = folder / layout.CONFIGURATION
    if not file.exists():
        raise FileNotFoundError(
            f"{file} does not exist, but every run states its configuration there; make it with snakemake {file}, or "
            "write what differs from the defaults"
        )
    if not file.is_file():
        raise ValueError(f"{file} is no file, but the configuration of a run is expected there; remove it")
    return normalise(read_yaml(file), folder=working_directory(folder))


def working_directory(folder: Path) -> Path:
    """Return where paths of a run's configuration begin: where Snakemake was called, which made ``results/<run>``."""
    return folder.absolute().parent.parent
