"""Checkpoints: safetensors for the weights, JSON for what they are, csv for how they were reached."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from dere import __version__
from dere.io import content_hash, file_sha256, read_json, write_atomically, write_json, write_table
from dere.training.parallel import team
from dere.variables import FLUXES, PLANT_TYPES, TARGETS

VARIABLES_HASH = content_hash({"targets": TARGETS, "fluxes": FLUXES, "plant_types": PLANT_TYPES})


VALIDATED = "validated."
"""Prefix of weights that never saw the validation towers, in the file of a network trained on them too."""


def save(
    folder: Path,
    model: nn.Module,
    manifest: Mapping[str, Any],
    history: pd.DataFrame,
    validated: Mapping[str, Tensor] | None = None,
) -> None:
    """Write ``model.safetensors``, ``history.csv`` and, last, ``manifest.json`` into ``folder``.

    The manifest gets the code version, the hash of the variable table and the hash of the weights. Of several
    processes only the first writes.

    Parameters
    ----------
    validated
        Weights before the refit on all towers, stored beside those of ``model``; None = there was no refit.
    """
    if not team().leads:
        return
    named = {**model.state_dict(), **{VALIDATED + name: value for name, value in (validated or {}).items()}}
    # A layer that stands in several places has several names, and the format refuses names that share memory.
    tensors = {name: value.detach().cpu().clone() for name, value in named.items()}
    weights = write_atomically(folder / "model.safetensors", lambda tmp: save_file(tensors, tmp))
    write_table(history, folder / "history.csv")
    write_json(
        {
            **manifest,
            "code_version": __version__,
            "variables": VARIABLES_HASH,
            "sha256": file_sha256(weights),
        },
        folder / "manifest.json",
    )


def load(
    folder: Path, model: nn.Module, expect: Mapping[str, Any] | None = None, validated: bool = False
) -> dict[str, Any]:
    """Load weights into ``model`` and return the manifest.

    Parameters
    ----------
    folder
        Written by `save`.
    model
        Same architecture as saved.
    expect
        Manifest entries that must be equal, such as the split hash.
    validated
        Load the weights that never saw the validation towers; without a refit there is only one set.

    Raises
    ------
    ValueError
        When the variable table, an expected entry, the checksum or a weight's name or shape differs; says which.
    """
    manifest = read_json(folder / "manifest.json")
    for key, value in {"variables": VARIABLES_HASH, **(expect or {})}.items():
        if manifest.get(key) != value:
            raise ValueError(
                f"{folder}: '{key}' of the checkpoint is {manifest.get(key)!r}, this run has {value!r}; "
                "train the stage again"
            )
    weights = folder / "model.safetensors"
    if file_sha256(weights) != manifest.get("sha256"):
        raise ValueError(
            f"{weights} has another checksum than manifest.json beside it; it is damaged or of another training: "
            "delete the folder and train the stage again"
        )
    try:
        model.load_state_dict(_one_set(load_file(weights), validated))
    except RuntimeError as error:
        raise ValueError(f"{folder}: weights do not fit the configured network ({error}); train again") from None
    return manifest


def _one_set(tensors: Mapping[str, Tensor], validated: bool) -> dict[str, Tensor]:
    """The weights before or after the refit, under their own names."""
    before = {name.removeprefix(VALIDATED): value for name, value in tensors.items() if name.startswith(VALIDATED)}
    if validated and before:
        return before
    return {name: value for name, value in tensors.items() if not name.startswith(VALIDATED)}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Manifest of a checkpoint folder."""
    return read_json(folder / "manifest.json")
