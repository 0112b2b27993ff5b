"""Folders of towers that a run is given: those of the package where it asks for them, and its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dere.resources import TOWERS
from dere.run_config.mixture import BUNDLED


def tower_folders(provider: str, paths: Sequence[str]) -> list[str]:
    """Return the folders of tower files; none where the built-in world writes them.

    Parameters
    ----------
    provider, paths
        Leaves of ``sources.towers``. The folder of the package is named from the working directory where it lies below,
        so that a checkout that is moved makes nothing again.
    """
    here = Path.cwd()
    own = TOWERS.relative_to(here) if TOWERS.is_relative_to(here) else TOWERS
    return [*([str(own)] if provider == BUNDLED else []), *paths]
