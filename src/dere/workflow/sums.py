"""Sums of the files in a folder that a rule writes: what its successors compare, whatever the dates of the files."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from dere.io import file_sha256, write_atomically

SUFFIX = ".sums"


def write_sums(outputs: Iterable[str]) -> None:
    """Write the SHA-256 of every file in a folder beside it, in the format of ``sha256sum``.

    ``(cd FOLDER && sha256sum -c ../FOLDER.sums)`` compares a folder with its sums.

    Parameters
    ----------
    outputs
        Files to write, each named like its folder with ``.sums``.
    """
    for output in outputs:
        folder = Path(output.removesuffix(SUFFIX))
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        text = "".join(f"{file_sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)
        write_atomically(Path(output), partial(Path.write_text, data=text, encoding="utf-8"))
