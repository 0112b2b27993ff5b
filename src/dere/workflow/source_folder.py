"""Files below the folder of a source, as inputs of rules."""

from __future__ import annotations

from pathlib import Path

from dere.regular_file import files_below
from dere.run_config.paths import braces


def folder_files(path: str) -> list[str]:
    """Return every regular file below a folder, sorted.

    Raises
    ------
    ValueError
        When there is none, or too many, or one whose name holds braces.
    """
    found = [str(file) for file in files_below(Path(path)) if file.is_file()]
    if not found:
        raise ValueError(f"{path}: this source folder does not exist or is empty; correct the path under sources")
    for file in found:
        if said := braces(file):
            raise ValueError(said)
    return found
