"""Sums of the files in a folder that a rule writes: what its successors compare, whatever the dates of the files."""

from __future__ import annotations

from pathlib import Path

from dere.io import file_sha256, write_atomically


def write_sums(folder: Path, output: Path) -> None:
    """Write the SHA-256 of every file below ``folder``, in the format of ``sha256sum``.

    ``(cd FOLDER && sha256sum -c ../NAME.sums)`` compares a folder with it.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{file_sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    write_atomically(output, lambda temporary: temporary.write_text("".join(lines), encoding="utf-8"))
