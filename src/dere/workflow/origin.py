"""Hash of the code that a rule runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from dere.io import file_sha256


def code_hash(files: Iterable[str | Path]) -> str:
    """Short hash of the names and contents of code files.

    Folders do not count, so that the hash is the same wherever the workflow lies and is called from.

    Parameters
    ----------
    files
        The rule's input ``code``: its script and every package file that it imports.
    """
    lines = sorted(f"{Path(file).name} {file_sha256(Path(file))}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
