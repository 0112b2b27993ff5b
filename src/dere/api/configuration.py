"""The configuration of a run that lies in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dere.run_config.root import normalise
from dere.workflow import layout


def read_configuration(folder: Path) -> dict[str, Any]:
    """Return the complete configuration of a run.

    Raises
    ------
    FileNotFoundError
        When the folder or its configuration does not exist.
    ValueError
        One sentence per wrong key or value.
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
    try:
        raw = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read as YAML ({' '.join(str(error).split())}); correct it") from None
    if not isinstance(raw, Mapping):
        raise ValueError(f"{file} holds {type(raw).__name__}, but keys and values are expected; correct it")
    return normalise(raw, folder=working_directory(folder))


def working_directory(folder: Path) -> Path:
    """Return where paths of a run's configuration begin: where Snakemake was called, which made ``results/<run>``."""
    return folder.absolute().parent.parent
