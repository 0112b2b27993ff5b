"""Files below the folder of a source, as inputs of rules."""

from __future__ import annotations

from pathlib import Path

from dere.regular_file import files_below
from dere.run_config.paths import braces


def folder_files(path: str) -> list[str]:
    """Return every regular file below a folder, sorted, but not what systems keep there for themselves (``.DS_Store``).

    Raises
    ------
    ValueError
        When there is none, or too many, or one whose name holds braces.
    """
    found = [
        str(file)
        for file in files_below(Path(path))
        if file.is_file() and not any(map(_of_the_system, file.relative_to(path).parts))
    ]
    if not found:
        raise ValueError(f"{path}: this source folder does not exist or is empty; correct the path under sources")
    for file in found:
        if said := braces(file):
            raise ValueError(said)
    return found


def _of_the_system(part: str) -> bool:
    # .zarray and the like are part of a Zarr store
    return part.startswith(".") and not part.startswith(".z")
