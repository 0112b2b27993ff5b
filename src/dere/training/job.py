"""What a rule hands to a training or a prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """Files, settings and place of one run of a rule.

    Parameters
    ----------
    files
        Input files by name, as far as the function reads them: drivers, simulation, cover, towers, splits,
        statistics, labels.
    parents
        Folders of the checkpoints it starts from, by stage.
    output
        Folder of its checkpoint, or the file it writes.
    params
        Parameters of the rule; for networks ``backbone`` (sizes), ``backbone_name``, ``stage``, ``harmonise``.
    fold, seed
        Fold and seed.
    gpu
        The rule's resource of that name.
    code
        Hash of the rule's code; an unfinished run of other code is not continued.
    """

    files: Mapping[str, Path]
    parents: Mapping[str, Path]
    output: Path
    params: Mapping[str, Any]
    fold: int
    seed: int
    gpu: int = 0
    code: str = ""
