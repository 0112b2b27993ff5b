"""The configuration that files describe, as ``dere run`` would read them here."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

from dere.cli.checkout import checkout, seen_from


def configured(files: Sequence[Path]) -> dict[str, Any]:
    """Return the complete configuration; its plug-ins are loaded.

    In a checkout ``config.yaml`` stands before the files, and paths begin at its folder; outside one the files stand
    alone.

    Raises
    ------
    FileNotFoundError
        When a file does not exist.
    ValueError
        One sentence per unknown key, wrong value or plug-in that cannot be loaded.
    """
    # only here, because it loads Snakemake
    from dere.workflow.configuration import DEFAULTS, configuration

    here = Path.cwd()
    folder = checkout(here)
    with chdir(folder or here):
        return configuration([*([DEFAULTS] if folder else []), *seen_from(folder or here, here, files)])
